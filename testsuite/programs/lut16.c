// A look-up table with 65,536 entries, indexed by samples: which of them are touched is not known before the loop.
// expect: companding launches
// expect: remap launches
#include <stdint.h>
#include <stdio.h>

#define N 30000

static uint16_t in[N];
static int16_t out[N], table[65536];
static uint32_t big[40000], index32[N], result[N];

__attribute__((noinline)) void companding(int16_t *to, const uint16_t *from, const int16_t *t, int n) {
    for (int i = 0; i < n; i++)
        to[i] = t[from[i]];
}

__attribute__((noinline)) void remap(uint32_t *to, const uint32_t *index, const uint32_t *t, int n) {
    for (int i = 0; i < n; i++)
        to[i] = t[index[i]] ^ (uint32_t)i;
}

int main(void) {
    for (int i = 0; i < 65536; i++)
        table[i] = (int16_t)(i * i >> 7);
    for (int i = 0; i < 40000; i++)
        big[i] = (uint32_t)i * 2654435761u;
    for (int i = 0; i < N; i++) {
        in[i] = (uint16_t)(i * 40503u);
        index32[i] = (uint32_t)i * 7919u % 40000u;
    }
    companding(out, in, table, N);
    remap(result, index32, big, N);
    uint32_t sum = 0;
    for (int i = 0; i < N; i++)
        sum = sum * 31 + (uint32_t)out[i] + result[i];
    printf("%u\n", sum);
    return 0;
}
