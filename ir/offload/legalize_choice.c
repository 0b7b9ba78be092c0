/* Hides chosen constants; see legalize_choice.h.
 *
 * Two compilers were seen to get a choice between two constants wrong (tests/unit/kernel_gpu.c tries all pairs):
 *
 *     Mesa 25.0.7 (its NIR, so all its drivers)      select(c, -1.0, 0.0)    gives -0.0 for 0.0,
 *                                                    select(c, 1.0, -0.0)    gives 0.0 for -0.0, in f32 and f64:
 *                                                    it makes -float(c) and float(c) of them, as if zeros were equal
 *     NVIDIA 580.159                                 if (c) -1 else 0x3f800000 (1.0f), on 32-bit integers, through a
 *                                                    variable: gives -1 always; so do halves of 64-bit numbers
 *
 * It does not matter whether the values are floats or integers with the same bits.  All have 1.0 or -1.0 on one side,
 * so where one of these is chosen it is combined with a 0 that no compiler knows to be 0:
 *
 *     %r = select %c, 0xbf800000, 0      %q = i32.mul %x, %x
 *                                        %z = (%q & %q >> 2) & 1       squares are 0, 1 or 4 modulo 8
 *                                        %r = select %c, (i32.xor 0xbf800000, %z), 0
 *
 * Choices known to come out right (1.0 or 0.0, two ordinary constants) stay as they are.
 */
#include "ir/offload/legalize_choice.h"

#include "ir/ir_build.h"
#include "ir/util/ice.h"

enum { HIDDEN_KINDS = 16 };

struct hider {
    struct ir_func *f;
    struct ir_builder b; /* at the start of the body */
    struct ir_value *zero[2];
    /* What stands for a constant, one entry for each that was met. */
    struct {
        enum ir_type type;
        uint64_t bits;
        struct ir_value *hidden;
    } made[HIDDEN_KINDS];
    uint32_t nmade;
};

static bool is_wide(enum ir_type t) {
    return t == IR_I64 || t == IR_F64;
}

static bool is_one(uint32_t v) {
    return (v & 0x7fffffff) == 0x3f800000;
}

static uint64_t bits_of(const struct ir_value *v) {
    return is_wide(v->type) ? ir_const_of(v)->i64 : ir_const_of(v)->i32;
}

/* 1.0 or -1.0, or a number whose halves are that as f32: some devices split it. */
static bool is_trouble(const struct ir_value *v) {
    if (!ir_const_of(v) || v->type > IR_F64)
        return false;
    uint64_t bits = bits_of(v);
    if (!is_wide(v->type))
        return is_one((uint32_t)bits);
    return is_one((uint32_t)bits) || is_one((uint32_t)(bits >> 32)) || bits << 1 == UINT64_C(0x3ff0000000000000) << 1;
}

/* Whether a select between the two comes out right on every device that we know. */
static bool is_harmless_pair(const struct ir_value *one, const struct ir_value *other) {
    if (is_wide(one->type) || !ir_const_of(other))
        return false;
    uint32_t sign = (uint32_t)bits_of(one) & 0x80000000, v = (uint32_t)bits_of(other);
    return v == sign || (v != 0 && v != 0x80000000 && v != 0xffffffff);
}

static struct ir_value *unknown_zero(struct hider *h, bool wide) {
    struct ir_builder *b = &h->b;
    if (!h->zero[0]) {
        struct ir_value *x = NULL;
        for (uint32_t k = 0; k < h->f->body->nparams && !x; k++)
            if (h->f->body->params[k]->type == IR_I32)
                x = h->f->body->params[k];
        if (!x)
            return NULL;
        struct ir_value *square = ir_build_simple(b, IR_I32_MUL, x, x);
        struct ir_value *z = ir_build_simple(b, IR_I32_SHR_U, square, ir_build_i32(b, 2));
        z = ir_build_simple(b, IR_I32_AND, z, square);
        h->zero[0] = ir_build_simple(b, IR_I32_AND, z, ir_build_i32(b, 1));
    }
    if (wide && !h->zero[1]) {
        struct ir_value *low = ir_build_simple(b, IR_I64_EXTEND_I32_U, h->zero[0], NULL);
        struct ir_value *high = ir_build_simple(b, IR_I64_SHL, low, ir_build_i64(b, 32));
        h->zero[1] = ir_build_simple(b, IR_I64_OR, high, low);
    }
    return h->zero[wide];
}

static struct ir_value *hide(struct hider *h, struct ir_value *v) {
    uint64_t bits = bits_of(v);
    for (uint32_t k = 0; k < h->nmade; k++)
        if (h->made[k].type == v->type && h->made[k].bits == bits)
            return h->made[k].hidden;
    bool wide = is_wide(v->type);
    struct ir_value *zero = unknown_zero(h, wide);
    if (!zero)
        return v;
    struct ir_builder *b = &h->b;
    struct ir_value *known = wide ? ir_build_i64(b, bits) : ir_build_i32(b, (uint32_t)bits);
    struct ir_value *hidden = ir_build_simple(b, wide ? IR_I64_XOR : IR_I32_XOR, known, zero);
    if (v->type == IR_F32 || v->type == IR_F64)
        hidden = ir_build_simple(b, wide ? IR_F64_REINTERPRET_I64 : IR_F32_REINTERPRET_I32, hidden, NULL);
    if (h->nmade < HIDDEN_KINDS) {
        h->made[h->nmade].type = v->type;
        h->made[h->nmade].bits = bits;
        h->made[h->nmade++].hidden = hidden;
    }
    return hidden;
}

/* The operands of `i` that reach a place which others reach too: from `*out_from` to before `*out_end`. */
static void find_chosen(const struct ir_inst *i, uint32_t *out_from, uint32_t *out_end) {
    *out_from = 0;
    *out_end = i->noperands;
    switch (i->op) {
    case IR_SELECT:
        *out_end = 2;
        break;
    case IR_BR_IF:
    case IR_BR_TABLE:
        *out_from = 1;
        break;
    case IR_BR:
    case IR_LOOP:
        break;
    case IR_YIELD:
        if (i->parent->parent)
            break;
        /* fallthrough */
    default:
        *out_end = 0;
    }
}

static void hide_in(struct hider *h, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        uint32_t from, end;
        find_chosen(i, &from, &end);
        for (uint32_t k = from; k < end; k++) {
            struct ir_value *v = i->operands[k];
            if (is_trouble(v) && !(i->op == IR_SELECT && is_harmless_pair(v, i->operands[1 - k])))
                i->operands[k] = hide(h, v);
        }
        for (unsigned k = 0; k < ir_nregions(i); k++)
            hide_in(h, i->regions[k]);
    }
}

void legalize_choices(struct ir_func *f) {
    struct hider h = {.f = f};
    h.b = f->body->first ? ir_builder_before(f->body->first) : ir_builder_at_end(f->body);
    hide_in(&h, f->body);
}
