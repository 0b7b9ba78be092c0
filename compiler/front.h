/* Front end: bytes of a .wasm file to a verified IR module. */
#ifndef WASMETAL_COMPILER_FRONT_H
#define WASMETAL_COMPILER_FRONT_H

#include <stddef.h>

#include "compiler/diag.h"
#include "ir/ir.h"

struct front_options {
    const char *name;  /* module name; NULL: "module".  Made a C identifier. */
    uint32_t disabled; /* proposals that are refused: bits 1 << enum feature (compiler/features.h) */
    bool verify;       /* run the IR verifier over what was lowered; a failure is an ICE */
};

/* Reads, validates and lowers the module.  On any problem of the input: diagnostics in `d`, returns NULL.  Never
 * crashes, hangs or takes memory out of proportion, whatever the bytes are.  The caller frees with ir_module_free;
 * `bytes` may go away afterwards. */
struct ir_module *front_read_module(const uint8_t *bytes, size_t size, const struct front_options *options,
                                    struct diag *d);

/* `name` as a C identifier: other characters become '_', and one is put in front of a leading digit (malloc'd). */
char *front_make_identifier(const char *name);

#endif
