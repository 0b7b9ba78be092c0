/* Extremes of floats for the generator of random loop nests, as libraries write them and at random: a choice between
 * the accumulator m and another number e by comparisons, tests for NaN and signs, as selects, ifs and blocks.  Most of
 * those at random are no reductions.  Data have zeros of both signs, NaNs that can be told apart, and few numbers, so
 * that there are ties.
 */
#include "tests/fuzz/nest_gen.h"

struct pair {
    struct ir_value *m, *e;
    uint32_t variant;
};

static struct ir_value *choose(struct gen *g, struct ir_value *cond, struct ir_value *yes, struct ir_value *no) {
    nest_stamp(g);
    if (nest_chance(g, 60))
        return ir_build_select(&g->b, yes, no, cond);
    if (nest_chance(g, 50)) {
        struct ir_inst *i = ir_build_if(&g->b, cond, &yes->type, 1);
        struct ir_builder then = ir_builder_at_end(i->regions[0]), other = ir_builder_at_end(i->regions[1]);
        ir_build_yield(&then, &yes, 1);
        ir_build_yield(&other, &no, 1);
        return i->results;
    }
    struct ir_inst *i = ir_build_block(&g->b, &yes->type, 1);
    struct ir_builder inside = ir_builder_at_end(i->regions[0]);
    ir_build_br_if(&inside, cond, i, &yes, 1);
    ir_build_yield(&inside, &no, 1);
    return i->results;
}

/* A float of few, from bits that no arithmetic has touched. */
struct ir_value *nest_extreme_datum(struct gen *g, struct scope *s) {
    static const uint32_t bases[] = {0, 0, 0x3f800000, 0x40000000, 0x7fc00000, 0x7f800000};
    struct ir_value *x = nest_datum(g, s, IR_I32);
    if (nest_chance(g, 60)) /* mix it, so that each iteration has another */
        x = nest_op(g, IR_I32_SHR_U, nest_op(g, IR_I32_MUL, x, nest_i32(g, 0x9e3779b1)), nest_i32(g, 13));
    uint32_t base = bases[nest_below(g, 6)], other = bases[nest_below(g, 6)], third = bases[nest_below(g, 6)];
    struct ir_value *one = nest_op(g, IR_I32_AND, x, nest_i32(g, 2));
    struct ir_value *two = nest_op(g, IR_I32_AND, x, nest_i32(g, 12));
    struct ir_value *bits = ir_build_select(&g->b, nest_i32(g, base), nest_i32(g, other), one);
    bits = ir_build_select(&g->b, bits, nest_i32(g, third), two);
    if (nest_chance(g, 70))
        bits = nest_op(g, IR_I32_OR, bits, nest_op(g, IR_I32_SHL, x, nest_i32(g, 31)));
    if (base == 0x7fc00000 && other == base && third == base && nest_chance(g, 80)) /* NaNs alone */
        bits = nest_op(g, IR_I32_OR, bits, nest_op(g, IR_I32_AND, x, nest_i32(g, 0xfff0)));
    return nest_op(g, IR_F32_REINTERPRET_I32, bits, NULL);
}

static struct ir_value *is_nan(struct gen *g, struct ir_value *v) {
    return nest_chance(g, 70) ? nest_op(g, IR_F32_NE, v, v) : nest_op(g, IR_I32_EQZ, nest_op(g, IR_F32_EQ, v, v), NULL);
}

static struct ir_value *sign(struct gen *g, struct ir_value *v) {
    struct ir_value *bits = nest_op(g, IR_I32_REINTERPRET_F32, v, NULL);
    switch (nest_below(g, 3)) {
    case 0:
        return nest_op(g, IR_I32_SHR_U, bits, nest_i32(g, 31));
    case 1:
        return nest_op(g, IR_I32_LT_S, bits, nest_i32(g, 0));
    default:
        return nest_op(g, IR_I32_LE_S, bits, nest_i32(g, UINT32_MAX));
    }
}

static struct ir_value *random_condition(struct gen *g, const struct pair *p) {
    static const enum ir_op compare[] = {IR_F32_LT, IR_F32_LE, IR_F32_GT, IR_F32_GE, IR_F32_EQ, IR_F32_NE};
    struct ir_value *a = p->m, *b = p->e;
    switch (nest_below(g, 10)) {
    case 0:
        return is_nan(g, a);
    case 1:
        return is_nan(g, b);
    case 2:
        return sign(g, nest_chance(g, 50) ? a : b);
    case 3:
        return nest_op(g, nest_chance(g, 50) ? IR_I32_AND : IR_I32_OR, random_condition(g, p), random_condition(g, p));
    case 4:
        return nest_op(g, IR_I32_EQZ, random_condition(g, p), NULL);
    default:
        return nest_op(g, compare[nest_below(g, 6)], nest_chance(g, 50) ? a : b, nest_chance(g, 50) ? b : a);
    }
}

static struct ir_value *random_choice(struct gen *g, const struct pair *p, uint32_t depth) {
    if (depth && nest_chance(g, 75)) {
        struct ir_value *yes = random_choice(g, p, depth - 1), *no = random_choice(g, p, depth - 1);
        return yes == no ? yes : choose(g, random_condition(g, p), yes, no);
    }
    uint32_t what = nest_below(g, 8);
    return what == 0   ? nest_op(g, IR_F32_MAX, p->m, p->e)
           : what == 1 ? nest_op(g, IR_F32_MIN, p->e, p->m)
           : what < 5  ? p->m
                       : p->e;
}

/* As C libraries have fmaxf where there is no f32.max. */
static struct ir_value *by_signs(struct gen *g, const struct pair *p, bool is_max) {
    struct ir_value *a = p->m, *b = p->e, *negative = sign(g, a);
    struct ir_value *differ = nest_op(g, IR_I32_XOR, nest_op(g, IR_I32_REINTERPRET_F32, a, NULL),
                                      nest_op(g, IR_I32_REINTERPRET_F32, b, NULL));
    differ = nest_op(g, IR_I32_LT_S, differ, nest_i32(g, 0));
    struct ir_value *less = nest_op(g, IR_F32_LT, a, b);
    struct ir_value *v = is_max ? choose(g, less, b, a) : choose(g, less, a, b);
    v = choose(g, differ, is_max ? choose(g, negative, b, a) : choose(g, negative, a, b), v);
    v = choose(g, is_nan(g, b), a, v);
    return choose(g, is_nan(g, a), b, v);
}

struct ir_value *nest_extreme(struct gen *g, struct scope *s, uint32_t variant, struct ir_value *acc) {
    bool is_max = variant >> 4 & 1, swapped = variant >> 5 & 1;
    uint32_t times = nest_chance(g, 30) ? 2 : 1;
    for (uint32_t k = 0; k < times; k++) {
        struct pair p = {.m = acc, .e = nest_extreme_datum(g, s)};
        if ((variant >> 6 & 3) == 0)
            p.e = nest_op(g, IR_F32_ABS, p.e, NULL);
        if (swapped)
            p = (struct pair){.m = p.e, .e = p.m};
        struct ir_value *better = nest_op(
            g, is_max ? (variant & 256 ? IR_F32_LT : IR_F32_LE) : (variant & 256 ? IR_F32_GT : IR_F32_GE), p.m, p.e);
        switch (variant % 7) {
        case 0:
        case 1:
            acc = choose(g, is_nan(g, p.e), p.m, nest_op(g, is_max ? IR_F32_MAX : IR_F32_MIN, p.m, p.e));
            acc = choose(g, is_nan(g, p.m), p.e, acc);
            break;
        case 2:
            acc = by_signs(g, &p, is_max);
            break;
        case 3:
            acc = choose(g, nest_op(g, IR_I32_OR, is_nan(g, p.m), better), p.e, p.m);
            break;
        case 4: /* a NaN wins */
            acc = choose(g, nest_op(g, IR_I32_OR, is_nan(g, p.e), better), p.e, p.m);
            acc = variant & 512 ? choose(g, is_nan(g, p.m), p.m, acc) : acc;
            break;
        default:
            acc = random_choice(g, &p, 3);
            break;
        }
        if (swapped)
            p = (struct pair){.m = p.e, .e = p.m};
        if (nest_chance(g, 25) && acc != p.m)
            acc = choose(g, nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), nest_i32(g, 1 + nest_below(g, 3))), acc,
                         p.m);
    }
    return acc;
}
