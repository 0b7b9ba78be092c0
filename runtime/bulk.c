/* Bulk memory and table operations that compiled code calls.  All check the whole range first and trap before the first
 * byte moves.  Addresses and counts are of 64 bits; those of 32-bit memories come zero-extended. */
#include "runtime/instance.h"

#include <string.h>

static bool outside(uint64_t start, uint64_t n, uint64_t size) {
    return start > size || n > size - start;
}

uint64_t wm_rt_memory_grow(struct wm_vmctx *ctx, uint64_t memory, uint64_t pages) {
    if (!rt_host_begin(RT_HOST_STACK)) {
        wm_rt_trap(ctx, IR_TRAP_STACK_EXHAUSTED, UINT64_MAX);
    }
    uint64_t old = rt_memory_grow(ctx->memories[memory]->owner, ctx->instance->group, pages, NULL);
    rt_host_end();
    return old;
}

void wm_rt_memory_copy(struct wm_vmctx *ctx, uint64_t dst_memory, uint64_t src_memory, uint64_t dst, uint64_t src,
                       uint64_t n, uint64_t where) {
    struct wm_memory *to = ctx->memories[dst_memory], *from = ctx->memories[src_memory];
    if (outside(dst, n, rt_memory_bytes(to)) || outside(src, n, rt_memory_bytes(from))) {
        wm_rt_trap(ctx, IR_TRAP_MEMORY_BOUNDS, where);
    }
    memmove(to->base + dst, from->base + src, n);
}

void wm_rt_memory_fill(struct wm_vmctx *ctx, uint64_t memory, uint64_t dst, uint64_t byte, uint64_t n, uint64_t where) {
    struct wm_memory *m = ctx->memories[memory];
    if (outside(dst, n, rt_memory_bytes(m))) {
        wm_rt_trap(ctx, IR_TRAP_MEMORY_BOUNDS, where);
    }
    memset(m->base + dst, (int)(byte & 0xff), n);
}

void wm_rt_memory_init(struct wm_vmctx *ctx, uint64_t memory, uint64_t segment, uint64_t dst, uint64_t src, uint64_t n,
                       uint64_t where) {
    struct wm_memory *m = ctx->memories[memory];
    const struct wm_data_desc *d = &ctx->module->datas[segment];
    uint64_t size = ctx->instance->dropped_datas[segment] ? 0 : d->size;
    if (outside(dst, n, rt_memory_bytes(m)) || outside(src, n, size)) {
        wm_rt_trap(ctx, IR_TRAP_MEMORY_BOUNDS, where);
    }
    if (n) {
        memcpy(m->base + dst, d->bytes + src, n);
    }
}

void wm_rt_data_drop(struct wm_vmctx *ctx, uint64_t segment) {
    ctx->instance->dropped_datas[segment] = 1;
}

uint64_t wm_rt_table_grow(struct wm_vmctx *ctx, uint64_t table, void *value, uint64_t n) {
    struct wm_table *t = ctx->tables[table];
    uint64_t old = t->size;
    if (n > t->max - old) {
        return WM_NONE;
    }
    for (uint64_t i = 0; i < n; i++) {
        t->entries[old + i] = value;
    }
    t->size = old + n;
    return old;
}

void wm_rt_table_fill(struct wm_vmctx *ctx, uint64_t table, uint64_t dst, void *value, uint64_t n, uint64_t where) {
    struct wm_table *t = ctx->tables[table];
    if (outside(dst, n, t->size)) {
        wm_rt_trap(ctx, IR_TRAP_TABLE_BOUNDS, where);
    }
    for (uint64_t i = 0; i < n; i++) {
        t->entries[dst + i] = value;
    }
}

void wm_rt_table_copy(struct wm_vmctx *ctx, uint64_t dst_table, uint64_t src_table, uint64_t dst, uint64_t src,
                      uint64_t n, uint64_t where) {
    struct wm_table *to = ctx->tables[dst_table], *from = ctx->tables[src_table];
    if (outside(dst, n, to->size) || outside(src, n, from->size)) {
        wm_rt_trap(ctx, IR_TRAP_TABLE_BOUNDS, where);
    }
    memmove(to->entries + dst, from->entries + src, n * sizeof(void *));
}

void wm_rt_table_init(struct wm_vmctx *ctx, uint64_t table, uint64_t segment, uint64_t dst, uint64_t src, uint64_t n,
                      uint64_t where) {
    struct wm_table *t = ctx->tables[table];
    const struct wm_elem_desc *e = &ctx->module->elems[segment];
    uint64_t size = ctx->instance->dropped_elems[segment] ? 0 : e->nitems;
    if (outside(dst, n, t->size) || outside(src, n, size)) {
        wm_rt_trap(ctx, IR_TRAP_TABLE_BOUNDS, where);
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t hi;
        t->entries[dst + i] = rt_reference_of(rt_init_value(ctx->instance, &e->items[src + i], &hi));
    }
}

void wm_rt_elem_drop(struct wm_vmctx *ctx, uint64_t segment) {
    ctx->instance->dropped_elems[segment] = 1;
}

uint64_t wm_rt_launch(struct wm_vmctx *ctx, uint64_t kernel, const uint64_t *slots, uint64_t *out_trips) {
    /* Drivers compile on our stack; a launch that does not happen is always right. */
    if (!ctx->instance->offload || !rt_host_begin((size_t)512 << 10)) {
        return 0;
    }
    uint64_t launched = wm_offload_launch(ctx->instance->offload, kernel, slots, out_trips);
    rt_host_end();
    if (launched == WM_LAUNCH_LOST) {
        const struct wm_kernel *k = &ctx->module->kernels[kernel];
        wm_rt_trap(ctx, IR_TRAP_HOST, k->func << 32 | k->wasm_offset);
    }
    return launched;
}
