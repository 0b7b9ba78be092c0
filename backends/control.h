/* Structured control flow for targets that can leave only the innermost construct.
 *
 * The IR branches to any enclosing label.  SPIR-V may leave the innermost loop (to its merge or its continue target),
 * WGSL has `break` and `continue`.  So each label that is branched to becomes a *frame*, a loop of the target: an IR
 * loop a real one, a block or if one that runs once and ends in a break.  A branch to the innermost frame is a break or
 * a continue; one to an outer frame notes the frame's number in the function variable `exit` and breaks, and behind
 * each construct it passes the code looks at `exit` and goes on outwards:
 *
 *     block $b {                      loop {                                frame 1
 *       loop $l {                       loop {                              frame 2
 *         ...                             ...
 *         br_if $b c                      if (c) { exit = 1; break; }
 *         br $l                           continue;
 *       }                               }
 *       more                            if (exit != 0) { exit = 0; break; }     (unconditional when nothing falls out)
 *     }                                 more; break; }
 *
 * This file keeps the books, the same for all targets; the emitters write what it says.
 */
#ifndef WASMETAL_BACKENDS_CONTROL_H
#define WASMETAL_BACKENDS_CONTROL_H

#include "ir/ir.h"

/* Frames within frames; Dawn and naga refuse nesting of 127 and more, and each frame may bring an if. */
enum { CONTROL_MAX_DEPTH = 48, CONTROL_MAX_NESTING = 60 };

/* What `note` of each block, if and loop points to, set up by control_prepare. */
struct control_label {
    uint32_t branches;    /* to this label */
    uint32_t merge, cont; /* the emitter's: labels of the construct, */
    uint32_t again;       /* the variable that the continue block of a loop tests (0: none), */
    uint32_t *results;    /* variables of the results, */
    uint32_t *params;     /* and of the loop parameters */
};

struct control_frame {
    struct control_frame *up;
    struct ir_inst *inst;
    uint32_t number;  /* depth, from 1: what `exit` holds */
    bool falls_out;   /* control can reach the code behind it */
    uint64_t pending; /* bit number: a branch to that outer frame passes through here */
};

struct control {
    struct control_frame *top;
};

/* Sets up the labels; false when the nesting is too deep for the targets. */
bool control_prepare(struct ir_func *f, struct arena *a);

static inline struct control_label *control_label(const struct ir_inst *i) {
    return i->note;
}
/* Whether the construct gets a frame: loops always, others when they are branched to. */
static inline bool control_has_frame(const struct ir_inst *i) {
    return i->op == IR_LOOP || control_label(i)->branches != 0;
}

void control_push(struct control *c, struct control_frame *frame, struct ir_inst *i);

/* A branch to `target`: 0 when it is the innermost frame (break, or continue for a loop), else what to put in `exit`
 * before the break. */
uint32_t control_branch(struct control *c, const struct ir_inst *target);

/* How control goes on behind a frame that has just ended. */
struct control_after {
    bool falls_out;    /* the code behind can be reached with exit == 0 */
    bool leaves;       /* it can be reached with exit != 0 */
    bool to_outer;     /* ... for the frame that is innermost now: reset exit, break or continue */
    bool beyond_outer; /* ... for one further out: break, leaving exit */
};
/* Pops the innermost frame and passes its pending exits on. */
struct control_after control_pop(struct control *c);

#endif
