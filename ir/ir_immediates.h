/* How many index immediates (`index`, `index2`) an operation carries: printer, parser and verifier share the answer. */
#ifndef WASMETAL_IR_IMMEDIATES_H
#define WASMETAL_IR_IMMEDIATES_H

#include "ir/ir.h"

static inline unsigned ir_index_count(enum ir_op op) {
    switch (op) {
    case IR_CALL:
    case IR_RETURN_CALL:
    case IR_GLOBAL_GET:
    case IR_GLOBAL_SET:
    case IR_MEMORY_SIZE:
    case IR_MEMORY_GROW:
    case IR_MEMORY_FILL:
    case IR_DATA_DROP:
    case IR_REF_FUNC:
    case IR_TABLE_GET:
    case IR_TABLE_SET:
    case IR_TABLE_SIZE:
    case IR_TABLE_GROW:
    case IR_TABLE_FILL:
    case IR_ELEM_DROP:
    case IR_EXN_NEW:
    case IR_EXN_IS:
    case IR_EXN_GET:
    case IR_LAUNCH:
        return 1;
    case IR_CALL_INDIRECT:
    case IR_RETURN_CALL_INDIRECT:
    case IR_MEMORY_COPY:
    case IR_MEMORY_INIT:
    case IR_TABLE_COPY:
    case IR_TABLE_INIT:
    case IR_ARRAY_GET:
    case IR_ARRAY_SET:
        return 2;
    default:
        return 0;
    }
}

/* Whether the instruction uses `mem`. */
static inline bool ir_has_mem(enum ir_op op) {
    enum ir_op_kind kind = ir_op_info[op].kind;
    return kind == IR_KIND_LOAD || kind == IR_KIND_STORE || kind == IR_KIND_ATOMIC || op == IR_XOR_WORD;
}

/* Bytes of the access; xor_word always works on a word. */
static inline unsigned ir_access_bytes(enum ir_op op) {
    return op == IR_XOR_WORD ? 4 : ir_op_info[op].bytes;
}

enum { IR_MAX_DEPTH = 2000 }; /* nesting that the parser takes; the front end stops at 1,000 */

#endif
