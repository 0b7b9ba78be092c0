/* The command line, parsed. */
#ifndef WASMETAL_COMPILER_OPTIONS_H
#define WASMETAL_COMPILER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "compiler/diag.h"

enum command {
#define COMMAND(id, name, operands, what) COMMAND_##id,
#include "compiler/options.def"
    COMMAND_COUNT
};

struct option_list {
    const char **items;
    unsigned count, cap;
};

/* Strings point into argv. */
struct options {
    enum command command;
    const char *input; /* the module; help: the command asked about */
    const char **args; /* behind "--" */
    int nargs;
    const char *output, *emit, *name, *save_kernels, *metallib, *target, *cpu, *cpu_features, *bounds_checks,
        *dump_after, *stop_after, *skip, *disable, *fp, *kernel;
    unsigned fp_mode;  /* the relaxations of `fp` (ir/fp_mode.h) */
    uint32_t disabled; /* the proposals of `disable`: bits 1 << enum feature */
    const char *invoke, *device, *stats, *dump_memory;
    bool no_header, no_offload, verify, json, library, no_cache;
    unsigned opt_level;
    unsigned jobs;      /* 0: as many as there are processors */
    unsigned part_size; /* struct host_options; not on the command line */
    struct option_list dirs, envs;
};

/* False after a diagnostic.  `out` is freed with options_free either way. */
bool options_parse(int argc, char **argv, struct options *out, struct diag *d);
void options_free(struct options *o);

/* `command` COMMAND_COUNT: the overview. */
void options_print_help(FILE *out, enum command command);
/* COMMAND_COUNT when there is none of that name. */
enum command options_find_command(const char *name);

#endif
