/* IR to text.  Values and labels are numbered in textual order into side tables, so that printing changes nothing and
 * two equal functions print alike whatever their ids are.  The grammar is in docs/ir.md. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_immediates.h"
#include "ir/ir_text.h"
#include "ir/util/ice.h"

struct printer {
    struct strbuf *out;
    struct ir_module *module;
    uint32_t *numbers; /* by value id; NULL prints ids themselves */
    uint32_t nids, next_value, next_label;
};

static void print_string(struct strbuf *out, const void *bytes, uint64_t n) {
    const unsigned char *p = bytes;
    strbuf_add(out, "\"");
    for (uint64_t i = 0; i < n; i++) {
        if (p[i] == '"' || p[i] == '\\')
            strbuf_printf(out, "\\%c", p[i]);
        else if (p[i] >= 0x20 && p[i] < 0x7f)
            strbuf_add_bytes(out, p + i, 1);
        else
            strbuf_printf(out, "\\%02x", p[i]);
    }
    strbuf_add(out, "\"");
}

static void print_name(struct strbuf *out, const char *s) {
    print_string(out, s, strlen(s));
}

static void print_use(struct printer *p, const struct ir_value *v) {
    if (!v)
        strbuf_add(p->out, "%?");
    else if (!p->numbers)
        strbuf_printf(p->out, "%%%" PRIu32, v->id);
    else if (v->id < p->nids && p->numbers[v->id])
        strbuf_printf(p->out, "%%%" PRIu32, p->numbers[v->id] - 1);
    else
        strbuf_printf(p->out, "%%?%" PRIu32, v->id); /* used but not defined before: broken IR, in a dump */
}

static void print_def(struct printer *p, const struct ir_value *v) {
    if (p->numbers && v->id < p->nids)
        p->numbers[v->id] = ++p->next_value;
    print_use(p, v);
    strbuf_printf(p->out, ":%s", ir_type_name[v->type]);
}

static void print_uses(struct printer *p, struct ir_value *const *v, uint32_t n, const char *before) {
    for (uint32_t i = 0; i < n; i++) {
        strbuf_add(p->out, i ? ", " : before);
        print_use(p, v[i]);
    }
}

/* Shortest fixed precision that every value survives: 9 and 17 digits (IEEE 754-2019, 5.12.2). */
static void print_float(struct strbuf *out, enum ir_type type, union ir_bits bits) {
    if (type == IR_F32 && isnan(bits.f32))
        strbuf_printf(out, "nan:0x%08" PRIx32, bits.i32);
    else if (type == IR_F64 && isnan(bits.f64))
        strbuf_printf(out, "nan:0x%016" PRIx64, bits.i64);
    else if (type == IR_F32)
        strbuf_printf(out, "%.9g", (double)bits.f32);
    else
        strbuf_printf(out, "%.17g", bits.f64);
}

static void print_const(struct strbuf *out, enum ir_op op, union ir_bits bits) {
    strbuf_printf(out, "%s ", ir_op_info[op].text);
    switch (op) {
    case IR_I32_CONST:
        strbuf_printf(out, "%" PRId32, (int32_t)bits.i32);
        break;
    case IR_I64_CONST:
        strbuf_printf(out, "%" PRId64, (int64_t)bits.i64);
        break;
    case IR_F32_CONST:
    case IR_F64_CONST:
        print_float(out, op == IR_F32_CONST ? IR_F32 : IR_F64, bits);
        break;
    default:
        strbuf_printf(out, "0x%08" PRIx32 " 0x%08" PRIx32 " 0x%08" PRIx32 " 0x%08" PRIx32, bits.u32x4[0], bits.u32x4[1],
                      bits.u32x4[2], bits.u32x4[3]);
    }
}

static void print_target(struct printer *p, const struct ir_inst *label, struct ir_value *const *args, uint32_t n) {
    strbuf_printf(p->out, " L%" PRIu32, label->label);
    if (n) {
        print_uses(p, args, n, "(");
        strbuf_add(p->out, ")");
    }
}

static void print_targets(struct printer *p, const struct ir_inst *i) {
    uint32_t at = 0;
    if (i->op != IR_BR) {
        strbuf_add(p->out, " ");
        print_use(p, i->noperands ? i->operands[0] : NULL);
        strbuf_add(p->out, ",");
        at = 1;
    }
    for (uint32_t k = 0; k < i->ntargets; k++) {
        const struct ir_inst *label = i->op == IR_BR_TABLE ? i->targets[k] : i->target;
        uint32_t n = i->op == IR_BR_TABLE ? ir_label_arity(label) : i->noperands - at;
        if (n > i->noperands - at)
            n = i->noperands - at; /* broken IR, in a dump */
        strbuf_add(p->out, k ? "," : "");
        print_target(p, label, i->operands + at, n);
        at += n;
    }
}

/* Everything of an instruction that stands in front of its regions. */
static void print_head(struct printer *p, struct ir_inst *i) {
    struct strbuf *out = p->out;
    for (uint32_t k = 0; k < i->nresults; k++) {
        strbuf_add(out, k ? ", " : "");
        print_def(p, &i->results[k]);
    }
    strbuf_add(out, i->nresults ? " = " : "");
    enum ir_op op = (enum ir_op)i->op;
    if (ir_is_const(i)) {
        print_const(out, op, i->bits);
        return;
    }
    strbuf_add(out, ir_op_info[op].text);
    if (ir_has_mem(op)) {
        if (i->mem.memory)
            strbuf_printf(out, " memory=%u", i->mem.memory);
        if (i->mem.offset)
            strbuf_printf(out, " offset=%" PRIu64, i->mem.offset);
        uint64_t align = UINT64_C(1) << (i->mem.align_log2 & 63);
        if (align != ir_access_bytes(op))
            strbuf_printf(out, " align=%" PRIu64, align);
        if (i->mem.stream >= 0)
            strbuf_printf(out, " stream=%d", i->mem.stream);
    }
    for (unsigned k = 0; k < ir_op_info[op].lanes; k++)
        strbuf_printf(out, " %u", i->bits.u8x16[k]);
    unsigned indices = ir_index_count(op);
    if (indices >= 1)
        strbuf_printf(out, " %" PRIu32, i->index);
    if (indices >= 2)
        strbuf_printf(out, " %" PRIu32, i->index2);
    if (ir_nregions(i)) {
        if (p->numbers)
            i->label = p->next_label++;
        strbuf_printf(out, " L%" PRIu32, i->label);
    }
    if (op == IR_BR || op == IR_BR_IF || op == IR_BR_TABLE) {
        print_targets(p, i);
    } else if (op == IR_LOOP) {
        const struct ir_region *body = i->regions[0];
        for (uint32_t k = 0; k < body->nparams; k++) {
            strbuf_add(out, k ? ", " : " (");
            print_def(p, body->params[k]);
            strbuf_add(out, " = ");
            print_use(p, k < i->noperands ? i->operands[k] : NULL);
        }
        strbuf_add(out, body->nparams ? ")" : "");
    } else {
        print_uses(p, i->operands, i->noperands, " ");
    }
}

static void print_tail(struct printer *p, const struct ir_inst *i) {
    if (i->wasm_offset != IR_NO_OFFSET)
        strbuf_printf(p->out, " !0x%" PRIx32, i->wasm_offset);
    const struct ir_module *m = p->module;
    if ((i->op == IR_CALL || i->op == IR_RETURN_CALL || i->op == IR_REF_FUNC) && m && i->index < m->nfuncs &&
        m->funcs[i->index].func) {
        strbuf_add(p->out, "  ; ");
        print_name(p->out, m->funcs[i->index].func->name);
    }
}

static void print_region(struct printer *p, const struct ir_region *r, unsigned depth);

enum { MAX_INDENT = 40 }; /* levels; deeper lines would be mostly blanks */

static void print_indent(struct printer *p, unsigned depth) {
    strbuf_printf(p->out, "%*s", (int)(depth < MAX_INDENT ? depth : MAX_INDENT) * 2, "");
}

static void print_full(struct printer *p, struct ir_inst *i, unsigned depth) {
    print_indent(p, depth);
    print_head(p, i);
    print_tail(p, i);
    if (ir_nregions(i)) {
        for (unsigned k = 0; k < ir_nregions(i); k++) {
            if (k) {
                print_indent(p, depth);
                strbuf_add(p->out, "} else");
            }
            strbuf_add(p->out, " {\n");
            print_region(p, i->regions[k], depth + 1);
        }
        print_indent(p, depth);
        strbuf_add(p->out, "}");
    }
    strbuf_add(p->out, "\n");
}

static void print_region(struct printer *p, const struct ir_region *r, unsigned depth) {
    ir_foreach_inst (i, r)
        print_full(p, i, depth);
}

static void print_types(struct strbuf *out, const enum ir_type *types, uint32_t n) {
    strbuf_add(out, "(");
    for (uint32_t k = 0; k < n; k++)
        strbuf_printf(out, "%s%s", k ? ", " : "", ir_type_name[types[k]]);
    strbuf_add(out, ")");
}

static void print_import(struct strbuf *out, const struct ir_import_name *import) {
    if (!import->module)
        return;
    strbuf_add(out, " import ");
    print_name(out, import->module);
    strbuf_add(out, " ");
    print_name(out, import->field);
}

void ir_print_func(struct strbuf *out, struct ir_func *f) {
    bool kernel = f->type == UINT32_MAX;
    strbuf_printf(out, "%s %" PRIu32 " ", kernel ? "kernel" : "func", f->index);
    print_name(out, f->name);
    if (!kernel)
        strbuf_printf(out, " type=%" PRIu32, f->type);
    const struct ir_module *m = f->module;
    bool imported =
        !kernel && m && f->index < m->nfuncs && m->funcs[f->index].func == f && m->funcs[f->index].import.module;
    if (imported)
        print_import(out, &m->funcs[f->index].import);
    if (f->wasm_offset != IR_NO_OFFSET)
        strbuf_printf(out, " at=0x%" PRIx32 ",0x%" PRIx32 ",0x%" PRIx32, f->wasm_offset, f->wasm_end, f->code_offset);
    if (imported || !f->body) {
        strbuf_add(out, "\n");
        return;
    }
    struct printer p = {.out = out, .module = f->module, .nids = f->next_id};
    p.numbers = calloc((size_t)f->next_id + 1, sizeof *p.numbers);
    if (!p.numbers)
        ICE("out of memory while printing %s", f->name);
    strbuf_add(out, " (");
    for (uint32_t k = 0; k < f->body->nparams; k++) {
        strbuf_add(out, k ? ", " : "");
        print_def(&p, f->body->params[k]);
    }
    strbuf_add(out, ")");
    if (f->sig.nresults) {
        strbuf_add(out, " -> ");
        print_types(out, f->sig.results, f->sig.nresults);
    }
    strbuf_add(out, " {\n");
    print_region(&p, f->body, 1);
    strbuf_add(out, "}\n");
    free(p.numbers);
}

void ir_print_inst(struct strbuf *out, struct ir_inst *i) {
    struct printer p = {.out = out, .module = i->parent ? i->parent->func->module : NULL};
    print_head(&p, i);
    print_tail(&p, i);
}

/* ---- module items ---- */

static void print_limits(struct strbuf *out, const struct ir_limits *l) {
    strbuf_printf(out, " min=%" PRIu64, l->min);
    if (l->has_max)
        strbuf_printf(out, " max=%" PRIu64, l->max);
    strbuf_add(out, l->shared ? " shared" : "");
    strbuf_add(out, l->is64 ? " is64" : "");
}

static void print_init(struct strbuf *out, const struct ir_init *init) {
    if (init->op >= IR_I32_CONST && init->op <= IR_V128_CONST) {
        print_const(out, init->op, init->bits);
    } else if (init->op == IR_REF_NULL) {
        strbuf_add(out, "ref.null");
    } else if (ir_init_is_arithmetic(init->op)) {
        strbuf_printf(out, "%s (", ir_op_info[init->op].text);
        print_init(out, &init->args[0]);
        strbuf_add(out, ", ");
        print_init(out, &init->args[1]);
        strbuf_add(out, ")");
    } else {
        strbuf_printf(out, "%s %" PRIu32, ir_op_info[init->op].text, init->index);
    }
}

static const char *const mode_name[] = {"active", "passive", "declared"};
static const char *const extern_name[] = {"func", "table", "memory", "global", "tag"};

static void print_data(struct strbuf *out, uint32_t index, const struct ir_data *d) {
    strbuf_printf(out, "data %" PRIu32 " %s", index, mode_name[d->mode]);
    if (d->mode == IR_SEGMENT_ACTIVE) {
        strbuf_printf(out, " memory=%" PRIu32 " ", d->memory);
        print_init(out, &d->offset);
    }
    strbuf_add(out, " ");
    print_string(out, d->bytes, d->size);
    strbuf_add(out, "\n");
}

static void print_elem(struct strbuf *out, uint32_t index, const struct ir_elem *e) {
    strbuf_printf(out, "elem %" PRIu32 " %s %s", index, mode_name[e->mode], ir_type_name[e->type]);
    if (e->mode == IR_SEGMENT_ACTIVE) {
        strbuf_printf(out, " table=%" PRIu32 " ", e->table);
        print_init(out, &e->offset);
    }
    strbuf_add(out, " (");
    for (uint32_t k = 0; k < e->nitems; k++) {
        strbuf_add(out, k ? ", " : "");
        print_init(out, &e->items[k]);
    }
    strbuf_add(out, ")\n");
}

static void print_global(struct strbuf *out, uint32_t index, const struct ir_global *g) {
    strbuf_printf(out, "global %" PRIu32 " %s%s", index, g->mutable_ ? "mut " : "", ir_type_name[g->type]);
    if (g->name) {
        strbuf_add(out, " ");
        print_name(out, g->name);
    }
    print_import(out, &g->import);
    if (!g->import.module) {
        strbuf_add(out, " = ");
        print_init(out, &g->init);
    }
    strbuf_add(out, "\n");
}

static void print_header_items(struct strbuf *out, const struct ir_module *m) {
    for (uint32_t k = 0; k < m->ntypes; k++) {
        strbuf_printf(out, "type %" PRIu32 " ", k);
        print_types(out, m->types[k].params, m->types[k].nparams);
        strbuf_add(out, " -> ");
        print_types(out, m->types[k].results, m->types[k].nresults);
        strbuf_add(out, "\n");
    }
    for (uint32_t k = 0; k < m->nmemories; k++) {
        strbuf_printf(out, "memory %" PRIu32, k);
        print_import(out, &m->memories[k].import);
        print_limits(out, &m->memories[k].limits);
        strbuf_add(out, "\n");
    }
    for (uint32_t k = 0; k < m->ntables; k++) {
        strbuf_printf(out, "table %" PRIu32 " %s", k, ir_type_name[m->tables[k].type]);
        print_import(out, &m->tables[k].import);
        print_limits(out, &m->tables[k].limits);
        strbuf_add(out, "\n");
    }
    for (uint32_t k = 0; k < m->nglobals; k++)
        print_global(out, k, &m->globals[k]);
    for (uint32_t k = 0; k < m->ntags; k++) {
        strbuf_printf(out, "tag %" PRIu32 " type=%" PRIu32, k, m->tags[k].type);
        print_import(out, &m->tags[k].import);
        strbuf_add(out, "\n");
    }
}

void ir_print_module(struct strbuf *out, struct ir_module *m) {
    strbuf_add(out, "module ");
    print_name(out, m->name ? m->name : "");
    strbuf_add(out, "\n");
    print_header_items(out, m);
    for (uint32_t k = 0; k < m->nfuncs; k++)
        ir_print_func(out, m->funcs[k].func);
    for (uint32_t k = 0; k < m->nexports; k++) {
        strbuf_add(out, "export ");
        print_name(out, m->exports[k].name);
        strbuf_printf(out, " %s %" PRIu32 "\n", extern_name[m->exports[k].kind], m->exports[k].index);
    }
    if (m->start >= 0)
        strbuf_printf(out, "start %" PRId64 "\n", m->start);
    for (uint32_t k = 0; k < m->nelems; k++)
        print_elem(out, k, &m->elems[k]);
    for (uint32_t k = 0; k < m->ndatas; k++)
        print_data(out, k, &m->datas[k]);
    if (m->code_section_offset)
        strbuf_printf(out, "code_section 0x%" PRIx32 "\n", m->code_section_offset);
    for (uint32_t k = 0; k < m->ncustoms; k++) {
        strbuf_add(out, "custom ");
        print_name(out, m->customs[k].name);
        strbuf_printf(out, " at=0x%" PRIx32 " ", m->customs[k].wasm_offset);
        print_string(out, m->customs[k].bytes, m->customs[k].size);
        strbuf_add(out, "\n");
    }
}
