/* struct wm_module (runtime/abi.h) and everything it points to, as constants of the LLVM module.
 *
 * All fields are 8 bytes, so a struct is just a list of i64 and ptr values; `struct fields` collects one.  Arrays of
 * structs become private globals.  wasmetal_module_<name> is the only exported symbol.
 */
#include "backends/host/host_internal.h"

#include <string.h>

struct fields {
    struct host_cx *cx;
    LLVMValueRef *v;
    uint32_t n, cap;
};

static void add(struct fields *f, LLVMValueRef v) {
    *arena_push(&f->cx->arena, f->v, f->n, f->cap) = v;
}

static void add_number(struct fields *f, uint64_t v) {
    add(f, host_const_i64(f->cx, v));
}

static LLVMValueRef private_constant(struct host_cx *cx, LLVMValueRef value, const char *name, unsigned align) {
    LLVMValueRef g = LLVMAddGlobal(cx->module, LLVMTypeOf(value), name);
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, 1);
    LLVMSetLinkage(g, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(g, LLVMGlobalUnnamedAddr);
    LLVMSetAlignment(g, align);
    return g;
}

static void add_bytes(struct fields *f, const void *bytes, size_t size, bool terminated, const char *name) {
    if (!bytes || (size == 0 && !terminated)) {
        add(f, LLVMConstNull(f->cx->ptr));
        return;
    }
    LLVMValueRef text = LLVMConstStringInContext2(f->cx->llvm, bytes, size, !terminated);
    add(f, private_constant(f->cx, text, name, terminated ? 1 : 16));
}

static void add_text(struct fields *f, const char *text) {
    add_bytes(f, text, text ? strlen(text) : 0, text != NULL, "text");
}

static LLVMValueRef struct_of(struct fields *f) {
    LLVMValueRef v = LLVMConstStructInContext(f->cx->llvm, f->v, f->n, 0);
    f->n = 0;
    return v;
}

/* Adds the number of elements and the address of an array with them; all have one type. */
static void add_pointer_to(struct fields *f, LLVMValueRef *elements, uint64_t n, const char *name) {
    struct host_cx *cx = f->cx;
    if (n == 0) {
        add(f, LLVMConstNull(cx->ptr));
        return;
    }
    add(f, private_constant(cx, LLVMConstArray2(LLVMTypeOf(elements[0]), elements, n), name, 8));
}

static void add_array(struct fields *f, LLVMValueRef *elements, uint64_t n, const char *name) {
    add_number(f, n);
    add_pointer_to(f, elements, n, name);
}

static LLVMValueRef *elements(struct host_cx *cx, uint64_t n) {
    return arena_array(&cx->arena, LLVMValueRef, n);
}

/* ---- pieces that several structs hold ---- */

static void add_init(struct fields *f, const struct ir_init *init);

/* All initialisers have one LLVM type, so that arrays can hold them: the operands' address goes in as a number. */
static void add_arithmetic_init(struct fields *f, const struct ir_init *init) {
    struct host_cx *cx = f->cx;
    struct fields part = {.cx = cx};
    LLVMValueRef args[2];
    for (unsigned k = 0; k < 2; k++) {
        add_init(&part, &init->args[k]);
        args[k] = struct_of(&part);
    }
    LLVMValueRef array = private_constant(cx, LLVMConstArray2(LLVMTypeOf(args[0]), args, 2), "init", 8);
    bool wide = ir_op_info[init->op].result == IR_I64, sub = init->op == IR_I32_SUB || init->op == IR_I64_SUB;
    add_number(f, 4);
    add_number(f, init->op == IR_I32_ADD || init->op == IR_I64_ADD ? 0 : sub ? 1 : 2);
    add_number(f, wide ? 64 : 32);
    add(f, LLVMConstPtrToInt(array, cx->i64));
}

static void add_init(struct fields *f, const struct ir_init *init) {
    uint64_t kind = 0, lo = 0, hi = 0;
    switch (init->op) {
    case IR_GLOBAL_GET:
        kind = 1;
        break;
    case IR_REF_FUNC:
        kind = 2;
        break;
    case IR_REF_NULL:
        kind = 3;
        break;
    case IR_I32_CONST:
    case IR_F32_CONST:
        lo = init->bits.i32;
        break;
    case IR_I64_CONST:
    case IR_F64_CONST:
        lo = init->bits.i64;
        break;
    case IR_V128_CONST:
        lo = init->bits.u64x2[0];
        hi = init->bits.u64x2[1];
        break;
    case IR_I32_ADD:
    case IR_I32_SUB:
    case IR_I32_MUL:
    case IR_I64_ADD:
    case IR_I64_SUB:
    case IR_I64_MUL:
        add_arithmetic_init(f, init);
        return;
    default:
        ICE("%s is no constant expression", ir_op_info[init->op].text);
    }
    add_number(f, kind);
    add_number(f, init->index);
    add_number(f, lo);
    add_number(f, hi);
}

static void add_no_init(struct fields *f) {
    for (unsigned i = 0; i < 4; i++)
        add_number(f, 0);
}

static void add_limits(struct fields *f, const struct ir_limits *l) {
    add_number(f, l->min);
    add_number(f, l->has_max ? l->max : WM_NONE);
    add_number(f, (l->shared ? 1 : 0) | (l->is64 ? 2 : 0));
}

/* ---- the tables ---- */

static LLVMValueRef type_text(struct host_cx *cx, const struct ir_sig *sig) {
    static const char letters[IR_TYPE_COUNT + 1] = "ilfdvrx?";
    struct fields f = {.cx = cx};
    char *text = arena_array(&cx->arena, char, sig->nparams + sig->nresults + 2), *p = text;
    for (uint32_t i = 0; i < sig->nparams; i++)
        *p++ = letters[sig->params[i]];
    *p++ = ':';
    for (uint32_t i = 0; i < sig->nresults; i++)
        *p++ = letters[sig->results[i]];
    add_text(&f, text);
    return f.v[0];
}

static void add_types(struct fields *m) {
    struct host_cx *cx = m->cx;
    LLVMValueRef *texts = elements(cx, cx->m->ntypes);
    for (uint32_t t = 0; t < cx->m->ntypes; t++)
        texts[t] = type_text(cx, &cx->m->types[t]);
    add_array(m, texts, cx->m->ntypes, "types");
    add_pointer_to(m, cx->trampolines, cx->m->ntypes, "trampolines");
}

static void add_funcs(struct fields *m) {
    struct host_cx *cx = m->cx;
    struct fields f = {.cx = cx};
    LLVMValueRef *list = elements(cx, cx->m->nfuncs);
    for (uint32_t i = 0; i < cx->m->nfuncs; i++) {
        const struct ir_func *func = cx->m->funcs[i].func;
        add_text(&f, func->name);
        add_number(&f, func->type);
        add(&f, cx->tail[i] ? cx->entries[i] : host_func(cx, i));
        add_number(&f, func->body && func->wasm_offset != IR_NO_OFFSET ? func->wasm_offset : WM_NONE);
        add(&f, cx->tail[i] ? host_func(cx, i) : LLVMConstNull(cx->ptr));
        list[i] = struct_of(&f);
    }
    add_number(m, cx->m->nfuncs);
    add_number(m, cx->m->nfunc_imports);
    add_pointer_to(m, list, cx->m->nfuncs, "funcs");
}

static void add_import(struct fields *f, LLVMValueRef *list, uint64_t *n, const struct ir_import_name *name,
                       enum ir_extern_kind kind, uint32_t index) {
    if (!name->module)
        return;
    add_text(f, name->module);
    add_text(f, name->field);
    add_number(f, kind);
    add_number(f, index);
    list[(*n)++] = struct_of(f);
}

static void add_imports(struct fields *m) {
    struct host_cx *cx = m->cx;
    const struct ir_module *ir = cx->m;
    struct fields f = {.cx = cx};
    uint64_t n = 0;
    LLVMValueRef *list = elements(cx, (uint64_t)ir->nfuncs + ir->ntables + ir->nmemories + ir->nglobals + ir->ntags);
    for (uint32_t i = 0; i < ir->nfuncs; i++)
        add_import(&f, list, &n, &ir->funcs[i].import, IR_EXTERN_FUNC, i);
    for (uint32_t i = 0; i < ir->ntables; i++)
        add_import(&f, list, &n, &ir->tables[i].import, IR_EXTERN_TABLE, i);
    for (uint32_t i = 0; i < ir->nmemories; i++)
        add_import(&f, list, &n, &ir->memories[i].import, IR_EXTERN_MEMORY, i);
    for (uint32_t i = 0; i < ir->nglobals; i++)
        add_import(&f, list, &n, &ir->globals[i].import, IR_EXTERN_GLOBAL, i);
    for (uint32_t i = 0; i < ir->ntags; i++)
        add_import(&f, list, &n, &ir->tags[i].import, IR_EXTERN_TAG, i);
    add_array(m, list, n, "imports");
}

static void add_exports(struct fields *m) {
    struct host_cx *cx = m->cx;
    struct fields f = {.cx = cx};
    LLVMValueRef *list = elements(cx, cx->m->nexports);
    for (uint32_t i = 0; i < cx->m->nexports; i++) {
        add_text(&f, cx->m->exports[i].name);
        add_number(&f, cx->m->exports[i].kind);
        add_number(&f, cx->m->exports[i].index);
        list[i] = struct_of(&f);
    }
    add_array(m, list, cx->m->nexports, "exports");
}

static void add_memories(struct fields *m) {
    struct host_cx *cx = m->cx;
    struct fields f = {.cx = cx};
    LLVMValueRef *list = elements(cx, cx->m->nmemories);
    uint64_t imported = 0;
    for (uint32_t i = 0; i < cx->m->nmemories; i++) {
        add_limits(&f, &cx->m->memories[i].limits);
        list[i] = struct_of(&f);
        imported += cx->m->memories[i].import.module != NULL;
    }
    add_array(m, list, cx->m->nmemories, "memories");
    add_number(m, imported);
}

static void add_tables(struct fields *m) {
    struct host_cx *cx = m->cx;
    struct fields f = {.cx = cx};
    LLVMValueRef *list = elements(cx, cx->m->ntables);
    uint64_t imported = 0;
    for (uint32_t i = 0; i < cx->m->ntables; i++) {
        add_limits(&f, &cx->m->tables[i].limits);
        add_number(&f, cx->m->tables[i].type);
        list[i] = struct_of(&f);
        imported += cx->m->tables[i].import.module != NULL;
    }
    add_array(m, list, cx->m->ntables, "tables");
    add_number(m, imported);
}

static void add_globals(struct fields *m) {
    struct host_cx *cx = m->cx;
    struct fields f = {.cx = cx};
    LLVMValueRef *list = elements(cx, cx->m->nglobals);
    for (uint32_t i = 0; i < cx->m->nglobals; i++) {
        const struct ir_global *g = &cx->m->globals[i];
        add_number(&f, g->type);
        add_number(&f, g->mutable_);
        add_number(&f, g->import.module != NULL);
        if (g->import.module)
            add_no_init(&f);
        else
            add_init(&f, &g->init);
        list[i] = struct_of(&f);
    }
    add_array(m, list, cx->m->nglobals, "globals");
}

static void add_tags(struct fields *m) {
    struct host_cx *cx = m->cx;
    LLVMValueRef *list = elements(cx, cx->m->ntags);
    for (uint32_t i = 0; i < cx->m->ntags; i++)
        list[i] = host_const_i64(cx, cx->m->tags[i].type);
    add_array(m, list, cx->m->ntags, "tags");
}

static void add_datas(struct fields *m) {
    struct host_cx *cx = m->cx;
    struct fields f = {.cx = cx};
    LLVMValueRef *list = elements(cx, cx->m->ndatas);
    for (uint32_t i = 0; i < cx->m->ndatas; i++) {
        const struct ir_data *d = &cx->m->datas[i];
        add_number(&f, d->mode);
        add_number(&f, d->memory);
        if (d->mode == IR_SEGMENT_ACTIVE)
            add_init(&f, &d->offset);
        else
            add_no_init(&f);
        add_bytes(&f, d->bytes, d->size, false, "data");
        add_number(&f, d->size);
        list[i] = struct_of(&f);
    }
    add_array(m, list, cx->m->ndatas, "datas");
}

static void add_elems(struct fields *m) {
    struct host_cx *cx = m->cx;
    struct fields f = {.cx = cx};
    LLVMValueRef *list = elements(cx, cx->m->nelems);
    for (uint32_t i = 0; i < cx->m->nelems; i++) {
        const struct ir_elem *e = &cx->m->elems[i];
        LLVMValueRef *items = elements(cx, e->nitems);
        for (uint32_t k = 0; k < e->nitems; k++) {
            add_init(&f, &e->items[k]);
            items[k] = struct_of(&f);
        }
        add_number(&f, e->mode);
        add_number(&f, e->table);
        add_number(&f, e->type);
        if (e->mode == IR_SEGMENT_ACTIVE)
            add_init(&f, &e->offset);
        else
            add_no_init(&f);
        add_pointer_to(&f, items, e->nitems, "items");
        add_number(&f, e->nitems);
        list[i] = struct_of(&f);
    }
    add_array(m, list, cx->m->nelems, "elems");
}

/* ---- kernels ---- */

static uint64_t slot_number(uint32_t slot) {
    return slot == OFF_NO_SLOT ? WM_NO_SLOT : slot;
}

static uint64_t offset_number(uint32_t offset) {
    return offset == IR_NO_OFFSET ? WM_NONE : offset;
}

static LLVMValueRef dim_struct(struct host_cx *cx, const struct off_dim *d) {
    struct fields f = {.cx = cx};
    const uint64_t numbers[] = {d->rel,
                                d->bits,
                                d->top_tested,
                                d->parallel,
                                d->unbounded,
                                (uint64_t)(int64_t)d->axis,
                                (uint64_t)(int64_t)d->parent,
                                slot_number(d->init_slot),
                                slot_number(d->step_slot),
                                slot_number(d->bound_slot),
                                slot_number(d->when_slot),
                                d->constant,
                                d->ops,
                                offset_number(d->wasm_offset),
                                d->varying,
                                d->entered,
                                d->init_range,
                                d->bound_range};
    _Static_assert(sizeof numbers == sizeof(struct wm_dim), "struct wm_dim changed");
    for (unsigned i = 0; i < sizeof numbers / 8; i++)
        add_number(&f, numbers[i]);
    return struct_of(&f);
}

static LLVMValueRef access_struct(struct host_cx *cx, const struct off_access *a) {
    struct fields f = {.cx = cx};
    add_number(&f, a->stream);
    add_number(&f, a->write);
    add_number(&f, a->bytes);
    add_number(&f, a->declared);
    add_number(&f, a->copy);
    add_number(&f, a->align);
    add_number(&f, a->offset);
    add_number(&f, slot_number(a->base_slot));
    for (unsigned d = 0; d < WM_MAX_DIMS; d++)
        add_number(&f, slot_number(a->stride_slot[d]));
    add_number(&f, slot_number(a->when_slot));
    add_number(&f, offset_number(a->wasm_offset));
    ICE_UNLESS(f.n * 8 == sizeof(struct wm_access));
    return struct_of(&f);
}

static LLVMValueRef range_struct(struct host_cx *cx, const struct off_range *r) {
    struct fields f = {.cx = cx};
    add_number(&f, r->op);
    add_number(&f, r->a);
    add_number(&f, r->b);
    add_number(&f, (uint64_t)(int64_t)r->lo);
    add_number(&f, (uint64_t)(int64_t)r->hi);
    add_number(&f, slot_number(r->base_slot));
    for (unsigned d = 0; d < WM_MAX_DIMS; d++)
        add_number(&f, slot_number(r->stride_slot[d]));
    ICE_UNLESS(f.n * 8 == sizeof(struct wm_range_desc));
    return struct_of(&f);
}

static LLVMValueRef spirv_struct(struct host_cx *cx, const struct off_spirv *s) {
    struct fields f = {.cx = cx};
    LLVMValueRef *words = elements(cx, s->nwords);
    for (uint32_t i = 0; i < s->nwords; i++)
        words[i] = host_const_i32(cx, s->words[i]);
    add_number(&f, s->caps);
    add_number(&f, s->avoids);
    add_pointer_to(&f, words, s->nwords, "spirv");
    add_number(&f, s->nwords);
    ICE_UNLESS(f.n * 8 == sizeof(struct wm_spirv));
    return struct_of(&f);
}

static LLVMValueRef reduce_struct(struct host_cx *cx, const struct off_reduce *r) {
    struct fields f = {.cx = cx};
    add_number(&f, r->kind);
    add_number(&f, r->op);
    add_number(&f, r->type);
    add_number(&f, r->lane_bytes);
    add_number(&f, slot_number(r->init_slot));
    add_number(&f, r->lead == OFF_NO_REDUCE ? WM_NONE : r->lead);
    add_number(&f, r->flag == OFF_NO_REDUCE ? WM_NONE : r->flag);
    add_number(&f, r->rule);
    ICE_UNLESS(f.n * 8 == sizeof(struct wm_reduce));
    return struct_of(&f);
}

static LLVMValueRef kernel_struct(struct host_cx *cx, const struct off_kernel *k, LLVMValueRef cpu) {
    struct fields f = {.cx = cx}, part = {.cx = cx};
    LLVMValueRef *list = elements(cx, OFF_MAX_DIMS);
    add_text(&f, k->name);
    add_number(&f, k->id);
    add_number(&f, k->func);
    add_number(&f, offset_number(k->wasm_offset));
    add_number(&f, k->ngrid);
    for (uint32_t i = 0; i < k->ndims; i++)
        list[i] = dim_struct(cx, &k->dims[i]);
    add_array(&f, list, k->ndims, "dims");
    list = elements(cx, k->naccesses);
    for (uint32_t i = 0; i < k->naccesses; i++)
        list[i] = access_struct(cx, &k->accesses[i]);
    add_array(&f, list, k->naccesses, "accesses");
    list = elements(cx, k->nstreams);
    for (uint32_t i = 0; i < k->nstreams; i++) {
        add_number(&part, k->streams[i].read);
        add_number(&part, k->streams[i].write);
        add_number(&part, k->streams[i].min_bytes);
        add_number(&part, k->streams[i].max_bytes);
        add_number(&part, k->streams[i].kind);
        add_number(&part, k->streams[i].reread);
        list[i] = struct_of(&part);
    }
    add_array(&f, list, k->nstreams, "streams");
    list = elements(cx, k->nscalars);
    for (uint32_t i = 0; i < k->nscalars; i++) {
        add_number(&part, k->scalars[i].type);
        add_number(&part, k->scalars[i].slot);
        add_number(&part, k->scalars[i].source);
        list[i] = struct_of(&part);
    }
    add_array(&f, list, k->nscalars, "scalars");
    add_number(&f, k->nslots);
    list = elements(cx, k->nconditions);
    for (uint32_t i = 0; i < k->nconditions; i++)
        list[i] = host_const_i64(cx, k->condition_slots[i]);
    add_array(&f, list, k->nconditions, "conditions");
    add_number(&f, k->uses);
    for (unsigned i = 0; i < 3; i++)
        add_number(&f, k->workgroup[i]);
    add(&f, cpu);
    list = elements(cx, k->nspirv);
    for (uint32_t i = 0; i < k->nspirv; i++)
        list[i] = spirv_struct(cx, &k->spirv[i]);
    add_array(&f, list, k->nspirv, "variants");
    add_text(&f, k->msl);
    add_text(&f, k->wgsl);
    add_text(&f, k->msl_exact);
    list = elements(cx, k->nranges);
    for (uint32_t i = 0; i < k->nranges; i++)
        list[i] = range_struct(cx, &k->ranges[i]);
    add_array(&f, list, k->nranges, "ranges");
    add_number(&f, k->inspector ? (uint64_t)k->inspector->id + 1 : 0);
    add_number(&f, k->inspects);
    add_number(&f, k->checked_loads);
    add_number(&f, k->checked_ops);
    add_number(&f, k->gather_reach);
    list = elements(cx, k->nreduces);
    for (uint32_t i = 0; i < k->nreduces; i++)
        list[i] = reduce_struct(cx, &k->reduces[i]);
    add_array(&f, list, k->nreduces, "reduces");
    add_number(&f, k->in_order);
    ICE_UNLESS(f.n * 8 == sizeof(struct wm_kernel));
    return struct_of(&f);
}

static void add_kernels(struct fields *m) {
    struct host_cx *cx = m->cx;
    LLVMValueRef *list = elements(cx, cx->m->nkernels);
    for (uint32_t i = 0; i < cx->m->nkernels; i++)
        list[i] = kernel_struct(cx, cx->m->kernels[i], cx->kernels[i]);
    add_array(m, list, cx->m->nkernels, "kernels");
}

/* One zero entry: host_elf.c gives the section its content and the module its count. */
static void add_trap_map(struct fields *m) {
    struct host_cx *cx = m->cx;
    add(m, cx->code_start);
    add(m, cx->code_end);
    if (cx->options->bounds_checks || !cx->elf) {
        add(m, LLVMConstNull(cx->ptr));
    } else {
        LLVMValueRef table = private_constant(cx, LLVMConstNull(LLVMArrayType2(cx->i64, 1)), "trap_entries", 8);
        LLVMSetLinkage(table, LLVMInternalLinkage);
        LLVMSetSection(table, HOST_TRAP_SECTION);
        LLVMSetUnnamedAddress(table, LLVMNoUnnamedAddr);
        add(m, table);
    }
    add_number(m, 0);
}

void host_emit_module_constant(struct host_cx *cx) {
    struct fields m = {.cx = cx};
    add_number(&m, WM_ABI_VERSION);
    add_text(&m, cx->m->name);
    add_types(&m);
    add_funcs(&m);
    add_imports(&m);
    add_exports(&m);
    add_memories(&m);
    add_tables(&m);
    add_globals(&m);
    add_tags(&m);
    add_datas(&m);
    add_elems(&m);
    add_number(&m, cx->m->start < 0 ? WM_NONE : (uint64_t)cx->m->start);
    add_kernels(&m);
    add_trap_map(&m);
    add_number(&m, cx->options->bounds_checks);
    add_text(&m, cx->options->metadata);
    add_bytes(&m, cx->options->metallib, cx->options->metallib_size, false, "metallib");
    add_number(&m, cx->options->metallib_size);
    ICE_UNLESS(m.n * 8 == sizeof(struct wm_module));
    LLVMValueRef value = struct_of(&m);
    const char *name = arena_printf(&cx->arena, "wasmetal_module_%s", cx->m->name);
    LLVMValueRef g = LLVMAddGlobal(cx->module, LLVMTypeOf(value), name);
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, 1);
    LLVMSetAlignment(g, 16);
}
