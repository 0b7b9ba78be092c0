/* How fast a Vulkan device is: the kernels of device_measure.c in SPIR-V, launched as kernels are.
 *
 * The copy works on pages of ours that are imported as linear memory is, so that a discrete GPU reaches them over the
 * bus.  The chain begins with a word of them and stores only if it comes out as one number in four thousand million: no
 * compiler can leave it out, and no memory is in its way.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "runtime/device_vulkan.h"
#include "runtime/device_vulkan_words.h"

enum { WORKGROUP = 64, UNROLLED = 8, HALF = WM_MEASURED_POINTS * 4 };

_Static_assert(WM_CHAIN_ROUNDS % UNROLLED == 0, "a loop of whole bodies");

enum {
    ID_MAIN = 1,
    ID_GID,
    ID_VOID,
    ID_BOOL,
    ID_UINT,
    ID_UVEC3,
    ID_ARRAY,
    ID_BLOCK,
    ID_BLOCK_POINTER,
    ID_WORD_POINTER,
    ID_GID_POINTER,
    ID_FUNCTION_TYPE,
    ID_IN,
    ID_OUT,
    ID_ZERO,
    ID_ONE,
    ID_MULTIPLIER,
    ID_INCREMENT,
    ID_SHIFT,
    ID_LOW_BITS,
    ID_TRIPS,
    LAST_ID,
};

static void write_declarations(struct vk_words *w) {
    EMIT(w, OP_CAPABILITY, CAPABILITY_SHADER);
    EMIT(w, OP_MEMORY_MODEL, 0, 1);                                            /* Logical GLSL450 */
    EMIT(w, OP_ENTRY_POINT, 5, ID_MAIN, CHARS('m', 'a', 'i', 'n'), 0, ID_GID); /* GLCompute */
    EMIT(w, OP_EXECUTION_MODE, ID_MAIN, 17, WORKGROUP, 1, 1);                  /* LocalSize */
    EMIT(w, OP_DECORATE, ID_GID, DECORATION_BUILT_IN, BUILT_IN_GLOBAL_INVOCATION_ID);
    EMIT(w, OP_DECORATE, ID_ARRAY, DECORATION_ARRAY_STRIDE, 4);
    EMIT(w, OP_DECORATE, ID_BLOCK, DECORATION_BLOCK);
    EMIT(w, OP_MEMBER_DECORATE, ID_BLOCK, 0, DECORATION_OFFSET, 0);
    for (uint32_t v = 0; v < 2; v++) {
        EMIT(w, OP_DECORATE, ID_IN + v, DECORATION_DESCRIPTOR_SET, 0);
        EMIT(w, OP_DECORATE, ID_IN + v, DECORATION_BINDING, v);
    }
    EMIT(w, OP_TYPE_VOID, ID_VOID);
    EMIT(w, OP_TYPE_BOOL, ID_BOOL);
    EMIT(w, OP_TYPE_INT, ID_UINT, 32, 0);
    EMIT(w, OP_TYPE_VECTOR, ID_UVEC3, ID_UINT, 3);
    EMIT(w, OP_TYPE_RUNTIME_ARRAY, ID_ARRAY, ID_UINT);
    EMIT(w, OP_TYPE_STRUCT, ID_BLOCK, ID_ARRAY);
    EMIT(w, OP_TYPE_POINTER, ID_BLOCK_POINTER, STORAGE_CLASS_STORAGE_BUFFER, ID_BLOCK);
    EMIT(w, OP_TYPE_POINTER, ID_WORD_POINTER, STORAGE_CLASS_STORAGE_BUFFER, ID_UINT);
    EMIT(w, OP_TYPE_POINTER, ID_GID_POINTER, STORAGE_CLASS_INPUT, ID_UVEC3);
    EMIT(w, OP_TYPE_FUNCTION, ID_FUNCTION_TYPE, ID_VOID);
    EMIT(w, OP_VARIABLE, ID_GID_POINTER, ID_GID, STORAGE_CLASS_INPUT);
    EMIT(w, OP_VARIABLE, ID_BLOCK_POINTER, ID_IN, STORAGE_CLASS_STORAGE_BUFFER);
    EMIT(w, OP_VARIABLE, ID_BLOCK_POINTER, ID_OUT, STORAGE_CLASS_STORAGE_BUFFER);
    EMIT(w, OP_CONSTANT, ID_UINT, ID_ZERO, 0);
    EMIT(w, OP_CONSTANT, ID_UINT, ID_ONE, 1);
    EMIT(w, OP_CONSTANT, ID_UINT, ID_MULTIPLIER, WM_CHAIN_MULTIPLIER);
    EMIT(w, OP_CONSTANT, ID_UINT, ID_INCREMENT, WM_CHAIN_INCREMENT);
    EMIT(w, OP_CONSTANT, ID_UINT, ID_SHIFT, WM_CHAIN_SHIFT);
    EMIT(w, OP_CONSTANT, ID_UINT, ID_LOW_BITS, WORKGROUP - 1);
    EMIT(w, OP_CONSTANT, ID_UINT, ID_TRIPS, WM_CHAIN_ROUNDS / UNROLLED);
}

static uint32_t binary(struct vk_words *w, uint32_t op, uint32_t a, uint32_t b) {
    uint32_t id = w->next_id++;
    EMIT(w, op, op == OP_I_EQUAL || op == OP_U_LESS_THAN ? ID_BOOL : ID_UINT, id, a, b);
    return id;
}

static uint32_t word_pointer(struct vk_words *w, uint32_t variable, uint32_t index) {
    uint32_t pointer = w->next_id++;
    EMIT(w, OP_ACCESS_CHAIN, ID_WORD_POINTER, pointer, variable, ID_ZERO, index);
    return pointer;
}

static uint32_t load_word(struct vk_words *w, uint32_t index) {
    uint32_t pointer = word_pointer(w, ID_IN, index), value = w->next_id++;
    EMIT(w, OP_LOAD, ID_UINT, value, pointer);
    return value;
}

/*     h = x * multiplier + in[x & 63]
 *     loop (i = 0; i < trips; i++) { rounds }
 *     if (h == increment) out[x & 63] = h */
static void write_chain(struct vk_words *w, uint32_t x, uint32_t entry) {
    uint32_t header = w->next_id++, check = w->next_id++, body = w->next_id++, next = w->next_id++;
    uint32_t after = w->next_id++, store = w->next_id++, end = w->next_id++;
    uint32_t h = w->next_id++, i = w->next_id++, h_next = w->next_id++, i_next = w->next_id++;
    uint32_t low = binary(w, OP_BITWISE_AND, x, ID_LOW_BITS);
    uint32_t first = binary(w, OP_I_ADD, binary(w, OP_I_MUL, x, ID_MULTIPLIER), load_word(w, low));
    EMIT(w, OP_BRANCH, header);
    EMIT(w, OP_LABEL, header);
    EMIT(w, OP_PHI, ID_UINT, h, first, entry, h_next, next);
    EMIT(w, OP_PHI, ID_UINT, i, ID_ZERO, entry, i_next, next);
    EMIT(w, OP_LOOP_MERGE, after, next, 0);
    EMIT(w, OP_BRANCH, check);
    EMIT(w, OP_LABEL, check);
    EMIT(w, OP_BRANCH_CONDITIONAL, binary(w, OP_U_LESS_THAN, i, ID_TRIPS), body, after);
    EMIT(w, OP_LABEL, body);
    uint32_t value = h;
    for (int r = 0; r < UNROLLED; r++) {
        value = binary(w, OP_I_ADD, binary(w, OP_I_MUL, value, ID_MULTIPLIER), ID_INCREMENT);
        uint32_t shifted = binary(w, OP_SHIFT_RIGHT_LOGICAL, value, ID_SHIFT);
        uint32_t id = r + 1 < UNROLLED ? w->next_id++ : h_next;
        EMIT(w, OP_BITWISE_XOR, ID_UINT, id, value, shifted);
        value = id;
    }
    EMIT(w, OP_BRANCH, next);
    EMIT(w, OP_LABEL, next);
    EMIT(w, OP_I_ADD, ID_UINT, i_next, i, ID_ONE);
    EMIT(w, OP_BRANCH, header);
    EMIT(w, OP_LABEL, after);
    uint32_t rare = binary(w, OP_I_EQUAL, h, ID_INCREMENT);
    EMIT(w, OP_SELECTION_MERGE, end, 0);
    EMIT(w, OP_BRANCH_CONDITIONAL, rare, store, end);
    EMIT(w, OP_LABEL, store);
    EMIT(w, OP_STORE, word_pointer(w, ID_OUT, low), h);
    EMIT(w, OP_BRANCH, end);
    EMIT(w, OP_LABEL, end);
}

static void write_module(struct vk_words *w, enum wm_measured what) {
    w->words[0] = 0x07230203; /* magic */
    w->words[1] = 0x00010300; /* version 1.3 */
    w->words[2] = 0;          /* no registered generator */
    w->words[4] = 0;
    w->count = 5;
    w->next_id = LAST_ID;
    write_declarations(w);
    EMIT(w, OP_FUNCTION, ID_VOID, ID_MAIN, 0, ID_FUNCTION_TYPE);
    uint32_t entry = w->next_id++, gid = w->next_id++, x = w->next_id++;
    EMIT(w, OP_LABEL, entry);
    EMIT(w, OP_LOAD, ID_UVEC3, gid, ID_GID);
    EMIT(w, OP_COMPOSITE_EXTRACT, ID_UINT, x, gid, 0);
    if (what == WM_MEASURED_CHAIN) {
        write_chain(w, x, entry);
    } else {
        uint32_t value = binary(w, OP_I_ADD, load_word(w, x), ID_ONE);
        EMIT(w, OP_STORE, word_pointer(w, ID_OUT, x), value);
    }
    w->words[w->count++] = 1 << 16 | OP_RETURN;
    w->words[w->count++] = 1 << 16 | OP_FUNCTION_END;
    w->words[3] = w->next_id;
}

struct measurement {
    struct vulkan_device *device;
    struct vk_layout *layout;
    struct vk_window window; /* the words read, and behind them those written */
    VkPipeline pipelines[2]; /* by enum wm_measured */
};

static double run_measured(void *context, enum wm_measured what, uint32_t points) {
    struct measurement *m = context;
    struct vulkan_device *d = m->device;
    const VkDescriptorBufferInfo buffers[2] = {{m->window.buffer, 0, HALF}, {m->window.buffer, HALF, HALF}};
    bool submitted = false;
    double start = wm_measure_now();
    VkResult r = vk_begin(d);
    if (r == VK_SUCCESS) {
        d->vk->CmdBindPipeline(d->commands, VK_PIPELINE_BIND_POINT_COMPUTE, m->pipelines[what]);
        r = vk_bind_buffers(d, m->layout, buffers, 2, false);
    }
    if (r == VK_SUCCESS) {
        d->vk->CmdDispatch(d->commands, points / WORKGROUP, 1, 1);
        r = vk_submit_and_wait(d, 0, &submitted);
        d->base.dead |= r != VK_SUCCESS && submitted;
    }
    return r == VK_SUCCESS ? wm_measure_now() - start : -1;
}

static bool make_pipelines(struct measurement *m) {
    struct vk_words *w = calloc(1, sizeof *w);
    bool made = w && (m->layout = vk_layout_get(m->device, 2, false));
    for (int what = 0; made && what < 2; what++) {
        write_module(w, (enum wm_measured)what);
        made =
            vk_pipeline_compile(m->device, w->words, w->count, m->layout->pipeline, &m->pipelines[what]) == VK_SUCCESS;
    }
    free(w);
    return made;
}

bool vk_measure(struct wm_device *base, struct wm_rates *out) {
    struct measurement m = {.device = (struct vulkan_device *)base, .window = {.bytes = 2 * HALF}};
    struct vulkan_device *d = m.device;
    const VkPhysicalDeviceLimits *limits = &d->traits.properties.limits;
    if (base->dead || limits->maxComputeWorkGroupSize[0] < WORKGROUP || d->traits.import_alignment > HALF ||
        HALF % limits->minStorageBufferOffsetAlignment || d->traits.max_window < m.window.bytes)
        return false;
    /* As linear memory: whole pages, aligned to what the device wants. */
    size_t reserved = m.window.bytes + d->traits.import_alignment;
    char *pages = mmap(NULL, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return false;
    char *aligned = pages + (-(uintptr_t)pages & (d->traits.import_alignment - 1));
    memset(aligned, 0, m.window.bytes);
    bool done = make_pipelines(&m) && vk_import_window(d, aligned, &m.window) == VK_SUCCESS &&
                wm_measure_device(run_measured, &m, out);
    if (done && base->software) /* its threads take whole workgroups */
        out->step = out->step < WORKGROUP * out->op ? out->step : WORKGROUP * out->op;
    if (base->runs_on) /* leave what it uses behind, for it may still write there */
        return false;
    for (int what = 0; what < 2; what++)
        if (m.pipelines[what])
            d->vk->DestroyPipeline(d->device, m.pipelines[what], NULL);
    vk_release_window(d, &m.window);
    munmap(pages, reserved);
    return done;
}
