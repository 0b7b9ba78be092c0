/* Differential test of the host backend: random functions, compiled in every mode, give the interpreter's results,
 * memory, globals and traps (code and place).
 *
 *     test_host_random [COUNT [FIRST_SEED]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/host_test.h"

#include <cmocka.h>

#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "tests/unit/ir_random.h"

static uint64_t count = 30, first_seed = 1;

static const struct host_options modes[] = {
    {.opt_level = 0},
    {.opt_level = 1},
    {.opt_level = 2},
    {.opt_level = 2, .bounds_checks = true},
    {.opt_level = 3},
    {.opt_level = 2, .cpu = "native"},
    {.opt_level = 2, .part_size = 1, .jobs = 3},
};

static void fill_args(uint32_t input, uint64_t *args) {
    static const float floats[] = {0, 1.5f, -3e9f, 0};
    union ir_bits f = {.f32 = floats[input & 3]}, d = {.f64 = input == 3 ? 1e300 : input * 0.75};
    args[0] = input * 77;
    args[1] = (uint64_t)input << 31 | 5;
    args[2] = input == 3 ? 0x7fc00000 : f.i32;
    args[3] = d.i64;
}

static void run_input(struct test_instance *t, uint64_t seed, uint32_t input) {
    struct ir_trap_info trap = {0};
    struct ir_interp *in = ir_interp_new(&(struct ir_interp_desc){.module = t->ir}, &trap);
    uint64_t got[4], bytes;
    union ir_bits want[4] = {{0}};
    fill_args(input, got);
    for (unsigned k = 0; k < 4; k++)
        want[k].i64 = got[k];
    uint8_t *memory = ir_interp_memory(in, 0, &bytes);
    memcpy(t->memory.base, memory, bytes);
    for (unsigned k = 0; k < 2; k++)
        t->ctx->globals[k][0] = ir_interp_global(in, k)->i64;
    bool want_ok = ir_interp_call(in, 0, want, &trap), got_ok = test_call(t, 0, got);
    bool same = want_ok == got_ok && memcmp(memory, t->memory.base, bytes) == 0;
    if (!want_ok)
        same = same && trap.code == t->trap &&
               trap.wasm_offset == t->trap_offset; /* the function has no place of its own in a file */
    else
        same = same && want[0].i32 == (uint32_t)got[0] && want[1].i64 == got[1] && want[2].i32 == (uint32_t)got[2] &&
               want[3].i64 == got[3];
    for (unsigned k = 0; k < 2; k++)
        same = same && (uint32_t)t->ctx->globals[k][0] == ir_interp_global(in, k)->i32;
    if (!same)
        fail_msg("seed %llu, input %u, opt_level %d%s: expected trap %d at 0x%x, got %d at 0x%x",
                 (unsigned long long)seed, input, t->options.opt_level, t->options.bounds_checks ? ", checks" : "",
                 want_ok ? 0 : (int)trap.code, trap.wasm_offset, (int)t->trap, t->trap_offset);
    ir_interp_free(in);
}

static void test_random(void **state) {
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + count; seed++) {
        struct ir_random_options options = {.seed = seed, .size = 40 + seed % 7 * 40, .max_depth = 5};
        struct ir_module *m = ir_random_module(&options);
        struct strbuf text = {0};
        ir_print_module(&text, m);
        ir_module_free(m);
        for (unsigned mode = 0; mode < sizeof modes / sizeof *modes; mode++) {
            struct test_instance *t = test_instance_new(text.data, &modes[mode]);
            for (uint32_t input = 0; input < 4; input++)
                run_input(t, seed, input);
            test_instance_free(t);
        }
        strbuf_free(&text);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    if (argc > 1)
        count = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
