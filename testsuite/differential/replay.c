/* Calls every exported function of modules that nobody wrote, and tells what came out: the product's half of
 * differential.mjs, whose other half (replay.mjs) does the same in node.
 *
 *     differential_replay [-O N] [--bounds-checks=on] [--device=DEV] [--min-work=N] [--no-offload] MODULE.wasm...
 *
 * For each module, which runs in a process of its own, standard output gets
 *
 *     module NAME
 *     import MODULE.FIELD i32:0000002a ...        an imported function was called; it returns zeros
 *     call EXPORT i32:00000007 = i64:...          arguments and results, as bits; NaNs as "nan"
 *     call EXPORT i32:00000007 ! integer          a trap, by its kind
 *     memory PAGES HASH                           of the first memory, at the end
 *     end                                         missing when the process died
 *
 * Arguments come from a table that replay.mjs has too.  After "! stack" nothing more is called: how deep the stack
 * reaches is nobody's promise.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testsuite/load.h"

enum { MAX_CELLS = 256, SECONDS = 60 };

static const uint64_t words[] = {0,          1,          0xffffffffffffffff, 2,   42,
                                 0x7fffffff, 0x80000000, 0x8000000000000000, 255, 65536};
static const double reals[] = {0.0, 1.0, -1.0, 0.5, 3.25e9, -7e18, 1e-40, -0.0, 1e300, 255.0};

static const char *type_name(char t) {
    switch (t) {
    case 'i':
        return "i32";
    case 'l':
        return "i64";
    case 'f':
        return "f32";
    case 'd':
        return "f64";
    case 'v':
        return "v128";
    default:
        return t == 'r' ? "funcref" : "externref";
    }
}

static void argument(char type, unsigned seed, uint64_t *cells) {
    uint64_t word = words[seed % 10];
    switch (type) {
    case 'i':
        *cells = (uint32_t)word;
        break;
    case 'l':
        *cells = word;
        break;
    case 'f':
        *cells = wasmetal_cell_f32((float)reals[seed % 10]);
        break;
    case 'd':
        *cells = wasmetal_cell_f64(reals[seed % 10]);
        break;
    default:
        *cells = 0;
    }
}

static void print_value(char type, uint64_t cell) {
    if ((type == 'f' && wasmetal_f32_of(cell) != wasmetal_f32_of(cell)) ||
        (type == 'd' && wasmetal_f64_of(cell) != wasmetal_f64_of(cell)))
        printf(" %s:nan", type_name(type));
    else if (type == 'i' || type == 'f')
        printf(" %s:%08x", type_name(type), (unsigned)cell);
    else if (type == 'r' || type == 'x')
        printf(" %s:%s", type_name(type), cell ? "some" : "null");
    else
        printf(" %s:%016llx", type_name(type), (unsigned long long)cell);
}

/* ---- imports: every one is a function that tells of the call and returns zeros ---- */

static uint64_t call_stub(void *user, wasmetal_instance *instance, uint64_t *cells) {
    (void)instance;
    const struct load_stub *s = user;
    if (strchr(s->type, 'v'))
        return WASMETAL_TRAP_HOST; /* as JavaScript does */
    printf("import %s.%s", s->module, s->name);
    const char *t = s->type;
    for (uint64_t *c = cells; *t != ':'; c += *t == 'v' ? 2 : 1, t++)
        print_value(*t, *c);
    printf("\n");
    uint64_t *c = cells;
    for (t++; *t; t++) {
        *c++ = 0;
        if (*t == 'v')
            *c++ = 0;
    }
    return 0;
}

/* ---- one module ---- */

static const char *trap_kind(const wasmetal_trap *t) {
    switch (t->code) {
    case WASMETAL_TRAP_UNREACHABLE:
        return "unreachable";
    case WASMETAL_TRAP_MEMORY_BOUNDS:
        return "memory";
    case WASMETAL_TRAP_TABLE_BOUNDS:
    case WASMETAL_TRAP_UNDEFINED_ELEMENT:
        return "table";
    case WASMETAL_TRAP_DIVIDE_BY_ZERO:
        return "divide";
    case WASMETAL_TRAP_INTEGER_OVERFLOW:
    case WASMETAL_TRAP_INVALID_CONVERSION:
        return "integer"; /* V8 has one message for both */
    case WASMETAL_TRAP_UNINITIALIZED_ELEMENT:
    case WASMETAL_TRAP_INDIRECT_CALL_TYPE:
        return "indirect"; /* here too */
    case WASMETAL_TRAP_STACK_EXHAUSTED:
        return "stack";
    case WASMETAL_TRAP_HOST:
        return "host";
    default:
        return t->text;
    }
}

/* False when nothing can be said about the rest. */
static bool call_export(wasmetal_instance *instance, const wasmetal_export *e, unsigned call) {
    static uint64_t cells[2 * MAX_CELLS];
    wasmetal_trap trap = {0};
    const char *results = strchr(e->type, ':') + 1;
    if (strchr(e->type, 'v') || strlen(e->type) > MAX_CELLS)
        return true; /* JavaScript cannot call these */
    printf("call %s", e->name);
    for (unsigned i = 0; e->type[i] != ':'; i++) {
        argument(e->type[i], call * 7 + i * 3, &cells[i]);
        print_value(e->type[i], cells[i]);
    }
    printf("\n");
    wasmetal_status status = wasmetal_call(instance, e->object, cells, &trap);
    if (status == WASMETAL_OK) {
        printf("=");
        for (unsigned i = 0; results[i]; i++)
            print_value(results[i], cells[i]);
        printf("\n");
        return true;
    }
    printf("! %s\n", status == WASMETAL_TRAP ? trap_kind(&trap) : wasmetal_status_text(status));
    return status != WASMETAL_TRAP || trap.code != WASMETAL_TRAP_STACK_EXHAUSTED;
}

static int replay(const char *path, const struct options *base, const char *device, uint64_t min_work) {
    struct options options = *base;
    struct load load;
    options.input = path;
    const char *slash = strrchr(path, '/');
    printf("module %s\n", slash ? slash + 1 : path);
    if (!load_module(&load, &options, call_stub))
        return 1;
    wasmetal_trap trap = {0};
    wasmetal_instance_desc desc = {.imports = load.imports,
                                   .nimports = load.nimports,
                                   .no_wasi = true,
                                   .no_environment = true,
                                   .device = device,
                                   .min_work = min_work,
                                   .start_trap = &trap};
    wasmetal_instance *instance = NULL;
    wasmetal_status status = wasmetal_instantiate(host_jit_module(load.jit), &desc, &instance);
    if (status != WASMETAL_OK) {
        printf("not started: %s\n", status == WASMETAL_TRAP ? trap_kind(&trap) : wasmetal_status_text(status));
        printf("end\n");
        return 0;
    }
    size_t n = wasmetal_export_count(instance);
    bool known = true;
    unsigned call = 0;
    for (size_t i = 0; i < n && known; i++) {
        wasmetal_export e;
        if (wasmetal_export_at(instance, i, &e) == WASMETAL_OK && e.kind == WASMETAL_FUNC)
            known = call_export(instance, &e, call++);
    }
    if (known)
        printf("memory %llu %08x\n", (unsigned long long)(wasmetal_memory_size(instance) >> 16),
               load_hash_memory(instance));
    wasmetal_stats stats;
    wasmetal_get_stats(instance, &stats);
    fprintf(stderr, "launches %llu\n", (unsigned long long)stats.launches);
    printf("end\n");
    return 0;
}

int main(int argc, char **argv) {
    struct options options = {.opt_level = 2};
    const char *device = "none";
    uint64_t min_work = 0;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *a = argv[i];
        if (!strcmp(a, "-O") && i + 1 < argc)
            options.opt_level = (unsigned)atoi(argv[++i]);
        else if (!strncmp(a, "--bounds-checks=", 16))
            options.bounds_checks = a + 16;
        else if (!strncmp(a, "--device=", 9))
            device = a + 9;
        else if (!strncmp(a, "--min-work=", 11))
            min_work = strtoull(a + 11, NULL, 10);
        else if (!strcmp(a, "--no-offload"))
            options.no_offload = true;
        else {
            fprintf(stderr, "differential_replay: unknown option %s\n", a);
            return 2;
        }
    }
    int failed = 0;
    for (; i < argc; i++) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            alarm(SECONDS);
            int code = replay(argv[i], &options, device, min_work);
            fflush(stdout);
            _exit(code);
        }
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 2;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            failed++;
        if (WIFSIGNALED(status))
            printf("\ndied of signal %d\n", WTERMSIG(status));
    }
    return failed ? 1 : 0;
}
