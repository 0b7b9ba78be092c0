/* Whether a sum of values inside a nest is always 0.
 *
 * An unrolled loop walks a pointer that the loop around it moves by `width << 3`; the left-over iteration computes
 * `base + ((y * width + x) << 3)`.  The polynomials of affine.h say what both are in terms of the iteration number, but
 * take `width << 3` and `width` for two unrelated numbers, since both are known before the nest.  Here products are
 * multiplied out with such numbers as sums. */
#include "ir/offload/reroll_impl.h"

enum { MAX_PRODUCTS = 96, MAX_FACTORS = 2 * AFF_MAX_DEGREE };

struct product {
    uint64_t coef;
    uint32_t n;
    const void *factors[MAX_FACTORS]; /* values and symbols, by address */
};

struct products {
    struct product p[MAX_PRODUCTS];
    uint32_t n;
};

static bool add_factor(struct product *p, const void *factor) {
    if (p->n == MAX_FACTORS)
        return false;
    uint32_t k = p->n++;
    for (; k && (uintptr_t)p->factors[k - 1] > (uintptr_t)factor; k--)
        p->factors[k] = p->factors[k - 1];
    p->factors[k] = factor;
    return true;
}

static bool same_factors(const struct product *a, const struct product *b) {
    bool same = a->n == b->n;
    for (uint32_t k = 0; k < a->n && same; k++)
        same = a->factors[k] == b->factors[k];
    return same;
}

static bool add_product(struct products *all, const struct product *p) {
    for (uint32_t k = 0; k < all->n; k++)
        if (same_factors(&all->p[k], p)) {
            all->p[k].coef += p->coef;
            return true;
        }
    if (all->n == MAX_PRODUCTS)
        return false;
    all->p[all->n++] = *p;
    return true;
}

/* Values known before the nest, by which a product is still to be multiplied. */
struct pending {
    struct ir_value *v[MAX_FACTORS];
    uint32_t n;
};

static bool multiply_out(struct products *all, struct aff_ctx *cx, const struct aff_term *t, uint32_t at,
                         const struct product *so_far, struct pending left);

static bool is_product(const struct ir_value *v) {
    return v->def && (v->def->op == IR_I32_MUL || v->def->op == IR_I64_MUL);
}

/* Multiplies by the last value left, which is a sum, of products perhaps. */
static bool multiply_value(struct products *all, struct aff_ctx *cx, const struct aff_term *t, uint32_t at,
                           const struct product *so_far, struct pending left) {
    struct ir_value *v = left.v[--left.n];
    struct lin sum;
    if (!lin_of(v, &sum)) {
        struct product p = *so_far;
        return add_factor(&p, v) && multiply_out(all, cx, t, at, &p, left);
    }
    for (uint32_t k = 0; k <= sum.n; k++) {
        struct product p = *so_far;
        struct pending then = left;
        p.coef *= k < sum.n ? sum.t[k].coef : sum.c;
        if (!p.coef)
            continue;
        if (k < sum.n && is_product(sum.t[k].v)) {
            if (then.n + 2 > MAX_FACTORS)
                return false;
            then.v[then.n++] = sum.t[k].v->def->operands[0];
            then.v[then.n++] = sum.t[k].v->def->operands[1];
        } else if (k < sum.n && !add_factor(&p, sum.t[k].v)) {
            return false;
        }
        if (!multiply_out(all, cx, t, at, &p, then))
            return false;
    }
    return true;
}

/* Adds `so_far` times what is left times the factors of the term from `at` on. */
static bool multiply_out(struct products *all, struct aff_ctx *cx, const struct aff_term *t, uint32_t at,
                         const struct product *so_far, struct pending left) {
    if (left.n)
        return multiply_value(all, cx, t, at, so_far, left);
    if (at == t->degree)
        return add_product(all, so_far);
    const struct aff_sym *s = aff_sym(cx, t->syms[at]);
    if (s->kind == AFF_VALUE) {
        left.v[left.n++] = s->value;
        return multiply_value(all, cx, t, at + 1, so_far, left);
    }
    struct product p = *so_far;
    return add_factor(&p, s) && multiply_out(all, cx, t, at + 1, &p, left);
}

bool reroll_is_zero(struct aff_ctx *cx, const struct lin *d) {
    unsigned bits = d->wide ? 64 : 32;
    const struct aff *sum = aff_const(cx, bits, d->c);
    for (uint32_t k = 0; k < d->n && sum; k++)
        sum = aff_add(cx, sum, aff_scale(cx, aff_of(cx, d->t[k].v), d->t[k].coef));
    struct products all = {.n = 0};
    bool ok = sum && !aff_hoists(cx) && !aff_equalities(cx); /* what a launch would have to ask is not known here */
    for (uint32_t t = 0; ok && t < sum->nterms; t++) {
        struct product one = {.coef = sum->terms[t].coef};
        ok = multiply_out(&all, cx, &sum->terms[t], 0, &one, (struct pending){.n = 0});
    }
    for (uint32_t k = 0; ok && k < all.n; k++)
        ok = (d->wide ? all.p[k].coef : (uint32_t)all.p[k].coef) == 0;
    return ok;
}
