// A small array on the stack in each iteration: sorting windows, and a histogram of each block.
// expect: rank_filter any
// truth: rank_filter parallel
// expect: block_modes any
// truth: block_modes parallel
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 4000

static uint8_t v[N], r[N], mode[N / 50];

__attribute__((noinline)) void rank_filter(const uint8_t *in, uint8_t *out, int n) {
    for (int i = 2; i < n - 2; i++) {
        uint8_t w[5];
        for (int k = 0; k < 5; k++)
            w[k] = in[i + k - 2];
        for (int a = 1; a < 5; a++)
            for (int b = a; b > 0 && w[b - 1] > w[b]; b--) {
                uint8_t t = w[b];
                w[b] = w[b - 1];
                w[b - 1] = t;
            }
        out[i] = w[2];
    }
}

__attribute__((noinline)) void block_modes(const uint8_t *in, uint8_t *out, int blocks, int size) {
    for (int b = 0; b < blocks; b++) {
        int count[16] = {0};
        for (int i = 0; i < size; i++)
            count[in[b * size + i] & 15]++;
        int best = 0;
        for (int k = 1; k < 16; k++)
            if (count[k] > count[best])
                best = k;
        out[b] = (uint8_t)best;
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        v[i] = (uint8_t)(i * i % 241);
    rank_filter(v, r, N);
    block_modes(r, mode, N / 50, 50);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + r[i] + mode[i / 50];
    printf("%08x\n", h);
    return 0;
}
