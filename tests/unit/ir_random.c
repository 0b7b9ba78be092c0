/* Generator of random IR.  It keeps the values in scope in a stack that shrinks at the end of each region, and draws
 * operands from it, late ones more often.  Loops carry a counter that every way round decrements and tests, so that
 * they end.  A float that reaches memory, a global, a result or a bit operation first has its NaN replaced, since
 * payloads may differ legally. */
#include "ir_random.h"

#include <string.h>

#include "ir/ir_build.h"

enum { MAX_VALUES = 4096, MAX_LABELS = 64, DATA_BYTES = 4200 };

struct label {
    struct ir_inst *inst;
    struct ir_value *counter; /* loops: parameter 0 */
};

struct gen {
    uint64_t state;
    struct ir_module *m;
    struct ir_func *f;
    struct ir_builder b;
    struct ir_value *values[MAX_VALUES];
    uint32_t nvalues;
    struct label labels[MAX_LABELS];
    uint32_t nlabels, max_depth;
    int budget;
    uint32_t offset;
};

/* xorshift64* (Vigna 2016). */
static uint32_t next(struct gen *g, uint32_t below) {
    g->state ^= g->state >> 12;
    g->state ^= g->state << 25;
    g->state ^= g->state >> 27;
    return (uint32_t)((g->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static struct ir_value *push(struct gen *g, struct ir_value *v) {
    if (g->nvalues < MAX_VALUES)
        g->values[g->nvalues++] = v;
    return v;
}

static void stamp(struct gen *g) {
    g->b.wasm_offset = ++g->offset;
}

static struct ir_value *constant(struct gen *g, enum ir_type type) {
    static const uint32_t ints[] = {0, 1, 2, 3, 4, 8, 31, 32, 255, 0x7fffffff, 0x80000000, 0xffffffff};
    static const double floats[] = {0, -0.0, 1, -1, 0.5, 255, 2147483648.0, -2147483648.0, 4294967296.0, 1e-40, 1e30};
    union ir_bits bits = {.u64x2 = {0, 0}};
    uint32_t i = ints[next(g, sizeof ints / sizeof *ints)];
    double d = floats[next(g, sizeof floats / sizeof *floats)];
    if (type == IR_I32)
        bits.i32 = i;
    else if (type == IR_I64)
        bits.i64 = next(g, 2) ? (uint64_t)(int64_t)(int32_t)i : (uint64_t)i << 32 | i;
    else if (type == IR_F32)
        bits.f32 = (float)d;
    else if (type == IR_F64)
        bits.f64 = d;
    else
        bits.u32x4[0] = bits.u32x4[next(g, 4)] = bits.u32x4[next(g, 4)] = i;
    stamp(g);
    return push(g, ir_build_const(&g->b, type, bits));
}

static struct ir_value *pick(struct gen *g, enum ir_type type) {
    for (int tries = 0; tries < 12 && g->nvalues; tries++) {
        uint32_t back = next(g, next(g, 3) ? 12 : g->nvalues);
        if (back >= g->nvalues)
            continue;
        struct ir_value *v = g->values[g->nvalues - 1 - back];
        if (v->type == type)
            return v;
    }
    return constant(g, type);
}

static struct ir_value *simple(struct gen *g, enum ir_op op, struct ir_value *x, struct ir_value *y) {
    stamp(g);
    return push(g, ir_build_simple(&g->b, op, x, y));
}

/* NaN becomes 0. */
static struct ir_value *calm(struct gen *g, struct ir_value *v) {
    if (v->type != IR_F32 && v->type != IR_F64)
        return v;
    struct ir_value *ok = simple(g, v->type == IR_F32 ? IR_F32_EQ : IR_F64_EQ, v, v);
    union ir_bits zero = {.u64x2 = {0, 0}};
    stamp(g);
    struct ir_value *z = ir_build_const(&g->b, v->type, zero);
    return push(g, ir_build_select(&g->b, v, z, ok));
}

/* An operation on v128 that works on bits: what the others make of a NaN may differ. */
static void gen_vector(struct gen *g) {
    enum ir_op op;
    do
        op = (enum ir_op)(IR_I8X16_EXTRACT_LANE_S + next(g, IR_I32_LOAD - IR_I8X16_EXTRACT_LANE_S));
    while (!(ir_op_info[op].flags & IR_FLAG_BITWISE) || ir_op_info[op].result == IR_F32 ||
           ir_op_info[op].result == IR_F64);
    const struct ir_op_info *info = &ir_op_info[op];
    struct ir_value *operands[3];
    for (uint32_t k = 0; k < info->operands; k++)
        operands[k] = calm(g, pick(g, (enum ir_type)info->operand_types[k]));
    enum ir_type type = (enum ir_type)info->result;
    stamp(g);
    struct ir_inst *i = ir_build(&g->b, op, &type, 1, operands, info->operands);
    for (uint32_t k = 0; k < info->lanes; k++)
        i->bits.u8x16[k] = (uint8_t)next(g, info->lane_bound);
    push(g, i->results);
}

static void gen_simple(struct gen *g) {
    if (next(g, 6) == 0) {
        gen_vector(g);
        return;
    }
    enum ir_op op;
    do
        op = (enum ir_op)(IR_I32_EQZ + next(g, IR_I8X16_EXTRACT_LANE_S - IR_I32_EQZ));
    while (op == IR_F32_REINTERPRET_I32 || op == IR_F64_REINTERPRET_I64);
    const struct ir_op_info *info = &ir_op_info[op];
    bool bits =
        op == IR_I32_REINTERPRET_F32 || op == IR_I64_REINTERPRET_F64 || op == IR_F32_COPYSIGN || op == IR_F64_COPYSIGN;
    bool traps = (info->flags & IR_FLAG_TRAPS) != 0;
    if (traps && next(g, 3)) /* else few runs would get far */
        return;
    struct ir_value *x = pick(g, (enum ir_type)info->operand_types[0]);
    struct ir_value *y = info->operands > 1 ? pick(g, (enum ir_type)info->operand_types[1]) : NULL;
    if (bits) {
        x = calm(g, x);
        y = y ? calm(g, y) : NULL;
    }
    if (traps && y && next(g, 4)) { /* mostly a divisor that is not 0 */
        bool wide = y->type == IR_I64;
        struct ir_value *one = push(g, wide ? ir_build_i64(&g->b, 1) : ir_build_i32(&g->b, 1));
        y = next(g, 2) ? simple(g, wide ? IR_I64_OR : IR_I32_OR, y, one)
                       : push(g, wide ? ir_build_i64(&g->b, 1 + next(g, 9)) : ir_build_i32(&g->b, 1 + next(g, 9)));
    }
    simple(g, op, x, y);
}

static struct ir_value *gen_address(struct gen *g) {
    struct ir_value *a = pick(g, IR_I32);
    if (next(g, 40) == 0)
        return a;
    struct ir_value *mask = push(g, ir_build_i32(&g->b, 0xff8));
    return simple(g, IR_I32_AND, a, mask);
}

static void gen_memory(struct gen *g) {
    struct ir_mem mem = {.offset = next(g, 3) ? 0 : next(g, 64), .stream = -1};
    if (next(g, 2)) {
        enum ir_op op;
        do
            op = (enum ir_op)(IR_I32_LOAD + next(g, IR_I32_STORE - IR_I32_LOAD));
        while (ir_op_info[op].result == IR_F32 || ir_op_info[op].result == IR_F64);
        struct ir_value *a = gen_address(g);
        stamp(g);
        push(g, ir_build_load(&g->b, op, a, mem));
        return;
    }
    enum ir_op op = (enum ir_op)(IR_I32_STORE + next(g, IR_V128_STORE + 1 - IR_I32_STORE));
    struct ir_value *a = gen_address(g), *v = calm(g, pick(g, (enum ir_type)ir_op_info[op].result));
    stamp(g);
    ir_build_store(&g->b, op, a, v, mem);
}

/* The guarded conversion that compilers emit, in a few variants. */
static void gen_cast(struct gen *g) {
    bool wide = next(g, 2);
    struct ir_value *x = pick(g, wide ? IR_F64 : IR_F32);
    struct ir_value *a = simple(g, wide ? IR_F64_ABS : IR_F32_ABS, x, NULL);
    union ir_bits limit = {.u64x2 = {0, 0}};
    if (wide)
        limit.f64 = 0x1p31;
    else
        limit.f32 = 0x1p31f;
    struct ir_value *l = push(g, ir_build_const(&g->b, x->type, limit));
    struct ir_value *in = simple(g, wide ? IR_F64_LT : IR_F32_LT, a, l);
    enum ir_type type = IR_I32;
    bool negate = next(g, 2);
    if (negate)
        in = simple(g, IR_I32_EQZ, in, NULL);
    stamp(g);
    struct ir_inst *i = ir_build_if(&g->b, in, &type, 1);
    struct ir_builder outer = g->b;
    for (int arm = 0; arm < 2; arm++) {
        g->b = ir_builder_at_end(i->regions[arm]);
        stamp(g);
        struct ir_value *v = (arm == 0) != negate
                                 ? ir_build_simple(&g->b, wide ? IR_I32_TRUNC_F64_S : IR_I32_TRUNC_F32_S, x, NULL)
                                 : ir_build_i32(&g->b, 0x80000000);
        ir_build_yield(&g->b, &v, 1);
    }
    g->b = outer;
    push(g, &i->results[0]);
}

/* Arguments for a branch to `l`, where a loop's counter goes down. */
static uint32_t label_args(struct gen *g, const struct label *l, struct ir_value **args, struct ir_value *counter) {
    uint32_t n = ir_label_arity(l->inst);
    for (uint32_t k = 0; k < n; k++)
        args[k] = l->counter && k == 0 ? counter : pick(g, ir_label_type(l->inst, k));
    return n;
}

/* A condition that lets a branch to `l` be taken, and the counter it passes. */
static struct ir_value *branch_condition(struct gen *g, const struct label *l, struct ir_value **out_counter) {
    struct ir_value *cond = pick(g, IR_I32);
    *out_counter = NULL;
    if (!l->counter)
        return cond;
    struct ir_value *minus = push(g, ir_build_i32(&g->b, 0xffffffff));
    *out_counter = simple(g, IR_I32_ADD, l->counter, minus);
    if (next(g, 2))
        return *out_counter;
    struct ir_value *zero = push(g, ir_build_i32(&g->b, 0));
    struct ir_value *some = simple(g, IR_I32_NE, cond, zero);
    struct ir_value *more = simple(g, IR_I32_NE, *out_counter, zero);
    return simple(g, IR_I32_AND, some, more);
}

static void gen_br_if(struct gen *g) {
    if (!g->nlabels)
        return;
    const struct label *l = &g->labels[next(g, g->nlabels)];
    struct ir_value *args[8], *counter, *cond = branch_condition(g, l, &counter);
    uint32_t n = label_args(g, l, args, counter);
    stamp(g);
    ir_build_br_if(&g->b, cond, l->inst, args, n);
}

static void gen_region(struct gen *g, struct ir_region *r, const enum ir_type *results, uint32_t nresults);
static void gen_statement(struct gen *g);

static void gen_structure(struct gen *g) {
    if (g->nlabels >= g->max_depth)
        return;
    enum ir_type types[3];
    uint32_t n = next(g, 4);
    for (uint32_t k = 0; k < n; k++)
        types[k] = (enum ir_type)next(g, 4);
    struct ir_inst *i;
    struct label label = {0};
    uint32_t kind = next(g, 4);
    if (kind < 2) {
        stamp(g);
        i = ir_build_block(&g->b, types, n);
    } else if (kind == 2) {
        struct ir_value *cond = pick(g, IR_I32);
        stamp(g);
        i = ir_build_if(&g->b, cond, types, n);
    } else {
        struct ir_value *init[4];
        uint32_t ninit = 1 + next(g, 4);
        init[0] = ir_build_i32(&g->b, 1 + next(g, 4));
        for (uint32_t k = 1; k < ninit; k++)
            init[k] = k > 1 && next(g, 3) == 0 ? init[k - 1] : pick(g, (enum ir_type)next(g, 4));
        stamp(g);
        i = ir_build_loop(&g->b, init, ninit, types, n);
        label.counter = i->regions[0]->params[0];
    }
    label.inst = i;
    struct ir_builder outer = g->b;
    g->labels[g->nlabels++] = label;
    for (unsigned k = 0; k < ir_nregions(i); k++)
        gen_region(g, i->regions[k], types, n);
    g->nlabels--;
    g->b = outer;
    for (uint32_t k = 0; k < n; k++)
        push(g, &i->results[k]);
}

static void gen_br_table(struct gen *g) {
    struct ir_inst *targets[3];
    struct ir_value *args[24];
    uint32_t n = 0, nargs = 0;
    for (int k = 0; k < 3; k++) {
        const struct label *l = &g->labels[next(g, g->nlabels)];
        if (l->counter)
            continue; /* a way round without a test */
        nargs += label_args(g, l, args + nargs, NULL);
        targets[n++] = l->inst;
    }
    if (!n) {
        ir_build(&g->b, IR_UNREACHABLE, NULL, 0, NULL, 0);
        return;
    }
    struct ir_value *index = pick(g, IR_I32);
    stamp(g);
    ir_build_br_table(&g->b, index, targets, n, args, nargs);
}

static void gen_return(struct gen *g) {
    struct ir_value *values[4];
    for (uint32_t k = 0; k < 4; k++)
        values[k] = calm(g, pick(g, (enum ir_type)k));
    stamp(g);
    ir_build_return(&g->b, values, 4);
}

static void gen_statement(struct gen *g) {
    uint32_t what = next(g, 100);
    g->budget--;
    if (what < 50) {
        gen_simple(g);
    } else if (what < 62) {
        gen_memory(g);
    } else if (what < 67) {
        struct ir_value *cond = pick(g, IR_I32);
        enum ir_type type = (enum ir_type)next(g, 4);
        struct ir_value *x = pick(g, type), *y = pick(g, type);
        stamp(g);
        push(g, ir_build_select(&g->b, x, y, cond));
    } else if (what < 71) {
        gen_cast(g);
    } else if (what < 75) {
        enum ir_type type = IR_I32;
        uint32_t global = next(g, 2);
        if (next(g, 2)) {
            stamp(g);
            struct ir_inst *get = ir_build(&g->b, IR_GLOBAL_GET, &type, 1, NULL, 0);
            get->index = global;
            push(g, get->results);
        } else {
            struct ir_value *v = pick(g, IR_I32);
            stamp(g);
            ir_build(&g->b, IR_GLOBAL_SET, NULL, 0, &v, 1)->index = global;
        }
    } else if (what < 83) {
        gen_br_if(g);
    } else {
        gen_structure(g);
    }
}

/* `br_if counter is 0, outer; ...; br back`: a loop left from the middle.  False when no label around takes it. */
static bool gen_middle_exit(struct gen *g, const struct label *own) {
    struct ir_value *args[8];
    const struct label *out = g->nlabels > 1 ? &g->labels[next(g, g->nlabels - 1)] : NULL;
    if (!out || out->counter)
        return false;
    struct ir_value *minus = push(g, ir_build_i32(&g->b, 0xffffffff));
    struct ir_value *counter = simple(g, IR_I32_ADD, own->counter, minus);
    struct ir_value *done = simple(g, IR_I32_EQZ, counter, NULL);
    uint32_t n = label_args(g, out, args, NULL);
    stamp(g);
    ir_build_br_if(&g->b, done, out->inst, args, n);
    for (uint32_t k = next(g, 4); k > 0; k--)
        gen_statement(g);
    n = label_args(g, own, args, counter);
    stamp(g);
    ir_build_br(&g->b, own->inst, args, n);
    return true;
}

static void gen_region(struct gen *g, struct ir_region *r, const enum ir_type *results, uint32_t nresults) {
    uint32_t scope = g->nvalues;
    g->b = ir_builder_at_end(r);
    for (uint32_t k = 0; k < r->nparams; k++)
        push(g, r->params[k]);
    for (uint32_t n = next(g, 14); n > 0 && g->budget > 0; n--)
        gen_statement(g);
    const struct label *own = r->parent ? &g->labels[g->nlabels - 1] : NULL;
    struct ir_value *args[8];
    if (own && own->counter && next(g, 3) == 0 && gen_middle_exit(g, own)) {
        g->nvalues = scope;
        return;
    }
    if (own && own->counter && next(g, 5)) {
        struct ir_value *counter, *cond = branch_condition(g, own, &counter);
        uint32_t n = label_args(g, own, args, counter);
        stamp(g);
        ir_build_br_if(&g->b, cond, own->inst, args, n);
    }
    uint32_t end = r->parent ? next(g, 20) : 19;
    const struct label *l = r->parent ? &g->labels[next(g, g->nlabels)] : NULL;
    if (!r->parent || end == 0) {
        gen_return(g);
    } else if (end == 1 && next(g, 3) == 0) {
        stamp(g);
        ir_build(&g->b, IR_UNREACHABLE, NULL, 0, NULL, 0);
    } else if (end < 5 && !l->counter) {
        uint32_t n = label_args(g, l, args, NULL);
        stamp(g);
        ir_build_br(&g->b, l->inst, args, n);
    } else if (end == 5) {
        gen_br_table(g);
    } else {
        for (uint32_t k = 0; k < nresults; k++)
            args[k] = pick(g, results[k]);
        stamp(g);
        ir_build_yield(&g->b, args, nresults);
    }
    g->nvalues = scope;
}

struct ir_module *ir_random_module(const struct ir_random_options *options) {
    static const enum ir_type types[] = {IR_I32, IR_I64, IR_F32, IR_F64};
    static const struct ir_sig sig = {4, 4, types, types};
    struct ir_module *m = ir_module_new();
    m->types = arena_new(&m->arena, struct ir_sig);
    m->types[0] = sig;
    m->ntypes = 1;
    m->memories = arena_new(&m->arena, struct ir_memory);
    m->memories[0].limits.min = 1;
    m->nmemories = 1;
    m->globals = arena_array(&m->arena, struct ir_global, 2);
    m->nglobals = 2;
    for (int k = 0; k < 2; k++)
        m->globals[k] = (struct ir_global){.type = IR_I32, .mutable_ = true, .init = {.op = IR_I32_CONST}};
    uint8_t *bytes = arena_alloc(&m->arena, DATA_BYTES);
    for (uint32_t k = 0; k < DATA_BYTES; k++)
        bytes[k] = (uint8_t)(k * 37 ^ k >> 5);
    m->datas = arena_new(&m->arena, struct ir_data);
    m->ndatas = 1;
    m->datas[0] = (struct ir_data){.offset = {.op = IR_I32_CONST}, .bytes = bytes, .size = DATA_BYTES};

    struct gen g = {.state = options->seed * UINT64_C(0x9e3779b97f4a7c15) | 1, .m = m};
    g.max_depth = options->max_depth < MAX_LABELS ? options->max_depth : MAX_LABELS;
    g.budget = (int)options->size;
    g.f = ir_func_new(m, "random", &sig);
    g.f->type = 0;
    m->funcs = arena_new(&m->arena, struct ir_func_entry);
    m->funcs[0].func = g.f;
    m->nfuncs = 1;
    for (int k = 0; k < 8; k++)
        next(&g, 2);
    gen_region(&g, g.f->body, types, 4);
    return m;
}
