// Histogram equalisation: counting scatters, the cumulative table carries, applying it gathers through a table.
// expect: count stays
// expect: build_table stays
// expect: apply any
// truth: apply parallel
#include <stdint.h>
#include <stdio.h>

#define N 30000

static uint8_t img[N];
static uint32_t hist[256];
static uint8_t table[256];

__attribute__((noinline)) void count(const uint8_t *p, int n, uint32_t *h) {
    for (int i = 0; i < n; i++)
        h[p[i]]++;
}

__attribute__((noinline)) void build_table(const uint32_t *h, int n, uint8_t *t) {
    uint32_t sum = 0;
    for (int i = 0; i < 256; i++) {
        sum += h[i];
        t[i] = (uint8_t)((uint64_t)sum * 255 / (uint32_t)n);
    }
}

__attribute__((noinline)) void apply(uint8_t *p, int n, const uint8_t *t) {
    for (int i = 0; i < n; i++)
        p[i] = t[p[i]];
}

int main(void) {
    uint32_t s = 6;
    for (int i = 0; i < N; i++) {
        s = s * 1664525u + 1013904223u;
        img[i] = (uint8_t)(((s >> 24) * (s >> 24)) >> 9);
    }
    count(img, N, hist);
    build_table(hist, N, table);
    apply(img, N, table);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 33 + img[i];
    printf("%08x\n", h);
    return 0;
}
