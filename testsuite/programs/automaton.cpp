// Elementary cellular automaton on std::vector<unsigned char>, swapped each generation; rule as a table in std::array.
// expect: generation launches 20
#include <array>
#include <cstdio>
#include <vector>

using Row = std::vector<unsigned char>;

__attribute__((noinline)) void generation(const Row &now, Row &next, const std::array<unsigned char, 8> &rule) {
    const unsigned char *p = now.data(), *r = rule.data();
    unsigned char *q = next.data();
    for (std::size_t i = 1, n = now.size() - 1; i < n; i++)
        q[i] = r[((p[i - 1] & 1) << 2 | (p[i] & 1) << 1 | (p[i + 1] & 1))];
}

int main() {
    std::array<unsigned char, 8> rule{};
    for (unsigned i = 0; i < 8; i++)
        rule[i] = 110 >> i & 1;
    Row a(1000), b(1000);
    a[500] = 1;
    for (int t = 0; t < 20; t++) {
        generation(a, b, rule);
        a.swap(b);
    }
    unsigned h = 0;
    for (unsigned char c : a)
        h = h * 31 + c;
    std::printf("%08x\n", h);
}
