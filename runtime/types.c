/* Function types: one number for each distinct type in the process.
 *
 * call_indirect compares numbers, and tables may hold functions of several modules, so equal types must have equal
 * numbers everywhere.  The table only grows; it holds as many entries as the loaded modules have distinct types.
 */
#include "ir/ir.h"
#include "runtime/instance.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct type_entry {
    uint64_t hash;
    char *text;
};

static struct {
    pthread_mutex_t lock;
    struct type_entry *entries; /* open addressing, capacity a power of two */
    uint64_t *ids;              /* beside each entry */
    size_t count, capacity;
} type_table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* FNV-1a, 64 bits (Fowler, Noll, Vo; RFC 9923). */
static uint64_t hash_text(const char *s) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *s; s++) {
        h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
    }
    return h;
}

static size_t find_slot(const struct type_entry *entries, size_t capacity, uint64_t hash, const char *text) {
    size_t i = (size_t)hash & (capacity - 1);
    while (entries[i].text && (entries[i].hash != hash || strcmp(entries[i].text, text) != 0)) {
        i = (i + 1) & (capacity - 1);
    }
    return i;
}

static bool grow_table(void) {
    size_t capacity = type_table.capacity ? type_table.capacity * 2 : 64;
    struct type_entry *entries = calloc(capacity, sizeof *entries);
    uint64_t *ids = calloc(capacity, sizeof *ids);
    if (!entries || !ids) {
        free(entries);
        free(ids);
        return false;
    }
    for (size_t i = 0; i < type_table.capacity; i++) {
        struct type_entry *e = &type_table.entries[i];
        if (e->text) {
            size_t slot = find_slot(entries, capacity, e->hash, e->text);
            entries[slot] = *e;
            ids[slot] = type_table.ids[i];
        }
    }
    free(type_table.entries);
    free(type_table.ids);
    type_table.entries = entries;
    type_table.ids = ids;
    type_table.capacity = capacity;
    return true;
}

uint64_t rt_type_intern(const char *type) {
    uint64_t hash = hash_text(type), id = 0;
    pthread_mutex_lock(&type_table.lock);
    if (type_table.count * 2 < type_table.capacity || grow_table()) {
        size_t slot = find_slot(type_table.entries, type_table.capacity, hash, type);
        if (!type_table.entries[slot].text) {
            char *copy = strdup(type);
            if (copy) {
                type_table.entries[slot] = (struct type_entry){hash, copy};
                type_table.ids[slot] = ++type_table.count;
            }
        }
        id = type_table.ids[slot];
    }
    pthread_mutex_unlock(&type_table.lock);
    return id;
}

char rt_type_letter(uint64_t type) {
    static const char letters[] = {
        [IR_I32] = 'i',  [IR_I64] = 'l',     [IR_F32] = 'f',       [IR_F64] = 'd',
        [IR_V128] = 'v', [IR_FUNCREF] = 'r', [IR_EXTERNREF] = 'x', [IR_EXNREF] = '?',
    };
    _Static_assert(sizeof letters == IR_TYPE_COUNT, "a letter for each type");
    return type < IR_TYPE_COUNT ? letters[type] : '?';
}

_Static_assert((int)IR_EXTERN_FUNC == WASMETAL_FUNC && (int)IR_EXTERN_TABLE == WASMETAL_TABLE &&
                   (int)IR_EXTERN_MEMORY == WASMETAL_MEMORY && (int)IR_EXTERN_GLOBAL == WASMETAL_GLOBAL &&
                   (int)IR_EXTERN_TAG == WASMETAL_TAG,
               "kinds are the same in modules and in the public header");

size_t rt_type_cells(const char *type) {
    size_t params = 0, results = 0, *n = &params;
    for (; *type; type++) {
        if (*type == ':') {
            n = &results;
        } else {
            *n += *type == 'v' ? 2 : 1;
        }
    }
    return params > results ? params : results;
}
