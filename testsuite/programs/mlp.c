// A small network, forwards and backwards: products with a matrix and its transpose, outer-product update, tanh.
// expect: forward launches
// expect: backward launches
// expect: update launches
#include <math.h>
#include <stdio.h>

#define IN 40
#define OUT 32

static float w[OUT * IN], x[IN], y[OUT], dy[OUT], dx[IN];

__attribute__((noinline)) void forward(const float *m, const float *v, float *out, int rows, int cols) {
    for (int r = 0; r < rows; r++) {
        float s = 0;
        for (int c = 0; c < cols; c++)
            s += m[r * cols + c] * v[c];
        out[r] = tanhf(s);
    }
}

__attribute__((noinline)) void backward(const float *m, const float *dv, float *out, int rows, int cols) {
    for (int c = 0; c < cols; c++) {
        float s = 0;
        for (int r = 0; r < rows; r++)
            s += m[r * cols + c] * dv[r];
        out[c] = s;
    }
}

__attribute__((noinline)) void update(float *m, const float *dv, const float *v, float rate, int rows, int cols) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            m[r * cols + c] -= rate * dv[r] * v[c];
}

int main(void) {
    for (int i = 0; i < OUT * IN; i++)
        w[i] = (float)((i * 37) % 41 - 20) * 0.01f;
    for (int i = 0; i < IN; i++)
        x[i] = (float)(i % 5) * 0.3f;
    for (int epoch = 0; epoch < 5; epoch++) {
        forward(w, x, y, OUT, IN);
        for (int i = 0; i < OUT; i++)
            dy[i] = (y[i] - (float)(i & 1)) * (1 - y[i] * y[i]);
        backward(w, dy, dx, OUT, IN);
        update(w, dy, x, 0.1f, OUT, IN);
    }
    printf("%a %a %a\n", y[0], y[31], dx[7]);
    return 0;
}
