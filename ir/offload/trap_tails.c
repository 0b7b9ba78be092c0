/* Branches to a trap become the trap.
 *
 * Range checks leave a loop for a place behind it that only traps (Rust's indexing, assertions):
 *
 *     block B {                                   block B {
 *       loop L {                                    loop L {
 *         ...                                         ...
 *         br_if %bad, B                    =>         if %bad { call panic  unreachable } else { yield }
 *         ...                                         ...
 *       }                                           }
 *       return                                      return
 *     }                                           }
 *     call panic                                  call panic
 *     unreachable                                 unreachable
 *
 * The loop is then left in one place only, and a kernel can check the condition before the launch (inspect.h).  Only
 * tails of a few plain instructions are copied, and only for branches that leave a loop. */
#include "ir/offload/trap_tails.h"

#include "ir/ir_build.h"

enum { MAX_TAIL = 8, MAX_COPIES = 64 };

bool trap_tail_holds(const struct ir_inst *i) {
    if (i->parent->last->op != IR_UNREACHABLE)
        return false;
    for (; i; i = i->next) {
        if (ir_nregions(i) || ir_has_flag(i, IR_FLAG_BRANCH) || i->op == IR_RETURN)
            return false;
        if (i->op == IR_UNREACHABLE)
            return true;
    }
    return false;
}

struct tails {
    struct ir_func *func;
    struct arena scratch;
    uint32_t copies;
    bool changed;
};

/* Whether what stands behind `label` is a tail. */
static bool leads_to_trap(const struct ir_inst *label) {
    if (label->op == IR_LOOP || !label->next || !trap_tail_holds(label->next))
        return false;
    uint32_t n = 0;
    for (const struct ir_inst *i = label->next; i; i = i->next)
        n++;
    return n <= MAX_TAIL;
}

static bool leaves_loop(const struct ir_inst *branch) {
    for (const struct ir_inst *i = branch->parent->parent; i && i != branch->target; i = i->parent->parent)
        if (i->op == IR_LOOP)
            return true;
    return false;
}

/* `args`: what the branch passes for the label's results. */
static void copy_tail(struct tails *t, struct ir_builder *b, const struct ir_inst *label,
                      struct ir_value *const *args) {
    struct ir_map *map = ir_map_new(&t->scratch);
    for (uint32_t k = 0; k < label->nresults; k++)
        ir_map_set(map, &label->results[k], args[k]);
    for (const struct ir_inst *i = label->next; i; i = i->next)
        ir_clone_inst(b, i, map);
    t->copies++;
    t->changed = true;
}

static void visit(struct tails *t, struct ir_region *r) {
    ir_foreach_inst_safe (i, r) {
        ir_foreach_region (inner, i)
            visit(t, inner);
        if ((i->op != IR_BR && i->op != IR_BR_IF) || t->copies == MAX_COPIES || !leads_to_trap(i->target) ||
            !leaves_loop(i))
            continue;
        struct ir_builder b = ir_builder_before(i);
        b.wasm_offset = i->wasm_offset;
        if (i->op == IR_BR_IF) {
            struct ir_inst *choice = ir_build_if(&b, i->operands[0], NULL, 0);
            struct ir_builder then = ir_builder_at_end(choice->regions[0]),
                              other = ir_builder_at_end(choice->regions[1]);
            then.wasm_offset = other.wasm_offset = i->wasm_offset;
            copy_tail(t, &then, i->target, i->operands + 1);
            ir_build_yield(&other, NULL, 0);
        } else {
            copy_tail(t, &b, i->target, i->operands);
        }
        ir_inst_remove(i);
    }
}

bool trap_tails_copy(struct ir_func *f) {
    struct tails t = {.func = f};
    visit(&t, f->body);
    arena_free(&t.scratch);
    return t.changed;
}

void trap_tails_cut(struct ir_region *r) {
    ir_foreach_inst (i, r)
        ir_foreach_region (inner, i)
            trap_tails_cut(inner);
    if (r->last->op != IR_UNREACHABLE)
        return;
    while (r->last->prev && trap_tail_holds(r->last->prev))
        ir_inst_remove(r->last->prev);
}
