// Virtual calls: a loop over objects calls through a table that never changes, so that the methods can be inlined.
// expect: total launches
// truth: total parallel
// expect: fill launches
#include <cstdio>
#include <vector>

class Shape {
  public:
    virtual ~Shape() = default;
    virtual float area() const = 0;
};

class Box : public Shape {
  public:
    Box(float w, float h) : w_(w), h_(h) {}
    float area() const override { return w_ * h_; }

  private:
    float w_, h_;
};

class Disc : public Shape {
  public:
    explicit Disc(float r) : r_(r) {}
    float area() const override { return 3.14159265f * r_ * r_; }

  private:
    float r_;
};

__attribute__((noinline)) void total(Shape *const *shapes, float *out, int n) {
    for (int i = 0; i < n; i++)
        out[i] = shapes[i]->area();
}

__attribute__((noinline)) void fill(std::vector<float> &v, float first, float step) {
    for (std::size_t i = 0; i < v.size(); i++)
        v[i] = first + step * static_cast<float>(i);
}

int main() {
    std::vector<Shape *> all;
    for (int i = 0; i < 200; i++)
        if (i % 3)
            all.push_back(new Box(static_cast<float>(i), 2.0f));
        else
            all.push_back(new Disc(static_cast<float>(i)));
    std::vector<float> out(all.size()), ramp(4000);
    total(all.data(), out.data(), static_cast<int>(all.size()));
    fill(ramp, 0.5f, 0.25f);
    float s = 0;
    for (float f : out)
        s += f;
    std::printf("%a %a\n", s, ramp.back());
    for (Shape *p : all)
        delete p;
}
