/* Carries a plan out; see outline.h.
 *
 * The kernel is a copy of the nest's innermost parallel body with everything before it, each parallel loop replaced by
 * its grid coordinate:
 *
 *     loop L0 (%p = %a, %n = %c) {            kernel (%gy, %gx, %a, %stride, %f) {
 *       %q0 = ...                               %p = %a + %gy * %stride
 *       loop L1 (%q = %q0) {                    %q = %q0 + %gx * 4
 *         %v = f32.load %q            ->        %v = f32.load %q, stream 0
 *         f32.store %q, %v * %f                 f32.store %q, %v * %f, stream 0
 *         br_if L1(%q + 4)                      return
 *       }                                     }
 *       br_if L0(%p + %stride, %n - 1)
 *     }
 *
 * Values from before the nest become scalars of the kernel.  Copying the loop whole and running it with a trip count of
 * one would be simpler, but leaves the counters and tests inside.
 */
#include "ir/offload/outline.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ir/ir_effects.h"
#include "ir/offload/inspect.h"
#include "ir/offload/private.h"
#include "ir/offload/reduce.h"
#include "ir/offload/split.h"
#include "ir/offload/trap_tails.h"
#include "ir/opt/pass.h"
#include "ir/util/ice.h"

/* ---- the kernel ---- */

/* Where a scalar of the kernel comes from: a value of the host function, or word `lane` of a v128. */
enum { LAST_ITERATION = 16 };

struct import {
    struct ir_value *value; /* NULL: one of reduce_scalars, `lane` its number; or LAST_ITERATION + a dimension */
    uint8_t lane;
};

struct outliner {
    const struct plan *plan;
    struct ir_func *func;
    struct ir_builder b;
    struct ir_map *map;
    struct import *imported; /* behind the scalars, in order */
    uint32_t nimported, imported_cap;
    struct ir_value **sym_values; /* grid coordinates, by iteration symbol */
    struct reduce_scalars reduce; /* parameters of the kernel, when it has reductions */
    struct reduce_loop workers;
    struct ir_value *last[OFF_MAX_GRID]; /* by chain loop: its last iteration, where p->flat */
    struct ir_value *iterations[OFF_MAX_GRID];
};

static struct ir_value *import_scalar(struct outliner *o, struct ir_value *v, enum ir_type type, uint8_t lane) {
    *arena_push(o->plan->arena, o->imported, o->nimported, o->imported_cap) = (struct import){v, lane};
    return ir_region_add_param(o->func->body, type);
}

static bool is_splat(const struct ir_inst *i) {
    return i && (i->op == IR_I8X16_SPLAT || i->op == IR_I16X8_SPLAT || i->op == IR_I32X4_SPLAT ||
                 i->op == IR_I64X2_SPLAT || i->op == IR_F32X4_SPLAT || i->op == IR_F64X2_SPLAT);
}

static void import_value(struct outliner *o, struct ir_value *v);

/* A vector comes in words, put together again; one that repeats a scalar comes as that. */
static struct ir_value *import_vector(struct outliner *o, struct ir_value *v) {
    if (is_splat(v->def)) {
        struct ir_value *lane = v->def->operands[0];
        import_value(o, lane);
        return ir_build_simple(&o->b, (enum ir_op)v->def->op, ir_map_get(o->map, lane), NULL);
    }
    static const enum ir_type type = IR_V128;
    struct ir_value *out = ir_build_simple(&o->b, IR_I32X4_SPLAT, import_scalar(o, v, IR_I32, 0), NULL);
    for (uint8_t lane = 1; lane < 4; lane++) {
        struct ir_value *operands[2] = {out, import_scalar(o, v, IR_I32, lane)};
        struct ir_inst *i = ir_build(&o->b, IR_I32X4_REPLACE_LANE, &type, 1, operands, 2);
        i->bits.v128[0] = lane;
        out = &i->results[0];
    }
    return out;
}

/* Lets the copy use a value from before the nest. */
static void import_value(struct outliner *o, struct ir_value *v) {
    if (loop_contains_value(o->plan->root, v) || ir_map_get(o->map, v) != v)
        return;
    const union ir_bits *c = ir_const_of(v);
    if (c)
        ir_map_set(o->map, v, ir_build_const(&o->b, v->type, *c));
    else if (v->type == IR_V128)
        ir_map_set(o->map, v, import_vector(o, v));
    else
        ir_map_set(o->map, v, import_scalar(o, v, v->type, 0));
}

/* What is read before the nest comes as a scalar; a global variable always does. */
static const struct aff_hoist *hoist_of(const struct outliner *o, struct ir_inst *i) {
    return ir_is_load(i) || i->op == IR_GLOBAL_GET ? aff_hoist_of(o->plan->aff, i, i->op == IR_GLOBAL_GET) : NULL;
}

static void import_operands(struct outliner *o, struct ir_inst *i) {
    const struct aff_hoist *h = hoist_of(o, i);
    if (h)
        import_value(o, h->value);
    for (uint32_t k = 0; k < i->noperands; k++)
        import_value(o, i->operands[k]);
    ir_foreach_region (r, i) {
        ir_foreach_inst (inner, r)
            import_operands(o, inner);
    }
}

/* Copies of in_kernel become 1. */
static void decide_twofold(struct ir_region *r) {
    ir_foreach_inst_safe (i, r) {
        if (i->op == IR_IN_KERNEL) {
            struct ir_builder b = ir_builder_before(i);
            b.wasm_offset = i->wasm_offset;
            i->results[0].fwd = ir_build_i32(&b, 1);
            ir_inst_remove(i);
            continue;
        }
        ir_foreach_region (inner, i)
            decide_twofold(inner);
    }
}

static void clone_inst(struct outliner *o, struct ir_inst *i) {
    import_operands(o, i);
    ir_clone_inst(&o->b, i, o->map);
}

static void import_symbols(struct outliner *o, const struct aff *a) {
    for (uint32_t t = 0; t < a->nterms; t++)
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            const struct aff_sym *s = aff_sym(o->plan->aff, a->terms[t].syms[d]);
            if (s->kind == AFF_VALUE)
                import_value(o, s->value);
        }
}

/* A carried value that is the load of an earlier iteration (plan_delay.c): that load, or an initial value. */
static struct ir_value *emit_delay(struct outliner *o, const struct plan_delay *d, struct ir_value *iteration) {
    import_symbols(o, d->address);
    for (uint32_t k = 0; k < d->depth; k++)
        import_value(o, d->init[k]);
    struct ir_value *early = ir_map_get(o->map, d->init[d->depth - 1]);
    for (uint32_t k = d->depth - 1; k-- > 0;)
        early = ir_build_select(&o->b, ir_map_get(o->map, d->init[k]), early,
                                ir_build_simple(&o->b, IR_I32_EQ, iteration, ir_build_i32(&o->b, k)));
    struct ir_value *depth = ir_build_i32(&o->b, d->depth);
    struct ir_inst *choice =
        ir_build_if(&o->b, ir_build_simple(&o->b, IR_I32_GE_U, iteration, depth), &d->param->type, 1);
    struct ir_builder then = ir_builder_at_end(choice->regions[0]), other = ir_builder_at_end(choice->regions[1]);
    then.wasm_offset = other.wasm_offset = o->b.wasm_offset;
    int sym = aff_iter_sym(o->plan->aff, d->loop);
    struct ir_value *now = sym < 0 ? NULL : o->sym_values[sym];
    if (sym >= 0)
        o->sym_values[sym] = ir_build_simple(&then, IR_I32_SUB, iteration, depth);
    struct ir_value *address = aff_emit(o->plan->aff, &then, d->address, o->map, o->sym_values);
    if (sym >= 0)
        o->sym_values[sym] = now;
    struct ir_mem mem = d->load->mem;
    mem.stream = o->plan->accesses[d->access].desc.stream;
    then.wasm_offset = d->load->wasm_offset;
    struct ir_value *v = ir_build_load(&then, (enum ir_op)d->load->op, address, mem);
    ir_build_yield(&then, &v, 1);
    ir_build_yield(&other, &early, 1);
    return &choice->results[0];
}

static const struct plan_delay *delay_of(const struct plan *p, const struct ir_value *param) {
    for (uint32_t k = 0; k < p->ndelays; k++)
        if (p->delays[k].param == param)
            return &p->delays[k];
    return NULL;
}

static void enter_loop(struct outliner *o, const struct loop *l, struct ir_value *iteration) {
    struct aff_ctx *aff = o->plan->aff;
    struct ir_region *r = l->inst->regions[0];
    for (uint32_t k = 0; k < r->nparams; k++) {
        const struct aff *a = aff_of(aff, r->params[k]);
        const struct plan_delay *delay = delay_of(o->plan, r->params[k]);
        if (!a && !delay && plan_reduce_of(o->plan, r->params[k]))
            continue;
        if (!a && plan_is_serial(o->plan, r->params[k])) { /* what is computed from it is dead */
            ir_map_set(o->map, r->params[k], ir_build_const(&o->b, r->params[k]->type, (union ir_bits){0}));
            continue;
        }
        struct plan_motion motion;
        if (!a && plan_find_motion(o->plan, l, k, &motion)) {
            import_value(o, motion.init);
            import_value(o, motion.step);
            ir_map_set(o->map, r->params[k],
                       plan_emit_motion(&o->b, &motion, ir_map_get(o->map, motion.init),
                                        ir_map_get(o->map, motion.step), iteration));
            continue;
        }
        ICE_UNLESS(a || delay);
        if (!a) {
            ir_map_set(o->map, r->params[k], emit_delay(o, delay, iteration));
            continue;
        }
        import_symbols(o, a);
        ir_map_set(o->map, r->params[k], aff_emit(aff, &o->b, a, o->map, o->sym_values));
    }
}

static bool stands_in(const struct ir_region *r, const struct ir_inst *inst) {
    for (const struct ir_region *at = inst->parent; at; at = at->parent ? at->parent->parent : NULL)
        if (at == r)
            return true;
    return false;
}

static bool holds(const struct ir_inst *i, const struct ir_inst *inner) {
    return (ir_nregions(i) > 0 && stands_in(i->regions[0], inner)) ||
           (ir_nregions(i) > 1 && stands_in(i->regions[1], inner));
}

static void clone_level(struct outliner *o, uint32_t level);

/* Copies what stands before the next parallel loop, then that loop. */
static void clone_prefix(struct outliner *o, struct ir_region *r, uint32_t level) {
    const struct loop *l = o->plan->chain[level], *next = o->plan->chain[level + 1];
    ir_foreach_inst (i, r) {
        if (i == next->inst) {
            clone_level(o, level + 1);
            return;
        }
        if (holds(i, next->inst)) {
            for (unsigned k = 0; k < ir_nregions(i); k++)
                if (stands_in(i->regions[k], next->inst)) {
                    clone_prefix(o, i->regions[k], level);
                    return;
                }
            ICE("parallel loop not found");
        }
        if (i != l->test && i->op != IR_BR_IF) /* tests known before the nest: the guard has asked them */
            clone_inst(o, i);
    }
}

/* Opens the loop over a worker's iterations.  Where these are points of several loops, the innermost counts fastest. */
static void open_workers(struct outliner *o) {
    const struct plan *p = o->plan;
    struct ir_value *worker = o->func->body->params[0], *one = NULL;
    struct ir_value *rest = reduce_loop_open(&o->workers, p, &o->b, o->map, worker, &o->reduce);
    for (uint32_t c = p->nchain; c-- > 0;) {
        o->iterations[c] = rest;
        if (c) {
            one = ir_build_i32(&o->b, 1);
            struct ir_value *count = ir_build_simple(&o->b, IR_I32_ADD, o->last[c], one);
            o->iterations[c] = ir_build_simple(&o->b, IR_I32_REM_U, rest, count);
            rest = ir_build_simple(&o->b, IR_I32_DIV_U, rest, count);
        }
        o->sym_values[aff_iter_sym(p->aff, p->chain[c])] = o->iterations[c];
    }
}

static void clone_level(struct outliner *o, uint32_t level) {
    const struct loop *l = o->plan->chain[level];
    bool reduces = o->plan->nreduces != 0;
    if (reduces && level == 0)
        open_workers(o);
    enter_loop(o, l, reduces ? o->iterations[level] : o->func->body->params[o->plan->axis_of[level]]);
    struct ir_region *body = l->inst->regions[0];
    if (l->shape == LOOP_TOP_IF) {
        for (struct ir_inst *i = body->first; i != l->test; i = i->next)
            clone_inst(o, i);
        body = l->back->parent;
    }
    if (level + 1 < o->plan->nchain) {
        clone_prefix(o, body, level);
        return;
    }
    bool bottom = l->shape == LOOP_BOTTOM_YIELD || l->shape == LOOP_BOTTOM_BREAK;
    for (struct ir_inst *i = body->first; i != (bottom ? l->test : l->back); i = i->next)
        if (i != l->test && !plan_is_sink(o->plan, i))
            clone_inst(o, i);
    if (reduces) {
        for (uint32_t k = 0; k < o->plan->nreduces; k++)
            if (o->plan->reduces[k].next)
                import_value(o, o->plan->reduces[k].next);
        reduce_loop_close(&o->workers, &o->b, o->map, &o->reduce);
    }
}

/* What a kernel with reductions needs besides the copied code. */
static void import_reduces(struct outliner *o) {
    if (!o->plan->nreduces)
        return;
    struct ir_value **scalars[] = {&o->reduce.first, &o->reduce.step, &o->reduce.rounds, &o->reduce.trip};
    for (uint8_t k = 0; k < 4; k++)
        *scalars[k] = import_scalar(o, NULL, IR_I32, k);
    for (uint32_t k = 0; k < o->plan->nreduces; k++) {
        const struct plan_reduce *r = &o->plan->reduces[k];
        if (r->start)
            import_value(o, r->start);
        for (uint32_t s = 0; s < r->nsteps; s++)
            import_value(o, r->for_nan ? r->steps[s].value : r->steps[s].cond);
    }
}

/* Takes the copies of what is read before the nest out of the kernel again. */
static void replace_hoisted(struct outliner *o, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        const struct aff_hoist *h = hoist_of(o, i);
        struct ir_value *copy = h ? ir_map_get(o->map, &i->results[0]) : NULL;
        if (h && copy != &i->results[0]) {
            copy->fwd = ir_map_get(o->map, h->value);
            ir_inst_remove(copy->def);
        }
        ir_foreach_region (inner, i)
            replace_hoisted(o, inner);
    }
}

/* In the kernel, what stops it is a trap: the inspector finds out whether any point comes there.  Globals that are
 * written come back to what they were. */
static void cut_stops(struct ir_region *r) {
    ir_foreach_inst_safe (i, r) {
        if (i->op == IR_GLOBAL_SET) {
            ir_inst_remove(i);
            continue;
        }
        if (ir_stops_kernel(i)) {
            struct ir_builder b = ir_builder_before(i);
            struct ir_inst *stop = ir_build(&b, IR_UNREACHABLE, NULL, 0, NULL, 0);
            ir_cut_after(stop);
            return;
        }
        ir_foreach_region (inner, i)
            cut_stops(inner);
    }
}

/* Leaving the nest is a trap as well: no point may do it. */
static void cut_exits(struct ir_region *r) {
    const struct ir_func *f = r->func;
    ir_foreach_inst_safe (i, r) {
        ir_foreach_region (inner, i)
            cut_exits(inner);
        bool branch = i->op == IR_BR || i->op == IR_BR_IF;
        if (i->op != IR_RETURN && !(branch && i->target->parent->func != f))
            continue;
        struct ir_builder b = ir_builder_before(i);
        if (i->op == IR_BR_IF) {
            struct ir_inst *choice = ir_build_if(&b, i->operands[0], NULL, 0);
            struct ir_builder then = ir_builder_at_end(choice->regions[0]),
                              other = ir_builder_at_end(choice->regions[1]);
            then.wasm_offset = other.wasm_offset = i->wasm_offset;
            ir_build(&then, IR_UNREACHABLE, NULL, 0, NULL, 0);
            ir_build_yield(&other, NULL, 0);
            ir_inst_remove(i);
        } else {
            ir_cut_after(ir_build(&b, IR_UNREACHABLE, NULL, 0, NULL, 0));
            return;
        }
    }
}

static void mark_used(struct ir_region *r, bool *used) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            if (!i->operands[k]->def && i->operands[k]->region == i->parent->func->body)
                used[i->operands[k]->index] = true;
        ir_foreach_region (inner, i)
            mark_used(inner, used);
    }
}

/* Drops the scalars that nothing uses after simplification, and makes the signature fit. */
static void trim_scalars(struct outliner *o, uint32_t ngrid) {
    struct ir_region *body = o->func->body;
    bool *used = arena_array(o->plan->arena, bool, body->nparams + 1);
    mark_used(body, used);
    uint32_t n = ngrid;
    for (uint32_t k = ngrid; k < body->nparams; k++)
        if (used[k]) {
            o->imported[n - ngrid] = o->imported[k - ngrid];
            body->params[n] = body->params[k];
            body->params[n]->index = n;
            n++;
        }
    body->nparams = n;
    o->nimported = n - ngrid;
    enum ir_type *types = arena_array(&o->func->arena, enum ir_type, n);
    for (uint32_t k = 0; k < n; k++)
        types[k] = body->params[k]->type;
    o->func->sig = (struct ir_sig){.nparams = n, .params = types};
}

static int16_t stream_of(const struct plan *p, uint32_t access) {
    const struct plan_access *x = &p->accesses[access];
    return x->private_group ? (int16_t)(PRIVATE_STREAM + access) : x->desc.stream;
}

static void set_streams(const struct plan *p, bool on) {
    for (uint32_t i = 0; i < p->naccesses; i++)
        if (!p->accesses[i].delayed)
            p->accesses[i].inst->mem.stream = on ? stream_of(p, i) : -1;
    for (uint32_t i = 0; i < p->ngathers; i++)
        p->gathers[i]->mem.stream = on ? p->gather_stream : -1;
}

/* "<func>_<offset>", a C identifier. */
static const char *kernel_name(struct ir_module *m, const struct plan *p) {
    const char *func = p->root->inst->parent->func->name;
    char *name = arena_printf(&m->arena, "%.60s_%x", func, p->root->inst->wasm_offset);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    if (isdigit((unsigned char)name[0]))
        name = arena_printf(&m->arena, "k%s", name);
    for (uint32_t i = 0; i < m->nkernels; i++)
        if (!strcmp(m->kernels[i]->name, name))
            return arena_printf(&m->arena, "%s_%u", name, m->nkernels);
    return name;
}

static uint32_t ngrid_of(const struct plan *p) {
    return p->flat ? 1 : p->nchain;
}

static void describe(struct ir_module *m, const struct plan *p, struct off_kernel *k) {
    k->func = p->root->inst->parent->func->index;
    k->wasm_offset = p->root->inst->wasm_offset;
    k->ngrid = ngrid_of(p);
    k->flat = p->flat;
    k->ndims = p->ndims;
    for (uint32_t d = 0; d < p->ndims; d++)
        k->dims[d] = p->dims[d].desc;
    k->naccesses = p->naccesses;
    k->accesses = arena_array(&m->arena, struct off_access, p->naccesses);
    for (uint32_t i = 0; i < p->naccesses; i++)
        k->accesses[i] = p->accesses[i].desc;
    for (uint32_t i = 0; i < p->naccesses; i++)
        k->declared |= p->accesses[i].desc.declared;
    k->nranges = p->nranges;
    k->ranges = arena_array(&m->arena, struct off_range, p->nranges + 1);
    memcpy(k->ranges, p->ranges, p->nranges * sizeof p->ranges[0]);
    k->nstreams = p->nstreams;
    memcpy(k->streams, p->streams, sizeof k->streams);
    k->nconditions = p->nconditions;
    k->condition_slots = arena_array(&m->arena, uint32_t, p->nconditions);
    memcpy(k->condition_slots, p->conditions, p->nconditions * sizeof p->conditions[0]);
    k->splits = p->splits;
    k->nreduces = p->nreduces;
    k->reduces = arena_array(&m->arena, struct off_reduce, p->nreduces + 1);
    for (uint32_t i = 0; i < p->nreduces; i++)
        k->reduces[i] = p->reduces[i].desc;
    k->in_order = p->in_order;
    k->checked_loads = p->ngathers;
    k->checked_ops = p->nchecked;
    k->gather_reach = p->gather_reach;
    k->uses = p->long_loop ? OFF_USE_LONG_LOOP : 0;
    /* Rows along x are what the memory system likes; 64 to 128 invocations suit every GPU and pass every limit. */
    static const uint32_t workgroups[OFF_MAX_GRID][3] = {{64, 1, 1}, {32, 4, 1}, {32, 4, 1}};
    memcpy(k->workgroup, workgroups[k->ngrid - 1], sizeof k->workgroup);
}

/* The slot of an imported value: the planner's when it has one, else a new one. */
static uint32_t scalar_slot(struct plan *p, const struct import *x) {
    enum plan_slot_kind kind = x->value->type == IR_V128 ? PLAN_SLOT_WORD : PLAN_SLOT_VALUE;
    for (uint32_t i = 0; i < p->nslots; i++)
        if (p->slots[i].kind == kind && p->slots[i].value == x->value && p->slots[i].lane == x->lane)
            return i;
    ICE_UNLESS(p->nslots < OFF_MAX_SLOTS);
    p->slots[p->nslots] = (struct plan_slot){.kind = kind, .value = x->value, .lane = x->lane};
    return p->nslots++;
}

static struct off_scalar scalar_of(struct plan *p, const struct outliner *o, uint32_t i) {
    const struct import *from = &o->imported[i];
    if (!from->value && from->lane >= LAST_ITERATION)
        return (struct off_scalar){
            .type = IR_I32, .source = OFF_SCALAR_LAST_ITERATION, .slot = from->lane - LAST_ITERATION};
    if (!from->value)
        return (struct off_scalar){.type = IR_I32, .source = OFF_SCALAR_FIRST + from->lane};
    return (struct off_scalar){.type = o->func->sig.params[ngrid_of(p) + i], .slot = scalar_slot(p, from)};
}

/* At the beginning: where the private groups lie, and whether this is the last point, which is the result (NULL where
 * that does not decide). */
static struct ir_value *begin_privates(struct outliner *o, struct ir_value **out_bases) {
    const struct plan *p = o->plan;
    for (uint32_t g = 0; g < p->nprivates; g++) {
        import_symbols(o, p->privates[g].base);
        out_bases[g] = aff_emit(p->aff, &o->b, p->privates[g].base, o->map, o->sym_values);
    }
    struct ir_value *is_last = NULL;
    for (uint32_t c = 0; c < p->nchain; c++) {
        struct ir_value *last = c || !p->flat ? import_scalar(o, NULL, IR_I32, (uint8_t)(LAST_ITERATION + c)) : NULL;
        o->last[c] = last;
        if (p->flat)
            continue;
        struct ir_value *here = ir_build_simple(&o->b, IR_I32_EQ, o->func->body->params[p->axis_of[c]], last);
        is_last = is_last ? ir_build_simple(&o->b, IR_I32_AND, is_last, here) : here;
    }
    return is_last;
}

struct off_kernel *outline_kernel(struct ir_module *m, struct plan *p, struct pass_ctx *passes) {
    struct off_kernel *k = arena_new(&m->arena, struct off_kernel);
    k->name = kernel_name(m, p);
    describe(m, p, k);

    enum ir_type grid[OFF_MAX_GRID] = {IR_I32, IR_I32, IR_I32};
    uint32_t ngrid = ngrid_of(p);
    struct ir_sig sig = {.nparams = ngrid, .params = grid};
    struct outliner o = {.plan = p, .map = ir_map_new(p->arena)};
    o.func = ir_func_new(m, k->name, &sig);
    o.b = ir_builder_at_end(o.func->body);
    o.b.wasm_offset = k->wasm_offset;
    o.sym_values = arena_array(p->arena, struct ir_value *, aff_nsyms(p->aff) + 1);
    for (uint32_t c = 0; c < p->nchain; c++)
        o.sym_values[aff_iter_sym(p->aff, p->chain[c])] = o.func->body->params[p->axis_of[c]];

    set_streams(p, true);
    import_reduces(&o);
    struct ir_value *bases[PLAN_MAX_PRIVATES], *is_last = p->nprivates ? begin_privates(&o, bases) : NULL;
    clone_level(&o, 0);
    set_streams(p, false);
    replace_hoisted(&o, p->root->inst->regions[0]);
    cut_exits(o.func->body);
    ir_build_return(&o.b, NULL, 0);
    cut_stops(o.func->body);
    decide_twofold(o.func->body);
    ir_resolve_operands(o.func->body);
    trap_tails_cut(o.func->body);
    if (p->nprivates)
        private_promote(p, o.func, bases, is_last);
    trim_scalars(&o, ngrid);
    opt_simplify(o.func, passes);
    trim_scalars(&o, ngrid);
    if (p->nslots + o.nimported + INSPECT_MAX_SCALARS > OFF_MAX_SLOTS) {
        ir_func_free(o.func);
        return NULL;
    }
    k->body = o.func;
    k->nscalars = o.nimported;
    k->scalars = arena_array(&m->arena, struct off_scalar, o.nimported + 1);
    for (uint32_t i = 0; i < o.nimported; i++)
        k->scalars[i] = scalar_of(p, &o, i);
    k->nslots = p->nslots;
    k->slot_types = arena_array(&m->arena, enum ir_type, p->nslots + 1);

    k->id = m->nkernels;
    k->body->index = k->id;
    *arena_push(&m->arena, m->kernels, m->nkernels, m->kernels_cap) = k;
    if (p->ngathers || p->nchecked)
        inspect_split(m, k, passes);
    return k;
}
