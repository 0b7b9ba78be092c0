/* The library of helpers and the calls of it; see legalize_soft.h. */
#include "ir/offload/legalize_soft.h"

#include <stdio.h>

#include "ir/offload/legalize.h"
#include "ir/offload/rebuild.h"
#include "ir/offload/soft_float.h"
#include "ir/opt/pass.h"
#include "ir/util/ice.h"

typedef struct ir_value *val;

enum { MAGNITUDE = 0x7fffffff };

/* The integer type that holds the bits of a value. */
static enum ir_type bits_type(enum ir_type t) {
    return t == IR_F64 || t == IR_I64 ? IR_I64 : IR_I32;
}

/* ---- bodies of helpers ---- */

/* f32 add, sub or mul by the device where that is as good, see legalize_soft.h. */
static val guarded(struct rebuild *r, enum ir_op op, val a, val b) {
    val x = rebuild_from_bits(r, IR_F32, a), y = rebuild_from_bits(r, IR_F32, b);
    val device = rebuild_op(r, IR_I32_REINTERPRET_F32, rebuild_op(r, op, x, y), NULL);
    bool product = op == IR_F32_MUL;
    if (op == IR_F32_SUB)
        b = rebuild_opi(r, IR_I32_XOR, b, UINT32_C(1) << 31);
    val ma = rebuild_opi(r, IR_I32_AND, a, MAGNITUDE), mb = rebuild_opi(r, IR_I32_AND, b, MAGNITUDE);
    const uint32_t least = product ? 2 : 30; /* biased exponents of 2^-125 and 2^-97 */
    val exponent = rebuild_opi(r, IR_I32_AND, rebuild_opi(r, IR_I32_SHR_U, device, 23), 255);
    val good = rebuild_opi(r, IR_I32_LT_U, rebuild_opi(r, IR_I32_SUB, exponent, least), 255 - least);
    val zero, sign;
    if (product) {
        /* 0 * infinity and 0 * NaN give no zero; `ma | mb` is the other operand's magnitude */
        zero = rebuild_op(r, IR_I32_OR, rebuild_op(r, IR_I32_EQZ, ma, NULL), rebuild_op(r, IR_I32_EQZ, mb, NULL));
        val other = rebuild_op(r, IR_I32_OR, ma, mb);
        zero = rebuild_op(r, IR_I32_AND, zero, rebuild_opi(r, IR_I32_LT_U, other, 0x7f800000));
        sign = rebuild_op(r, IR_I32_XOR, a, b);
    } else {
        val none = rebuild_op(r, IR_I32_EQZ, rebuild_op(r, IR_I32_OR, ma, mb), NULL);
        val opposite = rebuild_opi(r, IR_I32_EQ, rebuild_op(r, IR_I32_XOR, a, b), UINT32_C(1) << 31);
        opposite = rebuild_op(r, IR_I32_AND, opposite, rebuild_opi(r, IR_I32_LT_U, ma, 0x7f800000));
        zero = rebuild_op(r, IR_I32_OR, none, opposite);
        sign = rebuild_op(r, IR_I32_AND, a, b);
    }
    sign = rebuild_opi(r, IR_I32_AND, sign, UINT32_C(1) << 31);

    const enum ir_type type = IR_I32;
    struct ir_inst *choice = ir_build_if(&r->b, rebuild_op(r, IR_I32_OR, good, zero), &type, 1);
    struct ir_builder outer = r->b;
    r->b = ir_builder_at_end(choice->regions[0]);
    val v = rebuild_select(r, zero, sign, device);
    ir_build_yield(&r->b, &v, 1);
    r->b = ir_builder_at_end(choice->regions[1]);
    v = product ? soft_mul(r, false, a, b) : soft_add(r, false, a, b);
    ir_build_yield(&r->b, &v, 1);
    r->b = outer;
    return &choice->results[0];
}

static val helper_body(struct rebuild *r, enum ir_op op, val a, val b) {
    switch (op) {
    case IR_F32_ADD:
    case IR_F32_SUB:
    case IR_F32_MUL:
        return guarded(r, op, a, b);
    case IR_F64_ADD:
        return soft_add(r, true, a, b);
    case IR_F64_SUB:
        return soft_sub(r, true, a, b);
    case IR_F64_MUL:
        return soft_mul(r, true, a, b);
    case IR_F64_DIV:
        return soft_div(r, a, b);
    case IR_F64_SQRT:
        return soft_sqrt(r, a);
    default: { /* legalize_arith knows it */
        const struct ir_op_info *info = &ir_op_info[op];
        val x = rebuild_from_bits(r, (enum ir_type)info->operand_types[0], a);
        val y = b ? rebuild_from_bits(r, (enum ir_type)info->operand_types[1], b) : NULL;
        return rebuild_to_bits(r, rebuild_op(r, op, x, y));
    }
    }
}

/* ---- the library ---- */

static void simplify(struct ir_func *f) {
    struct pass_ctx cx = {.module = f->module};
    opt_simplify(f, &cx);
    arena_free(&cx.scratch);
}

static void make_helpers(struct ir_module *library, enum ir_op op) {
    const struct ir_op_info *info = &ir_op_info[op];
    char name[64];
    int n = snprintf(name, sizeof name, "soft_%s", info->text);
    ICE_UNLESS(n > 0 && (size_t)n < sizeof name);
    for (char *c = name; *c; c++)
        if (*c == '.')
            *c = '_';
    enum ir_type params[2], result = bits_type((enum ir_type)info->result);
    for (uint32_t k = 0; k < info->operands; k++)
        params[k] = bits_type((enum ir_type)info->operand_types[k]);
    struct ir_sig sig = {.nparams = info->operands, .nresults = 1, .params = params, .results = &result};
    struct ir_func *f = ir_func_new(library, name, &sig);
    struct rebuild r = {.dst = f, .b = ir_builder_at_end(f->body)};
    val v = helper_body(&r, op, f->body->params[0], info->operands > 1 ? f->body->params[1] : NULL);
    ir_build_return(&r.b, &v, 1);

    struct ir_func *native = legalize_arith(f, true);
    ir_func_free(f);
    simplify(native);
    struct ir_func *split = legalize_i64(native);
    simplify(split);
    native->index = 2 * (uint32_t)op;
    split->index = 2 * (uint32_t)op + 1;
    library->funcs[native->index].func = native;
    library->funcs[split->index].func = split;
}

struct ir_module *soft_library_new(const struct ir_module *m) {
    struct ir_module *library = ir_module_new();
    library->nfuncs = 2 * IR_OP_COUNT;
    library->funcs = arena_array(&library->arena, struct ir_func_entry, library->nfuncs);
    library->memories = m->memories;
    library->nmemories = m->nmemories;
    library->fp = m->fp;
    return library;
}

void soft_library_free(struct ir_module *library) {
    ir_module_free(library);
}

/* ---- calls ---- */

static bool wants_helper(const struct ir_inst *i, unsigned what) {
    if (ir_info(i)->kind != IR_KIND_SIMPLE)
        return false;
    enum ir_op op = (enum ir_op)i->op;
    if (op == IR_F32_ADD || op == IR_F32_SUB || op == IR_F32_MUL)
        return (what & SOFT_SUBNORMALS) != 0;
    if (!(what & SOFT_F64) || ir_has_flag(i, IR_FLAG_BITWISE) || op == IR_I64_REINTERPRET_F64 ||
        op == IR_F64_REINTERPRET_I64)
        return false;
    bool f64 = ir_info(i)->result == IR_F64;
    for (uint32_t k = 0; k < i->noperands; k++)
        f64 |= i->operands[k]->type == IR_F64;
    return f64;
}

static bool call_helper(struct rebuild *r, struct ir_inst *i) {
    if (!wants_helper(i, r->flags))
        return false;
    struct ir_module *library = r->dst->module;
    uint32_t index = 2 * (uint32_t)i->op;
    if (!library->funcs[index].func)
        make_helpers(library, (enum ir_op)i->op);
    val operands[2];
    for (uint32_t k = 0; k < i->noperands; k++)
        operands[k] = rebuild_to_bits(r, rebuild_lo(r, i, k));
    enum ir_type result = bits_type((enum ir_type)ir_info(i)->result);
    struct ir_inst *call = ir_build(&r->b, IR_CALL, &result, 1, operands, i->noperands);
    call->index = index;
    rebuild_set(r, i, rebuild_from_bits(r, (enum ir_type)ir_info(i)->result, &call->results[0]), NULL);
    return true;
}

struct ir_func *legalize_soft(struct ir_func *f, struct ir_module *library, unsigned what) {
    return rebuild_run_in(library, f, call_helper, false, what);
}
