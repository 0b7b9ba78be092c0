/* One shared memory under instances on several threads: atomic updates, wait and notify, growth while others run,
 * faults past its end, and its life beyond the objects it was made with.  Meant for ThreadSanitizer as well. */
#include "tests/unit/rt_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 2000, COUNTER = 128, TURN = 256 };

#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), abort()))

static struct fixture module;
static wasmetal_object *memory;

static uint32_t *word(struct wm_vmctx *ctx, uint32_t address) {
    return (uint32_t *)(void *)(ctx->memory0_base + address);
}

/* Adds `a`, `b` times. */
static int32_t add_many(struct wm_vmctx *ctx, int32_t a, int32_t b) {
    for (int32_t i = 0; i < b; i++) {
        __atomic_fetch_add(word(ctx, COUNTER), (uint32_t)a, __ATOMIC_SEQ_CST);
    }
    return 0;
}

/* Sleeps until it is turn `turn` of `of`, and gives the turn to the next. */
static int32_t take_turn(struct wm_vmctx *ctx, int32_t turn, int32_t of) {
    uint32_t now;
    while ((now = __atomic_load_n(word(ctx, TURN), __ATOMIC_SEQ_CST)) != (uint32_t)turn) {
        uint64_t result = wm_rt_atomic_wait(ctx, 0, 4, TURN, now, UINT64_MAX, 0);
        CHECK(result == 0 || result == 1);
    }
    __atomic_store_n(word(ctx, TURN), (uint32_t)((turn + 1) % of), __ATOMIC_SEQ_CST);
    return (int32_t)wm_rt_atomic_notify(ctx, 0, TURN, UINT32_MAX, 0);
}

static void init(void) {
    fixture_init(&module);
    module.memories[0] = (struct wm_limits){1, 16, 1};
    module.imports[2] = (struct wm_import){"env", "memory", IR_EXTERN_MEMORY, 0};
    module.module.nimports = 3;
    module.module.nmemory_imports = 1;
    module.module.ndatas = 0;
    module.funcs[F_CALL_ADD].fn = (void *)add_many;
    module.funcs[F_INDIRECT].fn = (void *)take_turn;
}

static wasmetal_status instantiate(wasmetal_object *object, wasmetal_instance **out) {
    wasmetal_import imports[] = {fixture_imports[0], {.module = "env", .name = "memory", .object = object}};
    wasmetal_instance_desc desc = {.imports = imports, .nimports = 2, .log = fixture_log_off, .device = "none"};
    return wasmetal_instantiate(&module.module, &desc, out);
}

static uint64_t call(wasmetal_instance *in, const char *name, uint64_t a, uint64_t b, wasmetal_status expected) {
    wasmetal_export e;
    wasmetal_trap trap;
    uint64_t cells[2] = {a, b};
    CHECK(wasmetal_export_find(in, name, &e) == WASMETAL_OK);
    CHECK(wasmetal_call(in, e.object, cells, &trap) == expected);
    return expected == WASMETAL_OK ? cells[0] : trap.code;
}

static void *count(void *arg) {
    uint64_t me = (uint64_t)(uintptr_t)arg;
    wasmetal_instance *in;
    CHECK(instantiate(memory, &in) == WASMETAL_OK);
    call(in, "call_add", me + 1, ROUNDS, WASMETAL_OK);
    CHECK(call(in, "peek", 65536 * 16, 0, WASMETAL_TRAP) == WASMETAL_TRAP_MEMORY_BOUNDS);
    uint64_t old = call(in, "grow", 1, 0, WASMETAL_OK);
    CHECK(wasmetal_memory_size(in) >= (old + 1) * 65536);
    call(in, "poke", old * 65536, me, WASMETAL_OK);
    CHECK(call(in, "peek", old * 65536, 0, WASMETAL_OK) == me);
    wasmetal_free(in);
    return NULL;
}

static void *turns(void *arg) {
    wasmetal_instance *in;
    CHECK(instantiate(memory, &in) == WASMETAL_OK);
    for (int i = 0; i < 50; i++) {
        call(in, "indirect", (uint64_t)(uintptr_t)arg, THREADS, WASMETAL_OK);
    }
    wasmetal_free(in);
    return NULL;
}

static void run_all(void *(*work)(void *)) {
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void test_parallel(void **state) {
    (void)state;
    assert_int_equal(wasmetal_memory_new_shared(1, 16, &memory), WASMETAL_OK);
    assert_int_equal(wasmetal_install_fault_handlers(), WASMETAL_OK);
    run_all(count);
    uint8_t *base;
    uint64_t bytes;
    uint32_t sum;
    assert_int_equal(wasmetal_memory_view(memory, &base, &bytes), WASMETAL_OK);
    assert_int_equal(bytes, (1 + THREADS) * 65536);
    memcpy(&sum, base + COUNTER, sizeof sum);
    assert_int_equal(sum, ROUNDS * THREADS * (THREADS + 1) / 2);
    run_all(turns);
    wasmetal_object_free(memory);
}

/* The memory outlives the object and the instance that it came from. */
static void test_life(void **state) {
    (void)state;
    wasmetal_object *first, *again;
    wasmetal_instance *a, *b;
    wasmetal_export e;
    assert_int_equal(wasmetal_memory_new_shared(1, 16, &first), WASMETAL_OK);
    assert_int_equal(instantiate(first, &a), WASMETAL_OK);
    wasmetal_object_free(first);
    call(a, "poke", 5, 77, WASMETAL_OK);
    assert_int_equal(wasmetal_export_find(a, "memory", &e), WASMETAL_OK);
    assert_int_equal(wasmetal_memory_share(e.object, &again), WASMETAL_OK);
    wasmetal_free(a);
    assert_int_equal(instantiate(again, &b), WASMETAL_OK);
    wasmetal_object_free(again);
    assert_int_equal(call(b, "peek", 5, 0, WASMETAL_OK), 77);
    wasmetal_free(b);
}

static void test_refused(void **state) {
    (void)state;
    wasmetal_object *plain, *object;
    wasmetal_instance *in;
    assert_int_equal(wasmetal_memory_new_shared(1, UINT64_MAX, &object), WASMETAL_ERROR_ARGUMENT);
    assert_int_equal(wasmetal_memory_new(1, 16, &plain), WASMETAL_OK);
    assert_int_equal(instantiate(plain, &in), WASMETAL_ERROR_IMPORT);
    assert_int_equal(wasmetal_memory_share(plain, &object), WASMETAL_ERROR_TYPE);
    wasmetal_object_free(plain);
    assert_int_equal(wasmetal_memory_new_shared(1, 17, &object), WASMETAL_OK); /* the module allows 16 */
    assert_int_equal(instantiate(object, &in), WASMETAL_ERROR_IMPORT);
    wasmetal_object_free(object);
}

int main(void) {
    init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parallel), cmocka_unit_test(test_life),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
