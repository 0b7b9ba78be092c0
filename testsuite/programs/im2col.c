// Rows of a network's layers: patches as columns where the output's size is a sum of many sizes, normalised rows of
// static arrays side by side, and causal attention in one nest with many loops inside.

// expect: im2col launches
// expect: layer_norm launches
// expect: attend launches
#include <math.h>
#include <stdio.h>

enum { CHANNELS = 3, HEIGHT = 14, WIDTH = 12, SIZE = 3, TOKENS = 24, HEADS = 4, DIM = 32 };

static float image[CHANNELS * HEIGHT * WIDTH], columns[CHANNELS * SIZE * SIZE * HEIGHT * WIDTH];
static float tokens[TOKENS * DIM], normal[TOKENS * DIM], qkv[TOKENS * 3 * DIM], scores[HEADS * TOKENS * TOKENS],
    out[TOKENS * DIM];

__attribute__((noinline)) void im2col(const float *im, float *col, int channels, int height, int width, int size,
                                      int pad) {
    int rows = height + 2 * pad - size + 1, cols = width + 2 * pad - size + 1;
    for (int c = 0; c < channels * size * size; c++) {
        int dx = c % size, dy = (c / size) % size, from = c / size / size;
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < cols; x++) {
                int iy = y + dy - pad, ix = x + dx - pad;
                int outside = iy < 0 || ix < 0 || iy >= height || ix >= width;
                col[(c * rows + y) * cols + x] = outside ? 0.0f : im[(from * height + iy) * width + ix];
            }
    }
}

__attribute__((noinline)) void layer_norm(int count) {
    for (int t = 0; t < count; t++) {
        float mean = 0, var = 0;
        for (int i = 0; i < DIM; i++)
            mean += tokens[t * DIM + i];
        mean /= DIM;
        for (int i = 0; i < DIM; i++)
            var += (tokens[t * DIM + i] - mean) * (tokens[t * DIM + i] - mean);
        float scale = 1.0f / sqrtf(var / DIM + 1e-5f);
        for (int i = 0; i < DIM; i++)
            normal[t * DIM + i] = (tokens[t * DIM + i] - mean) * scale;
    }
}

/* About e^x for x <= 0. */
static float power(float x) {
    float y = 1.0f + x / 64;
    for (int i = 0; i < 6; i++)
        y *= y;
    return x < -20 ? 0 : y;
}

__attribute__((noinline)) void attend(float *to, const float *from, float *all, int count, int heads, int size) {
    int dim = heads * size;
    for (int t = 0; t < count; t++)
        for (int h = 0; h < heads; h++) {
            const float *q = from + t * 3 * dim + h * size;
            float *row = all + (h * count + t) * count, most = -1000, sum = 0;
            for (int u = 0; u <= t; u++) {
                const float *k = from + u * 3 * dim + dim + h * size;
                float s = 0;
                for (int i = 0; i < size; i++)
                    s += q[i] * k[i];
                most = s > most ? s : most;
                row[u] = s;
            }
            for (int u = 0; u <= t; u++) {
                row[u] = power(row[u] - most);
                sum += row[u];
            }
            for (int u = 0; u <= t; u++)
                row[u] /= sum;
            for (int i = 0; i < size; i++) {
                float s = 0;
                for (int u = 0; u <= t; u++)
                    s += row[u] * from[u * 3 * dim + 2 * dim + h * size + i];
                to[t * dim + h * size + i] = s;
            }
        }
}

int main(void) {
    for (int i = 0; i < CHANNELS * HEIGHT * WIDTH; i++)
        image[i] = (float)(i * 37 % 101) / 50 - 1;
    for (int i = 0; i < TOKENS * DIM; i++)
        tokens[i] = (float)(i * 53 % 89) / 44 - 1;
    im2col(image, columns, CHANNELS, HEIGHT, WIDTH, SIZE, 1);
    layer_norm(TOKENS);
    for (int t = 0; t < TOKENS; t++)
        for (int i = 0; i < 3 * DIM; i++)
            qkv[t * 3 * DIM + i] = normal[t * DIM + i % DIM] * (float)(i % 7 + 1) / 8;
    attend(out, qkv, scores, TOKENS, HEADS, DIM / HEADS);
    float a = 0, b = 0;
    for (int i = 0; i < CHANNELS * SIZE * SIZE * HEIGHT * WIDTH; i++)
        a += columns[i];
    for (int i = 0; i < TOKENS * DIM; i++)
        b += out[i];
    printf("%a %a\n", a, b);
}
