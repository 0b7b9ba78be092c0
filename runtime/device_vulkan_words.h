/* A small SPIR-V writer, for the kernels that the Vulkan device makes itself: the probe of exactness
 * (device_vulkan_probe.c) and the measurement of speed (device_vulkan_measure.c). */
#ifndef WASMETAL_RUNTIME_DEVICE_VULKAN_WORDS_H
#define WASMETAL_RUNTIME_DEVICE_VULKAN_WORDS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { VK_MODULE_WORDS = 2048 };

/* Numbers from the SPIR-V specification, version 1.3. */
enum {
    OP_EXT_INST_IMPORT = 11,
    OP_EXT_INST = 12,
    OP_MEMORY_MODEL = 14,
    OP_ENTRY_POINT = 15,
    OP_EXECUTION_MODE = 16,
    OP_CAPABILITY = 17,
    OP_TYPE_VOID = 19,
    OP_TYPE_BOOL = 20,
    OP_TYPE_INT = 21,
    OP_TYPE_FLOAT = 22,
    OP_TYPE_VECTOR = 23,
    OP_TYPE_RUNTIME_ARRAY = 29,
    OP_TYPE_STRUCT = 30,
    OP_TYPE_POINTER = 32,
    OP_TYPE_FUNCTION = 33,
    OP_CONSTANT = 43,
    OP_FUNCTION = 54,
    OP_FUNCTION_END = 56,
    OP_VARIABLE = 59,
    OP_LOAD = 61,
    OP_STORE = 62,
    OP_ACCESS_CHAIN = 65,
    OP_DECORATE = 71,
    OP_MEMBER_DECORATE = 72,
    OP_COMPOSITE_CONSTRUCT = 80,
    OP_COMPOSITE_EXTRACT = 81,
    OP_CONVERT_F_TO_S = 110,
    OP_CONVERT_S_TO_F = 111,
    OP_BITCAST = 124,
    OP_I_ADD = 128,
    OP_F_ADD = 129,
    OP_F_SUB = 131,
    OP_I_MUL = 132,
    OP_F_MUL = 133,
    OP_F_DIV = 136,
    OP_SELECT = 169,
    OP_F_ORD_EQUAL = 180,
    OP_F_ORD_LESS_THAN = 184,
    OP_I_EQUAL = 170,
    OP_U_LESS_THAN = 176,
    OP_SHIFT_RIGHT_LOGICAL = 194,
    OP_BITWISE_XOR = 198,
    OP_BITWISE_AND = 199,
    OP_PHI = 245,
    OP_LOOP_MERGE = 246,
    OP_SELECTION_MERGE = 247,
    OP_LABEL = 248,
    OP_BRANCH = 249,
    OP_BRANCH_CONDITIONAL = 250,
    OP_RETURN = 253,

    CAPABILITY_SHADER = 1,
    CAPABILITY_FLOAT64 = 10,
    DECORATION_BLOCK = 2,
    DECORATION_ARRAY_STRIDE = 6,
    DECORATION_BUILT_IN = 11,
    DECORATION_BINDING = 33,
    DECORATION_DESCRIPTOR_SET = 34,
    DECORATION_OFFSET = 35,
    DECORATION_NO_CONTRACTION = 42,
    STORAGE_CLASS_INPUT = 1,
    STORAGE_CLASS_STORAGE_BUFFER = 12,
    BUILT_IN_GLOBAL_INVOCATION_ID = 28,
    GLSL_STD_450_SQRT = 31,
    GLSL_STD_450_FMIN = 37,
    GLSL_STD_450_FMAX = 40,
};

struct vk_words {
    uint32_t words[VK_MODULE_WORDS];
    uint32_t count, next_id;
};

/* Appends an instruction; its length comes from the argument list. */
static inline void emit_words(struct vk_words *w, uint32_t op, const uint32_t *operands, uint32_t n) {
    if (w->count + n + 1 > VK_MODULE_WORDS)
        abort(); /* a bug of ours: the module's size is the same in every run */
    w->words[w->count++] = (n + 1) << 16 | op;
    memcpy(&w->words[w->count], operands, n * sizeof *operands);
    w->count += n;
}

#define EMIT(w, op, ...) \
    emit_words((w), (op), (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* Characters of a name as a literal string: four at a time, lowest first. */
#define CHARS(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

#endif
