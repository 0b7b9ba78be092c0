/* Wasmetal's runtime: instances of compiled WebAssembly modules.
 *
 *     #include "photo.h"                          // generated beside photo.o; or, without it:
 *     extern const wasmetal_module wasmetal_module_photo;
 *
 *     wasmetal_instance_desc desc = {0};          // all zero is a valid description
 *     wasmetal_instance *instance;
 *     if (wasmetal_instantiate(&wasmetal_module_photo, &desc, &instance) != WASMETAL_OK) ...
 *     wasmetal_export add;
 *     wasmetal_export_find(instance, "add", &add);
 *     uint64_t cells[2] = {20, 22};
 *     wasmetal_call(instance, add.object, cells, NULL);   // cells[0] is 42
 *     wasmetal_free(instance);
 *
 * Arguments and results travel in `uint64_t` cells: i32 zero-extended, i64 as itself, f32 and f64 as their bits, v128
 * in two cells (low half first), references as pointers.  Types are written with one letter a value, parameters ':'
 * results: i i32, l i64, f f32, d f64, v v128, r funcref, x externref; "if:d" takes an i32 and an f32 and returns an
 * f64.
 *
 * Thread rules.  An instance, and everything it is linked to (instances it imports from, and objects it shares), is
 * used by one thread at a time; which thread may change between calls.  Instances that share nothing run on as many
 * threads as you like, and so do instances that share nothing but shared memories (wasmetal_memory_new_shared).
 * Functions without an instance or object parameter may be called from any thread at any time.
 *
 * Process-wide state: handlers for SIGSEGV and SIGBUS, installed by the first instance and passing on every fault that
 * is not a Wasm trap; a table of function types; an alternate signal stack for each thread that calls into a module and
 * has none.
 *
 * Failures: functions return a status and leave out-parameters untouched unless they say otherwise.  What went wrong in
 * words goes to the log hook, with a stable ID that docs/runtime.md explains.
 */
#ifndef WASMETAL_H
#define WASMETAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WASMETAL_VERSION_MAJOR 0
#define WASMETAL_VERSION_MINOR 1
#define WASMETAL_VERSION_PATCH 0

#if defined(__GNUC__) || defined(__clang__)
#define WASMETAL_API __attribute__((visibility("default")))
#else
#define WASMETAL_API
#endif

typedef struct wm_module wasmetal_module;           /* a compiled module; constant, shared by all its instances */
typedef struct wasmetal_instance wasmetal_instance; /* owned by whoever instantiated it */
typedef struct wasmetal_object wasmetal_object;     /* a function, table, memory, global or tag that can be linked */

typedef enum wasmetal_status {
    WASMETAL_OK = 0,
    WASMETAL_TRAP = 1,                /* the module trapped; wasmetal_trap says where */
    WASMETAL_EXIT = 2,                /* the module called proc_exit; wasmetal_trap holds the exit code */
    WASMETAL_ERROR_ARGUMENT = 3,      /* a parameter of the call makes no sense */
    WASMETAL_ERROR_OUT_OF_MEMORY = 4, /* the allocator or the system refused */
    WASMETAL_ERROR_ADDRESS_SPACE = 5, /* linear memory cannot be reserved; compile with --bounds-checks=on */
    WASMETAL_ERROR_ABI = 6,           /* the module was compiled for another runtime version */
    WASMETAL_ERROR_IMPORT = 7,        /* an import is missing or of another type */
    WASMETAL_ERROR_NOT_FOUND = 8,     /* no such export, or nothing to run */
    WASMETAL_ERROR_TYPE = 9,          /* the object is of another kind or type */
    WASMETAL_ERROR_LIMIT = 10,        /* a limit of the module or of the description would be passed */
    WASMETAL_ERROR_IO = 11,           /* a file or folder of the description cannot be opened */
    WASMETAL_EXCEPTION = 12           /* the module threw what it did not catch; wasmetal_exception_get tells what */
} wasmetal_status;

/* "out of memory", "import missing or of another type", ...; never NULL. */
WASMETAL_API const char *wasmetal_status_text(wasmetal_status status);
/* "0.1.0" of the library that is linked. */
WASMETAL_API const char *wasmetal_version(void);

/* ---- hooks ---- */

enum { WASMETAL_LOG_ERROR = 0, WASMETAL_LOG_WARNING = 1, WASMETAL_LOG_INFO = 2, WASMETAL_LOG_DEBUG = 3 };

/* `id` is a stable message ID such as "WMR1004".  Called on the thread that works on the instance, or on a worker. */
typedef void wasmetal_log_fn(void *user, int level, const char *id, const char *message);

/* Both or neither.  `alloc` returns NULL when it cannot; alignment is at most 64.  Linear memories and tables come from
 * the system, not from here. */
typedef struct wasmetal_allocator {
    void *(*alloc)(void *user, size_t bytes, size_t alignment);
    void (*free)(void *user, void *pointer, size_t bytes);
    void *user;
} wasmetal_allocator;

/* ---- traps ---- */

typedef enum wasmetal_trap_code {
    WASMETAL_TRAP_NONE = 0,
    WASMETAL_TRAP_UNREACHABLE = 1,
    WASMETAL_TRAP_MEMORY_BOUNDS = 2,
    WASMETAL_TRAP_TABLE_BOUNDS = 3,
    WASMETAL_TRAP_DIVIDE_BY_ZERO = 4,
    WASMETAL_TRAP_INTEGER_OVERFLOW = 5,
    WASMETAL_TRAP_INVALID_CONVERSION = 6,
    WASMETAL_TRAP_UNDEFINED_ELEMENT = 7,
    WASMETAL_TRAP_UNINITIALIZED_ELEMENT = 8,
    WASMETAL_TRAP_INDIRECT_CALL_TYPE = 9,
    WASMETAL_TRAP_STACK_EXHAUSTED = 10,
    WASMETAL_TRAP_HOST = 11, /* raised by a host function */
    WASMETAL_TRAP_EXIT = 12, /* reported as WASMETAL_EXIT */
    WASMETAL_TRAP_INTERRUPT = 13,
    WASMETAL_TRAP_UNALIGNED_ATOMIC = 14,
    WASMETAL_TRAP_EXPECTED_SHARED = 15, /* memory.atomic.wait on a memory that is not shared */
    WASMETAL_TRAP_EXCEPTION = 16        /* reported as WASMETAL_EXCEPTION */
} wasmetal_trap_code;

#define WASMETAL_NO_FUNCTION UINT32_MAX
#define WASMETAL_NO_OFFSET UINT64_MAX

typedef struct wasmetal_trap {
    uint32_t code;             /* wasmetal_trap_code */
    uint32_t function;         /* index in the module that trapped, or WASMETAL_NO_FUNCTION */
    uint64_t offset;           /* byte offset of the instruction in the .wasm file, or WASMETAL_NO_OFFSET */
    const char *function_name; /* lives as long as the module; "" when unknown */
    const char *text;          /* "out of bounds memory access"; static */
    uint32_t exit_code;        /* with WASMETAL_TRAP_EXIT */
} wasmetal_trap;

/* Text of a trap code, that of the Wasm spec tests; never NULL. */
WASMETAL_API const char *wasmetal_trap_text(uint32_t code);

/* ---- linking ---- */

typedef enum wasmetal_kind {
    WASMETAL_FUNC = 0,
    WASMETAL_TABLE = 1,
    WASMETAL_MEMORY = 2,
    WASMETAL_GLOBAL = 3,
    WASMETAL_TAG = 4
} wasmetal_kind;

/* A function of the host.  Arguments are in `args_results` and results go there, from the first cell on.  Returns 0, or
 * the wasmetal_trap_code to raise in the caller, or what wasmetal_throw returns.  It may call back into the instance.
 * It must not leave by longjmp or by an exception of C++. */
typedef uint64_t wasmetal_host_fn(void *user, wasmetal_instance *instance, uint64_t *args_results);

typedef struct wasmetal_import {
    const char *module, *name;
    wasmetal_object *object; /* an export of an instance, or from wasmetal_memory_new and the like; else NULL and: */
    wasmetal_host_fn *fn;    /* a host function */
    void *user;              /* handed to fn */
    const char *type;        /* of fn, "ii:i"; NULL: taken on trust */
} wasmetal_import;

/* Makes every export of `instance` importable under the module name `module`. */
typedef struct wasmetal_link {
    const char *module;
    wasmetal_instance *instance;
} wasmetal_link;

/* Values in cells, for host functions and callers. */
typedef struct wasmetal_v128 {
    uint64_t lo, hi;
} wasmetal_v128;

static inline wasmetal_v128 wasmetal_v128_of(const uint64_t *cells) {
    wasmetal_v128 value;
    value.lo = cells[0];
    value.hi = cells[1];
    return value;
}
static inline uint64_t wasmetal_cell_f32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline uint64_t wasmetal_cell_f64(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline float wasmetal_f32_of(uint64_t cell) {
    uint32_t bits = (uint32_t)cell;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static inline double wasmetal_f64_of(uint64_t cell) {
    double value;
    memcpy(&value, &cell, sizeof value);
    return value;
}

typedef struct wasmetal_export {
    const char *name; /* lives as long as the module */
    wasmetal_kind kind;
    wasmetal_object *object; /* owned by the instance, valid until wasmetal_free */
    const char *type;        /* functions: "ii:i"; tags: "ii:"; tables and globals: one letter; memories: "" */
} wasmetal_export;

/* ---- WASI preview 1 ---- */

/* A folder the module may use, under the name `guest`.  Nothing outside it can be reached through it. */
typedef struct wasmetal_preopen {
    const char *host;  /* path on this machine, opened when the instance is made */
    const char *guest; /* NULL: same as host */
    bool read_only;
} wasmetal_preopen;

/* All zero: no arguments, no environment, no folders, the process's own standard streams. */
typedef struct wasmetal_wasi_desc {
    const char *const *args; /* args[0] is the program's name */
    size_t nargs;
    const char *const *env; /* "NAME=value" */
    size_t nenv;
    const wasmetal_preopen *preopens;
    size_t npreopens;
    /* File descriptors, not closed by the runtime.  0: the process's own 0, 1 and 2.  Negative: none; reading gives end
     * of file, what is written is dropped. */
    int stdin_fd, stdout_fd, stderr_fd;
} wasmetal_wasi_desc;

/* ---- instances ---- */

/* Everything is copied by wasmetal_instantiate, except what `user` pointers point to.  Zero is always the default. */
typedef struct wasmetal_instance_desc {
    const wasmetal_import *imports; /* looked at first, then links, then WASI */
    size_t nimports;
    const wasmetal_link *links;
    size_t nlinks;
    bool no_wasi; /* do not supply wasi_snapshot_preview1 */
    wasmetal_wasi_desc wasi;

    /* Where parallel loops run: "none", "cpu", "vulkan", "vulkan:N", "metal", "auto".  NULL: the environment variable
     * WASMETAL_DEVICE, and without it "auto". */
    const char *device;
    /* Least estimated operations for a launch; smaller loops stay on the calling thread.  0: WASMETAL_MIN_WORK, and
     * without it the device's own threshold.  1: launch whatever can be launched. */
    uint64_t min_work;
    bool no_environment; /* read none of the WASMETAL_ variables */

    uint64_t max_memory_bytes;   /* of each memory; 0: what the module asks for, at most 4 GiB */
    uint64_t max_table_elements; /* of each table; 0: 10,000,000 */
    uint32_t max_open_files;     /* of WASI; 0: 1,024 */

    wasmetal_allocator allocator; /* zero: malloc and free */
    wasmetal_log_fn *log;         /* NULL: to standard error, levels up to WASMETAL_LOG (default "error") */
    void *log_user;
    wasmetal_trap *start_trap; /* optional; filled when instantiation returns TRAP, EXIT or EXCEPTION */
} wasmetal_instance_desc;

/* Makes an instance: links imports, sets up memory, tables and globals, copies active segments, runs the start
 * function. `desc` may be NULL.  On success *out_instance is the caller's, to be given to wasmetal_free; on failure it
 * is NULL and nothing stays behind (except what active segments wrote into imported memories and tables, as the Wasm
 * standard says). Fails with TRAP, EXIT, EXCEPTION, OUT_OF_MEMORY, ADDRESS_SPACE, ABI, IMPORT, LIMIT, IO. */
WASMETAL_API wasmetal_status wasmetal_instantiate(const wasmetal_module *module, const wasmetal_instance_desc *desc,
                                                  wasmetal_instance **out_instance);

/* The first instance puts our handlers for SIGSEGV and SIGBUS before those it finds.  A program that sets its own later
 * takes them away, and out-of-bounds accesses would go to it: it calls this afterwards, to put ours first again.  Not
 * needed, and not to be done, when its handlers pass faults on to those they replaced.  Not while any thread is inside
 * an instance.  OUT_OF_MEMORY when the system refuses. */
WASMETAL_API wasmetal_status wasmetal_install_fault_handlers(void);

/* Frees the instance and all its objects; NULL is fine.  Not from inside a call into it.  Instances linked with one
 * another may be freed in any order, but none of them is called any more once the first is gone. */
WASMETAL_API void wasmetal_free(wasmetal_instance *instance);

WASMETAL_API const wasmetal_module *wasmetal_instance_module(const wasmetal_instance *instance);

WASMETAL_API size_t wasmetal_export_count(const wasmetal_instance *instance);
/* NOT_FOUND when index is too large. */
WASMETAL_API wasmetal_status wasmetal_export_at(const wasmetal_instance *instance, size_t index,
                                                wasmetal_export *out_export);
WASMETAL_API wasmetal_status wasmetal_export_find(const wasmetal_instance *instance, const char *name,
                                                  wasmetal_export *out_export);

/* Calls a function exported by `instance`.  `args_results` must hold as many cells as the larger of arguments and
 * results needs; NULL when there are none.  TRAP, EXIT and EXCEPTION fill *out_trap (may be NULL) and leave the cells
 * undefined; the instance can be called again.  ARGUMENT when `func` is not of this instance, TYPE when it is no
 * function. */
WASMETAL_API wasmetal_status wasmetal_call(wasmetal_instance *instance, const wasmetal_object *func,
                                           uint64_t *args_results, wasmetal_trap *out_trap);

/* For host functions that cannot return a trap code: remembers it, for the wrapper to take.  Codes 0, EXIT: ignored. */
WASMETAL_API void wasmetal_raise(wasmetal_instance *instance, uint32_t code);
/* The code remembered, and forgets it; 0 when there is none.  Wrappers return it. */
WASMETAL_API uint64_t wasmetal_take_raised(wasmetal_instance *instance);

/* ---- exceptions (the exception handling proposal, legacy instructions) ---- */

/* The exception that left the last call of `instance` that returned EXCEPTION: whether it has this tag, and its values,
 * NOT_FOUND when not.  It is kept until another one takes its place or the instance is freed. */
WASMETAL_API bool wasmetal_exception_is(const wasmetal_instance *instance, const wasmetal_object *tag);
WASMETAL_API wasmetal_status wasmetal_exception_get(const wasmetal_instance *instance, const wasmetal_object *tag,
                                                    uint64_t *out_cells);
/* For host functions: makes an exception the instance's, to be thrown where the function was called, and returns the
 * code that the function must then return.  A host function that got EXCEPTION from a call of the same instance returns
 * WASMETAL_TRAP_EXCEPTION to pass it on.  Returns WASMETAL_TRAP_HOST out of memory, or when `tag` is none. */
WASMETAL_API uint64_t wasmetal_throw(wasmetal_instance *instance, const wasmetal_object *tag, const uint64_t *cells);

/* A reactor's `_initialize`, when the module exports one; OK when it does not. */
WASMETAL_API wasmetal_status wasmetal_run_wasi_initialize(wasmetal_instance *instance, wasmetal_trap *out_trap);
/* Runs a command's `_start`.  OK with *out_exit_code set, whether main returned or exit was called; TRAP with *out_trap
 * filled (may be NULL); NOT_FOUND when there is no `_start`. */
WASMETAL_API wasmetal_status wasmetal_run_wasi_start(wasmetal_instance *instance, uint32_t *out_exit_code,
                                                     wasmetal_trap *out_trap);

/* ---- the instance's first memory ---- */

/* NULL when the module has no memory.  The address never changes; the size may, in any call. */
WASMETAL_API uint8_t *wasmetal_memory_base(const wasmetal_instance *instance);
WASMETAL_API uint64_t wasmetal_memory_size(const wasmetal_instance *instance); /* bytes; 0 without a memory */
/* Bytes [address, address + bytes) of memory, or NULL when they are not all inside it. */
WASMETAL_API void *wasmetal_memory_at(const wasmetal_instance *instance, uint64_t address, uint64_t bytes);
/* LIMIT past the maximum, OUT_OF_MEMORY when the system refuses, NOT_FOUND without a memory; then nothing changed.
 * out_old_pages may be NULL. */
WASMETAL_API wasmetal_status wasmetal_memory_grow(wasmetal_instance *instance, uint64_t pages, uint64_t *out_old_pages);

/* ---- objects ---- */

/* Made by the host, for several instances to import.  `max_pages`, `max`: UINT64_MAX when open.  The caller owns them
 * and frees them with wasmetal_object_free after the instances that import them.  A memory can be imported by modules
 * compiled with and without explicit bounds checks.  OUT_OF_MEMORY, ADDRESS_SPACE, ARGUMENT. */
WASMETAL_API wasmetal_status wasmetal_memory_new(uint64_t min_pages, uint64_t max_pages, wasmetal_object **out_object);
/* A shared memory, as the threads proposal has it: for modules that import one, on any number of threads.  Between
 * threads, only atomic accesses order anything.  It lives until its objects and all instances that import it are gone.
 */
WASMETAL_API wasmetal_status wasmetal_memory_new_shared(uint64_t min_pages, uint64_t max_pages,
                                                        wasmetal_object **out_object);
/* A new object for the shared memory that `memory`, such as an export, stands for: the caller's own, independent of the
 * instance, for another thread to use.  TYPE when it is no shared memory, OUT_OF_MEMORY. */
WASMETAL_API wasmetal_status wasmetal_memory_share(const wasmetal_object *memory, wasmetal_object **out_object);
WASMETAL_API wasmetal_status wasmetal_table_new(char type, uint64_t min, uint64_t max, wasmetal_object **out_object);
WASMETAL_API wasmetal_status wasmetal_global_new(char type, bool is_mutable, const uint64_t *cells,
                                                 wasmetal_object **out_object);
/* A tag; `type` has parameters only, "il:".  OUT_OF_MEMORY, ARGUMENT. */
WASMETAL_API wasmetal_status wasmetal_tag_new(const char *type, wasmetal_object **out_object);
WASMETAL_API void wasmetal_object_free(wasmetal_object *object); /* not for exports; NULL is fine */

WASMETAL_API wasmetal_kind wasmetal_object_kind(const wasmetal_object *object);
/* Globals; TYPE otherwise, and when setting a constant.  Two cells for v128. */
WASMETAL_API wasmetal_status wasmetal_global_get(const wasmetal_object *global, uint64_t *out_cells);
WASMETAL_API wasmetal_status wasmetal_global_set(wasmetal_object *global, const uint64_t *cells);
/* Tables; TYPE otherwise, LIMIT past the end.  References may only go between linked instances. */
WASMETAL_API wasmetal_status wasmetal_table_size(const wasmetal_object *table, uint64_t *out_size);
WASMETAL_API wasmetal_status wasmetal_table_get(const wasmetal_object *table, uint64_t index, void **out_reference);
WASMETAL_API wasmetal_status wasmetal_table_set(wasmetal_object *table, uint64_t index, void *reference);
/* `n` more elements, all of them `reference`; out_old_size may be NULL.  LIMIT past the table's maximum: nothing is
 * done. */
WASMETAL_API wasmetal_status wasmetal_table_grow(wasmetal_object *table, uint64_t n, void *reference,
                                                 uint64_t *out_old_size);
/* Memories; TYPE otherwise. */
WASMETAL_API wasmetal_status wasmetal_memory_view(const wasmetal_object *memory, uint8_t **out_base,
                                                  uint64_t *out_bytes);
/* Functions: the non-null funcref that stands for it; NULL for other kinds. */
WASMETAL_API void *wasmetal_func_reference(const wasmetal_object *func);

/* ---- what ran where ---- */

typedef struct wasmetal_stats {
    const char *device;      /* "none", "cpu", "vulkan", "metal" */
    const char *device_name; /* the driver's name for it; "" for none */
    const char *binding;     /* how memory is bound: "imported", "mirrored", "host", "none" */
    uint64_t launches;       /* loop nests that ran as kernels */
    uint64_t fallbacks;      /* launches that the guard or the device turned down; the loop then ran in place */
    uint64_t bytes_copied;   /* of linear memory, to or from a device */
    uint64_t nanoseconds;    /* wall time spent in launches */
    size_t nkernels;
    uint64_t inspections; /* runs of inspectors, which decide about launches of loops with data-dependent addresses */
} wasmetal_stats;

typedef struct wasmetal_kernel_stats {
    const char *name;
    uint32_t function;    /* where the loop nest is */
    uint64_t wasm_offset; /* of its outermost loop */
    uint64_t launches, fallbacks, nanoseconds;
    uint64_t inspections;
} wasmetal_kernel_stats;

/* Strings live as long as the instance. */
WASMETAL_API void wasmetal_get_stats(const wasmetal_instance *instance, wasmetal_stats *out_stats);
/* NOT_FOUND when kernel is too large. */
WASMETAL_API wasmetal_status wasmetal_get_kernel_stats(const wasmetal_instance *instance, size_t kernel,
                                                       wasmetal_kernel_stats *out_stats);
/* The same, with fallbacks by reason, as JSON text (docs/runtime.md has the fields).  Works like snprintf: writes at
 * most `capacity` bytes, the terminating NUL included, and returns the length the whole text has without it. */
WASMETAL_API size_t wasmetal_stats_json(const wasmetal_instance *instance, char *buffer, size_t capacity);

typedef struct wasmetal_device_info {
    char spec[32];    /* what to give as `device`: "cpu", "vulkan:0" */
    char name[256];   /* "llvmpipe (LLVM 19.1.7, 256 bits)" */
    char driver[256]; /* name and version, "" when there is none */
    bool software;    /* runs on the CPU */
    bool usable;      /* false: `note` says why not */
    char note[256];
    char binding[96];  /* what linear memory is to it, in words */
    uint64_t min_work; /* estimated operations from which on a launch pays, see WASMETAL_MIN_WORK */
    uint64_t max_buffer_bytes, max_binding_bytes, import_alignment; /* 0: no such limit */
    uint32_t max_workgroup[3], max_invocations;
} wasmetal_device_info;

/* How a device does a class of operations, in words for people. */
typedef struct wasmetal_device_class {
    char operations[48]; /* "f32 divide" */
    char device[32];     /* what it was found to do: "exact", "inexact for subnormals", "without f64" */
    char kernels[48];    /* what kernels use there: "instruction", "integers" */
} wasmetal_device_class;

/* Fills at most `capacity` entries and returns how many devices there are.  Loads drivers, so it can take a second. */
WASMETAL_API size_t wasmetal_list_devices(wasmetal_device_info *out_devices, size_t capacity);
/* Opens the device with this `spec` and measures how it computes.  Fills at most `capacity` entries and returns how
 * many classes there are; 0 when there is no such device or it cannot be opened. */
WASMETAL_API size_t wasmetal_probe_device(const char *spec, wasmetal_device_class *out_classes, size_t capacity);

/* Nanoseconds, as docs/devices.md#calibration explains them. */
typedef struct wasmetal_device_rates {
    double launch, op, step, byte; /* on the device */
    double host_op, host_byte;     /* on the calling thread */
    uint64_t min_work;             /* estimated operations from which on a launch may pay */
} wasmetal_device_rates;

/* Opens the device with this `spec`, measures how fast it is, keeps that on disk for instances to come, and fills
 * *out_rates.  False when there is no such device, or it cannot be measured (then built-in thresholds are used), or
 * WASMETAL_CALIBRATION forbids it. */
WASMETAL_API bool wasmetal_measure_device(const char *spec, wasmetal_device_rates *out_rates);

#ifdef __cplusplus
}
#endif

#endif
