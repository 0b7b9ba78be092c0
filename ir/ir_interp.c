/* The interpreter's core: one loop that walks instructions in place.
 *
 * Structured control needs no stack of its own: every region knows the instruction around it, so a branch stores its
 * arguments as the label's results (or parameters) and goes on behind it (or at its first instruction).  Calls push a
 * frame on the instance's own stack, never on C's, so that deep recursion of the program ends in a trap.  A frame's
 * values lie in a slice of one array, indexed by value id. */
#include "ir/ir_interp.h"

#include <stdlib.h>
#include <string.h>

#include "ir/ir_eval.h"
#include "ir/ir_interp_impl.h"
#include "ir/util/ice.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "memory accesses copy bytes as they are");

enum { DEFAULT_DEPTH = 10000 };
static const uint64_t max_slots = UINT64_C(1) << 24; /* 256 MiB of values, then the stack counts as exhausted */

struct ir_interp *ir_interp_new(const struct ir_interp_desc *desc, struct ir_trap_info *out_trap) {
    struct ir_interp *in = calloc(1, sizeof *in);
    if (!in)
        return NULL;
    in->desc = *desc;
    in->module = desc->module;
    in->fuel = desc->fuel ? desc->fuel : UINT64_MAX;
    if (!in->desc.max_call_depth)
        in->desc.max_call_depth = DEFAULT_DEPTH;
    if (!interp_state_new(in)) {
        ir_interp_free(in);
        return NULL;
    }
    enum ir_trap trap = interp_state_init(in);
    if (out_trap)
        *out_trap = (struct ir_trap_info){.code = trap, .wasm_offset = IR_NO_OFFSET};
    return in;
}

void ir_interp_free(struct ir_interp *in) {
    if (!in)
        return;
    interp_state_free(in);
    interp_exn_free_all(in);
    free(in->frames);
    free(in->slots);
    free(in->args);
    free(in);
}

uint8_t *ir_interp_memory(struct ir_interp *in, uint32_t memory, uint64_t *out_bytes) {
    if (memory >= in->module->nmemories) {
        *out_bytes = 0;
        return NULL;
    }
    *out_bytes = in->memories[memory].bytes;
    return in->memories[memory].base;
}

union ir_bits *ir_interp_global(struct ir_interp *in, uint32_t global) {
    return global < in->module->nglobals ? &in->globals[global] : NULL;
}

/* ---- frames ---- */

static union ir_bits *args_buffer(struct ir_interp *in, uint32_t n) {
    if (n > in->args_cap) {
        union ir_bits *args = realloc(in->args, sizeof *args * n * 2);
        if (!args)
            ICE("out of memory for %u arguments", n);
        in->args = args;
        in->args_cap = n * 2;
    }
    return in->args;
}

static enum ir_trap push_frame(struct ir_interp *in, struct ir_func *f, const struct ir_inst *call,
                               const union ir_bits *args) {
    if (in->nframes >= in->desc.max_call_depth || in->nslots + f->next_id > max_slots)
        return IR_TRAP_STACK_EXHAUSTED;
    if (in->nframes == in->frames_cap) {
        uint32_t cap = in->frames_cap ? in->frames_cap * 2 : 64;
        struct interp_frame *frames = realloc(in->frames, sizeof *frames * cap);
        if (!frames)
            return IR_TRAP_STACK_EXHAUSTED;
        in->frames = frames;
        in->frames_cap = cap;
    }
    if (in->nslots + f->next_id > in->slots_cap) {
        uint64_t cap = (in->nslots + f->next_id) * 2;
        union ir_bits *slots = realloc(in->slots, sizeof *slots * cap);
        if (!slots)
            return IR_TRAP_STACK_EXHAUSTED;
        in->slots = slots;
        in->slots_cap = cap;
    }
    if (!in->nframes && in->arrays_used) { /* nobody is to rely on what another invocation has left there */
        memset(in->arrays, 0xa5, sizeof in->arrays);
        in->arrays_used = false;
    }
    in->frames[in->nframes++] = (struct interp_frame){.func = f, .call = call, .base = in->nslots};
    union ir_bits *slots = in->slots + in->nslots;
    in->nslots += f->next_id;
    for (uint32_t k = 0; k < f->body->nparams; k++)
        slots[f->body->params[k]->id] = args[k];
    return IR_TRAP_NONE;
}

static void pop_frame(struct ir_interp *in) {
    in->nslots = in->frames[--in->nframes].base;
}

/* The imported function, with arguments and then results in `args`, the interpreter's buffer. */
static enum ir_trap call_host(struct ir_interp *in, uint32_t index, uint32_t nargs, uint32_t nresults) {
    if (!in->desc.host_call)
        return IR_TRAP_HOST;
    /* The host may call back in, which uses and may move the buffer: it gets its own copy. */
    union ir_bits small[16], *own = small;
    uint32_t n = nargs > nresults ? nargs : nresults;
    if (n > 16 && !(own = malloc(sizeof *own * n)))
        return IR_TRAP_STACK_EXHAUSTED;
    memcpy(own, in->args, sizeof *own * nargs);
    enum ir_trap trap = in->desc.host_call(in->desc.user, in, index, own);
    if (!trap)
        memcpy(args_buffer(in, n + 1), own, sizeof *own * nresults);
    if (own != small)
        free(own);
    return trap;
}

/* The arguments of `call` in a frame at `base`, gathered in the interpreter's buffer. */
static union ir_bits *take_args(struct ir_interp *in, const struct ir_inst *call, const struct ir_sig *sig,
                                uint64_t base) {
    union ir_bits *args = args_buffer(in, (sig->nparams > sig->nresults ? sig->nparams : sig->nresults) + 1);
    for (uint32_t k = 0; k < sig->nparams; k++)
        args[k] = in->slots[base + call->operands[k]->id];
    return args;
}

/* Starts a call from `call` (in a frame): a frame for a defined function, host_call for an imported one. */
static enum ir_trap start_call(struct ir_interp *in, uint32_t index, const struct ir_inst *call, uint64_t base) {
    struct ir_func *callee = in->module->funcs[index].func;
    union ir_bits *args = take_args(in, call, &callee->sig, base);
    if (!in->module->funcs[index].import.module)
        return push_frame(in, callee, call, args);
    enum ir_trap trap = call_host(in, index, callee->sig.nparams, callee->sig.nresults);
    for (uint32_t k = 0; !trap && k < callee->sig.nresults; k++)
        in->slots[base + call->results[k].id] = in->args[k];
    return trap;
}

/* Leaves the newest frame with its results in `args`; returns where the caller goes on, NULL when that was the frame
 * above `bottom`. */
static const struct ir_inst *leave_frame(struct ir_interp *in, uint32_t bottom, const union ir_bits *args) {
    const struct ir_inst *call = in->frames[in->nframes - 1].call;
    pop_frame(in);
    if (in->nframes == bottom)
        return NULL;
    uint64_t base = in->frames[in->nframes - 1].base;
    for (uint32_t k = 0; k < call->nresults; k++)
        in->slots[base + call->results[k].id] = args[k];
    return call->next;
}

static enum ir_trap find_indirect(const struct ir_interp *in, const struct ir_inst *i, uint32_t slot,
                                  uint32_t *out_index) {
    const struct interp_table *t = &in->tables[i->index2];
    if (slot >= t->size)
        return IR_TRAP_UNDEFINED_ELEMENT;
    if (!t->refs[slot])
        return IR_TRAP_UNINITIALIZED_ELEMENT;
    *out_index = (uint32_t)(t->refs[slot] - 1);
    if (*out_index >= in->module->nfuncs ||
        !ir_sig_equal(&in->module->funcs[*out_index].func->sig, &in->module->types[i->index]))
        return IR_TRAP_INDIRECT_CALL_TYPE;
    return IR_TRAP_NONE;
}

/* The callee takes the frame's place.  *out_next: where to go on; NULL when an imported callee has returned from the
 * frame above `bottom`, its results in the interpreter's buffer. */
static enum ir_trap start_tail_call(struct ir_interp *in, const struct ir_inst *i, uint64_t base, uint32_t bottom,
                                    const struct ir_inst **out_next) {
    uint32_t index = i->index;
    enum ir_trap trap = IR_TRAP_NONE;
    if (i->op == IR_RETURN_CALL_INDIRECT)
        trap = find_indirect(in, i, in->slots[base + i->operands[i->noperands - 1]->id].i32, &index);
    if (trap)
        return trap;
    struct ir_func *callee = in->module->funcs[index].func;
    union ir_bits *args = take_args(in, i, &callee->sig, base);
    if (in->module->funcs[index].import.module) {
        trap = call_host(in, index, callee->sig.nparams, callee->sig.nresults);
        if (!trap)
            *out_next = leave_frame(in, bottom, in->args);
        return trap;
    }
    struct interp_frame frame = in->frames[in->nframes - 1];
    pop_frame(in);
    trap = push_frame(in, callee, frame.call, args);
    if (trap) { /* for the report */
        in->frames[in->nframes++] = frame;
        in->nslots = frame.base;
        return trap;
    }
    *out_next = callee->body->first;
    return IR_TRAP_NONE;
}

/* ---- memory ---- */

static uint64_t address(const struct ir_interp *in, uint32_t memory, union ir_bits bits) {
    return in->module->memories[memory].limits.is64 ? bits.i64 : bits.i32;
}

/* Where the access lies, NULL when any byte of it is outside. */
static uint8_t *access_bytes(struct ir_interp *in, const struct ir_inst *i, union ir_bits addr, unsigned bytes) {
    struct interp_memory *m = &in->memories[i->mem.memory];
    uint64_t at;
    if (__builtin_add_overflow(address(in, i->mem.memory, addr), i->mem.offset, &at) || at > m->bytes ||
        m->bytes - at < bytes)
        return NULL;
    return m->base + at;
}

static enum ir_trap do_load(struct ir_interp *in, const struct ir_inst *i, union ir_bits *slots) {
    const struct ir_op_info *info = ir_info(i);
    const uint8_t *p = access_bytes(in, i, slots[i->operands[0]->id], info->bytes);
    if (!p)
        return IR_TRAP_MEMORY_BOUNDS;
    union ir_bits v = {.u64x2 = {0, 0}};
    memcpy(&v, p, info->bytes);
    if (info->sign) {
        unsigned shift = 64 - 8u * info->bytes;
        v.i64 = (uint64_t)((int64_t)(v.i64 << shift) >> shift);
        if (info->result == IR_I32)
            v.i64 = v.i32;
    }
    slots[i->results[0].id] = v;
    return IR_TRAP_NONE;
}

static enum ir_trap do_store(struct ir_interp *in, const struct ir_inst *i, const union ir_bits *slots) {
    uint8_t *p = access_bytes(in, i, slots[i->operands[0]->id], ir_info(i)->bytes);
    if (!p)
        return IR_TRAP_MEMORY_BOUNDS;
    memcpy(p, &slots[i->operands[1]->id], ir_info(i)->bytes);
    return IR_TRAP_NONE;
}

static enum ir_trap do_xor_word(struct ir_interp *in, const struct ir_inst *i, const union ir_bits *slots) {
    uint8_t *p = access_bytes(in, i, slots[i->operands[0]->id], 4);
    if (!p)
        return IR_TRAP_MEMORY_BOUNDS;
    uint32_t word;
    memcpy(&word, p, 4);
    word ^= slots[i->operands[1]->id].i32;
    memcpy(p, &word, 4);
    return IR_TRAP_NONE;
}

static uint64_t atomic_result(enum ir_atomic kind, uint64_t old, uint64_t x) {
    switch (kind) {
    case IR_ATOMIC_ADD:
        return old + x;
    case IR_ATOMIC_SUB:
        return old - x;
    case IR_ATOMIC_AND:
        return old & x;
    case IR_ATOMIC_OR:
        return old | x;
    case IR_ATOMIC_XOR:
        return old ^ x;
    default:
        return x;
    }
}

/* There is one thread: nobody ever waits to be notified, and a wait without a timeout would not end. */
static enum ir_trap do_wait(const struct ir_interp *in, const struct ir_inst *i, uint64_t found, uint64_t expected,
                            int64_t timeout, uint64_t *out) {
    if (!in->module->memories[i->mem.memory].limits.shared)
        return IR_TRAP_EXPECTED_SHARED;
    *out = found != expected ? 1 : 2;
    return found == expected && timeout < 0 ? IR_TRAP_INTERRUPT : IR_TRAP_NONE;
}

static enum ir_trap do_atomic(struct ir_interp *in, const struct ir_inst *i, union ir_bits *slots) {
    const struct ir_op_info *info = ir_info(i);
    union ir_bits args[3] = {{.u64x2 = {0, 0}}}, v = {.u64x2 = {0, 0}};
    for (uint32_t k = 0; k < info->operands; k++)
        args[k] = slots[i->operands[k]->id];
    uint64_t at = address(in, i->mem.memory, args[0]) + i->mem.offset, old = 0, x = 0, stored;
    if (at % info->bytes)
        return IR_TRAP_UNALIGNED_ATOMIC;
    uint8_t *p = access_bytes(in, i, args[0], info->bytes);
    if (!p)
        return IR_TRAP_MEMORY_BOUNDS;
    memcpy(&old, p, info->bytes);
    if (info->operands > 1)
        x = info->operand_types[1] == IR_I32 ? args[1].i32 : args[1].i64;
    enum ir_trap trap = IR_TRAP_NONE;
    v.i64 = old;
    switch ((enum ir_atomic)info->atomic) {
    case IR_ATOMIC_LOAD:
        break;
    case IR_ATOMIC_CMPXCHG:
        if (old == x)
            memcpy(p, &args[2], info->bytes);
        break;
    case IR_ATOMIC_WAIT:
        trap = do_wait(in, i, old, x, (int64_t)args[2].i64, &v.i64);
        break;
    case IR_ATOMIC_NOTIFY:
        v.i64 = 0;
        break;
    default:
        stored = atomic_result((enum ir_atomic)info->atomic, old, x);
        memcpy(p, &stored, info->bytes);
    }
    if (i->nresults)
        slots[i->results[0].id] = v;
    return trap;
}

/* memory.*, table.*, references: everything that is neither simple, control nor a call. */
static enum ir_trap do_other(struct ir_interp *in, const struct ir_inst *i, union ir_bits *slots) {
#define ARG(k) slots[i->operands[k]->id]
    union ir_bits *r = i->nresults ? &slots[i->results[0].id] : NULL;
    union ir_bits v = {.u64x2 = {0, 0}};
    uint32_t x = i->index, y = i->index2;
    switch (i->op) {
    case IR_SELECT:
        v = ARG(2).i32 ? ARG(0) : ARG(1);
        break;
    case IR_GLOBAL_GET:
        v = in->globals[x];
        break;
    case IR_GLOBAL_SET:
        in->globals[x] = ARG(0);
        break;
    case IR_IN_KERNEL:
        break;
    case IR_ARRAY_GET:
    case IR_ARRAY_SET:
        ICE_UNLESS(x < IR_MAX_ARRAYS && y <= IR_MAX_ARRAY_WORDS);
        if (ARG(0).i32 >= y)
            return IR_TRAP_MEMORY_BOUNDS;
        in->arrays_used = true;
        if (i->op == IR_ARRAY_SET)
            in->arrays[x][ARG(0).i32] = ARG(1).i32;
        else
            v.i32 = in->arrays[x][ARG(0).i32];
        break;
    case IR_MEMORY_SIZE:
        v.i64 = in->memories[x].bytes >> 16;
        break;
    case IR_MEMORY_GROW:
        v.i64 = interp_memory_grow(in, x, address(in, x, ARG(0)));
        if (!in->module->memories[x].limits.is64)
            v.i64 = v.i32;
        break;
    case IR_MEMORY_COPY: {
        bool wide = in->module->memories[x].limits.is64 && in->module->memories[y].limits.is64;
        return interp_memory_copy(in, x, y, address(in, x, ARG(0)), address(in, y, ARG(1)),
                                  wide ? ARG(2).i64 : ARG(2).i32);
    }
    case IR_MEMORY_FILL:
        return interp_memory_fill(in, x, address(in, x, ARG(0)), (uint8_t)ARG(1).i32, address(in, x, ARG(2)));
    case IR_MEMORY_INIT:
        return interp_memory_init(in, x, y, address(in, x, ARG(0)), ARG(1).i32, ARG(2).i32);
    case IR_DATA_DROP:
        in->data_dropped[x] = true;
        break;
    case IR_REF_NULL:
        break;
    case IR_REF_IS_NULL:
        v.i32 = ARG(0).i64 == 0;
        break;
    case IR_REF_FUNC:
        v.i64 = (uint64_t)x + 1;
        break;
    case IR_TABLE_GET:
    case IR_TABLE_SET:
        if (ARG(0).i32 >= in->tables[x].size)
            return IR_TRAP_TABLE_BOUNDS;
        if (i->op == IR_TABLE_SET)
            in->tables[x].refs[ARG(0).i32] = ARG(1).i64;
        else
            v.i64 = in->tables[x].refs[ARG(0).i32];
        break;
    case IR_TABLE_SIZE:
        v.i64 = in->tables[x].size;
        break;
    case IR_TABLE_GROW:
        v.i64 = (uint32_t)interp_table_grow(in, x, ARG(0).i64, ARG(1).i32);
        break;
    case IR_TABLE_FILL:
        return interp_table_fill(in, x, ARG(0).i32, ARG(1).i64, ARG(2).i32);
    case IR_TABLE_COPY:
        return interp_table_copy(in, x, y, ARG(0).i32, ARG(1).i32, ARG(2).i32);
    case IR_TABLE_INIT:
        return interp_table_init(in, x, y, ARG(0).i32, ARG(1).i32, ARG(2).i32);
    case IR_ELEM_DROP:
        in->elem_dropped[x] = true;
        break;
    case IR_ATOMIC_FENCE:
        break;
    case IR_XOR_WORD:
        return do_xor_word(in, i, slots);
    default:
        ICE("the interpreter does not know %s", ir_info(i)->text);
    }
    if (r)
        *r = v;
    return IR_TRAP_NONE;
#undef ARG
}

static enum ir_trap do_launch(struct ir_interp *in, const struct ir_inst *i, uint64_t base) {
    uint64_t trips[UINT8_MAX + 1] = {0};
    if (i->nresults > UINT8_MAX)
        ICE("launch with %u results", i->nresults);
    bool ok = false;
    if (in->desc.launch) {
        union ir_bits *args = args_buffer(in, i->noperands + 1);
        for (uint32_t k = 0; k < i->noperands; k++)
            args[k] = in->slots[base + i->operands[k]->id];
        ok = in->desc.launch(in->desc.user, in, i->index, args, trips);
    }
    for (uint32_t k = 0; k < i->nresults; k++) {
        union ir_bits v = {.u64x2 = {0, 0}};
        v.i64 = k ? trips[k - 1] : ok;
        in->slots[base + i->results[k].id] = v;
    }
    return IR_TRAP_NONE;
}

/* ---- control ---- */

/* Moves operands to the label's parameters or results, all at once; returns where to go on (NULL never happens: a label
 * that ends its region is followed by that region's terminator). */
static const struct ir_inst *take_branch(struct ir_interp *in, const struct ir_inst *label, struct ir_value **operands,
                                         union ir_bits *slots, bool to_loop) {
    uint32_t n = to_loop ? label->regions[0]->nparams : label->nresults;
    union ir_bits *args = args_buffer(in, n + 1);
    for (uint32_t k = 0; k < n; k++)
        args[k] = slots[operands[k]->id];
    for (uint32_t k = 0; k < n; k++)
        slots[to_loop ? label->regions[0]->params[k]->id : label->results[k].id] = args[k];
    return to_loop ? label->regions[0]->first : label->next;
}

static const struct ir_inst *take_table(struct ir_interp *in, const struct ir_inst *i, union ir_bits *slots) {
    uint32_t index = slots[i->operands[0]->id].i32, at = 1;
    if (index >= i->ntargets)
        index = i->ntargets - 1;
    for (uint32_t k = 0; k < index; k++)
        at += ir_label_arity(i->targets[k]);
    const struct ir_inst *label = i->targets[index];
    return take_branch(in, label, i->operands + at, slots, label->op == IR_LOOP);
}

/* Runs until the frame at depth `bottom` has returned; its results are then in in->args. */
static enum ir_trap run(struct ir_interp *in, uint32_t bottom, struct ir_trap_info *out_trap) {
    const struct ir_inst *i = in->frames[in->nframes - 1].func->body->first;
    uint64_t base = in->frames[in->nframes - 1].base;
    enum ir_trap trap = IR_TRAP_NONE;
    for (;;) {
        union ir_bits *slots = in->slots + base;
        if (in->fuel != UINT64_MAX && in->fuel-- == 0) {
            in->fuel = 0;
            trap = IR_TRAP_INTERRUPT;
            goto trapped;
        }
        const struct ir_inst *next = i->next;
        switch (ir_info(i)->kind) {
        case IR_KIND_SIMPLE: {
            union ir_bits operands[3];
            for (uint32_t k = 0; k < i->noperands; k++)
                operands[k] = slots[i->operands[k]->id];
            trap = ir_eval_simple((enum ir_op)i->op, operands, &slots[i->results[0].id]);
            break;
        }
        case IR_KIND_LANES: {
            union ir_bits operands[2];
            for (uint32_t k = 0; k < i->noperands; k++)
                operands[k] = slots[i->operands[k]->id];
            ir_eval_lanes((enum ir_op)i->op, i->bits, operands, &slots[i->results[0].id]);
            break;
        }
        case IR_KIND_LOAD:
            trap = do_load(in, i, slots);
            break;
        case IR_KIND_STORE:
            trap = do_store(in, i, slots);
            break;
        case IR_KIND_ATOMIC:
            trap = do_atomic(in, i, slots);
            break;
        case IR_KIND_OTHER:
            switch (i->op) {
            case IR_I32_CONST:
            case IR_I64_CONST:
            case IR_F32_CONST:
            case IR_F64_CONST:
            case IR_V128_CONST:
                slots[i->results[0].id] = i->bits;
                break;
            case IR_BLOCK:
                next = i->regions[0]->first;
                break;
            case IR_LOOP:
                next = take_branch(in, i, i->operands, slots, true);
                break;
            case IR_IF:
                next = i->regions[slots[i->operands[0]->id].i32 ? 0 : 1]->first;
                break;
            case IR_YIELD:
                next = take_branch(in, i->parent->parent, i->operands, slots, false);
                break;
            case IR_BR:
                next = take_branch(in, i->target, i->operands, slots, i->target->op == IR_LOOP);
                break;
            case IR_BR_IF:
                if (slots[i->operands[0]->id].i32)
                    next = take_branch(in, i->target, i->operands + 1, slots, i->target->op == IR_LOOP);
                break;
            case IR_BR_TABLE:
                next = take_table(in, i, slots);
                break;
            case IR_UNREACHABLE:
                trap = IR_TRAP_UNREACHABLE;
                break;
            case IR_RETURN: {
                union ir_bits *args = args_buffer(in, i->noperands + 1);
                for (uint32_t k = 0; k < i->noperands; k++)
                    args[k] = slots[i->operands[k]->id];
                next = leave_frame(in, bottom, args);
                if (!next)
                    return IR_TRAP_NONE;
                base = in->frames[in->nframes - 1].base;
                break;
            }
            case IR_CALL:
            case IR_CALL_INDIRECT: {
                uint32_t callee = i->index, depth = in->nframes;
                if (i->op == IR_CALL_INDIRECT)
                    trap = find_indirect(in, i, slots[i->operands[i->noperands - 1]->id].i32, &callee);
                if (!trap)
                    trap = start_call(in, callee, i, base);
                if (!trap && in->nframes > depth) {
                    base = in->frames[in->nframes - 1].base;
                    next = in->frames[in->nframes - 1].func->body->first;
                }
                break;
            }
            case IR_RETURN_CALL:
            case IR_RETURN_CALL_INDIRECT:
                trap = start_tail_call(in, i, base, bottom, &next);
                if (!trap && !next)
                    return IR_TRAP_NONE;
                if (!trap)
                    base = in->frames[in->nframes - 1].base;
                break;
            case IR_LAUNCH:
                trap = do_launch(in, i, base);
                break;
            case IR_THROW: {
                struct interp_exn *e;
                memcpy(&e, &slots[i->operands[0]->id], sizeof e);
                next = interp_throw(in, e, NULL, bottom);
                trap = next ? IR_TRAP_NONE : IR_TRAP_EXCEPTION;
                base = in->frames[in->nframes - 1].base;
                break;
            }
            case IR_EXN_NEW:
            case IR_EXN_IS:
            case IR_EXN_GET:
            case IR_EXN_DROP:
            case IR_EXN_HOLD:
            case IR_EXN_COPY:
            case IR_THROWN:
                interp_do_exn(in, i, slots);
                break;
            default:
                trap = do_other(in, i, slots);
            }
        }
        if (trap == IR_TRAP_EXCEPTION && i->op != IR_THROW && in->thrown) { /* the host passes on what it got */
            next = interp_throw(in, in->thrown, i, bottom);
            trap = next ? IR_TRAP_NONE : IR_TRAP_EXCEPTION;
            base = in->frames[in->nframes - 1].base;
        }
        if (trap)
            goto trapped;
        i = next;
    }
trapped:
    if (out_trap)
        *out_trap = (struct ir_trap_info){
            .code = trap, .func = in->frames[in->nframes - 1].func->index, .wasm_offset = i->wasm_offset};
    while (in->nframes > bottom)
        pop_frame(in);
    return trap;
}

bool ir_interp_call_func(struct ir_interp *in, struct ir_func *f, union ir_bits *args_results,
                         struct ir_trap_info *out_trap) {
    if (out_trap)
        *out_trap = (struct ir_trap_info){.code = IR_TRAP_NONE, .func = f->index, .wasm_offset = IR_NO_OFFSET};
    uint32_t bottom = in->nframes;
    enum ir_trap trap = push_frame(in, f, NULL, args_results);
    if (trap) {
        if (out_trap)
            out_trap->code = trap;
        return false;
    }
    if (run(in, bottom, out_trap))
        return false;
    for (uint32_t k = 0; k < f->sig.nresults; k++)
        args_results[k] = in->args[k];
    return true;
}

bool ir_interp_call(struct ir_interp *in, uint32_t func, union ir_bits *args_results, struct ir_trap_info *out_trap) {
    ICE_UNLESS(func < in->module->nfuncs);
    if (!in->module->funcs[func].import.module)
        return ir_interp_call_func(in, in->module->funcs[func].func, args_results, out_trap);
    enum ir_trap trap = in->desc.host_call ? in->desc.host_call(in->desc.user, in, func, args_results) : IR_TRAP_HOST;
    if (out_trap)
        *out_trap = (struct ir_trap_info){.code = trap, .func = func, .wasm_offset = IR_NO_OFFSET};
    return !trap;
}
