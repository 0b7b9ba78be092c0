/* Launches through wm_offload on one device (the argument: "cpu" or "vulkan"): results, counters, fallbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "device_fixture.h"

static const char *device;
static struct device_fixture fixture;

static bool on_vulkan(void) {
    return strncmp(device, "vulkan", 6) == 0;
}

static bool on_gpu(void) {
    return on_vulkan() || strcmp(device, "metal") == 0;
}

static void launch(struct wm_offload *o, enum device_kernel k, uint64_t expected) {
    uint64_t trips[WM_MAX_DIMS] = {0};
    uint64_t r = wm_offload_launch(o, k, fixture.slots, trips);
    if (r != expected)
        fail_msg("kernel %d: %llu; last message %s %s", (int)k, (unsigned long long)r, fixture.last_id,
                 fixture.last_message);
    if (r == 1) {
        assert_int_equal(trips[0], fixture.slots[SLOT_NZ]);
        assert_int_equal(trips[1], fixture.slots[SLOT_NY]);
        assert_int_equal(trips[2], fixture.slots[SLOT_NX]);
    }
}

static int setup(void **state) {
    memset(fixture.memory.base, 0xa5, fixture.memory.bytes);
    fixture.errors = 0;
    *state = device_fixture_offload(&fixture, device);
    return *state ? 0 : -1;
}

static int teardown(void **state) {
    struct wm_offload_stats stats;
    wm_offload_get_stats(*state, &stats);
    assert_int_equal(stats.validation_messages, 0);
    assert_int_equal(stats.bytes_copied, 0);
    wm_offload_close(*state);
    assert_int_equal(fixture.errors, 0);
    return 0;
}

static void map_of_odd_sizes(void **state) {
    static const uint32_t sizes[] = {1, 2, 15, 16, 17, 63, 64, 65, 1000, 4096, 100003};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t n = sizes[s], in = 256 + 4 * (uint32_t)s, out = 1 << 20;
        device_fixture_line(&fixture, in, out, n);
        memset(fixture.memory.base, 0xa5, fixture.memory.bytes);
        for (uint32_t i = 0; i < n; i++)
            device_words(&fixture, in)[i] = i * 2654435761u;
        launch(*state, KERNEL_MAP, 1);
        for (uint32_t i = 0; i < n; i++)
            if (device_words(&fixture, out)[i] != i * 2654435761u * 3 + 1)
                fail_msg("size %u element %u", n, i);
        assert_int_equal(device_words(&fixture, out)[-1], 0xa5a5a5a5);
        assert_int_equal(device_words(&fixture, out)[n], 0xa5a5a5a5);
        assert_int_equal(device_words(&fixture, in)[-1], 0xa5a5a5a5);
    }
    struct wm_offload_stats stats;
    wm_offload_get_stats(*state, &stats);
    assert_int_equal(stats.launches, sizeof sizes / sizeof *sizes);
    assert_int_equal(stats.kernels[KERNEL_MAP].launches, stats.launches);
    assert_true(stats.nanoseconds > 0);
    assert_string_equal(stats.binding, on_gpu() ? "imported" : "host");
    print_message("%s: %s\n", stats.device, stats.device_name);
}

static void update_in_place(void **state) {
    enum { N = 5000 };
    device_fixture_line(&fixture, 4096, 65536, N);
    float a = 1.5f, *x = (float *)(fixture.memory.base + 4096), *y = (float *)(fixture.memory.base + 65536), want[N];
    memcpy(&fixture.slots[SLOT_SCALARS], &a, 4);
    for (int i = 0; i < N; i++) {
        x[i] = (float)i * 0.37f;
        y[i] = (float)(N - i) * 0.11f;
    }
    for (int i = 0; i < N; i++)
        want[i] = a * x[i] + y[i];
    /* The scalars of this kernel are in, out, a. */
    launch(*state, KERNEL_AXPY, 1);
    assert_memory_equal(y, want, sizeof want);
}

static void grid_of_three_axes(void **state) {
    enum { NX = 37, NY = 11, NZ = 5, SY = 40 * 4, SZ = SY * 12 };
    device_fixture_line(&fixture, 0, 65536 + 8, NX);
    fixture.slots[SLOT_NY] = NY;
    fixture.slots[SLOT_NZ] = NZ;
    fixture.slots[SLOT_SY] = fixture.slots[SLOT_SCALARS] = SY;
    fixture.slots[SLOT_SZ] = fixture.slots[SLOT_SCALARS + 1] = SZ;
    launch(*state, KERNEL_GRID, 1);
    for (uint32_t z = 0; z < NZ; z++)
        for (uint32_t y = 0; y < 12; y++)
            for (uint32_t x = 0; x < 40; x++) {
                uint32_t got = *device_words(&fixture, 65536 + 8 + z * SZ + y * SY + x * 4);
                assert_int_equal(got, x < NX && y < NY ? (x | y << 10 | z << 20) : 0xa5a5a5a5);
            }
}

static void many_scalars(void **state) {
    device_fixture_line(&fixture, 0, 65536, 1000);
    uint32_t sum = 0;
    for (unsigned i = 0; i < 40; i++)
        sum += (uint32_t)(fixture.slots[SLOT_SCALARS + i] = i * i + 1);
    for (uint32_t round = 0; round < 3; round++) {
        fixture.slots[SLOT_SCALARS] = 1 + round;
        launch(*state, KERNEL_UNIFORM, 1);
        for (uint32_t i = 0; i < 1000; i++)
            assert_int_equal(device_words(&fixture, 65536)[i], i + sum + round);
    }
}

static void last_bytes_of_memory(void **state) {
    uint32_t end = (uint32_t)fixture.memory.bytes;
    device_fixture_line(&fixture, 0, end - 12, 3);
    device_words(&fixture, 0)[2] = 7;
    launch(*state, KERNEL_MAP, 1);
    assert_int_equal(device_words(&fixture, end - 12)[2], 22);
    device_fixture_line(&fixture, 0, end - 8, 3);
    launch(*state, KERNEL_MAP, 0);
    struct wm_offload_stats stats;
    wm_offload_get_stats(*state, &stats);
    assert_int_equal(stats.fallbacks[WM_FALLBACK_BOUNDS], 1);
    assert_int_equal(stats.kernels[KERNEL_MAP].fallbacks[WM_FALLBACK_BOUNDS], 1);
}

static void growth_between_launches(void **state) {
    uint64_t before = fixture.memory.bytes;
    device_fixture_line(&fixture, 0, 65536, 100);
    launch(*state, KERNEL_MAP, 1);
    device_fixture_line(&fixture, 0, (uint32_t)before, 100);
    launch(*state, KERNEL_MAP, 0);
    device_fixture_grow(&fixture, before + 65536);
    wm_offload_memory_changed(*state);
    device_words(&fixture, 0)[99] = 5;
    launch(*state, KERNEL_MAP, 1);
    assert_int_equal(device_words(&fixture, (uint32_t)before)[99], 16);
}

static void refusals(void **state) {
    struct wm_offload_stats stats;
    device_fixture_line(&fixture, 0, 4, 100); /* out is in, shifted by one */
    launch(*state, KERNEL_MAP, 0);
    device_fixture_line(&fixture, 0, 65536, 0);
    launch(*state, KERNEL_MAP, 0);
    device_fixture_line(&fixture, 1, 65536, 100);
    launch(*state, KERNEL_MAP, on_gpu() ? 0 : 1);
    wm_offload_get_stats(*state, &stats);
    assert_int_equal(stats.fallbacks[WM_FALLBACK_CONFLICT], 1);
    assert_int_equal(stats.fallbacks[WM_FALLBACK_TRIP], 1);
    assert_int_equal(stats.fallbacks[WM_FALLBACK_ALIGNMENT], on_gpu() ? 1 : 0);
}

static void default_threshold(void **state) {
    struct wm_offload_desc desc = {
        .module = &fixture.module, .memory = &fixture.memory, .device = device, .min_work = UINT64_MAX};
    (void)state;
    struct wm_offload *o = wm_offload_open(&desc);
    device_fixture_line(&fixture, 0, 65536, 10);
    launch(o, KERNEL_MAP, 0);
    struct wm_offload_stats stats;
    wm_offload_get_stats(o, &stats);
    assert_int_equal(stats.fallbacks[WM_FALLBACK_SMALL], 1);
    wm_offload_close(o);
}

/* Only reported: timings decide nothing. */
static void time_of_one_launch(void **state) {
    device_fixture_line(&fixture, 0, 1 << 20, 1024);
    launch(*state, KERNEL_MAP, 1);
    enum { ROUNDS = 300 };
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < ROUNDS; i++)
        launch(*state, KERNEL_MAP, 1);
    clock_gettime(CLOCK_MONOTONIC, &b);
    print_message("%.1f us a launch of 1,024 points\n",
                  ((double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3) / ROUNDS);
}

int main(int argc, char **argv) {
    device = argc > 1 ? argv[1] : "cpu";
    if (!device_fixture_open(&fixture, 4 << 20, on_vulkan())) {
        fprintf(stderr, "spirv-as is missing\n");
        return 77;
    }
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(map_of_odd_sizes),  TEST(update_in_place),      TEST(grid_of_three_axes),
        TEST(many_scalars),      TEST(last_bytes_of_memory), TEST(refusals),
        TEST(default_threshold), TEST(time_of_one_launch),   TEST(growth_between_launches),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    device_fixture_close(&fixture);
    return failed;
}
