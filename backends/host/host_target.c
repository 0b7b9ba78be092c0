/* Targets: this machine's triple, CPU and features, and LLVM target machines. */
#include "backends/host/host_internal.h"

#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Set once by init_all, then only read. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *native_triple, *native_cpu, *native_features;
static char version[32];

/* Joining equal code of two paths in the code generator would join accesses with different wasm offsets.  LLVM has no
 * other switch for it than this one, which holds for the whole process. */
static const char *const llvm_options[] = {"wasmetal", "-enable-tail-merge=0"};

static void init_all(void) {
    LLVMInitializeAllTargetInfos();
    LLVMInitializeAllTargets();
    LLVMInitializeAllTargetMCs();
    LLVMInitializeAllAsmPrinters();
    LLVMInitializeAllAsmParsers();
    LLVMParseCommandLineOptions(sizeof llvm_options / sizeof *llvm_options, llvm_options, "");
    native_triple = LLVMGetDefaultTargetTriple();
    native_cpu = LLVMGetHostCPUName();
    native_features = LLVMGetHostCPUFeatures();
    unsigned major, minor, patch;
    LLVMGetVersion(&major, &minor, &patch);
    snprintf(version, sizeof version, "%u.%u.%u", major, minor, patch);
}

void host_target_init(void) {
    pthread_once(&once, init_all);
}

const char *host_native_triple(void) {
    host_target_init();
    return native_triple;
}

const char *host_native_cpu(void) {
    host_target_init();
    return native_cpu;
}

const char *host_native_features(void) {
    host_target_init();
    return native_features;
}

const char *host_llvm_version(void) {
    host_target_init();
    return version;
}

char *host_error_text(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) < 0)
        ICE("out of memory for an error message");
    va_end(ap);
    return text;
}

static size_t arch_length(const char *triple) {
    return strcspn(triple, "-");
}

static bool same_arch(const char *a, const char *b) {
    return arch_length(a) == arch_length(b) && strncmp(a, b, arch_length(a)) == 0;
}

/* A module needs code addresses after trapping: other object formats have no trap map yet. */
bool host_is_elf(const char *triple) {
    static const char *const others[] = {"darwin", "macos", "ios",  "tvos", "watchos", "windows", "cygwin",
                                         "win32",  "uefi",  "wasm", "aix",  "macho",   "coff"};
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(triple, others[i]))
            return false;
    return true;
}

/* What a build without a CPU in mind should run on. */
static const char *baseline_cpu(const char *triple) {
    return strncmp(triple, "x86_64", 6) == 0 ? "x86-64" : "generic";
}

static bool choose_cpu(const struct host_options *o, const char *triple, const char **cpu, const char **features,
                       char **out_error) {
    *cpu = o->cpu ? o->cpu : baseline_cpu(triple);
    *features = o->features ? o->features : "";
    if (strcmp(*cpu, "native") != 0)
        return true;
    if (!same_arch(triple, native_triple)) {
        *out_error = host_error_text("cpu 'native' is %s, but the target is %s", native_triple, triple);
        return false;
    }
    *cpu = native_cpu;
    if (!o->features)
        *features = native_features;
    return true;
}

/* The compiled module's layout (runtime/abi.h) is that of 64-bit little-endian machines. */
static bool layout_fits(LLVMTargetMachineRef machine) {
    LLVMTargetDataRef data = LLVMCreateTargetDataLayout(machine);
    bool fits = LLVMPointerSize(data) == 8 && LLVMByteOrder(data) == LLVMLittleEndian;
    LLVMDisposeTargetData(data);
    return fits;
}

LLVMTargetMachineRef host_target_machine(const struct host_options *o, int opt_level, char **out_error) {
    static const LLVMCodeGenOptLevel levels[] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess, LLVMCodeGenLevelDefault,
                                                 LLVMCodeGenLevelAggressive};
    host_target_init();
    char *triple = LLVMNormalizeTargetTriple(o->triple ? o->triple : native_triple), *message = NULL;
    LLVMTargetMachineRef machine = NULL;
    LLVMTargetRef target;
    const char *cpu, *features;
    unsigned level = opt_level < 0 ? 0 : opt_level > 3 ? 3 : (unsigned)opt_level;
    if (LLVMGetTargetFromTriple(triple, &target, &message)) {
        *out_error = host_error_text("LLVM does not know the target '%s'", triple);
        LLVMDisposeMessage(message);
        goto cleanup;
    }
    if (!choose_cpu(o, triple, &cpu, &features, out_error))
        goto cleanup;
    machine = LLVMCreateTargetMachine(target, triple, cpu, features, levels[level], LLVMRelocPIC, LLVMCodeModelDefault);
    if (!machine || !layout_fits(machine)) {
        *out_error = host_error_text("target '%s' is not a 64-bit little-endian one that LLVM makes code for", triple);
        if (machine)
            LLVMDisposeTargetMachine(machine);
        machine = NULL;
    }
cleanup:
    LLVMDisposeMessage(triple);
    return machine;
}
