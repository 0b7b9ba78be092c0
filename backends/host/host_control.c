/* Structured control flow to basic blocks, and the bodies of functions.
 *
 *     %r = block { ... br_if %c, L(%a) ... yield %b }        ...   br %c, L, next
 *                                                     next:  ...   br L
 *                                                     L:     %r = phi [%a, ...], [%b, ...]
 *
 * The results of a block or if are phis of the block after it, the parameters of a loop phis of its header; the IR is
 * SSA already, so nothing is ever put in stack slots.  `note` of a label instruction holds its `struct label` while its
 * regions are emitted.  Recursion follows the nesting, which the front end limits.
 */
#include "backends/host/host_internal.h"

struct label {
    LLVMBasicBlockRef target; /* loop: the header, else the block after the instruction */
    LLVMValueRef *phis;
    uint32_t nphis;
    bool reached;
};

LLVMValueRef host_value(struct host_func *hf, const struct ir_value *v) {
    LLVMValueRef x = hf->values[v->id];
    if (!x)
        ICE("function %s: value %u is used before its definition", hf->f->name, v->id);
    return x;
}

void host_set_value(struct host_func *hf, const struct ir_value *v, LLVMValueRef x) {
    hf->values[v->id] = x;
}

void host_set_bool(struct host_func *hf, const struct ir_value *v, LLVMValueRef x) {
    hf->bools[v->id] = x;
    hf->values[v->id] = LLVMBuildZExt(hf->b, x, hf->cx->i32, "");
}

LLVMValueRef host_condition(struct host_func *hf, const struct ir_value *v) {
    if (hf->bools[v->id])
        return hf->bools[v->id];
    return LLVMBuildICmp(hf->b, LLVMIntNE, host_value(hf, v), host_const_i32(hf->cx, 0), "");
}

/* Placed after the current block. */
LLVMBasicBlockRef host_new_block(struct host_func *hf, const char *name) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(hf->b),
                      block = LLVMAppendBasicBlockInContext(hf->cx->llvm, hf->fn, name);
    LLVMMoveBasicBlockAfter(block, here);
    return block;
}

/* ---- traps ---- */

/* The function whose code the instruction is: another one when it was inlined. */
static uint32_t function_of(const struct ir_func *f, const struct ir_inst *at) {
    const struct ir_module *m = f->module;
    if (f->wasm_offset == IR_NO_OFFSET || (at->wasm_offset >= f->wasm_offset && at->wasm_offset < f->wasm_end))
        return f->index;
    uint32_t lo = m->nfunc_imports, hi = m->nfuncs; /* bodies stand in the file in index order */
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (m->funcs[mid].func->wasm_end <= at->wasm_offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < m->nfuncs && m->funcs[lo].func->wasm_offset <= at->wasm_offset ? lo : f->index;
}

LLVMValueRef host_where(struct host_func *hf, const struct ir_inst *at) {
    return host_const_i64(hf->cx, (uint64_t)function_of(hf->f, at) << 32 | at->wasm_offset);
}

void host_raise(struct host_func *hf, LLVMValueRef code, LLVMValueRef where) {
    LLVMValueRef args[] = {hf->vmctx, code, where};
    host_call_rt(hf, HOST_RT_TRAP, args, 3);
    LLVMBuildUnreachable(hf->b);
}

void host_trap_unless(struct host_func *hf, LLVMValueRef ok, enum ir_trap code, const struct ir_inst *at) {
    if (hf->kernel || (LLVMIsConstant(ok) && LLVMIsAConstantInt(ok) && LLVMConstIntGetZExtValue(ok)))
        return;
    LLVMBasicBlockRef bad = host_new_block(hf, "trap"), good = host_new_block(hf, "");
    LLVMSetMetadata(LLVMBuildCondBr(hf->b, ok, good, bad), hf->cx->md_prof, hf->cx->unlikely);
    LLVMPositionBuilderAtEnd(hf->b, bad);
    host_raise(hf, host_const_i64(hf->cx, code), host_where(hf, at));
    LLVMPositionBuilderAtEnd(hf->b, good);
}

void host_emit_unreachable(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    if (hf->kernel)
        LLVMBuildBr(hf->b, hf->next_point);
    else
        host_raise(hf, host_const_i64(hf->cx, IR_TRAP_UNREACHABLE), host_where(hf, i));
}

/* ---- labels ---- */

static struct label *label_of(const struct ir_inst *i) {
    if (!i->note)
        ICE("branch to a label that is not around it");
    return i->note;
}

static LLVMValueRef *make_phis(struct host_func *hf, LLVMBasicBlockRef block, const struct ir_inst *label, uint32_t n) {
    LLVMValueRef *phis = arena_array(hf->arena, LLVMValueRef, n);
    LLVMBasicBlockRef here = LLVMGetInsertBlock(hf->b);
    LLVMPositionBuilderAtEnd(hf->b, block);
    for (uint32_t k = 0; k < n; k++)
        phis[k] = LLVMBuildPhi(hf->b, host_type(hf->cx, ir_label_type(label, k)), "");
    LLVMPositionBuilderAtEnd(hf->b, here);
    return phis;
}

/* The values that a jump from `from` brings. */
static void add_incoming(struct host_func *hf, struct label *l, LLVMBasicBlockRef from, struct ir_value *const *args) {
    l->reached = true;
    for (uint32_t k = 0; k < l->nphis; k++) {
        LLVMValueRef v = host_value(hf, args[k]);
        LLVMAddIncoming(l->phis[k], &v, &from, 1);
    }
}

static struct label *begin_label(struct host_func *hf, struct ir_inst *i, LLVMBasicBlockRef target) {
    struct label *l = arena_new(hf->arena, struct label);
    l->target = target;
    l->nphis = ir_label_arity(i);
    l->phis = make_phis(hf, target, i, l->nphis);
    i->note = l;
    return l;
}

/* Goes on after a block or if.  When nothing arrives there, what follows is dead code and its phis would be empty. */
static void finish_label(struct host_func *hf, struct ir_inst *i, struct label *l) {
    i->note = NULL;
    LLVMMoveBasicBlockAfter(l->target, LLVMGetInsertBlock(hf->b));
    LLVMPositionBuilderAtEnd(hf->b, l->target);
    for (uint32_t k = 0; k < l->nphis; k++) {
        LLVMValueRef v = l->phis[k];
        if (!l->reached) {
            LLVMInstructionEraseFromParent(v);
            v = LLVMGetPoison(host_type(hf->cx, i->results[k].type));
        }
        host_set_value(hf, &i->results[k], v);
    }
}

void host_emit_region(struct host_func *hf, struct ir_region *r) {
    uint32_t mark = hf->nundo;
    ir_foreach_inst (i, r) {
        host_emit_inst(hf, i);
    }
    host_forget_bounds(hf, mark);
}

void host_emit_block(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct label *l = begin_label(hf, i, host_new_block(hf, "end"));
    host_emit_region(hf, i->regions[0]);
    finish_label(hf, i, l);
}

void host_emit_if(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef cond = host_condition(hf, i->operands[0]);
    LLVMBasicBlockRef end = host_new_block(hf, "endif"), no = host_new_block(hf, "else"),
                      yes = host_new_block(hf, "then");
    struct label *l = begin_label(hf, i, end);
    LLVMBuildCondBr(hf->b, cond, yes, no);
    LLVMPositionBuilderAtEnd(hf->b, yes);
    host_emit_region(hf, i->regions[0]);
    LLVMMoveBasicBlockAfter(no, LLVMGetInsertBlock(hf->b));
    LLVMPositionBuilderAtEnd(hf->b, no);
    host_emit_region(hf, i->regions[1]);
    finish_label(hf, i, l);
}

/* A loop has two places: its header, which branches go to, and the block after it, which only its yield reaches. */
void host_emit_loop(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct ir_region *body = i->regions[0];
    LLVMBasicBlockRef before = LLVMGetInsertBlock(hf->b), header = host_new_block(hf, "loop");
    struct label *l = begin_label(hf, i, header);
    LLVMBuildBr(hf->b, header);
    add_incoming(hf, l, before, i->operands);
    for (uint32_t k = 0; k < body->nparams; k++)
        host_set_value(hf, body->params[k], l->phis[k]);
    LLVMPositionBuilderAtEnd(hf->b, header);
    uint32_t mark = hf->nundo;
    bool leaves = false;
    ir_foreach_inst (in, body) {
        if (in->op == IR_YIELD) { /* falls out: the results are plain values of the last block */
            for (uint32_t k = 0; k < i->nresults; k++)
                host_set_value(hf, &i->results[k], host_value(hf, in->operands[k]));
            leaves = true;
        } else {
            host_emit_inst(hf, in);
        }
    }
    host_forget_bounds(hf, mark);
    i->note = NULL;
    LLVMBasicBlockRef end = host_new_block(hf, "endloop");
    if (leaves) {
        LLVMBuildBr(hf->b, end);
    } else {
        for (uint32_t k = 0; k < i->nresults; k++)
            host_set_value(hf, &i->results[k], LLVMGetPoison(host_type(hf->cx, i->results[k].type)));
    }
    LLVMPositionBuilderAtEnd(hf->b, end);
}

/* Of a block or if; loops handle theirs. */
void host_emit_yield(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct label *l = label_of(i->parent->parent);
    add_incoming(hf, l, LLVMGetInsertBlock(hf->b), i->operands);
    LLVMBuildBr(hf->b, l->target);
}

void host_emit_br(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct label *l = label_of(i->target);
    add_incoming(hf, l, LLVMGetInsertBlock(hf->b), i->operands);
    LLVMBuildBr(hf->b, l->target);
}

void host_emit_br_if(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct label *l = label_of(i->target);
    LLVMValueRef cond = host_condition(hf, i->operands[0]);
    LLVMBasicBlockRef next = host_new_block(hf, "");
    add_incoming(hf, l, LLVMGetInsertBlock(hf->b), i->operands + 1);
    LLVMBuildCondBr(hf->b, cond, l->target, next);
    LLVMPositionBuilderAtEnd(hf->b, next);
}

/* Two cases may bring different values to one label, so each case with values gets a block of its own. */
static LLVMBasicBlockRef case_block(struct host_func *hf, struct ir_inst *i, uint32_t k, uint32_t *inout_arg) {
    struct label *l = label_of(i->targets[k]);
    struct ir_value *const *args = i->operands + *inout_arg;
    *inout_arg += l->nphis;
    if (l->nphis == 0) {
        l->reached = true;
        return l->target;
    }
    LLVMBasicBlockRef here = LLVMGetInsertBlock(hf->b), edge = host_new_block(hf, "case");
    LLVMPositionBuilderAtEnd(hf->b, edge);
    add_incoming(hf, l, edge, args);
    LLVMBuildBr(hf->b, l->target);
    LLVMPositionBuilderAtEnd(hf->b, here);
    return edge;
}

void host_emit_br_table(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    uint32_t next_arg = 1, last = i->ntargets - 1;
    LLVMBasicBlockRef *blocks = arena_array(hf->arena, LLVMBasicBlockRef, i->ntargets);
    for (uint32_t k = 0; k < i->ntargets; k++)
        blocks[k] = case_block(hf, i, k, &next_arg);
    LLVMValueRef s = LLVMBuildSwitch(hf->b, host_value(hf, i->operands[0]), blocks[last], last);
    for (uint32_t k = 0; k < last; k++)
        LLVMAddCase(s, host_const_i32(hf->cx, k), blocks[k]);
}

void host_emit_return(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    if (hf->kernel) {
        LLVMBuildBr(hf->b, hf->next_point);
    } else {
        LLVMValueRef *results = arena_array(hf->arena, LLVMValueRef, i->noperands);
        for (uint32_t k = 0; k < i->noperands; k++)
            results[k] = host_value(hf, i->operands[k]);
        host_build_return(hf, &hf->f->sig, results);
    }
}

/* ---- functions ---- */

/* `arena` holds what lives as long as the function's emission.  The builder stands in the first block after `entry`. */
void host_begin_func(struct host_func *hf, struct host_cx *cx, struct ir_func *f, LLVMValueRef fn,
                     struct arena *arena) {
    *hf = (struct host_func){.cx = cx, .b = cx->builder, .entry = cx->entry_builder, .f = f, .fn = fn, .arena = arena};
    uint32_t nvalues = f->body ? f->next_id : 0;
    hf->values = arena_array(arena, LLVMValueRef, nvalues);
    hf->bools = arena_array(arena, LLVMValueRef, nvalues);
    hf->safe_end = arena_array(arena, uint64_t, nvalues);
    hf->bases = arena_array(arena, LLVMValueRef, cx->m->nmemories);
    LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(cx->llvm, fn, "entry");
    LLVMBasicBlockRef body = LLVMAppendBasicBlockInContext(cx->llvm, fn, "body");
    LLVMPositionBuilderAtEnd(hf->entry, entry);
    LLVMPositionBuilderAtEnd(hf->b, body);
}

void host_end_func(struct host_func *hf) {
    LLVMBuildBr(hf->entry, LLVMGetNextBasicBlock(LLVMGetInsertBlock(hf->entry)));
}

void host_emit_function(struct host_cx *cx, struct ir_func *f, struct arena *scratch) {
    struct arena_mark mark = arena_mark(scratch);
    struct host_func hf;
    host_begin_func(&hf, cx, f, host_func(cx, f->index), scratch);
    hf.vmctx = LLVMGetParam(hf.fn, 0);
    for (uint32_t p = 0; p < f->body->nparams; p++)
        host_set_value(&hf, f->body->params[p], LLVMGetParam(hf.fn, p + host_first_param(&f->sig)));
    host_emit_region(&hf, f->body);
    host_end_func(&hf);
    arena_reset(scratch, mark);
}
