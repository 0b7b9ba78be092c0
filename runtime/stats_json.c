/* What ran where, as a struct and as JSON. */
#include "runtime/instance.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Without an offload object nothing can have been launched; the module's kernels are still listed. */
static void get_stats(const wasmetal_instance *in, struct wm_offload_stats *out) {
    if (in->offload) {
        wm_offload_get_stats(in->offload, out);
    } else {
        *out = (struct wm_offload_stats){.device = "none", .device_name = "", .binding = "none"};
    }
}

static uint64_t sum(const uint64_t counts[WM_FALLBACK_COUNT]) {
    uint64_t total = 0;
    for (int i = 0; i < WM_FALLBACK_COUNT; i++) {
        total += counts[i];
    }
    return total;
}

void wasmetal_get_stats(const wasmetal_instance *instance, wasmetal_stats *out_stats) {
    struct wm_offload_stats s;
    get_stats(instance, &s);
    *out_stats = (wasmetal_stats){
        .device = s.device,
        .device_name = s.device_name,
        .binding = s.binding,
        .launches = s.launches,
        .fallbacks = sum(s.fallbacks),
        .bytes_copied = s.bytes_copied,
        .nanoseconds = s.nanoseconds,
        .nkernels = instance->module->nkernels,
        .inspections = s.inspections,
    };
}

wasmetal_status wasmetal_get_kernel_stats(const wasmetal_instance *instance, size_t kernel,
                                          wasmetal_kernel_stats *out_stats) {
    const struct wm_module *m = instance->module;
    if (kernel >= m->nkernels) {
        return WASMETAL_ERROR_NOT_FOUND;
    }
    struct wm_offload_stats s;
    get_stats(instance, &s);
    *out_stats = (wasmetal_kernel_stats){
        .name = m->kernels[kernel].name,
        .function = (uint32_t)m->kernels[kernel].func,
        .wasm_offset = m->kernels[kernel].wasm_offset,
    };
    if (s.kernels) {
        out_stats->launches = s.kernels[kernel].launches;
        out_stats->fallbacks = sum(s.kernels[kernel].fallbacks);
        out_stats->nanoseconds = s.kernels[kernel].nanoseconds;
        out_stats->inspections = s.kernels[kernel].inspections;
    }
    return WASMETAL_OK;
}

/* ---- JSON ---- */

struct writer {
    char *buffer;
    size_t capacity, length; /* length counts what would have been written */
};

static void put(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct writer *w, const char *fmt, ...) {
    size_t room = w->length < w->capacity ? w->capacity - w->length : 0;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(room ? w->buffer + w->length : NULL, room, fmt, ap);
    va_end(ap);
    w->length += n > 0 ? (size_t)n : 0;
}

static void put_string(struct writer *w, const char *s) {
    put(w, "\"");
    for (; s && *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            put(w, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            put(w, "\\u%04x", c);
        } else {
            put(w, "%c", c);
        }
    }
    put(w, "\"");
}

/* Only reasons that occurred. */
static void put_fallbacks(struct writer *w, const uint64_t *counts) {
    const char *comma = "";
    put(w, "{");
    for (int i = 0; counts && i < WM_FALLBACK_COUNT; i++) {
        if (counts[i]) {
            put(w, "%s\"%s\": %llu", comma, wm_fallback_name((enum wm_fallback)i), (unsigned long long)counts[i]);
            comma = ", ";
        }
    }
    put(w, "}");
}

/* Picoseconds, as whole numbers: the decimal point depends on the locale. */
static void put_calibration(struct writer *w, const struct wm_offload_stats *s) {
    const struct wm_rates *r = &s->rates;
    if (s->min_work)
        put(w, ",\n  \"min_work\": %llu", (unsigned long long)s->min_work);
    if (r->launch > 0)
        put(w,
            ",\n  \"calibration\": {\"launch\": %.0f, \"op\": %.0f, \"step\": %.0f, \"byte\": %.0f, \"host_op\": %.0f, "
            "\"host_byte\": %.0f}",
            r->launch * 1e3, r->op * 1e3, r->step * 1e3, r->byte * 1e3, r->host_op * 1e3, r->host_byte * 1e3);
}

size_t wasmetal_stats_json(const wasmetal_instance *instance, char *buffer, size_t capacity) {
    const struct wm_module *m = instance->module;
    struct writer w = {buffer, capacity, 0};
    struct wm_offload_stats s;
    get_stats(instance, &s);
    put(&w, "{\n  \"module\": ");
    put_string(&w, m->name);
    put(&w, ",\n  \"device\": ");
    put_string(&w, s.device);
    put(&w, ",\n  \"device_name\": ");
    put_string(&w, s.device_name);
    put(&w, ",\n  \"binding\": ");
    put_string(&w, s.binding);
    put(&w,
        ",\n  \"launches\": %llu,\n  \"inspections\": %llu,\n  \"bytes_copied\": %llu,\n  \"nanoseconds\": %llu,\n  "
        "\"fallbacks\": ",
        (unsigned long long)s.launches, (unsigned long long)s.inspections, (unsigned long long)s.bytes_copied,
        (unsigned long long)s.nanoseconds);
    put_fallbacks(&w, s.fallbacks);
    put_calibration(&w, &s);
    put(&w, ",\n  \"kernels\": [");
    bool first = true;
    for (uint64_t i = 0; i < m->nkernels; i++) {
        const struct wm_kernel *k = &m->kernels[i];
        const struct wm_kernel_stats *ks = s.kernels ? &s.kernels[i] : NULL;
        if (k->inspects) {
            continue; /* counted with the kernel that it inspects */
        }
        put(&w, "%s\n    {\"name\": ", first ? "" : ",");
        first = false;
        put_string(&w, k->name);
        put(&w, ", \"function\": %llu, \"offset\": %llu, \"launches\": %llu, ", (unsigned long long)k->func,
            (unsigned long long)k->wasm_offset, (unsigned long long)(ks ? ks->launches : 0));
        if (k->inspector) {
            put(&w, "\"inspections\": %llu, ", (unsigned long long)(ks ? ks->inspections : 0));
        }
        put(&w, "\"nanoseconds\": %llu, \"fallbacks\": ", (unsigned long long)(ks ? ks->nanoseconds : 0));
        put_fallbacks(&w, ks ? ks->fallbacks : NULL);
        put(&w, "}");
    }
    put(&w, "%s]\n}\n", m->nkernels ? "\n  " : "");
    return w.length;
}
