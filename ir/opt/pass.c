/* The pass runner: dump, run, verify, and check the claim "unchanged" against the printed text. */
#include "ir/opt/pass.h"

#include <stdio.h>
#include <string.h>

#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/util/ice.h"

static const struct {
    const char *name;
    bool (*run)(struct ir_func *f, struct pass_ctx *cx);
} passes[OPT_PASS_COUNT] = {
#define PASS(ID, NAME, FN, WHAT) [OPT_##ID] = {(NAME), FN},
#include "ir/opt/passes.def"
};

const char *pass_name(enum opt_pass pass) {
    return passes[pass].name;
}

bool pass_lookup(const char *name, enum opt_pass *out_pass) {
    for (int k = 0; k < OPT_PASS_COUNT; k++)
        if (!strcmp(passes[k].name, name)) {
            *out_pass = (enum opt_pass)k;
            return true;
        }
    return false;
}

/* Whether the comma-separated list names the pass. */
static bool listed(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
        if (!strncmp(p, name, n) && (p[n] == ',' || !p[n]))
            return true;
    return false;
}

static void check(struct ir_func *f, const char *name, bool changed, const struct strbuf *before) {
    struct strbuf out = {0};
    if (!ir_verify_func(f, &out)) {
        strbuf_add(&out, "\n");
        ir_print_func(&out, f);
        ICE("pass %s broke a function:\n%s", name, out.data);
    }
    if (!changed) {
        ir_print_func(&out, f);
        if (!out.data || !before->data || out.len != before->len || memcmp(out.data, before->data, out.len) != 0)
            ICE("pass %s changed a function and did not say so; before:\n%s\nafter:\n%s", name, before->data, out.data);
    }
    strbuf_free(&out);
}

bool pass_run(enum opt_pass pass, struct ir_func *f, struct pass_ctx *cx) {
    const char *name = passes[pass].name;
    if (cx->stopped || !f->body || listed(cx->skip, name))
        return false;
    struct strbuf before = {0};
    if (cx->verify)
        ir_print_func(&before, f);
    struct arena_mark mark = arena_mark(&cx->scratch);
    bool changed = passes[pass].run(f, cx);
    arena_reset(&cx->scratch, mark);
    if (cx->dump && cx->dump_after && (!strcmp(cx->dump_after, "all") || !strcmp(cx->dump_after, name)))
        cx->dump(cx->dump_user, name, f);
    if (cx->verify)
        check(f, name, changed, &before);
    strbuf_free(&before);
    if (cx->stop_after && !strcmp(cx->stop_after, name))
        cx->stopped = true;
    return changed;
}

/* Most functions settle in two or three rounds; each round is linear, so the bound only cuts off slow ripples. */
enum { MAX_ROUNDS = 8 };

void opt_simplify(struct ir_func *f, struct pass_ctx *cx) {
    static const enum opt_pass round[] = {OPT_FOLD,  OPT_IMPLIED, OPT_STRUCTURE, OPT_TWICE, OPT_FLOAT_COUNTERS,
                                          OPT_PRUNE, OPT_CSE,     OPT_TRAPS,     OPT_LICM,  OPT_DCE};
    for (int k = 0; k < MAX_ROUNDS; k++) {
        bool changed = false;
        for (size_t n = 0; n < sizeof round / sizeof *round; n++)
            changed |= pass_run(round[n], f, cx);
        if (!changed)
            return;
    }
}
