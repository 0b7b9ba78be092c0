/* Private to the re-rolling of loops: the function under work and the pieces of it. */
#ifndef WASMETAL_IR_OFFLOAD_REROLL_BUILD_H
#define WASMETAL_IR_OFFLOAD_REROLL_BUILD_H

#include "ir/offload/reroll_impl.h"

enum { REROLL_MAX_REPLACED = 16 };

struct reroll_site {
    struct ir_func *func;
    struct arena *scratch;
    struct ir_inst *top;    /* what is computed before everything goes in front of it */
    struct ir_map *at_top;  /* values to their copies there */
    struct ir_value *valid; /* i32: whether all numbers of elements are right; NULL: always */
    struct aff_ctx *aff;    /* of the loop around the pieces; NULL: there is none */
    struct reroll *out;
    struct ir_value *replaced[REROLL_MAX_REPLACED], *by[REROLL_MAX_REPLACED];
    uint32_t nreplaced;
    bool broken; /* given up half-way: the function is of no use */
};

/* A loop or a single iteration, perhaps in an `if`. */
struct reroll_piece {
    struct ir_inst *inst;
    struct ir_region *region; /* the side of the `if` that holds it; NULL: no `if` */
    unsigned side;
    struct loop *loop; /* NULL: a single iteration */
};

bool reroll_read_piece(struct reroll_piece *p, const struct loop_tree *tree, struct ir_inst *i);

/* `v` computed at the top of the function; NULL: it depends on what comes later. */
struct ir_value *reroll_top_value(struct reroll_site *x, struct ir_value *v);

/* Makes one loop of both pieces; false: they do not fit, and nothing has changed. */
bool reroll_join(struct reroll_site *x, struct reroll_loop *u, const struct reroll_piece *pu,
                 const struct reroll_piece *pv, bool u_first);
/* The same for the unrolled loop `pu` in an `if`, and behind it the loop `pv` that would do all elements by itself if
 * the other did not run: then whether that one runs does not matter, nor how many elements it does.  Not NULL: `odd`,
 * what does some elements one by one between them, and `pairs`, the loop of `pv`, which does several an iteration. */
bool reroll_join_twins(struct reroll_site *x, struct reroll_loop *u, const struct reroll_piece *pu,
                       const struct reroll_piece *odd, const struct reroll_piece *pv, const struct reroll_loop *pairs);

/* Rolls the loop where it stands. */
bool reroll_alone(struct reroll_site *x, struct reroll_loop *u);

#endif
