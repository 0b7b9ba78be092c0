/* Helper functions of a kernel (ir/offload/legalize_soft.h) in SPIR-V.
 *
 * A helper is emitted as a function of its own behind the entry point the first time it is called.  It has one result,
 * or two i32, the halves of a 64-bit number, which are returned as a struct.
 */
#include "backends/spirv/spv_emit.h"

#include <string.h>

#include "ir/util/ice.h"

static uint32_t result_type(struct spv_emit *e, const struct ir_sig *sig) {
    uint32_t type = spv_type(e, sig->results[0]);
    ICE_UNLESS(sig->nresults == 1 || (sig->nresults == 2 && sig->results[0] == IR_I32 && sig->results[1] == IR_I32));
    return sig->nresults == 1 ? type : spv_unique(&e->m, SpvOpTypeStruct, 0, type, type);
}

static struct spv_helper *find_helper(struct spv_emit *e, struct ir_func *f) {
    struct spv_helper **at = &e->helpers;
    for (; *at; at = &(*at)->next)
        if ((*at)->func == f)
            return *at;
    uint32_t words[8];
    ICE_UNLESS(f->sig.nparams < 8);
    words[0] = result_type(e, &f->sig);
    for (uint32_t k = 0; k < f->sig.nparams; k++)
        words[1 + k] = spv_type(e, f->sig.params[k]);
    *at = arena_new(e->m.arena, struct spv_helper);
    **at = (struct spv_helper){.func = f, .id = spv_new_id(&e->m)};
    (*at)->type = spv_unique_words(&e->m, SpvOpTypeFunction, 0, words, f->sig.nparams + 1);
    spv_name(&e->m, (*at)->id, f->name);
    return *at;
}

void spv_emit_call(struct spv_emit *e, struct ir_inst *i) {
    const struct ir_module *library = e->func->module;
    ICE_UNLESS(i->index < library->nfuncs && library->funcs[i->index].func);
    struct ir_func *f = library->funcs[i->index].func;
    struct spv_helper *helper = find_helper(e, f);
    uint32_t words[8];
    words[0] = helper->id;
    for (uint32_t k = 0; k < i->noperands; k++)
        words[1 + k] = spv_value(e, i->operands[k]);
    uint32_t v = spv_code_words(e, SpvOpFunctionCall, result_type(e, &f->sig), words, i->noperands + 1);
    if (i->nresults == 1) {
        e->ids[i->results[0].id] = v;
        return;
    }
    for (uint32_t k = 0; k < 2; k++)
        e->ids[i->results[k].id] = spv_code(e, SpvOpCompositeExtract, spv_type_uint(e), v, k);
}

void spv_emit_return(struct spv_emit *e, struct ir_inst *i) {
    if (i->op == IR_UNREACHABLE && e->func->sig.nresults)
        ICE("a helper function with an unreachable end");
    if (i->noperands == 0) {
        spv_inst_words(&e->m, SPV_CODE, SpvOpReturn, NULL, 0);
        return;
    }
    uint32_t v = spv_value(e, i->operands[0]);
    if (i->noperands == 2)
        v = spv_code(e, SpvOpCompositeConstruct, result_type(e, &e->func->sig), v, spv_value(e, i->operands[1]));
    spv_inst(&e->m, SPV_CODE, SpvOpReturnValue, v);
}

/* Moves the parts of the current function to the finished ones. */
static void finish_function(struct spv_emit *e) {
    static const enum spv_section parts[4] = {SPV_HEAD, SPV_LOCALS, SPV_PROLOGUE, SPV_CODE};
    spv_inst_words(&e->m, SPV_CODE, SpvOpFunctionEnd, NULL, 0);
    for (int k = 0; k < 4; k++) {
        struct spv_words *w = &e->m.sections[parts[k]];
        for (uint32_t n = 0; n < w->n; n++)
            spv_word(&e->m, SPV_FUNCTIONS, w->data[n]);
        w->n = 0;
    }
}

static bool emit_helper(struct spv_emit *e, const struct spv_helper *helper) {
    struct ir_func *f = helper->func;
    struct spv_module *m = &e->m;
    if (!control_prepare(f, m->arena))
        return false;
    e->func = f;
    e->exit_var = 0;
    e->control = (struct control){0};
    memset(e->zeros, 0, sizeof e->zeros);
    e->ids = arena_array(m->arena, uint32_t, f->next_id + 1);
    e->bools = arena_array(m->arena, uint32_t, f->next_id + 1);
    e->floats = arena_array(m->arena, uint32_t, f->next_id + 1);
    spv_inst(m, SPV_HEAD, SpvOpFunction, result_type(e, &f->sig), helper->id, SpvFunctionControlMaskNone, helper->type);
    for (uint32_t k = 0; k < f->body->nparams; k++) {
        uint32_t id = spv_new_id(m);
        spv_inst(m, SPV_HEAD, SpvOpFunctionParameter, spv_type(e, f->body->params[k]->type), id);
        e->ids[f->body->params[k]->id] = id;
    }
    spv_inst(m, SPV_HEAD, SpvOpLabel, spv_new_id(m));
    spv_emit_body(e);
    finish_function(e);
    return true;
}

bool spv_finish_functions(struct spv_emit *e) {
    finish_function(e);
    for (const struct spv_helper *helper = e->helpers; helper; helper = helper->next)
        if (!emit_helper(e, helper))
            return false;
    return true;
}
