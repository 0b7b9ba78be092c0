/* The pipeline from a module's bytes to what a command wants of it. */
#ifndef WASMETAL_COMPILER_DRIVER_H
#define WASMETAL_COMPILER_DRIVER_H

#include "backends/host/host.h"
#include "compiler/options.h"
#include "ir/offload/offload.h"
#include "ir/util/strbuf.h"

/* What a compilation has got so far.  Zero-initialised; released by driver_release. */
struct driver {
    const struct options *options;
    struct diag *diag;
    uint8_t *bytes; /* the file */
    size_t size;
    char *name; /* of the module, a C identifier */
    struct ir_module *module;
    struct off_report report;
    bool stopped; /* --stop-after: nothing behind simplification was done */
    struct strbuf metadata;
    uint8_t *metallib; /* --metallib */
    size_t metallib_size;
    struct host_object object;
};

/* Reads options->input and chooses the module's name.  False after a diagnostic, as all of these. */
bool driver_read(struct driver *dr, const struct options *options, struct diag *d);
/* Front end, simplification, offload, kernels, metadata. */
bool driver_analyse(struct driver *dr);
/* The native object.  `cpu` NULL: the target's baseline. */
bool driver_compile_host(struct driver *dr, const char *cpu);
void driver_release(struct driver *dr);

/* Fills what options and machine say about native code. */
struct host_options driver_host_options(const struct driver *dr, const char *cpu);

/* Commands; each returns the exit code. */
int command_compile(const struct options *o, struct diag *d);
int command_run(const struct options *o, struct diag *d);
int command_explain(const struct options *o, struct diag *d);
int command_devices(const struct options *o, struct diag *d);

enum { EXIT_OK = 0, EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_TRAP = 134 };

#endif
