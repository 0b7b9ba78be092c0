/* The product as the spec tests see it: the pipeline of `wasmetal run` (compiler/driver.c) and the runtime, in this
 * process.  Everything stays alive until the store is freed, since any later module may be linked with it. */
#include <stdlib.h>
#include <string.h>

#include "backends/host/host.h"
#include "compiler/diag.h"
#include "compiler/driver.h"
#include "compiler/front.h"
#include "ir/util/ice.h"
#include "testsuite/spec/spec.h"

struct loaded {
    struct loaded *next;
    struct host_jit *jit;
    wasmetal_instance *instance; /* NULL when it could not be started */
};

struct store {
    struct store_options options;
    struct loaded *loaded;
    wasmetal_link *links;
    size_t nlinks, links_cap;
    wasmetal_object *objects[7];
    wasmetal_import spectest[14];
    char complaint[512]; /* of a device: the first */
};

static void *must(void *p) {
    if (!p)
        ICE("out of memory");
    return p;
}

/* ---- spectest: what the scripts import (the suite's reference interpreter, host/spectest.ml, defines it) ---- */

static uint64_t print_nothing(void *user, wasmetal_instance *instance, uint64_t *args_results) {
    (void)user;
    (void)instance;
    (void)args_results;
    return 0;
}

static void must_make(wasmetal_status status) {
    if (status != WASMETAL_OK)
        ICE("cannot make the spectest module: %s", wasmetal_status_text(status));
}

static void make_spectest(struct store *s) {
    static const struct {
        const char *name, *type;
    } functions[] = {{"print", ":"},      {"print_i32", "i:"},      {"print_i64", "l:"},     {"print_f32", "f:"},
                     {"print_f64", "d:"}, {"print_i32_f32", "if:"}, {"print_f64_f64", "dd:"}};
    static const char *const names[] = {"global_i32", "global_i64", "global_f32",   "global_f64",
                                        "table",      "memory",     "shared_memory"};
    const uint64_t i = 666, f = wasmetal_cell_f32(666.6f);
    const double d = 666.6;
    uint64_t d_bits;
    memcpy(&d_bits, &d, sizeof d_bits);
    must_make(wasmetal_global_new('i', false, &i, &s->objects[0]));
    must_make(wasmetal_global_new('l', false, &i, &s->objects[1]));
    must_make(wasmetal_global_new('f', false, &f, &s->objects[2]));
    must_make(wasmetal_global_new('d', false, &d_bits, &s->objects[3]));
    must_make(wasmetal_table_new('r', 10, 20, &s->objects[4]));
    must_make(wasmetal_memory_new(1, 2, &s->objects[5]));
    must_make(wasmetal_memory_new_shared(1, 2, &s->objects[6]));
    wasmetal_import *import = s->spectest;
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
        *import++ = (wasmetal_import){
            .module = "spectest", .name = functions[k].name, .fn = print_nothing, .type = functions[k].type};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        *import++ = (wasmetal_import){.module = "spectest", .name = names[k], .object = s->objects[k]};
}

struct store *store_new(const struct store_options *options) {
    struct store *s = must(calloc(1, sizeof *s));
    s->options = *options;
    make_spectest(s);
    return s;
}

void store_register(struct store *s, const char *name, wasmetal_instance *instance) {
    for (size_t i = 0; i < s->nlinks; i++) {
        if (strcmp(s->links[i].module, name) == 0) {
            s->links[i].instance = instance;
            return;
        }
    }
    if (s->nlinks == s->links_cap) {
        s->links_cap = s->links_cap ? s->links_cap * 2 : 8;
        s->links = must(realloc(s->links, s->links_cap * sizeof *s->links));
    }
    s->links[s->nlinks++] = (wasmetal_link){.module = name, .instance = instance};
}

/* ---- compiling ---- */

struct message {
    struct diag diag;
    char *text;
    size_t size;
};

static void message_open(struct message *m) {
    *m = (struct message){0};
    diag_init(&m->diag, must(open_memstream(&m->text, &m->size)), NULL);
}

/* What the diagnostics amount to; the first line of them goes to `out`. */
static enum store_result message_close(struct message *m, char *out, size_t size) {
    fclose(m->diag.out);
    char id[16];
    snprintf(id, sizeof id, "WM%04d", DIAG_UNSUPPORTED);
    bool unsupported = strstr(m->text, id) != NULL;
    const char *line = strstr(m->text, "error: ");
    line = line ? line : m->text;
    snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
    free(m->text);
    return unsupported ? STORE_UNSUPPORTED : STORE_REFUSED;
}

enum store_result store_check(struct store *s, const char *path, char *message, size_t size) {
    struct driver dr = {0};
    struct message m;
    message_open(&m);
    struct options options = s->options.compile;
    options.input = path;
    bool accepted = false;
    if (driver_read(&dr, &options, &m.diag)) {
        struct front_options front = {.name = dr.name, .disabled = options.disabled, .verify = options.verify};
        dr.module = front_read_module(dr.bytes, dr.size, &front, dr.diag);
        accepted = dr.module != NULL;
    }
    driver_release(&dr);
    enum store_result result = message_close(&m, message, size);
    return accepted ? STORE_OK : result;
}

static struct host_jit *compile(struct store *s, const char *path, enum store_result *out_result, char *message,
                                size_t size) {
    struct driver dr = {0};
    struct message m;
    message_open(&m);
    struct options options = s->options.compile;
    options.input = path;
    struct host_jit *jit = NULL;
    bool analysed = driver_read(&dr, &options, &m.diag) && driver_analyse(&dr);
    bool compiled = analysed && driver_compile_host(&dr, options.cpu ? options.cpu : "native");
    char *error = NULL;
    if (compiled)
        jit = host_jit_new(&dr.object, dr.name, &error);
    driver_release(&dr);
    *out_result = message_close(&m, message, size);
    if (analysed && !jit) {
        *out_result = STORE_BROKEN;
        if (error)
            snprintf(message, size, "%s", error);
    }
    free(error);
    return jit;
}

/* Messages of devices are WMR2xxx.  What the rest says about a module comes back as a status as well. */
static void log_device(void *user, int level, const char *id, const char *message) {
    struct store *s = user;
    if (level <= WASMETAL_LOG_WARNING && strncmp(id, "WMR2", 4) == 0 && !*s->complaint)
        snprintf(s->complaint, sizeof s->complaint, "%s: %s", id, message);
}

const char *store_complaint(const struct store *s) {
    return *s->complaint ? s->complaint : NULL;
}

enum store_result store_load(struct store *s, const char *path, wasmetal_instance **out_instance, char *message,
                             size_t size) {
    enum store_result result;
    struct host_jit *jit = compile(s, path, &result, message, size);
    if (!jit)
        return result;
    struct loaded *l = must(calloc(1, sizeof *l));
    l->jit = jit;
    l->next = s->loaded;
    s->loaded = l;
    wasmetal_trap trap = {0};
    wasmetal_instance_desc desc = {
        .imports = s->spectest,
        .nimports = sizeof s->spectest / sizeof *s->spectest,
        .links = s->links,
        .nlinks = s->nlinks,
        .no_wasi = true,
        .device = s->options.device,
        .min_work = s->options.min_work,
        .log = log_device,
        .log_user = s,
        .start_trap = &trap,
    };
    wasmetal_status status = wasmetal_instantiate(host_jit_module(jit), &desc, &l->instance);
    if (status == WASMETAL_OK) {
        *out_instance = l->instance;
        return STORE_OK;
    }
    snprintf(message, size, "%s", status == WASMETAL_TRAP ? trap.text : wasmetal_status_text(status));
    return status == WASMETAL_TRAP ? STORE_TRAP : status == WASMETAL_ERROR_IMPORT ? STORE_UNLINKABLE : STORE_ERROR;
}

void store_launches(const struct store *s, uint64_t *out_launches, uint64_t *out_fallbacks, uint64_t *out_kernels) {
    *out_launches = *out_fallbacks = *out_kernels = 0;
    for (const struct loaded *l = s->loaded; l; l = l->next) {
        if (l->instance) {
            wasmetal_stats stats;
            wasmetal_get_stats(l->instance, &stats);
            *out_launches += stats.launches;
            *out_fallbacks += stats.fallbacks;
            *out_kernels += stats.nkernels;
        }
    }
}

void store_free(struct store *s) {
    for (struct loaded *l = s->loaded; l; l = l->next)
        wasmetal_free(l->instance);
    for (size_t i = 0; i < sizeof s->objects / sizeof *s->objects; i++)
        wasmetal_object_free(s->objects[i]);
    /* Code goes last: tables may hold functions of instances that failed to start. */
    while (s->loaded) {
        struct loaded *l = s->loaded;
        s->loaded = l->next;
        host_jit_free(l->jit);
        free(l);
    }
    free(s->links);
    free(s);
}
