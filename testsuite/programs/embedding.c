// Rows of an embedding table, chosen by token.
// expect: embed launches on cpu lavapipe
// expect: bags launches on cpu lavapipe
#include <stdint.h>
#include <stdio.h>

#define TOKENS 300
#define VOCABULARY 1000
#define DIM 48

static float table[VOCABULARY * DIM], position[TOKENS * DIM], out[TOKENS * DIM], mixed[TOKENS / 4 * DIM];
static int32_t tokens[TOKENS];

__attribute__((noinline)) void embed(float *to, const int32_t *token, const float *t, const float *pos, int n, int d) {
    for (int i = 0; i < n; i++)
        for (int k = 0; k < d; k++)
            to[i * d + k] = t[token[i] * d + k] + pos[i * d + k];
}

__attribute__((noinline)) void bags(float *to, const int32_t *token, const float *t, int n, int size, int d) {
    for (int i = 0; i < n; i++)
        for (int k = 0; k < d; k++) {
            float sum = 0;
            for (int j = 0; j < size; j++)
                sum += t[token[i * size + j] * d + k];
            to[i * d + k] = sum;
        }
}

int main(void) {
    for (int i = 0; i < VOCABULARY * DIM; i++)
        table[i] = (float)(i % 1009) * 0.0625f;
    for (int i = 0; i < TOKENS * DIM; i++)
        position[i] = (float)(i % 17) * 0.5f;
    for (int i = 0; i < TOKENS; i++)
        tokens[i] = (i * 389 + 7) % VOCABULARY;
    embed(out, tokens, table, position, TOKENS, DIM);
    bags(mixed, tokens, table, TOKENS / 4, 4, DIM);
    double s = 0;
    for (int i = 0; i < TOKENS * DIM; i++)
        s += out[i] * (i % 3);
    for (int i = 0; i < TOKENS / 4 * DIM; i++)
        s += mixed[i];
    printf("%.6f\n", s);
    return 0;
}
