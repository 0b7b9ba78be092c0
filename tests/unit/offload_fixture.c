/* See offload_fixture.h.  The watching import is appended to the function table after offloading; nothing that runs
 * then minds an import behind the defined functions. */
#include "offload_fixture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/opt/pass.h"
#include "ir/util/ice.h"
#include "runtime/reduce.h"

enum { MANY_POINTS = UINT32_MAX };

uint64_t oft_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

__attribute__((format(printf, 2, 3))) static bool wrong(struct oft *t, const char *format, ...) {
    if (t->error[0])
        return false;
    va_list ap;
    va_start(ap, format);
    vsnprintf(t->error, sizeof t->error, format, ap);
    va_end(ap);
    return false;
}

/* ---- descriptions as the runtime has them ---- */

static uint64_t slot_number(uint32_t slot) {
    return slot == OFF_NO_SLOT ? WM_NO_SLOT : slot;
}

static uint64_t offset_number(uint32_t offset) {
    return offset == IR_NO_OFFSET ? WM_NONE : offset;
}

static void convert_dims(struct arena *a, const struct off_kernel *k, struct wm_kernel *out) {
    struct wm_dim *dims = arena_array(a, struct wm_dim, k->ndims + 1);
    for (uint32_t i = 0; i < k->ndims; i++) {
        const struct off_dim *d = &k->dims[i];
        dims[i] = (struct wm_dim){.rel = d->rel,
                                  .bits = d->bits,
                                  .top_tested = d->top_tested,
                                  .parallel = d->parallel,
                                  .unbounded = d->unbounded,
                                  .axis = d->axis,
                                  .parent = d->parent,
                                  .init_slot = slot_number(d->init_slot),
                                  .step_slot = slot_number(d->step_slot),
                                  .bound_slot = slot_number(d->bound_slot),
                                  .when_slot = slot_number(d->when_slot),
                                  .constant = d->constant,
                                  .ops = d->ops,
                                  .wasm_offset = offset_number(d->wasm_offset),
                                  .varying = d->varying,
                                  .entered = d->entered,
                                  .init_range = d->init_range,
                                  .bound_range = d->bound_range};
    }
    out->dims = dims;
    out->ndims = k->ndims;
}

static void convert_accesses(struct arena *a, const struct off_kernel *k, struct wm_kernel *out) {
    struct wm_access *accesses = arena_array(a, struct wm_access, k->naccesses + 1);
    for (uint32_t i = 0; i < k->naccesses; i++) {
        const struct off_access *x = &k->accesses[i];
        accesses[i] = (struct wm_access){.stream = x->stream,
                                         .write = x->write,
                                         .bytes = x->bytes,
                                         .align = x->align,
                                         .declared = x->declared,
                                         .copy = x->copy,
                                         .offset = x->offset,
                                         .base_slot = slot_number(x->base_slot),
                                         .when_slot = slot_number(x->when_slot),
                                         .wasm_offset = offset_number(x->wasm_offset)};
        for (uint32_t d = 0; d < WM_MAX_DIMS; d++)
            accesses[i].stride_slot[d] = slot_number(x->stride_slot[d]);
    }
    out->accesses = accesses;
    out->naccesses = k->naccesses;
}

static void convert_ranges(struct arena *a, const struct off_kernel *k, struct wm_kernel *out) {
    struct wm_range_desc *ranges = arena_array(a, struct wm_range_desc, k->nranges + 1);
    for (uint32_t i = 0; i < k->nranges; i++) {
        const struct off_range *r = &k->ranges[i];
        ranges[i] = (struct wm_range_desc){
            .op = r->op, .a = r->a, .b = r->b, .lo = r->lo, .hi = r->hi, .base_slot = slot_number(r->base_slot)};
        for (uint32_t d = 0; d < WM_MAX_DIMS; d++)
            ranges[i].stride_slot[d] = slot_number(r->stride_slot[d]);
    }
    out->ranges = ranges;
    out->nranges = k->nranges;
}

static void convert_kernel(struct arena *a, const struct off_kernel *k, struct wm_kernel *out) {
    *out = (struct wm_kernel){.name = k->name,
                              .id = k->id,
                              .func = k->func,
                              .wasm_offset = offset_number(k->wasm_offset),
                              .ngrid = k->ngrid,
                              .nstreams = k->nstreams,
                              .nscalars = k->nscalars,
                              .nslots = k->nslots,
                              .nconditions = k->nconditions,
                              .uses = k->uses,
                              .inspector = k->inspector ? k->inspector->id + 1 : 0,
                              .inspects = k->inspects,
                              .checked_loads = k->checked_loads,
                              .checked_ops = k->checked_ops,
                              .gather_reach = k->gather_reach,
                              .workgroup = {k->workgroup[0], k->workgroup[1], k->workgroup[2]}};
    convert_dims(a, k, out);
    convert_accesses(a, k, out);
    convert_ranges(a, k, out);
    struct wm_stream *streams = arena_array(a, struct wm_stream, k->nstreams + 1);
    for (uint32_t i = 0; i < k->nstreams; i++)
        streams[i] = (struct wm_stream){k->streams[i].read,      k->streams[i].write, k->streams[i].min_bytes,
                                        k->streams[i].max_bytes, k->streams[i].kind,  k->streams[i].reread};
    struct wm_scalar *scalars = arena_array(a, struct wm_scalar, k->nscalars + 1);
    for (uint32_t i = 0; i < k->nscalars; i++)
        scalars[i] = (struct wm_scalar){k->scalars[i].type, slot_number(k->scalars[i].slot), k->scalars[i].source};
    uint64_t *conditions = arena_array(a, uint64_t, k->nconditions + 1);
    for (uint32_t i = 0; i < k->nconditions; i++)
        conditions[i] = slot_number(k->condition_slots[i]);
    struct wm_reduce *reduces = arena_array(a, struct wm_reduce, k->nreduces + 1);
    for (uint32_t i = 0; i < k->nreduces; i++) {
        const struct off_reduce *r = &k->reduces[i];
        reduces[i] = (struct wm_reduce){.kind = r->kind, .op = r->op, .type = r->type, .lane_bytes = r->lane_bytes};
        reduces[i].init_slot = slot_number(r->init_slot);
        reduces[i].rule = r->rule;
        reduces[i].lead = r->lead == OFF_NO_REDUCE ? WM_NONE : r->lead;
        reduces[i].flag = r->flag == OFF_NO_REDUCE ? WM_NONE : r->flag;
    }
    out->reduces = reduces;
    out->nreduces = k->nreduces;
    out->in_order = k->in_order;
    out->streams = streams;
    out->scalars = scalars;
    out->condition_slots = conditions;
}

/* ---- watched kernels ---- */

/* What watch(address:i32, number:i32) means by its second argument. */
struct watched_access {
    uint64_t offset;
    uint32_t bytes;
    int stream;
    bool write;
    const char *kernel;
    uint32_t wasm_offset;
    bool status; /* a store to an inspector's status word */
};

struct watch_list {
    struct watched_access *list;
    uint32_t count, cap;
};

static struct watch_list *watch_list_of(struct oft *t) {
    return (struct watch_list *)t->kernels - 1; /* allocated in front of the kernels */
}

/* A store of a partial result becomes a call of the second watching import. */
static void watch_partial(struct oft *t, struct ir_inst *i) {
    struct ir_builder b = ir_builder_before(i);
    struct ir_value *v = i->operands[1];
    if (v->type == IR_F32)
        v = ir_build_simple(&b, IR_I32_REINTERPRET_F32, v, NULL);
    if (v->type == IR_F64)
        v = ir_build_simple(&b, IR_I64_REINTERPRET_F64, v, NULL);
    if (v->type == IR_I32)
        v = ir_build_simple(&b, IR_I64_EXTEND_I32_U, v, NULL);
    struct ir_value *at = ir_build_simple(&b, IR_I32_ADD, i->operands[0], ir_build_i32(&b, (uint32_t)i->mem.offset));
    for (uint8_t half = 0; half < (v->type == IR_V128 ? 2 : 1); half++) {
        struct ir_value *operands[2] = {at, v};
        if (v->type == IR_V128) {
            static const enum ir_type type = IR_I64;
            struct ir_inst *extract = ir_build(&b, IR_I64X2_EXTRACT_LANE, &type, 1, &v, 1);
            extract->bits.v128[0] = half;
            operands[0] = ir_build_simple(&b, IR_I32_ADD, at, ir_build_i32(&b, 8u * half));
            operands[1] = extract->results;
        }
        ir_build(&b, IR_CALL, NULL, 0, operands, 2)->index = t->watch + 1;
    }
    ir_inst_remove(i);
}

static void watch_region(struct oft *t, const struct off_kernel *k, struct ir_region *r) {
    struct watch_list *w = watch_list_of(t);
    ir_foreach_inst_safe (i, r) {
        ir_foreach_region (inner, i)
            watch_region(t, k, inner);
        if (!ir_is_load(i) && !ir_is_store(i))
            continue;
        if (i->mem.stream < 0 || (uint32_t)i->mem.stream >= k->nstreams)
            (void)wrong(t, "kernel %s: an access has stream %d of %u", k->name, i->mem.stream, k->nstreams);
        if (k->streams[i->mem.stream].kind == OFF_STREAM_PARTIALS) {
            watch_partial(t, i);
            continue;
        }
        bool status = k->streams[i->mem.stream].kind == OFF_STREAM_STATUS;
        struct ir_builder b = ir_builder_before(i);
        struct ir_value *operands[2] = {i->operands[0], ir_build_i32(&b, w->count)};
        struct ir_inst *call = ir_build(&b, IR_CALL, NULL, 0, operands, 2);
        call->index = t->watch;
        *arena_push(&t->arena, w->list, w->count, w->cap) = (struct watched_access){.offset = i->mem.offset,
                                                                                    .bytes = ir_info(i)->bytes,
                                                                                    .stream = i->mem.stream,
                                                                                    .write = ir_is_store(i),
                                                                                    .kernel = k->name,
                                                                                    .wasm_offset = i->wasm_offset,
                                                                                    .status = status};
        if (status) /* linear memory is not where it goes */
            ir_inst_remove(i);
    }
}

static void add_watching_import(struct oft *t) {
    struct ir_module *m = t->cut;
    static const enum ir_type params[2] = {IR_I32, IR_I32};
    struct ir_sig sig = {.nparams = 2, .params = params};
    static const enum ir_type partial_params[2] = {IR_I32, IR_I64};
    struct ir_sig partial_sig = {.nparams = 2, .params = partial_params};
    struct ir_func_entry *funcs = arena_array(&m->arena, struct ir_func_entry, m->nfuncs + 2);
    memcpy(funcs, m->funcs, m->nfuncs * sizeof funcs[0]);
    t->watch = m->nfuncs;
    funcs[m->nfuncs].import = (struct ir_import_name){"test", "watch"};
    funcs[m->nfuncs].func = ir_func_new(m, "watch", &sig);
    funcs[m->nfuncs + 1].import = (struct ir_import_name){"test", "partial"};
    funcs[m->nfuncs + 1].func = ir_func_new(m, "partial", &partial_sig);
    m->funcs = funcs;
    m->nfuncs += 2;
}

static enum ir_trap watch(void *user, struct ir_interp *in, uint32_t index, union ir_bits *args) {
    struct oft *t = user;
    (void)in;
    if (index == t->watch + 1) {
        uint64_t word = args[0].i32 / 8, words = t->plan->partials_bytes / 8;
        if (word >= words || args[0].i32 % 8) {
            (void)wrong(t, "a partial result at byte %u of %" PRIu64, args[0].i32, words * 8);
            return IR_TRAP_HOST;
        }
        t->plan->partials[word] = args[1].i64;
        return IR_TRAP_NONE;
    }
    if (index != t->watch)
        return IR_TRAP_NONE; /* an import of the program's own: does nothing, and its results are its arguments */
    const struct watched_access *x = &watch_list_of(t)->list[args[1].i32];
    if (x->status) {
        t->flagged = true;
        return IR_TRAP_NONE;
    }
    uint64_t lo = args[0].i32 + x->offset, hi = lo + x->bytes;
    struct wm_range range = t->plan->streams[x->stream];
    if (lo < range.lo || hi > range.hi || hi > t->watched_bytes) {
        (void)wrong(t, "kernel %s touches 0x%" PRIx64 "..0x%" PRIx64 " (+0x%x), outside 0x%" PRIx64 "..0x%" PRIx64,
                    x->kernel, lo, hi, x->wasm_offset, range.lo, range.hi);
        return IR_TRAP_HOST;
    }
    uint64_t own = t->epoch << 32 | t->point;
    for (uint64_t b = lo; b < hi; b++) {
        bool written = t->writers[b] >> 32 == t->epoch && t->writers[b] != own;
        bool read = t->readers[b] >> 32 == t->epoch && t->readers[b] != own;
        if (written || (x->write && read)) {
            (void)wrong(t, "kernel %s: two points touch byte 0x%" PRIx64 " (+0x%x, %s)", x->kernel, b, x->wasm_offset,
                        x->write ? "store" : "load");
            return IR_TRAP_HOST;
        }
        if (x->write)
            t->writers[b] = own;
        else
            t->readers[b] = read ? t->epoch << 32 | MANY_POINTS : own;
    }
    return IR_TRAP_NONE;
}

/* ---- launches ---- */

const struct oft_hooks *oft_hooks;

static void shuffle(struct oft *t, uint32_t *order, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; t->shuffle && i > 1; i--) {
        uint32_t j = (uint32_t)(oft_random(&t->random) >> 33) % i, keep = order[i - 1];
        order[i - 1] = order[j];
        order[j] = keep;
    }
}

static void run_all_points(struct oft *t, struct ir_interp *in, const struct off_kernel *k, const uint64_t *slots) {
    const uint32_t *extent = t->plan->extent;
    uint64_t n = (uint64_t)extent[0] * extent[1] * extent[2];
    uint32_t *order = malloc(n * sizeof *order);
    union ir_bits *args = calloc(k->ngrid + k->nscalars + 1, sizeof *args);
    ICE_UNLESS(order && args && n < MANY_POINTS - 1);
    shuffle(t, order, (uint32_t)n);
    t->epoch++;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t at[3] = {order[i] % extent[0], order[i] / extent[0] % extent[1], order[i] / extent[0] / extent[1]};
        memset(args, 0, (k->ngrid + k->nscalars + 1) * sizeof *args);
        for (uint32_t d = 0; d < k->ngrid; d++)
            args[d].i32 = at[d];
        for (uint32_t s = 0; s < k->nscalars; s++)
            args[k->ngrid + s].i64 = wm_guard_scalar(&t->kernels[k->id], s, slots, t->plan);
        t->point = order[i] + 1;
        struct ir_trap_info trap;
        if (!ir_interp_call_func(in, k->body, args, &trap)) {
            if (k->inspects && trap.code == IR_TRAP_INTERRUPT) { /* a loop that no point before it would have let run */
                t->flagged = t->unfinished = true;
                break;
            }
            (void)wrong(t, "kernel %s traps at +0x%x: %s", k->name, trap.wasm_offset, ir_trap_text(trap.code));
            break;
        }
    }
    t->points += n;
    free(order);
    free(args);
}

static void run_points(struct oft *t, struct ir_interp *in, const struct off_kernel *k, const uint64_t *slots) {
    if (!oft_hooks) {
        run_all_points(t, in, k, slots);
        return;
    }
    uint64_t bytes;
    uint8_t *memory = ir_interp_memory(in, 0, &bytes), *before = malloc(bytes + 1);
    ICE_UNLESS(before);
    memcpy(before, memory, bytes);
    run_all_points(t, in, k, slots);
    if (!t->error[0] && !t->unfinished)
        oft_hooks->launched(t, k, slots, before, memory, bytes);
    free(before);
}

static bool launch(void *user, struct ir_interp *in, uint32_t kernel, const union ir_bits *operands,
                   uint64_t *out_trips) {
    struct oft *t = user;
    const struct off_kernel *k = t->cut->kernels[kernel];
    uint64_t slots[OFF_MAX_SLOTS];
    for (uint32_t i = 0; i < k->nslots; i++) {
        bool wide = k->slot_types[i] == IR_I64 || k->slot_types[i] == IR_F64;
        slots[i] = wide ? operands[i].i64 : operands[i].i32;
    }
    struct wm_guard_limits limits = {.min_work = t->min_work, .aligned = t->aligned};
    if (k->nreduces) {
        limits.workers = 1 + (uint32_t)(oft_random(&t->random) >> 33) % 40;
        limits.interleaved = oft_random(&t->random) >> 63;
    }
    (void)ir_interp_memory(in, 0, &limits.memory_bytes);
    struct wm_launch_plan plan;
    enum wm_fallback why;
    if (!wm_guard_decide(&t->kernels[kernel], slots, &limits, &plan, &why)) {
        t->fallbacks[why]++;
        out_trips[0] = wm_guard_parts_may_run(&plan, why, t->min_work);
        return false;
    }
    t->plan = &plan;
    plan.partials_bytes = 8 * (uint64_t)k->nreduces * plan.extent[0];
    plan.partials = arena_array(&t->arena, uint64_t, k->nreduces * plan.extent[0] + 1);
    if (k->inspector) {
        t->inspections++;
        t->flagged = false;
        run_points(t, in, k->inspector, slots);
        if (t->flagged || t->error[0]) {
            t->plan = NULL;
            t->fallbacks[WM_FALLBACK_INSPECTED]++;
            return false;
        }
    }
    t->launches++;
    run_points(t, in, k, slots);
    t->plan = NULL;
    for (uint32_t d = 0; d < k->ndims; d++)
        out_trips[d] = plan.trips[d];
    if (k->nreduces)
        wm_reduce_combine(&t->kernels[kernel], slots, &plan, out_trips + k->ndims);
    t->reductions += k->nreduces != 0;
    return true;
}

/* ---- set up ---- */

static bool parse(struct oft *t, const char *text, size_t size, struct ir_module **out) {
    struct ir_parse_error error;
    *out = ir_parse_module(text, size, &error);
    if (!*out)
        return wrong(t, "%u:%u: %s", error.line, error.column, error.message);
    struct strbuf problems = {0};
    bool ok = ir_verify_module(*out, &problems) || wrong(t, "%.400s", problems.data);
    strbuf_free(&problems);
    return ok;
}

static bool verify_results(struct oft *t) {
    struct strbuf problems = {0};
    bool ok = ir_verify_module(t->cut, &problems);
    for (uint32_t i = 0; i < t->cut->nkernels; i++)
        ok &= ir_verify_func(t->cut->kernels[i]->body, &problems);
    if (!ok)
        (void)wrong(t, "after offloading: %.400s", problems.data);
    strbuf_free(&problems);
    return ok;
}

bool oft_init_text(struct oft *t, const char *text, size_t size) {
    *t = (struct oft){.shuffle = true, .random = 88172645463325252u};
    if (!parse(t, text, size, &t->plain) || !parse(t, text, size, &t->cut))
        return false;
    struct pass_ctx passes = {.module = t->cut, .verify = true};
    for (uint32_t i = t->cut->nfunc_imports; i < t->cut->nfuncs; i++)
        opt_simplify(t->cut->funcs[i].func, &passes);
    arena_free(&passes.scratch);
    struct off_options options = {.enabled = true, .verify = true};
    t->cut->fp = oft_hooks ? oft_hooks->fp : 0;
    offload_module(t->cut, &options, &t->report);
    if (!verify_results(t))
        return false;
    if (oft_hooks)
        oft_hooks->offloaded(t->cut);
    struct watch_list *w = arena_alloc(&t->arena, sizeof *w + (t->cut->nkernels + 1) * sizeof t->kernels[0]);
    t->kernels = (struct wm_kernel *)(w + 1);
    for (uint32_t i = 0; i < t->cut->nkernels; i++) {
        convert_kernel(&t->arena, t->cut->kernels[i], &t->kernels[i]);
        if (!wm_guard_kernel_valid(&t->kernels[i]))
            return wrong(t, "kernel %s: the guard finds its description invalid", t->kernels[i].name);
    }
    return true;
}

bool oft_init_module(struct oft *t, struct ir_module *m) {
    struct strbuf text = {0};
    ir_print_module(&text, m);
    bool ok = oft_init_text(t, text.data, text.len);
    strbuf_free(&text);
    return ok;
}

void oft_free(struct oft *t) {
    ir_module_free(t->plain);
    ir_module_free(t->cut);
    free(t->writers);
    free(t->readers);
    arena_free(&t->arena);
    *t = (struct oft){0};
}

/* ---- runs ---- */

static bool run_once(struct oft *t, struct ir_module *m, uint32_t func, const union ir_bits *args,
                     const uint8_t *memory, uint64_t bytes, struct oft_outcome *out) {
    *out = (struct oft_outcome){0};
    const struct ir_sig *sig = &m->funcs[func].func->sig;
    ICE_UNLESS(sig->nresults <= OFT_MAX_RESULTS);
    uint64_t fuel = t->fuel ? t->fuel : 50000000;
    struct ir_interp_desc desc = {.module = m,
                                  .fuel = m == t->cut ? fuel * 64 : fuel, /* points repeat what they share */
                                  .host_call = watch,
                                  .launch = launch,
                                  .user = t};
    struct ir_interp *in = ir_interp_new(&desc, &out->trap);
    if (!in || out->trap.code)
        return wrong(t, "the instance cannot be made");
    uint8_t *base = ir_interp_memory(in, 0, &out->bytes);
    if (bytes)
        memcpy(base, memory, bytes < out->bytes ? bytes : out->bytes);
    if (t->watched_bytes < out->bytes) {
        t->writers = realloc(t->writers, out->bytes * sizeof *t->writers);
        t->readers = realloc(t->readers, out->bytes * sizeof *t->readers);
        ICE_UNLESS(t->writers && t->readers);
        memset(t->writers, 0, out->bytes * sizeof *t->writers);
        memset(t->readers, 0, out->bytes * sizeof *t->readers);
        t->watched_bytes = out->bytes;
    }
    uint32_t n = sig->nparams > sig->nresults ? sig->nparams : sig->nresults;
    union ir_bits *values = calloc(n + 1, sizeof *values);
    ICE_UNLESS(values);
    if (sig->nparams)
        memcpy(values, args, sig->nparams * sizeof *values);
    if (ir_interp_call(in, func, values, &out->trap))
        for (uint32_t k = 0; k < sig->nresults; k++) {
            bool narrow = sig->results[k] == IR_I32 || sig->results[k] == IR_F32;
            out->results[k].i64 = narrow ? values[k].i32 : values[k].i64;
        }
    free(values);
    base = ir_interp_memory(in, 0, &out->bytes);
    out->memory = malloc(out->bytes + 1);
    ICE_UNLESS(out->memory);
    if (out->bytes)
        memcpy(out->memory, base, out->bytes);
    ir_interp_free(in);
    return true;
}

static bool compare(struct oft *t, const struct oft_outcome *a, const struct oft_outcome *b) {
    if (a->trap.code != b->trap.code || (a->trap.code && a->trap.wasm_offset != b->trap.wasm_offset))
        return wrong(t, "trap '%s' at +0x%x, offloaded '%s' at +0x%x", ir_trap_text(a->trap.code), a->trap.wasm_offset,
                     ir_trap_text(b->trap.code), b->trap.wasm_offset);
    for (uint32_t k = 0; k < OFT_MAX_RESULTS; k++)
        if (a->results[k].i64 != b->results[k].i64)
            return wrong(t, "result %u is 0x%" PRIx64 ", offloaded 0x%" PRIx64, k, a->results[k].i64,
                         b->results[k].i64);
    if (a->bytes != b->bytes)
        return wrong(t, "memory has %" PRIu64 " bytes, offloaded %" PRIu64, a->bytes, b->bytes);
    for (uint64_t i = 0; i < a->bytes; i++)
        if (a->memory[i] != b->memory[i])
            return wrong(t, "byte 0x%" PRIx64 " is 0x%02x, offloaded 0x%02x", i, a->memory[i], b->memory[i]);
    return true;
}

bool oft_run(struct oft *t, uint32_t func, const union ir_bits *args, const uint8_t *memory, uint64_t bytes,
             struct oft_outcome *out_plain) {
    if (t->error[0])
        return false;
    if (!t->watch) {
        add_watching_import(t);
        for (uint32_t i = 0; i < t->cut->nkernels; i++)
            watch_region(t, t->cut->kernels[i], t->cut->kernels[i]->body->body);
    }
    struct oft_outcome a, b = {0};
    t->unfinished = false;
    if (!run_once(t, t->plain, func, args, memory, bytes, &a))
        return false;
    bool ok = true;
    if (a.trap.code != IR_TRAP_INTERRUPT) /* out of fuel: they would stop in different places */
        ok = run_once(t, t->cut, func, args, memory, bytes, &b) &&
             (t->unfinished || (oft_hooks && oft_hooks->fp) || compare(t, &a, &b));
    free(b.memory);
    if (out_plain)
        *out_plain = a;
    else
        free(a.memory);
    return ok && !t->error[0];
}

/* ---- text ---- */

static void print_slot(struct strbuf *out, const char *name, uint32_t slot) {
    if (slot != OFF_NO_SLOT)
        strbuf_printf(out, " %s=s%u", name, slot);
}

static const char *const rel_name[] = {"const", "!=", "<s", "<u", "<=s", "<=u", ">s", ">u", ">=s", ">=u", "range"};

static void print_dim(struct strbuf *out, uint32_t index, const struct off_dim *d) {
    strbuf_printf(out, ";   dim %u", index);
    if (d->axis >= 0)
        strbuf_printf(out, " axis=%c", "xyz"[d->axis]);
    if (d->parent >= 0)
        strbuf_printf(out, " in %d", d->parent);
    if (d->unbounded)
        strbuf_add(out, " unbounded");
    else
        strbuf_printf(out, " %s", rel_name[d->rel]);
    if (d->rel == OFF_TRIP_CONST || d->rel == OFF_TRIP_RANGE)
        strbuf_printf(out, " %" PRIu64, d->unbounded ? 0 : d->constant);
    else
        strbuf_printf(out, " i%u%s", d->bits, d->top_tested ? " top" : "");
    print_slot(out, "init", d->init_slot);
    print_slot(out, "step", d->step_slot);
    print_slot(out, "bound", d->bound_slot);
    print_slot(out, "when", d->when_slot);
    if (d->varying)
        strbuf_printf(out, " varying r%u to r%u", d->init_range, d->bound_range);
    if (d->entered)
        strbuf_printf(out, " entered=%u", d->entered);
    strbuf_printf(out, " ops=%u\n", d->ops);
}

static const char *const range_name[] = {"const", "affine", "min_s", "max_s", "min_u", "max_u",  "lt_s",
                                         "le_s",  "gt_s",   "ge_s",  "union", "shift", "shift_u"};

static void print_strides(struct strbuf *out, const uint32_t *strides) {
    for (uint32_t d = 0; d < OFF_MAX_DIMS; d++)
        if (strides[d] != OFF_NO_SLOT)
            strbuf_printf(out, " + d%u*s%u", d, strides[d]);
}

static void print_rule(struct strbuf *out, unsigned rule) {
    static const char *const zeros[] = {"-0 < 0", "first zero", "last zero"};
    static const char *const nans[] = {"loses", "wins", "stays"};
    strbuf_printf(out, " (%s, %s, NaN %s%s%s)", rule & OFF_EXTREME_MAX ? "greatest" : "least",
                  zeros[(rule & OFF_EXTREME_ZEROS) / OFF_EXTREME_ZERO_FIRST],
                  nans[(rule & OFF_EXTREME_NANS) / OFF_EXTREME_NAN_WINS],
                  rule & OFF_EXTREME_NAN_LAST ? " to the last" : "",
                  rule & OFF_EXTREME_NEEDS_NUMBER ? ", starts from a number" : "");
}

static void print_reduce(struct strbuf *out, uint32_t index, const struct off_reduce *r) {
    static const char *const kinds[] = {"op", "flag", "pick", "keep", "payload", "last"};
    static const char *const ops[] = {"add", "mul", "and",  "or",   "xor",  "min",  "max",   "lt",    "le",
                                      "gt",  "ge",  "lt_u", "le_u", "gt_u", "ge_u", "min_u", "max_u", "extreme"};
    strbuf_printf(out, ";   reduction %u %s", index, kinds[r->kind]);
    if (r->kind == OFF_REDUCE_OP || r->kind == OFF_REDUCE_PICK || r->kind == OFF_REDUCE_KEEP)
        strbuf_printf(out, " %s", ops[r->op]);
    strbuf_printf(out, " %s", ir_type_name[r->type]);
    if (r->lane_bytes)
        strbuf_printf(out, " in %u lanes%s", 8u / r->lane_bytes, r->upper ? ", upper half" : "");
    print_slot(out, "init", r->init_slot);
    if (r->op == OFF_REDUCE_EXTREME)
        print_rule(out, r->rule);
    if (r->lead != OFF_NO_REDUCE)
        strbuf_printf(out, " with %u", r->lead);
    if (r->flag != OFF_NO_REDUCE)
        strbuf_printf(out, " flag %u", r->flag);
    strbuf_add(out, "\n");
}

static void print_kernel(struct strbuf *out, const struct off_kernel *k) {
    strbuf_printf(out, "; kernel %u \"%s\" grid=%u slots=%u\n", k->id, k->name, k->ngrid, k->nslots);
    for (uint32_t d = 0; d < k->ndims; d++)
        print_dim(out, d, &k->dims[d]);
    for (uint32_t i = 0; i < k->nreduces; i++)
        print_reduce(out, i, &k->reduces[i]);
    for (uint32_t i = 0; i < k->nranges; i++) {
        const struct off_range *r = &k->ranges[i];
        strbuf_printf(out, ";   range %u %s", i, range_name[r->op]);
        if (r->op == OFF_RANGE_CONST)
            strbuf_printf(out, " %d..%d", r->lo, r->hi);
        else if (r->op == OFF_RANGE_AFFINE)
            strbuf_printf(out, " s%u", r->base_slot);
        else if (r->op == OFF_RANGE_SHIFT || r->op == OFF_RANGE_SHIFT_U)
            strbuf_printf(out, " %u by %d", r->a, r->lo);
        else
            strbuf_printf(out, " %u %u", r->a, r->b);
        print_strides(out, r->stride_slot);
        strbuf_add(out, "\n");
    }
    for (uint32_t i = 0; i < k->naccesses; i++) {
        const struct off_access *a = &k->accesses[i];
        strbuf_printf(out, ";   %s %u", a->write ? "store" : "load", a->bytes);
        if (a->align != (a->bytes < 4 ? a->bytes : 4))
            strbuf_printf(out, " align=%u", a->align);
        strbuf_printf(out, " stream=%u s%u", a->stream, a->base_slot);
        print_strides(out, a->stride_slot);
        if (a->offset)
            strbuf_printf(out, " + %" PRIu64, a->offset);
        print_slot(out, "when", a->when_slot);
        if (a->copy)
            strbuf_printf(out, " copy=d%u", a->copy - 1u);
        strbuf_add(out, "\n");
    }
    static const char *const kind_name[] = {"range", "memory", "status", "partials", "private"};
    for (uint32_t s = 0; s < k->nstreams; s++)
        if (k->streams[s].kind || k->streams[s].reread)
            strbuf_printf(out, ";   stream %u %s%s\n", s, kind_name[k->streams[s].kind],
                          k->streams[s].reread ? " reread" : "");
    static const char *const source_name[] = {
        "s",           "last byte",     "alignment", "first written ", "last written ", "worker first",
        "worker step", "worker rounds", "trip",      "last iteration "};
    for (uint32_t i = 0; i < k->nscalars; i++) {
        const struct off_scalar *s = &k->scalars[i];
        strbuf_printf(out, ";   scalar %s %s", ir_type_name[s->type], source_name[s->source]);
        bool numbered = s->source == OFF_SCALAR_SLOT || s->source == OFF_SCALAR_WRITTEN_FIRST ||
                        s->source == OFF_SCALAR_WRITTEN_LAST || s->source == OFF_SCALAR_LAST_ITERATION;
        strbuf_printf(out, numbered ? "%u\n" : "\n", s->slot);
    }
    for (uint32_t i = 0; i < k->nconditions; i++)
        strbuf_printf(out, ";   condition s%u\n", k->condition_slots[i]);
    ir_print_func(out, k->body);
}

void oft_print(const struct oft *t, struct strbuf *out) {
    for (uint32_t i = 0; i < t->report.nloops; i++) {
        const struct off_loop_report *r = &t->report.loops[i];
        strbuf_printf(out, "; loop func=%u +0x%x depth=%u: %s", r->func, r->wasm_offset, r->depth,
                      off_reject_name(r->verdict));
        if (r->kernel >= 0)
            strbuf_printf(out, " kernel=%d", r->kernel);
        if (r->part_kernel >= 0)
            strbuf_printf(out, " own=%d", r->part_kernel);
        if (r->at != IR_NO_OFFSET)
            strbuf_printf(out, " at +0x%x", r->at);
        strbuf_printf(out, "%s%s\n", r->detail ? ": " : "", r->detail ? r->detail : "");
    }
    ir_print_module(out, t->cut);
    for (uint32_t i = 0; i < t->cut->nkernels; i++)
        print_kernel(out, t->cut->kernels[i]);
}
