/* v128 operations, with Wasm's meaning.
 *
 * A v128 is an LLVM <16 x i8> everywhere between operations; each operation casts to the lanes it works on and back,
 * which costs nothing.  All code is made of LLVM's own vector operations, never of a target's intrinsics: LLVM splits
 * what the CPU lacks (baseline x86-64 has SSE2 only), and recognises the shapes used here where an instruction exists:
 * packs for clamp-and-truncate, pmaddwd for the widening dot product, pavg for the rounded mean, pshufb for a swizzle.
 *
 * The argument of a row in host_ops.def is the lane type of the result (of the operands, where the result is no vector
 * or a comparison), or'ed with an LLVM opcode, predicate or intrinsic.  LLVMSExt and LLVMZExt stand for signed and
 * unsigned.
 */
#include "backends/host/host_internal.h"

static LLVMValueRef operand(struct host_func *hf, const struct ir_inst *i, unsigned n) {
    return host_value(hf, i->operands[n]);
}

static unsigned code_of(unsigned arg) {
    return arg & HOST_CODE_MASK;
}

static LLVMTypeRef int_type(struct host_func *hf, unsigned bits) {
    return LLVMIntTypeInContext(hf->cx->llvm, bits);
}

static unsigned lane_bits(unsigned arg) {
    switch (arg & HOST_LANES_MASK) {
    case HOST_I8X16:
        return 8;
    case HOST_I16X8:
        return 16;
    case HOST_I32X4:
    case HOST_F32X4:
        return 32;
    case HOST_I64X2:
    case HOST_F64X2:
        return 64;
    default:
        ICE("no lane type in the argument 0x%x", arg);
    }
}

static LLVMTypeRef lane_type(struct host_func *hf, unsigned arg) {
    unsigned lanes = arg & HOST_LANES_MASK;
    return lanes == HOST_F32X4 ? hf->cx->f32 : lanes == HOST_F64X2 ? hf->cx->f64 : int_type(hf, lane_bits(arg));
}

static unsigned lane_count(unsigned arg) {
    return 128 / lane_bits(arg);
}

static LLVMTypeRef vector_type(struct host_func *hf, unsigned arg) {
    return LLVMVectorType(lane_type(hf, arg), lane_count(arg));
}

/* Operand `n` as lanes of `arg`'s type. */
static LLVMValueRef lanes(struct host_func *hf, const struct ir_inst *i, unsigned n, unsigned arg) {
    return LLVMBuildBitCast(hf->b, operand(hf, i, n), vector_type(hf, arg), "");
}

static void set_vector(struct host_func *hf, const struct ir_inst *i, LLVMValueRef v) {
    host_set_value(hf, &i->results[0], LLVMBuildBitCast(hf->b, v, hf->cx->v128, ""));
}

/* A vector with `value` in all lanes of `type`. */
static LLVMValueRef splat_const(LLVMTypeRef type, uint64_t value) {
    LLVMValueRef all[16], one = LLVMConstInt(LLVMGetElementType(type), value, 1);
    unsigned n = LLVMGetVectorSize(type);
    ICE_UNLESS(n <= 16);
    for (unsigned k = 0; k < n; k++)
        all[k] = one;
    return LLVMConstVector(all, n);
}

/* Lanes first, first + step, ... of `a` followed by `b` (NULL: nothing). */
static LLVMValueRef pick(struct host_func *hf, LLVMValueRef a, LLVMValueRef b, unsigned first, unsigned step,
                         unsigned n) {
    LLVMValueRef mask[16];
    ICE_UNLESS(n <= 16);
    for (unsigned k = 0; k < n; k++)
        mask[k] = host_const_i32(hf->cx, first + step * k);
    return LLVMBuildShuffleVector(hf->b, a, b ? b : LLVMGetPoison(LLVMTypeOf(a)), LLVMConstVector(mask, n), "");
}

static LLVMValueRef call_pair(struct host_func *hf, enum host_intrinsic which, LLVMValueRef x, LLVMValueRef y) {
    LLVMTypeRef type = LLVMTypeOf(x);
    LLVMValueRef args[] = {x, y};
    return host_intrinsic_call(hf, which, &type, 1, args, 2);
}

/* ---- moving lanes ---- */

static LLVMValueRef splat(struct host_func *hf, LLVMValueRef x, unsigned n) {
    LLVMTypeRef type = LLVMVectorType(LLVMTypeOf(x), n);
    LLVMValueRef first = LLVMBuildInsertElement(hf->b, LLVMGetPoison(type), x, host_const_i32(hf->cx, 0), "");
    return pick(hf, first, NULL, 0, 0, n);
}

/* An i32 cut to the lanes that are narrower. */
static LLVMValueRef to_lane(struct host_func *hf, LLVMValueRef x, unsigned arg) {
    return lane_bits(arg) < 32 ? LLVMBuildTrunc(hf->b, x, lane_type(hf, arg), "") : x;
}

void host_emit_splat(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    set_vector(hf, i, splat(hf, to_lane(hf, operand(hf, i, 0), arg), lane_count(arg)));
}

void host_emit_extract_lane(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef index = host_const_i32(hf->cx, i->bits.u8x16[0]);
    LLVMValueRef v = LLVMBuildExtractElement(hf->b, lanes(hf, i, 0, arg), index, "");
    if (code_of(arg))
        v = LLVMBuildCast(hf->b, (LLVMOpcode)code_of(arg), v, hf->cx->i32, "");
    host_set_value(hf, &i->results[0], v);
}

void host_emit_replace_lane(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef index = host_const_i32(hf->cx, i->bits.u8x16[0]), x = to_lane(hf, operand(hf, i, 1), arg);
    set_vector(hf, i, LLVMBuildInsertElement(hf->b, lanes(hf, i, 0, arg), x, index, ""));
}

void host_emit_shuffle(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef mask[16];
    for (unsigned k = 0; k < 16; k++)
        mask[k] = host_const_i32(hf->cx, i->bits.u8x16[k]);
    LLVMValueRef a = operand(hf, i, 0), b = operand(hf, i, 1);
    set_vector(hf, i, LLVMBuildShuffleVector(hf->b, a, b, LLVMConstVector(mask, 16), ""));
}

/* Each lane is looked up under its index modulo 16; those whose index was `bound` or higher become 0. */
static void swizzle(struct host_func *hf, const struct ir_inst *i, unsigned bound) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef table = operand(hf, i, 0), index = operand(hf, i, 1);
    LLVMTypeRef type = hf->cx->v128;
    LLVMValueRef inside = LLVMBuildICmp(b, LLVMIntULT, index, splat_const(type, bound), "");
    LLVMValueRef low = LLVMBuildAnd(b, index, splat_const(type, 15), ""), found = LLVMGetPoison(type);
    for (unsigned k = 0; k < 16; k++) {
        LLVMValueRef at = host_const_i32(hf->cx, k), from = LLVMBuildExtractElement(b, low, at, "");
        LLVMValueRef byte = LLVMBuildExtractElement(b, table, LLVMBuildZExt(b, from, hf->cx->i64, ""), "");
        found = LLVMBuildInsertElement(b, found, byte, at, "");
    }
    set_vector(hf, i, LLVMBuildSelect(b, inside, found, LLVMConstNull(type), ""));
}

void host_emit_swizzle(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    swizzle(hf, i, 16);
}

void host_emit_relaxed_swizzle(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    swizzle(hf, i, 128);
}

/* ---- bits ---- */

void host_emit_not(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    set_vector(hf, i, LLVMBuildNot(hf->b, operand(hf, i, 0), ""));
}

void host_emit_andnot(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    set_vector(hf, i, LLVMBuildAnd(hf->b, operand(hf, i, 0), LLVMBuildNot(hf->b, operand(hf, i, 1), ""), ""));
}

void host_emit_bitselect(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMBuilderRef b = hf->b;
    LLVMValueRef mask = operand(hf, i, 2), ones = LLVMBuildAnd(b, operand(hf, i, 0), mask, "");
    set_vector(hf, i, LLVMBuildOr(b, ones, LLVMBuildAnd(b, operand(hf, i, 1), LLVMBuildNot(b, mask, ""), ""), ""));
}

void host_emit_any_true(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef all = LLVMBuildBitCast(hf->b, operand(hf, i, 0), int_type(hf, 128), "");
    host_set_bool(hf, &i->results[0], LLVMBuildIsNotNull(hf->b, all, ""));
}

/* One bit a lane, as an integer of that many bits. */
static LLVMValueRef lane_mask(struct host_func *hf, const struct ir_inst *i, unsigned arg, LLVMIntPredicate with_zero) {
    LLVMValueRef v = lanes(hf, i, 0, arg), bits;
    bits = LLVMBuildICmp(hf->b, with_zero, v, LLVMConstNull(LLVMTypeOf(v)), "");
    return LLVMBuildBitCast(hf->b, bits, int_type(hf, lane_count(arg)), "");
}

void host_emit_all_true(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef zeros = lane_mask(hf, i, arg, LLVMIntEQ);
    host_set_bool(hf, &i->results[0], LLVMBuildIsNull(hf->b, zeros, ""));
}

void host_emit_bitmask(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef signs = lane_mask(hf, i, arg, LLVMIntSLT);
    host_set_value(hf, &i->results[0], LLVMBuildZExt(hf->b, signs, hf->cx->i32, ""));
}

/* ---- arithmetic ---- */

/* A comparison's i1 lanes as all zeros or all ones. */
static void set_mask(struct host_func *hf, const struct ir_inst *i, LLVMValueRef bits, unsigned arg) {
    LLVMTypeRef type = LLVMVectorType(int_type(hf, lane_bits(arg)), lane_count(arg));
    set_vector(hf, i, LLVMBuildSExt(hf->b, bits, type, ""));
}

void host_emit_lane_icmp(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg);
    set_mask(hf, i, LLVMBuildICmp(hf->b, (LLVMIntPredicate)code_of(arg), x, y, ""), arg);
}

void host_emit_lane_fcmp(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg);
    set_mask(hf, i, LLVMBuildFCmp(hf->b, (LLVMRealPredicate)code_of(arg), x, y, ""), arg);
}

/* Operand `side` of a float operation, behind a fence where LLVM would drop the operation (host_arith.c). */
static LLVMValueRef float_lanes(struct host_func *hf, const struct ir_inst *i, unsigned side, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, side, arg);
    const union ir_bits *c = ir_const_of(i->operands[side]);
    bool neutral = false;
    for (unsigned k = 0; c && k < lane_count(arg); k++) {
        double lane = lane_bits(arg) == 32 ? (double)c->f32x4[k] : c->f64x2[k];
        neutral |= host_is_neutral(lane, code_of(arg), side);
    }
    return neutral ? host_fence(hf, x) : x;
}

void host_emit_lane_binary(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg);
    set_vector(hf, i, LLVMBuildBinOp(hf->b, (LLVMOpcode)code_of(arg), x, y, ""));
}

void host_emit_lane_float_binary(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = float_lanes(hf, i, 0, arg), y = float_lanes(hf, i, 1, arg);
    set_vector(hf, i, LLVMBuildBinOp(hf->b, (LLVMOpcode)code_of(arg), x, y, ""));
}

void host_emit_lane_unary(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg);
    LLVMTypeRef type = LLVMTypeOf(x);
    set_vector(hf, i, host_intrinsic_call(hf, (enum host_intrinsic)code_of(arg), &type, 1, &x, 1));
}

void host_emit_lane_pair(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg);
    set_vector(hf, i, call_pair(hf, (enum host_intrinsic)code_of(arg), x, y));
}

void host_emit_lane_float_pair(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg);
    set_vector(hf, i, host_build_float_pair(hf, (enum host_intrinsic)code_of(arg), x, y));
}

void host_emit_lane_neg(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    set_vector(hf, i, LLVMBuildNeg(hf->b, lanes(hf, i, 0, arg), ""));
}

void host_emit_lane_fneg(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    set_vector(hf, i, LLVMBuildFNeg(hf->b, lanes(hf, i, 0, arg), ""));
}

void host_emit_lane_abs(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef args[] = {lanes(hf, i, 0, arg), LLVMConstNull(hf->cx->i1)}; /* of the least: itself, not poison */
    LLVMTypeRef type = LLVMTypeOf(args[0]);
    set_vector(hf, i, host_intrinsic_call(hf, HOST_ABS, &type, 1, args, 2));
}

void host_emit_lane_shift(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef x = lanes(hf, i, 0, arg), count = operand(hf, i, 1);
    count = LLVMBuildAnd(b, count, host_const_i32(hf->cx, lane_bits(arg) - 1), "");
    if (lane_bits(arg) == 64)
        count = LLVMBuildZExt(b, count, hf->cx->i64, "");
    LLVMValueRef counts = splat(hf, to_lane(hf, count, arg), lane_count(arg));
    set_vector(hf, i, LLVMBuildBinOp(b, (LLVMOpcode)code_of(arg), x, counts, ""));
}

static LLVMTypeRef widened(struct host_func *hf, LLVMValueRef v) {
    LLVMTypeRef type = LLVMTypeOf(v);
    unsigned bits = LLVMGetIntTypeWidth(LLVMGetElementType(type));
    return LLVMVectorType(int_type(hf, 2 * bits), LLVMGetVectorSize(type));
}

/* (x + y + 1) >> 1 without losing the carry. */
void host_emit_avgr(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg);
    LLVMTypeRef wide = widened(hf, x);
    LLVMValueRef one = splat_const(wide, 1);
    LLVMValueRef sum = LLVMBuildAdd(b, LLVMBuildZExt(b, x, wide, ""), LLVMBuildZExt(b, y, wide, ""), "");
    sum = LLVMBuildLShr(b, LLVMBuildAdd(b, sum, one, ""), one, "");
    set_vector(hf, i, LLVMBuildTrunc(b, sum, LLVMTypeOf(x), ""));
}

static LLVMValueRef clamp(struct host_func *hf, LLVMValueRef v, int64_t least, int64_t most) {
    LLVMTypeRef type = LLVMTypeOf(v);
    v = call_pair(hf, HOST_SMAX, v, splat_const(type, (uint64_t)least));
    return call_pair(hf, HOST_SMIN, v, splat_const(type, (uint64_t)most));
}

/* Of -32768 * -32768 alone the rounded product does not fit; with `arg` it wraps. */
void host_emit_q15mulr(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef x = lanes(hf, i, 0, HOST_I16X8), y = lanes(hf, i, 1, HOST_I16X8);
    LLVMTypeRef wide = widened(hf, x);
    LLVMValueRef v = LLVMBuildMul(b, LLVMBuildSExt(b, x, wide, ""), LLVMBuildSExt(b, y, wide, ""), "");
    v = LLVMBuildAShr(b, LLVMBuildAdd(b, v, splat_const(wide, 0x4000), ""), splat_const(wide, 15), "");
    if (!arg)
        v = call_pair(hf, HOST_SMIN, v, splat_const(wide, INT16_MAX));
    set_vector(hf, i, LLVMBuildTrunc(b, v, LLVMTypeOf(x), ""));
}

/* y REL x ? y : x, as a selection: min and max of C++ rather than of IEEE 754. */
static void pseudo(struct host_func *hf, const struct ir_inst *i, unsigned arg, bool min) {
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg);
    LLVMValueRef other = LLVMBuildFCmp(hf->b, LLVMRealOLT, min ? y : x, min ? x : y, "");
    set_vector(hf, i, LLVMBuildSelect(hf->b, other, y, x, ""));
}

void host_emit_pseudo_min(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    pseudo(hf, i, arg, true);
}

void host_emit_pseudo_max(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    pseudo(hf, i, arg, false);
}

/* ---- between widths ---- */

/* The lanes half as wide as `arg`'s, of which there are twice as many. */
static unsigned narrower(unsigned arg) {
    switch (lane_bits(arg)) {
    case 16:
        return HOST_I8X16;
    case 32:
        return HOST_I16X8;
    default:
        return HOST_I32X4;
    }
}

/* Both operands' lanes, twice as wide as `arg`'s, in one row; clamped to what the result's hold. */
void host_emit_narrow(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    unsigned wide = lane_bits(arg) == 8 ? HOST_I16X8 : HOST_I32X4, bits = lane_bits(arg);
    LLVMValueRef both = pick(hf, lanes(hf, i, 0, wide), lanes(hf, i, 1, wide), 0, 1, lane_count(arg));
    int64_t half = INT64_C(1) << (bits - 1);
    both = code_of(arg) == LLVMSExt ? clamp(hf, both, -half, half - 1) : clamp(hf, both, 0, 2 * half - 1);
    set_vector(hf, i, LLVMBuildTrunc(hf->b, both, vector_type(hf, arg), ""));
}

/* `n` lanes of operand `k` from `first` on, by `step`, extended to `arg`'s width. */
static LLVMValueRef extended(struct host_func *hf, const struct ir_inst *i, unsigned k, unsigned arg, unsigned first,
                             unsigned step) {
    LLVMValueRef part = pick(hf, lanes(hf, i, k, narrower(arg)), NULL, first, step, lane_count(arg));
    return LLVMBuildCast(hf->b, (LLVMOpcode)code_of(arg), part, vector_type(hf, arg), "");
}

static LLVMValueRef extended_half(struct host_func *hf, const struct ir_inst *i, unsigned k, unsigned arg) {
    return extended(hf, i, k, arg, arg & HOST_HIGH ? lane_count(arg) : 0, 1);
}

void host_emit_extend(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    set_vector(hf, i, extended_half(hf, i, 0, arg));
}

void host_emit_extmul(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    set_vector(hf, i, LLVMBuildMul(hf->b, extended_half(hf, i, 0, arg), extended_half(hf, i, 1, arg), ""));
}

void host_emit_extadd_pairwise(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    set_vector(hf, i, LLVMBuildAdd(hf->b, extended(hf, i, 0, arg, 0, 2), extended(hf, i, 0, arg, 1, 2), ""));
}

void host_emit_dot(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMBuilderRef b = hf->b;
    unsigned to = HOST_I32X4 | LLVMSExt;
    LLVMValueRef even = LLVMBuildMul(b, extended(hf, i, 0, to, 0, 2), extended(hf, i, 1, to, 0, 2), "");
    LLVMValueRef odd = LLVMBuildMul(b, extended(hf, i, 0, to, 1, 2), extended(hf, i, 1, to, 1, 2), "");
    set_vector(hf, i, LLVMBuildAdd(b, even, odd, ""));
}

/* Products of signed and unsigned bytes, added in pairs and clamped to 16 bits; with `arg` those in pairs again, and
 * the third operand. */
void host_emit_dot_i8_i7(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMBuilderRef b = hf->b;
    LLVMTypeRef wide = LLVMVectorType(hf->cx->i32, 8);
    LLVMValueRef sum = NULL;
    for (unsigned side = 0; side < 2; side++) {
        LLVMValueRef x = LLVMBuildSExt(b, pick(hf, operand(hf, i, 0), NULL, side, 2, 8), wide, "");
        LLVMValueRef y = LLVMBuildZExt(b, pick(hf, operand(hf, i, 1), NULL, side, 2, 8), wide, "");
        LLVMValueRef product = LLVMBuildMul(b, x, y, "");
        sum = side ? LLVMBuildAdd(b, sum, product, "") : product;
    }
    sum = clamp(hf, sum, INT16_MIN, INT16_MAX);
    if (!arg) {
        set_vector(hf, i, LLVMBuildTrunc(b, sum, LLVMVectorType(hf->cx->i16, 8), ""));
        return;
    }
    sum = LLVMBuildAdd(b, pick(hf, sum, NULL, 0, 2, 4), pick(hf, sum, NULL, 1, 2, 4), "");
    set_vector(hf, i, LLVMBuildAdd(b, sum, lanes(hf, i, 2, HOST_I32X4), ""));
}

/* ---- floats ---- */

/* Two lanes, then zeros in two more. */
static LLVMValueRef with_zeros(struct host_func *hf, LLVMValueRef two) {
    return pick(hf, two, LLVMConstNull(LLVMTypeOf(two)), 0, 1, 4);
}

static LLVMValueRef splat_real(struct host_func *hf, LLVMTypeRef type, double value) {
    return splat(hf, LLVMConstReal(LLVMGetElementType(type), value), LLVMGetVectorSize(type));
}

/* fptosi and fptoui give poison for lanes out of range; a selection that passes those over is defined.  Written out
 * because LLVM takes the saturating intrinsics apart into scalars on x86-64. */
static LLVMValueRef truncate_f32x4(struct host_func *hf, LLVMValueRef x, bool is_signed) {
    LLVMBuilderRef b = hf->b;
    LLVMTypeRef from = LLVMTypeOf(x), to = LLVMVectorType(hf->cx->i32, 4);
    LLVMValueRef v = LLVMBuildCast(b, is_signed ? LLVMFPToSI : LLVMFPToUI, x, to, "");
    LLVMValueRef least = splat_const(to, is_signed ? 0x80000000 : 0),
                 most = splat_const(to, is_signed ? INT32_MAX : UINT32_MAX);
    LLVMValueRef high = LLVMBuildFCmp(b, LLVMRealOGE, x, splat_real(hf, from, is_signed ? 0x1p31 : 0x1p32), "");
    LLVMValueRef above = is_signed ? LLVMBuildFCmp(b, LLVMRealOGE, x, splat_real(hf, from, -0x1p31), "")
                                   : LLVMBuildFCmp(b, LLVMRealOGT, x, splat_real(hf, from, -1.0), "");
    v = LLVMBuildSelect(b, high, most, LLVMBuildSelect(b, above, v, least, ""), "");
    if (!is_signed)
        return v; /* NaN is not above */
    return LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealORD, x, x, ""), v, LLVMConstNull(to), "");
}

/* Doubles hold the limits exactly, so they are clamped before they are converted. */
static LLVMValueRef truncate_f64x2(struct host_func *hf, LLVMValueRef x, bool is_signed) {
    LLVMBuilderRef b = hf->b;
    LLVMTypeRef from = LLVMTypeOf(x), to = LLVMVectorType(hf->cx->i32, 2);
    LLVMValueRef least = splat_real(hf, from, is_signed ? INT32_MIN : 0), most;
    most = splat_real(hf, from, is_signed ? INT32_MAX : UINT32_MAX);
    x = LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealORD, x, x, ""), x, LLVMConstNull(from), "");
    x = LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealOGT, x, least, ""), x, least, "");
    x = LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealOLT, x, most, ""), x, most, "");
    return LLVMBuildCast(b, is_signed ? LLVMFPToSI : LLVMFPToUI, x, to, "");
}

void host_emit_lane_truncate(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg);
    bool is_signed = code_of(arg) == LLVMSExt;
    set_vector(hf, i,
               lane_count(arg) == 4 ? truncate_f32x4(hf, x, is_signed)
                                    : with_zeros(hf, truncate_f64x2(hf, x, is_signed)));
}

/* The least i32 for lanes that do not fit: on x86-64 what the conversion gives by itself. */
void host_emit_relaxed_truncate(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef x = lanes(hf, i, 0, arg);
    LLVMTypeRef from = LLVMTypeOf(x), to = LLVMVectorType(hf->cx->i32, lane_count(arg));
    bool narrow = lane_bits(arg) == 32; /* floats have nothing between -2^31 - 1 and -2^31 */
    LLVMValueRef above = narrow ? LLVMBuildFCmp(b, LLVMRealOGE, x, splat_real(hf, from, -0x1p31), "")
                                : LLVMBuildFCmp(b, LLVMRealOGT, x, splat_real(hf, from, -0x1p31 - 1), "");
    LLVMValueRef below = LLVMBuildFCmp(b, LLVMRealOLT, x, splat_real(hf, from, 0x1p31), "");
    LLVMValueRef v = LLVMBuildCast(b, LLVMFPToSI, x, to, "");
    v = LLVMBuildSelect(b, LLVMBuildAnd(b, above, below, ""), v, splat_const(to, 0x80000000), "");
    set_vector(hf, i, narrow ? v : with_zeros(hf, v));
}

/* x * y + z, or z - x * y, rounded once; a call into the C library where the CPU has no instruction for it. */
void host_emit_fma(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef args[] = {lanes(hf, i, 0, arg), lanes(hf, i, 1, arg), lanes(hf, i, 2, arg)};
    LLVMTypeRef type = LLVMTypeOf(args[0]);
    if (code_of(arg))
        args[0] = LLVMBuildFNeg(hf->b, args[0], "");
    set_vector(hf, i, host_intrinsic_call(hf, HOST_FMA, &type, 1, args, 3));
}

/* By the top bit of each lane of the mask. */
void host_emit_lane_select(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg), mask = lanes(hf, i, 2, arg);
    LLVMValueRef set = LLVMBuildICmp(hf->b, LLVMIntSLT, mask, LLVMConstNull(LLVMTypeOf(mask)), "");
    set_vector(hf, i, LLVMBuildSelect(hf->b, set, x, y, ""));
}

/* x REL y ? x : y, which is minps and maxps. */
void host_emit_relaxed_min_max(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = lanes(hf, i, 0, arg), y = lanes(hf, i, 1, arg);
    LLVMValueRef first = LLVMBuildFCmp(hf->b, (LLVMRealPredicate)code_of(arg), x, y, "");
    set_vector(hf, i, LLVMBuildSelect(hf->b, first, x, y, ""));
}

void host_emit_lane_convert(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef x = pick(hf, lanes(hf, i, 0, HOST_I32X4), NULL, 0, 1, lane_count(arg));
    set_vector(hf, i, LLVMBuildCast(hf->b, (LLVMOpcode)code_of(arg), x, vector_type(hf, arg), ""));
}

void host_emit_demote(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMTypeRef type = LLVMVectorType(hf->cx->f32, 2);
    set_vector(hf, i, with_zeros(hf, LLVMBuildFPTrunc(hf->b, lanes(hf, i, 0, HOST_F64X2), type, "")));
}

void host_emit_promote(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef two = pick(hf, lanes(hf, i, 0, HOST_F32X4), NULL, 0, 1, 2);
    set_vector(hf, i, LLVMBuildFPExt(hf->b, two, vector_type(hf, HOST_F64X2), ""));
}
