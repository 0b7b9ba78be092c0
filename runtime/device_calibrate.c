/* How fast this device is on this machine: measured once, kept on disk, read by every process after.
 *
 * One file for each device, named by a hash of the device and its driver, of the processor, and of the number of
 * threads that may be used, in the folder of cache_folder.h:
 *
 *     wasmetal calibration 1
 *     Tesla T4                                                        the device, for those who look
 *     21034000000 1204 8731000 61200 402113 98500                     launch op step byte host_op host_byte,
 * femtoseconds 8f3a...                                                         a checksum of the lines before
 *
 * Whole numbers, since the decimal point depends on the program's locale.  A file that is anything else is measured and
 * written again, without a word; so is one older than a day, for the machine may have been busy when it was written.
 * Where nothing can be kept nothing is measured, unless asked for: milliseconds are little for a
 * machine and much for each instance.
 *
 * WASMETAL_CALIBRATION says otherwise: "off" leaves the built-in thresholds, "again" measures although there is a file,
 * and six whole numbers with commas between them, in picoseconds and in the order above, are taken as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/cache_folder.h"
#include "runtime/device.h"
#include "runtime/launch_cost.h"

enum { FILE_SIZE = 1024, PROCESSOR_SIZE = 256, LASTS = 24 * 60 * 60 /* seconds */ };

#define HEADING "wasmetal calibration 1\n"

/* What the system calls the processor, "" when it does not say. */
static void name_processor(char out[PROCESSOR_SIZE]) {
    out[0] = 0;
#if defined(__APPLE__)
    size_t size = PROCESSOR_SIZE;
    if (sysctlbyname("machdep.cpu.brand_string", out, &size, NULL, 0) != 0)
        out[0] = 0;
    out[PROCESSOR_SIZE - 1] = 0;
#elif defined(__linux__)
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[PROCESSOR_SIZE];
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "model name", 10) == 0 || strncmp(line, "CPU part", 8) == 0) {
            memcpy(out, line, sizeof line);
            break;
        }
    }
    if (f)
        fclose(f);
#endif
}

static bool find_path(const struct wm_device *d, const char *folder, char path[WM_CACHE_PATH_SIZE]) {
    char processor[PROCESSOR_SIZE];
    name_processor(processor);
    const uint64_t numbers[] = {d->identity, wm_device_cpu_threads()};
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, d->ops->name, strlen(d->ops->name) + 1);
    XXH3_64bits_update(&state, d->name, strlen(d->name) + 1);
    XXH3_64bits_update(&state, numbers, sizeof numbers);
    XXH3_64bits_update(&state, processor, strlen(processor));
    int n = snprintf(path, WM_CACHE_PATH_SIZE, "%s/%016" PRIx64 ".calibration", folder, XXH3_64bits_digest(&state));
    return n > 0 && n < WM_CACHE_PATH_SIZE;
}

/* Six whole numbers, which `unit` makes nanoseconds of, with `separator` between them; *out_end: behind them. */
static bool parse_rates(const char *text, char separator, double unit, struct wm_rates *out, const char **out_end) {
    double *const all[WM_RATES] = {&out->launch, &out->op, &out->step, &out->byte, &out->host_op, &out->host_byte};
    for (int i = 0; i < WM_RATES; i++) {
        char *end;
        if (*text < '0' || *text > '9')
            return false;
        errno = 0;
        *all[i] = (double)strtoull(text, &end, 10) * unit;
        if (errno != 0 || (i + 1 < WM_RATES && *end++ != separator))
            return false;
        text = end;
    }
    *out_end = text;
    return wm_rates_valid(out);
}

/* The text without its last line, and that line's checksum. */
static bool parse_file(char *text, struct wm_rates *out) {
    char *sum = strrchr(text, '\n'), *end;
    if (!sum || sum[1] != 0) /* the file ends with a line's end */
        return false;
    *sum = 0;
    sum = strrchr(text, '\n');
    if (!sum || strncmp(text, HEADING, strlen(HEADING)) != 0)
        return false;
    uint64_t given = strtoull(sum + 1, &end, 16);
    sum[1] = 0;
    const char *numbers = strchr(text + strlen(HEADING), '\n'), *behind;
    return *end == 0 && given == XXH3_64bits(text, strlen(text)) && numbers &&
           parse_rates(numbers + 1, ' ', 1e-6, out, &behind) && strcmp(behind, "\n") == 0;
}

static bool is_recent(time_t written) {
    double age = difftime(time(NULL), written);
    return age >= -LASTS && age < LASTS;
}

static bool load(const char *path, struct wm_rates *out) {
    struct stat st;
    char text[FILE_SIZE] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_size < FILE_SIZE &&
              is_recent(st.st_mtime) && wm_cache_read(fd, (uint8_t *)text, (size_t)st.st_size) && parse_file(text, out);
    close(fd);
    return ok;
}

static uint64_t femtoseconds(double ns) {
    return (uint64_t)(ns * 1e6 + 0.5);
}

static bool store(const struct wm_device *d, char *folder, const char *path) {
    const struct wm_rates *r = &d->rates;
    char text[FILE_SIZE];
    int n = snprintf(text, sizeof text,
                     HEADING "%.200s\n%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                     d->name, femtoseconds(r->launch), femtoseconds(r->op), femtoseconds(r->step),
                     femtoseconds(r->byte), femtoseconds(r->host_op), femtoseconds(r->host_byte));
    uint64_t sum = XXH3_64bits(text, (size_t)n);
    n += snprintf(text + n, sizeof text - (size_t)n, "%016" PRIx64 "\n", sum);
    return wm_cache_make_folder(folder) && wm_cache_is_private(folder) &&
           wm_cache_store(path, (const uint8_t *)text, (size_t)n);
}

/* Where the calling thread takes part, no kernel takes longer than the loop would: what is left undone by other threads
 * it does itself.  And loops keep every access in its place, so that a fault has one, while kernels are compiled to
 * vectors; this takes that to save a quarter (decision.mjs finds between nothing and nine tenths).  A busy machine lets
 * threads look worse than they are. */
static void bound_by_host(struct wm_rates *r) {
    const double share = 0.75;
    r->op = fmin(r->op, share * r->host_op);
    r->step = fmin(r->step, share * r->host_op);
    r->byte = fmin(r->byte, share * r->host_byte);
}

static bool measure(struct wm_device *d, struct wm_rates *out, const struct wm_log *log) {
    if (d->ops->measure(d, out) && wm_measure_host(out) && wm_rates_valid(out)) {
        if (d->helped)
            bound_by_host(out);
        return true;
    }
    wm_device_log(log, WM_LOG_INFO, "WMR2008", "%s: its speed could not be measured; built-in thresholds decide",
                  d->name);
    return false;
}

static void use(struct wm_device *d, const struct wm_rates *rates, const struct wm_log *log, const char *how) {
    const struct wm_rates *r = &d->rates;
    d->rates = *rates;
    d->default_min_work = wm_launch_least_work(r);
    wm_device_log(
        log, WM_LOG_INFO, "WMR2009",
        "%s: a launch takes %.1f us, an operation %.4f ns, in one point alone %.3f ns, a byte %.4f ns; on the "
        "calling thread %.3f and %.3f ns (%s)",
        d->name, r->launch / 1e3, r->op, r->step, r->byte, r->host_op, r->host_byte, how);
}

void wm_device_calibrate(struct wm_device *d, enum wm_calibrate how, bool no_environment, const struct wm_log *log) {
    const char *wanted = no_environment ? NULL : getenv("WASMETAL_CALIBRATION"), *end;
    char folder[WM_CACHE_FOLDER_SIZE], path[WM_CACHE_PATH_SIZE];
    struct wm_rates rates;
    wanted = wanted ? wanted : "";
    if (strcmp(wanted, "off") == 0)
        return;
    bool again = strcmp(wanted, "again") == 0;
    if (*wanted && !again) {
        if (parse_rates(wanted, ',', 1e-3, &rates, &end) && *end == 0)
            use(d, &rates, log, "given");
        else
            wm_device_log(log, WM_LOG_WARNING, "WMR2010",
                          "WASMETAL_CALIBRATION is neither \"off\", \"again\" nor six numbers: built-in thresholds "
                          "decide");
        return;
    }
    bool stand_in = d->software && !d->helped; /* a GPU that is this CPU: who names it wants to see kernels run */
    if (!d->ops->measure || (stand_in && how == WM_CALIBRATE_KEPT && !again))
        return;
    bool keeps = wm_cache_find_folder(no_environment, folder) && find_path(d, folder, path);
    if (keeps && how == WM_CALIBRATE_KEPT && !again && wm_cache_is_private(folder) && load(path, &rates)) {
        use(d, &rates, log, "measured before");
        return;
    }
    bool asked = again || how == WM_CALIBRATE_AGAIN;
    if (!asked && !(keeps && wm_cache_make_folder(folder) && wm_cache_is_private(folder))) {
        wm_device_log(log, WM_LOG_INFO, "WMR2011", "%s is not measured, since that could not be kept", d->name);
        return;
    }
    double start = wm_measure_now();
    if (!measure(d, &rates, log))
        return;
    char text[64];
    snprintf(text, sizeof text, "measured in %.1f ms", (wm_measure_now() - start) / 1e6);
    use(d, &rates, log, text);
    if (keeps && !store(d, folder, path))
        wm_device_log(log, WM_LOG_INFO, "WMR2011", "what was measured cannot be kept in %s: %s", folder,
                      strerror(errno));
}
