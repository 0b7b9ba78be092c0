/* The rules of legalize_v128_ops.def; see lanes.h and legalize.h. */
#ifndef WASMETAL_IR_OFFLOAD_LEGALIZE_V128_H
#define WASMETAL_IR_OFFLOAD_LEGALIZE_V128_H

#include "ir/offload/lanes.h"

struct lanes_row {
    void (*lower)(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row);
    enum lane_shape in, out; /* of v128 operands and result */
    enum ir_op op;           /* on one lane, for the rules that need one */
    int32_t a, b;            /* the rule's */
};

typedef void lanes_rule(struct rebuild *r, struct ir_inst *i, const struct lanes_row *row);

/* legalize_v128_arith.c */
lanes_rule lanes_unary, lanes_binary, lanes_convert, lanes_compare, lanes_choose, lanes_choose_second, lanes_shift,
    lanes_negate, lanes_abs, lanes_saturate, lanes_narrow, lanes_average, lanes_q15, lanes_extend, lanes_extmul,
    lanes_pairwise, lanes_dot, lanes_dot_i7, lanes_dot_i7_add, lanes_trunc_or_least, lanes_fused;

/* legalize_v128_move.c */
lanes_rule lanes_extract, lanes_replace, lanes_splat, lanes_shuffle, lanes_swizzle, lanes_bitwise, lanes_not,
    lanes_andnot, lanes_bitselect, lanes_laneselect, lanes_any_true, lanes_all_true, lanes_bitmask;

#endif
