/* v128 values as lanes, for the step legalize_v128 (legalize.h).
 *
 * A v128 of the input is a handful of scalars in the new function.  Which ones depends on who asks: f32x4.add wants
 * four f32, a store four words, i8x16.min_u sixteen bytes.  Each value therefore has one *natural* shape, that of the
 * operation which made it, and gets views in other shapes when some use wants them, lane by lane, right behind its
 * definition (so that a view made for an inner loop serves every other use too):
 *
 *     %c = f32x4.mul %a, %b           natural F: 4 x f32.mul
 *     %d = f32x4.add %c, %e           takes F: no packing in between
 *     v128.store %p, %d               takes W: i32.reinterpret_f32 of each lane
 *
 * Four words for everything would be simpler, but sends each chain of 8- and 16-bit operations through masks and shifts
 * and each f64x2 chain through pairs of words, which the later steps cannot undo.
 *
 * Lanes of 8 and 16 bits are i32 whose upper bits are of no account (X), zero (U) or copies of the sign (S), so that
 * additions need no mask and comparisons need none after a widening.
 */
#ifndef WASMETAL_IR_OFFLOAD_LANES_H
#define WASMETAL_IR_OFFLOAD_LANES_H

#include "ir/offload/rebuild.h"

enum lane_shape {
    LANES_W,  /* 4 x i32, 32 bits each */
    LANES_F,  /* 4 x f32 */
    LANES_L,  /* 2 x i64 */
    LANES_D,  /* 2 x f64 */
    LANES_HX, /* 8 x i32, 16 bits each */
    LANES_HU,
    LANES_HS,
    LANES_BX, /* 16 x i32, 8 bits each */
    LANES_BU,
    LANES_BS,
    LANE_SHAPES
};

enum { LANES_MAX = 16 };

unsigned lanes_count(enum lane_shape s);
unsigned lanes_bytes(enum lane_shape s); /* of one lane */
enum ir_type lanes_type(enum lane_shape s);

struct lanes_cx; /* one run of the step; the first member of what rebuild.user points to */

/* `memory_lanes`: memory is accessed lane by lane, and what is chosen from stays in its shape, as scalar code would
 * have it; otherwise both go by words. */
struct lanes_cx *lanes_new(struct arena *a, uint32_t nvalues, bool memory_lanes);
bool lanes_of_memory(const struct rebuild *r);
/* Enters value v of the old function, just built at r->b: `lane[0 .. count-1]` in shape s. */
void lanes_set(struct rebuild *r, const struct ir_value *v, enum lane_shape s, struct ir_value *const *lane);
/* The same for a parameter of `region`, which is still empty. */
void lanes_set_param(struct rebuild *r, const struct ir_value *v, enum lane_shape s, struct ir_value *const *lane,
                     struct ir_region *region);
void lanes_set_const(struct rebuild *r, const struct ir_value *v, union ir_bits bits);

struct ir_value *lanes_get(struct rebuild *r, const struct ir_value *v, enum lane_shape s, unsigned lane);
/* Whether v has the shape at no cost: its own, an equivalent one, or that of a constant. */
bool lanes_has(const struct rebuild *r, const struct ir_value *v, enum lane_shape s);
enum lane_shape lanes_natural(const struct rebuild *r, const struct ir_value *v);
/* The value of a constant, or NULL. */
const union ir_bits *lanes_const(const struct rebuild *r, const struct ir_value *v);
/* Words that are 0 or all ones, as an i32 truth value for lane `lane` of shape s; NULL when v is no such mask. */
struct ir_value *lanes_truth(const struct rebuild *r, const struct ir_value *v, enum lane_shape s, unsigned lane);
void lanes_set_truth(struct rebuild *r, const struct ir_value *v, enum lane_shape s, struct ir_value *const *truth);

#endif
