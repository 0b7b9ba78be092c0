/* The command `wasmetal`.
 *
 * The work is done on a thread with a large stack: passes walk nested regions recursively, and the nesting limit is set
 * by what modules need, not by what a default stack happens to hold.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/driver.h"

enum { STACK_MEGABYTES = 512, LEAST_STACK_MEGABYTES = 8 }; /* address space, touched only where nesting is deep */

struct job {
    struct options options;
    struct diag diag;
    int code;
};

static int print_version(void) {
    printf("wasmetal %s (LLVM %s, %s)\n", WASMETAL_VERSION, host_llvm_version(), host_native_triple());
    return EXIT_OK;
}

static int help(const struct options *o, struct diag *d) {
    enum command about = o->input ? options_find_command(o->input) : COMMAND_COUNT;
    if (o->input && about == COMMAND_COUNT) {
        diag_error(d, DIAG_COMMAND, DIAG_NO_OFFSET, -1, NULL, "no command \"%s\"", o->input);
        return EXIT_USAGE;
    }
    options_print_help(stdout, about);
    return EXIT_OK;
}

static void *work(void *user) {
    struct job *job = user;
    const struct options *o = &job->options;
    struct diag *d = &job->diag;
    switch (o->command) {
    case COMMAND_COMPILE:
        job->code = command_compile(o, d);
        break;
    case COMMAND_RUN:
        job->code = command_run(o, d);
        break;
    case COMMAND_EXPLAIN:
        job->code = command_explain(o, d);
        break;
    case COMMAND_DEVICES:
        job->code = command_devices(o, d);
        break;
    case COMMAND_HELP:
        job->code = help(o, d);
        break;
    case COMMAND_VERSION:
        job->code = print_version();
        break;
    case COMMAND_COUNT:
        break;
    }
    return NULL;
}

static void work_on_large_stack(struct job *job) {
    for (size_t megabytes = STACK_MEGABYTES; megabytes >= LEAST_STACK_MEGABYTES; megabytes /= 2) {
        pthread_attr_t attributes;
        pthread_t thread;
        if (pthread_attr_init(&attributes) != 0)
            break;
        pthread_attr_setstacksize(&attributes, megabytes << 20);
        int error = pthread_create(&thread, &attributes, work, job);
        pthread_attr_destroy(&attributes);
        if (!error) {
            pthread_join(thread, NULL);
            return;
        }
    }
    work(job);
}

int main(int argc, char **argv) {
    struct job job = {.code = EXIT_USAGE};
    diag_init(&job.diag, stderr, NULL);
    if (options_parse(argc, argv, &job.options, &job.diag))
        work_on_large_stack(&job);
    options_free(&job.options);
    if (fflush(stdout) != 0 && job.code == EXIT_OK) {
        fputs("wasmetal: error: cannot write to standard output\n", stderr);
        job.code = EXIT_INPUT;
    }
    return job.code;
}
