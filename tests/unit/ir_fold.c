/* Exhaustive test of the integer identities: every pair of operations op2(op1(x, c1), c2), also with the operands
 * exchanged, equal, or tested for zero, over constants around every special case, on values around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/ir_interp.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/opt/pass.h"

static const uint64_t consts[] = {0,          1,
                                  2,          3,
                                  8,          16,
                                  24,         31,
                                  32,         33,
                                  48,         56,
                                  63,         0xff,
                                  0xffff,     0xfffffff,
                                  0x7fffffff, 0x80000000,
                                  0xffffffff, UINT64_C(0x8000000000000000),
                                  UINT64_MAX, UINT64_MAX - 6};
static const uint64_t inputs[] = {0,
                                  1,
                                  2,
                                  7,
                                  0x7f,
                                  0x80,
                                  0xfffe,
                                  0x12345678,
                                  0x7fffffff,
                                  0x80000000,
                                  0xfffffff9,
                                  UINT64_C(0x8000000000000000),
                                  UINT64_C(0xfedcba9876543210),
                                  UINT64_MAX};
enum { NCONSTS = sizeof consts / sizeof *consts, NINPUTS = sizeof inputs / sizeof *inputs, MAX_RESULTS = 8000 };

static bool takes_ints(enum ir_op op, enum ir_type type, unsigned n) {
    const struct ir_op_info *info = &ir_op_info[op];
    if (info->kind != IR_KIND_SIMPLE || info->operands != n || (info->result != IR_I32 && info->result != IR_I64))
        return false;
    for (unsigned k = 0; k < n; k++)
        if (info->operand_types[k] != type)
            return false;
    return true;
}

static struct ir_value *literal(struct ir_builder *b, enum ir_type type, uint64_t v) {
    return type == IR_I32 ? ir_build_i32(b, (uint32_t)v) : ir_build_i64(b, v);
}

struct results {
    struct ir_value *list[MAX_RESULTS];
    uint32_t n;
};

/* Keeps it as a result, when it cannot trap, and its tests for zero. */
static void add(struct ir_builder *b, struct results *r, struct ir_value *v) {
    if (ir_may_trap(v->def)) {
        ir_inst_remove(v->def);
        return;
    }
    if (r->n + 3 > MAX_RESULTS)
        return;
    struct ir_value *zero = ir_build_simple(b, v->type == IR_I32 ? IR_I32_EQZ : IR_I64_EQZ, v, NULL);
    r->list[r->n++] = v;
    r->list[r->n++] = zero;
    r->list[r->n++] = ir_build_select(b, v, literal(b, v->type, 1), zero);
}

static void add_second(struct ir_builder *b, struct results *r, struct ir_value *v) {
    for (int op = 0; op < IR_OP_COUNT; op++) {
        if (takes_ints((enum ir_op)op, v->type, 1))
            add(b, r, ir_build_simple(b, (enum ir_op)op, v, NULL));
        if (!takes_ints((enum ir_op)op, v->type, 2))
            continue;
        add(b, r, ir_build_simple(b, (enum ir_op)op, v, v));
        for (int k = 0; k < NCONSTS; k++) {
            add(b, r, ir_build_simple(b, (enum ir_op)op, v, literal(b, v->type, consts[k])));
            add(b, r, ir_build_simple(b, (enum ir_op)op, literal(b, v->type, consts[k]), v));
        }
    }
}

static void check(enum ir_type type, enum ir_op first, const uint64_t *constant) {
    static struct results r;
    static enum ir_type types[MAX_RESULTS];
    static union ir_bits before[NINPUTS][MAX_RESULTS], after[MAX_RESULTS];
    r.n = 0;
    struct ir_module *m = ir_module_new();
    struct ir_func *f = ir_func_new(m, "fold", &(struct ir_sig){.nparams = 1, .params = &type});
    struct ir_builder b = ir_builder_at_end(f->body);
    struct ir_value *x = f->body->params[0];
    struct ir_value *v = ir_build_simple(&b, first, x, constant ? literal(&b, type, *constant) : NULL);
    if (ir_may_trap(v->def)) {
        ir_func_free(f);
        ir_module_free(m);
        return;
    }
    add_second(&b, &r, v);
    ir_build_return(&b, r.list, r.n);
    for (uint32_t k = 0; k < r.n; k++)
        types[k] = r.list[k]->type;
    f->sig.nresults = r.n;
    f->sig.results = types;
    struct ir_interp *in = ir_interp_new(&(struct ir_interp_desc){.module = m}, NULL);
    struct ir_trap_info trap;
    for (int k = 0; k < NINPUTS; k++) {
        before[k][0] = (union ir_bits){.u64x2 = {type == IR_I32 ? (uint32_t)inputs[k] : inputs[k], 0}};
        assert_true(ir_interp_call_func(in, f, before[k], &trap));
    }
    struct pass_ctx cx = {.module = m};
    opt_simplify(f, &cx);
    struct strbuf out = {0};
    if (!ir_verify_func(f, &out))
        fail_msg("%s", out.data);
    for (int k = 0; k < NINPUTS; k++) {
        after[0] = (union ir_bits){.u64x2 = {type == IR_I32 ? (uint32_t)inputs[k] : inputs[k], 0}};
        assert_true(ir_interp_call_func(in, f, after, &trap));
        for (uint32_t n = 0; n < r.n; n++) {
            if (types[n] == IR_I32 ? after[n].i32 == before[k][n].i32 : after[n].i64 == before[k][n].i64)
                continue;
            const struct ir_inst *inner = r.list[n]->def;
            fail_msg("%s of %s with 0x%llx, input 0x%llx, result %u: 0x%llx became 0x%llx", ir_op_info[inner->op].text,
                     ir_op_info[first].text, constant ? (unsigned long long)*constant : 0,
                     (unsigned long long)inputs[k], n, (unsigned long long)before[k][n].i64,
                     (unsigned long long)after[n].i64);
        }
    }
    arena_free(&cx.scratch);
    ir_interp_free(in);
    ir_func_free(f);
    ir_module_free(m);
}

static void test_pairs(void **state) {
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        enum ir_type type = wide ? IR_I64 : IR_I32;
        for (int op = 0; op < IR_OP_COUNT; op++) {
            if (takes_ints((enum ir_op)op, type, 1))
                check(type, (enum ir_op)op, NULL);
            for (int k = 0; takes_ints((enum ir_op)op, type, 2) && k < NCONSTS; k++)
                check(type, (enum ir_op)op, &consts[k]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
