/* Private groups that are too large for values, or accessed in ways that do not suit them: an array of words of the
 * kernel.  See private.h.
 *
 *     i32.store8 (%sp + 16 + %k), %v     =>     %at = (%sp + 16 + %k) - %base          bytes into the group
 *                                               %w = array.get 0 64 (%at >> 2 & 63)
 *                                               array.set 0 64 (%at >> 2 & 63), (%w with the byte changed)
 *
 * The mask changes nothing: the planner has counted out the places.  It is there so that a kernel cannot leave its
 * array whatever happens, on devices that do not look. */
#include <string.h>

#include "ir/ir_build.h"
#include "ir/offload/plan_cells.h"
#include "ir/offload/private.h"
#include "ir/util/ice.h"

enum { LONG_RUN = 8 }; /* words from which a loop writes them back */

struct arrays {
    const struct plan *plan;
    struct ir_value *const *bases;
};

static struct ir_value *op(struct ir_builder *b, enum ir_op o, struct ir_value *x, struct ir_value *y) {
    return ir_build_simple(b, o, x, y);
}

static struct ir_value *opi(struct ir_builder *b, enum ir_op o, struct ir_value *x, uint32_t y) {
    return ir_build_simple(b, o, x, ir_build_i32(b, y));
}

static struct ir_value *get_word(struct ir_builder *b, uint32_t group, uint32_t words, struct ir_value *number) {
    static const enum ir_type type = IR_I32;
    struct ir_inst *i = ir_build(b, IR_ARRAY_GET, &type, 1, &number, 1);
    i->index = group;
    i->index2 = words;
    return &i->results[0];
}

static void set_word(struct ir_builder *b, uint32_t group, uint32_t words, struct ir_value *number,
                     struct ir_value *v) {
    struct ir_value *operands[2] = {number, v};
    struct ir_inst *i = ir_build(b, IR_ARRAY_SET, NULL, 0, operands, 2);
    i->index = group;
    i->index2 = words;
}

/* ---- accesses ---- */

/* Where an access begins. */
struct place {
    uint32_t group, words;
    struct ir_value *at; /* bytes into the group; NULL: `low` */
    uint32_t low;        /* of its first place; the lowest bits of all when it moves by words */
    bool aligned;
};

static struct place place_of(const struct arrays *x, struct ir_builder *b, const struct ir_inst *i,
                             const struct plan_access *a) {
    struct place p = {.group = a->private_group - 1u, .low = a->cell_low, .aligned = a->cell_unit == 4};
    p.words = x->plan->privates[p.group].array_words;
    if (a->cell_moves) {
        struct ir_value *at = i->operands[0];
        if (i->mem.offset)
            at = opi(b, IR_I32_ADD, at, (uint32_t)i->mem.offset);
        p.at = op(b, IR_I32_SUB, at, x->bases[p.group]);
    }
    return p;
}

/* The number of the word that holds byte `byte` of the access. */
static struct ir_value *word_number(struct ir_builder *b, const struct place *p, uint32_t byte) {
    if (!p->at)
        return ir_build_i32(b, (p->low + byte) / 4 & (p->words - 1));
    struct ir_value *at = byte ? opi(b, IR_I32_ADD, p->at, byte) : p->at;
    return opi(b, IR_I32_AND, opi(b, IR_I32_SHR_U, at, 2), p->words - 1);
}

/* By how many bits byte `byte` of the access is shifted in its word. */
static struct ir_value *shift_of(struct ir_builder *b, const struct place *p, uint32_t byte) {
    if (!p->at || p->aligned)
        return ir_build_i32(b, (p->low + byte) % 4 * 8);
    struct ir_value *at = byte ? opi(b, IR_I32_ADD, p->at, byte) : p->at;
    return opi(b, IR_I32_SHL, opi(b, IR_I32_AND, at, 3), 3);
}

static struct ir_value *get_part(struct ir_builder *b, const struct place *p, uint32_t byte, uint32_t bytes) {
    struct ir_value *word = get_word(b, p->group, p->words, word_number(b, p, byte));
    struct ir_value *v = op(b, IR_I32_SHR_U, word, shift_of(b, p, byte));
    return opi(b, IR_I32_AND, v, (UINT32_C(1) << 8 * bytes) - 1);
}

static void set_part(struct ir_builder *b, const struct place *p, uint32_t byte, uint32_t bytes, struct ir_value *v) {
    struct ir_value *number = word_number(b, p, byte), *shift = shift_of(b, p, byte);
    struct ir_value *mask = op(b, IR_I32_SHL, ir_build_i32(b, (UINT32_C(1) << 8 * bytes) - 1), shift);
    struct ir_value *old = get_word(b, p->group, p->words, number);
    old = op(b, IR_I32_AND, old, opi(b, IR_I32_XOR, mask, UINT32_MAX));
    v = op(b, IR_I32_AND, op(b, IR_I32_SHL, v, shift), mask);
    set_word(b, p->group, p->words, number, op(b, IR_I32_OR, old, v));
}

/* How many bytes at a time certainly lie in one word: 4, 2 or 1, and no more than the access has. */
static uint32_t part_bytes(const struct plan_access *a) {
    if (a->desc.bytes >= 4 && a->cell_unit == 4 && a->cell_low % 4 == 0)
        return 4;
    return a->desc.bytes >= 2 && a->cell_unit >= 2 && a->cell_low % 2 == 0 ? 2 : 1;
}

/* The word that begins with byte `byte` of the access; of a narrower one, all of it. */
static struct ir_value *get_value(struct ir_builder *b, const struct place *p, const struct plan_access *a,
                                  uint32_t byte) {
    uint32_t part = part_bytes(a), bytes = a->desc.bytes < 4 ? a->desc.bytes : 4;
    if (part == 4)
        return get_word(b, p->group, p->words, word_number(b, p, byte));
    struct ir_value *v = get_part(b, p, byte, part);
    for (uint32_t k = part; k < bytes; k += part)
        v = op(b, IR_I32_OR, v, opi(b, IR_I32_SHL, get_part(b, p, byte + k, part), k * 8));
    return v;
}

static void set_value(struct ir_builder *b, const struct place *p, const struct plan_access *a, uint32_t byte,
                      struct ir_value *v) {
    uint32_t part = part_bytes(a), bytes = a->desc.bytes < 4 ? a->desc.bytes : 4;
    if (part == 4) {
        set_word(b, p->group, p->words, word_number(b, p, byte), v);
        return;
    }
    for (uint32_t k = 0; k < bytes; k += part)
        set_part(b, p, byte + k, part, k ? opi(b, IR_I32_SHR_U, v, k * 8) : v);
}

static struct ir_value *joined(struct ir_builder *b, struct ir_value *low, struct ir_value *high) {
    struct ir_value *wide = op(b, IR_I64_SHL, op(b, IR_I64_EXTEND_I32_U, high, NULL), ir_build_i64(b, 32));
    return op(b, IR_I64_OR, op(b, IR_I64_EXTEND_I32_U, low, NULL), wide);
}

static struct ir_value *vector_of(struct ir_builder *b, struct ir_value *const *words) {
    static const enum ir_type type = IR_V128;
    struct ir_value *v = op(b, IR_I32X4_SPLAT, words[0], NULL);
    for (uint8_t lane = 1; lane < 4; lane++) {
        struct ir_value *operands[2] = {v, words[lane]};
        struct ir_inst *i = ir_build(b, IR_I32X4_REPLACE_LANE, &type, 1, operands, 2);
        i->bits.v128[0] = lane;
        v = &i->results[0];
    }
    return v;
}

static struct ir_value *lane_of(struct ir_builder *b, struct ir_value *v, uint8_t lane) {
    static const enum ir_type type = IR_I32;
    struct ir_inst *i = ir_build(b, IR_I32X4_EXTRACT_LANE, &type, 1, &v, 1);
    i->bits.v128[0] = lane;
    return &i->results[0];
}

static struct ir_value *lower_load(const struct arrays *x, struct ir_inst *i, const struct plan_access *a) {
    struct ir_builder b = ir_builder_before(i);
    b.wasm_offset = i->wasm_offset;
    struct place p = place_of(x, &b, i, a);
    enum ir_type type = i->results[0].type;
    uint32_t bytes = a->desc.bytes;
    bool is_signed = ir_info(i)->sign;
    struct ir_value *words[4] = {NULL};
    for (uint32_t k = 0; k < 4; k++)
        words[k] = k == 0 || 4 * k < bytes ? get_value(&b, &p, a, 4 * k) : NULL;
    if (type == IR_V128) { /* what is not loaded is zero */
        for (uint32_t k = 1; k < 4; k++)
            words[k] = words[k] ? words[k] : ir_build_i32(&b, 0);
        return vector_of(&b, words);
    }
    struct ir_value *v = words[0];
    if (bytes == 8) {
        v = joined(&b, v, words[1]);
        return type == IR_F64 ? op(&b, IR_F64_REINTERPRET_I64, v, NULL) : v;
    }
    if (bytes < 4)
        v = is_signed ? op(&b, bytes == 1 ? IR_I32_EXTEND8_S : IR_I32_EXTEND16_S, v, NULL)
                      : opi(&b, IR_I32_AND, v, bytes == 1 ? 0xff : 0xffff);
    if (type == IR_F32)
        return op(&b, IR_F32_REINTERPRET_I32, v, NULL);
    return type == IR_I64 ? op(&b, is_signed ? IR_I64_EXTEND_I32_S : IR_I64_EXTEND_I32_U, v, NULL) : v;
}

static void lower_store(const struct arrays *x, struct ir_inst *i, const struct plan_access *a) {
    struct ir_builder b = ir_builder_before(i);
    b.wasm_offset = i->wasm_offset;
    struct place p = place_of(x, &b, i, a);
    struct ir_value *v = i->operands[1];
    uint32_t bytes = a->desc.bytes;
    if (v->type == IR_V128) {
        for (uint8_t k = 0; k < 4; k++)
            set_value(&b, &p, a, 4u * k, lane_of(&b, v, k));
        return;
    }
    if (v->type == IR_F32)
        v = op(&b, IR_I32_REINTERPRET_F32, v, NULL);
    if (v->type == IR_F64)
        v = op(&b, IR_I64_REINTERPRET_F64, v, NULL);
    if (bytes == 8)
        set_value(&b, &p, a, 4, op(&b, IR_I32_WRAP_I64, op(&b, IR_I64_SHR_U, v, ir_build_i64(&b, 32)), NULL));
    set_value(&b, &p, a, 0, v->type == IR_I64 ? op(&b, IR_I32_WRAP_I64, v, NULL) : v);
}

static void walk(const struct arrays *x, struct ir_region *r) {
    ir_foreach_inst_safe (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        ir_foreach_region (inner, i)
            walk(x, inner);
        if ((!ir_is_load(i) && !ir_is_store(i)) || i->mem.stream < PRIVATE_STREAM)
            continue;
        const struct plan_access *a = &x->plan->accesses[i->mem.stream - PRIVATE_STREAM];
        if (!x->plan->privates[a->private_group - 1].array_words)
            continue;
        if (ir_is_load(i))
            i->results[0].fwd = lower_load(x, i, a);
        else
            lower_store(x, i, a);
        ir_inst_remove(i);
    }
}

/* ---- what the last point leaves ---- */

struct back {
    struct ir_value *base;
    struct ir_mem mem;
    uint32_t group, words;
};

static void leave_word(struct ir_builder *b, const struct back *x, struct ir_value *number) {
    struct ir_value *v = get_word(b, x->group, x->words, number);
    struct ir_value *at = op(b, IR_I32_ADD, x->base, opi(b, IR_I32_SHL, number, 2));
    ir_build_store(b, IR_I32_STORE, at, v, x->mem);
}

static void leave_byte(struct ir_builder *b, const struct back *x, struct ir_value *number) {
    struct ir_value *v = get_word(b, x->group, x->words, opi(b, IR_I32_SHR_U, number, 2));
    v = op(b, IR_I32_SHR_U, v, opi(b, IR_I32_SHL, opi(b, IR_I32_AND, number, 3), 3));
    ir_build_store(b, IR_I32_STORE8, op(b, IR_I32_ADD, x->base, number), v, x->mem);
}

/* For each number from `first` up to `end`. */
static void leave_run(struct ir_builder *b, const struct back *x, uint32_t first, uint32_t end,
                      void (*leave)(struct ir_builder *b, const struct back *x, struct ir_value *number)) {
    if (end - first < LONG_RUN) {
        for (uint32_t k = first; k < end; k++)
            leave(b, x, ir_build_i32(b, k));
        return;
    }
    struct ir_value *from = ir_build_i32(b, first);
    struct ir_inst *loop = ir_build_loop(b, &from, 1, NULL, 0);
    struct ir_builder in = ir_builder_at_end(loop->regions[0]);
    in.wasm_offset = b->wasm_offset;
    struct ir_value *k = loop->regions[0]->params[0];
    leave(&in, x, k);
    struct ir_value *next = opi(&in, IR_I32_ADD, k, 1);
    ir_build_br_if(&in, opi(&in, IR_I32_LT_U, next, end), loop, &next, 1);
    ir_build_yield(&in, NULL, 0);
}

static bool is_written(const struct cell_bits *b, uint32_t byte, uint32_t bytes) {
    for (uint32_t k = byte; k < byte + bytes; k++)
        if (k >= PLAN_MAX_ARRAY_BYTES || !(b->bit[k / 64] >> (k % 64) & 1))
            return false;
    return true;
}

static void leave_group(struct ir_builder *b, const struct plan_private *g, struct back *x) {
    uint32_t end = g->ncells * 4, unit;
    for (uint32_t k = 0; k < end; k += unit) {
        unit = 1;
        if (!is_written(g->stored, k, 1))
            continue;
        bool whole = g->words && k % 4 == 0 && is_written(g->stored, k, 4);
        uint32_t step = whole ? 4 : 1, to = k;
        while (to < end && is_written(g->stored, to, step) &&
               (whole || !(g->words && to % 4 == 0 && is_written(g->stored, to, 4))))
            to += step;
        x->mem.align_log2 = whole ? 2 : 0;
        leave_run(b, x, k / step, to / step, whole ? leave_word : leave_byte);
        unit = to - k;
    }
}

void private_arrays_leave(const struct plan *p, struct ir_builder *b, struct ir_value *const *bases) {
    for (uint32_t g = 0; g < p->nprivates; g++) {
        const struct plan_private *own = &p->privates[g];
        struct back x = {.base = bases[g], .mem = {.stream = own->stream}, .group = g, .words = own->array_words};
        if (own->array_words)
            leave_group(b, own, &x);
    }
}

void private_arrays_lower(const struct plan *p, struct ir_func *f, struct ir_value *const *bases) {
    struct arrays x = {.plan = p, .bases = bases};
    walk(&x, f->body);
}
