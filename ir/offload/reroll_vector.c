/* Nests with vectorised loops, made fit for rolling.
 *
 * A compiler's vectoriser leaves a loop on v128 and, behind it, the loop it began with, for the elements left over and
 * for all of them where its own test says that arrays overlap:
 *
 *     block B {                                   %s = if %c {
 *       %s = if %c {                                loop ... f32.load, f32.load offset=4, ... f32.store, ...
 *         loop ... v128.load ... v128.store         yield %n4
 *         br_if %all, B                           } else { yield 0 }
 *         yield %n4                         =>    if (%c and %all ? 0 : 1) {
 *       } else { yield 0 }                          loop ... f32.load ... f32.store      from %s on
 *       loop ... f32.load ... f32.store           }
 *     }
 *
 * Taken apart into lanes, the vector loop is an unrolled loop like any other, copies for neighbouring elements, and
 * the loop behind it is its remainder. */
#include "ir/offload/reroll_vector.h"

#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/offload/legalize.h"
#include "ir/offload/reroll_tidy.h"

enum { MAX_INSTS = 1000, MAX_CLONES = 16 };

/* ---- loads of lanes that nobody wants ---- */

/* Whether `i` is an access that goes as far as the load does, from the same address. */
static bool reaches_as_far(const struct ir_inst *i, const struct ir_inst *load) {
    if (i->operands[0] != load->operands[0] || i->mem.memory != load->mem.memory)
        return false;
    uint64_t own = i->mem.offset, other = load->mem.offset;
    unsigned bytes = ir_info(i)->bytes, wanted = ir_info(load)->bytes;
    return own >= other ? own - other >= wanted || own - other + bytes >= wanted
                        : other - own <= bytes && other - own + wanted <= bytes;
}

/* Whether the load cannot trap without some other access beside it doing so, with nothing between that could leave or
 * let memory grow. */
static bool is_in_bounds_anyway(const struct ir_inst *load) {
    for (unsigned behind = 0; behind < 2; behind++)
        for (const struct ir_inst *i = behind ? load->next : load->prev; i; i = behind ? i->next : i->prev) {
            bool access = ir_is_load(i) || ir_is_store(i);
            if (ir_nregions(i) || (!access && !ir_is_pure(i)))
                break;
            if (access && reaches_as_far(i, load))
                return true;
        }
    return false;
}

static void drop_unused(struct ir_region *r, bool *used) {
    for (struct ir_inst *i = r->last, *prev; i; i = prev) {
        prev = i->prev;
        ir_foreach_region (inner, i)
            drop_unused(inner, used);
        bool wanted = ir_is_load(i) ? !is_in_bounds_anyway(i) : !ir_is_pure(i) || ir_nregions(i);
        for (uint32_t k = 0; k < i->nresults; k++)
            wanted |= used[i->results[k].id];
        for (uint32_t k = 0; k < i->noperands && wanted; k++)
            used[i->operands[k]->id] = true;
        if (!wanted)
            ir_inst_remove(i);
    }
}

/* ---- blocks that are left behind the vector loop ---- */

static bool is_plain_pure(const struct ir_inst *i) {
    return ir_is_pure(i) && !ir_nregions(i);
}

/* The branch to `block` that ends a side of `choice`, with nothing but pure operations behind it. */
static struct ir_inst *find_leave(const struct ir_inst *choice, const struct ir_inst *block, unsigned *out_side) {
    struct ir_inst *leave = NULL;
    for (unsigned side = 0; side < 2; side++) {
        const struct ir_region *r = choice->regions[side];
        if (!ir_falls_out(r))
            return NULL;
        ir_foreach_inst (i, r) {
            if (leave && r == leave->parent && i->op != IR_YIELD && !is_plain_pure(i))
                return NULL;
            if (i->op == IR_BR_IF && i->target == block && !leave) {
                leave = i;
                *out_side = side;
            } else if (i->op == IR_BR_IF || i->op == IR_BR || i->op == IR_BR_TABLE) {
                return NULL;
            }
            ir_foreach_region (inner, i)
                if (ir_branches_to(inner, block))
                    return NULL;
        }
    }
    return leave;
}

/* Whether everything behind `choice` can do with a condition of its own. */
static bool can_depend(const struct ir_inst *choice, const struct ir_inst *block) {
    const struct ir_inst *i = choice->next;
    for (; i && i->op != IR_YIELD; i = i->next) {
        if (is_plain_pure(i) || (i->op == IR_BR_IF && i->target == block))
            continue;
        if (i->op != IR_IF && (i->op != IR_LOOP || i->nresults))
            return false;
        ir_foreach_region (inner, (struct ir_inst *)i)
            if (ir_branches_to(inner, block))
                return false;
    }
    return i && !i->next;
}

/* `v`, as it is in front of `choice`; NULL: it is not known there. */
static struct ir_value *value_before(struct ir_builder *b, struct ir_value *v, const struct ir_region *side,
                                     unsigned *left, struct ir_map *map) {
    if (!v->def || v->def->parent != side || ir_map_get(map, v) != v)
        return ir_map_get(map, v);
    if (!is_plain_pure(v->def) || v->def->nresults != 1 || !*left)
        return NULL;
    --*left;
    for (uint32_t k = 0; k < v->def->noperands; k++)
        if (!value_before(b, v->def->operands[k], side, left, map))
            return NULL;
    return &ir_clone_inst(b, v->def, map)->results[0];
}

static void put_under(struct ir_inst *i, struct ir_value *cond) {
    struct ir_builder b = ir_builder_before(i);
    b.wasm_offset = i->wasm_offset;
    if (i->op == IR_IF) {
        i->operands[0] = ir_build_select(&b, i->operands[0], ir_build_i32(&b, 0), cond);
        return;
    }
    struct ir_inst *choice = ir_build_if(&b, cond, NULL, 0);
    struct ir_builder in = ir_builder_at_end(choice->regions[0]), no = ir_builder_at_end(choice->regions[1]);
    ir_inst_move_to_end(i, choice->regions[0]);
    ir_build_yield(&in, NULL, 0);
    ir_build_yield(&no, NULL, 0);
}

/* True: the block is gone. */
static bool separate(struct arena *scratch, struct ir_inst *block) {
    struct ir_inst *choice = block->op == IR_BLOCK && !block->nresults ? block->regions[0]->first : NULL;
    while (choice && is_plain_pure(choice))
        choice = choice->next;
    unsigned side, left = MAX_CLONES;
    struct ir_inst *leave = choice && choice->op == IR_IF ? find_leave(choice, block, &side) : NULL;
    if (!leave || !can_depend(choice, block))
        return false;
    struct ir_builder b = ir_builder_before(choice);
    b.wasm_offset = leave->wasm_offset;
    struct ir_value *all = value_before(&b, leave->operands[0], leave->parent, &left, ir_map_new(scratch));
    if (!all)
        return false;
    struct ir_value *more = ir_build_simple(&b, IR_I32_EQZ, all, NULL), *one = ir_build_i32(&b, 1);
    more = side ? ir_build_select(&b, one, more, choice->operands[0])
                : ir_build_select(&b, more, one, choice->operands[0]);
    ir_inst_remove(leave);
    for (struct ir_inst *i = block->regions[0]->first, *next; i->op != IR_YIELD; i = next) {
        next = i->next;
        ir_inst_move_before(i, block);
    }
    for (struct ir_inst *i = choice->next, *next; i != block; i = next) {
        next = i->next;
        if (i->op == IR_BR_IF) {
            b = ir_builder_before(i);
            more = ir_build_select(&b, ir_build_i32(&b, 0), more, i->operands[0]);
            ir_inst_remove(i);
        } else if (!is_plain_pure(i)) {
            put_under(i, more);
        }
    }
    ir_inst_remove(block);
    return true;
}

static void separate_all(struct arena *scratch, struct ir_region *r) {
    for (struct ir_inst *i = r->first, *next; i; i = next) {
        next = i->next;
        ir_foreach_region (inner, i)
            separate_all(scratch, inner);
        separate(scratch, i);
    }
}

/* ---- the whole ---- */

struct ir_func *reroll_take_apart(struct arena *scratch, struct ir_func *f, struct pass_ctx *passes) {
    if (!legalize_has_v128(f) || ir_count_insts(f->body) > MAX_INSTS)
        return NULL;
    struct ir_func *apart = legalize_v128_apart(f);
    if (!apart)
        return NULL;
    opt_simplify(apart, passes);
    drop_unused(apart->body, arena_array(scratch, bool, apart->next_id + 1));
    reroll_tidy(scratch, apart);
    opt_simplify(apart, passes);
    separate_all(scratch, apart->body);
    return apart;
}
