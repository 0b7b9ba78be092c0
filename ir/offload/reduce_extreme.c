/* Extremes of floats made of several operations (reduce.h: OP of the sort OFF_REDUCE_EXTREME), such as what is left of
 * a call to fmaxf:
 *
 *     %n = f32.ne %m, %m            NaN?
 *     %k = f32.ne %e, %e
 *     %g = f32.max %m, %e
 *     %s = select %m, %g, %k        %s and %g: inner values
 *     %r = select %e, %s, %n        the root: F(m, e)
 *
 * Libraries write these in many ways: with comparisons alone, with f32.max between tests for NaN, with the sign bits
 * taken out of the integer representation.  So no pattern is looked for.  The expression between the root and two
 * floats, the accumulator m and the other, e, is evaluated for every way in which m and e can be related, and what it
 * gives is compared with the rules that reduce.
 *
 * That is a proof, as only operations are followed whose outcome depends on that relation alone: comparisons of m, e,
 * zero and infinities with each other; wasm's min and max of these; the sign bit; logic on truth values and sign bits;
 * choices.  A pair (m, e) is then known by which of -NaN, -inf, negative, -0, +0, positive, +inf, +NaN each is, and by
 * m < e, m = e or m > e when both are finite and of one sign: -2, -1, 1 and 2 stand for these.  Of the integers that a
 * float's bits become only the sign is known, and a condition that depends on more is given up.  The result must be one
 * of the two, as it is: the NaN that f32.max makes is neither.
 */
#include <math.h>
#include <string.h>

#include "ir/ir_effects.h"
#include "ir/offload/reduce_internal.h"

enum {
    MAX_NODES = 32,      /* of one expression */
    MAX_PARTS = 16,      /* of one value */
    MAX_CANDIDATES = 12, /* for the accumulator */
    MAX_STEPS = 200,     /* of one evaluation: shared parts are evaluated again */
    NUMBERS = 10,        /* that stand for all */
};

enum origin { FROM_NONE = 0, FROM_M = 1, FROM_E = 2 }; /* bits: both when m and e are the same number */

/* What an expression comes to. */
struct outcome {
    double number;        /* a float; bits of both signs of NaN are told apart */
    uint64_t known, bits; /* an integer: the bits that are known, and what they are */
    uint8_t origin;       /* of a float */
};

struct expression {
    const struct reduce_finder *f;
    const struct ir_value *m, *e;
    const struct ir_value *base; /* what e is the absolute value or the negative of, or e */
    bool steady;                 /* the loop writes no memory, so that two loads from one place are the same number */
    double values[2];            /* of m and base */
    unsigned steps;
    const struct ir_value *nodes[MAX_NODES];
    unsigned nnodes;
};

static bool is_float(enum ir_type t) {
    return t == IR_F32 || t == IR_F64;
}

static bool depends(const struct expression *x, const struct ir_value *v) {
    return reduce_has(x->f, v, DEPENDS);
}

/* What the `if` gives where the condition is so; NULL: it is left another way. */
static const struct ir_value *side_of(const struct ir_inst *i, unsigned region, uint32_t index) {
    const struct ir_region *r = i->regions[region];
    return ir_falls_out(r) && !ir_branches_to(r, i) ? r->last->operands[index] : NULL;
}

/* ---- which m and e ---- */

/* The values that one is computed from. */
struct parts {
    const struct ir_value *v[MAX_PARTS];
    unsigned n;
};

static bool add_part(struct parts *p, const struct ir_value *v) {
    if (!v)
        return true;
    if (p->n == MAX_PARTS)
        return false;
    p->v[p->n++] = v;
    return true;
}

/* The conditions in a block, and what it may give for a result. */
static bool parts_of_block(const struct ir_inst *block, const struct ir_region *r, uint32_t index, struct parts *p) {
    ir_foreach_inst (i, r) {
        bool ok = true;
        if (i->op == IR_BR_IF || i->op == IR_IF)
            ok = add_part(p, i->operands[0]);
        if (i->op == IR_BR_IF && i->target == block)
            ok = ok && add_part(p, i->operands[1 + index]);
        else if ((i->op == IR_BR && i->target == block) || (i->op == IR_YIELD && r->parent == block))
            ok = add_part(p, i->operands[index]);
        else if (i->op == IR_BR_TABLE || i->op == IR_LOOP)
            return false;
        if (!ok)
            return false;
        ir_foreach_region (inner, i)
            if (!parts_of_block(block, inner, index, p))
                return false;
    }
    return true;
}

/* False: evaluation may not look through `v`. */
static bool parts_of(const struct ir_value *v, struct parts *p) {
    const struct ir_inst *i = v->def;
    p->n = 0;
    if (!i)
        return false;
    if (i->op == IR_IF)
        return add_part(p, i->operands[0]) && add_part(p, side_of(i, 0, v->index)) &&
               add_part(p, side_of(i, 1, v->index));
    if (i->op == IR_BLOCK)
        return parts_of_block(i, i->regions[0], v->index, p);
    if (ir_info(i)->kind != IR_KIND_SIMPLE && i->op != IR_SELECT)
        return false;
    for (uint32_t k = 0; k < i->noperands; k++)
        if (!add_part(p, i->operands[k]))
            return false;
    return true;
}

static bool has_node(const struct expression *x, const struct ir_value *v) {
    for (unsigned k = 0; k < x->nnodes; k++)
        if (x->nodes[k] == v)
            return true;
    return false;
}

static bool add_node(struct expression *x, const struct ir_value *v) {
    if (has_node(x, v))
        return true;
    if (x->nnodes == MAX_NODES)
        return false;
    x->nodes[x->nnodes++] = v;
    return true;
}

static bool same_value(const struct expression *x, const struct ir_value *a, const struct ir_value *b) {
    if (a == b)
        return true;
    const struct ir_inst *p = a ? a->def : NULL, *q = b ? b->def : NULL;
    return x->steady && p && q && p->op == q->op && ir_is_load(p) && p->operands[0] == q->operands[0] &&
           p->mem.offset == q->mem.offset && p->mem.memory == q->mem.memory;
}

/* Takes a float that depends on no carried value for e; of two, one must be the other's absolute value or negative. */
static bool take_leaf(struct expression *x, const struct ir_value *v) {
    if (same_value(x, v, x->e) || same_value(x, v, x->base))
        return true;
    const struct ir_inst *i = v->def;
    bool sign = i && (i->op == IR_F32_ABS || i->op == IR_F64_ABS || i->op == IR_F32_NEG || i->op == IR_F64_NEG);
    const struct ir_value *base = sign ? i->operands[0] : v;
    if (!x->e) {
        x->e = v;
        x->base = base;
        return true;
    }
    if (x->e != x->base || !same_value(x, base, x->e))
        return false;
    x->e = v; /* what was e so far is what it is made of */
    return true;
}

/* Finds e and the values between, when the accumulator is x->m. */
static bool find_leaves(struct expression *x, const struct ir_value *root) {
    struct parts parts;
    x->e = x->base = NULL;
    x->nnodes = 0;
    if (!add_node(x, root))
        return false;
    for (unsigned at = 0; at < x->nnodes; at++) {
        if (!parts_of(x->nodes[at], &parts))
            return false;
        for (unsigned k = 0; k < parts.n; k++) {
            const struct ir_value *v = parts.v[k];
            if (v == x->m || (v->def && ir_is_const(v->def)))
                continue;
            bool leaf = is_float(v->type) && !depends(x, v);
            if (leaf ? !take_leaf(x, v) : !add_node(x, v))
                return false;
        }
    }
    return x->e && x->e->type == root->type;
}

/* ---- evaluation ---- */

static bool same_number(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

static struct outcome truth(bool b) {
    return (struct outcome){.known = UINT64_MAX, .bits = b};
}

static bool evaluate(struct expression *x, const struct ir_value *v, struct outcome *out);

/* Whether an integer is anything but zero. */
static bool decide(struct expression *x, const struct ir_value *v, bool *out) {
    struct outcome c;
    if (is_float(v->type) || !evaluate(x, v, &c))
        return false;
    *out = (c.known & c.bits) != 0;
    return *out || c.known == UINT64_MAX;
}

static bool evaluate_const(const struct ir_inst *i, struct outcome *out) {
    const union ir_bits *b = &i->bits;
    *out = (struct outcome){.known = UINT64_MAX};
    switch (i->op) {
    case IR_I32_CONST:
        out->bits = b->i32;
        return true;
    case IR_I64_CONST:
        out->bits = b->i64;
        return true;
    case IR_F32_CONST:
        out->number = (double)b->f32;
        break;
    case IR_F64_CONST:
        out->number = b->f64;
        break;
    default:
        return false;
    }
    return out->number == 0 || isinf(out->number);
}

static bool evaluate_extreme(const struct outcome *a, const struct outcome *b, bool is_max, struct outcome *out) {
    *out = (struct outcome){.number = (double)NAN};
    if (isnan(a->number) || isnan(b->number))
        return true;
    bool zeros = a->number == 0 && b->number == 0;
    bool less = zeros ? signbit(a->number) && !signbit(b->number) : a->number < b->number;
    *out = less == is_max ? *b : *a;
    if (same_number(a->number, b->number))
        out->origin = a->origin | b->origin;
    return true;
}

static bool evaluate_float_pair(enum ir_op op, const struct outcome *a, const struct outcome *b, struct outcome *out) {
    double p = a->number, q = b->number;
#define EITHER(name)    \
    case IR_F32_##name: \
    case IR_F64_##name
    switch (op) {
        EITHER(EQ) : *out = truth(p == q);
        return true;
        EITHER(NE) : *out = truth(p != q);
        return true;
        EITHER(LT) : *out = truth(p < q);
        return true;
        EITHER(LE) : *out = truth(p <= q);
        return true;
        EITHER(GT) : *out = truth(p > q);
        return true;
        EITHER(GE) : *out = truth(p >= q);
        return true;
        EITHER(MIN) : return evaluate_extreme(a, b, false, out);
        EITHER(MAX) : return evaluate_extreme(a, b, true, out);
    default:
        return false;
    }
#undef EITHER
}

/* Logic on integers of which some bits are known; those above the type's are known to be 0. */
static bool evaluate_integers(enum ir_op op, const struct outcome *a, const struct outcome *b, struct outcome *out) {
    uint64_t both = a->known & b->known;
    bool whole = both == UINT64_MAX, differ = (both & (a->bits ^ b->bits)) != 0;
    bool b_is_zero = b->known == UINT64_MAX && b->bits == 0;
    uint64_t ones = op == IR_I32_GT_S || op == IR_I32_LE_S ? UINT32_MAX : UINT64_MAX, top = UINT64_C(1) << 63;
    bool b_is_minus_one = b->known == UINT64_MAX && b->bits == ones;
    unsigned by = (unsigned)b->bits;
    *out = (struct outcome){.known = both};
    switch (op) {
    case IR_I32_AND:
    case IR_I64_AND:
        out->bits = a->bits & b->bits;
        out->known |= (a->known & ~a->bits) | (b->known & ~b->bits);
        return true;
    case IR_I32_OR:
    case IR_I64_OR:
        out->bits = a->bits | b->bits;
        out->known |= (a->known & a->bits) | (b->known & b->bits);
        return true;
    case IR_I32_XOR:
    case IR_I64_XOR:
        out->bits = a->bits ^ b->bits;
        return true;
    case IR_I32_EQ:
    case IR_I64_EQ:
    case IR_I32_NE:
    case IR_I64_NE:
        *out = truth(differ == (op == IR_I32_NE || op == IR_I64_NE));
        return whole || differ;
    case IR_I32_SHR_U:
        out->known = a->known >> (by & 31);
        out->bits = a->bits >> (by & 31);
        out->known |= ~(UINT64_MAX >> (by & 31));
        return b->known == UINT64_MAX;
    case IR_I64_SHR_U:
        out->known = a->known >> (by & 63);
        out->bits = a->bits >> (by & 63);
        out->known |= ~(UINT64_MAX >> (by & 63));
        return b->known == UINT64_MAX;
    case IR_I32_LT_S:
    case IR_I32_GE_S:
    case IR_I32_GT_S:
    case IR_I32_LE_S:
        top = UINT64_C(1) << 31;
        break;
    case IR_I64_LT_S:
    case IR_I64_GE_S:
    case IR_I64_GT_S:
    case IR_I64_LE_S:
        break;
    default:
        return false;
    }
    bool negative = op == IR_I32_LT_S || op == IR_I64_LT_S || op == IR_I32_LE_S || op == IR_I64_LE_S;
    bool with_zero = op == IR_I32_LT_S || op == IR_I64_LT_S || op == IR_I32_GE_S || op == IR_I64_GE_S;
    *out = truth(((a->bits & top) != 0) == negative);
    return (a->known & top) && (with_zero ? b_is_zero : b_is_minus_one);
}

static bool evaluate_one(enum ir_op op, const struct outcome *a, struct outcome *out) {
    bool is_zero = a->known == UINT64_MAX && a->bits == 0, is_not = (a->known & a->bits) != 0;
    *out = *a;
    switch (op) {
    case IR_F32_ABS:
    case IR_F64_ABS:
        *out = (struct outcome){.number = fabs(a->number)};
        return true;
    case IR_F32_NEG:
    case IR_F64_NEG:
        *out = (struct outcome){.number = -a->number};
        return true;
    case IR_I32_REINTERPRET_F32:
        *out = (struct outcome){.known = ~(uint64_t)INT32_MAX};
        out->bits = signbit(a->number) ? UINT64_C(1) << 31 : 0;
        return true;
    case IR_I64_REINTERPRET_F64:
        *out = (struct outcome){.known = UINT64_C(1) << 63};
        out->bits = signbit(a->number) ? UINT64_C(1) << 63 : 0;
        return true;
    case IR_I32_EQZ:
    case IR_I64_EQZ:
        *out = truth(is_zero);
        return is_zero || is_not;
    case IR_I32_WRAP_I64:
        out->known |= ~(uint64_t)UINT32_MAX;
        out->bits &= UINT32_MAX;
        return true;
    case IR_I64_EXTEND_I32_U:
        return true;
    default:
        return false;
    }
}

enum flow { FLOW_UNKNOWN, FLOW_ENDS, FLOW_BRANCHES, FLOW_GIVES };

/* Follows control through a region of the block: GIVES its result, BRANCHES to *out_to within it, or ENDS there. */
static enum flow follow(struct expression *x, const struct ir_region *r, const struct ir_value *result,
                        struct outcome *out, const struct ir_inst **out_to) {
    const struct ir_inst *block = result->def;
    ir_foreach_inst (i, r) {
        bool yes = true;
        enum flow flow = FLOW_ENDS;
        if ((i->op == IR_BR_IF || i->op == IR_IF) && !decide(x, i->operands[0], &yes))
            return FLOW_UNKNOWN;
        switch (i->op) {
        case IR_LOOP:
            return FLOW_UNKNOWN;
        case IR_IF:
        case IR_BLOCK:
            flow = follow(x, i->regions[yes ? 0 : 1], result, out, out_to);
            if (flow == FLOW_ENDS || (flow == FLOW_BRANCHES && *out_to == i))
                continue;
            return flow;
        case IR_BR:
        case IR_BR_IF:
            if (!yes)
                continue;
            *out_to = i->target;
            if (i->target != block)
                return FLOW_BRANCHES;
            return evaluate(x, i->operands[(i->op == IR_BR_IF) + result->index], out) ? FLOW_GIVES : FLOW_UNKNOWN;
        case IR_YIELD:
            if (r->parent != block)
                return FLOW_ENDS;
            return evaluate(x, i->operands[result->index], out) ? FLOW_GIVES : FLOW_UNKNOWN;
        default:
            if (ir_has_flag(i, IR_FLAG_BRANCH))
                return FLOW_UNKNOWN;
        }
    }
    return FLOW_UNKNOWN;
}

static bool evaluate(struct expression *x, const struct ir_value *v, struct outcome *out) {
    const struct ir_inst *i = v->def;
    const struct ir_inst *to;
    struct outcome a, b;
    bool yes;
    if (++x->steps > MAX_STEPS)
        return false;
    bool is_base = same_value(x, v, x->base);
    if (v == x->m || is_base) {
        *out = (struct outcome){.number = x->values[is_base]};
        out->origin = v == x->m ? FROM_M : x->e == x->base ? FROM_E : FROM_NONE;
        return true;
    }
    if (!i)
        return false;
    if (ir_is_const(i))
        return evaluate_const(i, out);
    if (i->op == IR_SELECT)
        return decide(x, i->operands[2], &yes) && evaluate(x, i->operands[yes ? 0 : 1], out);
    if (i->op == IR_IF) {
        const struct ir_value *side = decide(x, i->operands[0], &yes) ? side_of(i, yes ? 0 : 1, v->index) : NULL;
        return side && evaluate(x, side, out);
    }
    if (i->op == IR_BLOCK)
        return follow(x, i->regions[0], v, out, &to) == FLOW_GIVES;
    if (ir_info(i)->kind != IR_KIND_SIMPLE || i->noperands == 0 || i->noperands > 2 || !evaluate(x, i->operands[0], &a))
        return false;
    if (i->noperands == 1) {
        if (!evaluate_one((enum ir_op)i->op, &a, out))
            return false;
        if (v == x->e)
            out->origin = FROM_E;
        return true;
    }
    if (!evaluate(x, i->operands[1], &b))
        return false;
    return is_float(i->operands[0]->type) ? evaluate_float_pair((enum ir_op)i->op, &a, &b, out)
                                          : evaluate_integers((enum ir_op)i->op, &a, &b, out);
}

/* ---- rules ---- */

/* Which of m and e the rule takes. */
static enum origin ruled(unsigned rule, double m, double e) {
    bool m_nan = isnan(m), e_nan = isnan(e), is_max = (rule & OFF_EXTREME_MAX) != 0;
    unsigned nans = rule & OFF_EXTREME_NANS;
    if (m_nan || e_nan) {
        if (nans == OFF_EXTREME_NAN_STAYS)
            return FROM_M;
        if (m_nan && e_nan)
            return rule & OFF_EXTREME_NAN_LAST ? FROM_E : FROM_M;
        return m_nan == (nans == OFF_EXTREME_NAN_WINS) ? FROM_M : FROM_E;
    }
    if (m == 0 && e == 0 && (signbit(m) != 0) != (signbit(e) != 0)) {
        if (rule & OFF_EXTREME_ZEROS)
            return rule & OFF_EXTREME_ZERO_LAST ? FROM_E : FROM_M;
        return (signbit(e) != 0) == is_max ? FROM_M : FROM_E;
    }
    if (m == e)
        return FROM_M | FROM_E;
    return (e > m) == is_max ? FROM_E : FROM_M;
}

/* A number of each sort, two of those that may be less or greater than another of their own. */
static double number_of(unsigned k) {
    static const double numbers[] = {-2, -1, -0.0, 0, 1, 2, (double)-INFINITY, (double)INFINITY};
    return k < NUMBERS - 2 ? numbers[k] : copysign((double)NAN, k == NUMBERS - 2 ? 1 : -1);
}

/* All that the expression can come to: [m][base]; false when some is unknown or neither of the two. */
static bool tabulate(struct expression *x, const struct ir_value *root, uint8_t origins[NUMBERS][NUMBERS]) {
    for (unsigned m = 0; m < NUMBERS; m++)
        for (unsigned e = 0; e < NUMBERS; e++) {
            struct outcome out;
            x->values[0] = number_of(m);
            x->values[1] = number_of(e);
            x->steps = 0;
            if (!evaluate(x, root, &out) || !out.origin)
                return false;
            origins[m][e] = out.origin;
        }
    return true;
}

static bool rule_fits(const struct expression *x, unsigned rule, uint8_t origins[NUMBERS][NUMBERS]) {
    const struct ir_inst *sign = x->e == x->base ? NULL : x->e->def;
    bool is_abs = sign && (sign->op == IR_F32_ABS || sign->op == IR_F64_ABS);
    for (unsigned m = 0; m < NUMBERS; m++)
        for (unsigned k = 0; k < NUMBERS; k++) {
            double base = number_of(k), e = is_abs ? fabs(base) : sign ? -base : base;
            if (!(ruled(rule, number_of(m), e) & origins[m][k]))
                return false;
        }
    return true;
}

/* The rule that takes what the expression takes, the least demanding first. */
static bool find_rule(struct expression *x, const struct ir_value *root, uint8_t *out) {
    static const uint8_t zeros[] = {0, OFF_EXTREME_ZERO_FIRST, OFF_EXTREME_ZERO_LAST};
    static const uint8_t nans[] = {OFF_EXTREME_NAN_LOSES, OFF_EXTREME_NAN_STAYS,
                                   OFF_EXTREME_NAN_LOSES | OFF_EXTREME_NAN_LAST, OFF_EXTREME_NAN_WINS,
                                   OFF_EXTREME_NAN_WINS | OFF_EXTREME_NAN_LAST};
    uint8_t origins[NUMBERS][NUMBERS];
    if (!tabulate(x, root, origins))
        return false;
    for (unsigned z = 0; z < sizeof zeros; z++)
        for (unsigned n = 0; n < sizeof nans; n++)
            for (unsigned is_max = 0; is_max < 2; is_max++) {
                *out = (uint8_t)(zeros[z] | nans[n] | (is_max ? OFF_EXTREME_MAX : 0));
                if (rule_fits(x, *out, origins))
                    return true;
            }
    return false;
}

/* ---- the search ---- */

/* Values that the expression may have for its accumulator, the nearest first. */
static unsigned find_candidates(struct expression *x, const struct ir_value *root,
                                const struct ir_value *out[MAX_CANDIDATES]) {
    struct parts parts;
    unsigned found = 0;
    x->nnodes = 0;
    if (!add_node(x, root))
        return 0;
    for (unsigned at = 0; at < x->nnodes; at++)
        for (unsigned k = parts_of(x->nodes[at], &parts) ? 0 : parts.n; k < parts.n; k++) {
            const struct ir_value *v = parts.v[k];
            if (!depends(x, v) || has_node(x, v))
                continue;
            if (v->type == root->type && found < MAX_CANDIDATES)
                out[found++] = v;
            if (!add_node(x, v))
                return found;
        }
    return found;
}

static void match_root(struct reduce_finder *f, const struct ir_value *root, bool stays, bool steady) {
    struct expression x = {.f = f, .steady = steady};
    const struct ir_value *candidates[MAX_CANDIDATES];
    unsigned n = find_candidates(&x, root, candidates);
    for (unsigned k = 0; k < n; k++) {
        uint8_t rule;
        x.m = candidates[k];
        if (!find_leaves(&x, root) || !find_rule(&x, root, &rule) ||
            ((rule & OFF_EXTREME_NANS) == OFF_EXTREME_NAN_STAYS && !stays))
            continue;
        struct reduce_extreme *e = &f->extremes[f->nextremes++];
        *e = (struct reduce_extreme){.root = root, .m = x.m, .rule = rule};
        e->inner = arena_array(f->p->arena, const struct ir_value *, x.nnodes);
        for (unsigned i = 1; i < x.nnodes; i++) /* nodes[0] is the root */
            if (depends(&x, x.nodes[i]))
                e->inner[e->ninner++] = x.nodes[i];
        return;
    }
}

static bool is_choice(const struct ir_inst *i) {
    return i->op == IR_SELECT || i->op == IR_IF || i->op == IR_BLOCK;
}

static void search(struct reduce_finder *f, struct ir_region *r, bool stays, bool steady) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->nresults && is_choice(i); k++)
            if (is_float(i->results[k].type) && depends(&(struct expression){.f = f}, &i->results[k]) &&
                f->nextremes < REDUCE_MAX_EXTREMES)
                match_root(f, &i->results[k], stays, steady);
        ir_foreach_region (inner, i)
            search(f, inner, stays, steady);
    }
}

static bool may_write(const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_has_flag(i, IR_FLAG_WRITES) || ir_has_flag(i, IR_FLAG_CALLS))
            return true;
        ir_foreach_region (inner, i)
            if (may_write(inner))
                return true;
    }
    return false;
}

void reduce_find_extremes(struct reduce_finder *f, bool stays) {
    f->extremes = arena_array(f->p->arena, struct reduce_extreme, REDUCE_MAX_EXTREMES);
    f->nextremes = 0;
    search(f, f->l->inst->regions[0], stays, !may_write(f->l->inst->regions[0]));
    for (uint32_t k = 0; k < f->nextremes; k++) {
        reduce_set(f, f->extremes[k].root, EXTREME);
        for (uint32_t i = 0; i < f->extremes[k].ninner; i++)
            reduce_set(f, f->extremes[k].inner[i], INNER);
    }
}

const struct reduce_extreme *reduce_extreme_of(const struct reduce_finder *f, const struct ir_value *v) {
    if (!reduce_has(f, v, EXTREME) || reduce_has(f, v, INNER))
        return NULL;
    for (uint32_t k = 0; k < f->nextremes; k++)
        if (f->extremes[k].root == v)
            return &f->extremes[k];
    return NULL;
}

/* Whether every iteration passes each of the expressions on the way, so that it has taken something where NaNs are not
 * numbers to be skipped. */
static bool is_straight(const struct reduce_finder *f, const struct ir_value *param, const struct ir_value *next) {
    const struct ir_value *v = next;
    while (v != param) {
        const struct reduce_extreme *e = reduce_extreme_of(f, v);
        if (!e || (v->def->parent != f->l->inst->regions[0] && v->def->parent != f->l->back->parent))
            return false;
        v = e->m;
    }
    return true;
}

void reduce_start_extreme(const struct reduce_finder *f, struct plan_reduce *r) {
    uint8_t rule = f->op.rule;
    unsigned nans = rule & OFF_EXTREME_NANS;
    bool before = nans == OFF_EXTREME_NAN_LOSES && !(rule & OFF_EXTREME_ZERO_LAST);
    bool strays = (rule & OFF_EXTREME_NAN_LAST) && !is_straight(f, r->param, r->next);
    if (nans == OFF_EXTREME_NAN_LOSES && (!before || strays))
        rule |= OFF_EXTREME_NEEDS_NUMBER;
    if (before)
        r->start = f->l->inst->operands[r->param->index];
    bool is_max = (rule & OFF_EXTREME_MAX) != 0;
    if (r->type == IR_F32)
        r->start_bits.f32 = is_max ? -INFINITY : INFINITY;
    else
        r->start_bits.f64 = (double)(is_max ? -INFINITY : INFINITY);
    r->desc.rule = rule;
}

bool reduce_is_ordered(const struct off_reduce *r) {
    return r->op == OFF_REDUCE_EXTREME &&
           ((r->rule & OFF_EXTREME_ZEROS) || (r->rule & OFF_EXTREME_NANS) == OFF_EXTREME_NAN_WINS);
}
