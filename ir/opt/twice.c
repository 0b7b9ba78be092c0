/* Loops of two iterations that say so by a flag.
 *
 *     loop L (%j = 0) {                             loop L (%j = 0) {
 *       ...                                           ...
 *       %first = i32.eqz %j                           %k = i32.add %j, 32
 *       br_if %first, L(32)                 =>        %c = i32.ne %j, 32
 *       yield                                         br_if %c, L(%k)
 *     }                                               yield
 *                                                   }
 *
 * LLVM turns a counter that takes two values into such a parameter: "this is the first time" with one constant on the
 * way in and another on the way back, `for (i = 0; i < 2; i++)` as much as `for (j = 0; j < 64; j += 32)`.  It is no
 * induction variable, so the loop has no trip count, and nothing that stands around it does.  The constants tell: where
 * the test goes on for the first and leaves for the second, there is no third iteration, and the parameter counts from
 * one to the other in one step.  What it would be after that is never looked at.
 *
 * The test must hang on nothing but the parameter and constants; it is evaluated for both values.
 */
#include "ir/analysis/loops.h"
#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/ir_eval.h"
#include "ir/opt/pass.h"

enum { MAX_DEPTH = 4, MAX_OPERANDS = 3 };

/* What `v` is where `param` is `bits`; false: it hangs on something else, or traps. */
static bool evaluate(const struct ir_value *v, const struct ir_value *param, union ir_bits bits, unsigned depth,
                     union ir_bits *out) {
    const union ir_bits *c = ir_const_of(v);
    if (c || v == param) {
        *out = c ? *c : bits;
        return true;
    }
    const struct ir_inst *d = v->def;
    union ir_bits operands[MAX_OPERANDS];
    if (!d || !depth || ir_info(d)->kind != IR_KIND_SIMPLE || !d->noperands || d->noperands > MAX_OPERANDS)
        return false;
    for (uint32_t k = 0; k < d->noperands; k++)
        if (!evaluate(d->operands[k], param, bits, depth - 1, &operands[k]))
            return false;
    return ir_eval_simple((enum ir_op)d->op, operands, out) == IR_TRAP_NONE;
}

static bool goes_on(const struct loop *l, const struct ir_value *param, union ir_bits bits, bool *out) {
    union ir_bits truth;
    if (!evaluate(l->test->operands[0], param, bits, MAX_DEPTH, &truth))
        return false;
    *out = (truth.i32 != 0) != l->exit_when_true;
    return true;
}

/* Whether the test, as it stands, says of a counter no more than that it has not moved yet. */
static bool asks_for_first(const struct loop *l) {
    const struct ir_inst *d = l->test->operands[0]->def;
    bool negate = l->exit_when_true;
    for (; d && d->op == IR_I32_EQZ && d->operands[0]->def; d = d->operands[0]->def)
        negate = !negate;
    if (!d)
        return false;
    bool equal = d->op == IR_I32_EQ || d->op == IR_I64_EQ || d->op == IR_I32_EQZ || d->op == IR_I64_EQZ;
    return negate ? d->op == IR_I32_NE || d->op == IR_I64_NE : equal;
}

/* Whether the test goes on for what the parameter is at first and leaves for what it is then, `*out_second`. */
static bool is_flag(const struct loop *l, uint32_t index, union ir_bits *out_second) {
    const struct ir_value *param = l->inst->regions[0]->params[index], *next = loop_next_value(l, index);
    const union ir_bits *first = ir_const_of(l->inst->operands[index]);
    bool at_first, at_second;
    if ((param->type != IR_I32 && param->type != IR_I64) || !first || (!ir_const_of(next) && !asks_for_first(l)) ||
        !evaluate(next, param, *first, MAX_DEPTH, out_second))
        return false;
    return goes_on(l, param, *first, &at_first) && goes_on(l, param, *out_second, &at_second) && at_first && !at_second;
}

/* The test as a comparison of the flag with its second value. */
static void bound_test(struct loop *l, struct ir_value *param, union ir_bits second) {
    static const enum ir_op tests[2][2] = {{IR_I32_NE, IR_I32_EQ}, {IR_I64_NE, IR_I64_EQ}};
    struct ir_builder b = ir_builder_before(l->test);
    struct ir_value *bound = ir_build_const(&b, param->type, second);
    l->test->operands[0] = ir_build_simple(&b, tests[param->type == IR_I64][l->exit_when_true], param, bound);
}

/* Lets the flag, and every integer parameter that is passed a value from outside the loop, count up to its second
 * value in one step. */
static void step_params(struct loop *l, uint32_t flag, union ir_bits second) {
    for (uint32_t k = 0; k < l->inst->noperands; k++) {
        struct ir_value *param = l->inst->regions[0]->params[k], *to = loop_next_value(l, k);
        if ((param->type != IR_I32 && param->type != IR_I64) ||
            (k != flag && loop_contains_value(l, to) && !ir_const_of(to)))
            continue;
        bool wide = param->type == IR_I64;
        struct ir_builder b = ir_builder_before(l->inst);
        if (k == flag || ir_const_of(to))
            to = ir_build_const(&b, param->type, k == flag ? second : *ir_const_of(to));
        struct ir_value *step = ir_build_simple(&b, wide ? IR_I64_SUB : IR_I32_SUB, to, l->inst->operands[k]);
        b = ir_builder_before(l->back);
        l->back->operands[l->back_first + k] = ir_build_simple(&b, wide ? IR_I64_ADD : IR_I32_ADD, param, step);
    }
}

bool opt_twice(struct ir_func *f, struct pass_ctx *cx) {
    bool changed = false;
    struct loop_tree *tree = loop_tree_build(&cx->scratch, f);
    for (uint32_t n = 0; n < tree->nloops; n++) {
        struct loop *l = &tree->loops[n];
        if (l->shape == LOOP_OTHER || l->nback_edges != 1 || l->back->op == IR_BR_TABLE)
            continue;
        uint32_t k = 0;
        union ir_bits second;
        while (k < l->inst->noperands && !is_flag(l, k, &second))
            k++;
        if (k == l->inst->noperands)
            continue;
        bound_test(l, l->inst->regions[0]->params[k], second);
        step_params(l, k, second);
        changed = true;
    }
    return changed;
}
