// Random structured kernels (tests/unit/kernel_random.c) on every target that can be driven here, against the IR interpreter.
//
//   node random.mjs --build=BUILD-DIR [--count=2000] [--seed=1] [--msl=COUNT]
//
// SPIR-V on lavapipe and SwiftShader, every variant; WGSL in Dawn on SwiftShader; MSL by clang, of the first --msl kernels
// (as many as --count when not given), because each takes clang two turns.  A target that cannot be driven fails the run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), kernels = resolve(here, '../kernels');
const options = { build: '', count: '2000', seed: '1', msl: '' };
for (const arg of process.argv.slice(2)) {
  const m = /^--(\w+)=(.+)$/.exec(arg);
  if (!m || !(m[1] in options)) usage();
  options[m[1]] = m[2];
}
if (!options.build) usage();
options.msl ||= options.count;

function usage() {
  console.error('usage: node random.mjs --build=BUILD-DIR [--count=N] [--seed=N] [--msl=N]');
  process.exit(2);
}

const generator = resolve(options.build, 'tests/unit/test_kernel_random');
const work = mkdtempSync(join(resolve(options.build), 'random-'));
const lavapipe = process.env.WASMETAL_TEST_LAVAPIPE ?? '/usr/share/vulkan/icd.d/lvp_icd.json';
const swiftshader = process.env.WASMETAL_TEST_SWIFTSHADER ?? '/usr/lib/chromium/vk_swiftshader_icd.json';
const driver = (file) => ({ VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file, MESA_SHADER_CACHE_DISABLE: 'true' });
let failures = 0;

function step(what, command, args, env, expected) {
  const start = Date.now();
  const r = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, ...env } });
  const bad = r.error || r.status !== 0 || !expected.test(r.stdout);
  failures += bad ? 1 : 0;
  const last = (r.stdout ?? '').trim().split('\n').slice(-3).join('; ');
  console.log(`${bad ? 'FAIL ' : ''}${what}: ${last} (${((Date.now() - start) / 1000).toFixed(0)} s)`);
  if (bad) console.log(`${r.error ?? `exit ${r.status ?? r.signal}`}\n${r.stdout}${r.stderr}`.slice(0, 4000));
}

for (const [name, file] of [['lavapipe', lavapipe], ['swiftshader', swiftshader]]) {
  if (!existsSync(file)) {
    failures++;
    console.log(`FAIL ${name}: no ${file}`);
    continue;
  }
  // "no device" would not match.
  step(name, generator, [options.count, options.seed], driver(file),
       new RegExp(`^${options.count} random kernels on (llvmpipe|SwiftShader).*: 0 failures$`, 'm'));
}
for (const [name, count] of [['wgsl', options.count], ['msl', options.msl]]) {
  const dump = join(work, name);
  mkdirSync(dump);
  step(`${name}: written`, generator, [count, options.seed], { ...driver('/nonexistent.json'), KT_DUMP: dump }, / 0 failures$/m);
  // The generator adds seeds that were hard for some driver; all that it wrote must run.
  const written = readdirSync(dump).filter((f) => f.endsWith('.case')).length;
  if (written < count) {
    failures++;
    console.log(`FAIL ${name}: ${written} kernels written`);
  }
  if (name === 'wgsl') {
    step('dawn', process.execPath, ['--no-warnings', join(kernels, 'wgsl.mjs'), dump], driver(swiftshader),
         new RegExp(`^dawn: ${written} kernels ran`, 'm'));
  } else {
    step('msl', process.execPath, [join(kernels, 'metal.mjs'), dump], {}, new RegExp(`, ${written} ran$`, 'm'));
  }
}
rmSync(work, { recursive: true, force: true });
console.log(`${options.count} random kernels from seed ${options.seed}: ${failures} failures`);
process.exit(failures ? 1 : 0);
