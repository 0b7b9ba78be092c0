/* Makes a kernel that some device gets wrong smaller, for as long as the device still gets it wrong. */
#ifndef WASMETAL_TESTS_UNIT_KERNEL_REDUCE_H
#define WASMETAL_TESTS_UNIT_KERNEL_REDUCE_H

#include "tests/unit/kernel_test.h"

/* Whether `body` still shows the fault; it verifies. */
typedef bool kernel_fault(void *user, struct ir_func *body);

/* `body` shows the fault and stays the caller's.  Returns a new function, the smallest found; *out_tries: how many were
 * tried. */
struct ir_func *kernel_reduce(struct ir_func *body, kernel_fault *fault, void *user, uint32_t *out_tries);

#endif
