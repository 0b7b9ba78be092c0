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

/* Nests whose inner loop is left early, with small numbers at random in a and b: what counts is the answer. */
struct nest {
    const char *name, *body;
    bool launched; /* whatever the numbers are */
};

#define ROWS "%w = i32.const 32\nloop Y (%y:i32 = %zero, %row:i32 = %zero) !0x10 {\n"
#define END_ROWS \
    "%y1 = i32.add %y, %one\n%row1 = i32.add %row, %w\n%goy = i32.ne %y1, %n\nbr_if %goy, Y(%y1, %row1)\nyield\n}\n"
#define COLUMNS "%end = i32.add %row, %w\nloop X (%o:i32 = %row) {\n"
#define END_COLUMNS "%q = i32.add %o, %four\n%gox = i32.ne %q, %end\nbr_if %gox, X(%q)\nyield\n}\n"

#define ARRAY_END                                                                              \
    "%t1 = i32.add %t, %four\n%gox = i32.ne %t1, %w\nbr_if %gox, X(%t1)\nyield\n}\nyield\n}\n" \
    "%last = i32.load offset=28 %b\n%pd = i32.add %c, %row\ni32.store %pd, %last\n" END_ROWS "return %zero\n"

static const struct nest nests[] = {
    {"a row is broken off",
     ROWS "block B {\n" COLUMNS READ("a") "br_if %ea, B\n%pc = i32.add %c, %o\ni32.store %pc, %va\n" END_COLUMNS
                                          "yield\n}\n" END_ROWS "return %zero\n",
     true},
    {"a row is broken off and something is done behind it",
     ROWS "block B {\n" COLUMNS READ("a") "br_if %ea, B\n%pc = i32.add %c, %o\ni32.store %pc, %va\n" END_COLUMNS
                                          "yield\n}\n%pd = i32.add %c, %row\ni32.store8 %pd, %y\n" END_ROWS
                                          "return %zero\n",
     true},
    {"out of both loops",
     "%r:i32 = block R {\n" ROWS COLUMNS READ(
         "a") "br_if %ea, R(%o)\n%pc = i32.add %c, %o\ni32.store %pc, %va\n" END_COLUMNS END_ROWS
              "yield %zero\n}\nreturn %r\n",
     false},
    {"something is written on the way out",
     "%r:i32 = block R {\n" ROWS COLUMNS READ(
         "a") "%pc = i32.add %c, %o\nif %ea {\ni32.store %pc, %y\nbr R(%o)\n} else {\n"
              "yield\n}\ni32.store %pc, %va\n" END_COLUMNS END_ROWS "yield %zero\n}\nreturn %r\n",
     false},
    {"an array on the stack that is filled up to a break",
     ROWS "block B {\nloop X (%t:i32 = %zero) {\n%o = i32.add %row, %t\n" READ(
         "a") "%ps = i32.add %b, %t\ni32.store %ps, %va\nbr_if %ea, B\n" ARRAY_END,
     false},
    {"an array on the stack that is filled after a break",
     ROWS "block B {\nloop X (%t:i32 = %zero) {\n%o = i32.add %row, %t\n" READ(
         "a") "br_if %ea, B\n%ps = i32.add %b, %t\ni32.store %ps, %va\n" ARRAY_END,
     false},
    {"an array on the stack that is filled whatever happens",
     ROWS "block B {\nloop X (%t:i32 = %zero) {\n%o = i32.add %row, %t\n" READ(
         "a") "%ps = i32.add %b, %t\ni32.store %ps, %va\n" ARRAY_END,
     true},
};

static void print_function(struct strbuf *text, const char *body) {
    strbuf_printf(text,
                  "memory 0 min=1\nfunc 0 \"f\" (%%a:i32, %%b:i32, %%c:i32, %%n:i32) -> (i32) {\n%%zero = i32.const 0\n"
                  "%%one = i32.const 1\n%%two = i32.const 2\n%%four = i32.const 4\n%%seven = i32.const 7\n"
                  "%%ten = i32.const 10\n%s}\n",
                  body);
}

static void put(uint8_t *memory, uint32_t base, uint32_t i) {
    static const uint32_t seven = 7;
    if (i != NEVER)
        memcpy(memory + base + 4 * i, &seven, 4);
}

static void check(const struct shape *s, uint32_t first, uint32_t second) {
    static uint8_t memory[65536];
    struct strbuf text = {0};
    print_function(&text, s->body);
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

static void test_nests(void **state) {
    (void)state;
    static uint8_t memory[65536];
    uint64_t random = 11;
    for (size_t k = 0; k < sizeof nests / sizeof *nests; k++) {
        struct strbuf text = {0};
        print_function(&text, nests[k].body);
        for (uint32_t seldom = 2; seldom <= 4096; seldom *= 8) {
            struct oft t;
            if (!oft_init_text(&t, text.data, text.len))
                fail_msg("%s: %s\n%s", nests[k].name, t.error, text.data);
            memset(memory, 1, sizeof memory);
            for (uint32_t i = 0; i < 8 * COUNT; i++)
                put(memory, A, oft_random(&random) % seldom ? NEVER : i);
            const union ir_bits args[4] = {{.i32 = A}, {.i32 = B}, {.i32 = C}, {.i32 = COUNT}};
            if (!oft_run(&t, 0, args, memory, sizeof memory, NULL))
                fail_msg("%s, one in %u: %s", nests[k].name, (unsigned)seldom, t.error);
            if (nests[k].launched && !t.launches)
                fail_msg("%s, one in %u: no launch", nests[k].name, (unsigned)seldom);
            oft_free(&t);
        }
        strbuf_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_ways_out), cmocka_unit_test(test_nests)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
