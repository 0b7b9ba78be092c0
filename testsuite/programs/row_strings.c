// Strings in a table of offsets: their lengths, hashes, and how often a letter occurs.  Where each ends is data.
// expect: measure launches
// expect: hash_all launches
#include <stdint.h>
#include <stdio.h>

#define N 2000

static char text[N * 12];
static uint32_t offset[N], length[N], hash[N];

__attribute__((noinline)) void measure(uint32_t *len, const char *t, const uint32_t *at, int n) {
    for (int i = 0; i < n; i++) {
        const char *p = t + at[i];
        uint32_t k = 0;
        while (p[k])
            k++;
        len[i] = k;
    }
}

__attribute__((noinline)) void hash_all(uint32_t *h, const char *t, const uint32_t *at, int n) {
    for (int i = 0; i < n; i++) {
        uint32_t x = 2166136261u;
        for (const char *p = t + at[i]; *p; p++)
            x = (x ^ (uint8_t)*p) * 16777619u;
        h[i] = x;
    }
}

int main(void) {
    uint32_t at = 0;
    for (int i = 0; i < N; i++) {
        offset[i] = at;
        for (int k = 0; k < i * 7 % 11; k++)
            text[at++] = (char)('a' + (i + k * 3) % 26);
        text[at++] = 0;
    }
    measure(length, text, offset, N);
    hash_all(hash, text, offset, N);
    uint32_t sum = 0;
    for (int i = 0; i < N; i++)
        sum = sum * 31 + length[i] + hash[i];
    printf("%u\n", sum);
    return 0;
}
