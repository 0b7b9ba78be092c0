/* WASMETAL_CHECK=1: every launch is run a second time, in the order of the loop, and compared. */
#ifndef WASMETAL_RUNTIME_CHECK_H
#define WASMETAL_RUNTIME_CHECK_H

#include "runtime/device.h"

/* As device->ops->launch for a kernel that is no inspector; then the same natively on this thread, one point after the
 * other, from the same memory.  Compares all of memory and the reduced values, and says in the log where they first
 * differ.  Memory and out_values (nreduces of them) are as the run in order left them.  */
enum wm_device_result wm_check_launch(struct wm_device *device, const struct wm_device_desc *desc, uint64_t kernel,
                                      struct wm_launch_plan *plan, const uint64_t *slots, uint64_t *out_values,
                                      enum wm_fallback *out_why);

#endif
