/* Diagnostics: everything we tell the user about their input.
 *
 * Each has an ID from diag.def ("WM1003"), a place (file, byte offset, function) and, where it helps, a hint what to do
 * next.  Printed as
 *
 *     photo.wasm:0x1f3: error: WM1003: function 12 "blur" has 60,000 locals; the limit is 50,000
 *       hint: ...
 *
 * with colour only on a terminal.  Thread rules: one thread a `struct diag`.
 */
#ifndef WASMETAL_COMPILER_DIAG_H
#define WASMETAL_COMPILER_DIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum diag_id {
#define DIAG(id, number, hint) DIAG_##id = (number),
#include "compiler/diag.def"
};

#define DIAG_NO_OFFSET UINT64_MAX

struct diag {
    FILE *out; /* not owned */
    bool colour;
    const char *file; /* name put in front; NULL: "wasmetal" */
    unsigned errors, warnings;
    unsigned max_errors; /* further ones are counted, not printed; 0: 20 */
};

void diag_init(struct diag *d, FILE *out, const char *file);
/* A terminal, and the user did not set NO_COLOR. */
bool diag_wants_colour(FILE *out);
/* func_index -1: no function.  func_name may be NULL. */
void diag_error(struct diag *d, enum diag_id id, uint64_t offset, int64_t func_index, const char *func_name,
                const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void diag_warning(struct diag *d, enum diag_id id, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
