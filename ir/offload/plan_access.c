/* Addresses: every load and store of a nest as base + sum of stride * iteration, all known before the nest, with the
 * dimensions and ranges that takes.
 */
#include "ir/ir_effects.h"
#include "ir/offload/declare.h"
#include "ir/offload/legalize_unaligned.h"
#include "ir/offload/plan_internal.h"
#include "ir/offload/trap_tails.h"
#include "ir/offload/twofold.h"

#include <string.h>

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

/* What an instruction counts in the estimate: on a GPU, vectors are scalars. */
static uint32_t weight(const struct ir_inst *i) {
    if (ir_is_const(i) || i->op == IR_YIELD)
        return 0;
    bool vector = i->nresults && i->results[0].type == IR_V128;
    for (uint32_t k = 0; k < i->noperands; k++)
        vector |= i->operands[k]->type == IR_V128;
    return vector ? 4 : 1;
}

uint32_t plan_own_ops(const struct ir_region *r) {
    uint32_t n = 0;
    ir_foreach_inst (i, r) {
        n += weight(i);
        if (i->op != IR_LOOP)
            ir_foreach_region (inner, i)
                n += plan_own_ops(inner);
    }
    return n;
}

bool plan_trip_slots(struct plan *p, const struct aff_trip *t, struct off_dim *d) {
    d->rel = t->rel;
    d->bits = t->bits;
    d->top_tested = t->top_tested;
    return plan_expr_slot(p, t->init, &d->init_slot) && plan_expr_slot(p, t->step, &d->step_slot) &&
           plan_expr_slot(p, t->bound, &d->bound_slot);
}

/* The conditions known before the nest under which `i` is reached, as a slot; OFF_NO_SLOT when there are none. */
/* What control coming out of `side` of an `if` at its end says: none of the branches away from there was taken, unless
 * control came out of the other side.
 *
 *     if %c { vector loop; br_if %all, OUT ... }      remainder loop: reached when %c is zero or %all is
 */
static void add_side_conds(struct plan *p, const struct ir_inst *around, unsigned side, struct plan_cond *conds,
                           uint32_t *n) {
    struct ir_value *taken = aff_known_cond(p->aff, around->operands[0]);
    if (!taken)
        return;
    ir_foreach_inst (i, around->regions[side]) {
        if (*n == PLAN_MAX_CONDS || ((i->op == IR_BR_IF || i->op == IR_BR) && i->target == around))
            return;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (ir_branches_to(i->regions[k], around))
                return; /* what comes behind may have been skipped */
        struct ir_value *left = i->op == IR_BR_IF ? aff_known_cond(p->aff, i->operands[0]) : NULL;
        if (left)
            conds[(*n)++] = (struct plan_cond){taken, side == 1, left};
    }
}

static uint32_t when_slot(struct plan *p, const struct ir_inst *i) {
    struct plan_cond conds[PLAN_MAX_CONDS];
    uint32_t n = 0;
    for (const struct ir_inst *at = i; at != p->root->inst && n < PLAN_MAX_CONDS; at = at->parent->parent) {
        for (const struct ir_inst *b = at->prev; b && n < PLAN_MAX_CONDS; b = b->prev) {
            if (b->op == IR_BR_IF && aff_known_cond(p->aff, b->operands[0]))
                conds[n++] = (struct plan_cond){aff_known_cond(p->aff, b->operands[0]), false, NULL};
            for (unsigned side = 0; b->op == IR_IF && side < 2; side++)
                add_side_conds(p, b, side, conds, &n);
        }
        const struct ir_inst *around = at->parent->parent;
        if (around->op == IR_IF && n < PLAN_MAX_CONDS && aff_known_cond(p->aff, around->operands[0]))
            conds[n++] =
                (struct plan_cond){aff_known_cond(p->aff, around->operands[0]), at->parent == around->regions[0], NULL};
    }
    if (!n)
        return OFF_NO_SLOT;
    struct plan_cond *copy = arena_array(p->arena, struct plan_cond, n);
    memcpy(copy, conds, n * sizeof conds[0]);
    return plan_slot_of(p, (struct plan_slot){.kind = PLAN_SLOT_ALL, .conds = copy, .nconds = n});
}

int plan_new_dim(struct plan *p, struct loop *l, int sym) {
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
    struct off_dim varying = {0};
    if (!plan_vary(p, l, &varying))
        varying = (struct off_dim){0};
    d = dim_of_loop(p, l);
    if (d >= 0) /* it was met again on the way to its own bounds */
        return d;
    d = plan_new_dim(p, l, aff_iter_sym(p->aff, l));
    if (d < 0)
        return -1;
    struct off_dim *desc = &p->dims[d].desc;
    struct aff_trip trip;
    desc->wasm_offset = l->inst->wasm_offset;
    desc->parent = (int8_t)parent_dim(p, l->parent);
    desc->ops = plan_own_ops(l->inst->regions[0]);
    desc->when_slot = when_slot(p, l->inst);
    if (varying.varying) {
        desc->varying = true;
        desc->rel = varying.rel;
        desc->entered = varying.entered;
        desc->top_tested = varying.top_tested;
        desc->step_slot = varying.step_slot;
        desc->init_range = varying.init_range;
        desc->bound_range = varying.bound_range;
        return d;
    }
    desc->unbounded =
        !(aff_trip_of(p->aff, l, &trip) && aff_is_invariant(p->aff, trip.init) && aff_is_invariant(p->aff, trip.step) &&
          aff_is_invariant(p->aff, trip.bound) && plan_trip_slots(p, &trip, desc));
    return d;
}

static int pseudo_dim(struct plan *p, int sym, enum off_trip_rel rel, uint64_t constant, uint32_t wasm_offset) {
    int d = plan_new_dim(p, NULL, sym);
    if (d < 0)
        return -1;
    p->dims[d].desc.rel = rel;
    p->dims[d].desc.constant = constant;
    p->dims[d].desc.wasm_offset = wasm_offset;
    p->dims[d].desc.parent = 0;
    return d;
}

int plan_range_dim(struct plan *p, int sym, uint32_t range, uint32_t wasm_offset) {
    return pseudo_dim(p, sym, OFF_TRIP_RANGE, range, wasm_offset);
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
            return p->reject ? false : plan_reject(p, OFF_REJECT_TOO_COMPLEX, NULL, "more than 20 dimensions");
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
        if (strides[d] && !plan_expr_slot(p, strides[d], &out_strides[d]))
            return false;
    }
    return plan_expr_slot(p, base, out_base);
}

static int add_range(struct plan *p, struct off_range r) {
    if (p->nranges == OFF_MAX_RANGES) {
        (void)plan_reject(p, OFF_REJECT_TOO_COMPLEX, NULL, "more than 64 ranges");
        return -1;
    }
    p->ranges[p->nranges] = r;
    return (int)p->nranges++;
}

static int range_of_value(struct plan *p, struct ir_value *v, uint32_t shift);

/* The range of one side of a minimum or maximum. */
int plan_range_of_expr(struct plan *p, const struct aff *a) {
    uint32_t s = a->nterms == 1 && a->terms[0].degree == 1 && a->terms[0].coef == 1 ? a->terms[0].syms[0] : UINT32_MAX;
    if (s != UINT32_MAX && aff_sym(p->aff, s)->kind == AFF_RANGE)
        return range_of_value(p, aff_sym(p->aff, s)->value, aff_sym(p->aff, s)->which);
    const struct aff *base = NULL, *strides[OFF_MAX_DIMS] = {0};
    struct off_range r = {.op = OFF_RANGE_AFFINE};
    if (!linearise(p, a, &base, strides) || !linear_slots(p, base, strides, &r.base_slot, r.stride_slot))
        return -1;
    for (uint32_t d = 0; d < p->ndims; d++)
        if (strides[d] && p->dims[d].desc.unbounded)
            return -1;
    return add_range(p, r);
}

/* The range `op` of two others, either of which may be -1: there is none. */
int plan_combine_ranges(struct plan *p, enum off_range_op op, int a, int b) {
    if (a < 0 || b < 0)
        return -1;
    struct off_range r = {.op = op, .a = (uint32_t)a, .b = (uint32_t)b, .base_slot = OFF_NO_SLOT};
    memset(r.stride_slot, 0xff, sizeof r.stride_slot); /* OFF_NO_SLOT */
    return add_range(p, r);
}

static int range_of_side(struct plan *p, const struct aff_side *s) {
    int r = plan_range_of_expr(p, s->value);
    if (r >= 0 && s->restriction)
        r = plan_combine_ranges(p, (enum off_range_op)s->restriction, r, plan_range_of_expr(p, s->bound));
    if (r >= 0 && s->extremum)
        r = plan_combine_ranges(p, (enum off_range_op)s->extremum, r, plan_range_of_expr(p, s->limit));
    return r;
}

/* Of the value shifted right by `shift` bits, which is 0 but for constant ranges. */
static int range_of_value(struct plan *p, struct ir_value *v, uint32_t shift) {
    struct aff_range r;
    if (!aff_range_of(p->aff, v, &r))
        return -1;
    if (r.op == OFF_RANGE_SHIFT || r.op == OFF_RANGE_SHIFT_U) {
        int of = plan_range_of_expr(p, r.a);
        struct off_range out = {.op = (enum off_range_op)r.op, .lo = r.lo, .a = (uint32_t)of, .b = (uint32_t)of};
        out.base_slot = OFF_NO_SLOT;
        memset(out.stride_slot, 0xff, sizeof out.stride_slot);
        return of < 0 ? -1 : add_range(p, out);
    }
    if (r.op == OFF_RANGE_CONST) {
        struct off_range out = {
            .op = OFF_RANGE_CONST, .lo = r.lo >> shift, .hi = r.hi >> shift, .base_slot = OFF_NO_SLOT};
        memset(out.stride_slot, 0xff, sizeof out.stride_slot);
        return add_range(p, out);
    }
    bool sides = r.op == OFF_RANGE_UNION;
    int a = sides ? range_of_side(p, &r.sides[0]) : plan_range_of_expr(p, r.a);
    int b = a < 0 ? -1 : sides ? range_of_side(p, &r.sides[1]) : plan_range_of_expr(p, r.b);
    return plan_combine_ranges(p, (enum off_range_op)r.op, a, b);
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
    int range = range_of_value(p, s->value, s->which);
    return range < 0 ? -1 : plan_range_dim(p, (int)sym, (uint32_t)range, s->value->def->wasm_offset);
}

/* Loops that no address depends on still cost time; they are entered last, as far as there is room. */
void plan_add_cost_dims(struct plan *p, struct loop *l) {
    for (struct loop *c = l->first_child; c; c = c->next) {
        int d = inner_dim(p, c);
        if (d < 0 || p->dims[d].desc.unbounded)
            p->long_loop = true;
        plan_add_cost_dims(p, c);
    }
}

/* ---- 4. accesses ---- */

/* A load whose address is not known before the nest: the inspector checks each of its addresses. */
static bool add_gather(struct plan *p, struct ir_inst *i) {
    uint64_t reach = i->mem.offset + ir_info(i)->bytes;
    if (p->ngathers == OFF_MAX_ACCESSES)
        return plan_reject(p, OFF_REJECT_TOO_COMPLEX, i, "more than 192 checked loads");
    *arena_push(p->arena, p->gathers, p->ngathers, p->gathers_cap) = i;
    p->gather_reach = reach > p->gather_reach ? reach : p->gather_reach;
    return true;
}

/* Whether range `index` holds so many values, any of them for all one knows, that they may well cover other arrays. */
static bool is_wide(const struct plan *p, uint32_t index) {
    const struct off_range *r = &p->ranges[index];
    switch (r->op) {
    case OFF_RANGE_CONST:
        return (int64_t)r->hi - r->lo >= PLAN_WIDE_RANGE;
    case OFF_RANGE_AFFINE:
        for (uint32_t d = 0; d < p->ndims; d++)
            if (r->stride_slot[d] != OFF_NO_SLOT && p->dims[d].desc.rel == OFF_TRIP_RANGE &&
                is_wide(p, (uint32_t)p->dims[d].desc.constant))
                return true;
        return false;
    case OFF_RANGE_UNION:
        return is_wide(p, r->a) || is_wide(p, r->b);
    case OFF_RANGE_SHIFT:
    case OFF_RANGE_SHIFT_U:
        return is_wide(p, r->a);
    default: /* one bounds the other */
        return is_wide(p, r->a) && is_wide(p, r->b);
    }
}

static bool ranges_widely(const struct plan *p, const struct plan_access *x) {
    for (uint32_t d = 0; d < p->ndims; d++) {
        const struct off_dim *dim = &p->dims[d].desc;
        if (x->strides[d] && dim->rel == OFF_TRIP_RANGE && is_wide(p, (uint32_t)dim->constant))
            return true;
    }
    return false;
}

/* Access `i` moves with a loop inside the nest that runs nobody knows how often: because its count differs from one
 * outer iteration to the next, or because it has none. */
static bool reject_unbounded(struct plan *p, struct loop *l, const struct ir_inst *i) {
    struct aff_trip trip;
    if (aff_trip_of(p->aff, l, &trip))
        return plan_reject(p, OFF_REJECT_VARYING_TRIP_COUNT, l->test, NULL);
    return plan_reject(p, OFF_REJECT_UNBOUNDED_ACCESS, i, NULL);
}

/* off_access.copy of an access; false: it cannot be told. */
static bool find_copy(const struct plan *p, const struct ir_inst *i, uint8_t *out) {
    const struct ir_inst *copy = twofold_around(i), *loop = i->parent->parent;
    *out = 0;
    while (copy && loop != copy && loop->op != IR_LOOP)
        loop = loop->parent->parent;
    if (!copy || loop == copy)
        return true; /* a single byte */
    for (uint32_t d = 0; d < p->ndims; d++)
        if (p->dims[d].loop && p->dims[d].loop->inst == loop)
            *out = (uint8_t)(d + 1);
    return *out != 0;
}

bool plan_place_access(struct plan *p, struct plan_access *x, const struct aff *a,
                       const struct aff *const more[OFF_MAX_DIMS]) {
    memset(x->strides, 0, sizeof x->strides);
    if (!linearise(p, a, &x->base, x->strides))
        return false;
    for (uint32_t d = 0; d < p->ndims; d++) {
        if (more[d])
            x->strides[d] = more[d];
        if (x->strides[d] && p->dims[d].desc.unbounded)
            return false;
    }
    return linear_slots(p, x->base, x->strides, &x->desc.base_slot, x->desc.stride_slot);
}

/* Of a load, the reason does not matter: see add_access. */
static bool add_affine(struct plan *p, struct ir_inst *i, const struct aff *a) {
    bool store = ir_is_store(i);
    if (!a)
        return plan_reject(p, OFF_REJECT_ADDRESS_STORE, i, NULL);
    if (p->naccesses == OFF_MAX_ACCESSES)
        return plan_reject(p, OFF_REJECT_TOO_COMPLEX, i, "more than 192 loads and stores");
    struct plan_access *x = arena_push(p->arena, p->accesses, p->naccesses, p->accesses_cap);
    *x = (struct plan_access){.inst = i,
                              .desc = {.write = store,
                                       .bytes = ir_info(i)->bytes,
                                       .align = (uint8_t)legalize_access_align(i),
                                       .offset = i->mem.offset,
                                       .wasm_offset = i->wasm_offset}};
    x->desc.declared = p->declared && declare_holds(i->parent->func->module, i->wasm_offset);
    if (!linearise(p, a, &x->base, x->strides))
        return p->reject ? false : plan_reject(p, OFF_REJECT_ADDRESS_STORE, i, "not linear in the loop counters");
    for (uint32_t d = 0; d < p->ndims; d++)
        if (x->strides[d] && p->dims[d].desc.unbounded)
            return reject_unbounded(p, p->dims[d].loop, i);
    x->desc.when_slot = when_slot(p, i);
    if (!find_copy(p, i, &x->desc.copy))
        return plan_reject(p, OFF_REJECT_TOO_COMPLEX, i, NULL);
    return linear_slots(p, x->base, x->strides, &x->desc.base_slot, x->desc.stride_slot);
}

static bool add_access(struct plan *p, struct ir_inst *i) {
    uint32_t ndims = p->ndims, nranges = p->nranges, nslots = p->nslots, naccesses = p->naccesses;
    bool ok = add_affine(p, i, aff_of(p->aff, i->operands[0]));
    if (ir_is_store(i) || (ok && !ranges_widely(p, &p->accesses[naccesses])))
        return ok;
    p->ndims = ndims;
    p->nranges = nranges;
    p->nslots = nslots;
    p->naccesses = naccesses;
    p->reject = OFF_REJECT_NONE;
    return add_gather(p, i);
}

bool plan_add_load_at(struct plan *p, struct ir_inst *inst, const struct aff *a) {
    uint32_t index = p->naccesses;
    if (!a || !add_affine(p, inst, a))
        return false;
    p->accesses[index].desc.when_slot = OFF_NO_SLOT;
    return true;
}

bool plan_add_accesses(struct plan *p, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if ((ir_is_load(i) || ir_is_store(i)) && !trap_tail_holds(i) && !add_access(p, i))
            return false;
        if (ir_stops_kernel(i))
            return true;
        ir_foreach_region (inner, i)
            if (!plan_add_accesses(p, inner))
                return false;
    }
    return true;
}
