// --kernel=FUNC and WASMETAL_CHECK:
//   node declared.mjs WASMETAL CLANG SOURCE WORKDIR
// An honest declaration launches what the analysis refuses and gives the same answer; a false one is caught by the
// check, which names the kernel and the first byte, and leaves the right answer; without a declaration nothing of it runs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [wasmetal, clang, source, work] = process.argv.slice(2);
let failures = 0;

function expect(what, ok, detail = '') {
  if (ok) return;
  failures++;
  console.log(`FAIL ${what}\n${detail}`);
}

mkdirSync(work, { recursive: true });
const wasm = join(work, 'declared.wasm'), stats = join(work, 'stats.json');
const built = spawnSync(clang, ['--target=wasm32-wasi', '-O2', source, '-o', wasm], { encoding: 'utf8' });
expect('clang', built.status === 0, built.stderr);

function run(options, environment = {}) {
  const r = spawnSync(wasmetal, ['run', '--no-cache', `--stats=${stats}`, ...options, wasm],
                      { encoding: 'utf8', timeout: 120000, env: { ...process.env, WASMETAL_MIN_WORK: '0', ...environment } });
  const launched = r.status === 0 ? JSON.parse(readFileSync(stats)).kernels.filter((k) => k.launches).length : -1;
  return { ...r, launched };
}

const plain = run(['--device=none']);
expect('the program', plain.status === 0 && /^\d+ 8386560$/m.test(plain.stdout), plain.stderr);
const check = { WASMETAL_CHECK: '1' };
for (const device of ['cpu', 'vulkan']) {
  const before = run([`--device=${device}`], check);
  expect(`${device}: undeclared`, before.stdout === plain.stdout && !/WMR2006/.test(before.stderr), before.stderr);
  if (device === 'vulkan' && /WMR2003/.test(before.stderr)) continue;
  const honest = run([`--device=${device}`, '--kernel=scatter,spread'], check);
  expect(`${device}: honest`, honest.stdout === plain.stdout && !/WMR2006/.test(honest.stderr), honest.stderr);
  expect(`${device}: honest, launched`, honest.launched > before.launched, `${before.launched} ${honest.launched}`);
  const lying = run([`--device=${device}`, '--kernel=running'], check);
  expect(`${device}: lying, caught`, /WMR2006: check: kernel main_\w+ on \w+ left 0x\w\w at address 0x\w+/.test(lying.stderr),
         lying.stderr);
  expect(`${device}: lying, the right answer`, lying.stdout === plain.stdout, lying.stdout);
}

for (const [list, text] of [['nobody', /WM2008.*no function "nobody"/], ['99999', /WM2008.*no function/],
                            ['_start', /WM2008.*no i32/], ['0', /WM2008.*imported/], ['', /WM2008/]]) {
  const r = spawnSync(wasmetal, ['explain', `--kernel=${list}`, wasm], { encoding: 'utf8' });
  expect(`--kernel=${list}`, r.status === 1 && text.test(r.stderr), r.stderr);
}
const unused = spawnSync(wasmetal, ['explain', '--kernel=dlfree', wasm], { encoding: 'utf8' });
expect('a function that no loop calls', unused.status === 0 && /warning: WM2008/.test(unused.stderr), unused.stderr);
console.log(failures ? `${failures} failures` : 'ok');
process.exit(failures ? 1 : 0);
