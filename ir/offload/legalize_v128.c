/* v128 values as lanes: the step itself; see lanes.h for the representation, legalize.h for its place.
 *
 * Values that pass through regions, branches and selects have the shape that most of the operations which make or take
 * them want: those connected by being passed on form one web (union-find), whose members vote.
 *
 *     loop (%s = %zero) {                  %s, the result of the loop and f32x4.add are one web; two operations take
 *       %t = f32x4.add %s, %v              or give F, so the loop carries four f32
 *       br_if loop(%t)
 *       yield %t
 *     }
 *
 * Memory is accessed in words (legalize_unaligned.h), or, for legalize_v128_apart, lane by lane (lanes_memory.h).
 */
#include "ir/offload/legalize_v128.h"

#include "ir/offload/lanes_memory.h"
#include "ir/offload/legalize.h"
#include "ir/offload/legalize_unaligned.h"
#include "ir/util/ice.h"

enum v128_row_number {
#define V128_ROW(id, rule, in, out, op, a, b) V128_ROW_##id,
#include "ir/offload/legalize_v128_ops.def"
    V128_ROW_COUNT
};

static const struct lanes_row rows[] = {
#define V128_ROW(id, rule, in, out, op, a, b) {rule, LANES_##in, LANES_##out, op, a, b},
#include "ir/offload/legalize_v128_ops.def"
};

/* The v128 operations stand together in ir_ops.def. */
enum { FIRST_ROW = IR_I8X16_EXTRACT_LANE_S, LAST_ROW = IR_I32X4_DOT_I8X16_I7X16_ADD_S };
_Static_assert((int)V128_ROW_COUNT == LAST_ROW - FIRST_ROW + 1,
               "legalize_v128_ops.def lacks a row, or has one too many");
#define V128_ROW(id, rule, in, out, op, a, b) \
    _Static_assert((int)V128_ROW_##id == (int)IR_##id - FIRST_ROW, "rows are in the order of ir_ops.def");
#include "ir/offload/legalize_v128_ops.def"

static const struct lanes_row *row_of(enum ir_op op) {
    return (int)op >= FIRST_ROW && (int)op <= LAST_ROW ? &rows[(int)op - FIRST_ROW] : NULL;
}

/* ---- webs ---- */

struct web {
    uint32_t parent; /* value id */
    uint32_t votes[LANE_SHAPES];
};

struct webs {
    struct web *of;  /* by value id */
    bool *is_signed; /* likewise: some operation takes its narrow lanes with their sign */
};

static uint32_t root_of(struct webs *w, uint32_t id) {
    while (w->of[id].parent != id)
        id = w->of[id].parent = w->of[w->of[id].parent].parent;
    return id;
}

static void join(struct webs *w, const struct ir_value *a, const struct ir_value *b) {
    if (a->type != IR_V128)
        return;
    uint32_t x = root_of(w, a->id), y = root_of(w, b->id);
    if (x == y)
        return;
    w->of[y].parent = x;
    for (int s = 0; s < LANE_SHAPES; s++)
        w->of[x].votes[s] += w->of[y].votes[s];
}

/* Passed narrow lanes are of form X. */
static void vote(struct webs *w, const struct ir_value *v, enum lane_shape s) {
    if (v->type != IR_V128)
        return;
    w->is_signed[v->id] |= s == LANES_BS || s == LANES_HS;
    if (lanes_bytes(s) < 4)
        s = lanes_bytes(s) == 1 ? LANES_BX : LANES_HX;
    w->of[root_of(w, v->id)].votes[s]++;
}

static void join_passed(struct webs *w, struct ir_inst *label, struct ir_value *const *values, uint32_t n) {
    for (uint32_t k = 0; k < n; k++)
        join(w, label->op == IR_LOOP ? label->regions[0]->params[k] : &label->results[k], values[k]);
}

static void find_webs(struct webs *w, struct ir_region *region) {
    ir_foreach_inst (i, region) {
        const struct lanes_row *row = row_of((enum ir_op)i->op);
        switch (i->op) {
        case IR_LOOP:
            join_passed(w, i, i->operands, i->noperands);
            break;
        case IR_YIELD:
            for (uint32_t k = 0; k < i->noperands; k++)
                join(w, &region->parent->results[k], i->operands[k]);
            break;
        case IR_BR:
            join_passed(w, i->target, i->operands, i->noperands);
            break;
        case IR_BR_IF:
            join_passed(w, i->target, i->operands + 1, i->noperands - 1);
            break;
        case IR_BR_TABLE:
            for (uint32_t k = 0, at = 1; k < i->ntargets; at += ir_label_arity(i->targets[k++]))
                join_passed(w, i->targets[k], i->operands + at, ir_label_arity(i->targets[k]));
            break;
        case IR_SELECT:
            join(w, &i->results[0], i->operands[0]);
            join(w, &i->results[0], i->operands[1]);
            break;
        default:
            break;
        }
        if (row && row->lower != lanes_bitwise && row->lower != lanes_shuffle && row->lower != lanes_not) {
            for (uint32_t k = 0; k < i->noperands; k++)
                vote(w, i->operands[k], row->in);
            for (uint32_t k = 0; k < i->nresults; k++)
                vote(w, &i->results[k], row->out);
        }
        ir_foreach_region (inner, i)
            find_webs(w, inner);
    }
}

/* ---- the walk ---- */

struct step {
    struct lanes_cx *lanes; /* first: lanes.c takes the user pointer for this */
    struct webs webs;
};

static enum lane_shape shape_of(const struct rebuild *r, const struct ir_value *v) {
    struct webs w = ((const struct step *)r->user)->webs;
    const struct web *web = &w.of[root_of(&w, v->id)];
    int best = LANES_W;
    for (int s = 0; s < LANE_SHAPES; s++)
        if (web->votes[s] > web->votes[best])
            best = s;
    return (enum lane_shape)best;
}

static uint32_t part_types(const struct rebuild *r, const struct ir_value *v, enum ir_type *out) {
    if (v->type != IR_V128) {
        out[0] = v->type;
        return 1;
    }
    enum lane_shape s = shape_of(r, v);
    for (unsigned k = 0; k < lanes_count(s); k++)
        out[k] = lanes_type(s);
    return lanes_count(s);
}

static void get_parts(struct rebuild *r, const struct ir_value *v, struct ir_value **out) {
    if (v->type != IR_V128) {
        out[0] = rebuild_get(r, v).lo;
        return;
    }
    enum lane_shape s = shape_of(r, v);
    for (unsigned k = 0; k < lanes_count(s); k++)
        out[k] = lanes_get(r, v, s, k);
}

static void set_parts(struct rebuild *r, const struct ir_value *v, struct ir_value *const *in) {
    if (v->type != IR_V128)
        r->map[v->id] = (struct rebuild_pair){in[0], NULL};
    else if (v->def)
        lanes_set(r, v, shape_of(r, v), in);
    else
        lanes_set_param(r, v, shape_of(r, v), in, in[0]->region);
}

static void select_lanes(struct rebuild *r, struct ir_inst *i) {
    struct ir_value *out[LANES_MAX];
    enum lane_shape s = shape_of(r, &i->results[0]);
    for (unsigned k = 0; k < lanes_count(s); k++)
        out[k] = rebuild_select(r, rebuild_lo(r, i, 2), lanes_get(r, i->operands[0], s, k),
                                lanes_get(r, i->operands[1], s, k));
    lanes_set(r, &i->results[0], s, out);
}

static void load_lanes(struct rebuild *r, struct ir_inst *i) {
    struct ir_value *out[4];
    const struct step *step = r->user;
    if (lanes_of_memory(r)) {
        enum lane_shape s = shape_of(r, &i->results[0]);
        if (step->webs.is_signed[i->results[0].id])
            s = s == LANES_HX ? LANES_HS : s == LANES_BX ? LANES_BS : s;
        lanes_load(r, i, s);
        return;
    }
    unsigned n = ir_info(i)->bytes / 4u;
    legalize_load_words(r, i, ir_info(i)->bytes, out);
    for (unsigned k = n; k < 4; k++)
        out[k] = rebuild_i32(r, 0);
    lanes_set(r, &i->results[0], LANES_W, out);
}

static void store_lanes(struct rebuild *r, struct ir_inst *i) {
    struct ir_value *words[4];
    for (unsigned k = 0; k < 4; k++)
        words[k] = lanes_get(r, i->operands[1], LANES_W, k);
    legalize_store_words(r, i, 16, words);
}

static bool lower(struct rebuild *r, struct ir_inst *i) {
    const struct lanes_row *row = row_of((enum ir_op)i->op);
    if (row) {
        row->lower(r, i, row);
        return true;
    }
    bool gives = i->nresults == 1 && i->results[0].type == IR_V128;
    if (gives && i->op == IR_V128_CONST)
        lanes_set_const(r, &i->results[0], i->bits);
    else if (gives && i->op == IR_SELECT)
        select_lanes(r, i);
    else if (gives && ir_is_load(i))
        load_lanes(r, i);
    else if (i->op == IR_V128_STORE && lanes_of_memory(r))
        lanes_store(r, i);
    else if (i->op == IR_V128_STORE)
        store_lanes(r, i);
    else
        return lanes_of_memory(r) && lanes_store_packed(r, i);
    return true;
}

static struct ir_func *take_apart(struct ir_func *f, bool memory_lanes) {
    static const struct rebuild_parts parts = {part_types, get_parts, set_parts};
    struct arena scratch = {0};
    struct step step = {.lanes = lanes_new(&scratch, f->next_id, memory_lanes)};
    step.webs.of = arena_array(&scratch, struct web, f->next_id + 1);
    step.webs.is_signed = arena_array(&scratch, bool, f->next_id + 1);
    for (uint32_t k = 0; k <= f->next_id; k++)
        step.webs.of[k].parent = k;
    find_webs(&step.webs, f->body);
    struct ir_func *out = rebuild_with_parts(f, lower, &parts, &step);
    arena_free(&scratch);
    return out;
}

struct ir_func *legalize_v128(struct ir_func *f) {
    return take_apart(f, false);
}

/* Whether all that takes or gives a v128 can be made of lanes. */
static bool has_lanes(struct ir_region *region) {
    ir_foreach_inst (i, region) {
        const struct lanes_row *row = row_of((enum ir_op)i->op);
        bool any = false;
        for (uint32_t k = 0; k < i->nresults; k++)
            any |= i->results[k].type == IR_V128;
        for (uint32_t k = 0; k < i->noperands; k++)
            any |= i->operands[k]->type == IR_V128;
        switch (i->op) {
        case IR_BLOCK:
        case IR_LOOP:
        case IR_IF:
        case IR_YIELD:
        case IR_RETURN:
        case IR_BR:
        case IR_BR_IF:
        case IR_BR_TABLE:
        case IR_SELECT:
        case IR_V128_CONST:
            break;
        default:
            if (ir_nregions(i) || (any && !row && !ir_is_load(i) && i->op != IR_V128_STORE) ||
                (row && row->lower == lanes_fused))
                return false;
            if (any && (ir_is_load(i) || i->op == IR_V128_STORE) && i->mem.offset > UINT32_MAX - 16)
                return false;
        }
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (!has_lanes(i->regions[k]))
                return false;
    }
    return true;
}

struct ir_func *legalize_v128_apart(struct ir_func *f) {
    bool passed = false;
    for (uint32_t k = 0; k < f->body->nparams; k++)
        passed |= f->body->params[k]->type == IR_V128;
    for (uint32_t k = 0; k < f->sig.nresults; k++)
        passed |= f->sig.results[k] == IR_V128;
    return passed || !has_lanes(f->body) ? NULL : take_apart(f, true);
}

/* ---- what there is ---- */

static bool any_v128(struct ir_region *region) {
    for (uint32_t k = 0; k < region->nparams; k++)
        if (region->params[k]->type == IR_V128)
            return true;
    ir_foreach_inst (i, region) {
        for (uint32_t k = 0; k < i->nresults; k++)
            if (i->results[k].type == IR_V128)
                return true;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (any_v128(i->regions[k]))
                return true;
    }
    return false;
}

bool legalize_has_v128(struct ir_func *f) {
    return any_v128(f->body);
}
