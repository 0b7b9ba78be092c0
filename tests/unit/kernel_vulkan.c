/* The Vulkan harness of the kernel tests; see kernel_vulkan.h. */
#include "tests/unit/kernel_vulkan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

struct vkt {
    VkInstance instance;
    VkDebugUtilsMessengerEXT messenger;
    VkPhysicalDevice physical;
    VkPhysicalDeviceProperties properties;
    VkDevice device;
    VkQueue queue;
    uint32_t family, caps;
    unsigned messages;
    VkCommandPool pool;
    VkBuffer buffer;
    VkDeviceMemory memory;
    uint8_t *mapped;
    uint32_t capacity;
    uint32_t params_at;
};

enum { PARAM_BYTES = 4096 };

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data, void *user) {
    (void)types;
    struct vkt *v = user;
    if (severity >= VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT) {
        v->messages++;
        fprintf(stderr, "validation: %s\n", data->pMessage);
    }
    return VK_FALSE;
}

static bool has_layer(const char *name) {
    VkLayerProperties layers[64];
    uint32_t n = 64;
    if (vkEnumerateInstanceLayerProperties(&n, layers) < 0)
        return false;
    for (uint32_t k = 0; k < n; k++)
        if (!strcmp(layers[k].layerName, name))
            return true;
    return false;
}

static bool open_instance(struct vkt *v) {
    static const char *const layer[] = {"VK_LAYER_KHRONOS_validation"};
    static const char *const extension[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME};
    bool validate = has_layer(layer[0]) && !getenv("VKT_NO_VALIDATION");
    VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_1};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &app,
                                 .enabledLayerCount = validate,
                                 .ppEnabledLayerNames = layer,
                                 .enabledExtensionCount = validate,
                                 .ppEnabledExtensionNames = extension};
    if (vkCreateInstance(&info, NULL, &v->instance) != VK_SUCCESS)
        return false;
    if (validate) {
        VkDebugUtilsMessengerCreateInfoEXT hook = {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
                                                   .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                                                                      VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
                                                   .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
                                                   .pfnUserCallback = on_message,
                                                   .pUserData = v};
        PFN_vkCreateDebugUtilsMessengerEXT create =
            (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(v->instance, "vkCreateDebugUtilsMessengerEXT");
        if (create)
            create(v->instance, &hook, NULL, &v->messenger);
    }
    return true;
}

static bool open_device(struct vkt *v) {
    uint32_t n = 1;
    if (vkEnumeratePhysicalDevices(v->instance, &n, &v->physical) < 0 || n == 0)
        return false;
    vkGetPhysicalDeviceProperties(v->physical, &v->properties);
    VkPhysicalDevice8BitStorageFeatures f8 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES};
    VkPhysicalDevice16BitStorageFeatures f16 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
                                                .pNext = &f8};
    VkPhysicalDeviceFeatures2 have = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &f16};
    vkGetPhysicalDeviceFeatures2(v->physical, &have);
    VkExtensionProperties extensions[512];
    n = 512;
    bool khr8 = false;
    vkEnumerateDeviceExtensionProperties(v->physical, NULL, &n, extensions);
    for (uint32_t k = 0; k < n; k++)
        khr8 |= !strcmp(extensions[k].extensionName, VK_KHR_8BIT_STORAGE_EXTENSION_NAME);
    f8.storageBuffer8BitAccess &= khr8;
    f8.uniformAndStorageBuffer8BitAccess = f8.storagePushConstant8 = VK_FALSE;
    f16.uniformAndStorageBuffer16BitAccess = f16.storagePushConstant16 = f16.storageInputOutput16 = VK_FALSE;
    v->caps = (f8.storageBuffer8BitAccess ? OFF_CAP_STORAGE8 : 0) |
              (f16.storageBuffer16BitAccess ? OFF_CAP_STORAGE16 : 0) | (have.features.shaderInt64 ? OFF_CAP_INT64 : 0) |
              (have.features.shaderFloat64 ? OFF_CAP_FLOAT64 : 0);
    VkPhysicalDeviceFeatures want = {.shaderInt64 = have.features.shaderInt64,
                                     .shaderFloat64 = have.features.shaderFloat64};
    have.features = want;
    if (!khr8)
        f16.pNext = NULL;
    VkQueueFamilyProperties families[16];
    n = 16;
    vkGetPhysicalDeviceQueueFamilyProperties(v->physical, &n, families);
    while (v->family < n && !(families[v->family].queueFlags & VK_QUEUE_COMPUTE_BIT))
        v->family++;
    float priority = 1;
    static const char *const extension[] = {VK_KHR_8BIT_STORAGE_EXTENSION_NAME};
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = v->family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &have,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = khr8,
                               .ppEnabledExtensionNames = extension};
    if (vkCreateDevice(v->physical, &info, NULL, &v->device) != VK_SUCCESS)
        return false;
    vkGetDeviceQueue(v->device, v->family, 0, &v->queue);
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .queueFamilyIndex = v->family,
                                    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT};
    return vkCreateCommandPool(v->device, &pool, NULL, &v->pool) == VK_SUCCESS;
}

struct vkt *vkt_open(void) {
    struct vkt *v = calloc(1, sizeof *v);
    if (v && open_instance(v) && open_device(v))
        return v;
    if (v)
        vkt_close(v);
    return NULL;
}

static void drop_buffer(struct vkt *v) {
    if (v->buffer)
        vkDestroyBuffer(v->device, v->buffer, NULL);
    if (v->memory)
        vkFreeMemory(v->device, v->memory, NULL);
    v->buffer = VK_NULL_HANDLE;
    v->memory = VK_NULL_HANDLE;
    v->capacity = 0;
}

void vkt_close(struct vkt *v) {
    if (v->device) {
        drop_buffer(v);
        if (v->pool)
            vkDestroyCommandPool(v->device, v->pool, NULL);
        vkDestroyDevice(v->device, NULL);
    }
    if (v->messenger) {
        PFN_vkDestroyDebugUtilsMessengerEXT destroy =
            (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(v->instance, "vkDestroyDebugUtilsMessengerEXT");
        destroy(v->instance, v->messenger, NULL);
    }
    if (v->instance)
        vkDestroyInstance(v->instance, NULL);
    free(v);
}

const char *vkt_name(const struct vkt *v) {
    return v->properties.deviceName;
}
uint32_t vkt_caps(const struct vkt *v) {
    return v->caps;
}
unsigned vkt_validation_messages(const struct vkt *v) {
    return v->messages;
}

/* One buffer: linear memory, then the parameter block. */
static bool need_buffer(struct vkt *v, uint32_t bytes) {
    bytes = (bytes + 255) & ~255u; /* the largest minUniformBufferOffsetAlignment there is */
    if (v->capacity >= bytes)
        return true;
    drop_buffer(v);
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               .size = (VkDeviceSize)bytes + PARAM_BYTES,
                               .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT};
    if (vkCreateBuffer(v->device, &info, NULL, &v->buffer) != VK_SUCCESS)
        return false;
    VkMemoryRequirements need;
    vkGetBufferMemoryRequirements(v->device, v->buffer, &need);
    VkPhysicalDeviceMemoryProperties types;
    vkGetPhysicalDeviceMemoryProperties(v->physical, &types);
    VkMemoryPropertyFlags want = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    uint32_t type = 0;
    while (type < types.memoryTypeCount &&
           (!(need.memoryTypeBits >> type & 1) || (types.memoryTypes[type].propertyFlags & want) != want))
        type++;
    VkMemoryAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .allocationSize = need.size, .memoryTypeIndex = type};
    if (vkAllocateMemory(v->device, &allocate, NULL, &v->memory) != VK_SUCCESS ||
        vkBindBufferMemory(v->device, v->buffer, v->memory, 0) != VK_SUCCESS ||
        vkMapMemory(v->device, v->memory, 0, VK_WHOLE_SIZE, 0, (void **)&v->mapped) != VK_SUCCESS)
        return false;
    v->capacity = bytes;
    v->params_at = bytes;
    return true;
}

struct job {
    VkShaderModule shader;
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    VkDescriptorPool pool;
    VkDescriptorSet set;
    VkCommandBuffer commands;
};

static uint32_t fill_params(const struct vkt *v, const struct off_kernel *k, const uint32_t *stream_lo,
                            const uint64_t *scalars, const uint32_t extent[3], uint32_t *words) {
    uint32_t n = 0, align = (uint32_t)v->properties.limits.minStorageBufferOffsetAlignment;
    for (int d = 0; d < 3; d++)
        words[n++] = extent[d];
    words[n++] = 0;
    for (uint32_t s = 0; s < k->nstreams; s++)
        words[n++] = stream_lo[s] / align * align;
    for (uint32_t s = 0; s < k->nscalars; s++) {
        words[n++] = (uint32_t)scalars[s];
        if (k->scalars[s].type == IR_I64 || k->scalars[s].type == IR_F64)
            words[n++] = (uint32_t)(scalars[s] >> 32);
    }
    return n;
}

static bool make_pipeline(struct vkt *v, const struct off_kernel *k, const struct off_spirv *spirv, uint32_t nparams,
                          struct job *j) {
    bool pushed = nparams <= OFF_PUSH_WORDS;
    VkShaderModuleCreateInfo shader = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                       .codeSize = spirv->nwords * sizeof *spirv->words,
                                       .pCode = spirv->words};
    VkDescriptorSetLayoutBinding bindings[OFF_MAX_STREAMS + 1];
    uint32_t n = k->nstreams + !pushed;
    for (uint32_t b = 0; b < n; b++)
        bindings[b] = (VkDescriptorSetLayoutBinding){
            .binding = b,
            .descriptorType = b < k->nstreams ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
            .descriptorCount = 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = n, .pBindings = bindings};
    if (vkCreateShaderModule(v->device, &shader, NULL, &j->shader) != VK_SUCCESS ||
        vkCreateDescriptorSetLayout(v->device, &set, NULL, &j->set_layout) != VK_SUCCESS)
        return false;
    VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = nparams * 4};
    VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                         .setLayoutCount = 1,
                                         .pSetLayouts = &j->set_layout,
                                         .pushConstantRangeCount = pushed,
                                         .pPushConstantRanges = &range};
    if (vkCreatePipelineLayout(v->device, &layout, NULL, &j->layout) != VK_SUCCESS)
        return false;
    VkComputePipelineCreateInfo pipeline = {.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                            .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                      .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                      .module = j->shader,
                                                      .pName = "main"},
                                            .layout = j->layout};
    return vkCreateComputePipelines(v->device, VK_NULL_HANDLE, 1, &pipeline, NULL, &j->pipeline) == VK_SUCCESS;
}

static bool make_set(struct vkt *v, const struct off_kernel *k, const uint32_t *starts, uint32_t nparams,
                     uint32_t bytes, struct job *j) {
    VkDescriptorPoolSize sizes[2] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, OFF_MAX_STREAMS},
                                     {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1}};
    VkDescriptorPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = 1, .poolSizeCount = 2, .pPoolSizes = sizes};
    if (vkCreateDescriptorPool(v->device, &pool, NULL, &j->pool) != VK_SUCCESS)
        return false;
    VkDescriptorSetAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                            .descriptorPool = j->pool,
                                            .descriptorSetCount = 1,
                                            .pSetLayouts = &j->set_layout};
    if (vkAllocateDescriptorSets(v->device, &allocate, &j->set) != VK_SUCCESS)
        return false;
    VkDescriptorBufferInfo infos[OFF_MAX_STREAMS + 1];
    VkWriteDescriptorSet writes[OFF_MAX_STREAMS + 1];
    uint32_t n = k->nstreams + (nparams > OFF_PUSH_WORDS);
    for (uint32_t b = 0; b < n; b++) {
        bool stream = b < k->nstreams;
        uint32_t lo = stream ? starts[b] : v->params_at;
        infos[b] = (VkDescriptorBufferInfo){v->buffer, lo, stream ? bytes - lo : PARAM_BYTES};
        writes[b] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = j->set,
                                           .dstBinding = b,
                                           .descriptorCount = 1,
                                           .descriptorType = stream ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                                                    : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                           .pBufferInfo = &infos[b]};
    }
    vkUpdateDescriptorSets(v->device, n, writes, 0, NULL);
    return true;
}

static bool submit(struct vkt *v, const struct off_kernel *k, const uint32_t *params, uint32_t nparams,
                   const uint32_t extent[3], struct job *j) {
    VkCommandBufferAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandPool = v->pool,
                                            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                            .commandBufferCount = 1};
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    if (vkAllocateCommandBuffers(v->device, &allocate, &j->commands) != VK_SUCCESS ||
        vkBeginCommandBuffer(j->commands, &begin) != VK_SUCCESS)
        return false;
    vkCmdBindPipeline(j->commands, VK_PIPELINE_BIND_POINT_COMPUTE, j->pipeline);
    vkCmdBindDescriptorSets(j->commands, VK_PIPELINE_BIND_POINT_COMPUTE, j->layout, 0, 1, &j->set, 0, NULL);
    if (nparams <= OFF_PUSH_WORDS)
        vkCmdPushConstants(j->commands, j->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, nparams * 4, params);
    uint32_t groups[3];
    for (int d = 0; d < 3; d++)
        groups[d] = (extent[d] + k->workgroup[d] - 1) / k->workgroup[d];
    vkCmdDispatch(j->commands, groups[0], groups[1], groups[2]);
    VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                               .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                               .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    vkCmdPipelineBarrier(j->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier,
                         0, NULL, 0, NULL);
    VkSubmitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &j->commands};
    return vkEndCommandBuffer(j->commands) == VK_SUCCESS &&
           vkQueueSubmit(v->queue, 1, &info, VK_NULL_HANDLE) == VK_SUCCESS && vkQueueWaitIdle(v->queue) == VK_SUCCESS;
}

/* starts: of the streams' bindings, in memory. */
static bool run_bound(struct vkt *v, const struct off_kernel *k, const struct off_spirv *spirv, uint8_t *memory,
                      uint32_t bytes, const uint32_t *starts, const uint32_t *params, uint32_t nparams,
                      const uint32_t extent[3]) {
    struct job j = {0};
    memcpy(v->mapped, memory, bytes);
    memcpy(v->mapped + v->params_at, params, nparams * 4);
    bool ok = make_pipeline(v, k, spirv, nparams, &j) && make_set(v, k, starts, nparams, bytes, &j) &&
              submit(v, k, params, nparams, extent, &j);
    memcpy(memory, v->mapped, bytes);
    if (j.commands)
        vkFreeCommandBuffers(v->device, v->pool, 1, &j.commands);
    vkDestroyDescriptorPool(v->device, j.pool, NULL);
    vkDestroyPipeline(v->device, j.pipeline, NULL);
    vkDestroyPipelineLayout(v->device, j.layout, NULL);
    vkDestroyDescriptorSetLayout(v->device, j.set_layout, NULL);
    vkDestroyShaderModule(v->device, j.shader, NULL);
    return ok;
}

bool vkt_run(struct vkt *v, const struct off_kernel *k, const struct off_spirv *spirv, uint8_t *memory, uint32_t bytes,
             const uint32_t *stream_lo, const uint64_t *scalars, const uint32_t extent[3]) {
    uint32_t params[PARAM_BYTES / 4];
    if (!need_buffer(v, bytes))
        return false;
    uint32_t nparams = fill_params(v, k, stream_lo, scalars, extent, params);
    return run_bound(v, k, spirv, memory, bytes, params + OFF_PARAM_STREAMS, params, nparams, extent);
}

bool vkt_run_block(struct vkt *v, const struct off_kernel *k, const struct off_spirv *spirv, uint8_t *memory,
                   uint32_t bytes, const uint32_t *params, uint32_t nparams, const uint32_t extent[3]) {
    static const uint32_t starts[OFF_MAX_STREAMS];
    return nparams * 4 <= PARAM_BYTES && need_buffer(v, bytes) &&
           run_bound(v, k, spirv, memory, bytes, starts, params, nparams, extent);
}
