/* Accesses of v128 values lane by lane, each of the width and kind that scalar code for one lane would have:
 *
 *     %v = v128.load %p               %v0 = f32.load %p   %v1 = f32.load offset=4 %p  ...     where %v is used as f32x4
 *     v128.store %q, %w               f32.store %q, %w0   f32.store offset=4 %q, %w1  ...     where %w was made as
 * f32x4 i32.store %q, lane 0 of %b      i32.store8 %q, %b0  ...                                 where %b is made of
 * bytes
 *
 * A store in parts may trap half-way, where the whole would have left memory alone, so this is for code that runs
 * only where a guard has seen that no access traps (reroll.h). */
#include "ir/offload/lanes_memory.h"

#include "ir/util/ice.h"

static struct ir_mem part_of(const struct ir_inst *i, uint32_t at, unsigned bytes) {
    struct ir_mem mem = i->mem;
    uint8_t most = (uint8_t)__builtin_ctz(bytes);
    mem.offset += at;
    mem.align_log2 = mem.align_log2 < most ? mem.align_log2 : most;
    return mem;
}

static enum ir_op load_of(enum lane_shape s) {
    static const enum ir_op ops[LANE_SHAPES] = {
        IR_I32_LOAD,     IR_F32_LOAD,     IR_I64_LOAD,    IR_F64_LOAD,    IR_I32_LOAD16_U,
        IR_I32_LOAD16_U, IR_I32_LOAD16_S, IR_I32_LOAD8_U, IR_I32_LOAD8_U, IR_I32_LOAD8_S,
    };
    return ops[s];
}

static enum ir_op store_of(enum lane_shape s) {
    static const enum ir_op ops[LANE_SHAPES] = {
        IR_I32_STORE,   IR_F32_STORE,   IR_I64_STORE,  IR_F64_STORE,  IR_I32_STORE16,
        IR_I32_STORE16, IR_I32_STORE16, IR_I32_STORE8, IR_I32_STORE8, IR_I32_STORE8,
    };
    return ops[s];
}

void lanes_load(struct rebuild *r, struct ir_inst *i, enum lane_shape s) {
    struct ir_value *out[LANES_MAX];
    unsigned bytes = ir_info(i)->bytes;
    if (s == LANES_HX || s == LANES_BX)
        s = s == LANES_HX ? LANES_HU : LANES_BU; /* what is loaded has upper bits */
    unsigned size = lanes_bytes(s);
    if (size > bytes) {
        s = LANES_W;
        size = 4;
    }
    for (unsigned k = 0; k < lanes_count(s); k++)
        out[k] = k * size < bytes ? ir_build_load(&r->b, load_of(s), rebuild_lo(r, i, 0), part_of(i, k * size, size))
                                  : ir_build_const(&r->b, lanes_type(s), (union ir_bits){.i64 = 0});
    lanes_set(r, &i->results[0], s, out);
}

static void store(struct rebuild *r, const struct ir_inst *i, const struct ir_value *v, enum lane_shape s,
                  unsigned first, unsigned bytes) {
    unsigned size = lanes_bytes(s);
    enum lane_shape form = size == 2 ? LANES_HX : size == 1 ? LANES_BX : s;
    for (unsigned k = 0; k < bytes / size; k++)
        ir_build_store(&r->b, store_of(s), rebuild_lo(r, i, 0), lanes_get(r, v, form, first / size + k),
                       part_of(i, k * size, size));
}

void lanes_store(struct rebuild *r, struct ir_inst *i) {
    const struct ir_value *v = i->operands[1];
    store(r, i, v, lanes_natural(r, v), 0, 16);
}

bool lanes_store_packed(struct rebuild *r, struct ir_inst *i) {
    if (i->op != IR_I32_STORE && i->op != IR_I64_STORE && i->op != IR_F32_STORE && i->op != IR_F64_STORE)
        return false;
    const struct ir_inst *d = i->operands[1]->def;
    if (!d || (d->op != IR_I32X4_EXTRACT_LANE && d->op != IR_I64X2_EXTRACT_LANE && d->op != IR_F32X4_EXTRACT_LANE &&
               d->op != IR_F64X2_EXTRACT_LANE))
        return false;
    const struct ir_value *v = d->operands[0];
    unsigned bytes = ir_info(i)->bytes;
    enum lane_shape s = lanes_natural(r, v);
    if (lanes_const(r, v) || lanes_bytes(s) >= bytes)
        return false;
    store(r, i, v, s, d->bits.v128[0] * bytes, bytes);
    return true;
}
