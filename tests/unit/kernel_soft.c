/* legalize_soft: every f64 operation, and f32 sums and products on a device that flushes subnormals, against this CPU.
 *
 * A function of one operation is legalised and run in the interpreter, on i64 and on pairs of i32, and its results are
 * compared with those of the function as it was, which are the C compiler's.  Operands: all pairs of special
 * values, and random ones of several sorts: any bits, exponents close together, results around the subnormal range
 * and around overflow, significands with few bits set (ties).  For f32 the interpreter's exact operation is surrounded
 * by what a flushing device does to its operands and its result.
 *
 *     test_kernel_soft [random cases an operation, default 20,000]
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir_build.h"
#include "ir/ir_interp.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/offload/legalize.h"
#include "ir/offload/legalize_soft.h"
#include "tests/unit/kernel_test.h"

static uint64_t random_cases = 20000;

static const uint64_t special64[] = {
    0x0000000000000000, 0x0000000000000001, 0x0000000000000002, 0x000fffffffffffff, 0x0008000000000000,
    0x0010000000000000, 0x0010000000000001, 0x001fffffffffffff, 0x0020000000000000, 0x3fefffffffffffff,
    0x3ff0000000000000, 0x3ff0000000000001, 0x3ff8000000000000, 0x4000000000000000, 0x4008000000000000,
    0x41dfffffffc00000, 0x41e0000000000000, 0x43dfffffffffffff, 0x43e0000000000000, 0x43f0000000000000,
    0x4330000000000001, 0x433fffffffffffff, 0x4340000000000000, 0x3ca0000000000000, 0x3c90000000000000,
    0x3c9fffffffffffff, 0x1ff0000000000000, 0x2000000000000001, 0x7fe0000000000000, 0x7fefffffffffffff,
    0x7ff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0x47efffffe0000000, 0x47effffff0000000,
    0x380fffffe0000000, 0x3690000000000000, 0x36a0000000000000, 0x3fe0000000000000, 0x4004000000000000,
};

static const uint32_t special32[] = {
    0,          1,          2,          0x00400000, 0x007fffff, 0x00800000, 0x00800001, 0x00ffffff, 0x01000000,
    0x01000001, 0x017fffff, 0x01800000, 0x0d000000, 0x0e7fffff, 0x0effffff, 0x0f000000, 0x0f000001, 0x0f800000,
    0x1f800000, 0x1fffffff, 0x20000000, 0x20000001, 0x33800000, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x40000000,
    0x4b800000, 0x5f000000, 0x7f000000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7f800001,
};

/* What a device does to subnormals before and after an operation. */
enum { FLUSH_OPERANDS = 1, FLUSH_RESULT = 2, FLUSH_SIGN = 4, FLUSH_MODES = 8 };

struct runner {
    enum ir_op op;
    struct ir_module *m, *library;
    struct ir_func *plain, *native, *split;
    struct ir_interp *reference, *in;
};

static void verify(struct ir_func *f) {
    struct strbuf problems = {0};
    if (ir_verify_func(f, &problems))
        return;
    ir_print_func(&problems, f);
    fail_msg("%s", problems.data);
}

/* Bits of a float with subnormals replaced by zeros. */
static struct ir_value *flush(struct ir_builder *b, struct ir_value *v, unsigned mode) {
    struct ir_value *bits = ir_build_simple(b, IR_I32_REINTERPRET_F32, v, NULL);
    struct ir_value *zero = ir_build_i32(b, 0);
    struct ir_value *exponent = ir_build_simple(b, IR_I32_AND, bits, ir_build_i32(b, 0x7f800000));
    if (!(mode & FLUSH_SIGN))
        zero = ir_build_simple(b, IR_I32_AND, bits, ir_build_i32(b, UINT32_C(1) << 31));
    bits = ir_build_select(b, bits, zero, exponent);
    return ir_build_simple(b, IR_F32_REINTERPRET_I32, bits, NULL);
}

static void flush_operation(struct ir_func *f, enum ir_op op, unsigned mode) {
    unsigned found = 0;
    ir_foreach_inst (i, f->body) {
        if (i->op != op)
            continue;
        found++;
        struct ir_builder b = ir_builder_before(i);
        for (uint32_t k = 0; k < 2 && (mode & FLUSH_OPERANDS); k++)
            i->operands[k] = flush(&b, i->operands[k], mode);
        struct ir_inst *user = i->next;
        assert_int_equal(user->op, IR_I32_REINTERPRET_F32);
        b = ir_builder_before(user);
        if (mode & FLUSH_RESULT)
            user->operands[0] = flush(&b, &i->results[0], mode);
    }
    assert_int_equal(found, 1);
    verify(f);
}

static struct runner runner_new(enum ir_op op) {
    const struct ir_op_info *info = &ir_op_info[op];
    struct runner r = {.op = op, .m = ir_module_new()};
    enum ir_type params[2] = {(enum ir_type)info->operand_types[0], (enum ir_type)info->operand_types[1]};
    enum ir_type result = (enum ir_type)info->result;
    struct ir_sig sig = {info->operands, 1, params, &result};
    r.plain = ir_func_new(r.m, "f", &sig);
    struct ir_builder b = ir_builder_at_end(r.plain->body);
    struct ir_value **p = r.plain->body->params;
    struct ir_value *v = ir_build_simple(&b, op, p[0], info->operands > 1 ? p[1] : NULL);
    ir_build_return(&b, &v, 1);

    r.library = soft_library_new(r.m);
    struct ir_func *soft = legalize_soft(r.plain, r.library, SOFT_F64 | SOFT_SUBNORMALS);
    verify(soft);
    r.native = legalize_arith(soft, true);
    r.split = legalize_i64(r.native);
    ir_func_free(soft);
    verify(r.native);
    verify(r.split);
    assert_false(legalize_has_f64_arithmetic(r.native));
    assert_false(legalize_has_wide_values(r.split));
    unsigned helpers = 0;
    for (uint32_t k = 0; k < r.library->nfuncs; k++)
        if (r.library->funcs[k].func) {
            helpers++;
            verify(r.library->funcs[k].func);
            assert_false(legalize_has_f64_arithmetic(r.library->funcs[k].func));
            if (k % 2)
                assert_false(legalize_has_wide_values(r.library->funcs[k].func));
        }
    assert_int_equal(helpers, 2);
    struct ir_trap_info trap;
    r.reference = ir_interp_new(&(struct ir_interp_desc){.module = r.m}, &trap);
    r.in = ir_interp_new(&(struct ir_interp_desc){.module = r.library}, &trap);
    assert_non_null(r.reference);
    assert_non_null(r.in);
    return r;
}

static void runner_free(struct runner *r) {
    ir_interp_free(r->reference);
    ir_interp_free(r->in);
    ir_func_free(r->plain);
    ir_func_free(r->native);
    ir_func_free(r->split);
    soft_library_free(r->library);
    ir_module_free(r->m);
}

static bool same(enum ir_type t, uint64_t want, uint64_t got) {
    union ir_bits a = {.i64 = want}, b = {.i64 = got};
    if (t == IR_F64)
        return want == got || (isnan(a.f64) && isnan(b.f64));
    return (uint32_t)want == (uint32_t)got ? t != IR_I64 || want == got : t == IR_F32 && isnan(a.f32) && isnan(b.f32);
}

static bool is_wide(enum ir_type t) {
    return t == IR_I64 || t == IR_F64;
}

static void check(struct runner *r, uint64_t x, uint64_t y) {
    const struct ir_op_info *info = &ir_op_info[r->op];
    const uint64_t operands[2] = {x, y};
    union ir_bits want[2] = {{.i64 = x}, {.i64 = y}}, native[2] = {{.i64 = x}, {.i64 = y}}, split[4] = {0};
    struct ir_trap_info trap;
    if (!ir_interp_call_func(r->reference, r->plain, want, &trap))
        return; /* a trapping conversion */
    uint32_t n = 0;
    for (uint32_t k = 0; k < info->operands && k < 2; k++) {
        split[n++].i32 = (uint32_t)operands[k];
        if (is_wide((enum ir_type)info->operand_types[k]))
            split[n++].i32 = (uint32_t)(operands[k] >> 32);
    }
    assert_true(ir_interp_call_func(r->in, r->native, native, &trap));
    assert_true(ir_interp_call_func(r->in, r->split, split, &trap));
    enum ir_type t = (enum ir_type)info->result;
    uint64_t results[2] = {native[0].i64, split[0].i32 | (is_wide(t) ? (uint64_t)split[1].i32 << 32 : 0)};
    for (int form = 0; form < 2; form++)
        if (!same(t, want[0].i64, results[form]))
            fail_msg("%s%s (0x%llx, 0x%llx) = 0x%llx, not 0x%llx", info->text, form ? " in words" : "",
                     (unsigned long long)x, (unsigned long long)y, (unsigned long long)results[form],
                     (unsigned long long)want[0].i64);
}

/* Bits with `bits` bits of mantissa below an exponent field. */
static uint64_t random_float(uint64_t *seed, uint32_t mant, uint32_t emax) {
    uint64_t v = kt_random(seed), how = kt_random(seed) >> 33, field = (uint64_t)emax << mant;
    uint64_t sign = v & ((uint64_t)emax + 1) << mant, fraction = v & ((UINT64_C(1) << mant) - 1);
    uint64_t shift = (how >> 8) % (mant + 1);
    switch (how % 8) {
    case 0: /* few low bits */
        fraction = (fraction >> shift) << shift;
        break;
    case 1: /* many low ones */
        fraction |= (UINT64_C(1) << shift) - 1;
        break;
    case 2: /* subnormal */
        return sign | fraction >> shift;
    case 3: /* around one */
        return sign | ((uint64_t)(emax / 2 - 4 + (how >> 16) % 9) << mant) | fraction;
    case 4: /* where the mantissa is an integer */
        return sign | ((uint64_t)(emax / 2 + (how >> 16) % 66) << mant) | (fraction >> shift) << shift;
    case 5: /* products and quotients around the least exponent */
        return sign | ((uint64_t)(emax / 4 - 30 + (how >> 16) % 60) << mant) | fraction;
    default:
        break;
    }
    return (v & (field | ((uint64_t)emax + 1) << mant)) | fraction;
}

static uint64_t random_operand(uint64_t *seed, enum ir_type t) {
    if (t == IR_F64)
        return random_float(seed, 52, 2047);
    if (t == IR_F32)
        return random_float(seed, 23, 255);
    uint64_t v = kt_random(seed) >> (kt_random(seed) >> 40) % 64;
    return t == IR_I32 ? (uint32_t)v : v;
}

static uint64_t special(enum ir_type t, uint32_t k) {
    const uint32_t n64 = sizeof special64 / 8, n32 = sizeof special32 / 4;
    if (t == IR_F32)
        return special32[k / 2 % n32] | (k % 2 ? UINT32_C(1) << 31 : 0);
    uint64_t v = special64[k / 2 % n64] ^ (k % 2 ? UINT64_C(1) << 63 : 0);
    return t == IR_I32 ? (uint32_t)(v >> 32 ^ v) : v;
}

static void check_many(struct runner *r, uint64_t cases) {
    enum { SPECIALS = 80 };
    const struct ir_op_info *info = &ir_op_info[r->op];
    enum ir_type tx = (enum ir_type)info->operand_types[0], ty = (enum ir_type)info->operand_types[1];
    for (uint32_t x = 0; x < SPECIALS; x++)
        for (uint32_t y = 0; y < (info->operands > 1 ? SPECIALS : 1); y++)
            check(r, special(tx, x), special(ty, y));
    uint64_t seed = 0x9e3779b97f4a7c15 + (uint64_t)r->op;
    for (uint64_t n = 0; n < cases; n++) {
        uint64_t x = random_operand(&seed, tx), y = random_operand(&seed, ty), how = kt_random(&seed) >> 40;
        uint32_t mant = tx == IR_F64 ? 52 : 23;
        if (info->operands > 1 && how % 4 == 0) { /* exponents close together */
            uint64_t fraction = (UINT64_C(1) << mant) - 1;
            y = (x & ~fraction) + ((how >> 4) % 5 << mant) - ((how >> 7) % 57 << mant) + (y & fraction);
            y = tx == IR_F64 ? y : (uint32_t)y;
        }
        if (how % 64 == 1)
            y = special(ty, (uint32_t)how >> 6);
        check(r, x, y);
    }
}

static bool is_f64_operation(enum ir_op op) {
    const struct ir_op_info *info = &ir_op_info[op];
    if (info->kind != IR_KIND_SIMPLE || info->result > IR_F64 || info->flags & IR_FLAG_BITWISE ||
        op == IR_I64_REINTERPRET_F64 || op == IR_F64_REINTERPRET_I64)
        return false;
    bool f64 = info->result == IR_F64;
    for (uint32_t k = 0; k < info->operands; k++) {
        if (info->operand_types[k] > IR_F64)
            return false;
        f64 |= info->operand_types[k] == IR_F64;
    }
    return f64;
}

static void test_f64(void **state) {
    (void)state;
    unsigned n = 0;
    for (int op = 0; op < IR_OP_COUNT; op++) {
        if (!is_f64_operation((enum ir_op)op))
            continue;
        struct runner r = runner_new((enum ir_op)op);
        bool plain = op == IR_F64_ADD || op == IR_F64_SUB || op == IR_F64_MUL || op == IR_F64_DIV || op == IR_F64_SQRT;
        check_many(&r, plain ? random_cases : random_cases / 2);
        runner_free(&r);
        n++;
    }
    assert_true(n >= 30);
}

static void test_subnormals(void **state) {
    (void)state;
    static const enum ir_op ops[3] = {IR_F32_ADD, IR_F32_SUB, IR_F32_MUL};
    for (int k = 0; k < 3; k++)
        for (unsigned mode = 0; mode < FLUSH_MODES; mode++) {
            struct runner r = runner_new(ops[k]);
            flush_operation(r.library->funcs[2 * ops[k]].func, ops[k], mode);
            flush_operation(r.library->funcs[2 * ops[k] + 1].func, ops[k], mode);
            check_many(&r, random_cases);
            runner_free(&r);
        }
}

int main(int argc, char **argv) {
    if (argc > 1)
        random_cases = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f64),
        cmocka_unit_test(test_subnormals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
