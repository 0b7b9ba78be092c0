/* Bump allocator with mark and reset.
 *
 * Three lifetimes use it: module, function and pass scratch.  Nothing is freed one by one; dropping the arena frees
 * all.  Memory is zeroed.  Running out of memory ends the process through `arena_out_of_memory` (exit code 70), so no
 * caller checks for NULL.
 *
 * Thread rules: an arena belongs to one thread at a time.
 */
#ifndef WASMETAL_IR_UTIL_ARENA_H
#define WASMETAL_IR_UTIL_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest chunk, owned */
    size_t used;               /* bytes handed out, all chunks */
};

struct arena_mark {
    struct arena_chunk *chunk;
    size_t chunk_used;
    size_t used;
};

/* `struct arena a = {0};` is a valid empty arena. */
void *arena_alloc(struct arena *a, size_t bytes); /* zeroed, aligned to 16 */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct arena_mark arena_mark(const struct arena *a);
void arena_reset(struct arena *a, struct arena_mark mark); /* frees everything allocated after `mark` */
void arena_free(struct arena *a);                          /* leaves an empty arena */

#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

/* Growable array in an arena: `arena_push(a, ptr, count, cap)` makes room for one more element and returns a pointer to
 * it; ptr, count and cap are lvalues of the caller's.  The old storage stays in the arena until it is dropped. */
#define arena_push(a, ptr, count, cap)                                                                  \
    ((void)((count) < (cap) ? 0 : ((ptr) = arena_grow((a), (ptr), sizeof *(ptr), (count), &(cap)), 0)), \
     &(ptr)[(count)++])
void *arena_grow(struct arena *a, const void *old, size_t elem, uint32_t count, uint32_t *cap);

#endif
