// Matrix product by index, with bounds checks: each may leave the loop by a panic.
// expect: matmul any
// truth: matmul parallel
#[inline(never)]
fn matmul(a: &[f64], b: &[f64], c: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..n {
            let mut sum = 0.0;
            for k in 0..n {
                sum += a[i * n + k] * b[k * n + j];
            }
            c[i * n + j] = sum;
        }
    }
}

fn main() {
    let n = 40;
    let a: Vec<f64> = (0..n * n).map(|i| (i % 7) as f64).collect();
    let b: Vec<f64> = (0..n * n).map(|i| (i % 5) as f64 - 2.0).collect();
    let mut c = vec![0.0; n * n];
    matmul(&a, &b, &mut c, n);
    println!("{} {}", c[n + 3], c.iter().sum::<f64>());
}
