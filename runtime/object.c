/* Exports, calls and objects: the parts of the public interface that work on a finished instance. */
#include "runtime/instance.h"
#include "runtime/names.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_OF(x) #x
#define VERSION_TEXT(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

const char *wasmetal_version(void) {
    return VERSION_TEXT(WASMETAL_VERSION_MAJOR, WASMETAL_VERSION_MINOR, WASMETAL_VERSION_PATCH);
}

const char *wasmetal_status_text(wasmetal_status status) {
    switch (status) {
    case WASMETAL_OK:
        return "success";
    case WASMETAL_TRAP:
        return "trap";
    case WASMETAL_EXIT:
        return "program exit";
    case WASMETAL_EXCEPTION:
        return "uncaught exception";
    case WASMETAL_ERROR_ARGUMENT:
        return "invalid argument";
    case WASMETAL_ERROR_OUT_OF_MEMORY:
        return "out of memory";
    case WASMETAL_ERROR_ADDRESS_SPACE:
        return "not enough address space for linear memory";
    case WASMETAL_ERROR_ABI:
        return "module compiled for another runtime version";
    case WASMETAL_ERROR_IMPORT:
        return "import missing or of another type";
    case WASMETAL_ERROR_NOT_FOUND:
        return "not found";
    case WASMETAL_ERROR_TYPE:
        return "object of another kind or type";
    case WASMETAL_ERROR_LIMIT:
        return "limit reached";
    case WASMETAL_ERROR_IO:
        return "file or folder cannot be opened";
    }
    return "unknown status";
}

/* ---- exports ---- */

const wasmetal_module *wasmetal_instance_module(const wasmetal_instance *instance) {
    return instance->module;
}

size_t wasmetal_export_count(const wasmetal_instance *instance) {
    return instance->nexports;
}

wasmetal_status wasmetal_export_at(const wasmetal_instance *instance, size_t index, wasmetal_export *out_export) {
    if (index >= instance->nexports) {
        return WASMETAL_ERROR_NOT_FOUND;
    }
    wasmetal_object *o = &instance->exports[index];
    *out_export = (wasmetal_export){instance->module->exports[index].name, o->kind, o, o->type};
    return WASMETAL_OK;
}

wasmetal_status wasmetal_export_find(const wasmetal_instance *instance, const char *name, wasmetal_export *out_export) {
    uint64_t at = rt_names_hash(name, NULL);
    for (size_t i; instance->nexports && (i = rt_names_next(instance->export_names, &at)) != SIZE_MAX;) {
        if (strcmp(instance->module->exports[i].name, name) == 0) {
            return wasmetal_export_at(instance, i, out_export);
        }
    }
    return WASMETAL_ERROR_NOT_FOUND;
}

/* ---- calls ---- */

wasmetal_status wasmetal_call(wasmetal_instance *instance, const wasmetal_object *func, uint64_t *args_results,
                              wasmetal_trap *out_trap) {
    if (!instance || !func || func->instance != instance) {
        return WASMETAL_ERROR_ARGUMENT;
    }
    if (func->kind != WASMETAL_FUNC) {
        return WASMETAL_ERROR_TYPE;
    }
    return rt_enter(instance, func->func.trampoline, func->func.ref->ctx, func->func.ref->fn, args_results, out_trap);
}

void wasmetal_raise(wasmetal_instance *instance, uint32_t code) {
    if (code != WASMETAL_TRAP_NONE && code != WASMETAL_TRAP_EXIT) {
        instance->raised = code;
    }
}

uint64_t wasmetal_take_raised(wasmetal_instance *instance) {
    uint64_t code = instance->raised;
    instance->raised = 0;
    return code;
}

static wasmetal_status run_export(wasmetal_instance *instance, const char *name, wasmetal_trap *out_trap) {
    wasmetal_export e;
    if (wasmetal_export_find(instance, name, &e) != WASMETAL_OK) {
        return WASMETAL_ERROR_NOT_FOUND;
    }
    if (e.kind != WASMETAL_FUNC || strcmp(e.type, ":") != 0) {
        return WASMETAL_ERROR_TYPE;
    }
    return wasmetal_call(instance, e.object, NULL, out_trap);
}

wasmetal_status wasmetal_run_wasi_initialize(wasmetal_instance *instance, wasmetal_trap *out_trap) {
    wasmetal_status status = run_export(instance, "_initialize", out_trap);
    return status == WASMETAL_ERROR_NOT_FOUND ? WASMETAL_OK : status;
}

wasmetal_status wasmetal_run_wasi_start(wasmetal_instance *instance, uint32_t *out_exit_code, wasmetal_trap *out_trap) {
    wasmetal_trap trap;
    wasmetal_status status = run_export(instance, "_start", &trap);
    if (status == WASMETAL_OK || status == WASMETAL_EXIT) {
        *out_exit_code = status == WASMETAL_EXIT ? trap.exit_code : 0;
        return WASMETAL_OK;
    }
    if ((status == WASMETAL_TRAP || status == WASMETAL_EXCEPTION) && out_trap) {
        *out_trap = trap;
    }
    return status;
}

/* ---- the first memory ---- */

static const struct wm_memory *first_memory(const wasmetal_instance *in) {
    return in->module->nmemories ? in->vm->memories[0] : NULL;
}

uint8_t *wasmetal_memory_base(const wasmetal_instance *instance) {
    const struct wm_memory *m = first_memory(instance);
    return m ? m->base : NULL;
}

uint64_t wasmetal_memory_size(const wasmetal_instance *instance) {
    const struct wm_memory *m = first_memory(instance);
    return m ? rt_memory_bytes(m) : 0;
}

void *wasmetal_memory_at(const wasmetal_instance *instance, uint64_t address, uint64_t bytes) {
    const struct wm_memory *m = first_memory(instance);
    uint64_t size = m ? rt_memory_bytes(m) : 0;
    if (!m || address > size || bytes > size - address) {
        return NULL;
    }
    return m->base + address;
}

wasmetal_status wasmetal_memory_grow(wasmetal_instance *instance, uint64_t pages, uint64_t *out_old_pages) {
    const struct wm_memory *m = first_memory(instance);
    if (!m) {
        return WASMETAL_ERROR_NOT_FOUND;
    }
    wasmetal_status status;
    uint64_t old = rt_memory_grow(m->owner, instance->group, pages, &status);
    if (status == WASMETAL_OK && out_old_pages) {
        *out_old_pages = old;
    }
    return status;
}

/* ---- objects of the host ---- */

static wasmetal_object *object_new(wasmetal_kind kind) {
    void *p = NULL;
    if (posix_memalign(&p, 64, sizeof(wasmetal_object)) != 0) {
        return NULL;
    }
    wasmetal_object *o = p;
    *o = (wasmetal_object){.kind = kind, .host_owned = true, .type = o->type_text, .group = rt_group_new()};
    if (!o->group) {
        free(o);
        return NULL;
    }
    return o;
}

static void object_drop(wasmetal_object *o) {
    rt_group_release(o->group);
    free(o);
}

static wasmetal_status memory_new(uint64_t min_pages, uint64_t max_pages, bool shared, wasmetal_object **out_object) {
    if (min_pages > 65536 || max_pages < min_pages) {
        return WASMETAL_ERROR_ARGUMENT;
    }
    wasmetal_object *o = object_new(WASMETAL_MEMORY);
    if (!o) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    struct wm_limits limits = {.min = min_pages, .max = max_pages, .flags = shared};
    wasmetal_status status = rt_memory_open(&limits, true, 0, o->group, &o->memory);
    if (status != WASMETAL_OK) {
        object_drop(o);
        return status;
    }
    *out_object = o;
    return WASMETAL_OK;
}

wasmetal_status wasmetal_memory_new(uint64_t min_pages, uint64_t max_pages, wasmetal_object **out_object) {
    return memory_new(min_pages, max_pages, false, out_object);
}

wasmetal_status wasmetal_memory_new_shared(uint64_t min_pages, uint64_t max_pages, wasmetal_object **out_object) {
    if (max_pages > 65536) { /* a shared memory has a maximum */
        return WASMETAL_ERROR_ARGUMENT;
    }
    return memory_new(min_pages, max_pages, true, out_object);
}

wasmetal_status wasmetal_memory_share(const wasmetal_object *memory, wasmetal_object **out_object) {
    if (memory->kind != WASMETAL_MEMORY || !memory->memory->shared) {
        return WASMETAL_ERROR_TYPE;
    }
    wasmetal_object *o = object_new(WASMETAL_MEMORY);
    if (!o) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    o->memory = rt_memory_hold(memory->memory);
    *out_object = o;
    return WASMETAL_OK;
}

wasmetal_status wasmetal_table_new(char type, uint64_t min, uint64_t max, wasmetal_object **out_object) {
    if ((type != 'r' && type != 'x') || max < min) {
        return WASMETAL_ERROR_ARGUMENT;
    }
    wasmetal_object *o = object_new(WASMETAL_TABLE);
    if (!o) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    struct wm_limits limits = {.min = min, .max = max};
    wasmetal_status status = rt_table_open(&limits, type, 0, &o->table);
    if (status != WASMETAL_OK) {
        object_drop(o);
        return status == WASMETAL_ERROR_LIMIT ? WASMETAL_ERROR_ARGUMENT : status;
    }
    o->type_text[0] = type;
    *out_object = o;
    return WASMETAL_OK;
}

wasmetal_status wasmetal_global_new(char type, bool is_mutable, const uint64_t *cells, wasmetal_object **out_object) {
    if (!type || !strchr("ilfdvrx", type) || !cells) {
        return WASMETAL_ERROR_ARGUMENT;
    }
    wasmetal_object *o = object_new(WASMETAL_GLOBAL);
    if (!o) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    o->type_text[0] = type;
    o->global.cell = o->storage;
    o->global.is_mutable = is_mutable;
    o->storage[0] = cells[0];
    o->storage[1] = type == 'v' ? cells[1] : 0;
    *out_object = o;
    return WASMETAL_OK;
}

wasmetal_status wasmetal_tag_new(const char *type, wasmetal_object **out_object) {
    size_t n = type ? strlen(type) : 0;
    if (n == 0 || type[n - 1] != ':' || strspn(type, "ilfdvrx") != n - 1 || n > 1000) {
        return WASMETAL_ERROR_ARGUMENT;
    }
    wasmetal_object *o = object_new(WASMETAL_TAG);
    char *copy = o ? strdup(type) : NULL;
    if (!copy) {
        if (o) {
            object_drop(o);
        }
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    o->own_tag.type = o->type = copy;
    o->tag = &o->own_tag;
    *out_object = o;
    return WASMETAL_OK;
}

void wasmetal_object_free(wasmetal_object *object) {
    if (!object || !object->host_owned) {
        return;
    }
    if (object->kind == WASMETAL_MEMORY) {
        rt_memory_close(object->memory);
    } else if (object->kind == WASMETAL_TABLE) {
        rt_table_close(object->table);
    } else if (object->kind == WASMETAL_TAG) {
        free((char *)object->own_tag.type);
    }
    object_drop(object);
}

wasmetal_kind wasmetal_object_kind(const wasmetal_object *object) {
    return object->kind;
}

wasmetal_status wasmetal_global_get(const wasmetal_object *global, uint64_t *out_cells) {
    if (global->kind != WASMETAL_GLOBAL) {
        return WASMETAL_ERROR_TYPE;
    }
    char type = global->type[0];
    out_cells[0] = type == 'i' || type == 'f' ? global->global.cell[0] & UINT32_MAX : global->global.cell[0];
    if (type == 'v') {
        out_cells[1] = global->global.cell[1];
    }
    return WASMETAL_OK;
}

wasmetal_status wasmetal_global_set(wasmetal_object *global, const uint64_t *cells) {
    if (global->kind != WASMETAL_GLOBAL || !global->global.is_mutable) {
        return WASMETAL_ERROR_TYPE;
    }
    global->global.cell[0] = cells[0];
    if (global->type[0] == 'v') {
        global->global.cell[1] = cells[1];
    }
    return WASMETAL_OK;
}

wasmetal_status wasmetal_table_size(const wasmetal_object *table, uint64_t *out_size) {
    if (table->kind != WASMETAL_TABLE) {
        return WASMETAL_ERROR_TYPE;
    }
    *out_size = table->table->pub.size;
    return WASMETAL_OK;
}

wasmetal_status wasmetal_table_get(const wasmetal_object *table, uint64_t index, void **out_reference) {
    if (table->kind != WASMETAL_TABLE) {
        return WASMETAL_ERROR_TYPE;
    }
    if (index >= table->table->pub.size) {
        return WASMETAL_ERROR_LIMIT;
    }
    *out_reference = table->table->pub.entries[index];
    return WASMETAL_OK;
}

wasmetal_status wasmetal_table_set(wasmetal_object *table, uint64_t index, void *reference) {
    if (table->kind != WASMETAL_TABLE) {
        return WASMETAL_ERROR_TYPE;
    }
    if (index >= table->table->pub.size) {
        return WASMETAL_ERROR_LIMIT;
    }
    table->table->pub.entries[index] = reference;
    return WASMETAL_OK;
}

wasmetal_status wasmetal_table_grow(wasmetal_object *table, uint64_t n, void *reference, uint64_t *out_old_size) {
    if (table->kind != WASMETAL_TABLE) {
        return WASMETAL_ERROR_TYPE;
    }
    struct wm_table *t = &table->table->pub;
    if (n > t->max - t->size) {
        return WASMETAL_ERROR_LIMIT;
    }
    if (out_old_size) {
        *out_old_size = t->size;
    }
    for (uint64_t i = 0; i < n; i++) {
        t->entries[t->size++] = reference;
    }
    return WASMETAL_OK;
}

wasmetal_status wasmetal_memory_view(const wasmetal_object *memory, uint8_t **out_base, uint64_t *out_bytes) {
    if (memory->kind != WASMETAL_MEMORY) {
        return WASMETAL_ERROR_TYPE;
    }
    *out_base = memory->memory->pub.base;
    *out_bytes = rt_memory_bytes(&memory->memory->pub);
    return WASMETAL_OK;
}

void *wasmetal_func_reference(const wasmetal_object *func) {
    return func->kind == WASMETAL_FUNC ? func->func.ref : NULL;
}
