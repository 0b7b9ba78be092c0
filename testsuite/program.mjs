// What check_program.mjs and detection.mjs share: reading what a program of programs/ says about itself, compiling it
// with a stock compiler, and finding a source function among the names in a module.
//
// C goes through clang, C++ (.cpp) through the same clang with libc++ and no exceptions, Rust (.rs) through a rustc
// that has the target wasm32-wasi.  Levels are written as clang's: O1, O2, O3, Os, with "+simd" (128-bit vectors
// allowed) or "+wasm-opt" (binaryen's -O2 afterwards, names kept).
//
// Two traps in building test modules: where binaryen is installed, clang runs wasm-opt behind our back, and clang's own
// switch against that (--no-wasm-opt) drops the link in Debian's build.  So clang gets a PATH with just the linker, and
// the variant "+wasm-opt" runs it openly.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { basename, delimiter, extname, join } from 'node:path';

export function which(...names) {
  for (const n of names)
    for (const dir of (process.env.PATH ?? '').split(delimiter))
      if (dir && existsSync(join(dir, n))) return join(dir, n);
  return null;
}

// A rustc with the standard library for wasm32-wasi; the first one in PATH may well lack it.
let foundRustc;
export function findRustc() {
  if (foundRustc !== undefined) return foundRustc;
  const places = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/bin'];
  foundRustc = places.map((dir) => join(dir, 'rustc')).filter((p) => existsSync(p)).find((p) => {
    const r = spawnSync(p, ['--print=target-libdir', '--target=wasm32-wasi'], { encoding: 'utf8' });
    return r.status === 0 && existsSync(r.stdout.trim());
  }) ?? null;
  return foundRustc;
}

export function programName(path) {
  return basename(path, extname(path));
}

// ---- what a program says about itself ----

function parseExpectation(text) {
  const [func, verb, ...more] = text.split(/\s+/);
  const e = { text, func, verb, count: 1, devices: null, reason: null };
  if (verb === 'launches') {
    if (/^\d+$/.test(more[0] ?? '')) e.count = Number(more.shift());
    if (more[0] === 'on') e.devices = more.slice(1);
    else if (more.length) throw new Error(`bad expectation: ${text}`);
  } else if (['falls-back', 'rejected'].includes(verb) && more.length === 1) {
    e.reason = more[0];
  } else if (!(['stays', 'any'].includes(verb) && more.length === 0)) {
    throw new Error(`bad expectation: ${text}`);
  }
  return e;
}

// Returns { build, run, trap, expect, simd, truth } from the comments of a program; truth maps each function that has an
// expectation to 'parallel' or 'serial', or to null where the program does not say.
export function readHeader(path) {
  const header = { build: [], run: '', trap: false, expect: [], simd: [], truth: new Map() };
  const said = new Map();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const m = /^\/\/ (build|run|trap|expect|simd|truth|slow): (.*?)\s*$/.exec(line);
    if (!m && /^\/\/.*\S (build|expect|simd|truth|slow): /.test(line)) throw new Error(`joined to other words: ${line}`);
    if (!m || m[1] === 'slow') continue; // the latter is CMakeLists.txt's
    if (m[1] === 'build') header.build.push(...m[2].split(/\s+/));
    else if (m[1] === 'run') header.run = m[2];
    else if (m[1] === 'trap') header.trap = m[2] === 'yes';
    else if (m[1] === 'expect' || m[1] === 'simd') header[m[1]].push(parseExpectation(m[2]));
    else {
      const [func, truth, ...more] = m[2].split(/\s+/);
      if (!['parallel', 'serial'].includes(truth) || more.length) throw new Error(`bad truth: ${m[2]}`);
      said.set(func, truth);
    }
  }
  const byVerb = { launches: 'parallel', 'falls-back': 'parallel', stays: 'serial', rejected: 'serial', any: null };
  for (const e of header.expect)
    header.truth.set(e.func, said.get(e.func) ?? header.truth.get(e.func) ?? byVerb[e.verb]);
  for (const [func, truth] of said) header.truth.set(func, truth);
  return header;
}

// ---- compiling ----

// Writes NAME.wasm into the folder work and returns null, or what went wrong.
export function compileProgram(path, opt, work, header, { clang, wasmOpt } = {}) {
  const [level, variant] = opt.split('+');
  if (variant !== undefined && !['simd', 'wasm-opt'].includes(variant)) return `unknown variant ${variant}`;
  const wasm = `${programName(path)}.wasm`;
  const linker = which('wasm-ld-19', 'wasm-ld');
  if (!linker) return 'no wasm-ld';
  const bin = join(work, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const n of ['wasm-ld', 'wasm-ld-19'])
    if (!existsSync(join(bin, n))) symlinkSync(realpathSync(linker), join(bin, n));
  let tool, args, env = { PATH: bin };
  if (path.endsWith('.rs')) {
    tool = findRustc();
    if (!tool) return 'no rustc with the target wasm32-wasi';
    args = ['--target=wasm32-wasi', '--edition=2021', '-Dwarnings', '-Cstrip=debuginfo', '-Cpanic=abort',
            `-Copt-level=${level.slice(1)}`, ...(variant === 'simd' ? ['-Ctarget-feature=+simd128'] : []), ...header.build,
            path, '-o', wasm];
    env = { PATH: [bin, '/usr/bin', '/bin'].join(delimiter), HOME: process.env.HOME ?? '' };
  } else {
    tool = clang || which('clang-19', 'clang');
    if (!tool) return 'no clang';
    args = [...(path.endsWith('.cpp') ? ['--driver-mode=g++', '-fno-exceptions'] : []), '--target=wasm32-wasi', `-${level}`,
            ...(variant === 'simd' ? ['-msimd128'] : []), '-Wall', '-Wextra', '-Werror', ...header.build, path, '-o', wasm];
  }
  let r = spawnSync(tool, args, { cwd: work, env });
  if (r.status !== 0 || !existsSync(join(work, wasm))) return `${basename(tool)}: ${r.error ?? r.stderr}`;
  if (variant === 'wasm-opt') {
    const optimizer = wasmOpt || which('wasm-opt');
    if (!optimizer) return 'no wasm-opt';
    const plain = `${programName(path)}.clang.wasm`;
    copyFileSync(join(work, wasm), join(work, plain));
    r = spawnSync(optimizer, ['-O2', '-g', plain, '-o', wasm], { cwd: work });
    if (r.status !== 0) return `wasm-opt: ${r.error ?? r.stderr}`;
  }
  return null;
}

// ---- names ----

// Whether `name`, as the module's name section has it, is the source function `func`: itself, a clone of it
// (func.constprop), a C++ function or method of that name, or a Rust path that ends in it.
export function isFunction(name, func) {
  if (name === func || name.startsWith(`${func}.`)) return true;
  const rust = /^_ZN(.*)17h[0-9a-f]{16}E$/.exec(name);
  if (rust) return rust[1].endsWith(`${func.length}${func}`);
  const cpp = /(?:^|[ :])([A-Za-z_]\w*)(?:<[^()]*>)?\(/.exec(name);
  return cpp !== null && cpp[1] === func;
}

// Launches and fallbacks of all kernels cut from a function, from the statistics and the metadata of one run.
export function sumOfFunction(stats, metadata, func) {
  const sum = { kernels: 0, launches: 0, fallbacks: {} };
  const names = new Set((metadata.kernels ?? []).filter((k) => isFunction(k.func, func)).map((k) => k.name));
  for (const k of stats.kernels ?? []) {
    if (!names.has(k.name)) continue;
    sum.kernels++;
    sum.launches += k.launches;
    for (const [reason, n] of Object.entries(k.fallbacks ?? {})) sum.fallbacks[reason] = (sum.fallbacks[reason] ?? 0) + n;
  }
  return sum;
}
