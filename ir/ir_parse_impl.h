/* Private to the parser: what its two halves (module items, function bodies) share. */
#ifndef WASMETAL_IR_PARSE_IMPL_H
#define WASMETAL_IR_PARSE_IMPL_H

#include "ir/ir_build.h"
#include "ir/ir_lex.h"

struct parse_symbol {
    const char *name;
    size_t size;
    struct ir_value *value;
};

struct parse_label {
    const char *name;
    size_t size;
    struct ir_inst *inst;
};

struct parser {
    struct lexer lex;
    struct ir_module *module;
    struct arena scratch; /* reset after each function */
    enum ir_op *ops;      /* hash table of operation names; IR_OP_COUNT marks an empty place */
    uint32_t ops_cap;
    /* of the function being read */
    struct ir_func *func;
    struct parse_symbol *symbols; /* open addressing */
    uint32_t nsymbols, symbols_cap;
    struct parse_label *labels; /* innermost last */
    uint32_t nlabels, labels_cap;
    /* capacities of the module's tables */
    uint32_t types_cap, funcs_cap, memories_cap, tables_cap, globals_cap, tags_cap, datas_cap, elems_cap, exports_cap,
        customs_cap;
};

void parse_ops_init(struct parser *p, struct arena *a);
bool parse_accept_type(struct parser *p, enum ir_type *out);
enum ir_type parse_type(struct parser *p);
/* IR_OP_COUNT when the word names no operation. */
enum ir_op parse_find_op(const struct parser *p, const struct lex_token *word);

/* `%name:type, ...` up to the closing parenthesis; names are entered by parse_body. */
struct parse_param {
    struct lex_token name;
    enum ir_type type;
};
struct parse_param *parse_params(struct parser *p, uint32_t *out_n);
/* `{ ... }` into f->body. */
void parse_body(struct parser *p, struct ir_func *f, const struct parse_param *params);

#endif
