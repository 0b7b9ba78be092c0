/* WASI: from a guest's path to a file of the host, never outside the folder it starts from.
 *
 * Where the kernel has openat2, RESOLVE_BENEATH does it: the kernel itself refuses any step that would leave the
 * folder. Elsewhere a path is walked component by component with O_NOFOLLOW, which nothing that other processes do
 * meanwhile can trick:
 *
 *     "a/../link/c"     stack of open folders: [root] -> [root a] -> ".." pops [root]; popping root itself is an escape
 *                       "link" is a symbolic link: its text replaces it in what is left to walk, "x/y" + "/c";
 *                       an absolute text is an escape
 *
 * ".." pops the folder we came from rather than asking the kernel for a parent, so a folder moved away in between leads
 * nowhere else.  Every step opens relative to a held descriptor.
 */
#define _GNU_SOURCE /* O_PATH */
#include "runtime/wasi.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

enum {
    MAX_DEPTH = 128, /* folders held open while walking */
    MAX_LINKS = 40,  /* symbolic links followed, as Linux does */
    MAX_PATH = 4096, /* bytes left to walk */
};

uint32_t wasi_resolve_errno(int result) {
    return result == -EXDEV ? WASI_ENOTCAPABLE : wasi_errno(-result);
}

static int openat2_beneath(int dir, const char *path, int flags, mode_t mode) {
#if defined(SYS_openat2)
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    for (int tries = 0; tries < 32; tries++) {
        long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
        if (fd >= 0) {
            return (int)fd;
        }
        if (errno != EAGAIN && errno != EINTR) { /* EAGAIN: something moved while the kernel looked at ".." */
            return -errno;
        }
    }
    return -EAGAIN;
#else
    (void)dir;
    (void)path;
    (void)flags;
    (void)mode;
    return -ENOSYS;
#endif
}

/* ---- walking ---- */

struct walk {
    int stack[MAX_DEPTH]; /* [0] is the folder it starts from, not ours to close */
    int depth;            /* index of the top */
    int links;
    char rest[MAX_PATH]; /* what is left, NUL-terminated */
};

static void walk_close(struct walk *k) {
    while (k->depth > 0) {
        close(k->stack[k->depth--]);
    }
}

/* Puts a link's text before what is left. */
static int walk_follow(struct walk *k, const char *name) {
    char text[MAX_PATH];
    ssize_t n = readlinkat(k->stack[k->depth], name, text, sizeof text - 1);
    if (n < 0) {
        return -errno;
    }
    size_t rest = strlen(k->rest);
    if (++k->links > MAX_LINKS) {
        return -ELOOP;
    }
    if (n == 0) {
        return -ENOENT;
    }
    if (text[0] == '/') {
        return -EXDEV;
    }
    if ((size_t)n + 1 + rest + 1 > sizeof k->rest) {
        return -ENAMETOOLONG;
    }
    memmove(k->rest + n + 1, k->rest, rest + 1);
    memcpy(k->rest, text, (size_t)n);
    k->rest[n] = rest ? '/' : 0;
    return 0;
}

/* Takes the next component off `rest`.  *out_last: nothing but slashes followed. */
static int walk_next(struct walk *k, char name[256], bool *out_last, bool *out_slash) {
    size_t start = strspn(k->rest, "/"), n = strcspn(k->rest + start, "/");
    size_t slashes = strspn(k->rest + start + n, "/");
    if (n > 255) {
        return -ENAMETOOLONG;
    }
    memcpy(name, k->rest + start, n);
    name[n] = 0;
    *out_slash = slashes > 0;
    *out_last = k->rest[start + n + slashes] == 0;
    memmove(k->rest, k->rest + start + n + slashes, strlen(k->rest + start + n + slashes) + 1);
    return 0;
}

static int walk_enter(struct walk *k, const char *name) {
    if (k->depth + 1 == MAX_DEPTH) {
        return -ENAMETOOLONG;
    }
    int fd = openat(k->stack[k->depth], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    k->stack[++k->depth] = fd;
    return 0;
}

static bool is_link(int dir, const char *name) {
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* Walks to the folder of the last component, k->stack[k->depth].  A "." or ".." at the end leaves name ".". */
static int walk_path(struct walk *k, const char *path, bool follow, char name[256], bool *out_must_be_dir) {
    size_t n = strlen(path);
    if (n == 0) {
        return -ENOENT;
    }
    if (n >= sizeof k->rest) {
        return -ENAMETOOLONG;
    }
    if (path[0] == '/') {
        return -EXDEV;
    }
    memcpy(k->rest, path, n + 1);
    *out_must_be_dir = false;
    for (;;) {
        bool last, slash;
        int error = walk_next(k, name, &last, &slash);
        if (error) {
            return error;
        }
        *out_must_be_dir |= last && slash;
        if (name[0] == 0 || strcmp(name, ".") == 0) {
            name[0] = '.';
            name[1] = 0;
        } else if (strcmp(name, "..") == 0) {
            if (k->depth == 0) {
                return -EXDEV;
            }
            close(k->stack[k->depth--]);
            name[0] = '.';
            name[1] = 0;
        } else if ((!last || follow || slash) && is_link(k->stack[k->depth], name)) {
            error = walk_follow(k, name);
            if (error) {
                return error;
            }
            continue;
        } else if (!last) {
            error = walk_enter(k, name);
            if (error) {
                return error;
            }
        }
        if (last) {
            return 0;
        }
    }
}

static int walk_open(int dir, const char *path, int flags, mode_t mode) {
    struct walk *k = malloc(sizeof *k);
    if (!k) {
        return -ENOMEM;
    }
    k->stack[0] = dir;
    k->depth = k->links = 0;
    char name[256];
    bool must_be_dir;
    int result = walk_path(k, path, !(flags & O_NOFOLLOW), name, &must_be_dir);
    if (result == 0 && must_be_dir && (flags & O_CREAT)) {
        result = -EISDIR; /* as open(2) says of "new/" */
    }
    if (result == 0) {
        flags |= O_NOFOLLOW | O_CLOEXEC | (must_be_dir ? O_DIRECTORY : 0);
        int fd = openat(k->stack[k->depth], name, flags, mode);
        result = fd >= 0 ? fd : -errno;
    }
    walk_close(k);
    free(k);
    return result;
}

int wasi_resolve_open(const struct wasi *w, int dir, const char *path, int flags, mode_t mode) {
    if (path[0] == '/') {
        return -EXDEV;
    }
    return w->use_openat2 ? openat2_beneath(dir, path, flags, mode) : walk_open(dir, path, flags, mode);
}

/* ---- places ---- */

/* Splits off the last component; false when that is ".", ".." or nothing, and the whole path names a folder. */
static bool split(const char *path, char prefix[MAX_PATH], char name[256], bool *out_slash) {
    size_t end = strlen(path);
    while (end && path[end - 1] == '/') {
        end--;
    }
    size_t start = end;
    while (start && path[start - 1] != '/') {
        start--;
    }
    *out_slash = path[end] == '/';
    size_t n = end - start;
    if (n == 0 || n > 255 || (n == 1 && path[start] == '.') || (n == 2 && memcmp(path + start, "..", 2) == 0)) {
        return false;
    }
    memcpy(prefix, path, start);
    prefix[start] = 0;
    memcpy(name, path + start, n);
    name[n] = 0;
    return true;
}

int wasi_resolve_place(const struct wasi *w, int dir, const char *path, bool follow, struct wasi_place *out_place) {
    size_t n = strlen(path);
    if (n == 0 || n >= MAX_PATH || path[0] == '/') {
        return n == 0 ? -ENOENT : path[0] == '/' ? -EXDEV : -ENAMETOOLONG;
    }
    char prefix[MAX_PATH];
    bool slash;
    if (w->use_openat2 && !follow && split(path, prefix, out_place->name, &slash) && !slash) {
        int fd = openat2_beneath(dir, prefix[0] ? prefix : ".", O_PATH | O_DIRECTORY, 0);
        out_place->parent = fd;
        out_place->must_be_dir = false;
        return fd < 0 ? fd : 0;
    }
    struct walk *k = malloc(sizeof *k);
    if (!k) {
        return -ENOMEM;
    }
    k->stack[0] = dir;
    k->depth = k->links = 0;
    int result = walk_path(k, path, follow, out_place->name, &out_place->must_be_dir);
    if (result == 0) {
        out_place->parent = fcntl(k->stack[k->depth], F_DUPFD_CLOEXEC, 0);
        result = out_place->parent < 0 ? -errno : 0;
    }
    walk_close(k);
    free(k);
    return result;
}

void wasi_place_close(struct wasi_place *p) {
    close(p->parent);
}
