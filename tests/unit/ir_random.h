/* Random IR functions for differential tests. */
#ifndef WASMETAL_TESTS_UNIT_IR_RANDOM_H
#define WASMETAL_TESTS_UNIT_IR_RANDOM_H

#include "ir/ir.h"

struct ir_random_options {
    uint64_t seed;
    uint32_t size;      /* about how many instructions */
    uint32_t max_depth; /* of regions */
};

/* A module with one memory (one page, its start filled with a pattern), two mutable globals and function 0: (i32, i64,
 * f32, f64)
 * -> (i32, i64, f32, f64).  Verified IR; every loop ends; NaN payloads are never observable; each instruction has its
 * own wasm offset.  It may trap. */
struct ir_module *ir_random_module(const struct ir_random_options *options);

#endif
