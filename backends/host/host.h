/* Host backend: IR module to a native object file through the LLVM C API, and that object into this process through
 * ORC.  The object holds one exported symbol, wasmetal_module_<name> (struct wm_module, runtime/abi.h), and refers to
 * the wm_rt_* functions. */
#ifndef WASMETAL_BACKENDS_HOST_HOST_H
#define WASMETAL_BACKENDS_HOST_HOST_H

#include <stddef.h>

#include "ir/ir.h"

struct wm_module;

struct host_options {
    const char *triple;   /* NULL: this machine's */
    const char *cpu;      /* NULL: baseline of the triple; "native": this machine's */
    const char *features; /* LLVM feature string or NULL */
    int opt_level;        /* 0 to 3 */
    bool bounds_checks;   /* explicit checks instead of guard pages */
    bool verify;          /* LLVM's verifier; a failure is an ICE */
    const char *metadata; /* JSON embedded in the module, or NULL */
    const void *metallib; /* Metal library embedded in the module, or NULL */
    size_t metallib_size;
    unsigned jobs;      /* threads; 0: as many as the machine has processors.  The object does not depend on it */
    unsigned part_size; /* instructions compiled as one piece; 0: default (host_parts.c).  Tests make it small */
};

struct host_object {
    uint8_t *bytes; /* ELF or Mach-O relocatable, owned (free with host_object_free) */
    size_t size;
};

/* Compiles functions and native kernels (m->kernels).  False with *out_error (malloc'd text) when LLVM does not know
 * the target or refuses; bugs of ours are ICEs. */
bool host_compile(struct ir_module *m, const struct host_options *options, struct host_object *out_object,
                  char **out_error);
void host_object_free(struct host_object *o);

/* The LLVM IR as text, for --emit=llvm and tests (malloc'd).  NULL with *out_error (malloc'd) as host_compile's. */
char *host_llvm_text(struct ir_module *m, const struct host_options *options, char **out_error);

/* What LLVM calls with its reason before it would end the process by itself; must not return.  NULL: its own way. */
void host_set_fatal_handler(void (*handler)(const char *reason));

/* Whether faults in guard pages can be traps on this target (NULL: this machine): on ELF and Mach-O, not on Windows.
 * Only ELF objects have a trap map, so elsewhere such a trap does not say which instruction it was. */
bool host_can_guard(const char *triple);

/* This machine: triple, CPU name and features, as cache keys want them (static storage, set up on first use). */
const char *host_native_triple(void);
const char *host_native_cpu(void);
const char *host_native_features(void);
const char *host_llvm_version(void);

/* An object loaded into this process. */
struct host_jit;
/* `name` is the module's name.  NULL with *out_error (malloc'd) on failure.  The object is copied. */
struct host_jit *host_jit_new(const struct host_object *object, const char *name, char **out_error);
const struct wm_module *host_jit_module(const struct host_jit *jit);
void host_jit_free(struct host_jit *jit); /* no instance of the module may be alive */

#endif
