/* Whether LLVM knows a processor and its features. */
#ifndef WASMETAL_COMPILER_CPU_CHECK_H
#define WASMETAL_COMPILER_CPU_CHECK_H

#include <stdbool.h>

#include "backends/host/host.h"

enum cpu_check { CPU_KNOWN, CPU_UNKNOWN, CPU_FEATURE_UNKNOWN };

/* Whether options->cpu is a processor of options->triple, and all of options->features features of that architecture.
 * Call while no other thread of the process is working. */
enum cpu_check cpu_check(const struct host_options *options);

#endif
