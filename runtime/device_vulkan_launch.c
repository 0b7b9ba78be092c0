/* One launch: bind the streams' ranges, pass the parameters, dispatch, wait.
 *
 * Everything that can be refused is decided before the queue gets anything, so a refusal leaves memory untouched. After
 * the submission only the wait can fail, and then the device is lost.
 *
 * A grid wider than the device's limit on x goes out as several dispatches in one submission, each with its own first x
 * (word OFF_PARAM_X_BASE).  The points are independent, so no barrier is needed between them.
 */
#include <string.h>

#include "runtime/device_vulkan.h"
#include "runtime/launch_timeout.h"

/* Iterations inside one grid point that a driver with cut-off loops still gets right, with some margin. */
#define SHORT_LOOP 65000

VkResult vk_begin(struct vulkan_device *d) {
    VkResult r = d->vk->ResetCommandPool(d->device, d->command_pool, 0);
    if (r != VK_SUCCESS)
        return r;
    VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                     .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    r = d->vk->BeginCommandBuffer(d->commands, &info);
    if (r != VK_SUCCESS)
        return r;
    VkMemoryBarrier before = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                              .srcAccessMask = VK_ACCESS_HOST_WRITE_BIT | VK_ACCESS_SHADER_WRITE_BIT,
                              .dstAccessMask =
                                  VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_UNIFORM_READ_BIT};
    d->vk->CmdPipelineBarrier(d->commands, VK_PIPELINE_STAGE_HOST_BIT | VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                              VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &before, 0, NULL, 0, NULL);
    return VK_SUCCESS;
}

VkResult vk_bind_buffers(struct vulkan_device *d, const struct vk_layout *layout, const VkDescriptorBufferInfo *buffers,
                         uint32_t streams, bool uniform) {
    VkWriteDescriptorSet writes[VK_MAX_BINDINGS];
    uint32_t count = streams + uniform;
    if (count == 0)
        return VK_SUCCESS;
    VkDescriptorSet set = VK_NULL_HANDLE;
    if (!d->traits.push_descriptors) {
        VkResult r = d->vk->ResetDescriptorPool(d->device, d->descriptor_pool, 0);
        if (r != VK_SUCCESS)
            return r;
        VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                            .descriptorPool = d->descriptor_pool,
                                            .descriptorSetCount = 1,
                                            .pSetLayouts = &layout->set};
        r = d->vk->AllocateDescriptorSets(d->device, &info, &set);
        if (r != VK_SUCCESS)
            return r;
    }
    for (uint32_t i = 0; i < count; i++)
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = set,
                                           .dstBinding = i,
                                           .descriptorCount = 1,
                                           .descriptorType = i < streams ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                                                         : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                           .pBufferInfo = &buffers[i]};
    if (d->traits.push_descriptors) {
        d->vk->CmdPushDescriptorSetKHR(d->commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout->pipeline, 0, count, writes);
    } else {
        d->vk->UpdateDescriptorSets(d->device, count, writes, 0, NULL);
        d->vk->CmdBindDescriptorSets(d->commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout->pipeline, 0, 1, &set, 0,
                                     NULL);
    }
    return VK_SUCCESS;
}

VkResult vk_submit_and_wait(struct vulkan_device *d, uint64_t work, bool *out_submitted) {
    *out_submitted = false;
    VkMemoryBarrier after = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                             .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                             .dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT};
    d->vk->CmdPipelineBarrier(d->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1,
                              &after, 0, NULL, 0, NULL);
    VkResult r = d->vk->EndCommandBuffer(d->commands);
    if (r != VK_SUCCESS)
        return r;
    VkSubmitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &d->commands};
    r = d->vk->QueueSubmit(d->queue, 1, &info, d->fence);
    if (r != VK_SUCCESS) {
        *out_submitted = r == VK_ERROR_DEVICE_LOST; /* any other error means that nothing was queued */
        return r;
    }
    *out_submitted = true;
    uint64_t limit = wm_launch_timeout(&d->base, d->launch_timeout, work);
    r = d->vk->WaitForFences(d->device, 1, &d->fence, VK_TRUE, limit);
    d->base.runs_on = r == VK_TIMEOUT;
    if (r == VK_TIMEOUT)
        wm_device_log(&d->log, WM_LOG_ERROR, "WMR2215",
                      "%s has not ended a launch after %llu ms (WASMETAL_LAUNCH_TIMEOUT) and is given up", d->base.name,
                      (unsigned long long)(limit / 1000000));
    return r != VK_SUCCESS ? r : d->vk->ResetFences(d->device, 1, &d->fence);
}

/* Number of workgroups on each axis.  x may exceed the limit (split later), y and z may not; and no invocation of the
 * last, partly filled workgroup may come round to point 0. */
static bool count_groups(const struct vulkan_device *d, const struct wm_kernel *k, const struct wm_launch_plan *plan,
                         uint32_t groups[3]) {
    for (int a = 0; a < 3; a++) {
        uint64_t count = (plan->extent[a] + k->workgroup[a] - 1) / k->workgroup[a];
        if (count * k->workgroup[a] > UINT32_MAX ||
            (a > 0 && count > d->traits.properties.limits.maxComputeWorkGroupCount[a]))
            return false;
        groups[a] = (uint32_t)count;
    }
    return true;
}

static bool grows_too_long(const struct vulkan_device *d, const struct wm_kernel *k,
                           const struct wm_launch_plan *plan) {
    return d->traits.cuts_long_loops && ((k->uses & OFF_USE_LONG_LOOP) || plan->unbounded || plan->serial > SHORT_LOOP);
}

static void record_dispatches(struct vulkan_device *d, const struct wm_kernel *k, const struct vk_layout *layout,
                              struct wm_params *p, bool uniform, const uint32_t groups[3]) {
    uint32_t most = d->traits.properties.limits.maxComputeWorkGroupCount[0];
    for (uint32_t first = 0; first < groups[0];) {
        uint32_t count = groups[0] - first < most ? groups[0] - first : most;
        p->words[OFF_PARAM_X_BASE] = (uint32_t)(first * k->workgroup[0]);
        if (!uniform)
            d->vk->CmdPushConstants(d->commands, layout->pipeline, VK_SHADER_STAGE_COMPUTE_BIT, 0, p->count * 4,
                                    p->words);
        d->vk->CmdDispatch(d->commands, count, groups[1], groups[2]);
        first += count;
    }
}

static enum wm_device_result failed(struct vulkan_device *d, const struct wm_kernel *k, VkResult r, bool submitted,
                                    enum wm_fallback *out_why) {
    wm_device_log(&d->log, WM_LOG_ERROR, "WMR2211", "kernel %s on %s: %s %s", k->name, d->base.name, vk_result_name(r),
                  submitted ? "while it ran" : "before it ran");
    d->base.dead = true;
    *out_why = WM_FALLBACK_DEVICE_ERROR;
    return submitted ? WM_DEVICE_LOST : WM_DEVICE_REFUSED;
}

static bool clear_status(struct vulkan_device *d) {
    enum { STATUS_BYTES = 16 };
    if (!d->status.buffer && !vk_buffer_create(d, STATUS_BYTES, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &d->status))
        return false;
    memset(d->status.mapped, 0, STATUS_BYTES);
    return true;
}

/* A buffer for the partial results of reductions. */
static bool reserve_partials(struct vulkan_device *d, uint64_t bytes) {
    if (d->partials.buffer && d->partials.bytes >= bytes)
        return true;
    vk_buffer_destroy(d, &d->partials);
    return vk_buffer_create(d, bytes, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &d->partials);
}

enum wm_device_result vk_launch(struct wm_device *base, uint64_t kernel, const struct wm_launch_plan *plan,
                                const uint64_t *slots, enum wm_fallback *out_why) {
    struct vulkan_device *d = (struct vulkan_device *)base;
    const struct wm_kernel *k = &d->module->kernels[kernel];
    uint32_t streams = (uint32_t)k->nstreams, groups[3];
    struct vk_pipeline *pipeline = vk_pipeline_get(d, kernel, out_why);
    if (!pipeline)
        return WM_DEVICE_REFUSED;
    if (!wm_device_emulation_pays(base, pipeline->is.emulated, plan)) {
        *out_why = WM_FALLBACK_EMULATED;
        return WM_DEVICE_REFUSED;
    }
    if (grows_too_long(d, k, plan)) {
        *out_why = WM_FALLBACK_LONG_LOOP;
        return WM_DEVICE_REFUSED;
    }
    bool uniform = wm_param_words(k) > OFF_PUSH_WORDS;
    /* The one uniform buffer holds the x base of one dispatch only. */
    if (!count_groups(d, k, plan, groups) ||
        (uniform && groups[0] > d->traits.properties.limits.maxComputeWorkGroupCount[0])) {
        *out_why = WM_FALLBACK_BINDING;
        return WM_DEVICE_REFUSED;
    }

    struct wm_params params;
    wm_params_begin(&params, plan);
    VkDescriptorBufferInfo buffers[VK_MAX_BINDINGS];
    for (uint32_t s = 0; s < streams; s++) {
        struct vk_binding binding;
        if (k->streams[s].kind == OFF_STREAM_STATUS) {
            if (!clear_status(d))
                return failed(d, k, VK_ERROR_OUT_OF_DEVICE_MEMORY, false, out_why);
            buffers[s] = (VkDescriptorBufferInfo){d->status.buffer, 0, VK_WHOLE_SIZE};
            wm_params_add(&params, 0);
            continue;
        }
        if (k->streams[s].kind == OFF_STREAM_PARTIALS) {
            if (!reserve_partials(d, plan->partials_bytes))
                return failed(d, k, VK_ERROR_OUT_OF_DEVICE_MEMORY, false, out_why);
            buffers[s] = (VkDescriptorBufferInfo){d->partials.buffer, 0, VK_WHOLE_SIZE};
            wm_params_add(&params, 0);
            continue;
        }
        if (!vk_bind_range(d, plan->streams[s], &binding, out_why))
            return WM_DEVICE_REFUSED;
        buffers[s] = (VkDescriptorBufferInfo){binding.buffer, binding.offset, binding.bytes};
        wm_params_add(&params, (uint32_t)binding.address);
    }
    wm_params_add_scalars(&params, k, plan, slots);
    if (uniform) {
        if (!d->uniforms.buffer &&
            !vk_buffer_create(d, WM_MAX_PARAM_WORDS * 4, VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT, &d->uniforms))
            return failed(d, k, VK_ERROR_OUT_OF_DEVICE_MEMORY, false, out_why);
        memcpy(d->uniforms.mapped, params.words, params.count * 4);
        buffers[streams] = (VkDescriptorBufferInfo){d->uniforms.buffer, 0, VK_WHOLE_SIZE};
    }

    const struct vk_layout *layout = &d->layouts[streams][uniform];
    bool submitted = false;
    VkResult r = vk_begin(d);
    if (r == VK_SUCCESS) {
        d->vk->CmdBindPipeline(d->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->handle);
        r = vk_bind_buffers(d, layout, buffers, streams, uniform);
    }
    if (r == VK_SUCCESS) {
        record_dispatches(d, k, layout, &params, uniform, groups);
        r = vk_submit_and_wait(d, plan->work, &submitted);
    }
    base->validation_messages = atomic_load(&d->instance.messages.count);
    if (r != VK_SUCCESS)
        return failed(d, k, r, submitted, out_why);
    if (plan->status && d->status.mapped)
        memcpy(plan->status, d->status.mapped, sizeof *plan->status);
    if (k->nreduces)
        memcpy(plan->partials, d->partials.mapped, plan->partials_bytes);
    return WM_DEVICE_DONE;
}
