/* What the parts of the affine analysis share; see affine.h. */
#ifndef WASMETAL_IR_ANALYSIS_AFFINE_INTERNAL_H
#define WASMETAL_IR_ANALYSIS_AFFINE_INTERNAL_H

#include "ir/analysis/affine.h"
#include "ir/offload/kernel.h"

enum { AFF_MAX_EDGES = 4 };

struct aff_edges { /* where values come together at the end of a block or if */
    uint32_t n;
    bool too_many;
    struct ir_inst *from[AFF_MAX_EDGES];
    uint32_t first[AFF_MAX_EDGES]; /* index of the first passed operand */
};

struct aff_ctx {
    struct arena *arena;
    struct loop *root;
    struct aff_sym syms[AFF_MAX_SYMS];
    uint32_t nsyms;
    struct ir_value **touched; /* values whose note is set */
    uint32_t ntouched, touched_cap;
    struct ir_inst **noted; /* blocks whose note holds their edges */
    uint32_t nnoted, noted_cap;
    uint32_t depth; /* recursion of aff_of */
    struct aff_hoist *hoists, **hoists_end;
    uint32_t nhoisted_loads, nhoisted_operations;
    bool all_loads_hoisted; /* no more of them: what is to be read before the nest has been decided */
    struct aff_equality *equalities;
    bool counter_must_not_wrap;
};

extern const struct aff aff_unknown; /* the note of a value that is no polynomial */
#define AFF_UNKNOWN ((void *)&aff_unknown)

struct aff_comparison {
    uint16_t op;
    uint8_t rel;     /* continue while a REL b */
    uint8_t negated; /* rel of !(a op b) */
    uint8_t swapped; /* rel of (b op a) */
};

#define AFF_EQ 255 /* only on the way to its negation */

struct aff *aff_new(struct aff_ctx *cx, unsigned bits, uint32_t nterms);
const struct aff *aff_symbol_expr(struct aff_ctx *cx, unsigned bits, struct aff_sym s);
/* x | c as a sum, where the bits of c are known to be 0 in x; else NULL. */
const struct aff *aff_disjoint_or(struct aff_ctx *cx, const struct aff *x, uint64_t c);
/* affine_lanes.c: what i32x4.extract_lane or i64x2.extract_lane gives. */
const struct aff *aff_extracted_lane(struct aff_ctx *cx, struct ir_inst *extract);
/* Modulo 2^32; NULL in, NULL out. */
const struct aff *aff_truncated(struct aff_ctx *cx, const struct aff *a);
bool aff_fixed_in_loop(const struct aff_ctx *cx, const struct aff *a, const struct loop *l);
uint64_t aff_mask_of(unsigned bits);
const struct aff_comparison *aff_find_comparison(unsigned op);
void aff_solve_reloaded(struct aff_ctx *cx, struct loop *l, const struct aff **out);
void aff_remember(struct aff_ctx *cx, struct ir_value *v, const struct aff *a);
unsigned aff_bits_of(const struct ir_value *v);
const struct aff *aff_passed_value(struct aff_ctx *cx, struct ir_inst *from, struct ir_value *v,
                                   const struct ir_inst *label);
void aff_forget_from(struct aff_ctx *cx, uint32_t first);
/* Equal, or to be found equal before the launch. */
bool aff_taken_as_equal(const struct aff_ctx *cx, const struct aff *a, const struct aff *b);
/* affine_shift.c: a shift to the right of a counter by what its steps are multiples of; NULL: it is another. */
const struct aff *aff_shifted_counter(struct aff_ctx *cx, struct ir_inst *i);
/* No factor is so large that the sum looks like a hash rather than a place. */
bool aff_counts_slowly(const struct aff *a);
/* The symbol of a ranged value, or of one that is computed alike from the same numbers. */
const struct aff *aff_range_symbol(struct aff_ctx *cx, struct ir_value *v, uint32_t which);
/* affine_hoist.c: what a pure integer operation on numbers known before the nest gives; NULL: it is another. */
const struct aff_hoist *aff_hoist_operation(struct aff_ctx *cx, struct ir_inst *i);
const struct aff_edges *aff_edges_of(struct aff_ctx *cx, struct ir_inst *label);

#endif
