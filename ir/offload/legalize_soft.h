/* Float arithmetic as calls of helper functions that compute it on integers; see legalize.h.
 *
 *     %c = f64.add %a, %b            %x = i64.reinterpret_f64 %a
 *                                    %y = i64.reinterpret_f64 %b
 *                                    %z = call soft_f64_add %x %y
 *                                    %c = f64.reinterpret_i64 %z
 *
 * Helpers are called, not inlined: an f64 addition is some 120 operations on 32-bit words, a multiplication 170, and
 * `expf` of a C library has about ten of them.  They live in a library, a module of its own, in pairs: the helper of
 * operation `op` on i32 and i64 is function 2*op, and function 2*op + 1 is the same with each i64 as two i32.
 * legalize_i64 turns calls of the one into calls of the other.
 *
 * SOFT_F64          every f64 operation but moves of bits
 * SOFT_SUBNORMALS   f32 add, sub and mul for devices that are exact but flush subnormal numbers to zero.  The device's
 *                   result is kept where no flushed number can have changed it, else the integers decide:
 *     product  the device's when it is finite and at least 2^-125: a flushed operand would have made it 0, and a
 *              flushed result would be 0; zero when an operand is
 *     sum      the device's when it is finite and at least 2^-97: one operand is then at least 2^-98, and a subnormal
 *              other one, below 2^-126, is less than a quarter of that one's last place, so it rounds away; zero when
 *              the operands are zeros or each other's negation
 *                   Division and square root are legalize_divide's, which uses no subnormals.
 *
 * A function that has been through legalize_soft belongs to the library's module (`ir_func.module`), and so do those
 * made of it later; the interpreter has to be set up with that module.
 */
#ifndef WASMETAL_IR_OFFLOAD_LEGALIZE_SOFT_H
#define WASMETAL_IR_OFFLOAD_LEGALIZE_SOFT_H

#include "ir/ir.h"

enum { SOFT_F64 = 1 << 0, SOFT_SUBNORMALS = 1 << 1 };

/* A library for functions of module m, with m's memories. Helpers are made when they are first needed. */
struct ir_module *soft_library_new(const struct ir_module *m);
void soft_library_free(struct ir_module *library); /* NULL is fine; frees no function that uses it */

/* As the steps of legalize.h; comes before legalize_divide and legalize_arith.  `what`: SOFT_*. */
struct ir_func *legalize_soft(struct ir_func *f, struct ir_module *library, unsigned what);

#endif
