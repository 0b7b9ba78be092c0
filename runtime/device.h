/* Devices: what runs a kernel once the guard has said yes.
 *
 * A device is opened for one instance's memory and used by one thread at a time (the one inside the instance).  It
 * never decides about safety: the plan it gets is already proven.  It may still refuse a launch (REFUSED, with linear
 * memory untouched), for instance because a range is larger than it can bind.
 */
#ifndef WASMETAL_RUNTIME_DEVICE_H
#define WASMETAL_RUNTIME_DEVICE_H

#include "runtime/guard.h"
#include "runtime/launch_rates.h"

struct wm_log {
    wm_log_fn *fn; /* may be NULL */
    void *user;
};

enum { WM_LOG_ERROR, WM_LOG_WARNING, WM_LOG_INFO, WM_LOG_DEBUG };

void wm_device_log(const struct wm_log *log, int level, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

enum wm_device_result {
    WM_DEVICE_DONE,    /* the kernel ran, its writes are visible to this thread */
    WM_DEVICE_REFUSED, /* nothing ran; the reason is in *out_why */
    WM_DEVICE_LOST,    /* it may have run in part; the device is dead */
};

struct wm_device;

struct wm_device_ops {
    const char *name; /* "cpu", "metal", "vulkan" */
    enum wm_device_result (*launch)(struct wm_device *d, uint64_t kernel, const struct wm_launch_plan *plan,
                                    const uint64_t *slots, enum wm_fallback *out_why);
    void (*memory_changed)(struct wm_device *d); /* the memory has grown */
    void (*close)(struct wm_device *d);
    /* Fills the device's own rates, between launches.  NULL: it cannot be measured.  False: that failed. */
    bool (*measure)(struct wm_device *d, struct wm_rates *out);
};

struct wm_device { /* first member of every device's own struct */
    const struct wm_device_ops *ops;
    char name[256];            /* the driver's name for it */
    const char *binding;       /* "imported", "host" */
    bool aligned;              /* accesses must be multiples of their width */
    bool dead;                 /* an earlier launch failed: launch no more */
    bool runs_on;              /* dead, and a kernel that did not end in time may still be at work; closing leaves what
                                  it uses behind */
    bool software;             /* the "GPU" is this machine's CPU */
    bool pages_stay;           /* no other pages can take the place of those it works on */
    bool helped;               /* the calling thread takes part in its launches */
    bool forced;               /* the user has set the threshold */
    uint64_t default_min_work; /* see docs/devices.md */
    struct wm_rates rates;     /* all zero: not known, and these two decide */
    uint64_t min_ops_per_byte; /* with the default threshold: least operations for each byte bound; 0: any */
    uint64_t least_points;     /* with the default threshold: least grid points of a launch */
    uint64_t identity;         /* of the hardware and its driver, as far as it matters for their speed */
    uint32_t workers;          /* wm_guard_limits */
    bool interleaved;
    uint64_t bytes_copied; /* of linear memory */
    uint64_t validation_messages;
};

/* The smallest default_min_work of any device, the cpu's: a launch costs about 12 microseconds on two cores, and a loop
 * of this many operations, at 0.4 ns each, breaks even there. */
#define WM_DEVICE_LEAST_MIN_WORK 60000

struct wm_device_desc {
    const struct wm_module *module;
    struct wm_memory *memory;
    struct wm_log log;
    bool no_environment;     /* do not look at WASMETAL_VALIDATION or WASMETAL_CPU_ORDER */
    bool forced;             /* the user has set the threshold */
    uint64_t launch_timeout; /* milliseconds, 0: none; WM_TIMEOUT_DEFAULT: the device's own */
};

enum wm_vulkan_choice { WM_VULKAN_BEST = -1, WM_VULKAN_HARDWARE = -2 }; /* or an index >= 0 */

/* NULL when there is no such device; the log says why. */
struct wm_device *wm_device_cpu_open(const struct wm_device_desc *desc);
struct wm_device *wm_device_vulkan_open(const struct wm_device_desc *desc, int choice);
struct wm_device *wm_device_metal_open(const struct wm_device_desc *desc);
/* Whether this build of the runtime has the Metal device at all. */
bool wm_device_metal_built(void);

/* Whether a launch pays although `emulated` (OFF_USE_*) is computed on integers there; see device_emulate.c. */
bool wm_device_emulation_pays(const struct wm_device *d, uint64_t emulated, const struct wm_launch_plan *plan);

enum wm_calibrate { WM_CALIBRATE_KEPT, WM_CALIBRATE_AGAIN }; /* whether what is on disk will do */

/* Fills d->rates, and default_min_work from them, from what was measured on this machine before, or by measuring now;
 * or leaves both as they are, when the device cannot be measured or WASMETAL_CALIBRATION says so (device_calibrate.c).
 */
void wm_device_calibrate(struct wm_device *d, enum wm_calibrate how, bool no_environment, const struct wm_log *log);

/* Threads the cpu device uses, the calling one included. */
unsigned wm_device_cpu_threads(void);

struct wasmetal_device_info;
struct wasmetal_device_class;
/* What wasmetal_probe_device says of Vulkan device `index`; 0 when it cannot be opened. */
size_t wm_device_vulkan_probe(int index, struct wasmetal_device_class *out, size_t capacity);
/* The same of the Metal device. */
size_t wm_device_metal_probe(struct wasmetal_device_class *out, size_t capacity);
/* Append one entry for each such device to those already in `out` (`count` of `capacity`); return the new count. */
size_t wm_device_vulkan_list(struct wasmetal_device_info *out, size_t count, size_t capacity);
size_t wm_device_metal_list(struct wasmetal_device_info *out, size_t count, size_t capacity);

#endif
