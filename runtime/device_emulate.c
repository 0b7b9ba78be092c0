/* Whether a kernel that computes floating-point operations on integers is worth launching.
 *
 * Without a WASMETAL_MIN_WORK the threshold of the device is multiplied by what emulation costs on it (docs/devices.md
 * has the measurements).  A software device is the CPU itself, where the original loop uses the CPU's own arithmetic,
 * so emulation never pays there.
 */
#include "runtime/launch_cost.h"

#include "ir/offload/kernel.h"

enum { F64_FACTOR = 32, SUBNORMAL_FACTOR = 4 };

bool wm_device_emulation_pays(const struct wm_device *d, uint64_t emulated, const struct wm_launch_plan *plan) {
    uint64_t factor = emulated & OFF_USE_F64 ? F64_FACTOR : emulated & OFF_USE_F32_SUBNORMAL ? SUBNORMAL_FACTOR : 1;
    if (d->forced || factor == 1)
        return true;
    if (d->software)
        return false;
    if (d->rates.launch > 0) { /* what is bound was looked at before */
        const struct wm_kernel arithmetic = {0};
        struct wm_launch_times t = wm_launch_predict(d, &arithmetic, plan, (double)factor);
        return t.kernel < t.loop;
    }
    return plan->work / factor >= d->default_min_work;
}
