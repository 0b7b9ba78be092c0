// A 64-bit mixing function on each element (the finaliser of MurmurHash3): multiplies, shifts and rotates of i64.
// expect: mix launches
#include <inttypes.h>
#include <stdio.h>

#define N 20000

static uint64_t v[N];

__attribute__((noinline)) void mix(uint64_t *p, int n, uint64_t seed) {
    for (int i = 0; i < n; i++) {
        uint64_t k = p[i] ^ seed;
        k ^= k >> 33;
        k *= 0xff51afd7ed558ccdULL;
        k ^= k >> 33;
        k *= 0xc4ceb9fe1a85ec53ULL;
        k ^= k >> 33;
        k = (k << 23) | (k >> 41);
        p[i] = k * 6364136223846793005ULL + 1442695040888963407ULL;
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        v[i] = (uint64_t)i;
    mix(v, N, 0x9e3779b97f4a7c15ULL);
    uint64_t x = 0;
    for (int i = 0; i < N; i++)
        x = x * 31 + v[i];
    printf("%016" PRIx64 "\n", x);
    return 0;
}
