/* Arena, string buffer, operation table and evaluation, builder, map, effects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/ir_eval.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/util/strbuf.h"

static void test_arena(void **state) {
    (void)state;
    struct arena a = {0};
    char *kept = arena_printf(&a, "%d-%s", 7, "x");
    struct arena_mark mark = arena_mark(&a);
    for (int k = 0; k < 1000; k++) {
        unsigned char *p = arena_alloc(&a, (size_t)k * 7);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (int n = 0; n < k * 7; n++)
            assert_int_equal(p[n], 0);
        memset(p, 0xaa, (size_t)k * 7);
    }
    arena_reset(&a, mark);
    assert_int_equal(a.used, mark.used);
    char *again = arena_alloc(&a, 64); /* memory that was used before is cleared */
    for (int n = 0; n < 64; n++)
        assert_int_equal(again[n], 0);
    assert_string_equal(kept, "7-x");
    uint32_t *list = NULL, n = 0, cap = 0;
    for (uint32_t k = 0; k < 100; k++)
        *arena_push(&a, list, n, cap) = k;
    for (uint32_t k = 0; k < 100; k++)
        assert_int_equal(list[k], k);
    arena_free(&a);
    assert_null(a.chunk);
}

static void test_json(void **state) {
    (void)state;
    struct strbuf s = {0};
    const char text[] = "a\"\\\n\x01\xc3\xa9\xff\xe2\x82\xed\xa0\x80";
    strbuf_add_json(&s, text, sizeof text - 1);
    assert_string_equal(s.data, "\"a\\\"\\\\\\n\\u0001\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
    strbuf_free(&s);
    strbuf_printf(&s, "%0300d", 1);
    assert_int_equal(s.len, 300);
    strbuf_free(&s);
}

static void test_op_table(void **state) {
    (void)state;
    for (int a = 0; a < IR_OP_COUNT; a++) {
        assert_non_null(ir_op_info[a].text);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(ir_op_info[a].text, ir_op_info[b].text);
        if (ir_op_info[a].kind == IR_KIND_SIMPLE)
            assert_in_range(ir_op_info[a].operands, 1, 3);
    }
    assert_int_equal(ir_op_info[IR_F64_COPYSIGN].operand_types[1], IR_F64);
    assert_int_equal(ir_op_info[IR_I64_EQZ].result, IR_I32);
    assert_string_equal(ir_trap_text(IR_TRAP_MEMORY_BOUNDS), "out of bounds memory access");
}

static union ir_bits f32(float f) {
    return (union ir_bits){.f32 = f};
}
static union ir_bits f64(double d) {
    return (union ir_bits){.f64 = d};
}
static union ir_bits i32(uint32_t i) {
    return (union ir_bits){.i32 = i};
}
static union ir_bits i64(uint64_t i) {
    return (union ir_bits){.i64 = i};
}

/* Each row from the core specification's definition of the operation. */
static void test_eval(void **state) {
    (void)state;
    const struct {
        enum ir_op op;
        union ir_bits a, b;
        enum ir_trap trap;
        union ir_bits want;
    } rows[] = {
        {IR_I32_SHL, i32(1), i32(33), 0, i32(2)},
        {IR_I32_SHR_S, i32(0x80000000), i32(63), 0, i32(0xffffffff)},
        {IR_I32_ROTR, i32(1), i32(0), 0, i32(1)},
        {IR_I32_ROTR, i32(1), i32(1), 0, i32(0x80000000)},
        {IR_I64_ROTL, i64(1), i64(64), 0, i64(1)},
        {IR_I32_CLZ, i32(0), {0}, 0, i32(32)},
        {IR_I64_CTZ, i64(0), {0}, 0, i64(64)},
        {IR_I32_DIV_S, i32(0x80000000), i32(0xffffffff), IR_TRAP_INTEGER_OVERFLOW, {0}},
        {IR_I32_DIV_S, i32(7), i32(0xffffffff), 0, i32((uint32_t)-7)},
        {IR_I32_REM_S, i32(0x80000000), i32(0xffffffff), 0, i32(0)},
        {IR_I64_DIV_U, i64(1), i64(0), IR_TRAP_DIVIDE_BY_ZERO, {0}},
        {IR_I64_REM_S, i64((uint64_t)-7), i64(2), 0, i64((uint64_t)-1)},
        {IR_F32_MIN, f32(-0.0f), f32(0), 0, f32(-0.0f)},
        {IR_F32_MAX, f32(-0.0f), f32(0), 0, f32(0)},
        {IR_F64_NEAREST, f64(2.5), {0}, 0, f64(2)},
        {IR_F64_NEAREST, f64(-0.4), {0}, 0, f64(-0.0)},
        {IR_F32_CEIL, f32(-0.5f), {0}, 0, f32(-0.0f)},
        {IR_F32_COPYSIGN, f32(1), f32(-0.0f), 0, f32(-1)},
        {IR_I32_TRUNC_F32_S, f32(NAN), {0}, IR_TRAP_INVALID_CONVERSION, {0}},
        {IR_I32_TRUNC_F32_S, f32(2147483648.0f), {0}, IR_TRAP_INTEGER_OVERFLOW, {0}},
        {IR_I32_TRUNC_F32_S, f32(-2147483648.0f), {0}, 0, i32(0x80000000)},
        {IR_I32_TRUNC_F64_S, f64(-2147483648.9), {0}, 0, i32(0x80000000)},
        {IR_I32_TRUNC_F64_S, f64(-2147483649.0), {0}, IR_TRAP_INTEGER_OVERFLOW, {0}},
        {IR_I32_TRUNC_F64_U, f64(-0.9), {0}, 0, i32(0)},
        {IR_I32_TRUNC_F64_U, f64(-1), {0}, IR_TRAP_INTEGER_OVERFLOW, {0}},
        {IR_I64_TRUNC_F64_U, f64(18446744073709549568.0), {0}, 0, i64(18446744073709549568u)},
        {IR_I64_TRUNC_SAT_F64_S, f64(1e300), {0}, 0, i64(INT64_MAX)},
        {IR_I64_TRUNC_SAT_F64_U, f64(-5), {0}, 0, i64(0)},
        {IR_I32_TRUNC_SAT_F32_S, f32(NAN), {0}, 0, i32(0)},
        {IR_F32_CONVERT_I64_U, i64(UINT64_MAX), {0}, 0, f32(18446744073709551616.0f)},
        {IR_I64_EXTEND32_S, i64(0x1ffffffff), {0}, 0, i64(UINT64_MAX)},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        union ir_bits operands[3] = {rows[k].a, rows[k].b}, got = {.u64x2 = {0, 0}};
        enum ir_trap trap = ir_eval_simple(rows[k].op, operands, &got);
        if (trap != rows[k].trap || (!trap && got.i64 != rows[k].want.i64))
            fail_msg("row %zu, %s: trap %d, bits 0x%llx", k, ir_op_info[rows[k].op].text, trap,
                     (unsigned long long)got.i64);
    }
    union ir_bits nan[2] = {f32(NAN), f32(1)}, got;
    ir_eval_simple(IR_F32_MIN, nan, &got);
    assert_true(isnan(got.f32));
}

static void test_builder(void **state) {
    (void)state;
    static const enum ir_type i32s[] = {IR_I32, IR_I32};
    struct ir_module *m = ir_module_new();
    struct ir_func *f = ir_func_new(m, "f", &(struct ir_sig){2, 1, i32s, i32s});
    struct ir_builder b = ir_builder_at_end(f->body);
    struct ir_value *x = f->body->params[0], *init[] = {x, f->body->params[1]};
    struct ir_inst *loop = ir_build_loop(&b, init, 2, i32s, 2);
    struct ir_value *const *p = loop->regions[0]->params;
    struct ir_builder in = ir_builder_at_end(loop->regions[0]);
    struct ir_value *sum = ir_build_simple(&in, IR_I32_ADD, p[0], p[1]);
    ir_build_br_if(&in, sum, loop, (struct ir_value *[]){sum, p[0]}, 2);
    ir_build_yield(&in, (struct ir_value *[]){sum, p[0]}, 2);
    struct ir_inst *ret = ir_build_return(&b, (struct ir_value *[]){&loop->results[1]}, 1);
    struct strbuf out = {0};
    assert_true(ir_verify_func(f, &out));

    /* A copy inside the same function, in front of the return. */
    struct arena scratch = {0};
    struct ir_map *map = ir_map_new(&scratch);
    ir_map_set(map, x, init[1]);
    struct ir_builder before = ir_builder_before(ret);
    struct ir_inst *copy = ir_clone_inst(&before, loop, map);
    assert_ptr_equal(copy->operands[0], init[1]);
    assert_ptr_equal(copy->next, ret);
    assert_ptr_equal(copy->regions[0]->first->next->target, copy);
    assert_ptr_equal(ir_map_get(map, &loop->results[0]), &copy->results[0]);
    for (uintptr_t k = 1; k < 1000; k++) /* growth keeps entries */
        ir_map_set(map, (struct ir_value *)(k * 16), x);
    assert_ptr_equal(ir_map_get(map, &loop->results[0]), &copy->results[0]);
    assert_true(ir_verify_func(f, &out));

    /* Dropping result 0 moves result 1 and leaves a forward pointer. */
    struct ir_value *old = &loop->results[1];
    ir_inst_drop_results(loop, (bool[]){false, true});
    ir_inst_set_operands(loop->regions[0]->last, (struct ir_value *[]){p[0]}, 1);
    assert_ptr_equal(ir_resolve(old), &loop->results[0]);
    ret->operands[0] = ir_resolve(ret->operands[0]);
    assert_true(ir_verify_func(f, &out));
    ir_inst_move_before(copy, loop);
    ret->operands[0] = &copy->results[1];
    assert_true(ir_verify_func(f, &out));

    /* The verifier notices. */
    ret->operands[0] = sum;
    assert_false(ir_verify_func(f, &out));
    assert_non_null(strstr(out.data, "not in scope"));
    arena_free(&scratch);
    strbuf_free(&out);
    ir_func_free(f);
    ir_module_free(m);
}

static void test_effects(void **state) {
    (void)state;
    static const char text[] = "memory 0 min=1\n"
                               "func 0 \"f\" (%a:i32) {\n"
                               "  %0 = i32.const 0\n"
                               "  %1 = i32.const -1\n"
                               "  %2 = i32.div_s %a, %0\n"
                               "  %3 = i32.div_s %a, %1\n"
                               "  %4 = i32.rem_s %a, %1\n"
                               "  %5 = i32.div_u %a, %a\n"
                               "  %6 = i32.load %a\n"
                               "  %7:i32 = memory.size 0\n"
                               "  return\n}\n";
    /* may trap, is pure, is removable */
    static const bool want[][3] = {{0, 1, 1}, {0, 1, 1}, {1, 0, 0}, {1, 0, 0},
                                   {0, 1, 1}, {1, 0, 0}, {1, 0, 0}, {0, 0, 1}};
    struct ir_parse_error error;
    struct ir_module *m = ir_parse_module(text, sizeof text - 1, &error);
    assert_non_null(m);
    const struct ir_inst *i = m->funcs[0].func->body->first;
    for (size_t k = 0; k < sizeof want / sizeof *want; k++, i = i->next) {
        assert_int_equal(ir_may_trap(i), want[k][0]);
        assert_int_equal(ir_is_pure(i), want[k][1]);
        assert_int_equal(ir_is_removable(i), want[k][2]);
    }
    ir_module_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena), cmocka_unit_test(test_json),    cmocka_unit_test(test_op_table),
        cmocka_unit_test(test_eval),  cmocka_unit_test(test_builder), cmocka_unit_test(test_effects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
