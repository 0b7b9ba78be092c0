/* Finding by name: tables over lists that somebody else owns, so that thousands of imports and exports are looked up in
 * one step each. */
#ifndef WASMETAL_RUNTIME_NAMES_H
#define WASMETAL_RUNTIME_NAMES_H

#include "runtime/instance.h"

/* Open addressing; a slot holds one more than an index into the list, 0: empty.  Equal names are met in list order. */
struct rt_names {
    uint32_t *slots;
    size_t mask;
};

/* Room for n names.  False when the instance's allocator refuses. */
bool rt_names_new(struct wasmetal_instance *in, size_t n, struct rt_names *out);
uint64_t rt_names_hash(const char *first, const char *second); /* either may be NULL */
void rt_names_add(struct rt_names *names, uint64_t hash, size_t index);
/* The next index whose name may have the hash, from *at on, which starts as the hash; SIZE_MAX: no more. */
size_t rt_names_next(const struct rt_names *names, uint64_t *at);

#endif
