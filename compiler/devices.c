/* `wasmetal devices`: what loops can run on here, and how each device does each class of operations. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/driver.h"
#include "ir/util/strbuf.h"
#include "wasmetal.h"

enum { MAX_DEVICES = 64, MAX_CLASSES = 32 };

static void print_bytes(struct strbuf *out, uint64_t n) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    unsigned u = 0;
    for (; u < 3 && n % 1024 == 0 && n >= 1024; u++)
        n /= 1024;
    strbuf_printf(out, "%" PRIu64 " %s", n, units[u]);
}

static void print_limits(struct strbuf *out, const wasmetal_device_info *v) {
    strbuf_printf(out, "    memory      %s\n", v->binding);
    if (v->import_alignment) {
        strbuf_add(out, "    limits      buffer ");
        print_bytes(out, v->max_buffer_bytes);
        strbuf_add(out, ", binding ");
        print_bytes(out, v->max_binding_bytes);
        strbuf_add(out, ", import alignment ");
        print_bytes(out, v->import_alignment);
        strbuf_printf(out, ", workgroup %" PRIu32 " x %" PRIu32 " x %" PRIu32 ", %" PRIu32 " invocations\n",
                      v->max_workgroup[0], v->max_workgroup[1], v->max_workgroup[2], v->max_invocations);
    }
}

/* Whether the runtime decides by what was measured; a software Vulkan driver keeps its built-in threshold. */
static bool decides_by_rates(const wasmetal_device_info *v, const wasmetal_device_rates *r) {
    return r && !(v->software && strncmp(v->spec, "vulkan", 6) == 0);
}

/* What was measured, or that nothing was. */
static void print_rates(struct strbuf *out, const wasmetal_device_info *v, const wasmetal_device_rates *r) {
    if (!r) {
        strbuf_printf(out, "    launches    from %" PRIu64 " operations (built in, not measured)\n", v->min_work);
        return;
    }
    bool measured = decides_by_rates(v, r);
    strbuf_printf(out,
                  "    launches    from %" PRIu64 " operations (%s): a launch takes %.1f us\n"
                  "    operation   %.4f ns, in one grid point alone %.3f ns, on the calling thread %.3f ns\n"
                  "    byte        %.4f ns, on the calling thread %.4f ns\n",
                  measured ? r->min_work : v->min_work, measured ? "measured" : "built in for software devices",
                  r->launch / 1e3, r->op, r->step, r->host_op, r->byte, r->host_byte);
}

static void print_device(struct strbuf *out, const wasmetal_device_info *v, const wasmetal_device_rates *r,
                         const wasmetal_device_class *classes, size_t n) {
    strbuf_printf(out, "%-10s %s%s%s%s%s%s%s\n", v->spec, v->name, *v->driver ? ", " : "", v->driver,
                  v->software ? " (software)" : "", v->usable ? "" : " - not usable", *v->note ? ": " : "", v->note);
    if (!v->usable)
        return;
    print_limits(out, v);
    print_rates(out, v, r);
    if (!n) {
        strbuf_add(out, "    (the probe could not run)\n");
        return;
    }
    strbuf_printf(out, "    %-38s %-24s %s\n", "operations", "the device is", "kernels use");
    for (size_t i = 0; i < n; i++)
        strbuf_printf(out, "    %-38s %-24s %s\n", classes[i].operations, classes[i].device, classes[i].kernels);
}

static void json_string(struct strbuf *out, const char *key, const char *text) {
    strbuf_printf(out, "\"%s\": ", key);
    strbuf_add_json(out, text, strlen(text));
}

static void json_device(struct strbuf *out, const wasmetal_device_info *v, const wasmetal_device_rates *r,
                        const wasmetal_device_class *classes, size_t n) {
    strbuf_add(out, "{");
    json_string(out, "device", v->spec);
    strbuf_add(out, ", ");
    json_string(out, "name", v->name);
    strbuf_add(out, ", ");
    json_string(out, "driver", v->driver);
    strbuf_add(out, ", ");
    json_string(out, "note", v->note);
    strbuf_add(out, ", ");
    json_string(out, "binding", v->binding);
    strbuf_printf(out,
                  ", \"software\": %s, \"usable\": %s, \"min_work\": %" PRIu64 ", \"max_buffer_bytes\": %" PRIu64
                  ", \"max_binding_bytes\": %" PRIu64 ", \"import_alignment\": %" PRIu64
                  ", \"max_workgroup\": [%" PRIu32 ", %" PRIu32 ", %" PRIu32 "], \"max_invocations\": %" PRIu32,
                  v->software ? "true" : "false", v->usable ? "true" : "false",
                  decides_by_rates(v, r) ? r->min_work : v->min_work, v->max_buffer_bytes, v->max_binding_bytes,
                  v->import_alignment, v->max_workgroup[0], v->max_workgroup[1], v->max_workgroup[2],
                  v->max_invocations);
    if (r)
        strbuf_printf(out,
                      ", \"calibration\": {\"launch\": %.0f, \"op\": %.0f, \"step\": %.0f, \"byte\": %.0f, "
                      "\"host_op\": %.0f, \"host_byte\": %.0f}",
                      r->launch * 1e3, r->op * 1e3, r->step * 1e3, r->byte * 1e3, r->host_op * 1e3, r->host_byte * 1e3);
    strbuf_add(out, ", \"operations\": [");
    for (size_t i = 0; i < n; i++) {
        strbuf_add(out, i ? ",\n    {" : "\n    {");
        json_string(out, "class", classes[i].operations);
        strbuf_add(out, ", ");
        json_string(out, "device", classes[i].device);
        strbuf_add(out, ", ");
        json_string(out, "kernels", classes[i].kernels);
        strbuf_add(out, "}");
    }
    strbuf_add(out, "]}");
}

int command_devices(const struct options *o, struct diag *d) {
    (void)d;
    wasmetal_device_info *devices = calloc(MAX_DEVICES, sizeof *devices);
    wasmetal_device_class *classes = calloc(MAX_CLASSES, sizeof *classes);
    if (!devices || !classes) {
        fputs("wasmetal: out of memory\n", stderr);
        exit(70);
    }
    struct strbuf out = {0};
    size_t n = wasmetal_list_devices(devices, MAX_DEVICES);
    n = n < MAX_DEVICES ? n : MAX_DEVICES;
    strbuf_add(&out, o->json ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        size_t count = devices[i].usable ? wasmetal_probe_device(devices[i].spec, classes, MAX_CLASSES) : 0;
        count = count < MAX_CLASSES ? count : MAX_CLASSES;
        wasmetal_device_rates measured;
        const wasmetal_device_rates *rates =
            devices[i].usable && wasmetal_measure_device(devices[i].spec, &measured) ? &measured : NULL;
        if (o->json) {
            strbuf_add(&out, i ? ",\n  " : "\n  ");
            json_device(&out, &devices[i], rates, classes, count);
        } else {
            print_device(&out, &devices[i], rates, classes, count);
        }
    }
    strbuf_add(&out, o->json ? "\n]\n" : "");
    fwrite(out.data, 1, out.len, stdout);
    strbuf_free(&out);
    free(classes);
    free(devices);
    return EXIT_OK;
}
