/* What each function of a module can do, calls included: the call graph, summarised.
 *
 * A function's effects are those of its instructions joined with those of everything it calls.  Functions that call
 * each other in a circle share one summary and are marked recursive.  One pass over all instructions and one over the
 * call graph (Tarjan's strongly connected components, "Depth-first search and linear graph algorithms", 1972), so the
 * cost is linear in the size of the module.
 */
#ifndef WASMETAL_IR_ANALYSIS_EFFECTS_H
#define WASMETAL_IR_ANALYSIS_EFFECTS_H

#include "ir/ir.h"

enum {
    EFFECT_READS = 1 << 0,     /* linear memory */
    EFFECT_WRITES = 1 << 1,    /* linear memory */
    EFFECT_GREADS = 1 << 2,    /* globals */
    EFFECT_GWRITES = 1 << 3,   /* globals; which ones: `globals_written` */
    EFFECT_TRAPS = 1 << 4,     /* an instruction may trap; memory accesses count */
    EFFECT_LOOPS = 1 << 5,     /* holds a loop, so that it might not end */
    EFFECT_RESIZES = 1 << 6,   /* memory.grow, memory.init, data.drop: what no kernel does */
    EFFECT_TABLES = 1 << 7,    /* tables and references */
    EFFECT_UNKNOWN = 1 << 8,   /* calls an import or through a table: anything at all */
    EFFECT_RECURSIVE = 1 << 9, /* may call itself, directly or not */
};

struct func_effects {
    uint16_t flags;
    uint16_t own;                         /* the same without what it calls */
    uint64_t globals_written;             /* bit k: global k; bit 63: global 63 or a later one */
    uint64_t globals_asked, globals_kept; /* global_flow_keeps has looked at these globals, and found these kept */
    uint32_t insts;                       /* of the function itself, without what it calls */
    bool has_body;
};

struct effects {
    uint32_t nfuncs;
    struct func_effects *funcs; /* by function index */
};

/* The result lives in `arena` and describes the module as it is now. */
struct effects *effects_build(struct arena *arena, const struct ir_module *m);

/* Neither writes nor traps nor runs for ever: a call whose results are unused could go, and two alike give the same
 * when memory and globals did not change between them. */
bool effects_are_pure(const struct func_effects *e);

static inline uint64_t effects_global_bit(uint32_t global) {
    return UINT64_C(1) << (global < 63 ? global : 63);
}

#endif
