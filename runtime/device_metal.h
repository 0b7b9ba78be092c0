/* The Metal device's parts, private to runtime/device_metal_*.m.
 *
 *   device_metal_open.m      the MTLDevice, queue, capture, close
 *   device_metal_memory.m    linear memory as MTLBuffers, without a copy
 *   device_metal_pipeline.m  libraries from the metallib or from source, pipelines, the archive of compiled ones
 *   device_metal_launch.m    parameters, bindings, one command buffer
 *   device_metal_probe.m     which floating-point operations are exact
 *   device_metal_report.m    what `wasmetal devices` says
 *
 * Objects are retained and released by hand, so that the same files compile with Apple's Objective-C runtime and with
 * the one that the tests use on Linux; every entry point has its own autorelease pool.  What a newer macOS offers is
 * asked of the object (respondsToSelector:), not of the SDK.
 */
#ifndef WASMETAL_RUNTIME_DEVICE_METAL_H
#define WASMETAL_RUNTIME_DEVICE_METAL_H

#import <Foundation/Foundation.h>
#import <Metal/Metal.h>

#include "runtime/device_params.h"

/* Estimated operations from which a launch can win; an assumption, as for Vulkan (docs/devices.md). */
#define METAL_MIN_WORK 200000

enum { METAL_WASM_PAGE = 65536 }; /* linear memory begins at a multiple, and has a multiple of it */

/* Bits of what the probe computes, in the order of runtime/device_vulkan_probe_cases.inc. */
enum {
    METAL_PROBE_MUL = 1 << 0,
    METAL_PROBE_ADD = 1 << 1 | 1 << 2,
    METAL_PROBE_MUL_ADD = 1 << 3,
    METAL_PROBE_DIV = 1 << 4,
    METAL_PROBE_ROOT = 1 << 5,
    METAL_PROBE_COMPARE = 1 << 6,
    METAL_PROBE_CONVERT = 1 << 7,
};

/* MTLBuffer over [start, start + bytes) of linear memory. */
struct metal_window {
    uint64_t start, bytes;
    id<MTLBuffer> buffer; /* nil before it is first used */
};

struct metal_pipeline {
    struct wm_compiled is;
    id<MTLComputePipelineState> state;
};

struct metal_device {
    struct wm_device base;
    const struct wm_module *module;
    struct wm_memory *memory;
    struct wm_log log;
    bool no_environment;

    id<MTLDevice> device;
    id<MTLCommandQueue> queue;
    bool capturing;

    bool library_tried;
    id<MTLLibrary> library; /* of the module's metallib; nil: kernels are compiled from source */
    bool archive_tried, archive_grew;
    id<MTLBinaryArchive> archive;
    char *archive_path;
    struct metal_pipeline *pipelines; /* one a kernel */

    uint64_t bound_bytes; /* size of memory the windows were made for; 0: none */
    uint64_t window_bytes, window_stride;
    uint32_t nwindows;
    struct metal_window *windows;

    id<MTLBuffer> status;       /* of inspectors: one word */
    id<MTLBuffer> partials;     /* of reductions */
    uint64_t launch_timeout;    /* milliseconds; 0: none; WM_TIMEOUT_DEFAULT */
    dispatch_semaphore_t ended; /* signalled by each command buffer that is waited for with a limit */
    bool probed;
    uint32_t inexact;             /* OFF_USE_* */
    unsigned wrong, wrong_normal; /* METAL_PROBE_*: in any case, in cases without subnormal numbers */
    double gpu_seconds;
};

struct metal_binding {
    id<MTLBuffer> buffer; /* not retained */
    uint64_t offset;
    uint64_t address; /* of its first byte in linear memory */
};

/* What the error says, or "no reason given". */
const char *metal_error_text(NSError *error);
NSString *metal_string(const char *text);

/* Finds the binding for a range of linear memory.  False with a reason. */
bool metal_bind_range(struct metal_device *d, struct wm_range range, struct metal_binding *out,
                      enum wm_fallback *out_why);
void metal_release_windows(struct metal_device *d);

/* A library compiled from source under the strict options; owned by the caller.  nil with *out_error. */
id<MTLLibrary> metal_compile(struct metal_device *d, const char *source, NSError **out_error);
/* The kernel's pipeline, or NULL with a reason. */
struct metal_pipeline *metal_pipeline_get(struct metal_device *d, uint64_t kernel, enum wm_fallback *out_why);
void metal_release_pipelines(struct metal_device *d);

/* Commits a launch of `work` operations (0: the probe) and waits.  nil when everything ran, else the error: the device
 * may have begun, and where it takes longer than that may take, it may go on (base.runs_on). */
NSError *metal_commit_and_wait(struct metal_device *d, id<MTLCommandBuffer> commands, const char *what, uint64_t work);
enum wm_device_result metal_launch(struct wm_device *base, uint64_t kernel, const struct wm_launch_plan *plan,
                                   const uint64_t *slots, enum wm_fallback *out_why);

/* Which of `uses` this device does not compute exactly (probing what has not been probed yet). */
uint32_t metal_inexact_uses(struct metal_device *d, uint32_t uses);

#endif
