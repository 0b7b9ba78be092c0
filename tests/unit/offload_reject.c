/* Every reason in ir/offload/reject.def that IR can provoke: a loop for each, with the verdict and the place that the
 * report must name.  And the documentation: a row for each reason, and for each fallback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "offload_fixture.h"

/* One loop over %q = p, p + 4, ... and %i = n, n - 1, ..., 1.  `carried`, `next`: more parameters and what is passed on
 * (with a leading comma).  `after` ends the function. */
struct loop_text {
    const char *items, *carried, *body, *next, *results, *yield, *after;
};

static void print_loop(struct strbuf *out, const struct loop_text *l) {
    strbuf_printf(out, "%s%s", strstr(l->items, "memory 0") ? "" : "memory 0 min=1\n", l->items);
    strbuf_printf(out,
                  "func %s \"f\" (%%p:i32, %%n:i32, %%m:i32) -> (i32) {\n"
                  "%%zero = i32.const 0\n%%one = i32.const 1\n%%four = i32.const 4\n%%fzero = f32.const 0\n"
                  "%%far = i32.const 4096\n",
                  strstr(l->items, "func 0") ? "1" : "0");
    strbuf_printf(out,
                  "%sloop L (%%i:i32 = %%n, %%q:i32 = %%p%s) !0x10 {\n%s"
                  "%%q1 = i32.add %%q, %%four\n%%i1 = i32.sub %%i, %%one\n"
                  "br_if %%i1, L(%%i1, %%q1%s) !0x1f\n%s\n}\n%s\n}\n",
                  l->results ? l->results : "", l->carried ? l->carried : "", l->body, l->next ? l->next : "",
                  l->yield ? l->yield : "yield", l->after ? l->after : "return %zero");
}

struct reject_test {
    enum off_reject why;
    uint32_t at;       /* IR_NO_OFFSET: none */
    const char *inner; /* verdict of the second loop, NULL when there is none */
    struct loop_text text;
};

#define STORE "i32.store %q, %i !0x1e\n"
static const struct reject_test tests[] = {
    {OFF_REJECT_NONE, IR_NO_OFFSET, NULL, {"", .body = STORE}},
    {OFF_REJECT_NONE,
     IR_NO_OFFSET,
     "part-of-kernel",
     {"", .body = "%s:i32 = loop I (%j:i32 = %m, %a:i32 = %zero) !0x14 {\n%b = i32.mul %j, %j\n%a1 = i32.add %a, %b\n"
                  "%j1 = i32.sub %j, %one\nbr_if %j1, I(%j1, %a1)\nyield %a1\n}\ni32.store %q, %s !0x1e\n"}},
    {OFF_REJECT_NO_STORE, 0x10, NULL, {"", .body = "%v = i32.load %q !0x11\n"}},
    {OFF_REJECT_BACK_EDGES,
     0x10,
     NULL,
     {"", .body = "%c = i32.load %q !0x11\n%q2 = i32.add %q, %four\n%i2 = i32.sub %i, %four\n"
                  "br_if %c, L(%i2, %q2) !0x12\n" STORE}},
    {OFF_REJECT_NONE, /* the inspector looks whether it is ever taken */
     IR_NO_OFFSET,
     NULL,
     {"",
      .body =
          "%c = i32.load offset=4096 %q !0x11\n%x:i32 = if %c {\nreturn %zero !0x12\n} else {\nyield %one\n}\n" STORE}},
    {OFF_REJECT_EARLY_EXIT, /* one of many ways */
     0x12,
     NULL,
     {"", .results = "block X {\n", .body = "%c = i32.load %q !0x11\nblock Y {\nbr_table %c, Y, X !0x12\n}\n" STORE,
      .after = "yield\n}\nreturn %zero"}},
    {OFF_REJECT_VARYING_TRIP_COUNT,
     0x15,
     "offloaded",
     {"", .body = "%ii = i32.mul %i, %i\nloop I (%j:i32 = %ii, %r:i32 = %q) !0x14 {\ni32.store %r, %j !0x16\n%r1 = "
                  "i32.add %r, %zero\n"
                  "%j1 = i32.sub %j, %one\n%r2 = i32.add %r, %four\nbr_if %j1, I(%j1, %r2) !0x15\nyield\n}\n"}},
    {OFF_REJECT_REDUCTION_FLOAT,
     0x10,
     NULL,
     {"", .carried = ", %f:f32 = %fzero",
      .body = "%v = f32.load %q !0x11\n%f1 = f32.add %f, %v\nf32.store offset=4096 %q, %f1 !0x12\n", .next = ", %f1"}},
    {OFF_REJECT_REDUCTION_INT,
     0x10,
     NULL,
     {"", .carried = ", %s:i32 = %zero",
      .body = "%v = i32.load %q !0x11\n%s1 = i32.add %v, %s\ni32.store offset=4096 %q, %s1 !0x12\n", .next = ", %s1"}},
    {OFF_REJECT_RECURRENCE,
     0x10,
     NULL,
     {"", .carried = ", %s:i32 = %one",
      .body = "%k = i32.const 1103515245\n%s0 = i32.mul %s, %k\n%s1 = i32.add %s0, %n\ni32.store %q, %s1 !0x12\n",
      .next = ", %s1"}},
    {OFF_REJECT_NONE, /* loaded again after the launch */
     IR_NO_OFFSET,
     NULL,
     {"", .body = "%v = i32.load offset=4096 %q !0x11\ni32.store %q, %v !0x12\n",
      .results = "%r:i32 = ", .yield = "yield %v", .after = "return %r"}},
    {OFF_REJECT_LIVE_OUT,
     0x13,
     NULL,
     {"", .body = "%v = i32.load offset=4096 %q !0x11\ni32.store %q, %v !0x12\n%w = i32.mul %v, %v !0x13\n",
      .results = "%r:i32 = ", .yield = "yield %w", .after = "return %r"}},
    {OFF_REJECT_CALL,
     0x13,
     NULL,
     {"func 0 \"g\" (%x:i32) {\ncall 0 %x\nreturn\n}\n", .body = "call 0 %i !0x13\n" STORE}},
    {OFF_REJECT_CALL_INDIRECT,
     0x13,
     NULL,
     {"type 0 () -> ()\ntable 0 funcref min=1\n", .body = "call_indirect 0 0 %m !0x13\n" STORE}},
    {OFF_REJECT_GLOBAL, 0x13, NULL, {"global 0 mut i32 = i32.const 5\n", .body = "global.set 0 %i !0x13\n" STORE}},
    {OFF_REJECT_NONE, IR_NO_OFFSET, "part-of-kernel", {"", .body = "memory.fill 0 %q, %m, %four !0x13\n" STORE}},
    {OFF_REJECT_BULK_MEMORY, 0x13, NULL, {"", .body = "%g:i32 = memory.grow 0 %m !0x13\ni32.store %q, %g\n"}},
    {OFF_REJECT_TRAP, 0x13, NULL, {"", .body = "%d = i32.div_u %n, %zero !0x13\ni32.store %q, %d !0x1e\n"}},
    {OFF_REJECT_NONE,
     IR_NO_OFFSET,
     NULL,
     {"", .body = "%v = i32.load offset=4096 %q !0x11\n%d = i32.div_u %n, %v !0x13\ni32.store %q, %d !0x1e\n"}},
    {OFF_REJECT_NONE, IR_NO_OFFSET, NULL, {"", .body = STORE "if %m {\nunreachable !0x13\n} else {\nyield\n}\n"}},
    {OFF_REJECT_NONE,
     IR_NO_OFFSET,
     NULL,
     {"", .body = "%v = f32.load offset=4096 %q !0x11\n%d = i32.trunc_f32_s %v !0x13\ni32.store %q, %d !0x1e\n"}},
    {OFF_REJECT_ADDRESS_STORE,
     0x13,
     NULL,
     {"", .body = "%v = i32.load offset=4096 %q !0x11\ni32.store %v, %i !0x13\n"}},
    {OFF_REJECT_ADDRESS_STORE, /* a histogram */
     0x13,
     NULL,
     {"", .body = "%v = i32.load8_u offset=8192 %q !0x11\n%w = i32.mul %v, %four\n%x = i32.load offset=64 %w !0x12\n"
                  "%y = i32.add %x, %one\ni32.store offset=64 %w, %y !0x13\n"}},
    {OFF_REJECT_NONE,
     IR_NO_OFFSET,
     NULL,
     {"", .body = "%v = i32.load offset=4096 %q !0x11\n%w = i32.load %v !0x12\ni32.store %q, %w !0x13\n"}},
    {OFF_REJECT_UNBOUNDED_ACCESS,
     0x16,
     "no-trip-count",
     {"", .body = "%s:i32 = loop I (%r:i32 = %q) !0x14 {\n%v = i32.load8_u offset=4096 %r !0x15\n"
                  "i32.store8 %r, %v !0x16\n%r1 = i32.add %r, %one\nbr_if %v, I(%r1) !0x16\nyield %r1\n}\ni32.store "
                  "%q, %s !0x1e\n"}},
    {OFF_REJECT_CARRIED_MEMORY, 0x12, NULL, {"", .body = "%v = i32.load %q !0x11\ni32.store offset=4 %q, %v !0x12\n"}},
    {OFF_REJECT_CARRIED_MEMORY, 0x12, NULL, {"", .body = "i32.store %p, %i !0x12\n"}},
    {OFF_REJECT_TABLE,
     0x13,
     NULL,
     {"table 0 funcref min=1\n", .body = "%z:i32 = table.size 0 !0x13\ni32.store %q, %z !0x1e\n"}},
    {OFF_REJECT_TYPE,
     0x13,
     NULL,
     {"func 0 \"g\" (%x:funcref) {\ncall 0 %x\nreturn\n}\n",
      .body =
          "%a:funcref = ref.null\n%b:funcref = ref.func 0\n%w:funcref = select %a, %b, %i !0x13\ncall 0 %w\n" STORE}},
    {OFF_REJECT_ATOMIC, 0x11, NULL, {"", .body = "%v = i32.atomic.rmw.add %q, %i !0x11\n" STORE}},
    {OFF_REJECT_ATOMIC, 0x11, NULL, {"", .body = "atomic.fence !0x11\n" STORE}},
    {OFF_REJECT_EXCEPTION,
     0x11,
     NULL,
     {"type 0 (i32) -> ()\ntag 0 type=0\n", .body = "%e:exnref = exn.new 0 %i !0x11\nexn.drop %e\n" STORE}},
    {OFF_REJECT_SHARED_MEMORY, 0x1e, NULL, {"memory 0 min=1 max=1 shared\n", .body = STORE}},
    {OFF_REJECT_MEMORY64,
     0x13,
     NULL,
     {"memory 0 min=1 is64\n", .body = "%w = i64.extend_i32_u %q\ni32.store %w, %i !0x13\n"}},
    {OFF_REJECT_TOO_COMPLEX,
     0x13,
     NULL,
     {"memory 0 min=1\nmemory 1 min=1\n", .body = "i32.store memory=1 %q, %i !0x13\n"}},
};

static bool seen[OFF_REJECT_COUNT];

static void check_verdict(const char *text, size_t size, enum off_reject why, uint32_t at, const char *inner) {
    struct oft t;
    if (!oft_init_text(&t, text, size))
        fail_msg("%s: %s\n%s", off_reject_name(why), t.error, text);
    assert_true(t.report.nloops >= 1);
    const struct off_loop_report *r = &t.report.loops[0];
    if (r->verdict != why || r->at != at) {
        struct strbuf out = {0};
        oft_print(&t, &out);
        fail_msg("%s at 0x%x, not %s at 0x%x\n%s", off_reject_name(why), at, off_reject_name(r->verdict), r->at,
                 out.data);
    }
    if (inner)
        assert_string_equal(off_reject_name(t.report.loops[1].verdict), inner);
    for (uint32_t k = 0; k < t.report.nloops; k++)
        seen[t.report.loops[k].verdict] = true;
    assert_int_equal(r->kernel >= 0, why == OFF_REJECT_NONE);
    oft_free(&t);
}

static void test_each_reason(void **state) {
    (void)state;
    for (unsigned k = 0; k < sizeof tests / sizeof tests[0]; k++) {
        const struct reject_test *r = &tests[k];
        struct strbuf text = {0};
        print_loop(&text, &r->text);
        check_verdict(text.data, text.len, r->why, r->at, r->inner);
        strbuf_free(&text);
    }
}

static void check_text(const char *text, enum off_reject why, uint32_t at, const char *inner) {
    check_verdict(text, strlen(text), why, at, inner);
}

static void test_trip_counts(void **state) {
    (void)state;
    check_text("memory 0 min=1\nfunc 0 \"f\" (%p:i32) {\n%four = i32.const 4\nloop L (%q:i32 = %p) !0x10 {\n"
               "%c = i32.load %q !0x11\ni32.store offset=4096 %q, %c !0x12\n%q1 = i32.add %q, %four\n"
               "br_if %c, L(%q1) !0x13\nyield\n}\nreturn\n}\n",
               OFF_REJECT_NO_TRIP_COUNT, 0x13, NULL);
    /* Three iterations around a long loop: the inner one gets the kernel. */
    check_text("memory 0 min=1\nfunc 0 \"f\" (%p:i32, %n:i32) {\n%four = i32.const 4\n%one = i32.const 1\n"
               "%three = i32.const 3\n%row = i32.const 4096\nloop L (%i:i32 = %three, %q:i32 = %p) !0x10 {\n"
               "loop M (%j:i32 = %n, %r:i32 = %q) !0x11 {\n%s:i32 = loop N (%k:i32 = %n, %a:i32 = %j) !0x12 {\n"
               "%a1 = i32.mul %a, %k\n%k1 = i32.sub %k, %one\nbr_if %k1, N(%k1, %a1)\nyield %a1\n}\n"
               "i32.store %r, %s !0x13\n%r1 = i32.add %r, %four\n%j1 = i32.sub %j, %one\nbr_if %j1, M(%j1, %r1)\n"
               "yield\n}\n%x = i32.load %q !0x14\ni32.store offset=4 %q, %x !0x15\n"
               "%q1 = i32.add %q, %row\n%i1 = i32.sub %i, %one\nbr_if %i1, L(%i1, %q1)\nyield\n}\nreturn\n}\n",
               OFF_REJECT_FEW_ITERATIONS, 0x10, "offloaded");
}

/* Limits: loops inside each other, accesses; memory ranges have none. */
static void test_too_complex(void **state) {
    (void)state;
    struct strbuf text = {0};
    const char *head = "memory 0 min=1\nfunc 0 \"f\" (%p:i32, %n:i32) {\n%one = i32.const 1\n%four = i32.const 4\n";
    strbuf_add(&text, head);
    enum { DEEP = 9 };
    for (unsigned d = 0; d < DEEP; d++)
        strbuf_printf(&text, "loop L%u (%%i%u:i32 = %%n) !0x%x {\n", d, d, 0x10 + d);
    strbuf_printf(&text, "i32.store %%i0, %%i8\n");
    for (unsigned d = DEEP; d-- > 0;)
        strbuf_printf(&text, "%%j%u = i32.sub %%i%u, %%one\nbr_if %%j%u, L%u(%%j%u)\nyield\n}\n", d, d, d, d, d);
    strbuf_add(&text, "return\n}\n");
    check_verdict(text.data, text.len, OFF_REJECT_TOO_COMPLEX, 0x10, "carried-memory");
    strbuf_free(&text);

    const char *loop = "loop L (%i:i32 = %n, %q:i32 = %p) !0x10 {\n";
    const char *end = "%q1 = i32.add %q, %four\n%i1 = i32.sub %i, %one\nbr_if %i1, L(%i1, %q1)\nyield\n}\nreturn\n}\n";
    strbuf_printf(&text, "%s%s", head, loop);
    for (unsigned k = 0; k <= OFF_MAX_ACCESSES; k++)
        strbuf_printf(&text, "i32.store offset=%u %%q, %%i !0x%x\n", 400 * k + 4 * k * k, 0x100 + k);
    strbuf_add(&text, end);
    check_verdict(text.data, text.len, OFF_REJECT_TOO_COMPLEX, 0x100 + OFF_MAX_ACCESSES, NULL);
    strbuf_free(&text);

    strbuf_add(&text, "memory 0 min=1\nfunc 0 \"f\" (%p:i32, %n:i32, %a0:i32, %a1:i32, %a2:i32, %a3:i32, %a4:i32, "
                      "%a5:i32, %a6:i32, %a7:i32) {\n%one = i32.const 1\n%four = i32.const 4\n");
    strbuf_printf(&text, "%s%%x = i32.mul %%i, %%four\n", loop);
    for (unsigned k = 0; k < 8; k++)
        strbuf_printf(&text, "%%b%u = i32.add %%a%u, %%x\ni32.store %%b%u, %%i\n", k, k, k);
    strbuf_printf(&text, "i32.store %%q, %%i\n%s", end);
    check_verdict(text.data, text.len, OFF_REJECT_NONE, IR_NO_OFFSET, NULL);
    strbuf_free(&text);
}

/* What helps depends on how the value is computed from the one before. */
static void test_recurrence_hints(void **state) {
    (void)state;
    static const struct {
        const char *type, *start, *body, *store, *hint;
    } kinds[] = {
        {"i32", "%n", "%m = i32.mul %x, %big\n%y = i32.add %m, %one\n", "i32.store", "random numbers"},
        {"i32", "%n", "%v = i32.load %q\n%m = i32.xor %x, %v\n%y = i32.mul %m, %big\n", "i32.store", "checksum"},
        {"i32", "%n", "%y = i32.load %x\n", "i32.store", "list"},
        {"f32", "%z", "%v = f32.load %q\n%m = f32.mul %x, %z\n%y = f32.add %m, %v\n", "f32.store", "filter"},
        {"i32", "%n", "%v = i32.load %q\n%y = i32.div_s %v, %x\n", "i32.store", "from the loop counter"},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct strbuf text = {0};
        struct oft t;
        strbuf_printf(
            &text,
            "memory 0 min=1\nfunc 0 \"f\" (%%p:i32, %%n:i32, %%z:f32) {\n%%one = i32.const 1\n"
            "%%four = i32.const 4\n%%big = i32.const 1664525\n"
            "loop L (%%i:i32 = %%n, %%q:i32 = %%p, %%x:%s = %s) {\n%s%s %%q, %%y\n%%q1 = i32.add %%q, %%four\n"
            "%%i1 = i32.sub %%i, %%one\nbr_if %%i1, L(%%i1, %%q1, %%y)\nyield\n}\nreturn\n}\n",
            kinds[k].type, kinds[k].start, kinds[k].body, kinds[k].store);
        if (!oft_init_text(&t, text.data, text.len))
            fail_msg("%s\n%s", t.error, text.data);
        assert_int_equal(t.report.loops[0].verdict, OFF_REJECT_RECURRENCE);
        if (!strstr(off_loop_hint(&t.report.loops[0]), kinds[k].hint))
            fail_msg("%s: %s", kinds[k].hint, off_loop_hint(&t.report.loops[0]));
        oft_free(&t);
        strbuf_free(&text);
    }
}

static void test_disabled(void **state) {
    (void)state;
    struct strbuf text = {0};
    struct ir_parse_error error;
    print_loop(&text, &tests[1].text);
    struct ir_module *m = ir_parse_module(text.data, text.len, &error);
    assert_non_null(m);
    struct off_options options = {.enabled = false};
    struct off_report report;
    offload_module(m, &options, &report);
    assert_int_equal(report.nloops, 2);
    assert_int_equal(report.loops[0].verdict, OFF_REJECT_DISABLED);
    assert_int_equal(report.loops[1].verdict, OFF_REJECT_DISABLED);
    assert_int_equal(m->nkernels, 0);
    seen[OFF_REJECT_DISABLED] = true;
    ir_module_free(m);
    strbuf_free(&text);
}

/* Runs last. */
static void test_all_seen(void **state) {
    (void)state;
    for (unsigned k = 0; k < OFF_REJECT_COUNT; k++)
        if (!seen[k])
            fail_msg("no test provokes '%s'", off_reject_name((enum off_reject)k));
}

/* ---- documentation ---- */

static void read_page(const char *name, struct strbuf *out) {
    char path[512], bytes[4096];
    snprintf(path, sizeof path, "%s/%s", WASMETAL_DOCS, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be read", path);
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        strbuf_add_bytes(out, bytes, n);
    fclose(f);
}

static void check_row(const struct strbuf *page, const char *name) {
    char row[80];
    snprintf(row, sizeof row, "\n| `%s` |", name);
    if (!strstr(page->data, row))
        fail_msg("the page has no row for '%s'", name);
}

static void test_reasons_documented(void **state) {
    (void)state;
    struct strbuf page = {0};
    read_page("reasons.md", &page);
    for (unsigned k = OFF_REJECT_PART_OF_KERNEL + 1; k < OFF_REJECT_COUNT; k++)
        check_row(&page, off_reject_name((enum off_reject)k));
    strbuf_free(&page);
}

static void test_fallbacks_documented(void **state) {
    (void)state;
    static const char *const names[] = {
#define FALLBACK(id, name, what) name,
#include "runtime/fallback.def"
    };
    struct strbuf page = {0};
    read_page("fallbacks.md", &page);
    for (unsigned k = 0; k < sizeof names / sizeof names[0]; k++)
        check_row(&page, names[k]);
    strbuf_free(&page);
}

int main(void) {
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_each_reason),        cmocka_unit_test(test_trip_counts),
        cmocka_unit_test(test_too_complex),        cmocka_unit_test(test_recurrence_hints),
        cmocka_unit_test(test_disabled),           cmocka_unit_test(test_all_seen),
        cmocka_unit_test(test_reasons_documented), cmocka_unit_test(test_fallbacks_documented),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
