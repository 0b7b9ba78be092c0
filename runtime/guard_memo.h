/* The guard's last answers for one kernel, so that a loop reached again with the same numbers is not decided again. */
#ifndef WASMETAL_RUNTIME_GUARD_MEMO_H
#define WASMETAL_RUNTIME_GUARD_MEMO_H

#include "runtime/guard.h"

struct guard_memo; /* NULL: nothing remembered yet */

/* As wm_guard_decide, for the same kernel each time.  Makes *memo when it can; without memory it only decides.  Not for
 * two threads at once. */
bool guard_memo_decide(struct guard_memo **memo, const struct wm_kernel *k, const uint64_t *slots,
                       const struct wm_guard_limits *limits, struct wm_launch_plan *out, enum wm_fallback *out_why);
void guard_memo_free(struct guard_memo *memo);

#endif
