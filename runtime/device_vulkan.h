/* The Vulkan device's parts, private to runtime/device_vulkan_*.c and their tests.
 *
 *   device_vulkan_api.c       libvulkan and its functions, instance, validation messages
 *   device_vulkan_open.c      physical devices, what they can do, logical device, close, list
 *   device_vulkan_memory.c    linear memory as VkBuffers, without a copy
 *   device_vulkan_pipeline.c  layouts, choice of SPIR-V variant, pipelines
 *   device_vulkan_cache.c     compiled pipelines, kept on disk
 *   device_vulkan_modes.c     float-controls modes, written into the SPIR-V
 *   device_vulkan_launch.c    parameters, bindings, one submission
 *   device_vulkan_probe.c     which floating-point operations are exact
 *   device_vulkan_measure.c   how fast it is
 *
 * libvulkan is loaded at run time and never linked, so the same program runs where there is no driver.
 */
#ifndef WASMETAL_RUNTIME_DEVICE_VULKAN_H
#define WASMETAL_RUNTIME_DEVICE_VULKAN_H

#include <stdatomic.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include "runtime/device_params.h"

#define VK_GLOBAL_FUNCTIONS(X) X(CreateInstance) X(EnumerateInstanceVersion) X(EnumerateInstanceLayerProperties)

#define VK_INSTANCE_FUNCTIONS(X)                 \
    X(DestroyInstance)                           \
    X(EnumeratePhysicalDevices)                  \
    X(GetPhysicalDeviceProperties2)              \
    X(GetPhysicalDeviceFeatures2)                \
    X(GetPhysicalDeviceMemoryProperties)         \
    X(GetPhysicalDeviceQueueFamilyProperties)    \
    X(GetPhysicalDeviceExternalBufferProperties) \
    X(EnumerateDeviceExtensionProperties)        \
    X(CreateDevice)                              \
    X(GetDeviceProcAddr)

/* Present only with the extension that has them. */
#define VK_OPTIONAL_INSTANCE_FUNCTIONS(X) X(CreateDebugUtilsMessengerEXT) X(DestroyDebugUtilsMessengerEXT)

#define VK_DEVICE_FUNCTIONS(X)           \
    X(DestroyDevice)                     \
    X(GetDeviceQueue)                    \
    X(GetMemoryHostPointerPropertiesEXT) \
    X(AllocateMemory)                    \
    X(FreeMemory)                        \
    X(MapMemory)                         \
    X(CreateBuffer)                      \
    X(DestroyBuffer)                     \
    X(GetBufferMemoryRequirements)       \
    X(BindBufferMemory)                  \
    X(CreateShaderModule)                \
    X(DestroyShaderModule)               \
    X(CreatePipelineCache)               \
    X(DestroyPipelineCache)              \
    X(GetPipelineCacheData)              \
    X(CreateComputePipelines)            \
    X(DestroyPipeline)                   \
    X(CreatePipelineLayout)              \
    X(DestroyPipelineLayout)             \
    X(CreateDescriptorSetLayout)         \
    X(DestroyDescriptorSetLayout)        \
    X(CreateDescriptorPool)              \
    X(DestroyDescriptorPool)             \
    X(AllocateDescriptorSets)            \
    X(ResetDescriptorPool)               \
    X(UpdateDescriptorSets)              \
    X(CreateCommandPool)                 \
    X(DestroyCommandPool)                \
    X(ResetCommandPool)                  \
    X(AllocateCommandBuffers)            \
    X(BeginCommandBuffer)                \
    X(EndCommandBuffer)                  \
    X(CmdBindPipeline)                   \
    X(CmdBindDescriptorSets)             \
    X(CmdPushConstants)                  \
    X(CmdDispatch)                       \
    X(CmdPipelineBarrier)                \
    X(CreateFence)                       \
    X(DestroyFence)                      \
    X(ResetFences)                       \
    X(WaitForFences)                     \
    X(QueueSubmit)                       \
    X(DeviceWaitIdle)

#define VK_OPTIONAL_DEVICE_FUNCTIONS(X) X(CmdPushDescriptorSetKHR)

struct vk_api {
    void *library;
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
#define VK_MEMBER(name) PFN_vk##name name;
    VK_GLOBAL_FUNCTIONS(VK_MEMBER)
    VK_INSTANCE_FUNCTIONS(VK_MEMBER)
    VK_OPTIONAL_INSTANCE_FUNCTIONS(VK_MEMBER)
    VK_DEVICE_FUNCTIONS(VK_MEMBER)
    VK_OPTIONAL_DEVICE_FUNCTIONS(VK_MEMBER)
#undef VK_MEMBER
};

/* What the validation layers' callback needs; outlives the VkInstance. */
struct vk_messages {
    struct wm_log log;
    atomic_uint count;
};

struct vk_instance {
    struct vk_api api;
    VkInstance handle;
    VkDebugUtilsMessengerEXT messenger;
    struct vk_messages messages;
};

/* On failure everything is released, and the log has been told. */
bool vk_instance_open(struct vk_instance *in, const struct wm_log *log, bool no_environment);
void vk_instance_close(struct vk_instance *in);
bool vk_load_device_functions(struct vk_api *api, VkDevice device);
const char *vk_result_name(VkResult r);

enum { VK_MAX_BINDINGS = OFF_MAX_STREAMS + 1 };

/* What a physical device offers, as far as we care. */
struct vk_traits {
    VkPhysicalDeviceProperties properties;
    char driver[256];
    uint32_t driver_id; /* VkDriverId, 0 unknown */
    bool software;
    bool push_descriptors;
    bool robust;
    bool khr_8bit_storage, khr_float16_int8, khr_driver_properties; /* extensions to enable or query by name */
    bool khr_float_controls;
    uint32_t float_modes; /* see device_vulkan_modes.c */
    uint32_t caps;        /* OFF_CAP_* */
    uint32_t queue_family;
    uint64_t import_alignment;
    uint64_t max_window;   /* largest buffer and allocation */
    bool dedicated_import; /* imported memory needs a dedicated allocation */
    bool cuts_long_loops;
    char why_not[200]; /* "" when usable */
};

/* A VkBuffer over [start, start + bytes) of linear memory. */
struct vk_window {
    uint64_t start, bytes;
    VkBuffer buffer;
    VkDeviceMemory memory;
};

struct vk_pipeline {
    struct wm_compiled is;
    VkPipeline handle;
};

struct vk_layout { /* by number of streams, and whether parameters are a uniform buffer */
    VkDescriptorSetLayout set;
    VkPipelineLayout pipeline;
};

struct vk_buffer { /* small, ours, mapped for good */
    VkBuffer buffer;
    VkDeviceMemory memory;
    void *mapped;
    uint64_t bytes;
};

struct vulkan_device {
    struct wm_device base;
    const struct wm_module *module;
    struct wm_memory *memory;
    struct wm_log log;
    bool no_environment;
    uint64_t launch_timeout; /* milliseconds; 0: none; WM_TIMEOUT_DEFAULT */
    struct vk_instance instance;
    struct vk_api *vk; /* &instance.api */
    struct vk_traits traits;
    VkPhysicalDevice physical;
    VkPhysicalDeviceMemoryProperties memory_types;
    VkDevice device;
    VkQueue queue;
    VkCommandPool command_pool;
    VkCommandBuffer commands;
    VkFence fence;
    VkDescriptorPool descriptor_pool; /* without push descriptors */
    VkPipelineCache pipeline_cache;
    uint64_t cache_sum; /* of what was read from disk; 0: nothing */
    bool compiled;      /* a pipeline was asked for */
    struct vk_layout layouts[OFF_MAX_STREAMS + 1][2];
    struct vk_pipeline *pipelines; /* one a kernel */
    struct vk_buffer uniforms;
    struct vk_buffer status;   /* of inspectors: one word */
    struct vk_buffer partials; /* of reductions */

    uint64_t bound_bytes; /* size of memory the windows were made for; 0: none */
    uint64_t window_bytes, window_stride;
    uint32_t nwindows;
    struct vk_window *windows; /* made when first used */

    uint32_t probed, inexact;           /* OFF_USE_* */
    unsigned wrong[2], wrong_normal[2]; /* VK_PROBE_* of f32 and f64 that were wrong, and that with ordinary numbers */
};

/* Results of the probe by what they tell. */
enum {
    VK_PROBE_MUL = 1 << 0,
    VK_PROBE_ADD = 1 << 1 | 1 << 2,
    VK_PROBE_MUL_ADD = 1 << 3,
    VK_PROBE_DIV = 1 << 4,
    VK_PROBE_ROOT = 1 << 5,
    VK_PROBE_COMPARE = 1 << 6,
    VK_PROBE_CONVERT = 1 << 7 | 1 << 10,
    VK_PROBE_MINMAX = 1 << 8 | 1 << 9,
};

struct vk_binding {
    VkBuffer buffer;
    uint64_t offset, bytes;
    uint64_t address; /* of its first byte in linear memory */
};

/* Enumerates into a malloc'd array (NULL and 0 when there are none). */
VkPhysicalDevice *vk_enumerate(const struct vk_instance *in, uint32_t *out_count);
void vk_describe(const struct vk_instance *in, VkPhysicalDevice physical, struct vk_traits *out);
/* Fills t->float_modes; only where VK_KHR_shader_float_controls or Vulkan 1.2 is. */
void vk_describe_float_modes(const struct vk_instance *in, VkPhysicalDevice physical, struct vk_traits *t);
/* A copy of the SPIR-V (malloc'd, the caller's) that asks for all float modes the device has.  NULL: out of memory. */
uint32_t *vk_add_float_modes(const struct vk_traits *t, const uint32_t *words, size_t n, size_t *out_n);

/* Finds the binding for a range of linear memory.  False with a reason. */
bool vk_bind_range(struct vulkan_device *d, struct wm_range range, struct vk_binding *out, enum wm_fallback *out_why);
void vk_release_windows(struct vulkan_device *d);
/* Makes w->buffer over the w->bytes bytes at `pointer`, both multiples of the import alignment.  When it fails, the
 * window may hold parts, which vk_release_window takes back. */
VkResult vk_import_window(struct vulkan_device *d, void *pointer, struct vk_window *w);
void vk_release_window(struct vulkan_device *d, struct vk_window *w);
/* A host-visible, coherent, mapped buffer. */
bool vk_buffer_create(struct vulkan_device *d, uint64_t bytes, VkBufferUsageFlags usage, struct vk_buffer *out);
void vk_buffer_destroy(struct vulkan_device *d, struct vk_buffer *b);
/* Lowest-numbered type among `bits` that is host-visible and coherent, cached ones first; UINT32_MAX: none. */
uint32_t vk_coherent_type(const struct vulkan_device *d, uint32_t bits);

/* Makes d->pipeline_cache, with what an earlier process has left on disk. */
VkResult vk_cache_open(struct vulkan_device *d);
/* Writes it to disk when it has changed, and destroys it. */
void vk_cache_close(struct vulkan_device *d);

struct vk_layout *vk_layout_get(struct vulkan_device *d, uint32_t streams, bool uniform);
VkResult vk_pipeline_compile(struct vulkan_device *d, const uint32_t *words, size_t nwords, VkPipelineLayout layout,
                             VkPipeline *out);
/* The kernel's pipeline, or NULL with a reason. */
struct vk_pipeline *vk_pipeline_get(struct vulkan_device *d, uint64_t kernel, enum wm_fallback *out_why);

/* Starts recording; after it, vk_bind_buffers and dispatches; then vk_submit_and_wait. */
VkResult vk_begin(struct vulkan_device *d);
VkResult vk_bind_buffers(struct vulkan_device *d, const struct vk_layout *layout,
                         const struct VkDescriptorBufferInfo *buffers, uint32_t streams, bool uniform);
/* *out_submitted tells whether the device may have begun.  `work` is the estimated number of operations: VK_TIMEOUT when
 * it takes longer than that may take, and then base.runs_on. */
VkResult vk_submit_and_wait(struct vulkan_device *d, uint64_t work, bool *out_submitted);
enum wm_device_result vk_launch(struct wm_device *base, uint64_t kernel, const struct wm_launch_plan *plan,
                                const uint64_t *slots, enum wm_fallback *out_why);

/* struct wm_device_ops */
bool vk_measure(struct wm_device *base, struct wm_rates *out);

/* Which of `uses` this device does not compute exactly (probing what has not been probed yet). */
uint32_t vk_inexact_uses(struct vulkan_device *d, uint32_t uses);

#endif
