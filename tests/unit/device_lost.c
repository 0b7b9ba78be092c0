/* What wm_offload does around a device: choosing one, one that is lost, one that is not there.  The devices here are
 * made up; the program is linked with offload.c and guard.c only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/device.h"

static struct {
    enum wm_device_result result;
    bool runs_on, pages_stay;
    unsigned abandoned;
    bool vulkan_missing, metal_built, metal_missing;
    int choice;
    unsigned opened_cpu, opened_metal, opened_vulkan, closed, launched;
    char last_id[16];
} fake;

static enum wm_device_result fake_launch(struct wm_device *d, uint64_t kernel, const struct wm_launch_plan *plan,
                                         const uint64_t *slots, enum wm_fallback *out_why) {
    (void)kernel, (void)plan, (void)slots;
    fake.launched++;
    d->runs_on = fake.runs_on;
    *out_why = WM_FALLBACK_DEVICE_ERROR;
    return fake.result;
}
static void fake_memory_changed(struct wm_device *d) {
    (void)d;
}
static void fake_close(struct wm_device *d) {
    (void)d;
    fake.closed++;
}

static const struct wm_device_ops cpu_ops = {"cpu", fake_launch, fake_memory_changed, fake_close, NULL};
static const struct wm_device_ops vulkan_ops = {"vulkan", fake_launch, fake_memory_changed, fake_close, NULL};
static const struct wm_device_ops metal_ops = {"metal", fake_launch, fake_memory_changed, fake_close, NULL};
static struct wm_device device;

struct wm_device *wm_device_cpu_open(const struct wm_device_desc *desc) {
    (void)desc;
    fake.opened_cpu++;
    device = (struct wm_device){.ops = &cpu_ops, .binding = "host"};
    return &device;
}

struct wm_device *wm_device_vulkan_open(const struct wm_device_desc *desc, int choice) {
    (void)desc;
    fake.opened_vulkan++;
    fake.choice = choice;
    device = (struct wm_device){.ops = &vulkan_ops, .binding = "imported"};
    return fake.vulkan_missing ? NULL : &device;
}

unsigned wm_device_cpu_threads(void) {
    return 1;
}

bool wm_device_metal_built(void) {
    return fake.metal_built;
}

struct wm_device *wm_device_metal_open(const struct wm_device_desc *desc) {
    (void)desc;
    fake.opened_metal++;
    device = (struct wm_device){.ops = &metal_ops, .binding = "imported"};
    return fake.metal_missing ? NULL : &device;
}

static void on_log(void *user, int level, const char *id, const char *message) {
    (void)user, (void)level, (void)message;
    strncpy(fake.last_id, id, sizeof fake.last_id - 1);
}

/* One dimension of 100 points; slot 0 is the address read, slot 1 the one written, slot 2 the stride. */
static const struct wm_dim dim = {
    .rel = OFF_TRIP_CONST, .bits = 32, .parallel = 1, .parent = -1, .constant = 100, .ops = 1, .when_slot = WM_NO_SLOT};
#define STRIDES \
    { 2, WM_NO_SLOT, WM_NO_SLOT, WM_NO_SLOT, WM_NO_SLOT, WM_NO_SLOT, WM_NO_SLOT, WM_NO_SLOT }
static const struct wm_access accesses[] = {
    {.stream = 0, .bytes = 4, .align = 4, .base_slot = 0, .stride_slot = STRIDES, .when_slot = WM_NO_SLOT},
    {.stream = 1, .write = 1, .bytes = 4, .align = 4, .base_slot = 1, .stride_slot = STRIDES, .when_slot = WM_NO_SLOT},
};
static const struct wm_stream streams[] = {{1, 0, 4, 4, 0, 0}, {0, 1, 4, 4, 0, 0}};
static const struct wm_kernel kernels[] = {
    {.name = "good",
     .ngrid = 1,
     .ndims = 1,
     .dims = &dim,
     .naccesses = 2,
     .accesses = accesses,
     .nstreams = 2,
     .streams = streams,
     .nslots = 3,
     .workgroup = {1, 1, 1}},
    {.name = "malformed",
     .ngrid = 1,
     .ndims = 1,
     .dims = &dim,
     .naccesses = 2,
     .accesses = accesses,
     .nstreams = 1,
     .streams = streams,
     .nslots = 3,
     .workgroup = {1, 1, 1}},
};
static const struct wm_module module = {.nkernels = 2, .kernels = kernels};
static struct wm_memory memory = {.bytes = 65536};

static bool abandon_pages(void *user, struct wm_memory *m, bool by_threads) {
    assert_ptr_equal(user, &fake);
    assert_ptr_equal(m, &memory);
    assert_int_equal(by_threads, device.software);
    assert_int_equal(fake.closed, 1); /* first the device */
    fake.abandoned++;
    return !fake.pages_stay;
}

static struct wm_offload *open_offload(const char *name) {
    memset(&fake, 0, sizeof fake);
    struct wm_offload_desc desc = {.module = &module,
                                   .memory = &memory,
                                   .device = name,
                                   .log = on_log,
                                   .log_user = &fake,
                                   .abandon_pages = abandon_pages};
    struct wm_offload *o = wm_offload_open(&desc);
    assert_non_null(o);
    return o;
}

static uint64_t launch(struct wm_offload *o, uint64_t kernel, uint64_t in, uint64_t out) {
    uint64_t slots[] = {in, out, 4}, trips[WM_MAX_DIMS];
    return wm_offload_launch(o, kernel, slots, trips);
}

static struct wm_offload_stats stats_of(const struct wm_offload *o) {
    struct wm_offload_stats s;
    wm_offload_get_stats(o, &s);
    return s;
}

static void devices_by_name(void **state) {
    (void)state;
    struct wm_offload *o = open_offload("none");
    assert_false(wm_offload_active(o));
    assert_int_equal(launch(o, 0, 0, 4096), 0);
    assert_string_equal(stats_of(o).device, "none");
    wm_offload_close(o);

    static const char *const wrong[] = {"",          "gpu",       "vulkan:",           "vulkan:x",
                                        "vulkan:1x", "vulkan:-1", "vulkan:99999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        o = open_offload(wrong[i]);
        assert_false(wm_offload_active(o));
        wm_offload_close(o);
        assert_int_equal(fake.opened_cpu + fake.opened_vulkan, 0);
    }

    o = open_offload("vulkan:3");
    assert_true(wm_offload_active(o));
    assert_int_equal(fake.opened_vulkan, 0); /* not before a loop asks */
    assert_string_equal(stats_of(o).device, "vulkan");
    assert_int_equal(launch(o, 0, 0, 4096), 1);
    assert_int_equal(fake.choice, 3);
    wm_offload_close(o);
    assert_int_equal(fake.closed, 1);

    o = open_offload(NULL);
    fake.vulkan_missing = true;
    assert_int_equal(launch(o, 0, 0, 4096), 1);
    assert_int_equal(fake.choice, WM_VULKAN_HARDWARE);
    assert_int_equal(fake.opened_cpu, 1);
    assert_string_equal(stats_of(o).device, "cpu");
    wm_offload_close(o);

    o = open_offload("vulkan");
    fake.vulkan_missing = true;
    assert_int_equal(launch(o, 0, 0, 4096), 0);
    assert_int_equal(launch(o, 0, 0, 4096), 0);
    assert_int_equal(fake.opened_vulkan, 1);
    assert_int_equal(fake.opened_cpu, 0);
    assert_int_equal(stats_of(o).fallbacks[WM_FALLBACK_NO_DEVICE], 2);
    assert_string_equal(stats_of(o).device, "none");
    wm_offload_close(o);
}

static void metal_by_name(void **state) {
    (void)state;
    struct wm_offload *o = open_offload("metal"); /* a build without it says so at once */
    assert_string_equal(fake.last_id, "WMR2301");
    assert_false(wm_offload_active(o));
    assert_int_equal(launch(o, 0, 0, 4096), 0);
    assert_int_equal(fake.opened_metal, 0);
    wm_offload_close(o);

    struct wm_offload_desc desc = {.module = &module, .memory = &memory, .device = "metal", .log = on_log};
    memset(&fake, 0, sizeof fake);
    fake.metal_built = true;
    o = wm_offload_open(&desc);
    assert_string_equal(stats_of(o).device, "metal");
    assert_int_equal(launch(o, 0, 0, 4096), 1);
    assert_int_equal(fake.opened_metal, 1);
    wm_offload_close(o);

    /* auto: Metal, then Vulkan on hardware, then the CPU */
    desc.device = NULL;
    for (int missing = 0; missing < 3; missing++) {
        memset(&fake, 0, sizeof fake);
        fake.metal_built = true;
        fake.metal_missing = missing >= 1;
        fake.vulkan_missing = missing >= 2;
        o = wm_offload_open(&desc);
        assert_int_equal(launch(o, 0, 0, 4096), 1);
        assert_string_equal(stats_of(o).device, missing == 0 ? "metal" : missing == 1 ? "vulkan" : "cpu");
        assert_int_equal(fake.opened_vulkan, missing >= 1);
        assert_int_equal(fake.opened_cpu, missing >= 2);
        wm_offload_close(o);
    }
}

static void lost_with_separate_output(void **state) {
    (void)state;
    struct wm_offload *o = open_offload("vulkan");
    fake.result = WM_DEVICE_LOST;
    assert_int_equal(launch(o, 0, 0, 4096), 0); /* the loop runs again from its unharmed input */
    assert_int_equal(fake.closed, 1);
    assert_int_equal(launch(o, 0, 0, 4096), 0);
    assert_int_equal(fake.launched, 1);
    assert_int_equal(stats_of(o).fallbacks[WM_FALLBACK_DEVICE_ERROR], 1);
    assert_int_equal(stats_of(o).fallbacks[WM_FALLBACK_NO_DEVICE], 1);
    wm_offload_close(o);
    assert_int_equal(fake.closed, 1);
}

static void lost_in_an_update(void **state) {
    (void)state;
    struct wm_offload *o = open_offload("vulkan");
    fake.result = WM_DEVICE_LOST;
    assert_int_equal(launch(o, 0, 4096, 4096), WM_LAUNCH_LOST);
    assert_string_equal(fake.last_id, "WMR2005");
    wm_offload_close(o);
}

/* A device that may still be writing: the memory has to get other pages before the loop runs again, or nothing may run.
 */
static void lost_and_running_on(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        bool in_place = k & 1, pages_stay = k & 2;
        struct wm_offload *o = open_offload("vulkan");
        fake.result = WM_DEVICE_LOST;
        fake.runs_on = true;
        fake.pages_stay = pages_stay;
        assert_int_equal(launch(o, 0, in_place ? 4096 : 0, 4096), in_place || pages_stay ? WM_LAUNCH_LOST : 0);
        assert_int_equal(fake.abandoned, 1);
        assert_int_equal(fake.closed, 1);
        if (in_place || pages_stay)
            assert_string_equal(fake.last_id, "WMR2005");
        wm_offload_close(o);
    }
    struct wm_offload *o = open_offload("vulkan"); /* lost, but at rest: the pages stay */
    fake.result = WM_DEVICE_LOST;
    assert_int_equal(launch(o, 0, 0, 4096), 0);
    assert_int_equal(fake.abandoned, 0);
    wm_offload_close(o);
}

static void refusals_and_malformed_kernels(void **state) {
    (void)state;
    struct wm_offload *o = open_offload("cpu");
    assert_string_equal(fake.last_id, "WMR2002");
    fake.result = WM_DEVICE_REFUSED;
    assert_int_equal(launch(o, 0, 0, 4096), 0);
    assert_int_equal(stats_of(o).fallbacks[WM_FALLBACK_DEVICE_ERROR], 1);
    fake.result = WM_DEVICE_DONE;
    assert_int_equal(launch(o, 1, 0, 4096), 0);
    device.dead = true;
    assert_int_equal(launch(o, 0, 0, 4096), 0);
    assert_int_equal(stats_of(o).kernels[0].fallbacks[WM_FALLBACK_NO_DEVICE], 1);
    assert_int_equal(stats_of(o).launches, 0);
    wm_offload_close(o);
}

static void reasons_have_names(void **state) {
    (void)state;
    for (int i = 0; i < WM_FALLBACK_COUNT; i++)
        assert_true(strlen(wm_fallback_name(i)) > 2);
    assert_string_equal(wm_fallback_name(WM_FALLBACK_LONG_LOOP), "long-loop");
    assert_string_equal(wm_fallback_name(WM_FALLBACK_COUNT), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_by_name),     cmocka_unit_test(lost_with_separate_output),
        cmocka_unit_test(lost_in_an_update),   cmocka_unit_test(refusals_and_malformed_kernels),
        cmocka_unit_test(reasons_have_names),  cmocka_unit_test(metal_by_name),
        cmocka_unit_test(lost_and_running_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
