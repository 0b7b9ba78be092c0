// All shortest paths.  For one k the update reads row and column k, which it leaves as they are, but only because of
// what the numbers mean; as memory goes, the nest inside k meets itself.
// expect: paths any
// truth: paths parallel
// expect: paths_rows any
// truth: paths_rows parallel
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 60

static int32_t d[N][N], e[N][N], row[N];

__attribute__((noinline)) void paths(void) {
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                d[i][j] = d[i][j] < d[i][k] + d[k][j] ? d[i][j] : d[i][k] + d[k][j];
}

// The same with row k copied out first, and d[i][k] read once: now only row k, which is written as well, hinders.
__attribute__((noinline)) void paths_rows(int k) {
    for (int j = 0; j < N; j++)
        row[j] = e[k][j];
    for (int i = 0; i < N; i++) {
        int32_t via = e[i][k];
        for (int j = 0; j < N; j++) {
            int32_t sum = via + row[j];
            if (sum < e[i][j])
                e[i][j] = sum;
        }
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            d[i][j] = i == j ? 0 : (i * j) % 7 == 0 || (i + j) % 13 == 0 ? (i * j) % 19 + 1 : 999;
    memcpy(e, d, sizeof d);
    paths();
    for (int k = 0; k < N; k++)
        paths_rows(k);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            h = h * 31 + (unsigned)d[i][j];
    printf("%08x %d\n", h, memcmp(d, e, sizeof d));
    return 0;
}
