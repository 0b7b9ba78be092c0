/* The interpreter: calls, traps with their place, host calls, launches, bulk operations, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_interp.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"

static const char program[] = "type 0 (i32) -> (i32)\n"
                              "type 1 () -> ()\n"
                              "memory 0 min=1 max=3\n"
                              "table 0 funcref min=4 max=8\n"
                              "global 0 mut i32 = i32.const 7\n"
                              "func 0 \"host\" type=0 import \"env\" \"host\"\n"
                              /* factorial by recursion, 1 */
                              "func 1 \"fact\" type=0 (%n:i32) -> (i32) {\n"
                              "  %r:i32 = if %n {\n"
                              "    %one = i32.const 1\n"
                              "    %m = i32.sub %n, %one\n"
                              "    %f:i32 = call 1 %m\n"
                              "    %p = i32.mul %n, %f\n"
                              "    yield %p\n"
                              "  } else {\n"
                              "    %e = i32.const 1\n"
                              "    yield %e\n"
                              "  }\n"
                              "  return %r\n"
                              "}\n"
                              "func 2 \"runaway\" type=0 (%n:i32) -> (i32) {\n"
                              "  %r:i32 = call 2 %n !0x77\n"
                              "  return %r\n"
                              "}\n"
                              "func 3 \"load\" type=0 (%p:i32) -> (i32) {\n"
                              "  %x = i32.load16_s offset=2 align=1 %p !0x33\n"
                              "  return %x\n"
                              "}\n"
                              "func 4 \"indirect\" type=0 (%s:i32) -> (i32) {\n"
                              "  %five = i32.const 5\n"
                              "  %r:i32 = call_indirect 0 0 %five, %s !0x44\n"
                              "  return %r\n"
                              "}\n"
                              "func 5 \"nothing\" type=1 () {\n"
                              "  return\n"
                              "}\n"
                              "func 6 \"swap\" type=0 (%n:i32) -> (i32) {\n"
                              "  %a = i32.const 10\n"
                              "  %b = i32.const 20\n"
                              "  %r:i32 = loop L (%x:i32 = %a, %y:i32 = %b, %i:i32 = %n) {\n"
                              "    %one = i32.const 1\n"
                              "    %j = i32.sub %i, %one\n"
                              "    br_if %j, L(%y, %x, %j)\n"
                              "    yield %x\n"
                              "  }\n"
                              "  return %r\n"
                              "}\n"
                              "func 7 \"table\" type=0 (%i:i32) -> (i32) {\n"
                              "  %r:i32 = block A {\n"
                              "    %v:i32 = block B {\n"
                              "      %p = i32.const 100\n"
                              "      %q = i32.const 200\n"
                              "      br_table %i, A(%p), B(%q), A(%q)\n"
                              "    }\n"
                              "    %w = i32.add %v, %v\n"
                              "    yield %w\n"
                              "  }\n"
                              "  return %r\n"
                              "}\n"
                              "func 8 \"grow\" type=0 (%n:i32) -> (i32) {\n"
                              "  %r:i32 = memory.grow 0 %n\n"
                              "  return %r\n"
                              "}\n"
                              "func 9 \"fill\" type=0 (%n:i32) -> (i32) {\n"
                              "  %c = i32.const 65530\n"
                              "  memory.fill 0 %c, %c, %n !0x99\n"
                              "  %r = i32.load8_u %c\n"
                              "  return %r\n"
                              "}\n"
                              "func 10 \"launch\" type=0 (%n:i32) -> (i32) {\n"
                              "  %ok:i32, %t:i64 = launch 3 %n\n"
                              "  %w = i32.wrap_i64 %t\n"
                              "  %r = i32.add %ok, %w\n"
                              "  return %r\n"
                              "}\n"
                              "func 11 \"call host\" type=0 (%n:i32) -> (i32) {\n"
                              "  %r:i32 = call 0 %n\n"
                              "  global.set 0 %r\n"
                              "  return %r\n"
                              "}\n"
                              "elem 0 active funcref table=0 i32.const 0 (ref.func 1, ref.null, ref.func 5)\n"
                              "data 0 active memory=0 i32.const 0 \"\\01\\02\\ff\\80\"\n";

static struct ir_module *module;

static int setup(void **state) {
    (void)state;
    struct ir_parse_error error;
    struct strbuf out = {0};
    module = ir_parse_module(program, sizeof program - 1, &error);
    if (!module) {
        print_error("%u:%u: %s\n", error.line, error.column, error.message);
        return 1;
    }
    if (!ir_verify_module(module, &out)) {
        print_error("%s", out.data);
        return 1;
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    ir_module_free(module);
    return 0;
}

/* The host function calls back into `fact`. */
static enum ir_trap host(void *user, struct ir_interp *in, uint32_t index, union ir_bits *args) {
    assert_int_equal(index, 0);
    ++*(int *)user;
    if (args[0].i32 == 99)
        return IR_TRAP_EXIT;
    struct ir_trap_info trap;
    assert_true(ir_interp_call(in, 1, args, &trap));
    args[0].i32++;
    return IR_TRAP_NONE;
}

static bool launch(void *user, struct ir_interp *in, uint32_t kernel, const union ir_bits *slots, uint64_t *trips) {
    (void)user;
    (void)in;
    assert_int_equal(kernel, 3);
    trips[0] = slots[0].i32 * 2u;
    return true;
}

static void test_calls(void **state) {
    (void)state;
    /* function, argument, trap, its place, result */
    static const struct {
        uint32_t func, arg;
        enum ir_trap trap;
        uint32_t where, result;
    } rows[] = {
        {1, 5, 0, 0, 120},
        {2, 0, IR_TRAP_STACK_EXHAUSTED, 0x77, 0},
        {3, 0, 0, 0, 0xffff80ff},
        {3, 65532, 0, 0, 0},
        {3, 65533, IR_TRAP_MEMORY_BOUNDS, 0x33, 0},
        {3, 0xffffffff, IR_TRAP_MEMORY_BOUNDS, 0x33, 0},
        {4, 0, 0, 0, 120},
        {4, 1, IR_TRAP_UNINITIALIZED_ELEMENT, 0x44, 0},
        {4, 2, IR_TRAP_INDIRECT_CALL_TYPE, 0x44, 0},
        {4, 4, IR_TRAP_UNDEFINED_ELEMENT, 0x44, 0},
        {6, 1, 0, 0, 10},
        {6, 2, 0, 0, 20},
        {6, 7, 0, 0, 10},
        {7, 0, 0, 0, 100},
        {7, 1, 0, 0, 400},
        {7, 2, 0, 0, 200},
        {7, 0xffffffff, 0, 0, 200},
        {9, 6, 0, 0, 0xfa},
        {9, 7, IR_TRAP_MEMORY_BOUNDS, 0x99, 0},
        {10, 21, 0, 0, 43},
        {11, 4, 0, 0, 25},
        {11, 99, IR_TRAP_EXIT, IR_NO_OFFSET, 0},
        {8, 3, 0, 0, 0xffffffff},
        {8, 2, 0, 0, 1},
        {8, 0, 0, 0, 3},
    };
    int calls = 0;
    struct ir_interp_desc desc = {.module = module, .host_call = host, .launch = launch, .user = &calls};
    struct ir_trap_info trap;
    struct ir_interp *in = ir_interp_new(&desc, &trap);
    assert_non_null(in);
    assert_int_equal(trap.code, IR_TRAP_NONE);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        union ir_bits v = {.i32 = rows[k].arg};
        bool ok = ir_interp_call(in, rows[k].func, &v, &trap);
        if (ok != !rows[k].trap || trap.code != rows[k].trap || (ok && v.i32 != rows[k].result) ||
            (!ok && (trap.wasm_offset != rows[k].where || trap.func != rows[k].func)))
            fail_msg("row %zu: trap %d in %u at 0x%x, result 0x%x", k, trap.code, trap.func, trap.wasm_offset, v.i32);
    }
    assert_int_equal(calls, 2);
    assert_int_equal(ir_interp_global(in, 0)->i32, 25);
    uint64_t bytes;
    assert_non_null(ir_interp_memory(in, 0, &bytes));
    assert_int_equal(bytes, 3 * 65536);
    ir_interp_free(in);
}

static void test_limits(void **state) {
    (void)state;
    struct ir_interp_desc desc = {.module = module, .fuel = 2000, .max_call_depth = 10};
    struct ir_trap_info trap;
    struct ir_interp *in = ir_interp_new(&desc, &trap);
    union ir_bits v = {.i32 = 9};
    assert_true(ir_interp_call(in, 1, &v, &trap));
    v.i32 = 10;
    assert_false(ir_interp_call(in, 1, &v, &trap));
    assert_int_equal(trap.code, IR_TRAP_STACK_EXHAUSTED);
    v.i32 = 1000;
    assert_false(ir_interp_call(in, 6, &v, &trap));
    assert_int_equal(trap.code, IR_TRAP_INTERRUPT);
    ir_interp_free(in);
    desc = (struct ir_interp_desc){.module = module};
    in = ir_interp_new(&desc, &trap);
    v.i32 = 1;
    assert_false(ir_interp_call(in, 11, &v, &trap)); /* no host */
    assert_int_equal(trap.code, IR_TRAP_HOST);
    v.i32 = 5;
    assert_true(ir_interp_call(in, 10, &v, &trap)); /* no launch hook: not launched */
    assert_int_equal(v.i32, 0);
    ir_interp_free(in);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
