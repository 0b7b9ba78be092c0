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
    bool wide; /* stores eight bytes, so that neighbours overlap where two iterations are four bytes apart */
    uint32_t bound;
};

static const char *const whats[] = {"%i", "%j", "%more", "%less", "%triple"};

/* Whether the analysis is to see it: a multiple of 2^n goes by, in a loop that ends by a signed comparison. */
static bool is_plain(const struct loop_form *f) {
    return f->step % (1 << f->shift) == 0 && f->start >= 0 && f->what == 0 && f->test[strlen(f->test) - 1] == 's' &&
           !f->wide && f->shift < 4;
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
                  "%%three = i32.const 3\n%%triple = i32.mul %%i, %%three\n%%s = i32.shr_%c %s, %%by\n"
                  "%%o = i32.shl %%s, %%two\n%%p = i32.add %%c, %%o\n%%v = i64.extend_i32_s %%i\n%s.store %%p, %s\n",
                  f->sign ? 's' : 'u', whats[f->what], f->wide ? "i64" : "i32", f->wide ? "%v" : "%i");
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
    const union ir_bits args[2] = {{.i32 = C}, {.i32 = f->bound}};
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
                            check(&(struct loop_form){.start = starts[a],
                                                      .step = steps[b],
                                                      .shift = shift,
                                                      .what = what,
                                                      .test = tests[c],
                                                      .on_top = top,
                                                      .sign = (a + b + shift + what + c) & 1,
                                                      .wide = (a + b) % 3 == 0,
                                                      .bound = (uint32_t)(starts[a] + COUNT * steps[b] - 1)});
}

/* Counters that come to 2^31 and beyond, in few iterations: the last one comes round to its bound the fifth time. */
static void test_wraps(void **state) {
    (void)state;
    static const struct loop_form forms[] = {
        {.step = 1 << 24, .shift = 20, .test = "i32.ne", .bound = 0x86000000},
        {.step = 1 << 24, .shift = 20, .test = "i32.lt_u", .bound = 0x86000000},
        {.step = 1 << 24, .shift = 20, .test = "i32.le_u", .bound = 0x86000000},
        {.step = 1 << 24, .shift = 20, .test = "i32.lt_s", .bound = 0x7f000000},
        {.step = 1 << 24, .shift = 20, .test = "i32.lt_s", .bound = 0x86000000},
        {.step = 3 << 22, .shift = 20, .test = "i32.lt_s", .bound = 0x7fc00000},
    };
    for (unsigned k = 0; k < sizeof forms / sizeof *forms; k++)
        for (unsigned way = 0; way < 4; way++) {
            struct loop_form f = forms[k];
            f.on_top = way & 1;
            f.sign = way & 2;
            check(&f);
        }
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_forms), cmocka_unit_test(test_wraps)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
