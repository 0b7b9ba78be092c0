/* Replays the commands of one script.
 *
 * What counts: every assertion whose module is binary.  Modules, registrations and bare actions count only when they
 * fail.  A bad binary that is refused in the name of a proposal is rightly refused when the script's own modules are
 * all read, so that the proposal is none of its subject; otherwise it says nothing.  An assertion on the skip list is
 * carried out all the same, and must fail.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "testsuite/spec/spec.h"

enum { MESSAGE_BYTES = 512 };

enum outcome {
    PASSED,
    FAILED,
    UNSUPPORTED, /* for want of a module whose proposal is not read */
    NAMED        /* a bad binary was refused, but in the name of a proposal that is not read */
};

struct named {
    struct named *next;
    const char *name; /* "$m" */
    wasmetal_instance *instance;
    bool unsupported;
};

struct replay {
    const struct spec_script *script;
    struct spec_counts *counts;
    struct store *store;
    struct arena arena;
    struct named *modules; /* newest first; the first is the current one */
    unsigned printed;
    char why[MESSAGE_BYTES];
};

static enum outcome because(struct replay *r, enum outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum outcome because(struct replay *r, enum outcome outcome, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
    return outcome;
}

static const struct named *find_module(const struct replay *r, const char *name) {
    const struct named *m = r->modules;
    while (m && name && (!m->name || strcmp(m->name, name) != 0))
        m = m->next;
    return m;
}

static const char *module_path(struct replay *r, const struct json *command) {
    const char *file = json_text(command, "filename");
    return arena_printf(&r->arena, "%s/%s", r->script->folder, file ? file : "");
}

/* Either text may say more than the other: "uninitialized element 2", "unreachable executed". */
static bool text_matches(const char *want, const char *found) {
    size_t a = strlen(want), b = strlen(found);
    return strncmp(want, found, a < b ? a : b) == 0 && a && b;
}

/* ---- actions ---- */

struct result {
    wasmetal_status status;
    wasmetal_trap trap;
    uint64_t *cells;
    const char *type; /* of the results, one letter each */
};

/* PASSED when the action was carried out, whatever came of it. */
static enum outcome act(struct replay *r, const struct json *action, const struct json *expected, struct result *out) {
    const struct named *m = find_module(r, json_text(action, "module"));
    const char *kind = json_text(action, "type"), *field = json_text(action, "field");
    if (!m || !m->instance)
        return because(r, m && m->unsupported ? UNSUPPORTED : FAILED, "there is no such instance");
    if (!kind || !field)
        return because(r, FAILED, "malformed command");
    wasmetal_export e;
    bool get = strcmp(kind, "get") == 0;
    if (wasmetal_export_find(m->instance, field, &e) != WASMETAL_OK ||
        e.kind != (get ? WASMETAL_GLOBAL : WASMETAL_FUNC))
        return because(r, FAILED, "no such export");
    const struct json *args = json_get(action, "args");
    unsigned nargs = value_cells(args), nresults = value_cells(expected);
    const char *colon = get ? NULL : strchr(e.type, ':');
    unsigned room = get ? 2 : (unsigned)strlen(e.type) * 2;
    out->cells = arena_array(&r->arena, uint64_t, room > nargs + nresults ? room : nargs + nresults);
    out->type = get ? e.type : colon ? colon + 1 : "";
    if (get) {
        out->status = wasmetal_global_get(e.object, out->cells);
        return PASSED;
    }
    if (!value_arguments(args, out->cells) || (colon && (size_t)(colon - e.type) != json_count(args)))
        return because(r, FAILED, "the arguments do not fit the type %s", e.type);
    out->status = wasmetal_call(m->instance, e.object, out->cells, &out->trap);
    return PASSED;
}

static const char *status_text(const struct result *result) {
    return result->status == WASMETAL_TRAP ? result->trap.text : wasmetal_status_text(result->status);
}

static enum outcome run_return(struct replay *r, const struct json *command, bool check) {
    struct result result = {0};
    const struct json *expected = json_get(command, "expected"), *either = json_get(command, "either");
    enum outcome o = act(r, json_get(command, "action"), expected, &result);
    if (o != PASSED)
        return o;
    if (result.status != WASMETAL_OK)
        return because(r, FAILED, "%s", status_text(&result));
    if (!check)
        return PASSED;
    if (either && strlen(result.type) == 1)
        return value_either_matches(either, result.cells, r->why, sizeof r->why) ? PASSED : FAILED;
    if (strlen(result.type) != json_count(expected))
        return because(r, FAILED, "%u results wanted, the type is %s", json_count(expected), result.type);
    return value_results_match(expected, result.cells, r->why, sizeof r->why) ? PASSED : FAILED;
}

static enum outcome run_trap(struct replay *r, const struct json *command) {
    struct result result = {0};
    enum outcome o = act(r, json_get(command, "action"), json_get(command, "expected"), &result);
    if (o != PASSED)
        return o;
    const char *want = json_text(command, "text");
    want = want ? want : "";
    if (result.status == WASMETAL_TRAP && text_matches(want, result.trap.text))
        return PASSED;
    return because(r, FAILED, "wanted the trap \"%s\", got %s \"%s\"", want,
                   result.status == WASMETAL_TRAP ? "the trap" : "the status", status_text(&result));
}

/* Which exception it must be no script says. */
static enum outcome run_exception(struct replay *r, const struct json *command) {
    struct result result = {0};
    enum outcome o = act(r, json_get(command, "action"), json_get(command, "expected"), &result);
    if (o != PASSED || result.status == WASMETAL_EXCEPTION)
        return o;
    return because(r, FAILED, "wanted an exception, got \"%s\"", status_text(&result));
}

/* ---- modules ---- */

static enum outcome run_module(struct replay *r, const struct json *command) {
    struct named *m = arena_new(&r->arena, struct named);
    m->name = json_text(command, "name");
    m->next = r->modules;
    r->modules = m;
    enum store_result result = store_load(r->store, module_path(r, command), &m->instance, r->why, sizeof r->why);
    m->unsupported = result == STORE_UNSUPPORTED;
    return result == STORE_OK ? PASSED : m->unsupported ? UNSUPPORTED : FAILED;
}

static enum outcome run_register(struct replay *r, const struct json *command) {
    const struct named *m = find_module(r, json_text(command, "name"));
    const char *as = json_text(command, "as");
    if (!m || !m->instance || !as)
        return because(r, m && m->unsupported ? UNSUPPORTED : FAILED, "there is no such instance");
    store_register(r->store, as, m->instance);
    return PASSED;
}

static enum outcome run_refused(struct replay *r, const struct json *command) {
    enum store_result result = store_check(r->store, module_path(r, command), r->why, sizeof r->why);
    if (result == STORE_OK)
        return because(r, FAILED, "the module was accepted");
    if (result == STORE_UNSUPPORTED)
        return NAMED;
    r->counts->refused++;
    return PASSED;
}

static enum outcome run_not_started(struct replay *r, const struct json *command, enum store_result want) {
    wasmetal_instance *instance;
    enum store_result result = store_load(r->store, module_path(r, command), &instance, r->why, sizeof r->why);
    const char *text = json_text(command, "text");
    if (result == STORE_OK)
        return because(r, FAILED, "the module was instantiated");
    if (result == want && (want != STORE_TRAP || text_matches(text ? text : "", r->why)))
        return PASSED;
    return result == STORE_UNSUPPORTED ? UNSUPPORTED : FAILED;
}

/* ---- commands ---- */

static bool is_assertion(const struct json *command) {
    const char *type = json_text(command, "type");
    return type && strncmp(type, "assert_", 7) == 0;
}

static bool is_text(const struct json *command) {
    const char *kind = json_text(command, "module_type");
    return kind && strcmp(kind, "text") == 0;
}

static enum outcome run_command(struct replay *r, const struct json *command) {
    const char *type = json_text(command, "type");
    static const struct {
        const char *name;
        int what;
    } kinds[] = {{"module", 0},
                 {"register", 1},
                 {"action", 2},
                 {"assert_return", 3},
                 {"assert_trap", 4},
                 {"assert_exhaustion", 4},
                 {"assert_exception", 8},
                 {"assert_invalid", 5},
                 {"assert_malformed", 5},
                 {"assert_unlinkable", 6},
                 {"assert_uninstantiable", 7}};
    int what = -1;
    for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].name) == 0)
            what = kinds[i].what;
    switch (what) {
    case 0:
        return run_module(r, command);
    case 1:
        return run_register(r, command);
    case 2:
    case 3:
        return run_return(r, command, what == 3);
    case 4:
        return run_trap(r, command);
    case 5:
        return run_refused(r, command);
    case 6:
        return run_not_started(r, command, STORE_UNLINKABLE);
    case 7:
        return run_not_started(r, command, STORE_TRAP);
    case 8:
        return run_exception(r, command);
    default:
        return because(r, FAILED, "a command that this runner does not know");
    }
}

static const struct spec_skip *find_skip(const struct spec_script *s, unsigned line) {
    for (unsigned i = 0; i < s->nskips; i++)
        if (s->skips[i].line == line && strcmp(s->skips[i].file, s->name) == 0)
            return &s->skips[i];
    return NULL;
}

static void report(struct replay *r, const struct json *command, const char *prefix) {
    const struct spec_script *s = r->script;
    if (r->printed++ >= s->max_failures)
        return;
    const char *field = json_text(json_get(command, "action"), "field"), *file = json_text(command, "filename");
    const char *subject = field ? field : file ? file : "";
    fprintf(s->out, "%s:%u: %s \"%s\": %s%s\n", s->name, r->counts->line, json_text(command, "type"), subject, prefix,
            r->why);
    fflush(s->out);
}

static void count(struct replay *r, const struct json *command, enum outcome outcome) {
    struct spec_counts *c = r->counts;
    const struct spec_skip *skip = find_skip(r->script, c->line);
    if (skip && outcome != PASSED) {
        c->skipped++;
    } else if (skip) {
        c->failed++;
        because(r, FAILED, "%s", skip->reason);
        report(r, command, "passed, though it is on the skip list: ");
    } else if (outcome == NAMED) {
        c->named++;
    } else if (outcome == PASSED) {
        if (is_assertion(command))
            c->passed++;
        else
            c->setup++;
    } else {
        c->failed++;
        c->unsupported += outcome == UNSUPPORTED;
        report(r, command, outcome == UNSUPPORTED ? "not supported: " : "");
    }
}

void script_run(const struct spec_script *script, const struct store_options *options, struct spec_counts *counts) {
    struct replay r = {.script = script, .counts = counts, .store = store_new(options)};
    json_foreach(command, script->commands) {
        if (is_assertion(command))
            ++*(is_text(command) ? &counts->text : &counts->total);
    }
    json_foreach(command, script->commands) {
        const char *line = json_text(command, "line");
        counts->line = line ? (unsigned)strtoul(line, NULL, 10) : 0;
        if (!is_assertion(command) || !is_text(command)) {
            r.why[0] = 0;
            count(&r, command, run_command(&r, command));
        }
    }
    if (counts->unsupported) {
        counts->failed += counts->named;
        counts->unsupported += counts->named;
        counts->named = 0;
    }
    counts->passed += counts->named;
    counts->refused += counts->named;
    counts->line = 0;
    const char *complaint = store_complaint(r.store);
    if (complaint) {
        counts->failed++;
        fprintf(script->out, "%s: %s\n", script->name, complaint);
        fflush(script->out);
    }
    store_launches(r.store, &counts->launches, &counts->fallbacks, &counts->kernels);
    store_free(r.store);
    arena_free(&r.arena);
}
