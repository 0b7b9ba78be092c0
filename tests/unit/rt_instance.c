/* Instances: initialisation order, linking and its errors, limits, host objects, memory and table operations. */
#include "tests/unit/rt_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static wasmetal_instance_desc quiet(const wasmetal_import *imports, size_t n) {
    return (wasmetal_instance_desc){.imports = imports, .nimports = n, .log = fixture_log_off, .device = "none"};
}

static void test_basics(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.module.start = F_START;
    wasmetal_instance *in = fixture_instantiate(&f);
    uint8_t *base = wasmetal_memory_base(in);
    assert_memory_equal(base + 16, "hello", 5);
    assert_int_equal(base[64], 77); /* start ran after the data was there */
    assert_int_equal((uintptr_t)base % 65536, 0);
    assert_int_equal(wasmetal_memory_size(in), 65536);
    uint64_t r;
    assert_int_equal(fixture_call(in, "call_add", 20, 22, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 42);
    assert_int_equal(fixture_call(in, "get_global", 0, 0, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 5);
    assert_int_equal(fixture_call(in, "indirect", 2, 21, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 42);
    wasmetal_export e;
    assert_int_equal(wasmetal_export_find(in, "mix", &e), WASMETAL_OK);
    assert_string_equal(e.type, "lfd:d");
    uint64_t cells[3] = {(uint64_t)-3, wasmetal_cell_f32(0.5f), wasmetal_cell_f64(5.0)};
    assert_int_equal(wasmetal_call(in, e.object, cells, NULL), WASMETAL_OK);
    assert_true(wasmetal_f64_of(cells[0]) == -0.5);
    assert_int_equal(wasmetal_export_find(in, "nothing", &e), WASMETAL_ERROR_NOT_FOUND);
    assert_int_equal(wasmetal_export_at(in, f.module.nexports, &e), WASMETAL_ERROR_NOT_FOUND);
    assert_int_equal(wasmetal_export_find(in, "memory", &e), WASMETAL_OK);
    assert_int_equal(wasmetal_call(in, e.object, cells, NULL), WASMETAL_ERROR_TYPE);
    assert_non_null(wasmetal_memory_at(in, 65535, 1));
    assert_null(wasmetal_memory_at(in, 65535, 2));
    assert_null(wasmetal_memory_at(in, UINT64_MAX, 2));
    wasmetal_free(in);
    wasmetal_free(NULL);
}

static void test_grow(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance *in = fixture_instantiate(&f);
    uint8_t *base = wasmetal_memory_base(in);
    uint64_t r;
    assert_int_equal(fixture_call(in, "grow", 2, 0, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 1);
    assert_ptr_equal(wasmetal_memory_base(in), base);
    assert_int_equal(fixture_call(in, "poke", 3 * 65536 - 1, 9, NULL, NULL), WASMETAL_OK);
    assert_int_equal(base[3 * 65536 - 1], 9);
    assert_int_equal(fixture_call(in, "grow", 2, 0, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, UINT32_MAX);
    uint64_t old;
    assert_int_equal(wasmetal_memory_grow(in, 2, &old), WASMETAL_ERROR_LIMIT);
    assert_int_equal(wasmetal_memory_grow(in, UINT64_MAX, &old), WASMETAL_ERROR_LIMIT);
    assert_int_equal(wasmetal_memory_grow(in, 1, &old), WASMETAL_OK);
    assert_int_equal(old, 3);
    assert_int_equal(wasmetal_memory_grow(in, 0, &old), WASMETAL_OK);
    assert_int_equal(old, 4);
    wasmetal_free(in);
}

static void test_limits(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance_desc desc = quiet(fixture_imports, 1);
    wasmetal_instance *in;
    char id[16] = "";
    assert_int_equal(wasmetal_install_fault_handlers(), WASMETAL_OK);
    desc.log = fixture_log_keep;
    desc.log_user = id;
    desc.max_memory_bytes = 65535;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_LIMIT);
    assert_null(in);
    assert_string_equal(id, "WMR1007");
    desc.max_memory_bytes = 2 * 65536;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_OK);
    assert_int_equal(wasmetal_memory_grow(in, 2, NULL), WASMETAL_ERROR_LIMIT);
    assert_int_equal(wasmetal_memory_grow(in, 1, NULL), WASMETAL_OK);
    wasmetal_free(in);
    desc.max_table_elements = 7;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_LIMIT);
    desc.max_table_elements = 0;
    desc.max_open_files = 2;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_LIMIT);
    desc.max_open_files = 0;
    f.module.abi_version++;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_ABI);
    assert_string_equal(id, "WMR1001");
    f.module.abi_version--;
    f.memories[0] = (struct wm_limits){65537, WM_NONE, 0};
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_LIMIT);
    f.memories[0] = (struct wm_limits){0, 65536, 0};
    f.module.ndatas = 0;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_OK);
    assert_int_equal(wasmetal_memory_size(in), 0);
    assert_int_equal(fixture_call(in, "peek", 0, 0, NULL, NULL), WASMETAL_TRAP);
    wasmetal_free(in);
}

static void test_import_errors(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance *in;
    char id[16] = "";
    wasmetal_import im = fixture_imports[0];
    wasmetal_instance_desc desc = quiet(&im, 1);
    desc.log = fixture_log_keep;
    desc.log_user = id;
    im.type = "ii:l";
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_IMPORT);
    assert_string_equal(id, "WMR1003");
    im.type = NULL;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_OK);
    wasmetal_free(in);
    im.fn = NULL;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_IMPORT);
    im.name = "sub";
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_IMPORT);
    assert_string_equal(id, "WMR1002");
    im = fixture_imports[0];
    desc.no_wasi = true;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_IMPORT);
    desc.no_wasi = false;
    assert_int_equal(wasmetal_memory_new(1, 1, &im.object), WASMETAL_OK);
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_ERROR_IMPORT);
    wasmetal_object_free(im.object);
    assert_int_equal(wasmetal_instantiate(NULL, &desc, &in), WASMETAL_ERROR_ARGUMENT);
    assert_int_equal(wasmetal_instantiate(&f.module, NULL, &in), WASMETAL_ERROR_IMPORT);
}

/* A second module that imports the first one's memory, table, global and function. */
static void make_importer(struct fixture *g) {
    fixture_init(g);
    g->imports[2] = (struct wm_import){"first", "memory", IR_EXTERN_MEMORY, 0};
    g->imports[3] = (struct wm_import){"first", "table", IR_EXTERN_TABLE, 0};
    g->imports[4] = (struct wm_import){"first", "global", IR_EXTERN_GLOBAL, 0};
    g->imports[0] = (struct wm_import){"first", "call_add", IR_EXTERN_FUNC, F_ADD};
    g->module.nimports = 5;
    g->module.nmemory_imports = 1;
    g->module.ntable_imports = 1;
    g->globals[0].imported = 1;
    g->globals[1].init = (struct wm_init){0, 0, 7, 0};
    g->datas[0].offset.bits_lo = 32;
    g->elems[0].offset.bits_lo = 5;
}

static void test_linking(void **state) {
    (void)state;
    struct fixture f, g;
    fixture_init(&f);
    make_importer(&g);
    wasmetal_instance *a = fixture_instantiate(&f), *b;
    wasmetal_link link = {"first", a};
    wasmetal_instance_desc desc = quiet(NULL, 0);
    desc.links = &link;
    desc.nlinks = 1;
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &b), WASMETAL_OK);
    assert_ptr_equal(wasmetal_memory_base(a), wasmetal_memory_base(b));
    assert_memory_equal(wasmetal_memory_base(a) + 32, "hello", 5);
    uint64_t r;
    assert_int_equal(fixture_call(b, "call_add", 1, 2, &r, NULL), WASMETAL_OK); /* through a's code */
    assert_int_equal(r, 3);
    assert_int_equal(fixture_call(b, "add", 3, 4, &r, NULL), WASMETAL_OK); /* the import, exported again */
    assert_int_equal(r, 7);
    assert_int_equal(fixture_call(a, "indirect", 5, 4, &r, NULL), WASMETAL_OK); /* b's function in a's table */
    assert_int_equal(r, 8);
    wasmetal_export e;
    assert_int_equal(wasmetal_export_find(b, "global", &e), WASMETAL_OK);
    assert_int_equal(wasmetal_global_set(e.object, &(uint64_t){99}), WASMETAL_OK);
    assert_int_equal(fixture_call(a, "get_global", 0, 0, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 99);
    assert_int_equal(fixture_call(b, "grow", 1, 0, &r, NULL), WASMETAL_OK);
    assert_int_equal(wasmetal_memory_size(a), 2 * 65536);
    wasmetal_trap trap;
    assert_int_equal(fixture_call(b, "peek", 2 * 65536, 0, &r, &trap), WASMETAL_TRAP); /* a's memory, b's code */
    assert_int_equal(trap.code, WASMETAL_TRAP_MEMORY_BOUNDS);
    assert_int_equal(wasmetal_export_find(a, "twice", &e), WASMETAL_OK);
    assert_int_equal(wasmetal_call(b, e.object, &r, NULL), WASMETAL_ERROR_ARGUMENT);
    /* Limits that do not fit. */
    wasmetal_instance *c;
    g.memories[0].max = 3;
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &c), WASMETAL_ERROR_IMPORT);
    g.memories[0] = (struct wm_limits){3, 4, 0};
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &c), WASMETAL_ERROR_IMPORT);
    g.memories[0] = (struct wm_limits){2, 4, 0}; /* its size now, not what was declared */
    g.globals[0].is_mutable = 0;
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &c), WASMETAL_ERROR_IMPORT);
    g.globals[0].is_mutable = 1;
    g.tables[0].type = IR_EXTERNREF;
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &c), WASMETAL_ERROR_IMPORT);
    wasmetal_free(a);
    wasmetal_free(b);
}

/* An instance that traps while starting leaves its functions callable in the tables it wrote to. */
static void test_failed_start_stays_callable(void **state) {
    (void)state;
    struct fixture f, g;
    fixture_init(&f);
    make_importer(&g);
    g.datas[0].offset.bits_lo = 65536; /* after the elements were written */
    wasmetal_instance *a = fixture_instantiate(&f), *b;
    wasmetal_link link = {"first", a};
    wasmetal_trap trap = {0};
    wasmetal_instance_desc desc = quiet(NULL, 0);
    desc.links = &link;
    desc.nlinks = 1;
    desc.start_trap = &trap;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wasmetal_instantiate(&g.module, &desc, &b), WASMETAL_TRAP);
        assert_int_equal(trap.code, WASMETAL_TRAP_MEMORY_BOUNDS);
    }
    uint64_t r;
    assert_int_equal(fixture_call(a, "indirect", 5, 4, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 8);
    assert_int_equal(fixture_call(a, "indirect", 6, 1 << 20, &r, &trap), WASMETAL_TRAP); /* the zombie's peek */
    assert_int_equal(trap.code, WASMETAL_TRAP_MEMORY_BOUNDS);
    wasmetal_free(a);
}

static void test_start_traps(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.module.start = F_START;
    f.datas[0] = (struct wm_data_desc){0, 0, {0, 0, 65, 0}, (const uint8_t *)"\1", 1};
    wasmetal_trap trap = {0};
    wasmetal_instance *in;
    wasmetal_instance_desc desc = quiet(fixture_imports, 1);
    desc.start_trap = &trap;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_TRAP);
    assert_null(in);
    assert_int_equal(trap.code, WASMETAL_TRAP_UNREACHABLE);
    assert_int_equal(trap.function, F_START);
    assert_string_equal(trap.function_name, "start");
    assert_int_equal(trap.offset, 0x44);
    f.module.start = WM_NONE;
    f.elems[0].offset.bits_lo = 7;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_TRAP);
    assert_int_equal(trap.code, WASMETAL_TRAP_TABLE_BOUNDS);
    f.elems[0].offset.bits_lo = 6;
    f.datas[0] = (struct wm_data_desc){0, 0, {0, 0, 65535, 0}, (const uint8_t *)"ab", 2};
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_TRAP);
    assert_int_equal(trap.code, WASMETAL_TRAP_MEMORY_BOUNDS);
}

static void test_host_objects(void **state) {
    (void)state;
    struct fixture g;
    make_importer(&g);
    g.imports[0] = (struct wm_import){"env", "add", IR_EXTERN_FUNC, F_ADD};
    wasmetal_object *memory, *table, *global, *none;
    assert_int_equal(wasmetal_memory_new(1, 4, &memory), WASMETAL_OK);
    assert_int_equal(wasmetal_table_new('r', 8, 16, &table), WASMETAL_OK);
    assert_int_equal(wasmetal_global_new('i', true, &(uint64_t){123}, &global), WASMETAL_OK);
    assert_int_equal(wasmetal_memory_new(2, 1, &none), WASMETAL_ERROR_ARGUMENT);
    assert_int_equal(wasmetal_table_new('i', 1, 1, &none), WASMETAL_ERROR_ARGUMENT);
    assert_int_equal(wasmetal_global_new('?', true, &(uint64_t){0}, &none), WASMETAL_ERROR_ARGUMENT);
    wasmetal_import imports[] = {fixture_imports[0],
                                 {"first", "memory", memory, NULL, NULL, NULL},
                                 {"first", "table", table, NULL, NULL, NULL},
                                 {"first", "global", global, NULL, NULL, NULL}};
    wasmetal_instance_desc desc = quiet(imports, 4);
    wasmetal_instance *in, *second;
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &in), WASMETAL_OK);
    uint64_t r;
    assert_int_equal(fixture_call(in, "get_global", 0, 0, &r, NULL), WASMETAL_OK);
    assert_int_equal(r, 123);
    uint8_t *base;
    uint64_t bytes;
    assert_int_equal(wasmetal_memory_view(memory, &base, &bytes), WASMETAL_OK);
    assert_memory_equal(base + 32, "hello", 5);
    assert_int_equal(bytes, 65536);
    void *ref;
    assert_int_equal(wasmetal_table_get(table, 5, &ref), WASMETAL_OK);
    wasmetal_export e;
    assert_int_equal(wasmetal_export_find(in, "twice", &e), WASMETAL_OK);
    assert_ptr_equal(ref, wasmetal_func_reference(e.object));
    assert_int_equal(wasmetal_table_get(table, 8, &ref), WASMETAL_ERROR_LIMIT);
    assert_int_equal(wasmetal_table_set(table, 0, NULL), WASMETAL_OK);
    assert_int_equal(wasmetal_table_size(memory, &bytes), WASMETAL_ERROR_TYPE);
    assert_int_equal(wasmetal_table_grow(memory, 0, NULL, NULL), WASMETAL_ERROR_TYPE);
    assert_int_equal(wasmetal_table_grow(table, UINT64_MAX, ref, NULL), WASMETAL_ERROR_LIMIT);
    assert_int_equal(wasmetal_table_grow(table, 2, ref, &bytes), WASMETAL_OK);
    assert_int_equal(bytes, 8);
    void *last;
    assert_int_equal(wasmetal_table_get(table, 9, &last), WASMETAL_OK);
    assert_ptr_equal(last, ref);
    assert_int_equal(wasmetal_global_get(global, &r), WASMETAL_OK);
    assert_int_equal(r, 123);
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &second), WASMETAL_OK);
    assert_int_equal(fixture_call(second, "indirect", 5, 3, &r, NULL), WASMETAL_OK);
    wasmetal_free(in);
    wasmetal_free(second);
    wasmetal_object_free(memory);
    wasmetal_object_free(table);
    wasmetal_object_free(global);
    wasmetal_object_free(NULL);
}

static void test_bulk(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance *in = fixture_instantiate(&f);
    struct wm_vmctx *vm = in->vm;
    uint8_t *base = vm->memory0_base;
    wm_rt_memory_init(vm, 0, 1, 100, 0, 7, 0);
    assert_memory_equal(base + 100, "passive", 7);
    wm_rt_data_drop(vm, 1);
    wm_rt_memory_init(vm, 0, 1, 65536, 0, 0, 0); /* zero bytes at the very end are fine */
    wm_rt_memory_copy(vm, 0, 0, 102, 100, 7, 0);
    assert_memory_equal(base + 100, "papassive", 9);
    wm_rt_memory_fill(vm, 0, 65530, 0x1ff, 6, 0);
    assert_int_equal(base[65535], 0xff);
    assert_int_equal(wm_rt_table_grow(vm, 0, NULL, 8), 8);
    assert_int_equal(wm_rt_table_grow(vm, 0, NULL, 1), WM_NONE);
    wm_rt_table_init(vm, 0, 1, 10, 0, 2, 0);
    wm_rt_table_copy(vm, 0, 0, 11, 10, 2, 0);
    assert_ptr_equal(vm->tables[0]->entries[11], &vm->funcrefs[F_TWICE]);
    wm_rt_table_fill(vm, 0, 0, &vm->funcrefs[F_PEEK], 16, 0);
    assert_ptr_equal(vm->tables[0]->entries[15], &vm->funcrefs[F_PEEK]);
    wasmetal_free(in);
}

/* Explicit checks: no guard pages, and memory reserved to its maximum only. */
static void test_explicit_checks(void **state) {
    (void)state;
    struct fixture f, g;
    fixture_init(&f);
    f.module.bounds_checks = 1;
    wasmetal_instance *in = fixture_instantiate(&f), *other;
    wasmetal_export e;
    assert_int_equal(wasmetal_export_find(in, "memory", &e), WASMETAL_OK);
    assert_false(e.object->memory->guarded);
    assert_true(e.object->memory->reserved < (UINT64_C(1) << 20));
    make_importer(&g);
    wasmetal_link link = {"first", in};
    wasmetal_instance_desc desc = quiet(NULL, 0);
    desc.links = &link;
    desc.nlinks = 1;
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &other), WASMETAL_ERROR_IMPORT);
    g.module.bounds_checks = 1;
    assert_int_equal(wasmetal_instantiate(&g.module, &desc, &other), WASMETAL_OK);
    wasmetal_free(other);
    wasmetal_free(in);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they need the address space themselves */
static void test_little_address_space(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {UINT64_C(1) << 30, UINT64_C(1) << 30};
        setrlimit(RLIMIT_AS, &limit);
        struct fixture f;
        fixture_init(&f);
        wasmetal_instance_desc desc = quiet(fixture_imports, 1);
        char id[16] = "";
        desc.log = fixture_log_keep;
        desc.log_user = id;
        wasmetal_instance *in;
        if (wasmetal_instantiate(&f.module, &desc, &in) != WASMETAL_ERROR_ADDRESS_SPACE || strcmp(id, "WMR1004") != 0) {
            _exit(1);
        }
        f.module.bounds_checks = 1;
        wasmetal_status status = wasmetal_instantiate(&f.module, &desc, &in);
        if (status != WASMETAL_OK) {
            fprintf(stderr, "%s %s\n", wasmetal_status_text(status), id);
            _exit(2);
        }
        wasmetal_free(in);
        f.memories[0].max = WM_NONE; /* 4 GiB are not to be had: less is reserved */
        if (wasmetal_instantiate(&f.module, &desc, &in) != WASMETAL_OK || strcmp(id, "WMR1005") != 0 ||
            wasmetal_memory_grow(in, 1000, NULL) != WASMETAL_OK) {
            _exit(3);
        }
        wasmetal_free(in);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}
#endif

/* ---- allocation failures ---- */

struct counted {
    long left, live;
};

static void *counted_alloc(void *user, size_t bytes, size_t alignment) {
    struct counted *c = user;
    void *p = NULL;
    if (c->left-- <= 0 || posix_memalign(&p, alignment, bytes) != 0) {
        return NULL;
    }
    c->live++;
    return p;
}

static void counted_free(void *user, void *p, size_t bytes) {
    (void)bytes;
    ((struct counted *)user)->live--;
    free(p);
}

static void test_out_of_memory(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    const char *args[] = {"a", "b"};
    for (long n = 0;; n++) {
        struct counted c = {n, 0};
        wasmetal_instance_desc desc = quiet(fixture_imports, 1);
        desc.allocator = (wasmetal_allocator){counted_alloc, counted_free, &c};
        desc.wasi.args = args;
        desc.wasi.nargs = 2;
        wasmetal_instance *in;
        wasmetal_status status = wasmetal_instantiate(&f.module, &desc, &in);
        if (status == WASMETAL_OK) {
            assert_true(n > 10);
            wasmetal_free(in);
            assert_int_equal(c.live, 0);
            break;
        }
        assert_int_equal(status, WASMETAL_ERROR_OUT_OF_MEMORY);
        assert_int_equal(c.live, 0);
    }
}

static void test_stats(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    wasmetal_instance *in = fixture_instantiate(&f);
    wasmetal_stats s;
    wasmetal_kernel_stats k;
    wasmetal_get_stats(in, &s);
    assert_int_equal(s.launches, 0);
    assert_string_equal(s.device, "none");
    assert_int_equal(wasmetal_get_kernel_stats(in, 0, &k), WASMETAL_ERROR_NOT_FOUND);
    char text[512], small[8];
    size_t n = wasmetal_stats_json(in, text, sizeof text);
    assert_int_equal(n, strlen(text));
    assert_non_null(strstr(text, "\"launches\": 0"));
    assert_int_equal(wasmetal_stats_json(in, small, sizeof small), n);
    assert_int_equal(strlen(small), 7);
    assert_int_equal(wasmetal_stats_json(in, NULL, 0), n);
    assert_string_equal(wasmetal_version(), "0.1.0");
    wasmetal_free(in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basics),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_import_errors),
        cmocka_unit_test(test_linking),
        cmocka_unit_test(test_failed_start_stays_callable),
        cmocka_unit_test(test_start_traps),
        cmocka_unit_test(test_host_objects),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_explicit_checks),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(test_little_address_space),
#endif
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_stats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
