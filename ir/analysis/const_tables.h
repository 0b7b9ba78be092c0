/* Tables that hold the same functions as long as the module runs: C's function pointers, C++'s and Rust's virtual
 * calls. */
#ifndef WASMETAL_IR_ANALYSIS_CONST_TABLES_H
#define WASMETAL_IR_ANALYSIS_CONST_TABLES_H

#include "ir/ir.h"

struct const_tables;

/* Lives in `arena`. */
struct const_tables *const_tables_new(struct arena *arena, const struct ir_module *m);
/* How many slots of the table are known; 0: something may change it, or it holds other things than functions. */
uint32_t const_tables_size(const struct const_tables *t, uint32_t table);
/* The function in a slot below that size; UINT32_MAX: none. */
uint32_t const_tables_func(const struct const_tables *t, uint32_t table, uint32_t slot);

#endif
