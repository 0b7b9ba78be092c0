/* Loop-invariant code motion.
 *
 * Each value has the depth of the region it lives in (the function body is 0).  A pure operation may stand in any
 * region as deep as its deepest operand; it moves in front of the outermost loop around it that is itself in such a
 * region. One forward walk does it, operands being placed before their users:
 *
 *     loop L (%i = %0) {            %c = i32.const 4
 *       %c = i32.const 4       =>   %s = i32.mul %n, %c
 *       %s = i32.mul %n, %c         loop L (%i = %0) {
 *       ... */
#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/opt/pass.h"

struct licm {
    struct arena *scratch;
    uint32_t *depth;        /* by value id */
    struct ir_inst **loops; /* around the current place, outermost first */
    uint32_t *loop_depth;   /* of the region each loop stands in */
    uint32_t nloops, cap, depth_cap;
    bool changed;
};

/* The outermost loop that stands in a region of depth `need` or deeper. */
static uint32_t find_loop(const struct licm *l, uint32_t need) {
    uint32_t lo = 0, hi = l->nloops;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (l->loop_depth[mid] >= need)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static void walk(struct licm *l, struct ir_region *r, uint32_t depth) {
    for (uint32_t k = 0; k < r->nparams; k++)
        l->depth[r->params[k]->id] = depth;
    ir_foreach_inst_safe (i, r) {
        uint32_t at = depth;
        if (l->nloops && i->nresults == 1 && ir_is_pure(i)) {
            uint32_t need = 0;
            for (uint32_t k = 0; k < i->noperands; k++)
                if (l->depth[i->operands[k]->id] > need)
                    need = l->depth[i->operands[k]->id];
            uint32_t loop = find_loop(l, need);
            if (loop < l->nloops) {
                ir_inst_move_before(i, l->loops[loop]);
                at = l->loop_depth[loop];
                l->changed = true;
            }
        }
        for (uint32_t k = 0; k < i->nresults; k++)
            l->depth[i->results[k].id] = at;
        if (i->op == IR_LOOP) {
            *arena_push(l->scratch, l->loop_depth, l->nloops, l->depth_cap) = depth;
            l->nloops--;
            *arena_push(l->scratch, l->loops, l->nloops, l->cap) = i;
        }
        ir_foreach_region (sub, i)
            walk(l, sub, depth + 1);
        l->nloops -= i->op == IR_LOOP;
    }
}

bool opt_licm(struct ir_func *f, struct pass_ctx *cx) {
    struct licm l = {.scratch = &cx->scratch, .depth = arena_array(&cx->scratch, uint32_t, f->next_id)};
    walk(&l, f->body, 0);
    return l.changed;
}
