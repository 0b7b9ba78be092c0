/* Golden tests of the offloader.  One file holds a module in IR text and what comes of it:
 *
 *     ; golden: offload
 *     memory 0 min=1
 *     func 0 "f" (%p:i32, %n:i32) { ... }
 *     ;; expect
 *     ; loop func=0 +0x10 depth=0: offloaded kernel=0
 *     module "module"
 *     ...
 *
 * The expected text is the report, the module with its launches, and each kernel's description and body.
 *
 *     golden_offload [--rebase] FILE...       compares (or rewrites the expected text) */
#include <stdio.h>
#include <string.h>

#include "tests/unit/offload_fixture.h"

static const char command_mark[] = "; golden: offload\n";
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
    return ok && out->len;
}

static bool rewrite(const char *path, const struct strbuf *file, size_t input, const struct strbuf *got) {
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    bool ok = fwrite(file->data, 1, input, f) == input && fputs(expect_mark, f) >= 0 &&
              fwrite(got->data, 1, got->len, f) == got->len;
    return fclose(f) == 0 && ok;
}

static bool check_file(const char *path, bool rebase) {
    struct strbuf file = {0}, got = {0};
    bool ok = false;
    if (!read_file(path, &file) || strncmp(file.data, command_mark, sizeof command_mark - 1) != 0) {
        fprintf(stderr, "%s: cannot be read, or does not begin with '%s'\n", path, command_mark);
        strbuf_free(&file);
        return false;
    }
    const char *mark = strstr(file.data, expect_mark);
    size_t input = mark ? (size_t)(mark - file.data) : file.len;
    const char *want = mark ? mark + sizeof expect_mark - 1 : "";
    struct oft t;
    if (oft_init_text(&t, file.data, input))
        oft_print(&t, &got);
    else
        strbuf_printf(&got, "%s\n", t.error);
    ok = !strcmp(want, got.data);
    if (!ok && rebase)
        ok = rewrite(path, &file, input, &got);
    else if (!ok)
        fprintf(stderr, "%s: expected\n%s\ngot\n%s\n", path, want, got.data);
    oft_free(&t);
    strbuf_free(&file);
    strbuf_free(&got);
    return ok;
}

int main(int argc, char **argv) {
    bool rebase = argc > 1 && !strcmp(argv[1], "--rebase");
    int failed = 0;
    for (int k = 1 + rebase; k < argc; k++)
        failed += !check_file(argv[k], rebase);
    if (failed)
        fprintf(stderr, "%d of %d golden tests failed\n", failed, argc - 1 - rebase);
    return failed != 0;
}
