/* A copy does the same wherever it is: this shows it of a function, so that what a trial has seen at some addresses
 * goes for all others.
 *
 * Every value gets a weight: how much it grows when `to` and `from` both grow by 128.  The arguments `to` and `from`
 * have 1, n and constants 0; sums and differences add up, and values that meet must agree.
 *
 *     %end = i32.add %to, %n          1          %apart = i32.sub %to, %from      0
 *     %head = i32.and %from, 3        0          %more = i32.ne %p, %end          comparable: both have 1
 *
 * Of what is no sum (`to | from`, `to << 3`) only the lowest bits may be used, which do not change at all.  Then, when
 * both pointers are moved by a multiple of 128, every comparison comes out as before and every address moves along
 * (none of them wraps: what is touched lies inside memory).  With it goes all that makes a number of n that is not
 * near to a multiple of it, so that no length is singled out but by sums: division, powers, counts of bits, shifts by
 * more than seven.
 */
#include "ir/analysis/bulk_control.h"

#include "ir/ir_build.h"
#include "ir/ir_effects.h"

enum { MAX_WEIGHT = 8, MAX_DEPTH = 3, MAX_ROUNDS = 64, MAX_PARAMS = 8, LOW_BITS = 127, MAX_SHIFT = 7 };

enum { /* weights that are no numbers */
       UNSET = MAX_WEIGHT + 1,
       TRUTH, /* 0 or 1; counts as weight 0 */
       LOW,   /* only the lowest bits are known to stay */
       BAD,
       DATA, /* of what was loaded, or the byte: decides nothing (bulk_funcs.c) */
};

struct control {
    const struct ir_module *module;
    struct arena *scratch;
    unsigned depth;
    bool ok;
};

struct weights { /* of one function */
    struct control *control;
    int *of; /* by value id */
    int result;
    bool changed;
};

static bool is_number(int w) {
    return w <= MAX_WEIGHT;
}

static bool counts_as_zero(int w) {
    return w == 0 || w == TRUTH;
}

/* Of a value that is one or the other. */
static int meet(int a, int b) {
    if (a == b || b == UNSET)
        return a;
    if (a == UNSET)
        return b;
    if (a == DATA || b == DATA)
        return DATA;
    if (a == BAD || b == BAD)
        return BAD;
    return counts_as_zero(a) && counts_as_zero(b) ? 0 : LOW;
}

static int sum(int a, int b, int sign) {
    if (a == BAD || b == BAD)
        return BAD;
    if (a == LOW || b == LOW)
        return LOW;
    int w = (is_number(a) ? a : 0) + sign * (is_number(b) ? b : 0);
    return w < -MAX_WEIGHT || w > MAX_WEIGHT ? LOW : w;
}

static int low_of(int a, int b) {
    return a == BAD || b == BAD ? BAD : LOW;
}

/* Clears nothing but some of the lowest bits, and two bits at the top that lengths do not have. */
static bool rounds_down(const struct ir_inst *i, uint64_t mask, int w) {
    uint64_t all = ir_info(i)->result == IR_I64 ? UINT64_MAX : UINT32_MAX;
    uint64_t kept = counts_as_zero(w) ? all >> 2 : all;
    return ((mask | LOW_BITS) & kept) == kept;
}

static int weight_of_and(const struct ir_inst *i, const union ir_bits *c, int a, int b) {
    if (a == BAD || b == BAD)
        return BAD;
    if (!c)
        return a == TRUTH || b == TRUTH ? TRUTH : LOW;
    uint64_t mask = ir_info(i)->result == IR_I64 ? c->i64 : c->i32;
    if (mask == 1)
        return TRUTH;
    return mask <= LOW_BITS ? 0 : rounds_down(i, mask, a) ? a : BAD;
}

static int weight_of_binary(const struct ir_inst *i, int a, int b) {
    const union ir_bits *c = ir_const_of(i->operands[1]);
    uint64_t by = !c ? 0 : i->operands[1]->type == IR_I64 ? c->i64 : c->i32;
    bool truths = a == TRUTH && (b == TRUTH || (c && by == 1));
    switch (i->op) {
    case IR_I32_ADD:
    case IR_I64_ADD:
        return sum(a, b, 1);
    case IR_I32_SUB:
    case IR_I64_SUB:
        return sum(a, b, -1);
    case IR_I32_MUL:
    case IR_I64_MUL:
        return !c ? BAD : counts_as_zero(a) ? 0 : low_of(a, b);
    case IR_I32_SHL:
    case IR_I64_SHL:
        return !c ? BAD : counts_as_zero(a) ? 0 : low_of(a, b);
    case IR_I32_SHR_U:
    case IR_I64_SHR_U:
    case IR_I32_SHR_S:
    case IR_I64_SHR_S:
        return c && by <= MAX_SHIFT && counts_as_zero(a) ? a : BAD;
    case IR_I32_AND:
    case IR_I64_AND:
        return weight_of_and(i, c, a, b);
    case IR_I32_OR:
    case IR_I64_OR:
        return truths ? TRUTH : c && by <= LOW_BITS && a != TRUTH ? a : low_of(a, b);
    case IR_I32_XOR:
    case IR_I64_XOR:
        if (c && by == (i->op == IR_I32_XOR ? UINT32_MAX : UINT64_MAX)) /* ~x is -1 - x */
            return sum(0, a, -1);
        return truths ? TRUTH : low_of(a, b);
    case IR_I32_EQ:
    case IR_I64_EQ:
    case IR_I32_NE:
    case IR_I64_NE:
    case IR_I32_LT_U:
    case IR_I64_LT_U:
    case IR_I32_LE_U:
    case IR_I64_LE_U:
    case IR_I32_GT_U:
    case IR_I64_GT_U:
    case IR_I32_GE_U:
    case IR_I64_GE_U:
        return (is_number(a) && a == b) || (counts_as_zero(a) && counts_as_zero(b)) ? TRUTH : BAD;
    case IR_I32_LT_S:
    case IR_I64_LT_S:
    case IR_I32_LE_S:
    case IR_I64_LE_S:
    case IR_I32_GT_S:
    case IR_I64_GT_S:
    case IR_I32_GE_S:
    case IR_I64_GE_S:
        return counts_as_zero(a) && counts_as_zero(b) ? TRUTH : BAD;
    default:
        return BAD;
    }
}

static int weight_of_unary(const struct ir_inst *i, int a) {
    switch (i->op) {
    case IR_I32_EQZ:
    case IR_I64_EQZ:
        return counts_as_zero(a) ? TRUTH : BAD;
    case IR_I64_EXTEND_I32_U:
    case IR_I32_WRAP_I64:
        return a;
    case IR_I64_EXTEND_I32_S:
        return counts_as_zero(a) ? a : low_of(a, a);
    default:
        return BAD;
    }
}

static bool shifts(const struct ir_inst *i) {
    return i->op == IR_I32_SHL || i->op == IR_I64_SHL || i->op == IR_I32_SHR_U || i->op == IR_I64_SHR_U ||
           i->op == IR_I32_SHR_S || i->op == IR_I64_SHR_S || i->op == IR_I32_ROTL || i->op == IR_I32_ROTR;
}

static int weight_of(const struct weights *x, const struct ir_inst *i) {
    const union ir_bits *c = i->nresults ? ir_const_of(&i->results[0]) : NULL;
    if (c || ir_is_const(i))
        return i->results[0].type == IR_I32 && c->i32 <= 1 ? TRUTH : i->results[0].type <= IR_I64 ? 0 : DATA;
    if (ir_is_load(i))
        return DATA;
    if (i->op == IR_SELECT)
        return meet(x->of[i->operands[0]->id], x->of[i->operands[1]->id]);
    bool data = false;
    for (uint32_t k = 0; k < i->noperands; k++) {
        if (x->of[i->operands[k]->id] == UNSET)
            return UNSET;
        data |= x->of[i->operands[k]->id] == DATA;
    }
    if (data || i->results[0].type > IR_I64)
        return DATA;
    int a = i->noperands ? x->of[i->operands[0]->id] : BAD;
    return i->noperands == 2   ? weight_of_binary(i, a, x->of[i->operands[1]->id])
           : i->noperands == 1 ? weight_of_unary(i, a)
                               : BAD;
}

static void add(struct weights *x, const struct ir_value *v, int w) {
    int now = meet(x->of[v->id], w);
    x->changed |= now != x->of[v->id];
    x->of[v->id] = now;
}

static void pass(struct weights *x, const struct ir_inst *i, const struct ir_inst *label, uint32_t first) {
    bool loop = label->op == IR_LOOP && i->op != IR_YIELD;
    uint32_t n = loop ? label->regions[0]->nparams : label->nresults;
    for (uint32_t k = 0; k < n; k++)
        add(x, loop ? label->regions[0]->params[k] : &label->results[k], x->of[i->operands[first + k]->id]);
}

static int weigh_func(struct control *c, uint32_t func, const int *params);

static int weigh_call(struct weights *x, const struct ir_inst *i) {
    int params[MAX_PARAMS] = {0};
    if (i->noperands > MAX_PARAMS || i->nresults > 1)
        return BAD;
    for (uint32_t k = 0; k < i->noperands; k++) {
        params[k] = x->of[i->operands[k]->id];
        if (params[k] == UNSET)
            return UNSET;
    }
    return weigh_func(x->control, i->index, params);
}

static void weigh_region(struct weights *x, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        uint32_t at = 1;
        switch (i->op) {
        case IR_LOOP:
            pass(x, i, i, 0);
            break;
        case IR_YIELD:
            pass(x, i, i->parent->parent, 0);
            break;
        case IR_BR:
        case IR_BR_IF:
            pass(x, i, i->target, i->op == IR_BR_IF);
            break;
        case IR_BR_TABLE:
            for (uint32_t k = 0; k < i->ntargets; at += ir_label_arity(i->targets[k++]))
                pass(x, i, i->targets[k], at);
            break;
        case IR_RETURN:
            if (i->noperands == 1)
                x->result = meet(x->result, x->of[i->operands[0]->id]);
            break;
        case IR_CALL:
            if (i->nresults == 1)
                add(x, &i->results[0], weigh_call(x, i));
            break;
        default:
            if (!ir_nregions(i) && i->nresults == 1)
                add(x, &i->results[0], weight_of(x, i));
        }
        ir_foreach_region (inner, i)
            weigh_region(x, inner);
    }
}

/* Whether the instruction uses its operands as their weights allow. */
static bool is_fit(const struct weights *x, const struct ir_inst *i) {
    int w[3] = {0, 0, 0};
    bool data = i->nresults == 1 && x->of[i->results[0].id] == DATA;
    for (uint32_t k = 0; k < i->noperands && k < 3; k++)
        w[k] = x->of[i->operands[k]->id];
    if (ir_is_load(i))
        return w[0] == 1;
    if (ir_is_store(i))
        return w[0] == 1 && (w[1] == DATA || counts_as_zero(w[1]));
    switch (i->op) {
    case IR_IF:
    case IR_BR_IF:
    case IR_BR_TABLE:
        return counts_as_zero(w[0]);
    case IR_SELECT:
        return counts_as_zero(w[2]) &&
               (!data || ((w[0] == DATA || counts_as_zero(w[0])) && (w[1] == DATA || counts_as_zero(w[1]))));
    case IR_MEMORY_COPY:
        return w[0] == 1 && w[1] == 1 && counts_as_zero(w[2]);
    case IR_MEMORY_FILL:
        return w[0] == 1 && (w[1] == DATA || counts_as_zero(w[1])) && counts_as_zero(w[2]);
    case IR_CALL:
        return i->nresults <= 1 && (i->nresults || weigh_call((struct weights *)x, i) != BAD);
    default:
        break;
    }
    for (uint32_t k = 0; data && !ir_nregions(i) && k < i->noperands && k < 3; k++)
        if (w[k] != DATA && !counts_as_zero(w[k]) && !(k == 1 && w[k] == LOW && shifts(i)))
            return false;
    return true;
}

static bool is_region_fit(const struct weights *x, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (!is_fit(x, i))
            return false;
        ir_foreach_region (inner, i)
            if (!is_region_fit(x, inner))
                return false;
    }
    return true;
}

/* The weight of its result (UNSET: there is none), given those of its parameters.  c->ok: whether all is as it has to
 * be. */
static int weigh_func(struct control *c, uint32_t func, const int *params) {
    const struct ir_func *f = c->module->funcs[func].func;
    if (!c->ok || !f || !f->body || c->depth == MAX_DEPTH || f->sig.nparams > MAX_PARAMS) {
        c->ok = false;
        return BAD;
    }
    c->depth++;
    struct weights x = {.control = c, .of = arena_array(c->scratch, int, f->next_id + 1), .result = UNSET};
    for (uint32_t k = 0; k <= f->next_id; k++)
        x.of[k] = UNSET;
    for (uint32_t k = 0; k < f->sig.nparams; k++)
        x.of[f->body->params[k]->id] = params[k];
    unsigned rounds = 0;
    do {
        x.changed = false;
        weigh_region(&x, f->body);
    } while (x.changed && c->ok && ++rounds < MAX_ROUNDS);
    c->ok = c->ok && !x.changed && is_region_fit(&x, f->body);
    c->depth--;
    return x.result;
}

bool bulk_control_is_plain(const struct ir_module *m, uint32_t func, bool fill) {
    struct arena scratch = {0};
    struct control c = {.module = m, .scratch = &scratch, .ok = true};
    const int params[MAX_PARAMS] = {1, fill ? DATA : 1, 0};
    int result = weigh_func(&c, func, params);
    arena_free(&scratch);
    return c.ok && (result == UNSET || result == 1);
}
