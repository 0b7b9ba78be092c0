/* Wasm offsets as DWARF line numbers.
 *
 * Each instruction that can fault, and each call, carries a debug location whose line is its offset in the .wasm file
 * (file "<module>.wasm").  The line table of the object is then the map from program counter to wasm offset, kept right
 * by LLVM through inlining, unrolling and scheduling; host_elf.c turns it into the trap map, and debuggers show offsets
 * where nothing better is known.  Other instructions have none, which keeps the table near the number of accesses.
 *
 * Passes that join equal accesses of two paths would leave them with line 0; they are switched off (simplifycfg in
 * host_emit.c, tail merging in host_target.c).
 */
#include "backends/host/host_internal.h"

#include <string.h>

static void add_flag(struct host_cx *cx, const char *name, unsigned value) {
    LLVMAddModuleFlag(cx->module, LLVMModuleFlagBehaviorWarning, name, strlen(name),
                      LLVMValueAsMetadata(host_const_i32(cx, value)));
}

/* Explicit checks know their place by themselves. */
void host_debug_begin(struct host_cx *cx) {
    if (cx->options->bounds_checks)
        return;
    add_flag(cx, "Dwarf Version", 4);
    add_flag(cx, "Debug Info Version", LLVMDebugMetadataVersion());
    cx->di = LLVMCreateDIBuilder(cx->module);
    const char *file = arena_printf(&cx->arena, "%s.wasm", cx->m->name);
    cx->di_file = LLVMDIBuilderCreateFile(cx->di, file, strlen(file), ".", 1);
    LLVMDIBuilderCreateCompileUnit(cx->di, LLVMDWARFSourceLanguageC11, cx->di_file, "wasmetal", 8, 1, "", 0, 0, "", 0,
                                   LLVMDWARFEmissionLineTablesOnly, 0, 0, 0, "", 0, "", 0);
    cx->di_sub_type = LLVMDIBuilderCreateSubroutineType(cx->di, cx->di_file, NULL, 0, LLVMDIFlagZero);
}

void host_debug_end(struct host_cx *cx) {
    if (!cx->di)
        return;
    LLVMDIBuilderFinalize(cx->di);
    LLVMDisposeDIBuilder(cx->di);
    cx->di = NULL;
}

LLVMMetadataRef host_debug_function(struct host_cx *cx, struct ir_func *f, LLVMValueRef fn) {
    if (!cx->di)
        return NULL;
    unsigned line = f->wasm_offset == IR_NO_OFFSET ? 0 : f->wasm_offset;
    LLVMMetadataRef sub =
        LLVMDIBuilderCreateFunction(cx->di, cx->di_file, f->name, strlen(f->name), "", 0, cx->di_file, line,
                                    cx->di_sub_type, 1, 1, line, LLVMDIFlagZero, cx->options->opt_level > 0);
    LLVMSetSubprogram(fn, sub);
    return sub;
}

void host_debug_at(struct host_func *hf, const struct ir_inst *i) {
    if (!hf->scope)
        return;
    LLVMMetadataRef place = NULL;
    if (i) {
        unsigned line = i->wasm_offset == IR_NO_OFFSET ? 0 : i->wasm_offset;
        place = LLVMDIBuilderCreateDebugLocation(hf->cx->llvm, line, 0, hf->scope, NULL);
    }
    LLVMSetCurrentDebugLocation2(hf->b, place);
}
