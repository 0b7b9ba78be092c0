/* Shared by the files of the host backend; nobody else includes it.
 *
 * One `struct host_cx` is one compilation: an LLVM context, one LLVM module, and everything looked up once.  One
 * `struct host_func` is the function being emitted.  Files:
 *
 *   host_types.c    LLVM types, calling convention, attributes, runtime symbols, fields of the instance
 *   host_ops.c/def  one row an IR operation: which emitter, with which LLVM opcode
 *   host_arith.c    arithmetic, comparison, conversion             host_simd.c ... of v128
 *   host_memory.c   loads, stores and bulk memory; the rule that keeps traps precise is there
 *   host_atomic.c   atomic accesses, wait and notify
 *   host_control.c  regions, branches, and the bodies of functions
 *   host_call.c     calls, import thunks, trampolines, launches
 *   host_exn.c      exceptions
 *   host_state.c    globals, tables, references
 *   host_kernel.c   native kernels
 *   host_const.c    struct wm_module and all it points to, as constants
 *   host_places.c   wasm offsets of accesses         host_elf.c      ... and from there into the trap map
 *   host_parts.c    large modules in parts           host_merge.c    ... and their objects made one
 *   host_noise.c    a warning of LLVM's that means nothing
 *   host_target.c   triples, CPUs, target machines  host_emit.c the pipeline    host_jit.c  loading
 */
#ifndef WASMETAL_BACKENDS_HOST_INTERNAL_H
#define WASMETAL_BACKENDS_HOST_INTERNAL_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>
#include <stdio.h>

#include "backends/host/host.h"
#include "ir/ir.h"
#include "ir/ir_trap.h"
#include "ir/offload/kernel.h"
#include "ir/util/arena.h"
#include "ir/util/ice.h"
#include "runtime/abi.h"

enum host_rt {
#define HOST_RT(id, symbol, result, params, attrs) HOST_RT_##id,
#include "backends/host/runtime_symbols.def"
    HOST_RT_COUNT
};

enum host_intrinsic {
    HOST_CTLZ,
    HOST_CTTZ,
    HOST_CTPOP,
    HOST_FSHL,
    HOST_FSHR,
    HOST_CEIL,
    HOST_FLOOR,
    HOST_TRUNC,
    HOST_RINT,
    HOST_SQRT,
    HOST_FABS,
    HOST_MINIMUM,
    HOST_MAXIMUM,
    HOST_COPYSIGN,
    HOST_FMA,
    HOST_FENCE,
    HOST_FPTOSI_SAT,
    HOST_FPTOUI_SAT,
    HOST_ABS,
    HOST_SADD_SAT,
    HOST_UADD_SAT,
    HOST_SSUB_SAT,
    HOST_USUB_SAT,
    HOST_SMIN,
    HOST_UMIN,
    HOST_SMAX,
    HOST_UMAX,
    HOST_INTRINSIC_COUNT
};

/* Lanes of a v128, in the arguments of host_simd.c's emitters. */
enum {
    HOST_CODE_MASK = 0xff,
    HOST_I8X16 = 1 << 8,
    HOST_I16X8 = 2 << 8,
    HOST_I32X4 = 3 << 8,
    HOST_I64X2 = 4 << 8,
    HOST_F32X4 = 5 << 8,
    HOST_F64X2 = 6 << 8,
    HOST_LANES_MASK = 7 << 8,
    HOST_HIGH = 1 << 11, /* the upper half of the operand's lanes */
};

/* What a memory access touches, for LLVM's alias analysis. */
enum host_space { HOST_SPACE_LINEAR, HOST_SPACE_INSTANCE, HOST_SPACE_COUNT };

/* What one LLVM module holds.  Large modules are cut into parts that are compiled side by side (host_parts.c); the
 * object of a small module is one part with everything. */
struct host_part {
    uint32_t begin, end; /* bodies of these functions */
    bool head, tail;     /* first: start marker, thunks, kernels, trampolines, constants; last: end marker */
    bool whole;          /* there is no other part */
    int opt_level;       /* of options, or less for functions that are too large */
};

struct host_cx {
    struct ir_module *m;
    const struct host_options *options;
    struct arena arena; /* for the whole compilation */
    LLVMContextRef llvm;
    LLVMModuleRef module;
    LLVMBuilderRef builder, entry_builder;
    LLVMTargetMachineRef machine;
    bool elf;
    bool catches;        /* some function has handlers for exceptions */
    bool minimum_quiets; /* the machine has an instruction for llvm.minimum: a signalling NaN comes out quiet */
    LLVMTypeRef tvoid, i1, i8, i16, i32, i64, f32, f64, v128, ptr;
    const struct host_part *part;
    LLVMTypeRef *type_of_sig; /* LLVM function type of each module type; host_type_of_sig makes them */
    LLVMValueRef *funcs;      /* of each function, an import's is its thunk; host_func makes those of other parts */
    bool *tail;               /* of each function: takes part in tail calls, so that it is of tailcc */
    LLVMValueRef *entries;    /* of those, in the head: wrappers of C convention */
    LLVMValueRef *trampolines;
    LLVMValueRef *kernels;
    LLVMValueRef code_start, code_end; /* empty functions around all others */
    LLVMValueRef rt[HOST_RT_COUNT];
    LLVMTypeRef rt_types[HOST_RT_COUNT];
    unsigned intrinsics[HOST_INTRINSIC_COUNT];
    LLVMValueRef tbaa[HOST_SPACE_COUNT], empty_md;
    unsigned md_pcsections, md_tbaa, md_invariant_load, md_access_group, md_loop, md_prof;
    LLVMValueRef unlikely; /* branch weights of a check whose first successor is the good one */
};

struct host_func {
    struct host_cx *cx;
    LLVMBuilderRef b, entry; /* entry: the first block, for allocas and loads of what never changes */
    struct ir_func *f;
    LLVMValueRef fn, vmctx;
    LLVMValueRef *values;      /* by ir_value.id */
    LLVMValueRef *bools;       /* by ir_value.id: the i1 that an i32 value was made from, or NULL */
    LLVMValueRef *bases;       /* by memory */
    LLVMValueRef slots, trips; /* stack arrays that all launches of the function share */
    LLVMBasicBlockRef landed;  /* where the call just emitted goes when it throws; for `thrown` */
    LLVMValueRef exception;    /* ... with this */
    LLVMValueRef results;      /* ... that all calls share whose results come back in memory */
    uint64_t *safe_end;        /* bounds checks: by ir_value.id, bytes after it known to be inside memory */
    struct host_undo *undo;
    uint32_t nundo, undo_cap;
    struct arena *arena; /* dropped after the function */
    /* Kernels only: no vmctx, no traps, `return` goes to the next grid point. */
    const struct off_kernel *kernel;
    LLVMValueRef status; /* in an inspector: where its status word is; with reductions: where the partials are */
    LLVMBasicBlockRef next_point;
    LLVMValueRef access_group;
    LLVMValueRef arrays[IR_MAX_ARRAYS]; /* private ones of the point */
};

typedef void host_emitter(struct host_func *hf, struct ir_inst *i, unsigned arg);

/* host_types.c */
void host_types_init(struct host_cx *cx);
LLVMTypeRef host_type(struct host_cx *cx, enum ir_type t);
LLVMTypeRef host_sig_type(struct host_cx *cx, const struct ir_sig *sig);
LLVMTypeRef host_type_of_sig(struct host_cx *cx, uint32_t type);
/* Whether the results do not fit registers on every target: they then go to an array behind the parameter after the
 * instance, and the LLVM function returns nothing. */
bool host_results_in_memory(const struct ir_sig *sig);
unsigned host_first_param(const struct ir_sig *sig); /* the LLVM parameter of the first wasm one */
/* What a function is called with: everybody calls by C's convention, but functions that make or take tail calls have
 * LLVM's tailcc (host_types.c). */
enum host_convention { HOST_CC_C = 0, HOST_CC_TAIL = 18 };
/* `tail`: the callee takes the caller's place, and `ret` must follow; both are tailcc. */
LLVMValueRef host_build_call(LLVMBuilderRef b, LLVMTypeRef type, LLVMValueRef fn, LLVMValueRef *args, unsigned nargs,
                             enum host_convention convention, bool tail);
void host_set_attributes(struct host_cx *cx, LLVMValueRef fn);
void host_add_attribute(struct host_cx *cx, LLVMValueRef fn, unsigned index, const char *name);
LLVMValueRef host_const_i32(struct host_cx *cx, uint32_t v);
LLVMValueRef host_const_i64(struct host_cx *cx, uint64_t v);
LLVMValueRef host_byte_gep(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef base, uint64_t offset);
/* Load or store of a field of the instance; `constant`: its value never changes while the instance lives. */
LLVMValueRef host_load_field(struct host_cx *cx, LLVMBuilderRef b, LLVMTypeRef type, LLVMValueRef base, uint64_t offset,
                             bool constant);
LLVMValueRef host_store_field(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef value, LLVMValueRef base,
                              uint64_t offset);
void host_mark_space(struct host_cx *cx, LLVMValueRef access, enum host_space space);
LLVMValueRef host_intrinsic_call(struct host_func *hf, enum host_intrinsic which, LLVMTypeRef *overloads,
                                 unsigned noverloads, LLVMValueRef *args, unsigned nargs);
/* A value as an argument array holds it.  Reading back is a plain load of its type: targets are little-endian. */
LLVMValueRef host_to_bits(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef v, enum ir_type t);
unsigned host_arg_words(enum ir_type t);           /* 64-bit words of an argument array: v128 takes two */
unsigned host_sig_words(const struct ir_sig *sig); /* the larger of arguments and results */
LLVMValueRef host_call_rt(struct host_func *hf, enum host_rt which, LLVMValueRef *args, unsigned nargs);

/* host_ops.c */
void host_emit_inst(struct host_func *hf, struct ir_inst *i);

/* host_control.c */
LLVMValueRef host_value(struct host_func *hf, const struct ir_value *v);
void host_set_value(struct host_func *hf, const struct ir_value *v, LLVMValueRef x);
void host_set_bool(struct host_func *hf, const struct ir_value *v, LLVMValueRef x); /* an i1; the value is its zext */
LLVMValueRef host_condition(struct host_func *hf, const struct ir_value *v);        /* v != 0 as an i1 */
LLVMBasicBlockRef host_new_block(struct host_func *hf, const char *name);
/* Goes on where `ok` holds, raises the trap where it does not.  In kernels: nothing. */
void host_trap_unless(struct host_func *hf, LLVMValueRef ok, enum ir_trap code, const struct ir_inst *at);
void host_raise(struct host_func *hf, LLVMValueRef code, LLVMValueRef where); /* ends the block */
LLVMValueRef host_where(struct host_func *hf, const struct ir_inst *at);
void host_begin_func(struct host_func *hf, struct host_cx *cx, struct ir_func *f, LLVMValueRef fn, struct arena *arena);
void host_end_func(struct host_func *hf);
void host_emit_region(struct host_func *hf, struct ir_region *r);
void host_emit_function(struct host_cx *cx, struct ir_func *f, struct arena *scratch);

/* host_emit.c */
LLVMValueRef host_func(struct host_cx *cx, uint32_t index);
/* One part to an object file.  False with *out_error (malloc'd). */
bool host_compile_part(struct ir_module *m, const struct host_options *options, const struct host_part *part,
                       struct host_object *out_object, char **out_error);

/* host_parts.c: the parts of a module; the array is the arena's. */
uint32_t host_split(struct arena *arena, const struct ir_module *m, const struct host_options *options,
                    struct host_part **out_parts);
/* Compiles the parts on several threads and makes one object of them. */
bool host_compile_parts(struct ir_module *m, const struct host_options *options, const struct host_part *parts,
                        uint32_t nparts, struct host_object *out_object, char **out_error);

/* host_merge.c: one ELF object from several that LLVM made.  False with *out_error (static text) when they are not what
 * was expected. */
bool host_merge_objects(const struct host_object *parts, uint32_t nparts, const char *module_symbol,
                        struct host_object *out_object, const char **out_error);

/* host_arith.c */
LLVMValueRef host_build_float_pair(struct host_func *hf, enum host_intrinsic which, LLVMValueRef x, LLVMValueRef y);
LLVMValueRef host_fence(struct host_func *hf, LLVMValueRef x); /* hides from LLVM what x is */
/* Is x, as operand `side`, what makes LLVM take the operation for its other operand, or that with the sign changed? */
bool host_is_neutral(double x, unsigned opcode, unsigned side);

/* host_memory.c */
LLVMValueRef host_memory_base(struct host_func *hf, uint32_t memory);
/* Operand 0 as 64 bits plus the offset, not checked: the largest multiple of the access's bytes when the sum wraps. */
LLVMValueRef host_atomic_index(struct host_func *hf, const struct ir_inst *i);
/* Where the access lies, behind checks for alignment and bounds. */
LLVMValueRef host_atomic_address(struct host_func *hf, const struct ir_inst *i);
void host_forget_bounds(struct host_func *hf, uint32_t mark);

/* host_call.c */
void host_emit_import_thunk(struct host_cx *cx, uint32_t index);
void host_emit_entry(struct host_cx *cx, uint32_t index); /* the wrapper */
void host_emit_trampoline(struct host_cx *cx, uint32_t type);
LLVMValueRef host_entry_array(struct host_func *hf, unsigned words, const char *name);
void host_store_word(struct host_cx *cx, LLVMBuilderRef b, LLVMValueRef v, enum ir_type t, LLVMValueRef array,
                     unsigned word);
LLVMValueRef host_load_word(struct host_cx *cx, LLVMBuilderRef b, enum ir_type t, LLVMValueRef array, unsigned word);
void host_build_return(struct host_func *hf, const struct ir_sig *sig, LLVMValueRef *results);

/* host_exn.c */
bool host_find_catches(const struct ir_module *m);
/* A call behind which `thrown` stands.  Goes on where it has returned. */
LLVMValueRef host_build_invoke(struct host_func *hf, LLVMTypeRef type, LLVMValueRef fn, LLVMValueRef *args,
                               unsigned nargs, enum host_convention convention);

/* host_kernel.c */
void host_emit_kernel(struct host_cx *cx, const struct off_kernel *k, LLVMValueRef fn, struct arena *scratch);
LLVMTypeRef host_kernel_type(struct host_cx *cx);

/* host_const.c */
void host_emit_module_constant(struct host_cx *cx);
#define HOST_TRAP_SECTION ".rodata.wasmetal_traps"

/* host_places.c: gives the access that was made for `i` its wasm offset. */
#define HOST_PLACES_SECTION "wasmetal_places"
void host_mark_place(struct host_func *hf, const struct ir_inst *i, LLVMValueRef access);

/* host_elf.c: makes the trap map of an ELF object from its places.  False with *out_error (static text) when the
 * object is not what was expected. */
bool host_elf_fill_trap_map(struct host_object *object, const char *module_symbol, const char **out_error);

/* host_target.c */
void host_target_init(void);
/* NULL with *out_error (malloc'd). */
LLVMTargetMachineRef host_target_machine(const struct host_options *options, int opt_level, char **out_error);
bool host_is_elf(const char *triple);

/* host_noise.c.  Not for two compilations at a time: standard error belongs to the process. */
struct host_noise {
    FILE *file;
    int real;
};
void host_noise_begin(struct host_noise *n);
void host_noise_end(struct host_noise *n);
char *host_error_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
