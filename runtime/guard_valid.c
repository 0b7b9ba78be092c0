/* Whether a kernel's description makes sense: all counts within the limits, all indices in range.  A module is checked
 * once, when it is opened, so that the guard itself need not look.
 */
#include "runtime/guard.h"
#include "runtime/reduce.h"

static bool slot_valid(const struct wm_kernel *k, uint64_t slot) {
    return slot < k->nslots;
}

static bool scalar_valid(const struct wm_kernel *k, const struct wm_scalar *s) {
    switch (s->source) {
    case OFF_SCALAR_SLOT:
        return slot_valid(k, s->slot) && s->type <= IR_F64;
    case OFF_SCALAR_LAST_BYTE:
    case OFF_SCALAR_ALIGNMENT:
    case OFF_SCALAR_FIRST:
    case OFF_SCALAR_STEP:
    case OFF_SCALAR_ROUNDS:
    case OFF_SCALAR_TRIP:
        return s->type == IR_I32;
    case OFF_SCALAR_LAST_ITERATION:
        return s->type == IR_I32 && (k->inspects ? s->slot < WM_MAX_DIMS /* see inspector_fits */
                                                 : s->slot < k->ndims && !k->dims[s->slot].unbounded);
    case OFF_SCALAR_WRITTEN_FIRST:
    case OFF_SCALAR_WRITTEN_LAST:
        return s->type == IR_I32 && s->slot < k->nstreams;
    default:
        return false;
    }
}

/* Whether all ranges name only earlier ranges and slots that exist; out_dims[i] is one more than the last dimension
 * that range i depends on. */
static bool ranges_valid(const struct wm_kernel *k, uint64_t *out_dims) {
    for (uint64_t i = 0; i < k->nranges; i++) {
        const struct wm_range_desc *r = &k->ranges[i];
        out_dims[i] = 0;
        if (r->op == OFF_RANGE_CONST) {
            if (r->lo < INT32_MIN || r->hi > INT32_MAX || r->lo > r->hi)
                return false;
        } else if (r->op == OFF_RANGE_AFFINE) {
            if (!slot_valid(k, r->base_slot))
                return false;
            for (uint64_t d = 0; d < WM_MAX_DIMS; d++) {
                if (r->stride_slot[d] == WM_NO_SLOT)
                    continue;
                if (d >= k->ndims || !slot_valid(k, r->stride_slot[d]) || k->dims[d].unbounded)
                    return false;
                out_dims[i] = d + 1;
            }
        } else {
            if (r->op > OFF_RANGE_SHIFT_U || r->a >= i || r->b >= i)
                return false;
            if ((r->op == OFF_RANGE_SHIFT && (r->lo < 0 || r->lo > 31)) ||
                (r->op == OFF_RANGE_SHIFT_U && (r->lo < 1 || r->lo > 31)))
                return false;
            out_dims[i] = out_dims[r->a] > out_dims[r->b] ? out_dims[r->a] : out_dims[r->b];
        }
    }
    return true;
}

bool wm_guard_kernel_valid(const struct wm_kernel *k) {
    uint64_t range_dims[OFF_MAX_RANGES];
    if (k->nranges > OFF_MAX_RANGES || k->ndims > WM_MAX_DIMS || k->nstreams > OFF_MAX_STREAMS ||
        k->naccesses > OFF_MAX_ACCESSES || k->nslots > OFF_MAX_SLOTS || k->ngrid > OFF_MAX_GRID ||
        k->nscalars > OFF_MAX_SLOTS)
        return false;
    if (!ranges_valid(k, range_dims))
        return false;
    bool axis_seen[OFF_MAX_GRID] = {false};
    for (uint64_t d = 0; d < k->ndims; d++) {
        const struct wm_dim *dim = &k->dims[d];
        if (dim->rel == OFF_TRIP_RANGE && (dim->constant >= k->nranges || range_dims[dim->constant] > d))
            return false;
        if (dim->rel > OFF_TRIP_RANGE || (dim->bits != 32 && dim->bits != 64) || dim->axis >= (int64_t)k->ngrid ||
            dim->parent >= (int64_t)d)
            return false;
        if (dim->when_slot != WM_NO_SLOT && !slot_valid(k, dim->when_slot))
            return false;
        if (dim->axis >= 0) {
            if (dim->rel == OFF_TRIP_RANGE || (axis_seen[dim->axis] && !k->nreduces) || !dim->parallel ||
                dim->unbounded)
                return false;
            axis_seen[dim->axis] = true;
        }
        if (dim->varying) {
            if (dim->init_range >= k->nranges || dim->bound_range >= k->nranges || dim->bits != 32 || dim->axis >= 0 ||
                dim->unbounded || range_dims[dim->init_range] > d || range_dims[dim->bound_range] > d ||
                (dim->entered >= 2 && (dim->entered - 2 >= k->nranges || range_dims[dim->entered - 2] > d)) ||
                dim->rel == OFF_TRIP_CONST || dim->rel == OFF_TRIP_RANGE || !slot_valid(k, dim->step_slot))
                return false;
            continue;
        }
        if (!dim->unbounded && dim->rel != OFF_TRIP_CONST && dim->rel != OFF_TRIP_RANGE &&
            (!slot_valid(k, dim->init_slot) || !slot_valid(k, dim->step_slot) || !slot_valid(k, dim->bound_slot)))
            return false;
    }
    for (uint64_t i = 0; i < k->naccesses; i++) {
        const struct wm_access *a = &k->accesses[i];
        bool power_of_two = a->bytes != 0 && a->bytes <= 16 && (a->bytes & (a->bytes - 1)) == 0 && a->align != 0 &&
                            a->align <= a->bytes && (a->align & (a->align - 1)) == 0;
        if ((a->when_slot != WM_NO_SLOT && !slot_valid(k, a->when_slot)) || a->copy > k->ndims)
            return false;
        bool streamed = a->stream < k->nstreams && (k->streams[a->stream].kind == OFF_STREAM_RANGE ||
                                                    k->streams[a->stream].kind == OFF_STREAM_PRIVATE);
        if ((!streamed && a->stream != OFF_NO_STREAM) || !power_of_two || !slot_valid(k, a->base_slot))
            return false;
        for (uint64_t d = 0; d < k->ndims; d++)
            if (a->stride_slot[d] != WM_NO_SLOT && (!slot_valid(k, a->stride_slot[d]) || k->dims[d].unbounded))
                return false;
    }
    for (uint64_t i = 0; i < k->nscalars; i++)
        if (!scalar_valid(k, &k->scalars[i]))
            return false;
    for (uint64_t i = 0; i < k->nconditions; i++)
        if (!slot_valid(k, k->condition_slots[i]))
            return false;
    return wm_reduce_valid(k) && k->workgroup[0] && k->workgroup[1] && k->workgroup[2];
}
