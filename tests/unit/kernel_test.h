/* Kernels for tests: bodies built in place, run point by point by the interpreter. */
#ifndef WASMETAL_TESTS_UNIT_KERNEL_TEST_H
#define WASMETAL_TESTS_UNIT_KERNEL_TEST_H

#include "ir/ir_build.h"
#include "ir/offload/kernel.h"

enum { KT_MEMORY = 65536 };

struct kt {
    struct ir_module *module; /* with one memory of a page */
    struct off_kernel k;
    struct ir_builder b; /* at the end of the body */
    uint32_t stream_lo[OFF_MAX_STREAMS];
    uint64_t scalars[8];
    uint32_t extent[3];
};

/* An empty kernel body whose parameters are ngrid i32 and the scalars. */
void kt_init(struct kt *t, uint32_t ngrid, uint32_t nstreams, const enum ir_type *scalars, uint32_t nscalars);
void kt_free(struct kt *t);
struct ir_value *kt_param(struct kt *t, uint32_t index);
struct ir_value *kt_load(struct kt *t, enum ir_op op, struct ir_value *addr, uint32_t offset, int stream);
void kt_store(struct kt *t, enum ir_op op, struct ir_value *addr, struct ir_value *v, uint32_t offset, int stream);
void kt_return(struct kt *t);

/* Runs `f` (k.body or a legalised form of it: `split` says whether scalars are pairs) on every point of the grid over
 * `memory` (KT_MEMORY bytes).  False when one traps. */
bool kt_interpret(struct kt *t, struct ir_func *f, bool split, uint8_t *memory);
/* The same for the points from `first` to before `end` of a grid with one axis, within `fuel` instructions. */
bool kt_interpret_points(struct kt *t, struct ir_func *f, bool split, uint8_t *memory, uint32_t first, uint32_t end,
                         uint64_t fuel);

/* A kernel that computes one simple operation for each 24-byte record: operands at 0 and 8, result at 16. */
void kt_init_op(struct kt *t, enum ir_op op);
/* All pairs of hard values, except those on which the operation traps; sets the extent. */
void kt_fill_op(struct kt *t, enum ir_op op, uint8_t *memory);
/* How many records differ; NaNs are equal.  *out_first: one that does. */
uint32_t kt_compare_op(const struct kt *t, enum ir_op op, const uint8_t *want, const uint8_t *got, uint32_t *out_first);

/* Writes <name>-<caps>.spv, <name>.metal and <name>.wgsl into the directory KT_DUMP names, when it is set, and the case
 * itself for tests/kernels/wgsl.mjs: <name>.case (32-bit words: streams, uses, workgroups x y z, words of the parameter
 * block, the block with all streams based at 0), <name>.in and <name>.out (memory before and after). */
void kt_dump(const struct kt *t, const uint8_t *input, const uint8_t *want);

/* Operands of which operations go wrong: zeros, infinities, NaNs, extremes, neighbours of powers of two.  `k` wraps. */
uint32_t kt_hard_count(enum ir_type type);
uint64_t kt_hard_value(enum ir_type type, uint32_t k);

/* xorshift64* (Marsaglia 2003; Vigna 2016). */
uint64_t kt_random(uint64_t *state);

#endif
