/* Where each access stands in the wasm, for traps raised by guard pages.
 *
 * Each load and store carries !pcsections metadata (LLVM manual, "PC Sections Metadata") with its wasm offset.  LLVM
 * keeps it through inlining, unrolling and instruction selection, where debug locations get lost, and writes the
 * address of every machine instruction that came of the access, followed by the offset, into HOST_PLACES_SECTION;
 * host_elf.c makes the trap map of that.
 *
 * A load that is folded into the instruction using it (imul (%rdi), %rax) may be taken out again by a later pass, which
 * forgets the metadata; so loaded values go through a `freeze` (host_memory.c), which instruction selection does not
 * fold across.  The price is a separate mov, which costs next to nothing.
 *
 * Passes that join equal accesses of two paths would join different offsets; they are switched off (simplifycfg in
 * host_emit.c, tail merging in host_target.c).
 */
#include "backends/host/host_internal.h"

#include <string.h>

void host_mark_place(struct host_func *hf, const struct ir_inst *i, LLVMValueRef access) {
    struct host_cx *cx = hf->cx;
    if (cx->options->bounds_checks || hf->kernel || !cx->elf)
        return;
    LLVMMetadataRef offset = LLVMValueAsMetadata(host_const_i32(cx, i->wasm_offset));
    LLVMMetadataRef parts[] = {LLVMMDStringInContext2(cx->llvm, HOST_PLACES_SECTION, strlen(HOST_PLACES_SECTION)),
                               LLVMMDNodeInContext2(cx->llvm, &offset, 1)};
    LLVMSetMetadata(access, cx->md_pcsections, LLVMMetadataAsValue(cx->llvm, LLVMMDNodeInContext2(cx->llvm, parts, 2)));
}
