/* Which WebAssembly proposals beyond Wasm 2.0 a module may use; features.def lists them. */
#ifndef WASMETAL_COMPILER_FEATURES_H
#define WASMETAL_COMPILER_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

enum feature {
#define FEATURE(id, name, member, proposal) FEATURE_##id,
#include "compiler/features.def"
    FEATURE_COUNT
};

#define FEATURES_ALL ((UINT32_C(1) << FEATURE_COUNT) - 1)

extern const char *const feature_names[FEATURE_COUNT], *const feature_proposals[FEATURE_COUNT];

/* FEATURE_COUNT when there is none whose name is the first `length` characters. */
enum feature feature_find(const char *name, unsigned long length);
/* Bits (1 << enum feature) of a list "name,name" or "all"; NULL: none.  False at an unknown name, which *out_bad then
 * points to. */
bool features_parse(const char *list, uint32_t *out_bits, const char **out_bad);

#endif
