/* The planner: looks at one loop nest and gives a plan for its kernel, or the reason why there is none.  It changes
 * nothing; outline.c carries the plan out.
 */
#ifndef WASMETAL_IR_OFFLOAD_PLAN_H
#define WASMETAL_IR_OFFLOAD_PLAN_H

#include "ir/analysis/affine.h"
#include "ir/offload/offload.h"

/* A number that the host function hands over at launch. */
enum plan_slot_kind {
    PLAN_SLOT_EXPR,    /* the polynomial `expr` */
    PLAN_SLOT_VALUE,   /* the value itself */
    PLAN_SLOT_ALL,     /* 1 when all of `conds` hold, else 0 */
    PLAN_SLOT_IS_ZERO, /* 1 when `expr` is 0, else 0 */
    PLAN_SLOT_DIVISOR, /* 1 when `value` is neither 0 nor (signed) -1 */
    PLAN_SLOT_WORD,    /* word `lane` of the v128 `value` */
    PLAN_SLOT_HALF,    /* half `lane` of the v128 `value`, an i64 */
    PLAN_SLOT_MEMORY,  /* the word that memory holds at `expr`; 0 outside, which the guard refuses */
};

struct plan_cond {
    struct ir_value *value;   /* defined before the nest */
    bool nonzero;             /* holds when the value is nonzero; false: when it is zero */
    struct ir_value *or_zero; /* not NULL: or when this is zero */
};

struct plan_slot {
    enum plan_slot_kind kind;
    const struct aff *expr;
    struct ir_value *value;
    bool is_signed;
    uint8_t lane;
    const struct plan_cond *conds;
    uint32_t nconds;
};

struct plan_dim {
    struct off_dim desc;
    struct loop *loop; /* NULL for a choice or a range */
    int sym;           /* its iteration, choice or range symbol, -1 when nothing depends on it */
};

struct plan_access {
    struct off_access desc;
    struct ir_inst *inst;
    bool reread;            /* the rest of a split loop has it, too */
    bool delayed;           /* `inst` as it stood some iterations earlier; the kernel has a load of its own for it */
    const struct aff *base; /* address at iteration 0, memarg offset not included */
    const struct aff *strides[OFF_MAX_DIMS];
    uint8_t private_group;         /* not 0: one more than the index of the group it belongs to, and then: */
    bool cell_moves;               /* its place in the group changes within an iteration */
    uint8_t cell_unit;             /* ... by a multiple of so many bytes: 4, 2 or 1 */
    uint32_t cell_low, cell_high;  /* bytes of the group it may touch: first, and one behind the last */
    const struct cell_bits *cells; /* all of them (plan_cells.h) */
};

/* Up to PLAN_MAX_CELLS words may become values; more are an array of the kernel.  WGSL has 8,192 bytes for all
 * variables of a function (WGSL, 16.1 Limits); half of it is left to the others. */
enum { PLAN_MAX_PRIVATES = 4, PLAN_MAX_CELLS = 32, PLAN_MAX_ARRAY_BYTES = 2048, PLAN_MAX_ARRAYS_BYTES = 4096 };

/* A stretch of memory of which each point has its own (plan_private.c). */
struct plan_private {
    const struct aff *base;           /* address of the first byte */
    uint32_t ncells;                  /* 32-bit words */
    uint32_t array_words;             /* not 0: an array of so many words, a power of two, instead of values */
    const struct cell_bits *stored;   /* what is written by iterations that come to their end */
    bool sometimes;                   /* though not by every one: the last that writes it decides */
    uint32_t reduces[PLAN_MAX_CELLS]; /* not 0: number of the reduction that a word is, its flag the one before */
    bool words;                       /* the base is aligned like a word where it matters */
    int16_t stream;
};

/* A result of the root loop (or a value it passes to its exit label) after a launch. */
struct plan_final {
    struct ir_value *value; /* as in the loop */
    const struct aff *expr; /* NULL: `value` is from before the nest */
    struct ir_inst *load;   /* not NULL: `value` is what this load gives last, and `expr` its address */
    uint32_t reduce;        /* not 0: one more than the reduction whose result it is */
    uint32_t moved;         /* not 0: one more than the number of the root's parameter that moves (plan_vector.c) */
};

enum { PLAN_MAX_DELAY = 4, PLAN_MAX_DELAYS = 16 };

/* A parameter of a chain loop that holds what a load gave `depth` iterations ago, and init[k] in iteration k < depth
 * (plan_delay.c). */
struct plan_delay {
    struct ir_value *param;
    struct loop *loop;
    struct ir_inst *load;
    const struct aff *address; /* of the load, without its offset */
    uint32_t depth;
    struct ir_value *init[PLAN_MAX_DELAY];
    uint32_t access; /* in plan.accesses */
};

/* One condition under which a carried value is replaced. */
struct plan_step {
    struct ir_value *cond;
    bool when_true;
    struct ir_value *value; /* what it is replaced with; NULL: not needed */
};

/* A reduction (reduce.h). */
struct plan_reduce {
    struct off_reduce
        desc;          /* of a v128: of its lower half; the entry behind it has that of the upper, and else nothing */
    enum ir_type type; /* of the value; of a flag: i32, or v128 for one of each lane */
    struct ir_value *param; /* of the root; NULL: a flag */
    struct ir_value *next;  /* its value after the iteration */
    struct ir_value *start; /* what workers start from; NULL: start_bits */
    union ir_bits start_bits;
    struct plan_step *steps; /* FLAG: set when one of these is taken, or takes a NaN */
    uint32_t nsteps;
    bool for_nan;
};

/* A parameter of a loop that is a vector of integers and moves by `step` in each iteration (plan_vector.c). */
struct plan_motion {
    struct ir_value *param;
    enum ir_op add;
    struct ir_value *init, *step; /* from before the nest */
};

enum { PLAN_MAX_SINKS = 16, PLAN_MAX_KEPT = 8 };

/* A store of what a reduction has come to so far, each time to the same place.  The host stores the last one. */
struct plan_sink {
    struct ir_inst *store;
    const struct aff *address; /* without its offset */
    uint32_t reduce;           /* the reduction whose result it stores; OFF_NO_REDUCE: a later one overwrites it */
};

struct plan {
    struct arena *arena; /* as long as the plan */
    struct arena *text;  /* for `detail` */
    struct aff_ctx *aff;
    struct loop *root;
    struct loop *chain[OFF_MAX_GRID]; /* the parallel loops, outermost first; chain[0] is the root */
    uint32_t nchain, ndims;
    struct plan_dim dims[OFF_MAX_DIMS]; /* the chain's come first */
    uint8_t axis_of[OFF_MAX_GRID];      /* grid axis of each chain loop */
    uint8_t gather_stream, partials_stream;
    bool declared;  /* the root is marked (declare.h) */
    bool in_order;  /* off_kernel.in_order */
    bool splits;    /* the loop is split: a kernel for what it stores, and a rest (split.h) */
    bool flat;      /* workers run all points of the chain, in order: private memory is written sometimes */
    bool long_loop; /* an inner loop may run for long */
    struct plan_access *accesses;
    uint32_t naccesses, accesses_cap;
    struct ir_inst **gathers; /* loads whose addresses depend on data: checked in the kernel (inspect.h) */
    uint32_t ngathers, gathers_cap;
    uint64_t gather_reach; /* their greatest offset + width */
    /* Globals (bit k: k < 64) that are written, and back to what they were at the end of each iteration. */
    uint64_t restored;
    uint32_t nchecked; /* operations that may trap, checked likewise */
    struct off_range ranges[OFF_MAX_RANGES];
    uint32_t nranges;
    struct off_stream streams[OFF_MAX_STREAMS];
    uint32_t nstreams;
    struct plan_slot slots[OFF_MAX_SLOTS];
    uint32_t nslots;
    uint32_t conditions[OFF_MAX_SLOTS];
    uint32_t nconditions;
    struct plan_delay delays[PLAN_MAX_DELAYS];
    uint32_t ndelays;
    struct plan_private privates[PLAN_MAX_PRIVATES];
    uint32_t nprivates;
    struct plan_reduce reduces[OFF_MAX_REDUCES];
    uint32_t nreduces;
    uint8_t *marks; /* by value id: what depends on carried values, and more of split.c; NULL: none does */
    struct ir_inst *kept[PLAN_MAX_KEPT]; /* stores whose values the rest loads */
    struct plan_sink sinks[PLAN_MAX_SINKS];
    uint32_t nkept, nsinks;
    struct plan_final *finals;
    uint32_t nfinals;

    /* when there is no plan */
    enum off_reject reject;
    const char *detail, *hint; /* off_loop_report */
    uint32_t at;
};

/* Plans the nest of `root`.  True: a plan.  False: p->reject, p->at, p->detail and p->hint say why.  In both cases the
 * caller ends with plan_end, before it looks at another nest.  `scratch` must outlive the plan; `text` holds the
 * detail. */
bool plan_nest(struct plan *p, struct arena *scratch, struct arena *text, struct loop *root);
void plan_end(struct plan *p);
/* Whether the nest's counts are constants so small that no launch can pay. */
bool plan_is_short(const struct plan *p);

/* plan_body.c: whether control never comes behind the instruction, so that `unreachable` behind it is no trap. */
bool plan_diverges(const struct ir_inst *i);

/* split.c: whether the parameter of the root is a serial value of a loop that is split. */
bool plan_is_serial(const struct plan *p, const struct ir_value *param);
/* reduce.c: the reduction of a root's parameter; NULL when it is none. */
bool plan_is_sink(const struct plan *p, const struct ir_inst *i);
const struct plan_reduce *plan_reduce_of(const struct plan *p, const struct ir_value *param);

/* plan_vector.c: whether parameter `index` of `l` is one; and its value in iteration `iteration` (i32), at b, with init
 * and step as they are there. */
bool plan_find_motion(const struct plan *p, const struct loop *l, uint32_t index, struct plan_motion *out);
struct ir_value *plan_emit_motion(struct ir_builder *b, const struct plan_motion *s, struct ir_value *init,
                                  struct ir_value *step, struct ir_value *iteration);

/* plan_streams.c: groups the accesses into streams.  False when there are too many. */
bool plan_assign_streams(struct plan *p);

#endif
