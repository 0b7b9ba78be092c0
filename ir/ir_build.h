/* Making and editing IR.  A builder is an insertion point: new instructions go before `before`, or at the end of
 * `region` when that is NULL.  `wasm_offset` is stamped on each.  Nothing fails: running out of memory ends the
 * process, and misuse is an ICE. */
#ifndef WASMETAL_IR_BUILD_H
#define WASMETAL_IR_BUILD_H

#include "ir/ir.h"

struct ir_builder {
    struct ir_func *func;
    struct ir_region *region;
    struct ir_inst *before;
    uint32_t wasm_offset;
};

struct ir_module *ir_module_new(void);
void ir_module_free(struct ir_module *m); /* the functions' and kernels' arenas too; NULL is fine */
/* A function with an empty body whose parameters follow `sig` (copied).  Not entered in any table. */
struct ir_func *ir_func_new(struct ir_module *m, const char *name, const struct ir_sig *sig);
void ir_func_free(struct ir_func *f);

struct ir_builder ir_builder_at_end(struct ir_region *r);
struct ir_builder ir_builder_before(struct ir_inst *i);

struct ir_region *ir_region_new(struct ir_func *f, struct ir_inst *parent);
struct ir_value *ir_region_add_param(struct ir_region *r, enum ir_type type);

/* The general form.  result_types may be NULL when nresults is 0; operands are copied. */
struct ir_inst *ir_build(struct ir_builder *b, enum ir_op op, const enum ir_type *result_types, uint32_t nresults,
                         struct ir_value *const *operands, uint32_t noperands);

/* Simple operations by signature; `b` and `c` NULL where the operation takes fewer.  Returns the result. */
struct ir_value *ir_build_simple(struct ir_builder *b, enum ir_op op, struct ir_value *x, struct ir_value *y);
struct ir_value *ir_build_const(struct ir_builder *b, enum ir_type type, union ir_bits bits);
struct ir_value *ir_build_i32(struct ir_builder *b, uint32_t v);
struct ir_value *ir_build_i64(struct ir_builder *b, uint64_t v);
struct ir_value *ir_build_select(struct ir_builder *b, struct ir_value *t, struct ir_value *f, struct ir_value *cond);
struct ir_value *ir_build_load(struct ir_builder *b, enum ir_op op, struct ir_value *addr, struct ir_mem mem);
struct ir_inst *ir_build_store(struct ir_builder *b, enum ir_op op, struct ir_value *addr, struct ir_value *value,
                               struct ir_mem mem);

/* Regions are made empty (loop parameters added to match `init`). */
struct ir_inst *ir_build_block(struct ir_builder *b, const enum ir_type *results, uint32_t n);
struct ir_inst *ir_build_if(struct ir_builder *b, struct ir_value *cond, const enum ir_type *results, uint32_t n);
struct ir_inst *ir_build_loop(struct ir_builder *b, struct ir_value *const *init, uint32_t ninit,
                              const enum ir_type *results, uint32_t n);
struct ir_inst *ir_build_yield(struct ir_builder *b, struct ir_value *const *values, uint32_t n);
struct ir_inst *ir_build_br(struct ir_builder *b, struct ir_inst *target, struct ir_value *const *args, uint32_t n);
struct ir_inst *ir_build_br_if(struct ir_builder *b, struct ir_value *cond, struct ir_inst *target,
                               struct ir_value *const *args, uint32_t n);
/* args: all targets' arguments, one after the other. */
struct ir_inst *ir_build_br_table(struct ir_builder *b, struct ir_value *index, struct ir_inst *const *targets,
                                  uint32_t ntargets, struct ir_value *const *args, uint32_t nargs);
struct ir_inst *ir_build_return(struct ir_builder *b, struct ir_value *const *values, uint32_t n);

void ir_inst_remove(struct ir_inst *i);                              /* unlinks it; its values must be unused */
void ir_inst_move_before(struct ir_inst *i, struct ir_inst *before); /* `before` may be in another region */
void ir_inst_move_to_end(struct ir_inst *i, struct ir_region *r);
void ir_cut_after(struct ir_inst *i); /* removes everything behind it in its region */
/* New operand array (copied). */
void ir_inst_set_operands(struct ir_inst *i, struct ir_value *const *operands, uint32_t n);
/* `v` becomes operand `at`, those from there on move up; at == i->noperands appends. */
void ir_inst_insert_operand(struct ir_inst *i, uint32_t at, struct ir_value *v);
uint32_t ir_count_insts(const struct ir_region *r); /* those of inner regions too */
/* Keeps only the results where keep[k]; loop parameters, yields and branch arguments are the caller's to adjust.  Kept
 * results move: each old value's `fwd` names the new one until the caller has rewritten the uses through ir_resolve. */
void ir_inst_drop_results(struct ir_inst *i, const bool *keep);

/* Value map for cloning: from value to value of the copy; values not in it map to themselves. */
struct ir_map;
struct ir_map *ir_map_new(struct arena *scratch);
void ir_map_set(struct ir_map *m, const struct ir_value *from, struct ir_value *to);
struct ir_value *ir_map_get(const struct ir_map *m, struct ir_value *v);
/* Copies `i` with its regions to the builder's place, mapping operands and branch targets through `m` and entering its
 * results.  Targets outside the copied part stay.  The builder's function may differ from i's. */
struct ir_inst *ir_clone_inst(struct ir_builder *b, const struct ir_inst *i, struct ir_map *m);
/* Lets branches to `from` in later clones go to `to`. */
void ir_map_set_label(struct ir_map *m, const struct ir_inst *from, struct ir_inst *to);

#endif
