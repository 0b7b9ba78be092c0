/* Loads and stores on streams, and on private arrays.
 *
 * A stream is a storage buffer over the byte range its guard computed; `base` is the linear-memory address of the first
 * byte.  The guard has shown that address + offset is inside the range, so the byte place (address + offset - base) is
 * right in 32-bit modular arithmetic, whatever wraps on the way.
 *
 * Streams may overlap in memory (the same invocation may reach one byte through two of them), so with more than one,
 * each is Aliased.  None is NonWritable: beside a NonWritable variable, NVIDIA's driver (580 series) was seen to carry
 * a load of a written stream across a store to the same word.  A stream with xor_word has neighbours writing in the
 * same words; its plain accesses are relaxed atomics then.  8- and 16-bit accesses, where the device has them, go
 * through a second variable on the same binding.
 */
#include "backends/spirv/spv_emit.h"

#include "ir/util/ice.h"

enum view { VIEW_32, VIEW_8, VIEW_16 };

static const struct { uint32_t bits, shift; } views[3] = {{32, 2}, {8, 0}, {16, 1}};

static enum view view_of(const struct ir_inst *i) {
    unsigned bytes = i->op == IR_XOR_WORD ? 4 : ir_info(i)->bytes;
    ICE_UNLESS(bytes <= 4);
    return bytes == 4 ? VIEW_32 : bytes == 1 ? VIEW_8 : VIEW_16;
}

static void scan_region(struct spv_emit *e, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        for (unsigned k = 0; k < ir_nregions(i); k++)
            scan_region(e, i->regions[k]);
        if (!ir_is_load(i) && !ir_is_store(i) && i->op != IR_XOR_WORD)
            continue;
        ICE_UNLESS(i->mem.stream >= 0 && (uint32_t)i->mem.stream < e->kernel->nstreams);
        struct spv_stream *s = &e->streams[i->mem.stream];
        s->used = true;
        s->written |= !ir_is_load(i);
        s->atomic |= i->op == IR_XOR_WORD;
        s->views[view_of(i)] = true;
    }
}

void spv_scan_streams(struct spv_emit *e) {
    scan_region(e, e->func->body);
}

static uint32_t element_type(struct spv_emit *e, enum view v) {
    return spv_unique(&e->m, SpvOpTypeInt, 0, views[v].bits, 0);
}

static void declare_view(struct spv_emit *e, uint32_t stream, enum view v, uint32_t *block) {
    struct spv_module *m = &e->m;
    struct spv_stream *s = &e->streams[stream];
    if (!*block) {
        uint32_t array = spv_unique(m, SpvOpTypeRuntimeArray, 0, element_type(e, v));
        *block = spv_unique(m, SpvOpTypeStruct, 0, array);
        spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, array, SpvDecorationArrayStride, views[v].bits / 8);
        spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, *block, SpvDecorationBlock);
        spv_inst(m, SPV_ANNOTATIONS, SpvOpMemberDecorate, *block, 0, SpvDecorationOffset, 0);
        spv_name(m, *block, v == VIEW_32 ? "words" : v == VIEW_8 ? "bytes" : "shorts");
    }
    uint32_t var = s->vars[v] = spv_new_id(m);
    uint32_t pointer = spv_unique(m, SpvOpTypePointer, 0, SpvStorageClassStorageBuffer, *block);
    spv_inst(m, SPV_GLOBALS, SpvOpVariable, pointer, var, SpvStorageClassStorageBuffer);
    spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, var, SpvDecorationDescriptorSet, 0);
    spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, var, SpvDecorationBinding, stream);
    if (e->kernel->nstreams > 1 || s->views[VIEW_32] + s->views[VIEW_8] + s->views[VIEW_16] > 1)
        spv_inst(m, SPV_ANNOTATIONS, SpvOpDecorate, var, SpvDecorationAliased);
    static const char *const prefix[3] = {"stream", "stream_bytes", "stream_shorts"};
    spv_name(m, var, arena_printf(m->arena, "%s%u", prefix[v], stream));
}

void spv_declare_streams(struct spv_emit *e) {
    uint32_t blocks[3] = {0};
    for (uint32_t s = 0; s < e->kernel->nstreams; s++)
        for (int v = 0; v < 3; v++)
            if (e->streams[s].views[v])
                declare_view(e, s, (enum view)v, &blocks[v]);
}

static uint32_t element_pointer(struct spv_emit *e, const struct ir_inst *i, enum view v) {
    const struct spv_stream *s = &e->streams[i->mem.stream];
    uint32_t u = spv_type_uint(e), at = spv_value(e, i->operands[0]);
    if (i->mem.offset)
        at = spv_code(e, SpvOpIAdd, u, at, spv_uint(e, (uint32_t)i->mem.offset));
    at = spv_code(e, SpvOpISub, u, at, s->base);
    if (views[v].shift)
        at = spv_code(e, SpvOpShiftRightLogical, u, at, spv_uint(e, views[v].shift));
    uint32_t pointer = spv_unique(&e->m, SpvOpTypePointer, 0, SpvStorageClassStorageBuffer, element_type(e, v));
    return spv_code(e, SpvOpAccessChain, pointer, s->vars[v], spv_uint(e, 0), at);
}

static void emit_load(struct spv_emit *e, struct ir_inst *i) {
    enum view v = view_of(i);
    uint32_t pointer = element_pointer(e, i, v), u = spv_type_uint(e), id;
    if (v == VIEW_32 && e->streams[i->mem.stream].atomic)
        id = spv_code(e, SpvOpAtomicLoad, u, pointer, spv_uint(e, SpvScopeDevice),
                      spv_uint(e, SpvMemorySemanticsMaskNone));
    else
        id = spv_code(e, SpvOpLoad, element_type(e, v), pointer);
    if (v != VIEW_32)
        id = spv_code(e, ir_info(i)->sign ? SpvOpSConvert : SpvOpUConvert, u, id);
    ICE_UNLESS(i->results[0].type == IR_I32 || i->results[0].type == IR_F32);
    e->ids[i->results[0].id] = id;
}

static void emit_store(struct spv_emit *e, struct ir_inst *i) {
    enum view v = view_of(i);
    uint32_t pointer = element_pointer(e, i, v), value = spv_value(e, i->operands[1]);
    ICE_UNLESS(i->operands[1]->type == IR_I32 || i->operands[1]->type == IR_F32);
    if (v != VIEW_32)
        value = spv_code(e, SpvOpUConvert, element_type(e, v), value);
    uint32_t scope = spv_uint(e, SpvScopeDevice), relaxed = spv_uint(e, SpvMemorySemanticsMaskNone);
    if (i->op == IR_XOR_WORD)
        spv_code(e, SpvOpAtomicXor, spv_type_uint(e), pointer, scope, relaxed, value);
    else if (v == VIEW_32 && e->streams[i->mem.stream].atomic)
        spv_inst(&e->m, SPV_CODE, SpvOpAtomicStore, pointer, scope, relaxed, value);
    else
        spv_inst(&e->m, SPV_CODE, SpvOpStore, pointer, value);
}

void spv_emit_access(struct spv_emit *e, struct ir_inst *i) {
    if (ir_is_load(i))
        emit_load(e, i);
    else
        emit_store(e, i);
}

/* The type is the array's own: one that the parameter block shares would come with that one's layout. */
static uint32_t new_array(struct spv_emit *e, uint32_t words) {
    struct spv_module *m = &e->m;
    uint32_t u = spv_type_uint(e), length = spv_uint(e, words), type = spv_new_id(m), id = spv_new_id(m);
    spv_inst(m, SPV_GLOBALS, SpvOpTypeArray, type, u, length);
    uint32_t pointer = spv_unique(m, SpvOpTypePointer, 0, SpvStorageClassFunction, type);
    spv_inst(m, SPV_LOCALS, SpvOpVariable, pointer, id, SpvStorageClassFunction);
    return id;
}

void spv_emit_array(struct spv_emit *e, struct ir_inst *i) {
    uint32_t u = spv_type_uint(e), *array = &e->arrays[i->index];
    if (!*array)
        *array = new_array(e, i->index2);
    uint32_t pointer = spv_unique(&e->m, SpvOpTypePointer, 0, SpvStorageClassFunction, u);
    uint32_t place = spv_code(e, SpvOpAccessChain, pointer, *array, spv_value(e, i->operands[0]));
    if (i->op == IR_ARRAY_SET)
        spv_inst(&e->m, SPV_CODE, SpvOpStore, place, spv_value(e, i->operands[1]));
    else
        e->ids[i->results[0].id] = spv_code(e, SpvOpLoad, u, place);
}
