/* No Vulkan loader at all ("loader"; dlopen finds nothing), or a loader without a working driver ("driver"; the caller
 * points VK_DRIVER_FILES nowhere): devices are listed, a launch is answered "no-device" under "vulkan" and happens on
 * the cpu device under "auto". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "device_fixture.h"
#include "runtime/include/wasmetal.h"

static bool hide_loader;

/* In place of the C library's for this program. */
void *dlopen(const char *name, int flags) {
    if (hide_loader && name && strstr(name, "ulkan"))
        return NULL;
    void *(*real)(const char *, int) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "dlopen");
    memcpy(&real, &symbol, sizeof symbol);
    return real ? real(name, flags) : NULL;
}

#define CHECK(cond)                                                                                                  \
    do {                                                                                                             \
        if (!(cond)) {                                                                                               \
            fprintf(stderr, "%d: %s; last message %s %s\n", __LINE__, #cond, fixture.last_id, fixture.last_message); \
            return 1;                                                                                                \
        }                                                                                                            \
    } while (0)

int main(int argc, char **argv) {
    static struct device_fixture fixture;
    hide_loader = argc > 1 && strcmp(argv[1], "loader") == 0;
    CHECK(device_fixture_open(&fixture, 1 << 20, false));

    wasmetal_device_info devices[4];
    CHECK(wasmetal_list_devices(devices, 4) == 1);
    CHECK(strcmp(devices[0].spec, "cpu") == 0 && devices[0].usable);
    CHECK(wasmetal_list_devices(NULL, 0) == 1);

    uint64_t trips[WM_MAX_DIMS];
    struct wm_offload_stats stats;
    device_fixture_line(&fixture, 0, 65536, 100);
    struct wm_offload *o = device_fixture_offload(&fixture, "vulkan");
    CHECK(wm_offload_launch(o, KERNEL_MAP, fixture.slots, trips) == 0);
    wm_offload_get_stats(o, &stats);
    CHECK(stats.fallbacks[WM_FALLBACK_NO_DEVICE] == 1);
    CHECK(strcmp(fixture.last_id, "WMR2003") == 0);
    wm_offload_close(o);

    o = device_fixture_offload(&fixture, "auto");
    CHECK(wm_offload_launch(o, KERNEL_MAP, fixture.slots, trips) == 1);
    wm_offload_get_stats(o, &stats);
    CHECK(strcmp(stats.device, "cpu") == 0);
    wm_offload_close(o);
    device_fixture_close(&fixture);
    return 0;
}
