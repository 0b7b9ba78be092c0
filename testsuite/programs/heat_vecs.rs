// Heat in a Vec of Vecs: every row is a pointer that is loaded in the loop.
// expect: step any
// truth: step parallel
type Field = Vec<Vec<f32>>;

#[inline(never)]
fn step(now: &Field, next: &mut Field) {
    for y in 1..now.len() - 1 {
        let (up, here, down) = (&now[y - 1], &now[y], &now[y + 1]);
        let out = &mut next[y][..here.len()];
        for x in 1..here.len() - 1 {
            out[x] = here[x] + 0.2 * (up[x] + down[x] + here[x - 1] + here[x + 1] - 4.0 * here[x]);
        }
    }
}

fn main() {
    let mut a: Field = (0..40).map(|y| (0..60).map(|x| ((x * y) % 17) as f32).collect()).collect();
    let mut b = a.clone();
    for _ in 0..6 {
        step(&a, &mut b);
        std::mem::swap(&mut a, &mut b);
    }
    println!("{} {}", a[20][30], a[1][1]);
}
