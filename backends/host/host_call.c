/* Calls between functions, in from C, out to the host, and to the launcher.
 *
 *   direct      call of the LLVM function with the same instance
 *   indirect    table slot -> struct wm_funcref: bounds, null and type are tested, then its code with its own instance
 *   import      a thunk stands for each imported function: to another instance's code when the import is one, else to
 *               the host function with the arguments in an array; a trap code that it returns is raised, with the
 *               import as function and no offset
 *   trampoline  one a function type, how C calls compiled code: unpacks the array, calls, packs the results
 *   tail calls  the same calls as musttail: the callee gets our place, and our place for results
 *   launch      stores the slots in an array and asks the runtime, unless no launch can succeed in this instance
 */
#include "backends/host/host_internal.h"

/* A stack array of 64-bit words, made in the first block. */
LLVMValueRef host_entry_array(struct host_func *hf, unsigned words, const char *name) {
    LLVMValueRef a = LLVMBuildAlloca(hf->entry, LLVMArrayType2(hf->cx->i64, words ? words : 1), name);
    LLVMSetAlignment(a, 16);
    return a;
}

void host_store_word(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef v, enum ir_type t, LLVMValueRef array,
                     unsigned word) {
    LLVMSetAlignment(LLVMBuildStore(b, host_to_bits(cx, b, v, t), host_byte_gep(cx, b, array, 8 * (uint64_t)word)), 8);
}

LLVMValueRef host_load_word(struct host_cx *cx, LLVMBuilderRef b, enum ir_type t, LLVMValueRef array, unsigned word) {
    LLVMValueRef v = LLVMBuildLoad2(b, host_type(cx, t), host_byte_gep(cx, b, array, 8 * (uint64_t)word), "");
    LLVMSetAlignment(v, 8);
    return v;
}

/* Ends the block.  `results` may hold instructions of it, but nothing may follow. */
void host_build_return(struct host_func *hf, const struct ir_sig *sig, LLVMValueRef *results) {
    LLVMBuilderRef b = hf->b;
    if (host_results_in_memory(sig)) {
        for (uint32_t k = 0, word = 0; k < sig->nresults; k++) {
            host_store_word(hf->cx, b, results[k], sig->results[k], LLVMGetParam(hf->fn, 1), word);
            word += host_arg_words(sig->results[k]);
        }
        LLVMBuildRetVoid(b);
    } else if (sig->nresults == 0) {
        LLVMBuildRetVoid(b);
    } else if (sig->nresults == 1) {
        LLVMBuildRet(b, results[0]);
    } else {
        LLVMValueRef all = LLVMGetPoison(LLVMGetReturnType(LLVMGlobalGetValueType(hf->fn)));
        for (uint32_t k = 0; k < sig->nresults; k++)
            all = LLVMBuildInsertValue(b, all, results[k], k, "");
        LLVMBuildRet(b, all);
    }
}

/* ---- calls ---- */

static const struct ir_sig *sig_of(const struct host_func *hf, const struct ir_inst *i) {
    bool direct = i->op == IR_CALL || i->op == IR_RETURN_CALL;
    return direct ? &hf->cx->m->funcs[i->index].func->sig : &hf->cx->m->types[i->index];
}

/* Words that the results of any one call in the region need in memory. */
static unsigned find_result_words(const struct host_func *hf, const struct ir_region *r) {
    unsigned most = 0;
    ir_foreach_inst (i, r) {
        if (i->op == IR_CALL || i->op == IR_CALL_INDIRECT) {
            const struct ir_sig *sig = sig_of(hf, i);
            unsigned words = host_results_in_memory(sig) ? host_sig_words(sig) : 0;
            most = words > most ? words : most;
        }
        for (unsigned k = 0; k < ir_nregions(i); k++) {
            unsigned words = find_result_words(hf, i->regions[k]);
            most = words > most ? words : most;
        }
    }
    return most;
}

static void set_results(struct host_func *hf, const struct ir_inst *i, const struct ir_sig *sig, LLVMValueRef call) {
    bool in_memory = host_results_in_memory(sig);
    for (uint32_t k = 0, word = 0; k < i->nresults; k++) {
        LLVMValueRef v = in_memory          ? host_load_word(hf->cx, hf->b, sig->results[k], hf->results, word)
                         : i->nresults == 1 ? call
                                            : LLVMBuildExtractValue(hf->b, call, k, "");
        word += host_arg_words(sig->results[k]);
        host_set_value(hf, &i->results[k], v);
    }
}

static void return_call_result(LLVMBuilderRef b, const struct ir_sig *sig, LLVMValueRef call) {
    if (sig->nresults && !host_results_in_memory(sig))
        LLVMBuildRet(b, call);
    else
        LLVMBuildRetVoid(b);
}

enum call_kind { CALL_PLAIN, CALL_THEN_RETURN, CALL_TAIL };

/* Calls `fn` with the instance `vmctx` and the operands that are arguments; but for CALL_PLAIN it ends the block. */
static void emit_call(struct host_func *hf, const struct ir_inst *i, LLVMValueRef fn, LLVMValueRef vmctx,
                      enum host_convention convention, enum call_kind kind) {
    const struct ir_sig *sig = sig_of(hf, i);
    bool in_memory = host_results_in_memory(sig);
    unsigned first = host_first_param(sig);
    LLVMValueRef *args = arena_array(hf->arena, LLVMValueRef, sig->nparams + first);
    args[0] = vmctx;
    if (in_memory && kind == CALL_PLAIN && !hf->results)
        hf->results = host_entry_array(hf, find_result_words(hf, hf->f->body), "results");
    if (in_memory)
        args[1] = kind == CALL_PLAIN ? hf->results : LLVMGetParam(hf->fn, 1);
    for (uint32_t k = 0; k < sig->nparams; k++)
        args[k + first] = host_value(hf, i->operands[k]);
    bool direct = i->op == IR_CALL || i->op == IR_RETURN_CALL;
    LLVMTypeRef type = direct ? LLVMGlobalGetValueType(fn) : host_type_of_sig(hf->cx, i->index);
    LLVMValueRef call;
    if (kind == CALL_PLAIN && i->next && i->next->op == IR_THROWN)
        call = host_build_invoke(hf, type, fn, args, sig->nparams + first, convention);
    else
        call = host_build_call(hf->b, type, fn, args, sig->nparams + first, convention, kind == CALL_TAIL);
    if (kind == CALL_PLAIN)
        set_results(hf, i, sig, call);
    else
        return_call_result(hf->b, sig, call);
}

static enum host_convention convention_of(LLVMValueRef fn) {
    return LLVMGetFunctionCallConv(fn) == HOST_CC_TAIL ? HOST_CC_TAIL : HOST_CC_C;
}

void host_emit_call(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef fn = host_func(hf->cx, i->index);
    emit_call(hf, i, fn, hf->vmctx, convention_of(fn), CALL_PLAIN);
}

void host_emit_return_call(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    emit_call(hf, i, host_func(hf->cx, i->index), hf->vmctx, HOST_CC_TAIL, CALL_TAIL);
}

/* The struct wm_funcref in the table slot; traps when there is none of the type. */
static LLVMValueRef find_callee(struct host_func *hf, struct ir_inst *i) {
    struct host_cx *cx = hf->cx;
    LLVMBuilderRef b = hf->b;
    LLVMValueRef tables = host_load_field(cx, b, cx->ptr, hf->vmctx, offsetof(struct wm_vmctx, tables), true);
    LLVMValueRef table = host_load_field(cx, b, cx->ptr, tables, 8 * (uint64_t)i->index2, true);
    LLVMValueRef slot = LLVMBuildZExt(b, host_value(hf, i->operands[i->noperands - 1]), cx->i64, "");
    LLVMValueRef size = host_load_field(cx, b, cx->i64, table, offsetof(struct wm_table, size), false);
    host_trap_unless(hf, LLVMBuildICmp(b, LLVMIntULT, slot, size, ""), IR_TRAP_UNDEFINED_ELEMENT, i);
    LLVMValueRef entries = host_load_field(cx, b, cx->ptr, table, offsetof(struct wm_table, entries), true);
    LLVMValueRef place = LLVMBuildInBoundsGEP2(b, cx->ptr, entries, &slot, 1, "");
    LLVMValueRef ref = host_load_field(cx, b, cx->ptr, place, 0, false);
    host_trap_unless(hf, LLVMBuildIsNotNull(b, ref, ""), IR_TRAP_UNINITIALIZED_ELEMENT, i);
    LLVMValueRef ids = host_load_field(cx, b, cx->ptr, hf->vmctx, offsetof(struct wm_vmctx, type_ids), true);
    LLVMValueRef want = host_load_field(cx, b, cx->i64, ids, 8 * (uint64_t)i->index, true);
    LLVMValueRef have = host_load_field(cx, b, cx->i64, ref, offsetof(struct wm_funcref, type_id), false);
    host_trap_unless(hf, LLVMBuildICmp(b, LLVMIntEQ, have, want, ""), IR_TRAP_INDIRECT_CALL_TYPE, i);
    return ref;
}

static LLVMValueRef ref_field(struct host_func *hf, LLVMValueRef ref, uint64_t offset) {
    return host_load_field(hf->cx, hf->b, hf->cx->ptr, ref, offset, false);
}

void host_emit_call_indirect(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef ref = find_callee(hf, i);
    LLVMValueRef fn = ref_field(hf, ref, offsetof(struct wm_funcref, fn));
    emit_call(hf, i, fn, ref_field(hf, ref, offsetof(struct wm_funcref, ctx)), HOST_CC_C, CALL_PLAIN);
}

void host_emit_return_call_indirect(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef ref = find_callee(hf, i);
    LLVMValueRef vmctx = ref_field(hf, ref, offsetof(struct wm_funcref, ctx));
    LLVMValueRef tail = ref_field(hf, ref, offsetof(struct wm_funcref, tail));
    LLVMBasicBlockRef leave = host_new_block(hf, "tail"), plain = host_new_block(hf, "plain");
    LLVMBuildCondBr(hf->b, LLVMBuildIsNull(hf->b, tail, ""), plain, leave);
    LLVMPositionBuilderAtEnd(hf->b, plain);
    emit_call(hf, i, ref_field(hf, ref, offsetof(struct wm_funcref, fn)), vmctx, HOST_CC_C, CALL_THEN_RETURN);
    LLVMPositionBuilderAtEnd(hf->b, leave);
    emit_call(hf, i, tail, vmctx, HOST_CC_TAIL, CALL_TAIL);
}

/* ---- in and out ---- */

/* Returns from the function under construction with results from an array. */
static void return_array(struct host_func *hf, const struct ir_sig *sig, LLVMValueRef array) {
    LLVMValueRef *results = arena_array(hf->arena, LLVMValueRef, sig->nresults);
    for (uint32_t k = 0, word = 0; k < sig->nresults; k++) {
        results[k] = host_load_word(hf->cx, hf->b, sig->results[k], array, word);
        word += host_arg_words(sig->results[k]);
    }
    host_build_return(hf, sig, results);
}

void host_emit_entry(struct host_cx *cx, uint32_t index) {
    const struct ir_sig *sig = &cx->m->funcs[index].func->sig;
    LLVMValueRef fn = cx->entries[index];
    LLVMPositionBuilderAtEnd(cx->builder, LLVMAppendBasicBlockInContext(cx->llvm, fn, "entry"));
    unsigned n = LLVMCountParams(fn);
    LLVMValueRef *args = arena_array(&cx->arena, LLVMValueRef, n);
    LLVMGetParams(fn, args);
    LLVMTypeRef type = LLVMGlobalGetValueType(fn);
    return_call_result(cx->builder, sig,
                       host_build_call(cx->builder, type, host_func(cx, index), args, n, HOST_CC_TAIL, false));
}

void host_emit_import_thunk(struct host_cx *cx, uint32_t index) {
    struct ir_func *f = cx->m->funcs[index].func;
    const struct ir_sig *sig = &f->sig;
    struct arena scratch = {0};
    struct host_func hf;
    host_begin_func(&hf, cx, f, host_func(cx, index), &scratch);
    LLVMSetPersonalityFn(hf.fn, cx->rt[HOST_RT_PERSONALITY]); /* keeps out the exceptions of C++ */
    hf.vmctx = LLVMGetParam(hf.fn, 0);
    LLVMBuilderRef b = hf.b;
    LLVMTypeRef type = LLVMGlobalGetValueType(hf.fn);
    unsigned first = host_first_param(sig);
    LLVMValueRef *args = arena_array(&scratch, LLVMValueRef, sig->nparams + first);
    for (uint32_t k = 0; k < sig->nparams + first; k++)
        args[k] = LLVMGetParam(hf.fn, k);

    LLVMValueRef imports = host_load_field(cx, b, cx->ptr, hf.vmctx, offsetof(struct wm_vmctx, imports), true);
    LLVMValueRef import = host_byte_gep(cx, b, imports, sizeof(struct wm_import_func) * (uint64_t)index);
    LLVMValueRef ref = host_load_field(cx, b, cx->ptr, import, offsetof(struct wm_import_func, func), true);
    LLVMBasicBlockRef compiled = host_new_block(&hf, "compiled"), native = host_new_block(&hf, "native");
    LLVMBuildCondBr(b, LLVMBuildIsNull(b, ref, ""), native, compiled);

    LLVMPositionBuilderAtEnd(b, compiled);
    args[0] = host_load_field(cx, b, cx->ptr, ref, offsetof(struct wm_funcref, ctx), false);
    if (convention_of(hf.fn) == HOST_CC_TAIL) {
        LLVMValueRef tail = ref_field(&hf, ref, offsetof(struct wm_funcref, tail));
        LLVMBasicBlockRef leave = host_new_block(&hf, "tail"), plain = host_new_block(&hf, "plain");
        LLVMBuildCondBr(b, LLVMBuildIsNull(b, tail, ""), plain, leave);
        LLVMPositionBuilderAtEnd(b, leave);
        return_call_result(b, sig, host_build_call(b, type, tail, args, sig->nparams + first, HOST_CC_TAIL, true));
        LLVMPositionBuilderAtEnd(b, plain);
    }
    LLVMValueRef fn = ref_field(&hf, ref, offsetof(struct wm_funcref, fn));
    return_call_result(b, sig, host_build_call(b, type, fn, args, sig->nparams + first, HOST_CC_C, false));

    LLVMPositionBuilderAtEnd(b, native);
    LLVMValueRef array = host_entry_array(&hf, host_sig_words(sig), "args");
    for (uint32_t k = 0, word = 0; k < sig->nparams; k++) {
        host_store_word(cx, b, args[k + first], sig->params[k], array, word);
        word += host_arg_words(sig->params[k]);
    }
    LLVMTypeRef host_params[] = {cx->ptr, cx->ptr, cx->ptr};
    LLVMTypeRef host_fn_type = LLVMFunctionType(cx->i64, host_params, 3, 0);
    LLVMValueRef host = host_load_field(cx, b, cx->ptr, import, offsetof(struct wm_import_func, host), true);
    LLVMValueRef host_args[] = {host_load_field(cx, b, cx->ptr, import, offsetof(struct wm_import_func, env), true),
                                host_load_field(cx, b, cx->ptr, hf.vmctx, offsetof(struct wm_vmctx, instance), true),
                                array};
    LLVMValueRef code = LLVMBuildCall2(b, host_fn_type, host, host_args, 3, "");
    LLVMBasicBlockRef bad = host_new_block(&hf, "trap"), good = host_new_block(&hf, "");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, code, host_const_i64(cx, 0), ""), good, bad);
    LLVMPositionBuilderAtEnd(b, bad);
    LLVMValueRef failed[] = {hf.vmctx, code, host_const_i64(cx, (uint64_t)index << 32 | IR_NO_OFFSET)};
    host_call_rt(&hf, HOST_RT_HOST_FAILED, failed, 3);
    LLVMBuildUnreachable(b);
    LLVMPositionBuilderAtEnd(b, good);
    return_array(&hf, sig, array);
    host_end_func(&hf);
    arena_free(&scratch);
}

void host_emit_trampoline(struct host_cx *cx, uint32_t type_index) {
    const struct ir_sig *sig = &cx->m->types[type_index];
    LLVMValueRef fn = cx->trampolines[type_index];
    LLVMBuilderRef b = cx->builder;
    LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(cx->llvm, fn, "entry"));
    LLVMValueRef array = LLVMGetParam(fn, 2);
    bool in_memory = host_results_in_memory(sig); /* then straight into the array */
    unsigned first = host_first_param(sig);
    LLVMValueRef *args = arena_array(&cx->arena, LLVMValueRef, sig->nparams + first);
    args[0] = LLVMGetParam(fn, 0);
    if (in_memory)
        args[1] = array;
    for (uint32_t k = 0, word = 0; k < sig->nparams; k++) {
        args[k + first] = host_load_word(cx, b, sig->params[k], array, word);
        word += host_arg_words(sig->params[k]);
    }
    LLVMValueRef call = host_build_call(b, host_type_of_sig(cx, type_index), LLVMGetParam(fn, 1), args,
                                        sig->nparams + first, HOST_CC_C, false);
    for (uint32_t k = 0, word = 0; k < sig->nresults && !in_memory; k++) {
        LLVMValueRef v = sig->nresults == 1 ? call : LLVMBuildExtractValue(b, call, k, "");
        host_store_word(cx, b, v, sig->results[k], array, word);
        word += host_arg_words(sig->results[k]);
    }
    LLVMBuildRetVoid(b);
}

/* ---- launch ---- */

static void find_launch_sizes(const struct ir_region *r, unsigned *slots, unsigned *trips) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_LAUNCH) {
            *slots = i->noperands > *slots ? i->noperands : *slots;
            *trips = i->nresults > *trips ? i->nresults : *trips;
        }
        for (unsigned k = 0; k < ir_nregions(i); k++)
            find_launch_sizes(i->regions[k], slots, trips);
    }
}

void host_emit_launch(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct host_cx *cx = hf->cx;
    LLVMBuilderRef b = hf->b;
    if (!hf->slots) { /* one array for all launches of the function */
        unsigned slots = 0, trips = 0;
        find_launch_sizes(hf->f->body, &slots, &trips);
        hf->slots = host_entry_array(hf, slots, "slots");
        hf->trips = host_entry_array(hf, trips, "trips");
    }
    uint32_t ntrips = i->nresults - 1;
    LLVMBasicBlockRef skip = LLVMGetInsertBlock(b);
    LLVMBasicBlockRef end = host_new_block(hf, "launched"), go = host_new_block(hf, "launch");
    LLVMValueRef on = host_load_field(cx, b, cx->i64, hf->vmctx, offsetof(struct wm_vmctx, offload), false);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntNE, on, host_const_i64(cx, 0), ""), go, end);

    LLVMPositionBuilderAtEnd(b, go);
    for (uint32_t k = 0; k < i->noperands; k++)
        host_store_word(cx, b, host_value(hf, i->operands[k]), i->operands[k]->type, hf->slots, k);
    for (uint32_t k = 0; k < ntrips; k++)
        host_store_word(cx, b, host_const_i64(cx, 0), IR_I64, hf->trips, k);
    LLVMValueRef args[] = {hf->vmctx, host_const_i64(cx, i->index), hf->slots, hf->trips};
    LLVMValueRef done = host_call_rt(hf, HOST_RT_LAUNCH, args, 4);
    LLVMValueRef ok = LLVMBuildICmp(b, LLVMIntNE, done, host_const_i64(cx, 0), "");
    LLVMValueRef *trips = arena_array(hf->arena, LLVMValueRef, ntrips);
    for (uint32_t k = 0; k < ntrips; k++)
        trips[k] = host_load_word(cx, b, IR_I64, hf->trips, k);
    LLVMBuildBr(b, end);

    LLVMPositionBuilderAtEnd(b, end);
    LLVMBasicBlockRef from[] = {skip, go};
    LLVMValueRef oks[] = {LLVMConstNull(cx->i1), ok};
    LLVMValueRef launched = LLVMBuildPhi(b, cx->i1, "");
    LLVMAddIncoming(launched, oks, from, 2);
    for (uint32_t k = 0; k < ntrips; k++) {
        LLVMValueRef values[] = {host_const_i64(cx, 0), trips[k]};
        LLVMValueRef trip = LLVMBuildPhi(b, cx->i64, "");
        LLVMAddIncoming(trip, values, from, 2);
        host_set_value(hf, &i->results[k + 1], trip);
    }
    host_set_bool(hf, &i->results[0], launched);
}
