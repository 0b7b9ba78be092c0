/* Private memory: small stretches that every iteration writes before it reads them, at the same place each time: arrays
 * on the stack, structures passed by value.
 *
 *     loop (%i) {
 *       store %sp+16, %a            every point has cells of its own in the kernel (private.h);
 *       store %sp+20, %b            the last one leaves its own in memory, as the loop would
 *       ... load %sp+16 ...
 *     }
 *
 * Candidates are all accesses with the same base but for a constant that stand still in the parallel loops.  Those that
 * share bytes belong together; neighbours are joined as far as that gives no more than one array.  A group is private
 * when on all paths every byte is written before it is read.  Whether anything else in the nest touches these bytes is
 * for the guard to find out.
 *
 * Where what is written at all has been written at the end of each iteration, the last iteration's bytes are what the
 * loop leaves.  Else (the reduction of large angles in libm's sinf, which writes its remainder only for large angles)
 * the last iteration that writes a word decides: each word is a reduction of the kind LAST (reduce.h), with a flag that
 * says whether the worker has written it.  The workers then share out all points of the parallel loops, in the order in
 * which the loops come to them.  What is only written on the way to something that stops a kernel does not count. */
#include <string.h>

#include "ir/ir_effects.h"
#include "ir/offload/legalize_unaligned.h"
#include "ir/offload/plan_cells.h"

/* ---- candidates ---- */

/* An access, or several that belong together. */
struct span {
    int64_t low, high;
    bool writes, reads, fails;
};

static bool stands_still(const struct plan *p, const struct plan_access *x) {
    for (uint32_t c = 0; c < p->nchain; c++)
        if (x->strides[c])
            return false;
    return !x->delayed && x->desc.stream != OFF_NO_STREAM;
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

static bool is_candidate(struct plan *p, const struct plan_access *x, const struct aff *key) {
    return !x->private_group && stands_still(p, x) && aff_equal(aff_drop_const(p->aff, x->base), key);
}

/* The stretch of a candidate; one whose extent is not known stands for its first bytes, and fails the group it is in.
 */
static struct span span_of(struct plan *p, const struct plan_access *x) {
    struct span s = {.writes = x->desc.write, .reads = !x->desc.write};
    s.fails = x->desc.declared || is_delay(p, x->inst) || !is_inside(x->inst, p->chain[p->nchain - 1]->inst) ||
              !cells_extent(p, x, &s.low, &s.high) || (ir_is_load(x->inst) && aff_hoist_of(p->aff, x->inst, false));
    if (s.fails) {
        s.low = cells_constant(x);
        s.high = s.low + x->desc.bytes;
    }
    return s;
}

static struct span join(struct span a, struct span b) {
    return (struct span){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high, a.writes || b.writes,
                         a.reads || b.reads, a.fails || b.fails};
}

/* Sorted spans that share no byte, out of `n` of any order; how many. */
static uint32_t join_overlapping(struct span *s, uint32_t n) {
    for (uint32_t k = 1; k < n; k++)
        for (uint32_t j = k; j > 0 && s[j].low < s[j - 1].low; j--) {
            struct span t = s[j];
            s[j] = s[j - 1];
            s[j - 1] = t;
        }
    uint32_t out = 0;
    for (uint32_t k = 1; k < n; k++) {
        if (s[k].low < s[out].high)
            s[out] = join(s[out], s[k]);
        else
            s[++out] = s[k];
    }
    return n ? out + 1 : 0;
}

/* ---- groups ---- */

/* Whether the access can be done on cells that are values (private.c). */
static bool fits_values(const struct plan_access *x) {
    uint32_t bytes = x->desc.bytes;
    bool whole = bytes >= 4 && x->cell_low % 4 == 0 && x->cell_unit == 4;
    return bytes <= 8 && (x->cell_moves || bytes >= 4 ? whole : x->cell_low % 4 + bytes <= 4);
}

static uint8_t unit_of(const struct plan *p, const struct plan_access *x) {
    uint64_t all = 4, s;
    for (uint32_t d = 0; d < p->ndims; d++)
        if (x->strides[d])
            all |= aff_is_const(x->strides[d], &s) ? s : 1;
    return (uint8_t)(all & (0 - all));
}

static uint32_t array_bytes(const struct plan *p) {
    uint32_t bytes = 0;
    for (uint32_t g = 0; g < p->nprivates; g++)
        bytes += p->privates[g].array_words * 4;
    return bytes;
}

static void ungroup(struct plan *p, uint8_t number) {
    for (uint32_t k = 0; k < p->naccesses; k++)
        if (p->accesses[k].private_group == number)
            p->accesses[k].private_group = 0;
}

/* A loop that stands for a copy of bytes (ir/prepare/bulk.h) needs to and from apart. */
static bool copies_are_apart(const struct plan *p, uint8_t number) {
    for (uint32_t k = 0; k < p->naccesses; k++) {
        const struct plan_access *to = &p->accesses[k];
        if (to->private_group != number || !to->desc.copy || !to->desc.write)
            continue;
        for (uint32_t i = 0; i < p->naccesses; i++) {
            const struct plan_access *from = &p->accesses[i];
            if (from->private_group == number && from->desc.copy == to->desc.copy && !from->desc.write &&
                from->cell_low < to->cell_high && to->cell_low < from->cell_high)
                return false;
        }
    }
    return true;
}

/* Enters the group of all candidates within the span; its members name it by `private_group`. */
static bool form_group(struct plan *p, const struct aff *key, struct span s, uint8_t number, int64_t *out_origin) {
    struct plan_private *g = &p->privates[number - 1];
    /* Words are where the widest accesses take them to be. */
    int64_t origin = s.low;
    uint32_t widest = 0;
    bool words = false;
    for (uint32_t k = 0; k < p->naccesses; k++) {
        struct plan_access *x = &p->accesses[k];
        int64_t at = cells_constant(x);
        if (!is_candidate(p, x, key) || at < s.low - PLAN_MAX_ARRAY_BYTES || at > s.high + PLAN_MAX_ARRAY_BYTES)
            continue;
        struct span own = span_of(p, x);
        if (own.low < s.low || own.high > s.high)
            continue;
        x->private_group = number;
        x->cell_unit = unit_of(p, x);
        if (x->desc.bytes > widest && x->desc.bytes >= 4 && x->cell_unit == 4) {
            widest = x->desc.bytes;
            origin = s.low - (4 - (own.low - s.low) % 4) % 4;
            words = legalize_access_align(x->inst) == 4;
        }
    }
    uint32_t bytes = (uint32_t)(s.high - origin), size = 1;
    *out_origin = origin;
    if (bytes > PLAN_MAX_ARRAY_BYTES)
        return false;
    *g = (struct plan_private){.base = aff_add(p->aff, key, aff_const(p->aff, 32, (uint64_t)origin)),
                               .ncells = (bytes + 3) / 4,
                               .words = words};
    bool values = g->ncells <= PLAN_MAX_CELLS;
    for (uint32_t k = 0; k < p->naccesses; k++) {
        struct plan_access *x = &p->accesses[k];
        if (x->private_group != number)
            continue;
        struct span own = span_of(p, x);
        struct cell_bits *touched = arena_new(p->arena, struct cell_bits);
        cells_touched(p, x, origin, touched);
        x->cells = touched;
        x->cell_low = (uint32_t)(own.low - origin);
        x->cell_high = (uint32_t)(own.high - origin);
        x->cell_moves = cells_move(p, x);
        x->desc.when_slot = OFF_NO_SLOT;
        values &= fits_values(x);
    }
    if (!copies_are_apart(p, number))
        return false;
    while (size < g->ncells)
        size *= 2;
    g->array_words = values ? 0 : size;
    return g->base != NULL && (values || array_bytes(p) + size * 4 <= PLAN_MAX_ARRAYS_BYTES);
}

/* ---- what is written before what ---- */

enum { TOKEN_WORDS = OFF_MAX_ACCESSES / 64 };

/* At a place of the program: the bytes that have been written, and the moving stores that have happened in the current
 * iteration of the loop they stand in, and in all iterations of loops inside it that have ended. */
struct state {
    struct cell_bits written, may;  /* on all paths; on some */
    uint64_t happened[TOKEN_WORDS]; /* by access; of stores alike, the first */
    bool dead;
};

struct frame {
    const struct ir_inst *inst;
    struct loop *loop; /* whose every iteration goes through all of its body; else NULL */
    struct state taken, out;
    struct frame *up;
};

struct walk {
    struct plan *plan;
    uint8_t number;
    int64_t origin;
    struct frame *frames;
    bool ok;
};

static bool has_bytes(const struct cell_bits *b, const struct cell_bits *wanted) {
    for (uint32_t k = 0; k < CELL_WORDS; k++)
        if (wanted->bit[k] & ~b->bit[k])
            return false;
    return true;
}

static void meet(struct state *a, const struct state *b) {
    if (b->dead)
        return;
    if (a->dead) {
        *a = *b;
        return;
    }
    for (uint32_t k = 0; k < CELL_WORDS; k++)
        a->written.bit[k] &= b->written.bit[k], a->may.bit[k] |= b->may.bit[k];
    for (uint32_t k = 0; k < TOKEN_WORDS; k++)
        a->happened[k] &= b->happened[k];
}

static struct plan_access *member(const struct walk *w, const struct ir_inst *i) {
    const struct plan *p = w->plan;
    for (uint32_t k = 0; k < p->naccesses; k++)
        if (p->accesses[k].inst == i && p->accesses[k].private_group == w->number)
            return &p->accesses[k];
    return NULL;
}

static const struct ir_inst *loop_around(const struct ir_inst *i) {
    for (i = i->parent->parent; i && i->op != IR_LOOP;)
        i = i->parent->parent;
    return i;
}

static bool are_alike(const struct plan *p, const struct plan_access *a, const struct plan_access *b) {
    if (a->desc.bytes != b->desc.bytes || cells_constant(a) != cells_constant(b) ||
        loop_around(a->inst) != loop_around(b->inst))
        return false;
    for (uint32_t d = 0; d < p->ndims; d++)
        if ((a->strides[d] == NULL) != (b->strides[d] == NULL) ||
            (a->strides[d] && !aff_equal(a->strides[d], b->strides[d])))
            return false;
    return true;
}

/* The first store of the group that is like this one: in two arms of an `if`, either does. */
static uint32_t token_of(const struct walk *w, const struct plan_access *x) {
    const struct plan *p = w->plan;
    for (uint32_t k = 0;; k++) {
        const struct plan_access *y = &p->accesses[k];
        if (y == x || (y->private_group == w->number && y->desc.write && are_alike(p, y, x)))
            return k;
    }
}

static void forget_inside(const struct walk *w, const struct ir_inst *loop, struct state *b) {
    for (uint32_t k = 0; k < w->plan->naccesses; k++)
        if ((b->happened[k / 64] >> (k % 64) & 1) != 0 && is_inside(w->plan->accesses[k].inst, loop))
            b->happened[k / 64] &= ~(UINT64_C(1) << (k % 64));
}

/* The loop has run to its end: what its moving stores have covered. */
static void add_sweeps(const struct walk *w, struct loop *l, struct state *b) {
    for (uint32_t k = 0; k < w->plan->naccesses; k++) {
        const struct plan_access *x = &w->plan->accesses[k];
        if ((b->happened[k / 64] >> (k % 64) & 1) != 0 && is_inside(x->inst, l->inst))
            cells_swept(w->plan, x, l, w->origin, &b->written);
    }
}

/* `i` leaves the loop. */
static void leave_loop(const struct walk *w, const struct frame *f, const struct ir_inst *i, struct state *b) {
    if (f->loop && (f->loop->shape == LOOP_BOTTOM_YIELD ? i->op == IR_YIELD : i == f->loop->test))
        add_sweeps(w, f->loop, b);
    else
        forget_inside(w, f->inst, b);
}

static void branch_to(const struct walk *w, const struct ir_inst *i, const struct ir_inst *label, struct state b) {
    for (struct frame *f = w->frames; f; f = f->up) {
        if (f->inst == label) {
            meet(&f->taken, &b);
            return;
        }
        if (f->inst->op == IR_LOOP && !b.dead)
            leave_loop(w, f, i, &b);
    }
}

/* Each iteration begins at the top, comes to the test at the bottom, and leaves nowhere else. */
static struct loop *whole_loop(const struct plan *p, const struct ir_inst *i) {
    struct loop *l = i->op == IR_LOOP ? cells_loop_of(p, i) : NULL;
    bool bottom = l && (l->shape == LOOP_BOTTOM_YIELD || l->shape == LOOP_BOTTOM_BREAK);
    return bottom && !l->other_exits && l->nback_edges == 1 ? l : NULL;
}

static void walk_access(struct walk *w, struct plan_access *x, struct state *b) {
    if (!x->desc.write) {
        w->ok &= b->dead || has_bytes(&b->written, x->cells);
        return;
    }
    for (uint32_t k = 0; k < CELL_WORDS; k++)
        b->may.bit[k] |= x->cells->bit[k];
    uint32_t token = token_of(w, x);
    if (x->cell_moves)
        b->happened[token / 64] |= UINT64_C(1) << (token % 64);
    else
        cells_add(&b->written, x->cell_low, x->cell_high);
}

/* What earlier iterations of an inner loop may have written: all that stands in it. */
static void add_stores(const struct walk *w, const struct ir_inst *loop, struct state *b) {
    const struct plan *p = w->plan;
    for (uint32_t i = 0; i < p->naccesses; i++) {
        const struct plan_access *x = &p->accesses[i];
        for (uint32_t k = 0; x->private_group == w->number && x->desc.write && k < CELL_WORDS; k++)
            b->may.bit[k] |= is_inside(x->inst, loop) ? x->cells->bit[k] : 0;
    }
}

static void walk_region(struct walk *w, struct ir_region *r, struct state b);

static void walk_nested(struct walk *w, struct ir_inst *i, struct state *b) {
    struct frame f = {.inst = i, .loop = whole_loop(w->plan, i), .up = w->frames};
    f.taken.dead = f.out.dead = true;
    if (i->op == IR_LOOP) {
        forget_inside(w, i, b);
        add_stores(w, i, b);
    }
    w->frames = &f;
    ir_foreach_region (inner, i)
        walk_region(w, inner, *b); /* what is written stays written: a loop begins each time with as much */
    w->frames = f.up;
    *b = f.out;
    if (i->op != IR_LOOP)
        meet(b, &f.taken);
}

static void walk_region(struct walk *w, struct ir_region *r, struct state b) {
    ir_foreach_inst (i, r) {
        struct plan_access *x = ir_is_load(i) || ir_is_store(i) ? member(w, i) : NULL;
        if (x) {
            walk_access(w, x, &b);
        } else if (ir_stops_kernel(i)) {
            b.dead = true;
        } else if (ir_nregions(i)) {
            walk_nested(w, i, &b);
        } else if (i->op == IR_BR || i->op == IR_BR_IF) {
            branch_to(w, i, i->target, b);
        } else if (i->op == IR_BR_TABLE) {
            for (uint32_t k = 0; k < i->ntargets; k++)
                branch_to(w, i, i->targets[k], b);
        } else if (i->op == IR_YIELD) {
            if (w->frames->inst->op == IR_LOOP && !b.dead)
                leave_loop(w, w->frames, i, &b);
            meet(&w->frames->out, &b);
        }
        if (i->op == IR_BR || i->op == IR_BR_TABLE)
            return;
    }
}

/* Whether every byte is written before it is read. */
static bool is_private(struct plan *p, uint8_t number, int64_t origin) {
    struct loop *l = p->chain[p->nchain - 1];
    struct walk w = {.plan = p, .number = number, .origin = origin, .ok = true};
    struct frame f = {.inst = l->inst};
    f.taken.dead = f.out.dead = true;
    w.frames = &f;
    walk_region(&w, l->inst->regions[0], (struct state){.dead = false});
    struct cell_bits *stored = arena_new(p->arena, struct cell_bits);
    *stored = f.taken.may;
    p->privates[number - 1].stored = stored;
    p->privates[number - 1].sometimes = !has_bytes(&f.taken.written, stored);
    return w.ok && !f.taken.dead;
}

/* ---- the last to write ---- */

static uint32_t written_of(const struct plan_private *g, uint32_t cell) {
    return (uint32_t)(g->stored->bit[cell / 16] >> (cell % 16 * 4)) & 15;
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
    bool arrays = false;
    for (uint32_t g = 0; g < p->nprivates; g++) {
        sometimes |= p->privates[g].sometimes;
        arrays |= p->privates[g].array_words != 0;
        words += count_words(p, (uint8_t)(g + 1));
    }
    return !sometimes || (!arrays && 2 * words <= OFF_MAX_REDUCES);
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

/* Makes spans first to last of one group, if it is private. */
static bool try_group(struct plan *p, const struct aff *key, const struct span *first, const struct span *last) {
    struct span s = *first;
    while (first++ != last)
        s = join(s, *first);
    if (!s.reads || p->nprivates == PLAN_MAX_PRIVATES) /* what is only written gives a kernel nothing to do */
        return false;
    uint8_t number = (uint8_t)(p->nprivates + 1);
    int64_t origin;
    if (form_group(p, key, s, number, &origin) && is_private(p, number, origin)) {
        p->nprivates++;
        if (has_room(p))
            return true;
        p->nprivates--;
    }
    ungroup(p, number);
    return false;
}

/* Groups of all candidates with this key. */
static void group_by_key(struct plan *p, const struct aff *key) {
    struct span spans[OFF_MAX_ACCESSES];
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->naccesses; k++)
        if (is_candidate(p, &p->accesses[k], key))
            spans[n++] = span_of(p, &p->accesses[k]);
    n = join_overlapping(spans, n);
    for (uint32_t first = 0, last; first < n; first = last + 1) {
        last = first;
        if (!spans[first].writes || spans[first].fails)
            continue;
        while (last + 1 < n && spans[last + 1].writes && !spans[last + 1].fails &&
               spans[last + 1].high - spans[first].low <= PLAN_MAX_ARRAY_BYTES)
            last++;
        if (try_group(p, key, &spans[first], &spans[last]) || last == first)
            continue;
        for (uint32_t k = first; k <= last; k++)
            (void)try_group(p, key, &spans[k], &spans[k]);
    }
}

void plan_find_privates(struct plan *p) {
    p->nprivates = 0;
    if (p->nreduces || p->nsinks || p->splits || p->declared)
        return; /* a point is not one iteration, or not all of it */
    bool tried[OFF_MAX_ACCESSES] = {false};
    for (uint32_t k = 0; k < p->naccesses; k++) {
        const struct plan_access *x = &p->accesses[k];
        if (!x->desc.write || tried[k] || x->private_group || !stands_still(p, x))
            continue;
        const struct aff *key = aff_drop_const(p->aff, x->base);
        for (uint32_t i = k; i < p->naccesses; i++)
            tried[i] |= is_candidate(p, &p->accesses[i], key);
        group_by_key(p, key);
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
