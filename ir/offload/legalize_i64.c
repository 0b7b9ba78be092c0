/* i64 and f64 values as pairs of i32; see legalize.h.
 *
 * Before this step legalize_arith has turned conversions, clz, ctz, popcnt and every f64 operation into integer
 * operations, and legalize_narrow the 64-bit accesses into words.  What is left of f64 (constants, selects,
 * reinterpretations) is moving bits.
 */
#include "ir/offload/legalize.h"
#include "ir/offload/rebuild.h"
#include "ir/util/ice.h"

typedef struct rebuild_pair pair;

static pair operand(struct rebuild *r, const struct ir_inst *i, uint32_t k) {
    return rebuild_get(r, i->operands[k]);
}
static pair make(struct ir_value *lo, struct ir_value *hi) {
    return (pair){lo, hi};
}
static struct ir_value *not_(struct rebuild *r, struct ir_value *v) {
    return rebuild_op(r, IR_I32_EQZ, v, 0);
}

static pair bitwise(struct rebuild *r, enum ir_op op, pair a, pair b) {
    return make(rebuild_op(r, op, a.lo, b.lo), rebuild_op(r, op, a.hi, b.hi));
}

static pair select_pair(struct rebuild *r, struct ir_value *cond, pair t, pair f) {
    return make(rebuild_select(r, cond, t.lo, f.lo), rebuild_select(r, cond, t.hi, f.hi));
}

static pair add(struct rebuild *r, pair a, pair b) {
    struct ir_value *lo = rebuild_op(r, IR_I32_ADD, a.lo, b.lo);
    struct ir_value *carry = rebuild_op(r, IR_I32_LT_U, lo, a.lo);
    return make(lo, rebuild_op(r, IR_I32_ADD, rebuild_op(r, IR_I32_ADD, a.hi, b.hi), carry));
}

static pair sub(struct rebuild *r, pair a, pair b) {
    struct ir_value *borrow = rebuild_op(r, IR_I32_LT_U, a.lo, b.lo);
    return make(rebuild_op(r, IR_I32_SUB, a.lo, b.lo),
                rebuild_op(r, IR_I32_SUB, rebuild_op(r, IR_I32_SUB, a.hi, b.hi), borrow));
}

/* High word of a 32 x 32 bit product, from 16-bit halves (Knuth, TAOCP 2, 4.3.1, algorithm M with base 2^16):
 * each partial sum stays below 2^32. */
static struct ir_value *mul_high(struct rebuild *r, struct ir_value *a, struct ir_value *b) {
    struct ir_value *al = rebuild_opi(r, IR_I32_AND, a, 0xffff), *ah = rebuild_opi(r, IR_I32_SHR_U, a, 16);
    struct ir_value *bl = rebuild_opi(r, IR_I32_AND, b, 0xffff), *bh = rebuild_opi(r, IR_I32_SHR_U, b, 16);
    struct ir_value *ll = rebuild_op(r, IR_I32_MUL, al, bl);
    struct ir_value *t =
        rebuild_op(r, IR_I32_ADD, rebuild_op(r, IR_I32_MUL, ah, bl), rebuild_opi(r, IR_I32_SHR_U, ll, 16));
    struct ir_value *u =
        rebuild_op(r, IR_I32_ADD, rebuild_op(r, IR_I32_MUL, al, bh), rebuild_opi(r, IR_I32_AND, t, 0xffff));
    struct ir_value *hh =
        rebuild_op(r, IR_I32_ADD, rebuild_op(r, IR_I32_MUL, ah, bh), rebuild_opi(r, IR_I32_SHR_U, t, 16));
    return rebuild_op(r, IR_I32_ADD, hh, rebuild_opi(r, IR_I32_SHR_U, u, 16));
}

static pair mul(struct rebuild *r, pair a, pair b) {
    struct ir_value *cross =
        rebuild_op(r, IR_I32_ADD, rebuild_op(r, IR_I32_MUL, a.lo, b.hi), rebuild_op(r, IR_I32_MUL, a.hi, b.lo));
    return make(rebuild_op(r, IR_I32_MUL, a.lo, b.lo), rebuild_op(r, IR_I32_ADD, mul_high(r, a.lo, b.lo), cross));
}

static struct ir_value *equal(struct rebuild *r, pair a, pair b) {
    pair d = bitwise(r, IR_I32_XOR, a, b);
    return not_(r, rebuild_op(r, IR_I32_OR, d.lo, d.hi));
}

static struct ir_value *less(struct rebuild *r, pair a, pair b, bool sign) {
    return rebuild_select(r, rebuild_op(r, IR_I32_EQ, a.hi, b.hi), rebuild_op(r, IR_I32_LT_U, a.lo, b.lo),
                          rebuild_op(r, sign ? IR_I32_LT_S : IR_I32_LT_U, a.hi, b.hi));
}

/* The bits of `from` that a shift by n moves into its neighbour word: from >> (32 - n), or << when `left` is false;
 * nothing when n is a multiple of 32.  Two shifts, because one by 32 would be masked to 0. */
static struct ir_value *spill(struct rebuild *r, struct ir_value *from, struct ir_value *n, bool left) {
    enum ir_op op = left ? IR_I32_SHR_U : IR_I32_SHL;
    return rebuild_op(r, op, rebuild_opi(r, op, from, 1), rebuild_opi(r, IR_I32_XOR, n, 31));
}

static pair shift_left(struct rebuild *r, pair a, struct ir_value *n) {
    struct ir_value *big = rebuild_opi(r, IR_I32_AND, n, 32);
    struct ir_value *lo = rebuild_op(r, IR_I32_SHL, a.lo, n);
    struct ir_value *hi = rebuild_op(r, IR_I32_OR, rebuild_op(r, IR_I32_SHL, a.hi, n), spill(r, a.lo, n, true));
    return make(rebuild_select(r, big, rebuild_i32(r, 0), lo), rebuild_select(r, big, lo, hi));
}

static pair shift_right(struct rebuild *r, pair a, struct ir_value *n, bool sign) {
    struct ir_value *big = rebuild_opi(r, IR_I32_AND, n, 32);
    struct ir_value *hi = rebuild_op(r, sign ? IR_I32_SHR_S : IR_I32_SHR_U, a.hi, n);
    struct ir_value *lo = rebuild_op(r, IR_I32_OR, rebuild_op(r, IR_I32_SHR_U, a.lo, n), spill(r, a.hi, n, false));
    struct ir_value *fill = sign ? rebuild_opi(r, IR_I32_SHR_S, a.hi, 31) : rebuild_i32(r, 0);
    return make(rebuild_select(r, big, hi, lo), rebuild_select(r, big, fill, hi));
}

static pair rotate_left(struct rebuild *r, pair a, struct ir_value *n) {
    struct ir_value *big = rebuild_opi(r, IR_I32_AND, n, 32);
    pair x = select_pair(r, big, make(a.hi, a.lo), a);
    return make(rebuild_op(r, IR_I32_OR, rebuild_op(r, IR_I32_SHL, x.lo, n), spill(r, x.hi, n, true)),
                rebuild_op(r, IR_I32_OR, rebuild_op(r, IR_I32_SHL, x.hi, n), spill(r, x.lo, n, true)));
}

/* Shifts by a constant, which address arithmetic and the word accesses of legalize_narrow are full of. */
static bool constant_shift(struct rebuild *r, enum ir_op op, pair a, uint32_t n, pair *out) {
    struct ir_value *zero = rebuild_i32(r, 0);
    if (op != IR_I64_SHL && op != IR_I64_SHR_U && op != IR_I64_SHR_S)
        return false;
    enum ir_op down = op == IR_I64_SHR_S ? IR_I32_SHR_S : IR_I32_SHR_U;
    struct ir_value *fill = op == IR_I64_SHR_S ? rebuild_opi(r, IR_I32_SHR_S, a.hi, 31) : zero;
    if (n == 0)
        *out = a;
    else if (n == 32)
        *out = op == IR_I64_SHL ? make(zero, a.lo) : make(a.hi, fill);
    else if (n > 32)
        *out = op == IR_I64_SHL ? make(zero, rebuild_opi(r, IR_I32_SHL, a.lo, n - 32))
                                : make(rebuild_opi(r, down, a.hi, n - 32), fill);
    else if (op == IR_I64_SHL)
        *out = make(rebuild_opi(r, IR_I32_SHL, a.lo, n), rebuild_op(r, IR_I32_OR, rebuild_opi(r, IR_I32_SHL, a.hi, n),
                                                                    rebuild_opi(r, IR_I32_SHR_U, a.lo, 32 - n)));
    else
        *out = make(
            rebuild_op(r, IR_I32_OR, rebuild_opi(r, IR_I32_SHR_U, a.lo, n), rebuild_opi(r, IR_I32_SHL, a.hi, 32 - n)),
            rebuild_opi(r, down, a.hi, n));
    return true;
}

/* Unsigned division by restoring shift and subtract, a bit a turn (Knuth, TAOCP 2, 4.3.1): the dividend moves out of
 * `q` at the top while the quotient moves in at the bottom.  The remainder may need a 65th bit, kept in `over`.  When
 * both high words are 0, as is common, one 32-bit division does it. */
static void divide(struct rebuild *r, pair a, pair b, pair *out_quotient, pair *out_remainder) {
    static const enum ir_type four[4] = {IR_I32, IR_I32, IR_I32, IR_I32};
    struct ir_value *zero = rebuild_i32(r, 0);
    struct ir_inst *choice = ir_build_if(&r->b, rebuild_op(r, IR_I32_OR, a.hi, b.hi), four, 4);
    struct ir_builder outer = r->b;

    r->b = ir_builder_at_end(choice->regions[0]);
    r->b.wasm_offset = outer.wasm_offset;
    struct ir_value *init[5] = {rebuild_i32(r, 64), a.lo, a.hi, zero, zero};
    struct ir_inst *loop = ir_build_loop(&r->b, init, 5, four, 4);
    struct ir_builder around = r->b;
    r->b = ir_builder_at_end(loop->regions[0]);
    r->b.wasm_offset = outer.wasm_offset;
    struct ir_value **p = loop->regions[0]->params;
    pair q = make(p[1], p[2]), rem = make(p[3], p[4]);
    struct ir_value *over = rebuild_opi(r, IR_I32_SHR_U, rem.hi, 31);
    rem =
        make(rebuild_op(r, IR_I32_OR, rebuild_opi(r, IR_I32_SHL, rem.lo, 1), rebuild_opi(r, IR_I32_SHR_U, q.hi, 31)),
             rebuild_op(r, IR_I32_OR, rebuild_opi(r, IR_I32_SHL, rem.hi, 1), rebuild_opi(r, IR_I32_SHR_U, rem.lo, 31)));
    struct ir_value *fits = rebuild_op(r, IR_I32_OR, over, not_(r, less(r, rem, b, false)));
    rem = select_pair(r, fits, sub(r, rem, b), rem);
    q = make(rebuild_op(r, IR_I32_OR, rebuild_opi(r, IR_I32_SHL, q.lo, 1), fits),
             rebuild_op(r, IR_I32_OR, rebuild_opi(r, IR_I32_SHL, q.hi, 1), rebuild_opi(r, IR_I32_SHR_U, q.lo, 31)));
    struct ir_value *next[6] = {0, rebuild_opi(r, IR_I32_SUB, p[0], 1), q.lo, q.hi, rem.lo, rem.hi};
    ir_build_br_if(&r->b, next[1], loop, next + 1, 5);
    ir_build_yield(&r->b, next + 2, 4);
    r->b = around;
    struct ir_value *results[4];
    for (int k = 0; k < 4; k++)
        results[k] = &loop->results[k];
    ir_build_yield(&r->b, results, 4);

    r->b = ir_builder_at_end(choice->regions[1]);
    r->b.wasm_offset = outer.wasm_offset;
    struct ir_value *safe = rebuild_select(r, not_(r, b.lo), rebuild_i32(r, 1), b.lo);
    struct ir_value *easy[4] = {rebuild_op(r, IR_I32_DIV_U, a.lo, safe), zero, rebuild_op(r, IR_I32_REM_U, a.lo, safe),
                                zero};
    ir_build_yield(&r->b, easy, 4);

    r->b = outer;
    *out_quotient = make(&choice->results[0], &choice->results[1]);
    *out_remainder = make(&choice->results[2], &choice->results[3]);
}

static pair negate_if(struct rebuild *r, struct ir_value *mask, pair a) {
    pair m = make(mask, mask);
    return sub(r, bitwise(r, IR_I32_XOR, a, m), m);
}

static pair divide_signed(struct rebuild *r, pair a, pair b, bool remainder) {
    struct ir_value *sa = rebuild_opi(r, IR_I32_SHR_S, a.hi, 31), *sb = rebuild_opi(r, IR_I32_SHR_S, b.hi, 31);
    pair q, rem;
    divide(r, negate_if(r, sa, a), negate_if(r, sb, b), &q, &rem);
    return remainder ? negate_if(r, sa, rem) : negate_if(r, rebuild_op(r, IR_I32_XOR, sa, sb), q);
}

static bool lower_compare(struct rebuild *r, struct ir_inst *i) {
    pair a = operand(r, i, 0), b = operand(r, i, 1);
    struct ir_value *v;
    switch (i->op) {
    case IR_I64_EQ:
        v = equal(r, a, b);
        break;
    case IR_I64_NE:
        v = not_(r, equal(r, a, b));
        break;
    case IR_I64_LT_S:
    case IR_I64_LT_U:
        v = less(r, a, b, i->op == IR_I64_LT_S);
        break;
    case IR_I64_GT_S:
    case IR_I64_GT_U:
        v = less(r, b, a, i->op == IR_I64_GT_S);
        break;
    case IR_I64_LE_S:
    case IR_I64_LE_U:
        v = not_(r, less(r, b, a, i->op == IR_I64_LE_S));
        break;
    case IR_I64_GE_S:
    case IR_I64_GE_U:
        v = not_(r, less(r, a, b, i->op == IR_I64_GE_S));
        break;
    default:
        return false;
    }
    rebuild_set(r, i, v, 0);
    return true;
}

static bool lower_binary(struct rebuild *r, struct ir_inst *i) {
    pair a = operand(r, i, 0), b = operand(r, i, 1), v, unused;
    const union ir_bits *by = ir_const_of(i->operands[1]);
    if (by && constant_shift(r, (enum ir_op)i->op, a, by->i64 & 63, &v)) {
        rebuild_set(r, i, v.lo, v.hi);
        return true;
    }
    switch (i->op) {
    case IR_I64_ADD:
        v = add(r, a, b);
        break;
    case IR_I64_SUB:
        v = sub(r, a, b);
        break;
    case IR_I64_MUL:
        v = mul(r, a, b);
        break;
    case IR_I64_AND:
        v = bitwise(r, IR_I32_AND, a, b);
        break;
    case IR_I64_OR:
        v = bitwise(r, IR_I32_OR, a, b);
        break;
    case IR_I64_XOR:
        v = bitwise(r, IR_I32_XOR, a, b);
        break;
    case IR_I64_SHL:
        v = shift_left(r, a, b.lo);
        break;
    case IR_I64_SHR_S:
    case IR_I64_SHR_U:
        v = shift_right(r, a, b.lo, i->op == IR_I64_SHR_S);
        break;
    case IR_I64_ROTL:
        v = rotate_left(r, a, b.lo);
        break;
    case IR_I64_ROTR:
        v = rotate_left(r, a, rebuild_op(r, IR_I32_SUB, rebuild_i32(r, 0), b.lo));
        break;
    case IR_I64_DIV_U:
        divide(r, a, b, &v, &unused);
        break;
    case IR_I64_REM_U:
        divide(r, a, b, &unused, &v);
        break;
    case IR_I64_DIV_S:
    case IR_I64_REM_S:
        v = divide_signed(r, a, b, i->op == IR_I64_REM_S);
        break;
    default:
        return false;
    }
    rebuild_set(r, i, v.lo, v.hi);
    return true;
}

static bool lower_unary(struct rebuild *r, struct ir_inst *i) {
    pair a = operand(r, i, 0), v = {0};
    switch (i->op) {
    case IR_I64_EQZ:
        v.lo = not_(r, rebuild_op(r, IR_I32_OR, a.lo, a.hi));
        break;
    case IR_I32_WRAP_I64:
        v.lo = a.lo;
        break;
    case IR_I64_EXTEND_I32_U:
        v = make(a.lo, rebuild_i32(r, 0));
        break;
    case IR_I64_EXTEND_I32_S:
    case IR_I64_EXTEND32_S:
        v = make(a.lo, rebuild_opi(r, IR_I32_SHR_S, a.lo, 31));
        break;
    case IR_I64_EXTEND8_S:
    case IR_I64_EXTEND16_S:
        v.lo = rebuild_op(r, i->op == IR_I64_EXTEND8_S ? IR_I32_EXTEND8_S : IR_I32_EXTEND16_S, a.lo, 0);
        v.hi = rebuild_opi(r, IR_I32_SHR_S, v.lo, 31);
        break;
    case IR_I64_REINTERPRET_F64:
    case IR_F64_REINTERPRET_I64:
        v = a;
        break;
    default:
        return false;
    }
    rebuild_set(r, i, v.lo, v.hi);
    return true;
}

/* A helper of legalize_soft: the one on pairs of i32 is the next function. */
static bool lower_call(struct rebuild *r, struct ir_inst *i) {
    static const enum ir_type types[2] = {IR_I32, IR_I32};
    struct ir_value *args[4];
    uint32_t n = 0;
    ICE_UNLESS(i->noperands <= 2 && i->nresults == 1);
    for (uint32_t k = 0; k < i->noperands; k++) {
        pair v = operand(r, i, k);
        args[n++] = v.lo;
        if (v.hi)
            args[n++] = v.hi;
    }
    bool wide = i->results[0].type == IR_I64;
    struct ir_inst *call = ir_build(&r->b, IR_CALL, types, wide ? 2 : 1, args, n);
    call->index = i->index + 1;
    rebuild_set(r, i, &call->results[0], wide ? &call->results[1] : NULL);
    return true;
}

static bool lower_wide(struct rebuild *r, struct ir_inst *i) {
    if (i->op == IR_CALL)
        return lower_call(r, i);
    if (i->op == IR_I64_CONST || i->op == IR_F64_CONST) {
        rebuild_set(r, i, rebuild_i32(r, (uint32_t)i->bits.i64), rebuild_i32(r, (uint32_t)(i->bits.i64 >> 32)));
        return true;
    }
    if (i->op == IR_SELECT && operand(r, i, 0).hi) {
        pair v = select_pair(r, rebuild_lo(r, i, 2), operand(r, i, 0), operand(r, i, 1));
        rebuild_set(r, i, v.lo, v.hi);
        return true;
    }
    if (ir_info(i)->kind != IR_KIND_SIMPLE)
        return false;
    return i->noperands == 2 ? (operand(r, i, 0).hi && (lower_compare(r, i) || lower_binary(r, i))) : lower_unary(r, i);
}

struct ir_func *legalize_i64(struct ir_func *f) {
    return rebuild_run(f, lower_wide, true, 0);
}
