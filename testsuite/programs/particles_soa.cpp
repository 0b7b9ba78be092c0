// Particles as a structure of vectors, integrated in a member function; bounces off walls are conditional.
// expect: step launches 5
#include <cstdio>
#include <vector>

class Particles {
  public:
    explicit Particles(int n) : x_(n), y_(n), vx_(n), vy_(n) {
        for (int i = 0; i < n; i++) {
            x_[i] = static_cast<float>(i % 97) / 97.0f;
            y_[i] = static_cast<float>(i % 89) / 89.0f;
            vx_[i] = static_cast<float>(i % 13 - 6);
            vy_[i] = static_cast<float>(i % 7 - 3);
        }
    }
    __attribute__((noinline)) void step(float dt);
    float sum() const {
        float s = 0;
        for (std::size_t i = 0; i < x_.size(); i++)
            s += x_[i] * y_[i];
        return s;
    }

  private:
    std::vector<float> x_, y_, vx_, vy_;
};

void Particles::step(float dt) {
    float *x = x_.data(), *y = y_.data(), *vx = vx_.data(), *vy = vy_.data();
    for (std::size_t i = 0, n = x_.size(); i < n; i++) {
        vy[i] -= 9.81f * dt;
        x[i] += vx[i] * dt;
        y[i] += vy[i] * dt;
        if (x[i] < 0.0f || x[i] > 1.0f)
            vx[i] = -vx[i];
        if (y[i] < 0.0f) {
            y[i] = -y[i];
            vy[i] = -0.8f * vy[i];
        }
    }
}

int main() {
    Particles p(3000);
    for (int t = 0; t < 5; t++)
        p.step(0.01f);
    std::printf("%a\n", p.sum());
}
