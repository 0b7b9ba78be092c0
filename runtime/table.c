/* Tables: arrays of references whose address never moves.  The maximum is mapped up front; the system gives pages as
 * entries are written, so a large maximum costs only address space. */
#include "runtime/instance.h"

#include <stdlib.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/* What other engines allow (V8, Wasmtime): ten million elements. */
#define DEFAULT_MAX UINT64_C(10000000)

wasmetal_status rt_table_open(const struct wm_limits *limits, char type, uint64_t cap, struct rt_table **out_table) {
    uint64_t max = cap ? cap : DEFAULT_MAX;
    if (limits->max < max) {
        max = limits->max;
    }
    if (limits->min > max || max > UINT32_MAX) {
        return WASMETAL_ERROR_LIMIT;
    }
    struct rt_table *t = calloc(1, sizeof *t);
    if (!t) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    t->mapped = (max ? max : 1) * sizeof(void *);
    void *p = mmap(NULL, t->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        free(t);
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    t->pub.entries = p;
    t->pub.size = limits->min;
    t->pub.max = max;
    t->pub.owner = t;
    t->min = limits->min;
    t->declared_max = limits->max;
    t->type = type;
    *out_table = t;
    return WASMETAL_OK;
}

void rt_table_close(struct rt_table *t) {
    if (t) {
        munmap(t->pub.entries, t->mapped);
        free(t);
    }
}
