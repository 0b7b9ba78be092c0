/* Names for the WebAssembly proposals that are not read, so that a refusal can say which one a module uses. */
#ifndef WASMETAL_COMPILER_PROPOSALS_H
#define WASMETAL_COMPILER_PROPOSALS_H

#include <stdint.h>

/* The proposal of the opcode at `p`; NULL when none is known. */
const char *proposal_of_opcode(const uint8_t *p, const uint8_t *end);
/* The proposal that wabt means with an error message; NULL when the message is about something else. */
const char *proposal_of_message(const char *message);
/* Options of compilers that do without it; NULL when none are known. */
const char *proposal_way_around(const char *name);

#endif
