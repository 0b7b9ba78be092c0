// Three loops at sizes from tiny to large, each timed by itself; decision.mjs compares who should have run them.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 1 << 20 };
static float x[MOST], y[MOST];

// As much memory as arithmetic.
__attribute__((noinline)) void saxpy(float *out, const float *in, float a, int n) {
    for (int i = 0; i < n; i++)
        out[i] = a * in[i] + out[i];
}

// Arithmetic alone.
__attribute__((noinline)) void waves(float *out, const float *in, int n) {
    for (int i = 0; i < n; i++) {
        float v = in[i], s = 0;
        for (int k = 0; k < 40; k++) {
            v = v * 3.7f * (1 - v);
            s += v;
        }
        out[i] = s;
    }
}

// A 2-D grid whose points each read nine neighbours.
__attribute__((noinline)) void blur(float *out, const float *in, int side) {
    for (int r = 1; r < side - 1; r++)
        for (int c = 1; c < side - 1; c++) {
            const float *p = in + r * side + c;
            out[r * side + c] =
                (p[-side - 1] + p[-side] + p[-side + 1] + p[-1] + p[0] + p[1] + p[side - 1] + p[side] + p[side + 1]) *
                0.111f;
        }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run(int which, int n) {
    int side = 4;
    while ((side + 1) * (side + 1) <= n)
        side++;
    if (which == 0)
        saxpy(y, x, 0.5f, n);
    else if (which == 1)
        waves(y, x, n);
    else
        blur(y, x, side);
}

int main(void) {
    static const char *const names[] = {"saxpy", "waves", "blur"};
    static const int sizes[] = {64, 1024, 16384, 262144, MOST};
    for (int i = 0; i < MOST; i++)
        x[i] = (float)(i % 997) / 997;
    for (int which = 0; which < 3; which++)
        for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            double best = 1e18, begin = now();
            run(which, sizes[s]); // compiles the kernel, where that is done late
            run(which, sizes[s]);
            for (int t = 0; t < 2000 && (t < 5 || now() - begin < 300e6); t++) {
                double start = now();
                run(which, sizes[s]);
                double took = now() - start;
                best = took < best ? took : best;
            }
            printf("%s %d %.0f\n", names[which], sizes[s], best);
        }
    return 0;
}
