/* Finds the functions that copy or fill memory, whatever their names.
 *
 * memcpy is some hundred instructions of word loops, shifts for unaligned sources and tails; no loop analysis sees a
 * copy in it.  Names are of no use: they may be stripped, or lie.  So a candidate is looked at in two ways:
 *
 * 1. Structure.  It has the signature, calls nothing but functions checked likewise, and touches no global and no
 *    table.  What it loads (and, in a fill, the byte) goes nowhere but through moves of bits into stores: no branch,
 *    no address, no comparison depends on it.  So where it goes depends on the three arguments alone; and of these on
 *    n, on how far source and destination are apart, and on the lowest bits of both (bulk_control.c).  Its constants
 *    are small enough to be tried as lengths, or repeat one byte.
 *
 * 2. Trial.  A copy of it with a mark in every region and behind every conditional branch runs in the interpreter: all
 *    short lengths at all alignments, lengths around every constant in it, source and destination in both orders and
 *    touching, random bytes.  Each run must leave memory as a copy (a fill) does and give the first argument, and in
 *    the end the marks of all loops and four fifths of all marks must have been passed.  (Not all: musl's memcpy,
 *    unrolled by clang, copies up to four bytes until the source is aligned, and there are never more than three.)
 *
 * All other addresses are like those that were tried: moving both pointers by a multiple of 128 changes nothing
 * (bulk_control.c).  For other lengths there is no proof: a function that means to deceive could add up, in loops, to a
 * length that no constant of it hints at, or to how far the two are apart.  It would get a copy instead of what it
 * does, inside of the ranges that the guard has proven to be its own. */
#include "ir/analysis/bulk_funcs.h"

#include <stdlib.h>
#include <string.h>

#include "ir/analysis/bulk_control.h"
#include "ir/ir_build.h"
#include "ir/ir_effects.h"
#include "ir/ir_interp.h"

enum {
    MAX_INSTS = 3000, /* of the function and what it calls */
    MAX_DEPTH = 3,
    MAX_PARAMS = 8, /* of what it calls */
    MAX_MARKS = 4096,
    MAX_CONSTANTS = 64,
    MAX_LENGTH = 65536 + 4096, /* that is tried */
    SHORT = 68,                /* up to here, all lengths are */
    ALL_LOW = 128,             /* values of the bits of a pointer that a function may look at (bulk_control.c) */
    ROOM = 128,                /* around source and destination, watched in each run */
    FIRST_BYTE = 16384,        /* of the memory that the function works on; the marks are below */
    PAGES = 5,
    FUEL = 30000000,
    LEAST_PASSED = 4, /* of 5 marks: compilers leave code behind that no arguments lead to */
    LEAST_PASSED_OF = 5,
};

struct bulk_funcs {
    struct arena *arena;
    const struct ir_module *module;
    uint8_t *known; /* by function: 0, or one more than enum bulk_kind */
};

struct bulk_funcs *bulk_funcs_new(struct arena *arena, const struct ir_module *m) {
    struct bulk_funcs *b = arena_new(arena, struct bulk_funcs);
    *b = (struct bulk_funcs){.arena = arena, .module = m, .known = arena_array(arena, uint8_t, m->nfuncs + 1)};
    return b;
}

/* ---- 1. structure ---- */

struct check {
    const struct ir_module *module;
    struct arena *scratch;
    bool ok;
    uint32_t insts, depth;
    uint32_t constants[MAX_CONSTANTS];
    uint32_t nconstants;
};

struct flow { /* of data through one function */
    struct check *check;
    bool *data; /* by value id: depends on what was loaded, or on the byte */
    bool result, changed;
};

static bool moves_bits(const struct ir_inst *i) {
    switch (i->op) {
    case IR_I32_AND:
    case IR_I32_OR:
    case IR_I32_ADD:
    case IR_I32_SUB:
    case IR_I32_MUL:
    case IR_I32_SHL:
    case IR_I32_SHR_S:
    case IR_I32_SHR_U:
    case IR_I32_ROTL:
    case IR_I32_ROTR:
    case IR_I32_EXTEND8_S:
    case IR_I32_EXTEND16_S:
    case IR_I32_WRAP_I64:
    case IR_I64_AND:
    case IR_I64_OR:
    case IR_I64_MUL:
    case IR_I64_SHL:
    case IR_I64_SHR_S:
    case IR_I64_SHR_U:
    case IR_I64_EXTEND_I32_U:
    case IR_I64_EXTEND_I32_S:
    case IR_I8X16_SPLAT:
    case IR_I16X8_SPLAT:
    case IR_I32X4_SPLAT:
    case IR_I64X2_SPLAT:
    case IR_V128_AND:
    case IR_V128_OR:
        return true;
    default:
        return ir_info(i)->kind == IR_KIND_LANES;
    }
}

static void mark(struct flow *f, const struct ir_value *v, bool data) {
    if (data && !f->data[v->id]) {
        f->data[v->id] = true;
        f->changed = true;
    }
}

/* What a branch or a yield passes to `label`, operands from `first` on. */
static void pass(struct flow *f, const struct ir_inst *i, const struct ir_inst *label, uint32_t first, bool to_params) {
    uint32_t n = to_params ? label->regions[0]->nparams : label->nresults;
    for (uint32_t k = 0; k < n; k++)
        mark(f, to_params ? label->regions[0]->params[k] : &label->results[k], f->data[i->operands[first + k]->id]);
}

static bool callee_gives_data(struct check *c, const struct ir_inst *call, const bool *data);

static void flow_region(struct flow *f, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        bool any = false;
        for (uint32_t k = 0; k < i->noperands; k++)
            any |= f->data[i->operands[k]->id];
        uint32_t at = i->op == IR_BR_TABLE;
        switch (i->op) {
        case IR_LOOP:
            pass(f, i, i, 0, true);
            break;
        case IR_YIELD:
            pass(f, i, i->parent->parent, 0, false);
            break;
        case IR_BR:
        case IR_BR_IF:
            pass(f, i, i->target, i->op == IR_BR_IF, i->target->op == IR_LOOP);
            break;
        case IR_BR_TABLE:
            for (uint32_t k = 0; k < i->ntargets; k++) {
                pass(f, i, i->targets[k], at, i->targets[k]->op == IR_LOOP);
                at += ir_label_arity(i->targets[k]);
            }
            break;
        case IR_RETURN:
            f->changed |= any && !f->result;
            f->result |= any;
            break;
        case IR_CALL: {
            bool data = callee_gives_data(f->check, i, f->data); /* checks the callee, results or none */
            for (uint32_t k = 0; k < i->nresults; k++)
                mark(f, &i->results[k], data);
            break;
        }
        default:
            for (uint32_t k = 0; !ir_nregions(i) && k < i->nresults; k++)
                mark(f, &i->results[k], any || ir_is_load(i));
        }
        ir_foreach_region (inner, i)
            flow_region(f, inner);
    }
}

static bool add_constant(struct check *c, enum ir_type type, uint64_t bits) {
    int64_t v = type == IR_I32 ? (int32_t)(uint32_t)bits : (int64_t)bits;
    uint64_t repeated = (bits & 255) * (type == IR_I32 ? UINT64_C(0x01010101) : UINT64_C(0x0101010101010101));
    if (v < 0)
        v = -v;
    if (v < 0 || v > 65536) /* what repeats a byte, or repeats one when multiplied with it */
        return (type == IR_I32 ? (uint32_t)bits : bits) == repeated || !(bits & ~UINT64_C(0x0101010101010101));
    for (uint32_t k = 0; k < c->nconstants; k++)
        if (c->constants[k] == (uint32_t)v)
            return true;
    if (v < SHORT / 2)
        return true;
    if (c->nconstants == MAX_CONSTANTS)
        return false;
    c->constants[c->nconstants++] = (uint32_t)v;
    return true;
}

static bool inst_fits(struct check *c, const struct ir_inst *i, const bool *data) {
    bool any = false;
    for (uint32_t k = 0; k < i->noperands; k++)
        any |= data[i->operands[k]->id];
    if (ir_is_load(i) || ir_is_store(i))
        return i->mem.memory == 0 && !data[i->operands[0]->id];
    if (ir_info(i)->kind == IR_KIND_SIMPLE || ir_info(i)->kind == IR_KIND_LANES)
        return !any || moves_bits(i);
    switch (i->op) {
    case IR_I32_CONST:
        return add_constant(c, IR_I32, i->bits.i32);
    case IR_I64_CONST:
        return add_constant(c, IR_I64, i->bits.i64);
    case IR_V128_CONST:
    case IR_BLOCK:
    case IR_LOOP:
    case IR_YIELD:
    case IR_BR:
    case IR_CALL: /* looked at where data flows through it */
        return true;
    case IR_IF:
    case IR_BR_IF:
    case IR_BR_TABLE:
        return !data[i->operands[0]->id];
    case IR_SELECT:
        return !data[i->operands[2]->id];
    case IR_RETURN:
        return !any;
    case IR_MEMORY_COPY:
        return !any && !i->index && !i->index2;
    case IR_MEMORY_FILL:
        return !data[i->operands[0]->id] && !data[i->operands[2]->id] && !i->index;
    default:
        return false;
    }
}

static bool region_fits(struct check *c, const struct ir_region *r, const bool *data) {
    ir_foreach_inst (i, r) {
        if (++c->insts > MAX_INSTS || !inst_fits(c, i, data))
            return false;
        ir_foreach_region (inner, i)
            if (!region_fits(c, inner, data))
                return false;
    }
    return true;
}

/* Whether the function's results are data, when those of its parameters are for which `params` says so; c->ok: whether
 * it has the structure. */
static bool check_func(struct check *c, uint32_t index, const bool *params) {
    const struct ir_func *func = c->module->funcs[index].func;
    if (!func || !func->body || c->depth == MAX_DEPTH || c->insts > MAX_INSTS) {
        c->ok = false;
        return false;
    }
    c->depth++;
    struct flow f = {.check = c, .data = arena_array(c->scratch, bool, func->next_id + 1)};
    for (uint32_t k = 0; k < func->sig.nparams && k < MAX_PARAMS; k++)
        f.data[func->body->params[k]->id] = params[k];
    do {
        f.changed = false;
        flow_region(&f, func->body);
    } while (f.changed && c->ok);
    c->ok = c->ok && region_fits(c, func->body, f.data);
    c->depth--;
    return f.result;
}

static bool callee_gives_data(struct check *c, const struct ir_inst *call, const bool *data) {
    bool params[MAX_PARAMS] = {false};
    if (call->noperands > MAX_PARAMS || !c->ok) {
        c->ok = false;
        return false;
    }
    for (uint32_t k = 0; k < call->noperands; k++)
        params[k] = data[call->operands[k]->id];
    return check_func(c, call->index, params);
}

/* ---- 2. trial ---- */

struct trial {
    struct arena *scratch;
    struct ir_module module; /* of copies of the functions */
    struct ir_interp *interp;
    uint32_t func, nmarks;
    uint8_t *memory, *expected; /* the function's, and what it should be */
    bool is_loop[MAX_MARKS];
    uint64_t bytes, random;
    bool fill, failed;
};

static void add_mark(struct trial *t, struct ir_builder *b) {
    if (t->nmarks == MAX_MARKS)
        return;
    struct ir_value *at = ir_build_i32(b, t->nmarks++);
    ir_build_store(b, IR_I32_STORE8, at, ir_build_i32(b, 1), (struct ir_mem){.stream = -1});
}

static void add_marks(struct trial *t, struct ir_region *r) {
    struct ir_inst *first = r->first;
    for (struct ir_inst *i = first, *next; i; i = next) {
        next = i->next;
        ir_foreach_region (inner, i)
            add_marks(t, inner);
        if (i->op == IR_BR_IF) {
            struct ir_builder b = ir_builder_before(next);
            add_mark(t, &b);
        }
    }
    struct ir_builder b = ir_builder_before(first);
    if (t->nmarks < MAX_MARKS)
        t->is_loop[t->nmarks] = r->parent && r->parent->op == IR_LOOP;
    add_mark(t, &b);
}

/* The function, and what it calls, with marks. */
static void copy_marked(struct trial *t, const struct ir_module *m, uint32_t index) {
    if (t->module.funcs[index].func)
        return;
    const struct ir_func *f = m->funcs[index].func;
    struct ir_func *copy = ir_func_new(&t->module, f->name, &f->sig);
    t->module.funcs[index].func = copy;
    copy->index = index;
    struct ir_map *map = ir_map_new(t->scratch);
    for (uint32_t k = 0; k < f->sig.nparams; k++)
        ir_map_set(map, f->body->params[k], copy->body->params[k]);
    struct ir_builder b = ir_builder_at_end(copy->body);
    ir_foreach_inst (i, f->body)
        ir_clone_inst(&b, i, map);
    add_marks(t, copy->body);
}

static void copy_called(struct trial *t, const struct ir_module *m, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->op == IR_CALL) {
            copy_marked(t, m, i->index);
            copy_called(t, m, m->funcs[i->index].func->body);
        }
        ir_foreach_region (inner, i)
            copy_called(t, m, inner);
    }
}

static uint32_t next_random(struct trial *t) { /* Knuth's MMIX generator */
    t->random = t->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(t->random >> 32);
}

static void renew(struct trial *t, uint32_t at, uint32_t n) {
    for (uint32_t k = 0; k < n; k++)
        t->memory[at + k] = t->expected[at + k] = (uint8_t)next_random(t);
}

static bool is_as_expected(const struct trial *t, uint32_t at, uint32_t n) {
    return memcmp(t->memory + at - ROOM, t->expected + at - ROOM, n + (size_t)2 * ROOM) == 0;
}

/* One run.  Where the two overlap, whatever it leaves is fine, and taken over. */
static void run(struct trial *t, uint32_t to, uint32_t from, uint32_t n) {
    if (t->failed)
        return;
    uint32_t byte = next_random(t);
    renew(t, to, n);
    renew(t, from, n);
    union ir_bits args[3] = {{.i32 = to}, {.i32 = t->fill ? byte : from}, {.i32 = n}};
    struct ir_trap_info trap;
    struct ir_func *f = t->module.funcs[t->func].func;
    if (!ir_interp_call_func(t->interp, f, args, &trap) || (f->sig.nresults && args[0].i32 != to)) {
        t->failed = true;
        return;
    }
    if (t->fill)
        memset(t->expected + to, (uint8_t)byte, n);
    else if (to - from >= n && from - to >= n)
        memcpy(t->expected + to, t->expected + from, n);
    else
        memcpy(t->expected + to, t->memory + to, n);
    t->failed = !is_as_expected(t, to, n) || !is_as_expected(t, from, n);
}

static void run_length(struct trial *t, uint32_t n, uint32_t to_align, uint32_t from_align) {
    uint32_t low = FIRST_BYTE + ROOM;
    for (uint32_t to = 0; to < to_align; to++)
        for (uint32_t from = 0; from < from_align; from++) {
            uint32_t apart = (n + ROOM + 15) & ~15u;
            bool up = next_random(t) & 1;
            run(t, low + to + (up ? apart : 0), low + from + (up ? 0 : apart), n);
        }
    run(t, low + 3, low + 3 + n, n); /* touching */
    run(t, low + 5 + n, low + 5, n);
    run(t, low, low + n, n);
    run(t, low + n, low, n);
    for (uint32_t by = 0; by < 6 && by < n; by++) { /* overlapping: for the marks */
        run(t, low + by, low, n);
        run(t, low, low + by, n);
        run(t, low + 1 + 4 * by, low, n);
        run(t, low + 2, low + 3 + 4 * by, n);
    }
}

static bool passes(struct trial *t, const struct check *c) {
    for (uint32_t n = 0; n < SHORT; n++)
        run_length(t, n, 8, t->fill ? 1 : 4);
    static const uint32_t wide[] = {1, 7, 15, 16, 17, 31, 33, 64, 100, 129, 255, 256, 1027};
    for (unsigned k = 0; k < sizeof wide / sizeof *wide; k++)
        run_length(t, wide[k], 16, t->fill ? 1 : 16);
    run_length(t, 200, ALL_LOW, 1);
    if (!t->fill)
        run_length(t, 200, 1, ALL_LOW);
    for (uint32_t k = 0; k < c->nconstants; k++)
        for (uint32_t n = c->constants[k] - 1; n <= c->constants[k] + 1; n++) {
            run_length(t, n, 2, t->fill ? 1 : 2);
            run_length(t, n + 18, 1, 1);
            if (2 * n + 2 <= MAX_LENGTH / 4)
                run_length(t, 2 * n + 1, 2, t->fill ? 1 : 2);
        }
    uint32_t passed = 0;
    for (uint32_t k = 0; k < t->nmarks; k++) {
        passed += t->memory[k];
        t->failed |= t->is_loop[k] && !t->memory[k];
    }
    return !t->failed && t->nmarks < MAX_MARKS && passed * LEAST_PASSED_OF >= t->nmarks * LEAST_PASSED &&
           memcmp(t->memory + MAX_MARKS, t->expected + MAX_MARKS, t->bytes - MAX_MARKS) == 0;
}

static bool try_func(const struct ir_module *m, const struct check *c, uint32_t func, bool fill) {
    struct arena scratch = {0};
    struct trial t = {.scratch = &scratch, .module = *m, .func = func, .fill = fill, .random = 1};
    struct ir_memory memory = {.limits = {.min = PAGES, .max = PAGES, .has_max = true}};
    t.module.memories = &memory;
    t.module.nmemories = 1;
    t.module.ntables = t.module.nglobals = t.module.ndatas = t.module.nelems = 0;
    t.module.funcs = arena_array(&scratch, struct ir_func_entry, m->nfuncs + 1);
    copy_marked(&t, m, func);
    copy_called(&t, m, m->funcs[func].func->body);
    struct ir_interp_desc desc = {.module = &t.module, .fuel = FUEL};
    t.interp = ir_interp_new(&desc, NULL);
    bool ok = false;
    if (t.interp) {
        t.memory = ir_interp_memory(t.interp, 0, &t.bytes);
        t.expected = calloc(1, t.bytes);
        ok = t.expected && passes(&t, c);
        free(t.expected);
        ir_interp_free(t.interp);
    }
    for (uint32_t k = 0; k < m->nfuncs; k++)
        if (t.module.funcs[k].func)
            ir_func_free(t.module.funcs[k].func);
    arena_free(&scratch);
    return ok;
}

/* ---- */

static bool has_signature(const struct ir_sig *s) {
    return s->nparams == 3 && s->params[0] == IR_I32 && s->params[1] == IR_I32 && s->params[2] == IR_I32 &&
           (s->nresults == 0 || (s->nresults == 1 && s->results[0] == IR_I32));
}

/* A copy loads nothing that decides about anything; a fill has a byte that does not either. */
static bool is_bulk(const struct ir_module *m, uint32_t func, bool fill) {
    struct arena scratch = {0};
    struct check c = {.module = m, .scratch = &scratch, .ok = true};
    bool data[MAX_PARAMS] = {false, fill, false};
    bool result = check_func(&c, func, data);
    bool ok = c.ok && !result && bulk_control_is_plain(m, func, fill);
    arena_free(&scratch);
    return ok && try_func(m, &c, func, fill);
}

static bool writes_in_loop(const struct ir_region *r, bool in_loop) {
    ir_foreach_inst (i, r) {
        if ((in_loop && ir_is_store(i)) || i->op == IR_CALL || i->op == IR_MEMORY_COPY || i->op == IR_MEMORY_FILL)
            return true;
        ir_foreach_region (inner, i)
            if (writes_in_loop(inner, in_loop || i->op == IR_LOOP))
                return true;
    }
    return false;
}

enum bulk_kind bulk_funcs_kind(struct bulk_funcs *b, uint32_t func) {
    const struct ir_module *m = b->module;
    if (b->known[func])
        return (enum bulk_kind)(b->known[func] - 1);
    enum bulk_kind kind = BULK_NONE;
    const struct ir_func *f = m->funcs[func].func;
    if (f && f->body && has_signature(&f->sig) && m->nmemories && !m->memories[0].limits.is64 &&
        writes_in_loop(f->body, false))
        kind = is_bulk(m, func, false) ? BULK_COPY : is_bulk(m, func, true) ? BULK_FILL : BULK_NONE;
    b->known[func] = (uint8_t)(kind + 1);
    return kind;
}
