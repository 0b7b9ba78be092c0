/* See global_flow.h.
 *
 * A state is a base value and an offset; no base: anything.  Reads give their result the state of that moment, so that
 * what is computed from it can be traced back through additions of constants.  Where a loop is entered with anything,
 * the loop itself stands for the value: a base that is equal to itself and to nothing else. */
#include "ir/analysis/global_flow.h"

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/util/ice.h"

enum { MAX_CALL_DEPTH = 100 };
enum { MAX_LOOP_DEPTH = 10 }; /* a loop that does not restore is walked twice, with all inside it */

struct state {
    const void *base; /* struct ir_value, or the struct ir_inst of a loop; NULL: anything */
    uint32_t offset;
    bool loop; /* base is a loop */
    bool dead; /* control does not come here */
};

struct frame { /* an enclosing block, if or loop */
    const struct ir_inst *inst;
    struct state taken, out; /* of branches to it; of yields */
    struct frame *up;
};

struct walk {
    uint32_t global;
    const struct effects *effects; /* NULL: calls do anything */
    struct state *reads;           /* by value id: what a read of the global gave */
    const struct ir_inst *root;    /* inside it, what stops a kernel ends the path; or NULL */
    bool inside_root, restored, reads_inside;
    struct frame *frames;
    unsigned depth, calls; /* loops and calls around */
    struct state returned; /* meet of all returns */
};

static const struct state dead = {.dead = true};

static bool equal(const struct state *a, const struct state *b) {
    return a->base && a->base == b->base && a->offset == b->offset;
}

static struct state meet(struct state a, struct state b) {
    if (a.dead || b.dead)
        return a.dead ? b : a;
    return equal(&a, &b) ? a : (struct state){0};
}

static struct state state_of(const struct walk *w, const struct ir_value *v) {
    uint32_t offset = 0;
    for (;;) {
        const struct ir_inst *d = v->def;
        const union ir_bits *c = d && (d->op == IR_I32_ADD || d->op == IR_I32_SUB) ? ir_const_of(d->operands[1]) : NULL;
        if (d && d->op == IR_GLOBAL_GET && d->index == w->global && w->reads[v->id].base) {
            struct state s = w->reads[v->id];
            s.offset += offset;
            return s;
        }
        if (!c)
            return (struct state){.base = v, .offset = offset};
        offset += d->op == IR_I32_ADD ? c->i32 : 0u - c->i32;
        v = d->operands[0];
    }
}

static bool keeps(const struct effects *e, const struct ir_module *m, uint32_t func, uint32_t g, unsigned calls);

static bool may_write(const struct walk *w, const struct ir_inst *i) {
    if (!ir_has_flag(i, IR_FLAG_CALLS) || i->op == IR_MEMORY_GROW)
        return false;
    if (i->op != IR_CALL || !w->effects)
        return true;
    const struct func_effects *f = &w->effects->funcs[i->index];
    if (!(f->flags & EFFECT_UNKNOWN) && !(f->globals_written & effects_global_bit(w->global)))
        return false;
    return (i->next && i->next->op == IR_THROWN) ||
           !keeps(w->effects, i->parent->func->module, i->index, w->global, w->calls + 1);
}

static void branch_to(struct walk *w, const struct ir_inst *label, struct state s) {
    struct frame *f = w->frames;
    while (f && f->inst != label)
        f = f->up;
    ICE_UNLESS(f != NULL);
    f->taken = meet(f->taken, s);
}

static void walk_region(struct walk *w, struct ir_region *r, struct state s);

static struct state walk_loop(struct walk *w, struct ir_inst *i, struct state s) {
    if (!s.base && !s.dead)
        s = (struct state){.base = i, .loop = true};
    struct state entry = s;
    bool outer = w->inside_root, is_root = i == w->root;
    for (unsigned attempt = 0;; attempt++) {
        struct frame f = {.inst = i, .taken = dead, .out = dead, .up = w->frames};
        w->frames = &f;
        w->inside_root |= is_root;
        w->depth++;
        bool deep = w->depth > MAX_LOOP_DEPTH;
        if (is_root)
            w->reads_inside = false;
        walk_region(w, i->regions[0], deep ? (struct state){0} : entry);
        w->depth--;
        w->inside_root = outer;
        w->frames = f.up;
        bool restores = !deep && (f.taken.dead || equal(&f.taken, &entry));
        if (is_root)
            w->restored = restores && entry.base && attempt == 0;
        if (restores || deep || attempt)
            return f.out;
        entry = (struct state){0}; /* the loop changes it: anything, and not the same in each iteration */
    }
}

static void walk_region(struct walk *w, struct ir_region *r, struct state s) {
    ir_foreach_inst (i, r) {
        struct frame f = {.inst = i, .taken = dead, .out = dead, .up = w->frames};
        switch (i->op) {
        case IR_GLOBAL_GET:
            if (i->index != w->global)
                break;
            w->reads_inside |= w->inside_root && !s.dead;
            w->reads[i->results[0].id] = s;
            if (!s.base && !s.dead)
                s = (struct state){.base = &i->results[0]};
            break;
        case IR_GLOBAL_SET:
            if (i->index == w->global && !s.dead)
                s = state_of(w, i->operands[0]);
            break;
        case IR_LOOP:
            s = walk_loop(w, i, s);
            break;
        case IR_BLOCK:
        case IR_IF:
            w->frames = &f;
            ir_foreach_region (inner, i)
                walk_region(w, inner, s);
            w->frames = f.up;
            s = meet(f.taken, f.out);
            break;
        case IR_BR:
        case IR_BR_IF:
            branch_to(w, i->target, s);
            break;
        case IR_BR_TABLE:
            for (uint32_t k = 0; k < i->ntargets; k++)
                branch_to(w, i->targets[k], s);
            break;
        case IR_RETURN:
            w->returned = meet(w->returned, s);
            break;
        case IR_RETURN_CALL:
        case IR_RETURN_CALL_INDIRECT:
            w->returned = meet(w->returned, (struct state){0});
            break;
        case IR_YIELD:
            ICE_UNLESS(w->frames != NULL);
            w->frames->out = meet(w->frames->out, s);
            break;
        default:
            if (w->inside_root && ir_stops_kernel(i))
                s = dead;
            else if (!s.dead && may_write(w, i))
                s = (struct state){0};
            break;
        }
    }
}

bool global_flow_restores(const struct loop *root, uint32_t g) {
    struct ir_func *f = root->inst->parent->func;
    struct arena scratch = {0};
    struct walk w = {.global = g, .root = root->inst, .reads = arena_array(&scratch, struct state, f->next_id + 1)};
    walk_region(&w, f->body, (struct state){0});
    arena_free(&scratch);
    return w.restored && !w.reads_inside;
}

/* A function that is asked about while it is looked at (recursion) counts as one that keeps nothing. */
static bool keeps(const struct effects *e, const struct ir_module *m, uint32_t func, uint32_t g, unsigned calls) {
    struct func_effects *f = &e->funcs[func];
    uint64_t bit = effects_global_bit(g);
    if (g >= 63 || !f->has_body || calls > MAX_CALL_DEPTH)
        return false;
    if (f->globals_asked & bit)
        return (f->globals_kept & bit) != 0;
    f->globals_asked |= bit;
    const struct ir_func *body = m->funcs[func].func;
    struct arena scratch = {0};
    struct walk w = {.global = g, .effects = e, .calls = calls, .returned = dead};
    w.reads = arena_array(&scratch, struct state, body->next_id + 1);
    struct state entry = {.base = body};
    walk_region(&w, body->body, entry);
    arena_free(&scratch);
    bool kept = w.returned.dead || equal(&w.returned, &entry);
    f->globals_kept |= kept ? bit : 0;
    return kept;
}

bool global_flow_keeps(const struct effects *e, const struct ir_module *m, uint32_t func, uint32_t g) {
    return keeps(e, m, func, g, 0);
}

/* ---- reads of what is known ---- */

static bool in_scope(const struct ir_value *v, const struct ir_inst *user) {
    const struct ir_region *home = v->def ? v->def->parent : v->region;
    for (const struct ir_region *r = user->parent; r; r = r->parent ? r->parent->parent : NULL)
        if (r == home)
            return true;
    return false;
}

static void add_reads(struct ir_region *r, uint32_t g) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_LOOP && ir_sets_global(i->regions[0], g)) {
            struct ir_builder b = ir_builder_before(i);
            enum ir_type type = IR_I32;
            b.wasm_offset = i->wasm_offset;
            ir_build(&b, IR_GLOBAL_GET, &type, 1, NULL, 0)->index = g;
            continue;
        }
        ir_foreach_region (inner, i)
            add_reads(inner, g);
    }
}

static bool replace_reads(struct walk *w, struct ir_region *r) {
    bool changed = false;
    ir_foreach_inst_safe (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        const struct state *s = i->op == IR_GLOBAL_GET && i->index == w->global ? &w->reads[i->results[0].id] : NULL;
        if (s && s->base && !s->loop) {
            struct ir_value *v = (struct ir_value *)s->base;
            if (v != &i->results[0] && in_scope(v, i)) {
                struct ir_builder b = ir_builder_before(i);
                b.wasm_offset = i->wasm_offset;
                v = ir_resolve(v);
                i->results[0].fwd = s->offset ? ir_build_simple(&b, IR_I32_ADD, v, ir_build_i32(&b, s->offset)) : v;
                ir_inst_remove(i);
                changed = true;
                continue;
            }
        }
        ir_foreach_region (inner, i)
            changed |= replace_reads(w, inner);
    }
    return changed;
}

bool global_flow_forward(struct ir_func *f, const struct effects *e, uint32_t g) {
    if (!ir_sets_global(f->body, g))
        return false;
    add_reads(f->body, g);
    struct arena scratch = {0};
    struct walk w = {.global = g, .effects = e, .reads = arena_array(&scratch, struct state, f->next_id + 1)};
    walk_region(&w, f->body, (struct state){0});
    bool changed = replace_reads(&w, f->body);
    arena_free(&scratch);
    return changed;
}
