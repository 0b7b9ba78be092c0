// Builds one program of programs/ with stock clang and checks Wasmetal's run of it, on every device, against node's.
//
//   node check_program.mjs --wasmetal=PATH [--clang=PATH] [--opt=O2|O2+wasm-opt|O3+simd] [--wasm-opt=PATH] [--work=DIR]
//                          [--devices=none,cpu,...] [--metal=PATH] [--keep] PROGRAM.c
//
// The device "metal" is the Metal device on the test double of tests/metal, in a command of its own (--metal).
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
//   // expect: F any                 parallel in a way the compiler may or may not see; only the answer counts
//
// Two traps in building test modules: where binaryen is installed, clang runs wasm-opt behind our back, and clang's own
// switch against that (--no-wasm-opt) drops the link in Debian's build.  So clang gets a PATH with just the linker, and
// the variant "+wasm-opt" runs it openly, with names kept; "+simd" compiles with -msimd128, where loops on v128 stay on
// the CPU, so that launches are not asked for.  And node 20 can crash while exiting after a right answer, so
// reference.mjs is judged by its last line, not by its status.
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync, rmSync,
         symlinkSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const options = { clang: '', opt: 'O2', work: 'work', devices: 'none,cpu,lavapipe,swiftshader' };
const rest = process.argv.slice(2);
while (rest.length && rest[0].startsWith('--')) {
  const [key, ...value] = rest.shift().slice(2).split('=');
  options[key] = value.length ? value.join('=') : true;
}
if (rest.length !== 1 || !options.wasmetal) {
  console.error('usage: check_program.mjs --wasmetal=PATH [--clang=PATH] [--opt=O2] [--work=DIR] PROGRAM.c');
  process.exit(2);
}
const program = resolve(rest[0]);
options.wasmetal = resolve(options.wasmetal);
if (options.metal) options.metal = resolve(options.metal);
const name = basename(program, '.c');

// ---- tools and drivers ----

function which(...names) {
  for (const n of names)
    for (const dir of (process.env.PATH ?? '').split(delimiter))
      if (dir && existsSync(join(dir, n))) return join(dir, n);
  return null;
}

// SwiftShader flushes subnormal floats, so in strict mode the runtime keeps float arithmetic off it: programs that
// compute floats say "on cpu lavapipe".
const driver = {
  lavapipe: process.env.WASMETAL_TEST_LAVAPIPE ?? firstOf(['/usr/share/vulkan/icd.d/lvp_icd.json',
    `/usr/share/vulkan/icd.d/lvp_icd.${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.json`]),
  swiftshader: process.env.WASMETAL_TEST_SWIFTSHADER ?? firstOf(['/usr/lib/chromium/vk_swiftshader_icd.json',
    '/usr/share/vulkan/icd.d/vk_swiftshader_icd.json']),
};

function firstOf(paths) {
  return paths.find((p) => existsSync(p)) ?? '';
}

// ---- what the program says about itself ----

const source = readFileSync(program, 'utf8');
const header = { build: [], run: '', trap: false, expect: [] };
for (const line of source.split('\n')) {
  const m = /^\/\/ (build|run|trap|expect): (.*?)\s*$/.exec(line);
  if (!m) continue;
  if (m[1] === 'build') header.build.push(...m[2].split(/\s+/));
  else if (m[1] === 'run') header.run = m[2];
  else if (m[1] === 'trap') header.trap = m[2] === 'yes';
  else header.expect.push(parseExpectation(m[2]));
}

function parseExpectation(text) {
  const [func, verb, ...more] = text.split(/\s+/);
  const e = { text, func, verb, count: 1, devices: null, reason: null };
  if (verb === 'launches') {
    if (/^\d+$/.test(more[0] ?? '')) e.count = Number(more.shift());
    if (more[0] === 'on') e.devices = more.slice(1);
    else if (more.length) throw new Error(`bad expectation: ${text}`);
  } else if (verb === 'falls-back' && more.length === 1) {
    e.reason = more[0];
  } else if (!(['stays', 'any'].includes(verb) && more.length === 0)) {
    throw new Error(`bad expectation: ${text}`);
  }
  return e;
}

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
  const r = spawnSync(command, args, { cwd, env, stdio: ['ignore', fd, 'pipe'], timeout: 120000 });
  closeSync(fd);
  return { status: r.status, signal: r.signal, error: r.error, stdout: readFileSync(stdout),
           stderr: r.stderr ? r.stderr.toString() : '' };
}

const work = resolve(options.work, `${name}-${options.opt}`);
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });

const [level, variant] = options.opt.split('+');
const clang = options.clang || which('clang-19', 'clang') || die('no clang');
const wasm = `${name}.wasm`;
{
  const bin = join(work, 'bin'), linker = which('wasm-ld-19', 'wasm-ld') || die('no wasm-ld');
  mkdirSync(bin);
  for (const n of ['wasm-ld', 'wasm-ld-19']) symlinkSync(realpathSync(linker), join(bin, n));
  const r = spawnSync(clang, ['--target=wasm32-wasi', `-${level}`, ...(variant === 'simd' ? ['-msimd128'] : []), '-Wall', '-Wextra', '-Werror', ...header.build,
                              program, '-o', wasm], { cwd: work, env: { PATH: bin } });
  if (r.status !== 0 || !existsSync(join(work, wasm))) die(`clang: ${r.error ?? r.stderr}`);
}
if (variant === 'wasm-opt') {
  const tool = options['wasm-opt'] || which('wasm-opt') || die('no wasm-opt');
  copyFileSync(join(work, wasm), join(work, `${name}.clang.wasm`));
  const r = spawnSync(tool, ['-O2', '-g', `${name}.clang.wasm`, '-o', wasm], { cwd: work });
  if (r.status !== 0) die(`wasm-opt: ${r.error ?? r.stderr}`);
} else if (variant !== undefined && variant !== 'simd') {
  die(`unknown variant ${variant}`);
}

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

// Launches and fallbacks of all kernels cut from a function; names are FUNCTION_OFFSET.
function ofFunction(stats, func) {
  const sum = { kernels: 0, launches: 0, fallbacks: {} };
  for (const k of stats.kernels ?? []) {
    const m = /^(.*)_[0-9a-f]+$/.exec(k.name);
    if (!m || (m[1] !== func && !m[1].startsWith(`${func}_`))) continue;
    sum.kernels++;
    sum.launches += k.launches;
    for (const [reason, n] of Object.entries(k.fallbacks ?? {})) sum.fallbacks[reason] = (sum.fallbacks[reason] ?? 0) + n;
  }
  return sum;
}

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
  for (const e of header.expect) {
    if (variant === 'simd' && e.verb !== 'stays') continue;
    const sum = ofFunction(stats, e.func);
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
    } else if (e.verb === 'stays' && sum.launches > 0) {
      fail(device, `expected "${e.text}"; ${seen}`);
    } else if (e.verb === 'falls-back' && !(sum.fallbacks[e.reason] > 0) && !(variant && sum.kernels === 0)) {
      fail(device, `expected "${e.text}"; ${seen}`);
    }
  }
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
