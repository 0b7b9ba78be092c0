/* Conflicts between grid points; a part of the guard.  See guard_conflict.c. */
#ifndef WASMETAL_RUNTIME_GUARD_CONFLICT_H
#define WASMETAL_RUNTIME_GUARD_CONFLICT_H

#include "runtime/guard.h"

/* One access, or several with the same strides: the bytes touched at iteration 0 and over all iterations. */
struct footprint {
    int64_t stride[WM_MAX_DIMS]; /* 0 where the dimension runs once */
    int64_t first, last;         /* at iteration 0: first <= x < last */
    int64_t lo, hi;              /* over the whole box */
    bool write;
    bool declared; /* off_access.declared */
};

#define GUARD_NO_GROUP UINT8_MAX /* of an access that does not happen */

/* Accesses put together by stream, direction and strides. */
struct access_groups {
    unsigned count;
    struct footprint hull[OFF_MAX_ACCESSES];
    uint8_t group_of[OFF_MAX_ACCESSES];
    uint8_t stream[OFF_MAX_ACCESSES]; /* of the group */
};

/* Enters access `index` of the kernel. */
void guard_add_to_groups(const struct wm_kernel *k, struct access_groups *g, unsigned index, uint8_t stream,
                         const struct footprint *f);

/* Whether no two grid points touch a common byte that one of them writes.  `all`: the footprint of each access. */
bool guard_points_are_free(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct access_groups *g,
                           const struct footprint *all);

/* Whether what an inspector reads is what the kernel will read, though no store has run yet. */
bool guard_rereads_are_free(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct access_groups *g,
                            const struct footprint *all);

/* Whether each copy inside a point has its source and its destination apart (off_access.copy). */
bool guard_copies_are_apart(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct access_groups *g,
                            const struct footprint *all);

/* Accesses of streams of kind PRIVATE are in no group. */
bool guard_privates_are_free(const struct wm_kernel *k, const struct wm_launch_plan *plan,
                             const struct access_groups *g, const struct footprint *all);

#endif
