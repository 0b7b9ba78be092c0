// Builds one program of programs/ with stock clang and checks Wasmetal's run of it, on every device, against node's.
//
//   node check_program.mjs --wasmetal=PATH [--clang=PATH] [--opt=O2|O2+wasm-opt|O3+simd] [--wasm-opt=PATH] [--work=DIR]
//                          [--devices=none,cpu,...] [--metal=PATH] [--keep] PROGRAM
//
// PROGRAM is C, C++ (.cpp) or Rust (.rs); program.mjs compiles it.  The device "metal" is the Metal device on the test
// double of tests/metal, in a command of its own (--metal).
//
// Compared: standard output, exit code (or that it traps), results of an invoked export, and the whole linear memory,
// byte for byte.  Then the comments at the top of the program are held against the launch statistics:
//
//   // build: FLAGS                  more flags for clang
//   // run: ARGS | invoke=F ARGS     arguments of main, or an export to call
//   // trap: yes                     the program must end in a trap
//   // expect: F launches [N] [on D...]   kernels cut from function F run at least N times (1), on these devices (all)
//   // expect: F stays               no kernel of F ever runs
//   // expect: F falls-back REASON   the guard turns F down at least once for this reason (docs/fallbacks.md)
//   // expect: F rejected REASON   no kernel of F ever runs, and a loop of F is turned down for this reason (docs/reasons.md)
//   // expect: F any                 parallel in a way the compiler may or may not see; only the answer counts
//   // truth: F parallel|serial      what detection.mjs counts F as; see there
//   // slow: swiftshader             that device's compiler takes minutes for its kernels: ctest leaves it out there
//
//   // simd: F ...                  with the variant "+simd" this takes the place of what is expected of F
//
// At opt-level 1 of Rust, where iterators are calls, launches are not asked for.  And node 20 can crash while exiting after a right answer, so reference.mjs is
// judged by its last line, not by its status.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileProgram, isFunction, programName, readHeader, sumOfFunction } from './program.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = { clang: '', opt: 'O2', work: 'build/work', devices: 'none,cpu,lavapipe,swiftshader' };
const rest = process.argv.slice(2);
while (rest.length && rest[0].startsWith('--')) {
  const [key, ...value] = rest.shift().slice(2).split('=');
  options[key] = value.length ? value.join('=') : true;
}
if (rest.length !== 1 || !options.wasmetal) {
  console.error('usage: check_program.mjs --wasmetal=PATH [--clang=PATH] [--opt=O2] [--work=DIR] PROGRAM');
  process.exit(2);
}
const program = resolve(rest[0]);
options.wasmetal = resolve(options.wasmetal);
if (options.metal) options.metal = resolve(options.metal);
const name = programName(program);

// ---- drivers ----

// SwiftShader has no f64 and flushes subnormal floats: in strict mode both are computed on integers there, which its
// compiler takes its time over.
const driver = {
  lavapipe: process.env.WASMETAL_TEST_LAVAPIPE ?? firstOf(['/usr/share/vulkan/icd.d/lvp_icd.json',
    `/usr/share/vulkan/icd.d/lvp_icd.${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.json`]),
  swiftshader: process.env.WASMETAL_TEST_SWIFTSHADER ?? firstOf(['/usr/lib/chromium/vk_swiftshader_icd.json',
    '/usr/share/vulkan/icd.d/vk_swiftshader_icd.json']),
};

function firstOf(paths) {
  return paths.find((p) => existsSync(p)) ?? '';
}

const header = readHeader(program);

// ---- running things ----

let failures = 0;
function fail(where, what) {
  failures++;
  console.log(`FAIL ${name} ${options.opt} ${where}: ${what}`);
}

function die(what) {
  console.log(`FAIL ${name} ${options.opt}: ${what}`);
  process.exit(1);
}

// Standard output goes into a file, so that both engines see the same kind of descriptor.
function execute(command, args, stdout, env, cwd) {
  const fd = openSync(stdout, 'w');
  const r = spawnSync(command, args, { cwd, env, stdio: ['ignore', fd, 'pipe'], timeout: 400000 });
  closeSync(fd);
  return { status: r.status, signal: r.signal, error: r.error, stdout: readFileSync(stdout),
           stderr: r.stderr ? r.stderr.toString() : '' };
}

const work = resolve(options.work, `${name}-${options.opt}`);
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });

const variant = options.opt.split('+')[1];
const wasm = `${name}.wasm`;
{
  const wrong = compileProgram(program, options.opt, work, header, { clang: options.clang, wasmOpt: options['wasm-opt'] });
  if (wrong) die(wrong);
}

// Which kernel came from which function, and why the other loops have none.
const metadata = (() => {
  const r = spawnSync(options.wasmetal, ['explain', '--json', wasm],
                      { cwd: work, encoding: 'utf8', maxBuffer: 1 << 28, timeout: 400000 });
  if (r.status !== 0) die(`wasmetal explain: ${r.error ?? r.stderr}`);
  return JSON.parse(r.stdout);
})();

const runWords = header.run ? header.run.split(/\s+/) : [];
const invoke = runWords[0]?.startsWith('invoke=') ? runWords.shift().slice('invoke='.length) : null;

// ---- the reference ----

const base = { PATH: process.env.PATH ?? '', HOME: work, XDG_CACHE_HOME: join(work, 'cache') };
const want = execute(process.execPath,
                     ['--no-warnings', join(here, 'reference.mjs'), ...(invoke ? [`--invoke=${invoke}`] : []),
                      '--dump-memory=node.mem', wasm, ...runWords],
                     join(work, 'node.out'), base, work);
const verdict = /^reference: (exit (\d+)|trap .*)$/m.exec(want.stderr);
if (!verdict || !existsSync(join(work, 'node.mem'))) die(`node gave no answer: ${want.stderr}`);
const trapped = verdict[2] === undefined;
if (trapped !== header.trap) die(`node: ${verdict[1]}, but the program says trap: ${header.trap ? 'yes' : 'no'}`);
const wantMemory = readFileSync(join(work, 'node.mem'));

// ---- each device ----

const results = (text) => text.toString().trim().split('\n').filter((l) => l).map((l) => {
  const [type, ...value] = l.split(':');
  const number = type === 'i32' ? Number(value[0]) | 0 : type === 'i64' ? BigInt.asIntN(64, BigInt(value[0]))
               : Number(value.join(':').replace(/^([-+]?)inf$/, '$1Infinity'));
  return `${type}:${Object.is(number, -0) ? '-0' : number}`;
}).join('\n');

function compareMemory(device, file) {
  if (!existsSync(file)) return fail(device, 'no memory dump was written');
  const got = readFileSync(file);
  if (got.equals(wantMemory)) return;
  if (got.length !== wantMemory.length)
    return fail(device, `memory is ${got.length} bytes, node's ${wantMemory.length}`);
  let first = -1, count = 0;
  for (let i = 0; i < got.length; i++)
    if (got[i] !== wantMemory[i]) {
      if (first < 0) first = i;
      count++;
    }
  const hex = (b) => [...b.subarray(first & ~15, (first & ~15) + 32)].map((x) => x.toString(16).padStart(2, '0')).join(' ');
  fail(device, `memory differs in ${count} bytes, first at 0x${first.toString(16)}\n` +
               `  node     ${hex(wantMemory)}\n  wasmetal ${hex(got)}`);
}

const replaced = variant === 'simd' ? header.simd : [];
const expectations = [...header.expect.filter((e) => !replaced.some((x) => x.func === e.func)), ...replaced];

function checkExpectations(device, stats) {
  if (device === 'none') {
    if (stats.launches !== 0) fail(device, `${stats.launches} launches without a device`);
    return;
  }
  const wanted = device in driver ? 'vulkan' : device;
  // A module without kernels opens no device.
  if (stats.device !== wanted && (stats.device !== 'none' || stats.kernels.length > 0))
    return fail(device, `ran on "${stats.device}", not "${wanted}"`);
  if (stats.validation_messages) fail(device, `${stats.validation_messages} messages of the Vulkan validation layers`);
  if (stats.bytes_copied !== 0) fail(device, `${stats.bytes_copied} bytes copied`);
  for (const e of expectations) {
    const unasked = program.endsWith('.rs') && options.opt === 'O1';
    if (unasked && !['stays', 'rejected'].includes(e.verb)) continue;
    const sum = sumOfFunction(stats, metadata, e.func);
    const seen = `${e.func}: ${sum.kernels} kernels, ${sum.launches} launches, fallbacks ${JSON.stringify(sum.fallbacks)}`;
    if (e.verb === 'launches' && (!e.devices || e.devices.includes(device === 'metal' ? 'lavapipe' : device))) {
      // The double lacks nothing, so this reason means that the kernel has no MSL.
      if (device === 'metal' && sum.launches < e.count && sum.fallbacks.capability > 0) {
        noMsl.push(e.func);
        continue;
      }
      // binaryen may inline the function into its caller: then any launch counts.
      const launches = variant && sum.kernels === 0 ? stats.launches : sum.launches;
      if (launches < e.count) fail(device, `expected "${e.text}"; ${seen}`);
    } else if (['stays', 'rejected'].includes(e.verb) && sum.launches > 0) {
      fail(device, `expected "${e.text}"; ${seen}`);
    } else if (e.verb === 'falls-back' && !(sum.fallbacks[e.reason] > 0) && !(variant && sum.kernels === 0)) {
      fail(device, `expected "${e.text}"; ${seen}`);
    }
  }
}

// A reason belongs to the module, not to a device.  An optimizer may have inlined the function or unrolled its loop
// away.
for (const e of expectations.filter((x) => x.verb === 'rejected')) {
  const verdicts = metadata.loops.filter((l) => isFunction(l.func, e.func)).map((l) => l.verdict);
  if (!verdicts.includes(e.reason) && (variant === undefined || (verdicts.length > 0 && variant !== 'simd')))
    fail('explain', `expected "${e.text}"; verdicts ${verdicts.join(' ') || 'none'}`);
}

const done = [];
const noMsl = [];
for (const device of options.devices.split(',')) {
  const env = { ...base, WASMETAL_MIN_WORK: '1', WASMETAL_LOG: 'warning', WASMETAL_VALIDATION: '1' };
  if (device in driver) {
    if (!driver[device]) {
      if (process.env.WASMETAL_REQUIRE_DRIVERS === '1') fail(device, 'the driver is not installed');
      else console.log(`SKIP ${name} ${options.opt} ${device}: the driver is not installed`);
      continue;
    }
    env.VK_DRIVER_FILES = env.VK_ICD_FILENAMES = driver[device];
  }
  if (device === 'cpu' && /^O[1s]/.test(options.opt)) env.WASMETAL_CPU_ORDER ??= 'backwards'; // an order that hides nothing
  if (device === 'metal') {
    env.METAL_DOUBLE_CACHE = resolve(options.work, 'metal-cache');
    env.METAL_DOUBLE = process.env.METAL_DOUBLE ?? '';
    mkdirSync(env.METAL_DOUBLE_CACHE, { recursive: true });
  }
  const memory = join(work, `${device}.mem`), statsFile = join(work, `${device}.json`);
  const command = device === 'metal' ? options.metal : options.wasmetal;
  if (!command) die('the device metal needs --metal=PATH of wasmetal_metal');
  const got = execute(command,
                      ['run', `--device=${device in driver ? 'vulkan' : device}`, `--stats=${statsFile}`,
                       `--dump-memory=${memory}`, ...(invoke ? [`--invoke=${invoke}`] : []), wasm, '--', ...runWords],
                      join(work, `${device}.out`), env, work);
  if (got.error || got.signal) {
    fail(device, `${got.error ?? `ended by ${got.signal}`}\n${got.stderr}`);
    continue;
  }
  if (trapped) {
    if (!/\btrap: /.test(got.stderr)) fail(device, `no trap, exit ${got.status}: ${got.stderr}`);
  } else if (got.status !== Number(verdict[2])) {
    fail(device, `exit ${got.status}, node ${verdict[2]}: ${got.stderr}`);
    continue;
  }
  if (invoke ? results(got.stdout) !== results(want.stdout) : !got.stdout.equals(want.stdout))
    fail(device, `prints\n${got.stdout}node prints\n${want.stdout}`);
  compareMemory(device, memory);
  const noise = got.stderr.split('\n').filter((l) => /VUID-|validation/i.test(l));
  if (noise.length) fail(device, `Vulkan validation says\n${noise.join('\n')}`);
  try {
    const stats = JSON.parse(readFileSync(statsFile, 'utf8'));
    checkExpectations(device, stats);
    done.push(`${device} ${stats.launches}${noMsl.length ? ` (no MSL: ${noMsl.join(' ')})` : ''}`);
  } catch (error) {
    fail(device, `statistics: ${error.message}`);
  }
}

if (failures === 0) {
  console.log(`ok ${name} ${options.opt}: launches ${done.join(', ')}`);
  if (!options.keep) rmSync(work, { recursive: true, force: true });
}
process.exit(failures ? 1 : 0);
