/* Which operations reduce, and of what shape; see reduce_internal.h.
 *
 * Vectors are reduced lane by lane, so that an accumulator of clang's vectorizer is four, eight or sixteen at once:
 *
 *     loop (%s: v128 = <0 0 0 0>) {                           OP add, lanes of i32
 *       %t = i32x4.add %s, (i32x4.dot_i16x8_s %x, %y)
 *       br_if loop(%t) }
 */
#include "ir/fp_mode.h"
#include "ir/offload/reduce_internal.h"

enum { MAX_MASK_DEPTH = 6 };

enum row_flags { LEFT = 1, REORDERS_FLOATS = 2 };

struct op_row {
    uint16_t ir;
    uint8_t op, type, lane_bytes, flags;
};

#define SCALAR(ir, op, type, flags) {IR_##type##_##ir, OFF_REDUCE_##op, IR_##type, 0, flags},
#define INTEGER(type)            \
    SCALAR(ADD, ADD, type, 0)    \
    SCALAR(SUB, ADD, type, LEFT) \
    SCALAR(MUL, MUL, type, 0)    \
    SCALAR(AND, AND, type, 0)    \
    SCALAR(OR, OR, type, 0)      \
    SCALAR(XOR, XOR, type, 0)
#define FLOAT(type)                                \
    SCALAR(ADD, ADD, type, REORDERS_FLOATS)        \
    SCALAR(SUB, ADD, type, REORDERS_FLOATS | LEFT) \
    SCALAR(MUL, MUL, type, REORDERS_FLOATS)        \
    SCALAR(MIN, MIN, type, 0)                      \
    SCALAR(MAX, MAX, type, 0)
#define LANES(ir, op, type, bytes, flags) {IR_##ir, OFF_REDUCE_##op, IR_##type, bytes, flags},
#define INTEGER_SUMS(shape, type, bytes)    \
    LANES(shape##_ADD, ADD, type, bytes, 0) \
    LANES(shape##_SUB, ADD, type, bytes, LEFT)
#define INTEGER_EXTREMES(shape, type, bytes)    \
    LANES(shape##_MIN_S, MIN, type, bytes, 0)   \
    LANES(shape##_MIN_U, MIN_U, type, bytes, 0) \
    LANES(shape##_MAX_S, MAX, type, bytes, 0)   \
    LANES(shape##_MAX_U, MAX_U, type, bytes, 0)
#define FLOAT_LANES(shape, type, bytes)                          \
    LANES(shape##_ADD, ADD, type, bytes, REORDERS_FLOATS)        \
    LANES(shape##_SUB, ADD, type, bytes, REORDERS_FLOATS | LEFT) \
    LANES(shape##_MUL, MUL, type, bytes, REORDERS_FLOATS)        \
    LANES(shape##_MIN, MIN, type, bytes, 0)                      \
    LANES(shape##_MAX, MAX, type, bytes, 0)

static const struct op_row op_rows[] = {
    /* clang-format off */
    INTEGER(I32) INTEGER(I64) FLOAT(F32) FLOAT(F64)
    INTEGER_SUMS(I8X16, I32, 1) INTEGER_EXTREMES(I8X16, I32, 1)
    INTEGER_SUMS(I16X8, I32, 2) INTEGER_EXTREMES(I16X8, I32, 2) LANES(I16X8_MUL, MUL, I32, 2, 0)
    INTEGER_SUMS(I32X4, I32, 4) INTEGER_EXTREMES(I32X4, I32, 4) LANES(I32X4_MUL, MUL, I32, 4, 0)
    INTEGER_SUMS(I64X2, I64, 8) LANES(I64X2_MUL, MUL, I64, 8, 0)
    LANES(V128_AND, AND, I64, 8, 0) LANES(V128_ANDNOT, AND, I64, 8, LEFT)
    LANES(V128_OR, OR, I64, 8, 0) LANES(V128_XOR, XOR, I64, 8, 0)
    FLOAT_LANES(F32X4, F32, 4) FLOAT_LANES(F64X2, F64, 8)
    /* clang-format on */
};

bool reduce_op_of(const struct ir_inst *i, struct reduce_op *out) {
    for (size_t k = 0; k < sizeof op_rows / sizeof op_rows[0]; k++) {
        const struct op_row *r = &op_rows[k];
        if (r->ir != i->op)
            continue;
        *out = (struct reduce_op){.op = (enum off_reduce_op)r->op,
                                  .shape = {(enum ir_type)r->type, r->lane_bytes},
                                  .left = (r->flags & LEFT) != 0};
        return !(r->flags & REORDERS_FLOATS) || (i->parent->func->module->fp & FP_REASSOCIATE);
    }
    return false;
}

bool reduce_same_op(const struct reduce_op *a, const struct reduce_op *b) {
    return a->op == b->op && a->shape.type == b->shape.type && a->shape.lane_bytes == b->shape.lane_bytes &&
           a->rule == b->rule;
}

union ir_bits reduce_repeat(struct reduce_shape shape, union ir_bits lane) {
    union ir_bits out = {.u64x2 = {0, 0}};
    if (!shape.lane_bytes)
        return lane;
    for (unsigned at = 0; at < 16; at++)
        out.u8x16[at] = (uint8_t)(lane.i64 >> at % shape.lane_bytes * 8);
    return out;
}

union ir_bits reduce_identity(const struct reduce_op *op) {
    enum ir_type type = op->shape.type;
    unsigned bits = op->shape.lane_bytes ? op->shape.lane_bytes * 8u : type == IR_I32 || type == IR_F32 ? 32 : 64;
    bool is_f32 = type == IR_F32, is_float = is_f32 || type == IR_F64;
    uint64_t all = UINT64_MAX >> (64 - bits), sign = UINT64_C(1) << (bits - 1);
    union ir_bits b = {.u64x2 = {0, 0}};
    switch (op->op) {
    case OFF_REDUCE_ADD:
        b.i64 = is_float ? sign : 0; /* 0 + -0 is 0, -0 + -0 is -0 */
        break;
    case OFF_REDUCE_MUL:
        b.i64 = 1;
        if (is_f32)
            b.f32 = 1;
        else if (is_float)
            b.f64 = 1;
        break;
    case OFF_REDUCE_AND:
    case OFF_REDUCE_MIN_U:
        b.i64 = all;
        break;
    case OFF_REDUCE_MIN:
    case OFF_REDUCE_MAX:
        b.i64 = op->op == OFF_REDUCE_MIN ? all ^ sign : sign;
        if (is_f32)
            b.f32 = op->op == OFF_REDUCE_MIN ? __builtin_inff() : -__builtin_inff();
        else if (is_float)
            b.f64 = op->op == OFF_REDUCE_MIN ? __builtin_inf() : -__builtin_inf();
        break;
    default: /* or, xor, max_u */
        break;
    }
    return reduce_repeat(op->shape, b);
}

/* ---- comparisons ---- */

struct compare_row {
    uint16_t ir;
    uint8_t op, type, lane_bytes;
};

#define COMPARE(shape, suffix, op, type, bytes) {IR_##shape##_##suffix, OFF_REDUCE_##op, IR_##type, bytes},
#define COMPARE_SIGNED(shape, type, bytes) \
    COMPARE(shape, LT_S, LT, type, bytes)  \
    COMPARE(shape, LE_S, LE, type, bytes)  \
    COMPARE(shape, GT_S, GT, type, bytes)  \
    COMPARE(shape, GE_S, GE, type, bytes)
#define COMPARE_UNSIGNED(shape, type, bytes) \
    COMPARE(shape, LT_U, LT_U, type, bytes)  \
    COMPARE(shape, LE_U, LE_U, type, bytes)  \
    COMPARE(shape, GT_U, GT_U, type, bytes)  \
    COMPARE(shape, GE_U, GE_U, type, bytes)
#define COMPARE_FLOAT(shape, type, bytes) \
    COMPARE(shape, LT, LT, type, bytes)   \
    COMPARE(shape, LE, LE, type, bytes)   \
    COMPARE(shape, GT, GT, type, bytes)   \
    COMPARE(shape, GE, GE, type, bytes)

static const struct compare_row compare_rows[] = {
    /* clang-format off */
    COMPARE_SIGNED(I32, I32, 0) COMPARE_UNSIGNED(I32, I32, 0)
    COMPARE_SIGNED(I64, I64, 0) COMPARE_UNSIGNED(I64, I64, 0)
    COMPARE_FLOAT(F32, F32, 0) COMPARE_FLOAT(F64, F64, 0)
    COMPARE_SIGNED(I8X16, I32, 1) COMPARE_UNSIGNED(I8X16, I32, 1)
    COMPARE_SIGNED(I16X8, I32, 2) COMPARE_UNSIGNED(I16X8, I32, 2)
    COMPARE_SIGNED(I32X4, I32, 4) COMPARE_UNSIGNED(I32X4, I32, 4)
    COMPARE_SIGNED(I64X2, I64, 8)
    COMPARE_FLOAT(F32X4, F32, 4) COMPARE_FLOAT(F64X2, F64, 8)
    /* clang-format on */
};

bool reduce_compare_of(const struct ir_inst *i, struct reduce_compare *out) {
    for (size_t k = 0; k < sizeof compare_rows / sizeof compare_rows[0]; k++) {
        const struct compare_row *r = &compare_rows[k];
        if (r->ir != i->op)
            continue;
        *out = (struct reduce_compare){.op = (enum off_reduce_op)r->op,
                                       .shape = {(enum ir_type)r->type, r->lane_bytes},
                                       .x = i->operands[0],
                                       .y = i->operands[1]};
        return true;
    }
    return false;
}

/* ---- masks ---- */

/* Width of the lanes in which the operation gives all ones or all zeros, 0 when it does not. */
static unsigned mask_bytes(const struct ir_inst *i) {
    enum ir_op op = (enum ir_op)i->op;
    struct reduce_compare c;
    if (reduce_compare_of(i, &c))
        return c.shape.lane_bytes;
    const union ir_bits *by = i->noperands == 2 ? ir_const_of(i->operands[1]) : NULL;
    switch (op) {
    case IR_I8X16_EQ:
    case IR_I8X16_NE:
        return 1;
    case IR_I16X8_EQ:
    case IR_I16X8_NE:
        return 2;
    case IR_I32X4_EQ:
    case IR_I32X4_NE:
    case IR_F32X4_EQ:
    case IR_F32X4_NE:
        return 4;
    case IR_I64X2_EQ:
    case IR_I64X2_NE:
    case IR_F64X2_EQ:
    case IR_F64X2_NE:
        return 8;
    case IR_I8X16_SHR_S:
        return by && (by->i32 & 7) == 7 ? 1 : 0;
    case IR_I16X8_SHR_S:
        return by && (by->i32 & 15) == 15 ? 2 : 0;
    case IR_I32X4_SHR_S:
        return by && (by->i32 & 31) == 31 ? 4 : 0;
    case IR_I64X2_SHR_S:
        return by && (by->i32 & 63) == 63 ? 8 : 0;
    default:
        return 0;
    }
}

static bool is_mask_within(const struct ir_value *v, unsigned bytes, unsigned depth) {
    const struct ir_inst *i = v->def;
    if (!i || !depth)
        return false;
    if (i->op == IR_V128_CONST) {
        for (unsigned k = 0; k < 16; k++)
            if (i->bits.u8x16[k] != i->bits.u8x16[k - k % bytes] || (uint8_t)(i->bits.u8x16[k] + 1) > 1)
                return false;
        return true;
    }
    switch (i->op) {
    case IR_V128_NOT:
    case IR_V128_AND:
    case IR_V128_ANDNOT:
    case IR_V128_OR:
    case IR_V128_XOR:
    case IR_V128_BITSELECT:
        for (uint32_t k = 0; k < i->noperands; k++)
            if (!is_mask_within(i->operands[k], bytes, depth - 1))
                return false;
        return true;
    case IR_I16X8_EXTEND_LOW_I8X16_S:
    case IR_I16X8_EXTEND_HIGH_I8X16_S:
        return bytes <= 2 && is_mask_within(i->operands[0], 1, depth - 1);
    case IR_I32X4_EXTEND_LOW_I16X8_S:
    case IR_I32X4_EXTEND_HIGH_I16X8_S:
        return bytes <= 4 && is_mask_within(i->operands[0], 2, depth - 1);
    case IR_I64X2_EXTEND_LOW_I32X4_S:
    case IR_I64X2_EXTEND_HIGH_I32X4_S:
        return is_mask_within(i->operands[0], 4, depth - 1);
    default:
        return mask_bytes(i) >= bytes;
    }
}

bool reduce_is_lane_mask(const struct ir_value *v, unsigned bytes) {
    return is_mask_within(v, bytes, MAX_MASK_DEPTH);
}
