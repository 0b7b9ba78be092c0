/* What decides where a function that may copy or fill memory goes (bulk_control.c). */
#ifndef WASMETAL_IR_ANALYSIS_BULK_CONTROL_H
#define WASMETAL_IR_ANALYSIS_BULK_CONTROL_H

#include "ir/ir.h"

/* Whether the way that f(to, from, n) takes, and where it reads and writes relative to `to` and `from`, depends on
 * nothing but n, to - from, and the lowest seven bits of `to` and `from`.  `fill`: of f(to, byte, n). */
bool bulk_control_is_plain(const struct ir_module *m, uint32_t func, bool fill);

#endif
