// RGB to grey and back, by chunks of three bytes.
// expect: to_grey launches
// expect: to_rgb launches
#[inline(never)]
fn to_grey(rgb: &[u8], grey: &mut [u8]) {
    for (p, g) in rgb.chunks_exact(3).zip(grey.iter_mut()) {
        *g = ((p[0] as u32 * 77 + p[1] as u32 * 150 + p[2] as u32 * 29) >> 8) as u8;
    }
}

#[inline(never)]
fn to_rgb(grey: &[u8], rgb: &mut [u8]) {
    for (p, g) in rgb.chunks_exact_mut(3).zip(grey) {
        p[0] = *g;
        p[1] = g.saturating_add(16);
        p[2] = g.wrapping_mul(3);
    }
}

fn main() {
    let mut rgb: Vec<u8> = (0..30000u32).map(|i| (i * 31 % 251) as u8).collect();
    let mut grey = vec![0u8; 10000];
    to_grey(&rgb, &mut grey);
    to_rgb(&grey, &mut rgb);
    println!("{:08x}", rgb.iter().fold(0u32, |h, b| h.wrapping_mul(31).wrapping_add(*b as u32)));
}
