// Scatter: the address written depends on the data.
// expect: histogram stays
#include <stdint.h>
#include <stdio.h>

#define N 60000

static uint8_t v[N];
static uint32_t bins[256];

__attribute__((noinline)) void histogram(const uint8_t *p, int n, uint32_t *h) {
    for (int i = 0; i < n; i++)
        h[p[i]] += 1;
}

int main(void) {
    uint32_t s = 1;
    for (int i = 0; i < N; i++) {
        s = s * 1664525u + 1013904223u;
        v[i] = (uint8_t)((s >> 24) & (s >> 16));
    }
    histogram(v, N, bins);
    for (int i = 0; i < 256; i += 51)
        printf("%d: %u\n", i, (unsigned)bins[i]);
    return 0;
}
