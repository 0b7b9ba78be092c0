/* Reports on loops as data; see explain.h.  Names come from ir/offload/reject.def. */
#include "compiler/explain.h"

#include <string.h>

#include "compiler/explain_begin.h"
#include "compiler/source_map.h"
#include "ir/fp_mode.h"
#include "ir/util/ice.h"

static const char *func_name(const struct ir_module *m, uint32_t func) {
    return m->funcs[func].func->name;
}

/* The file name without its folders: reports are read beside the source. */
static void json_place(struct strbuf *out, const struct ir_module *m, const struct source_map *map,
                       const struct off_loop_report *r) {
    const char *file;
    uint32_t line;
    strbuf_printf(out, "\"offset\": %u", r->wasm_offset);
    if (explain_find_line(map, m, r, &file, &line)) {
        strbuf_add(out, ", \"file\": ");
        strbuf_add_json(out, file, strlen(file));
        strbuf_printf(out, ", \"line\": %u", line);
    }
}

/* The outermost loop of a kernel.  Kernels and loops stand in much the same order, so the search begins where the last
 * one ended: modules with tens of thousands of each exist. */
static const struct off_loop_report *loop_of(const struct off_report *report, const struct off_kernel *k,
                                             uint32_t *from) {
    for (uint32_t n = 0; n < report->nloops; n++) {
        const struct off_loop_report *r = &report->loops[*from];
        if (r->func == k->func && r->wasm_offset == k->wasm_offset)
            return r;
        *from = *from + 1 < report->nloops ? *from + 1 : 0;
    }
    ICE("kernel %s has no loop", k->name);
}

static void json_text(struct strbuf *out, const char *key, const char *text) {
    strbuf_printf(out, ", \"%s\": ", key);
    strbuf_add_json(out, text, strlen(text));
}

/* The limits of WebGPU (GPUSupportedLimits) that the kernel makes use of, and whether a device without any beyond the
 * default ones can run it; what depends on the launch, the size of bindings and the number of workgroups, is not known
 * here. */
static void json_webgpu(struct strbuf *out, const struct off_kernel *k) {
    const struct {
        const char *name;
        uint32_t value, standard;
    } limits[] = {
        {"maxStorageBuffersPerShaderStage", k->nstreams, 8},
        {"maxUniformBufferBindingSize", (off_param_words(k) + 3) / 4 * 16, 65536},
        {"maxComputeInvocationsPerWorkgroup", k->workgroup[0] * k->workgroup[1] * k->workgroup[2], 256},
        {"maxComputeWorkgroupSizeX", k->workgroup[0], 256},
        {"maxComputeWorkgroupSizeY", k->workgroup[1], 256},
        {"maxComputeWorkgroupSizeZ", k->workgroup[2], 64},
    };
    bool enough = true;
    strbuf_add(out, ", \"webgpu\": {");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        strbuf_printf(out, "\"%s\": %u, ", limits[i].name, limits[i].value);
        enough &= limits[i].value <= limits[i].standard;
    }
    strbuf_printf(out, "\"default_limits\": %s}", enough ? "true" : "false");
}

static void json_kernel(struct strbuf *out, const struct ir_module *m, const struct off_report *report,
                        const struct off_kernel *k, const struct source_map *map, uint32_t *loop) {
    strbuf_add(out, "\n    {\"name\": ");
    strbuf_add_json(out, k->name, strlen(k->name));
    json_text(out, "func", func_name(m, k->func));
    strbuf_add(out, ", ");
    json_place(out, m, map, loop_of(report, k, loop));
    strbuf_printf(out, ", \"grid\": %u, \"workgroup\": [%u, %u, %u], \"streams\": [", k->ngrid, k->workgroup[0],
                  k->workgroup[1], k->workgroup[2]);
    for (uint32_t s = 0; s < k->nstreams; s++)
        strbuf_printf(out, "%s{\"read\": %s, \"write\": %s, \"min_bytes\": %u}", s ? ", " : "",
                      k->streams[s].read ? "true" : "false", k->streams[s].write ? "true" : "false",
                      k->streams[s].min_bytes);
    strbuf_printf(out, "], \"scalars\": %u, \"param_words\": %u, \"spirv\": [", k->nscalars, off_param_words(k));
    for (uint32_t v = 0; v < k->nspirv; v++)
        strbuf_printf(out, "%s{\"caps\": %u, \"words\": %u}", v ? ", " : "", k->spirv[v].caps, k->spirv[v].nwords);
    strbuf_printf(out, "], \"msl\": %s, \"wgsl\": %s", k->msl ? "true" : "false", k->wgsl ? "true" : "false");
    if (k->wgsl)
        json_webgpu(out, k);
    if (k->inspector) {
        json_text(out, "inspector", k->inspector->name);
        strbuf_printf(out, ", \"checked_loads\": %u, \"checked_ops\": %u", k->checked_loads, k->checked_ops);
    }
    if (k->splits)
        strbuf_add(out, ", \"splits\": true");
    if (k->rolled)
        strbuf_add(out, ", \"rolled\": true");
    if (k->declared)
        strbuf_add(out, ", \"declared\": true");
    if (k->flat)
        strbuf_add(out, ", \"flat\": true");
    else if (k->nreduces)
        strbuf_printf(out, ", \"reductions\": %u", explain_values_reduced(k));
    if (!k->msl && k->msl_why)
        json_text(out, "msl_why", k->msl_why);
    if (!k->wgsl && k->wgsl_why)
        json_text(out, "wgsl_why", k->wgsl_why);
    strbuf_add(out, "}");
}

void explain_json(struct strbuf *out, struct ir_module *m, const struct off_report *report, const char *version) {
    struct arena scratch = {0};
    struct source_map *map = source_map_new(&scratch, m);
    strbuf_add(out, "{\n  \"wasmetal\": ");
    strbuf_add_json(out, version, strlen(version));
    strbuf_add(out, ",\n  \"module\": ");
    strbuf_add_json(out, m->name, strlen(m->name));
    strbuf_printf(out, ",\n  \"fp\": \"%s\",\n  \"kernels\": [", fp_mode_text(m->fp));
    for (uint32_t i = 0, loop = 0; i < m->nkernels; i++) {
        strbuf_add(out, i ? "," : "");
        json_kernel(out, m, report, m->kernels[i], map, &loop);
    }
    strbuf_add(out, "],\n  \"loops\": [");
    for (uint32_t i = 0; i < report->nloops; i++) {
        const struct off_loop_report *r = &report->loops[i];
        strbuf_printf(out, "%s\n    {\"func\": ", i ? "," : "");
        strbuf_add_json(out, func_name(m, r->func), strlen(func_name(m, r->func)));
        strbuf_add(out, ", ");
        json_place(out, m, map, r);
        strbuf_printf(out, ", \"depth\": %u", r->depth);
        json_text(out, "verdict", off_reject_name(r->verdict));
        if (r->kernel >= 0)
            json_text(out, "kernel", m->kernels[r->kernel]->name);
        if (r->part_kernel >= 0)
            json_text(out, "part_kernel", m->kernels[r->part_kernel]->name);
        if (r->at != IR_NO_OFFSET)
            strbuf_printf(out, ", \"at\": %u", r->at);
        if (r->detail)
            json_text(out, "detail", r->detail);
        if (r->hint)
            json_text(out, "hint", r->hint);
        strbuf_add(out, "}");
    }
    strbuf_add(out, "]\n}\n");
    arena_free(&scratch);
}
