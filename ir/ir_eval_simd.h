/* What the EVAL column of ir_ops.def says about v128 is written in these: a value is built lane by lane, where the
 * lanes of operands and result may have different types.  Names of lane types are members of `union ir_bits`.
 *
 *     IR_EACH(OUT, EXPR)        result lane k is EXPR, which may use k
 *     IR_MAP1(OUT, IN, EXPR)    ... and x, lane k of operand A
 *     IR_MAP2(OUT, IN, EXPR)    ... and y, lane k of operand B
 *     IR_ALL(IN)                1 when no lane of A is 0
 *     IR_SIGNS(IN)              bit k is the sign of lane k of A
 *
 * Lanes narrower than int are computed in int, which holds every result before it is cut or clamped. */
#ifndef WASMETAL_IR_EVAL_SIMD_H
#define WASMETAL_IR_EVAL_SIMD_H

#include <stdint.h>

#include "ir/ir.h"

#define IR_LANE_COUNT(MEMBER) (16 / sizeof((union ir_bits){.u64x2 = {0, 0}}.MEMBER[0]))

#define IR_EACH(OUT, EXPR)                                \
    ({                                                    \
        union ir_bits r_;                                 \
        for (unsigned k = 0; k < IR_LANE_COUNT(OUT); k++) \
            r_.OUT[k] = (__typeof__(r_.OUT[0]))(EXPR);    \
        r_.vec;                                           \
    })

#define IR_MAP1(OUT, IN, EXPR)                              \
    ({                                                      \
        union ir_bits r_;                                   \
        for (unsigned k = 0; k < IR_LANE_COUNT(OUT); k++) { \
            __typeof__(A.IN[0]) x = A.IN[k];                \
            r_.OUT[k] = (__typeof__(r_.OUT[0]))(EXPR);      \
        }                                                   \
        r_.vec;                                             \
    })

#define IR_MAP2(OUT, IN, EXPR)                              \
    ({                                                      \
        union ir_bits r_;                                   \
        for (unsigned k = 0; k < IR_LANE_COUNT(OUT); k++) { \
            __typeof__(A.IN[0]) x = A.IN[k], y = B.IN[k];   \
            r_.OUT[k] = (__typeof__(r_.OUT[0]))(EXPR);      \
        }                                                   \
        r_.vec;                                             \
    })

#define IR_ALL(IN)                                       \
    ({                                                   \
        bool all_ = true;                                \
        for (unsigned k = 0; k < IR_LANE_COUNT(IN); k++) \
            all_ &= A.IN[k] != 0;                        \
        all_;                                            \
    })

#define IR_SIGNS(IN)                                     \
    ({                                                   \
        uint32_t signs_ = 0;                             \
        for (unsigned k = 0; k < IR_LANE_COUNT(IN); k++) \
            signs_ |= (uint32_t)(A.IN[k] < 0) << k;      \
        signs_;                                          \
    })

static inline int32_t ir_eval_clamp(int32_t v, int32_t least, int32_t most) {
    return v < least ? least : v > most ? most : v;
}

/* i32 of a float, toward zero; the least i32 when it does not fit, NaN included (x86's cvttps2dq). */
static inline int32_t ir_eval_trunc_or_least(double x) {
    return x > -2147483649.0 && x < 2147483648.0 ? (int32_t)x : INT32_MIN;
}

/* Two products of signed and unsigned bytes, added and clamped (x86's pmaddubsw). */
static inline int32_t ir_eval_dot_i8_i7(const union ir_bits *a, const union ir_bits *b, unsigned k) {
    int32_t sum = a->s8x16[2 * k] * b->u8x16[2 * k] + a->s8x16[2 * k + 1] * b->u8x16[2 * k + 1];
    return ir_eval_clamp(sum, INT16_MIN, INT16_MAX);
}

/* A float v128 operation that made this may have made a NaN: some lane of either width is one. */
bool ir_eval_has_nan_lane(union ir_bits v);

#endif
