// Rust iterators over slices: zip, windows, chunks and enumerate.
// expect: axpy launches
// expect: smooth launches
// expect: fold_rows any
// truth: fold_rows parallel
#[inline(never)]
fn axpy(y: &mut [f32], x: &[f32], a: f32) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

#[inline(never)]
fn smooth(out: &mut [f32], v: &[f32]) {
    for (o, w) in out.iter_mut().zip(v.windows(3)) {
        *o = 0.25 * w[0] + 0.5 * w[1] + 0.25 * w[2];
    }
}

#[inline(never)]
fn fold_rows(out: &mut [f32], v: &[f32], width: usize) {
    for (o, row) in out.iter_mut().zip(v.chunks_exact(width)) {
        *o = row.iter().sum();
    }
}

fn main() {
    let x: Vec<f32> = (0..4096).map(|i| (i % 37) as f32).collect();
    let mut y = vec![1.0f32; 4096];
    let mut s = vec![0.0f32; 4094];
    let mut r = vec![0.0f32; 64];
    axpy(&mut y, &x, 0.5);
    smooth(&mut s, &y);
    fold_rows(&mut r, &y, 64);
    println!("{} {} {}", s[17], s[4093], r[63]);
}
