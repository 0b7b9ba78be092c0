/* A compiled module written by hand, with C functions as its code, to test the runtime without the compiler. */
#ifndef WASMETAL_TESTS_RT_FIXTURE_H
#define WASMETAL_TESTS_RT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"
#include "runtime/abi.h"
#include "runtime/instance.h"

/* Types of the module, by index. */
enum { T_NONE, T_II_I, T_I_I, T_NONE_I, T_II, T_I, T_LFD_D, T_COUNT };

/* Functions, by index; F_ADD is imported from env.add, F_EXIT from WASI. */
enum {
    F_ADD,
    F_EXIT,
    F_POKE,    /* poke(address, value): byte store */
    F_PEEK,    /* peek(address): byte load */
    F_RECURSE, /* until the stack ends */
    F_DIVIDE,  /* traps at offset 0x99 */
    F_GROW,
    F_CALL_ADD,
    F_CALL_EXIT,
    F_START, /* stores 77 at 64, or traps when byte 65 is 1 */
    F_GET_GLOBAL,
    F_INDIRECT, /* indirect(slot, x): table 0, type i:i */
    F_MIX,      /* a + b * c over i64, f32, f64 */
    F_DEEP_ADD, /* calls env.add from an ever deeper stack until it traps */
    F_TWICE,    /* x * 2 */
    F_COUNT
};

/* A copy to change before instantiating; arrays that tests change are copied too. */
struct fixture {
    struct wm_module module;
    struct wm_func_desc funcs[F_COUNT];
    struct wm_import imports[5];
    struct wm_export exports[24];
    struct wm_limits memories[1];
    struct wm_table_desc tables[1];
    struct wm_global_desc globals[3];
    struct wm_data_desc datas[2];
    struct wm_elem_desc elems[2];
};

/* One page of memory (max 4), a table of 8 functions (max 16) with F_TWICE and F_PEEK in slots 2 and 3, a mutable i32
 * global 5 and a constant i64, data "hello" at 16, passive data "passive".  Imports env.add and WASI's proc_exit. */
void fixture_init(struct fixture *f);
/* Host function env.add; `user` counts calls when it is not NULL. */
uint64_t fixture_add(void *user, wasmetal_instance *instance, uint64_t *cells);
extern const wasmetal_import fixture_imports[1];
/* Instantiates with env.add given and logging off; fails the test when it does not work. */
wasmetal_instance *fixture_instantiate(const struct fixture *f);
/* Calls an export with up to two cells; the first result cell comes back in *result. */
wasmetal_status fixture_call(wasmetal_instance *in, const char *name, uint64_t a, uint64_t b, uint64_t *result,
                             wasmetal_trap *trap);
void fixture_log_off(void *user, int level, const char *id, const char *message);
/* Keeps the ID of the last message in `user`, a char[16]. */
void fixture_log_keep(void *user, int level, const char *id, const char *message);

#endif
