/* Tells recurrences apart by the operations on the way from a carried value to the next one: those that depend on it
 * and that the next one is computed from.  Only words come of it, so what is approximate here is harmless.
 */
#include "ir/offload/recurrence.h"

#include "ir/ir_effects.h"

struct way {
    bool *depends; /* by value id: on the carried value */
    bool *wanted;  /* by value id: for the next one */
    bool chases, mixes, adds, floats, other, reads;
};

static bool any_depends(const struct way *w, const struct ir_inst *i) {
    for (uint32_t k = 0; k < i->noperands; k++)
        if (w->depends[i->operands[k]->id])
            return true;
    return false;
}

static void mark_forward(struct way *w, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        bool carried = any_depends(w, i);
        ir_foreach_region (inner, i) {
            for (uint32_t k = 0; carried && k < inner->nparams; k++)
                w->depends[inner->params[k]->id] = true;
            mark_forward(w, inner);
            if (inner->last && (inner->last->op == IR_YIELD || ir_has_flag(inner->last, IR_FLAG_BRANCH)))
                carried |= any_depends(w, inner->last);
        }
        for (uint32_t k = 0; carried && k < i->nresults; k++)
            w->depends[i->results[k].id] = true;
    }
}

static void want(struct way *w, const struct ir_value *v) {
    w->wanted[v->id] = true;
}

static void mark_backward(struct way *w, const struct ir_region *r) {
    for (struct ir_inst *i = r->last; i; i = i->prev) {
        bool wanted = ir_has_flag(i, IR_FLAG_BRANCH) && i->op != IR_RETURN;
        for (uint32_t k = 0; k < i->nresults; k++)
            wanted |= w->wanted[i->results[k].id];
        if (!wanted)
            continue;
        for (uint32_t k = 0; k < i->noperands; k++)
            want(w, i->operands[k]);
        ir_foreach_region (inner, i) {
            for (uint32_t k = 0; inner->last && k < inner->last->noperands; k++)
                want(w, inner->last->operands[k]);
            mark_backward(w, inner);
        }
    }
}

static void classify(struct way *w, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        ir_foreach_region (inner, i)
            classify(w, inner);
        bool on_way = false;
        for (uint32_t k = 0; k < i->nresults; k++)
            on_way |= w->depends[i->results[k].id] && w->wanted[i->results[k].id];
        if (!on_way || ir_nregions(i))
            continue;
        for (uint32_t k = 0; k < i->noperands; k++)
            w->reads |= i->operands[k]->def && ir_is_load(i->operands[k]->def) && !w->depends[i->operands[k]->id];
        switch (i->op) {
        case IR_F32_ADD:
        case IR_F32_SUB:
        case IR_F32_MUL:
        case IR_F64_ADD:
        case IR_F64_SUB:
        case IR_F64_MUL:
            w->floats = true;
            break;
        case IR_I32_ADD:
        case IR_I32_SUB:
        case IR_I64_ADD:
        case IR_I64_SUB:
            w->adds = true;
            break;
        case IR_I32_MUL:
        case IR_I32_XOR:
        case IR_I32_SHL:
        case IR_I32_SHR_U:
        case IR_I32_SHR_S:
        case IR_I32_ROTL:
        case IR_I32_ROTR:
        case IR_I32_AND:
        case IR_I32_OR:
        case IR_I64_MUL:
        case IR_I64_XOR:
        case IR_I64_SHL:
        case IR_I64_SHR_U:
        case IR_I64_SHR_S:
        case IR_I64_ROTL:
        case IR_I64_ROTR:
        case IR_I64_AND:
        case IR_I64_OR:
            w->mixes = true;
            break;
        default:
            w->chases |= ir_is_load(i);
            w->other |= !ir_is_load(i);
        }
    }
}

/* Whether the value stays or becomes another one, in a chain of choices if the loop is unrolled. */
static bool is_kept_or_replaced(const struct ir_value *param, const struct ir_value *next) {
    for (const struct ir_inst *i = next->def; i && i->op == IR_SELECT;) {
        if (i->operands[0] == param || i->operands[1] == param)
            return true;
        const struct ir_inst *first = i->operands[0]->def, *second = i->operands[1]->def;
        i = first && first->op == IR_SELECT ? first : second;
    }
    return false;
}

const char *recurrence_hint(struct arena *scratch, const struct loop *l, uint32_t index) {
    const struct ir_region *body = l->inst->regions[0];
    const struct ir_value *param = body->params[index], *next = loop_next_value(l, index);
    uint32_t nvalues = l->inst->parent->func->next_id + 1;
    struct arena_mark mark = arena_mark(scratch);
    struct way w = {.depends = arena_array(scratch, bool, nvalues), .wanted = arena_array(scratch, bool, nvalues)};
    w.depends[param->id] = true;
    want(&w, next);
    mark_forward(&w, body);
    mark_backward(&w, body);
    classify(&w, body);
    arena_reset(scratch, mark);
    if (w.chases && is_kept_or_replaced(param, next))
        return "keep what is compared with in a variable beside its place (best value, best index)";
    if (w.chases && param->type == IR_I32 && !w.floats)
        return "keep the elements in an array, where addresses follow from the counter; a list has to be walked in "
               "order";
    if (w.other || w.chases)
        return NULL;
    if (w.floats)
        return "a filter like this goes in order, but channels, rows or blocks of it are independent: put the loop "
               "over "
               "those around it";
    if (w.mixes && w.reads)
        return "a checksum or hash goes in order: give each row or block one of its own, and combine those";
    if (w.mixes)
        return "random numbers made from each other come in order: make the i-th from i (a hash of the counter), or "
               "give each row a seed of its own";
    return NULL;
}
