/* Globals, tables and references.
 *
 * A global that the module defines lives in a cell of the instance at a fixed offset; an imported one is reached
 * through the instance's pointer to its cell.  Global writes are volatile where memory accesses are (host_memory.c), so
 * that a trap finds the globals as Wasm says.  Tables never move, so only their size is read afresh.
 */
#include "backends/host/host_internal.h"

static LLVMValueRef global_cell(struct host_func *hf, uint32_t index) {
    struct host_cx *cx = hf->cx;
    const struct ir_module *m = cx->m;
    if (m->globals[index].import.module) {
        LLVMValueRef list = host_load_field(cx, hf->b, cx->ptr, hf->vmctx, offsetof(struct wm_vmctx, globals), true);
        return host_load_field(cx, hf->b, cx->ptr, list, 8 * (uint64_t)index, true);
    }
    uint64_t own = 0;
    while (own < index && m->globals[own].import.module) /* imports come first */
        own++;
    return host_byte_gep(cx, hf->b, hf->vmctx, offsetof(struct wm_vmctx, cells) + 16 * (index - own));
}

void host_emit_global_get(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    const struct ir_global *g = &hf->cx->m->globals[i->index];
    LLVMValueRef v =
        host_load_field(hf->cx, hf->b, host_type(hf->cx, g->type), global_cell(hf, i->index), 0, !g->mutable_);
    host_set_value(hf, &i->results[0], v);
}

void host_emit_global_set(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef v = host_value(hf, i->operands[0]);
    LLVMValueRef s = host_store_field(hf->cx, hf->b, v, global_cell(hf, i->index), 0);
    LLVMSetVolatile(s, !hf->cx->options->bounds_checks);
}

/* ---- tables ---- */

static LLVMValueRef table_struct(struct host_func *hf, uint32_t index) {
    struct host_cx *cx = hf->cx;
    LLVMValueRef list = host_load_field(cx, hf->b, cx->ptr, hf->vmctx, offsetof(struct wm_vmctx, tables), true);
    return host_load_field(cx, hf->b, cx->ptr, list, 8 * (uint64_t)index, true);
}

static LLVMValueRef table_size(struct host_func *hf, LLVMValueRef table) {
    return host_load_field(hf->cx, hf->b, hf->cx->i64, table, offsetof(struct wm_table, size), false);
}

static LLVMValueRef widen(struct host_func *hf, const struct ir_value *v) {
    LLVMValueRef x = host_value(hf, v);
    return v->type == IR_I32 ? LLVMBuildZExt(hf->b, x, hf->cx->i64, "") : x;
}

static LLVMValueRef narrow_to(struct host_func *hf, LLVMValueRef x, enum ir_type t) {
    return t == IR_I32 ? LLVMBuildTrunc(hf->b, x, hf->cx->i32, "") : x;
}

/* Address of the slot that operand 0 names, after its check. */
static LLVMValueRef table_slot(struct host_func *hf, const struct ir_inst *i) {
    struct host_cx *cx = hf->cx;
    LLVMValueRef table = table_struct(hf, i->index), slot = widen(hf, i->operands[0]);
    LLVMValueRef ok = LLVMBuildICmp(hf->b, LLVMIntULT, slot, table_size(hf, table), "");
    host_trap_unless(hf, ok, IR_TRAP_TABLE_BOUNDS, i);
    LLVMValueRef entries = host_load_field(cx, hf->b, cx->ptr, table, offsetof(struct wm_table, entries), true);
    return LLVMBuildInBoundsGEP2(hf->b, cx->ptr, entries, &slot, 1, "");
}

void host_emit_table_get(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    host_set_value(hf, &i->results[0], host_load_field(hf->cx, hf->b, hf->cx->ptr, table_slot(hf, i), 0, false));
}

void host_emit_table_set(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef slot = table_slot(hf, i);
    LLVMValueRef s = host_store_field(hf->cx, hf->b, host_value(hf, i->operands[1]), slot, 0);
    LLVMSetVolatile(s, !hf->cx->options->bounds_checks);
}

void host_emit_table_size(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef size = table_size(hf, table_struct(hf, i->index));
    host_set_value(hf, &i->results[0], narrow_to(hf, size, i->results[0].type));
}

/* table.grow: value, count */
void host_emit_table_grow(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef args[] = {hf->vmctx, host_const_i64(hf->cx, i->index), host_value(hf, i->operands[0]),
                           widen(hf, i->operands[1])};
    LLVMValueRef old = host_call_rt(hf, HOST_RT_TABLE_GROW, args, 4);
    host_set_value(hf, &i->results[0], narrow_to(hf, old, i->results[0].type));
}

/* table.fill: slot, value, count */
void host_emit_table_fill(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef args[] = {hf->vmctx,
                           host_const_i64(hf->cx, i->index),
                           widen(hf, i->operands[0]),
                           host_value(hf, i->operands[1]),
                           widen(hf, i->operands[2]),
                           host_where(hf, i)};
    host_call_rt(hf, HOST_RT_TABLE_FILL, args, 6);
}

/* ---- references ---- */

void host_emit_ref_null(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    host_set_value(hf, &i->results[0], LLVMConstNull(hf->cx->ptr));
}

void host_emit_ref_is_null(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    host_set_bool(hf, &i->results[0], LLVMBuildIsNull(hf->b, host_value(hf, i->operands[0]), ""));
}

void host_emit_ref_func(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    struct host_cx *cx = hf->cx;
    LLVMValueRef list = host_load_field(cx, hf->b, cx->ptr, hf->vmctx, offsetof(struct wm_vmctx, funcrefs), true);
    host_set_value(hf, &i->results[0], host_byte_gep(cx, hf->b, list, sizeof(struct wm_funcref) * (uint64_t)i->index));
}
