/* What the parts of the generator of random loop nests share; see nests.c. */
#ifndef WASMETAL_TESTS_FUZZ_NEST_GEN_H
#define WASMETAL_TESTS_FUZZ_NEST_GEN_H

#include "ir/ir_build.h"
#include "tests/unit/offload_fixture.h"

enum {
    PARAMS32 = 40,
    PARAMS64 = 8,
    RESULTS = 6,
    MAX_DEPTH = 3,
    MAX_ARRAYS = 4,
    NEST_MAX_REDUCE = 6,
    MAX_CARRIED = MAX_ARRAYS + 5 + NEST_MAX_REDUCE,
    MAX_VALUES = 24,
    MEMORY = 65536,
};

/* AS_V128 only where the nest has vectors. */
enum access_kind { AS_I32, AS_U8, AS_S8, AS_U16, AS_S16, AS_I64, AS_F32, ACCESS_KINDS, AS_V128 = ACCESS_KINDS };

struct nest_access {
    enum ir_op load, store;
    enum ir_type type;
    unsigned bytes;
};

extern const struct nest_access nest_kinds[ACCESS_KINDS + 1];

struct array {
    enum access_kind kind;
    uint32_t base;
    int32_t stride[MAX_DEPTH];
    bool pointer[MAX_DEPTH]; /* a pointer of its own in loops of that depth, else the counter is multiplied */
    bool through;            /* the outer loop goes on where the inner one stopped */
    bool read_only;
};

struct scope {                           /* inside one loop body */
    uint32_t depth;                      /* of the loops around: 0 in the function */
    struct ir_value *at[MAX_ARRAYS];     /* address of each array's element */
    struct ir_value *counter[MAX_DEPTH]; /* of the loops around, as i32 */
    struct ir_value *values[MAX_VALUES]; /* data */
    uint32_t nvalues;
    struct ir_inst *escape; /* a block around the innermost loop that may be left early */
};

struct gen {
    uint64_t state;
    struct ir_module *m;
    struct ir_func *f;
    struct ir_builder b, entry; /* entry: before all nests */
    uint32_t offset, used32, used64;
    union ir_bits args[PARAMS32 + PARAMS64];
    struct array arrays[MAX_ARRAYS];
    uint32_t narrays, depth; /* of this nest */
    uint32_t trip[MAX_DEPTH];
    uint64_t start[MAX_DEPTH], step[MAX_DEPTH]; /* of the loops around */
    bool lanes;                                 /* v128 values and arrays */
    struct ir_value *live[RESULTS];
    uint32_t nlive;
    int budget;       /* statements left */
    bool wild;        /* addresses, counts and traps that depend on data */
    bool reduces;     /* the outermost loops carry reductions */
    bool vectors;     /* some of them of vectors */
    bool scratch;     /* memory of an iteration's own */
    uint32_t helpers; /* index of the first function of nest_helpers.h */
};

uint32_t nest_below(struct gen *g, uint32_t n);
bool nest_chance(struct gen *g, uint32_t percent);
int32_t nest_between(struct gen *g, int32_t lo, int32_t hi);
void nest_stamp(struct gen *g);
struct ir_value *nest_op(struct gen *g, enum ir_op o, struct ir_value *x, struct ir_value *y);
struct ir_value *nest_i32(struct gen *g, uint32_t v);
struct ir_value *nest_known(struct gen *g, enum ir_type type, uint64_t v);
/* A number that the nest reads again and again, from memory or a global: mostly one that nothing changes. */
struct ir_value *nest_again(struct gen *g, uint32_t v);
/* A condition that does not change in the nest. */
struct ir_value *nest_known_condition(struct gen *g);
void nest_keep(struct gen *g, struct scope *s, struct ir_value *v);
struct ir_value *nest_convert(struct gen *g, struct ir_value *v, enum ir_type to);
struct ir_value *nest_datum(struct gen *g, struct scope *s, enum ir_type type);
void nest_compute(struct gen *g, struct scope *s);
/* nest_lanes.c: one operation of any lane shape; a v128 as a number and back (one of the two is v128). */
void nest_lanes_compute(struct gen *g, struct scope *s);
struct ir_value *nest_lanes_convert(struct gen *g, struct ir_value *v, enum ir_type to);
void nest_divide(struct gen *g, struct scope *s);
struct ir_value *nest_load_from(struct gen *g, enum access_kind kind, struct ir_value *address, struct ir_mem mem);
void nest_store_to(struct gen *g, struct scope *s, enum access_kind kind, struct ir_value *address, struct ir_mem mem);
/* table[index], or a list followed for a few steps. */
void nest_gather(struct gen *g, struct scope *s);
/* A loop whose count is data: sums what it walks over, or searches it. */
void nest_walk(struct gen *g, struct scope *s);
/* A conversion that traps, seldom or often; or a plain trap behind a condition. */
void nest_may_trap(struct gen *g, struct scope *s);
/* Behind a condition on data, something that no kernel does. */
void nest_rare(struct gen *g, struct scope *s);
/* Arrays as on the stack, of up to more than what is private memory. */
void nest_scratch(struct gen *g, struct scope *s);
void nest_do_load(struct gen *g, struct scope *s);
/* A call, of a function that accesses an array's element, or one that only computes. */
void nest_call_helper(struct gen *g, struct scope *s);
void nest_do_store(struct gen *g, struct scope *s);
uint32_t nest_choose_trip(struct gen *g, uint32_t depth);
void nest_gen_loop(struct gen *g, struct scope *s);
/* The producer's unrolled loop: `factor` bodies a turn, then one at a time. */
void nest_gen_unrolled(struct gen *g, struct scope *s);
/* nest_extremes.c: a float, and what becomes of the accumulator. */
struct ir_value *nest_extreme_datum(struct gen *g, struct scope *s);
struct ir_value *nest_extreme(struct gen *g, struct scope *s, uint32_t variant, struct ir_value *acc);

/* nest_reduce.c: reductions that a loop carries. */
struct nest_reduced {
    uint8_t shape;
    enum ir_type type;
    uint32_t variant;
    bool payload; /* the next value goes with it */
    bool vector;
};

struct nest_reduce {
    uint32_t n;
    struct nest_reduced list[NEST_MAX_REDUCE];
    struct ir_value *init[NEST_MAX_REDUCE];
};

/* nest_vectors.c: those of type v128; a datum, the next value (and that of its payload), a number to compare. */
struct ir_value *nest_vector_datum(struct gen *g, struct scope *s);
void nest_vector_next(struct gen *g, struct scope *s, const struct nest_reduced *x, struct ir_value **cur,
                      struct ir_value **next);
struct ir_value *nest_vector_result(struct gen *g, struct ir_value *v);

void nest_reduce_begin(struct gen *g, struct scope *s, struct nest_reduce *r);
/* At the end of the body: the values for the next iteration. */
void nest_reduce_next(struct gen *g, struct scope *s, const struct nest_reduce *r, struct ir_value **cur,
                      struct ir_value **next);
/* Keeps one of them in memory, too, sometimes where the arrays are. */
void nest_reduce_sink(struct gen *g, const struct nest_reduce *r, struct ir_value **next);
/* A value after the loop as a number to compare. */
struct ir_value *nest_reduce_result(struct gen *g, const struct nest_reduced *x, struct ir_value *v);

void nest_body(struct gen *g, struct scope *s, uint32_t statements);
enum nest_reductions { NEST_NO_REDUCTIONS, NEST_REDUCTIONS, NEST_VECTOR_REDUCTIONS, NEST_SCRATCH };

/* The module of a seed, with reductions in its outermost loops or without; *out_args (PARAMS32 + PARAMS64 of them) what
 * to call it with. */
struct ir_module *nest_generate(uint64_t seed, enum nest_reductions reductions, union ir_bits *out_args);

#endif
