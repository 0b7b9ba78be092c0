/* Native kernels: the loop nest over a box of grid points around the kernel's body, and nothing else.
 *
 *     for z in [z0, z1)  for y in [y0, y1)  for x in [x0, x1)  { body }        box = x0 x1 y0 y1 z0 z1
 *
 * The launch guard proved that no access leaves memory or its stream, that no address wraps, and that no byte which one
 * point writes is touched by another.  So accesses are plain, the x loop's accesses are marked as parallel (LLVM then
 * vectorises without run-time overlap tests), and nothing can trap: an operation that could is given harmless operands
 * (host_arith.c).  Float arithmetic stays in source order: vector lanes are grid points.
 */
#include "backends/host/host_internal.h"

#include <llvm-c/DebugInfo.h> /* temporary metadata nodes */
#include <llvm-c/IRReader.h>
#include <string.h>

LLVMTypeRef host_kernel_type(struct host_cx *cx) {
    LLVMTypeRef params[] = {cx->ptr, cx->ptr, cx->ptr};
    return LLVMFunctionType(cx->tvoid, params, 3, 0);
}

/* An access group must be a distinct node without operands, which the C API cannot make: read one from text.  It
 * belongs to the context and outlives the module it came from. */
static LLVMValueRef new_access_group(struct host_cx *cx) {
    static const char text[] = "!wasmetal.group = !{!0}\n!0 = distinct !{}\n";
    LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(text, sizeof text - 1, "group");
    LLVMModuleRef module = NULL;
    char *message = NULL;
    LLVMContextSetDiscardValueNames(cx->llvm, 0);                  /* the reader refuses to work otherwise */
    if (LLVMParseIRInContext(cx->llvm, buffer, &module, &message)) /* takes the buffer */
        ICE("access group: %s", message);
    LLVMContextSetDiscardValueNames(cx->llvm, 1);
    LLVMValueRef node = NULL;
    LLVMGetNamedMetadataOperands(module, "wasmetal.group", &node);
    LLVMDisposeModule(module);
    return node;
}

/* llvm.loop metadata: a distinct node whose first operand is itself, then its properties. */
static LLVMValueRef parallel_loop(struct host_cx *cx, LLVMValueRef group) {
    static const char name[] = "llvm.loop.parallel_accesses";
    LLVMMetadataRef property[] = {LLVMMDStringInContext2(cx->llvm, name, strlen(name)), LLVMValueAsMetadata(group)};
    LLVMMetadataRef self = LLVMTemporaryMDNode(cx->llvm, NULL, 0);
    LLVMMetadataRef ops[] = {self, LLVMMDNodeInContext2(cx->llvm, property, 2)};
    LLVMMetadataRef loop = LLVMMDNodeInContext2(cx->llvm, ops, 2);
    LLVMMetadataReplaceAllUsesWith(self, loop);
    return LLVMMetadataAsValue(cx->llvm, loop);
}

struct nest_loop {
    LLVMValueRef counter, high;
    LLVMBasicBlockRef header, latch, exit;
};

static LLVMValueRef load_box(struct host_func *hf, LLVMValueRef box, unsigned index) {
    LLVMValueRef v = LLVMBuildLoad2(hf->entry, hf->cx->i32, host_byte_gep(hf->cx, hf->entry, box, 4 * index), "");
    LLVMSetAlignment(v, 4);
    return v;
}

/* Opens the loop of one axis; the builder then stands in its header. */
static void open_loop(struct host_func *hf, struct nest_loop *l, LLVMValueRef box, unsigned axis) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef low = load_box(hf, box, 2 * axis);
    l->high = load_box(hf, box, 2 * axis + 1);
    LLVMBasicBlockRef before = LLVMGetInsertBlock(b);
    l->exit = host_new_block(hf, "done");
    l->latch = host_new_block(hf, "next");
    l->header = host_new_block(hf, "points");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntULT, low, l->high, ""), l->header, l->exit);
    LLVMPositionBuilderAtEnd(b, l->header);
    l->counter = LLVMBuildPhi(b, hf->cx->i32, "");
    LLVMAddIncoming(l->counter, &low, &before, 1);
}

/* The builder stands in the latch, and after that behind the loop. */
static LLVMValueRef close_loop(struct host_func *hf, struct nest_loop *l) {
    LLVMBuilderRef b = hf->b;
    LLVMPositionBuilderAtEnd(b, l->latch);
    LLVMValueRef next = LLVMBuildNUWAdd(b, l->counter, host_const_i32(hf->cx, 1), "");
    LLVMAddIncoming(l->counter, &next, &l->latch, 1);
    LLVMValueRef branch = LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntULT, next, l->high, ""), l->header, l->exit);
    LLVMPositionBuilderAtEnd(b, l->exit);
    return branch;
}

void host_emit_kernel(struct host_cx *cx, const struct off_kernel *k, LLVMValueRef fn, struct arena *scratch) {
    struct arena_mark mark = arena_mark(scratch);
    struct host_func hf;
    host_begin_func(&hf, cx, k->body, fn, scratch);
    hf.kernel = k;
    hf.access_group = new_access_group(cx);
    ICE_UNLESS(k->ngrid >= 1 && k->ngrid <= OFF_MAX_GRID && cx->m->nmemories > 0);
    ICE_UNLESS(k->body->body->nparams == k->ngrid + k->nscalars);
    LLVMValueRef scalars = LLVMGetParam(fn, 1), box = LLVMGetParam(fn, 2);
    hf.bases[0] = LLVMGetParam(fn, 0);
    for (uint32_t s = 0; s < k->nscalars; s++) {
        const struct ir_value *p = k->body->body->params[k->ngrid + s];
        LLVMValueRef v =
            LLVMBuildLoad2(hf.entry, host_type(cx, p->type), host_byte_gep(cx, hf.entry, scalars, 8 * s), "");
        LLVMSetAlignment(v, 8);
        if (k->scalars[s].source == OFF_SCALAR_STEP) /* known here: loops over memory vectorise */
            v = host_const_i32(cx, 1);
        host_set_value(&hf, p, v);
    }

    if (k->inspects || k->nreduces) {
        hf.status = LLVMBuildLoad2(hf.entry, cx->ptr, host_byte_gep(cx, hf.entry, scalars, 8 * k->nscalars), "");
        LLVMSetAlignment(hf.status, 8);
    }

    struct nest_loop loops[OFF_MAX_GRID] = {{0}};
    for (unsigned axis = k->ngrid; axis-- > 0;) {
        open_loop(&hf, &loops[axis], box, axis);
        host_set_value(&hf, k->body->body->params[axis], loops[axis].counter);
    }
    hf.next_point = loops[0].latch;
    host_emit_region(&hf, k->body->body);
    for (unsigned axis = 0; axis < k->ngrid; axis++) {
        LLVMMoveBasicBlockAfter(loops[axis].latch, LLVMGetInsertBlock(hf.b));
        LLVMMoveBasicBlockAfter(loops[axis].exit, loops[axis].latch);
        LLVMValueRef branch = close_loop(&hf, &loops[axis]);
        if (axis == 0)
            LLVMSetMetadata(branch, cx->md_loop, parallel_loop(cx, hf.access_group));
        if (axis + 1 < k->ngrid)
            LLVMBuildBr(hf.b, loops[axis + 1].latch);
    }
    LLVMBuildRetVoid(hf.b);
    host_end_func(&hf);
    arena_reset(scratch, mark);
}
