/* Loads behind a test of what their address is made of: padded convolutions, stencils that leave out the border.
 *
 *     for (y) for (k) {
 *       int row = y + k - 1;
 *       if (row < 0 || row >= h) continue;
 *       sum += in[row * w + x];
 *     }
 *
 * The address is linear in y, k and x, but the box around all iterations reaches one row beyond `in` on either side,
 * and so into the array that the nest writes, where arrays lie next to each other.  Where the load runs, though, the
 * tests say that 0 <= row < h.  So the address is written anew, with row as one value of that range:
 *
 *     in - 4w + 4w*y + 4w*k + 4*x    =>    in + 4w*row + 4*x,    row from max(-1, 0) to min(h, h - 1)
 *
 * Both forms hold for every load that is executed, modulo 2^32; an interval that might wrap counts as any value.  The
 * new one bounds better but forgets which iteration reads which row, so an access that may have to be told apart from a
 * store to the same array keeps the old one.
 */
#include "ir/offload/plan_internal.h"

#include <string.h>

enum { MAX_FACTS = 24, MAX_CLIPS = 16 };

/* `expr` compares with `bound` as `op` says, or is the minimum or maximum of both. */
struct fact {
    const struct aff *expr, *bound;
    enum off_range_op op;
};

struct facts {
    struct plan *p;
    struct fact all[MAX_FACTS];
    uint32_t n;
};

/* A range dimension that was made for another load. */
struct clip {
    const struct aff *expr;
    struct fact facts[MAX_FACTS];
    uint32_t nfacts;
    int dim;
};

static void add_fact(struct facts *f, const struct aff *expr, enum off_range_op op, const struct aff *bound) {
    if (f->n < MAX_FACTS && expr && bound && expr->bits == 32 && bound->bits == 32 &&
        !aff_is_invariant(f->p->aff, expr) && aff_is_invariant(f->p->aff, bound))
        f->all[f->n++] = (struct fact){expr, bound, op};
}

/* a < b, a <= b and so on, by the sign. */
static void add_signed(struct facts *f, const struct aff *a, const struct aff *b, bool or_equal) {
    add_fact(f, a, or_equal ? OFF_RANGE_LE_S : OFF_RANGE_LT_S, b);
    add_fact(f, b, or_equal ? OFF_RANGE_GE_S : OFF_RANGE_GT_S, a);
}

/* Without sign: a < b says a = min(a, b - 1) and b = max(b, a + 1), where the sums do not wrap because a < b. */
static void add_unsigned(struct facts *f, const struct aff *a, const struct aff *b, bool or_equal) {
    const struct aff *one = aff_const(f->p->aff, 32, or_equal ? 0 : 1);
    if (!a || !b || a->bits != 32 || b->bits != 32)
        return;
    add_fact(f, a, OFF_RANGE_MIN_U, aff_sub(f->p->aff, b, one));
    add_fact(f, b, OFF_RANGE_MAX_U, aff_add(f->p->aff, a, one));
}

static void add_nonzero(struct facts *f, struct ir_value *v) {
    if (v->type == IR_I32)
        add_fact(f, aff_of(f->p->aff, v), OFF_RANGE_MAX_U, aff_const(f->p->aff, 32, 1));
}

/* What `cond` being true, or false, says. */
static void add_cond(struct facts *f, struct ir_value *cond, bool is_true, unsigned depth) {
    cond = ir_resolve(cond);
    const struct ir_inst *i = cond->def;
    if (!i || depth > 8)
        return;
    const struct aff *a = NULL, *b = NULL;
    if (i->noperands == 2 && i->operands[0]->type == IR_I32) {
        a = aff_of(f->p->aff, i->operands[0]);
        b = aff_of(f->p->aff, i->operands[1]);
    }
    switch (i->op) {
    case IR_I32_EQZ:
        add_cond(f, i->operands[0], !is_true, depth + 1);
        return;
    case IR_I32_AND: /* both, when true */
    case IR_I32_OR:  /* neither, when false */
        if (is_true == (i->op == IR_I32_AND)) {
            add_cond(f, i->operands[0], is_true, depth + 1);
            add_cond(f, i->operands[1], is_true, depth + 1);
        }
        return;
    case IR_I32_LT_S:
    case IR_I32_GE_S:
        if (is_true == (i->op == IR_I32_LT_S))
            add_signed(f, a, b, false);
        else
            add_signed(f, b, a, true);
        return;
    case IR_I32_GT_S:
    case IR_I32_LE_S:
        if (is_true == (i->op == IR_I32_GT_S))
            add_signed(f, b, a, false);
        else
            add_signed(f, a, b, true);
        return;
    case IR_I32_LT_U:
    case IR_I32_GE_U:
        if (is_true == (i->op == IR_I32_LT_U))
            add_unsigned(f, a, b, false);
        else
            add_unsigned(f, b, a, true);
        return;
    case IR_I32_GT_U:
    case IR_I32_LE_U:
        if (is_true == (i->op == IR_I32_GT_U))
            add_unsigned(f, b, a, false);
        else
            add_unsigned(f, a, b, true);
        return;
    default:
        if (is_true)
            add_nonzero(f, cond);
    }
}

/* All tests passed on the way to `i` inside the root, but for those that count iterations: the box has these. */
static void find_facts(struct facts *f, const struct ir_inst *i) {
    for (const struct ir_inst *at = i; at != f->p->root->inst; at = at->parent->parent) {
        for (const struct ir_inst *b = at->prev; b; b = b->prev)
            if (b->op == IR_BR_IF && !plan_is_test(f->p, b))
                add_cond(f, b->operands[0], false, 0);
        const struct ir_inst *around = at->parent->parent;
        if (around->op == IR_IF && !plan_is_test(f->p, around))
            add_cond(f, around->operands[0], at->parent == around->regions[0], 0);
    }
}

/* cur = *out_factor * expr + *out_rest, where no number of an iteration that is in `expr` is left in the rest. */
static bool take_out(struct plan *p, const struct aff *cur, const struct aff *expr, const struct aff **out_factor,
                     const struct aff **out_rest) {
    for (uint32_t s = 0; s < aff_nsyms(p->aff); s++) {
        const struct aff *c, *q, *rest;
        uint64_t one;
        if (aff_sym(p->aff, s)->kind == AFF_VALUE || !aff_has_sym(expr, s))
            continue;
        if (!aff_split(p->aff, expr, s, &c, &rest) || !aff_is_const(c, &one) ||
            (one != 1 && (uint32_t)one != UINT32_MAX) || !aff_has_sym(cur, s) ||
            !aff_split(p->aff, cur, s, &q, &rest) || !aff_is_invariant(p->aff, q))
            continue;
        *out_factor = aff_scale(p->aff, q, one);
        *out_rest = aff_sub(p->aff, cur, aff_mul(p->aff, *out_factor, expr));
        if (!*out_factor || !*out_rest)
            return false;
        for (uint32_t t = 0; t < aff_nsyms(p->aff); t++)
            if (aff_sym(p->aff, t)->kind != AFF_VALUE && aff_has_sym(expr, t) && aff_has_sym(*out_rest, t))
                return false;
        return true;
    }
    return false;
}

/* A pointer that both contain with coefficient one. */
static bool share_pointer(const struct plan *p, const struct aff *a, const struct aff *b) {
    for (uint32_t i = 0; i < a->nterms; i++)
        for (uint32_t j = 0; j < b->nterms; j++)
            if (a->terms[i].degree == 1 && b->terms[j].degree == 1 && a->terms[i].coef == 1 && b->terms[j].coef == 1 &&
                a->terms[i].syms[0] == b->terms[j].syms[0] && aff_sym(p->aff, a->terms[i].syms[0])->kind == AFF_VALUE)
                return true;
    return false;
}

static bool has_pointer(const struct plan *p, const struct aff *a) {
    for (uint32_t i = 0; i < a->nterms; i++)
        if (a->terms[i].degree == 1 && a->terms[i].coef == 1 && aff_sym(p->aff, a->terms[i].syms[0])->kind == AFF_VALUE)
            return true;
    return false;
}

/* Whether some store may go to the array that the load reads, going by its address: where exactness counts. */
static bool is_stored_to(struct plan *p, const struct aff *address) {
    for (uint32_t i = 0; i < p->naccesses; i++) {
        const struct plan_access *w = &p->accesses[i];
        if (!w->desc.write)
            continue;
        const struct aff *to = aff_of(p->aff, w->inst->operands[0]);
        const struct aff *apart = to ? aff_sub(p->aff, address, to) : NULL;
        if (!apart || share_pointer(p, address, to) ||
            (!has_pointer(p, address) && !has_pointer(p, to) && aff_is_invariant(p->aff, apart)))
            return true;
    }
    return false;
}

static bool same_facts(const struct clip *c, const struct aff *expr, const struct fact *facts, uint32_t n) {
    bool same = c->nfacts == n && aff_equal(c->expr, expr);
    for (uint32_t i = 0; same && i < n; i++)
        same = c->facts[i].op == facts[i].op && aff_equal(c->facts[i].bound, facts[i].bound);
    return same;
}

/* The dimension that stands for `expr` under what is known of it; -1: there is none. */
static int clip_dim(struct plan *p, struct clip *clips, uint32_t *nclips, const struct aff *expr,
                    const struct facts *known, const struct ir_inst *at) {
    struct clip made = {.expr = expr};
    for (uint32_t i = 0; i < known->n; i++)
        if (aff_equal(known->all[i].expr, expr))
            made.facts[made.nfacts++] = known->all[i];
    for (uint32_t k = 0; k < *nclips; k++)
        if (same_facts(&clips[k], expr, made.facts, made.nfacts))
            return clips[k].dim;
    int range = *nclips < MAX_CLIPS ? plan_range_of_expr(p, expr) : -1;
    for (uint32_t i = 0; i < made.nfacts && range >= 0; i++)
        range = plan_combine_ranges(p, made.facts[i].op, range, plan_range_of_expr(p, made.facts[i].bound));
    made.dim = range < 0 ? -1 : plan_range_dim(p, -1, (uint32_t)range, at->wasm_offset);
    if (made.dim >= 0)
        clips[(*nclips)++] = made;
    return made.dim;
}

/* False: the access stays as it is. */
static bool clip_load(struct plan *p, struct plan_access *x, struct clip *clips, uint32_t *nclips) {
    const struct aff *cur = aff_of(p->aff, x->inst->operands[0]);
    struct facts known = {.p = p};
    if (!cur || is_stored_to(p, cur))
        return false;
    find_facts(&known, x->inst);
    struct plan_access made = *x;
    const struct aff *clipped[OFF_MAX_DIMS] = {0};
    bool any = false;
    for (uint32_t i = 0; i < known.n; i++) {
        const struct aff *factor, *rest;
        if (!take_out(p, cur, known.all[i].expr, &factor, &rest))
            continue;
        int d = clip_dim(p, clips, nclips, known.all[i].expr, &known, x->inst);
        if (d < 0 || clipped[d])
            continue;
        clipped[d] = factor;
        cur = rest;
        any = true;
    }
    if (!any || !plan_place_access(p, &made, cur, clipped))
        return false;
    *x = made;
    return true;
}

void plan_clip_loads(struct plan *p) {
    struct clip *clips = arena_array(p->arena, struct clip, MAX_CLIPS);
    uint32_t nclips = 0;
    for (uint32_t i = 0; i < p->naccesses; i++) {
        struct plan_access *x = &p->accesses[i];
        if (x->desc.write || x->private_group || x->delayed || x->desc.copy || x->desc.declared || x->reread)
            continue;
        /* Dimensions that a clip has made stay: others may share them. */
        enum off_reject why = p->reject;
        (void)clip_load(p, x, clips, &nclips);
        p->reject = why;
    }
}
