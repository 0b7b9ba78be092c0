/* A module brought through the whole product in this process, every import of a function a stub of the caller's. */
#ifndef WASMETAL_TESTSUITE_LOAD_H
#define WASMETAL_TESTSUITE_LOAD_H

#include "backends/host/host.h"
#include "compiler/options.h"
#include "wasmetal.h"

struct load_stub {
    const char *module, *name;
    uint32_t index; /* among the imported functions */
    char *type;     /* "il:f", as in wasmetal.h */
};

struct load {
    struct host_jit *jit;
    wasmetal_import *imports; /* functions, each with a load_stub for its user pointer, then a memory or none */
    size_t nimports;
    wasmetal_object *memory; /* an imported memory, made to the module's wishes; NULL without */
};

/* Compiles `options->input`.  What goes wrong is printed to standard output; false then.  Nothing is freed before the
 * process ends. */
bool load_module(struct load *l, const struct options *options, wasmetal_host_fn *stub);

/* Cells that the parameters or the results of a type take. */
unsigned load_param_cells(const char *type);
unsigned load_result_cells(const char *type);
/* As replay.mjs and recorder.mjs compute it; 0 without a memory. */
uint32_t load_hash_memory(const wasmetal_instance *instance);

#endif
