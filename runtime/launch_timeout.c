/* The time a launch gets: 60 seconds and a nanosecond for each operation, of which a GPU does far more in that time.  A
 * software driver may do fewer, and cannot hang where its CPU would not: it has no limit but the user's. */
#include "runtime/launch_timeout.h"

enum { DEFAULT_MS = 60000, NS_PER_MS = 1000000 };

uint64_t wm_launch_timeout(const struct wm_device *d, uint64_t milliseconds, uint64_t work) {
    uint64_t limit;
    bool usual = milliseconds == WM_TIMEOUT_DEFAULT || work == 0;
    if (milliseconds == 0 || (usual && d->software))
        return UINT64_MAX;
    if (usual)
        return __builtin_add_overflow(work, (uint64_t)DEFAULT_MS * NS_PER_MS, &limit) ? UINT64_MAX : limit;
    return __builtin_mul_overflow(milliseconds, (uint64_t)NS_PER_MS, &limit) ? UINT64_MAX : limit;
}
