/* The rows of the operation matrix: one kernel for each operation of ir_ops.def that loads, stores or computes.
 *
 *     r[x] = op(a[x], b[x], c[x])        in: the operands' records, packed;  out: the results, packed
 *
 * A load's operand records are as wide as its access, a store's results too, so that neighbours share words. */
#ifndef WASMETAL_TESTS_MATRIX_ROWS_H
#define WASMETAL_TESTS_MATRIX_ROWS_H

#include "ir/offload/kernel.h"

/* What may differ in the results: payloads of NaNs, in cells of 4 or 8 bytes. */
enum matrix_nan { MATRIX_BITS, MATRIX_NAN32, MATRIX_NAN64 };

enum { MATRIX_MAX_TUPLES = 10240, MATRIX_PAGES = 11 };

struct matrix_row {
    enum ir_op op;
    enum ir_type type; /* of the values that a select chooses from; of the result otherwise */
    uint32_t noperands;
    enum ir_type operands[3];
    union ir_bits lanes; /* lane numbers of a lane operation */
    enum matrix_nan nan;
    uint32_t cell; /* bytes from one operand of a record to the next */
    uint32_t in_stride, out_stride;
    uint32_t tuples, out_at; /* the results' address; operands start at 0 */
    struct off_kernel *kernel;
};

/* Why an operation has no row (text that lives forever), or NULL when it has at least one. */
const char *matrix_no_row(enum ir_op op);

/* How many rows there are, and the k-th of them with its kernel, which becomes number k of the module. */
uint32_t matrix_count_rows(void);
void matrix_make_row(struct ir_module *m, uint32_t k, uint32_t tuples, struct matrix_row *out);

/* Fills `in` (tuples * in_stride bytes): pairs of hard values, then random ones.  No tuple traps: the planner takes
 * trapping operations only where it has shown that they cannot. */
void matrix_fill_row(const struct matrix_row *r, uint8_t *in);

/* Runs the row's kernel in the interpreter; `out` gets tuples * out_stride bytes. */
void matrix_interpret_row(struct ir_module *m, const struct matrix_row *r, const uint8_t *in, uint8_t *out);

#endif
