// Greatest and least floats as C code writes them: fmaxf and its like, as the C library has them and written out, over
// numbers, zeros of both signs and NaNs.  Every result is compared to the bit: these functions take one of their
// arguments as it is, so that even the payload of a NaN that comes out is fixed.
// expect: greatest launches
// expect: greatest_left launches
// expect: least launches
// expect: amax launches
// expect: where_amax launches
// expect: written_out launches
// expect: compared launches
// expect: last_of_equals launches
// expect: propagates launches
// expect: chosen launches
// expect: both launches
// expect: whole launches
// expect: peaks launches
// expect: smoothed stays
// expect: mixed stays
// truth: greatest parallel
// truth: greatest_left parallel
// truth: least parallel
// truth: amax parallel
// truth: where_amax parallel
// truth: written_out parallel
// truth: compared parallel
// truth: last_of_equals parallel
// truth: propagates parallel
// truth: chosen parallel
// truth: both parallel
// truth: whole parallel
// truth: peaks parallel
// truth: smoothed serial
// truth: mixed serial
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 20000

static float f[N], out[N / 100];
static double d[N];

__attribute__((noinline)) float greatest(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        m = fmaxf(m, p[i]);
    return m;
}

__attribute__((noinline)) float greatest_left(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        m = fmaxf(p[i], m);
    return m;
}

__attribute__((noinline)) double least(const double *p, int n, double m) {
    for (int i = 0; i < n; i++)
        m = fmin(m, p[i]);
    return m;
}

__attribute__((noinline)) float amax(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        m = fmaxf(m, fabsf(p[i]));
    return m;
}

// As ggml looks for the scale of a block: the value whose absolute value is the greatest.
__attribute__((noinline)) float where_amax(const float *p, int n, float *value) {
    float m = 0, at = 0;
    for (int i = 0; i < n; i++)
        if (m < fabsf(p[i])) {
            m = fabsf(p[i]);
            at = p[i];
        }
    *value = at;
    return m;
}

static uint32_t sign_of(float x) {
    uint32_t u;
    memcpy(&u, &x, 4);
    return u >> 31;
}

// The greater of two as C libraries have it that know nothing of f32.max.
__attribute__((noinline)) static float generic_fmaxf(float x, float y) {
    if (isnan(x))
        return y;
    if (isnan(y))
        return x;
    if (sign_of(x) != sign_of(y))
        return sign_of(x) ? y : x;
    return x < y ? y : x;
}

__attribute__((noinline)) float written_out(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        m = generic_fmaxf(m, p[i]);
    return m;
}

// The first of equal zeros.
__attribute__((noinline)) double compared(const double *p, int n, double m) {
    for (int i = 0; i < n; i++)
        m = isnan(m) || m < p[i] ? p[i] : m;
    return m;
}

// The last of equal zeros; a NaN to begin with makes that the CPU's.
__attribute__((noinline)) float last_of_equals(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        m = isnan(m) || p[i] <= m ? p[i] : m;
    return m;
}

// numpy.maximum: the first NaN is the result.
__attribute__((noinline)) float propagates(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        m = m >= p[i] || isnan(m) ? m : p[i];
    return m;
}

__attribute__((noinline)) float chosen(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        if (i % 3)
            m = fmaxf(m, p[i]);
    return m;
}

__attribute__((noinline)) void both(const float *p, int n, float *lo, float *hi) {
    float l = INFINITY, h = -INFINITY;
    for (int i = 0; i < n; i++) {
        l = fminf(l, p[i]);
        h = fmaxf(h, p[i]);
    }
    *lo = l;
    *hi = h;
}

// Over rows and columns.
__attribute__((noinline)) float whole(const float *p, int rows, int columns, float m) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            m = fmaxf(m, p[i * columns + j]);
    return m;
}

__attribute__((noinline)) void peaks(const float *p, float *to, int rows, int columns) {
    for (int i = 0; i < rows; i++) {
        float m = -INFINITY;
        for (int j = 0; j < columns; j++)
            m = fmaxf(m, fabsf(p[i * columns + j]));
        to[i] = m;
    }
}

// A peak meter that falls: no reduction.
__attribute__((noinline)) float smoothed(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        m = fmaxf(m * 0.999f, p[i]);
    return m;
}

// The greater and the lesser in turns: no reduction.
__attribute__((noinline)) float mixed(const float *p, int n, float m) {
    for (int i = 0; i < n; i++)
        m = i & 1 ? fmaxf(m, p[i]) : fminf(m, p[i]);
    return m;
}

static uint32_t bits(float x) {
    uint32_t u;
    memcpy(&u, &x, 4);
    return u;
}

static unsigned long long bits64(double x) {
    unsigned long long u;
    memcpy(&u, &x, 8);
    return u;
}

static float from_bits(uint32_t u) {
    float x;
    memcpy(&x, &u, 4);
    return x;
}

enum { NUMBERS, ZEROS, SOME_NANS, ALL_NANS, LOW, CASES };

static void fill(int which, uint32_t seed) {
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t r = seed >> 8;
        float x = (float)((int)(r % 20001u) - 10000) / 64;
        uint32_t nan = 0x7fc00000u | (r & 1 ? 0x80000000u : 0) | (i & 0x3fff);
        if (which == ZEROS)
            x = r % 7 ? -1 : r & 64 ? 0.0f : -0.0f;
        if (which == LOW)
            x = -INFINITY;
        if (which == ALL_NANS || (which == SOME_NANS && r % 3 == 0))
            x = from_bits(nan);
        f[i] = x;
        d[i] = x;
        if (isnan(x)) {
            unsigned long long wide = 0x7ff8000000000000ull | ((unsigned long long)(nan >> 31) << 63) | (nan & 0x3fff);
            memcpy(&d[i], &wide, 8);
        }
    }
}

int main(void) {
    const float starts[] = {-INFINITY, INFINITY, 0.0f, -0.0f, -100, from_bits(0x7fc12345), from_bits(0xffc00007)};
    for (int which = 0; which < CASES; which++) {
        fill(which, 12345 + which);
        for (int s = 0; s < 7; s++) {
            float m = starts[s], lo, hi, at;
            double wide = m;
            if (isnan(m))
                memcpy(&wide, &(unsigned long long){0x7ff8000000054321ull}, 8);
            printf("%d %d: %08x %08x", which, s, bits(greatest(f, N, m)), bits(greatest_left(f, N, m)));
            printf(" %016llx %08x", bits64(least(d, N, wide)), bits(amax(f, N, m)));
            printf(" %08x %016llx", bits(written_out(f, N, m)), bits64(compared(d, N, wide)));
            printf(" %08x %08x", bits(last_of_equals(f, N, m)), bits(propagates(f, N, m)));
            printf(" %08x %08x", bits(chosen(f, N, m)), bits(whole(f, N / 100, 100, m)));
            printf(" %08x %08x\n", bits(smoothed(f, N, m)), bits(mixed(f, N, m)));
            if (s)
                continue;
            both(f, N, &lo, &hi);
            at = where_amax(f, N, &hi);
            peaks(f, out, N / 100, 100);
            uint32_t mix = 0;
            for (int i = 0; i < N / 100; i++)
                mix = mix * 31 + bits(out[i]);
            printf("%08x %08x %08x %08x\n", bits(lo), bits(hi), bits(at), mix);
        }
    }
    return 0;
}
