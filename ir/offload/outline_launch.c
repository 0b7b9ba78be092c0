/* The launch in front of a nest (outline.h): what it hands over, and what follows from it.
 *
 *     %n = i32.load %p                         what the nest reads again and again, read ahead
 *     %ok, %trip, ... = launch 3 (%a, %n, ...)
 *     if %ok {
 *       yield %a + %trip * 4                   what leaves the loop
 *     } else {
 *       loop ...                               as it was
 *     }
 */
#include "ir/ir_effects.h"
#include "ir/offload/outline.h"
#include "ir/offload/split.h"
#include "ir/util/ice.h"

static struct ir_value *emit_cond(struct ir_builder *b, struct ir_value *v, bool nonzero) {
    bool wide = v->type == IR_I64;
    if (!nonzero)
        return ir_build_simple(b, wide ? IR_I64_EQZ : IR_I32_EQZ, v, NULL);
    return ir_build_simple(b, wide ? IR_I64_NE : IR_I32_NE, v, wide ? ir_build_i64(b, 0) : ir_build_i32(b, 0));
}

/* An `if` in which `bytes` bytes from the address on may be loaded, and which gives 0 where they may not. */
static struct ir_inst *open_load(struct ir_builder *b, struct ir_value *address, uint64_t bytes, enum ir_type type) {
    enum ir_type size_type = IR_I32;
    struct ir_value *last = ir_build_simple(b, IR_I64_EXTEND_I32_U, address, NULL);
    last = ir_build_simple(b, IR_I64_ADD, last, ir_build_i64(b, bytes));
    struct ir_value *size = ir_build(b, IR_MEMORY_SIZE, &size_type, 1, NULL, 0)->results;
    size = ir_build_simple(b, IR_I64_EXTEND_I32_U, size, NULL);
    size = ir_build_simple(b, IR_I64_SHL, size, ir_build_i64(b, 16));
    struct ir_inst *inside = ir_build_if(b, ir_build_simple(b, IR_I64_LE_U, last, size), &type, 1);
    struct ir_builder other = ir_builder_at_end(inside->regions[1]);
    other.wasm_offset = b->wasm_offset;
    struct ir_value *zero = ir_build_const(&other, type, (union ir_bits){0});
    ir_build_yield(&other, &zero, 1);
    return inside;
}

/* Reads ahead what the nest reads again and again.  A load that would trap gives 0: the guard then finds its access out
 * of bounds.  Returns the map from the stand-ins to what was read. */
static struct ir_map *emit_hoisted(struct ir_builder *b, const struct plan *p) {
    struct ir_map *map = ir_map_new(p->arena);
    for (const struct aff_hoist *h = aff_hoists(p->aff); h; h = h->next) {
        enum ir_type type = h->value->type;
        if (!h->base) {
            struct ir_inst *get = ir_build(b, IR_GLOBAL_GET, &type, 1, NULL, 0);
            get->index = h->inst->index;
            ir_map_set(map, h->value, get->results);
            continue;
        }
        if (h->other) {
            struct ir_value *left = aff_emit(p->aff, b, h->base, map, NULL);
            struct ir_value *right = aff_emit(p->aff, b, h->other, map, NULL);
            ir_map_set(map, h->value, ir_build_simple(b, (enum ir_op)h->inst->op, left, right));
            continue;
        }
        struct ir_value *address = aff_emit(p->aff, b, h->base, map, NULL);
        struct ir_inst *inside = open_load(b, address, h->inst->mem.offset + ir_info(h->inst)->bytes, type);
        struct ir_builder then = ir_builder_at_end(inside->regions[0]);
        then.wasm_offset = b->wasm_offset;
        struct ir_value *v = ir_build_load(&then, (enum ir_op)h->inst->op, address, h->inst->mem);
        v->def->mem.stream = -1;
        ir_build_yield(&then, &v, 1);
        ir_map_set(map, h->value, inside->results);
    }
    return map;
}

/* A word of memory, 0 where that is outside. */
static struct ir_value *emit_memory_word(struct ir_builder *b, struct ir_value *address) {
    struct ir_inst *inside = open_load(b, address, 4, IR_I32);
    struct ir_builder then = ir_builder_at_end(inside->regions[0]);
    then.wasm_offset = b->wasm_offset;
    struct ir_value *v = ir_build_load(&then, IR_I32_LOAD, address, (struct ir_mem){.stream = -1});
    ir_build_yield(&then, &v, 1);
    return inside->results;
}

static struct ir_value *emit_plan_cond(struct ir_builder *b, const struct plan_cond *c, struct ir_map *map) {
    struct ir_value *holds = emit_cond(b, ir_map_get(map, c->value), c->nonzero);
    return c->or_zero ? ir_build_simple(b, IR_I32_OR, holds, emit_cond(b, ir_map_get(map, c->or_zero), false)) : holds;
}

static struct ir_value *emit_slot(struct ir_builder *b, const struct plan *p, const struct plan_slot *s,
                                  struct ir_map *map) {
    switch (s->kind) {
    case PLAN_SLOT_EXPR:
        return aff_emit(p->aff, b, s->expr, map, NULL);
    case PLAN_SLOT_IS_ZERO: {
        struct ir_value *v = aff_emit(p->aff, b, s->expr, map, NULL);
        return ir_build_simple(b, v->type == IR_I64 ? IR_I64_EQZ : IR_I32_EQZ, v, NULL);
    }
    case PLAN_SLOT_VALUE:
        return ir_map_get(map, s->value);
    case PLAN_SLOT_MEMORY:
        return emit_memory_word(b, aff_emit(p->aff, b, s->expr, map, NULL));
    case PLAN_SLOT_WORD: {
        static const enum ir_type type = IR_I32;
        struct ir_value *vector = ir_map_get(map, s->value);
        struct ir_inst *word = ir_build(b, IR_I32X4_EXTRACT_LANE, &type, 1, &vector, 1);
        word->bits.v128[0] = s->lane;
        return &word->results[0];
    }
    case PLAN_SLOT_HALF: {
        static const enum ir_type type = IR_I64;
        struct ir_value *vector = ir_map_get(map, s->value);
        struct ir_inst *half = ir_build(b, IR_I64X2_EXTRACT_LANE, &type, 1, &vector, 1);
        half->bits.v128[0] = s->lane;
        return &half->results[0];
    }
    case PLAN_SLOT_ALL: {
        struct ir_value *all = emit_plan_cond(b, &s->conds[0], map);
        for (uint32_t i = 1; i < s->nconds; i++)
            all = ir_build_simple(b, IR_I32_AND, all, emit_plan_cond(b, &s->conds[i], map));
        return all;
    }
    case PLAN_SLOT_DIVISOR: {
        struct ir_value *ok = emit_cond(b, s->value, true);
        if (!s->is_signed)
            return ok;
        bool wide = s->value->type == IR_I64;
        struct ir_value *minus_one = wide ? ir_build_i64(b, UINT64_MAX) : ir_build_i32(b, UINT32_MAX);
        struct ir_value *ne = ir_build_simple(b, wide ? IR_I64_NE : IR_I32_NE, s->value, minus_one);
        return ir_build_simple(b, IR_I32_AND, ok, ne);
    }
    }
    ICE("unknown kind of slot");
}

/* The bits that the launch gave, as a value: one i64, or two for a v128. */
static struct ir_value *reduce_result(struct ir_builder *b, struct ir_value *bits, enum ir_type type) {
    if (type == IR_I64)
        return bits;
    if (type == IR_V128) {
        struct ir_value *operands[2] = {ir_build_simple(b, IR_I64X2_SPLAT, bits, NULL), bits + 1};
        struct ir_inst *whole = ir_build(b, IR_I64X2_REPLACE_LANE, &type, 1, operands, 2);
        whole->bits.v128[0] = 1;
        return &whole->results[0];
    }
    if (type == IR_F64)
        return ir_build_simple(b, IR_F64_REINTERPRET_I64, bits, NULL);
    struct ir_value *low = ir_build_simple(b, IR_I32_WRAP_I64, bits, NULL);
    return type == IR_F32 ? ir_build_simple(b, IR_F32_REINTERPRET_I32, low, NULL) : low;
}

/* Results of the launch besides `ok`. */
static uint32_t nresults_of(const struct plan *p) {
    return p->ndims + p->nreduces;
}

/* The values that leave the loop, once its kernel has run `trip` (i64) iterations. */
static struct ir_value **emit_finals(struct ir_builder *b, const struct plan *p, struct ir_value *trip,
                                     struct ir_map *map) {
    struct ir_value **out = arena_array(p->arena, struct ir_value *, p->nfinals + 1);
    bool bottom = p->root->shape == LOOP_BOTTOM_YIELD || p->root->shape == LOOP_BOTTOM_BREAK;
    struct ir_value *last = bottom ? ir_build_simple(b, IR_I64_SUB, trip, ir_build_i64(b, 1)) : trip;
    struct ir_value **syms = arena_array(p->arena, struct ir_value *, aff_nsyms(p->aff) + 1);
    int iter = aff_iter_sym(p->aff, p->root);
    for (uint32_t i = 0; i < p->nfinals; i++) {
        const struct plan_final *f = &p->finals[i];
        syms[iter] = last; /* aff_emit wraps it where 32 bits are wanted */
        if (f->reduce) {
            out[i] = reduce_result(b, &trip[p->ndims + f->reduce - 1], p->reduces[f->reduce - 1].type);
            continue;
        }
        struct plan_motion motion;
        if (f->moved && plan_find_motion(p, p->root, f->moved - 1, &motion)) {
            struct ir_value *times = ir_build_simple(b, IR_I32_WRAP_I64, f->value == motion.param ? last : trip, NULL);
            out[i] = plan_emit_motion(b, &motion, motion.init, motion.step, times);
            continue;
        }
        out[i] = f->expr ? aff_emit(p->aff, b, f->expr, map, syms) : f->value;
        if (f->load)
            out[i] = ir_build_load(b, (enum ir_op)f->load->op, out[i], f->load->mem);
    }
    return out;
}

/* Stores what the reductions kept in memory have come to. */
static void emit_sinks(struct ir_builder *b, const struct plan *p, struct ir_value *trip, struct ir_map *map) {
    for (uint32_t k = 0; k < p->nsinks; k++) {
        const struct plan_sink *s = &p->sinks[k];
        if (s->reduce == OFF_NO_REDUCE)
            continue;
        struct ir_value *address = aff_emit(p->aff, b, s->address, map, NULL);
        struct ir_value *v = reduce_result(b, &trip[p->ndims + s->reduce], p->reduces[s->reduce].type);
        ir_build_store(b, (enum ir_op)s->store->op, address, v, s->store->mem);
    }
}

/* Stores what the last iterations to write private memory have left there. */
static void emit_privates(struct ir_builder *b, const struct plan *p, struct ir_value *trip, struct ir_map *map) {
    for (uint32_t g = 0; p->flat && g < p->nprivates; g++) {
        struct ir_value *base = aff_emit(p->aff, b, p->privates[g].base, map, NULL);
        for (uint32_t k = 0; k < p->privates[g].ncells; k++) {
            uint32_t number = p->privates[g].reduces[k];
            if (!number)
                continue;
            struct ir_value *at = ir_build_simple(b, IR_I32_ADD, base, ir_build_i32(b, 4 * k));
            struct ir_value *v = reduce_result(b, &trip[p->ndims + number], IR_I32);
            ir_build_store(b, IR_I32_STORE, at, v, (struct ir_mem){.stream = -1});
        }
    }
}

static char own_use; /* ir_inst.note of a yield that names the loop's own results */

/* The launch itself, at `b`. */
static struct ir_inst *emit_launch(struct ir_builder *b, const struct plan *p, struct off_kernel *k,
                                   struct ir_map *map) {
    struct ir_value **slots = arena_array(p->arena, struct ir_value *, p->nslots + 1);
    for (uint32_t i = 0; i < p->nslots; i++) {
        slots[i] = emit_slot(b, p, &p->slots[i], map);
        k->slot_types[i] = slots[i]->type;
    }
    enum ir_type results[1 + OFF_MAX_DIMS + OFF_MAX_REDUCES] = {IR_I32};
    for (uint32_t d = 0; d < nresults_of(p); d++)
        results[1 + d] = IR_I64;
    struct ir_inst *launch = ir_build(b, IR_LAUNCH, results, 1 + nresults_of(p), slots, p->nslots);
    launch->index = k->id;
    return launch;
}

/* The launch, or zeros when `hint` is zero; an instruction with the results of a launch. */
static struct ir_inst *emit_launch_if(struct ir_builder *b, const struct plan *p, struct off_kernel *k,
                                      struct ir_value *hint, struct ir_map *map) {
    uint32_t n = nresults_of(p);
    enum ir_type types[1 + OFF_MAX_DIMS + OFF_MAX_REDUCES] = {IR_I32};
    struct ir_value *values[1 + OFF_MAX_DIMS + OFF_MAX_REDUCES];
    for (uint32_t d = 0; d < n; d++)
        types[1 + d] = IR_I64;
    struct ir_inst *choice = ir_build_if(b, emit_cond(b, hint, true), types, 1 + n);
    struct ir_builder then = ir_builder_at_end(choice->regions[0]), other = ir_builder_at_end(choice->regions[1]);
    then.wasm_offset = other.wasm_offset = b->wasm_offset;
    struct ir_inst *launch = emit_launch(&then, p, k, map);
    for (uint32_t d = 0; d <= n; d++)
        values[d] = &launch->results[d];
    ir_build_yield(&then, values, 1 + n);
    for (uint32_t d = 0; d <= n; d++)
        values[d] = d ? ir_build_i64(&other, 0) : ir_build_i32(&other, 0);
    ir_build_yield(&other, values, 1 + n);
    return choice;
}

struct ir_value *outline_launch(const struct plan *p, struct off_kernel *k, struct ir_value *hint) {
    struct ir_inst *root = p->root->inst;
    struct ir_builder b = ir_builder_before(root);
    b.wasm_offset = root->wasm_offset;
    struct ir_map *map = emit_hoisted(&b, p);
    struct ir_inst *launch = hint ? emit_launch_if(&b, p, k, hint, map) : emit_launch(&b, p, k, map);

    bool falls_out = p->root->exit_label == NULL;
    enum ir_type *types = arena_array(p->arena, enum ir_type, root->nresults + 1);
    for (uint32_t i = 0; i < root->nresults; i++)
        types[i] = root->results[i].type;
    struct ir_inst *choice = ir_build_if(&b, &launch->results[0], types, falls_out ? root->nresults : 0);
    struct ir_builder then = ir_builder_at_end(choice->regions[0]);
    struct ir_builder other = ir_builder_at_end(choice->regions[1]);
    then.wasm_offset = other.wasm_offset = root->wasm_offset;
    struct ir_inst *rest = p->splits ? split_emit_rest(&then, p) : NULL;
    struct ir_value **finals = rest ? NULL : emit_finals(&then, p, &launch->results[1], map);
    emit_sinks(&then, p, &launch->results[1], map);
    emit_privates(&then, p, &launch->results[1], map);
    if (rest && falls_out) {
        finals = arena_array(p->arena, struct ir_value *, root->nresults + 1);
        for (uint32_t i = 0; i < root->nresults; i++)
            finals[i] = &rest->results[i];
    }
    if (!falls_out) {
        if (rest)
            ir_build(&then, IR_UNREACHABLE, NULL, 0, NULL, 0);
        else
            ir_build_br(&then, p->root->exit_label, finals, p->nfinals);
        ir_build_yield(&other, NULL, 0);
        return &launch->results[1];
    }
    ir_build_yield(&then, finals, rest ? root->nresults : p->nfinals);
    ir_inst_move_to_end(root, choice->regions[1]);
    struct ir_value **own = arena_array(p->arena, struct ir_value *, root->nresults + 1);
    for (uint32_t i = 0; i < root->nresults; i++) {
        own[i] = &root->results[i];
        root->results[i].fwd = &choice->results[i];
    }
    ir_build_yield(&other, own, root->nresults)->note = &own_use;
    return &launch->results[1];
}

static void forward_uses(struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->note == &own_use)
            continue;
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        ir_foreach_region (inner, i)
            forward_uses(inner);
    }
}

static void clear_scratch(struct ir_region *r) {
    ir_foreach_inst (i, r) {
        i->note = NULL;
        for (uint32_t k = 0; k < i->nresults; k++)
            i->results[k].fwd = NULL;
        ir_foreach_region (inner, i)
            clear_scratch(inner);
    }
}

void outline_finish(struct ir_func *f) {
    forward_uses(f->body);
    clear_scratch(f->body);
}
