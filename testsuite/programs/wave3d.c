// Wave equation in three dimensions, second order in time: three buffers that change roles.
// expect: advance launches 4
#include <stdio.h>
#include <string.h>

#define N 24
#define AT(x, y, z) (((z)*N + (y)) * N + (x))

static float buf[3][N * N * N];

__attribute__((noinline)) void advance(const float *before, const float *now, float *after, float c) {
    for (int z = 1; z < N - 1; z++)
        for (int y = 1; y < N - 1; y++)
            for (int x = 1; x < N - 1; x++) {
                float lap = now[AT(x - 1, y, z)] + now[AT(x + 1, y, z)] + now[AT(x, y - 1, z)] + now[AT(x, y + 1, z)] +
                            now[AT(x, y, z - 1)] + now[AT(x, y, z + 1)] - 6.0f * now[AT(x, y, z)];
                after[AT(x, y, z)] = 2.0f * now[AT(x, y, z)] - before[AT(x, y, z)] + c * lap;
            }
}

int main(void) {
    buf[0][AT(12, 12, 12)] = buf[1][AT(12, 12, 12)] = 1.0f;
    for (int t = 0; t < 4; t++)
        advance(buf[t % 3], buf[(t + 1) % 3], buf[(t + 2) % 3], 0.1f);
    printf("%a %a\n", buf[2][AT(12, 12, 12)], buf[2][AT(11, 12, 13)]);
    return 0;
}
