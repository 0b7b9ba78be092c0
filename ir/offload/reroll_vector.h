/* Private to the re-rolling of loops: vectorised ones as unrolled ones; see reroll_vector.c. */
#ifndef WASMETAL_IR_OFFLOAD_REROLL_VECTOR_H
#define WASMETAL_IR_OFFLOAD_REROLL_VECTOR_H

#include "ir/opt/pass.h"

/* A copy of `f` without v128 values, for which nothing traps; NULL: `f` has none, is too large, or hands some on.  The
 * caller frees it. */
struct ir_func *reroll_take_apart(struct arena *scratch, struct ir_func *f, struct pass_ctx *passes);

#endif
