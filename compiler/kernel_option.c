/* See kernel_option.h. */
#include "compiler/kernel_option.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const char *name, const char *word, size_t n) {
    return name && strlen(name) == n && !memcmp(name, word, n);
}

/* The function of that name, export name or number; -1: none. */
static int64_t find_function(const struct ir_module *m, const char *word, size_t n) {
    if (n && strspn(word, "0123456789") >= n) {
        unsigned long index = n < 10 ? strtoul(word, NULL, 10) : ULONG_MAX;
        return index < m->nfuncs ? (int64_t)index : -1;
    }
    for (uint32_t k = 0; k < m->nexports; k++)
        if (m->exports[k].kind == IR_EXTERN_FUNC && matches(m->exports[k].name, word, n))
            return m->exports[k].index;
    for (uint32_t k = 0; k < m->nfuncs; k++)
        if (matches(m->funcs[k].func->name, word, n))
            return k;
    return -1;
}

bool kernel_option_apply(struct ir_module *m, const char *list, struct diag *d) {
    if (!list)
        return true;
    uint32_t most = 1, n = 0;
    for (const char *c = list; *c; c++)
        most += *c == ',';
    uint32_t *declared = arena_array(&m->arena, uint32_t, most);
    for (const char *word = list;; word++) {
        size_t length = strcspn(word, ",");
        int64_t index = find_function(m, word, length);
        const struct ir_func *f = index < 0 ? NULL : m->funcs[index].func;
        if (!f || !f->body || !f->sig.nparams || f->sig.params[0] != IR_I32) {
            diag_error(d, DIAG_KERNEL_OPTION, DIAG_NO_OFFSET, -1, NULL, "--kernel: %s \"%.*s\"",
                       !f         ? "there is no function"
                       : !f->body ? "imported, so no kernel can be made of function"
                                  : "the first parameter is no i32, in function",
                       (int)length, word);
            return false;
        }
        declared[n++] = (uint32_t)index;
        word += length;
        if (!*word)
            break;
    }
    m->declared = declared;
    m->ndeclared = n;
    return true;
}
