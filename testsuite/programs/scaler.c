// Planes as image libraries walk them: a pointer that moves on through the inner loops, chroma rows at half height,
// taps counted by a table, a distance that runs up and down its column.
// expect: resize launches on cpu lavapipe swiftshader
// expect: chroma launches on cpu lavapipe swiftshader
// expect: taps launches on cpu lavapipe swiftshader
// expect: columns launches on cpu lavapipe swiftshader
// expect: halve launches on cpu lavapipe swiftshader
// expect: overlapping falls-back conflict
// simd: chroma any
// truth: overlapping serial
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define NOINLINE __attribute__((noinline))

struct image {
    int w, h, channels;
    uint8_t *pixels;
};

// `o` is a pointer of its own: how far it is after a row is known only from the counts of the loops inside.
NOINLINE void resize(const struct image *s, const struct image *d) {
    int step_x = ((s->w - 1) << 16) / (d->w - 1), step_y = ((s->h - 1) << 16) / (d->h - 1);
    for (int y = 0; y < d->h; y++) {
        int at_y = y * step_y, row = at_y >> 16, part_y = (at_y >> 8) & 255;
        const uint8_t *above = s->pixels + row * s->w * s->channels;
        const uint8_t *below = s->pixels + (row + 1 < s->h ? row + 1 : row) * s->w * s->channels;
        uint8_t *o = d->pixels + y * d->w * d->channels;
        for (int x = 0; x < d->w; x++) {
            int at_x = x * step_x, left = at_x >> 16, part_x = (at_x >> 8) & 255;
            int right = left + 1 < s->w ? left + 1 : left;
            for (int c = 0; c < s->channels; c++) {
                int a = above[left * s->channels + c] * (256 - part_x) + above[right * s->channels + c] * part_x;
                int b = below[left * s->channels + c] * (256 - part_x) + below[right * s->channels + c] * part_x;
                *o++ = (uint8_t)((a * (256 - part_y) + b * part_y + 32768) >> 16);
            }
        }
    }
}

// Two rows of pixels make one of chroma: row y >> 1 in steps of two.
NOINLINE void chroma(const uint8_t *rgb, int w, int h, uint8_t *u, uint8_t *v, int pitch) {
    for (int y = 0; y < h; y += 2) {
        const uint8_t *p = rgb + y * w * 3, *q = p + w * 3;
        uint8_t *to_u = u + (y >> 1) * pitch, *to_v = v + (y >> 1) * pitch;
        for (int x = 0; x < w; x += 2) {
            int r = p[3 * x] + p[3 * x + 3] + q[3 * x] + q[3 * x + 3];
            int g = p[3 * x + 1] + p[3 * x + 4] + q[3 * x + 1] + q[3 * x + 4];
            int b = p[3 * x + 2] + p[3 * x + 5] + q[3 * x + 2] + q[3 * x + 5];
            *to_u++ = (uint8_t)(((-38 * r - 74 * g + 112 * b + 512) >> 10) + 128);
            *to_v++ = (uint8_t)(((112 * r - 94 * g - 18 * b + 512) >> 10) + 128);
        }
    }
}

struct tap {
    int first, count;
    int16_t weight[12];
};

NOINLINE void taps(const uint8_t *from, int from_w, uint8_t *to, int w, int h, const struct tap *t) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int sum = 8192;
            for (int k = 0; k < t[x].count; k++)
                sum += from[y * from_w + t[x].first + k] * t[x].weight[k];
            sum >>= 14;
            to[y * w + x] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
        }
}

NOINLINE void columns(const uint8_t *set, int *d, int w, int h) {
    for (int x = 0; x < w; x++) {
        d[x] = set[x] ? 0 : 9999;
        for (int y = 1; y < h; y++)
            d[y * w + x] = set[y * w + x] ? 0 : d[(y - 1) * w + x] + 1;
        for (int y = h - 2; y >= 0; y--)
            if (d[(y + 1) * w + x] < d[y * w + x])
                d[y * w + x] = d[(y + 1) * w + x] + 1;
    }
}

NOINLINE void halve(const int16_t *from, int16_t *to, int n) {
    for (int i = 0; i < n; i++)
        to[i] = (int16_t)(from[i / 2] + (i & 1 ? from[i / 2 + 1] : from[i / 2]));
}

// Rows of `to` lie half a row apart: each writes what the next one reads.
NOINLINE void overlapping(const uint8_t *from, uint8_t *to, int w, int h) {
    for (int y = 0; y < h; y += 2) {
        uint8_t *row = to + (y >> 1) * (w / 2);
        for (int x = 0; x < w; x++)
            row[x] = (uint8_t)(row[x] * 3 + from[y * w + x]);
    }
}

static uint32_t hash(const void *p, int n) {
    const uint8_t *b = p;
    uint32_t h = 2166136261u;
    while (n--)
        h = (h ^ *b++) * 16777619u;
    return h;
}

int main(void) {
    struct image s = {97, 61, 3, malloc(97 * 61 * 3)}, d = {128, 90, 3, malloc(128 * 90 * 3)};
    for (int i = 0; i < 97 * 61 * 3; i++)
        s.pixels[i] = (uint8_t)(i * i >> 4);
    resize(&s, &d);
    printf("%08x\n", hash(d.pixels, 128 * 90 * 3));
    uint8_t *u = malloc(72 * 45), *v = malloc(72 * 45);
    for (int i = 0; i < 72 * 45; i++)
        u[i] = v[i] = 0;
    chroma(d.pixels, 128, 90, u, v, 72);
    printf("%08x %08x\n", hash(u, 72 * 45), hash(v, 72 * 45));
    struct tap *t = calloc(80, sizeof *t);
    for (int i = 0; i < 80; i++) {
        t[i].first = i;
        t[i].count = 1 + i * 7 % 12;
        for (int k = 0; k < t[i].count; k++)
            t[i].weight[k] = (int16_t)(16384 / t[i].count + k);
    }
    uint8_t *narrow = malloc(80 * 90);
    taps(d.pixels, 128, narrow, 80, 90, t);
    printf("%08x\n", hash(narrow, 80 * 90));
    int *far = malloc(128 * 90 * sizeof *far);
    for (int i = 0; i < 128 * 90; i++)
        d.pixels[i] = d.pixels[i] > 190;
    columns(d.pixels, far, 128, 90);
    printf("%08x\n", hash(far, 128 * 90 * (int)sizeof *far));
    int16_t *wide = malloc(6002 * sizeof *wide);
    halve((int16_t *)far, wide, 6001);
    printf("%08x\n", hash(wide, 6001 * (int)sizeof *wide));
    overlapping(d.pixels, narrow, 128, 90);
    printf("%08x\n", hash(narrow, 80 * 90));
    return 0;
}
