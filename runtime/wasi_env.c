/* WASI: arguments, environment, clocks, random numbers, process. */
#include "runtime/wasi.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* ---- strings ---- */

static uint64_t strings_bytes(char *const *strings, size_t n) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += strlen(strings[i]) + 1;
    }
    return bytes;
}

static uint32_t strings_sizes(struct wasi *w, char *const *strings, size_t n, const uint64_t *a) {
    uint64_t bytes = strings_bytes(strings, n);
    if (n > UINT32_MAX || bytes > UINT32_MAX) {
        return WASI_EOVERFLOW;
    }
    uint32_t error = wasi_put_u32(w, a[0], (uint32_t)n);
    return error ? error : wasi_put_u32(w, a[1], (uint32_t)bytes);
}

static uint32_t strings_get(struct wasi *w, char *const *strings, size_t n, const uint64_t *a) {
    uint8_t *pointers = wasi_at(w, a[0], (uint64_t)n * 4);
    uint8_t *text = wasi_at(w, a[1], strings_bytes(strings, n));
    if (!pointers || !text) {
        return WASI_EFAULT;
    }
    uint32_t address = (uint32_t)a[1];
    for (size_t i = 0; i < n; i++) {
        size_t bytes = strlen(strings[i]) + 1;
        wasi_store_u32(pointers + 4 * i, address);
        memcpy(text, strings[i], bytes);
        text += bytes;
        address += (uint32_t)bytes;
    }
    return WASI_OK;
}

uint32_t wasi_args_sizes_get(struct wasi *w, const uint64_t *a) {
    return strings_sizes(w, w->args, w->nargs, a);
}

uint32_t wasi_args_get(struct wasi *w, const uint64_t *a) {
    return strings_get(w, w->args, w->nargs, a);
}

uint32_t wasi_environ_sizes_get(struct wasi *w, const uint64_t *a) {
    return strings_sizes(w, w->env, w->nenv, a);
}

uint32_t wasi_environ_get(struct wasi *w, const uint64_t *a) {
    return strings_get(w, w->env, w->nenv, a);
}

/* ---- clocks ---- */

static bool clock_of(uint64_t id, clockid_t *out) {
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_THREAD_CPUTIME_ID};
    if (id >= sizeof clocks / sizeof *clocks) {
        return false;
    }
    *out = clocks[id];
    return true;
}

uint32_t wasi_clock_res_get(struct wasi *w, const uint64_t *a) {
    clockid_t clock;
    struct timespec t;
    if (!clock_of(a[0], &clock)) {
        return WASI_EINVAL;
    }
    if (clock_getres(clock, &t) != 0) {
        return wasi_errno(errno);
    }
    return wasi_put_u64(w, a[1], (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
}

uint32_t wasi_clock_time_get(struct wasi *w, const uint64_t *a) {
    clockid_t clock;
    struct timespec t;
    if (!clock_of(a[0], &clock)) {
        return WASI_EINVAL;
    }
    if (clock_gettime(clock, &t) != 0) {
        return wasi_errno(errno);
    }
    return wasi_put_u64(w, a[2], (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
}

/* ---- the rest ---- */

uint32_t wasi_random_get(struct wasi *w, const uint64_t *a) {
    uint64_t n = a[1] & UINT32_MAX;
    uint8_t *p = wasi_at(w, a[0], n);
    if (!p) {
        return WASI_EFAULT;
    }
    while (n) {
        size_t part = n < 256 ? n : 256; /* what getentropy gives at once */
        if (getentropy(p, part) != 0) {
            return wasi_errno(errno);
        }
        p += part;
        n -= part;
    }
    return WASI_OK;
}

uint32_t wasi_sched_yield(struct wasi *w, const uint64_t *a) {
    (void)w;
    (void)a;
    return sched_yield() == 0 ? WASI_OK : wasi_errno(errno);
}

uint32_t wasi_proc_exit(struct wasi *w, const uint64_t *a) {
    (void)w;
    rt_set_exit_code((uint32_t)a[0]);
    return WASI_OK;
}

/* Signals between guest and host, and sockets, are outside what a sandboxed module may do here. */
uint32_t wasi_proc_raise(struct wasi *w, const uint64_t *a) {
    (void)w;
    (void)a;
    return WASI_ENOSYS;
}

uint32_t wasi_sock_accept(struct wasi *w, const uint64_t *a) {
    (void)w;
    (void)a;
    return WASI_ENOSYS;
}

uint32_t wasi_sock_recv(struct wasi *w, const uint64_t *a) {
    (void)w;
    (void)a;
    return WASI_ENOSYS;
}

uint32_t wasi_sock_send(struct wasi *w, const uint64_t *a) {
    (void)w;
    (void)a;
    return WASI_ENOSYS;
}

uint32_t wasi_sock_shutdown(struct wasi *w, const uint64_t *a) {
    (void)w;
    (void)a;
    return WASI_ENOSYS;
}
