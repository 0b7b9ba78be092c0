/* Writes the C header of a module.  For photo.wasm, with an import env.log and an export blur:
 *
 *     struct photo_imports { void (*env_log)(void *user, wasmetal_instance *, int32_t); void *env_log_user; };
 *     struct photo { wasmetal_instance *instance; wasmetal_trap trap; wasmetal_object *export_blur; };
 *     wasmetal_status photo_instantiate(const struct photo_imports *, const wasmetal_instance_desc *, struct photo *);
 *     void photo_free(struct photo *);
 *     wasmetal_status photo_blur(struct photo *, int32_t a0, float *out0);
 *     uint8_t *photo_memory_base(const struct photo *); ...
 *
 * Everything is static inline over wasmetal.h, so that nothing has to be linked but the module and the runtime.  Wasm
 * names are any UTF-8; a C name keeps letters, digits and '_', turns the rest into '_', and gets a number when that
 * name is taken, in the order of the module.
 */
#include "compiler/header.h"

#include <stdio.h>
#include <string.h>

#include "ir/fp_mode.h"
#include "ir/util/arena.h"

#define WASI_MODULE "wasi_snapshot_preview1"
#define MAX_ITEMS 100000u

/* ---- names ---- */

/* Names given out so far: open addressing. */
struct name_slot {
    const char *name;
    uint32_t next; /* number to try first for the next one that wants this name */
};

struct names {
    struct arena arena;
    struct name_slot *slots;
    uint32_t capacity; /* a power of two */
};

/* FNV-1a, 32 bits (RFC 9923). */
static uint32_t hash_name(const char *s) {
    uint32_t h = UINT32_C(2166136261);
    for (; *s; s++) {
        h = (h ^ (uint8_t)*s) * UINT32_C(16777619);
    }
    return h;
}

static void names_init(struct names *n, uint32_t expected) {
    *n = (struct names){.capacity = 64};
    while (n->capacity < expected * 2) {
        n->capacity *= 2;
    }
    n->slots = arena_array(&n->arena, struct name_slot, n->capacity);
}

/* The slot that holds the name, or the empty one for it. */
static struct name_slot *names_find(struct names *n, const char *name) {
    uint32_t i = hash_name(name) & (n->capacity - 1);
    while (n->slots[i].name && strcmp(n->slots[i].name, name) != 0) {
        i = (i + 1) & (n->capacity - 1);
    }
    return &n->slots[i];
}

/* False when it was there already. */
static bool names_take(struct names *n, const char *name) {
    struct name_slot *slot = names_find(n, name);
    if (slot->name) {
        return false;
    }
    *slot = (struct name_slot){name, 2};
    return true;
}

static const char *names_unique(struct names *n, const char *wasm_name) {
    char *name = arena_strdup(&n->arena, wasm_name);
    for (char *p = name; *p; p++) {
        bool keep = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_';
        *p = keep ? *p : '_';
    }
    if (names_take(n, name)) {
        return name;
    }
    struct name_slot *slot = names_find(n, name);
    for (;;) {
        char *numbered = arena_printf(&n->arena, "%s_%u", name, slot->next++);
        if (names_take(n, numbered)) {
            return numbered;
        }
    }
}

static bool is_keyword(const char *s) {
    static const char *const keywords[] = {
        "alignas",  "alignof",  "and",       "and_eq",    "asm",      "auto",     "bitand",   "bitor",     "bool",
        "break",    "case",     "catch",     "char",      "class",    "compl",    "const",    "constexpr", "continue",
        "decltype", "default",  "delete",    "do",        "double",   "else",     "enum",     "explicit",  "export",
        "extern",   "false",    "float",     "for",       "friend",   "goto",     "if",       "inline",    "int",
        "long",     "mutable",  "namespace", "new",       "noexcept", "not",      "not_eq",   "nullptr",   "operator",
        "or",       "or_eq",    "private",   "protected", "public",   "register", "restrict", "return",    "short",
        "signed",   "sizeof",   "static",    "struct",    "switch",   "template", "this",     "throw",     "true",
        "try",      "typedef",  "typeid",    "typename",  "typeof",   "union",    "unsigned", "using",     "virtual",
        "void",     "volatile", "wchar_t",   "while",     "xor",      "xor_eq",
    };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (strcmp(s, keywords[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- text ---- */

static void add_string_literal(struct strbuf *out, const char *s) {
    strbuf_add(out, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\' || c == '?') {
            strbuf_printf(out, "\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            strbuf_printf(out, "\\%03o", c); /* always three digits, so that what follows cannot join */
        } else {
            strbuf_printf(out, "%c", c);
        }
    }
    strbuf_add(out, "\"");
}

/* For a comment: printable ASCII that cannot end it. */
static void add_comment_text(struct strbuf *out, const char *s) {
    for (unsigned n = 0; *s && n < 100; s++, n++) {
        bool plain = *s >= 0x20 && *s < 0x7f && *s != '*' && *s != '\\' && *s != '?';
        strbuf_printf(out, "%c", plain ? *s : '.');
    }
}

static const struct {
    const char *c, *to_cell, *from_cell;
    char letter;
} types[] = {
    [IR_I32] = {"int32_t", "(uint32_t)%s", "(int32_t)(uint32_t)%s", 'i'},
    [IR_I64] = {"int64_t", "(uint64_t)%s", "(int64_t)%s", 'l'},
    [IR_F32] = {"float", "wasmetal_cell_f32(%s)", "wasmetal_f32_of(%s)", 'f'},
    [IR_F64] = {"double", "wasmetal_cell_f64(%s)", "wasmetal_f64_of(%s)", 'd'},
    [IR_V128] = {"wasmetal_v128", NULL, NULL, 'v'},
    [IR_FUNCREF] = {"void *", "(uint64_t)(uintptr_t)%s", "(void *)(uintptr_t)%s", 'r'},
    [IR_EXTERNREF] = {"void *", "(uint64_t)(uintptr_t)%s", "(void *)(uintptr_t)%s", 'x'},
    [IR_EXNREF] = {"void *", NULL, NULL, '?'}, /* in no signature */
};
_Static_assert(sizeof types / sizeof *types == IR_TYPE_COUNT, "a row for each type");

static unsigned cells_of(enum ir_type t) {
    return t == IR_V128 ? 2 : 1;
}

static uint32_t cells_in(const enum ir_type *list, uint32_t n) {
    uint32_t cells = 0;
    for (uint32_t i = 0; i < n; i++) {
        cells += cells_of(list[i]);
    }
    return cells;
}

/* "type name", with a star when it is an out-parameter. */
static void add_declarator(struct strbuf *out, enum ir_type t, bool pointer, const char *prefix, uint32_t i) {
    const char *c = types[t].c;
    bool star = c[strlen(c) - 1] == '*';
    strbuf_printf(out, "%s%s%s%s%u", c, star ? "" : " ", pointer ? "*" : "", prefix, i);
}

/* An expression through "%s"; `text` is ours. */
static void add_through(struct strbuf *out, const char *pattern, const char *text) {
    const char *mark = strstr(pattern, "%s");
    strbuf_add_bytes(out, pattern, (size_t)(mark - pattern));
    strbuf_add(out, text);
    strbuf_add(out, mark + 2);
}

static void add_from_cell(struct strbuf *out, enum ir_type t, uint32_t cell) {
    char text[32];
    snprintf(text, sizeof text, "cells[%u]", cell);
    if (t == IR_V128) {
        strbuf_printf(out, "wasmetal_v128_of(&%s)", text);
    } else {
        add_through(out, types[t].from_cell, text);
    }
}

static void add_to_cell(struct strbuf *out, enum ir_type t, uint32_t cell, const char *value) {
    if (t == IR_V128) {
        strbuf_printf(out, "    cells[%u] = %s.lo;\n    cells[%u] = %s.hi;\n", cell, value, cell + 1, value);
    } else {
        strbuf_printf(out, "    cells[%u] = ", cell);
        add_through(out, types[t].to_cell, value);
        strbuf_add(out, ";\n");
    }
}

/* ---- the module ---- */

struct item {
    const char *module, *field; /* NULL module: an export */
    const char *c_name;
    enum ir_extern_kind kind;
    uint32_t index;
};

struct header {
    const struct ir_module *m;
    struct strbuf *out;
    struct names names;
    const char *prefix;
    struct item *imports, *exports;
    uint32_t nimports, nexports;
    bool runs, initializes;
};

static const struct ir_sig *sig_of(const struct header *h, const struct item *item) {
    return &h->m->funcs[item->index].func->sig;
}

/* What the runtime supplies by itself: WASI, and what Emscripten's standalone modules want beside it. */
static bool is_supplied(const struct ir_import_name *name, enum ir_extern_kind kind) {
    return kind == IR_EXTERN_FUNC &&
           (strcmp(name->module, WASI_MODULE) == 0 ||
            (strcmp(name->module, "env") == 0 && strcmp(name->field, "emscripten_notify_memory_growth") == 0));
}

static void add_import(struct header *h, const struct ir_import_name *name, enum ir_extern_kind kind, uint32_t index) {
    if (!name->module || is_supplied(name, kind)) {
        return;
    }
    const char *joined = arena_printf(&h->names.arena, "%s_%s", name->module, name->field);
    if (joined[0] >= '0' && joined[0] <= '9') {
        joined = arena_printf(&h->names.arena, "_%s", joined);
    }
    h->imports[h->nimports++] = (struct item){name->module, name->field, joined, kind, index};
}

static void collect(struct header *h) {
    const struct ir_module *m = h->m;
    for (uint32_t i = 0; i < m->nfunc_imports; i++) {
        add_import(h, &m->funcs[i].import, IR_EXTERN_FUNC, i);
    }
    for (uint32_t i = 0; i < m->ntables; i++) {
        add_import(h, &m->tables[i].import, IR_EXTERN_TABLE, i);
    }
    for (uint32_t i = 0; i < m->nmemories; i++) {
        add_import(h, &m->memories[i].import, IR_EXTERN_MEMORY, i);
    }
    for (uint32_t i = 0; i < m->nglobals; i++) {
        add_import(h, &m->globals[i].import, IR_EXTERN_GLOBAL, i);
    }
    for (uint32_t i = 0; i < m->ntags; i++) {
        add_import(h, &m->tags[i].import, IR_EXTERN_TAG, i);
    }
    /* Fields of the imports struct: "x" and "x_user" of one must not meet "x_user" of another. */
    for (uint32_t i = 0; i < h->nimports; i++) {
        const char *name;
        do {
            name = names_unique(&h->names, h->imports[i].c_name);
            if (is_keyword(name)) {
                name = names_unique(&h->names, arena_printf(&h->names.arena, "%s_", name));
            }
        } while (!names_take(&h->names, arena_printf(&h->names.arena, "%s_user", name)));
        h->imports[i].c_name = name;
    }
    static const char *const reserved[] = {"imports",     "instantiate", "free",      "run",
                                           "memory_base", "memory_size", "memory_at", "memory_grow"};
    struct names taken;
    names_init(&taken, m->nexports + h->nimports + 16);
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        names_take(&taken, reserved[i]);
    }
    for (uint32_t i = 0; i < h->nimports; i++) {
        names_take(&taken, arena_printf(&taken.arena, "call_import_%s", h->imports[i].c_name));
    }
    for (uint32_t i = 0; i < m->nexports; i++) {
        const struct ir_export *e = &m->exports[i];
        const char *name = arena_strdup(&h->names.arena, names_unique(&taken, e->name));
        h->exports[h->nexports++] = (struct item){NULL, e->name, name, e->kind, e->index};
        if (e->kind == IR_EXTERN_FUNC) {
            const struct ir_sig *s = &m->funcs[e->index].func->sig;
            bool plain = s->nparams == 0 && s->nresults == 0;
            h->runs |= plain && strcmp(e->name, "_start") == 0;
            h->initializes |= plain && strcmp(e->name, "_initialize") == 0;
        }
    }
    arena_free(&taken.arena);
}

/* "(void *user, wasmetal_instance *instance, int32_t a0, float *out1)" and the result type before it. */
static void add_callback_type(struct header *h, const struct ir_sig *s, const char *name) {
    struct strbuf *out = h->out;
    const char *result = s->nresults == 1 ? types[s->results[0]].c : "void";
    strbuf_printf(out, "    %s%s(*%s)(void *user, wasmetal_instance *instance", result,
                  result[strlen(result) - 1] == '*' ? "" : " ", name);
    for (uint32_t i = 0; i < s->nparams; i++) {
        strbuf_add(out, ", ");
        add_declarator(out, s->params[i], false, "a", i);
    }
    for (uint32_t i = 0; s->nresults > 1 && i < s->nresults; i++) {
        strbuf_add(out, ", ");
        add_declarator(out, s->results[i], true, "out", i);
    }
    strbuf_printf(out, ");\n    void *%s_user;\n", name);
}

static void add_type_text(struct strbuf *out, const struct ir_sig *s) {
    strbuf_add(out, "\"");
    for (uint32_t i = 0; i < s->nparams; i++) {
        strbuf_printf(out, "%c", types[s->params[i]].letter);
    }
    strbuf_add(out, ":");
    for (uint32_t i = 0; i < s->nresults; i++) {
        strbuf_printf(out, "%c", types[s->results[i]].letter);
    }
    strbuf_add(out, "\"");
}

static void add_imports_struct(struct header *h) {
    struct strbuf *out = h->out;
    static const char *const kinds[] = {"function", "table", "memory", "global", "tag"};
    strbuf_printf(
        out,
        "/* What the module imports, WASI aside.  Functions left NULL are looked for in the description's own\n"
        " * imports and links.  To trap, a function calls wasmetal_raise and returns.  Must outlive the\n"
        " * instance. */\n"
        "struct %s_imports {\n",
        h->prefix);
    for (uint32_t i = 0; i < h->nimports; i++) {
        const struct item *item = &h->imports[i];
        strbuf_printf(out, "    /* %s ", kinds[item->kind]);
        add_comment_text(out, item->module);
        strbuf_add(out, " . ");
        add_comment_text(out, item->field);
        strbuf_add(out, " */\n");
        if (item->kind == IR_EXTERN_FUNC) {
            add_callback_type(h, sig_of(h, item), item->c_name);
        } else {
            strbuf_printf(out, "    wasmetal_object *%s;\n", item->c_name);
        }
    }
    strbuf_add(out, h->nimports ? "};\n\n" : "    int none;\n};\n\n");
}

/* The function that the runtime calls: cells to arguments, results to cells. */
static void add_adapter(struct header *h, const struct item *item) {
    struct strbuf *out = h->out;
    const struct ir_sig *s = sig_of(h, item);
    strbuf_printf(
        out,
        "static inline uint64_t %s_call_import_%s(void *user, wasmetal_instance *instance, uint64_t *cells) {\n"
        "    const struct %s_imports *imports = (const struct %s_imports *)user;\n",
        h->prefix, item->c_name, h->prefix, h->prefix);
    for (uint32_t i = 0; i < s->nresults; i++) {
        strbuf_add(out, "    ");
        add_declarator(out, s->results[i], false, "result", i);
        strbuf_add(out, s->nresults > 1 && s->results[i] != IR_V128 ? " = 0;\n"
                        : s->nresults > 1                           ? " = {0, 0};\n"
                                                                    : ";\n");
    }
    if (s->nparams + s->nresults == 0) {
        strbuf_add(out, "    (void)cells;\n");
    }
    strbuf_printf(out, "    %simports->%s(imports->%s_user, instance", s->nresults == 1 ? "result0 = " : "",
                  item->c_name, item->c_name);
    uint32_t cell = 0;
    for (uint32_t i = 0; i < s->nparams; i++) {
        strbuf_add(out, ", ");
        add_from_cell(out, s->params[i], cell);
        cell += cells_of(s->params[i]);
    }
    for (uint32_t i = 0; s->nresults > 1 && i < s->nresults; i++) {
        strbuf_printf(out, ", &result%u", i);
    }
    strbuf_add(out, ");\n");
    cell = 0;
    for (uint32_t i = 0; i < s->nresults; i++) {
        char value[32];
        snprintf(value, sizeof value, "result%u", i);
        add_to_cell(out, s->results[i], cell, value);
        cell += cells_of(s->results[i]);
    }
    strbuf_add(out, "    return wasmetal_take_raised(instance);\n}\n\n");
}

static void add_instance_struct(struct header *h) {
    struct strbuf *out = h->out;
    strbuf_printf(out,
                  "/* One instance.  `trap` is filled when a call returns TRAP, EXIT or EXCEPTION. */\n"
                  "struct %s {\n    wasmetal_instance *instance;\n    wasmetal_trap trap;\n",
                  h->prefix);
    for (uint32_t i = 0; i < h->nexports; i++) {
        strbuf_printf(out, "    wasmetal_object *export_%s; /* ", h->exports[i].c_name);
        add_comment_text(out, h->exports[i].field);
        strbuf_add(out, " */\n");
    }
    strbuf_add(out, "};\n\n");
}

static void add_instantiate(struct header *h) {
    struct strbuf *out = h->out;
    const char *p = h->prefix;
    strbuf_printf(out,
                  "/* Makes an instance.  Either argument may be NULL%s.\n"
                  " * On success *out is to be given to %s_free; on failure only out->trap means anything. */\n"
                  "static inline wasmetal_status %s_instantiate(const struct %s_imports *imports,\n"
                  "                                             const wasmetal_instance_desc *desc, struct %s *out) {\n"
                  "    wasmetal_instance_desc d;\n    wasmetal_status status;\n%s",
                  h->nimports ? " (the description must then name all imports)" : "", p, p, p, p,
                  h->nimports ? "    wasmetal_import *list = NULL;\n" : "");
    if (h->nimports || h->nexports) {
        strbuf_add(out, "    size_t n = 0;\n");
    }
    strbuf_add(out, "    memset(out, 0, sizeof *out);\n"
                    "    if (desc) {\n        d = *desc;\n    } else {\n        memset(&d, 0, sizeof d);\n    }\n"
                    "    if (!d.start_trap) {\n        d.start_trap = &out->trap;\n    }\n");
    if (h->nimports) {
        strbuf_printf(out,
                      "    if (imports) {\n"
                      "        list = (wasmetal_import *)calloc(%u + d.nimports, sizeof *list);\n"
                      "        if (!list) {\n            return WASMETAL_ERROR_OUT_OF_MEMORY;\n        }\n",
                      h->nimports);
        for (uint32_t i = 0; i < h->nimports; i++) {
            const struct item *item = &h->imports[i];
            strbuf_printf(out, "        if (imports->%s) {\n            list[n].module = ", item->c_name);
            add_string_literal(out, item->module);
            strbuf_add(out, ";\n            list[n].name = ");
            add_string_literal(out, item->field);
            strbuf_add(out, ";\n");
            if (item->kind == IR_EXTERN_FUNC) {
                strbuf_printf(out,
                              "            list[n].fn = %s_call_import_%s;\n"
                              "            list[n].user = (void *)(uintptr_t)imports;\n            list[n].type = ",
                              p, item->c_name);
                add_type_text(out, sig_of(h, item));
                strbuf_add(out, ";\n");
            } else {
                strbuf_printf(out, "            list[n].object = imports->%s;\n", item->c_name);
            }
            strbuf_add(out, "            n++;\n        }\n");
        }
        strbuf_add(out, "        if (d.nimports) {\n"
                        "            memcpy(list + n, d.imports, d.nimports * sizeof *list);\n        }\n"
                        "        d.imports = list;\n        d.nimports += n;\n    }\n");
    } else {
        strbuf_add(out, "    (void)imports;\n");
    }
    strbuf_printf(out, "    status = wasmetal_instantiate(&wasmetal_module_%s, &d, &out->instance);\n%s", h->m->name,
                  h->nimports ? "    free(list);\n" : "");
    if (h->nexports) {
        strbuf_printf(out, "    if (status == WASMETAL_OK) {\n"
                           "        wasmetal_object **const slots[] = {\n");
        for (uint32_t i = 0; i < h->nexports; i++) {
            strbuf_printf(out, "            &out->export_%s,\n", h->exports[i].c_name);
        }
        strbuf_printf(out,
                      "        };\n"
                      "        for (n = 0; n < %u; n++) {\n"
                      "            wasmetal_export e;\n"
                      "            if (wasmetal_export_at(out->instance, n, &e) == WASMETAL_OK) {\n"
                      "                *slots[n] = e.object;\n            }\n        }\n    }\n",
                      h->nexports);
    }
    if (h->initializes) {
        strbuf_add(out, "    if (status == WASMETAL_OK) {\n"
                        "        status = wasmetal_run_wasi_initialize(out->instance, &out->trap);\n"
                        "        if (status != WASMETAL_OK) {\n            wasmetal_free(out->instance);\n"
                        "            out->instance = NULL;\n        }\n    }\n");
    }
    strbuf_printf(out,
                  "    return status;\n}\n\n"
                  "static inline void %s_free(struct %s *m) {\n"
                  "    wasmetal_free(m->instance);\n    m->instance = NULL;\n}\n\n",
                  p, p);
}

static void add_export_call(struct header *h, const struct item *item) {
    struct strbuf *out = h->out;
    const struct ir_sig *s = sig_of(h, item);
    uint32_t in = cells_in(s->params, s->nparams), back = cells_in(s->results, s->nresults);
    strbuf_add(out, "/* ");
    add_comment_text(out, item->field);
    strbuf_printf(out, " */\nstatic inline wasmetal_status %s_%s(struct %s *m", h->prefix, item->c_name, h->prefix);
    for (uint32_t i = 0; i < s->nparams; i++) {
        strbuf_add(out, ", ");
        add_declarator(out, s->params[i], false, "a", i);
    }
    for (uint32_t i = 0; i < s->nresults; i++) {
        strbuf_add(out, ", ");
        add_declarator(out, s->results[i], true, "out", i);
    }
    strbuf_add(out, ") {\n");
    if (in + back == 0) {
        strbuf_printf(out, "    return wasmetal_call(m->instance, m->export_%s, NULL, &m->trap);\n}\n\n", item->c_name);
        return;
    }
    strbuf_printf(out, "    uint64_t cells[%u];\n    wasmetal_status status;\n", in > back ? in : back);
    uint32_t cell = 0;
    for (uint32_t i = 0; i < s->nparams; i++) {
        char value[32];
        snprintf(value, sizeof value, "a%u", i);
        add_to_cell(out, s->params[i], cell, value);
        cell += cells_of(s->params[i]);
    }
    strbuf_printf(out, "    status = wasmetal_call(m->instance, m->export_%s, cells, &m->trap);\n", item->c_name);
    if (back) {
        strbuf_add(out, "    if (status == WASMETAL_OK) {\n");
        cell = 0;
        for (uint32_t i = 0; i < s->nresults; i++) {
            strbuf_printf(out, "        *out%u = ", i);
            add_from_cell(out, s->results[i], cell);
            strbuf_add(out, ";\n");
            cell += cells_of(s->results[i]);
        }
        strbuf_add(out, "    }\n");
    }
    strbuf_add(out, "    return status;\n}\n\n");
}

static void add_memory(struct header *h) {
    const char *p = h->prefix;
    strbuf_printf(
        h->out,
        "/* The module's first memory; see wasmetal_memory_base and the functions beside it. */\n"
        "static inline uint8_t *%s_memory_base(const struct %s *m) {\n"
        "    return wasmetal_memory_base(m->instance);\n}\n\n"
        "static inline uint64_t %s_memory_size(const struct %s *m) {\n"
        "    return wasmetal_memory_size(m->instance);\n}\n\n"
        "static inline void *%s_memory_at(const struct %s *m, uint64_t address, uint64_t bytes) {\n"
        "    return wasmetal_memory_at(m->instance, address, bytes);\n}\n\n"
        "static inline wasmetal_status %s_memory_grow(struct %s *m, uint64_t pages, uint64_t *out_old_pages) {\n"
        "    return wasmetal_memory_grow(m->instance, pages, out_old_pages);\n}\n\n",
        p, p, p, p, p, p, p, p);
}

static void write_all(struct header *h) {
    struct strbuf *out = h->out;
    const struct ir_module *m = h->m;
    strbuf_printf(out,
                  "/* Interface of the compiled WebAssembly module \"%s\".  Made by wasmetal; do not edit.\n *\n"
                  " * Floating point in kernels: %s%s.\n"
                  " * Link the object file and the runtime library.  Ownership and threads: wasmetal.h. */\n"
                  "#ifndef WASMETAL_MODULE_%s_H\n#define WASMETAL_MODULE_%s_H\n\n"
                  "#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\n\n#include <wasmetal.h>\n\n"
                  "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
                  "extern const wasmetal_module wasmetal_module_%s;\n\n",
                  m->name, fp_mode_text(m->fp), m->fp ? " (results may differ from other engines')" : "", m->name,
                  m->name, m->name);
    add_imports_struct(h);
    for (uint32_t i = 0; i < h->nimports; i++) {
        if (h->imports[i].kind == IR_EXTERN_FUNC) {
            add_adapter(h, &h->imports[i]);
        }
    }
    add_instance_struct(h);
    add_instantiate(h);
    for (uint32_t i = 0; i < h->nexports; i++) {
        if (h->exports[i].kind == IR_EXTERN_FUNC) {
            add_export_call(h, &h->exports[i]);
        }
    }
    if (m->nmemories) {
        add_memory(h);
    }
    if (h->runs) {
        strbuf_printf(out,
                      "/* Runs the program: wasmetal_run_wasi_start. */\n"
                      "static inline wasmetal_status %s_run(struct %s *m, uint32_t *out_exit_code) {\n"
                      "    return wasmetal_run_wasi_start(m->instance, out_exit_code, &m->trap);\n}\n\n",
                      h->prefix, h->prefix);
    }
    strbuf_add(out, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

bool header_write(const struct ir_module *m, struct strbuf *out) {
    uint64_t items = (uint64_t)m->nfunc_imports + m->ntables + m->nmemories + m->nglobals + m->ntags + m->nexports;
    if (items > MAX_ITEMS) {
        return false;
    }
    struct header h = {.m = m, .out = out};
    names_init(&h.names, (uint32_t)items * 2 + 16);
    h.prefix = is_keyword(m->name) ? arena_printf(&h.names.arena, "%s_", m->name) : m->name;
    h.imports = arena_array(&h.names.arena, struct item, items + 1);
    h.exports = arena_array(&h.names.arena, struct item, items + 1);
    collect(&h);
    write_all(&h);
    arena_free(&h.names.arena);
    return true;
}
