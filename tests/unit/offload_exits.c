/* Loops with several ways out, one of which is their count.
 *
 * Such a loop runs as a kernel when no iteration takes another way, and the inspector has to look at all of them: at
 * the first, at the last, in which the count leaves too, at both ways out of one iteration, of which the first counts,
 * and at none beyond the last.  Each shape runs with both ways out at each of these places; what it returns tells which
 * way it went, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "offload_fixture.h"

enum { A = 1024, B = 16384, C = 32768, COUNT = 40, NEVER = 1000 };

struct shape {
    const char *name;
    const char *body; /* (%a, %b, %c, %n) -> i32: a[i] or b[i] being 7 leaves the loop, which writes c[i] */
    bool odd;         /* the second way out is open in odd iterations only */
};

#define LOOP "loop L (%i:i32 = %zero, %o:i32 = %zero) !0x10 {\n"
#define READ(x) "%p" x " = i32.add %" x ", %o\n%v" x " = i32.load %p" x "\n%e" x " = i32.eq %v" x ", %seven\n"
#define WRITE "%w = i32.mul %va, %i\n%pc = i32.add %c, %o\ni32.store %pc, %w\n"
#define NEXT "%j = i32.add %i, %one\n%q = i32.add %o, %four\n"
#define CODE(way) "%k" way " = i32.mul %i, %ten\n%l" way " = i32.add %k" way ", %" way "\n"

static const struct shape shapes[] = {
    {.name = "tested at the bottom",
     .body = "%r:i32 = block R {\n" LOOP READ("a") CODE("one") "br_if %ea, R(%lone)\n" WRITE READ("b")
         CODE("two") "br_if %eb, R(%ltwo)\n" NEXT "%go = i32.ne %j, %n\nbr_if %go, L(%j, %q)\nyield\n}\n"
                     "yield %zero\n}\nreturn %r\n"},
    {.name = "tested on top",
     .body = "%r:i32 = block R {\nblock X {\n" LOOP "%done = i32.ge_s %i, %n\nbr_if %done, X\n" READ("a") CODE(
         "one") "br_if %ea, R(%lone)\n" WRITE READ("b") CODE("two") "br_if %eb, R(%ltwo)\n" NEXT "br L(%j, %q)\n}\n"
                                                                    "unreachable\n}\nyield %zero\n}\nreturn %r\n"},
    {.name = "left by returns",
     .body = LOOP READ("a") CODE("one") "if %ea {\nreturn %lone\n} else {\nyield\n}\n" WRITE READ("b")
         CODE("two") "if %eb {\nreturn %ltwo\n} else {\nyield\n}\n" NEXT "%go = i32.ne %j, %n\nbr_if %go, L(%j, %q)\n"
                     "yield\n}\nreturn %zero\n"},
    {.name = "to different places",
     .body = "%s:i32 = block S {\n%r:i32 = block R {\n" LOOP READ("b") CODE("two") "br_if %eb, S(%ltwo)\n" READ("a")
         CODE("one") "br_if %ea, R(%lone)\n" WRITE NEXT "%go = i32.ne %j, %n\nbr_if %go, L(%j, %q)\nyield\n}\n"
                     "yield %zero\n}\n%t = i32.add %r, %one\nyield %t\n}\nreturn %s\n"},
    {.name = "the second one behind a condition",
     .odd = true,
     .body = "%r:i32 = block R {\n" LOOP READ("a") CODE("one") "br_if %ea, R(%lone)\n" WRITE CODE("two")
         READ("b") "%odd = i32.and %i, %one\nif %odd {\nbr_if %eb, R(%ltwo)\nyield\n} else {\nyield\n}\n" NEXT
                   "%go = i32.ne %j, %n\nbr_if %go, L(%j, %q)\nyield\n}\nyield %zero\n}\nreturn %r\n"},
};

static void put(uint8_t *memory, uint32_t base, uint32_t i) {
    static const uint32_t seven = 7;
    if (i != NEVER)
        memcpy(memory + base + 4 * i, &seven, 4);
}

static void check(const struct shape *s, uint32_t first, uint32_t second) {
    static uint8_t memory[65536];
    struct strbuf text = {0};
    strbuf_printf(&text,
                  "memory 0 min=1\nfunc 0 \"f\" (%%a:i32, %%b:i32, %%c:i32, %%n:i32) -> (i32) {\n%%zero = i32.const 0\n"
                  "%%one = i32.const 1\n%%two = i32.const 2\n%%four = i32.const 4\n%%seven = i32.const 7\n"
                  "%%ten = i32.const 10\n%s}\n",
                  s->body);
    struct oft t;
    if (!oft_init_text(&t, text.data, text.len))
        fail_msg("%s: %s\n%s", s->name, t.error, text.data);
    memset(memory, 1, sizeof memory);
    put(memory, A, first);
    put(memory, B, second);
    const union ir_bits args[4] = {{.i32 = A}, {.i32 = B}, {.i32 = C}, {.i32 = COUNT}};
    if (!oft_run(&t, 0, args, memory, sizeof memory, NULL))
        fail_msg("%s, ways out at %u and %u: %s", s->name, (unsigned)first, (unsigned)second, t.error);
    bool left = first < COUNT || (second < COUNT && (!s->odd || second % 2));
    if (t.launches != !left || t.fallbacks[WM_FALLBACK_INSPECTED] != left)
        fail_msg("%s, ways out at %u and %u: %u launches, %u turned down", s->name, (unsigned)first, (unsigned)second,
                 (unsigned)t.launches, (unsigned)t.fallbacks[WM_FALLBACK_INSPECTED]);
    strbuf_free(&text);
    oft_free(&t);
}

static void test_ways_out(void **state) {
    (void)state;
    static const uint32_t places[] = {0, 5, COUNT - 2, COUNT - 1, COUNT, NEVER};
    enum { PLACES = sizeof places / sizeof *places };
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        for (unsigned i = 0; i < PLACES; i++)
            for (unsigned j = 0; j < PLACES; j++)
                check(&shapes[k], places[i], places[j]);
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_ways_out)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
