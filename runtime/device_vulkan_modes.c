/* Float-controls modes: telling the driver to keep subnormals, signed zeros, infinities and NaN, and to round to
 * nearest.
 *
 * Whether a device offers these modes is known only at run time, and asking for one that it lacks makes a shader
 * invalid.  So compiled kernels ask for none, and the modes a device has are written into the SPIR-V before it is given
 * to the driver: capabilities and the extension in front, execution modes after those of the entry point.  Drivers that
 * flush subnormals by default (NVIDIA's does) then compute exactly; the probe's kernel is treated the same way, so its
 * verdict holds for the others.
 *
 * Numbers: SPV_KHR_float_controls, revision 5; layout of a module: SPIR-V 1.3, section 2.4.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/device_vulkan.h"

enum {
    OP_EXTENSION = 10,
    OP_ENTRY_POINT = 15,
    OP_EXECUTION_MODE = 16,
    OP_CAPABILITY = 17,
    CAPABILITY_FLOAT64 = 10,
    HEADER_WORDS = 5,
    MODES = 3,
    ADDED_WORDS_MOST = MODES * 2 + 7 + 2 * MODES * 4,
};

static const struct {
    uint32_t capability, mode;
} modes[MODES] = {
    {4464, 4459}, /* DenormPreserve */
    {4466, 4461}, /* SignedZeroInfNanPreserve */
    {4467, 4462}, /* RoundingModeRTE */
};

/* Bit i of a width's set: modes[i]. */
#define MODES_OF_32(set) ((set)&7)
#define MODES_OF_64(set) ((set) >> 3 & 7)

void vk_describe_float_modes(const struct vk_instance *in, VkPhysicalDevice physical, struct vk_traits *t) {
    VkPhysicalDeviceFloatControlsProperties f = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &f};
    in->api.GetPhysicalDeviceProperties2(physical, &properties);
    uint32_t narrow = (f.shaderDenormPreserveFloat32 ? 1 : 0) | (f.shaderSignedZeroInfNanPreserveFloat32 ? 2 : 0) |
                      (f.shaderRoundingModeRTEFloat32 ? 4 : 0);
    uint32_t wide = (f.shaderDenormPreserveFloat64 ? 1 : 0) | (f.shaderSignedZeroInfNanPreserveFloat64 ? 2 : 0) |
                    (f.shaderRoundingModeRTEFloat64 ? 4 : 0);
    /* Widths that cannot be set apart are set alike or, when one lacks the mode, not at all. */
    if (f.denormBehaviorIndependence == VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_NONE && ((narrow ^ wide) & 1)) {
        narrow &= ~1u;
        wide &= ~1u;
    }
    if (f.roundingModeIndependence == VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_NONE && ((narrow ^ wide) & 4)) {
        narrow &= ~4u;
        wide &= ~4u;
    }
    t->float_modes = narrow | wide << 3;
}

struct layout {
    size_t capabilities_end, modes_end; /* word offsets where more can be put in */
    uint32_t entry_point;
    bool float64;
};

static bool read_layout(const uint32_t *words, size_t n, struct layout *out) {
    *out = (struct layout){0};
    for (size_t at = HEADER_WORDS; at < n;) {
        uint32_t op = words[at] & 0xffff, length = words[at] >> 16;
        if (length == 0 || length > n - at)
            return false;
        if (op == OP_CAPABILITY) {
            out->capabilities_end = at + length;
            out->float64 |= length > 1 && words[at + 1] == CAPABILITY_FLOAT64;
        } else if (op == OP_ENTRY_POINT && length > 2) {
            out->entry_point = words[at + 2];
        } else if (op == OP_EXECUTION_MODE) {
            out->modes_end = at + length;
        } else if (out->modes_end) {
            break; /* past the sections that matter */
        }
        at += length;
    }
    return out->capabilities_end && out->modes_end && out->entry_point;
}

static uint32_t *append(uint32_t *to, const uint32_t *words, size_t n) {
    memcpy(to, words, n * sizeof *words);
    return to + n;
}

uint32_t *vk_add_float_modes(const struct vk_traits *t, const uint32_t *words, size_t n, size_t *out_n) {
    struct layout l;
    uint32_t *out = malloc((n + ADDED_WORDS_MOST) * sizeof *out), *to = out;
    if (!out)
        return NULL;
    uint32_t narrow = MODES_OF_32(t->float_modes), wide = MODES_OF_64(t->float_modes);
    if (!read_layout(words, n, &l) || !(narrow | wide)) {
        memcpy(out, words, n * sizeof *words);
        *out_n = n;
        return out;
    }
    wide = l.float64 ? wide : 0;
    to = append(to, words, l.capabilities_end);
    for (uint32_t i = 0; i < MODES; i++)
        if ((narrow | wide) >> i & 1)
            to = append(to, (const uint32_t[]){2 << 16 | OP_CAPABILITY, modes[i].capability}, 2);
    uint32_t extension[7] = {7 << 16 | OP_EXTENSION}; /* 22 characters and a NUL: six words */
    memcpy(extension + 1, "SPV_KHR_float_controls", sizeof "SPV_KHR_float_controls");
    to = append(to, extension, 7);
    to = append(to, words + l.capabilities_end, l.modes_end - l.capabilities_end);
    for (uint32_t i = 0; i < MODES; i++) {
        const uint32_t head = 4 << 16 | OP_EXECUTION_MODE;
        if (narrow >> i & 1)
            to = append(to, (const uint32_t[]){head, l.entry_point, modes[i].mode, 32}, 4);
        if (wide >> i & 1)
            to = append(to, (const uint32_t[]){head, l.entry_point, modes[i].mode, 64}, 4);
    }
    to = append(to, words + l.modes_end, n - l.modes_end);
    *out_n = (size_t)(to - out);
    return out;
}
