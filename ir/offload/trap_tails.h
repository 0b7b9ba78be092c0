/* Tails: the last instructions of a region, none of them a branch, that end in `unreachable`.  Once control is there it
 * comes to the trap (or to an earlier one, or never returns from a call), so a kernel needs nothing of a tail but to
 * know that it was reached. */
#ifndef WASMETAL_IR_OFFLOAD_TRAP_TAILS_H
#define WASMETAL_IR_OFFLOAD_TRAP_TAILS_H

#include "ir/ir.h"

/* Whether the instruction stands in a tail; the `unreachable` itself does. */
bool trap_tail_holds(const struct ir_inst *i);
/* Puts copies of short tails in the place of branches that leave a loop for one.  True: changed. */
bool trap_tails_copy(struct ir_func *f);
/* Leaves of every tail only its `unreachable`. */
void trap_tails_cut(struct ir_region *r);

#endif
