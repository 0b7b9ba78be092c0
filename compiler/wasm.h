/* Plain-C view of a module's code, between the validating reader (wabt_reader.h) and the lowering (lower.c).
 *
 * Tables (types, imports, globals, ...) go straight into struct ir_module, which has the same shape; this is what is
 * left: one function body at a time as a list of decoded instructions.  A body is complete and valid when it is handed
 * over, and lives until the sink returns.
 */
#ifndef WASMETAL_COMPILER_WASM_H
#define WASMETAL_COMPILER_WASM_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler/diag.h"
#include "ir/ir.h"

enum wasm_kind {
    WASM_SIMPLE, /* `op` is the IR operation of the same meaning: operands and result as its table says */
    WASM_LOAD,
    WASM_STORE,
    WASM_ATOMIC,     /* `op` is an IR_KIND_ATOMIC operation; immediates as loads have them */
    WASM_LOAD_LANES, /* the load `op`, then the operation WASM_SECOND(index2) on what it gives: as its only operand, or
                        as the value for lane WASM_LANE(index2) of the vector on top of the stack */
    WASM_STORE_LANE, /* WASM_SECOND(index2) takes lane WASM_LANE(index2) out of a vector, and `op` stores it */
    WASM_LANES,      /* `op` is an IR_KIND_LANES operation; 16 lane numbers as WASM_CONST has a v128 */
    WASM_CONST,      /* bits; v128: the high half is index (low word) and index2 */
    WASM_FIXED,      /* `op` is an IR operation of ir_ops.def that is neither simple nor structured (global.get, ...) */
    WASM_LOCAL_GET,
    WASM_LOCAL_SET,
    WASM_LOCAL_TEE,
    WASM_DROP,
    WASM_SELECT,
    WASM_CALL,
    WASM_CALL_INDIRECT,
    WASM_RETURN_CALL,
    WASM_RETURN_CALL_INDIRECT,
    WASM_BLOCK,
    WASM_LOOP,
    WASM_IF,
    WASM_ELSE,
    WASM_TRY,       /* index: how many catch and catch_all it has; index2: 1 + the depth that a delegate names, or 0 */
    WASM_CATCH,     /* index: the tag; index2: 1 when a rethrow names its try; align_log2: 1 for the first of a try */
    WASM_CATCH_ALL, /* index2, align_log2: the same */
    WASM_DELEGATE,  /* also the end of the try */
    WASM_THROW,     /* index: the tag */
    WASM_RETHROW,   /* index: depth of the try */
    WASM_END,
    WASM_BR,
    WASM_BR_IF,
    WASM_BR_TABLE,
    WASM_RETURN,
    WASM_UNREACHABLE,
};

#define WASM_SECOND(index2) ((index2)&0xffff)
#define WASM_LANE(index2) ((index2) >> 16)

struct wasm_inst {
    uint32_t offset;    /* of the opcode in the file */
    uint16_t op;        /* enum ir_op, see above */
    uint8_t kind;       /* enum wasm_kind */
    uint8_t align_log2; /* loads and stores */
    uint32_t index2;    /* second index; br_table: number of targets, the default included; else and end: unused */
    uint32_t index;     /* local, global, function, type, table, memory or segment as ir_ops.def says; label depth */
    union {
        uint64_t bits;            /* constants; loads, stores, atomic accesses: the offset */
        const struct ir_sig *sig; /* block, loop, if, try */
        const uint32_t *targets;  /* br_table: depths, the default last */
        uint8_t type;             /* ref.null: enum ir_type */
    };
};

/* The last instruction is the `end` of the function. */
struct wasm_body {
    uint32_t func;
    uint32_t offset, end; /* bytes of the body in the file */
    const struct ir_sig *sig;
    const enum ir_type *locals; /* parameters first */
    uint32_t nlocals;
    const struct wasm_inst *insts;
    uint32_t ninsts;
};

#endif
