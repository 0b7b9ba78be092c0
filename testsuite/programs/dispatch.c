// Functions chosen by data: an operator for each element from a table of functions, a filter with its own function, and
// one that reports what it sees, which no kernel can.
// expect: combine launches
// truth: combine parallel
// expect: run_filter launches
// truth: run_filter parallel
// expect: watch stays
// truth: watch serial
#include <stdint.h>
#include <stdio.h>

#define N 5000

static float a[N], b[N], out[N], filtered[N];
static uint8_t op[N];

static float add(float x, float y) {
    return x + y;
}
static float multiply(float x, float y) {
    return x * y;
}
static float larger(float x, float y) {
    return x > y ? x : y;
}
static float (*const operators[])(float, float) = {add, multiply, larger};

struct filter {
    float (*apply)(const struct filter *, float);
    float gain, limit;
};

static float amplify(const struct filter *f, float x) {
    return x * f->gain;
}
static float clip(const struct filter *f, float x) {
    x *= f->gain;
    return x > f->limit ? f->limit : x < -f->limit ? -f->limit : x;
}

static int report(float x, int i) {
    if (i % 1000 == 0)
        printf("%d %a\n", i, x);
    return i & 1;
}

__attribute__((noinline)) void combine(float *to, const float *x, const float *y, const uint8_t *which, int n) {
    for (int i = 0; i < n; i++)
        to[i] = operators[which[i]](x[i], y[i]);
}

__attribute__((noinline)) void run_filter(float *to, const float *from, const struct filter *f, int n) {
    for (int i = 0; i < n; i++)
        to[i] = f->apply(f, from[i]);
}

__attribute__((noinline)) void watch(uint8_t *to, const float *from, int (*see)(float, int), int n) {
    for (int i = 0; i < n; i++)
        to[i] = (uint8_t)see(from[i], i);
}

int main(int argc, char **argv) {
    (void)argv;
    for (int i = 0; i < N; i++) {
        a[i] = (float)(i % 97) - 48.0f;
        b[i] = (float)(i % 31) * 0.25f;
        op[i] = (uint8_t)(i * 7 % 3);
    }
    combine(out, a, b, op, N);
    struct filter filters[2] = {{amplify, 0.5f, 0}, {clip, 3.0f, 20.0f}};
    for (int k = 0; k < 2; k++)
        run_filter(filtered, k ? filtered : out, &filters[(k + argc) % 2], N);
    watch(op, filtered, report, N);
    float s = 0;
    for (int i = 0; i < N; i++)
        s += filtered[i] * (float)(op[i] + 1);
    printf("%a\n", s);
    return 0;
}
