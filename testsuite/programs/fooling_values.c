// Values carried around a loop that look like sums, extremes and last values, and are not, or not quite; and statements
// that look as if they could be pulled apart. Each loop must leave the bytes that it leaves in its order. What may be
// launched of it is not asserted, apart from the controls: the result is.
// build: -fwrapv -fno-strict-aliasing
// expect: control_sum launches
// expect: control_max launches
// simd: control_sum any
// simd: control_max any
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

static NOINLINE void refill_floats(uint32_t x) {
    static const uint32_t special[8] = {0x80000000, 0, 0x7fc00000, 0x80000000, 0x7f800000, 0xff800000, 1, 0x80000001};
    for (int i = 0; i < 3 * N + PAD; i++) {
        x = x * 1664525u + 1013904223u;
        store.f[i] = (float)(x >> 24);
        if (x >> 28 == 3)
            store.u[i] = special[x >> 20 & 7];
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

static uint64_t bits(float x) {
    uint32_t u = 1;
    if (x == x)
        memcpy(&u, &x, 4);
    return u;
}

// ---- controls: these are what they look like ----

static NOINLINE int32_t control_sum(const int32_t *a, int n) {
    int32_t s = 0;
    for (int i = 0; i < n; i++)
        s += a[i] * a[i];
    return s;
}

static NOINLINE int32_t control_max(const int32_t *a, int n) {
    int32_t m = -1;
    for (int i = 0; i < n; i++)
        m = a[i] * 3 > m ? a[i] * 3 : m;
    return m;
}

// ---- carried values ----

static NOINLINE int32_t alternating(const int32_t *a, int n) { // x - s is no sum
    int32_t s = 0;
    for (int i = 0; i < n; i++)
        s = a[i] - s;
    return s;
}

static NOINLINE int32_t saturating(const int32_t *a, int n) {
    int32_t s = 0;
    for (int i = 0; i < n; i++) {
        s += a[i] - 2000;
        if (s > 5000)
            s = 5000;
    }
    return s;
}

static NOINLINE uint32_t remainder_of(const uint32_t *a, int n) {
    uint32_t s = 0;
    for (int i = 0; i < n; i++)
        s = (s + a[i]) % 1000003u;
    return s;
}

static NOINLINE uint32_t truncated(const uint32_t *a, int n) { // a sum modulo 256, and one that is not quite
    uint8_t s = 0;
    uint32_t t = 0;
    for (int i = 0; i < n; i++) {
        s = (uint8_t)(s + a[i]);
        t = (t + a[i]) & 0xff7f;
    }
    return s * 65536u + t;
}

static NOINLINE uint32_t two_operations(const uint32_t *a, int n) {
    uint32_t s = 1, t = 1;
    for (int i = 0; i < n; i++) {
        s = (s + a[i]) ^ a[i + 1];
        t = (t | a[i]) & ~a[i + 1];
    }
    return s * 31 + t;
}

static NOINLINE uint32_t two_chains(const uint32_t *a, int n) { // the sums change places
    uint32_t s = 0, t = 0;
    for (int i = 0; i < n; i++) {
        uint32_t x = s + a[i];
        s = t;
        t = x;
    }
    return s * 31 + t;
}

static NOINLINE int32_t records(const int32_t *a, int n) { // how often the maximum grows
    int32_t m = -1, count = 0;
    for (int i = 0; i < n; i++)
        if (a[i] > m) {
            m = a[i];
            count++;
        }
    return m * 100 + count;
}

static NOINLINE int32_t second(const int32_t *a, int n) {
    int32_t m = -1, old = -1;
    for (int i = 0; i < n; i++)
        if (a[i] > m) {
            old = m;
            m = a[i];
        }
    return m * 10000 + old;
}

static NOINLINE int32_t second_exactly(const int32_t *a, int n) {
    int32_t m = -1, old = -1;
    for (int i = 0; i < n; i++) {
        if (a[i] > m) {
            old = m;
            m = a[i];
        } else if (a[i] > old) {
            old = a[i];
        }
    }
    return m * 10000 + old;
}

static NOINLINE int32_t since_maximum(const int32_t *a, int n) { // a sum that starts again
    int32_t m = -1, s = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] > m) {
            m = a[i];
            s = 0;
        }
        s += a[i];
    }
    return m ^ s;
}

static NOINLINE int32_t other_value(const int32_t *a, int n) { // what is compared is not what is kept
    int32_t m = -1, l = -1, k = 50000;
    for (int i = 0; i < n; i++) {
        if (a[i] * 2 > m)
            m = a[i];
        if (a[i] > l)
            l = a[i] + 1;
        if (a[i] < (k & 0xfff))
            k = a[i];
    }
    return m + 7 * l + 49 * k;
}

static NOINLINE int32_t wrong_sign(const int32_t *a, int n) { // kept as signed, compared as unsigned, and differently
    int32_t m = 0, k = 0;
    for (int i = 0; i < n; i++) {
        int32_t x = a[i] - 2000;
        if ((uint32_t)x > (uint32_t)m)
            m = x;
        if (i & 1 ? x > k : x < k)
            k = x;
    }
    return m * 31 + k;
}

static NOINLINE int32_t last_of(const int32_t *a, int n) { // first, last, and one that asks for the last
    int32_t at = -1, first = -1, third = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] % 97 == 5)
            at = i;
        if (first < 0 && a[i] % 89 == 7)
            first = i;
        if (at >= 0 && a[i] > at)
            third = a[i];
    }
    return at + 4096 * first + third;
}

static NOINLINE int32_t decaying(const int32_t *a, int n) {
    int32_t m = 0;
    for (int i = 0; i < n; i++)
        m = a[i] > m ? a[i] : m - 1;
    return m;
}

static NOINLINE int32_t crossing(const int32_t *a, int n) { // each extreme looks at the other
    int32_t lo = 4000, hi = 0, s = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] < lo)
            lo = a[i];
        if (a[i] > hi)
            hi = a[i];
        s += hi - lo;
    }
    return s;
}

static NOINLINE uint64_t extremes_of_floats(const float *a, int n) { // NaNs, and zeros of both signs
    float lo = a[0], hi = a[0], le = 0.0f, ge = -0.0f;
    int at = -1, last = -1;
    for (int i = 0; i < n; i++) {
        lo = a[i] < lo ? a[i] : lo;
        hi = hi > a[i] ? hi : a[i];
        if (a[i] <= le) {
            le = a[i];
            last = i;
        }
        if (!(a[i] < ge)) {
            ge = a[i];
            at = i;
        }
    }
    return bits(lo) ^ bits(hi) << 8 ^ bits(le) << 16 ^ bits(ge) << 24 ^ (uint64_t)(at * 4096 + last) << 32;
}

static NOINLINE uint64_t wasm_extremes(const float *a, int n) {
    float lo = 1e30f, hi = -0.0f;
    for (int i = 0; i < n; i++) {
        lo = __builtin_wasm_min_f32(lo, a[i]);
        hi = __builtin_wasm_max_f32(a[i], hi);
    }
    return bits(lo) << 32 ^ bits(hi);
}

static NOINLINE uint64_t rounded_extreme(const float *a, int n) { // the comparison is in another type
    int32_t m = 0;
    float k = 0;
    double d = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] > (float)m && a[i] < 1e6f)
            m = (int32_t)a[i] + (i & 1);
        if ((double)a[i] * 1.5 > d)
            d = a[i];
        k = a[i] > k ? a[i] + 0.5f : k;
    }
    return (uint64_t)m << 40 ^ bits((float)d) << 20 ^ bits(k);
}

static NOINLINE uint64_t float_sums(const float *a, float *b, int n) { // their order is part of the result
    float s = 0, t = 1;
    for (int i = 0; i < n; i++) {
        float x = a[i] > -100.0f && a[i] < 1000.0f ? a[i] : 0.25f;
        s += x * 0.1f;
        t *= 1.0f + x * 0.0001f;
        b[i] = x + 1.0f;
    }
    return bits(s) << 32 ^ bits(t);
}

static NOINLINE int32_t sum_and_show(int32_t *b, const int32_t *a, int n) { // looked at once in a while
    int32_t s = 0;
    for (int i = 0; i < n; i++) {
        s += a[i];
        if ((i & 511) == 300)
            b[i] = s;
    }
    return s;
}

static NOINLINE int32_t sum_decides(const int32_t *a, int n) {
    int32_t s = 0, c = 0;
    for (int i = 0; i < n; i++) {
        if (s & 64)
            c++;
        s += a[i];
    }
    return s * 7 + c;
}

// ---- statements that look as if they could be pulled apart ----

static NOINLINE int32_t reads_later(int32_t *b, const int32_t *a, int n, int d) { // b[i + d] is still the old one
    int32_t s = 1;
    for (int i = 0; i < n; i++) {
        b[i] = a[i] * 3;
        s = s * 5 + b[i + d];
    }
    return s;
}

static NOINLINE int32_t reads_before(int32_t *b, const int32_t *a, int n) {
    int32_t s = 1;
    for (int i = 0; i < n; i++) {
        s = s * 5 + b[i];
        b[i] = a[i] * 3;
    }
    return s;
}

static NOINLINE int32_t reads_backwards(int32_t *b, const int32_t *a, int n) {
    int32_t s = 1;
    for (int i = 0; i < n; i++) {
        b[i] = a[i] ^ 9;
        s = s * 5 + b[n - 1 - i];
    }
    return s;
}

static NOINLINE void kept_load(int32_t *b, const int32_t *a, int n) { // b may be a, one further on
    int32_t last = a[0];
    for (int i = 1; i < n; i++) {
        int32_t x = a[i];
        b[i] = x - last;
        last = x;
    }
}

static NOINLINE int32_t exit_on_own(int32_t *b, const int32_t *a, int n) { // leaves because of what it wrote before
    for (int i = 1; i < n; i++) {
        if (b[i - 1] == 3000)
            return i;
        b[i] = a[i] | 8;
    }
    return -1;
}

static NOINLINE int32_t exit_on_same(int32_t *b, const int32_t *a, int n) {
    for (int i = 0; i < n; i++) {
        b[i] = a[i] ^ b[i];
        if (b[i] == v(77))
            return i;
    }
    return -1;
}

static void say(const char *name) {
    printf("%-20s %016llx\n", name, (unsigned long long)hash);
}
#define CARRIED(g) \
    refill(7), note((uint64_t)g((void *)store.u, v(N))), note((uint64_t)g((void *)store.u, v(700))), say(#g)
#define FLOATS(g) refill_floats(9), note(g(store.f, v(N))), note(g(store.f + 3, v(1000))), say(#g)
#define CALL(seed, call) (refill(seed), call, note(0))

int main(void) {
    int n = v(N);
    CARRIED(control_sum), CARRIED(control_max), CARRIED(alternating), CARRIED(saturating), CARRIED(remainder_of),
        CARRIED(truncated), CARRIED(two_operations);
    CARRIED(two_chains), CARRIED(records), CARRIED(second), CARRIED(second_exactly), CARRIED(since_maximum);
    CARRIED(other_value), CARRIED(wrong_sign), CARRIED(last_of), CARRIED(decaying), CARRIED(crossing),
        CARRIED(sum_decides);
    FLOATS(extremes_of_floats), FLOATS(wasm_extremes), FLOATS(rounded_extreme);
    refill_floats(5), note(float_sums(store.f, store.f + N, n)), note(float_sums(store.f, store.f, n)),
        say("float_sums");
    refill(3), note((uint64_t)sum_and_show(store.i + N, store.i, n)),
        note((uint64_t)sum_and_show(store.i + 1, store.i, n)), say("sum_and_show");

    for (int d = -3; d < 4; d++)
        refill(4), note((uint64_t)reads_later(store.i + N, store.i, v(1000), v(d)));
    say("reads_later");
    refill(5), note((uint64_t)reads_before(store.i + N, store.i, n)), note((uint64_t)reads_before(store.i, store.i, n)),
        say("reads_before");
    refill(6), note((uint64_t)reads_backwards(store.i + N, store.i, n)), say("reads_backwards");
    for (int d = -2; d < 3; d++)
        CALL(8, kept_load(store.i + 8 + v(d), store.i + 8, v(1500)));
    say("kept_load");
    for (int d = 0; d < 3; d++) {
        refill(9), store.i[N + 400] = 3000, store.i[400] = 3000 - 8 * d;
        note((uint64_t)exit_on_own(store.i + v(d & 1 ? 0 : N), store.i, v(1500)));
        note((uint64_t)exit_on_same(store.i + v(d & 1 ? 1 : N), store.i, v(1500)));
    }
    say("exits");
    return 0;
}
