/* main() of a compiled WASI command: makes a program that needs neither the compiler nor LLVM where it runs.
 *
 *     cc -DMODULE=wasmetal_module_saxpy launcher.c saxpy.o -lwasmetal_rt ...
 *     ./saxpy [--device=D] [--stats=FILE] [--dump-memory=FILE] [--time] [-- ARGS...]
 *
 * Exit code: the program's; 134 for a trap; 125 when it could not be started or a file not be written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wasmetal.h"

extern const wasmetal_module MODULE;

static const char *option(const char *arg, const char *name) {
    size_t n = strlen(name);
    return strncmp(arg, name, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

static int write_file(const char *path, const void *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    int ok = f && fwrite(bytes, 1, n, f) == n;
    if (f && fclose(f) != 0)
        ok = 0;
    if (!ok)
        fprintf(stderr, "launcher: cannot write %s\n", path);
    return ok;
}

static int write_stats(const wasmetal_instance *instance, const char *path) {
    size_t n = wasmetal_stats_json(instance, NULL, 0);
    char *text = malloc(n + 1);
    if (!text)
        return 0;
    wasmetal_stats_json(instance, text, n + 1);
    int ok = write_file(path, text, n);
    free(text);
    return ok;
}

int main(int argc, char **argv) {
    const char *device = NULL, *stats = NULL, *dump = NULL, *value;
    int timed = 0, first = 1;
    for (; first < argc && strcmp(argv[first], "--") != 0; first++) {
        if ((value = option(argv[first], "--device")))
            device = value;
        else if ((value = option(argv[first], "--stats")))
            stats = value;
        else if ((value = option(argv[first], "--dump-memory")))
            dump = value;
        else if (!strcmp(argv[first], "--time"))
            timed = 1;
        else
            return fprintf(stderr, "usage: %s [--device=D] [--stats=FILE] [--dump-memory=FILE] [--time] [-- ARGS]\n",
                           argv[0]),
                   2;
    }
    /* The module's own argv[0] must not depend on where this program lies: it ends up in linear memory. */
    const char **args = calloc((size_t)argc + 1, sizeof *args);
    size_t nargs = 0;
    if (!args)
        return 125;
    args[nargs++] = "program";
    for (int i = first + 1; i < argc; i++)
        args[nargs++] = argv[i];
    wasmetal_preopen here = {.host = ".", .guest = "."};
    wasmetal_trap trap = {0};
    wasmetal_instance_desc desc = {
        .device = device,
        .start_trap = &trap,
        .wasi = {.args = args, .nargs = nargs, .preopens = &here, .npreopens = 1},
    };
    wasmetal_instance *instance = NULL;
    wasmetal_status status = wasmetal_instantiate(&MODULE, &desc, &instance);
    if (status != WASMETAL_OK) {
        fprintf(stderr, "launcher: %s\n", wasmetal_status_text(status));
        return 125;
    }
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    uint32_t code = 0;
    status = wasmetal_run_wasi_start(instance, &code, &trap);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (status == WASMETAL_TRAP) {
        fprintf(stderr, "trap: %s at +0x%llx\n", trap.text, (unsigned long long)trap.offset);
        code = 134;
    } else if (status != WASMETAL_OK) {
        fprintf(stderr, "launcher: %s\n", wasmetal_status_text(status));
        code = 125;
    }
    if (timed)
        fprintf(stderr, "%.3f ms\n",
                (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
    if (stats && !write_stats(instance, stats))
        code = 125;
    if (dump && !write_file(dump, wasmetal_memory_base(instance), wasmetal_memory_size(instance)))
        code = 125;
    wasmetal_free(instance);
    free(args);
    return (int)code;
}
