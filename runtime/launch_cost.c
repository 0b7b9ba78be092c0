/* What keeps safe launches from a GPU: too few points to fill it, or too many bytes to fetch; see launch_cost.h. */
#include "runtime/launch_cost.h"

enum { BUS_SECTOR = 32 };

static uint64_t multiply(uint64_t a, uint64_t b) {
    uint64_t r;
    return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t points_of(const struct wm_launch_plan *plan) {
    uint64_t points = 1;
    for (unsigned a = 0; a < OFF_MAX_GRID; a++)
        points = multiply(points, plan->extent[a]);
    return points;
}

/* A discrete GPU reads linear memory over the bus: copies and fills, which do little for each byte, lose there. */
static bool worth_the_bus(const struct wm_device *d, const struct wm_kernel *k, const struct wm_launch_plan *plan) {
    uint64_t bytes = 0;
    if (!d->min_ops_per_byte)
        return true;
    for (uint64_t s = 0; s < k->nstreams; s++) {
        uint64_t size = plan->streams[s].hi - plan->streams[s].lo;
        if (k->streams[s].kind == OFF_STREAM_MEMORY) { /* scattered reads fetch a sector each, if all are different */
            uint64_t reads = multiply(points_of(plan), plan->rounds ? plan->rounds : 1);
            reads = multiply(reads, BUS_SECTOR * k->checked_loads);
            size = reads < size ? reads : size;
        }
        bytes += size;
    }
    return plan->work >= multiply(bytes, d->min_ops_per_byte);
}

bool wm_launch_pays(const struct wm_device *d, const struct wm_kernel *k, const struct wm_launch_plan *plan,
                    bool *out_few) {
    *out_few = points_of(plan) < d->least_points;
    return !*out_few && worth_the_bus(d, k, plan);
}
