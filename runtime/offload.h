/* Launching kernels for one instance: device, guard, counters.  The instance owns one of these and forwards to it. */
#ifndef WASMETAL_RUNTIME_OFFLOAD_H
#define WASMETAL_RUNTIME_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/abi.h"
#include "runtime/launch_rates.h"

/* `id` is a stable log ID such as "WMR2001"; level 0 error, 1 warning, 2 info, 3 debug. */
typedef void wm_log_fn(void *user, int level, const char *id, const char *message);

struct wm_offload;

#define WM_TIMEOUT_DEFAULT UINT64_MAX

struct wm_offload_desc {
    const struct wm_module *module;
    struct wm_memory *memory; /* memory 0; outlives the offload object */
    const char *device;       /* "none", "cpu", "metal", "vulkan", "vulkan:N", "auto"; NULL: "auto" */
    uint64_t min_work;        /* least estimated operations of a launch; UINT64_MAX: the device's own default */
    wm_log_fn *log;           /* may be NULL */
    void *log_user;
    bool no_environment;     /* do not look at WASMETAL_VALIDATION */
    uint64_t launch_timeout; /* how long a launch may take, in milliseconds; 0: any time; WM_TIMEOUT_DEFAULT */
    /* A device that was given up may go on writing to `memory`.  Puts other pages with the same bytes under it, so that
     * late writes do not reach it, and returns true; or false when that cannot be (`by_threads`: the device is threads
     * of this process), and sees to it that the pages are never given back.  NULL: false.  `user` is log_user. */
    bool (*abandon_pages)(void *user, struct wm_memory *memory, bool by_threads);
};

/* Never fails for want of a device: it then behaves as "none" and the log says why.  Returns NULL only out of memory.
 */
struct wm_offload *wm_offload_open(const struct wm_offload_desc *desc);
void wm_offload_close(struct wm_offload *o);
/* Whether launches can happen at all (for wm_vmctx.offload). */
bool wm_offload_active(const struct wm_offload *o);
/* As wm_rt_launch in abi.h: 1 launched, 0 the original loop has to run.  WM_LAUNCH_LOST: the device failed in the
 * middle of a kernel that updates bytes it also reads, so linear memory is in no defined state; the caller must trap
 * (HOST) and never return this value to compiled code. */
#define WM_LAUNCH_LOST 2
uint64_t wm_offload_launch(struct wm_offload *o, uint64_t kernel, const uint64_t *slots, uint64_t *out_trips);
/* After the memory's size changed, before the next launch. */
void wm_offload_memory_changed(struct wm_offload *o);

/* Why a launch did not happen; names in fallback.def. */
enum wm_fallback {
#define FALLBACK(id, name, what) WM_FALLBACK_##id,
#include "runtime/fallback.def"
    WM_FALLBACK_COUNT
};
const char *wm_fallback_name(enum wm_fallback f);

struct wm_kernel_stats {
    uint64_t launches, inspections; /* an inspector's run is no launch */
    uint64_t nanoseconds;           /* wall time of the launches */
    uint64_t fallbacks[WM_FALLBACK_COUNT];
};

struct wm_offload_stats {
    const char *device;      /* "none", "cpu", "metal", "vulkan" */
    const char *device_name; /* the driver's name for it; "" for none */
    const char *binding;     /* "imported", "mirrored", "host", "none" */
    uint64_t launches, inspections, bytes_copied, nanoseconds;
    uint64_t fallbacks[WM_FALLBACK_COUNT];
    const struct wm_kernel_stats *kernels; /* module->nkernels of them; valid until close */
    uint64_t min_work;                     /* of the device, when one is open */
    struct wm_rates rates;                 /* by which it decides; zero: by its thresholds */
    uint64_t validation_messages; /* of the Vulkan validation layers, when WASMETAL_VALIDATION asked for them */
};
void wm_offload_get_stats(const struct wm_offload *o, struct wm_offload_stats *out);

#endif
