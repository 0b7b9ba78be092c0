/* Counters shifted right: `c[(i >> n)]` in loops of every start, step and test.  Where the step is no multiple of 2^n,
 * the start is below 0 or the counter may wrap, the shifted counter is no sum of iterations, and taking it for one
 * would let a kernel touch bytes outside of the range that its guard has seen, which the fixture watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "offload_fixture.h"

enum { C = 16384, COUNT = 37 };

struct loop_form {
    int32_t start, step;
    unsigned shift, what; /* what is shifted: see below */
    const char *test;
    bool on_top, sign;
};

static const char *const whats[] = {"%i", "%j", "%more", "%less"};

/* Whether the analysis is to see it: a multiple of 2^n goes by, in a loop that ends by a signed comparison. */
static bool is_plain(const struct loop_form *f) {
    return f->step % (1 << f->shift) == 0 && f->start >= 0 && f->what == 0 && f->test[strlen(f->test) - 1] == 's';
}

static void print_loop(struct strbuf *text, const struct loop_form *f) {
    strbuf_printf(text,
                  "memory 0 min=1\nfunc 0 \"f\" (%%c:i32, %%n:i32) {\n%%start = i32.const %d\n%%step = i32.const %d\n"
                  "%%one = i32.const 1\n%%two = i32.const 2\n%%by = i32.const %u\nloop L (%%i:i32 = %%start) !0x10 {\n",
                  (int)f->start, (int)f->step, f->shift);
    if (f->on_top)
        strbuf_printf(text, "%%go = %s %%i, %%n\nif %%go {\n", f->test);
    strbuf_printf(text,
                  "%%j = i32.add %%i, %%step\n%%more = i32.add %%i, %%one\n%%less = i32.sub %%i, %%step\n"
                  "%%s = i32.shr_%c %s, %%by\n%%o = i32.shl %%s, %%two\n%%p = i32.add %%c, %%o\ni32.store %%p, %%i\n",
                  f->sign ? 's' : 'u', whats[f->what]);
    strbuf_printf(text,
                  f->on_top ? "br L(%%j)\n} else {\nyield\n}\nyield\n}\n"
                            : "%%go = %s %%j, %%n\nbr_if %%go, L(%%j)\nyield\n}\n",
                  f->test);
    strbuf_add(text, "return\n}\n");
}

static void check(const struct loop_form *f) {
    static uint8_t memory[65536];
    struct strbuf text = {0};
    print_loop(&text, f);
    struct oft t;
    if (!oft_init_text(&t, text.data, text.len))
        fail_msg("%s\n%s", t.error, text.data);
    t.fuel = 100000;
    const union ir_bits args[2] = {{.i32 = C}, {.i32 = (uint32_t)(f->start + COUNT * f->step - 1)}};
    if (!oft_run(&t, 0, args, memory, sizeof memory, NULL))
        fail_msg("%s\n%s", t.error, text.data);
    if (is_plain(f) && !t.launches)
        fail_msg("no launch:\n%s", text.data);
    strbuf_free(&text);
    oft_free(&t);
}

static void test_forms(void **state) {
    (void)state;
    static const int32_t starts[] = {0, 1, 3, -4}, steps[] = {1, 2, 3, 4, 6};
    static const char *const tests[] = {"i32.lt_s", "i32.le_s", "i32.lt_u"};
    for (unsigned a = 0; a < sizeof starts / sizeof *starts; a++)
        for (unsigned b = 0; b < sizeof steps / sizeof *steps; b++)
            for (unsigned shift = 1; shift <= 2; shift++)
                for (unsigned what = 0; what < sizeof whats / sizeof *whats; what++)
                    for (unsigned c = 0; c < sizeof tests / sizeof *tests; c++)
                        for (unsigned top = 0; top < 2; top++)
                            check(&(struct loop_form){starts[a], steps[b], shift, what, tests[c], top,
                                                      (a + b + shift + what + c) & 1});
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_forms)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
