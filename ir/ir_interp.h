/* The reference interpreter: slow, plain, and the judge in differential tests.
 *
 * One instance owns its memory, globals and tables.  Imported functions go to `host_call`.  A launch returns 0 (so the
 * original loop runs) unless `launch` is set.  Thread rules: one thread an instance.
 */
#ifndef WASMETAL_IR_INTERP_H
#define WASMETAL_IR_INTERP_H

#include "ir/ir.h"
#include "ir/ir_trap.h"

struct ir_interp;

struct ir_interp_desc {
    struct ir_module *module;
    uint64_t fuel;           /* instructions before IR_TRAP_INTERRUPT; 0: no limit */
    uint32_t max_call_depth; /* 0: 10,000 */
    /* Call of imported function `index`: args in, results out, each in bits.  Returns a trap code, 0 for none. */
    enum ir_trap (*host_call)(void *user, struct ir_interp *in, uint32_t index, union ir_bits *args_results);
    /* `launch` instruction: slots are its operands' bits; fills out_trips; returns ok. */
    bool (*launch)(void *user, struct ir_interp *in, uint32_t kernel, const union ir_bits *slots, uint64_t *out_trips);
    void *user;
};

struct ir_trap_info {
    enum ir_trap code;
    uint32_t func, wasm_offset;
};

/* NULL when the memory cannot be had. Runs initialisation (data, elements), not the start function: on a trap there,
 * *out_trap is set and the instance is still returned. */
struct ir_interp *ir_interp_new(const struct ir_interp_desc *desc, struct ir_trap_info *out_trap);
void ir_interp_free(struct ir_interp *in);
/* args_results: nparams in, nresults out (room for the larger).  Returns false on a trap. */
bool ir_interp_call(struct ir_interp *in, uint32_t func, union ir_bits *args_results, struct ir_trap_info *out_trap);
/* Runs a function that is in no table (a kernel) on the instance. */
bool ir_interp_call_func(struct ir_interp *in, struct ir_func *f, union ir_bits *args_results,
                         struct ir_trap_info *out_trap);
uint8_t *ir_interp_memory(struct ir_interp *in, uint32_t memory, uint64_t *out_bytes);
union ir_bits *ir_interp_global(struct ir_interp *in, uint32_t global);

#endif
