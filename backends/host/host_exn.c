/* Exceptions.
 *
 * A call behind which `thrown` stands is an `invoke`: when it returns nothing has been done for exceptions, and when it
 * throws, the unwinder finds its landing pad in tables (runtime/exception.c), restores the registers that the function
 * expects and goes there:
 *
 *     %r = call $f (..)             %r = invoke $f (..) to good unwind pad
 *     %c, %e = thrown        pad:   %x = landingpad cleanup; br join      ; its first part is the exnref
 *     br_if %c, C (%e)       good:  br join
 *                            join:  %c = phi [0, good], [1, pad]; ...     ; simplifycfg makes pad -> C of it
 *
 * Everything else about exceptions is calls into the runtime; what they carry stands behind a header that both know.
 */
#include "backends/host/host_internal.h"

static bool finds_thrown(const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_THROWN)
            return true;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (finds_thrown(i->regions[k]))
                return true;
    }
    return false;
}

bool host_find_catches(const struct ir_module *m) {
    for (uint32_t i = 0; i < m->nfuncs; i++)
        if (m->funcs[i].func->body && finds_thrown(m->funcs[i].func->body))
            return true;
    return false;
}

LLVMValueRef host_build_invoke(struct host_func *hf, LLVMTypeRef type, LLVMValueRef fn, LLVMValueRef *args,
                               unsigned nargs, enum host_convention convention) {
    struct host_cx *cx = hf->cx;
    LLVMBasicBlockRef pad = host_new_block(hf, "pad"), good = host_new_block(hf, "");
    LLVMValueRef call = LLVMBuildInvoke2(hf->b, type, fn, args, nargs, good, pad, "");
    LLVMSetInstructionCallConv(call, convention);
    LLVMPositionBuilderAtEnd(hf->b, pad);
    LLVMTypeRef parts[] = {cx->ptr, cx->i32};
    LLVMValueRef landing = LLVMBuildLandingPad(hf->b, LLVMStructTypeInContext(cx->llvm, parts, 2, 0), NULL, 0, "");
    LLVMSetCleanup(landing, 1);
    hf->exception = LLVMBuildExtractValue(hf->b, landing, 0, "");
    hf->landed = pad;
    LLVMPositionBuilderAtEnd(hf->b, good);
    return call;
}

/* Joins the two ways out of the call before. */
void host_emit_thrown(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct host_cx *cx = hf->cx;
    struct ir_inst *call = i->prev;
    ICE_UNLESS(hf->landed && call);
    LLVMBasicBlockRef from[] = {LLVMGetInsertBlock(hf->b), hf->landed}, join = host_new_block(hf, "");
    LLVMBuildBr(hf->b, join);
    LLVMPositionBuilderAtEnd(hf->b, hf->landed);
    LLVMBuildBr(hf->b, join);
    LLVMPositionBuilderAtEnd(hf->b, join);
    LLVMValueRef *phis = arena_array(hf->arena, LLVMValueRef, call->nresults);
    for (uint32_t k = 0; k < call->nresults; k++) {
        LLVMTypeRef type = host_type(cx, call->results[k].type);
        LLVMValueRef values[] = {host_value(hf, &call->results[k]), LLVMGetPoison(type)};
        phis[k] = LLVMBuildPhi(hf->b, type, "");
        LLVMAddIncoming(phis[k], values, from, 2);
    }
    LLVMValueRef flags[] = {LLVMConstNull(cx->i1), LLVMConstAllOnes(cx->i1)};
    LLVMValueRef exceptions[] = {LLVMConstNull(cx->ptr), hf->exception};
    LLVMValueRef flag = LLVMBuildPhi(hf->b, cx->i1, ""), exception = LLVMBuildPhi(hf->b, cx->ptr, "");
    LLVMAddIncoming(flag, flags, from, 2);
    LLVMAddIncoming(exception, exceptions, from, 2);
    for (uint32_t k = 0; k < call->nresults; k++)
        host_set_value(hf, &call->results[k], phis[k]);
    host_set_bool(hf, &i->results[0], flag);
    host_set_value(hf, &i->results[1], exception);
    hf->landed = NULL;
}

void host_emit_throw(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef args[] = {hf->vmctx, host_value(hf, i->operands[0]), host_where(hf, i)};
    host_call_rt(hf, HOST_RT_THROW, args, 3);
    LLVMBuildUnreachable(hf->b);
}

static unsigned payload_words(const struct ir_sig *sig) {
    unsigned words = 0;
    for (uint32_t k = 0; k < sig->nparams; k++)
        words += host_arg_words(sig->params[k]);
    return words;
}

static LLVMValueRef payload(struct host_func *hf, LLVMValueRef exception) {
    return host_byte_gep(hf->cx, hf->b, exception, sizeof(struct wm_exception));
}

void host_emit_exn_new(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct host_cx *cx = hf->cx;
    const struct ir_sig *sig = &cx->m->types[cx->m->tags[i->index].type];
    LLVMValueRef args[] = {hf->vmctx, host_const_i64(cx, i->index), host_const_i64(cx, payload_words(sig))};
    LLVMValueRef exception = host_call_rt(hf, HOST_RT_EXN_NEW, args, 3), values = payload(hf, exception);
    for (uint32_t k = 0, word = 0; k < sig->nparams; k++) {
        host_store_word(cx, hf->b, host_value(hf, i->operands[k]), sig->params[k], values, word);
        word += host_arg_words(sig->params[k]);
    }
    host_set_value(hf, &i->results[0], exception);
}

void host_emit_exn_is(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct host_cx *cx = hf->cx;
    LLVMValueRef tags = host_load_field(cx, hf->b, cx->ptr, hf->vmctx, offsetof(struct wm_vmctx, tags), true);
    LLVMValueRef want = host_load_field(cx, hf->b, cx->ptr, tags, 8 * (uint64_t)i->index, true);
    LLVMValueRef have =
        host_load_field(cx, hf->b, cx->ptr, host_value(hf, i->operands[0]), offsetof(struct wm_exception, tag), false);
    host_set_bool(hf, &i->results[0], LLVMBuildICmp(hf->b, LLVMIntEQ, have, want, ""));
}

void host_emit_exn_get(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef values = payload(hf, host_value(hf, i->operands[0]));
    for (uint32_t k = 0, word = 0; k < i->nresults; k++) {
        host_set_value(hf, &i->results[k], host_load_word(hf->cx, hf->b, i->results[k].type, values, word));
        word += host_arg_words(i->results[k].type);
    }
}

void host_emit_exn_drop(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef exception = host_value(hf, i->operands[0]);
    host_call_rt(hf, HOST_RT_EXN_DROP, &exception, 1);
}

void host_emit_exn_copy(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef args[] = {hf->vmctx, host_value(hf, i->operands[0])};
    host_set_value(hf, &i->results[0], host_call_rt(hf, HOST_RT_EXN_COPY, args, 2));
}

/* The address of the slot tells the runtime which handler of which frame holds it; nothing is stored there. */
void host_emit_exn_hold(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef args[] = {host_value(hf, i->operands[0]), host_entry_array(hf, 1, "held")};
    host_call_rt(hf, HOST_RT_EXN_HOLD, args, 2);
}
