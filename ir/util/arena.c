/* Arena: a list of chunks, newest first.  Chunks double in size from 4 KiB to 1 MiB, so that a module of ten thousand
 * tiny functions stays small and a huge function makes few system calls.  Oversized requests get a chunk of their own
 * size.  Each allocation is cleared when it is handed out, because reset memory is used again. */
#include "ir/util/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CHUNK = 4096, LAST_CHUNK = 1 << 20, ALIGNMENT = 16 };

struct arena_chunk {
    struct arena_chunk *prev;
    size_t used, cap;
    size_t pad;
    unsigned char bytes[];
};

_Static_assert(sizeof(struct arena_chunk) % ALIGNMENT == 0, "the payload must start aligned");

static _Noreturn void arena_out_of_memory(size_t bytes) {
    fprintf(stderr, "wasmetal: out of memory (%zu more bytes)\n", bytes);
    exit(70);
}

void *arena_alloc(struct arena *a, size_t bytes) {
    if (bytes > SIZE_MAX / 2)
        arena_out_of_memory(bytes);
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_chunk *c = a->chunk;
    if (!c || c->cap - c->used < bytes) {
        size_t cap = c ? c->cap * 2 : FIRST_CHUNK;
        if (cap > LAST_CHUNK)
            cap = LAST_CHUNK;
        cap -= c ? 0 : sizeof *c;
        if (cap < bytes)
            cap = bytes;
        c = malloc(sizeof *c + cap);
        if (!c)
            arena_out_of_memory(bytes);
        c->prev = a->chunk;
        c->used = 0;
        c->cap = cap;
        a->chunk = c;
    }
    void *p = c->bytes + c->used;
    c->used += bytes;
    a->used += bytes;
    return memset(p, 0, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t n) {
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    return p;
}

char *arena_strdup(struct arena *a, const char *s) {
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        arena_out_of_memory(0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

struct arena_mark arena_mark(const struct arena *a) {
    return (struct arena_mark){.chunk = a->chunk, .chunk_used = a->chunk ? a->chunk->used : 0, .used = a->used};
}

void arena_reset(struct arena *a, struct arena_mark mark) {
    while (a->chunk != mark.chunk) {
        struct arena_chunk *prev = a->chunk->prev;
        free(a->chunk);
        a->chunk = prev;
    }
    if (a->chunk)
        a->chunk->used = mark.chunk_used;
    a->used = mark.used;
}

void arena_free(struct arena *a) {
    arena_reset(a, (struct arena_mark){0});
}

void *arena_grow(struct arena *a, const void *old, size_t elem, uint32_t count, uint32_t *cap) {
    if (*cap > UINT32_MAX / 2)
        arena_out_of_memory(SIZE_MAX);
    uint32_t want = *cap < 4 ? 8 : *cap * 2;
    void *p = arena_alloc(a, elem * want);
    if (count)
        memcpy(p, old, elem * count);
    *cap = want;
    return p;
}
