/* Inner loops whose trip count differs between iterations of the loops around them: triangles, trapezoids, bands.
 *
 * The kernel runs such a loop exactly as wasm had it.  Only the guard has to know what it may touch;
 * runtime/guard_hull.c says what it makes of init and bound, which come to it as ranges.  One question needs the code
 * around the loop:
 *
 *     block { br_if (i == 0) out          for (j = 0; j < i; j++), tested at the bottom by j + 1 != i
 *       loop { ... br_if (j + 1 != i) } }
 *
 * For i = 0 the count would be 2^32; the branch in front says that this does not happen.
 */
#include "ir/offload/plan_internal.h"

/* Every symbol of `a` has one value during one run of `l`: known before the nest, of a loop around `l`, or one value
 * computed before it. */
static bool stands_still(struct plan *p, const struct aff *a, const struct loop *l) {
    for (uint32_t t = 0; t < a->nterms; t++)
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            const struct aff_sym *s = aff_sym(p->aff, a->terms[t].syms[d]);
            bool fine = s->kind == AFF_VALUE || s->kind == AFF_RANGE ||
                        (s->kind == AFF_ITER && s->loop != l && loop_contains_inst(s->loop, l->inst));
            if (!fine)
                return false;
        }
    return true;
}

/* Whether `nonzero` is a whole multiple of `f` (so that f is not zero either). */
static bool is_multiple(struct plan *p, const struct aff *nonzero, const struct aff *f) {
    if (!nonzero || nonzero->bits != f->bits || nonzero->nterms != f->nterms || !f->nterms)
        return false;
    int32_t by = (int32_t)f->terms[0].coef, value = (int32_t)nonzero->terms[0].coef;
    if (!by || by == INT32_MIN || value % by)
        return false;
    return aff_equal(nonzero, aff_scale(p->aff, f, (uint64_t)(int64_t)(value / by)));
}

/* Whether a condition that holds when `l` is entered says that `f` is not zero. */
static bool known_nonzero(struct plan *p, const struct loop *l, const struct aff *f) {
    for (const struct ir_inst *at = l->inst; at != p->root->inst; at = at->parent->parent) {
        for (const struct ir_inst *b = at->prev; b; b = b->prev)
            if (b->op == IR_BR_IF && is_multiple(p, aff_nonzero_when(p->aff, b->operands[0], false), f))
                return true;
        const struct ir_inst *around = at->parent->parent;
        if (around->op == IR_IF &&
            is_multiple(p, aff_nonzero_when(p->aff, around->operands[0], at->parent == around->regions[0]), f))
            return true;
    }
    return false;
}

/* The same for f = c * (x >> m), as the number of rounds of an unrolled loop comes: `cond` says that x - d >= least,
 * and least + d >= 2^m.  *out_range: the range of x - d, which must have no negative value; -1: no matter. */
static bool rounds_nonzero(struct plan *p, struct ir_value *cond, bool is_true, const struct aff *x, unsigned m,
                           int *out_range) {
    struct aff_at_least al;
    uint64_t d;
    if (!aff_at_least_when(p->aff, cond, is_true, &al) || al.expr->bits != 32 || al.least > INT32_MAX ||
        !aff_is_const(aff_sub(p->aff, x, al.expr), &d) || d > INT32_MAX || al.least + d < UINT64_C(1) << m)
        return false;
    *out_range = al.is_signed || !d ? -1 : plan_range_of_expr(p, al.expr);
    return al.is_signed || !d || (*out_range >= 0 && p->ranges[*out_range].op == OFF_RANGE_AFFINE);
}

/* What off_dim.entered is to be for a loop over the rounds of an unrolled one. */
static uint32_t rounds_entered(struct plan *p, const struct loop *l, const struct aff *f) {
    if (f->nterms != 1 || f->terms[0].degree != 1)
        return 0;
    const struct aff_sym *s = aff_sym(p->aff, f->terms[0].syms[0]);
    unsigned m = s->kind == AFF_RANGE ? aff_multiple_of(s->value) : 0;
    const struct aff *x = m ? aff_of(p->aff, s->value->def->operands[0]) : NULL;
    int range;
    if (!x || !stands_still(p, x, l))
        return 0;
    for (const struct ir_inst *at = l->inst; at != p->root->inst; at = at->parent->parent) {
        for (const struct ir_inst *b = at->prev; b; b = b->prev)
            if (b->op == IR_BR_IF && rounds_nonzero(p, b->operands[0], false, x, m, &range))
                return range < 0 ? 1 : 2 + (uint32_t)range;
        const struct ir_inst *around = at->parent->parent;
        if (around->op == IR_IF &&
            rounds_nonzero(p, around->operands[0], at->parent == around->regions[0], x, m, &range))
            return range < 0 ? 1 : 2 + (uint32_t)range;
    }
    return 0;
}

/* Whether the number, as far as one knows, may be anything: a count that was loaded, with some bits masked. */
static bool is_anything(struct plan *p, const struct aff *a) {
    for (uint32_t t = 0; t < a->nterms; t++)
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            const struct aff_sym *s = aff_sym(p->aff, a->terms[t].syms[d]);
            struct aff_range r;
            if (s->kind == AFF_RANGE && aff_range_of(p->aff, s->value, &r) && r.op == OFF_RANGE_CONST &&
                ((int64_t)r.hi - r.lo) >> s->which >= PLAN_WIDE_RANGE)
                return true;
        }
    return false;
}

bool plan_vary(struct plan *p, struct loop *l, struct off_dim *out) {
    struct aff_trip t;
    if (!aff_trip_of(p->aff, l, &t) || t.bits != 32 || !aff_is_invariant(p->aff, t.step) ||
        (aff_is_invariant(p->aff, t.init) && aff_is_invariant(p->aff, t.bound)) || is_anything(p, t.init) ||
        is_anything(p, t.bound))
        return false;
    enum off_reject before = p->reject;
    int init = plan_range_of_expr(p, t.init), bound = init < 0 ? -1 : plan_range_of_expr(p, t.bound);
    uint32_t step;
    if (bound < 0 || !plan_expr_slot(p, t.step, &step)) {
        p->reject = before;
        return false;
    }
    bool linear = p->ranges[init].op == OFF_RANGE_AFFINE && p->ranges[bound].op == OFF_RANGE_AFFINE;
    if (t.rel == OFF_TRIP_NE && !linear)
        return false;
    *out = (struct off_dim){.varying = true,
                            .rel = (enum off_trip_rel)t.rel,
                            .top_tested = t.top_tested,
                            .step_slot = step,
                            .init_range = (uint32_t)init,
                            .bound_range = (uint32_t)bound};
    if (t.rel == OFF_TRIP_NE && !t.top_tested) {
        const struct aff *f = aff_add(p->aff, aff_sub(p->aff, t.bound, t.init), t.step);
        if (f && stands_still(p, f, l))
            out->entered = known_nonzero(p, l, f) ? 1 : rounds_entered(p, l, f);
    }
    return true;
}
