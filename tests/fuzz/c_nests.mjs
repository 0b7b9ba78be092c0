// Random loop nests in C, through stock clang, against node and the IR interpreter.
//
//   node c_nests.mjs --wasmetal=PATH [--count=NESTS] [--seed=N] [--devices=cpu,lavapipe,swiftshader] [--gpu-every=N]
//                    [--interpreter=PATH] [--interpret-every=N] [--clang=PATH] [--wasm-opt=PATH] [--least=PERCENT]
//                    [--work=DIR]
//   node c_nests.mjs --print=SEED[:NEST]        the program of a seed, or of one nest of it
//   node c_nests.mjs --only=SEED:NEST ...       runs that alone, and keeps its files
//
// tests/fuzz/nests.c makes nests in IR; these go through clang's loop optimizations first: strength reduction,
// rotation, unrolling, versioning, vectorising, idioms.  c_nest_gen.mjs says what a program is.  The value of every run,
// whether it trapped, and the whole memory it left have to be node's.  Optimization levels rotate with the seed.  The
// CPU device runs every program; every N-th goes to a Vulkan driver, too, and every N-th through the IR interpreter
// (build target fuzz_interpret).
//
// Launches are counted per nest from the statistics: a generator whose nests all stay on the CPU would test nothing, so
// --least sets the share of nests that must have been launched.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileProgram, sumOfFunction, which } from '../../testsuite/program.mjs';
import { makeProgram, NESTS_A_PROGRAM } from './c_nest_gen.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = {
  count: '64', seed: '1', devices: 'cpu,lavapipe,swiftshader', 'gpu-every': '8', interpreter: '', 'interpret-every': '8', clang: '', 'wasm-opt': '',
  least: '0', work: 'work-c-nests',
};
for (const argument of process.argv.slice(2)) {
  const m = /^--([a-z-]+)=(.*)$/.exec(argument);
  if (!m) {
    console.error(`c_nests.mjs: unknown argument ${argument}`);
    process.exit(2);
  }
  options[m[1]] = m[2];
}
if (options.print !== undefined) {
  process.stdout.write(makeProgram(...options.print.split(':').map(Number)).text);
  process.exit(0);
}
if (!options.wasmetal) {
  console.error('usage: c_nests.mjs --wasmetal=PATH [--count=64] [--seed=1] [--devices=cpu,...] [--least=PERCENT]');
  process.exit(2);
}

const wasmetal = resolve(options.wasmetal), interpreter = options.interpreter && resolve(options.interpreter), root = resolve(options.work);
const wasmOpt = options['wasm-opt'] ? resolve(options['wasm-opt']) : which('wasm-opt');
const LEVELS = ['O2', 'O1', 'O3', 'Os', 'O3+simd', 'O2', 'O3', 'O1', 'Os', wasmOpt ? 'O2+wasm-opt' : 'O2', 'O3+simd'];
const drivers = {
  lavapipe: process.env.WASMETAL_TEST_LAVAPIPE ?? '/usr/share/vulkan/icd.d/lvp_icd.json',
  swiftshader: process.env.WASMETAL_TEST_SWIFTSHADER ?? '/usr/lib/chromium/vk_swiftshader_icd.json',
};
const wanted = options.devices.split(',');
const gpus = wanted.filter((d) => d !== 'cpu').filter((d) => {
  if (existsSync(drivers[d] ?? '')) return true;
  console.log(`SKIP ${d}: the driver is not installed`);
  if (process.env.WASMETAL_REQUIRE_DRIVERS === '1') process.exit(1);
  return false;
});
const only = options.only?.split(':').map(Number);
const count = { programs: 0, nests: 0, launched: 0, launches: 0, gpuLaunches: 0, traps: 0, endless: 0, unfinished: 0, failed: 0, runs: {} };
const kinds = {};

function run(command, args, cwd, env) {
  return spawnSync(command, args, { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd, XDG_CACHE_HOME: join(cwd, 'cache'), ...env },
                                    encoding: 'utf8', maxBuffer: 1 << 26, timeout: 120000 });
}

// Where two memories differ, and which call that was.
function difference(got, want, notesAt, calls) {
  if (got.length !== want.length) return `memory has ${got.length} bytes, not ${want.length}`;
  let at = 0;
  while (got[at] === want[at]) at++;
  let call = 0;
  while (call < 1024 && got.compare(want, notesAt + 8 * call, notesAt + 8 * call + 8, notesAt + 8 * call, notesAt + 8 * call + 8) === 0) call++;
  return `memory differs, first at 0x${at.toString(16)}${call < 1024 ? `; wrong from ${calls[call] ?? `note ${call}`} on` : ''}`;
}

// Runs `args` that print the value or trap of run(k) and leave memory in `file`; compares with node's.
function compare(fail, label, got, value, file, k, want, program) {
  if (got.error || got.signal) return fail(`${label} run ${k}: ${got.error ?? got.signal} ${got.stderr}`);
  const trapped = want.value.startsWith('trap');
  if (trapped ? !/\btrap\b/.test(value) : value !== want.value) fail(`${label} run ${k}: ${value || got.stderr}, node: ${want.value}`);
  if (!existsSync(file)) return fail(`${label} run ${k}: no memory; ${got.stderr}`);
  const memory = readFileSync(file);
  if (!memory.equals(want.memory)) fail(`${label} run ${k}: ${difference(memory, want.memory, program.notesAt, k ? [] : program.calls)}`);
}

function runSeed(seed, nest) {
  const level = LEVELS[seed % LEVELS.length], work = join(root, `nests-${seed}${nest === undefined ? '' : `-${nest}`}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  let bad = false;
  const fail = (what) => {
    console.log(`FAIL seed ${seed} ${level}: ${what}`);
    bad = true;
  };
  const program = makeProgram(seed, nest);
  writeFileSync(join(work, 'nests.c'), program.text);
  const build = ['-fwrapv', '-fno-strict-aliasing', '-Wno-everything', '-nostartfiles', '-Wl,--no-entry', '-Wl,--export=notes'];
  const wrong = compileProgram(join(work, 'nests.c'), level, work, { build }, { clang: options.clang, wasmOpt });
  if (wrong) return fail(wrong), bad;
  const reference = run(process.execPath, ['--no-warnings', join(here, 'c_nests_reference.mjs'), 'nests.wasm', String(program.runs)], work, {});
  if (reference.error?.code === 'ETIMEDOUT') { // a loop that a program may have made of its own bounds
    count.endless++;
    rmSync(work, { recursive: true, force: true });
    return false;
  }
  const wants = reference.stdout.trim().split('\n').map((line) => ({ value: line.slice(line.indexOf(' ') + 1) }));
  if (wants.length !== program.runs) return fail(`node gave no answer: ${reference.error ?? reference.stderr}`), bad;
  wants.forEach((w, k) => {
    w.memory = readFileSync(join(work, `node.${k}.mem`));
    count.traps += w.value.startsWith('trap') ? 1 : 0;
  });
  program.notesAt = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(join(work, 'nests.wasm'))), {}).exports.notes.value;
  const explained = run(wasmetal, ['explain', '--json', 'nests.wasm'], work, {});
  if (explained.status !== 0) return fail(`explain: ${explained.stderr}`), bad;
  const metadata = JSON.parse(explained.stdout), launched = new Map();

  const gpu = gpus.length && (nest !== undefined || seed % Number(options['gpu-every']) === 0) ? [gpus[Math.floor(seed / Number(options['gpu-every'])) % gpus.length]] : [];
  for (const device of [...(wanted.includes('cpu') ? ['cpu'] : []), ...gpu]) {
    const env = { WASMETAL_MIN_WORK: '0', WASMETAL_LOG: 'warning' };
    if (drivers[device]) env.VK_DRIVER_FILES = env.VK_ICD_FILENAMES = drivers[device];
    for (let k = 0; k < program.runs; k++) {
      env.WASMETAL_CPU_ORDER = (seed + k) % 2 ? 'backwards' : ''; // of points that are taken to touch nothing in common
      const got = run(wasmetal, ['run', `-O${[0, 1, 0, 0, 2, 0, 1][seed % 7]}`, `--device=${drivers[device] ? 'vulkan' : device}`, `--stats=${device}.json`, `--dump-memory=${device}.mem`,
                                 '--invoke=run', 'nests.wasm', '--', String(k)], work, env);
      count.runs[device] = (count.runs[device] ?? 0) + 1;
      compare(fail, device, got, got.stdout.trim().replace('i64:', '') || got.stderr, join(work, `${device}.mem`), k, wants[k], program);
      rmSync(join(work, `${device}.mem`), { force: true });
      if (!existsSync(join(work, `${device}.json`))) continue;
      const stats = JSON.parse(readFileSync(join(work, `${device}.json`), 'utf8'));
      rmSync(join(work, `${device}.json`));
      if (device !== 'cpu') {
        count.gpuLaunches += stats.launches;
        continue;
      }
      count.launches += stats.launches;
      for (const n of program.nests) launched.set(n.id, (launched.get(n.id) ?? 0) + sumOfFunction(stats, metadata, `nest_${n.id}`).launches);
    }
  }
  if (interpreter && (nest !== undefined || seed % Number(options['interpret-every']) === 0)) {
    for (let k = 0; k < program.runs; k++) {
      const got = run(interpreter, ['nests.wasm', 'run', String(k), 'interpreter.mem'], work, {});
      count.runs.interpreter = (count.runs.interpreter ?? 0) + 1;
      if (got.status === 3 || got.error?.code === 'ETIMEDOUT') count.unfinished++; // out of fuel
      else compare(fail, 'interpreter', got, got.stdout.trim(), join(work, 'interpreter.mem'), k, wants[k], program);
      rmSync(join(work, 'interpreter.mem'), { force: true });
    }
  }
  for (const n of program.nests.filter((x) => nest === undefined || x.id === nest)) {
    const sum = (kinds[n.kind] ??= [0, 0]);
    sum[0]++;
    sum[1] += launched.get(n.id) > 0;
    count.nests++;
    count.launched += launched.get(n.id) > 0;
  }
  count.programs++;
  if (!bad && nest === undefined) rmSync(work, { recursive: true, force: true });
  return bad;
}

if (only) process.exit(runSeed(...only) ? 1 : 0);
const programs = Math.ceil(Number(options.count) / NESTS_A_PROGRAM), first = Number(options.seed);
for (let seed = first; seed < first + programs; seed++) if (runSeed(seed)) count.failed++;
console.log(`launched by kind: ${Object.entries(kinds).sort().map(([k, [n, l]]) => `${k} ${l}/${n}`).join(', ')}`);
console.log(`${count.nests} nests in ${count.programs} programs, ${count.launched} nests launched (${count.launches} launches on cpu, ${count.gpuLaunches} on GPU drivers), ` +
            `${count.traps} runs trapped, runs ${JSON.stringify(count.runs)}, ${count.endless} programs endless, ${count.unfinished} runs unfinished in the interpreter, ` +
            `${count.failed} programs failed`);
if (count.failed) process.exit(1);
if (100 * count.launched < Number(options.least) * count.nests) {
  console.log(`fewer than ${options.least} % of the nests were launched`);
  process.exit(1);
}
