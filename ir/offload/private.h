/* Private memory in a kernel (plan_private.c): loads and stores of its groups become values.
 *
 *     store %sp+16, %a                          %a as it is
 *     loop { ... load %sp + 4 * %k }     =>     loop (cells that change) { ... select of the cells, by %k }
 *                                               if last point { store %sp+16, %a }
 *
 * Where p->flat, the cells go through a worker's loop as parameters, each with a flag that is 1 once an iteration has
 * written it; both end up in the partial results.
 *
 * Cells are words, i32; narrower and wider accesses take them apart and put them together.  Larger groups are arrays
 * of the kernel instead (private_array.c). */
#ifndef WASMETAL_IR_OFFLOAD_PRIVATE_H
#define WASMETAL_IR_OFFLOAD_PRIVATE_H

#include "ir/ir_build.h"
#include "ir/offload/plan.h"

/* While the kernel is being cloned, access k of a private group names this stream, plus k. */
enum { PRIVATE_STREAM = 1000 };

/* `body`: ends in a return.  bases[g]: address of group g's first byte.  is_last: 1 at the grid's last point, NULL
 * where p->flat; both are values of the body's beginning. */
void private_promote(const struct plan *p, struct ir_func *f, struct ir_value *const *bases, struct ir_value *is_last);

/* private_array.c: the groups that are arrays; their accesses are gone then.  And what the last point does with them.
 */
void private_arrays_lower(const struct plan *p, struct ir_func *f, struct ir_value *const *bases);
void private_arrays_leave(const struct plan *p, struct ir_builder *b, struct ir_value *const *bases);

#endif
