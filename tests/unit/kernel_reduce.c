/* Reduction of kernels; see kernel_reduce.h.
 *
 * One edit at a time is made on a copy, and kept when the fault is still there after dead code has gone: a store or
 * conditional branch is dropped, an operand becomes a constant (with a condition, the if or loop around whole regions
 * goes), a terminator falls out instead of branching.  Rounds over all places, outermost first, until one changes
 * nothing.  That is the greedy half of delta debugging (Zeller and Hildebrandt 2002); single edits are enough here
 * since any instruction may lose its operands in any order.
 */
#include "tests/unit/kernel_reduce.h"

#include "ir/ir_verify.h"
#include "ir/offload/rebuild.h"
#include "ir/opt/pass.h"

enum edit { EDIT_DROP, EDIT_FALL_OUT, EDIT_ZERO, EDIT_ONE, EDIT_KINDS };

/* Which edit of which place: `place` counts instructions in text order. */
struct cut {
    uint32_t place, operand;
    enum edit edit;
};

static bool copy_all(struct rebuild *r, struct ir_inst *i) {
    (void)r;
    (void)i;
    return false;
}

static struct ir_inst *find_place(struct ir_region *r, uint32_t *left) {
    ir_foreach_inst (i, r) {
        if ((*left)-- == 0)
            return i;
        for (unsigned k = 0; k < ir_nregions(i); k++) {
            struct ir_inst *found = find_place(i->regions[k], left);
            if (found)
                return found;
        }
    }
    return NULL;
}

static struct ir_value *zero_of(struct ir_func *f, enum ir_type type, int32_t v) {
    struct ir_builder b = f->body->first ? ir_builder_before(f->body->first) : ir_builder_at_end(f->body);
    return ir_build_const(&b, type, (union ir_bits){.i32 = v});
}

static bool fall_out(struct ir_func *f, struct ir_inst *i) {
    if (i->op != IR_BR && i->op != IR_BR_TABLE && (i->op != IR_RETURN || !i->parent->parent))
        return false;
    struct ir_region *r = i->parent;
    struct ir_value *values[64];
    uint32_t n = r->parent ? r->parent->nresults : 0;
    for (uint32_t k = 0; k < n; k++)
        values[k] = zero_of(f, r->parent->results[k].type, 0);
    ir_inst_remove(i);
    struct ir_builder b = ir_builder_at_end(r);
    if (r->parent)
        ir_build_yield(&b, values, n);
    else
        ir_build_return(&b, NULL, 0);
    return true;
}

/* Lets `note` of the instructions whose operand 0 must stay point to themselves. */
static void mark_addresses(struct ir_region *r, bool clear) {
    ir_foreach_inst (i, r) {
        if (clear)
            i->note = NULL;
        else if (ir_is_load(i) || ir_is_store(i))
            for (struct ir_inst *at = i; at && at->noperands && !ir_nregions(at); at = at->operands[0]->def)
                at->note = at;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            mark_addresses(i->regions[k], clear);
    }
}

static bool make_cut(struct ir_func *f, struct ir_inst *i, const struct cut *c) {
    switch (c->edit) {
    case EDIT_DROP:
        if (!ir_is_store(i) && i->op != IR_BR_IF)
            return false;
        ir_inst_remove(i);
        return true;
    case EDIT_FALL_OUT:
        return fall_out(f, i);
    default:
        if (c->operand >= i->noperands || ir_const_of(i->operands[c->operand]) || (i->note && c->operand == 0))
            return false;
        if (c->edit == EDIT_ONE && (c->operand || (i->op != IR_IF && i->op != IR_BR_IF)))
            return false;
        i->operands[c->operand] = zero_of(f, i->operands[c->operand]->type, c->edit == EDIT_ONE);
        return true;
    }
}

/* A copy with the cut, simplified.  NULL: there is nothing to cut; *out_end: not even a place. */
static struct ir_func *with_cut(struct ir_func *f, const struct cut *c, bool *out_end) {
    struct ir_func *copy = rebuild_run(f, copy_all, false, 0);
    uint32_t left = c->place;
    struct ir_inst *i = find_place(copy->body, &left);
    struct strbuf problems = {0};
    *out_end = !i;
    mark_addresses(copy->body, true);
    mark_addresses(copy->body, false);
    bool ok = i && make_cut(copy, i, c);
    mark_addresses(copy->body, true);
    if (ok) {
        struct pass_ctx cx = {.module = f->module};
        pass_run(OPT_FOLD, copy, &cx);
        pass_run(OPT_PRUNE, copy, &cx);
        pass_run(OPT_DCE, copy, &cx);
        arena_free(&cx.scratch);
        ok = ir_verify_func(copy, &problems);
    }
    strbuf_free(&problems);
    if (ok)
        return copy;
    ir_func_free(copy);
    return NULL;
}

static struct ir_func *try_place(struct ir_func *f, uint32_t place, kernel_fault *fault, void *user, uint32_t *tries,
                                 bool *out_end) {
    struct cut c = {.place = place};
    for (c.edit = 0; c.edit < EDIT_KINDS; c.edit++) {
        uint32_t operands = c.edit >= EDIT_ZERO ? 8 : 1;
        for (c.operand = 0; c.operand < operands; c.operand++) {
            struct ir_func *less = with_cut(f, &c, out_end);
            if (*out_end)
                return NULL;
            if (!less)
                continue;
            (*tries)++;
            if (fault(user, less))
                return less;
            ir_func_free(less);
        }
    }
    return NULL;
}

struct ir_func *kernel_reduce(struct ir_func *body, kernel_fault *fault, void *user, uint32_t *out_tries) {
    struct ir_func *best = rebuild_run(body, copy_all, false, 0);
    bool changed = true, end;
    *out_tries = 0;
    while (changed) {
        changed = false;
        end = false;
        for (uint32_t place = 0; !end;) {
            struct ir_func *less = try_place(best, place, fault, user, out_tries, &end);
            if (!less) {
                place++;
                continue;
            }
            ir_func_free(best);
            best = less;
            changed = true;
        }
    }
    return best;
}
