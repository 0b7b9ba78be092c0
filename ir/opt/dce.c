/* Dead code elimination.
 *
 * Every use stands behind its definition, so one walk from the end to the start sees all uses of a value before the
 * value: an instruction without effects whose results no one has used by then goes.  A block or `if` goes whole when
 * nothing in it has an effect and no branch in it leaves it; that is found by a walk ahead.  Loops stay: they may not
 * end.  Unused results of what stays are the prune pass's. */
#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/opt/pass.h"

struct dce {
    bool *used; /* by value id */
    bool changed;
};

/* What a region does, as far as removal goes. */
struct effects {
    bool any;
    uint32_t outermost; /* least depth of a label that is branched to */
};

static void join(struct effects *a, struct effects b) {
    a->any |= b.any;
    if (b.outermost < a->outermost)
        a->outermost = b.outermost;
}

/* Sets `label` of each block, loop and if to 1 when it must stay; `depth` of a label goes through its note. */
static struct effects find_effects(struct ir_region *r, uintptr_t depth) {
    struct effects e = {.outermost = UINT32_MAX};
    ir_foreach_inst (i, r) {
        if (ir_nregions(i)) {
            i->note = (void *)depth;
            struct effects inner = {.outermost = UINT32_MAX};
            ir_foreach_region (sub, i)
                join(&inner, find_effects(sub, depth + 1));
            i->label = inner.any || i->op == IR_LOOP || inner.outermost < depth;
            inner.any |= i->op == IR_LOOP;
            join(&e, inner);
        } else if (i->op == IR_BR || i->op == IR_BR_IF) {
            join(&e, (struct effects){.outermost = (uint32_t)(uintptr_t)i->target->note});
        } else if (i->op == IR_BR_TABLE) {
            for (uint32_t k = 0; k < i->ntargets; k++)
                join(&e, (struct effects){.outermost = (uint32_t)(uintptr_t)i->targets[k]->note});
        } else if (i->op != IR_YIELD && !ir_is_removable(i)) {
            e.any = true;
        }
    }
    return e;
}

static bool removable(const struct dce *d, const struct ir_inst *i) {
    if (ir_nregions(i) ? i->label : !ir_is_removable(i))
        return false;
    for (uint32_t k = 0; k < i->nresults; k++)
        if (d->used[i->results[k].id])
            return false;
    return true;
}

static void sweep(struct dce *d, struct ir_region *r) {
    for (struct ir_inst *i = r->last, *prev; i; i = prev) {
        prev = i->prev;
        if (removable(d, i)) {
            ir_inst_remove(i);
            d->changed = true;
            continue;
        }
        for (unsigned k = ir_nregions(i); k-- > 0;)
            sweep(d, i->regions[k]);
        for (uint32_t k = 0; k < i->noperands; k++)
            d->used[i->operands[k]->id] = true;
    }
}

static void clear_notes(struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_nregions(i))
            i->note = NULL;
        ir_foreach_region (sub, i)
            clear_notes(sub);
    }
}

bool opt_dce(struct ir_func *f, struct pass_ctx *cx) {
    struct dce d = {.used = arena_array(&cx->scratch, bool, f->next_id)};
    find_effects(f->body, 0);
    sweep(&d, f->body);
    clear_notes(f->body);
    return d.changed;
}
