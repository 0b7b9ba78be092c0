/* See rt_fixture.h. */
#include "tests/unit/rt_fixture.h"

#define CODE __attribute__((noinline, no_sanitize("address", "thread", "undefined"), section("wm_test_code")))
extern const uint8_t __start_wm_test_code[], __stop_wm_test_code[];

/* ---- compiled code ---- */

CODE static int32_t add_thunk(struct wm_vmctx *ctx, int32_t a, int32_t b) {
    const struct wm_import_func *im = &ctx->imports[F_ADD];
    if (im->func) {
        return ((int32_t(*)(struct wm_vmctx *, int32_t, int32_t))im->func->fn)(im->func->ctx, a, b);
    }
    uint64_t cells[2] = {(uint32_t)a, (uint32_t)b};
    uint64_t code = im->host(im->env, ctx->instance, cells);
    if (code) {
        wm_rt_trap(ctx, code, (uint64_t)F_ADD << 32 | UINT32_MAX);
    }
    return (int32_t)cells[0];
}

CODE static void exit_thunk(struct wm_vmctx *ctx, int32_t a) {
    const struct wm_import_func *im = &ctx->imports[F_EXIT];
    uint64_t cells[1] = {(uint32_t)a};
    uint64_t code = im->host(im->env, ctx->instance, cells);
    if (code) {
        wm_rt_trap(ctx, code, (uint64_t)F_EXIT << 32 | UINT32_MAX);
    }
}

CODE static void poke(struct wm_vmctx *ctx, int32_t address, int32_t value) {
    *(volatile uint8_t *)(ctx->memory0_base + (uint32_t)address) = (uint8_t)value;
}

CODE static int32_t peek(struct wm_vmctx *ctx, int32_t address) {
    return *(volatile uint8_t *)(ctx->memory0_base + (uint32_t)address + UINT64_C(0));
}

static volatile int32_t deepest = INT32_MAX; /* keeps compilers from seeing that the recursion never ends */

CODE static int32_t recurse(struct wm_vmctx *ctx, int32_t depth) {
    volatile uint8_t frame[256];
    frame[0] = (uint8_t)depth;
    int32_t result = depth < deepest ? recurse(ctx, depth + 1) : 0;
    return result + frame[0];
}

CODE static int32_t divide(struct wm_vmctx *ctx) {
    wm_rt_trap(ctx, IR_TRAP_DIVIDE_BY_ZERO, (uint64_t)F_DIVIDE << 32 | 0x99);
}

CODE static int32_t grow(struct wm_vmctx *ctx, int32_t pages) {
    return (int32_t)wm_rt_memory_grow(ctx, 0, (uint32_t)pages);
}

CODE static int32_t call_add(struct wm_vmctx *ctx, int32_t a, int32_t b) {
    return add_thunk(ctx, a, b);
}

CODE static void call_exit(struct wm_vmctx *ctx, int32_t code, int32_t unused) {
    (void)unused;
    exit_thunk(ctx, code);
}

CODE static void start(struct wm_vmctx *ctx) {
    if (ctx->memory0_base[65] == 1) {
        wm_rt_trap(ctx, IR_TRAP_UNREACHABLE, (uint64_t)F_START << 32 | 0x44);
    }
    ctx->memory0_base[64] = 77;
}

CODE static int32_t get_global(struct wm_vmctx *ctx) {
    return (int32_t)(uint32_t)*ctx->globals[0];
}

CODE static int32_t indirect(struct wm_vmctx *ctx, int32_t slot, int32_t x) {
    const struct wm_table *t = ctx->tables[0];
    if ((uint32_t)slot >= t->size) {
        wm_rt_trap(ctx, IR_TRAP_UNDEFINED_ELEMENT, (uint64_t)F_INDIRECT << 32 | 0x55);
    }
    const struct wm_funcref *r = t->entries[(uint32_t)slot];
    if (!r) {
        wm_rt_trap(ctx, IR_TRAP_UNINITIALIZED_ELEMENT, (uint64_t)F_INDIRECT << 32 | 0x55);
    }
    if (r->type_id != ctx->type_ids[T_I_I]) {
        wm_rt_trap(ctx, IR_TRAP_INDIRECT_CALL_TYPE, (uint64_t)F_INDIRECT << 32 | 0x55);
    }
    return ((int32_t(*)(struct wm_vmctx *, int32_t))r->fn)(r->ctx, x);
}

CODE static double mix(struct wm_vmctx *ctx, int64_t a, float b, double c) {
    (void)ctx;
    return (double)a + (double)b * c;
}

CODE static int32_t deep_add(struct wm_vmctx *ctx, int32_t depth) {
    volatile uint8_t frame[512];
    frame[0] = (uint8_t)add_thunk(ctx, depth, 1);
    int32_t result = depth < deepest ? deep_add(ctx, depth + 1) : 0;
    return result + frame[0];
}

CODE static int32_t twice(struct wm_vmctx *ctx, int32_t x) {
    (void)ctx;
    return x * 2;
}

/* ---- trampolines ---- */

static void t_none(struct wm_vmctx *ctx, void *fn, uint64_t *c) {
    (void)c;
    ((void (*)(struct wm_vmctx *))fn)(ctx);
}

static void t_ii_i(struct wm_vmctx *ctx, void *fn, uint64_t *c) {
    c[0] = (uint32_t)((int32_t(*)(struct wm_vmctx *, int32_t, int32_t))fn)(ctx, (int32_t)c[0], (int32_t)c[1]);
}

static void t_i_i(struct wm_vmctx *ctx, void *fn, uint64_t *c) {
    c[0] = (uint32_t)((int32_t(*)(struct wm_vmctx *, int32_t))fn)(ctx, (int32_t)c[0]);
}

static void t_none_i(struct wm_vmctx *ctx, void *fn, uint64_t *c) {
    c[0] = (uint32_t)((int32_t(*)(struct wm_vmctx *))fn)(ctx);
}

static void t_ii(struct wm_vmctx *ctx, void *fn, uint64_t *c) {
    ((void (*)(struct wm_vmctx *, int32_t, int32_t))fn)(ctx, (int32_t)c[0], (int32_t)c[1]);
}

static void t_lfd_d(struct wm_vmctx *ctx, void *fn, uint64_t *c) {
    double r = ((double (*)(struct wm_vmctx *, int64_t, float, double))fn)(ctx, (int64_t)c[0], wasmetal_f32_of(c[1]),
                                                                           wasmetal_f64_of(c[2]));
    c[0] = wasmetal_cell_f64(r);
}

static void t_i(struct wm_vmctx *ctx, void *fn, uint64_t *c) {
    ((void (*)(struct wm_vmctx *, int32_t))fn)(ctx, (int32_t)c[0]);
}

static const char *const types[T_COUNT] = {":", "ii:i", "i:i", ":i", "ii:", "i:", "lfd:d"};
static wm_trampoline *const trampolines[T_COUNT] = {t_none, t_ii_i, t_i_i, t_none_i, t_ii, t_i, t_lfd_d};
static const uint64_t trap_entries[] = {UINT64_C(0x123) << 32 | 0, 0, 0};
static const struct wm_init items[] = {{2, F_TWICE, 0, 0}, {2, F_PEEK, 0, 0}};

void fixture_init(struct fixture *f) {
    memset(f, 0, sizeof *f);
    const struct wm_func_desc funcs[F_COUNT] = {
        [F_ADD] = {"add", T_II_I, (void *)add_thunk, WM_NONE},
        [F_EXIT] = {"proc_exit", T_I, (void *)exit_thunk, WM_NONE},
        [F_POKE] = {"poke", T_II, (void *)poke, 0x100},
        [F_PEEK] = {"peek", T_I_I, (void *)peek, 0x200},
        [F_RECURSE] = {"recurse", T_I_I, (void *)recurse, 0x300},
        [F_DIVIDE] = {"divide", T_NONE_I, (void *)divide, 0x400},
        [F_GROW] = {"grow", T_I_I, (void *)grow, 0x500},
        [F_CALL_ADD] = {"call_add", T_II_I, (void *)call_add, 0x600},
        [F_CALL_EXIT] = {"call_exit", T_II, (void *)call_exit, 0x700},
        [F_START] = {"start", T_NONE, (void *)start, 0x800},
        [F_GET_GLOBAL] = {"get_global", T_NONE_I, (void *)get_global, 0x900},
        [F_INDIRECT] = {"indirect", T_II_I, (void *)indirect, 0xa00},
        [F_MIX] = {"mix", T_LFD_D, (void *)mix, 0xb00},
        [F_DEEP_ADD] = {"deep_add", T_I_I, (void *)deep_add, 0xc00},
        [F_TWICE] = {"twice", T_I_I, (void *)twice, 0xd00},
    };
    memcpy(f->funcs, funcs, sizeof funcs);
    f->imports[0] = (struct wm_import){"env", "add", IR_EXTERN_FUNC, F_ADD};
    f->imports[1] = (struct wm_import){"wasi_snapshot_preview1", "proc_exit", IR_EXTERN_FUNC, F_EXIT};
    uint64_t n = 0;
    for (uint64_t i = F_ADD; i < F_COUNT; i++) {
        f->exports[n++] = (struct wm_export){funcs[i].name, IR_EXTERN_FUNC, i};
    }
    f->exports[n++] = (struct wm_export){"memory", IR_EXTERN_MEMORY, 0};
    f->exports[n++] = (struct wm_export){"table", IR_EXTERN_TABLE, 0};
    f->exports[n++] = (struct wm_export){"global", IR_EXTERN_GLOBAL, 0};
    f->exports[n++] = (struct wm_export){"constant", IR_EXTERN_GLOBAL, 1};
    f->memories[0] = (struct wm_limits){1, 4, 0};
    f->tables[0] = (struct wm_table_desc){{8, 16, 0}, IR_FUNCREF};
    f->globals[0] = (struct wm_global_desc){IR_I32, 1, 0, {0, 0, 5, 0}};
    f->globals[1] = (struct wm_global_desc){IR_I64, 0, 0, {0, 0, UINT64_C(0x123456789abc), 0}};
    f->datas[0] = (struct wm_data_desc){0, 0, {0, 0, 16, 0}, (const uint8_t *)"hello", 5};
    f->datas[1] = (struct wm_data_desc){1, 0, {0, 0, 0, 0}, (const uint8_t *)"passive", 7};
    f->elems[0] = (struct wm_elem_desc){0, 0, IR_FUNCREF, {0, 0, 2, 0}, items, 2};
    f->elems[1] = (struct wm_elem_desc){1, 0, IR_FUNCREF, {0, 0, 0, 0}, items, 2};
    f->module = (struct wm_module){
        .abi_version = WM_ABI_VERSION,
        .name = "fixture",
        .ntypes = T_COUNT,
        .types = types,
        .trampolines = trampolines,
        .nfuncs = F_COUNT,
        .nfunc_imports = 2,
        .funcs = f->funcs,
        .nimports = 2,
        .imports = f->imports,
        .nexports = n,
        .exports = f->exports,
        .nmemories = 1,
        .memories = f->memories,
        .ntables = 1,
        .tables = f->tables,
        .nglobals = 2,
        .globals = f->globals,
        .ndatas = 2,
        .datas = f->datas,
        .nelems = 2,
        .elems = f->elems,
        .start = WM_NONE,
        .trap_map = {__start_wm_test_code, __stop_wm_test_code, trap_entries, 3},
        .metadata = "{}",
    };
}

/* ---- host side ---- */

uint64_t fixture_add(void *user, wasmetal_instance *instance, uint64_t *cells) {
    (void)instance;
    if (user) {
        ++*(uint64_t *)user;
    }
    cells[0] = (uint32_t)(cells[0] + cells[1]);
    return 0;
}

const wasmetal_import fixture_imports[1] = {{"env", "add", NULL, fixture_add, NULL, "ii:i"}};

void fixture_log_off(void *user, int level, const char *id, const char *message) {
    (void)user;
    (void)level;
    (void)id;
    (void)message;
}

void fixture_log_keep(void *user, int level, const char *id, const char *message) {
    (void)level;
    (void)message;
    strncpy(user, id, 15);
}

wasmetal_instance *fixture_instantiate(const struct fixture *f) {
    wasmetal_instance_desc desc = {.imports = fixture_imports, .nimports = 1, .log = fixture_log_off, .device = "none"};
    wasmetal_instance *in = NULL;
    assert_int_equal(wasmetal_install_fault_handlers(), WASMETAL_OK); /* cmocka sets its own for each test */
    assert_int_equal(wasmetal_instantiate(&f->module, &desc, &in), WASMETAL_OK);
    assert_non_null(in);
    return in;
}

wasmetal_status fixture_call(wasmetal_instance *in, const char *name, uint64_t a, uint64_t b, uint64_t *result,
                             wasmetal_trap *trap) {
    wasmetal_export e;
    uint64_t cells[2] = {a, b};
    assert_int_equal(wasmetal_export_find(in, name, &e), WASMETAL_OK);
    wasmetal_status status = wasmetal_call(in, e.object, cells, trap);
    if (result) {
        *result = cells[0];
    }
    return status;
}
