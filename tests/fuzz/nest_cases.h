/* The launches of random nests on real targets: each one that the guard allows runs again on the Vulkan driver at hand,
 * or is written down for WGSL and MSL (tests/kernels), and has to leave the bytes that the interpreter left. */
#ifndef WASMETAL_TESTS_FUZZ_NEST_CASES_H
#define WASMETAL_TESTS_FUZZ_NEST_CASES_H

#include "tests/unit/offload_fixture.h"

/* Sets oft_hooks.  `directory`: where cases are written (tests/unit/kernel_test.h has the format), or NULL.  `vulkan`:
 * run on the first Vulkan device.  `fp`: enum fp_mode.  False when there is no device. */
bool nest_cases_open(const char *directory, bool vulkan, unsigned fp);
/* For each nest, so that cases have names.  Of its launches, the first few of each kernel are tried. */
void nest_cases_begin(uint64_t seed);
/* Prints what was done.  False when something came out different (it was reported on standard error). */
bool nest_cases_close(void);

#endif
