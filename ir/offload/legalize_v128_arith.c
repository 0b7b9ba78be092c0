/* Arithmetic of v128 lanes: rules of legalize_v128_ops.def.  Each builds the lanes of its result from those of its
 * operands; narrow results are left in whatever form (X, U or S) they come, see lanes.h. */
#include "ir/offload/legalize_v128.h"
#include "ir/util/ice.h"

static struct ir_value *lane(struct rebuild *r, const struct ir_inst *i, unsigned operand, enum lane_shape s,
                             unsigned k) {
    return lanes_get(r, i->operands[operand], s, k);
}

static struct ir_value *op(struct rebuild *r, enum ir_op op, struct ir_value *x, struct ir_value *y) {
    return rebuild_op(r, op, x, y);
}

static struct ir_value *clamp(struct rebuild *r, struct ir_value *v, int32_t least, int32_t most) {
    struct ir_value *lo = rebuild_i32(r, (uint32_t)least), *hi = rebuild_i32(r, (uint32_t)most);
    v = rebuild_select(r, op(r, IR_I32_LT_S, v, lo), lo, v);
    return rebuild_select(r, op(r, IR_I32_GT_S, v, hi), hi, v);
}

static struct ir_value *zero_of(struct rebuild *r, enum lane_shape s) {
    return ir_build_const(&r->b, lanes_type(s), (union ir_bits){.i64 = 0});
}

static void set(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row, struct ir_value *const *out) {
    lanes_set(r, &i->results[0], row->out, out);
}

void lanes_unary(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = op(r, row->op, lane(r, i, 0, row->in, k), NULL);
    set(r, i, row, out);
}

void lanes_binary(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = op(r, row->op, lane(r, i, 0, row->in, k), lane(r, i, 1, row->in, k));
    set(r, i, row, out);
}

/* A conversion between lanes of 32 and 64 bits: as many as there are on both sides, the rest is 0. */
void lanes_convert(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = k < lanes_count(row->in) ? op(r, row->op, lane(r, i, 0, row->in, k), NULL) : zero_of(r, row->out);
    set(r, i, row, out);
}

/* 0 or all ones. */
void lanes_compare(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX], *truth[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++) {
        truth[k] = op(r, row->op, lane(r, i, 0, row->in, k), lane(r, i, 1, row->in, k));
        out[k] = row->out == LANES_L ? op(r, IR_I64_SUB, rebuild_i64(r, 0), op(r, IR_I64_EXTEND_I32_U, truth[k], NULL))
                                     : op(r, IR_I32_SUB, rebuild_i32(r, 0), truth[k]);
    }
    set(r, i, row, out);
    lanes_set_truth(r, &i->results[0], row->out, truth);
}

/* x OP y ? x : y, compared in the input's shape and chosen in the output's, so that floats stay the bits they are. */
static void choose(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row, unsigned x, unsigned y) {
    struct ir_value *out[LANES_MAX];
    bool is_float = row->in == LANES_F || row->in == LANES_D;
    enum lane_shape s = is_float && lanes_of_memory(r) ? row->in : row->out;
    for (unsigned k = 0; k < lanes_count(s); k++)
        out[k] = rebuild_select(r, op(r, row->op, lane(r, i, x, row->in, k), lane(r, i, y, row->in, k)),
                                lane(r, i, x, s, k), lane(r, i, y, s, k));
    lanes_set(r, &i->results[0], s, out);
}

void lanes_choose(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    choose(r, i, row, 0, 1);
}

void lanes_choose_second(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    choose(r, i, row, 1, 0);
}

/* By a scalar, masked with A. */
void lanes_shift(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX], *n = rebuild_opi(r, IR_I32_AND, rebuild_lo(r, i, 1), (uint32_t)row->a);
    if (row->in == LANES_L)
        n = op(r, IR_I64_EXTEND_I32_U, n, NULL);
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = op(r, row->op, lane(r, i, 0, row->in, k), n);
    set(r, i, row, out);
}

void lanes_negate(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = op(r, row->op, zero_of(r, row->in), lane(r, i, 0, row->in, k));
    set(r, i, row, out);
}

void lanes_abs(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++) {
        struct ir_value *x = lane(r, i, 0, row->in, k), *zero = zero_of(r, row->in);
        struct ir_value *negative = op(r, row->in == LANES_L ? IR_I64_LT_S : IR_I32_LT_S, x, zero);
        out[k] = rebuild_select(r, negative, op(r, row->op, zero, x), x);
    }
    set(r, i, row, out);
}

/* x OP y clamped to A .. B. */
void lanes_saturate(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = clamp(r, op(r, row->op, lane(r, i, 0, row->in, k), lane(r, i, 1, row->in, k)), row->a, row->b);
    set(r, i, row, out);
}

/* Both operands' lanes, clamped to A .. B. */
void lanes_narrow(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    unsigned n = lanes_count(row->in);
    for (unsigned k = 0; k < 2 * n; k++)
        out[k] = clamp(r, lane(r, i, k / n, row->in, k % n), row->a, row->b);
    set(r, i, row, out);
}

void lanes_average(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++) {
        struct ir_value *sum = op(r, IR_I32_ADD, lane(r, i, 0, row->in, k), lane(r, i, 1, row->in, k));
        out[k] = rebuild_opi(r, IR_I32_SHR_U, rebuild_opi(r, IR_I32_ADD, sum, 1), 1);
    }
    set(r, i, row, out);
}

/* (x * y + 0x4000) >> 15; clamped, or with A cut to 16 bits.  Only -32768 squared needs it. */
void lanes_q15(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++) {
        struct ir_value *v = op(r, IR_I32_MUL, lane(r, i, 0, row->in, k), lane(r, i, 1, row->in, k));
        v = rebuild_opi(r, IR_I32_SHR_S, rebuild_opi(r, IR_I32_ADD, v, 0x4000), 15);
        out[k] = row->a ? v : clamp(r, v, -32768, 32767);
    }
    set(r, i, row, out);
}

static struct ir_value *widened(struct rebuild *r, const struct ir_inst *i, unsigned operand,
                                const struct lanes_row *row, unsigned k) {
    struct ir_value *v = lane(r, i, operand, row->in, (unsigned)row->a + k);
    return row->out == LANES_L ? op(r, row->op, v, NULL) : v;
}

/* Lanes from number A on, as lanes of twice the width. */
void lanes_extend(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = widened(r, i, 0, row, k);
    set(r, i, row, out);
}

void lanes_extmul(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] =
            op(r, row->out == LANES_L ? IR_I64_MUL : IR_I32_MUL, widened(r, i, 0, row, k), widened(r, i, 1, row, k));
    set(r, i, row, out);
}

void lanes_pairwise(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = op(r, IR_I32_ADD, lane(r, i, 0, row->in, 2 * k), lane(r, i, 0, row->in, 2 * k + 1));
    set(r, i, row, out);
}

void lanes_dot(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++) {
        struct ir_value *a = op(r, IR_I32_MUL, lane(r, i, 0, row->in, 2 * k), lane(r, i, 1, row->in, 2 * k));
        struct ir_value *b = op(r, IR_I32_MUL, lane(r, i, 0, row->in, 2 * k + 1), lane(r, i, 1, row->in, 2 * k + 1));
        out[k] = op(r, IR_I32_ADD, a, b);
    }
    set(r, i, row, out);
}

/* ---- relaxed SIMD, with our choices (ir_ops.def) ---- */

/* Signed bytes times unsigned ones, pairs added and clamped. */
static struct ir_value *dot_i7(struct rebuild *r, const struct ir_inst *i, unsigned k) {
    struct ir_value *a = op(r, IR_I32_MUL, lane(r, i, 0, LANES_BS, 2 * k), lane(r, i, 1, LANES_BU, 2 * k));
    struct ir_value *b = op(r, IR_I32_MUL, lane(r, i, 0, LANES_BS, 2 * k + 1), lane(r, i, 1, LANES_BU, 2 * k + 1));
    return clamp(r, op(r, IR_I32_ADD, a, b), INT16_MIN, INT16_MAX);
}

void lanes_dot_i7(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = dot_i7(r, i, k);
    set(r, i, row, out);
}

void lanes_dot_i7_add(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++) {
        struct ir_value *pair = op(r, IR_I32_ADD, dot_i7(r, i, 2 * k), dot_i7(r, i, 2 * k + 1));
        out[k] = op(r, IR_I32_ADD, pair, lane(r, i, 2, LANES_W, k));
    }
    set(r, i, row, out);
}

/* The least integer for what does not fit: saturation gives another value only from 2^31 on and for NaN. */
void lanes_trunc_or_least(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    bool is_double = row->in == LANES_D;
    union ir_bits limit = {0};
    if (is_double)
        limit.f64 = 2147483648.0;
    else
        limit.f32 = 2147483648.0f;
    for (unsigned k = 0; k < lanes_count(row->out); k++) {
        if (k >= lanes_count(row->in)) {
            out[k] = rebuild_i32(r, 0);
            continue;
        }
        struct ir_value *x = lane(r, i, 0, row->in, k);
        struct ir_value *fits =
            op(r, is_double ? IR_F64_LT : IR_F32_LT, x, ir_build_const(&r->b, lanes_type(row->in), limit));
        out[k] = rebuild_select(r, fits, op(r, row->op, x, NULL), rebuild_i32(r, 0x80000000));
    }
    set(r, i, row, out);
}

/* legalize_check refuses it. */
void lanes_fused(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    (void)r;
    (void)row;
    ICE("%s in a kernel for a GPU", ir_info(i)->text);
}
