/* Carrying an element along with its place.
 *
 * Searches for an extreme often remember only where it is, and read it again to compare:
 *
 *     loop L (%at = 0, %i = 1) {                    %first = f32.load %a
 *       %x = f32.load (%a + 4 * %i)                 loop L (%at = 0, %i = 1, %m = %first) {
 *       %m = f32.load (%a + 4 * %at)                  %x = f32.load (%a + 4 * %i)
 *       %c = f32.gt %x, %m                   =>       %c = f32.gt %x, %m
 *       %at1 = select %i, %at, %c                     %at1 = select %i, %at, %c
 *       ...                                           %m1 = select %x, %m, %c
 *       br_if %go, L(%at1, ...)                       br_if %go, L(%at1, ..., %m1)
 *
 * The load at a place that was computed in the iteration before is a recurrence; a value that is replaced when it
 * compares with another is a reduction, and the place goes with it (reduce.h).  This holds where the loop writes no
 * memory and has loaded the element at each place that it may change to: the affine analysis compares the addresses,
 * whatever form they have.  Bodies that the producer has unrolled have a row of such selects, each with its load.
 *
 * The element at the first place is read in front of the loop, where the first iteration would read it, by a copy of
 * all that the iteration does up to there; so a trap comes from the same load as before.
 */
#include "ir/analysis/affine.h"
#include "ir/ir_effects.h"
#include "ir/offload/kernel.h"
#include "ir/prepare/prepare.h"

enum { MAX_PLACES = 16, MAX_BODY = 400, MAX_CHANGES = 32 };

/* Where an element lies: base + (place << shift), plus the load's offset. */
struct form {
    struct ir_value *base; /* from before the loop; NULL: none */
    uint8_t shift;
    enum ir_op op; /* of the load */
    struct ir_mem mem;
};

struct carry {
    struct loop *l;
    struct ir_region *body;
    struct aff_ctx *aff;
    struct form form;
    struct ir_value *places[MAX_PLACES]; /* what the parameter becomes, first select first */
    struct ir_value *picked[MAX_PLACES]; /* the place that a select may change to */
    struct ir_inst *loads[MAX_PLACES];   /* of the element there */
    uint32_t nplaces;
    struct ir_inst *first; /* load of the element at the parameter itself */
};

/* Nothing but pure operations and loads, up to the test at the bottom. */
static bool is_plain(const struct loop *l) {
    const struct ir_module *m = l->inst->parent->func->module;
    if (!m->nmemories || m->memories[0].limits.shared || l->shape != LOOP_BOTTOM_YIELD || l->first_child ||
        l->nback_edges != 1 || l->other_exits || l->test != l->back || l->test->op != IR_BR_IF || l->exit_when_true)
        return false;
    uint32_t n = 0;
    ir_foreach_inst (i, l->inst->regions[0]) {
        if (n++ == MAX_BODY)
            return false;
        if (i == l->test || i->op == IR_YIELD || i->op == IR_SELECT || ir_is_const(i))
            continue;
        if (ir_is_load(i) ? i->mem.memory != 0 : ir_info(i)->kind != IR_KIND_SIMPLE || ir_may_trap(i))
            return false;
    }
    return true;
}

/* Whether the address is `place` scaled and added to something from before the loop. */
static bool read_form(const struct loop *l, struct ir_value *address, const struct ir_value *place, struct form *out) {
    struct ir_value *scaled = address;
    out->base = NULL;
    out->shift = 0;
    if (address->def && address->def->op == IR_I32_ADD && address != place) {
        unsigned base = loop_contains_value(l, address->def->operands[0]) ? 1 : 0;
        out->base = address->def->operands[base];
        scaled = address->def->operands[1 - base];
        if (loop_contains_value(l, out->base))
            return false;
    }
    const union ir_bits *c =
        scaled != place && scaled->def && scaled->def->op == IR_I32_SHL ? ir_const_of(scaled->def->operands[1]) : NULL;
    if (c && c->i32 < 8) {
        out->shift = (uint8_t)c->i32;
        scaled = scaled->def->operands[0];
    }
    return scaled == place;
}

static bool same_form(const struct form *a, const struct form *b) {
    return a->base == b->base && a->shift == b->shift;
}

/* The load of the element at `place`, the form being known. */
static struct ir_inst *find_load(const struct carry *c, const struct ir_value *place) {
    ir_foreach_inst (i, c->body) {
        struct form f;
        if (i->op == c->form.op && i->mem.offset == c->form.mem.offset && read_form(c->l, i->operands[0], place, &f) &&
            same_form(&f, &c->form))
            return i;
    }
    return NULL;
}

/* A load, in front of `before`, of what lies at the place `picked`, however its address is computed. */
static struct ir_inst *find_equal_load(const struct carry *c, struct ir_value *picked, const struct ir_inst *before) {
    const struct aff *place = aff_of(c->aff, picked);
    const struct aff *base = c->form.base ? aff_of(c->aff, c->form.base) : aff_const(c->aff, 32, 0);
    const struct aff *want = aff_add(c->aff, base, aff_scale(c->aff, place, UINT64_C(1) << c->form.shift));
    want = aff_add(c->aff, want, aff_const(c->aff, 32, c->form.mem.offset));
    if (!want || c->form.mem.offset > INT32_MAX)
        return NULL;
    ir_foreach_inst (i, c->body) {
        if (i == before)
            break;
        /* With a smaller offset, the other address may be one that wraps: past the end of memory with the offset. */
        if (i->op != c->form.op || i->mem.offset < c->form.mem.offset || i->mem.offset > INT32_MAX)
            continue;
        const struct aff *at = aff_of(c->aff, i->operands[0]);
        if (aff_equal(aff_add(c->aff, at, aff_const(c->aff, 32, i->mem.offset)), want))
            return i;
    }
    return NULL;
}

/* The selects from the parameter to its next value. */
static bool read_places(struct carry *c, struct ir_value *param, struct ir_value *next) {
    struct ir_value *backwards[MAX_PLACES];
    uint32_t n = 0;
    for (struct ir_value *v = next; v != param;) {
        struct ir_inst *d = v->def;
        if (n == MAX_PLACES || !d || d->op != IR_SELECT || d->parent != c->body)
            return false;
        const struct ir_inst *left = d->operands[0]->def;
        unsigned kept = d->operands[0] == param || (left && left->op == IR_SELECT) ? 0 : 1;
        backwards[n++] = v;
        v = d->operands[kept];
    }
    for (uint32_t k = 0; k < n; k++) {
        struct ir_value *v = backwards[n - 1 - k];
        const struct ir_value *before = k ? backwards[n - k] : param;
        c->places[k] = v;
        c->picked[k] = v->def->operands[v->def->operands[0] == before ? 1 : 0];
    }
    c->nplaces = n;
    return n > 0;
}

/* Whether the load is one of those that are to go: at the parameter, or at what becomes of it. */
static bool is_at_place(const struct carry *c, const struct ir_inst *load, const struct ir_value *param) {
    struct form f;
    bool any = read_form(c->l, load->operands[0], param, &f) && same_form(&f, &c->form);
    for (uint32_t k = 0; k < c->nplaces; k++)
        any |= read_form(c->l, load->operands[0], c->places[k], &f) && same_form(&f, &c->form);
    return any;
}

static bool find_loads(struct carry *c, const struct ir_value *param) {
    for (uint32_t k = 0; k < c->nplaces; k++) {
        c->loads[k] = find_equal_load(c, c->picked[k], c->places[k]->def);
        if (!c->loads[k] || is_at_place(c, c->loads[k], param))
            return false;
    }
    return true;
}

/* Finds what there is to carry beside parameter `index`. */
static bool read_param(struct carry *c, uint32_t index) {
    struct ir_value *param = c->body->params[index];
    if (param->type != IR_I32)
        return false;
    c->first = NULL;
    ir_foreach_inst (i, c->body)
        if (!c->first && ir_is_load(i) && read_form(c->l, i->operands[0], param, &c->form))
            c->first = i;
    if (!c->first)
        return false;
    c->form.op = (enum ir_op)c->first->op;
    c->form.mem = c->first->mem;
    return read_places(c, param, loop_next_value(c->l, index)) && find_loads(c, param);
}

/* The element at the initial place, read in front of the loop. */
static struct ir_value *read_ahead(const struct carry *c, struct arena *scratch) {
    struct ir_builder b = ir_builder_before(c->l->inst);
    struct ir_map *map = ir_map_new(scratch);
    for (uint32_t k = 0; k < c->body->nparams; k++)
        ir_map_set(map, c->body->params[k], c->l->inst->operands[k]);
    ir_foreach_inst (i, c->body) {
        struct ir_inst *copy = ir_clone_inst(&b, i, map);
        if (i == c->first)
            return &copy->results[0];
    }
    return NULL;
}

/* Loads at `place` give `element`. */
static void replace_loads(struct carry *c, const struct ir_value *place, struct ir_value *element) {
    for (struct ir_inst *i; (i = find_load(c, place));) {
        i->results[0].fwd = element;
        ir_inst_remove(i);
        ir_foreach_inst (user, c->body)
            for (uint32_t k = 0; k < user->noperands; k++)
                user->operands[k] = ir_resolve(user->operands[k]);
    }
}

static void rewrite(struct carry *c, struct ir_value *param, struct arena *scratch) {
    struct ir_value *initial = read_ahead(c, scratch);
    struct ir_value *element = ir_region_add_param(c->body, c->first->results[0].type);
    ir_inst_insert_operand(c->l->inst, c->l->inst->noperands, initial);
    struct ir_value *elements[MAX_PLACES] = {NULL}, *last = element;
    for (uint32_t k = 0; k < c->nplaces; k++) {
        struct ir_inst *d = c->places[k]->def;
        bool picks = d->operands[0] == c->picked[k];
        struct ir_value *other = &c->loads[k]->results[0];
        struct ir_builder b = ir_builder_before(d->next);
        b.wasm_offset = d->wasm_offset;
        last = ir_build_select(&b, picks ? other : last, picks ? last : other, d->operands[2]);
        elements[k] = last;
    }
    ir_inst_insert_operand(c->l->back, c->l->back->noperands, last);
    replace_loads(c, param, element);
    for (uint32_t k = 0; k < c->nplaces; k++)
        replace_loads(c, c->places[k], elements[k]);
}

static bool carry_in(struct loop *l, struct arena *scratch) {
    struct carry *c = arena_new(scratch, struct carry);
    if (!is_plain(l))
        return false;
    c->l = l;
    c->body = l->inst->regions[0];
    c->aff = aff_begin(scratch, l);
    uint32_t found = UINT32_MAX;
    for (uint32_t k = 0; k < c->body->nparams && found == UINT32_MAX; k++)
        if (read_param(c, k))
            found = k;
    if (aff_assumes(c->aff)) /* no launch will ask whether that holds: the loop is changed for good */
        found = UINT32_MAX;
    aff_end(c->aff);
    if (found == UINT32_MAX)
        return false;
    rewrite(c, c->body->params[found], scratch);
    return true;
}

bool prepare_carry_elements(struct ir_func *f, struct pass_ctx *passes) {
    bool changed = false, again = true;
    for (uint32_t n = 0; again && n < MAX_CHANGES; n++) {
        struct arena scratch = {0};
        struct loop_tree *tree = loop_tree_build(&scratch, f);
        again = false;
        for (uint32_t k = 0; k < tree->nloops && !again; k++)
            again = carry_in(&tree->loops[k], &scratch);
        changed |= again;
        arena_free(&scratch);
    }
    if (changed)
        opt_simplify(f, passes);
    return changed;
}
