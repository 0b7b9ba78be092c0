/* What the loop tree says of a loop's way round and its ways out, of loops as they are written: simplification turns
 * most of these into others.  Branches are told by their wasm offsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "ir/analysis/loops.h"
#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/util/strbuf.h"

enum { NO = IR_NO_OFFSET };

struct row {
    const char *name, *body; /* (%p:i32, %c:i32, %d:i32); the first loop is meant */
    enum loop_shape shape;
    bool exit_when_true;
    uint32_t test, back, back_edges, other_exit; /* offsets; NO: none */
};

#define STORE "i32.store %p, %i\n"
#define STEP "%j = i32.add %i, %c\n"
#define BLOCK_LOOP "block X {\nloop L (%i:i32 = %p) {\n"
#define END_BLOCK "}\nunreachable\n}\n"

static const struct row rows[] = {
    {"falls out", "loop L (%i:i32 = %p) {\n" STORE STEP "br_if %c, L(%j) !0x1\nyield\n}\n", LOOP_BOTTOM_YIELD, false, 1,
     1, 1, NO},
    {"breaks at the end", BLOCK_LOOP STORE STEP "br_if %c, X !0x1\nbr L(%j) !0x2\n" END_BLOCK, LOOP_BOTTOM_BREAK, true,
     1, 2, 1, NO},
    {"what goes on is computed last", BLOCK_LOOP STORE "br_if %c, X !0x1\n" STEP "br L(%j) !0x2\n" END_BLOCK,
     LOOP_BOTTOM_BREAK, true, 1, 2, 1, NO},
    {"breaks on top", BLOCK_LOOP STEP "br_if %c, X !0x1\n" STORE "br L(%j) !0x2\n" END_BLOCK, LOOP_TOP_BREAK, true, 1,
     2, 1, NO},
    {"breaks in the middle", BLOCK_LOOP STORE STEP "br_if %c, X !0x1\n" STORE "br L(%j) !0x2\n" END_BLOCK, LOOP_OTHER,
     false, NO, 2, 1, 1},
    {"two ways out at the end", BLOCK_LOOP STORE STEP "br_if %c, X !0x1\nbr_if %d, X !0x2\nbr L(%j) !0x3\n" END_BLOCK,
     LOOP_BOTTOM_BREAK, true, 2, 3, 1, 1},
    {"two ways out on top", BLOCK_LOOP STEP "br_if %c, X !0x1\nbr_if %d, X !0x2\n" STORE "br L(%j) !0x3\n" END_BLOCK,
     LOOP_TOP_BREAK, true, 1, 3, 1, 2},
    {"one on top and one at the end",
     BLOCK_LOOP STEP "br_if %c, X !0x1\n" STORE "br_if %d, X !0x2\nbr L(%j) !0x3\n" END_BLOCK, LOOP_BOTTOM_BREAK, true,
     2, 3, 1, 1},
    {"falls out and breaks",
     "block X {\nloop L (%i:i32 = %p) {\nbr_if %d, X !0x1\n" STORE STEP "br_if %c, L(%j) !0x2\nyield\n}\nyield\n}\n",
     LOOP_BOTTOM_YIELD, false, 2, 2, 1, 1},
    {"falls out and returns twice",
     "loop L (%i:i32 = %p) {\n" STORE
     "if %d {\nreturn !0x1\n} else {\nyield\n}\nif %c {\nreturn !0x2\n} else {\nyield\n}\n" STEP
     "br_if %c, L(%j) !0x3\nyield\n}\n",
     LOOP_BOTTOM_YIELD, false, 3, 3, 1, 1},
    {"an if on top",
     "loop L (%i:i32 = %p) {\nif %c !0x1 {\n" STORE STEP "br L(%j) !0x2\n} else {\nyield\n}\nyield\n}\n", LOOP_TOP_IF,
     false, 1, 2, 1, NO},
    {"an if on top, the other way round",
     "loop L (%i:i32 = %p) {\nif %c !0x1 {\nyield\n} else {\n" STORE STEP "br L(%j) !0x2\n}\nyield\n}\n", LOOP_TOP_IF,
     true, 1, 2, 1, NO},
    {"an if at the end",
     "loop L (%i:i32 = %p) {\n" STORE "if %c !0x1 {\n" STEP "br L(%j) !0x2\n} else {\nyield\n}\nyield\n}\n",
     LOOP_BOTTOM_YIELD, false, 1, 2, 1, NO},
    {"an if in the middle",
     "loop L (%i:i32 = %p) {\n" STORE "if %c !0x1 {\n" STORE STEP "br L(%j) !0x2\n} else {\nyield\n}\nyield\n}\n",
     LOOP_OTHER, false, NO, 2, 1, NO},
    {"an if whose way out does something",
     "loop L (%i:i32 = %p) {\nif %c !0x1 {\n" STORE STEP "br L(%j) !0x2\n} else {\n" STORE "yield\n}\nyield\n}\n",
     LOOP_OTHER, false, NO, 2, 1, NO},
    {"an if on top that is broken out of",
     "loop L (%i:i32 = %p) {\nif I %c !0x1 {\n" STORE "br_if %d, I !0x3\n" STEP
     "br L(%j) !0x2\n} else {\nyield\n}\nyield\n}\n",
     LOOP_TOP_IF, false, 1, 2, 1, 3},
    {"two ways back", "loop L (%i:i32 = %p) {\nbr_if %d, L(%p) !0x1\n" STEP "br_if %c, L(%j) !0x2\nyield\n}\n",
     LOOP_OTHER, false, NO, 2, 2, NO},
    {"a break of a block inside",
     "loop L (%i:i32 = %p) {\nblock B {\nbr_if %d, B !0x1\n" STORE "yield\n}\n" STEP "br_if %c, L(%j) !0x2\nyield\n}\n",
     LOOP_BOTTOM_YIELD, false, 2, 2, 1, NO},
    {"a way out of a loop inside that stays in this one",
     "loop L (%i:i32 = %p) {\nblock B {\nloop M (%k:i32 = %p) {\nbr_if %d, B !0x1\nbr_if %c, M(%i) "
     "!0x4\nyield\n}\nyield\n}\n" STEP "br_if %c, L(%j) !0x2\nyield\n}\n",
     LOOP_BOTTOM_YIELD, false, 2, 2, 1, NO},
    {"a way out through a table",
     "block X {\nloop L (%i:i32 = %p) {\nblock B {\nbr_table %d, B, X, B !0x1\n}\n" STORE STEP
     "br_if %c, L(%j) !0x2\nyield\n}\nyield\n}\n",
     LOOP_BOTTOM_YIELD, false, 2, 2, 1, 1},
};

static uint32_t offset_of(const struct ir_inst *i) {
    return i ? i->wasm_offset : NO;
}

static void test_shapes(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        const struct row *row = &rows[k];
        struct strbuf text = {0};
        strbuf_printf(&text, "memory 0 min=1\nfunc 0 \"f\" (%%p:i32, %%c:i32, %%d:i32) {\n%sreturn\n}\n", row->body);
        struct ir_parse_error error;
        struct ir_module *m = ir_parse_module(text.data, text.len, &error);
        if (!m) {
            fail_msg("%s: line %u: %s\n%s", row->name, (unsigned)error.line, error.message, text.data);
            return;
        }
        struct arena arena = {0};
        const struct loop *l = loop_tree_build(&arena, m->funcs[0].func)->first;
        if (l->shape != row->shape || l->exit_when_true != row->exit_when_true || offset_of(l->test) != row->test ||
            offset_of(l->back) != row->back || l->nback_edges != row->back_edges)
            fail_msg("%s: shape %u, left when %u at %x, back at %x (%u times)", row->name, (unsigned)l->shape,
                     (unsigned)l->exit_when_true, (unsigned)offset_of(l->test), (unsigned)offset_of(l->back),
                     (unsigned)l->nback_edges);
        if (l->other_exits != (row->other_exit != NO) || offset_of(l->other_exit) != row->other_exit)
            fail_msg("%s: other ways out: %u, the first at %x", row->name, (unsigned)l->other_exits,
                     (unsigned)offset_of(l->other_exit));
        arena_free(&arena);
        ir_module_free(m);
        strbuf_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_shapes)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
