/* The symbols that the generated headers declare. */
#include "tests/unit/rt_fixture.h"

struct wm_module wasmetal_module_fixture, wasmetal_module_double, wasmetal_module_empty;

static struct fixture fixture;

__attribute__((constructor)) static void fill(void) {
    fixture_init(&fixture);
    wasmetal_module_fixture = fixture.module;
    wasmetal_module_empty = (struct wm_module){.abi_version = WM_ABI_VERSION, .name = "empty", .start = WM_NONE};
}
