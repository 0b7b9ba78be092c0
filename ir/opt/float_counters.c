/* Counters kept as floats.
 *
 *     loop L (%i = 0, %x = 0.0) {                   loop L (%i = 0, %k = 0) {
 *       ... f64.div %x, %n ...                        %x = f64.convert_i64_s %k
 *       %y = f64.add %x, 1.0                  =>      ... f64.div %x, %n ...
 *       br_if %c, L(%j, %y)                           %l = i64.add %k, 1
 *                                                     br_if %c, L(%j, %l)
 *     }                                             }
 *
 * Where a loop converts its counter to double, LLVM adds one to a second counter instead (its loop strength reduction
 * calls that a shadow of the integer one).  As a sum of floats it looks like a reduction, whose order is part of the
 * result; but all these sums are whole numbers that a double holds exactly, so it is a counter like the other.
 *
 * The start may be as far from 0 as 2^32 and the step 16 at most, so that the two forms first differ, at 2^53, after
 * 2^48 iterations: more than a day of the shortest loop.
 */
#include <math.h>

#include "ir/analysis/loops.h"
#include "ir/ir_build.h"
#include "ir/opt/pass.h"

#define MAX_START 0x1p32
enum { MAX_STEP = 16 };

/* The constant as a whole number of at most `limit`; -0.0 is none. */
static bool whole(const struct ir_value *v, double limit, int64_t *out) {
    const union ir_bits *c = v->type == IR_F64 ? ir_const_of(v) : NULL;
    if (!c || !(fabs(c->f64) <= limit) || c->f64 != trunc(c->f64) || (c->f64 == 0 && signbit(c->f64)))
        return false;
    *out = (int64_t)c->f64;
    return true;
}

/* The start and step of such a counter. */
static bool is_counter(const struct loop *l, uint32_t index, int64_t *out_start, int64_t *out_step) {
    const struct ir_value *param = l->inst->regions[0]->params[index];
    const struct ir_inst *d = loop_next_value(l, index)->def;
    if (param->type != IR_F64 || !d || !whole(l->inst->operands[index], MAX_START, out_start))
        return false;
    bool added = d->op == IR_F64_ADD;
    if (!added && d->op != IR_F64_SUB)
        return false;
    const struct ir_value *step = d->operands[0] == param            ? d->operands[1]
                                  : added && d->operands[1] == param ? d->operands[0]
                                                                     : NULL;
    if (!step || !whole(step, MAX_STEP, out_step) || !*out_step)
        return false;
    *out_step = added ? *out_step : -*out_step;
    return true;
}

/* The old parameter is left with nothing that uses it: it is passed on as it is. */
static void count(struct loop *l, uint32_t index, int64_t start, int64_t step) {
    struct ir_region *body = l->inst->regions[0];
    struct ir_value *param = body->params[index];
    struct ir_builder b = ir_builder_before(l->inst);
    ir_inst_insert_operand(l->inst, l->inst->noperands, ir_build_i64(&b, (uint64_t)start));
    struct ir_value *counter = ir_region_add_param(body, IR_I64);
    b = ir_builder_before(body->first);
    b.wasm_offset = l->inst->wasm_offset;
    param->fwd = ir_build_simple(&b, IR_F64_CONVERT_I64_S, counter, NULL);
    ir_resolve_operands(body);
    param->fwd = NULL;
    l->back->operands[l->back_first + index] = param;
    b = ir_builder_before(l->back);
    struct ir_value *next = ir_build_simple(&b, IR_I64_ADD, counter, ir_build_i64(&b, (uint64_t)step));
    ir_inst_insert_operand(l->back, l->back->noperands, next);
}

bool opt_float_counters(struct ir_func *f, struct pass_ctx *cx) {
    bool changed = false;
    struct loop_tree *tree = loop_tree_build(&cx->scratch, f);
    for (uint32_t n = 0; n < tree->nloops; n++) {
        struct loop *l = &tree->loops[n];
        if (l->nback_edges != 1 || l->back->op == IR_BR_TABLE)
            continue;
        for (uint32_t k = 0, all = l->inst->noperands; k < all; k++) {
            int64_t start, step;
            if (is_counter(l, k, &start, &step)) {
                count(l, k, start, step);
                changed = true;
            }
        }
    }
    return changed;
}
