/* Golden tests of the lowering: a wat file ends in the IR its module becomes, each line behind ";;| ".
 *
 *     golden_lower [--rebase] FILE.wasm FILE.wat
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/front.h"
#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/util/strbuf.h"

static const char mark[] = ";;| ";

static bool read_file(const char *path, struct strbuf *out) {
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return false;
    }
    char bytes[4096];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        strbuf_add_bytes(out, bytes, n);
    bool ok = !ferror(f);
    fclose(f);
    strbuf_add_bytes(out, "", 1);
    out->len--;
    return ok;
}

/* Cuts `text` into what stands before the expectation, and the expectation without its marks. */
static void split(const char *text, struct strbuf *input, struct strbuf *expected) {
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n');
        if (strncmp(line, mark, sizeof mark - 1) == 0)
            strbuf_add_bytes(expected, line + sizeof mark - 1, n - (sizeof mark - 1));
        else
            strbuf_add_bytes(input, line, n);
        line += n;
    }
    strbuf_add(expected, "");
}

static bool lower(const struct strbuf *wasm, struct strbuf *out) {
    struct diag d;
    struct front_options options = {.verify = true};
    diag_init(&d, stderr, NULL);
    struct ir_module *m = front_read_module((const uint8_t *)wasm->data, wasm->len, &options, &d);
    if (!m)
        return false;
    ir_print_module(out, m);
    ir_module_free(m);
    return true;
}

static bool rewrite(const char *path, const struct strbuf *input, const struct strbuf *got) {
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    fwrite(input->data, 1, input->len, f);
    for (const char *line = got->data; *line;) {
        size_t n = strcspn(line, "\n");
        fprintf(f, "%s%.*s\n", mark, (int)n, line);
        line += n + (line[n] == '\n');
    }
    return fclose(f) == 0;
}

int main(int argc, char **argv) {
    bool rebase = argc > 1 && strcmp(argv[1], "--rebase") == 0;
    argv += rebase;
    argc -= rebase;
    struct strbuf wasm = {0}, text = {0}, input = {0}, expected = {0}, got = {0};
    if (argc != 3 || !read_file(argv[1], &wasm) || !read_file(argv[2], &text) || !lower(&wasm, &got))
        return 2;
    split(text.data, &input, &expected);
    int code = 0;
    if (rebase) {
        code = rewrite(argv[2], &input, &got) ? 0 : 2;
    } else if (strcmp(expected.data, got.data) != 0) {
        printf("%s: the IR differs; got:\n%s", argv[2], got.data);
        code = 1;
    }
    strbuf_free(&wasm);
    strbuf_free(&text);
    strbuf_free(&input);
    strbuf_free(&expected);
    strbuf_free(&got);
    return code;
}
