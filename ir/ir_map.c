/* Value and label map, and cloning through it.  One open-addressing table keyed by pointer serves both: values and
 * instructions are distinct objects, so their addresses cannot meet. */
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_immediates.h"
#include "ir/util/ice.h"

struct entry {
    const void *from;
    void *to;
};

struct ir_map {
    struct arena *arena;
    struct entry *entries;
    uint32_t count, cap; /* cap is a power of two */
};

struct ir_map *ir_map_new(struct arena *scratch) {
    struct ir_map *m = arena_new(scratch, struct ir_map);
    m->arena = scratch;
    m->cap = 64;
    m->entries = arena_array(scratch, struct entry, m->cap);
    return m;
}

static struct entry *find(const struct ir_map *m, const void *from) {
    /* Addresses are multiples of 16; the odd factor is 2^64 / golden ratio (Knuth, TAOCP 3, 6.4). */
    uint64_t h = (uint64_t)(uintptr_t)from * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t at = (uint32_t)(h >> 32) & (m->cap - 1);; at = (at + 1) & (m->cap - 1))
        if (!m->entries[at].from || m->entries[at].from == from)
            return &m->entries[at];
}

static void set(struct ir_map *m, const void *from, void *to) {
    if (m->count * 2 >= m->cap) {
        struct entry *old = m->entries;
        uint32_t old_cap = m->cap;
        m->cap *= 2;
        m->entries = arena_array(m->arena, struct entry, m->cap);
        for (uint32_t k = 0; k < old_cap; k++)
            if (old[k].from)
                *find(m, old[k].from) = old[k];
    }
    struct entry *e = find(m, from);
    m->count += !e->from;
    *e = (struct entry){from, to};
}

void ir_map_set(struct ir_map *m, const struct ir_value *from, struct ir_value *to) {
    set(m, from, to);
}
void ir_map_set_label(struct ir_map *m, const struct ir_inst *from, struct ir_inst *to) {
    set(m, from, to);
}

struct ir_value *ir_map_get(const struct ir_map *m, struct ir_value *v) {
    const struct entry *e = find(m, v);
    return e->from ? e->to : v;
}

static struct ir_inst *map_label(const struct ir_map *m, struct ir_inst *label) {
    const struct entry *e = find(m, label);
    return e->from ? e->to : label;
}

static struct ir_region *clone_region(struct ir_func *f, const struct ir_region *from, struct ir_inst *parent,
                                      struct ir_map *m) {
    struct ir_region *to = ir_region_new(f, parent);
    for (uint32_t k = 0; k < from->nparams; k++)
        ir_map_set(m, from->params[k], ir_region_add_param(to, from->params[k]->type));
    struct ir_builder b = ir_builder_at_end(to);
    ir_foreach_inst (i, from)
        ir_clone_inst(&b, i, m);
    return to;
}

struct ir_inst *ir_clone_inst(struct ir_builder *b, const struct ir_inst *i, struct ir_map *m) {
    uint32_t saved_offset = b->wasm_offset;
    b->wasm_offset = i->wasm_offset;
    struct ir_inst *copy = ir_build(b, (enum ir_op)i->op, NULL, 0, i->operands, i->noperands);
    b->wasm_offset = saved_offset;
    struct ir_func *f = b->func;
    for (uint32_t k = 0; k < i->noperands; k++)
        copy->operands[k] = ir_map_get(m, i->operands[k]);
    if (i->nresults) {
        copy->results = arena_array(&f->arena, struct ir_value, i->nresults);
        copy->nresults = i->nresults;
        for (uint32_t k = 0; k < i->nresults; k++) {
            copy->results[k] =
                (struct ir_value){.type = i->results[k].type, .id = f->next_id++, .index = k, .def = copy};
            ir_map_set(m, &i->results[k], &copy->results[k]);
        }
    }
    copy->index = i->index;
    copy->index2 = i->index2;
    copy->ntargets = i->ntargets;
    if (ir_nregions(i)) {
        ir_map_set_label(m, i, copy);
        for (unsigned k = 0; k < ir_nregions(i); k++)
            copy->regions[k] = clone_region(f, i->regions[k], copy, m);
    } else if (i->op == IR_BR_TABLE) {
        copy->targets = arena_array(&f->arena, struct ir_inst *, i->ntargets);
        for (uint32_t k = 0; k < i->ntargets; k++)
            copy->targets[k] = map_label(m, i->targets[k]);
    } else if (i->op == IR_BR || i->op == IR_BR_IF) {
        copy->target = map_label(m, i->target);
    } else {
        copy->bits = i->bits; /* the widest member but for `mem`, copied next */
        if (ir_has_mem((enum ir_op)i->op))
            copy->mem = i->mem;
    }
    return copy;
}
