/* The cpu device: natively compiled kernels on a pool of threads.
 *
 * The grid is cut into boxes, several for each thread, which the threads take from a shared counter until none is left;
 * the calling thread takes part.  Cuts go through the outermost axes first, so that each box is a run of whole rows;
 * only where those are too few is x cut too, at multiples of 64 points, so that threads seldom share a cache line.
 *
 * Threads are started at the first launch and live until the device is closed.  They block all signals: handlers of the
 * embedding program run on its own threads, and a kernel itself cannot fault, since the guard has proven its accesses.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/device.h"

enum {
    MAX_THREADS = 256,
    BOXES_PER_THREAD = 4,
    X_GRAIN = 64,
    SMALLEST_GRID = 64, /* of those measured, which is cut all the same */
    MOST_BOXES = 1 << 24,
    BOX_WORK = 4000, /* estimated operations below which a box is not worth taking from the counter */
};

struct job {
    wm_cpu_kernel *kernel;
    uint8_t *memory;
    const uint64_t *scalars;
    uint32_t extent[3], pieces[3], grain; /* of cuts along x */
    uint32_t boxes;
    bool backwards; /* on this thread alone, from the last box to the first */
    atomic_uint next;
};

struct cpu_device {
    struct wm_device base;
    const struct wm_module *module;
    struct wm_memory *memory;
    struct wm_log log;

    bool started;
    bool backwards; /* WASMETAL_CPU_ORDER: one point at a time, the last one first */
    unsigned nworkers;
    pthread_t *workers;
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    /* Under the lock: */
    uint64_t generation; /* of the job */
    unsigned busy;       /* workers that have not finished it */
    bool stop;
    struct job job;
};

/* Where piece i of n ends; i = 0 gives 0. */
static uint32_t piece_end(uint32_t extent, uint32_t pieces, uint32_t i, uint32_t grain) {
    if (i == pieces)
        return extent;
    uint64_t at = (uint64_t)extent * i / pieces;
    return (uint32_t)(at - at % grain);
}

static void run_boxes(struct job *job) {
    for (;;) {
        unsigned index = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (index >= job->boxes)
            return;
        uint32_t box[6], rest = job->backwards ? job->boxes - 1 - index : index;
        for (int a = 0; a < 3; a++) {
            uint32_t i = rest % job->pieces[a], grain = a == 0 ? job->grain : 1;
            rest /= job->pieces[a];
            box[2 * a] = piece_end(job->extent[a], job->pieces[a], i, grain);
            box[2 * a + 1] = piece_end(job->extent[a], job->pieces[a], i + 1, grain);
        }
        if (box[0] < box[1] && box[2] < box[3] && box[4] < box[5])
            job->kernel(job->memory, job->scalars, box);
    }
}

static void *worker_main(void *arg) {
    struct cpu_device *d = arg;
    uint64_t seen = 0;
    pthread_mutex_lock(&d->lock);
    for (;;) {
        while (!d->stop && d->generation == seen)
            pthread_cond_wait(&d->wake, &d->lock);
        if (d->stop)
            break;
        seen = d->generation;
        pthread_mutex_unlock(&d->lock);
        run_boxes(&d->job);
        pthread_mutex_lock(&d->lock);
        if (--d->busy == 0)
            pthread_cond_signal(&d->done);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

unsigned wm_device_cpu_threads(void) {
    long n = 0;
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
#endif
    if (n <= 0)
        n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned)n;
}

/* Starts what threads it can; with none the calling thread does all the work. */
static void start_workers(struct cpu_device *d) {
    d->started = true;
    unsigned wanted = wm_device_cpu_threads() - 1;
    if (wanted == 0)
        return;
    d->workers = calloc(wanted, sizeof *d->workers);
    if (!d->workers)
        return;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (d->nworkers < wanted && pthread_create(&d->workers[d->nworkers], NULL, worker_main, d) == 0)
        d->nworkers++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (d->nworkers < wanted)
        wm_device_log(&d->log, WM_LOG_WARNING, "WMR2101", "only %u of %u threads could be started", d->nworkers,
                      wanted);
}

/* Cuts the grid into about `wanted` boxes, outermost axis first. */
static void cut_grid(struct job *job, uint32_t wanted) {
    job->boxes = 1;
    for (int a = 2; a >= 0; a--) {
        uint32_t most = a == 0 ? (uint32_t)(((uint64_t)job->extent[0] + job->grain - 1) / job->grain) : job->extent[a];
        uint32_t pieces = wanted < most ? wanted : most;
        job->pieces[a] = pieces ? pieces : 1;
        job->boxes *= job->pieces[a];
        wanted = (wanted + job->pieces[a] - 1) / job->pieces[a];
    }
}

static void run_job(struct cpu_device *d) {
    struct job *job = &d->job;
    atomic_store_explicit(&job->next, 0, memory_order_relaxed);
    if (d->nworkers == 0 || job->boxes == 1 || job->backwards) {
        run_boxes(job);
        return;
    }
    pthread_mutex_lock(&d->lock);
    d->generation++;
    d->busy = d->nworkers;
    pthread_cond_broadcast(&d->wake);
    pthread_mutex_unlock(&d->lock);
    run_boxes(job);
    pthread_mutex_lock(&d->lock);
    while (d->busy != 0)
        pthread_cond_wait(&d->done, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

static enum wm_device_result cpu_launch(struct wm_device *base, uint64_t kernel, const struct wm_launch_plan *plan,
                                        const uint64_t *slots, enum wm_fallback *out_why) {
    struct cpu_device *d = (struct cpu_device *)base;
    const struct wm_kernel *k = &d->module->kernels[kernel];
    if (!k->cpu) {
        *out_why = WM_FALLBACK_CAPABILITY;
        return WM_DEVICE_REFUSED;
    }
    if (!d->started)
        start_workers(d);
    uint64_t scalars[OFF_MAX_SLOTS + 1];
    for (uint64_t i = 0; i < k->nscalars; i++)
        scalars[i] = wm_guard_scalar(k, i, slots, plan);
    scalars[k->nscalars] = plan->status ? (uintptr_t)plan->status : (uintptr_t)plan->partials;

    struct job *job = &d->job;
    job->kernel = k->cpu;
    job->memory = d->memory->base;
    job->scalars = scalars;
    for (int a = 0; a < 3; a++)
        job->extent[a] = plan->extent[a];
    job->backwards = d->backwards;
    job->grain = plan->rounds || job->backwards ? 1 : X_GRAIN; /* a worker is many iterations */
    uint64_t worth = plan->work / BOX_WORK + 1, wanted = (uint64_t)(d->nworkers + 1) * BOXES_PER_THREAD;
    cut_grid(job, job->backwards ? MOST_BOXES : d->nworkers == 0 ? 1 : (uint32_t)(worth < wanted ? worth : wanted));
    run_job(d);
    return WM_DEVICE_DONE;
}

static void cpu_memory_changed(struct wm_device *base) {
    (void)base;
}

struct measurement {
    struct cpu_device *device;
    uint8_t *memory;
};

/* Always through all threads, as launches that are worth it. */
static double run_measured(void *context, enum wm_measured what, uint32_t points) {
    struct measurement *m = context;
    struct job *job = &m->device->job;
    double start = wm_measure_now();
    job->kernel = what == WM_MEASURED_CHAIN ? wm_measure_chain : wm_measure_copy;
    job->memory = m->memory;
    job->scalars = NULL;
    job->backwards = false;
    job->extent[0] = points;
    job->extent[1] = job->extent[2] = 1;
    job->grain = points > SMALLEST_GRID ? X_GRAIN : 1;
    cut_grid(job, (m->device->nworkers + 1) * BOXES_PER_THREAD);
    run_job(m->device);
    return wm_measure_now() - start;
}

static bool cpu_measure(struct wm_device *base, struct wm_rates *out) {
    uint32_t *words = malloc((size_t)2 * WM_MEASURED_POINTS * sizeof *words);
    struct measurement m = {(struct cpu_device *)base, (uint8_t *)words};
    if (!words)
        return false;
    memset(m.memory, 0, (size_t)2 * WM_MEASURED_POINTS * sizeof(uint32_t)); /* touches each page */
    if (!m.device->started)
        start_workers(m.device);
    bool done = wm_measure_device(run_measured, &m, out);
    out->step = out->op * (m.device->nworkers + 1); /* a point is one thread's; so little cannot be measured */
    free(m.memory);
    return done;
}

static void cpu_close(struct wm_device *base) {
    struct cpu_device *d = (struct cpu_device *)base;
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_cond_broadcast(&d->wake);
    pthread_mutex_unlock(&d->lock);
    for (unsigned i = 0; i < d->nworkers; i++)
        pthread_join(d->workers[i], NULL);
    pthread_cond_destroy(&d->wake);
    pthread_cond_destroy(&d->done);
    pthread_mutex_destroy(&d->lock);
    free(d->workers);
    free(d);
}

struct wm_device *wm_device_cpu_open(const struct wm_device_desc *desc) {
    static const struct wm_device_ops ops = {"cpu", cpu_launch, cpu_memory_changed, cpu_close, cpu_measure};
    struct cpu_device *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->base.ops = &ops;
    d->base.binding = "host";
    d->base.default_min_work = WM_DEVICE_LEAST_MIN_WORK;
    d->base.workers = wm_device_cpu_threads() * BOXES_PER_THREAD;
    snprintf(d->base.name, sizeof d->base.name, "%u threads", wm_device_cpu_threads());
    const char *order = desc->no_environment ? NULL : getenv("WASMETAL_CPU_ORDER");
    d->backwards = order && !strcmp(order, "backwards");
    d->base.helped = true;
    d->base.identity = wm_device_cpu_threads();
    d->module = desc->module;
    d->memory = desc->memory;
    d->log = desc->log;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->wake, NULL);
    pthread_cond_init(&d->done, NULL);
    return &d->base;
}
