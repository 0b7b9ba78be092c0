/* Kernels of tests as native code, in this process. */
#ifndef WASMETAL_TESTS_UNIT_KERNEL_NATIVE_H
#define WASMETAL_TESTS_UNIT_KERNEL_NATIVE_H

#include "tests/unit/kernel_test.h"

/* Compiles the kernel as the cpu device has it (-O2) and runs its whole grid over `memory` (KT_MEMORY bytes).  False
 * with a message on standard error when it cannot be compiled or loaded. */
bool kernel_native_run(struct kt *t, uint8_t *memory);

#endif
