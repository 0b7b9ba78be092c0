/* Random loop nests: statements, arrays, and the module of a seed. */
#include "tests/fuzz/nest_gen.h"

#include <string.h>

#include "tests/fuzz/nest_helpers.h"

static struct ir_value *any_condition(struct gen *g, struct scope *s) {
    if (nest_chance(g, 35))
        return nest_known_condition(g);
    if (nest_chance(g, 40))
        return nest_op(g, IR_I32_LT_S, s->counter[nest_below(g, s->depth)], nest_known(g, IR_I32, nest_below(g, 40)));
    return nest_op(g, IR_I32_LT_S, nest_datum(g, s, IR_I32), nest_known(g, IR_I32, nest_below(g, 200)));
}

static void conditional(struct gen *g, struct scope *s) {
    struct ir_value *c = any_condition(g, s);
    struct scope inner = *s;
    nest_stamp(g);
    if (nest_chance(g, 60)) {
        enum ir_type type = IR_I32;
        bool result = nest_chance(g, 40);
        struct ir_inst *i = ir_build_if(&g->b, c, &type, result);
        struct ir_builder after = g->b;
        for (unsigned side = 0; side < 2; side++) {
            inner = *s;
            g->b = ir_builder_at_end(i->regions[side]);
            if (side == 0 || nest_chance(g, 40))
                nest_body(g, &inner, 1 + nest_below(g, 2));
            struct ir_value *v = result ? nest_datum(g, &inner, IR_I32) : NULL;
            nest_stamp(g);
            ir_build_yield(&g->b, &v, result);
        }
        g->b = after;
        if (result)
            nest_keep(g, s, &i->results[0]);
        return;
    }
    struct ir_inst *block = ir_build_block(&g->b, NULL, 0);
    struct ir_builder after = g->b;
    g->b = ir_builder_at_end(block->regions[0]);
    nest_stamp(g);
    ir_build_br_if(&g->b, c, block, NULL, 0);
    nest_body(g, &inner, 1 + nest_below(g, 2));
    nest_stamp(g);
    ir_build_yield(&g->b, NULL, 0);
    g->b = after;
}

static void statement(struct gen *g, struct scope *s) {
    if (g->lanes && nest_chance(g, 30)) {
        nest_lanes_compute(g, s);
        return;
    }
    if (g->scratch && nest_chance(g, 25)) {
        nest_scratch(g, s);
        return;
    }
    uint32_t what = nest_below(g, 100);
    if (g->wild && nest_chance(g, 25)) {
        uint32_t which = nest_below(g, 12);
        if (which < 5)
            nest_gather(g, s);
        else if (which < 8)
            nest_walk(g, s);
        else if (which < 10)
            nest_rare(g, s);
        else
            nest_may_trap(g, s);
        return;
    }
    if (what < 32)
        nest_do_store(g, s);
    else if (what < 56)
        nest_do_load(g, s);
    else if (what < 74)
        nest_compute(g, s);
    else if (what < 86)
        conditional(g, s);
    else if (what < 90)
        nest_divide(g, s);
    else if (what < 95 && s->depth < MAX_DEPTH)
        nest_gen_unrolled(g, s);
    else if (what < 98)
        nest_call_helper(g, s);
    else
        nest_compute(g, s);
}

static void leave_early(struct gen *g, struct scope *s) {
    struct ir_value *c = nest_op(g, IR_I32_EQ, nest_datum(g, s, IR_I32), nest_known(g, IR_I32, nest_below(g, 60)));
    nest_stamp(g);
    ir_build_br_if(&g->b, c, s->escape, NULL, 0);
}

void nest_body(struct gen *g, struct scope *s, uint32_t statements) {
    uint32_t loop_at = nest_below(g, statements), again_at = nest_below(g, 4 * statements);
    bool loop_here = s->depth < g->depth;
    for (uint32_t k = 0; k < statements && g->budget-- > 0; k++) {
        if (loop_here && (k == loop_at || k == again_at))
            nest_gen_loop(g, s);
        else if (!loop_here || !nest_chance(g, 60)) /* often nothing beside the inner loop */
            statement(g, s);
    }
    if (s->escape && nest_chance(g, 50))
        leave_early(g, s);
    if (!loop_here && nest_chance(g, 70))
        nest_do_store(g, s);
}

/* ---- arrays ---- */

static void choose_arrays(struct gen *g) {
    g->narrays = 1 + nest_below(g, MAX_ARRAYS);
    uint32_t next = 256 + 8 * nest_below(g, 100);
    for (uint32_t a = 0; a < g->narrays; a++) {
        struct array *x = &g->arrays[a];
        *x = (struct array){.kind = nest_chance(g, 50) ? AS_I32 : (enum access_kind)nest_below(g, ACCESS_KINDS)};
        if (g->lanes && nest_chance(g, 45))
            x->kind = AS_V128;
        uint32_t bytes = nest_kinds[x->kind].bytes, reach = bytes;
        bool columns = nest_chance(g, 15);
        for (uint32_t k = 0; k < MAX_DEPTH; k++) {
            uint32_t d = columns ? k : MAX_DEPTH - 1 - k;
            if (d >= g->depth) {
                x->stride[d] = (int32_t)bytes; /* used by unrolled loops below the nest */
                continue;
            }
            uint32_t trips = g->trip[d] ? g->trip[d] : 1, stride = reach;
            if (nest_chance(g, 10))
                stride += bytes * nest_below(g, 5);
            x->stride[d] = nest_chance(g, 12) ? -(int32_t)stride : (int32_t)stride;
            if (nest_chance(g, 4))
                x->stride[d] = nest_between(g, -16, 16);
            if (nest_chance(g, 1)) /* comes round */
                x->stride[d] =
                    (int32_t)(UINT32_C(1) << (28 + nest_below(g, 3))) + (nest_chance(g, 50) ? (int32_t)bytes : 0);
            reach = stride * trips;
            x->pointer[d] = nest_chance(g, 60);
        }
        x->through = nest_chance(g, 15);
        x->read_only = a > 0 && nest_chance(g, 60);
        uint32_t low = next;
        for (uint32_t d = 0; d < g->depth; d++)
            if (x->stride[d] < 0)
                low += (0u - (uint32_t)x->stride[d]) * g->trip[d];
        x->base = low;
        switch (nest_below(g, 14)) {
        case 0: /* in place, or overlapping */
            if (a)
                x->base = g->arrays[a - 1].base + (nest_chance(g, 50) ? 0 : bytes * nest_below(g, 9));
            break;
        case 1: /* at the end of memory */
            x->base = MEMORY - (reach < MEMORY ? reach : MEMORY) + (nest_chance(g, 50) ? 0 : nest_below(g, 64));
            break;
        case 2:
            x->base += nest_below(g, 8);
            break;
        case 3:
            if (nest_chance(g, 20))
                x->base = 0u - nest_below(g, 200);
            break;
        default:
            break;
        }
        next += reach + 64 + 8 * nest_below(g, 40);
        if (next > MEMORY / 2)
            next = 256 + nest_below(g, 4096);
    }
    if (nest_chance(g, 8)) /* the fields of one array of structures */
        for (uint32_t a = 0; a < g->narrays; a++) {
            struct array *x = &g->arrays[a];
            for (uint32_t d = 0; d < g->depth; d++)
                x->stride[d] =
                    (int32_t)((uint32_t)(g->arrays[0].stride[d] / (int32_t)nest_kinds[g->arrays[0].kind].bytes) * 8 *
                              g->narrays);
            x->base = g->arrays[0].base + 8 * a;
            x->read_only = false;
        }
    for (uint32_t a = 0; a < g->narrays; a++)
        for (uint32_t d = 0; d < MAX_DEPTH; d++)
            if (g->arrays[a].stride[d] == INT32_MIN) /* cannot be divided by a step of -1 */
                g->arrays[a].stride[d] = 0;
}

static void gen_nest(struct gen *g) {
    g->depth = 1 + nest_below(g, MAX_DEPTH);
    for (uint32_t d = 0; d < MAX_DEPTH; d++)
        g->trip[d] = nest_choose_trip(g, d);
    choose_arrays(g);
    struct scope s = {0};
    for (uint32_t a = 0; a < g->narrays; a++) {
        s.at[a] = nest_known(g, IR_I32, g->arrays[a].base);
        if (g->nlive && nest_chance(g, 30)) /* where an earlier nest has stopped */
            s.at[a] = g->live[nest_below(g, g->nlive)];
    }
    g->budget = 24;
    nest_gen_loop(g, &s);
}

/* The module of a seed; *out_args (PARAMS32 + PARAMS64 of them) what to call it with. */
struct ir_module *nest_generate(uint64_t seed, enum nest_reductions reductions, union ir_bits *out_args) {
    struct gen g = {.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    (void)oft_random(&g.state);
    enum ir_type params[PARAMS32 + PARAMS64], results[RESULTS];
    for (uint32_t k = 0; k < PARAMS32 + PARAMS64; k++)
        params[k] = k < PARAMS32 ? IR_I32 : IR_I64;
    for (uint32_t k = 0; k < RESULTS; k++)
        results[k] = IR_I32;
    struct ir_sig sig = {PARAMS32 + PARAMS64, RESULTS, params, results};
    g.m = ir_module_new();
    g.lanes = seed % 4 == 3;
    struct arena *a = &g.m->arena;
    g.m->memories = arena_new(a, struct ir_memory);
    g.m->memories[0].limits = (struct ir_limits){.min = 1};
    g.m->nmemories = 1;
    g.f = ir_func_new(g.m, "nest", &sig);
    g.f->type = 0;
    g.m->types = arena_array(a, struct ir_sig, 2);
    g.m->types[0] = g.f->sig;
    enum ir_type *i32s = arena_array(a, enum ir_type, 2);
    i32s[0] = i32s[1] = IR_I32;
    g.m->types[1] = (struct ir_sig){2, 1, i32s, i32s};
    g.m->ntypes = 2;
    g.m->globals = arena_array(a, struct ir_global, 2);
    g.m->globals[0] = (struct ir_global){.type = IR_I32, .mutable_ = true, .init.op = IR_I32_CONST};
    g.m->globals[1] = (struct ir_global){.type = IR_I32, .mutable_ = true, .init.op = IR_I32_CONST};
    g.m->globals[1].init.bits.i32 = 0xf000; /* the stack pointer */
    g.m->nglobals = 2;
    g.m->funcs = arena_new(a, struct ir_func_entry);
    g.m->funcs[0].func = g.f;
    g.m->nfuncs = 1;
    g.helpers = nest_helpers_add(g.m, 1, &g.offset);

    uint32_t nests = 1 + nest_chance(&g, 30);
    g.wild = nest_chance(&g, reductions ? 20 : 50);
    g.reduces = reductions == NEST_REDUCTIONS || reductions == NEST_VECTOR_REDUCTIONS;
    g.scratch = reductions == NEST_SCRATCH;
    g.vectors = reductions == NEST_VECTOR_REDUCTIONS;
    g.b = ir_builder_at_end(g.f->body);
    for (uint32_t k = 0; k < nests; k++) {
        struct ir_value *mark = nest_i32(&g, k);
        g.entry = ir_builder_before(mark->def);
        gen_nest(&g);
    }
    while (g.nlive < RESULTS)
        g.live[g.nlive++] = nest_i32(&g, 7);
    enum ir_type i32 = IR_I32;
    nest_stamp(&g);
    struct ir_inst *left = ir_build(&g.b, IR_GLOBAL_GET, &i32, 1, NULL, 0); /* globals are not compared, results are */
    left->index = 1;
    g.live[0] = nest_op(&g, IR_I32_ADD, nest_op(&g, IR_I32_MUL, g.live[0], nest_i32(&g, 31)), left->results);
    nest_stamp(&g);
    ir_build_return(&g.b, g.live, RESULTS);
    memcpy(out_args, g.args, sizeof g.args);
    return g.m;
}
