/* Reductions of vectors for the generator of random loop nests: sums, bits and extremes of lanes, also under masks,
 * last values and extremes with payloads by bitselect and pmin, and some that only look like it.
 */
#include "tests/fuzz/nest_gen.h"

enum { SHAPE_OP, SHAPE_LAST, SHAPE_PICK };

static struct ir_value *lane_constant(struct gen *g, uint32_t at) {
    union ir_bits bits = {.u64x2 = {0, 0}};
    for (uint32_t k = 0; k < 4; k++)
        bits.u32x4[k] = at * 0x9e3779b9u * (k + 1) >> (k * 3);
    nest_stamp(g);
    return ir_build_const(&g->b, IR_V128, bits);
}

struct ir_value *nest_vector_datum(struct gen *g, struct scope *s) {
    struct ir_value *v = nest_op(g, IR_I32X4_SPLAT, nest_datum(g, s, IR_I32), NULL);
    static const enum ir_op mix[] = {IR_V128_XOR, IR_I32X4_MUL, IR_I16X8_ADD, IR_I8X16_SUB, IR_V128_AND};
    v = nest_op(g, mix[nest_below(g, 5)], v, lane_constant(g, 1 + nest_below(g, 1000)));
    if (nest_chance(g, 40)) { /* another datum in one lane */
        struct ir_value *operands[2] = {v, nest_datum(g, s, IR_I32)};
        static const enum ir_type type = IR_V128;
        nest_stamp(g);
        struct ir_inst *i = ir_build(&g->b, IR_I32X4_REPLACE_LANE, &type, 1, operands, 2);
        i->bits.v128[0] = (uint8_t)nest_below(g, 4);
        v = i->results;
    }
    return v;
}

/* Floats that are numbers, mostly. */
static struct ir_value *float_datum(struct gen *g, struct scope *s, bool wide) {
    struct ir_value *v = nest_vector_datum(g, s);
    if (nest_chance(g, 15))
        return v;
    return nest_op(g, wide ? IR_F64X2_CONVERT_LOW_I32X4_S : IR_F32X4_CONVERT_I32X4_S, v, NULL);
}

static struct ir_value *mask(struct gen *g, struct scope *s) {
    static const enum ir_op compare[] = {IR_I8X16_GT_S, IR_I16X8_LT_U, IR_I32X4_NE, IR_I32X4_GE_S, IR_I64X2_LT_S};
    struct ir_value *x = nest_vector_datum(g, s);
    if (nest_chance(g, 5))
        return x; /* no mask of lanes */
    x = nest_op(g, compare[nest_below(g, 5)], x, nest_vector_datum(g, s));
    return nest_chance(g, 20) ? nest_op(g, IR_V128_NOT, x, NULL) : x;
}

static struct ir_value *select_bits(struct gen *g, struct ir_value *yes, struct ir_value *no, struct ir_value *where) {
    struct ir_value *operands[3] = {yes, no, where};
    static const enum ir_type type = IR_V128;
    nest_stamp(g);
    return ir_build(&g->b, IR_V128_BITSELECT, &type, 1, operands, 3)->results;
}

static struct ir_value *next_op(struct gen *g, struct scope *s, uint32_t variant, struct ir_value *acc) {
    static const enum ir_op ops[] = {
        IR_I8X16_ADD, IR_I8X16_SUB, IR_I8X16_MIN_S, IR_I8X16_MIN_U, IR_I8X16_MAX_S, IR_I8X16_MAX_U, IR_I16X8_ADD,
        IR_I16X8_SUB, IR_I16X8_MUL, IR_I16X8_MIN_S, IR_I16X8_MIN_U, IR_I16X8_MAX_S, IR_I16X8_MAX_U, IR_I32X4_ADD,
        IR_I32X4_SUB, IR_I32X4_MUL, IR_I32X4_MIN_S, IR_I32X4_MIN_U, IR_I32X4_MAX_S, IR_I32X4_MAX_U, IR_I64X2_ADD,
        IR_I64X2_SUB, IR_I64X2_MUL, IR_V128_AND,    IR_V128_OR,     IR_V128_XOR,    IR_V128_ANDNOT, IR_F32X4_MIN,
        IR_F32X4_MAX, IR_F64X2_MIN, IR_F64X2_MAX,   IR_F32X4_ADD};
    uint32_t times = nest_chance(g, 30) ? 2 : 1;
    enum ir_op o = ops[variant % (sizeof ops / sizeof ops[0])];
    for (uint32_t k = 0; k < times; k++) {
        if (nest_chance(g, 2))
            o = ops[nest_below(g, sizeof ops / sizeof ops[0])]; /* another one: no reduction */
        bool is_f64 = o == IR_F64X2_MIN || o == IR_F64X2_MAX;
        bool is_float = is_f64 || o == IR_F32X4_MIN || o == IR_F32X4_MAX || o == IR_F32X4_ADD;
        bool ordered =
            o == IR_I8X16_SUB || o == IR_I16X8_SUB || o == IR_I32X4_SUB || o == IR_I64X2_SUB || o == IR_V128_ANDNOT;
        struct ir_value *v = is_float ? float_datum(g, s, is_f64) : nest_vector_datum(g, s), *before = acc;
        bool right = nest_chance(g, ordered ? 3 : 30);
        acc = right ? nest_op(g, o, v, acc) : nest_op(g, o, acc, v);
        if (nest_chance(g, 30))
            acc = select_bits(g, acc, before, mask(g, s));
    }
    return acc;
}

static void next_last(struct gen *g, struct scope *s, bool payload, struct ir_value **cur, struct ir_value **next) {
    uint32_t times = nest_chance(g, 30) ? 2 : 1;
    next[0] = cur[0];
    next[1] = payload ? cur[1] : NULL;
    for (uint32_t k = 0; k < times; k++) {
        struct ir_value *m = mask(g, s), *v = nest_vector_datum(g, s);
        next[0] = nest_chance(g, 70) ? select_bits(g, v, next[0], m) : select_bits(g, next[0], v, m);
        if (payload)
            next[1] = select_bits(g, nest_vector_datum(g, s), next[1], nest_chance(g, 80) ? m : mask(g, s));
    }
}

static void next_pick(struct gen *g, struct scope *s, uint32_t variant, bool payload, struct ir_value **cur,
                      struct ir_value **next) {
    static const enum ir_op ops[] = {IR_I8X16_LT_S, IR_I8X16_GE_U, IR_I16X8_GT_S, IR_I16X8_LE_U, IR_I32X4_LT_S,
                                     IR_I32X4_GT_U, IR_I64X2_LT_S, IR_I64X2_GE_S, IR_F32X4_LT,   IR_F32X4_GE,
                                     IR_F64X2_GT,   IR_F64X2_LE,   IR_F32X4_GT,   IR_F32X4_LE,   IR_F64X2_LT};
    static const enum ir_op extremes[] = {IR_F32X4_PMIN, IR_F32X4_PMAX, IR_F64X2_PMIN, IR_F64X2_PMAX};
    bool by_itself = !payload && (variant >> 7 & 3) == 0;
    enum ir_op o = by_itself ? extremes[variant % 4] : ops[variant % (sizeof ops / sizeof ops[0])];
    bool swapped = variant >> 9 & 1, inverted = variant >> 10 & 1, filtered = (variant >> 11 & 3) == 0;
    bool is_f64 = o >= IR_F64X2_EQ && o <= IR_F64X2_PMAX, is_f32 = o >= IR_F32X4_EQ && o <= IR_F32X4_PMAX;
    uint32_t times = nest_chance(g, 40) ? 1 + nest_below(g, 3) : 1;
    next[0] = cur[0];
    next[1] = payload ? cur[1] : NULL;
    for (uint32_t k = 0; k < times; k++) {
        struct ir_value *v = is_f32 || is_f64 ? float_datum(g, s, is_f64) : nest_vector_datum(g, s), *key = next[0];
        if (by_itself) {
            next[0] = swapped ? nest_op(g, o, v, key) : nest_op(g, o, key, v);
            continue;
        }
        if (nest_chance(g, 2)) /* not what is kept */
            key = cur[0];
        struct ir_value *m = swapped ? nest_op(g, o, key, v) : nest_op(g, o, v, key);
        if (filtered)
            m = nest_op(g, IR_V128_AND, m, mask(g, s));
        struct ir_value *index = nest_vector_datum(g, s);
        next[0] = inverted ? select_bits(g, next[0], v, m) : select_bits(g, v, next[0], m);
        if (payload)
            next[1] = inverted ? select_bits(g, next[1], index, m) : select_bits(g, index, next[1], m);
    }
}

void nest_vector_next(struct gen *g, struct scope *s, const struct nest_reduced *x, struct ir_value **cur,
                      struct ir_value **next) {
    if (x->shape == SHAPE_OP)
        next[0] = next_op(g, s, x->variant, cur[0]);
    else if (x->shape == SHAPE_LAST)
        next_last(g, s, x->payload, cur, next);
    else
        next_pick(g, s, x->variant, x->payload, cur, next);
}

struct ir_value *nest_vector_result(struct gen *g, struct ir_value *v) {
    static const enum ir_type type = IR_I32;
    /* a NaN's payload is nobody's business, whichever lanes it may be taken for */
    static const union ir_bits shift = {.u32x4 = {0x3f800000, 0x3f800000, 0x3f800000, 0x3f800000}};
    struct ir_value *f64 = nest_op(g, IR_F64X2_EQ, v, v), *f32 = nest_op(g, IR_F32X4_EQ, v, v);
    nest_stamp(g);
    struct ir_value *ones = ir_build_const(&g->b, IR_V128, shift);
    v = select_bits(g, select_bits(g, v, ones, f32), ones, f64);
    struct ir_value *sum = NULL;
    for (uint8_t k = 0; k < 4; k++) {
        nest_stamp(g);
        struct ir_inst *lane = ir_build(&g->b, IR_I32X4_EXTRACT_LANE, &type, 1, &v, 1);
        lane->bits.v128[0] = k;
        sum = sum ? nest_op(g, IR_I32_ADD, nest_op(g, IR_I32_MUL, sum, nest_i32(g, 31)), lane->results) : lane->results;
    }
    return sum;
}
