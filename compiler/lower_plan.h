/* Which locals have to be merged where, decided before lowering. */
#ifndef WASMETAL_COMPILER_LOWER_PLAN_H
#define WASMETAL_COMPILER_LOWER_PLAN_H

#include "compiler/wasm.h"

/* A block, loop, if or try of the wasm function; scope 0 is the function itself. */
struct lower_scope {
    const uint32_t *assigned; /* locals set anywhere inside */
    const uint32_t *results;  /* of these, the ones live behind the end */
    const uint32_t *params;   /* loops: of these, the ones live at the head; try: at its handlers */
    uint32_t nassigned, nresults, nparams;
    bool is_loop, is_try;
    bool conditional_target; /* a br_if or br_table names its label */
};

struct lower_plan {
    struct lower_scope *scopes;
    uint32_t nscopes;
    /* By instruction: the scope that a block, loop, if, try, else, catch, delegate or end belongs to. */
    const uint32_t *scope_of;
};

/* False when the function would need more merges than limits.def allows. */
bool lower_plan_make(const struct wasm_body *body, struct arena *scratch, struct lower_plan *out);

#endif
