/* Views of v128 values; see lanes.h. */
#include "ir/offload/lanes.h"

#include <string.h>

#include "ir/util/ice.h"

struct lanes {
    bool known, constant, uniform; /* uniform: all lanes of the natural shape are the same value */
    enum lane_shape natural;
    struct ir_value **view[LANE_SHAPES]; /* NULL, or an array with NULL for lanes nobody asked for */
    struct ir_value **truth;             /* of each natural lane, when they are masks */
    union ir_bits bits;
    struct ir_region *region; /* new views come behind `after`, or first in the region */
    struct ir_inst *after;
};

struct lanes_cx {
    struct arena *arena;
    struct lanes *values; /* by value id of the old function */
    bool memory_lanes;
};

unsigned lanes_count(enum lane_shape s) {
    return 16 / lanes_bytes(s);
}

unsigned lanes_bytes(enum lane_shape s) {
    static const uint8_t bytes[LANE_SHAPES] = {4, 4, 8, 8, 2, 2, 2, 1, 1, 1};
    return bytes[s];
}

enum ir_type lanes_type(enum lane_shape s) {
    static const enum ir_type types[LANE_SHAPES] = {IR_I32, IR_F32, IR_I64, IR_F64, IR_I32,
                                                    IR_I32, IR_I32, IR_I32, IR_I32, IR_I32};
    return types[s];
}

struct lanes_cx *lanes_new(struct arena *a, uint32_t nvalues, bool memory_lanes) {
    struct lanes_cx *cx = arena_new(a, struct lanes_cx);
    cx->arena = a;
    cx->values = arena_array(a, struct lanes, nvalues + 1);
    cx->memory_lanes = memory_lanes;
    return cx;
}

static const struct lanes_cx *lanes_of_step(const struct rebuild *r) {
    return *(struct lanes_cx *const *)r->user;
}

bool lanes_of_memory(const struct rebuild *r) {
    return lanes_of_step(r)->memory_lanes;
}

static struct lanes *lanes_of(const struct rebuild *r, const struct ir_value *v) {
    const struct lanes_cx *cx = lanes_of_step(r);
    struct lanes *x = &cx->values[v->id];
    ICE_UNLESS(v->type == IR_V128 && x->known);
    return x;
}

static struct ir_value **view_of(struct rebuild *r, struct lanes *x, enum lane_shape s) {
    const struct lanes_cx *cx = lanes_of_step(r);
    if (!x->view[s])
        x->view[s] = arena_array(cx->arena, struct ir_value *, lanes_count(s));
    return x->view[s];
}

static struct lanes *enter(struct rebuild *r, const struct ir_value *v, struct ir_region *region,
                           struct ir_inst *after) {
    const struct lanes_cx *cx = lanes_of_step(r);
    struct lanes *x = &cx->values[v->id];
    ICE_UNLESS(v->type == IR_V128 && !x->known);
    *x = (struct lanes){.known = true, .region = region, .after = after};
    return x;
}

static void set_at(struct rebuild *r, const struct ir_value *v, enum lane_shape s, struct ir_value *const *lane,
                   struct ir_region *region, struct ir_inst *after) {
    struct lanes *x = enter(r, v, region, after);
    x->natural = s;
    x->uniform = true;
    for (unsigned k = 0; k < lanes_count(s); k++) {
        ICE_UNLESS(lane[k] && lane[k]->type == lanes_type(s));
        x->uniform &= lane[k] == lane[0];
    }
    memcpy(view_of(r, x, s), lane, lanes_count(s) * sizeof *lane);
}

void lanes_set(struct rebuild *r, const struct ir_value *v, enum lane_shape s, struct ir_value *const *lane) {
    set_at(r, v, s, lane, r->b.region, r->b.region->last);
}

void lanes_set_param(struct rebuild *r, const struct ir_value *v, enum lane_shape s, struct ir_value *const *lane,
                     struct ir_region *region) {
    set_at(r, v, s, lane, region, NULL);
}

void lanes_set_const(struct rebuild *r, const struct ir_value *v, union ir_bits bits) {
    struct lanes *x = enter(r, v, r->b.region, r->b.region->last);
    x->constant = true;
    x->bits = bits;
}

void lanes_set_truth(struct rebuild *r, const struct ir_value *v, enum lane_shape s, struct ir_value *const *truth) {
    const struct lanes_cx *cx = lanes_of_step(r);
    struct lanes *x = lanes_of(r, v);
    ICE_UNLESS(x->natural == s && !x->constant);
    x->truth = arena_array(cx->arena, struct ir_value *, lanes_count(s));
    memcpy(x->truth, truth, lanes_count(s) * sizeof *truth);
}

struct ir_value *lanes_truth(const struct rebuild *r, const struct ir_value *v, enum lane_shape s, unsigned lane) {
    const struct lanes *x = lanes_of(r, v);
    return x->truth && lanes_bytes(s) == lanes_bytes(x->natural) ? x->truth[lane] : NULL;
}

enum lane_shape lanes_natural(const struct rebuild *r, const struct ir_value *v) {
    return lanes_of(r, v)->natural;
}

const union ir_bits *lanes_const(const struct rebuild *r, const struct ir_value *v) {
    const struct lanes *x = lanes_of(r, v);
    return x->constant ? &x->bits : NULL;
}

bool lanes_has(const struct rebuild *r, const struct ir_value *v, enum lane_shape s) {
    const struct lanes *x = lanes_of(r, v);
    return x->constant || lanes_bytes(x->natural) == lanes_bytes(s);
}

/* ---- one lane from the natural shape ---- */

static struct ir_value *const_lane(struct rebuild *r, const union ir_bits *bits, enum lane_shape s, unsigned k) {
    union ir_bits v = {0};
    switch (s) {
    case LANES_W:
    case LANES_F:
        v.i32 = bits->u32x4[k];
        break;
    case LANES_L:
    case LANES_D:
        v.i64 = bits->u64x2[k];
        break;
    case LANES_HX:
    case LANES_HU:
        v.i32 = bits->u16x8[k];
        break;
    case LANES_HS:
        v.i32 = (uint32_t)(int32_t)bits->s16x8[k];
        break;
    case LANES_BX:
    case LANES_BU:
        v.i32 = bits->u8x16[k];
        break;
    default:
        v.i32 = (uint32_t)(int32_t)bits->s8x16[k];
        break;
    }
    return ir_build_const(&r->b, lanes_type(s), v);
}

static struct ir_value *shifted_left(struct rebuild *r, struct ir_value *v, uint32_t n) {
    return n ? rebuild_opi(r, IR_I32_SHL, v, n) : v;
}

static struct ir_value *shifted_right(struct rebuild *r, struct ir_value *v, uint32_t n) {
    return n ? rebuild_opi(r, IR_I32_SHR_U, v, n) : v;
}

static struct ir_value *either(struct rebuild *r, struct ir_value *a, struct ir_value *b) {
    return rebuild_op(r, IR_I32_OR, a, b);
}

/* Word k of narrow lanes. */
static struct ir_value *pack_word(struct rebuild *r, const struct ir_value *v, bool bytes, unsigned k) {
    if (!bytes) {
        struct ir_value *low = lanes_get(r, v, LANES_HU, 2 * k);
        return either(r, low, shifted_left(r, lanes_get(r, v, LANES_HX, 2 * k + 1), 16));
    }
    struct ir_value *low = lanes_get(r, v, LANES_BU, 4 * k);
    low = either(r, low, shifted_left(r, lanes_get(r, v, LANES_BU, 4 * k + 1), 8));
    low = either(r, low, shifted_left(r, lanes_get(r, v, LANES_BU, 4 * k + 2), 16));
    return either(r, low, shifted_left(r, lanes_get(r, v, LANES_BX, 4 * k + 3), 24));
}

static struct ir_value *make_word(struct rebuild *r, const struct ir_value *v, enum lane_shape natural, unsigned k) {
    switch (natural) {
    case LANES_F:
        return rebuild_op(r, IR_I32_REINTERPRET_F32, lanes_get(r, v, LANES_F, k), NULL);
    case LANES_L:
    case LANES_D: {
        struct ir_value *l = lanes_get(r, v, LANES_L, k / 2);
        return rebuild_op(r, IR_I32_WRAP_I64, k % 2 ? rebuild_op64i(r, IR_I64_SHR_U, l, 32) : l, NULL);
    }
    default:
        return pack_word(r, v, lanes_bytes(natural) == 1, k);
    }
}

static struct ir_value *make_long(struct rebuild *r, const struct ir_value *v, enum lane_shape natural, unsigned k) {
    if (natural == LANES_D)
        return rebuild_op(r, IR_I64_REINTERPRET_F64, lanes_get(r, v, LANES_D, k), NULL);
    struct ir_value *lo = rebuild_op(r, IR_I64_EXTEND_I32_U, lanes_get(r, v, LANES_W, 2 * k), NULL);
    struct ir_value *hi = rebuild_op(r, IR_I64_EXTEND_I32_U, lanes_get(r, v, LANES_W, 2 * k + 1), NULL);
    return rebuild_op(r, IR_I64_OR, lo, rebuild_op64i(r, IR_I64_SHL, hi, 32));
}

static struct ir_value *make_half(struct rebuild *r, const struct ir_value *v, enum lane_shape natural,
                                  enum lane_shape s, unsigned k) {
    if (lanes_bytes(natural) == 2) { /* in another form */
        struct ir_value *x = lanes_get(r, v, natural, k);
        return s == LANES_HX   ? x
               : s == LANES_HU ? rebuild_opi(r, IR_I32_AND, x, 0xffff)
                               : rebuild_op(r, IR_I32_EXTEND16_S, x, NULL);
    }
    if (lanes_bytes(natural) == 1) {
        enum lane_shape top = s == LANES_HX ? LANES_BX : s == LANES_HU ? LANES_BU : LANES_BS;
        return either(r, lanes_get(r, v, LANES_BU, 2 * k), shifted_left(r, lanes_get(r, v, top, 2 * k + 1), 8));
    }
    struct ir_value *w = lanes_get(r, v, LANES_W, k / 2);
    if (k % 2)
        return rebuild_opi(r, s == LANES_HS ? IR_I32_SHR_S : IR_I32_SHR_U, w, 16);
    return s == LANES_HX   ? w
           : s == LANES_HU ? rebuild_opi(r, IR_I32_AND, w, 0xffff)
                           : rebuild_op(r, IR_I32_EXTEND16_S, w, NULL);
}

static struct ir_value *make_byte(struct rebuild *r, const struct ir_value *v, enum lane_shape natural,
                                  enum lane_shape s, unsigned k) {
    struct ir_value *x;
    if (lanes_bytes(natural) == 1) {
        x = lanes_get(r, v, natural, k);
    } else if (lanes_bytes(natural) == 2) {
        if (k % 2 && s != LANES_BX)
            return rebuild_opi(r, s == LANES_BS ? IR_I32_SHR_S : IR_I32_SHR_U,
                               lanes_get(r, v, s == LANES_BS ? LANES_HS : LANES_HU, k / 2), 8);
        x = shifted_right(r, lanes_get(r, v, LANES_HX, k / 2), k % 2 * 8);
    } else {
        struct ir_value *w = lanes_get(r, v, LANES_W, k / 4);
        if (k % 4 == 3)
            return rebuild_opi(r, s == LANES_BS ? IR_I32_SHR_S : IR_I32_SHR_U, w, 24);
        x = shifted_right(r, w, k % 4 * 8);
    }
    return s == LANES_BX   ? x
           : s == LANES_BU ? rebuild_opi(r, IR_I32_AND, x, 0xff)
                           : rebuild_op(r, IR_I32_EXTEND8_S, x, NULL);
}

static struct ir_value *make_lane(struct rebuild *r, const struct ir_value *v, const struct lanes *x, enum lane_shape s,
                                  unsigned k) {
    if (x->constant)
        return const_lane(r, &x->bits, s, k);
    switch (s) {
    case LANES_W:
        return make_word(r, v, x->natural, k);
    case LANES_F:
        return rebuild_op(r, IR_F32_REINTERPRET_I32, lanes_get(r, v, LANES_W, k), NULL);
    case LANES_L:
        return make_long(r, v, x->natural, k);
    case LANES_D:
        return rebuild_op(r, IR_F64_REINTERPRET_I64, lanes_get(r, v, LANES_L, k), NULL);
    case LANES_HX:
    case LANES_HU:
    case LANES_HS:
        return make_half(r, v, x->natural, s, k);
    default:
        return make_byte(r, v, x->natural, s, k);
    }
}

struct ir_value *lanes_get(struct rebuild *r, const struct ir_value *v, enum lane_shape s, unsigned k) {
    struct lanes *x = lanes_of(r, v);
    struct ir_value **view = view_of(r, x, s);
    ICE_UNLESS(k < lanes_count(s));
    if (!x->constant && x->uniform && lanes_bytes(s) >= lanes_bytes(x->natural))
        k = 0;
    if (view[k])
        return view[k];
    struct ir_builder outer = r->b;
    r->b.region = x->region;
    r->b.before = x->after ? x->after->next : x->region->first;
    r->b.wasm_offset = x->after ? x->after->wasm_offset : outer.wasm_offset;
    view[k] = make_lane(r, v, x, s, k);
    x->after = r->b.before ? r->b.before->prev : r->b.region->last;
    r->b = outer;
    return view[k];
}
