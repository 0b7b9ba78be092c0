/* wabt behind a C interface.
 *
 * wabt::ReadBinary decodes and calls back; each callback lets wabt::SharedValidator check, then appends to the IR
 * module's tables or to the instruction list of the body under work.  Three things wabt does not do are done here:
 *   - limits, before the count in question costs memory (limits.def);
 *   - names for proposals that are switched off: an opcode or flag byte is looked up and reported as "x is not
 * supported yet" instead of "unexpected opcode";
 *   - the offset of an instruction: the reader's position is behind the opcode, and a prefixed opcode has no fixed
 *     length, so the end of the previous instruction is remembered.
 *
 * Errors come three ways (ours, the validator's list, the reader's OnError, which follows each failed callback); the
 * first one wins and ends the reading.  Custom sections are read elsewhere (sections.c); the reader's own errors in
 * them have level Warning and are dropped.
 */
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/* The system headers in it are read already, so that only our own declarations become C's. */
extern "C" {
#include "compiler/proposals.h"
#include "compiler/sections.h"
#include "compiler/wabt_shim.h"
}

#include "compiler/limits.h"
#include "wabt/binary-reader-nop.h"
#include "wabt/binary-reader.h"
#include "wabt/shared-validator.h"

namespace {

using wabt::Address;
using wabt::Index;
using wabt::Location;
using wabt::Offset;
using wabt::Opcode;
using wabt::Result;
using wabt::Type;
using wabt::Var;

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

class Reader final : public wabt::BinaryReaderNop {
  public:
    Reader(ir_module *m, const uint32_t **out_func_types, const wabt_sink *sink, const wabt::Features &features)
        : m_(m), out_func_types_(out_func_types), sink_(sink), validator_(&errors_, wabt::ValidateOptions(features)),
          features_(features) {}

    /* The reader has returned: reports what the validator may have left, and finishes a module without code. */
    bool Finish(Result result) {
        if (!stopped_ && !reported_ && !errors_.empty())
            ReportValidator();
        if (!stopped_ && !reported_ && Failed(result))
            Fail(DIAG_MALFORMED, "the module cannot be read");
        if (stopped_ || reported_)
            return false;
        m_->datas = Keep(datas_);
        return true;
    }

    void ReportMemory() {
        if (!reported_ && !stopped_)
            FailAt(DIAG_LIMIT, DIAG_NO_OFFSET, "out of memory while reading the module");
    }

    bool OnError(const wabt::Error &error) override {
        if (error.error_level == wabt::ErrorLevel::Warning || stopped_ || reported_)
            return true;
        if (!errors_.empty()) {
            ReportValidator();
            return true;
        }
        const std::string &text = error.message;
        const char *proposal = proposal_of_message(text.c_str());
        if (proposal)
            Unsupported(error.loc.offset, proposal);
        else if (text.find(" callback failed") != std::string::npos) /* the validator failed without a word */
            FailAt(DIAG_INVALID, At().offset, "the instruction or entry is not valid here");
        else
            FailAt(DIAG_MALFORMED, error.loc.offset, "%.600s", text.c_str());
        return true;
    }

    /* ---- types ---- */

    Result OnTypeCount(Index count) override {
        if (Over(count, FRONT_MAX_TYPES, "types"))
            return Result::Error;
        m_->types = arena_array(&m_->arena, ir_sig, count);
        return Result::Ok;
    }

    Result OnFuncType(Index index, Index nparams, Type *params, Index nresults, Type *results) override {
        if (Over(nparams, FRONT_MAX_PARAMS, "parameters") || Over(nresults, FRONT_MAX_RESULTS, "results"))
            return Result::Error;
        if (Failed(validator_.OnFuncType(Here(), nparams, params, nresults, results, index)))
            return Result::Error;
        ir_sig *sig = &m_->types[m_->ntypes];
        sig->nparams = nparams;
        sig->nresults = nresults;
        if (!ConvertTypes(params, nparams, &sig->params) || !ConvertTypes(results, nresults, &sig->results))
            return Result::Error;
        m_->ntypes++;
        return Result::Ok;
    }

    /* ---- imports ---- */

    Result OnImportCount(Index count) override {
        return Over(count, FRONT_MAX_IMPORTS, "imports") ? Result::Error : Result::Ok;
    }

    Result OnImportFunc(Index, std::string_view module, std::string_view field, Index, Index sig) override {
        if (!AddFunction(sig))
            return Result::Error;
        funcs_.back().import = ImportName(module, field);
        m_->nfunc_imports++;
        return Result::Ok;
    }

    Result OnImportTable(Index, std::string_view module, std::string_view field, Index, Type type,
                         const wabt::Limits *limits) override {
        if (Failed(AddTable(type, *limits)))
            return Result::Error;
        tables_.back().import = ImportName(module, field);
        return Result::Ok;
    }

    Result OnImportMemory(Index, std::string_view module, std::string_view field, Index,
                          const wabt::Limits *limits) override {
        if (Failed(AddMemory(*limits)))
            return Result::Error;
        memories_.back().import = ImportName(module, field);
        return Result::Ok;
    }

    Result OnImportGlobal(Index, std::string_view module, std::string_view field, Index, Type type,
                          bool mutable_) override {
        if (Failed(validator_.OnGlobalImport(Here(), type, mutable_)) || !AddGlobal(type, mutable_))
            return Result::Error;
        globals_.back().import = ImportName(module, field);
        return Result::Ok;
    }

    /* ---- functions, tables, memories, globals, exports, start ---- */

    Result OnFunctionCount(Index count) override {
        return Over(count + static_cast<uint64_t>(funcs_.size()), FRONT_MAX_FUNCTIONS, "functions") ? Result::Error
                                                                                                    : Result::Ok;
    }
    Result OnFunction(Index, Index sig) override { return AddFunction(sig) ? Result::Ok : Result::Error; }
    Result OnTable(Index, Type type, const wabt::Limits *limits) override { return AddTable(type, *limits); }
    Result OnMemory(Index, const wabt::Limits *limits) override { return AddMemory(*limits); }

    Result OnGlobalCount(Index count) override {
        return Over(count + static_cast<uint64_t>(globals_.size()), FRONT_MAX_GLOBALS, "globals") ? Result::Error
                                                                                                  : Result::Ok;
    }
    Result BeginGlobal(Index, Type type, bool mutable_) override {
        if (Failed(validator_.OnGlobal(Here(), type, mutable_)) || !AddGlobal(type, mutable_))
            return Result::Error;
        return Result::Ok;
    }
    Result BeginGlobalInitExpr(Index) override { return BeginInit(global_types_.back(), &globals_.back().init); }
    Result EndGlobalInitExpr(Index) override { return EndInit(); }

    Result OnExportCount(Index count) override {
        if (Over(count, FRONT_MAX_EXPORTS, "exports"))
            return Result::Error;
        m_->exports = arena_array(&m_->arena, ir_export, count);
        return Result::Ok;
    }
    Result OnExport(Index, wabt::ExternalKind kind, Index item, std::string_view name) override {
        if (Failed(validator_.OnExport(Here(), kind, VarOf(item), name)))
            return Result::Error;
        ir_export *e = &m_->exports[m_->nexports++];
        e->name = Name(name);
        e->kind = static_cast<ir_extern_kind>(kind);
        e->index = item;
        return Result::Ok;
    }

    Result OnStartFunction(Index func) override {
        m_->start = func;
        return validator_.OnStart(Here(), VarOf(func));
    }

    /* ---- elements and data ---- */

    Result OnElemSegmentCount(Index count) override {
        return Over(count, FRONT_MAX_ELEM_SEGMENTS, "element segments") ? Result::Error : Result::Ok;
    }
    Result BeginElemSegment(Index, Index table, uint8_t flags) override {
        wabt::SegmentKind kind = (flags & wabt::SegDeclared) == wabt::SegDeclared ? wabt::SegmentKind::Declared
                                 : flags & wabt::SegPassive                       ? wabt::SegmentKind::Passive
                                                                                  : wabt::SegmentKind::Active;
        if (Failed(validator_.OnElemSegment(Here(), VarOf(table), kind)))
            return Result::Error;
        ir_elem e = {};
        e.mode = static_cast<ir_segment_mode>(kind);
        e.table = table;
        elems_.push_back(e);
        return Result::Ok;
    }
    Result BeginElemSegmentInitExpr(Index) override { return BeginInit(Type::I32, &elems_.back().offset); }
    Result EndElemSegmentInitExpr(Index) override { return EndInit(); }
    Result OnElemSegmentElemType(Index, Type type) override {
        if (Failed(validator_.OnElemSegmentElemType(Here(), type)) || !Convert(type, &elems_.back().type))
            return Result::Error;
        return Result::Ok;
    }
    Result OnElemSegmentElemExprCount(Index, Index count) override {
        if (Over(count, FRONT_MAX_ELEM_ENTRIES, "entries in an element segment"))
            return Result::Error;
        elems_.back().items = arena_array(&m_->arena, ir_init, count);
        return Result::Ok;
    }
    Result OnElemSegmentElemExpr_RefNull(Index, Type type) override {
        if (Failed(validator_.OnElemSegmentElemExpr_RefNull(Here(), type)))
            return Result::Error;
        ir_elem &e = elems_.back();
        e.items[e.nitems++].op = IR_REF_NULL;
        return Result::Ok;
    }
    Result OnElemSegmentElemExpr_RefFunc(Index, Index func) override {
        if (Failed(validator_.OnElemSegmentElemExpr_RefFunc(Here(), VarOf(func))))
            return Result::Error;
        ir_elem &e = elems_.back();
        e.items[e.nitems].op = IR_REF_FUNC;
        e.items[e.nitems++].index = func;
        return Result::Ok;
    }

    Result OnDataCount(Index count) override {
        if (Over(count, FRONT_MAX_DATA_SEGMENTS, "data segments"))
            return Result::Error;
        data_count_ = count;
        validator_.OnDataCount(count);
        return Result::Ok;
    }
    Result OnDataSegmentCount(Index count) override {
        return Over(count, FRONT_MAX_DATA_SEGMENTS, "data segments") ? Result::Error : Result::Ok;
    }
    Result BeginDataSegment(Index, Index memory, uint8_t flags) override {
        if (flags > wabt::SegExplicitIndex) /* wabt takes the bits of element segments too */
            return Fail(DIAG_MALFORMED, "malformed data segment flags: %u", flags);
        wabt::SegmentKind kind = flags & wabt::SegPassive ? wabt::SegmentKind::Passive : wabt::SegmentKind::Active;
        if (Failed(validator_.OnDataSegment(Here(), VarOf(memory), kind)))
            return Result::Error;
        ir_data d = {};
        d.mode = static_cast<ir_segment_mode>(kind);
        d.memory = memory;
        datas_.push_back(d);
        return Result::Ok;
    }
    Result BeginDataSegmentInitExpr(Index) override { return BeginInit(Type::I32, &datas_.back().offset); }
    Result EndDataSegmentInitExpr(Index) override { return EndInit(); }
    Result OnDataSegmentData(Index, const void *data, Address size) override {
        ir_data &d = datas_.back();
        d.bytes = static_cast<uint8_t *>(memcpy(arena_alloc(&m_->arena, size ? size : 1), size ? data : "", size));
        d.size = size;
        return Result::Ok;
    }

    Result EndModule() override {
        if (Failed(validator_.EndModule()))
            return Result::Error;
        m_->ndatas = static_cast<uint32_t>(datas_.size());
        if (data_count_ >= 0 && data_count_ != m_->ndatas) /* wabt compares only when there is a data section */
            return Fail(DIAG_MALFORMED, "the data count is %" PRId64 ", but there are %u data segments", data_count_,
                        m_->ndatas);
        return BeginCode() ? Result::Ok : Result::Error;
    }

    /* ---- function bodies ---- */

    Result BeginCodeSection(Offset size) override {
        m_->code_section_offset = static_cast<uint32_t>(state->offset);
        (void)size;
        return BeginCode() ? Result::Ok : Result::Error;
    }

    Result BeginFunctionBody(Index index, Offset size) override {
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
        type_work_ = 0;
        return validator_.BeginFunctionBody(Here(), index);
    }

    Result OnLocalDeclCount(Index) override {
        next_ = state->offset;
        return Result::Ok;
    }

    Result OnLocalDecl(Index, Index count, Type type) override {
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

    Result EndFunctionBody(Index) override {
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

    Result OnInitOpcode(Opcode opcode) {
        if (opcode == Opcode::I32Add || opcode == Opcode::I32Sub || opcode == Opcode::I32Mul ||
            opcode == Opcode::I64Add || opcode == Opcode::I64Sub || opcode == Opcode::I64Mul)
            return Unsupported(state->offset - 1, "arithmetic in constant expressions (extended-const)");
        return Result::Ok;
    }

    Result OnOpcode(Opcode opcode) override {
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

    Result OnUnaryExpr(Opcode op) override { return Simple(op, validator_.OnUnary(At(), op)); }
    Result OnBinaryExpr(Opcode op) override { return Simple(op, validator_.OnBinary(At(), op)); }
    Result OnCompareExpr(Opcode op) override { return Simple(op, validator_.OnCompare(At(), op)); }
    Result OnConvertExpr(Opcode op) override { return Simple(op, validator_.OnConvert(At(), op)); }

    Result OnTernaryExpr(Opcode op) override { return Simple(op, validator_.OnTernary(At(), op)); }
    Result OnSimdLaneOpExpr(Opcode op, uint64_t lane) override {
        return Lanes(op, lane, 0, validator_.OnSimdLaneOp(At(), op, lane));
    }
    Result OnSimdShuffleOpExpr(Opcode op, v128 lanes) override {
        return Lanes(op, lanes.u64(0), lanes.u64(1), validator_.OnSimdShuffleOp(At(), op, lanes));
    }

    Result OnI32ConstExpr(uint32_t value) override { return Const(IR_I32_CONST, Type::I32, value); }
    Result OnI64ConstExpr(uint64_t value) override { return Const(IR_I64_CONST, Type::I64, value); }
    Result OnF32ConstExpr(uint32_t value) override { return Const(IR_F32_CONST, Type::F32, value); }
    Result OnF64ConstExpr(uint64_t value) override { return Const(IR_F64_CONST, Type::F64, value); }

    Result OnV128ConstExpr(v128 value) override { return Const(IR_V128_CONST, Type::V128, value.u64(0), value.u64(1)); }

    Result OnLoadExpr(Opcode op, Index memory, Address align, Address offset) override {
        return Access(op, WASM_LOAD, memory, align, offset,
                      validator_.OnLoad(At(), op, VarOf(memory), Alignment(align)));
    }
    Result OnLoadSplatExpr(Opcode op, Index memory, Address align, Address offset) override {
        return Access(op, WASM_LOAD, memory, align, offset,
                      validator_.OnLoadSplat(At(), op, VarOf(memory), Alignment(align)));
    }
    Result OnLoadZeroExpr(Opcode op, Index memory, Address align, Address offset) override {
        return Access(op, WASM_LOAD, memory, align, offset,
                      validator_.OnLoadZero(At(), op, VarOf(memory), Alignment(align)));
    }
    Result OnSimdLoadLaneExpr(Opcode op, Index memory, Address align, Address offset, uint64_t lane) override {
        return Access(op, WASM_LOAD, memory, align, offset,
                      validator_.OnSimdLoadLane(At(), op, VarOf(memory), Alignment(align), lane), lane);
    }
    Result OnSimdStoreLaneExpr(Opcode op, Index memory, Address align, Address offset, uint64_t lane) override {
        return Access(op, WASM_STORE, memory, align, offset,
                      validator_.OnSimdStoreLane(At(), op, VarOf(memory), Alignment(align), lane), lane);
    }
    Result OnStoreExpr(Opcode op, Index memory, Address align, Address offset) override {
        return Access(op, WASM_STORE, memory, align, offset,
                      validator_.OnStore(At(), op, VarOf(memory), Alignment(align)));
    }

    Result OnLocalGetExpr(Index i) override { return Plain(WASM_LOCAL_GET, i, validator_.OnLocalGet(At(), VarOf(i))); }
    Result OnLocalSetExpr(Index i) override { return Plain(WASM_LOCAL_SET, i, validator_.OnLocalSet(At(), VarOf(i))); }
    Result OnLocalTeeExpr(Index i) override { return Plain(WASM_LOCAL_TEE, i, validator_.OnLocalTee(At(), VarOf(i))); }
    Result OnDropExpr() override { return Plain(WASM_DROP, 0, validator_.OnDrop(At())); }
    Result OnSelectExpr(Index n, Type *types) override {
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
    Result OnReturnExpr() override { return Plain(WASM_RETURN, 0, validator_.OnReturn(At())); }
    Result OnUnreachableExpr() override { return Plain(WASM_UNREACHABLE, 0, validator_.OnUnreachable(At())); }
    Result OnNopExpr() override {
        Result r = validator_.OnNop(At());
        next_ = state->offset;
        return r;
    }

    Result OnGlobalGetExpr(Index i) override {
        Result r = validator_.OnGlobalGet(At(), VarOf(i));
        if (init_ && Succeeded(r))
            return Init(IR_GLOBAL_GET, i, 0);
        return Fixed(IR_GLOBAL_GET, i, 0, r);
    }
    Result OnGlobalSetExpr(Index i) override {
        return Fixed(IR_GLOBAL_SET, i, 0, validator_.OnGlobalSet(At(), VarOf(i)));
    }

    Result OnMemorySizeExpr(Index m) override {
        return Fixed(IR_MEMORY_SIZE, m, 0, validator_.OnMemorySize(At(), VarOf(m)));
    }
    Result OnMemoryGrowExpr(Index m) override {
        return Fixed(IR_MEMORY_GROW, m, 0, validator_.OnMemoryGrow(At(), VarOf(m)));
    }
    Result OnMemoryFillExpr(Index m) override {
        return Fixed(IR_MEMORY_FILL, m, 0, validator_.OnMemoryFill(At(), VarOf(m)));
    }
    Result OnMemoryCopyExpr(Index src, Index dst) override {
        return Fixed(IR_MEMORY_COPY, dst, src, validator_.OnMemoryCopy(At(), VarOf(src), VarOf(dst)));
    }
    Result OnMemoryInitExpr(Index segment, Index m) override {
        return Fixed(IR_MEMORY_INIT, m, segment, validator_.OnMemoryInit(At(), VarOf(segment), VarOf(m)));
    }
    Result OnDataDropExpr(Index s) override { return Fixed(IR_DATA_DROP, s, 0, validator_.OnDataDrop(At(), VarOf(s))); }

    Result OnTableGetExpr(Index t) override { return Fixed(IR_TABLE_GET, t, 0, validator_.OnTableGet(At(), VarOf(t))); }
    Result OnTableSetExpr(Index t) override { return Fixed(IR_TABLE_SET, t, 0, validator_.OnTableSet(At(), VarOf(t))); }
    Result OnTableSizeExpr(Index t) override {
        return Fixed(IR_TABLE_SIZE, t, 0, validator_.OnTableSize(At(), VarOf(t)));
    }
    Result OnTableGrowExpr(Index t) override {
        return Fixed(IR_TABLE_GROW, t, 0, validator_.OnTableGrow(At(), VarOf(t)));
    }
    Result OnTableFillExpr(Index t) override {
        return Fixed(IR_TABLE_FILL, t, 0, validator_.OnTableFill(At(), VarOf(t)));
    }
    Result OnTableCopyExpr(Index dst, Index src) override {
        return Fixed(IR_TABLE_COPY, dst, src, validator_.OnTableCopy(At(), VarOf(dst), VarOf(src)));
    }
    Result OnTableInitExpr(Index segment, Index t) override {
        return Fixed(IR_TABLE_INIT, t, segment, validator_.OnTableInit(At(), VarOf(segment), VarOf(t)));
    }
    Result OnElemDropExpr(Index s) override { return Fixed(IR_ELEM_DROP, s, 0, validator_.OnElemDrop(At(), VarOf(s))); }

    Result OnRefFuncExpr(Index f) override {
        Result r = validator_.OnRefFunc(At(), VarOf(f));
        if (init_ && Succeeded(r))
            return Init(IR_REF_FUNC, f, 0);
        return Fixed(IR_REF_FUNC, f, 0, r);
    }
    Result OnRefNullExpr(Type type) override {
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
    Result OnRefIsNullExpr() override { return Fixed(IR_REF_IS_NULL, 0, 0, validator_.OnRefIsNull(At())); }

    Result OnCallExpr(Index f) override {
        if (!init_ && f < func_types_.size() && !Work(m_->types[func_types_[f]]))
            return Result::Error;
        return Plain(WASM_CALL, f, validator_.OnCall(At(), VarOf(f)));
    }
    Result OnCallIndirectExpr(Index sig, Index table) override {
        if (sig < m_->ntypes && !Work(m_->types[sig]))
            return Result::Error;
        if (Failed(validator_.OnCallIndirect(At(), VarOf(sig), VarOf(table))))
            return Result::Error;
        if (tables_[table].type != IR_FUNCREF) /* wabt does not look */
            return Fail(DIAG_INVALID, "call_indirect through a table that is not of funcref");
        wasm_inst *i = Add(WASM_CALL_INDIRECT, 0);
        i->index = sig;
        i->index2 = table;
        return Result::Ok;
    }

    Result OnBlockExpr(Type sig) override { return Open(WASM_BLOCK, sig); }
    Result OnLoopExpr(Type sig) override { return Open(WASM_LOOP, sig); }
    Result OnIfExpr(Type sig) override { return Open(WASM_IF, sig); }
    Result OnElseExpr() override { return Plain(WASM_ELSE, 0, validator_.OnElse(At())); }
    Result OnEndExpr() override {
        if (init_) { /* the end of the initialiser: checked by EndInitExpr */
            next_ = state->offset;
            return Result::Ok;
        }
        /* The function's own end is checked by EndFunctionBody, which wants its label still there. */
        if (--depth_ == 0) {
            Add(WASM_END, 0);
            return Result::Ok;
        }
        return Plain(WASM_END, 0, validator_.OnEnd(At()));
    }

    Result OnBrExpr(Index depth) override {
        if (!WorkLabel(depth, 1))
            return Result::Error;
        return Plain(WASM_BR, depth, validator_.OnBr(At(), VarOf(depth)));
    }
    Result OnBrIfExpr(Index depth) override {
        if (!WorkLabel(depth, 1))
            return Result::Error;
        return Plain(WASM_BR_IF, depth, validator_.OnBrIf(At(), VarOf(depth)));
    }
    Result OnBrTableExpr(Index n, Index *depths, Index default_depth) override {
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

  private:
    /* ---- reporting ---- */

    __attribute__((format(printf, 3, 4))) Result Fail(diag_id id, const char *fmt, ...) {
        char text[800];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        return FailAt(id, At().offset, "%s", text);
    }

    __attribute__((format(printf, 4, 5))) Result FailAt(diag_id id, uint64_t offset, const char *fmt, ...) {
        if (reported_ || stopped_)
            return Result::Error;
        reported_ = true;
        char text[800];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        sink_->error(sink_->user, id, offset, func_, text);
        return Result::Error;
    }

    void ReportValidator() {
        const wabt::Error &e = errors_[0];
        const char *proposal = proposal_of_message(e.message.c_str());
        if (proposal)
            Unsupported(e.loc.offset, proposal);
        else
            FailAt(DIAG_INVALID, e.loc.offset, "%.600s", e.message.c_str());
    }

    Result Unsupported(uint64_t offset, const char *what) {
        return FailAt(DIAG_UNSUPPORTED, offset, "%s: not supported yet", what);
    }

    /* Reports when `count` is over the limit. */
    bool Over(uint64_t count, uint64_t limit, const char *what) {
        if (count <= limit)
            return false;
        Fail(DIAG_LIMIT, "%" PRIu64 " %s; the limit is %" PRIu64, count, what, limit);
        return true;
    }

    /* Counts values that the validator will push and pop: types of 1,000 values make two-byte instructions dear. */
    bool Work(const ir_sig &sig) {
        type_work_ += sig.nparams + sig.nresults;
        return !Over(type_work_, FRONT_MAX_TYPE_WORK, "block and call values in one function");
    }

    bool WorkLabel(Index depth, uint64_t times) {
        wabt::SharedValidator::Label *label;
        if (depth >= depth_ || init_ || Failed(validator_.GetLabel(depth, &label)))
            return true; /* the validator reports it */
        type_work_ += times * (label->br_types().size() + 1);
        return !Over(type_work_, FRONT_MAX_TYPE_WORK, "branch values in one function");
    }

    /* ---- places ---- */

    Location Here() const { return Location(static_cast<size_t>(state->offset)); }
    /* Of the instruction under work. */
    Location At() const { return Location(static_cast<size_t>(func_ >= 0 || init_ ? next_ : state->offset)); }
    Var VarOf(Index index) const { return Var(index, At()); }

    /* ---- conversions ---- */

    bool Convert(Type type, ir_type *out) {
        switch (type) {
        case Type::I32:
            *out = IR_I32;
            return true;
        case Type::I64:
            *out = IR_I64;
            return true;
        case Type::F32:
            *out = IR_F32;
            return true;
        case Type::F64:
            *out = IR_F64;
            return true;
        case Type::FuncRef:
            *out = IR_FUNCREF;
            return true;
        case Type::ExternRef:
            *out = IR_EXTERNREF;
            return true;
        case Type::V128:
            *out = IR_V128;
            return true;
        default:
            Fail(DIAG_MALFORMED, "unexpected type %s", type.GetName().c_str());
            return false;
        }
    }

    bool ConvertTypes(const Type *types, Index n, const ir_type **out) {
        ir_type *copy = arena_array(&m_->arena, ir_type, n);
        for (Index i = 0; i < n; i++)
            if (!Convert(types[i], &copy[i]))
                return false;
        *out = copy;
        return true;
    }

    const char *Name(std::string_view name) { return wasm_name_copy(&m_->arena, name.data(), name.size()); }

    ir_import_name ImportName(std::string_view module, std::string_view field) { return {Name(module), Name(field)}; }

    static ir_limits ConvertLimits(const wabt::Limits &l) {
        return {l.initial, l.has_max ? l.max : 0, l.has_max, l.is_shared, l.is_64};
    }

    template <typename T> T *Keep(const std::vector<T> &v) {
        T *copy = static_cast<T *>(arena_alloc(&m_->arena, sizeof(T) * (v.size() + 1)));
        if (!v.empty())
            memcpy(static_cast<void *>(copy), v.data(), sizeof(T) * v.size());
        return copy;
    }

    /* ---- tables of the module ---- */

    bool AddFunction(Index sig) {
        if (sig < m_->ntypes) /* before the validator copies the signature */
            signature_slots_ += m_->types[sig].nparams + m_->types[sig].nresults;
        if (Over(signature_slots_, FRONT_MAX_SIGNATURE_SLOTS, "parameters and results of all functions together") ||
            Over(funcs_.size() + 1, FRONT_MAX_FUNCTIONS, "functions"))
            return false;
        if (Failed(validator_.OnFunction(Here(), Var(sig, Here()))))
            return false;
        funcs_.push_back({});
        func_types_.push_back(sig);
        return true;
    }

    Result AddTable(Type type, const wabt::Limits &limits) {
        ir_table t = {};
        if (Over(tables_.size() + 1, FRONT_MAX_TABLES, "tables") ||
            Over(limits.initial, FRONT_MAX_TABLE_ELEMENTS, "initial table elements"))
            return Result::Error;
        if (Failed(validator_.OnTable(Here(), type, limits)) || !Convert(type, &t.type))
            return Result::Error;
        t.limits = ConvertLimits(limits);
        tables_.push_back(t);
        return Result::Ok;
    }

    Result AddMemory(const wabt::Limits &limits) {
        if (Failed(validator_.OnMemory(Here(), limits)))
            return Result::Error;
        ir_memory m = {};
        m.limits = ConvertLimits(limits);
        memories_.push_back(m);
        return Result::Ok;
    }

    bool AddGlobal(Type type, bool is_mutable) {
        ir_global g = {};
        if (Over(globals_.size() + 1, FRONT_MAX_GLOBALS, "globals") || !Convert(type, &g.type))
            return false;
        g.mutable_ = is_mutable;
        globals_.push_back(g);
        global_types_.push_back(type);
        return true;
    }

    /* Hands the tables over; once. */
    bool BeginCode() {
        if (begun_)
            return true;
        begun_ = true;
        m_->funcs = Keep(funcs_);
        m_->nfuncs = static_cast<uint32_t>(funcs_.size());
        *out_func_types_ = Keep(func_types_);
        m_->tables = Keep(tables_);
        m_->ntables = static_cast<uint32_t>(tables_.size());
        m_->memories = Keep(memories_);
        m_->nmemories = static_cast<uint32_t>(memories_.size());
        m_->globals = Keep(globals_);
        m_->nglobals = static_cast<uint32_t>(globals_.size());
        m_->elems = Keep(elems_);
        m_->nelems = static_cast<uint32_t>(elems_.size());
        if (sink_->begin_code(sink_->user))
            return true;
        stopped_ = true;
        return false;
    }

    /* ---- constant expressions ---- */

    Result BeginInit(Type type, ir_init *init) {
        if (Failed(validator_.BeginInitExpr(Here(), type)))
            return Result::Error;
        init_ = init;
        init_set_ = false;
        next_ = state->offset;
        return Result::Ok;
    }

    Result Init(ir_op op, uint32_t index, uint64_t bits, uint64_t high = 0) {
        init_->op = op;
        init_->index = index;
        init_->bits.u64x2[0] = bits;
        init_->bits.u64x2[1] = high;
        init_set_ = true;
        next_ = state->offset;
        return Result::Ok;
    }

    Result EndInit() {
        bool set = init_set_;
        init_ = nullptr;
        if (Failed(validator_.EndInitExpr()))
            return Result::Error;
        if (!set)
            return Fail(DIAG_INVALID, "constant expression without a value");
        return Result::Ok;
    }

    /* ---- instructions ---- */

    wasm_inst *Add(wasm_kind kind, int op) {
        wasm_inst i = {};
        i.offset = static_cast<uint32_t>(next_);
        i.kind = static_cast<uint8_t>(kind);
        i.op = static_cast<uint16_t>(op);
        insts_.push_back(i);
        next_ = state->offset;
        return &insts_.back();
    }

    Result Plain(wasm_kind kind, uint32_t index, Result checked) {
        if (Failed(checked))
            return Result::Error;
        if (init_)
            return NotConstant();
        Add(kind, 0)->index = index;
        return Result::Ok;
    }

    /* The validator refuses these itself; this is for the few it lets through. */
    Result NotConstant() { return Fail(DIAG_INVALID, "instruction not allowed in a constant expression"); }

    Result Simple(Opcode opcode, Result checked) {
        if (Failed(checked))
            return Result::Error;
        int op = FindOp(opcode);
        if (op < 0 || ir_op_info[op].kind != IR_KIND_SIMPLE)
            return Unsupported(next_, opcode.GetName());
        if (init_)
            return NotConstant();
        Add(WASM_SIMPLE, op);
        return Result::Ok;
    }

    /* 16 bytes of immediate, as struct wasm_inst keeps them. */
    static void SetWide(wasm_inst *i, uint64_t low, uint64_t high) {
        i->bits = low;
        i->index = static_cast<uint32_t>(high);
        i->index2 = static_cast<uint32_t>(high >> 32);
    }

    Result Const(ir_op op, Type type, uint64_t bits, uint64_t high = 0) {
        if (Failed(validator_.OnConst(At(), type)))
            return Result::Error;
        if (init_)
            return Init(op, 0, bits, high);
        SetWide(Add(WASM_CONST, op), bits, high);
        return Result::Ok;
    }

    Result Lanes(Opcode opcode, uint64_t low, uint64_t high, Result checked) {
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

    Result Access(Opcode opcode, wasm_kind kind, Index memory, Address align, Address offset, Result checked,
                  uint64_t lane = 0) {
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

    Result Fixed(ir_op op, uint32_t index, uint32_t index2, Result checked) {
        if (Failed(checked))
            return Result::Error;
        if (init_)
            return NotConstant();
        wasm_inst *i = Add(WASM_FIXED, op);
        i->index = index;
        i->index2 = index2;
        return Result::Ok;
    }

    Result Open(wasm_kind kind, Type type) {
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
                                       : validator_.OnIf(At(), type);
        if (Failed(r))
            return Result::Error;
        depth_++;
        Add(kind, 0)->sig = sig;
        return Result::Ok;
    }

    static Address Alignment(Address log2) { return log2 < 32 ? UINT64_C(1) << log2 : UINT32_MAX; }

    ir_module *m_;
    const uint32_t **out_func_types_;
    const wabt_sink *sink_;
    wabt::Errors errors_;
    wabt::SharedValidator validator_;
    wabt::Features features_;
    bool reported_ = false, stopped_ = false, begun_ = false;

    std::vector<ir_func_entry> funcs_;
    std::vector<uint32_t> func_types_;
    std::vector<ir_table> tables_;
    std::vector<ir_memory> memories_;
    std::vector<ir_global> globals_;
    std::vector<Type> global_types_;
    std::vector<ir_elem> elems_;
    std::vector<ir_data> datas_;
    uint64_t signature_slots_ = 0;
    int64_t data_count_ = -1; /* of the data count section, if there is one */

    ir_init *init_ = nullptr;
    bool init_set_ = false;

    int64_t func_ = -1;
    wasm_body body_ = {};
    std::vector<ir_type> locals_;
    std::vector<wasm_inst> insts_;
    std::vector<uint32_t> targets_;
    uint64_t next_ = 0, type_work_ = 0;
    uint32_t depth_ = 0;
};

} // namespace

extern "C" bool wabt_read_module(const uint8_t *bytes, size_t size, struct ir_module *m,
                                 const uint32_t **out_func_types, const struct wabt_sink *sink) {
    /* wabt's defaults: sign extension, saturating conversions, multi-value, bulk memory, reference types, mutable
     * globals and SIMD. */
    wabt::Features features;
    wabt::ReadBinaryOptions options;
    options.features = features;
    options.read_debug_names = false;
    options.stop_on_first_error = true;
    options.fail_on_custom_section_error = false;
    try {
        Reader reader(m, out_func_types, sink, features);
        try {
            return reader.Finish(wabt::ReadBinary(bytes, size, &reader, options));
        } catch (const std::bad_alloc &) {
            reader.ReportMemory();
        } catch (const std::length_error &) {
            reader.ReportMemory();
        }
    } catch (const std::bad_alloc &) {
        sink->error(sink->user, DIAG_LIMIT, DIAG_NO_OFFSET, -1, "out of memory while reading the module");
    }
    return false;
}
