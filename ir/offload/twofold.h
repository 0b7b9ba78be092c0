/* Code that kernels run in one way and the host in another:
 *
 *     %k = in_kernel                    1 in a kernel, 0 on the host
 *     if %k {
 *       loop ... load, store ...        what a kernel can do
 *     } else {
 *       call 43 (%to, %from, %n)        what the host does faster, or exactly with its traps
 *     }
 *
 * Both sides must leave the same memory wherever the guard lets a launch happen.  The planner looks at the kernel's
 * side only, the kernel is cut from it, and when all launches are in their places twofold_settle leaves the host's
 * side.  The `if` has no results, and in_kernel stands right before it, for no pass moves an operation without
 * flags. */
#ifndef WASMETAL_IR_OFFLOAD_TWOFOLD_H
#define WASMETAL_IR_OFFLOAD_TWOFOLD_H

#include "ir/ir_build.h"

/* Builds one with empty regions: [0] for kernels, [1] for the host. */
struct ir_inst *twofold_build(struct ir_builder *b);
/* One that ends a kernel in front of `before` (ir_stops_kernel), and does nothing on the host. */
void twofold_build_stop(struct ir_inst *before);
/* Whether the instruction is such an `if`. */
bool twofold_is(const struct ir_inst *i);
/* The one whose kernel side the instruction stands in, or NULL. */
const struct ir_inst *twofold_around(const struct ir_inst *i);
/* Whether the region holds one. */
bool twofold_within(const struct ir_region *r);
/* Leaves the host's side of all of them. */
void twofold_settle(struct ir_func *f);

#endif
