/* The sections of a module but for its code: what wabt reads goes into the IR module's tables. */
#include "compiler/wabt_reader.h"

namespace wabt_shim {

/* ---- types ---- */

Result Reader::OnTypeCount(Index count) {
    if (Over(count, FRONT_MAX_TYPES, "types"))
        return Result::Error;
    m_->types = arena_array(&m_->arena, ir_sig, count);
    return Result::Ok;
}

Result Reader::OnFuncType(Index index, Index nparams, Type *params, Index nresults, Type *results) {
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

Result Reader::OnImportCount(Index count) {
    return Over(count, FRONT_MAX_IMPORTS, "imports") ? Result::Error : Result::Ok;
}

Result Reader::OnImportFunc(Index, std::string_view module, std::string_view field, Index, Index sig) {
    if (!AddFunction(sig))
        return Result::Error;
    funcs_.back().import = ImportName(module, field);
    m_->nfunc_imports++;
    return Result::Ok;
}

Result Reader::OnImportTable(Index, std::string_view module, std::string_view field, Index, Type type,
                             const wabt::Limits *limits) {
    if (Failed(AddTable(type, *limits)))
        return Result::Error;
    tables_.back().import = ImportName(module, field);
    return Result::Ok;
}

Result Reader::OnImportMemory(Index, std::string_view module, std::string_view field, Index,
                              const wabt::Limits *limits) {
    if (Failed(AddMemory(*limits)))
        return Result::Error;
    memories_.back().import = ImportName(module, field);
    return Result::Ok;
}

Result Reader::OnImportGlobal(Index, std::string_view module, std::string_view field, Index, Type type, bool mutable_) {
    if (Failed(validator_.OnGlobalImport(Here(), type, mutable_)) || !AddGlobal(type, mutable_))
        return Result::Error;
    globals_.back().import = ImportName(module, field);
    return Result::Ok;
}

Result Reader::OnImportTag(Index, std::string_view module, std::string_view field, Index, Index sig) {
    if (Failed(AddTag(sig)))
        return Result::Error;
    tags_.back().import = ImportName(module, field);
    return Result::Ok;
}

/* ---- functions, tables, memories, globals, exports, start ---- */

Result Reader::OnFunctionCount(Index count) {
    return Over(count + static_cast<uint64_t>(funcs_.size()), FRONT_MAX_FUNCTIONS, "functions") ? Result::Error
                                                                                                : Result::Ok;
}

Result Reader::OnFunction(Index, Index sig) {
    return AddFunction(sig) ? Result::Ok : Result::Error;
}

Result Reader::OnTable(Index, Type type, const wabt::Limits *limits) {
    return AddTable(type, *limits);
}

Result Reader::OnMemory(Index, const wabt::Limits *limits) {
    return AddMemory(*limits);
}

Result Reader::OnGlobalCount(Index count) {
    return Over(count + static_cast<uint64_t>(globals_.size()), FRONT_MAX_GLOBALS, "globals") ? Result::Error
                                                                                              : Result::Ok;
}

Result Reader::BeginGlobal(Index, Type type, bool mutable_) {
    if (Failed(validator_.OnGlobal(Here(), type, mutable_)) || !AddGlobal(type, mutable_))
        return Result::Error;
    return Result::Ok;
}

Result Reader::BeginGlobalInitExpr(Index) {
    return BeginInit(global_types_.back(), &globals_.back().init);
}

Result Reader::EndGlobalInitExpr(Index) {
    return EndInit();
}

Result Reader::OnTagCount(Index count) {
    return Over(count + static_cast<uint64_t>(tags_.size()), FRONT_MAX_TAGS, "tags") ? Result::Error : Result::Ok;
}

Result Reader::OnTagType(Index, Index sig) {
    return AddTag(sig);
}

Result Reader::OnExportCount(Index count) {
    if (Over(count, FRONT_MAX_EXPORTS, "exports"))
        return Result::Error;
    m_->exports = arena_array(&m_->arena, ir_export, count);
    return Result::Ok;
}

Result Reader::OnExport(Index, wabt::ExternalKind kind, Index item, std::string_view name) {
    if (Failed(validator_.OnExport(Here(), kind, VarOf(item), name)))
        return Result::Error;
    ir_export *e = &m_->exports[m_->nexports++];
    e->name = Name(name);
    e->kind = static_cast<ir_extern_kind>(kind);
    e->index = item;
    return Result::Ok;
}

Result Reader::OnStartFunction(Index func) {
    m_->start = func;
    return validator_.OnStart(Here(), VarOf(func));
}

/* ---- elements and data ---- */

Result Reader::OnElemSegmentCount(Index count) {
    return Over(count, FRONT_MAX_ELEM_SEGMENTS, "element segments") ? Result::Error : Result::Ok;
}

Result Reader::BeginElemSegment(Index, Index table, uint8_t flags) {
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

Result Reader::BeginElemSegmentInitExpr(Index) {
    return BeginInit(Type::I32, &elems_.back().offset);
}

Result Reader::EndElemSegmentInitExpr(Index) {
    return EndInit();
}

Result Reader::OnElemSegmentElemType(Index, Type type) {
    if (Failed(validator_.OnElemSegmentElemType(Here(), type)) || !Convert(type, &elems_.back().type))
        return Result::Error;
    return Result::Ok;
}

Result Reader::OnElemSegmentElemExprCount(Index, Index count) {
    if (Over(count, FRONT_MAX_ELEM_ENTRIES, "entries in an element segment"))
        return Result::Error;
    elems_.back().items = arena_array(&m_->arena, ir_init, count);
    return Result::Ok;
}

Result Reader::OnElemSegmentElemExpr_RefNull(Index, Type type) {
    if (Failed(validator_.OnElemSegmentElemExpr_RefNull(Here(), type)))
        return Result::Error;
    ir_elem &e = elems_.back();
    e.items[e.nitems++].op = IR_REF_NULL;
    return Result::Ok;
}

Result Reader::OnElemSegmentElemExpr_RefFunc(Index, Index func) {
    if (Failed(validator_.OnElemSegmentElemExpr_RefFunc(Here(), VarOf(func))))
        return Result::Error;
    ir_elem &e = elems_.back();
    e.items[e.nitems].op = IR_REF_FUNC;
    e.items[e.nitems++].index = func;
    return Result::Ok;
}

Result Reader::OnDataCount(Index count) {
    if (Over(count, FRONT_MAX_DATA_SEGMENTS, "data segments"))
        return Result::Error;
    data_count_ = count;
    validator_.OnDataCount(count);
    return Result::Ok;
}

Result Reader::OnDataSegmentCount(Index count) {
    return Over(count, FRONT_MAX_DATA_SEGMENTS, "data segments") ? Result::Error : Result::Ok;
}

Result Reader::BeginDataSegment(Index, Index memory, uint8_t flags) {
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

Result Reader::BeginDataSegmentInitExpr(Index) {
    return BeginInit(memories_[datas_.back().memory].limits.is64 ? Type::I64 : Type::I32, &datas_.back().offset);
}

Result Reader::EndDataSegmentInitExpr(Index) {
    return EndInit();
}

Result Reader::OnDataSegmentData(Index, const void *data, Address size) {
    ir_data &d = datas_.back();
    d.bytes = static_cast<uint8_t *>(memcpy(arena_alloc(&m_->arena, size ? size : 1), size ? data : "", size));
    d.size = size;
    return Result::Ok;
}

Result Reader::EndModule() {
    if (Failed(validator_.EndModule()))
        return Result::Error;
    m_->ndatas = static_cast<uint32_t>(datas_.size());
    if (data_count_ >= 0 && data_count_ != m_->ndatas) /* wabt compares only when there is a data section */
        return Fail(DIAG_MALFORMED, "the data count is %" PRId64 ", but there are %u data segments", data_count_,
                    m_->ndatas);
    return BeginCode() ? Result::Ok : Result::Error;
}

/* ---- tables of the module ---- */

bool Reader::AddFunction(Index sig) {
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

Result Reader::AddTable(Type type, const wabt::Limits &limits) {
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

Result Reader::AddMemory(const wabt::Limits &limits) {
    if (Over(memories_.size() + 1, FRONT_MAX_MEMORIES, "memories"))
        return Result::Error;
    if (Failed(validator_.OnMemory(Here(), limits)))
        return Result::Error;
    ir_memory m = {};
    m.limits = ConvertLimits(limits);
    memories_.push_back(m);
    return Result::Ok;
}

bool Reader::AddGlobal(Type type, bool is_mutable) {
    ir_global g = {};
    if (Over(globals_.size() + 1, FRONT_MAX_GLOBALS, "globals") || !Convert(type, &g.type))
        return false;
    g.mutable_ = is_mutable;
    globals_.push_back(g);
    global_types_.push_back(type);
    return true;
}

Result Reader::AddTag(Index sig) {
    if (Over(tags_.size() + 1, FRONT_MAX_TAGS, "tags") || Failed(validator_.OnTag(Here(), VarOf(sig))))
        return Result::Error;
    ir_tag t = {};
    t.type = sig;
    tags_.push_back(t);
    return Result::Ok;
}

bool Reader::BeginCode() {
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
    m_->tags = Keep(tags_);
    m_->ntags = static_cast<uint32_t>(tags_.size());
    m_->elems = Keep(elems_);
    m_->nelems = static_cast<uint32_t>(elems_.size());
    if (sink_->begin_code(sink_->user))
        return true;
    stopped_ = true;
    return false;
}

/* ---- constant expressions ---- */

Result Reader::BeginInit(Type type, ir_init *init) {
    if (Failed(validator_.BeginInitExpr(Here(), type)))
        return Result::Error;
    init_ = init;
    init_stack_.clear();
    init_ops_ = 0;
    next_ = state->offset;
    return Result::Ok;
}

Result Reader::Init(ir_op op, uint32_t index, uint64_t bits, uint64_t high) {
    ir_init init = {};
    init.op = op;
    init.index = index;
    init.bits.u64x2[0] = bits;
    init.bits.u64x2[1] = high;
    init_stack_.push_back(init);
    next_ = state->offset;
    return Over(++init_ops_, FRONT_MAX_INIT_OPS, "operations in a constant expression") ? Result::Error : Result::Ok;
}

/* The validator has checked the operands. */
Result Reader::InitArithmetic(ir_op op) {
    if (init_stack_.size() < 2)
        return NotConstant();
    ir_init *args = arena_array(&m_->arena, ir_init, 2);
    args[1] = init_stack_.back();
    init_stack_.pop_back();
    args[0] = init_stack_.back();
    init_stack_.pop_back();
    if (Failed(Init(op, 0, 0)))
        return Result::Error;
    init_stack_.back().args = args;
    return Result::Ok;
}

Result Reader::EndInit() {
    ir_init *to = init_;
    init_ = nullptr;
    if (Failed(validator_.EndInitExpr()))
        return Result::Error;
    if (init_stack_.empty())
        return Fail(DIAG_INVALID, "constant expression without a value");
    *to = init_stack_.back();
    return Result::Ok;
}

} // namespace wabt_shim
