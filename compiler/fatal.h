/* LLVM's own way to fail, made ours.
 *
 * LLVM does not report every failure: out of memory, and what it calls a fatal error, end the process with a line of
 * its own and no ID.  Between fatal_begin and fatal_end such an end is a diagnostic (WM3002) and exit code 1.  There is
 * no way back into LLVM from there, so the process does end; nothing has been written by then. */
#ifndef WASMETAL_COMPILER_FATAL_H
#define WASMETAL_COMPILER_FATAL_H

#include "compiler/diag.h"

/* One at a time in the process.  `d` must live until fatal_end. */
void fatal_begin(struct diag *d);
void fatal_end(void);

#endif
