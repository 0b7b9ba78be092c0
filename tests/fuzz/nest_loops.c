/* Random loop nests: one loop, of any shape, count and step, and what it carries. */
#include "tests/fuzz/nest_gen.h"

#include <string.h>

#include "ir/util/ice.h"
#include "tests/fuzz/nest_helpers.h"

/* ---- loops ---- */

enum shape { BOTTOM_YIELD, BOTTOM_IF, BOTTOM_BREAK, TOP_BREAK, TOP_IF, SHAPES };

struct nested {
    enum shape shape;
    enum ir_type counter_type;
    uint64_t start, step, bound;
    enum ir_op compare; /* continue while next (bottom) or current (top) counter `compare` bound */
    bool test_current;  /* bottom: the test looks at the current value */
    bool swap, negate;
    struct ir_value *bound_value; /* instead of `bound`, when not NULL */
    bool guarded;                 /* inside `if 0 < trip` */
    struct ir_value *guard_value; /* the condition of that, when not NULL */
    struct ir_value *start_value; /* instead of `start`, when not NULL */
    bool varies;                  /* the count depends on a loop around */
    uint32_t trip;

    uint32_t n; /* carried values; the counter is the first */
    struct ir_value *init[MAX_CARRIED], *cur[MAX_CARRIED], *next[MAX_CARRIED];
    struct ir_value *out[MAX_CARRIED]; /* their last values */
    bool live[MAX_CARRIED], live_next[MAX_CARRIED];

    struct ir_inst *guard, *exit, *loop, *top;
    struct ir_builder after, after_guard;
};

static struct ir_value *mirrored(struct gen *g, enum ir_op o, struct ir_value *x, struct ir_value *y) {
    static const enum ir_op pairs[][2] = {
        {IR_I32_LT_S, IR_I32_GT_S}, {IR_I32_LT_U, IR_I32_GT_U}, {IR_I32_LE_S, IR_I32_GE_S}, {IR_I32_LE_U, IR_I32_GE_U},
        {IR_I64_LT_S, IR_I64_GT_S}, {IR_I64_LT_U, IR_I64_GT_U}, {IR_I64_LE_S, IR_I64_GE_S}, {IR_I64_LE_U, IR_I64_GE_U},
        {IR_I32_NE, IR_I32_NE},     {IR_I64_NE, IR_I64_NE},
    };
    for (uint32_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++)
        for (int side = 0; side < 2; side++)
            if (pairs[k][side] == o)
                return nest_op(g, pairs[k][!side], y, x);
    return nest_op(g, o, x, y);
}

/* Counter, relation and bound for `trip` iterations. */
static void choose_count(struct gen *g, struct nested *l) {
    static const enum ir_op up[2][5] = {{IR_I32_NE, IR_I32_LT_S, IR_I32_LT_U, IR_I32_LE_S, IR_I32_LE_U},
                                        {IR_I64_NE, IR_I64_LT_S, IR_I64_LT_U, IR_I64_LE_S, IR_I64_LE_U}};
    static const enum ir_op down[2][5] = {{IR_I32_NE, IR_I32_GT_S, IR_I32_GT_U, IR_I32_GE_S, IR_I32_GE_U},
                                          {IR_I64_NE, IR_I64_GT_S, IR_I64_GT_U, IR_I64_GE_S, IR_I64_GE_U}};
    bool wide = nest_chance(g, 15), top = l->shape == TOP_BREAK || l->shape == TOP_IF;
    l->counter_type = wide ? IR_I64 : IR_I32;
    int64_t step = nest_chance(g, 60) ? 1 : nest_between(g, 1, 8);
    bool downwards = nest_chance(g, 35);
    int64_t n = l->trip, start = nest_chance(g, 50) ? 0 : nest_between(g, -20, 300);
    unsigned rel = nest_below(g, 5);
    bool or_equal = rel >= 3, is_unsigned = rel == 2 || rel == 4;
    l->test_current = !top && nest_chance(g, 15);
    if (downwards) {
        start = nest_chance(g, 60) ? step * n : start + step * n;
        step = -step;
    }
    if (is_unsigned && (start < 0 || start + step * (n + 1) < 0))
        start += 4000;
    /* The tested value that fails, and the one before it. */
    int64_t stop = start + step * (top ? n : l->test_current ? n - 1 : n), near = stop - step;
    int64_t slack = step > 0 ? nest_below(g, (uint32_t)step) : -(int64_t)nest_below(g, (uint32_t)-step);
    l->bound = (uint64_t)(rel == 0 ? stop : or_equal ? near + slack : stop - slack);
    l->compare = (downwards ? down : up)[wide][rel];
    l->start = (uint64_t)start;
    l->step = (uint64_t)step;
    if (nest_chance(g, 2))
        l->bound += (uint64_t)(int64_t)nest_between(g, -3, 3);
    l->swap = nest_chance(g, 25);
    l->negate = nest_chance(g, 25);
}

static struct ir_value *counter_number(struct gen *g, const struct nested *l, uint64_t v) {
    return nest_known(g, l->counter_type, v);
}

static struct ir_value *test(struct gen *g, struct nested *l, struct ir_value *counter, bool to_exit) {
    struct ir_value *bound = l->bound_value                                    ? l->bound_value
                             : l->counter_type == IR_I32 && nest_chance(g, 20) ? nest_again(g, (uint32_t)l->bound)
                                                                               : counter_number(g, l, l->bound);
    bool zero = !l->bound_value && l->bound == 0 && (l->compare == IR_I32_NE) && !l->negate;
    if (zero)
        return to_exit ? nest_op(g, IR_I32_EQZ, counter, NULL) : counter;
    struct ir_value *c = l->swap ? mirrored(g, l->compare, counter, bound) : nest_op(g, l->compare, counter, bound);
    bool invert = to_exit;
    if (l->negate && !invert)
        c = nest_op(g, IR_I32_EQZ, nest_op(g, IR_I32_EQZ, c, NULL), NULL);
    return invert ? nest_op(g, IR_I32_EQZ, c, NULL) : c;
}

static uint32_t carry(struct nested *l, struct ir_value *init) {
    ICE_UNLESS(l->n < MAX_CARRIED);
    l->init[l->n] = init;
    return l->n++;
}

static uint32_t live_types(const struct nested *l, enum ir_type *types) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < l->n; k++)
        if (l->live[k])
            types[n++] = l->init[k]->type;
    return n;
}

static uint32_t live_values(const struct nested *l, bool after_body, struct ir_value **out) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < l->n; k++)
        if (l->live[k])
            out[n++] = after_body && l->live_next[k] ? l->next[k] : l->cur[k];
    return n;
}

static void loop_open(struct gen *g, struct nested *l) {
    enum ir_type types[MAX_CARRIED];
    struct ir_value *values[MAX_CARRIED];
    uint32_t n = live_types(l, types);
    if (l->guarded) {
        nest_stamp(g);
        struct ir_value *c =
            l->guard_value ? l->guard_value : nest_op(g, IR_I32_NE, nest_known(g, IR_I32, l->trip), nest_i32(g, 0));
        l->guard = ir_build_if(&g->b, c, types, n);
        l->after_guard = g->b;
        g->b = ir_builder_at_end(l->guard->regions[0]);
        nest_stamp(g);
    }
    bool breaks = l->shape == BOTTOM_BREAK || l->shape == TOP_BREAK;
    if (breaks) {
        nest_stamp(g);
        l->exit = ir_build_block(&g->b, types, n);
        l->after = g->b;
        g->b = ir_builder_at_end(l->exit->regions[0]);
    }
    nest_stamp(g);
    l->loop = ir_build_loop(&g->b, l->init, l->n, types, breaks ? 0 : n);
    if (breaks) {
        struct ir_builder behind = ir_builder_at_end(l->exit->regions[0]);
        ir_build(&behind, IR_UNREACHABLE, NULL, 0, NULL, 0);
    } else {
        l->after = g->b;
    }
    g->b = ir_builder_at_end(l->loop->regions[0]);
    for (uint32_t k = 0; k < l->n; k++)
        l->cur[k] = l->loop->regions[0]->params[k];
    if (l->shape == TOP_BREAK) {
        struct ir_value *c = test(g, l, l->cur[0], true);
        n = live_values(l, false, values);
        nest_stamp(g);
        ir_build_br_if(&g->b, c, l->exit, values, n);
    } else if (l->shape == TOP_IF) {
        bool inverted = nest_chance(g, 30);
        struct ir_value *c = test(g, l, l->cur[0], inverted);
        nest_stamp(g);
        l->top = ir_build_if(&g->b, c, types, n);
        n = live_values(l, false, values);
        struct ir_builder leave = ir_builder_at_end(l->top->regions[inverted ? 0 : 1]);
        leave.wasm_offset = g->b.wasm_offset;
        ir_build_yield(&leave, values, n);
        struct ir_builder end = g->b;
        for (uint32_t k = 0; k < n; k++)
            values[k] = &l->top->results[k];
        ir_build_yield(&end, values, n);
        g->b = ir_builder_at_end(l->top->regions[inverted ? 1 : 0]);
    }
}

/* l->next[1..] is set; the builder stands at the end of the body. */
static void loop_close(struct gen *g, struct nested *l) {
    struct ir_value *values[MAX_CARRIED];
    bool wide = l->counter_type == IR_I64;
    struct ir_value *step = counter_number(g, l, l->step);
    l->next[0] = nest_op(g, wide ? IR_I64_ADD : IR_I32_ADD, l->cur[0], step);
    struct ir_value *tested = l->test_current ? l->cur[0] : l->next[0];
    uint32_t n = live_values(l, true, values);
    switch (l->shape) {
    case BOTTOM_YIELD: {
        struct ir_value *c = test(g, l, tested, false);
        nest_stamp(g);
        ir_build_br_if(&g->b, c, l->loop, l->next, l->n);
        ir_build_yield(&g->b, values, n);
        break;
    }
    case BOTTOM_IF: {
        enum ir_type types[MAX_CARRIED];
        (void)live_types(l, types);
        bool inverted = nest_chance(g, 40);
        struct ir_value *c = test(g, l, tested, inverted);
        nest_stamp(g);
        struct ir_inst *i = ir_build_if(&g->b, c, types, n);
        struct ir_builder again = ir_builder_at_end(i->regions[inverted]);
        struct ir_builder leave = ir_builder_at_end(i->regions[!inverted]);
        ir_build_br(&again, l->loop, l->next, l->n);
        ir_build_yield(&leave, values, n);
        for (uint32_t k = 0; k < n; k++)
            values[k] = &i->results[k];
        ir_build_yield(&g->b, values, n);
        break;
    }
    case BOTTOM_BREAK: {
        struct ir_value *c = test(g, l, tested, true);
        nest_stamp(g);
        ir_build_br_if(&g->b, c, l->exit, values, n);
        ir_build_br(&g->b, l->loop, l->next, l->n);
        break;
    }
    default:
        nest_stamp(g);
        ir_build_br(&g->b, l->loop, l->next, l->n);
    }
    struct ir_inst *results = l->exit ? l->exit : l->loop;
    g->b = l->after;
    if (l->guard) {
        for (uint32_t k = 0; k < n; k++)
            values[k] = &results->results[k];
        ir_build_yield(&g->b, values, n);
        n = 0;
        for (uint32_t k = 0; k < l->n; k++)
            if (l->live[k])
                values[n++] = l->init[k];
        struct ir_builder other = ir_builder_at_end(l->guard->regions[1]);
        ir_build_yield(&other, values, n);
        results = l->guard;
        g->b = l->after_guard;
    }
    n = 0;
    for (uint32_t k = 0; k < l->n; k++)
        l->out[k] = l->live[k] ? &results->results[n++] : NULL;
}

uint32_t nest_choose_trip(struct gen *g, uint32_t depth) {
    static const uint32_t most[MAX_DEPTH] = {48, 14, 7};
    switch (nest_below(g, 12)) {
    case 0:
        return nest_below(g, 3);
    case 1:
        return depth == 0 ? 100 + nest_below(g, 100) : 1 + nest_below(g, 40);
    default:
        return 2 + nest_below(g, most[depth]);
    }
}

/* Array addresses inside the loop; returns the index of the first pointer among the carried values. */
static void enter_arrays(struct gen *g, struct nested *l, const struct scope *outer, struct scope *inner,
                         const int *carried) {
    for (uint32_t a = 0; a < g->narrays; a++) {
        if (carried[a] >= 0) {
            inner->at[a] = l->cur[carried[a]];
            continue;
        }
        /* at + (counter - start) * (stride / step) */
        int32_t factor = g->arrays[a].stride[outer->depth] / (int32_t)l->step;
        struct ir_value *c = nest_convert(g, l->cur[0], IR_I32);
        struct ir_value *moved = factor == 4 && nest_chance(g, 50)
                                     ? nest_op(g, IR_I32_SHL, c, nest_i32(g, 2))
                                     : nest_op(g, IR_I32_MUL, c, nest_known(g, IR_I32, (uint32_t)factor));
        uint32_t back = 0u - (uint32_t)l->start * (uint32_t)factor;
        if (back)
            moved = nest_op(g, IR_I32_ADD, moved, nest_known(g, IR_I32, back));
        inner->at[a] = nest_op(g, IR_I32_ADD, outer->at[a], moved);
    }
}

/* Makes the count of an inner loop linear in the counter of a loop around: a triangle or a trapezoid, up or down, in
 * steps of one or (an unrolled loop's rounds) two. */
static void make_triangle(struct gen *g, struct nested *l, const struct scope *s) {
    static const enum ir_op up[] = {IR_I32_NE, IR_I32_NE, IR_I32_LT_S, IR_I32_LT_U};
    static const enum ir_op down[] = {IR_I32_NE, IR_I32_NE, IR_I32_GT_S, IR_I32_GT_U};
    uint32_t o = nest_below(g, s->depth);
    struct ir_value *t = nest_op(g, IR_I32_SUB, s->counter[o], nest_known(g, IR_I32, (uint32_t)g->start[o]));
    if ((int64_t)g->step[o] < 0)
        t = nest_op(g, IR_I32_SUB, nest_i32(g, 0), t);
    if (nest_chance(g, 40))
        t = nest_op(g, IR_I32_ADD, t, nest_known(g, IR_I32, nest_below(g, 4)));
    else if (nest_chance(g, 25))
        t = nest_op(g, IR_I32_SUB, nest_known(g, IR_I32, nest_below(g, 60)), t);
    bool downwards = nest_chance(g, 40), twos = nest_chance(g, 20), top = l->shape == TOP_BREAK || l->shape == TOP_IF;
    struct ir_value *whole = t;
    if (twos)
        t = nest_op(g, IR_I32_AND, t, nest_i32(g, UINT32_MAX - 1));
    l->counter_type = IR_I32;
    l->compare = (downwards ? down : up)[nest_below(g, 4)];
    l->step = (uint64_t)(int64_t)((downwards ? -1 : 1) * (twos ? 2 : 1));
    l->start = l->bound = 0;
    *(downwards ? &l->start_value : &l->bound_value) = t;
    l->guarded = l->test_current = false;
    l->varies = true;
    if (!top && (l->compare == IR_I32_NE || nest_chance(g, 60))) {
        static const enum ir_op tests[] = {IR_I32_GT_S, IR_I32_GT_S, IR_I32_NE};
        l->guarded = true;
        l->guard_value = twos ? nest_op(g, nest_chance(g, 50) ? IR_I32_GT_S : IR_I32_GE_U, whole,
                                        nest_i32(g, nest_chance(g, 50) ? 1 : 2))
                              : nest_op(g, tests[nest_below(g, 3)], t, nest_i32(g, 0));
    }
}

void nest_gen_loop(struct gen *g, struct scope *s) {
    uint32_t d = s->depth;
    bool innermost = d + 1 == g->depth;
    struct nested l = {.shape = (enum shape)nest_below(g, SHAPES), .trip = g->trip[d]};
    if (d && nest_chance(g, 15))
        l.trip = nest_choose_trip(g, d);
    bool bottom = l.shape < TOP_BREAK;
    choose_count(g, &l);
    l.guarded = (bottom && l.trip == 0) || nest_chance(g, 15);
    if (d && nest_chance(g, 5)) { /* a triangle */
        l.shape = nest_chance(g, 50) ? TOP_BREAK : TOP_IF;
        l.counter_type = IR_I32;
        l.start = 0;
        l.step = 1;
        l.compare = IR_I32_LT_S;
        l.guarded = l.test_current = false;
        l.bound_value = nest_op(g, IR_I32_AND, s->counter[d - 1], nest_i32(g, 15));
    } else if (d && nest_chance(g, 12)) {
        make_triangle(g, &l, s);
    }
    g->start[d] = l.start;
    g->step[d] = l.step;

    struct scope inner = *s;
    struct ir_inst *escape = NULL;
    struct ir_builder after_escape = g->b;
    if (nest_chance(g, d ? 5 : 2)) {
        nest_stamp(g);
        escape = ir_build_block(&g->b, NULL, 0);
        after_escape = g->b;
        g->b = ir_builder_at_end(escape->regions[0]);
    }
    inner.escape = escape;
    carry(&l, l.start_value ? l.start_value : counter_number(g, &l, l.start));
    int carried[MAX_ARRAYS] = {0};
    for (uint32_t a = 0; a < g->narrays; a++) {
        bool divisible = g->arrays[a].stride[d] % (int32_t)l.step == 0;
        carried[a] = g->arrays[a].pointer[d] || !divisible ? (int)carry(&l, s->at[a]) : -1;
    }
    int acc = -1;
    if (nest_chance(g, d ? 40 : 3))
        acc = (int)carry(&l, nest_datum(g, s, (enum ir_type)nest_below(g, 3)));
    int late = -1, later = -1; /* what a load gave one iteration ago, and two */
    uint32_t from = nest_below(g, g->narrays);
    if (nest_chance(g, 15) && nest_kinds[g->arrays[from].kind].type == IR_I32) {
        late = (int)carry(&l, nest_datum(g, s, IR_I32));
        if (nest_chance(g, 30))
            later = (int)carry(&l, nest_datum(g, s, IR_I32));
    }
    struct nest_reduce reduce = {0};
    uint32_t reduced = l.n;
    if (!escape && g->reduces && (d == 0 || nest_chance(g, 10)))
        nest_reduce_begin(g, s, &reduce);
    for (uint32_t k = 0; k < reduce.n; k++)
        (void)carry(&l, reduce.init[k]);
    for (uint32_t k = 0; k < l.n && !escape; k++) {
        l.live[k] = nest_chance(g, (int)k == acc ? 90 : 25);
        l.live_next[k] = nest_chance(g, 70);
    }
    for (uint32_t a = 0; a < g->narrays && !escape; a++)
        if (carried[a] >= 0 && g->arrays[a].through)
            l.live[carried[a]] = l.live_next[carried[a]] = true;

    for (uint32_t k = 0; k < reduce.n; k++) {
        l.live[reduced + k] = true;
        l.live_next[reduced + k] = nest_chance(g, 97) == (l.shape < TOP_BREAK);
    }
    loop_open(g, &l);
    inner.depth = d + 1;
    inner.counter[d] = nest_convert(g, l.cur[0], IR_I32);
    enter_arrays(g, &l, s, &inner, carried);
    if (acc >= 0 && nest_chance(g, 30))
        nest_keep(g, &inner, l.cur[acc]);
    if (late >= 0) {
        nest_keep(g, &inner, l.cur[late]);
        l.next[late] = nest_load_from(g, g->arrays[from].kind, inner.at[from], (struct ir_mem){.stream = -1});
        nest_keep(g, &inner, l.next[late]);
    }
    if (later >= 0) {
        nest_keep(g, &inner, l.cur[later]);
        l.next[later] = l.cur[late];
    }
    struct ir_value *before[MAX_ARRAYS];
    memcpy(before, inner.at, sizeof before);
    nest_body(g, &inner, innermost ? 2 + nest_below(g, 4) : 1 + nest_below(g, 3));
    for (uint32_t a = 0; a < g->narrays; a++) {
        if (carried[a] < 0)
            continue;
        /* A `through` array: what the loops inside have left in at[a], which may be behind the element. */
        bool through = inner.at[a] != before[a];
        int32_t step = g->arrays[a].stride[d];
        if (through)
            step = (int32_t)((uint32_t)step - g->trip[d + 1] * (uint32_t)g->arrays[a].stride[d + 1]);
        struct ir_value *from = through ? inner.at[a] : l.cur[carried[a]];
        l.next[carried[a]] = nest_op(g, IR_I32_ADD, from, nest_known(g, IR_I32, (uint32_t)step));
    }
    if (acc >= 0) {
        static const enum ir_op add[] = {IR_I32_ADD, IR_I64_ADD, IR_F32_ADD};
        enum ir_type type = l.init[acc]->type;
        l.next[acc] = nest_chance(g, 95)
                          ? nest_op(g, add[type], l.cur[acc], nest_datum(g, &inner, type))
                          : nest_op(g, IR_I32_XOR + 0 * (int)type, nest_convert(g, l.cur[acc], IR_I32), nest_i32(g, 1));
        l.next[acc] = nest_convert(g, l.next[acc], type);
    }
    if (reduce.n) {
        nest_reduce_next(g, &inner, &reduce, l.cur + reduced, l.next + reduced);
        if (nest_chance(g, 20))
            nest_reduce_sink(g, &reduce, l.next + reduced);
        if (nest_chance(g, 4)) /* and something else sees one of them */
            nest_store_to(g, &inner, AS_I32, inner.at[0], (struct ir_mem){.stream = -1});
    }
    loop_close(g, &l);
    if (escape) {
        nest_stamp(g);
        ir_build_yield(&g->b, NULL, 0);
        g->b = after_escape;
        return;
    }
    for (uint32_t k = 0; k < l.n; k++) {
        if (!l.out[k])
            continue;
        bool pointer = false;
        for (uint32_t a = 0; a < g->narrays; a++)
            if (carried[a] == (int)k) {
                pointer = true;
                if (d && g->arrays[a].through && l.trip == g->trip[d] && !l.bound_value && !l.varies)
                    s->at[a] = l.out[k];
            }
        if (!d && k >= reduced && k < reduced + reduce.n && g->nlive < RESULTS)
            g->live[g->nlive++] = nest_reduce_result(g, &reduce.list[k - reduced], l.out[k]);
        else if (!d && l.out[k]->type != IR_F32 && g->nlive < RESULTS)
            g->live[g->nlive++] = nest_convert(g, l.out[k], IR_I32);
        else if (d && !pointer)
            nest_keep(g, s, l.out[k]->type == IR_V128 ? nest_vector_result(g, l.out[k]) : l.out[k]);
    }
}

/* The producer's unrolled loop: `factor` bodies a turn, then one at a time. */
void nest_gen_unrolled(struct gen *g, struct scope *s) {
    uint32_t d = s->depth, factor = nest_chance(g, 50) ? 2 : 4, n = 1 + nest_below(g, 19),
             a = nest_below(g, g->narrays);
    uint32_t b = nest_below(g, g->narrays);
    struct ir_value *at[2] = {s->at[a], s->at[b]}, *acc = nest_datum(g, s, IR_I32);
    bool accumulate = nest_chance(g, 50);
    struct ir_value *count = nest_known(g, IR_I32, n);
    enum ir_type types[3] = {IR_I32, IR_I32, IR_I32};
    struct ir_builder *e = &g->entry;
    struct ir_value *many = ir_build_simple(e, IR_I32_AND, count, ir_build_i32(e, -factor));
    struct ir_value *rest = ir_build_simple(e, IR_I32_AND, count, ir_build_i32(e, factor - 1));
    for (int part = 0; part < 2; part++) {
        uint32_t bodies = part ? 1 : factor;
        nest_stamp(g);
        struct ir_inst *guard = ir_build_if(&g->b, part ? rest : many, types, 3);
        struct ir_builder after = g->b, other = ir_builder_at_end(guard->regions[1]);
        ir_build_yield(&other, (struct ir_value *[]){at[0], at[1], acc}, 3);
        g->b = ir_builder_at_end(guard->regions[0]);
        nest_stamp(g);
        struct ir_value *init[4] = {part ? rest : many, at[0], at[1], acc};
        struct ir_inst *loop = ir_build_loop(&g->b, init, 4, types, 3);
        struct ir_builder behind = g->b;
        g->b = ir_builder_at_end(loop->regions[0]);
        struct ir_value **p = loop->regions[0]->params, *sum = p[3];
        enum access_kind from = g->arrays[a].kind, to = g->arrays[b].kind;
        struct scope inner = *s;
        for (uint32_t u = 0; u < bodies; u++) {
            int32_t ahead_a = (int32_t)u * g->arrays[a].stride[d], ahead_b = (int32_t)u * g->arrays[b].stride[d];
            bool folded = ahead_a >= 0 && nest_chance(g, 60);
            struct ir_value *q = folded ? p[1] : nest_op(g, IR_I32_ADD, p[1], nest_i32(g, (uint32_t)ahead_a));
            struct ir_value *v =
                nest_load_from(g, from, q, (struct ir_mem){.offset = folded ? (uint64_t)ahead_a : 0, .stream = -1});
            nest_keep(g, &inner, v);
            if (accumulate)
                sum = nest_op(g, IR_I32_ADD, sum, nest_convert(g, v, IR_I32));
            else
                nest_store_to(g, &inner, to, nest_op(g, IR_I32_ADD, p[2], nest_i32(g, (uint32_t)ahead_b)),
                              (struct ir_mem){.stream = -1});
        }
        struct ir_value *next[4] = {
            nest_op(g, IR_I32_SUB, p[0], nest_i32(g, bodies)),
            nest_op(g, IR_I32_ADD, p[1], nest_i32(g, bodies * (uint32_t)g->arrays[a].stride[d])),
            nest_op(g, IR_I32_ADD, p[2], nest_i32(g, bodies * (uint32_t)g->arrays[b].stride[d])), sum};
        nest_stamp(g);
        ir_build_br_if(&g->b, next[0], loop, next, 4);
        ir_build_yield(&g->b, next + 1, 3);
        g->b = behind;
        ir_build_yield(&g->b, (struct ir_value *[]){&loop->results[0], &loop->results[1], &loop->results[2]}, 3);
        g->b = after;
        at[0] = &guard->results[0];
        at[1] = &guard->results[1];
        acc = &guard->results[2];
    }
    nest_keep(g, s, acc);
}
