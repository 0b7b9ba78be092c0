/* What the parts of the search for reductions share; nothing outside ir/offload/reduce*.c includes this.
 *
 * reduce.c        the search, and OP
 * reduce_ops.c    which operations reduce, what they start from, comparisons, masks
 * reduce_chain.c  LAST, PICK, PAYLOAD and KEEP
 * reduce_extreme.c  OP of extremes of floats made of several operations
 */
#ifndef WASMETAL_IR_OFFLOAD_REDUCE_INTERNAL_H
#define WASMETAL_IR_OFFLOAD_REDUCE_INTERNAL_H

#include "ir/offload/plan_internal.h"

enum { REDUCE_MAX_CHAINS = OFF_MAX_REDUCES, REDUCE_MAX_EXTREMES = 64 };
/* Marks of values.  EXTREME: the root of an extreme; INNER: between such a root and its accumulator. */
enum { DEPENDS = 1, CLAIMED = 2, GROUP = 4, EXTREME = 8, INNER = 16 };

/* What an operation or comparison works on: values of `type`, or the lanes of a v128, each lane_bytes wide. */
struct reduce_shape {
    enum ir_type type;
    uint8_t lane_bytes; /* 0: no vector */
};

struct reduce_op {
    enum off_reduce_op op;
    struct reduce_shape shape;
    bool left;    /* the accumulator has to be on the left */
    uint8_t rule; /* OFF_REDUCE_EXTREME */
};

/* root = the extreme of m and another float by the rule. */
struct reduce_extreme {
    const struct ir_value *root, *m;
    const struct ir_value **inner; /* what depends on m between the two */
    uint32_t ninner;
    uint8_t rule; /* enum off_extreme */
};

struct reduce_compare {
    enum off_reduce_op op; /* x OP y */
    struct reduce_shape shape;
    struct ir_value *x, *y;
};

/* A carried value that is replaced under conditions. */
struct reduce_chain {
    struct ir_value *param, *next;
    struct plan_step *steps;  /* the last one of the iteration first */
    struct ir_value **before; /* the value that a step replaces or keeps */
    struct ir_inst **by;      /* what makes the step */
    uint32_t nsteps;
    bool dependent; /* the conditions depend on a reduction */
    bool is_key, keeps;
    enum off_reduce_op op;
    struct reduce_shape shape; /* of a key */
    uint32_t reduce;           /* its number in the plan, OFF_NO_REDUCE: not yet */
};

struct reduce_finder {
    struct plan *p;
    struct loop *l;
    uint8_t *marks; /* by value id */
    bool changed;
    bool blocks; /* branches inside blocks without effects may depend on carried values */
    struct reduce_chain chains[REDUCE_MAX_CHAINS];
    uint32_t nchains;
    struct reduce_extreme *extremes;
    uint32_t nextremes;
    /* of the closure in work */
    struct reduce_op op;
    bool has_op;
    const struct ir_value *param;
};

static inline bool reduce_has(const struct reduce_finder *f, const struct ir_value *v, uint8_t mark) {
    return (f->marks[v->id] & mark) != 0;
}

static inline void reduce_set(struct reduce_finder *f, const struct ir_value *v, uint8_t mark) {
    f->changed |= !reduce_has(f, v, mark);
    f->marks[v->id] |= mark;
}

/* A new reduction of the plan, of a value of type `type`; NULL when there are too many.  A v128 takes two, one for each
 * half. */
struct plan_reduce *reduce_new(struct plan *p, enum off_reduce_kind kind, enum ir_type type, struct reduce_shape shape);

/* The operation as one of a reduction; false: it is none. */
bool reduce_op_of(const struct ir_inst *i, struct reduce_op *out);
bool reduce_same_op(const struct reduce_op *a, const struct reduce_op *b);
/* What changes nothing. */
union ir_bits reduce_identity(const struct reduce_op *op);
/* The bits of one lane, in every lane; of a value, as they are. */
union ir_bits reduce_repeat(struct reduce_shape shape, union ir_bits lane);
bool reduce_compare_of(const struct ir_inst *i, struct reduce_compare *out);
/* Whether every lane of the v128, `bytes` wide, is all ones or all zeros. */
bool reduce_is_lane_mask(const struct ir_value *v, unsigned bytes);

/* Finds the extremes among the values that are marked DEPENDS, and marks them.  `stays`: also those that a NaN in the
 * accumulator stops, which one comparison makes and which may be keys of chains instead. */
void reduce_find_extremes(struct reduce_finder *f, bool stays);
/* The extreme that the value is the root of, and which is no part of another; NULL: none. */
const struct reduce_extreme *reduce_extreme_of(const struct reduce_finder *f, const struct ir_value *v);
/* What workers start from, and the rule, of the group just found. */
void reduce_start_extreme(const struct reduce_finder *f, struct plan_reduce *r);
/* Whether it is an extreme whose result depends on the order. */
bool reduce_is_ordered(const struct off_reduce *r);

/* Reads the carried value as a chain of replacements, to be sorted by reduce_add_chains; false: it is none. */
bool reduce_read_chain(struct reduce_finder *f, uint32_t index);
/* Makes reductions of the chains that were read; false when some chain fits nothing. */
bool reduce_add_chains(struct reduce_finder *f);

#endif
