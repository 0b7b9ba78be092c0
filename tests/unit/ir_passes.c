/* Differential test of the passes: random functions give the same results, memory, globals and traps (code and place)
 * before and after, when run whole, when printed and parsed, when cloned, after each single pass, and after
 * opt_simplify.
 *
 *     test_ir_passes [COUNT [FIRST_SEED]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_interp.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/opt/pass.h"
#include "ir_random.h"

static uint64_t count = 1500, first_seed = 1;

struct outcome {
    struct ir_trap_info trap;
    union ir_bits values[4];
    uint32_t globals[2];
    uint8_t memory[65536];
};

static void run(struct ir_module *m, uint32_t input, struct outcome *out) {
    memset(out, 0, sizeof *out);
    struct ir_interp_desc desc = {.module = m, .fuel = 100000};
    struct ir_interp *in = ir_interp_new(&desc, &out->trap);
    assert_non_null(in);
    assert_int_equal(out->trap.code, IR_TRAP_NONE);
    static const float floats[] = {0, 1.5f, -3e9f, 0};
    union ir_bits args[4] = {{.i32 = input * 77},
                             {.i64 = (uint64_t)input << 31 | 5},
                             {.f32 = floats[input & 3]},
                             {.f64 = input == 3 ? 1e300 : input * 0.75}};
    if (input == 3)
        args[2].i32 = 0x7fc00000; /* NaN */
    if (ir_interp_call(in, 0, args, &out->trap))
        memcpy(out->values, args, sizeof args);
    for (uint32_t k = 0; k < 2; k++)
        out->globals[k] = ir_interp_global(in, k)->i32;
    uint64_t bytes;
    uint8_t *memory = ir_interp_memory(in, 0, &bytes);
    assert_int_equal(bytes, sizeof out->memory);
    memcpy(out->memory, memory, sizeof out->memory);
    ir_interp_free(in);
}

static struct ir_module *reparse(struct ir_module *m, struct strbuf *text) {
    struct ir_parse_error error;
    text->len = 0;
    ir_print_module(text, m);
    struct ir_module *copy = ir_parse_module(text->data, text->len, &error);
    if (!copy)
        fail_msg("%u:%u: %s", error.line, error.column, error.message);
    return copy;
}

static void compare(struct ir_module *a, struct ir_module *b, const char *what, uint64_t seed) {
    static struct outcome x, y;
    for (uint32_t input = 0; input < 4; input++) {
        run(a, input, &x);
        run(b, input, &y);
        if (x.trap.code == IR_TRAP_INTERRUPT)
            continue;
        if (memcmp(&x, &y, sizeof x) == 0)
            continue;
        struct strbuf before = {0}, after = {0};
        ir_print_func(&before, a->funcs[0].func);
        ir_print_func(&after, b->funcs[0].func);
        fprintf(stderr, "before:\n%s\nafter:\n%s\n", before.data, after.data);
        fail_msg("seed %llu input %u: %s changes the outcome (trap %d at 0x%x, now %d at 0x%x)",
                 (unsigned long long)seed, input, what, x.trap.code, x.trap.wasm_offset, y.trap.code,
                 y.trap.wasm_offset);
    }
}

/* Function 0 again, cloned into a function of its own. */
static void clone_func(struct ir_module *m) {
    struct ir_func *from = m->funcs[0].func, *to = ir_func_new(m, "clone", &from->sig);
    to->type = from->type;
    struct arena scratch = {0};
    struct ir_map *map = ir_map_new(&scratch);
    for (uint32_t k = 0; k < from->body->nparams; k++)
        ir_map_set(map, from->body->params[k], to->body->params[k]);
    struct ir_builder b = ir_builder_at_end(to->body);
    ir_foreach_inst (i, from->body)
        ir_clone_inst(&b, i, map);
    arena_free(&scratch);
    ir_func_free(from);
    m->funcs[0].func = to;
}

static void verify(struct ir_module *m, uint64_t seed) {
    struct strbuf out = {0};
    if (!ir_verify_module(m, &out))
        fail_msg("seed %llu: %s", (unsigned long long)seed, out.data);
    strbuf_free(&out);
}

static struct ir_random_options options(uint64_t seed) {
    return (struct ir_random_options){
        .seed = seed, .size = 20 + (uint32_t)(seed * 7 % 180), .max_depth = 2 + (uint32_t)(seed % 8)};
}

static void test_round_trip_and_clone(void **state) {
    (void)state;
    struct strbuf text = {0}, again = {0};
    for (uint64_t seed = first_seed; seed < first_seed + count / 4; seed++) {
        struct ir_random_options o = options(seed);
        struct ir_module *m = ir_random_module(&o);
        verify(m, seed);
        struct ir_module *copy = reparse(m, &text);
        again.len = 0;
        ir_print_module(&again, copy);
        assert_int_equal(text.len, again.len);
        assert_memory_equal(text.data, again.data, text.len);
        clone_func(copy);
        verify(copy, seed);
        compare(m, copy, "cloning", seed);
        ir_module_free(copy);
        ir_module_free(m);
    }
    strbuf_free(&text);
    strbuf_free(&again);
}

static void test_each_pass(void **state) {
    (void)state;
    struct strbuf text = {0};
    for (uint64_t seed = first_seed; seed < first_seed + count / 4; seed++) {
        struct ir_random_options o = options(seed);
        struct ir_module *m = ir_random_module(&o);
        for (int pass = 0; pass < OPT_PASS_COUNT; pass++) {
            struct ir_module *copy = reparse(m, &text);
            struct pass_ctx cx = {.module = copy, .verify = true};
            pass_run((enum opt_pass)pass, copy->funcs[0].func, &cx);
            compare(m, copy, pass_name((enum opt_pass)pass), seed);
            arena_free(&cx.scratch);
            ir_module_free(copy);
        }
        ir_module_free(m);
    }
    strbuf_free(&text);
}

static void test_simplify(void **state) {
    (void)state;
    struct strbuf text = {0};
    for (uint64_t seed = first_seed; seed < first_seed + count; seed++) {
        struct ir_random_options o = options(seed);
        struct ir_module *m = ir_random_module(&o), *copy = reparse(m, &text);
        struct pass_ctx cx = {.module = copy, .verify = true};
        opt_simplify(copy->funcs[0].func, &cx);
        compare(m, copy, "simplify", seed);
        arena_free(&cx.scratch);
        ir_module_free(copy);
        ir_module_free(m);
    }
    strbuf_free(&text);
}

static void note_pass(void *user, const char *pass, struct ir_func *f) {
    assert_string_equal(f->name, "f");
    strbuf_printf(user, "%s ", pass);
}

static void test_runner(void **state) {
    (void)state;
    static const char text[] = "func 0 \"f\" (%a:i32) -> (i32) {\n"
                               "  %z = i32.const 0\n"
                               "  %r:i32 = block B {\n"
                               "    %s = i32.add %a, %z\n"
                               "    yield %s\n"
                               "  }\n"
                               "  return %r\n}\n";
    const struct {
        const char *dump_after, *stop_after, *skip, *dumped;
        bool stopped;
    } rows[] = {
        {"all", NULL, NULL,
         "fold implied structure twice float-counters prune cse traps licm dce "
         "fold implied structure twice float-counters prune cse traps licm dce ",
         false},
        {"cse", NULL, NULL, "cse cse ", false},
        {"all", "structure", NULL, "fold implied structure ", true},
        {"all", "traps", "fold,implied,twice,float-counters,prune,cse", "structure traps ", true},
        {NULL, NULL, NULL, "", false},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct ir_parse_error error;
        struct ir_module *m = ir_parse_module(text, sizeof text - 1, &error);
        assert_non_null(m);
        struct strbuf dumped = {0};
        strbuf_add(&dumped, "");
        struct pass_ctx cx = {.module = m,
                              .verify = true,
                              .dump_after = rows[k].dump_after,
                              .stop_after = rows[k].stop_after,
                              .skip = rows[k].skip,
                              .dump = note_pass,
                              .dump_user = &dumped};
        opt_simplify(m->funcs[0].func, &cx);
        assert_string_equal(dumped.data, rows[k].dumped);
        assert_int_equal(cx.stopped, rows[k].stopped);
        strbuf_free(&dumped);
        arena_free(&cx.scratch);
        ir_module_free(m);
    }
    enum opt_pass pass;
    assert_true(pass_lookup("licm", &pass) && pass == OPT_LICM);
    assert_false(pass_lookup("lic", &pass));
}

int main(int argc, char **argv) {
    if (argc > 1)
        count = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_and_clone),
        cmocka_unit_test(test_each_pass),
        cmocka_unit_test(test_simplify),
        cmocka_unit_test(test_runner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
