/* What a test says about the code behind it.
 *
 *     if %n {                                      if %n {
 *       %f = i32.ne %n, 0                            loop L (%i = 0) {
 *       loop L (%i = 0, %more = %f) {        =>        ...
 *         ...                                          %j = i32.add %i, 1
 *         %s = i32.and %more, 1                        %c = i32.lt_u %j, %n
 *         %j = i32.add %i, %s                          br_if %c, L(%j)
 *         %c = i32.lt_u %j, %n                       }
 *         br_if %c, L(%j, %c)                      }
 *       }
 *     }
 *
 * Iterators that are compiled without much thought (rustc at opt-level 1, state machines) carry the answer of a test
 * around as a number: to be added to the counter, or to choose between two pointers.  In the place that the test leads
 * to the answer is known, so the number is a constant there and the choice is made.  Without this the counter of such a
 * loop is no induction variable.
 *
 * The walk keeps what is known of each condition: in the arms of an `if`, behind a br_if (it was zero), and for the
 * values that a br_if passes (it was not).  Dominance is lexical, so facts are undone at the end of the region that
 * gained them.  An operand whose value is known becomes a constant, a select whose condition is known becomes its side.
 * What a br_if passes to a loop was computed in front of it, out of reach of the fact; small sums are therefore
 * computed again with what is known, once: the copy no longer uses the condition.
 */
#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/opt/pass.h"

enum { MAX_DEPTH = 4, MAX_FACTS = 16 };

enum truth { UNKNOWN, ZERO, NOT_ZERO };

struct fact {
    struct fact *older;
    const struct ir_value *value;
    enum truth truth, before;
};

struct implied {
    struct arena *scratch;
    uint8_t *known; /* enum truth by value id */
    uint32_t nknown;
    struct fact *newest;
    bool changed;
};

/* Whether the value is 0 or 1. */
static bool is_boolean(const struct ir_value *v) {
    const struct ir_inst *d = v->def;
    if (!d)
        return false;
    if ((d->op >= IR_I32_EQZ && d->op <= IR_I32_GE_U) || (d->op >= IR_I64_EQZ && d->op <= IR_I64_GE_U) ||
        (d->op >= IR_F32_EQ && d->op <= IR_F32_GE) || (d->op >= IR_F64_EQ && d->op <= IR_F64_GE))
        return true;
    const union ir_bits *c = d->op == IR_I32_AND ? ir_const_of(d->operands[1]) : NULL;
    return c && c->i32 == 1;
}

/* The comparison that is true when this one is not; IR_OP_COUNT when there is none: floats are unordered. */
static enum ir_op complement(unsigned op) {
    static const uint16_t pairs[][2] = {
        {IR_I32_EQ, IR_I32_NE},     {IR_I32_LT_S, IR_I32_GE_S}, {IR_I32_LT_U, IR_I32_GE_U}, {IR_I32_GT_S, IR_I32_LE_S},
        {IR_I32_GT_U, IR_I32_LE_U}, {IR_I64_EQ, IR_I64_NE},     {IR_I64_LT_S, IR_I64_GE_S}, {IR_I64_LT_U, IR_I64_GE_U},
        {IR_I64_GT_S, IR_I64_LE_S}, {IR_I64_GT_U, IR_I64_LE_U}, {IR_F32_EQ, IR_F32_NE},     {IR_F64_EQ, IR_F64_NE},
    };
    for (unsigned n = 0; n < sizeof pairs / sizeof pairs[0]; n++)
        for (unsigned k = 0; k < 2; k++)
            if (pairs[n][k] == op)
                return (enum ir_op)pairs[n][1 - k];
    return IR_OP_COUNT;
}

static enum truth opposite(enum truth t) {
    return t == ZERO ? NOT_ZERO : ZERO;
}

/* A comparison with a constant as one by `<` or `>=`: x <= 3 is x < 4. */
struct comparison {
    enum ir_op op;
    const struct ir_value *left, *right;
    bool with_const;
    uint64_t c;
};

static struct comparison comparison_of(const struct ir_inst *d) {
    struct comparison r = {.op = (enum ir_op)d->op, .left = d->operands[0], .right = d->operands[1]};
    const union ir_bits *c = ir_const_of(r.right);
    bool wide = r.right->type == IR_I64;
    if (!c || (!wide && r.right->type != IR_I32))
        return r;
    r.with_const = true;
    r.c = wide ? c->i64 : c->i32;
    uint64_t last_u = wide ? UINT64_MAX : UINT32_MAX, last_s = last_u >> 1;
    static const struct {
        uint16_t from, to;
        bool is_signed;
    } moved[] = {
        {IR_I32_LE_S, IR_I32_LT_S, true},  {IR_I32_LE_U, IR_I32_LT_U, false}, {IR_I32_GT_S, IR_I32_GE_S, true},
        {IR_I32_GT_U, IR_I32_GE_U, false}, {IR_I64_LE_S, IR_I64_LT_S, true},  {IR_I64_LE_U, IR_I64_LT_U, false},
        {IR_I64_GT_S, IR_I64_GE_S, true},  {IR_I64_GT_U, IR_I64_GE_U, false},
    };
    for (unsigned n = 0; n < sizeof moved / sizeof moved[0]; n++)
        if (moved[n].from == r.op && r.c != (moved[n].is_signed ? last_s : last_u)) {
            r.op = (enum ir_op)moved[n].to;
            r.c = (r.c + 1) & last_u;
            break;
        }
    return r;
}

/* x > y and x < y are never both true. */
static bool excludes(enum ir_op a, enum ir_op b) {
    return (a == IR_I32_LT_S && b == IR_I32_GT_S) || (a == IR_I32_GT_S && b == IR_I32_LT_S) ||
           (a == IR_I32_LT_U && b == IR_I32_GT_U) || (a == IR_I32_GT_U && b == IR_I32_LT_U);
}

/* `a` of 32-bit numbers, `b` of the same left one being known: x >= 13 says that x < 12 is false. */
static enum truth follows(const struct comparison *a, const struct comparison *b, enum truth truth) {
    bool is_unsigned = a->op == IR_I32_LT_U || a->op == IR_I32_GE_U;
    if (!a->with_const || !b->with_const || (!is_unsigned && a->op != IR_I32_LT_S && a->op != IR_I32_GE_S) ||
        (b->op != a->op && b->op != complement(a->op)))
        return UNKNOWN;
    int64_t known = is_unsigned ? (int64_t)b->c : (int32_t)(uint32_t)b->c;
    int64_t asked = is_unsigned ? (int64_t)a->c : (int32_t)(uint32_t)a->c;
    bool b_at_least = (b->op == IR_I32_GE_U || b->op == IR_I32_GE_S) == (truth == NOT_ZERO);
    bool a_at_least = a->op == IR_I32_GE_U || a->op == IR_I32_GE_S;
    if (b_at_least && known >= asked)
        return a_at_least ? NOT_ZERO : ZERO;
    if (!b_at_least && known <= asked)
        return a_at_least ? ZERO : NOT_ZERO;
    return UNKNOWN;
}

/* What is known of the value itself, or of a comparison of the same numbers. */
static enum truth truth_of(const struct implied *m, const struct ir_value *v) {
    if (v->id < m->nknown && m->known[v->id])
        return (enum truth)m->known[v->id];
    if (!v->def || v->def->noperands != 2 || !is_boolean(v))
        return UNKNOWN;
    struct comparison a = comparison_of(v->def);
    unsigned n = 0;
    for (const struct fact *f = m->newest; f && n++ < MAX_FACTS; f = f->older) {
        const struct ir_inst *e = f->value->def;
        if (!e || e->noperands != 2 || e->operands[0] != a.left || !is_boolean(f->value))
            continue;
        struct comparison b = comparison_of(e);
        bool same = a.with_const && b.with_const ? a.c == b.c : a.right == b.right;
        if (same && (a.op == b.op || complement(b.op) == a.op))
            return a.op == b.op ? f->truth : opposite(f->truth);
        enum truth t = same && f->truth == NOT_ZERO && excludes(b.op, a.op) ? ZERO : follows(&a, &b, f->truth);
        if (t != UNKNOWN)
            return t;
    }
    return UNKNOWN;
}

static void learn_one(struct implied *m, const struct ir_value *v, enum truth truth) {
    if (v->id >= m->nknown || ir_const_of(v) || m->known[v->id] == truth)
        return;
    struct fact *f = arena_new(m->scratch, struct fact);
    *f = (struct fact){.older = m->newest, .value = v, .truth = truth, .before = (enum truth)m->known[v->id]};
    m->newest = f;
    m->known[v->id] = (uint8_t)truth;
}

static bool is_zero(const struct ir_value *v) {
    const union ir_bits *c = ir_const_of(v);
    return c && (v->type == IR_I64 ? c->i64 == 0 : c->i32 == 0);
}

/* When `d` asks of an integer whether it is zero: that integer, and what it is when d is true. */
static struct ir_value *asked_of(const struct ir_inst *d, enum truth *out_when_true) {
    switch (d->op) {
    case IR_I32_EQZ:
    case IR_I64_EQZ:
        *out_when_true = ZERO;
        return d->operands[0];
    case IR_I32_EQ:
    case IR_I64_EQ:
        *out_when_true = ZERO;
        return is_zero(d->operands[1]) ? d->operands[0] : NULL;
    case IR_I32_NE:
    case IR_I64_NE:
    case IR_I32_GT_U:
    case IR_I64_GT_U:
        *out_when_true = NOT_ZERO;
        return is_zero(d->operands[1]) ? d->operands[0] : NULL;
    default:
        return NULL;
    }
}

static void learn(struct implied *m, struct ir_value *v, enum truth truth) {
    for (unsigned n = 0; n < MAX_DEPTH; n++) {
        learn_one(m, v, truth);
        enum truth when_true;
        struct ir_value *asked = v->def ? asked_of(v->def, &when_true) : NULL;
        if (!asked) {
            const struct ir_inst *d = v->def;
            if (d && d->op == IR_I32_AND && truth == NOT_ZERO) { /* both were */
                learn_one(m, d->operands[0], truth);
                learn_one(m, d->operands[1], truth);
            }
            bool null_side = d && d->op == IR_SELECT && truth == NOT_ZERO && is_zero(d->operands[1]);
            if (!null_side && !(d && d->op == IR_SELECT && truth == NOT_ZERO && is_zero(d->operands[0])))
                return;
            learn_one(m, d->operands[null_side ? 0 : 1], NOT_ZERO); /* the null pointer was not chosen */
            truth = null_side ? NOT_ZERO : ZERO;
            v = d->operands[2];
            continue;
        }
        truth = truth == NOT_ZERO ? when_true : opposite(when_true);
        v = asked;
    }
}

static void forget(struct implied *m, struct fact *mark) {
    for (; m->newest != mark; m->newest = m->newest->older)
        m->known[m->newest->value->id] = (uint8_t)m->newest->before;
}

/* The value as a constant, when it is known to be one. */
static struct ir_value *as_const(const struct implied *m, struct ir_builder *b, const struct ir_value *v) {
    enum truth t = truth_of(m, v), when_true;
    const struct ir_value *asked = t == UNKNOWN && v->def ? asked_of(v->def, &when_true) : NULL;
    if (asked && truth_of(m, asked) != UNKNOWN)
        t = truth_of(m, asked) == when_true ? NOT_ZERO : ZERO;
    if (t == UNKNOWN || (t == NOT_ZERO && !is_boolean(v)))
        return NULL;
    return v->type == IR_I64 ? ir_build_i64(b, t == NOT_ZERO) : ir_build_i32(b, t == NOT_ZERO);
}

/* What an `if` whose condition is known gave, when that comes from in front of it; else NULL. */
static struct ir_value *known_side(const struct implied *m, const struct ir_inst *i, uint32_t index) {
    enum truth t = i->op == IR_IF ? truth_of(m, i->operands[0]) : UNKNOWN;
    const struct ir_region *r = t == UNKNOWN ? NULL : i->regions[t == NOT_ZERO ? 0 : 1];
    if (!r || !ir_falls_out(r) || ir_branches_to(r, i))
        return NULL;
    struct ir_value *v = ir_resolve(r->last->operands[index]);
    for (const struct ir_region *at = v->def ? v->def->parent : v->region; at;
         at = at->parent ? at->parent->parent : NULL)
        if (at->parent == i)
            return NULL;
    return v;
}

/* `v` given what is known, built where b stands; v itself when that makes no difference.  `copy`: operations may be
 * built again for it. */
static struct ir_value *specialise(const struct implied *m, struct ir_builder *b, struct ir_value *v, unsigned depth,
                                   bool copy) {
    struct ir_value *c = ir_const_of(v) ? NULL : as_const(m, b, v);
    struct ir_inst *d = v->def;
    if (c || !d || !depth)
        return c ? c : v;
    if (d->op == IR_SELECT && truth_of(m, d->operands[2]) != UNKNOWN)
        return specialise(m, b, d->operands[truth_of(m, d->operands[2]) == NOT_ZERO ? 0 : 1], depth - 1, copy);
    struct ir_value *side = known_side(m, d, v->index);
    if (side)
        return specialise(m, b, side, depth - 1, copy);
    if (!copy || ir_info(d)->kind != IR_KIND_SIMPLE || !ir_is_pure(d))
        return v;
    struct ir_value *operands[3];
    bool differs = false;
    for (uint32_t k = 0; k < d->noperands; k++) {
        operands[k] = specialise(m, b, d->operands[k], depth - 1, copy);
        differs |= operands[k] != d->operands[k];
    }
    if (!differs)
        return v;
    struct ir_inst *i = ir_build(b, (enum ir_op)d->op, &v->type, 1, operands, d->noperands);
    return &i->results[0];
}

static void rewrite_operands(struct implied *m, struct ir_inst *i) {
    if (!m->newest)
        return;
    struct ir_builder b = ir_builder_before(i);
    bool copy = i->op == IR_BR && i->target->op == IR_LOOP;
    for (uint32_t k = 0; k < i->noperands; k++) {
        struct ir_value *v = i->operands[k];
        bool condition = (k == 0 && (i->op == IR_IF || i->op == IR_BR_IF)) || (k == 2 && i->op == IR_SELECT);
        struct ir_value *by =
            condition && truth_of(m, v) == NOT_ZERO ? ir_build_i32(&b, 1) : specialise(m, &b, v, MAX_DEPTH, copy);
        if (by != v) {
            i->operands[k] = by;
            m->changed = true;
        }
    }
}

/* The values that a br_if passes are used only when its condition is not zero. */
static void rewrite_passed(struct implied *m, struct ir_inst *i) {
    if (ir_const_of(i->operands[0]))
        return;
    struct fact *mark = m->newest;
    struct ir_builder b = ir_builder_before(i);
    learn(m, i->operands[0], NOT_ZERO);
    for (uint32_t k = 1; k < i->noperands; k++) {
        struct ir_value *by = specialise(m, &b, i->operands[k], MAX_DEPTH, i->target->op == IR_LOOP);
        if (by != i->operands[k]) {
            i->operands[k] = by;
            m->changed = true;
        }
    }
    forget(m, mark);
}

/* An answer that is known already; its uses follow through `fwd`. */
static bool decide(struct implied *m, struct ir_inst *i) {
    enum truth when_true, t;
    struct ir_value *asked = i->nresults == 1 ? asked_of(i, &when_true) : NULL;
    if (!asked || (t = truth_of(m, asked)) == UNKNOWN)
        return false;
    struct ir_builder b = ir_builder_before(i);
    i->results[0].fwd = ir_build_i32(&b, t == when_true);
    ir_inst_remove(i);
    m->changed = true;
    return true;
}

static void walk(struct implied *m, struct ir_region *r) {
    struct fact *mark = m->newest;
    ir_foreach_inst_safe (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        rewrite_operands(m, i);
        if (decide(m, i))
            continue;
        if (i->op == IR_IF) {
            struct fact *before = m->newest;
            learn(m, i->operands[0], NOT_ZERO);
            walk(m, i->regions[0]);
            forget(m, before);
            learn(m, i->operands[0], ZERO);
            walk(m, i->regions[1]);
            forget(m, before);
            continue;
        }
        ir_foreach_region (inner, i)
            walk(m, inner);
        if (i->op == IR_BR_IF) {
            rewrite_passed(m, i);
            learn(m, i->operands[0], ZERO);
        }
    }
    forget(m, mark);
}

bool opt_implied(struct ir_func *f, struct pass_ctx *cx) {
    struct implied m = {.scratch = &cx->scratch, .nknown = f->next_id};
    m.known = arena_array(&cx->scratch, uint8_t, f->next_id);
    walk(&m, f->body);
    return m.changed;
}
