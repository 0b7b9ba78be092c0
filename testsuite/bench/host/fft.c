// Complex FFT of 4096 points, f64, radix 2, twiddles from a table.
// n: 250
#define N 4096
static double re[N], im[N], c[N / 2], s[N / 2];

static void make_table(void) {
    // The angle-addition recurrence, from cos and sin of 2 pi / N by their series.
    double a = 6.283185307179586 / N, ca = 1, sa = a, term = 1;
    ca = 1 - a * a / 2 + a * a * a * a / 24;
    sa = a - a * a * a / 6;
    c[0] = term;
    s[0] = 0;
    for (int i = 1; i < N / 2; i++) {
        c[i] = c[i - 1] * ca - s[i - 1] * sa;
        s[i] = s[i - 1] * ca + c[i - 1] * sa;
    }
}

static void fft(void) {
    for (unsigned i = 1, j = 0; i < N; i++) {
        unsigned bit = N >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i];
            re[i] = re[j], re[j] = t;
            t = im[i];
            im[i] = im[j], im[j] = t;
        }
    }
    for (unsigned len = 2; len <= N; len *= 2)
        for (unsigned i = 0; i < N; i += len)
            for (unsigned k = 0; k < len / 2; k++) {
                unsigned p = i + k, q = p + len / 2, w = k * (N / len);
                double xr = re[q] * c[w] + im[q] * s[w], xi = im[q] * c[w] - re[q] * s[w];
                re[q] = re[p] - xr, im[q] = im[p] - xi;
                re[p] += xr, im[p] += xi;
            }
}

__attribute__((export_name("run"))) unsigned run(unsigned n) {
    make_table();
    for (int i = 0; i < N; i++)
        re[i] = (double)(i * 37 % 101) - 50, im[i] = 0;
    for (unsigned t = 0; t < n; t++) {
        fft();
        for (int i = 0; i < N; i++)
            re[i] *= 0.015625, im[i] *= 0.015625;
    }
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += re[i] * (i & 7) - im[i];
    return (unsigned)(long long)(sum * 1024);
}
