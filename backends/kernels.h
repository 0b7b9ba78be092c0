/* GPU backends: one kernel to SPIR-V (in variants), MSL and WGSL. */
#ifndef WASMETAL_BACKENDS_KERNELS_H
#define WASMETAL_BACKENDS_KERNELS_H

#include "ir/offload/kernel.h"

/* Fills k->spirv, k->msl, k->wgsl, k->uses (or the `_why` of what cannot be had), in m->arena.  k->body is not changed.
 * Always gives a native-typed SPIR-V variant where SPIR-V can express the kernel at all, and first in the array a
 * baseline variant that needs no capability when the kernel has no 64-bit types. */
void kernels_emit(struct ir_module *m, struct off_kernel *k);

#endif
