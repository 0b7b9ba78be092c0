/* Values as polynomials; see affine.h for what they mean and why.
 *
 * aff_of is a memoised walk from a value to its operands.  Loop parameters are solved a loop at a time: every parameter
 * gets a placeholder symbol, the values passed to the next iteration are computed in terms of the placeholders, and a
 * parameter whose next value minus itself does not vary in the loop is an induction variable.  What was memoised in
 * terms of placeholders is then forgotten.  The cost is exponential in the depth of nesting at worst, so aff_begin's
 * caller limits the depth.
 */
#include "ir/analysis/affine.h"

#include "ir/analysis/affine_internal.h"
#include "ir/ir_effects.h"

#include <string.h>

enum { OUTER_EXPANSION = 6, OUTER_TERMS = 4, MAX_RECURSION = 400 };

const struct aff aff_unknown;

/* ---- values ---- */

static const struct aff *value_of(struct aff_ctx *cx, struct ir_value *v);

void aff_remember(struct aff_ctx *cx, struct ir_value *v, const struct aff *a) {
    if (!v->note)
        *arena_push(cx->arena, cx->touched, cx->ntouched, cx->touched_cap) = v;
    v->note = a ? (void *)a : AFF_UNKNOWN;
}

void aff_forget_from(struct aff_ctx *cx, uint32_t first) {
    while (cx->ntouched > first)
        cx->touched[--cx->ntouched]->note = NULL;
}

unsigned aff_bits_of(const struct ir_value *v) {
    return v->type == IR_I64 ? 64 : 32;
}

const struct aff *aff_of(struct aff_ctx *cx, struct ir_value *v) {
    if (v->type != IR_I32 && v->type != IR_I64)
        return NULL;
    if (v->note)
        return v->note == AFF_UNKNOWN ? NULL : v->note;
    if (cx->depth >= MAX_RECURSION)
        return NULL;
    cx->depth++;
    const struct aff *a = value_of(cx, v);
    cx->depth--;
    if (!v->note) /* solving a loop's parameters sets their notes itself */
        aff_remember(cx, v, a);
    return v->note == AFF_UNKNOWN ? NULL : v->note;
}

/* `x | c` where x is a multiple of a power of two above c. */
const struct aff *aff_disjoint_or(struct aff_ctx *cx, const struct aff *x, uint64_t c) {
    if (!x)
        return NULL;
    for (uint32_t i = 0; i < x->nterms; i++) {
        uint64_t low = x->terms[i].coef & -x->terms[i].coef;
        if (c >= low)
            return NULL;
    }
    return aff_add(cx, x, aff_const(cx, x->bits, c));
}

const struct aff *aff_truncated(struct aff_ctx *cx, const struct aff *a) {
    if (!a)
        return NULL;
    struct aff *zero = aff_new(cx, 32, 0), *copy = aff_new(cx, 32, a->nterms);
    memcpy(copy->terms, a->terms, a->nterms * sizeof a->terms[0]);
    return aff_add(cx, zero, copy); /* reduces the coefficients */
}

/* A value from before the nest as one symbol, whatever it is the sum of; others as they are. */
static const struct aff *as_symbol(struct aff_ctx *cx, struct ir_value *v) {
    if (loop_contains_value(cx->root, v) || ir_const_of(v))
        return aff_of(cx, v);
    return aff_symbol_expr(cx, aff_bits_of(v), (struct aff_sym){.kind = AFF_VALUE, .value = v});
}

/* A product of sums from before the nest (`(h + 2 * pad - r + 1) * (w + 2 * pad - r + 1)`) soon has too many terms. */
static const struct aff *product(struct aff_ctx *cx, struct ir_value *x, struct ir_value *y) {
    const struct aff *a = aff_of(cx, x), *b = a ? aff_of(cx, y) : NULL, *p = aff_mul(cx, a, b);
    return p || !b ? p : aff_mul(cx, as_symbol(cx, x), as_symbol(cx, y));
}

static const struct aff *operation(struct aff_ctx *cx, struct ir_inst *i) {
    const struct aff *a, *b;
    uint64_t c;
    switch (i->op) {
    case IR_I32_ADD:
    case IR_I64_ADD:
        a = aff_of(cx, i->operands[0]);
        return a ? aff_add(cx, a, aff_of(cx, i->operands[1])) : NULL;
    case IR_I32_SUB:
    case IR_I64_SUB:
        a = aff_of(cx, i->operands[0]);
        return a ? aff_sub(cx, a, aff_of(cx, i->operands[1])) : NULL;
    case IR_I32_XOR:
    case IR_I64_XOR: /* ~x is -1 - x */
        b = aff_of(cx, i->operands[1]);
        a = aff_is_const(b, &c) && c == aff_mask_of(b->bits) ? aff_of(cx, i->operands[0]) : NULL;
        return a ? aff_sub(cx, b, a) : NULL;
    case IR_I32_SHR_S:
    case IR_I32_SHR_U:
        return aff_shifted_counter(cx, i);
    case IR_I32_MUL:
    case IR_I64_MUL:
        return product(cx, i->operands[0], i->operands[1]);
    case IR_I32_SHL:
    case IR_I64_SHL:
        a = aff_of(cx, i->operands[0]);
        b = aff_of(cx, i->operands[1]);
        return a && aff_is_const(b, &c) ? aff_scale(cx, a, UINT64_C(1) << (c & (a->bits - 1))) : NULL;
    case IR_I32_OR:
    case IR_I64_OR:
        a = aff_of(cx, i->operands[0]);
        b = aff_of(cx, i->operands[1]);
        return aff_is_const(b, &c) ? aff_disjoint_or(cx, a, c) : aff_is_const(a, &c) ? aff_disjoint_or(cx, b, c) : NULL;
    case IR_I32_WRAP_I64:
        return aff_truncated(cx, aff_of(cx, i->operands[0]));
    case IR_I32X4_EXTRACT_LANE:
    case IR_I64X2_EXTRACT_LANE:
        return aff_extracted_lane(cx, i);
    default:
        return NULL;
    }
}

static void add_edge(struct aff_edges *e, struct ir_inst *from, uint32_t first) {
    if (e->n == AFF_MAX_EDGES) {
        e->too_many = true;
        return;
    }
    e->from[e->n] = from;
    e->first[e->n++] = first;
}

static void collect_edges(struct aff_edges *e, const struct ir_inst *label, struct ir_region *r, bool own) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_BR_TABLE) {
            uint32_t first = 1;
            for (uint32_t k = 0; k < i->ntargets; k++) {
                if (i->targets[k] == label)
                    add_edge(e, i, first);
                first += ir_label_arity(i->targets[k]);
            }
        } else if (((i->op == IR_BR || i->op == IR_BR_IF) && i->target == label) || (own && i->op == IR_YIELD)) {
            add_edge(e, i, i->op == IR_BR_IF);
        }
        if (ir_stops_kernel(i))
            return;
        ir_foreach_region (inner, i)
            collect_edges(e, label, inner, false);
    }
}

const struct aff_edges *aff_edges_of(struct aff_ctx *cx, struct ir_inst *label) {
    if (!label->note) {
        struct aff_edges *e = arena_new(cx->arena, struct aff_edges);
        ir_foreach_region (r, label)
            collect_edges(e, label, r, true);
        label->note = e;
        *arena_push(cx->arena, cx->noted, cx->nnoted, cx->noted_cap) = label;
    }
    return label->note;
}

/* The innermost loop of the nest around `i`. */
static struct loop *loop_around(const struct aff_ctx *cx, const struct ir_inst *i) {
    const struct ir_region *r = i->parent;
    while (r && r->parent && r->parent->op != IR_LOOP)
        r = r->parent->parent;
    return r && r->parent && r->parent->label >= cx->root->seq ? r->parent->note : NULL;
}

/* What branch `from` passes, as seen from outside the loops it leaves on the way to `label`. */
const struct aff *aff_passed_value(struct aff_ctx *cx, struct ir_inst *from, struct ir_value *v,
                                   const struct ir_inst *label) {
    const struct aff *a = aff_of(cx, v);
    for (struct loop *l = loop_around(cx, from); a && l && l->seq > label->label; l = l->parent)
        if (l->test == from)
            a = aff_at_exit(cx, l, a);
    return a; /* left by another exit: its iteration number stays in, standing for some iteration */
}

/* Equal, or to be found equal before the launch. */
bool aff_taken_as_equal(const struct aff_ctx *cx, const struct aff *a, const struct aff *b) {
    for (const struct aff_equality *e = cx->equalities; e; e = e->next)
        if ((aff_equal(e->a, a) && aff_equal(e->b, b)) || (aff_equal(e->a, b) && aff_equal(e->b, a)))
            return true;
    return aff_equal(a, b);
}

static const struct aff *choose(struct aff_ctx *cx, struct ir_inst *merge, uint32_t which, const struct aff *sum,
                                const struct aff *first, const struct aff *other) {
    if (aff_taken_as_equal(cx, first, other))
        return sum;
    const struct aff *m =
        aff_symbol_expr(cx, first->bits, (struct aff_sym){.kind = AFF_CHOICE, .merge = merge, .which = which});
    return aff_add(cx, sum, aff_mul(cx, m, aff_sub(cx, other, first)));
}

/* Whether `a` is a constant times `of`, so that it is 0 where `of` is. */
static bool is_multiple(struct aff_ctx *cx, const struct aff *a, const struct aff *of) {
    if (!a || !of || a->bits != of->bits || !of->nterms || a->nterms != of->nterms)
        return false;
    int32_t by = (int32_t)of->terms[0].coef, value = (int32_t)a->terms[0].coef;
    return by && by != INT32_MIN && value % by == 0 && aff_equal(a, aff_scale(cx, of, (uint64_t)(int64_t)(value / by)));
}

/* `cond ? yes : no` where cond is known before the nest: its truth is a symbol like any other.  What is added only
 * where it is not 0 (`if %rest { ... %i + %rest } else { ... %i }`) is added always. */
static const struct aff *select_known(struct aff_ctx *cx, struct ir_value *cond, const struct aff *yes,
                                      const struct aff *no) {
    const struct aff *difference = yes && no ? aff_sub(cx, yes, no) : NULL;
    if (!difference)
        return NULL;
    if (cond->type == IR_I32 && is_multiple(cx, difference, aff_of(cx, cond)))
        return yes;
    struct ir_value *truth = aff_known_truth(cx, cond);
    if (!truth)
        return NULL;
    const struct aff *c = aff_symbol_expr(cx, yes->bits, (struct aff_sym){.kind = AFF_VALUE, .value = truth});
    return aff_add(cx, no, aff_mul(cx, c, difference));
}

static const struct aff *merged(struct aff_ctx *cx, struct ir_inst *label, uint32_t index) {
    const struct aff_edges *e = aff_edges_of(cx, label);
    if (e->too_many || !e->n)
        return NULL;
    const struct aff *first = aff_passed_value(cx, e->from[0], e->from[0]->operands[e->first[0] + index], label);
    const struct aff *sum = first;
    if (label->op == IR_IF && e->n == 2 && e->from[0]->parent == label->regions[0] &&
        e->from[1]->parent == label->regions[1] && e->from[0]->op == IR_YIELD && e->from[1]->op == IR_YIELD) {
        const struct aff *other = first ? aff_passed_value(cx, e->from[1], e->from[1]->operands[index], label) : NULL;
        const struct aff *known =
            aff_taken_as_equal(cx, first, other) ? first : select_known(cx, label->operands[0], first, other);
        if (known)
            return known;
    }
    for (uint32_t k = 1; k < e->n && sum; k++) {
        const struct aff *other = aff_passed_value(cx, e->from[k], e->from[k]->operands[e->first[k] + index], label);
        sum = other ? choose(cx, label, k, sum, first, other) : NULL;
    }
    return sum;
}

static const struct aff *loop_result(struct aff_ctx *cx, struct ir_inst *inst, uint32_t index) {
    struct loop *l = inst->note;
    if (!l || (l->shape != LOOP_BOTTOM_YIELD && l->shape != LOOP_TOP_IF))
        return NULL;
    struct ir_inst *yield = inst->regions[0]->last;
    if (yield->op != IR_YIELD)
        return NULL;
    struct ir_value *v = yield->operands[index];
    if (v->def && v->def == l->test && l->test->op == IR_IF) {
        struct ir_inst *leave = l->test->regions[l->exit_when_true ? 0 : 1]->last;
        v = leave->operands[v->index];
    }
    const struct aff *a = aff_of(cx, v);
    return a ? aff_at_exit(cx, l, a) : NULL;
}

/* A value from before the nest: a symbol, but with small sums taken apart so that p and p + 4 are seen to be related.
 */
static const struct aff *outer_value(struct aff_ctx *cx, struct ir_value *v, unsigned levels) {
    struct ir_inst *d = v->def;
    if (d && levels) {
        const struct aff *a = NULL, *b = NULL;
        const union ir_bits *c = d->noperands == 2 ? ir_const_of(d->operands[1]) : NULL;
        switch (d->op) {
        case IR_I32_CONST:
        case IR_I64_CONST:
            return aff_const(cx, aff_bits_of(v), d->bits.i64 & aff_mask_of(aff_bits_of(v)));
        case IR_I32_ADD:
        case IR_I32_SUB:
            a = outer_value(cx, d->operands[0], levels - 1);
            b = a ? outer_value(cx, d->operands[1], levels - 1) : NULL;
            a = d->op == IR_I32_ADD ? aff_add(cx, a, b) : aff_sub(cx, a, b);
            break;
        case IR_I32_SHL:
            a = c ? aff_scale(cx, outer_value(cx, d->operands[0], levels - 1), UINT64_C(1) << (c->i32 & 31)) : NULL;
            break;
        case IR_I32_MUL:
            a = c ? aff_scale(cx, outer_value(cx, d->operands[0], levels - 1), c->i32) : NULL;
            break;
        default:
            break;
        }
        if (a && a->nterms <= OUTER_TERMS)
            return a;
    }
    return aff_symbol_expr(cx, aff_bits_of(v), (struct aff_sym){.kind = AFF_VALUE, .value = v});
}

unsigned aff_multiple_of(const struct ir_value *v) {
    const struct ir_inst *d = v->def;
    const union ir_bits *c = d && d->op == IR_I32_AND ? ir_const_of(d->operands[1]) : NULL;
    uint32_t low = c ? c->i32 & -c->i32 : 0;
    return low > 1 && c->i32 == -low ? (unsigned)__builtin_ctz(low) : 0;
}

/* Parameters that are handed what this iteration computes from induction variables: a pointer made anew from the index,
 * the index itself one iteration late.
 *
 *     loop (%i = 0, %p = %a) { ... %j = %i + 1 ... br_if loop(%j, %a + %j * 4) }
 *
 * The value passed on is F(k) in iteration k.  In iteration k > 0 the parameter is therefore F(k - 1), and if that
 * formula also gives the initial value for k = 0, it holds throughout. */
static void solve_derived(struct aff_ctx *cx, struct loop *l, const struct aff *const *inits) {
    struct ir_region *r = l->inst->regions[0];
    uint32_t mark = cx->ntouched;
    if (l->nback_edges != 1 || l->back->op == IR_BR_TABLE)
        return;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t k = 0; k < r->nparams; k++) {
            int iter = aff_iter_sym(cx, l);
            if (r->params[k]->note != AFF_UNKNOWN || !inits[k] || iter < 0)
                continue;
            const struct aff *next = aff_of(cx, loop_next_value(l, k)), *coef, *rest;
            if (!next || !aff_split(cx, next, (uint32_t)iter, &coef, &rest) || !aff_fixed_in_loop(cx, coef, l) ||
                !aff_fixed_in_loop(cx, rest, l) || !aff_equal(aff_sub(cx, rest, coef), inits[k]))
                continue;
            const struct aff *k_th = aff_symbol_expr(cx, coef->bits, (struct aff_sym){.kind = AFF_ITER, .loop = l});
            const struct aff *a = aff_add(cx, inits[k], aff_mul(cx, k_th, coef));
            aff_forget_from(cx, mark); /* what was found out without it */
            if (a) {
                aff_remember(cx, r->params[k], a);
                again = true;
            }
        }
    }
    aff_forget_from(cx, mark);
}

/* Sets the notes of all parameters of `l`. */
static void solve_params(struct aff_ctx *cx, struct loop *l) {
    struct ir_region *r = l->inst->regions[0];
    const struct aff **reloaded = arena_array(cx->arena, const struct aff *, r->nparams + 1);
    aff_solve_reloaded(cx, l, reloaded);
    const struct aff **steps = arena_array(cx->arena, const struct aff *, r->nparams + 1);
    const struct aff **inits = arena_array(cx->arena, const struct aff *, r->nparams + 1);
    for (uint32_t k = 0; k < r->nparams; k++)
        inits[k] = aff_of(cx, l->inst->operands[k]);

    uint32_t mark = cx->ntouched;
    for (uint32_t k = 0; k < r->nparams; k++) {
        struct ir_value *p = r->params[k];
        bool integer = p->type == IR_I32 || p->type == IR_I64;
        aff_remember(cx, p,
                     reloaded[k] ? reloaded[k]
                     : integer   ? aff_symbol_expr(cx, aff_bits_of(p), (struct aff_sym){.kind = AFF_VALUE, .value = p})
                                 : NULL);
    }
    for (uint32_t k = 0; k < r->nparams && l->nback_edges == 1 && l->back->op != IR_BR_TABLE; k++) {
        const struct aff *self = r->params[k]->note == AFF_UNKNOWN ? NULL : r->params[k]->note;
        const struct aff *next = self ? aff_of(cx, loop_next_value(l, k)) : NULL;
        const struct aff *step = next ? aff_sub(cx, next, self) : NULL;
        if (step && aff_fixed_in_loop(cx, step, l))
            steps[k] = step;
    }
    aff_forget_from(cx, mark);
    for (uint32_t k = 0; k < r->nparams; k++) {
        const struct aff *a = reloaded[k];
        if (!a && steps[k] && inits[k]) {
            const struct aff *iter = aff_symbol_expr(cx, inits[k]->bits, (struct aff_sym){.kind = AFF_ITER, .loop = l});
            a = aff_add(cx, inits[k], aff_mul(cx, iter, steps[k]));
        }
        aff_remember(cx, r->params[k], a);
    }
    solve_derived(cx, l, inits);
}

/* Low bits of a masked value that are 0: `x & 240` counts in steps of 16, which matters for the alignment of what it
 * indexes. */
static uint32_t low_zeros(const struct ir_inst *d) {
    const union ir_bits *c = d->op == IR_I32_AND ? ir_const_of(d->operands[1]) : NULL;
    return c && c->i32 ? (uint32_t)__builtin_ctz(c->i32) : 0;
}

/* Whether `a` has a product of a choice with something else that varies, which no dimension can stand for. */
static bool has_tangled_choice(const struct aff_ctx *cx, const struct aff *a) {
    for (uint32_t t = 0; t < a->nterms; t++) {
        unsigned choices = 0, varying = 0;
        for (uint32_t k = 0; k < a->terms[t].degree; k++) {
            enum aff_sym_kind kind = cx->syms[a->terms[t].syms[k]].kind;
            choices += kind == AFF_CHOICE;
            varying += kind != AFF_VALUE;
        }
        if (choices && varying > 1)
            return true;
    }
    return false;
}

/* `a`, or where it is tangled the range of both values that come together in `v`. */
static const struct aff *untangle(struct aff_ctx *cx, struct ir_value *v, const struct aff *a) {
    struct aff_range range;
    if (!a || !has_tangled_choice(cx, a) || !aff_range_of(cx, v, &range))
        return a;
    return aff_range_symbol(cx, v, 0);
}

/* A merge that comes to the same whichever way it was reached; NULL: another. */
static const struct aff *merged_alike(struct aff_ctx *cx, struct ir_value *v) {
    const struct aff *a = merged(cx, v->def, v->index);
    for (uint32_t t = 0; a && t < a->nterms; t++)
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            const struct aff_sym *s = aff_sym(cx, a->terms[t].syms[d]);
            if (s->kind == AFF_CHOICE && s->merge == v->def)
                return NULL;
        }
    return a;
}

static const struct aff *value_of(struct aff_ctx *cx, struct ir_value *v) {
    const union ir_bits *c = ir_const_of(v);
    if (c)
        return aff_const(cx, aff_bits_of(v), v->type == IR_I64 ? c->i64 : c->i32);
    if (!loop_contains_value(cx->root, v))
        return outer_value(cx, v, OUTER_EXPANSION);
    if (!v->def) {
        solve_params(cx, v->region->parent->note);
        return v->note == AFF_UNKNOWN ? NULL : v->note;
    }
    struct aff_range range;
    const struct aff_hoist *h = aff_hoist_of(cx, v->def, true);
    if (h)
        return aff_symbol_expr(cx, aff_bits_of(v), (struct aff_sym){.kind = AFF_VALUE, .value = h->value});
    const struct aff *a = operation(cx, v->def);
    if (a)
        return a;
    h = aff_hoist_operation(cx, v->def);
    if (h)
        return aff_symbol_expr(cx, aff_bits_of(v), (struct aff_sym){.kind = AFF_VALUE, .value = h->value});
    if (v->def->op == IR_BLOCK || v->def->op == IR_IF) {
        a = merged_alike(cx, v);
        if (a)
            return a;
    }
    unsigned shift = aff_multiple_of(v);
    if (shift && aff_range_of(cx, v, &range))
        return aff_scale(cx, aff_range_symbol(cx, v, 0), UINT64_C(1) << shift);
    bool known_cond = v->def->op == IR_SELECT && !loop_contains_value(cx->root, v->def->operands[2]);
    if (!known_cond && aff_range_of(cx, v, &range)) {
        uint32_t zeros = low_zeros(v->def);
        return aff_scale(cx, aff_range_symbol(cx, v, zeros), UINT64_C(1) << zeros);
    }
    switch (v->def->op) {
    case IR_BLOCK:
    case IR_IF:
        return untangle(cx, v, merged(cx, v->def, v->index));
    case IR_LOOP:
        return loop_result(cx, v->def, v->index);
    case IR_SELECT: {
        a = aff_of(cx, v->def->operands[0]);
        const struct aff *b = a ? aff_of(cx, v->def->operands[1]) : NULL;
        const struct aff *known = b ? select_known(cx, v->def->operands[2], a, b) : NULL;
        return known ? known : b ? choose(cx, v->def, 1, a, a, b) : NULL;
    }
    default:
        return NULL;
    }
}

static void enter_loops(struct loop *l) {
    l->inst->note = l;
    for (struct loop *c = l->first_child; c; c = c->next)
        enter_loops(c);
}

static void leave_loops(struct loop *l) {
    l->inst->note = NULL;
    for (struct loop *c = l->first_child; c; c = c->next)
        leave_loops(c);
}

struct aff_ctx *aff_begin(struct arena *scratch, struct loop *root) {
    struct aff_ctx *cx = arena_new(scratch, struct aff_ctx);
    cx->arena = scratch;
    cx->root = root;
    cx->hoists_end = &cx->hoists;
    enter_loops(root);
    return cx;
}

void aff_end(struct aff_ctx *cx) {
    aff_forget_from(cx, 0);
    while (cx->nnoted)
        cx->noted[--cx->nnoted]->note = NULL;
    leave_loops(cx->root);
}
