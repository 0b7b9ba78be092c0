/* Reports on loops; see explain.h.  Names and texts come from ir/offload/reject.def. */
#include "compiler/explain.h"

#include <string.h>

#include "compiler/source_map.h"
#include "ir/fp_mode.h"

static const char *func_name(const struct ir_module *m, uint32_t func) {
    return m->funcs[func].func->name;
}

/* The file name without its folders: reports are read beside the source. */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add_place(struct strbuf *out, const struct source_map *map, uint32_t offset) {
    const char *file;
    uint32_t line;
    strbuf_printf(out, "+0x%x", offset);
    if (source_map_find(map, offset, &file, &line))
        strbuf_printf(out, " (%s:%u)", base_name(file), line);
}

struct paint {
    const char *good, *bad, *dim, *bold, *off;
};

static uint32_t values_reduced(const struct off_kernel *k) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < k->nreduces; i++)
        n += k->reduces[i].kind != OFF_REDUCE_FLAG;
    return n;
}

static void explain_kernel(struct strbuf *out, const struct off_kernel *k, const struct paint *c) {
    static const char *const dimension[] = {"", "1-D", "2-D", "3-D"};
    uint32_t reads = 0, writes = 0, inner = 0;
    for (uint32_t s = 0; s < k->nstreams; s++) {
        reads += k->streams[s].read && !k->streams[s].write;
        writes += k->streams[s].write && k->streams[s].kind == OFF_STREAM_RANGE;
    }
    for (uint32_t d = 0; d < k->ndims; d++)
        inner += k->dims[d].axis < 0 && k->dims[d].rel != OFF_TRIP_CONST && k->dims[d].rel != OFF_TRIP_RANGE;
    strbuf_printf(out, "%soffloaded%s as kernel %s%s%s: %s grid", c->good, c->off, c->bold, k->name, c->off,
                  dimension[k->ngrid]);
    if (values_reduced(k))
        strbuf_printf(out, " of workers, %u value%s reduced", values_reduced(k), values_reduced(k) == 1 ? "" : "s");
    if (inner)
        strbuf_printf(out, ", %u sequential loop%s inside", inner, inner == 1 ? "" : "s");
    strbuf_printf(out, ", %u range%s read, %u written", reads, reads == 1 ? "" : "s", writes);
    if (k->nscalars) {
        strbuf_add(out, ", inputs");
        for (uint32_t i = 0; i < k->nscalars && i < 8; i++)
            strbuf_printf(out, " %s", ir_type_name[k->scalars[i].type]);
        if (k->nscalars > 8)
            strbuf_add(out, " ...");
    }
    if (k->checked_loads)
        strbuf_printf(out, ", checked loads: %u", k->checked_loads);
    if (k->checked_ops)
        strbuf_printf(out, ", checked operations: %u", k->checked_ops);
    const char *whys[3] = {k->nspirv ? NULL : k->spirv_why, k->msl ? NULL : k->msl_why, k->wgsl ? NULL : k->wgsl_why};
    static const char *const names[3] = {"SPIR-V", "MSL", "WGSL"};
    for (int i = 0; i < 3; i++)
        if (whys[i])
            strbuf_printf(out, "; no %s: %s", names[i], whys[i]);
}

void explain_text(struct strbuf *out, struct ir_module *m, const struct off_report *report, bool colour) {
    struct paint paint = colour ? (struct paint){"\033[32m", "\033[33m", "\033[2m", "\033[1m", "\033[0m"}
                                : (struct paint){"", "", "", "", ""};
    const struct paint *c = &paint;
    struct arena scratch = {0};
    struct source_map *map = source_map_new(&scratch, m);
    bool met[OFF_REJECT_COUNT] = {false};
    uint32_t kernels = 0, inside = 0, stay = 0, func = UINT32_MAX;
    for (uint32_t i = 0; i < report->nloops; i++) {
        const struct off_loop_report *r = &report->loops[i];
        kernels += r->verdict == OFF_REJECT_NONE;
        inside += r->verdict == OFF_REJECT_PART_OF_KERNEL;
        stay += r->verdict != OFF_REJECT_NONE && r->verdict != OFF_REJECT_PART_OF_KERNEL;
        if (r->func != func) {
            func = r->func;
            strbuf_printf(out, "%sfunction %u \"%s\"%s\n", c->bold, func, func_name(m, func), c->off);
        }
        strbuf_printf(out, "  %*sloop ", (int)(2 * r->depth), "");
        add_place(out, map, r->wasm_offset);
        strbuf_add(out, ": ");
        if (r->verdict == OFF_REJECT_NONE) {
            explain_kernel(out, m->kernels[r->kernel], c);
        } else if (r->verdict == OFF_REJECT_PART_OF_KERNEL) {
            strbuf_printf(out, "runs inside kernel %s", m->kernels[r->kernel]->name);
            if (r->part_kernel >= 0)
                strbuf_printf(out, ", or as kernel %s where that is refused", m->kernels[r->part_kernel]->name);
        } else {
            strbuf_printf(out, "stays on the CPU, %s%s%s: %s", c->bad, off_reject_name(r->verdict), c->off,
                          off_reject_meaning(r->verdict));
            if (r->detail)
                strbuf_printf(out, " (%s)", r->detail);
            if (r->at != IR_NO_OFFSET && r->at != r->wasm_offset) {
                strbuf_add(out, ", at ");
                add_place(out, map, r->at);
            }
            met[r->verdict] = true;
        }
        strbuf_add(out, "\n");
    }
    strbuf_printf(out, "%u loop%s: %u offloaded, %u inside those, %u on the CPU\n", report->nloops,
                  report->nloops == 1 ? "" : "s", kernels, inside, stay);
    if (m->fp)
        strbuf_printf(out, "kernels compiled with --fp=%s: results may differ from other engines'\n",
                      fp_mode_text(m->fp));
    bool first = true;
    for (int why = 0; why < OFF_REJECT_COUNT; why++)
        if (met[why] && *off_reject_hint(why)) {
            strbuf_printf(out, "%s  %s%s%s: %s\n",
                          first ? "\nWhat would help, by reason (more in docs/reasons.md):\n" : "", c->bad,
                          off_reject_name(why), c->off, off_reject_hint(why));
            first = false;
        }
    arena_free(&scratch);
}

static void json_place(struct strbuf *out, const struct source_map *map, uint32_t offset) {
    const char *file;
    uint32_t line;
    strbuf_printf(out, "\"offset\": %u", offset);
    if (source_map_find(map, offset, &file, &line)) {
        strbuf_add(out, ", \"file\": ");
        strbuf_add_json(out, base_name(file), strlen(base_name(file)));
        strbuf_printf(out, ", \"line\": %u", line);
    }
}

static void json_text(struct strbuf *out, const char *key, const char *text) {
    strbuf_printf(out, ", \"%s\": ", key);
    strbuf_add_json(out, text, strlen(text));
}

static void json_kernel(struct strbuf *out, const struct ir_module *m, const struct off_kernel *k,
                        const struct source_map *map) {
    strbuf_add(out, "\n    {\"name\": ");
    strbuf_add_json(out, k->name, strlen(k->name));
    json_text(out, "func", func_name(m, k->func));
    strbuf_add(out, ", ");
    json_place(out, map, k->wasm_offset);
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
    if (k->inspector) {
        json_text(out, "inspector", k->inspector->name);
        strbuf_printf(out, ", \"checked_loads\": %u, \"checked_ops\": %u", k->checked_loads, k->checked_ops);
    }
    if (k->nreduces)
        strbuf_printf(out, ", \"reductions\": %u", values_reduced(k));
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
    for (uint32_t i = 0; i < m->nkernels; i++) {
        strbuf_add(out, i ? "," : "");
        json_kernel(out, m, m->kernels[i], map);
    }
    strbuf_add(out, "],\n  \"loops\": [");
    for (uint32_t i = 0; i < report->nloops; i++) {
        const struct off_loop_report *r = &report->loops[i];
        strbuf_printf(out, "%s\n    {\"func\": ", i ? "," : "");
        strbuf_add_json(out, func_name(m, r->func), strlen(func_name(m, r->func)));
        strbuf_add(out, ", ");
        json_place(out, map, r->wasm_offset);
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
        strbuf_add(out, "}");
    }
    strbuf_add(out, "]\n}\n");
    arena_free(&scratch);
}
