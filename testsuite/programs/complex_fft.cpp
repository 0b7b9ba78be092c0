// A radix-2 transform on std::complex-like numbers: the stages follow one another, the butterflies of one are free.
// expect: stage any
// truth: stage parallel
// expect: power launches
#include <cmath>
#include <cstdio>
#include <vector>

struct Complex {
    float re, im;
    Complex operator+(Complex o) const { return {re + o.re, im + o.im}; }
    Complex operator-(Complex o) const { return {re - o.re, im - o.im}; }
    Complex operator*(Complex o) const { return {re * o.re - im * o.im, re * o.im + im * o.re}; }
};

__attribute__((noinline)) void stage(const Complex *in, Complex *out, const Complex *root, int half, int groups) {
    for (int g = 0; g < groups; g++)
        for (int k = 0; k < half; k++) {
            Complex a = in[g * half + k], b = root[g * half] * in[g * half + k + groups * half];
            out[2 * g * half + k] = a + b;
            out[(2 * g + 1) * half + k] = a - b;
        }
}

__attribute__((noinline)) void power(const std::vector<Complex> &v, std::vector<float> &out) {
    for (std::size_t i = 0; i < v.size(); i++)
        out[i] = v[i].re * v[i].re + v[i].im * v[i].im;
}

int main() {
    const int n = 1024;
    std::vector<Complex> a(n), b(n), root(n);
    std::vector<float> p(n);
    for (int i = 0; i < n; i++) {
        a[i] = {static_cast<float>(i % 32), 0.0f};
        root[i] = {std::cos(3.14159265f * static_cast<float>(i) / (n / 2)),
                   -std::sin(3.14159265f * static_cast<float>(i) / (n / 2))};
    }
    for (int half = n / 2; half >= 1; half /= 2) {
        stage(a.data(), b.data(), root.data(), half, n / 2 / half);
        a.swap(b);
    }
    power(a, p);
    std::printf("%a %a %a\n", p[0], p[32], p[511]);
}
