/* See host_test.h. */
#define _GNU_SOURCE /* REG_RIP */
#include "tests/unit/host_test.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"

#define RESERVED ((size_t)8 << 30)

static struct test_instance *current; /* of the call that runs */
static sigjmp_buf trap_exit;

/* ---- the runtime's part ---- */

static _Noreturn void leave(uint64_t code, uint64_t where) {
    current->trap = (enum ir_trap)code;
    current->trap_func = (uint32_t)(where >> 32);
    current->trap_offset = (uint32_t)where;
    siglongjmp(trap_exit, 1);
}

_Noreturn void wm_rt_trap(struct wm_vmctx *ctx, uint64_t code, uint64_t where) {
    (void)ctx;
    leave(code, where);
}

/* Exceptions are tested with the real runtime (testsuite/spec). */
_Noreturn void wm_rt_host_failed(struct wm_vmctx *ctx, uint64_t code, uint64_t where) {
    wm_rt_trap(ctx, code, where);
}

_Noreturn void wm_rt_throw(struct wm_vmctx *ctx, struct wm_exception *e, uint64_t where) {
    (void)e;
    wm_rt_trap(ctx, IR_TRAP_EXCEPTION, where);
}

struct wm_exception *wm_rt_exn_new(struct wm_vmctx *ctx, uint64_t tag, uint64_t words) {
    (void)tag;
    (void)words;
    wm_rt_trap(ctx, IR_TRAP_EXCEPTION, 0);
}

struct wm_exception *wm_rt_exn_copy(struct wm_vmctx *ctx, struct wm_exception *e) {
    (void)e;
    wm_rt_trap(ctx, IR_TRAP_EXCEPTION, 0);
}

void wm_rt_exn_drop(struct wm_exception *e) {
    (void)e;
}

void wm_rt_exn_hold(struct wm_exception *e, void *slot) {
    (void)e;
    (void)slot;
}

int wm_rt_personality(int version, int actions, uint64_t exception_class, struct _Unwind_Exception *exception,
                      struct _Unwind_Context *context) {
    (void)version;
    (void)actions;
    (void)exception_class;
    (void)exception;
    (void)context;
    return 3; /* _URC_FATAL_PHASE1_ERROR */
}

uint64_t wm_rt_memory_grow(struct wm_vmctx *ctx, uint64_t memory, uint64_t pages) {
    struct wm_memory *m = ctx->memories[memory];
    uint64_t old = m->bytes >> 16;
    if (pages > 65536 || m->bytes + (pages << 16) > m->max_bytes)
        return UINT64_MAX;
    if (mprotect(m->base, m->bytes + (pages << 16), PROT_READ | PROT_WRITE))
        return UINT64_MAX;
    m->bytes += pages << 16;
    return old;
}

static bool outside(uint64_t at, uint64_t n, uint64_t size) {
    return n > size || at > size - n;
}

void wm_rt_memory_copy(struct wm_vmctx *ctx, uint64_t dst_memory, uint64_t src_memory, uint64_t dst, uint64_t src,
                       uint64_t n, uint64_t where) {
    struct wm_memory *d = ctx->memories[dst_memory], *s = ctx->memories[src_memory];
    if (outside(dst, n, d->bytes) || outside(src, n, s->bytes))
        leave(IR_TRAP_MEMORY_BOUNDS, where);
    memmove(d->base + dst, s->base + src, n);
}

void wm_rt_memory_fill(struct wm_vmctx *ctx, uint64_t memory, uint64_t dst, uint64_t byte, uint64_t n, uint64_t where) {
    struct wm_memory *d = ctx->memories[memory];
    if (outside(dst, n, d->bytes))
        leave(IR_TRAP_MEMORY_BOUNDS, where);
    memset(d->base + dst, (int)(byte & 0xff), n);
}

void wm_rt_memory_init(struct wm_vmctx *ctx, uint64_t memory, uint64_t segment, uint64_t dst, uint64_t src, uint64_t n,
                       uint64_t where) {
    const struct wm_data_desc *d = &ctx->module->datas[segment];
    if (outside(dst, n, ctx->memories[memory]->bytes) || outside(src, n, d->size))
        leave(IR_TRAP_MEMORY_BOUNDS, where);
    memcpy(ctx->memories[memory]->base + dst, d->bytes + src, n);
}

void wm_rt_data_drop(struct wm_vmctx *ctx, uint64_t segment) {
    (void)ctx;
    (void)segment;
}

uint64_t wm_rt_table_grow(struct wm_vmctx *ctx, uint64_t table, void *value, uint64_t n) {
    struct wm_table *t = ctx->tables[table];
    uint64_t old = t->size;
    if (n > t->max - old)
        return UINT64_MAX;
    for (; t->size < old + n; t->size++)
        t->entries[t->size] = value;
    return old;
}

void wm_rt_table_fill(struct wm_vmctx *ctx, uint64_t table, uint64_t dst, void *value, uint64_t n, uint64_t where) {
    struct wm_table *t = ctx->tables[table];
    if (outside(dst, n, t->size))
        leave(IR_TRAP_TABLE_BOUNDS, where);
    for (uint64_t i = 0; i < n; i++)
        t->entries[dst + i] = value;
}

void wm_rt_table_copy(struct wm_vmctx *ctx, uint64_t dst_table, uint64_t src_table, uint64_t dst, uint64_t src,
                      uint64_t n, uint64_t where) {
    struct wm_table *d = ctx->tables[dst_table], *s = ctx->tables[src_table];
    if (outside(dst, n, d->size) || outside(src, n, s->size))
        leave(IR_TRAP_TABLE_BOUNDS, where);
    memmove(d->entries + dst, s->entries + src, n * sizeof *d->entries);
}

void wm_rt_table_init(struct wm_vmctx *ctx, uint64_t table, uint64_t segment, uint64_t dst, uint64_t src, uint64_t n,
                      uint64_t where) {
    const struct wm_elem_desc *e = &ctx->module->elems[segment];
    struct wm_table *t = ctx->tables[table];
    if (outside(dst, n, t->size) || outside(src, n, e->nitems))
        leave(IR_TRAP_TABLE_BOUNDS, where);
    for (uint64_t i = 0; i < n; i++)
        t->entries[dst + i] = e->items[src + i].kind == 2 ? &ctx->funcrefs[e->items[src + i].index] : NULL;
}

void wm_rt_elem_drop(struct wm_vmctx *ctx, uint64_t segment) {
    (void)ctx;
    (void)segment;
}

/* One thread: nobody notifies, so a wait times out at once. */
uint64_t wm_rt_atomic_wait(struct wm_vmctx *ctx, uint64_t memory, uint64_t bytes, uint64_t address, uint64_t expected,
                           uint64_t timeout, uint64_t where) {
    (void)timeout;
    if (address % bytes)
        wm_rt_trap(ctx, IR_TRAP_UNALIGNED_ATOMIC, where);
    if (address > ctx->memories[memory]->bytes || bytes > ctx->memories[memory]->bytes - address)
        wm_rt_trap(ctx, IR_TRAP_MEMORY_BOUNDS, where);
    uint64_t found = 0;
    memcpy(&found, ctx->memories[memory]->base + address, bytes);
    return found == expected ? 2 : 1;
}

uint64_t wm_rt_atomic_notify(struct wm_vmctx *ctx, uint64_t memory, uint64_t address, uint64_t count, uint64_t where) {
    (void)count;
    if (address % 4)
        wm_rt_trap(ctx, IR_TRAP_UNALIGNED_ATOMIC, where);
    if (address > ctx->memories[memory]->bytes || 4 > ctx->memories[memory]->bytes - address)
        wm_rt_trap(ctx, IR_TRAP_MEMORY_BOUNDS, where);
    return 0;
}

uint64_t wm_rt_launch(struct wm_vmctx *ctx, uint64_t kernel, const uint64_t *slots, uint64_t *out_trips) {
    (void)ctx;
    return current->launch(current, kernel, slots, out_trips);
}

static uint64_t call_host(void *env, struct wasmetal_instance *instance, uint64_t *args_results) {
    (void)instance;
    return current->host(env, args_results);
}

/* ---- faults ---- */

static uint64_t find_place(const struct wm_module *m, uintptr_t pc) {
    const struct wm_trap_map *map = &m->trap_map;
    uint64_t at = pc - (uintptr_t)map->code_start, found = IR_NO_OFFSET;
    for (uint64_t i = 0; i < map->nentries && (uint32_t)map->entries[i] <= at; i++)
        found = map->entries[i] >> 32;
    uint64_t func = UINT32_MAX, best = 0;
    for (uint64_t f = 0; f < m->nfuncs; f++)
        if (m->funcs[f].wasm_offset <= found && m->funcs[f].wasm_offset >= best) {
            best = m->funcs[f].wasm_offset;
            func = f;
        }
    return func << 32 | found;
}

static void on_fault(int sig, siginfo_t *info, void *context) {
    uint8_t *at = info->si_addr;
    if (!current || at < current->reservation || at >= current->reservation + RESERVED + 65536) {
        signal(sig, SIG_DFL);
        return;
    }
#if defined(__x86_64__)
    uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.pc;
#else
#error "no program counter for this machine"
#endif
    leave(IR_TRAP_MEMORY_BOUNDS, find_place(current->module, pc));
}

/* ---- instances ---- */

struct ir_module *test_parse(const char *text) {
    struct ir_parse_error error;
    struct ir_module *m = ir_parse_module(text, strlen(text), &error);
    if (!m)
        fail_msg("%u:%u: %s", error.line, error.column, error.message);
    struct strbuf problems = {0};
    if (!ir_verify_module(m, &problems))
        fail_msg("%s", problems.data);
    strbuf_free(&problems);
    return m;
}

static void make_memory(struct test_instance *t) {
    const struct wm_module *m = t->module;
    t->reservation = mmap(NULL, RESERVED + 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(t->reservation != MAP_FAILED);
    if (m->nmemories == 0)
        return;
    t->memory.base = t->reservation;
    t->memory.bytes = m->memories[0].min << 16;
    t->memory.max_bytes = m->memories[0].max == WM_NONE ? (uint64_t)1 << 32 : m->memories[0].max << 16;
    assert_int_equal(mprotect(t->memory.base, t->memory.bytes, PROT_READ | PROT_WRITE), 0);
    t->memories[0] = &t->memory;
    t->ctx->memory0_base = t->memory.base;
    t->ctx->memories = t->memories;
    for (uint64_t d = 0; d < m->ndatas; d++)
        if (m->datas[d].mode == 0)
            memcpy(t->memory.base + m->datas[d].offset.bits_lo, m->datas[d].bytes, m->datas[d].size);
}

static void make_tables(struct test_instance *t) {
    const struct wm_module *m = t->module;
    assert_true(m->ntables <= 4);
    for (uint64_t k = 0; k < m->ntables; k++) {
        uint64_t max = m->tables[k].limits.max == WM_NONE ? 1000 : m->tables[k].limits.max;
        t->tables_storage[k] = (struct wm_table){calloc(max, sizeof(void *)), m->tables[k].limits.min, max, NULL};
        t->tables[k] = &t->tables_storage[k];
    }
    t->ctx->tables = t->tables;
    for (uint64_t s = 0; s < m->nelems; s++)
        for (uint64_t i = 0; m->elems[s].mode == 0 && i < m->elems[s].nitems; i++)
            t->tables[m->elems[s].table]->entries[m->elems[s].offset.bits_lo + i] =
                m->elems[s].items[i].kind == 2 ? &t->ctx->funcrefs[m->elems[s].items[i].index] : NULL;
}

static void make_funcs(struct test_instance *t) {
    const struct wm_module *m = t->module;
    struct wm_vmctx *c = t->ctx;
    c->type_ids = calloc(m->ntypes + 1, sizeof *c->type_ids);
    for (uint64_t k = 0; k < m->ntypes; k++) { /* equal types, equal ids */
        uint64_t first = 0;
        while (strcmp(m->types[first], m->types[k]) != 0)
            first++;
        c->type_ids[k] = 1000 + first;
    }
    c->funcrefs = calloc(m->nfuncs + 1, sizeof *c->funcrefs);
    c->imports = calloc(m->nfuncs + 1, sizeof *c->imports);
    for (uint64_t f = 0; f < m->nfuncs; f++) {
        c->funcrefs[f] = (struct wm_funcref){m->funcs[f].fn, c, c->type_ids[m->funcs[f].type], NULL};
        c->imports[f] = (struct wm_import_func){call_host, (void *)(uintptr_t)f, NULL};
    }
}

static void make_globals(struct test_instance *t) {
    const struct wm_module *m = t->module;
    t->ctx->globals = calloc(m->nglobals + 1, sizeof *t->ctx->globals);
    for (uint64_t g = 0, own = 0; g < m->nglobals; g++) {
        if (m->globals[g].imported)
            t->ctx->globals[g] = calloc(2, 8);
        else
            t->ctx->globals[g] = &t->ctx->cells[2 * own++];
        t->ctx->globals[g][0] = m->globals[g].init.bits_lo;
        t->ctx->globals[g][1] = m->globals[g].init.bits_hi;
    }
}

struct test_instance *test_instance_new(const char *text, const struct host_options *options) {
    struct host_options o = options ? *options : (struct host_options){.opt_level = 2};
    struct test_instance *t = calloc(1, sizeof *t);
    char *error = NULL;
    o.verify = true;
    t->options = o;
    t->ir = test_parse(text);
    if (!host_compile(t->ir, &o, &t->object, &error))
        fail_msg("%s", error);
    t->jit = host_jit_new(&t->object, t->ir->name, &error);
    if (!t->jit)
        fail_msg("%s", error);
    t->module = host_jit_module(t->jit);
    assert_int_equal(t->module->abi_version, WM_ABI_VERSION);
    assert_string_equal(t->module->name, t->ir->name);
    t->ctx = calloc(1, sizeof *t->ctx + 16 * t->module->nglobals);
    t->ctx->module = t->module;
    make_funcs(t);
    make_memory(t);
    make_tables(t);
    make_globals(t);
    return t;
}

void test_instance_free(struct test_instance *t) {
    const struct wm_module *m = t->module;
    for (uint64_t g = 0; g < m->nglobals; g++)
        if (m->globals[g].imported)
            free(t->ctx->globals[g]);
    for (uint64_t k = 0; k < m->ntables; k++)
        free(t->tables_storage[k].entries);
    munmap(t->reservation, RESERVED + 65536);
    free(t->ctx->type_ids);
    free(t->ctx->funcrefs);
    free(t->ctx->imports);
    free(t->ctx->globals);
    free(t->ctx);
    host_jit_free(t->jit);
    host_object_free(&t->object);
    ir_module_free(t->ir);
    free(t);
}

bool test_call(struct test_instance *t, uint32_t func, uint64_t *args_results) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER}, old_segv, old_bus;
    const struct wm_func_desc *f = &t->module->funcs[func];
    current = t;
    t->trap = IR_TRAP_NONE;
    t->trap_func = t->trap_offset = 0;
    sigaction(SIGSEGV, &action, &old_segv);
    sigaction(SIGBUS, &action, &old_bus);
    if (sigsetjmp(trap_exit, 1) == 0)
        t->module->trampolines[f->type](t->ctx, f->fn, args_results);
    sigaction(SIGSEGV, &old_segv, NULL);
    sigaction(SIGBUS, &old_bus, NULL);
    current = NULL;
    return t->trap == IR_TRAP_NONE;
}
