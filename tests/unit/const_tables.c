/* Which tables hold the same functions for good.  Each row is a module with one thing that would change its tables, or
 * with none; a table that could change must count as unknown, for calls through it become direct ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ir/analysis/const_tables.h"
#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/util/strbuf.h"

enum { SLOTS = 4, NONE = -1 };

struct row {
    const char *name;
    const char *table; /* NULL: table 0 of four functions at least, five at most */
    const char *body;  /* of a function that nobody calls: (%a:i32, %r:funcref) */
    const char *items; /* exports and segments; NULL: functions 0 and 1 in slots 1 and 2 */
    bool known;
    int funcs[SLOTS];
};

#define TABLE "table 0 funcref min=4 max=5\n"
#define SEGMENT "elem 0 active funcref table=0 i32.const 1 (ref.func 0, ref.func 1)\n"

static const struct row rows[] = {
    {.name = "nothing changes it", .known = true, .funcs = {NONE, 0, 1, NONE}},
    {.name = "table.set", .body = "table.set 0 %a, %r\n"},
    {.name = "table.set in a loop's if",
     .body =
         "loop L (%i:i32 = %a) {\nif %i {\ntable.set 0 %i, %r\nyield\n} else {\nyield\n}\nbr_if %a, L(%a)\nyield\n}\n"},
    {.name = "table.grow", .body = "%g:i32 = table.grow 0 %r, %a\n"},
    {.name = "table.fill", .body = "table.fill 0 %a, %r, %a\n"},
    {.name = "table.copy", .body = "table.copy 0 0 %a, %a, %a\n"},
    {.name = "table.init of a passive segment",
     .body = "table.init 0 1 %a, %a, %a\n",
     .items = SEGMENT "elem 1 passive funcref (ref.func 2)\n"},
    {.name = "a passive segment that nothing copies in",
     .items = SEGMENT "elem 1 passive funcref (ref.func 2, ref.func 2)\n",
     .known = true,
     .funcs = {NONE, 0, 1, NONE}},
    {.name = "a declared segment",
     .items = SEGMENT "elem 1 declared funcref (ref.func 2, ref.func 2)\n",
     .known = true,
     .funcs = {NONE, 0, 1, NONE}},
    {.name = "reads and sizes",
     .body = "%e:funcref = table.get 0 %a\n%s:i32 = table.size 0\nelem.drop 0\n",
     .known = true,
     .funcs = {NONE, 0, 1, NONE}},
    {.name = "exported", .items = "export \"t\" table 0\n" SEGMENT},
    {.name = "another table exported",
     .table = TABLE "table 1 funcref min=4\n",
     .items = "export \"t\" table 1\n" SEGMENT,
     .known = true,
     .funcs = {NONE, 0, 1, NONE}},
    {.name = "exports of the same number that are no tables",
     .items = "export \"f\" func 0\n" SEGMENT,
     .known = true,
     .funcs = {NONE, 0, 1, NONE}},
    {.name = "imported", .table = "table 0 funcref import \"env\" \"t\" min=4 max=5\n"},
    {.name = "no functions", .table = "table 0 externref min=4\n", .items = ""},
    {.name = "a later segment over an earlier one",
     .items = SEGMENT "elem 1 active funcref table=0 i32.const 2 (ref.func 2, ref.func 0)\n",
     .known = true,
     .funcs = {NONE, 0, 2, 0}},
    {.name = "a null over a function",
     .items = SEGMENT "elem 1 active funcref table=0 i32.const 1 (ref.null)\n",
     .known = true,
     .funcs = {NONE, NONE, 1, NONE}},
    {.name = "a segment of another table",
     .table = TABLE "table 1 funcref min=4\n",
     .items = SEGMENT "elem 1 active funcref table=1 i32.const 0 (ref.func 2, ref.func 2)\n",
     .known = true,
     .funcs = {NONE, 0, 1, NONE}},
    {.name = "up to the last slot",
     .items = "elem 0 active funcref table=0 i32.const 2 (ref.func 0, ref.func 1)\n",
     .known = true,
     .funcs = {NONE, NONE, 0, 1}},
    {.name = "one beyond the last slot",
     .items = "elem 0 active funcref table=0 i32.const 3 (ref.func 0, ref.func 1)\n"},
    {.name = "far beyond", .items = "elem 0 active funcref table=0 i32.const -1 (ref.func 0, ref.func 1)\n"},
    {.name = "a place that an import gives", .items = "elem 0 active funcref table=0 global.get 0 (ref.func 0)\n"},
    {.name = "a function that an import gives", .items = "elem 0 active funcref table=0 i32.const 1 (global.get 1)\n"},
};

static void test_rows(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        const struct row *row = &rows[k];
        struct strbuf text = {0};
        strbuf_printf(&text,
                      "%smemory 0 min=1\nglobal 0 i32 import \"env\" \"at\"\nglobal 1 funcref import \"env\" \"f\"\n"
                      "func 0 \"f\" () {\nreturn\n}\nfunc 1 \"g\" () {\nreturn\n}\nfunc 2 \"h\" () {\nreturn\n}\n"
                      "func 3 \"changes\" (%%a:i32, %%r:funcref) {\n%sreturn\n}\n%s",
                      row->table ? row->table : TABLE, row->body ? row->body : "", row->items ? row->items : SEGMENT);
        struct ir_parse_error error;
        struct ir_module *m = ir_parse_module(text.data, text.len, &error);
        if (!m)
            fail_msg("%s: line %u: %s\n%s", row->name, (unsigned)error.line, error.message, text.data);
        struct arena arena = {0};
        struct const_tables *t = const_tables_new(&arena, m);
        if (const_tables_size(t, 0) != (row->known ? SLOTS : 0))
            fail_msg("%s: %u slots are known", row->name, (unsigned)const_tables_size(t, 0));
        for (uint32_t slot = 0; row->known && slot < SLOTS; slot++)
            if (const_tables_func(t, 0, slot) != (uint32_t)row->funcs[slot])
                fail_msg("%s: slot %u holds %d", row->name, (unsigned)slot, (int)const_tables_func(t, 0, slot));
        arena_free(&arena);
        ir_module_free(m);
        strbuf_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
