/* The walk shared by the legalisation steps; see rebuild.h.  Labels of the input have their counterpart in `note`
 * while their regions are walked. */
#include "ir/offload/rebuild.h"

#include "ir/ir_immediates.h"
#include "ir/util/ice.h"

static bool is_wide(enum ir_type t) {
    return t == IR_I64 || t == IR_F64;
}

static void map_value(struct rebuild *r, const struct ir_value *v, struct ir_value *lo, struct ir_value *hi) {
    ICE_UNLESS((hi != 0) == (r->split && is_wide(v->type)));
    r->map[v->id] = (struct rebuild_pair){lo, hi};
}

struct rebuild_pair rebuild_get(const struct rebuild *r, const struct ir_value *v) {
    ICE_UNLESS(r->map[v->id].lo);
    return r->map[v->id];
}

struct ir_value *rebuild_lo(const struct rebuild *r, const struct ir_inst *i, uint32_t k) {
    return rebuild_get(r, i->operands[k]).lo;
}

struct ir_value *rebuild_hi(const struct rebuild *r, const struct ir_inst *i, uint32_t k) {
    return rebuild_get(r, i->operands[k]).hi;
}

void rebuild_set(struct rebuild *r, const struct ir_inst *i, struct ir_value *lo, struct ir_value *hi) {
    map_value(r, &i->results[0], lo, hi);
}

struct ir_value *rebuild_op(struct rebuild *r, enum ir_op op, struct ir_value *x, struct ir_value *y) {
    return ir_build_simple(&r->b, op, x, y);
}

struct ir_value *rebuild_opi(struct rebuild *r, enum ir_op op, struct ir_value *x, uint32_t y) {
    return ir_build_simple(&r->b, op, x, ir_build_i32(&r->b, y));
}

struct ir_value *rebuild_op64i(struct rebuild *r, enum ir_op op, struct ir_value *x, uint64_t y) {
    return ir_build_simple(&r->b, op, x, ir_build_i64(&r->b, y));
}

struct ir_value *rebuild_to_bits(struct rebuild *r, struct ir_value *v) {
    if (v->type == IR_F32)
        return rebuild_op(r, IR_I32_REINTERPRET_F32, v, NULL);
    return v->type == IR_F64 ? rebuild_op(r, IR_I64_REINTERPRET_F64, v, NULL) : v;
}

struct ir_value *rebuild_from_bits(struct rebuild *r, enum ir_type t, struct ir_value *v) {
    if (t == IR_F32)
        return rebuild_op(r, IR_F32_REINTERPRET_I32, v, NULL);
    return t == IR_F64 ? rebuild_op(r, IR_F64_REINTERPRET_I64, v, NULL) : v;
}

struct ir_value *rebuild_i32(struct rebuild *r, uint32_t v) {
    return ir_build_i32(&r->b, v);
}
struct ir_value *rebuild_i64(struct rebuild *r, uint64_t v) {
    return ir_build_i64(&r->b, v);
}

struct ir_value *rebuild_select(struct rebuild *r, struct ir_value *cond, struct ir_value *t, struct ir_value *f) {
    return ir_build_select(&r->b, t, f, cond);
}

/* ---- parts: one value, or with `split` two ---- */

static uint32_t pair_types(const struct rebuild *r, const struct ir_value *v, enum ir_type *out) {
    bool wide = r->split && is_wide(v->type);
    out[0] = wide ? IR_I32 : v->type;
    out[1] = IR_I32;
    return wide ? 2 : 1;
}

static void pair_get(struct rebuild *r, const struct ir_value *v, struct ir_value **out) {
    struct rebuild_pair p = rebuild_get(r, v);
    out[0] = p.lo;
    if (p.hi)
        out[1] = p.hi;
}

static void pair_set(struct rebuild *r, const struct ir_value *v, struct ir_value *const *in) {
    map_value(r, v, in[0], r->split && is_wide(v->type) ? in[1] : NULL);
}

static const struct rebuild_parts pair_parts = {pair_types, pair_get, pair_set};

/* The values `v[0..n)` of the new function, expanded. */
static struct ir_value **expand_values(struct rebuild *r, struct ir_value *const *v, uint32_t n, uint32_t *out_n) {
    struct ir_value **out = arena_array(&r->scratch, struct ir_value *, REBUILD_MAX_PARTS * (size_t)n + 1);
    enum ir_type types[REBUILD_MAX_PARTS];
    *out_n = 0;
    for (uint32_t k = 0; k < n; k++) {
        r->parts->get(r, v[k], out + *out_n);
        *out_n += r->parts->types(r, v[k], types);
    }
    return out;
}

static enum ir_type *expand_types(struct rebuild *r, const struct ir_inst *i, uint32_t *out_n) {
    enum ir_type *out = arena_array(&r->scratch, enum ir_type, REBUILD_MAX_PARTS * (size_t)i->nresults + 2);
    *out_n = 0;
    for (uint32_t k = 0; k < i->nresults; k++)
        *out_n += r->parts->types(r, &i->results[k], out + *out_n);
    return out;
}

static void map_results(struct rebuild *r, const struct ir_inst *from, struct ir_inst *to) {
    struct ir_value *parts[REBUILD_MAX_PARTS];
    enum ir_type types[REBUILD_MAX_PARTS];
    uint32_t at = 0;
    for (uint32_t k = 0; k < from->nresults; k++) {
        uint32_t n = r->parts->types(r, &from->results[k], types);
        for (uint32_t p = 0; p < n; p++)
            parts[p] = &to->results[at++];
        r->parts->set(r, &from->results[k], parts);
    }
}

static void map_params(struct rebuild *r, const struct ir_region *from, struct ir_region *to) {
    enum ir_type types[REBUILD_MAX_PARTS];
    uint32_t at = 0;
    for (uint32_t k = 0; k < from->nparams; k++) {
        uint32_t n = r->parts->types(r, from->params[k], types);
        r->parts->set(r, from->params[k], to->params + at);
        at += n;
    }
}

static void walk_region(struct rebuild *r, struct ir_region *from, struct ir_region *to);

static void copy_control(struct rebuild *r, struct ir_inst *i) {
    uint32_t n, nresults;
    struct ir_value **v = expand_values(r, i->operands, i->noperands, &n);
    enum ir_type *types = expand_types(r, i, &nresults);
    struct ir_inst *made = 0;
    switch (i->op) {
    case IR_BLOCK:
        made = ir_build_block(&r->b, types, nresults);
        break;
    case IR_IF:
        made = ir_build_if(&r->b, v[0], types, nresults);
        break;
    case IR_LOOP:
        made = ir_build_loop(&r->b, v, n, types, nresults);
        map_params(r, i->regions[0], made->regions[0]);
        break;
    case IR_YIELD:
        ir_build_yield(&r->b, v, n);
        return;
    case IR_RETURN:
        ir_build_return(&r->b, v, n);
        return;
    case IR_BR:
        ir_build_br(&r->b, i->target->note, v, n);
        return;
    case IR_BR_IF:
        ir_build_br_if(&r->b, v[0], i->target->note, v + 1, n - 1);
        return;
    case IR_BR_TABLE: {
        struct ir_inst **targets = arena_array(&r->scratch, struct ir_inst *, i->ntargets);
        for (uint32_t k = 0; k < i->ntargets; k++)
            targets[k] = i->targets[k]->note;
        ir_build_br_table(&r->b, v[0], targets, i->ntargets, v + 1, n - 1);
        return;
    }
    default:
        ICE("not a control instruction: %s", ir_info(i)->text);
    }
    i->note = made;
    for (unsigned k = 0; k < ir_nregions(i); k++)
        walk_region(r, i->regions[k], made->regions[k]);
    i->note = NULL; /* nobody outside branches to it, and whoever comes next finds it clean */
    map_results(r, i, made);
}

static void copy_plain(struct rebuild *r, struct ir_inst *i) {
    uint32_t n, nresults;
    struct ir_value **v = expand_values(r, i->operands, i->noperands, &n);
    enum ir_type *types = expand_types(r, i, &nresults);
    ICE_UNLESS(nresults == i->nresults && n == i->noperands); /* split values need a rule */
    struct ir_inst *made = ir_build(&r->b, (enum ir_op)i->op, types, nresults, v, n);
    made->index = i->index;
    made->index2 = i->index2;
    if (ir_is_const(i) || ir_info(i)->kind == IR_KIND_LANES)
        made->bits = i->bits;
    else if (ir_has_mem((enum ir_op)i->op))
        made->mem = i->mem;
    map_results(r, i, made);
}

static void walk_region(struct rebuild *r, struct ir_region *from, struct ir_region *to) {
    struct ir_builder outer = r->b;
    r->b = ir_builder_at_end(to);
    ir_foreach_inst (i, from) {
        r->b.wasm_offset = i->wasm_offset;
        switch (i->op) {
        case IR_BLOCK:
        case IR_IF:
        case IR_LOOP:
        case IR_YIELD:
        case IR_RETURN:
        case IR_BR:
        case IR_BR_IF:
        case IR_BR_TABLE:
            copy_control(r, i);
            break;
        default:
            if (!r->rule(r, i))
                copy_plain(r, i);
        }
    }
    r->b = outer;
}

static struct ir_func *run(struct ir_module *m, struct ir_func *f, rebuild_rule *rule, struct rebuild init) {
    struct rebuild r = init;
    r.src = f;
    r.rule = rule;
    if (!r.parts)
        r.parts = &pair_parts;
    r.map = arena_array(&r.scratch, struct rebuild_pair, f->next_id + 1);
    struct ir_sig sig = {0};
    enum ir_type *params = arena_array(&r.scratch, enum ir_type, REBUILD_MAX_PARTS * (size_t)f->body->nparams + 2);
    enum ir_type *results = arena_array(&r.scratch, enum ir_type, REBUILD_MAX_PARTS * (size_t)f->sig.nresults + 2);
    for (uint32_t k = 0; k < f->body->nparams; k++)
        sig.nparams += r.parts->types(&r, f->body->params[k], params + sig.nparams);
    for (uint32_t k = 0; k < f->sig.nresults; k++) {
        struct ir_value result = {.type = f->sig.results[k], .id = f->next_id};
        sig.nresults += r.parts->types(&r, &result, results + sig.nresults);
    }
    sig.params = params;
    sig.results = results;
    r.dst = ir_func_new(m, f->name, &sig);
    r.dst->index = f->index;
    r.dst->type = f->type;
    r.dst->wasm_offset = f->wasm_offset;
    r.dst->wasm_end = f->wasm_end;
    r.dst->code_offset = f->code_offset;
    map_params(&r, f->body, r.dst->body);
    walk_region(&r, f->body, r.dst->body);
    arena_free(&r.scratch);
    return r.dst;
}

struct ir_func *rebuild_run(struct ir_func *f, rebuild_rule *rule, bool split, uint32_t flags) {
    return run(f->module, f, rule, (struct rebuild){.split = split, .flags = flags});
}

struct ir_func *rebuild_run_in(struct ir_module *m, struct ir_func *f, rebuild_rule *rule, bool split, uint32_t flags) {
    return run(m, f, rule, (struct rebuild){.split = split, .flags = flags});
}

struct ir_func *rebuild_with(struct ir_func *f, rebuild_rule *rule, const void *user) {
    return run(f->module, f, rule, (struct rebuild){.user = user});
}

struct ir_func *rebuild_with_parts(struct ir_func *f, rebuild_rule *rule, const struct rebuild_parts *parts,
                                   const void *user) {
    return run(f->module, f, rule, (struct rebuild){.parts = parts, .user = user});
}
