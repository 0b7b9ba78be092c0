/* Structure: turns the blocks and branches of compiled wasm into the plainest `if`s and straight code.
 *
 *     block B {                         %p                        block A {
 *       %p                              if (eqz %c) {               block B {                     if (eqz %c) {
 *       br_if %c, B            =>         rest                        br_if %c, B                   x; yield %x
 *       rest                            } else {                      x                      =>   } else {
 *       yield                             yield                       br A(%x)                      y; yield %y
 *     }                                 }                           }                             }
 *                                                                   y; yield %y }
 *
 * One walk from the outside in, so that code moves out of a nest of blocks once and not once a level.  `label` of a
 * block, loop or if counts the branches to it; after code was cut the count may be too high, which only postpones a
 * rewrite to the next round.  `note` of a block or if, while the walk is inside the instruction that ends its region
 * and gives all its results, names that instruction: a branch to the outer label may as well go to the inner one, and
 * the innermost is taken.
 *
 * Rewrites that nest code deeper stop at MAX_DEPTH. */
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/opt/fold_impl.h"
#include "ir/opt/pass.h"

enum {
    MAX_DEPTH = 400,
    MAX_GUARDS = 8,     /* br_ifs of one block that become nested ifs */
    MAX_SPECULATED = 4, /* operations that an if turned into selects may run in vain */
    MAX_SELECTS = 2,
};

static bool gives_results(const struct ir_inst *label) {
    return label && label->op != IR_LOOP;
}

static struct ir_inst *innermost(struct ir_inst *label) {
    while (label->note)
        label = label->note;
    return label;
}

static void move_rest(struct ir_inst *after, struct ir_region *to) {
    while (after->next)
        ir_inst_move_to_end(after->next, to);
}

static bool retarget(struct ir_inst **target) {
    struct ir_inst *inner = innermost(*target);
    if (inner == *target)
        return false;
    (*target)->label--;
    inner->label++;
    *target = inner;
    return true;
}

static void branch_to_yield(struct ir_inst *br) {
    br->target->label--;
    br->op = IR_YIELD;
    br->target = NULL;
    br->ntargets = 0;
}

/* A branch to the innermost equal label; at the end of the label's own region it is a yield. */
static bool simplify_branch(struct ir_inst *i) {
    bool changed = false;
    if (i->op == IR_BR_TABLE) {
        for (uint32_t k = 0; k < i->ntargets; k++)
            changed |= retarget(&i->targets[k]);
        return changed;
    }
    changed = retarget(&i->target);
    if (i->op == IR_BR && i->target == i->parent->parent && gives_results(i->target)) {
        branch_to_yield(i);
        changed = true;
    }
    return changed;
}

/* The block's content to its place; returns the first instruction of it, or what follows the block. */
static struct ir_inst *flatten(struct ir_inst *block) {
    struct ir_region *body = block->regions[0];
    struct ir_inst *first = NULL;
    bool falls_out = ir_falls_out(body);
    while (body->first) {
        struct ir_inst *i = body->first;
        if (falls_out && i == body->last) {
            for (uint32_t k = 0; k < block->nresults; k++)
                block->results[k].fwd = i->operands[k];
            ir_inst_remove(i);
            break;
        }
        ir_inst_move_before(i, block);
        first = first ? first : i;
    }
    if (!falls_out)
        ir_cut_after(block);
    struct ir_inst *next = block->next;
    ir_inst_remove(block);
    return first ? first : next;
}

/* A loop that never goes round is a block. */
static bool loop_to_block(struct ir_inst *i) {
    if (i->op != IR_LOOP || i->label)
        return false;
    struct ir_region *body = i->regions[0];
    for (uint32_t k = 0; k < body->nparams; k++)
        body->params[k]->fwd = i->operands[k];
    body->nparams = 0;
    ir_inst_set_operands(i, NULL, 0);
    i->op = IR_BLOCK;
    return true;
}

/* Fresh results of the types of `values`. */
static void new_results(struct ir_inst *i, struct ir_value *const *values, uint32_t n) {
    struct ir_func *f = i->parent->func;
    i->nresults = (uint16_t)n;
    i->results = n ? arena_array(&f->arena, struct ir_value, n) : NULL;
    for (uint32_t k = 0; k < n; k++)
        i->results[k] = (struct ir_value){.type = values[k]->type, .id = f->next_id++, .index = k, .def = i};
}

/* Fresh results like those of `label`. */
static void new_results_like(struct ir_inst *i, const struct ir_inst *label) {
    struct ir_func *f = i->parent->func;
    i->nresults = label->nresults;
    i->results = label->nresults ? arena_array(&f->arena, struct ir_value, label->nresults) : NULL;
    for (uint32_t k = 0; k < label->nresults; k++)
        i->results[k] = (struct ir_value){.type = label->results[k].type, .id = f->next_id++, .index = k, .def = i};
}

/* yield of all the results of `i`, at the end of the region. */
static void yield_results(struct ir_inst *i, struct ir_region *r) {
    struct ir_builder b = ir_builder_at_end(r);
    b.wasm_offset = i->wasm_offset;
    struct ir_inst *yield = ir_build_yield(&b, NULL, 0);
    yield->operands = arena_array(&r->func->arena, struct ir_value *, i->nresults);
    yield->noperands = i->nresults;
    for (uint32_t k = 0; k < i->nresults; k++)
        yield->operands[k] = &i->results[k];
}

/* `br_if c, B(args); rest` -> `if (eqz c) { rest } else { yield args }; yield its results` */
static void guard_to_if(struct ir_inst *block, struct ir_inst *guard) {
    struct ir_builder b = ir_builder_before(guard);
    struct ir_value *cond = fold_negate(&b, ir_resolve(guard->operands[0]));
    struct ir_inst *i = ir_build_if(&b, cond, NULL, 0);
    new_results_like(i, block);
    move_rest(guard, i->regions[0]);
    struct ir_builder e = ir_builder_at_end(i->regions[1]);
    e.wasm_offset = guard->wasm_offset;
    ir_build_yield(&e, guard->operands + 1, guard->noperands - 1);
    ir_inst_remove(guard);
    yield_results(i, block->regions[0]);
    block->label--;
}

/* Behind the loop, instead of what could not be reached: `leave`'s own exit with the loop's results. */
static void leave_behind(struct ir_inst *loop, const struct ir_inst *leave) {
    ir_cut_after(loop);
    struct ir_builder b = ir_builder_at_end(loop->parent);
    b.wasm_offset = leave->wasm_offset;
    struct ir_inst *exit = ir_build(&b, leave->op == IR_RETURN ? IR_RETURN : IR_BR, NULL, 0, NULL, 0);
    if (exit->op == IR_BR) {
        exit->target = leave->target;
        exit->ntargets = 1;
    }
    exit->operands = arena_array(&b.func->arena, struct ir_value *, loop->nresults);
    exit->noperands = loop->nresults;
    for (uint32_t k = 0; k < loop->nresults; k++)
        exit->operands[k] = &loop->results[k];
}

/* The br_if standing directly in the loop that is to become its way out: the one right before the branch back, else the
 * first. */
static struct ir_inst *choose_exit(struct ir_inst *loop) {
    struct ir_inst *last = loop->regions[0]->last;
    if (last->op != IR_BR || last->target != loop)
        return NULL;
    if (last->prev && last->prev->op == IR_BR_IF && last->prev->target != loop)
        return last->prev;
    ir_foreach_inst (i, loop->regions[0])
        if (i->op == IR_BR_IF && i->target != loop)
            return i;
    return NULL;
}

/* A loop that is only left by branches falls out at its end instead:
 *
 *     loop L { a; br_if c, X(v); b; br L(n) }   =>   %r = loop L { a; %w = if (eqz c) { b; br L(n) } else { yield v }
 *     unreachable                                                  yield %w }
 *                                                    br X(%r)
 *
 * and a branch or return at the end of its body goes behind it. */
static bool loop_falls_out(struct ir_inst *loop, uint32_t depth) {
    if (loop->op != IR_LOOP || ir_falls_out(loop->regions[0]))
        return false;
    struct ir_region *body = loop->regions[0];
    struct ir_inst *last = body->last;
    if (last->op == IR_RETURN || (last->op == IR_BR && last->target != loop)) {
        new_results(loop, last->operands, last->noperands);
        leave_behind(loop, last);
        last->op = IR_YIELD;
        last->target = NULL;
        last->ntargets = 0;
        return true;
    }
    struct ir_inst *leave = depth < MAX_DEPTH ? choose_exit(loop) : NULL;
    if (!leave)
        return false;
    new_results(loop, leave->operands + 1, leave->noperands - 1);
    leave_behind(loop, leave);
    struct ir_builder b = ir_builder_before(leave);
    struct ir_value *cond = fold_negate(&b, ir_resolve(leave->operands[0]));
    struct ir_inst *i = ir_build_if(&b, cond, NULL, 0);
    new_results(i, leave->operands + 1, leave->noperands - 1);
    move_rest(leave, i->regions[0]);
    struct ir_builder e = ir_builder_at_end(i->regions[1]);
    e.wasm_offset = leave->wasm_offset;
    ir_build_yield(&e, leave->operands + 1, leave->noperands - 1);
    ir_inst_remove(leave);
    yield_results(i, body);
    return true;
}

/* When all branches to the block are br_ifs standing directly in it. */
static bool guards_to_ifs(struct ir_inst *block, uint32_t depth) {
    if (block->op != IR_BLOCK || !block->label || block->label > MAX_GUARDS || depth + block->label > MAX_DEPTH)
        return false;
    struct ir_inst *guards[MAX_GUARDS];
    uint32_t n = 0;
    ir_foreach_inst (i, block->regions[0]) {
        if (i->op == IR_BR_IF && i->target == block && n < block->label)
            guards[n++] = i;
    }
    if (n != block->label)
        return false;
    while (n)
        guard_to_if(block, guards[--n]);
    return true;
}

/* Whether the arm ends in a branch to the end of what is around the `if`. */
static bool leaves_to(const struct ir_region *arm, const struct ir_inst *around) {
    return arm->last->op == IR_BR && innermost(arm->last->target) == around;
}

/* `if c { x; br A(v) } else { y; yield w }; rest` in the region of A -> `if c { x; yield v } else { y; rest }` */
static bool absorb_rest(struct ir_inst *i, uint32_t depth) {
    struct ir_inst *around = i->parent->parent;
    if (i->op != IR_IF || i->label || !gives_results(around) || depth >= MAX_DEPTH)
        return false;
    bool then_leaves = leaves_to(i->regions[0], around), else_leaves = leaves_to(i->regions[1], around);
    if (!then_leaves && !else_leaves)
        return false;
    struct ir_region *stays = i->regions[then_leaves];
    if (then_leaves != else_leaves && ir_falls_out(stays)) {
        for (uint32_t k = 0; k < i->nresults; k++)
            i->results[k].fwd = stays->last->operands[k];
        ir_inst_remove(stays->last);
        move_rest(i, stays);
    } else {
        ir_cut_after(i); /* neither arm comes here */
    }
    new_results_like(i, around);
    if (then_leaves)
        branch_to_yield(i->regions[0]->last);
    if (else_leaves)
        branch_to_yield(i->regions[1]->last);
    yield_results(i, i->parent);
    return true;
}

/* `if c { br L(v) } else { y; yield w }` -> `br_if c, L(v); y`.  Returns where to go on, NULL when unchanged. */
static struct ir_inst *if_to_br_if(struct ir_inst *i) {
    if (i->op != IR_IF || i->label)
        return NULL;
    for (int arm = 0; arm < 2; arm++) {
        struct ir_inst *br = i->regions[arm]->first;
        struct ir_region *other = i->regions[!arm];
        if (br->op != IR_BR)
            continue;
        struct ir_builder b = ir_builder_before(i);
        struct ir_value *cond = arm ? fold_negate(&b, i->operands[0]) : i->operands[0];
        b.wasm_offset = br->wasm_offset;
        struct ir_inst *br_if = ir_build_br_if(&b, cond, br->target, br->operands, br->noperands);
        i->regions[0] = other;
        i->regions[1] = NULL;
        ir_inst_set_operands(i, NULL, 0);
        i->op = IR_BLOCK;
        flatten(i);
        return br_if;
    }
    return NULL;
}

static bool cheap(const struct ir_inst *i) {
    return ir_is_pure(i) && i->nresults == 1 && i->op != IR_F32_DIV && i->op != IR_F64_DIV && i->op != IR_F32_SQRT &&
           i->op != IR_F64_SQRT && !ir_has_flag(i, IR_FLAG_TRAPS);
}

/* An `if` of a few cheap operations is run on both sides, and selects choose. */
static bool if_to_selects(struct ir_inst *i) {
    if (i->op != IR_IF || i->label || !i->nresults || i->nresults > MAX_SELECTS)
        return false;
    unsigned n = 0;
    for (int arm = 0; arm < 2; arm++) {
        if (!ir_falls_out(i->regions[arm]))
            return false;
        for (struct ir_inst *x = i->regions[arm]->first; x->next; x = x->next) {
            n += !ir_is_const(x);
            if (!cheap(x) || n > MAX_SPECULATED)
                return false;
        }
    }
    struct ir_value *values[2][MAX_SELECTS];
    for (int arm = 0; arm < 2; arm++) {
        struct ir_region *r = i->regions[arm];
        while (r->first->next)
            ir_inst_move_before(r->first, i);
        memcpy(values[arm], r->first->operands, sizeof *r->first->operands * i->nresults);
    }
    struct ir_builder b = ir_builder_before(i);
    for (uint32_t k = 0; k < i->nresults; k++)
        i->results[k].fwd = ir_build_select(&b, values[0][k], values[1][k], i->operands[0]);
    ir_inst_remove(i);
    return true;
}

/* Whether control never comes behind the instruction. */
static bool diverges(const struct ir_inst *i) {
    if (i->op == IR_LOOP)
        return !ir_falls_out(i->regions[0]);
    return !i->label && !ir_falls_out(i->regions[0]) && (i->op == IR_BLOCK || !ir_falls_out(i->regions[1]));
}

static bool cut_unreachable(struct ir_inst *i) {
    if (!diverges(i) || i->next->op == IR_UNREACHABLE)
        return false;
    ir_cut_after(i);
    struct ir_builder b = ir_builder_at_end(i->parent);
    b.wasm_offset = i->wasm_offset;
    ir_build(&b, IR_UNREACHABLE, NULL, 0, NULL, 0);
    return true;
}

/* Whether the region ends with `i` and a yield of exactly its results. */
static bool is_tail(const struct ir_inst *i) {
    const struct ir_inst *yield = i->next;
    if (yield->op != IR_YIELD || yield->noperands != i->nresults || !gives_results(i))
        return false;
    for (uint32_t k = 0; k < i->nresults; k++)
        if (yield->operands[k] != &i->results[k])
            return false;
    return true;
}

static bool walk(struct ir_region *r, uint32_t depth);

/* A block, loop or if: returns where to go on. */
static struct ir_inst *visit(struct ir_inst *i, uint32_t depth, bool *changed) {
    *changed |= loop_to_block(i);
    if (i->op == IR_BLOCK && (!i->label || guards_to_ifs(i, depth))) {
        *changed = true;
        return flatten(i);
    }
    *changed |= absorb_rest(i, depth);
    struct ir_inst *again = if_to_br_if(i);
    if (again) {
        *changed = true;
        return again;
    }
    *changed |= loop_falls_out(i, depth);
    struct ir_inst *around = i->parent->parent;
    bool tail = gives_results(around) && is_tail(i);
    if (tail)
        around->note = i;
    ir_foreach_region (sub, i)
        *changed |= walk(sub, depth + 1);
    if (tail)
        around->note = NULL;
    if (i->op == IR_BLOCK && !i->label) {
        struct ir_inst *behind = i->next;
        bool falls_out = ir_falls_out(i->regions[0]);
        flatten(i);
        *changed = true;
        return falls_out ? behind : NULL;
    }
    *changed |= cut_unreachable(i);
    struct ir_inst *next = i->next;
    *changed |= if_to_selects(i);
    return next;
}

static bool walk(struct ir_region *r, uint32_t depth) {
    bool changed = false;
    for (struct ir_inst *i = r->first, *next; i; i = next) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        if (ir_nregions(i)) {
            next = visit(i, depth, &changed);
            continue;
        }
        if (i->op == IR_BR || i->op == IR_BR_IF || i->op == IR_BR_TABLE)
            changed |= simplify_branch(i);
        next = i->next;
    }
    return changed;
}

bool opt_structure(struct ir_func *f, struct pass_ctx *cx) {
    (void)cx;
    ir_count_branches(f->body);
    return walk(f->body, 0);
}
