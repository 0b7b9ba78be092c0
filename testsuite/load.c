/* See load.h. */
#include "testsuite/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/diag.h"
#include "compiler/driver.h"

static char type_letter(enum ir_type t) {
    switch (t) {
    case IR_I32:
        return 'i';
    case IR_I64:
        return 'l';
    case IR_F32:
        return 'f';
    case IR_F64:
        return 'd';
    case IR_V128:
        return 'v';
    case IR_FUNCREF:
        return 'r';
    default:
        return 'x';
    }
}

static char *type_text(const struct ir_sig *sig) {
    char *text = calloc(sig->nparams + sig->nresults + 2, 1), *at = text;
    for (uint32_t k = 0; k < sig->nparams; k++)
        *at++ = type_letter(sig->params[k]);
    *at++ = ':';
    for (uint32_t k = 0; k < sig->nresults; k++)
        *at++ = type_letter(sig->results[k]);
    return text;
}

static bool make_imports(struct load *l, const struct ir_module *m, wasmetal_host_fn *stub) {
    l->imports = calloc(m->nfunc_imports + 1, sizeof *l->imports);
    for (uint32_t i = 0; i < m->nfunc_imports; i++) {
        const struct ir_func_entry *e = &m->funcs[i];
        struct load_stub *s = calloc(1, sizeof *s);
        *s = (struct load_stub){strdup(e->import.module), strdup(e->import.field), i, type_text(&e->func->sig)};
        l->imports[l->nimports++] =
            (wasmetal_import){.module = s->module, .name = s->name, .fn = stub, .user = s, .type = s->type};
    }
    for (uint32_t i = 0; i < m->nmemories; i++) {
        const struct ir_memory *mem = &m->memories[i];
        if (!mem->import.module)
            continue;
        if (i > 0 || wasmetal_memory_new(mem->limits.min, mem->limits.has_max ? mem->limits.max : UINT64_MAX,
                                         &l->memory) != WASMETAL_OK)
            return false;
        l->imports[l->nimports++] = (wasmetal_import){
            .module = strdup(mem->import.module), .name = strdup(mem->import.field), .object = l->memory};
    }
    return true;
}

bool load_module(struct load *l, const struct options *options, wasmetal_host_fn *stub) {
    struct driver dr = {0};
    struct diag diag;
    char *error = NULL;
    *l = (struct load){0};
    diag_init(&diag, stdout, NULL);
    if (driver_read(&dr, options, &diag) && driver_analyse(&dr) && make_imports(l, dr.module, stub) &&
        driver_compile_host(&dr, "native"))
        l->jit = host_jit_new(&dr.object, dr.name, &error);
    driver_release(&dr);
    if (!l->jit)
        printf("not compiled: %s\n", error ? error : "see above");
    free(error);
    return l->jit != NULL;
}

static unsigned cells(const char *from, const char *to) {
    unsigned n = 0;
    for (; from < to; from++)
        n += *from == 'v' ? 2 : 1;
    return n;
}

unsigned load_param_cells(const char *type) {
    return cells(type, strchr(type, ':'));
}

unsigned load_result_cells(const char *type) {
    const char *results = strchr(type, ':') + 1;
    return cells(results, results + strlen(results));
}

uint32_t load_hash_memory(const wasmetal_instance *instance) {
    const uint8_t *base = wasmetal_memory_base(instance);
    uint64_t size = wasmetal_memory_size(instance);
    uint32_t hash = 0;
    for (uint64_t at = 0; base && at < size; at += 4) {
        uint32_t word;
        memcpy(&word, base + at, sizeof word);
        hash = (hash ^ word) * 0x9e3779b1u;
        hash ^= hash >> 15;
    }
    return hash;
}
