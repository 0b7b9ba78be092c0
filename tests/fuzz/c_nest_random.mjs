// Seeded random choices of the generators in this folder: the same seed gives the same program on every machine.

export class Random {
  constructor(seed) {
    this.state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.next();
  }
  next() { // xorshift32 (Marsaglia, 2003)
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>>= 0);
  }
  upTo(n) { return this.next() % n; }
  oneOf(list) { return list[this.upTo(list.length)]; }
  chance(percent) { return this.upTo(100) < percent; }
  // One key of { key: weight }.
  weighted(weights) {
    let at = this.upTo(Object.values(weights).reduce((a, b) => a + b, 0));
    for (const [key, weight] of Object.entries(weights)) {
      if (at < weight) return key;
      at -= weight;
    }
    throw new Error('no weights');
  }
}
