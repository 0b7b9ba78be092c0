/* Where in the source a wasm offset comes from, read from the module's .debug_line section.
 *
 * Thread rules: one thread a map at a time.
 */
#ifndef WASMETAL_COMPILER_SOURCE_MAP_H
#define WASMETAL_COMPILER_SOURCE_MAP_H

#include "ir/ir.h"

struct source_map;

/* A map in `arena`; empty when the module has no line table or a broken one.  Refers to the module's bytes. */
struct source_map *source_map_new(struct arena *arena, const struct ir_module *m);

/* The file and line of the code at a byte offset of the .wasm file; false when it has none. */
bool source_map_find(const struct source_map *map, uint32_t wasm_offset, const char **out_file, uint32_t *out_line);

#endif
