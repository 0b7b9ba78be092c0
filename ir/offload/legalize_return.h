/* One way out of a kernel body. */
#ifndef WASMETAL_IR_OFFLOAD_LEGALIZE_RETURN_H
#define WASMETAL_IR_OFFLOAD_LEGALIZE_RETURN_H

#include "ir/ir.h"

/* In place, for a function without results: afterwards the only return is the last instruction of the body. */
void legalize_returns(struct ir_func *f);

#endif
