/* What keeps safe launches from a device: that the loop would be done sooner; see launch_cost.h.
 *
 *     kernel = launch + the longest of   operations * op             the device is full
 *                                        operations / points * step  it is not: each point takes its time
 *                                        bytes * byte                memory is slower than that
 *     loop   = the longer of             operations * host_op
 *                                        bytes * host_byte
 *
 * A kernel with an inspector counts twice.  This cannot be exact: operations differ, and caches are not looked at.  It
 * need not be, since where the two are close it matters little which one runs.
 */
#include "runtime/launch_cost.h"

#include <math.h>

enum { BUS_SECTOR = 32, BYTES_PER_OP = 8 };

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

/* Of linear memory that the launch can touch. */
static uint64_t bytes_of(const struct wm_kernel *k, const struct wm_launch_plan *plan) {
    uint64_t bytes = 0;
    for (uint64_t s = 0; s < k->nstreams; s++) {
        uint64_t size = plan->streams[s].hi - plan->streams[s].lo;
        if (k->streams[s].kind == OFF_STREAM_MEMORY) { /* scattered reads fetch a sector each, if all are different */
            uint64_t reads = multiply(points_of(plan), plan->rounds ? plan->rounds : 1);
            reads = multiply(reads, BUS_SECTOR * k->checked_loads);
            size = reads < size ? reads : size;
        }
        bytes += size;
    }
    return bytes < plan->memory_bytes ? bytes : plan->memory_bytes; /* ranges may overlap */
}

/* A discrete GPU reads linear memory over the bus: copies and fills, which do little for each byte, lose there. */
static bool worth_the_bus(const struct wm_device *d, const struct wm_kernel *k, const struct wm_launch_plan *plan) {
    return !d->min_ops_per_byte || plan->work >= multiply(bytes_of(k, plan), d->min_ops_per_byte);
}

struct wm_launch_times wm_launch_predict(const struct wm_device *d, const struct wm_kernel *k,
                                         const struct wm_launch_plan *plan, double slowdown) {
    const struct wm_rates *r = &d->rates;
    uint64_t most = multiply(plan->work, BYTES_PER_OP), touched = bytes_of(k, plan);
    double work = (double)plan->work, points = (double)points_of(plan);
    double bytes = (double)(touched < most ? touched : most); /* a range may have holes */
    double runs = k->inspector ? 2 : 1;
    double full = fmax(work * r->op * slowdown, bytes * r->byte), one = work / fmax(points, 1) * r->step * slowdown;
    double loop = fmax(work * r->host_op, bytes * r->host_byte);
    return (struct wm_launch_times){.kernel = runs * (r->launch + fmax(full, one)),
                                    .loop = loop,
                                    .few = one > full && runs * (r->launch + full) < loop};
}

bool wm_launch_pays(const struct wm_device *d, const struct wm_kernel *k, const struct wm_launch_plan *plan,
                    bool *out_few) {
    if (d->rates.launch > 0) {
        struct wm_launch_times t = wm_launch_predict(d, k, plan, 1);
        bool pays = t.kernel < t.loop;
        *out_few = !pays && t.few;
        return pays;
    }
    *out_few = points_of(plan) < d->least_points;
    return !*out_few && worth_the_bus(d, k, plan);
}

uint64_t wm_launch_least_work(const struct wm_rates *r) {
    enum { LEAST = 2000 };
    double work = r->launch / r->host_op;
    return work < LEAST ? LEAST : (uint64_t)work; /* rates are below 1e9, so this fits */
}
