/* What the GPU devices have in common: the parameter block of a launch (ir/offload/kernel.h), and the record of a
 * kernel that was compiled once or not at all. */
#ifndef WASMETAL_RUNTIME_DEVICE_PARAMS_H
#define WASMETAL_RUNTIME_DEVICE_PARAMS_H

#include "runtime/device.h"

enum {
    /* Rounded up to whole vectors of four, as uniform buffers and Metal take them. */
    WM_MAX_PARAM_WORDS = (OFF_PARAM_STREAMS + OFF_MAX_STREAMS + 2 * OFF_MAX_SLOTS + 3) / 4 * 4,
};

struct wm_params {
    uint32_t words[WM_MAX_PARAM_WORDS];
    uint32_t count;
};

/* Words of the kernel's block. */
uint32_t wm_param_words(const struct wm_kernel *k);
/* The extents, and 0 for the first x; the address of each stream's binding comes next, by wm_params_add, then the
 * scalars. */
void wm_params_begin(struct wm_params *p, const struct wm_launch_plan *plan);
void wm_params_add(struct wm_params *p, uint32_t word);
void wm_params_add_scalars(struct wm_params *p, const struct wm_kernel *k, const struct wm_launch_plan *plan,
                           const uint64_t *slots);

/* A kernel on one device. */
struct wm_compiled {
    bool tried;
    enum wm_fallback why; /* WM_FALLBACK_COUNT: usable */
    uint64_t emulated;    /* OFF_USE_* that it computes on integers */
};

/* Calls make(device, kernel) the first time, which fills c->emulated and returns c->why; logs how long that took under
 * `id`.  Whether the kernel is usable; *out_why when not. */
bool wm_compile_once(struct wm_compiled *c, enum wm_fallback (*make)(void *device, uint64_t kernel), void *device,
                     const struct wm_module *module, uint64_t kernel, const struct wm_log *log, const char *id,
                     enum wm_fallback *out_why);

#endif
