/* Identities of the fold pass.  Integer ones hold modulo 2^n.  Of floats only what works on bits is touched: x + 0 is
 * not x when x is -0, x * 1 may quiet a NaN, and a comparison cannot be inverted because of NaN. */
#include "ir/ir_effects.h"
#include "ir/ir_eval.h"
#include "ir/opt/fold_impl.h"

static bool is_int(enum ir_type t) {
    return t == IR_I32 || t == IR_I64;
}

/* Integer constants as 64 bits, i32 zero-extended. */
static bool int_const(const struct ir_value *v, uint64_t *out) {
    const union ir_bits *bits = is_int(v->type) ? ir_const_of(v) : NULL;
    if (bits)
        *out = v->type == IR_I32 ? bits->i32 : bits->i64;
    return bits != NULL;
}

static bool is_int_const(const struct ir_value *v, uint64_t want) {
    uint64_t have;
    return int_const(v, &have) && have == (v->type == IR_I32 ? (uint32_t)want : want);
}

static struct ir_value *build_int(struct ir_builder *b, enum ir_type type, uint64_t v) {
    return type == IR_I32 ? ir_build_i32(b, (uint32_t)v) : ir_build_i64(b, v);
}

static bool is_op(const struct ir_value *v, enum ir_op op) {
    return v->def && v->def->op == op;
}

/* The integer comparison that is the exact opposite, IR_OP_COUNT when `op` is none. */
static enum ir_op inverse(enum ir_op op) {
#define PAIR(T, X, Y)        \
    case IR_##T##_##X:       \
        return IR_##T##_##Y; \
    case IR_##T##_##Y:       \
        return IR_##T##_##X;
    switch (op) {
        PAIR(I32, EQ, NE)
        PAIR(I32, LT_S, GE_S)
        PAIR(I32, LT_U, GE_U)
        PAIR(I32, GT_S, LE_S)
        PAIR(I32, GT_U, LE_U)
        PAIR(I64, EQ, NE)
        PAIR(I64, LT_S, GE_S)
        PAIR(I64, LT_U, GE_U)
        PAIR(I64, GT_S, LE_S)
        PAIR(I64, GT_U, LE_U)
    default:
        return IR_OP_COUNT;
    }
#undef PAIR
}

/* The comparison with its operands exchanged; `op` itself when it is symmetric, IR_OP_COUNT when it is none. */
static enum ir_op swapped(enum ir_op op) {
#define PAIR(T, X, Y)        \
    case IR_##T##_##X:       \
        return IR_##T##_##Y; \
    case IR_##T##_##Y:       \
        return IR_##T##_##X;
    switch (op) {
        PAIR(I32, LT_S, GT_S)
        PAIR(I32, LT_U, GT_U)
        PAIR(I32, LE_S, GE_S)
        PAIR(I32, LE_U, GE_U)
        PAIR(I64, LT_S, GT_S)
        PAIR(I64, LT_U, GT_U)
        PAIR(I64, LE_S, GE_S)
        PAIR(I64, LE_U, GE_U)
        PAIR(F32, LT, GT)
        PAIR(F32, LE, GE)
        PAIR(F64, LT, GT)
        PAIR(F64, LE, GE)
    default:
        return IR_OP_COUNT;
    }
#undef PAIR
}

static bool is_float_compare(enum ir_op op) {
    return (op >= IR_F32_EQ && op <= IR_F32_GE) || (op >= IR_F64_EQ && op <= IR_F64_GE);
}

static bool is_int_compare(enum ir_op op) {
    return inverse(op) != IR_OP_COUNT;
}

static bool is_bool_within(const struct ir_value *v, unsigned depth) {
    if (!v->def || v->type != IR_I32)
        return false;
    enum ir_op op = (enum ir_op)v->def->op;
    if (op == IR_I32_EQZ || op == IR_I64_EQZ || op == IR_REF_IS_NULL || is_int_compare(op) || is_float_compare(op))
        return true;
    if (op == IR_I32_CONST)
        return v->def->bits.i32 <= 1;
    if (!depth || (op != IR_I32_AND && op != IR_I32_OR && op != IR_I32_XOR && op != IR_SELECT))
        return false;
    bool x = is_bool_within(v->def->operands[0], depth - 1), y = is_bool_within(v->def->operands[1], depth - 1);
    return op == IR_I32_AND ? x || y : x && y;
}

bool fold_is_bool(const struct ir_value *v) {
    return is_bool_within(v, 3);
}

struct ir_value *fold_condition(struct ir_value *cond, bool *negate) {
    while (cond->def && cond->type == IR_I32) {
        const struct ir_inst *d = cond->def;
        if (d->op == IR_I32_EQZ || (d->op == IR_I32_EQ && is_int_const(d->operands[1], 0)))
            *negate = !*negate;
        else if (d->op != IR_I32_NE || !is_int_const(d->operands[1], 0))
            break;
        cond = d->operands[0];
    }
    return cond;
}

struct ir_value *fold_what_is_left(struct ir_builder *b, struct ir_value *v) {
    struct ir_inst *d = v->def, *least = d && d->op == IR_I32_SUB ? d->operands[1]->def : NULL;
    if (!least || least->op != IR_SELECT)
        return NULL;
    struct ir_value *x = d->operands[0], *other = least->operands[least->operands[0] == x ? 1 : 0];
    struct ir_inst *test = least->operands[2]->def;
    if (!test || !is_int_compare(test->op) || (least->operands[0] != x && least->operands[1] != x))
        return NULL;
    /* As `x when x OP other`. */
    enum ir_op op = (enum ir_op)test->op;
    if (test->operands[0] == other && test->operands[1] == x)
        op = swapped(op);
    else if (test->operands[0] != x || test->operands[1] != other)
        return NULL;
    if (least->operands[0] != x)
        op = inverse(op);
    if (op != IR_I32_LT_U && op != IR_I32_LE_U)
        return NULL;
    return ir_build_simple(b, IR_I32_GT_U, x, other);
}

struct ir_value *fold_negate(struct ir_builder *b, struct ir_value *cond) {
    bool negate = true;
    cond = fold_condition(cond, &negate);
    if (!negate)
        return cond;
    enum ir_op opposite = cond->def ? inverse((enum ir_op)cond->def->op) : IR_OP_COUNT;
    if (opposite != IR_OP_COUNT)
        return ir_build_simple(b, opposite, cond->def->operands[0], cond->def->operands[1]);
    return ir_build_simple(b, IR_I32_EQZ, cond, NULL);
}

/* eqz of x. */
static struct ir_value *fold_eqz(struct ir_builder *b, struct ir_value *x) {
    if (!x->def)
        return NULL;
    enum ir_op op = (enum ir_op)x->def->op;
    struct ir_value *const *o = x->def->operands;
    enum ir_op opposite = inverse(op);
    if (opposite != IR_OP_COUNT)
        return ir_build_simple(b, opposite, o[0], o[1]);
    if (op == IR_I32_EQZ)
        return fold_is_bool(o[0]) ? o[0] : ir_build_simple(b, IR_I32_NE, o[0], ir_build_i32(b, 0));
    if (op == IR_I64_EQZ)
        return ir_build_simple(b, IR_I64_NE, o[0], ir_build_i64(b, 0));
    if (op == IR_I32_SUB || op == IR_I32_XOR)
        return ir_build_simple(b, IR_I32_EQ, o[0], o[1]);
    if (op == IR_I64_SUB || op == IR_I64_XOR)
        return ir_build_simple(b, IR_I64_EQ, o[0], o[1]);
    if (op == IR_I64_EXTEND_I32_U || op == IR_I64_EXTEND_I32_S)
        return ir_build_simple(b, IR_I32_EQZ, o[0], NULL);
    return NULL;
}

/* Comparisons with a constant on the right. */
static struct ir_value *fold_compare(struct ir_builder *b, enum ir_op op, struct ir_value *x, struct ir_value *y) {
    bool wide = x->type == IR_I64;
    enum ir_op eqz = wide ? IR_I64_EQZ : IR_I32_EQZ;
    uint64_t c;
    if (x == y) {
        bool same = op == IR_I32_EQ || op == IR_I32_LE_S || op == IR_I32_LE_U || op == IR_I32_GE_S ||
                    op == IR_I32_GE_U || op == IR_I64_EQ || op == IR_I64_LE_S || op == IR_I64_LE_U ||
                    op == IR_I64_GE_S || op == IR_I64_GE_U;
        return ir_build_i32(b, same);
    }
    if (!int_const(y, &c))
        return NULL;
    if (c == 0) {
        if (op == IR_I32_EQ || op == IR_I64_EQ || op == IR_I32_LE_U || op == IR_I64_LE_U)
            return ir_build_simple(b, eqz, x, NULL);
        if (op == IR_I32_NE && fold_is_bool(x))
            return x;
        if (op == IR_I32_LT_U || op == IR_I64_LT_U)
            return ir_build_i32(b, 0);
        if (op == IR_I32_GE_U || op == IR_I64_GE_U)
            return ir_build_i32(b, 1);
        if (op == IR_I32_GT_U)
            return ir_build_simple(b, IR_I32_NE, x, y);
        if (op == IR_I64_GT_U)
            return ir_build_simple(b, IR_I64_NE, x, y);
    }
    if (c == 1 && (op == IR_I32_LT_U || op == IR_I64_LT_U))
        return ir_build_simple(b, eqz, x, NULL);
    if (c == 1 && op == IR_I32_EQ && fold_is_bool(x))
        return x;
    if (c == 1 && op == IR_I32_NE && fold_is_bool(x))
        return ir_build_simple(b, IR_I32_EQZ, x, NULL);
    return NULL;
}

/* (x << c) >> c, c being the distance to the top of a byte or halfword: an extension. */
static struct ir_value *fold_shift_pair(struct ir_builder *b, enum ir_op op, struct ir_value *x, uint64_t c) {
    bool wide = x->type == IR_I64;
    uint64_t inner;
    if (!is_op(x, wide ? IR_I64_SHL : IR_I32_SHL) || !int_const(x->def->operands[1], &inner))
        return NULL;
    unsigned bits = wide ? 64 : 32;
    if ((inner & (bits - 1)) != c)
        return NULL;
    unsigned kept = bits - (unsigned)c;
    struct ir_value *from = x->def->operands[0];
    if (op == IR_I32_SHR_U || op == IR_I64_SHR_U)
        return ir_build_simple(b, wide ? IR_I64_AND : IR_I32_AND, from,
                               build_int(b, x->type, (UINT64_C(1) << kept) - 1));
    if (kept == 8)
        return ir_build_simple(b, wide ? IR_I64_EXTEND8_S : IR_I32_EXTEND8_S, from, NULL);
    if (kept == 16)
        return ir_build_simple(b, wide ? IR_I64_EXTEND16_S : IR_I32_EXTEND16_S, from, NULL);
    if (kept == 32 && wide)
        return ir_build_simple(b, IR_I64_EXTEND32_S, from, NULL);
    return NULL;
}

/* Largest value a load or extension can give, as a mask; all ones when nothing is known. */
static uint64_t known_mask(const struct ir_value *v) {
    if (!v->def)
        return UINT64_MAX;
    const struct ir_op_info *info = ir_info(v->def);
    uint64_t c;
    if (info->kind == IR_KIND_LOAD && !info->sign && info->bytes < 8)
        return (UINT64_C(1) << (8 * info->bytes)) - 1;
    if ((v->def->op == IR_I32_AND || v->def->op == IR_I64_AND) && int_const(v->def->operands[1], &c))
        return c;
    if (v->def->op == IR_I64_EXTEND_I32_U)
        return UINT32_MAX;
    if (fold_is_bool(v))
        return 1;
    return UINT64_MAX;
}

/* Shifts, and operations with 0, 1 or all ones on the right. */
static struct ir_value *fold_with_const(struct ir_builder *b, enum ir_op op, struct ir_value *x, struct ir_value *y,
                                        uint64_t c) {
    bool wide = x->type == IR_I64;
    uint64_t ones = wide ? UINT64_MAX : UINT32_MAX;
    bool power = c && !(c & (c - 1));
    switch (op) {
    case IR_I32_ADD:
    case IR_I64_ADD:
    case IR_I32_XOR:
    case IR_I64_XOR:
        return c == 0 ? x : NULL;
    case IR_I32_SUB:
    case IR_I64_SUB:
        return c == 0 ? x : ir_build_simple(b, wide ? IR_I64_ADD : IR_I32_ADD, x, build_int(b, x->type, 0 - c));
    case IR_I32_OR:
    case IR_I64_OR:
        return c == 0 ? x : c == ones ? y : NULL;
    case IR_I32_AND:
    case IR_I64_AND:
        return c == 0 ? y : (known_mask(x) & ones & ~c) == 0 ? x : NULL;
    case IR_I32_MUL:
    case IR_I64_MUL:
        return c == 0 ? y : c == 1 ? x : NULL;
    case IR_I32_SHL:
    case IR_I64_SHL:
    case IR_I32_SHR_U:
    case IR_I64_SHR_U:
    case IR_I32_SHR_S:
    case IR_I64_SHR_S:
        c &= wide ? 63 : 31;
        if (c == 0)
            return x;
        return op == IR_I32_SHL || op == IR_I64_SHL ? NULL : fold_shift_pair(b, op, x, c);
    case IR_I32_ROTL:
    case IR_I64_ROTL:
    case IR_I32_ROTR:
    case IR_I64_ROTR:
        return (c & (wide ? 63 : 31)) == 0 ? x : NULL;
    case IR_I32_DIV_U:
    case IR_I64_DIV_U:
        if (c == 1)
            return x;
        return power ? ir_build_simple(b, wide ? IR_I64_SHR_U : IR_I32_SHR_U, x,
                                       build_int(b, x->type, (uint64_t)__builtin_ctzll(c)))
                     : NULL;
    case IR_I32_REM_U:
    case IR_I64_REM_U:
        return power ? ir_build_simple(b, wide ? IR_I64_AND : IR_I32_AND, x, build_int(b, x->type, c - 1)) : NULL;
    case IR_I32_DIV_S:
    case IR_I64_DIV_S:
        return c == 1 ? x : NULL;
    case IR_I32_REM_S:
    case IR_I64_REM_S:
        return c == 1 || c == ones ? build_int(b, x->type, 0) : NULL;
    default:
        return NULL;
    }
}

static struct ir_value *fold_same_operands(struct ir_builder *b, enum ir_op op, struct ir_value *x) {
    switch (op) {
    case IR_I32_SUB:
    case IR_I64_SUB:
    case IR_I32_XOR:
    case IR_I64_XOR:
        return build_int(b, x->type, 0);
    case IR_I32_AND:
    case IR_I64_AND:
    case IR_I32_OR:
    case IR_I64_OR:
        return x;
    default:
        return NULL;
    }
}

/* (x op c1) op c2 -> x op (c1 op c2). */
static struct ir_value *fold_associate(struct ir_builder *b, const struct ir_inst *i) {
    struct ir_value *x = i->operands[0], *y = i->operands[1];
    if (!ir_has_flag(i, IR_FLAG_ASSOC) || !ir_const_of(y) || !is_op(x, (enum ir_op)i->op) ||
        !ir_const_of(x->def->operands[1]))
        return NULL;
    union ir_bits operands[2] = {*ir_const_of(x->def->operands[1]), *ir_const_of(y)}, both;
    ir_eval_simple((enum ir_op)i->op, operands, &both);
    return ir_build_simple(b, (enum ir_op)i->op, x->def->operands[0], ir_build_const(b, y->type, both));
}

static struct ir_value *fold_unary(struct ir_builder *b, enum ir_op op, struct ir_value *x) {
    switch (op) {
    case IR_I32_EQZ:
    case IR_I64_EQZ:
        return fold_eqz(b, x);
    case IR_I32_WRAP_I64:
        if (is_op(x, IR_I64_EXTEND_I32_S) || is_op(x, IR_I64_EXTEND_I32_U))
            return x->def->operands[0];
        return NULL;
    case IR_F32_NEG:
    case IR_F64_NEG:
        return is_op(x, op) ? x->def->operands[0] : NULL;
    case IR_F32_ABS:
        if (is_op(x, IR_F32_NEG))
            return ir_build_simple(b, op, x->def->operands[0], NULL);
        return is_op(x, op) ? x : NULL;
    case IR_F64_ABS:
        if (is_op(x, IR_F64_NEG))
            return ir_build_simple(b, op, x->def->operands[0], NULL);
        return is_op(x, op) ? x : NULL;
    case IR_I32_REINTERPRET_F32:
        return is_op(x, IR_F32_REINTERPRET_I32) ? x->def->operands[0] : NULL;
    case IR_F32_REINTERPRET_I32:
        return is_op(x, IR_I32_REINTERPRET_F32) ? x->def->operands[0] : NULL;
    case IR_I64_REINTERPRET_F64:
        return is_op(x, IR_F64_REINTERPRET_I64) ? x->def->operands[0] : NULL;
    case IR_F64_REINTERPRET_I64:
        return is_op(x, IR_I64_REINTERPRET_F64) ? x->def->operands[0] : NULL;
    case IR_I32_EXTEND8_S:
    case IR_I32_EXTEND16_S:
    case IR_I64_EXTEND8_S:
    case IR_I64_EXTEND16_S:
    case IR_I64_EXTEND32_S:
        return is_op(x, op) ? x : NULL;
    default:
        return NULL;
    }
}

static struct ir_value *fold_select(struct ir_builder *b, struct ir_inst *i, bool *changed) {
    struct ir_value *t = i->operands[0], *f = i->operands[1], *cond = i->operands[2];
    const union ir_bits *c = ir_const_of(cond);
    if (c)
        return c->i32 ? t : f;
    if (t == f)
        return t;
    bool negate = false;
    struct ir_value *plain = fold_condition(cond, &negate);
    if (plain != cond) {
        i->operands[0] = negate ? f : t;
        i->operands[1] = negate ? t : f;
        i->operands[2] = plain;
        *changed = true;
        t = i->operands[0];
        f = i->operands[1];
        cond = plain;
    }
    if (is_int_const(t, 1) && is_int_const(f, 0) && t->type == IR_I32)
        return fold_is_bool(cond) ? cond : ir_build_simple(b, IR_I32_NE, cond, ir_build_i32(b, 0));
    if (is_int_const(t, 0) && is_int_const(f, 1) && t->type == IR_I32)
        return ir_build_simple(b, IR_I32_EQZ, cond, NULL);
    return NULL;
}

/* Bytes of one vector only: the other is any, and compilers name one that happens to be at hand, which would tie
 * values together that have nothing to do with each other. */
static bool fold_shuffle(struct ir_inst *i) {
    bool first = true, second = true;
    for (unsigned k = 0; k < 16; k++) {
        first &= i->bits.v128[k] < 16;
        second &= i->bits.v128[k] >= 16;
    }
    if (i->operands[0] == i->operands[1] ? first : !first && !second)
        return false;
    struct ir_value *only = i->operands[second ? 1 : 0];
    i->operands[0] = i->operands[1] = only;
    for (unsigned k = 0; k < 16; k++)
        i->bits.v128[k] &= 15;
    return true;
}

struct ir_value *fold_algebra(struct ir_builder *b, struct ir_inst *i, bool *changed) {
    enum ir_op op = (enum ir_op)i->op;
    if (op == IR_SELECT)
        return fold_select(b, i, changed);
    if (i->noperands == 1)
        return fold_unary(b, op, i->operands[0]);
    if (i->noperands != 2)
        return NULL;
    if (op == IR_I8X16_SHUFFLE) {
        *changed = fold_shuffle(i);
        return NULL;
    }
    struct ir_value *x = i->operands[0], *y = i->operands[1];
    /* Constants go to the right, so that every other rule looks there only. */
    enum ir_op mirror = ir_has_flag(i, IR_FLAG_COMMUTES) ? op : swapped(op);
    if (ir_const_of(x) && !ir_const_of(y) && mirror != IR_OP_COUNT) {
        i->op = (uint16_t)mirror;
        i->operands[0] = y;
        i->operands[1] = x;
        *changed = true;
        op = mirror;
        x = i->operands[0];
        y = i->operands[1];
    }
    if (is_int_compare(op))
        return fold_compare(b, op, x, y);
    struct ir_value *v = x == y ? fold_same_operands(b, op, x) : NULL;
    uint64_t c;
    if (!v && int_const(y, &c))
        v = fold_with_const(b, op, x, y, c);
    return v ? v : fold_associate(b, i);
}
