/* The guard against brute force.
 *
 * Random small kernels (up to four dimensions of up to four iterations, up to five accesses) are enumerated iteration
 * by iteration.  When the guard says yes, no byte may be written by one grid point and touched by another, and the
 * ranges must be exact hulls.  When it says "conflict", we count how often brute force finds none: those refusals cost
 * speed, never correctness, and the test bounds their share so that a regression shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "runtime/guard.h"

enum { MEMORY = 4096, SLOTS = 128 };

struct fixture {
    struct wm_kernel kernel;
    struct wm_dim dims[WM_MAX_DIMS];
    struct wm_access accesses[OFF_MAX_ACCESSES];
    struct wm_stream streams[OFF_MAX_STREAMS];
    struct wm_range_desc ranges[5];
    uint64_t conditions[2];
    uint64_t slots[SLOTS];
    uint64_t nslots;
};

static uint64_t new_slot(struct fixture *f, uint64_t value) {
    assert_true(f->nslots < SLOTS);
    f->slots[f->nslots] = value;
    return f->nslots++;
}

static void fixture_init(struct fixture *f) {
    memset(f, 0, sizeof *f);
    f->kernel.dims = f->dims;
    f->kernel.accesses = f->accesses;
    f->kernel.streams = f->streams;
    f->kernel.ranges = f->ranges;
    f->kernel.condition_slots = f->conditions;
    f->kernel.nslots = SLOTS;
    f->kernel.workgroup[0] = f->kernel.workgroup[1] = f->kernel.workgroup[2] = 1;
}

static void add_dim(struct fixture *f, uint64_t trip, int axis) {
    struct wm_dim *d = &f->dims[f->kernel.ndims];
    *d = (struct wm_dim){.rel = OFF_TRIP_CONST,
                         .bits = 32,
                         .parallel = axis >= 0,
                         .axis = axis,
                         .constant = trip,
                         .when_slot = WM_NO_SLOT};
    d->parent = (int64_t)f->kernel.ndims - 1;
    d->ops = 1;
    f->kernel.ndims++;
    if (axis >= 0 && (uint64_t)axis >= f->kernel.ngrid)
        f->kernel.ngrid = (uint64_t)axis + 1;
}

static struct wm_access *add_access(struct fixture *f, bool write, uint64_t bytes, uint32_t base,
                                    const int32_t *stride) {
    struct wm_access *a = &f->accesses[f->kernel.naccesses];
    a->stream = f->kernel.naccesses % OFF_MAX_STREAMS;
    f->kernel.naccesses++;
    f->kernel.nstreams = f->kernel.naccesses < OFF_MAX_STREAMS ? f->kernel.naccesses : OFF_MAX_STREAMS;
    a->when_slot = WM_NO_SLOT;
    a->write = write;
    a->bytes = a->align = bytes;
    a->base_slot = new_slot(f, base);
    for (unsigned d = 0; d < WM_MAX_DIMS; d++)
        a->stride_slot[d] = d < f->kernel.ndims && stride[d] != 0 ? new_slot(f, (uint32_t)stride[d]) : WM_NO_SLOT;
    return a;
}

static bool decide(struct fixture *f, struct wm_launch_plan *plan, enum wm_fallback *why) {
    struct wm_guard_limits limits = {.memory_bytes = MEMORY};
    assert_true(wm_guard_kernel_valid(&f->kernel));
    return wm_guard_decide(&f->kernel, f->slots, &limits, plan, why);
}

/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003) */
static uint64_t random_state = 0x9e3779b97f4a7c15u;
static uint32_t random_below(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

/* Adds a dimension for the value min(max(base + sum of strides * indices, lo), hi), or the unsigned kind of it. */
static void add_clamp(struct fixture *f, uint32_t base, const int32_t *stride, int32_t lo, int32_t hi,
                      bool is_unsigned) {
    f->ranges[0] = (struct wm_range_desc){.op = OFF_RANGE_AFFINE, .base_slot = new_slot(f, base)};
    for (unsigned d = 0; d < WM_MAX_DIMS; d++)
        f->ranges[0].stride_slot[d] = d < f->kernel.ndims ? new_slot(f, (uint32_t)stride[d]) : WM_NO_SLOT;
    f->ranges[1] = (struct wm_range_desc){.op = OFF_RANGE_CONST, .lo = lo, .hi = lo};
    f->ranges[2] = (struct wm_range_desc){.op = is_unsigned ? OFF_RANGE_MAX_U : OFF_RANGE_MAX_S, .a = 0, .b = 1};
    f->ranges[3] = (struct wm_range_desc){.op = OFF_RANGE_CONST, .lo = hi, .hi = hi};
    f->ranges[4] = (struct wm_range_desc){.op = is_unsigned ? OFF_RANGE_MIN_U : OFF_RANGE_MIN_S, .a = 2, .b = 3};
    f->kernel.nranges = 5;
    add_dim(f, 4, -1);
    f->dims[f->kernel.ndims - 1].rel = OFF_TRIP_RANGE;
}

/* The value of that dimension at one iteration, computed as the kernel would. */
static int64_t clamp_value(const struct fixture *f, const uint64_t *index) {
    uint32_t v = (uint32_t)f->slots[f->ranges[0].base_slot];
    for (unsigned d = 0; d < f->kernel.ndims; d++)
        if (f->ranges[0].stride_slot[d] != WM_NO_SLOT)
            v += (uint32_t)f->slots[f->ranges[0].stride_slot[d]] * (uint32_t)index[d];
    int32_t lo = (int32_t)f->ranges[1].lo, hi = (int32_t)f->ranges[3].lo;
    if (f->ranges[2].op == OFF_RANGE_MAX_U) {
        v = v > (uint32_t)lo ? v : (uint32_t)lo;
        return (int32_t)(v < (uint32_t)hi ? v : (uint32_t)hi);
    }
    int32_t s = (int32_t)v;
    s = s > lo ? s : lo;
    return s < hi ? s : hi;
}

enum brute { BRUTE_FREE, BRUTE_CONFLICT, BRUTE_OUTSIDE };

static enum brute brute_force(const struct fixture *f, struct wm_range *out_ranges) {
    static int32_t owner[MEMORY];
    static uint8_t written[MEMORY], shared[MEMORY];
    memset(owner, -1, sizeof owner);
    memset(written, 0, sizeof written);
    memset(shared, 0, sizeof shared);
    uint64_t total = 1;
    for (uint64_t d = 0; d < f->kernel.ndims; d++)
        total *= f->dims[d].constant;
    for (uint64_t i = 0; i < f->kernel.naccesses; i++) {
        const struct wm_access *a = &f->accesses[i];
        out_ranges[i] = (struct wm_range){UINT64_MAX, 0};
        for (uint64_t n = 0; n < total; n++) {
            uint64_t rest = n, index[WM_MAX_DIMS];
            int32_t point = 0;
            for (uint64_t d = 0; d < f->kernel.ndims; d++) {
                index[d] = rest % f->dims[d].constant;
                rest /= f->dims[d].constant;
                if (f->dims[d].axis >= 0)
                    point = point * 8 + (int32_t)index[d];
            }
            int64_t address = (int64_t)f->slots[a->base_slot];
            for (uint64_t d = 0; d < f->kernel.ndims; d++) {
                if (a->stride_slot[d] == WM_NO_SLOT)
                    continue;
                int64_t i = f->dims[d].rel == OFF_TRIP_RANGE ? clamp_value(f, index) : (int64_t)index[d];
                address += (int64_t)(int32_t)(uint32_t)f->slots[a->stride_slot[d]] * i;
            }
            address = (uint32_t)address;
            int64_t lo = address + (int64_t)a->offset, hi = lo + (int64_t)a->bytes;
            if (address < 0 || address > UINT32_MAX || hi > MEMORY)
                return BRUTE_OUTSIDE;
            out_ranges[i].lo = (uint64_t)lo < out_ranges[i].lo ? (uint64_t)lo : out_ranges[i].lo;
            out_ranges[i].hi = (uint64_t)hi > out_ranges[i].hi ? (uint64_t)hi : out_ranges[i].hi;
            for (int64_t b = lo; b < hi; b++) {
                shared[b] |= owner[b] >= 0 && owner[b] != point;
                owner[b] = point;
                written[b] |= a->write != 0;
            }
        }
    }
    for (unsigned b = 0; b < MEMORY; b++)
        if (shared[b] && written[b])
            return BRUTE_CONFLICT;
    return BRUTE_FREE;
}

static void random_kernel(struct fixture *f) {
    static const int32_t small[] = {1, 2, 3, 4, 4, 8, 8, 12, 16, 16, 20, 32, 48, 64, 64, 128, 256};
    fixture_init(f);
    uint32_t ndims = 1 + random_below(4), ngrid = 1 + random_below(ndims < 3 ? ndims : 3);
    for (uint32_t d = 0; d < ndims; d++)
        add_dim(f, 1 + random_below(4), d < ngrid ? (int)d : -1);
    int32_t common[WM_MAX_DIMS];
    bool nested = random_below(2); /* strides as of a dense array, else anything */
    int32_t dense = 1 << random_below(4);
    uint32_t first = random_below(ndims);
    for (uint32_t i = 0; i < ndims; i++) {
        uint32_t d = (first + i) % ndims;
        common[d] = nested ? dense : small[random_below(17)];
        dense *= (int32_t)f->dims[d].constant + (int32_t)random_below(2);
        if (random_below(6) == 0)
            common[d] = -common[d];
    }
    if (random_below(3) == 0) {
        int32_t stride[WM_MAX_DIMS] = {0};
        for (uint32_t d = 0; d < ndims; d++)
            stride[d] = (int32_t)random_below(5) - 2;
        int32_t lo = (int32_t)random_below(7) - 3;
        bool is_unsigned = random_below(4) == 0;
        common[ndims] = small[random_below(17)];
        add_clamp(f, random_below(9) - 4, stride, is_unsigned ? lo & 3 : lo,
                  (is_unsigned ? lo & 3 : lo) + (int32_t)random_below(5), is_unsigned);
        ndims++;
    }
    uint32_t naccesses = 1 + random_below(5);
    uint32_t center = 500 + random_below(3000);
    for (uint32_t i = 0; i < naccesses; i++) {
        int32_t stride[WM_MAX_DIMS] = {0};
        for (uint32_t d = 0; d < ndims; d++)
            stride[d] = random_below(8) ? common[d] : random_below(2) ? 0 : small[random_below(17)];
        uint32_t base = random_below(3) ? center + random_below(24) : random_below(MEMORY);
        struct wm_access *a = add_access(f, i == 0 || random_below(3) == 0, 1u << random_below(4), base, stride);
        a->offset = random_below(3) ? 0 : random_below(64);
    }
}

static void guard_agrees_with_brute_force(void **state) {
    (void)state;
    unsigned yes = 0, clamped = 0, refused = 0, needless = 0, outside = 0;
    for (unsigned round = 0; round < 200000; round++) {
        struct fixture f;
        random_kernel(&f);
        struct wm_launch_plan plan;
        struct wm_range ranges[OFF_MAX_ACCESSES];
        enum wm_fallback why = WM_FALLBACK_COUNT;
        bool go = decide(&f, &plan, &why);
        enum brute truth = brute_force(&f, ranges);
        if (go) {
            yes++;
            assert_int_equal(truth, BRUTE_FREE);
            clamped += f.kernel.nranges != 0;
            for (unsigned i = 0; i < f.kernel.naccesses; i++) {
                assert_true(plan.streams[i].lo <= ranges[i].lo && plan.streams[i].hi >= ranges[i].hi);
                if (f.kernel.nranges == 0)
                    assert_true(plan.streams[i].lo == ranges[i].lo && plan.streams[i].hi == ranges[i].hi);
            }
        } else if (f.kernel.nranges != 0) {
            continue; /* intervals are coarse: how coarse is not counted */
        } else if (why == WM_FALLBACK_BOUNDS) {
            outside++;
            assert_int_equal(truth, BRUTE_OUTSIDE);
        } else {
            assert_int_equal(why, WM_FALLBACK_CONFLICT);
            assert_true(truth != BRUTE_OUTSIDE);
            refused++;
            needless += truth == BRUTE_FREE;
        }
    }
    print_message("launch %u (%u with clamped values), conflict %u (needlessly %u), outside memory %u\n", yes, clamped,
                  refused, needless, outside);
    assert_true(yes > 20000 && clamped > 2000 && outside > 1000);
    assert_true(needless * 10 < yes);
}

/* off_access.copy: whatever runs around the copying loop, source and destination of one run of it do not overlap. */
static void copies_are_apart(void **state) {
    (void)state;
    unsigned yes = 0, refused = 0;
    for (unsigned round = 0; round < 50000; round++) {
        struct fixture f;
        fixture_init(&f);
        uint32_t trips[3] = {1 + random_below(5), 1 + random_below(4), 1 + random_below(30)};
        add_dim(&f, trips[0], 0);
        add_dim(&f, trips[1], -1);
        add_dim(&f, trips[2], -1);
        int32_t to[WM_MAX_DIMS] = {(int32_t)random_below(100) - 30, (int32_t)random_below(60) - 20, 1};
        int32_t from[WM_MAX_DIMS] = {to[0], to[1], 1};
        for (unsigned d = 0; d < 2; d++)
            if (random_below(3) == 0)
                from[d] = (int32_t)random_below(100) - 30;
        uint32_t bases[2] = {1000 + random_below(200), 1000 + random_below(200)};
        add_access(&f, false, 1, bases[0], from)->copy = 3;
        add_access(&f, true, 1, bases[1], to)->copy = 3;
        struct wm_launch_plan plan;
        enum wm_fallback why = WM_FALLBACK_COUNT;
        bool go = decide(&f, &plan, &why), apart = true;
        for (int32_t y = 0; y < (int32_t)trips[0]; y++)
            for (int32_t t = 0; t < (int32_t)trips[1]; t++) {
                int32_t a = (int32_t)bases[0] + y * from[0] + t * from[1],
                        w = (int32_t)bases[1] + y * to[0] + t * to[1];
                apart &= a + (int32_t)trips[2] <= w || w + (int32_t)trips[2] <= a;
            }
        yes += go;
        refused += !go && apart;
        if (go)
            assert_true(apart);
    }
    print_message("launch %u, refused though apart %u\n", yes, refused);
    assert_true(yes > 5000);
}

/* Shapes that real code has; each row of strides is bytes a step of {y, x, k}, y and x on the grid, k inside. */
struct shape {
    const char *what;
    uint64_t trips[3];
    struct {
        bool write;
        uint64_t bytes;
        uint32_t base;
        int32_t stride[3];
    } access[4];
    unsigned count;
    bool go;
};

static const struct shape shapes[] = {
    {"in-place map", {1, 64, 1}, {{true, 4, 0, {0, 4, 0}}, {false, 4, 0, {0, 4, 0}}}, 2, true},
    {"shifted by one", {1, 64, 1}, {{true, 4, 4, {0, 4, 0}}, {false, 4, 0, {0, 4, 0}}}, 2, false},
    {"shifted past the end", {1, 64, 1}, {{true, 4, 256, {0, 4, 0}}, {false, 4, 0, {0, 4, 0}}}, 2, true},
    {"downwards", {1, 64, 1}, {{true, 4, 252, {0, -4, 0}}, {false, 4, 252, {0, -4, 0}}}, 2, true},
    {"reversal in place", {1, 64, 1}, {{true, 4, 0, {0, 4, 0}}, {false, 4, 252, {0, -4, 0}}}, 2, false},
    {"same cell", {1, 64, 1}, {{true, 4, 0, {0, 0, 0}}}, 1, false},
    {"2-D dense", {8, 16, 1}, {{true, 4, 0, {64, 4, 0}}}, 1, true},
    {"2-D, rows overlap", {8, 17, 1}, {{true, 4, 0, {64, 4, 0}}}, 1, false},
    {"transposed", {8, 16, 1}, {{true, 4, 0, {4, 32, 0}}}, 1, true},
    {"column-wise inner loop", {1, 16, 8}, {{true, 4, 0, {0, 4, 64}}, {false, 4, 0, {0, 4, 64}}}, 2, true},
    {"row in place, inner loop", {8, 1, 16}, {{true, 4, 0, {64, 0, 4}}, {false, 4, 0, {64, 0, 4}}}, 2, true},
    {"matrix product",
     {8, 8, 8},
     {{true, 4, 2048, {32, 4, 0}}, {false, 4, 0, {32, 0, 4}}, {false, 4, 1024, {0, 4, 32}}},
     3,
     true},
    {"matrix product in place", {8, 8, 8}, {{true, 4, 0, {32, 4, 0}}, {false, 4, 0, {32, 0, 4}}}, 2, false},
    {"interleaved fields", {1, 32, 1}, {{true, 4, 0, {0, 16, 0}}, {false, 8, 4, {0, 16, 0}}}, 2, true},
    {"even from odd, far ahead", {1, 32, 1}, {{true, 4, 0, {0, 8, 0}}, {false, 4, 20, {0, 8, 0}}}, 2, true},
    {"even from even, ahead", {1, 32, 1}, {{true, 4, 0, {0, 8, 0}}, {false, 4, 16, {0, 8, 0}}}, 2, false},
};

static void shapes_decide_as_expected(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct fixture f;
        fixture_init(&f);
        add_dim(&f, shapes[s].trips[0], 1);
        add_dim(&f, shapes[s].trips[1], 0);
        add_dim(&f, shapes[s].trips[2], -1);
        for (unsigned i = 0; i < shapes[s].count; i++)
            add_access(&f, shapes[s].access[i].write, shapes[s].access[i].bytes, shapes[s].access[i].base,
                       shapes[s].access[i].stride);
        struct wm_launch_plan plan;
        enum wm_fallback why = WM_FALLBACK_COUNT;
        bool go = decide(&f, &plan, &why);
        if (go != shapes[s].go || (!go && why != WM_FALLBACK_CONFLICT))
            fail_msg("%s: %s", shapes[s].what, go ? "launched" : "refused");
    }
}

static void edges_of_memory(void **state) {
    (void)state;
    struct wm_launch_plan plan;
    enum wm_fallback why;
    struct row {
        uint32_t base;
        int32_t stride;
        uint64_t trip, offset, memory;
        bool aligned, go;
        enum wm_fallback why;
    } rows[] = {
        {0, 4, 1024, 0, 4096, true, true, 0},
        {0, 4, 1025, 0, 4096, true, false, WM_FALLBACK_BOUNDS},
        {4, 4, 1024, 0, 4096, true, false, WM_FALLBACK_BOUNDS},
        {0, 4, 1024, 4, 4096, true, false, WM_FALLBACK_BOUNDS},
        {4092, -4, 1024, 0, 4096, true, true, 0},
        {4088, -4, 1024, 4, 4096, true, false, WM_FALLBACK_BOUNDS}, /* address -4, offset 4: wraps in wasm */
        {0xfffffffc, 4, 2, 4, UINT64_C(1) << 33, true, false, WM_FALLBACK_BOUNDS},
        {0xfffffffc, 4, 1, 0, UINT64_C(1) << 32, true, true, 0},
        {0xfffffffc, 4, 1, 4, UINT64_C(1) << 32, true, false, WM_FALLBACK_BOUNDS},
        {0, INT32_MAX, UINT32_MAX, 0, UINT64_C(1) << 32, false, false, WM_FALLBACK_BOUNDS},
        {0, INT32_MIN, UINT32_MAX, 0, UINT64_C(1) << 32, false, false, WM_FALLBACK_BOUNDS},
        {0, 4, 1, UINT64_MAX, 4096, true, false, WM_FALLBACK_BOUNDS},
        {2, 4, 10, 0, 4096, true, false, WM_FALLBACK_ALIGNMENT},
        {2, 4, 10, 2, 4096, true, true, 0},
        {0, 6, 10, 0, 4096, true, false, WM_FALLBACK_ALIGNMENT},
        {0, 6, 1, 0, 4096, true, true, 0},
        {2, 6, 10, 0, 4096, false, true, 0},
        {0, 4, 1, 0, 0, false, false, WM_FALLBACK_BOUNDS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f;
        fixture_init(&f);
        add_dim(&f, rows[i].trip, 0);
        add_access(&f, true, 4, rows[i].base, &rows[i].stride)->offset = rows[i].offset;
        struct wm_guard_limits limits = {.memory_bytes = rows[i].memory, .aligned = rows[i].aligned};
        why = WM_FALLBACK_COUNT;
        bool go = wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why);
        if (go != rows[i].go || (!go && why != rows[i].why))
            fail_msg("row %zu: go %d why %d", i, go, (int)why);
    }
}

static void conditions_cost_and_grid(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    add_dim(&f, 10, 1);
    add_dim(&f, 20, 0);
    add_dim(&f, 30, -1);
    f.dims[0].ops = 1, f.dims[1].ops = 2, f.dims[2].ops = 3;
    add_access(&f, true, 4, 0, (int32_t[]){80, 4, 0});
    struct wm_launch_plan plan;
    enum wm_fallback why;
    struct wm_guard_limits limits = {.memory_bytes = MEMORY, .min_work = 10 + 400 + 18000};
    assert_true(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
    assert_int_equal(plan.work, 10 + 400 + 18000);
    assert_int_equal(plan.serial, 30);
    assert_int_equal(plan.extent[0], 20);
    assert_int_equal(plan.extent[1], 10);
    assert_int_equal(plan.extent[2], 1);
    assert_int_equal(plan.streams[0].hi, 800);
    limits.min_work++;
    assert_false(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
    assert_int_equal(why, WM_FALLBACK_SMALL);

    f.conditions[0] = new_slot(&f, 7);
    f.conditions[1] = new_slot(&f, 0);
    f.kernel.nconditions = 2;
    assert_false(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
    assert_int_equal(why, WM_FALLBACK_CONDITION);
    f.kernel.nconditions = 1;

    f.dims[2].unbounded = true; /* counted as 16 */
    limits.min_work = 0;
    assert_true(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
    assert_true(plan.unbounded);
    assert_int_equal(plan.trips[2], 1);
    assert_int_equal(plan.work, 10 + 400 + 200 * WM_GUARD_UNBOUNDED_TRIP * 3);

    /* An inner loop that is not entered: its count is not looked at, and what only happens in it does not count. */
    f.dims[2] = (struct wm_dim){.rel = OFF_TRIP_NE, .bits = 32, .axis = -1, .parent = 1, .ops = 3};
    f.dims[2].init_slot = f.dims[2].step_slot = f.dims[2].when_slot = new_slot(&f, 0);
    f.dims[2].bound_slot = new_slot(&f, 5);
    add_access(&f, true, 4, 0xfffffff0, (int32_t[]){0, 0, 4})->when_slot = f.dims[2].when_slot;
    assert_true(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
    assert_int_equal(plan.work, 10 + 400);
    assert_true(plan.streams[1].lo == plan.streams[1].hi);
    f.slots[f.dims[2].when_slot] = 1; /* entered: init, step and when share a slot, so the loop counts 1, 2 .. 5 */
    assert_false(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
    assert_int_equal(why, WM_FALLBACK_BOUNDS);
    f.kernel.naccesses = 1;
    assert_true(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
    assert_int_equal(plan.trips[2], 5);

    f.dims[0].constant = 0;
    assert_false(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
    assert_int_equal(why, WM_FALLBACK_TRIP);
}

static bool related(uint64_t rel, int64_t t, int64_t bound, uint64_t ut, uint64_t ubound) {
    switch (rel) {
    case OFF_TRIP_NE:
        return ut != ubound;
    case OFF_TRIP_LT_S:
        return t < bound;
    case OFF_TRIP_LT_U:
        return ut < ubound;
    case OFF_TRIP_LE_S:
        return t <= bound;
    case OFF_TRIP_LE_U:
        return ut <= ubound;
    case OFF_TRIP_GT_S:
        return t > bound;
    case OFF_TRIP_GT_U:
        return ut > ubound;
    case OFF_TRIP_GE_S:
        return t >= bound;
    default:
        return ut >= ubound;
    }
}

static void trips_agree_with_stepping(void **state) {
    (void)state;
    enum { STEPS = 400 };
    static const uint64_t corners[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, 1 + (uint64_t)INT64_MAX};
    unsigned counted = 0, round_about = 0;
    for (unsigned round = 0; round < 300000; round++) {
        uint64_t rel = OFF_TRIP_NE + random_below(OFF_TRIP_GE_U - OFF_TRIP_NE + 1);
        bool wide = random_below(2), top = random_below(2);
        bool is_signed = rel == OFF_TRIP_LT_S || rel == OFF_TRIP_LE_S || rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GE_S;
        uint64_t mask = wide ? UINT64_MAX : UINT32_MAX;
        uint64_t init = corners[random_below(7)] + random_below(64) - 32;
        uint64_t bound = random_below(4) ? init + random_below(200) - 100 : corners[random_below(7)];
        uint64_t step =
            random_below(8) ? (uint64_t)random_below(19) - 9 : corners[random_below(7)] + random_below(3) - 1;
        uint64_t slots[3] = {init & mask, step & mask, bound & mask};
        struct wm_dim d = {.rel = rel, .bits = wide ? 64 : 32, .top_tested = top, .step_slot = 1, .bound_slot = 2};

        /* t in 128 bits, so that a wrap shows. */
        __int128 step_value = wide ? (__int128)(int64_t)step : (__int128)(int32_t)step;
        __int128 t = !is_signed ? (__int128)slots[0] : wide ? (__int128)(int64_t)init : (__int128)(int32_t)init;
        __int128 least = !is_signed ? 0 : wide ? (__int128)INT64_MIN : (__int128)INT32_MIN;
        __int128 most = !is_signed ? (__int128)mask : wide ? (__int128)INT64_MAX : (__int128)INT32_MAX;
        int64_t bound_signed = wide ? (int64_t)bound : (int32_t)bound;
        bool ended = false, wrapped = false, landed = false;
        uint64_t k = 0;
        for (; k < STEPS; k++, t += step_value) {
            landed = !wrapped && (t < least || t > most); /* for the first time */
            wrapped |= landed;
            uint64_t bits = (uint64_t)t & mask;
            int64_t as_signed = wide ? (int64_t)bits : (int32_t)(uint32_t)bits;
            if (!related(rel, as_signed, bound_signed, bits, slots[2])) {
                ended = true;
                break;
            }
        }
        uint64_t trip = 0;
        bool known = wm_guard_trip(&d, slots, &trip);
        uint64_t expected = top ? k : k + 1;
        if (ended && (rel == OFF_TRIP_NE || !wrapped)) {
            counted++;
            assert_int_equal(known, expected != 0);
            if (known)
                assert_int_equal(trip, expected);
        } else if (ended) { /* the wrap ends it at once, going away from the bound; or the guard may decline */
            bool down = rel == OFF_TRIP_GT_S || rel == OFF_TRIP_GT_U || rel == OFF_TRIP_GE_S || rel == OFF_TRIP_GE_U;
            bool away = landed && step_value != 0 && (step_value < 0) != down;
            round_about += away;
            assert_int_equal(known, away && expected != 0);
            if (known)
                assert_int_equal(trip, expected);
        } else if (known) {
            assert_true(trip >= STEPS);
        }
    }
    assert_true(counted > 50000 && round_about > 1000);
}

static void large_trips(void **state) {
    (void)state;
    struct wm_dim d = {.rel = OFF_TRIP_NE, .bits = 32, .step_slot = 1, .bound_slot = 2};
    uint64_t trip;
    assert_false(wm_guard_trip(&d, (uint64_t[]){0, 2, 5}, &trip)); /* never equal */
    assert_true(wm_guard_trip(&d, (uint64_t[]){0, 3, 1}, &trip));  /* only after wrapping round */
    assert_int_equal(trip, 0xaaaaaaabu + 1u);
    assert_false(wm_guard_trip(&d, (uint64_t[]){0, 0, 1}, &trip));
    assert_false(wm_guard_trip(&d, (uint64_t[]){0, 1, UINT32_MAX}, &trip)); /* 2^32 iterations */
    d.bits = 64;
    assert_false(wm_guard_trip(&d, (uint64_t[]){0, 1, (uint64_t)1 << 40}, &trip));
    assert_true(wm_guard_trip(&d, (uint64_t[]){0, (uint64_t)1 << 40, (uint64_t)5 << 40}, &trip));
    assert_int_equal(trip, 6);
    d.rel = OFF_TRIP_LE_U;
    assert_false(wm_guard_trip(&d, (uint64_t[]){0, 1, UINT64_MAX}, &trip)); /* never false */
    d.bits = 32;
    assert_false(wm_guard_trip(&d, (uint64_t[]){0, 1, UINT32_MAX}, &trip));
    d.rel = OFF_TRIP_CONST;
    d.constant = 2;
    assert_true(wm_guard_trip(&d, NULL, &trip));
    assert_int_equal(trip, 2);
}

static void invalid_kernels_are_refused(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    add_dim(&f, 4, 0);
    add_access(&f, true, 4, 0, (int32_t[]){4});
    assert_true(wm_guard_kernel_valid(&f.kernel));
    f.accesses[0].stream = 8;
    assert_false(wm_guard_kernel_valid(&f.kernel));
    f.accesses[0].stream = 0;
    f.accesses[0].bytes = 3;
    assert_false(wm_guard_kernel_valid(&f.kernel));
    f.accesses[0].bytes = 4;
    f.accesses[0].base_slot = f.kernel.nslots;
    assert_false(wm_guard_kernel_valid(&f.kernel));
    f.accesses[0].base_slot = 0;
    f.dims[0].parent = 0;
    assert_false(wm_guard_kernel_valid(&f.kernel));
    f.dims[0].parent = -1;
    f.kernel.ndims = 9;
    assert_false(wm_guard_kernel_valid(&f.kernel));
}

/* Whatever a damaged module or a hostile program hands over: no crash, no endless search, and a yes only within memory.
 */
static void random_descriptions(void **state) {
    (void)state;
    unsigned valid = 0, yes = 0;
    for (unsigned round = 0; round < 100000; round++) {
        struct fixture f;
        fixture_init(&f);
        f.kernel.nslots = 1 + random_below(SLOTS);
        f.kernel.ndims = random_below(WM_MAX_DIMS + (round % 16 == 0) * 3 + 1);
        f.kernel.ngrid = random_below(5);
        f.kernel.nstreams = 1 + random_below(9);
        f.kernel.naccesses = random_below(round % 64 ? 9 : 97);
        for (unsigned i = 0; i < SLOTS; i++) {
            uint64_t bits = ((uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX)) >> random_below(64);
            f.slots[i] = random_below(4) ? bits : -bits;
        }
        for (unsigned d = 0; d < f.kernel.ndims && d < WM_MAX_DIMS; d++) {
            f.dims[d] = (struct wm_dim){.rel = random_below(11),
                                        .bits = random_below(8) ? 32 : 64,
                                        .top_tested = random_below(2),
                                        .parallel = 1,
                                        .unbounded = random_below(9) == 0,
                                        .axis = (int64_t)random_below(6) - 3,
                                        .parent = (int64_t)random_below(d + 1) - 1,
                                        .init_slot = random_below(SLOTS),
                                        .step_slot = random_below(SLOTS),
                                        .bound_slot = random_below(SLOTS),
                                        .constant = 1 + random_below(9)};
            f.dims[d].when_slot = random_below(4) ? WM_NO_SLOT : random_below(SLOTS);
            if (random_below(3))
                f.dims[d].rel = OFF_TRIP_CONST;
        }
        for (unsigned i = 0; i < f.kernel.naccesses && i < OFF_MAX_ACCESSES; i++) {
            struct wm_access *a = &f.accesses[i];
            *a = (struct wm_access){.stream = random_below((uint32_t)f.kernel.nstreams),
                                    .write = random_below(2),
                                    .bytes = 1u << random_below(5),
                                    .align = 1u << random_below(4),
                                    .base_slot = random_below(SLOTS)};
            a->offset = random_below(4) ? 0 : f.slots[random_below(SLOTS)];
            a->when_slot = random_below(4) ? WM_NO_SLOT : random_below(SLOTS);
            for (unsigned d = 0; d < WM_MAX_DIMS; d++)
                a->stride_slot[d] = random_below(2) && !f.dims[d].unbounded ? random_below(SLOTS) : WM_NO_SLOT;
        }
        if (!wm_guard_kernel_valid(&f.kernel))
            continue;
        valid++;
        struct wm_launch_plan plan;
        enum wm_fallback why;
        struct wm_guard_limits limits = {.memory_bytes = (uint64_t)65536 << random_below(17)};
        if (!wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why)) {
            assert_true(why < WM_FALLBACK_COUNT);
            continue;
        }
        yes++;
        for (unsigned i = 0; i < f.kernel.nstreams; i++)
            assert_true(plan.streams[i].lo <= plan.streams[i].hi && plan.streams[i].hi <= limits.memory_bytes);
    }
    print_message("%u of 100,000 descriptions valid, %u of them launched\n", valid, yes);
    assert_true(valid > 1000 && yes > 100);
}

/* Only reported: what a machine is doing besides must not decide a test. */
static void time_of_one_decision(void **state) {
    (void)state;
    for (unsigned accesses = 4; accesses <= 96; accesses += 92) {
        struct fixture f;
        fixture_init(&f);
        add_dim(&f, 8, 1);
        add_dim(&f, 16, 0);
        for (unsigned i = 0; i < accesses; i++) {
            struct wm_access *a = &f.accesses[i];
            *a = (struct wm_access){
                .stream = i % 4, .write = i % 4 == 0, .bytes = 1, .align = 1, .when_slot = WM_NO_SLOT};
            a->base_slot = i;
            f.slots[i] = i % 4 * 4096 + i / 4;
            for (unsigned d = 0; d < WM_MAX_DIMS; d++)
                a->stride_slot[d] = d < 2 ? 100 + d : WM_NO_SLOT;
        }
        f.slots[100] = 512, f.slots[101] = 32; /* y, x */
        f.kernel.naccesses = accesses;
        f.kernel.nstreams = 4;
        struct wm_launch_plan plan;
        enum wm_fallback why;
        struct timespec a, b;
        struct wm_guard_limits limits = {.memory_bytes = 65536, .aligned = true};
        enum { ROUNDS = 100000 };
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
        for (int i = 0; i < ROUNDS; i++)
            assert_true(wm_guard_decide(&f.kernel, f.slots, &limits, &plan, &why));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
        double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
        print_message("%u accesses: %.0f ns a decision\n", accesses, ns / ROUNDS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_agrees_with_brute_force),
        cmocka_unit_test(copies_are_apart),
        cmocka_unit_test(shapes_decide_as_expected),
        cmocka_unit_test(edges_of_memory),
        cmocka_unit_test(conditions_cost_and_grid),
        cmocka_unit_test(trips_agree_with_stepping),
        cmocka_unit_test(large_trips),
        cmocka_unit_test(invalid_kernels_are_refused),
        cmocka_unit_test(random_descriptions),
        cmocka_unit_test(time_of_one_decision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
