/* What `wasmetal devices` says about the Metal device: what it is, the probe's results in words, and what kernels make
 * of them (choose_text in device_metal_pipeline.m chooses; this only tells). */
#include <stdio.h>

#include "runtime/device_metal.h"
#include "runtime/include/wasmetal.h"

size_t wm_device_metal_list(struct wasmetal_device_info *out, size_t count, size_t capacity) {
    @autoreleasepool {
        id<MTLDevice> device = MTLCreateSystemDefaultDevice();
        if (device && count < capacity) {
            struct wasmetal_device_info *info = &out[count];
            MTLSize most = [device maxThreadsPerThreadgroup];
            *info = (struct wasmetal_device_info){
                .usable = true,
                .min_work = METAL_MIN_WORK,
                .max_buffer_bytes = [device maxBufferLength],
                .max_binding_bytes = [device maxBufferLength],
                .max_invocations = (uint32_t)most.width,
                .import_alignment = METAL_WASM_PAGE,
                .max_workgroup = {(uint32_t)most.width, (uint32_t)most.height, (uint32_t)most.depth}};
            snprintf(info->spec, sizeof info->spec, "metal");
            snprintf(info->name, sizeof info->name, "%s", [[device name] UTF8String]);
            snprintf(info->driver, sizeof info->driver, "Metal");
            snprintf(info->binding, sizeof info->binding, "%s",
                     [device hasUnifiedMemory] ? "imported: kernels work where it lies"
                                               : "imported: kernels reach it over the bus");
        }
        count += device != nil;
        [device release];
    }
    return count;
}

static const char *finding(const struct metal_device *d, unsigned results) {
    return !(d->wrong & results) ? "exact" : !(d->wrong_normal & results) ? "inexact for subnormals" : "inexact";
}

struct report {
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

static void add_all(struct report *r, const struct metal_device *d) {
    static const char stays[] = "nothing: they stay on the CPU";
    const bool arith = d->inexact & OFF_USE_F32_ARITH, flushes = d->inexact & OFF_USE_F32_SUBNORMAL;
    /* A kernel is taken in one of two forms, so one wrong operation changes how all of them are done. */
    const char *plain = arith ? stays : flushes ? "instruction; integers for subnormals" : "instruction";
    const char *root = arith ? stays
                       : flushes || d->inexact & (OFF_USE_F32_DIV | OFF_USE_F32_SQRT)
                           ? "instruction, corrected with integers"
                           : "instruction";
    add(r, "f32 add, subtract", finding(d, METAL_PROBE_ADD), plain);
    add(r, "f32 multiply", finding(d, METAL_PROBE_MUL), plain);
    add(r, "f32 multiply, then add (contraction)", finding(d, METAL_PROBE_MUL_ADD), plain);
    add(r, "f32 divide", finding(d, METAL_PROBE_DIV), root);
    add(r, "f32 square root", finding(d, METAL_PROBE_ROOT), root);
    add(r, "f32 compare", finding(d, METAL_PROBE_COMPARE), "integers");
    add(r, "f32 min, max, round, abs, copysign", "not asked", "integers");
    add(r, "f32 from and to i32", finding(d, METAL_PROBE_CONVERT), "instruction where exact, else integers");
    add(r, "f64", "without f64", "integers");
    add(r, "i64", "not asked", "instruction; pairs of i32 beside f64");
    add(r, "loads and stores of 8 bits", "not asked", "instruction, or words, stores atomic");
    add(r, "loads and stores of 16 bits", "not asked", "instruction, or words, stores atomic");
}

size_t wm_device_metal_probe(struct wasmetal_device_class *out, size_t capacity) {
    const struct wm_module none = {.abi_version = WM_ABI_VERSION, .name = "none"};
    const struct wm_device_desc desc = {.module = &none, .launch_timeout = WM_TIMEOUT_DEFAULT};
    struct wm_device *base = wm_device_metal_open(&desc);
    struct report r = {.out = out, .capacity = capacity};
    if (!base)
        return 0;
    @autoreleasepool {
        struct metal_device *d = (struct metal_device *)base;
        metal_inexact_uses(d, OFF_USE_F32);
        if (!base->dead)
            add_all(&r, d);
    }
    base->ops->close(base);
    return r.count;
}
