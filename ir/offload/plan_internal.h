/* What the planner's parts share; nothing outside ir/offload/plan*.c includes this.
 *
 * A function that returns false and says "rejects" has set p->reject, p->at and p->detail.
 */
#ifndef WASMETAL_IR_OFFLOAD_PLAN_INTERNAL_H
#define WASMETAL_IR_OFFLOAD_PLAN_INTERNAL_H

#include "ir/offload/plan.h"

enum { PLAN_MAX_CONDS = 16 }; /* conditions around one instruction that are kept; dropping some is safe */

enum { PLAN_WIDE_RANGE = 4096 }; /* values of an index above which its table is checked instead of bound as a whole */

/* plan.c: records a reason; returns false.  `at`: NULL for the root loop.  `detail`: in p->text, or constant; or NULL.
 */
bool plan_reject(struct plan *p, enum off_reject why, const struct ir_inst *at, const char *detail);
/* The slot that holds `s`, made when new; OFF_NO_SLOT when there are too many. */
uint32_t plan_slot_of(struct plan *p, struct plan_slot s);
/* As plan_slot_of, for a polynomial; rejects. */
bool plan_expr_slot(struct plan *p, const struct aff *a, uint32_t *out_slot);
/* The launch needs `s` to be nonzero; rejects. */
bool plan_require(struct plan *p, struct plan_slot s);

/* plan_body.c: whether a kernel can run everything in `r`; rejects. */
struct plan_scan {
    uint32_t insts, stores;
    struct ir_inst *first_store;
};
/* Fills p->restored. */
void plan_find_restored(struct plan *p);
/* Counts p->nchecked.  A branch out of the root loop other than its test counts as a check: the inspector finds out
 * whether it is ever taken, and the kernel goes without it. */
bool plan_check_body(struct plan *p, struct plan_scan *s, struct ir_region *r);

/* Whether `i` is what ends the root or a loop inside it. */
bool plan_is_test(const struct plan *p, const struct ir_inst *i);

/* plan_chain.c: shape, exits and carried values of a loop that is to be parallel; rejects. */
bool plan_check_parallel(struct plan *p, struct loop *l, struct aff_trip *out_trip);
/* Each parameter of a chain loop is recomputed from the grid position, so it may depend on chain loops only. */
bool plan_params_follow_grid(struct plan *p, struct loop *l);
/* Adds the loop inside chain[nchain - 1] when that is parallel too and perfectly nested.  No is no rejection, whatever
 * p->reject says. */
bool plan_extend_chain(struct plan *p);

/* plan_access.c: every load and store in `r`; rejects. */
bool plan_add_accesses(struct plan *p, struct ir_region *r);
/* A load as `inst`, but at `a`, which it may always do.  False, with or without a reason, when that is not linear or
 * NULL. */
bool plan_add_load_at(struct plan *p, struct ir_inst *inst, const struct aff *a);
/* Index of the range of values that `a` takes, -1 when it has none. */
int plan_range_of_expr(struct plan *p, const struct aff *a);
/* The range `op` of two others, either of which may be -1: there is none. */
int plan_combine_ranges(struct plan *p, enum off_range_op op, int a, int b);
/* A dimension over the values of a range; `sym`: what it stands for, or -1.  -1 when there are too many. */
int plan_range_dim(struct plan *p, int sym, uint32_t range, uint32_t wasm_offset);
/* Gives the access the address `a` plus `more[d]` times the index of dimension d.  False: *x is half changed. */
bool plan_place_access(struct plan *p, struct plan_access *x, const struct aff *a,
                       const struct aff *const more[OFF_MAX_DIMS]);
/* plan_clip.c: bounds loads behind tests of what their addresses are made of by what the tests say. */
void plan_clip_loads(struct plan *p);
/* plan_vary.c: whether the count of inner loop `l` differs between iterations of the loops around it in a way that the
 * guard can bound; fills the fields of *out that say how.  No is no rejection. */
bool plan_vary(struct plan *p, struct loop *l, struct off_dim *out);
/* A new dimension, -1 when there are too many. */
int plan_new_dim(struct plan *p, struct loop *l, int sym);
/* The slots behind a trip count; rejects. */
bool plan_trip_slots(struct plan *p, const struct aff_trip *t, struct off_dim *d);
/* Instructions in `r` outside inner loops; those on vectors count four times. */
uint32_t plan_own_ops(const struct ir_region *r);
/* Loops that no address depends on still cost time; they are entered last, as far as there is room. */
void plan_add_cost_dims(struct plan *p, struct loop *l);

/* plan_conflict.c: chain loops before the first that cannot be parallel, because a store stands still in it or two
 * accesses certainly meet across its iterations; fewer than p->nchain: rejects. */
uint32_t plan_parallel_chain(struct plan *p);
/* Iterations when they are a constant of the program, else 0. */
uint64_t plan_constant_trip(const struct aff_trip *t);

/* reduce.c: finds the reductions among the root's parameters that are neither polynomials nor delays.  False, without a
 * reason, when one of these is no reduction. */
bool plan_find_reduces(struct plan *p);

/* split.c: whether no trap and no effect depends on the values that p->marks names; sets p->splits. */
bool plan_may_split(struct plan *p);
/* Once the accesses are known: what the rest needs.  False, without a reason, when it is too much of the loop. */
bool plan_split(struct plan *p);

/* plan_private.c: finds the groups of accesses that each point can have for itself; marks their members. */
void plan_find_privates(struct plan *p);
/* Slots for what memory holds before the launch where p->flat; rejects. */
bool plan_private_slots(struct plan *p);

/* plan_delay.c: whether parameter `index` of `l`, which is no polynomial, is the value of a load of an earlier
 * iteration. */
bool plan_find_delay(struct plan *p, struct loop *l, uint32_t index, struct plan_delay *out);
/* Accesses for all such parameters of the chain; rejects. */
bool plan_add_delays(struct plan *p);

#endif
