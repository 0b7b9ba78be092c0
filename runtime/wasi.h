/* WASI preview 1 for one instance: arguments, environment and the table of open files.  Private to runtime/.
 *
 *   wasi.c          set-up, lookup of functions, guest memory, errors
 *   wasi_env.c      arguments, environment, clocks, random numbers, process
 *   wasi_fd.c       the table of open files, and what concerns descriptors rather than contents
 *   wasi_file.c     reading, writing, sizes, times
 *   wasi_dir.c      reading folders
 *   wasi_path.c     everything that takes a path
 *   wasi_resolve.c  paths to host files, never outside the folder they start from
 *   wasi_poll.c     waiting
 *
 * The functions wasi_<name> take the raw cells of the call and return a WASI error number.  The guest is not trusted:
 * addresses, lengths, descriptors and paths are checked here, and a failure is an error number, never a fault.
 */
#ifndef WASMETAL_RUNTIME_WASI_H
#define WASMETAL_RUNTIME_WASI_H

#include <errno.h>
#include <sys/stat.h>

#include "runtime/instance.h"

#define WASI_MODULE "wasi_snapshot_preview1"
#define EMSCRIPTEN_MODULE "env"

enum {
    WASI_OK = 0,
#define WASI_ERRNO(name, number, host) WASI_E##name = (number),
#include "runtime/wasi_errno.def"
};

enum wasi_filetype {
    WASI_TYPE_UNKNOWN,
    WASI_TYPE_BLOCK,
    WASI_TYPE_CHAR,
    WASI_TYPE_DIR,
    WASI_TYPE_REGULAR,
    WASI_TYPE_SOCKET_DGRAM,
    WASI_TYPE_SOCKET_STREAM,
    WASI_TYPE_SYMLINK,
};

/* Rights, as bits (witx: $rights). */
#define WASI_RIGHT(bit) (UINT64_C(1) << (bit))
#define WASI_RIGHT_FD_DATASYNC WASI_RIGHT(0)
#define WASI_RIGHT_FD_READ WASI_RIGHT(1)
#define WASI_RIGHT_FD_SEEK WASI_RIGHT(2)
#define WASI_RIGHT_FD_SET_FLAGS WASI_RIGHT(3)
#define WASI_RIGHT_FD_SYNC WASI_RIGHT(4)
#define WASI_RIGHT_FD_TELL WASI_RIGHT(5)
#define WASI_RIGHT_FD_WRITE WASI_RIGHT(6)
#define WASI_RIGHT_FD_ADVISE WASI_RIGHT(7)
#define WASI_RIGHT_FD_ALLOCATE WASI_RIGHT(8)
#define WASI_RIGHT_PATH_CREATE_DIRECTORY WASI_RIGHT(9)
#define WASI_RIGHT_PATH_CREATE_FILE WASI_RIGHT(10)
#define WASI_RIGHT_PATH_LINK_SOURCE WASI_RIGHT(11)
#define WASI_RIGHT_PATH_LINK_TARGET WASI_RIGHT(12)
#define WASI_RIGHT_PATH_OPEN WASI_RIGHT(13)
#define WASI_RIGHT_FD_READDIR WASI_RIGHT(14)
#define WASI_RIGHT_PATH_READLINK WASI_RIGHT(15)
#define WASI_RIGHT_PATH_RENAME_SOURCE WASI_RIGHT(16)
#define WASI_RIGHT_PATH_RENAME_TARGET WASI_RIGHT(17)
#define WASI_RIGHT_PATH_FILESTAT_GET WASI_RIGHT(18)
#define WASI_RIGHT_PATH_SET_SIZE WASI_RIGHT(19)
#define WASI_RIGHT_PATH_SET_TIMES WASI_RIGHT(20)
#define WASI_RIGHT_FD_FILESTAT_GET WASI_RIGHT(21)
#define WASI_RIGHT_FD_SET_SIZE WASI_RIGHT(22)
#define WASI_RIGHT_FD_SET_TIMES WASI_RIGHT(23)
#define WASI_RIGHT_PATH_SYMLINK WASI_RIGHT(24)
#define WASI_RIGHT_PATH_REMOVE_DIRECTORY WASI_RIGHT(25)
#define WASI_RIGHT_PATH_UNLINK_FILE WASI_RIGHT(26)
#define WASI_RIGHT_POLL WASI_RIGHT(27)

#define WASI_RIGHTS_FILE_READ                                                                                      \
    (WASI_RIGHT_FD_READ | WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL | WASI_RIGHT_FD_SET_FLAGS | WASI_RIGHT_FD_SYNC | \
     WASI_RIGHT_FD_DATASYNC | WASI_RIGHT_FD_ADVISE | WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_POLL)
#define WASI_RIGHTS_FILE_WRITE \
    (WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_ALLOCATE | WASI_RIGHT_FD_SET_SIZE | WASI_RIGHT_FD_SET_TIMES)
#define WASI_RIGHTS_DIR_READ                                                                                  \
    (WASI_RIGHT_PATH_OPEN | WASI_RIGHT_FD_READDIR | WASI_RIGHT_PATH_READLINK | WASI_RIGHT_PATH_FILESTAT_GET | \
     WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_PATH_LINK_SOURCE | WASI_RIGHT_FD_SYNC | WASI_RIGHT_FD_DATASYNC | \
     WASI_RIGHT_FD_SET_FLAGS)
#define WASI_RIGHTS_DIR_WRITE                                                                       \
    (WASI_RIGHT_PATH_CREATE_DIRECTORY | WASI_RIGHT_PATH_CREATE_FILE | WASI_RIGHT_PATH_LINK_TARGET | \
     WASI_RIGHT_PATH_RENAME_SOURCE | WASI_RIGHT_PATH_RENAME_TARGET | WASI_RIGHT_PATH_SET_SIZE |     \
     WASI_RIGHT_PATH_SET_TIMES | WASI_RIGHT_PATH_SYMLINK | WASI_RIGHT_PATH_REMOVE_DIRECTORY |       \
     WASI_RIGHT_PATH_UNLINK_FILE | WASI_RIGHT_FD_SET_TIMES)

struct wasi_dir; /* entries of a folder being read (wasi_dir.c) */

struct wasi_fd {
    bool open;
    bool owned;     /* close `host` with the descriptor */
    bool read_only; /* below a read-only folder */
    uint8_t type;   /* enum wasi_filetype */
    int host;       /* -1: reads end of file, drops what is written */
    uint64_t rights, inheriting;
    char *preopen; /* its guest name; NULL for others */
    struct wasi_dir *dir;
};

struct wasi {
    struct wasmetal_instance *in;
    char **args, **env;
    size_t nargs, nenv;
    struct wasi_fd *fds;
    uint32_t nfds, capacity, max_fds;
    bool use_openat2;
};

struct wasi_function {
    const char *name, *type;
    wm_host_fn *fn;
};

/* NULL when there is no such function. */
const struct wasi_function *wasi_find(const char *name);
/* What standalone modules of Emscripten import beside WASI, from the module EMSCRIPTEN_MODULE; NULL: something else. */
const struct wasi_function *wasi_find_emscripten(const char *name);
/* Copies the description and opens the folders.  OK, OUT_OF_MEMORY, IO, LIMIT; on failure *out_wasi holds what there
 * is, for wasi_close. */
wasmetal_status wasi_open(struct wasmetal_instance *in, const wasmetal_instance_desc *desc, struct wasi **out_wasi);
void wasi_close(struct wasi *w); /* NULL is fine */

/* ---- guest memory ---- */

/* Bytes [address, address + n) of the guest, or NULL when not all of them are there. */
uint8_t *wasi_at(struct wasi *w, uint64_t address, uint64_t n);
uint32_t wasi_put_u32(struct wasi *w, uint64_t address, uint32_t value); /* 0 or EFAULT */
uint32_t wasi_put_u64(struct wasi *w, uint64_t address, uint64_t value);
static inline uint32_t wasi_load_u32(const uint8_t *p) {
    uint32_t v;
    __builtin_memcpy(&v, p, 4);
    return v;
}
static inline uint64_t wasi_load_u64(const uint8_t *p) {
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    return v;
}
static inline void wasi_store_u16(uint8_t *p, uint16_t v) {
    __builtin_memcpy(p, &v, 2);
}
static inline void wasi_store_u32(uint8_t *p, uint32_t v) {
    __builtin_memcpy(p, &v, 4);
}
static inline void wasi_store_u64(uint8_t *p, uint64_t v) {
    __builtin_memcpy(p, &v, 8);
}

uint32_t wasi_errno(int host_errno);

/* ---- descriptors ---- */

/* The open descriptor `fd` that has all of `rights`; NULL with *out_error BADF or NOTCAPABLE. */
struct wasi_fd *wasi_fd_get(struct wasi *w, uint64_t fd, uint64_t rights, uint32_t *out_error);
/* Puts `entry` at the lowest free number.  WASI_EMFILE or WASI_ENOMEM; the caller still owns entry->host then. */
uint32_t wasi_fd_add(struct wasi *w, const struct wasi_fd *entry, uint32_t *out_fd);
void wasi_fd_drop(struct wasi *w, struct wasi_fd *f);
void wasi_dir_free(struct wasi *w, struct wasi_dir *d);
enum wasi_filetype wasi_filetype_of(mode_t mode);
void wasi_filestat_store(uint8_t out[64], const struct stat *st);
/* WASI time stamps and flags to what utimensat takes; EINVAL when flags contradict each other. */
uint32_t wasi_times(uint64_t atim, uint64_t mtim, uint64_t flags, struct timespec out[2]);

/* ---- paths (wasi_resolve.c) ---- */

/* Opens `path`, which starts at folder `dir`, with open(2) flags.  Returns a descriptor or -errno; -EXDEV when the path
 * leads out of `dir`, be it by "..", by being absolute, or by a symbolic link.  O_NOFOLLOW concerns the last component;
 * others are followed as long as they stay inside. */
int wasi_resolve_open(const struct wasi *w, int dir, const char *path, int flags, mode_t mode);

struct wasi_place {
    int parent;       /* folder, to be closed with wasi_place_close */
    char name[256];   /* last component; "." for the folder itself */
    bool must_be_dir; /* the path ended in a slash */
};
/* The folder that holds the last component.  `follow`: when that is a symbolic link, goes on to what it names (which
 * need not exist).  0 or -errno as above. */
int wasi_resolve_place(const struct wasi *w, int dir, const char *path, bool follow, struct wasi_place *out_place);
void wasi_place_close(struct wasi_place *p);
/* The WASI error for a negative result of the two. */
uint32_t wasi_resolve_errno(int result);

#define WASI(name, type) uint32_t wasi_##name(struct wasi *w, const uint64_t *a);
#include "runtime/wasi.def"

#endif
