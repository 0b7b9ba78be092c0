/* The parts of the spec runner.
 *
 *   spec_runner.c   command line, one process a .wast file, the report
 *   spec_script.c   replays the commands of one file
 *   spec_store.c    the product: compiles modules, keeps instances, the "spectest" module
 *   spec_value.c    arguments and expected results
 */
#ifndef WASMETAL_TESTSUITE_SPEC_H
#define WASMETAL_TESTSUITE_SPEC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "compiler/options.h"
#include "testsuite/spec/json.h"
#include "wasmetal.h"

/* ---- values ---- */

/* Cells that a list of values takes, two for a v128. */
unsigned value_cells(const struct json *list);
/* Writes the arguments to `cells`; false for one that makes no sense. */
bool value_arguments(const struct json *list, uint64_t *cells);
/* True when `cells` hold what `list` expects; otherwise what was wanted and found is in `out_why`. */
bool value_results_match(const struct json *list, const uint64_t *cells, char *out_why, size_t size);
/* The same for a single result that may be any of those in `list`. */
bool value_either_matches(const struct json *list, const uint64_t *cells, char *out_why, size_t size);

/* ---- the product ---- */

struct store_options {
    struct options compile; /* as from `wasmetal run`'s command line */
    const char *device;
    uint64_t min_work;
};

struct store;

enum store_result {
    STORE_OK,
    STORE_REFUSED,     /* by the front end; why is in the message */
    STORE_UNSUPPORTED, /* by the front end, for using a proposal that is not read */
    STORE_BROKEN,      /* anything else before instantiation */
    STORE_UNLINKABLE,
    STORE_TRAP, /* the message is the trap's text */
    STORE_ERROR /* any other status of the runtime */
};

struct store *store_new(const struct store_options *options);
/* Compiles the file and makes an instance of it, which stays alive with the store.  *out_instance is set only with
 * STORE_OK.  `message` says what went wrong, without the file's folder. */
enum store_result store_load(struct store *s, const char *path, wasmetal_instance **out_instance, char *message,
                             size_t size);
/* Only the front end: STORE_OK, STORE_REFUSED or STORE_UNSUPPORTED. */
enum store_result store_check(struct store *s, const char *path, char *message, size_t size);
/* Makes the exports of the instance importable under `name`. */
void store_register(struct store *s, const char *name, wasmetal_instance *instance);
/* Launches of all instances so far. */
void store_launches(const struct store *s, uint64_t *out_launches, uint64_t *out_fallbacks, uint64_t *out_kernels);
/* The first warning or error of a device (a driver, the validation layers); NULL when there was none. */
const char *store_complaint(const struct store *s);
void store_free(struct store *s);

/* ---- scripts ---- */

/* Shared between the process of a file and the one that reports. */
struct spec_counts {
    unsigned total;                                /* commands that count: see spec_script.c */
    unsigned passed, failed, skipped, unsupported; /* unsupported: failed because a module's proposal is not read */
    unsigned text;                                 /* assertions about the text format, not counted above */
    unsigned refused;                              /* malformed and invalid binaries among `passed` */
    unsigned named;                                /* those among `refused` that were in the name of a proposal */
    unsigned setup;                                /* modules, registrations, actions that did what they should */
    uint64_t launches, fallbacks, kernels;
    unsigned line; /* of the command under work */
};

struct spec_skip {
    const char *file; /* "name.wast" */
    unsigned line;
    const char *reason;
};

struct spec_script {
    const char *name;   /* "name.wast" */
    const char *folder; /* of the modules */
    const struct json *commands;
    const struct spec_skip *skips;
    unsigned nskips;
    unsigned max_failures; /* printed */
    FILE *out;             /* failures go here */
};

void script_run(const struct spec_script *script, const struct store_options *options, struct spec_counts *counts);

#endif
