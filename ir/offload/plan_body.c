/* What stands in a nest: whether a kernel can run every instruction of it; traps are excluded, guarded by a condition
 * known before the nest, or left to the inspector.
 */
#include "ir/offload/plan_internal.h"

#include "ir/analysis/global_flow.h"
#include "ir/ir_effects.h"
#include "ir/offload/trap_tails.h"
#include "ir/offload/twofold.h"

enum { MAX_NEST_INSTS = 20000 }; /* bounds the size of a kernel */

static bool check_divisor(struct plan *p, struct ir_inst *i) {
    struct ir_value *d = i->operands[1];
    const union ir_bits *c = ir_const_of(d);
    if (c && (d->type == IR_I64 ? c->i64 == 0 : c->i32 == 0))
        return plan_reject(p, OFF_REJECT_TRAP, i, "the divisor is zero");
    if (c || loop_contains_value(p->root, d)) {
        p->nchecked++;
        return true;
    }
    bool is_signed = i->op == IR_I32_DIV_S || i->op == IR_I64_DIV_S;
    return plan_require(p, (struct plan_slot){.kind = PLAN_SLOT_DIVISOR, .value = d, .is_signed = is_signed});
}

static bool type_ok(enum ir_type t) {
    return t == IR_I32 || t == IR_I64 || t == IR_F32 || t == IR_F64 || t == IR_V128;
}

static const char *callee_name(struct plan *p, const struct ir_inst *i) {
    const struct ir_module *m = i->parent->func->module;
    const struct ir_func_entry *e = i->index < m->nfuncs ? &m->funcs[i->index] : NULL;
    return e && e->func ? arena_printf(p->text, "to function %u \"%s\"", i->index, e->func->name) : NULL;
}

/* Whether control never comes behind the instruction: a loop that is left by branches only, and the like.  Such code
 * ends in `unreachable`, which is no trap then. */
bool plan_diverges(const struct ir_inst *i) {
    if (!i || !ir_nregions(i))
        return false;
    ir_foreach_region (r, (struct ir_inst *)i)
        if (ir_falls_out(r) || (i->op != IR_LOOP && ir_branches_to(r, i)))
            return false;
    return true;
}

static bool is_loop_test(const struct loop *first, const struct ir_inst *i) {
    for (const struct loop *l = first; l; l = l->next)
        if (l->test == i || is_loop_test(l->first_child, i))
            return true;
    return false;
}

bool plan_is_test(const struct plan *p, const struct ir_inst *i) {
    return p->root->test == i || is_loop_test(p->root->first_child, i);
}

/* Whether an iteration can do without `i`: it stands behind a condition other than the tests of loops. */
static bool is_conditional(const struct plan *p, const struct ir_inst *i) {
    for (const struct ir_inst *at = i; at != p->root->inst; at = at->parent->parent) {
        for (const struct ir_inst *b = at->prev; b; b = b->prev)
            if (b->op == IR_BR_IF && !plan_is_test(p, b))
                return true;
        if (at->parent->parent->op == IR_IF && !plan_is_test(p, at->parent->parent))
            return true;
    }
    return false;
}

/* All there is to exceptions gives or takes an exnref. */
static bool reject_type(struct plan *p, struct ir_inst *i, enum ir_type t) {
    return plan_reject(p, t == IR_EXNREF ? OFF_REJECT_EXCEPTION : OFF_REJECT_TYPE, i,
                       t == IR_EXNREF ? ir_info(i)->text : ir_type_name[t]);
}

static bool check_inst(struct plan *p, struct plan_scan *s, struct ir_inst *i) {
    if (++s->insts > MAX_NEST_INSTS)
        return plan_reject(p, OFF_REJECT_TOO_COMPLEX, i, "more than 20,000 instructions");
    if (i->op != IR_UNREACHABLE && trap_tail_holds(i))
        return true; /* kernels have nothing of it but the trap */
    for (uint32_t k = 0; k < i->nresults; k++)
        if (!type_ok(i->results[k].type))
            return reject_type(p, i, i->results[k].type);
    for (uint32_t k = 0; k < i->noperands; k++)
        if (!type_ok(i->operands[k]->type))
            return reject_type(p, i, i->operands[k]->type);
    if (ir_is_load(i) || ir_is_store(i)) {
        const struct ir_memory *mem = &i->parent->func->module->memories[i->mem.memory];
        if (mem->limits.shared)
            return plan_reject(p, OFF_REJECT_SHARED_MEMORY, i, NULL);
        if (mem->limits.is64 || i->operands[0]->type != IR_I32)
            return plan_reject(p, OFF_REJECT_MEMORY64, i, NULL);
        if (i->mem.memory != 0)
            return plan_reject(p, OFF_REJECT_TOO_COMPLEX, i, "a memory other than the first");
        if (ir_is_store(i) && !s->stores++)
            s->first_store = i;
        return true;
    }
    if (ir_is_atomic(i) || i->op == IR_ATOMIC_FENCE)
        return plan_reject(p, OFF_REJECT_ATOMIC, i, ir_info(i)->text);
    switch (i->op) {
    case IR_CALL:
    case IR_RETURN_CALL:
        return plan_reject(p, OFF_REJECT_CALL, i, callee_name(p, i));
    case IR_CALL_INDIRECT:
    case IR_RETURN_CALL_INDIRECT:
        return plan_reject(p, OFF_REJECT_CALL_INDIRECT, i, NULL);
    case IR_LAUNCH:
        return plan_reject(p, OFF_REJECT_CALL, i, "a kernel launch");
    case IR_GLOBAL_GET: /* read before the nest */
        return true;
    case IR_GLOBAL_SET:
        if (i->index < 64 && (p->restored >> i->index & 1))
            return true; /* the kernel goes without */
        return plan_reject(p, OFF_REJECT_GLOBAL, i, NULL);
    case IR_MEMORY_SIZE:
    case IR_MEMORY_GROW:
    case IR_MEMORY_COPY:
    case IR_MEMORY_FILL:
    case IR_MEMORY_INIT:
    case IR_DATA_DROP:
        return plan_reject(p, OFF_REJECT_BULK_MEMORY, i, ir_info(i)->text);
    case IR_UNREACHABLE:
        p->nchecked += !plan_diverges(i->prev);
        return true;
    case IR_BR:
    case IR_BR_IF:
    case IR_RETURN:
        p->nchecked += i != p->root->test && loop_is_left_by(p->root, i);
        return true;
    case IR_BLOCK:
    case IR_LOOP:
    case IR_IF:
    case IR_YIELD:
    case IR_BR_TABLE:
    case IR_SELECT:
    case IR_IN_KERNEL:
        return true;
    default:
        break;
    }
    if (ir_op_info[i->op].kind == IR_KIND_SIMPLE) {
        if (!ir_may_trap(i))
            return true;
        switch (i->op) {
        case IR_I32_DIV_S:
        case IR_I32_DIV_U:
        case IR_I32_REM_S:
        case IR_I32_REM_U:
        case IR_I64_DIV_S:
        case IR_I64_DIV_U:
        case IR_I64_REM_S:
        case IR_I64_REM_U:
            return check_divisor(p, i);
        default: /* conversions */
            p->nchecked++;
            return true;
        }
    }
    return ir_is_const(i) || ir_op_info[i->op].kind == IR_KIND_LANES ||
           plan_reject(p, OFF_REJECT_TABLE, i, ir_info(i)->text);
}

/* Globals that `r` writes, as far as there are bits for them. */
static uint64_t globals_written(const struct ir_region *r) {
    uint64_t globals = 0;
    ir_foreach_inst (i, r) {
        if (i->op == IR_GLOBAL_SET && i->index < 64)
            globals |= UINT64_C(1) << i->index;
        ir_foreach_region (inner, i)
            globals |= globals_written(inner);
    }
    return globals;
}

void plan_find_restored(struct plan *p) {
    uint64_t globals = globals_written(p->root->inst->regions[0]);
    for (uint32_t g = 0; globals >> g; g++) {
        bool is_i32 = p->root->inst->parent->func->module->globals[g].type == IR_I32;
        if ((globals >> g & 1) && is_i32 && global_flow_restores(p->root, g))
            p->restored |= UINT64_C(1) << g;
        if (g == 63)
            break;
    }
}

bool plan_check_body(struct plan *p, struct plan_scan *s, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (ir_stops_kernel(i) && is_conditional(p, i)) {
            p->nchecked++;
            return true;
        }
        if (!check_inst(p, s, i))
            return false;
        if (twofold_is(i)) {
            if (!plan_check_body(p, s, i->regions[0]))
                return false;
            continue;
        }
        ir_foreach_region (inner, i)
            if (!plan_check_body(p, s, inner))
                return false;
    }
    return true;
}
