/* Front end: bytes to IR module.
 *
 *     sections_scan      framing, names, custom sections
 *     wabt_read_module   decodes and validates; calls back with the tables, then body by body
 *       begin_code       names and function headers
 *       lower_body       each body, as soon as it is valid
 *     ir_verify_module
 */
#include "compiler/front.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/limits.h"
#include "compiler/lower.h"
#include "compiler/sections.h"
#include "compiler/wabt_shim.h"
#include "ir/ir_build.h"
#include "ir/ir_verify.h"
#include "ir/util/ice.h"

struct front {
    struct ir_module *m;
    struct diag *d;
    struct wasm_names names;
    const uint32_t *func_types;
    const char **func_names; /* NULL before begin_code */
};

static const char *func_name(const struct front *f, int64_t func) {
    return f->func_names && func >= 0 && func < f->m->nfuncs ? f->func_names[func] : NULL;
}

static void on_error(void *user, enum diag_id id, uint64_t offset, int64_t func, const char *message) {
    struct front *f = user;
    diag_error(f->d, id, offset, func, func_name(f, func), "%s", message);
}

/* Name section, else export name, else what it imports, else "func[N]". */
static void name_functions(struct front *f) {
    struct ir_module *m = f->m;
    f->func_names = arena_array(&m->arena, const char *, m->nfuncs);
    for (uint32_t i = 0; i < f->names.nfuncs; i++) {
        const struct wasm_name *n = &f->names.funcs[i];
        if (n->index < m->nfuncs && *n->text)
            f->func_names[n->index] = n->text;
    }
    for (uint32_t i = 0; i < m->nexports; i++) {
        const struct ir_export *e = &m->exports[i];
        if (e->kind == IR_EXTERN_FUNC && !f->func_names[e->index] && *e->name)
            f->func_names[e->index] = e->name;
    }
    for (uint32_t i = 0; i < m->nfuncs; i++) {
        const struct ir_import_name *import = &m->funcs[i].import;
        if (f->func_names[i])
            continue;
        f->func_names[i] = import->module ? arena_printf(&m->arena, "%s.%s", import->module, import->field)
                                          : arena_printf(&m->arena, "func[%u]", i);
    }
    for (uint32_t i = 0; i < f->names.nglobals; i++) {
        const struct wasm_name *n = &f->names.globals[i];
        if (n->index < m->nglobals)
            m->globals[n->index].name = n->text;
    }
}

static bool begin_code(void *user) {
    struct front *f = user;
    struct ir_module *m = f->m;
    name_functions(f);
    for (uint32_t i = 0; i < m->nfuncs; i++) {
        struct ir_func *func = ir_func_new(m, f->func_names[i], &m->types[f->func_types[i]]);
        func->index = i;
        func->type = f->func_types[i];
        if (i < m->nfunc_imports) {
            arena_free(&func->arena);
            func->body = NULL;
        }
        m->funcs[i].func = func;
    }
    return true;
}

static bool lower_one(void *user, const struct wasm_body *body) {
    struct front *f = user;
    struct ir_func *func = f->m->funcs[body->func].func;
    func->wasm_offset = body->offset;
    func->wasm_end = body->end;
    func->code_offset = body->offset - f->m->code_section_offset;
    switch (lower_body(func, body)) {
    case LOWER_OK:
        return true;
    case LOWER_TOO_MANY_MERGES:
        diag_error(f->d, DIAG_TOO_COMPLEX, body->offset, body->func, func_name(f, body->func),
                   "over %d local variables merged at the ends of blocks", (int)FRONT_MAX_MERGES);
        return false;
    case LOWER_TOO_MANY_OPERANDS:
        diag_error(f->d, DIAG_TOO_COMPLEX, body->offset, body->func, func_name(f, body->func),
                   "over %d values passed by branches", (int)FRONT_MAX_OPERANDS);
        return false;
    }
    return false;
}

char *front_make_identifier(const char *name) {
    bool prefix = !isalpha((unsigned char)*name) && *name != '_';
    size_t n = strlen(name);
    char *id = malloc(n + 2);
    if (!id) {
        fputs("wasmetal: out of memory\n", stderr);
        exit(70);
    }
    id[0] = '_';
    memcpy(id + prefix, name, n + 1);
    for (char *p = id; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    return id;
}

struct ir_module *front_read_module(const uint8_t *bytes, size_t size, const struct front_options *options,
                                    struct diag *d) {
    struct ir_module *m = ir_module_new();
    struct front f = {.m = m, .d = d};
    struct wabt_sink sink = {.user = &f, .begin_code = begin_code, .body = lower_one, .error = on_error};
    char *name = front_make_identifier(options->name ? options->name : "module");
    m->name = arena_strdup(&m->arena, name);
    free(name);
    if (!sections_scan(bytes, size, m, &f.names, d) ||
        !wabt_read_module(bytes, size, options->disabled, m, &f.func_types, &sink)) {
        ir_module_free(m);
        return NULL;
    }
    if (options->verify) {
        struct strbuf problems = {0};
        if (!ir_verify_module(m, &problems))
            ICE("lowering made invalid IR:\n%s", problems.data);
        strbuf_free(&problems);
    }
    return m;
}
