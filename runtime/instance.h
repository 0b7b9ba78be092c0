/* The runtime's own view of an instance and of what instances share.  Private to runtime/.
 *
 *   wasmetal_instance ─┬─ wm_vmctx (what compiled code sees, runtime/abi.h)
 *                      ├─ exports: wasmetal_object[] ── rt_memory / rt_table / a global's cell / a funcref
 *                      ├─ wasi, offload
 *                      └─ rt_group ── every instance, memory and table it is linked with
 *
 * A group is the set of instances that can reach one another's code and memory.  It is what the fault handler searches,
 * so that there is no process-wide registry: linked instances belong to one thread at a time (wasmetal.h), hence
 * nobody changes the group of the code that faults.  A shared memory belongs to no group: instances of several groups,
 * on several threads, hold references to it.
 */
#ifndef WASMETAL_RUNTIME_INSTANCE_H
#define WASMETAL_RUNTIME_INSTANCE_H

#include <pthread.h>
#include <stdarg.h>

#include "ir/ir_trap.h"
#include "runtime/abi.h"
#include "runtime/include/wasmetal.h"
#include "runtime/offload.h"

#define RT_PAGE UINT64_C(65536)
#define RT_MAX_PAGES UINT64_C(65536)
/* Of a memory with 64-bit addresses: 64 GiB, reserved when it has no smaller maximum.  V8 allows 16 GiB. */
#define RT_MAX_PAGES64 (UINT64_C(1) << 20)

struct wasi;

/* ---- groups (link.c) ---- */

struct rt_group {
    size_t refs;
    struct rt_group *forward; /* merged into this one; a reference is held */
    struct wasmetal_instance *instances;
    /* Failed to start, but tables of others hold their functions; owned.  Their own group pointer holds no reference.
     */
    struct wasmetal_instance *zombies;
    struct rt_memory *memories;
};

struct rt_group *rt_group_new(void); /* one reference; NULL out of memory */
void rt_group_release(struct rt_group *g);
struct rt_group *rt_group_root(struct rt_group *g); /* the group that g has become part of */
/* The same, and moves the reference that *slot holds there. */
struct rt_group *rt_group_find(struct rt_group **slot);
void rt_group_merge(struct rt_group **a, struct rt_group **b);

/* ---- memories and tables ---- */

struct rt_memory {
    struct wm_memory pub;           /* pub.owner points here */
    struct rt_memory *next, **link; /* in its group */
    uint8_t *reservation;
    uint64_t reserved;     /* bytes from `reservation` */
    bool is64;             /* 64-bit addresses: compiled code checks them, guarded or not */
    bool guarded;          /* every 33-bit offset from base is inside the reservation */
    uint64_t min_pages;    /* as declared */
    uint64_t declared_max; /* pages, WM_NONE when open */
    bool kept;             /* a device that was given up may still use the pages: they are never unmapped */
    bool shared;           /* then in no group, and: */
    size_t refs;
    pthread_mutex_t lock; /* growing, waiters */
    struct rt_waiter *waiters;
};

/* The size now; another thread may be growing a shared memory. */
static inline uint64_t rt_memory_bytes(const struct wm_memory *m) {
    return __atomic_load_n(&m->bytes, __ATOMIC_ACQUIRE);
}

/* Reserves address space for the declared maximum, at most `cap` bytes (0: none), and commits the minimum.  `guarded`:
 * reserves all that a 32-bit address plus a 32-bit offset can name, so that compiled code needs no checks.  OK, LIMIT,
 * ADDRESS_SPACE or OUT_OF_MEMORY. */
wasmetal_status rt_memory_open(const struct wm_limits *limits, bool guarded, uint64_t cap, struct rt_group *group,
                               struct rt_memory **out_memory);
/* One more reference to a shared memory; any thread. */
struct rt_memory *rt_memory_hold(struct rt_memory *m);
/* Of a shared memory: gives one reference back. */
void rt_memory_close(struct rt_memory *m);
/* Old size in pages, or WM_NONE with nothing changed.  *out_status (may be NULL) says why.  Tells the devices of all
 * instances of `group` that use the memory. */
uint64_t rt_memory_grow(struct rt_memory *m, struct rt_group *group, uint64_t pages, wasmetal_status *out_status);

/* See wm_offload_desc.abandon_pages.  Tells the devices of the other instances of `group` that use the memory. */
bool rt_memory_abandon_pages(struct rt_memory *m, struct rt_group *group, bool by_threads);

struct rt_table {
    struct wm_table pub; /* pub.owner points here */
    uint64_t mapped;     /* bytes */
    uint64_t min, declared_max;
    char type; /* r or x */
};

wasmetal_status rt_table_open(const struct wm_limits *limits, char type, uint64_t cap, struct rt_table **out_table);
void rt_table_close(struct rt_table *t);

/* ---- objects ---- */

struct wasmetal_object {
    wasmetal_kind kind;
    bool host_owned;
    struct rt_group *group;             /* of host-made objects; NULL in an instance's exports */
    struct wasmetal_instance *instance; /* that exports it; NULL when host-made */
    const char *type;
    union {
        struct {
            struct wm_funcref *ref;
            wm_trampoline *trampoline;
        } func;
        struct rt_memory *memory;
        struct rt_table *table;
        struct {
            uint64_t *cell;
            uint64_t is_mutable;
        } global;
        struct wm_tag *tag;
    };
    struct wm_tag own_tag; /* of a host-made tag */
    uint64_t storage[2];   /* of a host-made global; 16-byte aligned through its allocation */
    char type_text[2];
};

/* ---- instances ---- */

struct rt_exn;

struct rt_host_import {
    wm_host_fn *fn;
    void *user;
};

struct rt_block;

struct wasmetal_instance {
    const struct wm_module *module;
    struct wm_vmctx *vm;
    struct rt_group *group;
    struct wasmetal_instance *next, **link; /* in its group */
    wasmetal_allocator allocator;
    struct rt_block *blocks; /* everything allocated, freed with the instance */
    wasmetal_log_fn *log;
    void *log_user;
    int log_level; /* of the default log */
    struct wm_offload *offload;
    struct wasi *wasi;
    struct rt_memory **own_memories; /* those defined, and references to shared ones imported */
    uint64_t nown_memories;
    struct rt_table **own_tables;
    uint64_t nown_tables;
    wasmetal_object *exports;
    uint64_t nexports;
    struct rt_names *export_names;          /* names.h */
    uint8_t *dropped_datas, *dropped_elems; /* one byte a segment */
    uint64_t raised;                        /* wasmetal_raise */
    struct wm_exception *exception;         /* the last that left a call uncaught, or wasmetal_throw's; owned */
    bool wrote_foreign_table;               /* active segments put our functions into an imported table */
};

/* Zeroed, aligned to 64, freed with the instance or by rt_free.  NULL when refused or when the size overflows. */
void *rt_alloc(struct wasmetal_instance *in, size_t count, size_t size);
void rt_free(struct wasmetal_instance *in, void *p);
char *rt_strdup(struct wasmetal_instance *in, const char *s);

/* The object for item `index` of an index space, as exports and imports see it. */
void rt_object_fill(struct wasmetal_instance *in, uint64_t kind, uint64_t index, wasmetal_object *out);

/* Frees everything; the group's reference is the caller's. */
void rt_instance_destroy(struct wasmetal_instance *in);

/* Finds and checks every import (link.c).  Fills imports, memories, tables, globals of `vm`; merges groups. */
wasmetal_status rt_link_imports(struct wasmetal_instance *in, const wasmetal_instance_desc *desc);

/* Canonical number of a function type in this process (types.c); 0 out of memory.  Any thread. */
uint64_t rt_type_intern(const char *type);
/* The letter of an enum ir_type. */
char rt_type_letter(uint64_t type);
/* How many cells the parameters and results take: the larger of both. */
size_t rt_type_cells(const char *type);

/* References live in cells as their bits. */
static inline void *rt_reference_of(uint64_t cell) {
    void *reference;
    __builtin_memcpy(&reference, &cell, sizeof reference);
    return reference;
}
uint64_t rt_init_value(struct wasmetal_instance *in, const struct wm_init *init, uint64_t *out_hi);

/* ---- log ---- */

enum rt_log_id {
#define RT_LOG(id, number, level, meaning) RT_LOG_##id = (number),
#include "runtime/log.def"
};

void rt_log_init(struct wasmetal_instance *in, const wasmetal_instance_desc *desc);
void rt_log(struct wasmetal_instance *in, enum rt_log_id id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The hook that devices get: `user` is the instance. */
void rt_log_forward(void *user, int level, const char *id, const char *message);

/* ---- calls and traps (trap.c) ---- */

/* Calls fn(ctx, ...) through its trampoline, under a trap frame.  OK, or TRAP, EXIT or EXCEPTION with *out_trap filled
 * (may be NULL). */
wasmetal_status rt_enter(struct wasmetal_instance *in, wm_trampoline *trampoline, struct wm_vmctx *ctx, void *fn,
                         uint64_t *args_results, wasmetal_trap *out_trap);
/* Once before any compiled code runs; false when the system refuses the handlers. */
bool rt_trap_init(void);
/* Between these two a fault is the host's own and a trap must not unwind.  rt_host_begin returns false, and nothing has
 * begun, when less than `stack` bytes of the thread's stack are left (or, on a small stack, than its last quarter). */
bool rt_host_begin(size_t stack);
void rt_host_end(void);
#define RT_HOST_STACK ((size_t)128 << 10)
/* What trap.c does for exception.c, always on the newest entry of this thread.  rt_throw_begin notes the exception and
 * where it was thrown, and begins a host's part, which rt_host_end ends in the handler; false, and nothing has begun,
 * when less than `stack` bytes are left.  rt_leave_uncaught ends the entry with that exception. */
struct rt_exn **rt_entry_exceptions(void); /* those held */
uintptr_t rt_entry_frame(void);            /* an address in the frame of rt_enter */
bool rt_throw_begin(struct wm_vmctx *ctx, struct wm_exception *e, uint64_t where, size_t stack);
_Noreturn void rt_leave_uncaught(void);
void rt_exceptions_release(struct rt_exn *held);
void rt_exception_free(struct wm_exception *e); /* NULL is fine */
/* Makes it the instance's exception, in place of the one before. */
void rt_exception_keep(struct wasmetal_instance *in, struct wm_exception *e);
/* What proc_exit leaves for the entry that the trap ends. */
void rt_set_exit_code(uint32_t code);

#endif
