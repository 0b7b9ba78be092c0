/* Walks every function's loops from the outside in: a loop that can be planned gets a kernel, with all loops inside it;
 * one that cannot gets its reason, and the loops inside it their own try.  See offload.h.
 *
 * Outermost first, because one launch over a whole nest beats many over its parts.
 */
#include "ir/offload/offload.h"

#include "ir/offload/outline.h"
#include "ir/offload/plan.h"
#include "ir/opt/pass.h"

static const struct {
    const char *name, *meaning, *hint;
} rejects[] = {
#define REJECT(id, name, meaning, hint) {name, meaning, hint},
#include "ir/offload/reject.def"
};

const char *off_reject_name(enum off_reject r) {
    return rejects[r].name;
}
const char *off_reject_meaning(enum off_reject r) {
    return rejects[r].meaning;
}
const char *off_reject_hint(enum off_reject r) {
    return rejects[r].hint;
}

uint32_t off_param_words(const struct off_kernel *k) {
    uint32_t words = OFF_PARAM_STREAMS + k->nstreams;
    for (uint32_t i = 0; i < k->nscalars; i++)
        words += k->scalars[i].type == IR_I64 || k->scalars[i].type == IR_F64 ? 2 : 1;
    return words;
}

struct offloader {
    struct ir_module *module;
    const struct off_options *options;
    struct off_report *report;
    struct ir_func *func;
    uint32_t first; /* report entry of the function's first loop */
    struct pass_ctx passes;
};

static void cover_children(struct offloader *o, const struct loop *l, int32_t kernel) {
    for (const struct loop *c = l->first_child; c; c = c->next) {
        struct off_loop_report *r = &o->report->loops[o->first + c->index];
        r->verdict = OFF_REJECT_PART_OF_KERNEL;
        r->kernel = kernel;
        cover_children(o, c, kernel);
    }
}

static void offload_loop(struct offloader *o, struct arena *scratch, struct loop *l) {
    struct off_loop_report *r = &o->report->loops[o->first + l->index];
    struct arena_mark mark = arena_mark(scratch);
    struct plan *p = arena_new(scratch, struct plan);
    struct off_kernel *k = NULL;
    if (plan_nest(p, scratch, &o->module->arena, l)) {
        k = outline_kernel(o->module, p, &o->passes);
        if (k)
            outline_launch(p, k);
        else
            p->reject = OFF_REJECT_TOO_COMPLEX;
    }
    plan_end(p);
    r->verdict = p->reject;
    r->at = k ? IR_NO_OFFSET : p->at;
    r->detail = k ? NULL : p->detail;
    arena_reset(scratch, mark);
    if (k) {
        r->kernel = (int32_t)k->id;
        cover_children(o, l, r->kernel);
        return;
    }
    for (struct loop *c = l->first_child; c; c = c->next)
        offload_loop(o, scratch, c);
}

static void offload_func(struct offloader *o) {
    struct arena scratch = {0};
    struct loop_tree *tree = loop_tree_build(&scratch, o->func);
    o->first = o->report->nloops;
    for (uint32_t i = 0; i < tree->nloops; i++)
        *arena_push(&o->module->arena, o->report->loops, o->report->nloops, o->report->cap) =
            (struct off_loop_report){.func = o->func->index,
                                     .wasm_offset = tree->loops[i].inst->wasm_offset,
                                     .depth = tree->loops[i].depth,
                                     .verdict = OFF_REJECT_DISABLED,
                                     .at = IR_NO_OFFSET,
                                     .kernel = -1};
    uint32_t kernels = o->module->nkernels;
    if (o->options->enabled)
        for (struct loop *l = tree->first; l; l = l->next)
            offload_loop(o, &scratch, l);
    if (o->module->nkernels != kernels)
        outline_finish(o->func);
    arena_free(&scratch);
}

void offload_module(struct ir_module *m, const struct off_options *options, struct off_report *out_report) {
    *out_report = (struct off_report){0};
    struct offloader o = {.module = m, .options = options, .report = out_report, .passes = {.module = m}};
    o.passes.verify = options->verify;
    for (uint32_t i = m->nfunc_imports; i < m->nfuncs; i++) {
        o.func = m->funcs[i].func;
        if (o.func->body)
            offload_func(&o);
    }
    arena_free(&o.passes.scratch);
}
