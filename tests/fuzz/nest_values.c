/* Random loop nests: numbers known before a nest, data, loads and stores. */
#include "tests/fuzz/nest_gen.h"

#include "tests/fuzz/nest_helpers.h"

const struct nest_access nest_kinds[ACCESS_KINDS + 1] = {
    [AS_I32] = {IR_I32_LOAD, IR_I32_STORE, IR_I32, 4},       [AS_U8] = {IR_I32_LOAD8_U, IR_I32_STORE8, IR_I32, 1},
    [AS_S8] = {IR_I32_LOAD8_S, IR_I32_STORE8, IR_I32, 1},    [AS_U16] = {IR_I32_LOAD16_U, IR_I32_STORE16, IR_I32, 2},
    [AS_S16] = {IR_I32_LOAD16_S, IR_I32_STORE16, IR_I32, 2}, [AS_I64] = {IR_I64_LOAD, IR_I64_STORE, IR_I64, 8},
    [AS_F32] = {IR_F32_LOAD, IR_F32_STORE, IR_F32, 4},       [AS_V128] = {IR_V128_LOAD, IR_V128_STORE, IR_V128, 16},
};

uint32_t nest_below(struct gen *g, uint32_t n) {
    return (uint32_t)(oft_random(&g->state) >> 33) % n;
}

bool nest_chance(struct gen *g, uint32_t percent) {
    return nest_below(g, 100) < percent;
}

int32_t nest_between(struct gen *g, int32_t lo, int32_t hi) {
    return lo + (int32_t)nest_below(g, (uint32_t)(hi - lo + 1));
}

void nest_stamp(struct gen *g) {
    g->b.wasm_offset = ++g->offset;
}

struct ir_value *nest_op(struct gen *g, enum ir_op o, struct ir_value *x, struct ir_value *y) {
    nest_stamp(g);
    return ir_build_simple(&g->b, o, x, y);
}

struct ir_value *nest_i32(struct gen *g, uint32_t v) {
    nest_stamp(g);
    return ir_build_i32(&g->b, v);
}

/* ---- numbers known before the nest ---- */

static struct ir_value *param(struct gen *g, enum ir_type type, uint64_t v) {
    uint32_t index = type == IR_I32 ? g->used32++ : PARAMS32 + g->used64++;
    g->args[index].i64 = type == IR_I32 ? (uint32_t)v : v;
    return g->f->body->params[index];
}

struct ir_value *nest_known(struct gen *g, enum ir_type type, uint64_t v) {
    struct ir_builder *e = &g->entry;
    e->wasm_offset = ++g->offset;
    bool wide = type == IR_I64, room = wide ? g->used64 < PARAMS64 : g->used32 < PARAMS32;
    if (!room || nest_chance(g, 45))
        return wide ? ir_build_i64(e, v) : ir_build_i32(e, (uint32_t)v);
    uint32_t by = nest_below(g, 64), shift = 1 + nest_below(g, 3);
    switch (nest_below(g, 4)) {
    case 0: {
        struct ir_value *p = param(g, type, v - by);
        return ir_build_simple(e, wide ? IR_I64_ADD : IR_I32_ADD, p, wide ? ir_build_i64(e, by) : ir_build_i32(e, by));
    }
    case 1:
        if (v & ((1u << shift) - 1))
            return param(g, type, v);
        struct ir_value *half = param(g, type, v >> shift);
        return ir_build_simple(e, wide ? IR_I64_SHL : IR_I32_SHL, half,
                               wide ? ir_build_i64(e, shift) : ir_build_i32(e, shift));
    default:
        return param(g, type, v);
    }
}

/* A number that the nest reads again and again, from memory or a global: mostly one that nothing changes. */
struct ir_value *nest_again(struct gen *g, uint32_t v) {
    if (nest_chance(g, 75))
        return nest_known(g, IR_I32, v);
    struct ir_value *stored = nest_known(g, IR_I32, v);
    struct ir_builder *e = &g->entry;
    e->wasm_offset = ++g->offset;
    enum ir_type i32 = IR_I32;
    if (nest_chance(g, 25)) {
        ir_build(e, IR_GLOBAL_SET, NULL, 0, &stored, 1);
        nest_stamp(g);
        return ir_build(&g->b, IR_GLOBAL_GET, &i32, 1, NULL, 0)->results;
    }
    struct array *x = &g->arrays[nest_below(g, g->narrays)];
    uint32_t place = nest_chance(g, 85) ? 4 * nest_below(g, 60) : x->base + 4 * nest_below(g, 100);
    if (place >= MEMORY - 8)
        place = 4;
    struct ir_mem mem = {.stream = -1};
    ir_build_store(e, IR_I32_STORE, ir_build_i32(e, place), stored, mem);
    struct ir_value *at = nest_known(g, IR_I32, place);
    if (nest_chance(g, 20)) { /* through a pointer that is read again, too */
        uint32_t pointer = 4 * nest_below(g, 60);
        ir_build_store(e, IR_I32_STORE, ir_build_i32(e, pointer), ir_build_i32(e, place), mem);
        nest_stamp(g);
        at = ir_build_load(&g->b, IR_I32_LOAD, nest_known(g, IR_I32, pointer), mem);
    }
    nest_stamp(g);
    return ir_build_load(&g->b, IR_I32_LOAD, at, mem);
}

/* A condition that does not change in the nest. */
struct ir_value *nest_known_condition(struct gen *g) {
    struct ir_value *x = nest_known(g, IR_I32, nest_below(g, 3));
    struct ir_builder *e = &g->entry;
    e->wasm_offset = ++g->offset;
    switch (nest_below(g, 3)) {
    case 0:
        return x;
    case 1:
        return ir_build_simple(e, IR_I32_EQZ, x, NULL);
    default:
        return ir_build_simple(e, IR_I32_GT_S, x, ir_build_i32(e, nest_below(g, 2)));
    }
}

/* ---- data ---- */

void nest_keep(struct gen *g, struct scope *s, struct ir_value *v) {
    s->values[s->nvalues < MAX_VALUES ? s->nvalues++ : nest_below(g, MAX_VALUES)] = v;
}

struct ir_value *nest_convert(struct gen *g, struct ir_value *v, enum ir_type to) {
    if (v->type == to)
        return v;
    if (v->type == IR_V128 || to == IR_V128)
        return nest_lanes_convert(g, v, to);
    if (to == IR_I32)
        return v->type == IR_I64   ? nest_op(g, IR_I32_WRAP_I64, v, NULL)
               : v->type == IR_F32 ? nest_op(g, IR_I32_TRUNC_SAT_F32_S, v, NULL)
                                   : NULL;
    if (to == IR_I64)
        return v->type == IR_I32 ? nest_op(g, nest_chance(g, 50) ? IR_I64_EXTEND_I32_S : IR_I64_EXTEND_I32_U, v, NULL)
                                 : nest_op(g, IR_I64_TRUNC_SAT_F32_S, v, NULL);
    return nest_op(g, v->type == IR_I32 ? IR_F32_CONVERT_I32_S : IR_F32_CONVERT_I64_S, v, NULL);
}

struct ir_value *nest_datum(struct gen *g, struct scope *s, enum ir_type type) {
    struct ir_value *v;
    if (s->nvalues && nest_chance(g, 75))
        v = s->values[nest_below(g, s->nvalues)];
    else if (s->depth && nest_chance(g, 50))
        v = s->counter[nest_below(g, s->depth)];
    else
        v = nest_known(g, type == IR_I64 && nest_chance(g, 50) ? IR_I64 : IR_I32, nest_below(g, 1000));
    return nest_convert(g, v, type);
}

void nest_compute(struct gen *g, struct scope *s) {
    static const enum ir_op ops[3][7] = {
        {IR_I32_ADD, IR_I32_SUB, IR_I32_MUL, IR_I32_XOR, IR_I32_AND, IR_I32_SHR_S, IR_I32_LT_S},
        {IR_I64_ADD, IR_I64_SUB, IR_I64_MUL, IR_I64_XOR, IR_I64_OR, IR_I64_SHR_U, IR_I64_ROTL},
        {IR_F32_ADD, IR_F32_SUB, IR_F32_MUL, IR_F32_MIN, IR_F32_MAX, IR_F32_DIV, IR_F32_MUL},
    };
    unsigned type = nest_below(g, 3);
    struct ir_value *x = nest_datum(g, s, (enum ir_type)type), *y = nest_datum(g, s, (enum ir_type)type);
    nest_keep(g, s, nest_op(g, ops[type][nest_below(g, 7)], x, y));
}

void nest_divide(struct gen *g, struct scope *s) {
    static const enum ir_op ops[] = {IR_I32_DIV_S, IR_I32_DIV_U, IR_I32_REM_S, IR_I32_REM_U};
    struct ir_value *x = nest_chance(g, 20) ? nest_known(g, IR_I32, 0x80000000) : nest_datum(g, s, IR_I32), *y;
    if (nest_chance(g, 60))
        y = nest_known(g, IR_I32, 1 + nest_below(g, 9));
    else if (nest_chance(g, 90))
        y = nest_known(g, IR_I32, (uint32_t)nest_between(g, -1, nest_chance(g, 50) ? 0 : 3));
    else
        y = nest_datum(g, s, IR_I32);
    nest_keep(g, s, nest_op(g, ops[nest_below(g, 4)], x, y));
}

/* NaNs become 0: their payloads are nobody's business. */
static struct ir_value *calm(struct gen *g, struct ir_value *v) {
    if (v->type != IR_F32)
        return v;
    struct ir_value *ok = nest_op(g, IR_F32_EQ, v, v);
    nest_stamp(g);
    struct ir_value *zero = ir_build_const(&g->b, IR_F32, (union ir_bits){.u64x2 = {0, 0}});
    return ir_build_select(&g->b, v, zero, ok);
}

/* ---- accesses ---- */

static struct ir_mem mem_at(struct gen *g, unsigned bytes) {
    return (struct ir_mem){.offset = nest_chance(g, 30) ? bytes * nest_below(g, 4) : 0, .stream = -1};
}

struct ir_value *nest_load_from(struct gen *g, enum access_kind kind, struct ir_value *address, struct ir_mem mem) {
    nest_stamp(g);
    return ir_build_load(&g->b, nest_kinds[kind].load, address, mem);
}

void nest_store_to(struct gen *g, struct scope *s, enum access_kind kind, struct ir_value *address, struct ir_mem mem) {
    struct ir_value *v = calm(g, nest_datum(g, s, nest_kinds[kind].type));
    nest_stamp(g);
    ir_build_store(&g->b, nest_kinds[kind].store, address, v, mem);
}

/* An address near the array's element, sometimes one that depends on data. */
static struct ir_value *moved_address(struct gen *g, struct scope *s, uint32_t a) {
    struct ir_value *p = s->at[a];
    uint32_t bytes = nest_kinds[g->arrays[a].kind].bytes;
    switch (nest_below(g, 8)) {
    case 6: { /* index bits put together */
        struct ir_value *x = nest_op(g, IR_I32_SHL, s->counter[s->depth - 1], nest_i32(g, 3));
        return nest_op(g, IR_I32_ADD, nest_again(g, g->arrays[a].base),
                       nest_op(g, IR_I32_OR, x, nest_i32(g, nest_below(g, 9))));
    }
    case 7: { /* the outcome of a comparison */
        struct ir_value *c = nest_op(g, nest_chance(g, 50) ? IR_I32_LT_S : IR_I32_NE, nest_datum(g, s, IR_I32),
                                     nest_datum(g, s, IR_I32));
        return nest_op(g, IR_I32_ADD, p,
                       nest_op(g, IR_I32_MUL, c, nest_known(g, IR_I32, bytes * (1 + nest_below(g, 3)))));
    }
    case 0: { /* table of 256 elements */
        struct ir_value *byte = nest_load_from(g, AS_U8, s->at[nest_below(g, g->narrays)], mem_at(g, 1));
        struct ir_value *from = nest_known(g, IR_I32, 1024 * nest_below(g, 60));
        return nest_op(g, IR_I32_ADD, from, nest_op(g, IR_I32_MUL, byte, nest_i32(g, bytes)));
    }
    case 1: { /* clamped coordinate */
        struct ir_value *x =
            nest_op(g, IR_I32_ADD, s->counter[s->depth - 1], nest_i32(g, (uint32_t)nest_between(g, -4, 4)));
        struct ir_value *low = nest_known(g, IR_I32, (uint32_t)nest_between(g, 0, 4));
        struct ir_value *high = nest_known(g, IR_I32, 4 + nest_below(g, 40));
        bool is_unsigned = nest_chance(g, 15);
        struct ir_value *c = nest_op(g, is_unsigned ? IR_I32_GT_U : IR_I32_GT_S, x, low);
        struct ir_value *raised = ir_build_select(&g->b, x, low, c);
        if (nest_chance(g, 50)) {
            c = nest_op(g, nest_chance(g, 50) ? IR_I32_LT_S : IR_I32_LE_S, raised, high);
            x = ir_build_select(&g->b, raised, high, c);
        } else { /* as two ifs leave it: the comparison is with the number before it was raised */
            static const enum ir_op compare[4] = {IR_I32_LT_S, IR_I32_LE_S, IR_I32_GT_S, IR_I32_GE_S};
            struct ir_value *other = nest_op(g, IR_I32_ADD, high, nest_i32(g, (uint32_t)nest_between(g, -2, 1)));
            struct ir_value *inner = nest_chance(g, 80) ? raised : x;
            bool turned = nest_chance(g, 30), swapped = nest_chance(g, 30);
            c = nest_op(g, compare[nest_below(g, 4)], turned ? high : x, turned ? x : high);
            x = ir_build_select(&g->b, swapped ? other : inner, swapped ? inner : other, c);
        }
        return nest_op(g, IR_I32_ADD, nest_known(g, IR_I32, g->arrays[a].base),
                       nest_op(g, IR_I32_SHL, x, nest_i32(g, 2)));
    }
    case 2: { /* one of two */
        struct ir_value *c = nest_chance(g, 50) ? nest_known_condition(g) : nest_datum(g, s, IR_I32);
        struct ir_value *q = nest_op(g, IR_I32_ADD, p, nest_known(g, IR_I32, bytes * nest_below(g, 3)));
        return ir_build_select(&g->b, p, q, c);
    }
    case 3: { /* one of several, through branches */
        enum ir_type type = IR_I32;
        struct ir_value *index = nest_datum(g, s, IR_I32);
        struct ir_value *args[3] = {p, nest_op(g, IR_I32_ADD, p, nest_i32(g, bytes)),
                                    nest_op(g, IR_I32_ADD, p, nest_i32(g, 2 * bytes))};
        nest_stamp(g);
        struct ir_inst *block = ir_build_block(&g->b, &type, 1);
        struct ir_inst *targets[3] = {block, block, block};
        struct ir_builder outer = g->b;
        g->b = ir_builder_at_end(block->regions[0]);
        nest_stamp(g);
        ir_build_br_table(&g->b, index, targets, 3, args, 3);
        g->b = outer;
        return &block->results[0];
    }
    case 4: { /* masked */
        struct ir_value *x =
            nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), nest_i32(g, nest_chance(g, 50) ? 31 : 56));
        return nest_op(g, IR_I32_ADD, nest_again(g, g->arrays[a].base), nest_op(g, IR_I32_SHL, x, nest_i32(g, 2)));
    }
    default:
        return nest_op(g, IR_I32_ADD, p, nest_again(g, (uint32_t)nest_between(g, -2, 2) * bytes));
    }
}

/* An index that depends on data: mostly small, sometimes as it comes. */
static struct ir_value *wild_index(struct gen *g, struct scope *s) {
    struct ir_value *x = nest_datum(g, s, IR_I32);
    switch (nest_below(g, 8)) {
    case 0:
        return x;
    case 1: /* a hash */
        return nest_op(g, IR_I32_SHR_U, nest_op(g, IR_I32_MUL, x, nest_i32(g, 2654435761u)),
                       nest_i32(g, 16 + nest_below(g, 8)));
    case 2: /* a mask, computed so that no analysis sees it */
        return nest_op(g, IR_I32_XOR, nest_op(g, IR_I32_AND, x, nest_known(g, IR_I32, 4095)), s->counter[s->depth - 1]);
    default:
        return nest_op(g, IR_I32_REM_U, x, nest_known(g, IR_I32, 1 + nest_below(g, 1000)));
    }
}

/* table[index], or a list followed for a few steps. */
void nest_gather(struct gen *g, struct scope *s) {
    enum access_kind kind = g->lanes && nest_chance(g, 30) ? AS_V128 : (enum access_kind)nest_below(g, ACCESS_KINDS);
    uint32_t a = nest_below(g, g->narrays),
             table = nest_chance(g, 20) ? g->arrays[a].base : MEMORY / 2 + 64 * nest_below(g, 400);
    uint32_t steps = nest_chance(g, 30) ? 1 + nest_below(g, 2) : 0;
    struct ir_value *p =
        nest_op(g, IR_I32_ADD, nest_known(g, IR_I32, table),
                nest_op(g, IR_I32_MUL, wild_index(g, s), nest_known(g, IR_I32, nest_kinds[kind].bytes)));
    struct ir_value *v = nest_load_from(g, kind, p, mem_at(g, nest_kinds[kind].bytes));
    for (uint32_t k = 0; k < steps; k++) {
        struct ir_value *next = nest_op(g, IR_I32_AND, nest_convert(g, v, IR_I32), nest_known(g, IR_I32, MEMORY - 16));
        v = nest_load_from(g, kind, next, mem_at(g, nest_kinds[kind].bytes));
    }
    nest_keep(g, s, v);
}

/* A loop whose count is data: sums what it walks over, or searches it. */
void nest_walk(struct gen *g, struct scope *s) {
    bool search = nest_chance(g, 40);
    enum access_kind kind = nest_chance(g, 50) ? AS_U8 : AS_I32;
    struct ir_value *mask = nest_i32(g, nest_chance(g, 5) ? 0xffff : 15),
                    *count = nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), mask);
    struct ir_value *start =
        nest_op(g, IR_I32_ADD, nest_known(g, IR_I32, MEMORY / 2 + 256 * nest_below(g, 100)),
                nest_op(g, IR_I32_MUL, nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), nest_i32(g, 63)),
                        nest_i32(g, nest_kinds[kind].bytes)));
    struct ir_value *zero = nest_i32(g, 0), *init[3] = {start, zero, zero};
    enum ir_type type = IR_I32;
    nest_stamp(g);
    struct ir_inst *exit = ir_build_block(&g->b, &type, 1);
    struct ir_builder after = g->b;
    g->b = ir_builder_at_end(exit->regions[0]);
    nest_stamp(g);
    struct ir_inst *loop = ir_build_loop(&g->b, init, 3, NULL, 0);
    struct ir_builder behind = ir_builder_at_end(exit->regions[0]);
    ir_build(&behind, IR_UNREACHABLE, NULL, 0, NULL, 0);
    g->b = ir_builder_at_end(loop->regions[0]);
    struct ir_value **p = loop->regions[0]->params;
    struct ir_value *done = nest_op(g, IR_I32_GE_S, p[2], count);
    nest_stamp(g);
    ir_build_br_if(&g->b, done, exit, &p[1], 1);
    struct ir_value *v = nest_load_from(g, kind, p[0], (struct ir_mem){.stream = -1});
    if (search) {
        struct ir_value *hit = nest_op(g, IR_I32_EQZ, nest_op(g, IR_I32_AND, v, nest_i32(g, 7)), NULL);
        nest_stamp(g);
        ir_build_br_if(&g->b, hit, exit, &p[2], 1);
    }
    struct ir_value *next[3] = {nest_op(g, IR_I32_ADD, p[0], nest_i32(g, nest_kinds[kind].bytes)),
                                nest_op(g, IR_I32_ADD, p[1], v), nest_op(g, IR_I32_ADD, p[2], nest_i32(g, 1))};
    nest_stamp(g);
    ir_build_br(&g->b, loop, next, 3);
    g->b = after;
    nest_keep(g, s, &exit->results[0]);
}

/* A conversion that traps, seldom or often; or a plain trap behind a condition. */
void nest_may_trap(struct gen *g, struct scope *s) {
    if (nest_chance(g, 25)) {
        struct ir_value *c = nest_op(g, IR_I32_EQ, nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), nest_i32(g, 1023)),
                                     nest_i32(g, 1001));
        nest_stamp(g);
        struct ir_inst *i = ir_build_if(&g->b, c, NULL, 0);
        struct ir_builder then = ir_builder_at_end(i->regions[0]), other = ir_builder_at_end(i->regions[1]);
        then.wasm_offset = ++g->offset;
        ir_build(&then, IR_UNREACHABLE, NULL, 0, NULL, 0);
        ir_build_yield(&other, NULL, 0);
        return;
    }
    static const enum ir_op ops[] = {IR_I32_TRUNC_F32_S, IR_I32_TRUNC_F32_U, IR_I64_TRUNC_F32_S, IR_I64_TRUNC_F32_U};
    struct ir_value *x = nest_datum(g, s, IR_F32);
    if (nest_chance(g, 70))
        x = nest_op(g, IR_F32_CONVERT_I32_U, nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), nest_i32(g, 65535)),
                    NULL);
    nest_keep(g, s, nest_op(g, ops[nest_below(g, 4)], x, NULL));
}

void nest_do_load(struct gen *g, struct scope *s) {
    uint32_t a = nest_below(g, g->narrays);
    enum access_kind kind = g->arrays[a].kind;
    struct ir_value *p = nest_chance(g, 25) ? moved_address(g, s, a) : s->at[a];
    nest_keep(g, s, nest_load_from(g, kind, p, mem_at(g, nest_kinds[kind].bytes)));
}

/* A call, of a function that accesses an array's element, or one that only computes. */
void nest_call_helper(struct gen *g, struct scope *s) {
    uint32_t a = nest_below(g, g->narrays), helper = nest_below(g, HELPER_AGAIN);
    if (helper == HELPER_LEAK && nest_chance(g, 70))
        helper = HELPER_FRAME;
    bool pure = helper != HELPER_UPDATE && helper != HELPER_BOTH;
    enum ir_type i32 = IR_I32;
    struct ir_value *args[2] = {pure ? nest_datum(g, s, IR_I32) : s->at[a], nest_datum(g, s, IR_I32)};
    nest_stamp(g);
    struct ir_inst *c = ir_build(&g->b, IR_CALL, &i32, 1, args, 2);
    c->index = g->helpers + helper;
    nest_keep(g, s, c->results);
}

void nest_do_store(struct gen *g, struct scope *s) {
    uint32_t a = nest_below(g, g->narrays);
    for (int tries = 0; g->arrays[a].read_only && tries < 8; tries++)
        a = nest_below(g, g->narrays);
    enum access_kind kind = g->arrays[a].kind;
    struct ir_value *p = nest_chance(g, 5) ? moved_address(g, s, a) : s->at[a];
    struct ir_mem mem = nest_chance(g, 85) ? (struct ir_mem){.stream = -1} : mem_at(g, nest_kinds[kind].bytes);
    nest_store_to(g, s, kind, p, mem);
}
