// Product quantisation into a vector of bytes: a byte store might change any object, so the compiler reads the vectors'
// pointers again in every iteration, and the loop's bound with them.
// expect: encode launches
// expect: lengths launches
#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

using Point = std::array<float, 8>;
struct Three {
    int32_t x, y, z;
};

__attribute__((noinline)) void encode(const std::vector<Point> &points, const std::vector<std::array<float, 2>> &book,
                                      std::vector<uint8_t> &codes) {
    for (size_t i = 0; i < points.size(); i++)
        for (int part = 0; part < 4; part++) {
            int best = 0;
            float least = 1e30f;
            for (int c = 0; c < 16; c++) {
                const auto &b = book[part * 16 + c];
                float x = points[i][2 * part] - b[0], y = points[i][2 * part + 1] - b[1];
                if (x * x + y * y < least) {
                    least = x * x + y * y;
                    best = c;
                }
            }
            codes[i * 4 + part] = static_cast<uint8_t>(best);
        }
}

__attribute__((noinline)) void lengths(const std::vector<Three> &v, std::vector<uint8_t> &out) {
    for (size_t i = 0; i < v.size(); i++)
        out[i] = static_cast<uint8_t>(v[i].x * v[i].x + v[i].y * v[i].y - v[i].z);
}

int main() {
    std::vector<Point> points(300);
    uint32_t s = 5;
    for (auto &p : points)
        for (auto &x : p) {
            s = s * 1664525u + 1013904223u;
            x = static_cast<float>(s >> 16) / 65536.0f;
        }
    std::vector<std::array<float, 2>> book(64);
    for (size_t i = 0; i < book.size(); i++)
        book[i] = {points[i][0], points[i][1]};
    std::vector<uint8_t> codes(points.size() * 4), squares(200);
    encode(points, book, codes);
    std::vector<Three> v(200);
    for (int i = 0; i < 200; i++)
        v[i] = {i, 200 - i, i % 7};
    lengths(v, squares);
    uint32_t h = 0;
    for (auto c : codes)
        h = h * 31 + c;
    for (auto c : squares)
        h = h * 31 + c;
    std::printf("%u\n", h);
}
