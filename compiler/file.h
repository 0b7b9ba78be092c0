/* Whole files in and out. */
#ifndef WASMETAL_COMPILER_FILE_H
#define WASMETAL_COMPILER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a file or, for "-", standard input; the caller frees *out_bytes.  At most `max` bytes.  False with errno set;
 * EFBIG when the file is larger. */
bool file_read(const char *path, size_t max, uint8_t **out_bytes, size_t *out_size);
/* Writes a file so that a reader sees either the old or the whole new content: a temporary file beside it, then rename.
 * "-" is standard output; what is no regular file (a device, a pipe) is written in place.  False with errno set. */
bool file_write(const char *path, const void *bytes, size_t size);
/* Creates the folder and those above it with `mode`; fine when it is there.  False with errno set. */
bool file_make_dirs(const char *path, unsigned mode);

#endif
