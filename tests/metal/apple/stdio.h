/* Declarations for the syntax check against Apple's target, which has no SDK here (see ../CMakeLists.txt). */
#pragma once
#include <stddef.h>
int snprintf(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int rename(const char *from, const char *to);
