/* Early returns become branches; see legalize_return.h.
 *
 *     loop { ... if %c { return } ... }          block L {
 *     return                                       loop { ... if %c { br L } ... }
 *                                                  yield
 *                                                }
 *                                                return
 *
 * NVIDIA's driver 580.159 crashes while it compiles some kernels that return from inside a construct
 * (tests/unit/kernel_random.c, seed 3472).  The simplifier, which comes after, makes ifs of most such blocks again.
 */
#include "ir/offload/legalize_return.h"

#include "ir/ir_build.h"

static bool has_early_return(struct ir_region *r, bool nested) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_RETURN && nested)
            return true;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (has_early_return(i->regions[k], true))
                return true;
    }
    return false;
}

static void redirect(struct ir_region *r, struct ir_inst *block) {
    ir_foreach_inst_safe (i, r) {
        for (unsigned k = 0; k < ir_nregions(i); k++)
            redirect(i->regions[k], block);
        if (i->op != IR_RETURN)
            continue;
        ir_inst_remove(i);
        struct ir_builder b = ir_builder_at_end(r);
        if (r == block->regions[0])
            ir_build_yield(&b, NULL, 0);
        else
            ir_build_br(&b, block, NULL, 0);
    }
}

void legalize_returns(struct ir_func *f) {
    if (f->sig.nresults || !has_early_return(f->body, false))
        return;
    struct ir_builder b = ir_builder_at_end(f->body);
    struct ir_inst *block = ir_build_block(&b, NULL, 0);
    ir_build_return(&b, NULL, 0);
    for (struct ir_inst *i = f->body->first, *next; i != block; i = next) {
        next = i->next;
        ir_inst_move_to_end(i, block->regions[0]);
    }
    redirect(block->regions[0], block);
}
