/* Legalisation against the interpreter: every simple operation on hard values, before and after each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/offload/legalize.h"
#include "tests/unit/kernel_test.h"

static uint8_t input[KT_MEMORY], want[KT_MEMORY], got[KT_MEMORY];

static bool is_f64_arithmetic(enum ir_op op) {
    return op == IR_F64_ADD || op == IR_F64_SUB || op == IR_F64_MUL || op == IR_F64_DIV || op == IR_F64_SQRT;
}

static void check_step(struct kt *t, enum ir_op op, struct ir_func *f, bool split, const char *step) {
    struct strbuf problems = {0};
    if (!ir_verify_func(f, &problems)) {
        ir_print_func(&problems, f);
        fail_msg("%s after %s:\n%s", ir_op_info[op].text, step, problems.data);
    }
    memcpy(got, input, sizeof got);
    assert_true(kt_interpret(t, f, split, got));
    uint32_t first = 0, bad = kt_compare_op(t, op, want, got, &first);
    if (bad) {
        uint64_t v[3], r;
        memcpy(v, want + first * 24, sizeof v);
        memcpy(&r, got + first * 24 + 16, sizeof r);
        fail_msg("%s after %s: %u of %u wrong, first: (0x%llx, 0x%llx) = 0x%llx, not 0x%llx", ir_op_info[op].text, step,
                 bad, t->extent[0], (unsigned long long)v[0], (unsigned long long)v[1], (unsigned long long)v[2],
                 (unsigned long long)r);
    }
}

static void check_op(enum ir_op op) {
    struct kt t;
    kt_init_op(&t, op);
    kt_fill_op(&t, op, input);
    memcpy(want, input, sizeof want);
    assert_true(kt_interpret(&t, t.k.body, false, want));
    assert_null(legalize_check(t.k.body));
    for (int soft = 0; soft < 2; soft++) {
        if (soft && is_f64_arithmetic(op))
            break;
        struct ir_func *arith = legalize_arith(t.k.body, soft);
        check_step(&t, op, arith, false, soft ? "arith (soft)" : "arith");
        struct ir_func *narrow = legalize_narrow(arith, 0);
        check_step(&t, op, narrow, false, "narrow");
        if (soft) {
            struct ir_func *split = legalize_i64(narrow);
            check_step(&t, op, split, true, "i64");
            assert_false(legalize_has_wide_values(split));
            ir_func_free(split);
        }
        ir_func_free(narrow);
        ir_func_free(arith);
    }
    kt_free(&t);
}

static void test_all_operations(void **state) {
    (void)state;
    unsigned n = 0;
    for (int op = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *info = &ir_op_info[op];
        if (info->kind != IR_KIND_SIMPLE || info->result > IR_F64 || info->operand_types[0] > IR_F64)
            continue;
        check_op((enum ir_op)op);
        n++;
    }
    assert_true(n > 120);
}

/* Narrow accesses at every place in a word, in all combinations of signedness and width. */
static void test_narrow_accesses(void **state) {
    (void)state;
    static const struct {
        enum ir_op load, store;
        uint32_t bytes;
    } rows[] = {
        {IR_I32_LOAD8_S, IR_I32_STORE8, 1},   {IR_I32_LOAD8_U, IR_I32_STORE8, 1},
        {IR_I32_LOAD16_S, IR_I32_STORE16, 2}, {IR_I32_LOAD16_U, IR_I32_STORE16, 2},
        {IR_I64_LOAD8_S, IR_I64_STORE8, 1},   {IR_I64_LOAD8_U, IR_I64_STORE16, 2},
        {IR_I64_LOAD16_S, IR_I64_STORE16, 2}, {IR_I64_LOAD16_U, IR_I64_STORE32, 4},
        {IR_I64_LOAD32_S, IR_I64_STORE32, 4}, {IR_I64_LOAD32_U, IR_I64_STORE, 8},
        {IR_I64_LOAD8_S, IR_I64_STORE, 8},    {IR_I32_LOAD16_S, IR_I32_STORE8, 1},
    };
    uint64_t seed = 7;
    for (uint32_t k = 0; k < KT_MEMORY; k++)
        input[k] = (uint8_t)kt_random(&seed);
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        for (uint32_t offset = 0; offset < 4; offset++) {
            uint32_t width = ir_op_info[rows[row].load].bytes;
            if (offset % width || offset % rows[row].bytes)
                continue;
            struct kt t;
            kt_init(&t, 1, 2, NULL, 0);
            t.extent[0] = 100;
            struct ir_value *from = ir_build_simple(&t.b, IR_I32_MUL, kt_param(&t, 0), ir_build_i32(&t.b, width));
            struct ir_value *to =
                ir_build_simple(&t.b, IR_I32_MUL, kt_param(&t, 0), ir_build_i32(&t.b, rows[row].bytes));
            kt_store(&t, rows[row].store, to, kt_load(&t, rows[row].load, from, offset, 0), 4096 + offset, 1);
            kt_return(&t);
            memcpy(want, input, sizeof want);
            assert_true(kt_interpret(&t, t.k.body, false, want));
            for (unsigned keep = 0; keep < 4; keep++) {
                struct ir_func *narrow = legalize_narrow(t.k.body, keep), *split = legalize_i64(narrow);
                memcpy(got, input, sizeof got);
                assert_true(kt_interpret(&t, narrow, false, got));
                assert_memory_equal(want, got, KT_MEMORY);
                memcpy(got, input, sizeof got);
                assert_true(kt_interpret(&t, split, true, got));
                assert_memory_equal(want, got, KT_MEMORY);
                ir_func_free(split);
                ir_func_free(narrow);
            }
            kt_free(&t);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_narrow_accesses),
        cmocka_unit_test(test_all_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
