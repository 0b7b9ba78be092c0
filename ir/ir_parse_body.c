/* Parser of function bodies.  Values are entered in a table by name when their definition is complete (a region's
 * results only after its `}`), so an undefined or early use is found here; everything else that makes IR legal is the
 * verifier's business. */
#include <string.h>

#include "ir/ir_immediates.h"
#include "ir/ir_parse_impl.h"

enum { MAX_RESULTS = UINT16_MAX };

static uint32_t hash_text(const char *s, size_t n) {
    uint32_t h = 2166136261u; /* FNV-1a, 32 bits (Fowler, Noll, Vo) */
    for (size_t k = 0; k < n; k++)
        h = (h ^ (unsigned char)s[k]) * 16777619u;
    return h;
}

/* ---- operation names ---- */

void parse_ops_init(struct parser *p, struct arena *a) {
    p->ops_cap = 2048;
    _Static_assert(IR_OP_COUNT * 2 < 2048, "keep the table at most half full");
    p->ops = arena_array(a, enum ir_op, p->ops_cap);
    for (uint32_t k = 0; k < p->ops_cap; k++)
        p->ops[k] = IR_OP_COUNT;
    for (unsigned op = 0; op < IR_OP_COUNT; op++) {
        uint32_t at = hash_text(ir_op_info[op].text, strlen(ir_op_info[op].text)) & (p->ops_cap - 1);
        while (p->ops[at] != IR_OP_COUNT)
            at = (at + 1) & (p->ops_cap - 1);
        p->ops[at] = (enum ir_op)op;
    }
}

enum ir_op parse_find_op(const struct parser *p, const struct lex_token *word) {
    uint32_t at = hash_text(word->text, word->size) & (p->ops_cap - 1);
    for (; p->ops[at] != IR_OP_COUNT; at = (at + 1) & (p->ops_cap - 1)) {
        const char *text = ir_op_info[p->ops[at]].text;
        if (strlen(text) == word->size && !memcmp(text, word->text, word->size))
            break;
    }
    return p->ops[at];
}

bool parse_accept_type(struct parser *p, enum ir_type *out) {
    for (unsigned t = 0; t < IR_TYPE_COUNT; t++)
        if (lex_accept_word(&p->lex, ir_type_name[t])) {
            *out = (enum ir_type)t;
            return true;
        }
    return false;
}

enum ir_type parse_type(struct parser *p) {
    enum ir_type t;
    if (!parse_accept_type(p, &t))
        lex_fail(&p->lex, "expected a type");
    return t;
}

/* ---- names ---- */

static struct parse_symbol *find_symbol(const struct parser *p, const char *name, size_t size) {
    uint32_t at = hash_text(name, size) & (p->symbols_cap - 1);
    while (p->symbols[at].name && (p->symbols[at].size != size || memcmp(p->symbols[at].name, name, size) != 0))
        at = (at + 1) & (p->symbols_cap - 1);
    return &p->symbols[at];
}

static void define(struct parser *p, const struct lex_token *name, struct ir_value *v) {
    if (p->nsymbols * 2 >= p->symbols_cap) {
        struct parse_symbol *old = p->symbols;
        uint32_t old_cap = p->symbols_cap;
        p->symbols_cap = old_cap ? old_cap * 2 : 256;
        p->symbols = arena_array(&p->scratch, struct parse_symbol, p->symbols_cap);
        for (uint32_t k = 0; k < old_cap; k++)
            if (old[k].name)
                *find_symbol(p, old[k].name, old[k].size) = old[k];
    }
    struct parse_symbol *s = find_symbol(p, name->text, name->size);
    if (s->name)
        lex_fail_at(&p->lex, name, "value %%%.*s is defined twice", name->size > 60 ? 60 : (int)name->size, name->text);
    *s = (struct parse_symbol){name->text, name->size, v};
    p->nsymbols++;
}

static struct ir_value *take_use(struct parser *p) {
    if (p->lex.token.kind != LEX_VALUE)
        lex_fail(&p->lex, "expected a value");
    struct parse_symbol *s = p->symbols_cap ? find_symbol(p, p->lex.token.text, p->lex.token.size) : NULL;
    if (!s || !s->name)
        lex_fail(&p->lex, "value %%%.*s is not defined before this",
                 p->lex.token.size > 60 ? 60 : (int)p->lex.token.size, p->lex.token.text);
    lex_take(&p->lex);
    return s->value;
}

static struct ir_inst *take_label(struct parser *p) {
    if (p->lex.token.kind != LEX_WORD)
        lex_fail(&p->lex, "expected a label");
    for (uint32_t k = p->nlabels; k-- > 0;) {
        const struct parse_label *l = &p->labels[k];
        if (l->size == p->lex.token.size && !memcmp(l->name, p->lex.token.text, l->size)) {
            lex_take(&p->lex);
            return l->inst;
        }
    }
    lex_fail(&p->lex, "no block, if or loop around this is called %.*s",
             p->lex.token.size > 60 ? 60 : (int)p->lex.token.size, p->lex.token.text);
}

struct values {
    struct ir_value **list;
    uint32_t count, cap;
};

static void take_uses(struct parser *p, struct values *v) {
    do
        *arena_push(&p->scratch, v->list, v->count, v->cap) = take_use(p);
    while (lex_accept(&p->lex, ','));
}

/* Label, then arguments in parentheses when there are any. */
static struct ir_inst *take_target(struct parser *p, struct values *args) {
    struct ir_inst *label = take_label(p);
    if (lex_accept(&p->lex, '(')) {
        take_uses(p, args);
        lex_expect(&p->lex, ')');
    }
    return label;
}

static uint32_t take_offset(struct parser *p) {
    return lex_accept(&p->lex, '!') ? (uint32_t)lex_number(&p->lex, IR_NO_OFFSET - 1) : IR_NO_OFFSET;
}

/* ---- instructions ---- */

struct head {
    struct parse_param *defs; /* results; type IR_TYPE_COUNT where none is written */
    uint32_t ndefs, defs_cap;
    struct lex_token op_token;
    enum ir_op op;
};

static struct parse_param take_def(struct parser *p, bool need_type) {
    if (p->lex.token.kind != LEX_VALUE)
        lex_fail(&p->lex, "expected a value");
    struct parse_param d = {.name = lex_take(&p->lex), .type = IR_TYPE_COUNT};
    if (need_type)
        lex_expect(&p->lex, ':');
    if (need_type || lex_accept(&p->lex, ':'))
        d.type = parse_type(p);
    return d;
}

struct parse_param *parse_params(struct parser *p, uint32_t *out_n) {
    struct parse_param *list = NULL;
    uint32_t cap = 0;
    *out_n = 0;
    lex_expect(&p->lex, '(');
    if (lex_accept(&p->lex, ')'))
        return NULL;
    do {
        struct parse_param d = take_def(p, true);
        *arena_push(&p->scratch, list, *out_n, cap) = d;
    } while (lex_accept(&p->lex, ','));
    lex_expect(&p->lex, ')');
    return list;
}

/* The type of result 0 where the text leaves it out. */
static enum ir_type infer_type(struct parser *p, const struct head *h, const struct values *operands) {
    const struct ir_op_info *info = &ir_op_info[h->op];
    if (info->kind == IR_KIND_SIMPLE || info->kind == IR_KIND_LANES || info->kind == IR_KIND_LOAD ||
        (info->kind == IR_KIND_ATOMIC && info->result != IR_TYPE_COUNT))
        return info->result;
    if (h->op >= IR_I32_CONST && h->op <= IR_V128_CONST)
        return (enum ir_type)(h->op - IR_I32_CONST);
    if (h->op == IR_SELECT && operands->count)
        return operands->list[0]->type;
    lex_fail_at(&p->lex, &h->defs[0].name, "the results of %s need types", info->text);
}

static struct ir_inst *build(struct parser *p, struct ir_region *r, const struct head *h, const struct values *operands,
                             uint32_t offset) {
    if (h->ndefs > MAX_RESULTS)
        lex_fail_at(&p->lex, &h->op_token, "too many results");
    enum ir_type *types = arena_array(&p->scratch, enum ir_type, h->ndefs);
    for (uint32_t k = 0; k < h->ndefs; k++)
        types[k] = h->defs[k].type != IR_TYPE_COUNT ? h->defs[k].type : infer_type(p, h, operands);
    struct ir_builder b = ir_builder_at_end(r);
    b.wasm_offset = offset;
    return ir_build(&b, h->op, types, h->ndefs, operands->list, operands->count);
}

static void define_results(struct parser *p, const struct head *h, struct ir_inst *i) {
    for (uint32_t k = 0; k < h->ndefs; k++)
        define(p, &h->defs[k].name, &i->results[k]);
}

static void take_region(struct parser *p, struct ir_region *r);

static void take_region_inst(struct parser *p, struct ir_region *r, const struct head *h) {
    struct parse_label label = {0};
    if (p->lex.token.kind == LEX_WORD) {
        struct lex_token t = lex_take(&p->lex);
        label = (struct parse_label){.name = t.text, .size = t.size};
    }
    struct values operands = {0};
    struct parse_param *params = NULL;
    uint32_t nparams = 0, params_cap = 0;
    if (h->op == IR_IF) {
        *arena_push(&p->scratch, operands.list, operands.count, operands.cap) = take_use(p);
    } else if (h->op == IR_LOOP && lex_accept(&p->lex, '(')) {
        do {
            struct parse_param d = take_def(p, true);
            lex_expect(&p->lex, '=');
            *arena_push(&p->scratch, params, nparams, params_cap) = d;
            *arena_push(&p->scratch, operands.list, operands.count, operands.cap) = take_use(p);
        } while (lex_accept(&p->lex, ','));
        lex_expect(&p->lex, ')');
    }
    struct ir_inst *i = build(p, r, h, &operands, take_offset(p));
    i->regions[0] = ir_region_new(p->func, i);
    if (h->op == IR_IF)
        i->regions[1] = ir_region_new(p->func, i);
    for (uint32_t k = 0; k < nparams; k++)
        define(p, &params[k].name, ir_region_add_param(i->regions[0], params[k].type));
    if (p->nlabels >= IR_MAX_DEPTH)
        lex_fail_at(&p->lex, &h->op_token, "regions nest deeper than %d", IR_MAX_DEPTH);
    label.inst = i;
    *arena_push(&p->scratch, p->labels, p->nlabels, p->labels_cap) = label;
    take_region(p, i->regions[0]);
    if (h->op == IR_IF) {
        lex_expect_word(&p->lex, "else");
        take_region(p, i->regions[1]);
    }
    p->nlabels--;
    define_results(p, h, i);
}

static void take_branch(struct parser *p, struct ir_region *r, const struct head *h) {
    struct values operands = {0};
    struct ir_inst **targets = NULL;
    uint32_t ntargets = 0, cap = 0;
    if (h->op != IR_BR) {
        *arena_push(&p->scratch, operands.list, operands.count, operands.cap) = take_use(p);
        lex_expect(&p->lex, ',');
    }
    do {
        struct ir_inst *label = take_target(p, &operands);
        *arena_push(&p->scratch, targets, ntargets, cap) = label;
    } while (h->op == IR_BR_TABLE && lex_accept(&p->lex, ','));
    struct ir_inst *i = build(p, r, h, &operands, take_offset(p));
    i->ntargets = ntargets;
    if (h->op == IR_BR_TABLE) {
        i->targets = arena_array(&p->func->arena, struct ir_inst *, ntargets);
        memcpy(i->targets, targets, sizeof *targets * ntargets);
    } else {
        i->target = targets[0];
    }
    define_results(p, h, i);
}

static struct ir_mem take_mem(struct parser *p, enum ir_op op) {
    struct lexer *l = &p->lex;
    struct ir_mem mem = {.stream = -1};
    uint64_t align = ir_access_bytes(op);
    if (lex_accept_key(l, "memory"))
        mem.memory = (uint16_t)lex_number(l, UINT16_MAX);
    if (lex_accept_key(l, "offset"))
        mem.offset = lex_number(l, UINT64_MAX);
    if (lex_accept_key(l, "align")) {
        align = lex_number(l, 1u << 30);
        if (!align || (align & (align - 1)))
            lex_fail(l, "an alignment is a power of two");
    }
    if (lex_accept_key(l, "stream"))
        mem.stream = (int16_t)lex_number(l, INT16_MAX);
    mem.align_log2 = (uint8_t)__builtin_ctzll(align);
    return mem;
}

static void take_plain(struct parser *p, struct ir_region *r, const struct head *h) {
    enum ir_op op = h->op;
    struct values operands = {0};
    union ir_bits bits = {.u64x2 = {0, 0}};
    struct ir_mem mem = {0};
    uint32_t index[2] = {0, 0};
    if (op >= IR_I32_CONST && op <= IR_V128_CONST)
        bits = lex_constant(&p->lex, (enum ir_type)(op - IR_I32_CONST));
    else if (ir_has_mem(op))
        mem = take_mem(p, op);
    for (unsigned k = 0; k < ir_op_info[op].lanes; k++)
        bits.u8x16[k] = (uint8_t)lex_number(&p->lex, ir_op_info[op].lane_bound - 1u);
    for (unsigned k = 0; k < ir_index_count(op); k++)
        index[k] = (uint32_t)lex_number(&p->lex, UINT32_MAX);
    /* Operands begin on the line of their operation: a value on the next line is the next definition. */
    if (p->lex.token.kind == LEX_VALUE && p->lex.token.line == h->op_token.line)
        take_uses(p, &operands);
    struct ir_inst *i = build(p, r, h, &operands, take_offset(p));
    i->index = index[0];
    i->index2 = index[1];
    if (ir_is_const(i) || ir_info(i)->kind == IR_KIND_LANES)
        i->bits = bits;
    else if (ir_has_mem(op))
        i->mem = mem;
    define_results(p, h, i);
}

static void take_inst(struct parser *p, struct ir_region *r) {
    struct head h = {0};
    if (p->lex.token.kind == LEX_VALUE) {
        do {
            struct parse_param d = take_def(p, false);
            *arena_push(&p->scratch, h.defs, h.ndefs, h.defs_cap) = d;
        } while (lex_accept(&p->lex, ','));
        lex_expect(&p->lex, '=');
    }
    if (p->lex.token.kind != LEX_WORD)
        lex_fail(&p->lex, "expected an operation");
    h.op = parse_find_op(p, &p->lex.token);
    if (h.op == IR_OP_COUNT)
        lex_fail(&p->lex, "unknown operation '%.*s'", p->lex.token.size > 60 ? 60 : (int)p->lex.token.size,
                 p->lex.token.text);
    h.op_token = lex_take(&p->lex);
    if (ir_op_info[h.op].flags & IR_FLAG_REGION)
        take_region_inst(p, r, &h);
    else if (h.op == IR_BR || h.op == IR_BR_IF || h.op == IR_BR_TABLE)
        take_branch(p, r, &h);
    else
        take_plain(p, r, &h);
}

static void take_region(struct parser *p, struct ir_region *r) {
    lex_expect(&p->lex, '{');
    while (!lex_accept(&p->lex, '}'))
        take_inst(p, r);
}

void parse_body(struct parser *p, struct ir_func *f, const struct parse_param *params) {
    p->func = f;
    p->symbols = NULL;
    p->nsymbols = p->symbols_cap = 0;
    p->labels = NULL;
    p->nlabels = p->labels_cap = 0;
    for (uint32_t k = 0; k < f->body->nparams; k++)
        define(p, &params[k].name, f->body->params[k]);
    take_region(p, f->body);
    p->func = NULL;
}
