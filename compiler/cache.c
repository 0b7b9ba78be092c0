/* The compile cache; see cache.h.
 *
 * A file is a header (magic, size and checksum of the payload) and the payload.  It is written beside its place and
 * renamed, so readers and several writers never see half of one.  What it holds is run as native code by whoever owns
 * the folder; hence the checks on ownership, and no cache for programs that run with raised privileges.
 */
#define _GNU_SOURCE /* secure_getenv */
#include "compiler/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "compiler/file.h"
#include "ir/util/strbuf.h"

#define SUFFIX ".wmo"

enum { MAX_ENTRY = INT32_MAX, DEFAULT_MEGABYTES = 1024 };

struct header {
    char magic[8];
    uint64_t size, sum_low, sum_high;
};

static const char MAGIC[8] = "WMCACHE1";

struct cache {
    char *folder;
};

static void note(const char *what, const char *path, int error) {
    const char *level = getenv("WASMETAL_LOG");
    if (level && strcmp(level, "debug") == 0)
        fprintf(stderr, "wasmetal: debug: cache: %s %s%s%s\n", what, path, error ? ": " : "",
                error ? strerror(error) : "");
}

struct cache_key cache_key_make(const struct cache_key_part *parts, unsigned n) {
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    for (unsigned i = 0; i < n; i++) {
        uint64_t size = parts[i].size;
        XXH3_128bits_update(&state, &size, sizeof size);
        XXH3_128bits_update(&state, parts[i].bytes, parts[i].size);
    }
    XXH128_hash_t h = XXH3_128bits_digest(&state);
    return (struct cache_key){h.low64, h.high64};
}

uint64_t cache_self_hash(void) {
    uint8_t *bytes;
    size_t size;
    if (!file_read("/proc/self/exe", MAX_ENTRY, &bytes, &size))
        return 0;
    uint64_t hash = XXH3_64bits(bytes, size);
    free(bytes);
    return hash;
}

struct cache *cache_open(void) {
    struct strbuf path = {0};
    const char *base = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
    const char *own = secure_getenv("WASMETAL_CACHE_DIR"); /* a path, or "off" */
    if (own && *own && own[0] != '/')
        return NULL;
    if (own && *own)
        strbuf_add(&path, own);
    else if (base && base[0] == '/') /* the XDG base directory specification ignores relative paths */
        strbuf_printf(&path, "%s/wasmetal", base);
    else if (home && home[0] == '/')
        strbuf_printf(&path, "%s/.cache/wasmetal", home);
    else
        return NULL;
    struct stat st;
    if (!file_make_dirs(path.data, 0700) || stat(path.data, &st) != 0) {
        note("cannot make", path.data, errno);
    } else if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
        note("others may write to", path.data, 0);
    } else {
        struct cache *c = malloc(sizeof *c);
        if (c) {
            c->folder = path.data;
            return c;
        }
    }
    strbuf_free(&path);
    return NULL;
}

void cache_close(struct cache *c) {
    if (!c)
        return;
    free(c->folder);
    free(c);
}

static void entry_path(struct strbuf *out, const struct cache *c, struct cache_key key) {
    strbuf_printf(out, "%s/%016" PRIx64 "%016" PRIx64 SUFFIX, c->folder, key.high, key.low);
}

static bool valid(const uint8_t *bytes, size_t size) {
    struct header h;
    if (size < sizeof h)
        return false;
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, MAGIC, sizeof MAGIC) != 0 || h.size != size - sizeof h)
        return false;
    XXH128_hash_t sum = XXH3_128bits(bytes + sizeof h, size - sizeof h);
    return sum.low64 == h.sum_low && sum.high64 == h.sum_high;
}

bool cache_load(struct cache *c, struct cache_key key, uint8_t **out_bytes, size_t *out_size) {
    struct strbuf path = {0};
    uint8_t *bytes = NULL;
    size_t size;
    bool ok = false;
    struct stat st;
    entry_path(&path, c, key);
    if (lstat(path.data, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
        goto cleanup;
    if (!file_read(path.data, MAX_ENTRY, &bytes, &size)) {
        note("cannot read", path.data, errno);
    } else if (!valid(bytes, size)) {
        note("damaged entry removed:", path.data, 0);
        unlink(path.data);
    } else {
        size -= sizeof(struct header);
        memmove(bytes, bytes + sizeof(struct header), size);
        utimensat(AT_FDCWD, path.data, NULL, 0); /* used now: what eviction goes by */
        *out_bytes = bytes;
        *out_size = size;
        bytes = NULL;
        ok = true;
    }
cleanup:
    free(bytes);
    strbuf_free(&path);
    return ok;
}

/* ---- eviction ---- */

struct entry {
    struct timespec used;
    off_t size;
    char name[64];
};

static int by_age(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

static void evict(const struct cache *c) {
    const char *text = getenv("WASMETAL_CACHE_MB");
    int64_t max = (text ? strtoll(text, NULL, 10) : DEFAULT_MEGABYTES) * INT64_C(1048576), total = 0;
    DIR *dir = opendir(c->folder);
    if (!dir)
        return;
    struct entry *entries = NULL;
    size_t n = 0, cap = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        size_t length = strlen(e->d_name);
        if (length >= sizeof entries->name || !strstr(e->d_name, SUFFIX) ||
            fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (n == cap) {
            struct entry *grown = realloc(entries, sizeof *entries * (cap = cap ? cap * 2 : 64));
            if (!grown)
                break;
            entries = grown;
        }
        struct entry *added = &entries[n++];
        *added = (struct entry){.used = st.st_mtim, .size = st.st_size};
        memcpy(added->name, e->d_name, length + 1);
        total += st.st_size;
    }
    if (total > max) {
        qsort(entries, n, sizeof *entries, by_age);
        for (size_t i = 0; i < n && total > max; i++)
            if (unlinkat(dirfd(dir), entries[i].name, 0) == 0)
                total -= entries[i].size;
    }
    free(entries);
    closedir(dir);
}

void cache_store(struct cache *c, struct cache_key key, const uint8_t *bytes, size_t size) {
    XXH128_hash_t sum = XXH3_128bits(bytes, size);
    struct header h = {.size = size, .sum_low = sum.low64, .sum_high = sum.high64};
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    struct strbuf path = {0}, content = {0};
    entry_path(&path, c, key);
    strbuf_add_bytes(&content, &h, sizeof h);
    strbuf_add_bytes(&content, bytes, size);
    if (file_write(path.data, content.data, content.len))
        evict(c);
    else
        note("cannot write", path.data, errno);
    strbuf_free(&content);
    strbuf_free(&path);
}
