// Data mining: means, deviations and the upper triangle of a correlation matrix, mirrored as it is made.
// expect: means launches
// expect: deviations launches
// expect: centre launches
// expect: correlate any
// truth: correlate parallel
#include <math.h>
#include <stdio.h>

#define N 80 // samples
#define M 40 // variables

static double data[N][M], mean[M], dev[M], corr[M][M];

__attribute__((noinline)) void means(void) {
    for (int j = 0; j < M; j++) {
        mean[j] = 0.0;
        for (int i = 0; i < N; i++)
            mean[j] += data[i][j];
        mean[j] /= N;
    }
}

__attribute__((noinline)) void deviations(void) {
    for (int j = 0; j < M; j++) {
        dev[j] = 0.0;
        for (int i = 0; i < N; i++)
            dev[j] += (data[i][j] - mean[j]) * (data[i][j] - mean[j]);
        dev[j] = sqrt(dev[j] / N);
        dev[j] = dev[j] <= 0.1 ? 1.0 : dev[j];
    }
}

__attribute__((noinline)) void centre(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < M; j++) {
            data[i][j] -= mean[j];
            data[i][j] /= sqrt((double)N) * dev[j];
        }
}

__attribute__((noinline)) void correlate(void) {
    for (int i = 0; i < M - 1; i++) {
        corr[i][i] = 1.0;
        for (int j = i + 1; j < M; j++) {
            corr[i][j] = 0.0;
            for (int k = 0; k < N; k++)
                corr[i][j] += data[k][i] * data[k][j];
            corr[j][i] = corr[i][j];
        }
    }
    corr[M - 1][M - 1] = 1.0;
}

int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < M; j++)
            data[i][j] = (double)(i * j) / M + i + (i * i * j) % 7;
    means();
    deviations();
    centre();
    correlate();
    double s = 0;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++)
            s += corr[i][j] * (i + 2 * j);
    printf("%.10g\n", s);
    return 0;
}
