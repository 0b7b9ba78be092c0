// The operation matrix: every operation that a kernel may hold, on boundary and random operands, on every target that can be
// driven on this machine, against the IR interpreter, bit for bit (payloads of NaNs apart).
//
//   node matrix.mjs --build=BUILD-DIR [--tuples=10240] [--targets=all] [--table=FILE] [--work=DIR]
//
// Targets: cpu lavapipe swiftshader msl node dawn chromium.  The first three go through the runtime, with its probe and its
// choice of variants; "stays" in the table is a launch that it refused.  MSL is compiled by clang with the stand-in
// metal_stdlib; WGSL runs in Dawn on SwiftShader and in headless Chromium.  A target that cannot be driven fails the run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInChromium } from '../kernels/chromium.mjs';
import { difference, runRow } from './matrix_webgpu.mjs';

const here = dirname(fileURLToPath(import.meta.url)), root = resolve(here, '../..');
const all = ['cpu', 'lavapipe', 'swiftshader', 'msl', 'node', 'dawn', 'chromium'];
const options = { build: '', tuples: '10240', targets: 'all', table: '', work: '' };
for (const arg of process.argv.slice(2)) {
  const m = /^--(\w+)=(.*)$/.exec(arg);
  if (!m || !(m[1] in options)) usage();
  options[m[1]] = m[2];
}
const targets = options.targets === 'all' ? all : options.targets.split(',');
if (!options.build || targets.some((t) => !all.includes(t))) usage();

function usage() {
  console.error(`usage: node matrix.mjs --build=BUILD-DIR [--tuples=N] [--targets=${all.join(',')}] [--table=FILE] [--work=DIR]`);
  process.exit(2);
}

const build = resolve(options.build);
const keep = options.work !== '';
const work = keep ? resolve(options.work) : mkdtempSync(join(build, 'matrix-'));
mkdirSync(work, { recursive: true });

function run(command, args, extra = {}) {
  const r = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...extra });
  if (r.error || r.signal) throw new Error(`${basename(command)}: ${r.error ?? r.signal}\n${r.stderr}`);
  return r;
}
function must(command, args, extra) {
  const r = run(command, args, extra);
  if (r.status !== 0) throw new Error(`${basename(command)}: exit ${r.status}\n${r.stdout}${r.stderr}`);
  return r;
}
const bytesOf = (name) => new Uint8Array(readFileSync(join(work, name)));

must(join(build, 'tests/matrix/matrix_make'), [work, options.tuples]);
const { rows, without } = JSON.parse(readFileSync(join(work, 'rows.json'), 'utf8'));

// Of each target: a map from row name to 'ok', 'stays: REASON' or 'WRONG: WHAT'.
const drivers = {
  cpu: () => runtime('cpu', {}),
  lavapipe: () => runtime('vulkan', icd('/usr/share/vulkan/icd.d/lvp_icd.json', 'WASMETAL_TEST_LAVAPIPE')),
  swiftshader: () => runtime('vulkan', swiftshader()),
  msl, node, dawn, chromium,
};

function icd(path, variable) {
  const file = process.env[variable] ?? path;
  if (!existsSync(file)) throw new Error(`no ${file} (${variable} names another)`);
  return { VK_DRIVER_FILES: file, VK_ICD_FILENAMES: file, WASMETAL_VALIDATION: '1', MESA_SHADER_CACHE_DISABLE: 'true' };
}
function swiftshader() {
  return icd('/usr/lib/chromium/vk_swiftshader_icd.json', 'WASMETAL_TEST_SWIFTSHADER');
}

function runtime(device, env) {
  const program = join(work, 'matrix_run');
  if (!existsSync(program)) {
    must('cc', ['-std=gnu11', '-O1', `-I${root}`, join(here, 'matrix_run.c'), join(work, 'matrix.o'),
                join(build, 'runtime/libwasmetal_rt.a'), '-pthread', '-lm', '-ldl', '-o', program]);
  }
  const r = run(program, [device, work], { env: { ...process.env, ...env } });
  const out = new Map();
  for (const line of r.stdout.split('\n')) {
    const [name, verdict, ...rest] = line.split(' ');
    if (name === 'device') console.log(`${device}: ${line.slice(7)}`);
    else if (name === 'WRONG') throw new Error(line);
    else if (verdict === 'ok') out.set(name, 'ok');
    else if (verdict === 'stays') {
      out.set(name, `stays: ${rows.find((row) => row.name === name).spirvWhy ?? rest.join(' ')}`);
    } else if (verdict) out.set(name, `WRONG: ${rest.join(' ')}`);
  }
  if (r.status > 1) throw new Error(r.stderr || `exit ${r.status}`);
  return out;
}

// ---- Metal Shading Language under clang: many kernels a program, each in a namespace ----

function msl() {
  const out = new Map(), jobs = [];
  for (const row of rows) {
    if (row.mslWhy) {
      out.set(row.name, `stays: ${row.mslWhy}`);
      continue;
    }
    jobs.push({ row, file: `${row.name}.metal`, name: row.name });
    if (row.exactMsl) jobs.push({ row, file: `${row.name}.exact.metal`, name: `${row.name}_exact` });
  }
  for (let at = 0; at < jobs.length; at += 24) mslBatch(jobs.slice(at, at + 24), out);
  return out;
}

function mslBatch(jobs, out) {
  const compiler = process.env.CXX ?? 'clang++-19';
  const flags = ['-x', 'c++', '-std=c++17', '-Xclang', '-cl-single-precision-constant', '-Wno-everything', '-ffp-contract=off', '-O1',
                 '-I', join(root, 'tests/kernels/metal')];
  let text = '#include <metal_stdlib>\n#include <simd/simd.h>\n', calls = '';
  for (const { row, file, name } of jobs) {
    const source = readFileSync(join(work, file), 'utf8');
    const atomics = source.includes('<metal_atomic>') ? '#include <metal_atomic>\n' : '';
    const head = source.match(new RegExp(`kernel void ${name}\\((.*)\\)\\n`))[1];
    const args = head.split(/, (?=const |device |constant |uint3 )/).map((argument) => {
      const buffer = argument.match(/^(.*)& \w+ \[\[buffer\((\d+)\)\]\]$/);
      if (!buffer) return 'id';
      const address = ['memory', `memory + ${row.outAt}`, 'params'][buffer[2]];
      return `*(${buffer[1]} *)(${address})`;
    });
    text += `${atomics}namespace in_${name} {\n${source.replace(/^#include.*$/gm, '')}
static void run(unsigned char *memory) {
    static uint params[] = {${row.tuples}, 1, 1, 0, 0, ${row.outAt}, 0, ${row.outAt}};
    for (uint x = 0; x < ${row.tuples + 3}; x++) { uint3 id = {x, 0, 0}; ${name}(${args.join(', ')}); }
}
}\n`;
    calls += `one("${row.name}.in", "${name}.got", ${row.tuples * row.inStride}, ${row.outAt}, ${row.tuples * row.outStride}, in_${name}::run);\n`;
  }
  text += `extern "C" { void *fopen(const char *, const char *); unsigned long fread(void *, unsigned long, unsigned long, void *);
unsigned long fwrite(const void *, unsigned long, unsigned long, void *); int fclose(void *); void *memset(void *, int, unsigned long); void exit(int); }
alignas(16) static unsigned char memory[${11 * 65536}];
static void one(const char *in, const char *out, unsigned long nin, unsigned long at, unsigned long nout, void (*run)(unsigned char *)) {
    memset(memory, 0xa5, sizeof memory);
    void *f = fopen(in, "rb");
    if (!f || fread(memory, 1, nin, f) != nin || fclose(f) != 0) exit(2);
    run(memory);
    f = fopen(out, "wb");
    if (!f || fwrite(memory + at, 1, nout, f) != nout || fclose(f) != 0) exit(2);
}
int main() {\n${calls}return 0;\n}\n`;
  writeFileSync(join(work, 'batch.cpp'), text);
  must(compiler, [...flags, join(work, 'batch.cpp'), '-o', join(work, 'batch')]);
  must(join(work, 'batch'), [], { cwd: work });
  for (const { row, name } of jobs) {
    const bad = difference(row, bytesOf(`${row.name}.want`), bytesOf(`${name}.got`));
    if (bad || !out.has(row.name)) out.set(row.name, bad ? `WRONG: ${name}: ${bad}` : 'ok');
  }
}

// ---- node: one wasm function a row ----

// Relaxed SIMD leaves results to the engine, and V8's two compilers choose differently in places; being equal to one of them
// on all tuples is enough there.
function node() {
  const out = new Map(), relaxed = /relaxed|i7x16/;
  const some = { reference: rows.filter((row) => !relaxed.test(row.op)), relaxed: rows.filter((row) => relaxed.test(row.op)) };
  const runs = [['reference', []], ['relaxed', ['--liftoff-only']], ['relaxed', ['--no-liftoff']]];
  for (const [name, flags] of runs) {
    writeFileSync(join(work, `${name}.wat`), `(module (memory (export "memory") 11)\n${some[name].map(watOf).join('\n')})\n`);
    must('wat2wasm', ['--enable-relaxed-simd', join(work, `${name}.wat`), '-o', join(work, `${name}.wasm`)]);
    must(process.execPath, ['--experimental-wasm-relaxed-simd', ...flags, join(here, 'matrix_node.mjs'), work, name]);
    for (const row of some[name]) {
      const bad = difference(row, bytesOf(`${row.name}.want`), bytesOf(`${row.name}.node`));
      if (out.get(row.name) !== 'ok') out.set(row.name, bad ? `WRONG: ${bad}` : 'ok');
    }
  }
  return out;
}

function watOf(row) {
  const load = (type, k) => `(${row.kind === 'load' ? row.op : `${type}.load`} offset=${k * row.cell} (local.get $in))`;
  const operands = row.operands.map(load).join(' ');
  const value = row.kind === 'load' || row.kind === 'store' ? operands : `(${[row.op, ...row.lanes].join(' ')} ${operands})`;
  return `(func (export "${row.name}") (param $in i32) (param $out i32) (param $n i32)
  (loop $next
    (${row.kind === 'store' ? row.op : `${row.type}.store`} (local.get $out) ${value})
    (local.set $in (i32.add (local.get $in) (i32.const ${row.inStride})))
    (local.set $out (i32.add (local.get $out) (i32.const ${row.outStride})))
    (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`;
}

// ---- WebGPU ----

async function dawn() {
  const { VK_DRIVER_FILES } = swiftshader();
  const file = join(work, 'dawn.txt');
  // A process of its own, since Dawn's node addon may crash while node tears down, and the driver is chosen by environment.
  run(process.execPath, ['--no-warnings', join(here, 'matrix_node.mjs'), work, 'dawn'],
      { env: { ...process.env, VK_DRIVER_FILES, VK_ICD_FILENAMES: VK_DRIVER_FILES } });
  return webgpuVerdicts('dawn', JSON.parse(readFileSync(file, 'utf8')));
}

function webgpuVerdicts(name, { adapter, verdicts }) {
  console.log(`${name}: ${adapter}`);
  const out = new Map(verdicts);
  for (const row of rows) if (row.wgslWhy) out.set(row.name, `stays: ${row.wgslWhy}`);
  return out;
}

const pageScript = `
  const { difference, runRow } = await import('/matrix_webgpu.mjs');
  const bytes = async (file) => new Uint8Array(await (await fetch('/data/' + file)).arrayBuffer());
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  const { rows } = await (await fetch('/data/rows.json')).json();
  const verdicts = [];
  for (const row of rows.filter((r) => !r.wgslWhy)) {
    let verdict = 'ok';
    try {
      const code = await (await fetch('/data/' + row.name + '.wgsl')).text();
      const bad = difference(row, await bytes(row.name + '.want'), await runRow(device, row, code, await bytes(row.name + '.in')));
      if (bad) verdict = 'WRONG: ' + bad;
    } catch (e) {
      verdict = 'WRONG: ' + e.message;
    }
    verdicts.push([row.name, verdict]);
  }
  return { adapter: adapter.info.vendor + ' ' + adapter.info.architecture, verdicts };`;

async function chromium() {
  function file(path) {
    const at = path === '/matrix_webgpu.mjs' ? join(here, basename(path)) : join(work, basename(path));
    return (path === '/matrix_webgpu.mjs' || path.startsWith('/data/')) && existsSync(at) ? readFileSync(at) : null;
  }
  return webgpuVerdicts('chromium', await runInChromium({ script: pageScript, file, profile: join(work, 'chromium') }));
}

// ---- the table ----

const columns = new Map();
let failures = 0;
for (const target of targets) {
  const start = Date.now();
  let verdicts;
  try {
    verdicts = await drivers[target]();
  } catch (e) {
    console.log(`FAIL ${target}: ${e.message}`);
    failures++;
    continue;
  }
  const counts = { ok: 0, stays: 0, WRONG: 0, missing: 0 };
  for (const row of rows) {
    const verdict = verdicts.get(row.name) ?? 'missing';
    counts[verdict.split(':')[0]]++;
    // The drivers here can do every operation but those that multiply and add with one rounding: another that has come to
    // stay on the CPU is a failure too.
    const mayStay = /relaxed_n?madd/.test(row.op);
    if (/^(WRONG|missing)/.test(verdict) || (verdict !== 'ok' && !mayStay)) {
      failures++;
      console.log(`FAIL ${target} ${row.op}: ${verdict}`);
    }
  }
  columns.set(target, verdicts);
  console.log(`${target}: ${counts.ok} equal, ${counts.stays} stay on the CPU, ${counts.WRONG} wrong, ${counts.missing} missing ` +
              `(${((Date.now() - start) / 1000).toFixed(0)} s)`);
}

function tableText() {
  const names = [...columns.keys()], reasons = new Map();
  const cell = (verdict = 'missing') => {
    if (!verdict.startsWith('stays: ')) return verdict === 'ok' ? '=' : verdict.split(':')[0];
    const why = verdict.slice(7);
    if (!reasons.has(why)) reasons.set(why, reasons.size + 1);
    return `CPU (${reasons.get(why)})`;
  };
  let body = `| operation | ${names.join(' | ')} |\n|---|${names.map(() => '---|').join('')}\n`;
  for (const row of rows) {
    const title = row.op === 'select' ? `select (${row.type})` : row.op;
    body += `| ${title} | ${names.map((n) => cell(columns.get(n).get(row.name))).join(' | ')} |\n`;
  }
  body += '\n`=` equal bit for bit (payloads of NaNs apart); `CPU (n)` the loop stays on the CPU, because:\n\n';
  for (const [why, number] of reasons) body += `${number}. ${why}\n`;
  const groups = new Map();
  for (const [op, why] of without) groups.set(why, [...(groups.get(why) ?? []), `\`${op}\``]);
  body += '\nOperations without a row:\n\n';
  for (const [why, ops] of groups) body += `- ${why}: ${ops.join(', ')}\n`;
  return body;
}
if (options.table) writeFileSync(options.table, tableText());
// Chromium's processes write to its profile until the last of them has gone.
for (let attempt = 0; !keep && attempt < 40; attempt++) {
  try {
    rmSync(work, { recursive: true, force: true });
    break;
  } catch (e) {
    await new Promise((go) => { setTimeout(go, 250); });
    if (attempt === 39) console.log(`left behind: ${e.message}`);
  }
}
console.log(`${rows.length} rows of ${options.tuples} tuples on ${targets.length} targets: ${failures} failures`);
process.exit(failures ? 1 : 0);
