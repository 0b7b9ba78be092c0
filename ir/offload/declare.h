/* Functions declared to be data-parallel in their first argument; see declare.c. */
#ifndef WASMETAL_IR_OFFLOAD_DECLARE_H
#define WASMETAL_IR_OFFLOAD_DECLARE_H

#include "ir/ir.h"

/* Marks the loops that call the functions of m->declared with a first argument of their own in each iteration; returns
 * how many there are. */
uint32_t declare_mark_loops(struct ir_module *m);

static inline bool declare_is_marked(const struct ir_inst *loop) {
    return loop->index2 != 0;
}

/* Whether the code at this place of the file belongs to a declared function. */
bool declare_holds(const struct ir_module *m, uint32_t wasm_offset);

#endif
