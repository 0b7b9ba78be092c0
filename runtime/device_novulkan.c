/* In place of device_vulkan_*.c where the build had no Vulkan headers (see CMakeLists.txt). */
#include "runtime/device.h"

struct wm_device *wm_device_vulkan_open(const struct wm_device_desc *desc, int choice) {
    (void)choice;
    wm_device_log(&desc->log, WM_LOG_INFO, "WMR2201", "this build of the runtime has no Vulkan device");
    return NULL;
}

size_t wm_device_vulkan_probe(int index, struct wasmetal_device_class *out, size_t capacity) {
    (void)index;
    (void)out;
    (void)capacity;
    return 0;
}

size_t wm_device_vulkan_list(struct wasmetal_device_info *out, size_t count, size_t capacity) {
    (void)out;
    (void)capacity;
    return count;
}
