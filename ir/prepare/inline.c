/* Inlining into loop nests.
 *
 * A call keeps a nest from becoming a kernel; a copy of the callee does not:
 *
 *     loop L (%i) {                    loop L (%i) {
 *       %v = f32.load %p                 %v = f32.load %p
 *       %w = call 58 (%v)                %w = block B {
 *       f32.store %p, %w        =>         ... body of 58, `return %x` as `br B(%x)` ...
 *       ...                              }
 *                                        f32.store %p, %w
 *
 * This is no general inliner: LLVM has one for host code, and copies that give no kernel only make the program longer.
 * Copies and fills of memory become loops (bulk.h).  So it works on a copy of the function: all calls in loops that
 * hold nothing but inlinable calls are expanded, the copy is simplified, and the planner is asked which loops it would
 * take now.  Only calls inside those are expanded for good; when there are none, the function stays as it was.  What is
 * expanded keeps its wasm offsets.
 */
#include <string.h>

#include "ir/analysis/global_flow.h"
#include "ir/ir_build.h"
#include "ir/offload/plan.h"
#include "ir/offload/twofold.h"
#include "ir/prepare/bulk.h"
#include "ir/prepare/direct.h"
#include "ir/prepare/foregone.h"
#include "ir/prepare/prepare.h"

enum {
    MAX_CALLEE_INSTS = 4000, /* musl's powf has about 300, its tgamma 700 */
    MAX_NEST_INSTS = 12000,  /* inlined in one nest, */
    MAX_FUNC_INSTS = 48000,  /* and in one function */
    LARGE_CALLEE = 500,      /* musl's __rem_pio2_large has about 1000, its __rem_pio2 250 */
    MAX_CALL_DEPTH = 12,
};

/* A loop of the function as it was, by the wasm offset of the loop. */
struct site {
    uint32_t wasm_offset;
    bool calls; /* holds a call that can be inlined */
    bool clean; /* and others only behind conditions */
};

/* A loop whose calls are expanded, by its wasm offset. */
struct choice {
    uint32_t wasm_offset;
    uint16_t stays; /* calls behind a condition stay if what they call does all of this: a kernel goes without them, */
    uint32_t least; /* and has so many instructions */
};

/* What stays of what seldom happens: loops of large functions that write memory, such as the reduction of huge angles;
 * of all such functions; whatever writes memory. */
struct way {
    uint16_t stays;
    uint32_t least;
};
static const struct way ways[] = {
    {0, 0}, {EFFECT_WRITES | EFFECT_LOOPS, LARGE_CALLEE}, {EFFECT_WRITES | EFFECT_LOOPS, 0}, {EFFECT_WRITES, 0}};

struct inliner {
    struct ir_module *module;
    const struct prepare_facts *facts;
    struct arena *scratch;
    const struct choice *chosen;
    uint32_t nchosen;
    uint32_t budget;            /* instructions that may still be added */
    uint32_t nest;              /* of these, to the chosen loop around */
    const struct ir_inst *loop; /* the chosen loop around, or NULL */
};

static bool can_inline(const struct effects *e, uint32_t callee) {
    const struct func_effects *f = &e->funcs[callee];
    /* A stack frame (a global that is written) is worth it only where nothing inside certainly stops a kernel. */
    return f->has_body && f->insts <= MAX_CALLEE_INSTS && !(f->flags & EFFECT_RECURSIVE) &&
           !(f->own & (EFFECT_RESIZES | EFFECT_TABLES)) && !((f->own & EFFECT_GWRITES) && (f->flags & EFFECT_UNKNOWN));
}

/* What a callee throws would leave the caller too: not where the caller looks whether it does. */
static bool can_expand(const struct effects *e, const struct ir_inst *i) {
    return i->op == IR_CALL && !(i->next && i->next->op == IR_THROWN) && can_inline(e, i->index);
}

/* A function that might be meant by a call through a table: one that does nothing but compute. */
static bool may_be_meant(void *user, uint32_t func) {
    const struct effects *e = user;
    return can_inline(e, func) && !(e->funcs[func].flags & (EFFECT_UNKNOWN | EFFECT_RESIZES | EFFECT_TABLES));
}

static bool find_targets(const struct prepare_facts *facts, const struct ir_inst *i, struct direct *out) {
    return direct_targets(facts->tables, i, may_be_meant, facts->effects, out);
}

static void scan_calls(const struct prepare_facts *facts, const struct ir_region *r, struct site *s, bool conditional) {
    struct direct targets;
    ir_foreach_inst (i, r) {
        conditional |= i->op == IR_BR_IF;
        if (can_expand(facts->effects, i) || bulk_kind_of(facts->bulk, i) || find_targets(facts, i, &targets))
            s->calls = true;
        else if (ir_has_flag(i, IR_FLAG_CALLS))
            s->clean &= conditional; /* a kernel can do without what seldom happens */
        ir_foreach_region (inner, i)
            scan_calls(facts, inner, s, conditional || i->op == IR_IF);
    }
}

static const struct site *find_site(const struct site *sites, uint32_t n, uint32_t wasm_offset) {
    for (uint32_t k = 0; k < n; k++)
        if (sites[k].wasm_offset == wasm_offset)
            return &sites[k];
    return NULL;
}

/* ---- expansion ---- */

static void redirect_returns(struct ir_region *r, struct ir_inst *block) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_RETURN) {
            i->op = r->parent == block ? IR_YIELD : IR_BR;
            i->target = r->parent == block ? NULL : block;
            i->ntargets = i->target != NULL;
        }
        ir_foreach_region (inner, i)
            redirect_returns(inner, block);
    }
}

/* Puts a block with the callee's body in the place of the call; uses of the call's results are left to forward. */
static struct ir_inst *expand(struct inliner *x, struct ir_inst *call) {
    const struct ir_func *callee = x->module->funcs[call->index].func;
    struct ir_builder b = ir_builder_before(call);
    struct ir_inst *block = ir_build_block(&b, callee->sig.results, callee->sig.nresults);
    struct ir_builder in = ir_builder_at_end(block->regions[0]);
    struct arena_mark mark = arena_mark(x->scratch);
    struct ir_map *map = ir_map_new(x->scratch);
    for (uint32_t k = 0; k < callee->sig.nparams; k++)
        ir_map_set(map, callee->body->params[k], call->operands[k]);
    ir_foreach_inst (i, callee->body)
        ir_clone_inst(&in, i, map);
    arena_reset(x->scratch, mark);
    redirect_returns(block->regions[0], block);
    for (uint32_t k = 0; k < call->nresults; k++)
        call->results[k].fwd = &block->results[k];
    ir_inst_remove(call);
    return block;
}

static const struct choice *find_choice(const struct inliner *x, const struct ir_inst *loop) {
    for (uint32_t k = 0; k < x->nchosen; k++)
        if (loop->wasm_offset == x->chosen[k].wasm_offset)
            return &x->chosen[k];
    return NULL;
}

static bool should_expand(const struct inliner *x, const struct choice *in, const struct ir_inst *call,
                          bool conditional) {
    const struct func_effects *callee = &x->facts->effects->funcs[call->index];
    bool stays = in->stays && callee->insts >= in->least &&
                 (callee->own & in->stays & EFFECT_LOOPS) == (in->stays & EFFECT_LOOPS) &&
                 (callee->flags & EFFECT_WRITES);
    return callee->insts <= x->budget && callee->insts <= x->nest && !(conditional && stays);
}

/* Whether the value is computed in the loop: a condition that is not holds in all iterations or in none, and says
 * nothing about what happens seldom. */
static bool is_inside(const struct ir_inst *loop, const struct ir_value *v) {
    v = ir_resolve((struct ir_value *)v);
    for (const struct ir_region *r = v->def ? v->def->parent : v->region; r; r = r->parent ? r->parent->parent : NULL)
        if (r->parent == loop)
            return true;
    return false;
}

static void expand_region(struct inliner *x, struct ir_region *r, const struct choice *in, unsigned depth,
                          bool conditional);

/* The direct calls in front of a call through a table, which itself stays. */
static void expand_targets(struct inliner *x, struct ir_inst *choice, const struct choice *in, unsigned depth) {
    while (choice) {
        expand_region(x, choice->regions[0], in, depth, true);
        choice = choice->regions[1]->first;
        while (choice && choice->op != IR_IF)
            choice = choice->next;
    }
}

/* `in`: the chosen loop around, or NULL.  `conditional`: an iteration may do without the region. */
static void expand_region(struct inliner *x, struct ir_region *r, const struct choice *in, unsigned depth,
                          bool conditional) {
    ir_foreach_inst_safe (i, r) {
        enum bulk_kind kind = in && !(in->stays && conditional) ? bulk_kind_of(x->facts->bulk, i) : BULK_NONE;
        if (kind) {
            bulk_expand(i, kind);
            continue;
        }
        struct direct targets;
        if (in && find_targets(x->facts, i, &targets)) {
            expand_targets(x, direct_expand(i, &targets), in, depth);
            continue;
        }
        if (in && depth < MAX_CALL_DEPTH && can_expand(x->facts->effects, i) && should_expand(x, in, i, conditional)) {
            x->budget -= x->facts->effects->funcs[i->index].insts;
            x->nest -= x->facts->effects->funcs[i->index].insts;
            expand_region(x, expand(x, i)->regions[0], in, depth + 1, conditional);
            continue;
        }
        bool decides = (i->op == IR_BR_IF || i->op == IR_IF) && x->loop && is_inside(x->loop, i->operands[0]);
        const struct ir_inst *around = x->loop;
        const struct choice *inside = in;
        if (!in && i->op == IR_LOOP) {
            inside = find_choice(x, i);
            x->loop = inside ? i : NULL;
            x->nest = MAX_NEST_INSTS;
        }
        conditional |= decides && i->op == IR_BR_IF;
        /* Inside a loop it counts what its iterations do without. */
        bool anew = i->op == IR_LOOP && (!in || (in->stays & EFFECT_LOOPS));
        ir_foreach_region (inner, i)
            expand_region(x, inner, inside, depth, !anew && (conditional || decides));
        x->loop = around;
    }
}

/* ---- copies of functions ---- */

static struct ir_func *copy_func(const struct ir_func *f, struct arena *scratch) {
    struct ir_func *copy = ir_func_new(f->module, f->name, &f->sig);
    struct ir_map *map = ir_map_new(scratch);
    for (uint32_t k = 0; k < f->sig.nparams; k++)
        ir_map_set(map, f->body->params[k], copy->body->params[k]);
    struct ir_builder b = ir_builder_at_end(copy->body);
    ir_foreach_inst (i, f->body)
        ir_clone_inst(&b, i, map);
    copy->index = f->index;
    copy->type = f->type;
    return copy;
}

static void set_func(struct ir_region *r, struct ir_func *f) {
    r->func = f;
    ir_foreach_inst (i, r)
        ir_foreach_region (inner, i)
            set_func(inner, f);
}

/* `f` takes the body of `copy`, which is empty then. */
static void take_body(struct ir_func *f, struct ir_func *copy) {
    arena_free(&f->arena);
    f->arena = copy->arena;
    f->body = copy->body;
    f->next_id = copy->next_id;
    copy->arena = (struct arena){0};
    copy->body = NULL;
    set_func(f->body, f);
}

static struct ir_func *expanded_copy(struct ir_func *f, const struct prepare_facts *facts, struct pass_ctx *passes,
                                     const struct choice *chosen, uint32_t nchosen) {
    struct arena scratch = {0};
    struct inliner x = {.module = f->module,
                        .facts = facts,
                        .scratch = &scratch,
                        .chosen = chosen,
                        .nchosen = nchosen,
                        .budget = MAX_FUNC_INSTS};
    struct ir_func *copy = copy_func(f, &scratch);
    expand_region(&x, copy->body, NULL, 0, false);
    ir_resolve_operands(copy->body);
    arena_free(&scratch);
    opt_simplify(copy, passes);
    bool forwarded = false;
    for (uint32_t g = 0; g < f->module->nglobals && g < 64; g++)
        if (f->module->globals[g].mutable_ && f->module->globals[g].type == IR_I32)
            forwarded |= global_flow_forward(copy, facts->effects, g);
    if (forwarded)
        opt_simplify(copy, passes);
    foregone_mark(copy);
    return copy;
}

/* ---- which loops gain ---- */

struct trial {
    struct arena *scratch;
    const struct site *sites;
    uint32_t nsites;
    struct choice *planned; /* loops that hold calls and can be planned without them */
    uint32_t nplanned;
    struct ir_func *func;
    struct prepare_notes *notes; /* NULL: of no interest */
    struct way way;
};

static void note_reason(struct trial *t, const struct site *s, const struct plan *p) {
    *arena_push(&t->func->module->arena, t->notes->verdicts, t->notes->n, t->notes->cap) = (struct prepare_verdict){
        .func = t->func->index, .wasm_offset = s->wasm_offset, .reject = p->reject, .at = p->at, .detail = p->detail};
}

static void try_loop(struct trial *t, struct loop *l) {
    const struct site *s = find_site(t->sites, t->nsites, l->inst->wasm_offset);
    if (!s || !s->calls)
        return; /* as before */
    if (s->clean) {
        struct arena_mark mark = arena_mark(t->scratch);
        struct plan *p = arena_new(t->scratch, struct plan);
        bool ok = plan_nest(p, t->scratch, &t->func->module->arena, l);
        plan_end(p);
        if (!ok && t->notes)
            note_reason(t, s, p);
        arena_reset(t->scratch, mark);
        if (ok) {
            t->planned[t->nplanned++] = (struct choice){s->wasm_offset, t->way.stays, t->way.least};
            return;
        }
    }
    for (struct loop *c = l->first_child; c; c = c->next)
        if (!twofold_around(c->inst))
            try_loop(t, c);
}

/* The outermost loops that might do with what can be inlined. */
static uint32_t choose_loops(const struct site *sites, const struct loop *first, struct choice *out) {
    uint32_t n = 0;
    for (const struct loop *l = first; l; l = l->next) {
        const struct site *s = &sites[l->index];
        if (s->calls && s->clean && s->wasm_offset != IR_NO_OFFSET)
            out[n++] = (struct choice){.wasm_offset = s->wasm_offset};
        else if (s->calls)
            n += choose_loops(sites, l->first_child, out + n);
    }
    return n;
}

static void try_loops(struct trial *t, struct ir_func *copy) {
    for (struct loop *l = loop_tree_build(t->scratch, copy)->first; l; l = l->next)
        try_loop(t, l);
}

static bool is_among(const struct choice *list, uint32_t n, uint32_t wasm_offset) {
    for (uint32_t k = 0; k < n; k++)
        if (list[k].wasm_offset == wasm_offset)
            return true;
    return false;
}

bool prepare_inline_calls(struct ir_func *f, const struct prepare_facts *facts, struct pass_ctx *passes,
                          struct prepare_notes *notes) {
    struct arena scratch = {0};
    struct ir_func *copy = NULL;
    struct loop_tree *tree = loop_tree_build(&scratch, f);
    struct site *sites = arena_array(&scratch, struct site, tree->nloops + 1);
    for (uint32_t k = 0; k < tree->nloops; k++) {
        sites[k] = (struct site){.wasm_offset = tree->loops[k].inst->wasm_offset, .clean = true};
        scan_calls(facts, tree->loops[k].inst->regions[0], &sites[k], false);
    }
    struct choice *chosen = arena_array(&scratch, struct choice, tree->nloops + 1);
    uint32_t nchosen = choose_loops(sites, tree->first, chosen);
    struct trial t = {.scratch = &scratch, .sites = sites, .nsites = tree->nloops, .func = f, .notes = notes};
    uint32_t nways = sizeof ways / sizeof *ways;
    t.planned = arena_array(&scratch, struct choice, nways * tree->nloops + 1);
    /* First everything is expanded; then, for the loops that did not do with it, all but what seldom happens. */
    bool as_chosen = false;
    for (unsigned k = 0; k < nways && nchosen; k++) {
        uint32_t before = t.nplanned, nleft = 0;
        for (uint32_t c = 0; c < nchosen; c++)
            chosen[c] = (struct choice){chosen[c].wasm_offset, ways[k].stays, ways[k].least};
        ir_func_free(copy);
        copy = expanded_copy(f, facts, passes, chosen, nchosen);
        t.way = ways[k];
        try_loops(&t, copy);
        t.notes = NULL;
        as_chosen = before == 0 && t.nplanned == nchosen;
        for (uint32_t c = 0; c < nchosen; c++) {
            as_chosen &= is_among(t.planned, t.nplanned, chosen[c].wasm_offset);
            if (!is_among(t.planned, t.nplanned, chosen[c].wasm_offset))
                chosen[nleft++] = chosen[c];
        }
        nchosen = nleft;
    }
    if (!as_chosen) {
        ir_func_free(copy);
        copy = t.nplanned ? expanded_copy(f, facts, passes, t.planned, t.nplanned) : NULL;
    }
    if (copy)
        take_body(f, copy);
    arena_free(&scratch);
    return copy != NULL;
}
