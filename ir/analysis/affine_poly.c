/* Polynomials modulo 2^32 or 2^64 over symbols: arithmetic, the table of symbols, and the code that computes one. */
#include "ir/analysis/affine_internal.h"

#include <string.h>

#include "ir/util/ice.h"

/* ---- polynomials ---- */

uint64_t aff_mask_of(unsigned bits) {
    return bits == 64 ? UINT64_MAX : UINT32_MAX;
}

struct aff *aff_new(struct aff_ctx *cx, unsigned bits, uint32_t nterms) {
    struct aff *a = arena_alloc(cx->arena, sizeof *a + nterms * sizeof a->terms[0]);
    a->bits = (uint8_t)bits;
    a->nterms = nterms;
    return a;
}

const struct aff *aff_const(struct aff_ctx *cx, unsigned bits, uint64_t c) {
    c &= aff_mask_of(bits);
    struct aff *a = aff_new(cx, bits, c != 0);
    if (c)
        a->terms[0] = (struct aff_term){.coef = c};
    return a;
}

static const struct aff *aff_symbol(struct aff_ctx *cx, unsigned bits, uint32_t sym) {
    struct aff *a = aff_new(cx, bits, 1);
    a->terms[0] = (struct aff_term){.coef = 1, .degree = 1, .syms = {(uint8_t)sym}};
    return a;
}

static int compare_terms(const struct aff_term *a, const struct aff_term *b) {
    if (a->degree != b->degree)
        return a->degree < b->degree ? -1 : 1;
    return memcmp(a->syms, b->syms, a->degree);
}

/* a + scale * b */
static const struct aff *add_scaled(struct aff_ctx *cx, const struct aff *a, const struct aff *b, uint64_t scale) {
    if (!a || !b || a->bits != b->bits)
        return NULL;
    uint64_t mask = aff_mask_of(a->bits);
    struct aff_term out[2 * AFF_MAX_TERMS];
    uint32_t n = 0, i = 0, j = 0;
    while (i < a->nterms || j < b->nterms) {
        int c = i == a->nterms ? 1 : j == b->nterms ? -1 : compare_terms(&a->terms[i], &b->terms[j]);
        struct aff_term t = c <= 0 ? a->terms[i] : b->terms[j];
        if (c > 0)
            t.coef = b->terms[j].coef * scale;
        else if (c == 0)
            t.coef += b->terms[j].coef * scale;
        t.coef &= mask;
        i += c <= 0;
        j += c >= 0;
        if (t.coef)
            out[n++] = t;
    }
    if (n > AFF_MAX_TERMS)
        return NULL;
    struct aff *r = aff_new(cx, a->bits, n);
    memcpy(r->terms, out, n * sizeof out[0]);
    return r;
}

const struct aff *aff_add(struct aff_ctx *cx, const struct aff *a, const struct aff *b) {
    return add_scaled(cx, a, b, 1);
}

const struct aff *aff_sub(struct aff_ctx *cx, const struct aff *a, const struct aff *b) {
    return add_scaled(cx, a, b, UINT64_MAX);
}

const struct aff *aff_scale(struct aff_ctx *cx, const struct aff *a, uint64_t c) {
    return a ? add_scaled(cx, aff_const(cx, a->bits, 0), a, c) : NULL;
}

const struct aff *aff_mul(struct aff_ctx *cx, const struct aff *a, const struct aff *b) {
    if (!a || !b || a->bits != b->bits)
        return NULL;
    const struct aff *sum = aff_const(cx, a->bits, 0);
    for (uint32_t i = 0; i < a->nterms && sum; i++) {
        struct aff *part = aff_new(cx, a->bits, 1);
        const struct aff_term *x = &a->terms[i];
        for (uint32_t j = 0; j < b->nterms && sum; j++) {
            const struct aff_term *y = &b->terms[j];
            if (x->degree + y->degree > AFF_MAX_DEGREE)
                return NULL;
            struct aff_term t = {.coef = x->coef * y->coef, .degree = x->degree + y->degree};
            uint32_t p = 0, q = 0;
            for (uint32_t k = 0; k < t.degree; k++)
                t.syms[k] = q == y->degree || (p < x->degree && x->syms[p] <= y->syms[q]) ? x->syms[p++] : y->syms[q++];
            part->terms[0] = t;
            sum = aff_add(cx, sum, part);
        }
    }
    return sum;
}

bool aff_equal(const struct aff *a, const struct aff *b) {
    if (!a || !b || a->bits != b->bits || a->nterms != b->nterms)
        return false;
    for (uint32_t i = 0; i < a->nterms; i++)
        if (a->terms[i].coef != b->terms[i].coef || compare_terms(&a->terms[i], &b->terms[i]) != 0)
            return false;
    return true;
}

bool aff_is_const(const struct aff *a, uint64_t *out) {
    if (!a || a->nterms > 1 || (a->nterms == 1 && a->terms[0].degree))
        return false;
    *out = a->nterms ? a->terms[0].coef : 0;
    return true;
}

uint64_t aff_const_term(const struct aff *a) {
    return a->nterms && !a->terms[0].degree ? a->terms[0].coef : 0;
}

const struct aff *aff_drop_const(struct aff_ctx *cx, const struct aff *a) {
    return aff_sub(cx, a, aff_const(cx, a->bits, aff_const_term(a)));
}

/* ---- symbols ---- */

uint32_t aff_nsyms(const struct aff_ctx *cx) {
    return cx->nsyms;
}

const struct aff_sym *aff_sym(const struct aff_ctx *cx, uint32_t sym) {
    return &cx->syms[sym];
}

/* The symbol equal to `s`, made when new; -1 when there are too many. */
static int sym_of(struct aff_ctx *cx, const struct aff_sym *s) {
    for (uint32_t i = 0; i < cx->nsyms; i++) {
        const struct aff_sym *t = &cx->syms[i];
        if (t->kind == s->kind && t->value == s->value && t->loop == s->loop && t->merge == s->merge &&
            t->which == s->which)
            return (int)i;
    }
    if (cx->nsyms == AFF_MAX_SYMS)
        return -1;
    cx->syms[cx->nsyms] = *s;
    return (int)cx->nsyms++;
}

const struct aff *aff_symbol_expr(struct aff_ctx *cx, unsigned bits, struct aff_sym s) {
    int sym = sym_of(cx, &s);
    return sym < 0 ? NULL : aff_symbol(cx, bits, (uint32_t)sym);
}

int aff_iter_sym(const struct aff_ctx *cx, const struct loop *l) {
    for (uint32_t i = 0; i < cx->nsyms; i++)
        if (cx->syms[i].kind == AFF_ITER && cx->syms[i].loop == l)
            return (int)i;
    return -1;
}

bool aff_has_sym(const struct aff *a, uint32_t sym) {
    for (uint32_t i = 0; i < a->nterms; i++)
        for (uint32_t k = 0; k < a->terms[i].degree; k++)
            if (a->terms[i].syms[k] == sym)
                return true;
    return false;
}

/* Whether no symbol of `a` changes while loop `l` runs. */
bool aff_fixed_in_loop(const struct aff_ctx *cx, const struct aff *a, const struct loop *l) {
    for (uint32_t i = 0; i < a->nterms; i++)
        for (uint32_t k = 0; k < a->terms[i].degree; k++) {
            const struct aff_sym *s = &cx->syms[a->terms[i].syms[k]];
            bool inside = s->kind == AFF_ITER     ? s->loop == l || loop_contains_inst(l, s->loop->inst)
                          : s->kind == AFF_CHOICE ? loop_contains_inst(l, s->merge)
                                                  : loop_contains_value(l, s->value);
            if (inside)
                return false;
        }
    return true;
}

bool aff_is_invariant(const struct aff_ctx *cx, const struct aff *a) {
    for (uint32_t i = 0; i < a->nterms; i++)
        for (uint32_t k = 0; k < a->terms[i].degree; k++)
            if (cx->syms[a->terms[i].syms[k]].kind != AFF_VALUE)
                return false;
    return true;
}

bool aff_split(struct aff_ctx *cx, const struct aff *a, uint32_t sym, const struct aff **out_coef,
               const struct aff **out_rest) {
    const struct aff *coef = aff_const(cx, a->bits, 0), *rest = coef;
    for (uint32_t i = 0; i < a->nterms; i++) {
        struct aff *one = aff_new(cx, a->bits, 1);
        struct aff_term t = a->terms[i];
        uint32_t found = 0, n = 0;
        for (uint32_t k = 0; k < a->terms[i].degree; k++) {
            if (t.syms[k] == sym && !found)
                found = 1;
            else if (t.syms[k] == sym)
                return false;
            else
                t.syms[n++] = t.syms[k];
        }
        t.degree = (uint8_t)n;
        memset(t.syms + n, 0, sizeof t.syms - n);
        one->terms[0] = t;
        *(found ? &coef : &rest) = aff_add(cx, found ? coef : rest, one);
    }
    *out_coef = coef;
    *out_rest = rest;
    return coef && rest;
}

/* ---- code ---- */

struct ir_value *aff_emit(struct aff_ctx *cx, struct ir_builder *b, const struct aff *a, struct ir_map *map,
                          struct ir_value *const *sym_values) {
    bool wide = a->bits == 64;
    enum ir_op mul = wide ? IR_I64_MUL : IR_I32_MUL, add = wide ? IR_I64_ADD : IR_I32_ADD;
    struct ir_value *sum = NULL;
    for (uint32_t i = a->nterms; i-- > 0;) {
        const struct aff_term *t = &a->terms[i];
        struct ir_value *product = NULL;
        for (uint32_t k = 0; k < t->degree; k++) {
            const struct aff_sym *s = &cx->syms[t->syms[k]];
            struct ir_value *v = sym_values && sym_values[t->syms[k]] ? sym_values[t->syms[k]]
                                 : s->kind == AFF_VALUE               ? (map ? ir_map_get(map, s->value) : s->value)
                                                                      : NULL;
            ICE_UNLESS(v != NULL);
            if (!wide && v->type == IR_I64)
                v = ir_build_simple(b, IR_I32_WRAP_I64, v, NULL);
            else if (wide && v->type == IR_I32) /* an iteration number or a condition */
                v = ir_build_simple(b, IR_I64_EXTEND_I32_U, v, NULL);
            ICE_UNLESS((v->type == IR_I64) == wide);
            product = product ? ir_build_simple(b, mul, product, v) : v;
        }
        if (!product)
            product = wide ? ir_build_i64(b, t->coef) : ir_build_i32(b, (uint32_t)t->coef);
        else if (t->coef != 1)
            product =
                ir_build_simple(b, mul, product, wide ? ir_build_i64(b, t->coef) : ir_build_i32(b, (uint32_t)t->coef));
        sum = sum ? ir_build_simple(b, add, sum, product) : product;
    }
    return sum ? sum : wide ? ir_build_i64(b, 0) : ir_build_i32(b, 0);
}
