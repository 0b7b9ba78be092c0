/* Wasm exceptions: throwing, finding the handler, and what of them the host sees.
 *
 * A throw is a forced unwind (Itanium C++ ABI: Exception Handling, level I): one walk over the frames between the throw
 * and the entry from C, in which our personality routine looks into the table of each compiled function for a landing
 * pad around the call.  There is no search phase, for what a module does not catch ends at the entry at the latest,
 * and a landing pad tests tags itself: one that finds no handler for the exception throws it again, from its own
 * frame.  Unlike C++'s, our landing pads end the unwind; nothing is resumed.
 *
 *     runs into                          what happens
 *     a landing pad around the call      registers are restored, the pad gets the exnref
 *     the entry (rt_enter), or frames    WASMETAL_EXCEPTION from the call that entered; the instance keeps the
 *     that have no unwind tables         exception for the host to look at, or to pass on from a host function
 *
 * Traps still leave by longjmp and run no handler.  Exceptions of C++ do not pass through compiled code: the search for
 * their handler fails at the first frame of ours, and C++ ends the program.
 *
 * An exception is freed when it was caught for good.  A handler that may throw it again holds it: under the address of
 * a slot in its frame, so that the next exception held in the same slot, or any held after the frame is gone, frees it.
 * The call that entered frees the rest.
 */
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include "runtime/instance.h"

struct rt_exn {
    struct _Unwind_Exception unwind;
    struct rt_exn *next; /* held, or NULL */
    uintptr_t slot;
    struct wm_exception pub;
};

/* "WASMETAL" */
static const uint64_t exception_class = UINT64_C(0x5741534d4554414c);

/* A throw needs the stack that the unwinder takes (libgcc's: about 4 KiB). */
#define UNWIND_STACK ((size_t)48 << 10)

static struct rt_exn *exn_of(struct wm_exception *pub) {
    return (struct rt_exn *)((uint8_t *)pub - offsetof(struct rt_exn, pub));
}

/* ---- exception objects ---- */

static struct wm_exception *exn_new(struct wm_tag *tag, uint64_t words) {
    struct rt_exn *e = NULL;
    if (words > 4096 || posix_memalign((void **)&e, 16, sizeof *e + words * 8) != 0) {
        return NULL;
    }
    memset(e, 0, sizeof *e + words * 8);
    e->pub = (struct wm_exception){.tag = tag, .words = words};
    return &e->pub;
}

void rt_exception_free(struct wm_exception *e) {
    if (e) {
        free(exn_of(e));
    }
}

void rt_exceptions_release(struct rt_exn *held) {
    while (held) {
        struct rt_exn *next = held->next;
        free(held);
        held = next;
    }
}

struct wm_exception *wm_rt_exn_new(struct wm_vmctx *ctx, uint64_t tag, uint64_t words) {
    struct wm_exception *e = exn_new(ctx->tags[tag], words);
    if (!e) {
        wm_rt_trap(ctx, IR_TRAP_HOST, UINT64_C(0xffffffffffffffff));
    }
    return e;
}

struct wm_exception *wm_rt_exn_copy(struct wm_vmctx *ctx, struct wm_exception *e) {
    struct wm_exception *copy = exn_new(e->tag, e->words);
    if (!copy) {
        wm_rt_trap(ctx, IR_TRAP_HOST, UINT64_C(0xffffffffffffffff));
    }
    memcpy(copy->values, e->values, e->words * 8);
    return copy;
}

void wm_rt_exn_drop(struct wm_exception *e) {
    rt_exception_free(e);
}

void wm_rt_exn_hold(struct wm_exception *e, void *slot) {
    struct rt_exn **list = rt_entry_exceptions();
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    for (struct rt_exn **p = list; *p;) {
        struct rt_exn *old = *p;
        if (old->slot < here || old->slot == (uintptr_t)slot) { /* stacks grow downwards */
            *p = old->next;
            free(old);
        } else {
            p = &old->next;
        }
    }
    struct rt_exn *held = exn_of(e);
    held->slot = (uintptr_t)slot;
    held->next = *list;
    *list = held;
}

/* ---- throwing ---- */

/* Called for each frame before its personality.  `entry`: an address in the frame of rt_enter. */
static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                struct _Unwind_Exception *exception, struct _Unwind_Context *context, void *entry) {
    (void)version;
    (void)class;
    (void)exception;
    if ((actions & _UA_END_OF_STACK) || _Unwind_GetCFA(context) > (uintptr_t)entry) {
        rt_leave_uncaught();
    }
    return _URC_NO_REASON;
}

_Noreturn void wm_rt_throw(struct wm_vmctx *ctx, struct wm_exception *pub, uint64_t where) {
    struct rt_exn *e = exn_of(pub);
    if (!rt_throw_begin(ctx, pub, where, UNWIND_STACK)) {
        free(e);
        wm_rt_trap(ctx, IR_TRAP_STACK_EXHAUSTED, where);
    }
    memset(&e->unwind, 0, sizeof e->unwind);
    memcpy(&e->unwind.exception_class, &exception_class, sizeof exception_class);
    _Unwind_ForcedUnwind(&e->unwind, stop, (void *)rt_entry_frame());
    rt_leave_uncaught(); /* the unwinder gave up */
}

_Noreturn void wm_rt_host_failed(struct wm_vmctx *ctx, uint64_t code, uint64_t where) {
    struct wm_exception *e = ctx->instance->exception;
    if (code != IR_TRAP_EXCEPTION || !e) {
        wm_rt_trap(ctx, code == IR_TRAP_EXCEPTION ? IR_TRAP_HOST : code, where);
    }
    ctx->instance->exception = NULL;
    wm_rt_throw(ctx, e, where);
}

/* ---- the table of a function ---- */

static uint64_t read_uleb(const uint8_t **p) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*p)++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (!(byte & 0x80)) {
            return value;
        }
    }
}

/* DWARF pointer encodings (LSB Core 5.0, 10.5.1), those that LLVM gives call-site tables. */
enum { ENCODE_ULEB128 = 0x01, ENCODE_UDATA4 = 0x03, ENCODE_SDATA4 = 0x0b, ENCODE_UDATA8 = 0x04, ENCODE_OMIT = 0xff };

static uint64_t read_encoded(const uint8_t **p, uint8_t encoding) {
    if (encoding == ENCODE_ULEB128) {
        return read_uleb(p);
    }
    uint32_t narrow;
    uint64_t wide;
    switch (encoding) {
    case ENCODE_UDATA4:
    case ENCODE_SDATA4:
        memcpy(&narrow, *p, sizeof narrow);
        *p += sizeof narrow;
        return narrow;
    case ENCODE_UDATA8:
        memcpy(&wide, *p, sizeof wide);
        *p += sizeof wide;
        return wide;
    default:
        abort(); /* not a table of our compiler */
    }
}

/* The landing pad for a call at `at`, an offset into the function as the pad is; 0: none. */
static uint64_t find_landing_pad(const uint8_t *table, uint64_t at) {
    if (*table++ != ENCODE_OMIT) {
        abort(); /* landing pads count from elsewhere: not a table of our compiler */
    }
    if (*table++ != ENCODE_OMIT) {
        read_uleb(&table); /* where the types are; ours have none */
    }
    uint8_t encoding = *table++;
    uint64_t size = read_uleb(&table);
    for (const uint8_t *end = table + size; table < end;) {
        uint64_t start = read_encoded(&table, encoding), length = read_encoded(&table, encoding);
        uint64_t pad = read_encoded(&table, encoding);
        read_uleb(&table); /* the action: ours are all clean-ups */
        if (at >= start && at - start < length) {
            return pad;
        }
    }
    return 0;
}

int wm_rt_personality(int version, int action_bits, uint64_t class, struct _Unwind_Exception *exception,
                      struct _Unwind_Context *context) {
    unsigned actions = (unsigned)action_bits;
    if (version != 1) {
        return _URC_FATAL_PHASE1_ERROR;
    }
    if (class != exception_class) { /* pthread_exit and cancellation may pass, C++ not */
        return actions & _UA_SEARCH_PHASE ? _URC_FATAL_PHASE1_ERROR : _URC_CONTINUE_UNWIND;
    }
    const uint8_t *table = (const uint8_t *)_Unwind_GetLanguageSpecificData(context);
    if (!table) {
        return _URC_CONTINUE_UNWIND;
    }
    int before = 0;
    uintptr_t ip = _Unwind_GetIPInfo(context, &before), start = _Unwind_GetRegionStart(context);
    uint64_t pad = find_landing_pad(table, ip - (before ? 0 : 1) - start);
    if (!pad) {
        return _URC_CONTINUE_UNWIND;
    }
    struct rt_exn *e = (struct rt_exn *)exception;
    _Unwind_SetGR(context, __builtin_eh_return_data_regno(0), (uintptr_t)&e->pub);
    _Unwind_SetGR(context, __builtin_eh_return_data_regno(1), 0);
    _Unwind_SetIP(context, start + pad);
    rt_host_end();
    return _URC_INSTALL_CONTEXT;
}

/* ---- for the host ---- */

void rt_exception_keep(struct wasmetal_instance *in, struct wm_exception *e) {
    rt_exception_free(in->exception);
    in->exception = e;
}

bool wasmetal_exception_is(const wasmetal_instance *instance, const wasmetal_object *tag) {
    return instance->exception && tag->kind == WASMETAL_TAG && instance->exception->tag == tag->tag;
}

wasmetal_status wasmetal_exception_get(const wasmetal_instance *instance, const wasmetal_object *tag,
                                       uint64_t *out_cells) {
    if (tag->kind != WASMETAL_TAG) {
        return WASMETAL_ERROR_TYPE;
    }
    if (!wasmetal_exception_is(instance, tag)) {
        return WASMETAL_ERROR_NOT_FOUND;
    }
    const struct wm_exception *e = instance->exception;
    memcpy(out_cells, e->values, e->words * 8);
    return WASMETAL_OK;
}

uint64_t wasmetal_throw(wasmetal_instance *instance, const wasmetal_object *tag, const uint64_t *cells) {
    if (tag->kind != WASMETAL_TAG) {
        return WASMETAL_TRAP_HOST;
    }
    size_t words = rt_type_cells(tag->type);
    struct wm_exception *e = exn_new(tag->tag, words);
    if (!e) {
        return WASMETAL_TRAP_HOST;
    }
    if (words) {
        memcpy(e->values, cells, words * 8);
    }
    rt_exception_keep(instance, e);
    return WASMETAL_TRAP_EXCEPTION;
}
