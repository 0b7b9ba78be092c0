/* Reductions: which iterations each worker of a launch runs, and what the workers' results come to.
 *
 * ir/offload/reduce.h says what a reduction is and why the result has the same bits.  Nothing here allocates or keeps
 * state.
 */
#ifndef WASMETAL_RUNTIME_REDUCE_H
#define WASMETAL_RUNTIME_REDUCE_H

#include "runtime/guard.h"

/* Most workers of a launch: bounds the partial results. */
#define WM_REDUCE_MAX_WORKERS 16384

/* Whether the values before the loop are such that the workers' results can be combined to the loop's own. */
bool wm_reduce_can_start(const struct wm_kernel *k, const uint64_t *slots);
/* Whether the answers depend on the value before the loop. */
bool wm_reduce_asks_start(const struct wm_reduce *r);

/* Sets what *plan says about workers.  False: too few iterations to split. */
bool wm_reduce_schedule(const struct wm_kernel *k, const uint64_t *slots, const struct wm_guard_limits *limits,
                        struct wm_launch_plan *plan);

/* The values after the loop, as bits, from plan->partials. */
void wm_reduce_combine(const struct wm_kernel *k, const uint64_t *slots, const struct wm_launch_plan *plan,
                       uint64_t *out_values);

/* Whether the description of the kernel's reductions makes sense (true without any). */
bool wm_reduce_valid(const struct wm_kernel *k);

#endif
