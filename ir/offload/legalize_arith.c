/* Operations that GPU languages leave undefined, inexact or to the driver's taste, from operations they do not; see
 * legalize.h.  The float ones are in legalize_float.c.
 *
 * Integer division: SPIR-V leaves division by zero and INT_MIN / -1 undefined, Vulkan also the signed remainder of
 * negative operands (Vulkan 1.1, appendix "Vulkan Environment for SPIR-V"), WGSL makes them something else than wasm.
 * 64-bit clz, ctz and popcnt exist nowhere (GLSL.std.450 FindUMsb and Vulkan's OpBitCount are 32-bit).
 */
#include "ir/offload/legalize_float.h"
#include "ir/offload/rebuild.h"

static struct ir_value *safe_divisor(struct rebuild *r, const struct ir_inst *i, bool wide, bool sign) {
    enum ir_op eqz = wide ? IR_I64_EQZ : IR_I32_EQZ, eq = wide ? IR_I64_EQ : IR_I32_EQ;
    struct ir_value *a = rebuild_lo(r, i, 0), *b = rebuild_lo(r, i, 1);
    const union ir_bits *known = ir_const_of(b);
    uint64_t minus_one = wide ? UINT64_MAX : UINT32_MAX;
    if (known) {
        uint64_t v = wide ? known->i64 : known->i32;
        if (v != 0 && (!sign || v != minus_one))
            return b;
    }
    struct ir_value *bad = rebuild_op(r, eqz, b, 0);
    if (sign) {
        struct ir_value *low = wide ? rebuild_i64(r, UINT64_C(1) << 63) : rebuild_i32(r, UINT32_C(1) << 31);
        struct ir_value *all = wide ? rebuild_i64(r, minus_one) : rebuild_i32(r, UINT32_MAX);
        struct ir_value *over = rebuild_op(r, IR_I32_AND, rebuild_op(r, eq, a, low), rebuild_op(r, eq, b, all));
        bad = rebuild_op(r, IR_I32_OR, bad, over);
    }
    return rebuild_select(r, bad, wide ? rebuild_i64(r, 1) : rebuild_i32(r, 1), b);
}

static bool lower_division(struct rebuild *r, struct ir_inst *i) {
    bool wide = false, sign = false, remainder = false;
    switch (i->op) {
    case IR_I64_DIV_S:
    case IR_I64_REM_S:
    case IR_I64_DIV_U:
    case IR_I64_REM_U:
        wide = true;
        sign = i->op == IR_I64_DIV_S || i->op == IR_I64_REM_S;
        remainder = i->op == IR_I64_REM_S;
        break;
    case IR_I32_DIV_S:
    case IR_I32_REM_S:
    case IR_I32_DIV_U:
    case IR_I32_REM_U:
        sign = i->op == IR_I32_DIV_S || i->op == IR_I32_REM_S;
        remainder = i->op == IR_I32_REM_S;
        break;
    default:
        return false;
    }
    /* INT_MIN rem -1 is 0 in wasm, and INT_MIN - (INT_MIN / 1) * 1 as well, so the guard's 1 is right here too. */
    struct ir_value *a = rebuild_lo(r, i, 0), *b = safe_divisor(r, i, wide, sign), *v;
    if (remainder) {
        v = rebuild_op(r, wide ? IR_I64_DIV_S : IR_I32_DIV_S, a, b);
        v = rebuild_op(r, wide ? IR_I64_MUL : IR_I32_MUL, v, b);
        v = rebuild_op(r, wide ? IR_I64_SUB : IR_I32_SUB, a, v);
    } else {
        v = rebuild_op(r, (enum ir_op)i->op, a, b);
    }
    rebuild_set(r, i, v, 0);
    return true;
}

static bool lower_counts(struct rebuild *r, struct ir_inst *i) {
    if (i->op != IR_I64_CLZ && i->op != IR_I64_CTZ && i->op != IR_I64_POPCNT)
        return false;
    struct ir_value *a = rebuild_lo(r, i, 0), *v;
    struct ir_value *lo = rebuild_op(r, IR_I32_WRAP_I64, a, 0);
    struct ir_value *hi = rebuild_op(r, IR_I32_WRAP_I64, rebuild_op64i(r, IR_I64_SHR_U, a, 32), 0);
    if (i->op == IR_I64_POPCNT) {
        v = rebuild_op(r, IR_I32_ADD, rebuild_op(r, IR_I32_POPCNT, lo, 0), rebuild_op(r, IR_I32_POPCNT, hi, 0));
    } else if (i->op == IR_I64_CLZ) {
        struct ir_value *low = rebuild_opi(r, IR_I32_ADD, rebuild_op(r, IR_I32_CLZ, lo, 0), 32);
        v = rebuild_select(r, hi, rebuild_op(r, IR_I32_CLZ, hi, 0), low);
    } else {
        struct ir_value *high = rebuild_opi(r, IR_I32_ADD, rebuild_op(r, IR_I32_CTZ, hi, 0), 32);
        v = rebuild_select(r, lo, rebuild_op(r, IR_I32_CTZ, lo, 0), high);
    }
    rebuild_set(r, i, rebuild_op(r, IR_I64_EXTEND_I32_U, v, 0), 0);
    return true;
}

static bool lower_arith(struct rebuild *r, struct ir_inst *i) {
    return lower_division(r, i) || lower_counts(r, i) || legalize_float_rule(r, i, r->flags != 0);
}

/* The float rules build i64 clz, which the second walk lowers. */
struct ir_func *legalize_arith(struct ir_func *f, bool soft_f64) {
    struct ir_func *once = rebuild_run(f, lower_arith, false, soft_f64);
    struct ir_func *twice = rebuild_run(once, lower_counts, false, 0);
    ir_func_free(once);
    return twice;
}
