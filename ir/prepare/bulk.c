/* memcpy, memmove, memset and the bulk operations inside a nest.
 *
 *     call memcpy (%to, %from, %n)   =>   if in_kernel {
 *                                           if %n {
 *                                             loop L (%i = 0) {
 *                                               i32.store8 (%to + %i), (i32.load8_u (%from + %i))
 *                                               %j = %i + 1
 *                                               br_if %j <u %n, L(%j)
 *                                             }
 *                                           }
 *                                         } else { call memcpy (%to, %from, %n) }
 *
 * The loop is one like all others: it may join the grid, and the guard proves its ranges to be inside memory.  It gives
 * what a copy gives as long as source and destination do not overlap.  Where the loop is on the grid, the guard's test
 * of points against each other includes that; where it runs inside a point, off_access.copy asks for it.  So memmove
 * and memory.copy of overlapping bytes stay on the host, as does a memcpy of them.
 *
 * A memory.copy or memory.fill of no bytes traps when it begins outside of memory, which a loop would not notice: that
 * case is left to the host, by a trap that the guard or the inspector sees coming.
 *
 * The host keeps the original, since a loop would be slower there, and since what a trap leaves in memory is its
 * business. */
#include "ir/prepare/bulk.h"

#include "ir/offload/twofold.h"

enum bulk_kind bulk_kind_of(struct bulk_funcs *funcs, const struct ir_inst *i) {
    const struct ir_module *m = i->parent->func->module;
    if (i->op == IR_MEMORY_COPY && !i->index && !i->index2 && !m->memories[0].limits.is64)
        return BULK_COPY;
    if (i->op == IR_MEMORY_FILL && !i->index && !m->memories[0].limits.is64)
        return BULK_FILL;
    return i->op == IR_CALL && !(i->next && i->next->op == IR_THROWN) ? bulk_funcs_kind(funcs, i->index) : BULK_NONE;
}

static void build_loop(struct ir_builder *b, const struct ir_inst *i, enum bulk_kind kind) {
    const struct ir_mem byte = {.stream = -1};
    struct ir_value *to = i->operands[0], *from = i->operands[1], *count = i->operands[2];
    struct ir_value *zero = ir_build_i32(b, 0);
    struct ir_inst *loop = ir_build_loop(b, &zero, 1, NULL, 0);
    struct ir_builder in = ir_builder_at_end(loop->regions[0]);
    in.wasm_offset = b->wasm_offset;
    struct ir_value *at = loop->regions[0]->params[0];
    struct ir_value *value = from;
    if (kind == BULK_COPY)
        value = ir_build_load(&in, IR_I32_LOAD8_U, ir_build_simple(&in, IR_I32_ADD, from, at), byte);
    ir_build_store(&in, IR_I32_STORE8, ir_build_simple(&in, IR_I32_ADD, to, at), value, byte);
    struct ir_value *next = ir_build_simple(&in, IR_I32_ADD, at, ir_build_i32(&in, 1));
    ir_build_br_if(&in, ir_build_simple(&in, IR_I32_LT_U, next, count), loop, &next, 1);
    ir_build_yield(&in, NULL, 0);
}

void bulk_expand(struct ir_inst *i, enum bulk_kind kind) {
    struct ir_builder b = ir_builder_before(i);
    b.wasm_offset = i->wasm_offset;
    struct ir_inst *either = twofold_build(&b);
    struct ir_builder kernel = ir_builder_at_end(either->regions[0]), host = ir_builder_at_end(either->regions[1]);
    kernel.wasm_offset = host.wasm_offset = i->wasm_offset;
    struct ir_inst *some = ir_build_if(&kernel, i->operands[2], NULL, 0);
    struct ir_builder then = ir_builder_at_end(some->regions[0]), none = ir_builder_at_end(some->regions[1]);
    then.wasm_offset = none.wasm_offset = i->wasm_offset;
    build_loop(&then, i, kind);
    ir_build_yield(&then, NULL, 0);
    if (i->op == IR_CALL)
        ir_build_yield(&none, NULL, 0);
    else
        ir_build(&none, IR_UNREACHABLE, NULL, 0, NULL, 0);
    ir_build_yield(&kernel, NULL, 0);
    struct arena scratch = {0};
    ir_clone_inst(&host, i, ir_map_new(&scratch));
    arena_free(&scratch);
    ir_build_yield(&host, NULL, 0);
    if (i->nresults) /* all of these functions give back the first operand */
        i->results[0].fwd = i->operands[0];
    ir_inst_remove(i);
}
