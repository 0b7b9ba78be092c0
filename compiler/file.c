/* Whole files in and out. */
#define _GNU_SOURCE /* mkostemp */
#include "compiler/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_READ = 64 << 10 };

bool file_read(const char *path, size_t max, uint8_t **out_bytes, size_t *out_size) {
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct stat st;
    size_t size = 0, cap = FIRST_READ;
    uint8_t *bytes = NULL;
    int error = 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        if ((uint64_t)st.st_size > max) {
            error = EFBIG;
            goto cleanup;
        }
        cap = (size_t)st.st_size + 1; /* one more, to see the end without growing */
    }
    for (;;) {
        if (!bytes || size == cap) {
            size_t grown = bytes ? cap * 2 : cap;
            uint8_t *more = realloc(bytes, grown);
            if (!more) {
                error = ENOMEM;
                goto cleanup;
            }
            bytes = more;
            cap = grown;
        }
        ssize_t n = read(fd, bytes + size, cap - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error = errno;
            goto cleanup;
        }
        if (n == 0)
            break;
        size += (size_t)n;
        if (size > max) {
            error = EFBIG;
            goto cleanup;
        }
    }
cleanup:
    if (fd != STDIN_FILENO)
        close(fd);
    if (error) {
        free(bytes);
        errno = error;
        return false;
    }
    *out_bytes = bytes;
    *out_size = size;
    return true;
}

static bool write_all(int fd, const void *bytes, size_t size) {
    const char *p = bytes;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static bool write_in_place(const char *path, const void *bytes, size_t size) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, bytes, size);
    return close(fd) == 0 && ok;
}

bool file_write(const char *path, const void *bytes, size_t size) {
    if (strcmp(path, "-") == 0)
        return fflush(stdout) == 0 && write_all(STDOUT_FILENO, bytes, size);
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (exists && !S_ISREG(st.st_mode))
        return write_in_place(path, bytes, size);
    size_t n = strlen(path);
    char *temporary = malloc(n + sizeof ".XXXXXX");
    if (!temporary)
        return false;
    memcpy(temporary, path, n);
    memcpy(temporary + n, ".XXXXXX", sizeof ".XXXXXX");
    int fd = mkostemp(temporary, O_CLOEXEC);
    bool ok = false;
    if (fd >= 0) {
        mode_t mask = umask(0);
        umask(mask);
        fchmod(fd, exists ? st.st_mode & 07777 : 0666 & ~mask);
        ok = write_all(fd, bytes, size);
        ok = close(fd) == 0 && ok;
        ok = ok && rename(temporary, path) == 0;
        int error = errno;
        if (!ok)
            unlink(temporary);
        errno = error;
    }
    free(temporary);
    return ok;
}

bool file_make_dirs(const char *path, unsigned mode) {
    char *copy = strdup(path);
    if (!copy)
        return false;
    bool ok = true;
    for (char *p = copy + 1; ok && *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        ok = mkdir(copy, mode) == 0 || errno == EEXIST;
        *p = '/';
    }
    ok = ok && (mkdir(copy, mode) == 0 || errno == EEXIST);
    free(copy);
    return ok;
}
