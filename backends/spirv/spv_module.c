/* Word buffers of a SPIR-V module; see spv_module.h. */
#include "backends/spirv/spv_module.h"

#include <string.h>

#include "ir/util/ice.h"

void spv_module_init(struct spv_module *m, struct arena *a) {
    memset(m, 0, sizeof *m);
    m->arena = a;
    m->next_id = 1;
    m->unique_cap = 64;
    m->unique = arena_array(a, uint32_t, m->unique_cap);
}

uint32_t spv_new_id(struct spv_module *m) {
    return m->next_id++;
}

void spv_word(struct spv_module *m, enum spv_section s, uint32_t word) {
    struct spv_words *w = &m->sections[s];
    *arena_push(m->arena, w->data, w->n, w->cap) = word;
}

uint32_t spv_begin(struct spv_module *m, enum spv_section s, SpvOp op) {
    uint32_t at = m->sections[s].n;
    spv_word(m, s, (uint32_t)op);
    return at;
}

void spv_end(struct spv_module *m, enum spv_section s, uint32_t at) {
    uint32_t count = m->sections[s].n - at;
    ICE_UNLESS(count <= UINT16_MAX);
    m->sections[s].data[at] |= count << SpvWordCountShift;
}

void spv_inst_words(struct spv_module *m, enum spv_section s, SpvOp op, const uint32_t *words, uint32_t n) {
    uint32_t at = spv_begin(m, s, op);
    for (uint32_t i = 0; i < n; i++)
        spv_word(m, s, words[i]);
    spv_end(m, s, at);
}

/* Literal strings: UTF-8, little-endian in words, NUL-terminated and padded with NULs. */
void spv_string(struct spv_module *m, enum spv_section s, const char *text) {
    size_t n = strlen(text) + 1;
    for (size_t i = 0; i < n; i += 4) {
        uint32_t word = 0;
        for (size_t j = i; j < i + 4 && j < n; j++)
            word |= (uint32_t)(uint8_t)text[j] << (8 * (j - i));
        spv_word(m, s, word);
    }
}

void spv_capability(struct spv_module *m, SpvCapability cap) {
    const struct spv_words *w = &m->sections[SPV_CAPABILITIES];
    for (uint32_t i = 1; i < w->n; i += 2)
        if (w->data[i] == (uint32_t)cap)
            return;
    spv_inst(m, SPV_CAPABILITIES, SpvOpCapability, (uint32_t)cap);
}

void spv_name(struct spv_module *m, uint32_t id, const char *name) {
    uint32_t at = spv_begin(m, SPV_NAMES, SpvOpName);
    spv_word(m, SPV_NAMES, id);
    spv_string(m, SPV_NAMES, name);
    spv_end(m, SPV_NAMES, at);
}

/* FNV-1a, 32 bits, a word at a time. */
static uint32_t hash_words(uint32_t h, const uint32_t *words, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        h = (h ^ words[i]) * UINT32_C(16777619);
    return h ^ h >> 15;
}

static uint32_t hash_key(SpvOp op, uint32_t type, const uint32_t *words, uint32_t n) {
    const uint32_t head[2] = {(uint32_t)op, type};
    return hash_words(hash_words(UINT32_C(2166136261), head, 2), words, n);
}

/* Instructions with a type read: op, type, result, words; without: op, result, words. */
static bool same_key(const uint32_t *inst, SpvOp op, uint32_t type, const uint32_t *words, uint32_t n) {
    uint32_t head = type ? 3 : 2;
    return inst[0] == ((head + n) << SpvWordCountShift | (uint32_t)op) && (!type || inst[1] == type) &&
           (n == 0 || memcmp(inst + head, words, n * sizeof *words) == 0);
}

static bool op_has_type(SpvOp op) {
    return op == SpvOpConstant || op == SpvOpConstantComposite;
}

static void unique_insert(struct spv_module *m, uint32_t hash, uint32_t at) {
    uint32_t slot = hash & (m->unique_cap - 1);
    while (m->unique[slot])
        slot = (slot + 1) & (m->unique_cap - 1);
    m->unique[slot] = at + 1;
    m->unique_n++;
}

static void unique_rehash(struct spv_module *m) {
    uint32_t *old = m->unique, old_cap = m->unique_cap;
    m->unique_cap *= 2;
    m->unique = arena_array(m->arena, uint32_t, m->unique_cap);
    m->unique_n = 0;
    for (uint32_t i = 0; i < old_cap; i++) {
        if (!old[i])
            continue;
        const uint32_t *inst = m->sections[SPV_GLOBALS].data + old[i] - 1;
        SpvOp op = (SpvOp)(inst[0] & SpvOpCodeMask);
        uint32_t head = op_has_type(op) ? 3 : 2, type = op_has_type(op) ? inst[1] : 0;
        unique_insert(m, hash_key(op, type, inst + head, (inst[0] >> SpvWordCountShift) - head), old[i] - 1);
    }
}

uint32_t spv_unique_words(struct spv_module *m, SpvOp op, uint32_t type, const uint32_t *words, uint32_t n) {
    ICE_UNLESS(op_has_type(op) == (type != 0));
    uint32_t hash = hash_key(op, type, words, n);
    for (uint32_t slot = hash & (m->unique_cap - 1); m->unique[slot]; slot = (slot + 1) & (m->unique_cap - 1)) {
        const uint32_t *inst = m->sections[SPV_GLOBALS].data + m->unique[slot] - 1;
        if (same_key(inst, op, type, words, n))
            return inst[type ? 2 : 1];
    }
    if ((m->unique_n + 1) * 2 > m->unique_cap)
        unique_rehash(m);
    uint32_t id = spv_new_id(m);
    uint32_t at = spv_begin(m, SPV_GLOBALS, op);
    if (type)
        spv_word(m, SPV_GLOBALS, type);
    spv_word(m, SPV_GLOBALS, id);
    for (uint32_t i = 0; i < n; i++)
        spv_word(m, SPV_GLOBALS, words[i]);
    spv_end(m, SPV_GLOBALS, at);
    unique_insert(m, hash, at);
    return id;
}

uint32_t *spv_finish(struct spv_module *m, uint32_t version, uint32_t *out_nwords) {
    uint32_t total = 5;
    for (int s = 0; s < SPV_SECTION_COUNT; s++)
        total += m->sections[s].n;
    uint32_t *words = arena_array(m->arena, uint32_t, total);
    words[0] = SpvMagicNumber;
    words[1] = version;
    words[2] = 0; /* generator: none registered */
    words[3] = m->next_id;
    uint32_t at = 5;
    for (int s = 0; s < SPV_SECTION_COUNT; s++) {
        if (m->sections[s].n)
            memcpy(words + at, m->sections[s].data, m->sections[s].n * sizeof *words);
        at += m->sections[s].n;
    }
    *out_nwords = total;
    return words;
}
