/* A small stand-in for the runtime, to run what the host backend compiled: one instance at a time, traps by longjmp,
 * guard pages by a SIGSEGV handler that reads the module's trap map. */
#ifndef WASMETAL_TESTS_UNIT_HOST_TEST_H
#define WASMETAL_TESTS_UNIT_HOST_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/host/host.h"
#include "ir/ir_interp.h"
#include "ir/ir_trap.h"
#include "runtime/abi.h"

struct test_instance {
    struct host_options options;
    struct ir_module *ir;
    struct host_object object;
    struct host_jit *jit;
    const struct wm_module *module;
    struct wm_vmctx *ctx;
    struct wm_memory memory;
    struct wm_memory *memories[1];
    struct wm_table tables_storage[4];
    struct wm_table *tables[4];
    uint8_t *reservation;
    /* What the last call ended with. */
    enum ir_trap trap;
    uint32_t trap_func, trap_offset;
    /* What launches find and do. */
    bool (*launch)(struct test_instance *t, uint64_t kernel, const uint64_t *slots, uint64_t *trips);
    uint64_t (*host)(void *env, uint64_t *args_results);
};

/* Parses, verifies, compiles, loads and instantiates; fails the test on any error. */
struct test_instance *test_instance_new(const char *text, const struct host_options *options);
void test_instance_free(struct test_instance *t);
/* Returns false on a trap.  args_results: one word a value. */
bool test_call(struct test_instance *t, uint32_t func, uint64_t *args_results);
struct ir_module *test_parse(const char *text);

#endif
