/* See plan_cells.h.  An odometer over the dimensions that move an access, outermost first; how often a loop runs is
 * computed by running its counter, with the iterations of the loops around it as they stand. */
#include "ir/offload/plan_cells.h"

#include <string.h>

enum {
    MAX_POINTS = 8192, /* places of one access */
    MAX_TRIP = PLAN_MAX_ARRAY_BYTES,
    MAX_LEVELS = OFF_MAX_DIMS,
    MAX_TESTS = 8,
    MAX_DEPTH = 4, /* of ranges in ranges */
};

struct level {
    struct loop *loop; /* NULL: a value from `first` to `last`, or with `derived`, the one that symbol `sym` has */
    struct aff_trip trip;
    int sym;
    bool derived;
    int64_t stride, first, last;
    int64_t at; /* the iteration it is in */
};

/* A test that the access stands behind: of two numbers, with the levels from the innermost to number `inside`, counted
 * from there, still to come. */
struct test {
    uint8_t rel; /* enum off_trip_rel; CONST: equal */
    bool holds;
    const struct aff *a, *b;
    uint32_t inside;
};

struct odometer {
    struct plan *plan;
    struct level levels[MAX_LEVELS];
    uint32_t nlevels, nloops; /* loops come first */
    struct test tests[MAX_TESTS];
    uint32_t ntests;
    uint32_t points;
    void (*visit)(void *user, int64_t first);
    void *user;
};

/* ---- values known to lie in a range ---- */

struct interval {
    int64_t lo, hi;
};

static const struct interval anything = {INT32_MIN, INT32_MAX};

static struct interval interval_of(const struct plan *p, uint32_t index);

static bool is_constant_slot(const struct plan *p, uint32_t slot, int64_t *out) {
    uint64_t v;
    if (slot == OFF_NO_SLOT || p->slots[slot].kind != PLAN_SLOT_EXPR || !aff_is_const(p->slots[slot].expr, &v))
        return false;
    *out = (int32_t)(uint32_t)v;
    return true;
}

static struct interval interval_of_sum(const struct plan *p, const struct off_range *r) {
    struct interval sum;
    if (!is_constant_slot(p, r->base_slot, &sum.lo))
        return anything;
    sum.hi = sum.lo;
    for (uint32_t d = 0; d < p->ndims; d++) {
        const struct off_dim *dim = &p->dims[d].desc;
        struct interval v = {0, (int64_t)dim->constant - 1};
        int64_t stride;
        if (r->stride_slot[d] == OFF_NO_SLOT)
            continue;
        if (p->dims[d].loop || !is_constant_slot(p, r->stride_slot[d], &stride))
            return anything;
        if (dim->rel == OFF_TRIP_RANGE)
            v = interval_of(p, (uint32_t)dim->constant);
        int64_t one = v.lo * stride, other = v.hi * stride;
        sum.lo += one < other ? one : other;
        sum.hi += one < other ? other : one;
        if (sum.lo < INT32_MIN || sum.hi > INT32_MAX)
            return anything;
    }
    return sum;
}

static struct interval interval_of(const struct plan *p, uint32_t index) {
    const struct off_range *r = &p->ranges[index];
    if (r->op == OFF_RANGE_CONST)
        return (struct interval){r->lo, r->hi};
    if (r->op == OFF_RANGE_AFFINE)
        return interval_of_sum(p, r);
    struct interval a = interval_of(p, r->a);
    if (r->op == OFF_RANGE_SHIFT)
        return (struct interval){a.lo >> (r->lo & 31), a.hi >> (r->lo & 31)};
    if (r->op == OFF_RANGE_SHIFT_U)
        return a.lo >= 0 ? (struct interval){a.lo >> (r->lo & 31), a.hi >> (r->lo & 31)}
                         : (struct interval){0, UINT32_MAX >> (r->lo & 31)};
    struct interval b = interval_of(p, r->b), out = anything;
    switch (r->op) {
    case OFF_RANGE_MIN_S:
        return (struct interval){a.lo < b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
    case OFF_RANGE_MAX_S:
        return (struct interval){a.lo > b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
    case OFF_RANGE_MIN_U: /* of a side that is not negative: from 0 to its greatest, whatever the other is */
        if (a.lo >= 0 && b.lo >= 0)
            return (struct interval){a.lo < b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
        if (a.lo >= 0 || b.lo >= 0)
            return (struct interval){0, a.lo >= 0 ? a.hi : b.hi};
        return out;
    case OFF_RANGE_UNION:
        return (struct interval){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
    case OFF_RANGE_LT_S:
    case OFF_RANGE_LE_S:
    case OFF_RANGE_GT_S:
    case OFF_RANGE_GE_S:
        return a;
    default:
        return out;
    }
}

/* ---- counting ---- */

static bool evaluate_in(const struct odometer *o, uint32_t level, const struct aff *a, uint32_t depth, uint64_t *out);

/* The range of a symbol that is another number shifted: x >> 3, and x & -8, whose symbol is that, too. */
static bool is_shift(struct plan *p, uint32_t sym, struct aff_range *out) {
    const struct aff_sym *s = aff_sym(p->aff, sym);
    return s->kind == AFF_RANGE && aff_range_of(p->aff, s->value, out) && out->a && out->a->bits == 32 &&
           (out->op == OFF_RANGE_SHIFT || out->op == OFF_RANGE_SHIFT_U);
}

static bool value_of_sym(const struct odometer *o, uint32_t level, uint32_t sym, uint32_t depth, uint64_t *out) {
    for (uint32_t k = 0; k < level && k < o->nloops; k++)
        if (o->levels[k].sym == (int)sym) {
            *out = (uint64_t)o->levels[k].at;
            return true;
        }
    struct aff_range r;
    uint64_t of;
    if (depth == MAX_DEPTH || !is_shift(o->plan, sym, &r) || !evaluate_in(o, level, r.a, depth + 1, &of))
        return false;
    *out = r.op == OFF_RANGE_SHIFT ? (uint64_t)(int64_t)((int32_t)(uint32_t)of >> (r.lo & 31))
                                   : (uint32_t)of >> (r.lo & 31);
    return true;
}

static bool evaluate_in(const struct odometer *o, uint32_t level, const struct aff *a, uint32_t depth, uint64_t *out) {
    uint64_t sum = 0, v;
    for (uint32_t t = 0; t < a->nterms; t++) {
        uint64_t product = a->terms[t].coef;
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            if (!value_of_sym(o, level, a->terms[t].syms[d], depth, &v))
                return false;
            product *= v;
        }
        sum += product;
    }
    *out = a->bits == 32 ? (uint32_t)sum : sum;
    return true;
}

/* The polynomial with the iterations of the levels before `level` put in. */
static bool evaluate(const struct odometer *o, uint32_t level, const struct aff *a, uint64_t *out) {
    return evaluate_in(o, level, a, 0, out);
}

static bool goes_on(uint8_t rel, unsigned bits, uint64_t t, uint64_t bound) {
    int64_t ts = bits == 32 ? (int32_t)(uint32_t)t : (int64_t)t;
    int64_t bs = bits == 32 ? (int32_t)(uint32_t)bound : (int64_t)bound;
    switch (rel) {
    case OFF_TRIP_NE:
        return t != bound;
    case OFF_TRIP_LT_S:
        return ts < bs;
    case OFF_TRIP_LT_U:
        return t < bound;
    case OFF_TRIP_LE_S:
        return ts <= bs;
    case OFF_TRIP_LE_U:
        return t <= bound;
    case OFF_TRIP_GT_S:
        return ts > bs;
    case OFF_TRIP_GT_U:
        return t > bound;
    case OFF_TRIP_GE_S:
        return ts >= bs;
    case OFF_TRIP_GE_U:
        return t >= bound;
    default:
        return t == bound;
    }
}

/* Whether some test in front of the level fails where the odometer stands. */
static bool is_skipped(const struct odometer *o, uint32_t level) {
    for (uint32_t k = 0; k < o->ntests; k++) {
        const struct test *t = &o->tests[k];
        uint64_t a, b;
        if (o->nloops - t->inside == level && evaluate(o, level, t->a, &a) && evaluate(o, level, t->b, &b) &&
            goes_on(t->rel, t->a->bits, a, b) != t->holds)
            return true;
    }
    return false;
}

/* How often the loop runs where the odometer stands; -1: not known, or more than MAX_TRIP times. */
static int64_t count_trip(const struct odometer *o, uint32_t level) {
    const struct aff_trip *t = &o->levels[level].trip;
    uint64_t at, step, bound, mask = t->bits == 32 ? UINT32_MAX : UINT64_MAX;
    if (t->rel < OFF_TRIP_NE || t->rel > OFF_TRIP_GE_U || !evaluate(o, level, t->init, &at) ||
        !evaluate(o, level, t->step, &step) || !evaluate(o, level, t->bound, &bound))
        return -1;
    int64_t n = 0;
    for (at &= mask, bound &= mask; goes_on(t->rel, t->bits, at, bound); at = (at + step) & mask)
        if (++n > MAX_TRIP)
            return -1;
    return n + !t->top_tested;
}

static bool turn(struct odometer *o, uint32_t level, int64_t first) {
    if (level <= o->nloops && is_skipped(o, level))
        return true;
    if (level == o->nlevels) {
        if (++o->points > MAX_POINTS)
            return false;
        o->visit(o->user, first);
        return true;
    }
    struct level *l = &o->levels[level];
    int64_t from = l->first, to = l->last;
    uint64_t derived;
    if (l->derived) {
        if (!value_of_sym(o, o->nloops, (uint32_t)l->sym, 0, &derived))
            return false;
        from = to = (int32_t)(uint32_t)derived;
    }
    if (l->loop) {
        to = count_trip(o, level);
        if (to-- < 0)
            return false;
        from = 0;
    }
    if (to - from > MAX_TRIP)
        return false;
    for (l->at = from; l->at <= to; l->at++)
        if (!turn(o, level + 1, first + l->at * l->stride))
            return false;
    return true;
}

/* ---- which dimensions ---- */

int64_t cells_constant(const struct plan_access *x) {
    return (int64_t)(int32_t)aff_const_term(x->base) + (int64_t)x->desc.offset;
}

bool cells_move(const struct plan *p, const struct plan_access *x) {
    for (uint32_t d = 0; d < p->ndims; d++)
        if (x->strides[d])
            return true;
    return false;
}

static struct loop *find_loop(struct loop *first, const struct ir_inst *inst) {
    for (struct loop *l = first; l; l = l->next) {
        struct loop *found = l->inst == inst ? l : find_loop(l->first_child, inst);
        if (found)
            return found;
    }
    return NULL;
}

struct loop *cells_loop_of(const struct plan *p, const struct ir_inst *inst) {
    return find_loop(p->chain[p->nchain - 1]->first_child, inst);
}

static int dim_of(const struct plan *p, const struct loop *l) {
    for (uint32_t d = 0; d < p->ndims; d++)
        if (p->dims[d].loop == l)
            return (int)d;
    return -1;
}

/* Whether the polynomial contains the symbol, directly or in what a shift is of. */
static bool depends(struct plan *p, const struct aff *a, uint32_t sym, uint32_t depth) {
    for (uint32_t t = 0; t < a->nterms; t++)
        for (uint32_t d = 0; d < a->terms[t].degree; d++) {
            struct aff_range r;
            if (a->terms[t].syms[d] == sym)
                return true;
            if (depth < MAX_DEPTH && is_shift(p, a->terms[t].syms[d], &r) && depends(p, r.a, sym, depth + 1))
                return true;
        }
    return false;
}

/* Whether how often something runs, or a symbol of the address, depends on the iteration of the loop. */
static bool bounds_something(const struct odometer *o, const struct loop *l) {
    int sym = aff_iter_sym(o->plan->aff, l);
    struct aff_range r;
    for (uint32_t k = 0; sym >= 0 && k < o->nlevels; k++) {
        const struct level *v = &o->levels[k];
        if (v->loop &&
            (depends(o->plan, v->trip.init, (uint32_t)sym, 0) || depends(o->plan, v->trip.bound, (uint32_t)sym, 0) ||
             depends(o->plan, v->trip.step, (uint32_t)sym, 0)))
            return true;
        if (v->derived && is_shift(o->plan, (uint32_t)v->sym, &r) && depends(o->plan, r.a, (uint32_t)sym, 0))
            return true;
    }
    return false;
}

static bool decides_test(const struct odometer *o, const struct loop *l) {
    int sym = aff_iter_sym(o->plan->aff, l);
    for (uint32_t k = 0; sym >= 0 && k < o->ntests; k++)
        if (depends(o->plan, o->tests[k].a, (uint32_t)sym, 0) || depends(o->plan, o->tests[k].b, (uint32_t)sym, 0))
            return true;
    return false;
}

static void add_test(struct odometer *o, struct ir_value *cond, bool holds) {
    static const struct {
        enum ir_op op;
        uint8_t rel;
    } rels[] = {{IR_I32_EQ, OFF_TRIP_CONST},  {IR_I32_NE, OFF_TRIP_NE},     {IR_I32_LT_S, OFF_TRIP_LT_S},
                {IR_I32_LT_U, OFF_TRIP_LT_U}, {IR_I32_LE_S, OFF_TRIP_LE_S}, {IR_I32_LE_U, OFF_TRIP_LE_U},
                {IR_I32_GT_S, OFF_TRIP_GT_S}, {IR_I32_GT_U, OFF_TRIP_GT_U}, {IR_I32_GE_S, OFF_TRIP_GE_S},
                {IR_I32_GE_U, OFF_TRIP_GE_U}};
    struct aff_ctx *aff = o->plan->aff;
    for (; cond->def && cond->def->op == IR_I32_EQZ; cond = cond->def->operands[0])
        holds = !holds;
    struct test t = {.rel = OFF_TRIP_NE, .holds = holds, .inside = o->nlevels};
    for (uint32_t k = 0; cond->def && k < sizeof rels / sizeof *rels; k++)
        if (rels[k].op == (enum ir_op)cond->def->op) {
            t.rel = rels[k].rel;
            t.a = aff_of(aff, cond->def->operands[0]);
            t.b = aff_of(aff, cond->def->operands[1]);
        }
    if (!t.a && !t.b && cond->type == IR_I32) {
        t.a = aff_of(aff, cond);
        t.b = aff_const(aff, 32, 0);
    }
    if (t.a && t.b && o->ntests < MAX_TESTS)
        o->tests[o->ntests++] = t;
}

/* The tests around `at` and in front of it, inside the loop it stands in. */
static void add_tests(struct odometer *o, const struct ir_inst *at) {
    for (const struct ir_inst *b = at->prev; b; b = b->prev)
        if (b->op == IR_BR_IF)
            add_test(o, b->operands[0], false);
    const struct ir_inst *around = at->parent->parent;
    if (around->op == IR_IF)
        add_test(o, around->operands[0], at->parent == around->regions[0]);
}

/* Levels for the values that move the access and are no iterations. */
static bool add_values(struct odometer *o, const struct plan_access *x, uint32_t *found) {
    struct plan *p = o->plan;
    for (uint32_t d = p->nchain; d < p->ndims; d++) {
        uint64_t stride;
        struct aff_range r;
        const struct off_dim *dim = &p->dims[d].desc;
        if (!x->strides[d] || p->dims[d].loop)
            continue;
        struct level level = {.sym = p->dims[d].sym};
        if (!aff_is_const(x->strides[d], &stride) || o->nlevels == MAX_LEVELS)
            return false;
        level.stride = (int32_t)(uint32_t)stride;
        if (dim->rel == OFF_TRIP_CONST) {
            level.last = (int64_t)dim->constant - 1;
        } else if (dim->rel == OFF_TRIP_RANGE) {
            struct interval v = interval_of(p, (uint32_t)dim->constant);
            level.first = v.lo;
            level.last = v.hi;
            level.derived = v.hi - v.lo > MAX_TRIP && level.sym >= 0 && is_shift(p, (uint32_t)level.sym, &r);
        } else {
            return false;
        }
        o->levels[o->nlevels++] = level;
        ++*found;
    }
    return true;
}

/* Levels for all that moves the access inside `outer` (NULL: inside the parallel loops).  False: something else moves
 * it, too. */
static bool set_up(struct odometer *o, const struct plan_access *x, const struct loop *outer) {
    struct plan *p = o->plan;
    uint32_t moved = 0, found = 0;
    for (uint32_t d = 0; d < p->ndims; d++)
        moved += x->strides[d] != NULL;
    struct odometer in = {.plan = p}; /* innermost first */
    if (!outer && !add_values(&in, x, &found))
        return false;
    uint32_t nvalues = in.nlevels;
    const struct loop *last = p->chain[p->nchain - 1];
    for (const struct ir_inst *at = x->inst; at && at != last->inst; at = at->parent->parent) {
        struct loop *l = at->op == IR_LOOP ? cells_loop_of(p, at) : NULL;
        if (l) {
            int d = dim_of(p, l);
            uint64_t stride = 0;
            struct level level = {.loop = l, .sym = aff_iter_sym(p->aff, l)};
            bool moves = d >= 0 && x->strides[d];
            if (moves && !aff_is_const(x->strides[d], &stride))
                return false;
            found += moves;
            level.stride = (int32_t)(uint32_t)stride;
            bool needed = moves || bounds_something(&in, l), known = aff_trip_of(p->aff, l, &level.trip);
            if (needed && (!known || in.nlevels == MAX_LEVELS))
                return false;
            if (known && in.nlevels < MAX_LEVELS && (needed || decides_test(&in, l)))
                in.levels[in.nlevels++] = level;
            if (l == outer)
                break;
        }
        if (!outer && at->parent->parent)
            add_tests(&in, at);
    }
    o->nlevels = in.nlevels;
    o->nloops = in.nlevels - nvalues;
    o->ntests = in.ntests;
    for (uint32_t k = 0; k < o->nloops; k++)
        o->levels[k] = in.levels[in.nlevels - 1 - k];
    for (uint32_t k = 0; k < nvalues; k++)
        o->levels[o->nloops + k] = in.levels[k];
    for (uint32_t k = 0; k < o->ntests; k++) {
        o->tests[k] = in.tests[k];
        o->tests[k].inside -= nvalues;
    }
    return found == moved;
}

/* ---- what comes out ---- */

struct extent {
    int64_t low, high;
};

static void widen(void *user, int64_t first) {
    struct extent *e = user;
    e->low = first < e->low ? first : e->low;
    e->high = first > e->high ? first : e->high;
}

bool cells_extent(struct plan *p, const struct plan_access *x, int64_t *out_low, int64_t *out_high) {
    struct extent e = {INT64_MAX, INT64_MIN};
    struct odometer o = {.plan = p, .visit = widen, .user = &e};
    if (!set_up(&o, x, NULL) || !turn(&o, 0, cells_constant(x)) || e.low > e.high)
        return false;
    *out_low = e.low;
    *out_high = e.high + x->desc.bytes;
    return true;
}

struct marks {
    struct cell_bits bits;
    int64_t origin;
    uint32_t bytes;
};

void cells_add(struct cell_bits *b, int64_t low, int64_t high) {
    for (int64_t k = low < 0 ? 0 : low; k < high && k < PLAN_MAX_ARRAY_BYTES; k++)
        b->bit[k / 64] |= UINT64_C(1) << (k % 64);
}

static void mark(void *user, int64_t first) {
    struct marks *m = user;
    cells_add(&m->bits, first - m->origin, first - m->origin + m->bytes);
}

static bool mark_all(struct plan *p, const struct plan_access *x, const struct loop *outer, struct marks *m) {
    struct odometer o = {.plan = p, .visit = mark, .user = m};
    return set_up(&o, x, outer) && turn(&o, 0, cells_constant(x));
}

void cells_touched(struct plan *p, const struct plan_access *x, int64_t origin, struct cell_bits *out) {
    struct marks m = {.origin = origin, .bytes = x->desc.bytes};
    if (!mark_all(p, x, NULL, &m))
        memset(&m.bits, 0xff, sizeof m.bits);
    for (uint32_t k = 0; k < CELL_WORDS; k++)
        out->bit[k] |= m.bits.bit[k];
}

void cells_swept(struct plan *p, const struct plan_access *x, struct loop *outer, int64_t origin,
                 struct cell_bits *out) {
    struct marks m = {.origin = origin, .bytes = x->desc.bytes};
    if (!mark_all(p, x, outer, &m))
        return;
    for (uint32_t k = 0; k < CELL_WORDS; k++)
        out->bit[k] |= m.bits.bit[k];
}
