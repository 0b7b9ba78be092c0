/* Traps: by wm_rt_trap, by guard pages, by the end of the stack; and faults that are none of ours. */
#include "tests/unit/rt_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_explicit_trap(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance *in = fixture_instantiate(&f);
    for (int i = 0; i < 1000; i++) {
        wasmetal_trap t;
        assert_int_equal(fixture_call(in, "divide", 0, 0, NULL, &t), WASMETAL_TRAP);
        assert_int_equal(t.code, WASMETAL_TRAP_DIVIDE_BY_ZERO);
        assert_int_equal(t.function, F_DIVIDE);
        assert_string_equal(t.function_name, "divide");
        assert_int_equal(t.offset, 0x99);
        assert_string_equal(t.text, "integer divide by zero");
    }
    assert_int_equal(fixture_call(in, "divide", 0, 0, NULL, NULL), WASMETAL_TRAP);
    wasmetal_free(in);
}

static void test_guard_pages(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance *in = fixture_instantiate(&f);
    const uint32_t bad[] = {65536, 65537, 4 * 65536, 0x7fffffff, 0x80000000, 0xffffffff};
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            wasmetal_trap t;
            assert_int_equal(fixture_call(in, "poke", bad[i], 1, NULL, &t), WASMETAL_TRAP);
            assert_int_equal(t.code, WASMETAL_TRAP_MEMORY_BOUNDS);
            assert_int_equal(t.offset, 0x123);
            assert_string_equal(t.function_name, "poke"); /* the function around offset 0x123 */
        }
    }
    uint64_t r;
    assert_int_equal(fixture_call(in, "poke", 65535, 200, NULL, NULL), WASMETAL_OK);
    assert_int_equal(fixture_call(in, "peek", 65535, 0, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 200);
    /* The widest access at the highest address, past the end of 8 GiB, is still inside the reservation. */
    wasmetal_export e;
    assert_int_equal(wasmetal_export_find(in, "memory", &e), WASMETAL_OK);
    struct rt_memory *m = e.object->memory;
    uint64_t last = UINT64_C(0xffffffff) * 2 + 16;
    assert_true(m->pub.base + last <= m->reservation + m->reserved);
    wasmetal_free(in);
}

static void check_stack(void) {
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance *in = fixture_instantiate(&f);
    for (int i = 0; i < 3; i++) {
        wasmetal_trap t;
        assert_int_equal(fixture_call(in, "recurse", 0, 0, NULL, &t), WASMETAL_TRAP);
        assert_int_equal(t.code, WASMETAL_TRAP_STACK_EXHAUSTED);
        assert_string_equal(t.text, "call stack exhausted");
        /* With host calls at every depth: whether the stack ends in compiled code or would in the host. */
        assert_int_equal(fixture_call(in, "deep_add", 0, 0, NULL, &t), WASMETAL_TRAP);
        assert_int_equal(t.code, WASMETAL_TRAP_STACK_EXHAUSTED);
    }
    uint64_t r;
    assert_int_equal(fixture_call(in, "call_add", 1, 2, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 3);
    wasmetal_free(in);
}

static void test_stack(void **state) {
    (void)state;
    check_stack();
}

static void *stack_thread(void *arg) {
    check_stack();
    return arg;
}

static void test_stack_of_thread(void **state) {
    (void)state;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    for (size_t size = (size_t)512 << 10; size <= (size_t)4 << 20; size *= 2) {
        pthread_t t;
        assert_int_equal(pthread_attr_setstacksize(&attr, size), 0);
        assert_int_equal(pthread_create(&t, &attr, stack_thread, NULL), 0);
        assert_int_equal(pthread_join(t, NULL), 0);
    }
    pthread_attr_destroy(&attr);
}

/* ---- host functions ---- */

struct nested {
    wasmetal_status inner;
    wasmetal_trap trap;
    const char *call;
    uint64_t answer;
};

static uint64_t nest(void *user, wasmetal_instance *in, uint64_t *cells) {
    struct nested *n = user;
    (void)cells;
    n->inner = fixture_call(in, n->call, 70000, 1, NULL, &n->trap);
    return n->answer;
}

static void test_nested_calls(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct nested n = {.call = "poke"};
    assert_int_equal(wasmetal_install_fault_handlers(), WASMETAL_OK);
    wasmetal_import im = {"env", "add", NULL, nest, &n, "ii:i"};
    wasmetal_instance_desc desc = {.imports = &im, .nimports = 1, .log = fixture_log_off};
    wasmetal_instance *in;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_OK);
    assert_int_equal(fixture_call(in, "call_add", 0, 0, NULL, NULL), WASMETAL_OK);
    assert_int_equal(n.inner, WASMETAL_TRAP);
    assert_int_equal(n.trap.code, WASMETAL_TRAP_MEMORY_BOUNDS);
    wasmetal_trap t;
    n.answer = WASMETAL_TRAP_HOST;
    assert_int_equal(fixture_call(in, "call_add", 0, 0, NULL, &t), WASMETAL_TRAP);
    assert_int_equal(t.code, WASMETAL_TRAP_HOST);
    assert_int_equal(t.function, F_ADD);
    assert_int_equal(t.offset, WASMETAL_NO_OFFSET);
    /* proc_exit two levels down, handed on by the host function. */
    n.call = "call_exit";
    n.answer = WASMETAL_TRAP_EXIT;
    assert_int_equal(fixture_call(in, "call_add", 0, 0, NULL, &t), WASMETAL_EXIT);
    assert_int_equal(n.inner, WASMETAL_EXIT);
    assert_int_equal(t.exit_code, 70000);
    wasmetal_raise(in, WASMETAL_TRAP_HOST);
    assert_int_equal(wasmetal_take_raised(in), WASMETAL_TRAP_HOST);
    assert_int_equal(wasmetal_take_raised(in), 0);
    wasmetal_free(in);
}

static void test_exit(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance *in = fixture_instantiate(&f);
    wasmetal_trap t;
    assert_int_equal(fixture_call(in, "call_exit", 3, 0, NULL, &t), WASMETAL_EXIT);
    assert_int_equal(t.exit_code, 3);
    uint32_t code = 99;
    assert_int_equal(wasmetal_run_wasi_start(in, &code, &t), WASMETAL_ERROR_NOT_FOUND);
    assert_int_equal(wasmetal_run_wasi_initialize(in, &t), WASMETAL_OK);
    f.exports[0] = (struct wm_export){"_start", IR_EXTERN_FUNC, F_START};
    wasmetal_free(in);
    in = fixture_instantiate(&f);
    assert_int_equal(wasmetal_run_wasi_start(in, &code, &t), WASMETAL_OK);
    assert_int_equal(code, 0);
    wasmetal_memory_base(in)[65] = 1;
    assert_int_equal(wasmetal_run_wasi_start(in, &code, &t), WASMETAL_TRAP);
    assert_int_equal(t.code, WASMETAL_TRAP_UNREACHABLE);
    wasmetal_free(in);
}

/* ---- faults that are not traps ---- */

static uint8_t *volatile protected_page;
static volatile sig_atomic_t seen;

static void repair(int sig, siginfo_t *info, void *context) {
    (void)sig;
    (void)context;
    if ((uint8_t *)info->si_addr != protected_page) {
        _exit(9);
    }
    seen = seen + 1;
    mprotect(protected_page, 4096, PROT_READ | PROT_WRITE);
}

static uint64_t faulting_host(void *user, wasmetal_instance *in, uint64_t *cells) {
    (void)user;
    (void)in;
    *protected_page = 1;
    cells[0] = 5;
    return 0;
}

static void in_child(void (*body)(void), int *out_status) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, out_status, 0), child);
}

/* A handler that was there before gets its faults, both outside of any call and inside a host function. */
static void chained(void) {
    struct sigaction act = {.sa_flags = SA_SIGINFO};
    act.sa_sigaction = repair;
    sigaction(SIGSEGV, &act, NULL);
    protected_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct fixture f;
    fixture_init(&f);
    wasmetal_import im = {"env", "add", NULL, faulting_host, NULL, NULL};
    wasmetal_instance_desc desc = {.imports = &im, .nimports = 1, .log = fixture_log_off};
    wasmetal_instance *in;
    if (wasmetal_instantiate(&f.module, &desc, &in) != WASMETAL_OK) {
        _exit(1);
    }
    uint64_t r = 0;
    if (fixture_call(in, "call_add", 0, 0, &r, NULL) != WASMETAL_OK || r != 5 || seen != 1) {
        _exit(2);
    }
    mprotect(protected_page, 4096, PROT_NONE);
    *protected_page = 2;
    if (seen != 2 || fixture_call(in, "peek", 65536, 0, &r, NULL) != WASMETAL_TRAP || seen != 2) {
        _exit(3);
    }
    wasmetal_free(in);
}

/* Without one the process dies as it would have, also when a host function reads past the guest's memory. */
static uint64_t wild_host(void *user, wasmetal_instance *in, uint64_t *cells) {
    (void)user;
    cells[0] = *(volatile uint8_t *)(wasmetal_memory_base(in) + 65536);
    return 0;
}

static void dies(void) {
    signal(SIGSEGV, SIG_DFL);
    struct fixture f;
    fixture_init(&f);
    wasmetal_import im = {"env", "add", NULL, wild_host, NULL, NULL};
    wasmetal_instance_desc desc = {.imports = &im, .nimports = 1, .log = fixture_log_off};
    wasmetal_instance *in;
    if (wasmetal_instantiate(&f.module, &desc, &in) != WASMETAL_OK) {
        _exit(1);
    }
    fixture_call(in, "call_add", 0, 0, NULL, NULL);
    _exit(2);
}

static void test_foreign_faults(void **state) {
    (void)state;
    int status;
    in_child(chained, &status);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    in_child(dies, &status);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

int main(void) {
    /* The first two install the handlers themselves, in children. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_faults),
        cmocka_unit_test(test_explicit_trap),
        cmocka_unit_test(test_guard_pages),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_stack_of_thread),
        cmocka_unit_test(test_nested_calls),
        cmocka_unit_test(test_exit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
