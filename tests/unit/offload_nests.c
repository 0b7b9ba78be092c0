/* Nests by hand: several grid dimensions, imperfect nests, values that decide at run time, data-dependent addresses.
 * Each says how many dimensions its grid has and what its launches come to with given numbers: a launch, or the guard's
 * reason against it.  Results are compared by the fixture in every case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "offload_fixture.h"

enum { ARGS = 6, RUNS = 4, LAUNCHED = WM_FALLBACK_COUNT };

struct nest_run {
    uint32_t args[ARGS];
    unsigned expect; /* LAUNCHED or an enum wm_fallback, of the first kernel */
    uint64_t points; /* when launched */
};

struct nest_test {
    const char *name;
    uint32_t kernels, grid; /* grid dimensions of the first kernel */
    const char *body;       /* (%a, %b, %c, %n, %m, %k) -> i32; constants %zero, %one, %four; ends with a return */
    struct nest_run runs[RUNS];
};

/* loop LABEL (counter from %count down to 1, pointer from START) */
#define DOWN(L, i, count, q, start) "loop " L " (%" i ":i32 = %" count ", %" q ":i32 = %" start ") !0x10 {\n"
#define AGAIN(L, i, q, step)                                                                                 \
    "%" i "n = i32.sub %" i ", %one\n%" q "n = i32.add %" q ", %" step "\nbr_if %" i "n, " L "(%" i "n, %" q \
    "n)\nyield\n}\n"
#define END "return %zero\n"

static const struct nest_test tests[] = {
    {"two dimensions",
     1,
     2,
     "%row = i32.shl %m, %two\n" DOWN("L", "i", "n", "p", "a")
         DOWN("M", "j", "m", "q", "p") "%v = i32.mul %i, %j\ni32.store %q, %v\n" AGAIN("M", "j", "q", "four")
             AGAIN("L", "i", "p", "row") END,
     {{{1024, 0, 0, 20, 30, 0}, LAUNCHED, 600},
      {{1024, 0, 0, 1, 1, 0}, LAUNCHED, 1},
      {{65000, 0, 0, 20, 30, 0}, WM_FALLBACK_BOUNDS, 120},
      {{1024, 0, 0, 20, 0, 0}, WM_FALLBACK_TRIP, 0}}},
    {"three dimensions",
     1,
     3,
     "%row = i32.shl %m, %two\n%plane = i32.mul %row, %n\n" DOWN("L", "i", "k", "o", "a") DOWN("M", "j", "n", "p", "o")
         DOWN("N", "h", "m", "q", "p") "%u = i32.mul %i, %j\n%v = i32.mul %h, %u\ni32.store %q, %v\n" AGAIN(
             "N", "h", "q", "four") AGAIN("M", "j", "p", "row") AGAIN("L", "i", "o", "plane") END,
     {{{1024, 0, 0, 5, 6, 7}, LAUNCHED, 210}}},
    {"a triangle whose rows do not overlap, though their boxes would",
     1,
     1,
     "%row = i32.shl %n, %two\n" DOWN("L", "i", "n", "p", "a")
         DOWN("M", "j", "i", "q", "p") "%v = i32.mul %i, %j\ni32.store %q, %v\n" AGAIN("M", "j", "q", "four")
             AGAIN("L", "i", "p", "row") END,
     {{{1024, 0, 0, 40, 0, 0}, LAUNCHED, 40}, {{59136, 0, 0, 40, 0, 0}, LAUNCHED, 40}}},
    {"a triangle that starts on the diagonal and ends where memory does",
     1,
     1,
     "%row = i32.shl %n, %two\n%next = i32.add %row, %four\n" DOWN("L", "i", "n", "p", "a")
         DOWN("M", "j", "i", "q", "p") "%v = i32.load %q\n%w = i32.add %v, %j\ni32.store %q, %w\n" AGAIN(
             "M", "j", "q", "four") AGAIN("L", "i", "p", "next") END,
     {{{1024, 0, 0, 40, 0, 0}, LAUNCHED, 40},
      {{59136, 0, 0, 40, 0, 0}, LAUNCHED, 40},
      {{59140, 0, 0, 40, 0, 0}, WM_FALLBACK_BOUNDS, 819}}},
    {"a triangle entered only where it is not empty",
     1,
     1,
     "%row = i32.shl %n, %two\n" DOWN(
         "L", "i", "n", "p",
         "a") "%h = i32.sub %i, %one\nblock B {\n%none = i32.eqz "
              "%h\nbr_if %none, B\n" DOWN("M", "j", "h", "q", "p") "%v = i32.mul %i, %j\ni32.store %q, %v\n" AGAIN(
                  "M", "j", "q", "four") "yield\n}\n" AGAIN("L", "i", "p", "row") END,
     {{{1024, 0, 0, 40, 0, 0}, LAUNCHED, 40}}},
    {"a triangle whose last row would go round",
     1,
     1,
     "%row = i32.shl %n, %two\n" DOWN(
         "L", "i", "n", "p",
         "a") "%h = i32.sub %i, %k\nblock B {\n%none = i32.le_u "
              "%i, %k\nbr_if %none, B\n" DOWN("M", "j", "h", "q", "p") "%v = i32.mul %i, %j\ni32.store %q, %v\n" AGAIN(
                  "M", "j", "q", "four") "yield\n}\n" AGAIN("L", "i", "p", "row") END,
     {{{1024, 0, 0, 40, 0, 3}, WM_FALLBACK_TRIP, 703}}}, /* row by row */
    {"short rows overlap",
     1,
     2,
     DOWN("L", "i", "n", "p", "a") DOWN("M", "j", "m", "q", "p") "%v = i32.mul %i, %j\ni32.store %q, %v\n" AGAIN(
         "M", "j", "q", "four") AGAIN("L", "i", "p", "c") END,
     {{{1024, 0, 80, 9, 20, 0}, LAUNCHED, 180},
      {{1024, 0, 76, 9, 20, 0}, WM_FALLBACK_CONFLICT, 180},
      {{1024, 0, 0, 9, 20, 0}, WM_FALLBACK_CONFLICT, 180},
      {{8192, 0, (uint32_t)-80, 9, 20, 0}, LAUNCHED, 180}}},
    {"a store between the loops keeps the inner one sequential",
     1,
     1,
     "%row = i32.shl %m, %two\n%wide = i32.add %row, %four\n" DOWN(
         "L", "i", "n", "p",
         "a") "i32.store %p, %i\n%first = i32.add %p, %four\n" DOWN("M", "j", "m", "q",
                                                                    "first") "%v = i32.mul %i, %j\ni32.store %q, "
                                                                             "%v\n" AGAIN("M", "j", "q", "four")
                                                                                 AGAIN("L", "i", "p", "wide") END,
     {{{1024, 0, 0, 12, 10, 0}, LAUNCHED, 12}}},
    {"sibling loops inside a point",
     1,
     1,
     "%row = i32.shl %m, %two\n" DOWN("L", "i", "n", "p", "a")
         DOWN("M", "j", "m", "q", "p") "i32.store %q, %i\n" AGAIN("M", "j", "q", "four")
             DOWN("N", "h", "m", "r", "p") "%v = i32.load %r\n%w = i32.mul %v, %h\ni32.store %r, %w\n" AGAIN(
                 "N", "h", "r", "four") AGAIN("L", "i", "p", "row") END,
     {{{1024, 0, 0, 15, 7, 0}, LAUNCHED, 15}}},
    {"columns",
     1,
     2,
     "%row = i32.shl %m, %two\n" DOWN("L", "i", "m", "p", "a")
         DOWN("M", "j", "n", "q", "p") "%v = i32.sub %i, %j\ni32.store %q, %v\n" AGAIN("M", "j", "q", "row")
             AGAIN("L", "i", "p", "four") END,
     {{{1024, 0, 0, 20, 30, 0}, LAUNCHED, 600}}},
    {"in place",
     1,
     1,
     DOWN("L", "i", "n", "p", "a") "%v = i32.load %p\n%w = i32.add %v, %i\ni32.store %p, %w\n" AGAIN("L", "i", "p",
                                                                                                     "four") END,
     {{{1024, 0, 0, 500, 0, 0}, LAUNCHED, 500}}},
    {"two arrays that may be one",
     1,
     1,
     DOWN("L", "i", "n", "p", "a") "%d = i32.sub %p, %a\n%s = i32.add %d, %b\n%v = i32.load %s\n%w = i32.mul %v, %i\n"
                                   "i32.store %p, %w\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 8192, 0, 500, 0, 0}, LAUNCHED, 500},
      {{1024, 1024, 0, 500, 0, 0}, LAUNCHED, 500},
      {{1024, 1028, 0, 500, 0, 0}, WM_FALLBACK_CONFLICT, 0},
      {{1024, 3024, 0, 500, 0, 0}, LAUNCHED, 500}}},
    {"two strides",
     1,
     1,
     DOWN("L", "i", "n", "p",
          "a") "%x = i32.mul %i, %k\n%s = i32.add %b, %x\n%v = i32.load8_u %s\ni32.store %p, %v\n" AGAIN("L", "i", "p",
                                                                                                         "four") END,
     {{{1024, 8192, 0, 100, 0, 12}, LAUNCHED, 100},
      {{1024, 1100, 0, 100, 0, 12}, WM_FALLBACK_CONFLICT, 0},
      {{1024, 8192, 0, 100, 0, (uint32_t)-12}, LAUNCHED, 100},
      {{1024, 8192, 0, 100, 0, 0}, LAUNCHED, 100}}},
    {"unrolled by four, and the rest",
     2,
     1,
     "%m4 = i32.const -4\n%m3 = i32.const 3\n%many = i32.and %n, %m4\n%rest = i32.and %n, %m3\n%x16 = i32.const 16\n"
     "%e:i32 = if %many {\n%r:i32 = loop L (%i:i32 = %many, %p:i32 = %a) !0x10 {\n"
     "i32.store %p, %i\ni32.store offset=4 %p, %i\ni32.store offset=8 %p, %i\ni32.store offset=12 %p, %i\n"
     "%pn = i32.add %p, %x16\n%in = i32.sub %i, %four\nbr_if %in, L(%in, %pn)\nyield %pn\n}\nyield %r\n} else {\n"
     "yield %a\n}\n%f:i32 = if %rest {\n%r2:i32 = loop M (%j:i32 = %rest, %q:i32 = %e) !0x20 {\ni32.store %q, %j\n"
     "%qn = i32.add %q, %four\n%jn = i32.sub %j, %one\nbr_if %jn, M(%jn, %qn)\nyield %qn\n}\nyield %r2\n} else {\n"
     "yield %e\n}\nreturn %f\n",
     {{{1024, 0, 0, 400, 0, 0}, LAUNCHED, 100},
      {{1024, 0, 0, 403, 0, 0}, LAUNCHED, 103},
      {{1024, 0, 0, 64, 0, 0}, LAUNCHED, 16}}},
    {"an unrolled sum inside, with its rest",
     1,
     1,
     "%m2 = i32.const -2\n%many = i32.and %m, %m2\n%rest = i32.and %m, %one\n%eight = i32.const 8\n%row = i32.shl %m, "
     "%two\n" DOWN(
         "L", "i",
         "n", "p",
         "a") "%d = i32.sub %n, %i\n%o = i32.mul %d, %row\n%src = i32.add %b, %o\n%e:i32, %s:i32 = if %many {\n"
              "%r0:i32, %r1:i32 = loop M (%j:i32 = %many, %q:i32 = %src, %t:i32 = %zero) !0x20 {\n%v = i32.load %q\n"
              "%w = i32.load offset=4 %q\n%t0 = i32.add %t, %v\n%t1 = i32.add %t0, %w\n%qn = i32.add %q, %eight\n"
              "%jn = i32.sub %j, %two\nbr_if %jn, M(%jn, %qn, %t1)\nyield %qn, %t1\n}\nyield %r0, %r1\n} else {\nyield "
              "%src, "
              "%zero\n}\n%g:i32 = if %rest {\n%v2 = i32.load %e\n%s2 = i32.add %s, %v2\nyield %s2\n} else {\nyield "
              "%s\n}\n"
              "i32.store %p, %g\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 8192, 0, 20, 8, 0}, LAUNCHED, 20},
      {{1024, 8192, 0, 20, 7, 0}, LAUNCHED, 20},
      {{1024, 8192, 0, 20, 1, 0}, LAUNCHED, 20},
      {{65000, 61000, 0, 20, 7, 0}, LAUNCHED, 20}}},
    {"a known condition around the inner loop",
     1,
     2,
     "%row = i32.shl %m, %two\n" DOWN("L", "i", "n", "p", "a") "if %k {\n" DOWN(
         "M", "j", "m", "q",
         "p") "%v = i32.mul %i, %j\ni32.store %q, %v\n" AGAIN("M", "j", "q",
                                                              "four") "yield\n} else {\nyield\n}\n" AGAIN("L", "i", "p",
                                                                                                          "row") END,
     {{{1024, 0, 0, 20, 30, 5}, LAUNCHED, 600}, {{1024, 0, 0, 20, 30, 0}, WM_FALLBACK_CONDITION, 0}}},
    {"an access that happens on a known condition",
     1,
     1,
     DOWN("L", "i", "n", "p",
          "a") "if %k {\ni32.store offset=100000 %p, %i\nyield\n} else {\ni32.store %p, %i\nyield\n}\n" AGAIN("L", "i",
                                                                                                              "p",
                                                                                                              "four")
         END,
     {{{1024, 0, 0, 100, 0, 0}, LAUNCHED, 100}, {{1024, 0, 0, 100, 0, 1}, WM_FALLBACK_BOUNDS, 0}}},
    {"a pointer chosen by a known condition",
     1,
     1,
     "%cond = i32.lt_s %k, %m\n" DOWN("L", "i", "n", "p",
                                      "a") "%d = i32.sub %p, %a\n%x = i32.add %b, %d\n%y = i32.add %c, %d\n%s:i32 = "
                                           "select %x, %y, %cond\n%v = i32.load %s\n"
                                           "i32.store %p, %v\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 4096, 100000, 100, 5, 3}, LAUNCHED, 100}, {{1024, 4096, 100000, 100, 3, 5}, WM_FALLBACK_BOUNDS, 0}}},
    {"a pointer chosen by data counts as both",
     1,
     1,
     DOWN("L", "i", "n", "p", "a") "%u = i32.load8_u offset=20000 %p\n%bit = i32.and %u, %one\n%d = i32.sub %p, %a\n"
                                   "%x = i32.add %b, %d\n%y = i32.add %c, %d\n%s:i32 = select %x, %y, %bit\n%v = "
                                   "i32.load %s\ni32.store %p, %v\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 4096, 8192, 100, 0, 0}, LAUNCHED, 100}, {{1024, 4096, 65500, 100, 0, 0}, WM_FALLBACK_BOUNDS, 0}}},
    {"a pointer from a table of branches",
     1,
     1,
     DOWN(
         "L", "i", "n", "p",
         "a") "%u = i32.load8_u offset=20000 %p\n%d = i32.sub %p, %a\n%x = i32.add %b, %d\n"
              "%x1 = i32.add %x, %four\n%y = i32.add %c, %d\n%s:i32 = block B {\nbr_table %u, B(%x), B(%x1), B(%y)\n}\n"
              "%v = i32.load %s\ni32.store %p, %v\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 4096, 8192, 100, 0, 0}, LAUNCHED, 100}, {{1024, 4096, 1200, 100, 0, 0}, WM_FALLBACK_CONFLICT, 0}}},
    {"a clamped coordinate",
     1,
     1,
     DOWN(
         "L", "i", "n", "p",
         "a") "%x = i32.sub %i, %four\n%pos = i32.gt_s %x, %zero\n%lo:i32 = select %x, %zero, %pos\n"
              "%less = i32.lt_s %lo, %m\n%hi:i32 = select %lo, %m, %less\n%o = i32.shl %hi, %two\n%s = i32.add %b, %o\n"
              "%v = i32.load %s\ni32.store %p, %v\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 8192, 0, 100, 50, 0}, LAUNCHED, 100},
      {{1024, 65332, 0, 100, 50, 0}, LAUNCHED, 100},
      {{1024, 65336, 0, 100, 50, 0}, WM_FALLBACK_BOUNDS, 0},
      {{1024, 1000, 0, 100, 50, 0}, WM_FALLBACK_CONFLICT, 0}}},
    {"a table of bytes, then of words",
     1,
     1,
     DOWN("L", "i", "n", "p", "a") "%u = i32.load8_u offset=20000 %p\n%o = i32.shl %u, %two\n%s = i32.add %b, %o\n"
                                   "%v = i32.load %s\ni32.store %p, %v\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 8192, 0, 100, 0, 0}, LAUNCHED, 100},
      {{1024, 64512, 0, 100, 0, 0}, LAUNCHED, 100},
      {{1024, 64516, 0, 100, 0, 0}, WM_FALLBACK_BOUNDS, 0},
      {{1024, 1020, 0, 100, 0, 0}, WM_FALLBACK_CONFLICT, 0}}},
    {"masks, remainders and shifts bound an index",
     1,
     1,
     "%m31 = i32.const 31\n%seven = i32.const 7\n%s29 = i32.const 29\n" DOWN(
         "L", "i", "n", "p",
         "a") "%h = i32.mul %i, %k\n%x = i32.and %h, %m31\n%y = i32.rem_u %h, %seven\n%z = i32.shr_u %h, %s29\n"
              "%x4 = i32.shl %x, %two\n%y4 = i32.shl %y, %two\n%z4 = i32.shl %z, %two\n%px = i32.add %b, %x4\n"
              "%py = i32.add %b, %y4\n%pz = i32.add %b, %z4\n%vx = i32.load %px\n%vy = i32.load %py\n%vz = i32.load "
              "%pz\n"
              "%s0 = i32.xor %vx, %vy\n%s1 = i32.add %s0, %vz\ni32.store %p, %s1\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 8192, 0, 100, 0, 2654435769u}, LAUNCHED, 100}, {{1024, 65412, 0, 100, 0, 77}, WM_FALLBACK_BOUNDS, 0}}},
    {"a division by a number known before",
     1,
     1,
     DOWN("L", "i", "n", "p", "a") "%v = i32.load %p\n%d = i32.div_s %v, %k\ni32.store %p, %d\n" AGAIN("L", "i", "p",
                                                                                                       "four") END,
     {{{1024, 0, 0, 100, 0, 3}, LAUNCHED, 100},
      {{1024, 0, 0, 100, 0, 0}, WM_FALLBACK_CONDITION, 0},
      {{1024, 0, 0, 100, 0, (uint32_t)-1}, WM_FALLBACK_CONDITION, 0}}},
    {"an early exit of the inner loop",
     1,
     1,
     DOWN("L", "i", "n", "p",
          "a") "%s:i32 = block B {\nloop M (%j:i32 = %m, %q:i32 = %b) !0x20 {\n%v = i32.load8_u %q\n"
               "%hit = i32.gt_u %v, %k\nbr_if %hit, B(%j)\n%qn = i32.add %q, %one\n%jn = i32.sub %j, %one\nbr_if %jn, "
               "M(%jn, %qn)\n"
               "yield\n}\nyield %zero\n}\n%t = i32.mul %s, %i\ni32.store %p, %t\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 8192, 0, 50, 40, 200}, LAUNCHED, 50}, {{1024, 65530, 0, 50, 40, 200}, WM_FALLBACK_BOUNDS, 0}}},
    {"an inner loop tested on top that runs zero times",
     1,
     1,
     DOWN("L", "i", "n", "p",
          "a") "%s:i32 = loop M (%j:i32 = %zero, %q:i32 = %b, %t:i32 = %i) !0x20 {\n"
               "%more = i32.lt_s %j, %m\n%u:i32 = if %more {\n%v = i32.load %q\n%tn = i32.add %t, %v\n"
               "%qn = i32.add %q, %four\n%jn = i32.add %j, %one\nbr M(%jn, %qn, %tn)\n} else {\nyield %t\n}\nyield "
               "%u\n}\n"
               "i32.store %p, %s\n" AGAIN("L", "i", "p", "four") END,
     {{{1024, 8192, 0, 50, 0, 0}, LAUNCHED, 50}, {{1024, 8192, 0, 50, 9, 0}, LAUNCHED, 50}}},
    {"a trap in mid-loop stays where it is",
     1,
     1,
     DOWN("L", "i", "n", "p", "a") "i32.store %p, %i !0x33\n" AGAIN("L", "i", "p", "four") END,
     {{{65400, 0, 0, 100, 0, 0}, WM_FALLBACK_BOUNDS, 0}, {{0xfffffff0u, 0, 0, 100, 0, 0}, WM_FALLBACK_BOUNDS, 0}}},
};

static void check(const struct nest_test *n) {
    struct strbuf text = {0};
    strbuf_printf(&text,
                  "memory 0 min=1\nfunc 0 \"f\" (%%a:i32, %%b:i32, %%c:i32, %%n:i32, %%m:i32, %%k:i32) -> (i32) {\n"
                  "%%zero = i32.const 0\n%%one = i32.const 1\n%%two = i32.const 2\n%%four = i32.const 4\n%s}\n",
                  n->body);
    static uint8_t memory[65536];
    uint64_t state = 7;
    for (unsigned k = 0; k < sizeof memory; k++)
        memory[k] = (uint8_t)(oft_random(&state) >> 40);
    for (unsigned r = 0; r < RUNS; r++) {
        const struct nest_run *run = &n->runs[r];
        if (!run->args[3])
            continue;
        struct oft t;
        if (!oft_init_text(&t, text.data, text.len))
            fail_msg("%s: %s", n->name, t.error);
        struct strbuf out = {0};
        oft_print(&t, &out);
        uint32_t nests = 0; /* kernels of loops inside them do not count */
        for (uint32_t k = 0; k < t.report.nloops; k++)
            nests += t.report.loops[k].verdict == OFF_REJECT_NONE;
        if (nests != n->kernels || t.cut->kernels[0]->ngrid != n->grid)
            fail_msg("%s: %u nests, expected %u of %u dimensions\n%s", n->name, nests, n->kernels, n->grid, out.data);
        union ir_bits args[ARGS] = {0};
        for (unsigned k = 0; k < ARGS; k++)
            args[k].i32 = run->args[k];
        if (!oft_run(&t, 0, args, memory, sizeof memory, NULL))
            fail_msg("%s, run %u: %s\n%s", n->name, r, t.error, out.data);
        uint64_t got = run->expect == LAUNCHED ? t.launches : t.fallbacks[run->expect];
        if (!got || t.points != run->points)
            fail_msg("%s, run %u: %u launches, %u points; reason %u came %u times\n%s", n->name, r,
                     (unsigned)t.launches, (unsigned)t.points, run->expect, (unsigned)got, out.data);
        strbuf_free(&out);
        oft_free(&t);
    }
    strbuf_free(&text);
}

static void test_nests(void **state) {
    (void)state;
    for (unsigned k = 0; k < sizeof tests / sizeof tests[0]; k++)
        check(&tests[k]);
}

/* The same nests with a device that wants aligned accesses: an odd base is refused, nothing else changes. */
static void test_alignment(void **state) {
    (void)state;
    static const char text[] =
        "memory 0 min=1\nfunc 0 \"f\" (%a:i32, %n:i32) {\n%one = i32.const 1\n%four = i32.const 4\n"
        "loop L (%i:i32 = %n, %p:i32 = %a) {\ni32.store %p, %i\n%pn = i32.add %p, %four\n%in = i32.sub %i, %one\n"
        "br_if %in, L(%in, %pn)\nyield\n}\nreturn\n}\n";
    for (uint32_t base = 64; base < 68; base++) {
        struct oft t;
        assert_true(oft_init_text(&t, text, sizeof text - 1));
        t.aligned = true;
        union ir_bits args[2] = {{.i32 = base}, {.i32 = 50}};
        assert_true(oft_run(&t, 0, args, NULL, 0, NULL));
        assert_int_equal(t.launches, base == 64);
        assert_int_equal(t.fallbacks[WM_FALLBACK_ALIGNMENT], base != 64);
        oft_free(&t);
    }
}

/* Work below the threshold is not launched. */
static void test_threshold(void **state) {
    (void)state;
    static const char text[] =
        "memory 0 min=1\nfunc 0 \"f\" (%a:i32, %n:i32) {\n%one = i32.const 1\n%four = i32.const 4\n"
        "loop L (%i:i32 = %n, %p:i32 = %a) {\ni32.store %p, %i\n%pn = i32.add %p, %four\n%in = i32.sub %i, %one\n"
        "br_if %in, L(%in, %pn)\nyield\n}\nreturn\n}\n";
    for (uint32_t n = 100; n <= 10000; n += 9900) {
        struct oft t;
        assert_true(oft_init_text(&t, text, sizeof text - 1));
        t.min_work = 5000;
        union ir_bits args[2] = {{.i32 = 64}, {.i32 = n}};
        assert_true(oft_run(&t, 0, args, NULL, 0, NULL));
        assert_int_equal(t.launches, n == 10000);
        assert_int_equal(t.fallbacks[WM_FALLBACK_SMALL], n == 100);
        oft_free(&t);
    }
}

int main(void) {
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_nests),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_threshold),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
