/* Counting loops that turn twice.
 *
 * Of `for (i = 0; i < 2; i++)` LLVM leaves no counter, but constants that are passed on and the one that is tested:
 *
 *     loop L (%i = 0, %more = 1) {                  loop L (%i = 0, %more = 1) {
 *       ...                                           ...
 *                                                     %i1 = i32.add %i, 1
 *                                                     %more1 = i32.add %more, -1
 *                                           =>        %c = i32.ne %more, 0
 *       br_if %more, L(1, 0)                          br_if %c, L(%i1, %more1)
 *
 * Codecs are full of them: two channels, two rows of blocks.  The affine analysis takes a parameter that becomes a
 * constant for a recurrence, and the loop for one without a count, so that neither it nor a nest around it could be a
 * kernel.
 *
 * A constant and its successor are two steps of an arithmetic progression.  This holds as long as the loop goes back
 * once at most: the test says so with the first value of one parameter, and no with its second.
 */
#include "ir/analysis/loops.h"
#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/ir_eval.h"
#include "ir/prepare/prepare.h"

enum { MAX_DEPTH = 6 };

/* What the parameter is at first, and what it becomes. */
struct pair {
    union ir_bits first, second;
};

static bool is_integer(enum ir_type type) {
    return type == IR_I32 || type == IR_I64;
}

static uint64_t number_of(enum ir_type type, union ir_bits bits) {
    return type == IR_I32 ? bits.i32 : bits.i64;
}

static bool read_pair(const struct loop *l, uint32_t index, struct pair *out) {
    const struct ir_value *param = l->inst->regions[0]->params[index];
    const union ir_bits *first = ir_const_of(l->inst->operands[index]);
    const union ir_bits *second = ir_const_of(loop_next_value(l, index));
    if (!is_integer(param->type) || !first || !second)
        return false;
    *out = (struct pair){*first, *second};
    return number_of(param->type, *first) != number_of(param->type, *second);
}

/* The value of `v` where `param` is `bits` and nothing else varies. */
static bool evaluate(const struct ir_value *v, const struct ir_value *param, union ir_bits bits, unsigned depth,
                     union ir_bits *out) {
    if (v == param) {
        *out = bits;
        return true;
    }
    const union ir_bits *c = ir_const_of(v);
    if (c) {
        *out = *c;
        return true;
    }
    const struct ir_inst *d = v->def;
    union ir_bits operands[2] = {{0}};
    if (!d || depth == MAX_DEPTH || ir_info(d)->kind != IR_KIND_SIMPLE || ir_may_trap(d) || d->noperands > 2)
        return false;
    for (uint32_t k = 0; k < d->noperands; k++)
        if (!evaluate(d->operands[k], param, bits, depth + 1, &operands[k]))
            return false;
    return ir_eval_simple((enum ir_op)d->op, operands, out) == IR_TRAP_NONE;
}

/* Whether the test lets the loop turn again with the first value of the parameter only. */
static bool turns_twice(const struct loop *l, const struct ir_value *param, const struct pair *p) {
    union ir_bits first, second;
    const struct ir_value *test = l->test->operands[0];
    return evaluate(test, param, p->first, 0, &first) && evaluate(test, param, p->second, 0, &second) &&
           (first.i32 != 0) != l->exit_when_true && (second.i32 != 0) == l->exit_when_true;
}

static void step(struct loop *l, uint32_t index, const struct pair *p) {
    struct ir_value *param = l->inst->regions[0]->params[index];
    struct ir_builder b = ir_builder_before(l->test);
    b.wasm_offset = l->test->wasm_offset;
    uint64_t by = number_of(param->type, p->second) - number_of(param->type, p->first);
    bool narrow = param->type == IR_I32;
    l->back->operands[l->back_first + index] = ir_build_simple(
        &b, narrow ? IR_I32_ADD : IR_I64_ADD, param, narrow ? ir_build_i32(&b, (uint32_t)by) : ir_build_i64(&b, by));
}

static void rewrite(struct loop *l, uint32_t tested, const struct pair *t) {
    struct ir_value *param = l->inst->regions[0]->params[tested];
    struct ir_builder b = ir_builder_before(l->test);
    b.wasm_offset = l->test->wasm_offset;
    static const enum ir_op ops[2][2] = {{IR_I32_NE, IR_I32_EQ}, {IR_I64_NE, IR_I64_EQ}};
    struct ir_value *last = ir_build_const(&b, param->type, t->second);
    l->test->operands[0] = ir_build_simple(&b, ops[param->type == IR_I64][l->exit_when_true], param, last);
    struct pair p;
    for (uint32_t k = 0; k < l->inst->regions[0]->nparams; k++)
        if (read_pair(l, k, &p))
            step(l, k, &p);
}

static bool count_in(struct loop *l) {
    struct pair p;
    if ((l->shape != LOOP_BOTTOM_YIELD && l->shape != LOOP_BOTTOM_BREAK) || l->nback_edges != 1)
        return false;
    for (uint32_t k = 0; k < l->inst->regions[0]->nparams; k++)
        if (read_pair(l, k, &p) && turns_twice(l, l->inst->regions[0]->params[k], &p)) {
            rewrite(l, k, &p);
            return true;
        }
    return false;
}

bool prepare_count_twice(struct ir_func *f, struct pass_ctx *passes) {
    struct arena scratch = {0};
    struct loop_tree *tree = loop_tree_build(&scratch, f);
    bool changed = false;
    for (uint32_t k = 0; k < tree->nloops; k++)
        changed |= count_in(&tree->loops[k]);
    arena_free(&scratch);
    if (changed)
        opt_simplify(f, passes);
    return changed;
}
