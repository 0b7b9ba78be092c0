/* Folding: constants, algebraic identities (fold_algebra.c), and branches whose condition is known or simpler than
 * written.
 *
 * One forward walk.  A folded operation is replaced through `fwd`, so that operations behind it see the new operand at
 * once; what it leaves unused is for dce.  New operations are visited themselves before the walk goes on, which lets
 * rules chain without another round:
 *
 *     %1 = i32.lt_s %n, %c1              %2 = i32.ge_s %n, %c1
 *     %2 = i32.eqz %1             =>     if %2 {
 *     br_if / if %2 ... */
#include <math.h>

#include "ir/ir_effects.h"
#include "ir/ir_eval.h"
#include "ir/ir_eval_simd.h"
#include "ir/opt/fold_impl.h"
#include "ir/opt/pass.h"
#include "ir/util/ice.h"

static bool is_nan(enum ir_type type, union ir_bits v) {
    return (type == IR_F32 && isnan(v.f32)) || (type == IR_F64 && isnan(v.f64)) ||
           (type == IR_V128 && ir_eval_has_nan_lane(v));
}

static bool is_evaluated(const struct ir_inst *i) {
    return ir_info(i)->kind == IR_KIND_SIMPLE || ir_info(i)->kind == IR_KIND_LANES;
}

/* The constant result of an operation on constants, NULL when there is none.  Arithmetic that makes a NaN stays:
 * its payload is the target's affair. */
static struct ir_value *fold_constants(struct ir_builder *b, const struct ir_inst *i) {
    if (!is_evaluated(i))
        return NULL;
    union ir_bits operands[3], result;
    for (uint32_t k = 0; k < i->noperands; k++) {
        const union ir_bits *c = ir_const_of(i->operands[k]);
        if (!c)
            return NULL;
        operands[k] = *c;
    }
    if (ir_info(i)->kind == IR_KIND_LANES)
        ir_eval_lanes((enum ir_op)i->op, i->bits, operands, &result);
    else if (ir_eval_simple((enum ir_op)i->op, operands, &result))
        return NULL;
    enum ir_type type = ir_info(i)->result;
    if (is_nan(type, result) && !ir_has_flag(i, IR_FLAG_BITWISE))
        return NULL;
    return ir_build_const(b, type, result);
}

static void become_branch(struct ir_inst *i, struct ir_inst *target, struct ir_value *const *args, uint32_t n) {
    i->op = IR_BR;
    i->target = target;
    i->ntargets = 1;
    ir_inst_set_operands(i, args, n);
}

/* Returns true when changed; the instruction may be gone (br_if that never branches). */
static bool fold_br_if(struct ir_inst *i) {
    const union ir_bits *c = ir_const_of(i->operands[0]);
    if (c && !c->i32) {
        ir_inst_remove(i);
        return true;
    }
    if (c) {
        become_branch(i, i->target, i->operands + 1, i->noperands - 1);
        ir_cut_after(i);
        return true;
    }
    bool negate = false;
    struct ir_builder b = ir_builder_before(i);
    struct ir_value *plain = fold_condition(i->operands[0], &negate), *left = fold_what_is_left(&b, plain);
    if (left) {
        i->operands[0] = negate ? fold_negate(&b, left) : left;
        return true;
    }
    if (plain == i->operands[0] || negate)
        return false;
    i->operands[0] = plain;
    return true;
}

static bool fold_br_table(struct ir_inst *i) {
    const union ir_bits *c = ir_const_of(i->operands[0]);
    bool same = true;
    for (uint32_t k = 1; k < i->ntargets; k++)
        same &= i->targets[k] == i->targets[0];
    uint32_t arity = ir_label_arity(i->targets[0]);
    for (uint32_t k = arity; same && k + 1 < i->noperands; k++)
        same = i->operands[1 + k] == i->operands[1 + k % arity];
    if (!c && !same)
        return false;
    uint32_t pick = c && c->i32 < i->ntargets ? c->i32 : i->ntargets - 1, at = 1;
    for (uint32_t k = 0; k < pick; k++)
        at += ir_label_arity(i->targets[k]);
    struct ir_inst *target = i->targets[pick];
    become_branch(i, target, i->operands + at, ir_label_arity(target));
    return true;
}

static bool is_trivial(const struct ir_region *r) {
    return r->first == r->last && ir_falls_out(r);
}

/* Constant conditions make a block of the region that runs.  The region that does something comes first, and `eqz` is
 * peeled off by exchanging two that both do. */
static bool fold_if(struct ir_builder *b, struct ir_inst *i) {
    const union ir_bits *c = ir_const_of(i->operands[0]);
    if (c) {
        i->op = IR_BLOCK;
        i->regions[0] = i->regions[c->i32 ? 0 : 1];
        i->regions[1] = NULL;
        ir_inst_set_operands(i, NULL, 0);
        return true;
    }
    bool negate = false, then_trivial = is_trivial(i->regions[0]), else_trivial = is_trivial(i->regions[1]);
    struct ir_value *cond = i->operands[0], *plain = fold_condition(cond, &negate);
    bool swap = then_trivial && !else_trivial;
    if (negate && then_trivial == else_trivial)
        swap = true;
    if (swap) {
        struct ir_region *then = i->regions[0];
        i->regions[0] = i->regions[1];
        i->regions[1] = then;
        i->operands[0] = negate ? plain : fold_negate(b, plain);
        return true;
    }
    if (negate || plain == cond)
        return false;
    i->operands[0] = plain;
    return true;
}

static bool fold_one(struct ir_builder *b, struct ir_inst *i, bool *gone) {
    *gone = false;
    switch (i->op) {
    case IR_BR_IF: {
        struct ir_region *r = i->parent;
        bool changed = fold_br_if(i);
        *gone = changed && i->parent != r;
        return changed;
    }
    case IR_BR_TABLE:
        return fold_br_table(i);
    case IR_IF:
        return fold_if(b, i);
    default:
        break;
    }
    if (i->nresults != 1 || (!is_evaluated(i) && i->op != IR_SELECT))
        return false;
    bool changed = false;
    struct ir_value *v = fold_constants(b, i);
    if (!v)
        v = fold_algebra(b, i, &changed);
    if (!v)
        return changed;
    ICE_UNLESS(v != &i->results[0] && v->type == i->results[0].type);
    i->results[0].fwd = v;
    ir_inst_remove(i);
    *gone = true;
    return true;
}

static bool walk(struct ir_region *r) {
    bool changed = false;
    for (struct ir_inst *i = r->first; i;) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        /* What gets built goes before `i`, behind `prev`, and is visited next. */
        struct ir_inst *prev = i->prev, *next = i->next;
        struct ir_builder b = ir_builder_before(i);
        bool gone, folded = fold_one(&b, i, &gone);
        changed |= folded;
        if (folded) {
            struct ir_inst *again = prev ? prev->next : r->first;
            if (gone || again != i) {
                i = again ? again : next;
                continue;
            }
        }
        ir_foreach_region (sub, i)
            changed |= walk(sub);
        i = i->next;
    }
    return changed;
}

bool opt_fold(struct ir_func *f, struct pass_ctx *cx) {
    (void)cx;
    return walk(f->body);
}
