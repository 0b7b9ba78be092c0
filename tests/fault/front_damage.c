/* Damaged modules: cut at every byte, cut with the framing repaired, and with random bytes changed.
 *
 *     front_damage [--cuts-only] MODULE.wasm...
 *
 * Whatever the bytes are, front_read_module must return: with a module, or with a diagnostic and NULL.  A module that
 * is accepted must also be valid IR (verify is on, so anything else is an ICE).  Inputs are copied into blocks of their
 * exact size, so that the address sanitizer sees the first byte read too far.
 *
 * A plain cut nearly always breaks the framing of the sections, which a first scan finds; so the second test cuts
 * inside a section and corrects the section's size, which takes the damage into the decoder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "compiler/front.h"
#include "ir/ir_build.h"
#include "wasm_writer.h"

enum { MUTATIONS = 3000, MAX_MUTATED_BYTES = 32 << 10, MAX_REPAIRED_CUTS = 4000 };

struct input {
    const char *path;
    uint8_t *bytes;
    size_t size;
};

static struct input *inputs;
static int ninputs;

/* xorshift64* (Vigna 2016): the same sequence on every machine. */
static uint64_t random_state;
static uint64_t next_random(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

/* Returns whether the module was accepted. */
static bool try_read(const void *bytes, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    struct diag d;
    diag_init(&d, NULL, NULL);
    struct front_options options = {.verify = true};
    struct ir_module *m = front_read_module(exact, size, &options, &d);
    if (m)
        assert_int_equal(d.errors, 0);
    else
        assert_int_equal(d.errors, 1);
    free(exact);
    ir_module_free(m);
    return m != NULL;
}

static void test_whole(void **state) {
    (void)state;
    for (int i = 0; i < ninputs; i++)
        assert_true(try_read(inputs[i].bytes, inputs[i].size));
}

static void test_cut_everywhere(void **state) {
    (void)state;
    for (int i = 0; i < ninputs; i++) {
        size_t accepted = 0;
        for (size_t n = 0; n < inputs[i].size; n++)
            accepted += try_read(inputs[i].bytes, n);
        /* Only a cut between sections can leave a module, and a file has few of these. */
        assert_in_range(accepted, 0, 64);
    }
}

static uint32_t read_u32(const uint8_t *p, size_t *out_length) {
    uint32_t v = 0;
    size_t i = 0;
    do
        v |= (uint32_t)(p[i] & 0x7f) << (7 * i);
    while (p[i++] & 0x80);
    *out_length = i;
    return v;
}

static void test_cut_and_repaired(void **state) {
    (void)state;
    for (int i = 0; i < ninputs; i++) {
        const uint8_t *bytes = inputs[i].bytes;
        size_t size = inputs[i].size, step = size / MAX_REPAIRED_CUTS + 1;
        for (size_t at = 8; at < size;) {
            size_t length, first = at + 1;
            uint32_t content = read_u32(bytes + first, &length);
            first += length;
            for (size_t n = 0; n < content; n += step) {
                struct strbuf cut = {0};
                strbuf_add_bytes(&cut, bytes, at + 1);
                put_u32(&cut, (uint32_t)n);
                strbuf_add_bytes(&cut, bytes + first, n);
                strbuf_add_bytes(&cut, bytes + first + content, size - first - content);
                try_read(cut.data, cut.len);
                strbuf_free(&cut);
            }
            at = first + content;
        }
    }
}

static void test_mutations(void **state) {
    (void)state;
    size_t accepted = 0, tried = 0;
    for (int i = 0; i < ninputs; i++) {
        if (inputs[i].size > MAX_MUTATED_BYTES)
            continue;
        random_state = 0x9e3779b97f4a7c15 + (uint64_t)i;
        uint8_t *copy = malloc(inputs[i].size);
        assert_non_null(copy);
        for (int k = 0; k < MUTATIONS; k++) {
            memcpy(copy, inputs[i].bytes, inputs[i].size);
            unsigned changes = 1 + next_random() % 4;
            for (unsigned c = 0; c < changes; c++) {
                size_t at = 8 + next_random() % (inputs[i].size - 8);
                uint64_t r = next_random();
                copy[at] = r & 1 ? (uint8_t)(r >> 8) : copy[at] ^ (uint8_t)(1u << (r >> 8 & 7));
            }
            accepted += try_read(copy, inputs[i].size);
            tried++;
        }
        free(copy);
    }
    print_message("%zu of %zu mutants are still valid modules\n", accepted, tried);
}

int main(int argc, char **argv) {
    bool cuts_only = argc > 1 && strcmp(argv[1], "--cuts-only") == 0;
    argv += cuts_only;
    argc -= cuts_only;
    inputs = calloc((size_t)argc, sizeof *inputs);
    for (int i = 1; inputs && i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        struct strbuf content = {0};
        char block[4096];
        size_t n;
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        while ((n = fread(block, 1, sizeof block, f)) > 0)
            strbuf_add_bytes(&content, block, n);
        fclose(f);
        inputs[ninputs++] = (struct input){argv[i], (uint8_t *)content.data, content.len};
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut_everywhere),
    };
    const struct CMUnitTest deeper[] = {
        cmocka_unit_test(test_cut_and_repaired),
        cmocka_unit_test(test_mutations),
    };
    int failed = cmocka_run_group_tests_name("cuts", tests, NULL, NULL);
    if (!cuts_only)
        failed += cmocka_run_group_tests_name("damage", deeper, NULL, NULL);
    for (int i = 0; i < ninputs; i++)
        free(inputs[i].bytes);
    free(inputs);
    return failed;
}
