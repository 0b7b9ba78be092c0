// What a loop comes to: sums, extremes with their places, flags and last places, several in one loop, beside stores.
// expect: checksum launches
// expect: extremes launches
// expect: greatest launches
// expect: first_least launches
// expect: last_least launches
// expect: any_above launches
// expect: last_zero launches
// expect: matches launches
// expect: histogram_free launches
// expect: rows launches
// expect: kept launches
// expect: running stays
// expect: total stays
// truth: checksum parallel
// truth: extremes parallel
// truth: greatest parallel
// truth: first_least parallel
// truth: last_least parallel
// truth: any_above parallel
// truth: last_zero parallel
// truth: matches parallel
// truth: histogram_free parallel
// truth: rows parallel
// truth: kept parallel
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#define N 20000

static int a[N], b[N];
static float f[N];
static double d[N];
static unsigned char bytes[N];

__attribute__((noinline)) uint64_t checksum(const int *p, int n) {
    uint64_t sum = 0, product = 1;
    uint32_t mix = 0;
    for (int i = 0; i < n; i++) {
        sum += (uint32_t)p[i];
        product *= (uint32_t)p[i] | 1;
        mix ^= (uint32_t)p[i] * 2654435761u;
    }
    return sum ^ product ^ mix;
}

__attribute__((noinline)) void extremes(const int *p, int n, int *lo, int *hi) {
    int least = INT32_MAX, most = INT32_MIN;
    for (int i = 0; i < n; i++) {
        if (p[i] < least)
            least = p[i];
        if (p[i] > most)
            most = p[i];
    }
    *lo = least;
    *hi = most;
}

// A NaN on either side makes this take the element.
__attribute__((noinline)) float greatest(const float *p, int n) {
    float m = p[0];
    for (int i = 1; i < n; i++)
        m = m > p[i] ? m : p[i];
    return m;
}

__attribute__((noinline)) int first_least(const double *p, int n) {
    double m = p[0];
    int at = 0;
    for (int i = 1; i < n; i++)
        if (p[i] < m) {
            m = p[i];
            at = i;
        }
    return at;
}

__attribute__((noinline)) int last_least(const float *p, int n, float *out) {
    float m = p[0];
    int at = 0;
    for (int i = 1; i < n; i++)
        if (p[i] <= m) {
            m = p[i];
            at = i;
        }
    *out = m;
    return at;
}

__attribute__((noinline)) int any_above(const int *p, int n, int limit) {
    int any = 0, all = 1;
    for (int i = 0; i < n; i++) {
        any |= p[i] > limit;
        all &= p[i] > limit;
    }
    return any * 2 + all;
}

__attribute__((noinline)) int last_zero(const int *p, int n) {
    int at = -1;
    for (int i = 0; i < n; i++)
        if (p[i] == 0)
            at = i;
    return at;
}

__attribute__((noinline)) int matches(const unsigned char *p, int n, unsigned char c) {
    int count = 0;
    for (int i = 0; i < n; i++)
        if (p[i] == c)
            count++;
    return count;
}

// A map beside a reduction.
__attribute__((noinline)) int histogram_free(const int *p, int *q, int n) {
    int changed = 0;
    for (int i = 0; i < n; i++) {
        int v = p[i] / 3 + 1;
        changed += v != q[i];
        q[i] = v;
    }
    return changed;
}

__attribute__((noinline)) long rows(const unsigned char *p, int w, int h) {
    long sum = 0;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            sum += p[y * w + x] * (x ^ y);
    return sum;
}

// Stored again and again, as far as the compiler knows the addresses may be the same.
__attribute__((noinline)) void kept(const int *p, int n, int *sum) {
    for (int i = 0; i < n; i++)
        *sum += p[i];
}

// Each iteration stores what the sum has come to.
__attribute__((noinline)) void running(const int *p, int *q, int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
        sum += p[i];
        q[i] = sum;
    }
}

__attribute__((noinline)) double total(const double *p, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += p[i];
    return sum;
}

int main(void) {
    uint32_t seed = 12345;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525 + 1013904223;
        a[i] = (int)(seed >> 8) % 5001;
        f[i] = (float)(int)(seed >> 12 & 1023) - 512;
        d[i] = (double)(int)(seed >> 20);
        bytes[i] = (unsigned char)(seed >> 24);
    }
    f[N / 2] = -0.0f;
    int lo, hi;
    float least;
    extremes(a, N, &lo, &hi);
    printf("%llx %d %d\n", (unsigned long long)checksum(a, N), lo, hi);
    printf("%g", greatest(f, N));
    f[N / 3] = NAN;
    printf(" %g", greatest(f, N));
    f[N - 1] = NAN;
    printf(" %d", isnan(greatest(f, N)));
    f[0] = NAN;
    printf(" %d\n", last_least(f, N, &least));
    f[0] = 3;
    printf("%d %d", last_least(f, N, &least), first_least(d, N));
    printf(" %g %d %d\n", least, any_above(a, N, 4990), any_above(a, N, -1));
    printf("%d %d %d %d\n", last_zero(a, N), last_zero(a, 64), matches(bytes, N, 7), histogram_free(a, b, N));
    printf("%d %ld\n", histogram_free(a, b, N), rows(bytes, 200, 100));
    running(a, b, N);
    kept(a, N, &lo);
    kept(b, 1000, &b[500]);
    printf("%d %g %d %d\n", b[N - 1], total(d, N), lo, b[500]);
    return 0;
}
