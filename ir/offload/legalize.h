/* Lowering of kernel bodies for targets that lack what wasm has: IR in, IR out.
 *
 * Each step makes a new function with the same meaning and leaves its input alone, so that the interpreter can run both
 * and the emitters of SPIR-V and WGSL stay small: they only meet operations whose meaning on the target is exact.
 *
 *   v128     v128 values become lanes, each a scalar of its own (lanes.h)
 *   unaligned  accesses that need not be aligned become accesses of the words around them
 *   arith    operations that GPUs leave undefined or inexact at the edges become integer operations: min, max, abs,
 *            neg, copysign, ceil, floor, trunc, nearest, conversions; trapping operations get operands that cannot trap
 *   narrow   8- and 16-bit accesses become accesses of the 32-bit word around them (stores: xor_word), and 64-bit
 *            accesses become two words, so that 4-byte alignment is enough
 *   i64      i64 and f64 values become pairs of i32 (low, high)
 *
 *        %v = i32.load8_u %p +3                %ea = i32.add %p, 3
 *                                     narrow   %w  = i32.load (i32.and %ea, -4)
 *                                              %s  = i32.shl (i32.and %ea, 3), 3
 *                                              %v  = i32.and (i32.shr_u %w, %s), 255
 *
 * Where a device has no f64, or flushes subnormal f32, legalize_soft.h comes first of all.
 *
 * A trapping operation only stands in a kernel when the planner has shown that it cannot trap, so what it gives in that
 * case is of no interest, but it has to give something: undefined behaviour in one invocation can take the others
 * along.
 */
#ifndef WASMETAL_IR_OFFLOAD_LEGALIZE_H
#define WASMETAL_IR_OFFLOAD_LEGALIZE_H

#include "ir/ir.h"

/* NULL when every operation of the body may stand in a kernel (no calls, globals, tables, 64-bit addresses), else the
 * reason in words. */
const char *legalize_check(struct ir_func *f);
/* Whether there is f64 add, sub, mul, div or sqrt: what only a device with f64 can do. */
bool legalize_has_f64_arithmetic(struct ir_func *f);
/* Whether any value is i64 or f64. */
bool legalize_has_wide_values(struct ir_func *f);

bool legalize_has_v128(struct ir_func *f);
bool legalize_has_unaligned(struct ir_func *f);

/* All return a new function of the same module, in no table (ir_func_free).  The input passes legalize_check; the order
 * is v128, unaligned, arith, narrow, i64, of which only the first takes v128 and only the first two take accesses that
 * are not aligned. `soft_f64`: nothing of type f64 is left but what legalize_i64 can split, which the function's
 * freedom from f64 arithmetic makes possible; otherwise comparisons and exact conversions stay f64 operations.
 * `keep`:
 * bit s leaves the 8- and 16-bit accesses of stream s as they are. */
struct ir_func *legalize_v128(struct ir_func *f);
/* Like legalize_v128, but accesses lane by lane what the function accesses as vectors, which traps elsewhere.  NULL: a
 * v128 is passed in or out, or something cannot be made of lanes.  The input need not pass legalize_check. */
struct ir_func *legalize_v128_apart(struct ir_func *f);
struct ir_func *legalize_unaligned(struct ir_func *f);
struct ir_func *legalize_arith(struct ir_func *f, bool soft_f64);
/* f32 division and square root corrected to be exact on devices where they nearly are; comes before legalize_arith. */
struct ir_func *legalize_divide(struct ir_func *f);
struct ir_func *legalize_narrow(struct ir_func *f, uint32_t keep);
struct ir_func *legalize_i64(struct ir_func *f);

#endif
