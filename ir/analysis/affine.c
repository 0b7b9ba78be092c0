/* Values as polynomials; see affine.h for what they mean and why.
 *
 * aff_of is a memoised walk from a value to its operands.  Loop parameters are solved a loop at a time: every parameter
 * gets a placeholder symbol, the values passed to the next iteration are computed in terms of the placeholders, and a
 * parameter whose next value minus itself does not vary in the loop is an induction variable.  What was memoised in
 * terms of placeholders is then forgotten.  The cost is exponential in the depth of nesting at worst, so aff_begin's
 * caller limits the depth.
 */
#include "ir/analysis/affine.h"

#include <string.h>

#include "ir/offload/kernel.h"
#include "ir/util/ice.h"

enum { OUTER_EXPANSION = 6, OUTER_TERMS = 4, MAX_EDGES = 4, MAX_RECURSION = 400, MAX_HOISTED_LOADS = 64, MAX_WEB = 32 };

struct edges { /* where values come together at the end of a block or if */
    uint32_t n;
    bool too_many;
    struct ir_inst *from[MAX_EDGES];
    uint32_t first[MAX_EDGES]; /* index of the first passed operand */
};

struct aff_ctx {
    struct arena *arena;
    struct loop *root;
    struct aff_sym syms[AFF_MAX_SYMS];
    uint32_t nsyms;
    struct ir_value **touched; /* values whose note is set */
    uint32_t ntouched, touched_cap;
    struct ir_inst **noted; /* blocks whose note holds their edges */
    uint32_t nnoted, noted_cap;
    uint32_t depth; /* recursion of aff_of */
    struct aff_hoist *hoists, **hoists_end;
    uint32_t nhoisted_loads;
    struct aff_equality *equalities;
};

static const struct aff unknown_marker;
#define UNKNOWN ((void *)&unknown_marker)

/* ---- polynomials ---- */

static uint64_t mask_of(unsigned bits) {
    return bits == 64 ? UINT64_MAX : UINT32_MAX;
}

static struct aff *aff_new(struct aff_ctx *cx, unsigned bits, uint32_t nterms) {
    struct aff *a = arena_alloc(cx->arena, sizeof *a + nterms * sizeof a->terms[0]);
    a->bits = (uint8_t)bits;
    a->nterms = nterms;
    return a;
}

const struct aff *aff_const(struct aff_ctx *cx, unsigned bits, uint64_t c) {
    c &= mask_of(bits);
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
    uint64_t mask = mask_of(a->bits);
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

static const struct aff *symbol_expr(struct aff_ctx *cx, unsigned bits, struct aff_sym s) {
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
static bool fixed_in_loop(const struct aff_ctx *cx, const struct aff *a, const struct loop *l) {
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

/* ---- comparisons ---- */

struct comparison {
    uint16_t op;
    uint8_t rel;     /* continue while a REL b */
    uint8_t negated; /* rel of !(a op b) */
    uint8_t swapped; /* rel of (b op a) */
};

#define OFF_EQ 255 /* only on the way to its negation */
#define COMPARISONS(T)                                                                           \
    {IR_##T##_NE, OFF_TRIP_NE, OFF_EQ, OFF_TRIP_NE}, {IR_##T##_EQ, OFF_EQ, OFF_TRIP_NE, OFF_EQ}, \
        {IR_##T##_LT_S, OFF_TRIP_LT_S, OFF_TRIP_GE_S, OFF_TRIP_GT_S},                            \
        {IR_##T##_LT_U, OFF_TRIP_LT_U, OFF_TRIP_GE_U, OFF_TRIP_GT_U},                            \
        {IR_##T##_LE_S, OFF_TRIP_LE_S, OFF_TRIP_GT_S, OFF_TRIP_GE_S},                            \
        {IR_##T##_LE_U, OFF_TRIP_LE_U, OFF_TRIP_GT_U, OFF_TRIP_GE_U},                            \
        {IR_##T##_GT_S, OFF_TRIP_GT_S, OFF_TRIP_LE_S, OFF_TRIP_LT_S},                            \
        {IR_##T##_GT_U, OFF_TRIP_GT_U, OFF_TRIP_LE_U, OFF_TRIP_LT_U},                            \
        {IR_##T##_GE_S, OFF_TRIP_GE_S, OFF_TRIP_LT_S, OFF_TRIP_LE_S}, {                          \
        IR_##T##_GE_U, OFF_TRIP_GE_U, OFF_TRIP_LT_U, OFF_TRIP_LE_U                               \
    }

static const struct comparison comparisons[] = {COMPARISONS(I32), COMPARISONS(I64)};

static const struct comparison *find_comparison(unsigned op) {
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

/* ---- values ---- */

static const struct aff *value_of(struct aff_ctx *cx, struct ir_value *v);

static void remember(struct aff_ctx *cx, struct ir_value *v, const struct aff *a) {
    if (!v->note)
        *arena_push(cx->arena, cx->touched, cx->ntouched, cx->touched_cap) = v;
    v->note = a ? (void *)a : UNKNOWN;
}

static void forget_from(struct aff_ctx *cx, uint32_t first) {
    while (cx->ntouched > first)
        cx->touched[--cx->ntouched]->note = NULL;
}

static unsigned bits_of(const struct ir_value *v) {
    return v->type == IR_I64 ? 64 : 32;
}

const struct aff *aff_of(struct aff_ctx *cx, struct ir_value *v) {
    if (v->type != IR_I32 && v->type != IR_I64)
        return NULL;
    if (v->note)
        return v->note == UNKNOWN ? NULL : v->note;
    if (cx->depth >= MAX_RECURSION)
        return NULL;
    cx->depth++;
    const struct aff *a = value_of(cx, v);
    cx->depth--;
    if (!v->note) /* solving a loop's parameters sets their notes itself */
        remember(cx, v, a);
    return v->note == UNKNOWN ? NULL : v->note;
}

/* `x | c` where x is a multiple of a power of two above c. */
static const struct aff *disjoint_or(struct aff_ctx *cx, const struct aff *x, uint64_t c) {
    if (!x)
        return NULL;
    for (uint32_t i = 0; i < x->nterms; i++) {
        uint64_t low = x->terms[i].coef & -x->terms[i].coef;
        if (c >= low)
            return NULL;
    }
    return aff_add(cx, x, aff_const(cx, x->bits, c));
}

static const struct aff *operation(struct aff_ctx *cx, struct ir_inst *i) {
    const struct aff *a, *b;
    uint64_t c;
    switch (i->op) {
    case IR_I32_ADD:
    case IR_I64_ADD:
        a = aff_of(cx, i->operands[0]);
        return a ? aff_add(cx, a, aff_of(cx, i->operands[1])) : NULL;
    case IR_I32_SUB:
    case IR_I64_SUB:
        a = aff_of(cx, i->operands[0]);
        return a ? aff_sub(cx, a, aff_of(cx, i->operands[1])) : NULL;
    case IR_I32_MUL:
    case IR_I64_MUL:
        a = aff_of(cx, i->operands[0]);
        return a ? aff_mul(cx, a, aff_of(cx, i->operands[1])) : NULL;
    case IR_I32_SHL:
    case IR_I64_SHL:
        a = aff_of(cx, i->operands[0]);
        b = aff_of(cx, i->operands[1]);
        return a && aff_is_const(b, &c) ? aff_scale(cx, a, UINT64_C(1) << (c & (a->bits - 1))) : NULL;
    case IR_I32_OR:
    case IR_I64_OR:
        a = aff_of(cx, i->operands[0]);
        b = aff_of(cx, i->operands[1]);
        return aff_is_const(b, &c) ? disjoint_or(cx, a, c) : aff_is_const(a, &c) ? disjoint_or(cx, b, c) : NULL;
    case IR_I32_WRAP_I64: {
        a = aff_of(cx, i->operands[0]);
        if (!a)
            return NULL;
        struct aff *zero = aff_new(cx, 32, 0), *copy = aff_new(cx, 32, a->nterms);
        memcpy(copy->terms, a->terms, a->nterms * sizeof a->terms[0]);
        return aff_add(cx, zero, copy); /* reduces the coefficients */
    }
    default:
        return NULL;
    }
}

static void add_edge(struct edges *e, struct ir_inst *from, uint32_t first) {
    if (e->n == MAX_EDGES) {
        e->too_many = true;
        return;
    }
    e->from[e->n] = from;
    e->first[e->n++] = first;
}

static void collect_edges(struct edges *e, const struct ir_inst *label, struct ir_region *r, bool own) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_BR_TABLE) {
            uint32_t first = 1;
            for (uint32_t k = 0; k < i->ntargets; k++) {
                if (i->targets[k] == label)
                    add_edge(e, i, first);
                first += ir_label_arity(i->targets[k]);
            }
        } else if (((i->op == IR_BR || i->op == IR_BR_IF) && i->target == label) || (own && i->op == IR_YIELD)) {
            add_edge(e, i, i->op == IR_BR_IF);
        }
        ir_foreach_region (inner, i)
            collect_edges(e, label, inner, false);
    }
}

static const struct edges *edges_of(struct aff_ctx *cx, struct ir_inst *label) {
    if (!label->note) {
        struct edges *e = arena_new(cx->arena, struct edges);
        ir_foreach_region (r, label)
            collect_edges(e, label, r, true);
        label->note = e;
        *arena_push(cx->arena, cx->noted, cx->nnoted, cx->noted_cap) = label;
    }
    return label->note;
}

/* The innermost loop of the nest around `i`. */
static struct loop *loop_around(const struct aff_ctx *cx, const struct ir_inst *i) {
    const struct ir_region *r = i->parent;
    while (r && r->parent && r->parent->op != IR_LOOP)
        r = r->parent->parent;
    return r && r->parent && r->parent->label >= cx->root->seq ? r->parent->note : NULL;
}

/* What branch `from` passes, as seen from outside the loops it leaves on the way to `label`. */
static const struct aff *passed_value(struct aff_ctx *cx, struct ir_inst *from, struct ir_value *v,
                                      const struct ir_inst *label) {
    const struct aff *a = aff_of(cx, v);
    for (struct loop *l = loop_around(cx, from); a && l && l->seq > label->label; l = l->parent)
        if (l->test == from)
            a = aff_at_exit(cx, l, a);
    return a; /* left by another exit: its iteration number stays in, standing for some iteration */
}

/* Equal, or to be found equal before the launch. */
static bool taken_as_equal(const struct aff_ctx *cx, const struct aff *a, const struct aff *b) {
    for (const struct aff_equality *e = cx->equalities; e; e = e->next)
        if ((aff_equal(e->a, a) && aff_equal(e->b, b)) || (aff_equal(e->a, b) && aff_equal(e->b, a)))
            return true;
    return aff_equal(a, b);
}

static const struct aff *choose(struct aff_ctx *cx, struct ir_inst *merge, uint32_t which, const struct aff *sum,
                                const struct aff *first, const struct aff *other) {
    if (taken_as_equal(cx, first, other))
        return sum;
    const struct aff *m =
        symbol_expr(cx, first->bits, (struct aff_sym){.kind = AFF_CHOICE, .merge = merge, .which = which});
    return aff_add(cx, sum, aff_mul(cx, m, aff_sub(cx, other, first)));
}

/* `cond ? yes : no` where cond is known before the nest and either 0 or 1: then it is a symbol like any other. */
static const struct aff *select_known(struct aff_ctx *cx, struct ir_value *cond, const struct aff *yes,
                                      const struct aff *no) {
    struct ir_inst *d = cond->def;
    if (!yes || !no || !d || loop_contains_value(cx->root, cond) ||
        !(find_comparison(d->op) || d->op == IR_I32_EQZ || d->op == IR_I64_EQZ))
        return NULL;
    const struct aff *c = symbol_expr(cx, yes->bits, (struct aff_sym){.kind = AFF_VALUE, .value = cond});
    return aff_add(cx, no, aff_mul(cx, c, aff_sub(cx, yes, no)));
}

static const struct aff *merged(struct aff_ctx *cx, struct ir_inst *label, uint32_t index) {
    const struct edges *e = edges_of(cx, label);
    if (e->too_many || !e->n)
        return NULL;
    const struct aff *first = passed_value(cx, e->from[0], e->from[0]->operands[e->first[0] + index], label);
    const struct aff *sum = first;
    if (label->op == IR_IF && e->n == 2 && e->from[0]->parent == label->regions[0] &&
        e->from[1]->parent == label->regions[1] && e->from[0]->op == IR_YIELD && e->from[1]->op == IR_YIELD) {
        const struct aff *other = first ? passed_value(cx, e->from[1], e->from[1]->operands[index], label) : NULL;
        const struct aff *known =
            taken_as_equal(cx, first, other) ? first : select_known(cx, label->operands[0], first, other);
        if (known)
            return known;
    }
    for (uint32_t k = 1; k < e->n && sum; k++) {
        const struct aff *other = passed_value(cx, e->from[k], e->from[k]->operands[e->first[k] + index], label);
        sum = other ? choose(cx, label, k, sum, first, other) : NULL;
    }
    return sum;
}

static const struct aff *loop_result(struct aff_ctx *cx, struct ir_inst *inst, uint32_t index) {
    struct loop *l = inst->note;
    if (!l || (l->shape != LOOP_BOTTOM_YIELD && l->shape != LOOP_TOP_IF))
        return NULL;
    struct ir_inst *yield = inst->regions[0]->last;
    if (yield->op != IR_YIELD)
        return NULL;
    struct ir_value *v = yield->operands[index];
    if (v->def && v->def == l->test && l->test->op == IR_IF) {
        struct ir_inst *leave = l->test->regions[l->exit_when_true ? 0 : 1]->last;
        v = leave->operands[v->index];
    }
    const struct aff *a = aff_of(cx, v);
    return a ? aff_at_exit(cx, l, a) : NULL;
}

/* A value from before the nest: a symbol, but with small sums taken apart so that p and p + 4 are seen to be related.
 */
static const struct aff *outer_value(struct aff_ctx *cx, struct ir_value *v, unsigned levels) {
    struct ir_inst *d = v->def;
    if (d && levels) {
        const struct aff *a = NULL, *b = NULL;
        const union ir_bits *c = d->noperands == 2 ? ir_const_of(d->operands[1]) : NULL;
        switch (d->op) {
        case IR_I32_CONST:
        case IR_I64_CONST:
            return aff_const(cx, bits_of(v), d->bits.i64 & mask_of(bits_of(v)));
        case IR_I32_ADD:
        case IR_I32_SUB:
            a = outer_value(cx, d->operands[0], levels - 1);
            b = a ? outer_value(cx, d->operands[1], levels - 1) : NULL;
            a = d->op == IR_I32_ADD ? aff_add(cx, a, b) : aff_sub(cx, a, b);
            break;
        case IR_I32_SHL:
            a = c ? aff_scale(cx, outer_value(cx, d->operands[0], levels - 1), UINT64_C(1) << (c->i32 & 31)) : NULL;
            break;
        case IR_I32_MUL:
            a = c ? aff_scale(cx, outer_value(cx, d->operands[0], levels - 1), c->i32) : NULL;
            break;
        default:
            break;
        }
        if (a && a->nterms <= OUTER_TERMS)
            return a;
    }
    return symbol_expr(cx, bits_of(v), (struct aff_sym){.kind = AFF_VALUE, .value = v});
}

/* ---- values read again and again ---- */

const struct aff_hoist *aff_hoists(const struct aff_ctx *cx) {
    return cx->hoists;
}

/* Known before the nest; symbols that stand for parameters still to be solved are not. */
static bool known_before(const struct aff_ctx *cx, const struct aff *a) {
    for (uint32_t i = 0; i < a->nterms; i++)
        for (uint32_t k = 0; k < a->terms[i].degree; k++) {
            const struct aff_sym *s = &cx->syms[a->terms[i].syms[k]];
            if (s->kind != AFF_VALUE || loop_contains_value(cx->root, s->value))
                return false;
        }
    return true;
}

static bool sets_global(const struct ir_region *r, uint32_t index) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_GLOBAL_SET && i->index == index)
            return true;
        ir_foreach_region (inner, i)
            if (sets_global(inner, index))
                return true;
    }
    return false;
}

const struct aff_hoist *aff_hoist_of(struct aff_ctx *cx, struct ir_inst *i, bool make) {
    const struct aff *base = NULL;
    if (ir_is_load(i)) {
        base = i->operands[0]->type == IR_I32 ? aff_of(cx, i->operands[0]) : NULL;
        if (!base || i->mem.memory != 0 || !known_before(cx, base))
            return NULL;
    } else if (i->op != IR_GLOBAL_GET || sets_global(cx->root->inst->regions[0], i->index)) {
        return NULL;
    }
    for (const struct aff_hoist *h = cx->hoists; h; h = h->next)
        if (h->inst->op == i->op &&
            (base ? h->inst->mem.offset == i->mem.offset && aff_equal(h->base, base) : h->inst->index == i->index))
            return h;
    if (!make || (base && cx->nhoisted_loads == MAX_HOISTED_LOADS))
        return NULL;
    cx->nhoisted_loads += base != NULL;
    struct aff_hoist *h = arena_new(cx->arena, struct aff_hoist);
    h->inst = i;
    h->base = base;
    h->value = arena_new(cx->arena, struct ir_value);
    h->value->type = i->results[0].type;
    *cx->hoists_end = h;
    cx->hoists_end = &h->next;
    return h;
}

struct ir_value *aff_known_cond(struct aff_ctx *cx, struct ir_value *cond) {
    struct ir_inst *d = cond->def;
    if (!loop_contains_value(cx->root, cond))
        return cond;
    if (!d || !find_comparison(d->op))
        return NULL;
    const struct aff *a = aff_of(cx, d->operands[0]), *b = a ? aff_of(cx, d->operands[1]) : NULL;
    if (!b || !known_before(cx, a) || !known_before(cx, b))
        return NULL;
    for (const struct aff_hoist *h = cx->hoists; h; h = h->next)
        if (h->inst->op == d->op && aff_equal(h->base, a) && aff_equal(h->other, b))
            return h->value;
    struct aff_hoist *h = arena_new(cx->arena, struct aff_hoist);
    *h = (struct aff_hoist){.inst = d, .value = arena_new(cx->arena, struct ir_value), .base = a, .other = b};
    h->value->type = cond->type;
    *cx->hoists_end = h;
    cx->hoists_end = &h->next;
    return h->value;
}

/* The values that meet in a loop parameter, through further parameters, block results and selects. */
struct web {
    struct ir_value *seen[MAX_WEB];
    uint32_t nseen;
    const struct aff *first; /* the number that all leaves are, or are to be found equal to */
    const struct aff *others[MAX_EDGES];
    uint32_t nothers;
    bool reads; /* a leaf is read from memory */
};

static bool add_leaf(struct web *w, const struct aff *a) {
    if (!a || aff_equal(a, w->first))
        return a != NULL;
    if (!w->first) {
        w->first = a;
        return true;
    }
    for (uint32_t k = 0; k < w->nothers; k++)
        if (aff_equal(a, w->others[k]))
            return true;
    if (w->nothers == MAX_EDGES || a->bits != w->first->bits)
        return false;
    w->others[w->nothers++] = a;
    return true;
}

/* False when something else than values known before the nest meets there. */
static bool walk_web(struct aff_ctx *cx, struct web *w, struct ir_value *v) {
    if (!loop_contains_value(cx->root, v) || ir_const_of(v))
        return add_leaf(w, aff_of(cx, v));
    for (uint32_t k = 0; k < w->nseen; k++)
        if (w->seen[k] == v)
            return true;
    if (w->nseen == MAX_WEB)
        return false;
    w->seen[w->nseen++] = v;
    struct ir_inst *d = v->def;
    if (!d) {
        struct loop *l = v->region->parent->note;
        return l->nback_edges == 1 && l->back->op != IR_BR_TABLE && walk_web(cx, w, l->inst->operands[v->index]) &&
               walk_web(cx, w, loop_next_value(l, v->index));
    }
    if (d->op == IR_BLOCK || d->op == IR_IF) {
        const struct edges *e = edges_of(cx, d);
        bool ok = e->n && !e->too_many;
        for (uint32_t k = 0; k < e->n && ok; k++)
            ok = walk_web(cx, w, e->from[k]->operands[e->first[k] + v->index]);
        return ok;
    }
    if (d->op == IR_LOOP) {
        struct ir_inst *end = d->regions[0]->last;
        return end->op == IR_YIELD && walk_web(cx, w, end->operands[v->index]);
    }
    if (d->op == IR_SELECT)
        return walk_web(cx, w, d->operands[0]) && walk_web(cx, w, d->operands[1]);
    const struct aff_hoist *h = ir_is_load(d) ? aff_hoist_of(cx, d, true) : NULL;
    w->reads |= h != NULL;
    return h && add_leaf(w, symbol_expr(cx, bits_of(v), (struct aff_sym){.kind = AFF_VALUE, .value = h->value}));
}

/* Parameters that hold what was loaded before the loop and is loaded again in it: compilers carry `s->width` like this
 * from one iteration to the next.  Each is the number before the loop, on condition that the others are equal to it. */
static void solve_reloaded(struct aff_ctx *cx, struct loop *l, const struct aff **out) {
    struct ir_region *r = l->inst->regions[0];
    uint32_t mark = cx->ntouched;
    for (uint32_t k = 0; k < r->nparams; k++)
        remember(cx, r->params[k], NULL);
    for (uint32_t k = 0; k < r->nparams; k++) {
        struct web w = {.nseen = 0};
        if ((r->params[k]->type != IR_I32 && r->params[k]->type != IR_I64) || !walk_web(cx, &w, r->params[k]) ||
            !w.reads || !w.first)
            continue;
        out[k] = w.first;
        for (uint32_t n = 0; n < w.nothers; n++) {
            struct aff_equality *e = arena_new(cx->arena, struct aff_equality);
            *e = (struct aff_equality){.a = w.first, .b = w.others[n], .next = cx->equalities};
            cx->equalities = e;
        }
    }
    forget_from(cx, mark);
}

const struct aff_equality *aff_equalities(const struct aff_ctx *cx) {
    return cx->equalities;
}

unsigned aff_multiple_of(const struct ir_value *v) {
    const struct ir_inst *d = v->def;
    const union ir_bits *c = d && d->op == IR_I32_AND ? ir_const_of(d->operands[1]) : NULL;
    uint32_t low = c ? c->i32 & -c->i32 : 0;
    return low > 1 && c->i32 == -low ? (unsigned)__builtin_ctz(low) : 0;
}

/* Sets the notes of all parameters of `l`. */
static void solve_params(struct aff_ctx *cx, struct loop *l) {
    struct ir_region *r = l->inst->regions[0];
    const struct aff **reloaded = arena_array(cx->arena, const struct aff *, r->nparams + 1);
    solve_reloaded(cx, l, reloaded);
    const struct aff **steps = arena_array(cx->arena, const struct aff *, r->nparams + 1);
    const struct aff **inits = arena_array(cx->arena, const struct aff *, r->nparams + 1);
    for (uint32_t k = 0; k < r->nparams; k++)
        inits[k] = aff_of(cx, l->inst->operands[k]);

    uint32_t mark = cx->ntouched;
    for (uint32_t k = 0; k < r->nparams; k++) {
        struct ir_value *p = r->params[k];
        bool integer = p->type == IR_I32 || p->type == IR_I64;
        remember(cx, p,
                 reloaded[k] ? reloaded[k]
                 : integer   ? symbol_expr(cx, bits_of(p), (struct aff_sym){.kind = AFF_VALUE, .value = p})
                             : NULL);
    }
    for (uint32_t k = 0; k < r->nparams && l->nback_edges == 1 && l->back->op != IR_BR_TABLE; k++) {
        const struct aff *self = r->params[k]->note == UNKNOWN ? NULL : r->params[k]->note;
        const struct aff *next = self ? aff_of(cx, loop_next_value(l, k)) : NULL;
        const struct aff *step = next ? aff_sub(cx, next, self) : NULL;
        if (step && fixed_in_loop(cx, step, l))
            steps[k] = step;
    }
    forget_from(cx, mark);
    for (uint32_t k = 0; k < r->nparams; k++) {
        const struct aff *a = reloaded[k];
        if (!a && steps[k] && inits[k]) {
            const struct aff *iter = symbol_expr(cx, inits[k]->bits, (struct aff_sym){.kind = AFF_ITER, .loop = l});
            a = aff_add(cx, inits[k], aff_mul(cx, iter, steps[k]));
        }
        remember(cx, r->params[k], a);
    }
}

/* Low bits of a masked value that are 0: `x & 240` counts in steps of 16, which matters for the alignment of what it
 * indexes. */
static uint32_t low_zeros(const struct ir_inst *d) {
    const union ir_bits *c = d->op == IR_I32_AND ? ir_const_of(d->operands[1]) : NULL;
    return c && c->i32 ? (uint32_t)__builtin_ctz(c->i32) : 0;
}

/* Whether `a` has a product of a choice with something else that varies, which no dimension can stand for. */
static bool has_tangled_choice(const struct aff_ctx *cx, const struct aff *a) {
    for (uint32_t t = 0; t < a->nterms; t++) {
        unsigned choices = 0, varying = 0;
        for (uint32_t k = 0; k < a->terms[t].degree; k++) {
            enum aff_sym_kind kind = cx->syms[a->terms[t].syms[k]].kind;
            choices += kind == AFF_CHOICE;
            varying += kind != AFF_VALUE;
        }
        if (choices && varying > 1)
            return true;
    }
    return false;
}

/* `a`, or where it is tangled the range of both values that come together in `v`. */
static const struct aff *untangle(struct aff_ctx *cx, struct ir_value *v, const struct aff *a) {
    struct aff_range range;
    if (!a || !has_tangled_choice(cx, a) || !aff_range_of(cx, v, &range))
        return a;
    return symbol_expr(cx, 32, (struct aff_sym){.kind = AFF_RANGE, .value = v});
}

/* A merge that comes to the same whichever way it was reached; NULL: another. */
static const struct aff *merged_alike(struct aff_ctx *cx, struct ir_value *v) {
    const struct aff *a = merged(cx, v->def, v->index);
    for (uint32_t t = 0; a && t < a->nterms; t++)
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            const struct aff_sym *s = aff_sym(cx, a->terms[t].syms[d]);
            if (s->kind == AFF_CHOICE && s->merge == v->def)
                return NULL;
        }
    return a;
}

static const struct aff *value_of(struct aff_ctx *cx, struct ir_value *v) {
    const union ir_bits *c = ir_const_of(v);
    if (c)
        return aff_const(cx, bits_of(v), v->type == IR_I64 ? c->i64 : c->i32);
    if (!loop_contains_value(cx->root, v))
        return outer_value(cx, v, OUTER_EXPANSION);
    if (!v->def) {
        solve_params(cx, v->region->parent->note);
        return v->note == UNKNOWN ? NULL : v->note;
    }
    struct aff_range range;
    const struct aff_hoist *h = aff_hoist_of(cx, v->def, true);
    if (h)
        return symbol_expr(cx, bits_of(v), (struct aff_sym){.kind = AFF_VALUE, .value = h->value});
    const struct aff *a = operation(cx, v->def);
    if (a)
        return a;
    if (v->def->op == IR_BLOCK || v->def->op == IR_IF) {
        a = merged_alike(cx, v);
        if (a)
            return a;
    }
    unsigned shift = aff_multiple_of(v);
    if (shift && aff_range_of(cx, v, &range))
        return aff_scale(cx, symbol_expr(cx, 32, (struct aff_sym){.kind = AFF_RANGE, .value = v}),
                         UINT64_C(1) << shift);
    bool known_cond = v->def->op == IR_SELECT && !loop_contains_value(cx->root, v->def->operands[2]);
    if (!known_cond && aff_range_of(cx, v, &range)) {
        uint32_t zeros = low_zeros(v->def);
        const struct aff *s = symbol_expr(cx, 32, (struct aff_sym){.kind = AFF_RANGE, .value = v, .which = zeros});
        return aff_scale(cx, s, UINT64_C(1) << zeros);
    }
    switch (v->def->op) {
    case IR_BLOCK:
    case IR_IF:
        return untangle(cx, v, merged(cx, v->def, v->index));
    case IR_LOOP:
        return loop_result(cx, v->def, v->index);
    case IR_SELECT: {
        a = aff_of(cx, v->def->operands[0]);
        const struct aff *b = a ? aff_of(cx, v->def->operands[1]) : NULL;
        const struct aff *known = b ? select_known(cx, v->def->operands[2], a, b) : NULL;
        return known ? known : b ? choose(cx, v->def, 1, a, a, b) : NULL;
    }
    default:
        return NULL;
    }
}

/* ---- ranged values ---- */

static bool same_value(const struct ir_value *a, const struct ir_value *b) {
    const union ir_bits *x = ir_const_of(a), *y = ir_const_of(b);
    return a == b || (x && y && a->type == b->type && x->i64 == y->i64);
}

/* `select(t, f, x < y)` and its relatives. */
static bool min_max_of(const struct ir_inst *select, enum off_range_op *out_op) {
    struct ir_inst *cmp = select->operands[2]->def;
    if (!cmp || cmp->noperands != 2)
        return false;
    bool less, is_signed;
    switch (cmp->op) {
    case IR_I32_LT_S:
    case IR_I32_LE_S:
        less = is_signed = true;
        break;
    case IR_I32_LT_U:
    case IR_I32_LE_U:
        less = true;
        is_signed = false;
        break;
    case IR_I32_GT_S:
    case IR_I32_GE_S:
        less = false;
        is_signed = true;
        break;
    case IR_I32_GT_U:
    case IR_I32_GE_U:
        less = is_signed = false;
        break;
    default:
        return false;
    }
    struct ir_value *x = cmp->operands[0], *y = cmp->operands[1];
    bool straight = same_value(select->operands[0], x) && same_value(select->operands[1], y);
    bool crossed = same_value(select->operands[0], y) && same_value(select->operands[1], x);
    if (!straight && !crossed)
        return false;
    bool is_min = less == straight;
    *out_op =
        is_min ? (is_signed ? OFF_RANGE_MIN_S : OFF_RANGE_MIN_U) : (is_signed ? OFF_RANGE_MAX_S : OFF_RANGE_MAX_U);
    return true;
}

/* Bits that may be set in an i32 value, as far as its computation shows within `depth` steps. */
static uint32_t possible_bits(const struct ir_value *v, unsigned depth) {
    const union ir_bits *c = ir_const_of(v);
    const struct ir_inst *d = v->def;
    if (c || !d || depth == 0)
        return c ? c->i32 : UINT32_MAX;
    const union ir_bits *by = d->noperands == 2 ? ir_const_of(d->operands[1]) : NULL;
    switch (d->op) {
    case IR_I32_LOAD8_U:
        return UINT8_MAX;
    case IR_I32_LOAD16_U:
        return UINT16_MAX;
    case IR_I32_AND:
        return possible_bits(d->operands[0], depth - 1) & possible_bits(d->operands[1], depth - 1);
    case IR_I32_OR:
    case IR_I32_XOR:
        return possible_bits(d->operands[0], depth - 1) | possible_bits(d->operands[1], depth - 1);
    case IR_I32_SHL:
        return by ? possible_bits(d->operands[0], depth - 1) << (by->i32 & 31) : UINT32_MAX;
    case IR_I32_SHR_U:
        return by ? possible_bits(d->operands[0], depth - 1) >> (by->i32 & 31) : UINT32_MAX;
    default:
        return find_comparison(d->op) || d->op == IR_I32_EQZ || d->op == IR_I64_EQZ ? 1 : UINT32_MAX;
    }
}

static bool constant_range(struct ir_inst *d, int32_t *out_lo, int32_t *out_hi) {
    const union ir_bits *c = d->noperands == 2 ? ir_const_of(d->operands[1]) : NULL;
    *out_lo = 0;
    switch (d->op) {
    case IR_I32_LOAD8_U:
        *out_hi = UINT8_MAX;
        return true;
    case IR_I32_LOAD16_U:
        *out_hi = UINT16_MAX;
        return true;
    case IR_I32_LOAD8_S:
        *out_lo = INT8_MIN;
        *out_hi = INT8_MAX;
        return true;
    case IR_I32_LOAD16_S:
        *out_lo = INT16_MIN;
        *out_hi = INT16_MAX;
        return true;
    case IR_I32_AND:
        *out_hi = (int32_t)(possible_bits(d->operands[0], 6) & possible_bits(d->operands[1], 6));
        return *out_hi >= 0;
    case IR_I32_REM_U:
        *out_hi = c ? (int32_t)(c->i32 - 1) : -1;
        return c && c->i32 && *out_hi >= 0;
    case IR_I32_SHR_U:
        *out_hi = c ? (int32_t)(possible_bits(d->operands[0], 6) >> (c->i32 & 31)) : -1;
        return *out_hi >= 0;
    case IR_I32_OR:
    case IR_I32_XOR:
        *out_hi = (int32_t)(possible_bits(d->operands[0], 6) | possible_bits(d->operands[1], 6));
        return *out_hi >= 0;
    case IR_I32_CLZ:
    case IR_I32_CTZ:
    case IR_I32_POPCNT:
        *out_hi = 32;
        return true;
    default:
        *out_hi = 1;
        return find_comparison(d->op) || d->op == IR_I32_EQZ || d->op == IR_I64_EQZ;
    }
}

/* The signed comparison of a select's condition as a restriction of its left operand; 0 when it is none. */
static uint8_t restriction_of(uint16_t op, bool negated, bool swapped) {
    static const struct {
        uint16_t op;
        uint8_t straight, negated, swapped, both;
    } table[] = {
        {IR_I32_LT_S, OFF_RANGE_LT_S, OFF_RANGE_GE_S, OFF_RANGE_GT_S, OFF_RANGE_LE_S},
        {IR_I32_LE_S, OFF_RANGE_LE_S, OFF_RANGE_GT_S, OFF_RANGE_GE_S, OFF_RANGE_LT_S},
        {IR_I32_GT_S, OFF_RANGE_GT_S, OFF_RANGE_LE_S, OFF_RANGE_LT_S, OFF_RANGE_GE_S},
        {IR_I32_GE_S, OFF_RANGE_GE_S, OFF_RANGE_LT_S, OFF_RANGE_LE_S, OFF_RANGE_GT_S},
    };
    for (uint32_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].op == op)
            return negated   ? (swapped ? table[i].both : table[i].negated)
                   : swapped ? table[i].swapped
                             : table[i].straight;
    return 0;
}

/* What side `v` of a select can be, given that `cmp` holds (or, negated, does not).  False when it has no range. */
static bool side_of(struct aff_ctx *cx, struct ir_value *v, const struct ir_inst *cmp, bool negated,
                    struct aff_side *out, bool *out_restricted) {
    *out = (struct aff_side){0};
    for (unsigned k = 0; k < 2; k++) { /* is it, or is it made of, one of the numbers compared? */
        struct ir_value *x = cmp->operands[k], *y = cmp->operands[1 - k];
        enum off_range_op op;
        if (ir_const_of(x))
            continue;
        if (same_value(v, x)) {
            out->value = aff_of(cx, v);
        } else if (v->def && v->def->op == IR_SELECT && min_max_of(v->def, &op)) {
            bool first = same_value(v->def->operands[0], x);
            if (!first && !same_value(v->def->operands[1], x))
                continue;
            out->value = aff_of(cx, x);
            out->limit = aff_of(cx, v->def->operands[first]);
            out->extremum = (uint8_t)op;
            if (!out->limit)
                return false;
        } else {
            continue;
        }
        out->restriction = restriction_of(cmp->op, negated, k == 1);
        out->bound = aff_of(cx, y);
        *out_restricted = true;
        return out->value && out->bound && out->restriction;
    }
    out->value = aff_of(cx, v);
    return out->value != NULL;
}

/* `x < w ? max(x, 0) : w - 1` and its relatives: each side is bounded by the comparison. */
static bool bounded_select(struct aff_ctx *cx, const struct ir_inst *select, struct aff_range *out) {
    const struct ir_inst *cmp = select->operands[2]->def;
    bool restricted = false;
    if (!cmp || !restriction_of(cmp->op, false, false))
        return false;
    out->op = OFF_RANGE_UNION;
    return side_of(cx, select->operands[0], cmp, false, &out->sides[0], &restricted) &&
           side_of(cx, select->operands[1], cmp, true, &out->sides[1], &restricted) && restricted;
}

bool aff_range_of(struct aff_ctx *cx, struct ir_value *v, struct aff_range *out) {
    struct ir_inst *d = v->def;
    enum off_range_op op;
    *out = (struct aff_range){.op = OFF_RANGE_CONST};
    if (!d || v->type != IR_I32)
        return false;
    if (aff_multiple_of(v)) {
        out->op = OFF_RANGE_SHIFT;
        out->lo = (int32_t)aff_multiple_of(v);
        out->a = aff_of(cx, d->operands[0]);
        return out->a != NULL;
    }
    if (d->op == IR_BLOCK || d->op == IR_IF) {
        const struct edges *e = edges_of(cx, d);
        if (e->too_many || e->n != 2)
            return false;
        out->op = OFF_RANGE_UNION;
        for (unsigned k = 0; k < 2; k++) {
            out->sides[k].value = passed_value(cx, e->from[k], e->from[k]->operands[e->first[k] + v->index], d);
            if (!out->sides[k].value)
                return false;
        }
        return true;
    }
    if (d->op != IR_SELECT)
        return constant_range(d, &out->lo, &out->hi);
    if (!min_max_of(d, &op))
        return bounded_select(cx, d, out);
    out->op = (uint8_t)op;
    out->a = aff_of(cx, d->operands[0]);
    out->b = out->a ? aff_of(cx, d->operands[1]) : NULL;
    return out->b != NULL;
}

static void enter_loops(struct loop *l) {
    l->inst->note = l;
    for (struct loop *c = l->first_child; c; c = c->next)
        enter_loops(c);
}

static void leave_loops(struct loop *l) {
    l->inst->note = NULL;
    for (struct loop *c = l->first_child; c; c = c->next)
        leave_loops(c);
}

struct aff_ctx *aff_begin(struct arena *scratch, struct loop *root) {
    struct aff_ctx *cx = arena_new(scratch, struct aff_ctx);
    cx->arena = scratch;
    cx->root = root;
    cx->hoists_end = &cx->hoists;
    enter_loops(root);
    return cx;
}

void aff_end(struct aff_ctx *cx) {
    forget_from(cx, 0);
    while (cx->nnoted)
        cx->noted[--cx->nnoted]->note = NULL;
    leave_loops(cx->root);
}

/* ---- trip counts ---- */

bool aff_trip_of(struct aff_ctx *cx, struct loop *l, struct aff_trip *out) {
    if (l->shape == LOOP_OTHER)
        return false;
    struct ir_value *cond = l->test->operands[0];
    bool negate = l->exit_when_true; /* we want the condition to continue */
    const struct comparison *c = NULL;
    const struct aff *a, *b;
    for (;;) {
        struct ir_inst *d = cond->def;
        if (d && (d->op == IR_I32_EQZ || d->op == IR_I64_EQZ)) {
            negate = !negate;
            cond = d->operands[0];
            continue;
        }
        c = d ? find_comparison(d->op) : NULL;
        break;
    }
    if (c) {
        a = aff_of(cx, cond->def->operands[0]);
        b = aff_of(cx, cond->def->operands[1]);
    } else { /* the value itself: continue while it is not zero */
        c = find_comparison(IR_I32_NE);
        a = aff_of(cx, cond);
        b = aff_const(cx, bits_of(cond), 0);
    }
    if (!a || !b)
        return false;
    uint8_t rel = negate ? c->negated : c->rel;
    int iter = aff_iter_sym(cx, l);
    if (iter < 0 || rel == OFF_EQ)
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
    return aff_split(cx, a, (uint32_t)iter, &out->step, &out->init) && fixed_in_loop(cx, out->step, l) &&
           fixed_in_loop(cx, out->init, l) && fixed_in_loop(cx, b, l);
}

/* `a REL b` as something that is not zero.  A bound that the comparison includes is moved by one where it is a constant
 * that allows this: a >= 1 says that a is not 0. */
static const struct aff *nonzero_of(struct aff_ctx *cx, const struct aff *a, uint8_t rel, const struct aff *b) {
    uint64_t c, limit;
    const struct aff *difference = aff_sub(cx, a, b);
    uint64_t sign = (mask_of(a->bits) >> 1) + 1;
    switch (rel) {
    case OFF_TRIP_NE:
    case OFF_TRIP_LT_S:
    case OFF_TRIP_LT_U:
    case OFF_TRIP_GT_S:
    case OFF_TRIP_GT_U:
        return difference;
    case OFF_TRIP_LE_S:
    case OFF_TRIP_LE_U:
        limit = rel == OFF_TRIP_LE_S ? sign - 1 : mask_of(a->bits);
        return aff_is_const(b, &c) && c != limit ? aff_sub(cx, difference, aff_const(cx, a->bits, 1)) : NULL;
    case OFF_TRIP_GE_S:
    case OFF_TRIP_GE_U:
        limit = rel == OFF_TRIP_GE_S ? sign : 0;
        return aff_is_const(b, &c) && c != limit ? aff_add(cx, difference, aff_const(cx, a->bits, 1)) : NULL;
    default:
        return NULL;
    }
}

/* `cond` as *out_a REL *out_b, a constant being on the right; OFF_EQ: nothing useful. */
static uint8_t read_condition(struct aff_ctx *cx, struct ir_value *cond, bool is_true, const struct aff **out_a,
                              const struct aff **out_b) {
    struct ir_inst *d = cond->def;
    while (d && (d->op == IR_I32_EQZ || d->op == IR_I64_EQZ)) {
        is_true = !is_true;
        cond = d->operands[0];
        d = cond->def;
    }
    const struct comparison *c = d ? find_comparison(d->op) : NULL;
    if (!c) {
        *out_a = aff_of(cx, cond);
        *out_b = aff_const(cx, bits_of(cond), 0);
        return is_true && *out_a ? OFF_TRIP_NE : OFF_EQ;
    }
    *out_a = aff_of(cx, d->operands[0]);
    *out_b = *out_a ? aff_of(cx, d->operands[1]) : NULL;
    uint8_t rel = is_true ? c->rel : c->negated;
    uint64_t constant;
    if (!*out_b || rel == OFF_EQ || !aff_is_const(*out_a, &constant))
        return *out_b ? rel : OFF_EQ;
    const struct aff *a = *out_a;
    *out_a = *out_b;
    *out_b = a;
    return swap_rel(rel);
}

const struct aff *aff_nonzero_when(struct aff_ctx *cx, struct ir_value *cond, bool is_true) {
    const struct aff *a, *b;
    uint8_t rel = read_condition(cx, cond, is_true, &a, &b);
    return rel == OFF_EQ ? NULL : nonzero_of(cx, a, rel, b);
}

bool aff_at_least_when(struct aff_ctx *cx, struct ir_value *cond, bool is_true, struct aff_at_least *out) {
    const struct aff *a, *b;
    uint8_t rel = read_condition(cx, cond, is_true, &a, &b);
    bool more = rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GT_U;
    if ((!more && rel != OFF_TRIP_GE_S && rel != OFF_TRIP_GE_U) || !aff_is_const(b, &out->least))
        return false;
    out->expr = a;
    out->is_signed = rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GE_S;
    if (more && out->least == (out->is_signed ? mask_of(a->bits) >> 1 : mask_of(a->bits)))
        return false;
    out->least += more;
    return true;
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
    if (aff_trip_of(cx, l, &trip) && trip.rel == OFF_TRIP_NE && trip.bits == a->bits &&
        aff_is_const(trip.step, &step) && step) {
        int64_t s = trip.bits == 32 ? (int32_t)step : (int64_t)step;
        if (aff_is_const(coef, &c)) {
            int64_t k = a->bits == 32 ? (int32_t)c : (int64_t)c;
            if (s != INT64_MIN && k % s == 0)
                return aff_add(cx, rest, aff_scale(cx, aff_sub(cx, trip.bound, trip.init), (uint64_t)(k / s)));
        } else if (s == 1 || s == -1) {
            const struct aff *k = aff_scale(cx, aff_sub(cx, trip.bound, trip.init), (uint64_t)s);
            return aff_add(cx, rest, aff_mul(cx, coef, k));
        }
    }
    return top ? NULL : a; /* bottom-tested: the last iteration is one of them */
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
