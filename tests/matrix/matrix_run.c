/* Runs the rows of the operation matrix on one device of the runtime, as a program would: guard, probe, choice of a
 * variant, launch.  Linked with matrix_make's matrix.o and the runtime; needs no compiler where it runs.
 *
 *     matrix_run DEVICE DIR
 *
 * A line a row: "NAME ok", "NAME stays REASON" (a fallback: the loop would have run on the CPU), or "NAME WRONG n of
 * m". The first line is "device NAME"; the exit code is 1 when a row was wrong, 2 when there is no device.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/offload.h"

enum { BYTES = 11 * 65536, ALIGN = 65536 };
enum { SLOT_N, SLOT_IN, SLOT_OUT, SLOT_IN_STRIDE, SLOT_OUT_STRIDE, SLOT_ZERO, SLOT_ONE, SLOTS };

extern const struct wm_module wasmetal_module_matrix;

struct row {
    char name[64];
    unsigned tuples, in_stride, out_stride, out_at, nan;
};

static uint8_t want[BYTES];

static void on_log(void *user, int level, const char *id, const char *message) {
    (void)user;
    if (level <= 1)
        fprintf(stderr, "%s: %s\n", id, message);
}

static int read_file(const char *dir, const char *name, const char *suffix, uint8_t *to, size_t n) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    FILE *f = fopen(path, "rb");
    if (!f || fread(to, 1, n, f) != n) {
        perror(path);
        exit(2);
    }
    return fclose(f);
}

/* Whether two results are the same, any NaN being as good as another where row.nan says so (1: f32, 2: f64). */
static int same(const struct row *r, const uint8_t *a, const uint8_t *b) {
    unsigned cell = r->nan == 2 ? 8 : 4;
    if (memcmp(a, b, r->out_stride) == 0)
        return 1;
    if (r->nan == 0)
        return 0;
    for (unsigned at = 0; at + cell <= r->out_stride; at += cell) {
        float f[2];
        double d[2];
        memcpy(&f[0], a + at, 4);
        memcpy(&f[1], b + at, 4);
        if (cell == 8)
            memcpy(&d[0], a + at, 8), memcpy(&d[1], b + at, 8);
        int nans = cell == 8 ? isnan(d[0]) && isnan(d[1]) : isnan(f[0]) && isnan(f[1]);
        if (!nans && memcmp(a + at, b + at, cell) != 0)
            return 0;
    }
    return 1;
}

static const char *why(const struct wm_offload *o, unsigned kernel) {
    struct wm_offload_stats stats;
    wm_offload_get_stats(o, &stats);
    for (int f = 0; f < WM_FALLBACK_COUNT; f++)
        if (stats.kernels[kernel].fallbacks[f])
            return wm_fallback_name((enum wm_fallback)f);
    return "unknown";
}

/* Returns 1 when the results are wrong. */
static int run_row(struct wm_offload *o, uint8_t *memory, unsigned kernel, const struct row *r, const char *dir) {
    uint64_t slots[SLOTS] = {r->tuples, 0, r->out_at, r->in_stride, r->out_stride, 0, 1}, trips[WM_MAX_DIMS] = {0};
    const struct wm_kernel *k = &wasmetal_module_matrix.kernels[kernel];
    struct wm_offload_stats stats;
    wm_offload_get_stats(o, &stats);
    if (strcmp(stats.device, "vulkan") == 0 && k->nspirv == 0) { /* its operands need not even be there */
        printf("%s stays no-kernel\n", r->name);
        return 0;
    }
    memset(memory, 0xa5, BYTES);
    read_file(dir, r->name, ".in", memory, (size_t)r->tuples * r->in_stride);
    read_file(dir, r->name, ".want", want, (size_t)r->tuples * r->out_stride);
    if (wm_offload_launch(o, kernel, slots, trips) != 1) {
        printf("%s stays %s\n", r->name, why(o, kernel));
        return 0;
    }
    unsigned bad = 0, first = 0;
    for (unsigned n = 0; n < r->tuples; n++)
        if (!same(r, memory + r->out_at + (size_t)n * r->out_stride, want + (size_t)n * r->out_stride) && bad++ == 0)
            first = n;
    for (size_t at = r->out_at + (size_t)r->tuples * r->out_stride; at < BYTES; at++)
        if (memory[at] != 0xa5) {
            printf("%s WRONG wrote behind its results\n", r->name);
            return 1;
        }
    if (!bad) {
        printf("%s ok\n", r->name);
        return 0;
    }
    printf("%s WRONG %u of %u, first", r->name, bad, r->tuples);
    for (unsigned at = 0; at < r->in_stride; at++)
        printf("%s%02x", at % 8 ? "" : " ", memory[(size_t)first * r->in_stride + at]);
    printf(" gives");
    for (unsigned at = 0; at < r->out_stride; at++)
        printf("%s%02x", at % 8 ? "" : " ", memory[r->out_at + (size_t)first * r->out_stride + at]);
    printf(", not");
    for (unsigned at = 0; at < r->out_stride; at++)
        printf("%s%02x", at % 8 ? "" : " ", want[(size_t)first * r->out_stride + at]);
    printf("\n");
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: matrix_run DEVICE DIR\n");
        return 2;
    }
    /* Reserved and aligned as the runtime's memories are. */
    uint64_t reserved = UINT64_C(1) << 32;
    uint8_t *base = mmap(NULL, reserved + ALIGN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return 2;
    base += -(uintptr_t)base & (ALIGN - 1);
    if (mprotect(base, BYTES, PROT_READ | PROT_WRITE) != 0)
        return 2;
    struct wm_memory memory = {.base = base, .bytes = BYTES, .max_bytes = reserved};
    struct wm_offload *o = wm_offload_open(&(struct wm_offload_desc){
        .module = &wasmetal_module_matrix, .memory = &memory, .device = argv[1], .min_work = 1, .log = on_log});
    struct wm_offload_stats stats;
    if (!o)
        return 2;
    wm_offload_get_stats(o, &stats);
    printf("device %s %s\n", stats.device, stats.device_name);
    if (strcmp(stats.device, "none") == 0)
        return 2;
    char path[512];
    snprintf(path, sizeof path, "%s/rows.txt", argv[2]);
    FILE *rows = fopen(path, "r");
    if (!rows) {
        perror(path);
        return 2;
    }
    struct row r;
    unsigned n = 0, wrong = 0;
    for (; fscanf(rows, "%63s %u %u %u %u %u", r.name, &r.tuples, &r.in_stride, &r.out_stride, &r.out_at, &r.nan) == 6;
         n++)
        wrong += (unsigned)run_row(o, base, n, &r, argv[2]);
    fclose(rows);
    wm_offload_get_stats(o, &stats);
    if (stats.validation_messages) {
        printf("WRONG %llu validation messages\n", (unsigned long long)stats.validation_messages);
        wrong++;
    }
    wm_offload_close(o);
    fprintf(stderr, "%u rows, %u wrong\n", n, wrong);
    return n != wasmetal_module_matrix.nkernels || wrong != 0;
}
