/* Loading an object into this process through ORC.
 *
 * The object sees the runtime's functions and the few C library functions that LLVM may call by itself, and nothing
 * else of the process: an unknown symbol is an error.
 */
#include "backends/host/host.h"
#include "backends/host/host_internal.h"

#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct host_jit {
    LLVMOrcLLJITRef jit;
    const struct wm_module *module;
};

static const struct {
    const char *name;
    void *address;
} symbols[] = {
#define HOST_RT(id, symbol, result, params, attrs) {#symbol, (void *)symbol},
#define HOST_LIBC(symbol) {#symbol, (void *)symbol},
#include "backends/host/runtime_symbols.def"
};

enum { SYMBOL_COUNT = sizeof symbols / sizeof *symbols };

static char *take_error(const char *what, LLVMErrorRef error) {
    char *message = LLVMGetErrorMessage(error), *text = host_error_text("%s: %s", what, message);
    LLVMDisposeErrorMessage(message);
    return text;
}

static LLVMErrorRef define_symbols(LLVMOrcLLJITRef jit) {
    LLVMOrcCSymbolMapPair pairs[SYMBOL_COUNT];
    for (unsigned i = 0; i < SYMBOL_COUNT; i++) {
        pairs[i].Name = LLVMOrcLLJITMangleAndIntern(jit, symbols[i].name);
        pairs[i].Sym.Address = (LLVMOrcExecutorAddress)(uintptr_t)symbols[i].address;
        pairs[i].Sym.Flags = (LLVMJITSymbolFlags){LLVMJITSymbolGenericFlagsExported, 0};
    }
    LLVMOrcMaterializationUnitRef unit = LLVMOrcAbsoluteSymbols(pairs, SYMBOL_COUNT);
    LLVMErrorRef error = LLVMOrcJITDylibDefine(LLVMOrcLLJITGetMainJITDylib(jit), unit);
    if (error)
        LLVMOrcDisposeMaterializationUnit(unit);
    return error;
}

struct host_jit *host_jit_new(const struct host_object *object, const char *name, char **out_error) {
    *out_error = NULL;
    host_target_init();
    struct host_jit *j = calloc(1, sizeof *j);
    char *symbol = host_error_text("wasmetal_module_%s", name);
    LLVMOrcExecutorAddress address = 0;
    LLVMErrorRef error;
    if (!j)
        ICE("out of memory for the loader");
    if ((error = LLVMOrcCreateLLJIT(&j->jit, NULL)) || (error = define_symbols(j->jit))) {
        *out_error = take_error("LLVM's loader does not start", error);
        goto failed;
    }
    LLVMMemoryBufferRef buffer =
        LLVMCreateMemoryBufferWithMemoryRangeCopy((const char *)object->bytes, object->size, name);
    if ((error = LLVMOrcLLJITAddObjectFile(j->jit, LLVMOrcLLJITGetMainJITDylib(j->jit), buffer)) ||
        (error = LLVMOrcLLJITLookup(j->jit, &address, symbol))) {
        *out_error = take_error("cannot load the compiled module", error);
        goto failed;
    }
    free(symbol);
    j->module = (const struct wm_module *)(uintptr_t)address;
    return j;
failed:
    free(symbol);
    host_jit_free(j);
    return NULL;
}

const struct wm_module *host_jit_module(const struct host_jit *jit) {
    return jit->module;
}

void host_jit_free(struct host_jit *jit) {
    if (!jit)
        return;
    LLVMErrorRef error = jit->jit ? LLVMOrcDisposeLLJIT(jit->jit) : NULL;
    if (error)
        LLVMConsumeError(error);
    free(jit);
}
