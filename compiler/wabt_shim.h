/* The only way to wabt: reads and validates a binary module.  Plain C; no C++ exception leaves it. */
#ifndef WASMETAL_COMPILER_WABT_SHIM_H
#define WASMETAL_COMPILER_WABT_SHIM_H

#include <stddef.h>

#include "compiler/wasm.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wabt_sink {
    void *user;
    /* Once, before the first body, or at the end of a module without code: all tables but m->datas are final. */
    bool (*begin_code)(void *user);
    /* Each body, in order.  False stops the reading; the sink has then reported why. */
    bool (*body)(void *user, const struct wasm_body *body);
    /* At most once; reading stops.  func -1: not in a function. */
    void (*error)(void *user, enum diag_id id, uint64_t offset, int64_t func, const char *message);
};

/* `disabled`: proposals to refuse, bits 1 << enum feature.  Fills the tables of `m` (memory from m->arena): types,
 * funcs (with sig, type and offsets, but without `func` headers: see sigs), tables, memories, globals, exports, start,
 * elems, datas.  `out_func_types` gets, before begin_code, the type index of each function (in m->arena).  False after
 * `error` was called or a sink said stop. */
bool wabt_read_module(const uint8_t *bytes, size_t size, uint32_t disabled, struct ir_module *m,
                      const uint32_t **out_func_types, const struct wabt_sink *sink);

#ifdef __cplusplus
}
#endif

#endif
