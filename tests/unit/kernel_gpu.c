/* Kernels on a real Vulkan driver against the interpreter: every simple operation on hard values, narrow stores of
 * neighbouring invocations, all SPIR-V variants the device can run.
 *
 * With KT_DUMP set to a directory every kernel is also written there as .spv, .metal and .wgsl, for the validators of
 * tests/kernels.  Without a driver only that is done.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kernels.h"
#include "ir/fp_mode.h"
#include "tests/unit/kernel_test.h"
#include "tests/unit/kernel_vulkan.h"

static struct vkt *device;
static uint8_t input[KT_MEMORY], want[KT_MEMORY], got[KT_MEMORY];

static void test_operations(void **state) {
    (void)state;
    unsigned wrong = 0, ran = 0;
    for (int op = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *info = &ir_op_info[op];
        if (info->kind != IR_KIND_SIMPLE || info->result > IR_F64 || info->operand_types[0] > IR_F64)
            continue;
        struct kt t;
        kt_init_op(&t, (enum ir_op)op);
        t.k.name = arena_printf(&t.module->arena, "op_%d", op);
        kt_fill_op(&t, (enum ir_op)op, input);
        memcpy(want, input, sizeof want);
        assert_true(kt_interpret(&t, t.k.body, false, want));
        kernels_emit(t.module, &t.k);
        assert_true(t.k.nspirv > 0);
        kt_dump(&t, input, want);
        for (uint32_t v = 0; device && v < t.k.nspirv; v++) {
            if (t.k.spirv[v].caps & ~vkt_caps(device))
                continue;
            memcpy(got, input, sizeof got);
            assert_true(vkt_run(device, &t.k, &t.k.spirv[v], got, KT_MEMORY, t.stream_lo, t.scalars, t.extent));
            uint32_t first = 0, bad = kt_compare_op(&t, (enum ir_op)op, want, got, &first);
            ran++;
            if (!bad)
                continue;
            uint64_t r[3], g;
            memcpy(r, want + first * 24, sizeof r);
            memcpy(&g, got + first * 24 + 16, sizeof g);
            /* What a variant leaves to the device is the run-time probe's to judge; the rest has to be right, sums and
             * products of ordinary f32 too. */
            bool left = (t.k.uses & ~t.k.spirv[v].avoids & ~(uint32_t)OFF_USE_F32_ARITH) != 0;
            wrong += !left;
            print_message("%s %s, caps 0x%x: %u of %u differ, first (0x%llx, 0x%llx) = 0x%llx, not 0x%llx\n",
                          left ? "device inexact:" : "WRONG:", info->text, t.k.spirv[v].caps, bad, t.extent[0],
                          (unsigned long long)r[0], (unsigned long long)r[1], (unsigned long long)r[2],
                          (unsigned long long)g);
        }
        kt_free(&t);
    }
    print_message("%u kernels ran on %s\n", ran, device ? vkt_name(device) : "no device");
    assert_int_equal(wrong, 0);
}

/* Every variant that the device can run makes `want` of `input`. */
static void expect_want(struct kt *t) {
    kernels_emit(t->module, &t->k);
    kt_dump(t, input, want);
    for (uint32_t v = 0; device && v < t->k.nspirv; v++) {
        if (t->k.spirv[v].caps & ~vkt_caps(device))
            continue;
        memcpy(got, input, sizeof got);
        assert_true(vkt_run(device, &t->k, &t->k.spirv[v], got, KT_MEMORY, t->stream_lo, t->scalars, t->extent));
        assert_memory_equal(want, got, KT_MEMORY);
    }
}

/* out[i] = in[i] + in[i + 1] for every width, the outputs of neighbours sharing words, on offset streams. */
static void test_narrow(void **state) {
    (void)state;
    static const enum ir_op loads[] = {IR_I32_LOAD8_U, IR_I32_LOAD16_S, IR_I32_LOAD8_S, IR_I64_LOAD16_U, IR_I64_LOAD};
    static const enum ir_op stores[] = {IR_I32_STORE8, IR_I32_STORE16, IR_I32_STORE8, IR_I64_STORE16, IR_I64_STORE};
    uint64_t seed = 11;
    for (uint32_t k = 0; k < KT_MEMORY; k++)
        input[k] = (uint8_t)kt_random(&seed);
    for (size_t row = 0; row < sizeof loads / sizeof *loads; row++) {
        struct kt t;
        kt_init(&t, 2, 2, (enum ir_type[]){IR_I32, IR_I64, IR_F32}, 3);
        uint32_t width = ir_op_info[loads[row]].bytes;
        bool wide = ir_op_info[loads[row]].result == IR_I64;
        t.k.name = arena_printf(&t.module->arena, "narrow_%zu", row);
        t.extent[0] = 37;
        t.extent[1] = 13;
        t.k.workgroup[0] = 8;
        t.k.workgroup[1] = 4;
        t.scalars[0] = 20000 - 20000 % width;
        t.scalars[1] = UINT64_C(0x100000005);
        t.scalars[2] = 0x40490fdb;
        t.stream_lo[0] = 4;
        t.stream_lo[1] = (uint32_t)t.scalars[0];
        struct ir_builder *b = &t.b;
        struct ir_value *at = ir_build_simple(b, IR_I32_MUL, kt_param(&t, 1), ir_build_i32(b, 37));
        at = ir_build_simple(b, IR_I32_ADD, at, kt_param(&t, 0));
        at = ir_build_simple(b, IR_I32_MUL, at, ir_build_i32(b, width));
        struct ir_value *x = kt_load(&t, loads[row], at, 8, 0), *y = kt_load(&t, loads[row], at, 8 + width, 0);
        struct ir_value *sum = ir_build_simple(b, wide ? IR_I64_ADD : IR_I32_ADD, x, y);
        struct ir_value *more = ir_build_simple(b, IR_I32_REINTERPRET_F32, kt_param(&t, 4), NULL);
        if (wide)
            sum = ir_build_simple(b, IR_I64_ADD, sum, kt_param(&t, 3));
        else
            sum = ir_build_simple(b, IR_I32_ADD, sum, more);
        struct ir_value *to = ir_build_simple(b, IR_I32_ADD, at, kt_param(&t, 2));
        kt_store(&t, stores[row], to, sum, 0, 1);
        kt_return(&t);
        memcpy(want, input, sizeof want);
        assert_true(kt_interpret(&t, t.k.body, false, want));
        expect_want(&t);
        kt_free(&t);
    }
}

/* One of two constants, chosen by `select` and by a `br_table` out of a block, for all pairs of constants that
 * compilers like to be clever about; see legalize_choice.h. */
static unsigned run_choices(bool wide, uint32_t n) {
    static const uint64_t constants[2][13] = {
        {0, 1, 2, 0x1f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x3f800000, 0xbf800000, 0x40000000},
        {0, 1, 0x3f800000, 0xbf800000, 0xffffffff, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0x3ff0000000000000),
         UINT64_C(0xbff0000000000000), UINT64_C(0x3f80000000000000), UINT64_C(0xbf80000000000000),
         UINT64_C(0x80000000ffffffff), UINT64_C(0x3f8000003f800000)}};
    enum { COUNT = 13, POINTS = 40, OUT_AT = 4096 };
    const enum ir_op store = wide ? IR_I64_STORE : IR_I32_STORE;
    const enum ir_type type = wide ? IR_I64 : IR_I32;
    const uint32_t size = wide ? 8 : 4, record = 2 * COUNT * size;
    struct kt t;
    kt_init(&t, 1, 2, NULL, 0);
    t.k.name = arena_printf(&t.module->arena, "choices%u_%u", size * 8, n);
    t.extent[0] = POINTS;
    t.stream_lo[1] = OUT_AT;
    struct ir_builder *b = &t.b;
    struct ir_value *from = ir_build_simple(b, IR_I32_MUL, kt_param(&t, 0), ir_build_i32(b, 4));
    struct ir_value *to = ir_build_simple(b, IR_I32_MUL, kt_param(&t, 0), ir_build_i32(b, record));
    to = ir_build_simple(b, IR_I32_ADD, to, ir_build_i32(b, OUT_AT));
    struct ir_value *which = kt_load(&t, IR_I32_LOAD, from, 0, 0);
    for (uint32_t k = 0; k < COUNT; k++) {
        struct ir_value *args[2] = {ir_build_const(b, type, (union ir_bits){.i64 = constants[wide][n]}),
                                    ir_build_const(b, type, (union ir_bits){.i64 = constants[wide][k]})};
        kt_store(&t, store, to, ir_build_select(b, args[0], args[1], which), 2 * k * size, 1);
        struct ir_inst *block = ir_build_block(b, &type, 1), *targets[2] = {block, block};
        struct ir_builder inside = ir_builder_at_end(block->regions[0]);
        ir_build_br_table(&inside, which, targets, 2, args, 2);
        kt_store(&t, store, to, &block->results[0], (2 * k + 1) * size, 1);
    }
    kt_return(&t);
    memset(input, 0x55, sizeof input);
    for (uint32_t x = 0; x < POINTS; x++)
        memcpy(input + 4 * x, &(uint32_t){x % 5 == 2 || x % 3 == 0}, 4);
    memcpy(want, input, sizeof want);
    assert_true(kt_interpret(&t, t.k.body, false, want));
    kernels_emit(t.module, &t.k);
    kt_dump(&t, input, want);
    unsigned wrong = 0;
    for (uint32_t v = 0; device && v < t.k.nspirv; v++) {
        if (t.k.spirv[v].caps & ~vkt_caps(device))
            continue;
        memcpy(got, input, sizeof got);
        assert_true(vkt_run(device, &t.k, &t.k.spirv[v], got, KT_MEMORY, t.stream_lo, t.scalars, t.extent));
        for (uint32_t at = 0; at < 2 * COUNT; at++) {
            uint32_t bad = 0;
            for (uint32_t x = 0; x < POINTS; x++) {
                uint32_t place = OUT_AT + x * record + at * size;
                bad += memcmp(got + place, want + place, size) != 0;
            }
            wrong += bad != 0;
            if (bad)
                print_message("caps 0x%x, %s of 0x%llx and 0x%llx: %u of %d points wrong\n", t.k.spirv[v].caps,
                              at & 1 ? "br_table" : "select", (unsigned long long)constants[wide][n],
                              (unsigned long long)constants[wide][at / 2], bad, POINTS);
        }
    }
    kt_free(&t);
    return wrong;
}

static void test_choices(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (uint32_t n = 0; n < 26; n++)
        wrong += run_choices(n >= 13, n % 13);
    assert_int_equal(wrong, 0);
}

/* Arithmetic of numbers with constant zeros, which drivers like to leave out at the price of the result's sign; see
 * spv_float_const. */
static void run_zeros(bool wide) {
    static const enum ir_op ops[2][4] = {{IR_F32_ADD, IR_F32_SUB, IR_F32_MUL, IR_F32_DIV},
                                         {IR_F64_ADD, IR_F64_SUB, IR_F64_MUL, IR_F64_DIV}};
    static const float numbers[] = {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, 1e-30f, -1e30f};
    enum { POINTS = sizeof numbers / sizeof *numbers, OUT_AT = 4096 };
    const enum ir_type type = wide ? IR_F64 : IR_F32;
    const uint32_t size = wide ? 8 : 4, record = 16 * size;
    struct kt t;
    kt_init(&t, 1, 2, NULL, 0);
    t.k.name = wide ? "zeros64" : "zeros32";
    t.extent[0] = POINTS;
    t.stream_lo[1] = OUT_AT;
    struct ir_builder *b = &t.b;
    struct ir_value *from = ir_build_simple(b, IR_I32_MUL, kt_param(&t, 0), ir_build_i32(b, size));
    struct ir_value *to = ir_build_simple(b, IR_I32_MUL, kt_param(&t, 0), ir_build_i32(b, record));
    to = ir_build_simple(b, IR_I32_ADD, to, ir_build_i32(b, OUT_AT));
    struct ir_value *x = kt_load(&t, wide ? IR_F64_LOAD : IR_F32_LOAD, from, 0, 0);
    for (uint32_t k = 0; k < 16; k++) {
        uint64_t sign = k & 1 ? UINT64_C(1) << (wide ? 63 : 31) : 0;
        struct ir_value *zero = ir_build_const(b, type, (union ir_bits){.i64 = sign});
        struct ir_value *y = ir_build_simple(b, ops[wide][k >> 2], k & 2 ? zero : x, k & 2 ? x : zero);
        /* The bits of a NaN are nobody's promise. */
        struct ir_value *same = ir_build_simple(b, wide ? IR_F64_EQ : IR_F32_EQ, y, y);
        kt_store(&t, wide ? IR_F64_STORE : IR_F32_STORE, to, ir_build_select(b, y, x, same), k * size, 1);
    }
    kt_return(&t);
    memset(input, 0x55, sizeof input);
    for (uint32_t k = 0; k < POINTS; k++) {
        double number = numbers[k];
        memcpy(input + k * size, wide ? (const void *)&number : (const void *)&numbers[k], size);
    }
    memcpy(want, input, sizeof want);
    assert_true(kt_interpret(&t, t.k.body, false, want));
    expect_want(&t);
    kt_free(&t);
}

static void test_zeros(void **state) {
    (void)state;
    run_zeros(false);
    run_zeros(true);
}

/* More parameters than push constants hold. */
static void test_uniform_block(void **state) {
    (void)state;
    struct kt wide;
    enum ir_type many[8] = {IR_I64, IR_I64, IR_I64, IR_I64, IR_I64, IR_I64, IR_I64, IR_I64};
    kt_init(&wide, 1, 8, many, 8);
    wide.extent[0] = 5;
    wide.k.name = "uniform_block";
    struct ir_value *at = ir_build_simple(&wide.b, IR_I32_MUL, kt_param(&wide, 0), ir_build_i32(&wide.b, 64));
    for (uint32_t k = 0; k < 8; k++) {
        wide.scalars[k] = UINT64_C(0x0102030405060708) * (k + 3);
        kt_store(&wide, IR_I64_STORE, at, kt_param(&wide, 1 + k), k * 8, (int)k);
    }
    kt_return(&wide);
    memset(input, 0x55, sizeof input);
    memcpy(want, input, sizeof want);
    assert_true(kt_interpret(&wide, wide.k.body, false, want));
    expect_want(&wide);
    kt_free(&wide);
}

/* Whether some result is decorated NoContraction. */
static bool forbids_contraction(const struct off_spirv *s) {
    enum { HEADER = 5, OP_DECORATE = 71, NO_CONTRACTION = 42 };
    for (uint32_t at = HEADER; at < s->nwords; at += s->words[at] >> 16)
        if ((s->words[at] & 0xffff) == OP_DECORATE && s->words[at + 2] == NO_CONTRACTION)
            return true;
    return false;
}

/* What --fp= lets go, and only that. */
static void test_relaxed(void **state) {
    (void)state;
    static const struct {
        unsigned fp;
        enum ir_op op;
        uint32_t uses;
        bool forbids;
    } rows[] = {
        {0, IR_F32_DIV, OFF_USE_F32_ARITH | OFF_USE_F32_DIV | OFF_USE_F32_SUBNORMAL, true},
        {FP_DIVIDE, IR_F32_DIV, OFF_USE_F32_ARITH | OFF_USE_F32_SUBNORMAL, true},
        {FP_SUBNORMALS, IR_F32_DIV, OFF_USE_F32_ARITH | OFF_USE_F32_DIV, true},
        {FP_CONTRACT, IR_F32_DIV, OFF_USE_F32_DIV | OFF_USE_F32_SUBNORMAL, false},
        {FP_REASSOCIATE, IR_F32_MUL, OFF_USE_F32_ARITH | OFF_USE_F32_SUBNORMAL, true},
        {FP_FAST, IR_F32_DIV, 0, false},
        {FP_FAST, IR_F64_ADD, 0, false},
        {FP_FAST, IR_F64_DIV, OFF_USE_F64_DIV, false},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct kt t;
        kt_init_op(&t, rows[k].op);
        t.k.name = "relaxed";
        t.module->fp = rows[k].fp;
        kernels_emit(t.module, &t.k);
        assert_int_equal(t.k.uses, rows[k].uses);
        assert_true(t.k.nspirv > 0);
        assert_int_equal(forbids_contraction(&t.k.spirv[0]), rows[k].forbids);
        assert_int_equal(strstr(t.k.msl, "fp contract(off)") != NULL, rows[k].forbids);
        bool corrected = false;
        for (uint32_t v = 0; v < t.k.nspirv; v++)
            corrected |= (t.k.spirv[v].avoids & OFF_USE_F32_DIV) != 0;
        assert_int_equal(corrected, (rows[k].uses & OFF_USE_F32_DIV) != 0);
        kt_free(&t);
    }
}

static void test_validation(void **state) {
    (void)state;
    assert_int_equal(device ? vkt_validation_messages(device) : 0, 0);
}

int main(void) {
    device = vkt_open();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_narrow),        cmocka_unit_test(test_choices),    cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_uniform_block), cmocka_unit_test(test_operations), cmocka_unit_test(test_relaxed),
        cmocka_unit_test(test_validation),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    if (device)
        vkt_close(device);
    return rc;
}
