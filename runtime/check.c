/* See check.h.
 *
 * The second run takes the native kernel one grid point at a time, in the order in which the loop's iterations come:
 * outer loops of the nest outside.  Each call runs a single point, so nothing that the compiler assumed about points
 * being independent (vector lanes are grid points) can show.  A reduction runs as a single worker.  So if the first run
 * had an iteration read what another one was to write, or two write the same byte, the results differ, unless they
 * happened to come out alike.
 *
 * What it does not see: an error in the kernel itself, which both runs share.
 */
#include "runtime/check.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/reduce.h"

static void run_in_order(const struct wm_kernel *k, uint8_t *memory, const uint64_t *scalars,
                         const struct wm_launch_plan *plan) {
    uint32_t at[OFF_MAX_GRID] = {0}; /* by chain loop, outermost first; the chain's dimensions come first */
    for (;;) {
        uint32_t box[6] = {0, 1, 0, 1, 0, 1};
        for (uint64_t c = 0; c < k->ngrid; c++) {
            box[2 * k->dims[c].axis] = at[c];
            box[2 * k->dims[c].axis + 1] = at[c] + 1;
        }
        k->cpu(memory, scalars, box);
        uint64_t c = k->ngrid;
        while (c > 0 && ++at[c - 1] == plan->extent[k->dims[c - 1].axis])
            at[--c] = 0;
        if (c == 0)
            return;
    }
}

static bool is_nan32(const uint8_t *p) {
    uint32_t bits;
    memcpy(&bits, p, sizeof bits);
    return (bits & 0x7fffffff) > 0x7f800000;
}

static bool is_nan64(const uint8_t *p) {
    uint64_t bits;
    memcpy(&bits, p, sizeof bits);
    return (bits & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

/* Which NaN an operation gives is open. */
static bool are_nans(const uint8_t *a, const uint8_t *b, uint64_t at) {
    uint64_t word = at & ~UINT64_C(3), pair = at & ~UINT64_C(7); /* memory is a multiple of 64 KiB long */
    return (is_nan32(a + word) && is_nan32(b + word)) || (is_nan64(a + pair) && is_nan64(b + pair));
}

/* First byte that differs, `bytes` when none does; *out_count: how many do. */
static uint64_t compare(const uint8_t *a, const uint8_t *b, uint64_t bytes, uint64_t *out_count) {
    uint64_t first = bytes;
    *out_count = 0;
    for (uint64_t page = 0; page < bytes; page += 4096) {
        if (!memcmp(a + page, b + page, 4096))
            continue;
        for (uint64_t i = page; i < page + 4096; i++) {
            if (a[i] == b[i] || are_nans(a, b, i))
                continue;
            first = first < i ? first : i;
            ++*out_count;
        }
    }
    return first;
}

/* Of a sum of floats that was formed in another order nothing else is to be expected. */
static bool may_differ(const struct wm_reduce *r) {
    bool is_float = r->type == IR_F32 || r->type == IR_F64;
    return r->kind == OFF_REDUCE_FLAG ||
           (is_float && r->kind == OFF_REDUCE_OP && (r->op == OFF_REDUCE_ADD || r->op == OFF_REDUCE_MUL));
}

static bool values_agree(const struct wm_reduce *r, uint64_t a, uint64_t b) {
    if (a == b || may_differ(r))
        return true;
    if (r->type == IR_F32 && r->lane_bytes) { /* two lanes: each the same, or both NaN */
        const uint8_t *x = (const uint8_t *)&a, *y = (const uint8_t *)&b;
        bool low = (uint32_t)a == (uint32_t)b || (is_nan32(x) && is_nan32(y));
        return low && (a >> 32 == b >> 32 || (is_nan32(x + 4) && is_nan32(y + 4)));
    }
    if (r->type == IR_F32)
        return is_nan32((const uint8_t *)&a) && is_nan32((const uint8_t *)&b);
    return r->type == IR_F64 && is_nan64((const uint8_t *)&a) && is_nan64((const uint8_t *)&b);
}

static void report(const struct wm_device_desc *desc, const struct wm_device *device, const struct wm_kernel *k,
                   const uint8_t *launched, const uint8_t *in_order, const uint64_t *values,
                   const uint64_t *right_values) {
    uint64_t count, bytes = desc->memory->bytes, first = compare(launched, in_order, bytes, &count);
    if (first != bytes)
        wm_device_log(&desc->log, WM_LOG_ERROR, "WMR2006",
                      "check: kernel %s on %s left 0x%02x at address 0x%llx, its iterations in order leave 0x%02x "
                      "(%llu byte%s differ)",
                      k->name, device->ops->name, launched[first], (unsigned long long)first, in_order[first],
                      (unsigned long long)count, count == 1 ? "" : "s");
    for (uint64_t i = 0; i < k->nreduces; i++) {
        if (values_agree(&k->reduces[i], values[i], right_values[i]))
            continue;
        wm_device_log(&desc->log, WM_LOG_ERROR, "WMR2006",
                      "check: kernel %s on %s reduced value %llu to 0x%llx, its iterations in order give 0x%llx",
                      k->name, device->ops->name, (unsigned long long)i, (unsigned long long)values[i],
                      (unsigned long long)right_values[i]);
    }
}

enum wm_device_result wm_check_launch(struct wm_device *device, const struct wm_device_desc *desc, uint64_t kernel,
                                      struct wm_launch_plan *plan, const uint64_t *slots, uint64_t *out_values,
                                      enum wm_fallback *out_why) {
    const struct wm_kernel *k = &desc->module->kernels[kernel];
    uint8_t *memory = desc->memory->base;
    uint64_t bytes = desc->memory->bytes, values[OFF_MAX_REDUCES] = {0}, partials[OFF_MAX_REDUCES] = {0};
    uint8_t *before = malloc(bytes), *launched = malloc(bytes);
    if (!before || !launched || !k->cpu) {
        wm_device_log(&desc->log, WM_LOG_WARNING, "WMR2007", "check: kernel %s goes unchecked: %s", k->name,
                      k->cpu ? "out of memory" : "it has no native code");
        free(before);
        free(launched);
        enum wm_device_result result = device->ops->launch(device, kernel, plan, slots, out_why);
        if (result == WM_DEVICE_DONE && k->nreduces)
            wm_reduce_combine(k, slots, plan, out_values);
        return result;
    }
    memcpy(before, memory, bytes);
    enum wm_device_result result = device->ops->launch(device, kernel, plan, slots, out_why);
    if (result == WM_DEVICE_DONE) {
        struct wm_launch_plan alone = *plan;
        if (k->nreduces) {
            wm_reduce_combine(k, slots, plan, values);
            alone.first_iteration = alone.rounds = plan->iterations;
            alone.step = alone.extent[0] = 1;
            alone.partials = partials;
        }
        memcpy(launched, memory, bytes);
        memcpy(memory, before, bytes);
        uint64_t scalars[OFF_MAX_SLOTS + 1];
        for (uint64_t i = 0; i < k->nscalars; i++)
            scalars[i] = wm_guard_scalar(k, i, slots, &alone);
        scalars[k->nscalars] = (uintptr_t)partials;
        run_in_order(k, memory, scalars, &alone);
        if (k->nreduces)
            wm_reduce_combine(k, slots, &alone, out_values);
        report(desc, device, k, launched, memory, values, out_values);
    }
    free(before);
    free(launched);
    return result;
}
