/* Conflicts between iterations that are certain already; those that depend on numbers are the run-time guard's
 * business.
 */
#include "ir/offload/plan_internal.h"

enum { NEAR_ITERATIONS = 8 }; /* a distance below this counts as certain when the trip count is not constant */

uint64_t plan_constant_trip(const struct aff_trip *t) {
    uint64_t init, step, bound;
    if (!aff_is_const(t->init, &init) || !aff_is_const(t->step, &step) || !aff_is_const(t->bound, &bound) || !step)
        return 0;
    int64_t span = t->bits == 32 ? (int32_t)(uint32_t)(bound - init) : (int64_t)(bound - init);
    int64_t s = t->bits == 32 ? (int32_t)step : (int64_t)step;
    return s && span / s >= 0 ? (uint64_t)(span / s) + 1 : 0;
}

static bool same_strides(const struct plan *p, const struct plan_access *a, const struct plan_access *b) {
    for (uint32_t d = 0; d < p->ndims; d++)
        if (a->strides[d] != b->strides[d] && !aff_equal(a->strides[d], b->strides[d]))
            return false;
    return true;
}

/* Two accesses that walk alike, a whole number of iterations of chain loop `c` apart, and fewer than it runs.  When the
 * count is not a constant, only short distances are called certain: the guard settles the others. */
static bool certain_conflict(struct plan *p, const struct plan_access *w, const struct plan_access *a, uint32_t c) {
    const struct aff *stride = w->strides[c];
    if (!stride || !same_strides(p, w, a))
        return false;
    const struct aff *diff = aff_sub(p->aff, w->base, a->base);
    diff = aff_add(p->aff, diff, aff_const(p->aff, 32, w->desc.offset - a->desc.offset));
    uint64_t d, s;
    int64_t distance = 0;
    if (aff_is_const(diff, &d) && aff_is_const(stride, &s)) {
        int64_t id = (int32_t)d, is = (int32_t)s;
        if (id && is && id % is == 0)
            distance = id / is;
    } else if (diff && aff_equal(diff, stride)) {
        distance = 1;
    } else if (diff && aff_equal(diff, aff_scale(p->aff, stride, UINT64_MAX))) {
        distance = -1;
    }
    struct aff_trip trip;
    uint64_t n = (uint64_t)(distance < 0 ? -distance : distance);
    uint64_t runs = aff_trip_of(p->aff, p->chain[c], &trip) ? plan_constant_trip(&trip) : 0;
    if (!n || n >= (runs ? runs : NEAR_ITERATIONS))
        return false;
    p->detail = arena_printf(p->text, "the store at +0x%x touches what the %s at +0x%x touches %llu iteration%s %s",
                             w->desc.wasm_offset, a->desc.write ? "store" : "load", a->desc.wasm_offset,
                             (unsigned long long)n, n == 1 ? "" : "s", distance > 0 ? "later" : "earlier");
    return true;
}

/* Chain loops before the first that cannot be parallel, because a store stands still in it or two accesses certainly
 * meet across its iterations. */
uint32_t plan_parallel_chain(struct plan *p) {
    for (uint32_t c = 0; c < p->nchain; c++)
        for (uint32_t i = 0; i < p->naccesses; i++) {
            struct plan_access *w = &p->accesses[i];
            if (!w->desc.write || w->private_group || plan_is_sink(p, w->inst))
                continue;
            if (!w->strides[c] && !w->desc.declared) {
                bool scatter = false;
                for (uint32_t d = 0; d < p->ndims; d++)
                    scatter |= w->strides[d] && p->dims[d].desc.rel == OFF_TRIP_RANGE;
                (void)plan_reject(p, scatter ? OFF_REJECT_ADDRESS_STORE : OFF_REJECT_CARRIED_MEMORY, w->inst,
                                  scatter ? NULL : "every iteration writes the same place");
                return c;
            }
            for (uint32_t k = 0; k < p->naccesses; k++)
                if (!p->accesses[k].private_group && !(w->desc.declared && p->accesses[k].desc.declared) &&
                    certain_conflict(p, w, &p->accesses[k], c)) {
                    (void)plan_reject(p, OFF_REJECT_CARRIED_MEMORY, w->inst, p->detail);
                    return c;
                }
        }
    return p->nchain;
}
