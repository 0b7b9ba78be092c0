/* `wasmetal devices`: what loops could run on here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/device.h"
#include "runtime/include/wasmetal.h"

size_t wasmetal_list_devices(wasmetal_device_info *out_devices, size_t capacity) {
    if (capacity > 0) {
        memset(&out_devices[0], 0, sizeof out_devices[0]);
        snprintf(out_devices[0].spec, sizeof out_devices[0].spec, "cpu");
        snprintf(out_devices[0].name, sizeof out_devices[0].name, "%u threads", wm_device_cpu_threads());
        out_devices[0].software = true;
        out_devices[0].usable = true;
        out_devices[0].min_work = WM_DEVICE_LEAST_MIN_WORK;
        snprintf(out_devices[0].binding, sizeof out_devices[0].binding, "host: kernels work where it lies");
    }
    size_t count = wm_device_metal_list(out_devices, 1, capacity);
    return wm_device_vulkan_list(out_devices, count, capacity);
}

/* Kernels for the cpu device are native code from the same compiler as everything else. */
static size_t probe_cpu(wasmetal_device_class *out, size_t capacity) {
    static const wasmetal_device_class all[] = {
        {"f32, f64, i32, i64 and conversions", "exact", "instruction"},
        {"loads and stores of 8 and 16 bits", "able", "instruction"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all && i < capacity; i++)
        out[i] = all[i];
    return sizeof all / sizeof *all;
}

size_t wasmetal_probe_device(const char *spec, wasmetal_device_class *out_classes, size_t capacity) {
    if (strcmp(spec, "cpu") == 0)
        return probe_cpu(out_classes, capacity);
    if (strcmp(spec, "metal") == 0)
        return wm_device_metal_probe(out_classes, capacity);
    char *end;
    if (strncmp(spec, "vulkan:", 7) != 0 || spec[7] < '0' || spec[7] > '9')
        return 0;
    unsigned long index = strtoul(spec + 7, &end, 10);
    return *end || index >= 1000 ? 0 : wm_device_vulkan_probe((int)index, out_classes, capacity);
}

bool wasmetal_measure_device(const char *spec, wasmetal_device_rates *out_rates) {
    const struct wm_module none = {.abi_version = WM_ABI_VERSION, .name = "none"};
    const struct wm_device_desc desc = {.module = &none};
    struct wm_device *d = NULL;
    char *end = "";
    if (strcmp(spec, "cpu") == 0) {
        d = wm_device_cpu_open(&desc);
    } else if (strncmp(spec, "vulkan:", 7) == 0 && spec[7] >= '0' && spec[7] <= '9') {
        unsigned long index = strtoul(spec + 7, &end, 10);
        d = *end || index >= 1000 ? NULL : wm_device_vulkan_open(&desc, (int)index);
    }
    if (!d)
        return false;
    wm_device_calibrate(d, WM_CALIBRATE_AGAIN, false, &desc.log);
    const struct wm_rates *r = &d->rates;
    bool known = r->launch > 0;
    if (known)
        *out_rates =
            (wasmetal_device_rates){r->launch, r->op, r->step, r->byte, r->host_op, r->host_byte, d->default_min_work};
    d->ops->close(d);
    return known;
}
