// f64 matrix product, 200 x 200, three plain loops.
// n: 20
#define N 200
static double a[N][N], b[N][N], c[N][N];

__attribute__((export_name("run"))) unsigned run(unsigned n) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(i * j % 17) * 0.25;
            b[i][j] = (double)((i + 2 * j) % 13) * 0.5;
        }
    for (unsigned t = 0; t < n; t++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double s = 0;
                for (int k = 0; k < N; k++)
                    s += a[i][k] * b[k][j];
                c[i][j] = s;
            }
        a[t % N][t % 7] += c[3][t % N] * 1e-6;
    }
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            sum += c[i][j] * (double)(i - j);
    return (unsigned)(long long)(sum * 16.0);
}
