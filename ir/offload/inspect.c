/* Inspector and executor of a kernel; see inspect.h. */
#include "ir/offload/inspect.h"

#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/offload/inspect_traps.h"
#include "ir/offload/legalize_unaligned.h"
#include "ir/offload/plan.h"
#include "ir/offload/rebuild.h"
#include "ir/util/ice.h"

enum { MAX_ROUNDS = 16 };

struct inspect {
    struct off_kernel *kernel;
    struct ir_value *last_byte, *alignment;                          /* parameters of the kernel's body */
    struct ir_value *first[OFF_MAX_STREAMS], *last[OFF_MAX_STREAMS]; /* of what is written; NULL: nothing */
    int16_t status;                                                  /* stream */
};

/* ---- scalars ---- */

static struct ir_value *add_scalar(struct off_kernel *k, enum off_scalar_source source, uint32_t slot) {
    k->scalars[k->nscalars++] = (struct off_scalar){.type = IR_I32, .slot = slot, .source = source};
    return ir_region_add_param(k->body->body, IR_I32);
}

static void set_signature(struct ir_func *f) {
    struct ir_region *body = f->body;
    enum ir_type *types = arena_array(&f->arena, enum ir_type, body->nparams + 1);
    for (uint32_t p = 0; p < body->nparams; p++)
        types[p] = body->params[p]->type;
    f->sig = (struct ir_sig){.nparams = body->nparams, .params = types};
}

static void mark_params(struct ir_region *r, bool *used) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            if (!i->operands[k]->def && i->operands[k]->region == i->parent->func->body)
                used[i->operands[k]->index] = true;
        ir_foreach_region (inner, i)
            mark_params(inner, used);
    }
}

/* Drops the scalars that the body does not use. */
static void trim_scalars(struct off_kernel *k) {
    struct ir_region *body = k->body->body;
    bool *used = arena_array(&k->body->arena, bool, body->nparams + 1);
    mark_params(body, used);
    uint32_t n = 0;
    for (uint32_t s = 0; s < k->nscalars; s++)
        if (used[k->ngrid + s]) {
            k->scalars[n] = k->scalars[s];
            body->params[k->ngrid + n] = body->params[k->ngrid + s];
            body->params[k->ngrid + n]->index = k->ngrid + n;
            n++;
        }
    k->nscalars = n;
    body->nparams = k->ngrid + n;
    set_signature(k->body);
}

/* ---- checks ---- */

static void build_flag(struct ir_builder *b, int16_t status) {
    struct ir_mem mem = {.align_log2 = 2, .stream = status};
    struct ir_value *address = ir_build_i32(b, 0), *one = ir_build_i32(b, 1);
    ir_build_store(b, IR_I32_STORE, address, one, mem);
    ir_build_return(b, NULL, 0);
}

static void flag_if(struct ir_builder *b, struct ir_value *bad, int16_t status) {
    struct ir_inst *i = ir_build_if(b, bad, NULL, 0);
    struct ir_builder then = ir_builder_at_end(i->regions[0]), other = ir_builder_at_end(i->regions[1]);
    then.wasm_offset = other.wasm_offset = b->wasm_offset;
    build_flag(&then, status);
    ir_build_yield(&other, NULL, 0);
}

static struct ir_value *param(const struct rebuild *r, const struct ir_value *v) {
    return rebuild_get(r, v).lo;
}

/* The greatest address operand with which the load stays inside memory. */
static struct ir_value *highest_address(struct rebuild *r, const struct inspect *c, const struct ir_inst *i) {
    uint64_t end = i->mem.offset + ir_info(i)->bytes;
    struct ir_value *last = param(r, c->last_byte);
    return end == 1 ? last : rebuild_opi(r, IR_I32_SUB, last, (uint32_t)(end - 1));
}

static struct ir_value *is_bad_load(struct rebuild *r, const struct inspect *c, const struct ir_inst *i) {
    uint32_t bytes = ir_info(i)->bytes;
    struct ir_value *address = rebuild_lo(r, i, 0);
    struct ir_value *bad = rebuild_op(r, IR_I32_GT_U, address, highest_address(r, c, i));
    if (i->mem.offset)
        address = rebuild_opi(r, IR_I32_ADD, address, (uint32_t)i->mem.offset);
    uint32_t align = legalize_access_align(i);
    if (align > 1) {
        struct ir_value *odd = rebuild_opi(r, IR_I32_AND, address, align - 1);
        bad = rebuild_op(r, IR_I32_OR, bad, rebuild_op(r, IR_I32_AND, odd, param(r, c->alignment)));
    }
    struct ir_value *end = bytes > 1 ? rebuild_opi(r, IR_I32_ADD, address, bytes - 1) : address;
    for (uint32_t s = 0; s < c->kernel->nstreams; s++) {
        if (!c->first[s])
            continue;
        struct ir_value *below = rebuild_op(r, IR_I32_LE_U, address, param(r, c->last[s]));
        struct ir_value *above = rebuild_op(r, IR_I32_GE_U, end, param(r, c->first[s]));
        bad = rebuild_op(r, IR_I32_OR, bad, rebuild_op(r, IR_I32_AND, below, above));
    }
    return bad;
}

static bool is_checked_load(const struct inspect *c, const struct ir_inst *i) {
    return ir_is_load(i) && c->kernel->streams[i->mem.stream].kind == OFF_STREAM_MEMORY;
}

static bool is_trap(const struct ir_inst *i) {
    return i->op == IR_UNREACHABLE && !plan_diverges(i->prev);
}

static bool inspector_rule(struct rebuild *r, struct ir_inst *i) {
    const struct inspect *c = r->user;
    if (ir_is_store(i))
        return true;
    if (is_checked_load(c, i)) {
        flag_if(&r->b, is_bad_load(r, c, i), c->status);
    } else if (is_trap(i)) {
        build_flag(&r->b, c->status);
        return true;
    } else if (ir_info(i)->kind == IR_KIND_SIMPLE && ir_may_trap(i)) {
        flag_if(&r->b, inspect_traps(r, i), c->status);
    }
    return false;
}

static bool executor_rule(struct rebuild *r, struct ir_inst *i) {
    const struct inspect *c = r->user;
    if (is_trap(i)) {
        ir_build_return(&r->b, NULL, 0);
        return true;
    }
    if (!is_checked_load(c, i))
        return false;
    struct ir_value *address = rebuild_lo(r, i, 0), *most = highest_address(r, c, i);
    struct ir_value *over = rebuild_op(r, IR_I32_GT_U, address, most);
    address = rebuild_select(r, over, most, address);
    rebuild_set(r, i, ir_build_load(&r->b, (enum ir_op)i->op, address, i->mem), NULL);
    return true;
}

/* ---- what no check depends on ---- */

struct sweep {
    uint32_t *uses;               /* by value id */
    uint32_t gets[IR_MAX_ARRAYS]; /* of words of private arrays */
    bool changed;
};

static void count_uses(struct sweep *s, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            s->uses[i->operands[k]->id]++;
        if (i->op == IR_ARRAY_GET)
            s->gets[i->index]++;
        ir_foreach_region (inner, i)
            count_uses(s, inner);
    }
}

static bool stands_inside(const struct ir_inst *inner, const struct ir_inst *outer) {
    for (const struct ir_inst *i = inner; i; i = i->parent->parent)
        if (i == outer)
            return true;
    return false;
}

/* Whether the region does something that the world behind `outer` can see, besides its results. */
static bool has_effect(struct ir_region *r, const struct ir_inst *outer) {
    ir_foreach_inst (i, r) {
        if (ir_is_store(i) || i->op == IR_ARRAY_SET || i->op == IR_RETURN || i->op == IR_UNREACHABLE)
            return true;
        if ((i->op == IR_BR || i->op == IR_BR_IF) && !stands_inside(i->target, outer))
            return true;
        for (uint32_t k = 0; i->op == IR_BR_TABLE && k < i->ntargets; k++)
            if (!stands_inside(i->targets[k], outer))
                return true;
        ir_foreach_region (inner, i)
            if (has_effect(inner, outer))
                return true;
    }
    return false;
}

static bool is_idle(const struct sweep *s, const struct ir_inst *i) {
    for (uint32_t k = 0; k < i->nresults; k++)
        if (s->uses[i->results[k].id])
            return false;
    if (ir_nregions(i)) {
        ir_foreach_region (inner, (struct ir_inst *)i)
            if (has_effect(inner, i))
                return false;
        return true;
    }
    /* Loads are in bounds and operations do not trap: checked or guarded. */
    if (i->op == IR_ARRAY_SET)
        return s->gets[i->index] == 0;
    return ir_is_load(i) || i->op == IR_ARRAY_GET || ir_info(i)->kind == IR_KIND_LANES ||
           (ir_info(i)->kind == IR_KIND_SIMPLE && ir_is_function_of_operands(i));
}

static void sweep_region(struct sweep *s, struct ir_region *r) {
    for (struct ir_inst *i = r->last, *prev; i; i = prev) {
        prev = i->prev;
        if (i != r->last && is_idle(s, i)) {
            ir_inst_remove(i);
            s->changed = true;
            continue;
        }
        for (unsigned k = ir_nregions(i); k-- > 0;)
            sweep_region(s, i->regions[k]);
    }
}

/* Dead loads and loops, which the passes for host code must keep, and what those passes can drop then. */
static void prune(struct ir_func *f, struct pass_ctx *passes) {
    for (int round = 0; round < MAX_ROUNDS; round++) {
        opt_simplify(f, passes);
        struct arena scratch = {0};
        struct sweep s = {.uses = arena_array(&scratch, uint32_t, f->next_id + 1)};
        count_uses(&s, f->body);
        sweep_region(&s, f->body);
        arena_free(&scratch);
        if (!s.changed)
            return;
    }
}

/* ---- the step budget ---- */

/* Lets every branch to `loop`, which has just got its last parameter, pass `v` for it. */
static void pass_to_loop(struct ir_region *r, const struct ir_inst *loop, struct ir_value *v) {
    ir_foreach_inst (i, r) {
        if ((i->op == IR_BR || i->op == IR_BR_IF) && i->target == loop)
            ir_inst_insert_operand(i, i->noperands, v);
        if (i->op == IR_BR_TABLE) {
            uint32_t at = 1;
            for (uint32_t k = 0; k < i->ntargets; k++) {
                at += ir_label_arity(i->targets[k]);
                if (i->targets[k] == loop)
                    ir_inst_insert_operand(i, at - 1, v);
            }
        }
        ir_foreach_region (inner, i)
            pass_to_loop(inner, loop, v);
    }
}

static void bound_loops(struct ir_region *r, int16_t status) {
    ir_foreach_inst (i, r) {
        ir_foreach_region (inner, i)
            bound_loops(inner, status);
        if (i->op != IR_LOOP)
            continue;
        struct ir_builder before = ir_builder_before(i);
        before.wasm_offset = i->wasm_offset;
        ir_inst_insert_operand(i, i->noperands, ir_build_i32(&before, 0));
        struct ir_region *body = i->regions[0];
        struct ir_value *steps = ir_region_add_param(body, IR_I32);
        struct ir_builder b = ir_builder_before(body->first);
        b.wasm_offset = i->wasm_offset;
        flag_if(&b, ir_build_simple(&b, IR_I32_GE_U, steps, ir_build_i32(&b, INSPECT_MAX_STEPS)), status);
        struct ir_value *next = ir_build_simple(&b, IR_I32_ADD, steps, ir_build_i32(&b, 1));
        pass_to_loop(body, i, next);
    }
}

/* ---- streams that are read again ---- */

static bool holds_store(struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_is_store(i))
            return true;
        ir_foreach_region (inner, i)
            if (holds_store(inner))
                return true;
    }
    return false;
}

/* Streams with a load that a store of the same point may come before.  `workers`: the first loop in `r` itself is one
 * over the iterations of a worker.  What other iterations store there is like what other points do: the guard sees to
 * it that no load of this one meets it. */
static uint32_t find_late_loads(struct ir_region *r, bool *stored, bool workers) {
    uint32_t streams = 0;
    ir_foreach_inst (i, r) {
        if (ir_is_load(i) && *stored)
            streams |= UINT32_C(1) << i->mem.stream;
        *stored |= ir_is_store(i);
        if (i->op == IR_LOOP && !workers)
            *stored |= holds_store(i->regions[0]);
        workers &= i->op != IR_LOOP;
        ir_foreach_region (inner, i)
            streams |= find_late_loads(inner, stored, false);
    }
    return streams;
}

static uint32_t find_loads(struct ir_region *r) {
    uint32_t streams = 0;
    ir_foreach_inst (i, r) {
        if (ir_is_load(i))
            streams |= UINT32_C(1) << i->mem.stream;
        ir_foreach_region (inner, i)
            streams |= find_loads(inner);
    }
    return streams;
}

/* ---- the whole ---- */

static struct off_kernel *new_inspector(struct ir_module *m, struct off_kernel *k, struct ir_func *body) {
    struct off_kernel *n = arena_new(&m->arena, struct off_kernel);
    n->name = arena_printf(&m->arena, "%s_inspect", k->name);
    n->func = k->func;
    n->wasm_offset = k->wasm_offset;
    n->body = body;
    body->name = n->name;
    n->ngrid = k->ngrid;
    n->nstreams = k->nstreams + 1;
    memcpy(n->streams, k->streams, sizeof n->streams);
    for (uint32_t s = 0; s < k->nstreams; s++)
        n->streams[s].write = false;
    n->streams[k->nstreams] =
        (struct off_stream){.write = true, .min_bytes = 4, .max_bytes = 4, .kind = OFF_STREAM_STATUS};
    n->nscalars = k->nscalars;
    n->scalars = arena_array(&m->arena, struct off_scalar, k->nscalars + 1);
    memcpy(n->scalars, k->scalars, k->nscalars * sizeof n->scalars[0]);
    n->nslots = k->nslots;
    n->slot_types = k->slot_types;
    memcpy(n->workgroup, k->workgroup, sizeof n->workgroup);
    n->inspects = true;
    return n;
}

void inspect_split(struct ir_module *m, struct off_kernel *k, struct pass_ctx *passes) {
    ICE_UNLESS(k->nstreams < OFF_MAX_STREAMS);
    struct off_scalar *scalars = arena_array(&m->arena, struct off_scalar, k->nscalars + INSPECT_MAX_SCALARS + 1);
    memcpy(scalars, k->scalars, k->nscalars * sizeof scalars[0]);
    k->scalars = scalars;
    struct inspect c = {.kernel = k, .status = (int16_t)k->nstreams};
    c.last_byte = add_scalar(k, OFF_SCALAR_LAST_BYTE, 0);
    c.alignment = add_scalar(k, OFF_SCALAR_ALIGNMENT, 0);
    for (uint32_t s = 0; s < k->nstreams; s++)
        if (k->streams[s].write) {
            c.first[s] = add_scalar(k, OFF_SCALAR_WRITTEN_FIRST, s);
            c.last[s] = add_scalar(k, OFF_SCALAR_WRITTEN_LAST, s);
        }
    set_signature(k->body);
    bool stored = false;
    uint32_t late = find_late_loads(k->body->body, &stored, k->nreduces != 0);

    struct ir_func *inspector = rebuild_with(k->body, inspector_rule, &c);
    prune(inspector, passes);
    struct off_kernel *n = new_inspector(m, k, inspector);
    struct ir_func *executor = rebuild_with(k->body, executor_rule, &c);
    ir_func_free(k->body);
    k->body = executor;
    executor->index = k->id;
    opt_simplify(executor, passes);
    trim_scalars(k);
    if (!holds_store(inspector->body)) {
        k->checked_loads = k->checked_ops = 0;
        ir_func_free(inspector);
        return;
    }
    late &= find_loads(inspector->body);
    for (uint32_t s = 0; s < k->nstreams; s++)
        k->streams[s].reread |= (late >> s & 1) != 0 && k->streams[s].kind == OFF_STREAM_RANGE;
    bound_loops(inspector->body, c.status);
    opt_simplify(inspector, passes);
    trim_scalars(n);
    k->inspector = n;
    n->id = m->nkernels;
    inspector->index = n->id;
    *arena_push(&m->arena, m->kernels, m->nkernels, m->kernels_cap) = n;
}
