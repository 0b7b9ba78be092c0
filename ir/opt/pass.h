/* Passes and the one function that runs them.
 *
 * A pass changes a function and says whether it did: `bool opt_dce(struct ir_func *f, struct pass_ctx *cx)`; it cannot
 * fail.  The runner dumps, runs, verifies (when cx->verify), and, when a pass said "unchanged", checks that the printed
 * text is the same.  The table of passes is passes.def.
 */
#ifndef WASMETAL_IR_OPT_PASS_H
#define WASMETAL_IR_OPT_PASS_H

#include "ir/ir.h"
#include "ir/util/strbuf.h"

struct pass_ctx {
    struct ir_module *module;
    struct arena scratch;   /* reset after every pass */
    bool verify;            /* verify after each pass and check "unchanged" claims; an error is an ICE */
    const char *dump_after; /* pass name, "all", or NULL */
    const char *stop_after; /* pass name or NULL */
    const char *skip;       /* comma-separated pass names or NULL */
    void (*dump)(void *user, const char *pass, struct ir_func *f);
    void *dump_user;
    bool stopped;
};

enum opt_pass {
#define PASS(id, name, fn, what) OPT_##id,
#include "ir/opt/passes.def"
    OPT_PASS_COUNT
};

bool pass_run(enum opt_pass pass, struct ir_func *f, struct pass_ctx *cx);
const char *pass_name(enum opt_pass pass);
bool pass_lookup(const char *name, enum opt_pass *out_pass);

/* The standard pipeline: simplification to a fixed point (bounded). */
void opt_simplify(struct ir_func *f, struct pass_ctx *cx);

#define PASS(id, name, fn, what) bool fn(struct ir_func *f, struct pass_ctx *cx);
#include "ir/opt/passes.def"

#endif
