/* The interface of a kernel in SPIR-V: what stands around the body; see spv_emit.h and ir/offload/kernel.h.
 *
 *   set 0, binding s        storage buffer: stream s as an array of 32-bit words
 *   set 0, binding nstreams uniform buffer of uvec4, or push constants: the parameter block
 *   entry point "main", GLCompute, LocalSize from the kernel
 *
 * The first thing an invocation does is to compare its place with the extents of the grid and to return when it is
 * outside: grids are rounded up to whole workgroups.
 */
#include "backends/spirv/spv_emit.h"

#include "ir/util/ice.h"

uint32_t spv_type_uint(struct spv_emit *e) {
    return spv_unique(&e->m, SpvOpTypeInt, 0, 32, 0);
}
uint32_t spv_type_bool(struct spv_emit *e) {
    return spv_unique_words(&e->m, SpvOpTypeBool, 0, NULL, 0);
}

uint32_t spv_type(struct spv_emit *e, enum ir_type t) {
    switch (t) {
    case IR_I32:
    case IR_F32:
        return spv_type_uint(e);
    case IR_I64:
    case IR_F64:
        return spv_unique(&e->m, SpvOpTypeInt, 0, 64, 0);
    default:
        ICE("no SPIR-V type for %s", ir_type_name[t]);
    }
}

uint32_t spv_type_float(struct spv_emit *e, enum ir_type t) {
    ICE_UNLESS(t == IR_F32 || t == IR_F64);
    return spv_unique(&e->m, SpvOpTypeFloat, 0, t == IR_F32 ? 32 : 64);
}

uint32_t spv_const(struct spv_emit *e, enum ir_type t, union ir_bits bits) {
    if (t == IR_I64 || t == IR_F64)
        return spv_unique(&e->m, SpvOpConstant, spv_type(e, t), (uint32_t)bits.i64, (uint32_t)(bits.i64 >> 32));
    return spv_unique(&e->m, SpvOpConstant, spv_type(e, t), bits.i32);
}

static bool is_zero(enum ir_type t, union ir_bits bits) {
    return (t == IR_F32 ? (uint64_t)bits.i32 << 33 : bits.i64 << 1) == 0;
}

uint32_t spv_uint(struct spv_emit *e, uint32_t v) {
    return spv_unique(&e->m, SpvOpConstant, spv_type_uint(e), v);
}

uint32_t spv_value(struct spv_emit *e, const struct ir_value *v) {
    ICE_UNLESS(e->ids[v->id]);
    return e->ids[v->id];
}

uint32_t spv_operand(struct spv_emit *e, const struct ir_value *v) {
    const union ir_bits *known = ir_const_of(v);
    if (v->type != IR_F32 && v->type != IR_F64)
        return spv_value(e, v);
    if (e->floats[v->id])
        return e->floats[v->id];
    uint32_t type = spv_type_float(e, v->type);
    if (!known || (e->precise && is_zero(v->type, *known)))
        return spv_code(e, SpvOpBitcast, type, spv_value(e, v));
    if (v->type == IR_F32)
        return spv_unique(&e->m, SpvOpConstant, type, known->i32);
    return spv_unique(&e->m, SpvOpConstant, type, (uint32_t)known->i64, (uint32_t)(known->i64 >> 32));
}

void spv_set_float(struct spv_emit *e, const struct ir_value *v, uint32_t id) {
    e->floats[v->id] = id;
    e->ids[v->id] = spv_code(e, SpvOpBitcast, spv_type(e, v->type), id);
}

uint32_t spv_condition(struct spv_emit *e, const struct ir_value *v) {
    if (e->bools[v->id])
        return e->bools[v->id];
    return spv_code(e, SpvOpINotEqual, spv_type_bool(e), spv_value(e, v), spv_uint(e, 0));
}

static uint32_t typed_words(struct spv_emit *e, enum spv_section s, SpvOp op, uint32_t type, const uint32_t *words,
                            uint32_t n) {
    uint32_t id = spv_new_id(&e->m), at = spv_begin(&e->m, s, op);
    spv_word(&e->m, s, type);
    spv_word(&e->m, s, id);
    for (uint32_t k = 0; k < n; k++)
        spv_word(&e->m, s, words[k]);
    spv_end(&e->m, s, at);
    return id;
}

uint32_t spv_code_words(struct spv_emit *e, SpvOp op, uint32_t type, const uint32_t *words, uint32_t n) {
    return typed_words(e, SPV_CODE, op, type, words, n);
}

#define prologue(e, op, type, ...)                                                \
    typed_words((e), SPV_PROLOGUE, (op), (type), (const uint32_t[]){__VA_ARGS__}, \
                sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

void spv_label(struct spv_emit *e, uint32_t id) {
    spv_inst(&e->m, SPV_CODE, SpvOpLabel, id);
}
void spv_branch(struct spv_emit *e, uint32_t id) {
    spv_inst(&e->m, SPV_CODE, SpvOpBranch, id);
}

static void declare_capabilities(struct spv_emit *e, uint32_t caps) {
    struct spv_module *m = &e->m;
    spv_capability(m, SpvCapabilityShader);
    if (caps & OFF_CAP_INT64)
        spv_capability(m, SpvCapabilityInt64);
    if (caps & OFF_CAP_FLOAT64)
        spv_capability(m, SpvCapabilityFloat64);
    if (caps & OFF_CAP_STORAGE16)
        spv_capability(m, SpvCapabilityStorageBuffer16BitAccess);
    if (caps & OFF_CAP_STORAGE8) {
        spv_capability(m, SpvCapabilityStorageBuffer8BitAccess);
        uint32_t at = spv_begin(m, SPV_EXTENSIONS, SpvOpExtension);
        spv_string(m, SPV_EXTENSIONS, "SPV_KHR_8bit_storage");
        spv_end(m, SPV_EXTENSIONS, at);
    }
    spv_inst(m, SPV_MEMORY_MODEL, SpvOpMemoryModel, SpvAddressingModelLogical, SpvMemoryModelGLSL450);
    e->glsl = spv_new_id(m);
    uint32_t at = spv_begin(m, SPV_IMPORTS, SpvOpExtInstImport);
    spv_word(m, SPV_IMPORTS, e->glsl);
    spv_string(m, SPV_IMPORTS, "GLSL.std.450");
    spv_end(m, SPV_IMPORTS, at);
}

static void declare_params(struct spv_emit *e) {
    struct spv_module *m = &e->m;
    uint32_t words = off_param_words(e->kernel), element, array, stride, block;
    e->params_pushed = words <= OFF_PUSH_WORDS;
    if (e->params_pushed) {
        element = spv_type_uint(e);
        array = spv_unique(m, SpvOpTypeArray, 0, element, spv_uint(e, words));
        stride = 4;
    } else {
        element = spv_unique(m, SpvOpTypeVector, 0, spv_type_uint(e), 4);
        array = spv_unique(m, SpvOpTypeArray, 0, element, spv_uint(e, (words + 3) / 4));
        stride = 16;
    }
    block = spv_unique(m, SpvOpTypeStruct, 0, array);
    spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, array, SpvDecorationArrayStride, stride);
    spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, block, SpvDecorationBlock);
    spv_inst(m, SPV_ANNOTATIONS, SpvOpMemberDecorate, block, 0, SpvDecorationOffset, 0);
    SpvStorageClass class = e->params_pushed ? SpvStorageClassPushConstant : SpvStorageClassUniform;
    uint32_t pointer = spv_unique(m, SpvOpTypePointer, 0, class, block);
    e->params_var = spv_new_id(m);
    spv_inst(m, SPV_GLOBALS, SpvOpVariable, pointer, e->params_var, class);
    if (!e->params_pushed) {
        spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, e->params_var, SpvDecorationDescriptorSet, 0);
        spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, e->params_var, SpvDecorationBinding, e->kernel->nstreams);
    }
    spv_name(m, block, "params_block");
    spv_name(m, e->params_var, "params");
}

static uint32_t load_param(struct spv_emit *e, uint32_t word) {
    struct spv_module *m = &e->m;
    SpvStorageClass class = e->params_pushed ? SpvStorageClassPushConstant : SpvStorageClassUniform;
    uint32_t pointer = spv_unique(m, SpvOpTypePointer, 0, class, spv_type_uint(e)), zero = spv_uint(e, 0), place;
    if (e->params_pushed)
        place = prologue(e, SpvOpAccessChain, pointer, e->params_var, zero, spv_uint(e, word));
    else
        place =
            prologue(e, SpvOpAccessChain, pointer, e->params_var, zero, spv_uint(e, word / 4), spv_uint(e, word % 4));
    return prologue(e, SpvOpLoad, spv_type_uint(e), place);
}

/* The grid's extent along z, which no launch lets come near 2^32 - 1 (count_groups of the runtime), decides between the
 * zero and something else. */
uint32_t spv_float_const(struct spv_emit *e, enum ir_type t, union ir_bits bits) {
    if (!e->precise || !is_zero(t, bits))
        return spv_const(e, t, bits);
    uint32_t *zero = &e->zeros[(t == IR_F64 ? 2 : 0) + ((t == IR_F32 ? bits.i32 : bits.i64) != 0)];
    if (!*zero) {
        /* Not 1: Mesa takes the choice between that and a zero of either sign for a conversion from bool. */
        union ir_bits other = {.i64 = t == IR_F32 ? UINT64_C(0x40490fdb) : UINT64_C(0x400921fb54442d18)};
        uint32_t never = prologue(e, SpvOpIEqual, spv_type_bool(e), load_param(e, 2), spv_uint(e, UINT32_MAX));
        *zero = prologue(e, SpvOpSelect, spv_type(e, t), never, spv_const(e, t, other), spv_const(e, t, bits));
    }
    return *zero;
}

static uint32_t load_scalar(struct spv_emit *e, enum ir_type t, uint32_t word) {
    uint32_t lo = load_param(e, word);
    if (t == IR_I32 || t == IR_F32)
        return lo;
    uint32_t wide = spv_type(e, IR_I64), hi = load_param(e, word + 1);
    lo = prologue(e, SpvOpUConvert, wide, lo);
    hi = prologue(e, SpvOpUConvert, wide, hi);
    hi = prologue(e, SpvOpShiftLeftLogical, wide, hi, spv_uint(e, 32));
    return prologue(e, SpvOpBitwiseOr, wide, lo, hi);
}

/* Grid position, stream bases and scalars: the function's parameters.  Returns whether the place is outside the grid.
 */
static uint32_t load_params(struct spv_emit *e, uint32_t gid_var) {
    const struct off_kernel *k = e->kernel;
    uint32_t u = spv_type_uint(e), outside = 0;
    uint32_t gid = prologue(e, SpvOpLoad, spv_unique(&e->m, SpvOpTypeVector, 0, u, 3), gid_var);
    for (uint32_t d = 0; d < OFF_MAX_GRID; d++) {
        if (d >= k->ngrid && k->workgroup[d] <= 1)
            continue;
        uint32_t at = prologue(e, SpvOpCompositeExtract, u, gid, d);
        if (d == 0)
            at = prologue(e, SpvOpIAdd, u, at, load_param(e, OFF_PARAM_X_BASE));
        uint32_t out = prologue(e, SpvOpUGreaterThanEqual, spv_type_bool(e), at, load_param(e, d));
        outside = outside ? prologue(e, SpvOpLogicalOr, spv_type_bool(e), outside, out) : out;
        if (d < k->ngrid)
            e->ids[e->func->body->params[d]->id] = at;
    }
    for (uint32_t s = 0; s < k->nstreams; s++)
        if (e->streams[s].used)
            e->streams[s].base = load_param(e, OFF_PARAM_STREAMS + s);
    uint32_t word = OFF_PARAM_STREAMS + k->nstreams;
    for (uint32_t p = k->ngrid; p < e->func->body->nparams; p++) {
        const struct ir_value *v = e->func->body->params[p];
        e->ids[v->id] = load_scalar(e, v->type, word);
        word += v->type == IR_I64 || v->type == IR_F64 ? 2 : 1;
    }
    ICE_UNLESS(word == off_param_words(k));
    return outside;
}

static void declare_entry(struct spv_emit *e, uint32_t main_id, uint32_t gid_var) {
    struct spv_module *m = &e->m;
    uint32_t at = spv_begin(m, SPV_ENTRY, SpvOpEntryPoint);
    spv_word(m, SPV_ENTRY, SpvExecutionModelGLCompute);
    spv_word(m, SPV_ENTRY, main_id);
    spv_string(m, SPV_ENTRY, "main");
    spv_word(m, SPV_ENTRY, gid_var);
    spv_end(m, SPV_ENTRY, at);
    const uint32_t *wg = e->kernel->workgroup;
    spv_inst(m, SPV_MODES, SpvOpExecutionMode, main_id, SpvExecutionModeLocalSize, wg[0] ? wg[0] : 1, wg[1] ? wg[1] : 1,
             wg[2] ? wg[2] : 1);
}

uint32_t *spv_emit_kernel(struct arena *a, const struct off_kernel *k, struct ir_func *f, uint32_t caps, bool precise,
                          uint32_t *out_nwords) {
    struct spv_emit e = {.kernel = k, .func = f, .precise = precise};
    struct spv_module *m = &e.m;
    if (!control_prepare(f, a))
        return NULL;
    spv_module_init(m, a);
    e.ids = arena_array(a, uint32_t, f->next_id + 1);
    e.bools = arena_array(a, uint32_t, f->next_id + 1);
    e.floats = arena_array(a, uint32_t, f->next_id + 1);
    declare_capabilities(&e, caps);
    spv_scan_streams(&e);
    spv_declare_streams(&e);
    declare_params(&e);

    uint32_t vec3 = spv_unique(m, SpvOpTypeVector, 0, spv_type_uint(&e), 3);
    uint32_t gid_var = spv_new_id(m), main_id = spv_new_id(m);
    spv_inst(m, SPV_GLOBALS, SpvOpVariable, spv_unique(m, SpvOpTypePointer, 0, SpvStorageClassInput, vec3), gid_var,
             SpvStorageClassInput);
    spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, gid_var, SpvDecorationBuiltIn, SpvBuiltInGlobalInvocationId);
    declare_entry(&e, main_id, gid_var);

    uint32_t none = spv_unique_words(m, SpvOpTypeVoid, 0, NULL, 0);
    uint32_t signature = spv_unique(m, SpvOpTypeFunction, 0, none);
    spv_inst(m, SPV_HEAD, SpvOpFunction, none, main_id, SpvFunctionControlMaskNone, signature);
    spv_inst(m, SPV_HEAD, SpvOpLabel, spv_new_id(m));
    uint32_t outside = load_params(&e, gid_var), done = spv_new_id(m), inside = spv_new_id(m);
    spv_inst(m, SPV_CODE, SpvOpSelectionMerge, inside, SpvSelectionControlMaskNone);
    spv_inst(m, SPV_CODE, SpvOpBranchConditional, outside, done, inside);
    spv_label(&e, done);
    spv_inst_words(m, SPV_CODE, SpvOpReturn, NULL, 0);
    spv_label(&e, inside);
    spv_emit_body(&e);
    if (!spv_finish_functions(&e))
        return NULL;
    return spv_finish(m, SPV_VERSION_1_3, out_nwords);
}
