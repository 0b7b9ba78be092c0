/* Whether LLVM knows a processor. */
#ifndef WASMETAL_COMPILER_CPU_CHECK_H
#define WASMETAL_COMPILER_CPU_CHECK_H

#include <stdbool.h>

#include "backends/host/host.h"

/* False when options->cpu is no processor of options->triple.  Call while no other thread of the process is working. */
bool cpu_is_known(const struct host_options *options);

#endif
