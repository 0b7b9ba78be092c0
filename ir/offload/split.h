/* Splitting a loop: its stores run as a kernel, and what is left over on the CPU behind it.
 *
 *     loop L (%s, %p, %q) {                     %ok = launch k(...)          k: stores f(...) for all iterations
 *       %v = f(load %p)                         if %ok {
 *       store %q, %v                              loop L' (%s, %p, %q) {     the rest: no stores, and what they have
 *       %s1 = f32.add %s, %v           ->           %v = load %q             stored is loaded again
 *       br_if L (%s1, ...)                          %s1 = f32.add %s, %v
 *       yield %s1                                   br_if L' (%s1, ...)
 *     }                                             yield %s1 } }
 *                                               else { loop L ... }
 *
 * For serial values, which one iteration hands to the next and which are no reduction (float sums, recurrences), and
 * for what the last iteration computes.  Nothing that the loop stores, no address, no condition with an effect and
 * nothing that may trap depends on a serial value; the kernel has a 0 in its place, and what is computed from it there
 * is dead.
 *
 * The rest gives the same values when its loads do.  They have to overlap nothing that the launch writes, not even in
 * their own iteration (off_stream.reread, the guard sees to it); checked loads never do.  What a store has put
 * somewhere is found there afterwards when no other store can have overwritten it: in other iterations none does (the
 * guard), in its own one there is none, or one a known distance away.
 *
 * It pays where the kernel takes over most of the work, so the rest has to be a small part of the loop.
 */
#ifndef WASMETAL_IR_OFFLOAD_SPLIT_H
#define WASMETAL_IR_OFFLOAD_SPLIT_H

#include "ir/offload/plan.h"

/* Builds the rest of the plan's root loop at *b; gives the instruction that has the loop's results. */
struct ir_inst *split_emit_rest(struct ir_builder *b, const struct plan *p);

#endif
