/* Private memory: small stretches that every iteration writes before it reads them, at the same place each time: arrays
 * on the stack, structures passed by value.
 *
 *     loop (%i) {
 *       store %sp+16, %a            every point has cells of its own in the kernel (private.h);
 *       store %sp+20, %b            the last one leaves its own in memory, as the loop would
 *       ... load %sp+16 ...
 *     }
 *
 * A group is all accesses with the same base but for a constant that stand still in the parallel loops.  It is private
 * when its extent is a constant, and on all paths every byte is written before it is read.  Whether anything else in
 * the nest touches these bytes is for the guard to find out.
 *
 * Where what is written at all has been written at the end of each iteration, the last iteration's bytes are what the
 * loop leaves.  Else (the reduction of large angles in libm's sinf, which writes its remainder only for large angles)
 * the last iteration that writes a word decides: each word is a reduction of the kind LAST (reduce.h), with a flag that
 * says whether the worker has written it.  The workers then share out all points of the parallel loops, in the order in
 * which the loops come to them.  What is only written on the way to something that stops a kernel does not count. */
#include "ir/ir_effects.h"
#include "ir/offload/plan_internal.h"

enum { GROUP_BYTES = PLAN_MAX_CELLS * 4, MAX_INNER_TRIP = 256 };

/* ---- extents ---- */

/* How often a loop with constant bounds runs, exactly; 0: not known.  Only what cannot wrap. */
static int64_t exact_trip(struct plan *p, struct loop *l) {
    struct aff_trip t;
    uint64_t init, step, bound;
    if (!l || !aff_trip_of(p->aff, l, &t) || t.bits != 32 || !aff_is_const(t.init, &init) ||
        !aff_is_const(t.step, &step) || !aff_is_const(t.bound, &bound))
        return 0;
    int64_t s = (int32_t)(uint32_t)step, span = (int32_t)(uint32_t)(bound - init);
    bool up = t.rel == OFF_TRIP_LT_S || t.rel == OFF_TRIP_LT_U, down = t.rel == OFF_TRIP_GT_S || t.rel == OFF_TRIP_GT_U;
    bool ordered = ((up && s > 0) || (down && s < 0)) && init <= INT32_MAX && bound <= INT32_MAX;
    if ((t.rel != OFF_TRIP_NE && !ordered) || !s || span % s || span / s < 0 || span / s > MAX_INNER_TRIP)
        return 0;
    return span / s + !t.top_tested;
}

/* Where the access may begin, relative to its constant; false: not known. */
static bool extent_of(struct plan *p, const struct plan_access *x, int64_t *out_low, int64_t *out_high) {
    *out_low = *out_high = 0;
    for (uint32_t d = 0; d < p->ndims; d++) {
        uint64_t stride;
        if (!x->strides[d])
            continue;
        if (d < p->nchain || !aff_is_const(x->strides[d], &stride))
            return false;
        const struct off_dim *dim = &p->dims[d].desc;
        int64_t first = 0, last, s = (int32_t)(uint32_t)stride;
        if (p->dims[d].loop) {
            last = exact_trip(p, p->dims[d].loop) - 1;
            if (last < 0)
                return false;
        } else if (dim->rel == OFF_TRIP_CONST) {
            last = (int64_t)dim->constant - 1;
        } else if (dim->rel == OFF_TRIP_RANGE && p->ranges[dim->constant].op == OFF_RANGE_CONST) {
            first = p->ranges[dim->constant].lo;
            last = p->ranges[dim->constant].hi;
        } else {
            return false;
        }
        int64_t a = first * s, b = last * s;
        *out_low += a < b ? a : b;
        *out_high += a < b ? b : a;
    }
    return *out_low > -GROUP_BYTES && *out_high < GROUP_BYTES;
}

/* ---- groups ---- */

static int64_t constant_of(const struct plan_access *x) {
    return (int64_t)(int32_t)aff_const_term(x->base) + (int64_t)x->desc.offset;
}

static bool stands_still(const struct plan *p, const struct plan_access *x) {
    for (uint32_t c = 0; c < p->nchain; c++)
        if (x->strides[c])
            return false;
    return !x->delayed && x->desc.stream != OFF_NO_STREAM;
}

static bool moves(const struct plan *p, const struct plan_access *x) {
    for (uint32_t d = 0; d < p->ndims; d++)
        if (x->strides[d])
            return true;
    return false;
}

static bool is_delay(const struct plan *p, const struct ir_inst *i) {
    for (uint32_t k = 0; k < p->ndelays; k++)
        if (p->delays[k].load == i)
            return true;
    return false;
}

static bool is_inside(const struct ir_inst *i, const struct ir_inst *loop) {
    for (; i; i = i->parent->parent)
        if (i == loop)
            return true;
    return false;
}

/* Enters the group of store `w`; its members name it by `private_group`.  False: they cannot be private. */
static bool form_group(struct plan *p, const struct plan_access *w, uint8_t number) {
    struct plan_private *g = &p->privates[number - 1];
    const struct aff *key = aff_drop_const(p->aff, w->base);
    int64_t low = INT64_MAX, high = INT64_MIN;
    bool reads = false;
    for (uint32_t k = 0; k < p->naccesses; k++) {
        struct plan_access *x = &p->accesses[k];
        int64_t first, last, at = constant_of(x);
        if (!stands_still(p, x) || !aff_equal(aff_drop_const(p->aff, x->base), key))
            continue;
        if (at - constant_of(w) >= GROUP_BYTES || constant_of(w) - at >= GROUP_BYTES)
            continue; /* another array: the guard sees to it that they do not meet */
        if (x->private_group || x->desc.declared || x->desc.copy || x->desc.bytes > 8 || is_delay(p, x->inst) ||
            !is_inside(x->inst, p->chain[p->nchain - 1]->inst) || !extent_of(p, x, &first, &last) ||
            (ir_is_load(x->inst) && aff_hoist_of(p->aff, x->inst, false)))
            return false;
        low = at + first < low ? at + first : low;
        high = at + last + x->desc.bytes > high ? at + last + x->desc.bytes : high;
        x->private_group = number;
        reads |= !x->desc.write;
    }
    if (!reads || high - low > GROUP_BYTES) /* what is only written gives a kernel nothing to do */
        return false;
    *g = (struct plan_private){.base = aff_add(p->aff, key, aff_const(p->aff, 32, (uint64_t)low)),
                               .ncells = (uint32_t)(high - low + 3) / 4};
    for (uint32_t k = 0; k < p->naccesses; k++) {
        struct plan_access *x = &p->accesses[k];
        if (x->private_group != number)
            continue;
        int64_t first, last;
        uint32_t bytes = x->desc.bytes;
        (void)extent_of(p, x, &first, &last);
        x->cell_low = (uint32_t)(constant_of(x) + first - low);
        x->cell_high = (uint32_t)(constant_of(x) + last - low) + bytes;
        x->cell_moves = moves(p, x);
        uint32_t within = (uint32_t)(constant_of(x) - low) % 4;
        bool whole = bytes >= 4 && within == 0;
        for (uint32_t d = 0; d < p->ndims; d++) {
            uint64_t s;
            whole &= !x->strides[d] || (aff_is_const(x->strides[d], &s) && s % 4 == 0);
        }
        if (x->cell_moves || bytes >= 4 ? !whole : within + bytes > 4)
            return false;
        g->words |= bytes >= 4;
        x->desc.when_slot = OFF_NO_SLOT;
    }
    return g->base != NULL;
}

/* ---- what is written before what ---- */

struct bytes {
    uint64_t half[2]; /* bit b: byte b of the group has been written */
    uint64_t may[2];  /* or on some path */
    bool dead;
};

struct frame {
    const struct ir_inst *inst;
    struct bytes taken, out;
    struct frame *up;
};

struct walk {
    struct plan *plan;
    uint8_t number;
    struct frame *frames;
    bool ok;
};

static void add_bytes(uint64_t *set, uint32_t low, uint32_t high) {
    for (uint32_t k = low; k < high; k++)
        set[k / 64] |= UINT64_C(1) << (k % 64);
}

static bool has_bytes(const uint64_t *set, uint32_t low, uint32_t high) {
    for (uint32_t k = low; k < high; k++)
        if (!(set[k / 64] >> (k % 64) & 1))
            return false;
    return true;
}

static struct bytes meet(struct bytes a, struct bytes b) {
    if (a.dead || b.dead)
        return a.dead ? b : a;
    return (struct bytes){
        {a.half[0] & b.half[0], a.half[1] & b.half[1]}, {a.may[0] | b.may[0], a.may[1] | b.may[1]}, false};
}

static const struct plan_access *member(const struct walk *w, const struct ir_inst *i) {
    const struct plan *p = w->plan;
    for (uint32_t k = 0; k < p->naccesses; k++)
        if (p->accesses[k].inst == i && p->accesses[k].private_group == w->number)
            return &p->accesses[k];
    return NULL;
}

static struct loop *loop_of(struct loop *first, const struct ir_inst *inst) {
    for (struct loop *l = first; l; l = l->next) {
        struct loop *found = l->inst == inst ? l : loop_of(l->first_child, inst);
        if (found)
            return found;
    }
    return NULL;
}

/* Bytes that a moving store has written once loop `outer` around it has ended: it must stand straight in the body of
 * loops that run exactly so often, one straight in the body of the other. */
static void add_sweep(struct walk *w, const struct plan_access *x, struct loop *outer, struct bytes *out) {
    struct plan *p = w->plan;
    int64_t trips[OFF_MAX_DIMS] = {0}, strides[OFF_MAX_DIMS] = {0};
    uint32_t n = 0, known = 0, needed = 0;
    const struct ir_inst *at = x->inst;
    for (uint32_t d = 0; d < p->ndims; d++)
        needed += x->strides[d] != NULL;
    for (;;) {
        const struct ir_inst *around = at->parent->parent;
        struct loop *l = around->op == IR_LOOP ? loop_of(p->chain[p->nchain - 1]->first_child, around) : NULL;
        bool bottom = l && (l->shape == LOOP_BOTTOM_YIELD || l->shape == LOOP_BOTTOM_BREAK);
        int64_t trip = bottom && !l->other_exits && l->nback_edges == 1 ? exact_trip(p, l) : 0;
        if (!trip)
            return;
        for (uint32_t d = 0; d < p->ndims; d++) {
            uint64_t s;
            if (p->dims[d].loop != l || !x->strides[d] || !aff_is_const(x->strides[d], &s))
                continue;
            trips[n] = trip;
            strides[n++] = (int32_t)(uint32_t)s;
            known++;
        }
        if (l == outer)
            break;
        at = around;
    }
    int64_t total = 1, start = x->cell_low;
    for (uint32_t d = 0; d < n; d++) {
        total *= trips[d];
        start -= strides[d] < 0 ? strides[d] * (trips[d] - 1) : 0;
    }
    if (known != needed || total > 4 * MAX_INNER_TRIP)
        return;
    for (int64_t k = 0; k < total; k++) {
        int64_t rest = k, byte = start;
        for (uint32_t d = 0; d < n; d++) {
            byte += rest % trips[d] * strides[d];
            rest /= trips[d];
        }
        add_bytes(out->half, (uint32_t)byte, (uint32_t)byte + x->desc.bytes);
    }
}

static void add_sweeps(struct walk *w, const struct ir_inst *loop, struct bytes *out) {
    struct plan *p = w->plan;
    struct loop *l = loop_of(p->chain[p->nchain - 1]->first_child, loop);
    for (uint32_t k = 0; l && !out->dead && k < p->naccesses; k++) {
        const struct plan_access *x = &p->accesses[k];
        if (x->private_group == w->number && x->cell_moves && x->desc.write && is_inside(x->inst, loop))
            add_sweep(w, x, l, out);
    }
}

static void branch_to(struct walk *w, const struct ir_inst *label, struct bytes b) {
    for (struct frame *f = w->frames; f; f = f->up)
        if (f->inst == label) {
            f->taken = meet(f->taken, b);
            return;
        }
}

/* What earlier iterations of an inner loop may have written: all that stands in it. */
static void add_stores(const struct walk *w, const struct ir_inst *loop, struct bytes *out) {
    const struct plan *p = w->plan;
    for (uint32_t k = 0; k < p->naccesses; k++)
        if (p->accesses[k].private_group == w->number && p->accesses[k].desc.write &&
            is_inside(p->accesses[k].inst, loop))
            add_bytes(out->may, p->accesses[k].cell_low, p->accesses[k].cell_high);
}

static void walk_region(struct walk *w, struct ir_region *r, struct bytes b) {
    const struct bytes dead = {.dead = true};
    ir_foreach_inst (i, r) {
        const struct plan_access *x = ir_is_load(i) || ir_is_store(i) ? member(w, i) : NULL;
        struct frame f = {.inst = i, .taken = dead, .out = dead, .up = w->frames};
        if (x && !x->desc.write) {
            w->ok &= b.dead || has_bytes(b.half, x->cell_low, x->cell_high);
        } else if (x) {
            add_bytes(b.may, x->cell_low, x->cell_high);
            if (!x->cell_moves)
                add_bytes(b.half, x->cell_low, x->cell_high);
        } else if (ir_stops_kernel(i)) {
            b = dead;
        } else if (ir_nregions(i)) {
            if (i->op == IR_LOOP)
                add_stores(w, i, &b);
            w->frames = &f;
            ir_foreach_region (inner, i)
                walk_region(w, inner, b); /* what is written stays written: a loop begins each time with as much */
            w->frames = f.up;
            b = i->op == IR_LOOP ? f.out : meet(f.taken, f.out);
            if (i->op == IR_LOOP)
                add_sweeps(w, i, &b);
        } else if (i->op == IR_BR || i->op == IR_BR_IF) {
            branch_to(w, i->target, b);
        } else if (i->op == IR_BR_TABLE) {
            for (uint32_t k = 0; k < i->ntargets; k++)
                branch_to(w, i->targets[k], b);
        } else if (i->op == IR_YIELD) {
            if (w->frames)
                w->frames->out = meet(w->frames->out, b);
        }
    }
}

/* Whether every byte is written before it is read. */
static bool is_private(struct plan *p, uint8_t number) {
    struct loop *l = p->chain[p->nchain - 1];
    const struct bytes dead = {.dead = true};
    struct walk w = {.plan = p, .number = number, .ok = true};
    struct frame f = {.inst = l->inst, .taken = dead, .out = dead};
    w.frames = &f;
    walk_region(&w, l->inst->regions[0], (struct bytes){.dead = false});
    struct plan_private *g = &p->privates[number - 1];
    for (uint32_t k = 0; k < 2; k++) {
        g->stored[k] = f.taken.may[k];
        g->sometimes |= (f.taken.may[k] & ~f.taken.half[k]) != 0;
    }
    return w.ok && !f.taken.dead;
}

/* ---- the last to write ---- */

static uint32_t written_of(const struct plan_private *g, uint32_t cell) {
    return (uint32_t)(g->stored[cell / 16] >> (cell % 16 * 4)) & 15;
}

/* Words of the group that the loop leaves; UINT32_MAX when it is not written in whole words. */
static uint32_t count_words(const struct plan *p, uint8_t number) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->naccesses; k++)
        if (p->accesses[k].private_group == number && p->accesses[k].desc.write && p->accesses[k].desc.bytes < 4)
            return UINT32_MAX;
    for (uint32_t k = 0; k < p->privates[number - 1].ncells; k++)
        n += written_of(&p->privates[number - 1], k) != 0;
    return n;
}

/* Whether all groups, the newest among them, fit the plan: as many reductions as there may be. */
static bool has_room(const struct plan *p) {
    bool sometimes = false;
    uint64_t words = 0;
    for (uint32_t g = 0; g < p->nprivates; g++) {
        sometimes |= p->privates[g].sometimes;
        words += count_words(p, (uint8_t)(g + 1));
    }
    return !sometimes || 2 * words <= OFF_MAX_REDUCES;
}

static void add_reduces(struct plan *p) {
    for (uint32_t g = 0; g < p->nprivates; g++)
        p->flat |= p->privates[g].sometimes;
    for (uint32_t g = 0; p->flat && g < p->nprivates; g++)
        for (uint32_t k = 0; k < p->privates[g].ncells; k++) {
            if (!written_of(&p->privates[g], k))
                continue;
            const struct off_reduce none = {
                .type = IR_I32, .init_slot = OFF_NO_SLOT, .lead = OFF_NO_REDUCE, .flag = OFF_NO_REDUCE};
            struct plan_reduce *r = &p->reduces[p->nreduces];
            r[0] = r[1] = (struct plan_reduce){.type = IR_I32, .desc = none};
            r[0].desc.kind = OFF_REDUCE_FLAG;
            r[1].desc.kind = OFF_REDUCE_LAST;
            r[1].desc.flag = p->nreduces;
            p->privates[g].reduces[k] = p->nreduces + 1;
            p->nreduces += 2;
        }
    p->in_order |= p->flat;
}

void plan_find_privates(struct plan *p) {
    p->nprivates = 0;
    if (p->nreduces || p->nsinks || p->splits || p->declared)
        return; /* a point is not one iteration, or not all of it */
    for (uint32_t k = 0; k < p->naccesses; k++) {
        struct plan_access *x = &p->accesses[k];
        if (!x->desc.write || x->private_group || !stands_still(p, x) || p->nprivates == PLAN_MAX_PRIVATES)
            continue;
        uint8_t number = (uint8_t)++p->nprivates;
        if (form_group(p, x, number) && is_private(p, number) && has_room(p))
            continue;
        p->nprivates--;
        for (uint32_t i = 0; i < p->naccesses; i++)
            if (p->accesses[i].private_group == number)
                p->accesses[i].private_group = 0;
    }
    add_reduces(p);
}

bool plan_private_slots(struct plan *p) {
    for (uint32_t g = 0; p->flat && g < p->nprivates; g++)
        for (uint32_t k = 0; k < p->privates[g].ncells; k++) {
            uint32_t number = p->privates[g].reduces[k];
            const struct aff *at = aff_add(p->aff, p->privates[g].base, aff_const(p->aff, 32, 4 * (uint64_t)k));
            if (!number)
                continue;
            uint32_t slot =
                at ? plan_slot_of(p, (struct plan_slot){.kind = PLAN_SLOT_MEMORY, .expr = at}) : OFF_NO_SLOT;
            if (slot == OFF_NO_SLOT)
                return plan_reject(p, OFF_REJECT_TOO_COMPLEX, NULL, NULL);
            p->reduces[number].desc.init_slot = slot;
        }
    return true;
}
