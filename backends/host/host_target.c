/* Targets: this machine's triple, CPU and features, and LLVM target machines. */
#include "backends/host/host_internal.h"

#include <llvm-c/ErrorHandling.h>
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

/* Joining equal code of two paths in the code generator would join accesses with different wasm offsets.
 *
 * Loops whose accesses are marked as parallel (host_kernel.c) are vectorised as if nothing in one iteration depended on
 * anything either, where accesses lie in strides: `d[2 * i] = x; y = s[2 * i]; d[2 * i + 1] = y` loads all of s before
 * it stores any of d.  But a grid point may store what it loads later.
 *
 * LLVM has no other switches for these than those below, which hold for the whole process. */
static const char *const llvm_options[] = {"wasmetal", "-enable-tail-merge=0", "-enable-interleaved-mem-accesses=0"};

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

void host_set_fatal_handler(void (*handler)(const char *reason)) {
    LLVMResetFatalErrorHandler();
    if (handler)
        LLVMInstallFatalErrorHandler(handler);
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

static bool names_one_of(const char *triple, const char *const *words) {
    for (; *words; words++)
        if (strstr(triple, *words))
            return true;
    return false;
}

static bool is_mach_o(const char *triple) {
    static const char *const words[] = {"darwin", "macos", "ios", "tvos", "watchos", "macho", NULL};
    return names_one_of(triple, words);
}

bool host_is_elf(const char *triple) {
    static const char *const others[] = {"windows", "cygwin", "win32", "uefi", "wasm", "aix", "coff", NULL};
    return !is_mach_o(triple) && !names_one_of(triple, others);
}

bool host_can_guard(const char *triple) {
    triple = triple ? triple : host_native_triple();
    return host_is_elf(triple) || is_mach_o(triple);
}

/* What a build without a CPU in mind should run on. */
static const char *baseline_cpu(const char *triple) {
    return strncmp(triple, "x86_64", 6) == 0 ? "x86-64" : "generic";
}

/* *out_features (malloc'd): those of the processor when it is this one, then the wanted ones; LLVM takes the last word on
 * each. */
static bool choose_cpu(const struct host_options *o, const char *triple, const char **cpu, char **out_features,
                       char **out_error) {
    const char *wanted = o->features ? o->features : "";
    *cpu = o->cpu ? o->cpu : baseline_cpu(triple);
    if (strcmp(*cpu, "native") != 0) {
        *out_features = host_error_text("%s", wanted);
        return true;
    }
    if (!same_arch(triple, native_triple)) {
        *out_error = host_error_text("cpu 'native' is %s, but the target is %s", native_triple, triple);
        return false;
    }
    *cpu = native_cpu;
    *out_features = host_error_text("%s%s%s", native_features, *native_features && *wanted ? "," : "", wanted);
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
    const char *cpu;
    char *features = NULL;
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
    free(features);
    LLVMDisposeMessage(triple);
    return machine;
}
