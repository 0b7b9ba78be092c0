/* Loops whose trip count differs between iterations of the loops around them; a part of the guard.  See guard_hull.c.
 */
#ifndef WASMETAL_RUNTIME_GUARD_HULL_H
#define WASMETAL_RUNTIME_GUARD_HULL_H

#include "runtime/guard.h"

/* constant + sum of coef[d] * index of dimension d */
struct hull_linear {
    int64_t constant;
    int64_t coef[WM_MAX_DIMS];
};

struct hulls {
    uint32_t exact;   /* bit d: last[d] is the last index of varying dimension d, in terms of dimensions before it */
    uint32_t clipped; /* bit d: where that is negative, the last index is 0; else: such iterations do not enter it */
    struct hull_linear last[WM_MAX_DIMS];
};

/* Plans varying dimension `d`, all before it being planned; `values[r]` is the signed interval of range r.  Sets
 * plan->trips[d] to the most iterations it can have (0: it never runs) and enters its hull.  False: that is not known.
 */
bool hull_plan_dim(const struct wm_kernel *k, uint64_t d, const uint64_t *slots, const int64_t lo[2],
                   const int64_t hi[2], struct wm_launch_plan *plan, struct hulls *h);

/* The least and greatest value of `f` over all iterations of dimensions 0 .. ndims-1.  False: they exceed 62 bits. */
bool hull_extremes(const struct hulls *h, const struct wm_launch_plan *plan, const struct hull_linear *f,
                   unsigned ndims, int64_t *out_lo, int64_t *out_hi);

#endif
