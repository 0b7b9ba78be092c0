/* Private to the re-rolling of loops: lanes and scalar code in one form; see reroll_tidy.c. */
#ifndef WASMETAL_IR_OFFLOAD_REROLL_TIDY_H
#define WASMETAL_IR_OFFLOAD_REROLL_TIDY_H

#include "ir/ir.h"

/* Leaves dead instructions behind. */
void reroll_tidy(struct arena *scratch, struct ir_func *f);

#endif
