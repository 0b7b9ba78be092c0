/* Errors, limits and conversions of the wabt reader.
 *
 * Errors come three ways (ours, the validator's list, the reader's OnError, which follows each failed callback); the
 * first one wins and ends the reading.  Custom sections are read elsewhere (sections.c); the reader's own errors in
 * them have level Warning and are dropped. */
#include <cstdarg>
#include <cstdio>

#include "compiler/wabt_reader.h"

namespace wabt_shim {

/* ---- errors ---- */

bool Reader::Finish(Result result) {
    if (!stopped_ && !reported_ && !errors_.empty())
        ReportValidator();
    if (!stopped_ && !reported_ && Failed(result))
        Fail(DIAG_MALFORMED, "the module cannot be read");
    if (stopped_ || reported_)
        return false;
    m_->datas = Keep(datas_);
    return true;
}

void Reader::ReportMemory() {
    if (!reported_ && !stopped_)
        FailAt(DIAG_LIMIT, DIAG_NO_OFFSET, "out of memory while reading the module");
}

bool Reader::OnError(const wabt::Error &error) {
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

/* ---- reporting ---- */

Result Reader::Fail(diag_id id, const char *fmt, ...) {
    char text[800];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return FailAt(id, At().offset, "%s", text);
}

Result Reader::FailAt(diag_id id, uint64_t offset, const char *fmt, ...) {
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

void Reader::ReportValidator() {
    const wabt::Error &e = errors_[0];
    const char *proposal = proposal_of_message(e.message.c_str());
    if (proposal)
        Unsupported(e.loc.offset, proposal);
    else
        FailAt(DIAG_INVALID, e.loc.offset, "%.600s", e.message.c_str());
}

Result Reader::Unsupported(uint64_t offset, const char *what) {
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if ((disabled_ >> i & 1) && strcmp(what, feature_proposals[i]) == 0)
            return FailAt(DIAG_UNSUPPORTED, offset, "%s: switched off by --disable=%s", what, feature_names[i]);
    const char *options = proposal_way_around(what);
    return FailAt(DIAG_UNSUPPORTED, offset, "%s: not supported yet%s%s%s", what, options ? " (without it: " : "",
                  options ? options : "", options ? ")" : "");
}

bool Reader::Over(uint64_t count, uint64_t limit, const char *what) {
    if (count <= limit)
        return false;
    Fail(DIAG_LIMIT, "%" PRIu64 " %s; the limit is %" PRIu64, count, what, limit);
    return true;
}

bool Reader::Work(const ir_sig &sig) {
    type_work_ += sig.nparams + sig.nresults;
    return !Over(type_work_, FRONT_MAX_TYPE_WORK, "block and call values in one function");
}

bool Reader::WorkLabel(Index depth, uint64_t times) {
    wabt::SharedValidator::Label *label;
    if (depth >= depth_ || init_ || Failed(validator_.GetLabel(depth, &label)))
        return true; /* the validator reports it */
    type_work_ += times * (label->br_types().size() + 1);
    return !Over(type_work_, FRONT_MAX_TYPE_WORK, "branch values in one function");
}

/* ---- conversions ---- */

bool Reader::Convert(Type type, ir_type *out) {
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

bool Reader::ConvertTypes(const Type *types, Index n, const ir_type **out) {
    ir_type *copy = arena_array(&m_->arena, ir_type, n);
    for (Index i = 0; i < n; i++)
        if (!Convert(types[i], &copy[i]))
            return false;
    *out = copy;
    return true;
}

const char *Reader::Name(std::string_view name) {
    return wasm_name_copy(&m_->arena, name.data(), name.size());
}

ir_import_name Reader::ImportName(std::string_view module, std::string_view field) {
    return {Name(module), Name(field)};
}

ir_limits Reader::ConvertLimits(const wabt::Limits &l) {
    return {l.initial, l.has_max ? l.max : 0, l.has_max, l.is_shared, l.is_64};
}

} // namespace wabt_shim
