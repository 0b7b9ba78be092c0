// Random modules, made by binaryen's fuzzer, in Wasmetal and in node: calls, results, traps and memory must be the same.
//
//   node differential.mjs --replay=PATH --wasm-opt=PATH [--count=2000] [--seed=1] [--batch=20] [--keep=DIR] [-- OPTIONS]
//
// Each module comes from `wasm-opt -ttf --denan` on seeded random bytes; three feature sets take turns (MVP, SIMD, and
// multi-value with bulk memory and the small proposals).  The runs take turns too: optimisation levels 0
// to 3, guard pages and explicit checks, loops launched on the CPU device or not at all.  What is behind "--" replaces
// these turns.  The last line is "N passed, N failed"; a failed module is kept with both outputs.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';

const FEATURES = [
  ['--mvp-features'],
  ['--mvp-features', '--enable-simd', '--enable-mutable-globals', '--enable-sign-ext',
    '--enable-nontrapping-float-to-int'],
  ['--mvp-features', '--enable-multivalue', '--enable-mutable-globals', '--enable-sign-ext', '--enable-bulk-memory',
    '--enable-nontrapping-float-to-int'],
];
const RUNS = [
  ['-O', '2'],
  ['-O', '0'],
  ['-O', '2', '--bounds-checks=on'],
  ['-O', '2', '--device=cpu', '--min-work=1'],
  ['-O', '3', '--no-offload'],
  ['-O', '1', '--bounds-checks=on', '--device=cpu', '--min-work=1'],
];
const TIMEOUT_MS = 10000;

const options = { count: '200', seed: '1', batch: '20', keep: 'differential-failures' };
const argv = process.argv.slice(2), split = argv.indexOf('--');
const fixed = split < 0 ? null : argv.splice(split).slice(1);
for (const a of argv) {
  const [key, ...value] = a.replace(/^--/, '').split('=');
  options[key] = value.join('=');
}
if (!options.replay || !options['wasm-opt']) {
  console.error('usage: differential.mjs --replay=PATH --wasm-opt=PATH [--count=N] [--seed=N] [-- OPTIONS]');
  process.exit(2);
}

// xorshift32: the same modules for the same seed.
function randomBytes(seed) {
  let s = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  const next = () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
  return Uint8Array.from({ length: 2000 + (next() % 28000) }, () => next() >>> 11);
}

const work = mkdtempSync(join(tmpdir(), 'wasmetal-differential-'));

function makeModule(seed) {
  const input = join(work, 'seed.bin'), output = join(work, `m${seed}.wasm`);
  writeFileSync(input, randomBytes(seed));
  const args = [input, '-ttf', '--denan', ...FEATURES[seed % FEATURES.length], '-o', output];
  const r = spawnSync(options['wasm-opt'], args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  return r.status === 0 ? output : null;
}

// ---- node's answer ----

let worker = null;
function reference(path) {
  worker ??= new Worker(new URL('./replay.mjs', import.meta.url), { resourceLimits: { stackSizeMb: 8 } });
  return new Promise((resolve) => {
    const asked = worker;
    const end = (answer, alive) => {
      clearTimeout(timer);
      asked.off('message', onMessage).off('error', onError);
      if (!alive) {
        worker = null;
        asked.on('error', () => {}).terminate();
      }
      resolve(answer);
    };
    const onMessage = (answer) => end(answer, true), onError = (e) => end({ error: String(e) }, false);
    const timer = setTimeout(() => end({ error: 'hangs' }, false), TIMEOUT_MS);
    asked.on('message', onMessage).on('error', onError);
    asked.postMessage({ bytes: readFileSync(path) });
  });
}

// ---- the product's ----

function product(paths, run) {
  const r = spawnSync(options.replay, [...run, ...paths], { encoding: 'utf8', maxBuffer: 1 << 30 });
  const answers = new Map();
  for (const part of r.stdout.split(/^module /m).slice(1)) {
    const line = part.indexOf('\n');
    answers.set(part.slice(0, line), part.slice(line + 1));
  }
  let launches = 0;
  for (const m of r.stderr.matchAll(/^launches (\d+)$/gm)) launches += Number(m[1]);
  return { answers, launches, stderr: r.stderr };
}

let passed = 0, failed = 0, calls = 0, traps = 0, launches = 0, stacks = 0;
const refused = new Map();

async function checkBatch(paths, run) {
  const expected = new Map();
  for (const path of paths) {
    const answer = await reference(path);
    if (answer.text) expected.set(path, answer.text);
    else refused.set(answer.error, (refused.get(answer.error) ?? 0) + 1); // node refuses or never ends
  }
  const { answers, launches: n, stderr } = product([...expected.keys()], run);
  launches += n;
  for (const [path, want] of expected) {
    const name = basename(path), got = answers.get(name) ?? '(nothing)';
    calls += (want.match(/^call /gm) ?? []).length;
    traps += (want.match(/^! /gm) ?? []).length;
    // The depth of the stack is nobody's promise: what was said before counts.
    const cut = [want, got].map((t) => t.search(/^! stack$/m)).filter((at) => at >= 0);
    if (cut.length) stacks++;
    const end = cut.length ? Math.min(...cut) : Infinity;
    if (want.slice(0, end) === got.slice(0, end)) {
      passed++;
      continue;
    }
    failed++;
    mkdirSync(options.keep, { recursive: true });
    copyFileSync(path, join(options.keep, name));
    writeFileSync(join(options.keep, `${name}.node`), want);
    writeFileSync(join(options.keep, `${name}.wasmetal`), got);
    console.log(`FAIL ${name} ${run.join(' ')}: outputs differ, kept in ${options.keep}`);
    const note = /[^\n]*(internal error|ICE)[^\n]*/i.exec(stderr);
    if (note) console.log(`     ${note[0]}`);
  }
}

const first = Number(options.seed), last = first + Number(options.count), size = Number(options.batch);
let turn = 0, unmade = 0;
for (let seed = first; seed < last;) {
  const paths = [];
  for (; seed < last && paths.length < size; seed++) {
    const path = makeModule(seed);
    if (path) paths.push(path);
    else unmade++;
  }
  await checkBatch(paths, fixed ?? RUNS[turn++ % RUNS.length]);
  for (const p of paths) rmSync(p);
  if (process.stderr.isTTY) process.stderr.write(`\r${seed - first} of ${last - first}`);
}
await worker?.terminate();
rmSync(work, { recursive: true, force: true });
console.log(`${calls} calls, ${traps} of them trap; ${launches} launches; compared only up to a full stack: ${stacks}; ` +
  `not made by wasm-opt: ${unmade}; not run by node: ` +
  ([...refused].map(([why, n]) => `${n} (${why})`).join(', ') || '0'));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || passed < Number(options.count) / 2 ? 1 : 0);
