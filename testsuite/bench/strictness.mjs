#!/usr/bin/env node
// What exactness costs in kernels: time of strict against --fp=fast, on every device there is.
//
//   strictness.mjs [--wasmetal=PATH] [--points=N] [--runs=N] [--work=DIR] [--json=FILE]
//
// strictness.c has a loop for each operation, 64 of them one after the other at each of N points (65,536).  Times are
// the least of N launches (5); the first one, which waits for the driver's compiler, does not count.
// On `cpu` the mode makes no difference, kernels there are always exact; its row is for comparison.
// Nothing here passes or fails, but for results: strict ones must be those of the CPU.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), root = resolve(here, '../..');
const options = { points: '65536', runs: '5', work: join(root, 'build/bench') };
for (const arg of process.argv.slice(2)) {
  const m = /^--(wasmetal|points|runs|work|json)=(.*)$/.exec(arg);
  if (!m) {
    console.error('usage: strictness.mjs [--wasmetal=PATH] [--points=N] [--runs=N] [--work=DIR] [--json=FILE]');
    process.exit(2);
  }
  options[m[1]] = m[2];
}
const wasmetal = resolve(options.wasmetal ?? join(root, 'build/release/compiler/wasmetal'));
const work = resolve(options.work), runs = Number(options.runs);
mkdirSync(work, { recursive: true });
const REPEAT = 64;
const loops = ['divide', 'root', 'exponential', 'multiply_add', 'divide_f64', 'multiply_add_f64', 'multiply_i64'];

function run(command, args, env = {}) {
  const r = spawnSync(command, args, { cwd: work, encoding: 'utf8',
                                       env: { ...process.env, XDG_CACHE_HOME: join(work, 'cache'), WASMETAL_MIN_WORK: '1', ...env } });
  if (r.error || r.status !== 0) {
    console.error(`${command} ${args.join(' ')}: ${r.error ?? `exit ${r.status ?? r.signal}\n${r.stderr}`}`);
    process.exit(1);
  }
  return r.stdout;
}

// Every driver that Debian may have, each alone, so that numbers of devices do not depend on one another.
function devices() {
  const software = ['/usr/share/vulkan/icd.d/lvp_icd.json', '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json',
                    '/usr/lib/chromium/vk_swiftshader_icd.json'].filter((f) => existsSync(f));
  const given = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  const found = [{ name: 'cpu', device: 'cpu', env: {} }];
  for (const env of [{}, ...(given ? [] : software.map((f) => ({ VK_DRIVER_FILES: f, VK_ICD_FILENAMES: f })))])
    for (const d of JSON.parse(run(wasmetal, ['devices', '--json'], env)))
      if (d.usable && d.device !== 'cpu' && !found.some((f) => f.name === d.name))
        found.push({ name: d.name, device: d.device, env });
  return found;
}

const wasm = join(work, 'strictness.wasm');
run('clang-19', ['--target=wasm32-wasi', '-O2', join(here, 'strictness.c'), '-o', wasm]);

// Nanoseconds of an operation (NaN: it was not launched) and the result's checksum.
function measure(device, loop, fp, launches) {
  const stats = join(work, 'strictness.json');
  const out = run(wasmetal, ['run', `--device=${device.device}`, `--fp=${fp}`, `--stats=${stats}`, wasm, '--', loop,
                             options.points, String(launches)], device.env);
  const kernel = JSON.parse(readFileSync(stats, 'utf8')).kernels.find((k) => k.name.startsWith(`${loop}_`) && k.launches);
  const [sum, ns] = out.trim().split(' ');
  return { ns: kernel?.launches === launches ? Number(ns) / (Number(options.points) * REPEAT) : NaN, sum };
}

const rows = [];
let wrong = 0;
for (const device of devices()) {
  console.log(`\n${device.name}`);
  console.log(`  ${'operation'.padEnd(20)} ${'strict'.padStart(12)} ${'fast'.padStart(12)}   strict/fast`);
  for (const loop of loops) {
    const want = measure({ device: 'none', env: {} }, loop, 'strict', 1).sum;
    const strict = measure(device, loop, 'strict', runs + 1), fast = measure(device, loop, 'fast', runs + 1);
    const right = strict.sum === want;
    wrong += !right;
    rows.push({ device: device.name, loop, strict: strict.ns, fast: fast.ns, right });
    const ns = (v) => (Number.isNaN(v) ? 'not launched' : `${v.toFixed(3)} ns`).padStart(12);
    console.log(`  ${loop.padEnd(20)} ${ns(strict.ns)} ${ns(fast.ns)}   ${(strict.ns / fast.ns).toFixed(2)}` +
                `${right ? '' : '   WRONG RESULT'}`);
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
process.exit(wrong ? 1 : 0);
