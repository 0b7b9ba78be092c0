// Random structured kernels (tests/unit/kernel_random.c), or the launches of random loop nests (tests/fuzz/nests.c), on every
// target that can be driven here, against the IR interpreter.
//
//   node random.mjs --build=BUILD-DIR [--what=kernels] [--count=2000] [--seed=1] [--targets=all] [--slow=COUNT]
//
// --what: kernels; nests; reduce, nests with reductions; reassociate, the same with sums of floats among them.
// Targets: cpu, native code (of kernels only) on the CPU; lavapipe and swiftshader, every SPIR-V variant; msl, by clang; dawn and chromium, WGSL
// on SwiftShader.  --slow: how many kernels lavapipe, whose compiler takes a quarter of a second for each variant, gets, and clang
// for MSL (as many as --count when not given).  Kernels are made and run 250 at a time; the last lines are a table.  A target
// that cannot be driven fails the run.  Counts are of kernels or nests; the table's of kernels or launches.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), kernels = resolve(here, '../kernels');
const all = ['cpu', 'lavapipe', 'swiftshader', 'msl', 'dawn', 'chromium'], slow = ['lavapipe', 'msl'], CHUNK = 250;
const kinds = { kernels: null, nests: [], reduce: ['--reduce'], reassociate: ['--reduce', '--reassociate'] };
const options = { build: '', what: 'kernels', count: '2000', seed: '1', targets: 'all', slow: '' };
for (const arg of process.argv.slice(2)) {
  const m = /^--(\w+)=(.+)$/.exec(arg);
  if (!m || !(m[1] in options)) usage();
  options[m[1]] = m[2];
}
if (!(options.what in kinds)) usage();
const nests = kinds[options.what], possible = nests ? all.slice(1) : all;
const targets = options.targets === 'all' ? possible : options.targets.split(',');
const count = Number(options.count), slowCount = Math.min(count, Number(options.slow || options.count)), first = Number(options.seed);
if (!options.build || !(count > 0) || !(slowCount > 0) || !(first >= 0) || targets.some((t) => !possible.includes(t))) usage();

function usage() {
  console.error(`usage: node random.mjs --build=BUILD-DIR [--what=${Object.keys(kinds).join('|')}] [--count=N] [--seed=N] [--targets=${all.join(',')}] [--slow=N]`);
  process.exit(2);
}

const unit = resolve(options.build, 'tests/unit');
const fuzzNests = resolve(options.build, 'tests/fuzz/fuzz_nests');
const work = mkdtempSync(join(resolve(options.build), 'random-'));
const driver = (file) => ({ VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file, MESA_SHADER_CACHE_DISABLE: 'true' });
const manifests = {
  lavapipe: process.env.WASMETAL_TEST_LAVAPIPE ?? '/usr/share/vulkan/icd.d/lvp_icd.json',
  swiftshader: process.env.WASMETAL_TEST_SWIFTSHADER ?? '/usr/lib/chromium/vk_swiftshader_icd.json',
};
const table = new Map(targets.map((t) => [t, { ran: 0, wrong: 0, seconds: 0 }]));
let failures = 0;

// `expected` is what the program says when everything was right; its first group, the number of kernels, is `number` at least
// (the generator adds some that were hard for a driver).
function step(target, number, command, args, env, expected) {
  const start = Date.now(), row = table.get(target);
  const r = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, ...env } });
  const good = expected.exec(r.stdout);
  if (row) row.seconds += (Date.now() - start) / 1000;
  if (!r.error && r.status === 0 && good && Number(good[1]) >= number) {
    if (row) row.ran += nests ? Number(good[1]) : Number(number);
    return;
  }
  failures++;
  if (row) row.wrong += Math.max(1, (`${r.stdout}${r.stderr}`.match(/^(FAIL|seed \d+:)/gm) ?? []).length);
  console.log(`FAIL ${target}: ${r.error ?? `exit ${r.status ?? r.signal}`}\n${r.stdout}${r.stderr}`.slice(0, 4000));
}

function runChunk(seed, number) {
  const dump = join(work, `${seed}`);
  mkdirSync(dump);
  const args = [String(number), String(seed)];
  const inBrowser = targets.some((t) => ['msl', 'dawn', 'chromium'].includes(t));
  if (inBrowser && nests) step('sources', 1, fuzzNests, [...args, ...nests, `--dump=${dump}`], {}, /^(\d+) launches on no device.* 0 failures$/m);
  else if (inBrowser) {
    step('sources', number, join(unit, 'test_kernel_random'), args, { ...driver('/nonexistent.json'), KT_DUMP: dump }, /(\d+) random kernels .* 0 failures$/m);
  }
  const written = readdirSync(dump).filter((f) => f.endsWith('.case')).length;
  const wgsl = readdirSync(dump).filter((f) => f.endsWith('.wgsl')).length;
  if (inBrowser && written < (nests ? 1 : number)) {
    failures++;
    console.log(`FAIL: ${written} kernels written, not ${number}`);
  }
  for (const target of targets) {
    if (slow.includes(target) && seed - first >= slowCount) continue;
    const some = slow.includes(target) ? String(Math.min(number, first + slowCount - seed)) : String(number);
    runTarget(target, [some, String(seed)], dump, written, wgsl);
  }
  rmSync(dump, { recursive: true });
}

function runTarget(target, args, dump, written, wgsl) {
  const webgpu = ['--no-warnings', join(kernels, 'wgsl.mjs'), dump];
  switch (target) {
    case 'cpu':
      return step(target, args[0], join(unit, 'test_kernel_random_native'), args, {}, /^(\d+) random kernels on native code: 0 failures$/m);
    case 'lavapipe':
    case 'swiftshader': // "no device" would not match
      if (nests) {
        return step(target, 1, fuzzNests, [...args, ...nests, '--vulkan'], driver(manifests[target]),
                    /^(\d+) launches on (?:llvmpipe|SwiftShader).* 0 failures$/m);
      }
      return step(target, args[0], join(unit, 'test_kernel_random'), args, driver(manifests[target]),
                  /^(\d+) random kernels on (?:llvmpipe|SwiftShader).*: 0 failures$/m);
    case 'msl':
      if (!nests && Number(args[0]) < written) thinOut(dump, Number(args[1]), Number(args[0]));
      return step(target, nests ? written : args[0], process.execPath, [join(kernels, 'metal.mjs'), dump], {}, /, (\d+) ran$/m);
    case 'dawn':
      return step(target, nests ? 1 : args[0], process.execPath, webgpu, driver(manifests.swiftshader), new RegExp(`^dawn: (${wgsl}) kernels ran`, 'm'));
    default:
      return step(target, nests ? 1 : args[0], process.execPath, [...webgpu, '--chromium', '--no-naga'], {}, new RegExp(`^chromium: (${wgsl}) kernels ran`, 'm'));
  }
}

// Leaves the MSL of `number` kernels from `seed` on, and of those that were hard for some driver, which the generator adds.
function thinOut(dump, seed, number) {
  for (const file of readdirSync(dump)) {
    const m = /^random_(\d+)\.metal$/.exec(file);
    if (m && Number(m[1]) >= seed + number && Number(m[1]) < seed + count) rmSync(join(dump, file));
  }
}

for (const target of targets) {
  const file = manifests[target === 'dawn' ? 'swiftshader' : target];
  if (file && !existsSync(file)) {
    console.error(`${target}: no ${file}`);
    process.exit(1);
  }
}
for (let done = 0; done < count; done += CHUNK) runChunk(first + done, Math.min(CHUNK, count - done));
rmSync(work, { recursive: true, force: true });
console.log('| target | ran | failures | seconds |\n|---|---|---|---|');
for (const [target, { ran, wrong, seconds }] of table) {
  if (!ran) failures++;
  console.log(`| ${target} | ${ran} | ${wrong} | ${seconds.toFixed(0)} |`);
}
console.log(`${count} random ${options.what} from seed ${first}: ${failures} failures`);
process.exit(failures ? 1 : 0);
