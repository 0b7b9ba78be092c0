/* Makes one loop of an unrolled one and what is left over of it.
 *
 * Both stand in one region, with nothing but pure operations between them, each perhaps inside an `if` that says
 * whether it runs at all:
 *
 *     %i = if %c { loop U ... yield %u } else { yield 0 }          n = (%c ? elements of U : 0)
 *     ...                                                             + (%d ? elements of V : 0)
 *     if %d { loop V ... }                                     =>   if %n { loop (%k = %n) { the first copy of U's body
 * } }
 *
 * or the rest first, as the producer liked.  What the first of them gives is written with the number of its elements
 * (`%i` is 0 + 1 * elements), so that where the second one starts can be compared with where the first one ended.
 * Numbers of elements are computed at the top of the function, since all grids need to be known there: when they depend
 * on what a loop around computes, the loops stay as they are. */
#include "ir/offload/reroll_build.h"
#include "ir/ir_effects.h"

struct ir_value *reroll_top_value(struct reroll_site *x, struct ir_value *v) {
    if (!v->def)
        return v->region == x->func->body ? v : NULL;
    struct ir_value *known = ir_map_get(x->at_top, v);
    if (known != v)
        return known;
    if (!ir_is_pure(v->def) || ir_nregions(v->def) || v->def->nresults != 1)
        return NULL;
    for (uint32_t k = 0; k < v->def->noperands; k++)
        if (!reroll_top_value(x, v->def->operands[k]))
            return NULL;
    struct ir_map *map = ir_map_new(x->scratch);
    for (uint32_t k = 0; k < v->def->noperands; k++)
        ir_map_set(map, v->def->operands[k], reroll_top_value(x, v->def->operands[k]));
    struct ir_builder b = ir_builder_before(x->top);
    struct ir_value *copy = &ir_clone_inst(&b, v->def, map)->results[0];
    ir_map_set(x->at_top, v, copy);
    return copy;
}

static bool bring_to_top(struct reroll_site *x, struct lin *a) {
    for (uint32_t k = 0; k < a->n; k++)
        if (!(a->t[k].v = reroll_top_value(x, a->t[k].v)))
            return false;
    return true;
}

/* ---- pieces ---- */

/* Nothing but pure operations beside `but`, and loads in front of it: these go where it goes. */
static bool is_pure_but(const struct ir_region *r, const struct ir_inst *but) {
    const struct ir_inst *ahead = but;
    ir_foreach_inst (i, r) {
        if (i == but)
            ahead = NULL;
        else if (i->op != IR_YIELD && !ir_is_pure(i) && !(ahead && ir_is_load(i)))
            return false;
    }
    return r->last->op == IR_YIELD;
}

static struct ir_inst *only_loop_in(const struct ir_region *r) {
    struct ir_inst *loop = NULL;
    ir_foreach_inst (i, r) {
        if (i->op == IR_LOOP && loop)
            return NULL;
        if (i->op == IR_LOOP)
            loop = i;
    }
    return loop;
}

static struct loop *find_loop(const struct loop_tree *tree, const struct ir_inst *i) {
    for (uint32_t k = 0; k < tree->nloops; k++)
        if (tree->loops[k].inst == i)
            return &tree->loops[k];
    return NULL;
}

/* Innermost, and left only by its test at the end. */
static bool is_simple(const struct loop *l) {
    return l && !l->first_child && l->shape == LOOP_BOTTOM_YIELD && !l->other_exits && l->test->op == IR_BR_IF;
}

/* A piece that is not the unrolled loop: a loop of its own, or a single iteration. */
bool reroll_read_piece(struct reroll_piece *p, const struct loop_tree *tree, struct ir_inst *i) {
    *p = (struct reroll_piece){.inst = i};
    if (i->op == IR_LOOP) {
        p->loop = find_loop(tree, i);
        return is_simple(p->loop);
    }
    if (i->op != IR_IF)
        return false;
    bool pure[2] = {is_pure_but(i->regions[0], NULL), is_pure_but(i->regions[1], NULL)};
    if (pure[0] == pure[1] || i->regions[0]->last->op != IR_YIELD || i->regions[1]->last->op != IR_YIELD)
        return false;
    p->side = pure[0];
    p->region = i->regions[p->side];
    struct ir_inst *loop = only_loop_in(p->region);
    p->loop = loop ? find_loop(tree, loop) : NULL;
    return !loop || (is_simple(p->loop) && is_pure_but(p->region, loop));
}

/* Number of its elements, as a value at the top; *out_sum: as a sum, where it is one, valid where the piece runs. */
static struct ir_value *emit_elements(struct reroll_site *x, const struct reroll_piece *p, uint32_t copies,
                                      struct lin *out_sum) {
    struct ir_builder b = ir_builder_before(x->top);
    struct ir_value *n, *valid = NULL;
    *out_sum = (struct lin){.c = 0};
    if (p->loop) {
        struct reroll_count c;
        if (!reroll_read_count(&c, p->loop, copies))
            return NULL;
        if (c.until_equal && c.step == copies && !c.from.wide) {
            *out_sum = c.to;
            if (!lin_add(out_sum, &c.from, UINT64_MAX))
                return NULL;
            out_sum->c = (uint32_t)(out_sum->c + c.step);
        }
        if (!bring_to_top(x, &c.from) || !bring_to_top(x, &c.to))
            return NULL;
        b = ir_builder_before(x->top);
        n = reroll_emit_count(&b, &c, &valid);
    } else {
        n = ir_build_i32(&b, 1);
    }
    if (!n || !p->region)
        goto done;
    struct ir_value *cond = reroll_top_value(x, p->inst->operands[0]);
    if (!cond)
        return NULL;
    struct ir_value *zero = ir_build_i32(&b, 0), *one = ir_build_i32(&b, 1);
    n = p->side ? ir_build_select(&b, zero, n, cond) : ir_build_select(&b, n, zero, cond);
    if (valid) /* only where it runs */
        valid = p->side ? ir_build_select(&b, one, valid, cond) : ir_build_select(&b, valid, one, cond);
done:
    if (n && valid)
        x->valid = x->valid ? ir_build_simple(&b, IR_I32_AND, x->valid, valid) : valid;
    return n;
}

/* Result `k` of the loop when it is left after `n` elements (a value that stands for their number). */
static bool exit_of(struct loop *l, uint32_t k, uint32_t copies, struct ir_value *n, struct lin *out) {
    struct ir_region *r = l->inst->regions[0];
    if (l->shape != LOOP_BOTTOM_YIELD || r->last->op != IR_YIELD || !lin_of(r->last->operands[k], out))
        return false;
    for (uint32_t i = 0; i < r->nparams; i++) {
        struct lin init, step;
        uint64_t coef = lin_take(out, r->params[i]);
        if (!coef)
            continue;
        if (!reroll_step_of(l, i, &step) || step.n || out->wide || !lin_divide(&step, copies) ||
            !lin_of(l->inst->operands[i], &init) || !lin_add(out, &init, coef) || !lin_add_value(out, n, step.c * coef))
            return false;
        out->c = (uint32_t)(out->c - step.c * coef * copies);
    }
    for (uint32_t i = 0; i < out->n; i++)
        if (loop_contains_value(l, out->t[i].v))
            return false;
    return true;
}

/* Result `k` of the piece with `n` elements, as a sum of what is known in front of it and `n`. */
static bool result_of(const struct reroll_piece *p, uint32_t k, uint32_t copies, struct ir_value *n,
                      const struct lin *sum, struct lin *out) {
    if (!p->region)
        return exit_of(p->loop, k, copies, n, out);
    struct lin at_end, other, growth;
    if (!lin_of(p->region->last->operands[k], &at_end) ||
        !lin_of(p->inst->regions[!p->side]->last->operands[k], &other))
        return false;
    for (uint32_t i = 0; p->loop && i < p->loop->inst->nresults; i++) {
        struct lin value;
        uint64_t coef = lin_take(&at_end, &p->loop->inst->results[i]);
        if (coef && (!exit_of(p->loop, i, copies, n, &value) || !lin_add(&at_end, &value, coef)))
            return false;
    }
    /* It has to be `other` + factor * n, whatever form it comes in. */
    growth = at_end;
    if (!lin_add(&growth, &other, UINT64_MAX))
        return false;
    uint64_t factor = lin_take(&growth, n);
    if (!lin_is_zero(&growth)) {
        if (factor || growth.wide)
            return false;
        if (!p->loop) {
            factor = growth.n ? 0 : growth.c;
        } else if (sum->n) {
            for (uint32_t i = 0; i < growth.n; i++)
                if (growth.t[i].v == sum->t[0].v && sum->t[0].coef == 1)
                    factor = growth.t[i].coef;
            if (!lin_add(&growth, sum, -factor) || !lin_is_zero(&growth))
                return false;
        }
        if (!factor)
            return false;
    }
    *out = other;
    return lin_add_value(out, n, factor);
}

/* Whether `v` is used by anything but what is inside `but`. */
static bool is_used(const struct ir_region *r, const struct ir_value *v, const struct ir_inst *but) {
    ir_foreach_inst (i, r) {
        if (i == but)
            continue;
        for (uint32_t k = 0; k < i->noperands; k++)
            if (i->operands[k] == v)
                return true;
        ir_foreach_region (inner, i)
            if (is_used(inner, v, but))
                return true;
    }
    return false;
}

/* ---- the rolled loop ---- */

static void mark_needed(const struct loop *l, struct ir_value *v, bool *needed);

static void mark_operands(const struct loop *l, struct ir_inst *i, bool *needed) {
    for (uint32_t k = 0; k < i->noperands; k++)
        mark_needed(l, i->operands[k], needed);
    ir_foreach_region (r, i)
        ir_foreach_inst (inner, r)
            mark_operands(l, inner, needed);
}

/* `needed` is indexed by label, from the loop's own. */
static void mark_needed(const struct loop *l, struct ir_value *v, bool *needed) {
    if (!v->def || !loop_contains_inst(l, v->def) || needed[v->def->label - l->seq])
        return;
    needed[v->def->label - l->seq] = true;
    mark_operands(l, v->def, needed);
}

/* Operations of the copy in `body` that `or` bits into a counter whose low bits were zero in the unrolled loop, but are
 * not any more, become the sums as which they were matched; or, `back`, what names them as such is cleared. */
static void make_sums(const struct reroll_loop *u, const struct ir_region *r, struct ir_region *body,
                      struct ir_map *map, bool back) {
    ir_foreach_inst (i, r) {
        ir_foreach_region (inner, i)
            make_sums(u, inner, body, map, back);
        struct ir_value *copy = i->nresults == 1 ? ir_map_get(map, &i->results[0]) : NULL;
        struct lin sum;
        if (!copy || copy == &i->results[0] || !reroll_is_sum(u, &i->results[0], &sum) || !sum.ored)
            continue;
        copy->fwd = NULL;
        if (back)
            continue;
        for (uint32_t t = 0; t < sum.n; t++)
            sum.t[t].v = ir_map_get(map, sum.t[t].v);
        struct ir_builder first = ir_builder_before(body->first);
        first.wasm_offset = i->wasm_offset;
        copy->fwd = lin_emit(&first, &sum);
    }
}

/* Builds the loop at `b`: `count` elements, with the parameters of `u` starting at `init`. */
static struct ir_inst *build_rolled(struct reroll_site *x, struct ir_builder *b, const struct reroll_loop *u,
                                    struct ir_value *const *init, struct ir_value *count, struct ir_map *map) {
    const struct loop *l = u->loop;
    struct ir_region *r = l->inst->regions[0];
    bool *needed = arena_array(x->scratch, bool, l->seq_end - l->seq + 1);
    for (uint32_t k = 0; k < u->nroots; k++) {
        needed[u->roots[k]->label - l->seq] = true;
        mark_operands(l, u->roots[k], needed);
    }
    for (uint32_t k = 0; k < r->nparams; k++)
        if (u->params[k].carried)
            mark_needed(l, u->params[k].carried, needed);

    struct ir_value *start[REROLL_MAX_PARAMS + 1], *next[REROLL_MAX_PARAMS + 1];
    uint32_t n = 0, place[REROLL_MAX_PARAMS];
    for (uint32_t k = 0; k < r->nparams; k++) {
        place[k] = n;
        if (init[k])
            start[n++] = init[k];
    }
    start[n++] = count;
    struct ir_inst *loop = ir_build_loop(b, start, n, NULL, 0);
    loop->wasm_offset = l->inst->wasm_offset;
    loop->index2 = l->inst->index2;
    struct ir_region *body = loop->regions[0];
    for (uint32_t k = 0; k < r->nparams; k++)
        if (init[k])
            ir_map_set(map, r->params[k], body->params[place[k]]);
    struct ir_builder in = ir_builder_at_end(body);
    ir_foreach_inst (i, r)
        if (needed[i->label - l->seq])
            ir_clone_inst(&in, i, map);
    in.wasm_offset = l->test->wasm_offset;
    for (uint32_t k = 0; k < r->nparams; k++) {
        if (!init[k])
            continue;
        if (u->params[k].moves) {
            struct lin step = u->params[k].step;
            for (uint32_t t = 0; t < step.n; t++)
                step.t[t].v = ir_map_get(map, step.t[t].v);
            lin_add_value(&step, body->params[place[k]], 1);
            next[place[k]] = lin_emit(&in, &step);
        } else {
            next[place[k]] = ir_map_get(map, u->params[k].carried);
        }
    }
    next[n - 1] = ir_build_simple(&in, IR_I32_ADD, body->params[n - 1], ir_build_i32(&in, UINT32_MAX));
    ir_build_br_if(&in, next[n - 1], loop, next, n);
    ir_build_yield(&in, NULL, 0);
    make_sums(u, r, body, map, false);
    ir_resolve_operands(body);
    make_sums(u, r, body, map, true);
    return loop;
}

/* Initial values in front of the loop, with what stands before it in its `if` copied through `map`.  NULL: a parameter
 * that no copy needs. */
static void emit_inits(struct ir_builder *b, const struct reroll_loop *u, const struct ir_region *around,
                       struct ir_map *map, struct ir_value **out) {
    const struct ir_inst *loop = u->loop->inst;
    for (const struct ir_inst *i = around ? around->first : loop; i != loop; i = i->next)
        ir_clone_inst(b, i, map);
    for (uint32_t k = 0; k < loop->regions[0]->nparams; k++)
        out[k] = u->params[k].moves || u->params[k].carried ? ir_map_get(map, loop->operands[k]) : NULL;
}

static struct ir_inst *emit_if_any(struct ir_builder *b, struct ir_value *count) {
    struct ir_inst *any = ir_build_if(b, count, NULL, 0);
    struct ir_builder none = ir_builder_at_end(any->regions[1]);
    ir_build_yield(&none, NULL, 0);
    return any;
}

static bool is_known_before(const struct reroll_piece *p, const struct lin *a) {
    for (uint32_t t = 0; t < a->n; t++) {
        const struct ir_inst *d = a->t[t].v->def;
        if (p->region && d && (d->parent == p->inst->regions[0] || d->parent == p->inst->regions[1]))
            return false;
    }
    return true;
}

/* Puts sums in the place of the piece's results. */
static bool replace_results(struct reroll_site *x, const struct reroll_piece *p, uint32_t copies, struct ir_value *n,
                            const struct lin *sum, const struct ir_inst *but, struct reroll_rest *known) {
    struct ir_builder b = ir_builder_before(p->inst);
    for (uint32_t k = 0; k < p->inst->nresults; k++) {
        struct ir_value *v = &p->inst->results[k];
        struct lin value;
        if (!is_used(x->func->body, v, NULL))
            continue;
        bool is_sum = result_of(p, k, copies, n, sum, &value) && is_known_before(p, &value);
        if (!is_sum && (!but || is_used(x->func->body, v, but)))
            return false;
        if (!is_sum)
            continue;
        if (x->nreplaced == REROLL_MAX_REPLACED)
            return false;
        if (known && known->nfrom < REROLL_MAX_KNOWN) {
            known->from[known->nfrom] = v;
            known->to[known->nfrom++] = value;
        }
        x->replaced[x->nreplaced] = v;
        x->by[x->nreplaced++] = lin_emit(&b, &value);
    }
    return true;
}

static void forward_replaced(struct reroll_site *x) {
    for (uint32_t k = 0; k < x->nreplaced; k++)
        x->replaced[k]->fwd = x->by[k];
    if (x->nreplaced)
        ir_resolve_operands(x->func->body);
    for (uint32_t k = 0; k < x->nreplaced; k++)
        x->replaced[k]->fwd = NULL;
    x->nreplaced = 0;
}

/* Parameters that carry values: which result of the first piece holds them behind it. */
static void find_carried(const struct reroll_loop *u, const struct reroll_piece *p, struct reroll_rest *rest) {
    const struct ir_region *r = u->loop->inst->regions[0];
    for (uint32_t k = 0; k < r->nparams; k++)
        for (uint32_t i = 0; u->params[k].carried && i < p->inst->nresults; i++) {
            struct ir_value *end = p->region ? p->region->last->operands[i] : &p->inst->results[i];
            bool of_loop = end->def == u->loop->inst && r->last->operands[end->index] == loop_next_value(u->loop, k);
            if (of_loop && (!p->region || p->inst->regions[!p->side]->last->operands[i] == u->loop->inst->operands[k]))
                rest->carried[k] = &p->inst->results[i];
        }
}

static void note(uint32_t *list, uint32_t *n, const struct ir_inst *loop) {
    if (*n < REROLL_MAX_LOOPS)
        list[(*n)++] = loop->wasm_offset;
}

/* The loop of `count` elements in the place of both.  `before`: the elements of the rest, where that comes first. */
static void build_joined(struct reroll_site *x, struct reroll_loop *u, const struct reroll_piece *pu,
                         const struct reroll_piece *pv, struct ir_value *count, struct ir_value *before) {
    const struct reroll_piece *first = before ? pv : pu, *second = before ? pu : pv;
    struct ir_builder b = ir_builder_before(second->inst);
    struct ir_inst *any = emit_if_any(&b, count);
    struct ir_builder in = ir_builder_at_end(any->regions[0]);
    struct ir_map *map = ir_map_new(x->scratch);
    struct ir_value *inits[REROLL_MAX_PARAMS];
    emit_inits(&in, u, pu->region, map, inits);
    for (uint32_t k = 0; k < u->loop->inst->regions[0]->nparams && before; k++)
        if (inits[k]) { /* where it would have been had it begun with the rest */
            struct ir_value *back =
                ir_build_simple(&in, IR_I32_MUL, before, ir_build_i32(&in, (uint32_t)u->params[k].step.c));
            inits[k] = ir_build_simple(&in, IR_I32_SUB, inits[k], back);
        }
    build_rolled(x, &in, u, inits, count, map);
    ir_build_yield(&in, NULL, 0);
    note(x->out->rolled, &x->out->nrolled, u->loop->inst);
    if (pv->loop)
        note(x->out->merged, &x->out->nmerged, pv->loop->inst);
    ir_inst_remove(second->inst);
    ir_inst_remove(first->inst);
}

bool reroll_join(struct reroll_site *x, struct reroll_loop *u, const struct reroll_piece *pu,
                 const struct reroll_piece *pv, bool u_first) {
    const struct reroll_piece *first = u_first ? pu : pv, *second = u_first ? pv : pu;
    const struct ir_region *r = u->loop->inst->regions[0];
    struct ir_value *valid = x->valid;
    struct lin sum_first, sum_second;
    struct ir_value *n_first = emit_elements(x, first, u_first ? u->copies : 1, &sum_first);
    struct reroll_rest rest = {.inst = pv->inst, .loop = pv->loop, .aff = x->aff};
    rest.body = pv->loop ? pv->loop->inst->regions[0] : pv->region;
    x->nreplaced = 0;
    if (!n_first ||
        !replace_results(x, first, u_first ? u->copies : 1, n_first, &sum_first, u_first ? second->inst : NULL, &rest))
        goto no;
    struct lin init[REROLL_MAX_PARAMS];
    for (uint32_t k = 0; k < r->nparams; k++) {
        if (!u->params[k].moves) {
            if (u->params[k].carried && !u_first)
                goto no;
            continue;
        }
        if (u->params[k].step.n || !lin_of(u->loop->inst->operands[k], &init[k]))
            goto no;
        for (uint32_t f = 0; f < rest.nfrom; f++) {
            uint64_t coef = lin_take(&init[k], rest.from[f]);
            if (coef && !lin_add(&init[k], &rest.to[f], coef))
                goto no;
        }
        rest.start[k] = init[k];
        if (n_first->type != (init[k].wide ? IR_I64 : IR_I32) ||
            !lin_add_value(u_first ? &rest.start[k] : &init[k], n_first,
                           u_first ? u->params[k].step.c : -u->params[k].step.c))
            goto no;
        if (!u_first)
            rest.start[k] = init[k];
    }
    if (u_first)
        find_carried(u, pu, &rest);
    if (!reroll_match_rest(u, &rest))
        goto no;
    for (uint32_t k = 0; k < second->inst->nresults; k++)
        if (is_used(x->func->body, &second->inst->results[k], NULL))
            goto no;
    forward_replaced(x);
    struct ir_value *n_second = emit_elements(x, second, u_first ? 1 : u->copies, &sum_second);
    if (!n_second) {
        x->broken = true; /* half of it is done */
        return false;
    }
    struct ir_builder top = ir_builder_before(x->top);
    build_joined(x, u, pu, pv, ir_build_simple(&top, IR_I32_ADD, n_first, n_second), u_first ? NULL : n_first);
    return true;
no:
    x->valid = valid;
    x->nreplaced = 0;
    return false;
}

/* ---- twins ---- */

/* What a result of an `if` around elements stands for in what comes behind: `from` + `factor` for each element. */
struct twin_start {
    struct ir_value *result;
    struct lin from;
    uint64_t factor;
};

/* The unrolled loop, and what is behind it: a loop that does one element an iteration; or some elements, one by one,
 * and a loop that does several. */
struct twins {
    struct reroll_loop *u;
    const struct reroll_piece *pu, *odd, *pv; /* odd: NULL: there is none */
    const struct reroll_loop *pairs;          /* the loop behind, where it does several */
    struct reroll_count fast;                 /* how many elements the unrolled loop does */
    struct lin nfast, nwhole;                 /* the same as a sum; and how many there are in all */
    struct lin nodds;                         /* how many are done one by one, where any are */
    struct lin ones;                          /* how many that is, 0 where none are */
    struct ir_value *more, *is_odd;           /* conditions of what is behind; NULL: none */
    struct twin_start starts[REROLL_MAX_KNOWN];
    uint32_t nstarts, nodd; /* the first `nodd` are results of `odd` */
    /* Numbers that nothing is known of: the elements of the unrolled loop, and those done one by one. */
    struct ir_value *n, *one;
};

/* How many elements the loop does, as a plain distance. */
static bool read_distance(struct reroll_count *c, struct loop *l, uint32_t copies, struct lin *out) {
    if (!reroll_read_count(c, l, copies) || !c->until_equal || c->step != copies || c->from.wide)
        return false;
    *out = c->to;
    if (!lin_add(out, &c->from, UINT64_MAX))
        return false;
    out->c = (uint32_t)(out->c + c->step);
    return true;
}

/* Puts what is behind starts with, when it does everything, in the place of the results; *out_factor: what the sum
 * grows by for each element that the unrolled loop has done, *out_odd: likewise for those done one by one. */
static bool from_start(const struct twins *t, struct lin *a, uint32_t *out_factor, uint32_t *out_odd) {
    *out_factor = *out_odd = 0;
    for (uint32_t k = 0; k < t->nstarts; k++) {
        uint64_t coef = lin_take(a, t->starts[k].result);
        *(k < t->nodd ? out_odd : out_factor) += (uint32_t)(coef * t->starts[k].factor);
        if (coef && !lin_add(a, &t->starts[k].from, coef))
            return false;
    }
    return true;
}

/* Whether all uses of `v` are in what is behind, or in pure operations beside it that serve nothing else. */
static bool serves_only(const struct ir_region *r, const struct ir_value *v, const struct twins *t, unsigned depth) {
    ir_foreach_inst (i, r) {
        if (i == t->pv->inst || (t->odd && i == t->odd->inst))
            continue;
        bool uses = false;
        for (uint32_t k = 0; k < i->noperands; k++)
            uses |= i->operands[k] == v;
        if (uses && (i->parent != t->pv->inst->parent || !ir_is_pure(i) || ir_nregions(i) || i->nresults != 1 ||
                     !depth || !serves_only(r, &i->results[0], t, depth - 1)))
            return false;
        ir_foreach_region (inner, i)
            if (!serves_only(inner, v, t, depth))
                return false;
    }
    return true;
}

static bool is_i32(const struct ir_value *v, uint32_t want) {
    const union ir_bits *c = ir_const_of(v);
    return c && v->type == IR_I32 && c->i32 == want;
}

/* Whether `v` says that the number of elements left behind the unrolled loop is too small for the last loop, and not 0.
 */
static bool says_few_left(const struct twins *t, const struct ir_value *v) {
    struct lin a, b, left = t->nwhole;
    const struct ir_inst *d = v->def;
    uint32_t factor, odd, several = t->pairs->copies;
    bool is_one = d && d->op == IR_I32_EQ && several == 2;
    if ((!is_one && (!d || d->op != IR_I32_GT_U || !is_i32(d->operands[1], 0 - several))) ||
        !lin_of(d->operands[0], &a) || !lin_of(d->operands[1], &b) || (is_one && !lin_add(&a, &b, UINT64_MAX)) ||
        !from_start(t, &a, &factor, &odd) || odd || !lin_add_value(&a, t->n, factor) ||
        !lin_add_value(&left, t->n, UINT64_MAX))
        return false;
    if (is_one)
        left.c = (uint32_t)(left.c - 1);
    b = a;
    return (is_one && lin_equal(&a, &left)) || (lin_add(&b, &left, 1) && lin_is_zero(&b));
}

/* Conditions as reroll_vector.c makes them: nothing behind runs where the unrolled loop has run and has left nothing.
 * What does some elements runs where another condition holds as well; and the last loop does not where few were left.
 */
static bool read_conditions(struct twins *t) {
    struct ir_value *v = t->pv->region ? t->pv->inst->operands[0] : NULL;
    struct lin left = t->nwhole;
    if (t->odd) {
        const struct ir_inst *d = t->odd->inst->operands[0]->def;
        if (t->odd->side || !d || d->op != IR_SELECT || !is_i32(d->operands[1], 0))
            return false;
        t->is_odd = d->operands[0];
        struct ir_value *more = d->operands[2];
        d = v ? v->def : NULL;
        if (!d || d->op != IR_SELECT || !is_i32(d->operands[0], 0) || d->operands[1] != more ||
            !says_few_left(t, d->operands[2]))
            return false;
        v = more;
    }
    if (!t->pv->region)
        return true;
    const struct ir_inst *choice = v->def, *some;
    if (t->pv->side || !choice || choice->op != IR_SELECT || choice->operands[2] != t->pu->inst->operands[0] ||
        !is_i32(choice->operands[!t->pu->side], 1) || !lin_add(&left, &t->nfast, UINT64_MAX))
        return false;
    some = choice->operands[t->pu->side]->def;
    if (!some || some->op != IR_I32_EQZ)
        return false;
    const struct ir_inst *all = some->operands[0]->def;
    struct lin a, b;
    if (!all || all->op != IR_I32_EQ || !lin_of(all->operands[0], &a) || !lin_of(all->operands[1], &b) ||
        !lin_add(&a, &b, UINT64_MAX))
        return false;
    b = a;
    return lin_equal(&a, &left) || (lin_add(&b, &left, 1) && lin_is_zero(&b));
}

/* Results of the piece, of whose elements `n` is the number. */
static bool read_starts(struct reroll_site *x, struct twins *t, const struct reroll_piece *p, uint32_t copies,
                        struct ir_value *n, const struct lin *sum) {
    for (uint32_t k = 0; k < p->inst->nresults; k++) {
        struct twin_start *s = &t->starts[t->nstarts];
        s->result = &p->inst->results[k];
        if (!is_used(x->func->body, s->result, NULL))
            continue;
        if (++t->nstarts == REROLL_MAX_KNOWN || !serves_only(x->func->body, s->result, t, 8) ||
            !result_of(p, k, copies, n, sum, &s->from) || !is_known_before(p, &s->from) || s->from.wide)
            return false;
        s->factor = lin_take(&s->from, n);
    }
    return true;
}

/* Where just the number of elements done one by one is tested, it is that number in all cases. */
static bool read_ones(struct twins *t) {
    struct lin tested;
    t->ones = (struct lin){.c = 0};
    if (!t->is_odd || !lin_of(t->is_odd, &tested) || !lin_equal(&tested, &t->nodds))
        return lin_add_value(&t->ones, t->one, 1);
    t->ones = tested;
    return true;
}

static bool read_twins(struct reroll_site *x, struct twins *t) {
    struct reroll_count slow;
    uint32_t factor, odd;
    t->nodds = (struct lin){.c = 1};
    if (!read_distance(&t->fast, t->u->loop, t->u->copies, &t->nfast) ||
        !read_distance(&slow, t->pv->loop, t->pairs ? t->pairs->copies : 1, &t->nwhole) ||
        (t->odd && t->odd->loop && !read_distance(&slow, t->odd->loop, 1, &t->nodds)) ||
        (t->odd && !read_starts(x, t, t->odd, 1, t->one, &t->nodds)))
        return false;
    t->nodd = t->nstarts;
    /* The loop behind does as many elements less as have been done. */
    return read_starts(x, t, t->pu, t->u->copies, t->n, &t->nfast) && from_start(t, &t->nwhole, &factor, &odd) &&
           factor == UINT32_MAX && (!t->odd || odd == UINT32_MAX) && read_conditions(t) && read_ones(t);
}

/* Whether an element of `p` is one of the unrolled loop's, wherever it starts. */
static bool match_twin(struct reroll_site *x, const struct twins *t, const struct reroll_piece *p) {
    struct reroll_loop *u = t->u;
    bool after_odd = t->odd && p == t->pv;
    struct reroll_rest rest = {.inst = p->inst, .loop = p->loop, .aff = x->aff, .nfrom = t->nstarts};
    rest.body = p->loop ? p->loop->inst->regions[0] : p->region;
    rest.unrolled = p == t->pv ? t->pairs : NULL;
    for (uint32_t k = 0; k < t->nstarts; k++) {
        rest.from[k] = t->starts[k].result;
        rest.to[k] = t->starts[k].from;
        if (k < t->nodd ? !lin_add(&rest.to[k], &t->ones, t->starts[k].factor)
                        : !lin_add_value(&rest.to[k], t->n, t->starts[k].factor))
            return false;
    }
    for (uint32_t k = 0; k < u->loop->inst->regions[0]->nparams; k++) {
        const struct reroll_param *q = &u->params[k];
        if (q->carried ||
            (q->moves && (q->step.n || q->step.wide || !lin_of(u->loop->inst->operands[k], &rest.start[k]) ||
                          !lin_add_value(&rest.start[k], t->n, q->step.c) ||
                          (after_odd && !lin_add(&rest.start[k], &t->ones, q->step.c)))))
            return false;
    }
    return reroll_match_rest(u, &rest);
}

static struct ir_value *emit_and(struct ir_builder *b, struct ir_value *x, struct ir_value *y) {
    return x ? ir_build_simple(b, IR_I32_AND, x, y) : y;
}

/* 1 when as many of `n` elements are done one by one as the last loop leaves over. */
static struct ir_value *emit_left_over(struct ir_builder *b, const struct twins *t, struct ir_value *n,
                                       struct ir_value *odds) {
    struct ir_value *mask = ir_build_i32(b, t->pairs->copies - 1);
    return ir_build_simple(b, IR_I32_EQ, odds, ir_build_simple(b, IR_I32_AND, n, mask));
}

/* Code for the number of all elements, and when it holds: the unrolled loop, where it runs, does a part of them. */
static struct ir_value *emit_all_elements(struct reroll_site *x, struct twins *t) {
    struct ir_value *is_odd = t->is_odd ? reroll_top_value(x, t->is_odd) : NULL;
    if (!bring_to_top(x, &t->fast.from) || !bring_to_top(x, &t->fast.to) || !bring_to_top(x, &t->nwhole) ||
        (t->is_odd && (!is_odd || !bring_to_top(x, &t->nodds))))
        return NULL;
    struct ir_value *cond = reroll_top_value(x, t->pu->inst->operands[0]), *fits = NULL;
    struct ir_builder b = ir_builder_before(x->top);
    struct ir_value *nfast = reroll_emit_count(&b, &t->fast, &fits), *n = lin_emit(&b, &t->nwhole);
    if (!nfast)
        return NULL;
    fits = emit_and(&b, fits, ir_build_simple(&b, t->pv->region ? IR_I32_LE_U : IR_I32_LT_U, nfast, n));
    struct ir_value *odds = is_odd ? ir_build_select(&b, lin_emit(&b, &t->nodds), ir_build_i32(&b, 0), is_odd) : NULL;
    if (odds)
        fits = emit_and(&b, fits, emit_left_over(&b, t, ir_build_simple(&b, IR_I32_SUB, n, nfast), odds));
    struct ir_value *one = ir_build_i32(&b, 1);
    if (cond)
        fits = t->pu->side ? ir_build_select(&b, one, fits, cond) : ir_build_select(&b, fits, one, cond);
    if (odds)
        fits = emit_and(&b, fits, emit_left_over(&b, t, n, odds));
    /* 1 to 2^30 - 1 */
    struct ir_value *most = ir_build_i32(&b, (UINT32_C(1) << 30) - 1);
    struct ir_value *less = ir_build_simple(&b, IR_I32_SUB, n, one);
    fits = emit_and(&b, fits, ir_build_simple(&b, IR_I32_LT_U, less, most));
    x->valid = emit_and(&b, x->valid, fits);
    return n;
}

bool reroll_join_twins(struct reroll_site *x, struct reroll_loop *u, const struct reroll_piece *pu,
                       const struct reroll_piece *odd, const struct reroll_piece *pv, const struct reroll_loop *pairs) {
    if (!pu->region || !pv->loop || pv->inst->nresults || (odd != NULL) != (pairs != NULL) || (odd && !pv->region))
        return false;
    struct ir_builder b = ir_builder_before(x->top);
    enum ir_type i32 = IR_I32;
    struct ir_inst *some = ir_build(&b, IR_MEMORY_SIZE, &i32, 1, NULL, 0);
    struct ir_inst *other = ir_build(&b, IR_MEMORY_SIZE, &i32, 1, NULL, 0);
    struct twins *t = arena_new(x->scratch, struct twins);
    *t = (struct twins){.u = u, .pu = pu, .odd = odd, .pv = pv, .pairs = pairs};
    t->n = &some->results[0];
    t->one = &other->results[0];
    struct ir_value *n = NULL;
    if (read_twins(x, t) && (!odd || match_twin(x, t, odd)) && match_twin(x, t, pv))
        n = emit_all_elements(x, t);
    ir_inst_remove(some);
    ir_inst_remove(other);
    if (!n)
        return false;
    b = ir_builder_before(pu->inst);
    x->nreplaced = 0;
    for (uint32_t k = 0; k < t->nstarts; k++) { /* for what is left of it, which serves nothing */
        x->replaced[k] = t->starts[k].result;
        x->by[k] = lin_emit(&b, &t->starts[k].from);
        x->nreplaced++;
    }
    forward_replaced(x);
    if (odd)
        ir_inst_remove(odd->inst);
    build_joined(x, u, pu, pv, n, NULL);
    return true;
}

bool reroll_alone(struct reroll_site *x, struct reroll_loop *u) {
    struct reroll_piece p = {.inst = u->loop->inst, .loop = u->loop};
    struct ir_value *valid = x->valid;
    struct lin sum;
    struct ir_value *n = emit_elements(x, &p, u->copies, &sum);
    x->nreplaced = 0;
    if (!n || !replace_results(x, &p, u->copies, n, &sum, NULL, NULL)) {
        x->valid = valid;
        return false;
    }
    struct ir_builder b = ir_builder_before(u->loop->inst);
    struct ir_value *inits[REROLL_MAX_PARAMS];
    struct ir_map *map = ir_map_new(x->scratch);
    emit_inits(&b, u, NULL, map, inits);
    build_rolled(x, &b, u, inits, n, map);
    forward_replaced(x);
    note(x->out->rolled, &x->out->nrolled, u->loop->inst);
    ir_inst_remove(u->loop->inst);
    return true;
}
