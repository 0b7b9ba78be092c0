/* Operations that move or mask the bits of v128 values: rules of legalize_v128_ops.def.  They take whatever shape the
 * operands have when that does, so that floats stay floats and bytes bytes. */
#include "ir/offload/legalize_v128.h"

static struct ir_value *lane(struct rebuild *r, const struct ir_inst *i, unsigned operand, enum lane_shape s,
                             unsigned k) {
    return lanes_get(r, i->operands[operand], s, k);
}

static enum lane_shape integer_shape(unsigned bytes) {
    return bytes == 1 ? LANES_BX : bytes == 2 ? LANES_HX : bytes == 4 ? LANES_W : LANES_L;
}

/* The widest lanes of at most `most` bytes that none of the v128 operands has to be taken apart for; words when there
 * are none. */
static enum lane_shape common_shape(const struct rebuild *r, const struct ir_inst *i, unsigned most) {
    for (unsigned bytes = most; bytes; bytes /= 2) {
        bool all = true, any = false;
        for (uint32_t k = 0; k < i->noperands; k++) {
            all &= lanes_has(r, i->operands[k], integer_shape(bytes));
            any |= !lanes_const(r, i->operands[k]);
        }
        if (all && any)
            return integer_shape(bytes);
    }
    return LANES_W;
}

/* ---- lanes by number ---- */

void lanes_extract(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    rebuild_set(r, i, lane(r, i, 0, row->in, i->bits.v128[0]), NULL);
}

/* One lane of four bytes' worth replaced.  A narrow one stays a part of its word unless the others are apart already.
 */
void lanes_replace(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX], *v = rebuild_lo(r, i, 1);
    unsigned at = i->bits.v128[0], bytes = lanes_bytes(row->out);
    if (bytes >= 4 || lanes_has(r, i->operands[0], row->out)) {
        for (unsigned k = 0; k < lanes_count(row->out); k++)
            out[k] = k == at ? v : lane(r, i, 0, row->in, k);
        lanes_set(r, &i->results[0], row->out, out);
        return;
    }
    uint32_t mask = bytes == 1 ? 0xff : 0xffff, shift = at * bytes % 4 * 8;
    for (unsigned k = 0; k < 4; k++)
        out[k] = lane(r, i, 0, LANES_W, k);
    struct ir_value *rest = rebuild_opi(r, IR_I32_AND, out[at * bytes / 4], ~(mask << shift));
    v = rebuild_opi(r, IR_I32_SHL, rebuild_opi(r, IR_I32_AND, v, mask), shift);
    out[at * bytes / 4] = rebuild_op(r, IR_I32_OR, rest, v);
    lanes_set(r, &i->results[0], LANES_W, out);
}

void lanes_splat(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++)
        out[k] = rebuild_lo(r, i, 0);
    lanes_set(r, &i->results[0], row->out, out);
}

/* Whether the shuffle moves whole groups of `bytes` bytes. */
static bool moves_groups(const union ir_bits *lanes, unsigned bytes) {
    for (unsigned k = 0; k < 16; k++)
        if (k % bytes ? lanes->v128[k] != lanes->v128[k - 1] + 1 : lanes->v128[k] % bytes != 0)
            return false;
    return true;
}

static void shuffle(struct rebuild *r, struct ir_inst *i, const union ir_bits *lanes) {
    unsigned bytes = 8;
    while (!moves_groups(lanes, bytes))
        bytes /= 2;
    bool wide = bytes == 8 && lanes_has(r, i->operands[0], LANES_L) && lanes_has(r, i->operands[1], LANES_L);
    bytes = bytes == 8 && !wide ? 4 : bytes;
    enum lane_shape s = integer_shape(bytes), from[2];
    for (unsigned n = 0; n < 2; n++)
        from[n] = lanes_natural(r, i->operands[n]);
    if ((s == LANES_W && from[0] == LANES_F && from[1] == LANES_F) ||
        (s == LANES_L && from[0] == LANES_D && from[1] == LANES_D))
        s = from[0];
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(s); k++) {
        unsigned at = lanes->v128[k * bytes];
        out[k] = lane(r, i, at / 16, s, at % 16 / bytes);
    }
    lanes_set(r, &i->results[0], s, out);
}

void lanes_shuffle(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    (void)row;
    shuffle(r, i, &i->bits);
}

/* Bytes by number, 0 for numbers from A on; numbers count modulo 16. */
void lanes_swizzle(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX], *words[4];
    for (unsigned k = 0; k < 4; k++)
        words[k] = lane(r, i, 0, LANES_W, k);
    const union ir_bits *fixed = lanes_const(r, i->operands[1]);
    for (unsigned k = 0; k < 16; k++) {
        if (fixed) {
            out[k] =
                fixed->u8x16[k] < (uint32_t)row->a ? lane(r, i, 0, LANES_BX, fixed->u8x16[k] % 16) : rebuild_i32(r, 0);
            continue;
        }
        struct ir_value *at = lane(r, i, 1, LANES_BU, k);
        struct ir_value *odd = rebuild_opi(r, IR_I32_AND, at, 4), *high = rebuild_opi(r, IR_I32_AND, at, 8);
        struct ir_value *w = rebuild_select(r, high, rebuild_select(r, odd, words[3], words[2]),
                                            rebuild_select(r, odd, words[1], words[0]));
        struct ir_value *shift = rebuild_opi(r, IR_I32_SHL, rebuild_opi(r, IR_I32_AND, at, 3), 3);
        w = rebuild_op(r, IR_I32_SHR_U, w, shift);
        out[k] = rebuild_select(r, rebuild_opi(r, IR_I32_LT_U, at, (uint32_t)row->a), w, rebuild_i32(r, 0));
    }
    lanes_set(r, &i->results[0], LANES_BX, out);
}

/* ---- bits ---- */

static enum ir_op wide_op(enum ir_op op) {
    return op == IR_I32_AND ? IR_I64_AND : op == IR_I32_OR ? IR_I64_OR : IR_I64_XOR;
}

static struct ir_value *bitwise(struct rebuild *r, enum lane_shape s, enum ir_op op, struct ir_value *x,
                                struct ir_value *y) {
    return rebuild_op(r, s == LANES_L ? wide_op(op) : op, x, y);
}

static struct ir_value *all_ones(struct rebuild *r, enum lane_shape s) {
    return s == LANES_L ? rebuild_i64(r, UINT64_MAX) : rebuild_i32(r, UINT32_MAX);
}

void lanes_bitwise(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    enum lane_shape s = common_shape(r, i, 8);
    struct ir_value *out[LANES_MAX], *truth[LANES_MAX];
    bool masks = true;
    for (unsigned k = 0; k < lanes_count(s); k++) {
        struct ir_value *x = lanes_truth(r, i->operands[0], s, k), *y = lanes_truth(r, i->operands[1], s, k);
        masks &= x && y;
        truth[k] = masks ? rebuild_op(r, row->op, x, y) : NULL;
        out[k] = bitwise(r, s, row->op, lane(r, i, 0, s, k), lane(r, i, 1, s, k));
    }
    lanes_set(r, &i->results[0], s, out);
    if (masks)
        lanes_set_truth(r, &i->results[0], s, truth);
}

void lanes_not(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    (void)row;
    enum lane_shape s = common_shape(r, i, 8);
    struct ir_value *out[LANES_MAX], *truth[LANES_MAX];
    bool masks = true;
    for (unsigned k = 0; k < lanes_count(s); k++) {
        struct ir_value *x = lanes_truth(r, i->operands[0], s, k);
        masks &= x != NULL;
        truth[k] = masks ? rebuild_op(r, IR_I32_EQZ, x, NULL) : NULL;
        out[k] = bitwise(r, s, IR_I32_XOR, lane(r, i, 0, s, k), all_ones(r, s));
    }
    lanes_set(r, &i->results[0], s, out);
    if (masks)
        lanes_set_truth(r, &i->results[0], s, truth);
}

void lanes_andnot(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    (void)row;
    enum lane_shape s = common_shape(r, i, 8);
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(s); k++)
        out[k] = bitwise(r, s, IR_I32_AND, lane(r, i, 0, s, k),
                         bitwise(r, s, IR_I32_XOR, lane(r, i, 1, s, k), all_ones(r, s)));
    lanes_set(r, &i->results[0], s, out);
}

/* The shape to choose lanes in, as wide as `s`: that of floats where they are to stay floats. */
static enum lane_shape chosen_shape(const struct rebuild *r, const struct ir_inst *i, enum lane_shape s) {
    enum lane_shape a = lanes_natural(r, i->operands[0]), b = lanes_natural(r, i->operands[1]);
    bool is_a = !lanes_const(r, i->operands[0]), is_b = !lanes_const(r, i->operands[1]);
    enum lane_shape f = s == LANES_L ? LANES_D : LANES_F;
    bool floats = (s == LANES_W || s == LANES_L) && (is_a || is_b) && (!is_a || a == f) && (!is_b || b == f);
    return floats && lanes_of_memory(r) ? f : s;
}

/* Where the mask is a comparison's, a choice between lanes. */
void lanes_bitselect(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    (void)row;
    struct ir_value *out[LANES_MAX];
    enum lane_shape s =
        lanes_const(r, i->operands[2]) ? LANES_W : integer_shape(lanes_bytes(lanes_natural(r, i->operands[2])));
    if (lanes_truth(r, i->operands[2], s, 0)) {
        s = chosen_shape(r, i, s);
        for (unsigned k = 0; k < lanes_count(s); k++)
            out[k] = rebuild_select(r, lanes_truth(r, i->operands[2], s, k), lane(r, i, 0, s, k), lane(r, i, 1, s, k));
        lanes_set(r, &i->results[0], s, out);
        return;
    }
    s = common_shape(r, i, 8);
    for (unsigned k = 0; k < lanes_count(s); k++) {
        struct ir_value *x = lane(r, i, 0, s, k), *y = lane(r, i, 1, s, k), *mask = lane(r, i, 2, s, k);
        out[k] = bitwise(r, s, IR_I32_XOR, y, bitwise(r, s, IR_I32_AND, bitwise(r, s, IR_I32_XOR, x, y), mask));
    }
    lanes_set(r, &i->results[0], s, out);
}

/* By the top bit of each lane of operand 2, of shape IN. */
void lanes_laneselect(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *out[LANES_MAX];
    for (unsigned k = 0; k < lanes_count(row->out); k++) {
        struct ir_value *mask = lane(r, i, 2, row->in, k);
        struct ir_value *negative =
            row->in == LANES_L ? rebuild_op64i(r, IR_I64_LT_S, mask, 0) : rebuild_opi(r, IR_I32_LT_S, mask, 0);
        out[k] = rebuild_select(r, negative, lane(r, i, 0, row->out, k), lane(r, i, 1, row->out, k));
    }
    lanes_set(r, &i->results[0], row->out, out);
}

/* ---- all lanes to one i32 ---- */

void lanes_any_true(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    (void)row;
    struct ir_value *any = lane(r, i, 0, LANES_W, 0);
    for (unsigned k = 1; k < 4; k++)
        any = rebuild_op(r, IR_I32_OR, any, lane(r, i, 0, LANES_W, k));
    rebuild_set(r, i, rebuild_opi(r, IR_I32_NE, any, 0), NULL);
}

void lanes_all_true(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *all = NULL;
    for (unsigned k = 0; k < lanes_count(row->in); k++) {
        struct ir_value *x = lane(r, i, 0, row->in, k);
        x = row->in == LANES_L ? rebuild_op64i(r, IR_I64_NE, x, 0) : rebuild_opi(r, IR_I32_NE, x, 0);
        all = all ? rebuild_op(r, IR_I32_AND, all, x) : x;
    }
    rebuild_set(r, i, all, NULL);
}

void lanes_bitmask(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row) {
    struct ir_value *bits = NULL;
    for (unsigned k = 0; k < lanes_count(row->in); k++) {
        struct ir_value *x = lane(r, i, 0, row->in, k);
        x = row->in == LANES_L ? rebuild_op(r, IR_I32_WRAP_I64, rebuild_op64i(r, IR_I64_SHR_U, x, 63), NULL)
                               : rebuild_opi(r, IR_I32_SHR_U, x, 31);
        x = k ? rebuild_opi(r, IR_I32_SHL, x, k) : x;
        bits = bits ? rebuild_op(r, IR_I32_OR, bits, x) : x;
    }
    rebuild_set(r, i, bits, NULL);
}
