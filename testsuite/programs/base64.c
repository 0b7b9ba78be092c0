// Base64 of a buffer: three bytes in, four letters out, through a table of letters; and back through a table of values.
// expect: encode launches
// expect: decode launches
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 6000

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t in[N], back[N], value[256];
static char text[N / 3 * 4 + 1];

__attribute__((noinline)) void encode(const uint8_t *p, char *out, int groups) {
    for (int i = 0; i < groups; i++) {
        uint32_t w = (uint32_t)p[3 * i] << 16 | (uint32_t)p[3 * i + 1] << 8 | p[3 * i + 2];
        out[4 * i] = letters[w >> 18];
        out[4 * i + 1] = letters[w >> 12 & 63];
        out[4 * i + 2] = letters[w >> 6 & 63];
        out[4 * i + 3] = letters[w & 63];
    }
}

__attribute__((noinline)) void decode(const char *p, const uint8_t *val, uint8_t *out, int groups) {
    for (int i = 0; i < groups; i++) {
        uint32_t w = 0;
        for (int k = 0; k < 4; k++)
            w = w << 6 | val[(uint8_t)p[4 * i + k]];
        out[3 * i] = (uint8_t)(w >> 16);
        out[3 * i + 1] = (uint8_t)(w >> 8);
        out[3 * i + 2] = (uint8_t)w;
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        in[i] = (uint8_t)(i * i + i / 7);
    for (int i = 0; i < 64; i++)
        value[(uint8_t)letters[i]] = (uint8_t)i;
    encode(in, text, N / 3);
    decode(text, value, back, N / 3);
    printf("%.40s %d\n", text, memcmp(in, back, N));
    return 0;
}
