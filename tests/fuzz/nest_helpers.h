/* Functions for random nests to call (nests.c): with early returns, memory accesses, calls and loops of their own. */
#ifndef WASMETAL_TESTS_FUZZ_NEST_HELPERS_H
#define WASMETAL_TESTS_FUZZ_NEST_HELPERS_H

#include "ir/ir_build.h"

enum nest_helper {
    HELPER_CHOOSE,  /* (x, y) -> i32: pure, several returns */
    HELPER_UPDATE,  /* (address, x) -> i32: adds x to the i32 there and gives what it was */
    HELPER_BOTH,    /* (address, x) -> i32: calls the two above */
    HELPER_COUNT,   /* (x, y) -> i32: a loop of up to seven iterations */
    HELPER_FRAME,   /* (x, y) -> i32: moves global 1 down, calls the first, looks at it, moves it back */
    HELPER_LEAK,    /* the same, but seldom does not move it back */
    HELPER_SCRATCH, /* (x, y) -> i32: fills memory below global 1 and reads it again */
    HELPER_AGAIN,   /* (x, y) -> i32: recursive, so never inlined */
    HELPERS,
};

/* Appends the functions; `offset` is the last wasm offset that was given out.  All have two i32 parameters and one i32
 * result, and type `type`.  Returns the index of the first.  The module has two i32 globals. */
uint32_t nest_helpers_add(struct ir_module *m, uint32_t type, uint32_t *offset);

#endif
