/* One row an operation: how SPIR-V says it.  Operations that legalisation removes have the row GONE.
 *
 * Integers are unsigned in all types; SPIR-V's signed operations take the signedness from the opcode.  IR comparisons
 * give an i32, SPIR-V's a bool: both are kept, conditions use the bool.
 */
#include "backends/spirv/spv_emit.h"

#include <GLSL.std.450.h>

#include "ir/util/ice.h"

enum how {
    GONE,
    PLAIN,   /* the opcode on the operands */
    FLOAT,   /* the same, and not to be contracted */
    COMPARE, /* gives a bool */
    SHIFT,   /* the count is masked */
    BITS,    /* nothing: floats are carried as their bits */
    SPECIAL, /* emit_special */
};

struct row {
    enum how how;
    SpvOp op;
};

#define ROW_INT(T)                                                                                                   \
    [IR_##T##_EQZ] = {SPECIAL, SpvOpNop}, [IR_##T##_EQ] = {COMPARE, SpvOpIEqual},                                    \
    [IR_##T##_NE] = {COMPARE, SpvOpINotEqual}, [IR_##T##_LT_S] = {COMPARE, SpvOpSLessThan},                          \
    [IR_##T##_LT_U] = {COMPARE, SpvOpULessThan}, [IR_##T##_GT_S] = {COMPARE, SpvOpSGreaterThan},                     \
    [IR_##T##_GT_U] = {COMPARE, SpvOpUGreaterThan}, [IR_##T##_LE_S] = {COMPARE, SpvOpSLessThanEqual},                \
    [IR_##T##_LE_U] = {COMPARE, SpvOpULessThanEqual}, [IR_##T##_GE_S] = {COMPARE, SpvOpSGreaterThanEqual},           \
    [IR_##T##_GE_U] = {COMPARE, SpvOpUGreaterThanEqual}, [IR_##T##_ADD] = {PLAIN, SpvOpIAdd},                        \
    [IR_##T##_SUB] = {PLAIN, SpvOpISub}, [IR_##T##_MUL] = {PLAIN, SpvOpIMul}, [IR_##T##_DIV_S] = {PLAIN, SpvOpSDiv}, \
    [IR_##T##_DIV_U] = {PLAIN, SpvOpUDiv}, [IR_##T##_REM_U] = {PLAIN, SpvOpUMod},                                    \
    [IR_##T##_AND] = {PLAIN, SpvOpBitwiseAnd}, [IR_##T##_OR] = {PLAIN, SpvOpBitwiseOr},                              \
    [IR_##T##_XOR] = {PLAIN, SpvOpBitwiseXor}, [IR_##T##_SHL] = {SHIFT, SpvOpShiftLeftLogical},                      \
    [IR_##T##_SHR_S] = {SHIFT, SpvOpShiftRightArithmetic}, [IR_##T##_SHR_U] = {SHIFT, SpvOpShiftRightLogical},       \
    [IR_##T##_ROTL] = {SPECIAL, SpvOpNop}, [IR_##T##_ROTR] = {SPECIAL, SpvOpNop},                                    \
    [IR_##T##_EXTEND8_S] = {SPECIAL, SpvOpNop}, [IR_##T##_EXTEND16_S] = {SPECIAL, SpvOpNop}
#define ROW_FLOAT(T)                                                                                               \
    [IR_##T##_EQ] = {COMPARE, SpvOpFOrdEqual}, [IR_##T##_NE] = {COMPARE, SpvOpFUnordNotEqual},                     \
    [IR_##T##_LT] = {COMPARE, SpvOpFOrdLessThan}, [IR_##T##_GT] = {COMPARE, SpvOpFOrdGreaterThan},                 \
    [IR_##T##_LE] = {COMPARE, SpvOpFOrdLessThanEqual}, [IR_##T##_GE] = {COMPARE, SpvOpFOrdGreaterThanEqual},       \
    [IR_##T##_ADD] = {FLOAT, SpvOpFAdd}, [IR_##T##_SUB] = {FLOAT, SpvOpFSub}, [IR_##T##_MUL] = {FLOAT, SpvOpFMul}, \
    [IR_##T##_DIV] = {FLOAT, SpvOpFDiv}, [IR_##T##_SQRT] = {SPECIAL, SpvOpNop}

static const struct row rows[IR_OP_COUNT] = {
    ROW_INT(I32),
    [IR_I32_CLZ] = {SPECIAL, SpvOpNop},
    [IR_I32_CTZ] = {SPECIAL, SpvOpNop},
    [IR_I32_POPCNT] = {PLAIN, SpvOpBitCount},
    ROW_INT(I64),
    [IR_I64_EXTEND32_S] = {SPECIAL, SpvOpNop},
    ROW_FLOAT(F32),
    ROW_FLOAT(F64),
    [IR_I32_WRAP_I64] = {PLAIN, SpvOpUConvert},
    [IR_I64_EXTEND_I32_S] = {PLAIN, SpvOpSConvert},
    [IR_I64_EXTEND_I32_U] = {PLAIN, SpvOpUConvert},
    [IR_I32_TRUNC_SAT_F32_S] = {PLAIN, SpvOpConvertFToS}, /* legalised: only what fits */
    [IR_I32_TRUNC_SAT_F32_U] = {PLAIN, SpvOpConvertFToU},
    [IR_F32_CONVERT_I32_S] = {PLAIN, SpvOpConvertSToF}, /* legalised: only what is exact */
    [IR_F32_CONVERT_I32_U] = {PLAIN, SpvOpConvertUToF},
    [IR_F64_CONVERT_I32_S] = {PLAIN, SpvOpConvertSToF},
    [IR_F64_CONVERT_I32_U] = {PLAIN, SpvOpConvertUToF},
    [IR_I32_REINTERPRET_F32] = {BITS, SpvOpNop},
    [IR_I64_REINTERPRET_F64] = {BITS, SpvOpNop},
    [IR_F32_REINTERPRET_I32] = {BITS, SpvOpNop},
    [IR_F64_REINTERPRET_I64] = {BITS, SpvOpNop},
};

static uint32_t type_const(struct spv_emit *e, enum ir_type t, uint64_t v) {
    union ir_bits bits = {.i64 = v};
    return spv_const(e, t, bits);
}

static uint32_t glsl(struct spv_emit *e, uint32_t type, uint32_t function, uint32_t x) {
    return spv_code(e, SpvOpExtInst, type, e->glsl, function, x);
}

/* Constant counts are masked here, others by an instruction. */
static uint32_t shift_count(struct spv_emit *e, const struct ir_value *count) {
    uint64_t mask = count->type == IR_I64 ? 63 : 31;
    const union ir_bits *known = ir_const_of(count);
    if (known)
        return type_const(e, count->type, (count->type == IR_I64 ? known->i64 : known->i32) & mask);
    return spv_code(e, SpvOpBitwiseAnd, spv_type(e, count->type), spv_value(e, count),
                    type_const(e, count->type, mask));
}

static uint32_t rotate(struct spv_emit *e, const struct ir_inst *i, bool left) {
    enum ir_type t = i->results[0].type;
    uint32_t type = spv_type(e, t), x = spv_value(e, i->operands[0]), n = shift_count(e, i->operands[1]);
    uint32_t rest = spv_code(e, SpvOpISub, type, type_const(e, t, 0), n);
    rest = spv_code(e, SpvOpBitwiseAnd, type, rest, type_const(e, t, t == IR_I64 ? 63 : 31));
    SpvOp there = left ? SpvOpShiftLeftLogical : SpvOpShiftRightLogical;
    SpvOp back = left ? SpvOpShiftRightLogical : SpvOpShiftLeftLogical;
    return spv_code(e, SpvOpBitwiseOr, type, spv_code(e, there, type, x, n), spv_code(e, back, type, x, rest));
}

static uint32_t sign_extend(struct spv_emit *e, const struct ir_inst *i, uint32_t bits) {
    enum ir_type t = i->results[0].type;
    uint32_t type = spv_type(e, t), by = type_const(e, t, (t == IR_I64 ? 64 : 32) - bits);
    uint32_t up = spv_code(e, SpvOpShiftLeftLogical, type, spv_value(e, i->operands[0]), by);
    return spv_code(e, SpvOpShiftRightArithmetic, type, up, by);
}

static uint32_t as_i32(struct spv_emit *e, uint32_t truth) {
    return spv_code(e, SpvOpSelect, spv_type_uint(e), truth, spv_uint(e, 1), spv_uint(e, 0));
}

static uint32_t emit_special(struct spv_emit *e, struct ir_inst *i) {
    uint32_t u = spv_type_uint(e), x = spv_operand(e, i->operands[0]), v;
    switch (i->op) {
    case IR_I32_EQZ:
    case IR_I64_EQZ:
        v = e->bools[i->operands[0]->id];
        v = v ? spv_code(e, SpvOpLogicalNot, spv_type_bool(e), v)
              : spv_code(e, SpvOpIEqual, spv_type_bool(e), x, type_const(e, i->operands[0]->type, 0));
        e->bools[i->results[0].id] = v;
        return as_i32(e, v);
    case IR_I32_CLZ: /* FindUMsb(0) is -1 */
        return spv_code(e, SpvOpISub, u, spv_uint(e, 31), glsl(e, u, GLSLstd450FindUMsb, x));
    case IR_I32_CTZ: /* FindILsb(0) is -1 */
        v = spv_code(e, SpvOpIEqual, spv_type_bool(e), x, spv_uint(e, 0));
        return spv_code(e, SpvOpSelect, u, v, spv_uint(e, 32), glsl(e, u, GLSLstd450FindILsb, x));
    case IR_I32_ROTL:
    case IR_I64_ROTL:
        return rotate(e, i, true);
    case IR_I32_ROTR:
    case IR_I64_ROTR:
        return rotate(e, i, false);
    case IR_I32_EXTEND8_S:
    case IR_I64_EXTEND8_S:
        return sign_extend(e, i, 8);
    case IR_I32_EXTEND16_S:
    case IR_I64_EXTEND16_S:
        return sign_extend(e, i, 16);
    case IR_I64_EXTEND32_S:
        return sign_extend(e, i, 32);
    case IR_F32_SQRT:
    case IR_F64_SQRT:
        return glsl(e, spv_type_float(e, i->results[0].type), GLSLstd450Sqrt, x);
    default:
        ICE("no special row for %s", ir_info(i)->text);
    }
}

void spv_emit_op(struct spv_emit *e, struct ir_inst *i) {
    struct ir_value *result = &i->results[0];
    if (ir_is_const(i)) {
        e->ids[result->id] = result->type == IR_F32 || result->type == IR_F64
                                 ? spv_float_const(e, result->type, i->bits)
                                 : spv_const(e, result->type, i->bits);
        return;
    }
    uint32_t type = spv_type(e, result->type), id;
    if (i->op == IR_SELECT) {
        uint32_t c = spv_condition(e, i->operands[2]);
        e->ids[result->id] =
            spv_code(e, SpvOpSelect, type, c, spv_value(e, i->operands[0]), spv_value(e, i->operands[1]));
        return;
    }
    const struct row *row = &rows[i->op];
    if (row->how == BITS) {
        e->ids[result->id] = spv_value(e, i->operands[0]);
        return;
    }
    bool is_float = result->type == IR_F32 || result->type == IR_F64;
    if (is_float)
        type = spv_type_float(e, result->type);
    uint32_t x = spv_operand(e, i->operands[0]), y = i->noperands > 1 ? spv_operand(e, i->operands[1]) : 0;
    switch (row->how) {
    case PLAIN:
    case FLOAT:
        id = y ? spv_code(e, row->op, type, x, y) : spv_code(e, row->op, type, x);
        if (row->how == FLOAT && e->precise)
            spv_inst(&e->m, SPV_ANNOTATIONS, SpvOpDecorate, id, SpvDecorationNoContraction);
        break;
    case SHIFT:
        id = spv_code(e, row->op, type, x, shift_count(e, i->operands[1]));
        break;
    case COMPARE:
        e->bools[result->id] = spv_code(e, row->op, spv_type_bool(e), x, y);
        id = as_i32(e, e->bools[result->id]);
        break;
    case SPECIAL:
        id = emit_special(e, i);
        break;
    default:
        ICE("%s in a legalised kernel", ir_info(i)->text);
    }
    if (is_float)
        spv_set_float(e, result, id);
    else
        e->ids[result->id] = id;
}
