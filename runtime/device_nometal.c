/* In place of device_metal_*.m everywhere but on Apple's systems (see CMakeLists.txt). */
#include "runtime/device.h"

bool wm_device_metal_built(void) {
    return false;
}

struct wm_device *wm_device_metal_open(const struct wm_device_desc *desc) {
    (void)desc;
    return NULL;
}

size_t wm_device_metal_list(struct wasmetal_device_info *out, size_t count, size_t capacity) {
    (void)out;
    (void)capacity;
    return count;
}

size_t wm_device_metal_probe(struct wasmetal_device_class *out, size_t capacity) {
    (void)out;
    (void)capacity;
    return 0;
}
