/* Which functions of a module are the C library's (or Rust's) machinery for text, files, memory blocks and start-up.
 * Their loops go over a few digits or free blocks each time, so the code alone makes them look heavier than they are.
 */
#ifndef WASMETAL_COMPILER_EXPLAIN_LIBRARY_H
#define WASMETAL_COMPILER_EXPLAIN_LIBRARY_H

#include "ir/ir.h"

/* One flag a function, in `arena`. */
bool *explain_find_library(struct arena *arena, const struct ir_module *m);

#endif
