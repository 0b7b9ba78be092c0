/* Loads, stores and bulk memory operations.
 *
 * How traps stay precise.  Wasm wants an out-of-range access to trap with exactly the stores before it done and none
 * after it.  LLVM takes it for granted that a plain load or store does not fault, so it deletes dead loads, moves loads
 * over stores, sinks, widens and vectorises stores: all of them visible when an access runs into the guard pages.
 *
 *   guard pages     Accesses are volatile: LLVM keeps each, in order, and never joins or splits them.  Exempt are loads
 *                   that cannot fault (constant address below the memory's minimum size).  What is lost is redundancy
 *                   elimination, which the wasm producer's optimiser has done already, automatic vectorisation of
 *                   loops, and the folding of loads into arithmetic (host_places.c says why).
 *   explicit checks Accesses are plain.  Each stands behind a branch to wm_rt_trap, which for LLVM may read all memory:
 *                   so stores stay before later checks, loads behind their own, and a dead load's check remains.  A
 *                   check is left out when one for the same address value and at least as high an end dominates it
 *                   (memory never shrinks).
 *   native kernels  Accesses are plain: the guard of the launch proved that none is out of range.  This is where
 *                   vectorised code comes from; each access is in the access group of the kernel's x loop, because grid
 *                   points never touch each other's bytes.
 *
 * Cheaper schemes were looked at for guard pages: volatile stores with plain loads (a load may still move over a store,
 * or vanish), and empty asm statements that clobber memory (the same lost optimisations, and they end up pinning every
 * loaded value to a register).  An unaligned store over the end of memory writes nothing on x86-64; Arm leaves open
 * whether the bytes on the accessible page change.
 *
 * Alignment is never assumed: the wasm hint may be wrong.
 */
#include "backends/host/host_internal.h"

struct host_undo {
    uint32_t value;
    uint64_t end;
};

/* Bytes that the memory has at any time at least. */
static uint64_t least_bytes(const struct host_func *hf, uint32_t memory) {
    uint64_t pages = hf->cx->m->memories[memory].limits.min;
    return pages > UINT64_C(1) << 47 ? UINT64_MAX : pages << 16;
}

static LLVMValueRef memory_struct(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef vmctx, uint32_t memory) {
    LLVMValueRef list = host_load_field(cx, b, cx->ptr, vmctx, offsetof(struct wm_vmctx, memories), true);
    return host_load_field(cx, b, cx->ptr, list, 8 * (uint64_t)memory, true);
}

/* Loaded once, in the function's first block. */
LLVMValueRef host_memory_base(struct host_func *hf, uint32_t memory) {
    struct host_cx *cx = hf->cx;
    if (memory >= cx->m->nmemories)
        ICE("memory %u of %u", memory, cx->m->nmemories);
    if (hf->bases[memory])
        return hf->bases[memory];
    LLVMValueRef base;
    if (memory == 0)
        base = host_load_field(cx, hf->entry, cx->ptr, hf->vmctx, offsetof(struct wm_vmctx, memory0_base), true);
    else
        base = host_load_field(cx, hf->entry, cx->ptr, memory_struct(cx, hf->entry, hf->vmctx, memory),
                               offsetof(struct wm_memory, base), true);
    return hf->bases[memory] = base;
}

static LLVMValueRef memory_bytes(struct host_func *hf, uint32_t memory) {
    struct host_cx *cx = hf->cx;
    const struct ir_memory *m = &cx->m->memories[memory];
    if (!m->import.module && m->limits.has_max && m->limits.min == m->limits.max)
        return host_const_i64(cx, least_bytes(hf, memory));
    return host_load_field(cx, hf->b, cx->i64, memory_struct(cx, hf->b, hf->vmctx, memory),
                           offsetof(struct wm_memory, bytes), false);
}

void host_forget_bounds(struct host_func *hf, uint32_t mark) {
    while (hf->nundo > mark) {
        const struct host_undo *u = &hf->undo[--hf->nundo];
        hf->safe_end[u->value] = u->end;
    }
}

static bool statically_inside(const struct host_func *hf, const struct ir_inst *i, uint64_t end) {
    const union ir_bits *c = ir_const_of(i->operands[0]);
    if (!c)
        return false;
    uint64_t address = i->operands[0]->type == IR_I64 ? c->i64 : c->i32, sum;
    return !__builtin_add_overflow(address, end, &sum) && sum <= least_bytes(hf, i->mem.memory);
}

/* `end`: offset + bytes.  A 32-bit address plus it stays below 2^34; for 64-bit ones the test never adds to them. */
static void check_bounds(struct host_func *hf, const struct ir_inst *i, LLVMValueRef address, uint64_t end) {
    LLVMBuilderRef b = hf->b;
    const struct ir_value *v = i->operands[0];
    if (statically_inside(hf, i, end) || (i->mem.memory == 0 && end <= hf->safe_end[v->id]))
        return;
    LLVMValueRef bytes = memory_bytes(hf, i->mem.memory), limit = host_const_i64(hf->cx, end), ok;
    if (v->type == IR_I32) {
        ok = LLVMBuildICmp(b, LLVMIntULE, LLVMBuildAdd(b, address, limit, ""), bytes, "");
    } else {
        LLVMValueRef room = LLVMBuildICmp(b, LLVMIntUGE, bytes, limit, "");
        LLVMValueRef below = LLVMBuildICmp(b, LLVMIntULE, address, LLVMBuildSub(b, bytes, limit, ""), "");
        ok = LLVMBuildAnd(b, room, below, "");
    }
    host_trap_unless(hf, ok, IR_TRAP_MEMORY_BOUNDS, i);
    if (i->mem.memory == 0) {
        struct host_undo *u = arena_push(hf->arena, hf->undo, hf->nundo, hf->undo_cap);
        *u = (struct host_undo){v->id, hf->safe_end[v->id]};
        hf->safe_end[v->id] = end;
    }
}

/* The machine address; emits the check where there is one. */
static LLVMValueRef effective_address(struct host_func *hf, const struct ir_inst *i, unsigned bytes) {
    struct host_cx *cx = hf->cx;
    LLVMValueRef address = host_value(hf, i->operands[0]), base = host_memory_base(hf, i->mem.memory);
    bool narrow = i->operands[0]->type == IR_I32;
    uint64_t offset = i->mem.offset, end;
    if (narrow)
        address = LLVMBuildZExt(hf->b, address, cx->i64, "");
    if (hf->kernel) { /* inside one object, as the guard proved */
        LLVMValueRef p = LLVMBuildInBoundsGEP2(hf->b, cx->i8, base, &address, 1, "");
        return host_byte_gep(cx, hf->b, p, offset);
    }
    if (cx->options->bounds_checks || !narrow || offset > UINT32_MAX) {
        if (__builtin_add_overflow(offset, (uint64_t)bytes, &end))
            end = UINT64_MAX; /* no memory is that large */
        check_bounds(hf, i, address, end);
    }
    LLVMValueRef p = LLVMBuildGEP2(hf->b, cx->i8, base, &address, 1, "");
    LLVMValueRef index = host_const_i64(cx, offset);
    return offset ? LLVMBuildGEP2(hf->b, cx->i8, p, &index, 1, "") : p;
}

static void mark_access(struct host_func *hf, const struct ir_inst *i, LLVMValueRef access) {
    LLVMSetAlignment(access, 1);
    host_mark_space(hf->cx, access, HOST_SPACE_LINEAR);
    if (hf->kernel) {
        LLVMSetMetadata(access, hf->cx->md_access_group, hf->access_group);
    } else if (hf->cx->m->memories[i->mem.memory].limits.shared) {
        LLVMSetVolatile(access, true); /* other threads write here: LLVM must not read a value twice */
    } else if (!hf->cx->options->bounds_checks) {
        bool inside = statically_inside(hf, i, i->mem.offset + ir_info(i)->bytes);
        LLVMSetVolatile(access, !(inside && ir_is_load(i)));
    }
}

/* A v128 that is 0 but for the lane loaded.  Loaded as a float, so that it goes straight to a vector register. */
static LLVMValueRef in_first_lane(struct host_func *hf, LLVMValueRef v, unsigned bytes) {
    LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(LLVMTypeOf(v), 16 / bytes));
    v = LLVMBuildInsertElement(hf->b, zeros, v, host_const_i32(hf->cx, 0), "");
    return LLVMBuildBitCast(hf->b, v, hf->cx->v128, "");
}

void host_emit_load(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    const struct ir_op_info *info = ir_info(i);
    LLVMTypeRef type = host_type(hf->cx, (enum ir_type)info->result), in_memory = type;
    bool is_int = info->result == IR_I32 || info->result == IR_I64;
    if (is_int)
        in_memory = LLVMIntTypeInContext(hf->cx->llvm, info->bytes * 8u);
    bool part = info->result == IR_V128 && info->bytes < 16;
    if (part)
        in_memory = info->bytes == 4 ? hf->cx->f32 : hf->cx->f64;
    LLVMValueRef v = LLVMBuildLoad2(hf->b, in_memory, effective_address(hf, i, info->bytes), "");
    mark_access(hf, i, v);
    host_mark_place(hf, i, v);
    if (LLVMGetVolatile(v))
        v = LLVMBuildFreeze(hf->b, v, ""); /* host_places.c */
    if (part)
        v = in_first_lane(hf, v, info->bytes);
    else if (in_memory != type)
        v = info->sign ? LLVMBuildSExt(hf->b, v, type, "") : LLVMBuildZExt(hf->b, v, type, "");
    host_set_value(hf, &i->results[0], v);
}

/* All points that store there store the same, from any thread. */
static void emit_status_store(struct host_func *hf, struct ir_inst *i) {
    LLVMValueRef store = LLVMBuildStore(hf->b, host_value(hf, i->operands[1]), hf->status);
    LLVMSetOrdering(store, LLVMAtomicOrderingMonotonic);
    LLVMSetAlignment(store, 4);
}

/* Each worker has words of its own there. */
static void emit_partial_store(struct host_func *hf, struct ir_inst *i) {
    LLVMValueRef at = LLVMBuildZExt(hf->b, host_value(hf, i->operands[0]), hf->cx->i64, "");
    at = LLVMBuildNUWAdd(hf->b, at, host_const_i64(hf->cx, i->mem.offset), "");
    LLVMTypeRef byte = LLVMInt8TypeInContext(hf->cx->llvm);
    LLVMValueRef place = LLVMBuildInBoundsGEP2(hf->b, byte, hf->status, &at, 1, "");
    LLVMSetAlignment(LLVMBuildStore(hf->b, host_value(hf, i->operands[1]), place), 8);
}

void host_emit_store(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    const struct ir_op_info *info = ir_info(i);
    unsigned kind = hf->kernel ? hf->kernel->streams[i->mem.stream].kind : OFF_STREAM_RANGE;
    if (kind == OFF_STREAM_STATUS) {
        emit_status_store(hf, i);
        return;
    }
    if (kind == OFF_STREAM_PARTIALS) {
        emit_partial_store(hf, i);
        return;
    }
    LLVMValueRef v = host_value(hf, i->operands[1]);
    LLVMTypeRef type = LLVMTypeOf(v);
    bool is_int = info->result == IR_I32 || info->result == IR_I64;
    if (is_int && LLVMGetIntTypeWidth(type) != info->bytes * 8u)
        v = LLVMBuildTrunc(hf->b, v, LLVMIntTypeInContext(hf->cx->llvm, info->bytes * 8u), "");
    LLVMValueRef store = LLVMBuildStore(hf->b, v, effective_address(hf, i, info->bytes));
    mark_access(hf, i, store);
    host_mark_place(hf, i, store);
}

/* Only legalised kernels have it, for targets that cannot store bytes; kept so that those can run natively too. */
void host_emit_xor_word(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef p = effective_address(hf, i, 4), v = host_value(hf, i->operands[1]);
    LLVMBuildAtomicRMW(hf->b, LLVMAtomicRMWBinOpXor, p, v, LLVMAtomicOrderingMonotonic, 0);
}

/* One array a thread serves all its points, one after the other: a point reads no word that it has not written.  The
 * accesses are in no access group, so LLVM knows that they tie the points together. */
void host_emit_array(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMTypeRef word = hf->cx->i32, type = LLVMArrayType2(word, i->index2);
    if (!hf->arrays[i->index]) {
        hf->arrays[i->index] = LLVMBuildAlloca(hf->entry, type, "array");
        LLVMSetAlignment(hf->arrays[i->index], 16);
    }
    LLVMValueRef at[2] = {host_const_i32(hf->cx, 0), host_value(hf, i->operands[0])};
    at[1] = LLVMBuildZExt(hf->b, at[1], hf->cx->i64, "");
    LLVMValueRef place = LLVMBuildInBoundsGEP2(hf->b, type, hf->arrays[i->index], at, 2, "");
    if (i->op == IR_ARRAY_SET)
        LLVMBuildStore(hf->b, host_value(hf, i->operands[1]), place);
    else
        host_set_value(hf, &i->results[0], LLVMBuildLoad2(hf->b, word, place, ""));
}

void host_emit_in_kernel(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)hf;
    (void)i;
    (void)arg;
    ICE("in_kernel outlived the offloader");
}

/* ---- addresses of atomic accesses ---- */

LLVMValueRef host_atomic_index(struct host_func *hf, const struct ir_inst *i) {
    LLVMBuilderRef b = hf->b;
    LLVMValueRef address = host_value(hf, i->operands[0]), offset = host_const_i64(hf->cx, i->mem.offset);
    if (i->operands[0]->type == IR_I32)
        return LLVMBuildAdd(b, LLVMBuildZExt(b, address, hf->cx->i64, ""), offset, "");
    LLVMValueRef sum = LLVMBuildAdd(b, address, offset, ""),
                 last = host_const_i64(hf->cx, -(uint64_t)ir_info(i)->bytes);
    return LLVMBuildSelect(b, LLVMBuildICmp(b, LLVMIntULT, sum, offset, ""), last, sum, "");
}

/* The bounds check is an explicit one in every mode: LLVM takes an atomic access apart where the machine lacks it, and
 * a comparison costs nothing beside one. */
LLVMValueRef host_atomic_address(struct host_func *hf, const struct ir_inst *i) {
    LLVMBuilderRef b = hf->b;
    uint64_t bytes = ir_info(i)->bytes, end;
    LLVMValueRef index = host_atomic_index(hf, i);
    if (bytes > 1) {
        LLVMValueRef low = LLVMBuildAnd(b, index, host_const_i64(hf->cx, bytes - 1), "");
        host_trap_unless(hf, LLVMBuildIsNull(b, low, ""), IR_TRAP_UNALIGNED_ATOMIC, i);
    }
    if (__builtin_add_overflow(i->mem.offset, bytes, &end))
        end = UINT64_MAX;
    LLVMValueRef address = host_value(hf, i->operands[0]);
    if (i->operands[0]->type == IR_I32)
        address = LLVMBuildZExt(b, address, hf->cx->i64, "");
    check_bounds(hf, i, address, end);
    return LLVMBuildGEP2(b, hf->cx->i8, host_memory_base(hf, i->mem.memory), &index, 1, "");
}

/* ---- size, growth, bulk ---- */

static LLVMValueRef widen(struct host_func *hf, const struct ir_value *v) {
    LLVMValueRef x = host_value(hf, v);
    return v->type == IR_I32 ? LLVMBuildZExt(hf->b, x, hf->cx->i64, "") : x;
}

static LLVMValueRef narrow_to(struct host_func *hf, LLVMValueRef x, enum ir_type t) {
    return t == IR_I32 ? LLVMBuildTrunc(hf->b, x, hf->cx->i32, "") : x;
}

void host_emit_memory_size(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef pages = LLVMBuildLShr(hf->b, memory_bytes(hf, i->index), host_const_i64(hf->cx, 16), "");
    host_set_value(hf, &i->results[0], narrow_to(hf, pages, i->results[0].type));
}

void host_emit_memory_grow(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    LLVMValueRef args[] = {hf->vmctx, host_const_i64(hf->cx, i->index), widen(hf, i->operands[0])};
    LLVMValueRef old = host_call_rt(hf, HOST_RT_MEMORY_GROW, args, 3);
    host_set_value(hf, &i->results[0], narrow_to(hf, old, i->results[0].type));
}

/* The runtime functions all take: instance, up to two indices, three operands, place. */
static void call_bulk(struct host_func *hf, enum host_rt which, const struct ir_inst *i, bool two_indices) {
    LLVMValueRef args[7];
    unsigned n = 0;
    args[n++] = hf->vmctx;
    args[n++] = host_const_i64(hf->cx, i->index);
    if (two_indices)
        args[n++] = host_const_i64(hf->cx, i->index2);
    for (unsigned k = 0; k < 3; k++)
        args[n++] = widen(hf, i->operands[k]);
    args[n++] = host_where(hf, i);
    host_call_rt(hf, which, args, n);
}

void host_emit_memory_copy(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    call_bulk(hf, HOST_RT_MEMORY_COPY, i, true);
}

void host_emit_memory_fill(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    call_bulk(hf, HOST_RT_MEMORY_FILL, i, false);
}

void host_emit_memory_init(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    call_bulk(hf, HOST_RT_MEMORY_INIT, i, true);
}

void host_emit_table_copy(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    call_bulk(hf, HOST_RT_TABLE_COPY, i, true);
}

void host_emit_table_init(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    (void)arg;
    call_bulk(hf, HOST_RT_TABLE_INIT, i, true);
}

/* data.drop and elem.drop: `arg` is the runtime function. */
void host_emit_drop(struct host_func *hf, struct ir_inst *i, unsigned arg) {
    LLVMValueRef args[] = {hf->vmctx, host_const_i64(hf->cx, i->index)};
    host_call_rt(hf, (enum host_rt)arg, args, 2);
}
