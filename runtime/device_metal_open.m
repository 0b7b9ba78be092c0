/* The system's default Metal device: opening, closing, capturing.
 *
 * Metal has one device a Mac that matters, the one MTLCreateSystemDefaultDevice gives; "metal" means that one.  On
 * machines whose GPU has memory of its own the kernels read linear memory over the bus, as with Vulkan.
 *
 * WASMETAL_CAPTURE=FILE.gputrace records everything between open and close for Xcode; the system allows that only with
 * MTL_CAPTURE_ENABLED=1 in the environment.
 */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/device_metal.h"
#include "runtime/launch_cost.h"
#include "runtime/reduce.h"

#define METAL_DISCRETE_OPS_PER_BYTE 1

NSString *metal_string(const char *text) {
    NSString *s = text ? [NSString stringWithUTF8String:text] : nil; /* nil too when it is no UTF-8 */
    return s ? s : @"?";
}

const char *metal_error_text(NSError *error) {
    const char *text = error ? [[error localizedDescription] UTF8String] : NULL;
    return text ? text : "no reason given";
}

static void start_capture(struct metal_device *d) {
    const char *path = d->no_environment ? NULL : getenv("WASMETAL_CAPTURE");
    if (!path || !*path)
        return;
    MTLCaptureManager *manager = [MTLCaptureManager sharedCaptureManager];
    if (![manager supportsDestination:MTLCaptureDestinationGPUTraceDocument]) {
        wm_device_log(&d->log, WM_LOG_WARNING, "WMR2313",
                      "nothing is captured: the system allows no GPU trace (MTL_CAPTURE_ENABLED=1 is needed)");
        return;
    }
    MTLCaptureDescriptor *what = [[MTLCaptureDescriptor alloc] init];
    [what setCaptureObject:d->device];
    [what setDestination:MTLCaptureDestinationGPUTraceDocument];
    [what setOutputURL:[NSURL fileURLWithPath:metal_string(path)]];
    NSError *error = nil;
    d->capturing = [manager startCaptureWithDescriptor:what error:&error];
    [what release];
    if (d->capturing)
        wm_device_log(&d->log, WM_LOG_INFO, "WMR2313", "capturing to %s", path);
    else
        wm_device_log(&d->log, WM_LOG_WARNING, "WMR2313", "nothing is captured: %s", metal_error_text(error));
}

static void metal_memory_changed(struct wm_device *base) {
    /* Nothing is in flight between launches, so the old views can go; the next launch makes new ones. */
    @autoreleasepool {
        metal_release_windows((struct metal_device *)base);
    }
}

static void metal_close(struct wm_device *base) {
    struct metal_device *d = (struct metal_device *)base;
    if (base->runs_on)
        return; /* what the launch uses is left behind */
    @autoreleasepool {
        if (d->gpu_seconds > 0)
            wm_device_log(&d->log, WM_LOG_DEBUG, "WMR2311", "%.3f ms on the GPU in all", d->gpu_seconds * 1e3);
        metal_release_windows(d);
        metal_release_pipelines(d);
        if (d->capturing)
            [[MTLCaptureManager sharedCaptureManager] stopCapture];
        [d->status release];
        [d->partials release];
        [d->queue release];
        [d->device release];
        if (d->ended)
            dispatch_release(d->ended);
    }
    free(d->pipelines);
    free(d);
}

bool wm_device_metal_built(void) {
    return true;
}

struct wm_device *wm_device_metal_open(const struct wm_device_desc *desc) {
    static const struct wm_device_ops ops = {"metal", metal_launch, metal_memory_changed, metal_close, NULL};
    struct metal_device *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->base.ops = &ops;
    d->base.binding = "imported";
    d->base.aligned = true;
    d->base.workers = WM_REDUCE_MAX_WORKERS;
    d->base.interleaved = true;
    d->base.default_min_work = METAL_MIN_WORK;
    d->base.least_points = WM_GPU_LEAST_POINTS;
    d->base.forced = desc->forced;
    d->base.pages_stay = true; /* Darwin has no way to move a mapping that is wired */
    d->launch_timeout = desc->launch_timeout;
    d->ended = dispatch_semaphore_create(0);
    d->module = desc->module;
    d->memory = desc->memory;
    d->log = desc->log;
    d->no_environment = desc->no_environment;
    d->pipelines = calloc(desc->module->nkernels + 1, sizeof *d->pipelines);
    @autoreleasepool {
        d->device = MTLCreateSystemDefaultDevice();
        if (!d->device) {
            wm_device_log(&d->log, WM_LOG_WARNING, "WMR2302", "this system has no Metal device");
        } else {
            snprintf(d->base.name, sizeof d->base.name, "%s", [[d->device name] UTF8String]);
            start_capture(d); /* before the queue, whose commands it is to see */
            d->queue = [d->device newCommandQueue];
            [d->queue setLabel:metal_string(d->module->name)];
            if (!d->queue || !d->pipelines)
                wm_device_log(&d->log, WM_LOG_ERROR, "WMR2303", "%s cannot be opened: no command queue", d->base.name);
            if (![d->device hasUnifiedMemory])
                d->base.min_ops_per_byte = METAL_DISCRETE_OPS_PER_BYTE;
        }
    }
    if (!d->queue || !d->pipelines || !d->ended) {
        metal_close(&d->base);
        return NULL;
    }
    return &d->base;
}
