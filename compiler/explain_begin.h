/* Where to begin: the end of a report, the few places at which a change of the source would move most work. */
#ifndef WASMETAL_COMPILER_EXPLAIN_BEGIN_H
#define WASMETAL_COMPILER_EXPLAIN_BEGIN_H

#include "compiler/source_map.h"
#include "ir/offload/offload.h"
#include "ir/util/strbuf.h"

/* Adds up to five places, or nothing when all that weighs has a kernel.  `library`: functions that do not count. */
void explain_begin(struct strbuf *out, const struct ir_module *m, const struct off_report *report,
                   const struct source_map *map, const bool *library);

/* Shared with explain_text.c. */
double explain_own_weight(const struct off_loop_report *r);
static inline bool explain_in_kernel(const struct off_loop_report *r) {
    return r->verdict == OFF_REJECT_NONE || r->verdict == OFF_REJECT_PART_OF_KERNEL;
}
/* The line of a loop, file without folders.  The `loop` opcode itself often has none. */
bool explain_find_line(const struct source_map *map, const struct ir_module *m, const struct off_loop_report *r,
                       const char **out_file, uint32_t *out_line);

#endif
