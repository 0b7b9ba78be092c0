/* Re-rolling: one grid point an element, where the producer's loop does several elements an iteration.
 *
 *     i = 0;                                         for (i = 0; i < n; i++)
 *     if (n >= 4)                                        y[i] = f(x[i]);
 *         do {
 *             y[i] = f(x[i]);  y[i + 1] = f(x[i + 1]);
 *             y[i + 2] = ...   y[i + 3] = ...     =>
 *         } while ((i += 4) != (n & ~3));
 *     if (n & 3)
 *         do y[i] = f(x[i]); while (++i != n);
 *
 * Two loops in a row are no dimension of a grid, so the rows of an image whose columns are unrolled would be all the
 * parallelism there is; and a point that does four elements in turn reads and writes memory in steps of four.
 *
 * The host's code stays as the producer made it.  The rolled loop stands in a function of its own, which gives a plan
 * and a kernel and is then copied in front of the nest, as the way to the launch:
 *
 *     %ok, %hint, %r... = block { ... launch, or leave with %ok = 0 ... }
 *     %s... = if %ok { yield %r... } else { the nest as it was }
 *
 * So the rolled loop need not do the same as the original in all cases, only where the guard lets the launch go: then
 * nothing traps, and no point touches what another one writes.  That is what makes it possible at all: compilers
 * load ahead, use one load in several copies, and store in another order, all of which would show if pointers
 * overlapped.
 */
#ifndef WASMETAL_IR_OFFLOAD_REROLL_H
#define WASMETAL_IR_OFFLOAD_REROLL_H

#include "ir/analysis/loops.h"
#include "ir/opt/pass.h"

enum { REROLL_MAX_LOOPS = 16, REROLL_MAX_OUTS = 16 };

/* A part of a function, as a function with its loops rolled.  Gives i32: whether it came to its end, i64: the hint of
 * the launch that was refused (0), then what the part gives. */
struct reroll {
    struct ir_func *func;   /* owned; NULL when nothing could be rolled */
    struct ir_value **args; /* what to pass: values of the original function */
    uint32_t nargs;
    struct ir_inst *first, *last;           /* the part */
    struct ir_value *outs[REROLL_MAX_OUTS]; /* values of it that are used behind it */
    uint32_t nouts;
    uint32_t rolled[REROLL_MAX_LOOPS]; /* wasm offsets of the loops that were rolled */
    uint32_t merged[REROLL_MAX_LOOPS]; /* and of the loops that became part of one of them */
    uint32_t nrolled, nmerged;
};

/* Makes the function for the nest of `l`.  False: nothing to roll.  `only`: not NULL: of these `nonly` loops alone. */
bool reroll_extract(struct reroll *r, struct arena *scratch, struct pass_ctx *passes, struct loop *l,
                    const uint32_t *only, uint32_t nonly);
void reroll_free(struct reroll *r);
bool reroll_has(const struct reroll *r, uint32_t wasm_offset);

/* `root` is the loop of r->func in front of which the launch was put, and `hint` what that gave.  Puts the way to the
 * launch in front of the part, and returns the hint as a value of the original function. */
struct ir_value *reroll_splice(struct reroll *r, struct arena *scratch, struct ir_inst *root, struct ir_value *hint);

#endif
