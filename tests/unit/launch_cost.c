/* Which safe launches pay on a GPU. */
#include "runtime/launch_cost.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wm_stream streams[2] = {{.read = 1, .kind = OFF_STREAM_RANGE}, {.write = 1, .kind = OFF_STREAM_RANGE}};
static const struct wm_kernel kernel = {.nstreams = 2, .streams = streams, .checked_loads = 2};

static struct wm_launch_plan plan_of(uint32_t x, uint32_t y, uint32_t z, uint64_t bytes, uint64_t work) {
    return (struct wm_launch_plan){
        .extent = {x, y, z}, .streams = {{4096, 4096 + bytes}, {1 << 20, (1 << 20) + bytes}}, .work = work};
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_scattered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
