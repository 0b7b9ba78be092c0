/* Small arrays and structures on the stack that every iteration fills anew: each iteration has its own in the kernel,
 * and the last one's are left in memory. */
// build: -fno-unroll-loops
// expect: rows launches on cpu lavapipe
// expect: points launches on cpu lavapipe
// expect: sorted launches
// expect: windows launches
// truth: carried serial
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    float x, y, z, w;
} vec4;

typedef struct {
    float m[16];
} mat4;

/* The array is the function's own, filled and read again in every iteration. */
__attribute__((noinline)) static void rows(float *out, const float *in, int n) {
    float t[8];
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 8; k++)
            t[k] = in[i * 8 + k] * (float)(k + 1);
        for (int k = 0; k < 8; k++) {
            float s = 0;
            for (int j = 0; j < 8; j++)
                s += t[j] * t[(k + j) & 7];
            out[i * 8 + k] = s;
        }
    }
}

/* Passed and returned by value: copied on the stack. */
__attribute__((noinline)) static vec4 turned(vec4 v, float c, float s) {
    vec4 r = {c * v.x - s * v.y, s * v.x + c * v.y, v.z + v.w, v.w};
    return r;
}

__attribute__((noinline)) static void points(vec4 *out, const vec4 *in, float c, float s, int n) {
    for (int i = 0; i < n; i++)
        out[i] = turned(in[i], c, s);
}

/* Sorts five neighbours in place. */
__attribute__((noinline)) static void sorted(int *out, const int *in, int n) {
    for (int i = 0; i < n; i++) {
        int v[5];
        for (int k = 0; k < 5; k++)
            v[k] = in[i + k];
        for (int a = 0; a < 4; a++)
            for (int b = 0; b < 4; b++) {
                int x = v[b], y = v[b + 1];
                v[b] = x < y ? x : y;
                v[b + 1] = x < y ? y : x;
            }
        out[i] = v[2];
    }
}

/* Two stack arrays, in a nest of two loops. */
__attribute__((noinline)) static void windows(int *out, const int *in, int w, int h) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int a[4], b[4];
            for (int k = 0; k < 4; k++)
                a[k] = in[y * w + x + k] ^ k;
            for (int k = 0; k < 4; k++)
                b[k] = a[k] * 3 + x;
            int s = 0;
            for (int k = 0; k < 4; k++)
                s += b[k] ^ a[k] >> k;
            out[y * w + x] = s;
        }
}

/* The array is filled only now and then: an iteration reads what an earlier one left. */
__attribute__((noinline)) static void carried(int *out, const int *in, int n) {
    int v[4] = {1, 2, 3, 4};
    for (int i = 0; i < n; i++) {
        if (in[i] & 1)
            for (int k = 0; k < 4; k++)
                v[k] = in[i + k];
        out[i] = v[in[i] >> 1 & 3];
    }
}

static uint32_t checksum(const void *p, int n) {
    const uint32_t *w = p;
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++)
        h = (h ^ w[i]) * 16777619u;
    return h;
}

int main(void) {
    volatile int size = 3001;
    int n = size;
    float *f = malloc(8 * n * sizeof *f), *g = malloc(8 * n * sizeof *g);
    for (int i = 0; i < 8 * n; i++)
        f[i] = (float)(i % 613) * 0.125f - 20.0f;
    rows(g, f, n);
    printf("%08x\n", checksum(g, 8 * n));
    points((vec4 *)g, (vec4 *)f, 0.8f, 0.6f, n);
    printf("%08x\n", checksum(g, 4 * n));
    int *x = (int *)f, *y = (int *)g;
    for (int i = 0; i < 8 * n; i++)
        x[i] = (int)((uint32_t)i * 2654435761u >> 12);
    sorted(y, x, n);
    printf("%08x\n", checksum(y, n));
    windows(y, x, 77, 39);
    printf("%08x\n", checksum(y, 77 * 39));
    carried(y, x, n);
    printf("%08x\n", checksum(y, n));
    return 0;
}
