/* The EVAL column of ir_ops.def as two switches: operations without immediates, and with lane numbers. */
#include "ir/ir_eval.h"

#include "ir/ir_eval_simd.h"
#include "ir/util/ice.h"

#define A operands[0]
#define B operands[1]
#define C operands[2]
#define TRAP (&trap)

enum ir_trap ir_eval_simple(enum ir_op op, const union ir_bits *operands, union ir_bits *out) {
    enum ir_trap trap = IR_TRAP_NONE;
    union ir_bits result = {.u64x2 = {0, 0}};
    switch (op) {
#define IR_SIMPLE(ID, TEXT, RESULT, OPERANDS, FLAGS, MEMBER, EVAL) \
    case IR_##ID:                                                  \
        result.MEMBER = EVAL;                                      \
        break;
#include "ir/ir_ops.def"
    default:
        ICE("%s is no simple operation", ir_op_info[op].text);
    }
    *out = result;
    return trap;
}

#define LANE(n) (lanes.u8x16[n])

void ir_eval_lanes(enum ir_op op, union ir_bits lanes, const union ir_bits *operands, union ir_bits *out) {
    union ir_bits result = {.u64x2 = {0, 0}};
    switch (op) {
#define IR_LANES(ID, TEXT, RESULT, OPERANDS, BOUND, COUNT, MEMBER, EVAL) \
    case IR_##ID:                                                        \
        result.MEMBER = EVAL;                                            \
        break;
#include "ir/ir_ops.def"
    default:
        ICE("%s takes no lane numbers", ir_op_info[op].text);
    }
    *out = result;
}
