/* libvulkan, found at run time; the instance; and the validation layers when WASMETAL_VALIDATION=1 asks for them. */
#include "runtime/device_vulkan.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const char *vk_result_name(VkResult r) {
    switch (r) {
#define NAME(x)  \
    case VK_##x: \
        return #x;
        NAME(SUCCESS)
        NAME(NOT_READY)
        NAME(TIMEOUT)
        NAME(INCOMPLETE)
        NAME(ERROR_OUT_OF_HOST_MEMORY)
        NAME(ERROR_OUT_OF_DEVICE_MEMORY)
        NAME(ERROR_INITIALIZATION_FAILED)
        NAME(ERROR_DEVICE_LOST)
        NAME(ERROR_MEMORY_MAP_FAILED)
        NAME(ERROR_LAYER_NOT_PRESENT)
        NAME(ERROR_EXTENSION_NOT_PRESENT)
        NAME(ERROR_FEATURE_NOT_PRESENT)
        NAME(ERROR_INCOMPATIBLE_DRIVER)
        NAME(ERROR_TOO_MANY_OBJECTS)
        NAME(ERROR_FRAGMENTED_POOL)
        NAME(ERROR_OUT_OF_POOL_MEMORY)
        NAME(ERROR_INVALID_EXTERNAL_HANDLE)
        NAME(ERROR_INVALID_SHADER_NV)
#undef NAME
    default:
        return "unknown error";
    }
}

/* The library stays loaded: drivers register exit handlers and start threads, and do not bear being unmapped. */
static bool load_library(struct vk_api *api, const struct wm_log *log) {
    static const char *const names[] = {
#ifdef __APPLE__
        "libvulkan.1.dylib",
        "libMoltenVK.dylib",
#else
        "libvulkan.so.1",
#endif
    };
    for (size_t i = 0; i < sizeof names / sizeof *names && !api->library; i++)
        api->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!api->library) {
        wm_device_log(log, WM_LOG_INFO, "WMR2201", "no Vulkan loader (%s)", names[0]);
        return false;
    }
    void *symbol = dlsym(api->library, "vkGetInstanceProcAddr");
    memcpy(&api->GetInstanceProcAddr, &symbol, sizeof symbol);
    return symbol != NULL;
}

#define LOAD(name, expression)              \
    api->name = (PFN_vk##name)(expression); \
    complete &= api->name != NULL;
#define LOAD_GLOBAL(name) LOAD(name, api->GetInstanceProcAddr(NULL, "vk" #name))
#define LOAD_INSTANCE(name) LOAD(name, api->GetInstanceProcAddr(instance, "vk" #name))
#define LOAD_OPTIONAL(name) api->name = (PFN_vk##name)api->GetInstanceProcAddr(instance, "vk" #name);
#define LOAD_DEVICE(name) LOAD(name, api->GetDeviceProcAddr(device, "vk" #name))
#define LOAD_OPTIONAL_DEVICE(name) api->name = (PFN_vk##name)api->GetDeviceProcAddr(device, "vk" #name);

static bool load_global_functions(struct vk_api *api) {
    bool complete = true;
    VK_GLOBAL_FUNCTIONS(LOAD_GLOBAL)
    return complete;
}

static bool load_instance_functions(struct vk_api *api, VkInstance instance) {
    bool complete = true;
    VK_INSTANCE_FUNCTIONS(LOAD_INSTANCE)
    VK_OPTIONAL_INSTANCE_FUNCTIONS(LOAD_OPTIONAL)
    return complete;
}

bool vk_load_device_functions(struct vk_api *api, VkDevice device) {
    bool complete = true;
    VK_DEVICE_FUNCTIONS(LOAD_DEVICE)
    VK_OPTIONAL_DEVICE_FUNCTIONS(LOAD_OPTIONAL_DEVICE)
    return complete;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data, void *user) {
    (void)severity;
    (void)types;
    struct vk_messages *messages = user;
    atomic_fetch_add(&messages->count, 1);
    wm_device_log(&messages->log, WM_LOG_ERROR, "WMR2204", "validation: %s",
                  data->pMessage ? data->pMessage : "no text");
    return VK_FALSE;
}

static bool has_validation_layer(const struct vk_api *api) {
    uint32_t count = 0;
    if (api->EnumerateInstanceLayerProperties(&count, NULL) != VK_SUCCESS || count == 0)
        return false;
    VkLayerProperties *layers = calloc(count, sizeof *layers);
    if (!layers)
        return false;
    bool found = false;
    if (api->EnumerateInstanceLayerProperties(&count, layers) >= 0)
        for (uint32_t i = 0; i < count; i++)
            found |= strcmp(layers[i].layerName, "VK_LAYER_KHRONOS_validation") == 0;
    free(layers);
    return found;
}

bool vk_instance_open(struct vk_instance *in, const struct wm_log *log, bool no_environment) {
    memset(in, 0, sizeof *in);
    in->messages.log = *log;
    struct vk_api *api = &in->api;
    if (!load_library(api, log))
        return false;
    if (!load_global_functions(api)) {
        wm_device_log(log, WM_LOG_WARNING, "WMR2202", "the Vulkan loader is older than version 1.1");
        vk_instance_close(in);
        return false;
    }
    const char *wanted = no_environment ? NULL : getenv("WASMETAL_VALIDATION");
    bool validate = wanted && strcmp(wanted, "1") == 0;
    if (validate && !has_validation_layer(api)) {
        wm_device_log(log, WM_LOG_WARNING, "WMR2203", "WASMETAL_VALIDATION=1, but there is no validation layer");
        validate = false;
    }
    uint32_t version = VK_API_VERSION_1_1;
    api->EnumerateInstanceVersion(&version);
    VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                     .pEngineName = "Wasmetal",
                                     .apiVersion = version < VK_API_VERSION_1_3 ? version : VK_API_VERSION_1_3};
    VkDebugUtilsMessengerCreateInfoEXT messenger = {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
                                                    .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                                                                       VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
                                                    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                                                                   VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
                                                    .pfnUserCallback = on_message,
                                                    .pUserData = &in->messages};
    static const char *const layers[] = {"VK_LAYER_KHRONOS_validation"};
    static const char *const extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pNext = validate ? &messenger : NULL,
                                 .pApplicationInfo = &application,
                                 .enabledLayerCount = validate,
                                 .ppEnabledLayerNames = layers,
                                 .enabledExtensionCount = validate,
                                 .ppEnabledExtensionNames = extensions};
    VkResult r =
        version < VK_API_VERSION_1_1 ? VK_ERROR_INCOMPATIBLE_DRIVER : api->CreateInstance(&info, NULL, &in->handle);
    if (r != VK_SUCCESS) {
        in->handle = NULL;
        wm_device_log(log, WM_LOG_WARNING, "WMR2202", "no Vulkan instance: %s", vk_result_name(r));
        vk_instance_close(in);
        return false;
    }
    if (!load_instance_functions(api, in->handle)) {
        wm_device_log(log, WM_LOG_WARNING, "WMR2202", "the Vulkan loader lacks functions of version 1.1");
        vk_instance_close(in);
        return false;
    }
    if (validate && api->CreateDebugUtilsMessengerEXT)
        api->CreateDebugUtilsMessengerEXT(in->handle, &messenger, NULL, &in->messenger);
    return true;
}

void vk_instance_close(struct vk_instance *in) {
    if (in->messenger)
        in->api.DestroyDebugUtilsMessengerEXT(in->handle, in->messenger, NULL);
    if (in->handle && in->api.DestroyInstance)
        in->api.DestroyInstance(in->handle, NULL);
    if (in->api.library)
        dlclose(in->api.library);
    in->messenger = VK_NULL_HANDLE;
    in->handle = NULL;
    in->api.library = NULL;
}
