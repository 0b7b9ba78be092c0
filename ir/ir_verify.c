/* The verifier.  One forward walk with a table of what is in scope, indexed by value id: a value enters when its
 * definition has been passed and leaves with its region, so a use is legal exactly when the table names it.  The walk
 * keeps going after a problem, up to a limit, so that one report shows them all. */
#include "ir/ir_verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir_immediates.h"
#include "ir/ir_text.h"
#include "ir/offload/kernel.h"
#include "ir/util/ice.h"

enum { MAX_PROBLEMS = 20 };

struct verifier {
    struct strbuf *out;
    const struct ir_module *module; /* NULL: indices are not checked */
    const struct ir_func *func;
    const struct ir_value **scope; /* by id: in scope now */
    uint8_t *seen;                 /* by id: was defined somewhere */
    unsigned problems;
};

static void __attribute__((format(printf, 3, 4)))
problem(struct verifier *v, const struct ir_inst *i, const char *fmt, ...) {
    if (v->problems++ >= MAX_PROBLEMS || !v->out)
        return;
    if (v->func)
        strbuf_printf(v->out, "func %" PRIu32 " \"%s\": ", v->func->index, v->func->name ? v->func->name : "");
    va_list ap;
    va_start(ap, fmt);
    strbuf_vprintf(v->out, fmt, ap);
    va_end(ap);
    if (i) {
        strbuf_add(v->out, " in: ");
        ir_print_inst(v->out, (struct ir_inst *)i);
    }
    strbuf_add(v->out, "\n");
}

/* ---- values ---- */

static void define(struct verifier *v, const struct ir_inst *at, const struct ir_value *x) {
    if (x->type >= IR_TYPE_COUNT)
        problem(v, NULL, "value %%%" PRIu32 " has no valid type", x->id);
    if (x->fwd)
        problem(v, at, "value %%%" PRIu32 " still has a replacement (fwd)", x->id);
    if (x->id >= v->func->next_id) {
        problem(v, at, "value id %" PRIu32 " is not below next_id", x->id);
    } else if (v->seen[x->id]) {
        problem(v, at, "value id %" PRIu32 " is defined twice", x->id);
    } else {
        v->seen[x->id] = 1;
        v->scope[x->id] = x;
    }
}

static void leave_scope(struct verifier *v, const struct ir_value *x) {
    if (x->id < v->func->next_id && v->scope[x->id] == x)
        v->scope[x->id] = NULL;
}

static void want_type(struct verifier *v, const struct ir_inst *i, const char *what, uint32_t k, enum ir_type have,
                      enum ir_type want) {
    if (have != want && have < IR_TYPE_COUNT)
        problem(v, i, "%s %" PRIu32 " is %s, not %s", what, k, ir_type_name[have], ir_type_name[want]);
}

static void want_operand(struct verifier *v, const struct ir_inst *i, uint32_t k, enum ir_type want) {
    want_type(v, i, "operand", k, i->operands[k]->type, want);
}

static bool want_operands(struct verifier *v, const struct ir_inst *i, uint32_t n) {
    if (i->noperands == n)
        return true;
    problem(v, i, "has %" PRIu32 " operands, not %" PRIu32, i->noperands, n);
    return false;
}

static bool want_results(struct verifier *v, const struct ir_inst *i, uint32_t n) {
    if (i->nresults == n)
        return true;
    problem(v, i, "has %u results, not %" PRIu32, i->nresults, n);
    return false;
}

static void want_result(struct verifier *v, const struct ir_inst *i, enum ir_type type) {
    if (want_results(v, i, 1))
        want_type(v, i, "result", 0, i->results[0].type, type);
}

/* Operands from `first` on against a list of types. */
static void want_signature(struct verifier *v, const struct ir_inst *i, uint32_t first, const enum ir_type *types,
                           uint32_t n) {
    for (uint32_t k = 0; k < n && first + k < i->noperands; k++)
        want_operand(v, i, first + k, types[k]);
}

static bool is_ref(enum ir_type t) {
    return t == IR_FUNCREF || t == IR_EXTERNREF;
}

/* ---- indices ---- */

static bool want_index(struct verifier *v, const struct ir_inst *i, const char *what, uint32_t index, uint32_t count) {
    if (!v->module || index < count)
        return v->module != NULL;
    problem(v, i, "%s %" PRIu32 " does not exist", what, index);
    return false;
}

static enum ir_type memory_type(const struct verifier *v, uint32_t index) {
    return v->module && index < v->module->nmemories && v->module->memories[index].limits.is64 ? IR_I64 : IR_I32;
}

/* ---- labels ---- */

static bool encloses(const struct ir_inst *label, const struct ir_inst *i) {
    for (const struct ir_region *r = i->parent; r; r = r->parent ? r->parent->parent : NULL)
        if (r->parent == label)
            return true;
    return false;
}

/* Arguments of a branch to `label`, operands from `first` on; returns how many. */
static uint32_t check_branch(struct verifier *v, const struct ir_inst *i, const struct ir_inst *label, uint32_t first) {
    if (!label || !encloses(label, i)) {
        problem(v, i, "branches to an instruction that is not around it");
        return 0;
    }
    uint32_t n = ir_label_arity(label);
    if (first > i->noperands || i->noperands - first < n) {
        problem(v, i, "passes too few arguments");
        return n;
    }
    for (uint32_t k = 0; k < n; k++)
        want_operand(v, i, first + k, ir_label_type(label, k));
    return n;
}

static void check_branches(struct verifier *v, const struct ir_inst *i) {
    uint32_t at = i->op != IR_BR;
    if (at) {
        if (!i->noperands) {
            problem(v, i, "has no condition");
            return;
        }
        want_operand(v, i, 0, IR_I32);
    }
    if (i->op != IR_BR_TABLE) {
        at += check_branch(v, i, i->target, at);
    } else {
        if (!i->ntargets)
            problem(v, i, "has no default target");
        for (uint32_t k = 0; k < i->ntargets; k++)
            at += check_branch(v, i, i->targets[k], at);
    }
    if (at < i->noperands)
        problem(v, i, "passes too many arguments");
}

/* ---- instructions ---- */

static void check_simple(struct verifier *v, const struct ir_inst *i) {
    const struct ir_op_info *info = ir_info(i);
    want_result(v, i, info->result);
    if (want_operands(v, i, info->operands))
        for (uint32_t k = 0; k < info->operands; k++)
            want_operand(v, i, k, info->operand_types[k]);
}

static void check_lanes(struct verifier *v, const struct ir_inst *i) {
    const struct ir_op_info *info = ir_info(i);
    for (unsigned k = 0; k < info->lanes; k++)
        if (i->bits.u8x16[k] >= info->lane_bound)
            problem(v, i, "lane %u does not exist", i->bits.u8x16[k]);
    check_simple(v, i);
}

static void check_mem(struct verifier *v, const struct ir_inst *i) {
    const struct ir_op_info *info = ir_info(i);
    bool load = info->kind == IR_KIND_LOAD;
    want_index(v, i, "memory", i->mem.memory, v->module ? v->module->nmemories : 0);
    if (i->mem.align_log2 > 4 || 1u << i->mem.align_log2 > ir_access_bytes((enum ir_op)i->op))
        problem(v, i, "alignment is larger than the access");
    if (i->mem.stream < -1 || i->mem.stream >= OFF_MAX_STREAMS)
        problem(v, i, "stream %d does not exist", i->mem.stream);
    if (memory_type(v, i->mem.memory) == IR_I32 && i->mem.offset > UINT32_MAX)
        problem(v, i, "offset does not fit 32 bits");
    bool atomic = info->kind == IR_KIND_ATOMIC;
    if (load || (atomic && info->result != IR_TYPE_COUNT))
        want_result(v, i, info->result);
    else
        want_results(v, i, 0);
    if (!want_operands(v, i, atomic ? info->operands : load ? 1 : 2))
        return;
    want_operand(v, i, 0, memory_type(v, i->mem.memory));
    if (atomic) {
        if (1u << (i->mem.align_log2 & 7) != info->bytes)
            problem(v, i, "alignment is not the natural one");
        for (uint32_t k = 1; k < info->operands; k++)
            want_operand(v, i, k, info->operand_types[k]);
        return;
    }
    if (!load)
        want_operand(v, i, 1, i->op == IR_XOR_WORD ? IR_I32 : info->result);
}

static void check_call(struct verifier *v, const struct ir_inst *i) {
    const struct ir_module *m = v->module;
    if (!m)
        return;
    bool tail = i->op == IR_RETURN_CALL || i->op == IR_RETURN_CALL_INDIRECT;
    bool indirect = i->op == IR_CALL_INDIRECT || i->op == IR_RETURN_CALL_INDIRECT;
    if (!want_index(v, i, indirect ? "type" : "function", i->index, indirect ? m->ntypes : m->nfuncs))
        return;
    if (indirect && want_index(v, i, "table", i->index2, m->ntables) && m->tables[i->index2].type != IR_FUNCREF)
        problem(v, i, "calls through a table that is not of funcref");
    const struct ir_sig *sig = indirect ? &m->types[i->index] : &m->funcs[i->index].func->sig;
    if (want_operands(v, i, sig->nparams + indirect)) {
        want_signature(v, i, 0, sig->params, sig->nparams);
        if (indirect)
            want_operand(v, i, sig->nparams, IR_I32);
    }
    if (tail) {
        const struct ir_sig *own = &v->func->sig;
        bool same = own->nresults == sig->nresults;
        for (uint32_t k = 0; same && k < sig->nresults; k++)
            same = own->results[k] == sig->results[k];
        if (!same)
            problem(v, i, "the callee's results are not the function's");
    } else if (want_results(v, i, sig->nresults)) {
        for (uint32_t k = 0; k < sig->nresults; k++)
            want_type(v, i, "result", k, i->results[k].type, sig->results[k]);
    }
}

static void check_global(struct verifier *v, const struct ir_inst *i) {
    const struct ir_module *m = v->module;
    bool get = i->op == IR_GLOBAL_GET;
    if (!want_results(v, i, get) || !want_operands(v, i, !get) || !m ||
        !want_index(v, i, "global", i->index, m->nglobals))
        return;
    const struct ir_global *g = &m->globals[i->index];
    if (get)
        want_type(v, i, "result", 0, i->results[0].type, g->type);
    else
        want_operand(v, i, 0, g->type);
    if (!get && !g->mutable_)
        problem(v, i, "sets an immutable global");
}

static void check_array(struct verifier *v, const struct ir_inst *i) {
    bool get = i->op == IR_ARRAY_GET;
    want_index(v, i, "array", i->index, IR_MAX_ARRAYS);
    if (i->index2 == 0 || i->index2 > IR_MAX_ARRAY_WORDS || (i->index2 & (i->index2 - 1)) != 0)
        problem(v, i, "a private array has no %u words", i->index2);
    if (!want_operands(v, i, get ? 1 : 2))
        return;
    for (uint32_t k = 0; k < i->noperands; k++)
        want_operand(v, i, k, IR_I32);
    if (get)
        want_result(v, i, IR_I32);
    else
        want_results(v, i, 0);
}

/* memory.*, data.drop: operands are addresses of memory `index`, but for fill's byte and init's source. */
static void check_memory_op(struct verifier *v, const struct ir_inst *i) {
    const struct ir_module *m = v->module;
    uint32_t nmemories = m ? m->nmemories : 0, ndatas = m ? m->ndatas : 0;
    enum ir_type dst = memory_type(v, i->index), src = memory_type(v, i->index2);
    if (i->op == IR_DATA_DROP)
        want_index(v, i, "data segment", i->index, ndatas);
    else
        want_index(v, i, "memory", i->index, nmemories);
    enum ir_type types[3] = {dst, IR_I32, dst};
    uint32_t n = 3;
    if (i->op == IR_MEMORY_SIZE || i->op == IR_MEMORY_GROW || i->op == IR_DATA_DROP) {
        n = i->op == IR_MEMORY_GROW;
    } else if (i->op == IR_MEMORY_COPY) {
        want_index(v, i, "memory", i->index2, nmemories);
        types[1] = src;
        types[2] = dst == IR_I64 && src == IR_I64 ? IR_I64 : IR_I32;
    } else if (i->op == IR_MEMORY_INIT) {
        want_index(v, i, "data segment", i->index2, ndatas);
        types[2] = IR_I32;
    }
    if (want_operands(v, i, n))
        want_signature(v, i, 0, types, n);
    if (i->op == IR_MEMORY_SIZE || i->op == IR_MEMORY_GROW)
        want_result(v, i, dst);
    else
        want_results(v, i, 0);
}

static void check_table_op(struct verifier *v, const struct ir_inst *i) {
    const struct ir_module *m = v->module;
    enum ir_type element = IR_FUNCREF;
    if (i->op == IR_ELEM_DROP)
        want_index(v, i, "element segment", i->index, m ? m->nelems : 0);
    else if (want_index(v, i, "table", i->index, m ? m->ntables : 0))
        element = m->tables[i->index].type;
    enum ir_type types[3] = {IR_I32, IR_I32, IR_I32};
    uint32_t n = 3, results = 0;
    enum ir_type result = IR_I32;
    switch (i->op) {
    case IR_TABLE_GET:
        n = 1, results = 1, result = element;
        break;
    case IR_TABLE_SET:
        n = 2, types[1] = element;
        break;
    case IR_TABLE_SIZE:
        n = 0, results = 1;
        break;
    case IR_TABLE_GROW:
        n = 2, types[0] = element, results = 1;
        break;
    case IR_TABLE_FILL:
        types[1] = element;
        break;
    case IR_TABLE_COPY:
        if (want_index(v, i, "table", i->index2, m ? m->ntables : 0) && m->tables[i->index2].type != element)
            problem(v, i, "copies between tables of different types");
        break;
    case IR_TABLE_INIT:
        if (want_index(v, i, "element segment", i->index2, m ? m->nelems : 0) && m->elems[i->index2].type != element)
            problem(v, i, "initialises a table with elements of another type");
        break;
    default: /* elem.drop */
        n = 0;
    }
    if (want_operands(v, i, n) && m)
        want_signature(v, i, 0, types, n);
    if (!results)
        want_results(v, i, 0);
    else if (m)
        want_result(v, i, result);
}

static void check_launch(struct verifier *v, const struct ir_inst *i) {
    if (!i->nresults || i->nresults > 1 + OFF_MAX_DIMS + OFF_MAX_REDUCES) {
        problem(v, i, "has %u results", i->nresults);
        return;
    }
    want_type(v, i, "result", 0, i->results[0].type, IR_I32);
    for (uint32_t k = 1; k < i->nresults; k++)
        want_type(v, i, "result", k, i->results[k].type, IR_I64);
    for (uint32_t k = 0; k < i->noperands; k++)
        if (i->operands[k]->type > IR_F64)
            problem(v, i, "operand %" PRIu32 " is no scalar", k);
    /* A module read from text may have no kernels. */
    if (!v->module || !v->module->nkernels || !want_index(v, i, "kernel", i->index, v->module->nkernels))
        return;
    const struct off_kernel *kernel = v->module->kernels[i->index];
    if (!kernel->slot_types)
        return; /* read from text: a body alone */
    want_results(v, i, 1 + kernel->ndims + kernel->nreduces);
    if (want_operands(v, i, kernel->nslots))
        want_signature(v, i, 0, kernel->slot_types, kernel->nslots);
}

/* exn.*, thrown, throw. */
static void check_exception(struct verifier *v, const struct ir_inst *i) {
    const struct ir_module *m = v->module;
    bool tagged = i->op == IR_EXN_NEW || i->op == IR_EXN_IS || i->op == IR_EXN_GET;
    if (tagged && !want_index(v, i, "tag", i->index, m ? m->ntags : 0))
        return;
    static const struct ir_sig none;
    const struct ir_sig *sig = tagged && m->tags[i->index].type < m->ntypes ? &m->types[m->tags[i->index].type] : &none;
    if (i->op == IR_EXN_NEW) {
        want_result(v, i, IR_EXNREF);
        if (want_operands(v, i, sig->nparams))
            want_signature(v, i, 0, sig->params, sig->nparams);
        return;
    }
    if (i->op == IR_THROWN) {
        if (want_operands(v, i, 0) && want_results(v, i, 2)) {
            want_type(v, i, "result", 0, i->results[0].type, IR_I32);
            want_type(v, i, "result", 1, i->results[1].type, IR_EXNREF);
        }
        if (!i->prev || (i->prev->op != IR_CALL && i->prev->op != IR_CALL_INDIRECT))
            problem(v, i, "does not follow a call");
        return;
    }
    if (want_operands(v, i, 1))
        want_operand(v, i, 0, IR_EXNREF);
    if (i->op == IR_EXN_IS) {
        want_result(v, i, IR_I32);
    } else if (i->op == IR_EXN_COPY) {
        want_result(v, i, IR_EXNREF);
    } else if (i->op != IR_EXN_GET) {
        want_results(v, i, 0);
    } else if (want_results(v, i, sig->nparams)) {
        for (uint32_t k = 0; k < sig->nparams; k++)
            want_type(v, i, "result", k, i->results[k].type, sig->params[k]);
    }
}

static void check_yield(struct verifier *v, const struct ir_inst *i) {
    const struct ir_inst *around = i->parent->parent;
    if (!around) {
        problem(v, i, "yields from a function body");
        return;
    }
    if (want_operands(v, i, around->nresults))
        for (uint32_t k = 0; k < around->nresults; k++)
            want_operand(v, i, k, around->results[k].type);
}

static void check_other(struct verifier *v, const struct ir_inst *i) {
    const struct ir_module *m = v->module;
    switch (i->op) {
    case IR_I32_CONST:
    case IR_I64_CONST:
    case IR_F32_CONST:
    case IR_F64_CONST:
    case IR_V128_CONST:
        want_operands(v, i, 0);
        want_result(v, i, (enum ir_type)(i->op - IR_I32_CONST));
        break;
    case IR_ATOMIC_FENCE:
        want_operands(v, i, 0);
        want_results(v, i, 0);
        break;
    case IR_SELECT:
        if (want_operands(v, i, 3) && want_results(v, i, 1)) {
            want_operand(v, i, 0, i->results[0].type);
            want_operand(v, i, 1, i->results[0].type);
            want_operand(v, i, 2, IR_I32);
        }
        break;
    case IR_BLOCK:
        want_operands(v, i, 0);
        break;
    case IR_IF:
        if (want_operands(v, i, 1))
            want_operand(v, i, 0, IR_I32);
        break;
    case IR_LOOP:
        if (i->regions[0] && want_operands(v, i, i->regions[0]->nparams))
            for (uint32_t k = 0; k < i->noperands; k++)
                want_operand(v, i, k, i->regions[0]->params[k]->type);
        break;
    case IR_YIELD:
        check_yield(v, i);
        break;
    case IR_BR:
    case IR_BR_IF:
    case IR_BR_TABLE:
        check_branches(v, i);
        break;
    case IR_RETURN:
        if (want_operands(v, i, v->func->sig.nresults))
            want_signature(v, i, 0, v->func->sig.results, v->func->sig.nresults);
        break;
    case IR_UNREACHABLE:
        want_operands(v, i, 0);
        break;
    case IR_CALL:
    case IR_CALL_INDIRECT:
    case IR_RETURN_CALL:
    case IR_RETURN_CALL_INDIRECT:
        check_call(v, i);
        break;
    case IR_GLOBAL_GET:
    case IR_GLOBAL_SET:
        check_global(v, i);
        break;
    case IR_REF_NULL:
        if (want_operands(v, i, 0) && want_results(v, i, 1) && !is_ref(i->results[0].type))
            problem(v, i, "null of a type that is no reference");
        break;
    case IR_REF_IS_NULL:
        want_result(v, i, IR_I32);
        if (want_operands(v, i, 1) && !is_ref(i->operands[0]->type))
            problem(v, i, "operand is no reference");
        break;
    case IR_REF_FUNC:
        want_operands(v, i, 0);
        want_result(v, i, IR_FUNCREF);
        want_index(v, i, "function", i->index, m ? m->nfuncs : 0);
        break;
    case IR_EXN_NEW:
    case IR_EXN_IS:
    case IR_EXN_GET:
    case IR_EXN_DROP:
    case IR_EXN_HOLD:
    case IR_EXN_COPY:
    case IR_THROWN:
    case IR_THROW:
        check_exception(v, i);
        break;
    case IR_LAUNCH:
        check_launch(v, i);
        break;
    case IR_XOR_WORD:
        check_mem(v, i);
        break;
    case IR_ARRAY_GET:
    case IR_ARRAY_SET:
        check_array(v, i);
        break;
    case IR_IN_KERNEL:
        if (want_operands(v, i, 0))
            want_result(v, i, IR_I32);
        break;
    case IR_MEMORY_SIZE:
    case IR_MEMORY_GROW:
    case IR_MEMORY_COPY:
    case IR_MEMORY_FILL:
    case IR_MEMORY_INIT:
    case IR_DATA_DROP:
        check_memory_op(v, i);
        break;
    default:
        check_table_op(v, i);
    }
}

static void check_region(struct verifier *v, const struct ir_region *r, const struct ir_inst *parent, unsigned depth);

static void check_inst(struct verifier *v, const struct ir_inst *i, unsigned depth) {
    if (i->op >= IR_OP_COUNT) {
        problem(v, NULL, "instruction with operation number %u", i->op);
        return;
    }
    bool operands_ok = true;
    for (uint32_t k = 0; k < i->noperands; k++) {
        const struct ir_value *x = i->operands[k];
        if (!x || x->id >= v->func->next_id || v->scope[x->id] != x) {
            problem(v, i, "operand %" PRIu32 " is not in scope", k);
            operands_ok = false;
        }
    }
    for (uint32_t k = 0; k < i->nresults; k++)
        if (i->results[k].def != i || i->results[k].index != k || i->results[k].region)
            problem(v, i, "result %" PRIu32 " does not name its instruction", k);
    bool regions_ok = true;
    for (unsigned k = 0; k < ir_nregions(i); k++)
        if (!i->regions[k]) {
            problem(v, NULL, "%s without its region", ir_info(i)->text);
            regions_ok = false;
        }
    if (!regions_ok)
        return;
    if (i->op != IR_LOOP)
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (i->regions[k]->nparams)
                problem(v, i, "region has parameters");
    if (operands_ok) {
        if (ir_info(i)->kind == IR_KIND_SIMPLE)
            check_simple(v, i);
        else if (ir_info(i)->kind == IR_KIND_LANES)
            check_lanes(v, i);
        else if (ir_info(i)->kind == IR_KIND_OTHER)
            check_other(v, i);
        else
            check_mem(v, i);
        if ((ir_has_flag(i, IR_FLAG_TERM) || i->op == IR_BR_IF) && i->nresults)
            problem(v, i, "has results");
    }
    for (unsigned k = 0; k < ir_nregions(i); k++)
        check_region(v, i->regions[k], i, depth + 1);
    for (uint32_t k = 0; k < i->nresults; k++)
        define(v, i, &i->results[k]);
}

static void check_region(struct verifier *v, const struct ir_region *r, const struct ir_inst *parent, unsigned depth) {
    if (depth > IR_MAX_DEPTH) {
        problem(v, NULL, "regions nest deeper than %d", IR_MAX_DEPTH);
        return;
    }
    if (r->parent != parent || r->func != v->func)
        problem(v, NULL, "a region does not name the instruction or function around it");
    for (uint32_t k = 0; k < r->nparams; k++) {
        const struct ir_value *x = r->params[k];
        if (x->region != r || x->index != k || x->def)
            problem(v, parent, "parameter %" PRIu32 " does not name its region", k);
        define(v, parent, x);
    }
    if (!r->first)
        problem(v, parent, "empty region");
    const struct ir_inst *prev = NULL;
    for (const struct ir_inst *i = r->first; i; prev = i, i = i->next) {
        if (i->parent != r || i->prev != prev)
            problem(v, NULL, "broken links around %s", i->op < IR_OP_COUNT ? ir_info(i)->text : "?");
        if (i->op < IR_OP_COUNT && ir_has_flag(i, IR_FLAG_TERM) != (i->next == NULL))
            problem(v, i, i->next ? "terminator before the end of its region" : "region ends without a terminator");
        check_inst(v, i, depth);
    }
    if (r->last != prev)
        problem(v, NULL, "a region's last instruction is not the end of its list");
    for (uint32_t k = 0; k < r->nparams; k++)
        leave_scope(v, r->params[k]);
    for (const struct ir_inst *i = r->first; i; i = i->next)
        for (uint32_t k = 0; k < i->nresults; k++)
            leave_scope(v, &i->results[k]);
}

static void check_func(struct verifier *v, const struct ir_func *f) {
    v->func = f;
    v->scope = calloc((size_t)f->next_id + 1, sizeof *v->scope);
    v->seen = calloc((size_t)f->next_id + 1, 1);
    if (!v->scope || !v->seen)
        ICE("out of memory while verifying %s", f->name);
    if (!f->body) {
        problem(v, NULL, "has no body");
    } else {
        if (f->body->nparams != f->sig.nparams)
            problem(v, NULL, "body has %" PRIu32 " parameters, the signature %" PRIu32, f->body->nparams,
                    f->sig.nparams);
        else
            for (uint32_t k = 0; k < f->sig.nparams; k++)
                want_type(v, NULL, "parameter", k, f->body->params[k]->type, f->sig.params[k]);
        check_region(v, f->body, NULL, 0);
    }
    free(v->scope);
    free(v->seen);
    v->func = NULL;
}

static void finish(const struct verifier *v) {
    if (v->problems > MAX_PROBLEMS && v->out)
        strbuf_printf(v->out, "%u more problems\n", v->problems - MAX_PROBLEMS);
}

bool ir_verify_func(const struct ir_func *f, struct strbuf *out) {
    struct verifier v = {.out = out, .module = f->module};
    check_func(&v, f);
    finish(&v);
    return v.problems == 0;
}

/* ---- the module around the functions ---- */

static bool init_is_ok(const struct ir_module *m, const struct ir_init *init, enum ir_type type) {
    if (ir_init_is_arithmetic(init->op))
        return ir_op_info[init->op].result == type && init->args && init_is_ok(m, &init->args[0], type) &&
               init_is_ok(m, &init->args[1], type);
    if (init->op >= IR_I32_CONST && init->op <= IR_V128_CONST)
        return (enum ir_type)(init->op - IR_I32_CONST) == type;
    if (init->op == IR_GLOBAL_GET)
        return init->index < m->nglobals && m->globals[init->index].type == type;
    if (init->op == IR_REF_FUNC)
        return init->index < m->nfuncs && type == IR_FUNCREF;
    return init->op == IR_REF_NULL && is_ref(type);
}

static void check_init(struct verifier *v, const struct ir_init *init, enum ir_type type, const char *what,
                       uint32_t index) {
    if (!init_is_ok(v->module, init, type))
        problem(v, NULL, "%s %" PRIu32 " has a wrong constant expression", what, index);
}

static void check_segments(struct verifier *v, const struct ir_module *m) {
    for (uint32_t k = 0; k < m->ndatas; k++) {
        const struct ir_data *d = &m->datas[k];
        if (d->mode != IR_SEGMENT_ACTIVE)
            continue;
        if (d->memory >= m->nmemories)
            problem(v, NULL, "data %" PRIu32 " is for memory %" PRIu32 ", which does not exist", k, d->memory);
        else
            check_init(v, &d->offset, memory_type(v, d->memory), "data", k);
    }
    for (uint32_t k = 0; k < m->nelems; k++) {
        const struct ir_elem *e = &m->elems[k];
        if (e->mode == IR_SEGMENT_ACTIVE) {
            check_init(v, &e->offset, IR_I32, "elem", k);
            if (e->table >= m->ntables || m->tables[e->table].type != e->type)
                problem(v, NULL, "elem %" PRIu32 " is for a table that does not fit", k);
        }
        for (uint32_t n = 0; n < e->nitems; n++)
            check_init(v, &e->items[n], e->type, "item of elem", k);
    }
}

static void check_tables_of_module(struct verifier *v, const struct ir_module *m) {
    for (uint32_t k = 0; k < m->nglobals; k++)
        if (!m->globals[k].import.module)
            check_init(v, &m->globals[k].init, m->globals[k].type, "global", k);
    for (uint32_t k = 0; k < m->nmemories; k++)
        if (m->memories[k].limits.has_max && m->memories[k].limits.max < m->memories[k].limits.min)
            problem(v, NULL, "memory %" PRIu32 " has a maximum below its minimum", k);
    for (uint32_t k = 0; k < m->ntags; k++)
        if (m->tags[k].type >= m->ntypes || m->types[m->tags[k].type].nresults)
            problem(v, NULL, "tag %" PRIu32 " has no type, or one with results", k);
    for (uint32_t k = 0; k < m->ntables; k++)
        if (!is_ref(m->tables[k].type))
            problem(v, NULL, "table %" PRIu32 " is not of references", k);
    const uint32_t counts[] = {m->nfuncs, m->ntables, m->nmemories, m->nglobals, m->ntags};
    for (uint32_t k = 0; k < m->nexports; k++)
        if (m->exports[k].index >= counts[m->exports[k].kind])
            problem(v, NULL, "export \"%s\" names an item that does not exist", m->exports[k].name);
    if (m->start >= 0) {
        if (m->start >= m->nfuncs)
            problem(v, NULL, "start function %" PRId64 " does not exist", m->start);
        else if (m->funcs[m->start].func->sig.nparams || m->funcs[m->start].func->sig.nresults)
            problem(v, NULL, "start function has parameters or results");
    }
    check_segments(v, m);
}

bool ir_verify_module(const struct ir_module *m, struct strbuf *out) {
    struct verifier v = {.out = out, .module = m};
    check_tables_of_module(&v, m);
    for (uint32_t k = 0; k < m->nfuncs; k++) {
        const struct ir_func *f = m->funcs[k].func;
        bool imported = m->funcs[k].import.module != NULL;
        if (imported != (k < m->nfunc_imports))
            problem(&v, NULL, "function %" PRIu32 ": imports must come first", k);
        if (f->index != k)
            problem(&v, NULL, "function %" PRIu32 " has the index %" PRIu32, k, f->index);
        if (f->type >= m->ntypes || !ir_sig_equal(&f->sig, &m->types[f->type]))
            problem(&v, NULL, "function %" PRIu32 " does not fit its type", k);
        if (imported && f->body && f->body->first)
            problem(&v, NULL, "function %" PRIu32 " is imported and has a body", k);
        else if (!imported)
            check_func(&v, f);
    }
    for (uint32_t k = 0; k < m->nkernels; k++)
        if (m->kernels[k] && m->kernels[k]->body)
            check_func(&v, m->kernels[k]->body);
    finish(&v);
    return v.problems == 0;
}
