// A fixed-point number type with operators; a mixer and a comb filter on it.
// expect: mix launches
// expect: comb stays
#include <cstdint>
#include <cstdio>
#include <vector>

class Fixed {
  public:
    Fixed() = default;
    explicit constexpr Fixed(std::int32_t raw) : raw_(raw) {}
    static constexpr Fixed of(int n) { return Fixed(n << 16); }
    Fixed operator+(Fixed o) const { return Fixed(raw_ + o.raw_); }
    Fixed operator*(Fixed o) const {
        return Fixed(static_cast<std::int32_t>((static_cast<std::int64_t>(raw_) * o.raw_) >> 16));
    }
    std::int32_t raw() const { return raw_; }

  private:
    std::int32_t raw_ = 0;
};

__attribute__((noinline)) void mix(const Fixed *a, const Fixed *b, Fixed *out, Fixed ga, Fixed gb, int n) {
    for (int i = 0; i < n; i++)
        out[i] = a[i] * ga + b[i] * gb;
}

__attribute__((noinline)) void comb(Fixed *v, Fixed g, int delay, int n) {
    for (int i = delay; i < n; i++)
        v[i] = v[i] + v[i - delay] * g;
}

int main() {
    const int n = 6000;
    std::vector<Fixed> a(n), b(n), c(n);
    for (int i = 0; i < n; i++) {
        a[i] = Fixed((i * 7919) % 65536 - 32768);
        b[i] = Fixed::of(i % 5);
    }
    mix(a.data(), b.data(), c.data(), Fixed(40000), Fixed(20000), n);
    comb(c.data(), Fixed(30000), 7, n);
    unsigned h = 0;
    for (Fixed f : c)
        h = h * 31 + static_cast<unsigned>(f.raw());
    std::printf("%08x\n", h);
}
