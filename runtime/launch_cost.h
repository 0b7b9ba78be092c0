/* Whether a launch that is safe also pays: how long the kernel would take on this device, and how long the original
 * loop on the calling thread. */
#ifndef WASMETAL_RUNTIME_LAUNCH_COST_H
#define WASMETAL_RUNTIME_LAUNCH_COST_H

#include "runtime/device.h"

/* One invocation of a GPU does about as much as this part of a CPU thread: an operation that waits for the one before
 * it, and for memory now and then, takes some 25 ns there, and 0.4 ns here (docs/devices.md). */
#define WM_GPU_LEAST_POINTS 64

/* Nanoseconds. */
struct wm_launch_times {
    double kernel, loop;
    bool few; /* a larger grid with as many operations would be faster on the device than the loop */
};

/* What the device's rates, which must be known, let expect; `slowdown` is that of operations which the kernel emulates,
 * else 1. */
struct wm_launch_times wm_launch_predict(const struct wm_device *d, const struct wm_kernel *k,
                                         const struct wm_launch_plan *plan, double slowdown);

/* False when the loop is better run by the CPU, by the prediction or, where nothing was measured, by the device's own
 * thresholds; *out_few: because there are too few grid points, so that kernels of the loops inside may still pay.  Work
 * below default_min_work is the guard's matter.  Any thread. */
bool wm_launch_pays(const struct wm_device *d, const struct wm_kernel *k, const struct wm_launch_plan *plan,
                    bool *out_few);

/* The least work with which any launch could pay, by the rates. */
uint64_t wm_launch_least_work(const struct wm_rates *r);

#endif
