/* Sums of values with constant factors, as loop bodies use them for addresses: `p + 4`, `base + (i << 2)`,
 * `(i << 2) | 4`.  A value that is no sum is a term of its own.  ir/analysis/affine.h does more, but only for one nest
 * at a time and with what varies in it as symbols; here two iterations are compared, whose symbols are the same values.
 */
#include "ir/offload/reroll_impl.h"

enum { MAX_DEPTH = 16 };

static uint64_t mask_of(const struct lin *a) {
    return a->wide ? UINT64_MAX : UINT32_MAX;
}

bool lin_add_value(struct lin *a, struct ir_value *v, uint64_t times) {
    for (uint32_t k = 0; k < a->n; k++)
        if (a->t[k].v == v) {
            a->t[k].coef = (a->t[k].coef + times) & mask_of(a);
            if (!a->t[k].coef)
                a->t[k] = a->t[--a->n];
            return true;
        }
    times &= mask_of(a);
    if (!times)
        return true;
    if (a->n == LIN_MAX_TERMS)
        return false;
    a->t[a->n++] = (struct lin_term){v, times};
    return true;
}

bool lin_add(struct lin *a, const struct lin *b, uint64_t times) {
    if (a->wide != b->wide)
        return false;
    a->c = (a->c + b->c * times) & mask_of(a);
    for (uint32_t k = 0; k < b->n; k++)
        if (!lin_add_value(a, b->t[k].v, b->t[k].coef * times))
            return false;
    return true;
}

uint64_t lin_take(struct lin *a, const struct ir_value *v) {
    for (uint32_t k = 0; k < a->n; k++)
        if (a->t[k].v == v) {
            uint64_t coef = a->t[k].coef;
            a->t[k] = a->t[--a->n];
            return coef;
        }
    return 0;
}

bool lin_is_zero(const struct lin *a) {
    return !a->n && !a->c;
}

bool lin_equal(const struct lin *a, const struct lin *b) {
    struct lin d = *a;
    return lin_add(&d, b, UINT64_MAX) && lin_is_zero(&d);
}

static bool divide(bool wide, uint64_t *x, uint32_t k) {
    int64_t s = wide ? (int64_t)*x : (int32_t)*x;
    if (s % (int64_t)k)
        return false;
    *x = (uint64_t)(s / (int64_t)k) & (wide ? UINT64_MAX : UINT32_MAX);
    return true;
}

bool lin_divide(struct lin *a, uint32_t k) {
    bool ok = divide(a->wide, &a->c, k);
    for (uint32_t i = 0; ok && i < a->n; i++)
        ok = divide(a->wide, &a->t[i].coef, k);
    return ok;
}

static unsigned count_branches(const struct ir_region *r, const struct ir_inst *label) {
    unsigned n = 0;
    ir_foreach_inst (i, r) {
        n += (i->op == IR_BR || i->op == IR_BR_IF) && i->target == label;
        for (uint32_t k = 0; i->op == IR_BR_TABLE && k < i->ntargets; k++)
            n += i->targets[k] == label;
        ir_foreach_region (inner, i)
            n += count_branches(inner, label);
    }
    return n;
}

/* Low bits that are 0 whatever happens. */
static unsigned low_zeros(const struct ir_value *v, unsigned depth) {
    const union ir_bits *c = ir_const_of(v);
    if (c) {
        uint64_t x = v->type == IR_I64 ? c->i64 : c->i32;
        return x ? (unsigned)__builtin_ctzll(x) : 32;
    }
    if (depth > MAX_DEPTH)
        return 0;
    if (!v->def) { /* a parameter of a loop that moves by a constant */
        const struct ir_inst *loop = v->region->parent;
        const struct ir_inst *back = loop && loop->op == IR_LOOP ? v->region->last->prev : NULL;
        if (!back || back->op != IR_BR_IF || back->target != loop || count_branches(loop->regions[0], loop) != 1)
            return 0;
        const struct ir_inst *next = back->operands[1 + v->index]->def;
        const union ir_bits *step = next && next->op == IR_I32_ADD && next->operands[0] == v && next->nresults
                                        ? ir_const_of(next->operands[1])
                                        : NULL;
        unsigned zeros = step && step->i32 ? (unsigned)__builtin_ctz(step->i32) : 0;
        unsigned init = zeros ? low_zeros(loop->operands[v->index], depth + 1) : 0;
        return init < zeros ? init : zeros;
    }
    const struct ir_inst *d = v->def;
    unsigned a, b;
    switch (d->op) {
    case IR_I32_SHL:
    case IR_I64_SHL:
        c = ir_const_of(d->operands[1]);
        return c ? (c->i32 & (d->op == IR_I32_SHL ? 31 : 63)) + low_zeros(d->operands[0], depth + 1) : 0;
    case IR_I32_ADD:
    case IR_I64_ADD:
    case IR_I32_SUB:
    case IR_I64_SUB:
    case IR_I32_OR:
    case IR_I64_OR:
        a = low_zeros(d->operands[0], depth + 1);
        b = low_zeros(d->operands[1], depth + 1);
        return a < b ? a : b;
    case IR_I32_AND:
    case IR_I64_AND:
    case IR_I32_MUL:
    case IR_I64_MUL:
        a = low_zeros(d->operands[0], depth + 1);
        b = low_zeros(d->operands[1], depth + 1);
        return a > b ? a : b;
    case IR_SELECT:
        a = low_zeros(d->operands[0], depth + 1);
        b = low_zeros(d->operands[1], depth + 1);
        return a < b ? a : b;
    case IR_IF:
        if (!d->regions[0]->last || d->regions[0]->last->op != IR_YIELD || d->regions[1]->last->op != IR_YIELD)
            return 0;
        a = low_zeros(d->regions[0]->last->operands[v->index], depth + 1);
        b = low_zeros(d->regions[1]->last->operands[v->index], depth + 1);
        return a < b ? a : b;
    default:
        return 0;
    }
}

/* Whether x has no bit at or above `bit`. */
static bool is_below(uint64_t x, unsigned bit) {
    return bit >= 64 || x >> bit == 0;
}

static bool add_value(struct lin *out, struct ir_value *v, uint64_t times, unsigned depth) {
    const struct ir_inst *d = v->def;
    const union ir_bits *c = ir_const_of(v);
    if (c) {
        out->c = (out->c + (v->type == IR_I64 ? c->i64 : c->i32) * times) & mask_of(out);
        return true;
    }
    if (!d || depth > MAX_DEPTH)
        return lin_add_value(out, v, times);
    switch (d->op) {
    case IR_I32_ADD:
    case IR_I64_ADD:
        return add_value(out, d->operands[0], times, depth + 1) && add_value(out, d->operands[1], times, depth + 1);
    case IR_I32_SUB:
    case IR_I64_SUB:
        return add_value(out, d->operands[0], times, depth + 1) && add_value(out, d->operands[1], -times, depth + 1);
    case IR_I32_MUL:
    case IR_I64_MUL:
        c = ir_const_of(d->operands[1]);
        return c ? add_value(out, d->operands[0], times * (out->wide ? c->i64 : c->i32), depth + 1)
                 : lin_add_value(out, v, times);
    case IR_I32_SHL:
    case IR_I64_SHL:
        c = ir_const_of(d->operands[1]);
        return c ? add_value(out, d->operands[0], times << (out->wide ? c->i64 & 63 : c->i32 & 31), depth + 1)
                 : lin_add_value(out, v, times);
    case IR_I32_OR:
    case IR_I64_OR:
        c = ir_const_of(d->operands[1]);
        if (c && is_below(out->wide ? c->i64 : c->i32, low_zeros(d->operands[0], 0))) {
            out->ored = true;
            out->c = (out->c + (out->wide ? c->i64 : c->i32) * times) & mask_of(out);
            return add_value(out, d->operands[0], times, depth + 1);
        }
        return lin_add_value(out, v, times);
    default:
        return lin_add_value(out, v, times);
    }
}

bool lin_of(struct ir_value *v, struct lin *out) {
    *out = (struct lin){.wide = v->type == IR_I64};
    return (v->type == IR_I32 || v->type == IR_I64) && add_value(out, v, 1, 0);
}

struct ir_value *lin_emit(struct ir_builder *b, const struct lin *a) {
    struct ir_value *sum = NULL;
    for (uint32_t k = 0; k < a->n; k++) {
        struct ir_value *term = a->t[k].v;
        if (a->t[k].coef != 1) {
            struct ir_value *coef = a->wide ? ir_build_i64(b, a->t[k].coef) : ir_build_i32(b, (uint32_t)a->t[k].coef);
            term = ir_build_simple(b, a->wide ? IR_I64_MUL : IR_I32_MUL, term, coef);
        }
        sum = sum ? ir_build_simple(b, a->wide ? IR_I64_ADD : IR_I32_ADD, sum, term) : term;
    }
    if (sum && !a->c)
        return sum;
    struct ir_value *c = a->wide ? ir_build_i64(b, a->c) : ir_build_i32(b, (uint32_t)a->c);
    return sum ? ir_build_simple(b, a->wide ? IR_I64_ADD : IR_I32_ADD, sum, c) : c;
}
