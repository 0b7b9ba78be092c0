/* Growable byte string on the heap.  `struct strbuf s = {0};` is empty; `strbuf_free` releases it. */
#ifndef WASMETAL_IR_UTIL_STRBUF_H
#define WASMETAL_IR_UTIL_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

struct strbuf {
    char *data; /* NUL-terminated once anything was added, owned */
    size_t len, cap;
};

void strbuf_add(struct strbuf *s, const char *text);
void strbuf_add_bytes(struct strbuf *s, const void *bytes, size_t n);
void strbuf_printf(struct strbuf *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* JSON string literal of `text` (n bytes), quotes included; invalid UTF-8 becomes U+FFFD. */
void strbuf_add_json(struct strbuf *s, const char *text, size_t n);
void strbuf_free(struct strbuf *s);

#endif
