/* Where each access stands in the wasm, for traps raised by guard pages.
 *
 * Each load and store carries !pcsections metadata (LLVM manual, "PC Sections Metadata") with its wasm offset.  LLVM
 * keeps it through inlining, unrolling and instruction selection, where debug locations get lost, and writes the
 * address of every machine instruction that came of the access, followed by the offset, into HOST_PLACES_SECTION;
 * host_elf.c makes the trap map of that.
 *
 * A store of what was computed from a load of the very same bytes carries the load's offset: it can trap only if the
 * load did, and the two may become one instruction (add %eax, (%rdi)).
 *
 * Passes that join equal accesses of two paths would join different offsets; they are switched off (simplifycfg in
 * host_emit.c, tail merging in host_target.c).
 */
#include "backends/host/host_internal.h"

#include <string.h>

static void mark(struct host_func *hf, const struct ir_inst *i, LLVMValueRef access) {
    struct host_cx *cx = hf->cx;
    if (cx->options->bounds_checks || hf->kernel)
        return;
    LLVMMetadataRef offset = LLVMValueAsMetadata(host_const_i32(cx, i->wasm_offset));
    LLVMMetadataRef parts[] = {LLVMMDStringInContext2(cx->llvm, HOST_PLACES_SECTION, strlen(HOST_PLACES_SECTION)),
                               LLVMMDNodeInContext2(cx->llvm, &offset, 1)};
    LLVMSetMetadata(access, cx->md_pcsections, LLVMMetadataAsValue(cx->llvm, LLVMMDNodeInContext2(cx->llvm, parts, 2)));
}

void host_mark_load(struct host_func *hf, const struct ir_inst *i, LLVMValueRef access) {
    hf->loads[i->results[0].id] = i;
    mark(hf, i, access);
}

void host_mark_store(struct host_func *hf, const struct ir_inst *i, LLVMValueRef access) {
    const struct ir_inst *load = hf->loads[i->operands[1]->id];
    bool same = load && load->operands[0] == i->operands[0] && load->mem.offset == i->mem.offset &&
                load->mem.memory == i->mem.memory && ir_info(load)->bytes == ir_info(i)->bytes;
    mark(hf, same ? load : i, access);
}

/* Notes which load the result of an operation is computed from: the last one in wasm order, since an earlier one cannot
 * be folded past it. */
void host_note_loads(struct host_func *hf, const struct ir_inst *i) {
    const struct ir_inst *last = NULL;
    if (i->nresults != 1 || ir_nregions(i) != 0)
        return;
    for (uint32_t k = 0; k < i->noperands; k++) {
        const struct ir_inst *load = hf->loads[i->operands[k]->id];
        if (load && (!last || load->wasm_offset >= last->wasm_offset))
            last = load;
    }
    hf->loads[i->results[0].id] = last;
}
