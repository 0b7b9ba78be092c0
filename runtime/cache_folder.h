/* The folder in which the runtime keeps what is dear to make again: compiled pipelines (device_vulkan_cache.c) and what
 * devices were measured to do (calibrate.c).
 *
 * $WASMETAL_CACHE_DIR (absolute; anything else: no cache), $XDG_CACHE_HOME/wasmetal or ~/.cache/wasmetal.  Nothing is
 * read or written by programs that run with raised privileges, nor read from a folder that others may write to. */
#ifndef WASMETAL_RUNTIME_CACHE_FOLDER_H
#define WASMETAL_RUNTIME_CACHE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WM_CACHE_FOLDER_SIZE = 1024, WM_CACHE_PATH_SIZE = WM_CACHE_FOLDER_SIZE + 64 };

/* False: there is to be no cache. */
bool wm_cache_find_folder(bool no_environment, char folder[WM_CACHE_FOLDER_SIZE]);
/* Makes the folder with those above it.  False with errno. */
bool wm_cache_make_folder(char *folder);
/* Whether only this user can have put files there; errno when not. */
bool wm_cache_is_private(const char *folder);
/* Reads exactly `size` bytes. */
bool wm_cache_read(int fd, uint8_t *bytes, size_t size);
/* Through a temporary file, so that nobody reads half of one.  False with errno. */
bool wm_cache_store(const char *path, const uint8_t *bytes, size_t size);

#endif
