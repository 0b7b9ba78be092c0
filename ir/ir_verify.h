/* Checks every rule of ir.h: types, arity, scoping, terminators, labels, indices.  Read-only. */
#ifndef WASMETAL_IR_VERIFY_H
#define WASMETAL_IR_VERIFY_H

#include "ir/ir.h"
#include "ir/util/strbuf.h"

/* Each problem is a line in `out`; true when there is none. */
bool ir_verify_func(const struct ir_func *f, struct strbuf *out);
bool ir_verify_module(const struct ir_module *m, struct strbuf *out);

#endif
