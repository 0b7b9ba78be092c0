/* What `wasmetal devices` says about a Vulkan device: the probe's results in words, and what kernels make of them
 * (make_pipeline in device_vulkan_pipeline.c chooses; this only tells). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/device_vulkan.h"
#include "runtime/include/wasmetal.h"

struct report {
    struct vulkan_device *d;
    wasmetal_device_class *out;
    size_t count, capacity;
};

static void add(struct report *r, const char *operations, const char *device, const char *kernels) {
    if (r->count < r->capacity) {
        wasmetal_device_class *c = &r->out[r->count];
        snprintf(c->operations, sizeof c->operations, "%s", operations);
        snprintf(c->device, sizeof c->device, "%s", device);
        snprintf(c->kernels, sizeof c->kernels, "%s", kernels);
    }
    r->count++;
}

/* How the device does the results of the probe in `mask`. */
static const char *finding(const struct vulkan_device *d, bool wide, unsigned mask) {
    if (wide && !(d->traits.caps & OFF_CAP_FLOAT64))
        return "without f64";
    if (!(d->wrong[wide] & mask))
        return "exact";
    return d->wrong_normal[wide] & mask ? "inexact" : "inexact for subnormals";
}

static void add_floats(struct report *r, bool wide) {
    const struct vulkan_device *d = r->d;
    const uint32_t all = wide ? OFF_USE_F64 : OFF_USE_F32, bad = d->inexact & all;
    const uint32_t arith = wide ? OFF_USE_F64_ARITH : OFF_USE_F32_ARITH, div = wide ? OFF_USE_F64_DIV : OFF_USE_F32_DIV;
    const uint32_t root = wide ? OFF_USE_F64_SQRT : OFF_USE_F32_SQRT;
    bool subnormals = !wide && (bad & OFF_USE_F32_SUBNORMAL) && !(bad & arith);
    const char *bad_arith = wide ? "integers" : "nothing: they stay on the CPU";
    const char *plain = bad & arith ? bad_arith : subnormals ? "instruction; integers for subnormals" : "instruction";
    const struct {
        const char *what;
        unsigned mask;
        const char *how;
    } rows[] = {
        {"add, subtract", VK_PROBE_ADD, plain},
        {"multiply", VK_PROBE_MUL, plain},
        {"multiply, then add (contraction)", VK_PROBE_MUL_ADD, plain},
        {"divide", VK_PROBE_DIV,
         bad & arith                                              ? bad_arith
         : wide                                                   ? (bad & div ? "integers" : "instruction")
         : bad & (div | (subnormals ? OFF_USE_F32_SUBNORMAL : 0)) ? "instruction, corrected with integers"
                                                                  : "instruction"},
        {"square root", VK_PROBE_ROOT,
         bad & arith                                               ? bad_arith
         : wide                                                    ? (bad & root ? "integers" : "instruction")
         : bad & (root | (subnormals ? OFF_USE_F32_SUBNORMAL : 0)) ? "instruction, corrected with integers"
                                                                   : "instruction"},
        {"compare", VK_PROBE_COMPARE, wide ? (bad & arith ? "integers" : "instruction") : "integers"},
        {"min, max", VK_PROBE_MINMAX, "integers"},
        {"round, abs, negate, copysign", 0, "integers"},
        {"from and to i32", VK_PROBE_CONVERT,
         !wide                     ? "instruction where exact, else integers"
         : bad & OFF_USE_F64_ARITH ? "integers"
                                   : "from: instruction, to: integers"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char operations[sizeof r->out->operations];
        snprintf(operations, sizeof operations, "f%d %s", wide ? 64 : 32, rows[i].what);
        add(r, operations, rows[i].mask ? finding(d, wide, rows[i].mask) : "not asked", rows[i].how);
    }
}

size_t wm_device_vulkan_probe(int index, struct wasmetal_device_class *out, size_t capacity) {
    const struct wm_module none = {.abi_version = WM_ABI_VERSION, .name = "none"};
    const struct wm_device_desc desc = {.module = &none};
    struct wm_device *base = wm_device_vulkan_open(&desc, index);
    if (!base)
        return 0;
    struct vulkan_device *d = (struct vulkan_device *)base;
    struct report r = {.d = d, .out = out, .capacity = capacity};
    vk_inexact_uses(d, OFF_USE_F32 | (d->traits.caps & OFF_CAP_FLOAT64 ? OFF_USE_F64 : 0));
    if (!(d->traits.caps & OFF_CAP_FLOAT64))
        d->inexact |= OFF_USE_F64;
    if (!d->base.dead) {
        add_floats(&r, false);
        add_floats(&r, true);
        bool wide = d->traits.caps & OFF_CAP_INT64;
        add(&r, "i64", wide ? "exact" : "without i64", wide ? "instruction" : "pairs of i32");
        bool bytes = d->traits.caps & OFF_CAP_STORAGE8, halves = d->traits.caps & OFF_CAP_STORAGE16;
        add(&r, "loads and stores of 8 bits", bytes ? "able" : "not able",
            bytes ? "instruction" : "words, stores atomic");
        add(&r, "loads and stores of 16 bits", halves ? "able" : "not able",
            halves ? "instruction" : "words, stores atomic");
        add(&r, "loops of more than 65,535 iterations", d->traits.cuts_long_loops ? "known to cut them" : "able",
            d->traits.cuts_long_loops ? "nothing: they stay on the CPU" : "instruction");
    }
    base->ops->close(base);
    return r.count;
}
