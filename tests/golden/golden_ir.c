/* Golden tests of the IR.  One file holds the command, the input and the expected text:
 *
 *     ; golden: passes fold,dce
 *     func 0 "f" (%x:i32) -> (i32) { ... }
 *     ;; expect
 *     module "module"
 *     ...
 *
 * Commands: `round-trip`, `passes LIST`, `simplify`, `parse-error`, `verify-error`.  Whatever prints a module also
 * checks that parsing and printing it again gives the same bytes; passes run with verification.
 *
 *     golden_ir [--rebase] FILE...       compares (or rewrites the expected text)
 *     golden_ir --print COMMAND FILE     prints what the command gives */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/opt/pass.h"

static const char command_mark[] = "; golden: ";
static const char expect_mark[] = ";; expect\n";

static bool read_file(const char *path, struct strbuf *out) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    char bytes[65536];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        strbuf_add_bytes(out, bytes, n);
    bool ok = !ferror(f);
    fclose(f);
    return ok;
}

static void run_passes(struct ir_module *m, const char *list, struct strbuf *out) {
    struct pass_ctx cx = {.module = m, .verify = true};
    for (uint32_t k = 0; k < m->nfuncs; k++) {
        struct ir_func *f = m->funcs[k].func;
        if (!f->body)
            continue;
        if (!list) {
            opt_simplify(f, &cx);
            continue;
        }
        char names[256];
        snprintf(names, sizeof names, "%s", list);
        for (char *save, *name = strtok_r(names, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
            enum opt_pass pass;
            if (pass_lookup(name, &pass))
                pass_run(pass, f, &cx);
            else
                strbuf_printf(out, "no pass is called %s\n", name);
        }
    }
    arena_free(&cx.scratch);
}

static void print_checked(struct ir_module *m, struct strbuf *out) {
    struct strbuf text = {0}, again = {0};
    struct ir_parse_error error;
    ir_print_module(&text, m);
    strbuf_add_bytes(out, text.data, text.len);
    struct ir_module *copy = ir_parse_module(text.data, text.len, &error);
    if (!copy)
        strbuf_printf(out, "the printed text does not parse: %u:%u: %s\n", error.line, error.column, error.message);
    else
        ir_print_module(&again, copy);
    if (copy && (again.len != text.len || memcmp(again.data, text.data, text.len) != 0)) {
        strbuf_add(out, "printing again gives another text:\n");
        strbuf_add_bytes(out, again.data, again.len);
    }
    ir_module_free(copy);
    strbuf_free(&text);
    strbuf_free(&again);
}

static void run_command(const char *command, const char *text, size_t size, struct strbuf *out) {
    struct ir_parse_error error;
    struct ir_module *m = ir_parse_module(text, size, &error);
    if (!m) {
        strbuf_printf(out, "%u:%u: %s\n", error.line, error.column, error.message);
        return;
    }
    bool verified = ir_verify_module(m, out);
    if (!strcmp(command, "parse-error") || !strcmp(command, "verify-error")) {
        strbuf_add(out, verified ? "no error\n" : "");
    } else if (verified) {
        if (!strncmp(command, "passes ", 7))
            run_passes(m, command + 7, out);
        else if (!strcmp(command, "simplify"))
            run_passes(m, NULL, out);
        else if (strcmp(command, "round-trip") != 0)
            strbuf_printf(out, "unknown command '%s'\n", command);
        print_checked(m, out);
    }
    ir_module_free(m);
}

static bool rewrite(const char *path, const struct strbuf *file, size_t input, const struct strbuf *got) {
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    bool ok = fwrite(file->data, 1, input, f) == input && fputs(expect_mark, f) >= 0 &&
              (!got->len || fwrite(got->data, 1, got->len, f) == got->len);
    return fclose(f) == 0 && ok;
}

static bool check_file(const char *path, bool rebase) {
    struct strbuf file = {0}, got = {0};
    bool ok = false;
    char command[256] = "";
    if (!read_file(path, &file) || !file.len) {
        fprintf(stderr, "%s: cannot be read\n", path);
        goto cleanup;
    }
    if (strncmp(file.data, command_mark, sizeof command_mark - 1) != 0 ||
        sscanf(file.data + sizeof command_mark - 1, "%255[^\n]", command) != 1) {
        fprintf(stderr, "%s: does not begin with '%s'\n", path, command_mark);
        goto cleanup;
    }
    const char *mark = strstr(file.data, expect_mark);
    size_t input = mark ? (size_t)(mark - file.data) : file.len;
    const char *want = mark ? mark + sizeof expect_mark - 1 : "";
    run_command(command, file.data, input, &got);
    ok = !strcmp(want, got.len ? got.data : "");
    if (!ok && rebase)
        ok = rewrite(path, &file, input, &got);
    else if (!ok)
        fprintf(stderr, "%s: expected\n%s\ngot\n%s\n", path, want, got.len ? got.data : "");
cleanup:
    strbuf_free(&file);
    strbuf_free(&got);
    return ok;
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "--print")) {
        struct strbuf file = {0}, got = {0};
        if (!read_file(argv[3], &file))
            return 1;
        const char *mark = file.len ? strstr(file.data, expect_mark) : NULL;
        run_command(argv[2], file.len ? file.data : "", mark ? (size_t)(mark - file.data) : file.len, &got);
        fwrite(got.data, 1, got.len, stdout);
        strbuf_free(&file);
        strbuf_free(&got);
        return 0;
    }
    bool rebase = argc > 1 && !strcmp(argv[1], "--rebase");
    int failed = 0;
    for (int k = 1 + rebase; k < argc; k++)
        failed += !check_file(argv[k], rebase);
    if (failed)
        fprintf(stderr, "%d of %d golden tests failed\n", failed, argc - 1 - rebase);
    return failed != 0;
}
