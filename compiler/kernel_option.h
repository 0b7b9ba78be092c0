/* --kernel=FUNC,...: functions that the user declares to be data-parallel (ir/offload/declare.h). */
#ifndef WASMETAL_COMPILER_KERNEL_OPTION_H
#define WASMETAL_COMPILER_KERNEL_OPTION_H

#include "compiler/diag.h"
#include "ir/ir.h"

/* Enters the functions of `list` (names, export names or numbers, separated by commas; NULL: none) in m->declared.
 * False after a diagnostic. */
bool kernel_option_apply(struct ir_module *m, const char *list, struct diag *d);

#endif
