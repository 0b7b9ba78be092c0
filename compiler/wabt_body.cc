/* Function bodies: one list of decoded, checked instructions at a time goes to the sink.
 *
 * Most opcodes have an IR operation with the same text; those that do not are in tables or have a callback of their
 * own. */
#include <unordered_map>

#include "compiler/wabt_reader.h"

namespace wabt_shim {

namespace {

const ir_type kTypes[] = {IR_I32, IR_I64, IR_F32, IR_F64, IR_FUNCREF, IR_EXTERNREF, IR_V128};
const ir_sig kNoResult = {0, 0, nullptr, nullptr};
const ir_sig kOneResult[] = {{0, 1, nullptr, &kTypes[0]}, {0, 1, nullptr, &kTypes[1]}, {0, 1, nullptr, &kTypes[2]},
                             {0, 1, nullptr, &kTypes[3]}, {0, 1, nullptr, &kTypes[4]}, {0, 1, nullptr, &kTypes[5]},
                             {0, 1, nullptr, &kTypes[6]}};

/* Accesses that are two operations in the IR: the load and what is done with its result, or the lane taken and its
 * store.  Lanes of 32 and 64 bits go through floats, which live in the same registers as vectors. */
const struct {
    Opcode::Enum opcode;
    ir_op access, lanes;
} kLaneAccesses[] = {
    {Opcode::V128Load8X8S, IR_V128_LOAD64_ZERO, IR_I16X8_EXTEND_LOW_I8X16_S},
    {Opcode::V128Load8X8U, IR_V128_LOAD64_ZERO, IR_I16X8_EXTEND_LOW_I8X16_U},
    {Opcode::V128Load16X4S, IR_V128_LOAD64_ZERO, IR_I32X4_EXTEND_LOW_I16X8_S},
    {Opcode::V128Load16X4U, IR_V128_LOAD64_ZERO, IR_I32X4_EXTEND_LOW_I16X8_U},
    {Opcode::V128Load32X2S, IR_V128_LOAD64_ZERO, IR_I64X2_EXTEND_LOW_I32X4_S},
    {Opcode::V128Load32X2U, IR_V128_LOAD64_ZERO, IR_I64X2_EXTEND_LOW_I32X4_U},
    {Opcode::V128Load8Splat, IR_I32_LOAD8_U, IR_I8X16_SPLAT},
    {Opcode::V128Load16Splat, IR_I32_LOAD16_U, IR_I16X8_SPLAT},
    {Opcode::V128Load32Splat, IR_F32_LOAD, IR_F32X4_SPLAT},
    {Opcode::V128Load64Splat, IR_F64_LOAD, IR_F64X2_SPLAT},
    {Opcode::V128Load8Lane, IR_I32_LOAD8_U, IR_I8X16_REPLACE_LANE},
    {Opcode::V128Load16Lane, IR_I32_LOAD16_U, IR_I16X8_REPLACE_LANE},
    {Opcode::V128Load32Lane, IR_F32_LOAD, IR_F32X4_REPLACE_LANE},
    {Opcode::V128Load64Lane, IR_F64_LOAD, IR_F64X2_REPLACE_LANE},
    {Opcode::V128Store8Lane, IR_I32_STORE8, IR_I8X16_EXTRACT_LANE_U},
    {Opcode::V128Store16Lane, IR_I32_STORE16, IR_I16X8_EXTRACT_LANE_U},
    {Opcode::V128Store32Lane, IR_F32_STORE, IR_F32X4_EXTRACT_LANE},
    {Opcode::V128Store64Lane, IR_F64_STORE, IR_F64X2_EXTRACT_LANE},
};

/* From wabt's opcode to the IR operation with the same text. */
struct OpTable {
    std::vector<int> op;
    OpTable() : op(Opcode::Invalid, -1) {
        std::unordered_map<std::string_view, int> by_name;
        for (int i = 0; i < IR_OP_COUNT; i++)
            by_name.emplace(ir_op_info[i].text, i);
        for (unsigned e = 0; e < Opcode::Invalid; e++) {
            auto found = by_name.find(Opcode(static_cast<Opcode::Enum>(e)).GetName());
            if (found != by_name.end())
                op[e] = found->second;
        }
    }
};

int FindOp(Opcode opcode) {
    static const OpTable table;
    return table.op[opcode];
}

} // namespace

/* ---- function bodies ---- */

Result Reader::BeginCodeSection(Offset size) {
    m_->code_section_offset = static_cast<uint32_t>(state->offset);
    (void)size;
    return BeginCode() ? Result::Ok : Result::Error;
}

Result Reader::BeginFunctionBody(Index index, Offset size) {
    func_ = index;
    body_.func = index;
    body_.offset = static_cast<uint32_t>(state->offset);
    body_.end = static_cast<uint32_t>(state->offset + size);
    next_ = body_.offset;
    if (Over(size, FRONT_MAX_FUNCTION_BYTES, "bytes of code"))
        return Result::Error;
    body_.sig = &m_->types[func_types_[index]];
    locals_.assign(body_.sig->params, body_.sig->params + body_.sig->nparams);
    insts_.clear();
    targets_.clear();
    depth_ = 1;
    open_.assign(1, {0, 0});
    type_work_ = 0;
    return validator_.BeginFunctionBody(Here(), index);
}

Result Reader::OnLocalDeclCount(Index) {
    next_ = state->offset;
    return Result::Ok;
}

Result Reader::OnLocalDecl(Index, Index count, Type type) {
    ir_type t;
    /* The limit counts the parameters too, as in V8. */
    if (Over(static_cast<uint64_t>(count) + locals_.size(), FRONT_MAX_LOCALS, "locals"))
        return Result::Error;
    if (Failed(validator_.OnLocalDecl(Here(), count, type)) || !Convert(type, &t))
        return Result::Error;
    locals_.insert(locals_.end(), count, t);
    next_ = state->offset;
    return Result::Ok;
}

Result Reader::EndFunctionBody(Index) {
    if (depth_ != 0) /* wabt only wants the last opcode to be some `end` */
        return Fail(DIAG_MALFORMED, "%u blocks are not closed at the end of the function", depth_);
    if (Failed(validator_.EndFunctionBody(Here())))
        return Result::Error;
    /* br_table instructions hold positions until here: the vector may have moved. */
    for (wasm_inst &i : insts_)
        if (i.kind == WASM_BR_TABLE)
            i.targets = targets_.data() + i.bits;
    body_.locals = locals_.data();
    body_.nlocals = static_cast<uint32_t>(locals_.size());
    body_.insts = insts_.data();
    body_.ninsts = static_cast<uint32_t>(insts_.size());
    func_ = -1;
    if (sink_->body(sink_->user, &body_))
        return Result::Ok;
    stopped_ = true;
    return Result::Error;
}

/* ---- instructions ---- */

Result Reader::OnInitOpcode(Opcode opcode) {
    int op = opcode < Opcode::Invalid ? FindOp(opcode) : -1;
    if (op >= 0 && ir_init_is_arithmetic(static_cast<ir_op>(op)) && !features_.extended_const_enabled())
        return Unsupported(state->offset - 1, feature_proposals[FEATURE_EXTENDED_CONST]);
    return Result::Ok;
}

Result Reader::OnOpcode(Opcode opcode) {
    if (!init_ && (func_ < 0 || depth_ == 0))
        return Fail(DIAG_MALFORMED, "instruction after the end of the function");
    if (init_)
        return OnInitOpcode(opcode);
    bool known = opcode < Opcode::Invalid;
    if (!known || !opcode.IsEnabled(features_)) {
        const char *proposal = proposal_of_opcode(state->data + next_, state->data + state->size);
        if (proposal)
            return Unsupported(next_, proposal);
    }
    return Result::Ok;
}

Result Reader::OnUnaryExpr(Opcode op) {
    return Simple(op, validator_.OnUnary(At(), op));
}

Result Reader::OnBinaryExpr(Opcode op) {
    return Simple(op, validator_.OnBinary(At(), op));
}

Result Reader::OnCompareExpr(Opcode op) {
    return Simple(op, validator_.OnCompare(At(), op));
}

Result Reader::OnConvertExpr(Opcode op) {
    return Simple(op, validator_.OnConvert(At(), op));
}

Result Reader::OnTernaryExpr(Opcode op) {
    return Simple(op, validator_.OnTernary(At(), op));
}

Result Reader::OnSimdLaneOpExpr(Opcode op, uint64_t lane) {
    return Lanes(op, lane, 0, validator_.OnSimdLaneOp(At(), op, lane));
}

Result Reader::OnSimdShuffleOpExpr(Opcode op, v128 lanes) {
    return Lanes(op, lanes.u64(0), lanes.u64(1), validator_.OnSimdShuffleOp(At(), op, lanes));
}

Result Reader::OnI32ConstExpr(uint32_t value) {
    return Const(IR_I32_CONST, Type::I32, value);
}

Result Reader::OnI64ConstExpr(uint64_t value) {
    return Const(IR_I64_CONST, Type::I64, value);
}

Result Reader::OnF32ConstExpr(uint32_t value) {
    return Const(IR_F32_CONST, Type::F32, value);
}

Result Reader::OnF64ConstExpr(uint64_t value) {
    return Const(IR_F64_CONST, Type::F64, value);
}

Result Reader::OnV128ConstExpr(v128 value) {
    return Const(IR_V128_CONST, Type::V128, value.u64(0), value.u64(1));
}

Result Reader::OnLoadExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_LOAD, memory, align, offset, validator_.OnLoad(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnLoadSplatExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_LOAD, memory, align, offset,
                  validator_.OnLoadSplat(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnLoadZeroExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_LOAD, memory, align, offset,
                  validator_.OnLoadZero(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnSimdLoadLaneExpr(Opcode op, Index memory, Address align, Address offset, uint64_t lane) {
    return Access(op, WASM_LOAD, memory, align, offset,
                  validator_.OnSimdLoadLane(At(), op, VarOf(memory), Alignment(align), lane), lane);
}

Result Reader::OnSimdStoreLaneExpr(Opcode op, Index memory, Address align, Address offset, uint64_t lane) {
    return Access(op, WASM_STORE, memory, align, offset,
                  validator_.OnSimdStoreLane(At(), op, VarOf(memory), Alignment(align), lane), lane);
}

Result Reader::OnStoreExpr(Opcode op, Index memory, Address align, Address offset) {
    return Access(op, WASM_STORE, memory, align, offset, validator_.OnStore(At(), op, VarOf(memory), Alignment(align)));
}

Result Reader::OnLocalGetExpr(Index i) {
    return Plain(WASM_LOCAL_GET, i, validator_.OnLocalGet(At(), VarOf(i)));
}

Result Reader::OnLocalSetExpr(Index i) {
    return Plain(WASM_LOCAL_SET, i, validator_.OnLocalSet(At(), VarOf(i)));
}

Result Reader::OnLocalTeeExpr(Index i) {
    return Plain(WASM_LOCAL_TEE, i, validator_.OnLocalTee(At(), VarOf(i)));
}

Result Reader::OnDropExpr() {
    return Plain(WASM_DROP, 0, validator_.OnDrop(At()));
}

Result Reader::OnSelectExpr(Index n, Type *types) {
    bool typed = state->data[next_] == 0x1c;
    if (typed && n != 1)
        return Fail(DIAG_INVALID, "select with %u types; it takes one", n);
    if (Failed(validator_.OnSelect(At(), n, types)))
        return Result::Error;
    /* wabt leaves a value of any type behind a typed select; this puts the right one there. */
    if (typed && (Failed(validator_.OnDrop(At())) || Failed(validator_.OnConst(At(), types[0]))))
        return Result::Error;
    return Plain(WASM_SELECT, 0, Result::Ok);
}

Result Reader::OnReturnExpr() {
    return Plain(WASM_RETURN, 0, validator_.OnReturn(At()));
}

Result Reader::OnUnreachableExpr() {
    return Plain(WASM_UNREACHABLE, 0, validator_.OnUnreachable(At()));
}

Result Reader::OnNopExpr() {
    Result r = validator_.OnNop(At());
    next_ = state->offset;
    return r;
}

Result Reader::OnGlobalGetExpr(Index i) {
    Result r = validator_.OnGlobalGet(At(), VarOf(i));
    if (init_ && Succeeded(r))
        return Init(IR_GLOBAL_GET, i, 0);
    return Fixed(IR_GLOBAL_GET, i, 0, r);
}

Result Reader::OnGlobalSetExpr(Index i) {
    return Fixed(IR_GLOBAL_SET, i, 0, validator_.OnGlobalSet(At(), VarOf(i)));
}

Result Reader::OnMemorySizeExpr(Index m) {
    return Fixed(IR_MEMORY_SIZE, m, 0, validator_.OnMemorySize(At(), VarOf(m)));
}

Result Reader::OnMemoryGrowExpr(Index m) {
    return Fixed(IR_MEMORY_GROW, m, 0, validator_.OnMemoryGrow(At(), VarOf(m)));
}

Result Reader::OnMemoryFillExpr(Index m) {
    return Fixed(IR_MEMORY_FILL, m, 0, validator_.OnMemoryFill(At(), VarOf(m)));
}

/* The destination comes first in the binary; wabt calls it the source throughout. */
Result Reader::OnMemoryCopyExpr(Index dst, Index src) {
    return Fixed(IR_MEMORY_COPY, dst, src, validator_.OnMemoryCopy(At(), VarOf(dst), VarOf(src)));
}

Result Reader::OnMemoryInitExpr(Index segment, Index m) {
    return Fixed(IR_MEMORY_INIT, m, segment, validator_.OnMemoryInit(At(), VarOf(segment), VarOf(m)));
}

Result Reader::OnDataDropExpr(Index s) {
    return Fixed(IR_DATA_DROP, s, 0, validator_.OnDataDrop(At(), VarOf(s)));
}

Result Reader::OnTableGetExpr(Index t) {
    return Fixed(IR_TABLE_GET, t, 0, validator_.OnTableGet(At(), VarOf(t)));
}

Result Reader::OnTableSetExpr(Index t) {
    return Fixed(IR_TABLE_SET, t, 0, validator_.OnTableSet(At(), VarOf(t)));
}

Result Reader::OnTableSizeExpr(Index t) {
    return Fixed(IR_TABLE_SIZE, t, 0, validator_.OnTableSize(At(), VarOf(t)));
}

Result Reader::OnTableGrowExpr(Index t) {
    return Fixed(IR_TABLE_GROW, t, 0, validator_.OnTableGrow(At(), VarOf(t)));
}

Result Reader::OnTableFillExpr(Index t) {
    return Fixed(IR_TABLE_FILL, t, 0, validator_.OnTableFill(At(), VarOf(t)));
}

Result Reader::OnTableCopyExpr(Index dst, Index src) {
    return Fixed(IR_TABLE_COPY, dst, src, validator_.OnTableCopy(At(), VarOf(dst), VarOf(src)));
}

Result Reader::OnTableInitExpr(Index segment, Index t) {
    return Fixed(IR_TABLE_INIT, t, segment, validator_.OnTableInit(At(), VarOf(segment), VarOf(t)));
}

Result Reader::OnElemDropExpr(Index s) {
    return Fixed(IR_ELEM_DROP, s, 0, validator_.OnElemDrop(At(), VarOf(s)));
}

Result Reader::OnRefFuncExpr(Index f) {
    Result r = validator_.OnRefFunc(At(), VarOf(f));
    if (init_ && Succeeded(r))
        return Init(IR_REF_FUNC, f, 0);
    return Fixed(IR_REF_FUNC, f, 0, r);
}

Result Reader::OnRefNullExpr(Type type) {
    ir_type t = IR_FUNCREF;
    Result r = validator_.OnRefNull(At(), type);
    if (Failed(r) || !Convert(type, &t))
        return Result::Error;
    if (init_)
        return Init(IR_REF_NULL, 0, 0);
    wasm_inst *i = Add(WASM_FIXED, IR_REF_NULL);
    i->type = static_cast<uint8_t>(t);
    return Result::Ok;
}

Result Reader::OnRefIsNullExpr() {
    return Fixed(IR_REF_IS_NULL, 0, 0, validator_.OnRefIsNull(At()));
}

Result Reader::OnCallExpr(Index f) {
    if (!init_ && f < func_types_.size() && !Work(m_->types[func_types_[f]]))
        return Result::Error;
    return Plain(WASM_CALL, f, validator_.OnCall(At(), VarOf(f)));
}

Result Reader::CallIndirect(wasm_kind kind, Index sig, Index table) {
    if (init_)
        return NotConstant();
    if (sig < m_->ntypes && !Work(m_->types[sig]))
        return Result::Error;
    if (Failed(kind == WASM_CALL_INDIRECT ? validator_.OnCallIndirect(At(), VarOf(sig), VarOf(table))
                                          : validator_.OnReturnCallIndirect(At(), VarOf(sig), VarOf(table))))
        return Result::Error;
    if (tables_[table].type != IR_FUNCREF) /* wabt does not look */
        return Fail(DIAG_INVALID, "indirect call through a table that is not of funcref");
    wasm_inst *i = Add(kind, 0);
    i->index = sig;
    i->index2 = table;
    return Result::Ok;
}

Result Reader::OnCallIndirectExpr(Index sig, Index table) {
    return CallIndirect(WASM_CALL_INDIRECT, sig, table);
}

Result Reader::OnReturnCallExpr(Index f) {
    if (!init_ && f < func_types_.size() && !Work(m_->types[func_types_[f]]))
        return Result::Error;
    return Plain(WASM_RETURN_CALL, f, validator_.OnReturnCall(At(), VarOf(f)));
}

Result Reader::OnReturnCallIndirectExpr(Index sig, Index table) {
    return CallIndirect(WASM_RETURN_CALL_INDIRECT, sig, table);
}

Result Reader::OnBlockExpr(Type sig) {
    return Open(WASM_BLOCK, sig);
}

Result Reader::OnLoopExpr(Type sig) {
    return Open(WASM_LOOP, sig);
}

Result Reader::OnIfExpr(Type sig) {
    return Open(WASM_IF, sig);
}

Result Reader::OnTryExpr(Type sig) {
    return Open(WASM_TRY, sig);
}

Result Reader::OnCatchExpr(Index tag) {
    if (!init_ && tag < tags_.size() && !Work(m_->types[tags_[tag].type]))
        return Result::Error;
    if (Failed(validator_.OnCatch(At(), VarOf(tag), false)))
        return Result::Error;
    return Catch(WASM_CATCH, tag);
}

Result Reader::OnCatchAllExpr() {
    if (Failed(validator_.OnCatch(At(), Var(), true)))
        return Result::Error;
    return Catch(WASM_CATCH_ALL, 0);
}

/* The validator has found the try. */
Result Reader::Catch(wasm_kind kind, Index tag) {
    OpenBlock &block = open_.back();
    wasm_inst *i = Add(kind, 0);
    i->index = tag;
    i->align_log2 = block.handler == 0;
    block.handler = insts_.size() - 1;
    insts_[block.inst].index++;
    return Result::Ok;
}

Result Reader::OnDelegateExpr(Index depth) {
    if (Failed(validator_.OnDelegate(At(), VarOf(depth))))
        return Result::Error;
    insts_[open_.back().inst].index2 = depth + 1;
    open_.pop_back();
    depth_--;
    Add(WASM_DELEGATE, 0)->index = depth;
    return Result::Ok;
}

Result Reader::OnThrowExpr(Index tag) {
    if (!init_ && tag < tags_.size() && !Work(m_->types[tags_[tag].type]))
        return Result::Error;
    return Plain(WASM_THROW, tag, validator_.OnThrow(At(), VarOf(tag)));
}

Result Reader::OnRethrowExpr(Index depth) {
    if (Failed(validator_.OnRethrow(At(), VarOf(depth))))
        return Result::Error;
    insts_[open_[open_.size() - 1 - depth].handler].index2 = 1;
    return Plain(WASM_RETHROW, depth, Result::Ok);
}

Result Reader::OnElseExpr() {
    return Plain(WASM_ELSE, 0, validator_.OnElse(At()));
}

Result Reader::OnEndExpr() {
    if (init_) { /* the end of the initialiser: checked by EndInitExpr */
        next_ = state->offset;
        return Result::Ok;
    }
    /* The function's own end is checked by EndFunctionBody, which wants its label still there. */
    open_.pop_back();
    if (--depth_ == 0) {
        Add(WASM_END, 0);
        return Result::Ok;
    }
    return Plain(WASM_END, 0, validator_.OnEnd(At()));
}

Result Reader::OnBrExpr(Index depth) {
    if (!WorkLabel(depth, 1))
        return Result::Error;
    return Plain(WASM_BR, depth, validator_.OnBr(At(), VarOf(depth)));
}

Result Reader::OnBrIfExpr(Index depth) {
    if (!WorkLabel(depth, 1))
        return Result::Error;
    return Plain(WASM_BR_IF, depth, validator_.OnBrIf(At(), VarOf(depth)));
}

Result Reader::OnBrTableExpr(Index n, Index *depths, Index default_depth) {
    if (Over(n, FRONT_MAX_BR_TABLE, "br_table targets") || !WorkLabel(default_depth, n + 1))
        return Result::Error;
    Result r = validator_.BeginBrTable(At());
    for (Index k = 0; k < n && Succeeded(r); k++)
        r |= validator_.OnBrTableTarget(At(), VarOf(depths[k]));
    if (Failed(r) || Failed(validator_.OnBrTableTarget(At(), VarOf(default_depth))) ||
        Failed(validator_.EndBrTable(At())))
        return Result::Error;
    wasm_inst *i = Add(WASM_BR_TABLE, 0);
    i->index2 = n + 1;
    i->bits = targets_.size();
    targets_.insert(targets_.end(), depths, depths + n);
    targets_.push_back(default_depth);
    return Result::Ok;
}

wasm_inst *Reader::Add(wasm_kind kind, int op) {
    wasm_inst i = {};
    i.offset = static_cast<uint32_t>(next_);
    i.kind = static_cast<uint8_t>(kind);
    i.op = static_cast<uint16_t>(op);
    insts_.push_back(i);
    next_ = state->offset;
    return &insts_.back();
}

Result Reader::Plain(wasm_kind kind, uint32_t index, Result checked) {
    if (Failed(checked))
        return Result::Error;
    if (init_)
        return NotConstant();
    Add(kind, 0)->index = index;
    return Result::Ok;
}

Result Reader::NotConstant() {
    return Fail(DIAG_INVALID, "instruction not allowed in a constant expression");
}

Result Reader::Simple(Opcode opcode, Result checked) {
    if (Failed(checked))
        return Result::Error;
    int op = FindOp(opcode);
    if (op < 0 || ir_op_info[op].kind != IR_KIND_SIMPLE)
        return Unsupported(next_, opcode.GetName());
    if (init_)
        return ir_init_is_arithmetic(static_cast<ir_op>(op)) ? InitArithmetic(static_cast<ir_op>(op)) : NotConstant();
    Add(WASM_SIMPLE, op);
    return Result::Ok;
}

void Reader::SetWide(wasm_inst *i, uint64_t low, uint64_t high) {
    i->bits = low;
    i->index = static_cast<uint32_t>(high);
    i->index2 = static_cast<uint32_t>(high >> 32);
}

Result Reader::Const(ir_op op, Type type, uint64_t bits, uint64_t high) {
    if (Failed(validator_.OnConst(At(), type)))
        return Result::Error;
    if (init_)
        return Init(op, 0, bits, high);
    SetWide(Add(WASM_CONST, op), bits, high);
    return Result::Ok;
}

Result Reader::Lanes(Opcode opcode, uint64_t low, uint64_t high, Result checked) {
    if (Failed(checked))
        return Result::Error;
    int op = FindOp(opcode);
    if (op < 0 || ir_op_info[op].kind != IR_KIND_LANES)
        return Unsupported(next_, opcode.GetName());
    if (init_)
        return NotConstant();
    SetWide(Add(WASM_LANES, op), low, high);
    return Result::Ok;
}

Result Reader::Access(Opcode opcode, wasm_kind kind, Index memory, Address align, Address offset, Result checked,
                      uint64_t lane) {
    if (Failed(checked))
        return Result::Error;
    int op = FindOp(opcode);
    uint32_t second = 0;
    for (const auto &a : kLaneAccesses)
        if (op < 0 && opcode == a.opcode) {
            op = a.access;
            second = a.lanes | static_cast<uint32_t>(lane) << 16;
            kind = kind == WASM_LOAD ? WASM_LOAD_LANES : WASM_STORE_LANE;
        }
    if (op < 0)
        return Unsupported(next_, opcode.GetName());
    if (init_)
        return NotConstant();
    wasm_inst *i = Add(kind, op);
    i->index = memory;
    i->index2 = second;
    i->align_log2 = static_cast<uint8_t>(align);
    i->bits = offset;
    return Result::Ok;
}

Result Reader::Fixed(ir_op op, uint32_t index, uint32_t index2, Result checked) {
    if (Failed(checked))
        return Result::Error;
    if (init_)
        return NotConstant();
    wasm_inst *i = Add(WASM_FIXED, op);
    i->index = index;
    i->index2 = index2;
    return Result::Ok;
}

Result Reader::Open(wasm_kind kind, Type type) {
    if (init_)
        return NotConstant();
    if (Over(depth_ + 1, FRONT_MAX_NESTING, "nested blocks"))
        return Result::Error;
    const ir_sig *sig = &kNoResult;
    if (type.IsIndex()) {
        if (type.GetIndex() < m_->ntypes) {
            sig = &m_->types[type.GetIndex()];
            if (!Work(*sig))
                return Result::Error;
        }
    } else if (type != Type::Void) {
        ir_type t;
        if (!Convert(type, &t))
            return Result::Error;
        for (size_t k = 0; k < sizeof kTypes / sizeof *kTypes; k++)
            if (kTypes[k] == t)
                sig = &kOneResult[k];
    }
    Result r = kind == WASM_BLOCK  ? validator_.OnBlock(At(), type)
               : kind == WASM_LOOP ? validator_.OnLoop(At(), type)
               : kind == WASM_TRY  ? validator_.OnTry(At(), type)
                                   : validator_.OnIf(At(), type);
    if (Failed(r))
        return Result::Error;
    depth_++;
    Add(kind, 0)->sig = sig;
    open_.push_back({insts_.size() - 1, 0});
    return Result::Ok;
}

} // namespace wabt_shim
