// Loops that clang unrolls, by 2 to 8, with a remainder before or behind, alone and as rows of a nest; and one that the
// user has unrolled. Widths are such that every remainder occurs, and in some calls the arrays overlap.
// expect: difference launches
// expect: smooth launches
// expect: smooth_row launches
// expect: brighten launches
// expect: clamp_rows launches
// expect: swap_pairs launches
// expect: by_hand launches
// expect: scale_from launches
// expect: pick launches
// expect: squares launches
// truth: difference parallel
// truth: smooth parallel
// truth: smooth_row parallel
// truth: brighten parallel
// truth: clamp_rows parallel
// truth: swap_pairs parallel
// truth: by_hand parallel
// truth: scale_from parallel
// truth: pick parallel
// truth: squares parallel
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define W 83
#define H 24

static float a[W * H + 64], b[W * H + 64], c[W * H + 64];
static int index_of[W * H];
static uint8_t bytes[W * H];

__attribute__((noinline)) void difference(float *restrict out, const float *restrict x, const float *restrict y, int w,
                                          int h) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            out[j * w + i] = x[j * w + i] - y[j * w + i];
}

/* Three neighbours: copies of the body share their loads. */
__attribute__((noinline)) void smooth(float *restrict out, const float *restrict in, int w, int h) {
    for (int j = 0; j < h; j++)
        for (int i = 1; i < w - 1; i++)
            out[j * w + i] = (in[j * w + i - 1] + in[j * w + i] + in[j * w + i + 1]) * 0.333f;
}

/* Two of three values are kept for the next element. */
__attribute__((noinline)) void smooth_row(float *restrict out, const float *restrict in, int n) {
    for (int i = 1; i < n - 1; i++)
        out[i] = (in[i - 1] + in[i] + in[i + 1]) * 0.333f;
}

__attribute__((noinline)) void brighten(uint8_t *to, const uint8_t *from, int n, int by) {
    for (int i = 0; i < n; i++)
        to[i] = from[i] + by;
}

__attribute__((noinline)) void clamp_rows(float *x, int w, int h, float least) {
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            if (x[j * w + i] < least)
                x[j * w + i] = least;
}

__attribute__((noinline)) void swap_pairs(float *restrict out, const float *restrict in, int n) {
    for (int i = 0; i < n; i++) {
        out[2 * i] = in[2 * i + 1];
        out[2 * i + 1] = in[2 * i] * 2;
    }
}

__attribute__((noinline)) void by_hand(float *y, const float *x, float f, int n) {
    int i = 0;
    for (; i + 3 < n; i += 4) {
        y[i] += f * x[i];
        y[i + 1] += f * x[i + 1];
        y[i + 2] += f * x[i + 2];
        y[i + 3] += f * x[i + 3];
    }
    for (; i < n; i++)
        y[i] += f * x[i];
}

/* Begins in the middle: the remainder comes first. */
__attribute__((noinline)) void scale_from(float *x, int from, int n, float by) {
    for (int i = from; i < n; i++)
        x[i] *= by;
}

__attribute__((noinline)) void pick(float *restrict out, const float *restrict in, const int *restrict at, int n) {
    for (int i = 0; i < n; i++)
        out[i] = in[at[i]];
}

__attribute__((noinline)) void squares(int *out, int n) {
    for (int i = 0; i < n; i++)
        out[i] = i * i;
}

static uint32_t hash(const void *at, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)at)[i]) * 16777619u;
    return h;
}

static void fill(void) {
    for (int i = 0; i < W * H + 64; i++) {
        a[i] = (float)(i * 7 % 31) - 9;
        b[i] = (float)(i * 5 % 17) - 4;
        c[i] = 0;
    }
    for (int i = 0; i < W * H; i++) {
        index_of[i] = i * 37 % (W * H);
        bytes[i] = (uint8_t)(i * 3);
    }
}

static void report(const char *name, int n) {
    uint32_t h = hash(a, sizeof a) ^ hash(b, sizeof b) * 3 ^ hash(c, sizeof c) * 5 ^
                 hash(index_of, sizeof index_of) * 7 ^ hash(bytes, sizeof bytes) * 11;
    printf("%s %d %08x\n", name, n, (unsigned)h);
}

int main(void) {
    static const int widths[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 79, 80, 81, 82, 83};
    for (unsigned k = 0; k < sizeof widths / sizeof widths[0]; k++) {
        int w = widths[k], n = w * H;
        fill();
        difference(c, a, b, w, H);
        smooth(c, a, w, H);
        clamp_rows(a, w, H, 0.5f);
        report("rows", w);
        smooth_row(c, a, n - k % 3);
        brighten(bytes, bytes, n - k % 5 < 0 ? 0 : n - k % 5, 9);
        swap_pairs(c, b, n / 2 - k % 4);
        by_hand(b, a, 0.5f, n - k % 7);
        scale_from(a, k, n, 1.25f);
        pick(c, b, index_of, n);
        report("vectors", w);
        squares(index_of, n - k % 8 < 0 ? 0 : n - k % 8);
        by_hand(a + 2, a, 0.5f, n);  /* each element depends on the one two before */
        by_hand(a, a + 3, 0.25f, n); /* reads what a later element writes */
        brighten(bytes + 1, bytes, n ? n - 1 : 0, 1);
        report("overlap", w);
    }
    return 0;
}
