/* Several instances on several threads at once: calls, traps by guard pages and by the stack, growth, linking within a
 * thread, and instances that move from thread to thread.  Meant for ThreadSanitizer as well. */
#include "tests/unit/rt_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 40 };

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), abort()))

static struct fixture shared;

static uint64_t call(wasmetal_instance *in, const char *name, uint64_t a, uint64_t b, wasmetal_status expected) {
    wasmetal_export e;
    wasmetal_trap trap;
    uint64_t cells[2] = {a, b};
    CHECK(wasmetal_export_find(in, name, &e) == WASMETAL_OK);
    CHECK(wasmetal_call(in, e.object, cells, &trap) == expected);
    return expected == WASMETAL_OK ? cells[0] : trap.code;
}

static wasmetal_instance *make(uint64_t *calls) {
    wasmetal_import im = {"env", "add", NULL, fixture_add, calls, "ii:i"};
    wasmetal_instance_desc desc = {.imports = &im, .nimports = 1, .log = fixture_log_off, .device = "none"};
    wasmetal_instance *in;
    CHECK(wasmetal_instantiate(&shared.module, &desc, &in) == WASMETAL_OK);
    return in;
}

static void *work(void *arg) {
    uint64_t calls = 0, me = (uint64_t)(uintptr_t)arg;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        wasmetal_instance *in = make(&calls);
        CHECK(call(in, "call_add", me, round, WASMETAL_OK) == me + round);
        CHECK(call(in, "peek", 65536 + round, 0, WASMETAL_TRAP) == WASMETAL_TRAP_MEMORY_BOUNDS);
        CHECK(call(in, "grow", 1, 0, WASMETAL_OK) == 1);
        call(in, "poke", 65536 + round, me, WASMETAL_OK);
        CHECK(call(in, "peek", 65536 + round, 0, WASMETAL_OK) == me);
        CHECK(call(in, "divide", 0, 0, WASMETAL_TRAP) == WASMETAL_TRAP_DIVIDE_BY_ZERO);
        if (round % 8 == 0) {
            CHECK(call(in, "recurse", 0, 0, WASMETAL_TRAP) == WASMETAL_TRAP_STACK_EXHAUSTED);
        }
        wasmetal_free(in);
    }
    CHECK(calls == ROUNDS);
    return NULL;
}

static void test_parallel(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    assert_int_equal(wasmetal_install_fault_handlers(), WASMETAL_OK);
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void *use_once(void *in) {
    CHECK(call(in, "peek", 1 << 20, 0, WASMETAL_TRAP) == WASMETAL_TRAP_MEMORY_BOUNDS);
    call(in, "poke", 5, call(in, "peek", 5, 0, WASMETAL_OK) + 1, WASMETAL_OK);
    return NULL;
}

/* One instance, used by one thread after another. */
static void test_handed_on(void **state) {
    (void)state;
    wasmetal_instance *in = make(NULL);
    assert_int_equal(wasmetal_install_fault_handlers(), WASMETAL_OK);
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, use_once, in), 0);
        assert_int_equal(pthread_join(t, NULL), 0);
    }
    assert_int_equal(call(in, "peek", 5, 0, WASMETAL_OK), 20);
    wasmetal_free(in);
}

int main(void) {
    fixture_init(&shared);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parallel), cmocka_unit_test(test_handed_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
