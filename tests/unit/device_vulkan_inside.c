/* The Vulkan device from inside: limits made small, calls made to fail, the probe, and what importing costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "runtime/device_vulkan.h"

static struct device_fixture fixture;

static struct vulkan_device *open_device(void) {
    struct wm_device_desc desc = {&fixture.module, &fixture.memory, fixture.log, false, false, 0};
    struct wm_device *d = wm_device_vulkan_open(&desc, WM_VULKAN_BEST);
    if (!d)
        fail_msg("no Vulkan device: %s", fixture.last_message);
    return (struct vulkan_device *)d;
}

static int setup(void **state) {
    fixture.errors = 0;
    fixture.last_id[0] = 0;
    memset(fixture.memory.base, 0xa5, fixture.memory.bytes);
    *state = open_device();
    return 0;
}

static int teardown(void **state) {
    struct vulkan_device *d = *state;
    assert_int_equal(atomic_load(&d->instance.messages.count), 0);
    d->base.ops->close(&d->base);
    return 0;
}

static enum wm_device_result launch(struct vulkan_device *d, enum device_kernel k, enum wm_fallback *why) {
    struct wm_guard_limits limits = {.memory_bytes = fixture.memory.bytes, .aligned = true};
    struct wm_launch_plan plan;
    *why = WM_FALLBACK_COUNT;
    assert_true(wm_guard_decide(&fixture.kernels[k], fixture.slots, &limits, &plan, why));
    return d->base.ops->launch(&d->base, k, &plan, fixture.slots, why);
}

static void assert_mapped(uint32_t in, uint32_t out, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (device_words(&fixture, out)[i] != device_words(&fixture, in)[i] * 3 + 1)
            fail_msg("element %u of %u", i, n);
    assert_int_equal(device_words(&fixture, out)[n], 0xa5a5a5a5);
}

static void wide_grids_are_split(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    d->traits.properties.limits.maxComputeWorkGroupCount[0] = 3; /* 48 points */
    device_fixture_line(&fixture, 0, 65536, 1000);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_DONE);
    assert_mapped(0, 65536, 1000);
    assert_int_equal(launch(d, KERNEL_UNIFORM, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_BINDING);
    d->traits.properties.limits.maxComputeWorkGroupCount[1] = 3; /* 6 points */
    fixture.slots[SLOT_NY] = 7;
    fixture.slots[SLOT_SY] = 4000;
    assert_int_equal(launch(d, KERNEL_GRID, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_BINDING);
}

static void memory_larger_than_a_buffer(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    d->traits.max_window = 1 << 20; /* of 4 MiB: windows of 1 MiB, one every 512 KiB */
    uint32_t half = 512 << 10, end = (uint32_t)fixture.memory.bytes;
    static const uint32_t places[] = {0, 100 << 10, 500 << 10, 1000 << 10, 1500 << 10, 2000 << 10, 3000 << 10};
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        memset(fixture.memory.base, 0xa5, fixture.memory.bytes);
        uint32_t n = half / 4 - 64, out = places[p], in = out >= 2560u << 10 ? 0 : 3072 << 10;
        for (uint32_t i = 0; i < n; i++)
            device_words(&fixture, in)[i] = i;
        device_fixture_line(&fixture, in, out, n);
        assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_DONE);
        assert_mapped(in, out, n);
    }
    assert_int_equal(d->nwindows, 7);
    device_fixture_line(&fixture, 0, end - 4096, 1024); /* the last bytes */
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_DONE);
    device_fixture_line(&fixture, 0, 2 << 20, (1 << 18) + 1); /* too long for one window */
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_BINDING);
    d->traits.properties.limits.maxStorageBufferRange = 4096;
    device_fixture_line(&fixture, 0, 65536, 1025);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_BINDING);
}

static void variants_by_capability(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    bool has_double = d->traits.caps & OFF_CAP_FLOAT64;
    device_fixture_line(&fixture, 0, 65536, 100);
    device_words(&fixture, 0)[50] = 10;
    assert_int_equal(launch(d, KERNEL_VARIANTS, &why), WM_DEVICE_DONE);
    assert_int_equal(device_words(&fixture, 65536)[50], has_double ? 32 : 31);
    assert_int_equal(launch(d, KERNEL_DOUBLE, &why), has_double ? WM_DEVICE_DONE : WM_DEVICE_REFUSED);
    if (!has_double)
        assert_int_equal(why, WM_FALLBACK_CAPABILITY);
}

static void long_loops_on_old_llvmpipe(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    d->traits.cuts_long_loops = true;
    device_fixture_line(&fixture, 0, 65536, 100);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_DONE);
    fixture.kernels[KERNEL_MAP].uses = OFF_USE_LONG_LOOP;
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_LONG_LOOP);
    d->traits.cuts_long_loops = false;
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_DONE);
    fixture.kernels[KERNEL_MAP].uses = 0;
}

static void inexact_operations_are_refused(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    uint32_t all = OFF_USE_F32 | OFF_USE_F64;
    uint32_t inexact = vk_inexact_uses(d, all);
    assert_int_equal(d->probed, all);
    print_message("%s: f32 arithmetic %s, division %s, square root %s; f64 arithmetic %s, division %s, root %s\n",
                  d->base.name, inexact & OFF_USE_F32_ARITH ? "inexact" : "exact",
                  inexact & OFF_USE_F32_DIV ? "inexact" : "exact", inexact & OFF_USE_F32_SQRT ? "inexact" : "exact",
                  inexact & OFF_USE_F64_ARITH ? "inexact" : "exact", inexact & OFF_USE_F64_DIV ? "inexact" : "exact",
                  inexact & OFF_USE_F64_SQRT ? "inexact" : "exact");
    if (!(d->traits.caps & OFF_CAP_FLOAT64))
        assert_int_equal(inexact & OFF_USE_F64, OFF_USE_F64);
    d->inexact |= OFF_USE_F32_SQRT;
    fixture.kernels[KERNEL_MAP].uses = OFF_USE_F32_SQRT;
    device_fixture_line(&fixture, 0, 65536, 100);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_INEXACT);
    fixture.kernels[KERNEL_MAP].uses = 0;
}

/* Its kernels pass the validation layer, and the figures make sense; how large they are is only shown. */
static void speed_is_measured(void **state) {
    struct vulkan_device *d = *state;
    struct wm_rates r = {0};
    assert_true(d->base.ops->measure(&d->base, &r));
    assert_true(wm_measure_host(&r));
    assert_true(wm_rates_valid(&r));
    assert_int_equal(atomic_load(&d->instance.messages.count), 0);
    print_message("%s: launch %.1f us, op %.4f ns, step %.3f ns, byte %.4f ns\n", d->base.name, r.launch / 1e3, r.op,
                  r.step, r.byte);
}

static void emulation_pays(void **state) {
    struct wm_device *d = *state;
    struct wm_launch_plan plan = {.work = d->default_min_work * 8};
    d->software = false;
    assert_true(wm_device_emulation_pays(d, 0, &plan));
    assert_true(wm_device_emulation_pays(d, OFF_USE_F32_SUBNORMAL, &plan));
    assert_false(wm_device_emulation_pays(d, OFF_USE_F64_ARITH | OFF_USE_F32_SUBNORMAL, &plan));
    plan.work *= 32;
    assert_true(wm_device_emulation_pays(d, OFF_USE_F64_ARITH, &plan));
    d->software = true;
    assert_false(wm_device_emulation_pays(d, OFF_USE_F32_SUBNORMAL, &plan));
    assert_true(wm_device_emulation_pays(d, 0, &plan));
    d->forced = true;
    assert_true(wm_device_emulation_pays(d, OFF_USE_F64_ARITH, &plan));
}

/* A variant that computes on integers is not even compiled on a software device, unless the threshold was set. */
static void emulation_on_software(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    struct wm_spirv *variant = &fixture.spirv[KERNEL_MAP][0];
    variant->avoids = OFF_USE_F64;
    d->base.software = true;
    device_fixture_line(&fixture, 0, 65536, 100);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_EMULATED);
    d->pipelines[KERNEL_MAP].is.tried = false;
    d->base.forced = true;
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_DONE);
    variant->avoids = 0;
}

static VkResult failing_wait(VkDevice device, uint32_t n, const VkFence *fences, VkBool32 all, uint64_t timeout) {
    (void)device, (void)n, (void)fences, (void)all, (void)timeout;
    return VK_ERROR_DEVICE_LOST;
}

static VkResult failing_submit(VkQueue queue, uint32_t n, const VkSubmitInfo *info, VkFence fence) {
    (void)queue, (void)n, (void)info, (void)fence;
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

static VkResult failing_allocate(VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *a,
                                 VkDeviceMemory *out) {
    (void)device, (void)info, (void)a, (void)out;
    return VK_ERROR_INVALID_EXTERNAL_HANDLE;
}

static void failed_submission_leaves_memory_alone(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    d->vk->QueueSubmit = failing_submit;
    device_fixture_line(&fixture, 0, 65536, 100);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_DEVICE_ERROR);
    assert_true(d->base.dead);
    assert_string_equal(fixture.last_id, "WMR2211");
    assert_int_equal(device_words(&fixture, 65536)[0], 0xa5a5a5a5);
}

static void lost_while_running(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    d->vk->WaitForFences = failing_wait;
    device_fixture_line(&fixture, 0, 65536, 100);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_LOST);
    assert_true(d->base.dead);
}

static uint64_t waited;
static PFN_vkWaitForFences really_wait;

/* As if every launch took as long as it may, unless it may take for ever. */
static VkResult endless_wait(VkDevice device, uint32_t n, const VkFence *fences, VkBool32 all, uint64_t timeout) {
    waited = timeout;
    return timeout == UINT64_MAX ? really_wait(device, n, fences, all, timeout) : VK_TIMEOUT;
}

/* A launch that does not end in time: the device is given up, and what it uses stays until it has ended after all. */
static void given_up_when_it_hangs(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    really_wait = d->vk->WaitForFences;
    d->vk->WaitForFences = endless_wait;
    d->launch_timeout = 25;
    device_fixture_line(&fixture, 0, 65536, 100);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_LOST);
    assert_int_equal(why, WM_FALLBACK_DEVICE_ERROR);
    assert_int_equal(waited, 25000000);
    assert_true(d->base.dead && d->base.runs_on);
    d->base.ops->close(&d->base); /* must not destroy anything, so that this still works: */
    assert_int_equal(really_wait(d->device, 1, &d->fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
    d->vk->WaitForFences = really_wait; /* for the teardown, which finds the launch ended */
}

static void time_for_a_launch(void **state) {
    struct vulkan_device *d = *state;
    really_wait = d->vk->WaitForFences;
    static const struct {
        uint64_t timeout;
        bool software;
        uint64_t work, wait;
    } rows[] = {
        {0, false, 1000, UINT64_MAX},
        {WM_TIMEOUT_DEFAULT, true, 1000, UINT64_MAX},
        {WM_TIMEOUT_DEFAULT, false, 1000, UINT64_C(60000001000)},
        {WM_TIMEOUT_DEFAULT, false, UINT64_MAX - 5, UINT64_MAX},
        {7, true, 1000, 7000000},
        {7, false, 0, UINT64_C(60000000000)}, /* the probe */
        {UINT64_MAX / 2, false, 1000, UINT64_MAX},
    };
    bool software = d->base.software;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        bool submitted;
        d->launch_timeout = rows[k].timeout;
        d->base.software = rows[k].software;
        assert_int_equal(vk_begin(d), VK_SUCCESS);
        d->vk->WaitForFences = endless_wait;
        VkResult r = vk_submit_and_wait(d, rows[k].work, &submitted);
        d->vk->WaitForFences = really_wait;
        assert_true(submitted);
        assert_int_equal(r, rows[k].wait == UINT64_MAX ? VK_SUCCESS : VK_TIMEOUT);
        assert_int_equal(waited, rows[k].wait);
        if (r == VK_TIMEOUT) {
            assert_int_equal(really_wait(d->device, 1, &d->fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
            assert_int_equal(d->vk->ResetFences(d->device, 1, &d->fence), VK_SUCCESS);
        }
    }
    d->base.software = software;
    d->base.runs_on = false;
}

static void failed_import(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    d->vk->AllocateMemory = failing_allocate;
    device_fixture_line(&fixture, 0, 65536, 100);
    assert_int_equal(launch(d, KERNEL_MAP, &why), WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_DEVICE_ERROR);
    assert_string_equal(fixture.last_id, "WMR2209");
}

static void misaligned_memory_is_refused(void **state) {
    struct vulkan_device *d = *state;
    enum wm_fallback why;
    fixture.memory.base += 64;
    device_fixture_line(&fixture, 0, 65536, 10);
    enum wm_device_result r = launch(d, KERNEL_MAP, &why);
    fixture.memory.base -= 64;
    assert_int_equal(r, WM_DEVICE_REFUSED);
    assert_int_equal(why, WM_FALLBACK_BINDING);
}

static long resident_kilobytes(void) {
    long pages = 0, unused;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &unused, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Binding adds next to nothing to the process, whether the memory has been touched or not.  The first round only brings
 * in the driver's code. */
static void binding_costs_no_memory(void **state) {
    (void)state;
    for (int round = 0; round < 3; round++) {
        bool touched = round == 2;
        struct device_fixture mine;
        assert_true(device_fixture_open(&mine, 16 << 20, false));
        if (touched)
            memset(mine.memory.base, 1, mine.memory.bytes);
        struct wm_device_desc desc = {&mine.module, &mine.memory, mine.log, false, false, 0};
        struct wm_device *base = wm_device_vulkan_open(&desc, WM_VULKAN_BEST);
        assert_non_null(base);
        struct vulkan_device *d = (struct vulkan_device *)base;
        struct vk_binding binding;
        enum wm_fallback why;
        struct wm_range all = {0, mine.memory.bytes};
        long before = resident_kilobytes();
        assert_true(vk_bind_range(d, all, &binding, &why));
        long after = resident_kilobytes();
        if (round > 0) {
            print_message("binding 16 MiB, %s: %ld KiB more resident\n", touched ? "touched" : "untouched",
                          after - before);
            if (d->traits.software)
                assert_true(after - before < 256);
        }
        base->ops->close(base);
        device_fixture_close(&mine);
    }
}

int main(void) {
    if (!device_fixture_open(&fixture, 4 << 20, true)) {
        fprintf(stderr, "spirv-as is missing\n");
        return 77;
    }
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(wide_grids_are_split),
        TEST(memory_larger_than_a_buffer),
        TEST(variants_by_capability),
        TEST(long_loops_on_old_llvmpipe),
        TEST(inexact_operations_are_refused),
        TEST(speed_is_measured),
        TEST(emulation_pays),
        TEST(emulation_on_software),
        TEST(failed_submission_leaves_memory_alone),
        TEST(failed_import),
        TEST(misaligned_memory_is_refused),
        TEST(binding_costs_no_memory),
        TEST(lost_while_running),
        TEST(time_for_a_launch),
        TEST(given_up_when_it_hangs),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    device_fixture_close(&fixture);
    return failed;
}
