/* DWARF line number programs; see dwarf_line.h.  Numbers and rules: DWARF 5, section 6.2, and appendix F of DWARF 4. */
#include "ir/util/dwarf_line.h"

#include <string.h>

enum { MAX_FILE_STEPS = 16u << 20 };

struct reader {
    const uint8_t *data;
    size_t at, end;
    bool bad;
};

static uint64_t read_uint(struct reader *r, unsigned bytes) {
    if (r->end - r->at < bytes) {
        r->bad = true;
        r->at = r->end;
        return 0;
    }
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)r->data[r->at++] << (8 * i);
    return v;
}

static uint64_t read_uleb(struct reader *r) {
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t b = (uint8_t)read_uint(r, 1);
        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80) || r->bad)
            return v;
    }
}

static int64_t read_sleb(struct reader *r) {
    uint64_t v = 0;
    for (unsigned shift = 0;;) {
        uint8_t b = (uint8_t)read_uint(r, 1);
        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
        if (!(b & 0x80) || r->bad) {
            if ((b & 0x40) && shift < 64)
                v |= UINT64_MAX << shift;
            return (int64_t)v;
        }
    }
}

static void skip(struct reader *r, uint64_t bytes) {
    if (bytes > r->end - r->at) {
        r->bad = true;
        r->at = r->end;
    } else {
        r->at += (size_t)bytes;
    }
}

static const char *read_string(struct reader *r) {
    const uint8_t *nul = r->at < r->end ? memchr(r->data + r->at, 0, r->end - r->at) : NULL;
    if (!nul) {
        r->bad = true;
        r->at = r->end;
        return "";
    }
    const char *s = (const char *)r->data + r->at;
    r->at = (size_t)(nul - r->data) + 1;
    return s;
}

static const char *string_in(struct dwarf_bytes b, uint64_t at) {
    return at < b.size && memchr(b.data + at, 0, b.size - (size_t)at) ? (const char *)b.data + at : "";
}

enum { /* DW_FORM_* that file tables use */
       FORM_DATA2 = 0x05,
       FORM_DATA4 = 0x06,
       FORM_DATA8 = 0x07,
       FORM_STRING = 0x08,
       FORM_BLOCK = 0x09,
       FORM_DATA1 = 0x0b,
       FORM_STRP = 0x0e,
       FORM_UDATA = 0x0f,
       FORM_DATA16 = 0x1e,
       FORM_LINE_STRP = 0x1f,
       CONTENT_PATH = 1, /* DW_LNCT_path */
};

/* Skips one attribute; its text when it is a string. */
static const char *read_form(struct reader *r, const struct dwarf_line_sections *s, uint64_t form, unsigned word) {
    switch (form) {
    case FORM_STRING:
        return read_string(r);
    case FORM_LINE_STRP:
        return string_in(s->line_str, read_uint(r, word));
    case FORM_STRP:
        return string_in(s->str, read_uint(r, word));
    case FORM_DATA1:
        skip(r, 1);
        return NULL;
    case FORM_DATA2:
        skip(r, 2);
        return NULL;
    case FORM_DATA4:
        skip(r, 4);
        return NULL;
    case FORM_DATA8:
        skip(r, 8);
        return NULL;
    case FORM_DATA16:
        skip(r, 16);
        return NULL;
    case FORM_UDATA:
        read_uleb(r);
        return NULL;
    case FORM_BLOCK:
        skip(r, read_uleb(r));
        return NULL;
    default:
        r->bad = true;
        return NULL;
    }
}

struct unit {
    uint16_t version;
    uint8_t word; /* bytes of an offset: 4 or 8 */
    uint8_t address_size;
    uint8_t min_inst_length, opcode_base, line_range;
    int8_t line_base;
    const uint8_t *lengths; /* opcode_base - 1 operand counts */
    size_t files_at;        /* where the file table (v5: its format) begins */
    uint32_t budget;        /* file table entries that may still be passed over: hostile tables end here */
};

/* The name of file `index`, found by reading the table again: rows rarely change file, tables are short. */
static const char *file_name(const struct dwarf_line_sections *s, struct unit *u, size_t end, uint64_t index) {
    struct reader r = {s->line.data, u->files_at, end, false};
    if (u->version < 5) {
        for (uint64_t k = 1; !r.bad && u->budget; k++, u->budget--) {
            const char *name = read_string(&r);
            if (!*name)
                return "";
            if (k == index)
                return name;
            read_uleb(&r);
            read_uleb(&r);
            read_uleb(&r);
        }
        return "";
    }
    uint64_t formats[16][2];
    uint64_t nformats = read_uint(&r, 1);
    if (nformats > 16)
        return "";
    for (uint64_t k = 0; k < nformats; k++) {
        formats[k][0] = read_uleb(&r);
        formats[k][1] = read_uleb(&r);
    }
    uint64_t count = read_uleb(&r);
    for (uint64_t k = 0; k < count && nformats && !r.bad && u->budget; k++, u->budget--) {
        const char *name = "";
        for (uint64_t f = 0; f < nformats; f++) {
            const char *text = read_form(&r, s, formats[f][1], u->word);
            if (formats[f][0] == CONTENT_PATH && text)
                name = text;
        }
        if (k == index && !r.bad)
            return name;
    }
    return "";
}

static bool read_header(struct reader *r, const struct dwarf_line_sections *s, struct unit *u, size_t *out_program) {
    u->version = (uint16_t)read_uint(r, 2);
    if (u->version < 2 || u->version > 5)
        return false;
    u->address_size = 0;
    if (u->version >= 5) {
        u->address_size = (uint8_t)read_uint(r, 1);
        skip(r, 1); /* segment selector size */
    }
    uint64_t header_length = read_uint(r, u->word);
    if (r->bad || header_length > r->end - r->at)
        return false;
    *out_program = r->at + (size_t)header_length;
    u->min_inst_length = (uint8_t)read_uint(r, 1);
    if (u->version >= 4)
        skip(r, 1); /* operations per instruction: VLIW only */
    skip(r, 1);     /* default is_stmt */
    u->line_base = (int8_t)read_uint(r, 1);
    u->line_range = (uint8_t)read_uint(r, 1);
    u->opcode_base = (uint8_t)read_uint(r, 1);
    u->lengths = r->data + r->at;
    skip(r, u->opcode_base ? u->opcode_base - 1u : 0);
    if (r->bad || !u->line_range || !u->opcode_base)
        return false;
    if (u->version < 5) {
        while (!r->bad && *read_string(r))
            ; /* include directories */
    } else {
        uint64_t formats[16], nformats = read_uint(r, 1);
        if (nformats > 16)
            return false;
        for (uint64_t k = 0; k < nformats; k++) {
            read_uleb(r);
            formats[k] = read_uleb(r);
        }
        uint64_t count = read_uleb(r);
        for (uint64_t k = 0; k < count && nformats && !r->bad; k++)
            for (uint64_t f = 0; f < nformats; f++)
                read_form(r, s, formats[f], u->word);
    }
    u->files_at = r->at;
    return !r->bad;
}

enum { /* DW_LNS_* and DW_LNE_* */
       LNS_COPY = 1,
       LNS_ADVANCE_PC = 2,
       LNS_ADVANCE_LINE = 3,
       LNS_SET_FILE = 4,
       LNS_CONST_ADD_PC = 8,
       LNS_FIXED_ADVANCE_PC = 9,
       LNE_END_SEQUENCE = 1,
       LNE_SET_ADDRESS = 2,
};

struct machine {
    uint64_t address, file, named_file;
    uint32_t line;
    const char *name;
    size_t address_at;
};

static void machine_reset(struct machine *m) {
    *m = (struct machine){.file = 1, .named_file = UINT64_MAX, .line = 1, .name = "", .address_at = SIZE_MAX};
}

/* Runs one unit's program.  False when the callback wants no more. */
static bool run_program(struct reader *r, const struct dwarf_line_sections *s, struct unit *u,
                        bool (*row)(void *, const struct dwarf_line_row *), void *user) {
    struct machine m;
    machine_reset(&m);
    while (r->at < r->end && !r->bad) {
        uint8_t op = (uint8_t)read_uint(r, 1);
        bool emit = false, end = false;
        if (op >= u->opcode_base) {
            unsigned adjusted = op - u->opcode_base;
            m.address += (uint64_t)(adjusted / u->line_range) * u->min_inst_length;
            m.line += (uint32_t)(u->line_base + (int)(adjusted % u->line_range));
            emit = true;
        } else if (op == 0) {
            uint64_t length = read_uleb(r);
            if (!length || length > r->end - r->at) {
                r->bad = true;
                break;
            }
            size_t next = r->at + (size_t)length;
            uint8_t extended = (uint8_t)read_uint(r, 1);
            if (extended == LNE_END_SEQUENCE) {
                emit = end = true;
            } else if (extended == LNE_SET_ADDRESS && length - 1 <= 8) {
                m.address_at = r->at;
                m.address = read_uint(r, (unsigned)length - 1);
            }
            r->at = next;
        } else {
            switch (op) {
            case LNS_COPY:
                emit = true;
                break;
            case LNS_ADVANCE_PC:
                m.address += read_uleb(r) * u->min_inst_length;
                break;
            case LNS_ADVANCE_LINE:
                m.line += (uint32_t)read_sleb(r);
                break;
            case LNS_SET_FILE:
                m.file = read_uleb(r);
                break;
            case LNS_CONST_ADD_PC:
                m.address += (uint64_t)((255u - u->opcode_base) / u->line_range) * u->min_inst_length;
                break;
            case LNS_FIXED_ADVANCE_PC:
                m.address += read_uint(r, 2);
                break;
            default:
                for (unsigned k = 0; k < u->lengths[op - 1]; k++)
                    read_uleb(r);
            }
        }
        if (emit && !r->bad) {
            if (m.file != m.named_file) {
                m.name = file_name(s, u, r->end, m.file);
                m.named_file = m.file;
            }
            struct dwarf_line_row out = {m.address, m.line, m.name, end, m.address_at};
            if (!row(user, &out))
                return false;
        }
        if (end)
            machine_reset(&m);
    }
    return true;
}

bool dwarf_line_read(const struct dwarf_line_sections *s, bool (*row)(void *user, const struct dwarf_line_row *r),
                     void *user) {
    struct reader all = {s->line.data, 0, s->line.size, false};
    while (all.at < all.end) {
        struct unit u = {.word = 4, .budget = MAX_FILE_STEPS};
        uint64_t length = read_uint(&all, 4);
        if (length == 0xffffffff) {
            u.word = 8;
            length = read_uint(&all, 8);
        }
        if (all.bad || length > all.end - all.at)
            return false;
        struct reader r = {s->line.data, all.at, all.at + (size_t)length, false};
        all.at = r.end;
        size_t program;
        if (!read_header(&r, s, &u, &program) || program > r.end)
            return false;
        r.at = program;
        if (!run_program(&r, s, &u, row, user))
            return true;
        if (r.bad)
            return false;
    }
    return true;
}
