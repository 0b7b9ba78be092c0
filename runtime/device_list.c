/* `wasmetal devices`: what loops could run on here. */
#include <stdio.h>
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
    }
    size_t count = wm_device_metal_list(out_devices, 1, capacity);
    return wm_device_vulkan_list(out_devices, count, capacity);
}
