/* See private.h.  One forward walk with the current value of each cell.  A block, `if` or loop that holds stores gets
 * the cells it may change as further results, a loop as further parameters too; branches and yields pass them on. */
#include "ir/offload/private.h"

#include <string.h>

#include "ir/ir_build.h"
#include "ir/offload/plan_cells.h"
#include "ir/util/ice.h"

enum { WORDS = PLAN_MAX_PRIVATES * PLAN_MAX_CELLS, CELLS = 2 * WORDS }; /* the words, then a flag of each */

struct cells {
    struct ir_value *at[CELLS]; /* NULL: not written so far */
};

struct frame {
    const struct ir_inst *inst;
    bool changes[CELLS];
    struct frame *up;
};

struct promote {
    const struct plan *plan;
    struct ir_func *func;
    struct ir_value *const *bases;
    struct arena scratch;
    struct frame *frames;
};

static const struct plan_access *access_of(const struct promote *x, const struct ir_inst *i) {
    if ((!ir_is_load(i) && !ir_is_store(i)) || i->mem.stream < PRIVATE_STREAM)
        return NULL;
    return &x->plan->accesses[i->mem.stream - PRIVATE_STREAM];
}

static uint32_t first_cell(const struct plan_access *a) {
    return (uint32_t)(a->private_group - 1) * PLAN_MAX_CELLS;
}

static struct ir_value *op(struct ir_builder *b, enum ir_op o, struct ir_value *x, struct ir_value *y) {
    return ir_build_simple(b, o, x, y);
}

static struct ir_value *opi(struct ir_builder *b, enum ir_op o, struct ir_value *x, uint32_t y) {
    return ir_build_simple(b, o, x, ir_build_i32(b, y));
}

/* ---- accesses ---- */

/* Number of the cell that a moving access begins in, within its group. */
static struct ir_value *cell_number(struct promote *x, struct ir_builder *b, const struct ir_inst *i,
                                    const struct plan_access *a) {
    struct ir_value *at = i->mem.offset ? opi(b, IR_I32_ADD, i->operands[0], (uint32_t)i->mem.offset) : i->operands[0];
    return opi(b, IR_I32_SHR_U, op(b, IR_I32_SUB, at, x->bases[a->private_group - 1]), 2);
}

static struct ir_value *value_or_zero(struct ir_builder *b, struct ir_value *v) {
    return v ? v : ir_build_i32(b, 0);
}

/* Word `w` of what the access reads. */
static struct ir_value *read_word(struct ir_builder *b, struct cells *c, const struct plan_access *a,
                                  struct ir_value *number, uint32_t w) {
    uint32_t first = first_cell(a), low = a->cell_low / 4, high = (a->cell_high - a->desc.bytes) / 4;
    if (!number)
        return value_or_zero(b, c->at[first + low + w]);
    struct ir_value *v = value_or_zero(b, c->at[first + low + w]);
    for (uint32_t k = low + 1; k <= high; k++)
        v = ir_build_select(b, value_or_zero(b, c->at[first + k + w]), v, opi(b, IR_I32_EQ, number, k));
    return v;
}

/* `flag`: 1 when flags are kept, else NULL. */
static void write_word(struct ir_builder *b, struct cells *c, const struct plan_access *a, struct ir_value *number,
                       uint32_t w, struct ir_value *v, struct ir_value *flag) {
    uint32_t first = first_cell(a), low = a->cell_low / 4, high = (a->cell_high - a->desc.bytes) / 4;
    if (!number) {
        c->at[first + low + w] = v;
        c->at[WORDS + first + low + w] = flag;
        return;
    }
    for (uint32_t k = low; k <= high; k++) {
        struct ir_value **cell = &c->at[first + k + w], **flagged = &c->at[WORDS + first + k + w];
        struct ir_value *here = opi(b, IR_I32_EQ, number, k);
        *cell = ir_build_select(b, v, value_or_zero(b, *cell), here);
        if (flag)
            *flagged = ir_build_select(b, flag, value_or_zero(b, *flagged), here);
    }
}

static struct ir_value *join(struct ir_builder *b, struct ir_value *low, struct ir_value *high) {
    struct ir_value *wide = op(b, IR_I64_SHL, op(b, IR_I64_EXTEND_I32_U, high, NULL), ir_build_i64(b, 32));
    return op(b, IR_I64_OR, op(b, IR_I64_EXTEND_I32_U, low, NULL), wide);
}

static struct ir_value *promote_load(struct promote *x, struct ir_inst *i, const struct plan_access *a,
                                     struct cells *c) {
    struct ir_builder b = ir_builder_before(i);
    b.wasm_offset = i->wasm_offset;
    struct ir_value *number = a->cell_moves ? cell_number(x, &b, i, a) : NULL;
    enum ir_type type = i->results[0].type;
    struct ir_value *v = read_word(&b, c, a, number, 0);
    uint32_t bits = ir_info(i)->bytes * 8u;
    bool is_signed = ir_info(i)->sign;
    if (bits == 64) {
        v = join(&b, v, read_word(&b, c, a, number, 1));
        return type == IR_F64 ? op(&b, IR_F64_REINTERPRET_I64, v, NULL) : v;
    }
    if (bits < 32) {
        v = opi(&b, IR_I32_SHL, v, 32 - bits - a->cell_low % 4 * 8);
        v = opi(&b, is_signed ? IR_I32_SHR_S : IR_I32_SHR_U, v, 32 - bits);
    }
    if (type == IR_F32)
        return op(&b, IR_F32_REINTERPRET_I32, v, NULL);
    return type == IR_I64 ? op(&b, is_signed ? IR_I64_EXTEND_I32_S : IR_I64_EXTEND_I32_U, v, NULL) : v;
}

static void promote_store(struct promote *x, struct ir_inst *i, const struct plan_access *a, struct cells *c) {
    struct ir_builder b = ir_builder_before(i);
    b.wasm_offset = i->wasm_offset;
    struct ir_value *number = a->cell_moves ? cell_number(x, &b, i, a) : NULL, *v = i->operands[1];
    struct ir_value *flag = x->plan->flat ? ir_build_i32(&b, 1) : NULL;
    uint32_t bits = ir_info(i)->bytes * 8u;
    if (v->type == IR_F32)
        v = op(&b, IR_I32_REINTERPRET_F32, v, NULL);
    if (v->type == IR_F64)
        v = op(&b, IR_I64_REINTERPRET_F64, v, NULL);
    if (bits == 64)
        write_word(&b, c, a, number, 1, op(&b, IR_I32_WRAP_I64, op(&b, IR_I64_SHR_U, v, ir_build_i64(&b, 32)), NULL),
                   flag);
    if (v->type == IR_I64)
        v = op(&b, IR_I32_WRAP_I64, v, NULL);
    if (bits < 32) {
        uint32_t shift = a->cell_low % 4 * 8, mask = ((UINT32_C(1) << bits) - 1) << shift;
        struct ir_value *old = read_word(&b, c, a, NULL, 0);
        v = opi(&b, IR_I32_AND, opi(&b, IR_I32_SHL, v, shift), mask);
        v = op(&b, IR_I32_OR, opi(&b, IR_I32_AND, old, ~mask), v);
    }
    write_word(&b, c, a, number, 0, v, flag);
}

/* ---- control ---- */

static void find_changes(const struct promote *x, struct ir_region *r, bool *changes) {
    ir_foreach_inst (i, r) {
        const struct plan_access *a = ir_is_store(i) ? access_of(x, i) : NULL;
        for (uint32_t k = a ? a->cell_low / 4 : 1; a && k <= (a->cell_high - 1) / 4; k++) {
            changes[first_cell(a) + k] = true;
            changes[WORDS + first_cell(a) + k] = x->plan->flat;
        }
        ir_foreach_region (inner, i)
            find_changes(x, inner, changes);
    }
}

/* The operands from index `at` on make room for the cells of `f`. */
static uint32_t insert_cells(struct promote *x, struct ir_inst *i, uint32_t at, const struct frame *f,
                             const struct cells *c) {
    struct ir_builder b = ir_builder_before(i);
    b.wasm_offset = i->wasm_offset;
    struct ir_value **list = arena_array(&x->scratch, struct ir_value *, i->noperands + CELLS);
    uint32_t n = at;
    for (uint32_t k = 0; k < at; k++)
        list[k] = i->operands[k];
    for (uint32_t k = 0; k < CELLS; k++)
        if (f->changes[k])
            list[n++] = value_or_zero(&b, c->at[k]);
    uint32_t added = n - at;
    for (uint32_t k = at; k < i->noperands; k++)
        list[n++] = i->operands[k];
    ir_inst_set_operands(i, list, n);
    return added;
}

static struct frame *frame_of(struct promote *x, const struct ir_inst *label) {
    for (struct frame *f = x->frames; f; f = f->up)
        if (f->inst == label)
            return f;
    ICE("branch to no label of the kernel");
}

/* Further results of `i`, one a cell that it changes. */
static void add_results(struct promote *x, struct ir_inst *i, const struct frame *f, struct cells *c) {
    uint32_t n = i->nresults, more = 0;
    for (uint32_t k = 0; k < CELLS; k++)
        more += f->changes[k];
    struct ir_value *results = arena_array(&x->func->arena, struct ir_value, n + more);
    for (uint32_t k = 0; k < n; k++) {
        results[k] = i->results[k];
        i->results[k].fwd = &results[k];
    }
    for (uint32_t k = 0; k < CELLS; k++)
        if (f->changes[k]) {
            results[n] = (struct ir_value){.type = IR_I32, .id = x->func->next_id++, .index = n, .def = i};
            c->at[k] = &results[n++];
        }
    i->results = results;
    i->nresults = n;
}

static void walk(struct promote *x, struct ir_region *r, struct cells c, struct cells *out);

static void walk_nested(struct promote *x, struct ir_inst *i, struct cells *c) {
    struct frame f = {.inst = i, .up = x->frames};
    ir_foreach_region (r, i)
        find_changes(x, r, f.changes);
    struct cells inside = *c;
    if (i->op == IR_LOOP) {
        insert_cells(x, i, i->noperands, &f, c);
        for (uint32_t k = 0; k < CELLS; k++)
            if (f.changes[k])
                inside.at[k] = ir_region_add_param(i->regions[0], IR_I32);
    }
    x->frames = &f;
    ir_foreach_region (r, i)
        walk(x, r, inside, NULL);
    x->frames = f.up;
    add_results(x, i, &f, c);
}

/* What a branch to the label passed before there were cells: a loop has got its parameters already, a block its results
 * not yet. */
static uint32_t arity_before(const struct ir_inst *label, const struct frame *f) {
    uint32_t n = ir_label_arity(label);
    for (uint32_t k = 0; label->op == IR_LOOP && k < CELLS; k++)
        n -= f->changes[k];
    return n;
}

static void walk(struct promote *x, struct ir_region *r, struct cells c, struct cells *out) {
    ir_foreach_inst_safe (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        const struct plan_access *a = access_of(x, i);
        if (a) {
            if (ir_is_load(i))
                i->results[0].fwd = promote_load(x, i, a, &c);
            else
                promote_store(x, i, a, &c);
            ir_inst_remove(i);
        } else if (ir_nregions(i)) {
            walk_nested(x, i, &c);
        } else if (i->op == IR_BR || i->op == IR_BR_IF) {
            insert_cells(x, i, i->noperands, frame_of(x, i->target), &c);
        } else if (i->op == IR_BR_TABLE) {
            uint32_t at = 1;
            for (uint32_t k = 0; k < i->ntargets; k++) {
                const struct frame *f = frame_of(x, i->targets[k]);
                at += arity_before(i->targets[k], f);
                at += insert_cells(x, i, at, f, &c);
            }
        } else if (i->op == IR_YIELD && x->frames) {
            insert_cells(x, i, i->noperands, x->frames, &c);
        }
    }
    if (out)
        *out = c;
}

/* ---- what the last point leaves ---- */

static void leave_cells(struct promote *x, struct ir_value *is_last, const struct cells *c) {
    const struct plan *p = x->plan;
    struct ir_inst *end = x->func->body->last;
    struct ir_builder b = ir_builder_before(end);
    b.wasm_offset = end->wasm_offset;
    struct ir_inst *choice = ir_build_if(&b, is_last, NULL, 0);
    struct ir_builder then = ir_builder_at_end(choice->regions[0]), other = ir_builder_at_end(choice->regions[1]);
    then.wasm_offset = other.wasm_offset = end->wasm_offset;
    for (uint32_t g = 0; g < p->nprivates; g++)
        for (uint32_t k = 0; k < p->privates[g].ncells && !p->privates[g].array_words; k++) {
            uint32_t written = (uint32_t)(p->privates[g].stored->bit[k / 16] >> (k % 16 * 4)) & 15;
            struct ir_value *v = value_or_zero(&then, c->at[g * PLAN_MAX_CELLS + k]);
            struct ir_mem mem = {.align_log2 = 2, .stream = p->privates[g].stream};
            struct ir_value *at = opi(&then, IR_I32_ADD, x->bases[g], k * 4);
            if (written == 15 && p->privates[g].words) {
                ir_build_store(&then, IR_I32_STORE, at, v, mem);
                continue;
            }
            mem.align_log2 = 0;
            for (uint32_t byte = 0; byte < 4; byte++)
                if (written >> byte & 1)
                    ir_build_store(&then, IR_I32_STORE8, opi(&then, IR_I32_ADD, at, byte),
                                   opi(&then, IR_I32_SHR_U, v, byte * 8), mem);
        }
    private_arrays_leave(p, &then, x->bases);
    ir_build_yield(&then, NULL, 0);
    ir_build_yield(&other, NULL, 0);
}

static void leave_partials(struct promote *x, const struct cells *c) {
    const struct plan *p = x->plan;
    struct ir_inst *end = x->func->body->last;
    struct ir_builder b = ir_builder_before(end);
    b.wasm_offset = end->wasm_offset;
    struct ir_value *at = opi(&b, IR_I32_MUL, x->func->body->params[0], 8 * p->nreduces);
    for (uint32_t g = 0; g < p->nprivates; g++)
        for (uint32_t k = 0; k < p->privates[g].ncells; k++) {
            uint32_t number = p->privates[g].reduces[k], cell = g * PLAN_MAX_CELLS + k;
            struct ir_mem mem = {.offset = 8 * (uint64_t)number, .align_log2 = 2, .stream = p->partials_stream};
            if (!number)
                continue;
            ir_build_store(&b, IR_I32_STORE, at, value_or_zero(&b, c->at[cell]), mem);
            mem.offset -= 8;
            ir_build_store(&b, IR_I32_STORE, at, value_or_zero(&b, c->at[WORDS + cell]), mem);
        }
}

void private_promote(const struct plan *p, struct ir_func *f, struct ir_value *const *bases, struct ir_value *is_last) {
    struct promote x = {.plan = p, .func = f, .bases = bases};
    private_arrays_lower(p, f, bases);
    struct cells *end = arena_new(&x.scratch, struct cells);
    walk(&x, f->body, (struct cells){{NULL}}, end);
    ICE_UNLESS(f->body->last->op == IR_RETURN);
    if (p->flat)
        leave_partials(&x, end);
    else
        leave_cells(&x, is_last, end);
    arena_free(&x.scratch);
}
