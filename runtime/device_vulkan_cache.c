/* Compiled pipelines kept on disk, so that the next process need not compile them.
 *
 * One file a module and device, named by a hash of all that decides what the driver makes: the device and its driver
 * (vendor, device, driver version, pipelineCacheUUID), the float modes, and every SPIR-V word of the module.  It holds
 * a header with a checksum of the rest, and what vkGetPipelineCacheData gave.  The driver looks up pipelines in it by
 * its own keys.
 *
 *     open   read the file; header, checksum, and the device named in Vulkan's own header must be right
 *            -> initial data of the VkPipelineCache; else the cache starts empty
 *     close  when the data is not what was read: write beside the place, rename, remove the oldest files
 *
 * Drivers trust this data (it is machine code to them), hence the checks of ownership, and nothing is read or written
 * by programs that run with raised privileges.  It is a cache: whatever goes wrong costs compile time and a warning.
 */
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

#include "runtime/cache_folder.h"
#include "runtime/device_vulkan.h"

#define SUFFIX ".vkcache"

enum { MAX_BYTES = 64 << 20, MAX_FILES = 256 };

struct file_header {
    char magic[8];
    uint64_t size, sum_low, sum_high; /* of what follows */
};

static const char MAGIC[8] = "WMVKPC01";

/* VkPipelineCacheHeaderVersionOne, as bytes: 32-bit little-endian fields on every machine. */
enum { VK_HEADER_BYTES = 16 + VK_UUID_SIZE };

/* False: there is to be no cache. */
static bool find_folder(const struct vulkan_device *d, char folder[WM_CACHE_FOLDER_SIZE]) {
    return d->module->nkernels != 0 && wm_cache_find_folder(d->no_environment, folder);
}

static void find_path(const struct vulkan_device *d, const char *folder, char path[WM_CACHE_PATH_SIZE]) {
    const VkPhysicalDeviceProperties *p = &d->traits.properties;
    const uint32_t numbers[] = {p->vendorID, p->deviceID, p->driverVersion, p->apiVersion, d->traits.float_modes};
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, numbers, sizeof numbers);
    XXH3_128bits_update(&state, p->pipelineCacheUUID, VK_UUID_SIZE);
    for (uint64_t k = 0; k < d->module->nkernels; k++)
        for (uint64_t v = 0; v < d->module->kernels[k].nspirv; v++) {
            const struct wm_spirv *s = &d->module->kernels[k].spirv[v];
            XXH3_128bits_update(&state, &s->nwords, sizeof s->nwords);
            XXH3_128bits_update(&state, s->words, s->nwords * sizeof *s->words);
        }
    XXH128_hash_t h = XXH3_128bits_digest(&state);
    snprintf(path, WM_CACHE_PATH_SIZE, "%s/%016" PRIx64 "%016" PRIx64 SUFFIX, folder, h.high64, h.low64);
}

/* Whether Vulkan's own header names this device: drivers check it too, but not all of them all of it. */
static bool is_for_device(const struct vulkan_device *d, const uint8_t *data, size_t size) {
    const VkPhysicalDeviceProperties *p = &d->traits.properties;
    uint32_t fields[4];
    if (size < VK_HEADER_BYTES)
        return false;
    for (int i = 0; i < 4; i++)
        fields[i] = data[4 * i] | (uint32_t)data[4 * i + 1] << 8 | (uint32_t)data[4 * i + 2] << 16 |
                    (uint32_t)data[4 * i + 3] << 24;
    return fields[0] >= VK_HEADER_BYTES && fields[0] <= size && fields[1] == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
           fields[2] == p->vendorID && fields[3] == p->deviceID &&
           memcmp(data + 16, p->pipelineCacheUUID, VK_UUID_SIZE) == 0;
}

static bool is_whole(const struct vulkan_device *d, const uint8_t *bytes, size_t size) {
    struct file_header h;
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, MAGIC, sizeof MAGIC) != 0 || h.size != size - sizeof h)
        return false;
    XXH128_hash_t sum = XXH3_128bits(bytes + sizeof h, h.size);
    return sum.low64 == h.sum_low && sum.high64 == h.sum_high && is_for_device(d, bytes + sizeof h, h.size);
}

/* The file's bytes, header included (malloc'd); NULL when there is none, or none of use, which is removed. */
static uint8_t *load(struct vulkan_device *d, const char *path, size_t *out_size) {
    struct stat st;
    uint8_t *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_size <= MAX_BYTES &&
        (size_t)st.st_size > sizeof(struct file_header) && (bytes = malloc((size_t)st.st_size))) {
        *out_size = (size_t)st.st_size;
        if (!wm_cache_read(fd, bytes, *out_size) || !is_whole(d, bytes, *out_size)) {
            free(bytes);
            bytes = NULL;
        } else {
            futimens(fd, NULL); /* used now: what eviction goes by */
        }
    }
    close(fd);
    if (!bytes) {
        unlink(path);
        wm_device_log(&d->log, WM_LOG_INFO, "WMR2216", "%s is of no use and will be written again", path);
    }
    return bytes;
}

VkResult vk_cache_open(struct vulkan_device *d) {
    char folder[WM_CACHE_FOLDER_SIZE], path[WM_CACHE_PATH_SIZE];
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (find_folder(d, folder) && wm_cache_is_private(folder)) {
        find_path(d, folder, path);
        bytes = load(d, path, &size);
    }
    VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    if (bytes) {
        info.initialDataSize = size - sizeof(struct file_header);
        info.pInitialData = bytes + sizeof(struct file_header);
        d->cache_sum = XXH3_64bits(info.pInitialData, info.initialDataSize);
    }
    VkResult r = d->vk->CreatePipelineCache(d->device, &info, NULL, &d->pipeline_cache);
    if (r != VK_SUCCESS && bytes) { /* the driver does not like it after all */
        unlink(path);
        d->cache_sum = 0;
        info.initialDataSize = 0;
        info.pInitialData = NULL;
        r = d->vk->CreatePipelineCache(d->device, &info, NULL, &d->pipeline_cache);
    }
    free(bytes);
    return r;
}

struct age {
    struct timespec used;
    char name[64];
};

static int by_age(const void *a, const void *b) {
    const struct age *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

/* Removes the files that were not used for longest, so that MAX_FILES are left. */
static void evict(const char *folder) {
    DIR *dir = opendir(folder);
    struct age *files = NULL;
    size_t n = 0, room = 0;
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        if (strlen(e->d_name) >= sizeof files->name || !strstr(e->d_name, SUFFIX) ||
            fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (n == room) {
            struct age *grown = realloc(files, sizeof *files * (room = room ? room * 2 : 64));
            if (!grown)
                break;
            files = grown;
        }
        files[n].used = st.st_mtim;
        memcpy(files[n++].name, e->d_name, strlen(e->d_name) + 1);
    }
    if (n > MAX_FILES) {
        qsort(files, n, sizeof *files, by_age);
        for (size_t i = 0; i < n - MAX_FILES; i++)
            unlinkat(dirfd(dir), files[i].name, 0);
    }
    free(files);
    closedir(dir);
}

/* The cache's data behind room for a header; NULL when there is none. */
static uint8_t *get_data(struct vulkan_device *d, size_t *out_size) {
    size_t size = 0;
    if (d->vk->GetPipelineCacheData(d->device, d->pipeline_cache, &size, NULL) != VK_SUCCESS ||
        size <= VK_HEADER_BYTES || size > MAX_BYTES - sizeof(struct file_header))
        return NULL;
    uint8_t *bytes = malloc(sizeof(struct file_header) + size);
    if (bytes && d->vk->GetPipelineCacheData(d->device, d->pipeline_cache, &size, bytes + sizeof(struct file_header)) !=
                     VK_SUCCESS) {
        free(bytes);
        return NULL;
    }
    *out_size = size;
    return bytes;
}

void vk_cache_close(struct vulkan_device *d) {
    char folder[WM_CACHE_FOLDER_SIZE], path[WM_CACHE_PATH_SIZE];
    size_t size;
    if (!d->pipeline_cache)
        return;
    uint8_t *bytes = d->compiled && !d->base.dead && find_folder(d, folder) ? get_data(d, &size) : NULL;
    if (bytes && (!d->cache_sum || XXH3_64bits(bytes + sizeof(struct file_header), size) != d->cache_sum)) {
        XXH128_hash_t sum = XXH3_128bits(bytes + sizeof(struct file_header), size);
        struct file_header h = {.size = size, .sum_low = sum.low64, .sum_high = sum.high64};
        memcpy(h.magic, MAGIC, sizeof MAGIC);
        memcpy(bytes, &h, sizeof h);
        find_path(d, folder, path);
        errno = 0;
        if (wm_cache_make_folder(folder) && wm_cache_is_private(folder) && wm_cache_store(path, bytes, sizeof h + size))
            evict(folder);
        else
            wm_device_log(&d->log, WM_LOG_WARNING, "WMR2216", "compiled kernels cannot be kept in %s: %s", folder,
                          strerror(errno));
    }
    free(bytes);
    d->vk->DestroyPipelineCache(d->device, d->pipeline_cache, NULL);
    d->pipeline_cache = VK_NULL_HANDLE;
}
