/* Which locals have to be merged where.
 *
 * The IR has no variables: a local that is set inside a block and read behind it becomes a result of the block, one
 * that is carried around a loop becomes a loop parameter.  Passing every local that is set inside would be correct, but
 * nested blocks would then carry scratch variables of the innermost one through every level, and a loop would show
 * carried values that are none, which is what the offloader looks at.  So two walks over the decoded body come first:
 *
 *   forward    for each scope the set of locals assigned inside (a child's set is merged into its parent's);
 *   backward   liveness of the locals, as bit sets, with one stored set for each loop head, repeated until these stop
 *              growing (from empty sets up: the least solution; a few rounds in practice, at most one more than loops
 *              nest).
 *
 * results = assigned and live behind the end; params = assigned and live at the loop head.
 *
 * The walks cost words-per-set for each control instruction.  A function where that is out of hand (tens of thousands
 * of locals and of blocks) is lowered without liveness: everything assigned counts as live.  That is correct, only
 * larger, and the limit on merges bounds it.
 */
#include "compiler/lower_plan.h"

#include <string.h>

#include "compiler/limits.h"
#include "ir/util/ice.h"

enum {
    MAX_ROUNDS = 32,              /* of the liveness walk */
    MAX_WORDS_A_ROUND = 64 << 20, /* bit-set words touched */
    MAX_STORED_WORDS = 8 << 20,   /* kept for loop heads and open scopes: 64 MiB */
};

typedef uint64_t word;

struct planner {
    const struct wasm_body *body;
    struct arena *arena;
    struct lower_plan *plan;
    uint32_t *scope_of;
    uint32_t scopes_cap;
    uint64_t control_ops; /* branches, ends and targets: what the liveness walk pays words for */
    uint32_t max_depth, nloops;
};

/* ---- forward: structure and assigned sets ---- */

struct open_scope {
    uint32_t id;
    uint32_t first; /* where its assigned locals begin on the shared stack */
};

static uint32_t begin_scope(struct planner *p, uint32_t at, uint8_t kind) {
    struct lower_plan *plan = p->plan;
    uint32_t id = plan->nscopes;
    struct lower_scope *s = arena_push(p->arena, plan->scopes, plan->nscopes, p->scopes_cap);
    *s = (struct lower_scope){.is_loop = kind == WASM_LOOP, .is_try = kind == WASM_TRY};
    p->nloops += kind == WASM_LOOP;
    if (at != UINT32_MAX)
        p->scope_of[at] = id;
    return id;
}

static void mark_target(struct lower_plan *plan, const struct open_scope *open, uint32_t depth, uint32_t label) {
    ICE_UNLESS(label < depth);
    plan->scopes[open[depth - 1 - label].id].conditional_target = true;
}

static bool find_assigned(struct planner *p) {
    const struct wasm_body *body = p->body;
    struct lower_plan *plan = p->plan;
    struct open_scope *open = NULL;
    uint32_t depth = 0, open_cap = 0;
    uint32_t *set = NULL; /* assigned locals of the open scopes, one scope's on top of its parent's */
    uint32_t nset = 0, set_cap = 0;
    uint32_t *seen = arena_array(p->arena, uint32_t, body->nlocals); /* scope + 1 whose end met the local last */
    uint64_t merges = 0;

    *arena_push(p->arena, open, depth, open_cap) = (struct open_scope){begin_scope(p, UINT32_MAX, WASM_BLOCK), 0};
    for (uint32_t i = 0; i < body->ninsts; i++) {
        const struct wasm_inst *inst = &body->insts[i];
        switch (inst->kind) {
        case WASM_LOCAL_SET:
        case WASM_LOCAL_TEE:
            *arena_push(p->arena, set, nset, set_cap) = inst->index;
            break;
        case WASM_BLOCK:
        case WASM_LOOP:
        case WASM_IF:
        case WASM_TRY: {
            uint32_t id = begin_scope(p, i, inst->kind);
            *arena_push(p->arena, open, depth, open_cap) = (struct open_scope){id, nset};
            p->control_ops += 2;
            if (depth > p->max_depth)
                p->max_depth = depth;
            break;
        }
        case WASM_CATCH:
        case WASM_CATCH_ALL:
        case WASM_ELSE:
            p->scope_of[i] = open[depth - 1].id;
            p->control_ops++;
            break;
        case WASM_BR_IF:
            mark_target(plan, open, depth, inst->index);
            p->control_ops++;
            break;
        case WASM_BR:
        case WASM_CALL:
        case WASM_CALL_INDIRECT:
        case WASM_THROW:
        case WASM_RETHROW:
            p->control_ops++;
            break;
        case WASM_BR_TABLE:
            for (uint32_t k = 0; k < inst->index2; k++)
                mark_target(plan, open, depth, inst->targets[k]);
            p->control_ops += inst->index2;
            break;
        case WASM_DELEGATE:
        case WASM_END: {
            struct open_scope o = open[--depth];
            p->scope_of[i] = o.id;
            uint32_t kept = o.first;
            for (uint32_t k = o.first; set && k < nset; k++) {
                if (seen[set[k]] != o.id + 1) {
                    seen[set[k]] = o.id + 1;
                    set[kept++] = set[k];
                }
            }
            nset = kept;
            merges += kept - o.first;
            if (merges > FRONT_MAX_MERGES)
                return false;
            struct lower_scope *s = &plan->scopes[o.id];
            s->nassigned = kept - o.first;
            uint32_t *copy = arena_array(p->arena, uint32_t, s->nassigned);
            if (s->nassigned)
                memcpy(copy, set + o.first, sizeof *copy * s->nassigned);
            s->assigned = copy;
            break;
        }
        default:
            break;
        }
    }
    ICE_UNLESS(depth == 0);
    return true;
}

/* ---- backward: liveness ---- */

struct live_scope {
    uint32_t id;
    word *after;      /* live behind the end */
    word *else_start; /* live at the start of the else part, once it was met; try: of its handlers, all together */
    bool has_else;
    bool catches;      /* the walk is in the body of a try, and above its handlers */
    uint32_t delegate; /* 1 + depth, or 0 */
};

struct liveness {
    struct planner *p;
    uint32_t words;
    word *live;
    word **heads; /* by scope: live at the loop head; NULL for others */
    struct live_scope *open;
    uint32_t depth;
    bool changed;
};

static void set_union(word *to, const word *from, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        to[i] |= from[i];
}

static const word *label_live(const struct liveness *l, uint32_t label) {
    const struct live_scope *s = &l->open[l->depth - 1 - label];
    return l->heads[s->id] ? l->heads[s->id] : s->after;
}

/* Keeps the locals of `from` whose bit is set. */
static uint32_t keep_live(const uint32_t *from, uint32_t n, const word *live, uint32_t *to) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (live[from[i] / 64] >> (from[i] % 64) & 1)
            to[kept++] = from[i];
    return kept;
}

/* What is live at the handlers that would catch an exception raised here, or NULL: inside `depth` scopes. */
static const word *catch_live(const struct liveness *l, uint32_t depth) {
    while (depth-- > 0) {
        const struct live_scope *s = &l->open[depth];
        if (s->catches)
            return s->else_start;
        if (s->delegate)
            depth -= s->delegate - 1 < depth ? s->delegate - 1 : depth;
    }
    return NULL;
}

static void end_scope(struct liveness *l, uint32_t id, uint32_t delegate) {
    struct lower_scope *s = &l->p->plan->scopes[id];
    struct live_scope *o = &l->open[l->depth++];
    o->id = id;
    o->has_else = o->catches = false;
    o->delegate = delegate;
    if (s->is_try)
        memset(o->else_start, 0, sizeof(word) * l->words);
    memcpy(o->after, l->live, sizeof(word) * l->words);
    if (id == 0) /* nothing is live behind the function */
        return;
    s->nresults = keep_live(s->assigned, s->nassigned, l->live, (uint32_t *)s->results);
}

static void open_loop(struct liveness *l, uint32_t id) {
    struct lower_scope *s = &l->p->plan->scopes[id];
    if (memcmp(l->heads[id], l->live, sizeof(word) * l->words) != 0) {
        memcpy(l->heads[id], l->live, sizeof(word) * l->words);
        l->changed = true;
    }
    s->nparams = keep_live(s->assigned, s->nassigned, l->live, (uint32_t *)s->params);
    l->depth--;
}

/* At a catch: what is live here is so where the exception comes from, and where none matches, outside. */
static void start_catch(struct liveness *l, bool first) {
    struct live_scope *o = &l->open[l->depth - 1];
    const word *outer = catch_live(l, l->depth - 1);
    set_union(o->else_start, l->live, l->words);
    if (outer)
        set_union(o->else_start, outer, l->words);
    memcpy(l->live, o->after, sizeof(word) * l->words);
    o->catches = first;
}

static void open_try(struct liveness *l, uint32_t id) {
    struct lower_scope *s = &l->p->plan->scopes[id];
    s->nparams = keep_live(s->assigned, s->nassigned, l->open[--l->depth].else_start, (uint32_t *)s->params);
}

static void may_throw(struct liveness *l) {
    const word *handlers = catch_live(l, l->depth);
    if (handlers)
        set_union(l->live, handlers, l->words);
}

static void open_if(struct liveness *l) {
    struct live_scope *o = &l->open[--l->depth];
    set_union(l->live, o->has_else ? o->else_start : o->after, l->words);
}

static void walk_back(struct liveness *l) {
    const struct wasm_body *body = l->p->body;
    const uint32_t *scope_of = l->p->scope_of;
    size_t bytes = sizeof(word) * l->words;
    memset(l->live, 0, bytes);
    l->depth = 0;
    l->changed = false;
    for (uint32_t i = body->ninsts; i-- > 0;) {
        const struct wasm_inst *inst = &body->insts[i];
        word bit = (word)1 << (inst->index % 64);
        switch (inst->kind) {
        case WASM_LOCAL_GET:
            l->live[inst->index / 64] |= bit;
            break;
        case WASM_LOCAL_SET:
        case WASM_LOCAL_TEE:
            l->live[inst->index / 64] &= ~bit;
            break;
        case WASM_END:
            end_scope(l, scope_of[i], 0);
            break;
        case WASM_DELEGATE:
            end_scope(l, scope_of[i], inst->index + 1);
            break;
        case WASM_CATCH:
        case WASM_CATCH_ALL:
            start_catch(l, inst->align_log2 != 0);
            break;
        case WASM_TRY:
            open_try(l, scope_of[i]);
            break;
        case WASM_CALL:
        case WASM_CALL_INDIRECT:
            may_throw(l);
            break;
        case WASM_THROW:
        case WASM_RETHROW:
            memset(l->live, 0, bytes);
            may_throw(l);
            break;
        case WASM_ELSE: {
            struct live_scope *o = &l->open[l->depth - 1];
            o->has_else = true;
            memcpy(o->else_start, l->live, bytes);
            memcpy(l->live, o->after, bytes);
            break;
        }
        case WASM_IF:
            open_if(l);
            break;
        case WASM_BLOCK:
            l->depth--;
            break;
        case WASM_LOOP:
            open_loop(l, scope_of[i]);
            break;
        case WASM_BR:
            memcpy(l->live, label_live(l, inst->index), bytes);
            break;
        case WASM_BR_IF:
            set_union(l->live, label_live(l, inst->index), l->words);
            break;
        case WASM_BR_TABLE:
            memset(l->live, 0, bytes);
            for (uint32_t k = 0; k < inst->index2; k++)
                set_union(l->live, label_live(l, inst->targets[k]), l->words);
            break;
        case WASM_RETURN:
        case WASM_RETURN_CALL:
        case WASM_RETURN_CALL_INDIRECT:
        case WASM_UNREACHABLE:
            memset(l->live, 0, bytes);
            break;
        default:
            break;
        }
    }
}

/* False when it would cost too much; the sets are then left as they are. */
static bool find_live(struct planner *p) {
    struct lower_plan *plan = p->plan;
    struct liveness l = {.p = p, .words = (p->body->nlocals + 63) / 64};
    uint64_t stored = (uint64_t)l.words * (p->nloops + 2 * ((uint64_t)p->max_depth + 2));
    if (p->control_ops * l.words > MAX_WORDS_A_ROUND || stored > MAX_STORED_WORDS)
        return false;
    l.live = arena_array(p->arena, word, l.words);
    l.heads = arena_array(p->arena, word *, plan->nscopes);
    for (uint32_t i = 0; i < plan->nscopes; i++) {
        struct lower_scope *s = &plan->scopes[i];
        s->results = arena_array(p->arena, uint32_t, s->nassigned);
        if (s->is_loop || s->is_try)
            s->params = arena_array(p->arena, uint32_t, s->nassigned);
        if (s->is_loop) {
            l.heads[i] = arena_array(p->arena, word, l.words);
        }
    }
    l.open = arena_array(p->arena, struct live_scope, p->max_depth + 2);
    for (uint32_t i = 0; i < p->max_depth + 2; i++) {
        l.open[i].after = arena_array(p->arena, word, l.words);
        l.open[i].else_start = arena_array(p->arena, word, l.words);
    }
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        walk_back(&l);
        if (!l.changed)
            return true;
    }
    return false;
}

bool lower_plan_make(const struct wasm_body *body, struct arena *scratch, struct lower_plan *out) {
    *out = (struct lower_plan){0};
    struct planner p = {.body = body, .arena = scratch, .plan = out};
    p.scope_of = arena_array(scratch, uint32_t, body->ninsts);
    out->scope_of = p.scope_of;
    if (!find_assigned(&p))
        return false;
    if (!find_live(&p)) {
        for (uint32_t i = 1; i < out->nscopes; i++) {
            struct lower_scope *s = &out->scopes[i];
            s->results = s->params = s->assigned;
            s->nresults = s->nassigned;
            s->nparams = s->is_loop || s->is_try ? s->nassigned : 0;
        }
    }
    return true;
}
