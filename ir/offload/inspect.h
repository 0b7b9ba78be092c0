/* The inspector of a kernel: finds out before the launch whether it may be.
 *
 * The guard decides with numbers that are known before the nest.  It cannot know the address of table[index[i]], nor
 * whether index[i] / count[i] traps.  A kernel with such loads and operations is split in two:
 *
 *     kernel                          inspector                                 executor (the kernel)
 *     %i = i32.load %p                %i = i32.load %p                          %i = i32.load %p
 *     %q = %table + %i * 4            %q = %table + %i * 4                      %q = %table + %i * 4
 *     %v = f32.load %q                if bad(%q) { status = 1  return }         %v = f32.load min_u(%q, last - 3)
 *     f32.store %r, %v * %f                                                     f32.store %r, %v * %f
 *
 * The inspector is the kernel without its stores, with a check in front of each such load and operation, and without
 * all that no check depends on.  It runs first, over the same grid, and writes nothing but its status word, to which
 * every point that finds something stores the same 1.  When that stayed 0 the kernel runs; otherwise the original loop
 * does, in memory that nothing has touched, and raises the trap where it is due.
 *
 * bad(%q), for a load of b bytes at offset o, in 32-bit arithmetic that cannot wrap:
 *     %q > last - (o + b - 1)         last: address of the last byte of memory; the guard has shown o + b <= last + 1
 *     (%q + o) & (b - 1) & alignment  alignment: all ones on devices that need it
 *     %q + o <= last_s  and  %q + o + b - 1 >= first_s    for each stream s that is written: first_s .. last_s
 * A point ends at its first failed check, so no load behind it runs with an address that comes from a failed one.
 *
 * Why the executor computes what the inspector has seen:
 * - Checked loads read nothing that the launch writes: that is the last test.
 * - Other loads read nothing that another point writes (the guard's conflict test), and what their own point writes
 *   only after the load, unless a store can come before it: streams with such loads are marked `reread`, and the guard
 *   demands that their reads overlap no write at all.
 * - A thread of a shared memory may still change what a load gives, in between.  So the executor bounds each checked
 *   address once more, cheaply; it then reads some byte of the memory, as wasm allows for such a race, never another.
 *
 * Termination: every loop left in the inspector counts its iterations and gives up, which sets the status, after
 * INSPECT_MAX_STEPS.  Loops that decide about a check are the same in the executor and end there as well.  Loops that
 * no check depends on are not in the inspector; those that never end never ended on the CPU either.
 */
#ifndef WASMETAL_IR_OFFLOAD_INSPECT_H
#define WASMETAL_IR_OFFLOAD_INSPECT_H

#include "ir/offload/kernel.h"
#include "ir/opt/pass.h"

enum {
    INSPECT_MAX_SCALARS = 2 + 2 * OFF_MAX_STREAMS, /* that it adds */
    INSPECT_MAX_STEPS = 1 << 20,
};

/* Splits `k`, a kernel entered in the module whose gather loads name the stream of kind OFF_STREAM_MEMORY: k->body
 * becomes the executor, k->inspector a new kernel of the module.  When all checks have vanished there is none. */
void inspect_split(struct ir_module *m, struct off_kernel *k, struct pass_ctx *passes);

#endif
