/* Random loop nests, offloaded and launched, against the interpreter.
 *
 * A generated function holds one or two nests of depth 1 to 3.  Each nest works on a few arrays; an array has a base,
 * an element width and a stride for each depth, most of them such that iterations are independent, some not: bases
 * touch, overlap or lie at the end of memory, strides are too short, negative or zero.  Loops have every shape that
 * ir/analysis/loops.h names, any relation, step, counter width and trip count; addresses are strength-reduced pointers
 * or multiplied counters.  Bodies hold stores, loads, conditionals, table look-ups, clamps, merges, divisions,
 * accumulating and unrolled inner loops; every other function also gathers, lists, searches, loops with a count that is
 * data, and traps that depend on data.
 *
 * The result, memory and trap of the offloaded function must be those of the original, and no kernel may break the
 * rules that tests/unit/offload_fixture.h watches.
 *
 *     nests [COUNT [FIRST_SEED]] [--least=PERCENT]   the share of nests that must have been launched
 *     nests --print SEED                             the module, its report and its kernels
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/util/ice.h"
#include "tests/fuzz/nest_helpers.h"
#include "tests/unit/offload_fixture.h"

enum {
    PARAMS32 = 40,
    PARAMS64 = 8,
    RESULTS = 6,
    MAX_DEPTH = 3,
    MAX_ARRAYS = 4,
    MAX_CARRIED = MAX_ARRAYS + 5,
    MAX_VALUES = 24,
    MEMORY = 65536,
};

enum access_kind { AS_I32, AS_U8, AS_S8, AS_U16, AS_S16, AS_I64, AS_F32, ACCESS_KINDS };

static const struct {
    enum ir_op load, store;
    enum ir_type type;
    unsigned bytes;
} kinds[ACCESS_KINDS] = {
    [AS_I32] = {IR_I32_LOAD, IR_I32_STORE, IR_I32, 4},       [AS_U8] = {IR_I32_LOAD8_U, IR_I32_STORE8, IR_I32, 1},
    [AS_S8] = {IR_I32_LOAD8_S, IR_I32_STORE8, IR_I32, 1},    [AS_U16] = {IR_I32_LOAD16_U, IR_I32_STORE16, IR_I32, 2},
    [AS_S16] = {IR_I32_LOAD16_S, IR_I32_STORE16, IR_I32, 2}, [AS_I64] = {IR_I64_LOAD, IR_I64_STORE, IR_I64, 8},
    [AS_F32] = {IR_F32_LOAD, IR_F32_STORE, IR_F32, 4},
};

struct array {
    enum access_kind kind;
    uint32_t base;
    int32_t stride[MAX_DEPTH];
    bool pointer[MAX_DEPTH]; /* a pointer of its own in loops of that depth, else the counter is multiplied */
    bool through;            /* the outer loop goes on where the inner one stopped */
    bool read_only;
};

struct scope {                           /* inside one loop body */
    uint32_t depth;                      /* of the loops around: 0 in the function */
    struct ir_value *at[MAX_ARRAYS];     /* address of each array's element */
    struct ir_value *counter[MAX_DEPTH]; /* of the loops around, as i32 */
    struct ir_value *values[MAX_VALUES]; /* data */
    uint32_t nvalues;
    struct ir_inst *escape; /* a block around the innermost loop that may be left early */
};

struct gen {
    uint64_t state;
    struct ir_module *m;
    struct ir_func *f;
    struct ir_builder b, entry; /* entry: before all nests */
    uint32_t offset, used32, used64;
    union ir_bits args[PARAMS32 + PARAMS64];
    struct array arrays[MAX_ARRAYS];
    uint32_t narrays, depth; /* of this nest */
    uint32_t trip[MAX_DEPTH];
    uint64_t start[MAX_DEPTH], step[MAX_DEPTH]; /* of the loops around */
    struct ir_value *live[RESULTS];
    uint32_t nlive;
    int budget;       /* statements left */
    bool wild;        /* addresses, counts and traps that depend on data */
    uint32_t helpers; /* index of the first function of nest_helpers.h */
};

static uint32_t below(struct gen *g, uint32_t n) {
    return (uint32_t)(oft_random(&g->state) >> 33) % n;
}

static bool chance(struct gen *g, uint32_t percent) {
    return below(g, 100) < percent;
}

static int32_t between(struct gen *g, int32_t lo, int32_t hi) {
    return lo + (int32_t)below(g, (uint32_t)(hi - lo + 1));
}

static void stamp(struct gen *g) {
    g->b.wasm_offset = ++g->offset;
}

static struct ir_value *op(struct gen *g, enum ir_op o, struct ir_value *x, struct ir_value *y) {
    stamp(g);
    return ir_build_simple(&g->b, o, x, y);
}

static struct ir_value *i32(struct gen *g, uint32_t v) {
    stamp(g);
    return ir_build_i32(&g->b, v);
}

/* ---- numbers known before the nest ---- */

static struct ir_value *param(struct gen *g, enum ir_type type, uint64_t v) {
    uint32_t index = type == IR_I32 ? g->used32++ : PARAMS32 + g->used64++;
    g->args[index].i64 = type == IR_I32 ? (uint32_t)v : v;
    return g->f->body->params[index];
}

static struct ir_value *known(struct gen *g, enum ir_type type, uint64_t v) {
    struct ir_builder *e = &g->entry;
    e->wasm_offset = ++g->offset;
    bool wide = type == IR_I64, room = wide ? g->used64 < PARAMS64 : g->used32 < PARAMS32;
    if (!room || chance(g, 45))
        return wide ? ir_build_i64(e, v) : ir_build_i32(e, (uint32_t)v);
    uint32_t by = below(g, 64), shift = 1 + below(g, 3);
    switch (below(g, 4)) {
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
static struct ir_value *again(struct gen *g, uint32_t v) {
    if (chance(g, 75))
        return known(g, IR_I32, v);
    struct ir_value *stored = known(g, IR_I32, v);
    struct ir_builder *e = &g->entry;
    e->wasm_offset = ++g->offset;
    enum ir_type i32 = IR_I32;
    if (chance(g, 25)) {
        ir_build(e, IR_GLOBAL_SET, NULL, 0, &stored, 1);
        stamp(g);
        return ir_build(&g->b, IR_GLOBAL_GET, &i32, 1, NULL, 0)->results;
    }
    struct array *x = &g->arrays[below(g, g->narrays)];
    uint32_t place = chance(g, 85) ? 4 * below(g, 60) : x->base + 4 * below(g, 100);
    if (place >= MEMORY - 8)
        place = 4;
    struct ir_mem mem = {.stream = -1};
    ir_build_store(e, IR_I32_STORE, ir_build_i32(e, place), stored, mem);
    struct ir_value *at = known(g, IR_I32, place);
    if (chance(g, 20)) { /* through a pointer that is read again, too */
        uint32_t pointer = 4 * below(g, 60);
        ir_build_store(e, IR_I32_STORE, ir_build_i32(e, pointer), ir_build_i32(e, place), mem);
        stamp(g);
        at = ir_build_load(&g->b, IR_I32_LOAD, known(g, IR_I32, pointer), mem);
    }
    stamp(g);
    return ir_build_load(&g->b, IR_I32_LOAD, at, mem);
}

/* A condition that does not change in the nest. */
static struct ir_value *known_condition(struct gen *g) {
    struct ir_value *x = known(g, IR_I32, below(g, 3));
    struct ir_builder *e = &g->entry;
    e->wasm_offset = ++g->offset;
    switch (below(g, 3)) {
    case 0:
        return x;
    case 1:
        return ir_build_simple(e, IR_I32_EQZ, x, NULL);
    default:
        return ir_build_simple(e, IR_I32_GT_S, x, ir_build_i32(e, below(g, 2)));
    }
}

/* ---- data ---- */

static void keep(struct gen *g, struct scope *s, struct ir_value *v) {
    s->values[s->nvalues < MAX_VALUES ? s->nvalues++ : below(g, MAX_VALUES)] = v;
}

static struct ir_value *convert(struct gen *g, struct ir_value *v, enum ir_type to) {
    if (v->type == to)
        return v;
    if (to == IR_I32)
        return v->type == IR_I64   ? op(g, IR_I32_WRAP_I64, v, NULL)
               : v->type == IR_F32 ? op(g, IR_I32_TRUNC_SAT_F32_S, v, NULL)
                                   : NULL;
    if (to == IR_I64)
        return v->type == IR_I32 ? op(g, chance(g, 50) ? IR_I64_EXTEND_I32_S : IR_I64_EXTEND_I32_U, v, NULL)
                                 : op(g, IR_I64_TRUNC_SAT_F32_S, v, NULL);
    return op(g, v->type == IR_I32 ? IR_F32_CONVERT_I32_S : IR_F32_CONVERT_I64_S, v, NULL);
}

static struct ir_value *datum(struct gen *g, struct scope *s, enum ir_type type) {
    struct ir_value *v;
    if (s->nvalues && chance(g, 75))
        v = s->values[below(g, s->nvalues)];
    else if (s->depth && chance(g, 50))
        v = s->counter[below(g, s->depth)];
    else
        v = known(g, type == IR_I64 && chance(g, 50) ? IR_I64 : IR_I32, below(g, 1000));
    return convert(g, v, type);
}

static void compute(struct gen *g, struct scope *s) {
    static const enum ir_op ops[3][7] = {
        {IR_I32_ADD, IR_I32_SUB, IR_I32_MUL, IR_I32_XOR, IR_I32_AND, IR_I32_SHR_S, IR_I32_LT_S},
        {IR_I64_ADD, IR_I64_SUB, IR_I64_MUL, IR_I64_XOR, IR_I64_OR, IR_I64_SHR_U, IR_I64_ROTL},
        {IR_F32_ADD, IR_F32_SUB, IR_F32_MUL, IR_F32_MIN, IR_F32_MAX, IR_F32_DIV, IR_F32_MUL},
    };
    unsigned type = below(g, 3);
    struct ir_value *x = datum(g, s, (enum ir_type)type), *y = datum(g, s, (enum ir_type)type);
    keep(g, s, op(g, ops[type][below(g, 7)], x, y));
}

static void divide(struct gen *g, struct scope *s) {
    static const enum ir_op ops[] = {IR_I32_DIV_S, IR_I32_DIV_U, IR_I32_REM_S, IR_I32_REM_U};
    struct ir_value *x = chance(g, 20) ? known(g, IR_I32, 0x80000000) : datum(g, s, IR_I32), *y;
    if (chance(g, 60))
        y = known(g, IR_I32, 1 + below(g, 9));
    else if (chance(g, 90))
        y = known(g, IR_I32, (uint32_t)between(g, -1, chance(g, 50) ? 0 : 3));
    else
        y = datum(g, s, IR_I32);
    keep(g, s, op(g, ops[below(g, 4)], x, y));
}

/* NaNs become 0: their payloads are nobody's business. */
static struct ir_value *calm(struct gen *g, struct ir_value *v) {
    if (v->type != IR_F32)
        return v;
    struct ir_value *ok = op(g, IR_F32_EQ, v, v);
    stamp(g);
    struct ir_value *zero = ir_build_const(&g->b, IR_F32, (union ir_bits){.u64x2 = {0, 0}});
    return ir_build_select(&g->b, v, zero, ok);
}

/* ---- accesses ---- */

static struct ir_mem mem_at(struct gen *g, unsigned bytes) {
    return (struct ir_mem){.offset = chance(g, 30) ? bytes * below(g, 4) : 0, .stream = -1};
}

static struct ir_value *load_from(struct gen *g, enum access_kind kind, struct ir_value *address, struct ir_mem mem) {
    stamp(g);
    return ir_build_load(&g->b, kinds[kind].load, address, mem);
}

static void store_to(struct gen *g, struct scope *s, enum access_kind kind, struct ir_value *address,
                     struct ir_mem mem) {
    struct ir_value *v = calm(g, datum(g, s, kinds[kind].type));
    stamp(g);
    ir_build_store(&g->b, kinds[kind].store, address, v, mem);
}

/* An address near the array's element, sometimes one that depends on data. */
static struct ir_value *moved_address(struct gen *g, struct scope *s, uint32_t a) {
    struct ir_value *p = s->at[a];
    uint32_t bytes = kinds[g->arrays[a].kind].bytes;
    switch (below(g, 8)) {
    case 6: { /* index bits put together */
        struct ir_value *x = op(g, IR_I32_SHL, s->counter[s->depth - 1], i32(g, 3));
        return op(g, IR_I32_ADD, again(g, g->arrays[a].base), op(g, IR_I32_OR, x, i32(g, below(g, 9))));
    }
    case 7: { /* the outcome of a comparison */
        struct ir_value *c = op(g, chance(g, 50) ? IR_I32_LT_S : IR_I32_NE, datum(g, s, IR_I32), datum(g, s, IR_I32));
        return op(g, IR_I32_ADD, p, op(g, IR_I32_MUL, c, known(g, IR_I32, bytes * (1 + below(g, 3)))));
    }
    case 0: { /* table of 256 elements */
        struct ir_value *byte = load_from(g, AS_U8, s->at[below(g, g->narrays)], mem_at(g, 1));
        struct ir_value *from = known(g, IR_I32, 1024 * below(g, 60));
        return op(g, IR_I32_ADD, from, op(g, IR_I32_MUL, byte, i32(g, bytes)));
    }
    case 1: { /* clamped coordinate */
        struct ir_value *x = op(g, IR_I32_ADD, s->counter[s->depth - 1], i32(g, (uint32_t)between(g, -4, 4)));
        struct ir_value *low = known(g, IR_I32, (uint32_t)between(g, 0, 4));
        struct ir_value *high = known(g, IR_I32, 4 + below(g, 40));
        bool is_unsigned = chance(g, 15);
        struct ir_value *c = op(g, is_unsigned ? IR_I32_GT_U : IR_I32_GT_S, x, low);
        struct ir_value *raised = ir_build_select(&g->b, x, low, c);
        if (chance(g, 50)) {
            c = op(g, chance(g, 50) ? IR_I32_LT_S : IR_I32_LE_S, raised, high);
            x = ir_build_select(&g->b, raised, high, c);
        } else { /* as two ifs leave it: the comparison is with the number before it was raised */
            static const enum ir_op compare[4] = {IR_I32_LT_S, IR_I32_LE_S, IR_I32_GT_S, IR_I32_GE_S};
            struct ir_value *other = op(g, IR_I32_ADD, high, i32(g, (uint32_t)between(g, -2, 1)));
            struct ir_value *inner = chance(g, 80) ? raised : x;
            bool turned = chance(g, 30), swapped = chance(g, 30);
            c = op(g, compare[below(g, 4)], turned ? high : x, turned ? x : high);
            x = ir_build_select(&g->b, swapped ? other : inner, swapped ? inner : other, c);
        }
        return op(g, IR_I32_ADD, known(g, IR_I32, g->arrays[a].base), op(g, IR_I32_SHL, x, i32(g, 2)));
    }
    case 2: { /* one of two */
        struct ir_value *c = chance(g, 50) ? known_condition(g) : datum(g, s, IR_I32);
        struct ir_value *q = op(g, IR_I32_ADD, p, known(g, IR_I32, bytes * below(g, 3)));
        return ir_build_select(&g->b, p, q, c);
    }
    case 3: { /* one of several, through branches */
        enum ir_type type = IR_I32;
        struct ir_value *index = datum(g, s, IR_I32);
        struct ir_value *args[3] = {p, op(g, IR_I32_ADD, p, i32(g, bytes)), op(g, IR_I32_ADD, p, i32(g, 2 * bytes))};
        stamp(g);
        struct ir_inst *block = ir_build_block(&g->b, &type, 1);
        struct ir_inst *targets[3] = {block, block, block};
        struct ir_builder outer = g->b;
        g->b = ir_builder_at_end(block->regions[0]);
        stamp(g);
        ir_build_br_table(&g->b, index, targets, 3, args, 3);
        g->b = outer;
        return &block->results[0];
    }
    case 4: { /* masked */
        struct ir_value *x = op(g, IR_I32_AND, datum(g, s, IR_I32), i32(g, chance(g, 50) ? 31 : 56));
        return op(g, IR_I32_ADD, again(g, g->arrays[a].base), op(g, IR_I32_SHL, x, i32(g, 2)));
    }
    default:
        return op(g, IR_I32_ADD, p, again(g, (uint32_t)between(g, -2, 2) * bytes));
    }
}

/* An index that depends on data: mostly small, sometimes as it comes. */
static struct ir_value *wild_index(struct gen *g, struct scope *s) {
    struct ir_value *x = datum(g, s, IR_I32);
    switch (below(g, 8)) {
    case 0:
        return x;
    case 1: /* a hash */
        return op(g, IR_I32_SHR_U, op(g, IR_I32_MUL, x, i32(g, 2654435761u)), i32(g, 16 + below(g, 8)));
    case 2: /* a mask, computed so that no analysis sees it */
        return op(g, IR_I32_XOR, op(g, IR_I32_AND, x, known(g, IR_I32, 4095)), s->counter[s->depth - 1]);
    default:
        return op(g, IR_I32_REM_U, x, known(g, IR_I32, 1 + below(g, 1000)));
    }
}

/* table[index], or a list followed for a few steps. */
static void gather(struct gen *g, struct scope *s) {
    enum access_kind kind = (enum access_kind)below(g, ACCESS_KINDS);
    uint32_t a = below(g, g->narrays), table = chance(g, 20) ? g->arrays[a].base : MEMORY / 2 + 64 * below(g, 400);
    uint32_t steps = chance(g, 30) ? 1 + below(g, 2) : 0;
    struct ir_value *p = op(g, IR_I32_ADD, known(g, IR_I32, table),
                            op(g, IR_I32_MUL, wild_index(g, s), known(g, IR_I32, kinds[kind].bytes)));
    struct ir_value *v = load_from(g, kind, p, mem_at(g, kinds[kind].bytes));
    for (uint32_t k = 0; k < steps; k++) {
        struct ir_value *next = op(g, IR_I32_AND, convert(g, v, IR_I32), known(g, IR_I32, MEMORY - 16));
        v = load_from(g, kind, next, mem_at(g, kinds[kind].bytes));
    }
    keep(g, s, v);
}

/* A loop whose count is data: sums what it walks over, or searches it. */
static void walk(struct gen *g, struct scope *s) {
    bool search = chance(g, 40);
    enum access_kind kind = chance(g, 50) ? AS_U8 : AS_I32;
    struct ir_value *mask = i32(g, chance(g, 5) ? 0xffff : 15), *count = op(g, IR_I32_AND, datum(g, s, IR_I32), mask);
    struct ir_value *start =
        op(g, IR_I32_ADD, known(g, IR_I32, MEMORY / 2 + 256 * below(g, 100)),
           op(g, IR_I32_MUL, op(g, IR_I32_AND, datum(g, s, IR_I32), i32(g, 63)), i32(g, kinds[kind].bytes)));
    struct ir_value *zero = i32(g, 0), *init[3] = {start, zero, zero};
    enum ir_type type = IR_I32;
    stamp(g);
    struct ir_inst *exit = ir_build_block(&g->b, &type, 1);
    struct ir_builder after = g->b;
    g->b = ir_builder_at_end(exit->regions[0]);
    stamp(g);
    struct ir_inst *loop = ir_build_loop(&g->b, init, 3, NULL, 0);
    struct ir_builder behind = ir_builder_at_end(exit->regions[0]);
    ir_build(&behind, IR_UNREACHABLE, NULL, 0, NULL, 0);
    g->b = ir_builder_at_end(loop->regions[0]);
    struct ir_value **p = loop->regions[0]->params;
    struct ir_value *done = op(g, IR_I32_GE_S, p[2], count);
    stamp(g);
    ir_build_br_if(&g->b, done, exit, &p[1], 1);
    struct ir_value *v = load_from(g, kind, p[0], (struct ir_mem){.stream = -1});
    if (search) {
        struct ir_value *hit = op(g, IR_I32_EQZ, op(g, IR_I32_AND, v, i32(g, 7)), NULL);
        stamp(g);
        ir_build_br_if(&g->b, hit, exit, &p[2], 1);
    }
    struct ir_value *next[3] = {op(g, IR_I32_ADD, p[0], i32(g, kinds[kind].bytes)), op(g, IR_I32_ADD, p[1], v),
                                op(g, IR_I32_ADD, p[2], i32(g, 1))};
    stamp(g);
    ir_build_br(&g->b, loop, next, 3);
    g->b = after;
    keep(g, s, &exit->results[0]);
}

/* A conversion that traps, seldom or often; or a plain trap behind a condition. */
static void may_trap(struct gen *g, struct scope *s) {
    if (chance(g, 25)) {
        struct ir_value *c = op(g, IR_I32_EQ, op(g, IR_I32_AND, datum(g, s, IR_I32), i32(g, 1023)), i32(g, 1001));
        stamp(g);
        struct ir_inst *i = ir_build_if(&g->b, c, NULL, 0);
        struct ir_builder then = ir_builder_at_end(i->regions[0]), other = ir_builder_at_end(i->regions[1]);
        then.wasm_offset = ++g->offset;
        ir_build(&then, IR_UNREACHABLE, NULL, 0, NULL, 0);
        ir_build_yield(&other, NULL, 0);
        return;
    }
    static const enum ir_op ops[] = {IR_I32_TRUNC_F32_S, IR_I32_TRUNC_F32_U, IR_I64_TRUNC_F32_S, IR_I64_TRUNC_F32_U};
    struct ir_value *x = datum(g, s, IR_F32);
    if (chance(g, 70))
        x = op(g, IR_F32_CONVERT_I32_U, op(g, IR_I32_AND, datum(g, s, IR_I32), i32(g, 65535)), NULL);
    keep(g, s, op(g, ops[below(g, 4)], x, NULL));
}

static void do_load(struct gen *g, struct scope *s) {
    uint32_t a = below(g, g->narrays);
    enum access_kind kind = g->arrays[a].kind;
    struct ir_value *p = chance(g, 25) ? moved_address(g, s, a) : s->at[a];
    keep(g, s, load_from(g, kind, p, mem_at(g, kinds[kind].bytes)));
}

/* A call, of a function that accesses an array's element, or one that only computes. */
static void call_helper(struct gen *g, struct scope *s) {
    uint32_t a = below(g, g->narrays), helper = below(g, HELPERS);
    bool pure = helper == HELPER_CHOOSE || helper == HELPER_COUNT;
    enum ir_type i32 = IR_I32;
    struct ir_value *args[2] = {pure ? datum(g, s, IR_I32) : s->at[a], datum(g, s, IR_I32)};
    stamp(g);
    struct ir_inst *c = ir_build(&g->b, IR_CALL, &i32, 1, args, 2);
    c->index = g->helpers + helper;
    keep(g, s, c->results);
}

static void do_store(struct gen *g, struct scope *s) {
    uint32_t a = below(g, g->narrays);
    for (int tries = 0; g->arrays[a].read_only && tries < 8; tries++)
        a = below(g, g->narrays);
    enum access_kind kind = g->arrays[a].kind;
    struct ir_value *p = chance(g, 5) ? moved_address(g, s, a) : s->at[a];
    struct ir_mem mem = chance(g, 85) ? (struct ir_mem){.stream = -1} : mem_at(g, kinds[kind].bytes);
    store_to(g, s, kind, p, mem);
}

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
                return op(g, pairs[k][!side], y, x);
    return op(g, o, x, y);
}

/* Counter, relation and bound for `trip` iterations. */
static void choose_count(struct gen *g, struct nested *l) {
    static const enum ir_op up[2][5] = {{IR_I32_NE, IR_I32_LT_S, IR_I32_LT_U, IR_I32_LE_S, IR_I32_LE_U},
                                        {IR_I64_NE, IR_I64_LT_S, IR_I64_LT_U, IR_I64_LE_S, IR_I64_LE_U}};
    static const enum ir_op down[2][5] = {{IR_I32_NE, IR_I32_GT_S, IR_I32_GT_U, IR_I32_GE_S, IR_I32_GE_U},
                                          {IR_I64_NE, IR_I64_GT_S, IR_I64_GT_U, IR_I64_GE_S, IR_I64_GE_U}};
    bool wide = chance(g, 15), top = l->shape == TOP_BREAK || l->shape == TOP_IF;
    l->counter_type = wide ? IR_I64 : IR_I32;
    int64_t step = chance(g, 60) ? 1 : between(g, 1, 8);
    bool downwards = chance(g, 35);
    int64_t n = l->trip, start = chance(g, 50) ? 0 : between(g, -20, 300);
    unsigned rel = below(g, 5);
    bool or_equal = rel >= 3, is_unsigned = rel == 2 || rel == 4;
    l->test_current = !top && chance(g, 15);
    if (downwards) {
        start = chance(g, 60) ? step * n : start + step * n;
        step = -step;
    }
    if (is_unsigned && (start < 0 || start + step * (n + 1) < 0))
        start += 4000;
    /* The tested value that fails, and the one before it. */
    int64_t stop = start + step * (top ? n : l->test_current ? n - 1 : n), near = stop - step;
    int64_t slack = step > 0 ? below(g, (uint32_t)step) : -(int64_t)below(g, (uint32_t)-step);
    l->bound = (uint64_t)(rel == 0 ? stop : or_equal ? near + slack : stop - slack);
    l->compare = (downwards ? down : up)[wide][rel];
    l->start = (uint64_t)start;
    l->step = (uint64_t)step;
    if (chance(g, 2))
        l->bound += (uint64_t)(int64_t)between(g, -3, 3);
    l->swap = chance(g, 25);
    l->negate = chance(g, 25);
}

static struct ir_value *counter_number(struct gen *g, const struct nested *l, uint64_t v) {
    return known(g, l->counter_type, v);
}

static struct ir_value *test(struct gen *g, struct nested *l, struct ir_value *counter, bool to_exit) {
    struct ir_value *bound = l->bound_value                               ? l->bound_value
                             : l->counter_type == IR_I32 && chance(g, 20) ? again(g, (uint32_t)l->bound)
                                                                          : counter_number(g, l, l->bound);
    bool zero = !l->bound_value && l->bound == 0 && (l->compare == IR_I32_NE) && !l->negate;
    if (zero)
        return to_exit ? op(g, IR_I32_EQZ, counter, NULL) : counter;
    struct ir_value *c = l->swap ? mirrored(g, l->compare, counter, bound) : op(g, l->compare, counter, bound);
    bool invert = to_exit;
    if (l->negate && !invert)
        c = op(g, IR_I32_EQZ, op(g, IR_I32_EQZ, c, NULL), NULL);
    return invert ? op(g, IR_I32_EQZ, c, NULL) : c;
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
        stamp(g);
        struct ir_value *c = l->guard_value ? l->guard_value : op(g, IR_I32_NE, known(g, IR_I32, l->trip), i32(g, 0));
        l->guard = ir_build_if(&g->b, c, types, n);
        l->after_guard = g->b;
        g->b = ir_builder_at_end(l->guard->regions[0]);
        stamp(g);
    }
    bool breaks = l->shape == BOTTOM_BREAK || l->shape == TOP_BREAK;
    if (breaks) {
        stamp(g);
        l->exit = ir_build_block(&g->b, types, n);
        l->after = g->b;
        g->b = ir_builder_at_end(l->exit->regions[0]);
    }
    stamp(g);
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
        stamp(g);
        ir_build_br_if(&g->b, c, l->exit, values, n);
    } else if (l->shape == TOP_IF) {
        bool inverted = chance(g, 30);
        struct ir_value *c = test(g, l, l->cur[0], inverted);
        stamp(g);
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
    l->next[0] = op(g, wide ? IR_I64_ADD : IR_I32_ADD, l->cur[0], step);
    struct ir_value *tested = l->test_current ? l->cur[0] : l->next[0];
    uint32_t n = live_values(l, true, values);
    switch (l->shape) {
    case BOTTOM_YIELD: {
        struct ir_value *c = test(g, l, tested, false);
        stamp(g);
        ir_build_br_if(&g->b, c, l->loop, l->next, l->n);
        ir_build_yield(&g->b, values, n);
        break;
    }
    case BOTTOM_IF: {
        enum ir_type types[MAX_CARRIED];
        (void)live_types(l, types);
        bool inverted = chance(g, 40);
        struct ir_value *c = test(g, l, tested, inverted);
        stamp(g);
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
        stamp(g);
        ir_build_br_if(&g->b, c, l->exit, values, n);
        ir_build_br(&g->b, l->loop, l->next, l->n);
        break;
    }
    default:
        stamp(g);
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

static void body(struct gen *g, struct scope *s, uint32_t statements);

static uint32_t choose_trip(struct gen *g, uint32_t depth) {
    static const uint32_t most[MAX_DEPTH] = {48, 14, 7};
    switch (below(g, 12)) {
    case 0:
        return below(g, 3);
    case 1:
        return depth == 0 ? 100 + below(g, 100) : 1 + below(g, 40);
    default:
        return 2 + below(g, most[depth]);
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
        struct ir_value *c = convert(g, l->cur[0], IR_I32);
        struct ir_value *moved = factor == 4 && chance(g, 50)
                                     ? op(g, IR_I32_SHL, c, i32(g, 2))
                                     : op(g, IR_I32_MUL, c, known(g, IR_I32, (uint32_t)factor));
        uint32_t back = 0u - (uint32_t)l->start * (uint32_t)factor;
        if (back)
            moved = op(g, IR_I32_ADD, moved, known(g, IR_I32, back));
        inner->at[a] = op(g, IR_I32_ADD, outer->at[a], moved);
    }
}

/* Makes the count of an inner loop linear in the counter of a loop around: a triangle or a trapezoid, up or down, in
 * steps of one or (an unrolled loop's rounds) two. */
static void make_triangle(struct gen *g, struct nested *l, const struct scope *s) {
    static const enum ir_op up[] = {IR_I32_NE, IR_I32_NE, IR_I32_LT_S, IR_I32_LT_U};
    static const enum ir_op down[] = {IR_I32_NE, IR_I32_NE, IR_I32_GT_S, IR_I32_GT_U};
    uint32_t o = below(g, s->depth);
    struct ir_value *t = op(g, IR_I32_SUB, s->counter[o], known(g, IR_I32, (uint32_t)g->start[o]));
    if ((int64_t)g->step[o] < 0)
        t = op(g, IR_I32_SUB, i32(g, 0), t);
    if (chance(g, 40))
        t = op(g, IR_I32_ADD, t, known(g, IR_I32, below(g, 4)));
    else if (chance(g, 25))
        t = op(g, IR_I32_SUB, known(g, IR_I32, below(g, 60)), t);
    bool downwards = chance(g, 40), twos = chance(g, 20), top = l->shape == TOP_BREAK || l->shape == TOP_IF;
    struct ir_value *whole = t;
    if (twos)
        t = op(g, IR_I32_AND, t, i32(g, UINT32_MAX - 1));
    l->counter_type = IR_I32;
    l->compare = (downwards ? down : up)[below(g, 4)];
    l->step = (uint64_t)(int64_t)((downwards ? -1 : 1) * (twos ? 2 : 1));
    l->start = l->bound = 0;
    *(downwards ? &l->start_value : &l->bound_value) = t;
    l->guarded = l->test_current = false;
    l->varies = true;
    if (!top && (l->compare == IR_I32_NE || chance(g, 60))) {
        static const enum ir_op tests[] = {IR_I32_GT_S, IR_I32_GT_S, IR_I32_NE};
        l->guarded = true;
        l->guard_value = twos ? op(g, chance(g, 50) ? IR_I32_GT_S : IR_I32_GE_U, whole, i32(g, chance(g, 50) ? 1 : 2))
                              : op(g, tests[below(g, 3)], t, i32(g, 0));
    }
}

static void gen_loop(struct gen *g, struct scope *s) {
    uint32_t d = s->depth;
    bool innermost = d + 1 == g->depth;
    struct nested l = {.shape = (enum shape)below(g, SHAPES), .trip = g->trip[d]};
    if (d && chance(g, 15))
        l.trip = choose_trip(g, d);
    bool bottom = l.shape < TOP_BREAK;
    choose_count(g, &l);
    l.guarded = (bottom && l.trip == 0) || chance(g, 15);
    if (d && chance(g, 5)) { /* a triangle */
        l.shape = chance(g, 50) ? TOP_BREAK : TOP_IF;
        l.counter_type = IR_I32;
        l.start = 0;
        l.step = 1;
        l.compare = IR_I32_LT_S;
        l.guarded = l.test_current = false;
        l.bound_value = op(g, IR_I32_AND, s->counter[d - 1], i32(g, 15));
    } else if (d && chance(g, 12)) {
        make_triangle(g, &l, s);
    }
    g->start[d] = l.start;
    g->step[d] = l.step;

    struct scope inner = *s;
    struct ir_inst *escape = NULL;
    struct ir_builder after_escape = g->b;
    if (chance(g, d ? 5 : 2)) {
        stamp(g);
        escape = ir_build_block(&g->b, NULL, 0);
        after_escape = g->b;
        g->b = ir_builder_at_end(escape->regions[0]);
    }
    inner.escape = escape;
    carry(&l, l.start_value ? l.start_value : counter_number(g, &l, l.start));
    int carried[MAX_ARRAYS];
    for (uint32_t a = 0; a < g->narrays; a++) {
        bool divisible = g->arrays[a].stride[d] % (int32_t)l.step == 0;
        carried[a] = g->arrays[a].pointer[d] || !divisible ? (int)carry(&l, s->at[a]) : -1;
    }
    int acc = -1;
    if (chance(g, d ? 40 : 3))
        acc = (int)carry(&l, datum(g, s, (enum ir_type)below(g, 3)));
    int late = -1, later = -1; /* what a load gave one iteration ago, and two */
    uint32_t from = below(g, g->narrays);
    if (chance(g, 15) && kinds[g->arrays[from].kind].type == IR_I32) {
        late = (int)carry(&l, datum(g, s, IR_I32));
        if (chance(g, 30))
            later = (int)carry(&l, datum(g, s, IR_I32));
    }
    for (uint32_t k = 0; k < l.n && !escape; k++) {
        l.live[k] = chance(g, (int)k == acc ? 90 : 25);
        l.live_next[k] = chance(g, 70);
    }
    for (uint32_t a = 0; a < g->narrays && !escape; a++)
        if (carried[a] >= 0 && g->arrays[a].through)
            l.live[carried[a]] = l.live_next[carried[a]] = true;

    loop_open(g, &l);
    inner.depth = d + 1;
    inner.counter[d] = convert(g, l.cur[0], IR_I32);
    enter_arrays(g, &l, s, &inner, carried);
    if (acc >= 0 && chance(g, 30))
        keep(g, &inner, l.cur[acc]);
    if (late >= 0) {
        keep(g, &inner, l.cur[late]);
        l.next[late] = load_from(g, g->arrays[from].kind, inner.at[from], (struct ir_mem){.stream = -1});
        keep(g, &inner, l.next[late]);
    }
    if (later >= 0) {
        keep(g, &inner, l.cur[later]);
        l.next[later] = l.cur[late];
    }
    struct ir_value *before[MAX_ARRAYS];
    memcpy(before, inner.at, sizeof before);
    body(g, &inner, innermost ? 2 + below(g, 4) : 1 + below(g, 3));
    for (uint32_t a = 0; a < g->narrays; a++) {
        if (carried[a] < 0)
            continue;
        /* A `through` array: what the loops inside have left in at[a], which may be behind the element. */
        bool through = inner.at[a] != before[a];
        int32_t step = g->arrays[a].stride[d];
        if (through)
            step = (int32_t)((uint32_t)step - g->trip[d + 1] * (uint32_t)g->arrays[a].stride[d + 1]);
        struct ir_value *from = through ? inner.at[a] : l.cur[carried[a]];
        l.next[carried[a]] = op(g, IR_I32_ADD, from, known(g, IR_I32, (uint32_t)step));
    }
    if (acc >= 0) {
        static const enum ir_op add[] = {IR_I32_ADD, IR_I64_ADD, IR_F32_ADD};
        enum ir_type type = l.init[acc]->type;
        l.next[acc] = chance(g, 95) ? op(g, add[type], l.cur[acc], datum(g, &inner, type))
                                    : op(g, IR_I32_XOR + 0 * (int)type, convert(g, l.cur[acc], IR_I32), i32(g, 1));
        l.next[acc] = convert(g, l.next[acc], type);
    }
    loop_close(g, &l);
    if (escape) {
        stamp(g);
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
        if (!d && l.out[k]->type != IR_F32 && g->nlive < RESULTS)
            g->live[g->nlive++] = convert(g, l.out[k], IR_I32);
        else if (d && !pointer)
            keep(g, s, l.out[k]);
    }
}

/* The producer's unrolled loop: `factor` bodies a turn, then one at a time. */
static void gen_unrolled(struct gen *g, struct scope *s) {
    uint32_t d = s->depth, factor = chance(g, 50) ? 2 : 4, n = 1 + below(g, 19), a = below(g, g->narrays);
    uint32_t b = below(g, g->narrays);
    struct ir_value *at[2] = {s->at[a], s->at[b]}, *acc = datum(g, s, IR_I32);
    bool accumulate = chance(g, 50);
    struct ir_value *count = known(g, IR_I32, n);
    enum ir_type types[3] = {IR_I32, IR_I32, IR_I32};
    struct ir_builder *e = &g->entry;
    struct ir_value *many = ir_build_simple(e, IR_I32_AND, count, ir_build_i32(e, -factor));
    struct ir_value *rest = ir_build_simple(e, IR_I32_AND, count, ir_build_i32(e, factor - 1));
    for (int part = 0; part < 2; part++) {
        uint32_t bodies = part ? 1 : factor;
        stamp(g);
        struct ir_inst *guard = ir_build_if(&g->b, part ? rest : many, types, 3);
        struct ir_builder after = g->b, other = ir_builder_at_end(guard->regions[1]);
        ir_build_yield(&other, (struct ir_value *[]){at[0], at[1], acc}, 3);
        g->b = ir_builder_at_end(guard->regions[0]);
        stamp(g);
        struct ir_value *init[4] = {part ? rest : many, at[0], at[1], acc};
        struct ir_inst *loop = ir_build_loop(&g->b, init, 4, types, 3);
        struct ir_builder behind = g->b;
        g->b = ir_builder_at_end(loop->regions[0]);
        struct ir_value **p = loop->regions[0]->params, *sum = p[3];
        enum access_kind from = g->arrays[a].kind, to = g->arrays[b].kind;
        struct scope inner = *s;
        for (uint32_t u = 0; u < bodies; u++) {
            int32_t ahead_a = (int32_t)u * g->arrays[a].stride[d], ahead_b = (int32_t)u * g->arrays[b].stride[d];
            bool folded = ahead_a >= 0 && chance(g, 60);
            struct ir_value *q = folded ? p[1] : op(g, IR_I32_ADD, p[1], i32(g, (uint32_t)ahead_a));
            struct ir_value *v =
                load_from(g, from, q, (struct ir_mem){.offset = folded ? (uint64_t)ahead_a : 0, .stream = -1});
            keep(g, &inner, v);
            if (accumulate)
                sum = op(g, IR_I32_ADD, sum, convert(g, v, IR_I32));
            else
                store_to(g, &inner, to, op(g, IR_I32_ADD, p[2], i32(g, (uint32_t)ahead_b)),
                         (struct ir_mem){.stream = -1});
        }
        struct ir_value *next[4] = {op(g, IR_I32_SUB, p[0], i32(g, bodies)),
                                    op(g, IR_I32_ADD, p[1], i32(g, bodies * (uint32_t)g->arrays[a].stride[d])),
                                    op(g, IR_I32_ADD, p[2], i32(g, bodies * (uint32_t)g->arrays[b].stride[d])), sum};
        stamp(g);
        ir_build_br_if(&g->b, next[0], loop, next, 4);
        ir_build_yield(&g->b, next + 1, 3);
        g->b = behind;
        ir_build_yield(&g->b, (struct ir_value *[]){&loop->results[0], &loop->results[1], &loop->results[2]}, 3);
        g->b = after;
        at[0] = &guard->results[0];
        at[1] = &guard->results[1];
        acc = &guard->results[2];
    }
    keep(g, s, acc);
}

static struct ir_value *any_condition(struct gen *g, struct scope *s) {
    if (chance(g, 35))
        return known_condition(g);
    if (chance(g, 40))
        return op(g, IR_I32_LT_S, s->counter[below(g, s->depth)], known(g, IR_I32, below(g, 40)));
    return op(g, IR_I32_LT_S, datum(g, s, IR_I32), known(g, IR_I32, below(g, 200)));
}

static void conditional(struct gen *g, struct scope *s) {
    struct ir_value *c = any_condition(g, s);
    struct scope inner = *s;
    stamp(g);
    if (chance(g, 60)) {
        enum ir_type type = IR_I32;
        bool result = chance(g, 40);
        struct ir_inst *i = ir_build_if(&g->b, c, &type, result);
        struct ir_builder after = g->b;
        for (unsigned side = 0; side < 2; side++) {
            inner = *s;
            g->b = ir_builder_at_end(i->regions[side]);
            if (side == 0 || chance(g, 40))
                body(g, &inner, 1 + below(g, 2));
            struct ir_value *v = result ? datum(g, &inner, IR_I32) : NULL;
            stamp(g);
            ir_build_yield(&g->b, &v, result);
        }
        g->b = after;
        if (result)
            keep(g, s, &i->results[0]);
        return;
    }
    struct ir_inst *block = ir_build_block(&g->b, NULL, 0);
    struct ir_builder after = g->b;
    g->b = ir_builder_at_end(block->regions[0]);
    stamp(g);
    ir_build_br_if(&g->b, c, block, NULL, 0);
    body(g, &inner, 1 + below(g, 2));
    stamp(g);
    ir_build_yield(&g->b, NULL, 0);
    g->b = after;
}

static void statement(struct gen *g, struct scope *s) {
    uint32_t what = below(g, 100);
    if (g->wild && chance(g, 25)) {
        uint32_t which = below(g, 10);
        if (which < 5)
            gather(g, s);
        else if (which < 8)
            walk(g, s);
        else
            may_trap(g, s);
        return;
    }
    if (what < 32)
        do_store(g, s);
    else if (what < 56)
        do_load(g, s);
    else if (what < 74)
        compute(g, s);
    else if (what < 86)
        conditional(g, s);
    else if (what < 90)
        divide(g, s);
    else if (what < 95 && s->depth < MAX_DEPTH)
        gen_unrolled(g, s);
    else if (what < 98)
        call_helper(g, s);
    else
        compute(g, s);
}

static void leave_early(struct gen *g, struct scope *s) {
    struct ir_value *c = op(g, IR_I32_EQ, datum(g, s, IR_I32), known(g, IR_I32, below(g, 60)));
    stamp(g);
    ir_build_br_if(&g->b, c, s->escape, NULL, 0);
}

static void body(struct gen *g, struct scope *s, uint32_t statements) {
    uint32_t loop_at = below(g, statements), again_at = below(g, 4 * statements);
    bool loop_here = s->depth < g->depth;
    for (uint32_t k = 0; k < statements && g->budget-- > 0; k++) {
        if (loop_here && (k == loop_at || k == again_at))
            gen_loop(g, s);
        else if (!loop_here || !chance(g, 60)) /* often nothing beside the inner loop */
            statement(g, s);
    }
    if (s->escape && chance(g, 50))
        leave_early(g, s);
    if (!loop_here && chance(g, 70))
        do_store(g, s);
}

/* ---- arrays ---- */

static void choose_arrays(struct gen *g) {
    g->narrays = 1 + below(g, MAX_ARRAYS);
    uint32_t next = 256 + 8 * below(g, 100);
    for (uint32_t a = 0; a < g->narrays; a++) {
        struct array *x = &g->arrays[a];
        *x = (struct array){.kind = chance(g, 50) ? AS_I32 : (enum access_kind)below(g, ACCESS_KINDS)};
        uint32_t bytes = kinds[x->kind].bytes, reach = bytes;
        bool columns = chance(g, 15);
        for (uint32_t k = 0; k < MAX_DEPTH; k++) {
            uint32_t d = columns ? k : MAX_DEPTH - 1 - k;
            if (d >= g->depth) {
                x->stride[d] = (int32_t)bytes; /* used by unrolled loops below the nest */
                continue;
            }
            uint32_t trips = g->trip[d] ? g->trip[d] : 1, stride = reach;
            if (chance(g, 10))
                stride += bytes * below(g, 5);
            x->stride[d] = chance(g, 12) ? -(int32_t)stride : (int32_t)stride;
            if (chance(g, 4))
                x->stride[d] = between(g, -16, 16);
            if (chance(g, 1)) /* comes round */
                x->stride[d] = (int32_t)(UINT32_C(1) << (28 + below(g, 3))) + (chance(g, 50) ? (int32_t)bytes : 0);
            reach = stride * trips;
            x->pointer[d] = chance(g, 60);
        }
        x->through = chance(g, 15);
        x->read_only = a > 0 && chance(g, 60);
        uint32_t low = next;
        for (uint32_t d = 0; d < g->depth; d++)
            if (x->stride[d] < 0)
                low += (0u - (uint32_t)x->stride[d]) * g->trip[d];
        x->base = low;
        switch (below(g, 14)) {
        case 0: /* in place, or overlapping */
            if (a)
                x->base = g->arrays[a - 1].base + (chance(g, 50) ? 0 : bytes * below(g, 9));
            break;
        case 1: /* at the end of memory */
            x->base = MEMORY - (reach < MEMORY ? reach : MEMORY) + (chance(g, 50) ? 0 : below(g, 64));
            break;
        case 2:
            x->base += below(g, 8);
            break;
        case 3:
            if (chance(g, 20))
                x->base = 0u - below(g, 200);
            break;
        default:
            break;
        }
        next += reach + 64 + 8 * below(g, 40);
        if (next > MEMORY / 2)
            next = 256 + below(g, 4096);
    }
    if (chance(g, 8)) /* the fields of one array of structures */
        for (uint32_t a = 0; a < g->narrays; a++) {
            struct array *x = &g->arrays[a];
            for (uint32_t d = 0; d < g->depth; d++)
                x->stride[d] = (int32_t)((uint32_t)(g->arrays[0].stride[d] / (int32_t)kinds[g->arrays[0].kind].bytes) *
                                         8 * g->narrays);
            x->base = g->arrays[0].base + 8 * a;
            x->read_only = false;
        }
    for (uint32_t a = 0; a < g->narrays; a++)
        for (uint32_t d = 0; d < MAX_DEPTH; d++)
            if (g->arrays[a].stride[d] == INT32_MIN) /* cannot be divided by a step of -1 */
                g->arrays[a].stride[d] = 0;
}

static void gen_nest(struct gen *g) {
    g->depth = 1 + below(g, MAX_DEPTH);
    for (uint32_t d = 0; d < MAX_DEPTH; d++)
        g->trip[d] = choose_trip(g, d);
    choose_arrays(g);
    struct scope s = {0};
    for (uint32_t a = 0; a < g->narrays; a++) {
        s.at[a] = known(g, IR_I32, g->arrays[a].base);
        if (g->nlive && chance(g, 30)) /* where an earlier nest has stopped */
            s.at[a] = g->live[below(g, g->nlive)];
    }
    g->budget = 24;
    gen_loop(g, &s);
}

/* The module of a seed; *out_args (PARAMS32 + PARAMS64 of them) what to call it with. */
static struct ir_module *generate(uint64_t seed, union ir_bits *out_args) {
    struct gen g = {.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    (void)oft_random(&g.state);
    enum ir_type params[PARAMS32 + PARAMS64], results[RESULTS];
    for (uint32_t k = 0; k < PARAMS32 + PARAMS64; k++)
        params[k] = k < PARAMS32 ? IR_I32 : IR_I64;
    for (uint32_t k = 0; k < RESULTS; k++)
        results[k] = IR_I32;
    struct ir_sig sig = {PARAMS32 + PARAMS64, RESULTS, params, results};
    g.m = ir_module_new();
    struct arena *a = &g.m->arena;
    g.m->memories = arena_new(a, struct ir_memory);
    g.m->memories[0].limits = (struct ir_limits){.min = 1};
    g.m->nmemories = 1;
    g.f = ir_func_new(g.m, "nest", &sig);
    g.f->type = 0;
    g.m->types = arena_array(a, struct ir_sig, 2);
    g.m->types[0] = g.f->sig;
    enum ir_type *i32s = arena_array(a, enum ir_type, 2);
    i32s[0] = i32s[1] = IR_I32;
    g.m->types[1] = (struct ir_sig){2, 1, i32s, i32s};
    g.m->ntypes = 2;
    g.m->globals = arena_new(a, struct ir_global);
    g.m->globals[0] = (struct ir_global){.type = IR_I32, .mutable_ = true, .init.op = IR_I32_CONST};
    g.m->nglobals = 1;
    g.m->funcs = arena_new(a, struct ir_func_entry);
    g.m->funcs[0].func = g.f;
    g.m->nfuncs = 1;
    g.helpers = nest_helpers_add(g.m, 1, &g.offset);

    uint32_t nests = 1 + chance(&g, 30);
    g.wild = chance(&g, 50);
    g.b = ir_builder_at_end(g.f->body);
    for (uint32_t k = 0; k < nests; k++) {
        struct ir_value *mark = i32(&g, k);
        g.entry = ir_builder_before(mark->def);
        gen_nest(&g);
    }
    while (g.nlive < RESULTS)
        g.live[g.nlive++] = i32(&g, 7);
    stamp(&g);
    ir_build_return(&g.b, g.live, RESULTS);
    memcpy(out_args, g.args, sizeof g.args);
    return g.m;
}

static void fill_memory(uint64_t seed, uint8_t *memory) {
    uint64_t state = seed * 2 + 1;
    for (uint32_t k = 0; k < MEMORY; k += 8) {
        uint64_t x = oft_random(&state);
        memcpy(memory + k, &x, 8);
        if (x & 1) /* small numbers, and floats that stay finite for a while */
            memory[k] = memory[k + 1] = memory[k + 2] = memory[k + 3] = 0;
    }
}

/* ---- the program ---- */

struct totals {
    uint64_t nests, launched, launches, inspected, inspections, points, unfinished, trapped, failed;
    uint64_t fallbacks[WM_FALLBACK_COUNT], rejects[OFF_REJECT_COUNT];
};

static void run_seed(uint64_t seed, bool print, struct totals *sum) {
    static uint8_t memory[MEMORY];
    union ir_bits args[PARAMS32 + PARAMS64];
    struct ir_module *m = generate(seed, args);
    struct oft t;
    struct oft_outcome plain = {0};
    fill_memory(seed, memory);
    bool ok = oft_init_module(&t, m);
    t.fuel = 400000;
    t.random = seed + 99;
    t.aligned = seed % 8 == 0;
    struct strbuf text = {0};
    if (ok && print)
        oft_print(&t, &text);
    ok = ok && oft_run(&t, 0, args, memory, MEMORY, &plain);
    for (uint32_t i = 0; i < t.report.nloops; i++)
        sum->rejects[t.report.loops[i].verdict]++;
    for (unsigned k = 0; k < WM_FALLBACK_COUNT; k++)
        sum->fallbacks[k] += t.fallbacks[k];
    sum->nests++;
    sum->launched += t.launches != 0;
    sum->launches += t.launches;
    sum->inspected += t.inspections && t.launches && t.inspections > t.fallbacks[WM_FALLBACK_INSPECTED];
    sum->inspections += t.inspections;
    sum->points += t.points;
    sum->unfinished += plain.trap.code == IR_TRAP_INTERRUPT;
    sum->trapped += plain.trap.code && plain.trap.code != IR_TRAP_INTERRUPT;
    if (print) {
        struct strbuf original = {0};
        ir_print_module(&original, m);
        fwrite(original.data, 1, original.len, stdout);
        printf("; ======== offloaded\n");
        fwrite(text.data, 1, text.len, stdout);
        for (uint32_t k = 0; k < PARAMS32 + PARAMS64; k++)
            printf("; arg %u = %" PRId64 "\n", k, k < PARAMS32 ? (int64_t)(int32_t)args[k].i32 : (int64_t)args[k].i64);
        strbuf_free(&original);
    }
    if (!ok) {
        sum->failed++;
        fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, t.error);
    }
    free(plain.memory);
    strbuf_free(&text);
    oft_free(&t);
    ir_module_free(m);
}

int main(int argc, char **argv) {
    uint64_t count = 1500, first = 1, least = 0, numbers = 0, print = 0;
    bool printing = false;
    for (int k = 1; k < argc; k++) {
        if (!strncmp(argv[k], "--least=", 8))
            least = strtoull(argv[k] + 8, NULL, 10);
        else if (!strcmp(argv[k], "--print") && k + 1 < argc) {
            printing = true;
            print = strtoull(argv[++k], NULL, 10);
        } else
            *(numbers++ ? &first : &count) = strtoull(argv[k], NULL, 10);
    }
    struct totals sum = {0};
    if (printing) {
        run_seed(print, true, &sum);
        return sum.failed != 0;
    }
    for (uint64_t k = 0; k < count && sum.failed < 20; k++)
        run_seed(first + k, false, &sum);
    printf("verdicts:");
    for (unsigned k = 0; k < OFF_REJECT_COUNT; k++)
        if (sum.rejects[k])
            printf(" %s %" PRIu64, off_reject_name((enum off_reject)k), sum.rejects[k]);
    static const char *const names[] = {
#define FALLBACK(id, name, what) name,
#include "runtime/fallback.def"
    };
    printf("\nfallbacks:");
    for (unsigned k = 0; k < WM_FALLBACK_COUNT; k++)
        if (sum.fallbacks[k])
            printf(" %s %" PRIu64, names[k], sum.fallbacks[k]);
    printf("\n%" PRIu64 " nests, %" PRIu64 " launched (%" PRIu64 " launches, %" PRIu64 " points), %" PRIu64
           " of them after an inspection (%" PRIu64 " inspections), %" PRIu64 " trapped, %" PRIu64
           " unfinished, %" PRIu64 " failed\n",
           sum.nests, sum.launched, sum.launches, sum.points, sum.inspected, sum.inspections, sum.trapped,
           sum.unfinished, sum.failed);
    if (sum.launched * 100 < sum.nests * least) {
        fprintf(stderr, "fewer than %" PRIu64 "%% of the nests were launched\n", least);
        return 1;
    }
    return sum.failed != 0;
}
