/* Float operations as integer operations on their bits; see legalize.h.
 *
 * What GPUs do with -0, NaN and subnormals in min, max, rounding and conversions differs between drivers and is mostly
 * not promised by the specifications (Vulkan 1.1, "Precision and Operation of SPIR-V Instructions"; WGSL 15.7 allows
 * implementations to ignore NaN).  Integer operations are exact everywhere.  Left to the device are add, sub, mul, div
 * and sqrt, which the run-time probes, comparisons with normal constants, and conversions of numbers that fit the
 * mantissa.  Other comparisons are done on the bits because many devices take subnormals for 0 there, even some that
 * keep them in arithmetic (NVIDIA under RoundingModeRTE).
 *
 * f32 and f64 share the code: `struct fmt` describes the format, and the integer work runs in the integer type of its
 * width.  Layouts are IEEE 754's: sign, exponent, mantissa without its leading 1.
 *
 * NaN results are the canonical NaN or keep the payload; wasm allows either.
 */
#include "ir/offload/legalize_float.h"

#include "ir/util/ice.h"

/* The integer operations of both widths stand in the same order in ir_ops.def. */
enum { WIDEN = IR_I64_EQZ - IR_I32_EQZ };
_Static_assert(IR_I64_ADD - IR_I32_ADD == WIDEN && IR_I64_ROTR - IR_I32_ROTR == WIDEN &&
                   IR_I64_GE_U - IR_I32_GE_U == WIDEN && IR_I64_CLZ - IR_I32_CLZ == WIDEN,
               "i32 and i64 operations in the same order");
enum { WIDEN_F = IR_F64_EQ - IR_F32_EQ };
_Static_assert(IR_F64_ABS - IR_F32_ABS == WIDEN_F && IR_F64_COPYSIGN - IR_F32_COPYSIGN == WIDEN_F,
               "f32 and f64 operations in the same order");

struct fmt {
    bool wide;
    uint32_t mant, bias; /* bits of mantissa; bias of the exponent */
    uint64_t sign, inf, mant_mask, one, half, nan;
};

static const struct fmt f32_fmt = {
    false, 23, 127, UINT64_C(1) << 31, 0x7f800000, 0x007fffff, 0x3f800000, 0x3f000000, 0x7fc00000,
};
static const struct fmt f64_fmt = {
    true,
    52,
    1023,
    UINT64_C(1) << 63,
    UINT64_C(0x7ff0000000000000),
    UINT64_C(0x000fffffffffffff),
    UINT64_C(0x3ff0000000000000),
    UINT64_C(0x3fe0000000000000),
    UINT64_C(0x7ff8000000000000),
};

typedef struct ir_value *val;

/* i32 operation `op`, or its i64 twin. */
static val iop(struct rebuild *r, const struct fmt *f, enum ir_op op, val x, val y) {
    return rebuild_op(r, (enum ir_op)(op + (f->wide ? (int)WIDEN : 0)), x, y);
}

static val constant(struct rebuild *r, const struct fmt *f, uint64_t v) {
    return f->wide ? rebuild_i64(r, v) : rebuild_i32(r, (uint32_t)v);
}

static val iopc(struct rebuild *r, const struct fmt *f, enum ir_op op, val x, uint64_t y) {
    return iop(r, f, op, x, constant(r, f, y));
}

static val select(struct rebuild *r, val cond, val t, val f) {
    return rebuild_select(r, cond, t, f);
}
static val i32op(struct rebuild *r, enum ir_op op, val x, val y) {
    return rebuild_op(r, op, x, y);
}

static val float_of(struct rebuild *r, const struct fmt *f, val bits) {
    return rebuild_from_bits(r, f->wide ? IR_F64 : IR_F32, bits);
}

static val magnitude(struct rebuild *r, const struct fmt *f, val bits) {
    return iopc(r, f, IR_I32_AND, bits, f->sign - 1);
}

static val is_nan(struct rebuild *r, const struct fmt *f, val bits) {
    return iopc(r, f, IR_I32_GT_U, magnitude(r, f, bits), f->inf);
}

/* The width-typed integer as an i32 (small values only). */
static val narrow(struct rebuild *r, const struct fmt *f, val x) {
    return f->wide ? rebuild_op(r, IR_I32_WRAP_I64, x, 0) : x;
}

/* Maps the bits of non-NaN floats to signed integers in the order of the numbers, with -0 < +0. */
static val order_key(struct rebuild *r, const struct fmt *f, val bits) {
    uint32_t top = f->wide ? 63 : 31;
    val flip = iopc(r, f, IR_I32_SHR_U, iopc(r, f, IR_I32_SHR_S, bits, top), 1);
    return iop(r, f, IR_I32_XOR, bits, flip);
}

static val min_max(struct rebuild *r, const struct fmt *f, val x, val y, bool max) {
    val a = rebuild_to_bits(r, x), b = rebuild_to_bits(r, y);
    val first = iop(r, f, max ? IR_I32_GT_S : IR_I32_LT_S, order_key(r, f, a), order_key(r, f, b));
    val nan = i32op(r, IR_I32_OR, is_nan(r, f, a), is_nan(r, f, b));
    return float_of(r, f, select(r, nan, constant(r, f, f->nan), select(r, first, a, b)));
}

enum rounding { ROUND_CEIL, ROUND_FLOOR, ROUND_TRUNC, ROUND_NEAREST };

/* Clears the fraction bits of the mantissa after adding what rounds it away from zero; a carry moves on into the
 * exponent, as it should.  The lowest bit of the exponent field stands in for the leading 1 of the mantissa when the
 * exponent is 0, which is right because both biases are odd. */
static val round_int(struct rebuild *r, const struct fmt *f, val x, enum rounding how) {
    val b = rebuild_to_bits(r, x), m = magnitude(r, f, b), s = iop(r, f, IR_I32_XOR, b, m);
    val e = iopc(r, f, IR_I32_SUB, iopc(r, f, IR_I32_SHR_U, m, f->mant), f->bias);
    val mask = iop(r, f, IR_I32_SHR_U, constant(r, f, f->mant_mask), e);
    val one = iopc(r, f, IR_I32_OR, s, f->one), zero = constant(r, f, 0);
    val negative = iop(r, f, IR_I32_NE, s, zero), nonzero = iop(r, f, IR_I32_NE, m, zero);
    val up = zero, small = s;
    switch (how) {
    case ROUND_TRUNC:
        break;
    case ROUND_FLOOR:
        up = select(r, negative, mask, zero);
        small = select(r, i32op(r, IR_I32_AND, negative, nonzero), one, s);
        break;
    case ROUND_CEIL:
        up = select(r, negative, zero, mask);
        small = select(r, i32op(r, IR_I32_AND, rebuild_op(r, IR_I32_EQZ, negative, 0), nonzero), one, s);
        break;
    case ROUND_NEAREST: {
        val odd =
            iopc(r, f, IR_I32_AND, iop(r, f, IR_I32_SHR_U, b, iop(r, f, IR_I32_SUB, constant(r, f, f->mant), e)), 1);
        up = iop(r, f, IR_I32_ADD, iopc(r, f, IR_I32_SHR_U, mask, 1), odd);
        small = select(r, iopc(r, f, IR_I32_GT_U, m, f->half), one, s);
        break;
    }
    }
    val clear = iopc(r, f, IR_I32_XOR, mask, UINT64_MAX);
    val rounded = iop(r, f, IR_I32_AND, iop(r, f, IR_I32_ADD, b, up), clear);
    val whole = iopc(r, f, IR_I32_GE_S, e, f->mant);
    val tiny = iop(r, f, IR_I32_LT_S, e, zero);
    return float_of(r, f, select(r, tiny, small, select(r, whole, b, rounded)));
}

/* Float to integer, saturating, on the bits: the mantissa shifted to its place. `to64`, `sign`: of the integer. */
static val to_int_bits(struct rebuild *r, const struct fmt *f, val x, bool to64, bool sign) {
    const struct fmt *l = &f64_fmt; /* for 64-bit integer operations */
    val b = rebuild_to_bits(r, x), m = magnitude(r, f, b);
    val negative = iop(r, f, IR_I32_NE, b, m);
    val e = i32op(r, IR_I32_SUB, narrow(r, f, iopc(r, f, IR_I32_SHR_U, m, f->mant)), rebuild_i32(r, f->bias));
    val mant = iopc(r, f, IR_I32_OR, iopc(r, f, IR_I32_AND, m, f->mant_mask), f->mant_mask + 1);
    if (!f->wide)
        mant = rebuild_op(r, IR_I64_EXTEND_I32_U, mant, 0);
    val left = i32op(r, IR_I32_SUB, e, rebuild_i32(r, f->mant)),
        right = i32op(r, IR_I32_SUB, rebuild_i32(r, f->mant), e);
    val mag = select(r, rebuild_opi(r, IR_I32_GE_S, e, f->mant),
                     iop(r, l, IR_I32_SHL, mant, rebuild_op(r, IR_I64_EXTEND_I32_U, left, 0)),
                     iop(r, l, IR_I32_SHR_U, mant, rebuild_op(r, IR_I64_EXTEND_I32_U, right, 0)));
    mag = select(r, rebuild_opi(r, IR_I32_LT_S, e, 0), rebuild_i64(r, 0), mag);
    uint32_t bits = to64 ? 64 : 32;
    uint64_t all = to64 ? UINT64_MAX : UINT32_MAX, top = UINT64_C(1) << (bits - 1);
    val v, over, big;
    if (sign) {
        v = select(r, negative, iop(r, l, IR_I32_SUB, rebuild_i64(r, 0), mag), mag);
        over = rebuild_opi(r, IR_I32_GE_S, e, bits - 1);
        big = select(r, negative, rebuild_i64(r, top), rebuild_i64(r, top - 1));
    } else {
        v = select(r, negative, rebuild_i64(r, 0), mag);
        over = rebuild_opi(r, IR_I32_GE_S, e, bits);
        big = select(r, negative, rebuild_i64(r, 0), rebuild_i64(r, all));
    }
    v = select(r, over, big, v);
    v = select(r, is_nan(r, f, b), rebuild_i64(r, 0), v);
    return to64 ? v : rebuild_op(r, IR_I32_WRAP_I64, v, 0);
}

static val f32_const(struct rebuild *r, float x) {
    union ir_bits bits = {.f32 = x};
    return ir_build_const(&r->b, IR_F32, bits);
}

/* f32 to i32, saturating: the device converts only what fits. */
static val to_i32(struct rebuild *r, val x, bool sign) {
    val low = sign ? rebuild_op(r, IR_F32_GE, x, f32_const(r, -2147483648.0f))
                   : rebuild_op(r, IR_F32_GE, x, f32_const(r, 1.0f));
    val high = rebuild_op(r, IR_F32_GE, x, f32_const(r, sign ? 2147483648.0f : 4294967296.0f));
    val in = i32op(r, IR_I32_AND, low, rebuild_op(r, IR_I32_EQZ, high, 0));
    val safe = select(r, in, x, f32_const(r, 0));
    val v = rebuild_op(r, sign ? IR_I32_TRUNC_SAT_F32_S : IR_I32_TRUNC_SAT_F32_U, safe, 0);
    v = select(r, high, rebuild_i32(r, sign ? INT32_MAX : UINT32_MAX), v);
    if (sign)
        v = select(r, rebuild_op(r, IR_F32_LT, x, f32_const(r, -2147483648.0f)), rebuild_i32(r, UINT32_C(1) << 31), v);
    return v;
}

/* How many low bits an i32 may have set; 32 when nothing is known. */
static unsigned low_bits(const struct ir_value *v, unsigned depth) {
    const union ir_bits *k = ir_const_of(v);
    if (k)
        return k->i32 ? 32 - (unsigned)__builtin_clz(k->i32) : 0;
    if (!v->def || depth == 0)
        return 32;
    const struct ir_inst *i = v->def;
    unsigned a, b;
    switch (i->op) {
    case IR_I32_LOAD8_U:
        return 8;
    case IR_I32_LOAD16_U:
        return 16;
    case IR_I32_AND:
        a = low_bits(i->operands[0], depth - 1);
        b = low_bits(i->operands[1], depth - 1);
        return a < b ? a : b;
    case IR_SELECT:
    case IR_I32_OR:
    case IR_I32_XOR:
    case IR_I32_ADD:
        a = low_bits(i->operands[0], depth - 1);
        b = low_bits(i->operands[1], depth - 1);
        a = a > b ? a : b;
        return i->op == IR_I32_ADD && a < 32 ? a + 1 : a;
    case IR_I32_MUL:
        a = low_bits(i->operands[0], depth - 1) + low_bits(i->operands[1], depth - 1);
        return a < 32 ? a : 32;
    case IR_I32_SHR_U:
        k = ir_const_of(i->operands[1]);
        a = low_bits(i->operands[0], depth - 1);
        return k ? (a > (k->i32 & 31) ? a - (k->i32 & 31) : 0) : a;
    default:
        return ir_info(i)->kind == IR_KIND_SIMPLE && ir_info(i)->result == IR_I32 && ir_info(i)->flags & IR_FLAG_PURE &&
                       (unsigned)(i->op - IR_I32_EQZ) <= IR_I32_GE_U - IR_I32_EQZ
                   ? 1
                   : 32;
    }
}

static bool fits_mantissa(const struct ir_value *v) {
    if (v->def && (v->def->op == IR_I32_LOAD8_S || v->def->op == IR_I32_LOAD16_S || v->def->op == IR_I32_EXTEND8_S ||
                   v->def->op == IR_I32_EXTEND16_S))
        return true;
    return low_bits(v, 6) <= 24;
}

/* i32 to f32.  The device's own conversion may round to zero, so it is used only where nothing is rounded; else the
 * magnitude is shifted up until its top bit is set and rounded to 24 bits, as from_magnitude does below. */
static val from_i32(struct rebuild *r, const struct ir_value *source, val x, bool sign) {
    if (fits_mantissa(source))
        return rebuild_op(r, sign ? IR_F32_CONVERT_I32_S : IR_F32_CONVERT_I32_U, x, 0);
    val negative = sign ? rebuild_opi(r, IR_I32_SHR_S, x, 31) : rebuild_i32(r, 0);
    val mag = i32op(r, IR_I32_SUB, i32op(r, IR_I32_XOR, x, negative), negative);
    val zeros = rebuild_op(r, IR_I32_CLZ, mag, 0);
    val top = i32op(r, IR_I32_SHL, mag, zeros);
    val q = rebuild_opi(r, IR_I32_SHR_U, top, 8);
    /* half - 1 + odd carries into bit 8 exactly when the rest is above half, or half and q odd */
    val carry = i32op(r, IR_I32_ADD, rebuild_opi(r, IR_I32_AND, top, 0xff),
                      rebuild_opi(r, IR_I32_ADD, rebuild_opi(r, IR_I32_AND, q, 1), 0x7f));
    val rounded = i32op(r, IR_I32_ADD, q, rebuild_opi(r, IR_I32_SHR_U, carry, 8));
    val exponent = i32op(r, IR_I32_SUB, rebuild_i32(r, 127 + 31 - 1), zeros);
    val bits = i32op(r, IR_I32_ADD, rebuild_opi(r, IR_I32_SHL, exponent, 23), rounded);
    bits = select(r, mag, bits, rebuild_i32(r, 0));
    if (sign)
        bits = i32op(r, IR_I32_OR, bits, rebuild_opi(r, IR_I32_AND, negative, UINT32_C(1) << 31));
    return float_of(r, &f32_fmt, bits);
}

/* Right shift of the i64 `v` by n (1 <= n <= 63, an i64), rounding to nearest, ties to even. */
static val shift_rounding(struct rebuild *r, val v, val n) {
    const struct fmt *l = &f64_fmt;
    val q = iop(r, l, IR_I32_SHR_U, v, n);
    val unit = iop(r, l, IR_I32_SHL, rebuild_i64(r, 1), n);
    val rest = iop(r, l, IR_I32_AND, v, iopc(r, l, IR_I32_SUB, unit, 1));
    val half = iopc(r, l, IR_I32_SHR_U, unit, 1);
    val odd = rebuild_op(r, IR_I32_WRAP_I64, iopc(r, l, IR_I32_AND, q, 1), 0);
    val up = i32op(r, IR_I32_OR, iop(r, l, IR_I32_GT_U, rest, half),
                   i32op(r, IR_I32_AND, iop(r, l, IR_I32_EQ, rest, half), odd));
    return iop(r, l, IR_I32_ADD, q, rebuild_op(r, IR_I64_EXTEND_I32_U, up, 0));
}

/* The i64 magnitude as a float of format f, on the bits; `negative` an i32.  The number is shifted up until bit 63 is
 * set; what is left after rounding has its leading 1 where the exponent begins, so one is taken off the exponent. */
static val from_magnitude(struct rebuild *r, const struct fmt *f, val mag, val negative) {
    const struct fmt *l = &f64_fmt;
    val zeros = rebuild_op(r, IR_I64_CLZ, mag, 0);
    val top = iop(r, l, IR_I32_SHL, mag, zeros);
    val rounded = shift_rounding(r, top, rebuild_i64(r, 63 - f->mant));
    val exponent = iop(r, l, IR_I32_SUB, rebuild_i64(r, f->bias + 63 - 1), zeros);
    val bits = iop(r, l, IR_I32_ADD, iopc(r, l, IR_I32_SHL, exponent, f->mant), rounded);
    bits = select(r, rebuild_op(r, IR_I64_EQZ, mag, 0), rebuild_i64(r, 0), bits);
    bits = iop(r, l, IR_I32_OR, bits, select(r, negative, rebuild_i64(r, f->sign), rebuild_i64(r, 0)));
    return float_of(r, f, f->wide ? bits : rebuild_op(r, IR_I32_WRAP_I64, bits, 0));
}

static val from_i64(struct rebuild *r, const struct fmt *f, val x, bool sign) {
    if (!sign)
        return from_magnitude(r, f, x, rebuild_i32(r, 0));
    const struct fmt *l = &f64_fmt;
    val negative = iopc(r, l, IR_I32_LT_S, x, 0);
    return from_magnitude(r, f, select(r, negative, iop(r, l, IR_I32_SUB, rebuild_i64(r, 0), x), x), negative);
}

/* f32 to f64: the mantissa moves up by 29 bits, the exponent changes its bias; subnormals become normal. */
static val promote(struct rebuild *r, val x) {
    const struct fmt *l = &f64_fmt, *s = &f32_fmt;
    val b = rebuild_to_bits(r, x), m = magnitude(r, s, b);
    val sign = iopc(r, l, IR_I32_SHL, rebuild_op(r, IR_I64_EXTEND_I32_U, i32op(r, IR_I32_XOR, b, m), 0), 32);
    val wide = iopc(r, l, IR_I32_SHL, rebuild_op(r, IR_I64_EXTEND_I32_U, m, 0), 29);
    val normal = iopc(r, l, IR_I32_ADD, wide, (UINT64_C(1023) - 127) << 52);
    val infinite = iopc(r, l, IR_I32_OR, wide, l->inf);
    infinite = select(r, is_nan(r, s, b), iopc(r, l, IR_I32_OR, infinite, l->nan), infinite);
    /* m * 2^-149 with its leading 1 moved to bit 52 */
    val zeros = rebuild_op(r, IR_I64_EXTEND_I32_U, rebuild_op(r, IR_I32_CLZ, m, 0), 0);
    val up = iop(r, l, IR_I32_SHL, rebuild_op(r, IR_I64_EXTEND_I32_U, m, 0), iopc(r, l, IR_I32_ADD, zeros, 21));
    val exponent = iop(r, l, IR_I32_SUB, rebuild_i64(r, 1023 - 149 + 31 - 1), zeros);
    val tiny = iop(r, l, IR_I32_ADD, up, iopc(r, l, IR_I32_SHL, exponent, 52));
    val v = select(r, iopc(r, s, IR_I32_GE_U, m, s->inf), infinite, normal);
    v = select(r, iopc(r, s, IR_I32_LT_U, m, UINT64_C(1) << 23), tiny, v);
    v = select(r, rebuild_op(r, IR_I32_EQZ, m, 0), rebuild_i64(r, 0), v);
    return float_of(r, l, iop(r, l, IR_I32_OR, v, sign));
}

/* f64 to f32, to nearest even.  Below 2^-126 the mantissa with its leading 1 is shifted to a subnormal's place. */
static val demote(struct rebuild *r, val x) {
    const struct fmt *l = &f64_fmt;
    val b = rebuild_to_bits(r, x), m = magnitude(r, l, b);
    val sign = iopc(r, l, IR_I32_SHR_U, iop(r, l, IR_I32_XOR, b, m), 32);
    val biased = iopc(r, l, IR_I32_SHR_U, m, 52);
    val normal = shift_rounding(r, iopc(r, l, IR_I32_SUB, m, (UINT64_C(1023) - 127) << 52), rebuild_i64(r, 29));
    val mant = iopc(r, l, IR_I32_OR, iopc(r, l, IR_I32_AND, m, l->mant_mask), l->mant_mask + 1);
    val by = iop(r, l, IR_I32_SUB, rebuild_i64(r, 29 + 1023 - 126), biased);
    by = select(r, iopc(r, l, IR_I32_GT_U, by, 60), rebuild_i64(r, 60), by);
    val tiny = shift_rounding(r, mant, by);
    val v = select(r, iopc(r, l, IR_I32_LE_U, biased, 1023 - 127), tiny, normal);
    v = select(r, iopc(r, l, IR_I32_GE_U, m, (UINT64_C(1023) + 128) << 52), rebuild_i64(r, f32_fmt.inf), v);
    v = select(r, is_nan(r, l, b), rebuild_i64(r, f32_fmt.nan), v);
    return float_of(r, &f32_fmt, rebuild_op(r, IR_I32_WRAP_I64, iop(r, l, IR_I32_OR, v, sign), 0));
}

/* f64 comparisons on the bits; -0 counts as +0. */
static val soft_compare(struct rebuild *r, enum ir_op op, val x, val y) {
    const struct fmt *f = &f64_fmt;
    val a = rebuild_to_bits(r, x), b = rebuild_to_bits(r, y), zero = rebuild_i64(r, 0);
    val ordered = rebuild_op(r, IR_I32_EQZ, i32op(r, IR_I32_OR, is_nan(r, f, a), is_nan(r, f, b)), 0);
    a = order_key(r, f, select(r, rebuild_op(r, IR_I64_EQZ, magnitude(r, f, a), 0), zero, a));
    b = order_key(r, f, select(r, rebuild_op(r, IR_I64_EQZ, magnitude(r, f, b), 0), zero, b));
    enum ir_op cmp;
    switch (op) {
    case IR_F64_EQ:
    case IR_F64_NE:
        cmp = IR_I64_EQ;
        break;
    case IR_F64_LT:
        cmp = IR_I64_LT_S;
        break;
    case IR_F64_GT:
        cmp = IR_I64_GT_S;
        break;
    case IR_F64_LE:
        cmp = IR_I64_LE_S;
        break;
    default:
        cmp = IR_I64_GE_S;
        break;
    }
    val v = i32op(r, IR_I32_AND, ordered, rebuild_op(r, cmp, a, b));
    return op == IR_F64_NE ? rebuild_op(r, IR_I32_EQZ, v, 0) : v;
}

/* Subnormals do not matter in a comparison with a normal constant: they stand on the same side of it as 0. */
static bool is_normal_constant(const struct ir_value *v) {
    const union ir_bits *k = ir_const_of(v);
    uint32_t exponent = k ? k->i32 >> 23 & 0xff : 0;
    return exponent > 0 && exponent < 0xff;
}

/* f32 comparisons on the bits: negative numbers mirrored, so that -0 falls on +0. */
static val exact_compare(struct rebuild *r, enum ir_op op, val x, val y) {
    const struct fmt *f = &f32_fmt;
    val a = rebuild_to_bits(r, x), b = rebuild_to_bits(r, y), zero = rebuild_i32(r, 0),
        low = rebuild_i32(r, UINT32_C(1) << 31);
    val ordered = rebuild_op(r, IR_I32_EQZ, i32op(r, IR_I32_OR, is_nan(r, f, a), is_nan(r, f, b)), 0);
    a = select(r, i32op(r, IR_I32_LT_S, a, zero), i32op(r, IR_I32_SUB, low, a), a);
    b = select(r, i32op(r, IR_I32_LT_S, b, zero), i32op(r, IR_I32_SUB, low, b), b);
    enum ir_op cmp;
    switch (op) {
    case IR_F32_EQ:
    case IR_F32_NE:
        cmp = IR_I32_EQ;
        break;
    case IR_F32_LT:
        cmp = IR_I32_LT_S;
        break;
    case IR_F32_GT:
        cmp = IR_I32_GT_S;
        break;
    case IR_F32_LE:
        cmp = IR_I32_LE_S;
        break;
    default:
        cmp = IR_I32_GE_S;
        break;
    }
    val v = i32op(r, IR_I32_AND, ordered, rebuild_op(r, cmp, a, b));
    return op == IR_F32_NE ? rebuild_op(r, IR_I32_EQZ, v, 0) : v;
}

static val lower_bitwise(struct rebuild *r, struct ir_inst *i, bool wide) {
    const struct fmt *f = wide ? &f64_fmt : &f32_fmt;
    val x = rebuild_lo(r, i, 0);
    switch (i->op - (wide ? (int)WIDEN_F : 0)) {
    case IR_F32_ABS:
        return float_of(r, f, magnitude(r, f, rebuild_to_bits(r, x)));
    case IR_F32_NEG:
        return float_of(r, f, iopc(r, f, IR_I32_XOR, rebuild_to_bits(r, x), f->sign));
    case IR_F32_COPYSIGN: {
        val sign = iopc(r, f, IR_I32_AND, rebuild_to_bits(r, rebuild_lo(r, i, 1)), f->sign);
        return float_of(r, f, iop(r, f, IR_I32_OR, magnitude(r, f, rebuild_to_bits(r, x)), sign));
    }
    case IR_F32_CEIL:
        return round_int(r, f, x, ROUND_CEIL);
    case IR_F32_FLOOR:
        return round_int(r, f, x, ROUND_FLOOR);
    case IR_F32_TRUNC:
        return round_int(r, f, x, ROUND_TRUNC);
    case IR_F32_NEAREST:
        return round_int(r, f, x, ROUND_NEAREST);
    case IR_F32_MIN:
    case IR_F32_MAX:
        return min_max(r, f, x, rebuild_lo(r, i, 1), i->op == IR_F32_MAX || i->op == IR_F64_MAX);
    default:
        return 0;
    }
}

static val lower_conversion(struct rebuild *r, struct ir_inst *i, bool soft_f64) {
    val x = rebuild_lo(r, i, 0);
    switch (i->op) {
    case IR_I32_TRUNC_F32_S:
    case IR_I32_TRUNC_SAT_F32_S:
        return to_i32(r, x, true);
    case IR_I32_TRUNC_F32_U:
    case IR_I32_TRUNC_SAT_F32_U:
        return to_i32(r, x, false);
    case IR_I32_TRUNC_F64_S:
    case IR_I32_TRUNC_SAT_F64_S:
        return to_int_bits(r, &f64_fmt, x, false, true);
    case IR_I32_TRUNC_F64_U:
    case IR_I32_TRUNC_SAT_F64_U:
        return to_int_bits(r, &f64_fmt, x, false, false);
    case IR_I64_TRUNC_F32_S:
    case IR_I64_TRUNC_SAT_F32_S:
        return to_int_bits(r, &f32_fmt, x, true, true);
    case IR_I64_TRUNC_F32_U:
    case IR_I64_TRUNC_SAT_F32_U:
        return to_int_bits(r, &f32_fmt, x, true, false);
    case IR_I64_TRUNC_F64_S:
    case IR_I64_TRUNC_SAT_F64_S:
        return to_int_bits(r, &f64_fmt, x, true, true);
    case IR_I64_TRUNC_F64_U:
    case IR_I64_TRUNC_SAT_F64_U:
        return to_int_bits(r, &f64_fmt, x, true, false);
    case IR_F32_CONVERT_I32_S:
    case IR_F32_CONVERT_I32_U:
        return from_i32(r, i->operands[0], x, i->op == IR_F32_CONVERT_I32_S);
    case IR_F32_CONVERT_I64_S:
    case IR_F32_CONVERT_I64_U:
        return from_i64(r, &f32_fmt, x, i->op == IR_F32_CONVERT_I64_S);
    case IR_F64_CONVERT_I64_S:
    case IR_F64_CONVERT_I64_U:
        return from_i64(r, &f64_fmt, x, i->op == IR_F64_CONVERT_I64_S);
    case IR_F64_CONVERT_I32_S: /* always exact, so native is fine where there is f64 */
        return soft_f64 ? from_i64(r, &f64_fmt, rebuild_op(r, IR_I64_EXTEND_I32_S, x, 0), true) : 0;
    case IR_F64_CONVERT_I32_U:
        return soft_f64 ? from_i64(r, &f64_fmt, rebuild_op(r, IR_I64_EXTEND_I32_U, x, 0), false) : 0;
    case IR_F32_DEMOTE_F64:
        return demote(r, x);
    case IR_F64_PROMOTE_F32:
        return promote(r, x);
    default:
        return 0;
    }
}

bool legalize_float_rule(struct rebuild *r, struct ir_inst *i, bool soft_f64) {
    if (ir_info(i)->kind != IR_KIND_SIMPLE)
        return false;
    enum ir_op op = (enum ir_op)i->op;
    val v = 0;
    if (op >= IR_F32_EQ && op <= IR_F32_GE) {
        if (!is_normal_constant(i->operands[0]) && !is_normal_constant(i->operands[1]))
            v = exact_compare(r, op, rebuild_lo(r, i, 0), rebuild_lo(r, i, 1));
    } else if (op >= IR_F32_ABS && op <= IR_F32_COPYSIGN)
        v = lower_bitwise(r, i, false);
    else if (soft_f64 && op >= IR_F64_EQ && op <= IR_F64_GE)
        v = soft_compare(r, op, rebuild_lo(r, i, 0), rebuild_lo(r, i, 1));
    else if (op >= IR_F64_EQ && op <= IR_F64_COPYSIGN)
        v = lower_bitwise(r, i, true);
    else
        v = lower_conversion(r, i, soft_f64);
    if (v)
        rebuild_set(r, i, v, 0);
    return v != 0;
}
