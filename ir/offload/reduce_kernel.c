/* The loop over a worker's iterations in a kernel with reductions; reduce.h has the picture. */
#include "ir/offload/reduce.h"

#include "ir/util/ice.h"

enum { OWN_PARAMS = 3 }; /* iteration, iterations left in all behind it, rounds left to the worker */

static enum ir_op store_op(enum ir_type t) {
    static const enum ir_op ops[] = {[IR_I32] = IR_I32_STORE,
                                     [IR_I64] = IR_I64_STORE,
                                     [IR_F32] = IR_F32_STORE,
                                     [IR_F64] = IR_F64_STORE,
                                     [IR_V128] = IR_V128_STORE};
    return ops[t];
}

struct ir_value *reduce_loop_open(struct reduce_loop *l, const struct plan *p, struct ir_builder *b, struct ir_map *map,
                                  struct ir_value *worker, const struct reduce_scalars *s) {
    struct ir_value *init[OWN_PARAMS + OFF_MAX_REDUCES];
    enum ir_type types[OFF_MAX_REDUCES];
    init[0] = ir_build_simple(b, IR_I32_MUL, worker, s->first);
    init[1] = ir_build_simple(b, IR_I32_SUB, s->trip, init[0]);
    init[2] = s->rounds;
    uint32_t n = 0; /* reductions: a vector is one here; private memory has loop parameters of its own (private.h) */
    for (uint32_t k = 0; !p->flat && k < p->nreduces; k++) {
        const struct plan_reduce *r = &p->reduces[k];
        if (r->desc.upper)
            continue;
        types[n] = r->type;
        init[OWN_PARAMS + n++] = r->start ? ir_map_get(map, r->start) : ir_build_const(b, r->type, r->start_bits);
    }
    struct ir_inst *loop = ir_build_loop(b, init, OWN_PARAMS + n, types, n);
    struct ir_value **params = loop->regions[0]->params;
    *l = (struct reduce_loop){
        .plan = p, .behind = *b, .loop = loop, .worker = worker, .iteration = params[0], .rest = params[1]};
    l->left = params[2];
    for (uint32_t k = 0, at = OWN_PARAMS; !p->flat && k < p->nreduces; k++) {
        if (p->reduces[k].param)
            ir_map_set(map, p->reduces[k].param, params[at]);
        at += !p->reduces[k].desc.upper;
    }
    uint32_t offset = b->wasm_offset;
    *b = ir_builder_at_end(loop->regions[0]);
    b->wasm_offset = offset;
    return l->iteration;
}

/* 1 when the iteration has set the flag, as far as one step says; of a vector, the lanes in which it has. */
static struct ir_value *emit_step(struct ir_builder *b, const struct plan_reduce *r, const struct plan_step *s,
                                  struct ir_map *map) {
    if (r->for_nan) {
        struct ir_value *v = ir_map_get(map, s->value);
        bool is_f32 = r->desc.type == IR_F32 || v->type == IR_F32;
        enum ir_op ne = r->type == IR_V128 ? (is_f32 ? IR_F32X4_NE : IR_F64X2_NE) : is_f32 ? IR_F32_NE : IR_F64_NE;
        return ir_build_simple(b, ne, v, v);
    }
    struct ir_value *c = ir_map_get(map, s->cond);
    if (r->type == IR_V128)
        return s->when_true ? c : ir_build_simple(b, IR_V128_NOT, c, NULL);
    return s->when_true ? ir_build_simple(b, IR_I32_NE, c, ir_build_i32(b, 0))
                        : ir_build_simple(b, IR_I32_EQZ, c, NULL);
}

void reduce_loop_close(struct reduce_loop *l, struct ir_builder *b, struct ir_map *map,
                       const struct reduce_scalars *s) {
    const struct plan *p = l->plan;
    struct ir_value *next[OWN_PARAMS + OFF_MAX_REDUCES];
    uint32_t n = OWN_PARAMS;
    for (uint32_t k = 0; !p->flat && k < p->nreduces; k++) {
        const struct plan_reduce *r = &p->reduces[k];
        if (r->desc.upper)
            continue;
        if (r->param) {
            next[n++] = ir_map_get(map, r->next);
            continue;
        }
        struct ir_value *flag = l->loop->regions[0]->params[n];
        for (uint32_t i = 0; i < r->nsteps; i++)
            flag = ir_build_simple(b, r->type == IR_V128 ? IR_V128_OR : IR_I32_OR, flag,
                                   emit_step(b, r, &r->steps[i], map));
        next[n++] = flag;
    }
    struct ir_value *one = ir_build_i32(b, 1);
    next[0] = ir_build_simple(b, IR_I32_ADD, l->iteration, s->step);
    next[1] = ir_build_simple(b, IR_I32_SUB, l->rest, s->step);
    next[2] = ir_build_simple(b, IR_I32_SUB, l->left, one);
    struct ir_value *more = ir_build_simple(b, IR_I32_AND, ir_build_simple(b, IR_I32_GT_U, l->rest, s->step),
                                            ir_build_simple(b, IR_I32_GT_U, l->left, one));
    ir_build_br_if(b, more, l->loop, next, n);
    ir_build_yield(b, next + OWN_PARAMS, n - OWN_PARAMS);
    uint32_t offset = b->wasm_offset;
    *b = l->behind;
    b->wasm_offset = offset;
    if (p->flat)
        return;
    struct ir_value *at = ir_build_simple(b, IR_I32_MUL, l->worker, ir_build_i32(b, 8 * p->nreduces));
    for (uint32_t k = 0, result = 0; k < p->nreduces; k++) {
        struct ir_mem mem = {.offset = 8 * (uint64_t)k, .align_log2 = 2, .stream = p->partials_stream};
        if (!p->reduces[k].desc.upper)
            ir_build_store(b, store_op(p->reduces[k].type), at, &l->loop->results[result++], mem);
    }
}
