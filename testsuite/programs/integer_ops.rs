// Integer methods of Rust: checked, saturating, wrapping, leading zeros; an i64 counter.
// expect: mix launches
// expect: levels launches
#[inline(never)]
fn mix(out: &mut [u32], a: &[u32], b: &[u32]) {
    for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
        *o = a.wrapping_mul(2654435761).rotate_right(7) ^ b.saturating_sub(1000);
    }
}

#[inline(never)]
fn levels(out: &mut [u8], v: &[u64]) {
    for (o, v) in out.iter_mut().zip(v) {
        *o = (64 - v.leading_zeros()) as u8 + v.count_ones() as u8;
    }
}

fn main() {
    let a: Vec<u32> = (0..5000).map(|i: u32| i.wrapping_mul(i)).collect();
    let b: Vec<u32> = (0..5000).map(|i: u32| i * 3).collect();
    let v: Vec<u64> = (0..5000).map(|i: u64| i * i * i).collect();
    let (mut o, mut l) = (vec![0u32; 5000], vec![0u8; 5000]);
    mix(&mut o, &a, &b);
    levels(&mut l, &v);
    println!("{} {}", o.iter().fold(0u32, |h, x| h ^ x), l.iter().map(|x| *x as u32).sum::<u32>());
}
