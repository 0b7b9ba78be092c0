/* What may stand in a kernel at all; see legalize.h. */
#include "ir/offload/legalize.h"

#include <stddef.h>

static bool any_inst(struct ir_region *region, bool (*test)(const struct ir_inst *i)) {
    ir_foreach_inst (i, region) {
        if (test(i))
            return true;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (any_inst(i->regions[k], test))
                return true;
    }
    return false;
}

static bool is_number(enum ir_type t) {
    return t == IR_I32 || t == IR_I64 || t == IR_F32 || t == IR_F64 || t == IR_V128;
}

/* Multiplication and addition rounded once, which no target promises and nothing here emulates. */
static bool is_fused(enum ir_op op) {
    return op == IR_F32X4_RELAXED_MADD || op == IR_F32X4_RELAXED_NMADD || op == IR_F64X2_RELAXED_MADD ||
           op == IR_F64X2_RELAXED_NMADD;
}

static const char *check_inst(const struct ir_inst *i) {
    for (uint32_t k = 0; k < i->noperands; k++)
        if (!is_number(i->operands[k]->type))
            return "uses references";
    for (uint32_t k = 0; k < i->nresults; k++)
        if (!is_number(i->results[k].type))
            return "uses references";
    if (is_fused((enum ir_op)i->op))
        return "uses relaxed multiply-add";
    if (ir_is_load(i) || ir_is_store(i) || i->op == IR_XOR_WORD) {
        if (i->operands[0]->type != IR_I32)
            return "uses 64-bit addresses";
        return i->mem.stream < 0 ? "has an access that belongs to no stream" : NULL;
    }
    if (i->op == IR_ARRAY_GET || i->op == IR_ARRAY_SET)
        return NULL;
    if (ir_has_flag(i, IR_FLAG_CALLS))
        return "makes a call";
    if (ir_has_flag(i, IR_FLAG_READS | IR_FLAG_WRITES))
        return "uses a bulk memory operation";
    if (ir_has_flag(i, IR_FLAG_GREADS | IR_FLAG_GWRITES))
        return "uses a global";
    if (ir_has_flag(i, IR_FLAG_TABLE))
        return "uses a table";
    return NULL;
}

static const char *check_region(struct ir_region *region) {
    ir_foreach_inst (i, region) {
        const char *why = check_inst(i);
        for (unsigned k = 0; !why && k < ir_nregions(i); k++)
            why = check_region(i->regions[k]);
        if (why)
            return why;
    }
    return NULL;
}

const char *legalize_check(struct ir_func *f) {
    for (uint32_t k = 0; k < f->body->nparams; k++)
        if (f->body->params[k]->type > IR_F64)
            return "has a scalar of vector or reference type";
    return check_region(f->body);
}

static bool is_f64_arithmetic(const struct ir_inst *i) {
    switch (i->op) {
    case IR_F64_ADD:
    case IR_F64_SUB:
    case IR_F64_MUL:
    case IR_F64_DIV:
    case IR_F64_SQRT:
        return true;
    default:
        return false;
    }
}

bool legalize_has_f64_arithmetic(struct ir_func *f) {
    return any_inst(f->body, is_f64_arithmetic);
}

static bool has_wide_value(const struct ir_inst *i) {
    for (uint32_t k = 0; k < i->noperands; k++)
        if (i->operands[k]->type == IR_I64 || i->operands[k]->type == IR_F64)
            return true;
    for (uint32_t k = 0; k < i->nresults; k++)
        if (i->results[k].type == IR_I64 || i->results[k].type == IR_F64)
            return true;
    return false;
}

bool legalize_has_wide_values(struct ir_func *f) {
    for (uint32_t k = 0; k < f->body->nparams; k++)
        if (f->body->params[k]->type == IR_I64 || f->body->params[k]->type == IR_F64)
            return true;
    return any_inst(f->body, has_wide_value);
}
