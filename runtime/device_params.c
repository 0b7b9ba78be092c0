/* Parameter blocks and compiled kernels, for all GPU devices alike; see device_params.h. */
#include "runtime/device_params.h"

#include <time.h>

static bool is_wide(uint64_t type) {
    return type == IR_I64 || type == IR_F64;
}

uint32_t wm_param_words(const struct wm_kernel *k) {
    uint32_t words = OFF_PARAM_STREAMS + (uint32_t)k->nstreams;
    for (uint64_t i = 0; i < k->nscalars; i++)
        words += is_wide(k->scalars[i].type) ? 2 : 1;
    return words;
}

void wm_params_begin(struct wm_params *p, const struct wm_launch_plan *plan) {
    for (int a = 0; a < 3; a++)
        p->words[a] = plan->extent[a];
    p->words[OFF_PARAM_X_BASE] = 0;
    p->count = OFF_PARAM_STREAMS;
}

void wm_params_add(struct wm_params *p, uint32_t word) {
    p->words[p->count++] = word;
}

void wm_params_add_scalars(struct wm_params *p, const struct wm_kernel *k, const struct wm_launch_plan *plan,
                           const uint64_t *slots) {
    for (uint64_t i = 0; i < k->nscalars; i++) {
        uint64_t value = wm_guard_scalar(k, i, slots, plan);
        wm_params_add(p, (uint32_t)value);
        if (is_wide(k->scalars[i].type))
            wm_params_add(p, (uint32_t)(value >> 32));
    }
}

bool wm_compile_once(struct wm_compiled *c, enum wm_fallback (*make)(void *device, uint64_t kernel), void *device,
                     const struct wm_module *module, uint64_t kernel, const struct wm_log *log, const char *id,
                     enum wm_fallback *out_why) {
    if (!c->tried) {
        c->tried = true;
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        c->why = make(device, kernel);
        clock_gettime(CLOCK_MONOTONIC, &end);
        wm_device_log(log, WM_LOG_DEBUG, id, "kernel %s: %s after %.1f ms", module->kernels[kernel].name,
                      c->why == WM_FALLBACK_COUNT ? "compiled" : wm_fallback_name(c->why),
                      (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6);
    }
    if (c->why != WM_FALLBACK_COUNT)
        *out_why = c->why;
    return c->why == WM_FALLBACK_COUNT;
}
