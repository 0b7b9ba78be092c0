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
 * for its full count, a choice to go both ways, a ranged value to take every value of its
 * range.  So the guard's ranges contain every byte that the kernel can touch.
 */
#include "ir/offload/plan_internal.h"

#include "ir/offload/declare.h"

#include <string.h>

#include "ir/util/ice.h"

enum {
    MAX_NEST_DEPTH = 8,  /* affine analysis is exponential in it */
    FEW_ITERATIONS = 32, /* a constant count below this is no parallelism for a GPU */
};

bool plan_reject(struct plan *p, enum off_reject why, const struct ir_inst *at, const char *detail) {
    ICE_UNLESS(p->root->inst != NULL);
    p->reject = why;
    p->at = at ? at->wasm_offset : p->root->inst->wasm_offset;
    p->detail = detail;
    p->hint = NULL;
    return false;
}

/* ---- slots ---- */

static bool same_slot(const struct plan_slot *a, const struct plan_slot *b) {
    if (a->kind != b->kind || a->value != b->value || a->is_signed != b->is_signed || a->lane != b->lane ||
        a->nconds != b->nconds)
        return false;
    if (a->kind == PLAN_SLOT_EXPR || a->kind == PLAN_SLOT_IS_ZERO || a->kind == PLAN_SLOT_MEMORY)
        return aff_equal(a->expr, b->expr);
    for (uint32_t i = 0; i < a->nconds; i++)
        if (a->conds[i].value != b->conds[i].value || a->conds[i].nonzero != b->conds[i].nonzero ||
            a->conds[i].or_zero != b->conds[i].or_zero)
            return false;
    return true;
}

/* OFF_NO_SLOT when there are too many. */
uint32_t plan_slot_of(struct plan *p, struct plan_slot s) {
    for (uint32_t i = 0; i < p->nslots; i++)
        if (same_slot(&p->slots[i], &s))
            return i;
    if (p->nslots == OFF_MAX_SLOTS)
        return OFF_NO_SLOT;
    p->slots[p->nslots] = s;
    return p->nslots++;
}

bool plan_expr_slot(struct plan *p, const struct aff *a, uint32_t *out_slot) {
    *out_slot = plan_slot_of(p, (struct plan_slot){.kind = PLAN_SLOT_EXPR, .expr = a});
    return *out_slot != OFF_NO_SLOT || plan_reject(p, OFF_REJECT_TOO_COMPLEX, NULL, NULL);
}

bool plan_require(struct plan *p, struct plan_slot s) {
    uint32_t slot = plan_slot_of(p, s);
    if (slot == OFF_NO_SLOT)
        return plan_reject(p, OFF_REJECT_TOO_COMPLEX, NULL, NULL);
    for (uint32_t i = 0; i < p->nconditions; i++)
        if (p->conditions[i] == slot)
            return true;
    p->conditions[p->nconditions++] = slot;
    return true;
}

/* ---- 6. after the loop ---- */

/* The polynomial, when it depends on nothing in the nest but the root's iteration; else NULL. */
static const struct aff *of_root_only(struct plan *p, const struct aff *a) {
    int iter = aff_iter_sym(p->aff, p->root);
    for (uint32_t t = 0; a && t < a->nterms; t++)
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            uint32_t s = a->terms[t].syms[d];
            if (aff_sym(p->aff, s)->kind != AFF_VALUE && (int)s != iter)
                return NULL;
        }
    return a;
}

static struct plan_access *access_of(struct plan *p, const struct ir_inst *i) {
    for (uint32_t k = 0; k < p->naccesses; k++)
        if (p->accesses[k].inst == i && !p->accesses[k].delayed)
            return &p->accesses[k];
    return NULL;
}

/* What a load gave in the last iteration of a loop tested at its bottom can be loaded again after the launch, as long
 * as the launch does not write there: compilers hand the last element of an unrolled loop to its remainder. */
static bool load_again(struct plan *p, struct plan_final *f) {
    struct ir_inst *i = f->value->def;
    bool bottom = p->root->shape == LOOP_BOTTOM_YIELD || p->root->shape == LOOP_BOTTOM_BREAK;
    if (!bottom || !i || !ir_is_load(i) || !access_of(p, i) || access_of(p, i)->private_group)
        return false;
    f->load = i;
    f->expr = of_root_only(p, aff_of(p->aff, i->operands[0]));
    return f->expr != NULL;
}

/* The result of a reduction is the value of the parameter when a test on top fails, of the next iteration's when one at
 * the bottom does. */
static bool result_of_reduce(struct plan *p, struct plan_final *f) {
    bool bottom = p->root->shape == LOOP_BOTTOM_YIELD || p->root->shape == LOOP_BOTTOM_BREAK;
    for (uint32_t k = 0; k < p->nreduces; k++) {
        const struct plan_reduce *r = &p->reduces[k];
        if (!r->param || f->value != (bottom ? r->next : r->param))
            continue;
        f->reduce = k + 1;
        return true;
    }
    return false;
}

/* Of a vector that moves, the value in the last iteration or that for the next one. */
static bool result_of_motion(struct plan *p, struct plan_final *f) {
    bool bottom = p->root->shape == LOOP_BOTTOM_YIELD || p->root->shape == LOOP_BOTTOM_BREAK;
    struct ir_region *body = p->root->inst->regions[0];
    for (uint32_t k = 0; k < body->nparams; k++) {
        struct plan_motion motion;
        if (f->value->type != IR_V128 || !plan_find_motion(p, p->root, k, &motion) ||
            (f->value != body->params[k] && !(bottom && f->value == loop_next_value(p->root, k))))
            continue;
        f->moved = k + 1;
        return true;
    }
    return false;
}

static bool add_final(struct plan *p, struct ir_value *v) {
    struct plan_final *f = &p->finals[p->nfinals++];
    *f = (struct plan_final){.value = v};
    if (!loop_contains_value(p->root, v) || result_of_reduce(p, f) || result_of_motion(p, f))
        return true;
    f->expr = of_root_only(p, aff_of(p->aff, v));
    return f->expr || load_again(p, f) ||
           plan_reject(p, OFF_REJECT_LIVE_OUT, v->def,
                       v->def
                           ? arena_printf(p->text, "the %s that %s gives", ir_type_name[v->type], ir_info(v->def)->text)
                           : NULL);
}

static void mark_rereads(struct plan *p) {
    for (uint32_t i = 0; i < p->naccesses; i++)
        if (p->accesses[i].reread && p->accesses[i].desc.stream != OFF_NO_STREAM)
            p->streams[p->accesses[i].desc.stream].reread = true;
    for (uint32_t i = 0; i < p->nfinals; i++)
        if (p->finals[i].load)
            p->streams[access_of(p, p->finals[i].load)->desc.stream].reread = true;
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

static bool add_reduce_slots(struct plan *p) {
    for (uint32_t k = 0; k < p->nreduces; k++) {
        struct plan_reduce *r = &p->reduces[k];
        if (!r->param)
            continue;
        struct ir_value *init = p->root->inst->operands[r->param->index];
        for (uint32_t half = 0; half < (r->type == IR_V128 ? 2u : 1u); half++) {
            enum plan_slot_kind kind = r->type == IR_V128 ? PLAN_SLOT_HALF : PLAN_SLOT_VALUE;
            uint32_t slot = plan_slot_of(p, (struct plan_slot){.kind = kind, .value = init, .lane = half});
            if (slot == OFF_NO_SLOT)
                return plan_reject(p, OFF_REJECT_TOO_COMPLEX, NULL, NULL);
            r[half].desc.init_slot = slot;
        }
    }
    return plan_private_slots(p);
}

/* ---- the whole ---- */

static uint32_t nest_depth(const struct loop *l) {
    uint32_t deepest = 0;
    for (const struct loop *c = l->first_child; c; c = c->next) {
        uint32_t d = nest_depth(c);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + 1;
}

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
        p->axis_of[c] = c == x || p->flat ? 0 : axis++;
    for (uint32_t c = 0; c < p->nchain; c++)
        p->dims[c].desc.axis = (int8_t)p->axis_of[c];
}

static bool add_chain_dims(struct plan *p) {
    for (uint32_t c = 0; c < p->nchain; c++) {
        struct loop *l = p->chain[c];
        struct aff_trip trip;
        int d = plan_new_dim(p, l, aff_iter_sym(p->aff, l));
        struct off_dim *desc = &p->dims[d].desc;
        if (!aff_trip_of(p->aff, l, &trip) || !plan_trip_slots(p, &trip, desc))
            return p->reject ? false : plan_reject(p, OFF_REJECT_NO_TRIP_COUNT, l->inst, NULL);
        desc->parallel = true;
        desc->parent = (int8_t)(c - 1);
        desc->ops = plan_own_ops(l->inst->regions[0]);
        desc->wasm_offset = l->inst->wasm_offset;
    }
    return true;
}

static bool check_size(struct plan *p) {
    uint64_t points = 1;
    for (uint32_t c = 0; c < p->nchain; c++) {
        struct aff_trip trip;
        uint64_t n = aff_trip_of(p->aff, p->chain[c], &trip) ? plan_constant_trip(&trip) : 0;
        if (!n || n > FEW_ITERATIONS)
            return true;
        points *= n;
    }
    return points > FEW_ITERATIONS || !p->chain[p->nchain - 1]->first_child ||
           plan_reject(p, OFF_REJECT_FEW_ITERATIONS, p->root->inst,
                       arena_printf(p->text, "at most %llu", (unsigned long long)points));
}

/* What is read before the nest needs no binding; which loads those are is known once nobody asks for values any more.
 * A delayed load is there besides the load itself, in the kernel. */
static void mark_hoisted(struct plan *p) {
    aff_end_hoisting(p->aff);
    for (uint32_t i = 0; i < p->naccesses; i++) {
        struct plan_access *x = &p->accesses[i];
        if (plan_is_sink(p, x->inst) || (!x->desc.write && !x->delayed && aff_hoist_of(p->aff, x->inst, false)))
            x->desc.stream = OFF_NO_STREAM;
    }
}

/* One attempt with at most `max_chain` grid dimensions.  A smaller *out_chain asks for another attempt with that. */
static bool plan_attempt(struct plan *p, uint32_t max_chain, uint32_t *out_chain) {
    p->ngathers = p->nchecked = p->ndelays = p->nprivates = 0;
    if (p->flat) { /* what plan_find_privates has made of an earlier attempt */
        p->flat = p->in_order = false;
        p->nreduces = 0;
    }
    p->gather_reach = 0;
    p->ndims = p->naccesses = p->nslots = p->nconditions = p->nfinals = p->nranges = 0;
    p->long_loop = false;
    p->chain[0] = p->root;
    p->nchain = 1;
    struct plan_scan scan = {0};
    if (!plan_check_body(p, &scan, p->root->inst->regions[0]))
        return false;
    while (p->nchain < max_chain && plan_extend_chain(p))
        ;
    p->reject = OFF_REJECT_NONE; /* what plan_extend_chain tried in vain is no reason */
    if (!check_size(p) || !add_chain_dims(p) || !plan_add_accesses(p, p->root->inst->regions[0]) || !plan_add_delays(p))
        return false;
    plan_find_privates(p);
    *out_chain = plan_parallel_chain(p);
    return *out_chain == p->nchain;
}

/* Whether the count is a number below 16 whatever happens: what an unrolled loop leaves over. */
static bool is_remainder(struct plan *p, const struct aff *count) {
    const struct aff_term *t = count->nterms == 1 ? &count->terms[0] : NULL;
    if (!t || t->degree != 1 || t->coef != 1 || aff_sym(p->aff, t->syms[0])->kind != AFF_VALUE)
        return false;
    const struct ir_inst *i = aff_sym(p->aff, t->syms[0])->value->def;
    const union ir_bits *mask = i && i->op == IR_I32_AND ? ir_const_of(i->operands[1]) : NULL;
    return mask && mask->i32 < 16;
}

/* What the last iteration computes is left to the rest of a split loop. */
static bool split_finals(struct plan *p) {
    enum off_reject why = p->reject;
    uint32_t at = p->at;
    if (why != OFF_REJECT_LIVE_OUT || p->nreduces || p->nprivates || p->declared || !plan_may_split(p) ||
        !plan_split(p)) {
        p->splits = false;
        p->reject = why;
        p->at = at;
        return false;
    }
    p->reject = OFF_REJECT_NONE;
    p->nfinals = 0;
    return true;
}

/* Kernels leave what they reduce in a stream, which they address like memory 0. */
static bool has_kernel_memory(const struct ir_module *m) {
    return m->nmemories > 0 && !m->memories[0].limits.is64 && !m->memories[0].limits.shared;
}

static bool plan_whole(struct plan *p, struct loop *root) {
    if (nest_depth(root) > MAX_NEST_DEPTH)
        return plan_reject(p, OFF_REJECT_TOO_COMPLEX, root->inst, "more than 8 loops inside each other");
    plan_find_restored(p);
    struct plan_scan scan = {0};
    if (!plan_check_body(p, &scan, root->inst->regions[0]))
        return false;
    p->aff = aff_begin(p->arena, root);
    struct aff_trip trip;
    p->declared = declare_is_marked(root->inst);
    if (!plan_find_reduces(p) && p->marks && scan.stores && !p->declared)
        (void)plan_may_split(p); /* when in vain, the next line says why */
    if (!plan_check_parallel(p, root, &trip))
        return false;
    if (p->nreduces && trip.rel == OFF_TRIP_NE && (is_remainder(p, trip.init) || is_remainder(p, trip.bound)) &&
        !root->first_child)
        return plan_reject(p, OFF_REJECT_FEW_ITERATIONS, root->inst, "what an unrolled loop leaves over");
    if (!scan.stores && (!p->nreduces || !has_kernel_memory(root->inst->parent->func->module)))
        return plan_reject(p, OFF_REJECT_NO_STORE, root->inst, NULL);
    p->chain[0] = root;
    p->nchain = 1;
    if (!plan_params_follow_grid(p, root))
        return plan_reject(p, OFF_REJECT_RECURRENCE, root->inst, NULL);
    uint32_t max_chain = p->declared ? 1 : OFF_MAX_GRID, chain = max_chain;
    while (!plan_attempt(p, max_chain, &chain)) {
        if (!chain || chain >= max_chain)
            return false;
        max_chain = chain;
        p->reject = OFF_REJECT_NONE;
    }
    if (p->nsinks && p->ngathers)
        return plan_reject(p, OFF_REJECT_REDUCTION_INT, root->inst, "kept in memory, beside loads that may read it");
    if ((p->splits ? !plan_split(p) : !add_finals(p) && !split_finals(p)) || !add_reduce_slots(p))
        return false;
    for (const struct aff_equality *e = aff_equalities(p->aff); e; e = e->next) {
        const struct aff *difference = aff_sub(p->aff, e->a, e->b);
        if (!difference)
            return plan_reject(p, OFF_REJECT_TOO_COMPLEX, root->inst, NULL);
        if (!plan_require(p, (struct plan_slot){.kind = PLAN_SLOT_IS_ZERO, .expr = difference}))
            return false;
    }
    plan_clip_loads(p);
    plan_add_cost_dims(p, root);
    p->reject = OFF_REJECT_NONE; /* cost dimensions are best effort */
    mark_hoisted(p);
    for (uint32_t i = 0; i < p->naccesses; i++)
        if (p->accesses[i].private_group && p->accesses[i].desc.stream == OFF_NO_STREAM)
            return plan_reject(p, OFF_REJECT_CARRIED_MEMORY, p->accesses[i].inst,
                               "every iteration writes the same place");
    if (!plan_assign_streams(p))
        return plan_reject(p, OFF_REJECT_TOO_COMPLEX, root->inst, "more private arrays than a kernel takes");
    mark_rereads(p);
    choose_axes(p);
    return true;
}

bool plan_nest(struct plan *p, struct arena *scratch, struct arena *text, struct loop *root) {
    *p = (struct plan){.arena = scratch, .text = text, .root = root};
    if (plan_whole(p, root))
        return true;
    struct aff_trip trip;
    if (!p->splits)
        return false;
    p->splits = false; /* that splitting did not work out is no reason; the serial value is */
    p->reject = OFF_REJECT_NONE;
    return plan_check_parallel(p, root, &trip) && plan_reject(p, OFF_REJECT_RECURRENCE, root->inst, NULL);
}

bool plan_is_short(const struct plan *p) {
    uint64_t points = 1;
    for (uint32_t c = 0; c < p->nchain; c++) {
        struct aff_trip trip;
        uint64_t n = aff_trip_of(p->aff, p->chain[c], &trip) ? plan_constant_trip(&trip) : 0;
        if (!n || n > FEW_ITERATIONS)
            return false;
        points *= n;
    }
    return points <= FEW_ITERATIONS;
}

void plan_end(struct plan *p) {
    if (p->aff)
        aff_end(p->aff);
    p->aff = NULL;
}
