/* What certainly leads to something that stops a kernel, such as a call that stays, is of no use in one. */
#ifndef WASMETAL_IR_PREPARE_FOREGONE_H
#define WASMETAL_IR_PREPARE_FOREGONE_H

#include "ir/ir.h"

/* Puts a stop (twofold_build_stop) in front of such code in the loops of `f`. */
void foregone_mark(struct ir_func *f);

#endif
