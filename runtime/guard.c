/* The guard: trip counts, ranges, conflicts and cost of one launch, from plain numbers.
 *
 * 1. Trips.  A dimension tests t_k = init + k*step (mod 2^bits).  Ordered comparisons are reduced to one case, unsigned
 *    t < bound with a positive step: flipping the sign bit turns signed order into unsigned order, and complementing
 *    turns > into < (and negates the step); both commute with adding the step.  The first k at which the test fails is
 *    then a ceiling division, and it is right as long as t_0 .. t_k stay below 2^bits; otherwise the answer is no.  A
 *    counter that moves away from its bound ends when it wraps, if it comes out on the other side of the bound.  An
 *    inequality t != bound is solved exactly in modular arithmetic: step = 2^z * odd, so k exists when 2^z divides
 *    bound - init, and is (bound - init) / 2^z * odd^-1 mod 2^(bits - z).
 *
 * 2. Ranges.  Access X at iteration vector i touches base_X + sum i_d * stride_X,d + offset + [0, bytes).  The box of
 *    all iteration vectors contains 0, where the address is base (as unsigned), so the sum is the address itself and
 *    not merely congruent to it exactly when its least value is >= 0 and its greatest is < 2^32, both moved
 *    by the multiple of 2^32 that brings the least value there.
 *
 *    A range dimension stands for a value that the kernel computes, such as a clamped coordinate: interval arithmetic
 *    over the dimensions before it gives the least and the greatest value, and every value between them counts as an
 *    iteration.  An interval that might wrap in 32 bits becomes "any value", which no address survives.
 *
 * 3. Conflicts: guard_conflict.c.
 */
#include "runtime/guard.h"

#include "runtime/guard_conflict.h"
#include "runtime/guard_hull.h"
#include "runtime/reduce.h"

#define ADDRESS_LIMIT ((int64_t)1 << 32)

/* Two-adic inverse of an odd number: x = 3a ^ 2 is right in 5 bits, each Newton step doubles that (Hacker's Delight,
 * 10-16). */
static uint64_t inverse_mod_2_64(uint64_t a) {
    uint64_t x = (3 * a) ^ 2;
    for (int bits = 5; bits < 64; bits *= 2)
        x *= 2 - a * x;
    return x;
}

/* Least k >= 0 with init + k*step == bound (mod 2^bits). */
static bool solve_not_equal(unsigned bits, uint64_t init, uint64_t step, uint64_t bound, uint64_t *out_k) {
    uint64_t mask = bits == 32 ? UINT32_MAX : UINT64_MAX;
    uint64_t delta = (bound - init) & mask;
    step &= mask;
    if (delta == 0) {
        *out_k = 0;
        return true;
    }
    if (step == 0)
        return false;
    int z = __builtin_ctzll(step);
    if (delta & (((uint64_t)1 << z) - 1))
        return false;
    *out_k = ((delta >> z) * inverse_mod_2_64(step >> z)) & (mask >> z);
    return true;
}

/* Least k >= 0 at which `t_k rel bound` fails, provided that no t before it wraps, and it neither, unless that is what
 * ends the loop: `t <u -2` with t = 8n - 1, 8n - 9, .., 7, -1 is how a loop unrolled by 8 counts down. */
static bool solve_ordered(enum off_trip_rel rel, unsigned bits, uint64_t t, uint64_t step, uint64_t bound,
                          uint64_t *out_k) {
    uint64_t mask = bits == 32 ? UINT32_MAX : UINT64_MAX;
    uint64_t sign = (mask >> 1) + 1;
    bool is_signed = rel == OFF_TRIP_LT_S || rel == OFF_TRIP_LE_S || rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GE_S;
    bool downwards = rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GT_U || rel == OFF_TRIP_GE_S || rel == OFF_TRIP_GE_U;
    bool or_equal = rel == OFF_TRIP_LE_S || rel == OFF_TRIP_LE_U || rel == OFF_TRIP_GE_S || rel == OFF_TRIP_GE_U;
    bool moves_on = (step & mask) != 0 && ((step & sign) != 0) == downwards;
    if (is_signed) {
        t ^= sign;
        bound ^= sign;
    }
    if (downwards) {
        t = ~t;
        bound = ~bound;
        step = -step;
    }
    t &= mask;
    bound &= mask;
    step &= mask;

    if (or_equal ? t > bound : t >= bound) {
        *out_k = 0;
        return true;
    }
    if (step == 0)
        return false;
    if (!moves_on) { /* moves away from the bound, until it goes below 0 and comes out above the bound */
        uint64_t size = -step & mask, rounds = t / size + 1, landing = (t - size * rounds) & mask;
        *out_k = rounds;
        return or_equal ? landing > bound : landing >= bound;
    }
    uint64_t distance = bound - t;
    uint64_t k = or_equal ? distance / step : (distance - 1) / step;
    if (k == UINT64_MAX)
        return false;
    k++;
    uint64_t travelled;
    if (__builtin_mul_overflow(k, step, &travelled) || travelled > mask - t)
        return false;
    *out_k = k;
    return true;
}

/* As wm_guard_trip, but 0 is an answer too. */
static bool solve_trip(const struct wm_dim *d, const uint64_t *slots, uint64_t *out_trip) {
    uint64_t trip;
    if (d->rel == OFF_TRIP_CONST) {
        trip = d->constant;
    } else {
        uint64_t mask = d->bits == 32 ? UINT32_MAX : UINT64_MAX;
        uint64_t init = slots[d->init_slot] & mask, step = slots[d->step_slot] & mask;
        uint64_t bound = slots[d->bound_slot] & mask;
        uint64_t k;
        bool solved = d->rel == OFF_TRIP_NE
                          ? solve_not_equal((unsigned)d->bits, init, step, bound, &k)
                          : solve_ordered((enum off_trip_rel)d->rel, (unsigned)d->bits, init, step, bound, &k);
        if (!solved || k >= WM_GUARD_MAX_TRIP)
            return false;
        trip = d->top_tested ? k : k + 1;
    }
    *out_trip = trip;
    return trip <= WM_GUARD_MAX_TRIP;
}

bool wm_guard_trip(const struct wm_dim *d, const uint64_t *slots, uint64_t *out_trip) {
    return solve_trip(d, slots, out_trip) && *out_trip != 0;
}

static uint64_t multiply_saturated(uint64_t a, uint64_t b) {
    uint64_t r;
    return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t add_saturated(uint64_t a, uint64_t b) {
    uint64_t r;
    return __builtin_add_overflow(a, b, &r) ? UINT64_MAX : r;
}

static bool holds(const uint64_t *slots, uint64_t when_slot) {
    return when_slot == WM_NO_SLOT || slots[when_slot] != 0;
}

/* ---- ranges: signed 32-bit intervals in 64-bit numbers ---- */

struct interval {
    int64_t lo, hi;
};

static const struct interval any_value = {INT32_MIN, INT32_MAX};

/* The signed interval congruent to lo .. hi, which may lie anywhere. */
static struct interval wrap_interval(int64_t lo, int64_t hi) {
    int64_t shift = ((lo - INT32_MIN) >> 32) * ADDRESS_LIMIT; /* arithmetic shift: rounds down */
    lo -= shift;
    hi -= shift;
    return hi <= INT32_MAX ? (struct interval){lo, hi} : any_value;
}

static struct interval as_unsigned(struct interval v) {
    if (v.lo >= 0)
        return v;
    return v.hi < 0 ? (struct interval){v.lo + ADDRESS_LIMIT, v.hi + ADDRESS_LIMIT}
                    : (struct interval){0, ADDRESS_LIMIT - 1};
}

static int64_t lesser(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static struct interval affine_interval(const struct wm_range_desc *r, const uint64_t *slots, uint64_t ndims,
                                       const struct wm_launch_plan *plan) {
    int64_t lo = (int32_t)(uint32_t)slots[r->base_slot], hi = lo;
    for (uint64_t d = 0; d < ndims; d++) {
        if (r->stride_slot[d] == WM_NO_SLOT)
            continue;
        int64_t stride = (int32_t)(uint32_t)slots[r->stride_slot[d]];
        int64_t start = stride * plan->first[d], extent = stride * (int64_t)(plan->trips[d] - 1);
        if (start <= -ADDRESS_LIMIT || start >= ADDRESS_LIMIT || extent <= -ADDRESS_LIMIT || extent >= ADDRESS_LIMIT)
            return any_value;
        lo += start + lesser(extent, 0);
        hi += start + greater(extent, 0);
    }
    return wrap_interval(lo, hi);
}

/* The interval of range `index`, dimensions 0 .. ndims-1 being planned. */
static struct interval evaluate_range(const struct wm_kernel *k, uint64_t index, const uint64_t *slots, uint64_t ndims,
                                      const struct wm_launch_plan *plan) {
    struct interval values[OFF_MAX_RANGES];
    for (uint64_t i = 0; i <= index; i++) {
        const struct wm_range_desc *r = &k->ranges[i];
        struct interval a, b;
        switch ((enum off_range_op)r->op) {
        case OFF_RANGE_CONST:
            values[i] = (struct interval){r->lo, r->hi};
            continue;
        case OFF_RANGE_AFFINE:
            values[i] = affine_interval(r, slots, ndims, plan);
            continue;
        case OFF_RANGE_SHIFT:
            values[i] = (struct interval){values[r->a].lo >> r->lo, values[r->a].hi >> r->lo};
            continue;
        case OFF_RANGE_SHIFT_U:
            a = as_unsigned(values[r->a]);
            values[i] = (struct interval){a.lo >> r->lo, a.hi >> r->lo};
            continue;
        default:
            break;
        }
        a = values[r->a];
        b = values[r->b];
        switch ((enum off_range_op)r->op) { /* an empty set keeps its lower or upper end */
        case OFF_RANGE_LT_S:
            values[i] = (struct interval){a.lo, greater(a.lo, lesser(a.hi, b.hi - 1))};
            continue;
        case OFF_RANGE_LE_S:
            values[i] = (struct interval){a.lo, greater(a.lo, lesser(a.hi, b.hi))};
            continue;
        case OFF_RANGE_GT_S:
            values[i] = (struct interval){lesser(a.hi, greater(a.lo, b.lo + 1)), a.hi};
            continue;
        case OFF_RANGE_GE_S:
            values[i] = (struct interval){lesser(a.hi, greater(a.lo, b.lo)), a.hi};
            continue;
        case OFF_RANGE_UNION:
            values[i] = (struct interval){lesser(a.lo, b.lo), greater(a.hi, b.hi)};
            continue;
        default:
            break;
        }
        bool is_unsigned = r->op == OFF_RANGE_MIN_U || r->op == OFF_RANGE_MAX_U;
        bool is_min = r->op == OFF_RANGE_MIN_U || r->op == OFF_RANGE_MIN_S;
        a = is_unsigned ? as_unsigned(values[r->a]) : values[r->a];
        b = is_unsigned ? as_unsigned(values[r->b]) : values[r->b];
        values[i] = is_min ? wrap_interval(lesser(a.lo, b.lo), lesser(a.hi, b.hi))
                           : wrap_interval(greater(a.lo, b.lo), greater(a.hi, b.hi));
    }
    return values[index];
}

/* ---- dimensions ---- */

/* No launch, and none of a part either. */
static bool no_trips(struct wm_launch_plan *plan) {
    plan->trips[0] = 1;
    plan->work = 0;
    return false;
}

/* Whether something that the guard has to bound moves with dimension `d`. */
static bool dim_matters(const struct wm_kernel *k, uint64_t d, const uint64_t *slots) {
    for (uint64_t i = 0; i < k->nranges; i++)
        if (k->ranges[i].op == OFF_RANGE_AFFINE && k->ranges[i].stride_slot[d] != WM_NO_SLOT)
            return true;
    for (uint64_t i = 0; i < k->naccesses; i++)
        if (k->accesses[i].stride_slot[d] != WM_NO_SLOT && holds(slots, k->accesses[i].when_slot))
            return true;
    for (uint64_t i = 0; i < k->nscalars; i++)
        if (k->scalars[i].source == OFF_SCALAR_LAST_ITERATION && k->scalars[i].slot == d)
            return true;
    return false;
}

/* Trips, grid extents and cost.  A loop that is not entered counts as one run of no cost.  Where the count of a loop
 * inside the kernel is not known and an access moves with it, the answer is no, but the cost is estimated all the same:
 * a part may be launched.  Without such an access (all loads that move with it are checked), it runs as it may. */
static bool plan_dims(const struct wm_kernel *k, const uint64_t *slots, struct wm_launch_plan *plan,
                      struct hulls *hulls) {
    bool counted = true;
    for (int a = 0; a < OFF_MAX_GRID; a++)
        plan->extent[a] = 1;
    plan->work = 0;
    plan->serial = 0;
    plan->unbounded = false;
    uint64_t runs[WM_MAX_DIMS], inner_runs[WM_MAX_DIMS];
    for (uint64_t d = 0; d < k->ndims; d++) {
        const struct wm_dim *dim = &k->dims[d];
        uint64_t around = dim->parent < 0 ? 1 : runs[dim->parent];
        plan->trips[d] = 1;
        plan->first[d] = 0;
        if (dim->rel == OFF_TRIP_RANGE) { /* costs nothing and runs nothing */
            struct interval values = evaluate_range(k, dim->constant, slots, d, plan);
            plan->first[d] = values.lo;
            plan->trips[d] = (uint64_t)(values.hi - values.lo) + 1;
            runs[d] = inner_runs[d] = 0;
            continue;
        }
        if (around == 0 || !holds(slots, dim->when_slot)) {
            if (dim->axis >= 0)
                return no_trips(plan);
            runs[d] = inner_runs[d] = 0;
            continue;
        }
        bool known = true;
        if (dim->varying) {
            struct interval init = evaluate_range(k, dim->init_range, slots, d, plan);
            struct interval bound = evaluate_range(k, dim->bound_range, slots, d, plan);
            const int64_t lo[2] = {init.lo, bound.lo}, hi[2] = {init.hi, bound.hi};
            known = hull_plan_dim(k, d, slots, lo, hi, plan, hulls);
        } else if (!dim->unbounded) {
            known = solve_trip(dim, slots, &plan->trips[d]);
        }
        if (!known) {
            if (dim->axis >= 0)
                return no_trips(plan);
            plan->trips[d] = WM_GUARD_UNBOUNDED_TRIP;
            plan->unbounded = true;
            counted &= dim->varying && !dim_matters(k, d, slots);
        }
        if (plan->trips[d] == 0) { /* tested on top: entered, but its body never runs */
            if (dim->axis >= 0)
                return no_trips(plan);
            plan->trips[d] = 1;
            runs[d] = inner_runs[d] = 0;
            continue;
        }
        uint64_t trip = dim->unbounded ? WM_GUARD_UNBOUNDED_TRIP
                        : dim->varying ? plan->trips[d] / 2 + 1 /* a triangle, as a rule */
                                       : plan->trips[d];
        runs[d] = multiply_saturated(around, trip);
        inner_runs[d] = dim->parent < 0 ? 1 : inner_runs[dim->parent];
        plan->work = add_saturated(plan->work, multiply_saturated(runs[d], dim->ops));
        if (dim->axis >= 0) {
            plan->extent[dim->axis] = (uint32_t)plan->trips[d];
        } else {
            inner_runs[d] = multiply_saturated(inner_runs[d], plan->trips[d]);
            plan->serial = add_saturated(plan->serial, inner_runs[d]);
            plan->unbounded |= dim->unbounded != 0;
        }
    }
    return counted;
}

static enum wm_fallback measure_access(const struct wm_kernel *k, const struct wm_access *a, const uint64_t *slots,
                                       const struct wm_guard_limits *limits, const struct wm_launch_plan *plan,
                                       const struct hulls *hulls, struct footprint *out) {
    int64_t base = (int64_t)(uint32_t)slots[a->base_slot];
    bool aligned = true;
    for (uint64_t d = 0; d < k->ndims; d++) {
        if (a->stride_slot[d] == WM_NO_SLOT || plan->first[d] == 0)
            continue;
        int64_t stride = (int32_t)(uint32_t)slots[a->stride_slot[d]], start = stride * plan->first[d];
        if (start <= -ADDRESS_LIMIT || start >= ADDRESS_LIMIT)
            return WM_FALLBACK_BOUNDS;
        aligned &= (stride & (int64_t)(a->align - 1)) == 0;
        base += start;
    }
    int64_t lo = base, hi = base;
    bool triangular = false;
    for (uint64_t d = 0; d < k->ndims; d++) {
        out->stride[d] = 0;
        if (a->stride_slot[d] == WM_NO_SLOT || plan->trips[d] == 1)
            continue;
        int64_t stride = (int32_t)(uint32_t)slots[a->stride_slot[d]];
        out->stride[d] = stride;
        triangular |= hulls->exact >> d & 1;
        aligned &= (stride & (int64_t)(a->align - 1)) == 0;
        int64_t extent = stride * (int64_t)(plan->trips[d] - 1); /* below 2^63: trips < 2^32, |stride| <= 2^31 */
        if (extent <= -ADDRESS_LIMIT || extent >= ADDRESS_LIMIT)
            return WM_FALLBACK_BOUNDS;
        if (extent < 0)
            lo += extent;
        else
            hi += extent;
    }
    if (triangular) {
        struct hull_linear f = {.constant = base};
        for (uint64_t d = 0; d < k->ndims; d++)
            f.coef[d] = out->stride[d];
        if (!hull_extremes(hulls, plan, &f, (unsigned)k->ndims, &lo, &hi))
            return WM_FALLBACK_BOUNDS;
    }
    int64_t shift = (lo >> 32) * ADDRESS_LIMIT; /* addresses count modulo 2^32 */
    base -= shift;
    lo -= shift;
    hi -= shift;
    if (hi >= ADDRESS_LIMIT || a->offset > (uint64_t)ADDRESS_LIMIT)
        return WM_FALLBACK_BOUNDS;
    int64_t offset = (int64_t)a->offset, bytes = (int64_t)a->bytes;
    if ((uint64_t)(hi + offset + bytes) > limits->memory_bytes)
        return WM_FALLBACK_BOUNDS;
    aligned &= ((base + offset) & (int64_t)(a->align - 1)) == 0;
    if (limits->aligned && !aligned && a->stream != OFF_NO_STREAM)
        return WM_FALLBACK_ALIGNMENT;
    out->first = base + offset;
    out->last = base + offset + bytes;
    out->lo = lo + offset;
    out->hi = hi + offset + bytes;
    out->write = a->write != 0;
    out->declared = a->declared != 0;
    return WM_FALLBACK_COUNT;
}

static void widen(struct wm_range *r, uint64_t lo, uint64_t hi) {
    if (r->lo == r->hi) {
        r->lo = lo;
        r->hi = hi;
        return;
    }
    r->lo = lo < r->lo ? lo : r->lo;
    r->hi = hi > r->hi ? hi : r->hi;
}

static bool points_are_one(const struct wm_kernel *k, const struct wm_launch_plan *plan) {
    for (unsigned d = 0; d < k->ndims; d++)
        if (k->dims[d].axis >= 0 && plan->trips[d] != 1)
            return false;
    return true;
}

bool wm_guard_decide(const struct wm_kernel *k, const uint64_t *slots, const struct wm_guard_limits *limits,
                     struct wm_launch_plan *plan, enum wm_fallback *out_why) {
    for (uint64_t c = 0; c < k->nconditions; c++) {
        if (slots[k->condition_slots[c]] == 0) {
            *out_why = WM_FALLBACK_CONDITION;
            return false;
        }
    }
    if (!wm_reduce_can_start(k, slots)) {
        *out_why = WM_FALLBACK_CONDITION;
        return false;
    }
    struct hulls hulls;
    hulls.exact = hulls.clipped = 0;
    plan->few = false;
    plan->iterations = plan->first_iteration = plan->step = plan->rounds = 0;
    if (!plan_dims(k, slots, plan, &hulls)) {
        *out_why = WM_FALLBACK_TRIP;
        return false;
    }
    /* An inspector is a launch of its own, and as much work again where it is not less. */
    uint64_t worth = k->inspector ? multiply_saturated(limits->min_work, 2) : limits->min_work;
    if (plan->work < worth) {
        *out_why = WM_FALLBACK_SMALL;
        return false;
    }
    if (k->gather_reach > limits->memory_bytes) {
        *out_why = WM_FALLBACK_BOUNDS;
        return false;
    }
    plan->memory_bytes = limits->memory_bytes;
    plan->aligned = limits->aligned;
    plan->status = NULL;
    plan->partials = NULL;
    if (k->nreduces && !wm_reduce_schedule(k, slots, limits, plan)) {
        plan->few = true;
        *out_why = WM_FALLBACK_SMALL;
        return false;
    }

    struct footprint all[OFF_MAX_ACCESSES];
    struct access_groups groups;
    groups.count = 0;
    bool privates = false;
    for (unsigned s = 0; s < k->nstreams; s++) {
        bool all = k->streams[s].kind == OFF_STREAM_MEMORY;
        plan->streams[s] = (struct wm_range){0, all ? limits->memory_bytes : 0};
        plan->written[s] = (struct wm_range){0, 0};
    }
    for (unsigned i = 0; i < k->naccesses; i++) {
        const struct wm_access *a = &k->accesses[i];
        groups.group_of[i] = GUARD_NO_GROUP;
        if (!holds(slots, a->when_slot))
            continue;
        enum wm_fallback why = measure_access(k, a, slots, limits, plan, &hulls, &all[i]);
        if (why != WM_FALLBACK_COUNT) {
            *out_why = why;
            return false;
        }
        if (a->stream != OFF_NO_STREAM) {
            widen(&plan->streams[a->stream], (uint64_t)all[i].lo, (uint64_t)all[i].hi);
            if (a->write)
                widen(&plan->written[a->stream], (uint64_t)all[i].lo, (uint64_t)all[i].hi);
        } else if (points_are_one(k, plan)) {
            *out_why = WM_FALLBACK_SMALL;
            return false;
        }
        if (a->stream != OFF_NO_STREAM && k->streams[a->stream].kind == OFF_STREAM_PRIVATE)
            privates = true;
        else
            guard_add_to_groups(k, &groups, i, (uint8_t)a->stream, &all[i]);
    }
    if (privates && !guard_privates_are_free(k, plan, &groups, all)) {
        *out_why = WM_FALLBACK_CONFLICT;
        return false;
    }
    if (!guard_points_are_free(k, plan, &groups, all) || !guard_rereads_are_free(k, plan, &groups, all) ||
        !guard_copies_are_apart(k, plan, &groups, all)) {
        *out_why = WM_FALLBACK_CONFLICT;
        return false;
    }
    return true;
}

/* All are found after the dimensions have been planned, or come with a cost that says no. */
bool wm_guard_parts_may_run(const struct wm_launch_plan *refused, enum wm_fallback why, uint64_t min_work) {
    return (why == WM_FALLBACK_TRIP || why == WM_FALLBACK_CONFLICT || why == WM_FALLBACK_BOUNDS ||
            why == WM_FALLBACK_ALIGNMENT || (why == WM_FALLBACK_SMALL && refused->few)) &&
           refused->work / refused->trips[0] >= min_work;
}

uint64_t wm_guard_scalar(const struct wm_kernel *k, uint64_t i, const uint64_t *slots,
                         const struct wm_launch_plan *plan) {
    const struct wm_scalar *s = &k->scalars[i];
    switch ((enum off_scalar_source)s->source) {
    case OFF_SCALAR_SLOT:
        return slots[s->slot];
    case OFF_SCALAR_LAST_BYTE:
        return (uint32_t)(plan->memory_bytes - 1);
    case OFF_SCALAR_ALIGNMENT:
        return plan->aligned ? UINT32_MAX : 0;
    case OFF_SCALAR_WRITTEN_FIRST: {
        const struct wm_range *w = &plan->written[s->slot];
        return w->lo == w->hi ? UINT32_MAX : (uint32_t)w->lo;
    }
    case OFF_SCALAR_WRITTEN_LAST: {
        const struct wm_range *w = &plan->written[s->slot];
        return w->lo == w->hi ? 0 : (uint32_t)(w->hi - 1);
    }
    case OFF_SCALAR_LAST_ITERATION:
        return (uint32_t)(plan->trips[s->slot] - 1);
    case OFF_SCALAR_FIRST:
        return plan->first_iteration;
    case OFF_SCALAR_STEP:
        return plan->step;
    case OFF_SCALAR_ROUNDS:
        return plan->rounds;
    case OFF_SCALAR_TRIP:
        return plan->iterations;
    }
    return 0;
}
