/* Exceptions in the interpreter: the objects, and where a thrown one is caught.
 *
 * An exnref is the address of a `struct interp_exn`.  All of them are on one list of the instance, for those that are
 * held, or lost to a trap, are freed only with it.  Throwing pops frames until the call that made one is followed by
 * `thrown`.
 */
#include <stdlib.h>
#include <string.h>

#include "ir/ir_interp_impl.h"
#include "ir/util/ice.h"

struct interp_exn {
    struct interp_exn *next, **link;
    uint32_t tag, nvalues;
    union ir_bits values[];
};

static struct interp_exn *exn_new(struct ir_interp *in, uint32_t tag, uint32_t nvalues) {
    struct interp_exn *e = calloc(1, sizeof *e + sizeof *e->values * nvalues);
    if (!e)
        ICE("out of memory for an exception");
    e->tag = tag;
    e->nvalues = nvalues;
    e->next = in->exns;
    e->link = &in->exns;
    if (e->next)
        e->next->link = &e->next;
    in->exns = e;
    return e;
}

static void exn_free(struct interp_exn *e) {
    *e->link = e->next;
    if (e->next)
        e->next->link = e->link;
    free(e);
}

void interp_exn_free_all(struct ir_interp *in) {
    for (struct interp_exn *e = in->exns, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    in->exns = NULL;
}

static struct interp_exn *exn_of(union ir_bits bits) {
    struct interp_exn *e;
    ICE_UNLESS(bits.i64);
    memcpy(&e, &bits, sizeof e);
    return e;
}

static union ir_bits bits_of(const struct interp_exn *e) {
    union ir_bits v = {.u64x2 = {0, 0}};
    memcpy(&v, &e, sizeof e);
    return v;
}

/* exn.* and thrown. */
void interp_do_exn(struct ir_interp *in, const struct ir_inst *i, union ir_bits *slots) {
    if (i->op == IR_THROWN) {
        slots[i->results[0].id] = (union ir_bits){.u64x2 = {in->thrown != NULL, 0}};
        slots[i->results[1].id] = bits_of(in->thrown);
        in->thrown = NULL;
        return;
    }
    if (i->op == IR_EXN_NEW) {
        struct interp_exn *made = exn_new(in, i->index, i->noperands);
        for (uint32_t k = 0; k < i->noperands; k++)
            made->values[k] = slots[i->operands[k]->id];
        slots[i->results[0].id] = bits_of(made);
        return;
    }
    struct interp_exn *e = exn_of(slots[i->operands[0]->id]);
    switch (i->op) {
    case IR_EXN_IS:
        slots[i->results[0].id] = (union ir_bits){.u64x2 = {e->tag == i->index, 0}};
        break;
    case IR_EXN_GET:
        ICE_UNLESS(e->tag == i->index);
        for (uint32_t k = 0; k < i->nresults; k++)
            slots[i->results[k].id] = e->values[k];
        break;
    case IR_EXN_COPY: {
        struct interp_exn *made = exn_new(in, e->tag, e->nvalues);
        memcpy(made->values, e->values, sizeof *e->values * e->nvalues);
        slots[i->results[0].id] = bits_of(made);
        break;
    }
    case IR_EXN_DROP:
        exn_free(e);
        break;
    case IR_EXN_HOLD:
        break;
    default:
        ICE("%s is no operation on exceptions", ir_info(i)->text);
    }
}

/* An exception leaves the newest frame; `from`: a call in it that ended so, or NULL.  Where the interpreter goes on: a
 * `thrown`; NULL when nothing above `bottom` catches it. */
const struct ir_inst *interp_throw(struct ir_interp *in, struct interp_exn *e, const struct ir_inst *from,
                                   uint32_t bottom) {
    in->thrown = e;
    while (!from || !from->next || from->next->op != IR_THROWN) {
        if (in->nframes == bottom + 1)
            return NULL;
        from = in->frames[in->nframes - 1].call;
        in->nslots = in->frames[--in->nframes].base;
    }
    return from->next;
}
