/* What a launch costs before it is one: nanoseconds for the guard to decide, and to find that it has decided before,
 * for kernels of 1, 2, 4 and 8 streams on one- and two-dimensional grids, and as a share of a launch of nothing on the
 * cpu device.  Half the streams are written (of one stream, that one), all are separate arrays, the addresses are
 * slots. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/device.h"
#include "runtime/guard_memo.h"

enum { MOST_STREAMS = 8, TRIALS = 7, ROUNDS = 20000 };

/* Slots. */
enum { STRIDE_X, STRIDE_Y, ZERO, ONE, BOUND_X, BOUND_Y, FIRST_BASE, NSLOTS = FIRST_BASE + MOST_STREAMS };

struct setup {
    struct wm_kernel kernel;
    struct wm_dim dims[2];
    struct wm_access accesses[MOST_STREAMS];
    struct wm_stream streams[MOST_STREAMS];
    uint64_t slots[NSLOTS];
};

static struct wm_dim counted(uint64_t bound, int64_t axis, int64_t parent) {
    return (struct wm_dim){.rel = OFF_TRIP_LT_S,
                           .bits = 32,
                           .top_tested = 1,
                           .parallel = 1,
                           .axis = axis,
                           .parent = parent,
                           .init_slot = ZERO,
                           .step_slot = ONE,
                           .bound_slot = bound,
                           .when_slot = WM_NO_SLOT,
                           .ops = 20};
}

static void set_up(struct setup *s, unsigned streams, unsigned ngrid) {
    memset(s, 0, sizeof *s);
    s->dims[0] = counted(ngrid == 2 ? BOUND_Y : BOUND_X, ngrid == 2 ? 1 : 0, -1);
    s->dims[1] = counted(BOUND_X, 0, 0);
    for (unsigned i = 0; i < streams; i++) {
        bool write = i < (streams + 1) / 2;
        struct wm_access *a = &s->accesses[i];
        *a = (struct wm_access){.stream = i, .write = write, .bytes = 4, .align = 4, .when_slot = WM_NO_SLOT};
        a->base_slot = FIRST_BASE + i;
        for (unsigned d = 0; d < WM_MAX_DIMS; d++)
            a->stride_slot[d] = WM_NO_SLOT;
        a->stride_slot[ngrid - 1] = STRIDE_X;
        if (ngrid == 2)
            a->stride_slot[0] = STRIDE_Y;
        s->streams[i] = (struct wm_stream){.read = !write, .write = write, .min_bytes = 4, .max_bytes = 4};
        s->slots[FIRST_BASE + i] = 65536 * (i + 1);
    }
    s->slots[STRIDE_X] = 4;
    s->slots[STRIDE_Y] = 512;
    s->slots[ONE] = 1;
    s->slots[BOUND_X] = s->slots[BOUND_Y] = 100;
    s->kernel = (struct wm_kernel){.name = "k",
                                   .ngrid = ngrid,
                                   .ndims = ngrid,
                                   .dims = s->dims,
                                   .naccesses = streams,
                                   .accesses = s->accesses,
                                   .nstreams = streams,
                                   .streams = s->streams,
                                   .nslots = NSLOTS,
                                   .workgroup = {64, 1, 1}};
}

/* The best of some trials: others only take time away. */
static double time_of(struct setup *s, bool remembered) {
    const struct wm_guard_limits limits = {.memory_bytes = 1 << 20, .min_work = 1, .aligned = true};
    struct wm_launch_plan plan;
    enum wm_fallback why = WM_FALLBACK_COUNT;
    struct guard_memo *memo = NULL;
    double best = 1e18;
    for (int t = 0; t < TRIALS; t++) {
        double start = wm_measure_now();
        for (int i = 0; i < ROUNDS; i++) {
            bool yes = remembered ? guard_memo_decide(&memo, &s->kernel, s->slots, &limits, &plan, &why)
                                  : wm_guard_decide(&s->kernel, s->slots, &limits, &plan, &why);
            if (!yes) {
                fprintf(stderr, "guard_bench: the guard says %s\n", wm_fallback_name(why));
                exit(1);
            }
        }
        double took = (wm_measure_now() - start) / ROUNDS;
        best = took < best ? took : best;
    }
    guard_memo_free(memo);
    return best;
}

int main(void) {
    const struct wm_module module = {.name = "none"};
    struct wm_memory memory = {.bytes = 1 << 20};
    const struct wm_device_desc desc = {.module = &module, .memory = &memory};
    struct wm_device *cpu = wm_device_cpu_open(&desc);
    if (!cpu)
        return 1;
    const struct wm_log quiet = {NULL, NULL};
    wm_device_calibrate(cpu, WM_CALIBRATE_AGAIN, true, &quiet);
    printf("a launch of nothing on the cpu device: %.1f us\n", cpu->rates.launch / 1e3);
    printf("%-7s %-5s %9s %11s %22s\n", "streams", "grid", "decided", "remembered", "decided / such a launch");
    for (unsigned streams = 1; streams <= MOST_STREAMS; streams *= 2)
        for (unsigned ngrid = 1; ngrid <= 2; ngrid++) {
            struct setup s;
            set_up(&s, streams, ngrid);
            if (!wm_guard_kernel_valid(&s.kernel))
                return 1;
            double decided = time_of(&s, false), remembered = time_of(&s, true);
            printf("%-7u %u-D %9.0f ns %8.0f ns %22.4f\n", streams, ngrid, decided, remembered,
                   cpu->rates.launch > 0 ? decided / cpu->rates.launch : 0);
        }
    cpu->ops->close(cpu);
    return 0;
}
