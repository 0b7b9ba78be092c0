/* Atomic accesses (the threads proposal), which all look like loads: an opcode, an alignment and an offset.  The
 * validator wants the natural alignment. */
#include "compiler/wabt_reader.h"

namespace wabt_shim {

Result Reader::OnAtomicLoadExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_ATOMIC, memory, align, offset,
                  validator_.OnAtomicLoad(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnAtomicStoreExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_ATOMIC, memory, align, offset,
                  validator_.OnAtomicStore(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnAtomicRmwExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_ATOMIC, memory, align, offset,
                  validator_.OnAtomicRmw(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnAtomicRmwCmpxchgExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_ATOMIC, memory, align, offset,
                  validator_.OnAtomicRmwCmpxchg(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnAtomicWaitExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_ATOMIC, memory, align, offset,
                  validator_.OnAtomicWait(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnAtomicNotifyExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_ATOMIC, memory, align, offset,
                  validator_.OnAtomicNotify(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnAtomicFenceExpr(uint32_t consistency_model) {
    if (consistency_model != 0)
        return Fail(DIAG_MALFORMED, "atomic.fence with consistency model %u", consistency_model);
    return Fixed(IR_ATOMIC_FENCE, 0, 0, validator_.OnAtomicFence(At(), consistency_model));
}

} // namespace wabt_shim
