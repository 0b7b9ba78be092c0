/* See foregone.h.
 *
 *     if %large {                        if %large {
 *       store %sp+8, %x                    %k = in_kernel
 *       loop ... load %sp + %i ...         if %k { unreachable }
 *       call 57 (...)              =>      store %sp+8, %x
 *     }                                    loop ... load %sp + %i ...
 *                                          call 57 (...)
 *                                        }
 *
 * The call keeps this path out of a kernel, but a loop that the producer prepares it with (libm looks for the last
 * element of an array that is not zero) would still be planned, and be refused.  Everything from the first access or
 * inner region on, with no way out before the stop, is such code: control that is there comes to the stop, or traps, or
 * never ends; the original loop then does the same. */
#include "ir/prepare/foregone.h"

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/offload/twofold.h"

static bool is_within(const struct ir_inst *i, const struct ir_inst *outer) {
    for (; i; i = i->parent->parent)
        if (i == outer)
            return true;
    return false;
}

/* Whether some branch in `r` goes past `outer`. */
static bool leaves(struct ir_region *r, const struct ir_inst *outer) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_RETURN || i->op == IR_UNREACHABLE || i->op == IR_BR_TABLE ||
            (ir_has_flag(i, IR_FLAG_BRANCH) && (!i->target || !is_within(i->target, outer))))
            return true;
        ir_foreach_region (inner, i)
            if (leaves(inner, outer))
                return true;
    }
    return false;
}

static bool may_leave(struct ir_inst *i) {
    if (ir_has_flag(i, IR_FLAG_BRANCH) || i->op == IR_RETURN || i->op == IR_UNREACHABLE)
        return true;
    ir_foreach_region (r, i)
        if (leaves(r, i))
            return true;
    return false;
}

static void mark_region(struct ir_region *r, bool in_loop) {
    struct ir_inst *first = NULL; /* of the code in front of the stop */
    bool stops = false, loops = false;
    ir_foreach_inst (i, r)
        ir_foreach_region (inner, i)
            mark_region(inner, in_loop || i->op == IR_LOOP);
    for (struct ir_inst *i = in_loop ? r->last : NULL; i; i = i->prev) {
        bool stop = ir_stops_kernel(i), ends = stop || (stops && may_leave(i));
        if (ends) {
            if (loops)
                twofold_build_stop(first);
            stops = stop;
            loops = false;
            first = NULL;
        } else if (stops && (ir_is_load(i) || ir_is_store(i) || ir_nregions(i))) {
            loops |= ir_nregions(i) != 0;
            first = i;
        }
    }
    if (loops)
        twofold_build_stop(first);
}

void foregone_mark(struct ir_func *f) {
    mark_region(f->body, false);
}
