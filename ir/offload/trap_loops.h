/* Loops that fall out into a trap are turned into loops that trap inside.
 *
 *     loop L {                                      loop L {
 *       ...                                           ...
 *       if %fine {                                    if %fine { yield } else { call panic  unreachable }
 *         ...                                         ...
 *         br_if %done, B                     =>       br_if %done, B
 *         br L                                        br L
 *       } else { yield }                            }
 *       yield                                       unreachable
 *     }
 *     call panic
 *     unreachable
 *
 * Compilers write a range check in the middle of a loop this way round when its failure is what stands behind the loop.
 * After this the loop has the usual shape, and the check is one for the inspector (inspect.h).
 */
#ifndef WASMETAL_IR_OFFLOAD_TRAP_LOOPS_H
#define WASMETAL_IR_OFFLOAD_TRAP_LOOPS_H

#include "ir/ir.h"

bool trap_loops_turn(struct ir_func *f);

#endif
