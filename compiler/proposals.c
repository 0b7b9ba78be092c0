/* Names for proposals; see proposals.h.  Opcodes are those of the WebAssembly specification's index of instructions and
 * of the proposals' own documents. */
#include "compiler/proposals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_MISC = 0xfc, WIDE_ARITHMETIC_FIRST = 0x13, WIDE_ARITHMETIC_LAST = 0x16 };

static const struct {
    uint8_t first, last;
    const char *name;
} opcodes[] = {
    {0x0a, 0x0a, "exception handling (exnref)"}, /* throw_ref */
    {0x06, 0x09, "exception handling"},
    {0x18, 0x19, "exception handling"},
    {0x1f, 0x1f, "exception handling (exnref)"}, /* try_table */
    {0x12, 0x13, "tail calls"},
    {0x14, 0x15, "typed function references"},
    {0xd3, 0xd6, "typed function references"},
    {0xe0, 0xe5, "stack switching"},
    {0xfb, 0xfb, "garbage collection"},
    {0xfd, 0xfd, "relaxed SIMD"}, /* SIMD itself is read */
    {0xfe, 0xfe, "threads"},
};

static const struct {
    const char *begin, *part; /* how the message begins, or what it contains */
    const char *name;
} messages[] = {
    {NULL, "threads not allowed", "threads"},
    {"tables may not be shared", NULL, "threads"},
    {NULL, "memory64 not allowed", "memory64"},
    {"tables may not be 64-bit", NULL, "memory64 (64-bit tables)"},
    {NULL, "multi_memory not allowed", "multi-memory"},
    {"only one memory block allowed", NULL, "multi-memory"},
    {NULL, "exceptions not allowed", "exception handling"},
    {"invalid section code: 13", NULL, "exception handling"},
    {"expected ref.null or ref.func", NULL, "an element expression other than ref.null and ref.func"},
    {"unexpected type form (got 0x4", NULL, "garbage collection"},
    {"unexpected type form (got 0x5", NULL, "garbage collection"},
};

/* What to tell the compiler so that it does without; for proposals that are a choice of the build. */
static const struct {
    const char *name, *options;
} ways_around[] = {
    {"exception handling (exnref)", "emcc: -sWASM_LEGACY_EXCEPTIONS=1; clang: -mllvm -wasm-use-legacy-eh=true"},
    {"memory64 (64-bit tables)", "emcc: no -sMEMORY64, or -sMEMORY64=2"},
    {"wide arithmetic", "clang: -mno-wide-arithmetic; rustc: -C target-feature=-wide-arithmetic"},
};

/* Types, by the byte that stands for them. */
static const struct {
    uint8_t first, last;
    const char *name;
} types[] = {
    {0x63, 0x64, "typed function references"},
    {0x68, 0x68, "stack switching"},
    {0x69, 0x69, "exception handling (exnref)"},
    {0x6a, 0x6e, "garbage collection"},
    {0x71, 0x73, "garbage collection"},
    {0x74, 0x74, "exception handling (exnref)"},
    {0x75, 0x75, "stack switching"},
    {0x77, 0x78, "garbage collection"},
};

/* "expected valid param type (got -0x17)": wabt prints the byte as what it is as a signed LEB128 number. */
static const char *proposal_of_type(const char *message) {
    static const char got[] = "(got -0x";
    const char *number = strncmp(message, "expected valid", 14) == 0 ? strstr(message, got) : NULL;
    unsigned long byte = number ? 0x80 - strtoul(number + sizeof got - 1, NULL, 16) : 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (byte >= types[i].first && byte <= types[i].last)
            return types[i].name;
    return NULL;
}

const char *proposal_of_opcode(const uint8_t *p, const uint8_t *end) {
    if (p >= end)
        return NULL;
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++)
        if (*p >= opcodes[i].first && *p <= opcodes[i].last)
            return opcodes[i].name;
    bool wide = *p == PREFIX_MISC && end - p > 1 && p[1] >= WIDE_ARITHMETIC_FIRST && p[1] <= WIDE_ARITHMETIC_LAST;
    return wide ? "wide arithmetic" : NULL;
}

const char *proposal_of_message(const char *message) {
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        const char *begin = messages[i].begin;
        if (begin ? strncmp(message, begin, strlen(begin)) == 0 : strstr(message, messages[i].part) != NULL)
            return messages[i].name;
    }
    return proposal_of_type(message);
}

const char *proposal_way_around(const char *name) {
    for (size_t i = 0; i < sizeof ways_around / sizeof *ways_around; i++)
        if (strcmp(name, ways_around[i].name) == 0)
            return ways_around[i].options;
    return NULL;
}
