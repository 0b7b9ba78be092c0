/* What an instruction can do besides giving its results: the questions passes ask before they remove, merge or move it.
 * Each looks only at the instruction itself, never into regions. */
#ifndef WASMETAL_IR_EFFECTS_H
#define WASMETAL_IR_EFFECTS_H

#include "ir/ir.h"

/* Whether it can trap, given the operands that are constants: division by a nonzero constant (and, signed, not -1)
 * cannot.  Calls, launches and branches count as false here: they are effects of their own. */
bool ir_may_trap(const struct ir_inst *i);

/* No effect and no trap: may be removed, merged with an equal one, and moved to any point its operands dominate. */
bool ir_is_pure(const struct ir_inst *i);

/* Depends only on its operands, though it may trap: a second one with the same operands is redundant. */
bool ir_is_function_of_operands(const struct ir_inst *i);

/* May be removed when its results are unused (pure, or only reads something without a trap). */
bool ir_is_removable(const struct ir_inst *i);

/* What no kernel can do: calls, tables, bulk memory; and a mark that it is not to go on (twofold_build_stop).  Where
 * control reaches one in a kernel, the launch must not have happened; nothing behind it in its region counts. */
bool ir_stops_kernel(const struct ir_inst *i);

/* Sets `label` of every block, loop and if in the region to the number of branches to it. */
void ir_count_branches(struct ir_region *r);

/* Whether something in the region, however deep, branches to the label. */
bool ir_branches_to(const struct ir_region *r, const struct ir_inst *label);

/* Whether something in the region, however deep, sets the global variable. */
bool ir_sets_global(const struct ir_region *r, uint32_t index);

/* Whether the region ends by falling out, giving results to the instruction around it. */
static inline bool ir_falls_out(const struct ir_region *r) {
    return r->last && r->last->op == IR_YIELD;
}

#endif
