/* Which loops of a nest are parallel: the root by its shape, its exits and the values it carries, then further ones
 * inside it as long as each is all that its parent does (up to three grid dimensions).
 */
#include "ir/offload/plan_internal.h"

#include "ir/ir_effects.h"
#include "ir/offload/recurrence.h"
#include "ir/offload/twofold.h"

enum { MAX_PREFIX_INSTS = 64 }; /* what an inner parallel loop may cost to recompute at every point */

/* Why a carried value that is no induction variable stops the loop. */
static enum off_reject carried_reason(const struct loop *l, uint32_t index) {
    struct ir_value *param = l->inst->regions[0]->params[index];
    struct ir_value *v = loop_next_value(l, index);
    bool is_float = param->type == IR_F32 || param->type == IR_F64;
    unsigned op = v->def ? v->def->op : IR_OP_COUNT; /* all the way: x * a + b is no reduction */
    for (unsigned steps = 0; v->def && steps < 64; steps++) {
        struct ir_inst *d = v->def;
        if (d->op != op || (is_float ? op != IR_F32_ADD && op != IR_F64_ADD : !ir_has_flag(d, IR_FLAG_ASSOC)))
            break;
        if (d->operands[0] == param || d->operands[1] == param)
            return is_float ? OFF_REJECT_REDUCTION_FLOAT : OFF_REJECT_REDUCTION_INT;
        v = d->operands[0]; /* a chain of additions: the accumulator is on either side */
        if (!v->def || (v->def->op != d->op && d->operands[1]->def && d->operands[1]->def->op == d->op))
            v = d->operands[1];
    }
    return OFF_REJECT_RECURRENCE;
}

/* Says which value that is: its type, and the operation it comes from. */
static bool reject_carried(struct plan *p, const struct loop *l, uint32_t index) {
    const struct ir_value *v = loop_next_value(l, index);
    const struct ir_inst *def = v->def;
    const char *detail = def ? arena_printf(p->text, "the %s that %s gives", ir_type_name[v->type], ir_info(def)->text)
                             : arena_printf(p->text, "of type %s", ir_type_name[v->type]);
    bool has_place = def && def->wasm_offset != IR_NO_OFFSET && loop_contains_inst(l, def);
    (void)plan_reject(p, carried_reason(l, index), has_place ? def : l->inst, detail);
    if (p->reject == OFF_REJECT_RECURRENCE)
        p->hint = recurrence_hint(p->arena, l, index);
    return false;
}

/* The first way out of `l`, besides its own test, that an inspector cannot watch: one that stays inside the root loop,
 * is the end of a loop inside, or is one of many. */
static struct ir_inst *find_unwatched(struct plan *p, const struct loop *l, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_has_flag(i, IR_FLAG_BRANCH) && i != l->test && loop_is_left_by(l, i) &&
            ((i->op != IR_BR && i->op != IR_BR_IF && i->op != IR_RETURN) || !loop_is_left_by(p->root, i) ||
             plan_is_test(p, i)))
            return i;
        if (ir_stops_kernel(i))
            return NULL;
        ir_foreach_region (inner, i) {
            struct ir_inst *found = find_unwatched(p, l, inner);
            if (found)
                return found;
        }
    }
    return NULL;
}

/* Shape, exits and carried values of a loop that is to be parallel. */
bool plan_check_parallel(struct plan *p, struct loop *l, struct aff_trip *out_trip) {
    struct ir_inst *inst = l->inst;
    if (l->nback_edges != 1)
        return plan_reject(p, OFF_REJECT_BACK_EDGES, inst, NULL);
    struct ir_inst *exit = l->other_exits ? find_unwatched(p, l, inst->regions[0]) : NULL;
    if (exit)
        return plan_reject(p, OFF_REJECT_EARLY_EXIT, exit, NULL);
    if (l->shape == LOOP_OTHER)
        return l->other_exits
                   ? plan_reject(p, OFF_REJECT_EARLY_EXIT, l->other_exit, NULL)
                   : plan_reject(p, OFF_REJECT_NO_TRIP_COUNT, inst, "the exit test is not at the top or the bottom");
    struct ir_region *r = inst->regions[0];
    struct plan_delay delay;
    struct plan_motion motion;
    for (uint32_t k = 0; k < r->nparams; k++)
        if (!aff_of(p->aff, r->params[k]) && !plan_reduce_of(p, r->params[k]) &&
            !(l == p->root && plan_is_serial(p, r->params[k])) && !plan_find_motion(p, l, k, &motion) &&
            !plan_find_delay(p, l, k, &delay))
            return reject_carried(p, l, k);
    if (!aff_trip_of(p->aff, l, out_trip))
        return plan_reject(p, OFF_REJECT_NO_TRIP_COUNT, l->test, NULL);
    if (!aff_is_invariant(p->aff, out_trip->init) || !aff_is_invariant(p->aff, out_trip->step) ||
        !aff_is_invariant(p->aff, out_trip->bound))
        return plan_reject(p, OFF_REJECT_VARYING_TRIP_COUNT, l->test, NULL);
    return true;
}

/* Each parameter of a chain loop is recomputed from the grid position, so it may depend on chain loops only. */
bool plan_params_follow_grid(struct plan *p, struct loop *l) {
    struct ir_region *r = l->inst->regions[0];
    for (uint32_t k = 0; k < r->nparams; k++) {
        const struct aff *a = aff_of(p->aff, r->params[k]);
        struct plan_delay delay;
        struct plan_motion motion;
        if (!a &&
            (plan_reduce_of(p, r->params[k]) || plan_is_serial(p, r->params[k]) || plan_find_motion(p, l, k, &motion)))
            continue;
        if (!a) {
            if (!plan_find_delay(p, l, k, &delay))
                return false;
            a = delay.address;
        }
        for (uint32_t t = 0; t < a->nterms; t++)
            for (uint32_t d = 0; d < a->terms[t].degree; d++) {
                const struct aff_sym *s = aff_sym(p->aff, a->terms[t].syms[d]);
                bool ok = s->kind == AFF_VALUE;
                for (uint32_t c = 0; c < p->nchain && s->kind == AFF_ITER; c++)
                    ok |= p->chain[c] == s->loop;
                if (!ok)
                    return false;
            }
    }
    return true;
}

static bool region_holds(const struct ir_region *r, const struct ir_inst *inst) {
    for (const struct ir_region *q = inst->parent; q; q = q->parent ? q->parent->parent : NULL)
        if (q == r)
            return true;
    return false;
}

struct prefix {
    const struct loop *outer, *inner;
    struct plan_cond conds[PLAN_MAX_CONDS];
    uint32_t nconds, insts;
};

/* Everything that `outer` does beside `inner`: only what may be repeated at every point (before it) or dropped (after
 * it), and conditions around `inner` that are known before the nest. */
static bool only_prefix(struct plan *p, struct prefix *x, struct ir_region *r) {
    bool before = true;
    ir_foreach_inst (i, r) {
        if (i == x->inner->inst) {
            before = false;
            continue;
        }
        if (i == x->outer->test || i == x->outer->back)
            continue;
        bool around = false;
        ir_foreach_region (inner, i)
            around |= region_holds(inner, x->inner->inst);
        if (around) {
            if (twofold_is(i)) {
                if (!region_holds(i->regions[0], x->inner->inst) || !only_prefix(p, x, i->regions[0]))
                    return false;
            } else if (i->op == IR_IF) {
                struct ir_value *cond = aff_known_cond(p->aff, i->operands[0]);
                if (!cond || x->nconds == PLAN_MAX_CONDS)
                    return false;
                bool then_side = region_holds(i->regions[0], x->inner->inst);
                x->conds[x->nconds++] = (struct plan_cond){cond, then_side, NULL};
                if (!only_prefix(p, x, i->regions[then_side ? 0 : 1]))
                    return false;
            } else if (i->op != IR_BLOCK || !only_prefix(p, x, i->regions[0])) {
                return false;
            }
            before = false;
            continue;
        }
        if (i->op == IR_YIELD || (i->op == IR_BR && !before))
            continue;
        if (i->op == IR_BR_IF && before) {
            struct ir_value *cond = aff_known_cond(p->aff, i->operands[0]);
            if (!cond || x->nconds == PLAN_MAX_CONDS)
                return false;
            x->conds[x->nconds++] = (struct plan_cond){cond, false, NULL};
            continue;
        }
        if (ir_nregions(i) || ir_is_store(i) || ir_has_flag(i, IR_FLAG_BRANCH | IR_FLAG_CALLS | IR_FLAG_WRITES))
            return false; /* an `if` beside the loop: not perfectly nested */
        if (!before && (ir_is_load(i) || ir_may_trap(i)))
            return false; /* it would be dropped, and with it what it may trap on */
        if (before && ++x->insts > MAX_PREFIX_INSTS)
            return false;
    }
    return true;
}

/* Regions in which a chain loop's own work stands: its body, or, for a loop tested by an `if` on top, also the side
 * that goes on. */
static struct ir_region *body_region(const struct loop *l) {
    return l->shape == LOOP_TOP_IF ? l->back->parent : l->inst->regions[0];
}

/* Adds the loop inside chain[nchain - 1] when that is parallel too and perfectly nested.  No is no rejection. */
bool plan_extend_chain(struct plan *p) {
    struct loop *outer = p->chain[p->nchain - 1], *inner = outer->first_child;
    if (p->nchain == OFF_MAX_GRID || !inner || inner->next || p->nreduces)
        return false;
    struct prefix x = {.outer = outer, .inner = inner};
    struct aff_trip trip;
    if (!region_holds(body_region(outer), inner->inst) || !only_prefix(p, &x, body_region(outer)) ||
        !plan_check_parallel(p, inner, &trip))
        return false;
    p->chain[p->nchain++] = inner;
    if (!plan_params_follow_grid(p, inner)) {
        p->nchain--;
        return false;
    }
    for (uint32_t k = 0; k < x.nconds; k++) {
        struct plan_cond *c = arena_new(p->arena, struct plan_cond);
        *c = x.conds[k];
        if (!plan_require(p, (struct plan_slot){.kind = PLAN_SLOT_ALL, .conds = c, .nconds = 1})) {
            p->nchain--;
            return false;
        }
    }
    return true;
}
