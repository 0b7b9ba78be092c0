// Five bodies under gravity, f64: square roots and divisions, everything in a small array.
// n: 600000
struct body {
    double x, y, z, vx, vy, vz, m;
};
static struct body p[5];

static void step(double dt) {
    for (int i = 0; i < 5; i++)
        for (int j = i + 1; j < 5; j++) {
            double dx = p[i].x - p[j].x, dy = p[i].y - p[j].y, dz = p[i].z - p[j].z;
            double d2 = dx * dx + dy * dy + dz * dz + 0.01, f = dt / (d2 * __builtin_sqrt(d2));
            p[i].vx -= dx * p[j].m * f, p[i].vy -= dy * p[j].m * f, p[i].vz -= dz * p[j].m * f;
            p[j].vx += dx * p[i].m * f, p[j].vy += dy * p[i].m * f, p[j].vz += dz * p[i].m * f;
        }
    for (int i = 0; i < 5; i++)
        p[i].x += dt * p[i].vx, p[i].y += dt * p[i].vy, p[i].z += dt * p[i].vz;
}

__attribute__((export_name("run"))) unsigned run(unsigned n) {
    for (int i = 0; i < 5; i++)
        p[i] = (struct body){i * 1.5, i * i * 0.25, -i, 0.1 * i, 0.05, -0.02 * i, 1.0 / (1 + i)};
    for (unsigned t = 0; t < n; t++)
        step(0.001);
    return (unsigned)(long long)(p[0].x * 1e6) ^ (unsigned)(long long)(p[4].vz * 1e6);
}
