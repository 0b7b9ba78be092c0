/* Metal Shading Language from SPIR-V, by SPIRV-Cross. */
#ifndef WASMETAL_BACKENDS_MSL_MSL_EMIT_H
#define WASMETAL_BACKENDS_MSL_MSL_EMIT_H

#include "ir/offload/kernel.h"

/* The source in `a`, with one kernel function of that name; NULL with *out_why (in `a`) when SPIRV-Cross refuses.  The
 * SPIR-V must have been made with `precise` false.  `contract`: the source does not forbid contraction.  Stream s is
 * [[buffer(s)]], the parameter block (32-bit words, or uint4s when it is long, as in kernel.h) is [[buffer(nstreams)]].
 */
char *msl_emit_kernel(struct arena *a, const struct off_kernel *k, const char *name, const uint32_t *words,
                      uint32_t nwords, bool contract, const char **out_why);

#endif
