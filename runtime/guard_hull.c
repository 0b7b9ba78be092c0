/* Hulls of nests that are no boxes: the inner loop's bounds are linear in the indices of the loops around it.
 *
 *     for (i = 0; i < n; i++)
 *       for (j = i + 1; j < n; j++)       last index of j: L(i) = n - 2 - i
 *         a[i * n + j]                    base + (4n + 4) i + 4 j,  0 <= j <= L(i)
 *
 * The box around all iterations (j up to n - 2 whatever i is) reaches a whole row behind the array, which would look
 * like an overlap with whatever stands there.  But the greatest value of a linear function over such a nest is found
 * loop by loop, from the inside out: in j it lies at j = 0 or at j = L(i), and putting either in leaves a linear
 * function of i.  This is the first step of Fourier-Motzkin elimination, exact because each loop has one upper bound.
 *
 * How L comes about.  The loop tests t_k = init + k * step against bound; init and bound are linear in the outer
 * indices.  With D = bound - init, as integers, all values being shown to stay within signed 32 bits:
 *
 *   t != bound   stops at k = D / step, which has to be a whole number everywhere.  A negative one would mean that the
 *                counter goes round all 2^32 values; it must be impossible, or the loop not entered then.  `entered`
 *                says that the loop stands behind a test for k != -1, so that -1 may occur.  (The test of an unrolled
 *                loop may be x - 1 >= 3, unsigned, for k = (x >> 2) - 1: x = 0 passes it, unless x - 1 is never
 *                negative, which is looked at here.)
 *   t < bound    stops at the least k >= 0 with k >= D / step; downwards likewise.  The last t must not wrap.
 *
 * A loop tested at the bottom runs its body for k = 0 .. K, one tested on top for k = 0 .. K - 1, if at all.
 */
#include "runtime/guard_hull.h"

#define HULL_LIMIT ((int64_t)1 << 62)

static bool add_product(int64_t *sum, int64_t a, int64_t b) {
    int64_t p;
    return !__builtin_mul_overflow(a, b, &p) && !__builtin_add_overflow(*sum, p, sum) && *sum > -HULL_LIMIT &&
           *sum < HULL_LIMIT;
}

static bool greatest(const struct hulls *h, const struct wm_launch_plan *plan, const struct hull_linear *f,
                     unsigned ndims, int64_t *out) {
    struct hull_linear g = *f;
    for (unsigned d = ndims; d-- > 0;) {
        int64_t c = g.coef[d];
        if (c <= 0)
            continue; /* index 0 */
        if (!(h->exact >> d & 1)) {
            if (!add_product(&g.constant, c, (int64_t)(plan->trips[d] - 1)))
                return false;
            continue;
        }
        const struct hull_linear *last = &h->last[d];
        int64_t at_zero = 0, at_last;
        struct hull_linear other = g;
        if (!add_product(&g.constant, c, last->constant))
            return false;
        for (unsigned e = 0; e < d; e++)
            if (!add_product(&g.coef[e], c, last->coef[e]))
                return false;
        if (!(h->clipped >> d & 1))
            continue;
        if (!greatest(h, plan, &other, d, &at_zero) || !greatest(h, plan, &g, d, &at_last))
            return false;
        *out = at_zero > at_last ? at_zero : at_last;
        return true;
    }
    *out = g.constant;
    return true;
}

bool hull_extremes(const struct hulls *h, const struct wm_launch_plan *plan, const struct hull_linear *f,
                   unsigned ndims, int64_t *out_lo, int64_t *out_hi) {
    struct hull_linear negated = {.constant = -f->constant};
    for (unsigned d = 0; d < ndims; d++)
        negated.coef[d] = -f->coef[d];
    if (!greatest(h, plan, f, ndims, out_hi) || !greatest(h, plan, &negated, ndims, out_lo))
        return false;
    *out_lo = -*out_lo;
    return true;
}

/* An affine range as a linear function whose values are those of the signed interval. */
static bool linear_of(const struct wm_kernel *k, uint64_t range, const uint64_t *slots, uint64_t ndims,
                      const struct wm_launch_plan *plan, const struct hulls *h, struct hull_linear *out,
                      int64_t *out_lo, int64_t *out_hi) {
    const struct wm_range_desc *r = &k->ranges[range];
    *out = (struct hull_linear){.constant = (int32_t)(uint32_t)slots[r->base_slot]};
    for (uint64_t d = 0; d < ndims; d++) {
        if (r->stride_slot[d] == WM_NO_SLOT)
            continue;
        out->coef[d] = (int32_t)(uint32_t)slots[r->stride_slot[d]];
        if (!add_product(&out->constant, out->coef[d], plan->first[d]))
            return false;
    }
    if (!hull_extremes(h, plan, out, (unsigned)ndims, out_lo, out_hi))
        return false;
    int64_t shift = ((*out_lo - INT32_MIN) >> 32) * ((int64_t)1 << 32);
    out->constant -= shift;
    *out_lo -= shift;
    *out_hi -= shift;
    return *out_hi <= INT32_MAX;
}

/* a / n, rounded down; n > 0. */
static int64_t divide_down(int64_t a, int64_t n) {
    return a >= 0 ? a / n : -((-a + n - 1) / n);
}

static bool divide_exactly(struct hull_linear *f, int64_t n, unsigned ndims) {
    bool exact = f->constant % n == 0;
    for (unsigned d = 0; d < ndims; d++)
        exact &= f->coef[d] % n == 0;
    if (!exact)
        return false;
    f->constant /= n;
    for (unsigned d = 0; d < ndims; d++)
        f->coef[d] /= n;
    return true;
}

static bool is_signed(uint64_t rel) {
    return rel == OFF_TRIP_LT_S || rel == OFF_TRIP_LE_S || rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GE_S;
}

static bool goes_down(uint64_t rel) {
    return rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GT_U || rel == OFF_TRIP_GE_S || rel == OFF_TRIP_GE_U;
}

static bool or_equal(uint64_t rel) {
    return rel == OFF_TRIP_LE_S || rel == OFF_TRIP_LE_U || rel == OFF_TRIP_GE_S || rel == OFF_TRIP_GE_U;
}

static bool entered(const struct wm_kernel *k, uint64_t d, const uint64_t *slots, const struct wm_launch_plan *plan,
                    const struct hulls *h) {
    const struct wm_dim *dim = &k->dims[d];
    struct hull_linear f;
    int64_t lo, hi;
    if (dim->top_tested || dim->entered < 2)
        return !dim->top_tested && dim->entered;
    return k->ranges[dim->entered - 2].op == OFF_RANGE_AFFINE &&
           linear_of(k, dim->entered - 2, slots, d, plan, h, &f, &lo, &hi) && lo >= 0;
}

bool hull_plan_dim(const struct wm_kernel *k, uint64_t d, const uint64_t *slots, const int64_t lo[2],
                   const int64_t hi[2], struct wm_launch_plan *plan, struct hulls *h) {
    const struct wm_dim *dim = &k->dims[d];
    const uint64_t ranges[2] = {dim->init_range, dim->bound_range};
    struct hull_linear ends[2], distance;
    int64_t least[2], most[2], step = (int32_t)(uint32_t)slots[dim->step_slot];
    bool linear = true;
    for (int e = 0; e < 2; e++) {
        if (k->ranges[ranges[e]].op == OFF_RANGE_AFFINE) {
            if (!linear_of(k, ranges[e], slots, d, plan, h, &ends[e], &least[e], &most[e]))
                return false;
        } else {
            linear = false;
            least[e] = lo[e];
            most[e] = hi[e];
        }
    }
    bool down = dim->rel == OFF_TRIP_NE ? step < 0 : goes_down(dim->rel);
    if (step == 0 || step == INT32_MIN || (step < 0) != down)
        return false;
    int64_t size = step < 0 ? -step : step, d_lo, d_hi;
    /* Counting down is counting up between the negated ends. */
    if (linear) {
        distance.constant = ends[1].constant - ends[0].constant;
        for (uint64_t e = 0; e < WM_MAX_DIMS; e++)
            distance.coef[e] = ends[1].coef[e] - ends[0].coef[e];
        if (down) {
            distance.constant = -distance.constant;
            for (uint64_t e = 0; e < WM_MAX_DIMS; e++)
                distance.coef[e] = -distance.coef[e];
        }
        if (!hull_extremes(h, plan, &distance, (unsigned)d, &d_lo, &d_hi))
            return false;
    } else {
        d_lo = down ? least[0] - most[1] : least[1] - most[0];
        d_hi = down ? most[0] - least[1] : most[1] - least[0];
    }

    int64_t last;
    bool clip = false;
    if (dim->rel == OFF_TRIP_NE) {
        if (!linear || !divide_exactly(&distance, size, (unsigned)d))
            return false;
        int64_t first_k = d_lo / size; /* exact as well */
        if (first_k < (entered(k, d, slots, plan, h) ? -1 : 0) || d_hi > INT32_MAX)
            return false;
        last = d_hi / size;
    } else {
        if (!is_signed(dim->rel) && (least[0] < 0 || least[1] < 0))
            return false;
        int64_t lowest = is_signed(dim->rel) ? INT32_MIN : 0, equal = or_equal(dim->rel);
        if (down ? least[1] - size - equal < lowest : most[1] + size + equal > INT32_MAX)
            return false; /* the counter might wrap before the test fails */
        last = divide_down(d_hi + equal + size - 1, size);
        if (linear) {
            distance.constant += equal + size - 1;
            linear = divide_exactly(&distance, size, (unsigned)d);
        }
        clip = !dim->top_tested;
        last = clip && last < 0 ? 0 : last;
    }
    last -= dim->top_tested != 0;
    plan->trips[d] = last < 0 ? 0 : (uint64_t)last + 1;
    if (linear && last >= 0) {
        distance.constant -= dim->top_tested != 0;
        h->last[d] = distance;
        h->exact |= UINT32_C(1) << d;
        h->clipped |= (uint32_t)clip << d;
    }
    return true;
}
