/* Groups the accesses of a plan into streams: bindings of one memory range each.
 *
 * Accesses whose bases differ by a constant walk through the same array, so they share a stream; with nothing but a
 * constant between them they might also be two global arrays, so groups are cut at gaps.  When that gives more streams
 * than a device can bind, gaps are allowed to grow, then groups that share a pointer are joined, then any that are used
 * alike: a larger range exposes no byte that is not inside linear memory, it only binds more.  The guard's questions
 * are about accesses, whatever their streams; but what an inspector may read, and whether an interrupted kernel can be
 * run again, is decided by whole ranges, so those that are only read are joined first.
 */
#include "ir/offload/plan.h"

struct group {
    const struct aff *key; /* base without its constant */
    int64_t low, high;     /* constants covered: of base + offset, in bytes */
    uint32_t stream;
};

static int64_t constant_of(const struct plan_access *x) {
    return (int64_t)(int32_t)aff_const_term(x->base) + (int64_t)x->desc.offset;
}

static const struct aff *key_of(struct plan *p, const struct plan_access *x) {
    return aff_drop_const(p->aff, x->base);
}

/* Whether the access is in a group of those made here: private memory has streams of its own. */
static bool has_stream(const struct plan_access *x) {
    return x->desc.stream != OFF_NO_STREAM && !x->private_group;
}

/* Streams by key and nearness; returns how many groups that takes (they may exceed the limit). */
static uint32_t group_by_key(struct plan *p, struct group *groups, uint32_t *group_of, int64_t gap) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->naccesses; i++) {
        const struct plan_access *x = &p->accesses[i];
        if (!has_stream(x))
            continue;
        const struct aff *key = key_of(p, x);
        int64_t low = constant_of(x), high = low + x->desc.bytes;
        uint32_t g = 0;
        while (g < n && !(aff_equal(groups[g].key, key) && low <= groups[g].high + gap && high >= groups[g].low - gap))
            g++;
        if (g == n)
            groups[n++] = (struct group){.key = key, .low = low, .high = high};
        groups[g].low = low < groups[g].low ? low : groups[g].low;
        groups[g].high = high > groups[g].high ? high : groups[g].high;
        group_of[i] = g;
    }
    return n;
}

/* A pointer that both keys contain with coefficient one, by itself. */
static bool share_pointer(const struct aff *a, const struct aff *b) {
    for (uint32_t i = 0; i < a->nterms; i++)
        for (uint32_t j = 0; j < b->nterms; j++)
            if (a->terms[i].degree == 1 && b->terms[j].degree == 1 && a->terms[i].coef == 1 && b->terms[j].coef == 1 &&
                a->terms[i].syms[0] == b->terms[j].syms[0])
                return true;
    return false;
}

static void join(uint32_t *group_of, uint32_t n, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; i < n; i++)
        if (group_of[i] == from)
            group_of[i] = to;
}

struct use {
    bool used, write;
    uint8_t min_bytes;
};

/* The greater, the less is lost by joining two groups.  Bytes beside words are stored in a slower way. */
static int likeness(const struct use *a, const struct use *b) {
    int of_use = a->write != b->write ? 0 : a->write ? 2 : 4;
    return of_use + (a->min_bytes == b->min_bytes);
}

/* Joins groups, numbered from 0 to n - 1, until `most` are left. */
static void join_alike(struct plan *p, uint32_t *group_of, uint32_t n, uint32_t most) {
    struct use uses[OFF_MAX_ACCESSES] = {0};
    for (uint32_t i = 0; i < p->naccesses; i++) {
        const struct off_access *x = &p->accesses[i].desc;
        struct use *u = &uses[group_of[i]];
        if (!has_stream(&p->accesses[i]))
            continue;
        u->write |= x->write;
        u->min_bytes = !u->used || x->bytes < u->min_bytes ? x->bytes : u->min_bytes;
        u->used = true;
    }
    for (uint32_t left = n; left > most; left--) {
        uint32_t from = 0, to = 0;
        int best = -1;
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < a && uses[a].used; b++)
                if (uses[b].used && likeness(&uses[a], &uses[b]) >= best) {
                    best = likeness(&uses[a], &uses[b]);
                    from = a;
                    to = b;
                }
        join(group_of, p->naccesses, from, to);
        uses[from].used = false;
        uses[to].write |= uses[from].write;
        uses[to].min_bytes = uses[from].min_bytes < uses[to].min_bytes ? uses[from].min_bytes : uses[to].min_bytes;
    }
}

static uint32_t renumber(uint32_t *group_of, uint32_t n) {
    uint32_t next = 0;
    uint32_t names[OFF_MAX_ACCESSES];
    for (uint32_t i = 0; i < n; i++)
        names[i] = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        if (names[group_of[i]] == UINT32_MAX)
            names[group_of[i]] = next++;
        group_of[i] = names[group_of[i]];
    }
    return next;
}

/* One stream over all of memory for every load whose address depends on data. */
static void add_gather_stream(struct plan *p) {
    struct off_stream *s = &p->streams[p->nstreams];
    *s = (struct off_stream){.read = true, .min_bytes = 255, .kind = OFF_STREAM_MEMORY};
    for (uint32_t i = 0; i < p->ngathers; i++) {
        uint8_t bytes = ir_info(p->gathers[i])->bytes;
        s->min_bytes = bytes < s->min_bytes ? bytes : s->min_bytes;
        s->max_bytes = bytes > s->max_bytes ? bytes : s->max_bytes;
    }
    p->gather_stream = (uint8_t)p->nstreams++;
}

bool plan_assign_streams(struct plan *p) {
    struct group groups[OFF_MAX_ACCESSES];
    uint32_t group_of[OFF_MAX_ACCESSES] = {0};
    /* An inspector has a stream for its status word. */
    uint32_t most = OFF_MAX_STREAMS - (p->ngathers != 0) - (p->ngathers || p->nchecked) - (p->nreduces != 0);
    if (p->nprivates >= most)
        return false;
    most -= p->nprivates;
    uint32_t n = most + 1;
    for (int64_t gap = 256; n > most && gap <= INT64_C(1) << 32; gap <<= 8)
        n = group_by_key(p, groups, group_of, gap);
    if (n > most) {
        for (uint32_t i = 0; i < p->naccesses; i++)
            for (uint32_t k = 0; k < i && has_stream(&p->accesses[i]); k++)
                if (has_stream(&p->accesses[k]) && group_of[i] != group_of[k] &&
                    share_pointer(key_of(p, &p->accesses[i]), key_of(p, &p->accesses[k])))
                    join(group_of, p->naccesses, group_of[i], group_of[k]);
        n = renumber(group_of, p->naccesses);
    }
    if (n > most) {
        join_alike(p, group_of, n, most);
        n = renumber(group_of, p->naccesses);
    }
    p->nstreams = n;
    for (uint32_t s = 0; s < n; s++)
        p->streams[s] = (struct off_stream){.min_bytes = 255};
    for (uint32_t i = 0; i < p->naccesses; i++) {
        struct off_access *x = &p->accesses[i].desc;
        if (!has_stream(&p->accesses[i]))
            continue;
        struct off_stream *s = &p->streams[group_of[i]];
        x->stream = (uint8_t)group_of[i];
        s->write |= x->write;
        s->read |= !x->write;
        s->min_bytes = x->bytes < s->min_bytes ? x->bytes : s->min_bytes;
        s->max_bytes = x->bytes > s->max_bytes ? x->bytes : s->max_bytes;
    }
    for (uint32_t g = 0; g < p->nprivates; g++) {
        p->streams[p->nstreams] = (struct off_stream){
            .write = true, .min_bytes = p->privates[g].words ? 4 : 1, .max_bytes = 4, .kind = OFF_STREAM_PRIVATE};
        p->privates[g].stream = (int16_t)p->nstreams++;
    }
    for (uint32_t i = 0; i < p->naccesses; i++)
        if (p->accesses[i].private_group)
            p->accesses[i].desc.stream = (uint8_t)p->privates[p->accesses[i].private_group - 1].stream;
    if (p->ngathers)
        add_gather_stream(p);
    if (p->nreduces) {
        p->streams[p->nstreams] =
            (struct off_stream){.write = true, .min_bytes = 4, .max_bytes = 8, .kind = OFF_STREAM_PARTIALS};
        for (uint32_t k = 0; k < p->nreduces; k++)
            if (p->reduces[k].type == IR_V128 && !p->reduces[k].desc.upper)
                p->streams[p->nstreams].max_bytes = 16;
        p->partials_stream = (uint8_t)p->nstreams++;
    }
    return true;
}
