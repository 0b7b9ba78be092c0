/* Values that a nest reads again and again without ever changing them: read once before the nest, they are symbols. */
#include "ir/analysis/affine_internal.h"
#include "ir/ir_effects.h"

enum { MAX_HOISTED_LOADS = 64, MAX_HOISTED_OPERATIONS = 64, MAX_WEB = 32 };

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

/* The address as a value plus *out, without the constants that are added to it. */
static const struct ir_value *strip_constants(const struct ir_value *v, uint64_t *out) {
    const union ir_bits *c;
    while (v->def && v->def->op == IR_I32_ADD && (c = ir_const_of(v->def->operands[1]))) {
        *out += (int64_t)(int32_t)c->i32;
        v = v->def->operands[0];
    }
    return v;
}

/* Whether a store in the region plainly writes some of the `bytes` at `base` + `at`. */
static bool stores_there(const struct ir_region *r, const struct ir_value *base, int64_t at, uint32_t bytes) {
    ir_foreach_inst (i, r) {
        if (ir_is_store(i)) {
            uint64_t offset = i->mem.offset;
            int64_t to;
            if (strip_constants(i->operands[0], &offset) == base && (to = (int64_t)offset) < at + bytes &&
                at < to + ir_info(i)->bytes)
                return true;
        }
        ir_foreach_region (inner, i)
            if (stores_there(inner, base, at, bytes))
                return true;
    }
    return false;
}

static bool is_stored(const struct aff_ctx *cx, const struct ir_inst *load) {
    uint64_t offset = load->mem.offset;
    const struct ir_value *base = strip_constants(load->operands[0], &offset);
    return stores_there(cx->root->inst->regions[0], base, (int64_t)offset, ir_info(load)->bytes);
}

const struct aff_hoist *aff_hoist_of(struct aff_ctx *cx, struct ir_inst *i, bool make) {
    const struct aff *base = NULL;
    if (ir_is_load(i)) {
        base = i->operands[0]->type == IR_I32 ? aff_of(cx, i->operands[0]) : NULL;
        if (!base || i->mem.memory != 0 || !known_before(cx, base))
            return NULL;
    } else if (i->op != IR_GLOBAL_GET || ir_sets_global(cx->root->inst->regions[0], i->index)) {
        return NULL;
    }
    for (const struct aff_hoist *h = cx->hoists; h; h = h->next)
        if (h->inst->op == i->op &&
            (base ? h->inst->mem.offset == i->mem.offset && aff_equal(h->base, base) : h->inst->index == i->index))
            return h;
    if (!make || (base && (cx->all_loads_hoisted || cx->nhoisted_loads == MAX_HOISTED_LOADS || is_stored(cx, i))))
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

void aff_end_hoisting(struct aff_ctx *cx) {
    cx->all_loads_hoisted = true;
}

/* An operation on two such numbers, in front of the nest; NULL when it is new and there are `most` already. */
static const struct aff_hoist *hoist_binary(struct aff_ctx *cx, uint32_t most, struct ir_inst *d, const struct aff *a,
                                            const struct aff *b) {
    for (const struct aff_hoist *h = cx->hoists; h; h = h->next)
        if (h->other && h->inst->op == d->op && aff_equal(h->base, a) && aff_equal(h->other, b))
            return h;
    if (cx->nhoisted_operations >= most)
        return NULL;
    cx->nhoisted_operations++;
    struct aff_hoist *h = arena_new(cx->arena, struct aff_hoist);
    *h = (struct aff_hoist){.inst = d, .value = arena_new(cx->arena, struct ir_value), .base = a, .other = b};
    h->value->type = d->nresults ? d->results[0].type : IR_I32;
    *cx->hoists_end = h;
    cx->hoists_end = &h->next;
    return h;
}

const struct aff_hoist *aff_hoist_operation(struct aff_ctx *cx, struct ir_inst *i) {
    if (i->noperands != 2 || i->nresults != 1 || !ir_is_pure(i) || ir_nregions(i))
        return NULL;
    const struct aff *a = aff_of(cx, i->operands[0]), *b = a ? aff_of(cx, i->operands[1]) : NULL;
    bool known = b && known_before(cx, a) && known_before(cx, b);
    return known ? hoist_binary(cx, MAX_HOISTED_OPERATIONS, i, a, b) : NULL;
}

struct ir_value *aff_known_cond(struct aff_ctx *cx, struct ir_value *cond) {
    struct ir_inst *d = cond->def;
    if (d && d->op == IR_IN_KERNEL)
        return NULL;
    if (!loop_contains_value(cx->root, cond))
        return cond;
    if (!d || !aff_find_comparison(d->op))
        return NULL;
    const struct aff *a = aff_of(cx, d->operands[0]), *b = a ? aff_of(cx, d->operands[1]) : NULL;
    return b && known_before(cx, a) && known_before(cx, b) ? hoist_binary(cx, UINT32_MAX, d, a, b)->value : NULL;
}

struct ir_value *aff_known_truth(struct aff_ctx *cx, struct ir_value *cond) {
    struct ir_value *known = aff_known_cond(cx, cond);
    const struct ir_inst *d = cond->def;
    if (known && d && (aff_find_comparison(d->op) || d->op == IR_I32_EQZ || d->op == IR_I64_EQZ))
        return known;
    const struct aff *a = cond->type == IR_I32 ? aff_of(cx, cond) : NULL;
    if (!a || !known_before(cx, a))
        return NULL;
    struct ir_inst *not_zero = arena_new(cx->arena, struct ir_inst);
    not_zero->op = IR_I32_NE;
    return hoist_binary(cx, UINT32_MAX, not_zero, a, aff_const(cx, 32, 0))->value;
}

/* The values that meet in a loop parameter, through further parameters, block results and selects. */
struct web {
    struct ir_value *seen[MAX_WEB];
    uint32_t nseen;
    const struct aff *first; /* the number that all leaves are, or are to be found equal to */
    const struct aff *others[AFF_MAX_EDGES];
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
    if (w->nothers == AFF_MAX_EDGES || a->bits != w->first->bits)
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
        const struct aff_edges *e = aff_edges_of(cx, d);
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
    return h &&
           add_leaf(w, aff_symbol_expr(cx, aff_bits_of(v), (struct aff_sym){.kind = AFF_VALUE, .value = h->value}));
}

/* Parameters that hold what was loaded before the loop and is loaded again in it: compilers carry `s->width` like this
 * from one iteration to the next.  Each is the number before the loop, on condition that the others are equal to it. */
void aff_solve_reloaded(struct aff_ctx *cx, struct loop *l, const struct aff **out) {
    struct ir_region *r = l->inst->regions[0];
    uint32_t mark = cx->ntouched;
    for (uint32_t k = 0; k < r->nparams; k++)
        aff_remember(cx, r->params[k], NULL);
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
    aff_forget_from(cx, mark);
}

const struct aff_equality *aff_equalities(const struct aff_ctx *cx) {
    return cx->equalities;
}

bool aff_assumes(const struct aff_ctx *cx) {
    return cx->equalities || cx->counter_must_not_wrap;
}
