/* Prints what the compiled modules embed: the Metal library of `guest`; `plain` must have none. */
#include <stdio.h>

#include "runtime/abi.h"

extern const struct wm_module wasmetal_module_guest, wasmetal_module_plain;

int main(void) {
    const struct wm_module *m = &wasmetal_module_guest;
    if (wasmetal_module_plain.metallib || wasmetal_module_plain.metallib_size)
        return 1;
    if (!m->metallib)
        return 2;
    return fwrite(m->metallib, 1, m->metallib_size, stdout) != m->metallib_size;
}
