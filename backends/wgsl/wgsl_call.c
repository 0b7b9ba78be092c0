/* Helper functions of a kernel (ir/offload/legalize_soft.h) in WGSL.
 *
 * They stand behind main, under the names they have in the library.  One with two results, the halves of a 64-bit
 * number, returns a vector of two.
 */
#include "backends/wgsl/wgsl_emit.h"

#include "ir/util/ice.h"

static void note_helper(struct wgsl_emit *e, struct ir_func *f) {
    struct wgsl_helper **at = &e->helpers;
    for (; *at; at = &(*at)->next)
        if ((*at)->func == f)
            return;
    *at = arena_new(e->arena, struct wgsl_helper);
    (*at)->func = f;
}

void wgsl_emit_call(struct wgsl_emit *e, struct ir_inst *i) {
    const struct ir_module *library = e->func->module;
    ICE_UNLESS(i->index < library->nfuncs && library->funcs[i->index].func);
    struct ir_func *f = library->funcs[i->index].func;
    note_helper(e, f);
    struct strbuf text = {0};
    strbuf_printf(&text, "%s(", f->name);
    for (uint32_t k = 0; k < i->noperands; k++)
        strbuf_printf(&text, "%s%s", k ? ", " : "", wgsl_operand(e, i->operands[k]));
    uint32_t id = i->results[0].id;
    e->values[id].prefix = 'v';
    if (i->nresults == 1) {
        wgsl_line(e, "let v%u = %s);", id, text.data);
    } else {
        ICE_UNLESS(i->nresults == 2);
        wgsl_line(e, "let w%u = %s);", id, text.data);
        for (uint32_t k = 0; k < 2; k++) {
            e->values[i->results[k].id].prefix = 'v';
            wgsl_line(e, "let v%u = w%u.%c;", i->results[k].id, id, "xy"[k]);
        }
    }
    strbuf_free(&text);
}

void wgsl_emit_return(struct wgsl_emit *e, struct ir_inst *i) {
    if (i->op == IR_UNREACHABLE && e->func->sig.nresults)
        ICE("a helper function with an unreachable end");
    if (i->noperands == 0)
        wgsl_line(e, "return;");
    else if (i->noperands == 1)
        wgsl_line(e, "return %s;", wgsl_operand(e, i->operands[0]));
    else
        wgsl_line(e, "return vec2<u32>(%s, %s);", wgsl_operand(e, i->operands[0]), wgsl_operand(e, i->operands[1]));
}

static bool emit_helper(struct wgsl_emit *e, struct ir_func *f, struct strbuf *out) {
    if (!control_prepare(f, e->arena))
        return false;
    e->func = f;
    e->control = (struct control){0};
    e->uses_exit = e->uses_zero = e->uses_fzero = false;
    e->values = arena_array(e->arena, struct wgsl_value, f->next_id + 1);
    wgsl_scan_uses(e);
    strbuf_printf(out, "\nfn %s(", f->name);
    for (uint32_t k = 0; k < f->body->nparams; k++) {
        const struct ir_value *v = f->body->params[k];
        e->values[v->id].prefix = 'v';
        strbuf_printf(out, "%sv%u: %s", k ? ", " : "", v->id, wgsl_type(v->type));
    }
    strbuf_printf(out, ") -> %s {\n", f->sig.nresults == 2 ? "vec2<u32>" : wgsl_type(f->sig.results[0]));
    strbuf_free(&e->body);
    e->body = (struct strbuf){0};
    if (wgsl_emit_region(e, f->body))
        ICE("helper function without a return");
    wgsl_declare_names(e, out);
    strbuf_printf(out, "%s}\n", e->body.data);
    return true;
}

bool wgsl_emit_helpers(struct wgsl_emit *e, struct strbuf *out) {
    for (const struct wgsl_helper *helper = e->helpers; helper; helper = helper->next)
        if (!emit_helper(e, helper->func, out))
            return false;
    return true;
}
