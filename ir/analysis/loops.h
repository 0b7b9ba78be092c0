/* The loops of a function: their nesting, and the shape each has.
 *
 * After simplification a loop that clang made has one of these shapes (cond may be negated in each):
 *
 *   BOTTOM_YIELD       BOTTOM_BREAK              TOP_BREAK                   TOP_IF
 *   loop L(p) {        block X {                 block X {                   loop L(p) {
 *     body               loop L(p) {               loop L(p) {                 pure
 *     br_if c, L(n)        body                      pure                      if c { body  br L(n) }
 *     yield v              br_if c, X(v)             br_if c, X(v)             else { yield w }
 *   }                      br L(n)                   body                      yield v
 *                        }                           br L(n)                 }
 *                      }                           } }
 *
 * "pure" may hold pure operations only: nothing of the body runs before a top test.
 */
#ifndef WASMETAL_IR_ANALYSIS_LOOPS_H
#define WASMETAL_IR_ANALYSIS_LOOPS_H

#include "ir/ir.h"

enum loop_shape {
    LOOP_OTHER,        /* none of these: several back edges, or the exit test is elsewhere */
    LOOP_BOTTOM_YIELD, /* leaves by falling out, with the values of its yield */
    LOOP_BOTTOM_BREAK, /* leaves to `exit_label`, with the operands of its br_if */
    LOOP_TOP_BREAK,
    LOOP_TOP_IF, /* leaves by falling out, with the values of its yield */
};

struct loop {
    struct ir_inst *inst;
    struct loop *parent;      /* the loop around it, NULL at the top */
    struct loop *first_child; /* textual order */
    struct loop *next;        /* next sibling */
    uint32_t depth;           /* 0: outermost */
    uint32_t seq, seq_end;    /* textual numbers of the loop and of its last instruction */
    uint32_t index;           /* in loop_tree.loops */

    enum loop_shape shape;
    struct ir_inst *test;       /* the br_if or if that decides */
    bool exit_when_true;        /* test's condition being true leaves the loop */
    struct ir_inst *back;       /* the br or br_if to the loop */
    uint32_t back_first;        /* index of the first passed value in back->operands */
    struct ir_inst *exit_label; /* *_BREAK: where it leaves to */
    uint32_t nback_edges;
    bool other_exits;           /* something besides the test leaves the loop (branch, return) */
    struct ir_inst *other_exit; /* the first of those */
};

struct loop_tree {
    struct loop *loops; /* textual order */
    uint32_t nloops;
    struct loop *first; /* outermost loops, linked by next */
};

/* Numbers every instruction (ir_inst.label) and finds all loops.  The result lives in `scratch`. */
struct loop_tree *loop_tree_build(struct arena *scratch, struct ir_func *f);

/* Whether the value is defined inside the loop (its parameters included).  Needs the numbering of loop_tree_build. */
bool loop_contains_value(const struct loop *l, const struct ir_value *v);
bool loop_contains_inst(const struct loop *l, const struct ir_inst *i);

/* Whether a branch or return (or one way of a br_table) inside the loop leaves it. */
bool loop_is_left_by(const struct loop *l, const struct ir_inst *i);

/* The value passed to parameter `index` for the next iteration. */
struct ir_value *loop_next_value(const struct loop *l, uint32_t index);

#endif
