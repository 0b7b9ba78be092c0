/* Constants that GPU compilers mistake for others where control flow or a select chooses between them. */
#ifndef WASMETAL_IR_OFFLOAD_LEGALIZE_CHOICE_H
#define WASMETAL_IR_OFFLOAD_LEGALIZE_CHOICE_H

#include "ir/ir.h"

/* In place, as the last step: the simplifier must not see it, and what it has made of ifs is what counts. */
void legalize_choices(struct ir_func *f);

#endif
