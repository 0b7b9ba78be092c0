/* One launch: bind the streams' ranges, pass the parameters, dispatch, wait.
 *
 * Everything that can be refused is decided before the command buffer is committed, so a refusal leaves memory
 * untouched. After the commit any error counts as a lost device: Metal does not say how far the kernel got (a timeout,
 * a page fault and a removed GPU stop it anywhere).
 *
 * Parameters go in with setBytes, which takes up to 4 KiB.  The kernel's type for them may be longer than what there is
 * to say (it is an array of words or of uint4), so the block is sent padded to a multiple of 16 bytes.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/device_metal.h"
#include "runtime/launch_timeout.h"

enum { MAX_SET_BYTES = 4096 };
_Static_assert(WM_MAX_PARAM_WORDS * 4 <= MAX_SET_BYTES, "parameters fit setBytes");

/* False when the device has not done with them after `limit` nanoseconds.  The handler may then run at any later time,
 * so the semaphore is one of the things that a device which runs on leaves behind. */
static bool commit_and_wait(struct metal_device *d, id<MTLCommandBuffer> commands, uint64_t limit) {
    dispatch_semaphore_t ended = d->ended;
    if (limit != UINT64_MAX)
        [commands addCompletedHandler:^(id<MTLCommandBuffer> done) {
          (void)done;
          dispatch_semaphore_signal(ended);
        }];
    [commands commit];
    if (limit != UINT64_MAX) {
        int64_t most = limit < INT64_MAX ? (int64_t)limit : INT64_MAX;
        if (dispatch_semaphore_wait(ended, dispatch_time(DISPATCH_TIME_NOW, most)) != 0)
            return false;
    }
    [commands waitUntilCompleted];
    return true;
}

NSError *metal_commit_and_wait(struct metal_device *d, id<MTLCommandBuffer> commands, const char *what, uint64_t work) {
    uint64_t limit = wm_launch_timeout(&d->base, d->launch_timeout, work);
    if (!commit_and_wait(d, commands, limit)) {
        d->base.runs_on = true;
        wm_device_log(&d->log, WM_LOG_ERROR, "WMR2215",
                      "%s has not ended %s after %llu ms (WASMETAL_LAUNCH_TIMEOUT) and is given up", d->base.name, what,
                      (unsigned long long)(limit / 1000000));
        return [NSError errorWithDomain:@"wasmetal" code:0 userInfo:nil];
    }
    if ([commands status] == MTLCommandBufferStatusCompleted) {
        double seconds = [commands GPUEndTime] - [commands GPUStartTime];
        d->gpu_seconds += seconds > 0 ? seconds : 0;
        wm_device_log(&d->log, WM_LOG_DEBUG, "WMR2311", "%s: %.3f ms on the GPU", what, seconds * 1e3);
        return nil;
    }
    NSError *error = [commands error];
    return error ? error : [NSError errorWithDomain:@"wasmetal" code:0 userInfo:nil];
}

/* No invocation of the last, partly filled threadgroup may come round to point 0. */
static bool count_groups(const struct wm_kernel *k, const struct wm_launch_plan *plan, uint64_t groups[3]) {
    for (int a = 0; a < 3; a++) {
        groups[a] = (plan->extent[a] + k->workgroup[a] - 1) / k->workgroup[a];
        if (groups[a] == 0 || groups[a] * k->workgroup[a] > UINT32_MAX)
            return false;
    }
    return true;
}

static enum wm_device_result failed(struct metal_device *d, const struct wm_kernel *k, const char *reason,
                                    bool committed, enum wm_fallback *out_why) {
    wm_device_log(&d->log, WM_LOG_ERROR, "WMR2307", "kernel %s on %s: %s (%s)", k->name, d->base.name, reason,
                  committed ? "while it ran" : "before it ran");
    d->base.dead = true;
    *out_why = WM_FALLBACK_DEVICE_ERROR;
    return committed ? WM_DEVICE_LOST : WM_DEVICE_REFUSED;
}

/* The word in which an inspector says that its kernel must not run. */
static bool clear_status(struct metal_device *d) {
    enum { STATUS_BYTES = 16 };
    if (!d->status)
        d->status = [d->device newBufferWithLength:STATUS_BYTES options:MTLResourceStorageModeShared];
    if (d->status)
        memset([d->status contents], 0, STATUS_BYTES);
    return d->status != nil;
}

/* A buffer for the partial results of reductions. */
static bool reserve_partials(struct metal_device *d, uint64_t bytes) {
    if (d->partials && [d->partials length] >= bytes)
        return true;
    [d->partials release];
    d->partials = [d->device newBufferWithLength:bytes options:MTLResourceStorageModeShared];
    return d->partials != nil;
}

static enum wm_device_result launch(struct metal_device *d, uint64_t kernel, const struct wm_launch_plan *plan,
                                    const uint64_t *slots, enum wm_fallback *out_why) {
    const struct wm_kernel *k = &d->module->kernels[kernel];
    uint64_t groups[3];
    struct metal_binding bindings[OFF_MAX_STREAMS];
    struct metal_pipeline *pipeline = metal_pipeline_get(d, kernel, out_why);
    if (!pipeline)
        return WM_DEVICE_REFUSED;
    if (!wm_device_emulation_pays(&d->base, pipeline->is.emulated, plan)) {
        *out_why = WM_FALLBACK_EMULATED;
        return WM_DEVICE_REFUSED;
    }
    if (!count_groups(k, plan, groups)) {
        *out_why = WM_FALLBACK_BINDING;
        return WM_DEVICE_REFUSED;
    }
    struct wm_params params;
    wm_params_begin(&params, plan);
    for (uint64_t s = 0; s < k->nstreams; s++) {
        if (k->streams[s].kind == OFF_STREAM_STATUS) {
            if (!clear_status(d))
                return failed(d, k, "no buffer", false, out_why);
            bindings[s] = (struct metal_binding){.buffer = d->status};
            wm_params_add(&params, 0);
            continue;
        }
        if (k->streams[s].kind == OFF_STREAM_PARTIALS) {
            if (!reserve_partials(d, plan->partials_bytes))
                return failed(d, k, "no buffer", false, out_why);
            bindings[s] = (struct metal_binding){.buffer = d->partials};
            wm_params_add(&params, 0);
            continue;
        }
        if (!metal_bind_range(d, plan->streams[s], &bindings[s], out_why))
            return WM_DEVICE_REFUSED;
        wm_params_add(&params, (uint32_t)bindings[s].address);
    }
    wm_params_add_scalars(&params, k, plan, slots);

    NSString *label = metal_string(k->name);
    id<MTLCommandBuffer> commands = [d->queue commandBuffer];
    [commands setLabel:label];
    id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
    if (!encoder)
        return failed(d, k, "no command buffer", false, out_why);
    [encoder setLabel:label];
    [encoder setComputePipelineState:pipeline->state];
    for (uint64_t s = 0; s < k->nstreams; s++)
        [encoder setBuffer:bindings[s].buffer offset:bindings[s].offset atIndex:s];
    [encoder setBytes:params.words length:(params.count + 3) / 4 * 16 atIndex:k->nstreams];
    [encoder dispatchThreadgroups:MTLSizeMake(groups[0], groups[1], groups[2])
            threadsPerThreadgroup:MTLSizeMake(k->workgroup[0], k->workgroup[1], k->workgroup[2])];
    [encoder endEncoding];
    NSError *error = metal_commit_and_wait(d, commands, k->name, plan->work);
    if (error)
        return failed(d, k, metal_error_text(error), true, out_why);
    if (plan->status && d->status)
        memcpy(plan->status, [d->status contents], sizeof *plan->status);
    if (k->nreduces) {
        size_t bytes = plan->partials_bytes;
        memcpy(plan->partials, [d->partials contents], bytes);
    }
    return WM_DEVICE_DONE;
}

enum wm_device_result metal_launch(struct wm_device *base, uint64_t kernel, const struct wm_launch_plan *plan,
                                   const uint64_t *slots, enum wm_fallback *out_why) {
    @autoreleasepool {
        return launch((struct metal_device *)base, kernel, plan, slots, out_why);
    }
}
