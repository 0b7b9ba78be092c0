/* Memory lane by lane, for legalize_v128_apart (legalize.h); see lanes_memory.c. */
#ifndef WASMETAL_IR_OFFLOAD_LANES_MEMORY_H
#define WASMETAL_IR_OFFLOAD_LANES_MEMORY_H

#include "ir/offload/lanes.h"

/* A load of 4, 8 or 16 bytes that gives a v128, as loads of lanes of shape `s`, as far as they go: the rest is 0. */
void lanes_load(struct rebuild *r, struct ir_inst *i, enum lane_shape s);
/* A store of a v128, as stores of its lanes. */
void lanes_store(struct rebuild *r, struct ir_inst *i);
/* A store of an integer that is several narrow lanes of a v128, likewise.  False: `i` is no such store. */
bool lanes_store_packed(struct rebuild *r, struct ir_inst *i);

#endif
