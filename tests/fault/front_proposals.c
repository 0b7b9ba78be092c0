/* Modules of proposals that wabt cannot read: what is said must be the proposal's name (WM1004), not that the file is
 * damaged.  The modules are written byte by byte, for wabt's tools cannot write them either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "compiler/front.h"
#include "wasm_writer.h"

static void expect_refused(const char *bytes, size_t size, const char *id, const char *what) {
    struct strbuf w = {0};
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    struct diag d;
    diag_init(&d, out, NULL);
    struct front_options options = {.verify = true};
    put_header(&w);
    strbuf_add_bytes(&w, bytes, size);
    assert_null(front_read_module((const uint8_t *)w.data, w.len, &options, &d));
    fclose(out);
    if (!strstr(text, id) || !strstr(text, what))
        fail_msg("expected %s, \"%s\", got \"%s\"", id, what, text);
    free(text);
    strbuf_free(&w);
}

#define EXPECT_REFUSED(bytes, what) expect_refused(bytes, sizeof(bytes) - 1, "WM1004", what ": not supported yet")

/* (type (func (result T))) */
static void types(void **state) {
    (void)state;
    EXPECT_REFUSED("\1\5\1\x60\0\1\x69", "exception handling (exnref)");
    EXPECT_REFUSED("\1\5\1\x60\1\x69\0", "exception handling (exnref)");
    expect_refused("\1\5\1\x60\1\x69\0", 7, "WM1004", "without it: emcc: -sWASM_LEGACY_EXCEPTIONS=1");
    EXPECT_REFUSED("\1\5\1\x60\0\1\x6e", "garbage collection");
    EXPECT_REFUSED("\1\5\1\x60\0\1\x6c", "garbage collection");
    EXPECT_REFUSED("\1\6\1\x60\0\1\x64\0", "typed function references");
    EXPECT_REFUSED("\1\4\1\x5f\0\0", "garbage collection");
    expect_refused("\1\5\1\x60\0\1\x5a", 7, "WM1001", ""); /* of no proposal: damage */
}

/* (func try_table end) */
static void opcodes(void **state) {
    (void)state;
    EXPECT_REFUSED("\1\4\1\x60\0\0\3\2\1\0\x0a\x08\1\6\0\x1f\x40\0\x0b\x0b", "exception handling (exnref)");
    EXPECT_REFUSED("\1\4\1\x60\0\0\3\2\1\0\x0a\x05\1\3\0\x0a\x0b", "exception handling (exnref)");
}

/* (table i64 0 0 funcref) */
static void tables(void **state) {
    (void)state;
    EXPECT_REFUSED("\4\5\1\x70\5\0\0", "memory64 (64-bit tables)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(opcodes),
        cmocka_unit_test(tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
