/* The text form of the IR: what dumps print, tests are written in, and the parser reads back.  Printing, parsing and
 * printing again gives the same bytes.  The grammar is in docs/ir.md. */
#ifndef WASMETAL_IR_TEXT_H
#define WASMETAL_IR_TEXT_H

#include <stddef.h>

#include "ir/ir.h"
#include "ir/util/strbuf.h"

void ir_print_module(struct strbuf *out, struct ir_module *m);
void ir_print_func(struct strbuf *out, struct ir_func *f);
void ir_print_inst(struct strbuf *out, struct ir_inst *i); /* one line, regions left out; for messages */

struct ir_parse_error {
    uint32_t line, column; /* from 1 */
    char message[160];
};

/* Returns a module (caller frees) or NULL with *out_error filled. */
struct ir_module *ir_parse_module(const char *text, size_t size, struct ir_parse_error *out_error);

#endif
