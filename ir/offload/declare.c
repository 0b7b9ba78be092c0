/* Functions that the user declares to be data-parallel in their first argument (--kernel=FUNC).
 *
 *     loop L (%i) {                 calls of `body` with different first arguments do not touch what the others write:
 *       call body (%i, %a, %n)      so says the user, and no proof of it is asked for
 *       br_if L (%i + 1)
 *     }
 *
 * Such a loop is marked before anything is inlined, when the first argument of each call in it is linear in the loop's
 * own counter, with a constant odd step, and no two calls in different iterations get the same one.  The
 * planner and the guard then take pairs of accesses to be free of conflicts when both come from the bodies of declared
 * functions.  Everything else is asked for as ever, bounds above all: a kernel cannot leave the sandbox, whatever was
 * declared.  Loops inside the function, and loops that the call does not stand in directly, get no benefit.
 *
 * The mark is the loop's `index2`.  A pass that makes a new loop of it drops the mark, and with it only the benefit.
 */
#include "ir/offload/declare.h"

#include "ir/analysis/affine.h"

enum { MAX_CALLS = 64, MAX_DEPTH = 8 }; /* affine analysis is exponential in the depth of a nest */

struct finder {
    const struct ir_module *module;
    struct loop *loop;
    struct ir_inst *calls[MAX_CALLS];
    uint32_t ncalls;
    bool too_many;
};

static bool is_declared(const struct ir_module *m, uint32_t func) {
    for (uint32_t k = 0; k < m->ndeclared; k++)
        if (m->declared[k] == func)
            return true;
    return false;
}

bool declare_holds(const struct ir_module *m, uint32_t wasm_offset) {
    for (uint32_t k = 0; k < m->ndeclared; k++) {
        const struct ir_func *f = m->funcs[m->declared[k]].func;
        if (wasm_offset >= f->wasm_offset && wasm_offset < f->wasm_end)
            return true;
    }
    return false;
}

/* Calls in the loop, but not in loops inside it. */
static void find_calls(struct finder *f, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_CALL && is_declared(f->module, i->index)) {
            f->too_many |= f->ncalls == MAX_CALLS;
            if (f->ncalls < MAX_CALLS)
                f->calls[f->ncalls++] = i;
        }
        if (i->op != IR_LOOP)
            ir_foreach_region (inner, i)
                find_calls(f, inner);
    }
}

/* Whether calls of different iterations always have different first arguments. */
static bool arguments_differ(struct finder *f, struct aff_ctx *cx) {
    const struct aff *first = NULL;
    uint64_t step = 0;
    for (uint32_t k = 0; k < f->ncalls; k++) {
        const struct ir_inst *call = f->calls[k];
        const struct aff *a =
            call->noperands && call->operands[0]->type == IR_I32 ? aff_of(cx, call->operands[0]) : NULL;
        int sym = aff_iter_sym(cx, f->loop);
        const struct aff *stride, *rest;
        uint64_t own, apart;
        if (!a || sym < 0 || !aff_split(cx, a, (uint32_t)sym, &stride, &rest) || !aff_is_const(stride, &own) || !own ||
            !aff_is_invariant(cx, rest))
            return false;
        if (!first) {
            first = rest;
            step = own;
        }
        const struct aff *difference = aff_sub(cx, rest, first);
        if (own != step || !difference || !aff_is_const(difference, &apart))
            return false;
        int64_t by = (int32_t)apart, each = (int32_t)step;
        if (by && by % each == 0)
            return false;
    }
    return step & 1; /* an odd step comes to the same number only after 2^32 iterations */
}

static uint32_t depth_of(const struct loop *l) {
    uint32_t deepest = 0;
    for (const struct loop *c = l->first_child; c; c = c->next) {
        uint32_t d = depth_of(c);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + 1;
}

static uint32_t mark_loops(const struct ir_module *m, struct arena *scratch, struct loop *l) {
    uint32_t n = 0;
    for (; l; l = l->next) {
        struct finder f = {.module = m, .loop = l};
        find_calls(&f, l->inst->regions[0]);
        if (f.ncalls && !f.too_many && depth_of(l) <= MAX_DEPTH) {
            struct aff_ctx *cx = aff_begin(scratch, l);
            l->inst->index2 = arguments_differ(&f, cx);
            n += l->inst->index2;
            aff_end(cx);
        }
        n += mark_loops(m, scratch, l->first_child);
    }
    return n;
}

uint32_t declare_mark_loops(struct ir_module *m) {
    uint32_t n = 0;
    for (uint32_t i = m->nfunc_imports; m->ndeclared && i < m->nfuncs; i++) {
        struct ir_func *f = m->funcs[i].func;
        if (!f->body)
            continue;
        struct arena scratch = {0};
        struct loop_tree *tree = loop_tree_build(&scratch, f);
        n += mark_loops(m, &scratch, tree->first);
        arena_free(&scratch);
    }
    return n;
}
