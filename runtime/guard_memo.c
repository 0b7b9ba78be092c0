/* Remembers what the guard has answered; see guard_memo.h.
 *
 * The guard is a pure function of the kernel, the slots it looks at, and the limits.  So an answer holds as long as
 * those slots and limits are the same, bit for bit.  Scalars that only the kernel looks at (a colour, a factor) differ
 * from call to call and are not compared.  Two answers are kept, since loops that go over a pair of arrays to and fro
 * are as common as those that always see the same one; the older one gives way.
 */
#include "runtime/guard_memo.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/reduce.h"

enum { ANSWERS = 2 };

struct answer {
    bool known, yes;
    enum wm_fallback why; /* when not yes */
    struct wm_guard_limits limits;
    struct wm_launch_plan plan;
};

struct guard_memo {
    unsigned newest;
    unsigned nslots;               /* that the guard looks at */
    uint16_t index[OFF_MAX_SLOTS]; /* which those are */
    struct answer answers[ANSWERS];
    uint64_t numbers[]; /* for each answer nslots values */
};

static void mark(bool *used, uint64_t slot) {
    if (slot != WM_NO_SLOT)
        used[slot] = true;
}

static void mark_strides(bool *used, const struct wm_kernel *k, const uint64_t *stride_slot) {
    for (uint64_t d = 0; d < k->ndims; d++)
        mark(used, stride_slot[d]);
}

/* Descriptions of valid kernels name only slots below nslots, where they name any that matters. */
static void mark_slots(bool *used, const struct wm_kernel *k) {
    for (uint64_t i = 0; i < k->nconditions; i++)
        mark(used, k->condition_slots[i]);
    for (uint64_t d = 0; d < k->ndims; d++) {
        const struct wm_dim *dim = &k->dims[d];
        mark(used, dim->when_slot);
        if (dim->rel == OFF_TRIP_CONST || dim->rel == OFF_TRIP_RANGE || dim->unbounded)
            continue;
        mark(used, dim->step_slot);
        if (dim->varying)
            continue;
        mark(used, dim->init_slot);
        mark(used, dim->bound_slot);
    }
    for (uint64_t i = 0; i < k->nreduces; i++)
        if (wm_reduce_asks_start(&k->reduces[i]))
            mark(used, k->reduces[i].init_slot);
    for (uint64_t i = 0; i < k->nranges; i++)
        if (k->ranges[i].op == OFF_RANGE_AFFINE) {
            mark(used, k->ranges[i].base_slot);
            mark_strides(used, k, k->ranges[i].stride_slot);
        }
    for (uint64_t i = 0; i < k->naccesses; i++) {
        mark(used, k->accesses[i].base_slot);
        mark(used, k->accesses[i].when_slot);
        mark_strides(used, k, k->accesses[i].stride_slot);
    }
}

static struct guard_memo *memo_new(const struct wm_kernel *k) {
    bool used[OFF_MAX_SLOTS] = {false};
    mark_slots(used, k);
    unsigned n = 0;
    for (uint64_t i = 0; i < k->nslots; i++)
        n += used[i];
    struct guard_memo *m = calloc(1, sizeof *m + (size_t)ANSWERS * n * sizeof m->numbers[0]);
    if (!m)
        return NULL;
    for (uint64_t i = 0; i < k->nslots; i++)
        if (used[i])
            m->index[m->nslots++] = (uint16_t)i;
    return m;
}

static bool holds_still(const struct guard_memo *m, unsigned a, const uint64_t *slots,
                        const struct wm_guard_limits *limits) {
    const struct answer *answer = &m->answers[a];
    if (!answer->known || answer->limits.memory_bytes != limits->memory_bytes ||
        answer->limits.min_work != limits->min_work || answer->limits.aligned != limits->aligned ||
        answer->limits.workers != limits->workers || answer->limits.interleaved != limits->interleaved)
        return false;
    const uint64_t *numbers = m->numbers + (size_t)a * m->nslots;
    for (unsigned i = 0; i < m->nslots; i++)
        if (numbers[i] != slots[m->index[i]])
            return false;
    return true;
}

bool guard_memo_decide(struct guard_memo **memo, const struct wm_kernel *k, const uint64_t *slots,
                       const struct wm_guard_limits *limits, struct wm_launch_plan *out, enum wm_fallback *out_why) {
    struct guard_memo *m = *memo;
    if (!m)
        m = *memo = memo_new(k);
    if (!m)
        return wm_guard_decide(k, slots, limits, out, out_why);
    for (unsigned n = 0; n < ANSWERS; n++) {
        unsigned a = (m->newest + n) % ANSWERS;
        if (!holds_still(m, a, slots, limits))
            continue;
        m->newest = a;
        *out = m->answers[a].plan;
        *out_why = m->answers[a].why;
        return m->answers[a].yes;
    }
    m->newest = (m->newest + ANSWERS - 1) % ANSWERS;
    struct answer *answer = &m->answers[m->newest];
    answer->why = WM_FALLBACK_COUNT;
    answer->yes = wm_guard_decide(k, slots, limits, &answer->plan, &answer->why);
    answer->known = true;
    answer->limits = *limits;
    for (unsigned i = 0; i < m->nslots; i++)
        m->numbers[(size_t)m->newest * m->nslots + i] = slots[m->index[i]];
    *out = answer->plan;
    *out_why = answer->why;
    return answer->yes;
}

void guard_memo_free(struct guard_memo *memo) {
    free(memo);
}
