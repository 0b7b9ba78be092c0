// Mandelbrot set: f64 in registers, no memory.
// n: 400
__attribute__((export_name("run"))) unsigned run(unsigned n) {
    unsigned sum = 0;
    for (unsigned y = 0; y < n; y++)
        for (unsigned x = 0; x < n; x++) {
            double cx = 3.0 * x / n - 2.0, cy = 2.0 * y / n - 1.0, zx = 0, zy = 0;
            unsigned i = 0;
            for (; i < 200 && zx * zx + zy * zy < 4.0; i++) {
                double t = zx * zx - zy * zy + cx;
                zy = 2 * zx * zy + cy;
                zx = t;
            }
            sum += i * (x + 1);
        }
    return sum;
}
