/* Trap codes; see ir_traps.def. */
#ifndef WASMETAL_IR_TRAP_H
#define WASMETAL_IR_TRAP_H

enum ir_trap {
#define IR_TRAP(id, value, text) IR_TRAP_##id = (value),
#include "ir/ir_traps.def"
};

const char *ir_trap_text(enum ir_trap code); /* never NULL */

#endif
