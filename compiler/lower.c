/* One wasm body to IR.
 *
 * A forward walk with a stack of values (the wasm operand stack) and a stack of frames (the open blocks).  Locals are
 * values in an array; lower_plan.c has decided which of them each block yields and each loop carries:
 *
 *     local.set 0 (..)               %a = ..
 *     loop                           %r = loop (%i = %a) -> i32 {      parameters: wasm's own, then carried locals
 *       local.get 0                    %n = i32.add %i, 1
 *       i32.const 1
 *       i32.add
 *       local.tee 0
 *       br_if 0                        br_if %n, loop (%n)
 *     end                              yield %n                        results: wasm's own, then merged locals
 *     local.get 0                    }
 *
 * What stands behind a branch up to the end of its block is dropped.  A block whose end nobody reaches is followed by
 * `unreachable`.  A branch to the function's own label is a `return`; for br_if and br_table, which need a label, the
 * body is wrapped in a block then.
 */
#include "compiler/lower.h"

#include <string.h>

#include "compiler/limits.h"
#include "compiler/lower_impl.h"
#include "ir/ir_build.h"
#include "ir/util/ice.h"

/* ---- value stack and lists ---- */

void lower_push(struct lowerer *l, struct ir_value *v) {
    *arena_push(&l->scratch, l->stack, l->height, l->stack_cap) = v; /* NOLINT(bugprone-sizeof-expression) */
}

static struct ir_value *pop(struct lowerer *l) {
    ICE_UNLESS(l->height > 0);
    return l->stack[--l->height];
}

void lower_list_add(struct lowerer *l, struct ir_value *v) {
    *arena_push(&l->scratch, l->list, l->nlist, l->list_cap) = v; /* NOLINT(bugprone-sizeof-expression) */
}

void lower_list_add_stack(struct lowerer *l, uint32_t n) {
    ICE_UNLESS(l->height >= n);
    for (uint32_t i = l->height - n; i < l->height; i++)
        lower_list_add(l, l->stack[i]);
}

static struct ir_value *local_get(struct lowerer *l, uint32_t local) {
    struct ir_value *v = l->locals[local];
    if (!v)
        ICE("local %u of function %u is read where it is not live", local, l->body->func);
    return v;
}

void lower_list_add_locals(struct lowerer *l, const uint32_t *locals, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        lower_list_add(l, local_get(l, locals[i]));
}

static void set_result_types(struct lowerer *l, const struct ir_sig *sig, const struct lower_scope *scope) {
    l->ntypes = 0;
    for (uint32_t i = 0; i < sig->nresults; i++)
        *arena_push(&l->scratch, l->types, l->ntypes, l->types_cap) = sig->results[i];
    for (uint32_t i = 0; i < scope->nresults; i++)
        *arena_push(&l->scratch, l->types, l->ntypes, l->types_cap) = l->body->locals[scope->results[i]];
}

void lower_unreachable_from_here(struct lowerer *l) {
    ir_build(&l->b, IR_UNREACHABLE, NULL, 0, NULL, 0);
    l->skipping = 1;
}

/* ---- blocks ---- */

static struct lower_frame *push_frame(struct lowerer *l, const struct wasm_inst *i, uint32_t scope) {
    struct lower_frame *f = arena_push(&l->scratch, l->frames, l->nframes, l->frames_cap);
    *f = (struct lower_frame){.kind = i->kind, .scope = &l->plan.scopes[scope], .sig = i->sig};
    ICE_UNLESS(l->height >= i->sig->nparams);
    f->height = l->height - i->sig->nparams;
    return f;
}

void lower_enter_region(struct lowerer *l, struct ir_region *r) {
    l->b.region = r;
    l->b.before = NULL;
}

void lower_open_block(struct lowerer *l, const struct wasm_inst *i, uint32_t scope) {
    struct lower_frame *f = push_frame(l, i, scope);
    set_result_types(l, f->sig, f->scope);
    f->inst = ir_build_block(&l->b, l->types, l->ntypes);
    lower_enter_region(l, f->inst->regions[0]);
}

static void open_loop(struct lowerer *l, const struct wasm_inst *i, uint32_t scope) {
    struct lower_frame *f = push_frame(l, i, scope);
    const struct lower_scope *s = f->scope;
    uint32_t nparams = f->sig->nparams;
    l->nlist = 0;
    lower_list_add_stack(l, nparams);
    lower_list_add_locals(l, s->params, s->nparams);
    set_result_types(l, f->sig, s);
    f->inst = ir_build_loop(&l->b, l->list, l->nlist, l->types, l->ntypes);
    struct ir_region *r = f->inst->regions[0];
    lower_enter_region(l, r);
    for (uint32_t k = 0; k < nparams; k++)
        l->stack[f->height + k] = r->params[k];
    /* What is assigned but not carried has no value at the head of later iterations. */
    for (uint32_t k = 0; k < s->nassigned; k++)
        l->locals[s->assigned[k]] = NULL;
    for (uint32_t k = 0; k < s->nparams; k++)
        l->locals[s->params[k]] = r->params[nparams + k];
}

static void open_if(struct lowerer *l, const struct wasm_inst *i, uint32_t scope) {
    struct ir_value *cond = pop(l);
    struct lower_frame *f = push_frame(l, i, scope);
    const struct lower_scope *s = f->scope;
    f->saved = arena_array(&l->scratch, struct ir_value *, s->nassigned + f->sig->nparams);
    for (uint32_t k = 0; k < s->nassigned; k++)
        f->saved[k] = l->locals[s->assigned[k]];
    for (uint32_t k = 0; k < f->sig->nparams; k++)
        f->saved[s->nassigned + k] = l->stack[f->height + k];
    set_result_types(l, f->sig, s);
    f->inst = ir_build_if(&l->b, cond, l->types, l->ntypes);
    lower_enter_region(l, f->inst->regions[0]);
}

/* The end of a region is reached: yield what the block gives. */
static void fall_out(struct lowerer *l, struct lower_frame *f) {
    l->nlist = 0;
    lower_list_add_stack(l, f->sig->nresults);
    lower_list_add_locals(l, f->scope->results, f->scope->nresults);
    l->operands += l->nlist;
    ir_build_yield(&l->b, l->list, l->nlist);
    f->reached = true;
}

static void start_else(struct lowerer *l, struct lower_frame *f) {
    const struct lower_scope *s = f->scope;
    ICE_UNLESS(f->saved);
    if (!l->skipping)
        fall_out(l, f);
    for (uint32_t k = 0; k < s->nassigned; k++)
        l->locals[s->assigned[k]] = f->saved[k];
    l->height = f->height;
    for (uint32_t k = 0; k < f->sig->nparams; k++)
        lower_push(l, f->saved[s->nassigned + k]);
    l->skipping = 0;
    f->in_else = true;
    lower_enter_region(l, f->inst->regions[1]);
}

static void close_function(struct lowerer *l, struct lower_frame *f) {
    if (!f->inst) {
        if (!l->skipping) {
            l->nlist = 0;
            lower_list_add_stack(l, f->sig->nresults);
            ir_build_return(&l->b, l->list, l->nlist);
        }
        return;
    }
    if (!l->skipping)
        fall_out(l, f);
    lower_enter_region(l, f->inst->parent);
    if (!f->reached) {
        lower_unreachable_from_here(l);
        return;
    }
    l->nlist = 0;
    for (uint32_t k = 0; k < f->inst->nresults; k++)
        lower_list_add(l, &f->inst->results[k]);
    ir_build_return(&l->b, l->list, l->nlist);
}

static void close_block(struct lowerer *l) {
    struct lower_frame *f = &l->frames[l->nframes - 1];
    if (l->nframes == 1) {
        close_function(l, f);
        l->nframes = 0;
        return;
    }
    if (f->kind == WASM_IF && !f->in_else)
        start_else(l, f); /* gives its parameters back as results */
    if (f->exn && !f->caught_all)
        lower_pass_on(l, f);
    if (!l->skipping)
        fall_out(l, f);
    const struct lower_scope *s = f->scope;
    struct ir_inst *inst = f->inst;
    ICE_UNLESS(inst); /* only the function can do without a label */
    bool reached = f->reached;
    uint32_t nresults = f->sig->nresults;
    l->nframes--;
    l->skipping = 0;
    lower_enter_region(l, inst->parent);
    l->height = f->height;
    for (uint32_t k = 0; k < nresults; k++)
        lower_push(l, &inst->results[k]);
    for (uint32_t k = 0; k < s->nassigned; k++)
        l->locals[s->assigned[k]] = NULL;
    for (uint32_t k = 0; k < s->nresults; k++)
        l->locals[s->results[k]] = &inst->results[nresults + k];
    if (!reached)
        lower_unreachable_from_here(l);
}

/* ---- branches ---- */

struct lower_frame *lower_label_frame(struct lowerer *l, uint32_t label) {
    ICE_UNLESS(label < l->nframes);
    return &l->frames[l->nframes - 1 - label];
}

/* Appends what a branch to `f` passes. */
static void list_add_branch(struct lowerer *l, struct lower_frame *f) {
    uint32_t before = l->nlist;
    if (f->kind == WASM_LOOP) {
        lower_list_add_stack(l, f->sig->nparams);
        lower_list_add_locals(l, f->scope->params, f->scope->nparams);
    } else {
        lower_list_add_stack(l, f->sig->nresults);
        lower_list_add_locals(l, f->scope->results, f->scope->nresults);
        f->reached = true;
    }
    l->operands += l->nlist - before;
}

static void lower_return(struct lowerer *l) {
    l->nlist = 0;
    lower_list_add_stack(l, l->frames[0].sig->nresults);
    ir_build_return(&l->b, l->list, l->nlist);
    l->skipping = 1;
}

static void lower_br(struct lowerer *l, uint32_t label) {
    struct lower_frame *f = lower_label_frame(l, label);
    if (f == l->frames) {
        lower_return(l);
        return;
    }
    l->nlist = 0;
    list_add_branch(l, f);
    ir_build_br(&l->b, f->inst, l->list, l->nlist);
    l->skipping = 1;
}

static void lower_br_if(struct lowerer *l, uint32_t label) {
    struct ir_value *cond = pop(l);
    struct lower_frame *f = lower_label_frame(l, label);
    l->nlist = 0;
    list_add_branch(l, f);
    ir_build_br_if(&l->b, cond, f->inst, l->list, l->nlist);
}

static bool lower_br_table(struct lowerer *l, const struct wasm_inst *i) {
    struct ir_value *index = pop(l);
    struct ir_inst **targets = arena_array(&l->scratch, struct ir_inst *, i->index2);
    l->nlist = 0;
    for (uint32_t k = 0; k < i->index2; k++) {
        struct lower_frame *f = lower_label_frame(l, i->targets[k]);
        targets[k] = f->inst;
        list_add_branch(l, f);
        if (l->operands > FRONT_MAX_OPERANDS)
            return false;
    }
    ir_build_br_table(&l->b, index, targets, i->index2, l->list, l->nlist);
    l->skipping = 1;
    return true;
}

/* ---- plain instructions ---- */

/* Pops the operands into the list, in order. */
static void take_operands(struct lowerer *l, uint32_t n) {
    l->nlist = 0;
    lower_list_add_stack(l, n);
    l->height -= n;
}

static void push_results(struct lowerer *l, struct ir_inst *i) {
    for (uint32_t k = 0; k < i->nresults; k++)
        lower_push(l, &i->results[k]);
}

static void lower_simple(struct lowerer *l, enum ir_op op) {
    const struct ir_op_info *info = &ir_op_info[op];
    enum ir_type type = info->result;
    take_operands(l, info->operands);
    push_results(l, ir_build(&l->b, op, &type, 1, l->list, l->nlist));
}

static union ir_bits wide_bits(const struct wasm_inst *i) {
    return (union ir_bits){.u64x2 = {i->bits, (uint64_t)i->index2 << 32 | i->index}};
}

static void lower_const(struct lowerer *l, const struct wasm_inst *i) {
    lower_push(l, ir_build_const(&l->b, (enum ir_type)(i->op - IR_I32_CONST), wide_bits(i)));
}

static struct ir_value *build_lanes(struct lowerer *l, enum ir_op op, union ir_bits lanes,
                                    struct ir_value *const *operands) {
    enum ir_type type = ir_op_info[op].result;
    struct ir_inst *i = ir_build(&l->b, op, &type, 1, operands, ir_op_info[op].operands);
    i->bits = lanes;
    return i->results;
}

static void lower_lanes(struct lowerer *l, const struct wasm_inst *i) {
    take_operands(l, ir_op_info[i->op].operands);
    lower_push(l, build_lanes(l, i->op, wide_bits(i), l->list));
}

static struct ir_mem mem_of(const struct wasm_inst *i) {
    return (struct ir_mem){.offset = i->bits, .align_log2 = i->align_log2, .memory = (uint16_t)i->index, .stream = -1};
}

static void lower_atomic(struct lowerer *l, const struct wasm_inst *i) {
    const struct ir_op_info *info = &ir_op_info[i->op];
    enum ir_type type = info->result;
    take_operands(l, info->operands);
    struct ir_inst *made = ir_build(&l->b, i->op, &type, type != IR_TYPE_COUNT, l->list, l->nlist);
    made->mem = mem_of(i);
    push_results(l, made);
}

static union ir_bits one_lane(uint32_t lane) {
    return (union ir_bits){.u8x16 = {(uint8_t)lane}};
}

static void lower_load_lanes(struct lowerer *l, const struct wasm_inst *i) {
    enum ir_op second = WASM_SECOND(i->index2);
    if (ir_op_info[second].kind != IR_KIND_LANES) {
        lower_push(l, ir_build_simple(&l->b, second, ir_build_load(&l->b, i->op, pop(l), mem_of(i)), NULL));
        return;
    }
    struct ir_value *vector = pop(l), *loaded = ir_build_load(&l->b, i->op, pop(l), mem_of(i));
    lower_push(l, build_lanes(l, second, one_lane(WASM_LANE(i->index2)), (struct ir_value *[]){vector, loaded}));
}

static void lower_store_lane(struct lowerer *l, const struct wasm_inst *i) {
    struct ir_value *vector = pop(l), *address = pop(l);
    struct ir_value *lane = build_lanes(l, WASM_SECOND(i->index2), one_lane(WASM_LANE(i->index2)), &vector);
    ir_build_store(&l->b, i->op, address, lane, mem_of(i));
}

static void lower_call(struct lowerer *l, enum ir_op op, const struct ir_sig *sig, uint32_t index, uint32_t index2) {
    take_operands(l, sig->nparams + (op == IR_CALL_INDIRECT || op == IR_RETURN_CALL_INDIRECT));
    bool tail = op == IR_RETURN_CALL || op == IR_RETURN_CALL_INDIRECT;
    struct ir_inst *call = ir_build(&l->b, op, sig->results, tail ? 0 : sig->nresults, l->list, l->nlist);
    call->index = index;
    call->index2 = index2;
    push_results(l, call);
    l->skipping = tail;
    if (!tail)
        lower_catch_thrown(l);
}

/* How many operands, and the type of the result; IR_TYPE_COUNT: no result. */
static uint32_t fixed_signature(const struct lowerer *l, const struct wasm_inst *i, enum ir_type *out_result) {
    const struct ir_module *m = l->module;
    *out_result = IR_TYPE_COUNT;
    switch ((enum ir_op)i->op) {
    case IR_GLOBAL_GET:
        *out_result = m->globals[i->index].type;
        return 0;
    case IR_GLOBAL_SET:
        return 1;
    case IR_MEMORY_SIZE:
    case IR_MEMORY_GROW:
        *out_result = m->memories[i->index].limits.is64 ? IR_I64 : IR_I32;
        return i->op == IR_MEMORY_GROW;
    case IR_TABLE_SIZE:
        *out_result = IR_I32;
        return 0;
    case IR_REF_IS_NULL:
        *out_result = IR_I32;
        return 1;
    case IR_TABLE_GROW:
        *out_result = IR_I32;
        return 2;
    case IR_TABLE_GET:
        *out_result = m->tables[i->index].type;
        return 1;
    case IR_TABLE_SET:
        return 2;
    case IR_REF_NULL:
        *out_result = i->type;
        return 0;
    case IR_REF_FUNC:
        *out_result = IR_FUNCREF;
        return 0;
    case IR_MEMORY_COPY:
    case IR_MEMORY_FILL:
    case IR_MEMORY_INIT:
    case IR_TABLE_COPY:
    case IR_TABLE_FILL:
    case IR_TABLE_INIT:
        return 3;
    case IR_DATA_DROP:
    case IR_ELEM_DROP:
    case IR_ATOMIC_FENCE:
        return 0;
    default:
        ICE("no lowering for %s", ir_op_info[i->op].text);
    }
}

static void lower_fixed(struct lowerer *l, const struct wasm_inst *i) {
    enum ir_type type;
    take_operands(l, fixed_signature(l, i, &type));
    struct ir_inst *inst = ir_build(&l->b, i->op, &type, type != IR_TYPE_COUNT, l->list, l->nlist);
    inst->index = i->index;
    inst->index2 = i->index2;
    push_results(l, inst);
}

static void lower_inst(struct lowerer *l, const struct wasm_inst *i) {
    switch ((enum wasm_kind)i->kind) {
    case WASM_SIMPLE:
        lower_simple(l, i->op);
        break;
    case WASM_LOAD:
        lower_push(l, ir_build_load(&l->b, i->op, pop(l), mem_of(i)));
        break;
    case WASM_STORE: {
        struct ir_value *value = pop(l), *address = pop(l);
        ir_build_store(&l->b, i->op, address, value, mem_of(i));
        break;
    }
    case WASM_ATOMIC:
        lower_atomic(l, i);
        break;
    case WASM_LOAD_LANES:
        lower_load_lanes(l, i);
        break;
    case WASM_STORE_LANE:
        lower_store_lane(l, i);
        break;
    case WASM_LANES:
        lower_lanes(l, i);
        break;
    case WASM_CONST:
        lower_const(l, i);
        break;
    case WASM_FIXED:
        lower_fixed(l, i);
        break;
    case WASM_LOCAL_GET:
        lower_push(l, local_get(l, i->index));
        break;
    case WASM_LOCAL_SET:
        l->locals[i->index] = pop(l);
        break;
    case WASM_LOCAL_TEE:
        l->locals[i->index] = l->stack[l->height - 1];
        break;
    case WASM_DROP:
        pop(l);
        break;
    case WASM_SELECT: {
        struct ir_value *cond = pop(l), *if_false = pop(l), *if_true = pop(l);
        lower_push(l, ir_build_select(&l->b, if_true, if_false, cond));
        break;
    }
    case WASM_CALL:
        lower_call(l, IR_CALL, &l->module->funcs[i->index].func->sig, i->index, 0);
        break;
    case WASM_CALL_INDIRECT:
        lower_call(l, IR_CALL_INDIRECT, &l->module->types[i->index], i->index, i->index2);
        break;
    case WASM_RETURN_CALL:
        lower_call(l, IR_RETURN_CALL, &l->module->funcs[i->index].func->sig, i->index, 0);
        break;
    case WASM_RETURN_CALL_INDIRECT:
        lower_call(l, IR_RETURN_CALL_INDIRECT, &l->module->types[i->index], i->index, i->index2);
        break;
    case WASM_RETURN:
        lower_return(l);
        break;
    case WASM_UNREACHABLE:
        lower_unreachable_from_here(l);
        break;
    default:
        ICE("control instruction %d among the plain ones", i->kind);
    }
}

/* ---- the walk ---- */

/* Whether the instruction is passed over because it cannot be reached. */
static bool skip(struct lowerer *l, const struct wasm_inst *i) {
    switch (i->kind) {
    case WASM_BLOCK:
    case WASM_LOOP:
    case WASM_IF:
    case WASM_TRY:
        l->skipping++;
        return true;
    case WASM_ELSE:
    case WASM_CATCH:
    case WASM_CATCH_ALL:
        return l->skipping > 1;
    case WASM_DELEGATE:
    case WASM_END:
        if (l->skipping == 1)
            return false;
        l->skipping--;
        return true;
    default:
        return true;
    }
}

static void begin(struct lowerer *l) {
    const struct wasm_body *body = l->body;
    struct ir_func *f = l->func;
    l->b = ir_builder_at_end(f->body);
    l->b.wasm_offset = body->offset;
    l->locals = arena_array(&l->scratch, struct ir_value *, body->nlocals);
    struct ir_value *zeros[IR_TYPE_COUNT] = {0};
    for (uint32_t k = 0; k < body->nlocals; k++) {
        enum ir_type type = body->locals[k];
        if (k < body->sig->nparams) {
            l->locals[k] = f->body->params[k];
            continue;
        }
        if (!zeros[type])
            zeros[type] = type <= IR_V128 ? ir_build_const(&l->b, type, (union ir_bits){0})
                                          : ir_build(&l->b, IR_REF_NULL, &type, 1, NULL, 0)->results;
        l->locals[k] = zeros[type];
    }
    struct lower_frame *frame = arena_push(&l->scratch, l->frames, l->nframes, l->frames_cap);
    *frame = (struct lower_frame){.kind = WASM_BLOCK, .scope = &l->plan.scopes[0], .sig = body->sig};
    if (frame->scope->conditional_target) {
        frame->inst = ir_build_block(&l->b, body->sig->results, body->sig->nresults);
        lower_enter_region(l, frame->inst->regions[0]);
    }
}

static enum lower_result walk(struct lowerer *l) {
    for (uint32_t k = 0; k < l->body->ninsts; k++) {
        const struct wasm_inst *i = &l->body->insts[k];
        if (l->skipping && skip(l, i))
            continue;
        uint32_t scope = l->plan.scope_of[k];
        l->b.wasm_offset = i->offset;
        switch (i->kind) {
        case WASM_BLOCK:
            lower_open_block(l, i, scope);
            break;
        case WASM_LOOP:
            open_loop(l, i, scope);
            break;
        case WASM_IF:
            open_if(l, i, scope);
            break;
        case WASM_ELSE:
            start_else(l, &l->frames[l->nframes - 1]);
            break;
        case WASM_TRY:
            lower_open_try(l, i, scope);
            break;
        case WASM_CATCH:
        case WASM_CATCH_ALL:
            lower_catch(l, i);
            break;
        case WASM_THROW:
            lower_throw(l, i->index);
            break;
        case WASM_RETHROW:
            lower_rethrow(l, i->index);
            break;
        case WASM_DELEGATE:
        case WASM_END:
            close_block(l);
            break;
        case WASM_BR:
            lower_br(l, i->index);
            break;
        case WASM_BR_IF:
            lower_br_if(l, i->index);
            break;
        case WASM_BR_TABLE:
            if (!lower_br_table(l, i))
                return LOWER_TOO_MANY_OPERANDS;
            break;
        default:
            lower_inst(l, i);
            break;
        }
        if (l->operands > FRONT_MAX_OPERANDS)
            return LOWER_TOO_MANY_OPERANDS;
    }
    ICE_UNLESS(l->nframes == 0);
    return LOWER_OK;
}

enum lower_result lower_body(struct ir_func *f, const struct wasm_body *body) {
    struct lowerer l = {.func = f, .module = f->module, .body = body};
    enum lower_result result = LOWER_TOO_MANY_MERGES;
    if (lower_plan_make(body, &l.scratch, &l.plan)) {
        begin(&l);
        result = walk(&l);
    }
    arena_free(&l.scratch);
    return result;
}
