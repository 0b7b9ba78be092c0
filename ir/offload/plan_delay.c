/* Carried values that are loads of earlier iterations.
 *
 * Compilers keep in a register what the next iteration would load again: the row pointers of a sparse matrix, the
 * neighbours of a stencil.
 *
 *     %a = i32.load %p                                     iteration 0:        %s = %a
 *     loop (%s = %a, %q = %p) {                            iteration k > 0:    %s = i32.load (%p + k*4 - 4) offset=4
 *       %e = i32.load %q offset=4       with %q = %p + k*4
 *       ...
 *       br_if loop(%e, %q + 4)
 *     }
 *
 * Such a value is no recurrence: each grid point can load it, from where the load stood one iteration before, or take
 * the initial value.  The load is an access like any other, so the guard sees to it that no other iteration writes what
 * it reads.  A value may also be handed through several parameters before it is used up.
 */
#include "ir/offload/plan_internal.h"

bool plan_find_delay(struct plan *p, struct loop *l, uint32_t index, struct plan_delay *out) {
    struct ir_region *r = l->inst->regions[0];
    *out = (struct plan_delay){.param = r->params[index], .loop = l};
    while (out->depth < PLAN_MAX_DELAY) {
        out->init[out->depth++] = l->inst->operands[index];
        struct ir_value *v = loop_next_value(l, index);
        if (v->def && ir_is_load(v->def) && loop_contains_value(l, v)) {
            out->load = v->def;
            out->address = aff_of(p->aff, v->def->operands[0]);
            return out->address != NULL;
        }
        if (v->def || v->region != r || aff_of(p->aff, v))
            return false;
        index = v->index;
    }
    return false;
}

/* Where the load stands at iteration 0, moved back by the delay; NULL when it is not linear. */
static const struct aff *earlier(struct plan *p, const struct plan_delay *d) {
    int sym = aff_iter_sym(p->aff, d->loop);
    const struct aff *stride, *rest;
    if (sym < 0 || !aff_has_sym(d->address, (uint32_t)sym))
        return d->address;
    if (!aff_split(p->aff, d->address, (uint32_t)sym, &stride, &rest))
        return NULL;
    return aff_sub(p->aff, d->address, aff_scale(p->aff, stride, d->depth));
}

bool plan_add_delays(struct plan *p) {
    for (uint32_t c = 0; c < p->nchain; c++) {
        struct ir_region *r = p->chain[c]->inst->regions[0];
        for (uint32_t k = 0; k < r->nparams; k++) {
            struct plan_delay d;
            struct plan_motion motion;
            if (aff_of(p->aff, r->params[k]) || plan_reduce_of(p, r->params[k]) || plan_is_serial(p, r->params[k]) ||
                plan_find_motion(p, p->chain[c], k, &motion))
                continue;
            if (!plan_find_delay(p, p->chain[c], k, &d) || p->ndelays == PLAN_MAX_DELAYS)
                return plan_reject(p, OFF_REJECT_RECURRENCE, r->parent, NULL);
            d.access = p->naccesses;
            if (!plan_add_load_at(p, d.load, earlier(p, &d)))
                return plan_reject(p, OFF_REJECT_RECURRENCE, r->parent, NULL);
            p->accesses[d.access].delayed = true;
            p->delays[p->ndelays++] = d;
        }
    }
    return true;
}
