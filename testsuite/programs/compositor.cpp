// A compositor in C++: vectors whose ends are read again in every iteration, images by reference, an index that runs on
// from row to row.
// expect: over launches on cpu lavapipe swiftshader
// expect: rotate launches on cpu lavapipe swiftshader
// expect: displace launches on cpu lavapipe
// expect: fade_each launches on cpu lavapipe
// expect: appended stays
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#define NOINLINE __attribute__((noinline))

struct Rgba {
    uint8_t r, g, b, a;
};

static uint8_t times(unsigned a, unsigned b) {
    unsigned t = a * b + 128;
    return uint8_t((t + (t >> 8)) >> 8);
}

NOINLINE void over(std::vector<Rgba> &dst, const std::vector<Rgba> &src) {
    for (size_t i = 0; i < dst.size(); i++) {
        const Rgba s = src[i];
        Rgba &d = dst[i];
        if (s.a == 0)
            continue;
        unsigned rest = 255 - s.a;
        d = Rgba{uint8_t(s.r + times(d.r, rest)), uint8_t(s.g + times(d.g, rest)), uint8_t(s.b + times(d.b, rest)),
                 uint8_t(s.a + times(d.a, rest))};
    }
}

struct Image {
    int w, h;
    std::vector<uint32_t> pixels;
    Image(int w, int h) : w(w), h(h), pixels(size_t(w * h)) {}
};

NOINLINE void rotate(const Image &from, Image &to) {
    uint32_t *o = to.pixels.data();
    for (int y = 0; y < from.h; y++)
        for (int x = 0; x < from.w; x++)
            o[x * from.h + (from.h - 1 - y)] = from.pixels[size_t(y * from.w + x)];
}

NOINLINE void displace(const Image &from, Image &to, const std::vector<float> &dx, const std::vector<float> &dy) {
    size_t i = 0;
    for (int y = 0; y < to.h; y++)
        for (int x = 0; x < to.w; x++, i++) {
            int u = std::min(std::max(x + int(dx[i]), 0), from.w - 1);
            int v = std::min(std::max(y + int(dy[i]), 0), from.h - 1);
            to.pixels[size_t(y * to.w + x)] = from.pixels[size_t(v * from.w + u)];
        }
}

struct Spark {
    float x, y, z, life, heat[5];
};

NOINLINE void fade_each(std::vector<Spark> &sparks, float by) {
    for (size_t i = 0; i < sparks.size(); i++) {
        if (sparks[i].life <= 0)
            continue;
        sparks[i].life -= by;
        for (float &h : sparks[i].heat)
            h *= 1 - by;
    }
}

// The end of the vector moves while the loop runs.
NOINLINE void appended(std::vector<uint32_t> &v) {
    for (size_t i = 0; i < v.size(); i++)
        if (v[i] % 3 == 0)
            v.push_back(v[i] / 3 + 1);
}

template <class T> static uint32_t hash(const std::vector<T> &v) {
    auto *b = reinterpret_cast<const uint8_t *>(v.data());
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < v.size() * sizeof(T); i++)
        h = (h ^ b[i]) * 16777619u;
    return h;
}

int main() {
    std::vector<Rgba> a(5000), b(5000);
    for (size_t i = 0; i < a.size(); i++) {
        uint8_t alpha = uint8_t(i * 11 % 3 ? i * 7 : 0);
        a[i] = {uint8_t(i), uint8_t(i * 3), uint8_t(i * 5), 255};
        b[i] = {times(i & 255, alpha), times(i * 9 & 255, alpha), 0, alpha};
    }
    over(a, b);
    std::printf("%08x\n", hash(a));

    Image from(100, 80), turned(80, 100), moved(110, 70);
    for (size_t i = 0; i < from.pixels.size(); i++)
        from.pixels[i] = uint32_t(i) * 2654435761u;
    rotate(from, turned);
    std::printf("%08x\n", hash(turned.pixels));
    std::vector<float> dx(7700), dy(7700);
    for (size_t i = 0; i < dx.size(); i++) {
        dx[i] = float(i % 23) - 11;
        dy[i] = float(i % 17) - 8;
    }
    displace(from, moved, dx, dy);
    std::printf("%08x\n", hash(moved.pixels));

    std::vector<Spark> sparks(700);
    for (size_t i = 0; i < sparks.size(); i++)
        sparks[i] = {float(i), 0, 1, float(i % 5) - 1, {1, 2, 3, 4, float(i)}};
    fade_each(sparks, .125f);
    std::printf("%08x\n", hash(sparks));

    std::vector<uint32_t> v(90);
    for (size_t i = 0; i < v.size(); i++)
        v[i] = uint32_t(i * i);
    appended(v);
    std::printf("%u %08x\n", unsigned(v.size()), hash(v));
}
