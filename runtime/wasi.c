/* WASI preview 1: set-up, lookup, guest memory, errors.  See wasi.h for the map and docs/wasi.md for what is there. */
#include "runtime/wasi.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "guest memory is little-endian, and so are our hosts");

/* ---- the functions ---- */

#define WASI(name, type)                                                                                     \
    static uint64_t call_##name(void *user, struct wasmetal_instance *instance, uint64_t *args_results) {    \
        return wasi_dispatch(user, instance, wasi_##name, sizeof(type) > 1 && type[sizeof(type) - 2] == ':', \
                             args_results);                                                                  \
    }

typedef uint32_t wasi_fn(struct wasi *w, const uint64_t *a);

/* Functions without a result (proc_exit) end the program. */
static uint64_t wasi_dispatch(struct wasi *w, struct wasmetal_instance *instance, wasi_fn *fn, bool ends,
                              uint64_t *args_results) {
    (void)instance;
    uint32_t error = fn(w, args_results);
    if (ends) {
        return IR_TRAP_EXIT;
    }
    args_results[0] = error;
    return 0;
}

#include "runtime/wasi.def"

static const struct wasi_function functions[] = {
#define WASI(name, type) {#name, type, call_##name},
#include "runtime/wasi.def"
};

static int compare_name(const void *key, const void *row) {
    return strcmp(key, ((const struct wasi_function *)row)->name);
}

const struct wasi_function *wasi_find(const char *name) {
    return bsearch(name, functions, sizeof functions / sizeof *functions, sizeof *functions, compare_name);
}

/* Emscripten's malloc calls this after memory.grow, so that JavaScript can renew its views; memory never moves here. */
static uint64_t notify_memory_growth(void *user, struct wasmetal_instance *instance, uint64_t *args_results) {
    (void)user, (void)instance, (void)args_results;
    return 0;
}

const struct wasi_function *wasi_find_emscripten(const char *name) {
    static const struct wasi_function notify = {"emscripten_notify_memory_growth", "i:", notify_memory_growth};
    return strcmp(name, notify.name) == 0 ? &notify : NULL;
}

/* ---- guest memory ---- */

uint8_t *wasi_at(struct wasi *w, uint64_t address, uint64_t n) {
    return wasmetal_memory_at(w->in, address & UINT32_MAX, n);
}

uint32_t wasi_put_u32(struct wasi *w, uint64_t address, uint32_t value) {
    uint8_t *p = wasi_at(w, address, 4);
    if (!p) {
        return WASI_EFAULT;
    }
    wasi_store_u32(p, value);
    return WASI_OK;
}

uint32_t wasi_put_u64(struct wasi *w, uint64_t address, uint64_t value) {
    uint8_t *p = wasi_at(w, address, 8);
    if (!p) {
        return WASI_EFAULT;
    }
    wasi_store_u64(p, value);
    return WASI_OK;
}

/* ---- errors ---- */

static const struct {
    int host;
    uint32_t wasi;
} errors[] = {
#define WASI_ERRNO(name, number, host) {host, number},
#include "runtime/wasi_errno.def"
};

uint32_t wasi_errno(int host_errno) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].host == host_errno) {
            return errors[i].wasi;
        }
    }
    return WASI_EIO;
}

/* ---- set-up ---- */

static wasmetal_status copy_strings(struct wasmetal_instance *in, const char *const *from, size_t n, char ***out) {
    *out = rt_alloc(in, n ? n : 1, sizeof **out);
    if (!*out) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        (*out)[i] = rt_strdup(in, from[i]);
        if (!(*out)[i]) {
            return WASMETAL_ERROR_OUT_OF_MEMORY;
        }
    }
    return WASMETAL_OK;
}

static wasmetal_status add_stream(struct wasi *w, int given, int standard, uint64_t rights) {
    struct stat st;
    struct wasi_fd f = {.open = true, .host = given < 0 ? -1 : given == 0 ? standard : given};
    f.rights = rights | WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_POLL | WASI_RIGHT_FD_SYNC | WASI_RIGHT_FD_DATASYNC;
    if (f.host >= 0 && fstat(f.host, &st) != 0) {
        f.host = -1; /* the process was started without it */
    }
    f.type = f.host >= 0 ? wasi_filetype_of(st.st_mode) : WASI_TYPE_CHAR;
    if (f.type == WASI_TYPE_REGULAR) {
        f.rights |= WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL;
    }
    uint32_t fd, error = wasi_fd_add(w, &f, &fd);
    return error == WASI_OK ? WASMETAL_OK : error == WASI_ENOMEM ? WASMETAL_ERROR_OUT_OF_MEMORY : WASMETAL_ERROR_LIMIT;
}

static wasmetal_status add_preopen(struct wasi *w, const wasmetal_preopen *p) {
    int host = open(p->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (host < 0) {
        rt_log(w->in, RT_LOG_PREOPEN, "cannot open folder %.200s: %s", p->host, strerror(errno));
        return WASMETAL_ERROR_IO;
    }
    struct wasi_fd f = {
        .open = true,
        .owned = true,
        .read_only = p->read_only,
        .type = WASI_TYPE_DIR,
        .host = host,
        .rights = WASI_RIGHTS_DIR_READ | (p->read_only ? 0 : WASI_RIGHTS_DIR_WRITE),
        .preopen = rt_strdup(w->in, p->guest ? p->guest : p->host),
    };
    f.inheriting = f.rights | WASI_RIGHTS_FILE_READ | (p->read_only ? 0 : WASI_RIGHTS_FILE_WRITE);
    uint32_t fd, error = f.preopen ? wasi_fd_add(w, &f, &fd) : WASI_ENOMEM;
    if (error != WASI_OK) {
        close(host);
        return error == WASI_ENOMEM ? WASMETAL_ERROR_OUT_OF_MEMORY : WASMETAL_ERROR_LIMIT;
    }
    return WASMETAL_OK;
}

/* Kernels before 5.6 and some container policies have no openat2; then paths are walked component by component. */
static bool probe_openat2(struct wasi *w) {
    w->use_openat2 = true;
    int fd = wasi_resolve_open(w, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

wasmetal_status wasi_open(struct wasmetal_instance *in, const wasmetal_instance_desc *desc, struct wasi **out_wasi) {
    const wasmetal_wasi_desc *d = &desc->wasi;
    struct wasi *w = rt_alloc(in, 1, sizeof *w);
    if (!w) {
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    *out_wasi = w;
    w->in = in;
    w->max_fds = desc->max_open_files ? desc->max_open_files : 1024;
    w->nargs = d->nargs;
    w->nenv = d->nenv;
    w->use_openat2 = probe_openat2(w);
    wasmetal_status status = copy_strings(in, d->args, d->nargs, &w->args);
    if (status == WASMETAL_OK) {
        status = copy_strings(in, d->env, d->nenv, &w->env);
    }
    if (status == WASMETAL_OK) {
        status = add_stream(w, d->stdin_fd, 0, WASI_RIGHT_FD_READ);
    }
    if (status == WASMETAL_OK) {
        status = add_stream(w, d->stdout_fd, 1, WASI_RIGHT_FD_WRITE);
    }
    if (status == WASMETAL_OK) {
        status = add_stream(w, d->stderr_fd, 2, WASI_RIGHT_FD_WRITE);
    }
    for (size_t i = 0; i < d->npreopens && status == WASMETAL_OK; i++) {
        status = add_preopen(w, &d->preopens[i]);
    }
    if (status == WASMETAL_ERROR_LIMIT) {
        rt_log(in, RT_LOG_LIMIT, "max_open_files is too small for the standard streams and folders");
    }
    return status;
}

void wasi_close(struct wasi *w) {
    for (uint32_t i = 0; w && i < w->nfds; i++) {
        if (w->fds[i].open) {
            wasi_fd_drop(w, &w->fds[i]);
        }
    }
}
