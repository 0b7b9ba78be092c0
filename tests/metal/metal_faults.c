/* The Metal device when things go wrong, and its ways round: what the double injects (double/config.def), launched
 * through wm_offload, with memory, counters, fallbacks and log IDs checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "double/double.h"
#include "runtime/include/wasmetal.h"
#include "tests/unit/device_fixture.h"

enum { MEMORY = 1 << 20, IN = 4096, OUT = 65536, N = 1000 };

static struct device_fixture fixture;
static char folder[64];

static int setup(void **state) {
    (void)state;
    if (!device_fixture_open(&fixture, MEMORY, false))
        return -1;
    fixture.kernels[KERNEL_AXPY].uses = OFF_USE_F32_ARITH | OFF_USE_F32_SUBNORMAL;
    device_fixture_line(&fixture, IN, OUT, N);
    for (uint32_t i = 0; i < N; i++) {
        device_words(&fixture, IN)[i] = 0x3f800000u + i;
        device_words(&fixture, OUT)[i] = 0x40000000u + i;
    }
    float a = 1.5f;
    memcpy(&fixture.slots[SLOT_SCALARS], &a, 4);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    device_fixture_close(&fixture);
    return 0;
}

static struct wm_offload *open_with(const char *faults) {
    metal_double_configure(faults);
    struct wm_offload *o = device_fixture_offload(&fixture, "metal");
    assert_non_null(o);
    return o;
}

static uint64_t launch(struct wm_offload *o, enum device_kernel k) {
    uint64_t trips[WM_MAX_DIMS];
    return wm_offload_launch(o, k, fixture.slots, trips);
}

static uint64_t fallbacks(struct wm_offload *o, enum wm_fallback why) {
    struct wm_offload_stats s;
    wm_offload_get_stats(o, &s);
    return s.fallbacks[why];
}

static void check_map(uint32_t in, uint32_t out, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (device_words(&fixture, out)[i] != device_words(&fixture, in)[i] * 3 + 1)
            fail_msg("element %u of %u at %u", i, n, out);
}

static void check_out_untouched(void) {
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(device_words(&fixture, OUT)[i], 0x40000000u + i);
}

/* One launch of `k` under `faults` is refused for `why` with the log ID, and memory is as it was. */
static void refused(const char *faults, enum device_kernel k, enum wm_fallback why, const char *id) {
    struct wm_offload *o = open_with(faults);
    fixture.last_id[0] = 0;
    assert_int_equal(launch(o, k), 0);
    if (fallbacks(o, why) != 1)
        fail_msg("%s: not refused for \"%s\"; last message %s %s", faults, wm_fallback_name(why), fixture.last_id,
                 fixture.last_message);
    assert_string_equal(fixture.last_id, id);
    check_out_untouched();
    wm_offload_close(o);
}

static void nothing_starts(void **state) {
    (void)state;
    refused("no-device", KERNEL_MAP, WM_FALLBACK_NO_DEVICE, "WMR2003");
    refused("no-queue", KERNEL_MAP, WM_FALLBACK_NO_DEVICE, "WMR2003");
    refused("no-buffer-at=1", KERNEL_MAP, WM_FALLBACK_DEVICE_ERROR, "WMR2304");
    refused("no-encoder", KERNEL_MAP, WM_FALLBACK_DEVICE_ERROR, "WMR2307");
    refused("no-compile", KERNEL_MAP, WM_FALLBACK_DEVICE_ERROR, "WMR2305");
    refused("no-pipeline", KERNEL_MAP, WM_FALLBACK_DEVICE_ERROR, "WMR2305");
    refused("max-threads=16", KERNEL_MAP, WM_FALLBACK_CAPABILITY, "");
    refused("", KERNEL_DOUBLE, WM_FALLBACK_CAPABILITY, ""); /* it has no MSL */
}

static void source_with_an_error(void **state) {
    (void)state;
    fixture.kernels[KERNEL_MAP].msl = "#include <metal_stdlib>\nkernel void map(uint3 id [[thread_position_in_grid]])\n"
                                      "{ no_such_function(id); }\n";
    refused("", KERNEL_MAP, WM_FALLBACK_DEVICE_ERROR, "WMR2305");
    assert_non_null(strstr(fixture.last_message, "no_such_function"));
}

static void lost_with_separate_output(void **state) {
    (void)state;
    struct wm_offload *o = open_with("lost-at=2");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    memset(device_words(&fixture, OUT), 0, 4 * N);
    assert_int_equal(launch(o, KERNEL_MAP), 0); /* in part; the loop then runs again from its inputs */
    assert_string_equal(fixture.last_id, "WMR2307");
    assert_int_not_equal(device_words(&fixture, OUT)[0] | device_words(&fixture, OUT)[N - 1], 0);
    assert_int_equal(fallbacks(o, WM_FALLBACK_DEVICE_ERROR), 1);
    assert_int_equal(launch(o, KERNEL_MAP), 0);
    assert_int_equal(fallbacks(o, WM_FALLBACK_NO_DEVICE), 1);
    assert_int_equal(metal_counters.commits, 2);
    wm_offload_close(o);
}

static void lost_in_an_update(void **state) {
    (void)state;
    struct wm_offload *o = open_with("lost-at=2,error=2"); /* the probe is the first */
    assert_int_equal(launch(o, KERNEL_AXPY), WM_LAUNCH_LOST);
    assert_string_equal(fixture.last_id, "WMR2005");
    wm_offload_close(o);
}

static void lost_in_the_probe(void **state) {
    (void)state;
    refused("lost-at=1", KERNEL_AXPY, WM_FALLBACK_INEXACT, "WMR2308");
}

/* Opens the device with a limit in milliseconds on launches. */
static struct wm_offload *open_with_limit(const char *faults, uint64_t milliseconds) {
    struct wm_offload_desc desc = {.module = &fixture.module,
                                   .memory = &fixture.memory,
                                   .device = "metal",
                                   .log = fixture.log.fn,
                                   .log_user = fixture.log.user,
                                   .launch_timeout = milliseconds};
    metal_double_configure(faults);
    struct wm_offload *o = wm_offload_open(&desc);
    assert_non_null(o);
    return o;
}

static const wasmetal_device_class *find_class(const wasmetal_device_class *list, size_t n, const char *name) {
    for (size_t k = 0; k < n; k++)
        if (strcmp(list[k].operations, name) == 0)
            return &list[k];
    fail_msg("no row \"%s\"", name);
    return NULL;
}

/* What `wasmetal devices` prints. */
static void table_of_operations(void **state) {
    (void)state;
    wasmetal_device_info devices[16];
    wasmetal_device_class rows[32];
    metal_double_configure("max-buffer=1048576");
    assert_true(wasmetal_list_devices(devices, 16) >= 2);
    assert_string_equal(devices[1].spec, "metal");
    assert_true(devices[1].usable && devices[1].min_work > 0);
    assert_int_equal(devices[1].max_buffer_bytes, 1048576);
    size_t n = wasmetal_probe_device("metal", rows, 32);
    assert_true(n > 8 && n <= 32);
    assert_string_equal(find_class(rows, n, "f32 divide")->device, "exact");
    assert_string_equal(find_class(rows, n, "f32 divide")->kernels, "instruction");
    assert_string_equal(find_class(rows, n, "f64")->kernels, "integers");
    assert_int_equal(wasmetal_probe_device("metal", rows, 2), n);

    metal_double_configure("flush-subnormals");
    n = wasmetal_probe_device("metal", rows, 32);
    assert_string_equal(find_class(rows, n, "f32 multiply")->device, "inexact for subnormals");
    assert_string_equal(find_class(rows, n, "f32 multiply")->kernels, "instruction; integers for subnormals");
    metal_double_configure("lost-at=1");
    assert_int_equal(wasmetal_probe_device("metal", rows, 32), 0);
    metal_double_configure("no-queue");
    assert_int_equal(wasmetal_probe_device("metal", rows, 32), 0);
    metal_double_configure("no-device");
    assert_int_equal(wasmetal_probe_device("metal", rows, 32), 0);
}

/* Darwin cannot give linear memory other pages, so the instance cannot go on: the kernel writes when it likes. */
static void given_up_when_late(void **state) {
    (void)state;
    struct wm_offload *o = open_with_limit("late-at=2,late-ms=300", 30);
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    memset(device_words(&fixture, OUT), 0, 4 * N);
    assert_int_equal(launch(o, KERNEL_MAP), WM_LAUNCH_LOST);
    assert_string_equal(fixture.last_id, "WMR2005");
    assert_int_equal(launch(o, KERNEL_MAP), 0);
    assert_int_equal(fallbacks(o, WM_FALLBACK_NO_DEVICE), 1);
    wm_offload_close(o);
    assert_int_equal(metal_timeouts, 1);
    /* What it uses was left behind, so it ends well in the end. */
    for (uint32_t i = 0, tries = 0; i < N && tries < 1000; tries++)
        if (device_words(&fixture, OUT)[i] == device_words(&fixture, IN)[i] * 3 + 1)
            i++, tries = 0;
        else
            usleep(10000);
    check_map(IN, OUT, N);
}

static char gpu_time[256]; /* the last that was said of it */

static void note_gpu_time(void *user, int level, const char *id, const char *message) {
    (void)user;
    (void)level;
    if (strcmp(id, "WMR2311") == 0)
        snprintf(gpu_time, sizeof gpu_time, "%s", message);
}

/* By the GPU's own clock: of a launch, and of all when the device is closed. */
static void time_on_the_gpu(void **state) {
    (void)state;
    struct wm_offload_desc desc = {
        .module = &fixture.module, .memory = &fixture.memory, .device = "metal", .log = note_gpu_time};
    metal_double_configure("late-at=1,late-ms=20");
    struct wm_offload *o = wm_offload_open(&desc);
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    assert_memory_equal(gpu_time, "map: ", 5);
    assert_true(strtod(gpu_time + 5, NULL) >= 20);
    wm_offload_close(o);
    assert_non_null(strstr(gpu_time, "in all"));
    assert_true(strtod(gpu_time, NULL) >= 20);
}

static void late_and_waited_for(void **state) {
    (void)state;
    static const uint64_t limits[] = {10000, 0, WM_TIMEOUT_DEFAULT};
    for (int k = 0; k < 3; k++) {
        struct wm_offload *o = open_with_limit("late-at=1,late-ms=50", limits[k]);
        memset(device_words(&fixture, OUT), 0, 4 * N);
        assert_int_equal(launch(o, KERNEL_MAP), 1);
        check_map(IN, OUT, N);
        wm_offload_close(o);
    }
}

static void subnormals_flushed(void **state) {
    (void)state;
    refused("flush-subnormals", KERNEL_AXPY, WM_FALLBACK_INEXACT, ""); /* there is no other form of it */
    struct wm_offload *o = open_with("flush-subnormals");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    check_map(IN, OUT, N);
    wm_offload_close(o);

    /* A made-up "exact" form, to see which one runs. */
    static char text[2048];
    const char *map = fixture.kernels[KERNEL_MAP].msl, *name = strstr(map, "map(");
    snprintf(text, sizeof text, "%.*saxpy_exact%s", (int)(name - map), map, name + 3);
    fixture.kernels[KERNEL_AXPY].msl_exact = text;
    fixture.kernels[KERNEL_AXPY].nscalars = 2;
    o = open_with("flush-subnormals");
    assert_int_equal(launch(o, KERNEL_AXPY), 1);
    check_map(IN, OUT, N);
    wm_offload_close(o);
    fixture.kernels[KERNEL_AXPY].uses |= OFF_USE_F64_ARITH; /* emulated: from a threshold 32 times as high */
    struct wm_offload_desc desc = {
        .module = &fixture.module, .memory = &fixture.memory, .device = "metal", .min_work = UINT64_MAX};
    device_fixture_line(&fixture, 0, 1 << 19, 100000);
    o = wm_offload_open(&desc);
    assert_int_equal(launch(o, KERNEL_AXPY), 0);
    assert_int_equal(fallbacks(o, WM_FALLBACK_EMULATED), 1);
    wm_offload_close(o);
}

/* The double contracts and takes fast math wherever it is allowed to, before macOS 15 and since. */
static void exact_arithmetic(void **state) {
    (void)state;
    static const char *const systems[] = {"", "old-system"};
    for (int s = 0; s < 2; s++) {
        float want[N], a = 1.5f;
        memcpy(want, device_words(&fixture, OUT), sizeof want);
        for (uint32_t i = 0; i < N; i++) {
            float x;
            memcpy(&x, &device_words(&fixture, IN)[i], 4);
            float product = a * x;
            want[i] = product + want[i];
        }
        struct wm_offload *o = open_with(systems[s]);
        assert_int_equal(launch(o, KERNEL_AXPY), 1);
        assert_memory_equal(device_words(&fixture, OUT), want, sizeof want);
        wm_offload_close(o);
    }
}

static void several_windows(void **state) {
    (void)state;
    struct wm_offload *o = open_with("max-buffer=262144");
    for (uint32_t out = OUT; out + 4 * N <= MEMORY; out += 60004 / 4 * 4) {
        device_fixture_line(&fixture, IN, out, N);
        assert_int_equal(launch(o, KERNEL_MAP), 1);
        check_map(IN, out, N);
    }
    assert_int_equal(metal_counters.no_copy_buffers, 7); /* (1024 - 256) / 128 + 1 */
    /* Half a window fits wherever it lies; more than a window nowhere. */
    device_fixture_line(&fixture, 0, 300000, 131072 / 4);
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    device_fixture_line(&fixture, 0, 300000, 270000 / 4);
    assert_int_equal(launch(o, KERNEL_MAP), 0);
    assert_int_equal(fallbacks(o, WM_FALLBACK_BINDING), 1);
    wm_offload_close(o);
}

static void growth_between_launches(void **state) {
    (void)state;
    struct wm_offload *o = open_with("max-buffer=524288");
    for (uint32_t bytes = MEMORY; bytes < 8u << 20; bytes += 5 * 65536) {
        device_fixture_line(&fixture, IN, bytes - 4 * N, N);
        assert_int_equal(launch(o, KERNEL_MAP), 1);
        check_map(IN, bytes - 4 * N, N);
        device_fixture_grow(&fixture, bytes + 5 * 65536);
        wm_offload_memory_changed(o);
    }
    wm_offload_close(o);
}

static void archive_on_disk(void **state) {
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "rm -rf %s/wasmetal", folder);
    assert_int_equal(system(path), 0);
    struct wm_offload *o = open_with("");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    wm_offload_close(o);
    assert_int_equal(metal_counters.archive_misses, 1);
    o = open_with("");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    assert_int_equal(metal_counters.archive_hits, 1);
    assert_int_equal(launch(o, KERNEL_GRID), 1); /* one more */
    wm_offload_close(o);

    snprintf(path, sizeof path,
             "cd %s/wasmetal && ls *.binarchive > list && test $(wc -l < list) = 1 && "
             "test $(wc -l < $(cat list)) = 4 && echo damaged > $(cat list)",
             folder);
    assert_int_equal(system(path), 0);
    o = open_with("");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    assert_int_equal(metal_counters.archive_misses, 1);
    wm_offload_close(o);
    o = open_with("");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    assert_int_equal(metal_counters.archive_hits, 1);
    wm_offload_close(o);

    /* A folder that others can write to is not used. */
    snprintf(path, sizeof path, "%s/wasmetal", folder);
    chmod(path, 0777);
    o = open_with("");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    assert_int_equal(metal_counters.archive_hits + metal_counters.archive_misses, 0);
    wm_offload_close(o);
    chmod(path, 0700);
}

static void kernels_of_a_metallib(void **state) {
    (void)state;
    static char library[4096];
    const char *source = fixture.kernels[KERNEL_MAP].msl;
    fixture.module.metallib = library;
    fixture.module.metallib_size =
        (uint64_t)snprintf(library, sizeof library, "MTLB\n//@ map %zu\n%s", strlen(source), source);
    struct wm_offload *o = open_with("no-compile");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    check_map(IN, OUT, N);
    assert_int_equal(launch(o, KERNEL_GRID), 0); /* not in it */
    assert_int_equal(metal_counters.data_libraries, 1);
    wm_offload_close(o);

    o = open_with("bad-library");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    assert_string_equal(fixture.last_id, "WMR2306");
    assert_int_equal(metal_counters.source_compiles, 1);
    wm_offload_close(o);
}

static void capture(void **state) {
    (void)state;
    char path[100];
    snprintf(path, sizeof path, "%s/trace", folder);
    setenv("WASMETAL_CAPTURE", path, 1);
    struct wm_offload *o = open_with("");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    assert_string_equal(fixture.last_id, "WMR2313");
    wm_offload_close(o);
    o = open_with("capture");
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    assert_int_equal(metal_counters.captures, 1);
    wm_offload_close(o);
    assert_int_equal(access(path, R_OK), 0);
    unsetenv("WASMETAL_CAPTURE");
}

static void bus_of_a_discrete_device(void **state) {
    (void)state;
    struct wm_offload_desc desc = {
        .module = &fixture.module, .memory = &fixture.memory, .device = "metal", .min_work = UINT64_MAX};
    metal_double_configure("discrete");
    device_fixture_line(&fixture, 0, 1 << 19, 100000);
    struct wm_offload *o = wm_offload_open(&desc);
    assert_int_equal(launch(o, KERNEL_MAP), 0);
    assert_int_equal(fallbacks(o, WM_FALLBACK_SMALL), 1); /* 5 operations a point for 8 bytes */
    wm_offload_close(o);
    metal_double_configure("");
    o = wm_offload_open(&desc);
    assert_int_equal(launch(o, KERNEL_MAP), 1);
    wm_offload_close(o);
}

int main(void) {
    snprintf(folder, sizeof folder, "/tmp/metal-faults.XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_CACHE_HOME", folder, 1);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_starts),      TEST(source_with_an_error),  TEST(lost_with_separate_output),
        TEST(lost_in_an_update),   TEST(lost_in_the_probe),     TEST(subnormals_flushed),
        TEST(exact_arithmetic),    TEST(several_windows),       TEST(growth_between_launches),
        TEST(archive_on_disk),     TEST(kernels_of_a_metallib), TEST(capture),
        TEST(given_up_when_late),  TEST(late_and_waited_for),   TEST(bus_of_a_discrete_device),
        TEST(table_of_operations), TEST(time_on_the_gpu),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 || failed;
}
