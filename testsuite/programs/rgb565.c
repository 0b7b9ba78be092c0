// Packs 8-bit RGBX words into 16-bit 5-6-5 pixels and widens them again.
// expect: pack launches
// expect: unpack launches
#include <stdint.h>
#include <stdio.h>

#define N 24001

static uint32_t wide[N];
static uint16_t narrow[N];

__attribute__((noinline)) void pack(const uint32_t *p, uint16_t *q, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        uint32_t c = p[i];
        q[i] = (uint16_t)((c >> 8 & 0xf800) | (c >> 5 & 0x07e0) | (c >> 3 & 0x001f));
    }
}

__attribute__((noinline)) void unpack(const uint16_t *p, uint32_t *q, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        uint32_t c = p[i], r = c >> 11, g = c >> 5 & 63, b = c & 31;
        q[i] = (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
    }
}

int main(void) {
    for (uint32_t i = 0; i < N; i++)
        wide[i] = i * 2246822519u >> 4;
    pack(wide, narrow, N);
    unpack(narrow, wide, N);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + wide[i];
    printf("%08x\n", h);
    return 0;
}
