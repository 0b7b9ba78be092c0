// Rotary position embedding: pairs of a vector are turned by angles from a table made once.
// slow: swiftshader
// expect: make_table launches on cpu lavapipe
// expect: rotate launches
#include <math.h>
#include <stdio.h>

#define DIM 64
#define SEQ 80

static float vec[SEQ * DIM], cs[SEQ * DIM / 2], sn[SEQ * DIM / 2];

__attribute__((noinline)) void make_table(float *c, float *s, int seq, int half) {
    for (int t = 0; t < seq; t++)
        for (int i = 0; i < half; i++) {
            float angle = (float)t * powf(10000.0f, -(float)i / (float)half);
            c[t * half + i] = cosf(angle);
            s[t * half + i] = sinf(angle);
        }
}

__attribute__((noinline)) void rotate(float *v, const float *c, const float *s, int seq, int dim) {
    for (int t = 0; t < seq; t++)
        for (int i = 0; i < dim; i += 2) {
            float a = v[t * dim + i], b = v[t * dim + i + 1];
            float fc = c[(t * dim + i) / 2], fs = s[(t * dim + i) / 2];
            v[t * dim + i] = a * fc - b * fs;
            v[t * dim + i + 1] = a * fs + b * fc;
        }
}

int main(void) {
    for (int i = 0; i < SEQ * DIM; i++)
        vec[i] = (float)(i % 19) - 9.0f;
    make_table(cs, sn, SEQ, DIM / 2);
    rotate(vec, cs, sn, SEQ, DIM);
    for (int t = 0; t < SEQ; t += 13)
        printf("%a %a\n", vec[t * DIM], vec[t * DIM + 5]);
    return 0;
}
