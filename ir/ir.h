/* The IR: typed SSA with structured control flow.
 *
 * A module holds functions; a function holds one body region; a region holds a list of instructions, the last of which
 * is its terminator.  Regions nest through `block`, `loop` and `if`.  Because control is structured, dominance is
 * lexical scope: a value may be used by every later instruction of its region and of the regions inside those, and
 * nowhere else.  Every use of a value stands textually after its definition, so one forward walk may rewrite uses.
 *
 *   op        operands                 region parameters   results        a branch to it passes
 *   block     -                        -                   any            its results, leaving it
 *   if        cond:i32                 -                   any            its results, leaving it (regions: then, else;
 *                                                                         both always exist)
 *   loop      initial value of each    loop-carried        any            its parameters, starting the next iteration
 *             parameter                values
 *   yield     the results of the instruction around it (falling out at the end).  Not allowed in the function body.
 *   br        the target's arguments
 *   br_if     cond:i32, then the target's arguments; falls through when cond is 0
 *   br_table  index:i32, then the arguments of targets[0], of targets[1], ...; the last target is the default
 *   return    the function's results
 *   call      the arguments;  call_indirect: the arguments, then the table slot:i32; return_call and
 *             return_call_indirect: the same, without results: the callee's are the function's
 *   load      address;  store: address, value.  Effective address = address + mem.offset, never wrapping.
 *   thrown    directly behind a call; results: i32, whether the call threw, and the exception (exnref).  A call that
 *             throws and has none behind it leaves the function; otherwise its results are undefined
 *   throw     an exnref, which leaves the function
 *   launch    slot values of any scalar type (kernel.h); results: ok:i32, then one i64 trip count for each dimension,
 *             then the bits of each reduction as i64;
 *             not ok: the first of them is nonzero when a kernel of a loop inside the nest may still be launched
 *
 * Labels are instructions: `target` points to the enclosing block, if or loop.
 *
 * Everything lives in arenas: types, globals and function headers in `ir_module.arena`, instructions and values in
 * `ir_func.arena`.  Nothing is freed singly.  Thread rules: one thread a function at a time; module tables are read
 * only once lowering has ended.
 */
#ifndef WASMETAL_IR_IR_H
#define WASMETAL_IR_IR_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/util/arena.h"

enum ir_type { IR_I32, IR_I64, IR_F32, IR_F64, IR_V128, IR_FUNCREF, IR_EXTERNREF, IR_EXNREF, IR_TYPE_COUNT };

enum ir_op {
#define IR_SIMPLE(id, ...) IR_##id,
#define IR_LANES(id, ...) IR_##id,
#define IR_LOAD(id, ...) IR_##id,
#define IR_STORE(id, ...) IR_##id,
#define IR_ATOMIC(id, ...) IR_##id,
#define IR_OTHER(id, ...) IR_##id,
#include "ir/ir_ops.def"
    IR_OP_COUNT
};

/* Flags of ir_op_info.flags; the legend is in ir_ops.def. */
enum {
    IR_FLAG_PURE = 1 << 0,
    IR_FLAG_TRAPS = 1 << 1,
    IR_FLAG_COMMUTES = 1 << 2,
    IR_FLAG_ASSOC = 1 << 3,
    IR_FLAG_BITWISE = 1 << 4,
    IR_FLAG_READS = 1 << 5,
    IR_FLAG_WRITES = 1 << 6,
    IR_FLAG_GREADS = 1 << 7,
    IR_FLAG_GWRITES = 1 << 8,
    IR_FLAG_TABLE = 1 << 9,
    IR_FLAG_CALLS = 1 << 10,
    IR_FLAG_TERM = 1 << 11,
    IR_FLAG_BRANCH = 1 << 12,
    IR_FLAG_REGION = 1 << 13,
};

enum ir_op_kind { IR_KIND_SIMPLE, IR_KIND_LANES, IR_KIND_LOAD, IR_KIND_STORE, IR_KIND_ATOMIC, IR_KIND_OTHER };

/* What an atomic access does with the bytes. */
enum ir_atomic {
    IR_ATOMIC_LOAD,
    IR_ATOMIC_STORE,
    IR_ATOMIC_ADD,
    IR_ATOMIC_SUB,
    IR_ATOMIC_AND,
    IR_ATOMIC_OR,
    IR_ATOMIC_XOR,
    IR_ATOMIC_XCHG,
    IR_ATOMIC_CMPXCHG,
    IR_ATOMIC_WAIT,
    IR_ATOMIC_NOTIFY
};

struct ir_op_info {
    const char *text;
    enum ir_op_kind kind;
    uint16_t flags;
    uint8_t result;   /* enum ir_type; store: the type stored; atomic without a result: IR_TYPE_COUNT */
    uint8_t operands; /* all but other: how many */
    uint8_t operand_types[3];
    uint8_t bytes;             /* load, store, atomic: bytes in memory */
    bool sign;                 /* load: sign-extends */
    uint8_t atomic;            /* atomic: enum ir_atomic */
    uint8_t lanes, lane_bound; /* lanes: how many lane numbers, and what each is below */
};

extern const struct ir_op_info ir_op_info[IR_OP_COUNT];
extern const char *const ir_type_name[IR_TYPE_COUNT];

struct ir_vec {
    uint64_t half[2];
};

/* 128 bits that any value fits in.  u8x16 to f64x2 are the lanes of a v128, as in little-endian memory. */
union ir_bits {
    uint32_t i32;
    uint64_t i64;
    float f32;
    double f64;
    uint8_t v128[16];
    struct ir_vec vec;
    uint8_t u8x16[16];
    int8_t s8x16[16];
    uint16_t u16x8[8];
    int16_t s16x8[8];
    uint32_t u32x4[4];
    int32_t s32x4[4];
    uint64_t u64x2[2];
    int64_t s64x2[2];
    float f32x4[4];
    double f64x2[2];
};

#define IR_NO_OFFSET UINT32_MAX

enum { IR_MAX_ARRAYS = 8, IR_MAX_ARRAY_WORDS = 512 }; /* private arrays of a kernel, and what one may have */

struct ir_inst;
struct ir_region;
struct ir_func;

struct ir_value {
    enum ir_type type;
    uint32_t id;              /* unique in the function; the printer renumbers in textual order */
    uint32_t index;           /* which result, region parameter or function parameter */
    struct ir_inst *def;      /* the instruction, NULL for a parameter */
    struct ir_region *region; /* the region it is a parameter of (loop body or function body), else NULL */
    struct ir_value *fwd;     /* scratch of rewriting passes: what replaces it, NULL outside them */
    void *note;               /* scratch of one analysis at a time */
};

struct ir_mem {
    uint64_t offset;    /* bytes, unsigned */
    uint8_t align_log2; /* the hint of the wasm instruction */
    uint16_t memory;    /* memory index */
    int16_t stream;     /* in a kernel: the stream (kernel.h) this access belongs to; -1 elsewhere */
};

struct ir_inst {
    uint16_t op; /* enum ir_op */
    uint16_t nresults;
    uint32_t noperands;
    struct ir_value **operands;
    struct ir_value *results; /* array of nresults, NULL when none */
    struct ir_inst *prev, *next;
    struct ir_region *parent;
    uint32_t wasm_offset; /* byte offset of the opcode in the .wasm file, or IR_NO_OFFSET */
    uint32_t index;       /* function, type, global, memory, table, kernel: see ir_ops.def */
    uint32_t index2;      /* of a loop: a mark (ir/offload/declare.h) */
    uint32_t ntargets;
    union {
        struct ir_region *regions[2]; /* block, loop: [0]; if: [0] then, [1] else */
        struct ir_inst *target;       /* br, br_if */
        struct ir_inst **targets;     /* br_table: ntargets of them, the last is the default */
        struct ir_mem mem;            /* loads, stores, atomic accesses, xor_word */
        union ir_bits bits;           /* constants; lanes: the lane numbers, one a byte */
    };
    uint32_t label; /* printer's label number; scratch otherwise */
    void *note;     /* scratch of one analysis at a time */
};

struct ir_region {
    struct ir_inst *first, *last;
    struct ir_inst *parent; /* block, loop or if; NULL for a function body */
    struct ir_func *func;
    uint32_t nparams;         /* loop and function bodies only */
    struct ir_value **params; /* array of nparams pointers */
};

struct ir_sig {
    uint32_t nparams, nresults;
    const enum ir_type *params, *results;
};

/* A function defined in the module, or a kernel.  Imported functions have only a header (body NULL). */
struct ir_func {
    struct arena arena;
    struct ir_module *module;
    uint32_t index; /* in the module's function index space; kernels: their id */
    uint32_t type;  /* index into module types; kernels: UINT32_MAX */
    struct ir_sig sig;
    const char *name; /* name section, export name or "func[N]"; never NULL */
    struct ir_region *body;
    uint32_t next_id;     /* for new values */
    uint32_t wasm_offset; /* of the body in the file; IR_NO_OFFSET when there is none */
    uint32_t wasm_end;    /* first byte after it */
    uint32_t code_offset; /* of the body inside the code section: what DWARF addresses count from */
};

struct ir_limits {
    uint64_t min, max; /* pages or elements */
    bool has_max, shared, is64;
};

enum ir_extern_kind { IR_EXTERN_FUNC, IR_EXTERN_TABLE, IR_EXTERN_MEMORY, IR_EXTERN_GLOBAL, IR_EXTERN_TAG };

struct ir_import_name {
    const char *module, *field; /* NULL when the item is not imported */
};

/* Constant expression; `op` says which: I32_CONST..V128_CONST, GLOBAL_GET, REF_FUNC, REF_NULL, or one of the six
 * operations of ir_init_is_arithmetic. */
struct ir_init {
    enum ir_op op;
    uint32_t index;
    union ir_bits bits;
    const struct ir_init *args; /* arithmetic: the two operands, in the module arena */
};

struct ir_memory {
    struct ir_import_name import;
    struct ir_limits limits; /* 64 KiB pages */
};

struct ir_table {
    struct ir_import_name import;
    struct ir_limits limits;
    enum ir_type type;
};

struct ir_global {
    struct ir_import_name import;
    enum ir_type type;
    bool mutable_;
    struct ir_init init;
    const char *name; /* NULL when unknown */
};

/* What exceptions are told apart by; the parameters of the type are what they carry. */
struct ir_tag {
    struct ir_import_name import;
    uint32_t type;
};

enum ir_segment_mode { IR_SEGMENT_ACTIVE, IR_SEGMENT_PASSIVE, IR_SEGMENT_DECLARED };

struct ir_data {
    enum ir_segment_mode mode;
    uint32_t memory;
    struct ir_init offset;
    const uint8_t *bytes; /* in the module arena */
    uint64_t size;
};

struct ir_elem {
    enum ir_segment_mode mode;
    uint32_t table;
    enum ir_type type;
    struct ir_init offset;
    struct ir_init *items; /* REF_FUNC, REF_NULL or GLOBAL_GET */
    uint32_t nitems;
};

struct ir_export {
    const char *name; /* any UTF-8 without NUL */
    enum ir_extern_kind kind;
    uint32_t index;
};

struct ir_func_entry {
    struct ir_import_name import;
    struct ir_func *func; /* header always; func->body NULL for an import */
};

struct off_kernel;

struct ir_module {
    struct arena arena;
    const char *name; /* file stem, a C identifier */
    struct ir_sig *types;
    uint32_t ntypes;
    unsigned fp;                 /* what kernels may relax (ir/fp_mode.h); 0: nothing */
    struct ir_func_entry *funcs; /* imports first */
    uint32_t nfuncs, nfunc_imports;
    struct ir_memory *memories;
    uint32_t nmemories;
    struct ir_table *tables;
    uint32_t ntables;
    struct ir_global *globals;
    uint32_t nglobals;
    struct ir_tag *tags;
    uint32_t ntags;
    struct ir_data *datas;
    uint32_t ndatas;
    struct ir_elem *elems;
    uint32_t nelems;
    struct ir_export *exports;
    uint32_t nexports, ndeclared;
    const uint32_t *declared;    /* functions that are data-parallel, says the user (ir/offload/declare.h) */
    int64_t start;               /* function index, -1 when there is none */
    struct off_kernel **kernels; /* ir/offload/kernel.h */
    uint32_t nkernels, kernels_cap;
    /* Raw custom sections the tools need (.debug_*, producers), in file order. */
    struct ir_custom {
        const char *name;
        const uint8_t *bytes;
        uint32_t size, wasm_offset;
    } * customs;
    uint32_t ncustoms;
    uint32_t code_section_offset; /* file offset of the code section's content */
};

/* Addition, subtraction and multiplication of integers: all that a constant expression may compute. */
static inline bool ir_init_is_arithmetic(enum ir_op op) {
    return op == IR_I32_ADD || op == IR_I32_SUB || op == IR_I32_MUL || op == IR_I64_ADD || op == IR_I64_SUB ||
           op == IR_I64_MUL;
}

static inline const struct ir_op_info *ir_info(const struct ir_inst *i) {
    return &ir_op_info[i->op];
}
static inline bool ir_has_flag(const struct ir_inst *i, unsigned flags) {
    return (ir_op_info[i->op].flags & flags) != 0;
}
static inline bool ir_is_load(const struct ir_inst *i) {
    return ir_op_info[i->op].kind == IR_KIND_LOAD;
}
static inline bool ir_is_store(const struct ir_inst *i) {
    return ir_op_info[i->op].kind == IR_KIND_STORE;
}
static inline bool ir_is_atomic(const struct ir_inst *i) {
    return ir_op_info[i->op].kind == IR_KIND_ATOMIC;
}
static inline bool ir_is_const(const struct ir_inst *i) {
    return (unsigned)(i->op - IR_I32_CONST) <= (unsigned)(IR_V128_CONST - IR_I32_CONST);
}
static inline struct ir_inst *ir_terminator(const struct ir_region *r) {
    return r->last;
}

/* How many regions the instruction has: 0, 1 or 2. */
static inline unsigned ir_nregions(const struct ir_inst *i) {
    return i->op == IR_IF ? 2 : i->op == IR_BLOCK || i->op == IR_LOOP;
}

bool ir_sig_equal(const struct ir_sig *a, const struct ir_sig *b);

/* What a branch to `label` passes: the loop's parameters or the block's results. */
uint32_t ir_label_arity(const struct ir_inst *label);
enum ir_type ir_label_type(const struct ir_inst *label, uint32_t index);

/* Follows fwd chains (with path compression). */
struct ir_value *ir_resolve(struct ir_value *v);
/* Replaces every operand in the region, however deep, by what ir_resolve gives for it. */
void ir_resolve_operands(struct ir_region *r);

/* The constant a value is, or NULL. */
static inline const union ir_bits *ir_const_of(const struct ir_value *v) {
    return v->def && ir_is_const(v->def) ? &v->def->bits : 0;
}

#define ir_foreach_inst(i, r) for (struct ir_inst *i = (r)->first; i; i = i->next)
/* The current instruction may be removed or replaced. */
#define ir_foreach_inst_safe(i, r) \
    for (struct ir_inst *i = (r)->first, *i##_next = i ? i->next : 0; i; i = i##_next, i##_next = i ? i->next : 0)
#define ir_foreach_region(r, i)                                                        \
    for (struct ir_region **r##_p = (i)->regions, *r = ir_nregions(i) ? *r##_p : 0; r; \
         r = (++r##_p < (i)->regions + ir_nregions(i)) ? *r##_p : 0)

#endif
