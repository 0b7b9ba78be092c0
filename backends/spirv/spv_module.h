/* A SPIR-V module under construction.
 *
 * SPIR-V wants its instructions in a fixed order of sections (SPIR-V specification, 2.4 "Logical Layout of a Module").
 * There is one word buffer a section, so that the emitter may ask for a type, a constant or a decoration at any moment;
 * the end result is their concatenation behind the header.  The word count of an instruction is patched in when it
 * ends; nobody counts words.  Types and constants are unique: asking twice gives the same id.
 */
#ifndef WASMETAL_BACKENDS_SPIRV_SPV_MODULE_H
#define WASMETAL_BACKENDS_SPIRV_SPV_MODULE_H

#include <spirv.h>
#include <stdbool.h>
#include <stdint.h>

#include "ir/util/arena.h"

enum spv_section {
    SPV_CAPABILITIES,
    SPV_EXTENSIONS,
    SPV_IMPORTS,
    SPV_MEMORY_MODEL,
    SPV_ENTRY,
    SPV_MODES,
    SPV_NAMES,
    SPV_ANNOTATIONS,
    SPV_GLOBALS,   /* types, constants, global variables */
    SPV_FUNCTIONS, /* finished ones */
    SPV_HEAD,      /* of the function: OpFunction, its first label */
    SPV_LOCALS,    /* the function's variables, which must stand first in its first block */
    SPV_PROLOGUE,  /* the rest of that block: what every place of the function may use */
    SPV_CODE,
    SPV_SECTION_COUNT
};

struct spv_words {
    uint32_t *data;
    uint32_t n, cap;
};

struct spv_module {
    struct arena *arena; /* everything lives there */
    struct spv_words sections[SPV_SECTION_COUNT];
    uint32_t next_id;
    uint32_t *unique; /* open-addressing table of positions + 1 in SPV_GLOBALS */
    uint32_t unique_cap, unique_n;
};

void spv_module_init(struct spv_module *m, struct arena *a);
uint32_t spv_new_id(struct spv_module *m);

/* One instruction from the operand words that follow `op`. */
void spv_inst_words(struct spv_module *m, enum spv_section s, SpvOp op, const uint32_t *words, uint32_t n);
#define spv_inst(m, s, op, ...)                                     \
    spv_inst_words((m), (s), (op), (const uint32_t[]){__VA_ARGS__}, \
                   sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
/* An instruction in pieces; spv_end patches the count of the one that began at `at`. */
uint32_t spv_begin(struct spv_module *m, enum spv_section s, SpvOp op);
void spv_word(struct spv_module *m, enum spv_section s, uint32_t word);
void spv_string(struct spv_module *m, enum spv_section s, const char *text);
void spv_end(struct spv_module *m, enum spv_section s, uint32_t at);

void spv_capability(struct spv_module *m, SpvCapability cap);
void spv_name(struct spv_module *m, uint32_t id, const char *name);

/* The id of a type or constant with these words, made when it is new.  `type` 0: a type, whose result comes first. */
uint32_t spv_unique_words(struct spv_module *m, SpvOp op, uint32_t type, const uint32_t *words, uint32_t n);
#define spv_unique(m, op, type, ...)                                     \
    spv_unique_words((m), (op), (type), (const uint32_t[]){__VA_ARGS__}, \
                     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The whole module in `a`. */
uint32_t *spv_finish(struct spv_module *m, uint32_t version, uint32_t *out_nwords);

#endif
