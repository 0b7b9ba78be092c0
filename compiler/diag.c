/* Printing diagnostics; the form of a line is in diag.h. */
#include "compiler/diag.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define STYLE_BOLD "\033[1m"
#define STYLE_ERROR "\033[1;31m"
#define STYLE_WARNING "\033[1;35m"
#define STYLE_DIM "\033[2m"
#define STYLE_END "\033[0m"

enum { DEFAULT_MAX_ERRORS = 20, MESSAGE_BYTES = 1024 };

static const char *hint_of(enum diag_id id) {
    switch (id) {
#define DIAG(id, number, hint) \
    case DIAG_##id:            \
        return hint;
#include "compiler/diag.def"
    }
    return "";
}

bool diag_wants_colour(FILE *out) {
    const char *no_color = getenv("NO_COLOR"); /* no-color.org */
    return out && isatty(fileno(out)) && !(no_color && *no_color);
}

void diag_init(struct diag *d, FILE *out, const char *file) {
    *d = (struct diag){.out = out, .file = file, .colour = diag_wants_colour(out)};
}

/* Names come from the module and the line goes to a terminal: control characters become '?'. */
static void print_text(FILE *out, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        fputc(*p < 0x20 || *p == 0x7f ? '?' : *p, out);
}

static void print_line(const struct diag *d, enum diag_id id, const char *severity, const char *style, uint64_t offset,
                       const char *place, const char *message) {
    const char *end = d->colour ? STYLE_END : "";
    fputs(d->colour ? STYLE_BOLD : "", d->out);
    print_text(d->out, d->file ? d->file : "wasmetal");
    if (offset != DIAG_NO_OFFSET)
        fprintf(d->out, ":0x%" PRIx64, offset);
    fprintf(d->out, ":%s %s%s:%s WM%04d: ", end, d->colour ? style : "", severity, end, (int)id);
    print_text(d->out, place);
    print_text(d->out, message);
    fputc('\n', d->out);
    const char *hint = hint_of(id);
    if (*hint)
        fprintf(d->out, "%s  hint: %s%s\n", d->colour ? STYLE_DIM : "", hint, end);
}

void diag_error(struct diag *d, enum diag_id id, uint64_t offset, int64_t func_index, const char *func_name,
                const char *fmt, ...) {
    unsigned max = d->max_errors ? d->max_errors : DEFAULT_MAX_ERRORS;
    if (d->errors++ >= max || !d->out)
        return;
    char place[256] = "", message[MESSAGE_BYTES];
    if (func_index >= 0 && func_name)
        snprintf(place, sizeof place, "in function %" PRId64 " \"%.200s\": ", func_index, func_name);
    else if (func_index >= 0)
        snprintf(place, sizeof place, "in function %" PRId64 ": ", func_index);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    print_line(d, id, "error", STYLE_ERROR, offset, place, message);
}

void diag_warning(struct diag *d, enum diag_id id, uint64_t offset, const char *fmt, ...) {
    d->warnings++;
    if (!d->out)
        return;
    char message[MESSAGE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    print_line(d, id, "warning", STYLE_WARNING, offset, "", message);
}
