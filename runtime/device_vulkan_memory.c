/* Linear memory as Vulkan buffers, without a copy.
 *
 * VK_EXT_external_memory_host turns a range of our own pages into a VkDeviceMemory; a buffer bound to it is the same
 * bytes.  Only the committed part of the memory's reservation is imported, when a kernel first needs it, and again
 * after the memory has grown.
 *
 *     linear memory   |-------------------------------------------| committed          | reserved
 *     window 0        |=================|
 *     window 1                 |=================|                    each at most `window_bytes` long, one starting
 *     window 2                          |=========================|   every `window_stride` bytes
 *
 * One window covers everything unless the device's largest allocation or buffer is smaller than the memory.  Then
 * windows overlap by half, so that any range up to half a window lies in one of them.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/device_vulkan.h"

enum { WASM_PAGE = 65536, MAX_WINDOWS = 64 };

uint32_t vk_coherent_type(const struct vulkan_device *d, uint32_t bits) {
    const VkMemoryPropertyFlags coherent = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const VkMemoryPropertyFlags wanted[] = {coherent | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, coherent};
    for (unsigned w = 0; w < 2; w++)
        for (uint32_t i = 0; i < d->memory_types.memoryTypeCount; i++)
            if ((bits >> i & 1) && (d->memory_types.memoryTypes[i].propertyFlags & wanted[w]) == wanted[w])
                return i;
    return UINT32_MAX;
}

void vk_release_window(struct vulkan_device *d, struct vk_window *w) {
    if (w->buffer)
        d->vk->DestroyBuffer(d->device, w->buffer, NULL);
    if (w->memory)
        d->vk->FreeMemory(d->device, w->memory, NULL);
    w->buffer = VK_NULL_HANDLE;
    w->memory = VK_NULL_HANDLE;
}

void vk_release_windows(struct vulkan_device *d) {
    for (uint32_t i = 0; i < d->nwindows; i++)
        vk_release_window(d, &d->windows[i]);
    free(d->windows);
    d->windows = NULL;
    d->nwindows = 0;
    d->bound_bytes = 0;
}

/* Lays the windows out for the memory's present size. */
static bool plan_windows(struct vulkan_device *d) {
    uint64_t bytes = d->memory->bytes, most = d->traits.max_window & ~(uint64_t)(2 * WASM_PAGE - 1);
    uint64_t alignment = d->traits.import_alignment;
    if (bytes == 0 || most == 0 || alignment == 0 || WASM_PAGE % alignment || (uintptr_t)d->memory->base % alignment)
        return false;
    if (bytes <= most) {
        d->nwindows = 1;
        d->window_bytes = d->window_stride = bytes;
    } else {
        d->window_bytes = most;
        d->window_stride = most / 2;
        uint64_t count = (bytes - most + d->window_stride - 1) / d->window_stride + 1;
        if (count > MAX_WINDOWS)
            return false;
        d->nwindows = (uint32_t)count;
    }
    d->windows = calloc(d->nwindows, sizeof *d->windows);
    if (!d->windows) {
        d->nwindows = 0;
        return false;
    }
    for (uint32_t i = 0; i < d->nwindows; i++) {
        uint64_t start = i * d->window_stride, left = bytes - start;
        d->windows[i].start = start;
        d->windows[i].bytes = left < d->window_bytes ? left : d->window_bytes;
    }
    d->bound_bytes = bytes;
    return true;
}

VkResult vk_import_window(struct vulkan_device *d, void *pointer, struct vk_window *w) {
    struct vk_api *vk = d->vk;
    const VkExternalMemoryHandleTypeFlagBits type = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    VkMemoryHostPointerPropertiesEXT host = {.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
    VkResult r = vk->GetMemoryHostPointerPropertiesEXT(d->device, type, pointer, &host);
    if (r != VK_SUCCESS)
        return r;
    VkExternalMemoryBufferCreateInfo external = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
                                                 .handleTypes = type};
    VkBufferCreateInfo buffer = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                 .pNext = &external,
                                 .size = w->bytes,
                                 .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
                                 .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
    r = vk->CreateBuffer(d->device, &buffer, NULL, &w->buffer);
    if (r != VK_SUCCESS)
        return r;
    VkMemoryRequirements needs;
    vk->GetBufferMemoryRequirements(d->device, w->buffer, &needs);
    uint32_t memory_type = vk_coherent_type(d, needs.memoryTypeBits & host.memoryTypeBits);
    if (memory_type == UINT32_MAX || needs.size > w->bytes)
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    VkMemoryDedicatedAllocateInfo dedicated = {.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
                                               .buffer = w->buffer};
    VkImportMemoryHostPointerInfoEXT import = {.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
                                               .pNext = d->traits.dedicated_import ? &dedicated : NULL,
                                               .handleType = type,
                                               .pHostPointer = pointer};
    VkMemoryAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                     .pNext = &import,
                                     .allocationSize = w->bytes,
                                     .memoryTypeIndex = memory_type};
    r = vk->AllocateMemory(d->device, &allocate, NULL, &w->memory);
    return r != VK_SUCCESS ? r : vk->BindBufferMemory(d->device, w->buffer, w->memory, 0);
}

bool vk_bind_range(struct vulkan_device *d, struct wm_range range, struct vk_binding *out, enum wm_fallback *out_why) {
    if (d->bound_bytes != d->memory->bytes) {
        vk_release_windows(d);
        if (!plan_windows(d)) {
            *out_why = WM_FALLBACK_BINDING;
            return false;
        }
    }
    uint64_t alignment = d->traits.properties.limits.minStorageBufferOffsetAlignment;
    uint64_t lo = range.lo & ~(alignment - 1), hi = (range.hi + 3) & ~(uint64_t)3;
    if (lo == hi)
        hi += 4; /* nothing in it happens this time, but something must be bound */
    uint64_t index = lo / d->window_stride;
    struct vk_window *w = &d->windows[index < d->nwindows ? index : d->nwindows - 1];
    if (hi > w->start + w->bytes || hi - lo > d->traits.properties.limits.maxStorageBufferRange) {
        *out_why = WM_FALLBACK_BINDING;
        return false;
    }
    if (!w->buffer) {
        VkResult r = vk_import_window(d, d->memory->base + w->start, w);
        if (r != VK_SUCCESS) {
            vk_release_window(d, w);
            wm_device_log(&d->log, WM_LOG_ERROR, "WMR2209", "linear memory (%llu bytes) cannot be imported: %s",
                          (unsigned long long)w->bytes, vk_result_name(r));
            d->base.dead = true;
            *out_why = WM_FALLBACK_DEVICE_ERROR;
            return false;
        }
    }
    *out = (struct vk_binding){.buffer = w->buffer, .offset = lo - w->start, .bytes = hi - lo, .address = lo};
    return true;
}

bool vk_buffer_create(struct vulkan_device *d, uint64_t bytes, VkBufferUsageFlags usage, struct vk_buffer *out) {
    struct vk_api *vk = d->vk;
    memset(out, 0, sizeof *out);
    out->bytes = bytes;
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               .size = bytes,
                               .usage = usage,
                               .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
    if (vk->CreateBuffer(d->device, &info, NULL, &out->buffer) != VK_SUCCESS)
        goto failed;
    VkMemoryRequirements needs;
    vk->GetBufferMemoryRequirements(d->device, out->buffer, &needs);
    VkMemoryAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                     .allocationSize = needs.size,
                                     .memoryTypeIndex = vk_coherent_type(d, needs.memoryTypeBits)};
    if (allocate.memoryTypeIndex == UINT32_MAX ||
        vk->AllocateMemory(d->device, &allocate, NULL, &out->memory) != VK_SUCCESS ||
        vk->BindBufferMemory(d->device, out->buffer, out->memory, 0) != VK_SUCCESS ||
        vk->MapMemory(d->device, out->memory, 0, VK_WHOLE_SIZE, 0, &out->mapped) != VK_SUCCESS)
        goto failed;
    return true;
failed:
    vk_buffer_destroy(d, out);
    return false;
}

void vk_buffer_destroy(struct vulkan_device *d, struct vk_buffer *b) {
    if (b->buffer)
        d->vk->DestroyBuffer(d->device, b->buffer, NULL);
    if (b->memory)
        d->vk->FreeMemory(d->device, b->memory, NULL);
    memset(b, 0, sizeof *b);
}
