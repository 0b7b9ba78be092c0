/* Regions and branches in SPIR-V, after the books of backends/control.h.
 *
 *     frame (loop, or block/if that is branched to)         if without a frame
 *       OpBranch H                                            OpSelectionMerge M; OpBranchConditional c T F
 *       H: OpLoopMerge M C; OpBranch B                        T: ... OpBranch M      F: ... OpBranch M
 *       B: again = true; body                                 M:
 *          leave: again = false; OpBranch C
 *          next iteration: OpBranch C
 *       C: OpBranchConditional again H M
 *       M: the exit test of control.h
 *
 * Leaving for M directly would be shorter, and is what blocks do (their C goes nowhere) and what MSL is made from.  But
 * SwiftShader runs code on the way out of a loop after the loop, for all invocations at once, with the values of the
 * last iteration that any of them made: what one had loaded when it left is lost.  A way out through C belongs to the
 * iteration.
 *
 * A block without branches to it is no construct at all.  Results and loop parameters live in function variables; the
 * values are loaded where they come to life (results behind the construct, parameters at the head of the body), so that
 * uses keep being plain ids and lexical scope is dominance.
 *
 * The emitting functions return whether control reaches the end of what they emitted.
 */
#include "backends/spirv/spv_emit.h"
#include "ir/util/ice.h"

static bool emit_region(struct spv_emit *e, struct ir_region *r);

static uint32_t new_variable(struct spv_emit *e, enum ir_type t) {
    uint32_t pointer = spv_unique(&e->m, SpvOpTypePointer, 0, SpvStorageClassFunction, spv_type(e, t));
    uint32_t id = spv_new_id(&e->m);
    spv_inst(&e->m, SPV_LOCALS, SpvOpVariable, pointer, id, SpvStorageClassFunction);
    return id;
}

static void store(struct spv_emit *e, uint32_t var, uint32_t value) {
    spv_inst(&e->m, SPV_CODE, SpvOpStore, var, value);
}

static uint32_t exit_variable(struct spv_emit *e) {
    if (!e->exit_var) {
        e->exit_var = new_variable(e, IR_I32);
        spv_inst(&e->m, SPV_PROLOGUE, SpvOpStore, e->exit_var, spv_uint(e, 0));
    }
    return e->exit_var;
}

static void new_result_variables(struct spv_emit *e, struct ir_inst *i) {
    struct control_label *label = control_label(i);
    label->results = arena_array(e->m.arena, uint32_t, i->nresults + 1);
    for (uint32_t k = 0; k < i->nresults; k++)
        label->results[k] = new_variable(e, i->results[k].type);
}

static void load_results(struct spv_emit *e, struct ir_inst *i) {
    for (uint32_t k = 0; k < i->nresults; k++)
        e->ids[i->results[k].id] =
            spv_code(e, SpvOpLoad, spv_type(e, i->results[k].type), control_label(i)->results[k]);
}

static void select_merge(struct spv_emit *e, uint32_t cond, uint32_t yes, uint32_t no, uint32_t merge) {
    spv_inst(&e->m, SPV_CODE, SpvOpSelectionMerge, merge, SpvSelectionControlMaskNone);
    spv_inst(&e->m, SPV_CODE, SpvOpBranchConditional, cond, yes, no);
}

/* Ends the frame around the current block. */
static void leave_frame(struct spv_emit *e, const struct ir_inst *frame) {
    struct control_label *label = control_label(frame);
    if (label->again)
        store(e, label->again, spv_uint(e, 0));
    spv_branch(e, label->again ? label->cont : label->merge);
}

/* Leaves the current block for `target`; the arguments go to its variables. */
static void emit_branch(struct spv_emit *e, struct ir_inst *target, struct ir_value *const *args) {
    struct control_label *label = control_label(target);
    const uint32_t *vars = target->op == IR_LOOP ? label->params : label->results;
    for (uint32_t k = 0; k < ir_label_arity(target); k++)
        store(e, vars[k], spv_value(e, args[k]));
    uint32_t number = control_branch(&e->control, target);
    if (number) {
        store(e, exit_variable(e), spv_uint(e, number));
        leave_frame(e, e->control.top->inst);
    } else {
        spv_branch(e, target->op == IR_LOOP ? label->cont : label->merge);
    }
}

static void emit_br_if(struct spv_emit *e, struct ir_inst *i) {
    uint32_t taken = spv_new_id(&e->m), next = spv_new_id(&e->m);
    select_merge(e, spv_condition(e, i->operands[0]), taken, next, next);
    spv_label(e, taken);
    emit_branch(e, i->target, i->operands + 1);
    spv_label(e, next);
}

/* One test a target, the default last. */
static void emit_br_table(struct spv_emit *e, struct ir_inst *i) {
    struct ir_value *const *args = i->operands + 1;
    for (uint32_t k = 0; k + 1 < i->ntargets; k++) {
        uint32_t taken = spv_new_id(&e->m), next = spv_new_id(&e->m);
        uint32_t here = spv_code(e, SpvOpIEqual, spv_type_bool(e), spv_value(e, i->operands[0]), spv_uint(e, k));
        select_merge(e, here, taken, next, next);
        spv_label(e, taken);
        emit_branch(e, i->targets[k], args);
        spv_label(e, next);
        args += ir_label_arity(i->targets[k]);
    }
    emit_branch(e, i->targets[i->ntargets - 1], args);
}

/* Behind a frame whose merge block is current.  False when control never gets further. */
static bool emit_after(struct spv_emit *e, struct control_after after) {
    if (!after.leaves) {
        if (!after.falls_out)
            spv_inst_words(&e->m, SPV_CODE, SpvOpUnreachable, NULL, 0);
        return after.falls_out;
    }
    struct control_frame *outer = e->control.top;
    struct control_label *label = control_label(outer->inst);
    bool loop = outer->inst->op == IR_LOOP;
    uint32_t u = spv_type_uint(e), var = exit_variable(e), exit = spv_code(e, SpvOpLoad, u, var), next = 0;
    if (after.falls_out) {
        uint32_t leave = spv_new_id(&e->m);
        next = spv_new_id(&e->m);
        select_merge(e, spv_code(e, SpvOpINotEqual, spv_type_bool(e), exit, spv_uint(e, 0)), leave, next, next);
        spv_label(e, leave);
    }
    if (!after.beyond_outer) {
        store(e, var, spv_uint(e, 0));
        spv_branch(e, loop ? label->cont : label->merge);
    } else if (!after.to_outer) {
        leave_frame(e, outer->inst);
    } else {
        uint32_t here = spv_code(e, SpvOpIEqual, spv_type_bool(e), exit, spv_uint(e, outer->number));
        if (loop) {
            uint32_t again = spv_new_id(&e->m), further = spv_new_id(&e->m);
            select_merge(e, here, again, further, further);
            spv_label(e, again);
            store(e, var, spv_uint(e, 0));
            spv_branch(e, label->cont);
            spv_label(e, further);
        } else {
            store(e, var, spv_code(e, SpvOpSelect, u, here, spv_uint(e, 0), exit));
        }
        leave_frame(e, outer->inst);
    }
    if (next)
        spv_label(e, next);
    return after.falls_out;
}

/* The two arms; each yield has stored the results. */
static bool emit_arms(struct spv_emit *e, struct ir_inst *i) {
    uint32_t yes = spv_new_id(&e->m), no = spv_new_id(&e->m), merge = spv_new_id(&e->m);
    select_merge(e, spv_condition(e, i->operands[0]), yes, no, merge);
    bool reached = false;
    for (int arm = 0; arm < 2; arm++) {
        spv_label(e, arm == 0 ? yes : no);
        if (emit_region(e, i->regions[arm])) {
            spv_branch(e, merge);
            reached = true;
        }
    }
    spv_label(e, merge);
    if (!reached)
        spv_inst_words(&e->m, SPV_CODE, SpvOpUnreachable, NULL, 0);
    return reached;
}

static bool emit_frame(struct spv_emit *e, struct ir_inst *i) {
    struct control_label *label = control_label(i);
    struct control_frame frame;
    uint32_t head = spv_new_id(&e->m), body = spv_new_id(&e->m);
    label->merge = spv_new_id(&e->m);
    label->cont = spv_new_id(&e->m);
    new_result_variables(e, i);
    if (i->op == IR_LOOP) {
        if (e->precise)
            label->again = new_variable(e, IR_I32);
        label->params = arena_array(e->m.arena, uint32_t, i->regions[0]->nparams + 1);
        for (uint32_t k = 0; k < i->regions[0]->nparams; k++) {
            label->params[k] = new_variable(e, i->regions[0]->params[k]->type);
            store(e, label->params[k], spv_value(e, i->operands[k]));
        }
    }
    spv_branch(e, head);
    spv_label(e, head);
    spv_inst(&e->m, SPV_CODE, SpvOpLoopMerge, label->merge, label->cont, SpvLoopControlMaskNone);
    spv_branch(e, body);
    spv_label(e, body);
    control_push(&e->control, &frame, i);
    if (label->again)
        store(e, label->again, spv_uint(e, 1));
    if (i->op == IR_LOOP)
        for (uint32_t k = 0; k < i->regions[0]->nparams; k++) {
            const struct ir_value *p = i->regions[0]->params[k];
            e->ids[p->id] = spv_code(e, SpvOpLoad, spv_type(e, p->type), label->params[k]);
        }
    if (i->op == IR_IF ? emit_arms(e, i) : emit_region(e, i->regions[0])) {
        frame.falls_out = true;
        leave_frame(e, i);
    }
    spv_label(e, label->cont);
    if (label->again) {
        uint32_t again = spv_code(e, SpvOpLoad, spv_type_uint(e), label->again);
        uint32_t c = spv_code(e, SpvOpINotEqual, spv_type_bool(e), again, spv_uint(e, 0));
        spv_inst(&e->m, SPV_CODE, SpvOpBranchConditional, c, head, label->merge);
    } else {
        spv_branch(e, head);
    }
    spv_label(e, label->merge);
    if (!emit_after(e, control_pop(&e->control)))
        return false;
    load_results(e, i);
    return true;
}

static void emit_yield(struct spv_emit *e, struct ir_inst *i) {
    struct ir_inst *around = i->parent->parent;
    struct control_label *label = control_label(around);
    for (uint32_t k = 0; k < i->noperands; k++) {
        uint32_t v = spv_value(e, i->operands[k]);
        if (label->results)
            store(e, label->results[k], v);
        else
            e->ids[around->results[k].id] = v;
    }
}

static bool emit_construct(struct spv_emit *e, struct ir_inst *i) {
    if (control_has_frame(i))
        return emit_frame(e, i);
    if (i->op == IR_BLOCK)
        return emit_region(e, i->regions[0]);
    new_result_variables(e, i);
    if (!emit_arms(e, i))
        return false;
    load_results(e, i);
    return true;
}

static bool emit_region(struct spv_emit *e, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        switch (i->op) {
        case IR_BLOCK:
        case IR_IF:
        case IR_LOOP:
            if (!emit_construct(e, i))
                return false;
            break;
        case IR_YIELD:
            emit_yield(e, i);
            return true;
        case IR_BR:
            emit_branch(e, i->target, i->operands);
            return false;
        case IR_BR_IF:
            emit_br_if(e, i);
            break;
        case IR_BR_TABLE:
            emit_br_table(e, i);
            return false;
        case IR_RETURN:
        case IR_UNREACHABLE: /* not reached, the guard has shown; returning is the harmless way to say so */
            spv_emit_return(e, i);
            return false;
        case IR_CALL:
            spv_emit_call(e, i);
            break;
        case IR_ARRAY_GET:
        case IR_ARRAY_SET:
            spv_emit_array(e, i);
            break;
        default:
            if (ir_is_load(i) || ir_is_store(i) || i->op == IR_XOR_WORD)
                spv_emit_access(e, i);
            else
                spv_emit_op(e, i);
        }
    }
    return true;
}

void spv_emit_body(struct spv_emit *e) {
    if (emit_region(e, e->func->body))
        ICE("kernel body without a return");
}
