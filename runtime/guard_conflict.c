/* Conflicts between grid points; a part of the guard.
 *
 * Two grid points p != q must not touch a common byte unless both only read it.  Inside one grid point the kernel
 * keeps the order of the original, so dimensions that run inside a point never conflict with themselves. For a
 * writing access W and any access A (W itself included), let W(p) and A(q) be the bytes touched at those points.  Any
 * of the following shows that W(p) and A(q) are disjoint for all p != q:
 *
 * a. Their whole ranges are disjoint.
 *
 * b. Mixed radix.  Let E hold the grid dimensions that run more than once, each with the same stride s_d in W and in
 *    A (all of them at first), and any choice of inner dimensions that also have the same stride in both.  All other
 *    dimensions widen the footprints: at index vector e of E, W touches only e.s + [lW, hW) and A only e.s + [lA,
 *    hA).  Two such intervals at e and f are disjoint when |(e - f).s| >= D := max(hA - lW, hW - lA).  Sort E so that
 *    |s_1| <= |s_2| <= ..., let n_k be the trips, span_0 = D and span_k = span_(k-1) + |s_k| * (n_k - 1).  Claim: if
 *    |s_k| >= span_(k-1) for all k, then |(e - f).s| >= D for all e != f.  Proof: let k be the last index in which e
 *    and f differ.  Its term is at least |s_k| in magnitude; the terms below add up to at most span_(k-1) - D.  So
 *    the sum is at least |s_k| - span_(k-1) + D >= D.  Points p != q give e != f, whatever the inner indices are,
 *    even when an inner dimension of E stands for two sibling loops: only its range of values and its stride enter
 *    the argument.
 *
 *    A grid dimension whose stride differs in W and A stays outside E and widens the footprints.  Then points that
 *    differ only there have e = f, so the footprints at one index must be disjoint as well: a[i][j] -= a[i][k] *
 *    a[k][j] with i and j across the grid reads column k < j with stride 0 in j.
 *
 * c. Residues.  Let g be the greatest common divisor of all strides of W and A that matter.  Every byte W touches is
 *    congruent to one of [w, w + bytes_W) mod g, with w = base + offset; likewise A.  Disjoint residues, disjoint
 *    bytes.
 *
 * d. Search.  With E and the footprints as in b, W(p) and A(q) meet exactly when some difference vector x of E, not
 *    zero in the grid dimensions, brings x.s into the open interval (lA - hW, hA - lW).  Going from the largest
 *    stride down, only those x_k can take part whose term comes within the reach of all smaller strides: a handful
 *    when strides grow, and the search gives up when there are more.  This settles what b is too coarse for: accesses
 *    of one unrolled body that lie a row apart (out[x*h + y] with x unrolled).
 *
 * e. Columns.  Let every grid dimension that runs more than once have the same stride in W and A, and let g be the
 *    greatest common divisor of the strides of all other dimensions.  Modulo g those do not move anything: W(p) is
 *    p.s + [0, bytes_W) and A(q) is q.s + [x, x + bytes_A), x the distance of their first bytes modulo g, of either
 * sign. With D := max(x + bytes_A, bytes_W - x) and spans as in b, the claim of b gives |(p - q).s| >= D; and if the
 * last span is at most g, then |(p - q).s| <= g - D, so that no multiple of g brings the two together either.  This is
 * a kernel that walks up and down its column, in loops that b cannot tell to be alike.
 *
 * A store without a stream is one by the host after the launch; nothing in the nest may touch its bytes, but for others
 * like it.
 *
 * An access that happens before the launch (OFF_NO_STREAM) stands for a value that every point uses, so no store may
 * touch it at all.  It does not move; as long as there are two points, a store at one of them is tested against the
 * access at the other, and they are disjoint.  With one point only, there is no launch.
 *
 * A grid dimension in which a write does not move makes |s_1| = 0 < D in b, and in c the write equals itself, so it
 * is refused, as it must be.
 *
 * Unrolled loops have many accesses with equal strides.  They are first tested as one: the group's footprint is the
 * hull of its members'.  Only when a pair of groups fails are the members tested one by one.
 *
 * The simpler ways fail on common code: disjoint ranges alone refuse every in-place update; comparing only the grid
 * stride with the footprint refuses column-wise writes (out[i*n + j] with j across the grid and i inside).
 */
#include "runtime/guard_conflict.h"

enum { MAX_CANDIDATES = 8, MAX_SEARCH_STEPS = 64, MAX_SUBSET_DIMS = 6 };

static bool ranges_overlap(int64_t a_lo, int64_t a_hi, int64_t b_lo, int64_t b_hi) {
    return a_lo < b_hi && b_lo < a_hi;
}

/* Test b for one choice of E, a set of dimensions given as bits.  `apart`: not all of the grid is in E, so the
 * footprints at one index must not meet either. */
static bool mixed_radix_holds(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct footprint *w,
                              const struct footprint *a, unsigned in_e, bool apart) {
    int64_t w_lo = w->first, w_hi = w->last, a_lo = a->first, a_hi = a->last;
    uint64_t sizes[WM_MAX_DIMS], reach[WM_MAX_DIMS];
    unsigned count = 0;
    for (unsigned d = 0; d < k->ndims; d++) {
        int64_t steps = (int64_t)plan->trips[d] - 1;
        if (in_e >> d & 1) {
            uint64_t size = (uint64_t)(w->stride[d] < 0 ? -w->stride[d] : w->stride[d]);
            unsigned at = count++;
            for (; at > 0 && sizes[at - 1] > size; at--) {
                sizes[at] = sizes[at - 1];
                reach[at] = reach[at - 1];
            }
            sizes[at] = size;
            reach[at] = size * (uint64_t)steps;
            continue;
        }
        *(w->stride[d] < 0 ? &w_lo : &w_hi) += w->stride[d] * steps;
        *(a->stride[d] < 0 ? &a_lo : &a_hi) += a->stride[d] * steps;
    }
    if (apart && ranges_overlap(w_lo, w_hi, a_lo, a_hi))
        return false;
    int64_t distance = a_hi - w_lo > w_hi - a_lo ? a_hi - w_lo : w_hi - a_lo;
    uint64_t span = (uint64_t)distance;
    for (unsigned i = 0; i < count; i++) {
        if (sizes[i] < span)
            return false;
        span += reach[i];
    }
    return true;
}

struct difference_search {
    unsigned count;
    uint64_t size[WM_MAX_DIMS]; /* |stride|, ascending */
    int64_t most[WM_MAX_DIMS];  /* |x_k| is at most this */
    bool grid[WM_MAX_DIMS];
    int64_t reach[WM_MAX_DIMS + 1]; /* of the first k strides together */
    unsigned steps;                 /* still allowed */
};

/* Whether no difference with the given higher part lands in lo .. hi.  `moved`: that part is not zero in the grid. */
static bool no_difference_lands(struct difference_search *s, unsigned count, int64_t lo, int64_t hi, bool moved) {
    if (lo > s->reach[count] || hi < -s->reach[count])
        return true;
    if (count == 0 || s->steps == 0)
        return count == 0 && !moved;
    s->steps--;
    unsigned k = count - 1;
    int64_t size = (int64_t)s->size[k], reach = s->reach[k];
    /* x * size + (something in -reach .. reach) is to be in lo .. hi */
    int64_t first = size ? (lo - reach) / size - 1 : -s->most[k], last = size ? (hi + reach) / size + 1 : s->most[k];
    first = first < -s->most[k] ? -s->most[k] : first;
    last = last > s->most[k] ? s->most[k] : last;
    if (last - first > MAX_CANDIDATES)
        return false;
    for (int64_t x = first; x <= last; x++)
        if (!no_difference_lands(s, k, lo - x * size, hi - x * size, moved || (x && s->grid[k])))
            return false;
    return true;
}

/* Test d for one choice of E. */
static bool search_holds(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct footprint *w,
                         const struct footprint *a, unsigned in_e, bool apart) {
    int64_t w_lo = w->first, w_hi = w->last, a_lo = a->first, a_hi = a->last;
    struct difference_search s = {.steps = MAX_SEARCH_STEPS};
    for (unsigned d = 0; d < k->ndims; d++) {
        int64_t steps = (int64_t)plan->trips[d] - 1;
        if (!(in_e >> d & 1)) {
            *(w->stride[d] < 0 ? &w_lo : &w_hi) += w->stride[d] * steps;
            *(a->stride[d] < 0 ? &a_lo : &a_hi) += a->stride[d] * steps;
            continue;
        }
        uint64_t size = (uint64_t)(w->stride[d] < 0 ? -w->stride[d] : w->stride[d]);
        unsigned at = s.count++;
        for (; at > 0 && s.size[at - 1] > size; at--) {
            s.size[at] = s.size[at - 1];
            s.most[at] = s.most[at - 1];
            s.grid[at] = s.grid[at - 1];
        }
        s.size[at] = size;
        s.most[at] = steps;
        s.grid[at] = k->dims[d].axis >= 0;
    }
    for (unsigned i = 0; i < s.count; i++)
        s.reach[i + 1] = s.reach[i] + (int64_t)s.size[i] * s.most[i];
    return no_difference_lands(&s, s.count, a_lo - w_hi + 1, a_hi - w_lo - 1, apart);
}

static bool mixed_radix_any(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct footprint *w,
                            const struct footprint *a) {
    unsigned grid = 0, inner = 0;
    bool apart = false;
    for (unsigned d = 0; d < k->ndims; d++) {
        if (plan->trips[d] == 1)
            continue;
        if (k->dims[d].axis >= 0) {
            if (w->stride[d] == a->stride[d])
                grid |= 1u << d;
            else
                apart = true;
        } else if (w->stride[d] == a->stride[d] && w->stride[d] != 0) {
            inner |= 1u << d;
        }
    }
    if (__builtin_popcount(inner) > MAX_SUBSET_DIMS)
        inner = 0;
    /* Every subset of `inner`, the largest first. */
    for (unsigned chosen = inner;; chosen = (chosen - 1) & inner) {
        if (mixed_radix_holds(k, plan, w, a, grid | chosen, apart))
            return true;
        if (chosen == 0)
            break;
    }
    return search_holds(k, plan, w, a, grid | inner, apart) || (inner && search_holds(k, plan, w, a, grid, apart));
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* Test c. */
static bool residues_disjoint(const struct wm_kernel *k, const struct footprint *w, const struct footprint *a) {
    uint64_t g = 0;
    for (unsigned d = 0; d < k->ndims; d++) {
        g = greatest_common_divisor(g, (uint64_t)(w->stride[d] < 0 ? -w->stride[d] : w->stride[d]));
        g = greatest_common_divisor(g, (uint64_t)(a->stride[d] < 0 ? -a->stride[d] : a->stride[d]));
    }
    uint64_t w_size = (uint64_t)(w->last - w->first), a_size = (uint64_t)(a->last - a->first);
    if (g == 0 || w_size + a_size > g)
        return false;
    /* A starts at distance x after W, going round a circle of length g. */
    int64_t difference = (a->first - w->first) % (int64_t)g;
    uint64_t x = (uint64_t)(difference < 0 ? difference + (int64_t)g : difference);
    return x >= w_size && x + a_size <= g;
}

/* Test e. */
static bool columns_apart(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct footprint *w,
                          const struct footprint *a) {
    uint64_t g = 0, sizes[WM_MAX_DIMS], reach[WM_MAX_DIMS];
    unsigned count = 0;
    for (unsigned d = 0; d < k->ndims; d++) {
        uint64_t size = (uint64_t)(w->stride[d] < 0 ? -w->stride[d] : w->stride[d]);
        if (plan->trips[d] == 1)
            continue;
        if (k->dims[d].axis < 0) {
            g = greatest_common_divisor(g, size);
            g = greatest_common_divisor(g, (uint64_t)(a->stride[d] < 0 ? -a->stride[d] : a->stride[d]));
            continue;
        }
        if (w->stride[d] != a->stride[d])
            return false;
        unsigned at = count++;
        for (; at > 0 && sizes[at - 1] > size; at--) {
            sizes[at] = sizes[at - 1];
            reach[at] = reach[at - 1];
        }
        sizes[at] = size;
        reach[at] = size * (plan->trips[d] - 1);
    }
    if (g == 0)
        return false;
    int64_t x = (a->first - w->first) % (int64_t)g;
    x += x < 0 ? (int64_t)g : 0;
    x -= x > (int64_t)(g / 2) ? (int64_t)g : 0;
    int64_t after = x + (a->last - a->first), before = (w->last - w->first) - x;
    uint64_t span = (uint64_t)(after > before ? after : before);
    for (unsigned i = 0; i < count; i++) {
        if (sizes[i] < span)
            return false;
        span += reach[i];
    }
    return span <= g;
}

static bool pair_is_free(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct footprint *w,
                         const struct footprint *a) {
    return !ranges_overlap(w->lo, w->hi, a->lo, a->hi) || mixed_radix_any(k, plan, w, a) ||
           residues_disjoint(k, w, a) || columns_apart(k, plan, w, a);
}

static bool same_strides(const struct wm_kernel *k, const struct footprint *a, const struct footprint *b) {
    for (unsigned d = 0; d < k->ndims; d++)
        if (a->stride[d] != b->stride[d])
            return false;
    return true;
}

void guard_add_to_groups(const struct wm_kernel *k, struct access_groups *g, unsigned index, uint8_t stream,
                         const struct footprint *f) {
    for (unsigned i = 0; i < g->count; i++) {
        struct footprint *hull = &g->hull[i];
        if (g->stream[i] != stream || hull->write != f->write || hull->declared != f->declared ||
            !same_strides(k, hull, f))
            continue;
        hull->first = f->first < hull->first ? f->first : hull->first;
        hull->last = f->last > hull->last ? f->last : hull->last;
        hull->lo = f->lo < hull->lo ? f->lo : hull->lo;
        hull->hi = f->hi > hull->hi ? f->hi : hull->hi;
        g->group_of[index] = (uint8_t)i;
        return;
    }
    g->hull[g->count] = *f;
    g->stream[g->count] = stream;
    g->group_of[index] = (uint8_t)g->count++;
}

/* Every pair of members of the two groups (which may be one and the same). */
static bool members_are_free(const struct wm_kernel *k, const struct wm_launch_plan *plan,
                             const struct access_groups *g, const struct footprint *all, unsigned writers,
                             unsigned others) {
    for (unsigned i = 0; i < k->naccesses; i++) {
        if (g->group_of[i] != writers)
            continue;
        for (unsigned j = 0; j < k->naccesses; j++)
            if (g->group_of[j] == others && !pair_is_free(k, plan, &all[i], &all[j]))
                return false;
    }
    return true;
}

bool guard_points_are_free(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct access_groups *g,
                           const struct footprint *all) {
    for (unsigned w = 0; w < g->count; w++) {
        if (!g->hull[w].write)
            continue;
        for (unsigned a = 0; a < g->count; a++) {
            if (g->hull[a].write && a < w)
                continue; /* seen as (a, w) */
            if (g->hull[a].declared && g->hull[w].declared)
                continue; /* the user has said so */
            if (g->hull[a].write && g->stream[a] == OFF_NO_STREAM && g->stream[w] == OFF_NO_STREAM)
                continue; /* both by the host, in their order */
            if (!pair_is_free(k, plan, &g->hull[w], &g->hull[a]) && !members_are_free(k, plan, g, all, w, a))
                return false;
        }
    }
    return true;
}

/* What an inspector reads must be what the kernel will read, though no store has run yet. */
bool guard_rereads_are_free(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct access_groups *g,
                            const struct footprint *all) {
    for (unsigned i = 0; i < k->naccesses; i++) {
        const struct wm_access *a = &k->accesses[i];
        if (a->write || a->stream == OFF_NO_STREAM || !k->streams[a->stream].reread || g->group_of[i] == GUARD_NO_GROUP)
            continue;
        for (unsigned s = 0; s < k->nstreams; s++)
            if (ranges_overlap(all[i].lo, all[i].hi, (int64_t)plan->written[s].lo, (int64_t)plan->written[s].hi))
                return false;
    }
    return true;
}

/* In one run of the copying loop, the dimensions around it have one index each: where source and destination move alike
 * with them, they stay as far from each other as they are at index 0.  The others widen the footprints. */
static bool copy_is_apart(const struct wm_kernel *k, const struct wm_launch_plan *plan, uint64_t own,
                          const struct footprint *w, const struct footprint *a) {
    int64_t w_lo = w->first, w_hi = w->last, a_lo = a->first, a_hi = a->last;
    for (unsigned d = 0; d < k->ndims; d++) {
        int64_t steps = (int64_t)plan->trips[d] - 1;
        if (d != own && w->stride[d] == a->stride[d])
            continue;
        *(w->stride[d] < 0 ? &w_lo : &w_hi) += w->stride[d] * steps;
        *(a->stride[d] < 0 ? &a_lo : &a_hi) += a->stride[d] * steps;
    }
    return !ranges_overlap(w_lo, w_hi, a_lo, a_hi) || !ranges_overlap(w->lo, w->hi, a->lo, a->hi);
}

bool guard_copies_are_apart(const struct wm_kernel *k, const struct wm_launch_plan *plan, const struct access_groups *g,
                            const struct footprint *all) {
    for (unsigned i = 0; i < k->naccesses; i++) {
        uint64_t copy = k->accesses[i].copy;
        if (!copy || !k->accesses[i].write || g->group_of[i] == GUARD_NO_GROUP || k->dims[copy - 1].axis >= 0)
            continue;
        for (unsigned j = 0; j < k->naccesses; j++)
            if (k->accesses[j].copy == copy && !k->accesses[j].write && g->group_of[j] != GUARD_NO_GROUP &&
                !copy_is_apart(k, plan, copy - 1, &all[i], &all[j]))
                return false;
    }
    return true;
}

/* What each point has for itself is touched by nothing else, and by no two groups of it. */
bool guard_privates_are_free(const struct wm_kernel *k, const struct wm_launch_plan *plan,
                             const struct access_groups *g, const struct footprint *all) {
    for (unsigned s = 0; s < k->nstreams; s++) {
        if (k->streams[s].kind != OFF_STREAM_PRIVATE)
            continue;
        int64_t lo = (int64_t)plan->streams[s].lo, hi = (int64_t)plan->streams[s].hi;
        for (unsigned i = 0; i < k->naccesses; i++)
            if (g->group_of[i] != GUARD_NO_GROUP && ranges_overlap(all[i].lo, all[i].hi, lo, hi))
                return false;
        for (unsigned t = 0; t < s; t++)
            if (k->streams[t].kind == OFF_STREAM_PRIVATE &&
                ranges_overlap((int64_t)plan->streams[t].lo, (int64_t)plan->streams[t].hi, lo, hi))
                return false;
    }
    return true;
}
