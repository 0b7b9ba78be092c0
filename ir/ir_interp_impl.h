/* Private to the interpreter: the instance, and the operations on its memories, tables and segments. */
#ifndef WASMETAL_IR_INTERP_IMPL_H
#define WASMETAL_IR_INTERP_IMPL_H

#include "ir/ir_interp.h"

struct interp_memory {
    uint8_t *base;
    uint64_t bytes, max_pages;
};

/* A funcref is its function index + 1, an externref whatever the host says; null is 0. */
struct interp_table {
    uint64_t *refs;
    uint64_t size, cap, max;
};

struct interp_frame {
    struct ir_func *func;
    const struct ir_inst *call; /* in the caller; NULL when C called */
    uint64_t base;              /* of its value slots */
};

struct ir_interp {
    struct ir_interp_desc desc;
    struct ir_module *module;
    struct interp_memory *memories;
    struct interp_table *tables;
    union ir_bits *globals;
    bool *data_dropped, *elem_dropped;
    struct interp_frame *frames;
    uint32_t nframes, frames_cap;
    union ir_bits *slots; /* of all frames */
    uint64_t nslots, slots_cap;
    union ir_bits *args; /* gathers what moves in parallel */
    uint32_t args_cap;
    uint64_t fuel;
    struct interp_exn *exns;                            /* all there are */
    struct interp_exn *thrown;                          /* on its way */
    uint32_t arrays[IR_MAX_ARRAYS][IR_MAX_ARRAY_WORDS]; /* of the kernel that runs */
    bool arrays_used;
};

/* ir_interp_exn.c */
void interp_do_exn(struct ir_interp *in, const struct ir_inst *i, union ir_bits *slots);
const struct ir_inst *interp_throw(struct ir_interp *in, struct interp_exn *e, const struct ir_inst *from,
                                   uint32_t bottom);
void interp_exn_free_all(struct ir_interp *in);

/* Old size in pages, or UINT64_MAX when it cannot grow. */
uint64_t interp_memory_grow(struct ir_interp *in, uint32_t memory, uint64_t pages);
enum ir_trap interp_memory_copy(struct ir_interp *in, uint32_t to, uint32_t from, uint64_t dst, uint64_t src,
                                uint64_t n);
enum ir_trap interp_memory_fill(struct ir_interp *in, uint32_t memory, uint64_t dst, uint8_t byte, uint64_t n);
enum ir_trap interp_memory_init(struct ir_interp *in, uint32_t memory, uint32_t segment, uint64_t dst, uint64_t src,
                                uint64_t n);
uint64_t interp_table_grow(struct ir_interp *in, uint32_t table, uint64_t ref, uint64_t n);
enum ir_trap interp_table_fill(struct ir_interp *in, uint32_t table, uint64_t dst, uint64_t ref, uint64_t n);
enum ir_trap interp_table_copy(struct ir_interp *in, uint32_t to, uint32_t from, uint64_t dst, uint64_t src,
                               uint64_t n);
enum ir_trap interp_table_init(struct ir_interp *in, uint32_t table, uint32_t segment, uint64_t dst, uint64_t src,
                               uint64_t n);
/* Makes memories, tables and globals; false when out of memory. */
bool interp_state_new(struct ir_interp *in);
void interp_state_free(struct ir_interp *in);
/* Copies the active segments. */
enum ir_trap interp_state_init(struct ir_interp *in);

#endif
