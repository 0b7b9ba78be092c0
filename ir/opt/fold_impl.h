/* Private to the fold pass. */
#ifndef WASMETAL_IR_OPT_FOLD_IMPL_H
#define WASMETAL_IR_OPT_FOLD_IMPL_H

#include "ir/ir_build.h"

/* Algebra of one simple operation or select whose operands are resolved and in canonical order (constant last). Returns
 * a value to use in its place (made by `b`, which stands before it, or existing), or NULL.  May change `i` itself in
 * place and then sets *changed. */
struct ir_value *fold_algebra(struct ir_builder *b, struct ir_inst *i, bool *changed);

/* Whether the value is known to be 0 or 1. */
bool fold_is_bool(const struct ir_value *v);

/* What tests the same as `cond` where only zero or nonzero matters; *negate is flipped for each eqz peeled off. */
struct ir_value *fold_condition(struct ir_value *cond, bool *negate);

/* `cond` negated as a condition (0 or nonzero). */
/* x - min(x, c), unsigned, is not zero just where x > c: that comparison; NULL when `v` is nothing of the kind.  What
 * goes over an array in chunks, the last one shorter, counts what is left like this. */
struct ir_value *fold_what_is_left(struct ir_builder *b, struct ir_value *v);
struct ir_value *fold_negate(struct ir_builder *b, struct ir_value *cond);

#endif
