/* The pipeline: IR module -> LLVM modules -> optimised -> object files -> one object -> trap map filled in.
 *
 * Functions stand in the LLVM module between two marker functions, which bound the code for the trap map; names are
 * "w<index>.<name>", so none can be taken for a C library function.  Everything depends on the input and the options
 * only: same in, same bytes out.  All LLVM objects live in one context that is disposed at the end.
 */
#include "backends/host/host_internal.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <stdlib.h>
#include <string.h>

static const char *symbol_name(struct host_cx *cx, char prefix, uint32_t index, const char *name) {
    char *s = arena_printf(&cx->arena, "%c%u.%.200s", prefix, index, name);
    for (char *p = s; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') && *p != '.')
            *p = '_';
    return s;
}

/* Seen by the other parts of the module, not outside of it. */
static void share(struct host_cx *cx, LLVMValueRef fn) {
    if (cx->part->whole)
        return;
    LLVMSetLinkage(fn, LLVMExternalLinkage);
    LLVMSetVisibility(fn, LLVMHiddenVisibility);
}

/* Functions of other parts are but declared here, and a declaration must have none. */
static void set_personalities(struct host_cx *cx) {
    for (LLVMValueRef fn = LLVMGetFirstFunction(cx->module); fn && cx->catches; fn = LLVMGetNextFunction(fn))
        if (!LLVMIsDeclaration(fn))
            LLVMSetPersonalityFn(fn, cx->rt[HOST_RT_PERSONALITY]);
}

static LLVMValueRef declare(struct host_cx *cx, const char *name, LLVMTypeRef type) {
    LLVMValueRef fn = LLVMAddFunction(cx->module, name, type);
    host_set_attributes(cx, fn);
    return fn;
}

/* Marks the functions that make tail calls in the region or are named by one. */
static bool find_tail_calls(const struct ir_func *f, const struct ir_region *r, bool *tail) {
    bool any = false;
    ir_foreach_inst (i, r) {
        if (i->op == IR_RETURN_CALL || i->op == IR_RETURN_CALL_INDIRECT)
            any = tail[f->index] = true;
        if (i->op == IR_RETURN_CALL)
            tail[i->index] = true;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            any |= find_tail_calls(f, i->regions[k], tail);
    }
    return any;
}

/* Fills cx->tail.  A function that makes tail calls, or NULL. */
static const struct ir_func *find_all_tail_calls(struct host_cx *cx) {
    const struct ir_func *found = NULL;
    cx->tail = arena_array(&cx->arena, bool, cx->m->nfuncs);
    for (uint32_t i = 0; i < cx->m->nfuncs; i++) {
        const struct ir_func *f = cx->m->funcs[i].func;
        if (f->body && find_tail_calls(f, f->body, cx->tail))
            found = f;
    }
    return found;
}

LLVMValueRef host_func(struct host_cx *cx, uint32_t index) {
    if (!cx->funcs[index]) {
        const struct ir_func *f = cx->m->funcs[index].func;
        LLVMTypeRef type = f->type < cx->m->ntypes ? host_type_of_sig(cx, f->type) : host_sig_type(cx, &f->sig);
        cx->funcs[index] = declare(cx, symbol_name(cx, 'w', index, f->name), type);
        share(cx, cx->funcs[index]);
        if (cx->tail[index])
            LLVMSetFunctionCallConv(cx->funcs[index], HOST_CC_TAIL);
    }
    return cx->funcs[index];
}

static LLVMValueRef declare_marker(struct host_cx *cx, const char *name) {
    LLVMValueRef fn = declare(cx, name, LLVMFunctionType(cx->tvoid, NULL, 0, 0));
    share(cx, fn);
    return fn;
}

static void declare_kernels(struct host_cx *cx) {
    struct ir_module *m = cx->m;
    cx->kernels = arena_array(&cx->arena, LLVMValueRef, m->nkernels);
    for (uint32_t i = 0; i < m->nkernels; i++) {
        cx->kernels[i] = declare(cx, symbol_name(cx, 'k', i, m->kernels[i]->name), host_kernel_type(cx));
        static const char *const alone[] = {"noalias", "readonly"};
        for (unsigned p = 1; p <= 2; p++) /* scalars and box: nobody writes them during the call */
            for (unsigned a = 0; a < 2; a++)
                host_add_attribute(cx, cx->kernels[i], p + 1, alone[a]);
    }
}

static void declare_entries(struct host_cx *cx) {
    cx->entries = arena_array(&cx->arena, LLVMValueRef, cx->m->nfuncs);
    for (uint32_t i = 0; i < cx->m->nfuncs; i++)
        if (cx->tail[i])
            cx->entries[i] = declare(cx, symbol_name(cx, 'e', i, cx->m->funcs[i].func->name),
                                     LLVMGlobalGetValueType(host_func(cx, i)));
}

static void declare_trampolines(struct host_cx *cx) {
    LLVMTypeRef params[] = {cx->ptr, cx->ptr, cx->ptr};
    cx->trampolines = arena_array(&cx->arena, LLVMValueRef, cx->m->ntypes);
    for (uint32_t t = 0; t < cx->m->ntypes; t++)
        cx->trampolines[t] = declare(cx, arena_printf(&cx->arena, "t%u", t), LLVMFunctionType(cx->tvoid, params, 3, 0));
}

static void emit_marker(struct host_cx *cx, LLVMValueRef fn) {
    LLVMPositionBuilderAtEnd(cx->builder, LLVMAppendBasicBlockInContext(cx->llvm, fn, ""));
    LLVMBuildRetVoid(cx->builder);
}

/* LLVM writes functions in the order of their declaration here, so the markers stand around all others. */
static void emit_all(struct host_cx *cx) {
    struct ir_module *m = cx->m;
    const struct host_part *part = cx->part;
    struct arena scratch = {0};
    host_types_init(cx);
    cx->catches = host_find_catches(m);
    cx->funcs = arena_array(&cx->arena, LLVMValueRef, m->nfuncs);
    if (part->head) {
        cx->code_start = declare_marker(cx, "wasmetal_code_start");
        emit_marker(cx, cx->code_start);
        for (uint32_t i = 0; i < m->nfunc_imports; i++)
            host_func(cx, i);
    }
    for (uint32_t i = part->begin; i < part->end; i++)
        host_func(cx, i);
    if (part->head) {
        declare_kernels(cx);
        declare_trampolines(cx);
        declare_entries(cx);
        for (uint32_t i = 0; i < m->nfunc_imports; i++)
            host_emit_import_thunk(cx, i);
        for (uint32_t i = 0; i < m->nfuncs; i++)
            if (cx->tail[i])
                host_emit_entry(cx, i);
    }
    for (uint32_t i = part->begin; i < part->end; i++)
        host_emit_function(cx, m->funcs[i].func, &scratch);
    if (part->head) {
        for (uint32_t i = 0; i < m->nkernels; i++)
            host_emit_kernel(cx, m->kernels[i], cx->kernels[i], &scratch);
        for (uint32_t t = 0; t < m->ntypes; t++)
            host_emit_trampoline(cx, t);
    }
    if (part->head || part->tail)
        cx->code_end = declare_marker(cx, "wasmetal_code_end");
    if (part->tail)
        emit_marker(cx, cx->code_end);
    if (part->head)
        host_emit_module_constant(cx);
    set_personalities(cx);
    arena_free(&scratch);
}

static void verify(struct host_cx *cx, const char *when) {
    char *message = NULL;
    if (cx->options->verify && LLVMVerifyModule(cx->module, LLVMReturnStatusAction, &message))
        ICE("LLVM rejects the module %s: %s", when, message);
    LLVMDisposeMessage(message);
}

/* What comes in was optimised by whoever made the wasm, and by ir/opt; it is worth inlining once more, cleaning up
 * after the lowering, and vectorising the native kernels.  LLVM's whole -O2 pipeline costs about twice the time for
 * code of the same speed (measured on wasi-libc programs and ten small benchmarks).  simplifycfg's joining of equal
 * instructions of two paths is off here, so that an access keeps its own wasm offset. */
static const char *const pipelines[] = {
    "default<O0>",
    "module(cgscc(inline,function<eager-inv>(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>)),"
    "globaldce)",
    "module(cgscc(inline,function<eager-inv>(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,gvn,"
    "simplifycfg)),function<eager-inv>(loop-mssa(loop-rotate,licm),loop-vectorize,slp-vectorizer,"
    "instcombine<no-verify-fixpoint>,simplifycfg,early-cse<memssa>),globaldce)",
    "module(cgscc(inline,function<eager-inv>(sroa,early-cse<memssa>,jump-threading,correlated-propagation,simplifycfg,"
    "instcombine<no-verify-fixpoint>,reassociate,loop-mssa(loop-rotate,licm),loop(indvars),gvn,bdce,"
    "instcombine<no-verify-fixpoint>,jump-threading,adce,simplifycfg)),function<eager-inv>(loop-mssa(loop-rotate,licm),"
    "loop-vectorize,slp-vectorizer,vector-combine,instcombine<no-verify-fixpoint>,loop-unroll<O3>,"
    "instcombine<no-verify-fixpoint>,loop-mssa(licm),simplifycfg,early-cse<memssa>),globaldce)",
};

static void optimise(struct host_cx *cx) {
    int level = cx->part->opt_level < 0 ? 0 : cx->part->opt_level > 3 ? 3 : cx->part->opt_level;
    LLVMPassBuilderOptionsRef o = LLVMCreatePassBuilderOptions();
    LLVMPassBuilderOptionsSetLoopVectorization(o, level >= 2);
    LLVMPassBuilderOptionsSetLoopInterleaving(o, level >= 2);
    LLVMPassBuilderOptionsSetSLPVectorization(o, level >= 2);
    LLVMErrorRef error = LLVMRunPasses(cx->module, pipelines[level], cx->machine, o);
    LLVMDisposePassBuilderOptions(o);
    if (error)
        ICE("LLVM passes: %s", LLVMGetErrorMessage(error));
}

static void cx_free(struct host_cx *cx) {
    if (cx->builder)
        LLVMDisposeBuilder(cx->builder);
    if (cx->entry_builder)
        LLVMDisposeBuilder(cx->entry_builder);
    if (cx->module)
        LLVMDisposeModule(cx->module);
    if (cx->llvm)
        LLVMContextDispose(cx->llvm);
    if (cx->machine)
        LLVMDisposeTargetMachine(cx->machine);
    arena_free(&cx->arena);
}

/* Everything up to optimised LLVM IR.  On failure nothing is left to free. */
static bool build(struct host_cx *cx, struct ir_module *m, const struct host_options *options,
                  const struct host_part *part, char **out_error) {
    *cx = (struct host_cx){.m = m, .options = options, .part = part};
    cx->machine = host_target_machine(options, part->opt_level, out_error);
    if (!cx->machine)
        return false;
    char *triple = LLVMGetTargetMachineTriple(cx->machine);
    cx->elf = host_is_elf(triple);
    cx->minimum_quiets = strncmp(triple, "aarch64", 7) == 0 || strncmp(triple, "arm64", 5) == 0;
    bool has_tailcc = cx->minimum_quiets || strncmp(triple, "x86_64", 6) == 0;
    const struct ir_func *tail = find_all_tail_calls(cx);
    if (tail && !has_tailcc) {
        *out_error = host_error_text("tail calls (in function %s) need x86-64 or AArch64, not %s", tail->name, triple);
        LLVMDisposeMessage(triple);
        cx_free(cx);
        return false;
    }
    if (!options->bounds_checks && !host_can_guard(triple)) {
        *out_error = host_error_text("%s has no faults to catch: explicit bounds checks are needed", triple);
        LLVMDisposeMessage(triple);
        cx_free(cx);
        return false;
    }
    cx->llvm = LLVMContextCreate();
    LLVMContextSetDiscardValueNames(cx->llvm, 1);
    cx->module = LLVMModuleCreateWithNameInContext(m->name, cx->llvm);
    cx->builder = LLVMCreateBuilderInContext(cx->llvm);
    cx->entry_builder = LLVMCreateBuilderInContext(cx->llvm);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(cx->machine);
    LLVMSetModuleDataLayout(cx->module, layout);
    LLVMDisposeTargetData(layout);
    LLVMSetTarget(cx->module, triple);
    LLVMDisposeMessage(triple);
    emit_all(cx);
    verify(cx, "as emitted");
    optimise(cx);
    verify(cx, "after optimisation");
    return true;
}

bool host_compile_part(struct ir_module *m, const struct host_options *options, const struct host_part *part,
                       struct host_object *out_object, char **out_error) {
    struct host_cx cx;
    LLVMMemoryBufferRef buffer = NULL;
    char *message = NULL;
    bool ok = false;
    *out_object = (struct host_object){0};
    *out_error = NULL;
    if (!build(&cx, m, options, part, out_error))
        return false;
    if (LLVMTargetMachineEmitToMemoryBuffer(cx.machine, cx.module, LLVMObjectFile, &message, &buffer)) {
        *out_error = host_error_text("LLVM: %s", message);
        LLVMDisposeMessage(message);
        goto cleanup;
    }
    out_object->size = LLVMGetBufferSize(buffer);
    out_object->bytes = malloc(out_object->size);
    if (!out_object->bytes)
        ICE("out of memory for the object");
    memcpy(out_object->bytes, LLVMGetBufferStart(buffer), out_object->size);
    ok = true;
cleanup:
    if (buffer)
        LLVMDisposeMemoryBuffer(buffer);
    cx_free(&cx);
    return ok;
}

bool host_compile(struct ir_module *m, const struct host_options *options, struct host_object *out_object,
                  char **out_error) {
    struct arena arena = {0};
    struct host_part *parts;
    const char *why = NULL;
    *out_object = (struct host_object){0};
    *out_error = NULL;
    uint32_t nparts = host_split(&arena, m, options, &parts);
    const char *triple = options->triple ? options->triple : host_native_triple();
    struct host_noise noise = {.real = -1};
    if (strncmp(triple, "aarch64", 7) == 0 && host_is_elf(triple) && !options->bounds_checks)
        host_noise_begin(&noise);
    bool ok = nparts == 1 ? host_compile_part(m, options, parts, out_object, out_error)
                          : host_compile_parts(m, options, parts, nparts, out_object, out_error);
    host_noise_end(&noise);
    if (ok && !options->bounds_checks && host_is_elf(triple)) {
        const char *symbol = arena_printf(&arena, "wasmetal_module_%s", m->name);
        if (!host_elf_fill_trap_map(out_object, symbol, &why))
            ICE("trap map: %s", why);
    }
    arena_free(&arena);
    return ok;
}

void host_object_free(struct host_object *o) {
    free(o->bytes);
    *o = (struct host_object){0};
}

char *host_llvm_text(struct ir_module *m, const struct host_options *options, char **out_error) {
    struct host_cx cx;
    struct host_part whole = {.begin = m->nfunc_imports,
                              .end = m->nfuncs,
                              .head = true,
                              .tail = true,
                              .whole = true,
                              .opt_level = options->opt_level};
    *out_error = NULL;
    if (!build(&cx, m, options, &whole, out_error))
        return NULL;
    char *text = LLVMPrintModuleToString(cx.module), *copy = strdup(text);
    LLVMDisposeMessage(text);
    cx_free(&cx);
    return copy;
}
