/* Reads DWARF line tables (versions 2 to 5): which source line each code address comes from.
 *
 * Used in two places: on the .debug_line section that a toolchain left in a .wasm file (addresses count from the start
 * of the code section's content), and on the one in an object file of our own.  The bytes may be anything; malformed
 * parts end the reading, nothing is read outside the sections.
 */
#ifndef WASMETAL_IR_UTIL_DWARF_LINE_H
#define WASMETAL_IR_UTIL_DWARF_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dwarf_bytes {
    const uint8_t *data;
    size_t size;
};

struct dwarf_line_sections {
    struct dwarf_bytes line;     /* .debug_line */
    struct dwarf_bytes line_str; /* .debug_line_str, may be empty */
    struct dwarf_bytes str;      /* .debug_str, may be empty */
};

struct dwarf_line_row {
    uint64_t address;
    uint32_t line;     /* from 1; 0: no source line */
    const char *file;  /* NUL-terminated, inside the sections; never NULL, may be empty */
    bool end_sequence; /* the address is the first one after the sequence */
    size_t address_at; /* offset in .debug_line of the last set_address operand: where relocations apply; SIZE_MAX */
};

/* Calls `row` for each row in file order until it returns false.  Returns false when something was malformed. */
bool dwarf_line_read(const struct dwarf_line_sections *s, bool (*row)(void *user, const struct dwarf_line_row *r),
                     void *user);

#endif
