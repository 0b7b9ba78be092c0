/* Linear memories.
 *
 * The whole maximum is reserved up front as inaccessible pages and committed as the memory grows, so that the base
 * never moves: compiled code keeps it in a register, and GPU imports stay valid.
 *
 *     reservation (64 KiB aligned)
 *     |<------ committed: bytes ------>|<---- PROT_NONE, up to 8 GiB + 64 KiB ---->|
 *     base
 *
 * Guarded memories reserve 8 GiB and one more page: a 32-bit address plus a 32-bit offset plus the widest access ends
 * there, so an out-of-range access of compiled code faults instead of reaching anything else.  Where that much address
 * space is not to be had (RLIMIT_AS, containers) the module must have been compiled with explicit checks; then only the
 * maximum is reserved, or as much of it as the system gives.  Memories with 64-bit addresses are always checked, and
 * are reserved like that.
 */
#ifdef __linux__
#define _GNU_SOURCE /* mremap */
#endif
#include "runtime/instance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#define GUARDED_BYTES ((UINT64_C(8) << 30) + RT_PAGE)

/* A reservation of `bytes`, aligned to 64 KiB (the largest import alignment and page size in use); NULL when refused.
 */
static uint8_t *reserve(uint64_t bytes, uint8_t **out_base, uint64_t *out_reserved) {
    uint64_t total = bytes + RT_PAGE;
    void *p = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    *out_base = (uint8_t *)p + (-(uintptr_t)p & (RT_PAGE - 1));
    *out_reserved = total;
    return p;
}

wasmetal_status rt_memory_open(const struct wm_limits *limits, bool guarded, uint64_t cap, struct rt_group *group,
                               struct rt_memory **out_memory) {
    bool is64 = limits->flags & 2;
    uint64_t most = is64 ? RT_MAX_PAGES64 : RT_MAX_PAGES, max_pages = limits->max < most ? limits->max : most;
    guarded = guarded && !is64;
    if (cap && cap / RT_PAGE < max_pages) {
        max_pages = cap / RT_PAGE;
    }
    if (limits->min > max_pages) {
        return WASMETAL_ERROR_LIMIT;
    }
    struct rt_memory *m = calloc(1, sizeof *m);
    if (!m) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    uint64_t bytes = guarded ? GUARDED_BYTES : max_pages * RT_PAGE;
    m->reservation = reserve(bytes, &m->pub.base, &m->reserved);
    while (!m->reservation && !guarded && max_pages > limits->min) {
        max_pages = max_pages / 2 > limits->min ? max_pages / 2 : limits->min;
        m->reservation = reserve(max_pages * RT_PAGE, &m->pub.base, &m->reserved);
    }
    if (!m->reservation) {
        free(m);
        return WASMETAL_ERROR_ADDRESS_SPACE;
    }
    m->pub.max_bytes = max_pages * RT_PAGE;
    m->pub.owner = m;
    m->guarded = guarded;
    m->is64 = is64;
    m->min_pages = limits->min;
    m->declared_max = limits->max;
    if (limits->min && mprotect(m->pub.base, limits->min * RT_PAGE, PROT_READ | PROT_WRITE) != 0) {
        munmap(m->reservation, m->reserved);
        free(m);
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    m->pub.bytes = limits->min * RT_PAGE;
    m->shared = (limits->flags & 1) != 0;
    *out_memory = m;
    if (m->shared) {
        m->refs = 1;
        pthread_mutex_init(&m->lock, NULL);
        return WASMETAL_OK;
    }
    m->link = &group->memories;
    m->next = group->memories;
    if (m->next) {
        m->next->link = &m->next;
    }
    group->memories = m;
    return WASMETAL_OK;
}

struct rt_memory *rt_memory_hold(struct rt_memory *m) {
    __atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
    return m;
}

void rt_memory_close(struct rt_memory *m) {
    if (!m) {
        return;
    }
    if (m->shared) {
        if (__atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) != 0) {
            return;
        }
        pthread_mutex_destroy(&m->lock);
    } else {
        *m->link = m->next;
        if (m->next) {
            m->next->link = m->link;
        }
    }
    if (!m->kept) {
        munmap(m->reservation, m->reserved);
    }
    free(m);
}

static wasmetal_status commit(struct rt_memory *m, uint64_t pages, uint64_t *out_old) {
    uint64_t old = *out_old = m->pub.bytes;
    if (pages > (m->pub.max_bytes - old) / RT_PAGE) {
        return WASMETAL_ERROR_LIMIT;
    }
    if (pages && mprotect(m->pub.base + old, pages * RT_PAGE, PROT_READ | PROT_WRITE) != 0) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    /* The pages first: whoever sees the new size may use them. */
    __atomic_store_n(&m->pub.bytes, old + pages * RT_PAGE, __ATOMIC_RELEASE);
    return WASMETAL_OK;
}

static void tell_devices(struct rt_memory *m, struct rt_group *group) {
    for (struct wasmetal_instance *in = rt_group_root(group)->instances; in; in = in->next) {
        if (in->offload && in->module->nmemories && in->vm->memories[0] == &m->pub) {
            wm_offload_memory_changed(in->offload);
        }
    }
}

uint64_t rt_memory_grow(struct rt_memory *m, struct rt_group *group, uint64_t pages, wasmetal_status *out_status) {
    uint64_t old;
    if (m->shared) {
        pthread_mutex_lock(&m->lock);
    }
    wasmetal_status status = commit(m, pages, &old);
    if (m->shared) {
        pthread_mutex_unlock(&m->lock);
    }
    if (out_status) {
        *out_status = status;
    }
    if (status != WASMETAL_OK) {
        return WM_NONE;
    }
    if (pages && !m->shared) { /* no kernel works on a shared memory */
        tell_devices(m, group);
    }
    return old / RT_PAGE;
}

/* The imports of a GPU's driver hold on to the pages themselves, not to the addresses. */
static bool move_to_new_pages(struct rt_memory *m) {
#ifdef MREMAP_FIXED
    uint64_t bytes = m->pub.bytes;
    if (!bytes) {
        return true;
    }
    void *fresh = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED) {
        return false;
    }
    memcpy(fresh, m->pub.base, bytes);
    if (mremap(fresh, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, m->pub.base) != MAP_FAILED) {
        return true;
    }
    munmap(fresh, bytes);
#else
    (void)m;
#endif
    return false;
}

bool rt_memory_abandon_pages(struct rt_memory *m, struct rt_group *group, bool by_threads) {
    if (by_threads || !move_to_new_pages(m)) {
        m->kept = true;
        return false;
    }
    tell_devices(m, group);
    return true;
}
