/* legalize_divide: f32 division and square root stay correctly rounded when the device's own are off by as many units
 * as the specifications allow.
 *
 * The legalised function runs in the interpreter, with an offset added to the bits of the device operation's result,
 * and every result is compared with this CPU's: pairs of special values, random bits, subnormal quotients, perfect
 * squares and their neighbours. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir_build.h"
#include "ir/ir_interp.h"
#include "ir/ir_verify.h"
#include "ir/offload/legalize.h"

enum { RANDOM_CASES = 60000 };

static float from_bits(uint32_t b) {
    float f;
    memcpy(&f, &b, sizeof f);
    return f;
}

static uint32_t to_bits(float f) {
    uint32_t b;
    memcpy(&b, &f, sizeof b);
    return b;
}

/* f(a, b, offset) = a / b or sqrt(a) */
static struct ir_func *make_func(struct ir_module *m, bool root) {
    static const enum ir_type params[3] = {IR_F32, IR_F32, IR_I32}, results[1] = {IR_F32};
    struct ir_sig sig = {3, 1, params, results};
    struct ir_func *f = ir_func_new(m, "f", &sig);
    struct ir_builder b = ir_builder_at_end(f->body);
    struct ir_value *v = root ? ir_build_simple(&b, IR_F32_SQRT, f->body->params[0], NULL)
                              : ir_build_simple(&b, IR_F32_DIV, f->body->params[0], f->body->params[1]);
    ir_build_return(&b, &v, 1);
    return f;
}

/* Adds the third parameter to the bits of the one division or root, for the instruction after it. */
static void make_inexact(struct ir_func *f, enum ir_op op) {
    unsigned found = 0;
    ir_foreach_inst (i, f->body) {
        if (i->op != op)
            continue;
        found++;
        struct ir_inst *user = i->next;
        struct ir_builder b = ir_builder_before(user);
        struct ir_value *bits = ir_build_simple(&b, IR_I32_REINTERPRET_F32, &i->results[0], NULL);
        bits = ir_build_simple(&b, IR_I32_ADD, bits, f->body->params[2]);
        struct ir_value *off = ir_build_simple(&b, IR_F32_REINTERPRET_I32, bits, NULL);
        while (user && !(user->noperands && user->operands[0] == &i->results[0] && user->op != IR_I32_REINTERPRET_F32))
            user = user->next;
        assert_non_null(user);
        user->operands[0] = off;
    }
    assert_int_equal(found, 1);
    struct strbuf problems = {0};
    assert_true(ir_verify_func(f, &problems));
}

struct runner {
    struct ir_module *m;
    struct ir_func *f;
    struct ir_interp *in;
    bool root;
};

static struct runner runner_new(bool root) {
    struct runner r = {.m = ir_module_new(), .root = root};
    struct ir_func *plain = make_func(r.m, root);
    r.f = legalize_divide(plain);
    make_inexact(r.f, root ? IR_F32_SQRT : IR_F32_DIV);
    ir_func_free(plain);
    struct ir_trap_info trap;
    r.in = ir_interp_new(&(struct ir_interp_desc){.module = r.m}, &trap);
    assert_non_null(r.in);
    return r;
}

static void runner_free(struct runner *r) {
    ir_interp_free(r->in);
    ir_func_free(r->f);
    ir_module_free(r->m);
}

static void check(struct runner *r, uint32_t a, uint32_t b, int offset) {
    union ir_bits args[3] = {{.i32 = a}, {.i32 = b}, {.i32 = (uint32_t)offset}};
    struct ir_trap_info trap;
    assert_true(ir_interp_call_func(r->in, r->f, args, &trap));
    float want = r->root ? sqrtf(from_bits(a)) : from_bits(a) / from_bits(b);
    if (isnan(want) ? !isnan(args[0].f32) : args[0].i32 != to_bits(want))
        fail_msg("%s of %08x, %08x with offset %d: %08x, not %08x", r->root ? "root" : "quotient", a, b, offset,
                 args[0].i32, to_bits(want));
}

static const uint32_t special[] = {
    0,          0x80000000, 1,          0x80000001, 2,          3,          0x007fffff, 0x00800000, 0x00800001,
    0x00ffffff, 0x01000000, 0x3f7fffff, 0x3f800000, 0x3f800001, 0xbf800000, 0x40000000, 0x40400000, 0x4b7fffff,
    0x4b800000, 0x7f000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001,
};

/* xorshift64 (Marsaglia 2003) */
static uint32_t next(uint64_t *s) {
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return (uint32_t)(*s >> 16);
}

static void quotients(void **state) {
    (void)state;
    struct runner r = runner_new(false);
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < sizeof special / 4; i++)
        for (size_t j = 0; j < sizeof special / 4; j++)
            for (int offset = -2; offset <= 2; offset++)
                check(&r, special[i], special[j], offset);
    for (int i = 0; i < RANDOM_CASES; i++) {
        uint32_t a = next(&seed), b = next(&seed);
        if (i % 3 == 1) /* quotients around the subnormal range */
            b = (b & 0x807fffff) | (((a >> 23 & 0xff) + 120 + b % 32) & 0xff) << 23;
        if (i % 3 == 2) /* exact and nearly exact quotients */
            a = to_bits(from_bits(b) * (float)(1 + a % 4096)) + a % 3 - 1;
        check(&r, a, b, (int)(next(&seed) % 5) - 2);
    }
    runner_free(&r);
}

static void roots(void **state) {
    (void)state;
    struct runner r = runner_new(true);
    uint64_t seed = 0x2545f4914f6cdd1d;
    for (size_t i = 0; i < sizeof special / 4; i++)
        for (int offset = -4; offset <= 4; offset++)
            check(&r, special[i], 0, offset);
    for (int i = 0; i < RANDOM_CASES; i++) {
        uint32_t a = next(&seed);
        if (i % 3) /* squares and their neighbours */
            a = to_bits((float)(a % 4096) * (float)(a % 4096)) + a % 3 - 1;
        check(&r, a & (i % 5 ? 0x7fffffff : UINT32_MAX), 0, (int)(next(&seed) % 9) - 4);
    }
    runner_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(quotients), cmocka_unit_test(roots)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
