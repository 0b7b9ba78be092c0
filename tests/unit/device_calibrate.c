/* What devices were measured to do (runtime/device_calibrate.c): kept, found again, overruled, and every way in which a
 * file can be of no use.  The device is made up, but for the last test, which measures the cpu device. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/device.h"

static char folder[] = "/tmp/wasmetal-rates-XXXXXX";
static char path[512]; /* of the one file, after find_file */
static unsigned measured;
static bool fails;
static char last_id[16];

static void on_log(void *user, int level, const char *id, const char *message) {
    (void)user, (void)level, (void)message;
    snprintf(last_id, sizeof last_id, "%s", id);
}
static const struct wm_log log_hook = {on_log, NULL};

static bool fake_measure(struct wm_device *d, struct wm_rates *out) {
    (void)d;
    measured++;
    *out = (struct wm_rates){.launch = 21034.5, .op = 0.001204, .step = 8.731, .byte = 0.0612};
    return !fails;
}

static const struct wm_device_ops fake_ops = {.name = "fake", .measure = fake_measure};

/* A process's life: whether it had to measure. */
static bool live(struct wm_device *out) {
    unsigned before = measured;
    *out = (struct wm_device){.ops = &fake_ops, .name = "A made-up GPU", .default_min_work = 777, .identity = 5};
    last_id[0] = 0;
    wm_device_calibrate(out, WM_CALIBRATE_KEPT, false, &log_hook);
    return measured != before;
}

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

static int setup(void **state) {
    (void)state;
    setenv("WASMETAL_CACHE_DIR", folder, 1);
    unsetenv("WASMETAL_CALIBRATION");
    chmod(folder, 0700);
    while (find_file())
        assert_int_equal(unlink(path), 0);
    fails = false;
    return 0;
}

static void assert_measured(const struct wm_device *d) {
    assert_true(d->rates.launch > 21034 && d->rates.launch < 21035);
    assert_true(d->rates.op > 0.0012039 && d->rates.op < 0.0012041);
    assert_true(d->rates.step > 8.7309 && d->rates.step < 8.7311 && d->rates.byte > 0.0611 && d->rates.byte < 0.0613);
    assert_true(wm_rates_valid(&d->rates));
    assert_int_not_equal(d->default_min_work, 777);
}

static void kept_and_found(void **state) {
    (void)state;
    struct wm_device first, second;
    assert_true(live(&first));
    assert_measured(&first);
    assert_int_equal(find_file(), 1);
    assert_false(live(&second));
    assert_measured(&second);
    assert_int_equal(first.default_min_work / 10, second.default_min_work / 10);
    second.identity++; /* another driver */
    wm_device_calibrate(&second, WM_CALIBRATE_KEPT, false, &log_hook);
    assert_int_equal(find_file(), 2);
    unsigned before = measured;
    wm_device_calibrate(&second, WM_CALIBRATE_AGAIN, false, &log_hook);
    assert_int_equal(measured, before + 1);
    wm_device_calibrate(&second, WM_CALIBRATE_KEPT, true, &log_hook); /* no environment: no folder */
    assert_int_equal(measured, before + 1);
    assert_string_equal(last_id, "WMR2011");
    wm_device_calibrate(&second, WM_CALIBRATE_AGAIN, true, &log_hook);
    assert_int_equal(measured, before + 2);
}

/* Cut at each byte, and each byte changed. */
static void damaged(void **state) {
    (void)state;
    struct wm_device d;
    char text[2048], bad[2048];
    live(&d);
    assert_int_equal(find_file(), 1);
    FILE *f = fopen(path, "rb");
    size_t size = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_in_range(size, 50, 500);
    for (size_t i = 0; i < 2 * size + 2; i++) {
        size_t n = i < size ? i : size;
        memcpy(bad, text, size);
        if (i >= size && i < 2 * size)
            bad[i - size] ^= 1;
        if (i == 2 * size + 1)
            memset(bad, '9', n = sizeof bad);
        f = fopen(path, "wb");
        fwrite(bad, 1, n, f);
        fclose(f);
        bool again = live(&d);
        assert_measured(&d);
        assert_int_equal(again, i != 2 * size);
    }
}

static void old(void **state) {
    (void)state;
    struct wm_device d;
    live(&d);
    assert_int_equal(find_file(), 1);
    struct timespec times[2] = {{.tv_sec = time(NULL) - 100000}, {.tv_sec = time(NULL) - 100000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_true(live(&d));
    assert_false(live(&d));
}

static void untrusted(void **state) {
    (void)state;
    struct wm_device d;
    live(&d);
    chmod(folder, 0777);
    assert_false(live(&d));
    assert_true(d.rates.launch == 0);
    assert_int_equal(d.default_min_work, 777);
    assert_string_equal(last_id, "WMR2011");
    setenv("WASMETAL_CALIBRATION", "again", 1); /* then in vain */
    assert_true(live(&d));
    assert_measured(&d);
    assert_string_equal(last_id, "WMR2011");
    unsetenv("WASMETAL_CALIBRATION");
    chmod(folder, 0700);
    assert_false(live(&d));
    setenv("WASMETAL_CACHE_DIR", "off", 1);
    assert_false(live(&d));
    assert_true(d.rates.launch == 0);
}

static void asked_for(void **state) {
    (void)state;
    struct wm_device d;
    setenv("WASMETAL_CALIBRATION", "off", 1);
    assert_false(live(&d));
    assert_true(d.rates.launch == 0);
    assert_int_equal(d.default_min_work, 777);
    setenv("WASMETAL_CALIBRATION", "10000000,100,5000,500,400,100", 1);
    assert_false(live(&d));
    assert_true(d.rates.launch == 10000 && d.rates.step == 5);
    assert_int_equal(d.default_min_work, 25000);
    static const char *const nonsense[] = {
        "on",       "1,2,3,4,5",     "1,2,3,4,5,6,7", "1,2,3,4,5,0",
        "1,2,3,4,", "1;2;3;4;5;6;7", "-1,2,3,4,5,6",  "1,2,3,4,5,99999999999999999999"};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        setenv("WASMETAL_CALIBRATION", nonsense[i], 1);
        assert_false(live(&d));
        assert_true(d.rates.launch == 0);
        assert_string_equal(last_id, "WMR2010");
    }
    setenv("WASMETAL_CALIBRATION", "again", 1);
    assert_true(live(&d));
    assert_true(live(&d));
    assert_int_equal(find_file(), 1);
}

static void cannot_be_measured(void **state) {
    (void)state;
    struct wm_device d;
    fails = true;
    assert_true(live(&d));
    assert_string_equal(last_id, "WMR2008");
    assert_true(d.rates.launch == 0);
    assert_int_equal(d.default_min_work, 777);
    assert_int_equal(find_file(), 0);
    const struct wm_device_ops none = {.name = "fake"};
    d.ops = &none;
    wm_device_calibrate(&d, WM_CALIBRATE_KEPT, false, &log_hook);
    assert_int_equal(d.default_min_work, 777);
}

struct model {
    unsigned runs, fail_at;
};

/* A device of 10 us a launch, 2 ps an operation, 3 ns one alone, 50 ps a byte. */
static double run_model(void *context, enum wm_measured what, uint32_t points) {
    struct model *m = context;
    if (++m->runs == m->fail_at)
        return -1;
    assert_true(points % 64 == 0 && points <= WM_MEASURED_POINTS);
    double full = (double)points * WM_CHAIN_OPS * 0.002, alone = WM_CHAIN_OPS * 3.0;
    return 10000 + (what == WM_MEASURED_COPY ? points * WM_COPY_BYTES * 0.05 : full > alone ? full : alone);
}

static void rates_of_a_model(void **state) {
    (void)state;
    struct model m = {0};
    struct wm_rates r = {.host_op = 1, .host_byte = 1};
    assert_true(wm_measure_device(run_model, &m, &r));
    assert_true(wm_rates_valid(&r));
    assert_true(r.launch > 9999 && r.launch < 10100);
    assert_true(r.op > 0.0018 && r.op < 0.0022);
    assert_true(r.step > 2.9 && r.step < 3.1);
    assert_true(r.byte > 0.045 && r.byte < 0.055);
    unsigned all = m.runs;
    for (unsigned i = 1; i <= all; i++) {
        m = (struct model){.fail_at = i};
        assert_false(wm_measure_device(run_model, &m, &r));
        assert_int_equal(m.runs, i);
    }
}

/* The figures are only shown. */
static void threads(void **state) {
    (void)state;
    struct wm_memory memory = {.bytes = 65536};
    const struct wm_module module = {.name = "none"};
    const struct wm_device_desc desc = {.module = &module, .memory = &memory, .log = log_hook};
    struct wm_device *d = wm_device_cpu_open(&desc);
    assert_non_null(d);
    double start = wm_measure_now();
    wm_device_calibrate(d, WM_CALIBRATE_KEPT, false, &log_hook);
    double end = wm_measure_now();
    assert_true(wm_rates_valid(&d->rates));
    assert_true(d->rates.op < d->rates.host_op && d->rates.step < d->rates.host_op);
    print_message(
        "%s: launch %.1f us, op %.3f ns, step %.3f ns, byte %.3f ns, host op %.3f ns, byte %.3f ns, launches from "
        "%llu operations; measured in %.1f ms\n",
        d->name, d->rates.launch / 1e3, d->rates.op, d->rates.step, d->rates.byte, d->rates.host_op, d->rates.host_byte,
        (unsigned long long)d->default_min_work, (end - start) / 1e6);
    d->ops->close(d);
}

int main(void) {
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kept_and_found, setup),
        cmocka_unit_test_setup(damaged, setup),
        cmocka_unit_test_setup(old, setup),
        cmocka_unit_test_setup(untrusted, setup),
        cmocka_unit_test_setup(asked_for, setup),
        cmocka_unit_test_setup(cannot_be_measured, setup),
        cmocka_unit_test_setup(rates_of_a_model, setup),
        cmocka_unit_test_setup(threads, setup),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    setup(NULL);
    rmdir(folder);
    return failed;
}
