/* Shifts to the right: rounding down, which no polynomial modulo 2^32 can say by itself.
 *
 *     for (y = 0; y < h; y += 2) { ... u + (y >> 1) * pitch ... }         y is 2 k, y >> 1 is k
 *
 * The counter of a loop that ends by an ordered test never wraps: the guard refuses the launch otherwise.  So where the
 * step is a multiple of 2^n, (init + k * step) >> n is (init >> n) + k * (step >> n) as it is among integers.  Shifts
 * of other sums have a range of values, found at launch (aff_range_of).
 */
#include "ir/analysis/affine_internal.h"

enum { SMALL_START = 1 << 24, LARGE_FACTOR = 1 << 20 };

/* The loop whose iteration number is all that varies in `a`; NULL when there is none, or more. */
static struct loop *only_loop(const struct aff_ctx *cx, const struct aff *a) {
    struct loop *l = NULL;
    for (uint32_t t = 0; t < a->nterms; t++)
        for (uint32_t k = 0; k < a->terms[t].degree; k++) {
            const struct aff_sym *s = aff_sym(cx, a->terms[t].syms[k]);
            if (s->kind == AFF_VALUE && !loop_contains_value(cx->root, s->value))
                continue;
            if (s->kind != AFF_ITER || (l && l != s->loop))
                return NULL;
            l = s->loop;
        }
    return l;
}

const struct aff *aff_shifted_counter(struct aff_ctx *cx, struct ir_inst *i) {
    const union ir_bits *by = ir_const_of(i->operands[1]);
    const struct aff *a = by ? aff_of(cx, i->operands[0]) : NULL;
    struct loop *l = a ? only_loop(cx, a) : NULL;
    struct aff_trip trip;
    const struct aff *coef, *rest;
    uint64_t step, start, c;
    unsigned n = by ? by->i32 & 31 : 0;
    if (!l || a->bits != 32 || !loop_contains_inst(l, i) || !aff_trip_of(cx, l, &trip) || trip.bits != 32 ||
        (trip.rel != OFF_TRIP_LT_S && trip.rel != OFF_TRIP_LE_S) || !aff_is_const(trip.step, &step) ||
        step > SMALL_START || step & ((UINT64_C(1) << n) - 1))
        return NULL;
    /* `a` is the number that is tested, or, where the test comes last, the one a step before. */
    if (!aff_split(cx, a, (uint32_t)aff_iter_sym(cx, l), &coef, &rest) || !aff_is_const(coef, &c) || c != step ||
        !aff_is_const(rest, &start) || start > SMALL_START)
        return NULL;
    const struct aff *ahead = aff_sub(cx, trip.init, rest);
    if (!ahead || !aff_is_const(ahead, &c) || (c != 0 && (trip.top_tested || c != step)))
        return NULL;
    const struct aff *iter = aff_symbol_expr(cx, 32, (struct aff_sym){.kind = AFF_ITER, .loop = l});
    cx->counter_must_not_wrap = true;
    return aff_add(cx, aff_const(cx, 32, start >> n), aff_scale(cx, iter, step >> n));
}

bool aff_counts_slowly(const struct aff *a) {
    for (uint32_t t = 0; t < a->nterms; t++) {
        int64_t c = (int32_t)(uint32_t)a->terms[t].coef;
        if (a->terms[t].degree && (c > LARGE_FACTOR || c < -LARGE_FACTOR))
            return false;
    }
    return true;
}

/* ---- values that are computed alike ---- */

/* The innermost loop in which a symbol may change; NULL: it does not. */
static const struct loop *home_of(const struct aff_ctx *cx, const struct aff_sym *s) {
    if (s->kind == AFF_ITER)
        return s->loop;
    const struct ir_region *r = s->kind == AFF_CHOICE ? s->merge->parent
                                : s->value->def       ? s->value->def->parent
                                                      : s->value->region;
    while (r && r->parent && r->parent->op != IR_LOOP)
        r = r->parent->parent;
    return r && r->parent && r->parent->label >= cx->root->seq && r->parent->label <= cx->root->seq_end
               ? r->parent->note
               : NULL;
}

/* Whether both operands are the same number whenever both instructions run in the same iterations.  A symbol of a loop
 * that one of them stands behind means its last iteration there and any iteration inside, so such do not count. */
static bool alike(struct aff_ctx *cx, struct ir_value *x, struct ir_value *y, const struct ir_inst *i,
                  const struct ir_inst *k) {
    const struct aff *a = aff_of(cx, x), *b = a ? aff_of(cx, y) : NULL;
    if (!b || !aff_equal(a, b))
        return false;
    for (uint32_t t = 0; t < a->nterms; t++)
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            const struct loop *home = home_of(cx, aff_sym(cx, a->terms[t].syms[d]));
            if (home && (!loop_contains_inst(home, i) || !loop_contains_inst(home, k)))
                return false;
        }
    return true;
}

static bool computed_alike(struct aff_ctx *cx, struct ir_value *v, struct ir_value *w) {
    struct ir_inst *i = v->def, *k = w->def;
    struct aff_range r, s;
    if (!i || !k || i->op != k->op || i->noperands != k->noperands)
        return false;
    if (i->op == IR_SELECT) { /* a minimum or maximum, by whichever comparison */
        struct ir_inst *c = i->operands[2]->def, *e = k->operands[2]->def;
        return c && e && aff_range_of(cx, v, &r) && aff_range_of(cx, w, &s) && r.op == s.op &&
               r.op >= OFF_RANGE_MIN_S && r.op <= OFF_RANGE_MAX_U && alike(cx, i->operands[0], k->operands[0], i, k) &&
               alike(cx, i->operands[1], k->operands[1], i, k);
    }
    return (i->op == IR_I32_AND || i->op == IR_I32_SHR_U || i->op == IR_I32_SHR_S) &&
           alike(cx, i->operands[0], k->operands[0], i, k) && alike(cx, i->operands[1], k->operands[1], i, k);
}

const struct aff *aff_range_symbol(struct aff_ctx *cx, struct ir_value *v, uint32_t which) {
    for (uint32_t s = 0; s < cx->nsyms; s++)
        if (cx->syms[s].kind == AFF_RANGE && cx->syms[s].which == which &&
            (cx->syms[s].value == v || computed_alike(cx, cx->syms[s].value, v))) {
            struct aff_sym same = cx->syms[s];
            return aff_symbol_expr(cx, 32, same);
        }
    return aff_symbol_expr(cx, 32, (struct aff_sym){.kind = AFF_RANGE, .value = v, .which = which});
}
