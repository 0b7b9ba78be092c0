/* Physical devices: which there are, what they can do, which one is taken; and the logical device.
 *
 * A device is usable when it has Vulkan 1.1, a compute queue and VK_EXT_external_memory_host: without that extension a
 * launch would have to copy.  Among usable devices the order is discrete, integrated, virtual, software; "auto" takes
 * none of the last kind, since the cpu device does the same work without a detour.
 *
 * robustBufferAccess is switched on where there is one: the guard has proven every access, so it changes no result, but
 * a mistake of ours or of the driver's compiler then cannot leave the bound ranges either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/device_vulkan.h"
#include "runtime/launch_cost.h"
#include "runtime/reduce.h"

enum { SOFTWARE_WORKERS = 512 }; /* for reductions: a few vectors a core */
#include "runtime/include/wasmetal.h"

/* Estimated operations from which a launch can win; see docs/devices.md. */
#define VULKAN_SOFTWARE_MIN_WORK 1000000
#define VULKAN_HARDWARE_MIN_WORK 200000
#define VULKAN_DISCRETE_OPS_PER_BYTE 1

VkPhysicalDevice *vk_enumerate(const struct vk_instance *in, uint32_t *out_count) {
    uint32_t count = 0;
    *out_count = 0;
    if (in->api.EnumeratePhysicalDevices(in->handle, &count, NULL) != VK_SUCCESS || count == 0)
        return NULL;
    VkPhysicalDevice *devices = calloc(count, sizeof(VkPhysicalDevice));
    if (!devices || in->api.EnumeratePhysicalDevices(in->handle, &count, devices) < 0) {
        free(devices);
        return NULL;
    }
    *out_count = count;
    return devices;
}

struct extensions {
    uint32_t count;
    VkExtensionProperties *list; /* malloc'd */
};

static struct extensions list_extensions(const struct vk_instance *in, VkPhysicalDevice physical) {
    struct extensions e = {0};
    if (in->api.EnumerateDeviceExtensionProperties(physical, NULL, &e.count, NULL) != VK_SUCCESS)
        e.count = 0;
    e.list = calloc(e.count + 1, sizeof *e.list);
    if (!e.list || in->api.EnumerateDeviceExtensionProperties(physical, NULL, &e.count, e.list) < 0)
        e.count = 0;
    return e;
}

static bool has_extension(const struct extensions *e, const char *name) {
    for (uint32_t i = 0; i < e->count; i++)
        if (strcmp(e->list[i].extensionName, name) == 0)
            return true;
    return false;
}

static void describe_features(const struct vk_instance *in, VkPhysicalDevice physical, struct vk_traits *t) {
    VkPhysicalDevice16BitStorageFeatures storage16 = {.sType =
                                                          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
    VkPhysicalDevice8BitStorageFeatures storage8 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES};
    VkPhysicalDeviceShaderFloat16Int8Features int8 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &storage16};
    void **tail = &storage16.pNext;
    if (t->khr_8bit_storage) {
        *tail = &storage8;
        tail = &storage8.pNext;
    }
    if (t->khr_float16_int8)
        *tail = &int8;
    in->api.GetPhysicalDeviceFeatures2(physical, &features);
    t->robust = features.features.robustBufferAccess;
    t->caps |= features.features.shaderInt16 ? OFF_CAP_INT16 : 0;
    t->caps |= features.features.shaderInt64 ? OFF_CAP_INT64 : 0;
    t->caps |= features.features.shaderFloat64 ? OFF_CAP_FLOAT64 : 0;
    t->caps |= storage16.storageBuffer16BitAccess ? OFF_CAP_STORAGE16 : 0;
    t->caps |= storage8.storageBuffer8BitAccess ? OFF_CAP_STORAGE8 : 0;
    t->caps |= int8.shaderInt8 ? OFF_CAP_INT8 : 0;
}

/* The llvmpipe of Mesa 22.3 ends a shader invocation's loops after about 65,535 iterations without an error; version 25
 * does not.  Versions between are untested and not trusted; an unreadable version neither. */
static bool llvmpipe_cuts_long_loops(const struct vk_traits *t, const char *info) {
    unsigned major = 0;
    return t->driver_id == VK_DRIVER_ID_MESA_LLVMPIPE && (sscanf(info, "Mesa %u", &major) != 1 || major < 25);
}

static void describe_limits(const struct vk_instance *in, VkPhysicalDevice physical, const struct extensions *e,
                            struct vk_traits *t) {
    VkPhysicalDeviceMaintenance3Properties maintenance3 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT, .pNext = &maintenance3};
    VkPhysicalDeviceDriverProperties driver = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceMaintenance4Properties maintenance4 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES, .maxBufferSize = UINT64_MAX};
    VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &host};
    void **tail = &maintenance3.pNext;
    if (t->khr_driver_properties || t->properties.apiVersion >= VK_API_VERSION_1_2) {
        *tail = &driver;
        tail = &driver.pNext;
    }
    if (has_extension(e, VK_KHR_MAINTENANCE_4_EXTENSION_NAME) || t->properties.apiVersion >= VK_API_VERSION_1_3)
        *tail = &maintenance4;
    in->api.GetPhysicalDeviceProperties2(physical, &properties);
    t->import_alignment = host.minImportedHostPointerAlignment;
    t->max_window = maintenance3.maxMemoryAllocationSize < maintenance4.maxBufferSize
                        ? maintenance3.maxMemoryAllocationSize
                        : maintenance4.maxBufferSize;
    t->driver_id = driver.driverID;
    snprintf(t->driver, sizeof t->driver, "%.100s%s%.100s", driver.driverName, driver.driverInfo[0] ? ", " : "",
             driver.driverInfo);
    t->cuts_long_loops = llvmpipe_cuts_long_loops(t, driver.driverInfo);
}

static bool find_compute_queue(const struct vk_instance *in, VkPhysicalDevice physical, uint32_t *out_family) {
    VkQueueFamilyProperties families[32];
    uint32_t count = 32;
    in->api.GetPhysicalDeviceQueueFamilyProperties(physical, &count, families);
    for (uint32_t i = 0; i < count; i++) {
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) {
            *out_family = i;
            return true;
        }
    }
    return false;
}

void vk_describe(const struct vk_instance *in, VkPhysicalDevice physical, struct vk_traits *t) {
    memset(t, 0, sizeof *t);
    VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    in->api.GetPhysicalDeviceProperties2(physical, &properties);
    t->properties = properties.properties;
    VkPhysicalDeviceType type = t->properties.deviceType;
    t->software = type == VK_PHYSICAL_DEVICE_TYPE_CPU || type == VK_PHYSICAL_DEVICE_TYPE_OTHER;
    if (t->properties.apiVersion < VK_API_VERSION_1_1) {
        snprintf(t->why_not, sizeof t->why_not, "its Vulkan is older than version 1.1");
        return;
    }
    struct extensions e = list_extensions(in, physical);
    t->push_descriptors = has_extension(&e, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
    t->khr_8bit_storage = has_extension(&e, VK_KHR_8BIT_STORAGE_EXTENSION_NAME);
    t->khr_float16_int8 = has_extension(&e, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
    t->khr_driver_properties = has_extension(&e, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
    t->khr_float_controls = has_extension(&e, VK_KHR_SHADER_FLOAT_CONTROLS_EXTENSION_NAME);
    describe_features(in, physical, t);
    if (t->khr_float_controls)
        vk_describe_float_modes(in, physical, t);
    VkPhysicalDeviceExternalBufferInfo external = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
                                                   .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
                                                   .handleType =
                                                       VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    VkExternalBufferProperties importable = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    if (!has_extension(&e, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)) {
        snprintf(t->why_not, sizeof t->why_not, "it lacks %s", VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    } else {
        describe_limits(in, physical, &e, t);
        in->api.GetPhysicalDeviceExternalBufferProperties(physical, &external, &importable);
        VkExternalMemoryFeatureFlags flags = importable.externalMemoryProperties.externalMemoryFeatures;
        t->dedicated_import = (flags & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0;
        /* SwiftShader does not report host allocations as importable here, yet imports them, so the answer that counts
         * is the one vkGetMemoryHostPointerPropertiesEXT gives for our own pages. */
        if (!find_compute_queue(in, physical, &t->queue_family))
            snprintf(t->why_not, sizeof t->why_not, "it has no compute queue");
    }
    free(e.list);
}

static int rank(const struct vk_traits *t) {
    switch (t->properties.deviceType) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return 4;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return 3;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return 2;
    default:
        return 1;
    }
}

static bool choose_physical(struct vulkan_device *d, int choice) {
    uint32_t count;
    VkPhysicalDevice *devices = vk_enumerate(&d->instance, &count);
    int best = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (choice >= 0 && (uint32_t)choice != i)
            continue;
        struct vk_traits t;
        vk_describe(&d->instance, devices[i], &t);
        if (t.why_not[0]) {
            wm_device_log(&d->log, choice >= 0 ? WM_LOG_WARNING : WM_LOG_INFO, "WMR2205",
                          "vulkan:%u (%s) is not usable: %s", i, t.properties.deviceName, t.why_not);
            continue;
        }
        if (choice == WM_VULKAN_HARDWARE && t.software)
            continue;
        if (rank(&t) > best) {
            best = rank(&t);
            d->physical = devices[i];
            d->traits = t;
        }
    }
    free(devices);
    if (best == 0)
        wm_device_log(&d->log, choice == WM_VULKAN_HARDWARE ? WM_LOG_INFO : WM_LOG_WARNING, "WMR2206",
                      choice >= 0 ? "vulkan:%d: no such device, or not usable" : "no usable Vulkan device", choice);
    return best != 0;
}

static VkResult create_device(struct vulkan_device *d) {
    struct vk_traits *t = &d->traits;
    const char *names[8];
    uint32_t count = 0;
    names[count++] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
    VkPhysicalDevice16BitStorageFeatures storage16 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
                                                      .storageBuffer16BitAccess = (t->caps & OFF_CAP_STORAGE16) != 0};
    VkPhysicalDevice8BitStorageFeatures storage8 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES,
                                                    .storageBuffer8BitAccess = (t->caps & OFF_CAP_STORAGE8) != 0};
    VkPhysicalDeviceShaderFloat16Int8Features int8 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
        .shaderInt8 = (t->caps & OFF_CAP_INT8) != 0};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &storage16};
    const char *robust = d->no_environment ? NULL : getenv("WASMETAL_VULKAN_ROBUST");
    features.features.robustBufferAccess = t->robust && !(robust && strcmp(robust, "0") == 0);
    features.features.shaderInt16 = (t->caps & OFF_CAP_INT16) != 0;
    features.features.shaderInt64 = (t->caps & OFF_CAP_INT64) != 0;
    features.features.shaderFloat64 = (t->caps & OFF_CAP_FLOAT64) != 0;
    void **tail = &storage16.pNext;
    if (t->khr_8bit_storage) {
        names[count++] = VK_KHR_8BIT_STORAGE_EXTENSION_NAME;
        *tail = &storage8;
        tail = &storage8.pNext;
    }
    if (t->khr_float16_int8) {
        names[count++] = VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME;
        *tail = &int8;
    }
    if (t->khr_float_controls)
        names[count++] = VK_KHR_SHADER_FLOAT_CONTROLS_EXTENSION_NAME;
    if (t->push_descriptors)
        names[count++] = VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME;
    float priority = 1;
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = t->queue_family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &features,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = count,
                               .ppEnabledExtensionNames = names};
    VkResult r = d->vk->CreateDevice(d->physical, &info, NULL, &d->device);
    if (r != VK_SUCCESS) {
        d->device = NULL;
        return r;
    }
    if (!vk_load_device_functions(d->vk, d->device))
        return VK_ERROR_INCOMPATIBLE_DRIVER;
    d->vk->GetDeviceQueue(d->device, t->queue_family, 0, &d->queue);
    t->push_descriptors &= d->vk->CmdPushDescriptorSetKHR != NULL;
    return VK_SUCCESS;
}

static VkResult create_objects(struct vulkan_device *d) {
    struct vk_api *vk = d->vk;
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
                                    .queueFamilyIndex = d->traits.queue_family};
    VkResult r = vk->CreateCommandPool(d->device, &pool, NULL, &d->command_pool);
    if (r != VK_SUCCESS)
        return r;
    VkCommandBufferAllocateInfo commands = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandPool = d->command_pool,
                                            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                            .commandBufferCount = 1};
    r = vk->AllocateCommandBuffers(d->device, &commands, &d->commands);
    if (r != VK_SUCCESS)
        return r;
    VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    r = vk->CreateFence(d->device, &fence, NULL, &d->fence);
    if (r != VK_SUCCESS)
        return r;
    r = vk_cache_open(d);
    if (r != VK_SUCCESS || d->traits.push_descriptors)
        return r;
    VkDescriptorPoolSize sizes[2] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, OFF_MAX_STREAMS},
                                     {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1}};
    VkDescriptorPoolCreateInfo descriptors = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = 1, .poolSizeCount = 2, .pPoolSizes = sizes};
    return vk->CreateDescriptorPool(d->device, &descriptors, NULL, &d->descriptor_pool);
}

static void vulkan_memory_changed(struct wm_device *base) {
    /* Nothing is in flight between launches, so the old windows can go; the next launch makes new ones. */
    vk_release_windows((struct vulkan_device *)base);
}

static void vulkan_close(struct wm_device *base) {
    struct vulkan_device *d = (struct vulkan_device *)base;
    struct vk_api *vk = d->vk;
    if (d->base.runs_on && vk->WaitForFences(d->device, 1, &d->fence, VK_TRUE, 0) == VK_TIMEOUT)
        return; /* nothing that a running kernel uses may be destroyed, and waiting for it could take for ever */
    if (d->device && vk->DestroyDevice) {
        if (vk->DeviceWaitIdle)
            vk->DeviceWaitIdle(d->device);
        vk_release_windows(d);
        for (uint64_t i = 0; d->pipelines && i < d->module->nkernels; i++)
            if (d->pipelines[i].handle)
                vk->DestroyPipeline(d->device, d->pipelines[i].handle, NULL);
        for (unsigned i = 0; i <= OFF_MAX_STREAMS; i++) {
            for (unsigned u = 0; u < 2; u++) {
                if (d->layouts[i][u].pipeline)
                    vk->DestroyPipelineLayout(d->device, d->layouts[i][u].pipeline, NULL);
                if (d->layouts[i][u].set)
                    vk->DestroyDescriptorSetLayout(d->device, d->layouts[i][u].set, NULL);
            }
        }
        vk_buffer_destroy(d, &d->uniforms);
        vk_buffer_destroy(d, &d->status);
        vk_buffer_destroy(d, &d->partials);
        if (d->descriptor_pool)
            vk->DestroyDescriptorPool(d->device, d->descriptor_pool, NULL);
        vk_cache_close(d);
        if (d->fence)
            vk->DestroyFence(d->device, d->fence, NULL);
        if (d->command_pool)
            vk->DestroyCommandPool(d->device, d->command_pool, NULL);
        vk->DestroyDevice(d->device, NULL);
    }
    vk_instance_close(&d->instance);
    free(d->pipelines);
    free(d->windows);
    free(d);
}

static uint64_t identify(const VkPhysicalDeviceProperties *p) {
    uint64_t id = (uint64_t)p->vendorID << 32 | p->deviceID;
    id = id * 31 + p->driverVersion;
    for (unsigned i = 0; i < VK_UUID_SIZE; i++)
        id = id * 31 + p->pipelineCacheUUID[i];
    return id;
}

struct wm_device *wm_device_vulkan_open(const struct wm_device_desc *desc, int choice) {
    static const struct wm_device_ops ops = {"vulkan", vk_launch, vulkan_memory_changed, vulkan_close, vk_measure};
    struct vulkan_device *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->base.ops = &ops;
    d->base.binding = "imported";
    d->base.aligned = true;
    d->module = desc->module;
    d->memory = desc->memory;
    d->log = desc->log;
    d->vk = &d->instance.api;
    d->pipelines = calloc(desc->module->nkernels + 1, sizeof *d->pipelines);
    d->no_environment = desc->no_environment;
    d->launch_timeout = desc->launch_timeout;
    if (!d->pipelines || !vk_instance_open(&d->instance, &d->log, desc->no_environment)) {
        free(d->pipelines);
        free(d);
        return NULL;
    }
    if (!choose_physical(d, choice)) {
        vulkan_close(&d->base);
        return NULL;
    }
    d->vk->GetPhysicalDeviceMemoryProperties(d->physical, &d->memory_types);
    VkResult r = create_device(d);
    if (r == VK_SUCCESS)
        r = create_objects(d);
    if (r != VK_SUCCESS) {
        wm_device_log(&d->log, WM_LOG_ERROR, "WMR2207", "%s cannot be opened: %s", d->traits.properties.deviceName,
                      vk_result_name(r));
        vulkan_close(&d->base);
        return NULL;
    }
    snprintf(d->base.name, sizeof d->base.name, "%.250s", d->traits.properties.deviceName);
    d->base.identity = identify(&d->traits.properties);
    d->base.software = d->traits.software;
    d->base.forced = desc->forced;
    d->base.workers = d->traits.software ? SOFTWARE_WORKERS : WM_REDUCE_MAX_WORKERS;
    d->base.interleaved = true;
    d->base.default_min_work = d->traits.software ? VULKAN_SOFTWARE_MIN_WORK : VULKAN_HARDWARE_MIN_WORK;
    d->base.least_points = d->traits.software ? 0 : WM_GPU_LEAST_POINTS;
    if (d->traits.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU)
        d->base.min_ops_per_byte = VULKAN_DISCRETE_OPS_PER_BYTE;
    if (d->traits.cuts_long_loops)
        wm_device_log(&d->log, WM_LOG_WARNING, "WMR2208",
                      "%s (%s) may end long loops early: kernels with such loops stay on the CPU", d->base.name,
                      d->traits.driver);
    return &d->base;
}

size_t wm_device_vulkan_list(struct wasmetal_device_info *out, size_t count, size_t capacity) {
    struct vk_instance in;
    struct wm_log quiet = {NULL, NULL};
    if (!vk_instance_open(&in, &quiet, true))
        return count;
    uint32_t n;
    VkPhysicalDevice *devices = vk_enumerate(&in, &n);
    for (uint32_t i = 0; i < n; i++, count++) {
        if (count >= capacity)
            continue;
        struct vk_traits t;
        vk_describe(&in, devices[i], &t);
        struct wasmetal_device_info *info = &out[count];
        memset(info, 0, sizeof *info);
        snprintf(info->spec, sizeof info->spec, "vulkan:%u", i);
        snprintf(info->name, sizeof info->name, "%.250s", t.properties.deviceName);
        snprintf(info->driver, sizeof info->driver, "%s", t.driver);
        info->software = t.software;
        info->usable = t.why_not[0] == 0;
        info->min_work = t.software ? VULKAN_SOFTWARE_MIN_WORK : VULKAN_HARDWARE_MIN_WORK;
        info->import_alignment = t.import_alignment;
        info->max_buffer_bytes = t.max_window;
        info->max_binding_bytes = t.properties.limits.maxStorageBufferRange;
        for (int a = 0; a < 3; a++)
            info->max_workgroup[a] = t.properties.limits.maxComputeWorkGroupSize[a];
        info->max_invocations = t.properties.limits.maxComputeWorkGroupInvocations;
        snprintf(info->binding, sizeof info->binding, "%s",
                 t.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU
                     ? "imported: kernels reach it over the bus"
                     : "imported: kernels work where it lies");
        snprintf(info->note, sizeof info->note, "%s",
                 t.why_not[0]        ? t.why_not
                 : t.cuts_long_loops ? "may end long loops early: kernels with such loops stay on the CPU"
                                     : "");
    }
    free(devices);
    vk_instance_close(&in);
    return count;
}
