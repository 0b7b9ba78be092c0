// Dynamic programming: a table where each cell needs its left, upper and diagonal neighbour, and a pair of rows by
// turns.
// expect: table stays
// expect: knapsack_row launches
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 70
#define CAP 900

static char a[N + 1], b[N + 1];
static int d[N + 1][N + 1], best[2][CAP + 1];

__attribute__((noinline)) void table(void) {
    for (int i = 1; i <= N; i++)
        for (int j = 1; j <= N; j++) {
            int least = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < least)
                least = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < least)
                least = d[i][j - 1] + 1;
            d[i][j] = least;
        }
}

__attribute__((noinline)) void knapsack_row(const int *now, int *next, int weight, int value, int cap) {
    for (int c = 0; c <= cap; c++) {
        int v = now[c];
        if (c >= weight && now[c - weight] + value > v)
            v = now[c - weight] + value;
        next[c] = v;
    }
}

int main(void) {
    for (int i = 0; i < N; i++) {
        a[i] = (char)('a' + i * 7 % 13);
        b[i] = (char)('a' + i * 5 % 11);
    }
    for (int i = 0; i <= N; i++)
        d[i][0] = d[0][i] = i;
    table();
    for (int item = 0; item < 30; item++)
        knapsack_row(best[item & 1], best[~item & 1], 7 + item * 11 % 60, 10 + item * 13 % 47, CAP);
    printf("%d %d\n", d[N][N], best[0][CAP]);
    return 0;
}
