// The loops that strictness.mjs measures: out[i] = in[i] after REPEAT operations, one chain of them a point.
//
// Usage: strictness LOOP POINTS LAUNCHES.  Prints a checksum and the least nanoseconds of one launch but the first,
// which waits for the driver's compiler.  Each loop is a function of its own, so that statistics tell them apart.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPEAT 64
#define LOOP(NAME, TYPE, STEP)                                                                          \
    __attribute__((noinline)) static void NAME(int n) {                                                 \
        const TYPE *in = input;                                                                         \
        TYPE *out = output;                                                                             \
        for (int i = 0; i < n; i++) {                                                                   \
            TYPE x = in[i], y = in[i] + 1;                                                              \
            _Pragma("clang loop unroll(disable) vectorize(disable)") for (int k = 0; k < REPEAT; k++) { \
                STEP;                                                                                   \
            }                                                                                           \
            out[i] = x;                                                                                 \
        }                                                                                               \
    }

static void *input, *output;

LOOP(divide, float, x = 3.5f / (x + y))
LOOP(root, float, x = sqrtf(x + y))
LOOP(exponential, float, x = expf(-x))
LOOP(multiply_add, float, x = x * 0.75f + y)
LOOP(multiply_add_f64, double, x = x * 0.75 + y)
LOOP(divide_f64, double, x = 3.5 / (x + y))
LOOP(multiply_i64, uint64_t, x = x * 6364136223846793005u + y)

static const struct {
    const char *name;
    void (*run)(int n);
    int wide; // 0 float, 1 double, 2 uint64_t
} loops[] = {
    {"divide", divide, 0},
    {"root", root, 0},
    {"exponential", exponential, 0},
    {"multiply_add", multiply_add, 0},
    {"multiply_add_f64", multiply_add_f64, 1},
    {"divide_f64", divide_f64, 1},
    {"multiply_i64", multiply_i64, 2},
};

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    int n = atoi(argv[2]), launches = atoi(argv[3]);
    input = malloc((size_t)n * 8);
    output = malloc((size_t)n * 8);
    for (size_t l = 0; l < sizeof loops / sizeof *loops; l++) {
        if (strcmp(loops[l].name, argv[1]))
            continue;
        for (int i = 0; i < n; i++) {
            double v = 0.001 * i + 0.125;
            if (loops[l].wide == 0)
                ((float *)input)[i] = (float)v;
            else if (loops[l].wide == 1)
                ((double *)input)[i] = v;
            else
                ((uint64_t *)input)[i] = (uint64_t)i * 0x9e3779b97f4a7c15u;
        }
        double least = 1e18;
        for (int k = 0; k < launches; k++) {
            struct timespec a, b;
            clock_gettime(CLOCK_MONOTONIC, &a);
            loops[l].run(n);
            clock_gettime(CLOCK_MONOTONIC, &b);
            double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
            least = k && ns < least ? ns : least;
        }
        uint32_t sum = 0;
        for (int i = 0; i < n * (loops[l].wide ? 2 : 1); i++)
            sum = sum * 31 + ((uint32_t *)output)[i];
        printf("%08x %.0f\n", sum, least);
        return 0;
    }
    return 2;
}
