/* See nest_helpers.h. */
#include "tests/fuzz/nest_helpers.h"

#include <string.h>

struct maker {
    struct ir_builder b;
    uint32_t *offset;
};

static struct ir_value *op(struct maker *k, enum ir_op o, struct ir_value *x, struct ir_value *y) {
    k->b.wasm_offset = ++*k->offset;
    return ir_build_simple(&k->b, o, x, y);
}

static struct ir_value *number(struct maker *k, uint32_t v) {
    k->b.wasm_offset = ++*k->offset;
    return ir_build_i32(&k->b, v);
}

static void give(struct maker *k, struct ir_value *v) {
    k->b.wasm_offset = ++*k->offset;
    ir_build_return(&k->b, &v, 1);
}

static struct ir_value *call(struct maker *k, uint32_t func, struct ir_value *x, struct ir_value *y) {
    enum ir_type i32 = IR_I32;
    k->b.wasm_offset = ++*k->offset;
    struct ir_inst *c = ir_build(&k->b, IR_CALL, &i32, 1, (struct ir_value *[]){x, y}, 2);
    c->index = func;
    return c->results;
}

static void choose(struct maker *k, struct ir_value *x, struct ir_value *y) {
    struct ir_value *odd = op(k, IR_I32_AND, x, number(k, 1));
    k->b.wasm_offset = ++*k->offset;
    struct ir_inst *block = ir_build_block(&k->b, NULL, 0);
    struct ir_builder outer = k->b;
    k->b = ir_builder_at_end(block->regions[0]);
    k->b.wasm_offset = ++*k->offset;
    ir_build_br_if(&k->b, odd, block, NULL, 0);
    struct ir_value *less = op(k, IR_I32_LT_S, x, y);
    struct ir_inst *either = ir_build_if(&k->b, less, NULL, 0);
    struct ir_builder inner = k->b;
    k->b = ir_builder_at_end(either->regions[0]);
    give(k, op(k, IR_I32_SUB, y, x));
    k->b = ir_builder_at_end(either->regions[1]);
    ir_build_yield(&k->b, NULL, 0);
    k->b = inner;
    give(k, op(k, IR_I32_MUL, x, number(k, 3)));
    k->b = outer;
    give(k, op(k, IR_I32_XOR, x, y));
}

static void update(struct maker *k, struct ir_value *address, struct ir_value *x) {
    struct ir_mem mem = {.stream = -1};
    k->b.wasm_offset = ++*k->offset;
    struct ir_value *old = ir_build_load(&k->b, IR_I32_LOAD, address, mem);
    struct ir_value *sum = op(k, IR_I32_ADD, old, x);
    k->b.wasm_offset = ++*k->offset;
    ir_build_store(&k->b, IR_I32_STORE, address, sum, mem);
    give(k, old);
}

static void count(struct maker *k, struct ir_value *x, struct ir_value *y) {
    struct ir_value *n = op(k, IR_I32_AND, x, number(k, 7)), *one = number(k, 1), *factor = number(k, 31);
    struct ir_value *init[2] = {n, y};
    enum ir_type i32 = IR_I32;
    k->b.wasm_offset = ++*k->offset;
    struct ir_inst *loop = ir_build_loop(&k->b, init, 2, &i32, 1);
    struct ir_region *r = loop->regions[0];
    struct ir_builder outer = k->b;
    k->b = ir_builder_at_end(r);
    struct ir_value *left = op(k, IR_I32_SUB, r->params[0], one);
    struct ir_value *sum = op(k, IR_I32_ADD, op(k, IR_I32_MUL, r->params[1], factor), left);
    struct ir_value *more = op(k, IR_I32_GT_S, left, number(k, 0));
    ir_build_br_if(&k->b, more, loop, (struct ir_value *[]){left, sum}, 2);
    ir_build_yield(&k->b, &sum, 1);
    k->b = outer;
    give(k, loop->results);
}

static struct ir_value *get(struct maker *k) {
    enum ir_type i32 = IR_I32;
    k->b.wasm_offset = ++*k->offset;
    struct ir_inst *i = ir_build(&k->b, IR_GLOBAL_GET, &i32, 1, NULL, 0);
    i->index = 1;
    return i->results;
}

static void set(struct maker *k, struct ir_value *v) {
    k->b.wasm_offset = ++*k->offset;
    ir_build(&k->b, IR_GLOBAL_SET, NULL, 0, &v, 1)->index = 1;
}

/* Three ways out: behind a condition, another, and at the end. */
static void frame(struct maker *k, uint32_t choose_index, bool leaks, struct ir_value *x, struct ir_value *y) {
    struct ir_value *top = op(k, IR_I32_SUB, get(k), number(k, 32));
    set(k, top);
    struct ir_value *v = call(k, choose_index, x, y);
    for (uint32_t way = 0; way < 2; way++) {
        struct ir_value *c = op(k, IR_I32_EQ, op(k, IR_I32_AND, x, number(k, way ? 3 : 31)), number(k, way ? 2 : 5));
        k->b.wasm_offset = ++*k->offset;
        struct ir_inst *either = ir_build_if(&k->b, c, NULL, 0);
        struct ir_builder outer = k->b;
        k->b = ir_builder_at_end(either->regions[0]);
        struct ir_value *seen = get(k);
        if (way || !leaks)
            set(k, op(k, IR_I32_ADD, top, number(k, 32)));
        give(k, op(k, IR_I32_XOR, seen, v));
        k->b = ir_builder_at_end(either->regions[1]);
        ir_build_yield(&k->b, NULL, 0);
        k->b = outer;
    }
    set(k, op(k, IR_I32_SUB, get(k), number(k, 16)));
    struct ir_value *deeper = get(k);
    set(k, op(k, IR_I32_ADD, deeper, number(k, 48)));
    give(k, op(k, IR_I32_ADD, op(k, IR_I32_MUL, deeper, number(k, 5)), v));
}

static void put(struct maker *k, enum ir_op o, struct ir_value *at, uint32_t offset, struct ir_value *v) {
    k->b.wasm_offset = ++*k->offset;
    ir_build_store(&k->b, o, at, v, (struct ir_mem){.offset = offset, .stream = -1});
}

static struct ir_value *take(struct maker *k, enum ir_op o, struct ir_value *at, uint32_t offset) {
    k->b.wasm_offset = ++*k->offset;
    return ir_build_load(&k->b, o, at, (struct ir_mem){.offset = offset, .stream = -1});
}

/* An array of four words filled in a loop, read at an index; a structure of 12 bytes, written and read in different
 * widths, a part of it anew behind a condition. */
static void scratch(struct maker *k, struct ir_value *x, struct ir_value *y) {
    struct ir_value *at = op(k, IR_I32_SUB, get(k), number(k, 48)), *four = number(k, 4);
    put(k, IR_I32_STORE, at, 0, x);
    put(k, IR_I32_STORE, at, 4, y);
    put(k, IR_I32_STORE16, at, 8, x);
    put(k, IR_I32_STORE8, at, 10, y);
    put(k, IR_I32_STORE8, at, 11, op(k, IR_I32_SHR_U, x, four));
    struct ir_value *init[2] = {number(k, 0), at};
    k->b.wasm_offset = ++*k->offset;
    struct ir_inst *loop = ir_build_loop(&k->b, init, 2, NULL, 0);
    struct ir_region *r = loop->regions[0];
    struct ir_builder outer = k->b;
    k->b = ir_builder_at_end(r);
    put(k, IR_I32_STORE, r->params[1], 16, op(k, IR_I32_MUL, op(k, IR_I32_ADD, x, r->params[0]), y));
    struct ir_value *next[2] = {op(k, IR_I32_ADD, r->params[0], number(k, 1)), op(k, IR_I32_ADD, r->params[1], four)};
    struct ir_value *more = op(k, IR_I32_NE, next[0], four);
    ir_build_br_if(&k->b, more, loop, next, 2);
    ir_build_yield(&k->b, NULL, 0);
    k->b = outer;
    struct ir_inst *either = ir_build_if(&k->b, op(k, IR_I32_AND, x, number(k, 2)), NULL, 0);
    outer = k->b;
    k->b = ir_builder_at_end(either->regions[0]);
    put(k, IR_I32_STORE16, at, 6, op(k, IR_I32_MUL, x, number(k, 7)));
    ir_build_yield(&k->b, NULL, 0);
    k->b = ir_builder_at_end(either->regions[1]);
    ir_build_yield(&k->b, NULL, 0);
    k->b = outer;
    struct ir_value *index = op(k, IR_I32_SHL, op(k, IR_I32_AND, y, number(k, 3)), number(k, 2));
    struct ir_value *v = take(k, IR_I32_LOAD, op(k, IR_I32_ADD, at, index), 16);
    v = op(k, IR_I32_XOR, v, take(k, IR_I32_LOAD8_S, at, 7));
    v = op(k, IR_I32_ADD, v, take(k, IR_I32_LOAD, at, 8));
    struct ir_value *wide = take(k, IR_I64_LOAD, at, 0);
    v = op(k, IR_I32_SUB, v, op(k, IR_I32_WRAP_I64, op(k, IR_I64_SHR_U, wide, ir_build_i64(&k->b, 24)), NULL));
    give(k, op(k, IR_I32_XOR, v, take(k, IR_I32_LOAD16_U, at, 4)));
}

/* again(x, y) = x & 15 ? again((x & 15) - 1, y) * 3 + y : y */
static void again(struct maker *k, uint32_t self, struct ir_value *x, struct ir_value *y) {
    struct ir_value *n = op(k, IR_I32_AND, x, number(k, 15));
    k->b.wasm_offset = ++*k->offset;
    struct ir_inst *either = ir_build_if(&k->b, n, NULL, 0);
    struct ir_builder outer = k->b;
    k->b = ir_builder_at_end(either->regions[0]);
    struct ir_value *deeper = call(k, self, op(k, IR_I32_SUB, n, number(k, 1)), y);
    give(k, op(k, IR_I32_ADD, op(k, IR_I32_MUL, deeper, number(k, 3)), y));
    k->b = ir_builder_at_end(either->regions[1]);
    ir_build_yield(&k->b, NULL, 0);
    k->b = outer;
    give(k, y);
}

uint32_t nest_helpers_add(struct ir_module *m, uint32_t type, uint32_t *offset) {
    static const char *const names[HELPERS] = {"choose", "update", "both",    "count",
                                               "frame",  "leak",   "scratch", "again"};
    uint32_t first = m->nfuncs;
    struct ir_func_entry *funcs = arena_array(&m->arena, struct ir_func_entry, first + HELPERS);
    memcpy(funcs, m->funcs, first * sizeof *funcs);
    m->funcs = funcs;
    for (uint32_t h = 0; h < HELPERS; h++) {
        struct ir_func *f = ir_func_new(m, names[h], &m->types[type]);
        f->type = type;
        f->index = m->nfuncs;
        m->funcs[m->nfuncs++].func = f;
        struct maker k = {.b = ir_builder_at_end(f->body), .offset = offset};
        struct ir_value *x = f->body->params[0], *y = f->body->params[1];
        switch ((enum nest_helper)h) {
        case HELPER_CHOOSE:
            choose(&k, x, y);
            break;
        case HELPER_UPDATE:
            update(&k, x, y);
            break;
        case HELPER_BOTH:
            give(&k, call(&k, first + HELPER_UPDATE, x, call(&k, first + HELPER_CHOOSE, y, number(&k, 7))));
            break;
        case HELPER_FRAME:
        case HELPER_LEAK:
            frame(&k, first + HELPER_CHOOSE, h == HELPER_LEAK, x, y);
            break;
        case HELPER_SCRATCH:
            scratch(&k, x, y);
            break;
        case HELPER_AGAIN:
            again(&k, first + HELPER_AGAIN, x, y);
            break;
        case HELPER_COUNT:
        case HELPERS:
            count(&k, x, y);
            break;
        }
    }
    return first;
}
