/* See twofold.h. */
#include "ir/offload/twofold.h"

struct ir_inst *twofold_build(struct ir_builder *b) {
    static const enum ir_type type = IR_I32;
    struct ir_inst *which = ir_build(b, IR_IN_KERNEL, &type, 1, NULL, 0);
    return ir_build_if(b, &which->results[0], NULL, 0);
}

void twofold_build_stop(struct ir_inst *before) {
    struct ir_builder b = ir_builder_before(before);
    b.wasm_offset = before->wasm_offset;
    struct ir_inst *stop = twofold_build(&b);
    struct ir_builder then = ir_builder_at_end(stop->regions[0]), other = ir_builder_at_end(stop->regions[1]);
    then.wasm_offset = other.wasm_offset = before->wasm_offset;
    ir_build(&then, IR_UNREACHABLE, NULL, 0, NULL, 0);
    ir_build_yield(&other, NULL, 0);
}

bool twofold_is(const struct ir_inst *i) {
    return i->op == IR_IF && i->operands[0]->def && i->operands[0]->def->op == IR_IN_KERNEL;
}

const struct ir_inst *twofold_around(const struct ir_inst *i) {
    for (const struct ir_region *r = i->parent; r->parent; r = r->parent->parent)
        if (twofold_is(r->parent) && r == r->parent->regions[0])
            return r->parent;
    return NULL;
}

bool twofold_within(const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (twofold_is(i))
            return true;
        ir_foreach_region (inner, i)
            if (twofold_within(inner))
                return true;
    }
    return false;
}

static void settle(struct ir_region *r) {
    ir_foreach_inst_safe (i, r) {
        if (twofold_is(i)) {
            struct ir_inst *which = i->operands[0]->def;
            while (i->regions[1]->first->op != IR_YIELD)
                ir_inst_move_before(i->regions[1]->first, i);
            ir_inst_remove(i);
            ir_inst_remove(which);
            continue;
        }
        ir_foreach_region (inner, i)
            settle(inner);
    }
}

void twofold_settle(struct ir_func *f) {
    settle(f->body);
}
