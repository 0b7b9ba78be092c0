/* v128 values as lanes, and unaligned accesses as words, against the interpreter: every operation with operands of
 * every shape, passed through loops and selects, before and after each step of the legalisation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir_eval_simd.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/offload/legalize.h"
#include "tests/unit/kernel_test.h"

enum { POINTS = 160, CELL = 16, RECORD = 5 * CELL, RESULT_AT = 4 * CELL };

static uint8_t input[KT_MEMORY], want[KT_MEMORY], got[KT_MEMORY];

/* What makes a value have its lanes in a certain shape without changing a bit. */
enum shaping { PLAIN, BYTES, HALVES, WORDS, LONGS, FLOATS, DOUBLES, LOOP, SELECT, SHAPINGS };

static struct ir_value *lanes_op(struct kt *t, enum ir_op op, struct ir_value *x, struct ir_value *y, uint8_t at) {
    struct ir_value *operands[2] = {x, y};
    enum ir_type type = (enum ir_type)ir_op_info[op].result;
    struct ir_inst *i = ir_build(&t->b, op, &type, 1, operands, y ? 2 : 1);
    i->bits.v128[0] = at;
    return &i->results[0];
}

static struct ir_value *through_loop(struct kt *t, struct ir_value *v) {
    static const enum ir_type type = IR_V128;
    struct ir_inst *loop = ir_build_loop(&t->b, &v, 1, &type, 1);
    struct ir_builder b = ir_builder_at_end(loop->regions[0]);
    ir_build_yield(&b, &loop->regions[0]->params[0], 1);
    return &loop->results[0];
}

static struct ir_value *shape(struct kt *t, enum shaping how, struct ir_value *v, struct ir_value *other) {
    static const enum ir_op adds[] = {IR_I8X16_ADD, IR_I16X8_ADD, IR_I32X4_ADD, IR_I64X2_ADD};
    switch (how) {
    case BYTES:
    case HALVES:
    case WORDS:
    case LONGS: {
        struct ir_value *zero = ir_build_const(&t->b, IR_V128, (union ir_bits){.i64 = 0});
        return ir_build_simple(&t->b, adds[how - BYTES], v, zero);
    }
    case FLOATS:
        return lanes_op(t, IR_F32X4_REPLACE_LANE, v, lanes_op(t, IR_F32X4_EXTRACT_LANE, v, NULL, 2), 2);
    case DOUBLES:
        return lanes_op(t, IR_F64X2_REPLACE_LANE, v, lanes_op(t, IR_F64X2_EXTRACT_LANE, v, NULL, 1), 1);
    case LOOP:
        return through_loop(t, v);
    case SELECT: {
        struct ir_value *odd = ir_build_simple(&t->b, IR_I32_AND, kt_param(t, 0), ir_build_i32(&t->b, 1));
        struct ir_value *a = ir_build_select(&t->b, v, other, odd), *b = ir_build_select(&t->b, other, v, odd);
        return ir_build_select(&t->b, a, b, odd);
    }
    default:
        return v;
    }
}

static enum ir_op load_of(enum ir_type type) {
    static const enum ir_op loads[] = {IR_I32_LOAD, IR_I64_LOAD, IR_F32_LOAD, IR_F64_LOAD, IR_V128_LOAD};
    return loads[type];
}

static enum ir_op store_of(enum ir_type type) {
    static const enum ir_op stores[] = {IR_I32_STORE, IR_I64_STORE, IR_F32_STORE, IR_F64_STORE, IR_V128_STORE};
    return stores[type];
}

static void build(struct kt *t, enum ir_op op, enum shaping how, uint8_t seed) {
    const struct ir_op_info *info = &ir_op_info[op];
    kt_init(t, 1, 2, NULL, 0);
    t->extent[0] = POINTS;
    struct ir_value *address = ir_build_simple(&t->b, IR_I32_MUL, kt_param(t, 0), ir_build_i32(&t->b, RECORD));
    struct ir_value *operands[3], *other = kt_load(t, IR_V128_LOAD, address, 3 * CELL, 0);
    for (uint32_t k = 0; k < info->operands; k++) {
        enum ir_type type = (enum ir_type)info->operand_types[k];
        operands[k] = kt_load(t, load_of(type), address, k * CELL, 0);
        if (type == IR_V128)
            operands[k] = shape(t, (enum shaping)((how + (k ? seed % 3 : 0)) % SHAPINGS), operands[k], other);
    }
    enum ir_type type = (enum ir_type)info->result;
    struct ir_inst *i = ir_build(&t->b, op, &type, 1, operands, info->operands);
    for (uint32_t k = 0; k < info->lanes; k++)
        i->bits.v128[k] = (uint8_t)((seed + k * (seed % 5 ? seed % 7 : 1)) % info->lane_bound);
    struct ir_value *v = &i->results[0];
    if (type == IR_V128 && how >= LOOP)
        v = shape(t, how, v, other);
    kt_store(t, store_of(type), address, v, RESULT_AT, 1);
    kt_return(t);
}

static void fill(uint64_t seed) {
    for (uint32_t k = 0; k < KT_MEMORY; k += 4) {
        uint32_t v = kt_random(&seed) & 1 ? (uint32_t)kt_hard_value(IR_I32, (uint32_t)kt_random(&seed))
                                          : (uint32_t)kt_random(&seed);
        if (!(kt_random(&seed) >> 61))
            v = (uint32_t)(kt_random(&seed) >> 60) * 0x01010101u;
        memcpy(input + k, &v, 4);
    }
    for (uint32_t k = 0; k < KT_MEMORY; k += 8)
        if (!(kt_random(&seed) >> 62)) {
            uint64_t v = kt_hard_value(IR_F64, (uint32_t)kt_random(&seed));
            memcpy(input + k, &v, 8);
        }
}

static bool is_nan32(uint32_t v) {
    return (v & 0x7fffffff) > 0x7f800000;
}

static bool is_nan64(uint64_t v) {
    return (v & UINT64_C(0x7fffffffffffffff)) > UINT64_C(0x7ff0000000000000);
}

/* Results of float operations may be any NaN where they are one. */
static bool same_result(enum ir_op op, const uint8_t *a, const uint8_t *b) {
    const struct ir_op_info *info = &ir_op_info[op];
    union ir_bits x, y;
    memcpy(x.v128, a, 16);
    memcpy(y.v128, b, 16);
    if (info->kind != IR_KIND_SIMPLE || info->flags & IR_FLAG_BITWISE)
        return !memcmp(a, b, 16);
    bool wide = !strncmp(info->text, "f64x2", 5);
    for (int k = 0; k < 4 && !wide; k++)
        if (x.u32x4[k] != y.u32x4[k] && !(is_nan32(x.u32x4[k]) && is_nan32(y.u32x4[k])))
            return false;
    for (int k = 0; k < 2 && wide; k++)
        if (x.u64x2[k] != y.u64x2[k] && !(is_nan64(x.u64x2[k]) && is_nan64(y.u64x2[k])))
            return false;
    return true;
}

static void check_step(struct kt *t, enum ir_op op, enum shaping how, struct ir_func *f, bool split, const char *step) {
    struct strbuf problems = {0};
    if (!ir_verify_func(f, &problems)) {
        ir_print_func(&problems, f);
        fail_msg("%s (shaping %d) after %s:\n%s", ir_op_info[op].text, how, step, problems.data);
    }
    memcpy(got, input, sizeof got);
    assert_true(kt_interpret(t, f, split, got));
    for (uint32_t p = 0; p < POINTS; p++) {
        const uint8_t *x = want + p * RECORD, *y = got + p * RECORD;
        assert_memory_equal(x, y, RESULT_AT);
        if (!same_result(op, x + RESULT_AT, y + RESULT_AT)) {
            const uint32_t *a = (const uint32_t *)(x + RESULT_AT), *b = (const uint32_t *)(y + RESULT_AT);
            const uint32_t *o = (const uint32_t *)x;
            fail_msg(
                "%s (shaping %d) after %s, point %u: (%08x %08x %08x %08x, %08x %08x %08x %08x) gives %08x %08x %08x "
                "%08x, not %08x %08x %08x %08x",
                ir_op_info[op].text, how, step, p, o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7], b[0], b[1], b[2],
                b[3], a[0], a[1], a[2], a[3]);
        }
    }
}

static bool makes_f64(const struct ir_func *f) {
    return legalize_has_f64_arithmetic((struct ir_func *)f);
}

static void check_op(enum ir_op op, enum shaping how, uint8_t seed) {
    struct kt t;
    build(&t, op, how, seed);
    fill(seed + 1);
    memcpy(want, input, sizeof want);
    assert_true(kt_interpret(&t, t.k.body, false, want));
    assert_null(legalize_check(t.k.body));
    struct ir_func *lanes = legalize_v128(t.k.body);
    assert_false(legalize_has_v128(lanes));
    check_step(&t, op, how, lanes, false, "v128");
    if (seed == 0 && !makes_f64(lanes)) { /* the later steps get along with what the first made */
        struct ir_func *arith = legalize_arith(lanes, true), *narrow = legalize_narrow(arith, 0);
        struct ir_func *split = legalize_i64(narrow);
        check_step(&t, op, how, split, true, "i64");
        ir_func_free(split);
        ir_func_free(narrow);
        ir_func_free(arith);
    }
    ir_func_free(lanes);
    kt_free(&t);
}

static bool takes_or_gives_v128(const struct ir_op_info *info) {
    bool yes = info->result == IR_V128;
    for (uint32_t k = 0; k < info->operands; k++)
        yes |= info->operand_types[k] == IR_V128;
    return yes;
}

static bool is_fused(const struct ir_op_info *info) {
    return strstr(info->text, "madd") != NULL;
}

static void test_all_operations(void **state) {
    (void)state;
    unsigned n = 0;
    for (int op = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *info = &ir_op_info[op];
        if ((info->kind != IR_KIND_SIMPLE && info->kind != IR_KIND_LANES) || !takes_or_gives_v128(info) ||
            is_fused(info))
            continue;
        for (int how = 0; how < SHAPINGS; how++)
            for (unsigned seed = 0; seed < (info->lanes ? 24u : 2u); seed++)
                check_op((enum ir_op)op, (enum shaping)how, (uint8_t)seed);
        n++;
    }
    assert_true(n > 225);
}

/* No target multiplies and adds with one rounding. */
static void test_fused_is_refused(void **state) {
    (void)state;
    struct kt t;
    build(&t, IR_F32X4_RELAXED_MADD, PLAIN, 0);
    assert_non_null(legalize_check(t.k.body));
    kt_free(&t);
}

/* Shuffles of whole halves, words and longs, in all shapes. */
static void test_group_shuffles(void **state) {
    (void)state;
    for (unsigned bytes = 2; bytes <= 8; bytes *= 2)
        for (int how = 0; how < SHAPINGS; how++)
            for (uint8_t seed = 0; seed < 3; seed++) {
                struct kt t;
                build(&t, IR_I8X16_SHUFFLE, (enum shaping)how, seed);
                ir_foreach_inst (i, t.k.body->body)
                    for (unsigned k = 0; i->op == IR_I8X16_SHUFFLE && k < 16; k++)
                        i->bits.v128[k] = (uint8_t)((k / bytes * 5 + seed) * bytes % 32 + k % bytes);
                fill(seed);
                memcpy(want, input, sizeof want);
                assert_true(kt_interpret(&t, t.k.body, false, want));
                struct ir_func *lanes = legalize_v128(t.k.body);
                check_step(&t, IR_I8X16_SHUFFLE, (enum shaping)how, lanes, false, "v128");
                ir_func_free(lanes);
                kt_free(&t);
            }
}

static struct ir_func *without_unaligned(struct ir_func *body) {
    if (!legalize_has_v128(body))
        return legalize_unaligned(body);
    struct ir_func *lanes = legalize_v128(body), *words = legalize_unaligned(lanes);
    ir_func_free(lanes);
    return words;
}

/* Accesses of each width at every place in a word, with every alignment they may claim. */
static void test_unaligned_accesses(void **state) {
    (void)state;
    static const struct {
        enum ir_op load, store;
    } rows[] = {
        {IR_I32_LOAD16_S, IR_I32_STORE16}, {IR_I32_LOAD16_U, IR_I32_STORE},      {IR_I32_LOAD, IR_I32_STORE},
        {IR_F32_LOAD, IR_F32_STORE},       {IR_I64_LOAD, IR_I64_STORE},          {IR_F64_LOAD, IR_F64_STORE},
        {IR_I64_LOAD16_S, IR_I64_STORE16}, {IR_I64_LOAD32_S, IR_I64_STORE},      {IR_I64_LOAD32_U, IR_I64_STORE32},
        {IR_V128_LOAD, IR_V128_STORE},     {IR_V128_LOAD32_ZERO, IR_V128_STORE}, {IR_V128_LOAD64_ZERO, IR_V128_STORE},
    };
    fill(3);
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        for (unsigned variant = 0; variant < 8; variant++) {
            struct kt t;
            unsigned align = variant & 1, offset = variant / 2 << align, step = align ? 18 : 21;
            kt_init(&t, 1, 2, NULL, 0);
            t.extent[0] = 100;
            struct ir_value *at = ir_build_simple(&t.b, IR_I32_MUL, kt_param(&t, 0), ir_build_i32(&t.b, step));
            struct ir_mem mem = {.offset = offset, .align_log2 = (uint8_t)align};
            struct ir_value *v = ir_build_load(&t.b, rows[row].load, at, mem);
            mem.stream = 1;
            mem.offset = 8192 + 2 * offset;
            ir_build_store(&t.b, rows[row].store, at, v, mem);
            kt_return(&t);
            memcpy(want, input, sizeof want);
            assert_true(kt_interpret(&t, t.k.body, false, want));
            struct ir_func *words = without_unaligned(t.k.body);
            assert_false(legalize_has_unaligned(words));
            memcpy(got, input, sizeof got);
            assert_true(kt_interpret(&t, words, false, got));
            assert_memory_equal(want, got, KT_MEMORY);
            ir_func_free(words);
            kt_free(&t);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unaligned_accesses),
        cmocka_unit_test(test_group_shuffles),
        cmocka_unit_test(test_fused_is_refused),
        cmocka_unit_test(test_all_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
