/* Comparisons: how often a loop turns, and what a condition says about the numbers that it compares. */
#include "ir/analysis/affine_internal.h"

/* ---- comparisons ---- */

#define COMPARISONS(T)                                                                           \
    {IR_##T##_NE, OFF_TRIP_NE, AFF_EQ, OFF_TRIP_NE}, {IR_##T##_EQ, AFF_EQ, OFF_TRIP_NE, AFF_EQ}, \
        {IR_##T##_LT_S, OFF_TRIP_LT_S, OFF_TRIP_GE_S, OFF_TRIP_GT_S},                            \
        {IR_##T##_LT_U, OFF_TRIP_LT_U, OFF_TRIP_GE_U, OFF_TRIP_GT_U},                            \
        {IR_##T##_LE_S, OFF_TRIP_LE_S, OFF_TRIP_GT_S, OFF_TRIP_GE_S},                            \
        {IR_##T##_LE_U, OFF_TRIP_LE_U, OFF_TRIP_GT_U, OFF_TRIP_GE_U},                            \
        {IR_##T##_GT_S, OFF_TRIP_GT_S, OFF_TRIP_LE_S, OFF_TRIP_LT_S},                            \
        {IR_##T##_GT_U, OFF_TRIP_GT_U, OFF_TRIP_LE_U, OFF_TRIP_LT_U},                            \
        {IR_##T##_GE_S, OFF_TRIP_GE_S, OFF_TRIP_LT_S, OFF_TRIP_LE_S}, {                          \
        IR_##T##_GE_U, OFF_TRIP_GE_U, OFF_TRIP_LT_U, OFF_TRIP_LE_U                               \
    }

static const struct aff_comparison comparisons[] = {COMPARISONS(I32), COMPARISONS(I64)};

const struct aff_comparison *aff_find_comparison(unsigned op) {
    for (uint32_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++)
        if (comparisons[i].op == op)
            return &comparisons[i];
    return NULL;
}

static uint8_t swap_rel(uint8_t rel) {
    for (uint32_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++)
        if (comparisons[i].rel == rel)
            return comparisons[i].swapped;
    return rel;
}

/* ---- trip counts ---- */

bool aff_trip_of(struct aff_ctx *cx, struct loop *l, struct aff_trip *out) {
    if (l->shape == LOOP_OTHER)
        return false;
    struct ir_value *cond = l->test->operands[0];
    bool negate = l->exit_when_true; /* we want the condition to continue */
    const struct aff_comparison *c = NULL;
    const struct aff *a, *b;
    for (;;) {
        struct ir_inst *d = cond->def;
        if (d && (d->op == IR_I32_EQZ || d->op == IR_I64_EQZ)) {
            negate = !negate;
            cond = d->operands[0];
            continue;
        }
        c = d ? aff_find_comparison(d->op) : NULL;
        break;
    }
    if (c) {
        a = aff_of(cx, cond->def->operands[0]);
        b = aff_of(cx, cond->def->operands[1]);
    } else { /* the value itself: continue while it is not zero */
        c = aff_find_comparison(IR_I32_NE);
        a = aff_of(cx, cond);
        b = aff_const(cx, aff_bits_of(cond), 0);
    }
    if (!a || !b)
        return false;
    uint8_t rel = negate ? c->negated : c->rel;
    int iter = aff_iter_sym(cx, l);
    if (iter < 0 || rel == AFF_EQ)
        return false;
    if (rel == OFF_TRIP_NE) {
        a = aff_sub(cx, a, b);
        b = aff_const(cx, b->bits, 0);
    } else if (!aff_has_sym(a, (uint32_t)iter)) {
        const struct aff *t = a;
        a = b;
        b = t;
        rel = swap_rel(rel);
    }
    if (!a || aff_has_sym(b, (uint32_t)iter) || !aff_has_sym(a, (uint32_t)iter))
        return false;
    *out = (struct aff_trip){
        .rel = rel, .bits = a->bits, .top_tested = l->shape == LOOP_TOP_BREAK || l->shape == LOOP_TOP_IF, .bound = b};
    return aff_split(cx, a, (uint32_t)iter, &out->step, &out->init) && aff_fixed_in_loop(cx, out->step, l) &&
           aff_fixed_in_loop(cx, out->init, l) && aff_fixed_in_loop(cx, b, l);
}

/* `a REL b` as something that is not zero.  A bound that the comparison includes is moved by one where it is a constant
 * that allows this: a >= 1 says that a is not 0. */
static const struct aff *nonzero_of(struct aff_ctx *cx, const struct aff *a, uint8_t rel, const struct aff *b) {
    uint64_t c, limit;
    const struct aff *difference = aff_sub(cx, a, b);
    uint64_t sign = (aff_mask_of(a->bits) >> 1) + 1;
    switch (rel) {
    case OFF_TRIP_NE:
    case OFF_TRIP_LT_S:
    case OFF_TRIP_LT_U:
    case OFF_TRIP_GT_S:
    case OFF_TRIP_GT_U:
        return difference;
    case OFF_TRIP_LE_S:
    case OFF_TRIP_LE_U:
        limit = rel == OFF_TRIP_LE_S ? sign - 1 : aff_mask_of(a->bits);
        return aff_is_const(b, &c) && c != limit ? aff_sub(cx, difference, aff_const(cx, a->bits, 1)) : NULL;
    case OFF_TRIP_GE_S:
    case OFF_TRIP_GE_U:
        limit = rel == OFF_TRIP_GE_S ? sign : 0;
        return aff_is_const(b, &c) && c != limit ? aff_add(cx, difference, aff_const(cx, a->bits, 1)) : NULL;
    default:
        return NULL;
    }
}

/* `cond` as *out_a REL *out_b, a constant being on the right; AFF_EQ: nothing useful. */
static uint8_t read_condition(struct aff_ctx *cx, struct ir_value *cond, bool is_true, const struct aff **out_a,
                              const struct aff **out_b) {
    struct ir_inst *d = cond->def;
    while (d && (d->op == IR_I32_EQZ || d->op == IR_I64_EQZ)) {
        is_true = !is_true;
        cond = d->operands[0];
        d = cond->def;
    }
    const struct aff_comparison *c = d ? aff_find_comparison(d->op) : NULL;
    if (!c) {
        *out_a = aff_of(cx, cond);
        *out_b = aff_const(cx, aff_bits_of(cond), 0);
        return is_true && *out_a ? OFF_TRIP_NE : AFF_EQ;
    }
    *out_a = aff_of(cx, d->operands[0]);
    *out_b = *out_a ? aff_of(cx, d->operands[1]) : NULL;
    uint8_t rel = is_true ? c->rel : c->negated;
    uint64_t constant;
    if (!*out_b || rel == AFF_EQ || !aff_is_const(*out_a, &constant))
        return *out_b ? rel : AFF_EQ;
    const struct aff *a = *out_a;
    *out_a = *out_b;
    *out_b = a;
    return swap_rel(rel);
}

const struct aff *aff_nonzero_when(struct aff_ctx *cx, struct ir_value *cond, bool is_true) {
    const struct aff *a, *b;
    uint8_t rel = read_condition(cx, cond, is_true, &a, &b);
    return rel == AFF_EQ ? NULL : nonzero_of(cx, a, rel, b);
}

bool aff_at_least_when(struct aff_ctx *cx, struct ir_value *cond, bool is_true, struct aff_at_least *out) {
    const struct aff *a, *b;
    uint8_t rel = read_condition(cx, cond, is_true, &a, &b);
    if (rel == OFF_TRIP_NE) { /* not zero: at least 1, as an unsigned number */
        *out = (struct aff_at_least){.expr = aff_sub(cx, a, b), .least = 1};
        return out->expr != NULL;
    }
    bool more = rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GT_U;
    if ((!more && rel != OFF_TRIP_GE_S && rel != OFF_TRIP_GE_U) || !aff_is_const(b, &out->least))
        return false;
    out->expr = a;
    out->is_signed = rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GE_S;
    if (more && out->least == (out->is_signed ? aff_mask_of(a->bits) >> 1 : aff_mask_of(a->bits)))
        return false;
    out->least += more;
    return true;
}

/* Whether `cond` being true (or false) says that high >= low. */
static bool says_in_order(struct aff_ctx *cx, struct ir_value *cond, bool is_true, const struct aff *high,
                          const struct aff *low, bool is_signed) {
    struct aff_at_least al;
    uint64_t c;
    if (cond->type != IR_I32)
        return false;
    if (aff_is_const(low, &c) && aff_at_least_when(cx, cond, is_true, &al) && al.expr->bits == high->bits &&
        aff_taken_as_equal(cx, al.expr, high)) {
        uint64_t sign = al.is_signed ? (aff_mask_of(low->bits) >> 1) + 1 : 0;
        return al.is_signed == is_signed && (al.least ^ sign) >= (c ^ sign);
    }
    const struct aff *a, *b;
    uint8_t rel = read_condition(cx, cond, is_true, &a, &b);
    if (rel == AFF_EQ || a->bits != high->bits)
        return false;
    if (rel == (is_signed ? OFF_TRIP_GT_S : OFF_TRIP_GT_U) || rel == (is_signed ? OFF_TRIP_GE_S : OFF_TRIP_GE_U)) {
        const struct aff *t = a;
        a = b;
        b = t;
        rel = swap_rel(rel);
    }
    if (!aff_taken_as_equal(cx, b, high))
        return false;
    if (rel == (is_signed ? OFF_TRIP_LT_S : OFF_TRIP_LT_U)) { /* a + 1 <= high */
        const struct aff *next = aff_add(cx, a, aff_const(cx, a->bits, 1));
        return aff_equal(a, low) || (next && aff_equal(next, low));
    }
    return rel == (is_signed ? OFF_TRIP_LE_S : OFF_TRIP_LE_U) && aff_equal(a, low);
}

/* Whether the way to `l` leads through a test that says that high >= low. */
static bool entered_in_order(struct aff_ctx *cx, const struct loop *l, const struct aff *high, const struct aff *low,
                             bool is_signed) {
    for (const struct ir_inst *at = l->inst; at->parent->parent; at = at->parent->parent) {
        for (const struct ir_inst *b = at->prev; b; b = b->prev)
            if (b->op == IR_BR_IF && says_in_order(cx, b->operands[0], false, high, low, is_signed))
                return true;
        const struct ir_inst *around = at->parent->parent;
        if (around->op == IR_IF &&
            says_in_order(cx, around->operands[0], at->parent == around->regions[0], high, low, is_signed))
            return true;
    }
    return false;
}

/* The number of the last test of a loop that counts by one up to `<` or down to `>` its bound: bound - init or init -
 * bound, where a test in front of the loop says that it does not start beyond the bound.  Else NULL. */
static const struct aff *tests_by_one(struct aff_ctx *cx, const struct loop *l, const struct aff_trip *t) {
    uint64_t step;
    bool is_signed = t->rel == OFF_TRIP_LT_S || t->rel == OFF_TRIP_GT_S;
    bool up = t->rel == OFF_TRIP_LT_S || t->rel == OFF_TRIP_LT_U;
    bool down = t->rel == OFF_TRIP_GT_S || t->rel == OFF_TRIP_GT_U;
    if ((!up && !down) || !aff_is_const(t->step, &step) || step != (up ? 1 : aff_mask_of(t->bits)))
        return NULL;
    const struct aff *high = up ? t->bound : t->init, *low = up ? t->init : t->bound;
    return entered_in_order(cx, l, high, low, is_signed) ? aff_sub(cx, high, low) : NULL;
}

const struct aff *aff_at_exit(struct aff_ctx *cx, struct loop *l, const struct aff *a) {
    int iter = aff_iter_sym(cx, l);
    if (iter < 0 || !aff_has_sym(a, (uint32_t)iter))
        return a;
    bool top = l->shape == LOOP_TOP_BREAK || l->shape == LOOP_TOP_IF;
    struct aff_trip trip;
    const struct aff *coef, *rest;
    uint64_t step, c;
    /* At the exit of a `!=` loop init + k * step == bound, so k * c == (bound - init) * (c / step) where step divides
     * c. With a zero-trip loop excluded or not, this holds whenever the exit is taken. */
    if (!aff_split(cx, a, (uint32_t)iter, &coef, &rest))
        return NULL;
    if (!aff_trip_of(cx, l, &trip) || trip.bits < a->bits)
        return top ? NULL : a;
    const struct aff *distance = aff_sub(cx, trip.bound, trip.init);
    if (trip.bits > a->bits) /* a 64-bit counter beside 32-bit addresses: what holds modulo 2^64 holds modulo 2^32 */
        distance = aff_truncated(cx, distance);
    if (trip.rel == OFF_TRIP_NE && aff_is_const(trip.step, &step) && step) {
        int64_t s = trip.bits == 32 ? (int32_t)step : (int64_t)step;
        if (aff_is_const(coef, &c)) {
            int64_t k = a->bits == 32 ? (int32_t)c : (int64_t)c;
            if (s == -1) /* the least number has no quotient by it */
                return aff_add(cx, rest, aff_scale(cx, distance, 0 - (uint64_t)k));
            if (s != INT64_MIN && k % s == 0)
                return aff_add(cx, rest, aff_scale(cx, distance, (uint64_t)(k / s)));
        } else if (s == 1 || s == -1) {
            return aff_add(cx, rest, aff_mul(cx, coef, aff_scale(cx, distance, (uint64_t)s)));
        }
    }
    const struct aff *k = tests_by_one(cx, l, &trip);
    if (k && k->bits > a->bits)
        k = aff_truncated(cx, k);
    const struct aff *at_exit = k ? aff_add(cx, rest, aff_mul(cx, coef, k)) : NULL;
    if (at_exit)
        return at_exit;
    return top ? NULL : a; /* bottom-tested: the last iteration is one of them */
}
