/* When an operation traps, as an i32 condition on its operands; a part of inspect.c. */
#ifndef WASMETAL_IR_OFFLOAD_INSPECT_TRAPS_H
#define WASMETAL_IR_OFFLOAD_INSPECT_TRAPS_H

#include "ir/offload/rebuild.h"

/* `i`: a division, remainder or float-to-integer conversion that ir_may_trap.  The condition stands where r builds. */
struct ir_value *inspect_traps(struct rebuild *r, const struct ir_inst *i);

#endif
