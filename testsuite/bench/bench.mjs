#!/usr/bin/env node
// Measurements: how this machine does, as ratios where possible.  Nothing here passes or fails.
//
//   bench.mjs --wasmetal=PATH [--runs=N] [--work=DIR]
//
// Times are medians of N runs (5) of whole processes with a warm compile cache, unless the line says otherwise.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), root = resolve(here, '../..');
const options = { runs: '5', work: join(root, 'build/bench') };
for (const arg of process.argv.slice(2)) {
  const m = /^--(wasmetal|runs|work)=(.*)$/.exec(arg);
  if (!m) {
    console.error('usage: bench.mjs --wasmetal=PATH [--runs=N] [--work=DIR]');
    process.exit(2);
  }
  options[m[1]] = m[2];
}
const wasmetal = resolve(options.wasmetal ?? join(root, 'build/release/compiler/wasmetal'));
const work = resolve(options.work), runs = Number(options.runs);
mkdirSync(work, { recursive: true });
const env = { ...process.env, XDG_CACHE_HOME: join(work, 'cache') };

function sh(command, args, extra = {}) {
  const begin = process.hrtime.bigint();
  const r = spawnSync(command, args, { cwd: work, env: { ...env, ...extra }, encoding: 'utf8' });
  const ms = Number(process.hrtime.bigint() - begin) / 1e6;
  if (r.error || r.status !== 0) {
    console.error(`${command} ${args.join(' ')}: ${r.error ?? `exit ${r.status}\n${r.stderr}`}`);
    process.exit(1);
  }
  return { ms, out: r.stdout };
}
const median = (f) => Array.from({ length: runs }, f).sort((a, b) => a - b)[runs >> 1];
const fixed = (x, digits = 1) => x.toFixed(digits).padStart(9);
const line = (what, value, unit = '') => console.log(`${what.padEnd(52)} ${value} ${unit}`);

const clang = (source, name, flags = []) =>
  sh('clang-19', ['--target=wasm32-wasi', '-O2', ...flags, source, '-o', `${name}.wasm`]);
const stats = (name) => JSON.parse(readFileSync(join(work, `${name}.json`), 'utf8'));
const run = (name, device, args, extra) =>
  sh(wasmetal, ['run', `--device=${device}`, `--stats=${name}.${device}.json`, `${name}.wasm`, '--', ...args], extra).ms;

// The other way from a module to an object, on one thread as well: once, for it is slow.  Not there: 0.
const wasm2c = '/usr/share/wabt/wasm2c';
function throughC(name) {
  if (!existsSync(wasm2c)) return 0;
  return sh('wasm2c', [`${name}.wasm`, '-n', name, '-o', `${name}.c`]).ms +
    sh('gcc', ['-O2', '-w', '-c', `-I${wasm2c}`, `${name}.c`, '-o', `${name}.w2c.o`]).ms;
}

const photo = '/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg';
const jobs = [
  { name: 'llm_step', source: 'examples/llm-step/llm_step.c', args: [] },
  ...(existsSync(photo) ? [{ name: 'photo', source: 'examples/photo/photo.c', args: ['in.jpg', 'out.png'] }] : []),
];
if (existsSync(photo)) writeFileSync(join(work, 'in.jpg'), readFileSync(photo));

console.log(`Medians of ${runs} runs. Ratios above 1 mean that the first is slower.\n`);
for (const { name, source, args } of jobs) {
  clang(join(root, source), name);
  const megabytes = statSync(join(work, `${name}.wasm`)).size / 1e6;
  rmSync(env.XDG_CACHE_HOME, { recursive: true, force: true });
  const cold = run(name, 'none', args);
  const native = median(() => run(name, 'none', args));
  const compile = median(() => sh(wasmetal, [`${name}.wasm`, '-o', `${name}.o`]).ms);
  const alone = median(() => sh(wasmetal, ['--jobs=1', '--no-offload', `${name}.wasm`, '-o', `${name}.o`]).ms);
  const kernels = median(() => sh(wasmetal, ['--jobs=1', `${name}.wasm`, '-o', `${name}.o`]).ms);
  const peer = throughC(name);
  const node = median(() => sh(process.execPath, ['--no-warnings', join(here, '../reference.mjs'), `${name}.wasm`, ...args]).ms);
  line(`${name}: first run, compiling (none)`, fixed(cold), 'ms');
  line(`${name}: cached run (none)`, fixed(native), 'ms');
  line(`${name}: compile to an object`, fixed(compile), `ms, ${(compile / megabytes).toFixed(0)} ms a MB of wasm`);
  if (peer) line(`${name}: compile, one thread / wasm2c + gcc -O2`, fixed(alone / peer, 2), 'without kernels');
  else console.log(`${name}: compile / wasm2c + gcc: wasm2c is not installed`);
  line(`${name}: compile with kernels / without`, fixed(kernels / alone, 2), 'one thread; native code, SPIR-V, MSL, WGSL');
  line(`${name}: native without devices / node`, fixed(native / node, 2));
  for (const device of ['cpu', 'vulkan']) {
    const t = median(() => run(name, device, args));
    const s = stats(`${name}.${device}`);
    line(`${name}: ${device} / none`, fixed(t / native, 2),
         `${s.launches} launches, ${(s.nanoseconds / 1e6).toFixed(1)} ms inside, ${s.bytes_copied} bytes copied` +
         (s.device_name ? `, ${s.device_name}` : ''));
  }
  console.log('');
}

// Launch overhead: a tiny loop, launched often.
writeFileSync(join(work, 'tiny.c'), `
#include <stdio.h>
static float x[64];
__attribute__((noinline)) void scale(float *p, int n, float k) { for (int i = 0; i < n; i++) p[i] *= k; }
int main(void) {
    for (int i = 0; i < 64; i++) x[i] = (float)i;
    for (int t = 0; t < 2000; t++) scale(x, 64, t & 1 ? 0.5f : 2.0f);
    printf("%g\\n", (double)x[63]);
    return 0;
}
`);
clang('tiny.c', 'tiny');
for (const device of ['cpu', 'vulkan']) {
  run('tiny', device, [], { WASMETAL_MIN_WORK: '1' });
  const s = stats(`tiny.${device}`);
  line(`launch overhead, ${device}`, fixed(s.nanoseconds / Math.max(1, s.launches) / 1000), `us (${s.launches} launches of 64 elements)`);
}
