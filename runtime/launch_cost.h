/* Whether a launch that is safe also pays on a GPU. */
#ifndef WASMETAL_RUNTIME_LAUNCH_COST_H
#define WASMETAL_RUNTIME_LAUNCH_COST_H

#include "runtime/device.h"

/* One invocation of a GPU does about as much as this part of a CPU thread: an operation that waits for the one before
 * it, and for memory now and then, takes some 25 ns there, and 0.4 ns here (docs/devices.md). */
#define WM_GPU_LEAST_POINTS 64

/* False when the loop is better run by the CPU, given the device's own thresholds; *out_few: because there are too few
 * grid points, so that kernels of the loops inside may still pay.  Work below default_min_work is the guard's matter.
 * Any thread. */
bool wm_launch_pays(const struct wm_device *d, const struct wm_kernel *k, const struct wm_launch_plan *plan,
                    bool *out_few);

#endif
