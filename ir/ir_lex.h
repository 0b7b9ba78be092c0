/* Private to the parser: tokens of the text form. */
#ifndef WASMETAL_IR_LEX_H
#define WASMETAL_IR_LEX_H

#include <setjmp.h>

#include "ir/ir_text.h"

enum lex_kind {
    LEX_END,
    LEX_WORD,   /* letters, digits, '_', '.', ':' inside numbers such as nan:0x1; numbers are words too */
    LEX_VALUE,  /* %name, the text is the name */
    LEX_STRING, /* the text is what stands between the quotes, escapes unread */
    LEX_ARROW,  /* -> */
    LEX_PUNCT,  /* one character: ( ) { } , = : ! */
};

struct lex_token {
    enum lex_kind kind;
    const char *text;
    size_t size;
    uint32_t line, column;
};

struct lexer {
    const char *at, *end, *line_start;
    uint32_t line;
    struct lex_token token; /* the next one */
    struct ir_parse_error *error;
    jmp_buf *failed; /* set by the parser: parsing ends at the first error */
};

/* Fills the error and jumps to `failed`. */
_Noreturn void lex_fail_at(struct lexer *l, const struct lex_token *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define lex_fail(l, ...) lex_fail_at((l), &(l)->token, __VA_ARGS__)

void lex_init(struct lexer *l, const char *text, size_t size, struct ir_parse_error *error, jmp_buf *failed);
struct lex_token lex_take(struct lexer *l); /* the current token, moving on */
bool lex_is_word(const struct lexer *l, const char *word);
bool lex_accept_word(struct lexer *l, const char *word);
void lex_expect_word(struct lexer *l, const char *word);
bool lex_accept(struct lexer *l, char punct);
void lex_expect(struct lexer *l, char punct);
bool lex_accept_arrow(struct lexer *l);
/* `key=` in front of a value. */
bool lex_accept_key(struct lexer *l, const char *key);

/* Unsigned number, decimal or 0x, at most `max`. */
uint64_t lex_number(struct lexer *l, uint64_t max);
bool lex_at_number(const struct lexer *l);
/* The string's bytes in `arena`, NUL-terminated. */
char *lex_string(struct lexer *l, struct arena *arena, size_t *out_size);
/* The same without NUL bytes inside. */
char *lex_name(struct lexer *l, struct arena *arena);
/* A constant of `type`: one word, four for v128. */
union ir_bits lex_constant(struct lexer *l, enum ir_type type);

#endif
