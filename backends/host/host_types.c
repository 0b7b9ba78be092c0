/* Types, calling convention and the instance's fields.
 *
 * A wasm function is an LLVM function whose first parameter is the instance (struct wm_vmctx *), with the C calling
 * convention.  Those that make tail calls or are named by one have LLVM's tailcc, under which any function can be left
 * by a call of any other in constant stack: the registers are those of C, but a callee takes its own stack arguments
 * off, which on x86-64 costs each call an instruction or two.  Each has a wrapper of C convention for tables, imports
 * and trampolines, and a funcref holds both; a tail call through a table of a function that has no tailcc form is a
 * plain call, for such a function makes no tail call of its own.
 *
 * A tail call passes on the place for results, so where that is must not be LLVM's choice: several results come back as
 * a struct if registers surely suffice, else in an array whose address is the second parameter, laid out as a
 * trampoline's.
 *
 * Memory falls in two spaces that never overlap, told to LLVM as TBAA types: linear memory, and the instance with all
 * that the runtime hangs on it.  Fields that are fixed once the instance is made are `invariant` loads, so that, for
 * example, the base of memory is read once a function and stays in a register.
 *
 * Attributes: nounwind, but for modules that catch exceptions (traps leave by longjmp past frames that need no
 * clean-up); unwind tables, for exceptions of other instances pass through; stack probes, so that a large frame
 * cannot step over the guard page below the stack; no tail calls but those of the module (musttail), because a call
 * made into a jump would turn unbounded recursion, which Wasm ends with a trap, into an endless loop.
 */
#include "backends/host/host_internal.h"

#include <string.h>

static const char *const intrinsic_names[HOST_INTRINSIC_COUNT] = {
    [HOST_CTLZ] = "llvm.ctlz",
    [HOST_CTTZ] = "llvm.cttz",
    [HOST_CTPOP] = "llvm.ctpop",
    [HOST_FSHL] = "llvm.fshl",
    [HOST_FSHR] = "llvm.fshr",
    [HOST_CEIL] = "llvm.ceil",
    [HOST_FLOOR] = "llvm.floor",
    [HOST_TRUNC] = "llvm.trunc",
    [HOST_RINT] = "llvm.rint",
    [HOST_SQRT] = "llvm.sqrt",
    [HOST_FABS] = "llvm.fabs",
    [HOST_MINIMUM] = "llvm.minimum",
    [HOST_MAXIMUM] = "llvm.maximum",
    [HOST_COPYSIGN] = "llvm.copysign",
    [HOST_FMA] = "llvm.fma",
    [HOST_FENCE] = "llvm.arithmetic.fence",
    [HOST_FPTOSI_SAT] = "llvm.fptosi.sat",
    [HOST_FPTOUI_SAT] = "llvm.fptoui.sat",
    [HOST_ABS] = "llvm.abs",
    [HOST_SADD_SAT] = "llvm.sadd.sat",
    [HOST_UADD_SAT] = "llvm.uadd.sat",
    [HOST_SSUB_SAT] = "llvm.ssub.sat",
    [HOST_USUB_SAT] = "llvm.usub.sat",
    [HOST_SMIN] = "llvm.smin",
    [HOST_UMIN] = "llvm.umin",
    [HOST_SMAX] = "llvm.smax",
    [HOST_UMAX] = "llvm.umax",
};

static const struct {
    const char *name, *params;
    char result, attrs;
} rt_table[HOST_RT_COUNT] = {
#define HOST_RT(id, symbol, result, params, attrs) {#symbol, params, result, attrs},
#include "backends/host/runtime_symbols.def"
};

static LLVMMetadataRef md_string(struct host_cx *cx, const char *s) {
    return LLVMMDStringInContext2(cx->llvm, s, strlen(s));
}

static LLVMMetadataRef md_number(LLVMTypeRef type, uint64_t v) {
    return LLVMValueAsMetadata(LLVMConstInt(type, v, 0));
}

static unsigned md_kind(struct host_cx *cx, const char *name) {
    return LLVMGetMDKindIDInContext(cx->llvm, name, (unsigned)strlen(name));
}

static void init_metadata(struct host_cx *cx) {
    static const char *const space_names[HOST_SPACE_COUNT] = {"linear memory", "instance"};
    LLVMMetadataRef name = md_string(cx, "wasmetal");
    LLVMMetadataRef root = LLVMMDNodeInContext2(cx->llvm, &name, 1);
    for (unsigned s = 0; s < HOST_SPACE_COUNT; s++) {
        LLVMMetadataRef type_ops[] = {md_string(cx, space_names[s]), root, md_number(cx->i64, 0)};
        LLVMMetadataRef type = LLVMMDNodeInContext2(cx->llvm, type_ops, 3);
        LLVMMetadataRef tag[] = {type, type, md_number(cx->i64, 0)};
        cx->tbaa[s] = LLVMMetadataAsValue(cx->llvm, LLVMMDNodeInContext2(cx->llvm, tag, 3));
    }
    cx->empty_md = LLVMMetadataAsValue(cx->llvm, LLVMMDNodeInContext2(cx->llvm, NULL, 0));
    LLVMMetadataRef weights[] = {md_string(cx, "branch_weights"), md_number(cx->i32, 1048575), md_number(cx->i32, 1)};
    cx->unlikely = LLVMMetadataAsValue(cx->llvm, LLVMMDNodeInContext2(cx->llvm, weights, 3));
    cx->md_pcsections = md_kind(cx, "pcsections");
    cx->md_tbaa = md_kind(cx, "tbaa");
    cx->md_invariant_load = md_kind(cx, "invariant.load");
    cx->md_access_group = md_kind(cx, "llvm.access.group");
    cx->md_loop = md_kind(cx, "llvm.loop");
    cx->md_prof = md_kind(cx, "prof");
}

static LLVMTypeRef rt_letter(struct host_cx *cx, char c) {
    return c == 'p' ? cx->ptr : c == 'l' ? cx->i64 : cx->tvoid;
}

static void declare_runtime(struct host_cx *cx) {
    for (unsigned i = 0; i < HOST_RT_COUNT; i++) {
        LLVMTypeRef params[16];
        unsigned n = (unsigned)strlen(rt_table[i].params);
        for (unsigned p = 0; p < n; p++)
            params[p] = rt_letter(cx, rt_table[i].params[p]);
        cx->rt_types[i] = LLVMFunctionType(rt_letter(cx, rt_table[i].result), params, n, 0);
        cx->rt[i] = LLVMAddFunction(cx->module, rt_table[i].name, cx->rt_types[i]);
        if (rt_table[i].attrs != 'U')
            host_add_attribute(cx, cx->rt[i], LLVMAttributeFunctionIndex, "nounwind");
        if (rt_table[i].attrs != '-') {
            host_add_attribute(cx, cx->rt[i], LLVMAttributeFunctionIndex, "noreturn");
            host_add_attribute(cx, cx->rt[i], LLVMAttributeFunctionIndex, "cold");
        }
    }
}

/* cx->llvm and cx->module exist. */
void host_types_init(struct host_cx *cx) {
    cx->tvoid = LLVMVoidTypeInContext(cx->llvm);
    cx->i1 = LLVMInt1TypeInContext(cx->llvm);
    cx->i8 = LLVMInt8TypeInContext(cx->llvm);
    cx->i16 = LLVMInt16TypeInContext(cx->llvm);
    cx->i32 = LLVMInt32TypeInContext(cx->llvm);
    cx->i64 = LLVMInt64TypeInContext(cx->llvm);
    cx->f32 = LLVMFloatTypeInContext(cx->llvm);
    cx->f64 = LLVMDoubleTypeInContext(cx->llvm);
    cx->v128 = LLVMVectorType(cx->i8, 16);
    cx->ptr = LLVMPointerTypeInContext(cx->llvm, 0);
    for (unsigned i = 0; i < HOST_INTRINSIC_COUNT; i++) {
        cx->intrinsics[i] = LLVMLookupIntrinsicID(intrinsic_names[i], strlen(intrinsic_names[i]));
        if (!cx->intrinsics[i])
            ICE("LLVM has no intrinsic %s", intrinsic_names[i]);
    }
    init_metadata(cx);
    declare_runtime(cx);
    cx->type_of_sig = arena_array(&cx->arena, LLVMTypeRef, cx->m->ntypes);
}

LLVMTypeRef host_type_of_sig(struct host_cx *cx, uint32_t type) {
    if (!cx->type_of_sig[type])
        cx->type_of_sig[type] = host_sig_type(cx, &cx->m->types[type]);
    return cx->type_of_sig[type];
}

LLVMTypeRef host_type(struct host_cx *cx, enum ir_type t) {
    switch (t) {
    case IR_I32:
        return cx->i32;
    case IR_I64:
        return cx->i64;
    case IR_F32:
        return cx->f32;
    case IR_F64:
        return cx->f64;
    case IR_V128:
        return cx->v128;
    case IR_FUNCREF:
    case IR_EXTERNREF:
    case IR_EXNREF:
        return cx->ptr;
    case IR_TYPE_COUNT:
        break;
    }
    ICE("no LLVM type for IR type %d", (int)t);
}

/* x86-64 returns three integers and two floats or vectors in registers, AArch64 eight each. */
bool host_results_in_memory(const struct ir_sig *sig) {
    unsigned general = 0, vector = 0;
    for (uint32_t i = 0; i < sig->nresults; i++) {
        enum ir_type t = sig->results[i];
        bool is_vector = t == IR_F32 || t == IR_F64 || t == IR_V128;
        vector += is_vector;
        general += !is_vector;
    }
    return general > 3 || vector > 2;
}

unsigned host_first_param(const struct ir_sig *sig) {
    return host_results_in_memory(sig) ? 2 : 1;
}

/* llvm::CallingConv::Tail is 18; LLVM's C interface does not name it. */
LLVMValueRef host_build_call(LLVMBuilderRef b, LLVMTypeRef type, LLVMValueRef fn, LLVMValueRef *args, unsigned nargs,
                             enum host_convention convention, bool tail) {
    LLVMValueRef call = LLVMBuildCall2(b, type, fn, args, nargs, "");
    LLVMSetInstructionCallConv(call, convention);
    if (tail)
        LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
    return call;
}

LLVMTypeRef host_sig_type(struct host_cx *cx, const struct ir_sig *sig) {
    uint32_t n = sig->nparams > sig->nresults ? sig->nparams : sig->nresults;
    LLVMTypeRef *types = arena_array(&cx->arena, LLVMTypeRef, n + 2);
    LLVMTypeRef result = cx->tvoid;
    bool in_memory = host_results_in_memory(sig);
    unsigned first = host_first_param(sig);
    for (uint32_t i = 0; i < sig->nresults; i++)
        types[i] = host_type(cx, sig->results[i]);
    if (sig->nresults == 1)
        result = types[0];
    else if (sig->nresults > 1 && !in_memory)
        result = LLVMStructTypeInContext(cx->llvm, types, sig->nresults, 0);
    types[0] = types[1] = cx->ptr;
    for (uint32_t i = 0; i < sig->nparams; i++)
        types[i + first] = host_type(cx, sig->params[i]);
    return LLVMFunctionType(result, types, sig->nparams + first, 0);
}

void host_add_attribute(struct host_cx *cx, LLVMValueRef fn, unsigned index, const char *name) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    if (!kind)
        ICE("LLVM has no attribute %s", name);
    LLVMAddAttributeAtIndex(fn, index, LLVMCreateEnumAttribute(cx->llvm, kind, 0));
}

static void add_string_attribute(struct host_cx *cx, LLVMValueRef fn, const char *key, const char *value) {
    LLVMAddAttributeAtIndex(
        fn, LLVMAttributeFunctionIndex,
        LLVMCreateStringAttribute(cx->llvm, key, (unsigned)strlen(key), value, (unsigned)strlen(value)));
}

enum { UNWIND_SYNC = 1 }; /* llvm::UWTableKind::Sync: tables that hold at calls */

/* For every function with a body.  All code stays in one section, which the trap map counts from. */
void host_set_attributes(struct host_cx *cx, LLVMValueRef fn) {
    if (!cx->catches)
        host_add_attribute(cx, fn, LLVMAttributeFunctionIndex, "nounwind"); /* else see set_personalities */
    LLVMAddAttributeAtIndex(
        fn, LLVMAttributeFunctionIndex,
        LLVMCreateEnumAttribute(cx->llvm, LLVMGetEnumAttributeKindForName("uwtable", 7), UNWIND_SYNC));
    add_string_attribute(cx, fn, "probe-stack", "inline-asm");
    add_string_attribute(cx, fn, "disable-tail-calls", "true");
    LLVMSetLinkage(fn, LLVMInternalLinkage);
    if (cx->elf)
        LLVMSetSection(fn, ".text");
}

LLVMValueRef host_const_i32(struct host_cx *cx, uint32_t v) {
    return LLVMConstInt(cx->i32, v, 0);
}

LLVMValueRef host_const_i64(struct host_cx *cx, uint64_t v) {
    return LLVMConstInt(cx->i64, v, 0);
}

LLVMValueRef host_byte_gep(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef base, uint64_t offset) {
    LLVMValueRef index = host_const_i64(cx, offset);
    return offset ? LLVMBuildInBoundsGEP2(b, cx->i8, base, &index, 1, "") : base;
}

void host_mark_space(struct host_cx *cx, LLVMValueRef access, enum host_space space) {
    LLVMSetMetadata(access, cx->md_tbaa, cx->tbaa[space]);
}

LLVMValueRef host_load_field(struct host_cx *cx, LLVMBuilderRef b, LLVMTypeRef type, LLVMValueRef base, uint64_t offset,
                             bool constant) {
    LLVMValueRef v = LLVMBuildLoad2(b, type, host_byte_gep(cx, b, base, offset), "");
    LLVMSetAlignment(v, 8);
    host_mark_space(cx, v, HOST_SPACE_INSTANCE);
    if (constant)
        LLVMSetMetadata(v, cx->md_invariant_load, cx->empty_md);
    return v;
}

LLVMValueRef host_store_field(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef value, LLVMValueRef base,
                              uint64_t offset) {
    LLVMValueRef s = LLVMBuildStore(b, value, host_byte_gep(cx, b, base, offset));
    LLVMSetAlignment(s, 8);
    host_mark_space(cx, s, HOST_SPACE_INSTANCE);
    return s;
}

LLVMValueRef host_intrinsic_call(struct host_func *hf, enum host_intrinsic which, LLVMTypeRef *overloads,
                                 unsigned noverloads, LLVMValueRef *args, unsigned nargs) {
    struct host_cx *cx = hf->cx;
    LLVMValueRef fn = LLVMGetIntrinsicDeclaration(cx->module, cx->intrinsics[which], overloads, noverloads);
    LLVMTypeRef type = LLVMIntrinsicGetType(cx->llvm, cx->intrinsics[which], overloads, noverloads);
    return LLVMBuildCall2(hf->b, type, fn, args, nargs, "");
}

LLVMValueRef host_call_rt(struct host_func *hf, enum host_rt which, LLVMValueRef *args, unsigned nargs) {
    return LLVMBuildCall2(hf->b, hf->cx->rt_types[which], hf->cx->rt[which], args, nargs, "");
}

unsigned host_arg_words(enum ir_type t) {
    return t == IR_V128 ? 2 : 1;
}

static unsigned list_words(const enum ir_type *types, uint32_t n) {
    unsigned words = 0;
    for (uint32_t i = 0; i < n; i++)
        words += host_arg_words(types[i]);
    return words;
}

unsigned host_sig_words(const struct ir_sig *sig) {
    unsigned params = list_words(sig->params, sig->nparams), results = list_words(sig->results, sig->nresults);
    return params > results ? params : results;
}

/* v128 stays as it is: its store covers both words. */
LLVMValueRef host_to_bits(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef v, enum ir_type t) {
    switch (t) {
    case IR_I32:
        return LLVMBuildZExt(b, v, cx->i64, "");
    case IR_F32:
        return LLVMBuildZExt(b, LLVMBuildBitCast(b, v, cx->i32, ""), cx->i64, "");
    case IR_F64:
        return LLVMBuildBitCast(b, v, cx->i64, "");
    default:
        return v;
    }
}
