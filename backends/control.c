/* Bookkeeping of multi-level exits; see control.h. */
#include "backends/control.h"

#include "ir/util/ice.h"

static bool prepare_region(struct ir_region *r, struct arena *a, unsigned nesting);

static bool prepare_inst(struct ir_inst *i, struct arena *a, unsigned nesting) {
    if (ir_nregions(i) > 0)
        i->note = arena_new(a, struct control_label);
    if (i->op == IR_BR || i->op == IR_BR_IF)
        control_label(i->target)->branches++;
    if (i->op == IR_BR_TABLE)
        for (uint32_t k = 0; k < i->ntargets; k++)
            control_label(i->targets[k])->branches++;
    for (unsigned k = 0; k < ir_nregions(i); k++)
        if (!prepare_region(i->regions[k], a, nesting + 1))
            return false;
    return true;
}

static bool prepare_region(struct ir_region *r, struct arena *a, unsigned nesting) {
    if (nesting > CONTROL_MAX_NESTING)
        return false;
    ir_foreach_inst (i, r)
        if (!prepare_inst(i, a, nesting))
            return false;
    return true;
}

static bool frames_fit(struct ir_region *r, unsigned depth) {
    if (depth > CONTROL_MAX_DEPTH)
        return false;
    ir_foreach_inst (i, r)
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (!frames_fit(i->regions[k], depth + control_has_frame(i)))
                return false;
    return true;
}

bool control_prepare(struct ir_func *f, struct arena *a) {
    return prepare_region(f->body, a, 0) && frames_fit(f->body, 0);
}

void control_push(struct control *c, struct control_frame *frame, struct ir_inst *i) {
    *frame = (struct control_frame){.up = c->top, .inst = i, .number = c->top ? c->top->number + 1 : 1};
    c->top = frame;
}

uint32_t control_branch(struct control *c, const struct ir_inst *target) {
    ICE_UNLESS(c->top);
    if (c->top->inst == target) {
        if (target->op != IR_LOOP)
            c->top->falls_out = true;
        return 0;
    }
    for (struct control_frame *f = c->top->up; f; f = f->up) {
        if (f->inst == target) {
            c->top->pending |= UINT64_C(1) << f->number;
            return f->number;
        }
    }
    ICE("a branch to a label that is not around it");
}

struct control_after control_pop(struct control *c) {
    struct control_frame *frame = c->top, *outer = frame->up;
    c->top = outer;
    struct control_after after = {.falls_out = frame->falls_out, .leaves = frame->pending != 0};
    if (!after.leaves)
        return after;
    uint64_t here = UINT64_C(1) << outer->number;
    after.to_outer = (frame->pending & here) != 0;
    after.beyond_outer = (frame->pending & ~here) != 0;
    outer->pending |= frame->pending & ~here;
    if (after.to_outer && outer->inst->op != IR_LOOP)
        outer->falls_out = true;
    return after;
}
