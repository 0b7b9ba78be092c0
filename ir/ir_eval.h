/* The meanings that ir_ops.def needs more than a C operator for.  The interpreter and the constant folder
 * both evaluate through ir_eval_simple, the one expansion of the table's EVAL column.  All are total: a trap is
 * reported through `trap` and the value is then 0.
 *
 * Floats: round to nearest even, no contraction (the build passes -ffp-contract=off).  NaN results are quiet; their
 * payload is whatever this machine makes, as Wasm allows. */
#ifndef WASMETAL_IR_EVAL_H
#define WASMETAL_IR_EVAL_H

#include <math.h>
#include <stdint.h>

#include "ir/ir.h"
#include "ir/ir_trap.h"

/* Evaluates a simple operation (IR_KIND_SIMPLE) on its operands; bytes of the result beyond its type are zero.  Returns
 * the trap it raises, IR_TRAP_NONE (with *out set) otherwise. */
enum ir_trap ir_eval_simple(enum ir_op op, const union ir_bits *operands, union ir_bits *out);
/* The same for IR_KIND_LANES, which never trap; `lanes` are the instruction's bits. */
void ir_eval_lanes(enum ir_op op, union ir_bits lanes, const union ir_bits *operands, union ir_bits *out);

/* One definition for both widths: BITS is 32 or 64. */
#define IR_EVAL_INT(BITS, CLZ, CTZ, POPCNT)                                                                    \
    static inline uint##BITS##_t ir_eval_clz##BITS(uint##BITS##_t a) {                                         \
        return a ? (uint##BITS##_t)CLZ(a) : BITS;                                                              \
    }                                                                                                          \
    static inline uint##BITS##_t ir_eval_ctz##BITS(uint##BITS##_t a) {                                         \
        return a ? (uint##BITS##_t)CTZ(a) : BITS;                                                              \
    }                                                                                                          \
    static inline uint##BITS##_t ir_eval_popcnt##BITS(uint##BITS##_t a) {                                      \
        return (uint##BITS##_t)POPCNT(a);                                                                      \
    }                                                                                                          \
    static inline uint##BITS##_t ir_eval_rotl##BITS(uint##BITS##_t a, uint##BITS##_t n) {                      \
        n &= BITS - 1;                                                                                         \
        return n ? a << n | a >> (BITS - n) : a;                                                               \
    }                                                                                                          \
    static inline uint##BITS##_t ir_eval_shr_s##BITS(uint##BITS##_t a, uint##BITS##_t n) {                     \
        n &= BITS - 1;                                                                                         \
        uint##BITS##_t sign = a >> (BITS - 1) ? ~(uint##BITS##_t)0 : 0;                                        \
        return n ? a >> n | sign << (BITS - n) : a;                                                            \
    }                                                                                                          \
    static inline uint##BITS##_t ir_eval_div_u##BITS(uint##BITS##_t a, uint##BITS##_t b, enum ir_trap *trap) { \
        if (b)                                                                                                 \
            return a / b;                                                                                      \
        *trap = IR_TRAP_DIVIDE_BY_ZERO;                                                                        \
        return 0;                                                                                              \
    }                                                                                                          \
    static inline uint##BITS##_t ir_eval_rem_u##BITS(uint##BITS##_t a, uint##BITS##_t b, enum ir_trap *trap) { \
        if (b)                                                                                                 \
            return a % b;                                                                                      \
        *trap = IR_TRAP_DIVIDE_BY_ZERO;                                                                        \
        return 0;                                                                                              \
    }                                                                                                          \
    static inline uint##BITS##_t ir_eval_div_s##BITS(uint##BITS##_t a, uint##BITS##_t b, enum ir_trap *trap) { \
        if (b == ~(uint##BITS##_t)0) {                                                                         \
            if (a == (uint##BITS##_t)1 << (BITS - 1))                                                          \
                *trap = IR_TRAP_INTEGER_OVERFLOW;                                                              \
            return *trap ? 0 : (uint##BITS##_t)0 - a;                                                          \
        }                                                                                                      \
        if (b)                                                                                                 \
            return (uint##BITS##_t)((int##BITS##_t)a / (int##BITS##_t)b);                                      \
        *trap = IR_TRAP_DIVIDE_BY_ZERO;                                                                        \
        return 0;                                                                                              \
    }                                                                                                          \
    static inline uint##BITS##_t ir_eval_rem_s##BITS(uint##BITS##_t a, uint##BITS##_t b, enum ir_trap *trap) { \
        if (b == ~(uint##BITS##_t)0)                                                                           \
            return 0;                                                                                          \
        if (b)                                                                                                 \
            return (uint##BITS##_t)((int##BITS##_t)a % (int##BITS##_t)b);                                      \
        *trap = IR_TRAP_DIVIDE_BY_ZERO;                                                                        \
        return 0;                                                                                              \
    }

IR_EVAL_INT(32, __builtin_clz, __builtin_ctz, __builtin_popcount)
IR_EVAL_INT(64, __builtin_clzll, __builtin_ctzll, __builtin_popcountll)
#undef IR_EVAL_INT

/* F is float or double, S its suffix in names, X the suffix of libm's functions. */
#define IR_EVAL_FLOAT(F, S, X)                  \
    static inline F ir_eval_ceil_##S(F a) {     \
        return a != a ? a + a : ceil##X(a);     \
    }                                           \
    static inline F ir_eval_floor_##S(F a) {    \
        return a != a ? a + a : floor##X(a);    \
    }                                           \
    static inline F ir_eval_trunc_##S(F a) {    \
        return a != a ? a + a : trunc##X(a);    \
    }                                           \
    static inline F ir_eval_nearest_##S(F a) {  \
        return a != a ? a + a : rint##X(a);     \
    }                                           \
    static inline F ir_eval_sqrt_##S(F a) {     \
        return sqrt##X(a);                      \
    }                                           \
    static inline F ir_eval_min_##S(F a, F b) { \
        if (a != a || b != b)                   \
            return a + b;                       \
        if (a == b)                             \
            return signbit(a) ? a : b;          \
        return a < b ? a : b;                   \
    }                                           \
    static inline F ir_eval_max_##S(F a, F b) { \
        if (a != a || b != b)                   \
            return a + b;                       \
        if (a == b)                             \
            return signbit(a) ? b : a;          \
        return a > b ? a : b;                   \
    }

IR_EVAL_FLOAT(float, f32, f)
IR_EVAL_FLOAT(double, f64, )
#undef IR_EVAL_FLOAT

/* Float to integer.  In range means LO_TEST && a < HI, where HI is the power of two just past the largest result;
 * LO_TEST says that truncation gives at least the smallest. */
#define IR_EVAL_TRUNC(NAME, SAT_NAME, F, U, I, LO_TEST, HI, MIN, MAX)           \
    static inline U NAME(F a, enum ir_trap *trap) {                             \
        if (LO_TEST && a < (F)HI)                                               \
            return (U)(I)a;                                                     \
        *trap = a != a ? IR_TRAP_INVALID_CONVERSION : IR_TRAP_INTEGER_OVERFLOW; \
        return 0;                                                               \
    }                                                                           \
    static inline U SAT_NAME(F a) {                                             \
        if (LO_TEST && a < (F)HI)                                               \
            return (U)(I)a;                                                     \
        return a != a ? 0 : a < 0 ? (U)(MIN) : (U)(MAX);                        \
    }

IR_EVAL_TRUNC(ir_eval_i32_trunc_f32_s, ir_eval_i32_trunc_sat_f32_s, float, uint32_t, int32_t, a >= -0x1p31f, 0x1p31,
              INT32_MIN, INT32_MAX)
IR_EVAL_TRUNC(ir_eval_i32_trunc_f32_u, ir_eval_i32_trunc_sat_f32_u, float, uint32_t, uint32_t, a > -1.0f, 0x1p32, 0,
              UINT32_MAX)
IR_EVAL_TRUNC(ir_eval_i32_trunc_f64_s, ir_eval_i32_trunc_sat_f64_s, double, uint32_t, int32_t, a > -0x1.00000002p31,
              0x1p31, INT32_MIN, INT32_MAX)
IR_EVAL_TRUNC(ir_eval_i32_trunc_f64_u, ir_eval_i32_trunc_sat_f64_u, double, uint32_t, uint32_t, a > -1.0, 0x1p32, 0,
              UINT32_MAX)
IR_EVAL_TRUNC(ir_eval_i64_trunc_f32_s, ir_eval_i64_trunc_sat_f32_s, float, uint64_t, int64_t, a >= -0x1p63f, 0x1p63,
              INT64_MIN, INT64_MAX)
IR_EVAL_TRUNC(ir_eval_i64_trunc_f32_u, ir_eval_i64_trunc_sat_f32_u, float, uint64_t, uint64_t, a > -1.0f, 0x1p64, 0,
              UINT64_MAX)
IR_EVAL_TRUNC(ir_eval_i64_trunc_f64_s, ir_eval_i64_trunc_sat_f64_s, double, uint64_t, int64_t, a >= -0x1p63, 0x1p63,
              INT64_MIN, INT64_MAX)
IR_EVAL_TRUNC(ir_eval_i64_trunc_f64_u, ir_eval_i64_trunc_sat_f64_u, double, uint64_t, uint64_t, a > -1.0, 0x1p64, 0,
              UINT64_MAX)
#undef IR_EVAL_TRUNC

#endif
