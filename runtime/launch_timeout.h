/* How long a launch may take before its device is given up. */
#ifndef WASMETAL_RUNTIME_LAUNCH_TIMEOUT_H
#define WASMETAL_RUNTIME_LAUNCH_TIMEOUT_H

#include "runtime/device.h"

/* Nanoseconds for a launch of `work` operations (0: not a kernel's, as the probe), UINT64_MAX: any time. `milliseconds`
 * is wm_device_desc.launch_timeout. */
uint64_t wm_launch_timeout(const struct wm_device *d, uint64_t milliseconds, uint64_t work);

#endif
