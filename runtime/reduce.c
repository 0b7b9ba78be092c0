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

bool wm_reduce_schedule(const struct wm_kernel *k, const struct wm_guard_limits *limits, struct wm_launch_plan *plan) {
    uint64_t trip = plan->trips[0], least = limits->min_work ? LEAST_ROUNDS : 1; /* 0: to be launched at any cost */
    if (limits->min_work && trip < LEAST_TRIP)
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
    bool apart = limits->interleaved && !k->in_order;
    plan->first_iteration = apart ? 1 : (uint32_t)rounds;
    plan->step = apart ? (uint32_t)count : 1;
    plan->rounds = (uint32_t)rounds;
    plan->extent[0] = (uint32_t)count;
    if (__builtin_mul_overflow(plan->serial + 1, rounds, &plan->serial))
        plan->serial = UINT64_MAX;
    return true;
}

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

/* min and max of wasm: a NaN when either is one, and -0 is less than 0. */
#define WASM_EXTREME(a, b, less, bits) ((a) != (a) ? (a) : (b) != (b) ? (b) : (a) == (b) ? (bits) : (less) ? (a) : (b))

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

void wm_reduce_combine(const struct wm_kernel *k, const uint64_t *slots, const struct wm_launch_plan *plan,
                       uint64_t *out_values) {
    bool taken[OFF_MAX_REDUCES];
    uint64_t values[OFF_MAX_REDUCES];
    for (uint64_t i = 0; i < k->nreduces; i++)
        values[i] = k->reduces[i].kind == OFF_REDUCE_FLAG ? 0 : slots[k->reduces[i].init_slot];
    for (uint64_t w = 0; w < plan->extent[0]; w++)
        for (uint64_t i = 0; i < k->nreduces; i++) {
            const struct wm_reduce *r = &k->reduces[i];
            uint64_t part = plan->partials[w * k->nreduces + i];
            if (r->type == IR_I32 || r->type == IR_F32)
                part = (uint32_t)part; /* the other half of the word was never written */
            switch ((enum off_reduce_kind)r->kind) {
            case OFF_REDUCE_OP:
                values[i] = apply(r, values[i], part);
                continue;
            case OFF_REDUCE_FLAG:
                taken[i] = part != 0;
                continue;
            case OFF_REDUCE_PICK:
                taken[i] = (r->flag == WM_NONE || taken[r->flag]) && compare(r, part, values[i]);
                break;
            case OFF_REDUCE_KEEP:
                taken[i] = taken[r->flag] || !compare(r, values[i], part);
                break;
            case OFF_REDUCE_PAYLOAD:
                taken[i] = taken[r->lead];
                break;
            case OFF_REDUCE_LAST:
                taken[i] = taken[r->flag];
                break;
            }
            if (taken[i])
                values[i] = part;
        }
    memcpy(out_values, values, k->nreduces * sizeof values[0]);
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
        if (r->kind > OFF_REDUCE_LAST || r->op >= OFF_REDUCE_OP_COUNT || r->type > IR_F64 ||
            (r->kind != OFF_REDUCE_FLAG && r->init_slot >= k->nslots) ||
            (r->kind == OFF_REDUCE_PAYLOAD && !is_earlier(k, r->lead, i, false)) ||
            ((flagged || r->flag != WM_NONE) && !is_earlier(k, r->flag, i, true)))
            return false;
    }
    return true;
}
