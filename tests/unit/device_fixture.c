#include "device_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RESERVED ((uint64_t)1 << 32)

/* ---- native kernels: scalars[0] in, [1] out, [2..] further; box as in abi.h ---- */

static void map_cpu(uint8_t *memory, const uint64_t *scalars, const uint32_t *box) {
    for (uint64_t i = box[0]; i < box[1]; i++) {
        uint32_t value;
        memcpy(&value, memory + scalars[0] + 4 * i, 4);
        value = value * 3 + 1;
        memcpy(memory + scalars[1] + 4 * i, &value, 4);
    }
}

static void axpy_cpu(uint8_t *memory, const uint64_t *scalars, const uint32_t *box) {
    float a, x, y;
    uint32_t bits = (uint32_t)scalars[2];
    memcpy(&a, &bits, 4);
    for (uint64_t i = box[0]; i < box[1]; i++) {
        memcpy(&x, memory + scalars[0] + 4 * i, 4);
        memcpy(&y, memory + scalars[1] + 4 * i, 4);
        y = a * x + y;
        memcpy(memory + scalars[1] + 4 * i, &y, 4);
    }
}

static void grid_cpu(uint8_t *memory, const uint64_t *scalars, const uint32_t *box) {
    for (uint64_t z = box[4]; z < box[5]; z++)
        for (uint64_t y = box[2]; y < box[3]; y++)
            for (uint64_t x = box[0]; x < box[1]; x++) {
                uint32_t value = (uint32_t)(x | y << 10 | z << 20);
                memcpy(memory + scalars[1] + 4 * x + scalars[2] * y + scalars[3] * z, &value, 4);
            }
}

static void uniform_cpu(uint8_t *memory, const uint64_t *scalars, const uint32_t *box) {
    uint32_t sum = 0;
    for (unsigned i = 0; i < 40; i++)
        sum += (uint32_t)scalars[2 + i];
    for (uint64_t i = box[0]; i < box[1]; i++) {
        uint32_t value = (uint32_t)i + sum;
        memcpy(memory + scalars[1] + 4 * i, &value, 4);
    }
}

/* ---- the same in SPIR-V ---- */

/* Up to the start of the body; %gx %gy %gz are the point, already inside the extent.  Stream 0 is %in, 1 is %out. */
static const char *const text_head =
    "OpCapability Shader\n"
    "OpMemoryModel Logical GLSL450\n"
    "OpEntryPoint GLCompute %main \"main\" %gid\n"
    "OpExecutionMode %main LocalSize 16 2 1\n"
    "OpDecorate %gid BuiltIn GlobalInvocationId\n"
    "OpDecorate %words ArrayStride 4\n"
    "OpDecorate %block Block\n"
    "OpMemberDecorate %block 0 Offset 0\n"
    "OpDecorate %in DescriptorSet 0\nOpDecorate %in Binding 0\nOpDecorate %in Aliased\n"
    "OpDecorate %out DescriptorSet 0\nOpDecorate %out Binding 1\nOpDecorate %out Aliased\n"
    "OpDecorate %pblock Block\nOpMemberDecorate %pblock 0 Offset 0\n"
    "OpDecorate %product NoContraction\nOpDecorate %sum NoContraction\n";

static const char *const text_push = "OpDecorate %parray ArrayStride 4\n";
static const char *const text_ubo =
    "OpDecorate %parray ArrayStride 16\nOpDecorate %params DescriptorSet 0\nOpDecorate %params Binding 2\n";

static const char *const text_types =
    "%void = OpTypeVoid\n%bool = OpTypeBool\n%u = OpTypeInt 32 0\n%f = OpTypeFloat 32\n"
    "%v3 = OpTypeVector %u 3\n%v4 = OpTypeVector %u 4\n"
    "%words = OpTypeRuntimeArray %u\n%block = OpTypeStruct %words\n"
    "%pb = OpTypePointer StorageBuffer %block\n%pw = OpTypePointer StorageBuffer %u\n"
    "%pg = OpTypePointer Input %v3\n%gid = OpVariable %pg Input\n"
    "%in = OpVariable %pb StorageBuffer\n%out = OpVariable %pb StorageBuffer\n"
    "%fn = OpTypeFunction %void\n"
    "%c0 = OpConstant %u 0\n%c1 = OpConstant %u 1\n%c2 = OpConstant %u 2\n%c3 = OpConstant %u 3\n"
    "%c4 = OpConstant %u 4\n%c5 = OpConstant %u 5\n%c6 = OpConstant %u 6\n%c7 = OpConstant %u 7\n"
    "%c8 = OpConstant %u 8\n%c9 = OpConstant %u 9\n%c10 = OpConstant %u 10\n%c20 = OpConstant %u 20\n"
    "%c32 = OpConstant %u 32\n%c46 = OpConstant %u 46\n%c48 = OpConstant %u 48\n";

static const char *const text_push_types =
    "%parray = OpTypeArray %u %c32\n%pblock = OpTypeStruct %parray\n%pp = OpTypePointer PushConstant %pblock\n"
    "%pword = OpTypePointer PushConstant %u\n%params = OpVariable %pp PushConstant\n";
static const char *const text_ubo_types =
    "%parray = OpTypeArray %v4 %c48\n%pblock = OpTypeStruct %parray\n%pp = OpTypePointer Uniform %pblock\n"
    "%pword = OpTypePointer Uniform %u\n%params = OpVariable %pp Uniform\n";

static void param(char *text, size_t size, const char *name, unsigned index, bool uniform) {
    size_t used = strlen(text);
    if (uniform)
        snprintf(text + used, size - used,
                 "%%p_%s = OpAccessChain %%pword %%params %%c0 %%c%u %%c%u\n%%%s = OpLoad %%u %%p_%s\n", name,
                 index / 4, index % 4, name, name);
    else
        snprintf(text + used, size - used,
                 "%%p_%s = OpAccessChain %%pword %%params %%c0 %%c%u\n%%%s = OpLoad %%u %%p_%s\n", name, index, name,
                 name);
}

/* %index_in and %index_out: words of the scalars' addresses inside the bindings, plus the point's share. */
static const char *const text_indices =
    "%in_bytes = OpISub %u %in_address %in_base\n%in_word = OpShiftRightLogical %u %in_bytes %c2\n"
    "%out_bytes = OpISub %u %out_address %out_base\n%out_word = OpShiftRightLogical %u %out_bytes %c2\n"
    "%index_in = OpIAdd %u %in_word %gx\n%index_out = OpIAdd %u %out_word %gx\n"
    "%pin = OpAccessChain %pw %in %c0 %index_in\n%pout = OpAccessChain %pw %out %c0 %index_out\n";

static const char *const bodies[KERNEL_COUNT] = {
    [KERNEL_MAP] = "%value = OpLoad %u %pin\n%tripled = OpIMul %u %value %c3\n%result = OpIAdd %u %tripled %c1\n"
                   "OpStore %pout %result\n",
    [KERNEL_AXPY] = "%xbits = OpLoad %u %pin\n%x = OpBitcast %f %xbits\n%ybits = OpLoad %u %pout\n"
                    "%y = OpBitcast %f %ybits\n%a = OpBitcast %f %s0\n%product = OpFMul %f %a %x\n"
                    "%sum = OpFAdd %f %product %y\n%result = OpBitcast %u %sum\nOpStore %pout %result\n",
    [KERNEL_GRID] = "%ybytes = OpIMul %u %gy %s0\n%zbytes = OpIMul %u %gz %s1\n%yz = OpIAdd %u %ybytes %zbytes\n"
                    "%yz_word = OpShiftRightLogical %u %yz %c2\n%index = OpIAdd %u %index_out %yz_word\n"
                    "%pcell = OpAccessChain %pw %out %c0 %index\n%y10 = OpShiftLeftLogical %u %gy %c10\n"
                    "%z20 = OpShiftLeftLogical %u %gz %c20\n%xy = OpBitwiseOr %u %gx %y10\n"
                    "%result = OpBitwiseOr %u %xy %z20\nOpStore %pcell %result\n",
};

static bool assemble(const char *text, struct wm_spirv *out) {
    char source[] = "/tmp/wm-device-XXXXXX", binary[64], command[256];
    int fd = mkstemp(source);
    if (fd < 0)
        return false;
    snprintf(binary, sizeof binary, "%s.spv", source);
    FILE *f = fdopen(fd, "w");
    fputs(text, f);
    fclose(f);
    snprintf(command, sizeof command, "spirv-as --target-env vulkan1.1 -o %s %s && spirv-val --target-env vulkan1.1 %s",
             binary, source, binary);
    bool good = system(command) == 0;
    FILE *b = good ? fopen(binary, "rb") : NULL;
    uint32_t *words = malloc(65536);
    size_t n = b && words ? fread(words, 4, 16384, b) : 0;
    if (b)
        fclose(b);
    unlink(source);
    unlink(binary);
    out->caps = 0;
    out->words = words;
    out->nwords = n;
    return n > 5;
}

static bool assemble_kernel(enum device_kernel kernel, unsigned plus, struct wm_spirv *out) {
    static char text[32768];
    bool uniform = kernel == KERNEL_UNIFORM;
    snprintf(text, sizeof text,
             "%s%s%s%s%%main = OpFunction %%void None %%fn\n%%entry = OpLabel\n%%point = OpLoad %%v3 %%gid\n"
             "%%local_x = OpCompositeExtract %%u %%point 0\n%%gy = OpCompositeExtract %%u %%point 1\n"
             "%%gz = OpCompositeExtract %%u %%point 2\n",
             text_head, uniform ? text_ubo : text_push, text_types, uniform ? text_ubo_types : text_push_types);
    static const char *const names[] = {"nx",       "ny",         "nz",          "x_base", "in_base",
                                        "out_base", "in_address", "out_address", "s0",     "s1"};
    for (unsigned i = 0; i < 10; i++)
        param(text, sizeof text, names[i], i, uniform);
    strcat(text,
           "%gx = OpIAdd %u %local_x %x_base\n%bx = OpULessThan %bool %gx %nx\n%by = OpULessThan %bool %gy %ny\n"
           "%bz = OpULessThan %bool %gz %nz\n%bxy = OpLogicalAnd %bool %bx %by\n%b = OpLogicalAnd %bool %bxy %bz\n"
           "OpSelectionMerge %done None\nOpBranchConditional %b %body %done\n%body = OpLabel\n");
    strcat(text, text_indices);
    if (uniform) {
        size_t used = strlen(text);
        used += (size_t)sprintf(text + used, "%%t0 = OpIAdd %%u %%gx %%c0\n");
        for (unsigned i = 0; i < 40; i++)
            used +=
                (size_t)sprintf(text + used,
                                "%%q%u = OpAccessChain %%pword %%params %%c0 %%k%u %%c%u\n%%w%u = OpLoad %%u %%q%u\n"
                                "%%t%u = OpIAdd %%u %%t%u %%w%u\n",
                                i, (i + 8) / 4, (i + 8) % 4, i, i, i + 1, i, i);
        sprintf(text + used, "OpStore %%pout %%t40\n");
    } else {
        enum device_kernel body = kernel == KERNEL_DOUBLE || kernel == KERNEL_VARIANTS ? KERNEL_MAP : kernel;
        strcat(text, bodies[body]);
    }
    strcat(text, "OpBranch %done\n%done = OpLabel\nOpReturn\nOpFunctionEnd\n");
    if (uniform) { /* constants of the vec4 indices */
        char *at = strstr(text, "%parray = OpTypeArray");
        char constants[512] = "", *end = constants;
        for (unsigned i = 2; i < 12; i++)
            end += sprintf(end, "%%k%u = OpConstant %%u %u\n", i, i);
        memmove(at + strlen(constants), at, strlen(at) + 1);
        memcpy(at, constants, strlen(constants));
    }
    if (kernel != KERNEL_AXPY) { /* the decorated names exist only there */
        char *at = strstr(text, "OpDecorate %product"), *end = strstr(at, "OpDecorate %parray");
        memmove(at, end, strlen(end) + 1);
    }
    if (plus == 2) {
        char *at = strstr(text, "%result = OpIAdd %u %tripled %c1");
        at[strlen("%result = OpIAdd %u %tripled %c")] = '2';
    }
    return assemble(text, out);
}

/* ---- descriptions for the guard ---- */

static struct wm_dim dims[3] = {
    {.rel = OFF_TRIP_LT_U,
     .bits = 32,
     .top_tested = 1,
     .parallel = 1,
     .axis = 2,
     .parent = -1,
     .init_slot = SLOT_ZERO,
     .step_slot = SLOT_ONE,
     .bound_slot = SLOT_NZ,
     .when_slot = WM_NO_SLOT,
     .ops = 1},
    {.rel = OFF_TRIP_LT_U,
     .bits = 32,
     .top_tested = 1,
     .parallel = 1,
     .axis = 1,
     .parent = 0,
     .init_slot = SLOT_ZERO,
     .step_slot = SLOT_ONE,
     .bound_slot = SLOT_NY,
     .when_slot = WM_NO_SLOT,
     .ops = 1},
    {.rel = OFF_TRIP_LT_U,
     .bits = 32,
     .top_tested = 1,
     .parallel = 1,
     .axis = 0,
     .parent = 1,
     .init_slot = SLOT_ZERO,
     .step_slot = SLOT_ONE,
     .bound_slot = SLOT_NX,
     .when_slot = WM_NO_SLOT,
     .ops = 5},
};

#define NO WM_NO_SLOT
#define IN_STRIDES \
    { NO, NO, SLOT_SX, NO, NO, NO, NO, NO }
#define OUT_STRIDES \
    { SLOT_SZ, SLOT_SY, SLOT_SX, NO, NO, NO, NO, NO }

static struct wm_access map_accesses[] = {
    {.stream = 0, .bytes = 4, .align = 4, .base_slot = SLOT_IN, .stride_slot = IN_STRIDES, .when_slot = NO},
    {.stream = 1,
     .write = 1,
     .bytes = 4,
     .align = 4,
     .base_slot = SLOT_OUT,
     .stride_slot = OUT_STRIDES,
     .when_slot = NO},
    {.stream = 1,
     .write = 0,
     .bytes = 4,
     .align = 4,
     .base_slot = SLOT_OUT,
     .stride_slot = OUT_STRIDES,
     .when_slot = NO},
};
static struct wm_stream map_streams[] = {{1, 0, 4, 4, 0, 0}, {0, 1, 4, 4, 0, 0}};
static struct wm_stream update_streams[] = {{1, 0, 4, 4, 0, 0}, {1, 1, 4, 4, 0, 0}};
static struct wm_scalar scalars[42];

static void on_log(void *user, int level, const char *id, const char *message) {
    struct device_fixture *f = user;
    if (getenv("DEVICE_TEST_LOG"))
        fprintf(stderr, "[%d %s] %s\n", level, id, message);
    if (level <= WM_LOG_WARNING) {
        snprintf(f->last_id, sizeof f->last_id, "%s", id);
        snprintf(f->last_message, sizeof f->last_message, "%s", message);
    }
    f->errors += level == WM_LOG_ERROR;
}

bool device_fixture_open(struct device_fixture *f, uint64_t memory_bytes, bool with_spirv) {
    static wm_cpu_kernel *const natives[KERNEL_COUNT] = {map_cpu, axpy_cpu, grid_cpu, uniform_cpu, map_cpu, map_cpu};
    static const char *const names[KERNEL_COUNT] = {"map", "axpy", "grid", "uniform", "double", "variants"};
    memset(f, 0, sizeof *f);
    scalars[0] = (struct wm_scalar){.type = IR_I32, .slot = SLOT_IN};
    scalars[1] = (struct wm_scalar){.type = IR_I32, .slot = SLOT_OUT};
    for (unsigned i = 0; i < 40; i++)
        scalars[2 + i] = (struct wm_scalar){.type = IR_I32, .slot = SLOT_SCALARS + i};
    for (unsigned i = 0; i < KERNEL_COUNT; i++) {
        struct wm_kernel *k = &f->kernels[i];
        bool update = i == KERNEL_AXPY;
        *k = (struct wm_kernel){.name = names[i],
                                .id = i,
                                .ngrid = 3,
                                .ndims = 3,
                                .dims = dims,
                                .accesses = map_accesses,
                                .naccesses = update ? 3 : 2,
                                .nstreams = 2,
                                .scalars = scalars,
                                .nscalars = 4,
                                .nslots = FIXTURE_SLOTS,
                                .workgroup = {16, 2, 1},
                                .cpu = natives[i],
                                .msl = device_fixture_msl[i]};
        k->streams = update ? update_streams : map_streams;
        if (i == KERNEL_UNIFORM)
            k->nscalars = 42;
        k->spirv = f->spirv[i];
        if (!with_spirv)
            continue;
        k->nspirv = 1;
        if (!assemble_kernel(i, 1, &f->spirv[i][0]))
            return false;
        if (i == KERNEL_DOUBLE)
            f->spirv[i][0].caps = OFF_CAP_FLOAT64;
        if (i == KERNEL_VARIANTS) {
            if (!assemble_kernel(i, 2, &f->spirv[i][1]))
                return false;
            f->spirv[i][1].caps = OFF_CAP_FLOAT64;
            k->nspirv = 2;
        }
    }
    f->module.kernels = f->kernels;
    f->module.nkernels = KERNEL_COUNT;
    /* Aligned as the runtime's memories are, to 64 KiB. */
    uint8_t *reserved = mmap(NULL, RESERVED + 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED)
        return false;
    size_t before = -(uintptr_t)reserved & 65535;
    f->memory.base = reserved + before;
    if (before)
        munmap(reserved, before);
    munmap(f->memory.base + RESERVED, 65536 - before);
    f->memory.max_bytes = RESERVED;
    f->log = (struct wm_log){on_log, f};
    device_fixture_grow(f, memory_bytes);
    return true;
}

void device_fixture_grow(struct device_fixture *f, uint64_t memory_bytes) {
    if (mprotect(f->memory.base, memory_bytes, PROT_READ | PROT_WRITE) != 0)
        abort();
    f->memory.bytes = memory_bytes;
}

void device_fixture_close(struct device_fixture *f) {
    for (unsigned i = 0; i < KERNEL_COUNT; i++)
        for (unsigned v = 0; v < 2; v++)
            free((void *)(uintptr_t)f->spirv[i][v].words);
    munmap(f->memory.base, RESERVED);
}

void device_fixture_line(struct device_fixture *f, uint32_t in, uint32_t out, uint32_t n) {
    memset(f->slots, 0, sizeof f->slots);
    f->slots[SLOT_NX] = n;
    f->slots[SLOT_NY] = f->slots[SLOT_NZ] = f->slots[SLOT_ONE] = 1;
    f->slots[SLOT_IN] = in;
    f->slots[SLOT_OUT] = out;
    f->slots[SLOT_SX] = 4;
}

struct wm_offload *device_fixture_offload(struct device_fixture *f, const char *device) {
    struct wm_offload_desc desc = {
        .module = &f->module, .memory = &f->memory, .device = device, .log = f->log.fn, .log_user = f->log.user};
    return wm_offload_open(&desc);
}
