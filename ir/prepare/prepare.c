/* The preparations in their order; see prepare.h. */
#include "ir/prepare/prepare.h"

const struct prepare_verdict *prepare_find_note(const struct prepare_notes *notes, uint32_t func,
                                                uint32_t wasm_offset) {
    for (uint32_t k = 0; k < notes->n; k++)
        if (notes->verdicts[k].func == func && notes->verdicts[k].wasm_offset == wasm_offset)
            return &notes->verdicts[k];
    return NULL;
}

void prepare_module(struct ir_module *m, struct pass_ctx *passes, struct prepare_notes *out_notes) {
    *out_notes = (struct prepare_notes){0};
    struct arena arena = {0};
    const struct prepare_facts facts = {
        .effects = effects_build(&arena, m), .bulk = bulk_funcs_new(&arena, m), .tables = const_tables_new(&arena, m)};
    for (uint32_t i = m->nfunc_imports; i < m->nfuncs; i++)
        if (facts.effects->funcs[i].has_body) {
            prepare_carry_elements(m->funcs[i].func, passes);
            prepare_inline_calls(m->funcs[i].func, &facts, passes, out_notes);
        }
    arena_free(&arena);
}
