/* Tables of names; see names.h. */
#include "runtime/names.h"

bool rt_names_new(struct wasmetal_instance *in, size_t n, struct rt_names *out) {
    size_t capacity = 8;
    if (n > UINT32_MAX / 4) {
        return false;
    }
    while (capacity < 2 * n) {
        capacity *= 2;
    }
    uint32_t *slots = rt_alloc(in, capacity, sizeof *slots);
    *out = (struct rt_names){slots, capacity - 1};
    return slots != NULL;
}

/* FNV-1a, 64 bits (RFC 9923). */
static uint64_t hash_on(uint64_t hash, const char *text) {
    for (; text && *text; text++) {
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    }
    return hash;
}

uint64_t rt_names_hash(const char *first, const char *second) {
    uint64_t hash = hash_on(UINT64_C(0xcbf29ce484222325), first);
    return second ? hash_on((hash ^ 0xff) * UINT64_C(0x100000001b3), second) : hash; /* 0xff: in no UTF-8 */
}

void rt_names_add(struct rt_names *names, uint64_t hash, size_t index) {
    while (names->slots[hash & names->mask]) {
        hash++;
    }
    names->slots[hash & names->mask] = (uint32_t)index + 1;
}

size_t rt_names_next(const struct rt_names *names, uint64_t *at) {
    uint32_t slot = names->slots[(*at)++ & names->mask];
    return slot ? slot - 1 : SIZE_MAX;
}
