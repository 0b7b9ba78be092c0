/* Reports on loops for people; see explain.h.  Names and texts come from ir/offload/reject.def.
 *
 * What matters comes first: functions, and in each function the nests, are ordered by weight.  The weight of a loop is
 * an estimate from the code alone: its instructions, times 16 for each loop around them.  How often loops really run is
 * not known here, so shares are rounded and small ones not shown.  A loop that stays on the CPU comes with advice,
 * unless nearly all that is in it runs in kernels anyway.
 *
 * The C library's loops (explain_library.h) come last, are not counted, and listed only when asked for.  At the end
 * stand the places to begin with (explain_begin.c).
 */
#include "compiler/explain.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/explain_begin.h"
#include "compiler/explain_library.h"
#include "compiler/source_map.h"
#include "ir/fp_mode.h"

enum { MAX_WEIGHT_DEPTH = 6, ADVICE_FROM = 1 /* per cent */, NEARLY_ALL = 90 /* per cent */ };
enum { MAX_ADVICE = OFF_REJECT_COUNT + 8 };

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

uint32_t explain_values_reduced(const struct off_kernel *k) {
    uint32_t n = 0;
    for (uint32_t i = 0; !k->flat && i < k->nreduces; i++)
        n += k->reduces[i].kind != OFF_REDUCE_FLAG && !k->reduces[i].upper;
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
    if (explain_values_reduced(k))
        strbuf_printf(out, " of workers, %u value%s reduced", explain_values_reduced(k),
                      explain_values_reduced(k) == 1 ? "" : "s");
    if (k->flat)
        strbuf_add(out, " of workers");
    if (inner)
        strbuf_printf(out, ", %u sequential loop%s inside", inner, inner == 1 ? "" : "s");
    strbuf_printf(out, ", %u range%s read, %u written", reads, reads == 1 ? "" : "s", writes);
    if (k->splits)
        strbuf_add(out, ", the rest of the loop on the CPU");
    if (k->rolled)
        strbuf_add(out, ", unrolled copies and remainder as one loop");
    if (k->declared)
        strbuf_add(out, ", conflicts not asked for (--kernel)");
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

/* A loop with those inside it: loops first .. first + count - 1 of the report. */
struct nest {
    uint32_t first, count;
    double weight, offloaded;
};

struct func_weight {
    uint32_t first_nest, nnests, nloops;
    double weight;
    bool library;
};

struct advice {
    enum off_reject verdict;
    const char *hint; /* static: a text is one address */
    bool given;       /* under a loop */
};

struct explain {
    struct strbuf *out;
    struct ir_module *m;
    const struct off_report *report;
    const struct paint *c;
    struct source_map *map;
    const bool *library;              /* by function */
    double total;                     /* weight of what is not the library's */
    struct advice advice[MAX_ADVICE]; /* met so far */
    uint32_t nadvice;
};

double explain_own_weight(const struct off_loop_report *r) {
    double w = r->ops ? r->ops : 1;
    for (uint32_t d = 0; d < r->depth && d < MAX_WEIGHT_DEPTH; d++)
        w *= 16;
    return w;
}

/* The loop and all that is inside it. */
static struct nest nest_of(const struct off_report *report, uint32_t first) {
    struct nest n = {.first = first};
    const struct off_loop_report *root = &report->loops[first];
    for (uint32_t i = first; i < report->nloops; i++) {
        const struct off_loop_report *r = &report->loops[i];
        if (i > first && (r->func != root->func || r->depth <= root->depth))
            break;
        n.count++;
        n.weight += explain_own_weight(r);
        n.offloaded += explain_in_kernel(r) ? explain_own_weight(r) : 0;
    }
    return n;
}

static int compare_nests(const void *a, const void *b) {
    const struct nest *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static int compare_funcs(const void *a, const void *b) {
    const struct func_weight *x = a, *y = b;
    if (x->library != y->library)
        return x->library - y->library;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->first_nest < y->first_nest ? -1 : x->first_nest > y->first_nest;
}

static unsigned per_cent(double part, double of) {
    return of > 0 ? (unsigned)(100 * part / of + 0.5) : 0;
}

static void note_advice(struct explain *x, const struct off_loop_report *r, bool given) {
    const char *hint = off_loop_hint(r);
    uint32_t k = 0;
    while (k < x->nadvice && (x->advice[k].verdict != r->verdict || x->advice[k].hint != hint))
        k++;
    if (k == MAX_ADVICE || !*hint)
        return;
    if (k == x->nadvice)
        x->advice[x->nadvice++] = (struct advice){.verdict = r->verdict, .hint = hint};
    x->advice[k].given |= given;
}

/* What a loop on the CPU, or `alike` of them, leave to do. */
static void explain_advice(struct explain *x, uint32_t index, uint32_t alike) {
    const struct off_loop_report *r = &x->report->loops[index];
    struct nest n = nest_of(x->report, index);
    unsigned done = per_cent(n.offloaded, n.weight);
    int indent = (int)(2 * r->depth);
    if (done >= NEARLY_ALL) {
        strbuf_printf(x->out, "      %*swhich does no harm: %u %% of it is in kernels\n", indent, "", done);
        return;
    }
    if (x->library[r->func] || per_cent(alike * (n.weight - n.offloaded), x->total) < ADVICE_FROM || !*off_loop_hint(r))
        return;
    note_advice(x, r, true);
    strbuf_printf(x->out, "      %*stry: %s", indent, "", off_loop_hint(r));
    if (done)
        strbuf_printf(x->out, " (%u %% of the nest is in kernels already)", done);
    strbuf_add(x->out, "\n");
}

struct source_place {
    const char *file;
    uint32_t line;
};

/* The first place from an offset on, not far behind it. */
static bool find_first(const struct source_map *map, uint32_t offset, struct source_place *out) {
    enum { LINE_SEARCH = 32 };
    for (uint32_t n = 0; n < LINE_SEARCH && offset != IR_NO_OFFSET; n++)
        if (source_map_find(map, offset + n, &out->file, &out->line))
            return true;
    return false;
}

/* The branch back has the line of the `for` or `while`; what stands first in the loop may belong to a function that was
 * inlined there.  And where the branch has come out of a library's iterator, what stands first may be the user's. */
bool explain_find_line(const struct source_map *map, const struct ir_module *m, const struct off_loop_report *r,
                       const char **out_file, uint32_t *out_line) {
    struct source_place first, back, func;
    bool has_first = find_first(map, r->wasm_offset, &first);
    bool has_back =
        r->back_offset != IR_NO_OFFSET && source_map_find(map, r->back_offset, &back.file, &back.line) && back.line;
    if (!has_first && !has_back)
        return false;
    bool by_back = !has_first;
    if (has_first && has_back)
        by_back = strcmp(first.file, back.file) == 0 ||
                  (find_first(map, m->funcs[r->func].func->wasm_offset, &func) && strcmp(func.file, back.file) == 0);
    *out_file = base_name(by_back ? back.file : first.file);
    *out_line = by_back ? back.line : first.line;
    return true;
}

/* Whether two loops on the CPU, without loops inside, can share a line of the report: an unrolled loop and its
 * remainder, a function that was inlined several times, or, where lines of the source are not known, the same reason.
 */
static bool are_alike(const struct explain *x, uint32_t a, uint32_t b) {
    const struct off_loop_report *p = &x->report->loops[a], *q = &x->report->loops[b];
    const char *files[2];
    uint32_t lines[2];
    bool known = explain_find_line(x->map, x->m, p, &files[0], &lines[0]);
    return p->func == q->func && p->depth == q->depth && p->verdict == q->verdict && !explain_in_kernel(p) &&
           nest_of(x->report, a).count == 1 && nest_of(x->report, b).count == 1 &&
           (p->detail == q->detail || (p->detail && q->detail && strcmp(p->detail, q->detail) == 0)) &&
           p->hint == q->hint && known == explain_find_line(x->map, x->m, q, &files[1], &lines[1]) &&
           (!known || (lines[0] == lines[1] && strcmp(files[0], files[1]) == 0));
}

static void add_loop_places(struct explain *x, const uint32_t *loops, uint32_t n) {
    const char *file;
    uint32_t line;
    for (uint32_t k = 0; k < n; k++)
        strbuf_printf(x->out, "%s+0x%x", k ? ", " : "", x->report->loops[loops[k]].wasm_offset);
    if (explain_find_line(x->map, x->m, &x->report->loops[loops[0]], &file, &line))
        strbuf_printf(x->out, " (%s:%u)", file, line);
}

/* One loop, or several that are alike. */
static void explain_loops(struct explain *x, const uint32_t *loops, uint32_t n) {
    const struct off_loop_report *r = &x->report->loops[loops[0]];
    const struct paint *c = x->c;
    double weight = 0;
    for (uint32_t k = 0; k < n; k++)
        weight += nest_of(x->report, loops[k]).weight;
    strbuf_printf(x->out, "  %*sloop%s ", (int)(2 * r->depth), "", n > 1 ? "s" : "");
    add_loop_places(x, loops, n);
    unsigned share = per_cent(weight, x->total);
    if (share && !x->library[r->func] && r->verdict != OFF_REJECT_PART_OF_KERNEL)
        strbuf_printf(x->out, "%s, %u %%%s", c->dim, share, c->off);
    strbuf_add(x->out, ": ");
    if (r->verdict == OFF_REJECT_NONE) {
        explain_kernel(x->out, x->m->kernels[r->kernel], c);
    } else if (r->verdict == OFF_REJECT_PART_OF_KERNEL) {
        strbuf_printf(x->out, "runs inside kernel %s", x->m->kernels[r->kernel]->name);
        if (r->part_kernel >= 0)
            strbuf_printf(x->out, ", or as kernel %s where that is refused", x->m->kernels[r->part_kernel]->name);
    } else {
        strbuf_printf(x->out, "stay%s on the CPU, %s%s%s", n > 1 ? "" : "s", c->bad, off_reject_name(r->verdict),
                      c->off);
        if (x->library[r->func]) {
            strbuf_add(x->out, "\n");
            return;
        }
        strbuf_printf(x->out, ": %s", off_reject_meaning(r->verdict));
        if (r->detail)
            strbuf_printf(x->out, " (%s)", r->detail);
        if (r->at != IR_NO_OFFSET && r->at != r->wasm_offset) {
            strbuf_add(x->out, ", at ");
            add_place(x->out, x->map, r->at);
        }
        note_advice(x, r, false);
    }
    strbuf_add(x->out, "\n");
    if (!explain_in_kernel(r))
        explain_advice(x, loops[0], n);
}

/* The nests of a function, each loop in order, those that are alike together. */
static void explain_nests(struct explain *x, const struct nest *nests, uint32_t nnests, uint32_t *order) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < nnests; k++)
        for (uint32_t i = 0; i < nests[k].count; i++)
            order[n++] = nests[k].first + i;
    for (uint32_t k = 0, run; k < n; k += run) {
        for (run = 1; k + run < n && are_alike(x, order[k], order[k + run]);)
            run++;
        explain_loops(x, order + k, run);
    }
}

/* Loops of one function stand together in the report, those of a nest as well. */
static uint32_t weigh(struct explain *x, struct nest *nests, struct func_weight *funcs) {
    uint32_t nfuncs = 0, nnests = 0;
    for (uint32_t i = 0; i < x->report->nloops;) {
        struct nest n = nest_of(x->report, i);
        uint32_t func = x->report->loops[i].func;
        if (!nfuncs || x->report->loops[nests[nnests - 1].first].func != func)
            funcs[nfuncs++] = (struct func_weight){.first_nest = nnests, .library = x->library[func]};
        struct func_weight *f = &funcs[nfuncs - 1];
        f->nnests++;
        f->nloops += n.count;
        f->weight += n.weight;
        x->total += f->library ? 0 : n.weight;
        nests[nnests++] = n;
        i += n.count;
    }
    for (uint32_t k = 0; k < nfuncs; k++)
        qsort(nests + funcs[k].first_nest, funcs[k].nnests, sizeof *nests, compare_nests);
    qsort(funcs, nfuncs, sizeof *funcs, compare_funcs);
    return nfuncs;
}

/* The library's functions, which stand last: their names only. */
static void explain_hidden(struct explain *x, const struct nest *nests, const struct func_weight *funcs, uint32_t n) {
    enum { SHOWN = 6 };
    strbuf_printf(x->out, "%u function%s of the language's library, not counted:", n, n == 1 ? "" : "s");
    for (uint32_t k = 0; k < n && k < SHOWN; k++) {
        uint32_t func = x->report->loops[nests[funcs[k].first_nest].first].func, loops = funcs[k].nloops;
        strbuf_printf(x->out, "%s %s (%u loop%s)", k ? "," : "", func_name(x->m, func), loops, loops == 1 ? "" : "s");
    }
    strbuf_printf(x->out, "%s; --library lists them\n", n > SHOWN ? " ..." : "");
}

static void explain_summary(struct explain *x) {
    uint32_t kernels = 0, inside = 0, stay = 0, library = 0;
    double offloaded = 0;
    for (uint32_t i = 0; i < x->report->nloops; i++) {
        const struct off_loop_report *r = &x->report->loops[i];
        kernels += r->verdict == OFF_REJECT_NONE;
        inside += r->verdict == OFF_REJECT_PART_OF_KERNEL;
        stay += !explain_in_kernel(r);
        library += x->library[r->func] && !explain_in_kernel(r);
        offloaded += explain_in_kernel(r) && !x->library[r->func] ? explain_own_weight(r) : 0;
    }
    strbuf_printf(x->out, "%u loop%s: %u offloaded, %u inside those, %u on the CPU", x->report->nloops,
                  x->report->nloops == 1 ? "" : "s", kernels, inside, stay);
    if (library)
        strbuf_printf(x->out, " (%u of them of the language's library)", library);
    if (x->total > 0)
        strbuf_printf(x->out, "; %u %% of the work in loops has a kernel, going by the code alone",
                      per_cent(offloaded, x->total));
    strbuf_add(x->out, "\n");
}

void explain_text(struct strbuf *out, struct ir_module *m, const struct off_report *report, bool library, bool colour) {
    struct paint paint = colour ? (struct paint){"\033[32m", "\033[33m", "\033[2m", "\033[1m", "\033[0m"}
                                : (struct paint){"", "", "", "", ""};
    const struct paint *c = &paint;
    struct arena scratch = {0};
    struct explain x = {.out = out, .m = m, .report = report, .c = c, .map = source_map_new(&scratch, m)};
    struct nest *nests = arena_array(&scratch, struct nest, report->nloops + 1);
    uint32_t *order = arena_array(&scratch, uint32_t, report->nloops + 1);
    struct func_weight *funcs = arena_array(&scratch, struct func_weight, report->nloops + 1);
    x.library = explain_find_library(&scratch, m);
    uint32_t nfuncs = weigh(&x, nests, funcs);
    uint32_t hidden = 0;
    for (uint32_t k = 0; k < nfuncs; k++) {
        if (funcs[k].library && !library) {
            hidden++;
            continue;
        }
        uint32_t func = report->loops[nests[funcs[k].first_nest].first].func;
        strbuf_printf(out, "%sfunction %u \"%s\"%s: %u loop%s", c->bold, func, func_name(m, func), c->off,
                      funcs[k].nloops, funcs[k].nloops == 1 ? "" : "s");
        if (funcs[k].library)
            strbuf_add(out, " of the language's library, not counted");
        else if (per_cent(funcs[k].weight, x.total))
            strbuf_printf(out, ", %u %% of the work in loops", per_cent(funcs[k].weight, x.total));
        strbuf_add(out, "\n");
        explain_nests(&x, nests + funcs[k].first_nest, funcs[k].nnests, order);
    }
    if (hidden)
        explain_hidden(&x, nests, funcs + nfuncs - hidden, hidden);
    explain_summary(&x);
    explain_begin(out, m, report, x.map, x.library);
    if (m->fp)
        strbuf_printf(out, "kernels compiled with --fp=%s: results may differ from other engines'\n",
                      fp_mode_text(m->fp));
    bool first = true;
    for (uint32_t k = 0; k < x.nadvice; k++) {
        const struct advice *a = &x.advice[k];
        if (a->given)
            continue;
        strbuf_printf(out, "%s  %s%s%s: %s\n",
                      first ? "\nWhat would help the small ones, by reason (more in docs/reasons.md):\n" : "", c->bad,
                      off_reject_name(a->verdict), c->off, a->hint);
        first = false;
    }
    arena_free(&scratch);
}
