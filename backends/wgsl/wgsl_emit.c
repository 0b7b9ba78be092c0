/* Interface, regions and branches of a kernel in WGSL; see wgsl_emit.h and backends/control.h.
 *
 *   @group(0) @binding(s)        storage buffer, array<u32>, or array<atomic<u32>> where byte stores share words
 *   @group(0) @binding(nstreams) uniform buffer of vec4<u32>: the parameter block of ir/offload/kernel.h
 *
 * All streams are read_write, read-only ones too: they are ranges of one buffer, and WebGPU takes one buffer only in
 * one way in a dispatch.
 *
 * Frames are `loop`s: a real loop continues by itself at the end of its body, one that stands for a block ends in a
 * break.  Results and loop parameters are `var`s in front of the construct.
 */
#include "backends/wgsl/wgsl_emit.h"

#include <stdio.h>
#include <string.h>

#include "ir/util/ice.h"

void wgsl_line(struct wgsl_emit *e, const char *fmt, ...) {
    for (unsigned k = 0; k < e->indent; k++)
        strbuf_add(&e->body, "  ");
    va_list ap;
    va_start(ap, fmt);
    strbuf_vprintf(&e->body, fmt, ap);
    va_end(ap);
    strbuf_add(&e->body, "\n");
}

static void open_line(struct wgsl_emit *e, const char *text) {
    wgsl_line(e, "%s", text);
    e->indent++;
}

static void close_line(struct wgsl_emit *e, const char *text) {
    e->indent--;
    wgsl_line(e, "%s", text);
}

static void declare_results(struct wgsl_emit *e, struct ir_inst *i) {
    for (uint32_t k = 0; k < i->nresults; k++) {
        e->values[i->results[k].id].prefix = 'r';
        wgsl_line(e, "var r%u: %s;", i->results[k].id, wgsl_type(i->results[k].type));
    }
}

static void emit_branch(struct wgsl_emit *e, struct ir_inst *target, struct ir_value *const *args) {
    for (uint32_t k = 0; k < ir_label_arity(target); k++) {
        if (target->op == IR_LOOP)
            wgsl_line(e, "p%u = %s;", target->regions[0]->params[k]->id, wgsl_operand(e, args[k]));
        else
            wgsl_line(e, "r%u = %s;", target->results[k].id, wgsl_operand(e, args[k]));
    }
    uint32_t number = control_branch(&e->control, target);
    if (number) {
        e->uses_exit = true;
        wgsl_line(e, "exit = %uu;", number);
    }
    wgsl_line(e, number == 0 && target->op == IR_LOOP ? "continue;" : "break;");
}

static void emit_br_table(struct wgsl_emit *e, struct ir_inst *i) {
    struct ir_value *const *args = i->operands + 1;
    for (uint32_t k = 0; k + 1 < i->ntargets; k++) {
        wgsl_line(e, "if (%s == %uu) {", wgsl_operand(e, i->operands[0]), k);
        e->indent++;
        emit_branch(e, i->targets[k], args);
        close_line(e, "}");
        args += ir_label_arity(i->targets[k]);
    }
    emit_branch(e, i->targets[i->ntargets - 1], args);
}

/* Behind a frame; false when control never gets further. */
static bool emit_after(struct wgsl_emit *e, struct control_after after) {
    if (!after.leaves)
        return after.falls_out;
    bool loop = e->control.top->inst->op == IR_LOOP;
    if (after.falls_out)
        open_line(e, "if (exit != 0u) {");
    if (!after.beyond_outer) {
        wgsl_line(e, "exit = 0u;");
        wgsl_line(e, loop ? "continue;" : "break;");
    } else {
        if (after.to_outer) {
            wgsl_line(e, "if (exit == %uu) {", e->control.top->number);
            e->indent++;
            wgsl_line(e, "exit = 0u;");
            if (loop)
                wgsl_line(e, "continue;");
            close_line(e, "}");
        }
        wgsl_line(e, "break;");
    }
    if (after.falls_out)
        close_line(e, "}");
    return after.falls_out;
}

static bool emit_arms(struct wgsl_emit *e, struct ir_inst *i) {
    wgsl_line(e, "if (%s) {", wgsl_condition(e, i->operands[0]));
    e->indent++;
    bool reached = wgsl_emit_region(e, i->regions[0]);
    close_line(e, "} else {");
    e->indent++;
    reached |= wgsl_emit_region(e, i->regions[1]);
    close_line(e, "}");
    return reached;
}

static bool emit_frame(struct wgsl_emit *e, struct ir_inst *i) {
    struct control_frame frame;
    declare_results(e, i);
    if (i->op == IR_LOOP)
        for (uint32_t k = 0; k < i->regions[0]->nparams; k++)
            wgsl_line(e, "var p%u = %s;", i->regions[0]->params[k]->id, wgsl_operand(e, i->operands[k]));
    control_push(&e->control, &frame, i);
    open_line(e, "loop {");
    if (i->op == IR_LOOP)
        for (uint32_t k = 0; k < i->regions[0]->nparams; k++) {
            uint32_t id = i->regions[0]->params[k]->id;
            e->values[id].prefix = 'v';
            wgsl_line(e, "let v%u = p%u;", id, id);
        }
    if (i->op == IR_IF ? emit_arms(e, i) : wgsl_emit_region(e, i->regions[0])) {
        frame.falls_out = true;
        wgsl_line(e, "break;");
    }
    close_line(e, "}");
    return emit_after(e, control_pop(&e->control));
}

static void emit_yield(struct wgsl_emit *e, struct ir_inst *i) {
    struct ir_inst *around = i->parent->parent;
    bool variables = around->op == IR_IF || control_has_frame(around);
    for (uint32_t k = 0; k < i->noperands; k++) {
        if (variables)
            wgsl_line(e, "r%u = %s;", around->results[k].id, wgsl_operand(e, i->operands[k]));
        else
            e->values[around->results[k].id].alias = i->operands[k];
    }
}

static bool emit_construct(struct wgsl_emit *e, struct ir_inst *i) {
    if (control_has_frame(i))
        return emit_frame(e, i);
    if (i->op == IR_BLOCK)
        return wgsl_emit_region(e, i->regions[0]);
    declare_results(e, i);
    return emit_arms(e, i);
}

bool wgsl_emit_region(struct wgsl_emit *e, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        switch (i->op) {
        case IR_BLOCK:
        case IR_IF:
        case IR_LOOP:
            if (!emit_construct(e, i))
                return false;
            break;
        case IR_YIELD:
            emit_yield(e, i);
            return true;
        case IR_BR:
            emit_branch(e, i->target, i->operands);
            return false;
        case IR_BR_IF:
            wgsl_line(e, "if (%s) {", wgsl_condition(e, i->operands[0]));
            e->indent++;
            emit_branch(e, i->target, i->operands + 1);
            close_line(e, "}");
            break;
        case IR_BR_TABLE:
            emit_br_table(e, i);
            return false;
        case IR_RETURN:
        case IR_UNREACHABLE: /* not reached, the guard has shown */
            wgsl_emit_return(e, i);
            return false;
        case IR_CALL:
            wgsl_emit_call(e, i);
            break;
        default:
            if (i->nresults == 1)
                e->values[i->results[0].id].prefix = 'v';
            wgsl_emit_op(e, i);
        }
    }
    return true;
}

static const char *param_word(struct wgsl_emit *e, uint32_t word) {
    return arena_printf(e->arena, "params[%u].%c", word / 4, "xyzw"[word % 4]);
}

/* No launch lets the grid's extent along z come near 2^32 - 1, so fzero is 0; spv_float_const (backends/spirv) says why
 * the other is not a 1. */
void wgsl_declare_names(const struct wgsl_emit *e, struct strbuf *out) {
    if (e->uses_zero)
        strbuf_add(out, "  let zero = params[0].x & 0u;\n");
    if (e->uses_fzero)
        strbuf_add(out, "  let fzero = select(0u, 0x40490fdbu, params[0].z == 0xffffffffu);\n");
    if (e->uses_exit)
        strbuf_add(out, "  var exit = 0u;\n");
}

static void emit_interface(struct wgsl_emit *e) {
    const struct off_kernel *k = e->kernel;
    struct strbuf *h = &e->head;
    for (uint32_t s = 0; s < k->nstreams; s++)
        strbuf_printf(h, "@group(0) @binding(%u) var<storage, read_write> stream%u: array<%s>;\n", s, s,
                      e->atomic[s] ? "atomic<u32>" : "u32");
    strbuf_printf(h, "@group(0) @binding(%u) var<uniform> params: array<vec4<u32>, %u>;\n\n", k->nstreams,
                  (off_param_words(k) + 3) / 4);
    strbuf_printf(h, "@compute @workgroup_size(%u, %u, %u)\nfn main(@builtin(global_invocation_id) gid: vec3<u32>) {\n",
                  k->workgroup[0] ? k->workgroup[0] : 1, k->workgroup[1] ? k->workgroup[1] : 1,
                  k->workgroup[2] ? k->workgroup[2] : 1);
    strbuf_printf(h, "  let x = gid.x + %s;\n", param_word(e, OFF_PARAM_X_BASE));
    strbuf_add(h, "  if (x >= params[0].x || gid.y >= params[0].y || gid.z >= params[0].z) {\n    return;\n  }\n");
    for (uint32_t s = 0; s < k->nstreams; s++)
        strbuf_printf(h, "  let base%u = %s;\n", s, param_word(e, OFF_PARAM_STREAMS + s));
    uint32_t word = OFF_PARAM_STREAMS + k->nstreams;
    for (uint32_t p = 0; p < e->func->body->nparams; p++) {
        const struct ir_value *v = e->func->body->params[p];
        e->values[v->id].prefix = 'v';
        if (p < k->ngrid)
            strbuf_printf(h, "  let v%u = %s;\n", v->id, p == 0 ? "x" : p == 1 ? "gid.y" : "gid.z");
        else
            strbuf_printf(h, "  let v%u = %s;\n", v->id, param_word(e, word++));
    }
    ICE_UNLESS(word == off_param_words(k));
    wgsl_declare_names(e, h);
    for (uint32_t k = 0; k < IR_MAX_ARRAYS; k++)
        if (e->arrays[k])
            strbuf_printf(h, "  var array%u: array<u32, %u>;\n", k, e->arrays[k]);
}

char *wgsl_emit_kernel(struct arena *a, const struct off_kernel *k, struct ir_func *f, const char **out_why) {
    struct arena scratch = {0};
    struct wgsl_emit e = {.kernel = k, .func = f, .arena = &scratch, .indent = 1};
    char *out = NULL;
    if (control_prepare(f, &scratch)) {
        e.values = arena_array(&scratch, struct wgsl_value, f->next_id + 1);
        wgsl_scan_uses(&e);
        for (uint32_t p = 0; p < f->body->nparams; p++)
            e.values[f->body->params[p]->id].prefix = 'v';
        if (wgsl_emit_region(&e, f->body))
            ICE("kernel body without a return");
        emit_interface(&e);
        struct strbuf main = e.body, helpers = {0};
        e.body = (struct strbuf){0};
        if (wgsl_emit_helpers(&e, &helpers))
            out = arena_printf(a, "%s%s}\n%s", e.head.data, main.data, helpers.data ? helpers.data : "");
        strbuf_free(&main);
        strbuf_free(&helpers);
    }
    if (!out)
        *out_why = "control flow nests too deeply";
    strbuf_free(&e.head);
    strbuf_free(&e.body);
    arena_free(&scratch);
    return out;
}
