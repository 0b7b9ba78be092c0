// Three-component vectors by value, as ray tracers have them: shading a field of normals.
// expect: shade launches
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

struct Vec3 {
    float x, y, z;
    friend Vec3 operator*(float s, Vec3 v) { return {s * v.x, s * v.y, s * v.z}; }
    friend Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
    friend float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
};

static Vec3 unit(Vec3 v) {
    return (1.0f / std::sqrt(dot(v, v))) * v;
}

__attribute__((noinline)) void shade(const Vec3 *normal, float *out, Vec3 light, int n) {
    for (int i = 0; i < n; i++) {
        Vec3 m = unit(normal[i]);
        float d = dot(m, light);
        Vec3 r = 2.0f * d * m - light;
        float s = r.z > 0.0f ? r.z * r.z * r.z * r.z : 0.0f;
        out[i] = (d > 0.0f ? d : 0.0f) + 0.5f * s;
    }
}

int main() {
    const int n = 2000;
    std::vector<Vec3> v(n);
    std::vector<float> out(n);
    for (int i = 0; i < n; i++)
        v[i] = {static_cast<float>(i % 11 - 5), static_cast<float>(i % 7 - 3), static_cast<float>(i % 5 + 1)};
    shade(v.data(), out.data(), unit({1.0f, 2.0f, 3.0f}), n);
    float s = 0;
    for (float f : out)
        s += f;
    std::printf("%a\n", s);
}
