/* The call graph and what functions do; see effects.h.
 *
 * The depth-first search keeps its own stack: a chain of 100,000 calls is a legal module.
 */
#include "ir/analysis/effects.h"

#include "ir/ir_effects.h"

struct node {
    uint32_t *callees;
    uint32_t ncallees, cap;
    uint32_t number, low; /* Tarjan's; number 0: not visited */
    bool on_stack, calls_itself;
};

struct frame {
    uint32_t func, next;
};

struct search {
    struct arena *arena;
    struct effects *e;
    struct node *nodes;
    uint32_t *stack, nstack;
    struct frame *frames;
    uint32_t nframes, count;
};

static uint16_t own_effects(const struct ir_inst *i) {
    uint16_t e = 0;
    unsigned f = ir_info(i)->flags;
    e |= f & IR_FLAG_READS ? EFFECT_READS | EFFECT_TRAPS : 0;
    e |= f & IR_FLAG_WRITES ? EFFECT_WRITES | EFFECT_TRAPS : 0;
    e |= f & IR_FLAG_GREADS ? EFFECT_GREADS : 0;
    e |= f & IR_FLAG_GWRITES ? EFFECT_GWRITES : 0;
    e |= f & IR_FLAG_TABLE ? EFFECT_TABLES | EFFECT_TRAPS : 0;
    e |= ir_may_trap(i) || i->op == IR_UNREACHABLE ? EFFECT_TRAPS : 0;
    switch (i->op) {
    case IR_LOOP:
        e |= EFFECT_LOOPS;
        break;
    case IR_MEMORY_GROW:
    case IR_MEMORY_INIT:
    case IR_DATA_DROP:
        e |= EFFECT_RESIZES;
        break;
    case IR_EXN_NEW:
    case IR_THROWN:
    case IR_THROW:
    case IR_CALL_INDIRECT:
    case IR_RETURN_CALL:
    case IR_RETURN_CALL_INDIRECT:
    case IR_LAUNCH:
        e |= EFFECT_UNKNOWN;
        break;
    case IR_CALL:
        break; /* by the callee */
    default:
        e |= f & IR_FLAG_CALLS ? EFFECT_TABLES | EFFECT_TRAPS : 0;
        break;
    }
    return e;
}

static void scan(struct search *s, uint32_t func, const struct ir_region *r) {
    struct func_effects *e = &s->e->funcs[func];
    ir_foreach_inst (i, r) {
        e->insts++;
        e->flags |= own_effects(i);
        if (i->op == IR_GLOBAL_SET)
            e->globals_written |= effects_global_bit(i->index);
        if (i->op == IR_CALL) {
            struct node *n = &s->nodes[func];
            n->calls_itself |= i->index == func;
            *arena_push(s->arena, n->callees, n->ncallees, n->cap) = i->index;
        }
        ir_foreach_region (inner, i)
            scan(s, func, inner);
    }
}

static void join(struct func_effects *to, const struct func_effects *from) {
    to->flags |= from->flags & (uint16_t)~EFFECT_RECURSIVE;
    to->globals_written |= from->globals_written;
}

/* All of the component on top of the stack, down to `root`, is known now. */
static void close_component(struct search *s, uint32_t root) {
    uint32_t first = s->nstack;
    while (s->stack[--first] != root)
        ;
    struct func_effects all = {0};
    for (uint32_t k = first; k < s->nstack; k++) {
        uint32_t f = s->stack[k];
        join(&all, &s->e->funcs[f]);
        for (uint32_t c = 0; c < s->nodes[f].ncallees; c++)
            join(&all, &s->e->funcs[s->nodes[f].callees[c]]);
    }
    bool circle = s->nstack - first > 1 || s->nodes[root].calls_itself;
    for (uint32_t k = first; k < s->nstack; k++) {
        struct func_effects *e = &s->e->funcs[s->stack[k]];
        e->flags = (uint16_t)(all.flags | (circle ? EFFECT_RECURSIVE : 0));
        e->globals_written = all.globals_written;
        s->nodes[s->stack[k]].on_stack = false;
    }
    s->nstack = first;
}

static void enter(struct search *s, uint32_t func) {
    s->nodes[func].number = s->nodes[func].low = ++s->count;
    s->nodes[func].on_stack = true;
    s->stack[s->nstack++] = func;
    s->frames[s->nframes++] = (struct frame){.func = func};
}

static void visit(struct search *s, uint32_t start) {
    enter(s, start);
    while (s->nframes) {
        struct frame *at = &s->frames[s->nframes - 1];
        struct node *n = &s->nodes[at->func];
        if (at->next < n->ncallees) {
            uint32_t callee = n->callees[at->next++];
            const struct node *c = &s->nodes[callee];
            if (!c->number)
                enter(s, callee);
            else if (c->on_stack && c->number < n->low)
                n->low = c->number;
            continue;
        }
        uint32_t done = at->func;
        s->nframes--;
        if (n->low == n->number)
            close_component(s, done);
        if (s->nframes) {
            struct node *caller = &s->nodes[s->frames[s->nframes - 1].func];
            if (n->low < caller->low)
                caller->low = n->low;
        }
    }
}

struct effects *effects_build(struct arena *arena, const struct ir_module *m) {
    struct effects *e = arena_new(arena, struct effects);
    e->nfuncs = m->nfuncs;
    e->funcs = arena_array(arena, struct func_effects, m->nfuncs + 1);
    struct search s = {.arena = arena, .e = e};
    s.nodes = arena_array(arena, struct node, m->nfuncs + 1);
    s.stack = arena_array(arena, uint32_t, m->nfuncs + 1);
    s.frames = arena_array(arena, struct frame, m->nfuncs + 1);
    for (uint32_t f = 0; f < m->nfuncs; f++) {
        const struct ir_func *func = m->funcs[f].func;
        e->funcs[f].has_body = func && func->body;
        if (e->funcs[f].has_body)
            scan(&s, f, func->body);
        else
            e->funcs[f].flags = EFFECT_UNKNOWN;
    }
    for (uint32_t f = 0; f < m->nfuncs; f++)
        e->funcs[f].own = e->funcs[f].flags;
    for (uint32_t f = 0; f < m->nfuncs; f++)
        if (!s.nodes[f].number)
            visit(&s, f);
    return e;
}

bool effects_are_pure(const struct func_effects *e) {
    return !(e->flags & ~(unsigned)(EFFECT_READS | EFFECT_GREADS));
}
