/* Vectors for the generator of random loop nests: operations on v128 of every lane shape, and the ways from numbers to
 * vectors and back.  What float arithmetic gives has its NaNs set to 0 at once, since their payloads are open. */
#include "tests/fuzz/nest_gen.h"

#include <string.h>

static struct ir_value *lane_op(struct gen *g, enum ir_op o, struct ir_value **operands, uint32_t n) {
    const struct ir_op_info *info = &ir_op_info[o];
    enum ir_type type = (enum ir_type)info->result;
    nest_stamp(g);
    struct ir_inst *i = ir_build(&g->b, o, &type, 1, operands, n);
    for (uint32_t k = 0; k < info->lanes; k++)
        i->bits.v128[k] = (uint8_t)nest_below(g, info->lane_bound);
    return &i->results[0];
}

struct ir_value *nest_lanes_convert(struct gen *g, struct ir_value *v, enum ir_type to) {
    static const enum ir_op splats[] = {IR_I32X4_SPLAT, IR_I64X2_SPLAT, IR_F32X4_SPLAT};
    static const enum ir_op words[] = {IR_I32X4_EXTRACT_LANE,   IR_I32X4_EXTRACT_LANE,   IR_I8X16_EXTRACT_LANE_S,
                                       IR_I16X8_EXTRACT_LANE_U, IR_I8X16_EXTRACT_LANE_U, IR_I16X8_EXTRACT_LANE_S};
    if (to == IR_V128) {
        static const enum ir_op narrow[] = {IR_I8X16_SPLAT, IR_I16X8_SPLAT};
        if (v->type == IR_I32 && nest_chance(g, 40))
            return lane_op(g, narrow[nest_below(g, 2)], &v, 1);
        return lane_op(g, splats[v->type], &v, 1);
    }
    if (to == IR_I64)
        return lane_op(g, IR_I64X2_EXTRACT_LANE, &v, 1);
    if (to == IR_I32)
        return lane_op(g, words[nest_below(g, 6)], &v, 1);
    /* bits of an integer vector may be any NaN, and arithmetic may give any other */
    struct ir_value *x = lane_op(g, IR_F32X4_EXTRACT_LANE, &v, 1), *ok = nest_op(g, IR_F32_EQ, x, x);
    nest_stamp(g);
    struct ir_value *zero = ir_build_const(&g->b, IR_F32, (union ir_bits){.u64x2 = {0, 0}});
    return ir_build_select(&g->b, x, zero, ok);
}

/* Whether an operation has v128 in it and nothing that this generator lacks (f64), and the same answer everywhere. */
static bool usable(enum ir_op o) {
    const struct ir_op_info *info = &ir_op_info[o];
    if ((info->kind != IR_KIND_SIMPLE && info->kind != IR_KIND_LANES) || info->result == IR_F64)
        return false;
    bool vector = info->result == IR_V128;
    for (uint32_t k = 0; k < info->operands; k++) {
        vector |= info->operand_types[k] == IR_V128;
        if (info->operand_types[k] == IR_F64)
            return false;
    }
    return vector && !strstr(info->text, "madd");
}

void nest_lanes_compute(struct gen *g, struct scope *s) {
    enum ir_op o;
    do
        o = (enum ir_op)nest_below(g, IR_OP_COUNT);
    while (!usable(o));
    const struct ir_op_info *info = &ir_op_info[o];
    struct ir_value *operands[3];
    for (uint32_t k = 0; k < info->operands; k++)
        operands[k] = nest_datum(g, s, (enum ir_type)info->operand_types[k]);
    struct ir_value *v = lane_op(g, o, operands, info->operands);
    if (info->kind == IR_KIND_SIMPLE && !(info->flags & IR_FLAG_BITWISE)) {
        bool wide = !strncmp(info->text, "f64x2", 5);
        v = nest_op(g, IR_V128_AND, v, nest_op(g, wide ? IR_F64X2_EQ : IR_F32X4_EQ, v, v));
    }
    nest_keep(g, s, v);
}
