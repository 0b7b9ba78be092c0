/* The offloader: finds parallel loop nests, makes kernels of them, and puts a guarded launch in front of each.
 *
 * Runs after simplification.  Every loop of every function gets an entry in the report: a kernel or a reason.
 */
#ifndef WASMETAL_IR_OFFLOAD_OFFLOAD_H
#define WASMETAL_IR_OFFLOAD_OFFLOAD_H

#include "ir/ir.h"
#include "ir/offload/kernel.h"

enum off_reject {
#define REJECT(id, name, meaning, hint) OFF_REJECT_##id,
#include "ir/offload/reject.def"
    OFF_REJECT_COUNT
};

const char *off_reject_name(enum off_reject r);
const char *off_reject_meaning(enum off_reject r);
const char *off_reject_hint(enum off_reject r); /* "" when there is nothing to advise */

/* One loop.  Loops appear in textual order, so a nest is a loop followed by deeper ones. */
struct off_loop_report {
    uint32_t func;        /* function index */
    uint32_t wasm_offset; /* of the loop */
    uint32_t back_offset; /* of the branch that starts the next iteration; IR_NO_OFFSET: there are several */
    uint32_t depth;       /* 0: outermost in its function */
    enum off_reject verdict;
    uint32_t at;         /* wasm offset of what caused the rejection, or IR_NO_OFFSET */
    const char *detail;  /* the values involved, in words, or NULL */
    const char *hint;    /* what would make this one parallel; NULL: off_reject_hint(verdict) */
    int32_t kernel;      /* kernel whose outermost loop this is, or that runs it (PART_OF_KERNEL); -1: none */
    int32_t part_kernel; /* PART_OF_KERNEL: the loop's own kernel, for when the guard of `kernel` refuses; -1: none */
    uint32_t ops;        /* instructions in it, those of loops inside left out */
};

const char *off_loop_hint(const struct off_loop_report *r); /* "" when there is nothing to advise */

struct off_report {
    struct off_loop_report *loops; /* in the module arena */
    uint32_t nloops, cap;
};

struct off_options {
    bool enabled;                 /* false: only the report is made, every loop DISABLED */
    bool verify;                  /* check every kernel after each pass */
    uint32_t *out_declared_loops; /* not NULL: how many loops call functions of m->declared as they must be */
};

/* Changes the functions of `m`, fills m->kernels and *out_report.  Cannot fail. */
void offload_module(struct ir_module *m, const struct off_options *options, struct off_report *out_report);

#endif
