/* WASI: contents of open files: reading, writing, position, size, times. */
#define _GNU_SOURCE /* preadv, pwritev */
#include "runtime/wasi.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MAX_IOVECS = 1024 /* IOV_MAX of Linux and macOS */, IOVEC_PART = 64 };

/* ---- vectors ---- */

/* Checks the guest's whole list; then the parts of it can be read without failing. */
static uint32_t check_iovecs(struct wasi *w, uint64_t address, uint64_t n, const uint8_t **out_list) {
    n &= UINT32_MAX;
    if (n > MAX_IOVECS) {
        return WASI_EINVAL;
    }
    const uint8_t *list = wasi_at(w, address, n * 8);
    if (!list) {
        return WASI_EFAULT;
    }
    uint64_t total = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t length = wasi_load_u32(list + 8 * i + 4);
        if (!wasi_at(w, wasi_load_u32(list + 8 * i), length)) {
            return WASI_EFAULT;
        }
        total += length;
    }
    if (total > UINT32_MAX) {
        return WASI_EINVAL; /* the count would not fit the result */
    }
    *out_list = list;
    return WASI_OK;
}

enum transfer { READ, WRITE, PREAD, PWRITE };

static ssize_t transfer_once(enum transfer kind, int fd, const struct iovec *v, int n, off_t at) {
    ssize_t done;
    do {
        switch (kind) {
        case READ:
            done = readv(fd, v, n);
            break;
        case WRITE:
            done = writev(fd, v, n);
            break;
        case PREAD:
            done = preadv(fd, v, n, at);
            break;
        default:
            done = pwritev(fd, v, n, at);
            break;
        }
    } while (done < 0 && errno == EINTR);
    return done;
}

/* Moves until the list is done or the file gives or takes less than asked.  An error after some bytes counts as short.
 */
static uint32_t transfer(struct wasi *w, const struct wasi_fd *f, enum transfer kind, const uint64_t *a, uint64_t at,
                         uint64_t result) {
    const uint8_t *list = NULL;
    uint32_t error = check_iovecs(w, a[1], a[2], &list);
    if (error) {
        return error;
    }
    if (!wasi_at(w, result, 4)) {
        return WASI_EFAULT;
    }
    if ((int64_t)at < 0) {
        return WASI_EINVAL;
    }
    uint32_t n = (uint32_t)a[2], total = 0;
    for (uint32_t i = 0; i < n;) {
        struct iovec v[IOVEC_PART];
        size_t asked = 0;
        int part = 0;
        for (; part < IOVEC_PART && i < n; part++, i++) {
            uint32_t length = wasi_load_u32(list + 8 * i + 4);
            v[part] = (struct iovec){wasi_at(w, wasi_load_u32(list + 8 * i), length), length};
            asked += length;
        }
        if (f->host < 0) {
            total += kind == WRITE || kind == PWRITE ? (uint32_t)asked : 0;
            continue;
        }
        ssize_t done = transfer_once(kind, f->host, v, part, (off_t)(at + total));
        if (done < 0) {
            if (total) {
                break;
            }
            return wasi_errno(errno);
        }
        total += (uint32_t)done;
        if ((size_t)done < asked) {
            break;
        }
    }
    return wasi_put_u32(w, result, total);
}

uint32_t wasi_fd_read(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], 0, &error);
    if (f && f->type == WASI_TYPE_DIR) {
        return WASI_EISDIR;
    }
    f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_READ, &error);
    return f ? transfer(w, f, READ, a, 0, a[3]) : error;
}

uint32_t wasi_fd_write(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_WRITE, &error);
    return f ? transfer(w, f, WRITE, a, 0, a[3]) : error;
}

uint32_t wasi_fd_pread(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_READ, &error);
    if (f && !(f->rights & WASI_RIGHT_FD_SEEK)) {
        return WASI_ESPIPE;
    }
    return f ? transfer(w, f, PREAD, a, a[3], a[4]) : error;
}

uint32_t wasi_fd_pwrite(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_WRITE, &error);
    if (f && !(f->rights & WASI_RIGHT_FD_SEEK)) {
        return WASI_ESPIPE;
    }
    return f ? transfer(w, f, PWRITE, a, a[3], a[4]) : error;
}

/* ---- position ---- */

static uint32_t seek(struct wasi *w, uint64_t fd, int64_t offset, uint64_t whence, uint64_t result) {
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, fd, 0, &error);
    if (!f) {
        return error;
    }
    if (f->type == WASI_TYPE_DIR) {
        return WASI_EISDIR;
    }
    if (!(f->rights & WASI_RIGHT_FD_SEEK)) {
        return f->type == WASI_TYPE_REGULAR ? WASI_ENOTCAPABLE : WASI_ESPIPE;
    }
    if (whence >= sizeof whences / sizeof *whences) {
        return WASI_EINVAL;
    }
    if (!wasi_at(w, result, 8)) {
        return WASI_EFAULT;
    }
    off_t at = lseek(f->host, (off_t)offset, whences[whence]);
    return at < 0 ? wasi_errno(errno) : wasi_put_u64(w, result, (uint64_t)at);
}

uint32_t wasi_fd_seek(struct wasi *w, const uint64_t *a) {
    return seek(w, a[0], (int64_t)a[1], a[2] & UINT32_MAX, a[3]);
}

uint32_t wasi_fd_tell(struct wasi *w, const uint64_t *a) {
    return seek(w, a[0], 0, 1, a[1]);
}

/* ---- size, storage, times ---- */

uint32_t wasi_fd_advise(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_ADVISE, &error);
    if (!f) {
        return error;
    }
    if ((a[3] & UINT32_MAX) > 5 || (int64_t)a[1] < 0 || (int64_t)a[2] < 0) {
        return WASI_EINVAL;
    }
#if defined(POSIX_FADV_NORMAL)
    static const int advices[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                  POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    int result = posix_fadvise(f->host, (off_t)a[1], (off_t)a[2], advices[a[3] & UINT32_MAX]);
    return result ? wasi_errno(result) : WASI_OK;
#else
    return WASI_OK; /* advice may be ignored */
#endif
}

uint32_t wasi_fd_allocate(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_ALLOCATE, &error);
    if (!f) {
        return error;
    }
    if ((int64_t)a[1] < 0 || (int64_t)a[2] <= 0 || a[1] > (uint64_t)INT64_MAX - a[2]) {
        return WASI_EINVAL;
    }
#if defined(__APPLE__)
    return WASI_ENOTSUP;
#else
    int result = posix_fallocate(f->host, (off_t)a[1], (off_t)a[2]);
    return result ? wasi_errno(result) : WASI_OK;
#endif
}

static uint32_t sync_fd(struct wasi *w, uint64_t fd, uint64_t right, bool data_only) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, fd, right, &error);
    if (!f) {
        return error;
    }
    if (f->host < 0) {
        return WASI_OK;
    }
#if defined(__APPLE__)
    (void)data_only;
    int result = fsync(f->host);
#else
    int result = data_only ? fdatasync(f->host) : fsync(f->host);
#endif
    return result == 0 ? WASI_OK : wasi_errno(errno);
}

uint32_t wasi_fd_datasync(struct wasi *w, const uint64_t *a) {
    return sync_fd(w, a[0], WASI_RIGHT_FD_DATASYNC, true);
}

uint32_t wasi_fd_sync(struct wasi *w, const uint64_t *a) {
    return sync_fd(w, a[0], WASI_RIGHT_FD_SYNC, false);
}

static uint64_t nanoseconds(struct timespec t) {
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void wasi_filestat_store(uint8_t out[64], const struct stat *st) {
    memset(out, 0, 64);
    wasi_store_u64(out, (uint64_t)st->st_dev);
    wasi_store_u64(out + 8, (uint64_t)st->st_ino);
    out[16] = (uint8_t)wasi_filetype_of(st->st_mode);
    wasi_store_u64(out + 24, (uint64_t)st->st_nlink);
    wasi_store_u64(out + 32, (uint64_t)st->st_size);
#if defined(__APPLE__)
    wasi_store_u64(out + 40, nanoseconds(st->st_atimespec));
    wasi_store_u64(out + 48, nanoseconds(st->st_mtimespec));
    wasi_store_u64(out + 56, nanoseconds(st->st_ctimespec));
#else
    wasi_store_u64(out + 40, nanoseconds(st->st_atim));
    wasi_store_u64(out + 48, nanoseconds(st->st_mtim));
    wasi_store_u64(out + 56, nanoseconds(st->st_ctim));
#endif
}

uint32_t wasi_fd_filestat_get(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_FILESTAT_GET, &error);
    if (!f) {
        return error;
    }
    uint8_t *p = wasi_at(w, a[1], 64);
    if (!p) {
        return WASI_EFAULT;
    }
    struct stat st = {0};
    if (f->host >= 0 && fstat(f->host, &st) != 0) {
        return wasi_errno(errno);
    }
    wasi_filestat_store(p, &st);
    p[16] = f->type;
    return WASI_OK;
}

uint32_t wasi_fd_filestat_set_size(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_SET_SIZE, &error);
    if (!f) {
        return error;
    }
    if ((int64_t)a[1] < 0) {
        return WASI_EINVAL;
    }
    return ftruncate(f->host, (off_t)a[1]) == 0 ? WASI_OK : wasi_errno(errno);
}

uint32_t wasi_times(uint64_t atim, uint64_t mtim, uint64_t flags, struct timespec out[2]) {
    enum { ATIM = 1, ATIM_NOW = 2, MTIM = 4, MTIM_NOW = 8 };
    if ((flags & (ATIM | ATIM_NOW)) == (ATIM | ATIM_NOW) || (flags & (MTIM | MTIM_NOW)) == (MTIM | MTIM_NOW) ||
        (flags & ~(uint64_t)15)) {
        return WASI_EINVAL;
    }
    out[0] = (struct timespec){.tv_nsec = flags & ATIM_NOW ? UTIME_NOW : UTIME_OMIT};
    out[1] = (struct timespec){.tv_nsec = flags & MTIM_NOW ? UTIME_NOW : UTIME_OMIT};
    if (flags & ATIM) {
        out[0] = (struct timespec){(time_t)(atim / 1000000000u), (long)(atim % 1000000000u)};
    }
    if (flags & MTIM) {
        out[1] = (struct timespec){(time_t)(mtim / 1000000000u), (long)(mtim % 1000000000u)};
    }
    return WASI_OK;
}

uint32_t wasi_fd_filestat_set_times(struct wasi *w, const uint64_t *a) {
    uint32_t error;
    struct wasi_fd *f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_SET_TIMES, &error);
    struct timespec times[2];
    if (!f) {
        return error;
    }
    error = wasi_times(a[1], a[2], a[3] & UINT32_MAX, times);
    if (error) {
        return error;
    }
    return futimens(f->host, times) == 0 ? WASI_OK : wasi_errno(errno);
}
