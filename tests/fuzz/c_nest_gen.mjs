// The programs of c_nests.mjs: many functions with a random loop nest each, and calls of them.
//
// A program exports uint64_t run(int which).  run(0) calls every nest with several sets of arguments that are only known
// at run time: separate, touching and overlapping arrays, trip counts of 0, 1 and around 65,536, memory that grows in
// between.  run(1), run(2), ... each fill memory anew and make one call that may do anything: divide by zero, run off
// the end of memory, follow a pointer that it has overwritten itself.  After every call a hash of all arrays and of the
// result goes to the next word of `notes`, so that the first one that differs tells which call was wrong.
import { KINDS } from './c_nest_kinds.mjs';
import { Random } from './c_nest_random.mjs';

export const NESTS_A_PROGRAM = 32;
const BYTES = 1 << 19; // of the buffer in which all arrays lie

// Element types: memory type, the type computed in, bytes.
const TYPES = [
  { c: 'uint32_t', compute: 'uint32_t', bytes: 4 }, { c: 'int32_t', compute: 'uint32_t', bytes: 4 }, { c: 'int32_t', compute: 'int32_t', bytes: 4 },
  { c: 'uint8_t', compute: 'uint32_t', bytes: 1 }, { c: 'int16_t', compute: 'uint32_t', bytes: 2 },
  { c: 'uint64_t', compute: 'uint64_t', bytes: 8 }, { c: 'float', compute: 'float', bytes: 4 },
  { c: 'float', compute: 'float', bytes: 4 }, { c: 'double', compute: 'double', bytes: 8 },
];

class NestMaker {
  constructor(r, id) {
    this.r = r;
    this.id = id;
    const weights = Object.fromEntries(Object.entries(KINDS).map(([k, v]) => [k, v.weight]));
    this.kind = r.weighted(weights);
    const kind = KINDS[this.kind];
    this.type = r.oneOf(TYPES.filter((t) => !kind.types || kind.types.includes(t.c)));
    this.float = this.type.compute === 'float' || this.type.compute === 'double';
    this.zero = `(${this.type.compute})0`;
    this.dims = kind.dims ? r.oneOf(kind.dims) : r.oneOf([1, 1, 1, 2, 2, 2, 3]);
    this.counters = ['i', 'j', 'l'].slice(0, this.dims);
    this.inner = this.counters.at(-1);
    const triangular = this.dims >= 2 && r.chance(25);
    const bounds = ['n', triangular ? r.oneOf(['i + 1', 'i', 'm - i', '(i < m ? i : m)', '(m < 2 * i ? m : 2 * i)']) : 'm', '5'];
    this.heads = this.counters.map((c, x) => this.head(c, bounds[x], x));
    this.flat = this.dims === 1 ? r.oneOf(['i', 'i', 'i', 'i * s', '2 * i', 'i + 3'])
              : this.dims === 2 ? r.oneOf(['i * m + j', 'i * m + j', 'j * n + i', 'i * 64 + j', 'j * 64 + i', 'i * m + 2 * j', 'j'])
              : r.oneOf(['(i * m + j) * 5 + l', '(i * 5 + l) * m + j', '(j * 61 + i) * 5 + l']);
    this.reads = [`q[${this.flat}]`, `r[${r.oneOf([this.flat, 'i', `${this.flat} + 1`, this.inner])}]`];
    if (r.chance(40)) this.reads.push(`q[${this.flat} + ${1 + r.upTo(4)}]`);
    if (r.chance(15)) this.reads.push(`q[(${this.flat}) & 63]`);
    if (r.chance(25)) this.reads.push(`p[${this.flat}]`);
    if (r.chance(6)) this.reads.push(`p[${this.flat} + ${1 + r.upTo(3)}]`);
  }

  // A loop head: the counter runs over 0 to bound-1 in some form.
  head(c, bound, index) {
    return this.r.oneOf([
      `for (int ${c} = 0; ${c} < ${bound}; ${c}++)`,
      `for (int ${c} = 0; ${c} < ${bound}; ${c}++)`,
      `for (unsigned ${c} = 0; ${c} < (unsigned)(${bound} > 0 ? ${bound} : 0); ${c}++)`,
      `for (long long ${c} = 0; ${c} < ${bound}; ${c}++)`,
      `for (int ${c} = ${bound} - 1; ${c} >= 0; ${c}--)`,
      `for (int ${c} = 0; ${c} < ${bound}; ${c} += ${index === 0 ? 's' : '2'})`,
      index === 0 ? `for (int ${c} = 0; ${c} != ${bound} && ${bound} > 0; ${c}++)` : `for (int ${c} = 1; ${c} + 1 < ${bound}; ${c}++)`,
      `for (int ${c} = 0; ${c} <= ${bound} - 1; ++${c})`,
    ]);
  }

  lit(x) {
    if (!this.float) return `${Math.ceil(x)}u`;
    return `${Number.isInteger(x) ? x.toFixed(1) : x}${this.type.compute === 'float' ? 'f' : ''}`;
  }

  // An expression over the reads, the counters and k.
  value(depth) {
    const { r, type } = this;
    if (depth === 0 || r.chance(20))
      return r.oneOf([...this.reads, ...this.reads, ...this.counters.map((c) => `(${type.compute})${c}`), `(${type.compute})k`,
                      this.float ? this.lit(r.upTo(9) + 0.25) : `${r.upTo(1000)}u`]);
    const a = this.value(depth - 1), b = this.value(depth - 1);
    if (this.float)
      return r.oneOf([`(${a} + ${b})`, `(${a} - ${b})`, `(${a} * ${b})`, `(${a} > ${b} ? ${a} : ${b})`, `(${a} < ${b} ? ${a} : ${b})`,
                      `(${a} / (${b} * ${b} + ${this.lit(1)}))`, `(${type.compute})(int)${this.kept(a)}`,
                      `__builtin_${r.oneOf(['fabs', 'floor', 'trunc', 'rint'])}${type.compute === 'float' ? 'f' : ''}(${a})`]);
    return r.oneOf([`(${a} + ${b})`, `(${a} - ${b})`, `(${a} * ${b})`, `(${a} ^ ${b})`, `(${a} & ${b})`, `(${a} | ${b})`,
                    `(${a} >> ${r.upTo(8)})`, `(${a} << ${r.upTo(8)})`, `(${a} < ${b} ? ${a} : ${b})`, `(${a} > ${b} ? ${a} : ${b})`,
                    `(${a} % ${2 + r.upTo(50)}u)`, `(${a} / ${3 + r.upTo(50)}u)`]);
  }

  // What is stored: no NaN, no huge number, in the type of memory; and the same in the type computed in.
  kept(text) {
    if (this.float) return `keep_${this.type.compute}(${text})`;
    return `(${this.type.c})(${text})`;
  }
  keptCompute(text) { return this.float ? this.kept(text) : `(${this.type.compute})(${text})`; }

  make() {
    const kind = KINDS[this.kind], made = kind.make(this), T = this.type.c;
    const lines = [...(made.function ?? []), `NOINLINE static ${this.type.compute} nest_${this.id}(${T} *p, const ${T} *q, const ${T} *r, ${T} *t, int n, int m, int s, int k, int d) {`];
    const put = (list) => list.filter(Boolean).forEach((l) => lines.push(`    ${l}`));
    put(['(void)p, (void)q, (void)r, (void)t, (void)n, (void)m, (void)s, (void)k, (void)d;', ...(made.decl ?? []), made.initialise]);
    if (made.text) put(made.text);
    else put([...this.heads.map((h) => `${h} {`), ...made.body.map((l) => `    ${l}`), ...this.heads.map(() => '}')]);
    if (made.label) put([`${made.label}:;`]);
    lines.push(`    return ${made.result || this.zero};`, '}');
    return { id: this.id, kind: this.kind, type: this.type, dims: this.dims, span: made.span ?? 1, room: made.room ?? 0, few: made.few ?? false, apart: made.apart ?? false,
             wild: (made.wild ?? false) && this.dims === 1, traps: made.trap ?? [], text: lines.join('\n') };
  }
}

// One call; `special` is an element of the kind's `trap`, or { wild: true }.
function makeCall(r, nest, special) {
  const per = nest.type.bytes;
  let n, m, bytes;
  if (nest.dims === 1 && !nest.few) n = r.oneOf([0, 1, 2, 7, 63, 100, 1000, 4099, 4099, 4096, ...(per <= 4 ? [65534, 65535, 65536] : [])]);
  else n = r.oneOf([0, 1, 3, 16, 40, 61]);
  m = nest.dims === 1 ? r.upTo(5) : r.oneOf([0, 1, 5, 33, 60]);
  for (;; n >>= 2) {
    const plain = nest.dims === 1 ? 3 * n + 80 : nest.dims === 2 ? 64 * 64 * 2 + 80 : 61 * 60 * 5 + 80;
    bytes = Math.ceil((Math.max(plain * nest.span, nest.room) * per) / 8) * 8;
    if (bytes < BYTES * (nest.apart ? 0.24 : 0.75) || n === 0) break;
  }
  bytes = Math.min(bytes, BYTES * 0.75);
  const room = BYTES - bytes - 64, at = () => 64 + r.upTo(Math.max(1, Math.floor(room / 8))) * 8;
  let p = at(), q = at(), rr = at(), t = at();
  const how = special?.meet ? 9 : nest.apart ? 0 : r.upTo(9), part = Math.floor((BYTES - 128) / 4 / 8) * 8;
  if (how < 5) { // separate where they fit
    if (bytes < part) [p, q, rr, t] = r.oneOf([[64, 64 + part, 64 + 2 * part, 64 + 3 * part], [64 + 3 * part, 64 + part, 64, 64 + 2 * part]]);
    else if (2 * bytes < BYTES) [p, q, rr, t] = [64, BYTES / 2, BYTES / 2 + 8, 64];
  } else if (how < 6) { // in place
    q = p;
    t = Math.min(room, p + bytes) & ~7;
  } else if (how < 7) { // a few elements or bytes apart
    q = Math.max(64, p + r.oneOf([-per, per, -2 * per, 3 * per, 8, -8, 64 * per]));
    q -= q % per;
  } else if (how < 8) { // end to end, or a little over it
    const reach = Math.max(8, nest.dims === 1 ? n * per : 61 * 64 * per);
    q = Math.min(room, p + reach - r.oneOf([0, 0, per, 8, -8]));
    q -= q % per;
  } else if (how === 9) {
    t = p + r.upTo(64) * 8;
    q = p + r.upTo(16) * 8;
    rr = r.oneOf([p, q, t]);
  }
  const s = r.oneOf([1, 1, 2, 3]), k = r.oneOf([0, 1, 5, 12345]);
  let d = -1 - r.upTo(5);
  if (special?.d) d = special.d === true ? r.upTo(Math.max(1, Math.min(n, 4000))) : special.d;
  if (special?.wild) n = r.oneOf([100000000, 0x3fffffff, 0x7ffffffe, 0x7fffffff]);
  const place = (x) => `(void *)(buf + ${x})`;
  return `note_${nest.type.compute}(nest_${nest.id}(${[p, q, rr, t].map(place).join(', ')}, ${[n, m, s, k, d].map((x) => `v(${x})`).join(', ')}));`;
}

const PROLOGUE = `#include <stdint.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, unused))

uint64_t notes[1024];
static uint64_t store[${BYTES / 8}];
#define buf ((char *)store)
static uint64_t hash = 1;
static unsigned nnotes;
static volatile int zero;
static int bound;
static int places[16]; /* of arrays, besides those that are passed: in bytes of buf */
static void *target;
static int v(int x) { return x + zero; }
NOINLINE static void change(int *x) { *x = *x / 2 + (int)zero; }

static inline float keep_float(float x) { return x > 1000.0f ? 1000.0f : x < -1000.0f ? -1000.0f : x == x ? x : 0.5f; }
static inline double keep_double(double x) { return x > 1000.0 ? 1000.0 : x < -1000.0 ? -1000.0 : x == x ? x : 0.5; }

/* The greater and the lesser as C libraries have them, and what tells results apart that are equal or NaN. */
#define GENERIC(float, uint, top)                                                                      \\
    static inline uint sign_of_##float(float x) { uint u; memcpy(&u, &x, sizeof u); return u >> top; } \\
    NOINLINE static float fmax_##float(float x, float y) {                                             \\
        if (x != x) return y;                                                                          \\
        if (y != y) return x;                                                                          \\
        if (sign_of_##float(x) != sign_of_##float(y)) return sign_of_##float(x) ? y : x;               \\
        return x < y ? y : x;                                                                          \\
    }                                                                                                  \\
    NOINLINE static float fmin_##float(float x, float y) {                                             \\
        if (x != x) return y;                                                                          \\
        if (y != y) return x;                                                                          \\
        if (sign_of_##float(x) != sign_of_##float(y)) return sign_of_##float(x) ? x : y;               \\
        return x < y ? x : y;                                                                          \\
    }                                                                                                  \\
    static inline float bits_of_##float(float x) {                                                     \\
        uint u;                                                                                        \\
        memcpy(&u, &x, sizeof u);                                                                      \\
        return (float)((u * 2654435761u ^ u >> (top - 1)) & 1023);                                     \\
    }
GENERIC(float, uint32_t, 31)
GENERIC(double, uint64_t, 63)

NOINLINE static void note(uint64_t x) {
    uint64_t h = hash ^ x;
    for (int i = 0; i < ${BYTES / 8}; i++) {
        h = (h ^ store[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    hash = h;
    notes[nnotes++ & 1023] = h;
}
static inline void note_uint32_t(uint32_t x) { note(x); }
static inline void note_int32_t(int32_t x) { note((uint32_t)x); }
static inline void note_uint64_t(uint64_t x) { note(x); }
static inline void note_float(float x) {
    uint32_t u = 1;
    if (x == x) memcpy(&u, &x, 4);
    note(u);
}
static inline void note_double(double x) {
    uint64_t u = 1;
    if (x == x) memcpy(&u, &x, 8);
    note(u);
}

/* Any bits; as floats and as doubles between 1 and 2 or so.  With 'special' now and then a NaN, a zero of either sign, an
 * infinity or a subnormal number (1: of floats, 2: of doubles), 3: words that are small numbers. */
NOINLINE static void refill(uint32_t x, int special) {
    static const uint32_t f[8] = {0x7fc00000, 0x80000000, 0, 0x7f800000, 0xff800000, 1, 0x80000003, 0x447a0000};
    static const uint32_t d[8] = {0x7ff80000, 0x80000000, 0, 0x7ff00000, 0xfff00000, 0, 0x80000000, 0x408f4000};
    for (int i = 0; i < ${BYTES / 8}; i++) {
        x = x * 1664525u + 1013904223u;
        uint64_t w = 0x3ff000003f800000ull | (x >> 12 & 0xfffff) | (uint64_t)(x >> 14 & 0x3ffff) << 32;
        if (special == 1 && !(x & 0x1f000)) w = f[x >> 20 & 7] | (uint64_t)f[x >> 23 & 7] << 32;
        if (special == 2 && !(x & 0x1f000)) w = (uint64_t)d[x >> 20 & 7] << 32 | (x >> 20 & 7 & 4 ? 1 : 0) * !!(x & 0x2000000);
        if (special == 3) w = (x >> 20 & 255) | (uint64_t)(x >> 24 & 15) << 32;
        store[i] = w;
    }
    for (int i = 0; i < 16; i++) {
        x = x * 1664525u + 1013904223u;
        places[i] = special == 3 || x >> 28 == 5 ? 64 + (int)(x >> 9 & ${BYTES / 16 - 1}) * 8 : 64 + i * ${BYTES / 32};
    }
}
`;

// Returns { text, nests: [{ kind }], runs: how many values `which` may take, calls: names of the calls of run(0) }.
export function makeProgram(seed, only) {
  const r = new Random(seed), nests = Array.from({ length: NESTS_A_PROGRAM }, (_, i) => new NestMaker(r, i).make());
  const chosen = only === undefined ? nests : nests.filter((n) => n.id === only);
  const special = (nest) => (nest.type.compute === 'float' ? r.oneOf([0, 1]) : nest.type.compute === 'double' ? r.oneOf([0, 2]) : r.oneOf([0, 3]));
  const plain = [], calls = [], last = [];
  for (const nest of nests) {
    const lines = [`refill(${r.next() >>> 1}u, ${special(nest)});`], count = 2 + r.upTo(2);
    for (let c = 0; c < count; c++) lines.push(makeCall(r, nest));
    if (r.chance(6)) lines.push(`hash += __builtin_wasm_memory_grow(0, ${1 + r.upTo(3)});`);
    const more = [...nest.traps, ...(nest.wild && r.chance(30) ? [{ wild: true }] : [])];
    for (const how of more) {
      const text = [`refill(${r.next() >>> 1}u, ${special(nest)});`, makeCall(r, nest, how)];
      if (chosen.includes(nest)) last.push(text);
    }
    if (!chosen.includes(nest)) continue;
    plain.push(...lines);
    for (let c = 0; c < count; c++) calls.push(`nest_${nest.id} (${nest.kind}) call ${c}`);
  }
  while (last.length > 5 && only === undefined) last.splice(r.upTo(last.length), 1);
  const text = [PROLOGUE, ...chosen.map((n) => `/* ${n.kind} */\n${n.text}\n`), '__attribute__((export_name("run"))) uint64_t run(int which) {',
                '    switch (which) {', '    case 0:', ...plain.map((l) => `        ${l}`), '        break;',
                ...last.flatMap((lines, i) => [`    case ${i + 1}:`, ...lines.map((l) => `        ${l}`), '        break;']),
                '    }', '    return hash;', '}', ''].join('\n');
  return { text, nests, runs: 1 + last.length, calls };
}
