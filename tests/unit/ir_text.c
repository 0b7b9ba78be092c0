/* Hostile text: random changes to good IR text must end in an error with a place, or in a module that the verifier, the
 * printer, the passes and the interpreter can take.
 *
 *     test_ir_text DIRECTORY_OF_IR_FILES [COUNT] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_interp.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/opt/pass.h"

static const char *directory = ".";
static unsigned long count = 300; /* changes a file */
static uint64_t state64 = 88172645463325252u;

static uint32_t next(uint32_t below) {
    state64 ^= state64 << 13; /* xorshift64 (Marsaglia 2003) */
    state64 ^= state64 >> 7;
    state64 ^= state64 << 17;
    return (uint32_t)(state64 >> 32) % below;
}

static void run_functions(struct ir_module *m) {
    struct ir_interp_desc desc = {.module = m, .fuel = 20000, .max_call_depth = 100};
    struct ir_trap_info trap;
    struct ir_interp *in = ir_interp_new(&desc, &trap);
    if (!in)
        return;
    for (uint32_t k = 0; k < m->nfuncs && !trap.code; k++) {
        const struct ir_sig *sig = &m->funcs[k].func->sig;
        uint32_t n = sig->nparams > sig->nresults ? sig->nparams : sig->nresults;
        union ir_bits *args = calloc((size_t)n + 1, sizeof *args);
        struct ir_trap_info ignored;
        ir_interp_call(in, k, args, &ignored);
        free(args);
    }
    ir_interp_free(in);
}

/* A memory or table of gigabytes is legal and only slow. */
static bool is_small(const struct ir_module *m) {
    for (uint32_t k = 0; k < m->nmemories; k++)
        if (m->memories[k].limits.min > 64)
            return false;
    for (uint32_t k = 0; k < m->ntables; k++)
        if (m->tables[k].limits.min > 1000)
            return false;
    return true;
}

static bool exercise(const char *text, size_t size) {
    struct ir_parse_error error;
    struct ir_module *m = ir_parse_module(text, size, &error);
    if (!m) {
        assert_true(error.line >= 1 && error.column >= 1 && error.message[0]);
        return false;
    }
    struct strbuf out = {0};
    bool ok = ir_verify_module(m, &out);
    out.len = 0;
    ir_print_module(&out, m);
    if (ok) {
        struct pass_ctx cx = {.module = m, .verify = true};
        for (uint32_t k = 0; k < m->nfuncs; k++)
            if (m->funcs[k].func->body)
                opt_simplify(m->funcs[k].func, &cx);
        arena_free(&cx.scratch);
        if (is_small(m))
            run_functions(m);
    }
    strbuf_free(&out);
    ir_module_free(m);
    return ok;
}

static const char *const snippets[] = {
    "%0",   "%",  "{",    "}",   "(",   ")",          "=",  ":i32", "i64",       "L0",     "br",      "yield",
    "loop", "\"", "\\",   ",",   "!0x", "4294967295", "-1", "nan:", "br_table ", "->",     "func 0 ", "e+",
    "\n",   ";",  "\xff", " = ", "0x",  "call 0",     "if", "else", "f32.",      "return", "block"};

static size_t mutate(char *text, size_t size, size_t cap) {
    for (uint32_t n = next(3) ? 1 : 1 + next(4); n > 0 && size > 2; n--) {
        size_t at = next((uint32_t)size), len = 1 + next(12);
        if (len > size - at)
            len = size - at;
        size_t from = next((uint32_t)(size - len + 1));
        const char *s = snippets[next(sizeof snippets / sizeof *snippets)];
        switch (next(5)) {
        case 0: /* cut */
            memmove(text + at, text + at + len, size - at - len);
            size -= len;
            break;
        case 1: /* insert */
            if (size + strlen(s) > cap)
                break;
            memmove(text + at + strlen(s), text + at, size - at);
            memcpy(text + at, s, strlen(s));
            size += strlen(s);
            break;
        case 2: /* copy a piece over another */
            memmove(text + at, text + from, len);
            break;
        case 3: /* another digit: values, labels, indices, constants */
            for (size_t k = at; k < size && k < at + 40; k++)
                if (text[k] >= '0' && text[k] <= '9') {
                    text[k] = (char)('0' + next(10));
                    break;
                }
            break;
        default:
            text[at] = (char)next(256);
        }
    }
    return size;
}

static void try_file(const char *path, unsigned long *accepted) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    static char original[65536], text[80000];
    size_t size = fread(original, 1, sizeof original - 1, f);
    fclose(f);
    original[size] = 0;
    char *mark = strstr(original, ";; expect\n");
    if (mark)
        size = (size_t)(mark - original);
    for (unsigned long k = 0; k < count; k++) {
        memcpy(text, original, size);
        *accepted += exercise(text, mutate(text, size, sizeof text));
    }
    for (size_t cut = 0; cut < size; cut += 1 + size / 200)
        exercise(original, cut);
}

static void test_mutations(void **state) {
    (void)state;
    DIR *d = opendir(directory);
    assert_non_null(d);
    unsigned long accepted = 0, files = 0;
    for (struct dirent *e; (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n < 4 || strcmp(e->d_name + n - 3, ".ir") != 0)
            continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
        try_file(path, &accepted);
        files++;
    }
    closedir(d);
    print_message("%lu files, %lu changed texts were still legal\n", files, accepted);
    assert_true(files > 0 && accepted > 0);
}

static void test_deep_nesting(void **state) {
    (void)state;
    for (int depth = 1000; depth <= 100000; depth *= 100) {
        struct strbuf s = {0};
        strbuf_add(&s, "func 0 \"f\" () {\n");
        for (int k = 0; k < depth; k++)
            strbuf_add(&s, "block {\n");
        strbuf_add(&s, "return\n");
        for (int k = 0; k < depth; k++)
            strbuf_add(&s, "}\nunreachable\n");
        strbuf_add(&s, "}\n");
        assert_int_equal(exercise(s.data, s.len), depth == 1000);
        strbuf_free(&s);
    }
}

int main(int argc, char **argv) {
    if (argc > 1)
        directory = argv[1];
    if (argc > 2)
        count = strtoul(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutations), cmocka_unit_test(test_deep_nesting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
