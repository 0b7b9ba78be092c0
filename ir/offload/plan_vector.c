/* Carried vectors that move by the same amount in each iteration.
 *
 * Compilers carry the index of a vectorised loop once as a scalar and once as a vector of lanes:
 *
 *     loop (%i = 0, %v = <0 1 2 3>) {                 iteration k:   %v = <0 1 2 3> + k * <4 4 4 4>
 *       ... f32x4.convert_i32x4_s %v ...
 *       br_if loop(%i + 4, i32x4.add %v, <4 4 4 4>)
 *     }
 *
 * Sums of integer lanes wrap, so the product is exact whatever k is.  There is no multiplication of bytes; those go
 * through lanes of 16 bits, of which the low halves are right.
 */
#include "ir/offload/plan_internal.h"
#include "ir/util/ice.h"

static bool from_before(const struct plan *p, const struct ir_value *v) {
    return ir_const_of(v) || !loop_contains_value(p->root, v);
}

bool plan_find_motion(const struct plan *p, const struct loop *l, uint32_t index, struct plan_motion *out) {
    struct ir_value *param = l->inst->regions[0]->params[index];
    if (param->type != IR_V128 || l->nback_edges != 1)
        return false;
    struct ir_inst *next = loop_next_value(l, index)->def;
    if (!next ||
        (next->op != IR_I8X16_ADD && next->op != IR_I16X8_ADD && next->op != IR_I32X4_ADD && next->op != IR_I64X2_ADD))
        return false;
    unsigned other = next->operands[0] == param ? 1 : 0;
    if (next->operands[1 - other] != param || next->operands[other] == param)
        return false;
    *out = (struct plan_motion){
        .param = param, .add = (enum ir_op)next->op, .init = l->inst->operands[index], .step = next->operands[other]};
    return from_before(p, out->init) && from_before(p, out->step);
}

static struct ir_value *simple(struct ir_builder *b, enum ir_op op, struct ir_value *x, struct ir_value *y) {
    return ir_build_simple(b, op, x, y);
}

static struct ir_value *byte_products(struct ir_builder *b, struct ir_value *step, struct ir_value *times) {
    struct ir_value *eight = ir_build_i32(b, 8);
    struct ir_value *low_bytes =
        ir_build_const(b, IR_V128, (union ir_bits){.u64x2 = {0x00ff00ff00ff00ff, 0x00ff00ff00ff00ff}});
    struct ir_value *even = simple(b, IR_V128_AND, simple(b, IR_I16X8_MUL, step, times), low_bytes);
    struct ir_value *odd = simple(b, IR_I16X8_MUL, simple(b, IR_I16X8_SHR_U, step, eight), times);
    return simple(b, IR_V128_OR, even, simple(b, IR_I16X8_SHL, odd, eight));
}

struct ir_value *plan_emit_motion(struct ir_builder *b, const struct plan_motion *s, struct ir_value *init,
                                  struct ir_value *step, struct ir_value *iteration) {
    struct ir_value *moved = NULL;
    switch (s->add) {
    case IR_I8X16_ADD:
        moved = byte_products(b, step, simple(b, IR_I16X8_SPLAT, iteration, NULL));
        break;
    case IR_I16X8_ADD:
        moved = simple(b, IR_I16X8_MUL, step, simple(b, IR_I16X8_SPLAT, iteration, NULL));
        break;
    case IR_I32X4_ADD:
        moved = simple(b, IR_I32X4_MUL, step, simple(b, IR_I32X4_SPLAT, iteration, NULL));
        break;
    case IR_I64X2_ADD:
        iteration = simple(b, IR_I64_EXTEND_I32_U, iteration, NULL);
        moved = simple(b, IR_I64X2_MUL, step, simple(b, IR_I64X2_SPLAT, iteration, NULL));
        break;
    default:
        ICE("not a step: %s", ir_op_info[s->add].text);
    }
    return simple(b, s->add, init, moved);
}
