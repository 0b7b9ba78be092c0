/* WASI: every function with right and wrong arguments, on a folder of its own; escapes from the sandbox, both through
 * openat2 and through the walk that stands in for it. */
#include "tests/unit/rt_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/wasi.h"

enum { PATH = 1024, PATH2 = 8192, BUFFER = 16384, OUT = 512, IOVS = 600, FOLDER = 3, READ_ONLY = 4 };
#define ALL UINT64_MAX

static char root[64], inside[80], outside[80];
static wasmetal_instance *in;

static void shell(const char *fmt, ...) {
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    assert_int_equal(system(text), 0);
}

/* Calls a WASI function with up to nine cells. */
#define CALL(name, ...) call(name, (uint64_t[9]){__VA_ARGS__})
static uint32_t call(const char *name, const uint64_t args[9]) {
    const struct wasi_function *f = wasi_find(name);
    uint64_t cells[9];
    assert_non_null(f);
    memcpy(cells, args, sizeof cells);
    assert_int_equal(f->fn(in->wasi, in, cells), 0);
    return (uint32_t)cells[0];
}

static uint8_t *mem(uint32_t address) {
    return wasmetal_memory_base(in) + address;
}

static uint64_t put(uint32_t address, const char *text) {
    memcpy(mem(address), text, strlen(text));
    return strlen(text);
}

static uint64_t path(const char *text) {
    return put(PATH, text);
}

static uint32_t get32(uint32_t address) {
    return wasi_load_u32(mem(address));
}

static uint32_t open_path(const char *text, uint32_t oflags, uint64_t rights, uint32_t *out_fd) {
    uint32_t error = CALL("path_open", FOLDER, 1, PATH, path(text), oflags, rights, ALL, 0, OUT);
    *out_fd = get32(OUT);
    return error;
}

static uint32_t write_text(uint32_t fd, const char *text) {
    wasi_store_u32(mem(IOVS), BUFFER);
    wasi_store_u32(mem(IOVS + 4), (uint32_t)put(BUFFER, text));
    return CALL("fd_write", fd, IOVS, 1, OUT);
}

static uint32_t read_text(uint32_t fd, uint32_t size) {
    wasi_store_u32(mem(IOVS), BUFFER);
    wasi_store_u32(mem(IOVS + 4), size);
    memset(mem(BUFFER), 0, size + 1);
    return CALL("fd_read", fd, IOVS, 1, OUT);
}

static int set_up(void **state) {
    (void)state;
    static struct fixture f;
    fixture_init(&f);
    strcpy(root, "/tmp/wasmetal-test-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(inside, sizeof inside, "%s/inside", root);
    snprintf(outside, sizeof outside, "%s/outside", root);
    shell("mkdir -p %s/sub/deep %s && echo secret > %s/secret && echo hello > %s/file", inside, outside, outside,
          inside);
    const char *args[] = {"prog", "one", ""}, *env[] = {"A=1", "LONG=value"};
    wasmetal_preopen preopens[] = {{inside, "/data", false}, {inside, NULL, true}};
    wasmetal_instance_desc desc = {.imports = fixture_imports, .nimports = 1, .log = fixture_log_off};
    desc.wasi = (wasmetal_wasi_desc){args, 3, env, 2, preopens, 2, -1, -1, -1};
    desc.max_open_files = 32;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &in), WASMETAL_OK);
    return 0;
}

static int set_up_walk(void **state) {
    set_up(state);
    in->wasi->use_openat2 = false;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    wasmetal_free(in);
    shell("rm -rf %s", root);
    return 0;
}

static void test_lookup(void **state) {
    (void)state;
    const char *last = "";
    size_t n = 0;
#define WASI(name, signature)                               \
    assert_true(strcmp(last, #name) < 0);                   \
    last = #name;                                           \
    assert_string_equal(wasi_find(#name)->type, signature); \
    n++;
#include "runtime/wasi.def"
    assert_int_equal(n, 46);
    assert_null(wasi_find("fd_fly"));
}

static void test_strings(void **state) {
    (void)state;
    assert_int_equal(CALL("args_sizes_get", OUT, OUT + 4), 0);
    assert_int_equal(get32(OUT), 3);
    assert_int_equal(get32(OUT + 4), 10);
    assert_int_equal(CALL("args_get", OUT, BUFFER), 0);
    assert_string_equal((char *)mem(get32(OUT + 4)), "one");
    assert_string_equal((char *)mem(get32(OUT + 8)), "");
    assert_int_equal(CALL("environ_sizes_get", OUT, OUT + 4), 0);
    assert_int_equal(get32(OUT), 2);
    assert_int_equal(CALL("environ_get", OUT, BUFFER), 0);
    assert_string_equal((char *)mem(get32(OUT + 4)), "LONG=value");
    assert_int_equal(CALL("args_get", 65535, BUFFER), WASI_EFAULT);
    assert_int_equal(CALL("args_get", OUT, 65530), WASI_EFAULT);
    assert_int_equal(CALL("args_sizes_get", 0xffffffff, OUT), WASI_EFAULT);
}

static void test_clocks(void **state) {
    (void)state;
    for (uint64_t id = 0; id < 4; id++) {
        assert_int_equal(CALL("clock_time_get", id, 1, OUT), 0);
        assert_int_equal(CALL("clock_res_get", id, OUT + 8), 0);
        assert_true(wasi_load_u64(mem(OUT + 8)) > 0);
    }
    assert_int_equal(CALL("clock_time_get", 4, 1, OUT), WASI_EINVAL);
    assert_int_equal(CALL("clock_time_get", 0, 1, 65529), WASI_EFAULT);
    memset(mem(BUFFER), 0, 1000);
    assert_int_equal(CALL("random_get", BUFFER, 1000), 0);
    int zeros = 0;
    for (int i = 0; i < 1000; i++) {
        zeros += mem(BUFFER)[i] == 0;
    }
    assert_true(zeros < 50);
    assert_int_equal(CALL("random_get", 65000, 1000), WASI_EFAULT);
    assert_int_equal(CALL("sched_yield", 0), 0);
    assert_int_equal(CALL("proc_raise", 9), WASI_ENOSYS);
    assert_int_equal(CALL("sock_accept", 3, 0, OUT), WASI_ENOSYS);
}

static void test_preopens(void **state) {
    (void)state;
    assert_int_equal(CALL("fd_prestat_get", FOLDER, OUT), 0);
    assert_int_equal(get32(OUT + 4), 5);
    assert_int_equal(CALL("fd_prestat_dir_name", FOLDER, BUFFER, 5), 0);
    assert_memory_equal(mem(BUFFER), "/data", 5);
    assert_int_equal(CALL("fd_prestat_dir_name", FOLDER, BUFFER, 4), WASI_ENAMETOOLONG);
    assert_int_equal(CALL("fd_prestat_get", READ_ONLY, OUT), 0);
    assert_int_equal(CALL("fd_prestat_get", READ_ONLY + 1, OUT), WASI_EBADF);
    assert_int_equal(CALL("fd_prestat_get", 0, OUT), WASI_EBADF);
}

static void test_streams(void **state) {
    (void)state;
    assert_int_equal(write_text(1, "dropped"), 0);
    assert_int_equal(get32(OUT), 7);
    assert_int_equal(read_text(0, 10), 0);
    assert_int_equal(get32(OUT), 0);
    assert_int_equal(write_text(0, "x"), WASI_ENOTCAPABLE);
    assert_int_equal(CALL("fd_seek", 1, 0, 0, OUT), WASI_ESPIPE);
    assert_int_equal(CALL("fd_fdstat_get", 1, OUT), 0);
    assert_int_equal(mem(OUT)[0], WASI_TYPE_CHAR);
    assert_int_equal(CALL("fd_filestat_get", 1, OUT), 0);
    assert_int_equal(CALL("fd_sync", 1), 0);
}

static void test_files(void **state) {
    (void)state;
    uint32_t fd, again;
    assert_int_equal(open_path("new", 1, ALL, &fd), 0);
    assert_int_equal(fd, 5);
    assert_int_equal(write_text(fd, "hello world"), 0);
    assert_int_equal(get32(OUT), 11);
    assert_int_equal(CALL("fd_seek", fd, (uint64_t)-5, 2, OUT), 0);
    assert_int_equal(wasi_load_u64(mem(OUT)), 6);
    assert_int_equal(read_text(fd, 100), 0);
    assert_string_equal((char *)mem(BUFFER), "world");
    assert_int_equal(CALL("fd_tell", fd, OUT), 0);
    assert_int_equal(wasi_load_u64(mem(OUT)), 11);
    /* Two vectors at a position. */
    wasi_store_u32(mem(IOVS), BUFFER);
    wasi_store_u32(mem(IOVS + 4), 2);
    wasi_store_u32(mem(IOVS + 8), BUFFER + 100);
    wasi_store_u32(mem(IOVS + 12), 3);
    assert_int_equal(CALL("fd_pread", fd, IOVS, 2, 1, OUT), 0);
    assert_int_equal(get32(OUT), 5);
    assert_memory_equal(mem(BUFFER), "el", 2);
    assert_memory_equal(mem(BUFFER + 100), "lo ", 3);
    assert_int_equal(CALL("fd_pwrite", fd, IOVS, 2, 0, OUT), 0);
    assert_int_equal(CALL("fd_pread", fd, IOVS, 2, UINT64_MAX, OUT), WASI_EINVAL);
    assert_int_equal(CALL("fd_filestat_get", fd, OUT), 0);
    assert_int_equal(wasi_load_u64(mem(OUT + 32)), 11);
    assert_int_equal(mem(OUT)[16], WASI_TYPE_REGULAR);
    assert_int_equal(CALL("fd_filestat_set_size", fd, 3), 0);
    assert_int_equal(CALL("fd_filestat_set_size", fd, UINT64_MAX), WASI_EINVAL);
    assert_int_equal(CALL("fd_allocate", fd, 0, 100), 0);
    assert_int_equal(CALL("fd_allocate", fd, 0, 0), WASI_EINVAL);
    assert_int_equal(CALL("fd_advise", fd, 0, 0, 3), 0);
    assert_int_equal(CALL("fd_advise", fd, 0, 0, 6), WASI_EINVAL);
    assert_int_equal(CALL("fd_datasync", fd), 0);
    assert_int_equal(CALL("fd_filestat_set_times", fd, 1000000000u, 2000000001u, 5), 0);
    assert_int_equal(CALL("fd_filestat_set_times", fd, 0, 0, 3), WASI_EINVAL);
    assert_int_equal(CALL("fd_filestat_get", fd, OUT), 0);
    assert_int_equal(wasi_load_u64(mem(OUT + 32)), 100);
    assert_int_equal(wasi_load_u64(mem(OUT + 48)), 2000000001u);
    assert_int_equal(CALL("fd_seek", fd, 0, 3, OUT), WASI_EINVAL);
    assert_int_equal(CALL("fd_seek", fd, (uint64_t)-1, 0, OUT), WASI_EINVAL);
    /* Append mode, through the flags. */
    assert_int_equal(CALL("fd_fdstat_set_flags", fd, 1), 0);
    assert_int_equal(CALL("fd_fdstat_get", fd, OUT), 0);
    assert_int_equal(mem(OUT)[2], 1);
    assert_int_equal(CALL("fd_fdstat_set_flags", fd, 16), WASI_ENOTSUP);
    /* Rights only shrink. */
    assert_int_equal(CALL("fd_fdstat_set_rights", fd, WASI_RIGHT_FD_READ, 0), 0);
    assert_int_equal(write_text(fd, "x"), WASI_ENOTCAPABLE);
    assert_int_equal(CALL("fd_fdstat_set_rights", fd, ALL, 0), WASI_ENOTCAPABLE);
    assert_int_equal(open_path("file", 0, WASI_RIGHT_FD_READ, &again), 0);
    assert_int_equal(write_text(again, "x"), WASI_ENOTCAPABLE);
    assert_int_equal(CALL("fd_renumber", again, fd), 0);
    assert_int_equal(read_text(fd, 5), 0);
    assert_memory_equal(mem(BUFFER), "hello", 5);
    assert_int_equal(CALL("fd_close", again), WASI_EBADF);
    assert_int_equal(CALL("fd_renumber", fd, FOLDER), WASI_ENOTSUP);
    assert_int_equal(CALL("fd_renumber", fd, 1000), WASI_EBADF);
    assert_int_equal(CALL("fd_close", fd), 0);
    assert_int_equal(CALL("fd_close", fd), WASI_EBADF);
    assert_int_equal(open_path("missing", 0, ALL, &fd), WASI_ENOENT);
    assert_int_equal(open_path("new", 1 | 4, ALL, &fd), WASI_EEXIST);
    assert_int_equal(open_path("file", 2, WASI_RIGHT_FD_READ, &fd), WASI_ENOTDIR);
    assert_int_equal(open_path("file/", 0, WASI_RIGHT_FD_READ, &fd), WASI_ENOTDIR);
    assert_int_equal(open_path("made/", 1, ALL, &fd), WASI_EISDIR);
    assert_int_equal(open_path("", 0, ALL, &fd), WASI_ENOENT);
    assert_int_equal(open_path("new", 8, ALL, &fd), 0);
    assert_int_equal(CALL("fd_filestat_get", fd, OUT), 0);
    assert_int_equal(wasi_load_u64(mem(OUT + 32)), 0);
}

static void test_bad_addresses(void **state) {
    (void)state;
    uint32_t fd;
    assert_int_equal(open_path("new", 1, ALL, &fd), 0);
    wasi_store_u32(mem(IOVS), 65000);
    wasi_store_u32(mem(IOVS + 4), 537);
    assert_int_equal(CALL("fd_write", fd, IOVS, 1, OUT), WASI_EFAULT);
    wasi_store_u32(mem(IOVS), 0xffffffff);
    wasi_store_u32(mem(IOVS + 4), 0xffffffff);
    assert_int_equal(CALL("fd_read", fd, IOVS, 1, OUT), WASI_EFAULT);
    assert_int_equal(CALL("fd_write", fd, 65529, 1, OUT), WASI_EFAULT);
    assert_int_equal(CALL("fd_write", fd, 0, 0xffffffff, OUT), WASI_EINVAL);
    wasi_store_u32(mem(IOVS + 4), 0);
    assert_int_equal(CALL("fd_write", fd, IOVS, 1, OUT), WASI_EFAULT);
    wasi_store_u32(mem(IOVS), 65536);
    assert_int_equal(CALL("fd_write", fd, IOVS, 1, OUT), 0); /* no bytes at the very end */
    assert_int_equal(CALL("fd_write", fd, IOVS, 1, 65533), WASI_EFAULT);
    assert_int_equal(CALL("path_open", FOLDER, 1, 65530, 100, 0, ALL, ALL, 0, OUT), WASI_EFAULT);
    assert_int_equal(CALL("path_open", FOLDER, 1, PATH, 5000, 0, ALL, ALL, 0, OUT), WASI_ENAMETOOLONG);
    memcpy(mem(PATH), "fi\0le", 5);
    assert_int_equal(CALL("path_open", FOLDER, 1, PATH, 5, 0, ALL, ALL, 0, OUT), WASI_EINVAL);
    assert_int_equal(CALL("path_open", 99, 1, PATH, 1, 0, ALL, ALL, 0, OUT), WASI_EBADF);
    assert_int_equal(CALL("path_open", fd, 1, PATH, path("x"), 0, ALL, ALL, 0, OUT), WASI_ENOTDIR);
    assert_int_equal(CALL("fd_readdir", FOLDER, 65000, 1000, 0, OUT), WASI_EFAULT);
    assert_int_equal(CALL("poll_oneoff", 65530, BUFFER, 1, OUT), WASI_EFAULT);
}

static void test_descriptor_limit(void **state) {
    (void)state;
    uint32_t fd, opened = 0, error;
    while ((error = open_path("file", 0, WASI_RIGHT_FD_READ, &fd)) == 0) {
        opened++;
    }
    assert_int_equal(error, WASI_EMFILE);
    assert_int_equal(opened, 32 - 5);
    assert_int_equal(CALL("fd_close", 7), 0);
    assert_int_equal(open_path("file", 0, WASI_RIGHT_FD_READ, &fd), 0);
    assert_int_equal(fd, 7);
}

static void test_folders(void **state) {
    (void)state;
    uint32_t fd;
    assert_int_equal(CALL("path_create_directory", FOLDER, PATH, path("d")), 0);
    assert_int_equal(CALL("path_create_directory", FOLDER, PATH, path("d")), WASI_EEXIST);
    assert_int_equal(CALL("path_create_directory", FOLDER, PATH, path("no/d")), WASI_ENOENT);
    char name[32];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "d/file%d", i);
        assert_int_equal(open_path(name, 1, ALL, &fd), 0);
        assert_int_equal(CALL("fd_close", fd), 0);
    }
    assert_int_equal(open_path("d", 2, WASI_RIGHT_FD_READDIR, &fd), 0);
    /* Small buffers and cookies: every name once, though files vanish meanwhile. */
    unsigned seen[50] = {0}, others = 0;
    for (uint64_t cookie = 0;;) {
        assert_int_equal(CALL("fd_readdir", fd, BUFFER, 100, cookie, OUT), 0);
        uint32_t used = get32(OUT), at = 0;
        assert_true(used <= 100);
        while (used - at >= 24 && used - at - 24 >= get32(BUFFER + at + 16)) {
            uint32_t n = get32(BUFFER + at + 16);
            int i;
            memcpy(name, mem(BUFFER + at + 24), n);
            name[n] = 0;
            if (sscanf(name, "file%d", &i) == 1) {
                seen[i]++;
                assert_int_equal(mem(BUFFER + at)[20], WASI_TYPE_REGULAR);
            } else {
                others++;
            }
            cookie = wasi_load_u64(mem(BUFFER + at));
            at += 24 + n;
        }
        if (used < 100) {
            break;
        }
        shell("rm -f %s/d/file4*", inside);
    }
    assert_int_equal(others, 2); /* "." and ".." */
    for (int i = 0; i < 50; i++) {
        assert_int_equal(seen[i], 1);
    }
    assert_int_equal(CALL("fd_readdir", fd, BUFFER, 100, UINT64_MAX, OUT), 0);
    assert_int_equal(get32(OUT), 0);
    assert_int_equal(CALL("fd_readdir", fd, BUFFER, 10, 1, OUT), 0);
    assert_int_equal(get32(OUT), 10);
    assert_int_equal(read_text(fd, 5), WASI_EISDIR);
    assert_int_equal(CALL("fd_readdir", 1, BUFFER, 10, 0, OUT), WASI_ENOTDIR);
    assert_int_equal(CALL("path_remove_directory", FOLDER, PATH, path("d")), WASI_ENOTEMPTY);
    assert_int_equal(CALL("path_unlink_file", FOLDER, PATH, path("d")), WASI_EISDIR);
    assert_int_equal(CALL("path_remove_directory", FOLDER, PATH, path("file")), WASI_ENOTDIR);
    assert_int_equal(CALL("path_remove_directory", FOLDER, PATH, path("sub/deep/")), 0);
    assert_int_equal(CALL("path_remove_directory", FOLDER, PATH, path("sub")), 0);
}

static void test_paths(void **state) {
    (void)state;
    struct stat st;
    char host[128];
    assert_int_equal(CALL("path_filestat_get", FOLDER, 1, PATH, path("sub/../file"), OUT), 0);
    assert_int_equal(wasi_load_u64(mem(OUT + 32)), 6);
    assert_int_equal(CALL("path_filestat_get", FOLDER, 1, PATH, path("./sub//./deep/../.."), OUT), 0);
    assert_int_equal(mem(OUT)[16], WASI_TYPE_DIR);
    assert_int_equal(CALL("path_filestat_get", FOLDER, 1, PATH, path("file/."), OUT), WASI_ENOTDIR);
    assert_int_equal(CALL("path_rename", FOLDER, PATH, path("file"), FOLDER, PATH2, put(PATH2, "sub/moved")), 0);
    assert_int_equal(CALL("path_rename", FOLDER, PATH, path("file"), FOLDER, PATH2, put(PATH2, "x")), WASI_ENOENT);
    assert_int_equal(CALL("path_rename", FOLDER, PATH, path("sub/moved"), FOLDER, PATH2, put(PATH2, "x/")),
                     WASI_ENOTDIR);
    assert_int_equal(CALL("path_link", FOLDER, 0, PATH, path("sub/moved"), FOLDER, PATH2, put(PATH2, "hard")), 0);
    snprintf(host, sizeof host, "%s/hard", inside);
    assert_int_equal(stat(host, &st), 0);
    assert_int_equal(st.st_nlink, 2);
    assert_int_equal(CALL("path_symlink", PATH, path("sub/moved"), FOLDER, PATH2, put(PATH2, "soft")), 0);
    assert_int_equal(CALL("path_readlink", FOLDER, PATH, path("soft"), BUFFER, 100, OUT), 0);
    assert_int_equal(get32(OUT), 9);
    assert_memory_equal(mem(BUFFER), "sub/moved", 9);
    assert_int_equal(CALL("path_readlink", FOLDER, PATH, path("soft"), BUFFER, 3, OUT), 0);
    assert_int_equal(get32(OUT), 3);
    assert_int_equal(CALL("path_readlink", FOLDER, PATH, path("hard"), BUFFER, 3, OUT), WASI_EINVAL);
    assert_int_equal(CALL("path_filestat_get", FOLDER, 0, PATH, path("soft"), OUT), 0);
    assert_int_equal(mem(OUT)[16], WASI_TYPE_SYMLINK);
    assert_int_equal(CALL("path_filestat_get", FOLDER, 1, PATH, path("soft"), OUT), 0);
    assert_int_equal(mem(OUT)[16], WASI_TYPE_REGULAR);
    assert_int_equal(CALL("path_filestat_set_times", FOLDER, 1, PATH, path("soft"), 0, 3000000000u, 4), 0);
    assert_int_equal(stat(host, &st), 0);
    assert_int_equal(st.st_mtim.tv_sec, 3);
    assert_int_equal(CALL("path_open", FOLDER, 0, PATH, path("soft"), 0, ALL, ALL, 0, OUT), WASI_ELOOP);
    assert_int_equal(CALL("path_open", FOLDER, 1, PATH, path("soft"), 0, ALL, ALL, 0, OUT), 0);
    assert_int_equal(CALL("path_unlink_file", FOLDER, PATH, path("soft")), 0);
    assert_int_equal(CALL("path_unlink_file", FOLDER, PATH, path("soft")), WASI_ENOENT);
    assert_int_equal(CALL("path_symlink", PATH, path("loop"), FOLDER, PATH2, put(PATH2, "loop")), 0);
    assert_int_equal(CALL("path_open", FOLDER, 1, PATH, path("loop"), 0, ALL, ALL, 0, OUT), WASI_ELOOP);
    assert_int_equal(CALL("path_filestat_get", FOLDER, 1, PATH, path("loop/x"), OUT), WASI_ELOOP);
    /* A link to what is not there yet: creating through it makes the target, inside. */
    assert_int_equal(CALL("path_symlink", PATH, path("sub/later"), FOLDER, PATH2, put(PATH2, "dangling")), 0);
    assert_int_equal(CALL("path_open", FOLDER, 1, PATH, path("dangling"), 1, ALL, ALL, 0, OUT), 0);
    snprintf(host, sizeof host, "%s/sub/later", inside);
    assert_int_equal(stat(host, &st), 0);
}

/* Nothing reaches outside: every function that takes a path, every way out. */
static void test_escapes(void **state) {
    (void)state;
    shell("cd %s && ln -s ../outside out && ln -s %s abs && ln -s ../outside/secret leak && ln -s .. up && "
          "ln -s sub/../../outside/secret twisted && ln -s /proc/self/root proc && ln -s ../outside/new fresh",
          inside, outside);
    static const char *const ways[] = {
        "../outside/secret",
        "/etc/passwd",
        "..",
        "out/secret",
        "abs/secret",
        "leak",
        "up/outside/secret",
        "sub/../../outside/secret",
        "twisted",
        "proc/etc/passwd",
        "sub/../up/outside",
        "./../inside/file",
        "up/inside/file",
        "fresh",
    };
    char host[128];
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        uint64_t n = path(ways[i]);
        uint32_t fd;
        assert_int_equal(open_path(ways[i], 0, WASI_RIGHT_FD_READ, &fd), WASI_ENOTCAPABLE);
        assert_int_equal(open_path(ways[i], 1, ALL, &fd), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_filestat_get", FOLDER, 1, PATH, n, OUT), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_filestat_set_times", FOLDER, 1, PATH, n, 0, 0, 4), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_link", FOLDER, 1, PATH, n, FOLDER, PATH2, put(PATH2, "got")), WASI_ENOTCAPABLE);
        bool is_link = !strchr(ways[i], '/') && strcmp(ways[i], "..") != 0;
        if (is_link) {
            continue; /* what follows acts on the link itself */
        }
        assert_int_equal(CALL("path_filestat_get", FOLDER, 0, PATH, n, OUT), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_unlink_file", FOLDER, PATH, n), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_remove_directory", FOLDER, PATH, n), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_create_directory", FOLDER, PATH, n), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_rename", FOLDER, PATH, n, FOLDER, PATH2, put(PATH2, "got")), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_rename", FOLDER, PATH2, put(PATH2, "file"), FOLDER, PATH, n), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_symlink", PATH2, put(PATH2, "x"), FOLDER, PATH, n), WASI_ENOTCAPABLE);
        assert_int_equal(CALL("path_readlink", FOLDER, PATH, n, BUFFER, 100, OUT), WASI_ENOTCAPABLE);
    }
    uint32_t fd;
    assert_int_equal(open_path("out", 2, ALL, &fd), WASI_ENOTCAPABLE);
    /* From a folder further down the root is no way out either, though it is inside. */
    assert_int_equal(open_path("sub", 2, ALL, &fd), 0);
    assert_int_equal(CALL("path_open", fd, 1, PATH, path("../file"), 0, ALL, ALL, 0, OUT), WASI_ENOTCAPABLE);
    assert_int_equal(CALL("path_symlink", PATH, path("/etc"), FOLDER, PATH2, put(PATH2, "e")), WASI_ENOTCAPABLE);
    assert_int_equal(CALL("path_readlink", FOLDER, PATH, path("abs"), BUFFER, 100, OUT), WASI_ENOTCAPABLE);
    snprintf(host, sizeof host, "%s/secret", outside);
    assert_int_equal(access(host, F_OK), 0);
    snprintf(host, sizeof host, "%s/new", outside);
    assert_int_equal(access(host, F_OK), -1);
    snprintf(host, sizeof host, "%s/file", inside);
    assert_int_equal(access(host, F_OK), 0);
}

static void test_read_only(void **state) {
    (void)state;
    assert_int_equal(CALL("path_open", READ_ONLY, 1, PATH, path("file"), 0, ALL, ALL, 0, OUT), WASI_EROFS);
    assert_int_equal(CALL("path_open", READ_ONLY, 1, PATH, path("new"), 1, WASI_RIGHT_FD_READ, ALL, 0, OUT),
                     WASI_EROFS);
    assert_int_equal(CALL("path_open", READ_ONLY, 1, PATH, path("file"), 8, WASI_RIGHT_FD_READ, ALL, 0, OUT),
                     WASI_EROFS);
    assert_int_equal(CALL("path_unlink_file", READ_ONLY, PATH, path("file")), WASI_EROFS);
    assert_int_equal(CALL("path_create_directory", READ_ONLY, PATH, path("d")), WASI_EROFS);
    assert_int_equal(CALL("path_rename", READ_ONLY, PATH, path("file"), FOLDER, PATH2, put(PATH2, "x")), WASI_EROFS);
    assert_int_equal(CALL("path_link", READ_ONLY, 0, PATH, path("file"), FOLDER, PATH2, put(PATH2, "x")), WASI_EROFS);
    assert_int_equal(CALL("path_open", READ_ONLY, 1, PATH, path("file"), 0, WASI_RIGHT_FD_READ, ALL, 0, OUT), 0);
    uint32_t fd = get32(OUT);
    assert_int_equal(read_text(fd, 5), 0);
    assert_memory_equal(mem(BUFFER), "hello", 5);
    assert_int_equal(write_text(fd, "x"), WASI_ENOTCAPABLE);
    assert_int_equal(CALL("fd_filestat_set_size", fd, 0), WASI_ENOTCAPABLE);
    /* Read-only goes on to folders below. */
    assert_int_equal(CALL("path_open", READ_ONLY, 1, PATH, path("sub"), 2, WASI_RIGHTS_DIR_READ, ALL, 0, OUT), 0);
    assert_int_equal(CALL("path_create_directory", get32(OUT), PATH, path("d")), WASI_EROFS);
}

static void subscribe_clock(uint32_t i, uint32_t id, uint64_t timeout, uint16_t flags) {
    uint8_t *s = mem(BUFFER + 48 * i);
    memset(s, 0, 48);
    wasi_store_u64(s, 1000 + i);
    wasi_store_u32(s + 16, id);
    wasi_store_u64(s + 24, timeout);
    wasi_store_u16(s + 40, flags);
}

static void subscribe_fd(uint32_t i, uint8_t tag, uint32_t fd) {
    uint8_t *s = mem(BUFFER + 48 * i);
    memset(s, 0, 48);
    wasi_store_u64(s, 1000 + i);
    s[8] = tag;
    wasi_store_u32(s + 16, fd);
}

static void test_poll(void **state) {
    (void)state;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    subscribe_clock(0, 1, 20000000, 0);
    subscribe_clock(1, 1, UINT64_MAX, 0);
    assert_int_equal(CALL("poll_oneoff", BUFFER, BUFFER + 8192, 2, OUT), 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec >= 20000000);
    assert_int_equal(get32(OUT), 1);
    assert_int_equal(wasi_load_u64(mem(BUFFER + 8192)), 1000);
    subscribe_clock(0, 0, 1, 1); /* a moment in 1970 */
    assert_int_equal(CALL("poll_oneoff", BUFFER, BUFFER + 8192, 1, OUT), 0);
    assert_int_equal(get32(OUT), 1);
    /* Files are ready at once, a descriptor that is not there is an event with an error. */
    uint32_t fd;
    assert_int_equal(open_path("file", 0, ALL, &fd), 0);
    subscribe_fd(0, 1, fd);
    subscribe_fd(1, 2, 31);
    subscribe_clock(2, 1, UINT64_MAX, 0);
    subscribe_fd(3, 2, 1);
    assert_int_equal(CALL("poll_oneoff", BUFFER, BUFFER + 8192, 4, OUT), 0);
    assert_int_equal(get32(OUT), 3);
    assert_int_equal(wasi_load_u64(mem(BUFFER + 8192 + 16)), 6);
    assert_int_equal(mem(BUFFER + 8192 + 32)[8], WASI_EBADF);
    subscribe_fd(0, 7, 1);
    assert_int_equal(CALL("poll_oneoff", BUFFER, BUFFER + 8192, 1, OUT), WASI_EINVAL);
    assert_int_equal(CALL("poll_oneoff", BUFFER, BUFFER + 8192, 0, OUT), WASI_EINVAL);
    assert_int_equal(CALL("poll_oneoff", BUFFER, BUFFER + 8192, 0xffffffff, OUT), WASI_EINVAL);
}

static void test_bad_description(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char id[16] = "";
    wasmetal_preopen missing = {"/nonexistent/folder", "x", false};
    wasmetal_instance_desc desc = {.imports = fixture_imports, .nimports = 1, .log = fixture_log_keep, .log_user = id};
    desc.wasi.preopens = &missing;
    desc.wasi.npreopens = 1;
    wasmetal_instance *none;
    assert_int_equal(wasmetal_instantiate(&f.module, &desc, &none), WASMETAL_ERROR_IO);
    assert_string_equal(id, "WMR1008");
}

/* Any function with any cells: an error number or success, never a fault. */
static void test_random_calls(void **state) {
    (void)state;
    uint64_t seed = 88172645463325252u; /* xorshift64 (Marsaglia, "Xorshift RNGs", 2003) */
    static const char *const names[] = {
#define WASI(name, type) #name,
#include "runtime/wasi.def"
    };
    for (int round = 0; round < 20000; round++) {
        uint64_t cells[9];
        for (int i = 0; i < 10; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            uint64_t v = seed >> 8;
            uint64_t kinds[] = {v % 40, v % 65536, 65530 + v % 12, v & UINT32_MAX, UINT32_MAX - v % 4, v, v % 4, PATH};
            if (i < 9) {
                cells[i] = kinds[seed % 8];
            }
        }
        const char *name = names[seed % (sizeof names / sizeof *names)];
        if (strcmp(name, "proc_exit") == 0 || strcmp(name, "poll_oneoff") == 0 || strcmp(name, "fd_allocate") == 0 ||
            strcmp(name, "fd_filestat_set_size") == 0) {
            continue; /* ends, may wait for years, may fill the disk */
        }
        wasi_find(name)->fn(in->wasi, in, cells);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define WALK(f) \
    { #f " (walk)", f, set_up_walk, tear_down, NULL }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup),
        TEST(test_strings),
        TEST(test_clocks),
        TEST(test_preopens),
        TEST(test_streams),
        TEST(test_files),
        WALK(test_files),
        TEST(test_bad_addresses),
        TEST(test_descriptor_limit),
        TEST(test_folders),
        WALK(test_folders),
        TEST(test_paths),
        WALK(test_paths),
        TEST(test_escapes),
        WALK(test_escapes),
        TEST(test_read_only),
        WALK(test_read_only),
        TEST(test_poll),
        cmocka_unit_test(test_bad_description),
        TEST(test_random_calls),
        WALK(test_random_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
