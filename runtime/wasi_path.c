/* WASI: functions that take a path.  All go through wasi_resolve.c; none hands a guest's path to the host as it is. */
#define _GNU_SOURCE /* AT_EMPTY_PATH, O_PATH */
#include "runtime/wasi.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

enum { OFLAG_CREAT = 1, OFLAG_DIRECTORY = 2, OFLAG_EXCL = 4, OFLAG_TRUNC = 8 };
enum { FDFLAG_APPEND = 1, FDFLAG_DSYNC = 2, FDFLAG_NONBLOCK = 4, FDFLAG_RSYNC = 8, FDFLAG_SYNC = 16 };
enum { LOOKUP_FOLLOW = 1 };

/* Copies the guest's path, so that nothing can change it between two looks. */
static uint32_t get_path(struct wasi *w, uint64_t address, uint64_t length, char out[PATH_BYTES]) {
    length &= UINT32_MAX;
    const uint8_t *p = wasi_at(w, address, length);
    if (!p) {
        return WASI_EFAULT;
    }
    if (length >= PATH_BYTES) {
        return WASI_ENAMETOOLONG;
    }
    if (memchr(p, 0, length)) {
        return WASI_EINVAL;
    }
    memcpy(out, p, length);
    out[length] = 0;
    return WASI_OK;
}

/* The folder `fd` with the rights, and whether it may be changed when that is what they are for. */
static struct wasi_fd *get_folder(struct wasi *w, uint64_t fd, uint64_t rights, uint32_t *out_error) {
    struct wasi_fd *f = wasi_fd_get(w, fd, 0, out_error);
    if (f && f->type != WASI_TYPE_DIR) {
        *out_error = WASI_ENOTDIR;
        return NULL;
    }
    if (f && f->read_only && (rights & WASI_RIGHTS_DIR_WRITE)) {
        *out_error = WASI_EROFS;
        return NULL;
    }
    return f ? wasi_fd_get(w, fd, rights, out_error) : NULL;
}

/* Folder, path and place in one; on success place->parent is open. */
static uint32_t get_place(struct wasi *w, uint64_t fd, uint64_t rights, uint64_t path, uint64_t length, bool follow,
                          struct wasi_place *place) {
    char text[PATH_BYTES];
    uint32_t error;
    *place = (struct wasi_place){.parent = -1};
    struct wasi_fd *f = get_folder(w, fd, rights, &error);
    if (!f || (error = get_path(w, path, length, text)) != WASI_OK) {
        return error;
    }
    int result = wasi_resolve_place(w, f->host, text, follow, place);
    return result < 0 ? wasi_resolve_errno(result) : WASI_OK;
}

static uint32_t finish(struct wasi_place *place, int result) {
    uint32_t error = result == 0 ? WASI_OK : wasi_errno(errno);
    wasi_place_close(place);
    return error;
}

/* ---- opening ---- */

uint32_t wasi_path_open(struct wasi *w, const uint64_t *a) {
    char path[PATH_BYTES];
    uint32_t error;
    uint64_t oflags = a[4] & UINT32_MAX, fdflags = a[7] & UINT32_MAX;
    struct wasi_fd *dir = get_folder(w, a[0], WASI_RIGHT_PATH_OPEN, &error);
    if (!dir || (error = get_path(w, a[2], a[3], path)) != WASI_OK) {
        return error;
    }
    if (!wasi_at(w, a[8], 4)) {
        return WASI_EFAULT;
    }
    if ((oflags & ~UINT64_C(15)) || (fdflags & ~UINT64_C(31))) {
        return WASI_EINVAL;
    }
    const uint64_t write_rights = WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_ALLOCATE | WASI_RIGHT_FD_SET_SIZE;
    bool writes = (a[5] & write_rights) && !(oflags & OFLAG_DIRECTORY);
    bool reads = !writes || (a[5] & (WASI_RIGHT_FD_READ | WASI_RIGHT_FD_READDIR));
    if (dir->read_only && (writes || (oflags & (OFLAG_CREAT | OFLAG_TRUNC)))) {
        return WASI_EROFS;
    }
    if (((oflags & OFLAG_CREAT) && !(dir->rights & WASI_RIGHT_PATH_CREATE_FILE)) ||
        ((oflags & OFLAG_TRUNC) && !(dir->rights & WASI_RIGHT_PATH_SET_SIZE)) ||
        (writes && !(dir->inheriting & WASI_RIGHT_FD_WRITE))) {
        return WASI_ENOTCAPABLE;
    }
    int flags = writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY;
    flags |= oflags & OFLAG_CREAT ? O_CREAT : 0;
    flags |= oflags & OFLAG_DIRECTORY ? O_DIRECTORY : 0;
    flags |= oflags & OFLAG_EXCL ? O_EXCL : 0;
    flags |= oflags & OFLAG_TRUNC ? O_TRUNC : 0;
    flags |= fdflags & FDFLAG_APPEND ? O_APPEND : 0;
    flags |= fdflags & FDFLAG_NONBLOCK ? O_NONBLOCK : 0;
    flags |= fdflags & (FDFLAG_SYNC | FDFLAG_RSYNC) ? O_SYNC : fdflags & FDFLAG_DSYNC ? O_DSYNC : 0;
    flags |= a[1] & LOOKUP_FOLLOW ? 0 : O_NOFOLLOW;
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
        return WASI_EINVAL;
    }
    int host = wasi_resolve_open(w, dir->host, path, flags | O_NOCTTY, 0666);
    if (host < 0) {
        return wasi_resolve_errno(host);
    }
    struct stat st;
    if (fstat(host, &st) != 0) {
        error = wasi_errno(errno);
        close(host);
        return error;
    }
    struct wasi_fd f = {
        .open = true,
        .owned = true,
        .read_only = dir->read_only,
        .type = wasi_filetype_of(st.st_mode),
        .host = host,
        .rights = a[5] & dir->inheriting,
        .inheriting = a[6] & dir->inheriting,
    };
    if (f.type == WASI_TYPE_DIR) {
        /* Programs open folders with whatever rights; those of its files are for `inheriting`. */
        f.rights &= WASI_RIGHTS_DIR_READ | WASI_RIGHTS_DIR_WRITE;
    } else {
        f.rights &= WASI_RIGHTS_FILE_READ | WASI_RIGHTS_FILE_WRITE;
        f.rights &= reads ? ~UINT64_C(0) : ~WASI_RIGHT_FD_READ;
        if (f.type != WASI_TYPE_REGULAR && f.type != WASI_TYPE_BLOCK) {
            f.rights &= ~(WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL);
        }
    }
    uint32_t fd;
    error = wasi_fd_add(w, &f, &fd);
    if (error) {
        close(host);
        return error;
    }
    return wasi_put_u32(w, a[8], fd);
}

/* ---- what is there ---- */

uint32_t wasi_path_filestat_get(struct wasi *w, const uint64_t *a) {
    struct wasi_place place;
    struct stat st;
    uint8_t *out = wasi_at(w, a[4], 64);
    if (!out) {
        return WASI_EFAULT;
    }
    uint32_t error = get_place(w, a[0], WASI_RIGHT_PATH_FILESTAT_GET, a[2], a[3], (a[1] & LOOKUP_FOLLOW) != 0, &place);
    if (error) {
        return error;
    }
    int result = fstatat(place.parent, place.name, &st, AT_SYMLINK_NOFOLLOW);
    if (result == 0 && place.must_be_dir && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        result = -1;
    }
    error = finish(&place, result);
    if (!error) {
        wasi_filestat_store(out, &st);
    }
    return error;
}

uint32_t wasi_path_filestat_set_times(struct wasi *w, const uint64_t *a) {
    struct wasi_place place = {.parent = -1};
    struct timespec times[2];
    uint32_t error = wasi_times(a[4], a[5], a[6] & UINT32_MAX, times);
    if (!error) {
        error = get_place(w, a[0], WASI_RIGHT_PATH_SET_TIMES, a[2], a[3], (a[1] & LOOKUP_FOLLOW) != 0, &place);
    }
    return error ? error : finish(&place, utimensat(place.parent, place.name, times, AT_SYMLINK_NOFOLLOW));
}

uint32_t wasi_path_readlink(struct wasi *w, const uint64_t *a) {
    struct wasi_place place;
    uint32_t size = (uint32_t)a[4];
    uint8_t *out = wasi_at(w, a[3], size);
    if (!out || !wasi_at(w, a[5], 4)) {
        return WASI_EFAULT;
    }
    uint32_t error = get_place(w, a[0], WASI_RIGHT_PATH_READLINK, a[1], a[2], false, &place);
    if (error) {
        return error;
    }
    char text[PATH_BYTES];
    ssize_t n = readlinkat(place.parent, place.name, text, sizeof text);
    error = finish(&place, n < 0 ? -1 : 0);
    if (error) {
        return error;
    }
    if (n > 0 && text[0] == '/') {
        return WASI_ENOTCAPABLE; /* it would tell about the host's tree */
    }
    uint32_t used = (size_t)n < size ? (uint32_t)n : size;
    memcpy(out, text, used);
    return wasi_put_u32(w, a[5], used);
}

/* ---- changing ---- */

uint32_t wasi_path_create_directory(struct wasi *w, const uint64_t *a) {
    struct wasi_place place;
    uint32_t error = get_place(w, a[0], WASI_RIGHT_PATH_CREATE_DIRECTORY, a[1], a[2], false, &place);
    return error ? error : finish(&place, mkdirat(place.parent, place.name, 0777));
}

uint32_t wasi_path_remove_directory(struct wasi *w, const uint64_t *a) {
    struct wasi_place place;
    uint32_t error = get_place(w, a[0], WASI_RIGHT_PATH_REMOVE_DIRECTORY, a[1], a[2], false, &place);
    return error ? error : finish(&place, unlinkat(place.parent, place.name, AT_REMOVEDIR));
}

uint32_t wasi_path_unlink_file(struct wasi *w, const uint64_t *a) {
    struct wasi_place place;
    uint32_t error = get_place(w, a[0], WASI_RIGHT_PATH_UNLINK_FILE, a[1], a[2], false, &place);
    if (error) {
        return error;
    }
    struct stat st;
    if (fstatat(place.parent, place.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (S_ISDIR(st.st_mode) || place.must_be_dir)) {
        wasi_place_close(&place);
        return S_ISDIR(st.st_mode) ? WASI_EISDIR : WASI_ENOTDIR;
    }
    return finish(&place, unlinkat(place.parent, place.name, 0));
}

/* Two places; the second is resolved while the first is open. */
static uint32_t get_second(struct wasi *w, struct wasi_place *first, uint64_t fd, uint64_t rights, uint64_t path,
                           uint64_t length, struct wasi_place *second) {
    uint32_t error = get_place(w, fd, rights, path, length, false, second);
    if (error) {
        wasi_place_close(first);
    }
    return error;
}

/* A trailing slash asks for a folder; rename(2) would not see it, as the slash is gone from the name. */
static bool slash_on_file(const struct wasi_place *place) {
    struct stat st;
    return place->must_be_dir && fstatat(place->parent, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           !S_ISDIR(st.st_mode);
}

uint32_t wasi_path_rename(struct wasi *w, const uint64_t *a) {
    struct wasi_place from, to = {.parent = -1};
    uint32_t error = get_place(w, a[0], WASI_RIGHT_PATH_RENAME_SOURCE, a[1], a[2], false, &from);
    if (!error) {
        error = get_second(w, &from, a[3], WASI_RIGHT_PATH_RENAME_TARGET, a[4], a[5], &to);
    }
    if (error) {
        return error;
    }
    struct stat st;
    bool file = fstatat(from.parent, from.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode);
    int result = -1;
    if (slash_on_file(&from) || (to.must_be_dir && file)) {
        errno = ENOTDIR;
    } else {
        result = renameat(from.parent, from.name, to.parent, to.name);
    }
    error = finish(&to, result);
    wasi_place_close(&from);
    return error;
}

uint32_t wasi_path_link(struct wasi *w, const uint64_t *a) {
    struct wasi_place from, to = {.parent = -1};
    uint32_t error = get_place(w, a[0], WASI_RIGHT_PATH_LINK_SOURCE, a[2], a[3], (a[1] & LOOKUP_FOLLOW) != 0, &from);
    if (!error) {
        error = get_second(w, &from, a[4], WASI_RIGHT_PATH_LINK_TARGET, a[5], a[6], &to);
    }
    if (error) {
        return error;
    }
    int result = -1;
    if (w->fds[a[0] & UINT32_MAX].read_only) {
        errno = EROFS; /* a second name elsewhere would make the file writable */
    } else if (slash_on_file(&from) || to.must_be_dir) {
        errno = to.must_be_dir ? ENOENT : ENOTDIR;
    } else {
        result = linkat(from.parent, from.name, to.parent, to.name, 0);
    }
    error = finish(&to, result);
    wasi_place_close(&from);
    return error;
}

uint32_t wasi_path_symlink(struct wasi *w, const uint64_t *a) {
    char target[PATH_BYTES];
    struct wasi_place place = {.parent = -1};
    uint32_t error = get_path(w, a[0], a[1], target);
    if (!error && target[0] == '/') {
        error = WASI_ENOTCAPABLE;
    }
    if (!error && target[0] == 0) {
        error = WASI_ENOENT;
    }
    if (!error) {
        error = get_place(w, a[2], WASI_RIGHT_PATH_SYMLINK, a[3], a[4], false, &place);
    }
    if (error) {
        return error;
    }
    if (place.must_be_dir) {
        wasi_place_close(&place);
        return WASI_ENOENT;
    }
    return finish(&place, symlinkat(target, place.parent, place.name));
}
