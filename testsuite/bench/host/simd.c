// Explicit 128-bit vectors: f32 multiply-add over arrays and an i16 mix, as codecs do.
// flags: -msimd128
// n: 30000
typedef float f32x4 __attribute__((vector_size(16)));
typedef short i16x8 __attribute__((vector_size(16)));
#define N 2048
static f32x4 x[N / 4], y[N / 4];
static i16x8 p[N / 8], q[N / 8];

__attribute__((export_name("run"))) unsigned run(unsigned n) {
    for (int i = 0; i < N / 4; i++)
        x[i] = (f32x4){i, i + 1, i + 2, i + 3} * 0.001f, y[i] = x[i] * 0.5f;
    for (int i = 0; i < N / 8; i++)
        p[i] = (i16x8){1, 2, 3, 4, 5, 6, 7, 8} * (short)i, q[i] = p[i] + (short)3;
    for (unsigned t = 0; t < n; t++) {
        f32x4 k = {0.999f, 0.998f, 0.997f, 0.996f};
        for (int i = 0; i < N / 4; i++)
            y[i] = y[i] * k + x[i];
        for (int i = 0; i < N / 8; i++)
            q[i] = (q[i] * p[i] >> 2) + (p[i] ^ (short)t);
    }
    unsigned sum = 0;
    for (int i = 0; i < N / 4; i++)
        sum += (unsigned)(int)(y[i][0] + y[i][3]);
    for (int i = 0; i < N / 8; i++)
        sum = sum * 31 + (unsigned short)q[i][5];
    return sum;
}
