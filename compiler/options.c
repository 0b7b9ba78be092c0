/* Command line parsing over the tables of options.def.
 *
 * The first word may name a command; otherwise it is "compile".  Options may stand anywhere before "--", their values
 * in the same word (--cpu=native, -O3) or, but for -O, in the next (-o photo.o).
 */
#include "compiler/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/features.h"
#include "ir/fp_mode.h"
#include "ir/opt/pass.h"

enum kind { KIND_FLAG, KIND_TEXT, KIND_LIST, KIND_LEVEL, KIND_JOBS };
enum { C = 1 << COMMAND_COMPILE, R = 1 << COMMAND_RUN, E = 1 << COMMAND_EXPLAIN, D = 1 << COMMAND_DEVICES };

struct option_row {
    const char *name, *value, *what;
    enum kind kind;
    unsigned where;
    size_t field;
};

static const struct option_row rows[] = {
#define OPTION(id, name, value, field, kind, where, what) \
    {name, value, what, KIND_##kind, where, offsetof(struct options, field)},
#include "compiler/options.def"
};

static const struct {
    const char *name, *operands, *what;
} commands[COMMAND_COUNT] = {
#define COMMAND(id, name, operands, what) {name, operands, what},
#include "compiler/options.def"
};

enum { NROWS = sizeof rows / sizeof *rows };

enum command options_find_command(const char *name) {
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return (enum command)i;
    return COMMAND_COUNT;
}

__attribute__((format(printf, 2, 3))) static bool fail(struct diag *d, const char *fmt, ...) {
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    diag_error(d, DIAG_OPTION, DIAG_NO_OFFSET, -1, NULL, "%s", text);
    return false;
}

static bool parse_number(const char *text, unsigned max, unsigned *out) {
    char *end = NULL;
    errno = 0;
    unsigned long v = text ? strtoul(text, &end, 10) : 0;
    if (!text || *text < '0' || *text > '9' || *end || errno || v > max)
        return false;
    *out = (unsigned)v;
    return true;
}

static void list_push(struct option_list *list, const char *item) {
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 8;
        list->items = realloc(list->items, sizeof *list->items * list->cap);
        if (!list->items) {
            fputs("wasmetal: out of memory\n", stderr);
            exit(70);
        }
    }
    list->items[list->count++] = item;
}

/* The row whose name `word` is or begins with; *out_value: the value in the same word, or NULL. */
static const struct option_row *find_row(const char *word, const char **out_value) {
    *out_value = NULL;
    for (unsigned i = 0; i < NROWS; i++) {
        const struct option_row *r = &rows[i];
        size_t n = strlen(r->name);
        if (strncmp(word, r->name, n) != 0)
            continue;
        if (!word[n] && r->kind != KIND_LEVEL)
            return r;
        bool is_short = word[1] != '-';
        if (r->value && (is_short || word[n] == '=')) {
            *out_value = word + n + (word[n] == '=');
            return r;
        }
        if (!r->value && word[n] == '=')
            return r; /* reported as a value too many */
    }
    return NULL;
}

static bool set_option(struct options *o, const struct option_row *r, const char *value, struct diag *d) {
    void *field = (char *)o + r->field;
    switch (r->kind) {
    case KIND_FLAG:
        *(bool *)field = true;
        return true;
    case KIND_TEXT:
        *(const char **)field = value;
        return true;
    case KIND_LIST:
        list_push(field, value);
        return true;
    case KIND_LEVEL:
        return parse_number(value, 3, field) || fail(d, "-O%s: the levels are 0 to 3", value);
    case KIND_JOBS:
        return (parse_number(value, 1024, field) && *(unsigned *)field > 0) ||
               fail(d, "%s %s: a number from 1 to 1024", r->name, value);
    }
    return false;
}

static bool parse_word(int argc, char **argv, int *i, struct options *o, struct diag *d) {
    const char *word = argv[*i], *value;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        o->input = commands[o->command].name;
        o->command = COMMAND_HELP;
        return true;
    }
    if (word[0] != '-' || !word[1]) {
        if (o->input)
            return fail(d, "one module at a time: \"%s\" and \"%s\"; arguments of the program follow \"--\"", o->input,
                        word);
        o->input = word;
        return true;
    }
    const struct option_row *r = find_row(word, &value);
    if (!r)
        return fail(d, "unknown option %s", word);
    if (!(r->where & 1u << o->command))
        return fail(d, "%s does not go with `wasmetal %s`", r->name, commands[o->command].name);
    if (!r->value && strchr(word, '='))
        return fail(d, "%s takes no value", r->name);
    if (r->value && !value) {
        if (*i + 1 >= argc)
            return fail(d, "%s wants a value: %s", r->name, r->value);
        value = argv[++*i];
    }
    return set_option(o, r, value, d);
}

static bool check_pass_names(const char *option, const char *names, bool all, struct diag *d) {
    if (!names || (all && strcmp(names, "all") == 0))
        return true;
    char name[64];
    for (const char *p = names;; p++) {
        size_t n = strcspn(p, ",");
        enum opt_pass pass;
        snprintf(name, sizeof name, "%.*s", (int)(n < 63 ? n : 63), p);
        if (!pass_lookup(name, &pass))
            return fail(d, "%s: there is no pass \"%s\"", option, name);
        p += n;
        if (!*p)
            return true;
    }
}

static bool check(struct options *o, struct diag *d) {
    if (o->bounds_checks && strcmp(o->bounds_checks, "auto") != 0 && strcmp(o->bounds_checks, "on") != 0)
        return fail(d, "--bounds-checks=%s: auto or on", o->bounds_checks);
    if (o->fp && !fp_mode_parse(o->fp, &o->fp_mode))
        return fail(d, "--fp=%s: strict, fast, or some of contract, reassociate, divide and subnormals", o->fp);
    if (!check_pass_names("--dump-after", o->dump_after, true, d) ||
        !check_pass_names("--stop-after", o->stop_after, false, d) || !check_pass_names("--skip", o->skip, false, d))
        return false;
    const char *bad;
    if (!features_parse(o->disable, &o->disabled, &bad))
        return fail(d, "--disable: there is no proposal \"%.*s\"", (int)strcspn(bad, ","), bad);
    bool wants_input = o->command == COMMAND_COMPILE || o->command == COMMAND_RUN || o->command == COMMAND_EXPLAIN;
    if (wants_input && !o->input) {
        diag_error(d, DIAG_MISSING_INPUT, DIAG_NO_OFFSET, -1, NULL, "no module given");
        return false;
    }
    if (o->command == COMMAND_DEVICES && o->input)
        return fail(d, "`wasmetal devices` takes no module");
    if (o->command != COMMAND_RUN && o->args)
        return fail(d, "only `wasmetal run` takes arguments behind \"--\"");
    if (o->command == COMMAND_COMPILE && !o->output && !o->emit)
        return fail(d, "no output given: -o FILE or --emit=KIND");
    return true;
}

bool options_parse(int argc, char **argv, struct options *out, struct diag *d) {
    *out = (struct options){.opt_level = 2};
    int i = 1;
    if (argc < 2) {
        out->command = COMMAND_HELP;
        return true;
    }
    if (strcmp(argv[1], "--version") == 0) {
        out->command = COMMAND_VERSION;
        return true;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        out->command = COMMAND_HELP;
        return true;
    }
    enum command command = options_find_command(argv[1]);
    out->command = command == COMMAND_COUNT ? COMMAND_COMPILE : command;
    i += command != COMMAND_COUNT;
    for (; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            out->args = (const char **)argv + i + 1;
            out->nargs = argc - i - 1;
            break;
        }
        if (!parse_word(argc, argv, &i, out, d))
            return false;
        if (out->command == COMMAND_HELP && command != COMMAND_HELP)
            return true;
    }
    return check(out, d);
}

void options_free(struct options *o) {
    free(o->dirs.items);
    free(o->envs.items);
}

static void print_options(FILE *out, enum command command) {
    for (unsigned i = 0; i < NROWS; i++) {
        const struct option_row *r = &rows[i];
        if (!(r->where & 1u << command))
            continue;
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", r->name,
                 !r->value               ? ""
                 : r->kind == KIND_LEVEL ? ""
                 : strcmp(r->name, "-o") ? "="
                                         : " ",
                 r->value ? r->value : "");
        fprintf(out, "  %-26s %s\n", left, r->what);
    }
}

void options_print_help(FILE *out, enum command command) {
    if (command == COMMAND_COUNT) {
        fputs("wasmetal compiles WebAssembly modules to native code whose parallel loops run on the GPU.\n\n", out);
        for (int i = 0; i < COMMAND_COUNT; i++)
            fprintf(out, "  wasmetal %s%s%s\n      %s\n", commands[i].name, *commands[i].operands ? " " : "",
                    commands[i].operands, commands[i].what);
        fputs("\n`wasmetal help COMMAND` lists the options of a command.\n", out);
        return;
    }
    fprintf(out, "wasmetal %s%s%s\n  %s\n", commands[command].name, *commands[command].operands ? " [OPTIONS] " : "",
            commands[command].operands, commands[command].what);
    if (command == COMMAND_COMPILE || command == COMMAND_RUN || command == COMMAND_EXPLAIN ||
        command == COMMAND_DEVICES) {
        fputs("\noptions:\n", out);
        print_options(out, command);
    }
    if (command == COMMAND_COMPILE || command == COMMAND_RUN || command == COMMAND_EXPLAIN) {
        fputs("\npasses:", out);
        for (int i = 0; i < OPT_PASS_COUNT; i++)
            fprintf(out, " %s", pass_name((enum opt_pass)i));
        fputs("\nproposals:", out);
        for (int i = 0; i < FEATURE_COUNT; i++)
            fprintf(out, " %s", feature_names[i]);
        fputc('\n', out);
    }
    if (command == COMMAND_RUN)
        fputs("\nexit code: the program's; 134 after a trap; 1 when it cannot be compiled or started; 2 for a wrong "
              "command line.\n",
              out);
}
