// Checks WGSL kernels: naga parses and validates each, Dawn or Chromium makes a pipeline of it, runs it and compares memory.
//
//   node wgsl.mjs DIRECTORY [--naga-only | --no-naga] [--chromium]
//
// The directory is what a kernel test wrote with KT_DUMP (tests/unit/kernel_test.h).  Dawn is the npm package `webgpu` on
// the Vulkan driver that the environment chooses; --chromium takes the browser on its own SwiftShader.  A kernel that leaves
// float arithmetic to the device (`uses`) may differ there, and is only reported.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInChromium } from './chromium.mjs';
import { runCases } from './webgpu_case.mjs';

const directory = process.argv[2], flags = process.argv.slice(3);
const names = readdirSync(directory).filter((f) => f.endsWith('.wgsl')).map((f) => f.slice(0, -5)).sort();

let failures = 0;
function fail(name, what) {
  failures++;
  console.log(`FAIL ${name}: ${what}`);
}

if (!flags.includes('--no-naga')) await runNaga();
if (!flags.includes('--naga-only')) await (flags.includes('--chromium') ? runChromium() : runDawn());
console.log(failures ? `${failures} failures` : 'all good');
// Dawn's node addon may crash while node tears down; everything is said by now.
process.exitCode = failures ? 1 : 0;
process.reallyExit(process.exitCode);

async function runNaga() {
  const naga = await import('naga-wasm');
  if (naga.init) {
    const wasm = new URL('./node_modules/naga-wasm/dist/wasm/naga_bg.wasm', import.meta.url);
    try {
      naga.parseWgsl('');
    } catch {
      await naga.init({ module_or_path: readFileSync(wasm) });
    }
  }
  for (const name of names) {
    try {
      naga.validate(naga.parseWgsl(readFileSync(join(directory, name + '.wgsl'), 'utf8')));
    } catch (e) {
      fail(name, 'naga: ' + (e.formatted ?? e.message));
    }
  }
  console.log(`naga: ${names.length} kernels`);
}

// results: [name, { verdict, what }]
function report(target, adapter, results) {
  const counts = { same: 0, inexact: 0, wrong: 0, error: 0, valid: 0 };
  console.log(`${target}: ${adapter}`);
  for (const [name, { verdict, what }] of results) {
    counts[verdict]++;
    if (verdict === 'inexact') console.log(`device decides: ${name}`);
    if (verdict === 'wrong' || verdict === 'error') fail(name, `${target}: ${what}`);
  }
  if (results.length !== names.length) fail(target, `${results.length} results for ${names.length} kernels`);
  console.log(`${target}: ${counts.same + counts.inexact + counts.wrong} kernels ran, ` +
              `${counts.inexact} inexact where the device decides`);
}

async function runDawn() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  globalThis.keptGpu = create(['backend=vulkan']); // collected too early, it takes its devices along
  const adapter = await keptGpu.requestAdapter();
  if (!adapter) {
    fail('dawn', 'no adapter');
    return;
  }
  const device = await adapter.requestDevice(), results = [];
  await runCases(device, names, load, (name, result) => { results.push([name, result]); });
  report('dawn', adapter.info.description || adapter.info.device || 'adapter', results);
}

function load(name) {
  const bytes = (suffix) => new Uint8Array(readFileSync(join(directory, name + suffix)));
  const code = readFileSync(join(directory, name + '.wgsl'), 'utf8');
  if (!existsSync(join(directory, name + '.case'))) return { code };
  return { code, words: new Uint32Array(bytes('.case').buffer), before: bytes('.in'), want: bytes('.out') };
}

async function runChromium() {
  const profile = mkdtempSync(join(tmpdir(), 'wgsl-chromium-'));
  const module = readFileSync(fileURLToPath(new URL('./webgpu_case.mjs', import.meta.url)));
  const script = `
    const { runCases } = await import('/webgpu_case.mjs');
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter.requestDevice();
    const names = await (await fetch('/names')).json(), results = [];
    const bytes = async (file) => new Uint8Array(await (await fetch('/data/' + file)).arrayBuffer());
    async function load({ name, runs }) {
      const code = await (await fetch('/data/' + name + '.wgsl')).text();
      if (!runs) return { code };
      const [words, before, want] = await Promise.all(['.case', '.in', '.out'].map((suffix) => bytes(name + suffix)));
      return { code, words: new Uint32Array(words.buffer), before, want };
    }
    await runCases(device, names, load, ({ name }, result) => { results.push([name, result]); });
    return { adapter: adapter.info.vendor + ' ' + adapter.info.architecture, results };`;
  function file(path) {
    if (path === '/webgpu_case.mjs') return module;
    if (path === '/names') {
      return JSON.stringify(names.map((name) => ({ name, runs: existsSync(join(directory, name + '.case')) })));
    }
    const at = join(directory, basename(path));
    return path.startsWith('/data/') && existsSync(at) ? readFileSync(at) : null;
  }
  try {
    const { adapter, results } = await runInChromium({ script, file, profile });
    report('chromium', adapter, results);
  } catch (e) {
    fail('chromium', e.message);
  }
  // Chromium's processes write to its profile until the last of them has gone.
  for (let attempt = 0; attempt < 40; attempt++) {
    try {
      rmSync(profile, { recursive: true, force: true });
      return;
    } catch {
      await new Promise((go) => { setTimeout(go, 250); });
    }
  }
  console.log(`left behind: ${profile}`);
}
