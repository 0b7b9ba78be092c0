/* Random structured kernels: the interpreter on the body, the interpreter on every legalised form, and the Vulkan
 * driver on every variant have to leave the same memory.
 *
 * The generator makes nests of blocks, ifs and bounded loops with results and loop-carried values, and branches of
 * every kind to any label around, so that multi-level exits meet in all combinations.  Float arithmetic is left out:
 * what the device does there is not the kernels' business.  Two seeds in five also have v128 values and operations of
 * all lane shapes.
 *
 *   kernel_random [COUNT [SEED]]      with KT_DUMP: see kernel_test.h
 *   kernel_random_native [COUNT [SEED]]
 *                                     the same kernels as native code for the cpu device, in the place of Vulkan
 *   kernel_random --reduce SEED       a kernel that the driver gets wrong, made as small as can be
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/kernels.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/offload/legalize.h"
#ifdef KERNEL_RANDOM_NATIVE
#include "tests/unit/kernel_native.h"
#endif
#include "tests/unit/kernel_reduce.h"
#include "tests/unit/kernel_test.h"
#include "tests/unit/kernel_vulkan.h"

enum { POINTS = 40, RECORD = 64, OUT_AT = 32768, MAX_VALUES = 512, MAX_LABELS = 16, MAX_TURNS = 3 };

struct gen {
    struct kt t;
    uint64_t seed;
    struct ir_value *values[MAX_VALUES];
    uint32_t nvalues;
    struct ir_inst *labels[MAX_LABELS];
    uint32_t nlabels;
    uint32_t budget;
    bool vectors;
    struct ir_value *in, *out; /* addresses of this point's records */
};

static uint8_t input[KT_MEMORY], want[KT_MEMORY], got[KT_MEMORY];

static uint32_t pick(struct gen *g, uint32_t n) {
    return (uint32_t)(kt_random(&g->seed) >> 33) % n;
}
static bool chance(struct gen *g, uint32_t percent) {
    return pick(g, 100) < percent;
}

static void add_value(struct gen *g, struct ir_value *v) {
    if (g->nvalues < MAX_VALUES)
        g->values[g->nvalues++] = v;
}

static enum ir_type any_type(struct gen *g) {
    static const enum ir_type types[] = {IR_I32, IR_I32, IR_I32, IR_I64, IR_F32, IR_F64, IR_V128, IR_V128};
    return types[pick(g, g->vectors ? 8 : 6)];
}

static struct ir_value *constant(struct gen *g, enum ir_type type) {
    static const uint32_t words[] = {0, 1, 2, 5, 31, 32, 0x80000000, 0xffffffff, 0x7fc00000, 0x3f800000, 0xff800000};
    union ir_bits bits = {.u64x2 = {words[pick(g, 11)] | (uint64_t)words[pick(g, 11)] << 32}};
    if (type == IR_I32 || type == IR_F32)
        bits.i64 = bits.i32;
    if (type == IR_V128)
        bits.u64x2[1] = words[pick(g, 11)] | (uint64_t)words[pick(g, 11)] << 32;
    return ir_build_const(&g->t.b, type, bits);
}

static struct ir_value *any_value(struct gen *g, enum ir_type type) {
    for (int attempt = 0; attempt < 12 && g->nvalues; attempt++) {
        /* young values more often than old ones */
        uint32_t back = pick(g, chance(g, 60) && g->nvalues > 6 ? 6 : g->nvalues);
        struct ir_value *v = g->values[g->nvalues - 1 - back];
        if (v->type == type)
            return v;
    }
    return constant(g, type);
}

static bool is_vector(const struct ir_op_info *info) {
    bool yes = info->result == IR_V128;
    for (uint32_t k = 0; k < info->operands; k++)
        yes |= info->operand_types[k] == IR_V128;
    return yes;
}

/* Operations that are exact on every device once legalised, cannot trap, and give no NaN of their own, whose payload
 * wasm leaves open. */
static bool usable(enum ir_op op, bool vector) {
    const struct ir_op_info *info = &ir_op_info[op];
    if (is_vector(info) != vector)
        return false;
    if (vector)
        return (info->kind == IR_KIND_SIMPLE || info->kind == IR_KIND_LANES) && info->flags & IR_FLAG_BITWISE;
    if (info->kind != IR_KIND_SIMPLE || !(info->flags & IR_FLAG_PURE) || info->result > IR_F64 ||
        info->operand_types[0] > IR_F64)
        return false;
    if ((op >= IR_F32_CEIL && op <= IR_F32_MAX) || (op >= IR_F64_CEIL && op <= IR_F64_MAX))
        return false;
    switch (op) {
    case IR_F32_DEMOTE_F64:
    case IR_F64_PROMOTE_F32:
    case IR_F32_CONVERT_I32_S: /* an addition inside, which may give -0 or a subnormal of nothing, but is arithmetic */
    case IR_F32_CONVERT_I32_U:
        return false;
    default:
        return true;
    }
}

static void gen_op(struct gen *g) {
    enum ir_op op;
    bool vector = g->vectors && chance(g, 45);
    do
        op = (enum ir_op)pick(g, IR_OP_COUNT);
    while (!usable(op, vector));
    const struct ir_op_info *info = &ir_op_info[op];
    struct ir_value *operands[3];
    for (uint32_t k = 0; k < info->operands; k++)
        operands[k] = any_value(g, (enum ir_type)info->operand_types[k]);
    enum ir_type type = (enum ir_type)info->result;
    struct ir_inst *i = ir_build(&g->t.b, op, &type, 1, operands, info->operands);
    for (uint32_t k = 0; k < info->lanes; k++)
        i->bits.v128[k] = (uint8_t)pick(g, info->lane_bound);
    add_value(g, &i->results[0]);
}

static void gen_division(struct gen *g) {
    static const enum ir_op ops[] = {IR_I32_DIV_S, IR_I32_DIV_U, IR_I32_REM_S, IR_I32_REM_U,
                                     IR_I64_DIV_S, IR_I64_DIV_U, IR_I64_REM_S, IR_I64_REM_U};
    enum ir_op op = ops[pick(g, 8)];
    bool wide = op >= IR_I64_DIV_S;
    enum ir_type type = wide ? IR_I64 : IR_I32;
    /* (y & 0xffff) + 1 is neither 0 nor -1 */
    struct ir_value *y = any_value(g, type);
    y = ir_build_simple(&g->t.b, wide ? IR_I64_AND : IR_I32_AND, y,
                        wide ? ir_build_i64(&g->t.b, 0xffff) : ir_build_i32(&g->t.b, 0xffff));
    y = ir_build_simple(&g->t.b, wide ? IR_I64_ADD : IR_I32_ADD, y,
                        wide ? ir_build_i64(&g->t.b, 1) : ir_build_i32(&g->t.b, 1));
    add_value(g, ir_build_simple(&g->t.b, op, any_value(g, type), y));
}

/* The place in the record depends on data, which shows whether addresses are lowered right. */
static struct ir_value *gen_place(struct gen *g, struct ir_value *record, uint32_t bytes) {
    struct ir_value *at = ir_build_simple(&g->t.b, IR_I32_AND, any_value(g, IR_I32), ir_build_i32(&g->t.b, 32 - bytes));
    return ir_build_simple(&g->t.b, IR_I32_ADD, record, at);
}

static void gen_access(struct gen *g) {
    enum ir_op op;
    bool store = chance(g, 55);
    do
        op = (enum ir_op)pick(g, IR_OP_COUNT);
    while (store ? ir_op_info[op].kind != IR_KIND_STORE : ir_op_info[op].kind != IR_KIND_LOAD);
    const struct ir_op_info *info = &ir_op_info[op];
    if (info->result > (g->vectors ? IR_V128 : IR_F64))
        return;
    uint32_t offset = pick(g, 4) * 8;
    if (info->bytes == 16)
        offset &= 16;
    if (store)
        kt_store(&g->t, op, gen_place(g, g->out, info->bytes), any_value(g, (enum ir_type)info->result), offset, 1);
    else if (chance(g, 50)) /* what this point may have written */
        add_value(g, kt_load(&g->t, op, gen_place(g, g->out, info->bytes), offset, 1));
    else
        add_value(g, kt_load(&g->t, op, gen_place(g, g->in, info->bytes), offset, 0));
}

static void gen_select(struct gen *g) {
    enum ir_type type = any_type(g);
    struct ir_value *t = any_value(g, type), *f = any_value(g, type);
    add_value(g, ir_build_select(&g->t.b, t, f, any_value(g, IR_I32)));
}

static uint32_t branch_args(struct gen *g, struct ir_inst *label, struct ir_value **args) {
    uint32_t n = ir_label_arity(label);
    for (uint32_t k = 0; k < n; k++)
        args[k] = any_value(g, ir_label_type(label, k));
    if (label->op == IR_LOOP) /* the first parameter counts the turns */
        args[0] = ir_build_simple(&g->t.b, IR_I32_ADD, label->regions[0]->params[0], ir_build_i32(&g->t.b, 1));
    return n;
}

static struct ir_inst *forward_label(struct gen *g) {
    for (int attempt = 0; attempt < 4 && g->nlabels; attempt++) {
        struct ir_inst *label = g->labels[pick(g, g->nlabels)];
        if (label->op != IR_LOOP)
            return label;
    }
    return NULL;
}

static void gen_br_if(struct gen *g) {
    if (!g->nlabels)
        return;
    struct ir_inst *label = g->labels[pick(g, g->nlabels)];
    struct ir_value *cond = ir_build_simple(&g->t.b, IR_I32_AND, any_value(g, IR_I32), ir_build_i32(&g->t.b, 1)),
                    *args[4];
    if (label->op == IR_LOOP) {
        struct ir_value *more =
            ir_build_simple(&g->t.b, IR_I32_LT_U, label->regions[0]->params[0], ir_build_i32(&g->t.b, MAX_TURNS));
        cond = chance(g, 70) ? ir_build_simple(&g->t.b, IR_I32_AND, cond, more) : more;
    }
    uint32_t n = branch_args(g, label, args);
    ir_build_br_if(&g->t.b, cond, label, args, n);
}

static void gen_region(struct gen *g, struct ir_inst *around, struct ir_region *r, unsigned depth);

static void gen_terminator(struct gen *g, struct ir_inst *around) {
    struct ir_value *args[64];
    struct ir_inst *label = forward_label(g);
    if (label && chance(g, 20)) {
        uint32_t n = branch_args(g, label, args);
        ir_build_br(&g->t.b, label, args, n);
    } else if (label && chance(g, 12)) {
        struct ir_inst *targets[4];
        uint32_t n = 0, ntargets = 1 + pick(g, 4);
        for (uint32_t k = 0; k < ntargets; k++) {
            struct ir_inst *other = forward_label(g);
            targets[k] = other ? other : label;
            n += branch_args(g, targets[k], args + n);
        }
        struct ir_value *index = ir_build_simple(&g->t.b, IR_I32_AND, any_value(g, IR_I32), ir_build_i32(&g->t.b, 7));
        ir_build_br_table(&g->t.b, index, targets, ntargets, args, n);
    } else if (chance(g, 3)) {
        ir_build_return(&g->t.b, NULL, 0);
    } else {
        for (uint32_t k = 0; k < around->nresults; k++)
            args[k] = any_value(g, around->results[k].type);
        ir_build_yield(&g->t.b, args, around->nresults);
    }
}

static void gen_construct(struct gen *g, unsigned depth) {
    enum ir_type results[3];
    uint32_t nresults = pick(g, 3);
    for (uint32_t k = 0; k < nresults; k++)
        results[k] = any_type(g);
    struct ir_inst *i;
    uint32_t kind = pick(g, 3);
    if (kind == 0) {
        i = ir_build_block(&g->t.b, results, nresults);
    } else if (kind == 1) {
        i = ir_build_if(&g->t.b, any_value(g, IR_I32), results, nresults);
    } else {
        struct ir_value *init[3] = {ir_build_i32(&g->t.b, 0)};
        uint32_t n = 1 + pick(g, 3);
        for (uint32_t k = 1; k < n; k++)
            init[k] = any_value(g, any_type(g));
        i = ir_build_loop(&g->t.b, init, n, results, nresults);
    }
    for (unsigned k = 0; k < ir_nregions(i); k++)
        gen_region(g, i, i->regions[k], depth + 1);
    for (uint32_t k = 0; k < i->nresults; k++)
        add_value(g, &i->results[k]);
}

static void gen_statements(struct gen *g, unsigned depth, uint32_t n) {
    for (uint32_t k = 0; k < n && g->budget; k++, g->budget--) {
        uint32_t what = pick(g, 100);
        if (what < 35)
            gen_op(g);
        else if (what < 40)
            gen_division(g);
        else if (what < 58)
            gen_access(g);
        else if (what < 63)
            gen_select(g);
        else if (what < 80)
            gen_br_if(g);
        else if (depth < 7 && g->nlabels < MAX_LABELS)
            gen_construct(g, depth);
    }
}

static void gen_region(struct gen *g, struct ir_inst *around, struct ir_region *r, unsigned depth) {
    struct ir_builder outer = g->t.b;
    uint32_t nvalues = g->nvalues;
    g->t.b = ir_builder_at_end(r);
    g->labels[g->nlabels++] = around;
    for (uint32_t k = 0; k < r->nparams; k++)
        add_value(g, r->params[k]);
    gen_statements(g, depth, 1 + pick(g, 6));
    gen_terminator(g, around);
    g->nlabels--;
    g->nvalues = nvalues;
    g->t.b = outer;
}

static void gen_kernel(struct gen *g, uint64_t seed) {
    memset(g, 0, sizeof *g);
    g->seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    g->budget = 20 + pick(g, 60);
    g->vectors = seed % 5 >= 3;
    static const enum ir_type scalars[] = {IR_I64, IR_F32, IR_F64, IR_I32};
    kt_init(&g->t, 1, 2, scalars, 4);
    g->t.extent[0] = POINTS;
    g->t.stream_lo[1] = OUT_AT;
    for (int k = 0; k < 4; k++)
        g->t.scalars[k] = kt_random(&g->seed);
    struct ir_builder *b = &g->t.b;
    g->in = ir_build_simple(b, IR_I32_MUL, kt_param(&g->t, 0), ir_build_i32(b, RECORD));
    g->out = ir_build_simple(b, IR_I32_ADD, g->in, ir_build_i32(b, OUT_AT));
    for (uint32_t k = 0; k < g->t.k.body->body->nparams; k++)
        add_value(g, kt_param(&g->t, k));
    for (uint32_t k = 0; k < 3; k++)
        add_value(g, kt_load(&g->t, IR_I32_LOAD, g->in, k * 4, 0));
    gen_statements(g, 0, 12);
    for (uint32_t k = 0; k < 6; k++)
        gen_access(g);
    kt_return(&g->t);
}

static int complain(struct gen *g, uint64_t seed, const char *what) {
    struct strbuf text = {0};
    ir_print_func(&text, g->t.k.body);
    fprintf(stderr, "seed %llu: %s\n%s", (unsigned long long)seed, what, text.data);
    strbuf_free(&text);
    return 1;
}

/* Runs the kernel from `input`; `want` has what must come out. */
#ifdef KERNEL_RANDOM_NATIVE
static int run_target(struct gen *g, struct vkt *device, uint64_t seed) {
    (void)device;
    memcpy(got, input, sizeof got);
    if (!kernel_native_run(&g->t, got))
        return complain(g, seed, "does not become native code");
    return memcmp(got, want, sizeof got) == 0 ? 0 : complain(g, seed, "native code gives another result");
}
#else
static bool same_after(struct gen *g, struct ir_func *f, bool split) {
    memcpy(got, input, sizeof got);
    return kt_interpret(&g->t, f, split, got) && memcmp(got, want, sizeof got) == 0;
}

static int run_target(struct gen *g, struct vkt *device, uint64_t seed) {
    struct ir_func *lanes = legalize_v128(g->t.k.body), *arith = legalize_arith(lanes, true),
                   *narrow = legalize_narrow(arith, 0);
    struct ir_func *split = legalize_i64(narrow);
    bool ok = same_after(g, lanes, false) && same_after(g, arith, false) && same_after(g, narrow, false) &&
              same_after(g, split, true);
    ir_func_free(split);
    ir_func_free(narrow);
    ir_func_free(arith);
    ir_func_free(lanes);
    if (!ok)
        return complain(g, seed, "legalisation changes the result");
    g->t.k.name = arena_printf(&g->t.module->arena, "random_%llu", (unsigned long long)seed);
    kernels_emit(g->t.module, &g->t.k);
    if (!g->t.k.nspirv || !g->t.k.msl || !g->t.k.wgsl)
        return complain(g, seed, "is not emitted");
    kt_dump(&g->t, input, want);
    for (uint32_t v = 0; device && v < g->t.k.nspirv; v++) {
        const struct off_spirv *s = &g->t.k.spirv[v];
        if (s->caps & ~vkt_caps(device))
            continue;
        memcpy(got, input, sizeof got);
        if (!vkt_run(device, &g->t.k, s, got, KT_MEMORY, g->t.stream_lo, g->t.scalars, g->t.extent))
            return complain(g, seed, "the driver fails");
        if (memcmp(got, want, sizeof got) != 0) {
            uint32_t at = 0;
            while (want[at] == got[at])
                at++;
            fprintf(stderr, "variant with caps 0x%x: byte %u is 0x%02x, not 0x%02x\n", s->caps, at, got[at], want[at]);
            return complain(g, seed, "the device gives another result");
        }
    }
    return 0;
}
#endif

static int run_one(struct gen *g, struct vkt *device, uint64_t seed) {
    struct strbuf problems = {0};
    if (!ir_verify_func(g->t.k.body, &problems))
        return complain(g, seed, problems.data);
    memcpy(want, input, sizeof want);
    if (!kt_interpret(&g->t, g->t.k.body, false, want))
        return complain(g, seed, "traps");
    return run_target(g, device, seed);
}

/* ---- reduction ---- */

struct culprit {
    struct gen *g;
    struct vkt *device;
    uint32_t caps; /* of the variant that is wrong */
};

/* Whether every point changes its own record only and reads nothing that another writes: else any result is right.
 * `want` has the result after it. */
static bool well_behaved(struct gen *g, struct ir_func *f) {
    enum { FUEL = 1 << 16 };
    memcpy(want, input, sizeof want);
    for (uint32_t x = 0; x < POINTS; x++) {
        memcpy(got, input, sizeof got);
        if (!kt_interpret_points(&g->t, f, false, got, x, x + 1, FUEL))
            return false;
        uint32_t own = OUT_AT + x * RECORD;
        if (memcmp(got, input, own) != 0 ||
            memcmp(got + own + RECORD, input + own + RECORD, KT_MEMORY - own - RECORD) != 0)
            return false;
        memcpy(want + own, got + own, RECORD);
    }
    memcpy(got, input, sizeof got);
    return kt_interpret_points(&g->t, f, false, got, 0, POINTS, FUEL * POINTS) && !memcmp(got, want, sizeof got);
}

static bool device_is_wrong(void *user, struct ir_func *f) {
    struct culprit *c = user;
    struct gen *g = c->g;
    if (!well_behaved(g, f))
        return false;
    struct off_kernel k = g->t.k;
    k.body = f;
    kernels_emit(g->t.module, &k);
    for (uint32_t v = 0; v < k.nspirv; v++) {
        if (c->caps != UINT32_MAX ? k.spirv[v].caps != c->caps : k.spirv[v].caps & ~vkt_caps(c->device))
            continue;
        memcpy(got, input, sizeof got);
        if (vkt_run(c->device, &k, &k.spirv[v], got, KT_MEMORY, g->t.stream_lo, g->t.scalars, g->t.extent) &&
            memcmp(got, want, sizeof got) != 0) {
            c->caps = k.spirv[v].caps;
            return true;
        }
    }
    return false;
}

/* Whether the driver crashes; another process opens it and runs the kernel. */
static bool driver_crashes(void *user, struct ir_func *f) {
    struct culprit c = *(struct culprit *)user;
    int status;
    if (!well_behaved(c.g, f))
        return false;
    pid_t child = fork();
    if (child == 0) {
        c.device = vkt_open();
        if (c.device)
            device_is_wrong(&c, f);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}

static int reduce(uint64_t seed) {
    struct gen g;
    gen_kernel(&g, seed);
    struct culprit c = {.g = &g, .caps = UINT32_MAX};
    kernel_fault *fault = driver_crashes;
    bool crashes = driver_crashes(&c, g.t.k.body);
    if (!crashes) {
        fault = device_is_wrong;
        c.device = vkt_open();
        if (!c.device || !device_is_wrong(&c, g.t.k.body)) {
            printf("seed %llu: nothing is wrong\n", (unsigned long long)seed);
            kt_free(&g.t);
            return 0;
        }
    }
    uint32_t tries;
    struct ir_func *f = kernel_reduce(g.t.k.body, fault, &c, &tries), *body = g.t.k.body;
    struct strbuf text = {0};
    ir_print_func(&text, f);
    printf("seed %llu, %s, caps 0x%x, %u tries\n%s", (unsigned long long)seed, crashes ? "crash" : "wrong", c.caps,
           tries, text.data);
    strbuf_free(&text);
    if (c.device && device_is_wrong(&c, f))
        for (uint32_t at = 0; at < KT_MEMORY; at++)
            if (want[at] != got[at])
                printf("byte %u of record %u: 0x%02x, not 0x%02x; was 0x%02x\n", (at - OUT_AT) % RECORD,
                       (at - OUT_AT) / RECORD, got[at], want[at], input[at]);
    g.t.k.body = f;
    g.t.k.name = arena_printf(&g.t.module->arena, "reduced_%llu", (unsigned long long)seed);
    kernels_emit(g.t.module, &g.t.k);
    kt_dump(&g.t, input, want);
    ir_func_free(body);
    kt_free(&g.t);
    if (c.device)
        vkt_close(c.device);
    return 1;
}

/* Kernels that NVIDIA's driver 580.159 got wrong, or crashed on (the last), before they were lowered as they are now.
 */
static const uint64_t hard_seeds[] = {330, 1627, 3171, 3472};
enum { COUNT_OF_HARD = sizeof hard_seeds / sizeof *hard_seeds };

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "--reduce")) {
        uint64_t noise = 99;
        for (uint32_t k = 0; k < KT_MEMORY; k++)
            input[k] = (uint8_t)kt_random(&noise);
        return reduce(strtoull(argv[2], NULL, 10));
    }
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 60;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
#ifdef KERNEL_RANDOM_NATIVE
    struct vkt *device = NULL;
    const char *none = "native code";
#else
    struct vkt *device = vkt_open();
    const char *none = "no device";
#endif
    uint64_t noise = 99;
    for (uint32_t k = 0; k < KT_MEMORY; k++)
        input[k] = (uint8_t)kt_random(&noise);
    int failures = 0;
    uint32_t vectors = 0;
    for (uint32_t k = 0; k < COUNT_OF_HARD + count; k++) {
        uint64_t which = k < COUNT_OF_HARD ? hard_seeds[k] : seed + k - COUNT_OF_HARD;
        struct gen g;
        gen_kernel(&g, which);
        vectors += legalize_has_v128(g.t.k.body);
        failures += run_one(&g, device, which);
        kt_free(&g.t);
    }
    if (device)
        failures += vkt_validation_messages(device) != 0;
    printf("%u kernels have v128 values\n", vectors);
    printf("%u random kernels on %s: %d failures\n", count, device ? vkt_name(device) : none, failures);
    if (device)
        vkt_close(device);
    return failures != 0;
}
