/* An offloaded loop nest: what the planner found out, in the form that the backends and the run-time guard need.
 *
 *     host function                                kernel (one invocation a grid point)
 *     -------------                                ------------------------------------
 *     %ok, %t0, %t1 = launch k(slots...)           kernel k(%gx: i32, %gy: i32, scalars...) {
 *     if %ok { yield final values }                  addresses, loads, arithmetic, inner sequential loops,
 *     else   { the original loop }                   stores: the loop body as wasm had it
 *                                                    return
 *                                                  }
 *
 * The kernel body computes addresses exactly as the wasm did (32-bit, absolute in linear memory); each load and store
 * names its stream.  A GPU backend turns address + offset into (address + offset - base of the stream) >> 2 words into
 * the stream's binding; the native kernel adds the memory base.  The guard has shown before the launch that no access
 * leaves its range, none wraps, and no two grid points touch the same byte unless both only read it.
 *
 * Slots are the numbers the host function hands over at launch: the low bits of each `launch` operand, zero-extended to
 * 64.  Scalars of the kernel, bases, strides, trip counts and conditions all name slots.
 *
 * A kernel with data-dependent loads or with operations that may trap comes with a second kernel, its inspector
 * (inspect.h), which runs first over the same grid and the same streams, writes nothing but a status word, and decides
 * whether the launch goes on.
 *
 * A kernel with reductions (reduce.h) runs one worker a grid point: a worker goes through some of the iterations, and
 * stores what its accumulators came to in a stream of the runtime's own, which combines the workers' results.
 *
 * Parameter block of every GPU kernel, in 32-bit words:
 *   0-2 extent of the grid in points (x, y, z; 1 where unused)     3 first x of this dispatch (for split dispatches)
 *   then for each stream the linear-memory address of its binding's first byte, then the scalars (64-bit ones as
 *   low, high).  Up to OFF_PUSH_WORDS words are push constants; a longer block is a uniform buffer (an array of vec4)
 *   at binding `nstreams` of set 0.  Stream k is the storage buffer at binding k of set 0.
 */
#ifndef WASMETAL_IR_OFFLOAD_KERNEL_H
#define WASMETAL_IR_OFFLOAD_KERNEL_H

#include "ir/ir.h"

enum {
    OFF_MAX_GRID = 3,
    OFF_MAX_DIMS = 20,
    OFF_MAX_STREAMS = 8, /* WebGPU's default maxStorageBuffersPerShaderStage */
    OFF_MAX_ACCESSES = 192,
    OFF_MAX_SLOTS = 256,
    OFF_MAX_RANGES = 64,
    OFF_PUSH_WORDS = 32, /* Vulkan's least maxPushConstantsSize, 128 bytes */
    OFF_MAX_REDUCES = 16,
    OFF_PARAM_X_BASE = 3,
    OFF_PARAM_STREAMS = 4, /* first word of the stream bases */
};

#define OFF_NO_SLOT UINT32_MAX
/* `stream` of an access that happens before the launch: the host reads a value there that the nest reads again and
 * again. The guard sees to it that nothing in the nest writes there; the kernel has no such access.
 * A store without a stream is one that the host makes after the launch (of a reduction's result).  It must touch
 * nothing else that the nest accesses. */
#define OFF_NO_STREAM UINT8_MAX

/* How often a dimension runs.  The loop tests t_k = init + k*step (mod 2^bits) against bound; bottom-tested: after body
 * k, so trip = 1 + min{k : not (t_k REL bound)}; top-tested: before body k, so trip = min{k : not (t_k REL bound)}.
 * CONST: the trip count is in `constant` (pseudo dimensions: a value that is one of two, see plan_access.c). */
enum off_trip_rel {
    OFF_TRIP_CONST,
    OFF_TRIP_NE,
    OFF_TRIP_LT_S,
    OFF_TRIP_LT_U,
    OFF_TRIP_LE_S,
    OFF_TRIP_LE_U,
    OFF_TRIP_GT_S,
    OFF_TRIP_GT_U,
    OFF_TRIP_GE_S,
    OFF_TRIP_GE_U,
    OFF_TRIP_RANGE, /* pseudo dimension: a value known to lie in ranges[constant]; iteration i stands for lo + i */
};

/* The values that something in the nest can take, as a signed 32-bit interval computed at launch: clamped coordinates
 * (min and max of affine values), bytes used as indices. */
enum off_range_op {
    OFF_RANGE_CONST,  /* lo to hi */
    OFF_RANGE_AFFINE, /* base + sum of stride * iteration, over dimensions before the one that uses the range */
    OFF_RANGE_MIN_S,  /* of ranges a and b, which have smaller indices */
    OFF_RANGE_MAX_S,
    OFF_RANGE_MIN_U,
    OFF_RANGE_MAX_U,
    OFF_RANGE_LT_S, /* the values of a that are less than some value of b (and so on); any one of a when none is */
    OFF_RANGE_LE_S,
    OFF_RANGE_GT_S,
    OFF_RANGE_GE_S,
    OFF_RANGE_UNION,   /* from the least of both to the greatest */
    OFF_RANGE_SHIFT,   /* of a, shifted right arithmetically by lo */
    OFF_RANGE_SHIFT_U, /* of a, shifted right by lo as unsigned numbers; lo is not 0 */
};

struct off_range {
    enum off_range_op op;
    uint32_t a, b;
    int32_t lo, hi;
    uint32_t base_slot;
    uint32_t stride_slot[OFF_MAX_DIMS]; /* OFF_NO_SLOT: 0 */
};

struct off_dim {
    enum off_trip_rel rel;
    uint8_t bits; /* 32 or 64 */
    bool top_tested;
    bool parallel;
    bool unbounded; /* data-dependent sequential loop: no trip count, no address varies with it */
    int8_t axis;    /* 0 x, 1 y, 2 z; -1: runs inside the kernel */
    int8_t parent;  /* the dimension around it, -1 at the top */
    uint32_t init_slot, step_slot, bound_slot;
    uint32_t
        when_slot; /* the loop is entered only if this is nonzero (else its trip count means nothing); OFF_NO_SLOT */
    uint64_t constant;
    uint32_t ops;         /* instructions directly in it, for the cost estimate */
    uint32_t wasm_offset; /* of the loop */
    /* The count differs between iterations of the loops around: init and bound are ranges, the slots of both unused. */
    bool varying;
    uint32_t
        entered; /* != tested at the bottom.  1: the loop stands behind a test which says that the counter, one step
                    before its first value, is not the bound.  2 + r: it says so if range r has no negative value */
    uint32_t init_range, bound_range;
};

struct off_access {
    uint8_t stream; /* or OFF_NO_STREAM */
    bool write;
    uint8_t bytes;
    uint8_t align;   /* what a GPU kernel needs its address to be a multiple of (bytes) */
    bool declared;   /* of a function declared data-parallel: taken to touch nothing that others like it write */
    uint8_t copy;    /* not 0: one more than the dimension of the loop, inside a point, that copies bytes with it: what
                      * it reads and writes there must not overlap within a point */
    uint64_t offset; /* of the memarg */
    uint32_t base_slot;                 /* address at iteration 0 of every dimension, modulo 2^32 */
    uint32_t stride_slot[OFF_MAX_DIMS]; /* bytes a step of that dimension, signed 32-bit; OFF_NO_SLOT: 0 */
    uint32_t when_slot;                 /* happens only if this is nonzero; OFF_NO_SLOT: always */
    uint32_t wasm_offset;
};

enum off_stream_kind {
    OFF_STREAM_RANGE,  /* the bytes that its accesses can touch */
    OFF_STREAM_MEMORY, /* all of linear memory, read only: loads whose addresses depend on data, checked in the kernel
                        */
    OFF_STREAM_STATUS, /* one word of the runtime's own, in inspectors: address 0, set to 1 when the launch must not be
                        */
    OFF_STREAM_PARTIALS, /* the runtime's own: what each worker's accumulators came to; nreduces words of 8 bytes a
                            worker, from address 0 */
    OFF_STREAM_PRIVATE, /* each point has these bytes for itself, as values; only the last one writes them. Nothing else
                           in the nest may touch them, which the guard sees to */
};

/* ---- reductions: values carried through the iterations of the grid's one loop (reduce.h) ---- */

/* Workers are combined in the order of their iterations.  T: what the value has come to, from its value before the
 * loop; P: the worker's. */
enum off_reduce_kind {
    OFF_REDUCE_OP,      /* T op P; workers start from what changes nothing, or (EXTREME) the value before the loop */
    OFF_REDUCE_FLAG,    /* a word of the others' that is nonzero when ...; no value of the program */
    OFF_REDUCE_PICK,    /* P where `P op T` (and flag `flag` is set, when it has one), else T; workers start from the
                           value before the loop */
    OFF_REDUCE_KEEP,    /* T where `T op P`, unless the worker's flag says that it has met a NaN; else P; workers start
                           from a NaN */
    OFF_REDUCE_PAYLOAD, /* P where reduction `lead` took its worker's, else T */
    OFF_REDUCE_LAST,    /* P where flag `flag` is set, else T */
};

enum off_reduce_op {
    OFF_REDUCE_ADD,
    OFF_REDUCE_MUL,
    OFF_REDUCE_AND,
    OFF_REDUCE_OR,
    OFF_REDUCE_XOR,
    OFF_REDUCE_MIN, /* of floats: wasm's min and max; of integers (in lanes only): signed */
    OFF_REDUCE_MAX,
    OFF_REDUCE_LT, /* comparisons; signed for integers */
    OFF_REDUCE_LE,
    OFF_REDUCE_GT,
    OFF_REDUCE_GE,
    OFF_REDUCE_LT_U,
    OFF_REDUCE_LE_U,
    OFF_REDUCE_GT_U,
    OFF_REDUCE_GE_U,
    OFF_REDUCE_MIN_U, /* of integers in lanes */
    OFF_REDUCE_MAX_U,
    OFF_REDUCE_EXTREME, /* of floats: T or P as it is, by off_reduce.rule */
    OFF_REDUCE_OP_COUNT
};

/* The rule of an EXTREME, which of two floats it takes, in the order of the program.  Of two numbers the lesser or
 * greater; of equal ones nothing but the zeros differ. */
enum off_extreme {
    OFF_EXTREME_MAX = 1,        /* the greater */
    OFF_EXTREME_ZERO_FIRST = 2, /* of two zeros the first; else -0 is less than 0 */
    OFF_EXTREME_ZERO_LAST = 4,  /* of two zeros the last */
    OFF_EXTREME_ZEROS = 6,
    OFF_EXTREME_NAN_LOSES = 0,  /* a NaN gives way to a number */
    OFF_EXTREME_NAN_WINS = 8,   /* a number gives way to a NaN */
    OFF_EXTREME_NAN_STAYS = 16, /* a NaN on the right is not taken, one on the left stays */
    OFF_EXTREME_NANS = 24,
    OFF_EXTREME_NAN_LAST = 32,     /* of two NaNs the last; else the first */
    OFF_EXTREME_NEEDS_NUMBER = 64, /* only when the value before the loop is no NaN */
};

#define OFF_NO_REDUCE UINT32_MAX

struct off_reduce {
    enum off_reduce_kind kind;
    enum off_reduce_op op;
    enum ir_type type;
    uint8_t lane_bytes; /* not 0: this is 8 bytes of a v128, and what is said above goes for each lane, which is so many
                           bytes of `type`.  Flags are then masks */
    bool upper;         /* the upper half of the one before */
    uint32_t init_slot; /* value before the loop; FLAG: OFF_NO_SLOT */
    uint32_t lead;      /* PAYLOAD: an earlier reduction, PICK or KEEP; else OFF_NO_REDUCE */
    uint32_t flag;      /* LAST, KEEP and some of PICK: an earlier reduction, FLAG; else OFF_NO_REDUCE */
    uint8_t rule;       /* EXTREME: enum off_extreme */
};

struct off_stream {
    bool read, write;
    uint8_t min_bytes; /* narrowest access */
    uint8_t max_bytes; /* widest access */
    uint8_t kind;      /* enum off_stream_kind */
    bool reread; /* read apart from the kernel's order, by the inspector or after the launch: no read may overlap a
                    write */
};

/* Where the value of a scalar comes from: a slot, or the guard's decision about this launch (i32). */
enum off_scalar_source {
    OFF_SCALAR_SLOT,
    OFF_SCALAR_LAST_BYTE,     /* highest address in linear memory */
    OFF_SCALAR_ALIGNMENT,     /* all ones where the device needs aligned accesses, else 0 */
    OFF_SCALAR_WRITTEN_FIRST, /* first and last address the launch may write through stream `slot`; */
    OFF_SCALAR_WRITTEN_LAST,  /* all ones and 0 when it writes none */
    /* Worker g runs iterations g * FIRST + j * STEP, for j below ROUNDS, that are below TRIP. */
    OFF_SCALAR_FIRST,
    OFF_SCALAR_STEP, /* 1 on the cpu device */
    OFF_SCALAR_ROUNDS,
    OFF_SCALAR_TRIP,           /* iterations of all dimensions on the x axis together */
    OFF_SCALAR_LAST_ITERATION, /* of dimension `slot` */
};

struct off_scalar {
    enum ir_type type;
    uint32_t slot;
    enum off_scalar_source source;
};

/* What a kernel needs of a device.  CAP: SPIR-V capabilities of a variant; USE: for the strictness rules. */
enum {
    OFF_CAP_INT8 = 1 << 0,
    OFF_CAP_INT16 = 1 << 1,
    OFF_CAP_INT64 = 1 << 2,
    OFF_CAP_FLOAT64 = 1 << 3,
    OFF_CAP_STORAGE8 = 1 << 4,
    OFF_CAP_STORAGE16 = 1 << 5,
    OFF_USE_F32_ARITH = 1 << 8, /* add, sub, mul, conversions: no contraction */
    OFF_USE_F32_DIV = 1 << 9,
    OFF_USE_F32_SQRT = 1 << 10,
    OFF_USE_F64_ARITH = 1 << 11,
    OFF_USE_F64_DIV = 1 << 12,
    OFF_USE_F64_SQRT = 1 << 13,
    OFF_USE_LONG_LOOP = 1 << 14,     /* an inner loop that may pass 65,535 iterations */
    OFF_USE_F32_SUBNORMAL = 1 << 15, /* f32 arithmetic with subnormal operands and results, not flushed to zero */

    OFF_USE_F32 = OFF_USE_F32_ARITH | OFF_USE_F32_DIV | OFF_USE_F32_SQRT | OFF_USE_F32_SUBNORMAL,
    OFF_USE_F64 = OFF_USE_F64_ARITH | OFF_USE_F64_DIV | OFF_USE_F64_SQRT,
};

struct off_spirv {
    uint32_t caps; /* OFF_CAP_* this variant needs */
    uint32_t
        avoids; /* OFF_USE_* of the kernel that this variant does without: it is exact where the device's are not */
    uint32_t *words;
    uint32_t nwords;
};

struct off_kernel {
    const char *name;     /* a C identifier, unique in the module: "<func>_<wasm offset in hex>" */
    struct ir_func *body; /* parameters: ngrid x i32, then the scalars; no results */
    uint32_t id;
    uint32_t func;        /* function it was cut from */
    uint32_t wasm_offset; /* of the outermost loop */
    uint32_t ngrid;
    uint32_t ndims, nstreams, nranges, naccesses, nscalars, nslots, nconditions;
    uint32_t nreduces; /* not 0: ngrid is 1, and the last stream is of kind PARTIALS */
    bool flat;         /* all its reductions are words of private memory; the x axis may stand for several dimensions */
    struct off_dim dims[OFF_MAX_DIMS];
    struct off_stream streams[OFF_MAX_STREAMS];
    struct off_range *ranges;
    struct off_access *accesses;
    struct off_scalar *scalars;
    enum ir_type *slot_types;
    uint32_t *condition_slots; /* each must be nonzero for a launch */
    struct off_reduce *reduces;
    bool splits; /* the loop does more than store: a loop without stores runs on the CPU behind the launch (split.h) */
    bool declared;         /* some of its accesses are */
    bool rolled;           /* a point does one element where the loop does several an iteration (reroll.h) */
    uint32_t uses;         /* OFF_USE_* */
    uint32_t workgroup[3]; /* invocations; product <= 256 */

    struct off_kernel *inspector; /* NULL: nothing to inspect */
    bool inspects;                /* it is one itself */
    bool in_order;                /* reductions: each worker must run iterations that follow each other */
    uint32_t checked_loads;       /* of the nest: loads whose address the inspector checks, */
    uint32_t checked_ops;         /* and operations that may trap */
    uint64_t gather_reach;        /* greatest offset + width of a checked load */

    /* Filled by the backends, in the module arena.  A text is NULL where the target cannot express the kernel, and the
     * `_why` beside it then says the reason in words. */
    struct off_spirv *spirv;
    uint32_t nspirv;
    char *msl;
    const char *msl_why;
    /* The same, as function "<name>_exact", without f32 subnormals, division and square root of the device; NULL when
     * `msl` needs none of these. */
    char *msl_exact;
    char *wgsl;
    const char *wgsl_why;
    const char *spirv_why;
};

/* Words of the parameter block. */
uint32_t off_param_words(const struct off_kernel *k);

#endif
