// A matrix class template over std::vector, with operators that a user would write.
// expect: multiply any
// truth: multiply parallel
// expect: transpose any
// truth: transpose parallel
#include <cstdio>
#include <vector>

template <typename T> class Matrix {
  public:
    Matrix(int rows, int cols) : rows_(rows), cols_(cols), data_(static_cast<std::size_t>(rows) * cols) {}
    T &operator()(int r, int c) { return data_[r * cols_ + c]; }
    const T &operator()(int r, int c) const { return data_[r * cols_ + c]; }
    int rows() const { return rows_; }
    int cols() const { return cols_; }

  private:
    int rows_, cols_;
    std::vector<T> data_;
};

template <typename T> __attribute__((noinline)) void multiply(const Matrix<T> &a, const Matrix<T> &b, Matrix<T> &out) {
    for (int i = 0; i < a.rows(); i++)
        for (int j = 0; j < b.cols(); j++) {
            T sum{};
            for (int k = 0; k < a.cols(); k++)
                sum += a(i, k) * b(k, j);
            out(i, j) = sum;
        }
}

template <typename T> __attribute__((noinline)) void transpose(const Matrix<T> &a, Matrix<T> &out) {
    for (int i = 0; i < a.rows(); i++)
        for (int j = 0; j < a.cols(); j++)
            out(j, i) = a(i, j);
}

int main() {
    Matrix<float> a(30, 40), b(40, 50), c(30, 50), t(50, 30);
    for (int i = 0; i < 30; i++)
        for (int j = 0; j < 40; j++)
            a(i, j) = static_cast<float>((i * j) % 7);
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 50; j++)
            b(i, j) = static_cast<float>((i + j) % 5) - 2.0f;
    multiply(a, b, c);
    transpose(c, t);
    float s = 0;
    for (int i = 0; i < 50; i++)
        s += t(i, i % 30) * static_cast<float>(i);
    std::printf("%a\n", s);
}
