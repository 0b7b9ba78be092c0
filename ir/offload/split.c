/* Splitting a loop: its stores run as a kernel, and what is left over on the CPU behind it; see split.h. */
#include "ir/offload/split.h"

#include "ir/ir_effects.h"
#include "ir/offload/plan_internal.h"
#include "ir/offload/twofold.h"

enum { LEAST_SHARE = 3, INNER_WEIGHT = 8 };

/* Bits of plan.marks; the lowest is reduce.c's. */
enum { DEPENDS = 1, NEEDED = 8 };

struct splitter {
    struct plan *p;
    struct ir_inst *stores[OFF_MAX_ACCESSES];
    uint32_t nstores;
};

bool plan_is_serial(const struct plan *p, const struct ir_value *param) {
    return p->splits && p->marks && (p->marks[param->id] & DEPENDS);
}

/* Whether something that depends on a serial value may trap, or decides where to go on. */
static bool is_at_risk(const struct plan *p, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            if ((p->marks[i->operands[k]->id] & DEPENDS) &&
                (ir_is_load(i) || ir_is_store(i) || (ir_info(i)->kind == IR_KIND_SIMPLE && ir_may_trap(i))))
                return true;
        ir_foreach_region (inner, i)
            if (is_at_risk(p, inner))
                return true;
    }
    return false;
}

bool plan_may_split(struct plan *p) {
    struct ir_region *body = p->root->inst->regions[0];
    if (!p->marks)
        p->marks = arena_array(p->arena, uint8_t, body->func->next_id + 1);
    p->splits = !p->restored && !is_at_risk(p, body) && !twofold_within(body);
    return p->splits;
}

/* ---- what the rest needs ---- */

static void find_stores(struct splitter *s, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_is_store(i) && s->nstores < OFF_MAX_ACCESSES)
            s->stores[s->nstores++] = i;
        ir_foreach_region (inner, i)
            find_stores(s, inner);
    }
}

/* Whether the two never meet in one iteration: a known distance apart. */
static bool lie_apart(struct plan *p, const struct ir_inst *a, const struct ir_inst *b) {
    const struct aff *x = aff_of(p->aff, a->operands[0]), *y = aff_of(p->aff, b->operands[0]);
    const struct aff *difference = x && y ? aff_sub(p->aff, x, y) : NULL;
    uint64_t distance;
    if (!difference || !aff_is_const(difference, &distance))
        return false;
    int64_t d = (int64_t)(int32_t)distance + (int64_t)a->mem.offset - (int64_t)b->mem.offset;
    return d >= ir_info(b)->bytes || -d >= ir_info(a)->bytes;
}

static bool ends_iteration(const struct loop *l, const struct ir_region *r) {
    return r == l->inst->regions[0] || r == l->back->parent;
}

/* Behind which of the two the value can be loaded again. */
static const struct ir_inst *later_of(const struct ir_inst *store) {
    const struct ir_inst *v = store->operands[1]->def, *address = store->operands[0]->def;
    return address && address->parent == v->parent && address->label > v->label ? address : v;
}

static bool is_used_before(const struct ir_region *r, const struct ir_value *v, uint32_t label) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            if (i->operands[k] == v && i->label <= label && !ir_is_store(i))
                return true;
        ir_foreach_region (inner, i)
            if (is_used_before(inner, v, label))
                return true;
    }
    return false;
}

/* The load that gives what the store has stored; IR_OP_COUNT: some of it is lost. */
static enum ir_op load_of(const struct ir_inst *store) {
    switch (store->op) {
    case IR_I32_STORE:
        return IR_I32_LOAD;
    case IR_I64_STORE:
        return IR_I64_LOAD;
    case IR_F32_STORE:
        return IR_F32_LOAD;
    case IR_F64_STORE:
        return IR_F64_LOAD;
    case IR_V128_STORE:
        return IR_V128_LOAD;
    default:
        return IR_OP_COUNT;
    }
}

/* The store, made in every iteration, that leaves all of `v` in memory for good; NULL when there is none. */
static struct ir_inst *kept_by(struct splitter *s, const struct ir_value *v) {
    for (uint32_t k = 0; k < s->nstores; k++) {
        struct ir_inst *i = s->stores[k];
        if (i->operands[1] != v || !ends_iteration(s->p->root, i->parent) || v->def->parent != i->parent ||
            is_used_before(s->p->root->inst->regions[0], v, later_of(i)->label))
            continue;
        bool kept = load_of(i) != IR_OP_COUNT;
        for (uint32_t n = 0; kept && n < s->nstores; n++)
            kept = n == k || lie_apart(s->p, i, s->stores[n]);
        if (kept)
            return i;
    }
    return NULL;
}

static bool is_needed(const struct splitter *s, const struct ir_value *v) {
    return (s->p->marks[v->id] & NEEDED) != 0;
}

static void need_inst(struct splitter *s, struct ir_inst *i);

static void need(struct splitter *s, struct ir_value *v) {
    struct plan *p = s->p;
    if (!loop_contains_value(p->root, v) || is_needed(s, v))
        return;
    p->marks[v->id] |= NEEDED;
    if (v->region == p->root->inst->regions[0]) {
        need(s, loop_next_value(p->root, v->index));
        return;
    }
    if (v->region) {
        need_inst(s, v->region->parent);
        return;
    }
    bool cheap = ir_is_const(v->def) || ir_is_load(v->def);
    struct ir_inst *kept = !cheap && p->nkept < PLAN_MAX_KEPT ? kept_by(s, v) : NULL;
    if (kept) {
        p->kept[p->nkept++] = kept;
        need(s, kept->operands[0]);
        return;
    }
    need_inst(s, v->def);
}

static void need_all(struct splitter *s, struct ir_region *r) {
    for (uint32_t k = 0; k < r->nparams; k++)
        s->p->marks[r->params[k]->id] |= NEEDED;
    ir_foreach_inst (i, r)
        if (!ir_is_store(i))
            need_inst(s, i);
}

/* The instruction with all that is in it. */
static void need_inst(struct splitter *s, struct ir_inst *i) {
    for (uint32_t k = 0; k < i->nresults; k++)
        s->p->marks[i->results[k].id] |= NEEDED;
    for (uint32_t k = 0; k < i->noperands; k++)
        need(s, i->operands[k]);
    ir_foreach_region (inner, i)
        need_all(s, inner);
}

static bool is_kept(const struct plan *p, const struct ir_value *v) {
    for (uint32_t k = 0; k < p->nkept; k++)
        if (p->kept[k]->operands[1] == v)
            return true;
    return false;
}

/* Whether the rest has it: one of its results is needed, and not only found in memory. */
static bool stays(const struct splitter *s, const struct ir_inst *i) {
    for (uint32_t k = 0; k < i->nresults; k++)
        if (is_needed(s, &i->results[k]) && !is_kept(s->p, &i->results[k]))
            return true;
    return false;
}

/* Instructions in the region, those of inner loops counted several times; adds those of the rest to *rest. */
static uint64_t weigh(const struct splitter *s, struct ir_region *r, uint64_t each, uint64_t *rest) {
    uint64_t n = 0, ignored = 0;
    ir_foreach_inst (i, r) {
        uint64_t own = each, weight = i->op == IR_LOOP ? each * INNER_WEIGHT : each;
        bool is_test = i == s->p->root->test && i->op == IR_IF;
        ir_foreach_region (inner, i)
            own += weigh(s, inner, weight, is_test ? rest : &ignored);
        n += own;
        if (stays(s, i) && !is_test)
            *rest += own;
    }
    return n;
}

static void mark_reread(const struct splitter *s) {
    struct plan *p = s->p;
    for (uint32_t k = 0; k < p->naccesses; k++) {
        const struct ir_inst *i = p->accesses[k].inst;
        if (ir_is_load(i) && is_needed(s, i->results))
            p->accesses[k].reread = true;
    }
}

static bool leaves(const struct ir_region *r, const struct ir_inst *outer) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < (i->op == IR_BR_TABLE ? i->ntargets : i->op == IR_BR || i->op == IR_BR_IF); k++) {
            const struct ir_inst *target = i->op == IR_BR_TABLE ? i->targets[k] : i->target;
            while (target != outer && target->parent->parent)
                target = target->parent->parent;
            if (target != outer)
                return true;
        }
        ir_foreach_region (inner, i)
            if (leaves(inner, outer))
                return true;
    }
    return false;
}

/* Everything that the rest cannot do without: the way round, the way out, and all with a branch that leaves it.  False:
 * control is too involved. */
static bool need_control(struct splitter *s) {
    const struct loop *l = s->p->root;
    for (struct ir_region *r = l->inst->regions[0];; r = l->back->parent) {
        ir_foreach_inst (i, r) {
            if (i == l->test || i == l->back || i == r->last) {
                for (uint32_t k = 0; k < i->noperands; k++)
                    need(s, i->operands[k]);
            } else if (ir_has_flag(i, IR_FLAG_BRANCH)) {
                return false;
            } else if (ir_nregions(i)) {
                ir_foreach_region (inner, i)
                    if (leaves(inner, i))
                        return false;
            }
        }
        if (r == l->back->parent)
            break;
    }
    for (uint32_t k = 0; l->test->op == IR_IF && k < 2; k++) {
        struct ir_inst *end = l->test->regions[k]->last;
        for (uint32_t n = 0; n < end->noperands; n++)
            need(s, end->operands[n]);
    }
    return true;
}

bool plan_split(struct plan *p) {
    struct splitter s = {.p = p};
    struct ir_region *body = p->root->inst->regions[0];
    p->nkept = 0;
    find_stores(&s, body);
    if (!s.nstores || s.nstores == OFF_MAX_ACCESSES || !need_control(&s))
        return false;
    uint64_t rest = 0, all = weigh(&s, body, 1, &rest);
    if (rest * LEAST_SHARE > all)
        return false;
    mark_reread(&s);
    return true;
}

/* ---- the rest ---- */

static void remove_stores(struct ir_region *r) {
    ir_foreach_inst_safe (i, r) {
        ir_foreach_region (inner, i)
            remove_stores(inner);
        if (ir_is_store(i))
            ir_inst_remove(i);
    }
}

static char added; /* ir_inst.note of a load that the original does not have */

/* Takes out of the copy what nobody needs, the last first: uses go before what they use. */
static void strip(const struct splitter *s, struct ir_region *from, struct ir_region *copy) {
    const struct loop *l = s->p->root;
    struct ir_inst *j = copy->last, *before;
    for (struct ir_inst *i = from->last; i; i = i->prev, j = before) {
        while (j->note == &added)
            j = j->prev;
        before = j->prev;
        if (i == l->test && i->op == IR_IF) {
            for (unsigned k = 0; k < 2; k++)
                strip(s, i->regions[k], j->regions[k]);
        } else if (i == l->test || i == l->back || i == from->last) {
            continue;
        } else if (stays(s, i)) {
            for (unsigned k = 0; k < ir_nregions(i); k++)
                remove_stores(j->regions[k]);
        } else {
            ir_inst_remove(j);
        }
    }
}

/* Loads of what the launch has stored, each in the place where its value was computed. */
static void load_kept(const struct plan *p, const struct ir_map *map) {
    for (uint32_t k = 0; k < p->nkept; k++) {
        const struct ir_inst *store = p->kept[k];
        const struct ir_inst *later = later_of(store);
        struct ir_inst *at = ir_map_get(map, (struct ir_value *)&later->results[0])->def;
        struct ir_builder b = ir_builder_before(at->next);
        b.wasm_offset = store->wasm_offset;
        struct ir_value *v = ir_build_load(&b, load_of(store), ir_map_get(map, store->operands[0]), store->mem);
        v->def->note = &added;
        ir_map_get(map, store->operands[1])->fwd = v;
    }
}

struct ir_inst *split_emit_rest(struct ir_builder *b, const struct plan *p) {
    struct splitter s = {.p = (struct plan *)p};
    struct ir_inst *root = p->root->inst;
    struct ir_map *map = ir_map_new(p->arena);
    struct ir_inst *copy = ir_clone_inst(b, root, map);
    load_kept(p, map);
    ir_resolve_operands(copy->regions[0]);
    strip(&s, root->regions[0], copy->regions[0]);
    return copy;
}
