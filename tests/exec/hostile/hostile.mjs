// Hostile kernels: loops whose addresses wrap, straddle the end of memory, or come from data.  Each case of hostile.txt
// must end as in node, trap or not, with the same memory to the last byte, on every device; and its loop must have been
// launched where the table says so, and not where it says that it stays.
//
//   node hostile.mjs PROGRAM MODULE.wasm CASES.txt
//
// The Vulkan devices run without robust buffer access (WASMETAL_VULKAN_ROBUST=0): then SwiftShader faults on what is
// grossly out of range, and no driver hides an access that the guard should not have let through.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const [program, wasm, table] = process.argv.slice(2);
const cases = readFileSync(table, 'utf8').split('\n').filter((l) => l && !l.startsWith('#')).map((l) => {
  const [name, call, setup, verdict] = l.split(';').map((s) => s.trim());
  const [func, ...args] = call.split(/ +/);
  const [launches, only] = verdict.split(' ');
  return { name, func, args: args.map((a) => Number(a) | 0), setup: setup.split(/ +/), launches, only };
});

// ---- node ----

const kinds = [[/divide by zero|remainder by zero/, 'integer divide by zero'], [/divide result unrepresentable/, 'integer overflow'],
  [/out of bounds/, 'out of bounds memory access'], [/unrepresentable in integer/, 'conversion'], [/unreachable/, 'unreachable']];

function setUp(memory, words) {
  const bytes = new Uint8Array(memory.buffer), view = new DataView(memory.buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + 13 + (i >> 8)) & 255;
  for (let at = 0; at < words.length && words[at];) {
    const what = words[at++], address = Number(words[at++]);
    if (what === 'p') {
      view.setUint32(address, Number(words[at++]), true);
      continue;
    }
    const [count, mul, add, mod] = [0, 1, 2, 3].map(() => Number(words[at++]));
    for (let i = 0; i < count; i++) {
      const product = Math.imul(i, mul) >>> 0;
      view.setUint32(address + 4 * i, (mod ? product % mod : product) + add, true);
    }
  }
}

function hash(memory) {
  let h = 2166136261;
  for (const b of new Uint8Array(memory.buffer)) h = Math.imul(h ^ b, 16777619);
  return (h >>> 0).toString(16).padStart(8, '0');
}

const { instance } = await WebAssembly.instantiate(readFileSync(wasm));
const want = cases.map((c) => {
  const memory = instance.exports.memory;
  setUp(memory, c.setup);
  let end = 'ok';
  try {
    instance.exports[c.func](...c.args);
  } catch (error) {
    end = kinds.find(([pattern]) => pattern.test(error.message))?.[1] ?? error.message;
  }
  return { end, bytes: memory.buffer.byteLength, hash: hash(memory) };
});

// ---- the devices ----

const driver = {
  lavapipe: process.env.WASMETAL_TEST_LAVAPIPE ?? firstOf(['/usr/share/vulkan/icd.d/lvp_icd.json',
    `/usr/share/vulkan/icd.d/lvp_icd.${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.json`]),
  swiftshader: process.env.WASMETAL_TEST_SWIFTSHADER ?? firstOf(['/usr/lib/chromium/vk_swiftshader_icd.json',
    '/usr/share/vulkan/icd.d/vk_swiftshader_icd.json']),
};

function firstOf(paths) {
  return paths.find((p) => existsSync(p)) ?? '';
}

let failures = 0, ran = 0;
function fail(text) {
  failures++;
  console.log(`FAIL ${text}`);
}

for (const device of ['none', 'cpu', 'lavapipe', 'swiftshader']) {
  const env = { ...process.env, WASMETAL_VULKAN_ROBUST: '0', WASMETAL_LOG: 'warning' };
  if (device in driver) {
    if (!driver[device]) {
      if (process.env.WASMETAL_REQUIRE_DRIVERS === '1') fail(`${device}: the driver is not installed`);
      else console.log(`SKIP ${device}: the driver is not installed`);
      continue;
    }
    env.VK_DRIVER_FILES = env.VK_ICD_FILENAMES = driver[device];
  }
  const r = spawnSync(program, [table, device in driver ? 'vulkan' : device], { env, encoding: 'utf8', timeout: 300000 });
  const lines = r.stdout.split('\n').filter((l) => l);
  let launched = 0;
  for (const [i, line] of lines.entries()) {
    const [name, end, bytes, sum, launches] = line.split(' ; ');
    const c = cases[i], w = want[i], where = `${device}: ${c.name}`;
    const same = end === w.end || (w.end === 'conversion' && /conversion|overflow/.test(end));
    if (name !== c.name || !same) fail(`${where}: ${name}: ${end}, node: ${w.end}`);
    else if (Number(bytes) !== w.bytes || sum !== w.hash) fail(`${where}: ${bytes} bytes ${sum}, node: ${w.bytes} ${w.hash}`);
    const may = c.launches === 'launches' && device !== 'none' && (!c.only || c.only === device);
    if (may !== Number(launches) > 0) fail(`${where}: ${launches} launches, expected ${may ? 'one' : 'none'}`);
    launched += Number(launches) > 0;
    ran++;
  }
  if (r.status !== 0 || lines.length !== cases.length)
    fail(`${device}: ended by ${r.signal ?? `exit ${r.status}`} after ${lines.length} of ${cases.length} cases\n${r.stderr}`);
  else if (r.stderr) fail(`${device}: ${r.stderr}`);
  console.log(`${device}: ${lines.length} cases, ${launched} launched`);
}
console.log(`${ran} runs, ${failures} failures`);
process.exit(failures || !ran ? 1 : 0);
