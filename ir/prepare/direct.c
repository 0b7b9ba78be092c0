/* Calls through function pointers and virtual calls inside a nest.
 *
 *     %r = call_indirect 3 0 %x, %slot   =>   %r = if (%slot == 1) { call 17 %x }
 *                                                  else if (%slot == 4) { call 23 %x }
 *                                                  else { call_indirect 3 0 %x, %slot }
 *
 * for the functions of that type in a table that never changes.  The direct calls can be inlined; the one that is left
 * is like all that a kernel cannot do and that seldom happens: the inspector finds out before the launch whether any
 * point comes there.  So the guess which functions it will be is safe; a slot beyond the table, or one of
 * another type, comes to the original and traps there. */
#include "ir/prepare/direct.h"

#include "ir/util/ice.h"

bool direct_targets(const struct const_tables *t, const struct ir_inst *i, bool (*may_take)(void *user, uint32_t func),
                    void *user, struct direct *out) {
    const struct ir_module *m = i->parent->func->module;
    out->n = 0;
    if (i->op != IR_CALL_INDIRECT || (i->next && i->next->op == IR_THROWN) || m->types[i->index].nresults > 16)
        return false;
    for (uint32_t slot = 0; slot < const_tables_size(t, i->index2); slot++) {
        uint32_t func = const_tables_func(t, i->index2, slot);
        if (func == UINT32_MAX || !ir_sig_equal(&m->funcs[func].func->sig, &m->types[i->index]) ||
            !may_take(user, func))
            continue;
        if (out->n == DIRECT_MAX)
            return false;
        out->slot[out->n] = slot;
        out->func[out->n++] = func;
    }
    return out->n > 0;
}

struct ir_inst *direct_expand(struct ir_inst *i, const struct direct *d) {
    const struct ir_sig *sig = &i->parent->func->module->types[i->index];
    struct ir_builder b = ir_builder_before(i);
    struct ir_inst *outermost = NULL;
    struct ir_value *slot = i->operands[i->noperands - 1];
    struct ir_value *results[16];
    ICE_UNLESS(d->n > 0 && sig->nresults <= 16);
    for (uint32_t k = 0; k < d->n; k++) {
        b.wasm_offset = i->wasm_offset;
        struct ir_value *is = ir_build_simple(&b, IR_I32_EQ, slot, ir_build_i32(&b, d->slot[k]));
        struct ir_inst *choice = ir_build_if(&b, is, sig->results, sig->nresults);
        for (uint32_t r = 0; r < sig->nresults; r++)
            results[r] = &choice->results[r];
        if (outermost)
            ir_build_yield(&b, results, sig->nresults);
        else
            outermost = choice;
        struct ir_builder then = ir_builder_at_end(choice->regions[0]);
        then.wasm_offset = i->wasm_offset;
        struct ir_inst *call = ir_build(&then, IR_CALL, sig->results, sig->nresults, i->operands, i->noperands - 1);
        call->index = d->func[k];
        for (uint32_t r = 0; r < sig->nresults; r++)
            results[r] = &call->results[r];
        ir_build_yield(&then, results, sig->nresults);
        b = ir_builder_at_end(choice->regions[1]);
    }
    struct ir_builder rest = b;
    rest.wasm_offset = i->wasm_offset;
    struct ir_inst *last = ir_build(&rest, IR_CALL_INDIRECT, sig->results, sig->nresults, i->operands, i->noperands);
    last->index = i->index;
    last->index2 = i->index2;
    for (uint32_t r = 0; r < sig->nresults; r++) {
        results[r] = &last->results[r];
        i->results[r].fwd = &outermost->results[r];
    }
    ir_build_yield(&rest, results, sig->nresults);
    ir_inst_remove(i);
    return outermost;
}
