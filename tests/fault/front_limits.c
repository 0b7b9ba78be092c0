/* Limit bombs: small modules that ask for huge things.  Each must be refused, or read, in little time and memory.
 *
 * Memory is the process's high-water mark, so the cases are ordered by nothing but still each bounded: a case may raise
 * the mark by MEMORY_MB at most (the shadow memory of the address sanitizer triples that).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "compiler/front.h"
#include "compiler/limits.h"
#include "ir/ir_build.h"
#include "wasm_writer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SECONDS = 60, MEMORY_MB = 3000 };
#else
enum { SECONDS = 10, MEMORY_MB = 1000 };
#endif

enum verdict { ACCEPTED, REFUSED, EITHER };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long peak_megabytes(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss >> 10; /* Linux counts KiB */
}

/* Reads and frees the module; checks time and memory.  `id` is what a refusal must say, 0 for anything. */
static void expect(struct strbuf *w, enum verdict verdict, const char *id) {
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    struct diag d;
    diag_init(&d, out, NULL);
    struct front_options options = {.verify = true};
    long memory = peak_megabytes();
    double start = now();
    struct ir_module *m = front_read_module((const uint8_t *)w->data, w->len, &options, &d);
    bool accepted = m != NULL;
    ir_module_free(m);
    double seconds = now() - start;
    memory = peak_megabytes() - memory;
    fclose(out);
    print_message("%zu bytes in, %.2f s, %ld MB more: %s\n", w->len, seconds, memory, accepted ? "accepted" : text);
    if (verdict != EITHER)
        assert_int_equal(accepted, verdict == ACCEPTED);
    if (!accepted && id)
        assert_non_null(strstr(text, id));
    assert_true(seconds < SECONDS);
    assert_true(memory < MEMORY_MB);
    free(text);
    strbuf_free(w);
}

static void start(struct strbuf *w) {
    *w = (struct strbuf){0};
    put_header(w);
}

/* ---- nesting ---- */

static void put_nest(struct strbuf *w, uint8_t op, size_t depth) {
    struct strbuf body = {0};
    uint8_t open[] = {op, 0x40}, close = 0x0b, condition[] = {0x41, 0x00};
    put_byte(&body, 0);
    for (size_t i = 0; i < depth; i++) {
        if (op == 0x04)
            strbuf_add_bytes(&body, condition, 2);
        strbuf_add_bytes(&body, open, 2);
    }
    put_repeated(&body, &close, 1, depth + 1);
    start(w);
    put_void_type(w);
    put_one_function(w, &body);
    strbuf_free(&body);
}

static void test_nesting(void **state) {
    (void)state;
    for (uint8_t op = 0x02; op <= 0x04; op++) {
        struct strbuf w;
        put_nest(&w, op, 1000000);
        expect(&w, REFUSED, "WM1003");
        put_nest(&w, op, 1000);
        expect(&w, ACCEPTED, NULL);
    }
}

/* Every level of a deep nest assigns and reads the same many locals: all are live everywhere. */
static void test_nested_locals(void **state) {
    (void)state;
    enum { DEPTH = 1000, LOCALS = 2000 };
    for (uint8_t op = 0x02; op <= 0x03; op++) {
        struct strbuf w, body = {0};
        uint8_t open[] = {op, 0x40}, close = 0x0b;
        put_u32(&body, 1);
        put_u32(&body, LOCALS);
        put_byte(&body, 0x7f);
        put_repeated(&body, open, 2, DEPTH);
        for (unsigned k = 0; k < LOCALS; k++) {
            put_byte(&body, 0x20); /* local.get */
            put_u32(&body, k);
            put_byte(&body, 0x21); /* local.set */
            put_u32(&body, (k + 1) % LOCALS);
        }
        put_repeated(&body, &close, 1, DEPTH);
        for (unsigned k = 0; k < LOCALS; k++) {
            put_byte(&body, 0x20);
            put_u32(&body, k);
            put_byte(&body, 0x1a); /* drop */
        }
        put_byte(&body, close);
        start(&w);
        put_void_type(&w);
        put_one_function(&w, &body);
        strbuf_free(&body);
        expect(&w, EITHER, "WM1005");
    }
}

/* ---- locals and types ---- */

static void put_locals(struct strbuf *w, unsigned declarations, uint32_t count) {
    struct strbuf body = {0};
    put_u32(&body, declarations);
    for (unsigned i = 0; i < declarations; i++) {
        put_u32(&body, count);
        put_byte(&body, 0x7f);
    }
    put_byte(&body, 0x0b);
    start(w);
    put_void_type(w);
    put_one_function(w, &body);
    strbuf_free(&body);
}

static void test_locals(void **state) {
    (void)state;
    struct strbuf w;
    put_locals(&w, 1, 50000000);
    expect(&w, REFUSED, "WM1003");
    put_locals(&w, 1, UINT32_MAX);
    expect(&w, REFUSED, "WM100");
    put_locals(&w, 100000, 1);
    expect(&w, REFUSED, "WM1003");
    put_locals(&w, 1, FRONT_MAX_LOCALS);
    expect(&w, ACCEPTED, NULL);
    put_locals(&w, 1, FRONT_MAX_LOCALS + 1);
    expect(&w, REFUSED, "50000");
}

static void test_params(void **state) {
    (void)state;
    struct strbuf w, content = {0};
    uint8_t i32 = 0x7f;
    for (int results = 0; results < 2; results++) {
        start(&w);
        put_u32(&content, 1);
        put_byte(&content, 0x60);
        if (results)
            put_u32(&content, 0);
        put_u32(&content, 1000000);
        put_repeated(&content, &i32, 1, 1000000);
        if (!results)
            put_u32(&content, 0);
        put_section(&w, 1, &content);
        expect(&w, REFUSED, "WM1003");
    }
    strbuf_free(&content);
}

/* The validator copies the signature of every function: a million functions of a thousand parameters. */
static void test_signatures(void **state) {
    (void)state;
    struct strbuf w, content = {0};
    uint8_t i32 = 0x7f, zero = 0;
    start(&w);
    put_u32(&content, 1);
    put_byte(&content, 0x60);
    put_u32(&content, 1000);
    put_repeated(&content, &i32, 1, 1000);
    put_u32(&content, 0);
    put_section(&w, 1, &content);
    put_u32(&content, 1000000);
    put_repeated(&content, &zero, 1, 1000000);
    put_section(&w, 3, &content);
    strbuf_free(&content);
    expect(&w, REFUSED, "WM1003");
}

/* Blocks of a thousand values each cost two bytes in unreachable code. */
static void test_wide_blocks(void **state) {
    (void)state;
    enum { BLOCKS = 1000000 };
    struct strbuf w, content = {0}, body = {0};
    uint8_t i32 = 0x7f, block[] = {0x02, 0x01, 0x0b};
    start(&w);
    put_u32(&content, 2);
    strbuf_add_bytes(&content, "\x60\0\0\x60", 4);
    put_u32(&content, 1000);
    put_repeated(&content, &i32, 1, 1000);
    put_u32(&content, 1000);
    put_repeated(&content, &i32, 1, 1000);
    put_section(&w, 1, &content);
    strbuf_add_bytes(&body, "\0\0", 2); /* no locals; unreachable */
    put_repeated(&body, block, 3, BLOCKS);
    put_byte(&body, 0x00);
    put_byte(&body, 0x0b);
    put_one_function(&w, &body);
    strbuf_free(&body);
    strbuf_free(&content);
    expect(&w, REFUSED, "WM1003");
}

/* ---- branches ---- */

static void put_br_tables(struct strbuf *w, unsigned tables, uint32_t targets, unsigned locals) {
    struct strbuf body = {0};
    put_u32(&body, 1);
    put_u32(&body, locals + 1);
    put_byte(&body, 0x7f);
    strbuf_add_bytes(&body, "\x02\x40", 2);
    for (unsigned i = 0; i < locals; i++) {
        strbuf_add_bytes(&body, "\x41\x01\x21", 3);
        put_u32(&body, i);
    }
    for (unsigned i = 0; i < tables; i++) {
        strbuf_add_bytes(&body, "\x02\x40\x41\x00\x04\x40\x41\x00\x0e", 9); /* block; 0; if; 0; br_table */
        put_u32(&body, targets);
        uint8_t depth = 2;
        put_repeated(&body, &depth, 1, targets);
        put_byte(&body, depth);
        strbuf_add_bytes(&body, "\x0b\x0b", 2);
    }
    put_byte(&body, 0x0b);
    for (unsigned i = 0; i < locals; i++) {
        put_byte(&body, 0x20);
        put_u32(&body, i);
        put_byte(&body, 0x1a);
    }
    put_byte(&body, 0x0b);
    start(w);
    put_void_type(w);
    put_one_function(w, &body);
    strbuf_free(&body);
}

static void test_br_table(void **state) {
    (void)state;
    struct strbuf w;
    put_br_tables(&w, 1, 1000000, 0);
    expect(&w, REFUSED, "WM1003");
    put_br_tables(&w, 1, FRONT_MAX_BR_TABLE, 10);
    expect(&w, ACCEPTED, NULL);
    /* Each target passes every local. */
    put_br_tables(&w, 50, FRONT_MAX_BR_TABLE, 1000);
    expect(&w, REFUSED, "WM1005");
    /* A count without content. */
    struct strbuf body = {0};
    strbuf_add_bytes(&body, "\0\x41\0\x0e\xff\xff\xff\xff\x0f\0\x0b", 11);
    start(&w);
    put_void_type(&w);
    put_one_function(&w, &body);
    strbuf_free(&body);
    expect(&w, REFUSED, "WM1001");
}

/* Tens of thousands of locals and of branches: the liveness walk must give up, not run for minutes. */
static void test_liveness_cost(void **state) {
    (void)state;
    enum { BLOCKS = 300000, LOCALS = 40000 };
    struct strbuf w, body = {0};
    static const uint8_t step[] = {0x02, 0x40, 0x41, 0x00, 0x0d, 0x00, 0x0b};
    put_u32(&body, 1);
    put_u32(&body, LOCALS);
    put_byte(&body, 0x7f);
    put_repeated(&body, step, sizeof step, BLOCKS);
    for (unsigned k = 0; k < LOCALS; k++) {
        put_byte(&body, 0x20);
        put_u32(&body, k);
        put_byte(&body, 0x1a);
    }
    put_byte(&body, 0x0b);
    start(&w);
    put_void_type(&w);
    put_one_function(&w, &body);
    strbuf_free(&body);
    expect(&w, ACCEPTED, NULL);
}

/* ---- counts in section heads ---- */

static void test_counts(void **state) {
    (void)state;
    for (uint8_t id = 1; id <= 12; id++) {
        static const uint32_t counts[] = {1000001, 0x0fffffff, UINT32_MAX};
        for (unsigned c = 0; c < sizeof counts / sizeof *counts; c++) {
            struct strbuf w, content = {0};
            start(&w);
            put_u32(&content, counts[c]);
            put_section(&w, id, &content);
            strbuf_free(&content);
            /* 8 is the start section, 12 the data count: numbers of another meaning, and equally wrong. */
            expect(&w, REFUSED, "WM100");
        }
    }
}

static void test_sizes(void **state) {
    (void)state;
    struct strbuf w;
    start(&w); /* memory of more than 65,536 pages */
    strbuf_add_bytes(&w, "\5\5\1\0\x81\x80\4", 7);
    expect(&w, REFUSED, "WM1002");
    start(&w); /* table of 4,294,967,295 */
    strbuf_add_bytes(&w, "\4\x08\1\x70\0\xff\xff\xff\xff\x0f", 10);
    expect(&w, REFUSED, "WM1003");
    start(&w); /* a data segment of 4 GiB in 10 bytes */
    strbuf_add_bytes(&w, "\5\3\1\0\1\x0b\x0a\1\0\x41\0\x0b\xff\xff\xff\xff\x0f", 17);
    expect(&w, REFUSED, "WM1001");
    start(&w); /* a body that claims 4 GiB */
    put_void_type(&w);
    strbuf_add_bytes(&w, "\3\2\1\0\x0a\x07\1\xff\xff\xff\xff\x0f\x0b", 13);
    expect(&w, REFUSED, NULL);
}

/* A function over the limit of bytes is refused before it is decoded. */
static void test_function_bytes(void **state) {
    (void)state;
    struct strbuf w, body = {0};
    uint8_t nop = 0x01;
    put_byte(&body, 0);
    put_repeated(&body, &nop, 1, FRONT_MAX_FUNCTION_BYTES);
    put_byte(&body, 0x0b);
    start(&w);
    put_void_type(&w);
    put_one_function(&w, &body);
    expect(&w, REFUSED, "WM1003");
    put_byte(&body, 0);
    put_repeated(&body, &nop, 1, FRONT_MAX_FUNCTION_BYTES - 2);
    put_byte(&body, 0x0b);
    start(&w);
    put_void_type(&w);
    put_one_function(&w, &body);
    strbuf_free(&body);
    expect(&w, ACCEPTED, NULL);
}

/* Rules that wabt's own validation leaves open. */
static void test_validation_gaps(void **state) {
    (void)state;
    struct strbuf w, body = {0};
    start(&w); /* the last `end` closes a block, none the function */
    put_void_type(&w);
    strbuf_add_bytes(&body, "\0\2\x40\x0b", 4);
    put_one_function(&w, &body);
    expect(&w, REFUSED, "WM1001");
    start(&w); /* code behind the function's end */
    put_void_type(&w);
    strbuf_add_bytes(&body, "\0\x0b\1\x0b", 4);
    put_one_function(&w, &body);
    expect(&w, REFUSED, "WM1001");
    start(&w); /* a data count without a data section */
    strbuf_add_bytes(&w, "\x0c\1\1", 3);
    expect(&w, REFUSED, "WM1001");
    start(&w); /* data segment flags of element segments */
    strbuf_add_bytes(&w, "\5\3\1\0\1\x0b\3\1\5\0", 10);
    expect(&w, REFUSED, "WM1001");
    start(&w); /* call_indirect through a table of externref */
    put_void_type(&w);
    strbuf_add_bytes(&w, "\3\2\1\0\4\4\1\x6f\0\1\x0a\x09\1\7\0\x41\0\x11\0\0\x0b", 21);
    expect(&w, REFUSED, "WM1002");
    strbuf_free(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validation_gaps), cmocka_unit_test(test_counts),
        cmocka_unit_test(test_sizes),           cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_locals),          cmocka_unit_test(test_params),
        cmocka_unit_test(test_signatures),      cmocka_unit_test(test_wide_blocks),
        cmocka_unit_test(test_br_table),        cmocka_unit_test(test_function_bytes),
        cmocka_unit_test(test_liveness_cost),   cmocka_unit_test(test_nested_locals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
