/* Loops that fall into a trap; see trap_loops.h. */
#include "ir/offload/trap_loops.h"

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/offload/trap_tails.h"

enum { MAX_TAIL = 8 };

/* The `if` at the end of the loop one side of which goes on and the other falls out; *out_on is the side that goes on.
 */
static struct ir_inst *last_choice(struct ir_inst *loop, unsigned *out_on) {
    struct ir_region *r = loop->regions[0];
    struct ir_inst *i = r->last->op == IR_YIELD ? r->last->prev : NULL;
    if (!i || i->op != IR_IF || i->nresults || ir_branches_to(i->regions[0], i) || ir_branches_to(i->regions[1], i))
        return NULL;
    for (unsigned on = 0; on < 2; on++) {
        const struct ir_region *out = i->regions[1 - on];
        if (!ir_falls_out(i->regions[on]) && out->first == out->last && ir_falls_out(out)) {
            *out_on = on;
            return i;
        }
    }
    return NULL;
}

static bool has_trap_behind(const struct ir_inst *loop) {
    if (!loop->next || !trap_tail_holds(loop->next))
        return false;
    uint32_t n = 0;
    for (const struct ir_inst *i = loop->next; i; i = i->next)
        n++;
    return n <= MAX_TAIL;
}

/* `tail`: what stands behind the loop. */
static void turn(struct ir_inst *loop, struct ir_inst *tail, struct ir_inst *choice, unsigned on,
                 struct arena *scratch) {
    struct ir_inst *yield = loop->regions[0]->last;
    struct ir_region *body = loop->regions[0], *side = choice->regions[on];
    struct ir_builder b = ir_builder_before(choice);
    b.wasm_offset = choice->wasm_offset;
    struct ir_inst *check = ir_build_if(&b, choice->operands[0], NULL, 0);
    struct ir_builder trap = ir_builder_at_end(check->regions[1 - on]), fine = ir_builder_at_end(check->regions[on]);
    trap.wasm_offset = fine.wasm_offset = choice->wasm_offset;
    struct ir_map *map = ir_map_new(scratch);
    for (uint32_t k = 0; k < loop->nresults; k++)
        ir_map_set(map, &loop->results[k], yield->operands[k]);
    const struct ir_inst *i = tail;
    do
        ir_clone_inst(&trap, i, map);
    while ((i = i->next));
    ir_build_yield(&fine, NULL, 0);
    struct ir_builder after = ir_builder_before(tail);
    after.wasm_offset = tail->wasm_offset;
    while (side->first)
        ir_inst_move_to_end(side->first, body);
    ir_inst_remove(yield);
    ir_inst_remove(choice);
    ir_cut_after(ir_build(&after, IR_UNREACHABLE, NULL, 0, NULL, 0));
}

static bool visit(struct ir_region *r, struct arena *scratch) {
    bool changed = false;
    ir_foreach_inst_safe (i, r) {
        ir_foreach_region (inner, i)
            changed |= visit(inner, scratch);
        unsigned on;
        struct ir_inst *choice = i->op == IR_LOOP && has_trap_behind(i) ? last_choice(i, &on) : NULL;
        if (!choice)
            continue;
        turn(i, i->next, choice, on, scratch);
        return true; /* nothing else is left behind the loop */
    }
    return changed;
}

bool trap_loops_turn(struct ir_func *f) {
    struct arena scratch = {0};
    bool changed = visit(f->body, &scratch);
    arena_free(&scratch);
    return changed;
}
