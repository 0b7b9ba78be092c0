/* Private to the re-rolling of loops (reroll.h). */
#ifndef WASMETAL_IR_OFFLOAD_REROLL_IMPL_H
#define WASMETAL_IR_OFFLOAD_REROLL_IMPL_H

#include "ir/analysis/affine.h"
#include "ir/ir_build.h"
#include "ir/offload/reroll.h"

/* ---- sums of values (reroll_lin.c) ---- */

enum { LIN_MAX_TERMS = 12 };

/* c + sum of coef * v, modulo 2^32 (or 2^64: `wide`). */
struct lin {
    bool wide;
    bool ored; /* part of it is an `or` with bits that are 0 in every iteration */
    uint32_t n;
    struct lin_term {
        struct ir_value *v;
        uint64_t coef;
    } t[LIN_MAX_TERMS];
    uint64_t c;
};

/* False: more terms than there is room for, or no integer. */
bool lin_of(struct ir_value *v, struct lin *out);
bool lin_add(struct lin *a, const struct lin *b, uint64_t times);
bool lin_add_value(struct lin *a, struct ir_value *v, uint64_t times);
/* The coefficient of `v`, whose term goes. */
uint64_t lin_take(struct lin *a, const struct ir_value *v);
bool lin_is_zero(const struct lin *a);
bool lin_equal(const struct lin *a, const struct lin *b);
/* All of a / k, when every part is a multiple of it (as a signed number). */
bool lin_divide(struct lin *a, uint32_t k);
struct ir_value *lin_emit(struct ir_builder *b, const struct lin *a);

/* ---- the same with what the loops around say (reroll_zero.c) ---- */

/* Whether the sum is 0 in all iterations of the nest. */
bool reroll_is_zero(struct aff_ctx *cx, const struct lin *d);

/* ---- a loop that does several elements an iteration (reroll_match.c) ---- */

enum { REROLL_MAX_PARAMS = 24, REROLL_MAX_PAIRS = 1024, REROLL_MAX_COPIES = 16, REROLL_MAX_KNOWN = 8 };

struct reroll_param {
    bool moves; /* an integer that moves by `step` for each element */
    struct lin step;
    struct ir_value
        *carried; /* otherwise: what the first copy hands to the second; NULL: it has no part in the copies */
};

/* That `b` is to another element what `a` is to the first. */
struct reroll_pair {
    struct ir_value *a, *b;
    struct ir_inst *ia, *ib; /* loads and stores */
    uint32_t copy;
};

struct reroll_loop {
    struct loop *loop;
    uint32_t copies;
    struct reroll_param params[REROLL_MAX_PARAMS];
    struct reroll_pair pairs[REROLL_MAX_PAIRS];
    uint32_t npairs;
    struct ir_inst *roots[REROLL_MAX_PAIRS]; /* of the first copy: stores and ifs */
    uint32_t nroots;
};

/* Whether the body is `copies` times the same thing, for neighbouring elements. */
bool reroll_match_copies(struct reroll_loop *u, struct loop *l, uint32_t copies);

/* Whether `v`, of the loop, is a sum of counters and values from outside: matching then took it as such. */
bool reroll_is_sum(const struct reroll_loop *u, struct ir_value *v, struct lin *out);

/* The other loop (or single iteration) of a pair. */
struct reroll_rest {
    struct ir_inst *inst;               /* the whole: a loop, or the if around it */
    struct loop *loop;                  /* NULL: a single iteration */
    struct ir_region *body;             /* of the loop; of the single iteration: the side of the if */
    const struct reroll_loop *unrolled; /* the loop does several elements an iteration itself; NULL: one */
    /* What stands for the values of the pieces at the start of this one: set by the caller. */
    struct aff_ctx *aff; /* NULL: there is no loop around */
    struct lin
        start[REROLL_MAX_PARAMS]; /* of each parameter of the unrolled loop: its value at the first element here */
    struct ir_value *carried[REROLL_MAX_PARAMS];   /* likewise, where it does not move; NULL: not known */
    const struct ir_value *from[REROLL_MAX_KNOWN]; /* results of the piece before: they are `to` */
    struct lin to[REROLL_MAX_KNOWN];
    uint32_t nfrom;
};

/* Whether `rest` does for its elements what one copy of `u` does. */
bool reroll_match_rest(struct reroll_loop *u, struct reroll_rest *rest);

/* How many elements the loop does, from its exit test: continue while `from` + t * `step` REL `to`, in iteration t. */
struct reroll_count {
    struct lin from, to; /* of values from outside the loop */
    uint64_t step;       /* positive: where the counter goes down, from and to are exchanged */
    bool until_equal;    /* continue while they differ; else while from is less than to */
    bool or_equal;
    bool wraps; /* an unsigned test against a bound that goes down: below 0 it would be far above `from` again */
    uint32_t copies;
};
bool reroll_read_count(struct reroll_count *c, struct loop *l, uint32_t copies);

/* Code for that number (i32).  What it holds for is added to *valid (i32, 0 or 1). */
struct ir_value *reroll_emit_count(struct ir_builder *b, const struct reroll_count *c, struct ir_value **valid);

/* The step of parameter `k` of the loop, in one iteration; false: it does not move by a fixed one. */
bool reroll_step_of(struct loop *l, uint32_t k, struct lin *out_step);

#endif
