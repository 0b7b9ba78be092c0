/* The trap conditions of wasm's operations (specification, 4.3.2 and 4.3.3): division by zero, the one quotient that
 * does not fit, and conversions of NaN and of what is out of range when truncated.
 *
 * Conversions: in range is  low REL x  and  x < high,  both bounds exact in the type of x.  Where low - 1 is exact too,
 * the relation is "low - 1 < x"; where it is not, no float lies between low - 1 and low, and "low <= x" says the same.
 */
#include "ir/offload/inspect_traps.h"

#include "ir/ir_effects.h"
#include "ir/util/ice.h"

struct conversion {
    double low, high;
    enum ir_op op;
    bool low_inside; /* `low` itself is in range */
};

static const struct conversion conversions[] = {
    {-0x1p31, 0x1p31, IR_I32_TRUNC_F32_S, true},      {-1, 0x1p32, IR_I32_TRUNC_F32_U, false},
    {-0x1p31 - 1, 0x1p31, IR_I32_TRUNC_F64_S, false}, {-1, 0x1p32, IR_I32_TRUNC_F64_U, false},
    {-0x1p63, 0x1p63, IR_I64_TRUNC_F32_S, true},      {-1, 0x1p64, IR_I64_TRUNC_F32_U, false},
    {-0x1p63, 0x1p63, IR_I64_TRUNC_F64_S, true},      {-1, 0x1p64, IR_I64_TRUNC_F64_U, false},
};

static struct ir_value *float_const(struct rebuild *r, enum ir_type type, double v) {
    union ir_bits bits = {.u64x2 = {0, 0}};
    if (type == IR_F32)
        bits.f32 = (float)v;
    else
        bits.f64 = v;
    return ir_build_const(&r->b, type, bits);
}

static struct ir_value *conversion_traps(struct rebuild *r, const struct ir_inst *i) {
    const struct conversion *c = conversions;
    for (; c->op != i->op; c++)
        ICE_UNLESS(c + 1 < conversions + sizeof conversions / sizeof conversions[0]);
    struct ir_value *x = rebuild_lo(r, i, 0);
    bool wide = x->type == IR_F64;
    enum ir_op above = c->low_inside ? (wide ? IR_F64_GE : IR_F32_GE) : wide ? IR_F64_GT : IR_F32_GT;
    struct ir_value *ok = rebuild_op(r, above, x, float_const(r, x->type, c->low));
    struct ir_value *below = rebuild_op(r, wide ? IR_F64_LT : IR_F32_LT, x, float_const(r, x->type, c->high));
    return rebuild_op(r, IR_I32_EQZ, rebuild_op(r, IR_I32_AND, ok, below), NULL);
}

static struct ir_value *division_traps(struct rebuild *r, const struct ir_inst *i, bool overflows) {
    struct ir_value *x = rebuild_lo(r, i, 0), *y = rebuild_lo(r, i, 1);
    bool wide = y->type == IR_I64;
    struct ir_value *zero = rebuild_op(r, wide ? IR_I64_EQZ : IR_I32_EQZ, y, NULL);
    if (!overflows)
        return zero;
    struct ir_value *least = wide ? rebuild_i64(r, UINT64_C(1) << 63) : rebuild_i32(r, UINT32_C(1) << 31);
    struct ir_value *minus_one = wide ? rebuild_i64(r, UINT64_MAX) : rebuild_i32(r, UINT32_MAX);
    enum ir_op equal = wide ? IR_I64_EQ : IR_I32_EQ;
    struct ir_value *both =
        rebuild_op(r, IR_I32_AND, rebuild_op(r, equal, x, least), rebuild_op(r, equal, y, minus_one));
    return rebuild_op(r, IR_I32_OR, zero, both);
}

struct ir_value *inspect_traps(struct rebuild *r, const struct ir_inst *i) {
    switch (i->op) {
    case IR_I32_DIV_S:
    case IR_I64_DIV_S:
        return division_traps(r, i, true);
    case IR_I32_DIV_U:
    case IR_I32_REM_S:
    case IR_I32_REM_U:
    case IR_I64_DIV_U:
    case IR_I64_REM_S:
    case IR_I64_REM_U:
        return division_traps(r, i, false);
    default:
        return conversion_traps(r, i);
    }
}
