// Pixels through a palette, and a scatter by a permutation that only the programmer knows to be one.
// expect: expand launches
// expect: shuffle any
// truth: shuffle parallel
#include <stdint.h>
#include <stdio.h>

#define N 20000

static uint8_t index8[N];
static uint32_t palette[256], rgba[N], shuffled[N];
static int order[N];

__attribute__((noinline)) void expand(const uint8_t *in, const uint32_t *pal, uint32_t *out, int n) {
    for (int i = 0; i < n; i++)
        out[i] = pal[in[i]] | 0xff000000u;
}

__attribute__((noinline)) void shuffle(const uint32_t *in, const int *to, uint32_t *out, int n) {
    for (int i = 0; i < n; i++)
        out[to[i]] = in[i];
}

int main(void) {
    for (int i = 0; i < 256; i++)
        palette[i] = (uint32_t)i * 65793u ^ 0x5a5a5au;
    for (int i = 0; i < N; i++) {
        index8[i] = (uint8_t)(i * 31 + i / 256);
        order[i] = (i * 7919) % N; // 7919 is prime and does not divide N
    }
    expand(index8, palette, rgba, N);
    shuffle(rgba, order, shuffled, N);
    uint32_t h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + shuffled[i];
    printf("%08x\n", h);
    return 0;
}
