// Random loop nests in C, through stock clang, against node.
//
//   node c_nests.mjs --wasmetal=PATH [--count=NESTS] [--seed=N] [--devices=cpu,lavapipe,swiftshader] [--clang=PATH]
//                    [--least=PERCENT] [--work=DIR]
//   node c_nests.mjs --print=SEED               the program of one seed
//
// tests/fuzz/nests.c makes nests in IR; these go through clang's loop optimizations first: strength reduction,
// rotation, unrolling, versioning, vectorising, idioms.  A program holds NESTS_A_PROGRAM functions with a nest each,
// called with several sets of arguments that are only known at run time, so that one piece of code meets separate,
// touching and overlapping arrays, trip counts of 0, 1 and around 65,536, and bounds that wrap around.  In between,
// memory may grow.  Some programs end in the middle of a loop by a division by zero or an access beyond memory; what
// was written until then counts.
//
// The program keeps a hash of its results and prints it; besides, the whole memory is compared.  Optimization levels
// rotate with the seed, the CPU device runs every program, a Vulkan driver every one in turn.  Launches are counted per
// nest from the statistics: a generator whose nests all stay on the CPU would test nothing, so --least sets the share
// of nests that must have been launched.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileProgram, sumOfFunction } from '../../testsuite/program.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const NESTS_A_PROGRAM = 8, WORDS = 180000; // the words of the buffer in which all arrays lie
const LEVELS = ['O2', 'O1', 'O3', 'Os', 'O3+simd'];
const options = { count: '40', seed: '1', devices: 'cpu,lavapipe,swiftshader', clang: '', least: '0', work: 'work-c-nests' };
for (const argument of process.argv.slice(2)) {
  const m = /^--([a-z]+)=(.*)$/.exec(argument);
  if (!m) {
    console.error(`c_nests.mjs: unknown argument ${argument}`);
    process.exit(2);
  }
  options[m[1]] = m[2];
}

// ---- random numbers ----

let state = 1;
function next() { // xorshift32 (Marsaglia, 2003)
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>>= 0);
}
const upTo = (n) => next() % n;
const oneOf = (list) => list[upTo(list.length)];
const chance = (percent) => upTo(100) < percent;
function startAt(seed) {
  state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0 || 1;
  for (let i = 0; i < 8; i++) next();
}

// ---- one nest ----

// Element types: memory type, the type computed in, and how an index is limited.
const TYPES = [
  { c: 'uint32_t', compute: 'uint32_t', bytes: 4 }, { c: 'int32_t', compute: 'uint32_t', bytes: 4 },
  { c: 'uint8_t', compute: 'uint32_t', bytes: 1 }, { c: 'int16_t', compute: 'uint32_t', bytes: 2 },
  { c: 'uint64_t', compute: 'uint64_t', bytes: 8 }, { c: 'float', compute: 'float', bytes: 4 },
  { c: 'double', compute: 'double', bytes: 8 },
];

// Makes an expression over loads of q and r at the index texts, the counters and k.  No NaN can come of it: sums and
// products of small numbers only, and every float that is stored is brought back to [-1000, 1000] first.
function expression(type, reads, counters, depth) {
  const isFloat = type.compute === 'float' || type.compute === 'double';
  if (depth === 0 || chance(20)) {
    const leaf = oneOf([...reads, ...reads, ...counters.map((c) => `(${type.compute})${c}`), `(${type.compute})k`,
                        isFloat ? `${upTo(9)}.25${type.compute === 'float' ? 'f' : ''}` : `${upTo(1000)}u`]);
    return leaf;
  }
  const a = expression(type, reads, counters, depth - 1), b = expression(type, reads, counters, depth - 1);
  if (isFloat) return oneOf([`(${a} + ${b})`, `(${a} - ${b})`, `(${a} * ${b})`, `(${a} > ${b} ? ${a} : ${b})`]);
  return oneOf([`(${a} + ${b})`, `(${a} - ${b})`, `(${a} * ${b})`, `(${a} ^ ${b})`, `(${a} & ${b})`, `(${a} | ${b})`,
                `(${a} >> ${upTo(8)})`, `(${a} < ${b} ? ${a} : ${b})`, `(${a} % ${2 + upTo(50)}u)`]);
}

function limited(type, text) {
  if (type.compute === 'float') return `keep_f(${text})`;
  if (type.compute === 'double') return `keep_d(${text})`;
  return `(${type.c})(${text})`;
}

// A loop head: the counter runs over 0 to bound-1 in some form.
function head(counter, bound, index) {
  return oneOf([
    `for (int ${counter} = 0; ${counter} < ${bound}; ${counter}++)`,
    `for (int ${counter} = 0; ${counter} < ${bound}; ${counter}++)`,
    `for (unsigned ${counter} = 0; ${counter} < (unsigned)(${bound} > 0 ? ${bound} : 0); ${counter}++)`,
    `for (long long ${counter} = 0; ${counter} < ${bound}; ${counter}++)`,
    `for (int ${counter} = ${bound} - 1; ${counter} >= 0; ${counter}--)`,
    `for (int ${counter} = 0; ${counter} < ${bound}; ${counter} += ${index === 0 ? 's' : '2'})`,
    index === 0 ? `for (int ${counter} = 0; ${counter} != ${bound} && ${bound} > 0; ${counter}++)`
                : `for (int ${counter} = 1; ${counter} + 1 < ${bound}; ${counter}++)`,
  ]);
}

// Returns { text, dims } of nest number `id`: void nest_ID(T *p, const T *q, const T *r, int n, int m, int s, int k).
function makeNest(id) {
  const type = oneOf(TYPES), dims = oneOf([1, 1, 1, 2, 2, 2, 3]), lines = [];
  const counters = ['i', 'j', 'l'].slice(0, dims);
  const triangular = dims >= 2 && chance(25);
  const bounds = ['n', triangular ? oneOf(['i + 1', 'i', 'm - i', '(i < m ? i : m)']) : 'm', '5'];
  const flat = dims === 1 ? oneOf(['i', 'i', 'i * s', '2 * i', 'i + 3'])
             : dims === 2 ? oneOf(['i * m + j', 'i * m + j', 'j * n + i', 'i * 64 + j', 'i * m + 2 * j', 'j'])
             : oneOf(['(i * m + j) * 5 + l', '(i * 5 + l) * m + j']);
  const reads = [`q[${flat}]`, `r[${oneOf([flat, 'i', `${flat} + 1`, counters.at(-1)])}]`];
  if (chance(40)) reads.push(`q[${flat} + ${1 + upTo(4)}]`);
  if (chance(15)) reads.push(`q[(${flat}) & 63]`);
  if (chance(10)) reads.push(`q[(unsigned)r[${flat}] & 255]`.replace('(unsigned)r', type.compute.startsWith('uint') ? '(unsigned)r' : '(unsigned)(int)r'));
  if (chance(25)) reads.push(`p[${flat}]`);
  if (chance(8)) reads.push(`p[${flat} + ${1 + upTo(3)}]`);
  const value = (depth = 2) => expression(type, reads, counters, depth);
  const body = [], shape = upTo(14);
  const zero = `(${type.compute})0`;
  let result = '';
  if (shape < 5) {
    body.push(`p[${flat}] = ${limited(type, value())};`);
  } else if (shape === 5) {
    body.push(`if (${value(1)} > ${value(1)}) p[${flat}] = ${limited(type, value())};`);
    if (chance(50)) body.push(`else p[${flat}] = ${limited(type, reads[0])};`);
  } else if (shape === 6) { // two arrays in one loop
    body.push(`p[${flat}] = ${limited(type, value())};`, `t[${flat}] = ${limited(type, value(1))};`);
  } else if (shape === 7) { // an inner sum of its own
    body.push(`${type.compute} a = ${zero};`, `for (int x = 0; x < ${oneOf(['k & 7', '9', 's'])}; x++)`,
              `    a = ${limited({ ...type, c: type.compute }, `a + q[${flat} + x]`)};`, `p[${flat}] = ${limited(type, 'a')};`);
  } else if (shape === 8) { // a reduction over the whole nest
    body.push(`sum = ${limited({ ...type, c: type.compute }, `sum ${oneOf(['+', '+', type.compute[0] === 'u' ? '^' : '-'])} ${value(1)}`)};`);
    if (chance(50)) body.push(`p[${flat}] = ${limited(type, value(1))};`);
    result = 'sum';
  } else if (shape === 9) { // a while loop that depends on data
    body.push(`unsigned w = (unsigned)(i + k) & 255, c = 0;`, 'while (w > 1) {', '    w = w & 1 ? w - 1 : w / 2;', '    c++;', '}',
              `p[${flat}] = (${type.c})c;`);
  } else if (shape === 10) { // a division by data: traps when zero
    body.push(`p[${flat}] = (${type.c})((k + 70000) / ((int)i - d));`);
  } else if (shape >= 12) { // a way out in the middle, seldom or never taken: of the innermost loop, or of the nest
    const rare = oneOf([`${reads[0]} == (${type.compute})${upTo(100000)}`, `((unsigned)${counters[0]} + (unsigned)k) % 1009 == 1008`,
                        `${reads.at(-1)} > (${type.compute})${oneOf(['60000', '1000', '2000000000'])}`, `${counters[0]} == 97531`]);
    const out = shape === 12 ? 'break;' : `return (${type.compute})${counters.at(-1)};`;
    if (chance(30)) body.push(`p[${flat}] = ${limited(type, value(1))};`);
    body.push(`if (${rare}) ${out}`, `${chance(50) ? 'p' : 't'}[${flat}] = ${limited(type, value())};`);
  } else { // skipped iterations
    body.push(`if ((${counters.at(-1)} & 3) == 1) continue;`, `p[${flat}] = ${limited(type, value())};`);
  }
  lines.push(`NOINLINE static ${type.compute} nest_${id}(${type.c} *p, const ${type.c} *q, const ${type.c} *r, ${type.c} *t,`,
             '                  int n, int m, int s, int k, int d) {', `    ${type.compute} sum = ${zero};`,
             '    (void)q, (void)r, (void)t, (void)m, (void)s, (void)k, (void)d;');
  let indent = '    ';
  counters.forEach((c, x) => {
    lines.push(`${indent}${head(c, bounds[x], x)} {`);
    indent += '    ';
  });
  for (const b of body) lines.push(indent + b);
  counters.forEach(() => {
    indent = indent.slice(4);
    lines.push(`${indent}}`);
  });
  lines.push(`    return ${result || 'sum'};`, '}');
  return { id, type, dims, traps: shape === 10, text: lines.join('\n') };
}

// ---- one program ----

// A call: sizes that keep every access of the nest inside the buffer, apart from calls that are to trap.
function makeCall(nest, last) {
  const per = nest.type.bytes;
  let n, m;
  if (nest.dims === 1) n = oneOf([0, 1, 7, 100, 1000, 4099, 4099, ...(per <= 4 ? [65534, 65535, 65536] : [])]);
  else n = oneOf([0, 1, 3, 16, 40, 61]);
  m = nest.dims === 1 ? upTo(5) : oneOf([0, 1, 5, 33, 60]);
  const s = oneOf([1, 1, 2, 3]);
  const span = nest.dims === 1 ? 3 * n + 80 : nest.dims === 2 ? 64 * 64 * 2 + 80 : 61 * 60 * 5 + 80;
  const bytes = Math.ceil((span * per) / 8) * 8, room = WORDS * 4 - bytes - 64;
  if (room < 4 * bytes) n = Math.min(n, 1000);
  const at = () => upTo(Math.max(1, Math.floor(room / 8))) * 8;
  let p = at(), q = at(), r = at(), t = at();
  const how = upTo(10);
  if (how < 5) { // separate
    const part = Math.floor((WORDS * 4) / 4 / 8) * 8;
    if (bytes < part) [p, q, r, t] = [0, part, 2 * part, 3 * part];
  } else if (how < 7) {
    q = p; // in place
    t = Math.min(room, p + bytes) & ~7;
  } else if (how < 8) {
    q = Math.max(0, p + oneOf([-per, per, -2 * per, 3 * per, 8, -8]));
    q -= q % per;
  }
  let k = oneOf([0, 1, 5, 12345]), d = -1 - upTo(5);
  let wild = false;
  if (last && nest.traps && chance(50)) d = upTo(Math.max(1, n));
  else if (last && chance(25)) {
    // Bounds that leave memory: the store runs into the end, and before that every iteration counts.
    wild = nest.dims === 1;
    if (wild) n = oneOf([100000000, 0x3fffffff, 0x7fffffff]);
  }
  return { n, m, s, k, d, text: `    mix_${nest.type.compute}(nest_${nest.id}((void *)(buf + ${p}), (void *)(buf + ${q}), (void *)(buf + ${r}), (void *)(buf + ${t}), v(${n}), v(${m}), v(${s}), v(${k}), v(${d})));` };
}

function makeProgram(seed) {
  startAt(seed);
  const nests = Array.from({ length: NESTS_A_PROGRAM }, (_, i) => makeNest(i));
  const out = [
    '#include <stdint.h>', '#include <stdio.h>', '#include <string.h>', '', '#define NOINLINE __attribute__((noinline, unused))', '',
    `static uint64_t store[${WORDS / 2}];`, '#define buf ((char *)store)', 'static uint64_t hash = 1;',
    'static volatile int zero;', 'static int v(int x) { return x + zero; }', '',
    'static inline float keep_f(float x) { return x > 1000.0f ? 1000.0f : x < -1000.0f ? -1000.0f : x == x ? x : 0.5f; }',
    'static inline double keep_d(double x) { return x > 1000.0 ? 1000.0 : x < -1000.0 ? -1000.0 : x == x ? x : 0.5; }',
    'NOINLINE static void mix_uint32_t(uint32_t x) { hash = hash * 31 + x; }',
    'NOINLINE static void mix_uint64_t(uint64_t x) { hash = hash * 31 + x; }',
    'NOINLINE static void mix_float(float x) { uint32_t u; memcpy(&u, &x, 4); hash = hash * 31 + u; }',
    'NOINLINE static void mix_double(double x) { uint64_t u; memcpy(&u, &x, 8); hash = hash * 31 + u; }', '',
    // As floats, these bits are between 1 and 2 or so; as doubles as well.
    'NOINLINE static void refill(uint32_t x) {', `    for (int i = 0; i < ${WORDS / 2}; i++) {`, '        x = x * 1664525u + 1013904223u;',
    '        store[i] = 0x3ff000003f800000ull | (x >> 12 & 0xfffff) | (uint64_t)(x >> 14 & 0x3ffff) << 32;', '    }', '}', '',
    ...nests.map((n) => `${n.text}\n`), 'int main(void) {',
  ];
  nests.forEach((nest, i) => {
    out.push(`    refill(${next() >>> 1});`);
    const calls = 2 + upTo(2);
    for (let c = 0; c < calls; c++) out.push(makeCall(nest, i === nests.length - 1 && c === calls - 1).text);
    if (chance(10)) out.push(`    hash += __builtin_wasm_memory_grow(0, ${1 + upTo(3)});`);
  });
  out.push('    printf("%016llx\\n", (unsigned long long)hash);', '    return 0;', '}', '');
  return out.join('\n');
}

if (options.print !== undefined) {
  process.stdout.write(makeProgram(Number(options.print)));
  process.exit(0);
}

// ---- running ----

if (!options.wasmetal) {
  console.error('usage: c_nests.mjs --wasmetal=PATH [--count=40] [--seed=1] [--devices=cpu,...] [--least=PERCENT]');
  process.exit(2);
}
const wasmetal = resolve(options.wasmetal), root = resolve(options.work);
const drivers = {
  lavapipe: process.env.WASMETAL_TEST_LAVAPIPE ?? '/usr/share/vulkan/icd.d/lvp_icd.json',
  swiftshader: process.env.WASMETAL_TEST_SWIFTSHADER ?? '/usr/lib/chromium/vk_swiftshader_icd.json',
};
const gpus = options.devices.split(',').filter((d) => d !== 'cpu').filter((d) => {
  if (existsSync(drivers[d] ?? '')) return true;
  console.log(`SKIP ${d}: the driver is not installed`);
  if (process.env.WASMETAL_REQUIRE_DRIVERS === '1') process.exit(1);
  return false;
});
const count = { nests: 0, launched: 0, launches: 0, traps: 0, failed: 0, runs: {} };

function run(command, args, cwd, env) {
  return spawnSync(command, args, { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd, XDG_CACHE_HOME: join(cwd, 'cache'), ...env },
                                    encoding: 'utf8', maxBuffer: 1 << 26, timeout: 120000 });
}

const programs = Math.ceil(Number(options.count) / NESTS_A_PROGRAM), first = Number(options.seed);
for (let seed = first; seed < first + programs; seed++) {
  const level = LEVELS[seed % LEVELS.length], work = join(root, `nests-${seed}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  let bad = false;
  const fail = (what) => {
    console.log(`FAIL seed ${seed} ${level}: ${what}`);
    bad = true;
  };
  writeFileSync(join(work, 'nests.c'), makeProgram(seed));
  const wrong = compileProgram(join(work, 'nests.c'), level, work,
                               { build: ['-fwrapv', '-fno-strict-aliasing', '-Wno-everything'] }, { clang: options.clang });
  check: {
    if (wrong) {
      fail(wrong);
      break check;
    }
    const want = run(process.execPath, ['--no-warnings', resolve(here, '../../testsuite/reference.mjs'), '--dump-memory=node.mem', 'nests.wasm'], work, {});
    const verdict = /^reference: (exit (\d+)|trap .*)$/m.exec(want.stderr);
    if (!verdict || !existsSync(join(work, 'node.mem'))) {
      fail(`node gave no answer: ${want.error ?? want.stderr}`);
      break check;
    }
    const trapped = verdict[2] === undefined;
    count.traps += trapped ? 1 : 0;
    const wantMemory = readFileSync(join(work, 'node.mem'));
    const explained = run(wasmetal, ['explain', '--json', 'nests.wasm'], work, {});
    if (explained.status !== 0) {
      fail(`explain: ${explained.stderr}`);
      break check;
    }
    const metadata = JSON.parse(explained.stdout);
    const devices = ['cpu', ...(gpus.length ? [gpus[seed % gpus.length]] : [])];
    for (const device of devices.filter((d) => options.devices.split(',').includes(d))) {
      const env = { WASMETAL_MIN_WORK: '1', WASMETAL_LOG: 'warning' };
      if (drivers[device]) env.VK_DRIVER_FILES = env.VK_ICD_FILENAMES = drivers[device];
      const got = run(wasmetal, ['run', `--device=${drivers[device] ? 'vulkan' : device}`, `--stats=${device}.json`,
                                 `--dump-memory=${device}.mem`, 'nests.wasm'], work, env);
      count.runs[device] = (count.runs[device] ?? 0) + 1;
      if (got.error || got.signal) {
        fail(`${device}: ${got.error ?? got.signal} ${got.stderr}`);
        continue;
      }
      if (trapped ? !/\btrap: /.test(got.stderr) : got.status !== Number(verdict[2]))
        fail(`${device}: exit ${got.status}, node: ${verdict[1]}; ${got.stderr}`);
      if (got.stdout !== want.stdout) fail(`${device}: prints ${got.stdout.trim()}, node ${want.stdout.trim()}`);
      const memory = readFileSync(join(work, `${device}.mem`));
      if (!memory.equals(wantMemory)) {
        const at = memory.findIndex((b, i) => b !== wantMemory[i]);
        fail(`${device}: memory differs, first at 0x${at.toString(16)}`);
      }
      const stats = JSON.parse(readFileSync(join(work, `${device}.json`), 'utf8'));
      if (device !== 'cpu') continue;
      count.launches += stats.launches;
      for (let i = 0; i < NESTS_A_PROGRAM; i++) {
        count.nests++;
        if (sumOfFunction(stats, metadata, `nest_${i}`).launches > 0) count.launched++;
      }
    }
  }
  if (bad) count.failed++;
  else rmSync(work, { recursive: true, force: true });
}
console.log(`${count.nests} nests in ${programs} programs, ${count.launched} nests launched (${count.launches} launches on cpu), ` +
            `${count.traps} programs trapped, runs ${JSON.stringify(count.runs)}, ${count.failed} programs failed`);
if (count.failed) process.exit(1);
if (100 * count.launched < Number(options.least) * count.nests) {
  console.log(`fewer than ${options.least} % of the nests were launched`);
  process.exit(1);
}
