// A Vec of structs with methods: motion, and an energy per body.
// expect: advance launches
// expect: energies launches
#[derive(Clone, Copy)]
struct Body {
    pos: [f64; 3],
    vel: [f64; 3],
    mass: f64,
}

impl Body {
    fn energy(&self) -> f64 {
        0.5 * self.mass * self.vel.iter().map(|v| v * v).sum::<f64>()
    }
}

#[inline(never)]
fn advance(bodies: &mut [Body], dt: f64) {
    for b in bodies {
        for k in 0..3 {
            b.pos[k] += dt * b.vel[k];
        }
    }
}

#[inline(never)]
fn energies(bodies: &[Body], out: &mut [f64]) {
    for (b, e) in bodies.iter().zip(out) {
        *e = b.energy();
    }
}

fn main() {
    let mut bodies: Vec<Body> = (0..1500)
        .map(|i| Body { pos: [i as f64, 0.0, 1.0], vel: [0.5, (i % 7) as f64, -1.0], mass: 1.0 + (i % 3) as f64 })
        .collect();
    let mut e = vec![0.0; bodies.len()];
    advance(&mut bodies, 0.25);
    energies(&bodies, &mut e);
    println!("{} {}", bodies[77].pos[1], e.iter().sum::<f64>());
}
