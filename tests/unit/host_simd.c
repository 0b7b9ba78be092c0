/* Every v128 operation without memory, with boundary lanes, compiled against the interpreter: with the operands as
 * parameters, and as constants that LLVM folds.  Bits must agree; lanes of float arithmetic that are NaN must be NaN.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/host_test.h"

#include <cmocka.h>

#include "ir/ir_eval.h"
#include "ir/util/strbuf.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define REPEAT(x)                      \
    {                                  \
        .u32x4 = {(x), (x), (x), (x) } \
    }

static const union ir_bits vectors[] = {
    REPEAT(0),
    REPEAT(0xffffffff),
    REPEAT(0x01010101),
    REPEAT(0x80808080),
    REPEAT(0x7f7f7f7f),
    REPEAT(0x80008000),
    REPEAT(0x7fff7fff),
    REPEAT(0x80000000),
    REPEAT(0x7fffffff),
    {.u64x2 = {0x8000000000000000, 0x7fffffffffffffff}},
    {.u64x2 = {0x0001020304050607, 0x08090a0b0c0d0e0f}},
    {.u64x2 = {0x0f1f2f3f10203040, 0xff01fe02fd03fc04}},
    {.u16x8 = {0x8000, 0x7fff, 0xffff, 0, 1, 0x8001, 0x00ff, 0xff00}},
    {.u16x8 = {0x7fff, 0x8000, 1, 0xff80, 0x0080, 0x007f, 0x0100, 0xfeff}},
    {.s32x4 = {-32769, 32768, 65536, -129}},
    {.s32x4 = {INT32_MIN, INT32_MAX, 16777217, -16777219}},
    {.u64x2 = {0x123456789abcdef0, 0xdeadbeefcafebabe}},
    {.f32x4 = {0.0f, -0.0f, 1.0f, -1.0f}},
    {.f32x4 = {-0.0f, 0.0f, -1.5f, 2.5f}},
    {.f32x4 = {0.5f, -2.5f, 3.5f, -0.49999997f}},
    {.f32x4 = {INFINITY, -INFINITY, NAN, 1e-40f}},
    {.f32x4 = {NAN, 3.4e38f, 8388609.0f, -1e-45f}},
    {.f32x4 = {2147483648.0f, -2147483648.0f, 4294967296.0f, 4294967040.0f}},
    {.f32x4 = {2147483520.0f, -2147483904.0f, -0.99f, 8388607.5f}},
    {.u32x4 = {0x7fa00000, 0xffc00001, 0x7f800000, 0x3f800000}},
    {.f64x2 = {0.0, -0.0}},
    {.f64x2 = {-0.0, 0.0}},
    {.f64x2 = {NAN, 1.0}},
    {.f64x2 = {INFINITY, -INFINITY}},
    {.f64x2 = {2147483647.9, -2147483648.9}},
    {.f64x2 = {2147483648.0, -2147483649.0}},
    {.f64x2 = {4294967295.9, 4294967296.0}},
    {.f64x2 = {-0.9, 4503599627370497.5}},
    {.f64x2 = {2.5, -3.5}},
    {.f64x2 = {1e-310, 1e300}},
    {.u64x2 = {0x7ff4000000000000, 0xfff8000000000001}},
};
static const uint64_t scalars[][COUNT(vectors)] = {
    [IR_I32] = {0, 1, 7, 8, 9, 15, 16, 31, 32, 33, 63, 64, 0x7f, 0x80, 0x8000, 0xdeadbeef, 0xffffffff},
    [IR_I64] = {0, 1, 0x8000000000000000, 0xffffffffffffffff, 0x123456789abcdef0},
    [IR_F32] = {0x00000000, 0x80000000, 0x3f800000, 0x7f800000, 0x7fc00000, 0x7fa00001},
    [IR_F64] = {0, 0x8000000000000000, 0x3ff0000000000000, 0x7ff8000000000000, 0x7ff4000000000001},
};
static const unsigned scalar_count[] = {[IR_I32] = 17, [IR_I64] = 5, [IR_F32] = 6, [IR_F64] = 5};

static unsigned values_of(enum ir_type t, union ir_bits *out) {
    if (t == IR_V128) {
        memcpy(out, vectors, sizeof vectors);
        return COUNT(vectors);
    }
    for (unsigned k = 0; k < scalar_count[t]; k++)
        out[k] = (union ir_bits){.u64x2 = {scalars[t][k], 0}};
    return scalar_count[t];
}

static bool is_tested(unsigned op) {
    const struct ir_op_info *o = &ir_op_info[op];
    if (o->kind != IR_KIND_SIMPLE && o->kind != IR_KIND_LANES)
        return false;
    bool vector = o->result == IR_V128;
    for (unsigned k = 0; k < o->operands; k++)
        vector |= o->operand_types[k] == IR_V128;
    return vector;
}

/* How often an operation is tested: once, or with each of these sets of lane numbers. */
static unsigned variants_of(const struct ir_op_info *o) {
    return o->kind != IR_KIND_LANES ? 1 : o->lanes == 1 ? o->lane_bound : 12;
}

static void add_lanes(struct strbuf *s, const struct ir_op_info *o, unsigned variant) {
    static const char *const shuffles[] = {
        " 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",         " 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31",
        " 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0",         " 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23",
        " 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31", " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        " 31 0 31 0 30 1 30 1 29 2 29 2 28 3 28 3",       " 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11",
        " 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",    " 0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30",
        " 1 3 5 7 9 11 13 15 17 19 21 23 25 27 29 31",    " 7 3 19 30 1 14 22 9 9 27 5 0 16 31 12 20",
    };
    if (o->lanes == 1)
        strbuf_printf(s, " %u", variant);
    else if (o->lanes)
        strbuf_add(s, shuffles[variant]);
}

/* Quiet, as arithmetic makes it. */
static bool is_nan_lane(const union ir_bits *v, unsigned bits, unsigned lane) {
    uint64_t least = UINT64_C(0x7ff8000000000000);
    return bits == 64 ? (v->u64x2[lane] & least) == least : (v->u32x4[lane] & 0x7fc00000) == 0x7fc00000;
}

static bool same(const struct ir_op_info *o, const union ir_bits *a, const union ir_bits *b) {
    if (o->result != IR_V128)
        return o->result == IR_I32 || o->result == IR_F32 ? a->i32 == b->i32 : a->i64 == b->i64;
    if (!memcmp(a, b, 16))
        return true;
    if (o->flags & IR_FLAG_BITWISE)
        return false;
    unsigned bits = strncmp(o->text, "f64x2", 5) == 0 ? 64 : 32;
    for (unsigned k = 0; k < 128 / bits; k++)
        if (memcmp(&a->u8x16[k * bits / 8], &b->u8x16[k * bits / 8], bits / 8) != 0 &&
            !(is_nan_lane(a, bits, k) && is_nan_lane(b, bits, k)))
            return false;
    return true;
}

static void compare(struct test_instance *t, struct ir_interp *in, uint32_t func, const struct ir_op_info *o,
                    const union ir_bits *args, bool passed) {
    union ir_bits want[3] = {args[0], args[1], args[2]}, got = {.u64x2 = {0, 0}};
    uint64_t cells[8] = {0};
    struct ir_trap_info trap = {0};
    for (unsigned k = 0, at = 0; passed && k < o->operands; k++) {
        cells[at++] = args[k].u64x2[0];
        if (o->operand_types[k] == IR_V128)
            cells[at++] = args[k].u64x2[1];
    }
    assert_true(ir_interp_call(in, func, want, &trap));
    assert_true(test_call(t, func, cells));
    got.u64x2[0] = cells[0];
    got.u64x2[1] = cells[1];
    if (!same(o, &want[0], &got))
        fail_msg("%s(%016llx%016llx, %016llx%016llx): expected %016llx%016llx, got %016llx%016llx", o->text,
                 (unsigned long long)args[0].u64x2[1], (unsigned long long)args[0].u64x2[0],
                 (unsigned long long)args[1].u64x2[1], (unsigned long long)args[1].u64x2[0],
                 (unsigned long long)want[0].u64x2[1], (unsigned long long)want[0].u64x2[0],
                 (unsigned long long)got.u64x2[1], (unsigned long long)got.u64x2[0]);
}

static void add_types(struct strbuf *s, unsigned constants) {
    for (unsigned op = 0, n = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *o = &ir_op_info[op];
        if (!is_tested(op))
            continue;
        strbuf_printf(s, "type %u (", n++);
        for (unsigned k = 0; !constants && k < o->operands; k++)
            strbuf_printf(s, "%s%s", k ? ", " : "", ir_type_name[o->operand_types[k]]);
        strbuf_printf(s, ") -> (%s)\n", ir_type_name[o->result]);
    }
}

static void add_op(struct strbuf *s, const struct ir_op_info *o, unsigned variant) {
    strbuf_printf(s, "  %%r = %s", o->text);
    add_lanes(s, o, variant);
    for (unsigned k = 0; k < o->operands; k++)
        strbuf_printf(s, "%s%%%u", k ? ", " : " ", k);
    strbuf_add(s, "\n  return %r\n}\n");
}

static void run_parameters(const struct host_options *options) {
    struct strbuf s = {0};
    strbuf_add(&s, "module \"simd\"\n");
    add_types(&s, 0);
    for (unsigned op = 0, n = 0, type = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *o = &ir_op_info[op];
        if (!is_tested(op))
            continue;
        for (unsigned v = 0; v < variants_of(o); v++) {
            strbuf_printf(&s, "func %u \"f\" type=%u (", n++, type);
            for (unsigned k = 0; k < o->operands; k++)
                strbuf_printf(&s, "%s%%%u:%s", k ? ", " : "", k, ir_type_name[o->operand_types[k]]);
            strbuf_printf(&s, ") -> (%s) {\n", ir_type_name[o->result]);
            add_op(&s, o, v);
        }
        type++;
    }
    struct test_instance *t = test_instance_new(s.data, options);
    struct ir_trap_info trap;
    struct ir_interp *in = ir_interp_new(&(struct ir_interp_desc){.module = t->ir}, &trap);
    for (unsigned op = 0, n = 0; op < IR_OP_COUNT; op++) {
        const struct ir_op_info *o = &ir_op_info[op];
        if (!is_tested(op))
            continue;
        union ir_bits a[COUNT(vectors)], b[COUNT(vectors)], c;
        unsigned na = values_of((enum ir_type)o->operand_types[0], a);
        unsigned nb = o->operands >= 2 ? values_of((enum ir_type)o->operand_types[1], b) : 1;
        for (unsigned v = 0; v < variants_of(o); v++, n++)
            for (unsigned i = 0; i < na; i++)
                for (unsigned k = 0; k < nb; k++) {
                    c = vectors[(i * 7 + k * 5) % COUNT(vectors)];
                    compare(t, in, n, o, (union ir_bits[]){a[i], b[k], c}, true);
                }
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

static void add_const(struct strbuf *s, unsigned name, enum ir_type t, union ir_bits v) {
    strbuf_printf(s, "  %%%u:%s = ", name, ir_type_name[t]);
    if (t == IR_V128)
        strbuf_printf(s, "v128.const 0x%08x 0x%08x 0x%08x 0x%08x\n", v.u32x4[0], v.u32x4[1], v.u32x4[2], v.u32x4[3]);
    else if (t == IR_I32)
        strbuf_printf(s, "i32.const %d\n", (int)v.i32);
    else if (t == IR_I64)
        strbuf_printf(s, "i64.const %lld\n", (long long)v.i64);
    else if (t == IR_F32 && isnan(v.f32))
        strbuf_printf(s, "f32.const nan:0x%08x\n", v.i32);
    else if (t == IR_F32)
        strbuf_printf(s, "f32.const %.9g\n", (double)v.f32);
    else if (isnan(v.f64))
        strbuf_printf(s, "f64.const nan:0x%016llx\n", (unsigned long long)v.i64);
    else
        strbuf_printf(s, "f64.const %.17g\n", v.f64);
}

/* A sample of operand pairs; the step is prime to the counts, so that all values come up. */
static void test_constants(void **state) {
    (void)state;
    enum { STEP = 53 };
    struct strbuf s = {0};
    strbuf_add(&s, "module \"folded\"\n");
    add_types(&s, 1);
    struct test_instance *t = NULL;
    struct ir_interp *in = NULL;
    for (int pass = 0; pass < 2; pass++) {
        unsigned n = 0, type = 0;
        for (unsigned op = 0; op < IR_OP_COUNT; op++) {
            const struct ir_op_info *o = &ir_op_info[op];
            if (!is_tested(op))
                continue;
            union ir_bits values[3][COUNT(vectors)];
            unsigned na = values_of((enum ir_type)o->operand_types[0], values[0]);
            unsigned nb = o->operands >= 2 ? values_of((enum ir_type)o->operand_types[1], values[1]) : 1;
            memcpy(values[2], vectors, sizeof vectors);
            for (unsigned p = 0; p<na * nb; p += nb> 1 ? STEP : 1, n++) {
                union ir_bits args[] = {values[0][p / nb], values[1][p % nb], values[2][p % COUNT(vectors)]};
                if (pass == 1) {
                    compare(t, in, n, o, args, false);
                    continue;
                }
                strbuf_printf(&s, "func %u \"f\" type=%u () -> (%s) {\n", n, type, ir_type_name[o->result]);
                for (unsigned k = 0; k < o->operands; k++)
                    add_const(&s, k, (enum ir_type)o->operand_types[k], args[k]);
                add_op(&s, o, p % variants_of(o));
            }
            type++;
        }
        if (pass == 0) {
            struct ir_trap_info trap;
            t = test_instance_new(s.data, NULL);
            in = ir_interp_new(&(struct ir_interp_desc){.module = t->ir}, &trap);
        }
    }
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
