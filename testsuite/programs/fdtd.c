// Electromagnetic field in two dimensions: three staggered fields, updated in turn under a time loop.
// expect: step launches 24
#include <stdio.h>

#define NX 50
#define NY 60
#define STEPS 8

static float ex[NX][NY], ey[NX][NY], hz[NX][NY];

__attribute__((noinline)) void step(int t) {
    for (int j = 0; j < NY; j++)
        ey[0][j] = (float)t;
    for (int i = 1; i < NX; i++)
        for (int j = 0; j < NY; j++)
            ey[i][j] = ey[i][j] - 0.5f * (hz[i][j] - hz[i - 1][j]);
    for (int i = 0; i < NX; i++)
        for (int j = 1; j < NY; j++)
            ex[i][j] = ex[i][j] - 0.5f * (hz[i][j] - hz[i][j - 1]);
    for (int i = 0; i < NX - 1; i++)
        for (int j = 0; j < NY - 1; j++)
            hz[i][j] = hz[i][j] - 0.7f * (ex[i][j + 1] - ex[i][j] + ey[i + 1][j] - ey[i][j]);
}

int main(void) {
    for (int i = 0; i < NX; i++)
        for (int j = 0; j < NY; j++) {
            ex[i][j] = (float)(i * (j + 1)) / NX;
            ey[i][j] = (float)(i * (j + 2)) / NY;
            hz[i][j] = (float)(i * (j + 3)) / NX;
        }
    for (int t = 0; t < STEPS; t++)
        step(t);
    printf("%a %a %a\n", ex[20][30], ey[40][2], hz[NX / 2][NY / 2]);
    return 0;
}
