/* Linear memory as MTLBuffers, without a copy.
 *
 *     linear memory   |<------------------------- bytes ------------------------->|
 *     windows         |<--- window 0 --->|        |<--- window 2 --->|
 *                              |<--- window 1 --->|         |<--- window 3 --->|
 *
 * newBufferWithBytesNoCopy wants whole pages of one mapping; linear memory is that by construction: 64 KiB pages from
 * the start of one reservation.  One buffer covers all of it where it fits under maxBufferLength; otherwise windows
 * overlap by half, so that every range of up to half a window lies inside one of them.  They are made when first used,
 * and dropped when the memory grows, which happens only between launches.
 *
 * Metal knows nothing of two buffers over the same bytes, so hazard tracking is off and each launch is waited for.
 */
#include <stdlib.h>
#include <unistd.h>

#include "runtime/device_metal.h"

enum {
    MAX_WINDOWS = 1024,
    OFFSET_ALIGNMENT = 16, /* setBuffer:offset: wants that of the type in the kernel, at most 16 for `device` buffers */
};

void metal_release_windows(struct metal_device *d) {
    for (uint32_t i = 0; i < d->nwindows; i++)
        [d->windows[i].buffer release];
    free(d->windows);
    d->windows = NULL;
    d->nwindows = 0;
    d->bound_bytes = 0;
}

/* Lays the windows out for the memory's present size. */
static bool plan_windows(struct metal_device *d) {
    uint64_t bytes = d->memory->bytes, most = [d->device maxBufferLength] & ~(uint64_t)(2 * METAL_WASM_PAGE - 1);
    uint64_t page = (uint64_t)getpagesize(), count = 1;
    if (bytes == 0 || most == 0 || METAL_WASM_PAGE % page || (uintptr_t)d->memory->base % page)
        return false;
    d->window_bytes = d->window_stride = bytes;
    if (bytes > most) {
        d->window_bytes = most;
        d->window_stride = most / 2;
        count = (bytes - most + d->window_stride - 1) / d->window_stride + 1;
    }
    if (count > MAX_WINDOWS)
        return false;
    d->windows = calloc(count, sizeof *d->windows);
    if (!d->windows)
        return false;
    d->nwindows = (uint32_t)count;
    for (uint32_t i = 0; i < d->nwindows; i++) {
        uint64_t start = i * d->window_stride, left = bytes - start;
        d->windows[i].start = start;
        d->windows[i].bytes = left < d->window_bytes ? left : d->window_bytes;
    }
    d->bound_bytes = bytes;
    return true;
}

static bool make_window(struct metal_device *d, struct metal_window *w) {
    w->buffer =
        [d->device newBufferWithBytesNoCopy:d->memory->base + w->start
                                     length:w->bytes
                                    options:MTLResourceStorageModeShared | MTLResourceHazardTrackingModeUntracked
                                deallocator:nil];
    [w->buffer setLabel:@"linear memory"];
    return w->buffer != nil;
}

bool metal_bind_range(struct metal_device *d, struct wm_range range, struct metal_binding *out,
                      enum wm_fallback *out_why) {
    if (d->bound_bytes != d->memory->bytes) {
        metal_release_windows(d);
        if (!plan_windows(d)) {
            *out_why = WM_FALLBACK_BINDING;
            return false;
        }
    }
    uint64_t lo = range.lo & ~(uint64_t)(OFFSET_ALIGNMENT - 1), hi = (range.hi + 3) & ~(uint64_t)3;
    if (lo == hi)
        hi += 4; /* nothing in it happens this time, but something must be bound */
    uint64_t index = lo / d->window_stride;
    struct metal_window *w = &d->windows[index < d->nwindows ? index : d->nwindows - 1];
    if (hi > w->start + w->bytes) {
        *out_why = WM_FALLBACK_BINDING;
        return false;
    }
    if (!w->buffer && !make_window(d, w)) {
        wm_device_log(&d->log, WM_LOG_ERROR, "WMR2304", "linear memory (%llu bytes) cannot be wrapped in a buffer",
                      (unsigned long long)w->bytes);
        d->base.dead = true;
        *out_why = WM_FALLBACK_DEVICE_ERROR;
        return false;
    }
    *out = (struct metal_binding){.buffer = w->buffer, .offset = lo - w->start, .address = lo};
    return true;
}
