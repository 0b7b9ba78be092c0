/* Finds the loops of a function and names their shape; see loops.h.
 *
 * One walk numbers all instructions in textual order (so "inside" is a comparison of numbers), makes the tree and
 * counts the branches that leave each loop.  A second look at each loop's last instructions finds its shape. Structured
 * control makes this simple: a natural-loop search over a control-flow graph would find the same loops again.
 */
#include "ir/analysis/loops.h"

#include "ir/ir_effects.h"

struct builder {
    struct loop_tree *tree;
    uint32_t seq;
    struct loop **stack;  /* open loops, innermost last */
    struct loop ***tails; /* where the next loop of each depth is linked in */
    uint32_t depth;
};

static bool branch_targets(const struct ir_inst *i, uint32_t k, struct ir_inst **out_target) {
    switch (i->op) {
    case IR_BR:
    case IR_BR_IF:
        *out_target = i->target;
        return k == 0;
    case IR_BR_TABLE:
        if (k >= i->ntargets)
            return false;
        *out_target = i->targets[k];
        return true;
    case IR_RETURN:
    case IR_RETURN_CALL:
    case IR_RETURN_CALL_INDIRECT:
        *out_target = NULL; /* leaves everything */
        return k == 0;
    default:
        return false;
    }
}

/* Enters branch `i` in every open loop that it leaves or restarts. */
static void note_branch(struct builder *b, struct ir_inst *i) {
    struct ir_inst *target;
    for (uint32_t k = 0; branch_targets(i, k, &target); k++) {
        for (uint32_t d = b->depth; d-- > 0;) {
            struct loop *l = b->stack[d];
            if (target == l->inst) {
                l->nback_edges++;
                l->back = i;
                break;
            }
            if (target && target->label >= l->seq)
                break;             /* stays inside: the label was numbered after the loop began */
            l->other_exits = true; /* perhaps only the shape's test: sorted out once shapes are known */
        }
    }
}

static uint32_t count_loops(const struct ir_region *r) {
    uint32_t n = 0;
    ir_foreach_inst (i, r) {
        n += i->op == IR_LOOP;
        ir_foreach_region (inner, i)
            n += count_loops(inner);
    }
    return n;
}

static struct loop *open_loop(struct builder *b, struct ir_inst *i) {
    struct loop *parent = b->depth ? b->stack[b->depth - 1] : NULL;
    uint32_t index = b->tree->nloops++;
    struct loop *l = &b->tree->loops[index];
    *l = (struct loop){.inst = i, .parent = parent, .depth = b->depth, .seq = i->label, .index = index};
    *b->tails[b->depth] = l;
    b->tails[b->depth] = &l->next;
    b->stack[b->depth++] = l;
    b->tails[b->depth] = &l->first_child;
    return l;
}

static void walk(struct builder *b, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        i->label = ++b->seq;
        if (ir_has_flag(i, IR_FLAG_BRANCH))
            note_branch(b, i);
        struct loop *l = i->op == IR_LOOP ? open_loop(b, i) : NULL;
        ir_foreach_region (inner, i)
            walk(b, inner);
        if (l) {
            l->seq_end = b->seq;
            b->depth--;
        }
    }
}

/* Only operations that may be run once more or once less without anyone noticing. */
static bool all_pure(const struct ir_inst *from, const struct ir_inst *end) {
    for (const struct ir_inst *i = from; i != end; i = i->next)
        if (!ir_has_flag(i, IR_FLAG_PURE))
            return false;
    return true;
}

/* The one back edge is in place: which of the four shapes is it? */
static void find_shape(struct loop *l) {
    struct ir_region *r = l->inst->regions[0];
    struct ir_inst *last = r->last;
    struct ir_inst *back = l->back;
    if (back->op == IR_BR_TABLE)
        return;
    l->back_first = back->op == IR_BR_IF;

    if (back->op == IR_BR_IF && back->parent == r && back->next == last && last->op == IR_YIELD) {
        l->shape = LOOP_BOTTOM_YIELD;
        l->test = back;
        l->exit_when_true = false;
        return;
    }
    if (back->op == IR_BR && back == last && back->parent == r) {
        struct ir_inst *test = back->prev;
        while (test && ir_has_flag(test, IR_FLAG_PURE)) /* what the next iteration gets may be computed last */
            test = test->prev;
        if (test && test->op == IR_BR_IF && test->target != l->inst && test->target->label < l->seq) {
            l->shape = LOOP_BOTTOM_BREAK;
        } else {
            for (test = r->first; test && ir_has_flag(test, IR_FLAG_PURE); test = test->next)
                ;
            if (!test || test->op != IR_BR_IF || test->target == l->inst || test->target->label >= l->seq)
                return;
            l->shape = LOOP_TOP_BREAK;
        }
        l->test = test;
        l->exit_when_true = true;
        l->exit_label = test->target;
        return;
    }
    struct ir_inst *test = back->parent->parent;
    if (back->op == IR_BR && test && test->op == IR_IF && test->parent == r && last->op == IR_YIELD &&
        all_pure(test->next, last) && back == back->parent->last) {
        unsigned side = test->regions[1] == back->parent;
        struct ir_region *leave = test->regions[!side];
        if (leave->last->op != IR_YIELD || !all_pure(leave->first, leave->last))
            return;
        if (all_pure(r->first, test))
            l->shape = LOOP_TOP_IF;
        else if (all_pure(back->parent->first, back))
            l->shape = LOOP_BOTTOM_YIELD;
        else
            return;
        l->test = test;
        l->exit_when_true = side == 1;
    }
}

/* A branch to the `if` that is the whole of a loop tested on top ends the loop as its other side does. */
bool loop_is_left_by(const struct loop *l, const struct ir_inst *i) {
    struct ir_inst *target;
    for (uint32_t k = 0; branch_targets(i, k, &target); k++)
        if (!target || target->label < l->seq || (l->shape == LOOP_TOP_IF && target == l->test))
            return true;
    return false;
}

/* Looks for an exit besides the shape's own test, before anything that stops a kernel. */
static struct ir_inst *find_other_exit(const struct loop *l, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_has_flag(i, IR_FLAG_BRANCH) && loop_is_left_by(l, i) &&
            !(i == l->test && (l->shape == LOOP_BOTTOM_BREAK || l->shape == LOOP_TOP_BREAK)))
            return i;
        if (ir_stops_kernel(i))
            return NULL;
        ir_foreach_region (inner, i) {
            struct ir_inst *found = find_other_exit(l, inner);
            if (found)
                return found;
        }
    }
    return NULL;
}

struct loop_tree *loop_tree_build(struct arena *scratch, struct ir_func *f) {
    struct loop_tree *tree = arena_new(scratch, struct loop_tree);
    uint32_t n = count_loops(f->body);
    tree->loops = arena_array(scratch, struct loop, n ? n : 1);
    struct builder b = {.tree = tree, .stack = arena_array(scratch, struct loop *, n + 1)};
    b.tails = arena_array(scratch, struct loop **, n + 1);
    b.tails[0] = &tree->first;
    walk(&b, f->body);
    for (uint32_t k = 0; k < tree->nloops; k++) {
        struct loop *l = &tree->loops[k];
        if (l->nback_edges == 1)
            find_shape(l);
        if (l->other_exits || l->shape == LOOP_TOP_IF) {
            l->other_exit = find_other_exit(l, l->inst->regions[0]);
            l->other_exits = l->other_exit != NULL;
        }
    }
    return tree;
}

bool loop_contains_inst(const struct loop *l, const struct ir_inst *i) {
    return i->label > l->seq && i->label <= l->seq_end;
}

bool loop_contains_value(const struct loop *l, const struct ir_value *v) {
    if (v->def)
        return loop_contains_inst(l, v->def);
    const struct ir_inst *around = v->region ? v->region->parent : NULL;
    return around && around->label >= l->seq && around->label <= l->seq_end;
}

struct ir_value *loop_next_value(const struct loop *l, uint32_t index) {
    return l->back->operands[l->back_first + index];
}
