/* Effect queries; the facts are the flags of ir_ops.def, refined where an operand is constant. */
#include "ir/ir_effects.h"

static bool divides(enum ir_op op, bool *out_overflows) {
    *out_overflows = op == IR_I32_DIV_S || op == IR_I64_DIV_S;
    return *out_overflows || op == IR_I32_DIV_U || op == IR_I32_REM_S || op == IR_I32_REM_U || op == IR_I64_DIV_U ||
           op == IR_I64_REM_S || op == IR_I64_REM_U;
}

bool ir_may_trap(const struct ir_inst *i) {
    if (!ir_has_flag(i, IR_FLAG_TRAPS))
        return false;
    bool overflows;
    if (!divides((enum ir_op)i->op, &overflows))
        return true;
    const union ir_bits *by = ir_const_of(i->operands[1]);
    if (!by)
        return true;
    int64_t n = ir_info(i)->operand_types[1] == IR_I32 ? (int32_t)by->i32 : (int64_t)by->i64;
    return n == 0 || (n == -1 && overflows);
}

bool ir_is_pure(const struct ir_inst *i) {
    return ir_has_flag(i, IR_FLAG_PURE) || (ir_is_function_of_operands(i) && !ir_may_trap(i));
}

bool ir_is_function_of_operands(const struct ir_inst *i) {
    return ir_has_flag(i, IR_FLAG_PURE) || ir_info(i)->flags == IR_FLAG_TRAPS;
}

bool ir_is_removable(const struct ir_inst *i) {
    return ir_is_pure(i) || i->op == IR_GLOBAL_GET || i->op == IR_MEMORY_SIZE || i->op == IR_TABLE_SIZE;
}

bool ir_stops_kernel(const struct ir_inst *i) {
    switch (i->op) {
    case IR_MEMORY_SIZE:
        return false;
    case IR_MEMORY_COPY:
    case IR_MEMORY_FILL:
    case IR_MEMORY_INIT:
        return true;
    case IR_IF: /* in_kernel { unreachable } */
        return i->operands[0]->def && i->operands[0]->def->op == IR_IN_KERNEL &&
               i->regions[0]->first->op == IR_UNREACHABLE;
    default:
        return ir_has_flag(i, IR_FLAG_CALLS | IR_FLAG_TABLE);
    }
}

void ir_count_branches(struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_nregions(i))
            i->label = 0;
        else if (i->op == IR_BR || i->op == IR_BR_IF)
            i->target->label++;
        else if (i->op == IR_BR_TABLE)
            for (uint32_t k = 0; k < i->ntargets; k++)
                i->targets[k]->label++;
        ir_foreach_region (sub, i)
            ir_count_branches(sub);
    }
}

bool ir_branches_to(const struct ir_region *r, const struct ir_inst *label) {
    ir_foreach_inst (i, r) {
        if ((i->op == IR_BR || i->op == IR_BR_IF) && i->target == label)
            return true;
        for (uint32_t k = 0; i->op == IR_BR_TABLE && k < i->ntargets; k++)
            if (i->targets[k] == label)
                return true;
        ir_foreach_region (inner, i)
            if (ir_branches_to(inner, label))
                return true;
    }
    return false;
}

bool ir_sets_global(const struct ir_region *r, uint32_t index) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_GLOBAL_SET && i->index == index)
            return true;
        ir_foreach_region (inner, i)
            if (ir_sets_global(inner, index))
                return true;
    }
    return false;
}
