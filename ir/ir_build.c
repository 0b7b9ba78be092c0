/* Making and editing IR: allocation of functions, regions, instructions and values, and the links between them.
 *
 * Instructions are list nodes; results are one array behind the instruction, region parameters are single values whose
 * pointer array doubles as it grows.  Value ids only ever count up, so a pass may index plain arrays by id up to
 * func->next_id. */
#include "ir/ir_build.h"

#include <stdlib.h>
#include <string.h>

#include "ir/ir_immediates.h"
#include "ir/offload/kernel.h"
#include "ir/util/ice.h"

struct ir_module *ir_module_new(void) {
    struct arena arena = {0};
    struct ir_module *m = arena_new(&arena, struct ir_module);
    m->name = arena_strdup(&arena, "module");
    m->start = -1;
    m->arena = arena;
    return m;
}

void ir_module_free(struct ir_module *m) {
    if (!m)
        return;
    for (uint32_t i = 0; i < m->nfuncs; i++)
        ir_func_free(m->funcs[i].func);
    for (uint32_t i = 0; i < m->nkernels; i++)
        if (m->kernels[i])
            ir_func_free(m->kernels[i]->body);
    struct arena arena = m->arena; /* the module itself lives in it */
    arena_free(&arena);
}

static const enum ir_type *copy_types(struct arena *a, const enum ir_type *types, uint32_t n) {
    if (!n)
        return NULL;
    enum ir_type *copy = arena_array(a, enum ir_type, n);
    memcpy(copy, types, sizeof *types * n);
    return copy;
}

struct ir_func *ir_func_new(struct ir_module *m, const char *name, const struct ir_sig *sig) {
    struct ir_func *f = arena_new(&m->arena, struct ir_func);
    f->module = m;
    f->type = UINT32_MAX;
    f->name = arena_strdup(&m->arena, name ? name : "func");
    f->sig = (struct ir_sig){.nparams = sig->nparams,
                             .nresults = sig->nresults,
                             .params = copy_types(&m->arena, sig->params, sig->nparams),
                             .results = copy_types(&m->arena, sig->results, sig->nresults)};
    f->wasm_offset = IR_NO_OFFSET;
    f->wasm_end = IR_NO_OFFSET;
    f->body = ir_region_new(f, NULL);
    for (uint32_t i = 0; i < sig->nparams; i++)
        ir_region_add_param(f->body, sig->params[i]);
    return f;
}

void ir_func_free(struct ir_func *f) {
    if (!f)
        return;
    arena_free(&f->arena);
    f->body = NULL;
}

struct ir_builder ir_builder_at_end(struct ir_region *r) {
    return (struct ir_builder){.func = r->func, .region = r, .wasm_offset = IR_NO_OFFSET};
}

struct ir_builder ir_builder_before(struct ir_inst *i) {
    return (struct ir_builder){
        .func = i->parent->func, .region = i->parent, .before = i, .wasm_offset = i->wasm_offset};
}

struct ir_region *ir_region_new(struct ir_func *f, struct ir_inst *parent) {
    struct ir_region *r = arena_new(&f->arena, struct ir_region);
    r->func = f;
    r->parent = parent;
    return r;
}

struct ir_value *ir_region_add_param(struct ir_region *r, enum ir_type type) {
    struct ir_func *f = r->func;
    /* The array holds 4, 8, 16, ... pointers, so it is full at each power of two from 4 on. */
    uint32_t n = r->nparams;
    if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
        struct ir_value **grown = arena_array(&f->arena, struct ir_value *, n ? (size_t)n * 2 : 4);
        if (n)
            memcpy(grown, r->params, sizeof *grown * n);
        r->params = grown;
    }
    struct ir_value *v = arena_new(&f->arena, struct ir_value);
    *v = (struct ir_value){.type = type, .id = f->next_id++, .index = n, .region = r};
    r->params[r->nparams++] = v;
    return v;
}

static void link_before(struct ir_inst *i, struct ir_region *r, struct ir_inst *before) {
    i->parent = r;
    i->next = before;
    i->prev = before ? before->prev : r->last;
    if (i->prev)
        i->prev->next = i;
    else
        r->first = i;
    if (before)
        before->prev = i;
    else
        r->last = i;
}

static void unlink_inst(struct ir_inst *i) {
    struct ir_region *r = i->parent;
    ICE_UNLESS(r != NULL);
    if (i->prev)
        i->prev->next = i->next;
    else
        r->first = i->next;
    if (i->next)
        i->next->prev = i->prev;
    else
        r->last = i->prev;
    i->prev = i->next = NULL;
    i->parent = NULL;
}

struct ir_inst *ir_build(struct ir_builder *b, enum ir_op op, const enum ir_type *result_types, uint32_t nresults,
                         struct ir_value *const *operands, uint32_t noperands) {
    struct ir_func *f = b->func;
    ICE_UNLESS(op < IR_OP_COUNT && nresults <= UINT16_MAX);
    struct ir_inst *i = arena_new(&f->arena, struct ir_inst);
    i->op = (uint16_t)op;
    i->nresults = (uint16_t)nresults;
    i->wasm_offset = b->wasm_offset;
    if (ir_has_mem(op))
        i->mem.stream = -1;
    if (nresults) {
        i->results = arena_array(&f->arena, struct ir_value, nresults);
        for (uint32_t k = 0; k < nresults; k++)
            i->results[k] = (struct ir_value){.type = result_types[k], .id = f->next_id++, .index = k, .def = i};
    }
    if (b->before)
        ICE_UNLESS(b->before->parent == b->region);
    link_before(i, b->region, b->before);
    if (noperands) {
        struct ir_value **copy = arena_array(&f->arena, struct ir_value *, noperands);
        memcpy(copy, operands, sizeof *copy * noperands);
        i->operands = copy;
        i->noperands = noperands;
    }
    return i;
}

struct ir_value *ir_build_simple(struct ir_builder *b, enum ir_op op, struct ir_value *x, struct ir_value *y) {
    const struct ir_op_info *info = &ir_op_info[op];
    ICE_UNLESS(info->kind == IR_KIND_SIMPLE && info->operands == (x != NULL) + (y != NULL));
    struct ir_value *operands[] = {x, y};
    enum ir_type type = info->result;
    return ir_build(b, op, &type, 1, operands, info->operands)->results;
}

struct ir_value *ir_build_const(struct ir_builder *b, enum ir_type type, union ir_bits bits) {
    ICE_UNLESS(type <= IR_V128);
    struct ir_inst *i = ir_build(b, (enum ir_op)(IR_I32_CONST + (type - IR_I32)), &type, 1, NULL, 0);
    /* Unused bytes stay zero, so that constants compare with memcmp. */
    size_t size = type == IR_V128 ? 16 : type == IR_I64 || type == IR_F64 ? 8 : 4;
    memcpy(&i->bits, &bits, size);
    return i->results;
}

struct ir_value *ir_build_i32(struct ir_builder *b, uint32_t v) {
    return ir_build_const(b, IR_I32, (union ir_bits){.i32 = v});
}

struct ir_value *ir_build_i64(struct ir_builder *b, uint64_t v) {
    return ir_build_const(b, IR_I64, (union ir_bits){.i64 = v});
}

struct ir_value *ir_build_select(struct ir_builder *b, struct ir_value *t, struct ir_value *f, struct ir_value *cond) {
    return ir_build(b, IR_SELECT, &t->type, 1, (struct ir_value *[]){t, f, cond}, 3)->results;
}

struct ir_value *ir_build_load(struct ir_builder *b, enum ir_op op, struct ir_value *addr, struct ir_mem mem) {
    ICE_UNLESS(ir_op_info[op].kind == IR_KIND_LOAD);
    enum ir_type type = ir_op_info[op].result;
    struct ir_inst *i = ir_build(b, op, &type, 1, &addr, 1);
    i->mem = mem;
    return i->results;
}

struct ir_inst *ir_build_store(struct ir_builder *b, enum ir_op op, struct ir_value *addr, struct ir_value *value,
                               struct ir_mem mem) {
    ICE_UNLESS(ir_op_info[op].kind == IR_KIND_STORE);
    struct ir_inst *i = ir_build(b, op, NULL, 0, (struct ir_value *[]){addr, value}, 2);
    i->mem = mem;
    return i;
}

struct ir_inst *ir_build_block(struct ir_builder *b, const enum ir_type *results, uint32_t n) {
    struct ir_inst *i = ir_build(b, IR_BLOCK, results, n, NULL, 0);
    i->regions[0] = ir_region_new(b->func, i);
    return i;
}

struct ir_inst *ir_build_if(struct ir_builder *b, struct ir_value *cond, const enum ir_type *results, uint32_t n) {
    struct ir_inst *i = ir_build(b, IR_IF, results, n, &cond, 1);
    i->regions[0] = ir_region_new(b->func, i);
    i->regions[1] = ir_region_new(b->func, i);
    return i;
}

struct ir_inst *ir_build_loop(struct ir_builder *b, struct ir_value *const *init, uint32_t ninit,
                              const enum ir_type *results, uint32_t n) {
    struct ir_inst *i = ir_build(b, IR_LOOP, results, n, init, ninit);
    i->regions[0] = ir_region_new(b->func, i);
    for (uint32_t k = 0; k < ninit; k++)
        ir_region_add_param(i->regions[0], init[k]->type);
    return i;
}

struct ir_inst *ir_build_yield(struct ir_builder *b, struct ir_value *const *values, uint32_t n) {
    return ir_build(b, IR_YIELD, NULL, 0, values, n);
}

struct ir_inst *ir_build_br(struct ir_builder *b, struct ir_inst *target, struct ir_value *const *args, uint32_t n) {
    struct ir_inst *i = ir_build(b, IR_BR, NULL, 0, args, n);
    i->target = target;
    i->ntargets = 1;
    return i;
}

/* An instruction whose operands are `first`, then `rest`. */
static struct ir_inst *build_headed(struct ir_builder *b, enum ir_op op, struct ir_value *first,
                                    struct ir_value *const *rest, uint32_t n) {
    struct ir_inst *i = ir_build(b, op, NULL, 0, NULL, 0);
    i->operands = arena_array(&b->func->arena, struct ir_value *, (size_t)n + 1);
    i->noperands = n + 1;
    i->operands[0] = first;
    if (n)
        memcpy(i->operands + 1, rest, sizeof *rest * n);
    return i;
}

struct ir_inst *ir_build_br_if(struct ir_builder *b, struct ir_value *cond, struct ir_inst *target,
                               struct ir_value *const *args, uint32_t n) {
    struct ir_inst *i = build_headed(b, IR_BR_IF, cond, args, n);
    i->target = target;
    i->ntargets = 1;
    return i;
}

struct ir_inst *ir_build_br_table(struct ir_builder *b, struct ir_value *index, struct ir_inst *const *targets,
                                  uint32_t ntargets, struct ir_value *const *args, uint32_t nargs) {
    ICE_UNLESS(ntargets > 0);
    struct ir_inst *i = build_headed(b, IR_BR_TABLE, index, args, nargs);
    i->targets = arena_array(&b->func->arena, struct ir_inst *, ntargets);
    memcpy(i->targets, targets, sizeof *targets * ntargets);
    i->ntargets = ntargets;
    return i;
}

struct ir_inst *ir_build_return(struct ir_builder *b, struct ir_value *const *values, uint32_t n) {
    return ir_build(b, IR_RETURN, NULL, 0, values, n);
}

void ir_inst_remove(struct ir_inst *i) {
    unlink_inst(i);
}

void ir_cut_after(struct ir_inst *i) {
    while (i->next)
        unlink_inst(i->parent->last);
}

void ir_inst_move_before(struct ir_inst *i, struct ir_inst *before) {
    ICE_UNLESS(i != before);
    unlink_inst(i);
    link_before(i, before->parent, before);
}

void ir_inst_move_to_end(struct ir_inst *i, struct ir_region *r) {
    unlink_inst(i);
    link_before(i, r, NULL);
}

void ir_inst_set_operands(struct ir_inst *i, struct ir_value *const *operands, uint32_t n) {
    struct arena *a = &i->parent->func->arena;
    struct ir_value **copy = NULL;
    if (n) {
        copy = arena_array(a, struct ir_value *, n);
        memcpy(copy, operands, sizeof *copy * n);
    }
    i->operands = copy;
    i->noperands = n;
}

void ir_inst_insert_operand(struct ir_inst *i, uint32_t at, struct ir_value *v) {
    struct ir_value **list = arena_array(&i->parent->func->arena, struct ir_value *, i->noperands + 1);
    for (uint32_t k = 0; k < i->noperands; k++)
        list[k + (k >= at)] = i->operands[k];
    list[at] = v;
    i->operands = list;
    i->noperands++;
}

uint32_t ir_count_insts(const struct ir_region *r) {
    uint32_t n = 0;
    ir_foreach_inst (i, r) {
        n++;
        ir_foreach_region (inner, i)
            n += ir_count_insts(inner);
    }
    return n;
}

void ir_inst_drop_results(struct ir_inst *i, const bool *keep) {
    uint32_t kept = 0;
    for (uint32_t k = 0; k < i->nresults; k++)
        kept += keep[k];
    if (kept == i->nresults)
        return;
    struct ir_value *results = arena_array(&i->parent->func->arena, struct ir_value, kept + 1);
    uint32_t n = 0;
    for (uint32_t k = 0; k < i->nresults; k++) {
        if (!keep[k])
            continue;
        results[n] = i->results[k];
        results[n].index = n;
        results[n].fwd = NULL;
        i->results[k].fwd = &results[n++];
    }
    i->results = results;
    i->nresults = (uint16_t)kept;
}
