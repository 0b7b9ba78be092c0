/* See explain_library.h.  By name first: those that wasi-libc, Emscripten's musl, dlmalloc and rustc's std give them.
 * Then what is called, and only called, from those; exported functions never.  With the names stripped nothing is
 * found, and every function counts as the program's own.
 *
 * memcpy, strlen and the like are not in the list, nor libm: programs do spend their time there.
 */
#include "compiler/explain_library.h"

#include <string.h>

static const char names[] =
    " printf_core fmt_fp fmt_u pop_arg printf vprintf vfprintf fprintf sprintf vsprintf snprintf vsnprintf sn_write "
    "asprintf "
    "vasprintf puts fputs fputc putc putchar putchar_unlocked fwrite fread fflush fopen fdopen fclose fgets fgetc getc "
    "ungetc "
    "getline getdelim fseek ftell scanf sscanf fscanf vfscanf vsscanf string_read strtod strtof strtold strtol strtoul "
    "strtoll "
    "strtoull strtox atoi atof atol decfloat hexfloat scanexp malloc free calloc realloc aligned_alloc posix_memalign "
    "internal_memalign dispose_chunk try_realloc_chunk sbrk dlmalloc dlfree dlcalloc dlrealloc dlmemalign "
    "dlposix_memalign "
    "__rem_pio2_large exit _Exit atexit getenv setlocale strerror perror wcrtomb wctomb mbrtowc mbtowc mbsinit openat "
    "writev "
    "readv lseek "
    "opendir readdir closedir ";

static const char *const prefixes[] = {
    "__stdio_",   "__wasi",      "__fwrite",     "__towrite",           "__toread",
    "__overflow", "__uflow",     "__fmode",      "__intscan",           "__shlim",
    "__shgetc",   "__floatscan", "__lctrans",    "__strerror",          "__ofl",
    "__fdopen",   "__fopen",     "__small_",     "emscripten_builtin_", "_ZN4core3fmt",
    "_ZN3std",    "_ZN5alloc",   "_ZN8dlmalloc",
};

static bool is_named(const char *name) {
    size_t n = strlen(name);
    for (const char *at = names; n && (at = strstr(at, name)); at++)
        if (at > names && at[-1] == ' ' && at[n] == ' ')
            return true;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

struct calls {
    const bool *library;
    bool *any, *outside; /* whether a function is called at all, and by the program's own; calls of itself left out */
    uint32_t caller;
};

static void find_calls(struct calls *c, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if ((i->op == IR_CALL || i->op == IR_RETURN_CALL) && i->index != c->caller) {
            c->any[i->index] = true;
            c->outside[i->index] |= !c->library[c->caller];
        }
        ir_foreach_region (inner, i)
            find_calls(c, inner);
    }
}

bool *explain_find_library(struct arena *arena, const struct ir_module *m) {
    size_t size = m->nfuncs + 1;
    bool *library = arena_array(arena, bool, size), *exported = arena_array(arena, bool, size);
    struct calls c = {library, arena_array(arena, bool, size), arena_array(arena, bool, size), 0};
    for (uint32_t f = m->nfunc_imports; f < m->nfuncs; f++)
        library[f] = is_named(m->funcs[f].func->name);
    for (uint32_t e = 0; e < m->nexports; e++)
        if (m->exports[e].kind == IR_EXTERN_FUNC)
            exported[m->exports[e].index] = true;
    for (bool changed = true; changed;) {
        changed = false;
        memset(c.outside, 0, size * sizeof *c.outside);
        for (c.caller = m->nfunc_imports; c.caller < m->nfuncs; c.caller++)
            find_calls(&c, m->funcs[c.caller].func->body);
        for (uint32_t f = m->nfunc_imports; f < m->nfuncs; f++)
            if (!library[f] && c.any[f] && !c.outside[f] && !exported[f])
                library[f] = changed = true;
    }
    return library;
}
