/* What is read from the module's raw sections before the decoder sees it: framing, custom sections, names. */
#ifndef WASMETAL_COMPILER_SECTIONS_H
#define WASMETAL_COMPILER_SECTIONS_H

#include <stddef.h>

#include "compiler/diag.h"
#include "ir/ir.h"

struct wasm_name {
    uint32_t index;
    const char *text;
};

struct wasm_names {
    struct wasm_name *funcs, *globals; /* in file order, indices unchecked; texts in the module arena */
    uint32_t nfuncs, funcs_cap, nglobals, globals_cap;
};

/* Checks magic, version, the section framing and the custom sections' names, keeps the custom sections that tools need
 * in m->customs, and reads the name section.  A damaged name section is only a warning.  False after a diagnostic. */
bool sections_scan(const uint8_t *bytes, size_t size, struct ir_module *m, struct wasm_names *out_names,
                   struct diag *d);

/* Copies a name.  Names may hold NUL, C strings cannot: it becomes C0 80 ("modified UTF-8"), which no valid name has.
 */
const char *wasm_name_copy(struct arena *a, const char *name, size_t n);

#endif
