// Records packages at work in node (record.mjs) and plays the traces against Wasmetal (trace_replay).
//
//   node check_modules.mjs --replay=PATH [--names=sqlite,ruby|all|large] [--work=DIR] [-- OPTIONS of trace_replay]
//
// Without --names: all but the large ones, which `npm ci` in large/ installs.  Last line: "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scenarios } from './scenarios.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const options = {}, argv = process.argv.slice(2), split = argv.indexOf('--');
const replayOptions = split < 0 ? [] : argv.splice(split).slice(1);
for (const a of argv) {
  const [key, ...value] = a.replace(/^--/, '').split('=');
  options[key] = value.join('=');
}
if (!options.replay) {
  console.error('usage: check_modules.mjs --replay=PATH [--names=NAME,...|all|large] [-- OPTIONS]');
  process.exit(2);
}
const names = options.names === 'all' ? Object.keys(scenarios)
            : options.names === 'large' ? Object.keys(scenarios).filter((n) => scenarios[n].large)
            : options.names ? options.names.split(',') : Object.keys(scenarios).filter((n) => !scenarios[n].large);
for (const folder of new Set(names.map((n) => (scenarios[n]?.large ? join(here, 'large') : here))))
  if (!existsSync(join(folder, 'node_modules'))) console.log(`packages are missing: run "npm ci" in ${folder}`);

const work = options.work ?? mkdtempSync(join(tmpdir(), 'wasmetal-modules-'));
let passed = 0, failed = 0;
for (const name of names) {
  const record = spawnSync(process.execPath, ['--no-warnings', join(here, 'record.mjs'), name, work], { encoding: 'utf8' });
  const good = record.status === 0;
  const least = replayOptions.includes('--min-work=1') ? [`--least-launches=${scenarios[name].launches ?? 0}`] : [];
  const play = good && spawnSync(options.replay, [...replayOptions, ...least, join(work, `${name}.wasm`), join(work, `${name}.trace`)],
    { encoding: 'utf8' });
  const ok = good && play.status === 0;
  ok ? passed++ : failed++;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${record.stdout.trim()}`);
  console.log(`     ${(good ? `${play.stdout}${play.stderr}${play.signal ?? ''}` : record.stderr).trim()}`);
}
if (!options.work) rmSync(work, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
