/* Every simple operation, with boundary operands, compiled against the interpreter: once with the operands as
 * parameters, once as constants that LLVM folds.  Bits must agree; where the result is a NaN, it must be one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/host_test.h"

#include <cmocka.h>

#include "ir/util/strbuf.h"

static const uint64_t i32_values[] = {
    0,     1,      2,      3,      7,          31,         32,         33,         0x7f,       0x80,       0xff,
    0x100, 0x7fff, 0x8000, 0xffff, 0x12345678, 0x7fffffff, 0x80000000, 0x80000001, 0xdeadbeef, 0xfffffffe, 0xffffffff};
static const uint64_t i64_values[] = {0,
                                      1,
                                      2,
                                      31,
                                      63,
                                      64,
                                      65,
                                      0x7f,
                                      0x80,
                                      0xffff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x100000000,
                                      0x20000000000001,
                                      0x123456789abcdef0,
                                      0x7fffffffffffffbf,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      0x8000000000000001,
                                      0xfffffffffffffffe,
                                      0xffffffffffffffff};
static const double float_values[] = {0.0,
                                      -0.0,
                                      0.5,
                                      -0.5,
                                      1.0,
                                      -1.0,
                                      1.5,
                                      2.5,
                                      -2.5,
                                      3.1415926,
                                      -0.99999994,
                                      1e-310,
                                      1e-40,
                                      1.17549435e-38,
                                      127.5,
                                      8388607.5,
                                      8388609.0,
                                      2147483520.0,
                                      2147483647.0,
                                      2147483648.0,
                                      -2147483648.0,
                                      -2147483649.0,
                                      -2147483904.0,
                                      4294967040.0,
                                      4294967295.0,
                                      4294967296.0,
                                      4503599627370497.5,
                                      9223371487098961920.0,
                                      9223372036854774784.0,
                                      9223372036854775808.0,
                                      -9223372036854775808.0,
                                      -9223373136366403584.0,
                                      18446742974197923840.0,
                                      18446744073709549568.0,
                                      18446744073709551616.0,
                                      3.40282347e38,
                                      1e300,
                                      1e-30,
                                      (double)INFINITY,
                                      -(double)INFINITY,
                                      (double)NAN,
                                      -(double)NAN};

#define COUNT(a) (sizeof(a) / sizeof *(a))
enum { MAX_VALUES = 48 };

static unsigned values_of(enum ir_type t, uint64_t *out) {
    unsigned n = 0;
    if (t == IR_I32)
        for (; n < COUNT(i32_values); n++)
            out[n] = i32_values[n];
    if (t == IR_I64)
        for (; n < COUNT(i64_values); n++)
            out[n] = i64_values[n];
    for (unsigned k = 0; (t == IR_F32 || t == IR_F64) && k < COUNT(float_values); k++) {
        union ir_bits b = {0};
        if (t == IR_F32)
            b.f32 = (float)float_values[k];
        else
            b.f64 = float_values[k];
        out[n++] = b.i64;
    }
    return n;
}

static const char *const type_text[] = {"i32", "i64", "f32", "f64"};

static bool is_tested(unsigned op) {
    const struct ir_op_info *o = &ir_op_info[op];
    if (o->kind != IR_KIND_SIMPLE || o->result == IR_V128)
        return false;
    for (unsigned k = 0; k < o->operands; k++)
        if (o->operand_types[k] == IR_V128)
            return false;
    return true;
}

static bool same(enum ir_type t, uint64_t a, uint64_t b) {
    union ir_bits x = {.i64 = a}, y = {.i64 = b};
    switch (t) {
    case IR_I32:
        return x.i32 == y.i32;
    case IR_F32:
        return x.i32 == y.i32 || (isnan(x.f32) && isnan(y.f32));
    case IR_F64:
        return x.i64 == y.i64 || (isnan(x.f64) && isnan(y.f64));
    default:
        return x.i64 == y.i64;
    }
}

static void add_const(struct strbuf *s, enum ir_type t, uint64_t bits) {
    union ir_bits b = {.i64 = bits};
    strbuf_printf(s, "%s.const ", type_text[t]);
    if (t == IR_I32)
        strbuf_printf(s, "%d", (int)b.i32);
    else if (t == IR_I64)
        strbuf_printf(s, "%lld", (long long)b.i64);
    else if (t == IR_F32 && isnan(b.f32))
        strbuf_printf(s, "nan:0x%08x", b.i32);
    else if (t == IR_F32)
        strbuf_printf(s, "%.9g", (double)b.f32);
    else if (isnan(b.f64))
        strbuf_printf(s, "nan:0x%016llx", (unsigned long long)b.i64);
    else
        strbuf_printf(s, "%.17g", b.f64);
}

/* One type an operation, then one function an operation with parameters. */
static void add_types(struct strbuf *s) {
    for (unsigned op = 0, n = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *o = &ir_op_info[op];
        if (!is_tested(op))
            continue;
        strbuf_printf(s, "type %u (", n++);
        for (unsigned k = 0; k < o->operands; k++)
            strbuf_printf(s, "%s%s", k ? ", " : "", type_text[o->operand_types[k]]);
        strbuf_printf(s, ") -> (%s)\n", type_text[o->result]);
    }
}

static void compare(struct test_instance *t, struct ir_interp *in, uint32_t func, const struct ir_op_info *o,
                    const uint64_t *args) {
    union ir_bits want[2] = {{.i64 = args[0]}, {.i64 = args[1]}};
    uint64_t got[2] = {args[0], args[1]};
    struct ir_trap_info trap = {0};
    bool want_ok = ir_interp_call(in, func, want, &trap), got_ok = test_call(t, func, got);
    if (want_ok != got_ok || (want_ok && !same((enum ir_type)o->result, want[0].i64, got[0])) ||
        (!want_ok && (trap.code != t->trap || trap.wasm_offset != t->trap_offset || t->trap_func != func)))
        fail_msg("%s(0x%llx, 0x%llx): expected %s 0x%llx at 0x%x, got %s 0x%llx at 0x%x", o->text,
                 (unsigned long long)args[0], (unsigned long long)args[1], want_ok ? "value" : "trap",
                 want_ok ? (unsigned long long)want[0].i64 : (unsigned long long)trap.code, trap.wasm_offset,
                 got_ok ? "value" : "trap", got_ok ? (unsigned long long)got[0] : (unsigned long long)t->trap,
                 t->trap_offset);
}

static void run_parameters(const struct host_options *options) {
    struct strbuf s = {0};
    strbuf_add(&s, "module \"ops\"\n");
    add_types(&s);
    for (unsigned op = 0, n = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *o = &ir_op_info[op];
        if (!is_tested(op))
            continue;
        strbuf_printf(&s, "func %u \"%s\" type=%u at=0x%x,0x%x,0x%x (%%0:%s", n, o->text, n, 0x100 + 16 * n,
                      0x110 + 16 * n, 16 * n, type_text[o->operand_types[0]]);
        if (o->operands == 2)
            strbuf_printf(&s, ", %%1:%s", type_text[o->operand_types[1]]);
        strbuf_printf(&s, ") -> (%s) {\n  %%r:%s = %s %%0%s !0x%x\n  return %%r\n}\n", type_text[o->result],
                      type_text[o->result], o->text, o->operands == 2 ? ", %1" : "", 0x104 + 16 * n);
        n++;
    }
    struct test_instance *t = test_instance_new(s.data, options);
    struct ir_trap_info trap;
    struct ir_interp *in = ir_interp_new(&(struct ir_interp_desc){.module = t->ir}, &trap);
    for (unsigned op = 0, n = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *o = &ir_op_info[op];
        if (!is_tested(op))
            continue;
        uint64_t a[MAX_VALUES], b[MAX_VALUES] = {0};
        unsigned na = values_of((enum ir_type)o->operand_types[0], a);
        unsigned nb = o->operands == 2 ? values_of((enum ir_type)o->operand_types[1], b) : 1;
        for (unsigned i = 0; i < na; i++)
            for (unsigned k = 0; k < nb; k++)
                compare(t, in, n, o, (uint64_t[]){a[i], b[k]});
        n++;
    }
    ir_interp_free(in);
    test_instance_free(t);
    strbuf_free(&s);
}

static void test_parameters(void **state) {
    (void)state;
    for (int level = 0; level <= 2; level++)
        run_parameters(&(struct host_options){.opt_level = level});
}

static void test_parameters_native_cpu(void **state) {
    (void)state;
    run_parameters(&(struct host_options){.opt_level = 2, .cpu = "native"});
}

/* A sample of operand pairs: the step is prime to the counts, so that all values come up. */
static void test_constants(void **state) {
    (void)state;
    struct strbuf s = {0};
    strbuf_add(&s,
               "module \"folded\"\ntype 0 () -> (i32)\ntype 1 () -> (i64)\ntype 2 () -> (f32)\ntype 3 () -> (f64)\n");
    enum { STEP = 37 };
    unsigned count = 0;
    for (unsigned op = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *o = &ir_op_info[op];
        if (!is_tested(op))
            continue;
        uint64_t a[MAX_VALUES], b[MAX_VALUES] = {0};
        unsigned na = values_of((enum ir_type)o->operand_types[0], a);
        unsigned nb = o->operands == 2 ? values_of((enum ir_type)o->operand_types[1], b) : 1;
        for (unsigned p = 0; p<na * nb; p += nb> 1 ? STEP : 1) {
            strbuf_printf(&s, "func %u \"f\" type=%u () -> (%s) {\n  %%a:%s = ", count, o->result, type_text[o->result],
                          type_text[o->operand_types[0]]);
            add_const(&s, (enum ir_type)o->operand_types[0], a[p / nb]);
            if (o->operands == 2) {
                strbuf_printf(&s, "\n  %%b:%s = ", type_text[o->operand_types[1]]);
                add_const(&s, (enum ir_type)o->operand_types[1], b[p % nb]);
            }
            strbuf_printf(&s, "\n  %%r:%s = %s %%a%s !0x%x\n  return %%r\n}\n", type_text[o->result], o->text,
                          o->operands == 2 ? ", %b" : "", 0x100 + count);
            count++;
        }
    }
    struct test_instance *t = test_instance_new(s.data, NULL);
    struct ir_trap_info trap;
    struct ir_interp *in = ir_interp_new(&(struct ir_interp_desc){.module = t->ir}, &trap);
    unsigned n = 0;
    for (unsigned op = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *o = &ir_op_info[op];
        if (!is_tested(op))
            continue;
        uint64_t a[MAX_VALUES], b[MAX_VALUES] = {0};
        unsigned na = values_of((enum ir_type)o->operand_types[0], a);
        unsigned nb = o->operands == 2 ? values_of((enum ir_type)o->operand_types[1], b) : 1;
        for (unsigned p = 0; p<na * nb; p += nb> 1 ? STEP : 1)
            compare(t, in, n++, o, (uint64_t[]){0, 0});
    }
    assert_int_equal(n, count);
    ir_interp_free(in);
    test_instance_free(t);
    strbuf_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_parameters_native_cpu),
        cmocka_unit_test(test_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
