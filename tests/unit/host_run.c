/* Compiled modules as a whole: control flow, memory, calls, traps and where they are reported.  Each case runs with
 * guard pages and with explicit checks, unoptimised and optimised; results are the interpreter's, or written here. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/host_test.h"

#include <cmocka.h>

#include "ir/ir_build.h"

static const struct host_options modes[] = {
    {.opt_level = 0},
    {.opt_level = 1},
    {.opt_level = 2},
    {.opt_level = 0, .bounds_checks = true},
    {.opt_level = 2, .bounds_checks = true},
    {.opt_level = 3, .cpu = "native"},
    {.opt_level = 2, .part_size = 1, .jobs = 2},
};

#define EACH_MODE(t, text)                                               \
    for (unsigned mode = 0; mode < sizeof modes / sizeof *modes; mode++) \
        for (struct test_instance *t = test_instance_new(text, &modes[mode]); t; test_instance_free(t), t = NULL)

static uint64_t call1(struct test_instance *t, uint32_t func, uint64_t a, uint64_t b) {
    uint64_t v[8] = {a, b};
    if (!test_call(t, func, v))
        fail_msg("trap %d at 0x%x", (int)t->trap, t->trap_offset);
    return v[0];
}

static void expect_trap(struct test_instance *t, uint32_t func, uint64_t a, uint64_t b, enum ir_trap code,
                        uint32_t where_func, uint32_t offset) {
    uint64_t v[8] = {a, b};
    assert_false(test_call(t, func, v));
    assert_int_equal(t->trap, code);
    assert_int_equal(t->trap_offset, offset);
    assert_int_equal(t->trap_func, where_func);
}

/* ---- control flow ---- */

static const char control_text[] =
    "module \"control\"\n"
    "type 0 (i32, i32) -> (i32)\n"
    "type 1 (i32) -> (i32, i64, i32)\n"
    "func 0 \"sum\" type=0 (%n:i32, %s:i32) -> (i32) {\n" /* sum of 1..n, starting at s */
    "  %r:i32 = loop L0 (%i:i32 = %n, %acc:i32 = %s) {\n"
    "    %sum:i32 = i32.add %acc, %i\n"
    "    %one:i32 = i32.const 1\n"
    "    %next:i32 = i32.sub %i, %one\n"
    "    br_if %next, L0(%next, %sum)\n"
    "    yield %sum\n"
    "  }\n"
    "  return %r\n"
    "}\n"
    "func 1 \"table\" type=0 (%n:i32, %x:i32) -> (i32) {\n" /* one label twice, with different values */
    "  %r:i32 = block L0 {\n"
    "    %q:i32 = block L1 {\n"
    "      %c10:i32 = i32.const 10\n"
    "      %c20:i32 = i32.const 20\n"
    "      %c30:i32 = i32.const 30\n"
    "      br_table %n, L0(%c10), L1(%c20), L0(%c30), L1(%x)\n"
    "    }\n"
    "    %h:i32 = i32.const 100\n"
    "    %hq:i32 = i32.add %q, %h\n"
    "    yield %hq\n"
    "  }\n"
    "  return %r\n"
    "}\n"
    "func 2 \"many\" type=1 (%n:i32) -> (i32, i64, i32) {\n"
    "  %w:i64 = i64.extend_i32_u %n\n"
    "  %z:i32 = i32.eqz %n\n"
    "  %a:i32, %b:i64 = if L0 %z {\n"
    "    %c7:i32 = i32.const 7\n"
    "    yield %c7, %w\n"
    "  } else {\n"
    "    return %n, %w, %z\n"
    "  }\n"
    "  return %z, %b, %a\n"
    "}\n"
    "func 3 \"calls\" type=0 (%n:i32, %x:i32) -> (i32) {\n"
    "  %a:i32, %b:i64, %c:i32 = call 2 %n !0x50\n"
    "  %d:i32 = i32.wrap_i64 %b\n"
    "  %e:i32 = i32.add %a, %c\n"
    "  %f:i32 = i32.add %d, %e\n"
    "  return %f\n"
    "}\n"
    "func 4 \"dead\" type=0 (%n:i32, %x:i32) -> (i32) {\n" /* nothing arrives behind the block */
    "  %r:i32 = block L0 {\n"
    "    loop L1 {\n"
    "      br_if %n, L1\n"
    "      return %x\n"
    "    }\n"
    "    unreachable\n"
    "  }\n"
    "  return %r\n"
    "}\n"
    "func 5 \"unreachable\" type=0 (%n:i32, %x:i32) -> (i32) {\n"
    "  unreachable !0x61\n"
    "}\n";

static void test_control(void **state) {
    (void)state;
    EACH_MODE(t, control_text) {
        assert_int_equal(call1(t, 0, 10, 5), 60);
        assert_int_equal(call1(t, 0, 1, 0), 1);
        static const unsigned table[] = {10, 120, 30, 107, 107};
        for (unsigned n = 0; n < 5; n++)
            assert_int_equal(call1(t, 1, n, 7), table[n]);
        assert_int_equal(call1(t, 1, 0xffffffff, 7), 107);
        uint64_t v[4] = {0};
        assert_true(test_call(t, 2, v));
        assert_int_equal(v[0], 1);
        assert_int_equal(v[1], 0);
        assert_int_equal(v[2], 7);
        v[0] = 5;
        assert_true(test_call(t, 2, v));
        assert_int_equal(v[0], 5);
        assert_int_equal(v[1], 5);
        assert_int_equal(v[2], 0);
        assert_int_equal(call1(t, 3, 0, 0), 8);
        assert_int_equal(call1(t, 3, 9, 0), 18);
        assert_int_equal(call1(t, 4, 0, 42), 42);
        expect_trap(t, 5, 0, 0, IR_TRAP_UNREACHABLE, 5, 0x61);
    }
}

/* ---- memory ---- */

static const char memory_text[] =
    "module \"memory\"\n"
    "type 0 (i32, i64) -> (i64)\n"
    "memory 0 min=1 max=3\n"
    "global 0 mut i32 = i32.const 5\n"
    "func 0 \"mix\" type=0 at=0x100,0x200,0x10 (%p:i32, %v:i64) -> (i64) {\n"
    "  i64.store offset=8 %p, %v !0x101\n"
    "  i64.store8 offset=3 %p, %v !0x102\n"
    "  i64.store16 offset=5 %p, %v !0x103\n"
    "  i64.store32 offset=16 %p, %v !0x104\n"
    "  %f:f64 = f64.load offset=8 %p !0x105\n"
    "  f64.store offset=24 %p, %f !0x106\n"
    "  %a:i64 = i64.load8_s offset=3 %p !0x107\n"
    "  %b:i64 = i64.load16_u offset=5 %p !0x108\n"
    "  %c:i64 = i64.load32_s offset=16 %p !0x109\n"
    "  %d:i64 = i64.load offset=24 %p !0x10a\n"
    "  %e:i64 = i64.add %a, %b\n"
    "  %g:i64 = i64.add %c, %d\n"
    "  %h:i64 = i64.xor %e, %g\n"
    "  return %h\n"
    "}\n"
    "func 1 \"size\" type=0 at=0x200,0x280,0x110 (%p:i32, %v:i64) -> (i64) {\n"
    "  %old:i32 = memory.grow 0 %p !0x201\n"
    "  %now:i32 = memory.size 0 !0x202\n"
    "  %o:i64 = i64.extend_i32_s %old\n"
    "  %n:i64 = i64.extend_i32_u %now\n"
    "  %k:i64 = i64.const 1000\n"
    "  %x:i64 = i64.mul %o, %k\n"
    "  %y:i64 = i64.add %x, %n\n"
    "  return %y\n"
    "}\n"
    "func 2 \"dead load\" type=0 at=0x280,0x2c0,0x190 (%p:i32, %v:i64) -> (i64) {\n"
    "  %c:i32 = i32.const 64\n"
    "  i64.store %c, %v !0x281\n"
    "  global.set 0 %p !0x282\n"
    "  %dead:i32 = i32.load8_u %p !0x283\n"
    "  %zero:i64 = i64.const 0\n"
    "  i64.store %c, %zero !0x284\n"
    "  %c0:i32 = i32.const 0\n"
    "  global.set 0 %c0 !0x285\n"
    "  return %v\n"
    "}\n"
    "func 3 \"far\" type=0 at=0x2c0,0x300,0x1d0 (%p:i32, %v:i64) -> (i64) {\n"
    "  %a:i64 = i64.load offset=4294967295 %p !0x2c1\n"
    "  return %a\n"
    "}\n"
    "func 4 \"bulk\" type=0 at=0x300,0x340,0x210 (%p:i32, %v:i64) -> (i64) {\n"
    "  %n:i32 = i32.wrap_i64 %v\n"
    "  %byte:i32 = i32.const 171\n"
    "  memory.fill 0 %p, %byte, %n !0x301\n"
    "  %q:i32 = i32.add %p, %n\n"
    "  memory.copy 0 0 %q, %p, %n !0x302\n"
    "  %r:i64 = i64.load %q !0x303\n"
    "  return %r\n"
    "}\n"
    "func 5 \"sum until\" type=0 at=0x340,0x380,0x250 (%p:i32, %v:i64) -> (i64) {\n"
    "  %end:i32 = i32.wrap_i64 %v\n"
    "  %r:i64 = loop L0 (%at:i32 = %p) {\n" /* counts words; each store must be there when the load traps */
    "    %c:i32 = i32.const 0\n"
    "    %n:i64 = i64.load %c !0x341\n"
    "    %one:i64 = i64.const 1\n"
    "    %m:i64 = i64.add %n, %one\n"
    "    i64.store %c, %m !0x342\n"
    "    %x:i32 = i32.load %at !0x343\n"
    "    %four:i32 = i32.const 4\n"
    "    %next:i32 = i32.add %at, %four\n"
    "    %more:i32 = i32.ne %next, %end\n"
    "    br_if %more, L0(%next)\n"
    "    yield %m\n"
    "  }\n"
    "  return %r\n"
    "}\n"
    "func 6 \"two ways\" type=0 at=0x380,0x3c0,0x290 (%p:i32, %v:i64) -> (i64) {\n" /* equal accesses, two offsets */
    "  %c:i32 = i32.wrap_i64 %v\n"
    "  %r:i64 = if L0 %c {\n"
    "    %a:i64 = i64.load offset=8 %p !0x381\n"
    "    %a2:i64 = i64.add %a, %v\n"
    "    %a3:i64 = i64.mul %a2, %a\n"
    "    i64.store %p, %a3 !0x382\n"
    "    yield %a\n"
    "  } else {\n"
    "    %b:i64 = i64.load offset=8 %p !0x383\n"
    "    %b2:i64 = i64.add %b, %v\n"
    "    %b3:i64 = i64.mul %b2, %b\n"
    "    i64.store %p, %b3 !0x384\n"
    "    yield %b\n"
    "  }\n"
    "  return %r\n"
    "}\n"
    "data 0 active memory=0 i32.const 100 \"hello\"\n";

static void compare_memory(struct test_instance *t, struct ir_interp *in) {
    uint64_t bytes;
    const uint8_t *m = ir_interp_memory(in, 0, &bytes);
    assert_int_equal(bytes, t->memory.bytes);
    assert_memory_equal(m, t->memory.base, bytes);
}

static void against_interp(struct test_instance *t, struct ir_interp *in, uint32_t func, uint64_t a, uint64_t b) {
    union ir_bits want[2] = {{.i64 = a}, {.i64 = b}};
    uint64_t got[2] = {a, b};
    struct ir_trap_info trap = {0};
    bool ok = ir_interp_call(in, func, want, &trap);
    assert_int_equal(ok, test_call(t, func, got));
    if (ok) {
        assert_int_equal(want[0].i64, got[0]);
    } else {
        if (trap.code != t->trap || trap.wasm_offset != t->trap_offset || func != t->trap_func)
            fail_msg("opt_level %d: trap %d at 0x%x expected, got %d in %u at 0x%x", t->options.opt_level,
                     (int)trap.code, trap.wasm_offset, (int)t->trap, t->trap_func, t->trap_offset);
    }
    compare_memory(t, in);
    if (t->module->nglobals)
        assert_int_equal((uint32_t)t->ctx->globals[0][0], ir_interp_global(in, 0)->i32);
}

static void test_memory(void **state) {
    (void)state;
    static const uint32_t places[] = {0,      1,      1000,    65504,      65505,      65510,      65519,     65520,
                                      65523,  65528,  65529,   65535,      65536,      131071,     131072,    196600,
                                      196608, 200000, 1 << 30, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
    EACH_MODE(t, memory_text) {
        struct ir_trap_info trap;
        struct ir_interp *in = ir_interp_new(&(struct ir_interp_desc){.module = t->ir}, &trap);
        assert_memory_equal(t->memory.base + 100, "hello", 5);
        for (unsigned round = 0; round < 3; round++) {
            for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
                against_interp(t, in, 0, places[i], 0x8182838485868788 + i);
                against_interp(t, in, 2, places[i], 0x1122334455667788 + i);
                against_interp(t, in, 3, places[i], 0);
                against_interp(t, in, 4, places[i], 100 + i);
                against_interp(t, in, 6, places[i], 0);
                against_interp(t, in, 6, places[i], 1);
            }
            against_interp(t, in, 5, 65536 - 400, 0); /* runs off the end, or to 0 after growth: never */
            against_interp(t, in, 1, round == 0 ? 1 : round == 1 ? 5 : 0xffffffff, 0);
        }
        against_interp(t, in, 1, 1, 0);
        against_interp(t, in, 1, 1, 0);
        ir_interp_free(in);
    }
}

/* ---- calls, tables, imports ---- */

static const char call_text[] =
    "module \"calls\"\n"
    "type 0 (i32, i32) -> (i32)\n"
    "type 1 (i32) -> (i32)\n"
    "type 2 (i32, i32) -> (i32)\n"
    "table 0 funcref min=6 max=10\n"
    "global 0 mut i32 = i32.const 11\n"
    "global 1 i64 = i64.const -3\n"
    "func 0 \"twice\" type=0 import \"env\" \"f\"\n"
    "func 1 \"add\" type=2 at=0x40,0x48,0x0 (%a:i32, %b:i32) -> (i32) {\n"
    "  %c:i32 = i32.add %a, %b\n"
    "  return %c\n"
    "}\n"
    "func 2 \"neg\" type=1 at=0x50,0x58,0x0 (%a:i32) -> (i32) {\n"
    "  %z:i32 = i32.const 0\n"
    "  %c:i32 = i32.sub %z, %a\n"
    "  return %c\n"
    "}\n"
    "func 3 \"via\" type=0 at=0x60,0x70,0x0 (%slot:i32, %b:i32) -> (i32) {\n"
    "  %two:i32 = i32.const 2\n"
    "  %c:i32 = call_indirect 0 0 %b, %two, %slot !0x61\n"
    "  return %c\n"
    "}\n"
    "func 4 \"host\" type=0 at=0x70,0x80,0x0 (%a:i32, %b:i32) -> (i32) {\n"
    "  %c:i32 = call 0 %a, %b !0x71\n"
    "  return %c\n"
    "}\n"
    "func 5 \"globals\" type=0 at=0x80,0x90,0x0 (%a:i32, %b:i32) -> (i32) {\n"
    "  %g:i32 = global.get 0 !0x81\n"
    "  %h:i64 = global.get 1 !0x82\n"
    "  %k:i32 = i32.wrap_i64 %h\n"
    "  %s:i32 = i32.add %g, %a\n"
    "  global.set 0 %s !0x83\n"
    "  %r:i32 = i32.mul %s, %k\n"
    "  return %r\n"
    "}\n"
    "func 6 \"tables\" type=0 at=0x90,0xa0,0x0 (%a:i32, %b:i32) -> (i32) {\n"
    "  %f:funcref = table.get 0 %a !0x91\n"
    "  table.set 0 %b, %f !0x92\n"
    "  %n:i32 = ref.is_null %f\n"
    "  %two:i32 = i32.const 2\n"
    "  %g:funcref = ref.func 1\n"
    "  %old:i32 = table.grow 0 %g, %two !0x93\n"
    "  %size:i32 = table.size 0\n"
    "  %k:i32 = i32.const 100\n"
    "  %m:i32 = i32.mul %old, %k\n"
    "  %x:i32 = i32.add %m, %size\n"
    "  %y:i32 = i32.add %x, %n\n"
    "  return %y\n"
    "}\n"
    "func 7 \"recurse\" type=0 at=0xa0,0xb0,0x0 (%a:i32, %b:i32) -> (i32) {\n"
    "  %z:i32 = i32.eqz %a\n"
    "  %r:i32 = if L0 %z {\n"
    "    yield %b\n"
    "  } else {\n"
    "    %one:i32 = i32.const 1\n"
    "    %n:i32 = i32.sub %a, %one\n"
    "    %m:i32 = i32.add %a, %b\n"
    "    %q:i32 = call 7 %n, %m !0xa1\n"
    "    yield %q\n"
    "  }\n"
    "  return %r\n"
    "}\n"
    "elem 0 active funcref table=0 i32.const 0 (ref.func 1, ref.func 2, ref.func 0, ref.null)\n";

static uint64_t twice(void *env, uint64_t *v) {
    assert_int_equal((uintptr_t)env, 0);
    if (v[0] == 13)
        return IR_TRAP_HOST;
    v[0] = 2 * v[0] + v[1];
    return 0;
}

static void test_calls(void **state) {
    (void)state;
    EACH_MODE(t, call_text) {
        t->host = twice;
        assert_int_equal(call1(t, 3, 0, 5), 7);  /* add(5, 2): types 0 and 2 are equal */
        assert_int_equal(call1(t, 3, 2, 5), 12); /* the import, 2*5 + 2 */
        expect_trap(t, 3, 1, 5, IR_TRAP_INDIRECT_CALL_TYPE, 3, 0x61);
        expect_trap(t, 3, 3, 5, IR_TRAP_UNINITIALIZED_ELEMENT, 3, 0x61);
        expect_trap(t, 3, 6, 5, IR_TRAP_UNDEFINED_ELEMENT, 3, 0x61);
        expect_trap(t, 3, 0xffffffff, 5, IR_TRAP_UNDEFINED_ELEMENT, 3, 0x61);
        assert_int_equal(call1(t, 4, 7, 1), 15);
        expect_trap(t, 4, 13, 1, IR_TRAP_HOST, 0, IR_NO_OFFSET);
        assert_int_equal((uint32_t)call1(t, 5, 9, 0), (uint32_t)-60);
        assert_int_equal((uint32_t)call1(t, 5, 1, 0), (uint32_t)-63);
        assert_int_equal(call1(t, 6, 0, 4), 608);
        assert_int_equal(call1(t, 3, 4, 8), 10); /* copied there */
        assert_int_equal(call1(t, 3, 7, 8), 10); /* grown */
        expect_trap(t, 6, 0, 8, IR_TRAP_TABLE_BOUNDS, 6, 0x92);
        expect_trap(t, 6, 9, 0, IR_TRAP_TABLE_BOUNDS, 6, 0x91);
        assert_int_equal(call1(t, 7, 1000, 0), 500500);
    }
}

/* ---- launch ---- */

static const char launch_text[] = "module \"launch\"\n"
                                  "type 0 (i32, i64) -> (i64)\n"
                                  "memory 0 min=1\n"
                                  "func 0 \"f\" type=0 (%a:i32, %b:i64) -> (i64) {\n"
                                  "  %f:f32 = f32.const -1.5\n"
                                  "  %ok:i32, %t0:i64, %t1:i64 = launch 0 %a, %b, %f\n"
                                  "  %r:i64 = if L0 %ok {\n"
                                  "    %s:i64 = i64.add %t0, %t1\n"
                                  "    yield %s\n"
                                  "  } else {\n"
                                  "    yield %b\n"
                                  "  }\n"
                                  "  return %r\n"
                                  "}\n";

static bool launch(struct test_instance *t, uint64_t kernel, const uint64_t *slots, uint64_t *trips) {
    (void)t;
    assert_int_equal(kernel, 0);
    assert_int_equal(slots[0], 0xfffffff0);
    assert_int_equal(slots[2], 0xbfc00000);
    if (slots[1] == 1)
        return false;
    trips[0] = 1000000007;
    trips[1] = slots[1];
    return true;
}

static void test_launch(void **state) {
    (void)state;
    EACH_MODE(t, launch_text) {
        t->launch = launch;
        assert_int_equal(call1(t, 0, 0xfffffff0, 7), 7); /* offload is off: no call at all */
        t->ctx->offload = 1;
        assert_int_equal(call1(t, 0, 0xfffffff0, 7), 1000000014);
        assert_int_equal(call1(t, 0, 0xfffffff0, 1), 1);
    }
}

/* ---- the stack ---- */

static const char stack_text[] =
    "module \"stack\"\n"
    "type 0 (i32, i32) -> (i32)\n"
    "func 0 \"runaway\" type=0 at=0x10,0x20,0x0 (%a:i32, %b:i32) -> (i32) {\n" /* a tail call, were it a loop: endless
                                                                                */
    "  %r:i32 = call 0 %a, %b !0x11\n"
    "  return %r\n"
    "}\n"
    "func 1 \"depth\" type=0 at=0x20,0x30,0x0 (%a:i32, %b:i32) -> (i32) {\n"
    "  %r:i32 = call 1 %b, %a !0x21\n"
    "  %s:i32 = i32.add %r, %a\n"
    "  return %s\n"
    "}\n";

static sigjmp_buf overflow_exit;
static uint8_t *stack_low;

static void on_overflow(int sig, siginfo_t *info, void *context) {
    (void)sig;
    (void)context;
    uint8_t *at = info->si_addr;
    siglongjmp(overflow_exit, at >= stack_low - 65536 && at < stack_low + 65536 ? 1 : 2);
}

/* Runs on a small stack with a guard page below it. */
static void *overflow(void *instance) {
    struct test_instance *t = instance;
    static uint8_t alternative[65536];
    stack_t other = {.ss_sp = alternative, .ss_size = sizeof alternative}, old_stack;
    struct sigaction action = {.sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK}, old;
    volatile uintptr_t good = 0;
    sigaltstack(&other, &old_stack);
    sigaction(SIGSEGV, &action, &old);
    for (volatile unsigned f = 0; f < 2; f++) {
        uint64_t args[2] = {1, 2};
        int how = sigsetjmp(overflow_exit, 1);
        if (how == 0)
            t->module->trampolines[0](t->ctx, t->module->funcs[f].fn, args);
        good = good + (how == 1);
    }
    sigaction(SIGSEGV, &old, NULL);
    sigaltstack(&old_stack, NULL);
    return (void *)good;
}

static void test_stack(void **state) {
    (void)state;
    EACH_MODE(t, stack_text) {
        pthread_attr_t attr;
        pthread_t thread;
        void *good;
        size_t size = 1 << 20;
        uint8_t *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        stack_low = stack + 65536;
        assert_int_equal(mprotect(stack, 65536, PROT_NONE), 0);
        pthread_attr_init(&attr);
        assert_int_equal(pthread_attr_setstack(&attr, stack_low, size - 65536), 0);
        assert_int_equal(pthread_create(&thread, &attr, overflow, t), 0);
        pthread_join(thread, &good);
        assert_int_equal((uintptr_t)good, 2);
        munmap(stack, size);
    }
}

/* ---- objects ---- */

static void test_same_bytes(void **state) {
    (void)state;
    for (unsigned mode = 0; mode < sizeof modes / sizeof *modes; mode++) {
        struct host_object a, b;
        struct host_options one_job = modes[mode];
        one_job.jobs = 1;
        char *error;
        struct ir_module *m = test_parse(memory_text), *n = test_parse(memory_text);
        assert_true(host_compile(m, &modes[mode], &a, &error));
        assert_true(host_compile(n, &one_job, &b, &error));
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.bytes, b.bytes, a.size);
        host_object_free(&a);
        host_object_free(&b);
        ir_module_free(m);
        ir_module_free(n);
    }
}

static void test_other_targets(void **state) {
    (void)state;
    static const struct {
        const char *triple;
        bool bounds_checks, ok;
    } targets[] = {
        {"aarch64-linux-gnu", false, true},       {"x86_64-linux-musl", false, true},
        {"riscv64-linux-gnu", true, true},        {"arm64-apple-macosx13.0", true, true},
        {"arm64-apple-macosx13.0", false, true},  {"x86_64-pc-windows-msvc", true, true},
        {"x86_64-pc-windows-msvc", false, false}, {"i686-linux-gnu", false, false},
        {"s390x-linux-gnu", false, false},        {"nonsense", false, false},
    };
    for (unsigned n = 0; n < 2 * sizeof targets / sizeof *targets; n++) {
        unsigned i = n / 2;
        struct host_options o = {
            .triple = targets[i].triple, .opt_level = 2, .bounds_checks = targets[i].bounds_checks, .verify = true};
        o.part_size = n % 2;
        struct host_object object;
        char *error = NULL;
        struct ir_module *m = test_parse(memory_text);
        bool ok = host_compile(m, &o, &object, &error);
        if (ok != targets[i].ok)
            fail_msg("%s: %s", targets[i].triple, error ? error : "compiled");
        assert_true(ok ? object.size > 0 && !error : error != NULL);
        host_object_free(&object);
        free(error);
        ir_module_free(m);
    }
}

static void test_unknown_symbol(void **state) {
    (void)state;
    struct host_object object;
    char *error = NULL;
    struct ir_module *m = test_parse(memory_text);
    assert_true(host_compile(m, &modes[1], &object, &error));
    assert_null(host_jit_new(&object, "another", &error));
    assert_non_null(error);
    free(error);
    host_object_free(&object);
    object = (struct host_object){malloc(5), 5};
    memcpy(object.bytes, "junk", 5);
    assert_null(host_jit_new(&object, "memory", &error));
    assert_non_null(error);
    free(error);
    host_object_free(&object);
    ir_module_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control),       cmocka_unit_test(test_memory),         cmocka_unit_test(test_calls),
        cmocka_unit_test(test_launch),        cmocka_unit_test(test_stack),          cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_other_targets), cmocka_unit_test(test_unknown_symbol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
