/* Measuring how fast a device computes, reads and writes, and how long a launch takes.
 *
 * Two kernels do.  The chain multiplies, adds, shifts and xors one number again and again: no operation can begin
 * before the one before it has ended, and the only memory is one word at the end.  The copy reads a word and writes
 * one.
 *
 *     launch   a copy of 64 points, the third best of nine: a launch on a busy machine takes longer, but so does the
 * loop step     a chain of 64 points, which has nothing to overlap with, less the launch op       a chain of so many
 * points that the launch hardly counts byte     a copy likewise
 *
 * Other programs take time away and never give any, so of the rates the best of some runs counts.  The copy does as
 * little in a point as a kernel can: on a software device its cost is that of points and accesses rather than bytes,
 * and keeps loops from it that do little else.  On the calling thread the same chain and a copy whose accesses are as
 * plain as those of the original loop.
 */
#include "runtime/launch_rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WARM_UPS = 2,
    LAUNCHES = 9,
    LEAST_LAUNCHES = 5, /* however late it is: a single one may have met anything */
    TRIALS = 5,
    SMALLEST = 64,
    FIRST_POINTS = 1 << 10,
    LONG_ENOUGH = 4,         /* launches */
    PATIENCE = 20 * 1000000, /* nanoseconds after which everything is measured once only */
    HOST_CHAINS = 1 << 10,
    HOST_COPIES = 1 << 18,
};

double wm_measure_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t chain(uint32_t h) {
    for (int r = 0; r < WM_CHAIN_ROUNDS; r++) {
        h = h * WM_CHAIN_MULTIPLIER + WM_CHAIN_INCREMENT;
        h ^= h >> WM_CHAIN_SHIFT;
    }
    return h;
}

void wm_measure_chain(uint8_t *memory, const uint64_t *scalars, const uint32_t *box) {
    (void)scalars;
    uint32_t *out = (uint32_t *)memory;
    for (uint32_t x = box[0]; x < box[1]; x++)
        out[x] = chain(x);
}

void wm_measure_copy(uint8_t *memory, const uint64_t *scalars, const uint32_t *box) {
    (void)scalars;
    uint32_t *out = (uint32_t *)memory;
    const uint32_t *in = out + WM_MEASURED_POINTS;
    for (uint32_t x = box[0]; x < box[1]; x++)
        out[x] = in[x] + 1;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct device_run {
    wm_measure_run *run;
    void *context;
    double deadline;
};

/* The best of TRIALS, fewer when it gets late; negative: one failed. */
static double best_of(const struct device_run *d, enum wm_measured what, uint32_t points) {
    double best = INFINITY;
    for (int i = 0; i < TRIALS && (i == 0 || wm_measure_now() < d->deadline); i++) {
        double t = d->run(d->context, what, points);
        if (t < 0)
            return t;
        best = fmin(best, t);
    }
    return best;
}

/* Nanoseconds for each of `units` a point, with so many points that the launch hardly counts. */
static double rate_of(const struct device_run *d, enum wm_measured what, double launch, double units) {
    uint32_t points = FIRST_POINTS;
    double t = best_of(d, what, points);
    while (t >= 0 && t < LONG_ENOUGH * launch && points < WM_MEASURED_POINTS) {
        points *= 4;
        points = points > WM_MEASURED_POINTS ? WM_MEASURED_POINTS : points;
        t = best_of(d, what, points);
    }
    /* A device so fast that its work is lost in the launch: no faster than a tenth of that. */
    return t < 0 ? t : fmax(t - launch, launch / 10) / (points * units);
}

bool wm_measure_device(wm_measure_run *run, void *context, struct wm_rates *out) {
    struct device_run d = {run, context, wm_measure_now() + PATIENCE};
    double launches[LAUNCHES];
    int n = 0;
    for (int i = 0; i < WARM_UPS; i++)
        if (run(context, WM_MEASURED_COPY, SMALLEST) < 0 || run(context, WM_MEASURED_CHAIN, SMALLEST) < 0)
            return false;
    for (; n < LAUNCHES && (n < LEAST_LAUNCHES || wm_measure_now() < d.deadline); n++)
        if ((launches[n] = run(context, WM_MEASURED_COPY, SMALLEST)) < 0)
            return false;
    qsort(launches, (size_t)n, sizeof *launches, by_size);
    out->launch = fmax(launches[n / 4], 1); /* of nine the third best, of five the second */
    double alone;
    if ((out->op = rate_of(&d, WM_MEASURED_CHAIN, out->launch, WM_CHAIN_OPS)) < 0 ||
        (out->byte = rate_of(&d, WM_MEASURED_COPY, out->launch, WM_COPY_BYTES)) < 0 ||
        (alone = best_of(&d, WM_MEASURED_CHAIN, SMALLEST)) < 0)
        return false; /* nothing more is asked of a device that has failed */
    out->step = fmax((alone - launches[0]) / WM_CHAIN_OPS, out->op);
    return true;
}

/* As compiled code has it where it needs the exact address of a fault. */
static void copy_plainly(uint32_t *memory, uint32_t points) {
    volatile uint32_t *out = memory, *in = memory + WM_MEASURED_POINTS;
    for (uint32_t x = 0; x < points; x++)
        out[x] = in[x] + 1;
}

bool wm_measure_host(struct wm_rates *out) {
    uint32_t *memory = malloc(2 * WM_MEASURED_POINTS * sizeof *memory);
    if (!memory)
        return false;
    memset(memory, 0, 2 * WM_MEASURED_POINTS * sizeof *memory);
    double op = INFINITY, byte = INFINITY;
    const uint32_t box[6] = {0, HOST_CHAINS, 0, 1, 0, 1};
    for (int i = 0; i < TRIALS; i++) {
        double start = wm_measure_now();
        wm_measure_chain((uint8_t *)memory, NULL, box);
        double middle = wm_measure_now();
        copy_plainly(memory, HOST_COPIES);
        op = fmin(op, middle - start);
        byte = fmin(byte, wm_measure_now() - middle);
    }
    free(memory);
    out->host_op = op / ((double)HOST_CHAINS * WM_CHAIN_OPS);
    out->host_byte = byte / ((double)HOST_COPIES * WM_COPY_BYTES);
    return true;
}

bool wm_rates_valid(const struct wm_rates *r) {
    const double all[WM_RATES] = {r->launch, r->op, r->step, r->byte, r->host_op, r->host_byte};
    for (int i = 0; i < WM_RATES; i++)
        if (!(all[i] > 1e-7 && all[i] < 1e9))
            return false;
    return true;
}
