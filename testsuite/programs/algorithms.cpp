// Loops that come out of <algorithm> and <numeric>, with lambdas.
// expect: scale launches
// expect: combine launches
// expect: running stays
// expect: clear any
// truth: clear parallel
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <vector>

__attribute__((noinline)) void scale(std::vector<float> &v, float by) {
    std::for_each(v.begin(), v.end(), [by](float &x) { x *= by; });
}

__attribute__((noinline)) void combine(const std::vector<float> &a, const std::vector<float> &b,
                                       std::vector<float> &out) {
    std::transform(a.begin(), a.end(), b.begin(), out.begin(), [](float x, float y) { return x * x + y; });
}

__attribute__((noinline)) void running(std::vector<int> &v) {
    std::partial_sum(v.begin(), v.end(), v.begin());
}

__attribute__((noinline)) void clear(std::vector<int> &v, int with) {
    std::fill(v.begin(), v.end(), with);
}

int main() {
    std::vector<float> a(5000), b(5000), c(5000);
    std::iota(a.begin(), a.end(), 1.0f);
    std::iota(b.begin(), b.end(), -9.0f);
    std::vector<int> d(3000);
    scale(a, 0.125f);
    combine(a, b, c);
    clear(d, 3);
    running(d);
    std::printf("%a %d\n", std::accumulate(c.begin(), c.end(), 0.0f), d.back());
}
