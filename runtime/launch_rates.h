/* How fast a device is, and the calling thread beside it, in nanoseconds.
 *
 * Measured when the device is opened and kept on disk (device_calibrate.c); what launch_cost.c predicts from.  An
 * operation is what the guard counts as one: an instruction of the loop's body. */
#ifndef WASMETAL_RUNTIME_LAUNCH_RATES_H
#define WASMETAL_RUNTIME_LAUNCH_RATES_H

#include <stdbool.h>
#include <stdint.h>

struct wm_rates {
    double launch;  /* a launch of next to nothing, until the caller goes on; 0: nothing is known */
    double op;      /* an operation, with the device full of them */
    double step;    /* an operation of a grid point that waits for the one before it */
    double byte;    /* a byte of linear memory, read or written in a row */
    double host_op; /* the same on the calling thread, as the original loop has them */
    double host_byte;
};

#define WM_RATES 6

/* What is measured.  The kernels are those of device_measure.c, or the same in SPIR-V. */
enum wm_measured {
    WM_MEASURED_CHAIN, /* each point WM_CHAIN_OPS operations, one after the other */
    WM_MEASURED_COPY,  /* each point reads a word and writes another one */
};

enum {
    WM_CHAIN_ROUNDS = 256,
    WM_CHAIN_OPS = WM_CHAIN_ROUNDS * 4,
    WM_CHAIN_MULTIPLIER = 1664525, /* Knuth, TAOCP 2, 3.3.4, line 16 */
    WM_CHAIN_INCREMENT = 1013904223,
    WM_CHAIN_SHIFT = 15,
    WM_COPY_BYTES = 8,            /* of linear memory, by each point */
    WM_MEASURED_POINTS = 1 << 19, /* at most */
};

/* Runs `points` points, a multiple of 64, on the device and waits.  Nanoseconds that took; negative: it failed. */
typedef double wm_measure_run(void *context, enum wm_measured what, uint32_t points);

/* Fills the device's four rates.  False: a run failed. */
bool wm_measure_device(wm_measure_run *run, void *context, struct wm_rates *out);
/* Fills the two of the calling thread.  False: out of memory. */
bool wm_measure_host(struct wm_rates *out);
double wm_measure_now(void);

/* Native kernels (wm_cpu_kernel).  `memory` holds 2 * WM_MEASURED_POINTS words. */
void wm_measure_chain(uint8_t *memory, const uint64_t *scalars, const uint32_t *box);
void wm_measure_copy(uint8_t *memory, const uint64_t *scalars, const uint32_t *box);

/* Whether all rates are set and possible. */
bool wm_rates_valid(const struct wm_rates *r);

#endif
