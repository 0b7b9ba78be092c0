// Sums and hashes: values, not memory; a rolling hash cannot be spread, an XOR of all could.
// expect: adler stays
// expect: fnv stays
// expect: scramble launches
#[inline(never)]
fn adler(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in data {
        a = (a + *byte as u32) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

#[inline(never)]
fn fnv(data: &[u8]) -> u32 {
    data.iter().fold(0x811c9dc5, |h, b| (h ^ *b as u32).wrapping_mul(0x01000193))
}

#[inline(never)]
fn scramble(data: &mut [u8], key: u8) {
    for b in data {
        *b = b.rotate_left(3) ^ key;
    }
}

fn main() {
    let mut data: Vec<u8> = (0..20000u32).map(|i| (i * i >> 5) as u8).collect();
    scramble(&mut data, 0x5a);
    println!("{:08x} {:08x}", adler(&data), fnv(&data));
}
