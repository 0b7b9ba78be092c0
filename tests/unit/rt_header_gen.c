/* Writes the C headers that rt_header.c and rt_header_cxx.cc compile: one for the module of rt_fixture.c, one for a
 * module with every type and awkward names, one for an empty module.  Argument: the folder to write to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/header.h"

static enum ir_type ii[] = {IR_I32, IR_I32}, lfd[] = {IR_I64, IR_F32, IR_F64}, d[] = {IR_F64}, i[] = {IR_I32};
static enum ir_type all[] = {IR_I32, IR_I64, IR_F32, IR_F64, IR_V128, IR_FUNCREF, IR_EXTERNREF};

static void write_header(const char *folder, const struct ir_module *m) {
    struct strbuf text = {0}, again = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/%s.h", folder, m->name);
    FILE *f = fopen(path, "w");
    if (!f || !header_write(m, &text) || !header_write(m, &again) || strcmp(text.data, again.data) != 0 ||
        fputs(text.data, f) == EOF || fclose(f) != 0) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(1);
    }
    strbuf_free(&text);
    strbuf_free(&again);
}

static void fixture_header(const char *folder) {
    /* In the order of the enum in rt_fixture.h. */
    static const struct {
        const char *name;
        struct ir_sig sig;
    } rows[] = {
        {"add", {2, 1, ii, i}},        {"proc_exit", {1, 0, i, NULL}},  {"poke", {2, 0, ii, NULL}},
        {"peek", {1, 1, i, i}},        {"recurse", {1, 1, i, i}},       {"divide", {0, 1, NULL, i}},
        {"grow", {1, 1, i, i}},        {"call_add", {2, 1, ii, i}},     {"call_exit", {2, 0, ii, NULL}},
        {"start", {0, 0, NULL, NULL}}, {"get_global", {0, 1, NULL, i}}, {"indirect", {2, 1, ii, i}},
        {"mix", {3, 1, lfd, d}},       {"deep_add", {1, 1, i, i}},      {"twice", {1, 1, i, i}},
    };
    enum { N = sizeof rows / sizeof *rows };
    struct ir_func funcs[N];
    struct ir_func_entry entries[N];
    struct ir_export exports[N + 4];
    memset(funcs, 0, sizeof funcs);
    memset(entries, 0, sizeof entries);
    for (uint32_t k = 0; k < N; k++) {
        funcs[k].sig = rows[k].sig;
        entries[k].func = &funcs[k];
        exports[k] = (struct ir_export){rows[k].name, IR_EXTERN_FUNC, k};
    }
    entries[0].import = (struct ir_import_name){"env", "add"};
    entries[1].import = (struct ir_import_name){"wasi_snapshot_preview1", "proc_exit"};
    exports[N] = (struct ir_export){"memory", IR_EXTERN_MEMORY, 0};
    exports[N + 1] = (struct ir_export){"table", IR_EXTERN_TABLE, 0};
    exports[N + 2] = (struct ir_export){"global", IR_EXTERN_GLOBAL, 0};
    exports[N + 3] = (struct ir_export){"constant", IR_EXTERN_GLOBAL, 1};
    struct ir_memory memory = {.limits = {.min = 1}};
    struct ir_module m = {.name = "fixture",
                          .funcs = entries,
                          .nfuncs = N,
                          .nfunc_imports = 2,
                          .memories = &memory,
                          .nmemories = 1,
                          .exports = exports,
                          .nexports = N + 4};
    write_header(folder, &m);
}

static void awkward_header(const char *folder) {
    struct ir_func funcs[3];
    memset(funcs, 0, sizeof funcs);
    funcs[0].sig = (struct ir_sig){7, 1, all, d};
    funcs[1].sig = (struct ir_sig){7, 7, all, all};
    struct ir_func_entry entries[] = {
        {{"env", "f"}, &funcs[0]}, {{"env", "a\"b*/\?\?/\\\n\xc3\xa9"}, &funcs[1]},
        {{"1", "2"}, &funcs[2]},   {{"env", "f_user"}, &funcs[2]},
        {{NULL, NULL}, &funcs[1]}, {{NULL, NULL}, &funcs[2]},
    };
    struct ir_memory memory = {.import = {"env", "f"}, .limits = {.min = 1}};
    struct ir_global global = {.import = {"env", "f"}, .type = IR_I32};
    static const char *const names[] = {
        "free", "instantiate", "imports",           "run",    "memory_at",        "",   "int", "a-b", "a_b",
        "a b",  "a_b_2",       "call_import_env_f", "_start", "\xf0\x9f\x98\x80", "*/", "1"};
    enum { N = sizeof names / sizeof *names };
    struct ir_export exports[N];
    for (uint32_t k = 0; k < N; k++) {
        exports[k] = (struct ir_export){names[k], IR_EXTERN_FUNC, strcmp(names[k], "_start") == 0 ? 5 : k % 2 ? 0 : 4};
    }
    struct ir_module m = {.name = "double",
                          .funcs = entries,
                          .nfuncs = 6,
                          .nfunc_imports = 4,
                          .memories = &memory,
                          .nmemories = 1,
                          .globals = &global,
                          .nglobals = 1,
                          .exports = exports,
                          .nexports = N};
    write_header(folder, &m);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    struct ir_module empty = {.name = "empty"};
    fixture_header(argv[1]);
    awkward_header(argv[1]);
    write_header(argv[1], &empty);
    return 0;
}
