/* Internal compiler errors: one line saying what broke and where, then the driver's dump, then exit code 70. */
#include "ir/util/ice.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_ICE = 70 };

static struct {
    void (*hook)(void *user);
    void *user;
} dump;

void ice_set_dump_hook(void (*hook)(void *user), void *user) {
    dump.hook = hook;
    dump.user = user;
}

void ice_at(const char *file, int line, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "wasmetal: internal error at %s:%d: ", file, line);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    void (*hook)(void *) = dump.hook;
    dump.hook = NULL; /* an error inside the hook must not call it again */
    if (hook)
        hook(dump.user);
    fflush(NULL);
    exit(EXIT_ICE);
}
