/* Common subexpressions by scope.
 *
 * A forward walk keeps a hash table of the operations in scope.  One that computes only from its operands and equals an
 * entry is replaced by it; leaving a region takes that region's entries out again.  Trapping operations count too: had
 * the first trapped, the second would not run.  Loads are never merged: that needs knowledge of stores. */
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/opt/pass.h"

struct entry {
    struct entry *chain;  /* next in the bucket */
    struct entry *before; /* previous entered, for undoing */
    struct ir_inst *inst;
    uint32_t hash;
};

struct cse {
    struct arena *scratch;
    struct entry **buckets;
    uint32_t mask;
    struct entry *newest, *unused;
    bool changed;
};

static uint32_t mix(uint32_t h, uint64_t v) {
    uint64_t x = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(x >> 32) ^ (uint32_t)x;
}

static bool has_bits(const struct ir_inst *i) {
    return ir_is_const(i) || ir_info(i)->kind == IR_KIND_LANES;
}

static uint32_t hash_inst(const struct ir_inst *i) {
    uint32_t h = mix(i->op, i->results[0].type);
    if (has_bits(i)) {
        h = mix(h, i->bits.u64x2[0]);
        h = mix(h, i->bits.u64x2[1]);
    }
    h = mix(h, i->index);
    if (ir_has_flag(i, IR_FLAG_COMMUTES)) { /* the same for both orders */
        uint32_t a = i->operands[0]->id, b = i->operands[1]->id;
        return mix(mix(h, a < b ? a : b), a < b ? b : a);
    }
    for (uint32_t k = 0; k < i->noperands; k++)
        h = mix(h, i->operands[k]->id);
    return h;
}

static bool equal(const struct ir_inst *a, const struct ir_inst *b) {
    if (a->op != b->op || a->results[0].type != b->results[0].type)
        return false;
    if (has_bits(a) && memcmp(&a->bits, &b->bits, sizeof a->bits) != 0)
        return false;
    if (a->index != b->index || a->noperands != b->noperands)
        return false;
    if (ir_has_flag(a, IR_FLAG_COMMUTES) && a->operands[0] == b->operands[1] && a->operands[1] == b->operands[0])
        return true;
    for (uint32_t k = 0; k < a->noperands; k++)
        if (a->operands[k] != b->operands[k])
            return false;
    return true;
}

static struct ir_inst *find(const struct cse *c, const struct ir_inst *i, uint32_t hash) {
    for (struct entry *e = c->buckets[hash & c->mask]; e; e = e->chain)
        if (e->hash == hash && equal(e->inst, i))
            return e->inst;
    return NULL;
}

static void enter(struct cse *c, struct ir_inst *i, uint32_t hash) {
    struct entry *e = c->unused;
    if (e)
        c->unused = e->before;
    else
        e = arena_new(c->scratch, struct entry);
    *e = (struct entry){.chain = c->buckets[hash & c->mask], .before = c->newest, .inst = i, .hash = hash};
    c->buckets[hash & c->mask] = e;
    c->newest = e;
}

static void leave(struct cse *c, struct entry *mark) {
    while (c->newest != mark) {
        struct entry *e = c->newest;
        c->newest = e->before;
        c->buckets[e->hash & c->mask] = e->chain;
        e->before = c->unused;
        c->unused = e;
    }
}

static void walk(struct cse *c, struct ir_region *r) {
    struct entry *mark = c->newest;
    ir_foreach_inst_safe (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        ir_foreach_region (sub, i)
            walk(c, sub);
        if (i->nresults != 1 || !ir_is_function_of_operands(i))
            continue;
        uint32_t hash = hash_inst(i);
        struct ir_inst *same = find(c, i, hash);
        if (!same) {
            enter(c, i, hash);
            continue;
        }
        i->results[0].fwd = &same->results[0];
        ir_inst_remove(i);
        c->changed = true;
    }
    leave(c, mark);
}

static uint32_t table_size(uint32_t values) {
    uint32_t n = 64;
    while (n < values && n < 1u << 20)
        n *= 2;
    return n;
}

bool opt_cse(struct ir_func *f, struct pass_ctx *cx) {
    uint32_t size = table_size(f->next_id);
    struct cse c = {.scratch = &cx->scratch, .mask = size - 1};
    c.buckets = arena_array(&cx->scratch, struct entry *, size);
    walk(&c, f->body);
    return c.changed;
}
