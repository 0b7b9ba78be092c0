// Hysteresis-like threshold: conditional stores, some elements are left alone.
// expect: threshold launches
#include <stdint.h>
#include <stdio.h>

#define N 45000

static int32_t data[N];
static uint8_t mask[N];

__attribute__((noinline)) void threshold(const int32_t *v, uint8_t *m, int n, int low, int high) {
    for (int i = 0; i < n; i++) {
        if (v[i] > high)
            m[i] = 255;
        else if (v[i] < low)
            m[i] = 0;
    }
}

int main(void) {
    uint32_t s = 14;
    for (int i = 0; i < N; i++) {
        s = s * 1664525u + 1013904223u;
        data[i] = (int32_t)(s >> 16) - 32768;
        mask[i] = (uint8_t)(i & 63);
    }
    threshold(data, mask, N, -5000, 12000);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 33 + mask[i];
    printf("%08x\n", h);
    return 0;
}
