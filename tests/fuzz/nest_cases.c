/* See nest_cases.h.
 *
 * All streams are bound to one buffer:
 *
 *     | linear memory | the inspector's word, 16 bytes | partial results |
 *
 * Streams of linear memory have it from address 0.  Those of the runtime's own, whose addresses begin at 0 too, are
 * moved behind it by the base that the parameter block gives for them: a kernel's index is (address - base) / 4 modulo
 * 2^32.
 */
#include "tests/fuzz/nest_cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kernels.h"
#include "ir/util/ice.h"
#include "runtime/device_params.h"
#include "tests/unit/kernel_vulkan.h"

enum { STATUS_BYTES = 16, TRIES = 2 };

static struct {
    const char *directory;
    struct vkt *device;
    bool flushes; /* subnormals; such a device gets the variants that need none */
    uint64_t seed, launches, reductions, float_reductions, inspections, variants, written, failures;
    uint32_t tried[256]; /* launches of each kernel of the nest */
} cases;

static void emit_all(struct ir_module *m) {
    for (uint32_t k = 0; k < m->nkernels; k++)
        kernels_emit(m, m->kernels[k]);
}

static void write_file(const char *name, const char *suffix, const void *bytes, size_t n) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", cases.directory, name, suffix);
    FILE *f = fopen(path, "wb");
    ICE_UNLESS(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

struct launch {
    const struct off_kernel *k;
    struct wm_params params;
    uint32_t extent[3], bytes;
    uint8_t *before, *after; /* the buffer */
    bool overlaps;           /* a stream that is written has bytes in common with another: WebGPU binds no such thing */
};

static void write_case(const struct launch *l) {
    char name[64];
    const struct off_kernel *k = l->k;
    uint32_t words[8 + WM_MAX_PARAM_WORDS] = {k->nstreams, 0}, n = 2;
    snprintf(name, sizeof name, "nest_%" PRIu64 "_%u_%u", cases.seed, k->id, cases.tried[k->id % 256]);
    for (int d = 0; d < 3; d++)
        words[n++] = (l->extent[d] + k->workgroup[d] - 1) / k->workgroup[d];
    words[n++] = l->params.count;
    memcpy(words + n, l->params.words, l->params.count * sizeof *words);
    write_file(name, ".case", words, (n + l->params.count) * sizeof *words);
    write_file(name, ".in", l->before, l->bytes);
    write_file(name, ".out", l->after, l->bytes);
    if (!l->overlaps)
        write_file(name, ".wgsl", k->wgsl, strlen(k->wgsl));
    write_file(name, ".metal", k->msl, strlen(k->msl));
    cases.written++;
}

/* Whether a byte differs that is not part of a NaN, in a cell of f32 or f64, where the other has one too. */
static bool differ(const uint8_t *want, const uint8_t *got, uint32_t bytes, uint32_t *out_at) {
    for (uint32_t at = 0; at < bytes; at += 8) {
        double a, b;
        float x[2], y[2];
        memcpy(&a, want + at, 8);
        memcpy(&b, got + at, 8);
        memcpy(x, want + at, 8);
        memcpy(y, got + at, 8);
        bool halves = true;
        for (int h = 0; h < 2; h++)
            halves &= !memcmp(want + at + 4 * h, got + at + 4 * h, 4) || (x[h] != x[h] && y[h] != y[h]);
        *out_at = at;
        if (memcmp(want + at, got + at, 8) != 0 && !(a != a && b != b) && !halves)
            return true;
    }
    return false;
}

static void run_on_device(const struct launch *l) {
    const struct off_kernel *k = l->k;
    uint8_t *got = malloc(l->bytes);
    uint32_t at;
    ICE_UNLESS(got);
    for (uint32_t v = 0; v < k->nspirv; v++) {
        const struct off_spirv *s = &k->spirv[v];
        uint32_t floats = k->uses & (OFF_USE_F32 | OFF_USE_F64);
        if ((s->caps & ~vkt_caps(cases.device)) || (cases.flushes && (floats & ~s->avoids)))
            continue;
        memcpy(got, l->before, l->bytes);
        bool ran = vkt_run_block(cases.device, k, s, got, l->bytes, l->params.words, l->params.count, l->extent);
        cases.variants++;
        if (ran && !differ(l->after, got, l->bytes, &at))
            continue;
        cases.failures++;
        fprintf(stderr, "seed %" PRIu64 ": kernel %s, caps 0x%x: ", cases.seed, k->name, s->caps);
        if (ran)
            fprintf(stderr, "other bytes from 0x%x on\n", at);
        else
            fprintf(stderr, "the driver fails\n");
    }
    free(got);
}

static bool streams_overlap(const struct off_kernel *k, const struct wm_launch_plan *plan) {
    for (uint32_t a = 0; a < k->nstreams; a++)
        for (uint32_t b = 0; b < k->nstreams; b++)
            if (a != b && k->streams[a].write && k->streams[a].kind != OFF_STREAM_STATUS &&
                k->streams[a].kind != OFF_STREAM_PARTIALS && k->streams[b].kind != OFF_STREAM_STATUS &&
                k->streams[b].kind != OFF_STREAM_PARTIALS && plan->streams[a].lo < plan->streams[b].hi &&
                plan->streams[b].lo < plan->streams[a].hi)
                return true;
    return false;
}

/* Fills both sides of the buffer and the parameter block. */
static struct launch make_launch(struct oft *t, const struct off_kernel *k, const uint64_t *slots,
                                 const uint8_t *before, const uint8_t *after, uint64_t memory) {
    const struct wm_launch_plan *plan = t->plan;
    uint64_t partials = k->nreduces ? plan->partials_bytes : 0;
    struct launch l = {.k = k, .bytes = (uint32_t)(memory + STATUS_BYTES + ((partials + 15) & ~(uint64_t)15))};
    l.before = malloc(l.bytes);
    l.after = malloc(l.bytes);
    ICE_UNLESS(l.before && l.after && memory < UINT32_MAX / 4);
    memcpy(l.before, before, memory);
    memset(l.before + memory, 0, STATUS_BYTES);
    memset(l.before + memory + STATUS_BYTES, 0xa5, l.bytes - memory - STATUS_BYTES);
    memcpy(l.after, l.before, l.bytes);
    memcpy(l.after, after, memory);
    l.after[memory] = k->inspects && t->flagged;
    for (uint64_t word = 0; word < partials / 8; word++) { /* a word of 4 bytes is stored as such */
        const struct off_reduce *r = &k->reduces[word % k->nreduces];
        bool wide = r->type == IR_I64 || r->type == IR_F64 || r->lane_bytes;
        memcpy(l.after + memory + STATUS_BYTES + 8 * word, &plan->partials[word], wide ? 8 : 4);
    }
    l.overlaps = streams_overlap(k, plan);
    memcpy(l.extent, plan->extent, sizeof l.extent);
    wm_params_begin(&l.params, plan);
    for (uint32_t s = 0; s < k->nstreams; s++)
        wm_params_add(&l.params, k->streams[s].kind == OFF_STREAM_STATUS     ? -(uint32_t)memory
                                 : k->streams[s].kind == OFF_STREAM_PARTIALS ? -(uint32_t)memory - STATUS_BYTES
                                                                             : 0);
    wm_params_add_scalars(&l.params, &t->kernels[k->id], plan, slots);
    return l;
}

static void try_launch(struct oft *t, const struct off_kernel *k, const uint64_t *slots, const uint8_t *before,
                       const uint8_t *after, uint64_t bytes) {
    const struct wm_launch_plan *plan = t->plan;
    if (cases.tried[k->id % 256]++ >= TRIES || !k->nspirv || !k->wgsl || !k->msl)
        return;
    if (!plan->extent[0] || !plan->extent[1] || !plan->extent[2])
        return; /* the runtime launches no empty grid */
    cases.launches++;
    cases.inspections += k->inspects;
    cases.reductions += k->nreduces != 0;
    bool floats = false;
    for (uint32_t r = 0; r < k->nreduces; r++)
        floats |=
            k->reduces[r].kind == OFF_REDUCE_OP && k->reduces[r].type >= IR_F32 && k->reduces[r].op <= OFF_REDUCE_MUL;
    cases.float_reductions += floats;
    struct launch l = make_launch(t, k, slots, before, after, bytes);
    if (cases.directory)
        write_case(&l);
    if (cases.device)
        run_on_device(&l);
    free(l.before);
    free(l.after);
}

bool nest_cases_open(const char *directory, bool vulkan, unsigned fp) {
    static struct oft_hooks hooks = {.offloaded = emit_all, .launched = try_launch};
    hooks.fp = fp;
    oft_hooks = &hooks;
    cases.directory = directory;
    cases.device = vulkan ? vkt_open() : NULL;
    cases.flushes = cases.device && strstr(vkt_name(cases.device), "SwiftShader");
    return cases.device || !vulkan;
}

void nest_cases_begin(uint64_t seed) {
    cases.seed = seed;
    memset(cases.tried, 0, sizeof cases.tried);
}

bool nest_cases_close(void) {
    if (cases.device)
        cases.failures += vkt_validation_messages(cases.device);
    printf("%" PRIu64 " launches on %s: %" PRIu64 " with reductions (%" PRIu64 " sums or products of floats), %" PRIu64
           " inspections, %" PRIu64 " variants, %" PRIu64 " written; %" PRIu64 " failures\n",
           cases.launches, cases.device ? vkt_name(cases.device) : "no device", cases.reductions,
           cases.float_reductions, cases.inspections, cases.variants, cases.written, cases.failures);
    if (cases.device)
        vkt_close(cases.device);
    return cases.failures == 0;
}
