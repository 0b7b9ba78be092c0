/* Pruning of block results and loop parameters, the phi functions of this IR.
 *
 *     %r = loop L (%a = %0, %b = %1) {              loop L (%b = %1) {
 *       ...                                           ...
 *       br_if %c, L(%a, %b2)               =>         br_if %c, L(%b2)
 *       yield %a                                      yield
 *     }                                             }           uses of %r and %a become %0
 *
 * Three steps:
 * 1. Collect, for each label, the edges that bring values to its results and parameters.
 * 2. Innermost first, replace (through `fwd`) parameters that every back edge leaves alone, results that every edge
 * gives the same value from outside, and parameters that go through the same values as an earlier one.
 * 3. Mark what is live, starting at effects and following edges backwards only from live results and parameters (so
 *    parameters that feed only each other stay unmarked), then rewrite all operands and drop the rest, with the plain
 *    operations that were only for it. */
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/opt/pass.h"

struct edge {
    struct edge *next;
    struct ir_inst *inst;
    uint32_t first; /* operand that goes to result or parameter 0 */
};

struct label {
    struct edge *to_results, *to_params;
    uint32_t nresults, nparams; /* before dropping */
    bool *keep_results, *keep_params;
};

struct prune {
    struct arena *scratch;
    bool *live; /* by value id */
    struct ir_value **work;
    uint32_t nwork, work_cap;
    bool changed;
};

static struct label *label_of(const struct ir_inst *i) {
    return i->note;
}

static void add_edge(struct prune *p, struct edge **list, struct ir_inst *i, uint32_t first) {
    struct edge *e = arena_new(p->scratch, struct edge);
    *e = (struct edge){.next = *list, .inst = i, .first = first};
    *list = e;
}

static void add_branch(struct prune *p, struct ir_inst *target, struct ir_inst *i, uint32_t first) {
    struct label *l = label_of(target);
    add_edge(p, target->op == IR_LOOP ? &l->to_params : &l->to_results, i, first);
}

static void collect(struct prune *p, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_nregions(i)) {
            struct label *l = arena_new(p->scratch, struct label);
            l->nresults = i->nresults;
            l->nparams = i->op == IR_LOOP ? i->regions[0]->nparams : 0;
            i->note = l;
            ir_foreach_region (sub, i)
                collect(p, sub);
        } else if (i->op == IR_YIELD) {
            add_edge(p, &label_of(r->parent)->to_results, i, 0);
        } else if (i->op == IR_BR || i->op == IR_BR_IF) {
            add_branch(p, i->target, i, i->op == IR_BR_IF);
        } else if (i->op == IR_BR_TABLE) {
            uint32_t at = 1;
            for (uint32_t k = 0; k < i->ntargets; k++) {
                add_branch(p, i->targets[k], i, at);
                at += ir_label_arity(i->targets[k]);
            }
        }
    }
}

/* ---- step 2 ---- */

static struct ir_value *arg_of(const struct edge *e, uint32_t k) {
    return ir_resolve(e->inst->operands[e->first + k]);
}

static bool same_value(const struct ir_value *a, const struct ir_value *b) {
    if (a == b)
        return true;
    const union ir_bits *x = ir_const_of(a), *y = ir_const_of(b);
    return x && y && a->type == b->type && !memcmp(x, y, sizeof *x);
}

static void replace(struct prune *p, struct ir_value *v, struct ir_value *by) {
    v->fwd = by;
    p->changed = true;
}

/* Whether the value is defined inside the instruction's regions. */
static bool is_inside(const struct ir_value *v, const struct ir_inst *i) {
    const struct ir_region *r = v->def ? v->def->parent : v->region;
    for (; r; r = r->parent ? r->parent->parent : NULL)
        if (r->parent == i)
            return true;
    return false;
}

static void simplify_results(struct prune *p, struct ir_inst *i) {
    for (uint32_t k = 0; k < i->nresults; k++) {
        const struct edge *e = label_of(i)->to_results;
        struct ir_value *v = e ? arg_of(e, k) : NULL;
        for (; v && e; e = e->next)
            if (!same_value(v, arg_of(e, k)))
                v = NULL;
        if (!v)
            continue;
        if (ir_const_of(v)) {
            struct ir_builder b = ir_builder_before(i);
            replace(p, &i->results[k], ir_build_const(&b, v->type, *ir_const_of(v)));
        } else if (!is_inside(v, i)) {
            replace(p, &i->results[k], v);
        }
    }
}

/* Whether `a` computes from p what `b` computes from q: the same pure operations on the same values. */
static bool congruent(struct ir_value *a, struct ir_value *b, const struct ir_value *p, const struct ir_value *q,
                      unsigned depth) {
    a = ir_resolve(a);
    b = ir_resolve(b);
    if ((a == p && b == q) || same_value(a, b))
        return true;
    const struct ir_inst *x = a->def, *y = b->def;
    if (!depth || !x || !y || x->op != y->op || ir_info(x)->kind != IR_KIND_SIMPLE)
        return false;
    for (uint32_t k = 0; k < x->noperands; k++)
        if (!congruent(x->operands[k], y->operands[k], p, q, depth - 1))
            return false;
    return true;
}

/* A value that depends on the iteration through anything but p must be the same value for both, which same_value
 * demands; so by induction over the iterations p and q are equal. */
static bool run_together(const struct ir_inst *loop, uint32_t k, uint32_t n) {
    struct ir_value *const *params = loop->regions[0]->params;
    for (const struct edge *e = label_of(loop)->to_params; e; e = e->next)
        if (!congruent(arg_of(e, k), arg_of(e, n), params[k], params[n], 4))
            return false;
    return true;
}

enum { MAX_TWINS = 64 }; /* earlier parameters a parameter is compared with */

static void simplify_params(struct prune *p, struct ir_inst *loop) {
    struct ir_region *body = loop->regions[0];
    for (uint32_t k = 0; k < body->nparams; k++) {
        struct ir_value *param = body->params[k], *init = ir_resolve(loop->operands[k]);
        bool invariant = true;
        for (const struct edge *e = label_of(loop)->to_params; e && invariant; e = e->next)
            invariant = arg_of(e, k) == param || same_value(arg_of(e, k), init);
        if (invariant)
            replace(p, param, init);
    }
    for (uint32_t k = 1; k < body->nparams; k++) {
        struct ir_value *param = body->params[k];
        if (param->fwd)
            continue;
        struct ir_value *init = ir_resolve(loop->operands[k]);
        unsigned tried = 0;
        for (uint32_t n = k; n-- > 0 && tried++ < MAX_TWINS && !param->fwd;) {
            struct ir_value *twin = body->params[n];
            if (twin->fwd || twin->type != param->type || !same_value(ir_resolve(loop->operands[n]), init))
                continue;
            if (run_together(loop, n, k))
                replace(p, param, twin);
        }
    }
}

static void simplify(struct prune *p, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (!ir_nregions(i))
            continue;
        ir_foreach_region (sub, i)
            simplify(p, sub);
        if (i->op == IR_LOOP)
            simplify_params(p, i);
        simplify_results(p, i);
    }
}

/* ---- step 3 ---- */

static void mark(struct prune *p, struct ir_value *v) {
    v = ir_resolve(v);
    if (p->live[v->id])
        return;
    p->live[v->id] = true;
    *arena_push(p->scratch, p->work, p->nwork, p->work_cap) = v;
}

/* Whether the operands are needed whatever becomes of the results. */
static bool is_root(const struct ir_inst *i) {
    return !ir_nregions(i) && i->op != IR_YIELD && !ir_is_removable(i);
}

static void mark_roots(struct prune *p, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_IF || i->op == IR_BR_IF || i->op == IR_BR_TABLE)
            mark(p, i->operands[0]);
        else if (i->op != IR_BR && is_root(i))
            for (uint32_t k = 0; k < i->noperands; k++)
                mark(p, i->operands[k]);
        ir_foreach_region (sub, i)
            mark_roots(p, sub);
    }
}

static void mark_edges(struct prune *p, const struct edge *e, uint32_t k) {
    for (; e; e = e->next)
        mark(p, e->inst->operands[e->first + k]);
}

static void spread(struct prune *p) {
    while (p->nwork) {
        struct ir_value *v = p->work[--p->nwork];
        if (v->region) {
            struct ir_inst *loop = v->region->parent;
            if (loop) {
                mark(p, loop->operands[v->index]);
                mark_edges(p, label_of(loop)->to_params, v->index);
            }
        } else if (ir_nregions(v->def)) {
            mark_edges(p, label_of(v->def)->to_results, v->index);
        } else {
            for (uint32_t k = 0; k < v->def->noperands; k++)
                mark(p, v->def->operands[k]);
        }
    }
}

static void choose(struct prune *p, struct ir_inst *i) {
    struct label *l = label_of(i);
    l->keep_results = arena_array(p->scratch, bool, l->nresults);
    l->keep_params = arena_array(p->scratch, bool, l->nparams);
    for (uint32_t k = 0; k < l->nresults; k++) {
        l->keep_results[k] = p->live[i->results[k].id] && !i->results[k].fwd;
        p->changed |= !l->keep_results[k];
    }
    for (uint32_t k = 0; k < l->nparams; k++) {
        struct ir_value *param = i->regions[0]->params[k];
        l->keep_params[k] = p->live[param->id] && !param->fwd;
        p->changed |= !l->keep_params[k];
    }
}

/* Keeps the operands from `at` on that go to something kept; *to is where they are put. */
static uint32_t filter(struct ir_inst *i, uint32_t at, uint32_t *to, const bool *keep, uint32_t n) {
    for (uint32_t k = 0; k < n; k++)
        if (keep[k])
            i->operands[(*to)++] = i->operands[at + k];
    return at + n;
}

static uint32_t filter_branch(struct ir_inst *i, uint32_t at, uint32_t *to, const struct ir_inst *target) {
    const struct label *l = label_of(target);
    bool loop = target->op == IR_LOOP;
    return filter(i, at, to, loop ? l->keep_params : l->keep_results, loop ? l->nparams : l->nresults);
}

static void filter_operands(struct ir_inst *i) {
    uint32_t to = 0;
    if (i->op == IR_YIELD) {
        const struct label *l = label_of(i->parent->parent);
        filter(i, 0, &to, l->keep_results, l->nresults);
    } else if (i->op == IR_LOOP) {
        filter(i, 0, &to, label_of(i)->keep_params, label_of(i)->nparams);
    } else if (i->op == IR_BR) {
        filter_branch(i, 0, &to, i->target);
    } else if (i->op == IR_BR_IF) {
        to = 1;
        filter_branch(i, 1, &to, i->target);
    } else if (i->op == IR_BR_TABLE) {
        uint32_t at = to = 1;
        for (uint32_t k = 0; k < i->ntargets; k++)
            at = filter_branch(i, at, &to, i->targets[k]);
    } else {
        return;
    }
    i->noperands = to;
}

static void drop_params(struct ir_inst *loop) {
    struct ir_region *body = loop->regions[0];
    uint32_t n = 0;
    for (uint32_t k = 0; k < body->nparams; k++)
        if (label_of(loop)->keep_params[k]) {
            body->params[n] = body->params[k];
            body->params[n]->index = n;
            n++;
        }
    body->nparams = n;
}

/* Plain operations without effects whose results nothing live needs; they may use what gets dropped. */
static bool is_dead(const struct prune *p, const struct ir_inst *i) {
    if (ir_nregions(i) || !ir_is_removable(i))
        return false;
    for (uint32_t k = 0; k < i->nresults; k++)
        if (p->live[i->results[k].id])
            return false;
    return true;
}

static void rewrite(struct prune *p, struct ir_region *r) {
    ir_foreach_inst_safe (i, r) {
        if (is_dead(p, i)) {
            ir_inst_remove(i);
            p->changed = true;
            continue;
        }
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        if (ir_nregions(i))
            choose(p, i);
        filter_operands(i);
        if (i->op == IR_LOOP)
            drop_params(i);
        ir_foreach_region (sub, i)
            rewrite(p, sub);
        if (ir_nregions(i)) {
            ir_inst_drop_results(i, label_of(i)->keep_results);
            i->note = NULL;
        }
    }
}

bool opt_prune(struct ir_func *f, struct pass_ctx *cx) {
    struct prune p = {.scratch = &cx->scratch};
    collect(&p, f->body);
    simplify(&p, f->body);
    p.live = arena_array(&cx->scratch, bool, f->next_id);
    mark_roots(&p, f->body);
    spread(&p);
    rewrite(&p, f->body);
    return p.changed;
}
