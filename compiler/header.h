/* The C header that goes with a compiled module: a struct for the instance, typed calls, typed imports. */
#ifndef WASMETAL_COMPILER_HEADER_H
#define WASMETAL_COMPILER_HEADER_H

#include <stdbool.h>

#include "ir/ir.h"
#include "ir/util/strbuf.h"

/* Appends the header of module `m` to *out.  The text depends on the module alone and compiles as C11 and C++11.  False
 * when the module cannot have one: it has more than 100,000 imports and exports together. */
bool header_write(const struct ir_module *m, struct strbuf *out);

#endif
