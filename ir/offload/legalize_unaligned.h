/* Accesses at any address by words; see legalize_unaligned.c. */
#ifndef WASMETAL_IR_OFFLOAD_LEGALIZE_UNALIGNED_H
#define WASMETAL_IR_OFFLOAD_LEGALIZE_UNALIGNED_H

#include "ir/offload/rebuild.h"

/* The alignment that a kernel for a GPU needs of the access, in bytes: what the guard demands of its address. */
unsigned legalize_access_align(const struct ir_inst *i);
/* Loads the `bytes` bytes of access i (2, 4, 8 or 16) at r->b as words, the last of them filled up with zeros. */
void legalize_load_words(struct rebuild *r, const struct ir_inst *i, unsigned bytes, struct ir_value **out);
/* Stores words likewise; of the last one only what belongs to the access. */
void legalize_store_words(struct rebuild *r, const struct ir_inst *i, unsigned bytes, struct ir_value *const *words);

#endif
