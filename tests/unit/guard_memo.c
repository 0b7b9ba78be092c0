/* The guard's memory of its last answers (runtime/guard_memo.c): it must never answer for other numbers than those it
 * was asked about.  A kernel with every part that names slots is asked again and again while single slots, limits and
 * combinations of them change, and each answer is compared with a fresh decision.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "runtime/guard_memo.h"

enum {
    BASE,
    STRIDE_X,
    STRIDE_Y,
    BOUND,
    STEP,
    ZERO,
    WHEN,
    CONDITION,
    RANGE_BASE,
    OUT,
    COLOUR, /* a scalar, which is no business of the guard */
    WHEN_LOOP,
    NSLOTS,
};

struct setup {
    struct wm_kernel kernel;
    struct wm_dim dims[3];
    struct wm_access accesses[4];
    struct wm_stream streams[4];
    struct wm_range_desc range;
    struct wm_scalar scalar;
    uint64_t condition, slots[NSLOTS];
};

static void no_strides(uint64_t *slots) {
    for (unsigned d = 0; d < WM_MAX_DIMS; d++)
        slots[d] = WM_NO_SLOT;
}

/* out[y][x] = a[y][x] + b[y][x] * colour, over 32 rows of 64 words, and a table of 16 words read at a known range. */
static void set_up(struct setup *s) {
    *s = (struct setup){.condition = CONDITION};
    s->dims[0] = (struct wm_dim){.rel = OFF_TRIP_LT_S, .bits = 32, .parallel = 1, .axis = 1, .parent = -1, .ops = 1};
    s->dims[0].init_slot = ZERO, s->dims[0].step_slot = STEP, s->dims[0].bound_slot = BOUND;
    s->dims[0].when_slot = WHEN_LOOP, s->dims[0].top_tested = 1;
    s->dims[1] = (struct wm_dim){.rel = OFF_TRIP_CONST, .bits = 32, .parallel = 1, .axis = 0, .ops = 9};
    s->dims[1].when_slot = WM_NO_SLOT, s->dims[1].constant = 64;
    s->dims[2] = (struct wm_dim){.rel = OFF_TRIP_RANGE, .bits = 32, .axis = -1};
    s->dims[2].when_slot = WM_NO_SLOT;
    s->range = (struct wm_range_desc){.op = OFF_RANGE_AFFINE, .base_slot = RANGE_BASE};
    no_strides(s->range.stride_slot);
    for (unsigned i = 0; i < 4; i++) {
        s->accesses[i] =
            (struct wm_access){.stream = i, .write = i == 0, .bytes = 4, .align = 4, .when_slot = WM_NO_SLOT};
        s->accesses[i].base_slot = i == 0 ? OUT : BASE;
        s->accesses[i].offset = i * 8192;
        no_strides(s->accesses[i].stride_slot);
        s->accesses[i].stride_slot[0] = STRIDE_Y;
        s->accesses[i].stride_slot[1] = STRIDE_X;
        s->streams[i] = (struct wm_stream){.read = i != 0, .write = i == 0, .min_bytes = 4, .max_bytes = 4};
    }
    s->accesses[2].when_slot = WHEN;
    no_strides(s->accesses[3].stride_slot);
    s->accesses[3].stride_slot[2] = STRIDE_X;
    s->scalar = (struct wm_scalar){.type = IR_F32, .slot = COLOUR};
    s->kernel = (struct wm_kernel){.name = "k",
                                   .ngrid = 2,
                                   .ndims = 3,
                                   .dims = s->dims,
                                   .naccesses = 4,
                                   .accesses = s->accesses,
                                   .nstreams = 4,
                                   .streams = s->streams,
                                   .nscalars = 1,
                                   .scalars = &s->scalar,
                                   .nslots = NSLOTS,
                                   .nconditions = 1,
                                   .condition_slots = &s->condition,
                                   .nranges = 1,
                                   .ranges = &s->range,
                                   .workgroup = {64, 1, 1}};
    const uint64_t slots[NSLOTS] = {
        [BASE] = 65536,  [STRIDE_X] = 4,   [STRIDE_Y] = 256, [BOUND] = 32, [STEP] = 1,     [WHEN] = 1,
        [CONDITION] = 1, [RANGE_BASE] = 3, [OUT] = 4096,     [COLOUR] = 7, [WHEN_LOOP] = 1};
    memcpy(s->slots, slots, sizeof slots);
    assert_true(wm_guard_kernel_valid(&s->kernel));
}

/* Asks the memory, and compares with a fresh decision; gives the answer. */
static bool ask(struct setup *s, struct guard_memo **memo, const struct wm_guard_limits *limits) {
    struct wm_launch_plan fresh, kept;
    enum wm_fallback fresh_why = WM_FALLBACK_COUNT, kept_why = WM_FALLBACK_COUNT;
    bool expected = wm_guard_decide(&s->kernel, s->slots, limits, &fresh, &fresh_why);
    bool got = guard_memo_decide(memo, &s->kernel, s->slots, limits, &kept, &kept_why);
    assert_int_equal(got, expected);
    if (!expected) {
        assert_int_equal(kept_why, fresh_why);
        if (wm_guard_parts_may_run(&fresh, fresh_why, 1) != wm_guard_parts_may_run(&kept, kept_why, 1))
            fail_msg("a remembered refusal leaves another hope");
        return false;
    }
    assert_memory_equal(kept.trips, fresh.trips, s->kernel.ndims * sizeof fresh.trips[0]);
    assert_memory_equal(kept.first, fresh.first, s->kernel.ndims * sizeof fresh.first[0]);
    assert_memory_equal(kept.extent, fresh.extent, sizeof fresh.extent);
    assert_memory_equal(kept.streams, fresh.streams, s->kernel.nstreams * sizeof fresh.streams[0]);
    assert_memory_equal(kept.written, fresh.written, s->kernel.nstreams * sizeof fresh.written[0]);
    assert_true(kept.work == fresh.work && kept.serial == fresh.serial && kept.unbounded == fresh.unbounded);
    assert_true(kept.memory_bytes == fresh.memory_bytes && kept.aligned == fresh.aligned && kept.status == NULL);
    return true;
}

static uint32_t random_next(uint32_t *state) {
    return *state = *state * 1664525 + 1013904223;
}

/* Every slot alone takes other values and comes back, with the first question asked again in between. */
static void every_slot_counts(void **state) {
    (void)state;
    struct setup s;
    set_up(&s);
    struct guard_memo *memo = NULL;
    struct wm_guard_limits limits = {.memory_bytes = 1 << 20, .min_work = 1};
    assert_true(ask(&s, &memo, &limits));
    static const uint64_t values[] = {0, 1, 2, 4, 64, 4000, 65540, 0x7fffffff, 0xfffffffc};
    unsigned refused = 0;
    for (unsigned i = 0; i < NSLOTS; i++) {
        uint64_t before = s.slots[i];
        unsigned mine = 0;
        for (unsigned v = 0; v < sizeof values / sizeof values[0]; v++) {
            s.slots[i] = values[v];
            mine += !ask(&s, &memo, &limits);
            s.slots[i] = before;
            assert_true(ask(&s, &memo, &limits));
        }
        assert_true(mine > 0 || i == COLOUR || i == WHEN || i == RANGE_BASE); /* the others are all able to refuse */
        refused += mine;
    }
    assert_true(refused > 10);
    guard_memo_free(memo);
}

static void limits_count(void **state) {
    (void)state;
    struct setup s;
    set_up(&s);
    struct guard_memo *memo = NULL;
    struct wm_guard_limits limits = {.memory_bytes = 1 << 20, .min_work = 1};
    assert_true(ask(&s, &memo, &limits));
    limits.memory_bytes = 65536;
    assert_false(ask(&s, &memo, &limits));
    limits.memory_bytes = 1 << 20;
    limits.min_work = 1 << 30;
    assert_false(ask(&s, &memo, &limits));
    limits.min_work = 1;
    s.slots[OUT] = 4098;
    assert_true(ask(&s, &memo, &limits));
    limits.aligned = true;
    assert_false(ask(&s, &memo, &limits));
    guard_memo_free(memo);
}

static void random_walks(void **state) {
    (void)state;
    struct setup s;
    set_up(&s);
    struct guard_memo *memo = NULL;
    struct wm_guard_limits limits = {.memory_bytes = 1 << 18, .min_work = 1};
    uint32_t seed = 1;
    unsigned yes = 0, no = 0;
    static const uint64_t some[] = {0, 1, 4, 8, 32, 256, 4096, 65536, 130000};
    for (int i = 0; i < 20000; i++) {
        if (random_next(&seed) >> 30 == 0)
            set_up(&s);
        if (random_next(&seed) >> 30)
            s.slots[(random_next(&seed) >> 8) % NSLOTS] = some[(random_next(&seed) >> 8) % 9];
        limits.aligned = random_next(&seed) >> 31;
        *(ask(&s, &memo, &limits) ? &yes : &no) += 1;
    }
    assert_true(yes > 1000 && no > 1000);
    guard_memo_free(memo);
}

/* Only reported: what a machine is doing besides must not decide a test. */
static void time_of_an_answer(void **state) {
    (void)state;
    enum { ROUNDS = 200000 };
    struct setup s;
    set_up(&s);
    struct guard_memo *memo = NULL;
    struct wm_guard_limits limits = {.memory_bytes = 1 << 20, .min_work = 1};
    struct wm_launch_plan plan;
    enum wm_fallback why;
    for (int remembered = 0; remembered < 2; remembered++) {
        struct timespec a, b;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
        for (int i = 0; i < ROUNDS; i++)
            assert_true(remembered ? guard_memo_decide(&memo, &s.kernel, s.slots, &limits, &plan, &why)
                                   : wm_guard_decide(&s.kernel, s.slots, &limits, &plan, &why));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
        double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
        print_message("4 streams, %s: %.0f ns\n", remembered ? "remembered" : "decided", ns / ROUNDS);
    }
    guard_memo_free(memo);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_counts),
        cmocka_unit_test(limits_count),
        cmocka_unit_test(random_walks),
        cmocka_unit_test(time_of_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
