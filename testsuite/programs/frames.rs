// Rust: rows copied and cleared with copy_from_slice and fill, and a filter behind a trait object.
// expect: crop launches
// truth: crop parallel
// expect: letterbox any
// truth: letterbox parallel
// expect: shade any
// truth: shade parallel

#[no_mangle]
#[inline(never)]
pub fn crop(to: &mut [u8], from: &[u8], stride: usize, width: usize) {
    for (row, line) in to.chunks_exact_mut(width).zip(from.chunks_exact(stride)) {
        row.copy_from_slice(&line[5..5 + width]);
    }
}

#[no_mangle]
#[inline(never)]
pub fn letterbox(image: &mut [u8], width: usize, bar: usize) {
    for row in image.chunks_exact_mut(width) {
        row[..bar].fill(16);
        row[width - bar..].fill(16);
    }
}

pub trait Shader {
    fn shade(&self, x: f32) -> f32;
}

struct Gain(f32);
struct Curve(f32, f32);

impl Shader for Gain {
    fn shade(&self, x: f32) -> f32 {
        x * self.0
    }
}

impl Shader for Curve {
    fn shade(&self, x: f32) -> f32 {
        x * (self.0 + self.1 * x)
    }
}

#[no_mangle]
#[inline(never)]
pub fn shade(values: &mut [f32], shader: &dyn Shader) {
    for v in values.iter_mut() {
        *v = shader.shade(*v);
    }
}

fn main() {
    let (width, height) = (320usize, 60usize);
    let frame: Vec<u8> = (0..width * height).map(|i| (i * 31 + i / 7) as u8).collect();
    let mut out = vec![0u8; 300 * height];
    crop(&mut out, &frame, width, 300);
    letterbox(&mut out, 300, 40);
    let mut values: Vec<f32> = out.iter().map(|&b| b as f32 * 0.5).collect();
    let shaders: [Box<dyn Shader>; 2] = [Box::new(Gain(0.25)), Box::new(Curve(0.5, 0.125))];
    for s in shaders.iter() {
        shade(&mut values, s.as_ref());
    }
    let mut h = 0u32;
    for v in &values {
        h = h.wrapping_mul(31).wrapping_add(v.to_bits());
    }
    println!("{:08x}", h);
}
