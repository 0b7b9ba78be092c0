/* Decides whether a loop nest can run as a kernel; see plan.h.
 *
 * The steps, each ending in a reason when it cannot go on:
 *   1. root: its shape, its exits, and that every value it carries around is an induction variable;
 *   2. body: every instruction inside is one that a kernel can run, traps excluded or guarded;
 *   3. chain: further parallel loops inside, as long as each is all that its parent does (up to three grid dimensions);
 *   4. accesses: every load and store address as base + sum of stride * iteration, all known before the nest;
 *   5. conflicts that are certain already; those that depend on numbers are the run-time guard's business;
 *   6. what the rest of the function needs after the loop.
 *
 * Dimensions over-approximate: an access in a conditional is taken to happen, an inner loop with several exits to run
 * for its full count, a choice to go both
 * ways, a ranged value to take every value of its range.  So the guard's ranges contain every byte that the kernel can
 * touch.
 */
#include "ir/offload/plan.h"

#include <string.h>

#include "ir/ir_effects.h"
#include "ir/util/ice.h"

enum {
    MAX_NEST_DEPTH = 8,     /* affine analysis is exponential in it */
    MAX_NEST_INSTS = 20000, /* bounds the size of a kernel */
    FEW_ITERATIONS = 32,    /* a constant count below this is no parallelism for a GPU */
    MAX_PREFIX_INSTS = 64,  /* what an inner parallel loop may cost to recompute at every point */
    MAX_CONDS = 16,
    NEAR_ITERATIONS = 64,
};

static bool reject(struct plan *p, enum off_reject why, const struct ir_inst *at, const char *detail) {
    ICE_UNLESS(p->root->inst != NULL);
    p->reject = why;
    p->at = at ? at->wasm_offset : p->root->inst->wasm_offset;
    p->detail = detail;
    return false;
}

/* ---- slots ---- */

static bool same_slot(const struct plan_slot *a, const struct plan_slot *b) {
    if (a->kind != b->kind || a->value != b->value || a->is_signed != b->is_signed || a->nconds != b->nconds)
        return false;
    if (a->kind == PLAN_SLOT_EXPR)
        return aff_equal(a->expr, b->expr);
    for (uint32_t i = 0; i < a->nconds; i++)
        if (a->conds[i].value != b->conds[i].value || a->conds[i].nonzero != b->conds[i].nonzero)
            return false;
    return true;
}

/* OFF_NO_SLOT when there are too many. */
static uint32_t slot_of(struct plan *p, struct plan_slot s) {
    for (uint32_t i = 0; i < p->nslots; i++)
        if (same_slot(&p->slots[i], &s))
            return i;
    if (p->nslots == OFF_MAX_SLOTS)
        return OFF_NO_SLOT;
    p->slots[p->nslots] = s;
    return p->nslots++;
}

static bool expr_slot(struct plan *p, const struct aff *a, uint32_t *out_slot) {
    *out_slot = slot_of(p, (struct plan_slot){.kind = PLAN_SLOT_EXPR, .expr = a});
    return *out_slot != OFF_NO_SLOT || reject(p, OFF_REJECT_TOO_COMPLEX, NULL, NULL);
}

static bool require(struct plan *p, struct plan_slot s) {
    uint32_t slot = slot_of(p, s);
    if (slot == OFF_NO_SLOT)
        return reject(p, OFF_REJECT_TOO_COMPLEX, NULL, NULL);
    for (uint32_t i = 0; i < p->nconditions; i++)
        if (p->conditions[i] == slot)
            return true;
    p->conditions[p->nconditions++] = slot;
    return true;
}

/* ---- 2. body ---- */

struct body_scan {
    uint32_t insts, stores;
    struct ir_inst *first_store;
};

static bool check_divisor(struct plan *p, struct ir_inst *i) {
    struct ir_value *d = i->operands[1];
    if (ir_const_of(d) || loop_contains_value(p->root, d))
        return reject(p, OFF_REJECT_TRAP, i, "the divisor may be zero");
    bool is_signed = i->op == IR_I32_DIV_S || i->op == IR_I64_DIV_S;
    return require(p, (struct plan_slot){.kind = PLAN_SLOT_DIVISOR, .value = d, .is_signed = is_signed});
}

static bool type_ok(enum ir_type t) {
    return t == IR_I32 || t == IR_I64 || t == IR_F32 || t == IR_F64;
}

static const char *callee_name(struct plan *p, const struct ir_inst *i) {
    const struct ir_module *m = i->parent->func->module;
    const struct ir_func_entry *e = i->index < m->nfuncs ? &m->funcs[i->index] : NULL;
    return e && e->func ? arena_printf(p->text, "to function %u \"%s\"", i->index, e->func->name) : NULL;
}

static bool is_target(const struct ir_region *r, const struct ir_inst *label) {
    ir_foreach_inst (i, r) {
        if ((i->op == IR_BR || i->op == IR_BR_IF) && i->target == label)
            return true;
        for (uint32_t k = 0; i->op == IR_BR_TABLE && k < i->ntargets; k++)
            if (i->targets[k] == label)
                return true;
        ir_foreach_region (inner, i)
            if (is_target(inner, label))
                return true;
    }
    return false;
}

/* Whether control never comes behind the instruction: a loop that is left by branches only, and the like.  Such code
 * ends in `unreachable`, which is no trap then. */
static bool diverges(const struct ir_inst *i) {
    if (!i || !ir_nregions(i))
        return false;
    ir_foreach_region (r, (struct ir_inst *)i)
        if (ir_falls_out(r) || (i->op != IR_LOOP && is_target(r, i)))
            return false;
    return true;
}

static bool check_inst(struct plan *p, struct body_scan *s, struct ir_inst *i) {
    if (++s->insts > MAX_NEST_INSTS)
        return reject(p, OFF_REJECT_TOO_COMPLEX, i, "more than 20,000 instructions");
    for (uint32_t k = 0; k < i->nresults; k++)
        if (!type_ok(i->results[k].type))
            return reject(p, OFF_REJECT_TYPE, i, ir_type_name[i->results[k].type]);
    for (uint32_t k = 0; k < i->noperands; k++)
        if (!type_ok(i->operands[k]->type))
            return reject(p, OFF_REJECT_TYPE, i, ir_type_name[i->operands[k]->type]);
    if (ir_is_load(i) || ir_is_store(i)) {
        const struct ir_memory *mem = &i->parent->func->module->memories[i->mem.memory];
        if (mem->limits.is64 || i->operands[0]->type != IR_I32)
            return reject(p, OFF_REJECT_MEMORY64, i, NULL);
        if (i->mem.memory != 0)
            return reject(p, OFF_REJECT_TOO_COMPLEX, i, "a memory other than the first");
        if (ir_is_store(i) && !s->stores++)
            s->first_store = i;
        return true;
    }
    switch (i->op) {
    case IR_CALL:
        return reject(p, OFF_REJECT_CALL, i, callee_name(p, i));
    case IR_CALL_INDIRECT:
        return reject(p, OFF_REJECT_CALL_INDIRECT, i, NULL);
    case IR_LAUNCH:
        return reject(p, OFF_REJECT_CALL, i, "a kernel launch");
    case IR_GLOBAL_GET:
    case IR_GLOBAL_SET:
        return reject(p, OFF_REJECT_GLOBAL, i, NULL);
    case IR_MEMORY_SIZE:
    case IR_MEMORY_GROW:
    case IR_MEMORY_COPY:
    case IR_MEMORY_FILL:
    case IR_MEMORY_INIT:
    case IR_DATA_DROP:
        return reject(p, OFF_REJECT_BULK_MEMORY, i, ir_info(i)->text);
    case IR_UNREACHABLE:
        return diverges(i->prev) || reject(p, OFF_REJECT_TRAP, i, "unreachable");
    case IR_BLOCK:
    case IR_LOOP:
    case IR_IF:
    case IR_YIELD:
    case IR_BR:
    case IR_BR_IF:
    case IR_BR_TABLE:
    case IR_RETURN:
    case IR_SELECT:
        return true;
    default:
        break;
    }
    if (ir_op_info[i->op].kind == IR_KIND_SIMPLE) {
        if (!ir_may_trap(i))
            return true;
        switch (i->op) {
        case IR_I32_DIV_S:
        case IR_I32_DIV_U:
        case IR_I32_REM_S:
        case IR_I32_REM_U:
        case IR_I64_DIV_S:
        case IR_I64_DIV_U:
        case IR_I64_REM_S:
        case IR_I64_REM_U:
            return check_divisor(p, i);
        default:
            return reject(p, OFF_REJECT_TRAP, i, ir_info(i)->text);
        }
    }
    return ir_is_const(i) || reject(p, OFF_REJECT_TABLE, i, ir_info(i)->text);
}

static bool check_region(struct plan *p, struct body_scan *s, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (!check_inst(p, s, i))
            return false;
        ir_foreach_region (inner, i)
            if (!check_region(p, s, inner))
                return false;
    }
    return true;
}

static uint32_t nest_depth(const struct loop *l) {
    uint32_t deepest = 0;
    for (const struct loop *c = l->first_child; c; c = c->next) {
        uint32_t d = nest_depth(c);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + 1;
}

/* ---- 1. and 3. parallel loops ---- */

/* Why a carried value that is no induction variable stops the loop. */
static enum off_reject carried_reason(const struct loop *l, uint32_t index) {
    struct ir_value *param = l->inst->regions[0]->params[index];
    struct ir_value *v = loop_next_value(l, index);
    bool is_float = param->type == IR_F32 || param->type == IR_F64;
    unsigned op = v->def ? v->def->op : IR_OP_COUNT; /* all the way: x * a + b is no reduction */
    for (unsigned steps = 0; v->def && steps < 64; steps++) {
        struct ir_inst *d = v->def;
        if (d->op != op || (is_float ? op != IR_F32_ADD && op != IR_F64_ADD : !ir_has_flag(d, IR_FLAG_ASSOC)))
            break;
        if (d->operands[0] == param || d->operands[1] == param)
            return is_float ? OFF_REJECT_REDUCTION_FLOAT : OFF_REJECT_REDUCTION_INT;
        v = d->operands[0]; /* a chain of additions: the accumulator is on either side */
        if (!v->def || (v->def->op != d->op && d->operands[1]->def && d->operands[1]->def->op == d->op))
            v = d->operands[1];
    }
    return OFF_REJECT_RECURRENCE;
}

/* Shape, exits and carried values of a loop that is to be parallel. */
static bool check_parallel(struct plan *p, struct loop *l, struct aff_trip *out_trip) {
    struct ir_inst *inst = l->inst;
    if (l->nback_edges != 1)
        return reject(p, OFF_REJECT_BACK_EDGES, inst, NULL);
    if (l->other_exits)
        return reject(p, OFF_REJECT_EARLY_EXIT, l->other_exit, NULL);
    if (l->shape == LOOP_OTHER)
        return reject(p, OFF_REJECT_NO_TRIP_COUNT, inst, "the exit test is not at the top or the bottom");
    struct ir_region *r = inst->regions[0];
    for (uint32_t k = 0; k < r->nparams; k++)
        if (!aff_of(p->aff, r->params[k]))
            return reject(p, carried_reason(l, k), inst, NULL);
    if (!aff_trip_of(p->aff, l, out_trip))
        return reject(p, OFF_REJECT_NO_TRIP_COUNT, l->test, NULL);
    if (!aff_is_invariant(p->aff, out_trip->init) || !aff_is_invariant(p->aff, out_trip->step) ||
        !aff_is_invariant(p->aff, out_trip->bound))
        return reject(p, OFF_REJECT_VARYING_TRIP_COUNT, l->test, NULL);
    return true;
}

/* Each parameter of a chain loop is recomputed from the grid position, so it may depend on chain loops only. */
static bool params_follow_grid(const struct plan *p, const struct loop *l) {
    struct ir_region *r = l->inst->regions[0];
    for (uint32_t k = 0; k < r->nparams; k++) {
        const struct aff *a = aff_of(p->aff, r->params[k]);
        for (uint32_t t = 0; t < a->nterms; t++)
            for (uint32_t d = 0; d < a->terms[t].degree; d++) {
                const struct aff_sym *s = aff_sym(p->aff, a->terms[t].syms[d]);
                bool ok = s->kind == AFF_VALUE;
                for (uint32_t c = 0; c < p->nchain && s->kind == AFF_ITER; c++)
                    ok |= p->chain[c] == s->loop;
                if (!ok)
                    return false;
            }
    }
    return true;
}

static bool region_holds(const struct ir_region *r, const struct ir_inst *inst) {
    for (const struct ir_region *q = inst->parent; q; q = q->parent ? q->parent->parent : NULL)
        if (q == r)
            return true;
    return false;
}

struct prefix {
    const struct loop *outer, *inner;
    struct plan_cond conds[MAX_CONDS];
    uint32_t nconds, insts;
};

/* Everything that `outer` does beside `inner`: only what may be repeated at every point (before it) or dropped (after
 * it), and conditions around `inner` that are known before the nest. */
static bool only_prefix(struct plan *p, struct prefix *x, struct ir_region *r) {
    bool before = true;
    ir_foreach_inst (i, r) {
        if (i == x->inner->inst) {
            before = false;
            continue;
        }
        if (i == x->outer->test || i == x->outer->back)
            continue;
        bool around = false;
        ir_foreach_region (inner, i)
            around |= region_holds(inner, x->inner->inst);
        if (around) {
            if (i->op == IR_IF) {
                if (loop_contains_value(p->root, i->operands[0]) || x->nconds == MAX_CONDS)
                    return false;
                bool then_side = region_holds(i->regions[0], x->inner->inst);
                x->conds[x->nconds++] = (struct plan_cond){i->operands[0], then_side};
                if (!only_prefix(p, x, i->regions[then_side ? 0 : 1]))
                    return false;
            } else if (i->op != IR_BLOCK || !only_prefix(p, x, i->regions[0])) {
                return false;
            }
            before = false;
            continue;
        }
        if (i->op == IR_YIELD || (i->op == IR_BR && !before))
            continue;
        if (i->op == IR_BR_IF && before) {
            if (loop_contains_value(p->root, i->operands[0]) || x->nconds == MAX_CONDS)
                return false;
            x->conds[x->nconds++] = (struct plan_cond){i->operands[0], false};
            continue;
        }
        if (ir_nregions(i) || ir_is_store(i) || ir_has_flag(i, IR_FLAG_BRANCH | IR_FLAG_CALLS | IR_FLAG_WRITES))
            return false; /* an `if` beside the loop: not perfectly nested */
        if (before && ++x->insts > MAX_PREFIX_INSTS)
            return false;
    }
    return true;
}

/* Regions in which a chain loop's own work stands: its body, or, for a loop tested by an `if` on top, also the side
 * that goes on. */
static struct ir_region *body_region(const struct loop *l) {
    return l->shape == LOOP_TOP_IF ? l->back->parent : l->inst->regions[0];
}

/* Adds the loop inside chain[nchain - 1] when that is parallel too and perfectly nested.  No is no rejection. */
static bool extend_chain(struct plan *p) {
    struct loop *outer = p->chain[p->nchain - 1], *inner = outer->first_child;
    if (p->nchain == OFF_MAX_GRID || !inner || inner->next)
        return false;
    struct prefix x = {.outer = outer, .inner = inner};
    struct aff_trip trip;
    if (!region_holds(body_region(outer), inner->inst) || !only_prefix(p, &x, body_region(outer)) ||
        !check_parallel(p, inner, &trip))
        return false;
    p->chain[p->nchain++] = inner;
    if (!params_follow_grid(p, inner)) {
        p->nchain--;
        return false;
    }
    for (uint32_t k = 0; k < x.nconds; k++) {
        struct plan_cond *c = arena_new(p->arena, struct plan_cond);
        *c = x.conds[k];
        if (!require(p, (struct plan_slot){.kind = PLAN_SLOT_ALL, .conds = c, .nconds = 1})) {
            p->nchain--;
            return false;
        }
    }
    return true;
}

/* ---- dimensions ---- */

static int dim_of_loop(const struct plan *p, const struct loop *l) {
    for (uint32_t d = 0; d < p->ndims; d++)
        if (p->dims[d].loop == l)
            return (int)d;
    return -1;
}

static int parent_dim(const struct plan *p, const struct loop *l) {
    for (; l; l = l->parent) {
        int d = dim_of_loop(p, l);
        if (d >= 0)
            return d;
    }
    return -1;
}

static uint32_t own_ops(const struct ir_region *r) {
    uint32_t n = 0;
    ir_foreach_inst (i, r) {
        n += !ir_is_const(i) && i->op != IR_YIELD;
        if (i->op != IR_LOOP)
            ir_foreach_region (inner, i)
                n += own_ops(inner);
    }
    return n;
}

static bool trip_slots(struct plan *p, const struct aff_trip *t, struct off_dim *d) {
    d->rel = t->rel;
    d->bits = t->bits;
    d->top_tested = t->top_tested;
    return expr_slot(p, t->init, &d->init_slot) && expr_slot(p, t->step, &d->step_slot) &&
           expr_slot(p, t->bound, &d->bound_slot);
}

/* The conditions known before the nest under which `i` is reached, as a slot; OFF_NO_SLOT when there are none. */
static uint32_t when_slot(struct plan *p, const struct ir_inst *i) {
    struct plan_cond conds[MAX_CONDS];
    uint32_t n = 0;
    for (const struct ir_inst *at = i; at != p->root->inst && n < MAX_CONDS; at = at->parent->parent) {
        for (const struct ir_inst *b = at->prev; b && n < MAX_CONDS; b = b->prev)
            if (b->op == IR_BR_IF && !loop_contains_value(p->root, b->operands[0]))
                conds[n++] = (struct plan_cond){b->operands[0], false};
        const struct ir_inst *around = at->parent->parent;
        if (around->op == IR_IF && n < MAX_CONDS && !loop_contains_value(p->root, around->operands[0]))
            conds[n++] = (struct plan_cond){around->operands[0], at->parent == around->regions[0]};
    }
    if (!n)
        return OFF_NO_SLOT;
    struct plan_cond *copy = arena_array(p->arena, struct plan_cond, n);
    memcpy(copy, conds, n * sizeof conds[0]);
    return slot_of(p, (struct plan_slot){.kind = PLAN_SLOT_ALL, .conds = copy, .nconds = n});
}

static int new_dim(struct plan *p, struct loop *l, int sym) {
    if (p->ndims == OFF_MAX_DIMS)
        return -1;
    p->dims[p->ndims] = (struct plan_dim){.loop = l,
                                          .sym = sym,
                                          .desc = {.axis = -1,
                                                   .parent = -1,
                                                   .bits = 32,
                                                   .init_slot = OFF_NO_SLOT,
                                                   .step_slot = OFF_NO_SLOT,
                                                   .bound_slot = OFF_NO_SLOT,
                                                   .when_slot = OFF_NO_SLOT,
                                                   .wasm_offset = IR_NO_OFFSET}};
    return (int)p->ndims++;
}

/* Dimension of a loop inside the kernel.  -1 when there are too many. */
static int inner_dim(struct plan *p, struct loop *l) {
    int d = dim_of_loop(p, l);
    if (d >= 0)
        return d;
    d = new_dim(p, l, aff_iter_sym(p->aff, l));
    if (d < 0)
        return -1;
    struct off_dim *desc = &p->dims[d].desc;
    struct aff_trip trip;
    desc->wasm_offset = l->inst->wasm_offset;
    desc->parent = (int8_t)parent_dim(p, l->parent);
    desc->ops = own_ops(l->inst->regions[0]);
    desc->when_slot = when_slot(p, l->inst);
    desc->unbounded =
        !(aff_trip_of(p->aff, l, &trip) && aff_is_invariant(p->aff, trip.init) && aff_is_invariant(p->aff, trip.step) &&
          aff_is_invariant(p->aff, trip.bound) && trip_slots(p, &trip, desc));
    return d;
}

static int pseudo_dim(struct plan *p, int sym, enum off_trip_rel rel, uint64_t constant, uint32_t wasm_offset) {
    int d = new_dim(p, NULL, sym);
    if (d < 0)
        return -1;
    p->dims[d].desc.rel = rel;
    p->dims[d].desc.constant = constant;
    p->dims[d].desc.wasm_offset = wasm_offset;
    p->dims[d].desc.parent = 0;
    return d;
}

static int dim_of_sym(struct plan *p, uint32_t sym);

/* `a` as *out_base + sum of strides over dimensions, all known before the nest.  Makes the dimensions it needs.  False
 * without a reason: not linear.  False with p->reject set: something else. */
static bool linearise(struct plan *p, const struct aff *a, const struct aff **out_base,
                      const struct aff *strides[OFF_MAX_DIMS]) {
    const struct aff *rest = a;
    for (uint32_t s = 0; s < aff_nsyms(p->aff); s++) {
        if (aff_sym(p->aff, s)->kind == AFF_VALUE || !aff_has_sym(a, s))
            continue;
        const struct aff *stride;
        if (!aff_split(p->aff, rest, s, &stride, &rest) || !aff_is_invariant(p->aff, stride))
            return false;
        int d = dim_of_sym(p, s);
        if (d < 0)
            return p->reject ? false : reject(p, OFF_REJECT_TOO_COMPLEX, NULL, "more than 8 dimensions");
        strides[d] = stride;
    }
    *out_base = rest;
    return true;
}

/* Slots of a linear form. */
static bool linear_slots(struct plan *p, const struct aff *base, const struct aff *const strides[OFF_MAX_DIMS],
                         uint32_t *out_base, uint32_t out_strides[OFF_MAX_DIMS]) {
    for (uint32_t d = 0; d < OFF_MAX_DIMS; d++) {
        out_strides[d] = OFF_NO_SLOT;
        if (strides[d] && !expr_slot(p, strides[d], &out_strides[d]))
            return false;
    }
    return expr_slot(p, base, out_base);
}

static int add_range(struct plan *p, struct off_range r) {
    if (p->nranges == OFF_MAX_RANGES) {
        (void)reject(p, OFF_REJECT_TOO_COMPLEX, NULL, "more than 64 ranges");
        return -1;
    }
    p->ranges[p->nranges] = r;
    return (int)p->nranges++;
}

static int range_of_value(struct plan *p, struct ir_value *v);

/* The range of one side of a minimum or maximum. */
static int range_of_expr(struct plan *p, const struct aff *a) {
    uint32_t s = a->nterms == 1 && a->terms[0].degree == 1 && a->terms[0].coef == 1 ? a->terms[0].syms[0] : UINT32_MAX;
    if (s != UINT32_MAX && aff_sym(p->aff, s)->kind == AFF_RANGE)
        return range_of_value(p, aff_sym(p->aff, s)->value);
    const struct aff *base, *strides[OFF_MAX_DIMS] = {0};
    struct off_range r = {.op = OFF_RANGE_AFFINE};
    if (!linearise(p, a, &base, strides) || !linear_slots(p, base, strides, &r.base_slot, r.stride_slot))
        return -1;
    for (uint32_t d = 0; d < p->ndims; d++)
        if (strides[d] && p->dims[d].desc.unbounded)
            return -1;
    return add_range(p, r);
}

/* The range `op` of two others, either of which may be -1: there is none. */
static int combine_ranges(struct plan *p, enum off_range_op op, int a, int b) {
    if (a < 0 || b < 0)
        return -1;
    struct off_range r = {.op = op, .a = (uint32_t)a, .b = (uint32_t)b, .base_slot = OFF_NO_SLOT};
    memset(r.stride_slot, 0xff, sizeof r.stride_slot); /* OFF_NO_SLOT */
    return add_range(p, r);
}

static int range_of_side(struct plan *p, const struct aff_side *s) {
    int r = range_of_expr(p, s->value);
    if (r >= 0 && s->restriction)
        r = combine_ranges(p, (enum off_range_op)s->restriction, r, range_of_expr(p, s->bound));
    if (r >= 0 && s->extremum)
        r = combine_ranges(p, (enum off_range_op)s->extremum, r, range_of_expr(p, s->limit));
    return r;
}

static int range_of_value(struct plan *p, struct ir_value *v) {
    struct aff_range r;
    if (!aff_range_of(p->aff, v, &r))
        return -1;
    if (r.op == OFF_RANGE_CONST) {
        struct off_range out = {.op = OFF_RANGE_CONST, .lo = r.lo, .hi = r.hi, .base_slot = OFF_NO_SLOT};
        memset(out.stride_slot, 0xff, sizeof out.stride_slot);
        return add_range(p, out);
    }
    bool sides = r.op == OFF_RANGE_UNION;
    int a = sides ? range_of_side(p, &r.sides[0]) : range_of_expr(p, r.a);
    int b = a < 0 ? -1 : sides ? range_of_side(p, &r.sides[1]) : range_of_expr(p, r.b);
    return combine_ranges(p, (enum off_range_op)r.op, a, b);
}

/* The dimension of an iteration, choice or range symbol, made when new; -1 when that cannot be. */
static int dim_of_sym(struct plan *p, uint32_t sym) {
    const struct aff_sym *s = aff_sym(p->aff, sym);
    if (s->kind == AFF_ITER)
        return inner_dim(p, s->loop);
    for (uint32_t d = 0; d < p->ndims; d++)
        if (!p->dims[d].loop && p->dims[d].sym == (int)sym)
            return (int)d;
    if (s->kind == AFF_CHOICE)
        return pseudo_dim(p, (int)sym, OFF_TRIP_CONST, 2, s->merge->wasm_offset);
    int range = range_of_value(p, s->value);
    return range < 0 ? -1 : pseudo_dim(p, (int)sym, OFF_TRIP_RANGE, (uint64_t)range, s->value->def->wasm_offset);
}

/* Loops that no address depends on still cost time; they are entered last, as far as there is room. */
static void add_cost_dims(struct plan *p, struct loop *l) {
    for (struct loop *c = l->first_child; c; c = c->next) {
        int d = inner_dim(p, c);
        if (d < 0 || p->dims[d].desc.unbounded)
            p->long_loop = true;
        add_cost_dims(p, c);
    }
}

/* ---- 4. accesses ---- */

/* Access `i` moves with a loop inside the nest that runs nobody knows how often: because its count differs from one
 * outer iteration to the next, or because it has none. */
static bool reject_unbounded(struct plan *p, struct loop *l, const struct ir_inst *i) {
    struct aff_trip trip;
    if (aff_trip_of(p->aff, l, &trip))
        return reject(p, OFF_REJECT_VARYING_TRIP_COUNT, l->test, NULL);
    return reject(p, OFF_REJECT_UNBOUNDED_ACCESS, i, NULL);
}

static bool add_access(struct plan *p, struct ir_inst *i) {
    bool store = ir_is_store(i);
    enum off_reject bad_address = store ? OFF_REJECT_ADDRESS_STORE : OFF_REJECT_ADDRESS_LOAD;
    const struct aff *a = aff_of(p->aff, i->operands[0]);
    if (!a)
        return reject(p, bad_address, i, NULL);
    if (p->naccesses == OFF_MAX_ACCESSES)
        return reject(p, OFF_REJECT_TOO_COMPLEX, i, "more than 96 loads and stores");
    struct plan_access *x = arena_push(p->arena, p->accesses, p->naccesses, p->accesses_cap);
    *x = (struct plan_access){
        .inst = i,
        .desc = {.write = store, .bytes = ir_info(i)->bytes, .offset = i->mem.offset, .wasm_offset = i->wasm_offset}};
    if (!linearise(p, a, &x->base, x->strides))
        return p->reject ? false : reject(p, bad_address, i, "not linear in the loop counters");
    for (uint32_t d = 0; d < p->ndims; d++)
        if (x->strides[d] && p->dims[d].desc.unbounded)
            return reject_unbounded(p, p->dims[d].loop, i);
    x->desc.when_slot = when_slot(p, i);
    return linear_slots(p, x->base, x->strides, &x->desc.base_slot, x->desc.stride_slot);
}

static bool add_accesses(struct plan *p, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if ((ir_is_load(i) || ir_is_store(i)) && !add_access(p, i))
            return false;
        ir_foreach_region (inner, i)
            if (!add_accesses(p, inner))
                return false;
    }
    return true;
}

/* Iterations when they are a constant of the program, else 0. */
static uint64_t constant_trip(const struct aff_trip *t) {
    uint64_t init, step, bound;
    if (!aff_is_const(t->init, &init) || !aff_is_const(t->step, &step) || !aff_is_const(t->bound, &bound) || !step)
        return 0;
    int64_t span = t->bits == 32 ? (int32_t)(uint32_t)(bound - init) : (int64_t)(bound - init);
    int64_t s = t->bits == 32 ? (int32_t)step : (int64_t)step;
    return s && span / s >= 0 ? (uint64_t)(span / s) + 1 : 0;
}

/* ---- 5. conflicts that are certain ---- */

static bool same_strides(const struct plan *p, const struct plan_access *a, const struct plan_access *b) {
    for (uint32_t d = 0; d < p->ndims; d++)
        if (a->strides[d] != b->strides[d] && !aff_equal(a->strides[d], b->strides[d]))
            return false;
    return true;
}

/* Two accesses that walk alike, a whole number of iterations of chain loop `c` apart, and fewer than it runs.  When the
 * count is not a constant, only short distances are called certain: the guard settles the others. */
static bool certain_conflict(struct plan *p, const struct plan_access *w, const struct plan_access *a, uint32_t c) {
    const struct aff *stride = w->strides[c];
    if (!stride || !same_strides(p, w, a))
        return false;
    const struct aff *diff = aff_sub(p->aff, w->base, a->base);
    diff = aff_add(p->aff, diff, aff_const(p->aff, 32, w->desc.offset - a->desc.offset));
    uint64_t d, s;
    int64_t distance = 0;
    if (aff_is_const(diff, &d) && aff_is_const(stride, &s)) {
        int64_t id = (int32_t)d, is = (int32_t)s;
        if (id && is && id % is == 0)
            distance = id / is;
    } else if (diff && aff_equal(diff, stride)) {
        distance = 1;
    } else if (diff && aff_equal(diff, aff_scale(p->aff, stride, UINT64_MAX))) {
        distance = -1;
    }
    struct aff_trip trip;
    uint64_t n = (uint64_t)(distance < 0 ? -distance : distance);
    uint64_t runs = aff_trip_of(p->aff, p->chain[c], &trip) ? constant_trip(&trip) : 0;
    if (!n || n >= (runs ? runs : NEAR_ITERATIONS))
        return false;
    p->detail = arena_printf(p->text, "the store at +0x%x touches what the %s at +0x%x touches %llu iteration%s %s",
                             w->desc.wasm_offset, a->desc.write ? "store" : "load", a->desc.wasm_offset,
                             (unsigned long long)n, n == 1 ? "" : "s", distance > 0 ? "later" : "earlier");
    return true;
}

/* Chain loops before the first that cannot be parallel, because a store stands still in it or two accesses certainly
 * meet across its iterations. */
static uint32_t parallel_chain(struct plan *p) {
    for (uint32_t c = 0; c < p->nchain; c++)
        for (uint32_t i = 0; i < p->naccesses; i++) {
            struct plan_access *w = &p->accesses[i];
            if (!w->desc.write)
                continue;
            if (!w->strides[c]) {
                bool scatter = false;
                for (uint32_t d = 0; d < p->ndims; d++)
                    scatter |= w->strides[d] && p->dims[d].desc.rel == OFF_TRIP_RANGE;
                (void)reject(p, scatter ? OFF_REJECT_ADDRESS_STORE : OFF_REJECT_CARRIED_MEMORY, w->inst,
                             scatter ? NULL : "every iteration writes the same place");
                return c;
            }
            for (uint32_t k = 0; k < p->naccesses; k++)
                if (certain_conflict(p, w, &p->accesses[k], c)) {
                    (void)reject(p, OFF_REJECT_CARRIED_MEMORY, w->inst, p->detail);
                    return c;
                }
        }
    return p->nchain;
}

/* ---- 6. after the loop ---- */

static bool add_final(struct plan *p, struct ir_value *v) {
    struct plan_final *f = &p->finals[p->nfinals++];
    f->value = v;
    if (!loop_contains_value(p->root, v))
        return true;
    f->expr = aff_of(p->aff, v);
    int iter = aff_iter_sym(p->aff, p->root);
    for (uint32_t t = 0; f->expr && t < f->expr->nterms; t++)
        for (uint32_t d = 0; d < f->expr->terms[t].degree; d++) {
            uint32_t s = f->expr->terms[t].syms[d];
            if (aff_sym(p->aff, s)->kind != AFF_VALUE && (int)s != iter)
                f->expr = NULL;
            if (!f->expr)
                break;
        }
    return f->expr || reject(p, OFF_REJECT_LIVE_OUT, v->def, NULL);
}

static bool add_finals(struct plan *p) {
    struct loop *l = p->root;
    if (l->exit_label) {
        p->finals = arena_array(p->arena, struct plan_final, l->test->noperands);
        for (uint32_t k = 1; k < l->test->noperands; k++)
            if (!add_final(p, l->test->operands[k]))
                return false;
        return true;
    }
    struct ir_inst *yield = l->inst->regions[0]->last;
    p->finals = arena_array(p->arena, struct plan_final, yield->noperands + 1);
    for (uint32_t k = 0; k < yield->noperands; k++) {
        struct ir_value *v = yield->operands[k];
        if (v->def && v->def == l->test && l->test->op == IR_IF)
            v = l->test->regions[l->exit_when_true ? 0 : 1]->last->operands[v->index];
        if (!add_final(p, v))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

/* The grid dimension along x is the one whose stores lie closest together. */
static void choose_axes(struct plan *p) {
    uint32_t x = p->nchain - 1;
    for (uint32_t c = p->nchain; c-- > 0;) {
        bool near = true;
        for (uint32_t i = 0; i < p->naccesses && near; i++) {
            uint64_t s;
            if (p->accesses[i].desc.write)
                near = p->accesses[i].strides[c] && aff_is_const(p->accesses[i].strides[c], &s) && (int32_t)s <= 64 &&
                       (int32_t)s >= -64;
        }
        if (near) {
            x = c;
            break;
        }
    }
    uint8_t axis = 1;
    for (uint32_t c = p->nchain; c-- > 0;)
        p->axis_of[c] = c == x ? 0 : axis++;
    for (uint32_t c = 0; c < p->nchain; c++)
        p->dims[c].desc.axis = (int8_t)p->axis_of[c];
}

static bool add_chain_dims(struct plan *p) {
    for (uint32_t c = 0; c < p->nchain; c++) {
        struct loop *l = p->chain[c];
        struct aff_trip trip;
        int d = new_dim(p, l, aff_iter_sym(p->aff, l));
        struct off_dim *desc = &p->dims[d].desc;
        if (!aff_trip_of(p->aff, l, &trip) || !trip_slots(p, &trip, desc))
            return p->reject ? false : reject(p, OFF_REJECT_NO_TRIP_COUNT, l->inst, NULL);
        desc->parallel = true;
        desc->parent = (int8_t)(c - 1);
        desc->ops = own_ops(l->inst->regions[0]);
        desc->wasm_offset = l->inst->wasm_offset;
    }
    return true;
}

static bool check_size(struct plan *p) {
    uint64_t points = 1;
    for (uint32_t c = 0; c < p->nchain; c++) {
        struct aff_trip trip;
        uint64_t n = aff_trip_of(p->aff, p->chain[c], &trip) ? constant_trip(&trip) : 0;
        if (!n || n > FEW_ITERATIONS)
            return true;
        points *= n;
    }
    return points > FEW_ITERATIONS || !p->chain[p->nchain - 1]->first_child ||
           reject(p, OFF_REJECT_FEW_ITERATIONS, p->root->inst,
                  arena_printf(p->text, "at most %llu", (unsigned long long)points));
}

/* One attempt with at most `max_chain` grid dimensions.  A smaller *out_chain asks for another attempt with that. */
static bool plan_attempt(struct plan *p, uint32_t max_chain, uint32_t *out_chain) {
    p->ndims = p->naccesses = p->nslots = p->nconditions = p->nfinals = p->nranges = 0;
    p->long_loop = false;
    p->chain[0] = p->root;
    p->nchain = 1;
    struct body_scan scan = {0};
    if (!check_region(p, &scan, p->root->inst->regions[0]))
        return false;
    while (p->nchain < max_chain && extend_chain(p))
        ;
    p->reject = OFF_REJECT_NONE; /* what extend_chain tried in vain is no reason */
    if (!check_size(p) || !add_chain_dims(p) || !add_accesses(p, p->root->inst->regions[0]))
        return false;
    *out_chain = parallel_chain(p);
    return *out_chain == p->nchain;
}

bool plan_nest(struct plan *p, struct arena *scratch, struct arena *text, struct loop *root) {
    *p = (struct plan){.arena = scratch, .text = text, .root = root};
    if (nest_depth(root) > MAX_NEST_DEPTH)
        return reject(p, OFF_REJECT_TOO_COMPLEX, root->inst, "more than 8 loops inside each other");
    struct body_scan scan = {0};
    if (!check_region(p, &scan, root->inst->regions[0]))
        return false;
    p->aff = aff_begin(scratch, root);
    struct aff_trip trip;
    if (!check_parallel(p, root, &trip))
        return false;
    if (!scan.stores)
        return reject(p, OFF_REJECT_NO_STORE, root->inst, NULL);
    p->chain[0] = root;
    p->nchain = 1;
    if (!params_follow_grid(p, root))
        return reject(p, OFF_REJECT_RECURRENCE, root->inst, NULL);
    uint32_t max_chain = OFF_MAX_GRID, chain = max_chain;
    while (!plan_attempt(p, max_chain, &chain)) {
        if (!chain || chain >= max_chain)
            return false;
        max_chain = chain;
        p->reject = OFF_REJECT_NONE;
    }
    if (!add_finals(p))
        return false;
    add_cost_dims(p, root);
    p->reject = OFF_REJECT_NONE; /* cost dimensions are best effort */
    if (!plan_assign_streams(p))
        return reject(p, OFF_REJECT_TOO_COMPLEX, root->inst, "more than 8 separate memory ranges");
    choose_axes(p);
    return true;
}

void plan_end(struct plan *p) {
    if (p->aff)
        aff_end(p->aff);
    p->aff = NULL;
}
