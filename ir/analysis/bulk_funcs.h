/* Functions that copy or fill memory: memcpy, memmove, memset and the like, found by what they do (bulk_funcs.c). */
#ifndef WASMETAL_IR_ANALYSIS_BULK_FUNCS_H
#define WASMETAL_IR_ANALYSIS_BULK_FUNCS_H

#include "ir/ir.h"

enum bulk_kind {
    BULK_NONE,
    BULK_COPY, /* f(to, from, n): n bytes, where these do not overlap; gives `to`, or nothing */
    BULK_FILL, /* f(to, byte, n); gives `to`, or nothing */
};

struct bulk_funcs;

/* Lives in `arena`; looks at a function when it is first asked about, which must be before any launch is put in. */
struct bulk_funcs *bulk_funcs_new(struct arena *arena, const struct ir_module *m);
enum bulk_kind bulk_funcs_kind(struct bulk_funcs *b, uint32_t func);

#endif
