// k-means: the assignment of points is parallel, the sums of the clusters are a scatter and stay.
// expect: assign launches
// expect: accumulate any
// truth: accumulate serial
#include <stdio.h>

#define N 3000
#define K 6
#define D 3

static float pts[N][D], cen[K][D], sum[K][D];
static int label[N], count[K];

__attribute__((noinline)) void assign(void) {
    for (int i = 0; i < N; i++) {
        float best = 1e30f;
        int who = 0;
        for (int k = 0; k < K; k++) {
            float d = 0;
            for (int j = 0; j < D; j++) {
                float t = pts[i][j] - cen[k][j];
                d += t * t;
            }
            if (d < best) {
                best = d;
                who = k;
            }
        }
        label[i] = who;
    }
}

__attribute__((noinline)) void accumulate(void) {
    for (int i = 0; i < N; i++) {
        count[label[i]]++;
        for (int j = 0; j < D; j++)
            sum[label[i]][j] += pts[i][j];
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            pts[i][j] = (float)((i * (j + 3) * 7919) % 1009) / 10.0f;
    for (int k = 0; k < K; k++)
        for (int j = 0; j < D; j++)
            cen[k][j] = pts[k * 400][j];
    for (int it = 0; it < 3; it++) {
        for (int k = 0; k < K; k++) {
            count[k] = 0;
            for (int j = 0; j < D; j++)
                sum[k][j] = 0;
        }
        assign();
        accumulate();
        for (int k = 0; k < K; k++)
            for (int j = 0; j < D; j++)
                cen[k][j] = count[k] ? sum[k][j] / (float)count[k] : cen[k][j];
    }
    for (int k = 0; k < K; k++)
        printf("%d %a\n", count[k], cen[k][0]);
    return 0;
}
