// Sound: interleaving of two channels, gain with clipping, and an echo that feeds back.
// expect: interleave launches
// expect: gain any
// truth: gain parallel
// expect: echo stays
#[inline(never)]
fn interleave(left: &[i16], right: &[i16], out: &mut [i16]) {
    for ((o, l), r) in out.chunks_exact_mut(2).zip(left).zip(right) {
        o[0] = *l;
        o[1] = *r;
    }
}

#[inline(never)]
fn gain(v: &mut [i16], by: f32) {
    for s in v {
        *s = (*s as f32 * by).clamp(-32768.0, 32767.0) as i16;
    }
}

#[inline(never)]
fn echo(v: &mut [i16], delay: usize) {
    for i in delay..v.len() {
        v[i] = v[i].saturating_add(v[i - delay] / 2);
    }
}

fn main() {
    let l: Vec<i16> = (0..4000).map(|i: i32| (i * 37 % 20011) as i16).collect();
    let r: Vec<i16> = l.iter().rev().copied().collect();
    let mut out = vec![0i16; 8000];
    interleave(&l, &r, &mut out);
    gain(&mut out, 1.75);
    echo(&mut out, 2);
    println!("{}", out.iter().map(|s| *s as i64).sum::<i64>());
}
