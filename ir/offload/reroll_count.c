/* The number of elements of an unrolled loop, and of what is left over.
 *
 * A loop that does four elements an iteration ends at a bound that the producer has rounded down, or where four more
 * would be too many: the counts of both loops are read from their exit tests like any other, and added.  The code made
 * here also says where its arithmetic holds; elsewhere (a counter that never meets its bound, counts beyond 2^30) the
 * launch is not tried. */
#include "ir/offload/reroll_impl.h"

enum { MAX_COUNT_LOG2 = 30, MAX_COPIES_LOG2 = 5 };

bool reroll_step_of(struct loop *l, uint32_t k, struct lin *out_step) {
    struct ir_value *p = l->inst->regions[0]->params[k];
    if (!lin_of(loop_next_value(l, k), out_step) || !lin_add_value(out_step, p, UINT64_MAX))
        return false;
    for (uint32_t i = 0; i < out_step->n; i++)
        if (loop_contains_value(l, out_step->t[i].v))
            return false;
    return true;
}

/* v in iteration 0, and what it grows by in each (a constant); false when it is no such value. */
static bool read_motion(struct loop *l, struct ir_value *v, struct lin *out_from, int64_t *out_step) {
    *out_step = 0;
    if (!lin_of(v, out_from))
        return false;
    struct ir_region *r = l->inst->regions[0];
    for (uint32_t k = 0; k < r->nparams; k++) {
        uint64_t coef = lin_take(out_from, r->params[k]);
        struct lin step, init;
        if (!coef)
            continue;
        if (!reroll_step_of(l, k, &step) || step.n || !lin_of(l->inst->operands[k], &init) ||
            !lin_add(out_from, &init, coef))
            return false;
        uint64_t move = step.c * coef;
        *out_step += out_from->wide ? (int64_t)move : (int32_t)move;
    }
    for (uint32_t i = 0; i < out_from->n; i++)
        if (loop_contains_value(l, out_from->t[i].v))
            return false;
    return true;
}

static bool is_unsigned(unsigned op) {
    return op == IR_I32_LT_U || op == IR_I32_LE_U || op == IR_I32_GT_U || op == IR_I32_GE_U || op == IR_I64_LT_U ||
           op == IR_I64_LE_U || op == IR_I64_GT_U || op == IR_I64_GE_U;
}

/* Signed or not makes no difference as long as neither side goes below 0: both are going to start below 2^30. */
static bool read_test(const struct ir_inst *cond, bool negated, struct reroll_count *c, bool *out_swap) {
    *out_swap = false;
    switch (cond->op) {
    case IR_I32_NE:
    case IR_I64_NE:
        c->until_equal = !negated;
        return !negated;
    case IR_I32_EQ:
    case IR_I64_EQ:
        c->until_equal = negated;
        return negated;
    case IR_I32_LT_S:
    case IR_I64_LT_S:
    case IR_I32_LT_U:
    case IR_I64_LT_U:
        break;
    case IR_I32_LE_S:
    case IR_I64_LE_S:
    case IR_I32_LE_U:
    case IR_I64_LE_U:
        c->or_equal = true;
        break;
    case IR_I32_GT_S:
    case IR_I64_GT_S:
    case IR_I32_GT_U:
    case IR_I64_GT_U:
        *out_swap = true;
        break;
    case IR_I32_GE_S:
    case IR_I64_GE_S:
    case IR_I32_GE_U:
    case IR_I64_GE_U:
        *out_swap = true;
        c->or_equal = true;
        break;
    default:
        return false;
    }
    if (negated) { /* not (a < b) is b <= a */
        *out_swap = !*out_swap;
        c->or_equal = !c->or_equal;
    }
    return true;
}

bool reroll_read_count(struct reroll_count *c, struct loop *l, uint32_t copies) {
    *c = (struct reroll_count){.copies = copies};
    if (l->shape != LOOP_BOTTOM_YIELD || l->other_exits || l->test->op != IR_BR_IF || l->exit_when_true)
        return false;
    struct ir_value *cond = l->test->operands[0], *a, *b = NULL;
    bool negated = false, swap = false;
    while (cond->def && cond->def->op == IR_I32_EQZ) {
        negated = !negated;
        cond = cond->def->operands[0];
    }
    if (cond->def && cond->def->noperands == 2 && read_test(cond->def, negated, c, &swap)) {
        a = cond->def->operands[swap];
        b = cond->def->operands[!swap];
    } else if (!negated) {
        c->until_equal = true;
        a = cond;
    } else {
        return false;
    }
    int64_t move_a, move_b = 0;
    if (!read_motion(l, a, &c->from, &move_a))
        return false;
    c->to = (struct lin){.wide = c->from.wide};
    if (b && !read_motion(l, b, &c->to, &move_b))
        return false;
    if ((move_a != 0) == (move_b != 0))
        return false;
    if (c->until_equal && (move_b > 0 || move_a < 0)) { /* the same test from the other side */
        struct lin from = c->from;
        c->from = c->to;
        c->to = from;
    }
    int64_t step = c->until_equal ? (move_a ? move_a : move_b) : move_a - move_b;
    c->step = (uint64_t)(step < 0 ? -step : step);
    c->wraps = !c->until_equal && move_b && is_unsigned(cond->def->op);
    return (c->until_equal || step > 0) && c->step <= 1024;
}

struct emitter {
    struct ir_builder *b;
    bool wide;
    struct ir_value **valid;
};

static struct ir_value *emit(struct emitter *e, enum ir_op op32, enum ir_op op64, struct ir_value *x,
                             struct ir_value *y) {
    return ir_build_simple(e->b, e->wide ? op64 : op32, x, y);
}

static struct ir_value *number(struct emitter *e, uint64_t v) {
    return e->wide ? ir_build_i64(e->b, v) : ir_build_i32(e->b, (uint32_t)v);
}

static void demand(struct emitter *e, struct ir_value *cond) {
    *e->valid = *e->valid ? ir_build_simple(e->b, IR_I32_AND, *e->valid, cond) : cond;
}

/* What counters may be, so that no number of elements comes to 2^30. */
static uint64_t limit_of(const struct reroll_count *c) {
    return UINT64_C(1) << (c->step >= c->copies ? MAX_COUNT_LOG2 : MAX_COUNT_LOG2 - MAX_COPIES_LOG2);
}

static void demand_below(struct emitter *e, struct ir_value *v, uint64_t bound) {
    demand(e, emit(e, IR_I32_LT_U, IR_I64_LT_U, v, number(e, bound)));
}

/* `from` is where the counter is after the first iteration, or the last but one: it depends on who came to whom. */
static struct ir_value *emit_until_equal(struct emitter *e, const struct reroll_count *c) {
    struct lin distance = c->to;
    if (!lin_add(&distance, &c->from, UINT64_MAX))
        return NULL;
    distance.c += c->step;
    distance.c &= e->wide ? UINT64_MAX : UINT32_MAX;
    struct ir_value *d = lin_emit(e->b, &distance);
    if (!c->step || (c->step % c->copies && c->copies % c->step))
        return NULL;
    demand(e, emit(e, IR_I32_NE, IR_I64_NE, d, number(e, 0)));
    demand_below(e, d, limit_of(c));
    if (c->step > 1) {
        struct ir_value *left = emit(e, IR_I32_REM_U, IR_I64_REM_U, d, number(e, c->step));
        demand(e, ir_build_simple(e->b, e->wide ? IR_I64_EQZ : IR_I32_EQZ, left, NULL));
    }
    if (c->step > c->copies)
        return emit(e, IR_I32_DIV_U, IR_I64_DIV_U, d, number(e, c->step / c->copies));
    return c->step == c->copies ? d : emit(e, IR_I32_MUL, IR_I64_MUL, d, number(e, c->copies / c->step));
}

static struct ir_value *emit_while_less(struct emitter *e, const struct reroll_count *c) {
    struct ir_value *from = lin_emit(e->b, &c->from), *to = lin_emit(e->b, &c->to);
    demand_below(e, from, limit_of(c));
    demand_below(e, to, limit_of(c));
    struct ir_value *bound = to;
    if (c->or_equal)
        bound = emit(e, IR_I32_ADD, IR_I64_ADD, to, number(e, 1));
    struct ir_value *more = emit(e, IR_I32_GT_U, IR_I64_GT_U, bound, from);
    struct ir_value *d = emit(e, IR_I32_SUB, IR_I64_SUB, bound, from);
    d = emit(e, IR_I32_ADD, IR_I64_ADD, d, number(e, c->step - 1));
    if (c->step > 1)
        d = emit(e, IR_I32_DIV_U, IR_I64_DIV_U, d, number(e, c->step));
    d = ir_build_select(e->b, d, number(e, 0), more);
    if (c->wraps)
        demand(e, emit(e, IR_I32_LE_U, IR_I64_LE_U, emit(e, IR_I32_MUL, IR_I64_MUL, d, number(e, c->step)), to));
    d = emit(e, IR_I32_ADD, IR_I64_ADD, d, number(e, 1));
    return c->copies == 1 ? d : emit(e, IR_I32_MUL, IR_I64_MUL, d, number(e, c->copies));
}

struct ir_value *reroll_emit_count(struct ir_builder *b, const struct reroll_count *c, struct ir_value **valid) {
    struct emitter e = {.b = b, .wide = c->from.wide, .valid = valid};
    struct ir_value *n = c->until_equal ? emit_until_equal(&e, c) : emit_while_less(&e, c);
    return n && e.wide ? ir_build_simple(b, IR_I32_WRAP_I64, n, NULL) : n;
}
