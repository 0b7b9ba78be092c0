/* The guard: may this loop nest run as a kernel now, with these numbers?
 *
 * A pure function of the kernel's description, the slot values of one launch and the size of linear memory.  It
 * allocates nothing, keeps no state and may be called from any thread.  The proof that a yes is safe is in guard.c.
 */
#ifndef WASMETAL_RUNTIME_GUARD_H
#define WASMETAL_RUNTIME_GUARD_H

#include "ir/offload/kernel.h"
#include "runtime/offload.h"

_Static_assert(WM_MAX_DIMS == OFF_MAX_DIMS, "abi.h and kernel.h agree on the number of dimensions");

struct wm_range { /* bytes of linear memory, lo <= x < hi; lo == hi: empty */
    uint64_t lo, hi;
};

struct wm_guard_limits {
    uint64_t memory_bytes;
    uint64_t min_work;
    bool aligned;     /* the device needs every access at a multiple of its width */
    uint32_t workers; /* with reductions: grid points wanted; 0: a few */
    bool interleaved; /* and neighbouring workers should run neighbouring iterations, where that is allowed */
};

struct wm_launch_plan {
    uint64_t trips[WM_MAX_DIMS]; /* of every dimension; 1 for unbounded ones and for loops not entered */
    int64_t first[WM_MAX_DIMS];  /* what iteration 0 stands for: the least value of a range dimension, else 0 */
    uint32_t extent[OFF_MAX_GRID];
    struct wm_range streams[OFF_MAX_STREAMS];
    uint64_t work;   /* estimated instructions, saturated */
    uint64_t serial; /* loop iterations inside one grid point, unbounded dimensions not counted */
    bool unbounded;  /* some dimension inside a grid point has no trip count */
    struct wm_range written[OFF_MAX_STREAMS]; /* of each stream, what the launch may write */
    uint64_t memory_bytes;
    bool aligned;
    uint32_t *status; /* for an inspector's launch: set to 1 when the kernel must not run; else NULL */
    /* With reductions; extent[0] is the number of workers, `iterations` what they share: of all dimensions on the axis.
     */
    uint32_t iterations;
    uint32_t first_iteration, step, rounds; /* enum off_scalar_source says what they mean */
    uint64_t *partials;                     /* nreduces of each worker, by worker; the caller's */
    uint64_t partials_bytes;
    bool few; /* refused as too few iterations, whatever they do */
};

/* Value of scalar `i` of `k`, the kernel that the plan was made for or its inspector. */
uint64_t wm_guard_scalar(const struct wm_kernel *k, uint64_t i, const uint64_t *slots,
                         const struct wm_launch_plan *plan);

/* Whether the counts in `k` are within the ABI's limits and all indices are in range.  Checked once a kernel, when the
 * module is opened: the other functions here rely on it. */
bool wm_guard_kernel_valid(const struct wm_kernel *k);

/* True: the launch is safe and worth it, and *out is filled.  False: *out_why says why not; *out is undefined. */
bool wm_guard_decide(const struct wm_kernel *k, const uint64_t *slots, const struct wm_guard_limits *limits,
                     struct wm_launch_plan *out, enum wm_fallback *out_why);

/* Whether a launch that wm_guard_decide has refused for this reason leaves hope for kernels of the loops inside: their
 * ranges are smaller, they have less to be in conflict with, and one iteration of the outermost loop is work enough. */
bool wm_guard_parts_may_run(const struct wm_launch_plan *refused, enum wm_fallback why, uint64_t min_work);

/* Trip count of one dimension.  False: it is zero, infinite, wraps round, or exceeds WM_GUARD_MAX_TRIP. */
bool wm_guard_trip(const struct wm_dim *d, const uint64_t *slots, uint64_t *out_trip);

#define WM_GUARD_MAX_TRIP UINT32_MAX
/* What the cost estimate takes for a loop whose trip count depends on data. */
#define WM_GUARD_UNBOUNDED_TRIP 16

#endif
