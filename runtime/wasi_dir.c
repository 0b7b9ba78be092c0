/* WASI: reading folders.
 *
 * A cookie must name the same place for as long as the folder is open, whatever is made or removed meanwhile, and may
 * be any number a hostile guest likes.  So cookie 0 takes a snapshot of the folder, and a cookie is an index into it.
 */
#include "runtime/wasi.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Entries one after another: inode (8 bytes), name length (4), type (1), name. */
enum { RECORD_HEAD = 13, DIRENT_BYTES = 24 };
/* A guest may open many folders; one of them may not hold more host memory than this. */
#define MAX_SNAPSHOT ((size_t)256 << 20)

struct wasi_dir {
    uint8_t *records;
    size_t bytes, capacity;
    uint64_t count;
    uint64_t last_cookie; /* where the last answer ended, to go on from without a search */
    size_t last_at;
};

void wasi_dir_free(struct wasi *w, struct wasi_dir *d) {
    if (d) {
        rt_free(w->in, d->records);
        rt_free(w->in, d);
    }
}

static uint8_t type_of_entry(const struct dirent *e) {
    switch (e->d_type) {
    case DT_BLK:
        return WASI_TYPE_BLOCK;
    case DT_CHR:
        return WASI_TYPE_CHAR;
    case DT_DIR:
        return WASI_TYPE_DIR;
    case DT_REG:
        return WASI_TYPE_REGULAR;
    case DT_LNK:
        return WASI_TYPE_SYMLINK;
    case DT_SOCK:
        return WASI_TYPE_SOCKET_STREAM;
    default:
        return WASI_TYPE_UNKNOWN;
    }
}

static uint32_t add_record(struct wasi *w, struct wasi_dir *d, uint64_t inode, uint8_t type, const char *name) {
    size_t n = strnlen(name, NAME_MAX), need = d->bytes + RECORD_HEAD + n;
    if (need > d->capacity) {
        size_t capacity = d->capacity ? d->capacity * 2 : 4096;
        capacity = capacity > need ? capacity : need;
        uint8_t *records = capacity <= MAX_SNAPSHOT ? rt_alloc(w->in, capacity, 1) : NULL;
        if (!records) {
            return WASI_ENOMEM;
        }
        if (d->bytes) {
            memcpy(records, d->records, d->bytes);
        }
        rt_free(w->in, d->records);
        d->records = records;
        d->capacity = capacity;
    }
    uint8_t *p = d->records + d->bytes;
    wasi_store_u64(p, inode);
    wasi_store_u32(p + 8, (uint32_t)n);
    p[12] = type;
    memcpy(p + RECORD_HEAD, name, n);
    d->bytes = need;
    d->count++;
    return WASI_OK;
}

/* ".." gets the folder's own inode: what lies above is not the guest's business. */
static uint32_t take_snapshot(struct wasi *w, struct wasi_fd *f) {
    wasi_dir_free(w, f->dir);
    f->dir = NULL;
    int fd = openat(f->host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct stat st;
    if (!dir || fstat(fd, &st) != 0) {
        uint32_t error = wasi_errno(errno);
        if (dir) {
            closedir(dir);
        } else if (fd >= 0) {
            close(fd);
        }
        return error;
    }
    struct wasi_dir *d = rt_alloc(w->in, 1, sizeof *d);
    uint32_t error = d ? WASI_OK : WASI_ENOMEM;
    while (!error) {
        errno = 0;
        struct dirent *e = readdir(dir);
        if (!e) {
            error = errno ? wasi_errno(errno) : WASI_OK;
            break;
        }
        uint64_t inode = strcmp(e->d_name, "..") == 0 ? (uint64_t)st.st_ino : (uint64_t)e->d_ino;
        error = add_record(w, d, inode, type_of_entry(e), e->d_name);
    }
    closedir(dir);
    if (error) {
        wasi_dir_free(w, d);
        return error;
    }
    f->dir = d;
    return WASI_OK;
}

static size_t record_at(const struct wasi_dir *d, uint64_t cookie) {
    uint64_t i = 0;
    size_t at = 0;
    if (cookie >= d->last_cookie) {
        i = d->last_cookie;
        at = d->last_at;
    }
    for (; i < cookie; i++) {
        at += RECORD_HEAD + wasi_load_u32(d->records + at + 8);
    }
    return at;
}

uint32_t wasi_fd_readdir(struct wasi *w, const uint64_t *a) {
    uint32_t error, size = (uint32_t)a[2], used = 0;
    uint64_t cookie = a[3];
    struct wasi_fd *f = wasi_fd_get(w, a[0], 0, &error);
    if (f && f->type != WASI_TYPE_DIR) {
        return WASI_ENOTDIR;
    }
    f = wasi_fd_get(w, a[0], WASI_RIGHT_FD_READDIR, &error);
    if (!f) {
        return error;
    }
    uint8_t *out = wasi_at(w, a[1], size);
    if (!out || !wasi_at(w, a[4], 4)) {
        return WASI_EFAULT;
    }
    if (cookie == 0 || !f->dir) {
        error = take_snapshot(w, f);
        if (error || !f->dir) {
            return error ? error : WASI_EIO;
        }
    }
    struct wasi_dir *d = f->dir;
    size_t at = cookie < d->count ? record_at(d, cookie) : 0;
    /* The last entry is cut off where the buffer ends: that is how the guest sees that there is more. */
    for (; cookie < d->count && used < size; cookie++) {
        const uint8_t *r = d->records + at;
        uint8_t head[DIRENT_BYTES] = {0};
        uint32_t n = wasi_load_u32(r + 8);
        d->last_cookie = cookie;
        d->last_at = at;
        wasi_store_u64(head, cookie + 1);
        wasi_store_u64(head + 8, wasi_load_u64(r));
        wasi_store_u32(head + 16, n);
        head[20] = r[12];
        uint32_t part = size - used < DIRENT_BYTES ? size - used : DIRENT_BYTES;
        memcpy(out + used, head, part);
        used += part;
        part = size - used < n ? size - used : n;
        memcpy(out + used, r + RECORD_HEAD, part);
        used += part;
        at += RECORD_HEAD + n;
    }
    return wasi_put_u32(w, a[4], used);
}
