/* What partial results come to (wm_reduce_combine): loops over random values, run in order, and again as workers that
 * each run some iterations in order (ir/offload/reduce.h says how they start); the bits must be the same, NaN payloads
 * of min, max and float sums excepted.  Values come from small sets, so that ties, zeros of both signs and NaN are
 * common. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/reduce.h"

enum { TRIPS = 24, ROUNDS = 4000, MOST = 4 };

static uint64_t seed = 1;
static uint32_t variety; /* of the values of this round */

static uint32_t random_below(uint32_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static uint64_t f32_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static float f32_of(uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    float x;
    memcpy(&x, &low, sizeof x);
    return x;
}
static uint64_t f64_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static double f64_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t random_value(uint64_t type, bool nan) {
    static const float floats[] = {0.0f, -0.0f, 1.0f, -1.0f, 2.5f, -2.5f, 1e30f, -1e30f};
    static const uint64_t wholes[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x8000000000000000, UINT64_MAX};
    uint32_t pick = random_below(nan ? variety + 2 : variety);
    switch (type) {
    case IR_F32:
        return pick < variety ? f32_bits(floats[pick]) : 0x7fc00000 + pick; /* NaNs that can be told apart */
    case IR_F64:
        return pick < variety ? f64_bits((double)floats[pick]) : UINT64_C(0x7ff8000000000000) + pick;
    case IR_I32:
        return (uint32_t)wholes[pick % 8];
    default:
        return wholes[pick % 8];
    }
}

static bool is_nan(uint64_t type, uint64_t x) {
    return (type == IR_F32 && f32_of(x) != f32_of(x)) || (type == IR_F64 && f64_of(x) != f64_of(x));
}

/* ---- wasm's operations, written a second time ---- */

static bool holds(uint64_t type, enum off_reduce_op op, uint64_t a, uint64_t b) {
    bool less, equal;
    bool is_unsigned = op >= OFF_REDUCE_LT_U;
    if (is_nan(type, a) || is_nan(type, b))
        return false;
    if (type == IR_F32) {
        less = f32_of(a) < f32_of(b);
        equal = f32_of(a) == f32_of(b);
    } else if (type == IR_F64) {
        less = f64_of(a) < f64_of(b);
        equal = f64_of(a) == f64_of(b);
    } else {
        uint64_t flip = is_unsigned ? 0 : type == IR_I32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
        less = (a ^ flip) < (b ^ flip);
        equal = a == b;
    }
    switch (op) {
    case OFF_REDUCE_LT:
    case OFF_REDUCE_LT_U:
        return less;
    case OFF_REDUCE_LE:
    case OFF_REDUCE_LE_U:
        return less || equal;
    case OFF_REDUCE_GT:
    case OFF_REDUCE_GT_U:
        return !less && !equal;
    default:
        return !less;
    }
}

static uint64_t extreme(uint64_t type, bool max, uint64_t a, uint64_t b) {
    if (is_nan(type, a) || is_nan(type, b))
        return is_nan(type, a) ? a : b;
    if (holds(type, OFF_REDUCE_LT, a, b))
        return max ? b : a;
    if (holds(type, OFF_REDUCE_LT, b, a))
        return max ? a : b;
    return max ? a & b : a | b; /* zeros: only the sign differs */
}

static uint64_t apply(uint64_t type, enum off_reduce_op op, uint64_t a, uint64_t b) {
    uint64_t mask = type == IR_I32 ? UINT32_MAX : UINT64_MAX;
    bool wide = type == IR_F64, whole = type == IR_I32 || type == IR_I64;
    switch (op) {
    case OFF_REDUCE_ADD:
        return whole ? (a + b) & mask : wide ? f64_bits(f64_of(a) + f64_of(b)) : f32_bits(f32_of(a) + f32_of(b));
    case OFF_REDUCE_MUL:
        return whole ? (a * b) & mask : wide ? f64_bits(f64_of(a) * f64_of(b)) : f32_bits(f32_of(a) * f32_of(b));
    case OFF_REDUCE_AND:
        return a & b;
    case OFF_REDUCE_OR:
        return a | b;
    case OFF_REDUCE_XOR:
        return a ^ b;
    default:
        return extreme(type, op == OFF_REDUCE_MAX, a, b);
    }
}

/* ---- one loop ---- */

struct workers {
    struct wm_reduce reduces[MOST];
    struct wm_kernel kernel;
    uint64_t slots[MOST], partials[TRIPS * MOST], values[MOST];
    struct wm_launch_plan plan;
    unsigned count, first[TRIPS + 1]; /* worker w runs iterations first[w] .. first[w + 1] - 1 */
};

/* Cuts the iterations into runs of random lengths. */
static void begin(struct workers *w, unsigned nreduces) {
    memset(w, 0, sizeof *w);
    variety = random_below(2) ? 8 : 2; /* two: the zeros, 0 and 1 */
    for (unsigned i = 0; i < MOST; i++)
        w->reduces[i] = (struct wm_reduce){.init_slot = i, .lead = WM_NONE, .flag = WM_NONE};
    w->kernel.nreduces = nreduces;
    w->kernel.reduces = w->reduces;
    for (unsigned at = 0; at < TRIPS; at += 1 + random_below(TRIPS / 3))
        w->first[w->count++] = at;
    w->first[w->count] = TRIPS;
    w->plan.extent[0] = w->count;
    w->plan.partials = w->partials;
}

/* A worker's result, with rubbish in the half that a narrow one does not write. */
static void give(struct workers *w, unsigned worker, unsigned reduce, uint64_t bits) {
    uint64_t type = w->reduces[reduce].type;
    if (type == IR_I32 || type == IR_F32)
        bits = (uint32_t)bits | (uint64_t)random_below(3) << 40;
    w->partials[worker * w->kernel.nreduces + reduce] = bits;
}

static void operations(void **state) {
    (void)state;
    static const uint64_t types[] = {IR_I32, IR_I64, IR_F32, IR_F64};
    for (int round = 0; round < ROUNDS; round++) {
        struct workers w;
        begin(&w, 1);
        uint64_t type = types[random_below(4)];
        bool whole = type == IR_I32 || type == IR_I64;
        enum off_reduce_op op =
            (enum off_reduce_op)(whole ? random_below(OFF_REDUCE_MIN) : OFF_REDUCE_MIN + random_below(2));
        static const uint64_t identities[] = {0, 1, UINT64_MAX, 0, 0};
        uint64_t identity = whole            ? identities[op]
                            : type == IR_F32 ? f32_bits(op == OFF_REDUCE_MIN ? __builtin_inff() : -__builtin_inff())
                                             : f64_bits(op == OFF_REDUCE_MIN ? __builtin_inf() : -__builtin_inf());
        w.reduces[0].kind = OFF_REDUCE_OP;
        w.reduces[0].op = op;
        w.reduces[0].type = type;
        uint64_t x = w.slots[0] = random_value(type, random_below(4) == 0);
        for (unsigned k = 0; k < w.count; k++) {
            uint64_t part = identity;
            for (unsigned i = w.first[k]; i < w.first[k + 1]; i++) {
                uint64_t e = random_value(type, random_below(8) == 0);
                x = apply(type, op, x, e);
                part = apply(type, op, part, e);
            }
            give(&w, k, 0, part);
        }
        wm_reduce_combine(&w.kernel, w.slots, &w.plan, w.values);
        if (is_nan(type, x))
            assert_true(is_nan(type, w.values[0]));
        else
            assert_int_equal(w.values[0], x);
    }
}

/* ---- extremes of floats that take one of the two as it is ---- */

static uint64_t take(uint64_t type, uint64_t rule, uint64_t m, uint64_t e) {
    bool max = rule & OFF_EXTREME_MAX;
    if (is_nan(type, m) && is_nan(type, e) && !(rule & OFF_EXTREME_NAN_STAYS))
        return rule & OFF_EXTREME_NAN_LAST ? e : m;
    if (is_nan(type, m))
        return (rule & OFF_EXTREME_NANS) == OFF_EXTREME_NAN_LOSES ? e : m;
    if (is_nan(type, e))
        return rule & OFF_EXTREME_NAN_WINS ? e : m;
    if (holds(type, OFF_REDUCE_LT, m, e))
        return max ? e : m;
    if (holds(type, OFF_REDUCE_LT, e, m))
        return max ? m : e;
    if (rule & OFF_EXTREME_ZEROS)
        return rule & OFF_EXTREME_ZERO_LAST ? e : m;
    return max ? m & e : m | e;
}

static uint64_t worst(uint64_t type, bool max) {
    double x = max ? -__builtin_inf() : __builtin_inf();
    return type == IR_F32 ? f32_bits((float)x) : f64_bits(x);
}

/* Workers that may have taken nothing, each from what reduce.h says, in another order where the order is open. */
static void extremes(void **state) {
    (void)state;
    static const uint64_t nans[] = {OFF_EXTREME_NAN_LOSES, OFF_EXTREME_NAN_LOSES | OFF_EXTREME_NAN_LAST,
                                    OFF_EXTREME_NAN_WINS, OFF_EXTREME_NAN_WINS | OFF_EXTREME_NAN_LAST,
                                    OFF_EXTREME_NAN_STAYS};
    int refused = 0, nan_results = 0;
    for (int round = 0; round < 4 * ROUNDS; round++) {
        struct workers w;
        begin(&w, 1);
        uint64_t type = random_below(2) ? IR_F32 : IR_F64, sign = type == IR_F32 ? 31 : 63;
        uint64_t rule = random_below(2) | 2 * random_below(3) | nans[random_below(5)];
        bool loses = (rule & OFF_EXTREME_NANS) == OFF_EXTREME_NAN_LOSES, straight = random_below(2);
        bool before = loses && !(rule & OFF_EXTREME_ZERO_LAST);
        if (loses && (!before || ((rule & OFF_EXTREME_NAN_LAST) && !straight)))
            rule |= OFF_EXTREME_NEEDS_NUMBER;
        w.reduces[0].kind = OFF_REDUCE_OP;
        w.reduces[0].op = OFF_REDUCE_EXTREME;
        w.reduces[0].type = type;
        w.reduces[0].rule = rule;
        uint64_t x = w.slots[0] = random_value(type, random_below(3) == 0);
        unsigned numbers = random_below(3); /* 0: NaNs alone */
        bool ordered = (rule & (OFF_EXTREME_ZEROS | OFF_EXTREME_NAN_WINS)) ||
                       (wm_reduce_asks_start(&w.reduces[0]) && is_nan(type, x));
        unsigned turn = ordered ? 0 : random_below(w.count);
        for (unsigned k = 0; k < w.count; k++) {
            uint64_t part = before ? w.slots[0] : worst(type, rule & OFF_EXTREME_MAX);
            for (unsigned i = w.first[k]; i < w.first[k + 1]; i++) {
                uint64_t e = random_value(type, random_below(4) == 0);
                if (!numbers)
                    e = (type == IR_F32 ? 0x7fc00000 : UINT64_C(0x7ff8000000000000)) + i + 1;
                if (is_nan(type, e) && random_below(2))
                    e ^= UINT64_C(1) << sign;
                if (!straight && random_below(2))
                    continue;
                x = take(type, rule, x, e);
                part = take(type, rule, part, e);
            }
            give(&w, (k + turn) % w.count, 0, part);
        }
        if (!wm_reduce_can_start(&w.kernel, w.slots)) {
            assert_true(is_nan(type, w.slots[0]) && (rule & OFF_EXTREME_NEEDS_NUMBER));
            refused++;
            continue;
        }
        wm_reduce_combine(&w.kernel, w.slots, &w.plan, w.values);
        assert_int_equal(w.values[0], x);
        nan_results += is_nan(type, x);
    }
    assert_true(refused && nan_results);
}

/* --fp=reassociate: shares are added in order, to the value before the loop. */
static void float_sums(void **state) {
    (void)state;
    struct workers w;
    begin(&w, 2);
    w.plan.extent[0] = 3;
    w.reduces[0] = (struct wm_reduce){OFF_REDUCE_OP, OFF_REDUCE_ADD, IR_F32, 0, 0, WM_NONE, WM_NONE, 0};
    w.reduces[1] = (struct wm_reduce){OFF_REDUCE_OP, OFF_REDUCE_MUL, IR_F64, 0, 1, WM_NONE, WM_NONE, 0};
    static const float shares[3] = {1e8f, -1e8f, 0.25f};
    static const double factors[3] = {1e300, 1e300, 1e-300};
    w.slots[0] = f32_bits(1.0f);
    w.slots[1] = f64_bits(2.0);
    for (unsigned k = 0; k < 3; k++) {
        give(&w, k, 0, f32_bits(shares[k]));
        give(&w, k, 1, f64_bits(factors[k]));
    }
    wm_reduce_combine(&w.kernel, w.slots, &w.plan, w.values);
    assert_int_equal(w.values[0], f32_bits(0.25f)); /* 1 + 1e8 is 1e8 */
    assert_int_equal(w.values[1], f64_bits(__builtin_inf()));
}

/* if (x REL best) { best = x; at = i; }, and REL not strict needs to know whether a worker took anything. */
static void picks(void **state) {
    (void)state;
    static const uint64_t types[] = {IR_I32, IR_I64, IR_F32, IR_F64};
    for (int round = 0; round < ROUNDS; round++) {
        struct workers w;
        begin(&w, 3);
        uint64_t type = types[random_below(4)];
        bool whole = type == IR_I32 || type == IR_I64;
        enum off_reduce_op op = (enum off_reduce_op)(OFF_REDUCE_LT + random_below(whole ? 8 : 4));
        w.reduces[0].kind = OFF_REDUCE_FLAG;
        w.reduces[0].init_slot = WM_NO_SLOT;
        w.reduces[0].type = IR_I32;
        w.reduces[1].kind = OFF_REDUCE_PICK;
        w.reduces[1].op = op;
        w.reduces[1].type = type;
        w.reduces[1].flag = holds(type, op, 0, 0) ? 0 : WM_NONE;
        w.reduces[2].kind = OFF_REDUCE_PAYLOAD;
        w.reduces[2].type = IR_I64;
        w.reduces[2].lead = 1;
        uint64_t best = w.slots[1] = random_value(type, random_below(4) == 0), at = w.slots[2] = 777;
        for (unsigned k = 0; k < w.count; k++) {
            uint64_t part = w.slots[1], where = w.slots[2], any = 0;
            for (unsigned i = w.first[k]; i < w.first[k + 1]; i++) {
                uint64_t x = random_value(type, random_below(4) == 0);
                if (holds(type, op, x, best)) {
                    best = x;
                    at = i;
                }
                if (holds(type, op, x, part)) {
                    part = x;
                    where = i;
                    any = 1;
                }
            }
            give(&w, k, 0, any);
            give(&w, k, 1, part);
            give(&w, k, 2, where);
        }
        wm_reduce_combine(&w.kernel, w.slots, &w.plan, w.values);
        assert_int_equal(w.values[1], best);
        assert_int_equal(w.values[2], at);
    }
}

/* best = best REL x ? best : x, which takes a NaN too, and what comes after it. */
static void keeps(void **state) {
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct workers w;
        begin(&w, 3);
        uint64_t type = random_below(2) ? IR_F32 : IR_F64;
        enum off_reduce_op op = (enum off_reduce_op)(OFF_REDUCE_LT + random_below(4));
        w.reduces[0].kind = OFF_REDUCE_FLAG;
        w.reduces[0].init_slot = WM_NO_SLOT;
        w.reduces[0].type = IR_I32;
        w.reduces[1].kind = OFF_REDUCE_KEEP;
        w.reduces[1].op = op;
        w.reduces[1].type = type;
        w.reduces[1].flag = 0;
        w.reduces[2].kind = OFF_REDUCE_PAYLOAD;
        w.reduces[2].type = IR_I32;
        w.reduces[2].lead = 1;
        uint64_t best = w.slots[1] = random_value(type, random_below(4) == 0), at = w.slots[2] = 777;
        for (unsigned k = 0; k < w.count; k++) {
            uint64_t part = type == IR_F32 ? 0x7fc00000 : 0x7ff8000000000000, where = 999, met = 0;
            for (unsigned i = w.first[k]; i < w.first[k + 1]; i++) {
                uint64_t x = random_value(type, random_below(6) == 0);
                met |= is_nan(type, x);
                if (!holds(type, op, best, x)) {
                    best = x;
                    at = i;
                }
                if (!holds(type, op, part, x)) {
                    part = x;
                    where = i;
                }
            }
            give(&w, k, 0, met);
            give(&w, k, 1, part);
            give(&w, k, 2, where);
        }
        wm_reduce_combine(&w.kernel, w.slots, &w.plan, w.values);
        assert_int_equal(w.values[1], best);
        assert_int_equal(w.values[2], at);
    }
}

static void lasts(void **state) {
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct workers w;
        begin(&w, 2);
        w.reduces[0].kind = OFF_REDUCE_FLAG;
        w.reduces[0].init_slot = WM_NO_SLOT;
        w.reduces[0].type = IR_I32;
        w.reduces[1].kind = OFF_REDUCE_LAST;
        w.reduces[1].type = IR_I64;
        w.reduces[1].flag = 0;
        uint64_t found = w.slots[1] = 777;
        for (unsigned k = 0; k < w.count; k++) {
            uint64_t part = 999, any = 0; /* never looked at when nothing was met */
            for (unsigned i = w.first[k]; i < w.first[k + 1]; i++)
                if (random_below(12) == 0) {
                    found = part = i;
                    any = 1;
                }
            give(&w, k, 0, any);
            give(&w, k, 1, part);
        }
        wm_reduce_combine(&w.kernel, w.slots, &w.plan, w.values);
        assert_int_equal(w.values[1], found);
    }
}

/* ---- lanes of vectors ---- */

static int64_t lane_of(uint64_t word, unsigned lane, unsigned bytes, bool is_signed) {
    unsigned unused = 64 - 8 * bytes;
    uint64_t top = word >> lane * bytes * 8 << unused;
    return is_signed ? (int64_t)top >> unused : (int64_t)(top >> unused);
}

/* One lane of an operation on integers, all but the lowest `bytes` of no account. */
static uint64_t apply_lane(enum off_reduce_op op, uint64_t a, uint64_t b, unsigned lane, unsigned bytes) {
    bool is_signed = op == OFF_REDUCE_MIN || op == OFF_REDUCE_MAX;
    int64_t x = lane_of(a, lane, bytes, is_signed), y = lane_of(b, lane, bytes, is_signed);
    bool less = is_signed ? x < y : (uint64_t)x < (uint64_t)y;
    if (op == OFF_REDUCE_MIN || op == OFF_REDUCE_MIN_U)
        return (uint64_t)(less ? x : y);
    if (op == OFF_REDUCE_MAX || op == OFF_REDUCE_MAX_U)
        return (uint64_t)(less ? y : x);
    return apply(IR_I64, op, (uint64_t)x, (uint64_t)y);
}

/* Bytes from a small set, so that lanes tie. */
static uint64_t random_lanes(void) {
    static const uint8_t bytes[] = {0, 1, 0x7f, 0x80, 0xff, 0x3f};
    uint64_t word = 0;
    for (unsigned k = 0; k < 8; k++)
        word = word << 8 | bytes[random_below(6)];
    return word;
}

static void lanes_of_operations(void **state) {
    (void)state;
    static const enum off_reduce_op ops[] = {OFF_REDUCE_ADD, OFF_REDUCE_MUL,   OFF_REDUCE_AND,
                                             OFF_REDUCE_OR,  OFF_REDUCE_XOR,   OFF_REDUCE_MIN,
                                             OFF_REDUCE_MAX, OFF_REDUCE_MIN_U, OFF_REDUCE_MAX_U};
    for (int round = 0; round < ROUNDS; round++) {
        struct workers w;
        begin(&w, 1);
        unsigned bytes = 1u << random_below(4);
        enum off_reduce_op op = ops[random_below(9)];
        w.reduces[0].kind = OFF_REDUCE_OP;
        w.reduces[0].op = op;
        w.reduces[0].type = bytes == 8 ? IR_I64 : IR_I32;
        w.reduces[0].lane_bytes = bytes;
        uint64_t want = w.slots[0] = random_lanes(), mask = UINT64_MAX >> (64 - 8 * bytes);
        for (unsigned k = 0; k < w.count; k++) {
            uint64_t part = w.partials[k] = random_lanes(), next = 0;
            for (unsigned lane = 0; lane < 8 / bytes; lane++)
                next |= (apply_lane(op, want, part, lane, bytes) & mask) << lane * bytes * 8;
            want = next;
        }
        wm_reduce_combine(&w.kernel, w.slots, &w.plan, w.values);
        assert_int_equal(w.values[0], want);
    }
}

/* A flag, a key that is taken where the flag and a comparison say so, its payload, and a last value by the flag. */
static void lanes_of_picks(void **state) {
    (void)state;
    static const uint64_t types[] = {IR_I32, IR_I32, IR_I32, IR_I64, IR_F32, IR_F64};
    static const uint8_t widths[] = {1, 2, 4, 8, 4, 8};
    for (int round = 0; round < ROUNDS; round++) {
        struct workers w;
        begin(&w, 4);
        unsigned shape = random_below(6), bytes = widths[shape];
        uint64_t type = types[shape];
        bool whole = shape < 4;
        enum off_reduce_op op = (enum off_reduce_op)(OFF_REDUCE_LT + random_below(whole ? 8 : 4));
        w.reduces[0].kind = OFF_REDUCE_FLAG;
        w.reduces[1].kind = OFF_REDUCE_PICK;
        w.reduces[1].op = op;
        w.reduces[1].flag = random_below(2) ? 0 : WM_NONE;
        w.reduces[2].kind = OFF_REDUCE_PAYLOAD;
        w.reduces[2].lead = 1;
        w.reduces[3].kind = OFF_REDUCE_LAST;
        w.reduces[3].flag = 0;
        for (unsigned i = 0; i < 4; i++) {
            w.reduces[i].type = type;
            w.reduces[i].lane_bytes = bytes;
            w.slots[i] = random_lanes();
        }
        uint64_t want[4], full = UINT64_MAX >> (64 - 8 * bytes);
        memcpy(want, w.slots, sizeof want);
        for (unsigned k = 0; k < w.count; k++) {
            uint64_t *part = &w.partials[k * 4];
            for (unsigned i = 0; i < 4; i++)
                part[i] = random_lanes();
            part[0] = 0;
            for (unsigned lane = 0; lane < 8 / bytes; lane++)
                part[0] |= (random_below(2) ? full : 0) << lane * bytes * 8;
            for (unsigned lane = 0; lane < 8 / bytes; lane++) {
                uint64_t mask = full << lane * bytes * 8;
                bool set = (part[0] & mask) != 0, is_signed = whole && op < OFF_REDUCE_LT_U;
                uint64_t x = (uint64_t)lane_of(part[1], lane, bytes, is_signed);
                uint64_t best = (uint64_t)lane_of(want[1], lane, bytes, is_signed);
                bool taken = holds(whole ? IR_I64 : type, op, x, best) && (set || w.reduces[1].flag == WM_NONE);
                for (unsigned i = 1; i < 4; i++)
                    if (i == 3 ? set : taken)
                        want[i] = (want[i] & ~mask) | (part[i] & mask);
            }
        }
        wm_reduce_combine(&w.kernel, w.slots, &w.plan, w.values);
        for (unsigned i = 1; i < 4; i++)
            assert_int_equal(w.values[i], want[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),     cmocka_unit_test(float_sums), cmocka_unit_test(picks),
        cmocka_unit_test(keeps),          cmocka_unit_test(lasts),      cmocka_unit_test(lanes_of_operations),
        cmocka_unit_test(lanes_of_picks), cmocka_unit_test(extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
