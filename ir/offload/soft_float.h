/* IEEE 754 arithmetic built from integer operations, for devices that have none of that width or an inexact one; a part
 * of legalize_soft. */
#ifndef WASMETAL_IR_OFFLOAD_SOFT_FLOAT_H
#define WASMETAL_IR_OFFLOAD_SOFT_FLOAT_H

#include "ir/offload/rebuild.h"

/* All take and give the bits of floats: i64 for binary64 (`wide`), i32 for binary32.  Rounding is to nearest, ties to
 * even; subnormals are kept; a NaN result is the canonical NaN. */
struct ir_value *soft_add(struct rebuild *r, bool wide, struct ir_value *a, struct ir_value *b);
struct ir_value *soft_sub(struct rebuild *r, bool wide, struct ir_value *a, struct ir_value *b);
struct ir_value *soft_mul(struct rebuild *r, bool wide, struct ir_value *a, struct ir_value *b);
/* binary64 only: f32 has legalize_divide */
struct ir_value *soft_div(struct rebuild *r, struct ir_value *a, struct ir_value *b);
struct ir_value *soft_sqrt(struct rebuild *r, struct ir_value *a);

#endif
