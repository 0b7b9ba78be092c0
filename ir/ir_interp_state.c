/* The interpreter's instance state: memories, tables, globals and segments, and the bulk operations on them.  Every
 * operation checks its whole range before it changes anything, as Wasm's bulk operations do. */
#include <stdlib.h>
#include <string.h>

#include "ir/ir_eval.h"
#include "ir/ir_interp_impl.h"

enum { PAGE = 65536 };
/* 4 GiB for 32-bit memories (the specification's limit); for 64-bit ones what this interpreter is willing to hold. */
static const uint64_t max_pages32 = 65536, max_pages64 = UINT64_C(1) << 20;
static const uint64_t max_table = 10000000; /* the JavaScript API's implementation limit */

static bool in_range(uint64_t at, uint64_t n, uint64_t size) {
    return at <= size && n <= size - at;
}

static void eval_init(const struct ir_interp *in, const struct ir_init *init, union ir_bits *out) {
    memset(out, 0, sizeof *out);
    if (init->op == IR_GLOBAL_GET)
        *out = in->globals[init->index];
    else if (init->op == IR_REF_FUNC)
        out->i64 = (uint64_t)init->index + 1;
    else if (ir_init_is_arithmetic(init->op)) {
        union ir_bits args[2];
        eval_init(in, &init->args[0], &args[0]);
        eval_init(in, &init->args[1], &args[1]);
        ir_eval_simple(init->op, args, out);
    } else if (init->op != IR_REF_NULL)
        *out = init->bits;
}

bool interp_state_new(struct ir_interp *in) {
    const struct ir_module *m = in->module;
    in->memories = calloc((size_t)m->nmemories + 1, sizeof *in->memories);
    in->tables = calloc((size_t)m->ntables + 1, sizeof *in->tables);
    in->globals = calloc((size_t)m->nglobals + 1, sizeof *in->globals);
    in->data_dropped = calloc((size_t)m->ndatas + 1, 1);
    in->elem_dropped = calloc((size_t)m->nelems + 1, 1);
    if (!in->memories || !in->tables || !in->globals || !in->data_dropped || !in->elem_dropped)
        return false;
    for (uint32_t k = 0; k < m->nmemories; k++) {
        const struct ir_limits *l = &m->memories[k].limits;
        struct interp_memory *memory = &in->memories[k];
        uint64_t most = l->is64 ? max_pages64 : max_pages32;
        memory->max_pages = l->has_max && l->max < most ? l->max : most;
        if (l->min > most)
            return false;
        memory->bytes = l->min * PAGE;
        memory->base = calloc(1, memory->bytes ? memory->bytes : 1);
        if (!memory->base)
            return false;
    }
    for (uint32_t k = 0; k < m->ntables; k++) {
        const struct ir_limits *l = &m->tables[k].limits;
        struct interp_table *table = &in->tables[k];
        table->max = l->has_max && l->max < max_table ? l->max : max_table;
        if (l->min > max_table || (l->min && interp_table_grow(in, k, 0, l->min) == UINT64_MAX))
            return false;
    }
    for (uint32_t k = 0; k < m->nglobals; k++)
        if (!m->globals[k].import.module)
            eval_init(in, &m->globals[k].init, &in->globals[k]);
    return true;
}

void interp_state_free(struct ir_interp *in) {
    for (uint32_t k = 0; in->memories && k < in->module->nmemories; k++)
        free(in->memories[k].base);
    for (uint32_t k = 0; in->tables && k < in->module->ntables; k++)
        free(in->tables[k].refs);
    free(in->memories);
    free(in->tables);
    free(in->globals);
    free(in->data_dropped);
    free(in->elem_dropped);
}

enum ir_trap interp_state_init(struct ir_interp *in) {
    const struct ir_module *m = in->module;
    for (uint32_t k = 0; k < m->nelems; k++) {
        const struct ir_elem *e = &m->elems[k];
        union ir_bits at;
        if (e->mode == IR_SEGMENT_ACTIVE) {
            eval_init(in, &e->offset, &at);
            enum ir_trap trap = interp_table_init(in, e->table, k, at.i32, 0, e->nitems);
            if (trap)
                return trap;
        }
        in->elem_dropped[k] = e->mode != IR_SEGMENT_PASSIVE;
    }
    for (uint32_t k = 0; k < m->ndatas; k++) {
        const struct ir_data *d = &m->datas[k];
        union ir_bits at;
        if (d->mode == IR_SEGMENT_ACTIVE) {
            eval_init(in, &d->offset, &at);
            uint64_t dst = m->memories[d->memory].limits.is64 ? at.i64 : at.i32;
            enum ir_trap trap = interp_memory_init(in, d->memory, k, dst, 0, d->size);
            if (trap)
                return trap;
            in->data_dropped[k] = true;
        }
    }
    return IR_TRAP_NONE;
}

uint64_t interp_memory_grow(struct ir_interp *in, uint32_t index, uint64_t pages) {
    struct interp_memory *m = &in->memories[index];
    uint64_t old = m->bytes / PAGE;
    if (pages > m->max_pages || old > m->max_pages - pages)
        return UINT64_MAX;
    if (pages) {
        /* calloc, not realloc and memset: untouched pages then cost nothing. */
        uint8_t *base = calloc(1, (old + pages) * PAGE);
        if (!base)
            return UINT64_MAX;
        memcpy(base, m->base, m->bytes);
        free(m->base);
        m->base = base;
        m->bytes = (old + pages) * PAGE;
    }
    return old;
}

enum ir_trap interp_memory_copy(struct ir_interp *in, uint32_t to, uint32_t from, uint64_t dst, uint64_t src,
                                uint64_t n) {
    if (!in_range(dst, n, in->memories[to].bytes) || !in_range(src, n, in->memories[from].bytes))
        return IR_TRAP_MEMORY_BOUNDS;
    memmove(in->memories[to].base + dst, in->memories[from].base + src, n);
    return IR_TRAP_NONE;
}

enum ir_trap interp_memory_fill(struct ir_interp *in, uint32_t memory, uint64_t dst, uint8_t byte, uint64_t n) {
    if (!in_range(dst, n, in->memories[memory].bytes))
        return IR_TRAP_MEMORY_BOUNDS;
    memset(in->memories[memory].base + dst, byte, n);
    return IR_TRAP_NONE;
}

enum ir_trap interp_memory_init(struct ir_interp *in, uint32_t memory, uint32_t segment, uint64_t dst, uint64_t src,
                                uint64_t n) {
    const struct ir_data *d = &in->module->datas[segment];
    uint64_t size = in->data_dropped[segment] ? 0 : d->size;
    if (!in_range(src, n, size) || !in_range(dst, n, in->memories[memory].bytes))
        return IR_TRAP_MEMORY_BOUNDS;
    if (n)
        memcpy(in->memories[memory].base + dst, d->bytes + src, n);
    return IR_TRAP_NONE;
}

uint64_t interp_table_grow(struct ir_interp *in, uint32_t index, uint64_t ref, uint64_t n) {
    struct interp_table *t = &in->tables[index];
    if (n > t->max || t->size > t->max - n)
        return UINT64_MAX;
    uint64_t old = t->size, size = old + n;
    if (size > t->cap) {
        uint64_t *refs = realloc(t->refs, size * sizeof *refs);
        if (!refs)
            return UINT64_MAX;
        t->refs = refs;
        t->cap = size;
    }
    t->size = size;
    for (uint64_t k = old; k < size; k++)
        t->refs[k] = ref;
    return old;
}

enum ir_trap interp_table_fill(struct ir_interp *in, uint32_t table, uint64_t dst, uint64_t ref, uint64_t n) {
    struct interp_table *t = &in->tables[table];
    if (!in_range(dst, n, t->size))
        return IR_TRAP_TABLE_BOUNDS;
    for (uint64_t k = 0; k < n; k++)
        t->refs[dst + k] = ref;
    return IR_TRAP_NONE;
}

enum ir_trap interp_table_copy(struct ir_interp *in, uint32_t to, uint32_t from, uint64_t dst, uint64_t src,
                               uint64_t n) {
    if (!in_range(dst, n, in->tables[to].size) || !in_range(src, n, in->tables[from].size))
        return IR_TRAP_TABLE_BOUNDS;
    if (n)
        memmove(in->tables[to].refs + dst, in->tables[from].refs + src, n * sizeof(uint64_t));
    return IR_TRAP_NONE;
}

enum ir_trap interp_table_init(struct ir_interp *in, uint32_t table, uint32_t segment, uint64_t dst, uint64_t src,
                               uint64_t n) {
    const struct ir_elem *e = &in->module->elems[segment];
    uint64_t size = in->elem_dropped[segment] ? 0 : e->nitems;
    if (!in_range(src, n, size) || !in_range(dst, n, in->tables[table].size))
        return IR_TRAP_TABLE_BOUNDS;
    for (uint64_t k = 0; k < n; k++) {
        union ir_bits ref;
        eval_init(in, &e->items[src + k], &ref);
        in->tables[table].refs[dst + k] = ref.i64;
    }
    return IR_TRAP_NONE;
}
