/* What stands between a carried value and its next one, in words that help. */
#ifndef WASMETAL_IR_OFFLOAD_RECURRENCE_H
#define WASMETAL_IR_OFFLOAD_RECURRENCE_H

#include "ir/analysis/loops.h"
#include "ir/util/arena.h"

/* Advice for parameter `index` of loop `l`, which carries a value from one iteration to the next; NULL when nothing
 * more can be said than off_reject_hint does.  The text is static. */
const char *recurrence_hint(struct arena *scratch, const struct loop *l, uint32_t index);

#endif
