/* A host program written against generated headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "double.h"
#include "empty.h"
#include "fixture.h"

int use_from_cxx(void); /* rt_header_cxx.cc */

static int32_t host_add(void *user, wasmetal_instance *instance, int32_t a, int32_t b) {
    if (b == 13) {
        wasmetal_raise(instance, WASMETAL_TRAP_HOST);
        return 0;
    }
    return a + b + *(int32_t *)user;
}

static void quiet(void *user, int level, const char *id, const char *message) {
    (void)user;
    (void)level;
    (void)id;
    (void)message;
}

static void test_calls(void **state) {
    (void)state;
    int32_t extra = 100, result = 0;
    double mixed = 0;
    struct fixture_imports imports = {.env_add = host_add, .env_add_user = &extra};
    struct fixture m;
    assert_int_equal(fixture_instantiate(&imports, NULL, &m), WASMETAL_OK);
    assert_int_equal(wasmetal_install_fault_handlers(), WASMETAL_OK);
    assert_int_equal(fixture_call_add(&m, -5, 2, &result), WASMETAL_OK);
    assert_int_equal(result, 97);
    assert_int_equal(fixture_mix(&m, -3, 0.5f, 5.0, &mixed), WASMETAL_OK);
    assert_true(mixed == -0.5);
    assert_int_equal(fixture_call_add(&m, 1, 13, &result), WASMETAL_TRAP);
    assert_int_equal(m.trap.code, WASMETAL_TRAP_HOST);
    assert_int_equal(fixture_peek(&m, 1 << 20, &result), WASMETAL_TRAP);
    assert_string_equal(m.trap.text, "out of bounds memory access");
    assert_int_equal(fixture_memory_size(&m), 65536);
    assert_memory_equal(fixture_memory_at(&m, 16, 5), "hello", 5);
    assert_null(fixture_memory_at(&m, 65536, 1));
    uint64_t old;
    assert_int_equal(fixture_memory_grow(&m, 1, &old), WASMETAL_OK);
    assert_int_equal(old, 1);
    uint64_t cell;
    assert_int_equal(wasmetal_global_get(m.export_constant, &cell), WASMETAL_OK);
    assert_int_equal(cell, 0x123456789abc);
    fixture_free(&m);
    fixture_free(&m);
}

static void test_descriptions(void **state) {
    (void)state;
    struct fixture m;
    struct empty e;
    wasmetal_instance_desc desc = {.log = quiet};
    assert_int_equal(fixture_instantiate(NULL, &desc, &m), WASMETAL_ERROR_IMPORT);
    assert_null(m.instance);
    /* What the struct leaves out comes from the description. */
    int32_t extra = 7, result;
    struct fixture_imports full = {host_add, &extra}, none = {0};
    wasmetal_import import = {"env", "add", NULL, fixture_call_import_env_add, &full, "ii:i"};
    desc.imports = &import;
    desc.nimports = 1;
    assert_int_equal(fixture_instantiate(&none, &desc, &m), WASMETAL_OK);
    assert_int_equal(fixture_add(&m, 1, 2, &result), WASMETAL_OK);
    assert_int_equal(result, 10);
    fixture_free(&m);
    assert_int_equal(empty_instantiate(NULL, NULL, &e), WASMETAL_OK);
    empty_free(&e);
    assert_int_equal(use_from_cxx(), 42);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls), cmocka_unit_test(test_descriptions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
