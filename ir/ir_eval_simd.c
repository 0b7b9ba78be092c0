/* Facts about v128 values that the constant folder needs. */
#include "ir/ir_eval_simd.h"

#include <math.h>

bool ir_eval_has_nan_lane(union ir_bits v) {
    for (unsigned k = 0; k < 4; k++)
        if (isnan(v.f32x4[k]) || isnan(v.f64x2[k / 2]))
            return true;
    return false;
}
