/* Files that make the next process start faster; see cache_folder.h. */
#define _GNU_SOURCE /* secure_getenv */
#include "runtime/cache_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The getenv of programs that do not run for somebody else. */
static const char *trusted_environment(const char *name) {
#ifdef __GLIBC__
    return secure_getenv(name);
#else
    return getuid() == geteuid() && getgid() == getegid() ? getenv(name) : NULL;
#endif
}

bool wm_cache_find_folder(bool no_environment, char folder[WM_CACHE_FOLDER_SIZE]) {
    if (no_environment)
        return false;
    const char *own = trusted_environment("WASMETAL_CACHE_DIR");
    const char *cache = trusted_environment("XDG_CACHE_HOME"), *home = trusted_environment("HOME");
    int n = -1;
    if (own && *own)
        n = own[0] == '/' ? snprintf(folder, WM_CACHE_FOLDER_SIZE, "%s", own) : -1; /* "off" */
    else if (cache && cache[0] == '/')
        n = snprintf(folder, WM_CACHE_FOLDER_SIZE, "%s/wasmetal", cache);
    else if (home && home[0] == '/')
        n = snprintf(folder, WM_CACHE_FOLDER_SIZE, "%s/.cache/wasmetal", home);
    return n > 0 && n < WM_CACHE_FOLDER_SIZE;
}

bool wm_cache_make_folder(char *folder) {
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int made = mkdir(folder, 0700);
        *slash = '/';
        if (made != 0 && errno != EEXIST)
            return false;
    }
    return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

bool wm_cache_is_private(const char *folder) {
    struct stat st;
    if (stat(folder, &st) != 0)
        return false;
    errno = S_ISDIR(st.st_mode) ? EPERM : ENOTDIR;
    return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

bool wm_cache_read(int fd, uint8_t *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, bytes + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, bytes + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

bool wm_cache_store(const char *path, const uint8_t *bytes, size_t size) {
    char temporary[WM_CACHE_PATH_SIZE + 32];
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, bytes, size);
    int why = errno;
    ok = close(fd) == 0 && ok && rename(temporary, path) == 0;
    if (!ok) {
        why = why ? why : errno;
        unlink(temporary);
        errno = why;
    }
    return ok;
}
