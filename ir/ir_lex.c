/* Lexer of the IR's text form.  One token of look-ahead; lines and columns count from 1, columns in bytes.  The input
 * need not end in NUL and may be anything: every byte that starts no token is an error. */
#include "ir/ir_lex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lex_fail_at(struct lexer *l, const struct lex_token *where, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    l->error->line = where->line;
    l->error->column = where->column;
    vsnprintf(l->error->message, sizeof l->error->message, fmt, ap);
    va_end(ap);
    longjmp(*l->failed, 1);
}

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static void skip_blanks(struct lexer *l) {
    for (; l->at < l->end; l->at++) {
        if (*l->at == '\n') {
            l->line++;
            l->line_start = l->at + 1;
        } else if (*l->at == ';') {
            while (l->at + 1 < l->end && l->at[1] != '\n')
                l->at++;
        } else if (*l->at != ' ' && *l->at != '\t' && *l->at != '\r') {
            return;
        }
    }
}

/* Number words: a sign in front, and `+`/`-` after an exponent's e, and `nan:0x...`. */
static void scan_word(struct lexer *l) {
    const char *start = l->at;
    bool number = (*l->at >= '0' && *l->at <= '9') || *l->at == '-' || *l->at == '+';
    l->at++;
    while (l->at < l->end) {
        char c = *l->at, before = l->at[-1];
        bool exponent = number && (c == '-' || c == '+') && (before == 'e' || before == 'p');
        bool payload = c == ':' && l->at - start == 3 && !memcmp(start, "nan", 3);
        if (!is_word_char(c) && !exponent && !payload)
            return;
        l->at++;
    }
}

static void scan_string(struct lexer *l, struct lex_token *t) {
    t->text = ++l->at;
    while (l->at < l->end && *l->at != '"' && *l->at != '\n')
        l->at += *l->at == '\\' && l->at + 1 < l->end && l->at[1] != '\n' ? 2 : 1;
    if (l->at >= l->end || *l->at != '"')
        lex_fail_at(l, t, "string without an end");
    t->size = (size_t)(l->at++ - t->text);
}

static void advance(struct lexer *l) {
    skip_blanks(l);
    struct lex_token *t = &l->token;
    *t = (struct lex_token){.text = l->at, .line = l->line, .column = (uint32_t)(l->at - l->line_start) + 1};
    if (l->at >= l->end)
        return;
    char c = *l->at, next = l->at + 1 < l->end ? l->at[1] : 0;
    if (c == '%') {
        t->kind = LEX_VALUE;
        t->text = ++l->at;
        while (l->at < l->end && is_word_char(*l->at))
            l->at++;
        t->size = (size_t)(l->at - t->text);
        if (!t->size)
            lex_fail(l, "a value needs a name");
    } else if (c == '"') {
        t->kind = LEX_STRING;
        scan_string(l, t);
    } else if (c == '-' && next == '>') {
        t->kind = LEX_ARROW;
        t->size = 2;
        l->at += 2;
    } else if (is_word_char(c) || c == '-' || c == '+') {
        t->kind = LEX_WORD;
        scan_word(l);
        t->size = (size_t)(l->at - t->text);
    } else if (c && strchr("(){},=:!", c)) {
        t->kind = LEX_PUNCT;
        t->size = 1;
        l->at++;
    } else {
        lex_fail(l, "unexpected character 0x%02x", (unsigned char)c);
    }
}

void lex_init(struct lexer *l, const char *text, size_t size, struct ir_parse_error *error, jmp_buf *failed) {
    *l =
        (struct lexer){.at = text, .end = text + size, .line_start = text, .line = 1, .error = error, .failed = failed};
    advance(l);
}

struct lex_token lex_take(struct lexer *l) {
    struct lex_token t = l->token;
    advance(l);
    return t;
}

bool lex_is_word(const struct lexer *l, const char *word) {
    return l->token.kind == LEX_WORD && l->token.size == strlen(word) && !memcmp(l->token.text, word, l->token.size);
}

bool lex_accept_word(struct lexer *l, const char *word) {
    if (!lex_is_word(l, word))
        return false;
    advance(l);
    return true;
}

void lex_expect_word(struct lexer *l, const char *word) {
    if (!lex_accept_word(l, word))
        lex_fail(l, "expected '%s'", word);
}

static bool is_punct(const struct lexer *l, char punct) {
    return l->token.kind == LEX_PUNCT && *l->token.text == punct;
}

bool lex_accept(struct lexer *l, char punct) {
    if (!is_punct(l, punct))
        return false;
    advance(l);
    return true;
}

void lex_expect(struct lexer *l, char punct) {
    if (!lex_accept(l, punct))
        lex_fail(l, "expected '%c'", punct);
}

bool lex_accept_arrow(struct lexer *l) {
    if (l->token.kind != LEX_ARROW)
        return false;
    advance(l);
    return true;
}

bool lex_accept_key(struct lexer *l, const char *key) {
    if (!lex_is_word(l, key))
        return false;
    struct lexer saved = *l;
    advance(l);
    if (lex_accept(l, '='))
        return true;
    *l = saved;
    return false;
}

/* The word as a C string; false when it does not fit. */
static bool word_text(const struct lexer *l, char *out, size_t cap) {
    if (l->token.kind != LEX_WORD || l->token.size >= cap)
        return false;
    memcpy(out, l->token.text, l->token.size);
    out[l->token.size] = 0;
    return true;
}

bool lex_at_number(const struct lexer *l) {
    return l->token.kind == LEX_WORD && *l->token.text >= '0' && *l->token.text <= '9';
}

uint64_t lex_number(struct lexer *l, uint64_t max) {
    char text[40], *end;
    if (!lex_at_number(l) || !word_text(l, text, sizeof text))
        lex_fail(l, "expected a number");
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    errno = 0;
    unsigned long long v = strtoull(text, &end, hex ? 16 : 10);
    if (*end)
        lex_fail(l, "'%s' is no number", text);
    if (errno || v > max)
        lex_fail(l, "%s is too large", text);
    advance(l);
    return v;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

char *lex_string(struct lexer *l, struct arena *arena, size_t *out_size) {
    if (l->token.kind != LEX_STRING)
        lex_fail(l, "expected a string");
    const char *s = l->token.text, *end = s + l->token.size;
    char *bytes = arena_alloc(arena, l->token.size + 1);
    size_t n = 0;
    while (s < end) {
        if (*s != '\\') {
            bytes[n++] = *s++;
        } else if (end - s >= 2 && (s[1] == '"' || s[1] == '\\')) {
            bytes[n++] = s[1];
            s += 2;
        } else if (end - s >= 3 && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
            bytes[n++] = (char)(hex_digit(s[1]) * 16 + hex_digit(s[2]));
            s += 3;
        } else {
            lex_fail(l, "bad escape in a string; \\\", \\\\ and two hexadecimal digits are known");
        }
    }
    *out_size = n;
    advance(l);
    return bytes;
}

char *lex_name(struct lexer *l, struct arena *arena) {
    struct lex_token at = l->token;
    size_t size;
    char *name = lex_string(l, arena, &size);
    if (strlen(name) != size)
        lex_fail_at(l, &at, "a name cannot hold NUL");
    return name;
}

static union ir_bits lex_float(struct lexer *l, enum ir_type type) {
    union ir_bits v = {.u64x2 = {0, 0}};
    char text[64], *end;
    if (!word_text(l, text, sizeof text))
        lex_fail(l, "expected a floating-point constant");
    bool payload = !strncmp(text, "nan:", 4);
    errno = 0;
    if (payload)
        v.i64 = strtoull(text + 4, &end, 16);
    else if (type == IR_F32)
        v.f32 = strtof(text, &end);
    else
        v.f64 = strtod(text, &end);
    bool bad = *end || end == text || end == text + 4 * payload;
    if (payload)
        bad |= errno || (type == IR_F32 && v.i64 > UINT32_MAX);
    if (!payload && !strncmp(text, "nan", 3))
        bad = true; /* a NaN is written with its bits */
    if (bad)
        lex_fail(l, "'%s' is no %s constant", text, ir_type_name[type]);
    advance(l);
    return v;
}

static union ir_bits lex_integer(struct lexer *l, enum ir_type type) {
    char text[40], *end;
    if (!word_text(l, text, sizeof text))
        lex_fail(l, "expected an integer constant");
    const char *digits = text + (text[0] == '-');
    bool hex = digits[0] == '0' && digits[1] == 'x';
    errno = 0;
    uint64_t v = strtoull(digits, &end, hex ? 16 : 10);
    bool negative = text[0] == '-', bad = *end || digits[0] < '0' || digits[0] > '9' || errno;
    uint64_t most = type == IR_I32 ? UINT32_MAX : UINT64_MAX;
    if (bad || v > (negative ? most / 2 + 1 : most))
        lex_fail(l, "'%s' is no %s constant", text, ir_type_name[type]);
    advance(l);
    v = negative ? 0 - v : v;
    return (union ir_bits){.u64x2 = {type == IR_I32 ? (uint32_t)v : v, 0}};
}

union ir_bits lex_constant(struct lexer *l, enum ir_type type) {
    if (type == IR_F32 || type == IR_F64)
        return lex_float(l, type);
    if (type != IR_V128)
        return lex_integer(l, type);
    union ir_bits v = {.u64x2 = {0, 0}};
    for (int k = 0; k < 4; k++)
        v.u32x4[k] = (uint32_t)lex_number(l, UINT32_MAX);
    return v;
}
