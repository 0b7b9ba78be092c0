// Matrix product in tiles with sizes as template arguments, as performance guides teach it.
// expect: tiled any
// truth: tiled parallel
#include <algorithm>
#include <cstdio>
#include <memory>

template <int Tile> __attribute__((noinline)) void tiled(const int *a, const int *b, int *c, int n) {
    for (int ii = 0; ii < n; ii += Tile)
        for (int jj = 0; jj < n; jj += Tile)
            for (int kk = 0; kk < n; kk += Tile)
                for (int i = ii; i < std::min(ii + Tile, n); i++)
                    for (int j = jj; j < std::min(jj + Tile, n); j++)
                        for (int k = kk; k < std::min(kk + Tile, n); k++)
                            c[i * n + j] += a[i * n + k] * b[k * n + j];
}

int main() {
    const int n = 44;
    auto a = std::make_unique<int[]>(n * n), b = std::make_unique<int[]>(n * n), c = std::make_unique<int[]>(n * n);
    for (int i = 0; i < n * n; i++) {
        a[i] = i % 13 - 6;
        b[i] = i % 11 - 5;
    }
    tiled<16>(a.get(), b.get(), c.get(), n);
    unsigned h = 0;
    for (int i = 0; i < n * n; i++)
        h = h * 31 + static_cast<unsigned>(c[i]);
    std::printf("%08x\n", h);
}
