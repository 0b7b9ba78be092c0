/* Kernels for tests; see kernel_test.h. */
#include "tests/unit/kernel_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_interp.h"
#include "ir/util/ice.h"

void kt_init(struct kt *t, uint32_t ngrid, uint32_t nstreams, const enum ir_type *scalars, uint32_t nscalars) {
    memset(t, 0, sizeof *t);
    t->module = ir_module_new();
    t->module->name = "test";
    t->module->memories = arena_new(&t->module->arena, struct ir_memory);
    t->module->memories[0].limits.min = KT_MEMORY / 65536;
    t->module->nmemories = 1;
    enum ir_type params[OFF_MAX_GRID + 8];
    struct ir_sig sig = {.params = params};
    for (uint32_t d = 0; d < ngrid; d++)
        params[sig.nparams++] = IR_I32;
    for (uint32_t s = 0; s < nscalars; s++)
        params[sig.nparams++] = scalars[s];
    struct off_kernel *k = &t->k;
    k->name = "test_kernel";
    k->body = ir_func_new(t->module, "test_kernel", &sig);
    k->body->type = UINT32_MAX;
    k->ngrid = ngrid;
    k->nstreams = nstreams;
    k->nscalars = nscalars;
    k->scalars = arena_array(&t->module->arena, struct off_scalar, nscalars + 1);
    for (uint32_t s = 0; s < nscalars; s++)
        k->scalars[s].type = scalars[s];
    k->workgroup[0] = 32;
    k->workgroup[1] = k->workgroup[2] = 1;
    t->extent[0] = t->extent[1] = t->extent[2] = 1;
    t->b = ir_builder_at_end(k->body->body);
}

void kt_free(struct kt *t) {
    ir_func_free(t->k.body);
    ir_module_free(t->module);
}

struct ir_value *kt_param(struct kt *t, uint32_t index) {
    return t->k.body->body->params[index];
}

/* Of an access as compilers write it, up to the word. */
static uint8_t usual_alignment(enum ir_op op) {
    uint8_t bytes = ir_op_info[op].bytes;
    return bytes >= 4 ? 2 : (uint8_t)(bytes / 2);
}

struct ir_value *kt_load(struct kt *t, enum ir_op op, struct ir_value *addr, uint32_t offset, int stream) {
    return ir_build_load(
        &t->b, op, addr,
        (struct ir_mem){.offset = offset, .align_log2 = usual_alignment(op), .stream = (int16_t)stream});
}

void kt_store(struct kt *t, enum ir_op op, struct ir_value *addr, struct ir_value *v, uint32_t offset, int stream) {
    ir_build_store(&t->b, op, addr, v,
                   (struct ir_mem){.offset = offset, .align_log2 = usual_alignment(op), .stream = (int16_t)stream});
}

void kt_return(struct kt *t) {
    ir_build_return(&t->b, NULL, 0);
}

static uint32_t add_scalar(union ir_bits *args, uint32_t n, enum ir_type type, uint64_t v, bool split) {
    bool wide = type == IR_I64 || type == IR_F64;
    if (wide && split) {
        args[n++].i64 = (uint32_t)v;
        args[n++].i64 = v >> 32;
    } else {
        args[n++].i64 = wide ? v : (uint32_t)v;
    }
    return n;
}

/* Points with x from `first` to before `end`, and all of y and z. */
static bool interpret(struct kt *t, struct ir_func *f, bool split, uint8_t *memory, uint32_t first, uint32_t end,
                      uint64_t fuel) {
    struct ir_interp_desc desc = {.module = t->module, .fuel = fuel};
    struct ir_trap_info trap;
    struct ir_interp *in = ir_interp_new(&desc, &trap);
    uint64_t bytes;
    ICE_UNLESS(in);
    uint8_t *base = ir_interp_memory(in, 0, &bytes);
    memcpy(base, memory, KT_MEMORY);
    bool ok = true;
    for (uint32_t z = 0; z < t->extent[2] && ok; z++)
        for (uint32_t y = 0; y < t->extent[1] && ok; y++)
            for (uint32_t x = first; x < end && ok; x++) {
                union ir_bits args[32] = {0};
                const uint32_t at[3] = {x, y, z};
                uint32_t n = 0;
                for (uint32_t d = 0; d < t->k.ngrid; d++)
                    args[n++].i32 = at[d];
                for (uint32_t s = 0; s < t->k.nscalars; s++)
                    n = add_scalar(args, n, t->k.scalars[s].type, t->scalars[s], split);
                ok = ir_interp_call_func(in, f, args, &trap);
            }
    memcpy(memory, base, KT_MEMORY);
    ir_interp_free(in);
    return ok;
}

bool kt_interpret(struct kt *t, struct ir_func *f, bool split, uint8_t *memory) {
    return interpret(t, f, split, memory, 0, t->extent[0], UINT64_C(1) << 28);
}

bool kt_interpret_points(struct kt *t, struct ir_func *f, bool split, uint8_t *memory, uint32_t first, uint32_t end,
                         uint64_t fuel) {
    return interpret(t, f, split, memory, first, end, fuel);
}

static const enum ir_op load_of[4] = {IR_I32_LOAD, IR_I64_LOAD, IR_F32_LOAD, IR_F64_LOAD};
static const enum ir_op store_of[4] = {IR_I32_STORE, IR_I64_STORE, IR_F32_STORE, IR_F64_STORE};

enum { RECORD = 24, RESULT_AT = 16 };

void kt_init_op(struct kt *t, enum ir_op op) {
    const struct ir_op_info *info = &ir_op_info[op];
    kt_init(t, 1, 2, NULL, 0);
    struct ir_value *addr = ir_build_simple(&t->b, IR_I32_MUL, kt_param(t, 0), ir_build_i32(&t->b, RECORD));
    struct ir_value *operand[2] = {0};
    for (uint32_t k = 0; k < info->operands; k++)
        operand[k] = kt_load(t, load_of[info->operand_types[k]], addr, 8 * k, 0);
    struct ir_value *v = ir_build_simple(&t->b, op, operand[0], operand[1]);
    kt_store(t, store_of[info->result], addr, v, RESULT_AT, 1);
    kt_return(t);
}

static const uint32_t hard32[] = {
    0,          1,          2,          3,          7,          31,         32,         33,         0x7f,
    0x80,       0xff,       0x7fff,     0x8000,     0xffff,     0x10000,    0x7fffffff, 0x80000000, 0x80000001,
    0xffffffff, 0xfffffffe, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000, 0x3f000001, 0x3effffff, 0x3fc00000,
    0x40200000, 0xc0200000, 0x4b000001, 0x4b800000, 0xcb000001, 0x4affffff, 0x4f000000, 0xcf000000, 0x4effffff,
    0x4f800000, 0x4f7fffff, 0x5f000000, 0xdf000000, 0x5f800000, 0x5effffff, 0x7f800000, 0xff800000, 0x7fc00000,
    0xffc00001, 0x7fa00000, 0x00800000, 0x007fffff, 0x7f7fffff, 0x3eaaaaab, 0x4048f5c3, 0x12345678,
};

static const uint64_t hard64[] = {
    0,
    1,
    2,
    3,
    10,
    31,
    32,
    33,
    63,
    64,
    0x80,
    0xffff8000,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x100000000,
    0x100000001,
    0x123456789abcdef0,
    0x7fffffffffffffff,
    0x8000000000000000,
    0x8000000000000001,
    0xffffffffffffffff,
    0xfffffffffffffff6,
    0xffffffff00000000,
    0x0000000001000001,
    0x0000008000008001,
    0x0000008000007fff,
    0x8000008000000000,
    0x3ff0000000000000,
    0xbff0000000000000,
    0x3fe0000000000000,
    0xbfe0000000000001,
    0x4004000000000000,
    0xc004000000000000,
    0x41dfffffffc00000,
    0x41e0000000000000,
    0xc1e0000000000000,
    0xc1e0000000200000,
    0x41efffffffe00000,
    0x41f0000000000000,
    0x43e0000000000000,
    0xc3e0000000000000,
    0x43dfffffffffffff,
    0x43f0000000000000,
    0x4330000000000001,
    0x7ff0000000000000,
    0xfff0000000000000,
    0x7ff8000000000000,
    0x7ff4000000000001,
    0x000fffffffffffff,
    0x380fffffefffffff,
    0x380fffffffffffff,
    0x36a0000000000000,
    0x3690000000000000,
    0x3690000000000001,
    0x47efffffefffffff,
    0x47effffff0000000,
    0x3ff0000010000000,
    0x3ff0000030000000,
};

uint32_t kt_hard_count(enum ir_type type) {
    return type == IR_I32 || type == IR_F32 ? sizeof hard32 / sizeof *hard32 : sizeof hard64 / sizeof *hard64;
}

uint64_t kt_hard_value(enum ir_type type, uint32_t k) {
    return type == IR_I32 || type == IR_F32 ? hard32[k % kt_hard_count(type)] : hard64[k % kt_hard_count(type)];
}

static bool op_traps(enum ir_op op, uint64_t a, uint64_t b) {
    struct kt t;
    if (!(ir_op_info[op].flags & IR_FLAG_TRAPS))
        return false;
    uint8_t memory[KT_MEMORY] = {0};
    kt_init_op(&t, op);
    memcpy(memory, &a, 8);
    memcpy(memory + 8, &b, 8);
    bool ok = kt_interpret(&t, t.k.body, false, memory);
    kt_free(&t);
    return !ok;
}

void kt_fill_op(struct kt *t, enum ir_op op, uint8_t *memory) {
    const struct ir_op_info *info = &ir_op_info[op];
    const uint32_t max = sizeof hard64 / sizeof *hard64;
    uint32_t n = 0;
    memset(memory, 0, KT_MEMORY);
    for (uint32_t x = 0; x < max; x++)
        for (uint32_t y = 0; y < (info->operands > 1 ? max : 1); y++) {
            /* 59 values in 59 * 59 pairs do not fit the page; every other pair does */
            uint64_t a = kt_hard_value(info->operand_types[0], x), b = kt_hard_value(info->operand_types[1], y);
            if ((info->operands > 1 && (x + y) % 2 && x != y) || (n + 1) * RECORD > KT_MEMORY || op_traps(op, a, b))
                continue;
            memcpy(memory + n * RECORD, &a, 8);
            memcpy(memory + n * RECORD + 8, &b, 8);
            n++;
        }
    t->extent[0] = n;
}

static bool same_result(enum ir_type type, const uint8_t *want, const uint8_t *got) {
    union ir_bits a = {0}, b = {0};
    memcpy(&a, want, 8);
    memcpy(&b, got, 8);
    if (a.i64 == b.i64)
        return true;
    return type == IR_F32 ? isnan(a.f32) && isnan(b.f32) : type == IR_F64 && isnan(a.f64) && isnan(b.f64);
}

uint32_t kt_compare_op(const struct kt *t, enum ir_op op, const uint8_t *want, const uint8_t *got,
                       uint32_t *out_first) {
    uint32_t bad = 0;
    for (uint32_t n = 0; n < t->extent[0]; n++) {
        uint32_t at = n * RECORD + RESULT_AT;
        if (!same_result((enum ir_type)ir_op_info[op].result, want + at, got + at) && bad++ == 0)
            *out_first = n;
    }
    return bad;
}

static void dump(const char *dir, const char *name, const char *suffix, const void *bytes, size_t n) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    FILE *f = fopen(path, "wb");
    ICE_UNLESS(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

static void dump_case(const char *dir, const struct kt *t) {
    const struct off_kernel *k = &t->k;
    uint32_t words[64] = {k->nstreams, k->uses}, n = 2;
    for (int d = 0; d < 3; d++)
        words[n++] = (t->extent[d] + k->workgroup[d] - 1) / k->workgroup[d];
    words[n++] = off_param_words(k);
    for (int d = 0; d < 3; d++)
        words[n++] = t->extent[d];
    n += 1 + k->nstreams;
    for (uint32_t s = 0; s < k->nscalars; s++) {
        words[n++] = (uint32_t)t->scalars[s];
        if (k->scalars[s].type == IR_I64 || k->scalars[s].type == IR_F64)
            words[n++] = (uint32_t)(t->scalars[s] >> 32);
    }
    dump(dir, k->name, ".case", words, n * sizeof *words);
}

void kt_dump(const struct kt *t, const uint8_t *input, const uint8_t *want) {
    const char *dir = getenv("KT_DUMP");
    const struct off_kernel *k = &t->k;
    char suffix[32];
    if (!dir)
        return;
    for (uint32_t v = 0; v < k->nspirv; v++) {
        snprintf(suffix, sizeof suffix, "-%x.spv", k->spirv[v].caps);
        dump(dir, k->name, suffix, k->spirv[v].words, k->spirv[v].nwords * sizeof(uint32_t));
    }
    if (k->msl)
        dump(dir, k->name, ".metal", k->msl, strlen(k->msl));
    if (!k->wgsl)
        return;
    dump(dir, k->name, ".wgsl", k->wgsl, strlen(k->wgsl));
    dump_case(dir, t);
    dump(dir, k->name, ".in", input, KT_MEMORY);
    dump(dir, k->name, ".out", want, KT_MEMORY);
}

uint64_t kt_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}
