// Writes and reads that meet in few bytes, indices that repeat, counters and addresses that wrap, data that changes
// under a remembered answer, memory that grows in the middle. Each loop must leave the bytes that it leaves in its
// order. What may be launched of it is not asserted, apart from the control: the result is.
// build: -fwrapv -fno-strict-aliasing
// expect: control_store launches
// truth: control_store parallel
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))
enum { N = 2048, PAD = 512 };

static union {
    int32_t i[3 * N + PAD];
    uint32_t u[3 * N + PAD];
    float f[3 * N + PAD];
    uint8_t b[4 * (3 * N + PAD)];
    uint16_t h[2 * (3 * N + PAD)];
    uint64_t w[(3 * N + PAD) / 2];
} store;
static uint32_t index_of[N];
static uint64_t hash = 1;
static volatile int zero;

static int v(int x) {
    return x + zero;
}

static NOINLINE void refill(uint32_t x) {
    for (int i = 0; i < 3 * N + PAD; i++) {
        x = x * 1664525u + 1013904223u;
        store.u[i] = x >> 20;
    }
}

static NOINLINE void note(uint64_t result) {
    uint64_t h = hash ^ result;
    for (int i = 0; i < (3 * N + PAD) / 2; i++) {
        h = (h ^ store.w[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    hash = h;
}

// ---- a control: this is what it looks like ----

static NOINLINE void control_store(int32_t *a, const int32_t *b, int n) {
    for (int i = 0; i < n; i++)
        a[i] = b[i] * b[i] + 3;
}

// ---- bytes that meet ----

static NOINLINE void bytes_beside(uint8_t *p, const uint8_t *q, int n) { // of the same words, not the same bytes
    for (int i = 0; i < n; i++)
        p[2 * i] = (uint8_t)(q[2 * i + 1] + i);
}

static NOINLINE void some_bytes(uint8_t *p, const uint8_t *q, int n) {
    for (int i = 0; i < n; i++)
        if (q[i] & 1)
            p[i] = (uint8_t)(q[i] * 3);
}

static NOINLINE void nibbles(uint8_t *p, const uint8_t *q, int n) { // two iterations change one byte
    for (int i = 0; i < n; i++)
        p[i >> 1] = (uint8_t)(i & 1 ? (p[i >> 1] & 15) | (q[i] & 15) << 4 : (p[i >> 1] & 240) | (q[i] & 15));
}

static NOINLINE void bit_set(uint32_t *p, const uint32_t *q, int n) {
    for (int i = 0; i < n; i++)
        if (q[i] & 4)
            p[i >> 5] |= 1u << (i & 31);
}

static NOINLINE void rows_of_bytes(uint8_t *p, const uint8_t *q, int w, int h,
                                   int pitch) { // pitch below w: rows overlap
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            p[y * pitch + x] = (uint8_t)(q[y * w + x] + y);
}

static NOINLINE void wide_over_narrow(uint32_t *p, const uint8_t *q, int n) { // q lies in p
    for (int i = 0; i < n; i++)
        p[i] = q[i] * 5u;
}

static NOINLINE void narrow_over_wide(uint8_t *p, const uint64_t *q, int n) {
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(q[i] >> 7);
}

static NOINLINE void straddling(uint8_t *p, const uint8_t *q, int n, int step) { // four bytes every `step`
    for (int i = 0; i < n; i++) {
        uint32_t x;
        memcpy(&x, q + i * step, 4);
        x = x * 3 + 1;
        memcpy(p + i * step, &x, 4);
    }
}

static NOINLINE void flag(uint8_t *p, const uint32_t *q, int32_t *flag, int n) { // all write one place
    for (int i = 0; i < n; i++) {
        p[i] = (uint8_t)q[i];
        if (q[i] > 4000)
            *flag = i;
    }
}

static NOINLINE void bound_in_memory(uint8_t *p, const int32_t *n) { // the stores may reach the bound
    for (int i = 0; i < *n; i++)
        p[i] = 3;
}

struct view {
    int32_t *to;
    const int32_t *from;
    int32_t n, k;
};

static NOINLINE void through_view(const struct view *s) {
    for (int i = 0; i < s->n; i++)
        s->to[i] = s->from[i] + s->k;
}

static NOINLINE void row_pointers(int32_t **rows, const int32_t *q, int n, int m) { // two of them may be equal
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            rows[i][j] = rows[i][j] * 3 + q[j] + i;
}

static NOINLINE void gather_own(uint32_t *p, const uint32_t *at, int n) { // at may be p, or lead there
    for (int i = 0; i < n; i++)
        p[i] = at[at[i] & 1023] + 1;
}

static NOINLINE void permuted(uint32_t *p, const uint32_t *q, int n) {
    for (int i = 0; i < n; i++)
        p[index_of[i]] = q[i];
}

// ---- indices that repeat ----

static NOINLINE void cut_indices(uint32_t *p, const uint32_t *q, int n, uint32_t how) {
    switch (how) {
    case 0:
        for (int i = 0; i < n; i++)
            p[(uint8_t)i] = q[i];
        break;
    case 1:
        for (int i = 0; i < n; i++)
            p[(i * 5) & 1023] = q[i];
        break;
    case 2:
        for (int i = 0; i < n; i++)
            p[i % 99] = q[i];
        break;
    case 3:
        for (int i = 0; i < n; i++)
            p[i / 2] = q[i];
        break;
    case 4:
        for (int i = 0; i < n; i++)
            p[i ^ 5] = q[i];
        break;
    case 5:
        for (int i = 0; i < n; i++)
            p[(int8_t)i + 128] = q[i];
        break;
    case 6:
        for (uint32_t i = 0; i < (uint32_t)n; i++)
            p[i * 0x40000000u] = q[i];
        break;
    case 7:
        for (uint64_t i = 0; i < (uint64_t)n; i++)
            p[(uint32_t)(i * 0x4000000080000001ull) & 2047] = q[i];
        break;
    case 8:
        for (int i = 0; i < n; i++)
            p[i < 700 ? i : i - 700] = q[i];
        break;
    case 9:
        for (int i = 0; i < n; i++)
            p[i > 900 ? 900 : i] = q[i];
        break;
    case 10:
        for (int i = 0; i < n; i++)
            p[(i & 31) * 31 + (i >> 5)] = q[i];
        break;
    case 11:
        for (int i = 0; i < n; i++)
            p[i & ~1] += q[i];
        break;
    case 12:
        for (uint16_t i = 65000; i != (uint16_t)n; i++)
            p[i & 1023] = q[i & 2047];
        break;
    case 13:
        for (int i = 0; i < n; i++)
            p[i] = p[i & 255] + q[i];
        break;
    default:
        for (int i = 0; i < n; i++)
            p[i * (i + 1) / 2 & 2047] = q[i];
        break;
    }
}

static NOINLINE void by_step(uint32_t *p, const uint32_t *q, uint32_t n, uint32_t s) { // s * 4 wraps
    for (uint32_t i = 0; i < n; i++)
        p[i * s] = q[i] + i;
}

static NOINLINE void two_steps(uint32_t *p, const uint32_t *q, int n, int m, int s, int t) { // i*s + j*t meets itself
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            p[i * s + j * t] = q[i + j] + (uint32_t)(i * j);
}

static NOINLINE void transpose_in_place(uint32_t *p, int n, int half) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < (half ? i : n); j++) {
            uint32_t x = p[i * n + j];
            p[i * n + j] = p[j * n + i];
            p[j * n + i] = x;
        }
}

static NOINLINE void rows_added(uint32_t *p, int n, int m) { // reads the row above: only a row is parallel
    for (int i = 1; i < n; i++)
        for (int j = 0; j < m; j++)
            p[i * m + j] += p[(i - 1) * m + j] * 3;
}

static NOINLINE void skewed(uint32_t *p, int n, int m) { // reads the row above, one to the right
    for (int i = 1; i < n; i++)
        for (int j = 0; j + 1 < m; j++)
            p[i * m + j] += p[(i - 1) * m + j + 1] * 3 + p[i * m + j + 1];
}

// ---- counters ----

static NOINLINE uint32_t odd_counters(uint32_t *p, const uint32_t *q, int n, int how) {
    uint32_t s = 0;
    switch (how) {
    case 0:
        for (int i = 0; i < n; i++) {
            if (q[i] & 1)
                i++;
            p[i] = q[i] + 1;
        }
        break;
    case 1:
        for (int i = 0; i < n; i++) {
            if (q[i] & 1)
                n--;
            p[i] = q[i] + 1;
        }
        break;
    case 2:
        for (int i = 1; i < n; i *= 2)
            p[i] = q[i] + 1;
        break;
    case 3:
        for (int i = 0; i * i < n; i++)
            p[i] = q[i] + 1;
        break;
    case 4:
        for (int i = 2147483647 - 900; i > 0; i++)
            p[i & 1023] = q[i & 1023] + 1;
        break;
    case 5:
        for (uint32_t i = (uint32_t)n; i-- > 0;)
            p[i] = q[i] + 1;
        break;
    case 6: {
        int i = n;
        do
            p[i] = q[i] + 1;
        while (--i > n);
    } break;
    case 7:
        for (int8_t c = 5; c != 4; c = (int8_t)(c + 3))
            p[(uint8_t)c] = q[(uint8_t)c] + 1;
        break;
    case 8:
        for (float x = 0; x < (float)n; x += 1.0f)
            p[(int)x] = q[(int)x] + 1;
        break;
    case 9:
        for (uint32_t i = 0xfffffc00u; i != 0; i += 2)
            p[i & 1023] = q[i & 1023] + 1;
        break;
    case 10:
        for (uint64_t i = 0xfffffffful - 500; i < 0x100000000ull + 500; i++)
            p[i & 1023] = q[i & 1023] + 1;
        break;
    default:
        for (int i = 0, j = n - 1; i < j; i++, j--) {
            p[i] = q[j];
            p[j] = q[i];
            s += q[i];
        }
        break;
    }
    return s;
}

// ---- calls, private memory, growth ----

static int32_t calls;
static NOINLINE int32_t counting(int32_t x) {
    return x + calls++;
}
static NOINLINE void call_with_state(int32_t *p, const int32_t *q, int n) {
    for (int i = 0; i < n; i++)
        p[i] = counting(q[i]);
}

static NOINLINE int32_t twice(int32_t x) {
    return 2 * x;
}
static NOINLINE int32_t thrice(int32_t x) {
    return 3 * x;
}
static int32_t (*operation)(int32_t) = twice;
static NOINLINE void through_pointer(int32_t *p, const int32_t *q, int n, int change) { // it changes in the middle
    for (int i = 0; i < n; i++) {
        p[i] = operation(q[i]);
        if (i == change)
            operation = operation == twice ? thrice : twice;
    }
}

static NOINLINE int32_t private_or_not(int32_t *p, const int32_t *q, int n, int k) { // written in some iterations only
    int32_t w[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int i = 0; i < n; i++) {
        if (q[i] & 1)
            for (int x = 0; x < 8; x++)
                w[x] = q[i + x];
        w[(k + i) & 7] ^= i;
        p[i] = w[k & 7] + w[(i + 3) & 7];
    }
    return w[2] + w[5];
}

static NOINLINE int32_t private_tail(int32_t *p, const int32_t *q, int n, int m) { // w[m] and on is left by the others
    int32_t w[8] = {0};
    for (int i = 0; i < n; i++) {
        for (int x = 0; x < (q[i] & 7); x++)
            w[x] = q[i + x];
        p[i] = w[0] + w[m & 7];
    }
    return w[7] + w[3];
}

static NOINLINE void grows(uint8_t *p, int n, int at) { // there is room for the rest only after it has grown
    for (int i = 0; i < n; i++) {
        if (i == at)
            __builtin_wasm_memory_grow(0, 1);
        p[i] = (uint8_t)i;
    }
}

static void say(const char *name) {
    printf("%-20s %016llx\n", name, (unsigned long long)hash);
}
#define CALL(seed, call) (refill(seed), call, note(0))

int main(void) {
    int n = v(N);
    CALL(1, control_store(store.i, store.i + N, n)), say("control_store");
    CALL(10, bytes_beside(store.b, store.b, n)), CALL(10, bytes_beside(store.b, store.b + v(1), n)),
        CALL(10, bytes_beside(store.b + 1, store.b, n));
    CALL(10, bytes_beside(store.b, store.b + 2 * N - v(1), n)), say("bytes_beside");
    for (int d = -5; d < 6; d++)
        CALL(11, some_bytes(store.b + 8, store.b + 8 + v(d), n)), CALL(11, some_bytes(store.b, store.b + N + v(d), n));
    say("some_bytes");
    CALL(12, nibbles(store.b, store.b + N, n)), CALL(12, bit_set(store.u, store.u + N, n)), say("nibbles");
    for (int d = -2; d < 3; d++)
        CALL(13, rows_of_bytes(store.b, store.b + 4096, v(37), v(41), v(37 + d)));
    say("rows_of_bytes");
    for (int d = -5; d < 9; d++)
        CALL(14, wide_over_narrow(store.u + 16, store.b + 64 + v(4 * N + d), n)),
            CALL(14, wide_over_narrow(store.u + 16, store.b + 64 - v(N + d), n));
    CALL(14, wide_over_narrow(store.u, store.b + v(2), n)), CALL(14, wide_over_narrow(store.u, store.b + v(6000), n)),
        say("wide_over_narrow");
    for (int d = -9; d < 10; d += 3)
        CALL(15, narrow_over_wide(store.b + v(N + d), store.w + N / 8, v(700))),
            CALL(15, narrow_over_wide(store.b + 64 + v(d), store.w + 8, v(700)));
    say("narrow_over_wide");
    for (int s = 1; s < 8; s++)
        CALL(16, straddling(store.b, store.b + v(4 * N), v(999), v(s))),
            CALL(16, straddling(store.b, store.b, v(999), v(s)));
    say("straddling");
    CALL(17, flag(store.b, store.u + N, store.i + 2 * N, n)),
        CALL(17, flag(store.b, store.u + N, store.i + N + 100, n)),
        CALL(17, flag(store.b, store.u + N, store.i + 20, n));
    say("flag");
    for (int d = -2; d < 6; d++) {
        refill(18), memcpy(store.b + 1200, &(int32_t){v(900)}, 4);
        bound_in_memory(store.b + 300 + v(d), (int32_t *)(store.b + 1200)), note(0);
    }
    say("bound_in_memory");
    for (int d = 0; d < 4; d++) {
        struct view *s = (struct view *)(store.w + 8);
        refill(19);
        int32_t *at = d < 2 ? store.i + N : d == 2 ? (int32_t *)(s + 1) : &s->k;
        *s = (struct view){at, store.i + (d & 1 ? 2 * N : N + 1), v(900), v(5)};
        through_view(s), note(0);
    }
    say("through_view");
    for (int d = 0; d < 3; d++) {
        int32_t *rows[40];
        refill(20);
        for (int i = 0; i < 40; i++)
            rows[i] = store.i + 64 * (d == 1 && i == 33 ? 7 : i) + (d == 2 ? 32 * (i & 1) : 0);
        row_pointers(rows, store.i + 2 * N + 1024, v(40), v(64)), note(0);
    }
    say("row_pointers");
    CALL(21, gather_own(store.u, store.u + N, n)), CALL(21, gather_own(store.u, store.u, n)),
        CALL(21, gather_own(store.u + v(900), store.u, v(1000)));
    CALL(21, gather_own(store.u + v(2000), store.u, v(1000))), say("gather_own");
    for (int round = 0; round < 6; round++) { // the same numbers each time; data decides
        for (int i = 0; i < N; i++)
            index_of[i] = (uint32_t)(round == 3 ? i / 2 : round == 4 && i == 5 ? 6 : (i * 7) & (N - 1));
        CALL(22, permuted(store.u, store.u + N, n));
        refill(23), store.u[N + 17] = round & 1 ? 4090 : 5, gather_own(store.u + 1000, store.u + N, v(1000)), note(0);
    }
    say("permuted");

    for (uint32_t how = 0; how < 15; how++)
        CALL(24 + how, cut_indices(store.u, store.u + N, v(1023), (uint32_t)v((int)how)));
    say("cut_indices");
    for (int s = 0; s < 4; s++)
        CALL(40, by_step(store.u + N, store.u, 600, (uint32_t)v(s) + 0x40000000u * (uint32_t)(s & 1))),
            CALL(40, by_step(store.u + N, store.u, 600, (uint32_t)v(-s)));
    say("by_step");
    for (int s = 1; s < 40; s += 9)
        for (int t = 1; t < 40; t += 10)
            CALL(41, two_steps(store.u, store.u + 2 * N, v(25), v(30), v(s), v(t)));
    say("two_steps");
    CALL(42, transpose_in_place(store.u, v(50), v(1))), CALL(42, transpose_in_place(store.u, v(50), v(0))),
        say("transpose_in_place");
    CALL(43, rows_added(store.u, v(40), v(50))), CALL(43, skewed(store.u, v(40), v(50))), say("rows_added");

    for (int how = 0; how < 12; how++)
        refill(50), note(odd_counters(store.u, store.u + N, v(1000), v(how)));
    say("odd_counters");

    CALL(60, call_with_state(store.i, store.i + N, n)), say("call_with_state");
    CALL(61, through_pointer(store.i, store.i + N, n, -1)), CALL(61, through_pointer(store.i, store.i + N, n, v(500))),
        CALL(61, through_pointer(store.i, store.i + N, n, v(5000)));
    say("through_pointer");
    for (int k = 0; k < 3; k++) {
        refill(62), note((uint64_t)private_or_not(store.i, store.i + N, v(1500), v(k)));
        refill(63), note((uint64_t)private_tail(store.i, store.i + N, v(1500), v(k)));
    }
    say("private");
    uint8_t *end = (uint8_t *)(__builtin_wasm_memory_size(0) * 65536 - 3000);
    for (int k = 0; k < 3; k++)
        grows(end, v(k == 1 ? 60000 : 2900), v(k == 1 ? 2950 : 100000)),
            hash += end[v(2800)] + __builtin_wasm_memory_size(0);
    hash += end[59999];
    say("grows");
    return 0;
}
