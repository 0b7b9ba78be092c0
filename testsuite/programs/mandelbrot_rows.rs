// The Mandelbrot set by rows; each pixel iterates until it escapes.
// expect: render any
// truth: render parallel
#[inline(never)]
fn render(out: &mut [u8], width: usize, height: usize) {
    for (y, row) in out.chunks_exact_mut(width).enumerate() {
        for (x, p) in row.iter_mut().enumerate() {
            let cr = x as f32 / width as f32 * 3.0 - 2.0;
            let ci = y as f32 / height as f32 * 2.0 - 1.0;
            let (mut zr, mut zi, mut n) = (0.0f32, 0.0f32, 0u8);
            while n < 50 && zr * zr + zi * zi < 4.0 {
                let t = zr * zr - zi * zi + cr;
                zi = 2.0 * zr * zi + ci;
                zr = t;
                n += 1;
            }
            *p = n;
        }
    }
}

fn main() {
    let (w, h) = (72, 48);
    let mut img = vec![0u8; w * h];
    render(&mut img, w, h);
    println!("{}", img.iter().map(|v| *v as u32).sum::<u32>());
}
