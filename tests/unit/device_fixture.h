/* A module of hand-made kernels and a linear memory, for the device tests.
 *
 * Every kernel exists as a C function for the cpu device and as SPIR-V text, which `spirv-as` assembles when the test
 * starts; without that tool the Vulkan tests are skipped.
 */
#ifndef TESTS_UNIT_DEVICE_FIXTURE_H
#define TESTS_UNIT_DEVICE_FIXTURE_H

#include "runtime/device.h"

enum device_kernel {
    KERNEL_MAP,      /* 1-D: out[i] = in[i] * 3 + 1 */
    KERNEL_AXPY,     /* 1-D: y[i] = a * x[i] + y[i] in f32, in place */
    KERNEL_GRID,     /* 3-D: out[z][y][x] = x | y << 10 | z << 20 */
    KERNEL_UNIFORM,  /* 1-D: out[i] = i + sum of 40 scalars, too many for push constants */
    KERNEL_DOUBLE,   /* like MAP, but says that it needs 64-bit floats */
    KERNEL_VARIANTS, /* like MAP; its first variant writes in[i] * 3 + 1, one that needs 64-bit floats in[i] * 3 + 2 */
    KERNEL_COUNT,
};

/* Slots of every kernel: trip counts of x, y, z; addresses of in and out; byte strides of out along x, y, z; scalars.
 */
enum {
    SLOT_NX,
    SLOT_NY,
    SLOT_NZ,
    SLOT_IN,
    SLOT_OUT,
    SLOT_SX,
    SLOT_SY,
    SLOT_SZ,
    SLOT_ZERO,
    SLOT_ONE,
    SLOT_SCALARS,
    FIXTURE_SLOTS = SLOT_SCALARS + 40,
};

extern const char *const device_fixture_msl[KERNEL_COUNT]; /* KERNEL_DOUBLE has none */

struct device_fixture {
    struct wm_module module;
    struct wm_memory memory;
    struct wm_kernel kernels[KERNEL_COUNT];
    struct wm_spirv spirv[KERNEL_COUNT][2];
    uint64_t slots[FIXTURE_SLOTS];
    struct wm_log log;
    char last_id[16]; /* of the last logged message at level error or warning */
    char last_message[512];
    unsigned errors; /* messages at level error */
    uint64_t errors_expected;
};

/* `with_spirv`: assemble the kernels; false when that cannot be done. */
bool device_fixture_open(struct device_fixture *f, uint64_t memory_bytes, bool with_spirv);
void device_fixture_close(struct device_fixture *f);
void device_fixture_grow(struct device_fixture *f, uint64_t memory_bytes);
/* Slots for a 1-D kernel of n 4-byte elements. */
void device_fixture_line(struct device_fixture *f, uint32_t in, uint32_t out, uint32_t n);
struct wm_offload *device_fixture_offload(struct device_fixture *f, const char *device);

static inline uint32_t *device_words(struct device_fixture *f, uint32_t address) {
    return (uint32_t *)(f->memory.base + address);
}

#endif
