/* Brings lanes and the scalar code beside them into one form.
 *
 * A vectoriser computes in lanes as narrow as it can and puts masks and clamps where the scalar code has none, or has
 * others.  What can be told of the range of values shows that most of them do nothing:
 *
 *     (load8_u + load8_u + load8_u) & 0xffff        the sum is at most 765
 *     max(min(x & 255, 255), 0)                     x & 255 is between the two
 *     store8 (x & 255)                              the store cuts x itself
 *
 * Lanes of a vector that counts are counters a constant apart; one is enough.  And an absolute value is written in one
 * way. */
#include "ir/offload/reroll_tidy.h"

#include "ir/analysis/loops.h"
#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/offload/reroll_impl.h"

enum { MAX_DEPTH = 40, MAX_MADE = 4 /* values, in the place of one */ };

/* An i32 as a signed number. */
struct range {
    bool known;
    int64_t lo, hi;
};

struct tidier {
    struct range *ranges; /* by value id */
    uint32_t nranges;
};

/* ---- ranges ---- */

static const struct range anything = {true, INT32_MIN, INT32_MAX};

static struct range span(int64_t lo, int64_t hi) {
    return lo < INT32_MIN || hi > INT32_MAX ? anything : (struct range){true, lo, hi};
}

static struct range range_of(struct tidier *t, const struct ir_value *v, unsigned depth);

static bool const_of(const struct ir_value *v, int32_t *out) {
    const union ir_bits *c = v->type == IR_I32 ? ir_const_of(v) : NULL;
    if (c)
        *out = (int32_t)c->i32;
    return c != NULL;
}

static struct range product(struct range a, struct range b) {
    int64_t p[4] = {a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi}, lo = p[0], hi = p[0];
    for (unsigned k = 1; k < 4; k++) {
        lo = p[k] < lo ? p[k] : lo;
        hi = p[k] > hi ? p[k] : hi;
    }
    return span(lo, hi);
}

/* By what the chosen side's test says of it, where the test compares it with a constant. */
static struct range narrow(const struct ir_value *v, struct range r, const struct ir_inst *test, bool holds) {
    int32_t c;
    if (!test || test->noperands != 2 || test->operands[0] != v || !const_of(test->operands[1], &c))
        return r;
    int64_t lo = r.lo, hi = r.hi;
    switch (test->op) {
    case IR_I32_LT_S:
        if (holds)
            hi = hi < c ? hi : (int64_t)c - 1;
        else
            lo = lo > c ? lo : c;
        break;
    case IR_I32_GT_S:
        if (holds)
            lo = lo > c ? lo : (int64_t)c + 1;
        else
            hi = hi < c ? hi : c;
        break;
    case IR_I32_LT_U:
        if (holds && c >= 0) {
            lo = lo > 0 ? lo : 0;
            hi = hi < c ? hi : (int64_t)c - 1;
        }
        break;
    default:
        break;
    }
    return lo <= hi ? (struct range){true, lo, hi} : r;
}

static struct range range_of_select(struct tidier *t, const struct ir_inst *i, unsigned depth) {
    const struct ir_inst *test = i->operands[2]->def;
    struct range a = narrow(i->operands[0], range_of(t, i->operands[0], depth), test, true);
    struct range b = narrow(i->operands[1], range_of(t, i->operands[1], depth), test, false);
    return span(a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi);
}

/* Operations with a constant on the right. */
static struct range range_by_const(const struct ir_inst *i, struct range a, int32_t c) {
    unsigned n = (unsigned)c & 31;
    switch (i->op) {
    case IR_I32_AND:
        return c < 0 ? anything : span(0, a.lo >= 0 && a.hi < c ? a.hi : c);
    case IR_I32_SHL:
        return product(a, span(INT64_C(1) << n, INT64_C(1) << n));
    case IR_I32_SHR_S:
        return span(a.lo >> n, a.hi >> n);
    case IR_I32_SHR_U:
        return a.lo >= 0 || !n ? span(a.lo >> n, a.hi >> n) : span(0, UINT32_MAX >> n);
    case IR_I32_DIV_U:
        return a.lo >= 0 && c > 0 ? span(a.lo / c, a.hi / c) : anything;
    case IR_I32_DIV_S:
        return c > 0 ? span(a.lo / c, a.hi / c) : anything;
    default:
        return anything;
    }
}

static struct range range_of_inst(struct tidier *t, const struct ir_inst *i, unsigned depth) {
    int32_t c;
    struct range a, b;
    switch (i->op) {
    case IR_I32_LOAD8_U:
        return span(0, UINT8_MAX);
    case IR_I32_LOAD8_S:
        return span(INT8_MIN, INT8_MAX);
    case IR_I32_LOAD16_U:
        return span(0, UINT16_MAX);
    case IR_I32_LOAD16_S:
        return span(INT16_MIN, INT16_MAX);
    case IR_I32_EXTEND8_S:
    case IR_I32_EXTEND16_S:
        a = range_of(t, i->operands[0], depth);
        b = i->op == IR_I32_EXTEND8_S ? span(INT8_MIN, INT8_MAX) : span(INT16_MIN, INT16_MAX);
        return a.lo >= b.lo && a.hi <= b.hi ? a : b;
    case IR_SELECT:
        return range_of_select(t, i, depth);
    case IR_I32_ADD:
    case IR_I32_SUB:
    case IR_I32_MUL:
        a = range_of(t, i->operands[0], depth);
        b = range_of(t, i->operands[1], depth);
        return i->op == IR_I32_ADD   ? span(a.lo + b.lo, a.hi + b.hi)
               : i->op == IR_I32_SUB ? span(a.lo - b.hi, a.hi - b.lo)
                                     : product(a, b);
    case IR_I32_AND:
    case IR_I32_SHL:
    case IR_I32_SHR_S:
    case IR_I32_SHR_U:
    case IR_I32_DIV_S:
    case IR_I32_DIV_U:
        return const_of(i->operands[1], &c) ? range_by_const(i, range_of(t, i->operands[0], depth), c) : anything;
    case IR_I32_EQZ:
    case IR_I32_EQ:
    case IR_I32_NE:
    case IR_I32_LT_S:
    case IR_I32_LT_U:
    case IR_I32_GT_S:
    case IR_I32_GT_U:
    case IR_I32_LE_S:
    case IR_I32_LE_U:
    case IR_I32_GE_S:
    case IR_I32_GE_U:
    case IR_F32_EQ:
    case IR_F32_NE:
    case IR_F32_LT:
    case IR_F32_GT:
    case IR_F32_LE:
    case IR_F32_GE:
    case IR_F64_EQ:
    case IR_F64_NE:
    case IR_F64_LT:
    case IR_F64_GT:
    case IR_F64_LE:
    case IR_F64_GE:
        return span(0, 1);
    default:
        return anything;
    }
}

static struct range range_of(struct tidier *t, const struct ir_value *v, unsigned depth) {
    int32_t c;
    if (v->type != IR_I32)
        return anything;
    if (const_of(v, &c))
        return span(c, c);
    if (v->id < t->nranges && t->ranges[v->id].known)
        return t->ranges[v->id];
    struct range r = v->def && depth < MAX_DEPTH ? range_of_inst(t, v->def, depth + 1) : anything;
    if (v->id < t->nranges)
        t->ranges[v->id] = r;
    return r;
}

/* ---- what does nothing ---- */

/* 0 or 1; -1: it depends. */
static int decide(struct tidier *t, const struct ir_inst *i) {
    struct range a = range_of(t, i->operands[0], 0), b = range_of(t, i->operands[1], 0);
    switch (i->op) {
    case IR_I32_LT_S:
        return a.hi < b.lo ? 1 : a.lo >= b.hi ? 0 : -1;
    case IR_I32_GT_S:
        return a.lo > b.hi ? 1 : a.hi <= b.lo ? 0 : -1;
    default:
        return -1;
    }
}

/* x where `v` is 0 - x, and x is 0 or 1. */
static struct ir_value *negated_truth(struct tidier *t, const struct ir_value *v) {
    int32_t c;
    if (!v->def || v->def->op != IR_I32_SUB || !const_of(v->def->operands[0], &c) || c)
        return NULL;
    struct range r = range_of(t, v->def->operands[1], 0);
    return r.lo >= 0 && r.hi <= 1 ? v->def->operands[1] : NULL;
}

/* (x ^ s) - s with s = x >> 31: the absolute value.  The x, or NULL. */
static struct ir_value *absolute_of(const struct ir_inst *i) {
    int32_t c;
    struct ir_value *s = i->operands[1];
    const struct ir_inst *flip = i->operands[0]->def;
    if (!flip || flip->op != IR_I32_XOR || !s->def || s->def->op != IR_I32_SHR_S ||
        !const_of(s->def->operands[1], &c) || c != 31)
        return NULL;
    struct ir_value *x = s->def->operands[0];
    bool fits =
        (flip->operands[0] == x && flip->operands[1] == s) || (flip->operands[0] == s && flip->operands[1] == x);
    return fits ? x : NULL;
}

/* What may stand in the place of the result of `i`; NULL: nothing simpler. */
static struct ir_value *simpler(struct tidier *t, struct ir_inst *i) {
    struct ir_builder b = ir_builder_before(i);
    b.wasm_offset = i->wasm_offset;
    struct range r;
    struct ir_value *x;
    int32_t c;
    switch (i->op) {
    case IR_I32_AND:
        if (!const_of(i->operands[1], &c) || c < 0 || (c & (c + 1)))
            return NULL;
        r = range_of(t, i->operands[0], 0);
        return r.lo >= 0 && r.hi <= c ? i->operands[0] : c == 1 ? negated_truth(t, i->operands[0]) : NULL;
    case IR_I32_EXTEND8_S:
        r = range_of(t, i->operands[0], 0);
        return r.lo >= INT8_MIN && r.hi <= INT8_MAX ? i->operands[0] : NULL;
    case IR_I32_EXTEND16_S:
        r = range_of(t, i->operands[0], 0);
        return r.lo >= INT16_MIN && r.hi <= INT16_MAX ? i->operands[0] : NULL;
    case IR_I32_LT_S:
    case IR_I32_GT_S:
        c = decide(t, i);
        return c < 0 ? NULL : ir_build_i32(&b, (uint32_t)c);
    case IR_SELECT:
        return !const_of(i->operands[2], &c) ? NULL : i->operands[c == 0];
    case IR_I32_SUB:
        x = absolute_of(i);
        if (!x)
            return NULL;
        struct ir_value *zero = ir_build_i32(&b, 0);
        return ir_build_select(&b, ir_build_simple(&b, IR_I32_SUB, zero, x), x,
                               ir_build_simple(&b, IR_I32_LT_S, x, zero));
    default:
        return NULL;
    }
}

/* A narrow store needs no mask. */
static void bare_store(struct ir_inst *i) {
    unsigned bits = i->op == IR_I32_STORE8 ? 8 : i->op == IR_I32_STORE16 ? 16 : 0;
    for (struct ir_inst *d = bits ? i->operands[1]->def : NULL; d; d = i->operands[1]->def) {
        int32_t c;
        int32_t low = (int32_t)((UINT32_C(1) << bits) - 1);
        bool keeps = (d->op == IR_I32_AND && const_of(d->operands[1], &c) && (c & low) == low) ||
                     d->op == IR_I32_EXTEND16_S || (d->op == IR_I32_EXTEND8_S && bits == 8);
        if (!keeps)
            return;
        i->operands[1] = d->operands[0];
    }
}

static void tidy_region(struct tidier *t, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        ir_foreach_region (inner, i)
            tidy_region(t, inner);
        bare_store(i);
        struct ir_value *v = i->nresults == 1 && i->results[0].type == IR_I32 ? simpler(t, i) : NULL;
        if (v)
            i->results[0].fwd = v;
    }
}

/* ---- counters ---- */

/* Whether a - b is the same number whichever way control comes. */
static bool difference(struct ir_value *a, struct ir_value *b, uint32_t *out) {
    struct lin x, y;
    if (lin_of(a, &x) && lin_of(b, &y) && lin_add(&x, &y, UINT64_MAX) && !x.n) {
        *out = (uint32_t)x.c;
        return true;
    }
    uint32_t other;
    struct ir_inst *i = a->def;
    if (!i || i->op != IR_IF || b->def != i || !ir_falls_out(i->regions[0]) || !ir_falls_out(i->regions[1]))
        return false;
    struct ir_value **one = i->regions[0]->last->operands, **two = i->regions[1]->last->operands;
    return difference(one[a->index], one[b->index], out) && difference(two[a->index], two[b->index], &other) &&
           *out == other;
}

/* The constant by which parameter `k` grows in each iteration. */
static bool read_step(const struct loop *l, uint32_t k, uint32_t *out_step) {
    struct ir_value *p = l->inst->regions[0]->params[k];
    const struct ir_inst *next = p->type == IR_I32 ? loop_next_value(l, k)->def : NULL;
    int32_t step;
    if (!next || next->op != IR_I32_ADD || next->operands[0] != p || !const_of(next->operands[1], &step) || !step)
        return false;
    *out_step = (uint32_t)step;
    return true;
}

/* Whether parameter `k` is always parameter `i` and *out_more: both move alike, or it holds what `i` was before. */
static bool follows(const struct loop *l, uint32_t k, uint32_t i, uint32_t *out_more) {
    struct ir_region *body = l->inst->regions[0];
    uint32_t step, own;
    if (k == i || body->params[i]->fwd || body->params[k]->type != IR_I32 || !read_step(l, i, &step))
        return false;
    bool lags = loop_next_value(l, k) == body->params[i];
    if ((!lags && (k < i || !read_step(l, k, &own) || own != step)) ||
        !difference(l->inst->operands[k], l->inst->operands[i], out_more))
        return false;
    return !lags || *out_more == 0 - step;
}

static void merge_counters(struct loop *l) {
    struct ir_region *body = l->inst->regions[0];
    struct ir_builder b = ir_builder_before(body->first);
    b.wasm_offset = l->inst->wasm_offset;
    for (uint32_t k = 0; k < body->nparams; k++)
        for (uint32_t i = 0; i < body->nparams; i++) {
            uint32_t more;
            if (!follows(l, k, i, &more))
                continue;
            body->params[k]->fwd = ir_build_simple(&b, IR_I32_ADD, body->params[i], ir_build_i32(&b, more));
            break;
        }
}

static void clear_notes(struct ir_region *r) {
    for (uint32_t k = 0; k < r->nparams; k++)
        r->params[k]->fwd = NULL;
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->nresults; k++)
            i->results[k].fwd = NULL;
        ir_foreach_region (inner, i)
            clear_notes(inner);
    }
}

void reroll_tidy(struct arena *scratch, struct ir_func *f) {
    struct loop_tree *tree = loop_tree_build(scratch, f);
    for (uint32_t k = 0; k < tree->nloops; k++)
        if (tree->loops[k].shape == LOOP_BOTTOM_YIELD && tree->loops[k].nback_edges == 1)
            merge_counters(&tree->loops[k]);
    ir_resolve_operands(f->body);
    uint32_t nranges = (1 + MAX_MADE) * (f->next_id + 1);
    struct tidier t = {.ranges = arena_array(scratch, struct range, nranges), .nranges = nranges};
    tidy_region(&t, f->body);
    ir_resolve_operands(f->body);
    clear_notes(f->body);
}
