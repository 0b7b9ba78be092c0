/* Plays a recorded host (recorder.mjs, which has the format) against a module compiled by Wasmetal.
 *
 *     trace_replay [-O N] [--bounds-checks=on] [--device=DEV] [--min-work=N] [--least-launches=N] MODULE.wasm TRACE
 *
 * Calls the exports as the host did; when the module calls out, checks what it passes, does to its memory what the host
 * did, and answers as the host did.  After every call from outside, results and the whole memory must be what they were
 * in node.  Prints one line about what was done; the first difference, or too few launches, end the run with exit
 * code 1.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/file.h"
#include "testsuite/load.h"

enum kind { CALL = 1, RETURN, THROWN, IMPORT, ANSWER, THROW, WRITE, GROW, END, TABLE_SET, TABLE_GROW };
enum { MAX_CELLS = 256, MAX_TRACE = 2000000000 };

static struct player {
    const uint8_t *trace;
    size_t size, at;
    wasmetal_instance *instance;
    const wasmetal_object **functions; /* exported, in the section's order */
    const char **types, **names;
    wasmetal_object **tables; /* exported, in the section's order */
    uint32_t nfunctions, ntables;
    uint64_t calls, imports, writes, records;
} p;

static _Noreturn void fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("record %llu: ", (unsigned long long)p.records);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    exit(1);
}

static void read_bytes(void *out, size_t n) {
    if (p.size - p.at < n)
        fail("the trace ends too early");
    memcpy(out, p.trace + p.at, n);
    p.at += n;
}

static uint8_t read_u8(void) {
    uint8_t v;
    read_bytes(&v, sizeof v);
    return v;
}

static uint32_t read_u32(void) {
    uint32_t v;
    read_bytes(&v, sizeof v);
    return v;
}

static unsigned read_cells(uint64_t *cells) {
    unsigned n = read_u8();
    read_bytes(cells, n * sizeof *cells);
    return n;
}

static bool is_nan(char type, uint64_t cell) {
    return (type == 'f' && wasmetal_f32_of(cell) != wasmetal_f32_of(cell)) ||
           (type == 'd' && wasmetal_f64_of(cell) != wasmetal_f64_of(cell));
}

static void compare(const char *what, const char *name, const char *types, const uint64_t *got, const uint64_t *want,
                    unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (got[i] != want[i] && !(is_nan(types[i], got[i]) && is_nan(types[i], want[i])))
            fail("%s %u of %s is 0x%llx, in node 0x%llx", what, i, name, (unsigned long long)got[i],
                 (unsigned long long)want[i]);
}

static void compare_memory(const char *name) {
    uint32_t pages = read_u32(), hash = read_u32();
    if (wasmetal_memory_size(p.instance) >> 16 != pages)
        fail("after %s memory has %llu pages, in node %u", name,
             (unsigned long long)(wasmetal_memory_size(p.instance) >> 16), pages);
    if (pages && load_hash_memory(p.instance) != hash)
        fail("after %s memory differs from node's", name);
}

static void do_call(void) {
    uint64_t cells[MAX_CELLS], want[MAX_CELLS];
    uint32_t index = read_u32();
    if (index >= p.nfunctions)
        fail("no exported function %u", index);
    read_cells(cells);
    p.calls++;
    wasmetal_trap trap = {0};
    wasmetal_status status = wasmetal_call(p.instance, p.functions[index], cells, &trap);
    uint8_t kind = read_u8();
    p.records++;
    if (kind == THROWN) {
        if (status != WASMETAL_TRAP)
            fail("%s ends with \"%s\"; in node it threw", p.names[index], wasmetal_status_text(status));
    } else if (kind != RETURN) {
        fail("%s returned, but in node it first called an import", p.names[index]);
    } else {
        if (status != WASMETAL_OK)
            fail("%s: %s; in node it returned", p.names[index], status == WASMETAL_TRAP ? trap.text : "fails");
        unsigned n = read_cells(want);
        compare("result", p.names[index], strchr(p.types[index], ':') + 1, cells, want, n);
    }
    compare_memory(p.names[index]);
}

static void change_table(uint8_t kind) {
    uint32_t table = read_u32(), number = read_u32();
    void *reference; /* a number, which nobody follows */
    _Static_assert(sizeof reference == sizeof(uint64_t), "a cell");
    read_bytes(&reference, sizeof reference);
    if (table >= p.ntables)
        fail("no exported table %u", table);
    wasmetal_status status = kind == TABLE_SET ? wasmetal_table_set(p.tables[table], number, reference)
                                               : wasmetal_table_grow(p.tables[table], number, reference, NULL);
    if (status != WASMETAL_OK)
        fail("table %u, number %u: %s", table, number, wasmetal_status_text(status));
}

/* What the host did up to the next record that is none of its doings; returns that. */
static uint8_t play_host(void) {
    for (;;) {
        uint8_t kind = read_u8();
        p.records++;
        if (kind == WRITE) {
            uint32_t address = read_u32(), n = read_u32();
            void *to = wasmetal_memory_at(p.instance, address, n);
            if (!to)
                fail("the host wrote outside memory");
            read_bytes(to, n);
            p.writes++;
        } else if (kind == GROW) {
            if (wasmetal_memory_grow(p.instance, read_u32(), NULL) != WASMETAL_OK)
                fail("memory does not grow");
        } else if (kind == TABLE_SET || kind == TABLE_GROW) {
            change_table(kind);
        } else if (kind == CALL) {
            do_call();
        } else {
            return kind;
        }
    }
}

static uint64_t stub(void *user, wasmetal_instance *instance, uint64_t *cells) {
    const struct load_stub *s = user;
    uint64_t want[MAX_CELLS];
    p.instance = instance; /* a start function calls before wasmetal_instantiate gives it */
    uint8_t kind = read_u8();
    p.records++;
    if (kind != IMPORT)
        fail("%s.%s is called, but in node it was not", s->module, s->name);
    uint32_t index = read_u32();
    if (index != s->index)
        fail("%s.%s is called, in node import %u", s->module, s->name, index);
    unsigned n = read_cells(want);
    if (n != load_param_cells(s->type))
        fail("%s.%s: the trace has %u arguments", s->module, s->name, n);
    compare("argument", s->name, s->type, cells, want, n);
    p.imports++;
    kind = play_host();
    if (kind == THROW)
        return WASMETAL_TRAP_HOST;
    if (kind != ANSWER)
        fail("record of kind %u where an answer should be", kind);
    n = read_cells(want);
    memcpy(cells, want, n * sizeof *cells);
    return 0;
}

static void find_functions(void) {
    size_t n = wasmetal_export_count(p.instance);
    p.functions = calloc(n + 1, sizeof *p.functions);
    p.types = calloc(n + 1, sizeof *p.types);
    p.names = calloc(n + 1, sizeof *p.names);
    p.tables = calloc(n + 1, sizeof *p.tables);
    for (size_t i = 0; i < n; i++) {
        wasmetal_export e;
        if (wasmetal_export_at(p.instance, i, &e) != WASMETAL_OK)
            continue;
        if (e.kind == WASMETAL_TABLE)
            p.tables[p.ntables++] = e.object;
        if (e.kind != WASMETAL_FUNC)
            continue;
        p.functions[p.nfunctions] = e.object;
        p.types[p.nfunctions] = e.type;
        p.names[p.nfunctions++] = e.name;
    }
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    struct options options = {.opt_level = 2};
    const char *device = "none", *files[2] = {0};
    uint64_t min_work = 0, least_launches = 0;
    unsigned nfiles = 0;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (!strcmp(a, "-O") && i + 1 < argc)
            options.opt_level = (unsigned)atoi(argv[++i]);
        else if (!strncmp(a, "--bounds-checks=", 16))
            options.bounds_checks = a + 16;
        else if (!strncmp(a, "--device=", 9))
            device = a + 9;
        else if (!strncmp(a, "--min-work=", 11))
            min_work = strtoull(a + 11, NULL, 10);
        else if (!strncmp(a, "--least-launches=", 17))
            least_launches = strtoull(a + 17, NULL, 10);
        else if (nfiles < 2 && *a != '-')
            files[nfiles++] = a;
        else {
            fprintf(stderr, "trace_replay: unknown option %s\n", a);
            return 2;
        }
    }
    uint8_t *bytes;
    struct load load;
    options.input = files[0];
    if (nfiles != 2 || !file_read(files[1], MAX_TRACE, &bytes, &p.size) || p.size < 8 ||
        memcmp(bytes, "WMTRACE1", 8) != 0) {
        fprintf(stderr, "usage: trace_replay [options] MODULE.wasm TRACE\n");
        return 2;
    }
    p.trace = bytes;
    p.at = 8;
    double begin = seconds();
    if (!load_module(&load, &options, stub))
        return 1;
    double compiled = seconds();
    wasmetal_instance_desc desc = {.imports = load.imports,
                                   .nimports = load.nimports,
                                   .no_wasi = true,
                                   .no_environment = true,
                                   .device = device,
                                   .min_work = min_work};
    wasmetal_status status = wasmetal_instantiate(host_jit_module(load.jit), &desc, &p.instance);
    if (status != WASMETAL_OK)
        fail("not started: %s", wasmetal_status_text(status));
    find_functions();
    uint8_t kind = play_host();
    if (kind != END)
        fail("record of kind %u between calls", kind);
    wasmetal_stats stats;
    wasmetal_get_stats(p.instance, &stats);
    if (stats.launches < least_launches)
        fail("only %llu kernels launched, not %llu", (unsigned long long)stats.launches,
             (unsigned long long)least_launches);
    printf("same as node: %llu calls, %llu of imports, %llu host writes, %llu kernels launched; compiled in %.1f s, "
           "played in %.1f s\n",
           (unsigned long long)p.calls, (unsigned long long)p.imports, (unsigned long long)p.writes,
           (unsigned long long)stats.launches, compiled - begin, seconds() - compiled);
    wasmetal_free(p.instance);
    free(bytes);
    return 0;
}
