/* Layouts and pipelines, made when first needed and kept until the device is closed.
 *
 * A kernel comes in several SPIR-V variants.  The one that uses most of the capabilities this device has is tried first
 * (native 64-bit and narrow types make for shorter code), then the others down to the baseline; a driver that fails to
 * compile one gets the next.  Variants that use an operation which the probe found inexact are passed over; of two that
 * need the same capabilities the one without corrections stands first.
 */
#include <stdlib.h>

#include "runtime/device_vulkan.h"

struct vk_layout *vk_layout_get(struct vulkan_device *d, uint32_t streams, bool uniform) {
    struct vk_layout *l = &d->layouts[streams][uniform];
    if (l->pipeline)
        return l;
    VkDescriptorSetLayoutBinding bindings[VK_MAX_BINDINGS];
    uint32_t count = 0;
    for (; count < streams; count++)
        bindings[count] = (VkDescriptorSetLayoutBinding){count, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
                                                         VK_SHADER_STAGE_COMPUTE_BIT, NULL};
    if (uniform) {
        bindings[count] = (VkDescriptorSetLayoutBinding){count, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1,
                                                         VK_SHADER_STAGE_COMPUTE_BIT, NULL};
        count++;
    }
    VkDescriptorSetLayoutCreateInfo set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .flags = d->traits.push_descriptors ? VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR : 0,
        .bindingCount = count,
        .pBindings = bindings};
    if (!l->set && d->vk->CreateDescriptorSetLayout(d->device, &set, NULL, &l->set) != VK_SUCCESS) {
        l->set = VK_NULL_HANDLE;
        return NULL;
    }
    VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, OFF_PUSH_WORDS * 4};
    VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                       .setLayoutCount = 1,
                                       .pSetLayouts = &l->set,
                                       .pushConstantRangeCount = !uniform,
                                       .pPushConstantRanges = &push};
    if (d->vk->CreatePipelineLayout(d->device, &info, NULL, &l->pipeline) != VK_SUCCESS) {
        l->pipeline = VK_NULL_HANDLE;
        return NULL;
    }
    return l;
}

VkResult vk_pipeline_compile(struct vulkan_device *d, const uint32_t *words, size_t nwords, VkPipelineLayout layout,
                             VkPipeline *out) {
    *out = VK_NULL_HANDLE;
    size_t count;
    uint32_t *code = vk_add_float_modes(&d->traits, words, nwords, &count);
    if (!code)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    VkShaderModuleCreateInfo module = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = count * sizeof *code, .pCode = code};
    VkShaderModule shader;
    VkResult r = d->vk->CreateShaderModule(d->device, &module, NULL, &shader);
    free(code);
    if (r != VK_SUCCESS)
        return r;
    VkComputePipelineCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                  .module = shader,
                                                  .pName = "main"},
                                        .layout = layout,
                                        .basePipelineIndex = -1};
    d->compiled = true;
    r = d->vk->CreateComputePipelines(d->device, d->pipeline_cache, 1, &info, NULL, out);
    d->vk->DestroyShaderModule(d->device, shader, NULL);
    if (r != VK_SUCCESS)
        *out = VK_NULL_HANDLE;
    return r;
}

static bool workgroup_fits(const struct vulkan_device *d, const struct wm_kernel *k) {
    const VkPhysicalDeviceLimits *limits = &d->traits.properties.limits;
    uint64_t invocations = 1;
    for (int a = 0; a < 3; a++) {
        if (k->workgroup[a] > limits->maxComputeWorkGroupSize[a])
            return false;
        invocations *= k->workgroup[a];
    }
    return invocations <= limits->maxComputeWorkGroupInvocations;
}

/* Compiles the best variant that the driver takes.  Variants are tried once each, most capabilities first. */
static enum wm_fallback make_pipeline(void *device, uint64_t kernel) {
    struct vulkan_device *d = device;
    const struct wm_kernel *k = &d->module->kernels[kernel];
    struct vk_pipeline *out = &d->pipelines[kernel];
    const VkPhysicalDeviceLimits *limits = &d->traits.properties.limits;
    uint32_t words = wm_param_words(k);
    bool uniform = words > OFF_PUSH_WORDS;
    if (!workgroup_fits(d, k) || (uniform && words * 4 > limits->maxUniformBufferRange) ||
        k->nstreams > limits->maxPerStageDescriptorStorageBuffers)
        return WM_FALLBACK_CAPABILITY;
    uint64_t inexact = vk_inexact_uses(d, (uint32_t)k->uses) & k->uses;
    struct vk_layout *layout = vk_layout_get(d, (uint32_t)k->nstreams, uniform);
    if (!layout)
        return WM_FALLBACK_DEVICE_ERROR;
    enum wm_fallback why = WM_FALLBACK_CAPABILITY;
    for (int most = 32, next; most >= 0; most = next) {
        /* All variants with exactly `most` capabilities; `next` is the next smaller number there is. */
        next = -1;
        for (uint64_t i = 0; i < k->nspirv; i++) {
            const struct wm_spirv *s = &k->spirv[i];
            int count = __builtin_popcountll(s->caps);
            if ((s->caps & ~(uint64_t)d->traits.caps) != 0)
                continue;
            if (inexact & ~s->avoids) {
                why = WM_FALLBACK_INEXACT;
                continue;
            }
            uint64_t emulated = s->avoids & (OFF_USE_F64 | OFF_USE_F32_SUBNORMAL);
            if (emulated && d->base.software && !d->base.forced) {
                why = WM_FALLBACK_EMULATED;
                continue;
            }
            if (count < most && count > next)
                next = count;
            if (count != most)
                continue;
            VkResult r = vk_pipeline_compile(d, s->words, s->nwords, layout->pipeline, &out->handle);
            if (r == VK_SUCCESS) {
                out->is.emulated = emulated;
                return WM_FALLBACK_COUNT;
            }
            wm_device_log(&d->log, WM_LOG_WARNING, "WMR2210", "kernel %s, variant %llu: no pipeline: %s", k->name,
                          (unsigned long long)i, vk_result_name(r));
            why = WM_FALLBACK_DEVICE_ERROR;
        }
    }
    return why;
}

struct vk_pipeline *vk_pipeline_get(struct vulkan_device *d, uint64_t kernel, enum wm_fallback *out_why) {
    struct vk_pipeline *p = &d->pipelines[kernel];
    return wm_compile_once(&p->is, make_pipeline, d, d->module, kernel, &d->log, "WMR2214", out_why) ? p : NULL;
}
