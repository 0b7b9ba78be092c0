/* Size: simplification and offloading of functions far larger than people write must stay in bounded time.  Each case
 * is built in two sizes, and the larger (four times the smaller) may take at most so many times longer; the bounds are
 * loose, since machines are shared, but far below the sixteen of a quadratic step that dominates.
 *
 *     test_offload_scale --measure    prints the times and checks nothing */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/offload/offload.h"
#include "ir/opt/pass.h"
#include "ir/util/strbuf.h"

static const char head[] = "memory 0 min=1\nfunc 0 \"f\" (%p:i32, %n:i32, %c:i32) {\n%zero = i32.const 0\n"
                           "%one = i32.const 1\n%four = i32.const 4\n";

static void loops_in_a_row(struct strbuf *out, unsigned n) {
    for (unsigned k = 0; k < n; k++)
        strbuf_printf(out,
                      "loop L%u (%%i%u:i32 = %%n, %%q%u:i32 = %%p) {\n%%v%u = i32.mul %%i%u, %%i%u\n"
                      "i32.store offset=%u %%q%u, %%v%u\n%%r%u = i32.add %%q%u, %%four\n%%j%u = i32.sub %%i%u, %%one\n"
                      "br_if %%j%u, L%u(%%j%u, %%r%u)\nyield\n}\n",
                      k, k, k, k, k, k, 4 * k, k, k, k, k, k, k, k, k, k, k);
}

static void deep_nest(struct strbuf *out, unsigned n) {
    for (unsigned k = 0; k < n; k++) {
        strbuf_printf(out, "loop L%u (%%i%u:i32 = %%n, %%q%u:i32 = ", k, k, k);
        if (k)
            strbuf_printf(out, "%%q%u) {\n", k - 1);
        else
            strbuf_add(out, "%p) {\n");
    }
    strbuf_printf(out, "i32.store %%q%u, %%i%u\n", n - 1, n - 1);
    for (unsigned k = n; k-- > 0;)
        strbuf_printf(out,
                      "%%r%u = i32.add %%q%u, %%four\n%%j%u = i32.sub %%i%u, %%one\nbr_if %%j%u, L%u(%%j%u, %%r%u)\n"
                      "yield\n}\n",
                      k, k, k, k, k, k, k, k);
}

static void accesses(struct strbuf *out, unsigned n) {
    strbuf_add(out, "loop L (%i:i32 = %n, %q:i32 = %p) {\n");
    for (unsigned k = 0; k < n; k++)
        strbuf_printf(out,
                      "%%v%u = i32.load offset=%u %%q\n%%w%u = i32.add %%v%u, %%i\ni32.store offset=%u %%q, %%w%u\n", k,
                      8 * k, k, k, 8 * k + 4, k);
    strbuf_add(out, "%r = i32.add %q, %four\n%j = i32.sub %i, %one\nbr_if %j, L(%j, %r)\nyield\n}\n");
}

/* A pointer that meets another at the end of each of many conditionals. */
static void merges(struct strbuf *out, unsigned n) {
    strbuf_add(out, "loop L (%i:i32 = %n, %q:i32 = %p) {\n%b = i32.load8_u offset=9000 %q\n%q0 = i32.add %q, %zero\n");
    for (unsigned k = 0; k < n; k++)
        strbuf_printf(out,
                      "%%bit%u = i32.and %%b, %%one\n%%x%u = i32.add %%q%u, %%four\n"
                      "%%q%u:i32 = if %%bit%u {\ni32.store %%x%u, %%i\nyield %%x%u\n} else {\nyield %%q%u\n}\n",
                      k, k, k, k + 1, k, k, k, k);
    strbuf_printf(out,
                  "i32.store %%q%u, %%i\n%%r = i32.add %%q, %%four\n%%j = i32.sub %%i, %%one\nbr_if %%j, L(%%j, "
                  "%%r)\nyield\n}\n",
                  n);
}

/* Long chains of arithmetic on addresses. */
static void arithmetic(struct strbuf *out, unsigned n) {
    strbuf_add(out, "loop L (%i:i32 = %n, %q:i32 = %p) {\n%a0 = i32.mul %i, %c\n");
    for (unsigned k = 0; k < n; k++)
        strbuf_printf(out, "%%b%u = i32.mul %%a%u, %%c\n%%a%u = i32.add %%b%u, %%a%u\n", k, k, k + 1, k, k);
    strbuf_printf(out,
                  "i32.store %%a%u, %%i\n%%r = i32.add %%q, %%four\n%%j = i32.sub %%i, %%one\nbr_if %%j, L(%%j, "
                  "%%r)\nyield\n}\n",
                  n);
}

/* Eight loops deep, several side by side at each depth: the analysis solves inner loops anew for each outer one. */
static void bushy(struct strbuf *out, unsigned n, unsigned depth, unsigned *next, unsigned around) {
    for (unsigned side = 0; side < n; side++) {
        unsigned k = (*next)++;
        strbuf_printf(out, "loop L%u (%%i%u:i32 = %%n, %%q%u:i32 = %%q%u) {\n", k, k, k, around);
        if (depth > 1)
            bushy(out, n, depth - 1, next, k);
        strbuf_printf(out,
                      "i32.store %%q%u, %%i%u\n%%r%u = i32.add %%q%u, %%four\n%%j%u = i32.sub %%i%u, %%one\n"
                      "br_if %%j%u, L%u(%%j%u, %%r%u)\nyield\n}\n",
                      k, k, k, k, k, k, k, k, k, k);
    }
}

static void bushy_nest(struct strbuf *out, unsigned depth) {
    unsigned next = 1;
    strbuf_add(out, "%q0 = i32.add %p, %zero\n");
    bushy(out, 2, depth, &next, 0);
}

struct scale_case {
    const char *name;
    void (*print)(struct strbuf *out, unsigned n);
    unsigned small, large;
    double most;  /* times as long */
    double limit; /* seconds for the large one, loosely */
};

static const struct scale_case cases[] = {
    {"loops in a row", loops_in_a_row, 500, 2000, 14, 20},
    {"loops inside each other", deep_nest, 50, 200, 14, 10},
    {"loads and stores in a loop", accesses, 1250, 5000, 14, 20},
    {"merging pointers", merges, 250, 1000, 14, 10},
    {"chained arithmetic", arithmetic, 1250, 5000, 14, 10},
    {"two loops in each, eight deep", bushy_nest, 6, 8, 40, 20},
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Time of simplification and of offloading. */
static void measure(const struct scale_case *c, unsigned n, double *out_simplify, double *out_offload) {
    struct strbuf text = {0};
    strbuf_add(&text, head);
    c->print(&text, n);
    strbuf_add(&text, "return\n}\n");
    struct ir_parse_error error;
    struct ir_module *m = ir_parse_module(text.data, text.len, &error);
    if (!m)
        fail_msg("%s: %u:%u: %s", c->name, error.line, error.column, error.message);
    struct pass_ctx passes = {.module = m};
    double start = seconds();
    opt_simplify(m->funcs[0].func, &passes);
    double middle = seconds();
    struct off_options options = {.enabled = true};
    struct off_report report;
    offload_module(m, &options, &report);
    *out_simplify = middle - start;
    *out_offload = seconds() - middle;
    arena_free(&passes.scratch);
    ir_module_free(m);
    strbuf_free(&text);
}

static bool print_only;

static void test_scale(void **state) {
    (void)state;
    for (unsigned k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const struct scale_case *c = &cases[k];
        double s[2], o[2];
        measure(c, c->small, &s[0], &o[0]);
        measure(c, c->large, &s[1], &o[1]);
        printf("%s: %u: simplify %.3f s, offload %.3f s; %u: %.3f s, %.3f s\n", c->name, c->small, s[0], o[0], c->large,
               s[1], o[1]);
        if (print_only)
            continue;
        const double noise = 0.05; /* below this, times say nothing */
        if (s[1] > noise && s[1] > c->most * (s[0] + noise / 10))
            fail_msg("%s: simplifying %u takes %.3f s, %u takes %.3f s", c->name, c->small, s[0], c->large, s[1]);
        if (o[1] > noise && o[1] > c->most * (o[0] + noise / 10))
            fail_msg("%s: offloading %u takes %.3f s, %u takes %.3f s", c->name, c->small, o[0], c->large, o[1]);
        if (s[1] + o[1] > c->limit)
            fail_msg("%s: %u take %.1f s", c->name, c->large, s[1] + o[1]);
    }
}

int main(int argc, char **argv) {
    print_only = argc > 1 && !strcmp(argv[1], "--measure");
    const struct CMUnitTest all[] = {cmocka_unit_test(test_scale)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
