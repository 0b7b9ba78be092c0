// Validates every kernel that the compiler makes of the programs and examples: SPIR-V with spirv-val, MSL with clang and
// the stand-in metal_stdlib, WGSL with naga and, through Dawn, on SwiftShader.
//
//   node check_kernels.mjs --wasmetal=PATH [--clang=PATH] [--work=DIR] SOURCE.c...
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const options = { work: 'build/work', clang: '' };
const sources = [];
for (const arg of process.argv.slice(2)) {
  const m = /^--(wasmetal|clang|work)=(.*)$/.exec(arg);
  if (m) options[m[1]] = m[2];
  else sources.push(resolve(arg));
}
if (!options.wasmetal || sources.length === 0) {
  console.error('usage: check_kernels.mjs --wasmetal=PATH [--clang=PATH] [--work=DIR] SOURCE.c...');
  process.exit(2);
}

function which(...names) {
  for (const n of names)
    for (const dir of (process.env.PATH ?? '').split(delimiter))
      if (dir && existsSync(join(dir, n))) return join(dir, n);
  console.log(`FAIL: ${names[0]} is not installed`);
  process.exit(1);
}

options.wasmetal = resolve(options.wasmetal);

let failures = 0;
function run(what, command, args, extra = {}) {
  const r = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...extra });
  if (r.error || r.status !== 0) {
    failures++;
    console.log(`FAIL ${what}: ${r.error ?? `exit ${r.status ?? r.signal}`}\n${r.stdout}${r.stderr}`);
    return false;
  }
  return true;
}

const work = resolve(options.work, 'kernels');
rmSync(work, { recursive: true, force: true });
mkdirSync(join(work, 'bin'), { recursive: true });
// No wasm-opt for clang: see check_program.mjs.
for (const n of ['wasm-ld', 'wasm-ld-19'])
  symlinkSync(realpathSync(which('wasm-ld-19', 'wasm-ld')), join(work, 'bin', n));
const clang = options.clang || which('clang-19', 'clang');

const all = join(work, 'all');
mkdirSync(all);
const seen = new Set();
const counts = { spv: 0, metal: 0, wgsl: 0 };
for (const source of sources) {
  const name = basename(source, '.c'), wasm = join(work, `${name}.wasm`), dir = join(work, name);
  const flags = (/^\/\/ build: (.*)$/m.exec(readFileSync(source, 'utf8'))?.[1] ?? '').split(/\s+/).filter((f) => f);
  if (!run(`${name}: clang`, clang, ['--target=wasm32-wasi', '-O2', ...flags, source, '-o', wasm],
           { env: { PATH: join(work, 'bin') } })) continue;
  mkdirSync(dir);
  // The level of the host code makes no difference to kernels.
  run(`${name}: wasmetal`, options.wasmetal, [wasm, '-O0', `--save-kernels=${dir}`, '--verify', '-o', join(work, `${name}.o`)]);
  for (const file of readdirSync(dir)) {
    const kind = file.split('.').pop();
    if (!(kind in counts)) continue;
    counts[kind]++;
    // The same kernel of another program (libc's, say) is the same but for its name.
    const text = readFileSync(join(dir, file), 'latin1').replaceAll(file.split('.')[0], 'kernel');
    const hash = createHash('sha256').update(kind + text, 'latin1').digest('hex');
    if (seen.has(hash)) continue;
    seen.add(hash);
    symlinkSync(join(dir, file), join(all, `${name}-${file}`));
  }
}
console.log(`${sources.length} programs: ${counts.spv} SPIR-V, ${counts.metal} MSL, ${counts.wgsl} WGSL kernels, ` +
            `${seen.size} different ones`);
if (counts.spv === 0 || counts.metal === 0 || counts.wgsl === 0) {
  failures++;
  console.log('FAIL: some kind of kernel is not made at all');
}

const spirvVal = which('spirv-val');
for (const file of readdirSync(all))
  if (file.endsWith('.spv')) run(`spirv-val ${file}`, spirvVal, ['--target-env', 'vulkan1.1', join(all, file)]);

const validators = resolve(here, '../tests/kernels');
run('MSL', process.execPath, [join(validators, 'metal.mjs'), all, '--compile-only'],
    { env: { ...process.env, CXX: which('clang++-19', 'clang++') } });
if (existsSync(join(validators, 'node_modules'))) {
  const icd = process.env.WASMETAL_TEST_SWIFTSHADER ?? '/usr/lib/chromium/vk_swiftshader_icd.json';
  const driver = existsSync(icd) ? { VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd } : {};
  run('WGSL', process.execPath, ['--no-warnings', join(validators, 'wgsl.mjs'), all],
      { env: { ...process.env, ...driver } });
} else {
  failures++;
  console.log('FAIL: npm packages are missing (npm ci in tests/kernels)');
}
if (failures === 0) rmSync(work, { recursive: true, force: true });
console.log(failures === 0 ? 'ok: all kernels are valid' : `${failures} failures`);
process.exit(failures ? 1 : 0);
