/* See reduce.h.
 *
 * The workers' results are combined here, on the calling thread: a few thousand operations, fewer than a second launch
 * would cost.
 */
#include "runtime/reduce.h"

#include <string.h>

enum {
    FEW_WORKERS = 64,                /* when nobody asks for a number */
    LEAST_TRIP = 16,                 /* iterations below which there is nothing to split */
    LEAST_ROUNDS = 4,                /* of each worker, where there are more iterations than workers */
    MOST_ROUNDS = UINT32_C(1) << 19, /* of each worker, where more workers can do: inspectors count their steps */
};

static float f32_of(uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    float x;
    memcpy(&x, &low, sizeof x);
    return x;
}

static double f64_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t bits_of_f32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint64_t bits_of_f64(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* ---- the value before the loop ---- */

static bool starts_with_nan(const struct wm_reduce *r, const uint64_t *slots) {
    uint64_t start = slots[r->init_slot];
    return r->type == IR_F32 ? f32_of(start) != f32_of(start) : f64_of(start) != f64_of(start);
}

bool wm_reduce_asks_start(const struct wm_reduce *r) {
    uint64_t nans = r->rule & OFF_EXTREME_NANS;
    return r->kind == OFF_REDUCE_OP && r->op == OFF_REDUCE_EXTREME &&
           ((r->rule & OFF_EXTREME_NEEDS_NUMBER) ||
            (nans == OFF_EXTREME_NAN_LOSES && (r->rule & OFF_EXTREME_NAN_LAST)));
}

bool wm_reduce_can_start(const struct wm_kernel *k, const uint64_t *slots) {
    for (uint64_t i = 0; i < k->nreduces; i++) {
        const struct wm_reduce *r = &k->reduces[i];
        if (wm_reduce_asks_start(r) && (r->rule & OFF_EXTREME_NEEDS_NUMBER) && starts_with_nan(r, slots))
            return false;
    }
    return true;
}

/* With a NaN before the loop and nothing but NaNs in it, the last one is what remains: the order matters then. */
static bool starts_in_order(const struct wm_kernel *k, const uint64_t *slots) {
    for (uint64_t i = 0; i < k->nreduces; i++)
        if (wm_reduce_asks_start(&k->reduces[i]) && starts_with_nan(&k->reduces[i], slots))
            return true;
    return false;
}

/* Of all dimensions on the grid's one axis; saturated. */
static uint64_t count_iterations(const struct wm_kernel *k, const struct wm_launch_plan *plan) {
    uint64_t n = 1;
    for (uint64_t d = 0; d < k->ndims; d++)
        if (k->dims[d].axis >= 0 && __builtin_mul_overflow(n, plan->trips[d], &n))
            return UINT64_MAX;
    return n;
}

bool wm_reduce_schedule(const struct wm_kernel *k, const uint64_t *slots, const struct wm_guard_limits *limits,
                        struct wm_launch_plan *plan) {
    uint64_t trip = count_iterations(k, plan),
             least = limits->min_work ? LEAST_ROUNDS : 1; /* 0: to be launched at any cost */
    if (trip > UINT32_MAX || (limits->min_work && trip < LEAST_TRIP))
        return false;
    uint64_t wanted = limits->workers ? limits->workers : FEW_WORKERS;
    if (wanted > trip / least)
        wanted = trip / least;
    if (wanted < trip / MOST_ROUNDS)
        wanted = trip / MOST_ROUNDS;
    if (wanted > WM_REDUCE_MAX_WORKERS)
        wanted = WM_REDUCE_MAX_WORKERS;
    uint64_t rounds = (trip + wanted - 1) / wanted;
    uint64_t count = (trip + rounds - 1) / rounds; /* none without an iteration */
    bool apart = limits->interleaved && !k->in_order && !starts_in_order(k, slots);
    plan->iterations = (uint32_t)trip;
    plan->first_iteration = apart ? 1 : (uint32_t)rounds;
    plan->step = apart ? (uint32_t)count : 1;
    plan->rounds = (uint32_t)rounds;
    plan->extent[0] = (uint32_t)count;
    if (__builtin_mul_overflow(plan->serial + 1, rounds, &plan->serial))
        plan->serial = UINT64_MAX;
    return true;
}

/* min and max of wasm: a NaN when either is one, and -0 is less than 0. */
#define WASM_EXTREME(a, b, less, bits) ((a) != (a) ? (a) : (b) != (b) ? (b) : (a) == (b) ? (bits) : (less) ? (a) : (b))

/* Whether the rule (enum off_extreme) takes y, which comes after x. */
static bool takes_later(uint64_t rule, double x, double y) {
    uint64_t nans = rule & OFF_EXTREME_NANS;
    bool x_nan = x != x, y_nan = y != y, is_max = rule & OFF_EXTREME_MAX;
    if (x_nan || y_nan) {
        if (nans == OFF_EXTREME_NAN_STAYS)
            return false;
        if (x_nan && y_nan)
            return rule & OFF_EXTREME_NAN_LAST;
        return x_nan == (nans == OFF_EXTREME_NAN_LOSES);
    }
    if (x == 0 && y == 0) {
        if (rule & OFF_EXTREME_ZEROS)
            return rule & OFF_EXTREME_ZERO_LAST;
        return bits_of_f64(x) != bits_of_f64(y) && (bits_of_f64(y) != 0) != is_max;
    }
    return is_max ? y > x : y < x;
}

static uint64_t apply_f32(enum off_reduce_op op, float a, float b) {
    uint64_t x = bits_of_f32(a), y = bits_of_f32(b);
    switch (op) {
    case OFF_REDUCE_ADD:
        return bits_of_f32(a + b);
    case OFF_REDUCE_MUL:
        return bits_of_f32(a * b);
    case OFF_REDUCE_MIN:
        return bits_of_f32(WASM_EXTREME(a, b, a < b, f32_of(x | y)));
    case OFF_REDUCE_MAX:
        return bits_of_f32(WASM_EXTREME(a, b, a > b, f32_of(x & y)));
    default:
        return x;
    }
}

static uint64_t apply_f64(enum off_reduce_op op, double a, double b) {
    uint64_t x = bits_of_f64(a), y = bits_of_f64(b);
    switch (op) {
    case OFF_REDUCE_ADD:
        return bits_of_f64(a + b);
    case OFF_REDUCE_MUL:
        return bits_of_f64(a * b);
    case OFF_REDUCE_MIN:
        return bits_of_f64(WASM_EXTREME(a, b, a < b, f64_of(x | y)));
    case OFF_REDUCE_MAX:
        return bits_of_f64(WASM_EXTREME(a, b, a > b, f64_of(x & y)));
    default:
        return x;
    }
}

/* Signed and unsigned extremes are of lanes only (lanes_apply). */
static uint64_t apply_integer(enum off_reduce_op op, uint64_t a, uint64_t b) {
    switch (op) {
    case OFF_REDUCE_ADD:
        return a + b;
    case OFF_REDUCE_MUL:
        return a * b;
    case OFF_REDUCE_AND:
        return a & b;
    case OFF_REDUCE_OR:
        return a | b;
    case OFF_REDUCE_XOR:
        return a ^ b;
    default:
        return a;
    }
}

static uint64_t apply(const struct wm_reduce *r, uint64_t a, uint64_t b) {
    enum off_reduce_op op = (enum off_reduce_op)r->op;
    if (op == OFF_REDUCE_EXTREME) {
        bool is_f32 = r->type == IR_F32;
        double x = is_f32 ? (double)f32_of(a) : f64_of(a), y = is_f32 ? (double)f32_of(b) : f64_of(b);
        return takes_later(r->rule, x, y) ? b : a;
    }
    switch (r->type) {
    case IR_F32:
        return apply_f32(op, f32_of(a), f32_of(b));
    case IR_F64:
        return apply_f64(op, f64_of(a), f64_of(b));
    case IR_I32:
        return (uint32_t)apply_integer(op, a, b);
    default:
        return apply_integer(op, a, b);
    }
}

#define COMPARE(op, a, b)                 \
    ((op) == OFF_REDUCE_LT   ? (a) < (b)  \
     : (op) == OFF_REDUCE_LE ? (a) <= (b) \
     : (op) == OFF_REDUCE_GT ? (a) > (b)  \
     : (op) == OFF_REDUCE_GE ? (a) >= (b) \
                             : false)

static bool compare(const struct wm_reduce *r, uint64_t a, uint64_t b) {
    enum off_reduce_op op = (enum off_reduce_op)r->op;
    if (r->type == IR_F32)
        return COMPARE(op, f32_of(a), f32_of(b));
    if (r->type == IR_F64)
        return COMPARE(op, f64_of(a), f64_of(b));
    switch (op) {
    case OFF_REDUCE_LT_U:
        return a < b;
    case OFF_REDUCE_LE_U:
        return a <= b;
    case OFF_REDUCE_GT_U:
        return a > b;
    case OFF_REDUCE_GE_U:
        return a >= b;
    default:
        break;
    }
    if (r->type == IR_I32)
        return COMPARE(op, (int32_t)(uint32_t)a, (int32_t)(uint32_t)b);
    return COMPARE(op, (int64_t)a, (int64_t)b);
}

/* ---- lanes ---- */

/* apply_lanes8 to apply_lanes64: an operation on integers of so many bits, in each lane. */
#define DEFINE_APPLY_LANES(bits)                                                                        \
    static uint##bits##_t apply_lane##bits(enum off_reduce_op op, uint##bits##_t x, uint##bits##_t y) { \
        int##bits##_t sx = (int##bits##_t)x, sy = (int##bits##_t)y;                                     \
        switch (op) {                                                                                   \
        case OFF_REDUCE_MIN:                                                                            \
            return sx < sy ? x : y;                                                                     \
        case OFF_REDUCE_MAX:                                                                            \
            return sx > sy ? x : y;                                                                     \
        case OFF_REDUCE_MIN_U:                                                                          \
            return x < y ? x : y;                                                                       \
        case OFF_REDUCE_MAX_U:                                                                          \
            return x > y ? x : y;                                                                       \
        default:                                                                                        \
            return (uint##bits##_t)apply_integer(op, x, y);                                             \
        }                                                                                               \
    }                                                                                                   \
    static uint64_t apply_lanes##bits(enum off_reduce_op op, uint64_t a, uint64_t b) {                  \
        uint##bits##_t x[64 / bits], y[64 / bits];                                                      \
        memcpy(x, &a, sizeof x);                                                                        \
        memcpy(y, &b, sizeof y);                                                                        \
        for (unsigned n = 0; n < 64 / bits; n++)                                                        \
            x[n] = apply_lane##bits(op, x[n], y[n]);                                                    \
        memcpy(&a, x, sizeof x);                                                                        \
        return a;                                                                                       \
    }
DEFINE_APPLY_LANES(8)
DEFINE_APPLY_LANES(16)
DEFINE_APPLY_LANES(32)
DEFINE_APPLY_LANES(64)

static uint64_t apply_lanes(const struct wm_reduce *r, uint64_t a, uint64_t b) {
    enum off_reduce_op op = (enum off_reduce_op)r->op;
    if (r->type == IR_F64)
        return apply_f64(op, f64_of(a), f64_of(b));
    if (r->type == IR_F32)
        return apply_f32(op, f32_of(a), f32_of(b)) | apply_f32(op, f32_of(a >> 32), f32_of(b >> 32)) << 32;
    return r->lane_bytes == 1   ? apply_lanes8(op, a, b)
           : r->lane_bytes == 2 ? apply_lanes16(op, a, b)
           : r->lane_bytes == 4 ? apply_lanes32(op, a, b)
                                : apply_lanes64(op, a, b);
}

/* The comparison in the lane whose bits begin at `at`. */
static bool compare_lane(const struct wm_reduce *r, uint64_t a, uint64_t b, unsigned at) {
    unsigned unused = 64 - (unsigned)r->lane_bytes * 8;
    if (r->type == IR_F32 || r->type == IR_F64 || !unused)
        return compare(r, a >> at, b >> at);
    bool is_unsigned = r->op >= OFF_REDUCE_LT_U && r->op <= OFF_REDUCE_GE_U;
    a = a >> at << unused;
    b = b >> at << unused;
    a = is_unsigned ? a >> unused : (uint64_t)((int64_t)a >> unused);
    b = is_unsigned ? b >> unused : (uint64_t)((int64_t)b >> unused);
    return compare(r, a, b);
}

/* ---- combining ---- */

static uint64_t combined(const struct wm_reduce *r, uint64_t a, uint64_t b) {
    return r->lane_bytes ? apply_lanes(r, a, b) : apply(r, a, b);
}

/* All ones where `a OP b`, zeros elsewhere. */
static uint64_t where(const struct wm_reduce *r, uint64_t a, uint64_t b) {
    if (!r->lane_bytes)
        return compare(r, a, b) ? UINT64_MAX : 0;
    unsigned width = (unsigned)r->lane_bytes * 8;
    uint64_t mask = 0, lane = UINT64_MAX >> (64 - width);
    for (unsigned at = 0; at < 64; at += width)
        mask |= compare_lane(r, a, b, at) ? lane << at : 0;
    return mask;
}

void wm_reduce_combine(const struct wm_kernel *k, const uint64_t *slots, const struct wm_launch_plan *plan,
                       uint64_t *out_values) {
    uint64_t taken[OFF_MAX_REDUCES], values[OFF_MAX_REDUCES]; /* taken: the bits that the worker's value replaces */
    for (uint64_t i = 0; i < k->nreduces; i++)
        values[i] = k->reduces[i].kind == OFF_REDUCE_FLAG ? 0 : slots[k->reduces[i].init_slot];
    for (uint64_t w = 0; w < plan->extent[0]; w++)
        for (uint64_t i = 0; i < k->nreduces; i++) {
            const struct wm_reduce *r = &k->reduces[i];
            uint64_t part = plan->partials[w * k->nreduces + i];
            if (!r->lane_bytes && (r->type == IR_I32 || r->type == IR_F32))
                part = (uint32_t)part; /* the other half of the word was never written */
            switch ((enum off_reduce_kind)r->kind) {
            case OFF_REDUCE_OP:
                values[i] = combined(r, values[i], part);
                continue;
            case OFF_REDUCE_FLAG:
                taken[i] = r->lane_bytes ? part : part ? UINT64_MAX : 0;
                continue;
            case OFF_REDUCE_PICK:
                taken[i] = where(r, part, values[i]) & (r->flag == WM_NONE ? UINT64_MAX : taken[r->flag]);
                break;
            case OFF_REDUCE_KEEP:
                taken[i] = taken[r->flag] | ~where(r, values[i], part);
                break;
            case OFF_REDUCE_PAYLOAD:
                taken[i] = taken[r->lead];
                break;
            case OFF_REDUCE_LAST:
                taken[i] = taken[r->flag];
                break;
            }
            values[i] = (part & taken[i]) | (values[i] & ~taken[i]);
        }
    memcpy(out_values, values, k->nreduces * sizeof values[0]);
}

/* Whether lanes of this width hold the type. */
static bool shape_valid(const struct wm_reduce *r) {
    switch (r->lane_bytes) {
    case 0:
        return true;
    case 1:
    case 2:
        return r->type == IR_I32;
    case 4:
        return r->type == IR_I32 || r->type == IR_F32;
    default:
        return r->lane_bytes == 8 && (r->type == IR_I64 || r->type == IR_F64);
    }
}

static bool rule_valid(const struct wm_reduce *r) {
    return r->kind == OFF_REDUCE_OP && (r->type == IR_F32 || r->type == IR_F64) && !r->lane_bytes &&
           r->rule < 2 * OFF_EXTREME_NEEDS_NUMBER && (r->rule & OFF_EXTREME_ZEROS) != OFF_EXTREME_ZEROS &&
           (r->rule & OFF_EXTREME_NANS) != OFF_EXTREME_NANS;
}

static bool is_earlier(const struct wm_kernel *k, uint64_t index, uint64_t than, bool flag) {
    if (index >= than)
        return false;
    uint64_t kind = k->reduces[index].kind;
    return flag ? kind == OFF_REDUCE_FLAG : kind == OFF_REDUCE_PICK || kind == OFF_REDUCE_KEEP;
}

bool wm_reduce_valid(const struct wm_kernel *k) {
    if (k->nreduces == 0)
        return true;
    if (k->nreduces > OFF_MAX_REDUCES || k->ngrid != 1 || k->ndims == 0 || k->dims[0].axis != 0 || k->nstreams == 0 ||
        k->streams[k->nstreams - 1].kind != OFF_STREAM_PARTIALS)
        return false;
    for (uint64_t i = 0; i < k->nreduces; i++) {
        const struct wm_reduce *r = &k->reduces[i];
        bool flagged = r->kind == OFF_REDUCE_KEEP || r->kind == OFF_REDUCE_LAST;
        if (r->kind > OFF_REDUCE_LAST || r->op >= OFF_REDUCE_OP_COUNT || r->type > IR_F64 || !shape_valid(r) ||
            (r->kind != OFF_REDUCE_FLAG && r->init_slot >= k->nslots) ||
            (r->kind == OFF_REDUCE_PAYLOAD && !is_earlier(k, r->lead, i, false)) ||
            (r->op == OFF_REDUCE_EXTREME && !rule_valid(r)) ||
            ((flagged || r->flag != WM_NONE) && !is_earlier(k, r->flag, i, true)))
            return false;
    }
    return true;
}
