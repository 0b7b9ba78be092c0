/* Walks every function's loops from the outside in: a loop that can be planned gets a kernel, with all loops inside it;
 * one that cannot gets its reason, and the loops inside it their own try.  See offload.h.
 *
 * Outermost first, because one launch over a whole nest beats many over its parts.  Where the guard refuses the whole,
 * some loop inside may still be free of conflicts, so the loops of the copy that then runs get kernels too:
 *
 *     %ok, %t0, ... = launch 0(...)
 *     if %ok { ... } else {
 *       loop ... {
 *         %ok1, ... = if %t0 != 0 { launch 1(...) } else { 0, ... }     %t0: the refusal leaves hope for a part
 *         if %ok1 { ... } else { loop ... }
 *       }
 *     }
 */
#include "ir/offload/offload.h"

#include "ir/offload/declare.h"
#include "ir/offload/outline.h"
#include "ir/offload/plan.h"
#include "ir/offload/reroll.h"
#include "ir/offload/trap_loops.h"
#include "ir/offload/trap_tails.h"
#include "ir/offload/twofold.h"
#include "ir/opt/pass.h"
#include "ir/prepare/prepare.h"

enum { MAX_PART_INSTS = 600 }; /* of a nest whose loops get kernels beside its own: bounds the code */

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

const char *off_loop_hint(const struct off_loop_report *r) {
    return r->hint ? r->hint : off_reject_hint(r->verdict);
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
    struct prepare_notes notes;
};

static void cover_children(struct offloader *o, const struct loop *l, int32_t kernel) {
    for (const struct loop *c = l->first_child; c; c = c->next) {
        struct off_loop_report *r = &o->report->loops[o->first + c->index];
        r->verdict = OFF_REJECT_PART_OF_KERNEL;
        r->kernel = kernel;
        cover_children(o, c, kernel);
    }
}

static void offload_parts(struct offloader *o, struct arena *scratch, struct loop *l, struct ir_value *hint);

/* Plans `l`, which stands in the part that runs when the guard of the kernel around it has said no and `hint` is
 * nonzero: it gets a kernel of its own there.  Its entry in the report stays that of a part of the outer kernel. */
static void offload_part(struct offloader *o, struct arena *scratch, struct loop *l, struct ir_value *hint) {
    struct arena_mark mark = arena_mark(scratch);
    struct plan *p = arena_new(scratch, struct plan);
    struct off_kernel *k = NULL;
    if (plan_nest(p, scratch, &o->module->arena, l) && !plan_is_short(p))
        k = outline_kernel(o->module, p, &o->passes);
    if (k)
        hint = outline_launch(p, k, hint);
    plan_end(p);
    arena_reset(scratch, mark);
    if (k)
        o->report->loops[o->first + l->index].part_kernel = (int32_t)k->id;
    offload_parts(o, scratch, l, hint);
}

static void offload_parts(struct offloader *o, struct arena *scratch, struct loop *l, struct ir_value *hint) {
    for (struct loop *c = l->first_child; c; c = c->next)
        if (!twofold_around(c->inst))
            offload_part(o, scratch, c, hint);
}

/* ---- nests with unrolled loops ---- */

/* The part that was rolled is one kernel now; `l` is its first loop. */
static void cover_part(struct offloader *o, const struct loop *l, const struct reroll *part, int32_t kernel) {
    for (uint32_t i = o->first + l->index; i < o->report->nloops; i++) {
        struct off_loop_report *r = &o->report->loops[i];
        bool merged = false;
        for (uint32_t k = 0; k < part->nmerged; k++)
            merged |= r->depth == l->depth && part->merged[k] == r->wasm_offset;
        for (uint32_t k = 0; k < part->nrolled; k++)
            merged |= r->depth == l->depth && part->rolled[k] == r->wasm_offset;
        if (i != o->first + l->index && !merged)
            continue;
        r->verdict = i == o->first + l->index ? OFF_REJECT_NONE : OFF_REJECT_PART_OF_KERNEL;
        r->at = IR_NO_OFFSET;
        r->detail = r->hint = NULL;
        r->kernel = kernel;
    }
    cover_children(o, l, kernel);
}

/* Rolled loops that are dimensions of the grid: what rolling was for. */
static uint32_t find_gains(const struct plan *p, const struct reroll *part, uint32_t *out) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->nchain && n < REROLL_MAX_LOOPS; k++)
        if (reroll_has(part, p->chain[k]->inst->wasm_offset))
            out[n++] = p->chain[k]->inst->wasm_offset;
    return n;
}

/* Plans that lean on the order of elements do not go with rolling, which lets it be: combined values, and bytes that
 * every element writes anew. */
static bool is_rolled_plan(const struct plan *p) {
    return !p->splits && !p->nreduces && !p->nprivates;
}

/* The loop the function consists of; NULL: none that a launch can stand for. */
static struct loop *only_root(struct arena *scratch, struct ir_func *f) {
    struct loop *l = loop_tree_build(scratch, f)->first;
    return l && !l->next && l->shape == LOOP_BOTTOM_YIELD && !l->exit_label ? l : NULL;
}

/* Plans the part with its loops rolled.  True: it has a kernel, and the launch stands in front of the part. */
static bool offload_rolled(struct offloader *o, struct arena *scratch, struct loop *l) {
    uint32_t gains[REROLL_MAX_LOOPS], ngains = 0;
    struct off_kernel *k = NULL;
    for (unsigned attempt = 0; attempt < 2 && !k; attempt++) {
        struct reroll part;
        if (!reroll_extract(&part, scratch, &o->passes, l, attempt ? gains : NULL, ngains))
            return false;
        opt_simplify(part.func, &o->passes);
        struct loop *root = only_root(scratch, part.func);
        struct plan *p = arena_new(scratch, struct plan);
        bool ok = root && plan_nest(p, scratch, &o->module->arena, root) && is_rolled_plan(p);
        ngains = ok ? find_gains(p, &part, gains) : 0;
        if (ngains && (attempt || ngains == part.nrolled))
            k = outline_kernel(o->module, p, &o->passes);
        struct ir_value *hint = k ? outline_launch(p, k, NULL) : NULL;
        if (root)
            plan_end(p);
        if (k) {
            k->rolled = true;
            outline_finish(part.func);
            hint = reroll_splice(&part, scratch, root->inst, hint);
            cover_part(o, l, &part, (int32_t)k->id);
            if (l->first_child)
                offload_part(o, scratch, l, hint);
        }
        reroll_free(&part);
        if (!ngains)
            return false;
    }
    return k != NULL;
}

static void offload_loop(struct offloader *o, struct arena *scratch, struct loop *l) {
    struct off_loop_report *r = &o->report->loops[o->first + l->index];
    if (r->verdict == OFF_REJECT_PART_OF_KERNEL)
        return; /* of the loop before it */
    struct arena_mark before = arena_mark(scratch);
    bool rolled = offload_rolled(o, scratch, l);
    arena_reset(scratch, before);
    if (rolled)
        return;
    struct ir_value *hint = NULL;
    uint32_t insts = l->first_child ? ir_count_insts(l->inst->regions[0]) : 0; /* before the launch changes anything */
    struct arena_mark mark = arena_mark(scratch);
    struct plan *p = arena_new(scratch, struct plan);
    struct off_kernel *k = NULL;
    if (plan_nest(p, scratch, &o->module->arena, l)) {
        k = outline_kernel(o->module, p, &o->passes);
        if (k)
            hint = outline_launch(p, k, NULL);
        else
            p->reject = OFF_REJECT_TOO_COMPLEX;
    }
    plan_end(p);
    r->verdict = p->reject;
    r->at = k ? IR_NO_OFFSET : p->at;
    r->detail = k ? NULL : p->detail;
    r->hint = k ? NULL : p->hint;
    arena_reset(scratch, mark);
    const struct prepare_verdict *note =
        r->verdict == OFF_REJECT_CALL ? prepare_find_note(&o->notes, o->func->index, r->wasm_offset) : NULL;
    if (note) {
        r->verdict = note->reject;
        r->at = note->at;
        r->detail = note->detail;
        r->hint = NULL;
    }
    if (k) {
        r->kernel = (int32_t)k->id;
        cover_children(o, l, r->kernel);
        if (insts <= MAX_PART_INSTS)
            offload_parts(o, scratch, l, hint);
        return;
    }
    for (struct loop *c = l->first_child; c; c = c->next)
        if (!twofold_around(c->inst))
            offload_loop(o, scratch, c);
}

static uint32_t count_own(const struct ir_region *r) {
    uint32_t n = 0;
    ir_foreach_inst (i, r) {
        n += !ir_is_const(i) && i->op != IR_YIELD;
        if (i->op != IR_LOOP)
            ir_foreach_region (inner, i)
                n += count_own(inner);
    }
    return n;
}

static void offload_func(struct offloader *o) {
    struct arena scratch = {0};
    struct loop_tree *tree = loop_tree_build(&scratch, o->func);
    o->first = o->report->nloops;
    for (uint32_t i = 0; i < tree->nloops; i++)
        *arena_push(&o->module->arena, o->report->loops, o->report->nloops, o->report->cap) = (struct off_loop_report){
            .func = o->func->index,
            .wasm_offset = tree->loops[i].inst->wasm_offset,
            .back_offset = tree->loops[i].nback_edges == 1 ? tree->loops[i].back->wasm_offset : IR_NO_OFFSET,
            .depth = tree->loops[i].depth,
            .verdict = OFF_REJECT_DISABLED,
            .at = IR_NO_OFFSET,
            .kernel = -1,
            .part_kernel = -1,
            .ops = count_own(tree->loops[i].inst->regions[0])};
    uint32_t kernels = o->module->nkernels;
    if (o->options->enabled)
        for (struct loop *l = tree->first; l; l = l->next)
            offload_loop(o, &scratch, l);
    if (o->module->nkernels != kernels)
        outline_finish(o->func);
    twofold_settle(o->func);
    arena_free(&scratch);
}

void offload_module(struct ir_module *m, const struct off_options *options, struct off_report *out_report) {
    *out_report = (struct off_report){0};
    struct offloader o = {.module = m, .options = options, .report = out_report, .passes = {.module = m}};
    o.passes.verify = options->verify;
    for (uint32_t i = m->nfunc_imports; options->enabled && i < m->nfuncs; i++)
        if (m->funcs[i].func->body) {
            trap_loops_turn(m->funcs[i].func);
            trap_tails_copy(m->funcs[i].func);
        }
    uint32_t marked = options->enabled ? declare_mark_loops(m) : 0;
    if (options->out_declared_loops)
        *options->out_declared_loops = marked;
    if (options->enabled)
        prepare_module(m, &o.passes, &o.notes);
    for (uint32_t i = m->nfunc_imports; i < m->nfuncs; i++) {
        o.func = m->funcs[i].func;
        if (o.func->body)
            offload_func(&o);
    }
    arena_free(&o.passes.scratch);
}
