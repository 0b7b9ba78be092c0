/* Parser of the text form: module items.  Recursive descent; the first error ends it through a longjmp inside this
 * parser only, everything it had built being in arenas.  Indices in the text must count up from 0, as the printer
 * writes them. */
#include <inttypes.h>
#include <string.h>

#include "ir/ir_immediates.h"
#include "ir/ir_parse_impl.h"
#include "ir/offload/kernel.h"

static void take_index(struct parser *p, const char *what, uint32_t want) {
    struct lex_token at = p->lex.token;
    if (lex_number(&p->lex, UINT32_MAX) != want)
        lex_fail_at(&p->lex, &at, "the next %s is number %" PRIu32, what, want);
}

static const enum ir_type *take_types(struct parser *p, uint32_t *out_n) {
    enum ir_type *types = NULL;
    uint32_t cap = 0;
    *out_n = 0;
    lex_expect(&p->lex, '(');
    if (lex_accept(&p->lex, ')'))
        return NULL;
    do {
        enum ir_type t = parse_type(p);
        *arena_push(&p->module->arena, types, *out_n, cap) = t;
    } while (lex_accept(&p->lex, ','));
    lex_expect(&p->lex, ')');
    return types;
}

static void take_arrow(struct parser *p) {
    if (!lex_accept_arrow(&p->lex))
        lex_fail(&p->lex, "expected '->'");
}

static void take_type_item(struct parser *p) {
    struct ir_module *m = p->module;
    take_index(p, "type", m->ntypes);
    struct ir_sig sig;
    sig.params = take_types(p, &sig.nparams);
    take_arrow(p);
    sig.results = take_types(p, &sig.nresults);
    *arena_push(&m->arena, m->types, m->ntypes, p->types_cap) = sig;
}

static struct ir_import_name take_import(struct parser *p) {
    struct ir_import_name import = {0};
    if (lex_accept_word(&p->lex, "import")) {
        import.module = lex_name(&p->lex, &p->module->arena);
        import.field = lex_name(&p->lex, &p->module->arena);
    }
    return import;
}

static struct ir_limits take_limits(struct parser *p) {
    struct ir_limits l = {0};
    if (!lex_accept_key(&p->lex, "min"))
        lex_fail(&p->lex, "expected 'min='");
    l.min = lex_number(&p->lex, UINT64_MAX);
    if (lex_accept_key(&p->lex, "max")) {
        l.has_max = true;
        l.max = lex_number(&p->lex, UINT64_MAX);
    }
    l.shared = lex_accept_word(&p->lex, "shared");
    l.is64 = lex_accept_word(&p->lex, "is64");
    return l;
}

static void take_memory(struct parser *p) {
    struct ir_module *m = p->module;
    take_index(p, "memory", m->nmemories);
    struct ir_memory memory = {.import = take_import(p)};
    memory.limits = take_limits(p);
    *arena_push(&m->arena, m->memories, m->nmemories, p->memories_cap) = memory;
}

static void take_table(struct parser *p) {
    struct ir_module *m = p->module;
    take_index(p, "table", m->ntables);
    struct ir_table table = {.type = parse_type(p)};
    table.import = take_import(p);
    table.limits = take_limits(p);
    *arena_push(&m->arena, m->tables, m->ntables, p->tables_cap) = table;
}

static struct ir_init take_init(struct parser *p, unsigned depth) {
    struct ir_init init = {.op = p->lex.token.kind == LEX_WORD ? parse_find_op(p, &p->lex.token) : IR_OP_COUNT};
    bool constant = init.op <= IR_V128_CONST, arithmetic = ir_init_is_arithmetic(init.op);
    if (!constant && !arithmetic && init.op != IR_GLOBAL_GET && init.op != IR_REF_FUNC && init.op != IR_REF_NULL)
        lex_fail(&p->lex, "expected a constant expression");
    if (depth > IR_MAX_DEPTH)
        lex_fail(&p->lex, "constant expressions nest deeper than %d", IR_MAX_DEPTH);
    lex_take(&p->lex);
    if (constant) {
        init.bits = lex_constant(&p->lex, (enum ir_type)(init.op - IR_I32_CONST));
    } else if (arithmetic) {
        struct ir_init *args = arena_array(&p->module->arena, struct ir_init, 2);
        lex_expect(&p->lex, '(');
        args[0] = take_init(p, depth + 1);
        lex_expect(&p->lex, ',');
        args[1] = take_init(p, depth + 1);
        lex_expect(&p->lex, ')');
        init.args = args;
    } else if (init.op != IR_REF_NULL) {
        init.index = (uint32_t)lex_number(&p->lex, UINT32_MAX);
    }
    return init;
}

static void take_tag(struct parser *p) {
    struct ir_module *m = p->module;
    take_index(p, "tag", m->ntags);
    struct ir_tag tag = {0};
    if (!lex_accept_key(&p->lex, "type"))
        lex_fail(&p->lex, "expected type=");
    tag.type = (uint32_t)lex_number(&p->lex, UINT32_MAX);
    tag.import = take_import(p);
    *arena_push(&m->arena, m->tags, m->ntags, p->tags_cap) = tag;
}

static void take_global(struct parser *p) {
    struct ir_module *m = p->module;
    take_index(p, "global", m->nglobals);
    struct ir_global g = {.mutable_ = lex_accept_word(&p->lex, "mut")};
    g.type = parse_type(p);
    if (p->lex.token.kind == LEX_STRING)
        g.name = lex_name(&p->lex, &m->arena);
    g.import = take_import(p);
    if (!g.import.module) {
        lex_expect(&p->lex, '=');
        g.init = take_init(p, 0);
    }
    *arena_push(&m->arena, m->globals, m->nglobals, p->globals_cap) = g;
}

/* The type of that signature, made when there is none: lets tests leave `type=` out. */
static uint32_t find_type(struct parser *p, const struct ir_sig *sig) {
    struct ir_module *m = p->module;
    for (uint32_t k = 0; k < m->ntypes; k++)
        if (ir_sig_equal(&m->types[k], sig))
            return k;
    *arena_push(&m->arena, m->types, m->ntypes, p->types_cap) = *sig;
    return m->ntypes - 1;
}

/* `"name" [type=N] [import "m" "f"] [at=start,end,code] [(params) [-> (results)] { body }]` */
static struct ir_func *take_func_rest(struct parser *p, bool kernel, struct ir_import_name *out_import) {
    struct ir_module *m = p->module;
    const char *name = lex_name(&p->lex, &m->arena);
    uint32_t type = UINT32_MAX;
    struct lex_token type_at = p->lex.token;
    if (!kernel && lex_accept_key(&p->lex, "type")) {
        type_at = p->lex.token;
        type = (uint32_t)lex_number(&p->lex, UINT32_MAX - 1);
        if (type >= m->ntypes)
            lex_fail_at(&p->lex, &type_at, "type %" PRIu32 " does not exist", type);
    }
    struct ir_import_name import = kernel ? (struct ir_import_name){0} : take_import(p);
    uint32_t at[3] = {IR_NO_OFFSET, IR_NO_OFFSET, 0};
    if (lex_accept_key(&p->lex, "at"))
        for (int k = 0; k < 3; k++) {
            if (k)
                lex_expect(&p->lex, ',');
            at[k] = (uint32_t)lex_number(&p->lex, UINT32_MAX);
        }
    struct ir_func *f;
    if (import.module) {
        if (type == UINT32_MAX)
            lex_fail_at(&p->lex, &type_at, "an imported function needs 'type='");
        f = ir_func_new(m, name, &m->types[type]);
        f->body = NULL;
    } else {
        struct ir_sig sig = {0};
        struct parse_param *params = parse_params(p, &sig.nparams);
        enum ir_type *types = arena_array(&m->arena, enum ir_type, sig.nparams);
        for (uint32_t k = 0; k < sig.nparams; k++)
            types[k] = params[k].type;
        sig.params = types;
        if (lex_accept_arrow(&p->lex))
            sig.results = take_types(p, &sig.nresults);
        if (type == UINT32_MAX && !kernel)
            type = find_type(p, &sig);
        f = ir_func_new(m, name, &sig);
        p->func = f; /* owned by nobody else yet: ir_parse_module frees it on an error */
        parse_body(p, f, params);
    }
    f->type = type;
    f->wasm_offset = at[0];
    f->wasm_end = at[1];
    f->code_offset = at[2];
    *out_import = import;
    arena_free(&p->scratch);
    return f;
}

static void take_func(struct parser *p) {
    struct ir_module *m = p->module;
    struct lex_token at = p->lex.token;
    uint32_t index = m->nfuncs;
    take_index(p, "function", index);
    struct ir_func_entry entry = {0};
    entry.func = take_func_rest(p, false, &entry.import);
    entry.func->index = index;
    *arena_push(&m->arena, m->funcs, m->nfuncs, p->funcs_cap) = entry;
    if (!entry.import.module)
        return;
    if (m->nfunc_imports != index)
        lex_fail_at(&p->lex, &at, "imported functions come first");
    m->nfunc_imports++;
}

/* A kernel read from text has its body and nothing of the description around it. */
static void take_kernel(struct parser *p) {
    struct ir_module *m = p->module;
    take_index(p, "kernel", m->nkernels);
    struct ir_import_name none;
    struct ir_func *f = take_func_rest(p, true, &none);
    struct off_kernel *k = arena_new(&m->arena, struct off_kernel);
    k->id = m->nkernels;
    f->index = k->id;
    k->name = f->name;
    k->body = f;
    *arena_push(&m->arena, m->kernels, m->nkernels, m->kernels_cap) = k;
}

static uint32_t take_keyword(struct parser *p, const char *const *words, uint32_t n, const char *what) {
    for (uint32_t k = 0; k < n; k++)
        if (lex_accept_word(&p->lex, words[k]))
            return k;
    lex_fail(&p->lex, "expected %s", what);
}

static void take_export(struct parser *p) {
    static const char *const kinds[] = {"func", "table", "memory", "global", "tag"};
    struct ir_module *m = p->module;
    struct ir_export e = {.name = lex_name(&p->lex, &m->arena)};
    e.kind = (enum ir_extern_kind)take_keyword(p, kinds, 5, "func, table, memory, global or tag");
    e.index = (uint32_t)lex_number(&p->lex, UINT32_MAX);
    *arena_push(&m->arena, m->exports, m->nexports, p->exports_cap) = e;
}

static enum ir_segment_mode take_mode(struct parser *p) {
    static const char *const modes[] = {"active", "passive", "declared"};
    return (enum ir_segment_mode)take_keyword(p, modes, 3, "active, passive or declared");
}

static void take_data(struct parser *p) {
    struct ir_module *m = p->module;
    take_index(p, "data", m->ndatas);
    struct ir_data d = {.mode = take_mode(p)};
    if (d.mode == IR_SEGMENT_ACTIVE) {
        if (lex_accept_key(&p->lex, "memory"))
            d.memory = (uint32_t)lex_number(&p->lex, UINT32_MAX);
        d.offset = take_init(p, 0);
    }
    size_t size;
    d.bytes = (const uint8_t *)lex_string(&p->lex, &m->arena, &size);
    d.size = size;
    *arena_push(&m->arena, m->datas, m->ndatas, p->datas_cap) = d;
}

static void take_elem(struct parser *p) {
    struct ir_module *m = p->module;
    take_index(p, "elem", m->nelems);
    struct ir_elem e = {.mode = take_mode(p)};
    e.type = parse_type(p);
    if (e.mode == IR_SEGMENT_ACTIVE) {
        if (lex_accept_key(&p->lex, "table"))
            e.table = (uint32_t)lex_number(&p->lex, UINT32_MAX);
        e.offset = take_init(p, 0);
    }
    uint32_t cap = 0;
    lex_expect(&p->lex, '(');
    if (!lex_accept(&p->lex, ')')) {
        do {
            struct ir_init init = take_init(p, 0);
            *arena_push(&m->arena, e.items, e.nitems, cap) = init;
        } while (lex_accept(&p->lex, ','));
        lex_expect(&p->lex, ')');
    }
    *arena_push(&m->arena, m->elems, m->nelems, p->elems_cap) = e;
}

static void take_custom(struct parser *p) {
    struct ir_module *m = p->module;
    struct ir_custom c = {.name = lex_name(&p->lex, &m->arena)};
    if (lex_accept_key(&p->lex, "at"))
        c.wasm_offset = (uint32_t)lex_number(&p->lex, UINT32_MAX);
    struct lex_token at = p->lex.token;
    size_t size;
    c.bytes = (const uint8_t *)lex_string(&p->lex, &m->arena, &size);
    if (size > UINT32_MAX)
        lex_fail_at(&p->lex, &at, "custom section is too large");
    c.size = (uint32_t)size;
    *arena_push(&m->arena, m->customs, m->ncustoms, p->customs_cap) = c;
}

static void take_item(struct parser *p) {
    struct lexer *l = &p->lex;
    if (lex_accept_word(l, "module"))
        p->module->name = lex_name(l, &p->module->arena);
    else if (lex_accept_word(l, "type"))
        take_type_item(p);
    else if (lex_accept_word(l, "memory"))
        take_memory(p);
    else if (lex_accept_word(l, "table"))
        take_table(p);
    else if (lex_accept_word(l, "global"))
        take_global(p);
    else if (lex_accept_word(l, "tag"))
        take_tag(p);
    else if (lex_accept_word(l, "func"))
        take_func(p);
    else if (lex_accept_word(l, "kernel"))
        take_kernel(p);
    else if (lex_accept_word(l, "export"))
        take_export(p);
    else if (lex_accept_word(l, "start"))
        p->module->start = (int64_t)lex_number(l, UINT32_MAX);
    else if (lex_accept_word(l, "data"))
        take_data(p);
    else if (lex_accept_word(l, "elem"))
        take_elem(p);
    else if (lex_accept_word(l, "code_section"))
        p->module->code_section_offset = (uint32_t)lex_number(l, UINT32_MAX);
    else if (lex_accept_word(l, "custom"))
        take_custom(p);
    else
        lex_fail(l, "expected module, type, memory, table, global, tag, func, kernel, export, start, elem, data, "
                    "code_section or custom");
}

/* Everything that may longjmp runs below here, so that no local of the caller changes between setjmp and longjmp. */
static void take_module(struct parser *p, const char *text, size_t size, struct ir_parse_error *error,
                        jmp_buf *failed) {
    parse_ops_init(p, &p->module->arena);
    lex_init(&p->lex, text, size, error, failed);
    while (p->lex.token.kind != LEX_END)
        take_item(p);
}

struct ir_module *ir_parse_module(const char *text, size_t size, struct ir_parse_error *out_error) {
    jmp_buf failed;
    struct ir_module *m = ir_module_new();
    struct parser *p = arena_new(&m->arena, struct parser);
    p->module = m;
    *out_error = (struct ir_parse_error){.line = 1, .column = 1};
    if (setjmp(failed)) {
        ir_func_free(p->func);
        arena_free(&p->scratch);
        ir_module_free(m);
        return NULL;
    }
    take_module(p, text, size, out_error, &failed);
    return m;
}
