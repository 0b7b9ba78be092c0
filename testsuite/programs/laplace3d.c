// Seven-point stencil over a volume: three nested parallel loops.
// expect: laplace launches
#include <stdio.h>

#define NX 40
#define NY 30
#define NZ 20

static float a[NZ][NY][NX], b[NZ][NY][NX];

__attribute__((noinline)) void laplace(float (*in)[NY][NX], float (*out)[NY][NX]) {
    for (int z = 1; z < NZ - 1; z++)
        for (int y = 1; y < NY - 1; y++)
            for (int x = 1; x < NX - 1; x++)
                out[z][y][x] = in[z][y][x - 1] + in[z][y][x + 1] + in[z][y - 1][x] + in[z][y + 1][x] + in[z - 1][y][x] +
                               in[z + 1][y][x] - 6.0f * in[z][y][x];
}

int main(void) {
    for (int z = 0; z < NZ; z++)
        for (int y = 0; y < NY; y++)
            for (int x = 0; x < NX; x++)
                a[z][y][x] = (float)((x * x + y * y * 3 + z * z * 5) % 97) * 0.125f;
    laplace(a, b);
    float sum = 0;
    for (int z = 0; z < NZ; z++)
        for (int y = 0; y < NY; y++)
            for (int x = 0; x < NX; x++)
                sum += b[z][y][x];
    printf("%a %a\n", sum, b[NZ / 2][NY / 2][NX / 2]);
    return 0;
}
