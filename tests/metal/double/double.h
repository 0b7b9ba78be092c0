/* The Metal test double: Metal's objects as the runtime uses them, on Linux and on the CPU.
 *
 *   foundation.m   NSObject and the few other classes of Foundation; objects that died keep their memory and report
 *   device.m       MTLDevice, buffers, capture
 *   library.m      MSL source to a shared object by clang; functions, pipelines, binary archives
 *   commands.m     queue, command buffer, encoder
 *   dispatch.m     libdispatch's data and semaphores; copies of blocks
 *   run.c          the grid, on several threads; barriers by switching contexts
 *   rules.def      what is checked
 *
 * METAL_DOUBLE in the environment, or metal_double_configure(), sets its properties and injects faults; see config.def.
 * Kernels are compiled once each when METAL_DOUBLE_CACHE names a folder.
 */
#ifndef WASMETAL_TESTS_METAL_DOUBLE
#define WASMETAL_TESTS_METAL_DOUBLE

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metal_rule {
#define RULE(id, name, what) RULE_##id,
#include "rules.def"
};

_Noreturn void metal_rule_broken(enum metal_rule rule, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct metal_config {
#define CONFIG(field, name, value, what) uint64_t field;
#include "config.def"
};
extern struct metal_config metal_config;
/* "name=number,name,..."; what is not named gets its default.  Also sets all counters to 0. */
void metal_double_configure(const char *text);

struct metal_counters {
    uint64_t commits, no_copy_buffers, source_compiles, data_libraries, archive_hits, archive_misses, captures;
};
extern struct metal_counters metal_counters;
/* Waits of this process that ended too early: what the launch used is left behind, and is no leak. */
extern uint64_t metal_timeouts;

/* Whether [start, start + bytes) lies in one mapping that can be read and written. */
bool metal_one_mapping(const void *start, uint64_t bytes);

/* ---- compiled kernels; the same structs stand in the text that library.m adds to the MSL ---- */

enum { MSL_DEVICE = 1, MSL_CONSTANT = 2 };

struct msl_argument {
    uint32_t index, bytes, alignment, space;
};

/* One thread of the grid, as the kernel sees it (metal_stdlib has the same struct). */
struct msl_thread {
    uint32_t position_in_grid[3], position_in_group[3], group[3], threads_per_group[3], groups[3], index_in_group;
    void *(*threadgroup)(uint32_t variable, uint64_t bytes);
    void (*barrier)(void);
};

struct msl_kernel {
    const char *name;
    const struct msl_argument *arguments;
    uint32_t narguments, barriers;
    void (*run)(void *const *buffers, const struct msl_thread *thread);
};

enum { METAL_MAX_BUFFERS = 31 };

struct metal_dispatch {
    const struct msl_kernel *kernel;
    void *buffers[METAL_MAX_BUFFERS];
    uint32_t groups[3], threads[3];
};

/* Runs the grid; `part`: only about half of it, as a GPU that is lost in the middle. */
void metal_run_grid(const struct metal_dispatch *dispatch, bool part);

#endif
