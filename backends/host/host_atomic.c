/* Atomic accesses: LLVM's own, sequentially consistent, as Wasm's are.
 *
 * A narrow operation works on the bytes in memory, zero-extended: the operand is cut, the result extended.  cmpxchg
 * compares the extended bytes with the whole operand, so one that does not fit can never be equal; it is then carried
 * out with a replacement equal to what is compared, which stores nothing new.  wait and notify are the runtime's.
 */
#include "backends/host/host_internal.h"

static LLVMTypeRef width_type(struct host_func *hf, const struct ir_inst *i) {
    return LLVMIntTypeInContext(hf->cx->llvm, ir_info(i)->bytes * 8u);
}

/* Operand `n` cut to the width of the access. */
static LLVMValueRef cut(struct host_func *hf, const struct ir_inst *i, unsigned n) {
    LLVMValueRef v = host_value(hf, i->operands[n]);
    LLVMTypeRef type = width_type(hf, i);
    return LLVMTypeOf(v) == type ? v : LLVMBuildTrunc(hf->b, v, type, "");
}

static void set_extended(struct host_func *hf, const struct ir_inst *i, LLVMValueRef v) {
    LLVMTypeRef type = host_type(hf->cx, i->results[0].type);
    host_set_value(hf, &i->results[0], LLVMTypeOf(v) == type ? v : LLVMBuildZExt(hf->b, v, type, ""));
}

static void mark(struct host_func *hf, const struct ir_inst *i, LLVMValueRef access) {
    LLVMSetAlignment(access, ir_info(i)->bytes);
    host_mark_space(hf->cx, access, HOST_SPACE_LINEAR);
}

static LLVMAtomicRMWBinOp rmw_op(enum ir_atomic kind) {
    switch (kind) {
    case IR_ATOMIC_ADD:
        return LLVMAtomicRMWBinOpAdd;
    case IR_ATOMIC_SUB:
        return LLVMAtomicRMWBinOpSub;
    case IR_ATOMIC_AND:
        return LLVMAtomicRMWBinOpAnd;
    case IR_ATOMIC_OR:
        return LLVMAtomicRMWBinOpOr;
    case IR_ATOMIC_XOR:
        return LLVMAtomicRMWBinOpXor;
    case IR_ATOMIC_XCHG:
        return LLVMAtomicRMWBinOpXchg;
    default:
        ICE("atomic kind %d has no operation", (int)kind);
    }
}

static LLVMValueRef emit_cmpxchg(struct host_func *hf, const struct ir_inst *i, LLVMValueRef p) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef expected = cut(hf, i, 1), replacement = cut(hf, i, 2), whole = host_value(hf, i->operands[1]);
    if (LLVMTypeOf(whole) != LLVMTypeOf(expected)) {
        LLVMValueRef back = LLVMBuildZExt(b, expected, LLVMTypeOf(whole), "");
        LLVMValueRef fits = LLVMBuildICmp(b, LLVMIntEQ, back, whole, "");
        replacement = LLVMBuildSelect(b, fits, replacement, expected, "");
    }
    LLVMValueRef pair = LLVMBuildAtomicCmpXchg(b, p, expected, replacement, LLVMAtomicOrderingSequentiallyConsistent,
                                               LLVMAtomicOrderingSequentiallyConsistent, 0);
    mark(hf, i, pair);
    return LLVMBuildExtractValue(b, pair, 0, "");
}

void host_emit_atomic(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMBuilderRef b = hf->b;
    LLVMValueRef p = host_atomic_address(hf, i), v;
    enum ir_atomic kind = (enum ir_atomic)ir_info(i)->atomic;
    switch (kind) {
    case IR_ATOMIC_LOAD:
        v = LLVMBuildLoad2(b, width_type(hf, i), p, "");
        LLVMSetOrdering(v, LLVMAtomicOrderingSequentiallyConsistent);
        mark(hf, i, v);
        break;
    case IR_ATOMIC_STORE:
        v = LLVMBuildStore(b, cut(hf, i, 1), p);
        LLVMSetOrdering(v, LLVMAtomicOrderingSequentiallyConsistent);
        mark(hf, i, v);
        return;
    case IR_ATOMIC_CMPXCHG:
        v = emit_cmpxchg(hf, i, p);
        break;
    default:
        v = LLVMBuildAtomicRMW(b, rmw_op(kind), p, cut(hf, i, 1), LLVMAtomicOrderingSequentiallyConsistent, 0);
        mark(hf, i, v);
    }
    set_extended(hf, i, v);
}

void host_emit_atomic_fence(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)i;
    (void)arg;
    LLVMBuildFence(hf->b, LLVMAtomicOrderingSequentiallyConsistent, 0, "");
}

static LLVMValueRef wide(struct host_func *hf, const struct ir_value *v) {
    LLVMValueRef x = host_value(hf, v);
    return v->type == IR_I32 ? LLVMBuildZExt(hf->b, x, hf->cx->i64, "") : x;
}

static void set_result(struct host_func *hf, const struct ir_inst *i, LLVMValueRef v) {
    host_set_value(hf, &i->results[0], LLVMBuildTrunc(hf->b, v, hf->cx->i32, ""));
}

void host_emit_atomic_wait(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef args[] = {hf->vmctx,
                           host_const_i64(hf->cx, i->mem.memory),
                           host_const_i64(hf->cx, ir_info(i)->bytes),
                           host_atomic_index(hf, i),
                           wide(hf, i->operands[1]),
                           wide(hf, i->operands[2]),
                           host_where(hf, i)};
    set_result(hf, i, host_call_rt(hf, HOST_RT_ATOMIC_WAIT, args, 7));
}

void host_emit_atomic_notify(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef args[] = {hf->vmctx, host_const_i64(hf->cx, i->mem.memory), host_atomic_index(hf, i),
                           wide(hf, i->operands[1]), host_where(hf, i)};
    set_result(hf, i, host_call_rt(hf, HOST_RT_ATOMIC_NOTIFY, args, 5));
}
