// 16-bit stereo samples: a fixed-point gain on each channel with saturation, in place.
// expect: apply_gain launches
#include <stdint.h>
#include <stdio.h>

#define FRAMES 30011

static int16_t pcm[2 * FRAMES];

static inline int16_t saturate(int32_t v) {
    if (v > 32767)
        return 32767;
    if (v < -32768)
        return -32768;
    return (int16_t)v;
}

__attribute__((noinline)) void apply_gain(int16_t *samples, int frames, int32_t left_q12, int32_t right_q12) {
    for (int i = 0; i < frames; i++) {
        samples[2 * i] = saturate((samples[2 * i] * left_q12 + 2048) >> 12);
        samples[2 * i + 1] = saturate((samples[2 * i + 1] * right_q12 + 2048) >> 12);
    }
}

int main(void) {
    uint32_t s = 12;
    for (int i = 0; i < 2 * FRAMES; i++) {
        s = s * 1664525u + 1013904223u;
        pcm[i] = (int16_t)(s >> 16);
    }
    apply_gain(pcm, FRAMES, 6000, 3000);
    uint32_t h = 0;
    int clipped = 0;
    for (int i = 0; i < 2 * FRAMES; i++) {
        h = h * 65599u + (uint16_t)pcm[i];
        clipped += pcm[i] == 32767 || pcm[i] == -32768;
    }
    printf("%08x clipped %d\n", (unsigned)h, clipped);
    return 0;
}
