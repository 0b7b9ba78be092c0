/* Arithmetic, comparisons and conversions, with Wasm's meaning.
 *
 * LLVM's plain float instructions, without fast-math flags, are IEEE 754 round-to-nearest and are never contracted.
 * What LLVM leaves undefined is closed here: shift counts are masked, division and float-to-integer conversion test
 * their operands and trap.  In a native kernel no operand can trap (the planner proved it or did not offload), but the
 * instructions must still not fault on lanes that a vectoriser runs speculatively: there the operands are made harmless
 * instead of tested.
 *
 * Arithmetic quiets signalling NaN in Wasm and on every machine, but LLVM may take it that none ever comes, and drops
 * operations that then have no effect: x * 1, x - 0, narrowing what was just widened.  A fence hides the constant or
 * the wide value from it.  What LLVM finds only after inlining stays dropped; the payload of a NaN is all that differs.
 *
 * min, max: llvm.minimum and llvm.maximum spread NaN and order -0 below +0, as Wasm does.  Where LLVM makes them of
 * several instructions the NaN comes out as it went in: there NaN goes through an addition.  nearest: llvm.rint, in the
 * default rounding mode the same as round-to-even; chosen over llvm.roundeven because every C library has rint.
 */
#include "backends/host/host_internal.h"

#include <math.h>
#include <string.h>

static LLVMValueRef operand(struct host_func *hf, const struct ir_inst *i, unsigned n) {
    return host_value(hf, i->operands[n]);
}

static void set_result(struct host_func *hf, const struct ir_inst *i, LLVMValueRef v) {
    host_set_value(hf, &i->results[0], v);
}

static LLVMTypeRef result_type(struct host_func *hf, const struct ir_inst *i) {
    return host_type(hf->cx, i->results[0].type);
}

void host_emit_const(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct host_cx *cx = hf->cx;
    LLVMValueRef v = NULL;
    switch (i->op) {
    case IR_I32_CONST:
        v = host_const_i32(cx, i->bits.i32);
        break;
    case IR_I64_CONST:
        v = host_const_i64(cx, i->bits.i64);
        break;
    case IR_F32_CONST: /* by bits: LLVMConstReal would lose NaN payloads */
        v = LLVMConstBitCast(host_const_i32(cx, i->bits.i32), cx->f32);
        break;
    case IR_F64_CONST:
        v = LLVMConstBitCast(host_const_i64(cx, i->bits.i64), cx->f64);
        break;
    case IR_V128_CONST: {
        LLVMValueRef bytes[16];
        for (unsigned k = 0; k < 16; k++)
            bytes[k] = LLVMConstInt(cx->i8, i->bits.v128[k], 0);
        v = LLVMConstVector(bytes, 16);
        break;
    }
    default:
        ICE("not a constant: %s", ir_info(i)->text);
    }
    set_result(hf, i, v);
}

void host_emit_eqz(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    if (i->operands[0]->type == IR_I32) {
        LLVMValueRef c = host_condition(hf, i->operands[0]);
        host_set_bool(hf, &i->results[0], LLVMBuildNot(hf->b, c, ""));
        return;
    }
    LLVMValueRef a = operand(hf, i, 0);
    host_set_bool(hf, &i->results[0], LLVMBuildICmp(hf->b, LLVMIntEQ, a, LLVMConstNull(LLVMTypeOf(a)), ""));
}

void host_emit_icmp(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef a = operand(hf, i, 0), b = operand(hf, i, 1);
    host_set_bool(hf, &i->results[0], LLVMBuildICmp(hf->b, (LLVMIntPredicate)arg, a, b, ""));
}

void host_emit_fcmp(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef a = operand(hf, i, 0), b = operand(hf, i, 1);
    host_set_bool(hf, &i->results[0], LLVMBuildFCmp(hf->b, (LLVMRealPredicate)arg, a, b, ""));
}

LLVMValueRef host_fence(struct host_func *hf, LLVMValueRef x) {
    LLVMTypeRef type = LLVMTypeOf(x);
    return host_intrinsic_call(hf, HOST_FENCE, &type, 1, &x, 1);
}

bool host_is_neutral(double x, unsigned opcode, unsigned side) {
    switch (opcode) {
    case LLVMFAdd: /* x + -0 */
        return x == 0.0 && signbit(x);
    case LLVMFSub: /* x - 0, -0 - x */
        return x == 0.0 && (signbit(x) != 0) == (side == 0);
    case LLVMFMul:
        return fabs(x) == 1.0;
    default:
        return opcode == LLVMFDiv && side == 1 && fabs(x) == 1.0;
    }
}

static bool is_neutral(const struct ir_value *v, unsigned opcode, unsigned side) {
    const struct ir_inst *def = v->def;
    if (!def || (def->op != IR_F32_CONST && def->op != IR_F64_CONST))
        return false;
    double x;
    if (def->op == IR_F32_CONST) {
        float narrow;
        memcpy(&narrow, &def->bits.i32, sizeof narrow);
        x = (double)narrow;
    } else {
        memcpy(&x, &def->bits.i64, sizeof x);
    }
    return host_is_neutral(x, opcode, side);
}

void host_emit_binary(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef a = operand(hf, i, 0), b = operand(hf, i, 1);
    if (is_neutral(i->operands[0], arg, 0))
        a = host_fence(hf, a);
    if (is_neutral(i->operands[1], arg, 1))
        b = host_fence(hf, b);
    set_result(hf, i, LLVMBuildBinOp(hf->b, (LLVMOpcode)arg, a, b, ""));
}

void host_emit_divide(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef x = operand(hf, i, 0), y = operand(hf, i, 1);
    LLVMTypeRef type = LLVMTypeOf(x);
    bool wide = type == hf->cx->i64, is_signed = arg == LLVMSDiv || arg == LLVMSRem;
    LLVMValueRef zero = LLVMConstNull(type), one = LLVMConstInt(type, 1, 0), minus1 = LLVMConstAllOnes(type);
    LLVMValueRef least = LLVMConstInt(type, wide ? UINT64_C(1) << 63 : UINT64_C(1) << 31, 0);
    LLVMValueRef nonzero = LLVMBuildICmp(b, LLVMIntNE, y, zero, "");
    host_trap_unless(hf, nonzero, IR_TRAP_DIVIDE_BY_ZERO, i);
    if (is_signed) {
        LLVMValueRef fits =
            LLVMBuildOr(b, LLVMBuildICmp(b, LLVMIntNE, y, minus1, ""), LLVMBuildICmp(b, LLVMIntNE, x, least, ""), "");
        if (arg == LLVMSDiv) {
            host_trap_unless(hf, fits, IR_TRAP_INTEGER_OVERFLOW, i);
            if (hf->kernel)
                nonzero = LLVMBuildAnd(b, nonzero, fits, "");
        } else { /* least % -1 is 0 in Wasm, undefined in LLVM; x % 1 is 0 as well */
            y = LLVMBuildSelect(b, fits, y, one, "");
        }
    }
    if (hf->kernel)
        y = LLVMBuildSelect(b, nonzero, y, one, "");
    set_result(hf, i, LLVMBuildBinOp(b, (LLVMOpcode)arg, x, y, ""));
}

static LLVMValueRef mask_count(struct host_func *hf, LLVMValueRef count) {
    LLVMTypeRef type = LLVMTypeOf(count);
    return LLVMBuildAnd(hf->b, count, LLVMConstInt(type, LLVMGetIntTypeWidth(type) - 1, 0), "");
}

void host_emit_shift(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = operand(hf, i, 0), count = mask_count(hf, operand(hf, i, 1));
    set_result(hf, i, LLVMBuildBinOp(hf->b, (LLVMOpcode)arg, x, count, ""));
}

void host_emit_rotate(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = operand(hf, i, 0);
    LLVMValueRef args[] = {x, x, operand(hf, i, 1)}; /* the count of a funnel shift is taken modulo the width */
    LLVMTypeRef type = LLVMTypeOf(x);
    set_result(hf, i, host_intrinsic_call(hf, (enum host_intrinsic)arg, &type, 1, args, 3));
}

void host_emit_count(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef args[] = {operand(hf, i, 0), LLVMConstNull(hf->cx->i1)}; /* of zero: the width, not poison */
    LLVMTypeRef type = LLVMTypeOf(args[0]);
    set_result(hf, i, host_intrinsic_call(hf, (enum host_intrinsic)arg, &type, 1, args, 2));
}

void host_emit_unary(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = operand(hf, i, 0);
    LLVMTypeRef type = LLVMTypeOf(x);
    set_result(hf, i, host_intrinsic_call(hf, (enum host_intrinsic)arg, &type, 1, &x, 1));
}

LLVMValueRef host_build_float_pair(struct host_func *hf, enum host_intrinsic which, LLVMValueRef x, LLVMValueRef y) {
    LLVMValueRef args[] = {x, y};
    LLVMTypeRef type = LLVMTypeOf(x);
    LLVMValueRef v = host_intrinsic_call(hf, which, &type, 1, args, 2);
    if (which == HOST_COPYSIGN || hf->cx->minimum_quiets)
        return v;
    LLVMSetFastMathFlags(v, LLVMFastMathNoNaNs);
    LLVMValueRef unordered = LLVMBuildFCmp(hf->b, LLVMRealUNO, x, y, "");
    if (LLVMIsConstant(x))
        x = host_fence(hf, x);
    else if (LLVMIsConstant(y))
        y = host_fence(hf, y);
    return LLVMBuildSelect(hf->b, unordered, LLVMBuildFAdd(hf->b, x, y, ""), v, "");
}

void host_emit_float_pair(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    set_result(hf, i, host_build_float_pair(hf, (enum host_intrinsic)arg, operand(hf, i, 0), operand(hf, i, 1)));
}

void host_emit_fneg(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    set_result(hf, i, LLVMBuildFNeg(hf->b, operand(hf, i, 0), ""));
}

void host_emit_sign_extend(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMTypeRef narrow = LLVMIntTypeInContext(hf->cx->llvm, arg);
    LLVMValueRef low = LLVMBuildTrunc(hf->b, operand(hf, i, 0), narrow, "");
    set_result(hf, i, LLVMBuildSExt(hf->b, low, result_type(hf, i), ""));
}

void host_emit_cast(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = operand(hf, i, 0);
    if (arg == LLVMFPTrunc && i->operands[0]->def && i->operands[0]->def->op == IR_F64_PROMOTE_F32)
        x = host_fence(hf, x);
    set_result(hf, i, LLVMBuildCast(hf->b, (LLVMOpcode)arg, x, result_type(hf, i), ""));
}

void host_emit_truncate_sat(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = operand(hf, i, 0);
    LLVMTypeRef types[] = {result_type(hf, i), LLVMTypeOf(x)};
    set_result(hf, i, host_intrinsic_call(hf, (enum host_intrinsic)arg, types, 2, &x, 1));
}

/* The conversion is defined when low REL x and x < high.  `low` is the greatest float below the range where that is one
 * less than the least integer (REL is <), else the least integer itself (REL is <=). */
void host_emit_truncate(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    if (hf->kernel) {
        host_emit_truncate_sat(hf, i, arg);
        return;
    }
    LLVMBuilderRef b = hf->b;
    LLVMValueRef x = operand(hf, i, 0);
    LLVMTypeRef from = LLVMTypeOf(x), to = result_type(hf, i);
    bool is_signed = arg == HOST_FPTOSI_SAT, wide = to == hf->cx->i64, exact = from == hf->cx->f64 && !wide;
    double high = is_signed ? (wide ? 0x1p63 : 0x1p31) : (wide ? 0x1p64 : 0x1p32);
    double low = !is_signed ? -1.0 : exact ? -0x1p31 - 1.0 : -high;
    LLVMRealPredicate above = is_signed && !exact ? LLVMRealOGE : LLVMRealOGT;
    LLVMValueRef fits = LLVMBuildAnd(b, LLVMBuildFCmp(b, above, x, LLVMConstReal(from, low), ""),
                                     LLVMBuildFCmp(b, LLVMRealOLT, x, LLVMConstReal(from, high), ""), "");
    LLVMBasicBlockRef good = host_new_block(hf, "fits"), bad = host_new_block(hf, "trap");
    LLVMSetMetadata(LLVMBuildCondBr(b, fits, good, bad), hf->cx->md_prof, hf->cx->unlikely);
    LLVMPositionBuilderAtEnd(b, bad);
    LLVMValueRef code =
        LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealUNO, x, x, ""), host_const_i64(hf->cx, IR_TRAP_INVALID_CONVERSION),
                        host_const_i64(hf->cx, IR_TRAP_INTEGER_OVERFLOW), "");
    host_raise(hf, code, host_where(hf, i));
    LLVMPositionBuilderAtEnd(b, good);
    set_result(hf, i, LLVMBuildCast(b, is_signed ? LLVMFPToSI : LLVMFPToUI, x, to, ""));
}

void host_emit_select(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef t = operand(hf, i, 0), f = operand(hf, i, 1);
    set_result(hf, i, LLVMBuildSelect(hf->b, host_condition(hf, i->operands[2]), t, f, ""));
}
