/* Which bytes an access of private memory touches within one iteration of the parallel loops (plan_private.c).
 *
 * Everything is counted out: loops inside a point run as their counters, bounds and steps say, values known to lie in a
 * range take each value of it.  So triangles, strided columns and loops that count down come out exactly, and what
 * cannot be counted out (a bound loaded from memory, too many values) is no private memory. */
#ifndef WASMETAL_IR_OFFLOAD_PLAN_CELLS_H
#define WASMETAL_IR_OFFLOAD_PLAN_CELLS_H

#include "ir/offload/plan_internal.h"

enum { CELL_WORDS = PLAN_MAX_ARRAY_BYTES / 64 };

/* Bit b: byte b of the group. */
struct cell_bits {
    uint64_t bit[CELL_WORDS];
};

/* The address of the access at iteration 0, without what it shares with others of its group (aff_drop_const). */
int64_t cells_constant(const struct plan_access *x);
/* Whether it touches different bytes within an iteration. */
bool cells_move(const struct plan *p, const struct plan_access *x);
/* First byte, and one behind the last, that it may touch, relative like cells_constant.  False: not known. */
bool cells_extent(struct plan *p, const struct plan_access *x, int64_t *out_low, int64_t *out_high);
/* Adds the bytes it may touch, of a group that begins at `origin` and holds its whole extent. */
void cells_touched(struct plan *p, const struct plan_access *x, int64_t origin, struct cell_bits *out);
/* Adds the bytes it has touched once loop `outer` around it has ended, when it happens in every iteration of all loops
 * from its own to `outer`.  Nothing when that depends on more than these loops. */
void cells_swept(struct plan *p, const struct plan_access *x, struct loop *outer, int64_t origin,
                 struct cell_bits *out);

void cells_add(struct cell_bits *b, int64_t low, int64_t high);
/* The loop of the nest inside chain[nchain - 1] that the instruction is; NULL: none. */
struct loop *cells_loop_of(const struct plan *p, const struct ir_inst *inst);

#endif
