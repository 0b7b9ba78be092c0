/* SPIR-V for one legalised kernel body.
 *
 *   spv_emit.c     the interface: capabilities, bindings, parameter block, built-ins, entry point
 *   spv_control.c  regions, branches, block results and loop parameters
 *   spv_ops.c      one row an operation
 *   spv_call.c     helper functions and calls of them
 *   spv_memory.c   loads, stores and the word addresses of streams
 *
 * Floats are carried as their bits, in values of an integer type: loads, stores, selections, block results, loop
 * parameters and arguments are integers, and only the operands and results of float arithmetic are floats, by bitcast.
 * SPIR-V lets a device flush a subnormal number wherever a float goes, and NVIDIA's driver (580 series) does: it was
 * seen to make a negation of the float out of the xor of its bits with 1 << 31, behind an `if` that chose the float.
 */
#ifndef WASMETAL_BACKENDS_SPIRV_SPV_EMIT_H
#define WASMETAL_BACKENDS_SPIRV_SPV_EMIT_H

#include "backends/control.h"
#include "backends/spirv/spv_module.h"
#include "ir/offload/kernel.h"

/* SPIR-V 1.3, what Vulkan 1.1 takes. */
#define SPV_VERSION_1_3 UINT32_C(0x00010300)

struct spv_stream {
    bool used, written, atomic; /* atomic: it has xor_word, so every access of its words is atomic */
    bool views[3];              /* accessed as 32-, 8-, 16-bit */
    uint32_t vars[3];           /* the storage buffer seen as 32-, 8-, 16-bit elements */
    uint32_t base;              /* value: address of the binding's first byte */
};

struct spv_emit {
    struct spv_module m;
    const struct off_kernel *kernel;
    struct ir_func *func;
    bool precise;      /* decorate float arithmetic NoContraction */
    uint32_t *ids;     /* by IR value id */
    uint32_t *bools;   /* by IR value id: the same as a bool, 0 when there is none */
    uint32_t *floats;  /* by IR value id: the same as a float, of results of float operations */
    uint32_t zeros[4]; /* of the current function; see spv_float_const */
    struct spv_stream streams[OFF_MAX_STREAMS];
    uint32_t params_var;
    bool params_pushed;
    uint32_t glsl; /* GLSL.std.450 */
    uint32_t exit_var;
    uint32_t arrays[IR_MAX_ARRAYS]; /* private arrays, variables of the function */
    struct control control;
    struct spv_helper *helpers; /* the helper functions that are called, in the order of the first calls */
};

/* A function that the body calls, of the library that legalize_soft works with. */
struct spv_helper {
    struct spv_helper *next;
    struct ir_func *func;
    uint32_t id, type; /* of the function, and its type */
};

/* The module in `a`.  `f` is k->body legalised: no narrow accesses unless caps has STORAGE8/16, no i64 or f64 values
 * unless it has INT64/FLOAT64.  NULL when control flow nests too deeply.  `precise` forbids contraction of float
 * operations; without it the target must be told otherwise (MSL). */
uint32_t *spv_emit_kernel(struct arena *a, const struct off_kernel *k, struct ir_func *f, uint32_t caps, bool precise,
                          uint32_t *out_nwords);

/* Shared by the files above. */
uint32_t spv_type(struct spv_emit *e, enum ir_type t);       /* what values of the IR type are carried as: an integer */
uint32_t spv_type_float(struct spv_emit *e, enum ir_type t); /* f32 and f64 */
uint32_t spv_type_bool(struct spv_emit *e);
uint32_t spv_type_uint(struct spv_emit *e);
uint32_t spv_uint(struct spv_emit *e, uint32_t v);
uint32_t spv_const(struct spv_emit *e, enum ir_type t, union ir_bits bits);
/* A constant f32 or f64.  When precise, zero is a number that drivers cannot know: Mesa's gallivm (25.0, lavapipe)
 * drops constant zeros from x + 0 and 0 - x, which loses the sign of zero, and makes 0 of x / 0 and 0 / x.  A driver
 * may also come upon them by unrolling a loop whose sum starts from zero. */
uint32_t spv_float_const(struct spv_emit *e, enum ir_type t, union ir_bits bits);
uint32_t spv_value(struct spv_emit *e, const struct ir_value *v);
uint32_t spv_operand(struct spv_emit *e, const struct ir_value *v); /* as an operation takes it: a float if it is one */
/* Enters the result of an operation. */
void spv_set_float(struct spv_emit *e, const struct ir_value *v, uint32_t id);
uint32_t spv_condition(struct spv_emit *e, const struct ir_value *v); /* v != 0 as a bool */
/* Code: an instruction with a result, whose id is returned. */
#define spv_code(e, op, type, ...)                                     \
    spv_code_words((e), (op), (type), (const uint32_t[]){__VA_ARGS__}, \
                   sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
uint32_t spv_code_words(struct spv_emit *e, SpvOp op, uint32_t type, const uint32_t *words, uint32_t n);
void spv_label(struct spv_emit *e, uint32_t id);
void spv_branch(struct spv_emit *e, uint32_t id);

void spv_emit_body(struct spv_emit *e);                    /* spv_control.c */
void spv_emit_call(struct spv_emit *e, struct ir_inst *i); /* spv_call.c */
void spv_emit_return(struct spv_emit *e, struct ir_inst *i);
/* Ends the function that is being emitted, and emits the helpers that were called; false when one nests too deeply. */
bool spv_finish_functions(struct spv_emit *e);
void spv_emit_op(struct spv_emit *e, struct ir_inst *i); /* spv_ops.c: constants, select, simple operations */
void spv_scan_streams(struct spv_emit *e);               /* spv_memory.c */
void spv_declare_streams(struct spv_emit *e);
void spv_emit_access(struct spv_emit *e, struct ir_inst *i);
void spv_emit_array(struct spv_emit *e, struct ir_inst *i);

#endif
