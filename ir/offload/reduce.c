/* Finds the reductions of a root loop; reduce.h says what they are and why they may be split.
 *
 * 1. Every value in the loop that depends on a carried value which is neither a polynomial nor a delay is marked.
 * 2. Each such carried value is tried as OP: a closure of values, from the parameter through operations of one kind,
 *    selects, merges and inner loops, back to the parameter; then as a chain of replacements (LAST, PICK, KEEP), walked
 *    from the value of the next iteration back to the parameter, through as many bodies as the loop was unrolled into.
 * 3. All marked values must have found a place in one of these, and nothing with an effect may use one.
 */
#include "ir/offload/reduce.h"

#include <string.h>

#include "ir/fp_mode.h"
#include "ir/ir_effects.h"
#include "ir/offload/plan_internal.h"

enum { MAX_ROUNDS = 16, MAX_STEPS = 64, MAX_CHAINS = OFF_MAX_REDUCES };
enum { DEPENDS = 1, CLAIMED = 2, GROUP = 4 };

/* A carried value that is replaced under conditions. */
struct chain {
    struct ir_value *param, *next;
    struct plan_step *steps;  /* the last one of the iteration first */
    struct ir_value **before; /* the value that a step replaces or keeps */
    uint32_t nsteps;
    bool dependent; /* the conditions depend on a reduction */
    bool is_key, keeps;
    enum off_reduce_op op;
    uint32_t reduce; /* its number in the plan, OFF_NO_REDUCE: not yet */
};

struct finder {
    struct plan *p;
    struct loop *l;
    uint8_t *marks; /* by value id */
    bool changed;
    struct chain chains[MAX_CHAINS];
    uint32_t nchains;
    /* of the closure in work */
    enum off_reduce_op op;
    bool has_op;
    const struct ir_value *param;
};

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

static bool has(const struct finder *f, const struct ir_value *v, uint8_t mark) {
    return (f->marks[v->id] & mark) != 0;
}

static void set(struct finder *f, const struct ir_value *v, uint8_t mark) {
    f->changed |= !has(f, v, mark);
    f->marks[v->id] |= mark;
}

/* ---- values that flow through labels ---- */

typedef bool pass_fn(struct finder *f, struct ir_value *from, struct ir_value *to);

static bool pass_to_label(struct finder *f, const struct ir_inst *label, struct ir_value *const *values, pass_fn *fn) {
    if (label != f->l->inst && !loop_contains_inst(f->l, label))
        return true; /* leaves the loop */
    for (uint32_t k = 0; k < ir_label_arity(label); k++)
        if (!fn(f, values[k], label->op == IR_LOOP ? label->regions[0]->params[k] : &label->results[k]))
            return false;
    return true;
}

/* Calls `fn` for everything that the instruction hands to a parameter or result inside the loop. */
static bool each_pass(struct finder *f, struct ir_inst *i, pass_fn *fn) {
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
                   ir_info(i)->kind != IR_KIND_SIMPLE) {
            return false;
        }
    }
    return true;
}

static bool pass_depends(struct finder *f, struct ir_value *from, struct ir_value *to) {
    if (has(f, from, DEPENDS))
        set(f, to, DEPENDS);
    return true;
}

/* A store in every iteration, always to the same place. */
static bool add_sink(struct finder *f, struct ir_inst *i) {
    struct plan *p = f->p;
    if (plan_is_sink(p, i))
        return true;
    bool always = i->parent == f->l->inst->regions[0] || i->parent == f->l->back->parent;
    if (!ir_is_store(i) || has(f, i->operands[0], DEPENDS) || !always || p->nsinks == PLAN_MAX_SINKS)
        return false;
    const struct aff *address = aff_of(p->aff, i->operands[0]);
    if (!address || !aff_is_invariant(p->aff, address))
        return false;
    p->sinks[p->nsinks++] = (struct plan_sink){i, address, OFF_NO_REDUCE};
    return true;
}

static bool mark_dependent(struct finder *f, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (is_merge(i)) {
            bool decides = i->op == IR_IF || i->op == IR_BR_IF || i->op == IR_BR_TABLE;
            if (decides && has(f, i->operands[0], DEPENDS)) {
                if (i->op != IR_IF || !is_pure(i->regions[0]) || !is_pure(i->regions[1]))
                    return false;
                for (uint32_t k = 0; k < i->nresults; k++)
                    set(f, &i->results[k], DEPENDS);
            }
            (void)each_pass(f, i, pass_depends);
        } else {
            for (uint32_t k = 0; k < i->noperands; k++) {
                if (!has(f, i->operands[k], DEPENDS))
                    continue;
                if (!i->nresults && !add_sink(f, i))
                    return false; /* stored, or the like */
                for (uint32_t n = 0; n < i->nresults; n++)
                    set(f, &i->results[n], DEPENDS);
            }
        }
        ir_foreach_region (inner, i)
            if (!mark_dependent(f, inner))
                return false;
    }
    return true;
}

/* ---- 2. OP ---- */

/* The operation as one of a reduction; *out_left: the accumulator has to be on the left. */
static bool op_of(const struct finder *f, const struct ir_inst *i, enum off_reduce_op *out, bool *out_left) {
    bool reassociate = (i->parent->func->module->fp & FP_REASSOCIATE) != 0;
    *out_left = false;
    (void)f;
    switch (i->op) {
    case IR_I32_SUB:
    case IR_I64_SUB:
        *out_left = true;
        *out = OFF_REDUCE_ADD;
        return true;
    case IR_I32_ADD:
    case IR_I64_ADD:
        *out = OFF_REDUCE_ADD;
        return true;
    case IR_F32_SUB:
    case IR_F64_SUB:
        *out_left = true;
        *out = OFF_REDUCE_ADD;
        return reassociate;
    case IR_F32_ADD:
    case IR_F64_ADD:
        *out = OFF_REDUCE_ADD;
        return reassociate;
    case IR_F32_MUL:
    case IR_F64_MUL:
        *out = OFF_REDUCE_MUL;
        return reassociate;
    case IR_I32_MUL:
    case IR_I64_MUL:
        *out = OFF_REDUCE_MUL;
        return true;
    case IR_I32_AND:
    case IR_I64_AND:
        *out = OFF_REDUCE_AND;
        return true;
    case IR_I32_OR:
    case IR_I64_OR:
        *out = OFF_REDUCE_OR;
        return true;
    case IR_I32_XOR:
    case IR_I64_XOR:
        *out = OFF_REDUCE_XOR;
        return true;
    case IR_F32_MIN:
    case IR_F64_MIN:
        *out = OFF_REDUCE_MIN;
        return true;
    case IR_F32_MAX:
    case IR_F64_MAX:
        *out = OFF_REDUCE_MAX;
        return true;
    default:
        return false;
    }
}

static bool pass_group(struct finder *f, struct ir_value *from, struct ir_value *to) {
    if (!has(f, from, GROUP))
        return true;
    if (to->region == f->l->inst->regions[0] && to != f->param)
        return false;
    set(f, to, GROUP);
    return true;
}

static bool pass_closed(struct finder *f, struct ir_value *from, struct ir_value *to) {
    return has(f, from, GROUP) || !has(f, to, GROUP);
}

static bool grow_op(struct finder *f, struct ir_inst *i) {
    enum off_reduce_op op;
    bool left, a = has(f, i->operands[0], GROUP), b = i->noperands > 1 && has(f, i->operands[1], GROUP);
    if (i->noperands != 2 || a == b || !op_of(f, i, &op, &left) || (left && !a) || (f->has_op && op != f->op) ||
        has(f, i->operands[a ? 1 : 0], DEPENDS))
        return false;
    f->op = op;
    f->has_op = true;
    set(f, i->results, GROUP);
    return true;
}

static bool grow_group(struct finder *f, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        bool any = false;
        for (uint32_t k = 0; k < i->noperands; k++)
            any |= has(f, i->operands[k], GROUP);
        if (is_merge(i)) {
            bool decides = i->op == IR_IF || i->op == IR_BR_IF || i->op == IR_BR_TABLE;
            if (decides && has(f, i->operands[0], GROUP))
                return false;
            if (!each_pass(f, i, pass_group))
                return false;
        } else if (any && i->op == IR_SELECT) {
            if (has(f, i->operands[2], DEPENDS))
                return false;
            set(f, i->results, GROUP);
        } else if (any && !plan_is_sink(f->p, i) && !grow_op(f, i)) {
            return false;
        }
        ir_foreach_region (inner, i)
            if (!grow_group(f, inner))
                return false;
    }
    return true;
}

/* Nothing from outside comes into the group, and its merges depend on no other reduction. */
static bool is_closed(struct finder *f, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (!each_pass(f, i, pass_closed))
            return false;
        if (i->op == IR_SELECT && has(f, i->results, GROUP) &&
            !(has(f, i->operands[0], GROUP) && has(f, i->operands[1], GROUP)))
            return false;
        for (uint32_t k = 0; i->op == IR_IF && k < i->nresults; k++)
            if (has(f, &i->results[k], GROUP) && has(f, i->operands[0], DEPENDS))
                return false;
        ir_foreach_region (inner, i)
            if (!is_closed(f, inner))
                return false;
    }
    return true;
}

static void settle_group(struct finder *f, bool claim) {
    uint32_t n = f->l->inst->parent->func->next_id;
    for (uint32_t k = 0; k < n; k++)
        if (f->marks[k] & GROUP)
            f->marks[k] = (uint8_t)((f->marks[k] & ~GROUP) | (claim ? CLAIMED : 0));
}

static union ir_bits identity(enum off_reduce_op op, enum ir_type type) {
    union ir_bits b = {.u64x2 = {0, 0}};
    if (op == OFF_REDUCE_AND)
        b.i64 = UINT64_MAX;
    else if (op == OFF_REDUCE_MUL && type == IR_F32)
        b.f32 = 1;
    else if (op == OFF_REDUCE_MUL && type == IR_F64)
        b.f64 = 1;
    else if (op == OFF_REDUCE_MUL)
        b.i64 = 1;
    else if (op == OFF_REDUCE_ADD && type == IR_F32)
        b.f32 = -0.0f; /* 0 + -0 is 0, -0 + -0 is -0 */
    else if (op == OFF_REDUCE_ADD && type == IR_F64)
        b.f64 = -0.0;
    else if ((op == OFF_REDUCE_MIN || op == OFF_REDUCE_MAX) && type == IR_F32)
        b.f32 = op == OFF_REDUCE_MIN ? __builtin_inff() : -__builtin_inff();
    else if (op == OFF_REDUCE_MIN || op == OFF_REDUCE_MAX)
        b.f64 = op == OFF_REDUCE_MIN ? __builtin_inf() : -__builtin_inf();
    if (type == IR_I32)
        b.i64 &= UINT32_MAX;
    return b;
}

static struct plan_reduce *new_reduce(struct finder *f, enum off_reduce_kind kind, enum ir_type type) {
    struct plan *p = f->p;
    if (p->nreduces == OFF_MAX_REDUCES)
        return NULL;
    struct plan_reduce *r = &p->reduces[p->nreduces++];
    *r = (struct plan_reduce){
        .desc = {.kind = kind, .type = type, .init_slot = OFF_NO_SLOT, .lead = OFF_NO_REDUCE, .flag = OFF_NO_REDUCE}};
    return r;
}

static bool find_op(struct finder *f, uint32_t index) {
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
    ok = ok && f->has_op && has(f, next, GROUP) && is_closed(f, body);
    struct plan_reduce *r = ok ? new_reduce(f, OFF_REDUCE_OP, param->type) : NULL;
    settle_group(f, r != NULL);
    if (!r)
        return false;
    r->desc.op = f->op;
    r->param = param;
    r->next = next;
    r->start_bits = identity(f->op, param->type);
    return true;
}

/* ---- 2. chains ---- */

/* Values in these regions are in scope at the end of the iteration. */
static bool ends_iteration(const struct loop *l, const struct ir_region *r) {
    return r == l->inst->regions[0] || r == l->back->parent;
}

static bool in_scope(const struct loop *l, const struct ir_value *v) {
    return !loop_contains_value(l, v) || ends_iteration(l, v->def ? v->def->parent : v->region);
}

/* One step back from `v`: what it is replaced with, when, and what it was before. */
static bool read_step(struct finder *f, struct ir_value *v, struct plan_step *out, struct ir_value **out_before) {
    struct ir_inst *i = v->def;
    if (!i || !loop_contains_inst(f->l, i) || !ends_iteration(f->l, i->parent))
        return false;
    struct ir_value *sides[2];
    if (i->op == IR_SELECT) {
        sides[0] = i->operands[0];
        sides[1] = i->operands[1];
        out->cond = i->operands[2];
    } else if (i->op == IR_IF) {
        for (unsigned k = 0; k < 2; k++) {
            if (!ir_falls_out(i->regions[k]) || ir_branches_to(i->regions[k], i))
                return false;
            sides[k] = i->regions[k]->last->operands[v->index];
        }
        out->cond = i->operands[0];
    } else {
        return false;
    }
    bool first = has(f, sides[0], DEPENDS);
    if (first == has(f, sides[1], DEPENDS) || !in_scope(f->l, out->cond))
        return false;
    out->when_true = !first;
    out->value = sides[first ? 1 : 0];
    *out_before = sides[first ? 0 : 1];
    return true;
}

static bool read_chain(struct finder *f, uint32_t index) {
    struct ir_value *param = f->l->inst->regions[0]->params[index], *v = loop_next_value(f->l, index);
    if (f->nchains == MAX_CHAINS)
        return false;
    struct chain *c = &f->chains[f->nchains];
    *c = (struct chain){.param = param, .next = v, .reduce = OFF_NO_REDUCE};
    c->steps = arena_array(f->p->arena, struct plan_step, MAX_STEPS);
    c->before = arena_array(f->p->arena, struct ir_value *, MAX_STEPS);
    for (; v != param; v = c->before[c->nsteps++]) {
        if (c->nsteps == MAX_STEPS || !read_step(f, v, &c->steps[c->nsteps], &c->before[c->nsteps]))
            return false;
        bool dependent = has(f, c->steps[c->nsteps].cond, DEPENDS);
        if (c->nsteps && dependent != c->dependent)
            return false;
        c->dependent = dependent;
        set(f, v, CLAIMED);
    }
    set(f, param, CLAIMED);
    f->nchains++;
    return c->nsteps != 0;
}

struct compare {
    enum off_reduce_op op; /* x OP y */
    struct ir_value *x, *y;
};

static bool read_compare(const struct ir_inst *i, struct compare *out) {
    switch (i->op) {
    case IR_I32_LT_S:
    case IR_I64_LT_S:
    case IR_F32_LT:
    case IR_F64_LT:
        out->op = OFF_REDUCE_LT;
        break;
    case IR_I32_LE_S:
    case IR_I64_LE_S:
    case IR_F32_LE:
    case IR_F64_LE:
        out->op = OFF_REDUCE_LE;
        break;
    case IR_I32_GT_S:
    case IR_I64_GT_S:
    case IR_F32_GT:
    case IR_F64_GT:
        out->op = OFF_REDUCE_GT;
        break;
    case IR_I32_GE_S:
    case IR_I64_GE_S:
    case IR_F32_GE:
    case IR_F64_GE:
        out->op = OFF_REDUCE_GE;
        break;
    case IR_I32_LT_U:
    case IR_I64_LT_U:
        out->op = OFF_REDUCE_LT_U;
        break;
    case IR_I32_LE_U:
    case IR_I64_LE_U:
        out->op = OFF_REDUCE_LE_U;
        break;
    case IR_I32_GT_U:
    case IR_I64_GT_U:
        out->op = OFF_REDUCE_GT_U;
        break;
    case IR_I32_GE_U:
    case IR_I64_GE_U:
        out->op = OFF_REDUCE_GE_U;
        break;
    default:
        return false;
    }
    out->x = i->operands[0];
    out->y = i->operands[1];
    return true;
}

/* y OP' x, when x OP y. */
static enum off_reduce_op mirrored(enum off_reduce_op op) {
    static const enum off_reduce_op other[OFF_REDUCE_OP_COUNT] = {
        [OFF_REDUCE_LT] = OFF_REDUCE_GT,     [OFF_REDUCE_GT] = OFF_REDUCE_LT,     [OFF_REDUCE_LE] = OFF_REDUCE_GE,
        [OFF_REDUCE_GE] = OFF_REDUCE_LE,     [OFF_REDUCE_LT_U] = OFF_REDUCE_GT_U, [OFF_REDUCE_GT_U] = OFF_REDUCE_LT_U,
        [OFF_REDUCE_LE_U] = OFF_REDUCE_GE_U, [OFF_REDUCE_GE_U] = OFF_REDUCE_LE_U};
    return other[op];
}

/* What holds when x OP y does not, of integers. */
static enum off_reduce_op inverted(enum off_reduce_op op) {
    static const enum off_reduce_op other[OFF_REDUCE_OP_COUNT] = {
        [OFF_REDUCE_LT] = OFF_REDUCE_GE,     [OFF_REDUCE_GE] = OFF_REDUCE_LT,     [OFF_REDUCE_LE] = OFF_REDUCE_GT,
        [OFF_REDUCE_GT] = OFF_REDUCE_LE,     [OFF_REDUCE_LT_U] = OFF_REDUCE_GE_U, [OFF_REDUCE_GE_U] = OFF_REDUCE_LT_U,
        [OFF_REDUCE_LE_U] = OFF_REDUCE_GT_U, [OFF_REDUCE_GT_U] = OFF_REDUCE_LE_U};
    return other[op];
}

static bool is_strict(enum off_reduce_op op) {
    return op == OFF_REDUCE_LT || op == OFF_REDUCE_GT || op == OFF_REDUCE_LT_U || op == OFF_REDUCE_GT_U;
}

static bool is_float(enum ir_type t) {
    return t == IR_F32 || t == IR_F64;
}

/* Step s of the chain as "replaced when x OP before" (or, *out_keeps, "kept when before OP x"); true: it is that. */
static bool read_key_step(struct finder *f, const struct chain *c, uint32_t s, enum off_reduce_op *out_op,
                          bool *out_keeps) {
    const struct plan_step *step = &c->steps[s];
    struct ir_value *cond = step->cond;
    struct compare cmp;
    bool filtered = false;
    if (cond->def && cond->def->op == IR_I32_AND && step->when_true) { /* and something else must hold */
        struct ir_value *a = cond->def->operands[0], *b = cond->def->operands[1];
        if (has(f, a, DEPENDS) == has(f, b, DEPENDS))
            return false;
        struct ir_value *own = has(f, a, DEPENDS) ? a : b;
        set(f, cond, CLAIMED); /* a comparison gives 0 or 1, so this is that and the other's lowest bit */
        cond = own;
        filtered = true;
    }
    if (!cond->def || !read_compare(cond->def, &cmp))
        return false;
    if (cmp.y != c->before[s]) {
        struct ir_value *x = cmp.x;
        cmp = (struct compare){mirrored(cmp.op), cmp.y, x};
    }
    if (cmp.y != c->before[s] || cmp.x != step->value)
        return false;
    *out_keeps = false;
    *out_op = cmp.op;
    if (!step->when_true && !is_float(c->param->type)) {
        *out_op = inverted(cmp.op);
    } else if (!step->when_true) {
        *out_keeps = true;
        *out_op = mirrored(cmp.op);
        if (filtered || !in_scope(f->l, step->value))
            return false;
    }
    set(f, cond, CLAIMED);
    return true;
}

static bool read_key(struct finder *f, struct chain *c) {
    for (uint32_t s = 0; s < c->nsteps; s++) {
        enum off_reduce_op op;
        bool keeps;
        if (!read_key_step(f, c, s, &op, &keeps) || (s && (op != c->op || keeps != c->keeps)))
            return false;
        c->op = op;
        c->keeps = keeps;
    }
    c->is_key = true;
    return true;
}

static bool same_conditions(const struct chain *a, const struct chain *b) {
    if (a->nsteps != b->nsteps)
        return false;
    for (uint32_t s = 0; s < a->nsteps; s++)
        if (a->steps[s].cond != b->steps[s].cond || a->steps[s].when_true != b->steps[s].when_true)
            return false;
    return true;
}

static struct plan_reduce *add_chain(struct finder *f, struct chain *c, enum off_reduce_kind kind) {
    struct plan_reduce *r = new_reduce(f, kind, c->param->type);
    if (!r)
        return NULL;
    c->reduce = f->p->nreduces - 1;
    r->param = c->param;
    r->next = c->next;
    r->start = f->l->inst->operands[c->param->index];
    return r;
}

/* The flag's number; OFF_NO_REDUCE when there are too many. */
static uint32_t add_flag(struct finder *f, const struct chain *c, bool for_nan) {
    struct plan_reduce *r = new_reduce(f, OFF_REDUCE_FLAG, IR_I32);
    if (!r)
        return OFF_NO_REDUCE;
    r->steps = c->steps;
    r->nsteps = c->nsteps;
    r->for_nan = for_nan;
    return f->p->nreduces - 1;
}

static bool add_key(struct finder *f, struct chain *c) {
    uint32_t flag = OFF_NO_REDUCE;
    if (c->keeps || !is_strict(c->op)) {
        flag = add_flag(f, c, c->keeps);
        if (flag == OFF_NO_REDUCE)
            return false;
    }
    struct plan_reduce *r = add_chain(f, c, c->keeps ? OFF_REDUCE_KEEP : OFF_REDUCE_PICK);
    if (!r)
        return false;
    r->desc.op = c->op;
    r->desc.flag = flag;
    if (c->keeps) {
        r->start = NULL;
        if (c->param->type == IR_F32)
            r->start_bits.i32 = 0x7fc00000;
        else
            r->start_bits.i64 = UINT64_C(0x7ff8000000000000);
    }
    return true;
}

static bool add_last(struct finder *f, struct chain *c) {
    uint32_t flag = OFF_NO_REDUCE;
    for (uint32_t k = 0; k < f->nchains && flag == OFF_NO_REDUCE; k++)
        if (f->chains[k].reduce != OFF_NO_REDUCE && !f->chains[k].dependent && same_conditions(&f->chains[k], c))
            flag = f->p->reduces[f->chains[k].reduce].desc.flag;
    if (flag == OFF_NO_REDUCE)
        flag = add_flag(f, c, false);
    struct plan_reduce *r = flag == OFF_NO_REDUCE ? NULL : add_chain(f, c, OFF_REDUCE_LAST);
    if (!r)
        return false;
    r->desc.flag = flag;
    return true;
}

static bool add_payload(struct finder *f, struct chain *c) {
    for (uint32_t k = 0; k < f->nchains; k++) {
        if (!f->chains[k].is_key || !same_conditions(&f->chains[k], c))
            continue;
        struct plan_reduce *r = add_chain(f, c, OFF_REDUCE_PAYLOAD);
        if (!r)
            return false;
        r->desc.lead = f->chains[k].reduce;
        return true;
    }
    return false;
}

static bool add_chains(struct finder *f) {
    for (uint32_t k = 0; k < f->nchains; k++)
        if (f->chains[k].dependent && read_key(f, &f->chains[k]) && !add_key(f, &f->chains[k]))
            return false;
    for (uint32_t k = 0; k < f->nchains; k++) {
        struct chain *c = &f->chains[k];
        if (!c->is_key && !(c->dependent ? add_payload(f, c) : add_last(f, c)))
            return false;
    }
    return true;
}

/* ---- 3. the whole ---- */

static bool all_claimed(struct finder *f, struct ir_region *r) {
    for (uint32_t k = 0; k < r->nparams; k++)
        if (has(f, r->params[k], DEPENDS) && !has(f, r->params[k], CLAIMED))
            return false;
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->nresults; k++)
            if (has(f, &i->results[k], DEPENDS) && !has(f, &i->results[k], CLAIMED))
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

bool plan_find_reduces(struct plan *p) {
    struct loop *l = p->root;
    struct ir_region *body = l->inst->regions[0];
    struct finder f = {.p = p, .l = l};
    bool any = false, ok = true;
    p->nreduces = p->nsinks = 0;
    p->in_order = false;
    for (uint32_t k = 0; k < body->nparams; k++)
        any |= is_candidate(p, l, k);
    if (!any)
        return true;
    f.marks = arena_array(p->arena, uint8_t, body->func->next_id + 1);
    for (uint32_t k = 0; k < body->nparams; k++)
        if (is_candidate(p, l, k))
            set(&f, body->params[k], DEPENDS);
    f.changed = true;
    for (int round = 0; ok && f.changed; round++) {
        f.changed = false;
        ok = round < MAX_ROUNDS && mark_dependent(&f, body);
    }
    p->marks = ok ? f.marks : NULL;
    for (uint32_t k = 0; ok && k < body->nparams; k++) {
        if (!has(&f, body->params[k], DEPENDS))
            continue;
        ok = is_candidate(p, l, k) && body->params[k]->type <= IR_F64 && (find_op(&f, k) || read_chain(&f, k));
    }
    ok = ok && add_chains(&f) && all_claimed(&f, body) && settle_sinks(p);
    if (!ok)
        p->nreduces = p->nsinks = 0;
    for (uint32_t k = 0; k < p->nreduces; k++)
        p->in_order |= p->reduces[k].desc.kind != OFF_REDUCE_OP;
    return ok;
}
