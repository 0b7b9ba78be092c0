/* What compiled modules and the runtime agree on.  Private: users see wasmetal.h.
 *
 * Every field is 8 bytes (a uint64_t or a pointer), so that the host backend lays constants out as flat arrays of i64
 * and ptr without thinking about padding.  Any change of meaning raises WM_ABI_VERSION; the runtime refuses others.
 *
 * Compiled functions:   R f(struct wm_vmctx *, params...)   in the C calling convention; i32 i64 f32 f64 as themselves,
 *                       v128 as <16 x i8>, references as pointers (funcref: struct wm_funcref *); several results come
 *                       back as an LLVM struct or, when over three integers and references or over two floats and
 *                       vectors, in an array as a trampoline's, whose address follows the instance.  Only compiled code
 *                       calls them so; C goes through trampolines.  Functions that take part in tail calls have a
 *                       second form in LLVM's tailcc convention.
 * Trampolines:          void t(struct wm_vmctx *, void *fn, uint64_t *args_results), one a function type: arguments in,
 *                       results out, each in its own 8 bytes (v128: 16), floats as their bits.
 * Native kernels:       void k(uint8_t *memory, const uint64_t *scalars, const uint32_t *box), box = x0 x1 y0 y1 z0 z1:
 *                       runs the points with x0 <= x < x1 and so on.  Behind an inspector's scalars stands the address
 *                       of its status word; behind those of a kernel with reductions that of the partial results.
 */
#ifndef WASMETAL_RUNTIME_ABI_H
#define WASMETAL_RUNTIME_ABI_H

#include <stdint.h>

#define WM_ABI_VERSION 8
#define WM_MAX_DIMS 20
#define WM_NO_SLOT UINT64_MAX
#define WM_NONE UINT64_MAX

struct wm_vmctx;
typedef void wm_trampoline(struct wm_vmctx *ctx, void *fn, uint64_t *args_results);
typedef void wm_cpu_kernel(uint8_t *memory, const uint64_t *scalars, const uint32_t *box);
struct wasmetal_instance;
/* Host function: arguments in, results out in `args_results`; returns 0 or a trap code (ir/ir_traps.def). */
typedef uint64_t wm_host_fn(void *env, struct wasmetal_instance *instance, uint64_t *args_results);

/* ---- the live instance, as compiled code sees it ---- */

struct wm_funcref { /* what a non-null funcref points to */
    void *fn;       /* compiled calling convention */
    struct wm_vmctx *ctx;
    uint64_t type_id; /* canonical in the process */
    void *tail;       /* the same in tailcc, or NULL: it makes no tail calls */
};

struct wm_memory {
    uint8_t *base;  /* never moves */
    uint64_t bytes; /* now; a multiple of 64 KiB */
    uint64_t max_bytes;
    void *owner; /* runtime's */
};

struct wm_table {
    void **entries; /* struct wm_funcref * or extern references; never moves below max */
    uint64_t size;
    uint64_t max;
    void *owner;
};

struct wm_import_func {
    wm_host_fn *host; /* called when `func` is NULL */
    void *env;
    struct wm_funcref *func; /* a compiled function of another instance */
};

struct wm_tag {
    const char *type; /* "il:" */
};

/* What an exnref points to.  Compiled code reads the tag and the values, each in its own 8 bytes (v128: 16). */
struct wm_exception {
    struct wm_tag *tag;
    uint64_t words; /* of values */
    uint64_t values[];
};

/* Compiled code gets a pointer to this in every call. */
struct wm_vmctx {
    uint8_t *memory0_base; /* = memories[0]->base */
    struct wm_memory **memories;
    struct wm_table **tables;
    uint64_t **globals; /* one pointer a global to its 16-byte cell */
    struct wm_import_func *imports;
    uint64_t *type_ids;          /* canonical ids of the module's types */
    struct wm_funcref *funcrefs; /* one for each function of the module, imports included */
    uint64_t offload;            /* 0: `launch` is not even called */
    struct wasmetal_instance *instance;
    const struct wm_module *module;
    struct wm_tag **tags; /* one pointer a tag; exceptions are told apart by it */
    uint64_t reserved[5];
    uint64_t cells[]; /* 16 bytes for each global defined in the module, in order: cells[2*k] */
};

/* ---- the compiled module: one constant, symbol wasmetal_module_<name> ---- */

struct wm_name_pair {
    const char *module, *field;
};

/* Constant expression; kind: 0 constant (bits), 1 global.get, 2 ref.func, 3 ref.null, 4 arithmetic: `index` 0 add 1 sub
 * 2 mul, of bits_lo bits (32 or 64), bits_hi the address of its two operands (struct wm_init[2]). */
struct wm_init {
    uint64_t kind, index, bits_lo, bits_hi;
};

struct wm_import {
    const char *module, *field;
    uint64_t kind;  /* enum ir_extern_kind: 0 func 1 table 2 memory 3 global 4 tag */
    uint64_t index; /* in its index space */
};

struct wm_export {
    const char *name;
    uint64_t kind, index;
};

struct wm_limits {
    uint64_t min, max; /* pages or elements; max WM_NONE when open */
    uint64_t flags;    /* 1 shared, 2 64-bit index */
};

struct wm_table_desc {
    struct wm_limits limits;
    uint64_t type; /* enum ir_type */
};

struct wm_global_desc {
    uint64_t type, is_mutable, imported;
    struct wm_init init;
};

struct wm_data_desc {
    uint64_t mode, memory; /* mode: 0 active 1 passive 2 declared */
    struct wm_init offset;
    const uint8_t *bytes;
    uint64_t size;
};

struct wm_elem_desc {
    uint64_t mode, table, type;
    struct wm_init offset;
    const struct wm_init *items;
    uint64_t nitems;
};

struct wm_func_desc {
    const char *name;
    uint64_t type;        /* module type index */
    void *fn;             /* compiled code; for an import, its thunk */
    uint64_t wasm_offset; /* WM_NONE for imports */
    void *tail;           /* in tailcc, or NULL */
};

/* Program counter -> wasm offset, for traps raised by guard pages. Sorted by `code`. Packed as two 32-bit words in one
 * uint64_t: low = byte offset from `code_start`, high = wasm offset. */
struct wm_trap_map {
    const uint8_t *code_start, *code_end;
    const uint64_t *entries;
    uint64_t nentries; /* trailing zero entries are padding */
};

struct wm_dim { /* struct off_dim, ir/offload/kernel.h */
    uint64_t rel, bits, top_tested, parallel, unbounded;
    int64_t axis, parent;
    uint64_t init_slot, step_slot, bound_slot, when_slot, constant, ops, wasm_offset;
    uint64_t varying, entered, init_range, bound_range;
};

struct wm_range_desc { /* struct off_range */
    uint64_t op, a, b;
    int64_t lo, hi;
    uint64_t base_slot;
    uint64_t stride_slot[WM_MAX_DIMS];
};

struct wm_access { /* struct off_access */
    uint64_t stream, write, bytes, declared, copy, align, offset, base_slot;
    uint64_t stride_slot[WM_MAX_DIMS];
    uint64_t when_slot;
    uint64_t wasm_offset;
};

struct wm_stream {
    uint64_t read, write, min_bytes, max_bytes, kind, reread;
};

struct wm_scalar { /* struct off_scalar */
    uint64_t type, slot, source;
};

struct wm_reduce { /* struct off_reduce */
    uint64_t kind, op, type, lane_bytes;
    uint64_t init_slot, lead, flag; /* WM_NONE: none */
    uint64_t rule;
};

struct wm_spirv {
    uint64_t caps, avoids;
    const uint32_t *words;
    uint64_t nwords;
};

struct wm_kernel { /* struct off_kernel */
    const char *name;
    uint64_t id, func, wasm_offset;
    uint64_t ngrid, ndims;
    const struct wm_dim *dims;
    uint64_t naccesses;
    const struct wm_access *accesses;
    uint64_t nstreams;
    const struct wm_stream *streams;
    uint64_t nscalars;
    const struct wm_scalar *scalars;
    uint64_t nslots;
    uint64_t nconditions;
    const uint64_t *condition_slots;
    uint64_t uses;
    uint64_t workgroup[3];
    wm_cpu_kernel *cpu;
    uint64_t nspirv;
    const struct wm_spirv *spirv;
    const char *msl, *wgsl; /* NUL-terminated or NULL */
    const char *msl_exact;  /* kernel function "<name>_exact"; see struct off_kernel */
    uint64_t nranges;
    const struct wm_range_desc *ranges;
    uint64_t inspector; /* one more than the index of the kernel that inspects this one; 0: none */
    uint64_t inspects;  /* 1: it is an inspector */
    uint64_t checked_loads, checked_ops, gather_reach;
    uint64_t nreduces;
    const struct wm_reduce *reduces;
    uint64_t in_order;
};

struct wm_module {
    uint64_t abi_version;
    const char *name;
    uint64_t ntypes;
    const char *const *types;          /* "ilfdvrx" letters: params ':' results (r funcref, x externref) */
    wm_trampoline *const *trampolines; /* one a type */
    uint64_t nfuncs, nfunc_imports;
    const struct wm_func_desc *funcs;
    uint64_t nimports;
    const struct wm_import *imports;
    uint64_t nexports;
    const struct wm_export *exports;
    uint64_t nmemories;
    const struct wm_limits *memories;
    uint64_t nmemory_imports;
    uint64_t ntables;
    const struct wm_table_desc *tables;
    uint64_t ntable_imports;
    uint64_t nglobals;
    const struct wm_global_desc *globals;
    uint64_t ntags;
    const uint64_t *tags; /* module type index of each */
    uint64_t ndatas;
    const struct wm_data_desc *datas;
    uint64_t nelems;
    const struct wm_elem_desc *elems;
    uint64_t start; /* function index or WM_NONE */
    uint64_t nkernels;
    const struct wm_kernel *kernels;
    struct wm_trap_map trap_map;
    uint64_t bounds_checks; /* 0: guard pages, compiled code has no explicit checks; 1: explicit */
    const char *metadata;   /* JSON */
    const void *metallib;   /* kernels compiled by Apple's tools (--metallib), or NULL */
    uint64_t metallib_size;
};

/* ---- what compiled code calls ---- */

#pragma GCC visibility push(default)

/* `where` = function index << 32 | wasm offset */
_Noreturn void wm_rt_trap(struct wm_vmctx *ctx, uint64_t code, uint64_t where);
/* An import's host function returned `code`, not 0: a trap, or the exception that the instance keeps. */
_Noreturn void wm_rt_host_failed(struct wm_vmctx *ctx, uint64_t code, uint64_t where);
/* Exceptions (runtime/exception.c).  new: without its values; throw: takes it.  hold: `slot`, in the caller's frame,
 * says who holds it. */
struct wm_exception *wm_rt_exn_new(struct wm_vmctx *ctx, uint64_t tag, uint64_t words);
struct wm_exception *wm_rt_exn_copy(struct wm_vmctx *ctx, struct wm_exception *e);
void wm_rt_exn_drop(struct wm_exception *e);
void wm_rt_exn_hold(struct wm_exception *e, void *slot);
_Noreturn void wm_rt_throw(struct wm_vmctx *ctx, struct wm_exception *e, uint64_t where);
struct _Unwind_Exception;
struct _Unwind_Context;
/* The personality routine of compiled functions, for the system's unwinder. */
int wm_rt_personality(int version, int actions, uint64_t exception_class, struct _Unwind_Exception *exception,
                      struct _Unwind_Context *context);
/* Returns the old size in pages or -1. */
uint64_t wm_rt_memory_grow(struct wm_vmctx *ctx, uint64_t memory, uint64_t pages);
void wm_rt_memory_copy(struct wm_vmctx *ctx, uint64_t dst_memory, uint64_t src_memory, uint64_t dst, uint64_t src,
                       uint64_t n, uint64_t where);
void wm_rt_memory_fill(struct wm_vmctx *ctx, uint64_t memory, uint64_t dst, uint64_t byte, uint64_t n, uint64_t where);
void wm_rt_memory_init(struct wm_vmctx *ctx, uint64_t memory, uint64_t segment, uint64_t dst, uint64_t src, uint64_t n,
                       uint64_t where);
void wm_rt_data_drop(struct wm_vmctx *ctx, uint64_t segment);
uint64_t wm_rt_table_grow(struct wm_vmctx *ctx, uint64_t table, void *value, uint64_t n);
void wm_rt_table_fill(struct wm_vmctx *ctx, uint64_t table, uint64_t dst, void *value, uint64_t n, uint64_t where);
void wm_rt_table_copy(struct wm_vmctx *ctx, uint64_t dst_table, uint64_t src_table, uint64_t dst, uint64_t src,
                      uint64_t n, uint64_t where);
void wm_rt_table_init(struct wm_vmctx *ctx, uint64_t table, uint64_t segment, uint64_t dst, uint64_t src, uint64_t n,
                      uint64_t where);
void wm_rt_elem_drop(struct wm_vmctx *ctx, uint64_t segment);
/* `address` includes the offset and is checked here.  wait: `bytes` 4 or 8, `timeout` in ns, negative: none; returns 0
 * notified, 1 not equal, 2 timed out.  notify: returns how many were woken. */
uint64_t wm_rt_atomic_wait(struct wm_vmctx *ctx, uint64_t memory, uint64_t bytes, uint64_t address, uint64_t expected,
                           uint64_t timeout, uint64_t where);
uint64_t wm_rt_atomic_notify(struct wm_vmctx *ctx, uint64_t memory, uint64_t address, uint64_t count, uint64_t where);
/* Runs the guard and, when it says yes, the kernel; fills out_trips (ndims of them, then the bits of nreduces values;
 * zero before the call) whenever it returns 1.  When it returns 0, out_trips[0] is 1 if kernels of loops inside the
 * nest may still be launched. */
uint64_t wm_rt_launch(struct wm_vmctx *ctx, uint64_t kernel, const uint64_t *slots, uint64_t *out_trips);

#pragma GCC visibility pop

#endif
