/* Files that commands besides `compile` write too. */
#ifndef WASMETAL_COMPILER_OUTPUT_H
#define WASMETAL_COMPILER_OUTPUT_H

#include "compiler/driver.h"

/* Every kernel's SPIR-V variants, MSL and WGSL into a folder, made when missing.  False after a diagnostic. */
bool output_save_kernels(const struct driver *dr, const char *folder);

#endif
