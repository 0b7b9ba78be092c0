/* Launching kernels for one instance: picks the device, asks the guard, runs the kernel, counts.
 *
 * The device is opened when the first launch passes the guard, so a program whose loops are small, or never reached,
 * does not load a graphics driver.  If it cannot be opened, every launch is answered "no-device" and the original loops
 * run.
 *
 * When a device is lost in the middle of a kernel, the bytes the kernel writes are in an unknown state.  If no stream
 * it writes overlaps a stream it reads, running the original loop from the start writes them all again from unharmed
 * inputs, so that is what happens.  Otherwise the inputs may be gone, no copy was kept, and the instance must trap.
 * A device that does not end a kernel in time is lost too, and cannot be stopped: the memory gets other pages, which
 * its late writes do not reach.
 */
#include "runtime/offload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/check.h"
#include "runtime/device.h"
#include "runtime/guard_memo.h"
#include "runtime/launch_cost.h"
#include "runtime/reduce.h"

enum device_kind { KIND_NONE, KIND_CPU, KIND_METAL, KIND_VULKAN, KIND_AUTO };

struct wm_offload {
    struct wm_device_desc desc;
    enum device_kind kind;
    int vulkan_choice;
    bool opened; /* tried to */
    struct wm_device *device;
    uint64_t min_work;
    bool default_threshold; /* nobody asked for a certain min_work */
    bool check;             /* every launch (check.h) */
    uint64_t launches, inspections, nanoseconds, bytes_copied, validation_messages;
    uint64_t fallbacks[WM_FALLBACK_COUNT];
    struct wm_kernel_stats *kernels;
    struct guard_memo **memos; /* one a kernel */
    struct backoff *backoffs;
    uint8_t *told; /* what the log was last told about each kernel */
    bool (*abandon_pages)(void *user, struct wm_memory *memory, bool by_threads);
    bool *invalid;      /* a kernel whose description makes no sense */
    uint64_t *partials; /* of reductions */
    uint64_t partials_words;
};

/* An inspector that always says no costs a launch each time.  After BACKOFF_AFTER noes in a row its kernel is left
 * alone for 1 launch, after the next no for 2, then 4 and so on. */
enum { BACKOFF_AFTER = 3, BACKOFF_MOST = 4096 };
struct backoff {
    uint32_t noes; /* in a row */
    uint32_t skip; /* launches still to be left alone */
};

void wm_device_log(const struct wm_log *log, int level, const char *id, const char *fmt, ...) {
    if (!log->fn)
        return;
    char message[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    log->fn(log->user, level, id, message);
}

const char *wm_fallback_name(enum wm_fallback f) {
    static const char *const names[] = {
#define FALLBACK(id, name, what) name,
#include "runtime/fallback.def"
    };
    return f < WM_FALLBACK_COUNT ? names[f] : "unknown";
}

/* "none", "cpu", "metal", "vulkan", "vulkan:N", "auto". */
static bool parse_device(const char *spec, enum device_kind *out_kind, int *out_choice) {
    *out_kind = KIND_NONE;
    *out_choice = WM_VULKAN_BEST;
    if (strcmp(spec, "none") == 0)
        return true;
    if (strcmp(spec, "cpu") == 0) {
        *out_kind = KIND_CPU;
        return true;
    }
    if (strcmp(spec, "auto") == 0) {
        *out_kind = KIND_AUTO;
        return true;
    }
    if (strcmp(spec, "metal") == 0) {
        *out_kind = KIND_METAL;
        return true;
    }
    if (strcmp(spec, "vulkan") == 0) {
        *out_kind = KIND_VULKAN;
        return true;
    }
    if (strncmp(spec, "vulkan:", 7) == 0 && spec[7] >= '0' && spec[7] <= '9') {
        char *end;
        unsigned long index = strtoul(spec + 7, &end, 10);
        if (*end == 0 && index < 1000) {
            *out_kind = KIND_VULKAN;
            *out_choice = (int)index;
            return true;
        }
    }
    return false;
}

/* An inspector runs with its kernel's plan and slots. */
static bool inspector_fits(const struct wm_kernel *k, const struct wm_kernel *inspector) {
    for (uint64_t i = 0; i < inspector->nscalars; i++) {
        const struct wm_scalar *s = &inspector->scalars[i];
        if (s->source == OFF_SCALAR_LAST_ITERATION && (s->slot >= k->ndims || k->dims[s->slot].unbounded))
            return false;
    }
    return wm_guard_kernel_valid(inspector) && inspector->inspects && inspector->nslots == k->nslots &&
           inspector->nstreams == k->nstreams + 1 && inspector->streams[k->nstreams].kind == OFF_STREAM_STATUS;
}

struct wm_offload *wm_offload_open(const struct wm_offload_desc *desc) {
    const struct wm_module *module = desc->module;
    struct wm_offload *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->desc.module = module;
    o->desc.memory = desc->memory;
    o->desc.log = (struct wm_log){desc->log, desc->log_user};
    o->desc.no_environment = desc->no_environment;
    o->desc.forced = desc->min_work != UINT64_MAX;
    o->desc.launch_timeout = desc->launch_timeout;
    o->abandon_pages = desc->abandon_pages;
    o->min_work = desc->min_work;
    o->default_threshold = desc->min_work == UINT64_MAX;
    const char *check = desc->no_environment ? NULL : getenv("WASMETAL_CHECK");
    o->check = check && *check && strcmp(check, "0") != 0;
    o->kernels = calloc(module->nkernels + 1, sizeof *o->kernels);
    o->invalid = calloc(module->nkernels + 1, sizeof *o->invalid);
    o->memos = calloc(module->nkernels + 1, sizeof *o->memos);
    o->backoffs = calloc(module->nkernels + 1, sizeof *o->backoffs);
    o->told = calloc(module->nkernels + 1, sizeof *o->told);
    if (!o->kernels || !o->invalid || !o->memos || !o->backoffs || !o->told) {
        wm_offload_close(o);
        return NULL;
    }
    const char *spec = desc->device ? desc->device : "auto";
    if (!parse_device(spec, &o->kind, &o->vulkan_choice))
        wm_device_log(
            &o->desc.log, WM_LOG_ERROR, "WMR2001",
            "there is no device \"%s\" (none, cpu, metal, vulkan, vulkan:N or auto); loops run on the calling thread",
            spec);
    for (uint64_t i = 0; i < module->nkernels; i++) {
        const struct wm_kernel *k = &module->kernels[i];
        o->invalid[i] = !wm_guard_kernel_valid(k) ||
                        (k->inspector &&
                         (k->inspector > module->nkernels || !inspector_fits(k, &module->kernels[k->inspector - 1])));
        if (o->invalid[i])
            wm_device_log(&o->desc.log, WM_LOG_ERROR, "WMR2002", "kernel %s has a malformed description and never runs",
                          module->kernels[i].name);
    }
    if (o->kind == KIND_METAL && !wm_device_metal_built()) {
        o->kind = KIND_NONE;
        wm_device_log(&o->desc.log, WM_LOG_ERROR, "WMR2301",
                      "this build of the runtime has no Metal device; loops run on the calling thread");
    }
    return o;
}

void wm_offload_close(struct wm_offload *o) {
    if (!o)
        return;
    if (o->device)
        o->device->ops->close(o->device);
    for (uint64_t i = 0; o->memos && i < o->desc.module->nkernels; i++)
        guard_memo_free(o->memos[i]);
    free(o->memos);
    free(o->kernels);
    free(o->invalid);
    free(o->backoffs);
    free(o->told);
    free(o->partials);
    free(o);
}

bool wm_offload_active(const struct wm_offload *o) {
    return o->kind != KIND_NONE && o->desc.module->nkernels != 0;
}

static void open_device(struct wm_offload *o) {
    o->opened = true;
    switch (o->kind) {
    case KIND_NONE:
        return;
    case KIND_CPU:
        o->device = wm_device_cpu_open(&o->desc);
        break;
    case KIND_METAL:
        o->device = wm_device_metal_open(&o->desc);
        break;
    case KIND_VULKAN:
        o->device = wm_device_vulkan_open(&o->desc, o->vulkan_choice);
        break;
    case KIND_AUTO:
        if (wm_device_metal_built())
            o->device = wm_device_metal_open(&o->desc);
        if (!o->device)
            o->device = wm_device_vulkan_open(&o->desc, WM_VULKAN_HARDWARE);
        if (!o->device)
            o->device = wm_device_cpu_open(&o->desc);
        break;
    }
    if (!o->device) {
        wm_device_log(&o->desc.log, WM_LOG_WARNING, "WMR2003", "no device: loops run on the calling thread");
        return;
    }
    if (o->default_threshold) {
        wm_device_calibrate(o->device, WM_CALIBRATE_KEPT, o->desc.no_environment, &o->desc.log);
        o->min_work = o->device->default_min_work;
    }
    wm_device_log(&o->desc.log, WM_LOG_INFO, "WMR2004", "device %s: %s, launches from %llu operations",
                  o->device->ops->name, o->device->name, (unsigned long long)o->min_work);
}

/* Whether running the original loop after an interrupted kernel still gives the right bytes. */
static bool can_run_again(const struct wm_kernel *k, const struct wm_launch_plan *plan) {
    for (uint64_t w = 0; w < k->nstreams; w++) {
        if (!k->streams[w].write)
            continue;
        for (uint64_t r = 0; r < k->nstreams; r++)
            /* A stream over all of memory: the inspector has shown that it reads nothing that is written. */
            if (k->streams[r].read && k->streams[r].kind == OFF_STREAM_RANGE &&
                plan->streams[w].lo < plan->streams[r].hi && plan->streams[r].lo < plan->streams[w].hi)
                return false;
    }
    return true;
}

static uint64_t least_work(const struct wm_offload *o) {
    return o->min_work == UINT64_MAX ? WM_DEVICE_LEAST_MIN_WORK : o->min_work;
}

/* The guard with the limits of the device, or before it is opened with the weakest ones any device has. */
static bool decide(struct wm_offload *o, uint64_t kernel, const uint64_t *slots, struct wm_launch_plan *plan,
                   enum wm_fallback *out_why) {
    struct wm_guard_limits limits = {
        .memory_bytes = o->desc.memory->bytes, .min_work = least_work(o), .aligned = o->device && o->device->aligned};
    if (o->device) {
        limits.workers = o->device->workers;
        limits.interleaved = o->device->interleaved;
    }
    return guard_memo_decide(&o->memos[kernel], &o->desc.module->kernels[kernel], slots, &limits, plan, out_why);
}

/* Room for the partial results of a launch. */
static bool reserve_partials(struct wm_offload *o, const struct wm_kernel *k, struct wm_launch_plan *plan) {
    uint64_t words = k->nreduces * plan->extent[0];
    if (words > o->partials_words) {
        uint64_t *grown = realloc(o->partials, words * sizeof *grown);
        if (!grown)
            return false;
        o->partials = grown;
        o->partials_words = words;
    }
    plan->partials = o->partials;
    plan->partials_bytes = words * sizeof *o->partials;
    return true;
}

static uint64_t now_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t fall_back(struct wm_offload *o, uint64_t kernel, enum wm_fallback why) {
    o->fallbacks[why]++;
    o->kernels[kernel].fallbacks[why]++;
    return 0;
}

/* False when the device cannot be kept from writing to the memory any longer. */
static bool close_lost(struct wm_offload *o) {
    struct wm_device *device = o->device; /* closing ends whatever the driver may still be doing to the memory, */
    bool runs_on = device->runs_on, stay = device->software || device->pages_stay; /* if anything can */
    o->bytes_copied += device->bytes_copied;
    o->validation_messages += device->validation_messages;
    device->ops->close(device);
    o->device = NULL;
    return !runs_on || (o->abandon_pages && o->abandon_pages(o->desc.log.user, o->desc.memory, stay));
}

static bool backs_off(struct backoff *b) {
    if (!b->skip)
        return false;
    b->skip--;
    return true;
}

static void note_inspection(struct backoff *b, bool harmless) {
    if (harmless) {
        b->noes = 0;
        return;
    }
    b->noes++;
    if (b->noes >= BACKOFF_AFTER) {
        uint32_t doublings = b->noes - BACKOFF_AFTER;
        b->skip = doublings < 12 ? UINT32_C(1) << doublings : BACKOFF_MOST;
    }
}

/* Runs the inspector of a kernel; true when the kernel itself may run.  It writes no linear memory, so that whatever
 * happens the original loop can run instead. */
static bool inspect(struct wm_offload *o, uint64_t kernel, struct wm_launch_plan *plan, const uint64_t *slots,
                    enum wm_fallback *out_why) {
    uint32_t status = 0;
    plan->status = &status;
    uint64_t start = now_nanoseconds();
    enum wm_device_result result =
        o->device->ops->launch(o->device, o->desc.module->kernels[kernel].inspector - 1, plan, slots, out_why);
    o->nanoseconds += now_nanoseconds() - start;
    plan->status = NULL;
    if (result == WM_DEVICE_REFUSED)
        return false;
    if (result == WM_DEVICE_LOST) {
        close_lost(o); /* the inspector only reads: if it runs on, no harm is done */
        *out_why = WM_FALLBACK_DEVICE_ERROR;
        return false;
    }
    o->inspections++;
    o->kernels[kernel].inspections++;
    *out_why = WM_FALLBACK_INSPECTED;
    note_inspection(&o->backoffs[kernel], status == 0);
    return status == 0;
}

/* Whether the device does it sooner than the loop; told to the log when it is not as it was. */
static bool pays(struct wm_offload *o, uint64_t kernel, struct wm_launch_plan *plan) {
    enum { NEVER, YES, NO };
    const struct wm_kernel *k = &o->desc.module->kernels[kernel];
    bool yes = wm_launch_pays(o->device, k, plan, &plan->few);
    uint8_t tell = yes ? YES : NO;
    if (o->device->rates.launch > 0 && o->told[kernel] != tell && o->desc.log.fn) {
        struct wm_launch_times t = wm_launch_predict(o->device, k, plan, 1);
        wm_device_log(&o->desc.log, WM_LOG_DEBUG, "WMR2012",
                      "kernel %s, %llu operations on a grid of %u x %u x %u: %.1f us on the device, %.1f us as a loop, "
                      "so it %s",
                      k->name, (unsigned long long)plan->work, plan->extent[0], plan->extent[1], plan->extent[2],
                      t.kernel / 1e3, t.loop / 1e3, yes ? "is launched" : "stays");
        o->told[kernel] = tell;
    }
    return yes;
}

uint64_t wm_offload_launch(struct wm_offload *o, uint64_t kernel, const uint64_t *slots, uint64_t *out_trips) {
    const struct wm_kernel *k = &o->desc.module->kernels[kernel];
    struct wm_launch_plan plan;
    enum wm_fallback why;
    if (o->kind == KIND_NONE || o->invalid[kernel])
        return fall_back(o, kernel, WM_FALLBACK_NO_DEVICE);
    if (!o->opened) {
        if (!decide(o, kernel, slots, &plan, &why)) {
            out_trips[0] = wm_guard_parts_may_run(&plan, why, least_work(o));
            return fall_back(o, kernel, why);
        }
        open_device(o);
    }
    struct wm_device *device = o->device;
    if (!device || device->dead)
        return fall_back(o, kernel, WM_FALLBACK_NO_DEVICE);
    if (!decide(o, kernel, slots, &plan, &why)) {
        out_trips[0] = wm_guard_parts_may_run(&plan, why, least_work(o));
        return fall_back(o, kernel, why);
    }
    if (o->default_threshold && !pays(o, kernel, &plan)) {
        out_trips[0] = wm_guard_parts_may_run(&plan, WM_FALLBACK_SMALL, least_work(o));
        return fall_back(o, kernel, WM_FALLBACK_SMALL);
    }

    if (k->inspector && backs_off(&o->backoffs[kernel]))
        return fall_back(o, kernel, WM_FALLBACK_BACKOFF);
    if (k->nreduces && !reserve_partials(o, k, &plan))
        return fall_back(o, kernel, WM_FALLBACK_DEVICE_ERROR);

    if (k->inspector && !inspect(o, kernel, &plan, slots, &why))
        return fall_back(o, kernel, why);

    uint64_t start = now_nanoseconds();
    enum wm_device_result result =
        o->check ? wm_check_launch(device, &o->desc, kernel, &plan, slots, out_trips + k->ndims, &why)
                 : device->ops->launch(device, kernel, &plan, slots, &why);
    uint64_t spent = now_nanoseconds() - start;
    if (result == WM_DEVICE_REFUSED)
        return fall_back(o, kernel, why);
    if (result == WM_DEVICE_LOST) {
        bool memory_is_ours = close_lost(o);
        fall_back(o, kernel, WM_FALLBACK_DEVICE_ERROR);
        if (memory_is_ours && can_run_again(k, &plan))
            return 0;
        wm_device_log(&o->desc.log, WM_LOG_ERROR, "WMR2005",
                      memory_is_ours
                          ? "the device was lost while kernel %s updated memory in place: the instance cannot go on"
                          : "kernel %s cannot be stopped and may still write to memory: the instance cannot go on",
                      k->name);
        return WM_LAUNCH_LOST;
    }
    o->launches++;
    o->nanoseconds += spent;
    o->kernels[kernel].launches++;
    o->kernels[kernel].nanoseconds += spent;
    memcpy(out_trips, plan.trips, k->ndims * sizeof *out_trips);
    if (k->nreduces && !o->check)
        wm_reduce_combine(k, slots, &plan, out_trips + k->ndims);
    return 1;
}

void wm_offload_memory_changed(struct wm_offload *o) {
    if (o->device)
        o->device->ops->memory_changed(o->device);
}

void wm_offload_get_stats(const struct wm_offload *o, struct wm_offload_stats *out) {
    *out = (struct wm_offload_stats){.device = "none",
                                     .device_name = "",
                                     .binding = "none",
                                     .launches = o->launches,
                                     .inspections = o->inspections,
                                     .nanoseconds = o->nanoseconds,
                                     .bytes_copied = o->bytes_copied,
                                     .validation_messages = o->validation_messages,
                                     .kernels = o->kernels};
    memcpy(out->fallbacks, o->fallbacks, sizeof out->fallbacks);
    if (o->device) {
        out->device = o->device->ops->name;
        out->device_name = o->device->name;
        out->binding = o->device->binding;
        out->min_work = o->min_work;
        out->rates = o->device->rates;
        out->bytes_copied += o->device->bytes_copied;
        out->validation_messages += o->device->validation_messages;
    } else if (!o->opened && (o->kind == KIND_CPU || o->kind == KIND_METAL || o->kind == KIND_VULKAN)) {
        /* chosen, not needed so far */
        out->device = o->kind == KIND_CPU ? "cpu" : o->kind == KIND_METAL ? "metal" : "vulkan";
    }
}
