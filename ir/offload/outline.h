/* Carries a plan out: makes the kernel, and puts the guarded launch in front of the loop. */
#ifndef WASMETAL_IR_OFFLOAD_OUTLINE_H
#define WASMETAL_IR_OFFLOAD_OUTLINE_H

#include "ir/offload/plan.h"
#include "ir/opt/pass.h"

/* The kernel of the plan, simplified with `passes` and entered in m->kernels; NULL when it needs too many inputs.  Adds
 * its scalars to the plan's slots.  The host function is not changed yet. */
struct off_kernel *outline_kernel(struct ir_module *m, struct plan *p, struct pass_ctx *passes);

/* Puts `launch` in front of the root loop, tried only when `hint` (i64, from another call; NULL: always) is nonzero.
 * Gives a value that is nonzero in the original loop when a part of the nest may still be launched.  Where the loop's
 * results are used afterwards, their uses still name the loop: the caller runs outline_finish once all nests of the
 * function are done. */
struct ir_value *outline_launch(const struct plan *p, struct off_kernel *k, struct ir_value *hint);

/* Lets the rest of the function use what the launch or the loop gives, whichever ran. */
void outline_finish(struct ir_func *f);

#endif
