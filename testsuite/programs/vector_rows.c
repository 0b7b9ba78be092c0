// Rows that clang vectorises, at -O3 -msimd128 each as a loop on v128 with a scalar loop behind it and a test of its
// own whether arrays overlap: floats, doubles, bytes, shorts, a stencil, masks, pairs, planes of an image.  Widths are
// such that the vector loop has none, one or many turns and the scalar one anything that can be left over; in some
// calls rows overlap, so that the scalar loop does them all.
//
// expect: axpy launches
// expect: scale_doubles launches
// expect: to_bytes launches
// expect: widen launches
// expect: luma launches
// expect: mix launches
// expect: gradient launches
// expect: soft_threshold launches
// expect: at_most launches
// expect: planes launches
// expect: shifted launches
// truth: axpy parallel
// truth: scale_doubles parallel
// truth: to_bytes parallel
// truth: widen parallel
// truth: luma parallel
// truth: mix parallel
// truth: gradient parallel
// truth: soft_threshold parallel
// truth: at_most parallel
// truth: planes parallel
// truth: shifted parallel
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define W 70
#define H 20

static float fa[W * H + 80], fb[W * H + 80];
static double da[W * H + 80], db[W * H + 80];
static uint8_t ba[3 * W * H + 80], bb[3 * W * H + 80];
static int16_t sa[W * H + 80], sb[W * H + 80];
static int ia[W * H + 80];

__attribute__((noinline)) void axpy(float *y, const float *x, const float *f, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            y[j * w + i] += f[j] * x[j * w + i];
}

__attribute__((noinline)) void scale_doubles(double *to, const double *from, double by, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            to[j * w + i] = from[j * w + i] / by + 0.5;
}

__attribute__((noinline)) void to_bytes(uint8_t *to, const float *from, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            float v = from[j * w + i] * 8.0f;
            to[j * w + i] = (uint8_t)(int)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
}

__attribute__((noinline)) void widen(int *to, const int16_t *from, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            to[j * w + i] = from[j * w + i] * 3 - 7;
}

__attribute__((noinline)) void luma(uint8_t *to, const uint8_t *rgb, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            const uint8_t *p = rgb + 3 * (j * w + i);
            to[j * w + i] = (uint8_t)((p[0] * 77 + p[1] * 150 + p[2] * 29 + 128) >> 8);
        }
}

__attribute__((noinline)) void mix(int16_t *to, const int16_t *x, const int16_t *y, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            int v = x[j * w + i] * 5 + y[j * w + i] * 3;
            to[j * w + i] = (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
        }
}

__attribute__((noinline)) void gradient(uint8_t *to, const uint8_t *from, int w, int h) {
    for (int j = 1; j < h - 1; j++)
        for (int i = 1; i < w - 1; i++) {
            int x = from[j * w + i + 1] - from[j * w + i - 1], y = from[(j + 1) * w + i] - from[(j - 1) * w + i];
            int v = (x < 0 ? -x : x) + (y < 0 ? -y : y);
            to[j * w + i] = (uint8_t)(v > 255 ? 255 : v);
        }
}

__attribute__((noinline)) void soft_threshold(float *x, float by, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            float v = x[j * w + i];
            x[j * w + i] = v > by ? v - by : v < -by ? v + by : 0.0f;
        }
}

__attribute__((noinline)) void at_most(float *x, float most, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            if (x[j * w + i] > most)
                x[j * w + i] = most;
}

__attribute__((noinline)) void planes(float *restrict to, const float *from, int w, int h, int n) {
    for (int c = 0; c < n; c++)
        for (int j = 0; j < h / 2; j++)
            for (int i = 0; i < w / 2; i++) {
                const float *p = from + c * w * h + 2 * j * w + 2 * i;
                float m = p[0];
                m = p[1] > m ? p[1] : m;
                m = p[w] > m ? p[w] : m;
                to[c * (w / 2) * (h / 2) + j * (w / 2) + i] = p[w + 1] > m ? p[w + 1] : m;
            }
}

/* The row that is written is that which is read, some elements on. */
__attribute__((noinline)) void shifted(float *to, const float *from, int pitch, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            to[j * pitch + i] = from[j * pitch + i] * 0.5f + 1.0f;
}

static uint32_t hash(const void *at, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)at)[i]) * 16777619u;
    return h;
}

static void fill(void) {
    for (int i = 0; i < W * H + 80; i++) {
        fa[i] = (float)(i * 7 % 61) - 19.25f;
        fb[i] = (float)(i * 5 % 37) * 1.5f - 14;
        da[i] = i * 0.37 - 9;
        db[i] = 0;
        sa[i] = (int16_t)(i * 2731);
        sb[i] = (int16_t)(i * 997 + 31);
        ia[i] = 0;
    }
    for (int i = 0; i < 3 * W * H + 80; i++) {
        ba[i] = (uint8_t)(i * 91 + (i >> 4));
        bb[i] = 0;
    }
}

static void report(const char *name, int n) {
    uint32_t h = hash(fa, sizeof fa) ^ hash(fb, sizeof fb) * 3 ^ hash(da, sizeof da) * 5 ^ hash(db, sizeof db) * 7 ^
                 hash(ba, sizeof ba) * 11 ^ hash(bb, sizeof bb) * 13 ^ hash(sa, sizeof sa) * 17 ^
                 hash(sb, sizeof sb) * 19 ^ hash(ia, sizeof ia) * 23;
    printf("%s %d %08x\n", name, n, (unsigned)h);
}

int main(void) {
    static const int widths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 65, 70};
    for (unsigned k = 0; k < sizeof widths / sizeof widths[0]; k++) {
        int w = widths[k], lag = (int)(k % 5);
        fill();
        axpy(fa, fb, fb + 7, w, H);
        axpy(fa + lag, fa, fb, w, H);
        scale_doubles(db, da, 3.5, w, H);
        scale_doubles(da + lag, da, 1.25, w, H);
        report("floats", w);
        to_bytes(bb, fa, w, H);
        widen(ia, sa, w, H);
        report("narrow", w);
        luma(bb, ba, w, H);
        luma(ba + lag, ba, w, H);
        mix(sb, sa, sb, w, H);
        mix(sa + lag, sa, sb, w, H);
        gradient(bb, ba, w, H);
        gradient(ba + lag, ba, w, H);
        report("bytes", w);
        soft_threshold(fa, 2.5f, w, H);
        at_most(fb, 11.0f, w, H);
        planes(fb, fa, w, H / 4, 4);
        report("masks", w);
        shifted(fa, fa + 3, W, w, H);
        shifted(fa + 3, fa, W, w, H);
        shifted(fa, fa + W * 2, W, w, H - 2);
        report("shifted", w);
    }
    return 0;
}
