/* Finds the reductions of a root loop; reduce.h says what they are and why they may be split.
 *
 * 1. Every value in the loop that depends on a carried value which is neither a polynomial nor a delay is marked.
 * 2. Each such carried value is tried as OP: a closure of values, from the parameter through operations of one kind,
 *    selects, merges and inner loops, back to the parameter; then as a chain of replacements (LAST, PICK, KEEP), walked
 *    from the value of the next iteration back to the parameter, through as many bodies as the loop was unrolled into.
 *    Where that fails, extremes made of several operations are looked for (reduce_extreme.c) and tried as one of OP.
 * 3. All marked values must have found a place in one of these, and nothing with an effect may use one.
 */
#include "ir/offload/reduce.h"

#include "ir/ir_effects.h"
#include "ir/offload/reduce_internal.h"

enum { MAX_ROUNDS = 16 };

const struct plan_reduce *plan_reduce_of(const struct plan *p, const struct ir_value *param) {
    for (uint32_t k = 0; k < p->nreduces; k++)
        if (p->reduces[k].param == param)
            return &p->reduces[k];
    return NULL;
}

bool plan_is_sink(const struct plan *p, const struct ir_inst *i) {
    for (uint32_t k = 0; k < p->nsinks; k++)
        if (p->sinks[k].store == i)
            return true;
    return false;
}

/* ---- values that flow through labels ---- */

typedef bool pass_fn(struct reduce_finder *f, struct ir_value *from, struct ir_value *to);

static bool pass_to_label(struct reduce_finder *f, const struct ir_inst *label, struct ir_value *const *values,
                          pass_fn *fn) {
    if (label != f->l->inst && !loop_contains_inst(f->l, label))
        return true; /* leaves the loop */
    for (uint32_t k = 0; k < ir_label_arity(label); k++)
        if (!fn(f, values[k], label->op == IR_LOOP ? label->regions[0]->params[k] : &label->results[k]))
            return false;
    return true;
}

/* Calls `fn` for everything that the instruction hands to a parameter or result inside the loop. */
static bool each_pass(struct reduce_finder *f, struct ir_inst *i, pass_fn *fn) {
    uint32_t at = 1;
    switch (i->op) {
    case IR_LOOP:
        for (uint32_t k = 0; k < i->noperands; k++)
            if (!fn(f, i->operands[k], i->regions[0]->params[k]))
                return false;
        return true;
    case IR_YIELD:
        if (i->parent->parent == f->l->inst)
            return true;
        for (uint32_t k = 0; k < i->noperands; k++)
            if (!fn(f, i->operands[k], &i->parent->parent->results[k]))
                return false;
        return true;
    case IR_BR:
        return pass_to_label(f, i->target, i->operands, fn);
    case IR_BR_IF:
        return pass_to_label(f, i->target, i->operands + 1, fn);
    case IR_BR_TABLE:
        for (uint32_t k = 0; k < i->ntargets; at += ir_label_arity(i->targets[k++]))
            if (!pass_to_label(f, i->targets[k], i->operands + at, fn))
                return false;
        return true;
    default:
        return true;
    }
}

static bool is_merge(const struct ir_inst *i) {
    return ir_nregions(i) || i->op == IR_YIELD || ir_has_flag(i, IR_FLAG_BRANCH);
}

/* ---- 1. what depends on a candidate ---- */

static bool is_pure(const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_IF) {
            if (!is_pure(i->regions[0]) || !is_pure(i->regions[1]))
                return false;
        } else if (i->op != IR_YIELD && i->op != IR_SELECT && !ir_is_const(i) && !ir_is_load(i) &&
                   ir_info(i)->kind != IR_KIND_SIMPLE && ir_info(i)->kind != IR_KIND_LANES) {
            return false;
        }
    }
    return true;
}

/* Whether there are no effects in a region of `block`, and no branch out of the block. */
static bool stays_inside(const struct ir_inst *block, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_BR || i->op == IR_BR_IF) {
            const struct ir_inst *at = i->target;
            while (at != block && at->parent->parent)
                at = at->parent->parent;
            if (at != block)
                return false;
        } else if (i->op == IR_IF || i->op == IR_BLOCK) {
            ir_foreach_region (inner, i)
                if (!stays_inside(block, inner))
                    return false;
        } else if (i->op != IR_YIELD && i->op != IR_SELECT && !ir_is_const(i) && !ir_is_load(i) &&
                   ir_info(i)->kind != IR_KIND_SIMPLE && ir_info(i)->kind != IR_KIND_LANES) {
            return false;
        }
    }
    return true;
}

/* The outermost block around the branch that only decides what it gives; NULL: there is none. */
static const struct ir_inst *block_around(const struct reduce_finder *f, const struct ir_inst *branch) {
    const struct ir_inst *found = NULL, *at = branch->parent->parent;
    for (; f->blocks && at && at->op != IR_LOOP; at = at->parent->parent)
        if (at->op == IR_BLOCK && stays_inside(at, at->regions[0]))
            found = at;
    return found;
}

/* All that a decision inside `block` may change: what it and the labels between give. */
static void mark_decided(struct reduce_finder *f, const struct ir_inst *branch, const struct ir_inst *block) {
    for (const struct ir_inst *at = branch;; at = at->parent->parent) {
        for (uint32_t k = 0; k < at->nresults; k++)
            reduce_set(f, &at->results[k], DEPENDS);
        if (at == block)
            return;
    }
}

static bool pass_depends(struct reduce_finder *f, struct ir_value *from, struct ir_value *to) {
    if (reduce_has(f, from, DEPENDS))
        reduce_set(f, to, DEPENDS);
    return true;
}

/* A store in every iteration, always to the same place. */
static bool add_sink(struct reduce_finder *f, struct ir_inst *i) {
    struct plan *p = f->p;
    if (plan_is_sink(p, i))
        return true;
    bool always = i->parent == f->l->inst->regions[0] || i->parent == f->l->back->parent;
    if (!ir_is_store(i) || reduce_has(f, i->operands[0], DEPENDS) || !always || p->nsinks == PLAN_MAX_SINKS)
        return false;
    const struct aff *address = aff_of(p->aff, i->operands[0]);
    if (!address || !aff_is_invariant(p->aff, address))
        return false;
    p->sinks[p->nsinks++] = (struct plan_sink){i, address, OFF_NO_REDUCE};
    return true;
}

static bool mark_dependent(struct reduce_finder *f, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (is_merge(i)) {
            bool decides = i->op == IR_IF || i->op == IR_BR_IF || i->op == IR_BR_TABLE;
            if (decides && reduce_has(f, i->operands[0], DEPENDS)) {
                bool pure = i->op == IR_IF && is_pure(i->regions[0]) && is_pure(i->regions[1]);
                const struct ir_inst *block = pure || i->op == IR_BR_TABLE ? NULL : block_around(f, i);
                if (!pure && !block)
                    return false;
                mark_decided(f, i, pure ? i : block);
            }
            (void)each_pass(f, i, pass_depends);
        } else {
            for (uint32_t k = 0; k < i->noperands; k++) {
                if (!reduce_has(f, i->operands[k], DEPENDS))
                    continue;
                if (!i->nresults && !add_sink(f, i))
                    return false; /* stored, or the like */
                for (uint32_t n = 0; n < i->nresults; n++)
                    reduce_set(f, &i->results[n], DEPENDS);
            }
        }
        ir_foreach_region (inner, i)
            if (!mark_dependent(f, inner))
                return false;
    }
    return true;
}

/* ---- 2. OP ---- */

static bool pass_group(struct reduce_finder *f, struct ir_value *from, struct ir_value *to) {
    if (!reduce_has(f, from, GROUP) || reduce_has(f, to, EXTREME | INNER))
        return true;
    if (to->region == f->l->inst->regions[0] && to != f->param)
        return false;
    reduce_set(f, to, GROUP);
    return true;
}

static bool pass_closed(struct reduce_finder *f, struct ir_value *from, struct ir_value *to) {
    return reduce_has(f, from, GROUP) || !reduce_has(f, to, GROUP) || reduce_has(f, to, EXTREME);
}

/* Takes an operation into the closure; false when it is not the one that the others are. */
static bool take_op(struct reduce_finder *f, const struct reduce_op *op, const struct ir_value *result) {
    if (f->has_op && !reduce_same_op(op, &f->op))
        return false;
    f->op = *op;
    f->has_op = true;
    reduce_set(f, result, GROUP);
    return true;
}

/* The results of a choice that are extremes of accumulators in the closure.  *out_whole: nothing else is to be said of
 * the instruction. */
static bool grow_extremes(struct reduce_finder *f, const struct ir_inst *i, bool *out_whole) {
    *out_whole = false;
    for (uint32_t k = 0; k < i->nresults; k++) {
        const struct ir_value *v = &i->results[k];
        const struct reduce_extreme *e = reduce_extreme_of(f, v);
        *out_whole |= (e || reduce_has(f, v, INNER)) && !ir_nregions(i);
        if (!e || !reduce_has(f, e->m, GROUP))
            continue;
        struct reduce_op op = {.op = OFF_REDUCE_EXTREME, .shape = {v->type, 0}, .rule = e->rule};
        if (!take_op(f, &op, v))
            return false;
    }
    return true;
}

static bool grow_op(struct reduce_finder *f, struct ir_inst *i) {
    struct reduce_op op;
    bool a = reduce_has(f, i->operands[0], GROUP), b = i->noperands > 1 && reduce_has(f, i->operands[1], GROUP);
    return i->noperands == 2 && a != b && reduce_op_of(i, &op) && (!op.left || a) &&
           !reduce_has(f, i->operands[a ? 1 : 0], DEPENDS) && take_op(f, &op, i->results);
}

static bool is_choice(const struct ir_inst *i) {
    return i->op == IR_SELECT || i->op == IR_V128_BITSELECT;
}

/* Whether the choice takes lanes whole, as far as the operation can tell. */
static bool is_lanewise(const struct reduce_finder *f, const struct ir_inst *i) {
    bool bitwise = f->op.op == OFF_REDUCE_AND || f->op.op == OFF_REDUCE_OR || f->op.op == OFF_REDUCE_XOR;
    return i->op == IR_SELECT || bitwise || reduce_is_lane_mask(i->operands[2], f->op.shape.lane_bytes);
}

static bool grow_group(struct reduce_finder *f, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        bool any = false, whole;
        if (!grow_extremes(f, i, &whole))
            return false;
        for (uint32_t k = 0; k < i->noperands && !whole; k++)
            any |= reduce_has(f, i->operands[k], GROUP);
        if (is_merge(i)) {
            bool decides = i->op == IR_IF || i->op == IR_BR_IF || i->op == IR_BR_TABLE;
            if (decides && reduce_has(f, i->operands[0], GROUP))
                return false;
            if (!each_pass(f, i, pass_group))
                return false;
        } else if (any && is_choice(i)) {
            if (reduce_has(f, i->operands[2], DEPENDS))
                return false;
            reduce_set(f, i->results, GROUP);
        } else if (any && !plan_is_sink(f->p, i) && !grow_op(f, i)) {
            return false;
        }
        ir_foreach_region (inner, i)
            if (!grow_group(f, inner))
                return false;
    }
    return true;
}

/* Whether a decision that depends on a reduction chooses between values of the group, and not as an extreme does. */
static bool decides_group(const struct reduce_finder *f, const struct ir_inst *i) {
    bool decides = i->op == IR_IF || i->op == IR_BR_IF || i->op == IR_BR_TABLE;
    if (!decides || !reduce_has(f, i->operands[0], DEPENDS))
        return false;
    bool pure = i->op == IR_IF && is_pure(i->regions[0]) && is_pure(i->regions[1]);
    const struct ir_inst *last = pure ? i : block_around(f, i);
    for (const struct ir_inst *at = i;; at = at->parent->parent) {
        for (uint32_t k = 0; k < at->nresults; k++)
            if (reduce_has(f, &at->results[k], GROUP) && !reduce_has(f, &at->results[k], EXTREME))
                return true;
        if (!last || at == last)
            return !last;
    }
}

/* Nothing from outside comes into the group, and its merges depend on no other reduction. */
static bool is_closed(struct reduce_finder *f, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (!each_pass(f, i, pass_closed) || decides_group(f, i))
            return false;
        if (is_choice(i) && reduce_has(f, i->results, GROUP) && !reduce_has(f, i->results, EXTREME) &&
            !(reduce_has(f, i->operands[0], GROUP) && reduce_has(f, i->operands[1], GROUP) && is_lanewise(f, i)))
            return false;
        ir_foreach_region (inner, i)
            if (!is_closed(f, inner))
                return false;
    }
    return true;
}

static void settle_group(struct reduce_finder *f, bool claim) {
    uint32_t n = f->l->inst->parent->func->next_id;
    for (uint32_t k = 0; k < f->nextremes && claim; k++)
        for (uint32_t i = 0; reduce_has(f, f->extremes[k].root, GROUP) && i < f->extremes[k].ninner; i++)
            reduce_set(f, f->extremes[k].inner[i], CLAIMED);
    for (uint32_t k = 0; k < n; k++)
        if (f->marks[k] & GROUP)
            f->marks[k] = (uint8_t)((f->marks[k] & ~GROUP) | (claim ? CLAIMED : 0));
}

struct plan_reduce *reduce_new(struct plan *p, enum off_reduce_kind kind, enum ir_type type,
                               struct reduce_shape shape) {
    uint32_t n = type == IR_V128 ? 2 : 1;
    if (p->nreduces + n > OFF_MAX_REDUCES)
        return NULL;
    struct plan_reduce *r = &p->reduces[p->nreduces];
    p->nreduces += n;
    *r = (struct plan_reduce){.type = type,
                              .desc = {.kind = kind,
                                       .type = shape.type,
                                       .lane_bytes = shape.lane_bytes,
                                       .init_slot = OFF_NO_SLOT,
                                       .lead = OFF_NO_REDUCE,
                                       .flag = OFF_NO_REDUCE}};
    if (n == 2)
        r[1] = (struct plan_reduce){.desc.upper = true};
    return r;
}

/* The upper halves of vectors are like the lower ones, of the upper halves of what they refer to. */
static void describe_upper_halves(struct plan *p) {
    for (uint32_t k = 1; k < p->nreduces; k++) {
        struct off_reduce *d = &p->reduces[k].desc;
        if (!d->upper)
            continue;
        *d = p->reduces[k - 1].desc;
        d->upper = true;
        d->lead += d->lead != OFF_NO_REDUCE;
        d->flag += d->flag != OFF_NO_REDUCE;
    }
}

static bool find_op(struct reduce_finder *f, uint32_t index) {
    struct ir_region *body = f->l->inst->regions[0];
    struct ir_value *param = body->params[index], *next = loop_next_value(f->l, index);
    f->param = param;
    f->has_op = false;
    f->marks[param->id] |= GROUP;
    bool ok = true;
    f->changed = true;
    for (int round = 0; ok && f->changed; round++) {
        f->changed = false;
        ok = round < MAX_ROUNDS && grow_group(f, body);
    }
    ok = ok && f->has_op && reduce_has(f, next, GROUP) && is_closed(f, body);
    struct plan_reduce *r = ok ? reduce_new(f->p, OFF_REDUCE_OP, param->type, f->op.shape) : NULL;
    if (r) {
        r->desc.op = f->op.op;
        r->param = param;
        r->next = next;
        if (f->op.op == OFF_REDUCE_EXTREME)
            reduce_start_extreme(f, r);
        else
            r->start_bits = reduce_identity(&f->op);
    }
    settle_group(f, r != NULL);
    return r != NULL;
}

/* ---- 3. the whole ---- */

static bool all_claimed(struct reduce_finder *f, struct ir_region *r) {
    for (uint32_t k = 0; k < r->nparams; k++)
        if (reduce_has(f, r->params[k], DEPENDS) && !reduce_has(f, r->params[k], CLAIMED))
            return false;
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->nresults; k++)
            if (reduce_has(f, &i->results[k], DEPENDS) && !reduce_has(f, &i->results[k], CLAIMED))
                return false;
        ir_foreach_region (inner, i)
            if (!all_claimed(f, inner))
                return false;
    }
    return true;
}

static bool overwrites(const struct plan_sink *later, const struct plan_sink *sink) {
    return later->store->op == sink->store->op && later->store->mem.offset == sink->store->mem.offset &&
           aff_equal(later->address, sink->address);
}

/* Each sink stores the value that a reduction has after the iteration, or is overwritten in the same iteration. */
static bool settle_sinks(struct plan *p) {
    for (uint32_t k = p->nsinks; k-- > 0;) {
        struct plan_sink *sink = &p->sinks[k];
        bool ok = false;
        for (uint32_t n = k + 1; n < p->nsinks; n++)
            ok |= overwrites(&p->sinks[n], sink);
        for (uint32_t r = 0; !ok && r < p->nreduces; r++)
            if (p->reduces[r].param && p->reduces[r].next == sink->store->operands[1]) {
                sink->reduce = r;
                ok = true;
            }
        if (!ok)
            return false;
    }
    return true;
}

static bool is_candidate(struct plan *p, struct loop *l, uint32_t index) {
    struct plan_delay delay;
    struct plan_motion motion;
    return !aff_of(p->aff, l->inst->regions[0]->params[index]) && !plan_find_motion(p, l, index, &motion) &&
           !plan_find_delay(p, l, index, &delay);
}

static bool mark_all_dependent(struct reduce_finder *f) {
    bool ok = true;
    f->p->nsinks = 0;
    f->changed = true;
    for (int round = 0; ok && f->changed; round++) {
        f->changed = false;
        ok = round < MAX_ROUNDS && mark_dependent(f, f->l->inst->regions[0]);
    }
    return ok;
}

/* One try, with what extremes there are. */
static bool find_all(struct reduce_finder *f) {
    struct ir_region *body = f->l->inst->regions[0];
    bool ok = true;
    f->p->nreduces = 0;
    for (uint32_t k = 0; ok && k < body->nparams; k++) {
        if (!reduce_has(f, body->params[k], DEPENDS))
            continue;
        ok = is_candidate(f->p, f->l, k) && body->params[k]->type <= IR_V128 &&
             (find_op(f, k) || reduce_read_chain(f, k));
    }
    return ok && reduce_add_chains(f) && all_claimed(f, body) && settle_sinks(f->p);
}
/* Extremes are only looked for where there is no other way: the keys of argmin and the like are chains, though one
 * comparison is an extreme, too. */
bool plan_find_reduces(struct plan *p) {
    enum { PLAIN, EXTREMES, ALL_EXTREMES, TRIES };
    struct loop *l = p->root;
    struct ir_region *body = l->inst->regions[0];
    uint8_t *first_marks = NULL;
    uint32_t nextremes = 0;
    bool any = false, ok = false;
    p->nreduces = p->nsinks = 0;
    p->in_order = false;
    for (uint32_t k = 0; k < body->nparams; k++)
        any |= is_candidate(p, l, k);
    if (!any)
        return true;
    for (int try = PLAIN; try < TRIES && !ok; try++) {
        struct reduce_finder f = {.p = p, .l = l, .blocks = try != PLAIN};
        f.marks = arena_array(p->arena, uint8_t, body->func->next_id + 1);
        for (uint32_t k = 0; k < body->nparams; k++)
            if (is_candidate(p, l, k))
                reduce_set(&f, body->params[k], DEPENDS);
        if (!mark_all_dependent(&f))
            continue;
        if (try != PLAIN)
            reduce_find_extremes(&f, try == ALL_EXTREMES);
        if (try != PLAIN && f.nextremes == nextremes)
            continue;
        nextremes = f.nextremes;
        ok = find_all(&f);
        if (try == PLAIN)
            first_marks = f.marks;
    }
    p->marks = first_marks;
    if (!ok)
        p->nreduces = p->nsinks = 0;
    describe_upper_halves(p);
    for (uint32_t k = 0; k < p->nreduces; k++)
        p->in_order |= p->reduces[k].desc.kind != OFF_REDUCE_OP || reduce_is_ordered(&p->reduces[k].desc);
    return ok;
}
