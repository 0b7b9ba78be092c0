// More arrays than a GPU binds buffers: particles as a structure of arrays that lie where malloc put them, a step of a
// fluid's nine distributions between two sets, sums of planes of mixed widths.  Ranges are joined, so that others lie
// in between.  At last two arrays are one and the same, which only one of the loops may do as a kernel.
//
// expect: step launches 3
// expect: stream launches 2
// expect: planes launches 1
// expect: blend launches 1
// truth: step parallel
// truth: stream parallel
// truth: planes parallel
// truth: blend parallel
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 1500
#define W 64
#define H 30

struct particles {
    float *x, *y, *z, *vx, *vy, *vz, *fx, *fy, *fz, *mass, *energy;
};

__attribute__((noinline)) void step(struct particles *p, int n, float dt) {
    for (int i = 0; i < n; i++) {
        float k = dt / p->mass[i];
        p->vx[i] += p->fx[i] * k;
        p->vy[i] += p->fy[i] * k;
        p->vz[i] += p->fz[i] * k;
        p->x[i] += p->vx[i] * dt;
        p->y[i] += p->vy[i] * dt;
        p->z[i] += p->vz[i] * dt;
        p->energy[i] = 0.5f * p->mass[i] * (p->vx[i] * p->vx[i] + p->vy[i] * p->vy[i] + p->vz[i] * p->vz[i]);
    }
}

// Each point pulls from the neighbour that a distribution comes from.
__attribute__((noinline)) void stream(float *to[9], float *from[9]) {
    float *t0 = to[0], *t1 = to[1], *t2 = to[2], *t3 = to[3], *t4 = to[4], *t5 = to[5], *t6 = to[6], *t7 = to[7],
          *t8 = to[8];
    const float *f0 = from[0], *f1 = from[1], *f2 = from[2], *f3 = from[3], *f4 = from[4], *f5 = from[5], *f6 = from[6],
                *f7 = from[7], *f8 = from[8];
    for (int y = 1; y < H - 1; y++)
        for (int x = 1; x < W - 1; x++) {
            int i = y * W + x;
            float d = f0[i] + f1[i - 1] + f2[i + 1] + f3[i - W] + f4[i + W] + f5[i - W - 1] + f6[i - W + 1] +
                      f7[i + W - 1] + f8[i + W + 1];
            t0[i] = f0[i] * 0.9f + d * 0.04f;
            t1[i] = f1[i - 1] * 0.9f + d * 0.01f;
            t2[i] = f2[i + 1] * 0.9f + d * 0.01f;
            t3[i] = f3[i - W] * 0.9f + d * 0.01f;
            t4[i] = f4[i + W] * 0.9f + d * 0.01f;
            t5[i] = f5[i - W - 1] * 0.9f + d * 0.005f;
            t6[i] = f6[i - W + 1] * 0.9f + d * 0.005f;
            t7[i] = f7[i + W - 1] * 0.9f + d * 0.005f;
            t8[i] = f8[i + W + 1] * 0.9f + d * 0.005f;
        }
}

__attribute__((noinline)) void planes(uint8_t *r, uint8_t *g, uint8_t *b, uint8_t *alpha, int16_t *depth, float *weight,
                                      const uint8_t *y, const uint8_t *u, const uint8_t *v, const int16_t *near,
                                      const float *gain, const double *scale, int n) {
    for (int i = 0; i < n; i++) {
        int c = y[i] * 298, d = u[i] - 128, e = v[i] - 128;
        int red = (c + 409 * e) >> 8, green = (c - 100 * d - 208 * e) >> 8, blue = (c + 516 * d) >> 8;
        r[i] = red < 0 ? 0 : red > 255 ? 255 : red;
        g[i] = green < 0 ? 0 : green > 255 ? 255 : green;
        b[i] = blue < 0 ? 0 : blue > 255 ? 255 : blue;
        alpha[i] = near[i] > 0 ? 255 : 0;
        depth[i] = near[i] * 2;
        weight[i] = gain[i] * (float)scale[i];
    }
}

__attribute__((noinline)) void blend(float *o, float *p, const float *a, const float *b, const float *c, const float *d,
                                     const float *e, const float *f, const float *g, const float *h, int n) {
    for (int i = 0; i < n; i++) {
        o[i] = a[i] + b[i] * c[i] - d[i];
        p[i] = e[i] * f[i] + g[i] - h[i + 1];
    }
}

static unsigned state = 7;

static float next(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 16 & 255) / 64.0f + 0.25f;
}

static float *floats(int n) {
    float *p = malloc((size_t)n * sizeof *p);
    for (int i = 0; i < n; i++)
        p[i] = next();
    return p;
}

static double sum(const float *p, int n) {
    double s = 0;
    for (int i = 0; i < n; i++)
        s += p[i];
    return s;
}

int main(void) {
    float *a[11];
    for (int k = 0; k < 11; k++)
        a[k] = floats(N);
    struct particles p = {a[3], a[7], a[0], a[10], a[1], a[5], a[2], a[9], a[4], a[8], a[6]};
    for (int t = 0; t < 3; t++)
        step(&p, N, 0.01f);
    for (int k = 0; k < 11; k++)
        printf("%.6f ", sum(a[k], N));
    printf("\n");

    float *f[2][9];
    for (int k = 0; k < 18; k++)
        f[k & 1][k / 2] = floats(W * H);
    stream(f[1], f[0]);
    stream(f[0], f[1]);
    for (int k = 0; k < 9; k++)
        printf("%.6f ", sum(f[0][k], W * H));
    printf("\n");

    uint8_t *bytes = malloc(7 * N);
    int16_t *shorts = malloc(2 * N * sizeof *shorts);
    double *scale = malloc(N * sizeof *scale);
    for (int i = 0; i < 7 * N; i++)
        bytes[i] = (uint8_t)(i * 37 >> 3);
    for (int i = 0; i < N; i++) {
        shorts[N + i] = (int16_t)(i * 91);
        scale[i] = i * 0.125;
    }
    planes(bytes, bytes + N, bytes + 2 * N, bytes + 3 * N, shorts, a[0], bytes + 4 * N, bytes + 5 * N, bytes + 6 * N,
           shorts + N, a[1], scale, N);
    unsigned hash = 0;
    for (int i = 0; i < 4 * N; i++)
        hash = hash * 31 + bytes[i];
    for (int i = 0; i < N; i++)
        hash = hash * 31 + (unsigned)shorts[i];
    printf("%08x %.6f\n", hash, sum(a[0], N));

    blend(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], N - 1);
    blend(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[0], N - 1); // reads what the iteration before wrote
    printf("%.6f %.6f\n", sum(a[0], N), sum(a[1], N));
}
