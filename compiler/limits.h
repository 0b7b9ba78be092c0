/* The limits of limits.def as constants. */
#ifndef WASMETAL_COMPILER_LIMITS_H
#define WASMETAL_COMPILER_LIMITS_H

enum front_limit {
#define LIMIT(id, value, what) FRONT_MAX_##id = (value),
#include "compiler/limits.def"
};

#endif
