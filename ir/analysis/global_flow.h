/* What a global variable holds at each place of a function, as a value plus a constant: what becomes of the stack
 * pointer.
 *
 *     %s = global.get 0               ; s
 *     %t = i32.add %s, -16
 *     global.set 0 %t                 ; s - 16
 *     ...
 *     %u = i32.add %t, 16
 *     global.set 0 %u                 ; s again: restored
 *
 * One forward walk over structured control; where paths meet, they must agree.  A loop is first taken to leave the
 * variable as it found it at the end of each iteration, and walked again without that assumption when it does not. */
#ifndef WASMETAL_IR_ANALYSIS_GLOBAL_FLOW_H
#define WASMETAL_IR_ANALYSIS_GLOBAL_FLOW_H

#include "ir/analysis/effects.h"
#include "ir/analysis/loops.h"

/* Replaces reads of i32 global `g` by the value it is known to hold; in front of an outermost loop that writes it, one
 * read is added so that those inside are known.  Writes stay.  True: changed. */
bool global_flow_forward(struct ir_func *f, const struct effects *e, uint32_t g);

/* Whether the function leaves i32 global `g` as it found it wherever it returns, though it may move it in between: a
 * stack frame.  Remembered in `e`. */
bool global_flow_keeps(const struct effects *e, const struct ir_module *m, uint32_t func, uint32_t g);

/* Whether every iteration of `root` leaves global `g` as it found it, on all paths that do not come to something that
 * stops a kernel (ir_stops_kernel) or traps, and reads it nowhere: without the writes, the loop would compute the same
 * on those paths. */
bool global_flow_restores(const struct loop *root, uint32_t g);

#endif
