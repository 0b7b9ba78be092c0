/* Calls through a table, turned into direct ones (direct.c). */
#ifndef WASMETAL_IR_PREPARE_DIRECT_H
#define WASMETAL_IR_PREPARE_DIRECT_H

#include "ir/analysis/const_tables.h"
#include "ir/ir_build.h"

enum { DIRECT_MAX = 8 }; /* functions that one call is tried for */

struct direct {
    uint32_t n;
    uint32_t slot[DIRECT_MAX], func[DIRECT_MAX];
};

/* The functions that call_indirect `i` may reach and `may_take` takes.  False: there are none, or too many. */
bool direct_targets(const struct const_tables *t, const struct ir_inst *i, bool (*may_take)(void *user, uint32_t func),
                    void *user, struct direct *out);
/* Puts tests for these in front of the call, which stays for what is none of them; uses of its results are left to
 * `fwd`.  Returns the outermost `if`. */
struct ir_inst *direct_expand(struct ir_inst *i, const struct direct *d);

#endif
