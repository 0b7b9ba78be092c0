/* Values as polynomials over loop iteration numbers and values known before the nest.
 *
 * A nest is one loop (the root) with everything inside.  A value computed inside it is written as
 *
 *     sum of  coefficient * symbol * symbol * ...      modulo 2^32 (or 2^64)
 *
 * where a symbol is a value defined outside the root, the iteration number of a loop of the nest (0 for its first
 * iteration), a choice: 0 or 1, picking one of two values that meet at the end of a block, or a ranged value: one that
 * is no polynomial but whose least and greatest value can be computed before the nest, such as a clamped coordinate or
 * a byte loaded from a table.  A loop parameter p that is passed on as p + s, s not varying in the loop, is init + s *
 * iteration; so strength-reduced pointers and counters in either direction come out alike.  Modular arithmetic makes
 * every step exact: no assumption about wrapping is made here, the run-time guard checks the ranges.
 *
 * Why not only "base + constant * i": steps are often run-time values (row strides), and pointers that meet after an
 * unrolled loop and its remainder are sums of several such terms.
 */
#ifndef WASMETAL_IR_ANALYSIS_AFFINE_H
#define WASMETAL_IR_ANALYSIS_AFFINE_H

#include "ir/analysis/loops.h"
#include "ir/ir_build.h"

enum { AFF_MAX_TERMS = 12, AFF_MAX_DEGREE = 4, AFF_MAX_SYMS = 128 };

enum aff_sym_kind { AFF_VALUE, AFF_ITER, AFF_CHOICE, AFF_RANGE };

struct aff_sym {
    enum aff_sym_kind kind;
    struct ir_value *value; /* AFF_VALUE, AFF_RANGE */
    struct loop *loop;      /* AFF_ITER */
    struct ir_inst *merge;  /* AFF_CHOICE: the block or if; `which` its incoming edge (from 1) */
    uint32_t which;         /* AFF_RANGE: the symbol stands for the value shifted right by this many bits */
};

struct aff_term {
    uint64_t coef;
    uint8_t degree;
    uint8_t syms[AFF_MAX_DEGREE]; /* ascending */
};

/* Terms are sorted by symbols, no two alike, no zero coefficient; the constant is the term of degree 0. */
struct aff {
    uint8_t bits; /* 32 or 64 */
    uint32_t nterms;
    struct aff_term terms[];
};

/* A value that the nest reads from memory or a global again and again, though no part of its address changes: read once
 * before the nest, it is a symbol like any other, provided that nothing in the nest writes there.  Made on demand. */
struct aff_hoist {
    struct ir_inst *inst;   /* a load, global.get, or operation on two such values; the first of those alike */
    struct ir_value *value; /* stands for what is read before the nest: no instruction gives it */
    const struct aff
        *base; /* of a load: the address, without the offset of the memarg; of an operation: the left side */
    const struct aff *other; /* of an operation: the right side */
    struct aff_hoist *next;  /* later made */
};

struct aff_ctx;

/* For one nest.  Uses ir_value.note and ir_inst.note of what is inside the root until aff_end. */
struct aff_ctx *aff_begin(struct arena *scratch, struct loop *root);
void aff_end(struct aff_ctx *cx);

/* The polynomial of an integer value that is in scope inside the root or defined outside it; NULL when it is none. */
const struct aff *aff_of(struct aff_ctx *cx, struct ir_value *v);

/* A condition as a value from before the nest: itself, or what stands for it when it compares such values; else NULL.
 */
struct ir_value *aff_known_cond(struct aff_ctx *cx, struct ir_value *cond);

/* Such a condition as 0 or 1. */
struct ir_value *aff_known_truth(struct aff_ctx *cx, struct ir_value *cond);

/* Two numbers that are known before the nest and that everything here takes to be equal: a value loaded in front of the
 * nest and the same place read in each iteration.  The launch has to ask. */
struct aff_equality {
    const struct aff *a, *b;
    struct aff_equality *next;
};
const struct aff_equality *aff_equalities(const struct aff_ctx *cx);

/* Whether some polynomial so far holds only where the guard lets a launch go: an equality is to be asked for, or a
 * counter must not wrap. */
bool aff_assumes(const struct aff_ctx *cx);

/* All that were made so far, first made first: a later one's address may depend on an earlier one's value. */
const struct aff_hoist *aff_hoists(const struct aff_ctx *cx);
/* That of a load or global.get inside the nest; NULL: it was never asked for as a number, or it varies.  `make`: also
 * makes one, of any type. */
const struct aff_hoist *aff_hoist_of(struct aff_ctx *cx, struct ir_inst *i, bool make);
/* From now on no load becomes one that was none: for whoever goes by which loads are read before the nest. */
void aff_end_hoisting(struct aff_ctx *cx);

const struct aff *aff_const(struct aff_ctx *cx, unsigned bits, uint64_t c);
const struct aff *aff_add(struct aff_ctx *cx, const struct aff *a, const struct aff *b); /* NULL in, NULL out */
const struct aff *aff_sub(struct aff_ctx *cx, const struct aff *a, const struct aff *b);
const struct aff *aff_mul(struct aff_ctx *cx, const struct aff *a, const struct aff *b);
const struct aff *aff_scale(struct aff_ctx *cx, const struct aff *a, uint64_t c);
bool aff_equal(const struct aff *a, const struct aff *b);
bool aff_is_const(const struct aff *a, uint64_t *out);
/* The constant term. */
uint64_t aff_const_term(const struct aff *a);
/* Without its constant term. */
const struct aff *aff_drop_const(struct aff_ctx *cx, const struct aff *a);

uint32_t aff_nsyms(const struct aff_ctx *cx);
const struct aff_sym *aff_sym(const struct aff_ctx *cx, uint32_t sym);
/* The symbol of a loop's iteration number; -1 when nothing depends on it. */
int aff_iter_sym(const struct aff_ctx *cx, const struct loop *l);
bool aff_has_sym(const struct aff *a, uint32_t sym);
/* Only symbols of kind AFF_VALUE: known before the nest. */
bool aff_is_invariant(const struct aff_ctx *cx, const struct aff *a);
/* a = *out_coef * sym + *out_rest, neither containing sym; false when a is not linear in it. */
bool aff_split(struct aff_ctx *cx, const struct aff *a, uint32_t sym, const struct aff **out_coef,
               const struct aff **out_rest);

/* One side of a select: the values of `value`, those that compare with `bound` as `restriction` says when there is one,
 * and of these the minimum or maximum with `limit` when there is an `extremum`. */
struct aff_side {
    const struct aff *value, *bound, *limit;
    uint8_t restriction; /* OFF_RANGE_LT_S to GE_S; 0: none */
    uint8_t extremum;    /* OFF_RANGE_MIN_S to MAX_U; 0: none */
};

/* What bounds the symbol of a ranged value (kernel.h says what the operations mean).  CONST: lo to hi; UNION: of both
 * sides; SHIFT: of a, by lo (the symbol of x & -8 stands for x >> 3); else: of a and b. */
struct aff_range {
    uint8_t op; /* enum off_range_op */
    int32_t lo, hi;
    const struct aff *a, *b;
    struct aff_side sides[2];
};
bool aff_range_of(struct aff_ctx *cx, struct ir_value *v, struct aff_range *out);

/* `cond` being true (or false) says that a polynomial is at least a constant, signed or unsigned; false: it does not.
 */
struct aff_at_least {
    const struct aff *expr;
    uint64_t least;
    bool is_signed;
};
bool aff_at_least_when(struct aff_ctx *cx, struct ir_value *cond, bool is_true, struct aff_at_least *out);
/* m when the value is x & -2^m, else 0. */
unsigned aff_multiple_of(const struct ir_value *v);
/* A polynomial that is not zero when `cond` is true (or false); NULL when that tells nothing. */
const struct aff *aff_nonzero_when(struct aff_ctx *cx, struct ir_value *cond, bool is_true);

/* Code for an invariant polynomial (also one with iteration symbols, when sym_value gives values for those; symbols are
 * mapped through `map` when not NULL). */
struct ir_value *aff_emit(struct aff_ctx *cx, struct ir_builder *b, const struct aff *a, struct ir_map *map,
                          struct ir_value *const *sym_values);

/* How often a loop runs, as the descriptor in kernel.h wants it: continue while t REL bound, t = init + k * step. */
struct aff_trip {
    uint8_t rel; /* enum off_trip_rel */
    uint8_t bits;
    bool top_tested;
    const struct aff *init, *step, *bound; /* bound 0 for tests against zero */
};
/* False when the loop's counted exit cannot be read. */
bool aff_trip_of(struct aff_ctx *cx, struct loop *l, struct aff_trip *out);

/* `a` at the moment loop `l` is left through its counted exit; NULL when that is no polynomial. */
const struct aff *aff_at_exit(struct aff_ctx *cx, struct loop *l, const struct aff *a);

#endif
