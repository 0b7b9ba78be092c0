/* Names for proposals; see proposals.h.  Opcodes are those of the WebAssembly specification's index of instructions and
 * of the proposals' own documents. */
#include "compiler/proposals.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { PREFIX_MISC = 0xfc, WIDE_ARITHMETIC_FIRST = 0x13, WIDE_ARITHMETIC_LAST = 0x16 };

static const struct {
    uint8_t first, last;
    const char *name;
} opcodes[] = {
    {0x06, 0x0a, "exception handling"},
    {0x18, 0x19, "exception handling"},
    {0x1f, 0x1f, "exception handling"},
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
    {"tables may not be 64-bit", NULL, "memory64"},
    {NULL, "multi_memory not allowed", "multi-memory"},
    {"only one memory block allowed", NULL, "multi-memory"},
    {NULL, "exceptions not allowed", "exception handling"},
    {"invalid section code: 13", NULL, "exception handling"},
    {"expected ref.null or ref.func", NULL, "an element expression other than ref.null and ref.func"},
    {"unexpected type form (got 0x4", NULL, "garbage collection"},
    {"unexpected type form (got 0x5", NULL, "garbage collection"},
};

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
    return NULL;
}
