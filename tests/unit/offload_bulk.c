/* Functions that copy or fill memory are found by what they do: plain and word loops are, and nothing is that copies a
 * byte too few, the wrong way round, only up to some length, or that looks at the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "ir/analysis/bulk_funcs.h"
#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/util/strbuf.h"

struct bulk_test {
    const char *what;
    enum bulk_kind kind;
    const char *body; /* of func 0 (%d:i32, %s:i32, %n:i32) -> (i32) */
};

/* A loop over %i from 0 to `bound`, with `body`, if %n is not 0. */
#define LOOP(bound, body)                                                                                             \
    "%zero = i32.const 0\n%one = i32.const 1\nif %n {\nloop L (%i:i32 = %zero) {\n%p = i32.add %s, %i\n%q = i32.add " \
    "%d, %i\n" body "%j = i32.add %i, %one\n%more = i32.lt_u %j, " bound                                              \
    "\nbr_if %more, L(%j)\nyield\n}\nyield\n} else {\nyield\n}\n"
#define COPY "%v = i32.load8_u %p\ni32.store8 %q, %v\n"

static const struct bulk_test tests[] = {
    {"bytes", BULK_COPY, LOOP("%n", COPY) "return %d"},
    {"bytes filled", BULK_FILL, LOOP("%n", "i32.store8 %q, %s\n") "return %d"},
    {"the operation", BULK_COPY, "memory.copy 0 0 %d, %s, %n\nreturn %d"},
    {"the operation that fills", BULK_FILL, "memory.fill 0 %d, %s, %n\nreturn %d"},
    {"from the last byte to the first", BULK_COPY,
     "%one = i32.const 1\n%zero = i32.const 0\nif %n {\nloop L (%i:i32 = %n) {\n%j = i32.sub %i, %one\n%p = i32.add "
     "%s, "
     "%j\n%q = i32.add %d, %j\n" COPY "br_if %j, L(%j)\nyield\n}\nyield\n} else {\nyield\n}\nreturn %d"},
    {"words, then bytes", BULK_COPY,
     "%four = i32.const 4\n%three = i32.const 3\n%zero = i32.const 0\n%one = i32.const 1\n"
     "%some = i32.ge_u %n, %four\n"
     "%a:i32 = if %some {\n%x:i32 = loop W (%i:i32 = %zero) {\n%p = i32.add %s, %i\n%q = i32.add %d, %i\n"
     "%v = i32.load align=1 %p\ni32.store align=1 %q, %v\n%j = i32.add %i, %four\n%left = i32.sub %n, %j\n"
     "%more = i32.ge_u %left, %four\nbr_if %more, W(%j)\nyield %j\n}\nyield %x\n} else {\nyield %zero\n}\n"
     "%rest = i32.lt_u %a, %n\n"
     "if %rest {\nloop B (%k:i32 = %a) {\n%r = i32.add %s, %k\n%t = i32.add %d, %k\n%w = i32.load8_u %r\n"
     "i32.store8 %t, %w\n%l = i32.add %k, %one\n%again = i32.lt_u %l, %n\nbr_if %again, B(%l)\nyield\n}\nyield\n} else "
     "{\nyield\n}\nreturn %d"},
    {"returns the source", BULK_NONE, LOOP("%n", COPY) "return %s"},
    {"returns the end", BULK_NONE, LOOP("%n", COPY) "%e = i32.add %d, %n\nreturn %e"},
    {"a byte too few", BULK_NONE, "%x = i32.const 1\n%m = i32.sub %n, %x\n" LOOP("%m", COPY) "return %d"},
    {"backwards", BULK_NONE,
     LOOP("%n", "%b = i32.add %d, %n\n%c = i32.sub %b, %i\n%e = i32.sub %c, %one\n%v = i32.load8_u %p\ni32.store8 %e, "
                "%v\n") "return %d"},
    {"stops at a zero", BULK_NONE,
     "block OUT {\n" LOOP("%n",
                          "%v = i32.load8_u %p\n%z = i32.eqz %v\nbr_if %z, OUT\ni32.store8 %q, %v\n") "yield\n}\n"
                                                                                                      "return %d"},
    {"translates", BULK_NONE,
     LOOP("%n", "%v = i32.load8_u %p\n%to = i32.load8_u %v\ni32.store8 %q, %to\n") "return %d"},
    {"maps a value", BULK_NONE,
     LOOP(
         "%n",
         "%v = i32.load8_u %p\n%c = i32.const 7\n%is = i32.eq %v, %c\n%x = i32.xor %v, %is\ni32.store8 %q, %x\n") "retu"
                                                                                                                  "rn "
                                                                                                                  "%d"},
    {"another length", BULK_NONE,
     "%odd = i32.const 30011\n%is = i32.eq %n, %odd\n%m = i32.sub %n, %is\n" LOOP("%m", COPY) "return %d"},
    {"a length that is not tried", BULK_NONE,
     "%odd = i32.const 3001100\n%is = i32.eq %n, %odd\n%m = i32.sub %n, %is\n" LOOP("%m", COPY) "return %d"},
    {"another length, by its square", BULK_NONE,
     "%sq = i32.mul %n, %n\n%odd = i32.const 22801\n%is = i32.eq %sq, %odd\n%m = i32.sub %n, %is\n" LOOP(
         "%m", COPY) "return %d"},
    {"another length, by its upper bits", BULK_NONE,
     "%by = i32.const 12\n%h = i32.shr_u %n, %by\n%three = i32.const 3\n%is = i32.eq %h, %three\n%m = i32.sub %n, "
     "%is\n" LOOP("%m", COPY) "return %d"},
    {"another length, by its bits", BULK_NONE,
     "%ones = i32.popcnt %n\n%many = i32.const 12\n%is = i32.eq %ones, %many\n%m = i32.sub %n, %is\n" LOOP(
         "%m", COPY) "return %d"},
    {"not at one address", BULK_NONE,
     "%odd = i32.const 61440\n%is = i32.eq %d, %odd\n%m = i32.sub %n, %is\n" LOOP("%m", COPY) "return %d"},
    {"not from one address", BULK_NONE,
     "%odd = i32.const 61440\n%off = i32.sub %s, %odd\n%is = i32.eqz %off\n%m = i32.sub %n, %is\n" LOOP("%m",
                                                                                                        COPY) "ret"
                                                                                                              "urn "
                                                                                                              "%d"},
    {"not far up", BULK_NONE,
     "%by = i32.const 20\n%h = i32.shr_u %d, %by\n%any = i32.const 7\n%is = i32.eq %h, %any\n%m = i32.sub %n, "
     "%is\n" LOOP("%m", COPY) "return %d"},
    {"not on some pages", BULK_NONE,
     "%mask = i32.const 65280\n%h = i32.and %s, %mask\n%any = i32.const 256\n%is = i32.eq %h, %any\n%m = i32.sub %n, "
     "%is\n" LOOP("%m", COPY) "return %d"},
    {"not in the upper half of memory", BULK_NONE,
     "%nought = i32.const 0\n%is = i32.lt_s %d, %nought\n%m = i32.sub %n, %is\n" LOOP("%m", COPY) "return %d"},
    {"up to an end", BULK_COPY,
     "%e = i32.add %d, %n\n%one = i32.const 1\n%some = i32.ne %d, %e\nif %some {\nloop L (%q:i32 = %d, %p:i32 = %s) "
     "{\n" COPY "%q1 = i32.add %q, %one\n%p1 = i32.add %p, %one\n%more = i32.ne %q1, %e\nbr_if %more, L(%q1, "
     "%p1)\nyield\n}\nyield\n} "
     "else {\nyield\n}\nreturn %d"},
    {"code that nothing reaches", BULK_NONE,
     LOOP("%n", COPY) "%never = i32.const 0\nif %never {\nloop M (%y:i32 = %n) {\ni32.store8 %s, %y\n%z = i32.sub %y, "
                      "%d\nbr_if %z, M(%z)\nyield\n}\nyield\n} else {\nyield\n}\nreturn %d"},
    {"counts its calls", BULK_NONE,
     LOOP("%n", COPY) "%g:i32 = global.get 0\n%h = i32.add %g, %d\nglobal.set 0 %h\nreturn %d"},
    {"writes beside", BULK_NONE, LOOP("%n", COPY) "%far = i32.const 60000\ni32.store8 %far, %n\nreturn %d"},
    {"no end", BULK_NONE, LOOP("%n", COPY) "loop M {\nbr M\n}\nunreachable"},
    {"calls a copy", BULK_COPY, "%r:i32 = call 1 %d, %s, %n\nreturn %r"},
    {"calls a fill", BULK_FILL, "%r:i32 = call 2 %d, %s, %n\nreturn %r"},
    {"calls itself", BULK_NONE, "%r:i32 = call 0 %d, %s, %n\nreturn %r"},
    {"calls an import", BULK_NONE, "%r:i32 = call 3 %d, %s, %n\nreturn %r"},
    {"calls a copy that gives nothing", BULK_COPY, "call 4 %d, %s, %n\nreturn %d"},
    {"calls without an end and without results", BULK_NONE, "call 5 %d, %s, %n\nreturn %d"},
    {"counts its calls in what it calls", BULK_NONE, "call 6 %d, %s, %n\nreturn %d"},
    {"calls what gives both", BULK_NONE,
     "%x:i32, %y:i32 = call 7 %d, %s, %n\nif %y {\nyield\n} else {\nyield\n}\nreturn %d"},
};

static void kinds(void **state) {
    (void)state;
    for (unsigned k = 0; k < sizeof tests / sizeof *tests; k++) {
        struct strbuf text = {0};
        strbuf_printf(
            &text,
            "memory 0 min=1\nglobal 0 mut i32 = i32.const 0\n"
            "type 0 (i32, i32, i32) -> (i32)\nfunc 0 \"import\" type=0 import \"env\" \"copy\"\n"
            "func 1 \"copy\" (%%d:i32, %%s:i32, %%n:i32) -> (i32) {\nmemory.copy 0 0 %%d, %%s, %%n\nreturn %%d\n}\n"
            "func 2 \"fill\" (%%d:i32, %%s:i32, %%n:i32) -> (i32) {\nmemory.fill 0 %%d, %%s, %%n\nreturn %%d\n}\n"
            "func 3 \"f\" (%%d:i32, %%s:i32, %%n:i32) -> (i32) {\n");
        /* calls in the tests count from the function itself */
        for (const char *c = tests[k].body; *c; c++)
            if (c[0] == 'c' && c[1] == 'a' && c[2] == 'l' && c[3] == 'l' && c[4] == ' ') {
                strbuf_printf(&text, "call %c", c[5] == '0' ? '3' : c[5] == '3' ? '0' : c[5]);
                c += 5;
            } else {
                strbuf_printf(&text, "%c", *c);
            }
        strbuf_printf(
            &text,
            "\n}\nfunc 4 \"void copy\" (%%d:i32, %%s:i32, %%n:i32) {\nmemory.copy 0 0 %%d, %%s, %%n\nreturn\n}\n"
            "func 5 \"deep\" (%%d:i32, %%s:i32, %%n:i32) {\ncall 5 %%d, %%s, %%n\nreturn\n}\n"
            "func 6 \"counting\" (%%d:i32, %%s:i32, %%n:i32) {\nmemory.copy 0 0 %%d, %%s, %%n\nglobal.set 0 %%d\n"
            "return\n}\n"
            "func 7 \"both\" (%%d:i32, %%s:i32, %%n:i32) -> (i32, i32) {\nmemory.copy 0 0 %%d, %%s, %%n\n"
            "%%v = i32.load8_u %%s\nreturn %%d, %%v\n}\n");
        struct ir_parse_error error;
        struct ir_module *m = ir_parse_module(text.data, text.len, &error);
        if (!m)
            fail_msg("%s: line %u: %s", tests[k].what, error.line, error.message);
        struct arena arena = {0};
        struct bulk_funcs *b = bulk_funcs_new(&arena, m);
        enum bulk_kind kind = bulk_funcs_kind(b, 3);
        if (kind != tests[k].kind || bulk_funcs_kind(b, 3) != kind)
            fail_msg("%s: found %d, not %d", tests[k].what, kind, tests[k].kind);
        assert_int_equal(bulk_funcs_kind(b, 0), BULK_NONE);
        arena_free(&arena);
        ir_module_free(m);
        strbuf_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(kinds)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
