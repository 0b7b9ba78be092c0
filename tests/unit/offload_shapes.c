/* Every shape of loop that ir/analysis/loops.h names, with every relation, step, counter width and a row of trip
 * counts: each must be offloaded, launched (unless it runs zero times), and leave the right pointer and counter behind,
 * whether the program uses them as they were in the last iteration or as they would be in the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "offload_fixture.h"

enum shape { BOTTOM_YIELD, BOTTOM_IF, BOTTOM_BREAK, TOP_BREAK, TOP_IF, SHAPES };
enum form { PLAIN, SWAPPED, NEGATED, FORMS };

struct loop_test {
    enum shape shape;
    enum form form;
    const char *rel; /* continue while counter `rel` bound */
    bool wide;
    int64_t step, trip, start, slack; /* slack: how far the bound lies from the value that ends the loop */
    bool next_live;                   /* the values after the last step are used, not those before it */
};

static const char *mirror(const char *rel) {
    switch (rel[0]) {
    case 'n':
        return "ne";
    case 'l':
        return rel[1] == 't' ? (rel[3] == 's' ? "gt_s" : "gt_u") : rel[3] == 's' ? "ge_s" : "ge_u";
    default:
        return rel[1] == 't' ? (rel[3] == 's' ? "lt_s" : "lt_u") : rel[3] == 's' ? "le_s" : "le_u";
    }
}

static void print_test(struct strbuf *out, const struct loop_test *t, const char *counter, bool to_exit) {
    const char *ty = t->wide ? "i64" : "i32";
    if (t->form == SWAPPED)
        strbuf_printf(out, "%%c0 = %s.%s %%bound, %s\n", ty, mirror(t->rel), counter);
    else
        strbuf_printf(out, "%%c0 = %s.%s %s, %%bound\n", ty, t->rel, counter);
    bool invert = to_exit;
    if (t->form == NEGATED) {
        strbuf_add(out, "%c1 = i32.eqz %c0\n");
        strbuf_printf(out, "%%c = %s\n", invert ? "i32.or %c1, %zero" : "i32.eqz %c1");
        return;
    }
    strbuf_printf(out, "%%c = %s\n", invert ? "i32.eqz %c0" : "i32.or %c0, %zero");
}

static void print_loop(struct strbuf *out, const struct loop_test *t) {
    const char *ty = t->wide ? "i64" : "i32", *live = t->next_live ? "%q1, %k1" : "%q, %k";
    bool top = t->shape == TOP_BREAK || t->shape == TOP_IF, breaks = t->shape == BOTTOM_BREAK || t->shape == TOP_BREAK;
    if (top)
        live = "%q, %k";
    strbuf_printf(out,
                  "memory 0 min=1\nfunc 0 \"f\" (%%p:i32, %%start:%s, %%bound:%s) -> (i32, %s) {\n"
                  "%%zero = i32.const 0\n%%four = i32.const 4\n%%step = %s.const %" PRId64 "\n",
                  ty, ty, ty, ty, t->step);
    char loop[128];
    snprintf(loop, sizeof loop, "loop L (%%q:i32 = %%p, %%k:%s = %%start) !0x10 {\n", ty);
    if (breaks)
        strbuf_printf(out, "%%r0:i32, %%r1:%s = block X {\n%s", ty, loop);
    else
        strbuf_printf(out, "%%r0:i32, %%r1:%s = %s", ty, loop);
    if (top)
        print_test(out, t, "%k", t->shape == TOP_BREAK);
    if (t->shape == TOP_BREAK)
        strbuf_printf(out, "br_if %%c, X(%s)\n", live);
    else if (t->shape == TOP_IF)
        strbuf_printf(out, "%%s0:i32, %%s1:%s = if %%c {\n", ty);
    strbuf_printf(out, "%%w = %s\ni32.store %%q, %%w !0x11\n", t->wide ? "i32.wrap_i64 %k" : "i32.mul %k, %four");
    strbuf_printf(out, "%%q1 = i32.add %%q, %%four\n%%k1 = %s.add %%k, %%step\n", ty);
    if (!top)
        print_test(out, t, "%k1", t->shape == BOTTOM_BREAK);
    switch (t->shape) {
    case BOTTOM_YIELD:
        strbuf_printf(out, "br_if %%c, L(%%q1, %%k1)\nyield %s\n}\n", live);
        break;
    case BOTTOM_IF:
        strbuf_printf(out,
                      "%%s0:i32, %%s1:%s = if %%c {\nbr L(%%q1, %%k1)\n} else {\nyield %s\n}\nyield %%s0, %%s1\n}\n",
                      ty, live);
        break;
    case BOTTOM_BREAK:
        strbuf_printf(out, "br_if %%c, X(%s)\nbr L(%%q1, %%k1)\n}\nunreachable\n}\n", live);
        break;
    case TOP_BREAK:
        strbuf_add(out, "br L(%q1, %k1)\n}\nunreachable\n}\n");
        break;
    default:
        strbuf_printf(out, "br L(%%q1, %%k1)\n} else {\nyield %s\n}\nyield %%s0, %%s1\n}\n", live);
    }
    strbuf_add(out, "return %r0, %r1\n}\n");
}

static void check(const struct loop_test *lt) {
    struct strbuf text = {0};
    print_loop(&text, lt);
    struct oft t;
    if (!oft_init_text(&t, text.data, text.len))
        fail_msg("%s\n%s", t.error, text.data);
    assert_int_equal(t.report.nloops, 1);
    if (t.report.loops[0].verdict != OFF_REJECT_NONE)
        fail_msg("%s\n%s", off_reject_name(t.report.loops[0].verdict), text.data);
    bool top = lt->shape == TOP_BREAK || lt->shape == TOP_IF, or_equal = lt->rel[1] == 'e' && lt->rel[0] != 'n';
    /* The tested value that ends the loop (the same for both: a bottom test looks at the next value). */
    int64_t stop = lt->start + lt->step * lt->trip;
    int64_t bound = lt->rel[0] == 'n' ? stop : or_equal ? stop - lt->step + lt->slack : stop - lt->slack;
    union ir_bits args[3] = {{.i32 = 256}, {.i64 = (uint64_t)lt->start}, {.i64 = (uint64_t)bound}};
    if (!lt->wide) {
        args[1].i64 = args[1].i32;
        args[2].i64 = args[2].i32;
    }
    if (!oft_run(&t, 0, args, NULL, 0, NULL))
        fail_msg("%s\n%s", t.error, text.data);
    bool runs = !top || lt->trip;
    if (t.launches != (runs ? 1 : 0) || t.fallbacks[WM_FALLBACK_TRIP] != (runs ? 0 : 1))
        fail_msg("trip %" PRId64 ": %" PRIu64 " launches, %" PRIu64 " times 'trip'\n%s", lt->trip, t.launches,
                 t.fallbacks[WM_FALLBACK_TRIP], text.data);
    if (runs)
        assert_int_equal(t.points, lt->trip);
    oft_free(&t);
    strbuf_free(&text);
}

static const char *const rels[] = {"ne", "lt_s", "lt_u", "le_s", "le_u", "gt_s", "gt_u", "ge_s", "ge_u"};

static void run_shape(enum shape shape) {
    static const int64_t trips[] = {0, 1, 2, 3, 17, 200}, steps[] = {1, 3, 4};
    uint32_t turn = 0;
    for (unsigned r = 0; r < sizeof rels / sizeof rels[0]; r++)
        for (unsigned n = 0; n < sizeof trips / sizeof trips[0]; n++)
            for (unsigned s = 0; s < sizeof steps / sizeof steps[0]; s++) {
                bool down = rels[r][0] == 'g' || (rels[r][0] == 'n' && s == 1);
                struct loop_test t = {.shape = shape,
                                      .form = (enum form)(turn % FORMS),
                                      .rel = rels[r],
                                      .wide = turn % 5 == 4,
                                      .step = down ? -steps[s] : steps[s],
                                      .trip = trips[n],
                                      .start = 2000 + turn % 7,
                                      .next_live = turn % 2};
                turn++;
                if (shape < TOP_BREAK && !t.trip)
                    continue;
                t.slack = t.step > 0 ? (int64_t)(turn % (uint32_t)t.step) : -(int64_t)(turn % (uint32_t)-t.step);
                check(&t);
            }
}

static void test_bottom_yield(void **state) {
    (void)state;
    run_shape(BOTTOM_YIELD);
}

static void test_bottom_if(void **state) {
    (void)state;
    run_shape(BOTTOM_IF);
}

static void test_bottom_break(void **state) {
    (void)state;
    run_shape(BOTTOM_BREAK);
}

static void test_top_break(void **state) {
    (void)state;
    run_shape(TOP_BREAK);
}

static void test_top_if(void **state) {
    (void)state;
    run_shape(TOP_IF);
}

/* Counters that start below zero, and end beside the ends of their range. */
static void test_edges(void **state) {
    (void)state;
    static const struct loop_test tests[] = {
        {.rel = "lt_s", .step = 1, .trip = 9, .start = -4},
        {.rel = "le_s", .step = 1, .trip = 9, .start = INT32_MAX - 9, .slack = 0},
        {.rel = "ne", .step = 4, .trip = 100, .start = -200},
        {.rel = "ne", .step = -4, .trip = 100, .start = 200},
        {.rel = "gt_s", .step = -1, .trip = 5, .start = INT32_MIN + 6},
        {.rel = "lt_u", .step = 2, .trip = 5, .start = UINT32_MAX - 20},
        {.rel = "ge_u", .step = -1, .trip = 5, .start = 6},
        {.rel = "ne", .wide = true, .step = INT64_C(1) << 33, .trip = 7, .start = -1},
        {.rel = "lt_s", .wide = true, .step = 1, .trip = 7, .start = INT64_MIN},
        {.rel = "le_u", .wide = true, .step = 1, .trip = 7, .start = INT64_C(1) << 40},
    };
    for (unsigned k = 0; k < sizeof tests / sizeof tests[0]; k++)
        for (unsigned shape = 0; shape < SHAPES; shape++) {
            struct loop_test t = tests[k];
            t.shape = (enum shape)shape;
            check(&t);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bottom_yield), cmocka_unit_test(test_bottom_if), cmocka_unit_test(test_bottom_break),
        cmocka_unit_test(test_top_break),    cmocka_unit_test(test_top_if),    cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
