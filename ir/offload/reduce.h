/* Reductions: carried values that the iterations of a loop may be split over workers for.
 *
 *     loop (%s = %s0, %m = %m0, %k = %k0, %p = ...) {      kernel (%g: i32, ...) {          g: number of the worker
 *       %x = i32.load %p                                     loop (%i = %g * first, %s = 0, %m = %m0, %k = %k0, ...) {
 *       %s1 = %s + %x                                          %p = ... %i ...
 *       %c  = %x > %m                                          body
 *       %m1 = select %x, %m, %c                                next worker's iteration, while there is one
 *       %k1 = select %p, %k, %c                              }
 *       br_if loop(%s1, %m1, %k1, ...)                       partials[g] = %s1, %m1, %k1
 *     }                                                    }
 *
 * The guard proves as ever that no two iterations touch the same byte unless both only read it; workers run disjoint
 * sets of iterations.  When the launch has returned the runtime combines the partial results (runtime/reduce.c), in the
 * order of the iterations they stand for.  What can be a reduction, and why the result has the same bits:
 *
 * OP     x -> x op e with e not depending on x, op associative and commutative: addition (and subtraction of e),
 *        multiplication, and, or, xor of integers; wasm's min and max of floats, which are associative and commutative
 *        but for the payload of a NaN.  Also under conditions and in inner loops.  Workers start from the identity.
 *        Additions and multiplications of floats are these only with --fp=reassociate.
 *
 * EXTREME (an OP)  x -> the greatest or least of the floats x and e, taken as it is, whatever operations say so
 * (reduce_extreme.c): fmaxf and its like, written out or inlined.  The rule says which is taken of two numbers, two
 * zeros, a number and a NaN, and two NaNs.  Each rule but one orders all floats weakly, in classes: a NaN below all
 * numbers (it LOSES: C's fmax, Rust's f32::max) or above (it WINS: numpy.maximum), the zeros in one class or two.  It
 * takes the better class, and of one class the first or the last; apart from zeros and NaNs the floats of a class have
 * the same bits.  So what a run of iterations comes to is the first or last of its best class: it does not matter how
 * the run is cut, as long as the parts are combined in order, and where no class is left that has several bits, not
 * even that.  What workers start from:
 * - NaN LOSES: the value before the loop, m0, which no worker can fall behind; it then stands before each of them,
 *   which makes no difference where of two zeros the first counts.  Where the last does, from -inf (the worst of the
 *   numbers), and not when m0 is a NaN.  When m0 is a number, so is the result, and NaNs need no order.  When m0 is a
 *   NaN, and of NaNs the last counts, workers run in order, and each must have taken one: under conditions and in inner
 *   loops it may not have, so the loop is not launched then.
 * - NaN WINS: -inf, which gives way to all and has the bits of any other -inf.  In order.
 * - A NaN in x STAYS, one in e is not taken (one comparison, C's e > x ? e : x): -inf; no worker has a NaN then, and a
 *   NaN before the loop stays when they are combined.  Only tried where PICK does not fit, say in inner loops.
 *
 * LAST   x -> c ? y : x with c and y not depending on x ("found = 1", the last index that ...).  A flag says whether
 * the worker has met a true c; the last worker that has gives the value.
 *
 * PICK   x -> (e REL x) ? e : x, REL one of < <= > >=, with payloads x' -> (same condition) ? e' : x' (argmin, argmax).
 *        Workers start from the value before the loop, key m0.  REL orders the keys that are taken strictly and weakly:
 *        for floats, no NaN is ever taken, as every comparison with one is false, and when m0 is a NaN nothing is.
 *        A worker ends with the first (REL strict) or last (REL not strict) best key among its own and m0, all bits and
 *        payloads included.  Combined in order by the same REL, that gives the first or last best of all: with strict
 *        REL a worker that has taken nothing ends with m0, which is better than no T and so not taken; with REL not
 *        strict it would tie, hence a flag for having taken something.
 *
 * KEEP   x -> (x REL e) ? x : e on floats, which takes e also when either side is a NaN (C's m > x ? m : x).  A NaN is
 *        taken, and after it whatever comes: the result of a worker that has met a NaN does not depend on what was
 *        before it, and is T.  A worker that has met none starts from a NaN, so takes its first e, and ends with the
 *        first or last best of its own; T is kept when T REL that.
 *
 * The same of a v128, lane by lane: conditions are masks then, chosen by with v128.bitselect, and what is said above of
 * a worker goes for each of its lanes.  A v128 takes two reductions of the plan, its halves.  pmin and pmax compare and
 * replace at once.  Operations on the accumulator must agree on the lanes, and a mask must take OP's lanes whole.
 *
 * No other instruction may depend on any of these values while the loop runs: neither addresses, stored values,
 * conditions of anything with an effect, nor other carried values.
 */
#ifndef WASMETAL_IR_OFFLOAD_REDUCE_H
#define WASMETAL_IR_OFFLOAD_REDUCE_H

#include "ir/offload/plan.h"

/* The loop over one worker's iterations, while a kernel is built. */
struct reduce_loop {
    const struct plan *plan;
    struct ir_builder behind; /* after the loop */
    struct ir_inst *loop;
    struct ir_value *worker, *rest, *left, *iteration;
};

/* Stand-ins for the scalars that say which iterations a worker runs; parameters of the kernel's body. */
struct reduce_scalars {
    struct ir_value *first, *step, *rounds, *trip;
};

/* Opens the loop at *b, which then stands in its body; gives the number of the iteration.  Enters the reductions'
 * parameters in `map`, in which the starting values stand already. */
struct ir_value *reduce_loop_open(struct reduce_loop *l, const struct plan *p, struct ir_builder *b, struct ir_map *map,
                                  struct ir_value *worker, const struct reduce_scalars *s);
/* Ends the loop behind the copied body, and stores the partial results, unless those are private memory's; *b then
 * stands behind. */
void reduce_loop_close(struct reduce_loop *l, struct ir_builder *b, struct ir_map *map, const struct reduce_scalars *s);

#endif
