#!/usr/bin/env node
// Speed of host code: the programs of bench/host, nothing offloaded, in one run by
//
//   wasmetal   wasmetal -O2, guard pages (and, with --checks, explicit bounds checks)
//   wasm2c     wabt's wasm2c + gcc -O3
//   node       V8, after a warm-up call
//   native     clang -O2 of the same C, no wasm in between
//
//   host_speed.mjs --wasmetal=PATH --runtime=libwasmetal_rt.a [--runs=N] [--work=DIR] [--cpu=native] [--checks]
//                  [--only=NAME,...] [--also=PATH]
//
// Each program exports run(n).  Engines take turns; the least of N times counts, which on a shared machine is the one
// with the least of other people's work in it.  All checksums must be equal, else the run fails.  Machine code is for
// the baseline of x86-64 (V8 always takes what the machine has); --cpu=native: for this machine.  --also compares with
// another build of the compiler.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), root = resolve(here, '../..');
const options = { runs: '5', work: join(root, 'build/bench-host'), only: '', cpu: '', also: '' };
for (const arg of process.argv.slice(2)) {
  const m = /^--(wasmetal|runtime|runs|work|only|cpu|checks|also)(?:=(.*))?$/.exec(arg);
  if (!m) {
    console.error('usage: host_speed.mjs --wasmetal=PATH --runtime=FILE.a [--runs=N] [--work=DIR] [--cpu=native] [--checks] [--only=NAME,...] [--also=PATH]');
    process.exit(2);
  }
  options[m[1]] = m[2] ?? 'yes';
}
const wasmetal = resolve(options.wasmetal ?? join(root, 'build/release/compiler/wasmetal'));
const runtime = resolve(options.runtime ?? join(root, 'build/release/runtime/libwasmetal_rt.a'));
const work = resolve(options.work), runs = Number(options.runs);
const only = options.only ? options.only.split(',') : null;
mkdirSync(work, { recursive: true });

function sh(command, args, mayFail = false) {
  const r = spawnSync(command, args, { cwd: work, encoding: 'utf8' });
  if (r.error || r.status !== 0) {
    if (mayFail) return null;
    console.error(`${command} ${args.join(' ')}: ${r.error ?? `exit ${r.status ?? r.signal}\n${r.stderr}`}`);
    process.exit(1);
  }
  return r.stdout;
}

// main() of every native contender: RUN(n) is timed, after one call to touch memory.
const frame = `
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }
int main(int argc, char **argv) {
    (void)argc;
    SETUP
    uint32_t n = (uint32_t)atoi(argv[1]), sum;
    RUN(1);
    double t = now();
    RUN(n);
    printf("%.0f %u\\n", now() - t, sum);
    return 0;
}
`;
const mains = {
  native: () => `unsigned run(unsigned);\n#define SETUP\n#define RUN(x) sum = run(x)\n${frame}`,
  wasm2c: () => `#include "p.h"\n#define SETUP wasm_rt_init(); Z_p_init_module(); static Z_p_instance_t in; Z_p_instantiate(&in);
#define RUN(x) sum = Z_pZ_run(&in, x)\n${frame}`,
  wasmetal: () => `#include "wasmetal.h"\nextern const wasmetal_module wasmetal_module_p;
#define SETUP wasmetal_instance_desc d = {.device = "none"}; wasmetal_instance *in; wasmetal_export e;\\
  if (wasmetal_instantiate(&wasmetal_module_p, &d, &in) || wasmetal_export_find(in, "run", &e)) return 1;
#define RUN(x) do { uint64_t c[2] = {x}; if (wasmetal_call(in, e.object, c, NULL)) return 1; sum = (uint32_t)c[0]; } while (0)
${frame}`,
};
writeFileSync(join(work, 'node.mjs'), `
import { readFileSync } from 'node:fs';
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const run = instance.exports.run, n = Number(process.argv[3]);
for (let i = 0; i < 20; i++) run(1);
run(n); // V8 has tiered up behind it
const t = process.hrtime.bigint(), sum = run(n) >>> 0;
console.log(Number(process.hrtime.bigint() - t), sum);
`);
for (const [name, text] of Object.entries(mains)) writeFileSync(join(work, `main_${name}.c`), text());

const march = options.cpu ? [`-march=${options.cpu}`] : [], cpu = options.cpu ? [`--cpu=${options.cpu}`] : [];
const libraries = ['-lpthread', '-lm', '-ldl'], include = `-I${join(root, 'runtime/include')}`;

function makeWasmetal(compiler, name, exe, extra = []) {
  sh(compiler, ['p.wasm', '-O2', '--no-offload', '--name=p', ...cpu, ...extra, '-o', `${exe}.o`]);
  sh('gcc', ['-O2', include, 'main_wasmetal.c', `${exe}.o`, runtime, ...libraries, '-o', exe]);
  return [join(work, exe)];
}

// Contenders by name: a function that builds and returns the command, or null where the tool cannot.
const contenders = {
  wasmetal: (name) => makeWasmetal(wasmetal, name, 'wm'),
  ...(options.checks ? { checks: (name) => makeWasmetal(wasmetal, name, 'wmc', ['--bounds-checks=on']) } : {}),
  ...(options.also ? { also: (name) => makeWasmetal(resolve(options.also), name, 'wmo') } : {}),
  wasm2c: () => {
    if (sh('wasm2c', ['p.wasm', '-n', 'p', '-o', 'p.c'], true) === null) return null;
    sh('gcc', ['-O3', ...march, '-I/usr/share/wabt/wasm2c', '-w', 'main_wasm2c.c', 'p.c', '/usr/share/wabt/wasm2c/wasm-rt-impl.c', '-lm', '-o', 'w2c']);
    return [join(work, 'w2c')];
  },
  node: () => [process.execPath, '--no-warnings', 'node.mjs', 'p.wasm'],
  native: (name, flags, source) => {
    sh('clang-19', ['-O2', '-w', ...march, '-ffp-contract=off', 'main_native.c', source, '-o', 'native']);
    return [join(work, 'native')];
  },
};

const names = Object.keys(contenders), logs = Object.fromEntries(names.map((n) => [n, []]));
const programs = readdirSync(join(here, 'host')).filter((f) => f.endsWith('.c')).map((f) => f.slice(0, -2)).sort();
console.log('Milliseconds, and time of wasmetal divided by the other\'s: below 1 wasmetal is faster.\n');
console.log('program'.padEnd(10) + names.map((n) => n.padStart(10)).join('') + '  ' +
            names.slice(1).map((n) => `/ ${n}`.padStart(10)).join(''));
let wrong = 0;
for (const name of programs) {
  if (only && !only.includes(name)) continue;
  const source = join(here, 'host', `${name}.c`), text = readFileSync(source, 'utf8');
  const n = /^\/\/ n: (\d+)/m.exec(text)[1], flags = /^\/\/ flags: (.*)/m.exec(text)?.[1].split(' ') ?? [];
  sh('clang-19', ['--target=wasm32-wasi', '-O2', ...flags, '-nostartfiles', '-Wl,--no-entry', source, '-o', 'p.wasm']);
  const commands = names.map((c) => contenders[c](name, flags, source));
  const best = names.map(() => Infinity), sums = new Set();
  for (let r = 0; r < runs; r++)
    commands.forEach((command, i) => {
      if (!command) return;
      const [ns, sum] = sh(command[0], [...command.slice(1), n]).trim().split(' ').map(Number);
      best[i] = Math.min(best[i], ns);
      sums.add(sum);
    });
  if (sums.size !== 1) {
    console.log(`${name}: checksums differ: ${[...sums].join(' ')}`);
    wrong++;
  }
  const ratios = best.slice(1).map((t, i) => {
    if (t !== Infinity) logs[names[i + 1]].push(Math.log(best[0] / t));
    return t === Infinity ? NaN : best[0] / t;
  });
  const cell = (x, digits) => (Number.isFinite(x) ? x.toFixed(digits) : '-').padStart(10);
  console.log(name.padEnd(10) + best.map((t) => cell(t / 1e6, 1)).join('') + '  ' + ratios.map((x) => cell(x, 2)).join(''));
}
const mean = (list) => Math.exp(list.reduce((a, b) => a + b, 0) / list.length);
console.log('geometric mean'.padEnd(10 + 10 * names.length + 2) + names.slice(1).map((n) => mean(logs[n]).toFixed(2).padStart(10)).join(''));
process.exit(wrong ? 1 : 0);
