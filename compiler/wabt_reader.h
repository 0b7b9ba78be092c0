/* Private to the wabt shim: the reader that wabt calls back.
 *
 * wabt::ReadBinary decodes and calls back; each callback lets wabt::SharedValidator check, then appends to the IR
 * module's tables or to the instruction list of the body under work.  Three things wabt does not do are done here:
 *   - limits, before the count in question costs memory (limits.def);
 *   - names for proposals that are switched off: an opcode or flag byte is looked up and reported as "x is not
 *     supported yet" instead of "unexpected opcode";
 *   - the offset of an instruction: the reader's position is behind the opcode, and a prefixed opcode has no fixed
 *     length, so the end of the previous instruction is remembered.
 *
 * Files: wabt_module.cc the tables of the module, segments and constant expressions; wabt_body.cc function bodies and
 * their instructions; wabt_atomic.cc atomic accesses; wabt_report.cc errors, limits and conversions; wabt_shim.cc the
 * way in from C.
 */
#ifndef WASMETAL_COMPILER_WABT_READER_H
#define WASMETAL_COMPILER_WABT_READER_H

#include <cinttypes>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/* The system headers in it are read already, so that only our own declarations become C's. */
extern "C" {
#include "compiler/features.h"
#include "compiler/proposals.h"
#include "compiler/sections.h"
#include "compiler/wabt_shim.h"
}

#include "compiler/limits.h"
#include "wabt/binary-reader-nop.h"
#include "wabt/binary-reader.h"
#include "wabt/shared-validator.h"

namespace wabt_shim {

using wabt::Address;
using wabt::Index;
using wabt::Location;
using wabt::Offset;
using wabt::Opcode;
using wabt::Result;
using wabt::Type;
using wabt::Var;

class Reader final : public wabt::BinaryReaderNop {
  public:
    Reader(ir_module *m, const uint32_t **out_func_types, const wabt_sink *sink, const wabt::Features &features,
           uint32_t disabled)
        : m_(m), out_func_types_(out_func_types), sink_(sink), validator_(&errors_, wabt::ValidateOptions(features)),
          features_(features), disabled_(disabled) {}

    /* The reader has returned: reports what the validator may have left, and finishes a module without code. */
    bool Finish(Result result);
    void ReportMemory();
    bool OnError(const wabt::Error &error) override;

    /* ---- types ---- */

    Result OnTypeCount(Index count) override;
    Result OnFuncType(Index index, Index nparams, Type *params, Index nresults, Type *results) override;

    /* ---- imports ---- */

    Result OnImportCount(Index count) override;
    Result OnImportFunc(Index, std::string_view module, std::string_view field, Index, Index sig) override;
    Result OnImportTable(Index, std::string_view module, std::string_view field, Index, Type type,
                         const wabt::Limits *limits) override;
    Result OnImportMemory(Index, std::string_view module, std::string_view field, Index,
                          const wabt::Limits *limits) override;
    Result OnImportGlobal(Index, std::string_view module, std::string_view field, Index, Type type,
                          bool mutable_) override;
    Result OnImportTag(Index, std::string_view module, std::string_view field, Index, Index sig) override;

    /* ---- functions, tables, memories, globals, exports, start ---- */

    Result OnFunctionCount(Index count) override;
    Result OnFunction(Index, Index sig) override;
    Result OnTable(Index, Type type, const wabt::Limits *limits) override;
    Result OnMemory(Index, const wabt::Limits *limits) override;
    Result OnGlobalCount(Index count) override;
    Result BeginGlobal(Index, Type type, bool mutable_) override;
    Result BeginGlobalInitExpr(Index) override;
    Result EndGlobalInitExpr(Index) override;
    Result OnTagCount(Index count) override;
    Result OnTagType(Index, Index sig) override;
    Result OnExportCount(Index count) override;
    Result OnExport(Index, wabt::ExternalKind kind, Index item, std::string_view name) override;
    Result OnStartFunction(Index func) override;

    /* ---- elements and data ---- */

    Result OnElemSegmentCount(Index count) override;
    Result BeginElemSegment(Index, Index table, uint8_t flags) override;
    Result BeginElemSegmentInitExpr(Index) override;
    Result EndElemSegmentInitExpr(Index) override;
    Result OnElemSegmentElemType(Index, Type type) override;
    Result OnElemSegmentElemExprCount(Index, Index count) override;
    Result OnElemSegmentElemExpr_RefNull(Index, Type type) override;
    Result OnElemSegmentElemExpr_RefFunc(Index, Index func) override;
    Result OnDataCount(Index count) override;
    Result OnDataSegmentCount(Index count) override;
    Result BeginDataSegment(Index, Index memory, uint8_t flags) override;
    Result BeginDataSegmentInitExpr(Index) override;
    Result EndDataSegmentInitExpr(Index) override;
    Result OnDataSegmentData(Index, const void *data, Address size) override;
    Result EndModule() override;

    /* ---- function bodies ---- */

    Result BeginCodeSection(Offset size) override;
    Result BeginFunctionBody(Index index, Offset size) override;
    Result OnLocalDeclCount(Index) override;
    Result OnLocalDecl(Index, Index count, Type type) override;
    Result EndFunctionBody(Index) override;

    /* ---- instructions ---- */

    Result OnInitOpcode(Opcode opcode);
    Result OnOpcode(Opcode opcode) override;
    Result OnUnaryExpr(Opcode op) override;
    Result OnBinaryExpr(Opcode op) override;
    Result OnCompareExpr(Opcode op) override;
    Result OnConvertExpr(Opcode op) override;
    Result OnTernaryExpr(Opcode op) override;
    Result OnSimdLaneOpExpr(Opcode op, uint64_t lane) override;
    Result OnSimdShuffleOpExpr(Opcode op, v128 lanes) override;
    Result OnI32ConstExpr(uint32_t value) override;
    Result OnI64ConstExpr(uint64_t value) override;
    Result OnF32ConstExpr(uint32_t value) override;
    Result OnF64ConstExpr(uint64_t value) override;
    Result OnV128ConstExpr(v128 value) override;
    Result OnLoadExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnLoadSplatExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnLoadZeroExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnSimdLoadLaneExpr(Opcode op, Index memory, Address align, Address offset, uint64_t lane) override;
    Result OnSimdStoreLaneExpr(Opcode op, Index memory, Address align, Address offset, uint64_t lane) override;
    Result OnStoreExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnAtomicLoadExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnAtomicStoreExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnAtomicRmwExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnAtomicRmwCmpxchgExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnAtomicWaitExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnAtomicNotifyExpr(Opcode op, Index memory, Address align, Address offset) override;
    Result OnAtomicFenceExpr(uint32_t consistency_model) override;
    Result OnLocalGetExpr(Index i) override;
    Result OnLocalSetExpr(Index i) override;
    Result OnLocalTeeExpr(Index i) override;
    Result OnDropExpr() override;
    Result OnSelectExpr(Index n, Type *types) override;
    Result OnReturnExpr() override;
    Result OnUnreachableExpr() override;
    Result OnNopExpr() override;
    Result OnGlobalGetExpr(Index i) override;
    Result OnGlobalSetExpr(Index i) override;
    Result OnMemorySizeExpr(Index m) override;
    Result OnMemoryGrowExpr(Index m) override;
    Result OnMemoryFillExpr(Index m) override;
    Result OnMemoryCopyExpr(Index dst, Index src) override;
    Result OnMemoryInitExpr(Index segment, Index m) override;
    Result OnDataDropExpr(Index s) override;
    Result OnTableGetExpr(Index t) override;
    Result OnTableSetExpr(Index t) override;
    Result OnTableSizeExpr(Index t) override;
    Result OnTableGrowExpr(Index t) override;
    Result OnTableFillExpr(Index t) override;
    Result OnTableCopyExpr(Index dst, Index src) override;
    Result OnTableInitExpr(Index segment, Index t) override;
    Result OnElemDropExpr(Index s) override;
    Result OnRefFuncExpr(Index f) override;
    Result OnRefNullExpr(Type type) override;
    Result OnRefIsNullExpr() override;
    Result OnCallExpr(Index f) override;
    Result OnCallIndirectExpr(Index sig, Index table) override;
    Result OnReturnCallExpr(Index f) override;
    Result OnReturnCallIndirectExpr(Index sig, Index table) override;
    Result OnBlockExpr(Type sig) override;
    Result OnLoopExpr(Type sig) override;
    Result OnIfExpr(Type sig) override;
    Result OnElseExpr() override;
    Result OnTryExpr(Type sig) override;
    Result OnCatchExpr(Index tag) override;
    Result OnCatchAllExpr() override;
    Result OnDelegateExpr(Index depth) override;
    Result OnThrowExpr(Index tag) override;
    Result OnRethrowExpr(Index depth) override;
    Result OnEndExpr() override;
    Result OnBrExpr(Index depth) override;
    Result OnBrIfExpr(Index depth) override;
    Result OnBrTableExpr(Index n, Index *depths, Index default_depth) override;

  private:
    /* ---- reporting ---- */

    __attribute__((format(printf, 3, 4))) Result Fail(diag_id id, const char *fmt, ...);
    __attribute__((format(printf, 4, 5))) Result FailAt(diag_id id, uint64_t offset, const char *fmt, ...);
    void ReportValidator();
    Result Unsupported(uint64_t offset, const char *what);

    /* Reports when `count` is over the limit. */
    bool Over(uint64_t count, uint64_t limit, const char *what);

    /* Counts values that the validator will push and pop: types of 1,000 values make two-byte instructions dear. */
    bool Work(const ir_sig &sig);
    bool WorkLabel(Index depth, uint64_t times);

    /* ---- places ---- */

    Location Here() const { return Location(static_cast<size_t>(state->offset)); }
    /* Of the instruction under work. */
    Location At() const { return Location(static_cast<size_t>(func_ >= 0 || init_ ? next_ : state->offset)); }
    Var VarOf(Index index) const { return Var(index, At()); }

    /* ---- conversions ---- */

    bool Convert(Type type, ir_type *out);
    bool ConvertTypes(const Type *types, Index n, const ir_type **out);
    const char *Name(std::string_view name);
    ir_import_name ImportName(std::string_view module, std::string_view field);
    static ir_limits ConvertLimits(const wabt::Limits &l);
    template <typename T> T *Keep(const std::vector<T> &v) {
        T *copy = static_cast<T *>(arena_alloc(&m_->arena, sizeof(T) * (v.size() + 1)));
        if (!v.empty())
            memcpy(static_cast<void *>(copy), v.data(), sizeof(T) * v.size());
        return copy;
    }

    /* ---- tables of the module ---- */

    bool AddFunction(Index sig);
    Result AddTable(Type type, const wabt::Limits &limits);
    Result AddMemory(const wabt::Limits &limits);
    bool AddGlobal(Type type, bool is_mutable);
    Result AddTag(Index sig);

    /* Hands the tables over; once. */
    bool BeginCode();

    /* ---- constant expressions ---- */

    Result BeginInit(Type type, ir_init *init);
    Result Init(ir_op op, uint32_t index, uint64_t bits, uint64_t high = 0);
    Result InitArithmetic(ir_op op);
    Result EndInit();

    /* ---- instructions ---- */

    wasm_inst *Add(wasm_kind kind, int op);
    Result Plain(wasm_kind kind, uint32_t index, Result checked);

    /* The validator refuses these itself; this is for the few it lets through. */
    Result NotConstant();
    Result Simple(Opcode opcode, Result checked);

    /* 16 bytes of immediate, as struct wasm_inst keeps them. */
    static void SetWide(wasm_inst *i, uint64_t low, uint64_t high);
    Result Const(ir_op op, Type type, uint64_t bits, uint64_t high = 0);
    Result Lanes(Opcode opcode, uint64_t low, uint64_t high, Result checked);
    Result Access(Opcode opcode, wasm_kind kind, Index memory, Address align, Address offset, Result checked,
                  uint64_t lane = 0);
    Result Fixed(ir_op op, uint32_t index, uint32_t index2, Result checked);
    Result CallIndirect(wasm_kind kind, Index sig, Index table);
    Result Open(wasm_kind kind, Type type);
    Result Catch(wasm_kind kind, Index tag);
    static Address Alignment(Address log2) { return log2 < 32 ? UINT64_C(1) << log2 : UINT32_MAX; }

    ir_module *m_;
    const uint32_t **out_func_types_;
    const wabt_sink *sink_;
    wabt::Errors errors_;
    wabt::SharedValidator validator_;
    wabt::Features features_;
    uint32_t disabled_; /* proposals, bits 1 << enum feature */
    bool reported_ = false, stopped_ = false, begun_ = false;
    std::vector<ir_func_entry> funcs_;
    std::vector<uint32_t> func_types_;
    std::vector<ir_table> tables_;
    std::vector<ir_memory> memories_;
    std::vector<ir_global> globals_;
    std::vector<Type> global_types_;
    std::vector<ir_tag> tags_;
    std::vector<ir_elem> elems_;
    std::vector<ir_data> datas_;
    uint64_t signature_slots_ = 0;
    int64_t data_count_ = -1; /* of the data count section, if there is one */

    ir_init *init_ = nullptr; /* where the constant expression under work goes */
    std::vector<ir_init> init_stack_;
    uint32_t init_ops_ = 0;
    int64_t func_ = -1;
    wasm_body body_ = {};
    std::vector<ir_type> locals_;
    std::vector<wasm_inst> insts_;
    std::vector<uint32_t> targets_;
    struct OpenBlock {
        size_t inst, handler; /* in insts_: of a try, of its newest catch; 0: the function, or none yet */
    };
    std::vector<OpenBlock> open_; /* depth_ of them */
    uint64_t next_ = 0, type_work_ = 0;
    uint32_t depth_ = 0;
};

} // namespace wabt_shim

#endif
