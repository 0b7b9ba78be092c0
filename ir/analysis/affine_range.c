/* Ranged values: no polynomial, but with a least and a greatest value that can be computed before the nest. */
#include "ir/analysis/affine_internal.h"

enum { NARROW_RANGE = 256 }; /* ranges of constants below this are taken as they are */

/* ---- ranged values ---- */

static bool same_value(const struct ir_value *a, const struct ir_value *b) {
    const union ir_bits *x = ir_const_of(a), *y = ir_const_of(b);
    return a == b || (x && y && a->type == b->type && x->i64 == y->i64);
}

/* `select(t, f, x < y)` and its relatives. */
static bool min_max_of(const struct ir_inst *select, enum off_range_op *out_op) {
    struct ir_inst *cmp = select->operands[2]->def;
    if (!cmp || cmp->noperands != 2)
        return false;
    bool less, is_signed;
    switch (cmp->op) {
    case IR_I32_LT_S:
    case IR_I32_LE_S:
        less = is_signed = true;
        break;
    case IR_I32_LT_U:
    case IR_I32_LE_U:
        less = true;
        is_signed = false;
        break;
    case IR_I32_GT_S:
    case IR_I32_GE_S:
        less = false;
        is_signed = true;
        break;
    case IR_I32_GT_U:
    case IR_I32_GE_U:
        less = is_signed = false;
        break;
    default:
        return false;
    }
    struct ir_value *x = cmp->operands[0], *y = cmp->operands[1];
    bool straight = same_value(select->operands[0], x) && same_value(select->operands[1], y);
    bool crossed = same_value(select->operands[0], y) && same_value(select->operands[1], x);
    if (!straight && !crossed)
        return false;
    bool is_min = less == straight;
    *out_op =
        is_min ? (is_signed ? OFF_RANGE_MIN_S : OFF_RANGE_MIN_U) : (is_signed ? OFF_RANGE_MAX_S : OFF_RANGE_MAX_U);
    return true;
}

/* Bits that may be set in an i32 value, as far as its computation shows within `depth` steps. */
static uint32_t possible_bits(const struct ir_value *v, unsigned depth) {
    const union ir_bits *c = ir_const_of(v);
    const struct ir_inst *d = v->def;
    if (c || !d || depth == 0)
        return c ? c->i32 : UINT32_MAX;
    const union ir_bits *by = d->noperands == 2 ? ir_const_of(d->operands[1]) : NULL;
    switch (d->op) {
    case IR_I32_LOAD8_U:
        return UINT8_MAX;
    case IR_I32_LOAD16_U:
        return UINT16_MAX;
    case IR_I32_AND:
        return possible_bits(d->operands[0], depth - 1) & possible_bits(d->operands[1], depth - 1);
    case IR_I32_OR:
    case IR_I32_XOR:
        return possible_bits(d->operands[0], depth - 1) | possible_bits(d->operands[1], depth - 1);
    case IR_I32_SHL:
        return by ? possible_bits(d->operands[0], depth - 1) << (by->i32 & 31) : UINT32_MAX;
    case IR_I32_SHR_U:
        return by ? possible_bits(d->operands[0], depth - 1) >> (by->i32 & 31) : UINT32_MAX;
    default:
        return aff_find_comparison(d->op) || d->op == IR_I32_EQZ || d->op == IR_I64_EQZ ? 1 : UINT32_MAX;
    }
}

static bool constant_range(struct ir_inst *d, int32_t *out_lo, int32_t *out_hi) {
    const union ir_bits *c = d->noperands == 2 ? ir_const_of(d->operands[1]) : NULL;
    *out_lo = 0;
    switch (d->op) {
    case IR_I32_LOAD8_U:
        *out_hi = UINT8_MAX;
        return true;
    case IR_I32_LOAD16_U:
        *out_hi = UINT16_MAX;
        return true;
    case IR_I32_LOAD8_S:
        *out_lo = INT8_MIN;
        *out_hi = INT8_MAX;
        return true;
    case IR_I32_LOAD16_S:
        *out_lo = INT16_MIN;
        *out_hi = INT16_MAX;
        return true;
    case IR_I32_AND:
        *out_hi = (int32_t)(possible_bits(d->operands[0], 6) & possible_bits(d->operands[1], 6));
        return *out_hi >= 0;
    case IR_I32_REM_U:
        *out_hi = c ? (int32_t)(c->i32 - 1) : -1;
        return c && c->i32 && *out_hi >= 0;
    case IR_I32_SHR_U:
        *out_hi = c ? (int32_t)(possible_bits(d->operands[0], 6) >> (c->i32 & 31)) : -1;
        return *out_hi >= 0;
    case IR_I32_OR:
    case IR_I32_XOR:
        *out_hi = (int32_t)(possible_bits(d->operands[0], 6) | possible_bits(d->operands[1], 6));
        return *out_hi >= 0;
    case IR_I32_CLZ:
    case IR_I32_CTZ:
    case IR_I32_POPCNT:
        *out_hi = 32;
        return true;
    default:
        *out_hi = 1;
        return aff_find_comparison(d->op) || d->op == IR_I32_EQZ || d->op == IR_I64_EQZ;
    }
}

/* The signed comparison of a select's condition as a restriction of its left operand; 0 when it is none. */
static uint8_t restriction_of(uint16_t op, bool negated, bool swapped) {
    static const struct {
        uint16_t op;
        uint8_t straight, negated, swapped, both;
    } table[] = {
        {IR_I32_LT_S, OFF_RANGE_LT_S, OFF_RANGE_GE_S, OFF_RANGE_GT_S, OFF_RANGE_LE_S},
        {IR_I32_LE_S, OFF_RANGE_LE_S, OFF_RANGE_GT_S, OFF_RANGE_GE_S, OFF_RANGE_LT_S},
        {IR_I32_GT_S, OFF_RANGE_GT_S, OFF_RANGE_LE_S, OFF_RANGE_LT_S, OFF_RANGE_GE_S},
        {IR_I32_GE_S, OFF_RANGE_GE_S, OFF_RANGE_LT_S, OFF_RANGE_LE_S, OFF_RANGE_GT_S},
    };
    for (uint32_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].op == op)
            return negated   ? (swapped ? table[i].both : table[i].negated)
                   : swapped ? table[i].swapped
                             : table[i].straight;
    return 0;
}

/* What side `v` of a select can be, given that `cmp` holds (or, negated, does not).  False when it has no range. */
static bool side_of(struct aff_ctx *cx, struct ir_value *v, const struct ir_inst *cmp, bool negated,
                    struct aff_side *out, bool *out_restricted) {
    *out = (struct aff_side){0};
    for (unsigned k = 0; k < 2; k++) { /* is it, or is it made of, one of the numbers compared? */
        struct ir_value *x = cmp->operands[k], *y = cmp->operands[1 - k];
        enum off_range_op op;
        if (ir_const_of(x))
            continue;
        if (same_value(v, x)) {
            out->value = aff_of(cx, v);
        } else if (v->def && v->def->op == IR_SELECT && min_max_of(v->def, &op)) {
            bool first = same_value(v->def->operands[0], x);
            if (!first && !same_value(v->def->operands[1], x))
                continue;
            out->value = aff_of(cx, x);
            out->limit = aff_of(cx, v->def->operands[first]);
            out->extremum = (uint8_t)op;
            if (!out->limit)
                return false;
        } else {
            continue;
        }
        out->restriction = restriction_of(cmp->op, negated, k == 1);
        out->bound = aff_of(cx, y);
        *out_restricted = true;
        return out->value && out->bound && out->restriction;
    }
    out->value = aff_of(cx, v);
    return out->value != NULL;
}

/* `x < w ? max(x, 0) : w - 1` and its relatives: each side is bounded by the comparison. */
static bool bounded_select(struct aff_ctx *cx, const struct ir_inst *select, struct aff_range *out) {
    const struct ir_inst *cmp = select->operands[2]->def;
    bool restricted = false;
    if (!cmp || !restriction_of(cmp->op, false, false))
        return false;
    out->op = OFF_RANGE_UNION;
    return side_of(cx, select->operands[0], cmp, false, &out->sides[0], &restricted) &&
           side_of(cx, select->operands[1], cmp, true, &out->sides[1], &restricted) && restricted;
}

/* What `br_if (v > -1), BLOCK(v)` passes to the end of the block: the test says more about it than its computation. */
static bool tested_on_the_way(struct aff_ctx *cx, const struct ir_inst *label, const struct ir_inst *from,
                              struct ir_value *v, struct aff_side *out) {
    const struct ir_inst *cmp = from->op == IR_BR_IF ? from->operands[0]->def : NULL;
    bool restricted = false;
    for (const struct ir_inst *i = from->parent->parent; i != label; i = i->parent->parent)
        if (i->op == IR_LOOP)
            return false;
    return cmp && restriction_of(cmp->op, false, false) && side_of(cx, v, cmp, false, out, &restricted) && restricted;
}

/* `x >> n` where x is a sum.  What that may be is found at launch, as long as it does not look like a hash. */
static bool shifted_range(struct aff_ctx *cx, struct ir_inst *d, struct aff_range *out) {
    const union ir_bits *by = d->op == IR_I32_SHR_S || d->op == IR_I32_SHR_U ? ir_const_of(d->operands[1]) : NULL;
    const struct aff *a = by && by->i32 & 31 ? aff_of(cx, d->operands[0]) : NULL;
    if (!a || !aff_counts_slowly(a))
        return false;
    out->op = d->op == IR_I32_SHR_S ? OFF_RANGE_SHIFT : OFF_RANGE_SHIFT_U;
    out->lo = (int32_t)(by->i32 & 31);
    out->a = a;
    return true;
}

bool aff_range_of(struct aff_ctx *cx, struct ir_value *v, struct aff_range *out) {
    struct ir_inst *d = v->def;
    enum off_range_op op;
    *out = (struct aff_range){.op = OFF_RANGE_CONST};
    if (!d || v->type != IR_I32)
        return false;
    if (aff_multiple_of(v)) {
        out->op = OFF_RANGE_SHIFT;
        out->lo = (int32_t)aff_multiple_of(v);
        out->a = aff_of(cx, d->operands[0]);
        return out->a != NULL;
    }
    if (d->op == IR_BLOCK || d->op == IR_IF) {
        const struct aff_edges *e = aff_edges_of(cx, d);
        if (e->too_many || e->n != 2)
            return false;
        out->op = OFF_RANGE_UNION;
        for (unsigned k = 0; k < 2; k++) {
            if (tested_on_the_way(cx, d, e->from[k], e->from[k]->operands[e->first[k] + v->index], &out->sides[k]))
                continue;
            out->sides[k] = (struct aff_side){
                .value = aff_passed_value(cx, e->from[k], e->from[k]->operands[e->first[k] + v->index], d)};
            if (!out->sides[k].value)
                return false;
        }
        return true;
    }
    if (d->op != IR_SELECT) {
        bool constant = constant_range(d, &out->lo, &out->hi);
        return (!constant || out->hi >= NARROW_RANGE) ? shifted_range(cx, d, out) || constant : true;
    }
    if (!min_max_of(d, &op))
        return bounded_select(cx, d, out);
    out->op = (uint8_t)op;
    out->a = aff_of(cx, d->operands[0]);
    out->b = out->a ? aff_of(cx, d->operands[1]) : NULL;
    return out->b != NULL;
}
