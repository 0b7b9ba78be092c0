/* Compiled kernels on disk (runtime/device_vulkan_cache.c): kept, found, and every way in which they cannot be used.
 *
 * Neither lavapipe nor SwiftShader puts anything into a pipeline cache, so the test does it in their stead: a header as
 * Vulkan prescribes it, and bytes that must come back as they were. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "runtime/device_vulkan.h"

static struct device_fixture fixture;
static char folder[] = "/tmp/wasmetal-cache-XXXXXX";
static char path[512]; /* of the one cache file, after find_file */

enum { DATA_BYTES = 5000 };
static struct vulkan_device *current; /* the driver's functions know no device of ours */
static PFN_vkCreatePipelineCache really_create;

static void make_data(uint8_t data[DATA_BYTES]) {
    const VkPhysicalDeviceProperties *p = &current->traits.properties;
    const uint32_t fields[4] = {16 + VK_UUID_SIZE, VK_PIPELINE_CACHE_HEADER_VERSION_ONE, p->vendorID, p->deviceID};
    for (int k = 0; k < DATA_BYTES; k++)
        data[k] = (uint8_t)(k * 31 + k / 256);
    memcpy(data, fields, sizeof fields);
    memcpy(data + 16, p->pipelineCacheUUID, VK_UUID_SIZE);
}

static VkResult give_data(VkDevice device, VkPipelineCache cache, size_t *size, void *data) {
    (void)device, (void)cache;
    uint8_t bytes[DATA_BYTES];
    make_data(bytes);
    if (data)
        memcpy(data, bytes, *size < DATA_BYTES ? *size : DATA_BYTES);
    *size = DATA_BYTES;
    return VK_SUCCESS;
}

static VkResult take_data(VkDevice device, const VkPipelineCacheCreateInfo *info, const VkAllocationCallbacks *a,
                          VkPipelineCache *out) {
    VkPipelineCacheCreateInfo none = *info;
    if (info->initialDataSize) {
        uint8_t bytes[DATA_BYTES];
        make_data(bytes);
        assert_int_equal(info->initialDataSize, DATA_BYTES);
        assert_memory_equal(info->pInitialData, bytes, DATA_BYTES);
    }
    none.initialDataSize = 0;
    none.pInitialData = NULL;
    return really_create(device, &none, a, out);
}

/* As opening does it, with the functions above. */
static void open_cache(struct vulkan_device *d) {
    d->vk->DestroyPipelineCache(d->device, d->pipeline_cache, NULL);
    d->cache_sum = 0;
    assert_int_equal(vk_cache_open(d), VK_SUCCESS);
}

static struct vulkan_device *open_described(const struct wm_device_desc *desc) {
    struct wm_device *base = wm_device_vulkan_open(desc, WM_VULKAN_BEST);
    if (!base) {
        fail_msg("no Vulkan device: %s", fixture.last_message);
        abort();
    }
    struct vulkan_device *d = current = (struct vulkan_device *)base;
    really_create = d->vk->CreatePipelineCache;
    d->vk->CreatePipelineCache = take_data;
    d->vk->GetPipelineCacheData = give_data;
    open_cache(d);
    return d;
}

static struct vulkan_device *open_device(void) {
    return open_described(&(struct wm_device_desc){&fixture.module, &fixture.memory, fixture.log, false, false, 0});
}

static void launch(struct vulkan_device *d) {
    struct wm_guard_limits limits = {.memory_bytes = fixture.memory.bytes, .aligned = true};
    struct wm_launch_plan plan;
    enum wm_fallback why = WM_FALLBACK_COUNT;
    memset(fixture.memory.base, 0xa5, fixture.memory.bytes);
    device_fixture_line(&fixture, 0, 65536, 100);
    device_words(&fixture, 0)[50] = 10;
    assert_true(wm_guard_decide(&fixture.kernels[KERNEL_MAP], fixture.slots, &limits, &plan, &why));
    assert_int_equal(d->base.ops->launch(&d->base, KERNEL_MAP, &plan, fixture.slots, &why), WM_DEVICE_DONE);
    assert_int_equal(device_words(&fixture, 65536)[50], 31);
}

/* A process's life.  Returns whether it found something on disk. */
static bool live(void) {
    fixture.last_id[0] = 0;
    struct vulkan_device *d = open_device();
    bool found = d->cache_sum != 0;
    launch(d);
    assert_int_equal(atomic_load(&d->instance.messages.count), 0);
    d->base.ops->close(&d->base);
    return found;
}

/* How many files there are. */
static unsigned find_file(void) {
    unsigned n = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%.255s", folder, e->d_name);
            n++;
        }
    if (dir)
        closedir(dir);
    return n;
}

static void empty_folder(void) {
    while (find_file())
        assert_int_equal(unlink(path), 0);
}

static int setup(void **state) {
    (void)state;
    setenv("WASMETAL_CACHE_DIR", folder, 1);
    chmod(folder, 0700);
    empty_folder();
    return 0;
}

static void kept_and_found(void **state) {
    (void)state;
    assert_false(live());
    assert_int_equal(find_file(), 1);
    struct stat first, second;
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(first.st_mode & 077, 0);
    assert_true(live());
    assert_int_equal(find_file(), 1);
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(fixture.last_id[0], 0);       /* no warning */
    assert_int_equal(second.st_ino, first.st_ino); /* nothing new, not written again */

    /* Another module: a file of its own. */
    uint32_t *words = (uint32_t *)fixture.spirv[KERNEL_AXPY][0].words, generator = words[2];
    words[2] ^= 1;
    assert_false(live());
    words[2] = generator;
    assert_int_equal(find_file(), 2);
}

static void flip(long at) {
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int c = fgetc(f);
    fseek(f, -1, SEEK_CUR);
    fputc(c ^ 0x10, f);
    assert_int_equal(fclose(f), 0);
}

/* A file of no use is removed, and there is a good one after it. */
static void damaged(void **state) {
    (void)state;
    static const long places[] = {0, 8, 16, 40, -1};
    live();
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        find_file();
        flip(places[k]);
        assert_false(live());
        assert_int_equal(find_file(), 1);
        assert_true(live());
    }
    struct stat st;
    find_file();
    assert_int_equal(stat(path, &st), 0);
    const off_t sizes[] = {0, 32, st.st_size / 2, st.st_size + 1};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        find_file();
        assert_int_equal(truncate(path, sizes[k]), 0);
        assert_false(live());
        assert_true(live());
    }
}

/* Not this device's, though whole: the name and the checksum are right, Vulkan's header is not. */
static void foreign(void **state) {
    (void)state;
    live();
    find_file();
    struct vulkan_device *d = open_device();
    char mine[sizeof path], theirs[sizeof path];
    memcpy(mine, path, sizeof mine);
    d->traits.properties.pipelineCacheUUID[3] ^= 1; /* another driver build */
    d->traits.properties.deviceID ^= 1;
    open_cache(d);
    launch(d);
    d->base.ops->close(&d->base);
    assert_int_equal(find_file(), 2);
    if (!strcmp(path, mine)) {
        DIR *dir = opendir(folder);
        for (struct dirent *e; (e = readdir(dir));) {
            snprintf(theirs, sizeof theirs, "%s/%.255s", folder, e->d_name);
            if (e->d_name[0] != '.' && strcmp(theirs, mine) != 0)
                memcpy(path, theirs, sizeof path);
        }
        closedir(dir);
    }
    memcpy(theirs, path, sizeof theirs);
    assert_int_equal(rename(mine, theirs), 0); /* this device's data under the other's name */
    d = open_device();
    d->traits.properties.pipelineCacheUUID[3] ^= 1;
    d->traits.properties.deviceID ^= 1;
    open_cache(d);
    assert_int_equal(d->cache_sum, 0);
    d->base.ops->close(&d->base);
    assert_int_equal(find_file(), 0);
}

static void off(void **state) {
    (void)state;
    setenv("WASMETAL_CACHE_DIR", "off", 1);
    assert_false(live());
    assert_int_equal(find_file(), 0);
    setenv("WASMETAL_CACHE_DIR", folder, 1);
    struct wm_device_desc desc = {&fixture.module, &fixture.memory, fixture.log, true, false, 0};
    struct vulkan_device *d = open_described(&desc);
    launch(d);
    d->base.ops->close(&d->base);
    assert_int_equal(find_file(), 0);
}

static void folders_of_all_kinds(void **state) {
    (void)state;
    char deep[128];
    live(); /* a file that must not be read now */
    chmod(folder, 0770);
    assert_false(live());
    assert_string_equal(fixture.last_id, "WMR2216");
    chmod(folder, 0700);
    assert_true(live());

    setenv("WASMETAL_CACHE_DIR", "/dev/null/folder", 1); /* cannot be made, not even by root */
    assert_false(live());
    assert_string_equal(fixture.last_id, "WMR2216");

    snprintf(deep, sizeof deep, "%s/.a/b/c", folder);
    setenv("WASMETAL_CACHE_DIR", deep, 1);
    assert_false(live());
    assert_true(live());
    setenv("WASMETAL_CACHE_DIR", folder, 1);
    char command[160];
    snprintf(command, sizeof command, "rm -r %s/.a", folder);
    assert_int_equal(system(command), 0);
}

/* Links are not followed, so that nobody is made to read or overwrite another file. */
static void links(void **state) {
    (void)state;
    char elsewhere[128];
    live();
    find_file();
    snprintf(elsewhere, sizeof elsewhere, "%s/.elsewhere", folder);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_false(live());
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode)); /* replaced by a file */
    unlink(elsewhere);
}

/* A full disk, played by a limit on the size of files. */
static void full(void **state) {
    (void)state;
    struct rlimit before, tiny;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    tiny = before;
    tiny.rlim_cur = 20;
    struct vulkan_device *d = open_device();
    launch(d);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    fixture.last_id[0] = 0;
    d->base.ops->close(&d->base);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_string_equal(fixture.last_id, "WMR2216");
    assert_int_equal(find_file(), 0); /* no half file left */
    assert_false(live());
    assert_true(live());
}

static void old_files_go(void **state) {
    (void)state;
    for (unsigned k = 0; k < 300; k++) {
        snprintf(path, sizeof path, "%s/%032x.vkcache", folder, k);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
        struct timespec times[2] = {{.tv_sec = 1000 + k}, {.tv_sec = 1000 + k}};
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    live();
    assert_int_equal(find_file(), 256);
    snprintf(path, sizeof path, "%s/%032x.vkcache", folder, 299);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/%032x.vkcache", folder, 44);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(live());
}

static void nothing_from_a_dead_device(void **state) {
    (void)state;
    struct vulkan_device *d = open_device();
    launch(d);
    d->base.dead = true;
    d->base.ops->close(&d->base);
    assert_int_equal(find_file(), 0);
}

int main(void) {
    if (!device_fixture_open(&fixture, 1 << 20, true)) {
        fprintf(stderr, "spirv-as is missing\n");
        return 77;
    }
    if (!mkdtemp(folder))
        return 1;
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(kept_and_found),
        TEST(damaged),
        TEST(foreign),
        TEST(off),
        TEST(folders_of_all_kinds),
        TEST(links),
        TEST(full),
        TEST(old_files_go),
        TEST(nothing_from_a_dead_device),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    empty_folder();
    rmdir(folder);
    device_fixture_close(&fixture);
    return failed;
}
