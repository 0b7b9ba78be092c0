/* What `--fp=` relaxes in kernels.  0 is strict: the same bits as a conforming Wasm engine. */
#ifndef WASMETAL_IR_FP_MODE_H
#define WASMETAL_IR_FP_MODE_H

#include <stdbool.h>

enum fp_mode {
    FP_CONTRACT = 1 << 0,    /* a * b + c may be one operation, rounded once */
    FP_REASSOCIATE = 1 << 1, /* sums and products of a reduction may be formed in another order */
    FP_DIVIDE = 1 << 2, /* f32 division and square root as the device has them, off by a few units in the last place */
    FP_SUBNORMALS = 1 << 3, /* f32 subnormal numbers may be taken for zero */
    FP_FAST = (1 << 4) - 1,
};

/* "strict", "fast", or relaxations by name, separated by commas: contract, reassociate, divide, subnormals.  False when
 * there is another word in it. */
bool fp_mode_parse(const char *text, unsigned *out_mode);
/* The same for a mode, in a fixed form. */
const char *fp_mode_text(unsigned mode);

#endif
