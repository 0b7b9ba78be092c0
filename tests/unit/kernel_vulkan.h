/* A small Vulkan harness for kernel tests: runs one SPIR-V variant over a copy of linear memory.  Nothing of the
 * runtime is used, so that the kernels are judged alone. */
#ifndef WASMETAL_TESTS_UNIT_KERNEL_VULKAN_H
#define WASMETAL_TESTS_UNIT_KERNEL_VULKAN_H

#include "ir/offload/kernel.h"

struct vkt;

/* NULL when there is no Vulkan driver.  The validation layer is on when it is installed. */
struct vkt *vkt_open(void);
void vkt_close(struct vkt *v);
const char *vkt_name(const struct vkt *v);
uint32_t vkt_caps(const struct vkt *v); /* OFF_CAP_* */
unsigned vkt_validation_messages(const struct vkt *v);

/* Binds each stream to memory from stream_lo[s] (rounded down as the device wants) to its end, runs the grid, and
 * copies the bytes back.  `scalars`: one 64-bit slot a scalar.  False when the driver fails. */
bool vkt_run(struct vkt *v, const struct off_kernel *k, const struct off_spirv *spirv, uint8_t *memory, uint32_t bytes,
             const uint32_t *stream_lo, const uint64_t *scalars, const uint32_t extent[3]);
/* The same with all of memory bound for each stream, and a parameter block that the caller has made. */
bool vkt_run_block(struct vkt *v, const struct off_kernel *k, const struct off_spirv *spirv, uint8_t *memory,
                   uint32_t bytes, const uint32_t *params, uint32_t nparams, const uint32_t extent[3]);

#endif
