/* What became of each loop, for people (`wasmetal explain`) and for tools (the metadata in every compiled module). */
#ifndef WASMETAL_COMPILER_EXPLAIN_H
#define WASMETAL_COMPILER_EXPLAIN_H

#include "ir/offload/offload.h"
#include "ir/util/strbuf.h"

/* How many values the kernel reduces. */
uint32_t explain_values_reduced(const struct off_kernel *k);

/* Readable text, a paragraph a function with loops, the heaviest first.  `library`: also those of the language's
 * library (explain_library.h); `colour`: with terminal escapes. */
void explain_text(struct strbuf *out, struct ir_module *m, const struct off_report *report, bool library, bool colour);

/* JSON: {"wasmetal": version, "module", "kernels": [...], "loops": [...]}, the same bytes for the same module. */
void explain_json(struct strbuf *out, struct ir_module *m, const struct off_report *report, const char *version);

#endif
