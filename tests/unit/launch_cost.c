/* Which safe launches pay on a GPU. */
#include "runtime/launch_cost.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wm_stream streams[2] = {{.read = 1, .kind = OFF_STREAM_RANGE}, {.write = 1, .kind = OFF_STREAM_RANGE}};
static const struct wm_kernel kernel = {.nstreams = 2, .streams = streams, .checked_loads = 2};

static struct wm_launch_plan plan_of(uint32_t x, uint32_t y, uint32_t z, uint64_t bytes, uint64_t work) {
    return (struct wm_launch_plan){.extent = {x, y, z},
                                   .streams = {{4096, 4096 + bytes}, {1 << 20, (1 << 20) + bytes}},
                                   .work = work,
                                   .memory_bytes = UINT64_C(1) << 32};
}

static void test_points(void **state) {
    (void)state;
    const struct wm_device any = {0}, gpu = {.least_points = 64};
    struct wm_launch_plan few = plan_of(63, 1, 1, 64, 1 << 30), enough = plan_of(4, 4, 4, 64, 1 << 30);
    bool is_few;
    assert_true(wm_launch_pays(&any, &kernel, &few, &is_few));
    assert_false(is_few);
    assert_false(wm_launch_pays(&gpu, &kernel, &few, &is_few));
    assert_true(is_few);
    assert_true(wm_launch_pays(&gpu, &kernel, &enough, &is_few));
    assert_false(is_few);
    struct wm_launch_plan huge = plan_of(UINT32_MAX, UINT32_MAX, UINT32_MAX, 64, 1 << 30);
    assert_true(wm_launch_pays(&gpu, &kernel, &huge, &is_few));
}

static void test_bytes(void **state) {
    (void)state;
    const struct wm_device discrete = {.min_ops_per_byte = 2}, unified = {0};
    struct wm_launch_plan copy = plan_of(1000, 1, 1, 4000, 15999), compute = plan_of(1000, 1, 1, 4000, 16000);
    bool is_few;
    assert_false(wm_launch_pays(&discrete, &kernel, &copy, &is_few));
    assert_false(is_few);
    assert_true(wm_launch_pays(&discrete, &kernel, &compute, &is_few));
    assert_true(wm_launch_pays(&unified, &kernel, &copy, &is_few));
    compute.memory_bytes = 8000; /* ranges over one another are no more than memory */
    compute.streams[1] = (struct wm_range){0, 8000};
    assert_true(wm_launch_pays(&discrete, &kernel, &compute, &is_few));
    compute.memory_bytes++;
    assert_false(wm_launch_pays(&discrete, &kernel, &compute, &is_few));
}

/* Of a range that is all of memory, only what can be fetched counts: a sector for each read. */
static void test_scattered(void **state) {
    (void)state;
    const struct wm_device discrete = {.min_ops_per_byte = 1};
    struct wm_launch_plan plan = plan_of(100, 1, 1, 64, 64 + 100 * 32 * 2);
    bool is_few;
    streams[0].kind = OFF_STREAM_MEMORY;
    plan.streams[0] = (struct wm_range){0, UINT64_C(1) << 32};
    assert_true(wm_launch_pays(&discrete, &kernel, &plan, &is_few));
    plan.work--;
    assert_false(wm_launch_pays(&discrete, &kernel, &plan, &is_few));
    plan.work++;
    plan.rounds = 2;
    assert_false(wm_launch_pays(&discrete, &kernel, &plan, &is_few));
    streams[0].kind = OFF_STREAM_RANGE;
}

/* What a device of these rates is to do with 1,000 points and so many operations and bytes. */
static const struct wm_device measured = {
    .rates = {.launch = 10000, .op = 0.1, .step = 5, .byte = 0.5, .host_op = 0.4, .host_byte = 0.1}};

static void test_predicted(void **state) {
    (void)state;
    bool few;
    /* 10 us and 100 ps each, or 400 ps each: alike at 33,333 */
    struct wm_launch_plan less = plan_of(1000, 1, 1, 64, 33000), more = plan_of(1000, 1, 1, 64, 33700);
    assert_false(wm_launch_pays(&measured, &kernel, &less, &few));
    assert_false(few);
    assert_true(wm_launch_pays(&measured, &kernel, &more, &few));
    struct wm_launch_times t = wm_launch_predict(&measured, &kernel, &more, 1);
    assert_true(t.kernel > 13369 && t.kernel < 13371 && t.loop > 13479 && t.loop < 13481);
    /* Emulation makes operations dearer on the device only. */
    t = wm_launch_predict(&measured, &kernel, &more, 4);
    assert_true(t.kernel > t.loop);
    /* An inspector is a second launch. */
    struct wm_kernel inspected = kernel;
    inspected.inspector = 1;
    assert_false(wm_launch_pays(&measured, &inspected, &more, &few));
    more.work *= 4;
    assert_true(wm_launch_pays(&measured, &inspected, &more, &few));
}

static void test_predicted_few(void **state) {
    (void)state;
    bool few;
    /* 10 points take 5 ns for each operation of one; 1,000 would be fast. */
    struct wm_launch_plan plan = plan_of(10, 1, 1, 64, 1000000);
    assert_false(wm_launch_pays(&measured, &kernel, &plan, &few));
    assert_true(few);
    plan.extent[1] = 100;
    assert_true(wm_launch_pays(&measured, &kernel, &plan, &few));
    assert_false(few);
    /* So little that no grid would help. */
    plan = plan_of(10, 1, 1, 64, 20000);
    assert_false(wm_launch_pays(&measured, &kernel, &plan, &few));
    assert_false(few);
}

static void test_predicted_bytes(void **state) {
    (void)state;
    bool few;
    /* A copy: 2 x 1 MB of ranges, slow for the device to fetch. */
    struct wm_launch_plan plan = plan_of(250000, 1, 1, 1000000, 1250000);
    assert_false(wm_launch_pays(&measured, &kernel, &plan, &few));
    assert_false(few);
    plan.work = 10000000;
    assert_true(wm_launch_pays(&measured, &kernel, &plan, &few));
    /* A column: a wide range of which operations for so few bytes are done. */
    plan = plan_of(100000, 1, 1, UINT64_C(1) << 31, 100000);
    struct wm_launch_times t = wm_launch_predict(&measured, &kernel, &plan, 1);
    assert_true(t.kernel > 409999 && t.kernel < 410001);
}

static void test_least_work(void **state) {
    (void)state;
    assert_int_equal(wm_launch_least_work(&measured.rates), 25000);
    struct wm_rates quick = measured.rates;
    quick.launch = 1;
    assert_int_equal(wm_launch_least_work(&quick), 2000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),     cmocka_unit_test(test_bytes),         cmocka_unit_test(test_scattered),
        cmocka_unit_test(test_predicted),  cmocka_unit_test(test_predicted_few), cmocka_unit_test(test_predicted_bytes),
        cmocka_unit_test(test_least_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
