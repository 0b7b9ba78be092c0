/* Whether a loop body is the same thing several times over, for neighbouring elements.
 *
 *     %v0 = load %p             f32.store %q, f(%v0)              the first copy
 *     %p1 = add %p, 4
 *     %v1 = load %p1            f32.store (add %q, 4), f(%v1)     the second: everything one element further
 *
 * The stores are the roots.  Each store of the first copy has a partner in every other; from there operands are
 * followed in step.  Two integers that are sums of loop parameters and values from outside must differ by just what the
 * parameters move by for one element.  All else must be the same operation on partners, where either order of operands
 * will do for those that commute.  A parameter that is no counter holds what an earlier element left: its partner in
 * the second copy is a value of the first copy, and it must go on like that, to the value that the loop hands to its
 * next iteration.
 *
 * A load may be the partner of several (neighbours of a stencil share them), and copies may be interleaved in any way:
 * the rolled loop only runs where no element touches what another one writes.  But within one copy, loads and stores
 * must stand in the same order, and none under a condition in the first copy alone.  And every load, store and trap of
 * the body must belong to some copy. */
#include <string.h>

#include "ir/ir_effects.h"
#include "ir/offload/reroll_impl.h"

enum { MAX_DEPTH = 64, MAX_ROOTS = 96, MAX_STEPS = 50000 };

struct matcher {
    struct reroll_loop *u;
    struct reroll_rest *rest; /* NULL: among the copies */
    unsigned depth;
    unsigned steps; /* both orders of each operation are tried, which can take for ever */
};

struct mark {
    uint32_t npairs;
    struct ir_value *carried[REROLL_MAX_PARAMS];
};

static bool match(struct matcher *m, struct ir_value *a, struct ir_value *b, uint32_t copy);

static struct mark mark_of(const struct matcher *m) {
    struct mark k = {.npairs = m->u->npairs};
    for (uint32_t i = 0; i < REROLL_MAX_PARAMS; i++)
        k.carried[i] = m->u->params[i].carried;
    return k;
}

static void undo(struct matcher *m, const struct mark *k) {
    m->u->npairs = k->npairs;
    for (uint32_t i = 0; i < REROLL_MAX_PARAMS; i++)
        m->u->params[i].carried = k->carried[i];
}

static bool add_pair(struct matcher *m, struct ir_value *a, struct ir_value *b, struct ir_inst *ia, struct ir_inst *ib,
                     uint32_t copy) {
    if (m->u->npairs == REROLL_MAX_PAIRS)
        return false;
    m->u->pairs[m->u->npairs++] = (struct reroll_pair){.a = a, .b = b, .ia = ia, .ib = ib, .copy = copy};
    return true;
}

static bool is_paired(const struct matcher *m, const struct ir_value *a, const struct ir_value *b, uint32_t copy) {
    for (uint32_t k = 0; k < m->u->npairs; k++) {
        const struct reroll_pair *p = &m->u->pairs[k];
        if (p->a == a && p->b == b && p->copy == copy)
            return true;
    }
    return false;
}

static const struct ir_region *region_of(const struct ir_value *v) {
    return v->def ? v->def->parent : v->region;
}

static bool is_in_region(const struct ir_region *r, const struct ir_value *v) {
    for (const struct ir_region *x = region_of(v); x; x = x->parent ? x->parent->parent : NULL)
        if (x == r)
            return true;
    return false;
}

static bool is_in_first(const struct matcher *m, const struct ir_value *v) {
    return loop_contains_value(m->u->loop, v);
}

static bool is_in_other(const struct matcher *m, const struct ir_value *v) {
    return m->rest ? is_in_region(m->rest->body, v) : is_in_first(m, v);
}

/* ---- integers that are sums ---- */

/* What `a` grows by from one element to the next; false: it has parts that are no counters. */
static bool growth_of(const struct matcher *m, const struct lin *a, struct lin *out) {
    *out = (struct lin){.wide = a->wide};
    for (uint32_t k = 0; k < a->n; k++) {
        struct ir_value *v = a->t[k].v;
        if (!is_in_first(m, v))
            continue;
        if (v->def || v->region->parent != m->u->loop->inst || !m->u->params[v->index].moves ||
            !lin_add(out, &m->u->params[v->index].step, a->t[k].coef))
            return false;
    }
    return true;
}

/* Whether the sum is 0: as it stands, or by what loops around say of its terms. */
static bool is_zero(const struct matcher *m, const struct lin *d) {
    return lin_is_zero(d) || (m->rest && m->rest->aff && reroll_is_zero(m->rest->aff, d));
}

/* Values of the first copy at the rest's first element. */
static bool move_to_rest(const struct matcher *m, struct lin *a) {
    struct ir_region *r = m->u->loop->inst->regions[0];
    for (uint32_t k = 0; k < r->nparams; k++) {
        uint64_t coef = lin_take(a, r->params[k]);
        if (coef && !lin_add(a, &m->rest->start[k], coef))
            return false;
    }
    return true;
}

static bool know_better(const struct matcher *m, struct lin *a) {
    for (uint32_t k = 0; k < m->rest->nfrom; k++) {
        uint64_t coef = lin_take(a, m->rest->from[k]);
        if (coef && !lin_add(a, &m->rest->to[k], coef))
            return false;
    }
    return true;
}

/* Whether the value is the same for all elements of the rest. */
static bool is_fixed(const struct matcher *m, const struct ir_value *v, unsigned depth) {
    if (!is_in_other(m, v))
        return true;
    bool fixed = v->def && depth < 8 && ir_is_pure(v->def) && !ir_nregions(v->def);
    for (uint32_t k = 0; fixed && k < v->def->noperands; k++)
        fixed = is_fixed(m, v->def->operands[k], depth + 1);
    return fixed;
}

/* A sum of the rest at its first element, and what it grows by. */
static bool start_rest(const struct matcher *m, struct lin *b, struct lin *out_growth) {
    *out_growth = (struct lin){.wide = b->wide};
    struct loop *l = m->rest->loop;
    for (uint32_t k = 0; l && k < l->inst->regions[0]->nparams; k++) {
        struct lin init, step;
        uint64_t coef = lin_take(b, l->inst->regions[0]->params[k]);
        if (coef &&
            (!reroll_step_of(l, k, &step) || (m->rest->unrolled && !lin_divide(&step, m->rest->unrolled->copies)) ||
             !lin_of(l->inst->operands[k], &init) || !lin_add(out_growth, &step, coef) || !lin_add(b, &init, coef)))
            return false;
    }
    for (uint32_t k = 0; k < b->n; k++)
        if (!is_fixed(m, b->t[k].v, 0))
            return false;
    return know_better(m, b);
}

enum answer { NO, YES, NO_SUM };

static enum answer compare_sums(const struct matcher *m, struct lin la, struct lin lb, uint32_t copy) {
    struct lin growth, other;
    if (!growth_of(m, &la, &growth))
        return NO_SUM;
    if (m->rest) {
        if (!start_rest(m, &lb, &other))
            return NO_SUM;
        return (!m->rest->loop || lin_equal(&growth, &other)) && move_to_rest(m, &la) && know_better(m, &la) &&
                       lin_add(&lb, &la, UINT64_MAX) && is_zero(m, &lb)
                   ? YES
                   : NO;
    }
    return growth_of(m, &lb, &other) && lin_add(&lb, &la, UINT64_MAX) && lin_add(&lb, &growth, -(uint64_t)copy) &&
                   lin_is_zero(&lb)
               ? YES
               : NO;
}

/* An `or` that adds in the unrolled loop, where the counter is a multiple of the number of copies, does not in the
 * rolled one.  There it has to become a sum (make_sums in reroll_build.c), so that it may not be matched as anything
 * else. */
static enum answer match_sums(const struct matcher *m, struct ir_value *a, struct ir_value *b, uint32_t copy) {
    struct lin la, lb, growth;
    if (!lin_of(a, &la) || !growth_of(m, &la, &growth))
        return NO_SUM;
    enum answer none = la.ored && is_in_first(m, a) ? NO : NO_SUM;
    enum answer answer = lin_of(b, &lb) ? compare_sums(m, la, lb, copy) : NO_SUM;
    return answer == NO_SUM ? none : answer;
}

bool reroll_is_sum(const struct reroll_loop *u, struct ir_value *v, struct lin *out) {
    struct matcher m = {.u = (struct reroll_loop *)u};
    struct lin growth;
    return lin_of(v, out) && growth_of(&m, out, &growth);
}

static bool is_counter(const struct matcher *m, const struct ir_value *v, bool first) {
    if (v->def)
        return false;
    if (first || !m->rest)
        return v->region->parent == m->u->loop->inst && m->u->params[v->index].moves;
    struct lin step;
    return m->rest->loop && v->region->parent == m->rest->loop->inst && reroll_step_of(m->rest->loop, v->index, &step);
}

/* Takes one term with the partner of `t` out of `b`. */
static bool take_partner(struct matcher *m, const struct lin_term *t, struct lin *b, uint32_t copy) {
    for (uint32_t k = 0; k < b->n; k++) {
        struct mark before = mark_of(m);
        if (b->t[k].coef != t->coef || !is_in_other(m, b->t[k].v) || is_counter(m, b->t[k].v, false))
            continue;
        if (match(m, t->v, b->t[k].v, copy)) {
            b->t[k] = b->t[--b->n];
            return true;
        }
        undo(m, &before);
    }
    return false;
}

/* Sums whose terms are not all counters: the others have partners, in whatever order both add them up.  None has an
 * `or` that adds, which nobody would make a sum of. */
static bool match_terms(struct matcher *m, struct ir_value *a, struct ir_value *b, uint32_t copy) {
    struct lin la, lb;
    if (!lin_of(a, &la) || la.ored || !lin_of(b, &lb) || (la.n == 1 && la.t[0].v == a) || (lb.n == 1 && lb.t[0].v == b))
        return false;
    struct mark before = mark_of(m);
    for (uint32_t k = 0; k < la.n;) {
        struct lin_term t = la.t[k];
        if (!is_in_first(m, t.v) || is_counter(m, t.v, true)) {
            k++;
            continue;
        }
        if (!take_partner(m, &t, &lb, copy)) {
            undo(m, &before);
            return false;
        }
        la.t[k] = la.t[--la.n];
    }
    if (compare_sums(m, la, lb, copy) == YES)
        return true;
    undo(m, &before);
    return false;
}

/* ---- everything else ---- */

/* What a parameter that is no counter holds for the element of `copy`. */
static bool match_carried(struct matcher *m, uint32_t param, struct ir_value *b, uint32_t copy) {
    struct reroll_param *p = &m->u->params[param];
    if (m->rest) {
        struct ir_value *start = m->rest->carried[param];
        struct loop *l = m->rest->loop;
        if (!start || !l)
            return start && start == b;
        return p->carried && !b->def && b->region == l->inst->regions[0] && l->inst->operands[b->index] == start &&
               match(m, p->carried, loop_next_value(l, b->index), copy);
    }
    if (copy == 1 && !p->carried) {
        p->carried = b;
        return true;
    }
    return copy == 1 ? p->carried == b : p->carried && match(m, p->carried, b, copy - 1);
}

static bool same_place(const struct matcher *m, const struct ir_inst *a, const struct ir_inst *b, uint32_t copy,
                       bool *out_done) {
    *out_done = false;
    if (a->mem.memory != b->mem.memory)
        return false;
    if (a->mem.offset == b->mem.offset)
        return true;
    struct lin la, lb, growth;
    if (!lin_of(a->operands[0], &la) || !lin_of(b->operands[0], &lb))
        return false;
    *out_done = true; /* the same address, and offsets that differ: an array at a constant place */
    if (!m->rest && lin_equal(&la, &lb) && growth_of(m, &la, &growth) && !growth.n &&
        b->mem.offset - a->mem.offset == growth.c * copy)
        return true;
    /* The other has a part of the offset in its address.  No less than the offset of `b` is in all that `a` accesses,
     * so where `a` stays inside memory, the address of `b` has not wrapped. */
    if (a->mem.offset < b->mem.offset || la.wide)
        return false;
    la.c = (uint32_t)(la.c + a->mem.offset);
    lb.c = (uint32_t)(lb.c + b->mem.offset);
    return compare_sums(m, la, lb, copy) == YES;
}

static bool same_immediates(const struct ir_inst *a, const struct ir_inst *b) {
    return (!ir_is_const(a) && ir_info(a)->kind != IR_KIND_LANES) || !memcmp(&a->bits, &b->bits, sizeof a->bits);
}

static bool match_operands(struct matcher *m, const struct ir_inst *a, const struct ir_inst *b, uint32_t first,
                           uint32_t copy) {
    struct mark before = mark_of(m);
    bool ok = true;
    for (uint32_t k = first; k < a->noperands && ok; k++)
        ok = match(m, a->operands[k], b->operands[k], copy);
    if (ok)
        return true;
    undo(m, &before);
    if (!ir_has_flag(a, IR_FLAG_COMMUTES) || a->noperands != 2)
        return false;
    ok = match(m, a->operands[0], b->operands[1], copy) && match(m, a->operands[1], b->operands[0], copy);
    if (!ok)
        undo(m, &before);
    return ok;
}

static bool match_inst(struct matcher *m, struct ir_inst *a, struct ir_inst *b, uint32_t copy) {
    if (a->op != b->op || a->noperands != b->noperands || a->nresults != b->nresults || ir_nregions(a))
        return false;
    bool done = false;
    if (ir_is_load(a) || ir_is_store(a)) {
        if (!same_place(m, a, b, copy, &done))
            return false;
    } else if (!ir_is_function_of_operands(a) || !same_immediates(a, b)) {
        return false;
    }
    if (!match_operands(m, a, b, done, copy))
        return false;
    return add_pair(m, a->nresults ? &a->results[0] : NULL, b->nresults ? &b->results[0] : NULL, a, b, copy);
}

static bool match(struct matcher *m, struct ir_value *a, struct ir_value *b, uint32_t copy) {
    if (a->type != b->type || m->depth > MAX_DEPTH || m->steps++ > MAX_STEPS)
        return false;
    if (is_paired(m, a, b, copy))
        return true;
    bool inside = is_in_first(m, a);
    if (!inside && a == b)
        return true;
    bool is_integer = a->type == IR_I32 || a->type == IR_I64;
    enum answer sums = is_integer ? match_sums(m, a, b, copy) : NO_SUM;
    if (sums != NO_SUM)
        return sums == YES;
    if (inside && !a->def)
        return a->region->parent == m->u->loop->inst && !m->u->params[a->index].moves &&
               match_carried(m, a->index, b, copy);
    if (!a->def || !b->def)
        return false;
    m->depth++;
    bool ok = match_inst(m, a->def, b->def, copy) || (is_integer && match_terms(m, a, b, copy));
    m->depth--;
    return ok;
}

/* ---- roots ---- */

static bool is_root(const struct ir_inst *i) {
    return ir_is_store(i) || i->op == IR_IF;
}

static struct ir_inst *next_root(struct ir_inst *i) {
    while (i && !is_root(i))
        i = i->next;
    return i;
}

static bool match_root(struct matcher *m, struct ir_inst *a, struct ir_inst *b, uint32_t copy);

static bool match_region(struct matcher *m, struct ir_region *a, struct ir_region *b, uint32_t copy) {
    struct ir_inst *ra = next_root(a->first), *rb = next_root(b->first);
    for (; ra && rb; ra = next_root(ra->next), rb = next_root(rb->next))
        if (!match_root(m, ra, rb, copy))
            return false;
    if (ra || rb || a->last->op != IR_YIELD || b->last->op != IR_YIELD || a->last->noperands != b->last->noperands)
        return false;
    for (uint32_t k = 0; k < a->last->noperands; k++)
        if (!match(m, a->last->operands[k], b->last->operands[k], copy))
            return false;
    return true;
}

static bool match_root(struct matcher *m, struct ir_inst *a, struct ir_inst *b, uint32_t copy) {
    if (a->op != IR_IF)
        return match_inst(m, a, b, copy);
    if (b->op != IR_IF || a->nresults != b->nresults || !match(m, a->operands[0], b->operands[0], copy) ||
        !match_region(m, a->regions[0], b->regions[0], copy) || !match_region(m, a->regions[1], b->regions[1], copy))
        return false;
    for (uint32_t k = 0; k < a->nresults; k++)
        if (!add_pair(m, &a->results[k], &b->results[k], NULL, NULL, copy))
            return false;
    return add_pair(m, NULL, NULL, a, b, copy);
}

/* Nothing but what this file understands. */
static bool is_plain(const struct ir_region *r, const struct ir_inst *test) {
    ir_foreach_inst (i, r) {
        if (i == test || i->op == IR_YIELD || ir_is_load(i) || ir_is_store(i))
            continue;
        if (i->op == IR_IF ? !is_plain(i->regions[0], NULL) || !is_plain(i->regions[1], NULL)
                           : !ir_is_function_of_operands(i))
            return false;
    }
    return true;
}

/* Every load, store and trap has its place in some copy. */
static bool is_covered(const struct reroll_loop *u, const struct ir_region *r, const struct ir_inst *test) {
    ir_foreach_inst (i, r) {
        bool counts = i != test && i->op != IR_YIELD && !ir_is_pure(i);
        bool found = !counts;
        for (uint32_t k = 0; k < u->npairs && !found; k++)
            found = u->pairs[k].ia == i || u->pairs[k].ib == i;
        if (!found || (i->op == IR_IF && (!is_covered(u, i->regions[0], NULL) || !is_covered(u, i->regions[1], NULL))))
            return false;
    }
    return true;
}

/* The same for what stands in front of the loop, in the `if` around it; NULL: there is none. */
static bool is_front_covered(const struct reroll_loop *u, const struct ir_region *around, const struct loop *l) {
    return !around || is_covered(u, around, l->inst);
}

/* Loads and stores of one copy in the order of the first. */
static bool is_in_order(const struct reroll_loop *u, uint32_t from) {
    for (uint32_t s = from; s < u->npairs; s++) {
        const struct reroll_pair *x = &u->pairs[s];
        if (!x->ia || !ir_is_store(x->ia))
            continue;
        for (uint32_t k = from; k < u->npairs; k++) {
            const struct reroll_pair *y = &u->pairs[k];
            if (k != s && y->copy == x->copy && y->ia && (ir_is_load(y->ia) || ir_is_store(y->ia)) &&
                (y->ia->label < x->ia->label) != (y->ib->label < x->ib->label))
                return false;
        }
    }
    return true;
}

static bool is_pair_of_ifs(const struct reroll_loop *u, uint32_t from, const struct reroll_pair *x,
                           const struct ir_region *a, const struct ir_region *b) {
    bool same_side = (a == a->parent->regions[0]) == (b == b->parent->regions[0]);
    for (uint32_t k = from; k < u->npairs && same_side; k++)
        if (u->pairs[k].ia == a->parent && u->pairs[k].ib == b->parent && u->pairs[k].copy == x->copy)
            return true;
    return false;
}

/* What may trap stands in the first copy under no condition that the other does not have: the rolled loop would pass
 * over a trap that the original comes to.  (What the first copy has from in front of its loop runs in any case.) */
static bool is_reached_alike(const struct reroll_loop *u, uint32_t from) {
    for (uint32_t s = from; s < u->npairs; s++) {
        const struct reroll_pair *x = &u->pairs[s];
        const struct ir_region *home = x->ia && loop_contains_inst(u->loop, x->ia) ? x->ia->parent : NULL;
        bool found = !home || ir_is_pure(x->ia) || home->parent->op != IR_IF;
        for (const struct ir_region *r = found ? NULL : x->ib->parent; r && r->parent && !found; r = r->parent->parent)
            found = r->parent->op == IR_IF && is_pair_of_ifs(u, from, x, home, r);
        if (!found)
            return false;
    }
    return true;
}

static bool read_params(struct reroll_loop *u) {
    struct ir_region *r = u->loop->inst->regions[0];
    if (r->nparams > REROLL_MAX_PARAMS)
        return false;
    for (uint32_t k = 0; k < r->nparams; k++) {
        struct reroll_param *p = &u->params[k];
        *p = (struct reroll_param){.moves = false};
        p->moves = reroll_step_of(u->loop, k, &p->step) && lin_divide(&p->step, u->copies);
    }
    return true;
}

/* Finds the partners of `root`, a store of the first copy, among those not yet `taken`. */
static bool match_partners(struct matcher *m, struct ir_inst *const *all, bool *taken, uint32_t n, uint32_t root) {
    for (uint32_t copy = 1; copy < m->u->copies; copy++) {
        bool found = false;
        for (uint32_t k = root + 1; k < n && !found; k++) {
            struct mark before = mark_of(m);
            if (taken[k])
                continue;
            found = taken[k] = match_root(m, all[root], all[k], copy);
            if (!found)
                undo(m, &before);
        }
        if (!found)
            return false;
    }
    return true;
}

bool reroll_match_copies(struct reroll_loop *u, struct loop *l, uint32_t copies) {
    u->loop = l;
    u->copies = copies;
    u->npairs = u->nroots = 0;
    struct ir_region *r = l->inst->regions[0];
    if (l->first_child || !read_params(u) || !is_plain(r, l->test))
        return false;
    struct ir_inst *all[MAX_ROOTS];
    bool taken[MAX_ROOTS] = {false};
    uint32_t n = 0;
    for (struct ir_inst *i = next_root(r->first); i; i = next_root(i->next)) {
        if (n == sizeof all / sizeof all[0])
            return false;
        all[n++] = i;
    }
    if (!n || n % copies)
        return false;
    struct matcher m = {.u = u};
    for (uint32_t k = 0; k < n; k++) {
        if (taken[k])
            continue;
        u->roots[u->nroots++] = all[k];
        if (!match_partners(&m, all, taken, n, k))
            return false;
    }
    for (uint32_t k = 0; k < r->nparams; k++)
        if (!u->params[k].moves && u->params[k].carried &&
            !match(&m, u->params[k].carried, loop_next_value(l, k), copies - 1))
            return false;
    return is_covered(u, r, l->test) && is_in_order(u, 0) && is_reached_alike(u, 0);
}

bool reroll_match_rest(struct reroll_loop *u, struct reroll_rest *rest) {
    struct matcher m = {.u = u, .rest = rest};
    uint32_t from = u->npairs, k = 0;
    const struct ir_inst *test = rest->loop ? rest->loop->test : NULL;
    struct ir_inst *b = next_root(rest->body->first);
    bool ok = is_plain(rest->body, test);
    const struct ir_region *around = rest->loop && rest->loop->inst != rest->inst ? rest->loop->inst->parent : NULL;
    if (rest->unrolled) {
        for (ok = ok && u->nroots == rest->unrolled->nroots; ok && k < u->nroots; k++)
            ok = match_root(&m, u->roots[k], rest->unrolled->roots[k], UINT32_MAX);
        ok = ok && is_front_covered(u, around, rest->loop) && is_in_order(u, from) && is_reached_alike(u, from);
        u->npairs = from;
        return ok;
    }
    for (; ok && b && k < u->nroots; b = next_root(b->next))
        ok = match_root(&m, u->roots[k++], b, UINT32_MAX);
    ok = ok && !b && k == u->nroots && is_covered(u, rest->body, test) && is_front_covered(u, around, rest->loop) &&
         is_in_order(u, from) && is_reached_alike(u, from);
    u->npairs = from;
    return ok;
}
