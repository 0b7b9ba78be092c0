#!/usr/bin/env node
// Does the cost model choose well?  decision.c's loops, once without a device, once with every launch made that can be, and
// once as the runtime decides: each size's time, and how much longer it took than the better of the first two.
//
//   decision.mjs --wasmetal=PATH [--devices=cpu,vulkan] [--work=DIR]
//
// Each figure is the best of some runs of the loop in one process.  Nothing here passes or fails.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), root = resolve(here, '../..');
const options = { devices: 'cpu,vulkan', work: join(root, 'build/bench') };
for (const arg of process.argv.slice(2)) {
  const m = /^--(wasmetal|devices|work)=(.*)$/.exec(arg);
  if (!m) {
    console.error('usage: decision.mjs --wasmetal=PATH [--devices=cpu,vulkan] [--work=DIR]');
    process.exit(2);
  }
  options[m[1]] = m[2];
}
const wasmetal = resolve(options.wasmetal ?? join(root, 'build/release/compiler/wasmetal'));
const work = resolve(options.work);
mkdirSync(work, { recursive: true });

function sh(command, args, extra = {}) {
  const env = { ...process.env, XDG_CACHE_HOME: join(work, 'cache'), ...extra };
  const r = spawnSync(command, args, { cwd: work, env, encoding: 'utf8' });
  if (r.error || r.status !== 0) {
    console.error(`${command} ${args.join(' ')}: ${r.error ?? `exit ${r.status}\n${r.stderr}`}`);
    process.exit(1);
  }
  return r.stdout;
}
sh('clang-19', ['--target=wasm32-wasi', '-O2', '-fno-vectorize', join(here, 'decision.c'), '-o', 'decision.wasm']);
const times = (device, env) =>
  sh(wasmetal, ['run', `--device=${device}`, '--stats=decision.json', 'decision.wasm'], env).trim().split('\n').map((l) => {
    const [name, size, ns] = l.split(' ');
    return { name, size: Number(size), us: Number(ns) / 1000 };
  });
const fixed = (x, digits = 1) => x.toFixed(digits).padStart(10);

const loop = times('none', {});
for (const device of options.devices.split(',')) {
  const launched = times(device, { WASMETAL_MIN_WORK: '1' });
  const first = JSON.parse(readFileSync(join(work, 'decision.json'), 'utf8'));
  if (!first.launches) {
    console.log(`${device}: nothing can be launched here\n`);
    continue;
  }
  const decided = times(device, {});
  const stats = JSON.parse(readFileSync(join(work, 'decision.json'), 'utf8'));
  console.log(`${device}: ${stats.device_name}, launches from ${stats.min_work} operations, calibration (ps) ` +
              `${JSON.stringify(stats.calibration ?? 'none')}`);
  console.log(`${'loop'.padEnd(7)}${'elements'.padStart(9)}${'loop us'.padStart(11)}${'kernel us'.padStart(11)}` +
              `${'decided us'.padStart(11)}${'to the best'.padStart(12)}`);
  let product = 1;
  loop.forEach(({ name, size, us }, i) => {
    const ratio = decided[i].us / Math.min(us, launched[i].us);
    product *= ratio;
    console.log(`${name.padEnd(7)}${String(size).padStart(9)} ${fixed(us)} ${fixed(launched[i].us)} ` +
                `${fixed(decided[i].us)} ${fixed(ratio, 2)}`);
  });
  console.log(`${'geometric mean'.padEnd(49)} ${fixed(product ** (1 / loop.length), 2)}\n`);
}
