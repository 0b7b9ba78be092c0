/* Making and freeing instances.
 *
 * The order is the Wasm standard's: imports are found and checked before anything is allocated that the module could
 * see; then memories, tables and globals; active element segments, active data segments, each in its order and each
 * checked just before it is copied; at last the start function.  A trap on the way leaves what was written to imported
 * memories and tables.  When that includes references to our functions, the failed instance stays alive with its
 * group (a zombie), for those functions can still be called.
 */
#include "runtime/instance.h"
#include "runtime/names.h"
#include "runtime/wasi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- allocation ---- */

struct rt_block {
    struct rt_block *next, **link;
    size_t bytes; /* with this header */
    uint64_t pad[5];
};
_Static_assert(sizeof(struct rt_block) == 64, "what follows the header stays aligned");

static void *default_alloc(void *user, size_t bytes, size_t alignment) {
    (void)user;
    void *p = NULL;
    return posix_memalign(&p, alignment, bytes) == 0 ? p : NULL;
}

static void default_free(void *user, void *pointer, size_t bytes) {
    (void)user;
    (void)bytes;
    free(pointer);
}

void *rt_alloc(struct wasmetal_instance *in, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || __builtin_add_overflow(bytes, sizeof(struct rt_block), &bytes)) {
        return NULL;
    }
    struct rt_block *b = in->allocator.alloc(in->allocator.user, bytes, 64);
    if (!b) {
        return NULL;
    }
    memset(b, 0, bytes);
    b->bytes = bytes;
    b->next = in->blocks;
    b->link = &in->blocks;
    if (b->next) {
        b->next->link = &b->next;
    }
    in->blocks = b;
    return b + 1;
}

void rt_free(struct wasmetal_instance *in, void *p) {
    if (p) {
        struct rt_block *b = (struct rt_block *)p - 1;
        *b->link = b->next;
        if (b->next) {
            b->next->link = b->link;
        }
        in->allocator.free(in->allocator.user, b, b->bytes);
    }
}

char *rt_strdup(struct wasmetal_instance *in, const char *s) {
    size_t n = strlen(s) + 1;
    char *copy = rt_alloc(in, 1, n);
    return copy ? memcpy(copy, s, n) : NULL;
}

/* ---- parts ---- */

static wasmetal_status out_of_memory(struct wasmetal_instance *in) {
    rt_log(in, RT_LOG_OUT_OF_MEMORY, "out of memory for an instance of module %s", in->module->name);
    return WASMETAL_ERROR_OUT_OF_MEMORY;
}

static wasmetal_status allocate_context(struct wasmetal_instance *in) {
    const struct wm_module *m = in->module;
    uint64_t nimported_globals = 0;
    for (uint64_t i = 0; i < m->nglobals; i++) {
        nimported_globals += m->globals[i].imported != 0;
    }
    uint64_t defined = m->nglobals - nimported_globals;
    struct wm_vmctx *vm = rt_alloc(in, 1, sizeof *vm + defined * 16);
    if (!vm) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    in->vm = vm;
    vm->instance = in;
    vm->module = m;
    vm->memories = rt_alloc(in, m->nmemories, sizeof(void *));
    vm->tables = rt_alloc(in, m->ntables, sizeof(void *));
    vm->globals = rt_alloc(in, m->nglobals, sizeof *vm->globals);
    vm->tags = rt_alloc(in, m->ntags, sizeof *vm->tags);
    struct wm_tag *tags = rt_alloc(in, m->ntags, sizeof *tags);
    vm->imports = rt_alloc(in, m->nfunc_imports, sizeof *vm->imports);
    vm->type_ids = rt_alloc(in, m->ntypes, sizeof *vm->type_ids);
    vm->funcrefs = rt_alloc(in, m->nfuncs, sizeof *vm->funcrefs);
    in->dropped_datas = rt_alloc(in, m->ndatas, 1);
    in->dropped_elems = rt_alloc(in, m->nelems, 1);
    in->exports = rt_alloc(in, m->nexports, sizeof *in->exports);
    in->own_memories = rt_alloc(in, m->nmemories, sizeof(void *));
    in->own_tables = rt_alloc(in, m->ntables, sizeof(void *));
    if (!vm->memories || !vm->tables || !vm->globals || !vm->tags || !tags || !vm->imports || !vm->type_ids ||
        !vm->funcrefs || !in->dropped_datas || !in->dropped_elems || !in->exports || !in->own_memories ||
        !in->own_tables) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    for (uint64_t i = 0; i < m->ntypes; i++) {
        vm->type_ids[i] = rt_type_intern(m->types[i]);
        if (!vm->type_ids[i]) {
            return WASMETAL_ERROR_OUT_OF_MEMORY;
        }
    }
    for (uint64_t i = 0; i < m->ntags; i++) { /* those imported are replaced */
        tags[i].type = m->types[m->tags[i]];
        vm->tags[i] = &tags[i];
    }
    uint64_t k = 0;
    for (uint64_t i = 0; i < m->nglobals; i++) {
        if (!m->globals[i].imported) {
            vm->globals[i] = &vm->cells[2 * k++];
        }
    }
    for (uint64_t i = m->nfunc_imports; i < m->nfuncs; i++) {
        vm->funcrefs[i] = (struct wm_funcref){m->funcs[i].fn, vm, vm->type_ids[m->funcs[i].type], m->funcs[i].tail};
    }
    return WASMETAL_OK;
}

static wasmetal_status open_memories(struct wasmetal_instance *in, const wasmetal_instance_desc *desc) {
    const struct wm_module *m = in->module;
    for (uint64_t i = m->nmemory_imports; i < m->nmemories; i++) {
        struct rt_memory *memory;
        wasmetal_status status =
            rt_memory_open(&m->memories[i], !m->bounds_checks, desc->max_memory_bytes, in->group, &memory);
        if (status == WASMETAL_ERROR_ADDRESS_SPACE) {
            rt_log(in, RT_LOG_RESERVE,
                   "cannot reserve address space for memory %d of module %s (%s); raise the limit on address space%s",
                   (int)i, m->name, strerror(errno),
                   m->bounds_checks ? "" : " or compile the module with --bounds-checks=on, which needs less");
        } else if (status == WASMETAL_ERROR_LIMIT) {
            rt_log(in, RT_LOG_LIMIT, "memory %d of module %s wants %llu pages at least, more than allowed", (int)i,
                   m->name, (unsigned long long)m->memories[i].min);
        }
        if (status != WASMETAL_OK) {
            return status;
        }
        uint64_t most = m->memories[i].flags & 2 ? RT_MAX_PAGES64 : RT_MAX_PAGES;
        uint64_t wanted = m->memories[i].max < most ? m->memories[i].max : most;
        if (desc->max_memory_bytes && desc->max_memory_bytes / RT_PAGE < wanted) {
            wanted = desc->max_memory_bytes / RT_PAGE;
        }
        if (memory->pub.max_bytes / RT_PAGE < wanted) {
            rt_log(in, RT_LOG_RESERVE_LESS, "memory %d of module %s can grow to %llu pages only, not %llu", (int)i,
                   m->name, (unsigned long long)(memory->pub.max_bytes / RT_PAGE), (unsigned long long)wanted);
        }
        in->own_memories[in->nown_memories++] = memory;
        in->vm->memories[i] = &memory->pub;
    }
    if (m->nmemories) {
        in->vm->memory0_base = in->vm->memories[0]->base;
    }
    return WASMETAL_OK;
}

static wasmetal_status open_tables(struct wasmetal_instance *in, const wasmetal_instance_desc *desc) {
    const struct wm_module *m = in->module;
    for (uint64_t i = m->ntable_imports; i < m->ntables; i++) {
        struct rt_table *table;
        wasmetal_status status =
            rt_table_open(&m->tables[i].limits, rt_type_letter(m->tables[i].type), desc->max_table_elements, &table);
        if (status != WASMETAL_OK) {
            if (status == WASMETAL_ERROR_LIMIT) {
                rt_log(in, RT_LOG_LIMIT, "table %d of module %s wants %llu elements at least, more than allowed",
                       (int)i, m->name, (unsigned long long)m->tables[i].limits.min);
            }
            return status;
        }
        in->own_tables[in->nown_tables++] = table;
        in->vm->tables[i] = &table->pub;
    }
    return WASMETAL_OK;
}

uint64_t rt_init_value(struct wasmetal_instance *in, const struct wm_init *init, uint64_t *out_hi) {
    *out_hi = 0;
    switch (init->kind) {
    case 0:
        *out_hi = init->bits_hi;
        return init->bits_lo;
    case 1:
        *out_hi = in->vm->globals[init->index][1];
        return in->vm->globals[init->index][0];
    case 2:
        return (uint64_t)(uintptr_t)&in->vm->funcrefs[init->index];
    case 4: {
        const struct wm_init *args = (const struct wm_init *)(uintptr_t)init->bits_hi;
        uint64_t none, a = rt_init_value(in, &args[0], &none), b = rt_init_value(in, &args[1], &none);
        uint64_t value = init->index == 0 ? a + b : init->index == 1 ? a - b : a * b;
        return init->bits_lo == 32 ? value & UINT32_MAX : value;
    }
    default:
        return 0;
    }
}

static void init_globals(struct wasmetal_instance *in) {
    const struct wm_module *m = in->module;
    for (uint64_t i = 0; i < m->nglobals; i++) {
        if (!m->globals[i].imported) {
            uint64_t hi, lo = rt_init_value(in, &m->globals[i].init, &hi);
            /* A cell holds an i32 or f32 in its low half; a whole cell read from another global may hold more above. */
            char type = rt_type_letter(m->globals[i].type);
            in->vm->globals[i][0] = type == 'i' || type == 'f' ? lo & UINT32_MAX : lo;
            in->vm->globals[i][1] = type == 'v' ? hi : 0;
        }
    }
}

void rt_object_fill(struct wasmetal_instance *in, uint64_t kind, uint64_t index, wasmetal_object *out) {
    const struct wm_module *m = in->module;
    *out = (wasmetal_object){.kind = (wasmetal_kind)kind, .instance = in, .type = out->type_text};
    switch (kind) {
    case WASMETAL_FUNC:
        out->func.ref = &in->vm->funcrefs[index];
        out->func.trampoline = m->trampolines[m->funcs[index].type];
        out->type = m->types[m->funcs[index].type];
        break;
    case WASMETAL_TABLE:
        out->table = in->vm->tables[index]->owner;
        out->type_text[0] = out->table->type;
        break;
    case WASMETAL_MEMORY:
        out->memory = in->vm->memories[index]->owner;
        break;
    case WASMETAL_TAG:
        out->tag = in->vm->tags[index];
        out->type = out->tag->type;
        break;
    default:
        out->global.cell = in->vm->globals[index];
        out->global.is_mutable = m->globals[index].is_mutable;
        out->type_text[0] = rt_type_letter(m->globals[index].type);
        break;
    }
}

/* ---- segments ---- */

static bool range_outside(uint64_t start, uint64_t n, uint64_t size) {
    return start > size || n > size - start;
}

static wasmetal_status segment_trap(struct wasmetal_instance *in, const wasmetal_instance_desc *desc, uint32_t code,
                                    const char *what, uint64_t index) {
    rt_log(in, RT_LOG_START_TRAP, "active %s segment %llu of module %s: %s", what, (unsigned long long)index,
           in->module->name, wasmetal_trap_text(code));
    if (desc->start_trap) {
        *desc->start_trap = (wasmetal_trap){.code = code,
                                            .function = WASMETAL_NO_FUNCTION,
                                            .offset = WASMETAL_NO_OFFSET,
                                            .function_name = "",
                                            .text = wasmetal_trap_text(code)};
    }
    return WASMETAL_TRAP;
}

static wasmetal_status copy_segments(struct wasmetal_instance *in, const wasmetal_instance_desc *desc) {
    const struct wm_module *m = in->module;
    uint64_t hi;
    for (uint64_t i = 0; i < m->nelems; i++) {
        const struct wm_elem_desc *e = &m->elems[i];
        if (e->mode == 0) {
            struct wm_table *t = in->vm->tables[e->table];
            uint64_t offset = rt_init_value(in, &e->offset, &hi) & UINT32_MAX;
            if (range_outside(offset, e->nitems, t->size)) {
                return segment_trap(in, desc, IR_TRAP_TABLE_BOUNDS, "element", i);
            }
            in->wrote_foreign_table |= e->nitems && e->table < m->ntable_imports;
            for (uint64_t k = 0; k < e->nitems; k++) {
                t->entries[offset + k] = rt_reference_of(rt_init_value(in, &e->items[k], &hi));
            }
        }
        if (e->mode != 1) {
            in->dropped_elems[i] = 1;
        }
    }
    for (uint64_t i = 0; i < m->ndatas; i++) {
        const struct wm_data_desc *d = &m->datas[i];
        if (d->mode == 0) {
            struct wm_memory *memory = in->vm->memories[d->memory];
            uint64_t offset = rt_init_value(in, &d->offset, &hi);
            offset &= m->memories[d->memory].flags & 2 ? UINT64_MAX : UINT32_MAX;
            if (range_outside(offset, d->size, rt_memory_bytes(memory))) {
                return segment_trap(in, desc, IR_TRAP_MEMORY_BOUNDS, "data", i);
            }
            if (d->size) {
                memcpy(memory->base + offset, d->bytes, d->size);
            }
            in->dropped_datas[i] = 1;
        }
    }
    return WASMETAL_OK;
}

/* ---- devices ---- */

/* UINT64_MAX when it is not set. */
static uint64_t environment_number(struct wasmetal_instance *in, const wasmetal_instance_desc *desc, const char *name) {
    const char *text = desc->no_environment ? NULL : getenv(name);
    if (text && *text) {
        char *end;
        errno = 0;
        unsigned long long n = strtoull(text, &end, 10);
        if (errno == 0 && *end == 0 && text[0] >= '0' && text[0] <= '9') {
            return n;
        }
        rt_log(in, RT_LOG_ENVIRONMENT, "%s=%.40s: expected a number", name, text);
    }
    return UINT64_MAX;
}

static bool abandon_pages(void *user, struct wm_memory *memory, bool by_threads) {
    struct wasmetal_instance *in = user;
    return rt_memory_abandon_pages(memory->owner, in->group, by_threads);
}

static wasmetal_status open_offload(struct wasmetal_instance *in, const wasmetal_instance_desc *desc) {
    if (in->module->nkernels == 0 || in->module->nmemories == 0) {
        return WASMETAL_OK;
    }
    const char *device = desc->device;
    if (!device && !desc->no_environment) {
        device = getenv("WASMETAL_DEVICE");
    }
    struct wm_offload_desc od = {
        .module = in->module,
        .memory = in->vm->memories[0],
        .device = device && *device ? device : "auto",
        .min_work = desc->min_work ? desc->min_work : environment_number(in, desc, "WASMETAL_MIN_WORK"),
        .log = rt_log_forward,
        .log_user = in,
        .no_environment = desc->no_environment,
        .launch_timeout = environment_number(in, desc, "WASMETAL_LAUNCH_TIMEOUT"),
        .abandon_pages = abandon_pages,
    };
    in->offload = wm_offload_open(&od);
    if (!in->offload) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    in->vm->offload = wm_offload_active(in->offload);
    return WASMETAL_OK;
}

/* ---- the whole ---- */

static void group_insert(struct wasmetal_instance *in, struct wasmetal_instance **list) {
    in->link = list;
    in->next = *list;
    if (in->next) {
        in->next->link = &in->next;
    }
    *list = in;
}

static void group_remove(struct wasmetal_instance *in) {
    if (in->link) {
        *in->link = in->next;
        if (in->next) {
            in->next->link = in->link;
        }
        in->link = NULL;
    }
}

void rt_instance_destroy(struct wasmetal_instance *in) {
    group_remove(in);
    if (in->offload) {
        wm_offload_close(in->offload);
    }
    wasi_close(in->wasi);
    rt_exception_free(in->exception);
    for (uint64_t i = 0; i < in->nown_memories; i++) {
        rt_memory_close(in->own_memories[i]);
    }
    for (uint64_t i = 0; i < in->nown_tables; i++) {
        rt_table_close(in->own_tables[i]);
    }
    while (in->blocks) {
        rt_free(in, in->blocks + 1);
    }
    in->allocator.free(in->allocator.user, in, sizeof *in);
}

/* The instance failed after its functions were written to a table of others. */
static void keep_as_zombie(struct wasmetal_instance *in) {
    struct rt_group *g = rt_group_find(&in->group);
    group_remove(in);
    group_insert(in, &g->zombies);
    if (in->offload) {
        in->vm->offload = 0;
        wm_offload_close(in->offload);
        in->offload = NULL;
    }
    in->log = NULL; /* the hook and stderr are no longer ours to use */
    in->log_level = -1;
    in->group = g;
    rt_group_release(g); /* others hold it: the table's owner is in it */
}

static wasmetal_status set_up(struct wasmetal_instance *in, const wasmetal_instance_desc *desc) {
    wasmetal_status status = allocate_context(in);
    if (status == WASMETAL_OK) {
        status = rt_link_imports(in, desc);
    }
    if (status == WASMETAL_OK) {
        status = open_memories(in, desc);
    }
    if (status == WASMETAL_OK) {
        status = open_tables(in, desc);
    }
    if (status != WASMETAL_OK) {
        return status;
    }
    init_globals(in);
    in->export_names = rt_alloc(in, 1, sizeof *in->export_names);
    if (!in->export_names || !rt_names_new(in, in->module->nexports, in->export_names)) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    for (uint64_t i = 0; i < in->module->nexports; i++) {
        rt_names_add(in->export_names, rt_names_hash(in->module->exports[i].name, NULL), i);
        rt_object_fill(in, in->module->exports[i].kind, in->module->exports[i].index, &in->exports[i]);
    }
    in->nexports = in->module->nexports;
    status = copy_segments(in, desc);
    if (status == WASMETAL_OK) {
        status = open_offload(in, desc);
    }
    if (status == WASMETAL_OK && in->module->start != WM_NONE) {
        wasmetal_object start;
        wasmetal_trap trap;
        rt_object_fill(in, WASMETAL_FUNC, in->module->start, &start);
        status = rt_enter(in, start.func.trampoline, start.func.ref->ctx, start.func.ref->fn, NULL, &trap);
        if (status == WASMETAL_TRAP || status == WASMETAL_EXIT || status == WASMETAL_EXCEPTION) {
            if (status != WASMETAL_EXIT) {
                rt_log(in, RT_LOG_START_TRAP, "start function of module %s: %s in \"%.80s\" at +0x%llx",
                       in->module->name, trap.text, trap.function_name, (unsigned long long)trap.offset);
            }
            if (desc->start_trap) {
                *desc->start_trap = trap;
            }
        }
    }
    return status;
}

wasmetal_status wasmetal_instantiate(const wasmetal_module *module, const wasmetal_instance_desc *desc,
                                     wasmetal_instance **out_instance) {
    static const wasmetal_instance_desc no_desc;
    desc = desc ? desc : &no_desc;
    *out_instance = NULL;
    if (!module || !desc->allocator.alloc != !desc->allocator.free || (desc->nimports && !desc->imports) ||
        (desc->nlinks && !desc->links)) {
        return WASMETAL_ERROR_ARGUMENT;
    }
    wasmetal_allocator allocator = desc->allocator;
    if (!allocator.alloc) {
        allocator = (wasmetal_allocator){default_alloc, default_free, NULL};
    }
    struct wasmetal_instance *in = allocator.alloc(allocator.user, sizeof *in, 64);
    if (!in) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    *in = (struct wasmetal_instance){.module = module, .allocator = allocator};
    rt_log_init(in, desc);
    wasmetal_status status = WASMETAL_OK;
    if (module->abi_version != WM_ABI_VERSION) {
        rt_log(in, RT_LOG_ABI, "the module was compiled for runtime ABI %llu, this runtime has %d",
               (unsigned long long)module->abi_version, WM_ABI_VERSION);
        status = WASMETAL_ERROR_ABI;
    } else if (!rt_trap_init()) {
        rt_log(in, RT_LOG_SIGNALS, "cannot install signal handlers");
        status = WASMETAL_ERROR_OUT_OF_MEMORY;
    } else if (!(in->group = rt_group_new())) {
        status = WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    if (status == WASMETAL_OK) {
        group_insert(in, &in->group->instances);
        status = set_up(in, desc);
        if (status == WASMETAL_ERROR_OUT_OF_MEMORY) {
            out_of_memory(in);
        }
    }
    if (status != WASMETAL_OK) {
        if (in->wrote_foreign_table) {
            keep_as_zombie(in);
        } else {
            struct rt_group *g = in->group;
            rt_instance_destroy(in);
            rt_group_release(g);
        }
        return status;
    }
    *out_instance = in;
    return WASMETAL_OK;
}

void wasmetal_free(wasmetal_instance *instance) {
    if (instance) {
        struct rt_group *g = instance->group;
        rt_instance_destroy(instance);
        rt_group_release(g);
    }
}
