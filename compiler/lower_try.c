/* Exceptions: try, its handlers, throw and rethrow.
 *
 * A try is two blocks.  Whatever throws inside branches to the inner one, the catcher, with the exception and the
 * locals that the handlers read; behind it stand the handlers, each in an `if` on its tag, and leave by the outer one.
 *
 *     try                    %r = block T {
 *       call $f                %e, %x = block C -> exnref, i32 {
 *       ...                      call f
 *     catch $t                   %c, %n = thrown
 *       ...                      br_if %c, C (%n, %a)
 *     end                        ... br T (..)
 *                              }
 *                              %is = exn.is t, %e
 *                              if %is { %p = exn.get t, %e; exn.drop %e; ... br T (..) } else { yield }
 *                              throw %e
 *                            }
 */
#include "compiler/lower_impl.h"
#include "ir/util/ice.h"

/* The try whose handlers catch what is thrown inside the innermost `depth` frames; NULL: none in this function. */
static struct lower_frame *catching_frame(struct lowerer *l, uint32_t depth) {
    while (depth-- > 0) {
        struct lower_frame *f = &l->frames[depth];
        if (f->catcher && !f->exn)
            return f;
        if (f->delegate) /* counts from outside of the try */
            depth -= f->delegate - 1 < depth ? f->delegate - 1 : depth;
    }
    return NULL;
}

static void list_add_caught(struct lowerer *l, struct lower_frame *f, struct ir_value *exn) {
    l->nlist = 0;
    lower_list_add(l, exn);
    lower_list_add_locals(l, f->scope->params, f->scope->nparams);
    l->operands += l->nlist;
    f->caught = true;
}

/* Throws `exn` inside the innermost `depth` frames. */
static void throw_from(struct lowerer *l, struct ir_value *exn, uint32_t depth) {
    struct lower_frame *f = catching_frame(l, depth);
    if (f) {
        list_add_caught(l, f, exn);
        ir_build_br(&l->b, f->catcher, l->list, l->nlist);
    } else {
        ir_build(&l->b, IR_THROW, NULL, 0, &exn, 1);
    }
    l->skipping = 1;
}

static struct ir_value *build_exn(struct lowerer *l, enum ir_op op, uint32_t tag, struct ir_value *const *operands,
                                  uint32_t n) {
    static const enum ir_type type = IR_EXNREF;
    struct ir_inst *i = ir_build(&l->b, op, &type, 1, operands, n);
    i->index = tag;
    return i->results;
}

static const struct ir_sig *tag_sig(const struct lowerer *l, uint32_t tag) {
    return &l->module->types[l->module->tags[tag].type];
}

void lower_throw(struct lowerer *l, uint32_t tag) {
    uint32_t n = tag_sig(l, tag)->nparams;
    l->nlist = 0;
    lower_list_add_stack(l, n);
    throw_from(l, build_exn(l, IR_EXN_NEW, tag, l->list, n), l->nframes);
}

void lower_rethrow(struct lowerer *l, uint32_t label) {
    struct ir_value *exn = lower_label_frame(l, label)->exn;
    ICE_UNLESS(exn);
    throw_from(l, build_exn(l, IR_EXN_COPY, 0, &exn, 1), l->nframes);
}

/* Behind a call. */
void lower_catch_thrown(struct lowerer *l) {
    static const enum ir_type types[] = {IR_I32, IR_EXNREF};
    struct lower_frame *f = catching_frame(l, l->nframes);
    if (!f)
        return;
    struct ir_inst *thrown = ir_build(&l->b, IR_THROWN, types, 2, NULL, 0);
    list_add_caught(l, f, &thrown->results[1]);
    ir_build_br_if(&l->b, &thrown->results[0], f->catcher, l->list, l->nlist);
}

void lower_open_try(struct lowerer *l, const struct wasm_inst *i, uint32_t scope) {
    lower_open_block(l, i, scope);
    struct lower_frame *f = &l->frames[l->nframes - 1];
    f->delegate = i->index2;
    if (!i->index)
        return;
    l->ntypes = 0;
    *arena_push(&l->scratch, l->types, l->ntypes, l->types_cap) = IR_EXNREF;
    for (uint32_t k = 0; k < f->scope->nparams; k++)
        *arena_push(&l->scratch, l->types, l->ntypes, l->types_cap) = l->body->locals[f->scope->params[k]];
    f->catcher = ir_build_block(&l->b, l->types, l->ntypes);
    lower_enter_region(l, f->catcher->regions[0]);
}

/* Ends the body or a handler, and stands where the next handler begins, with the locals as the exception left them. */
static void next_handler(struct lowerer *l, struct lower_frame *f) {
    if (!l->skipping) {
        l->nlist = 0;
        lower_list_add_stack(l, f->sig->nresults);
        lower_list_add_locals(l, f->scope->results, f->scope->nresults);
        l->operands += l->nlist;
        ir_build_br(&l->b, f->inst, l->list, l->nlist);
        f->reached = true;
    }
    bool first = !f->exn;
    f->exn = &f->catcher->results[0];
    lower_enter_region(l, f->inst->regions[0]);
    l->skipping = !f->caught;
    if (!f->caught) {
        if (first)
            lower_unreachable_from_here(l);
        return;
    }
    const struct lower_scope *s = f->scope;
    for (uint32_t k = 0; k < s->nassigned; k++)
        l->locals[s->assigned[k]] = NULL;
    for (uint32_t k = 0; k < s->nparams; k++)
        l->locals[s->params[k]] = &f->catcher->results[1 + k];
    l->height = f->height;
}

void lower_catch(struct lowerer *l, const struct wasm_inst *i) {
    struct lower_frame *f = &l->frames[l->nframes - 1];
    next_handler(l, f);
    f->caught_all = i->kind == WASM_CATCH_ALL;
    if (l->skipping)
        return;
    struct ir_inst *get = NULL;
    if (i->kind == WASM_CATCH) {
        static const enum ir_type type = IR_I32;
        struct ir_inst *is = ir_build(&l->b, IR_EXN_IS, &type, 1, &f->exn, 1);
        is->index = i->index;
        struct ir_inst *branch = ir_build_if(&l->b, is->results, NULL, 0);
        lower_enter_region(l, branch->regions[1]);
        ir_build_yield(&l->b, NULL, 0);
        lower_enter_region(l, branch->regions[0]);
        const struct ir_sig *sig = tag_sig(l, i->index);
        get = ir_build(&l->b, IR_EXN_GET, sig->params, sig->nparams, &f->exn, 1);
        get->index = i->index;
    }
    ir_build(&l->b, i->index2 ? IR_EXN_HOLD : IR_EXN_DROP, NULL, 0, &f->exn, 1);
    for (uint32_t k = 0; get && k < get->nresults; k++)
        lower_push(l, &get->results[k]);
}

/* At the end of a try that has handlers for some tags: others go on. */
void lower_pass_on(struct lowerer *l, struct lower_frame *f) {
    next_handler(l, f);
    if (!l->skipping)
        throw_from(l, f->exn, l->nframes - 1);
}
