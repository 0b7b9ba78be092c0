/* Imports: finding what was given for each, checking that it fits, and joining the groups of instances linked so. */
#include "ir/ir.h"
#include "runtime/instance.h"
#include "runtime/names.h"
#include "runtime/wasi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- groups ---- */

struct rt_group *rt_group_new(void) {
    struct rt_group *g = calloc(1, sizeof *g);
    if (g) {
        g->refs = 1;
    }
    return g;
}

void rt_group_release(struct rt_group *g) {
    while (g && --g->refs == 0) {
        struct rt_group *forward = g->forward;
        while (g->zombies) {
            struct wasmetal_instance *z = g->zombies;
            g->zombies = z->next;
            z->link = NULL;
            rt_instance_destroy(z);
        }
        free(g);
        g = forward;
    }
}

struct rt_group *rt_group_root(struct rt_group *g) {
    while (g->forward) {
        g = g->forward;
    }
    return g;
}

struct rt_group *rt_group_find(struct rt_group **slot) {
    while ((*slot)->forward) {
        struct rt_group *g = *slot;
        *slot = g->forward;
        (*slot)->refs++;
        rt_group_release(g);
    }
    return *slot;
}

void rt_group_merge(struct rt_group **a, struct rt_group **b) {
    struct rt_group *to = rt_group_find(a), *from = rt_group_find(b);
    if (to == from) {
        return;
    }
    struct wasmetal_instance **in = &to->instances;
    while (*in) {
        in = &(*in)->next;
    }
    *in = from->instances;
    if (*in) {
        (*in)->link = in;
    }
    from->instances = NULL;
    for (struct wasmetal_instance *i = from->zombies; i; i = i->next) {
        i->group = to;
    }
    struct wasmetal_instance **z = &to->zombies;
    while (*z) {
        z = &(*z)->next;
    }
    *z = from->zombies;
    from->zombies = NULL;
    struct rt_memory **m = &to->memories;
    while (*m) {
        m = &(*m)->next;
    }
    *m = from->memories;
    if (*m) {
        (*m)->link = m;
    }
    from->memories = NULL;
    from->forward = to;
    to->refs++;
}

/* ---- checking ---- */

static const char *const kind_names[] = {"function", "table", "memory", "global", "tag"};

/* Import matching of the Wasm standard: at least the minimum now, and a maximum no larger where one is asked for. */
static bool limits_match(const struct wm_limits *want, uint64_t now, uint64_t declared_max) {
    return now >= want->min && (want->max == WM_NONE || (declared_max != WM_NONE && declared_max <= want->max));
}

static wasmetal_status mismatch(struct wasmetal_instance *in, const struct wm_import *im, const char *what) {
    rt_log(in, RT_LOG_IMPORT_TYPE, "import \"%.80s\".\"%.80s\" of module %s: %s", im->module, im->field,
           in->module->name, what);
    return WASMETAL_ERROR_IMPORT;
}

static uint64_t call_host(void *env, struct wasmetal_instance *instance, uint64_t *args_results) {
    const struct rt_host_import *host = env;
    if (!rt_host_begin(RT_HOST_STACK)) {
        return IR_TRAP_STACK_EXHAUSTED;
    }
    uint64_t code = host->fn(host->user, instance, args_results);
    rt_host_end();
    return code;
}

static wasmetal_status link_host(struct wasmetal_instance *in, const struct wm_import *im, wm_host_fn *fn, void *user,
                                 const char *type) {
    const struct wm_module *m = in->module;
    if (im->kind != IR_EXTERN_FUNC) {
        return mismatch(in, im, "a function was given, the module wants something else");
    }
    const char *want = m->types[m->funcs[im->index].type];
    if (type && strcmp(type, want) != 0) {
        return mismatch(in, im, "the function has another type");
    }
    struct rt_host_import *host = rt_alloc(in, 1, sizeof *host);
    if (!host) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    *host = (struct rt_host_import){fn, user};
    in->vm->imports[im->index] = (struct wm_import_func){.host = call_host, .env = host};
    struct wm_funcref *ref = &in->vm->funcrefs[im->index];
    ref->fn = m->funcs[im->index].fn;
    ref->tail = m->funcs[im->index].tail;
    ref->ctx = in->vm;
    ref->type_id = in->vm->type_ids[m->funcs[im->index].type];
    return WASMETAL_OK;
}

static wasmetal_status link_object(struct wasmetal_instance *in, const struct wm_import *im, wasmetal_object *o) {
    const struct wm_module *m = in->module;
    if ((uint64_t)o->kind != im->kind) {
        char text[96];
        snprintf(text, sizeof text, "a %s was given, the module wants a %s", kind_names[o->kind], kind_names[im->kind]);
        return mismatch(in, im, text);
    }
    switch (o->kind) {
    case WASMETAL_FUNC:
        if (o->func.ref->type_id != in->vm->type_ids[m->funcs[im->index].type]) {
            return mismatch(in, im, "the function has another type");
        }
        in->vm->imports[im->index] = (struct wm_import_func){.func = o->func.ref};
        in->vm->funcrefs[im->index] = *o->func.ref;
        break;
    case WASMETAL_TABLE:
        if (rt_type_letter(m->tables[im->index].type) != o->table->type ||
            !limits_match(&m->tables[im->index].limits, o->table->pub.size, o->table->declared_max)) {
            return mismatch(in, im, "the table's element type or limits do not fit");
        }
        in->vm->tables[im->index] = &o->table->pub;
        break;
    case WASMETAL_MEMORY:
        if (((m->memories[im->index].flags & 1) != 0) != o->memory->shared) {
            return mismatch(in, im, o->memory->shared ? "the memory is shared" : "the memory is not shared");
        }
        if (((m->memories[im->index].flags & 2) != 0) != o->memory->is64) {
            return mismatch(in, im,
                            o->memory->is64 ? "the memory has 64-bit addresses" : "the memory has 32-bit addresses");
        }
        if (!limits_match(&m->memories[im->index], rt_memory_bytes(&o->memory->pub) / RT_PAGE,
                          o->memory->declared_max)) {
            return mismatch(in, im, "the memory's limits do not fit");
        }
        if (!m->bounds_checks && !o->memory->guarded && !o->memory->is64) {
            return mismatch(in, im, "the memory has no guard pages, and the module was compiled without bounds checks");
        }
        in->vm->memories[im->index] = &o->memory->pub;
        if (o->memory->shared) { /* binds nothing but itself: the other side may be on another thread */
            in->own_memories[in->nown_memories++] = rt_memory_hold(o->memory);
            return WASMETAL_OK;
        }
        break;
    case WASMETAL_GLOBAL:
        if (rt_type_letter(m->globals[im->index].type) != o->type[0] ||
            (m->globals[im->index].is_mutable != 0) != (o->global.is_mutable != 0)) {
            return mismatch(in, im, "the global's type or mutability does not fit");
        }
        in->vm->globals[im->index] = o->global.cell;
        break;
    case WASMETAL_TAG:
        if (strcmp(m->types[m->tags[im->index]], o->tag->type) != 0) {
            return mismatch(in, im, "the tag has another type");
        }
        in->vm->tags[im->index] = o->tag;
        break;
    }
    rt_group_merge(&in->group, o->instance ? &o->instance->group : &o->group);
    return WASMETAL_OK;
}

static wasmetal_status link_one(struct wasmetal_instance *in, const wasmetal_instance_desc *desc,
                                const struct rt_names *names, const struct wm_import *im) {
    /* A module may import several kinds under one name; the first thing given of the kind wanted is taken. */
    const wasmetal_import *found = NULL;
    uint64_t at = rt_names_hash(im->module, im->field);
    for (size_t i; desc->nimports && (i = rt_names_next(names, &at)) != SIZE_MAX;) {
        const wasmetal_import *given = &desc->imports[i];
        if (strcmp(given->name, im->field) == 0 && strcmp(given->module, im->module) == 0) {
            bool right = (uint64_t)(given->object ? given->object->kind : WASMETAL_FUNC) == im->kind;
            found = found && !right ? found : given;
            if (right) {
                break;
            }
        }
    }
    if (found) {
        if (found->object) {
            return link_object(in, im, found->object);
        }
        if (!found->fn) {
            return mismatch(in, im, "neither an object nor a function was given");
        }
        return link_host(in, im, found->fn, found->user, found->type);
    }
    for (size_t i = 0; i < desc->nlinks; i++) {
        wasmetal_export e;
        if (strcmp(desc->links[i].module, im->module) == 0 &&
            wasmetal_export_find(desc->links[i].instance, im->field, &e) == WASMETAL_OK) {
            return link_object(in, im, e.object);
        }
    }
    if (!desc->no_wasi && strcmp(im->module, WASI_MODULE) == 0) {
        const struct wasi_function *f = wasi_find(im->field);
        if (f) {
            if (!in->wasi) {
                wasmetal_status status = wasi_open(in, desc, &in->wasi);
                if (status != WASMETAL_OK) {
                    return status;
                }
            }
            return link_host(in, im, f->fn, in->wasi, f->type);
        }
    }
    if (!desc->no_wasi && strcmp(im->module, EMSCRIPTEN_MODULE) == 0 && wasi_find_emscripten(im->field)) {
        const struct wasi_function *f = wasi_find_emscripten(im->field);
        return link_host(in, im, f->fn, NULL, f->type);
    }
    rt_log(in, RT_LOG_IMPORT_MISSING, "module %s imports the %s \"%.80s\".\"%.80s\", and nothing was given for it",
           in->module->name, kind_names[im->kind < 5 ? im->kind : 0], im->module, im->field);
    return WASMETAL_ERROR_IMPORT;
}

wasmetal_status rt_link_imports(struct wasmetal_instance *in, const wasmetal_instance_desc *desc) {
    struct rt_names names;
    if (!rt_names_new(in, desc->nimports, &names)) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < desc->nimports; i++) {
        rt_names_add(&names, rt_names_hash(desc->imports[i].module, desc->imports[i].name), i);
    }
    wasmetal_status status = WASMETAL_OK;
    for (uint64_t i = 0; i < in->module->nimports && status == WASMETAL_OK; i++) {
        status = link_one(in, desc, &names, &in->module->imports[i]);
    }
    rt_free(in, names.slots);
    return status;
}
