/* Getting functions ready for the offloader: changes that are worth their code only where they give a loop a kernel.
 *
 * All functions are prepared before the first launch is put in, so that what is inlined is plain code.
 */
#ifndef WASMETAL_IR_PREPARE_PREPARE_H
#define WASMETAL_IR_PREPARE_PREPARE_H

#include "ir/analysis/bulk_funcs.h"
#include "ir/analysis/const_tables.h"
#include "ir/analysis/effects.h"
#include "ir/offload/offload.h"
#include "ir/opt/pass.h"

/* Why a loop whose calls could all be inlined would still stay on the CPU. */
struct prepare_verdict {
    uint32_t func, wasm_offset; /* of the loop */
    enum off_reject reject;
    uint32_t at;
    const char *detail; /* in the module arena */
};

struct prepare_notes {
    struct prepare_verdict *verdicts; /* in the module arena */
    uint32_t n, cap;
};

/* What is known of the module as it came. */
struct prepare_facts {
    struct effects *effects;
    struct bulk_funcs *bulk;
    const struct const_tables *tables;
};

void prepare_module(struct ir_module *m, struct pass_ctx *passes, struct prepare_notes *out_notes);

/* The note of a loop, or NULL. */
const struct prepare_verdict *prepare_find_note(const struct prepare_notes *notes, uint32_t func, uint32_t wasm_offset);

/* carry.c: hands the element at a place on with the place, in searches for an extreme; true when the function changed.
 */
bool prepare_carry_elements(struct ir_func *f, struct pass_ctx *passes);

/* inline.c: inlines calls in loops that can be planned once that is done; true when the function changed. */
bool prepare_inline_calls(struct ir_func *f, const struct prepare_facts *facts, struct pass_ctx *passes,
                          struct prepare_notes *notes);

#endif
