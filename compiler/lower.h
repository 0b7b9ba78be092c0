/* One validated wasm body to IR. */
#ifndef WASMETAL_COMPILER_LOWER_H
#define WASMETAL_COMPILER_LOWER_H

#include "compiler/wasm.h"

enum lower_result {
    LOWER_OK,
    LOWER_TOO_MANY_MERGES,   /* FRONT_MAX_MERGES */
    LOWER_TOO_MANY_OPERANDS, /* FRONT_MAX_OPERANDS */
};

/* Fills the empty body of `f`, whose module has all tables but datas.  When it does not return LOWER_OK, the body is
 * left half built. */
enum lower_result lower_body(struct ir_func *f, const struct wasm_body *body);

#endif
