/* See const_tables.h.
 *
 * A table is constant when nobody outside can reach it (it is neither imported nor exported), no instruction writes
 * one, and what fills it when the module starts is known. */
#include "ir/analysis/const_tables.h"

enum { MAX_SLOTS = 65536 };

struct table {
    uint32_t size;
    uint32_t *funcs; /* by slot */
};

struct const_tables {
    struct table *tables;
};

static bool writes_tables(const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_TABLE_SET || i->op == IR_TABLE_GROW || i->op == IR_TABLE_FILL || i->op == IR_TABLE_COPY ||
            i->op == IR_TABLE_INIT)
            return true;
        ir_foreach_region (inner, i)
            if (writes_tables(inner))
                return true;
    }
    return false;
}

static bool is_reachable(const struct ir_module *m, uint32_t table) {
    if (m->tables[table].import.module || m->tables[table].type != IR_FUNCREF)
        return true;
    for (uint32_t k = 0; k < m->nexports; k++)
        if (m->exports[k].kind == IR_EXTERN_TABLE && m->exports[k].index == table)
            return true;
    return false;
}

/* Later segments overwrite earlier ones, as at start. */
static bool fill(const struct ir_module *m, uint32_t table, struct table *t) {
    for (uint32_t k = 0; k < m->nelems; k++) {
        const struct ir_elem *e = &m->elems[k];
        if (e->mode != IR_SEGMENT_ACTIVE || e->table != table)
            continue;
        if (e->offset.op != IR_I32_CONST || e->offset.bits.i32 > t->size || e->nitems > t->size - e->offset.bits.i32)
            return false;
        for (uint32_t i = 0; i < e->nitems; i++) {
            if (e->items[i].op != IR_REF_FUNC && e->items[i].op != IR_REF_NULL)
                return false;
            t->funcs[e->offset.bits.i32 + i] = e->items[i].op == IR_REF_FUNC ? e->items[i].index : UINT32_MAX;
        }
    }
    return true;
}

struct const_tables *const_tables_new(struct arena *arena, const struct ir_module *m) {
    struct const_tables *all = arena_new(arena, struct const_tables);
    all->tables = arena_array(arena, struct table, m->ntables + 1);
    for (uint32_t k = m->nfunc_imports; m->ntables && k < m->nfuncs; k++)
        if (m->funcs[k].func->body && writes_tables(m->funcs[k].func->body))
            return all;
    for (uint32_t k = 0; k < m->ntables; k++) {
        struct table *t = &all->tables[k];
        if (is_reachable(m, k) || m->tables[k].limits.min > MAX_SLOTS)
            continue;
        t->size = (uint32_t)m->tables[k].limits.min;
        t->funcs = arena_array(arena, uint32_t, t->size + 1);
        for (uint32_t i = 0; i < t->size; i++)
            t->funcs[i] = UINT32_MAX;
        if (!fill(m, k, t))
            t->size = 0;
    }
    return all;
}

uint32_t const_tables_size(const struct const_tables *t, uint32_t table) {
    return t->tables[table].size;
}

uint32_t const_tables_func(const struct const_tables *t, uint32_t table, uint32_t slot) {
    return t->tables[table].funcs[slot];
}
