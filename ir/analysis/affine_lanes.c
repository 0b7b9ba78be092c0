/* Lanes of integer vectors as polynomials.  Vectorised loops scatter and gather through addresses that they compute in
 * a vector and take out lane by lane:
 *
 *     loop (%v = <0 1 2 3>) {
 *       %a = i32x4.add (i32x4.shl %v, 3), (i32x4.splat %p)
 *       f32.store (i32x4.extract_lane 2 %a), ...                    %p + 8 * (2 + 4 * iteration)
 *       br_if loop(i32x4.add %v, <4 4 4 4>)
 *     }
 *
 * Nothing is remembered here: the lane that was asked for is, as any value. */
#include "ir/analysis/affine_internal.h"

enum { MAX_LANE_DEPTH = 16 };

struct lane {
    unsigned bytes, number; /* 4 or 8 bytes */
};

static const struct aff *lane_of(struct aff_ctx *cx, struct ir_value *v, struct lane at, unsigned depth);

static bool holds(enum ir_op op, unsigned bytes, enum ir_op narrow, enum ir_op wide) {
    return op == (bytes == 4 ? narrow : wide);
}

/* The lower half of a lane of 8 bytes; NULL: an upper half was asked for, or nothing is known. */
static const struct aff *low_half(struct aff_ctx *cx, struct ir_value *v, struct lane at, unsigned depth) {
    return at.number % 2 ? NULL : aff_truncated(cx, lane_of(cx, v, (struct lane){8, at.number / 2}, depth));
}

/* Operations on lanes of 8 bytes that polynomials know. */
static bool is_wide(enum ir_op op) {
    return op == IR_I64X2_SPLAT || op == IR_I64X2_REPLACE_LANE || op == IR_I64X2_ADD || op == IR_I64X2_SUB ||
           op == IR_I64X2_MUL || op == IR_I64X2_SHL;
}

/* init + iteration * step, for a parameter to which the same is added in each iteration. */
static const struct aff *lane_of_param(struct aff_ctx *cx, struct ir_value *v, struct lane at, unsigned depth) {
    struct ir_inst *inst = v->region->parent;
    struct loop *l = inst && inst->op == IR_LOOP ? inst->note : NULL;
    if (!l || l->nback_edges != 1 || l->back->op == IR_BR_TABLE)
        return NULL;
    struct ir_inst *next = loop_next_value(l, v->index)->def;
    if (next && next->op == IR_I64X2_ADD && at.bytes == 4)
        return low_half(cx, v, at, depth);
    if (!next || !holds((enum ir_op)next->op, at.bytes, IR_I32X4_ADD, IR_I64X2_ADD))
        return NULL;
    unsigned other = next->operands[0] == v ? 1 : 0;
    if (next->operands[1 - other] != v || next->operands[other] == v)
        return NULL;
    const struct aff *init = lane_of(cx, inst->operands[v->index], at, depth);
    const struct aff *step = init ? lane_of(cx, next->operands[other], at, depth) : NULL;
    if (!step || !aff_fixed_in_loop(cx, step, l))
        return NULL;
    const struct aff *iter = aff_symbol_expr(cx, init->bits, (struct aff_sym){.kind = AFF_ITER, .loop = l});
    return aff_add(cx, init, aff_mul(cx, iter, step));
}

static const struct aff *lane_of_shuffle(struct aff_ctx *cx, struct ir_inst *d, struct lane at, unsigned depth) {
    const uint8_t *from = d->bits.v128 + at.number * at.bytes;
    for (unsigned k = 0; k < at.bytes; k++)
        if (from[k] != from[0] + k || from[0] % at.bytes)
            return NULL;
    struct lane source = {at.bytes, from[0] % 16 / at.bytes};
    return lane_of(cx, d->operands[from[0] / 16], source, depth);
}

static const struct aff *lane_of_op(struct aff_ctx *cx, struct ir_inst *d, struct lane at, unsigned depth) {
    bool narrow = at.bytes == 4;
    const struct aff *a, *b;
    uint64_t c;
    if (narrow && is_wide((enum ir_op)d->op))
        return low_half(cx, &d->results[0], at, depth);
    switch (d->op) {
    case IR_V128_CONST:
        return aff_const(cx, at.bytes * 8, narrow ? d->bits.u32x4[at.number] : d->bits.u64x2[at.number]);
    case IR_I8X16_SHUFFLE:
        return lane_of_shuffle(cx, d, at, depth);
    case IR_I32X4_SPLAT:
        return narrow ? aff_of(cx, d->operands[0]) : NULL;
    case IR_I64X2_SPLAT:
        return narrow ? NULL : aff_of(cx, d->operands[0]);
    case IR_I32X4_REPLACE_LANE:
    case IR_I64X2_REPLACE_LANE:
        if (narrow != (d->op == IR_I32X4_REPLACE_LANE))
            return NULL;
        return d->bits.v128[0] == at.number ? aff_of(cx, d->operands[1]) : lane_of(cx, d->operands[0], at, depth);
    case IR_I32X4_ADD:
    case IR_I64X2_ADD:
    case IR_I32X4_SUB:
    case IR_I64X2_SUB:
    case IR_I32X4_MUL:
    case IR_I64X2_MUL: {
        bool is_add = d->op == IR_I32X4_ADD || d->op == IR_I64X2_ADD;
        bool is_sub = d->op == IR_I32X4_SUB || d->op == IR_I64X2_SUB;
        if (narrow != (d->op == IR_I32X4_ADD || d->op == IR_I32X4_SUB || d->op == IR_I32X4_MUL))
            return NULL;
        a = lane_of(cx, d->operands[0], at, depth);
        b = a ? lane_of(cx, d->operands[1], at, depth) : NULL;
        return !b ? NULL : is_add ? aff_add(cx, a, b) : is_sub ? aff_sub(cx, a, b) : aff_mul(cx, a, b);
    }
    case IR_I32X4_SHL:
    case IR_I64X2_SHL:
        if (narrow != (d->op == IR_I32X4_SHL))
            return NULL;
        a = lane_of(cx, d->operands[0], at, depth);
        b = a ? aff_of(cx, d->operands[1]) : NULL;
        return b && aff_is_const(b, &c) ? aff_scale(cx, a, UINT64_C(1) << (c & (at.bytes * 8 - 1))) : NULL;
    case IR_V128_OR:
        a = lane_of(cx, d->operands[0], at, depth);
        b = a ? lane_of(cx, d->operands[1], at, depth) : NULL;
        return aff_is_const(b, &c) ? aff_disjoint_or(cx, a, c) : aff_is_const(a, &c) ? aff_disjoint_or(cx, b, c) : NULL;
    default:
        return NULL;
    }
}

static const struct aff *lane_of(struct aff_ctx *cx, struct ir_value *v, struct lane at, unsigned depth) {
    if (depth == MAX_LANE_DEPTH)
        return NULL;
    if (v->def)
        return lane_of_op(cx, v->def, at, depth + 1);
    return loop_contains_value(cx->root, v) ? lane_of_param(cx, v, at, depth + 1) : NULL;
}

const struct aff *aff_extracted_lane(struct aff_ctx *cx, struct ir_inst *extract) {
    unsigned bytes = extract->op == IR_I32X4_EXTRACT_LANE ? 4 : 8;
    return lane_of(cx, extract->operands[0], (struct lane){bytes, extract->bits.v128[0]}, 0);
}
