/* Copies and fills of memory in loops, written as loops for kernels (bulk.c). */
#ifndef WASMETAL_IR_PREPARE_BULK_H
#define WASMETAL_IR_PREPARE_BULK_H

#include "ir/analysis/bulk_funcs.h"

/* What the instruction does to memory 0, as a whole: BULK_NONE for all but memory.copy, memory.fill and calls of
 * functions that do as much. */
enum bulk_kind bulk_kind_of(struct bulk_funcs *funcs, const struct ir_inst *i);
/* Puts both ways of doing it in the place of `i`, which bulk_kind_of knows; uses of its result are left to `fwd`. */
void bulk_expand(struct ir_inst *i, enum bulk_kind kind);

#endif
