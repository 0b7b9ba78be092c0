/* Rebuilding a function instruction by instruction, the frame of the legalisation steps (legalize.h).
 *
 * Control flow is copied; every other instruction goes through the step's rule, which may put anything in its place, or
 * decline and have it copied.  With `split`, a value of a 64-bit type is a pair of i32 in the new function, and block
 * results, loop parameters, branch arguments and function parameters are expanded to match.  A step with other kinds of
 * values in several parts says so by `struct rebuild_parts`.  One forward walk is enough
 * because every use stands after its definition (ir.h).
 */
#ifndef WASMETAL_IR_OFFLOAD_REBUILD_H
#define WASMETAL_IR_OFFLOAD_REBUILD_H

#include "ir/ir.h"
#include "ir/ir_build.h"

struct rebuild_pair {
    struct ir_value *lo, *hi; /* hi is NULL unless the value was split */
};

struct rebuild;

/* How a step passes values through regions, branches and parameters when one value becomes several. */
enum { REBUILD_MAX_PARTS = 16 };
struct rebuild_parts {
    /* The parts that v is passed as; their number. */
    uint32_t (*types)(const struct rebuild *r, const struct ir_value *v, enum ir_type *out);
    void (*get)(struct rebuild *r, const struct ir_value *v, struct ir_value **out);
    /* v, a parameter or result, has arrived as `in`.  For parameters the region is still empty; the builder stands
     * elsewhere. */
    void (*set)(struct rebuild *r, const struct ir_value *v, struct ir_value *const *in);
};

/* True when the rule has built a replacement and entered the results with rebuild_set. */
typedef bool rebuild_rule(struct rebuild *r, struct ir_inst *i);

struct rebuild {
    struct ir_func *src, *dst;
    struct ir_builder b;      /* where the rule builds */
    struct rebuild_pair *map; /* by value id of src */
    bool split;
    const struct rebuild_parts *parts;
    uint32_t flags;   /* for the rule */
    const void *user; /* likewise */
    rebuild_rule *rule;
    struct arena scratch;
};

struct ir_func *rebuild_run(struct ir_func *f, rebuild_rule *rule, bool split, uint32_t flags);
/* The new function belongs to module m. */
struct ir_func *rebuild_run_in(struct ir_module *m, struct ir_func *f, rebuild_rule *rule, bool split, uint32_t flags);
/* As above without splitting; `user` is for the rule. */
struct ir_func *rebuild_with(struct ir_func *f, rebuild_rule *rule, const void *user);

/* Parts as the step wants them. */
struct ir_func *rebuild_with_parts(struct ir_func *f, rebuild_rule *rule, const struct rebuild_parts *parts,
                                   const void *user);

struct rebuild_pair rebuild_get(const struct rebuild *r, const struct ir_value *v);
/* Operand k of i in the new function. */
struct ir_value *rebuild_lo(const struct rebuild *r, const struct ir_inst *i, uint32_t k);
struct ir_value *rebuild_hi(const struct rebuild *r, const struct ir_inst *i, uint32_t k);
void rebuild_set(struct rebuild *r, const struct ir_inst *i, struct ir_value *lo, struct ir_value *hi);

/* Short forms for rules: an operation, and one with a constant second operand. */
struct ir_value *rebuild_op(struct rebuild *r, enum ir_op op, struct ir_value *x, struct ir_value *y);
struct ir_value *rebuild_opi(struct rebuild *r, enum ir_op op, struct ir_value *x, uint32_t y);
struct ir_value *rebuild_op64i(struct rebuild *r, enum ir_op op, struct ir_value *x, uint64_t y);
/* The bits of a float as an integer, and back to a value of type `t`; integers stay as they are. */
struct ir_value *rebuild_to_bits(struct rebuild *r, struct ir_value *v);
struct ir_value *rebuild_from_bits(struct rebuild *r, enum ir_type t, struct ir_value *v);
struct ir_value *rebuild_i32(struct rebuild *r, uint32_t v);
struct ir_value *rebuild_i64(struct rebuild *r, uint64_t v);
struct ir_value *rebuild_select(struct rebuild *r, struct ir_value *cond, struct ir_value *t, struct ir_value *f);

#endif
