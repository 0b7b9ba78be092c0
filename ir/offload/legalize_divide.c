/* f32 division and square root, correctly rounded, for devices whose own are only nearly right; see legalize.h.
 *
 * Vulkan allows a division to be off by 2.5 units in the last place, and a square root by what one over an inverse
 * square root gives (Vulkan 1.1, "Precision and Operation of SPIR-V Instructions"); WGSL the same.  The device's result
 * is a good first guess, though, so it is corrected with integers instead of being computed from scratch:
 *
 *     division: significands a, b in [2^23, 2^24), a doubled when a < b     root: M = significand * 2^23 or 2^24
 *     q = (a / b) * 2^23, by the device, as an integer                      s = sqrt(M), by the device, as an integer
 *     r = a * 2^23 - q * b                                                  r = M - s * s
 *     while r < 0:  q -= 1, r += b                                          while r < 0:   s -= 1, r += 2s + 1
 *     while r >= b: q += 1, r -= b                                          while r > 2s:  r -= 2s + 1, s += 1
 *
 * The operands of the device's operation are integers below 2^25 and 2^48 that floats represent exactly, so nothing is
 * subnormal or overflows, and a guess off by a few units leaves r far inside 32 bits, where arithmetic modulo 2^32 is
 * exact.  The loops are unrolled to the number of units that the specifications allow.  The remainder then rounds to
 * nearest even, with subnormal results shifted into place, as in any software division (for instance Muller et al.,
 * "Handbook of Floating-Point Arithmetic", chapter 8).
 */
#include "ir/offload/legalize.h"
#include "ir/offload/rebuild.h"

typedef struct ir_value *val;

enum {
    MANTISSA = 23,
    BIAS = 127,
    DIVIDE_STEPS = 4, /* 2.5 units, and one for cutting off the fraction */
    ROOT_STEPS = 6,   /* 2 + 2.5 units, and one for cutting off the fraction */
    INFINITY_BITS = 0x7f800000,
    NAN_BITS = 0x7fc00000,
    HIDDEN = 1 << MANTISSA,
};

static val op(struct rebuild *r, enum ir_op o, val x, val y) {
    return rebuild_op(r, o, x, y);
}

static val opi(struct rebuild *r, enum ir_op o, val x, uint32_t y) {
    return rebuild_opi(r, o, x, y);
}

/* Significand with its leading 1, and biased exponent, of nonzero finite magnitude bits `m`; subnormals are normalised,
 * their exponent then is zero or negative. */
static void unpack(struct rebuild *r, val m, val *out_significand, val *out_exponent) {
    val e = opi(r, IR_I32_SHR_U, m, MANTISSA);
    val subnormal = op(r, IR_I32_EQZ, e, NULL);
    val shift = opi(r, IR_I32_SUB, op(r, IR_I32_CLZ, m, NULL), 31 - MANTISSA);
    val normal = opi(r, IR_I32_OR, opi(r, IR_I32_AND, m, HIDDEN - 1), HIDDEN);
    *out_significand = rebuild_select(r, subnormal, op(r, IR_I32_SHL, m, shift), normal);
    *out_exponent = rebuild_select(r, subnormal, op(r, IR_I32_SUB, rebuild_i32(r, 1), shift), e);
}

static val to_float(struct rebuild *r, val integer) {
    return op(r, IR_F32_CONVERT_I32_U, integer, NULL);
}

static val f32_const(struct rebuild *r, float v) {
    return ir_build_const(&r->b, IR_F32, (union ir_bits){.f32 = v});
}

/* The device's guess as an integer.  The exact result lies below 2^24; a guess above that is off by two for each unit.
 */
static val to_significand(struct rebuild *r, val guess) {
    val q = op(r, IR_I32_TRUNC_SAT_F32_U, guess, NULL), most = rebuild_i32(r, 2 * HIDDEN - 1);
    return rebuild_select(r, op(r, IR_I32_GT_U, q, most), most, q);
}

/* Bits of significand * 2^exponent, rounded to nearest even.  `q` has 24 bits; guard is the bit below it, sticky
 * whether anything is below that. */
static val round_and_pack(struct rebuild *r, val q, val exponent, val guard, val sticky) {
    val v = op(r, IR_I32_OR, opi(r, IR_I32_SHL, q, 2), op(r, IR_I32_OR, opi(r, IR_I32_SHL, guard, 1), sticky));
    /* A subnormal result loses 1 - exponent more bits, at most all of them. */
    val subnormal = opi(r, IR_I32_LT_S, exponent, 1);
    val wanted = op(r, IR_I32_SUB, rebuild_i32(r, 1), exponent);
    val capped = rebuild_select(r, opi(r, IR_I32_GT_S, wanted, 27), rebuild_i32(r, 27), wanted);
    val shift = rebuild_select(r, subnormal, capped, rebuild_i32(r, 0));
    val kept = op(r, IR_I32_SHR_U, v, shift);
    val lost = opi(r, IR_I32_NE, op(r, IR_I32_SUB, v, op(r, IR_I32_SHL, kept, shift)), 0);
    v = op(r, IR_I32_OR, kept, lost);
    /* Low two bits 11, or 10 with an odd number above: up. */
    val up = op(r, IR_I32_AND, opi(r, IR_I32_SHR_U, v, 1), opi(r, IR_I32_NE, opi(r, IR_I32_AND, v, 5), 0));
    val rounded = op(r, IR_I32_ADD, opi(r, IR_I32_SHR_U, v, 2), opi(r, IR_I32_AND, up, 1));
    val base = opi(r, IR_I32_SHL, opi(r, IR_I32_SUB, exponent, 1), MANTISSA); /* the leading 1 adds one */
    val bits = op(r, IR_I32_ADD, rounded, rebuild_select(r, subnormal, rebuild_i32(r, 0), base));
    return rebuild_select(r, opi(r, IR_I32_GT_S, exponent, 254), rebuild_i32(r, INFINITY_BITS), bits);
}

static val divide(struct rebuild *r, val x, val y) {
    val a = op(r, IR_I32_REINTERPRET_F32, x, NULL), b = op(r, IR_I32_REINTERPRET_F32, y, NULL);
    val sign = opi(r, IR_I32_AND, op(r, IR_I32_XOR, a, b), UINT32_C(1) << 31);
    val ma = opi(r, IR_I32_AND, a, INT32_MAX), mb = opi(r, IR_I32_AND, b, INT32_MAX);
    val sa, sb, ea, eb;
    unpack(r, ma, &sa, &ea);
    unpack(r, mb, &sb, &eb);
    val less = op(r, IR_I32_LT_U, sa, sb);
    sa = op(r, IR_I32_SHL, sa, less);
    val exponent = op(r, IR_I32_SUB, opi(r, IR_I32_ADD, op(r, IR_I32_SUB, ea, eb), BIAS), less);

    val guess = op(r, IR_F32_MUL, op(r, IR_F32_DIV, to_float(r, sa), to_float(r, sb)), f32_const(r, 0x1p23f));
    val q = to_significand(r, guess);
    val rest = op(r, IR_I32_SUB, opi(r, IR_I32_SHL, sa, MANTISSA), op(r, IR_I32_MUL, q, sb));
    for (int step = 0; step < DIVIDE_STEPS; step++) {
        val down = opi(r, IR_I32_LT_S, rest, 0);
        q = op(r, IR_I32_SUB, q, down);
        rest = op(r, IR_I32_ADD, rest, op(r, IR_I32_AND, sb, op(r, IR_I32_SUB, rebuild_i32(r, 0), down)));
    }
    for (int step = 0; step < DIVIDE_STEPS; step++) {
        val up = op(r, IR_I32_GE_S, rest, sb);
        q = op(r, IR_I32_ADD, q, up);
        rest = op(r, IR_I32_SUB, rest, op(r, IR_I32_AND, sb, op(r, IR_I32_SUB, rebuild_i32(r, 0), up)));
    }
    val twice = opi(r, IR_I32_SHL, rest, 1);
    val guard = op(r, IR_I32_GE_U, twice, sb);
    val sticky = op(r, IR_I32_AND, opi(r, IR_I32_NE, rest, 0), op(r, IR_I32_NE, twice, sb));
    val bits = round_and_pack(r, q, exponent, guard, sticky);

    val zero = rebuild_i32(r, 0), infinity = rebuild_i32(r, INFINITY_BITS);
    val a_zero = op(r, IR_I32_EQZ, ma, NULL), b_zero = op(r, IR_I32_EQZ, mb, NULL);
    val a_inf = opi(r, IR_I32_EQ, ma, INFINITY_BITS), b_inf = opi(r, IR_I32_EQ, mb, INFINITY_BITS);
    bits = rebuild_select(r, op(r, IR_I32_OR, a_zero, b_inf), zero, bits);
    bits = rebuild_select(r, op(r, IR_I32_OR, a_inf, b_zero), infinity, bits);
    bits = op(r, IR_I32_OR, bits, sign);
    val nan = op(r, IR_I32_OR, opi(r, IR_I32_GT_U, ma, INFINITY_BITS), opi(r, IR_I32_GT_U, mb, INFINITY_BITS));
    nan = op(r, IR_I32_OR, nan, op(r, IR_I32_AND, a_zero, b_zero));
    nan = op(r, IR_I32_OR, nan, op(r, IR_I32_AND, a_inf, b_inf));
    return op(r, IR_F32_REINTERPRET_I32, rebuild_select(r, nan, rebuild_i32(r, NAN_BITS), bits), NULL);
}

static val square_root(struct rebuild *r, val x) {
    val a = op(r, IR_I32_REINTERPRET_F32, x, NULL);
    val m = opi(r, IR_I32_AND, a, INT32_MAX), s, e;
    unpack(r, m, &s, &e);
    val power = opi(r, IR_I32_SUB, e, BIAS);
    val odd = opi(r, IR_I32_AND, power, 1);
    val half = opi(r, IR_I32_SHR_S, power, 1);

    val scale = ir_build_select(&r->b, f32_const(r, 0x1p24f), f32_const(r, 0x1p23f), odd);
    val guess = op(r, IR_F32_SQRT, op(r, IR_F32_MUL, to_float(r, s), scale), NULL);
    val q = to_significand(r, guess);
    val low = op(r, IR_I32_SHL, s, opi(r, IR_I32_ADD, odd, MANTISSA)); /* M modulo 2^32 */
    val rest = op(r, IR_I32_SUB, low, op(r, IR_I32_MUL, q, q));
    for (int step = 0; step < ROOT_STEPS; step++) {
        val down = opi(r, IR_I32_LT_S, rest, 0);
        q = op(r, IR_I32_SUB, q, down);
        val back = opi(r, IR_I32_OR, opi(r, IR_I32_SHL, q, 1), 1);
        rest = op(r, IR_I32_ADD, rest, op(r, IR_I32_AND, back, op(r, IR_I32_SUB, rebuild_i32(r, 0), down)));
    }
    for (int step = 0; step < ROOT_STEPS; step++) {
        val twice = opi(r, IR_I32_SHL, q, 1);
        val up = op(r, IR_I32_GT_S, rest, twice);
        val on = opi(r, IR_I32_OR, twice, 1);
        rest = op(r, IR_I32_SUB, rest, op(r, IR_I32_AND, on, op(r, IR_I32_SUB, rebuild_i32(r, 0), up)));
        q = op(r, IR_I32_ADD, q, up);
    }
    q = op(r, IR_I32_ADD, q, op(r, IR_I32_GT_S, rest, q)); /* never exactly between: (s + 1/2)^2 is no integer */
    val base = opi(r, IR_I32_SHL, opi(r, IR_I32_ADD, half, BIAS - 1), MANTISSA);
    val bits = op(r, IR_I32_ADD, q, base);

    val same = op(r, IR_I32_OR, op(r, IR_I32_EQZ, m, NULL), opi(r, IR_I32_EQ, a, INFINITY_BITS));
    bits = rebuild_select(r, same, a, bits);
    val negative = op(r, IR_I32_AND, opi(r, IR_I32_LT_S, a, 0), opi(r, IR_I32_NE, m, 0));
    val nan = op(r, IR_I32_OR, negative, opi(r, IR_I32_GT_U, m, INFINITY_BITS));
    return op(r, IR_F32_REINTERPRET_I32, rebuild_select(r, nan, rebuild_i32(r, NAN_BITS), bits), NULL);
}

static bool divide_rule(struct rebuild *r, struct ir_inst *i) {
    if (i->op == IR_F32_DIV)
        rebuild_set(r, i, divide(r, rebuild_lo(r, i, 0), rebuild_lo(r, i, 1)), NULL);
    else if (i->op == IR_F32_SQRT)
        rebuild_set(r, i, square_root(r, rebuild_lo(r, i, 0)), NULL);
    else
        return false;
    return true;
}

struct ir_func *legalize_divide(struct ir_func *f) {
    return rebuild_run(f, divide_rule, false, 0);
}
