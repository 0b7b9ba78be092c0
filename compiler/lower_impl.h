/* Private to the lowering of bodies: its state, shared by lower.c and lower_try.c. */
#ifndef WASMETAL_COMPILER_LOWER_IMPL_H
#define WASMETAL_COMPILER_LOWER_IMPL_H

#include "compiler/lower_plan.h"
#include "ir/ir_build.h"

struct lower_frame {
    uint8_t kind; /* WASM_BLOCK, WASM_LOOP, WASM_IF, WASM_TRY; the function: WASM_BLOCK */
    bool reached; /* some branch or the fall-through of a part leads behind the end */
    bool in_else;
    const struct lower_scope *scope;
    const struct ir_sig *sig;
    struct ir_inst *inst;    /* the label; NULL: the function without a block around it */
    uint32_t height;         /* of the value stack below the block's parameters */
    struct ir_value **saved; /* if: values of the assigned locals at its start, then of its parameters */
    /* try */
    struct ir_inst *catcher; /* NULL when it catches nothing */
    struct ir_value *exn;    /* in its handlers: the exception; NULL: in its body */
    bool caught, caught_all; /* something leads to the catcher; a catch_all was met */
    uint32_t delegate;       /* 1 + the depth that its delegate names, or 0 */
};

struct lowerer {
    struct ir_func *func;
    struct ir_module *module;
    const struct wasm_body *body;
    struct arena scratch;
    struct lower_plan plan;
    struct ir_builder b;
    struct ir_value **locals; /* NULL: not live here */
    struct ir_value **stack;
    uint32_t height, stack_cap;
    struct lower_frame *frames;
    uint32_t nframes, frames_cap;
    struct ir_value **list; /* the operand list under construction */
    uint32_t nlist, list_cap;
    enum ir_type *types; /* the result types under construction */
    uint32_t ntypes, types_cap;
    uint64_t operands; /* given to branches so far */
    uint32_t skipping; /* 0: reachable; n: unreachable, n-1 blocks were opened since */
};

/* lower.c */
void lower_push(struct lowerer *l, struct ir_value *v);
void lower_list_add(struct lowerer *l, struct ir_value *v);
void lower_list_add_stack(struct lowerer *l, uint32_t n); /* its n topmost values, which stay there */
void lower_list_add_locals(struct lowerer *l, const uint32_t *locals, uint32_t n);
void lower_enter_region(struct lowerer *l, struct ir_region *r);
void lower_unreachable_from_here(struct lowerer *l);
void lower_open_block(struct lowerer *l, const struct wasm_inst *i, uint32_t scope);
struct lower_frame *lower_label_frame(struct lowerer *l, uint32_t label);

/* lower_try.c */
void lower_throw(struct lowerer *l, uint32_t tag);
void lower_rethrow(struct lowerer *l, uint32_t label);
void lower_catch_thrown(struct lowerer *l); /* behind a call */
void lower_open_try(struct lowerer *l, const struct wasm_inst *i, uint32_t scope);
void lower_catch(struct lowerer *l, const struct wasm_inst *i);
/* At the end of a try that has handlers for some tags: others go on. */
void lower_pass_on(struct lowerer *l, struct lower_frame *f);

#endif
