/* Growable byte string.  Capacity doubles, so that adding n bytes one by one costs O(n). */
#include "ir/util/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct strbuf *s, size_t more) {
    if (s->cap - s->len > more)
        return;
    size_t cap = s->cap ? s->cap : 64;
    while (cap - s->len <= more) {
        if (cap > SIZE_MAX / 2) {
            fprintf(stderr, "wasmetal: out of memory\n");
            exit(70);
        }
        cap *= 2;
    }
    char *p = realloc(s->data, cap);
    if (!p) {
        fprintf(stderr, "wasmetal: out of memory (%zu bytes of text)\n", cap);
        exit(70);
    }
    s->data = p;
    s->cap = cap;
}

void strbuf_add_bytes(struct strbuf *s, const void *bytes, size_t n) {
    reserve(s, n);
    if (n)
        memcpy(s->data + s->len, bytes, n);
    s->len += n;
    s->data[s->len] = 0;
}

void strbuf_add(struct strbuf *s, const char *text) {
    strbuf_add_bytes(s, text, strlen(text));
}

void strbuf_vprintf(struct strbuf *s, const char *fmt, va_list ap) {
    va_list again;
    va_copy(again, ap);
    reserve(s, 64);
    int n = vsnprintf(s->data + s->len, s->cap - s->len, fmt, ap);
    if (n > 0) {
        if ((size_t)n >= s->cap - s->len) {
            reserve(s, (size_t)n);
            vsnprintf(s->data + s->len, s->cap - s->len, fmt, again);
        }
        s->len += (size_t)n;
    }
    va_end(again);
}

void strbuf_printf(struct strbuf *s, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    strbuf_vprintf(s, fmt, ap);
    va_end(ap);
}

/* Length of the UTF-8 sequence at `p` (n bytes left), 0 when it is invalid: overlong forms, surrogates and code points
 * past U+10FFFF are (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *p, size_t n) {
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
        return 0;
    unsigned char lo = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char hi = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

void strbuf_add_json(struct strbuf *s, const char *text, size_t n) {
    const unsigned char *p = (const unsigned char *)text;
    strbuf_add_bytes(s, "\"", 1);
    for (size_t i = 0; i < n;) {
        size_t len = utf8_length(p + i, n - i);
        if (!len) {
            strbuf_add(s, "\\ufffd");
            i++;
            continue;
        }
        if (p[i] == '"' || p[i] == '\\')
            strbuf_printf(s, "\\%c", p[i]);
        else if (p[i] == '\n')
            strbuf_add(s, "\\n");
        else if (p[i] < 0x20 || p[i] == 0x7f)
            strbuf_printf(s, "\\u%04x", p[i]);
        else
            strbuf_add_bytes(s, p + i, len);
        i += len;
    }
    strbuf_add_bytes(s, "\"", 1);
}

void strbuf_free(struct strbuf *s) {
    free(s->data);
    *s = (struct strbuf){0};
}
