/* Copies a nest into a function of its own, rolls its loops there, and brings the launch back; see reroll.h. */
#include "ir/offload/reroll.h"

#include <string.h>

#include "ir/ir_effects.h"
#include "ir/offload/reroll_build.h"
#include "ir/offload/reroll_vector.h"

enum { MAX_ARGS = 200, MAX_CLOSURE = 400, MAX_PART_INSTS = 3000 };

/* ---- the part as a function ---- */

struct extractor {
    struct reroll *out;
    struct arena *scratch;
    uint32_t first_label, last_label; /* of the part */
    struct ir_map *map;               /* values of the original to those of the copy */
    struct ir_builder at;
    uint32_t nclosure;
    bool failed;
};

static uint32_t last_label(struct ir_inst *i) {
    uint32_t last = i->label;
    ir_foreach_region (r, i)
        ir_foreach_inst (inner, r) {
            uint32_t l = last_label(inner);
            last = l > last ? l : last;
        }
    return last;
}

static bool is_label_inside(const struct extractor *x, const struct ir_inst *i) {
    return i && i->label >= x->first_label && i->label <= x->last_label;
}

static bool is_inside(const struct extractor *x, const struct ir_value *v) {
    return is_label_inside(x, v->def ? v->def : v->region->parent);
}

/* The types of all that comes in from outside, so that the function can be made: its parameters are the values that no
 * pure operations give.  Those operations are copied, for the planner to see what is what. */
static void find_args(struct extractor *x, struct ir_value *v, struct ir_map *seen) {
    v = ir_resolve(v);
    if (ir_map_get(seen, v) != v || x->failed)
        return;
    static struct ir_value mark;
    ir_map_set(seen, v, &mark);
    if (v->def && ir_is_pure(v->def) && !ir_nregions(v->def) && v->def->nresults == 1 && x->nclosure < MAX_CLOSURE) {
        x->nclosure++;
        for (uint32_t k = 0; k < v->def->noperands; k++)
            find_args(x, v->def->operands[k], seen);
        return;
    }
    x->failed |= x->out->nargs == MAX_ARGS;
    if (!x->failed)
        x->out->args[x->out->nargs++] = v;
}

static void find_args_of(struct extractor *x, const struct ir_region *r, struct ir_map *seen);

static void find_args_of_inst(struct extractor *x, struct ir_inst *i, struct ir_map *seen) {
    for (uint32_t k = 0; k < i->noperands; k++)
        if (!is_inside(x, i->operands[k]))
            find_args(x, i->operands[k], seen);
    ir_foreach_region (r, i)
        find_args_of(x, r, seen);
}

static void find_args_of(struct extractor *x, const struct ir_region *r, struct ir_map *seen) {
    ir_foreach_inst (i, r)
        find_args_of_inst(x, i, seen);
}

static struct ir_value *copy_value(struct extractor *x, struct ir_value *v) {
    struct ir_value *resolved = ir_resolve(v);
    struct ir_value *copy = ir_map_get(x->map, resolved);
    if (copy == resolved) {
        for (uint32_t k = 0; k < resolved->def->noperands; k++)
            copy_value(x, resolved->def->operands[k]);
        copy = &ir_clone_inst(&x->at, resolved->def, x->map)->results[0];
    }
    if (resolved != v)
        ir_map_set(x->map, v, copy);
    return copy;
}

static void copy_outside(struct extractor *x, struct ir_inst *i) {
    for (uint32_t k = 0; k < i->noperands; k++)
        if (!is_inside(x, i->operands[k]))
            copy_value(x, i->operands[k]);
    ir_foreach_region (r, i)
        ir_foreach_inst (inner, r)
            copy_outside(x, inner);
}

/* Branches that leave the part could not be taken from another function. */
static bool stays_inside(const struct extractor *x, struct ir_inst *i) {
    if (i->op == IR_RETURN || i->op == IR_RETURN_CALL || i->op == IR_RETURN_CALL_INDIRECT || i->op == IR_LAUNCH ||
        ((i->op == IR_BR || i->op == IR_BR_IF) && !is_label_inside(x, i->target)))
        return false;
    for (uint32_t k = 0; i->op == IR_BR_TABLE && k < i->ntargets; k++)
        if (!is_label_inside(x, i->targets[k]))
            return false;
    ir_foreach_region (r, i)
        ir_foreach_inst (inner, r)
            if (!stays_inside(x, inner))
                return false;
    return true;
}

/* ---- what the part gives ---- */

static void find_outs(const struct extractor *x, const struct ir_region *r, struct ir_value **outs, uint32_t *n) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++) {
            struct ir_value *v = i->operands[k];
            bool listed = !is_inside(x, v);
            for (uint32_t o = 0; o < *n && !listed; o++)
                listed = outs[o] == v;
            if (!listed && *n < REROLL_MAX_OUTS)
                outs[*n] = v;
            *n += !listed;
        }
        ir_foreach_region (inner, i)
            find_outs(x, inner, outs, n);
    }
}

static void find_part_outs(const struct extractor *x, struct ir_value **outs, uint32_t *n) {
    for (struct ir_inst *i = x->out->last->next; i; i = i->next) {
        struct ir_region only = {.first = i};
        struct ir_inst *next = i->next;
        i->next = NULL; /* this one alone */
        find_outs(x, &only, outs, n);
        i->next = next;
    }
}

static struct ir_value *zero_of(struct ir_builder *b, enum ir_type type) {
    return ir_build_const(b, type, (union ir_bits){.i64 = 0});
}

static bool copy_part(struct extractor *x, struct reroll_site *site) {
    struct reroll *r = x->out;
    struct ir_region *home = r->first->parent;
    struct ir_map *seen = ir_map_new(x->scratch);
    for (struct ir_inst *i = r->first;; i = i->next) {
        find_args_of_inst(x, i, seen);
        if (!stays_inside(x, i) || x->failed)
            return false;
        if (i == r->last)
            break;
    }
    find_part_outs(x, r->outs, &r->nouts);
    if (r->nouts > REROLL_MAX_OUTS)
        return false;
    enum ir_type params[MAX_ARGS], results[2 + REROLL_MAX_OUTS] = {IR_I32, IR_I64};
    for (uint32_t k = 0; k < r->nargs; k++)
        params[k] = r->args[k]->type;
    for (uint32_t k = 0; k < r->nouts; k++) {
        results[2 + k] = r->outs[k]->type;
        if (results[2 + k] > IR_V128)
            return false;
    }
    struct ir_sig sig = {.nparams = r->nargs, .params = params, .nresults = 2 + r->nouts, .results = results};
    r->func = ir_func_new(home->func->module, home->func->name, &sig);
    r->func->index = home->func->index;
    r->func->type = UINT32_MAX;
    for (uint32_t k = 0; k < r->nargs; k++)
        ir_map_set(x->map, r->args[k], r->func->body->params[k]);
    x->at = ir_builder_at_end(r->func->body);
    for (struct ir_inst *i = r->first;; i = i->next) {
        copy_outside(x, i);
        if (i == r->last)
            break;
    }
    site->func = r->func;
    site->top = ir_build_i32(&x->at, 0)->def;
    for (struct ir_inst *i = r->first;; i = i->next) {
        ir_clone_inst(&x->at, i, x->map);
        if (i == r->last)
            break;
    }
    struct ir_value *give[2 + REROLL_MAX_OUTS] = {ir_build_i32(&x->at, 1), ir_build_i64(&x->at, 0)};
    for (uint32_t k = 0; k < r->nouts; k++)
        give[2 + k] = ir_map_get(x->map, r->outs[k]);
    ir_build_return(&x->at, give, 2 + r->nouts);
    return true;
}

static void build_refusal(struct ir_builder *b, const struct reroll *r, struct ir_value *hint) {
    struct ir_value *give[2 + REROLL_MAX_OUTS] = {ir_build_i32(b, 0), hint ? hint : ir_build_i64(b, 0)};
    for (uint32_t k = 0; k < r->nouts; k++)
        give[2 + k] = zero_of(b, r->outs[k]->type);
    ir_build_return(b, give, 2 + r->nouts);
}

/* ---- which loops ---- */

static bool is_listed(const uint32_t *list, uint32_t n, uint32_t wasm_offset) {
    for (uint32_t k = 0; k < n; k++)
        if (list[k] == wasm_offset)
            return true;
    return false;
}

bool reroll_has(const struct reroll *r, uint32_t wasm_offset) {
    return is_listed(r->rolled, r->nrolled, wasm_offset);
}

/* The other piece: next to `i` with nothing but pure operations between. */
static struct ir_inst *neighbour(struct ir_inst *i, bool behind) {
    do
        i = behind ? i->next : i->prev;
    while (i && ir_is_pure(i) && !ir_nregions(i));
    return i && ir_nregions(i) ? i : NULL;
}

/* The loop, or the `if` around it that holds nothing else but loads. */
static struct ir_inst *piece_of(struct ir_inst *loop) {
    struct ir_inst *around = loop->parent->parent;
    if (!around || around->op != IR_IF)
        return loop;
    ir_foreach_inst (i, loop->parent)
        if (i != loop && i->op != IR_YIELD && !ir_is_load(i) && (!ir_is_pure(i) || ir_nregions(i)))
            return loop;
    return around;
}

static bool join_twins(struct reroll_site *x, const struct loop_tree *tree, struct reroll_loop *u,
                       const struct reroll_piece *pu, const struct reroll_piece *next) {
    if (next->loop && reroll_join_twins(x, u, pu, NULL, next, NULL))
        return true;
    struct ir_inst *last = next->region ? neighbour(next->inst, true) : NULL;
    struct reroll_loop *pairs = arena_new(x->scratch, struct reroll_loop);
    struct reroll_piece pv;
    if (!last || !reroll_read_piece(&pv, tree, last) || !pv.loop)
        return false;
    for (uint32_t copies = 8; copies >= 2; copies /= 2)
        if (reroll_match_copies(pairs, pv.loop, copies) && reroll_join_twins(x, u, pu, next, &pv, pairs))
            return true;
    return false;
}

static bool roll(struct reroll_site *x, const struct loop_tree *tree, struct reroll_loop *u) {
    struct reroll_piece pu, pv;
    for (unsigned with_if = 2; with_if-- > 0;) {
        struct ir_inst *i = with_if ? piece_of(u->loop->inst) : u->loop->inst;
        if (with_if && i == u->loop->inst)
            continue;
        for (unsigned behind = 2; behind-- > 0;) {
            struct ir_inst *other = neighbour(i, behind);
            if (other && reroll_read_piece(&pu, tree, i) && pu.loop == u->loop && reroll_read_piece(&pv, tree, other) &&
                ((behind && join_twins(x, tree, u, &pu, &pv)) || reroll_join(x, u, &pu, &pv, behind)))
                return true;
            if (x->broken)
                return false;
        }
    }
    return reroll_alone(x, u);
}

static const struct loop *outermost(const struct loop *l) {
    while (l->parent)
        l = l->parent;
    return l;
}

/* Rolls one more loop; false: none is left. */
static bool roll_one(struct reroll_site *x, const uint32_t *only, uint32_t nonly) {
    struct loop_tree *tree = loop_tree_build(x->scratch, x->func);
    struct reroll_loop *u = arena_new(x->scratch, struct reroll_loop);
    bool done = false;
    for (uint32_t i = 0; i < tree->nloops && !done && !x->broken; i++) {
        struct loop *l = &tree->loops[i];
        uint32_t at = l->inst->wasm_offset;
        if (l->first_child || l->shape != LOOP_BOTTOM_YIELD || l->test->op != IR_BR_IF || reroll_has(x->out, at) ||
            (only && !is_listed(only, nonly, at)))
            continue;
        for (uint32_t copies = REROLL_MAX_COPIES; copies >= 2 && !done && !x->broken; copies--) {
            if (!reroll_match_copies(u, l, copies))
                continue;
            struct loop *root = (struct loop *)outermost(l);
            x->aff = root == l ? NULL : aff_begin(x->scratch, root);
            done = roll(x, tree, u);
            if (x->aff)
                aff_end(x->aff);
            x->aff = NULL;
        }
    }
    return done;
}

/* Nothing but the one nest has effects. */
static bool is_one_nest(const struct ir_region *r, uint32_t *nloops) {
    ir_foreach_inst (i, r) {
        *nloops += i->op == IR_LOOP;
        if (i->op == IR_LOOP || i->op == IR_YIELD || i->op == IR_RETURN)
            continue;
        if (i->op == IR_IF ? !is_one_nest(i->regions[0], nloops) || !is_one_nest(i->regions[1], nloops)
                           : !ir_is_pure(i))
            return false;
    }
    return true;
}

static bool holds_loop(const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_LOOP)
            return true;
        ir_foreach_region (inner, i)
            if (holds_loop(inner))
                return true;
    }
    return false;
}

/* Vectors as lanes. */
static void take_apart(struct reroll_site *x, struct pass_ctx *passes) {
    struct ir_func *apart = reroll_take_apart(x->scratch, x->func, passes);
    if (!apart)
        return;
    ir_func_free(x->func);
    x->func = x->out->func = apart;
    struct ir_builder b = ir_builder_before(apart->body->first);
    x->top = ir_build_i32(&b, 0)->def;
}

static bool extract(struct reroll *r, struct arena *scratch, struct pass_ctx *passes, struct ir_inst *first,
                    struct ir_inst *last, const uint32_t *only, uint32_t nonly) {
    bool in_nest = first == last && first->op == IR_LOOP && holds_loop(first->regions[0]);
    *r = (struct reroll){.first = first, .last = last, .args = arena_array(scratch, struct ir_value *, MAX_ARGS)};
    struct extractor x = {.out = r, .scratch = scratch, .map = ir_map_new(scratch)};
    struct reroll_site site = {.scratch = scratch, .out = r, .at_top = ir_map_new(scratch)};
    x.first_label = first->label;
    x.last_label = last_label(last);
    if (!first->label || x.last_label < x.first_label || !copy_part(&x, &site))
        goto no;
    if (in_nest)
        take_apart(&site, passes);
    while (r->nrolled < REROLL_MAX_LOOPS && roll_one(&site, only, nonly))
        ;
    uint32_t nloops = 0;
    if (!r->nrolled || site.broken || !is_one_nest(r->func->body, &nloops) || nloops != 1)
        goto no;
    if (site.valid) {
        struct ir_builder b = ir_builder_before(site.top);
        struct ir_inst *check = ir_build_if(&b, site.valid, NULL, 0);
        struct ir_builder yes = ir_builder_at_end(check->regions[0]), no = ir_builder_at_end(check->regions[1]);
        ir_build_yield(&yes, NULL, 0);
        build_refusal(&no, r, NULL);
    }
    return true;
no:
    reroll_free(r);
    return false;
}

/* Whether there are two things alike in a loop to begin with; in a nest, lanes of a vector will do. */
static bool is_worth_a_try(const struct ir_region *r, bool in_loop, bool in_nest) {
    uint32_t roots = 0;
    ir_foreach_inst (i, r) {
        roots += !in_loop ? 0 : in_nest && i->op == IR_V128_STORE ? 2 : ir_is_store(i) || i->op == IR_IF;
        ir_foreach_region (inner, i)
            if (is_worth_a_try(inner, i->op == IR_LOOP, in_nest))
                return true;
    }
    return roots >= 2;
}

bool reroll_extract(struct reroll *r, struct arena *scratch, struct pass_ctx *passes, struct loop *l,
                    const uint32_t *only, uint32_t nonly) {
    struct ir_inst *i = l->inst;
    *r = (struct reroll){.nargs = 0};
    if (l->shape != LOOP_BOTTOM_YIELD || ir_count_insts(i->regions[0]) > MAX_PART_INSTS)
        return false;
    if (l->first_child)
        return is_worth_a_try(i->regions[0], true, true) && extract(r, scratch, passes, i, i, only, nonly);
    for (unsigned with_if = 2; with_if-- > 0;) {
        struct ir_inst *piece = with_if ? piece_of(i) : i;
        struct ir_inst *other = with_if && piece == i ? NULL : neighbour(piece, true);
        if (!other || ir_count_insts(other->regions[0]) > MAX_PART_INSTS)
            continue;
        if ((is_worth_a_try(i->regions[0], true, false) ||
             is_worth_a_try(other->regions[0], other->op == IR_LOOP, false)) &&
            extract(r, scratch, passes, piece, other, only, nonly))
            return true;
    }
    return is_worth_a_try(i->regions[0], true, false) && extract(r, scratch, passes, i, i, only, nonly);
}

void reroll_free(struct reroll *r) {
    if (r->func)
        ir_func_free(r->func);
    r->func = NULL;
}

/* ---- back into the function ---- */

static void leave_through(struct ir_region *r, struct ir_inst *block) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_RETURN) {
            i->op = r->parent == block ? IR_YIELD : IR_BR;
            i->target = r->parent == block ? NULL : block;
            i->ntargets = i->target != NULL;
        }
        ir_foreach_region (inner, i)
            leave_through(inner, block);
    }
}

static void replace_behind(struct ir_inst *from, const struct reroll *r, struct ir_inst *choice) {
    for (struct ir_inst *i = from; i; i = i->next) {
        for (uint32_t k = 0; k < i->noperands; k++)
            for (uint32_t o = 0; o < r->nouts; o++)
                if (i->operands[k] == r->outs[o])
                    i->operands[k] = &choice->results[o];
        ir_foreach_region (inner, i)
            replace_behind(inner->first, r, choice);
    }
}

struct ir_value *reroll_splice(struct reroll *r, struct arena *scratch, struct ir_inst *root, struct ir_value *hint) {
    struct ir_region *refused = root->parent; /* the side without a launch */
    while (refused->first)
        ir_inst_remove(refused->first);
    struct ir_builder b = ir_builder_at_end(refused);
    build_refusal(&b, r, hint);

    b = ir_builder_before(r->first);
    b.wasm_offset = r->first->wasm_offset;
    enum ir_type types[2 + REROLL_MAX_OUTS] = {IR_I32, IR_I64};
    for (uint32_t k = 0; k < r->nouts; k++)
        types[2 + k] = r->outs[k]->type;
    struct ir_inst *way = ir_build_block(&b, types, 2 + r->nouts);
    struct ir_builder in = ir_builder_at_end(way->regions[0]);
    struct ir_map *map = ir_map_new(scratch);
    for (uint32_t k = 0; k < r->nargs; k++)
        ir_map_set(map, r->func->body->params[k], r->args[k]);
    ir_foreach_inst (i, r->func->body)
        ir_clone_inst(&in, i, map);
    leave_through(way->regions[0], way);

    struct ir_inst *choice = ir_build_if(&b, &way->results[0], types + 2, r->nouts);
    struct ir_builder then = ir_builder_at_end(choice->regions[0]), other = ir_builder_at_end(choice->regions[1]);
    struct ir_value *give[REROLL_MAX_OUTS + 1];
    for (uint32_t k = 0; k < r->nouts; k++)
        give[k] = &way->results[2 + k];
    ir_build_yield(&then, give, r->nouts);
    struct ir_inst *behind = r->last->next;
    for (struct ir_inst *i = r->first, *next; i != behind; i = next) {
        next = i->next;
        ir_inst_move_to_end(i, choice->regions[1]);
    }
    replace_behind(behind, r, choice);
    ir_build_yield(&other, r->outs, r->nouts);
    return &way->results[1];
}
