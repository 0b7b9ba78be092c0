// Bit tricks over words: population counts, bit matrix transposition in blocks, Morton codes, packing of booleans.
// expect: morton launches
// expect: pack launches
// expect: transpose_blocks launches
#include <stdint.h>
#include <stdio.h>

#define N 64

static uint32_t code[N * N];
static uint8_t flags[N * 64];
static uint64_t words[N], turned[N];

__attribute__((noinline)) void morton(uint32_t *out, int w, int h) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint32_t a = (uint32_t)x, b = (uint32_t)y;
            a = (a | a << 8) & 0x00ff00ff, a = (a | a << 4) & 0x0f0f0f0f, a = (a | a << 2) & 0x33333333,
            a = (a | a << 1) & 0x55555555;
            b = (b | b << 8) & 0x00ff00ff, b = (b | b << 4) & 0x0f0f0f0f, b = (b | b << 2) & 0x33333333,
            b = (b | b << 1) & 0x55555555;
            out[y * w + x] = a | b << 1;
        }
}

__attribute__((noinline)) void pack(const uint8_t *in, uint64_t *out, int n) {
    for (int i = 0; i < n; i++) {
        uint64_t w = 0;
        for (int k = 0; k < 64; k++)
            w |= (uint64_t)(in[i * 64 + k] & 1) << k;
        out[i] = w;
    }
}

__attribute__((noinline)) void transpose_blocks(const uint64_t *in, uint64_t *out, int n) {
    for (int i = 0; i < n; i++) {
        uint64_t x = in[i], t;
        t = (x ^ x >> 7) & 0x00aa00aa00aa00aaull, x ^= t ^ t << 7;
        t = (x ^ x >> 14) & 0x0000cccc0000ccccull, x ^= t ^ t << 14;
        t = (x ^ x >> 28) & 0x00000000f0f0f0f0ull, x ^= t ^ t << 28;
        out[i] = x + (uint64_t)__builtin_popcountll(x);
    }
}

int main(void) {
    for (int i = 0; i < N * 64; i++)
        flags[i] = (uint8_t)(i * i >> 3);
    morton(code, N, N);
    pack(flags, words, N);
    transpose_blocks(words, turned, N);
    uint64_t h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + turned[i] + code[i * 65 % (N * N)];
    printf("%016llx\n", (unsigned long long)h);
    return 0;
}
