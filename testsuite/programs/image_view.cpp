// A view class with stride, passed by value, and a filter given as a functor.
// expect: map launches
#include <cstdint>
#include <cstdio>
#include <vector>

template <typename P> struct View {
    P *base;
    int width, height, stride;
    P *row(int y) const { return base + y * stride; }
};

struct Contrast {
    int gain, offset;
    std::uint8_t operator()(std::uint8_t v) const {
        int x = (v * gain >> 8) + offset;
        return static_cast<std::uint8_t>(x < 0 ? 0 : x > 255 ? 255 : x);
    }
};

template <typename P, typename F> __attribute__((noinline)) void map(View<const P> in, View<P> out, F f) {
    for (int y = 0; y < in.height; y++) {
        const P *from = in.row(y);
        P *to = out.row(y);
        for (int x = 0; x < in.width; x++)
            to[x] = f(from[x]);
    }
}

int main() {
    std::vector<std::uint8_t> a(128 * 90), b(120 * 90);
    for (std::size_t i = 0; i < a.size(); i++)
        a[i] = static_cast<std::uint8_t>(i * 13 + i / 128);
    map(View<const std::uint8_t>{a.data() + 3, 111, 90, 128}, View<std::uint8_t>{b.data(), 111, 90, 120},
        Contrast{300, -20});
    unsigned h = 0;
    for (std::uint8_t v : b)
        h = h * 31 + v;
    std::printf("%08x\n", h);
}
