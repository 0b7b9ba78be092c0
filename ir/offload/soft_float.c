/* Addition, multiplication, division and square root of binary64 (and the first two of binary32) on integers; see
 * soft_float.h.
 *
 * Rounding.  All operations end in a word `top` of W = 64 (32) bits whose leading 1 stands at bit W-1, and an exponent
 * e: the number is top / 2^(W-1) * 2^(e - bias).  Bits that no longer fit are or-ed into bit 0 ("sticky"), which
 * is enough to round right, because at least three bits stand below the last one kept (Muller et al., "Handbook of
 * Floating-Point Arithmetic", chapter 8).  The result is (e - 1) << mantissa bits, plus the word shifted down: the
 * leading 1 adds the missing one to the exponent, and a number whose leading 1 is missing at e = 1 is a subnormal.  A
 * carry out of the mantissa moves into the exponent, as it should.
 *
 * Addition.  |x| >= |y| by swapping.  Significands stand with their leading 1 at bit W-2, so the sum has room; y is
 * shifted into place with a sticky bit (exact when the exponents are at most one apart, which is the only case where
 * cancellation brings low bits up).  The sum is then moved up, but not further than e allows: that gives subnormals,
 * which addition never rounds.
 *
 * Multiplication.  Both significands at the top of the word, the high word of the product, sticky for the low one.
 *
 * Division.  Significands a, b with b <= a < 2b; the first digit of the quotient is 1, the rest come 11 bits at a time:
 * with R the upper 32 bits of the remainder and D those of b (2^20 <= D < 2^21), R / (D + 1) is the digit or one less,
 * because (R+1)/D - R/(D+1) < 2^-8 for digits below 2^11.
 *
 * Square root.  Two bits of the radicand and one bit of the root a turn, as by hand; 54 bits and a sticky one.
 *
 * Operands that are zero, subnormal, infinite or NaN are rare, and normalising subnormals costs shifts: multiplication,
 * division and root handle them in a branch that invocations with ordinary numbers skip.
 */
#include "ir/offload/soft_float.h"

typedef struct ir_value *val;

struct fmt {
    bool wide;
    uint32_t bits, mant, bias, emax; /* width; bits of mantissa; bias; exponent of infinity */
    uint64_t sign, inf, nan;
};

static const struct fmt narrow_fmt = {false, 32, 23, 127, 255, UINT64_C(1) << 31, 0x7f800000, 0x7fc00000};
static const struct fmt wide_fmt = {
    true, 64, 52, 1023, 2047, UINT64_C(1) << 63, UINT64_C(0x7ff0000000000000), UINT64_C(0x7ff8000000000000)};

/* The integer operations of both widths stand in the same order in ir_ops.def (legalize_float.c asserts it). */
enum { WIDEN = IR_I64_EQZ - IR_I32_EQZ };

/* ---- short forms: w... work on words of the format, i... on i32 ---- */

static val w(struct rebuild *r, const struct fmt *f, enum ir_op op, val x, val y) {
    return rebuild_op(r, (enum ir_op)(op + (f->wide ? (int)WIDEN : 0)), x, y);
}

static val word(struct rebuild *r, const struct fmt *f, uint64_t v) {
    return f->wide ? rebuild_i64(r, v) : rebuild_i32(r, (uint32_t)v);
}

static val wc(struct rebuild *r, const struct fmt *f, enum ir_op op, val x, uint64_t y) {
    return w(r, f, op, x, word(r, f, y));
}

static val i(struct rebuild *r, enum ir_op op, val x, val y) {
    return rebuild_op(r, op, x, y);
}

static val ic(struct rebuild *r, enum ir_op op, val x, uint32_t y) {
    return rebuild_opi(r, op, x, y);
}

static val low(struct rebuild *r, const struct fmt *f, val x) {
    return f->wide ? rebuild_op(r, IR_I32_WRAP_I64, x, NULL) : x;
}

static val high(struct rebuild *r, const struct fmt *f, val x) {
    return f->wide ? rebuild_op(r, IR_I32_WRAP_I64, wc(r, f, IR_I32_SHR_U, x, 32), NULL) : x;
}

static val widen(struct rebuild *r, const struct fmt *f, val x) {
    return f->wide ? rebuild_op(r, IR_I64_EXTEND_I32_U, x, NULL) : x;
}

/* Shifts of a word by an i32. */
static val shift(struct rebuild *r, const struct fmt *f, enum ir_op op, val x, val by) {
    return w(r, f, op, x, widen(r, f, by));
}

static val leading_zeros(struct rebuild *r, const struct fmt *f, val x) {
    return low(r, f, w(r, f, IR_I32_CLZ, x, NULL));
}

static val not_equal(struct rebuild *r, const struct fmt *f, val x, val y) {
    return widen(r, f, w(r, f, IR_I32_NE, x, y));
}

/* Right shift by 0 <= n < W, sticky. */
static val shift_sticky(struct rebuild *r, const struct fmt *f, val x, val n) {
    val kept = shift(r, f, IR_I32_SHR_U, x, n);
    return w(r, f, IR_I32_OR, kept, not_equal(r, f, shift(r, f, IR_I32_SHL, kept, n), x));
}

/* Opens an if with the given result types; *out_outer is the place behind it. */
static struct ir_inst *open_if(struct rebuild *r, val cond, const enum ir_type *types, uint32_t n,
                               struct ir_builder *out_outer) {
    struct ir_inst *choice = ir_build_if(&r->b, cond, types, n);
    *out_outer = r->b;
    r->b = ir_builder_at_end(choice->regions[0]);
    return choice;
}

static void open_else(struct rebuild *r, struct ir_inst *choice) {
    r->b = ir_builder_at_end(choice->regions[1]);
}

static enum ir_type word_type(const struct fmt *f) {
    return f->wide ? IR_I64 : IR_I32;
}

/* ---- rounding ---- */

/* Bits (without sign) of top, e; see above.  e >= 1, top's leading 1 at the top unless e is 1. */
static val round_word(struct rebuild *r, const struct fmt *f, val top, val e) {
    uint32_t drop = f->bits - 1 - f->mant;
    val kept = wc(r, f, IR_I32_SHR_U, top, drop);
    /* half - 1 + odd carries out of the dropped bits exactly when they are above half, or half and the last bit odd */
    val rest = ic(r, IR_I32_AND, low(r, f, top), (1u << drop) - 1);
    val odd = ic(r, IR_I32_AND, low(r, f, kept), 1);
    val carry = i(r, IR_I32_ADD, rest, ic(r, IR_I32_ADD, odd, (1u << (drop - 1)) - 1));
    val up = ic(r, IR_I32_SHR_U, carry, drop);
    val exponent = ic(r, IR_I32_SHL, ic(r, IR_I32_SUB, e, 1), f->mant & 31);
    if (f->wide)
        exponent = wc(r, f, IR_I32_SHL, widen(r, f, exponent), 32);
    val bits = w(r, f, IR_I32_ADD, w(r, f, IR_I32_ADD, kept, exponent), widen(r, f, up));
    return rebuild_select(r, wc(r, f, IR_I32_GE_U, bits, f->inf), word(r, f, f->inf), bits);
}

/* The same for any e: below 1 the word is shifted down. */
static val round_any(struct rebuild *r, const struct fmt *f, val top, val e) {
    const enum ir_type types[2] = {word_type(f), IR_I32};
    struct ir_builder outer;
    struct ir_inst *tiny = open_if(r, ic(r, IR_I32_LT_S, e, 1), types, 2, &outer);
    val by = i(r, IR_I32_SUB, rebuild_i32(r, 1), e);
    by = rebuild_select(r, ic(r, IR_I32_GT_U, by, f->bits - 1), rebuild_i32(r, f->bits - 1), by);
    val there[2] = {shift_sticky(r, f, top, by), rebuild_i32(r, 1)}, here[2] = {top, e};
    ir_build_yield(&r->b, there, 2);
    open_else(r, tiny);
    ir_build_yield(&r->b, here, 2);
    r->b = outer;
    return round_word(r, f, &tiny->results[0], &tiny->results[1]);
}

/* ---- addition ---- */

val soft_add(struct rebuild *r, bool wide, val a, val b) {
    const struct fmt *f = wide ? &wide_fmt : &narrow_fmt;
    const uint32_t room = f->bits - 2 - f->mant;
    val ma = wc(r, f, IR_I32_AND, a, f->sign - 1), mb = wc(r, f, IR_I32_AND, b, f->sign - 1);
    val swap = w(r, f, IR_I32_LT_U, ma, mb);
    val x = rebuild_select(r, swap, b, a);
    val mx = rebuild_select(r, swap, mb, ma), my = rebuild_select(r, swap, ma, mb);
    val ex = low(r, f, wc(r, f, IR_I32_SHR_U, mx, f->mant)), ey = low(r, f, wc(r, f, IR_I32_SHR_U, my, f->mant));
    val differ = ic(r, IR_I32_SHR_S, high(r, f, w(r, f, IR_I32_XOR, a, b)), 31); /* 0 or all ones */

    /* significands; the exponent of subnormals counts as 1 */
    const uint64_t hidden = UINT64_C(1) << f->mant, zero = 0;
    val fx = wc(r, f, IR_I32_AND, mx, hidden - 1), fy = wc(r, f, IR_I32_AND, my, hidden - 1);
    fx = w(r, f, IR_I32_OR, fx, rebuild_select(r, ex, word(r, f, hidden), word(r, f, zero)));
    fy = w(r, f, IR_I32_OR, fy, rebuild_select(r, ey, word(r, f, hidden), word(r, f, zero)));
    val one = rebuild_i32(r, 1);
    val px = rebuild_select(r, ex, ex, one), py = rebuild_select(r, ey, ey, one);
    val by = i(r, IR_I32_SUB, px, py);
    by = rebuild_select(r, ic(r, IR_I32_GT_U, by, f->bits - 1), rebuild_i32(r, f->bits - 1), by);
    fx = wc(r, f, IR_I32_SHL, fx, room);
    fy = shift_sticky(r, f, wc(r, f, IR_I32_SHL, fy, room), by);

    val mask = f->wide ? rebuild_op(r, IR_I64_EXTEND_I32_S, differ, NULL) : differ;
    val sum = w(r, f, IR_I32_SUB, w(r, f, IR_I32_ADD, fx, w(r, f, IR_I32_XOR, fy, mask)), mask);
    val zeros = leading_zeros(r, f, sum);
    val nothing = w(r, f, IR_I32_EQZ, sum, NULL);
    val up = rebuild_select(r, i(r, IR_I32_LT_U, zeros, px), zeros, px);
    up = rebuild_select(r, nothing, px, up); /* e is 1 then */
    val e = i(r, IR_I32_SUB, ic(r, IR_I32_ADD, px, 1), up);
    val bits = round_word(r, f, shift(r, f, IR_I32_SHL, sum, up), e);

    /* x - x is +0 */
    val sign = wc(r, f, IR_I32_AND, x, f->sign);
    sign = rebuild_select(r, i(r, IR_I32_AND, nothing, differ), word(r, f, zero), sign);
    bits = w(r, f, IR_I32_OR, bits, sign);

    val nan = wc(r, f, IR_I32_GT_U, mx, f->inf);
    nan = i(r, IR_I32_OR, nan, i(r, IR_I32_AND, wc(r, f, IR_I32_EQ, my, f->inf), differ));
    val special = rebuild_select(r, nan, word(r, f, f->nan), x);
    return rebuild_select(r, ic(r, IR_I32_EQ, ex, f->emax), special, bits);
}

val soft_sub(struct rebuild *r, bool wide, val a, val b) {
    const struct fmt *f = wide ? &wide_fmt : &narrow_fmt;
    return soft_add(r, wide, a, wc(r, f, IR_I32_XOR, b, f->sign));
}

/* ---- operands of the others ---- */

struct parts {
    val done, special; /* whether the result is known already, and it, without its sign */
    val fa, fb;        /* significands, leading 1 at bit `mant` */
    val ea, eb;        /* biased exponents, zero and below for subnormals */
};

/* Moves the leading 1 of a subnormal's magnitude to bit `mant`. */
static void normalise(struct rebuild *r, const struct fmt *f, val mag, val e, val *out_f, val *out_e) {
    const uint64_t hidden = UINT64_C(1) << f->mant;
    val by = ic(r, IR_I32_SUB, leading_zeros(r, f, mag), f->bits - 1 - f->mant);
    val normal = wc(r, f, IR_I32_OR, wc(r, f, IR_I32_AND, mag, hidden - 1), hidden);
    *out_f = rebuild_select(r, e, normal, shift(r, f, IR_I32_SHL, mag, by));
    *out_e = rebuild_select(r, e, e, i(r, IR_I32_SUB, rebuild_i32(r, 1), by));
}

/* What a product or quotient of magnitudes is when an operand is zero, infinite or NaN. */
static val special_result(struct rebuild *r, const struct fmt *f, val ma, val mb, bool quotient, val *out_done) {
    val a_zero = w(r, f, IR_I32_EQ, ma, word(r, f, 0)), b_zero = w(r, f, IR_I32_EQ, mb, word(r, f, 0));
    val a_inf = wc(r, f, IR_I32_EQ, ma, f->inf), b_inf = wc(r, f, IR_I32_EQ, mb, f->inf);
    val to_zero = i(r, IR_I32_OR, a_zero, quotient ? b_inf : b_zero);
    val to_inf = i(r, IR_I32_OR, a_inf, quotient ? b_zero : b_inf);
    val nan = i(r, IR_I32_OR, wc(r, f, IR_I32_GT_U, ma, f->inf), wc(r, f, IR_I32_GT_U, mb, f->inf));
    nan = i(r, IR_I32_OR, nan, i(r, IR_I32_AND, to_zero, to_inf));
    *out_done = i(r, IR_I32_OR, nan, i(r, IR_I32_OR, to_zero, to_inf));
    val v = rebuild_select(r, to_inf, word(r, f, f->inf), word(r, f, 0));
    return rebuild_select(r, nan, word(r, f, f->nan), v);
}

static struct parts take_apart(struct rebuild *r, const struct fmt *f, val a, val b, bool quotient) {
    const uint64_t hidden = UINT64_C(1) << f->mant;
    const enum ir_type t = word_type(f), types[6] = {IR_I32, t, t, t, IR_I32, IR_I32};
    val ma = wc(r, f, IR_I32_AND, a, f->sign - 1), mb = wc(r, f, IR_I32_AND, b, f->sign - 1);
    val ea = low(r, f, wc(r, f, IR_I32_SHR_U, ma, f->mant)), eb = low(r, f, wc(r, f, IR_I32_SHR_U, mb, f->mant));
    val rare = i(r, IR_I32_OR, ic(r, IR_I32_GE_U, ic(r, IR_I32_SUB, ea, 1), f->emax - 1),
                 ic(r, IR_I32_GE_U, ic(r, IR_I32_SUB, eb, 1), f->emax - 1));
    struct ir_builder outer;
    struct ir_inst *choice = open_if(r, rare, types, 6, &outer);
    val there[6], here[6];
    there[1] = special_result(r, f, ma, mb, quotient, &there[0]);
    normalise(r, f, ma, ea, &there[2], &there[4]);
    normalise(r, f, mb, eb, &there[3], &there[5]);
    ir_build_yield(&r->b, there, 6);
    open_else(r, choice);
    here[0] = rebuild_i32(r, 0);
    here[1] = word(r, f, 0);
    here[2] = wc(r, f, IR_I32_OR, wc(r, f, IR_I32_AND, ma, hidden - 1), hidden);
    here[3] = wc(r, f, IR_I32_OR, wc(r, f, IR_I32_AND, mb, hidden - 1), hidden);
    here[4] = ea;
    here[5] = eb;
    ir_build_yield(&r->b, here, 6);
    r->b = outer;
    struct ir_value *v = choice->results;
    return (struct parts){
        .done = &v[0],
        .special = &v[1],
        .fa = &v[2],
        .fb = &v[3],
        .ea = &v[4],
        .eb = &v[5],
    };
}

/* The bits with the right sign, or the special result. */
static val finish(struct rebuild *r, const struct fmt *f, const struct parts *p, val a, val b, val bits) {
    bits = rebuild_select(r, p->done, p->special, bits);
    return w(r, f, IR_I32_OR, bits, wc(r, f, IR_I32_AND, w(r, f, IR_I32_XOR, a, b), f->sign));
}

/* ---- multiplication ---- */

/* High word of x * y; *out_rest: a word that is nonzero when the low word is. */
static val multiply_high(struct rebuild *r, const struct fmt *f, val x, val y, val *out_rest) {
    const uint64_t mask = UINT32_MAX;
    if (!f->wide) {
        val p = i(r, IR_I64_MUL, i(r, IR_I64_EXTEND_I32_U, x, NULL), i(r, IR_I64_EXTEND_I32_U, y, NULL));
        *out_rest = i(r, IR_I32_WRAP_I64, p, NULL);
        return i(r, IR_I32_WRAP_I64, rebuild_op64i(r, IR_I64_SHR_U, p, 32), NULL);
    }
    /* Knuth, TAOCP 2, 4.3.1, algorithm M with base 2^32 */
    val xl = wc(r, f, IR_I32_AND, x, mask), xh = wc(r, f, IR_I32_SHR_U, x, 32);
    val yl = wc(r, f, IR_I32_AND, y, mask), yh = wc(r, f, IR_I32_SHR_U, y, 32);
    val ll = w(r, f, IR_I32_MUL, xl, yl);
    val t = w(r, f, IR_I32_ADD, w(r, f, IR_I32_MUL, xh, yl), wc(r, f, IR_I32_SHR_U, ll, 32));
    val u = w(r, f, IR_I32_ADD, w(r, f, IR_I32_MUL, xl, yh), wc(r, f, IR_I32_AND, t, mask));
    *out_rest = wc(r, f, IR_I32_AND, w(r, f, IR_I32_OR, ll, u), mask);
    val hh = w(r, f, IR_I32_ADD, w(r, f, IR_I32_MUL, xh, yh), wc(r, f, IR_I32_SHR_U, t, 32));
    return w(r, f, IR_I32_ADD, hh, wc(r, f, IR_I32_SHR_U, u, 32));
}

val soft_mul(struct rebuild *r, bool wide, val a, val b) {
    const struct fmt *f = wide ? &wide_fmt : &narrow_fmt;
    const uint32_t drop = f->bits - 1 - f->mant;
    struct parts p = take_apart(r, f, a, b, false);
    val rest, top = multiply_high(r, f, wc(r, f, IR_I32_SHL, p.fa, drop), wc(r, f, IR_I32_SHL, p.fb, drop), &rest);
    val full = ic(r, IR_I32_SHR_U, high(r, f, top), 31); /* the product of numbers from 1 to 2 is at least 2 */
    top = shift(r, f, IR_I32_SHL, top, ic(r, IR_I32_XOR, full, 1));
    top = w(r, f, IR_I32_OR, top, not_equal(r, f, rest, word(r, f, 0)));
    val e = i(r, IR_I32_ADD, ic(r, IR_I32_SUB, i(r, IR_I32_ADD, p.ea, p.eb), f->bias), full);
    return finish(r, f, &p, a, b, round_any(r, f, top, e));
}

/* ---- division ---- */

val soft_div(struct rebuild *r, val a, val b) {
    enum { DIGIT = 11, DIGITS = 5 };
    const struct fmt *f = &wide_fmt;
    struct parts p = take_apart(r, f, a, b, true);
    val less = w(r, f, IR_I32_LT_U, p.fa, p.fb);
    val fa = shift(r, f, IR_I32_SHL, p.fa, less);
    val e = i(r, IR_I32_SUB, ic(r, IR_I32_ADD, i(r, IR_I32_SUB, p.ea, p.eb), f->bias), less);
    val divisor = ic(r, IR_I32_ADD, high(r, f, p.fb), 1);

    static const enum ir_type results[2] = {IR_I64, IR_I64};
    val init[3] = {rebuild_i32(r, DIGITS), w(r, f, IR_I32_SUB, fa, p.fb), rebuild_i64(r, 1)};
    struct ir_inst *loop = ir_build_loop(&r->b, init, 3, results, 2);
    struct ir_builder outer = r->b;
    r->b = ir_builder_at_end(loop->regions[0]);
    struct ir_value **v = loop->regions[0]->params;
    val rest = wc(r, f, IR_I32_SHL, v[1], DIGIT);
    val digit = i(r, IR_I32_DIV_U, high(r, f, rest), divisor);
    rest = w(r, f, IR_I32_SUB, rest, w(r, f, IR_I32_MUL, p.fb, widen(r, f, digit)));
    val more = w(r, f, IR_I32_GE_U, rest, p.fb);
    rest = rebuild_select(r, more, w(r, f, IR_I32_SUB, rest, p.fb), rest);
    digit = i(r, IR_I32_ADD, digit, more);
    val quotient = w(r, f, IR_I32_ADD, wc(r, f, IR_I32_SHL, v[2], DIGIT), widen(r, f, digit));
    val next[3] = {ic(r, IR_I32_SUB, v[0], 1), rest, quotient};
    ir_build_br_if(&r->b, next[0], loop, next, 3);
    ir_build_yield(&r->b, next + 1, 2);
    r->b = outer;

    val top = wc(r, f, IR_I32_SHL, &loop->results[1], f->bits - 1 - DIGIT * DIGITS);
    top = w(r, f, IR_I32_OR, top, not_equal(r, f, &loop->results[0], word(r, f, 0)));
    return finish(r, f, &p, a, b, round_any(r, f, top, e));
}

/* ---- square root ---- */

val soft_sqrt(struct rebuild *r, val a) {
    enum { ROOT_BITS = 54 };
    const struct fmt *f = &wide_fmt;
    val mag = wc(r, f, IR_I32_AND, a, f->sign - 1), s, e;
    normalise(r, f, mag, low(r, f, wc(r, f, IR_I32_SHR_U, mag, f->mant)), &s, &e);
    val power = ic(r, IR_I32_SUB, e, f->bias);
    val radicand =
        shift(r, f, IR_I32_SHL, s, ic(r, IR_I32_ADD, ic(r, IR_I32_AND, power, 1), 10)); /* 54 bits, at the top */

    static const enum ir_type results[2] = {IR_I64, IR_I64};
    val init[4] = {rebuild_i32(r, ROOT_BITS), radicand, rebuild_i64(r, 0), rebuild_i64(r, 0)};
    struct ir_inst *loop = ir_build_loop(&r->b, init, 4, results, 2);
    struct ir_builder outer = r->b;
    r->b = ir_builder_at_end(loop->regions[0]);
    struct ir_value **v = loop->regions[0]->params;
    val rest = w(r, f, IR_I32_OR, wc(r, f, IR_I32_SHL, v[2], 2), wc(r, f, IR_I32_SHR_U, v[1], 62));
    val test = wc(r, f, IR_I32_OR, wc(r, f, IR_I32_SHL, v[3], 2), 1);
    val fits = w(r, f, IR_I32_GE_U, rest, test);
    rest = rebuild_select(r, fits, w(r, f, IR_I32_SUB, rest, test), rest);
    val root = w(r, f, IR_I32_OR, wc(r, f, IR_I32_SHL, v[3], 1), widen(r, f, fits));
    val next[4] = {ic(r, IR_I32_SUB, v[0], 1), wc(r, f, IR_I32_SHL, v[1], 2), rest, root};
    ir_build_br_if(&r->b, next[0], loop, next, 4);
    ir_build_yield(&r->b, next + 2, 2);
    r->b = outer;

    val top = wc(r, f, IR_I32_SHL, &loop->results[1], f->bits - ROOT_BITS);
    top = w(r, f, IR_I32_OR, top, not_equal(r, f, &loop->results[0], word(r, f, 0)));
    val bits = round_word(r, f, top, ic(r, IR_I32_ADD, ic(r, IR_I32_SHR_S, power, 1), f->bias));

    val zero = w(r, f, IR_I32_EQ, mag, word(r, f, 0));
    val same = i(r, IR_I32_OR, zero, wc(r, f, IR_I32_EQ, a, f->inf));
    bits = rebuild_select(r, same, a, bits);
    val negative = i(r, IR_I32_AND, ic(r, IR_I32_LT_S, high(r, f, a), 0), ic(r, IR_I32_EQ, zero, 0));
    val nan = i(r, IR_I32_OR, negative, wc(r, f, IR_I32_GT_U, mag, f->inf));
    return rebuild_select(r, nan, word(r, f, f->nan), bits);
}
