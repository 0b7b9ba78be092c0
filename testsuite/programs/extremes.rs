// Greatest and least floats as Rust code writes them: f32::max and the like, which skip NaNs, folded over slices.
// expect: greatest launches
// expect: least_number launches
// expect: least launches
// expect: amax launches
// expect: spread launches
// expect: rows launches
// truth: greatest parallel
// truth: least_number parallel
// truth: least parallel
// truth: amax parallel
// truth: spread parallel
// truth: rows parallel

#[inline(never)]
#[no_mangle]
pub fn greatest(x: &[f32]) -> f32 {
    x.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

// NaN of nothing but NaNs, and of nothing at all.
#[inline(never)]
#[no_mangle]
pub fn least_number(x: &[f32]) -> f32 {
    x.iter().cloned().fold(f32::NAN, f32::min)
}

#[inline(never)]
#[no_mangle]
pub fn least(x: &[f64]) -> f64 {
    x.iter().fold(f64::INFINITY, |a, &b| a.min(b))
}

#[inline(never)]
#[no_mangle]
pub fn amax(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |a, b| b.abs().max(a))
}

#[inline(never)]
#[no_mangle]
pub fn spread(x: &[f32]) -> f32 {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for &v in x {
        low = low.min(v);
        high = high.max(v);
    }
    high - low
}

#[inline(never)]
#[no_mangle]
pub fn rows(x: &[f32], to: &mut [f32], columns: usize) {
    for (r, row) in to.iter_mut().zip(x.chunks_exact(columns)) {
        let mut m = f32::NEG_INFINITY;
        for &v in row {
            m = m.max(v);
        }
        *r = m;
    }
}

fn main() {
    let mut seed = 1u32;
    for round in 0..3 {
        let mut x: Vec<f32> = Vec::new();
        for i in 0..20000u32 {
            seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
            let v = ((seed >> 8) % 4001) as f32 / 16.0 - 125.0;
            let nan = f32::from_bits(0x7fc0_0000 | i);
            x.push(if round == 0 || (round == 1 && seed >> 31 == 0) { v } else { nan });
        }
        let d: Vec<f64> = x.iter().map(|&v| if v.is_nan() { f64::NAN } else { f64::from(v) }).collect();
        let mut to = vec![0.0f32; 200];
        rows(&x, &mut to, 100);
        let sum = to.iter().fold(0u32, |a, v| a.wrapping_mul(31).wrapping_add(v.to_bits()));
        println!("{:08x} {:08x} {:016x}", greatest(&x).to_bits(), least_number(&x).to_bits(), least(&d).to_bits());
        println!("{:08x} {} {:08x}", amax(&x).to_bits(), spread(&x), sum);
    }
}
