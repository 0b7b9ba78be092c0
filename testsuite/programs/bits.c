// Bit counting, rotates and sign extension on 32- and 64-bit words.
// expect: bits32 launches
// expect: bits64 launches
#include <inttypes.h>
#include <stdio.h>

#define N 16001

static uint32_t a[N], ra[N];
static uint64_t b[N], rb[N];

__attribute__((noinline)) void bits32(const uint32_t *p, uint32_t *q, int n) {
    for (int i = 0; i < n; i++) {
        uint32_t x = p[i];
        uint32_t r = (uint32_t)__builtin_popcount(x) + (x ? (uint32_t)__builtin_clz(x) * 64u : 3u);
        r += (x << 7 | x >> 25) ^ (uint32_t)(int32_t)(int8_t)x ^ (uint32_t)((int32_t)(int16_t)(x >> 3) >> 2);
        q[i] = r + (x ? (uint32_t)__builtin_ctz(x) : 77u) + x % 1000u + (uint32_t)((int32_t)x / 7);
    }
}

__attribute__((noinline)) void bits64(const uint64_t *p, uint64_t *q, int n) {
    for (int i = 0; i < n; i++) {
        uint64_t x = p[i];
        uint64_t r = (uint64_t)__builtin_popcountll(x) + (x ? (uint64_t)__builtin_clzll(x) << 32 : 5u);
        r ^= (x << 41 | x >> 23) + (uint64_t)((int64_t)x >> 9);
        q[i] = (int64_t)x < (int64_t)r ? r - x : r ^ (x >> (i & 63));
    }
}

int main(void) {
    for (int i = 0; i < N; i++) {
        a[i] = (uint32_t)i * 2654435761u;
        b[i] = (uint64_t)i * 0x9e3779b97f4a7c15ULL;
    }
    bits32(a, ra, N);
    bits64(b, rb, N);
    uint64_t h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + ra[i] + rb[i];
    printf("%016" PRIx64 "\n", h);
    return 0;
}
