// Matrix product on rows that are sliced once, so that no bounds check is left inside.
// expect: matmul any
// truth: matmul parallel
#[inline(never)]
fn matmul(a: &[f32], b: &[f32], c: &mut [f32], n: usize) {
    for (row, out) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
        for (x, other) in row.iter().zip(b.chunks_exact(n)) {
            for (o, y) in out.iter_mut().zip(other) {
                *o += x * y;
            }
        }
    }
}

fn main() {
    let n = 48;
    let a: Vec<f32> = (0..n * n).map(|i| (i % 9) as f32).collect();
    let b: Vec<f32> = (0..n * n).map(|i| (i % 5) as f32 - 2.0).collect();
    let mut c = vec![0.0f32; n * n];
    matmul(&a, &b, &mut c, n);
    println!("{} {}", c[n + 3], c.iter().sum::<f32>());
}
