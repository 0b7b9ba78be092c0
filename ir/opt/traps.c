/* Trapping float-to-integer conversions that cannot trap become saturating ones, which are pure.
 *
 * C compilers guard each conversion, since wasm's trap is not what C leaves undefined (clang 19, -O1 and up):
 *
 *     %a = f32.abs %x                                   unsigned:  %l = f32.lt %x, 0x1p32
 *     %c = f32.lt %a, 0x1p31                                       %g = f32.ge %x, 0
 *     if %c { yield i32.trunc_f32_s %x }                           %c = i32.and %l, %g
 *     else  { yield INT_MIN }
 *
 * The walk keeps, for each float value, the range that the tests around the current place prove: in the arms of an
 * `if`, behind a br_if (its condition is then false), and behind an `if` one arm of which never comes out.  A test that
 * came out false bounds a value only if it is no NaN, so "is no NaN" is tracked beside the bounds.  Dominance is
 * lexical, so facts are undone at the end of the region that gained them. */
#include <math.h>

#include "ir/ir_effects.h"
#include "ir/opt/pass.h"

/* If the value is no NaN it lies between lo and hi, both exclusive where strict; `ordered`: it is no NaN. */
struct range {
    double lo, hi;
    bool lo_strict, hi_strict, ordered;
};

struct fact {
    struct fact *undo;  /* gained before this one */
    struct fact *outer; /* of the same value, what it knew before */
    const struct ir_value *value;
    struct range range;
};

struct traps {
    struct arena *scratch;
    struct fact **known; /* by value id */
    struct fact *newest;
    bool changed;
};

static const struct range unknown = {.lo = -INFINITY, .hi = INFINITY};

static struct range intersect(struct range a, struct range b) {
    if (b.lo > a.lo || (b.lo == a.lo && b.lo_strict)) {
        a.lo = b.lo;
        a.lo_strict = b.lo_strict;
    }
    if (b.hi < a.hi || (b.hi == a.hi && b.hi_strict)) {
        a.hi = b.hi;
        a.hi_strict = b.hi_strict;
    }
    a.ordered |= b.ordered;
    return a;
}

static bool is_float(const struct ir_value *v) {
    return v->type == IR_F32 || v->type == IR_F64;
}

enum { MAX_CHAIN = 8 };

/* Takes in the range of a value, and of what exact operations made it from. */
static void learn(struct traps *t, const struct ir_value *v, struct range r) {
    for (int n = 0; n < MAX_CHAIN && is_float(v) && !ir_const_of(v); n++) {
        struct fact *outer = t->known[v->id], *f = arena_new(t->scratch, struct fact);
        *f = (struct fact){
            .undo = t->newest, .outer = outer, .value = v, .range = intersect(r, outer ? outer->range : unknown)};
        t->known[v->id] = t->newest = f;
        enum ir_op op = v->def ? (enum ir_op)v->def->op : IR_OP_COUNT;
        if (op == IR_F32_ABS || op == IR_F64_ABS) {
            r.lo = -r.hi;
            r.lo_strict = r.hi_strict;
        } else if (op == IR_F32_NEG || op == IR_F64_NEG) {
            r = (struct range){-r.hi, -r.lo, r.hi_strict, r.lo_strict, r.ordered};
        } else if (op != IR_F64_PROMOTE_F32) {
            return;
        }
        v = v->def->operands[0];
    }
}

static void forget(struct traps *t, struct fact *mark) {
    for (; t->newest != mark; t->newest = t->newest->undo)
        t->known[t->newest->value->id] = t->newest->outer;
}

enum relation { NONE, EQ, NE, LT, GT, LE, GE };

static enum relation relation_of(const struct ir_inst *i) {
    switch (i->op) {
    case IR_F32_EQ:
    case IR_F64_EQ:
        return EQ;
    case IR_F32_NE:
    case IR_F64_NE:
        return NE;
    case IR_F32_LT:
    case IR_F64_LT:
        return LT;
    case IR_F32_GT:
    case IR_F64_GT:
        return GT;
    case IR_F32_LE:
    case IR_F64_LE:
        return LE;
    case IR_F32_GE:
    case IR_F64_GE:
        return GE;
    default:
        return NONE;
    }
}

static bool float_const(const struct ir_value *v, double *out) {
    const union ir_bits *bits = ir_const_of(v);
    if (!bits)
        return false;
    *out = v->type == IR_F32 ? (double)bits->f32 : bits->f64;
    return !isnan(*out);
}

/* What `x rel c` says about x when it came out `truth`. */
static struct range range_of_test(enum relation rel, double c, bool truth) {
    struct range r = unknown;
    if (rel == EQ || rel == NE) {
        if (truth == (rel == EQ))
            r = (struct range){.lo = c, .hi = c, .ordered = true};
        return r;
    }
    r.ordered = truth;
    bool below = (rel == LT || rel == LE) == truth;
    bool strict = (rel == LT || rel == GT) == truth;
    if (below) {
        r.hi = c;
        r.hi_strict = strict;
    } else {
        r.lo = c;
        r.lo_strict = strict;
    }
    return r;
}

static void assume_compare(struct traps *t, const struct ir_inst *i, enum relation rel, bool truth) {
    static const enum relation mirrored[] = {NONE, EQ, NE, GT, LT, GE, LE};
    struct ir_value *x = i->operands[0], *y = i->operands[1];
    double c;
    if (float_const(y, &c)) {
        learn(t, x, range_of_test(rel, c, truth));
    } else if (float_const(x, &c)) {
        learn(t, y, range_of_test(mirrored[rel], c, truth));
    } else if (truth ? rel != NE : rel == NE) { /* an ordered comparison held */
        struct range r = unknown;
        r.ordered = true;
        learn(t, x, r);
        learn(t, y, r);
    }
}

static bool is_zero(const struct ir_value *v) {
    const union ir_bits *bits = ir_const_of(v);
    return bits && v->type == IR_I32 && !bits->i32;
}

enum { MAX_CONDITION_PARTS = 32 }; /* a condition may share parts, so it is not walked without bound */

/* Takes in that `cond` is nonzero (truth) or zero. */
static void assume_part(struct traps *t, const struct ir_value *cond, bool truth, unsigned *budget) {
    const struct ir_inst *i = cond->def;
    if (!i || !*budget)
        return;
    --*budget;
    switch (i->op) {
    case IR_I32_EQZ:
        assume_part(t, i->operands[0], !truth, budget);
        return;
    case IR_I32_NE:
    case IR_I32_EQ:
        if (is_zero(i->operands[1]))
            assume_part(t, i->operands[0], truth == (i->op == IR_I32_NE), budget);
        return;
    case IR_I32_AND: /* a nonzero AND has two nonzero operands */
    case IR_I32_OR:  /* a zero OR two zero ones */
        if (truth == (i->op == IR_I32_AND)) {
            assume_part(t, i->operands[0], truth, budget);
            assume_part(t, i->operands[1], truth, budget);
        }
        return;
    case IR_SELECT: /* a && b */
        if (truth && is_zero(i->operands[1])) {
            assume_part(t, i->operands[0], true, budget);
            assume_part(t, i->operands[2], true, budget);
        }
        return;
    default:
        if (relation_of(i) != NONE)
            assume_compare(t, i, relation_of(i), truth);
    }
}

static void assume(struct traps *t, const struct ir_value *cond, bool truth) {
    unsigned budget = MAX_CONDITION_PARTS;
    assume_part(t, cond, truth, &budget);
}

/* Trapping conversions: the values that convert lie strictly between lo and hi.  lo is the next value of the source
 * type below the least that converts. */
static const struct {
    enum ir_op trapping, saturating;
    double lo, hi;
} conversions[] = {
    {IR_I32_TRUNC_F32_S, IR_I32_TRUNC_SAT_F32_S, -0x1.000002p31, 0x1p31},
    {IR_I32_TRUNC_F32_U, IR_I32_TRUNC_SAT_F32_U, -1.0, 0x1p32},
    {IR_I32_TRUNC_F64_S, IR_I32_TRUNC_SAT_F64_S, -0x1.00000002p31, 0x1p31},
    {IR_I32_TRUNC_F64_U, IR_I32_TRUNC_SAT_F64_U, -1.0, 0x1p32},
    {IR_I64_TRUNC_F32_S, IR_I64_TRUNC_SAT_F32_S, -0x1.000002p63, 0x1p63},
    {IR_I64_TRUNC_F32_U, IR_I64_TRUNC_SAT_F32_U, -1.0, 0x1p64},
    {IR_I64_TRUNC_F64_S, IR_I64_TRUNC_SAT_F64_S, -0x1.0000000000001p63, 0x1p63},
    {IR_I64_TRUNC_F64_U, IR_I64_TRUNC_SAT_F64_U, -1.0, 0x1p64},
};

/* What is known of a value here: facts, and what its own definition says. */
static struct range range_of(const struct traps *t, const struct ir_value *v, unsigned depth) {
    struct range r = t->known[v->id] ? t->known[v->id]->range : unknown;
    if (!v->def || depth > 4)
        return r;
    struct range d = unknown;
    d.ordered = true;
    switch (v->def->op) {
    case IR_F64_PROMOTE_F32:
        d = range_of(t, v->def->operands[0], depth + 1);
        break;
    case IR_F32_CONVERT_I32_S:
    case IR_F64_CONVERT_I32_S:
        d.lo = -0x1p31;
        d.hi = 0x1p31;
        break;
    case IR_F32_CONVERT_I32_U:
    case IR_F64_CONVERT_I32_U:
        d.lo = 0;
        d.hi = 0x1p32;
        break;
    default:
        return r;
    }
    return intersect(r, d);
}

static void visit(struct traps *t, struct ir_inst *i) {
    for (size_t k = 0; k < sizeof conversions / sizeof *conversions; k++) {
        if (i->op != conversions[k].trapping)
            continue;
        struct range r = range_of(t, i->operands[0], 0);
        double lo = conversions[k].lo, hi = conversions[k].hi;
        if (r.ordered && (r.lo > lo || (r.lo == lo && r.lo_strict)) && (r.hi < hi || (r.hi == hi && r.hi_strict))) {
            i->op = (uint16_t)conversions[k].saturating;
            t->changed = true;
        }
        return;
    }
}

static void walk(struct traps *t, struct ir_region *r) {
    struct fact *mark = t->newest;
    ir_foreach_inst (i, r) {
        if (i->op == IR_IF) {
            for (int arm = 0; arm < 2; arm++) {
                struct fact *before = t->newest;
                assume(t, i->operands[0], arm == 0);
                walk(t, i->regions[arm]);
                forget(t, before);
            }
            bool then_out = ir_falls_out(i->regions[0]), else_out = ir_falls_out(i->regions[1]);
            if (!i->label && then_out != else_out)
                assume(t, i->operands[0], then_out);
        } else if (i->op == IR_BR_IF) {
            assume(t, i->operands[0], false);
        } else if (ir_nregions(i)) {
            walk(t, i->regions[0]);
        } else {
            visit(t, i);
        }
    }
    forget(t, mark);
}

bool opt_traps(struct ir_func *f, struct pass_ctx *cx) {
    struct traps t = {.scratch = &cx->scratch, .known = arena_array(&cx->scratch, struct fact *, f->next_id)};
    ir_count_branches(f->body);
    walk(&t, f->body);
    return t.changed;
}
