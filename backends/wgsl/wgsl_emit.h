/* WGSL for one legalised kernel body.
 *
 *   wgsl_emit.c   the interface, regions and branches
 *   wgsl_call.c   helper functions and calls of them
 *   wgsl_ops.c    one row an operation, operands, memory accesses
 */
#ifndef WASMETAL_BACKENDS_WGSL_WGSL_EMIT_H
#define WASMETAL_BACKENDS_WGSL_WGSL_EMIT_H

#include "backends/control.h"
#include "ir/offload/kernel.h"
#include "ir/util/strbuf.h"

struct wgsl_value {
    const struct ir_value *alias; /* the value it is another name of */
    char prefix;                  /* its name is this and its id: v let, r variable of a result */
    bool truth;                   /* b<id> holds it as a bool */
    bool as_int;                  /* used other than as a condition */
};

struct wgsl_emit {
    const struct off_kernel *kernel;
    struct ir_func *func;
    struct arena *arena;
    struct strbuf head, body; /* body: of main, after the bounds test */
    unsigned indent;
    struct wgsl_value *values; /* by IR value id */
    bool atomic[OFF_MAX_STREAMS];
    bool uses_exit, uses_zero, uses_fzero; /* names that the current function needs */
    uint32_t arrays[IR_MAX_ARRAYS];        /* words of the private arrays; 0: not used */
    struct control control;
    struct wgsl_helper *helpers; /* functions that are called, in the order of the first calls */
};

struct wgsl_helper {
    struct wgsl_helper *next;
    struct ir_func *func;
};

/* The source in `a`, entry point "main"; NULL with *out_why when it cannot be had.  `f` is k->body fully legalised:
 * i32 and f32 only, no narrow accesses. */
char *wgsl_emit_kernel(struct arena *a, const struct off_kernel *k, struct ir_func *f, const char **out_why);

/* Shared by the files above. */
void wgsl_line(struct wgsl_emit *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *wgsl_type(enum ir_type t);
void wgsl_scan_uses(struct wgsl_emit *e);
/* Declares what the body of the current function uses of zero, fzero and exit. */
void wgsl_declare_names(const struct wgsl_emit *e, struct strbuf *out);
const char *wgsl_operand(struct wgsl_emit *e, const struct ir_value *v);
const char *wgsl_condition(struct wgsl_emit *e, const struct ir_value *v);
void wgsl_emit_op(struct wgsl_emit *e, struct ir_inst *i);
bool wgsl_emit_region(struct wgsl_emit *e, struct ir_region *r); /* whether its end is reached */
void wgsl_emit_call(struct wgsl_emit *e, struct ir_inst *i);     /* wgsl_call.c */
void wgsl_emit_return(struct wgsl_emit *e, struct ir_inst *i);
/* The text of the helpers that were called goes to *out; false when one nests too deeply. */
bool wgsl_emit_helpers(struct wgsl_emit *e, struct strbuf *out);

#endif
