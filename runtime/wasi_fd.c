/* WASI: the table of open files.  Numbers are handed out lowest first, as POSIX programs expect, and their count is
 * bounded.  Rights only shrink: what a folder was opened without cannot be had below it. */
#include "runtime/wasi.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FDFLAG_APPEND = 1, FDFLAG_DSYNC = 2, FDFLAG_NONBLOCK = 4, FDFLAG_RSYNC = 8, FDFLAG_SYNC = 16 };

struct wasi_fd *wasi_fd_get(struct wasi *w, uint64_t fd, uint64_t rights, uint32_t *out_error) {
    fd &= UINT32_MAX;
    if (fd >= w->nfds || !w->fds[fd].open) {
        *out_error = WASI_EBADF;
        return NULL;
    }
    if ((w->fds[fd].rights & rights) != rights) {
        *out_error = WASI_ENOTCAPABLE;
        return NULL;
    }
    *out_error = WASI_OK;
    return &w->fds[fd];
}

uint32_t wasi_fd_add(struct wasi *w, const struct wasi_fd *entry, uint32_t *out_fd) {
    uint32_t i = 0;
    while (i < w->nfds && w->fds[i].open) {
        i++;
    }
    if (i == w->nfds) {
        if (w->nfds >= w->max_fds) {
            return WASI_EMFILE;
        }
        if (w->nfds == w->capacity) {
            uint32_t capacity = w->capacity ? w->capacity * 2 : 16;
            struct wasi_fd *fds = rt_alloc(w->in, capacity, sizeof *fds);
            if (!fds) {
                return WASI_ENOMEM;
            }
            if (w->nfds) {
                memcpy(fds, w->fds, w->nfds * sizeof *fds);
            }
            rt_free(w->in, w->fds);
            w->fds = fds;
            w->capacity = capacity;
        }
        w->nfds++;
    }
    w->fds[i] = *entry;
    *out_fd = i;
    return WASI_OK;
}

void wasi_fd_drop(struct wasi *w, struct wasi_fd *f) {
    if (f->owned) {
        close(f->host);
    }
    wasi_dir_free(w, f->dir);
    rt_free(w->in, f->preopen);
    *f = (struct wasi_fd){.open = false};
}

enum wasi_filetype wasi_filetype_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFBLK:
        return WASI_TYPE_BLOCK;
    case S_IFCHR:
        return WASI_TYPE_CHAR;
    case S_IFDIR:
        return WASI_TYPE_DIR;
    case S_IFREG:
        return WASI_TYPE_REGULAR;
    case S_IFLNK:
        return WASI_TYPE_SYMLINK;
    case S_IFSOCK:
        return WASI_TYPE_SOCKET_STREAM;
    default:
        return WASI_TYPE_UNKNOWN;
    }
}

uint32_t wasi_fd_close(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], 0, &error);
    if (f) {
        wasi_fd_drop(w, f);
    }
    return error;
}

uint32_t wasi_fd_renumber(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *from = wasi_fd_get(w, a[0], 0, &error);
    struct wasi_fd *to = from ? wasi_fd_get(w, a[1], 0, &error) : NULL;
    if (!to || from == to) {
        return error;
    }
    if (from->preopen || to->preopen) {
        return WASI_ENOTSUP;
    }
    wasi_fd_drop(w, to);
    *to = *from;
    *from = (struct wasi_fd){.open = false};
    return WASI_OK;
}

uint32_t wasi_fd_prestat_get(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], 0, &error);
    if (!f || !f->preopen) {
        return WASI_EBADF;
    }
    uint8_t *p = wasi_at(w, a[1], 8);
    if (!p) {
        return WASI_EFAULT;
    }
    wasi_store_u32(p, 0); /* tag: folder */
    wasi_store_u32(p + 4, (uint32_t)strlen(f->preopen));
    return WASI_OK;
}

uint32_t wasi_fd_prestat_dir_name(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], 0, &error);
    if (!f || !f->preopen) {
        return WASI_EBADF;
    }
    size_t n = strlen(f->preopen);
    if ((a[2] & UINT32_MAX) < n) {
        return WASI_ENAMETOOLONG;
    }
    uint8_t *p = wasi_at(w, a[1], n);
    if (!p) {
        return WASI_EFAULT;
    }
    memcpy(p, f->preopen, n);
    return WASI_OK;
}

uint32_t wasi_fd_fdstat_get(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], 0, &error);
    if (!f) {
        return error;
    }
    uint8_t *p = wasi_at(w, a[1], 24);
    if (!p) {
        return WASI_EFAULT;
    }
    int host = f->host >= 0 ? fcntl(f->host, F_GETFL) : 0;
    if (host < 0) {
        return wasi_errno(errno);
    }
    uint16_t flags = 0;
    flags |= host & O_APPEND ? FDFLAG_APPEND : 0;
    flags |= host & O_NONBLOCK ? FDFLAG_NONBLOCK : 0;
    flags |= (host & O_SYNC) == O_SYNC ? FDFLAG_SYNC | FDFLAG_RSYNC : host & O_DSYNC ? FDFLAG_DSYNC : 0;
    p[0] = f->type; /* the padding behind it and behind the flags stays as it is */
    wasi_store_u16(p + 2, flags);
    wasi_store_u64(p + 8, f->rights);
    wasi_store_u64(p + 16, f->inheriting);
    return WASI_OK;
}

uint32_t wasi_fd_fdstat_set_flags(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_SET_FLAGS, &error);
    if (!f) {
        return error;
    }
    if (a[1] & (FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC)) {
        return WASI_ENOTSUP; /* Linux ignores them after open */
    }
    int flags = (a[1] & FDFLAG_APPEND ? O_APPEND : 0) | (a[1] & FDFLAG_NONBLOCK ? O_NONBLOCK : 0);
    return fcntl(f->host, F_SETFL, flags) == 0 ? WASI_OK : wasi_errno(errno);
}

uint32_t wasi_fd_fdstat_set_rights(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], 0, &error);
    if (!f) {
        return error;
    }
    if ((a[1] & ~f->rights) || (a[2] & ~f->inheriting)) {
        return WASI_ENOTCAPABLE;
    }
    f->rights = a[1];
    f->inheriting = a[2];
    return WASI_OK;
}
