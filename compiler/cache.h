/* Compiled objects of `wasmetal run`, kept on disk.
 *
 * An entry is found under a 128-bit xxHash of everything that decides its bytes: the module, the options, the compiler
 * (version and its own executable) and the processor.  A cache never makes a run fail: what goes wrong is a debug line.
 */
#ifndef WASMETAL_COMPILER_CACHE_H
#define WASMETAL_COMPILER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_key {
    uint64_t low, high;
};

struct cache_key_part {
    const void *bytes;
    size_t size;
};

/* Parts are hashed with their lengths, so that ("ab", "c") differs from ("a", "bc"). */
struct cache_key cache_key_make(const struct cache_key_part *parts, unsigned n);

struct cache; /* one folder */
/* $WASMETAL_CACHE_DIR, $XDG_CACHE_HOME/wasmetal, else $HOME/.cache/wasmetal.  NULL when there is no such place or it is
 * not safe: entries are native code, so the folder must be the user's own and closed to writing by others. */
struct cache *cache_open(void);
void cache_close(struct cache *c);
/* The entry (malloc'd), or false; an entry whose checksum is wrong is removed. */
bool cache_load(struct cache *c, struct cache_key key, uint8_t **out_bytes, size_t *out_size);
/* Replaces the entry in one step, and removes the oldest ones when the folder grew past WASMETAL_CACHE_MB (1,024). */
void cache_store(struct cache *c, struct cache_key key, const uint8_t *bytes, size_t size);
/* A hash of this program's own file; 0 when it cannot be read. */
uint64_t cache_self_hash(void);

#endif
