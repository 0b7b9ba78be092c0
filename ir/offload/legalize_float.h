/* Float operations as integer operations on their bits; a part of legalize_arith. */
#ifndef WASMETAL_IR_OFFLOAD_LEGALIZE_FLOAT_H
#define WASMETAL_IR_OFFLOAD_LEGALIZE_FLOAT_H

#include "ir/offload/legalize.h"
#include "ir/offload/rebuild.h"

/* A rebuild_rule; `soft_f64` as in legalize_arith. */
bool legalize_float_rule(struct rebuild *r, struct ir_inst *i, bool soft_f64);

#endif
