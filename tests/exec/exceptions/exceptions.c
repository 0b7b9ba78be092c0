/* Exceptions between a module, compiled into this program by the system's linker, and its host: on several threads at
 * once, each with its own instance.  Prints what went wrong; the exit code says whether anything did. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "wasmetal.h"

extern const wasmetal_module wasmetal_module_exceptions;

enum { THREADS = 4, ROUNDS = 200 };

static int failures;

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);             \
        }                                                                   \
    } while (0)

struct host {
    wasmetal_object *tag;
};

static wasmetal_object *find(wasmetal_instance *in, const char *name) {
    wasmetal_export e;
    return wasmetal_export_find(in, name, &e) == WASMETAL_OK ? e.object : NULL;
}

/* 0: returns, 1: throws the host's tag, 2: a trap, 3: a code without an exception behind it. */
static uint64_t fail(void *user, wasmetal_instance *in, uint64_t *cells) {
    const struct host *h = user;
    uint64_t values[] = {41, UINT64_C(1) << 40};
    switch (cells[0]) {
    case 1:
        return wasmetal_throw(in, h->tag, values);
    case 2:
        return WASMETAL_TRAP_HOST;
    case 3:
        return WASMETAL_TRAP_EXCEPTION;
    default:
        return 0;
    }
}

static uint64_t relay(void *user, wasmetal_instance *in, uint64_t *cells) {
    (void)user;
    wasmetal_trap trap;
    CHECK(wasmetal_call(in, find(in, "throw_own"), cells, &trap) == WASMETAL_EXCEPTION);
    CHECK(trap.code == WASMETAL_TRAP_EXCEPTION && strcmp(trap.text, "uncaught exception") == 0);
    return WASMETAL_TRAP_EXCEPTION;
}

static void work(wasmetal_instance *in, const struct host *h) {
    uint64_t cells[3] = {7};
    wasmetal_trap trap = {0};
    wasmetal_object *own = find(in, "own");
    CHECK(own && wasmetal_object_kind(own) == WASMETAL_TAG);
    CHECK(wasmetal_call(in, find(in, "throw_own"), cells, &trap) == WASMETAL_EXCEPTION);
    CHECK(strcmp(trap.function_name, "throw_own") == 0 && trap.offset != WASMETAL_NO_OFFSET);
    CHECK(wasmetal_exception_is(in, own) && !wasmetal_exception_is(in, h->tag));
    cells[0] = 0;
    CHECK(wasmetal_exception_get(in, own, cells) == WASMETAL_OK && cells[0] == 7);
    CHECK(wasmetal_exception_get(in, h->tag, cells) == WASMETAL_ERROR_NOT_FOUND);
    CHECK(wasmetal_exception_get(in, find(in, "throw_own"), cells) == WASMETAL_ERROR_TYPE);

    cells[0] = 1;
    CHECK(wasmetal_call(in, find(in, "catch_host"), cells, &trap) == WASMETAL_OK);
    CHECK(cells[0] == 41 && cells[1] == UINT64_C(1) << 40);
    cells[0] = 2;
    CHECK(wasmetal_call(in, find(in, "catch_host"), cells, &trap) == WASMETAL_TRAP && trap.code == WASMETAL_TRAP_HOST);
    cells[0] = 8;
    CHECK(wasmetal_call(in, find(in, "catch_relayed"), cells, &trap) == WASMETAL_OK && cells[0] == 8);
    cells[0] = 3; /* the exception was thrown; there is none left */
    CHECK(wasmetal_call(in, find(in, "catch_host"), cells, &trap) == WASMETAL_TRAP && trap.code == WASMETAL_TRAP_HOST);
    cells[0] = 1;
    CHECK(wasmetal_call(in, find(in, "not_caught"), cells, NULL) == WASMETAL_EXCEPTION);
    CHECK(wasmetal_exception_is(in, h->tag));
    CHECK(wasmetal_exception_get(in, h->tag, cells) == WASMETAL_OK && cells[1] == UINT64_C(1) << 40);
    cells[0] = 50;
    CHECK(wasmetal_call(in, find(in, "catch_loop"), cells, &trap) == WASMETAL_OK && cells[0] == 50);
}

static void *run(void *unused) {
    (void)unused;
    struct host h;
    wasmetal_object *bad = NULL;
    CHECK(wasmetal_tag_new("il", &bad) == WASMETAL_ERROR_ARGUMENT);
    CHECK(wasmetal_tag_new("i:i", &bad) == WASMETAL_ERROR_ARGUMENT);
    CHECK(wasmetal_tag_new("il:", &h.tag) == WASMETAL_OK);
    wasmetal_import imports[] = {{"host", "tag", h.tag, NULL, NULL, NULL},
                                 {"host", "fail", NULL, fail, &h, "i:"},
                                 {"host", "relay", NULL, relay, &h, "i:"}};
    wasmetal_instance_desc desc = {.imports = imports, .nimports = 3};
    wasmetal_instance *in;
    if (wasmetal_instantiate(&wasmetal_module_exceptions, &desc, &in) != WASMETAL_OK) {
        CHECK(!"instantiated");
        return NULL;
    }
    for (int k = 0; k < ROUNDS; k++)
        work(in, &h);
    wasmetal_free(in);
    wasmetal_object_free(h.tag);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    for (int k = 0; k < THREADS; k++)
        if (pthread_create(&threads[k], NULL, run, NULL) != 0)
            return 2;
    for (int k = 0; k < THREADS; k++)
        pthread_join(threads[k], NULL);
    return failures != 0;
}
