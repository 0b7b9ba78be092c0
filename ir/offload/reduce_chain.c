/* Carried values that are replaced under conditions (reduce.h: LAST, PICK with its payloads, KEEP), read as chains of
 * steps, the last of the iteration first:
 *
 *     %x1 = select %e, %x, (%e < %x)                 two steps of one chain, of a body that was unrolled by two;
 *     %x2 = select %g, %x1, (%g < %x1)               of vectors: v128.bitselect, lane by lane, or f32x4.pmin
 *
 * In a vector every lane has its own condition; masks take the place of truth values throughout, and a chain is of one
 * sort only.
 */
#include "ir/offload/reduce.h"

#include "ir/ir_effects.h"
#include "ir/offload/reduce_internal.h"

enum { MAX_STEPS = 64 };

/* Values in these regions are in scope at the end of the iteration. */
static bool ends_iteration(const struct loop *l, const struct ir_region *r) {
    return r == l->inst->regions[0] || r == l->back->parent;
}

static bool in_scope(const struct loop *l, const struct ir_value *v) {
    return !loop_contains_value(l, v) || ends_iteration(l, v->def ? v->def->parent : v->region);
}

/* What an instruction chooses from, and by what; NULL for the choice of an operation that compares by itself. */
static bool read_choice(const struct ir_value *v, struct ir_value **sides, struct ir_value **out_cond) {
    const struct ir_inst *i = v->def;
    bool is_vector = v->type == IR_V128;
    switch (i->op) {
    case IR_SELECT:
    case IR_V128_BITSELECT:
        sides[0] = i->operands[0];
        sides[1] = i->operands[1];
        *out_cond = i->operands[2];
        return is_vector == (i->op == IR_V128_BITSELECT);
    case IR_F32X4_PMIN:
    case IR_F32X4_PMAX:
    case IR_F64X2_PMIN:
    case IR_F64X2_PMAX:
        sides[0] = i->operands[0];
        sides[1] = i->operands[1];
        *out_cond = NULL;
        return true;
    case IR_IF:
        for (unsigned k = 0; k < 2; k++) {
            if (!ir_falls_out(i->regions[k]) || ir_branches_to(i->regions[k], i))
                return false;
            sides[k] = i->regions[k]->last->operands[v->index];
        }
        *out_cond = i->operands[0];
        return !is_vector;
    default:
        return false;
    }
}

/* One step back from `v`: what it is replaced with, when, and what it was before. */
static bool read_step(struct reduce_finder *f, struct ir_value *v, struct plan_step *out,
                      struct ir_value **out_before) {
    struct ir_inst *i = v->def;
    struct ir_value *sides[2];
    if (!i || !loop_contains_inst(f->l, i) || !ends_iteration(f->l, i->parent) || !read_choice(v, sides, &out->cond))
        return false;
    bool first = reduce_has(f, sides[0], DEPENDS);
    if (first == reduce_has(f, sides[1], DEPENDS) || (out->cond && !in_scope(f->l, out->cond)))
        return false;
    out->when_true = !first;
    out->value = sides[first ? 1 : 0];
    *out_before = sides[first ? 0 : 1];
    return true;
}

bool reduce_read_chain(struct reduce_finder *f, uint32_t index) {
    struct ir_value *param = f->l->inst->regions[0]->params[index], *v = loop_next_value(f->l, index);
    if (f->nchains == REDUCE_MAX_CHAINS)
        return false;
    struct reduce_chain *c = &f->chains[f->nchains];
    *c = (struct reduce_chain){.param = param, .next = v, .reduce = OFF_NO_REDUCE};
    c->steps = arena_array(f->p->arena, struct plan_step, MAX_STEPS);
    c->before = arena_array(f->p->arena, struct ir_value *, MAX_STEPS);
    c->by = arena_array(f->p->arena, struct ir_inst *, MAX_STEPS);
    for (; v != param; v = c->before[c->nsteps++]) {
        if (c->nsteps == MAX_STEPS || !read_step(f, v, &c->steps[c->nsteps], &c->before[c->nsteps]))
            return false;
        const struct ir_value *cond = c->steps[c->nsteps].cond;
        bool dependent = !cond || reduce_has(f, cond, DEPENDS);
        if (c->nsteps && dependent != c->dependent)
            return false;
        c->dependent = dependent;
        c->by[c->nsteps] = v->def;
        reduce_set(f, v, CLAIMED);
    }
    reduce_set(f, param, CLAIMED);
    f->nchains++;
    return c->nsteps != 0;
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

/* What a step of a chain of keys does: "replaced when x OP before" or, `keeps`, "kept when before OP x". */
struct key_step {
    enum off_reduce_op op;
    struct reduce_shape shape;
    bool keeps;
};

/* pmin(a, b) is b < a ? b : a, pmax(a, b) is a < b ? b : a. */
static struct key_step read_pseudo_extreme(const struct ir_inst *i, const struct ir_value *before) {
    bool is_f32 = i->op == IR_F32X4_PMIN || i->op == IR_F32X4_PMAX;
    bool is_min = i->op == IR_F32X4_PMIN || i->op == IR_F64X2_PMIN;
    return (struct key_step){.op = is_min ? OFF_REDUCE_LT : OFF_REDUCE_GT,
                             .shape = {is_f32 ? IR_F32 : IR_F64, is_f32 ? 4 : 8},
                             .keeps = i->operands[1] == before};
}

/* The condition without another that must hold beside it; NULL: it is none. */
static struct ir_value *without_filter(struct reduce_finder *f, struct ir_value *cond, struct ir_value **out_filter) {
    bool is_and = cond->def && (cond->def->op == IR_I32_AND || cond->def->op == IR_V128_AND);
    *out_filter = NULL;
    if (!is_and)
        return cond;
    struct ir_value *a = cond->def->operands[0], *b = cond->def->operands[1];
    if (reduce_has(f, a, DEPENDS) == reduce_has(f, b, DEPENDS))
        return NULL;
    reduce_set(f, cond, CLAIMED); /* a comparison gives 0 or 1, so this is that and the other's lowest bit */
    bool first = reduce_has(f, a, DEPENDS);
    *out_filter = first ? b : a;
    return first ? a : b;
}

static bool read_key_step(struct reduce_finder *f, const struct reduce_chain *c, uint32_t s, struct key_step *out) {
    const struct plan_step *step = &c->steps[s];
    struct reduce_compare cmp;
    if (!step->cond) {
        *out = read_pseudo_extreme(c->by[s], c->before[s]);
        return !out->keeps || in_scope(f->l, step->value);
    }
    struct ir_value *filter = NULL, *cond = step->when_true ? without_filter(f, step->cond, &filter) : step->cond;
    if (!cond || !cond->def || !reduce_compare_of(cond->def, &cmp))
        return false;
    if (filter && cmp.shape.lane_bytes && !reduce_is_lane_mask(filter, cmp.shape.lane_bytes))
        return false;
    if (cmp.y != c->before[s]) {
        struct ir_value *x = cmp.x;
        cmp.op = mirrored(cmp.op);
        cmp.x = cmp.y;
        cmp.y = x;
    }
    if (cmp.y != c->before[s] || cmp.x != step->value)
        return false;
    *out = (struct key_step){.op = cmp.op, .shape = cmp.shape};
    if (!step->when_true && !is_float(cmp.shape.type)) {
        out->op = inverted(cmp.op);
    } else if (!step->when_true) {
        out->keeps = true;
        out->op = mirrored(cmp.op);
        if (!in_scope(f->l, step->value))
            return false;
    }
    reduce_set(f, cond, CLAIMED);
    return true;
}

static bool read_key(struct reduce_finder *f, struct reduce_chain *c) {
    for (uint32_t s = 0; s < c->nsteps; s++) {
        struct key_step k;
        if (!read_key_step(f, c, s, &k) ||
            (s && (k.op != c->op || k.keeps != c->keeps || k.shape.type != c->shape.type ||
                   k.shape.lane_bytes != c->shape.lane_bytes)))
            return false;
        c->op = k.op;
        c->keeps = k.keeps;
        c->shape = k.shape;
    }
    c->is_key = true;
    return true;
}

static bool same_conditions(const struct reduce_chain *a, const struct reduce_chain *b) {
    if (a->nsteps != b->nsteps)
        return false;
    for (uint32_t s = 0; s < a->nsteps; s++)
        if (!a->steps[s].cond || a->steps[s].cond != b->steps[s].cond || a->steps[s].when_true != b->steps[s].when_true)
            return false;
    return true;
}

/* What is not compared has no lanes of its own: bits are taken as the mask says. */
static struct reduce_shape shape_of(const struct reduce_chain *c) {
    if (c->is_key)
        return c->shape;
    return c->param->type == IR_V128 ? (struct reduce_shape){IR_I64, 8} : (struct reduce_shape){c->param->type, 0};
}

static struct plan_reduce *add_chain(struct reduce_finder *f, struct reduce_chain *c, enum off_reduce_kind kind) {
    struct plan_reduce *r = reduce_new(f->p, kind, c->param->type, shape_of(c));
    if (!r)
        return NULL;
    c->reduce = (uint32_t)(r - f->p->reduces);
    r->param = c->param;
    r->next = c->next;
    r->start = f->l->inst->operands[c->param->index];
    return r;
}

/* The flag's number; OFF_NO_REDUCE when there are too many. */
static uint32_t add_flag(struct reduce_finder *f, const struct reduce_chain *c, bool for_nan) {
    bool is_vector = c->param->type == IR_V128;
    struct reduce_shape shape = is_vector ? shape_of(c) : (struct reduce_shape){IR_I32, 0};
    struct plan_reduce *r = reduce_new(f->p, OFF_REDUCE_FLAG, is_vector ? IR_V128 : IR_I32, shape);
    if (!r)
        return OFF_NO_REDUCE;
    r->steps = c->steps;
    r->nsteps = c->nsteps;
    r->for_nan = for_nan;
    return (uint32_t)(r - f->p->reduces);
}

static bool add_key(struct reduce_finder *f, struct reduce_chain *c) {
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
        union ir_bits nan = {.u64x2 = {0, 0}};
        nan.i64 = c->shape.type == IR_F32 ? 0x7fc00000 : UINT64_C(0x7ff8000000000000);
        r->start = NULL;
        r->start_bits = reduce_repeat(c->shape, nan);
    }
    return true;
}

static bool add_last(struct reduce_finder *f, struct reduce_chain *c) {
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

static bool add_payload(struct reduce_finder *f, struct reduce_chain *c) {
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

bool reduce_add_chains(struct reduce_finder *f) {
    for (uint32_t k = 0; k < f->nchains; k++)
        if (f->chains[k].dependent && read_key(f, &f->chains[k]) && !add_key(f, &f->chains[k]))
            return false;
    for (uint32_t k = 0; k < f->nchains; k++) {
        struct reduce_chain *c = &f->chains[k];
        if (!c->is_key && !(c->dependent ? add_payload(f, c) : add_last(f, c)))
            return false;
    }
    return true;
}
