/* Reductions for the generator of random loop nests: values carried through a loop that are sums and the like, extremes
 * with and without payloads, last values under a condition; under conditions, as selects and as ifs, unrolled, and some
 * that only look like it.
 */
#include "tests/fuzz/nest_gen.h"

enum reduce_shape { SHAPE_OP, SHAPE_LAST, SHAPE_PICK, SHAPE_EXTREME };

static struct ir_value *choose(struct gen *g, struct ir_value *cond, struct ir_value *yes, struct ir_value *no) {
    if (nest_chance(g, 70)) {
        nest_stamp(g);
        return ir_build_select(&g->b, yes, no, cond);
    }
    nest_stamp(g);
    struct ir_inst *i = ir_build_if(&g->b, cond, &yes->type, 1);
    struct ir_builder then = ir_builder_at_end(i->regions[0]), other = ir_builder_at_end(i->regions[1]);
    ir_build_yield(&then, &yes, 1);
    ir_build_yield(&other, &no, 1);
    return i->results;
}

static struct ir_value *own_condition(struct gen *g, struct scope *s) {
    static const enum ir_op compare[] = {IR_I32_LT_S, IR_I32_EQ, IR_I32_GT_U, IR_I32_NE};
    struct ir_value *x = nest_datum(g, s, IR_I32);
    if (nest_chance(g, 40))
        x = nest_op(g, IR_I32_AND, x, nest_i32(g, 7));
    return nest_op(g, compare[nest_below(g, 4)], x, nest_known(g, IR_I32, nest_below(g, 8)));
}

void nest_reduce_begin(struct gen *g, struct scope *s, struct nest_reduce *r) {
    r->n = 0;
    uint32_t groups = 1 + nest_below(g, 3);
    for (uint32_t k = 0; k < groups && r->n + 2 <= NEST_MAX_REDUCE; k++) {
        struct nest_reduced *x = &r->list[r->n];
        x->shape = (uint8_t)nest_below(g, 3);
        x->type = (enum ir_type)nest_below(g, 3);
        x->variant = nest_below(g, 1u << 30);
        x->payload = x->shape != SHAPE_OP && nest_chance(g, 50);
        x->vector = g->vectors && nest_chance(g, 60);
        if (!x->vector && x->type == IR_F32 && x->shape == SHAPE_OP && nest_chance(g, 75)) {
            x->shape = SHAPE_EXTREME;
            r->init[r->n++] = nest_extreme_datum(g, s);
            continue;
        }
        r->init[r->n++] = x->vector ? nest_vector_datum(g, s) : nest_datum(g, s, x->type);
        if (x->payload) {
            r->list[r->n] = *x;
            r->init[r->n++] = x->vector ? nest_vector_datum(g, s) : nest_datum(g, s, IR_I32);
        }
    }
}

static struct ir_value *next_op(struct gen *g, struct scope *s, const struct nest_reduced *x, struct ir_value *acc) {
    static const enum ir_op ops[3][6] = {
        {IR_I32_ADD, IR_I32_SUB, IR_I32_MUL, IR_I32_AND, IR_I32_OR, IR_I32_XOR},
        {IR_I64_ADD, IR_I64_SUB, IR_I64_MUL, IR_I64_AND, IR_I64_OR, IR_I64_XOR},
        {IR_F32_MIN, IR_F32_MAX, IR_F32_MIN, IR_F32_MAX, IR_F32_MIN, IR_F32_ADD},
    };
    uint32_t times = nest_chance(g, 30) ? 2 : 1;
    for (uint32_t k = 0; k < times; k++) {
        enum ir_op o = ops[x->type][x->variant % 6];
        struct ir_value *v = nest_datum(g, s, x->type), *before = acc;
        bool right = o != IR_I32_SUB && o != IR_I64_SUB ? nest_chance(g, 30) : nest_chance(g, 3);
        acc = right ? nest_op(g, o, v, acc) : nest_op(g, o, acc, v);
        if (nest_chance(g, 30))
            acc = choose(g, own_condition(g, s), acc, before);
    }
    return acc;
}

static void next_last(struct gen *g, struct scope *s, const struct nest_reduced *x, struct ir_value **cur,
                      struct ir_value **next) {
    uint32_t times = nest_chance(g, 30) ? 2 : 1;
    next[0] = cur[0];
    next[1] = x->payload ? cur[1] : NULL;
    for (uint32_t k = 0; k < times; k++) {
        struct ir_value *c = own_condition(g, s), *v = nest_datum(g, s, x->type);
        next[0] = nest_chance(g, 70) ? choose(g, c, v, next[0]) : choose(g, c, next[0], v);
        if (x->payload)
            next[1] = choose(g, nest_chance(g, 80) ? c : own_condition(g, s), s->counter[s->depth - 1], next[1]);
    }
}

static void next_pick(struct gen *g, struct scope *s, const struct nest_reduced *x, struct ir_value **cur,
                      struct ir_value **next) {
    static const enum ir_op ops[3][8] = {
        {IR_I32_LT_S, IR_I32_LE_S, IR_I32_GT_S, IR_I32_GE_S, IR_I32_LT_U, IR_I32_LE_U, IR_I32_GT_U, IR_I32_GE_U},
        {IR_I64_LT_S, IR_I64_LE_S, IR_I64_GT_S, IR_I64_GE_S, IR_I64_LT_U, IR_I64_LE_U, IR_I64_GT_U, IR_I64_GE_U},
        {IR_F32_LT, IR_F32_LE, IR_F32_GT, IR_F32_GE, IR_F32_LT, IR_F32_LE, IR_F32_GT, IR_F32_GE},
    };
    uint32_t times = nest_chance(g, 40) ? 1 + nest_below(g, 3) : 1;
    enum ir_op o = ops[x->type][x->variant % 8];
    bool swapped = x->variant >> 8 & 1, inverted = x->variant >> 9 & 1, filtered = (x->variant >> 10 & 3) == 0;
    next[0] = cur[0];
    next[1] = x->payload ? cur[1] : NULL;
    for (uint32_t k = 0; k < times; k++) {
        struct ir_value *v = nest_datum(g, s, x->type), *key = next[0];
        if (x->type == IR_I32 && nest_chance(g, 40)) /* ties */
            v = nest_op(g, IR_I32_AND, v, nest_i32(g, 15));
        if (nest_chance(g, 2)) /* not what is kept */
            key = cur[0];
        struct ir_value *c = swapped ? nest_op(g, o, key, v) : nest_op(g, o, v, key);
        if (filtered)
            c = nest_op(g, IR_I32_AND, c, nest_chance(g, 80) ? own_condition(g, s) : nest_datum(g, s, IR_I32));
        struct ir_value *index = nest_chance(g, 70) ? s->counter[s->depth - 1] : nest_datum(g, s, IR_I32);
        next[0] = inverted ? choose(g, c, next[0], v) : choose(g, c, v, next[0]);
        if (x->payload)
            next[1] = inverted ? choose(g, c, next[1], index) : choose(g, c, index, next[1]);
    }
}

void nest_reduce_next(struct gen *g, struct scope *s, const struct nest_reduce *r, struct ir_value **cur,
                      struct ir_value **next) {
    for (uint32_t k = 0; k < r->n; k += 1 + r->list[k].payload) {
        const struct nest_reduced *x = &r->list[k];
        if (x->vector)
            nest_vector_next(g, s, x, cur + k, next + k);
        else if (x->shape == SHAPE_OP)
            next[k] = next_op(g, s, x, cur[k]);
        else if (x->shape == SHAPE_EXTREME)
            next[k] = nest_extreme(g, s, x->variant, cur[k]);
        else if (x->shape == SHAPE_LAST)
            next_last(g, s, x, cur + k, next + k);
        else
            next_pick(g, s, x, cur + k, next + k);
    }
}

void nest_reduce_sink(struct gen *g, const struct nest_reduce *r, struct ir_value **next) {
    uint32_t place = nest_chance(g, 80) ? MEMORY - 256 + nest_below(g, 64) : nest_below(g, MEMORY);
    struct ir_value *at = nest_known(g, IR_I32, place);
    uint32_t stores = 1 + nest_below(g, 2);
    for (uint32_t k = 0; k < stores; k++) {
        struct ir_value *v = next[nest_below(g, r->n)];
        if (v->type == IR_F32 || v->type == IR_V128)
            continue;
        enum ir_op narrow = v->type == IR_I64 ? IR_I64_STORE16 : IR_I32_STORE8;
        enum ir_op wide = v->type == IR_I64 ? IR_I64_STORE : IR_I32_STORE;
        nest_stamp(g);
        ir_build_store(&g->b, nest_chance(g, 20) ? narrow : wide, at, v,
                       (struct ir_mem){.offset = nest_below(g, 3), .stream = -1});
    }
}

struct ir_value *nest_reduce_result(struct gen *g, const struct nest_reduced *x, struct ir_value *v) {
    if (v->type == IR_V128)
        return nest_vector_result(g, v);
    if (v->type != IR_F32)
        return nest_convert(g, v, IR_I32);
    if (x->shape == SHAPE_EXTREME)
        return nest_op(g, IR_I32_REINTERPRET_F32, v, NULL); /* the data are made of bits, and taken as they are */
    struct ir_value *number = nest_op(g, IR_F32_EQ, v, v);  /* a NaN's payload is nobody's business */
    struct ir_value *bits = nest_op(g, IR_I32_REINTERPRET_F32, v, NULL);
    nest_stamp(g);
    return ir_build_select(&g->b, bits, nest_i32(g, 1), number);
}
