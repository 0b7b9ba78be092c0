// An image type with a checked accessor, blurred by a 3x3 box; and its transpose.
// expect: blur any
// truth: blur parallel
// expect: transpose any
// truth: transpose parallel
struct Image {
    width: usize,
    height: usize,
    data: Vec<u16>,
}

impl Image {
    fn new(width: usize, height: usize) -> Self {
        Image { width, height, data: vec![0; width * height] }
    }
    fn at(&self, x: usize, y: usize) -> u32 {
        self.data[y * self.width + x] as u32
    }
}

#[inline(never)]
fn blur(from: &Image, to: &mut Image) {
    for y in 1..from.height - 1 {
        for x in 1..from.width - 1 {
            let mut s = 0;
            for dy in 0..3 {
                for dx in 0..3 {
                    s += from.at(x + dx - 1, y + dy - 1);
                }
            }
            to.data[y * from.width + x] = (s / 9) as u16;
        }
    }
}

#[inline(never)]
fn transpose(from: &Image, to: &mut [u16]) {
    for y in 0..from.height {
        for x in 0..from.width {
            to[x * from.height + y] = from.data[y * from.width + x];
        }
    }
}

fn main() {
    let mut a = Image::new(70, 50);
    for (i, p) in a.data.iter_mut().enumerate() {
        *p = (i * 17 % 4099) as u16;
    }
    let mut b = Image::new(70, 50);
    blur(&a, &mut b);
    let mut t = vec![0u16; 70 * 50];
    transpose(&b, &mut t);
    println!("{} {}", t[1 + 50 * 3], t.iter().map(|v| *v as u32).sum::<u32>());
}
