/* Writing binary modules byte by byte, also wrong ones, for the fault tests.  Header only. */
#ifndef WASMETAL_TESTS_WASM_WRITER_H
#define WASMETAL_TESTS_WASM_WRITER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ir/util/strbuf.h"

static inline void put_byte(struct strbuf *w, uint8_t byte) {
    strbuf_add_bytes(w, &byte, 1);
}

static inline void put_u32(struct strbuf *w, uint32_t v) {
    do {
        put_byte(w, (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0)));
        v >>= 7;
    } while (v);
}

static inline void put_repeated(struct strbuf *w, const void *bytes, size_t n, size_t times) {
    for (size_t i = 0; i < times; i++)
        strbuf_add_bytes(w, bytes, n);
}

static inline void put_header(struct strbuf *w) {
    strbuf_add_bytes(w, "\0asm\1\0\0\0", 8);
}

/* Appends a section with `content`, and empties `content`. */
static inline void put_section(struct strbuf *w, uint8_t id, struct strbuf *content) {
    put_byte(w, id);
    put_u32(w, (uint32_t)content->len);
    strbuf_add_bytes(w, content->data ? content->data : "", content->len);
    content->len = 0;
}

/* A type section with the one type () -> (). */
static inline void put_void_type(struct strbuf *w) {
    strbuf_add_bytes(w, "\1\4\1\x60\0\0", 6);
}

/* Function and code section for one function of type 0 whose body (locals, code, end) is `body`; empties it. */
static inline void put_one_function(struct strbuf *w, struct strbuf *body) {
    strbuf_add_bytes(w, "\3\2\1\0", 4);
    struct strbuf code = {0};
    put_u32(&code, 1);
    put_u32(&code, (uint32_t)body->len);
    strbuf_add_bytes(&code, body->data, body->len);
    put_section(w, 10, &code);
    strbuf_free(&code);
    body->len = 0;
}

#endif
